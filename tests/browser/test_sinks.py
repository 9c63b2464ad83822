"""Text of others stays text: in every sink, on every page, with the policy and without it."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from app_server import ROOT, Beacon, Server, free_port, settle, wait_for
from app_workspaces import filled_workspace
from playwright.sync_api import Browser, BrowserContext, Locator, Page

from darkgnn_core.catalogue import utc_now, write_setting
from darkgnn_core.durable import write_text
from darkgnn_core.labels.analyst import add_labels
from darkgnn_core.labels.classes import SETTING
from darkgnn_core.labels.targets import Target
from darkgnn_core.workspace import Workspace

pytestmark = pytest.mark.browser


def payloads(url: str) -> list[str]:
    """Return texts that would do something, or look like something else, if they were read."""
    return [
        f"![x]({url}/markdown)",
        f'<img src={url}/html onerror="window.__pwn=1">',
        f"<iframe srcdoc=\"<script>parent.__pwn=1;fetch('{url}/frame')</script>\"></iframe>",
        "[click](javascript:window.__pwn=1)",
        f"<style>body{{background:url({url}/style)}}</style>",
        "**bold** _it_ ~~no~~ `code` # head > quote",
        ":red[hot] :blue-badge[b] :material/home: :smile: :streamlit:",
        "$x^2$ and $$y$$ a -> b <- c <-> d -- e >= f <= g ~= h",
        f"{url}/auto www.evil.example me@evil.example",
        "=cmd|' /C calc'!A0",
        "{{7*7}} ${7*7} %s \\ &amp; &#65;",
        "10.0.0.1:8080 10.0.0.0/24 a_b_c 50% (x)!",
    ]


HIDDEN = {
    "right\u202eto left": "right<202E>to left",
    "esc\x1b[2Jape": "esc<1B>[2Jape",
    "nul\x00byte": "nul<00>byte",
    "zero\u200bwidth": "zero<200B>width",
}


@pytest.fixture
def sinks(tmp_path: Path, beacon: Beacon, browser: Browser) -> object:
    """Open the page of sinks, without our guard: no policy helps here."""
    texts = [*payloads(beacon.url), *HIDDEN, "long " + "x" * 1_000_000]
    file = tmp_path / "payloads.json"
    file.write_text(json.dumps(texts), encoding="utf-8")
    port = free_port()
    script = ROOT / "tests" / "browser" / "sinks_script.py"
    command = [sys.executable, "-m", "streamlit", "run", str(script), f"--server.port={port}"]
    environment = {"SINK_PAYLOADS": str(file), "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)}
    with (tmp_path / "log.txt").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | environment, stdout=log, stderr=log
        )
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    try:
        wait_for(lambda: is_open(page, f"http://localhost:{port}"), "the page of sinks opens")
        page.get_by_text("finished", exact=True).wait_for()
        yield page, texts
    finally:
        context.close()
        process.kill()
        process.wait()


def is_open(page: Page, url: str) -> bool:
    """Try to open an address."""
    try:
        page.goto(url)
    except Exception:
        return False
    return True


def test_v1_every_payload_is_shown_literally(sinks: tuple[Page, list[str]], beacon: Beacon) -> None:
    """In Markdown, errors, metrics, buttons, text and code; nothing is fetched, nothing runs."""
    page, texts = sinks
    expected = texts[:-1]
    for place, text in enumerate(expected):
        shown = HIDDEN.get(text, text)
        for sink in ("markdown", "error", "metric", "button", "text", "code"):
            box = page.locator(f".st-key-{sink}-{place}")
            words = re.sub(r"\s+", " ", shown)
            box.scroll_into_view_if_needed()
            wait_for(
                lambda box=box, words=words: words in drawn(box),
                f"{sink} shows {text!r} as it is",
                seconds=10,
            )
            assert box.locator("img, iframe, a, strong, em, .katex").count() == 0, f"{sink}: {text}"
        page.locator(f".st-key-metric-{place}").hover()
    assert page.locator(f".st-key-markdown-{len(expected)}").inner_text().startswith("long xxx")
    assert "1,000,005 characters" in page.locator(f".st-key-text-{len(expected)}").inner_text()
    assert beacon.hits == []
    assert page.evaluate("window.__pwn") is None


def drawn(box: Locator) -> str:
    """Return the text a reader sees, runs of spaces as one."""
    return re.sub(r"\s+", " ", box.inner_text().replace("\u2060", ""))


def hostile_workspace(folder: Path, url: str) -> Workspace:
    """Return a workspace whose file name, labels and job messages are payloads."""
    texts = payloads(url)
    workspace = filled_workspace(folder, name=f"{texts[0]} {texts[1]}.csv")
    with workspace.catalogue() as connection:
        connection.execute(
            "INSERT INTO label_source (id, name, kind, added_at, precedence) "
            "VALUES ('hostile', ?, 'csv', ?, 1)",
            (texts[2], utc_now()),
        )
        for host, text in enumerate([*texts, *HIDDEN]):
            address = (198 << 24) + (51 << 16) + (100 << 8) + host + 4
            connection.execute(
                "INSERT INTO label (source_id, first_ip, last_ip, prefix_len, label, raw_label, "
                "evidence, added_at) VALUES ('hostile', ?, ?, 32, ?, ?, ?, ?)",
                (address, address, text, text, text, utc_now()),
            )
        report = {
            "files": [
                {"name": text, "status": "failed", "code": "X", "message": text} for text in texts
            ],
            "seconds": 1.0,
        }
        connection.execute(
            "INSERT INTO job (id, kind, device, config, state, message, created_at, report) "
            "VALUES ('0' || 'hostilejob', 'load', 'workspace', '{}', 'failed', ?, ?, ?)",
            (" ".join(texts), utc_now(), json.dumps(report)),
        )
    return workspace


def hostile_trace(folder: Path, url: str) -> Path:
    """Return a CSV whose name, columns and values are payloads."""
    texts = [text.replace(",", "") for text in payloads(url)]
    path = folder / "![x](beacon) <b>.csv"
    header = ["ts", "src_ip", "image", "href", *(text.replace('"', "") for text in texts)]
    row = ["1638316800", "198.51.100.9", f"{url}/image", f"{url}/href"]
    row += [text.replace('"', "'") for text in texts]
    write_text(path, "\n".join([",".join(header)] + [",".join(row)] * 30) + "\n")
    return path


@pytest.mark.parametrize("without_policy", [False, True], ids=["V1", "V3"])
def test_no_page_lets_a_label_act(
    start: Callable[..., Server],
    browser: Browser,
    beacon: Beacon,
    tmp_path: Path,
    without_policy: bool,
) -> None:
    """Hostile labels, names, columns and messages on both pages: no request, no script, no link."""
    server = start()
    workspace = hostile_workspace(server.workspace.parent, beacon.url)
    assert workspace.root == server.workspace
    server.wait_until_ready()
    trace = hostile_trace(tmp_path, beacon.url)
    context, page, elsewhere = watched_page(browser, server, without_policy=without_policy)
    page.goto(server.login_url)
    settle(page)
    page.get_by_text("Busiest hosts of the day").wait_for()
    page.locator("[data-testid=stDataFrame] canvas").first.wait_for()
    for chart in page.locator("[data-testid=stVegaLiteChart]").all():
        chart.scroll_into_view_if_needed()
        chart.hover()
    page.goto(f"{server.url}/load-data")
    settle(page)
    page.get_by_text("Report of the last load").click()
    page.get_by_role("textbox", name="File or folder").fill(str(trace))
    page.get_by_role("textbox", name="File or folder").press("Enter")
    page.get_by_text("First lines of the file").wait_for()
    page.get_by_text("Which column is what").click()
    page.wait_for_timeout(500)
    assert_inert(page)
    assert elsewhere == []
    assert beacon.hits == []
    context.close()


def watched_page(
    browser: Browser, server: Server, *, without_policy: bool
) -> tuple[BrowserContext, Page, list[str]]:
    """Return a fresh page and the list of what it will ask of anyone but the server."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 900}, bypass_csp=without_policy
    )
    context.set_default_timeout(30_000)
    page = context.new_page()
    elsewhere: list[str] = []
    ours = (server.url, f"ws://{server.host}", "data:", "blob:")
    page.on("request", lambda r: None if r.url.startswith(ours) else elsewhere.append(r.url))
    return context, page, elsewhere


