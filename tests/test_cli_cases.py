"""The command line of what analysts keep: sets, notes, and the labels they gave."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from darkgnn_core.cli.main import main
from darkgnn_core.host_sets import find_set, list_sets, save_set
from darkgnn_core.labels.analyst import add_labels, withdraw
from darkgnn_core.labels.opinions import read_claims
from darkgnn_core.labels.store import list_sources
from darkgnn_core.labels.targets import parse_target
from darkgnn_core.notes import list_notes
from darkgnn_core.score_files import label_state
from darkgnn_core.workspace import Workspace, open_workspace

FIRST = parse_target("192.0.2.1").first_ip
PASTED = {"kind": "pasted", "entries": 4}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Give a workspace with two sets: hosts 1 to 4, and hosts 3 and 4 with a name of its own."""
    made = open_workspace(tmp_path / "w")
    save_set(made, [FIRST + each for each in range(4)], recipe=PASTED, name="all four")
    save_set(made, [FIRST + 2, FIRST + 3], recipe=PASTED, name="last two")
    return made


def run(
    capsys: pytest.CaptureFixture[str], workspace: Workspace, *words: object
) -> tuple[int, dict[str, Any]]:
    """Run a command with `--json`; return its exit code and document."""
    code = main([*map(str, words), "--workspace", str(workspace.root), "--json"])
    return code, json.loads(capsys.readouterr().out)


def said(capsys: pytest.CaptureFixture[str], workspace: Workspace, *words: object) -> str:
    """Run a command as people do; return what it printed, after it went well."""
    assert main([*map(str, words), "--workspace", str(workspace.root)]) == 0
    return capsys.readouterr().out


def rows_of(text: str) -> list[dict[str, str]]:
    """Return the rows of a CSV."""
    return list(csv.DictReader(io.StringIO(text)))


def test_sets_are_listed_and_shown(
    capsys: pytest.CaptureFixture[str], workspace: Workspace
) -> None:
    """The latest first, with how each came about; one by its name or the start of its id."""
    code, told = run(capsys, workspace, "sets", "list")
    assert code == 0
    assert [(row["name"], row["hosts"]) for row in told["sets"]] == [
        ("last two", 2),
        ("all four", 4),
    ]
    assert told["sets"][0]["how"] == "pasted list of 4 addresses and prefixes"
    by_name = run(capsys, workspace, "sets", "show", "last two")[1]
    by_id = run(capsys, workspace, "sets", "show", told["sets"][0]["id"][:8])[1]
    assert by_name == by_id
    assert [row["address"] for row in by_name["hosts"]] == ["192.0.2.3", "192.0.2.4"]


def test_a_long_set_says_what_is_not_shown(
    capsys: pytest.CaptureFixture[str], workspace: Workspace
) -> None:
    """People see twenty hosts and how many there are; machines see all."""
    save_set(workspace, range(FIRST, FIRST + 30), recipe=PASTED, name="thirty")
    assert "Showing 20 of 30" in said(capsys, workspace, "sets", "show", "thirty")
    assert len(run(capsys, workspace, "sets", "show", "thirty")[1]["hosts"]) == 30


def test_a_set_is_written_as_csv(
    capsys: pytest.CaptureFixture[str], workspace: Workspace, tmp_path: Path
) -> None:
    """To the terminal and a file alike, with labels; what a spreadsheet would run is harmless."""
    with workspace.catalogue() as connection:
        add_labels(connection, [parse_target("192.0.2.3")], "=1+1")
    rows = rows_of(said(capsys, workspace, "sets", "export", "last two"))
    assert [(row["address"], row["label"]) for row in rows] == [
        ("192.0.2.3", "'=1+1"),
        ("192.0.2.4", "unknown"),
    ]
    out = tmp_path / "out.csv"
    said(capsys, workspace, "sets", "export", "last two", "--out", out)
    assert rows_of(out.read_text()) == rows
    code, told = run(
        capsys, workspace, "sets", "export", "last two", "--out", tmp_path / "no" / "o"
    )
    assert (code, told["error"]["code"]) == (3, "OUT")


def test_labels_of_a_day_are_written_as_of_that_day(
    capsys: pytest.CaptureFixture[str], workspace: Workspace
) -> None:
    """A label bound to another day does not count."""
    with workspace.catalogue() as connection:
        add_labels(connection, [parse_target("192.0.2.3")], "worm", day="2021-12-01")
    for day, label in (("2021-12-01", "worm"), ("2021-12-02", "unknown")):
        told = run(capsys, workspace, "sets", "export", "last two", "--day", day)[1]
        assert told["hosts"][0]["label"] == label


@pytest.mark.parametrize(
    ("operation", "last_octets"),
    [("union", [1, 2, 3, 4]), ("intersection", [3, 4]), ("difference", [1, 2])],
)
def test_sets_are_combined(
    capsys: pytest.CaptureFixture[str],
    workspace: Workspace,
    operation: str,
    last_octets: list[int],
) -> None:
    """The new set has the right hosts, its name, and a recipe that names the others."""
    words = ("sets", "combine", operation, "all four", "last two", "--name", "made")
    code, told = run(capsys, workspace, *words)
    assert code == 0
    made = find_set(workspace, told["set"]["id"])
    assert [int(host) - FIRST + 1 for host in made.hosts] == last_octets
    assert made.name == "made"
    assert "all four" in made.words


