"""Notes: on hosts, sets, ports and days; changed, taken back, brought back."""

from pathlib import Path

import pytest

from darkgnn_core.errors import ConfigError, WorkspaceError
from darkgnn_core.notes import (
    NOTE_KINDS,
    add_note,
    change_note,
    checked_subject,
    list_notes,
    notes_on,
    restore_note,
    withdraw_note,
)
from darkgnn_core.workspace import Workspace, open_workspace

EVIL = "<script>alert(1)</script> **[x](http://192.0.2.1)** $x$"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """An empty workspace."""
    return open_workspace(tmp_path / "w")


def test_notes_stand_on_what_they_are_about(workspace: Workspace) -> None:
    """Each kind finds its own, the latest first, in another session as well."""
    about = {"host": "192.0.2.7", "set": "abc123", "port": "23", "day": "2021-12-01"}
    for kind in NOTE_KINDS:
        add_note(workspace, kind, about[kind], f"first on {kind}")
        add_note(workspace, kind, about[kind], EVIL, day="2021-12-02", run_id="r1")
    again = open_workspace(workspace.root)
    for kind in NOTE_KINDS:
        found = notes_on(again, kind, about[kind])
        assert [note.text for note in found] == [EVIL, f"first on {kind}"]
        assert (found[0].day, found[0].run_id, found[0].subject) == (
            "2021-12-02", "r1", about[kind],
        )  # fmt: skip
    assert notes_on(again, "host", "192.0.2.8") == []
    assert [note.kind for note in list_notes(again, kind="port")] == ["port", "port"]


def test_a_changed_note_keeps_the_one_before(workspace: Workspace) -> None:
    """The new one replaces it; bringing the old one back takes the new one off."""
    old = add_note(workspace, "host", "192.0.2.7", "scans 23", day="2021-12-01")
    new = change_note(workspace, old.id, "scans 23 and 2323")
    assert (new.replaces, new.subject, new.day) == (old.id, "192.0.2.7", "2021-12-01")
    assert [note.id for note in notes_on(workspace, "host", "192.0.2.7")] == [new.id]
    with pytest.raises(WorkspaceError, match="does not stand") as caught:
        change_note(workspace, old.id, "again")
    assert caught.value.code == "NO-NOTE"
    assert len(list_notes(workspace, withdrawn=True)) == 2
    restore_note(workspace, old.id)
    assert [note.text for note in notes_on(workspace, "host", "192.0.2.7")] == ["scans 23"]


def test_a_note_is_taken_back_and_brought_back(workspace: Workspace) -> None:
    """It leaves the list and stays in the history; what never was cannot come back."""
    note = add_note(workspace, "day", "2021-12-01", "sensor restarted")
    withdraw_note(workspace, note.id)
    assert list_notes(workspace) == []
    [gone] = list_notes(workspace, withdrawn=True)
    assert gone.withdrawn_at is not None
    with pytest.raises(WorkspaceError):
        withdraw_note(workspace, note.id)
    restore_note(workspace, note.id)
    assert list_notes(workspace) == [note]
    with pytest.raises(WorkspaceError):
        restore_note(workspace, 99)


def test_lines_stay_and_what_cannot_be_seen_goes(workspace: Workspace) -> None:
    """Line ends of any kind are LF, empty lines around go, control characters are replaced."""
    note = add_note(workspace, "port", "23", "\r\n\r\none\r\n\r\ntwo\tx \x1b[31m\u202e\n")
    assert note.text == "one\n\ntwo x \ufffd[31m\ufffd"


@pytest.mark.parametrize("text", ["", " \n\t", "x" * 10_001])
def test_a_text_that_is_none_is_refused(workspace: Workspace, text: str) -> None:
    """Empty or endless; nothing is written."""
    with pytest.raises(ConfigError) as caught:
        add_note(workspace, "host", "192.0.2.7", text)
    assert caught.value.code == "NOTE"
    assert list_notes(workspace) == []


@pytest.mark.parametrize(
    ("kind", "subject"),
    [
        ("host", "192.0.2.0/24"),
        ("host", "example.org"),
        ("host", ""),
        ("set", "../x"),
        ("port", "65536"),
        ("port", "ssh"),
        ("day", "1 December"),
        ("day", "2021-13-01"),
        ("case", "1"),
    ],
)
def test_a_subject_that_is_none_is_refused(workspace: Workspace, kind: str, subject: str) -> None:
    """In words that say what is needed."""
    with pytest.raises(ConfigError, match="A note"):
        add_note(workspace, kind, subject, "text")


def test_subjects_are_kept_in_one_form() -> None:
    """A mapped address is its IPv4, a port has no zeros in front, an hour of a day stays."""
    assert checked_subject("host", " ::ffff:192.0.2.7 ") == "192.0.2.7"
    assert checked_subject("port", "0023") == "23"
    assert checked_subject("day", "2021-12-01T06") == "2021-12-01T06"
