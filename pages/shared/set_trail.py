"""Undo and redo of the current set: the sets that were current, one after the other."""

from contextlib import suppress

from darkgnn_core.errors import WorkspaceError
from darkgnn_core.host_sets import read_trail, sets_there, write_trail
from darkgnn_core.workspace import Workspace
from pages.shared import state

Steps = list[str | None]


def follow_trail(workspace: Workspace) -> None:
    """Note which set is current; whatever made it so, a step is added when it changed.

    The steps are kept in the workspace, too, so that a reload can still go back.
    """
    current = state.set_in_view()
    held = state.set_trail()
    if held is None:
        steps = read_trail(workspace)
        if current in steps:
            state.keep_set_trail(steps, len(steps) - 1 - steps[::-1].index(current))
            return
        held = steps, len(steps) - 1
    steps, at = held
    if at >= 0 and steps[at] == current:
        return
    steps = [*steps[: at + 1], current]
    state.keep_set_trail(steps, len(steps) - 1)
    if any(steps):
        with suppress(WorkspaceError):  # on a disk that is only read, the session still knows
            write_trail(workspace, steps)


def steps_around(workspace: Workspace) -> tuple[int | None, int | None]:
    """Return where undo and redo lead in the trail, past deleted sets; None for nowhere."""
    steps, at = state.set_trail() or ([], 0)
    there = sets_there(workspace, [each for each in steps if each is not None])
    current = state.set_in_view()

    def leads_on(place: int) -> bool:
        step = steps[place]
        return step != current and (step is None or step in there)

    back = next((place for place in range(at - 1, -1, -1) if leads_on(place)), None)
    on = next((place for place in range(at + 1, len(steps)) if leads_on(place)), None)
    return back, on


def go_to(place: int) -> None:
    """Make the set of that step the current one again."""
    steps, _ = state.set_trail() or ([], 0)
    state.keep_set_trail(steps, place)
    state.set_set_in_view(steps[place])
