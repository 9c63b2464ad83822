"""The analyst's day in a real Chromium, by clicks alone: from trace files to an exported table.

The traces are a small demo darknet with a planted group of hosts that no list names.
"""

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from app_server import Server, settle
from playwright.sync_api import BrowserContext, Locator, Page, expect
from test_map import browser, draw_round

from darkgnn_core.demo import CLASSES
from darkgnn_core.embeddings import read_embedding
from darkgnn_core.labels.targets import parse_target
from darkgnn_core.maps.projecting import directions, principal_plane, turned_towards
from darkgnn_core.run_store import EMBEDDINGS, directory_of
from darkgnn_core.runs import list_runs
from darkgnn_core.workspace import open_workspace
from tests.planted_traces import DAYS, GROUP, PORTS, write_traces

__all__ = ["browser"]
pytestmark = pytest.mark.browser

LAST = DAYS[-1]
HELD_OUT = GROUP[-1]
NAME, LABEL = "router worm", "routerworm"
ROW_PIXELS = 35
CHECKBOX_PIXELS = 16
LONG_MS = 180_000
"""For what trains or scores: seconds on a quiet machine."""


def go_to(page: Page, title: str) -> None:
    """Open a page by the menu."""
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=title, exact=True).click()
    expect(page.locator("h1")).to_have_text(title)
    settle(page)


def choose_view(page: Page, name: str) -> None:
    """Choose a part of the page."""
    page.get_by_test_id("stButtonGroup").get_by_text(name, exact=True).click()
    settle(page)


def pick(page: Page, box: Locator, text: str) -> None:
    """Open a list and choose by typing; only a click waits until the list stands still."""
    box.click()
    box.fill(text)
    page.get_by_role("option").filter(has_text=text).click()


def type_number(page: Page, label: str, value: int) -> None:
    """Type a number into its field."""
    field = page.get_by_label(label, exact=True)
    field.fill(str(value))
    field.press("Enter")
    settle(page)
    expect(field).to_have_value(str(value))


def saved_rows(page: Page, button: Locator) -> list[dict[str, str]]:
    """Click a button that saves a CSV; return what lies in the file."""
    with page.expect_download() as told:
        button.click()
    text = Path(told.value.path()).read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(text)))


def load(page: Page, folder: Path, packets: int) -> None:
    """From the empty first page to loaded days; every packet is accounted for."""
    page.get_by_role("link", name="Choose files").click()
    expect(page.locator("h1")).to_have_text("Load data")
    box = page.get_by_role("textbox", name="File or folder")
    box.fill(str(folder))
    box.press("Enter")
    expect(page.get_by_text("First packets, as they will be loaded")).to_be_visible()
    page.get_by_role("button", name="Start loading").click()
    expect(page.get_by_text(re.compile(r"^Loaded in "))).to_be_visible(timeout=LONG_MS)
    read = page.get_by_test_id("stMetric").filter(has_text="Read")
    expect(read).to_contain_text(f"{packets:,}")
    page.get_by_role("link", name="Go to Today").click()
    expect(page.get_by_text("Busiest hosts of the day")).to_be_visible()
    settle(page)


def train(page: Page) -> None:
    """Train a small network on the days, and see it done."""
    go_to(page, "Train models")
    type_number(page, "History (days)", 2)
    page.get_by_text("More settings", exact=True).click()
    type_number(page, "Width of the first layer", 16)
    type_number(page, "Numbers a host", 16)
    page.get_by_role("button", name="Start", exact=True).click()
    done = page.get_by_text(re.compile(r"^i-GCN-GRU, history 2.*: done"))
    expect(done).to_be_visible(timeout=LONG_MS)
    settle(page)


def group_on_map(server: Server) -> np.ndarray:
    """Return where the planted group lies on the map of the last day."""
    workspace = open_workspace(server.workspace)
    [run] = list_runs(workspace)
    folder = directory_of(workspace, run.id) / EMBEDDINGS
    first, last = (read_embedding(folder / f"{day}.parquet") for day in (DAYS[0], LAST))
    planes = [principal_plane(directions(each.vectors)) for each in (first, last)]
    points = turned_towards(planes[1], last.hosts, planes[0], first.hosts)
    return points[np.isin(last.hosts, [parse_target(each).first_ip for each in GROUP])]


