"""The graph in a real Chromium: a click on a node selects it, its neighbours come in place."""

import re
from collections.abc import Callable

import pytest
from app_server import Server, settle
from app_workspaces import filled_workspace
from playwright.sync_api import BrowserContext, Locator, Page, expect

pytestmark = pytest.mark.browser
CHART = "[data-testid=stVegaLiteChart]"


@pytest.fixture
def graph(start: Callable[..., Server], context: BrowserContext) -> Page:
    """The graph around one host of a small workspace, opened by its address."""
    server = start().wait_until_ready()
    filled_workspace(server.workspace.parent)
    page = context.new_page()
    page.goto(server.login_url)
    settle(page)
    page.goto(f"{server.url}/explore-graph?graph_start=Typed&graph_typed=198.51.100.4")
    expect(page.get_by_text("1 host, 1 port, 1 edge;")).to_be_visible()
    settle(page)
    return page


def node(page: Page, name: str) -> Locator:
    """Return the mark of a node."""
    return page.locator(f'{CHART} path[aria-label*="node: {name}"]').first


def middle(page: Page, name: str) -> tuple[float, float]:
    """Return where a node is drawn inside its chart, in the units of its scales."""
    label = node(page, name).get_attribute("aria-label") or ""
    found = re.match(r"x: (\S+); y: (\S+);", label.replace("\u2212", "-"))
    assert found, label
    return float(found[1]), float(found[2])


def test_a_click_selects_a_node_and_its_neighbours_come_in_place(graph: Page) -> None:
    """Select the port, show its three other hosts: nothing moves; undo, reload, and files."""
    before = {name: middle(graph, name) for name in ("198.51.100.4", "23 telnet")}
    node(graph, "23 telnet").click()
    expect(graph.get_by_text("4 hosts, 1 of them drawn.")).to_be_visible()
    graph.get_by_role("button", name="Show 3 more hosts").click()
    expect(graph.get_by_text("4 hosts, 1 port, 4 edges;")).to_be_visible()
    expect(node(graph, "198.51.100.14")).to_be_attached()
    assert {name: middle(graph, name) for name in before} == before
    graph.reload()
    settle(graph)
    expect(graph.get_by_text("4 hosts, 1 port, 4 edges;")).to_be_visible()
    graph.get_by_text("Export", exact=True).click()
    for name, start in (("SVG", b"<svg"), ("PNG", b"\x89PNG"), ("GraphML", b"<?xml")):
        with graph.expect_download() as told:
            graph.get_by_role("button", name=name, exact=True).click()
        assert told.value.path().read_bytes().startswith(start)
