"""The sources of labels in the catalogue: add, list, order, remove, and the history."""

import hashlib
import json
import sqlite3
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from darkgnn_core.catalogue import utc_now
from darkgnn_core.errors import LabelError
from darkgnn_core.labels.aliases import read_aliases
from darkgnn_core.labels.claims import WIDEST_PREFIX, Claim, ListReport
from darkgnn_core.labels.lists import DEFAULTS, ListKind, ListOptions, read_list
from darkgnn_core.labels.reading import read_file
from darkgnn_core.labels.storing import (
    KIND_PRECEDENCE,
    insert_claims,
    precedence_of_new,
    writing,
)
from darkgnn_core.labels.texts import clean_name


@dataclass(frozen=True)
class LabelSource:
    """One source of labels.

    Attributes:
        id: Its id.
        name: What to call it: the file's name, cleaned for showing.
        kind: `analyst`, `given`, `csv`, `mirai`, `misp`, `maltrail` or `ipset`.
        sha256: Of the file's bytes; None where it is no file.
        added_at: ISO 8601, UTC.
        precedence: Its place in the order; the lowest number wins.
        note: Free text.
        report: What became of its rows (`ListReport.as_dict`, and `options`).
        labels: Claims it has now (withdrawn ones not counted).
    """

    id: str
    name: str
    kind: str
    sha256: str | None
    added_at: str
    precedence: int
    note: str
    report: dict[str, Any]
    labels: int


@dataclass(frozen=True)
class Added:
    """What adding a list did.

    Attributes:
        source_id: The source it is.
        outcome: `added`; `already`, nothing changed; `replaced`, the same bytes were read again
            with other options.
        report: What became of its rows.
    """

    source_id: str
    outcome: Literal["added", "already", "replaced"]
    report: dict[str, Any]


def add_list(
    connection: sqlite3.Connection,
    content: bytes,
    *,
    name: str,
    kind: ListKind | None = None,
    options: ListOptions = DEFAULTS,
    note: str = "",
) -> Added:
    """Read a list of labels and make it a source, whole or not at all; twice adds nothing.

    It is read in this process: for text made here. Files of others go through `add_file`.

    Args:
        connection: The catalogue.
        content: Its bytes, unpacked.
        name: Its name, for showing.
        kind: Kind of list; None tells it by content.
        options: What the analyst decided.
        note: Free text kept with it.

    Raises:
        LabelError: Whatever the readers raise; `NO-ROWS` where nothing of it could be kept,
            `WIDE` where all of it was held back.
    """
    kind, claims, report = read_list(content, name=name, kind=kind, options=options)
    return add_source(
        connection,
        name=name,
        kind=kind,
        claims=claims,
        report=report,
        sha256=hashlib.sha256(content).hexdigest(),
        options=options.as_dict(),
        note=note,
    )


def add_file(
    connection: sqlite3.Connection,
    path: Path,
    *,
    name: str = "",
    kind: ListKind | None = None,
    options: ListOptions = DEFAULTS,
    note: str = "",
) -> Added:
    """Read a file of labels in a confined process and make it a source; else as `add_list`.

    Args:
        connection: The catalogue; nothing is locked while the file is read.
        path: A regular file, plain, gzip or zstd.
        name: What to call it; its own name if empty.
        kind: Kind of list; None tells it by content.
        options: What the analyst decided.
        note: Free text kept with it.

    Raises:
        LabelError: As `reading.read_file`; `NO-ROWS`, `WIDE` as `add_list`.
    """
    read = read_file(path, name=name, kind=kind, options=options)
    return add_source(
        connection,
        name=name or path.name,
        kind=read.kind,
        claims=read.claims,
        report=read.report,
        sha256=read.sha256,
        options=options.as_dict(),
        note=note,
    )