def draw_group(page: Page, server: Server) -> None:
    """Draw a line round the group: its hosts are selected and no other; keep them as a set."""
    go_to(page, "Browse embeddings")
    expect(page.locator(".map")).to_have_attribute("data-state", "drawn")
    settle(page)
    draw_round(page, page.locator(".field canvas").last, group_on_map(server))
    expect(page.locator(".map")).to_have_attribute("data-selected", str(len(GROUP)))
    expect(page.get_by_text(f"All {len(GROUP)} selected hosts")).to_be_visible()
    settle(page)
    page.get_by_role("button", name="Keep as current set").click()
    sidebar = page.get_by_test_id("stSidebar")
    expect(sidebar.get_by_text(re.compile(rf"lasso.*{len(GROUP)} hosts"))).to_be_visible()
    settle(page)


def open_member(page: Page) -> str:
    """Open the first host of the table below the map; return its address."""
    table = page.get_by_test_id("stDataFrame").first
    table.scroll_into_view_if_needed()
    box = table.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + CHECKBOX_PIXELS, box["y"] + 1.5 * ROW_PIXELS)
    expect(page.get_by_text("1 row chosen")).to_be_visible()
    page.get_by_role("button", name="Open host").click()
    expect(page.locator("h1")).to_have_text("Inspect host")
    expect(page.locator("h2")).to_have_text(re.compile(r"^203\.0\.113\."))
    settle(page)
    expect(page).to_have_url(re.compile(f"day={LAST}"))  # what a reload then brings back
    return page.locator("h2").inner_text()


def reload_keeps(page: Page, *parts: str) -> None:
    """Reload the page: its address still holds these parts."""
    page.reload()
    settle(page)
    for part in (f"day={LAST}", "run=", "set=", *parts):
        expect(page).to_have_url(re.compile(re.escape(part)))


def read_evidence(page: Page, member: str) -> None:
    """All ten nearest hosts of a member are of the group, for the ports they share; a reload."""
    expect(taken_for(page)).to_contain_text("nothing known")
    card = page.get_by_text(re.compile(rf"^{re.escape(member)} and 203\.0\.113\.\d+, unknown$"))
    expect(card).to_be_visible()
    reload_keeps(page, f"host={member}")
    expect(page.locator("h2")).to_have_text(member)
    expect(card).to_be_visible()
    rows = saved_rows(page, page.get_by_role("button", name="Evidence for all neighbours as CSV"))
    assert len(rows) == 10
    assert {row["neighbour"] for row in rows} < set(GROUP) - {member}
    assert all(int(row["shared_ports"]) == len(PORTS) for row in rows)
    rarest = {port for row in rows for port in row["rarest_shared_ports"].split()}
    assert rarest == {str(port) for port in PORTS}


def taken_for(page: Page) -> Locator:
    """The box that says what the run takes the host for."""
    words = page.get_by_text("Taken for, by its neighbours", exact=True)
    return page.get_by_test_id("stVerticalBlock").filter(has=words).last


def see_in_graph(page: Page) -> None:
    """The graph around the set: its hosts, their three ports, and every edge between them."""
    go_to(page, "Explore graph")
    edges = len(GROUP) * len(PORTS)
    told = f"{len(GROUP)} hosts, {len(PORTS)} ports, {edges} edges; {LAST}."
    expect(page.get_by_text(told)).to_be_visible()
    choose_view(page, "Export")
    rows = saved_rows(page, page.get_by_role("button", name="Edges as CSV"))
    assert len(rows) == edges
    assert {row["host"] for row in rows} == set(GROUP)


