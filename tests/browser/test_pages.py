"""The app as an analyst uses it: load, watch, cancel, look, in a real Chromium."""

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from app_server import Server, settle, wait_for
from app_workspaces import FIRST_DAY_S, HEADER, write_trace
from playwright.sync_api import BrowserContext, Page, expect

from darkgnn_core.jobs import active_job, find_job, list_jobs
from darkgnn_core.workspace import Workspace, open_workspace

pytestmark = pytest.mark.browser


@pytest.fixture
def own(start: Callable[..., Server]) -> Server:
    """A server with a workspace of its own."""
    return start().wait_until_ready()


def open_load_page(context: BrowserContext, server: Server) -> Page:
    """Log in and go to Load data."""
    page = context.new_page()
    page.goto(server.login_url)
    settle(page)
    page.get_by_test_id("stSidebarNav").get_by_role("link", name="Load data").click()
    expect(page.locator("h1")).to_have_text("Load data")
    return page


def choose_path(page: Page, path: Path) -> None:
    """Give the path of a file or folder."""
    box = page.get_by_role("textbox", name="File or folder")
    box.fill(str(path))
    box.press("Enter")


def workspace_of(server: Server) -> Workspace:
    """Open the server's workspace from outside."""
    return open_workspace(server.workspace)


def test_a_file_of_this_computer_is_loaded(
    own: Server, context: BrowserContext, tmp_path: Path
) -> None:
    """Path, preview, start, report with read = kept + skipped, and the figures on Today."""
    page = open_load_page(context, own)
    choose_path(page, write_trace(tmp_path / "trace.csv"))
    expect(page.get_by_text("First packets, as they will be loaded")).to_be_visible()
    page.get_by_role("button", name="Start loading").click()
    page.get_by_text(re.compile(r"Loaded in [\d.]+ s")).wait_for()
    main = page.get_by_test_id("stMain").inner_text()
    assert re.search(r"Read\s+510\s+Kept\s+510\s+Skipped\s+0", main), main
    page.get_by_role("link", name="Go to Today").click()
    expect(page.locator("h1")).to_have_text("Today")
    expect(page.get_by_text("No data on 2021-12-03.")).to_be_visible()
    expect(page.locator("[data-testid=stVegaLiteChart] .marks").first).to_be_visible()


def test_an_upload_is_loaded_and_leaves_nothing(
    own: Server, context: BrowserContext, tmp_path: Path
) -> None:
    """Upload, start, report under the file's own name; the copy in the inbox is gone."""
    page = open_load_page(context, own)
    page.get_by_role("radio", name="Upload").or_(
        page.get_by_text("Upload", exact=True)
    ).first.click()
    page.locator("input[type=file]").set_input_files(write_trace(tmp_path / "mine.csv"))
    expect(page.get_by_text("First packets, as they will be loaded")).to_be_visible()
    assert len(list(workspace_of(own).inbox.glob(".upload-*"))) == 1
    page.get_by_role("button", name="Start loading").click()
    page.get_by_text(re.compile(r"Loaded in [\d.]+ s")).wait_for()
    files = list_jobs(workspace_of(own))[0].report["files"]
    assert [(each["name"], each["status"]) for each in files] == [("mine.csv", "loaded")]
    assert list(workspace_of(own).inbox.iterdir()) == []


def test_a_job_is_cancelled_within_two_seconds(
    own: Server, context: BrowserContext, tmp_path: Path
) -> None:
    """Progress is shown while it runs; the button ends it, process and all."""
    big = tmp_path / "big.csv"
    with big.open("w", encoding="utf-8") as file:
        file.write(HEADER + "\n")
        for block in range(60):
            file.writelines(
                f"{FIRST_DAY_S + block * 60 + i % 60},198.51.{block}.{i % 250},40000,"
                f"192.0.2.{i % 200},{i % 5000},6,40,2,64\n"
                for i in range(100_000)
            )
    page = open_load_page(context, own)
    choose_path(page, big)
    page.get_by_role("button", name="Start loading").click()
    expect(page.get_by_text("Packets a second")).to_be_visible()
    job = active_job(workspace_of(own))
    assert job is not None
    before = time.monotonic()
    page.get_by_role("button", name="Cancel").click()
    wait_for(
        lambda: find_job(workspace_of(own), job.id).state == "cancelled", "the job is cancelled"
    )
    assert time.monotonic() - before < 2.5, "two seconds, and half a one for the click"
    expect(page.get_by_text("Cancelled. What it had finished is kept.")).to_be_visible()
    assert active_job(workspace_of(own)) is None


@pytest.mark.slow
def test_one_click_loads_the_demo(own: Server, context: BrowserContext) -> None:
    """First run: a button, progress, and a home page that says synthetic."""
    context.set_default_timeout(180_000)
    page = context.new_page()
    page.goto(own.login_url)
    settle(page)
    page.get_by_role("button", name="Load the demo").click()
    page.get_by_text(re.compile(r"Loaded in [\d.]+ s")).wait_for()
    page.get_by_role("link", name="Go to Today").click()
    expect(page.locator("h1")).to_have_text("Today", timeout=180_000)
    sidebar = page.get_by_test_id("stSidebar")
    expect(sidebar.get_by_text("Synthetic data")).to_be_visible(timeout=180_000)
    expect(page.get_by_text("Hosts, ports and packets by label")).to_be_visible(timeout=180_000)


def test_a_closed_tab_does_not_stop_a_job(
    own: Server, context: BrowserContext, tmp_path: Path
) -> None:
    """The job goes on, and whoever comes back finds its report."""
    page = open_load_page(context, own)
    choose_path(page, write_trace(tmp_path / "trace.csv"))
    page.get_by_role("button", name="Start loading").click()
    wait_for(lambda: len(list_jobs(workspace_of(own))) == 1, "the job is there")
    page.close()
    wait_for(lambda: list_jobs(workspace_of(own))[0].state == "done", "the job ends")
    page = open_load_page(context, own)
    page.get_by_text("Report of the last load").click()
    expect(page.get_by_text(re.compile(r"Loaded in [\d.]+ s"))).to_be_visible()
