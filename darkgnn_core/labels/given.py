"""The labels that analysts gave, as a table to hand on; `labels add` reads it again elsewhere.

There it stays told apart from ground truth (`lists.ListKind`, `given`): no way round by a file.
"""

import sqlite3

import pandas as pd

from darkgnn_core.labels.analyst import SOURCE_ID
from darkgnn_core.labels.lists import GIVEN_COLUMNS
from darkgnn_core.labels.store import standing_labels
from darkgnn_core.labels.targets import prefix_text

NO_LIMIT = -1


def given_table(connection: sqlite3.Connection) -> pd.DataFrame:
    """Return the labels given by hand that stand, the first given first.

    Args:
        connection: The catalogue.

    Returns:
        A row a label: `address` (or prefix), `label`, `day` (empty: for good), `evidence` (the
        reason given), `confidence` (0 to 1, float64, NaN where not said), `run`, `given_at`
        (ISO 8601 UTC).
    """
    rows = [
        (
            prefix_text(row["first_ip"], row["prefix_len"]),
            row["raw_label"],
            row["day"] or "",
            row["evidence"],
            row["confidence"],
            row["run"] or "",
            row["added_at"],
        )
        for row in reversed(standing_labels(connection, SOURCE_ID, limit=NO_LIMIT))
    ]
    return pd.DataFrame(rows, columns=list(GIVEN_COLUMNS)).astype({"confidence": "float64"})
