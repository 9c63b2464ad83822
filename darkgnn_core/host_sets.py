"""Sets of hosts that an analyst keeps in the catalogue: name, how they came about, the hosts.

A set's hosts never change once it is kept: to change a set is to make another one. So undo is going
back to the set before, and whatever refers to a set refers to the same hosts for good.
"""

import json
import sqlite3
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from darkgnn_core.catalogue import read_setting, transaction, utc_now, write_setting
from darkgnn_core.errors import ConfigError, WorkspaceError, visible
from darkgnn_core.labels.texts import shown
from darkgnn_core.set_recipes import checked_recipe, words_of
from darkgnn_core.workspace import Workspace

Operation = Literal["union", "intersection", "difference"]
OPERATIONS: tuple[Operation, ...] = get_args(Operation)
Hosts: TypeAlias = npt.NDArray[np.uint32]

NAME_CHARACTERS = 80
TRAIL_STEPS = 100
_TRAIL = "set_trail"
_KEPT_AS = np.dtype("<u4")


@dataclass(frozen=True, eq=False)
class HostSet:
    """Some hosts, and where they come from.

    Attributes:
        id: Its id.
        name: What the analyst calls it; text of others may stand in it.
        recipe: How it came about (`set_recipes`).
        hosts: uint32 (n,), addresses, ascending, each once.
        day: Bin that was in view when it was made, or None.
        run_id: Run that was in view, or None.
        created_at: ISO 8601 UTC.
    """

    id: str
    name: str
    recipe: dict[str, Any]
    hosts: Hosts
    day: str | None
    run_id: str | None
    created_at: str

    @property
    def words(self) -> str:
        """How it came about, in words."""
        return words_of(self.recipe)


def save_set(
    workspace: Workspace,
    hosts: npt.ArrayLike,
    *,
    recipe: Mapping[str, Any],
    name: str = "",
    day: str | None = None,
    run_id: str | None = None,
) -> HostSet:
    """Keep some hosts as a set.

    Args:
        workspace: Where.
        hosts: Addresses as integers, in any order; repeats are dropped. None at all is a set, too.
        recipe: How they came about: `kind`, one of `set_recipes.KINDS`, and what tells it.
        name: Up to 80 characters; empty for the start of the recipe in words.
        day: Bin in view.
        run_id: Run in view.

    Raises:
        ConfigError: `RECIPE`; `SET-NAME`; `SET-HOSTS` where a value is no IPv4 address.
        WorkspaceError: `DISK-FULL`, `LOCKED`.
    """
    kept = _checked_hosts(hosts)
    text = checked_recipe(recipe)
    called = _checked_name(name or visible(words_of(recipe))[:NAME_CHARACTERS])
    made = HostSet(uuid.uuid4().hex[:12], called, json.loads(text), kept, day, run_id, utc_now())
    with workspace.catalogue() as connection:
        connection.execute(
            "INSERT INTO host_set (id, name, recipe, hosts, day, run_id, created_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (made.id, called, text, kept.astype(_KEPT_AS).tobytes(), day, run_id, made.created_at),
        )
    return made


def find_set(workspace: Workspace, set_id: str) -> HostSet:
    """Return one set.

    Raises:
        WorkspaceError: `NO-SET` where it is not there, or deleted.
    """
    with workspace.catalogue() as connection:
        row = connection.execute(
            "SELECT * FROM host_set WHERE id = ? AND deleted_at IS NULL", (set_id,)
        ).fetchone()
    if row is None:
        raise _no_set(set_id)
    return _set_of(row)


def find_same(
    workspace: Workspace, hosts: npt.ArrayLike, recipe: Mapping[str, Any]
) -> HostSet | None:
    """Return the newest set of the same hosts that came about the same way, or None.

    Raises:
        ConfigError: As `save_set`.
    """
    kept = _checked_hosts(hosts).astype(_KEPT_AS).tobytes()
    with workspace.catalogue() as connection:
        row = connection.execute(
            "SELECT * FROM host_set WHERE deleted_at IS NULL AND recipe = ? AND hosts = ? "
            "ORDER BY rowid DESC LIMIT 1",
            (checked_recipe(recipe), kept),
        ).fetchone()
    return None if row is None else _set_of(row)


def list_sets(workspace: Workspace) -> list[HostSet]:
    """Return the sets, newest first, deleted ones left out."""
    with workspace.catalogue() as connection:
        rows = connection.execute(
            "SELECT * FROM host_set WHERE deleted_at IS NULL ORDER BY rowid DESC"
        ).fetchall()
    return [_set_of(row) for row in rows]


def list_deleted(workspace: Workspace, *, limit: int = 20) -> list[HostSet]:
    """Return the sets deleted last, the latest first."""
    with workspace.catalogue() as connection:
        rows = connection.execute(
            "SELECT * FROM host_set WHERE deleted_at IS NOT NULL "
            "ORDER BY deleted_at DESC, rowid DESC LIMIT ?",
            (limit,),
        ).fetchall()
    return [_set_of(row) for row in rows]


