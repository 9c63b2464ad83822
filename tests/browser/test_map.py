"""The map in a real Chromium: a lasso gives exactly what it goes round, and nothing leaves."""

import re
from collections.abc import Callable, Iterator
from io import BytesIO
from ipaddress import IPv4Address

import numpy as np
import pytest
from app_server import CHROMIUM_ARGUMENTS, Server, find_chromium, settle
from app_workspaces import DAYS, filled_workspace
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

from darkgnn_core.maps.projecting import directions, principal_plane, turned_towards
from darkgnn_core.maps.storing import find_map
from darkgnn_core.maps.tsne import TsneSettings
from darkgnn_core.run_store import read_runs
from darkgnn_core.workspace import Workspace
from tests.made_runs import no_processes  # noqa: F401 - a fixture
from tests.map_workspaces import GROUP, embedded_run, hosts_on, planted_vectors

pytestmark = pytest.mark.browser
LAST = DAYS[-1]
SOFTWARE_WEBGL = ["--enable-unsafe-swiftshader", "--use-angle=swiftshader"]
COVERED = (
    "canvas => { const all = canvas.getContext('2d')"
    ".getImageData(0, 0, canvas.width, canvas.height).data;"
    " return all.some((value, place) => place % 4 === 3 && value > 0); }"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Run a Chromium that draws WebGL without a graphics card."""
    path = find_chromium()
    if path is None:
        pytest.skip("no Chromium is installed: the map in a real browser was not tried")
    with sync_playwright() as playwright:
        arguments = [*CHROMIUM_ARGUMENTS, *SOFTWARE_WEBGL]
        running = playwright.chromium.launch(executable_path=path, args=arguments)
        yield running
        running.close()


@pytest.fixture
def own(start: Callable[..., Server], no_processes: list[str]) -> Server:  # noqa: F811
    """A server over a workspace whose run has a planted group."""
    server = start().wait_until_ready()
    embedded_run(filled_workspace(server.workspace.parent))
    return server


def open_map(context: BrowserContext, server: Server) -> Page:
    """Log in, go to the map, and wait until it is drawn."""
    page = context.new_page()
    page.goto(server.login_url)
    settle(page)
    page.get_by_test_id("stSidebarNav").get_by_role("link", name="Browse embeddings").click()
    expect(page.locator("h1")).to_have_text("Browse embeddings")
    expect(page.locator(".map")).to_have_attribute("data-state", "drawn")
    settle(page)
    return page


def places(server: Server) -> tuple[np.ndarray, np.ndarray]:
    """Return hosts of the last day and where they lie on the map."""
    workspace = Workspace(server.workspace)
    days = [(hosts := hosts_on(workspace, day), planted_vectors(len(hosts))) for day in DAYS]
    (first_hosts, first), (hosts, last) = days[0], days[-1]
    planes = [principal_plane(directions(vectors)) for vectors in (first, last)]
    return hosts, turned_towards(planes[1], hosts, planes[0], first_hosts)


def view_of(canvas: Locator) -> tuple[float, float, float]:
    """Return the middle of a map's view and how many pixels a unit of the map takes."""
    told = str(canvas.evaluate("canvas => canvas.closest('.map').dataset.view"))
    x, y, scale = map(float, told.split(","))
    return x, y, scale


def on_screen(canvas: Locator, at: np.ndarray) -> tuple[float, float]:
    """Return where a point of the map is on the screen."""
    x, y, scale = view_of(canvas)
    box = canvas.bounding_box()
    assert box is not None
    return (
        box["x"] + box["width"] / 2 + (float(at[0]) - x) * scale,
        box["y"] + box["height"] / 2 - (float(at[1]) - y) * scale,
    )


def draw_round(page: Page, canvas: Locator, points: np.ndarray) -> None:
    """Draw a lasso round some points of the map, a little away from them."""
    _, _, scale = view_of(canvas)
    middle, reach = points.mean(axis=0), np.ptp(points, axis=0) / 2 + 8 / scale
    for step in range(33):
        angle = 2 * np.pi * step / 32
        page.mouse.move(*on_screen(canvas, middle + 1.5 * reach * [np.cos(angle), np.sin(angle)]))
        if step == 0:
            page.mouse.down()
    page.mouse.up()


def test_a_lasso_gives_exactly_the_planted_group(own: Server, context: BrowserContext) -> None:
    """Its hosts and no other, also after a reload; a click opens a host; nothing leaves."""
    asked: list[str] = []
    said: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    context.on("console", lambda message: said.append(message.text))
    context.on("weberror", lambda error: said.append(f"error: {error.error}"))
    page = open_map(context, own)
    hosts, points = places(own)
    canvas = page.locator(".field canvas").last
    draw_round(page, canvas, points[:GROUP])
    expect(page.locator(".map")).to_have_attribute("data-selected", str(GROUP))
    expect(page.get_by_text(f"All {GROUP} selected hosts")).to_be_visible()
    assert page.locator(".legend .count").first.text_content() == f"{GROUP} / {len(hosts)}"
    settle(page)
    assert canvas.evaluate(COVERED) is False  # the line is gone
    page.reload()
    expect(page.locator(".map")).to_have_attribute("data-selected", str(GROUP))
    settle(page)
    lone = int(np.argmax(np.hypot(*(points - np.median(points[GROUP:], axis=0)).T)[GROUP:])) + GROUP
    page.mouse.move(*on_screen(canvas, points[lone]))
    address = str(IPv4Address(int(hosts[lone])))
    expect(page.locator(".tip")).to_contain_text(address)
    page.mouse.click(*on_screen(canvas, points[lone]))
    expect(page.locator("h1")).to_contain_text(re.compile(f"Inspect host|{re.escape(address)}"))
    expect(page).to_have_url(re.compile(re.escape(address)))
    outside = [each for each in asked if not each.startswith((own.url, "data:", "blob:"))]
    assert outside == []
    assert not [each for each in said if "Content Security" in each or each.startswith("error")]


def ring_round(page: Page, at: tuple[float, float], radius: float) -> np.ndarray:
    """Return the colours on a circle round a place of the screen, int (24, 3)."""
    image = np.asarray(Image.open(BytesIO(page.screenshot())).convert("RGB")).astype(int)
    turns = np.arange(24) * 2 * np.pi / 24
    columns = np.rint(at[0] - 0.5 + radius * np.cos(turns)).astype(int)
    rows = np.rint(at[1] - 0.5 + radius * np.sin(turns)).astype(int)
    return image[rows, columns]


def darkness(colours: np.ndarray, text: np.ndarray, background: np.ndarray) -> float:
    """Return how near some colours are to that of the text: 1 for it, 0 for the background."""
    span = text - background
    return float(np.mean((colours - background) @ span / (span @ span)))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_lit_host_has_a_ring_of_its_own(own: Server, browser: Browser, scheme: str) -> None:
    """Apart from the mark by a gap, in light and dark; selected it has its edge as well."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 1000}, color_scheme="dark" if scheme == "dark" else None
    )
    page = open_map(context, own)
    hosts, points = places(own)
    lone = int(np.argmax(np.hypot(*(points - np.median(points[GROUP:], axis=0)).T)[GROUP:])) + GROUP
    page.get_by_placeholder("address, prefix, label, port").fill(str(IPv4Address(int(hosts[lone]))))
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 host lit up")).to_be_visible()
    settle(page)
    styles = "e => { const s = getComputedStyle(e); return [s.getPropertyValue('--st-text-color'),"
    styles += " s.getPropertyValue('--st-background-color')]; }"
    named = page.locator(".map").evaluate(styles)
    text, background = (np.array([int(n[i : i + 2], 16) for i in (1, 3, 5)]) for n in named)
    canvas = page.locator(".field canvas").last
    canvas.scroll_into_view_if_needed()

    def parts() -> list[float]:
        at = on_screen(canvas, points[lone])
        return [darkness(ring_round(page, at, r), text, background) for r in (8.0, 6.0)]

    ring, gap = parts()
    assert ring > 0.6
    assert gap < 0.4
    page.get_by_role("button", name="Select", exact=True).click()
    expect(page.locator(".map")).to_have_attribute("data-selected", "1")
    settle(page)
    canvas.scroll_into_view_if_needed()
    ring, gap = parts()
    edge = darkness(ring_round(page, on_screen(canvas, points[lone]), 4.0), text, background)
    assert ring > 0.6
    assert gap < 0.4
    assert edge > 0.6
    context.close()


def test_trails_are_drawn_and_named(own: Server, context: BrowserContext) -> None:
    """Lines on the map, a table of whose they are below it, and no error in the browser."""
    said: list[str] = []
    context.on("weberror", lambda error: said.append(str(error.error)))
    page = open_map(context, own)
    _, points = places(own)
    canvas = page.locator(".field canvas").last
    draw_round(page, canvas, points[:GROUP])
    expect(page.locator(".map")).to_have_attribute("data-selected", str(GROUP))
    settle(page)
    page.get_by_text("Trails", exact=True).click()
    expect(page.get_by_text("Trails by number")).to_be_visible()
    settle(page)
    assert canvas.evaluate(COVERED) is True
    assert said == []


def test_two_days_side_by_side_share_one_selection(own: Server, context: BrowserContext) -> None:
    """A lasso on one selects the same hosts on both; a lasso on the other is the new selection."""
    page = open_map(context, own)
    page.get_by_role("button", name="Side by side").click()
    page.get_by_text("Another day", exact=True).click()
    expect(page.locator(".map")).to_have_count(2)
    page.keyboard.press("Escape")
    settle(page)
    (left, right) = (page.locator(".map").nth(place) for place in (0, 1))
    expect(left).to_have_attribute("data-state", "drawn")
    expect(right).to_have_attribute("data-state", "drawn")
    _, points = places(own)
    draw_round(page, left.locator("canvas").last, points[:GROUP])
    for each in (left, right):
        expect(each).to_have_attribute("data-selected", str(GROUP))
    settle(page)
    box = right.locator("canvas").last.bounding_box()
    assert box is not None
    corners = [(0.02, 0.02), (0.98, 0.02), (0.98, 0.98), (0.02, 0.98), (0.02, 0.02)]
    for step, (x, y) in enumerate(corners):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=4)
        if step == 0:
            page.mouse.down()
    page.mouse.up()
    there = len(hosts_on(Workspace(own.workspace), DAYS[-2]))
    expect(right).to_have_attribute("data-selected", str(there))
    expect(page.get_by_text(f"All {there} selected hosts")).to_be_visible()


def test_tsne_is_made_in_the_background(own: Server, context: BrowserContext) -> None:
    """The plane stays until it is there; then the group lies together and a lasso selects it."""
    page = open_map(context, own)
    page.get_by_text("t-SNE", exact=True).click()
    expect(page.get_by_text(f"{DAYS[-1]}, planted, t-SNE")).to_be_visible(timeout=90_000)
    settle(page)
    workspace = Workspace(own.workspace)
    (run,) = read_runs(workspace, archived=False)
    made = find_map(workspace, run.id, TsneSettings(), DAYS[-1])
    assert made is not None
    draw_round(page, page.locator(".field canvas").last, made.points[:GROUP])
    expect(page.locator(".map")).to_have_attribute("data-selected", str(GROUP))


def test_without_webgl_the_table_still_selects(own: Server, context: BrowserContext) -> None:
    """A plain sentence in place of the map; rows become the selection."""
    context.add_init_script(
        "const known = HTMLCanvasElement.prototype.getContext;"
        "HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {"
        " return kind.startsWith('webgl') ? null : known.call(this, kind, ...rest); };"
    )
    page = context.new_page()
    page.goto(own.login_url)
    settle(page)
    page.get_by_test_id("stSidebarNav").get_by_role("link", name="Browse embeddings").click()
    expect(page.get_by_text("This browser offers no WebGL 2")).to_be_visible()
    settle(page)
    page.get_by_role("radio", name="All", exact=True).or_(
        page.get_by_role("button", name="All", exact=True)
    ).first.click()
    settle(page)
    table = page.get_by_test_id("stDataFrame").first
    table.scroll_into_view_if_needed()
    box = table.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 16, box["y"] + 35 + 17)
    expect(page.get_by_text("1 row chosen")).to_be_visible()
    page.get_by_role("button", name="Select only these").click()
    expect(page.get_by_text("What sets these hosts apart")).to_be_visible()
