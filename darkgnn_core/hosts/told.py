"""Who says what of a host: every standing label on its address or a prefix, and which one wins."""

import sqlite3
from dataclasses import dataclass

import numpy as np
import pandas as pd

from darkgnn_core.labels.opinions import ClaimTable, SourceName, opinions_on
from darkgnn_core.labels.resolving import resolved_from
from darkgnn_core.labels.targets import prefix_text
from darkgnn_core.labels.texts import UNKNOWN

COLUMNS = ["label", "wins", "source", "kind", "target", "day", "evidence", "confidence", "run"]

_FACTS = """SELECT id, day, evidence, confidence, run FROM label
    WHERE first_ip <= $host AND last_ip >= $host AND withdrawn_at IS NULL"""


@dataclass(frozen=True, eq=False)
class ToldOf:
    """What sources say of a host on a day.

    Attributes:
        label: The label that wins; `unknown` where there is none.
        source: The source that gives it; None where there is none.
        claims: One row a source that has an opinion (`COLUMNS`), the winner first; `wins` is bool,
            `target` the address or prefix it speaks of, `day` empty where it is bound to none.
    """

    label: str
    source: SourceName | None
    claims: pd.DataFrame


def told_of(connection: sqlite3.Connection, table: ClaimTable, host: int) -> ToldOf:
    """Return what sources say of a host.

    Args:
        connection: The catalogue.
        table: The claims that count, as `labels.opinions.read_claims` gives them for a day.
        host: Its address.
    """
    target = np.array([host], np.uint32)
    opinions = opinions_on(table, target)
    resolved = resolved_from(table, target, opinions)
    facts = {row["id"]: row for row in connection.execute(_FACTS, {"host": host})}
    winner = int(resolved.claim_ids[0])
    rows = []
    for claim in opinions.claim.tolist():
        claim_id = int(table.ids[claim])
        fact = facts[claim_id]
        source = table.sources[table.source[claim]]
        rows.append(
            (
                table.names[table.label[claim]],
                claim_id == winner,
                source.name,
                source.kind,
                prefix_text(int(table.first_ip[claim]), int(table.prefix_len[claim])),
                fact["day"] or "",
                fact["evidence"],
                fact["confidence"],
                fact["run"] or "",
            )
        )
    claims = pd.DataFrame(rows, columns=COLUMNS).astype({"confidence": "float64"})
    claims = claims.sort_values("wins", ascending=False, kind="stable", ignore_index=True)
    place = int(resolved.source_codes[0])
    label = str(resolved.labels[0])
    return ToldOf(label, None if label == UNKNOWN else table.sources[place], claims)
