"""Review metrics in a real Chromium: compute, click a confusion cell, open a host, save a chart."""

import re
from collections.abc import Callable

import pytest
from app_server import Server, settle
from made_runs import no_processes
from playwright.sync_api import BrowserContext, expect
from review_runs import labelled_workspace, scored_run

__all__ = ["no_processes"]
pytestmark = pytest.mark.browser
ROW_PIXELS = 35
ADDRESS_PIXELS = 95


def test_a_cell_is_clicked_and_its_host_opened(
    start: Callable[..., Server], context: BrowserContext, no_processes: list[str]
) -> None:
    """From nothing computed to a host's page by clicks alone; charts are saved as files."""
    server = start().wait_until_ready()
    workspace = labelled_workspace(server.workspace.parent)
    scored_run(workspace, apart=2.0)
    page = context.new_page()
    refused: list[str] = []
    page.on("console", lambda told: refused.append(told.text) if "Security" in told.text else None)
    page.goto(server.login_url)
    settle(page)
    page.get_by_test_id("stSidebarNav").get_by_role("link", name="Review metrics").click()
    expect(page.locator("h1")).to_have_text("Review metrics")
    page.get_by_role("button", name="Compute").click()
    expect(page.get_by_text("By class")).to_be_visible(timeout=90_000)
    settle(page)
    for kind, begins in (("PNG", b"\x89PNG"), ("SVG", b"<svg")):
        with page.expect_download() as saved:
            page.get_by_role("button", name=kind, exact=True).first.click()
        assert saved.value.suggested_filename == f"darkgnn-f1-by-class.{kind.lower()}"
        assert saved.value.path().read_bytes().startswith(begins)
    page.get_by_text("Confusion", exact=True).click()
    settle(page)
    chart = page.get_by_test_id("stVegaLiteChart").first
    chart.locator('text[aria-label*="told: mirai; true: mirai"]').click()
    expect(page.get_by_role("heading", name="mirai, told right")).to_be_visible()
    settle(page)
    hosts = page.get_by_test_id("stDataFrame").last
    hosts.scroll_into_view_if_needed()
    box = hosts.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + ADDRESS_PIXELS, box["y"] + 1.5 * ROW_PIXELS)
    expect(page.locator("h1")).to_have_text("Inspect host")
    expect(page).to_have_url(re.compile(r"host=198\.51\.100\.\d+"))
    assert refused == []