def test_a_set_is_deleted_and_brought_back(
    capsys: pytest.CaptureFixture[str], workspace: Workspace
) -> None:
    """It leaves the list and comes back with its hosts."""
    said(capsys, workspace, "sets", "delete", "last two")
    assert [each.name for each in list_sets(workspace)] == ["all four"]
    said(capsys, workspace, "sets", "restore", "last two")
    assert [each.name for each in list_sets(workspace)] == ["last two", "all four"]


def test_a_set_that_is_not_there_or_not_told_apart_is_refused(
    capsys: pytest.CaptureFixture[str], workspace: Workspace
) -> None:
    """Exit code 3 with a reason; nothing is deleted."""
    save_set(workspace, [FIRST], recipe=PASTED, name="all four")
    for word, reason in (("none", "NO-SET"), ("all four", "AMBIGUOUS"), ("", "NO-SET")):
        code, told = run(capsys, workspace, "sets", "delete", word)
        assert (code, told["error"]["code"]) == (3, reason)
    assert len(list_sets(workspace)) == 3


def test_notes_are_written_listed_and_taken_back(
    capsys: pytest.CaptureFixture[str], workspace: Workspace
) -> None:
    """On a host, a port and a set by its name; one taken back is in the history alone."""
    for kind, subject in (("host", "192.0.2.1"), ("port", "7547"), ("set", "last two")):
        code, told = run(capsys, workspace, "notes", "add", kind, subject, f"On a {kind}.")
        assert (code, told["note"]["kind"]) == (0, kind)
    [latest, *_] = list_notes(workspace)
    assert latest.subject == list_sets(workspace)[0].id
    said(capsys, workspace, "notes", "delete", latest.id)
    texts = [row["text"] for row in run(capsys, workspace, "notes", "list")[1]["notes"]]
    assert texts == ["On a port.", "On a host."]
    everything = run(capsys, workspace, "notes", "list", "--all")[1]["notes"]
    assert [bool(row["taken_back_at"]) for row in everything] == [True, False, False]
    words = ("notes", "list", "--kind", "port", "--subject", "7547")
    assert [row["text"] for row in run(capsys, workspace, *words)[1]["notes"]] == ["On a port."]


def test_a_note_on_nothing_is_refused(
    capsys: pytest.CaptureFixture[str], workspace: Workspace
) -> None:
    """No address, an empty text, a note that does not stand, a subject without its kind."""
    for words, reason in (
        (("add", "host", "nonsense", "x"), "NOTE"),
        (("add", "host", "192.0.2.1", " \n"), "NOTE"),
        (("delete", 99), "NO-NOTE"),
        (("list", "--subject", "7547"), "NOTE"),
    ):
        code, told = run(capsys, workspace, "notes", *words)
        assert (code, told["error"]["code"]) == (3, reason), words
    assert list_notes(workspace) == []


def test_labels_given_by_hand_are_written_and_read_elsewhere(
    capsys: pytest.CaptureFixture[str], workspace: Workspace, tmp_path: Path
) -> None:
    """Those that stand, with reason, day and confidence; another workspace takes them as a list."""
    with workspace.catalogue() as connection:
        add_labels(
            connection, [parse_target("192.0.2.1")], "worm", reason="Three ports.", confidence=0.75
        )
        add_labels(connection, [parse_target("198.51.100.0/24")], "scanner", day="2021-12-01")
        gone = add_labels(connection, [parse_target("192.0.2.9")], "mistake")
        withdraw(connection, gone.added)
    out = tmp_path / "given.csv"
    said(capsys, workspace, "labels", "export", "--out", out)
    rows = [list(row.values())[:5] for row in rows_of(out.read_text())]
    assert rows == [
        ["192.0.2.1", "worm", "", "Three ports.", "0.75"],
        ["198.51.100.0/24", "scanner", "2021-12-01", "", ""],
    ]
    told = run(capsys, workspace, "labels", "export")[1]
    assert [row["confidence"] for row in told["labels"]] == [0.75, None]
    other = open_workspace(tmp_path / "other")
    code, told = run(capsys, other, "labels", "add", out)
    assert (code, told["added"][0]["kept"]) == (0, 2)


def test_labels_given_by_hand_do_not_become_ground_truth_by_a_file(
    capsys: pytest.CaptureFixture[str], workspace: Workspace, tmp_path: Path
) -> None:
    """Written out and added again as a list, they are still left out of evaluations."""
    with workspace.catalogue() as connection:
        add_labels(connection, [parse_target("192.0.2.1")], "worm")
    before = label_state(workspace)
    out = tmp_path / "given.csv"
    said(capsys, workspace, "labels", "export", "--out", out)
    run(capsys, workspace, "labels", "add", out)
    assert label_state(workspace) == before
    with workspace.catalogue() as connection:
        assert "given" in {source.kind for source in list_sources(connection)}
        assert "worm" not in read_claims(connection, counts_analysts=False).names
        assert "worm" in read_claims(connection).names


def test_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    """`sets --help` and `notes --help` show whole commands."""
    for name in ("sets", "notes"):
        with pytest.raises(SystemExit) as told:
            main([name, "--help"])
        assert told.value.code == 0
        assert f"python -m darkgnn_core {name} list" in capsys.readouterr().out
