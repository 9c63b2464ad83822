"""The context in a real Chromium: kept over pages and a reload, and a set's hosts downloaded."""

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from app_server import Server, settle
from app_workspaces import DAYS, filled_workspace
from playwright.sync_api import BrowserContext, Page, expect

from darkgnn_core.host_sets import list_sets
from darkgnn_core.workspace import open_workspace

pytestmark = pytest.mark.browser


@pytest.fixture
def own(start: Callable[..., Server]) -> Server:
    """A server over a workspace of three days."""
    server = start().wait_until_ready()
    filled_workspace(server.workspace.parent)
    return server


def go_to(page: Page, title: str) -> None:
    """Open a page by the menu."""
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=title, exact=True).click()
    expect(page.locator("h1")).to_have_text(title)
    settle(page)


def test_a_reload_keeps_the_context(own: Server, context: BrowserContext) -> None:
    """Day, range, switch and current set stand in the address, on every page and after a reload."""
    page = context.new_page()
    page.goto(own.login_url)
    settle(page)
    expect(page).to_have_url(re.compile(f"day={DAYS[-1]}"))
    box = page.get_by_role("combobox", name=re.compile(r"Day \(UTC\)")).first
    box.click()
    page.get_by_role("option", name=DAYS[1], exact=True).click()
    settle(page)
    page.get_by_text("Hide known scanners").click()
    settle(page)
    go_to(page, "Cases")
    page.get_by_text("New set", exact=True).click()
    settle(page)
    page.get_by_role("textbox", name="Addresses and prefixes").fill("198.51.100.4/30 nonsense")
    page.get_by_role("textbox", name="Addresses and prefixes").press("Control+Enter")
    settle(page)
    page.get_by_role("button", name="Keep as current set").click()
    sidebar = page.get_by_test_id("stSidebar")
    expect(sidebar.get_by_text("understood: 1: 4 hosts")).to_be_visible()
    settle(page)
    [made] = list_sets(open_workspace(own.workspace))
    go_to(page, "Sources")
    page.reload()
    settle(page)
    for part in (f"day={DAYS[1]}", "hide_known=true", f"set={made.id}"):
        expect(page).to_have_url(re.compile(part))
    expect(sidebar.get_by_text("understood: 1: 4 hosts")).to_be_visible()
    expect(box).to_have_value(DAYS[1])
    sidebar.get_by_role("button", name="Its hosts, and other sets").click()
    expect(page.locator("h1")).to_have_text("Cases")
    settle(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    rows = list(csv.reader(io.StringIO(Path(download.value.path()).read_text(encoding="utf-8"))))
    assert [row[0] for row in rows] == ["address", *(f"198.51.100.{host}" for host in range(4, 8))]
    sidebar.get_by_role("button", name="Clear", exact=True).click()
    expect(sidebar.get_by_text("None", exact=True)).to_be_visible()
    page.reload()
    settle(page)
    sidebar.get_by_role("button", name="Undo").click()
    expect(sidebar.get_by_text("understood: 1: 4 hosts")).to_be_visible()