def combined_hosts(operation: Operation, parts: Sequence[Hosts]) -> Hosts:
    """Return the union or intersection of all, or the first without the others, uint32.

    >>> combined_hosts("difference", [np.array([1, 2], np.uint32), np.array([2], np.uint32)])
    array([1], dtype=uint32)
    """
    hosts = parts[0]
    for part in parts[1:]:
        if operation == "union":
            hosts = np.union1d(hosts, part)
        elif operation == "intersection":
            hosts = np.intersect1d(hosts, part)
        else:
            hosts = np.setdiff1d(hosts, part)
    return hosts


def combine(
    workspace: Workspace, operation: Operation, ids: Sequence[str], *, name: str = ""
) -> HostSet:
    """Make a set of others and keep it.

    Args:
        workspace: Where they are.
        operation: `union`, `intersection`, or `difference`: the first without all others.
        ids: Two sets or more.
        name: As for `save_set`.

    Raises:
        ConfigError: `SET-COMBINE` where the operation is none, or fewer than two sets are given.
        WorkspaceError: `NO-SET`.
    """
    if operation not in OPERATIONS or len(ids) < 2:
        message = f"Combine two sets or more by {', '.join(OPERATIONS)}; got {len(ids)}."
        raise ConfigError(message, code="SET-COMBINE")
    parts = [find_set(workspace, each) for each in ids]
    hosts = combined_hosts(operation, [part.hosts for part in parts])
    recipe = {
        "kind": "combined",
        "operation": operation,
        "of": [{"id": part.id, "name": part.name, "words": part.words} for part in parts],
    }
    return save_set(
        workspace, hosts, recipe=recipe, name=name, day=parts[0].day, run_id=parts[0].run_id
    )


def rename_set(workspace: Workspace, set_id: str, name: str) -> None:
    """Call a set something else.

    Raises:
        ConfigError: `SET-NAME`.
        WorkspaceError: `NO-SET`.
    """
    _change(
        workspace,
        "UPDATE host_set SET name = ? WHERE id = ? AND deleted_at IS NULL",
        (_checked_name(name), set_id),
    )


def delete_set(workspace: Workspace, set_id: str) -> None:
    """Take a set out of lists; `restore_set` brings it back.

    Raises:
        WorkspaceError: `NO-SET`.
    """
    _change(
        workspace,
        "UPDATE host_set SET deleted_at = ? WHERE id = ? AND deleted_at IS NULL",
        (utc_now(), set_id),
    )


def restore_set(workspace: Workspace, set_id: str) -> None:
    """Bring a deleted set back; one that is there stays.

    Raises:
        WorkspaceError: `NO-SET` where there never was one.
    """
    _change(workspace, "UPDATE host_set SET deleted_at = NULL WHERE id = ?", (set_id,))


def sets_there(workspace: Workspace, ids: Sequence[str]) -> frozenset[str]:
    """Return which of these ids are sets that are not deleted."""
    with workspace.catalogue() as connection:
        rows = connection.execute(
            "SELECT id FROM host_set WHERE deleted_at IS NULL "
            "AND id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(ids)),),
        ).fetchall()
    return frozenset(str(row["id"]) for row in rows)


def read_trail(workspace: Workspace) -> list[str | None]:
    """Return the sets that were current one after the other, by id; None for none."""
    with workspace.catalogue() as connection:
        steps: list[str | None] = read_setting(connection, _TRAIL, [])
    return steps


def write_trail(workspace: Workspace, steps: Sequence[str | None]) -> None:
    """Keep the last steps of `read_trail`, so that a reload can still go back."""
    with workspace.catalogue() as connection:
        write_setting(connection, _TRAIL, list(steps)[-TRAIL_STEPS:])


def _change(workspace: Workspace, statement: str, values: tuple[str, ...]) -> None:
    with workspace.catalogue() as connection, transaction(connection):
        if not connection.execute(statement, values).rowcount:
            raise _no_set(values[-1])


def _checked_hosts(hosts: npt.ArrayLike) -> Hosts:
    given = np.atleast_1d(np.asarray(hosts)).reshape(-1)
    if not given.size:
        return np.empty(0, np.uint32)
    if given.dtype.kind not in "iu" or given.min() < 0 or given.max() > 0xFFFF_FFFF:
        message = f"Hosts must be IPv4 addresses as integers, got {given.dtype} values."
        raise ConfigError(message, code="SET-HOSTS")
    return np.unique(given.astype(np.uint32))


def _checked_name(name: str) -> str:
    kept = " ".join(name.split())
    if not 1 <= len(kept) <= NAME_CHARACTERS or not kept.isprintable():
        message = f"A set's name has 1 to {NAME_CHARACTERS} visible characters, got {shown(name)}."
        raise ConfigError(message, code="SET-NAME")
    return kept


def _set_of(row: sqlite3.Row) -> HostSet:
    return HostSet(
        id=row["id"],
        name=row["name"],
        recipe=json.loads(row["recipe"]),
        hosts=np.frombuffer(row["hosts"], _KEPT_AS).astype(np.uint32),
        day=row["day"],
        run_id=row["run_id"],
        created_at=row["created_at"],
    )


def _no_set(set_id: str) -> WorkspaceError:
    return WorkspaceError(
        f"There is no set {shown(set_id)} in this workspace; Cases lists those there are.",
        code="NO-SET",
    )
