"""The frame and the pages, run without a browser; and what they cost to import."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from app_workspaces import DAYS, HEADER, filled_workspace, trace_lines, write_trace
from streamlit.testing.v1 import AppTest

from darkgnn_core.inbox import keep_upload, list_inbox, sweep_uploads
from darkgnn_core.ingest import ingest
from darkgnn_core.jobs import list_jobs
from darkgnn_core.labels.store import add_list
from darkgnn_core.traces.mapping import to_json
from darkgnn_core.traces.reading import ColumnMapping
from darkgnn_core.workspace import Workspace, open_workspace

ROOT = Path(__file__).resolve().parents[1]
FRAME = ROOT / "pages" / "frame" / "main_frame.py"
PAGES = sorted(path.name for path in (ROOT / "pages").glob("*.py") if path.name != "__init__.py")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace of three days."""
    return filled_workspace(tmp_path_factory.mktemp("filled"))


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Open the app on a workspace, and another page of it."""
    st.cache_resource.clear()
    st.cache_data.clear()

    def go(workspace: Path, page: str | None = None) -> AppTest:
        monkeypatch.setenv("DARKGNN_WORKSPACE", str(workspace))
        app = AppTest.from_file(FRAME, default_timeout=60).run()
        if page is not None:
            app.switch_page(f"../{page}").run()
        return app

    yield go
    st.cache_resource.clear()
    st.cache_data.clear()


def test_there_are_pages() -> None:
    """The tests below cover the files that exist, by two-word names."""
    assert "today_queue.py" in PAGES
    assert all(name.count("_") == 1 for name in PAGES)


@pytest.mark.parametrize("page", PAGES)
def test_each_page_opens_on_an_empty_workspace(run: Any, tmp_path: Path, page: str) -> None:
    """No error before anything is loaded, and a title."""
    app = run(tmp_path / "new", page)
    assert not app.exception
    assert not app.error
    assert len(app.title) == 1


@pytest.mark.parametrize("page", PAGES)
def test_each_page_opens_on_a_filled_workspace(run: Any, filled: Workspace, page: str) -> None:
    """No error over real snapshots."""
    app = run(filled.root, page)
    assert not app.exception
    assert not app.error


def test_the_first_run_offers_the_demo(run: Any, tmp_path: Path) -> None:
    """One click is enough: there is a button, and nothing else to fill in."""
    app = run(tmp_path / "new")
    assert [button.label for button in app.main.button] == ["Load the demo"]


def test_today_shows_the_sensor(run: Any, filled: Workspace) -> None:
    """Figures of the latest day, the missing day, charts, and both tables."""
    app = run(filled.root)
    figures = {metric.label: metric.value for metric in app.metric}
    assert figures["Packets"] == "160"
    assert figures["Hosts"] == "20"
    assert figures["Ports"] == "5"
    assert figures["Backscatter"] == "10"
    assert any("2021-12-03" in warning.value for warning in app.warning)
    assert len(app.get("vega_lite_chart")) >= 6
    classes, hosts = (table.value for table in app.dataframe)
    assert list(classes["label"]) == ["unknown", "total"]
    assert list(classes["hosts"]) == [23, 23]
    assert len(hosts) == 20


def test_days_of_answers_alone_say_so_instead_of_empty_charts(run: Any, tmp_path: Path) -> None:
    """All packets are backscatter: they are counted by day and hour, and one sentence says why."""
    trace = tmp_path / "answers.csv"
    answers = trace_lines(0, hosts=0)
    trace.write_text("\n".join([HEADER, *answers]) + "\n", encoding="utf-8")
    workspace = open_workspace(tmp_path / "workspace")
    ingest(workspace, [trace])
    app = run(workspace.root)
    assert not app.exception
    assert {metric.label: metric.value for metric in app.metric}["Backscatter"] == str(len(answers))
    assert any("No host of any day passed the filters" in info.value for info in app.info)
    assert len(app.get("vega_lite_chart")) == 3
    assert not app.dataframe


def test_the_day_is_chosen_in_the_sidebar(run: Any, filled: Workspace) -> None:
    """All days are there, the latest first; another one changes the figures."""
    app = run(filled.root)
    day = app.sidebar.selectbox(key="day")
    assert day.options == sorted(DAYS, reverse=True)
    day.select(DAYS[0]).run()
    assert {m.label: m.value for m in app.metric}["New hosts"] == "20"


def test_a_stale_day_in_the_address_is_ignored(run: Any, filled: Workspace) -> None:
    """A link to a day that this workspace lacks opens the latest one."""
    os.environ["DARKGNN_WORKSPACE"] = str(filled.root)
    app = AppTest.from_file(FRAME, default_timeout=60)
    app.query_params["day"] = "1999-01-01"
    app.run()
    assert not app.exception
    assert app.sidebar.selectbox(key="day").value == DAYS[-1]


def test_a_folder_that_is_no_workspace_is_refused_in_words(run: Any, tmp_path: Path) -> None:
    """The message says what to do; the frame still stands."""
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("mine")
    app = run(tmp_path / "other")
    assert not app.exception
    assert "not a workspace" in app.error[0].value.replace("\\", "")


def test_a_path_is_previewed_before_it_is_loaded(run: Any, tmp_path: Path) -> None:
    """Format, size, estimate, first packets; nothing is loaded yet."""
    trace = write_trace(tmp_path / "trace.csv")
    app = run(tmp_path / "new", "load_data.py")
    app.text_input(key="load_path").input(str(trace)).run()
    assert not app.exception
    figures = {metric.label: metric.value for metric in app.metric}
    assert figures["Files"] == "1"
    assert figures["Packets, about"] == "510"
    assert app.button(key="start_loading").disabled is False
    rows = app.dataframe[1].value  # the first is the form of columns
    assert rows["source"].iloc[0] == "198.51.100.1"
    assert list_jobs(open_workspace(tmp_path / "new")) == []


def test_times_without_a_zone_need_one(run: Any, tmp_path: Path) -> None:
    """Loading waits for the choice of a time zone, and goes on with it."""
    path = tmp_path / "local.csv"
    rows = [f"2021-12-01 10:00:{i:02d},198.51.100.7,23" for i in range(20)]
    path.write_text("\n".join(["time,src_ip,dst_port", *rows]))
    app = run(tmp_path / "new", "load_data.py")
    app.text_input(key="load_path").input(str(path)).run()
    assert app.button(key="start_loading").disabled is True
    assert not app.error
    assert "Choose the zone" in app.info[0].value
    app.selectbox(key="load_timezone").select("Europe/Rome").run()
    assert app.button(key="start_loading").disabled is False
    assert str(app.dataframe[1].value["time (UTC)"].iloc[0]).startswith("2021-12-01 09:00:00")


def test_no_such_file_is_said(run: Any, tmp_path: Path) -> None:
    """A path that is not there gives a message, no traceback."""
    app = run(tmp_path / "new", "load_data.py")
    app.text_input(key="load_path").input(str(tmp_path / "none.pcap")).run()
    assert not app.exception
    assert "no such file" in app.error[0].value.replace("\\", "")


@pytest.mark.parametrize("page", PAGES)
def test_a_bug_shows_an_id_and_not_its_text(
    run: Any,
    filled: Workspace,
    page: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An unexpected error that holds an address and a path: the page shows id and kind only."""

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("192.0.2.66 \x1b[2J /home/analyst/secret")

    app = run(filled.root)
    monkeypatch.setattr("streamlit.title", broken)
    app.switch_page(f"../{page}").run()
    shown = app.error[0].value
    assert "RuntimeError" in shown
    assert "192.0.2.66" not in shown + str(app)
    error_id = shown.split("**")[1]
    assert any(error_id in record.getMessage() for record in caplog.records)
    assert not app.exception


