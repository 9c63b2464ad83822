"""Notes that analysts write on hosts, sets, ports and days: plain text, nothing overwritten."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

from darkgnn_core.catalogue import transaction, utc_now
from darkgnn_core.errors import ConfigError, LabelError, WorkspaceError, visible
from darkgnn_core.labels.targets import BadTarget, parse_target, prefix_text
from darkgnn_core.labels.texts import parse_day, shown
from darkgnn_core.workspace import Workspace

NoteKind = Literal["host", "set", "port", "day"]
NOTE_KINDS: tuple[NoteKind, ...] = get_args(NoteKind)
TEXT_CHARACTERS = 10_000


@dataclass(frozen=True)
class Note:
    """One note; a changed note is a new one that replaces the old.

    Attributes:
        id: Its id.
        kind: What it is about: `host`, `set`, `port` or `day`.
        subject: Which one: an address, the id of a set, a port number, or the key of a bin.
        text: Plain text, lines ended by LF.
        day: Bin that was in view, or None.
        run_id: Run that was in view, or None.
        replaces: Id of the note it took the place of, or None.
        added_at: ISO 8601 UTC.
        withdrawn_at: When it was replaced or taken back, ISO 8601 UTC; None while it stands.
    """

    id: int
    kind: NoteKind
    subject: str
    text: str
    day: str | None
    run_id: str | None
    replaces: int | None
    added_at: str
    withdrawn_at: str | None


def add_note(
    workspace: Workspace,
    kind: NoteKind,
    subject: str,
    text: str,
    *,
    day: str | None = None,
    run_id: str | None = None,
) -> Note:
    """Write a note.

    Args:
        workspace: Where.
        kind: What it is about.
        subject: Which one: an IPv4 address, the id of a set, a port from 0 to 65535 (-1 is the
            rest), or a day, with the hour where bins are shorter.
        text: 1 to 10,000 characters; what cannot be seen is replaced, lines stay.
        day: Bin in view.
        run_id: Run in view.

    Raises:
        ConfigError: `NOTE` where the subject is none, or the text empty or too long.
    """
    kept = _checked_text(text)
    about = checked_subject(kind, subject)
    with workspace.catalogue() as connection:
        return _insert(connection, kind, about, kept, day, run_id, None)


def change_note(workspace: Workspace, note_id: int, text: str) -> Note:
    """Give a note another text; the one before stays in the history.

    Raises:
        ConfigError: `NOTE`.
        WorkspaceError: `NO-NOTE` where it does not stand.
    """
    kept = _checked_text(text)
    with workspace.catalogue() as connection, transaction(connection):
        old = _withdraw(connection, note_id)
        return _insert(connection, old.kind, old.subject, kept, old.day, old.run_id, old.id)


def withdraw_note(workspace: Workspace, note_id: int) -> None:
    """Take a note back; it stays in the history, and `restore_note` brings it back.

    Raises:
        WorkspaceError: `NO-NOTE` where it does not stand.
    """
    with workspace.catalogue() as connection, transaction(connection):
        _withdraw(connection, note_id)


def restore_note(workspace: Workspace, note_id: int) -> None:
    """Let a note stand again that was taken back or changed; what replaced it goes.

    Raises:
        WorkspaceError: `NO-NOTE` where there never was one.
    """
    with workspace.catalogue() as connection, transaction(connection):
        connection.execute(
            "UPDATE note SET withdrawn_at = ? WHERE replaces = ? AND withdrawn_at IS NULL",
            (utc_now(), note_id),
        )
        done = connection.execute("UPDATE note SET withdrawn_at = NULL WHERE id = ?", (note_id,))
        if not done.rowcount:
            raise _no_note(note_id)


def notes_on(workspace: Workspace, kind: NoteKind, subject: str) -> list[Note]:
    """Return the notes that stand on one host, set, port or day, the latest first.

    Raises:
        ConfigError: `NOTE` where the subject is none.
    """
    about = checked_subject(kind, subject)
    with workspace.catalogue() as connection:
        rows = connection.execute(
            "SELECT * FROM note WHERE kind = ? AND subject = ? AND withdrawn_at IS NULL "
            "ORDER BY id DESC",
            (kind, about),
        ).fetchall()
    return [Note(**dict(row)) for row in rows]


def list_notes(
    workspace: Workspace,
    *,
    kind: NoteKind | None = None,
    withdrawn: bool = False,
    limit: int = 1_000,
) -> list[Note]:
    """Return notes, the latest first.

    Args:
        workspace: Where they are.
        kind: Only those about this kind of thing.
        withdrawn: Also those that were changed or taken back.
        limit: At most that many.
    """
    with workspace.catalogue() as connection:
        rows = connection.execute(
            "SELECT * FROM note WHERE (:kind IS NULL OR kind = :kind) "
            "AND (:withdrawn OR withdrawn_at IS NULL) ORDER BY id DESC LIMIT :limit",
            {"kind": kind, "withdrawn": withdrawn, "limit": limit},
        ).fetchall()
    return [Note(**dict(row)) for row in rows]


def count_notes(workspace: Workspace, kind: NoteKind) -> dict[str, int]:
    """Return how many notes stand on each host, set, port or day that has any."""
    with workspace.catalogue() as connection:
        rows = connection.execute(
            "SELECT subject, count(*) FROM note WHERE kind = ? AND withdrawn_at IS NULL "
            "GROUP BY subject",
            (kind,),
        ).fetchall()
    return {str(row[0]): int(row[1]) for row in rows}


def checked_subject(kind: str, subject: str) -> str:
    """Return what a note is about as it is kept.

    Raises:
        ConfigError: `NOTE` where it is no address, set, port or day.
    """
    if kind not in _SUBJECTS:
        message = f"A note is on {', '.join(NOTE_KINDS)}, got {kind!r}."
        raise ConfigError(message, code="NOTE")
    try:
        return _SUBJECTS[kind](subject.strip())
    except (BadTarget, LabelError, ValueError) as error:
        message = f"A note on a {kind} needs {_NEEDS[kind]}, got {shown(subject)}."
        raise ConfigError(message, code="NOTE") from error


def _host(text: str) -> str:
    target = parse_target(text)
    if target.prefix_len != 32:
        raise ValueError(text)
    return prefix_text(target.first_ip, 32)


def _set(text: str) -> str:
    if not (text.isascii() and text.isalnum() and len(text) <= 40):
        raise ValueError(text)
    return text


def _port(text: str) -> str:
    if not -1 <= int(text) <= 65_535:
        raise ValueError(text)
    return str(int(text))


def _day(text: str) -> str:
    if len(text) > 40 or not text.isprintable():
        raise ValueError(text)
    parse_day(text[:10])
    return text


_SUBJECTS: dict[str, Callable[[str], str]] = {
    "host": _host,
    "set": _set,
    "port": _port,
    "day": _day,
}
_NEEDS = {
    "host": "one IPv4 address",
    "set": "the id of a set",
    "port": "a port from 0 to 65535",
    "day": "a day such as 2021-12-01",
}


def _checked_text(text: str) -> str:
    lines = [visible(line).rstrip() for line in text.replace("\t", " ").splitlines()]
    kept = "\n".join(lines).strip("\n")
    if not 1 <= len(kept) <= TEXT_CHARACTERS:
        message = f"A note has 1 to {TEXT_CHARACTERS:,} characters, got {len(kept):,}."
        raise ConfigError(message, code="NOTE")
    return kept


def _insert(
    connection: sqlite3.Connection,
    kind: NoteKind,
    subject: str,
    text: str,
    day: str | None,
    run_id: str | None,
    replaces: int | None,
) -> Note:
    row = connection.execute(
        "INSERT INTO note (kind, subject, text, day, run_id, replaces, added_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING *",
        (kind, subject, text, day, run_id, replaces, utc_now()),
    ).fetchone()
    return Note(**dict(row))


def _withdraw(connection: sqlite3.Connection, note_id: int) -> Note:
    row = connection.execute(
        "UPDATE note SET withdrawn_at = ? WHERE id = ? AND withdrawn_at IS NULL RETURNING *",
        (utc_now(), note_id),
    ).fetchone()
    if row is None:
        raise _no_note(note_id)
    return Note(**dict(row))


def _no_note(note_id: int) -> WorkspaceError:
    return WorkspaceError(
        f"Note {note_id} does not stand: it was changed or taken back since.", code="NO-NOTE"
    )
