"""Training as an analyst does it: click, watch, reload, cancel, go on, in a real Chromium."""

import re
import time
from collections.abc import Callable

import pytest
from app_server import Server, settle, wait_for
from app_workspaces import filled_workspace
from playwright.sync_api import BrowserContext, Page, WebSocket, expect

from darkgnn_core.run_config import RunConfig
from darkgnn_core.runs import create_runs, find_run, list_runs
from darkgnn_core.workspace import Workspace, open_workspace

pytestmark = pytest.mark.browser
ROW_PIXELS = 35


@pytest.fixture
def own(start: Callable[..., Server]) -> Server:
    """A server over a workspace of three days."""
    server = start().wait_until_ready()
    filled_workspace(server.workspace.parent)
    return server


def workspace_of(server: Server) -> Workspace:
    """Open the server's workspace from outside."""
    return open_workspace(server.workspace)


def open_training(context: BrowserContext, server: Server) -> Page:
    """Log in and go to Train models."""
    page = context.new_page()
    page.goto(server.login_url)
    settle(page)
    page.get_by_test_id("stSidebarNav").get_by_role("link", name="Train models").click()
    expect(page.locator("h1")).to_have_text("Train models")
    expect(page.get_by_role("button", name="Start", exact=True)).to_be_visible()
    settle(page)
    return page


def choose(page: Page, label: str, option: str) -> None:
    """Choose an option of a select box."""
    box = page.get_by_role("combobox", name=re.compile(f"{label}|{re.escape(label)}"))
    box.first.click()
    page.get_by_role("option", name=option, exact=True).click()
    settle(page)


def stop_requested(server: Server) -> bool:
    """Say whether anybody asked a job to stop."""
    with workspace_of(server).catalogue() as connection:
        return connection.execute("SELECT MAX(stop_requested) FROM job").fetchone()[0] == 1


def test_a_run_is_started_by_clicks_and_outlives_the_tab(
    own: Server, context: BrowserContext
) -> None:
    """Method, start, reload, done; the address is a link; a second tab and a new one show it."""
    page = open_training(context, own)
    choose(page, "Method", "The 37 columns as they are")
    expect(page.get_by_text("The bar that every trained method must clear.")).to_be_visible()
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_text("Started.")).to_be_visible()
    wait_for(lambda: len(list_runs(workspace_of(own))) == 1, "the run is there")
    [run] = list_runs(workspace_of(own))
    expect(page).to_have_url(re.compile(f"run={run.id}"))
    page.reload()
    settle(page)
    expect(page.get_by_text(re.compile("The 37 columns as they are: done"))).to_be_visible()
    expect(page.get_by_text("3 days, 2021-12-01 to 2021-12-04")).to_be_visible()
    made = find_run(workspace_of(own), run.id)
    assert made.state == "done"
    assert len(made.days) == 3
    address = page.url
    page.close()
    second = context.new_page()
    second.goto(address)
    settle(second)
    expect(second.get_by_text(re.compile("The 37 columns as they are: done"))).to_be_visible()


def test_a_run_is_cancelled_at_once_and_resumed(own: Server, context: BrowserContext) -> None:
    """A network at work is ended by a click, said so, and goes on to its end by another."""
    page = open_training(context, own)
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_text("You may close this page or use others")).to_be_visible()
    [run] = list_runs(workspace_of(own))
    wait_for(lambda: find_run(workspace_of(own), run.id).state == "running", "it runs")
    page.get_by_role("button", name="Cancel").click()
    wait_for(lambda: stop_requested(own), "the click has arrived")
    before = time.monotonic()
    wait_for(lambda: not find_run(workspace_of(own), run.id).is_active, "it has ended")
    assert time.monotonic() - before < 2.5, "two seconds, and half a one to look"
    assert find_run(workspace_of(own), run.id).state == "cancelled"
    expect(page.get_by_text("You cancelled it.")).to_be_visible()
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_text(re.compile("i-GCN-GRU: done"))).to_be_visible(timeout=60_000)
    loss = page.get_by_text("Loss (lower is better)")
    expect(loss).to_have_count(1)  # the old one is gone when the new one stands
    expect(loss).to_be_visible()
    expect(page.locator("[data-testid=stVegaLiteChart] .marks")).to_have_count(2)
    assert len(find_run(workspace_of(own), run.id).days) == 3


def test_a_row_of_the_list_opens_its_run(own: Server, context: BrowserContext) -> None:
    """A click on the second row shows the older run, and its address stands above."""
    workspace = workspace_of(own)
    older, newer = (
        create_runs(workspace, [RunConfig.of("features", days=days)], name=f"{days} days")[0]
        for days in (2, 3)
    )
    wait_for(lambda: not any(run.is_active for run in list_runs(workspace)), "both have ended")
    page = open_training(context, own)
    page.get_by_text("Runs", exact=True).click()
    expect(page.locator("h3").get_by_text("3 days")).to_be_visible()
    expect(page).to_have_url(re.compile(f"run={newer}"))
    table = page.get_by_test_id("stDataFrame").first.bounding_box()
    assert table is not None
    page.mouse.click(table["x"] + 16, table["y"] + 2.5 * ROW_PIXELS)
    expect(page.locator("h3").get_by_text("2 days")).to_be_visible()
    expect(page).to_have_url(re.compile(f"run={older}"))


def test_polling_ends_with_the_last_run(own: Server, context: BrowserContext) -> None:
    """While a run is active the page asks every two seconds; then it asks for nothing more."""
    asked: list[float] = []
    context.on("page", lambda page: page.on("websocket", lambda socket: _note(socket, asked)))
    page = open_training(context, own)
    choose(page, "Method", "The 37 columns as they are")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_text(re.compile("as they are: done"))).to_be_visible()
    settle(page)
    wait_for(lambda: time.monotonic() - asked[-1] > 5, "nothing is asked for five seconds")


def _note(socket: WebSocket, asked: list[float]) -> None:
    socket.on("framesent", lambda _: asked.append(time.monotonic()))