def printed_by(tmp_path: Path, *lines: str) -> str:
    """Run lines of Python in a process of their own, with a new workspace and the app opened."""
    opened = (
        "import importlib, sys",
        "import streamlit.testing.v1 as t",
        f"app = t.AppTest.from_file({str(FRAME)!r}, default_timeout=60).run()",
    )
    done = subprocess.run(
        [sys.executable, "-c", "\n".join((*opened, *lines))],
        capture_output=True,
        text=True,
        timeout=120,
        env=os.environ | {"DARKGNN_WORKSPACE": str(tmp_path / "new"), "PYTHONPATH": str(ROOT)},
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_no_page_imports_torch(tmp_path: Path) -> None:
    """Opening any page, and what is imported ahead, loads no torch or scikit-learn: seconds."""
    found = printed_by(
        tmp_path,
        "from pages.shared.startup import modules_of_pages",
        f"for page in {PAGES!r}: app.switch_page('../' + page).run()",
        "assert not app.exception",
        "for name in modules_of_pages(): importlib.import_module(name)",
        "print([m for m in ('torch', 'torch_geometric', 'sklearn', 'scipy') if m in sys.modules])",
    )
    assert found == "[]"


def test_what_pages_import_is_imported_ahead(tmp_path: Path) -> None:
    """Once that is done, opening a page for the first time imports nothing more of ours."""
    found = printed_by(
        tmp_path,
        "from pages.shared.startup import modules_of_pages",
        "before = set(sys.modules)",
        "for name in modules_of_pages(): importlib.import_module(name)",
        "ahead = set(sys.modules)",
        f"for page in {PAGES!r}: app.switch_page('../' + page).run()",
        "late = [m for m in set(sys.modules) - ahead if m.startswith(('pages', 'darkgnn_core'))]",
        "print(len(ahead - before) > 50, late)",
    )
    assert found == "True []"


@pytest.mark.parametrize("page", PAGES)
def test_pages_stay_thin(page: str) -> None:
    """A page has no functions, no loops, and at most 80 lines."""
    source = (ROOT / "pages" / page).read_text(encoding="utf-8")
    assert len(source.splitlines()) <= 80
    kinds = (ast.FunctionDef, ast.ClassDef, ast.For, ast.While)
    assert not any(isinstance(node, kinds) for node in ast.walk(ast.parse(source)))


def test_the_inbox_hides_uploads_and_forgets_old_ones(tmp_path: Path) -> None:
    """Uploads lie under random hidden names, private, and go after a day."""
    workspace = open_workspace(tmp_path / "w")
    (workspace.inbox / "day.pcap").write_bytes(b"x")
    upload = keep_upload(workspace, b"content")
    assert list_inbox(workspace) == [workspace.inbox / "day.pcap"]
    assert upload.read_bytes() == b"content"
    assert upload.stat().st_mode & 0o077 == 0
    assert sweep_uploads(workspace) == 0
    os.utime(upload, (0, 0))
    assert sweep_uploads(workspace) == 1
    assert not upload.exists()


def test_traffic_without_snapshots_offers_to_build_them(run: Any, tmp_path: Path) -> None:
    """Changed settings: the page says what is missing, and not that nothing was loaded."""
    workspace = filled_workspace(tmp_path)
    with workspace.catalogue() as connection:
        connection.execute("DELETE FROM snapshot")
    app = run(workspace.root)
    assert [button.label for button in app.main.button] == ["Build the snapshots"]


LOCAL_ROWS = [f"{1_638_316_800 + i},198.51.100.7,23" for i in range(20)]


def write_local(folder: Path, header: str = "seen,who,dst_port") -> Path:
    """Write a table whose time and source have names that are not guessed."""
    path = folder / "local.csv"
    path.write_text("\n".join([header, *LOCAL_ROWS]) + "\n", encoding="utf-8")
    return path


def test_a_mapping_is_saved_and_used_again(run: Any, tmp_path: Path) -> None:
    """A guess can be saved; a saved mapping makes an odd table loadable, and is what is loaded."""
    app = run(tmp_path / "new", "load_data.py")
    app.text_input(key="load_path").input(str(write_trace(tmp_path / "trace.csv"))).run()
    assert app.download_button(key="save_mapping").label == "Save this mapping"
    app.text_input(key="load_path").input(str(write_local(tmp_path))).run()
    assert app.button(key="start_loading").disabled is True
    assert len(app.download_button) == 0
    columns = (("ts_ns", "seen"), ("src_ip", "who"), ("dst_port", "dst_port"))
    saved = to_json(ColumnMapping(columns)).encode()
    app.file_uploader(key="load_saved_mapping").upload("mapping.json", saved).run()
    assert not app.exception
    assert not app.error
    assert app.button(key="start_loading").disabled is False
    assert app.dataframe[1].value["source"].iloc[0] == "198.51.100.7"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xff\xfe", "it is not text"),
        (b"hello", "not JSON"),
        (b'{"columns": {"ts_ns": "ts"}}', "are needed"),
        (b'{"columns": {"ts_ns": "a<b>", "src_ip": "src_ip"}}', "there is no column a<b> here"),
    ],
)
def test_a_mapping_that_is_none_is_refused_in_words(
    run: Any, tmp_path: Path, content: bytes, words: str
) -> None:
    """A message says why; the guess stays in use."""
    app = run(tmp_path / "new", "load_data.py")
    app.text_input(key="load_path").input(str(write_trace(tmp_path / "trace.csv"))).run()
    app.file_uploader(key="load_saved_mapping").upload("mapping.json", content).run()
    assert not app.exception
    assert words in app.error[0].value.replace("\\", "")
    assert app.button(key="start_loading").disabled is False


