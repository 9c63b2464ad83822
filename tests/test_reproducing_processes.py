"""`reproduce` with real workers: killed and started again; the paper authors' own layout."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from darkgnn_core.cli.main import main
from darkgnn_core.runs import list_runs
from darkgnn_core.workspace import open_workspace
from tests.app_workspaces import filled_workspace
from tests.released_files import Planted, write_released
from tests.waiting import wait_for

ROWS = ("features, max", "spectral, 1 day")


def document_of(capsys: pytest.CaptureFixture[str], *words: object) -> dict[str, Any]:
    """Run a command with `--json`; return its document."""
    code = main([*map(str, words), "--json"])
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert code == 0, document
    return document


def test_a_killed_command_goes_on_where_it_stopped(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Killed while it works: the second call keeps every run there is and adds what is missing."""
    workspace = filled_workspace(tmp_path)
    words = ["reproduce", "table3", "--workspace", str(workspace.root), "--only", *ROWS]
    words += ["--presets", "as_written", "--min-class-hosts", "2", "--skip", "6 days", "rewired"]
    command = [sys.executable, "-m", "darkgnn_core", *words]
    process = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL)
    wait_for(lambda: len(list_runs(workspace)) >= 1, 60)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    before = {run.id for run in list_runs(workspace)}
    document = document_of(capsys, *words)
    lines = {line["method"]: line for line in _methods(document)}
    assert set(lines) == set(ROWS)
    runs = list_runs(workspace)
    assert len(runs) == len(ROWS)
    assert before <= {run.id for run in runs}
    assert {run.state for run in runs} == {"done"}
    again = document_of(capsys, *words)
    assert [each["macro_f1"] for each in _methods(again)] == [
        each["macro_f1"] for each in _methods(document)
    ]
    assert len(list_runs(workspace)) == len(ROWS)


def _methods(document: dict[str, Any]) -> list[dict[str, Any]]:
    [protocol] = document["table3"]["protocols"].values()
    lines: list[dict[str, Any]] = protocol["methods"]
    return lines


def released_packets() -> tuple[list[Planted], dict[str, str]]:
    """Draw four days of two kinds of senders that ask for ports of their own, and their labels."""
    packets, labels = [], {}
    for host in range(24):
        kind = host % 3
        address = f"192.0.2.{host + 1}"
        if kind:
            labels[address] = ("censys", "shodan")[kind - 1]
        for day in range(4):
            new = str(1_000 * (kind + 1) + day)  # graph files hold a pair on its first day alone
            for port in (("23", "443", "22")[kind], new):
                own = {"ttl": (40, 40, 240)[kind], "window": (1_024, 65_535, 1_024)[kind]}
                own["length"] = 44 + host // 3
                packets += [
                    Planted(day, address, port, f"198.51.100.{n + 1}", **own) for n in range(4)
                ]
    return packets, labels


@pytest.mark.parametrize("has_raw", [True, False])
def test_the_authors_own_layout_goes_through_table_3(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, *, has_raw: bool
) -> None:
    """Ingested and reproduced without a change: graphs and features alone, or packets too."""
    packets, labels = released_packets()
    folder = write_released(tmp_path / "released", packets, labels)
    if not has_raw:
        for path in (folder / "raw").iterdir():
            path.unlink()
        (folder / "raw").rmdir()
    root = tmp_path / "w"
    document_of(capsys, "ingest", folder, "--workspace", root)
    rows = ["last_label", "gradient_boosting", "features, max"]
    rows += ["i-gcn"] if has_raw else ["i-darkvec"]
    words = ["reproduce", "table3", "--workspace", root, "--min-class-hosts", 2, "--only", *rows]
    skipped = ["no features", "as_released", "gru"]
    document = document_of(capsys, *words, "--skip", *skipped, "--last-days", 2)
    lines = {line["method"]: line for line in _methods(document)}
    assert set(lines) == set(rows)
    assert lines["features, max"]["macro_f1"] > 0.9
    assert lines["gradient_boosting"]["support"] == 32
    origin = open_workspace(root, create=False).snapshot_config().origin
    assert origin == ("packets" if has_raw else "released")
    if has_raw:
        assert lines["i-gcn"]["macro_f1"] > 0.6
    else:
        assert lines["i-darkvec"]["macro_f1"] is None
        assert "packets" in lines["i-darkvec"]["note"]
        assert "layout of the paper's release" in document["table3"]["title"]