def assert_inert(page: Page) -> None:
    """Check that nothing drawn loads, links or has run; menus over the page included."""
    for place in (page.get_by_test_id("stMain"), page.locator("[data-baseweb=popover]")):
        drawn_by_text = "img, iframe, a[href^='http'], a[href^='javascript'], .katex"
        assert place.locator(drawn_by_text).count() == 0
    assert page.evaluate("window.__pwn") is None


def add_hostile_acts(workspace: Workspace, url: str) -> None:
    """Add payloads as a second opinion, as reasons of labels by hand, as names and kinds."""
    texts = payloads(url)
    first = (198 << 24) + (51 << 16) + (100 << 8) + 4
    with workspace.catalogue() as connection:
        connection.execute(
            "INSERT INTO label_source (id, name, kind, added_at, precedence, note) "
            "VALUES ('other', ?, 'csv', ?, 2, ?)",
            (texts[1], utc_now(), texts[0]),
        )
        connection.execute(
            "INSERT INTO label (source_id, first_ip, last_ip, prefix_len, label, raw_label, "
            "evidence, added_at) VALUES ('other', ?, ?, 32, ?, ?, ?, ?)",
            (first, first, texts[4], texts[4], texts[4], utc_now()),
        )
        for text in texts[:4]:
            connection.execute("INSERT INTO label_alias VALUES (?, ?)", (text.lower(), texts[5]))
        write_setting(connection, SETTING, dict.fromkeys(texts, "known"))
        target = Target(first + 1, first + 1, 32)
        add_labels(connection, [target], "mine", reason=texts[2])
        add_labels(connection, [target], "yours", reason=texts[0])


