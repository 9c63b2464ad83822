"""The hosts selected last on a map, kept in the catalogue so that a reload loses nothing."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from darkgnn_core.catalogue import read_setting, utc_now, write_setting
from darkgnn_core.maps.projecting import Addresses
from darkgnn_core.workspace import Workspace

SETTING = "map_selection"


@dataclass(frozen=True, eq=False)
class Draft:
    """Hosts that were selected on a map and not kept as a set.

    Attributes:
        hosts: uint32 (n,), ascending.
        recipe: How they came about (`set_recipes`).
        made_at: ISO 8601 UTC.
        comes_back: They were selected with no set current, and no set became current since: a
            reload shows them again without being asked.
    """

    hosts: Addresses
    recipe: dict[str, Any]
    made_at: str
    comes_back: bool = True


def keep_draft(
    workspace: Workspace,
    hosts: Addresses,
    recipe: Mapping[str, Any],
    *,
    comes_back: bool = True,
) -> None:
    """Keep the hosts selected now in place of those kept before.

    Args:
        workspace: Where.
        hosts: uint32 (n,), ascending.
        recipe: How they came about (`set_recipes`).
        comes_back: As of `Draft`.

    Raises:
        WorkspaceError: `DISK-FULL`, `LOCKED`.
    """
    text = base64.b64encode(np.ascontiguousarray(hosts, "<u4").tobytes()).decode("ascii")
    value = {
        "hosts": text,
        "recipe": dict(recipe),
        "made_at": utc_now(),
        "comes_back": comes_back,
    }
    with workspace.catalogue() as connection:
        write_setting(connection, SETTING, value)


def leave_draft(workspace: Workspace) -> None:
    """Have the kept hosts stay kept, but not come back without being asked.

    Raises:
        WorkspaceError: `DISK-FULL`, `LOCKED`.
    """
    with workspace.catalogue() as connection:
        value = read_setting(connection, SETTING, None)
        if value and value.get("comes_back", True):
            write_setting(connection, SETTING, {**value, "comes_back": False})


def read_draft(workspace: Workspace) -> Draft | None:
    """Return the hosts selected last, or None where none were, or none are."""
    with workspace.catalogue() as connection:
        value = read_setting(connection, SETTING, None)
    if not value or not value.get("hosts"):
        return None
    hosts = np.frombuffer(base64.b64decode(value["hosts"]), "<u4").astype(np.uint32)
    comes_back = bool(value.get("comes_back", True))
    return Draft(hosts, dict(value["recipe"]), str(value["made_at"]), comes_back)
