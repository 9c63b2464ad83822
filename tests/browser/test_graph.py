"""The graph in a real Chromium: a click on a node selects it, its neighbours come in place."""

from collections.abc import Callable

import pytest
from app_server import Server, settle
from app_workspaces import filled_workspace
from playwright.sync_api import BrowserContext, Page, expect

pytestmark = pytest.mark.browser
GRAPH = ".graph[data-state=drawn]"
WHERE = """(root, id) => {
  const at = root.hostGraph.whereIs(id);
  const box = root.querySelector(".field").getBoundingClientRect();
  return at && [box.x + at[0], box.y + at[1]];
}"""
HELD = (
    "(root, id) => { const n = root.hostGraph.nodes.find((e) => e.id === id); return [n.x, n.y]; }"
)
HOST, PORT = "h3325256708", "p23"


@pytest.fixture
def graph(start: Callable[..., Server], context: BrowserContext) -> Page:
    """The graph around one host of a small workspace, opened by its address."""
    server = start().wait_until_ready()
    filled_workspace(server.workspace.parent)
    page = context.new_page()
    page.set_viewport_size({"width": 1280, "height": 1400})
    page.goto(server.login_url)
    settle(page)
    page.goto(f"{server.url}/explore-graph?graph_start=Typed&graph_typed=198.51.100.4")
    expect(page.get_by_text("1 host, 1 port, 1 edge;")).to_be_visible()
    settle(page)
    return page


def at(page: Page, node: str) -> tuple[float, float]:
    """Return where a node is on the screen."""
    found = page.locator(GRAPH).evaluate(WHERE, node)
    assert found, node
    return float(found[0]), float(found[1])


def held(page: Page, node: str) -> list[float]:
    """Return where a node is in the drawing, whatever part of it is looked at."""
    return [float(each) for each in page.locator(GRAPH).evaluate(HELD, node)]


def drag(page: Page, node: str, dx: float, dy: float) -> None:
    """Take a node with the mouse and drop it elsewhere."""
    x, y = at(page, node)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx / 2, y + dy / 2, steps=3)
    page.mouse.move(x + dx, y + dy, steps=3)
    page.mouse.up()


def count(page: Page, nodes: int) -> None:
    """Wait until so many nodes are drawn."""
    expect(page.locator(f'{GRAPH}[data-nodes="{nodes}"]')).to_be_visible()
    settle(page)


def test_a_click_selects_a_node_and_its_neighbours_come_in_place(graph: Page) -> None:
    """Select the port, show its three other hosts: nothing moves; undo, reload, and files."""
    count(graph, 2)
    before = {name: held(graph, name) for name in (HOST, PORT)}
    graph.mouse.click(*at(graph, PORT))
    expect(graph.get_by_text("4 hosts, 1 of them drawn.")).to_be_visible()
    graph.get_by_role("button", name="Show 3 more hosts").click()
    expect(graph.get_by_text("4 hosts, 1 port, 4 edges;")).to_be_visible()
    count(graph, 5)
    assert {name: held(graph, name) for name in before} == before
    graph.reload()
    count(graph, 5)
    expect(graph.get_by_text("4 hosts, 1 port, 4 edges;")).to_be_visible()
    graph.get_by_text("Export", exact=True).click()
    for name, start in (("SVG", b"<svg"), ("PNG", b"\x89PNG"), ("GraphML", b"<?xml")):
        with graph.expect_download() as told:
            graph.get_by_role("button", name=name, exact=True).click()
        assert told.value.path().read_bytes().startswith(start)


def test_a_node_is_dragged_and_stays(graph: Page) -> None:
    """Where it was dropped, pinned, after a double click that expands it, and after a reload."""
    count(graph, 2)
    start = at(graph, PORT)
    drag(graph, PORT, 90, -120)
    expect(graph.get_by_role("button", name="Start over")).to_be_enabled()
    settle(graph)
    assert at(graph, PORT) == pytest.approx((start[0] + 90, start[1] - 120), abs=2)
    dropped = held(graph, PORT)
    graph.mouse.dblclick(*at(graph, PORT))
    count(graph, 5)
    assert held(graph, PORT) == pytest.approx(dropped, abs=1e-4)
    graph.reload()
    count(graph, 5)
    assert held(graph, PORT) == pytest.approx(dropped, abs=1e-4)


def test_the_drawing_is_worked_by_keyboard(graph: Page) -> None:
    """Shift and the arrows move what is selected; + and - zoom, 0 shows all."""
    count(graph, 2)
    graph.mouse.click(*at(graph, PORT))
    expect(graph.get_by_text("1 of 2 nodes selected")).to_be_visible()
    settle(graph)
    before, there = held(graph, PORT), at(graph, PORT)
    for key in ("+", "-", "0", "Shift+ArrowDown", "Shift+ArrowDown"):
        graph.keyboard.press(key)
    expect(graph.get_by_role("button", name="Unpin")).to_be_visible()
    settle(graph)
    assert held(graph, PORT)[0] == pytest.approx(before[0], abs=1e-4)
    assert at(graph, PORT) == pytest.approx((there[0], there[1] + 16), abs=2)