def add_source(
    connection: sqlite3.Connection,
    *,
    name: str,
    kind: str,
    claims: Sequence[Claim],
    report: ListReport,
    sha256: str,
    options: dict[str, Any] | None = None,
    note: str = "",
) -> Added:
    """Write claims as a source, in one transaction.

    The same bytes (`sha256`) are one source for good: added again they change nothing, unless
    the options differ, which replaces its claims and keeps its place in the order.

    Raises:
        LabelError: `NO-ROWS` where there are no claims, `WIDE` where all were held back.
    """
    told = report.as_dict() | {"options": options or {}}
    if not claims:
        raise _nothing_kept(clean_name(name), report)
    with writing(connection):
        row = connection.execute(
            "SELECT id, report FROM label_source WHERE sha256 = ?", (sha256,)
        ).fetchone()
        if row is not None and json.loads(row[1])["options"] == told["options"]:
            return Added(row[0], "already", json.loads(row[1]))
        source_id = uuid.uuid4().hex if row is None else str(row[0])
        now = utc_now()
        if row is None:
            precedence = precedence_of_new(connection, kind)
            connection.execute(
                "INSERT INTO label_source (id, name, kind, sha256, added_at, precedence, note, "
                "report) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (source_id, clean_name(name), kind, sha256, now, precedence, note, _json(told)),
            )
        else:
            connection.execute("DELETE FROM label WHERE source_id = ?", (source_id,))
            connection.execute(
                "UPDATE label_source SET kind = ?, report = ? WHERE id = ?",
                (kind, _json(told), source_id),
            )
        insert_claims(connection, source_id, claims, added_at=now)
    return Added(source_id, "added" if row is None else "replaced", told)


def list_sources(connection: sqlite3.Connection) -> list[LabelSource]:
    """Return the sources in their order: the first one wins."""
    rows = connection.execute(
        "SELECT id, name, kind, sha256, added_at, precedence, note, report, (SELECT count(*) FROM "
        "label WHERE source_id = label_source.id AND withdrawn_at IS NULL) "
        "FROM label_source ORDER BY precedence, rowid"
    )
    return [_source_of(tuple(row)) for row in rows]


def set_precedence(connection: sqlite3.Connection, source_id: str, precedence: int) -> None:
    """Give one source its place in the order; the lowest number wins, equal ones are level.

    Raises:
        LabelError: `NO-SOURCE`.
    """
    with writing(connection):
        found = connection.execute(
            "UPDATE label_source SET precedence = ? WHERE id = ?", (precedence, source_id)
        )
        if not found.rowcount:
            raise _no_source(source_id)


def set_order(connection: sqlite3.Connection, source_ids: Sequence[str]) -> None:
    """Put all sources into an order, the winner first; no two stay level.

    The numbers stay near those of the kinds, so that a source added later finds its place.

    Raises:
        LabelError: `NO-SOURCE` where an id is unknown, missing or there twice.
    """
    with writing(connection):
        kinds = dict(map(tuple, connection.execute("SELECT id, kind FROM label_source")))
        for source_id in sorted(set(kinds) ^ set(source_ids)):
            raise _no_source(source_id)
        if len(set(source_ids)) != len(source_ids):
            raise LabelError("NO-SOURCE: a source is in the order twice.", code="NO-SOURCE")
        number = 0
        for source_id in source_ids:
            number = max(number + 1, KIND_PRECEDENCE[kinds[source_id]])
            connection.execute(
                "UPDATE label_source SET precedence = ? WHERE id = ?", (number, source_id)
            )


def move_source(connection: sqlite3.Connection, source_id: str, places: int) -> None:
    """Move one source up (negative) or down in the order; at an end it stays there.

    Raises:
        LabelError: `NO-SOURCE`.
    """
    with writing(connection):
        order = [source.id for source in list_sources(connection)]
        if source_id not in order:
            raise _no_source(source_id)
        place = order.index(source_id)
        order.insert(max(0, place + places), order.pop(place))
        set_order(connection, order)


def remove_source(connection: sqlite3.Connection, source_id: str) -> None:
    """Take a source and all its labels out.

    Raises:
        LabelError: `NO-SOURCE`; `ANALYST` for what analysts said: withdraw labels instead.
    """
    with writing(connection):
        row = connection.execute(
            "SELECT kind FROM label_source WHERE id = ?", (source_id,)
        ).fetchone()
        if row is None:
            raise _no_source(source_id)
        if row[0] == "analyst":
            raise LabelError(
                "ANALYST: labels that analysts gave are withdrawn one by one, so that their "
                "history stays.",
                code="ANALYST",
            )
        connection.execute("DELETE FROM label WHERE source_id = ?", (source_id,))
        connection.execute("DELETE FROM label_source WHERE id = ?", (source_id,))