def test_a_log_without_a_year_asks_for_one(run: Any, tmp_path: Path) -> None:
    """Empty means the latest that fits, which is said; a year given is the year of the packets."""
    line = (
        "Mar  5 01:02:03 box kernel: [UFW BLOCK] IN=eth0 OUT= SRC=192.0.2.7 DST=198.51.100.9 "
        "LEN=44 TTL=241 ID=1 PROTO=TCP SPT=4 DPT=23 WINDOW=65535 RES=0x00 SYN URGP=0\n"
    )
    path = tmp_path / "ufw.log"
    path.write_text(line * 3 + "Mar  5 01:02:04 box kernel: something else\n")
    app = run(tmp_path / "new", "load_data.py")
    app.text_input(key="load_path").input(str(path)).run()
    assert app.number_input(key="load_year").value is None
    assert "the latest that fits" in app.number_input(key="load_year").placeholder
    told = [words for table in app.dataframe[1:] for words in table.value.iloc[:, 0]]
    assert "the line has no year: the latest that fits is taken" in told
    assert "another line of the log, not about a packet" in told
    app.number_input(key="load_year").set_value(2020).run()
    assert not app.exception
    assert str(app.dataframe[0].value["time (UTC)"].iloc[0]).startswith("2020-03-05 01:02:03")
    assert app.button(key="start_loading").disabled is False


def test_what_is_hidden_is_said(run: Any, tmp_path: Path) -> None:
    """Known scanners hidden: how many, with which share of the packets; the charts change."""
    workspace = filled_workspace(tmp_path)
    with workspace.catalogue() as connection:
        add_list(connection, b"src_ip,label\n198.51.100.5,Censys\n", name="list.csv")
    app = run(workspace.root)
    assert not any("hidden" in info.value for info in app.info)
    app.toggle(key="hide_known").set_value(True).run()
    assert not app.exception
    told = next(info.value for info in app.info if "hidden" in info.value)
    assert told.startswith("1 known scanner with 5.0% of the day's packets are hidden")
    assert len(app.dataframe[1].value) == 19
