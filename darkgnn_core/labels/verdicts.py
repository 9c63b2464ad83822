"""What an analyst says to suggested labels: accepted ones become labels by hand, no is kept."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from darkgnn_core.catalogue import utc_now
from darkgnn_core.errors import LabelError
from darkgnn_core.labels.analyst import Change, add_labels
from darkgnn_core.labels.storing import writing
from darkgnn_core.labels.targets import target_of
from darkgnn_core.labels.texts import fold


@dataclass(frozen=True)
class Suggested:
    """One suggested label, as it stood when the analyst decided.

    Attributes:
        host: The address.
        label: The label.
        votes: Of the neighbours, for it.
        k: Neighbours that could vote.
    """

    host: int
    label: str
    votes: int
    k: int


def accept(
    connection: sqlite3.Connection,
    suggested: Sequence[Suggested],
    *,
    run: str | None = None,
    seen_on: str = "",
    day: str | None = None,
) -> Change:
    """Make suggested labels labels by hand, all or none; `analyst.undo` takes them back.

    How sure is the share of the votes; the reason says how many voted, on which day.

    Args:
        connection: The catalogue.
        suggested: What to accept.
        run: Id of the run whose neighbours voted.
        seen_on: Bin on which they did.
        day: UTC day that the labels are bound to; None for good.

    Raises:
        LabelError: As `analyst.add_labels`; nothing is written then.
    """
    alike: dict[tuple[str, int, int], list[int]] = defaultdict(list)
    for each in suggested:
        alike[each.label, each.votes, each.k].append(each.host)
    added: list[int] = []
    withdrawn: list[int] = []
    with writing(connection):
        for (label, votes, k), hosts in alike.items():
            change = add_labels(
                connection,
                [target_of(host) for host in hosts],
                label,
                reason=f"suggested by {votes} of its {k} nearest labelled hosts on {seen_on}",
                confidence=votes / k,
                day=day,
                run=run,
            )
            added += change.added
            withdrawn += change.withdrawn
    return Change(tuple(added), tuple(withdrawn))


def reject(
    connection: sqlite3.Connection,
    suggested: Iterable[Suggested],
    *,
    run: str = "",
    reason: str = "",
) -> tuple[int, ...]:
    """Keep that these labels do not fit these hosts: they are not suggested again, by any run.

    Returns:
        Ids, for `withdraw_rejections`.
    """
    now = utc_now()
    ids = []
    with writing(connection):
        for each in suggested:
            row = connection.execute(
                "INSERT INTO rejected_suggestion (host, label, run_id, reason, added_at) "
                "VALUES (?, ?, ?, ?, ?) RETURNING id",
                (each.host, fold(each.label), run, reason[:2_000], now),
            ).fetchone()
            ids.append(int(row[0]))
    return tuple(ids)


def withdraw_rejections(connection: sqlite3.Connection, ids: Iterable[int]) -> None:
    """Take rejections back: these labels may be suggested again.

    Raises:
        LabelError: `NO-REJECTION` where one does not stand; nothing is written then.
    """
    with writing(connection):
        for each in ids:
            done = connection.execute(
                "UPDATE rejected_suggestion SET withdrawn_at = ? "
                "WHERE id = ? AND withdrawn_at IS NULL",
                (utc_now(), each),
            )
            if not done.rowcount:
                message = f"NO-REJECTION: {each} is no standing rejection."
                raise LabelError(message, code="NO-REJECTION")


def rejected_pairs(connection: sqlite3.Connection) -> frozenset[tuple[int, str]]:
    """Return what was turned down: address and label."""
    rows = connection.execute(
        "SELECT host, label FROM rejected_suggestion WHERE withdrawn_at IS NULL"
    )
    return frozenset((int(row[0]), str(row[1])) for row in rows)


def list_rejections(connection: sqlite3.Connection, *, limit: int = 1_000) -> list[dict[str, Any]]:
    """Return what was turned down, the latest first, rows of the table."""
    rows = connection.execute(
        "SELECT * FROM rejected_suggestion WHERE withdrawn_at IS NULL ORDER BY id DESC LIMIT ?",
        (limit,),
    ).fetchall()
    return [dict(row) for row in rows]


def verdict_state(connection: sqlite3.Connection) -> str:
    """Return what changes whenever something is turned down or taken back; for caches."""
    row = connection.execute(
        "SELECT count(*), max(id), count(withdrawn_at) FROM rejected_suggestion"
    ).fetchone()
    return " ".join(map(str, tuple(row)))
