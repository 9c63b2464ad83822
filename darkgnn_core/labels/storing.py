"""Rows of labels in the catalogue: how claims become rows, inside one transaction."""

import sqlite3
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext

from darkgnn_core.catalogue import transaction
from darkgnn_core.labels.claims import Claim

KIND_PRECEDENCE = {
    "analyst": 100,
    "given": 150,
    "csv": 200,
    "mirai": 300,
    "misp": 400,
    "maltrail": 500,
    "ipset": 600,
}
"""Where a new source stands in the order; the lowest number wins. Source: ours.

What an analyst says beats a curated list, a list of addresses beats what packets look like, and
that beats community lists, which go out of date unseen.
"""

GIVEN_KINDS = ("analyst", "given")
"""Sources of labels that analysts gave by hand: they vote, and evaluations leave them out."""


def writing(connection: sqlite3.Connection) -> AbstractContextManager[None]:
    """Return a write transaction, or the one that the caller has already begun."""
    return nullcontext() if connection.in_transaction else transaction(connection)


def insert_claims(
    connection: sqlite3.Connection,
    source_id: str,
    claims: Iterable[Claim],
    *,
    added_at: str,
    run: str | None = None,
) -> None:
    """Write claims as rows of a source; call it inside `writing`."""
    connection.executemany(
        "INSERT INTO label (source_id, first_ip, last_ip, prefix_len, label, raw_label, day, "
        "evidence, confidence, added_at, run) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (
                source_id, claim.first_ip, claim.last_ip, claim.prefix_len, claim.label,
                claim.raw_label, claim.day, claim.evidence, claim.confidence, added_at, run,
            )
            for claim in claims
        ),
    )  # fmt: skip


def ensure_source(
    connection: sqlite3.Connection, source_id: str, name: str, kind: str, *, added_at: str
) -> None:
    """Write the row of a source that is made here (analysts, fingerprints) unless it is there."""
    connection.execute(
        "INSERT INTO label_source (id, name, kind, added_at, precedence) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (id) DO NOTHING",
        (source_id, name, kind, added_at, precedence_of_new(connection, kind)),
    )


def precedence_of_new(connection: sqlite3.Connection, kind: str) -> int:
    """Return where a new source stands: level with the last of its kind, else its kind's place."""
    row = connection.execute(
        "SELECT max(precedence) FROM label_source WHERE kind = ?", (kind,)
    ).fetchone()
    return int(KIND_PRECEDENCE[kind] if row[0] is None else row[0])