def label_all_but_one(page: Page) -> None:
    """Take the held-out host out of the set, and label the hosts that are left."""
    page.get_by_test_id("stSidebar").get_by_role("button", name="Its hosts, and other").click()
    expect(page.locator("h1")).to_have_text("Cases")
    settle(page)
    choose_view(page, "New set")
    field = page.get_by_role("textbox", name="Addresses and prefixes")
    field.fill(HELD_OUT)
    field.press("Control+Enter")
    page.get_by_role("button", name="Keep as current set").click()
    sidebar = page.get_by_test_id("stSidebar")
    expect(sidebar.get_by_text(re.compile("pasted list.*: 1 host$"))).to_be_visible()
    settle(page)
    choose_view(page, "Sets")
    page.get_by_text("Combine sets", exact=True).click()
    chosen = page.get_by_role("combobox", name="Sets")
    for name in ("lasso", "pasted"):
        pick(page, chosen, name)
        settle(page)
    choose_view(page, "Hosts of the first that are in no other (difference)")
    page.get_by_role("textbox", name="Name").last.fill(NAME)
    page.get_by_role("textbox", name="Name").last.press("Enter")
    expect(page.get_by_text(f"That gives {len(GROUP) - 1} hosts.")).to_be_visible()
    page.get_by_role("button", name="Keep as current set").last.click()
    expect(sidebar.get_by_text(re.compile(f"^{NAME}: .*{len(GROUP) - 1} hosts$"))).to_be_visible()
    settle(page)
    reload_keeps(page)
    expect(sidebar.get_by_text(re.compile(f"^{NAME}: .*{len(GROUP) - 1} hosts$"))).to_be_visible()
    give_label(page)


def give_label(page: Page) -> None:
    """Label the current set on its page, in the dialog."""
    page.get_by_role("button", name=re.compile(r"^Label\b")).click()
    dialog = page.get_by_role("dialog")
    label = dialog.get_by_role("combobox", name="Label")
    pick(page, label, LABEL)
    dialog.get_by_role("textbox", name="Why").fill("Three ports of home routers, one tool.")
    dialog.get_by_role("textbox", name="Why").press("Enter")
    give = dialog.get_by_role("button", name="Give the label")
    expect(give).to_be_enabled()
    give.click()
    expect(page.get_by_text(f"Last: {len(GROUP) - 1} hosts labelled {LABEL}.")).to_be_visible()
    settle(page)


def see_prediction(page: Page, words: str) -> None:
    """Go to the held-out host by its address: no source labels it, and it is taken for this."""
    field = page.get_by_placeholder("such as 192.0.2.7")
    field.fill(HELD_OUT)
    field.press("Enter")
    expect(page.locator("h1")).to_have_text("Inspect host")
    expect(page.locator("h2")).to_have_text(HELD_OUT)
    expect(page.get_by_text("No source says who this is.")).to_be_visible()
    expect(taken_for(page)).to_contain_text(words)
    settle(page)


def review(page: Page) -> None:
    """F1 by class: every class of the ground truth, and not what was labelled by hand."""
    go_to(page, "Review metrics")
    page.get_by_role("button", name="Compute").click()
    expect(page.get_by_text("By class", exact=True)).to_be_visible(timeout=LONG_MS)
    settle(page)
    button = page.get_by_role("button", name="CSV", exact=True).first
    rows = {row["class"]: row for row in saved_rows(page, button)}
    assert len(rows) == len(CLASSES)
    assert LABEL not in rows
    assert float(rows["mirai"]["F1"]) > 0.5


def export(page: Page) -> None:
    """The group as a file: who was labelled by hand, and who was not."""
    go_to(page, "Cases")
    rows = saved_rows(page, page.get_by_role("button", name="CSV", exact=True).first)
    assert {row["address"] for row in rows} == set(GROUP) - {HELD_OUT}
    assert {row["label"] for row in rows} == {LABEL}


def test_the_analysts_day(
    start: Callable[..., Server], context: BrowserContext, tmp_path: Path
) -> None:
    """Load, train, lasso, host, evidence, graph, label, prediction, F1, files; and reloads."""
    packets = write_traces(tmp_path / "traces")
    server = start().wait_until_ready()
    page = context.new_page()
    page.goto(server.login_url)
    settle(page)
    load(page, tmp_path / "traces", packets)
    train(page)
    draw_group(page, server)
    member = open_member(page)
    read_evidence(page, member)
    see_in_graph(page)
    see_prediction(page, "nothing known")
    label_all_but_one(page)
    see_prediction(page, LABEL)
    review(page)
    export(page)
