"""Inspect host in a real Chromium: an address typed, neighbours by key, one clicked, reload."""

import re
from collections.abc import Callable

import pytest
from app_server import Server, settle, wait_for
from app_workspaces import filled_workspace
from made_embeddings import embedded_run
from made_runs import no_processes
from playwright.sync_api import BrowserContext, expect

from darkgnn_core.run_config import RunConfig

__all__ = ["no_processes"]
pytestmark = pytest.mark.browser

HOST = "198.51.100.10"
ROW_PIXELS = 35


@pytest.fixture
def own(start: Callable[..., Server], no_processes: list[str]) -> Server:
    """A server over a workspace of three days with a run."""
    server = start().wait_until_ready()
    workspace = filled_workspace(server.workspace.parent)
    embedded_run(workspace, RunConfig.of("i-gcn-gru"))
    return server


def test_from_an_address_to_its_neighbours_neighbour(own: Server, context: BrowserContext) -> None:
    """Type, step by key, click a neighbour in the table, reload, go back; a key is no key there."""
    page = context.new_page()
    page.goto(own.login_url)
    settle(page)
    page.get_by_test_id("stSidebarNav").get_by_role("link", name="Inspect host").click()
    expect(page.locator("h1")).to_have_text("Inspect host")
    field = page.get_by_label("Address", exact=True)
    field.fill(HOST)
    field.press("Enter")
    expect(page.locator("h2")).to_have_text(HOST)
    expect(page).to_have_url(re.compile(f"host={re.escape(HOST)}"))
    settle(page)
    heading = page.locator("h3", has_text="Why neighbour")
    expect(heading).to_have_text("Why neighbour 1 of 10 is near")
    field.press("n")  # a letter in the field, not the key for the next neighbour
    expect(heading).to_have_text("Why neighbour 1 of 10 is near")
    field.fill(HOST)
    page.locator("h1").click()
    page.keyboard.press("n")
    expect(heading).to_have_text("Why neighbour 2 of 10 is near")
    settle(page)
    table = page.get_by_test_id("stDataFrame").first
    table.scroll_into_view_if_needed()
    box = table.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 95, box["y"] + 1.5 * ROW_PIXELS)
    expect(page.locator("h2")).not_to_have_text(HOST)
    settle(page)
    neighbour = page.locator("h2").inner_text()
    expect(page).to_have_url(re.compile(f"host={re.escape(neighbour)}"))
    page.reload()
    settle(page)
    expect(page.locator("h2")).to_have_text(neighbour)
    expect(field).to_have_value(neighbour)
    page.go_back()
    expect(page.locator("h2")).to_have_text(HOST)


def test_label_and_search_have_keys(own: Server, context: BrowserContext) -> None:
    """L opens the dialog of the host in view; / goes to the search, but is a letter in a field."""
    page = context.new_page()
    page.goto(own.login_url)
    settle(page)
    search = page.get_by_role("textbox", name="Go to host")
    page.locator("h1").click()

    def goes_to_search() -> bool:
        page.keyboard.press("/")
        return bool(search.evaluate("field => field === document.activeElement"))

    wait_for(goes_to_search, "the script that listens has been loaded")
    page.keyboard.type(f"/{HOST}")
    expect(search).to_have_value(f"/{HOST}")
    search.fill(HOST)
    search.press("Enter")
    expect(page.locator("h1")).to_have_text("Inspect host")
    settle(page)
    expect(page.locator("h2")).to_have_text(HOST)
    page.locator("h1").click()
    page.keyboard.press("l")
    expect(page.get_by_role("dialog")).to_contain_text("Label hosts")
