"""The command line: right counts, exit codes, JSON for machines, no traceback for people."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from darkgnn_core.cli.main import main
from tests.made_traces import DAY_S, Made, write_log, write_long_log


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Give a log of two hosts on two days."""
    packets = [Made(index, "192.0.2.1", 22) for index in range(6)]
    packets += [Made(DAY_S + index, "192.0.2.2", 23) for index in range(3)]
    return write_log(tmp_path / "a.log.gz", packets)


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, dict[str, Any]]:
    """Run a command with `--json`; return its exit code and document."""
    code = main([*map(str, words), "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_ingest_counts_and_keeps_its_settings(
    capsys: pytest.CaptureFixture[str], log: Path, tmp_path: Path
) -> None:
    """Files, packets and snapshots are told; settings given once are used by the next command."""
    code, told = run(capsys, "ingest", log, "--workspace", tmp_path / "w", "--min-packets", 4)
    assert code == 0
    assert told["packets"] == 9
    assert told["files"][0]["status"] == "loaded"
    assert told["snapshots"]["built"] == 1
    assert "fewer than 4 packets" in told["snapshots"]["empty"]["2021-12-02"]
    _, listed = run(capsys, "snapshots", "list", "--workspace", tmp_path / "w")
    assert [row["hosts"] for row in listed["snapshots"]] == [1, 0]


def test_a_failed_file_gives_exit_code_four(
    capsys: pytest.CaptureFixture[str], log: Path, tmp_path: Path
) -> None:
    """The good file is loaded, the empty one named."""
    empty = tmp_path / "empty.log"
    empty.touch()
    code, told = run(capsys, "ingest", log, empty, "--workspace", tmp_path / "w")
    assert code == 4
    assert [row["status"] for row in told["files"]] == ["loaded", "failed"]


def test_an_expected_error_gives_exit_code_three_and_no_traceback(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A missing file is told in one line on stderr, or as JSON."""
    words = ["ingest", str(tmp_path / "absent"), "--workspace", str(tmp_path / "w")]
    assert main(words) == 3
    heard = capsys.readouterr()
    assert "NO-SUCH-FILE" in heard.err
    assert "Traceback" not in heard.err
    code, told = run(capsys, *words)
    assert (code, told["error"]["code"]) == (3, "NO-SUCH-FILE")
    code, told = run(capsys, "report", "--workspace", tmp_path / "nowhere")
    assert (code, told["error"]["code"]) == (3, "NO-WORKSPACE")


def test_labels_can_be_added_listed_weighed_and_disputed(
    capsys: pytest.CaptureFixture[str], log: Path, tmp_path: Path
) -> None:
    """Two lists that disagree on one seen host: one conflict, the first source of equals wins."""
    workspace = tmp_path / "w"
    main(["ingest", str(log), "--workspace", str(workspace), "--min-packets", "1"])
    capsys.readouterr()
    for name, label in (("one", "censys"), ("two", "shodan")):
        path = tmp_path / f"{name}.csv"
        path.write_text(f"src_ip,label\n192.0.2.1,{label}\n", encoding="utf-8")
        code, told = run(capsys, "labels", "add", path, "--workspace", workspace)
        assert (code, told["added"][0]["kept"]) == (0, 1)
    _, told = run(capsys, "labels", "conflicts", "--seen", "--workspace", workspace)
    assert [(row["prefix"], row["label"]) for row in told["conflicts"]] == [("192.0.2.1", "censys")]
    _, told = run(capsys, "labels", "list", "--workspace", workspace)
    csv_ids = [row["id"] for row in told["sources"] if row["kind"] == "csv"]
    others = [row["id"] for row in told["sources"] if row["kind"] != "csv"]
    run(capsys, "labels", "order", csv_ids[1], csv_ids[0], *others, "--workspace", workspace)
    _, told = run(capsys, "labels", "coverage", "--workspace", workspace)
    assert (told["hosts"], told["labelled"]) == (2, 1)
    assert [row["label"] for row in told["coverage"] if row["won"]] == ["shodan"]
    _, told = run(
        capsys, "labels", "aliases", "--set", "shodan.io", "shodan", "--workspace", workspace
    )
    assert any(row["origin"] == "edited" for row in told["aliases"])


def test_a_snapshot_and_the_report_can_be_shown(
    capsys: pytest.CaptureFixture[str], log: Path, tmp_path: Path
) -> None:
    """`snapshots show` and `report` print the counts, as tables and as JSON."""
    workspace = tmp_path / "w"
    main(["ingest", str(log), "--workspace", str(workspace), "--min-packets", "1"])
    capsys.readouterr()
    _, told = run(capsys, "snapshots", "show", "2021-12-01", "--workspace", workspace)
    assert told["summary"]["kept"] == 6
    assert told["hosts"] == [{"host": "192.0.2.1", "packets": 6, "ports": 1, "dark_addresses": 1}]
    assert main(["report", "--workspace", str(workspace)]) == 0
    shown = capsys.readouterr().out
    assert "2021-12-02" in shown
    assert "unknown" in shown
    code, told = run(capsys, "snapshots", "show", "2020-01-01", "--workspace", workspace)
    assert (code, told["error"]["code"]) == (3, "NO-SNAPSHOT")


def test_a_source_can_be_removed(
    capsys: pytest.CaptureFixture[str], log: Path, tmp_path: Path
) -> None:
    """Removed by its id, it takes its snapshots along; a wrong id is refused."""
    workspace = tmp_path / "w"
    main(["ingest", str(log), "--workspace", str(workspace), "--min-packets", "1"])
    capsys.readouterr()
    _, told = run(capsys, "sources", "list", "--workspace", workspace)
    [source] = told["sources"]
    code, told = run(capsys, "sources", "remove", "no-such-id", "--workspace", workspace)
    assert (code, told["error"]["code"]) == (3, "NO-SOURCE")
    _, told = run(capsys, "sources", "remove", source["id"], "--workspace", workspace)
    assert told["sources"] == []
    _, told = run(capsys, "snapshots", "list", "--workspace", workspace)
    assert told["snapshots"] == []


def test_hostile_names_do_not_reach_the_terminal(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """An escape sequence in a file's name is printed as a replacement character."""
    path = tmp_path / "a\x1b[31mred.log"
    path.write_bytes(b"")
    assert main(["ingest", str(path), "--workspace", str(tmp_path / "w")]) == 4
    heard = capsys.readouterr()
    assert "\x1b" not in heard.out + heard.err


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_ctrl_c_stops_soundly_and_the_command_goes_on_later(tmp_path: Path) -> None:
    """SIGINT in the middle of reading: exit code 130, nothing half, and again to the end."""
    path = write_long_log(tmp_path / "long.log.gz", rows=2_000_000)
    workspace = tmp_path / "w"
    command = [sys.executable, "-m", "darkgnn_core", "ingest", str(path), "--json"]
    command += ["--workspace", str(workspace)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        deadline = time.monotonic() + 60
        while not list(workspace.glob("packets/.partial-*/*.parquet")):
            assert time.monotonic() < deadline, "it did not begin to read"
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGINT)
        heard, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert json.loads(heard)["stopped"] is True
    assert list((workspace / "packets").iterdir()) == []
    done = subprocess.run(command, capture_output=True, check=True)
    assert json.loads(done.stdout)["packets"] == 2_000_000