VIEWS = {
    "manage-labels": [
        "Sources", "Add lists", "Label by hand", "Conflicts", "Names", "Kinds of sender", "History",
    ],
    "manage-sources": ["Traces", "Snapshots", "Snapshot settings", "Background jobs"],
}  # fmt: skip


@pytest.mark.parametrize("without_policy", [False, True], ids=["V1", "V3"])
def test_no_view_of_labels_and_sources_lets_a_text_act(
    start: Callable[..., Server],
    browser: Browser,
    beacon: Beacon,
    tmp_path: Path,
    without_policy: bool,
) -> None:
    """Hostile labels, lists, names, reasons, files and job messages in every view of both pages."""
    texts = payloads(beacon.url)
    server = start()
    workspace = hostile_workspace(server.workspace.parent, beacon.url)
    add_hostile_acts(workspace, beacon.url)
    server.wait_until_ready()
    context, page, elsewhere = watched_page(browser, server, without_policy=without_policy)
    page.goto(server.login_url)
    settle(page)
    shown = {}
    for path, views in VIEWS.items():
        page.goto(f"{server.url}/{path}")
        settle(page)
        for view in views:
            page.get_by_test_id("stMain").get_by_role("radio", name=view, exact=True).click()
            page.wait_for_timeout(300)
            settle(page)
            open_everything(page)
            shown[view] = all_text(page)
            assert "Something went wrong" not in shown[view], view
            assert_inert(page)
    absent = [(view, at) for view, at in LITERAL if plain_text(texts[at]) not in shown[view]]
    assert not absent, [shown[view] for view, _ in absent]
    add_hostile_list(page, server, beacon.url)
    assert_inert(page)
    assert elsewhere == []
    assert beacon.hits == []
    context.close()


LITERAL = (
    ("Sources", 1),
    ("Sources", 2),
    ("Conflicts", 5),
    ("Label by hand", 0),
    ("Names", 3),
    ("Kinds of sender", 5),
    ("History", 2),
    ("Traces", 0),
    ("Background jobs", 3),
)
"""Views, and payloads by place that a reader sees there as they are."""


def open_everything(page: Page) -> None:
    """Open what is folded, look at each menu, and at tables."""
    folded = page.locator("[data-testid=stExpander] details:not([open]) > summary")
    while folded.count():
        folded.first.click()
        page.wait_for_timeout(100)
    page.wait_for_timeout(300)
    for menu in page.get_by_test_id("stMain").locator("[data-testid=stSelectbox] input").all():
        if menu.is_enabled():
            menu.click()
            page.wait_for_timeout(150)
            assert_inert(page)
            menu.press("Escape")
    for table in page.locator("[data-testid=stDataFrame]").all():
        table.scroll_into_view_if_needed()
        table.hover()
    page.wait_for_timeout(300)


def all_text(page: Page) -> str:
    """Return the words of the page, with fields and the cells that screen readers are told."""
    words = page.get_by_test_id("stMain").evaluate(
        """main => [main.innerText,
            ...[...main.querySelectorAll('[role=gridcell]')].map(cell => cell.textContent),
            ...[...main.querySelectorAll('input')].map(field => field.value)].join(' | ')"""
    )
    return plain_text(str(words))


def plain_text(text: str) -> str:
    """Return text with runs of spaces as one and without word joiners."""
    return re.sub(r"\s+", " ", text.replace("\u2060", ""))


def add_hostile_list(page: Page, server: Server, url: str) -> None:
    """Upload a list whose name and labels are payloads, look at it, and add it."""
    name = f"![x]({url.removeprefix('http://')}) <img src=x onerror=window.__pwn=1>.csv"
    fit = [text for text in payloads(url) if '"' not in text and len(text) <= 64]
    rows = [f'192.0.2.{place},"{text}"' for place, text in enumerate(fit)]
    page.goto(f"{server.url}/manage-labels")
    settle(page)
    main = page.get_by_test_id("stMain")
    main.get_by_role("radio", name="Add lists", exact=True).click()
    main.get_by_role("radio", name="Upload", exact=True).click()
    content = "\n".join(["src_ip,label", *rows]).encode()
    page.locator("input[type=file]").set_input_files(
        {"name": name, "mimeType": "text/csv", "buffer": content}
    )
    button = page.get_by_role("button", name="Add this list")
    button.wait_for()
    settle(page)
    page.wait_for_timeout(500)
    assert plain_text(name) in all_text(page)
    assert_inert(page)
    button.click()
    page.get_by_text("added").first.wait_for()
    settle(page)
