"""Acts of labelling, undone one after another and done again; they outlive restarts.

Labels that come back are new rows (`analyst.undo`). So whatever else was done to the old row is
noted on the new one, and acts before and after it can still be undone and done again.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from darkgnn_core.catalogue import read_setting, utc_now, write_setting
from darkgnn_core.labels.analyst import Change, undo
from darkgnn_core.labels.storing import writing

SETTING = "label_acts"
MOST_ACTS = 50
WORDS = 200


@dataclass(frozen=True)
class Act:
    """One act of labelling.

    Attributes:
        change: What undoes it, or does it again.
        what: What it was, in words.
        at: When, ISO 8601 UTC.
    """

    change: Change
    what: str
    at: str


@dataclass(frozen=True)
class Acts:
    """What can be undone and what can be done again, the next one last."""

    done: tuple[Act, ...] = ()
    undone: tuple[Act, ...] = ()


def remember(connection: sqlite3.Connection, change: Change, what: str) -> None:
    """Keep an act, so that it can be undone; what was undone before can't be done again then.

    Args:
        connection: The catalogue.
        change: What it did.
        what: What it was, in words; 200 characters are kept.
    """
    with writing(connection):
        done = (*read_acts(connection).done, Act(change, what[:WORDS], utc_now()))
        _write(connection, Acts(done[-MOST_ACTS:]))


def undo_last(connection: sqlite3.Connection) -> str | None:
    """Take the last act back, all of it or nothing.

    Returns:
        What it was; None where there is none.

    Raises:
        LabelError: `NO-LABEL` where its labels were taken back by other means since; nothing is
            written then, and `forget` is the way out.
    """
    return _step(connection, is_redo=False)


def redo_last(connection: sqlite3.Connection) -> str | None:
    """Do the act again that was undone last; else as `undo_last`."""
    return _step(connection, is_redo=True)


def forget(connection: sqlite3.Connection) -> None:
    """Forget all acts; the labels stay as they are."""
    _write(connection, Acts())


def read_acts(connection: sqlite3.Connection) -> Acts:
    """Return what can be undone and done again."""
    kept = read_setting(connection, SETTING, {})
    return Acts(*(tuple(map(_read, kept.get(name, []))) for name in ("done", "undone")))


def _step(connection: sqlite3.Connection, *, is_redo: bool) -> str | None:
    """Turn the last act of one side round and put it on the other; what undoes an undo redoes."""
    with writing(connection):
        acts = read_acts(connection)
        taken, given = (acts.undone, acts.done) if is_redo else (acts.done, acts.undone)
        if not taken:
            return None
        last = taken[-1]
        turned = undo(connection, last.change)
        left, more = taken[:-1], (*given, replace(last, change=turned))
        now = Acts(more, left) if is_redo else Acts(left, more)
        _write(connection, _renumbered(now, last.change.withdrawn, turned.added))
    return last.what


def _renumbered(acts: Acts, gone: Sequence[int], came: Sequence[int]) -> Acts:
    """Return the acts where labels that came back have their new ids."""
    ids = dict(zip(gone, came, strict=True))

    def of(act: Act) -> Act:
        added = tuple(ids.get(each, each) for each in act.change.added)
        return replace(act, change=replace(act.change, added=added))

    return Acts(tuple(map(of, acts.done)), tuple(map(of, acts.undone)))


def _write(connection: sqlite3.Connection, acts: Acts) -> None:
    kept = {"done": [_row(each) for each in acts.done], "undone": [_row(e) for e in acts.undone]}
    write_setting(connection, SETTING, kept)


def _row(act: Act) -> dict[str, Any]:
    change = {"added": _runs(act.change.added), "withdrawn": _runs(act.change.withdrawn)}
    return {**change, "what": act.what, "at": act.at}


def _read(row: dict[str, Any]) -> Act:
    change = Change(*(_ids(row[name]) for name in ("added", "withdrawn")))
    return Act(change, str(row["what"]), str(row["at"]))


def _runs(ids: Iterable[int]) -> list[list[int]]:
    """Return ids as stretches [first, how many]: those of one act mostly follow each other."""
    runs: list[list[int]] = []
    for each in ids:
        if runs and each == sum(runs[-1]):
            runs[-1][1] += 1
        else:
            runs.append([each, 1])
    return runs


def _ids(runs: Iterable[Sequence[int]]) -> tuple[int, ...]:
    return tuple(chain.from_iterable(range(first, first + count) for first, count in runs))
