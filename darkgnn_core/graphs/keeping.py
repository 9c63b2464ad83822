"""The graph an analyst has open, kept in the catalogue so that a reload loses nothing."""

from typing import Any

from darkgnn_core.catalogue import read_setting, write_setting
from darkgnn_core.workspace import Workspace

SETTING = "graph_in_view"


def keep_graph(workspace: Workspace, value: dict[str, Any]) -> None:
    """Keep what the analyst did to a graph, in place of what was kept before.

    Args:
        workspace: Where.
        value: Plain values, as JSON can hold them.

    Raises:
        WorkspaceError: `DISK-FULL`, `LOCKED`.
    """
    with workspace.catalogue() as connection:
        write_setting(connection, SETTING, value)


def kept_graph(workspace: Workspace) -> dict[str, Any] | None:
    """Return what was kept last, or None."""
    with workspace.catalogue() as connection:
        value: dict[str, Any] | None = read_setting(connection, SETTING, None)
    return value