def history(
    connection: sqlite3.Connection,
    *,
    address: int | None = None,
    source_id: str | None = None,
    limit: int = 1_000,
) -> list[dict[str, Any]]:
    """Return every label ever given, withdrawn ones too, the latest first.

    Args:
        connection: The catalogue.
        address: Only labels on this IPv4 address or on a prefix that holds it.
        source_id: Only labels of this source.
        limit: At most that many.

    Returns:
        Rows with the columns of `label` and `source` (the source's name) and `kind`.
    """
    cursor = connection.execute(
        "SELECT label.*, label_source.name AS source, label_source.kind AS kind FROM label "
        "JOIN label_source ON label_source.id = label.source_id "
        "WHERE (:address IS NULL OR (first_ip <= :address AND last_ip >= :address)) "
        "AND (:source_id IS NULL OR source_id = :source_id) ORDER BY label.id DESC LIMIT :limit",
        {"address": address, "source_id": source_id, "limit": limit},
    )
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, tuple(row), strict=True)) for row in cursor]


def standing_labels(
    connection: sqlite3.Connection, source_id: str, *, limit: int = 1_000
) -> list[dict[str, Any]]:
    """Return the labels of a source that were not taken back, the latest first.

    Returns:
        Rows as `history` gives them.
    """
    cursor = connection.execute(
        "SELECT label.*, label_source.name AS source, label_source.kind AS kind FROM label "
        "JOIN label_source ON label_source.id = label.source_id "
        "WHERE source_id = ? AND withdrawn_at IS NULL ORDER BY label.id DESC LIMIT ?",
        (source_id, limit),
    )
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, tuple(row), strict=True)) for row in cursor]


def _nothing_kept(name: str, report: ListReport) -> LabelError:
    if report.wide:
        prefixes = ", ".join(prefix for prefix, _ in report.wide[:5])
        return LabelError(
            f"{name}: WIDE: nothing of it was added: {report.skipped['wide_prefix']:,} prefixes "
            f"are wider than /{WIDEST_PREFIX} ({prefixes}) and need an explicit yes.",
            code="WIDE",
        )
    why = ", ".join(f"{count:,} {reason}" for reason, count in report.skipped.items())
    message = f"{name}: NO-ROWS: nothing of it could be kept ({why or 'no rows'})."
    return LabelError(message, code="NO-ROWS")


def _source_of(row: tuple[Any, ...]) -> LabelSource:
    source_id, name, kind, sha256, added_at, precedence, note, report, labels = row
    told = json.loads(report or "{}")
    return LabelSource(
        source_id, name, kind, sha256, added_at, precedence, note or "", told, labels
    )


def labels_by_arrival(connection: sqlite3.Connection) -> tuple[str, ...]:
    """Return the labels that stand, aliases followed, in the order they first came.

    Colours go by it (`charts.class_colours`): one more label leaves those of the others alone.
    """
    aliases = read_aliases(connection)
    rows = connection.execute(
        "SELECT label FROM label GROUP BY label HAVING sum(withdrawn_at IS NULL) ORDER BY min(id)"
    )
    return tuple(dict.fromkeys(aliases.get(row[0], row[0]) for row in rows))


def state_of(connection: sqlite3.Connection) -> str:
    """Return 12 hex digits that change whenever any label would resolve otherwise.

    For caches: labels, withdrawals, sources and their order, aliases and classes all count.
    """
    queries = (
        "SELECT count(*), max(id), max(added_at), sum(first_ip) FROM label",
        "SELECT id FROM label WHERE withdrawn_at IS NOT NULL ORDER BY id",
        "SELECT id, precedence, report FROM label_source ORDER BY rowid",
        "SELECT alias, label FROM label_alias ORDER BY alias",
        "SELECT value FROM setting WHERE name = 'label_classes'",
    )
    rows = [list(map(tuple, connection.execute(query))) for query in queries]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:12]


def _no_source(source_id: str) -> LabelError:
    return LabelError(f"NO-SOURCE: there is no source {source_id[:40]!r}.", code="NO-SOURCE")


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, sort_keys=True)
