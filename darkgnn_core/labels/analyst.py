"""Labels that analysts give in the app: add, withdraw, undo; nothing is ever overwritten."""

import re
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from darkgnn_core.catalogue import utc_now
from darkgnn_core.errors import LabelError
from darkgnn_core.labels.claims import WIDEST_PREFIX, Claim
from darkgnn_core.labels.storing import ensure_source, insert_claims, writing
from darkgnn_core.labels.targets import Target, prefix_text
from darkgnn_core.labels.texts import UNKNOWN, clean_label, fold, is_visible, parse_day, shown

SOURCE_ID = "analyst"
REASON_CHARACTERS = 2_000
MAX_TARGETS = 100_000

_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True)
class Change:
    """What one act of an analyst did, to undo it later.

    Attributes:
        added: Ids of the labels it gave.
        withdrawn: Ids of the labels it took back.
    """

    added: tuple[int, ...] = ()
    withdrawn: tuple[int, ...] = ()


def add_labels(
    connection: sqlite3.Connection,
    targets: Sequence[Target],
    label: str,
    *,
    reason: str = "",
    confidence: float | None = None,
    day: str | None = None,
    run: str | None = None,
    allow_wide: bool = False,
) -> Change:
    """Label hosts or prefixes; earlier labels by analysts on the same ones are withdrawn.

    A label bound to a day takes the place of those bound to that day, one for good of all.

    Args:
        connection: The catalogue.
        targets: What to label (`targets.target_of`, `targets.parse_target`).
        label: The label.
        reason: Why, up to 2,000 characters.
        confidence: 0 to 1.
        day: UTC day `YYYY-MM-DD` that the label is bound to; None for good.
        run: Id of the run that the analyst was looking at.
        allow_wide: Yes, label a prefix wider than /24.

    Raises:
        LabelError: `LABEL`, `WIDE`, `VALUE`, `LIMIT`; nothing is written then.
    """
    raw = clean_label(label)
    if fold(raw) == UNKNOWN:
        message = 'LABEL: "unknown" means no label; withdraw the label instead.'
        raise LabelError(message, code="LABEL")
    targets = tuple(dict.fromkeys(targets))
    _check(targets, confidence, run, allow_wide)
    evidence = _clean_reason(reason)
    day = None if day is None else parse_day(day)
    claims = [Claim(*target, fold(raw), raw, day, evidence, confidence) for target in targets]
    with writing(connection):
        now = utc_now()
        ensure_source(connection, SOURCE_ID, "Analysts", "analyst", added_at=now)
        before = _last_id(connection)
        withdrawn = _withdraw_same(connection, targets, day, now)
        insert_claims(connection, SOURCE_ID, claims, added_at=now, run=run)
        added = tuple(range(before + 1, _last_id(connection) + 1))
    return Change(added=added, withdrawn=withdrawn)


def withdraw(connection: sqlite3.Connection, label_ids: Iterable[int]) -> Change:
    """Take labels of analysts back; they stay in the history.

    Raises:
        LabelError: `NO-LABEL` where an id is not a standing label of an analyst.
    """
    ids = tuple(dict.fromkeys(label_ids))
    with writing(connection):
        now = utc_now()
        for label_id in ids:
            done = connection.execute(
                "UPDATE label SET withdrawn_at = ? "
                "WHERE id = ? AND source_id = ? AND withdrawn_at IS NULL",
                (now, label_id, SOURCE_ID),
            )
            if not done.rowcount:
                raise LabelError(
                    f"NO-LABEL: {label_id} is no standing label of an analyst.", code="NO-LABEL"
                )
    return Change(withdrawn=ids)


def undo(connection: sqlite3.Connection, change: Change) -> Change:
    """Take back what `change` did: its labels go, those it withdrew are given again.

    Labels given again are new rows, so that the history tells all three acts.

    Returns:
        The change that the undo is; undoing it is redo.

    Raises:
        LabelError: `NO-LABEL` where its labels were withdrawn since; nothing is written then.
    """
    with writing(connection):
        withdrawn = withdraw(connection, change.added).withdrawn
        before = _last_id(connection)
        now = utc_now()
        for label_id in change.withdrawn:
            connection.execute(
                "INSERT INTO label (source_id, first_ip, last_ip, prefix_len, label, raw_label, "
                "day, evidence, confidence, added_at, run) SELECT source_id, first_ip, last_ip, "
                "prefix_len, label, raw_label, day, evidence, confidence, ?, run FROM label "
                "WHERE id = ? AND source_id = ?",
                (now, label_id, SOURCE_ID),
            )
        added = tuple(range(before + 1, _last_id(connection) + 1))
    return Change(added=added, withdrawn=withdrawn)


def _withdraw_same(
    connection: sqlite3.Connection, targets: Sequence[Target], day: str | None, now: str
) -> tuple[int, ...]:
    found: list[int] = []
    for target in targets:
        rows = connection.execute(
            "UPDATE label SET withdrawn_at = ? WHERE source_id = ? AND first_ip = ? "
            "AND prefix_len = ? AND withdrawn_at IS NULL AND (? IS NULL OR day = ?) RETURNING id",
            (now, SOURCE_ID, target.first_ip, target.prefix_len, day, day),
        )
        found += [int(row[0]) for row in rows]
    return tuple(found)


def _last_id(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT coalesce(max(id), 0) FROM label").fetchone()[0])


def _check(
    targets: Sequence[Target], confidence: float | None, run: str | None, allow_wide: bool
) -> None:
    if not 1 <= len(targets) <= MAX_TARGETS:
        message = f"LIMIT: label 1 to {MAX_TARGETS:,} hosts at once, got {len(targets):,}."
        raise LabelError(message, code="LIMIT")
    wide = [target for target in targets if target.prefix_len < WIDEST_PREFIX]
    if wide and not allow_wide:
        prefix = prefix_text(wide[0].first_ip, wide[0].prefix_len)
        raise LabelError(
            f"WIDE: {prefix} is wider than /{WIDEST_PREFIX}: it would label "
            f"{wide[0].last_ip - wide[0].first_ip + 1:,} addresses. Say yes to that, or narrow it.",
            code="WIDE",
        )
    if confidence is not None and not 0 <= confidence <= 1:
        message = f"VALUE: confidence must be from 0 to 1, got {confidence}."
        raise LabelError(message, code="VALUE")
    if run is not None and _RUN.fullmatch(run) is None:
        raise LabelError(f"VALUE: {shown(run)} is no id of a run.", code="VALUE")


def _clean_reason(reason: str) -> str:
    text = " ".join(reason.split())
    if len(text) > REASON_CHARACTERS or not is_visible(text):
        raise LabelError(
            f"VALUE: a reason has up to {REASON_CHARACTERS:,} visible characters, got "
            f"{len(text):,}: {shown(text)}.",
            code="VALUE",
        )
    return text
