"""A look at lists of labels before they are added: what they are, and what would be kept."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from darkgnn_core.errors import LabelError
from darkgnn_core.labels.lists import DEFAULTS, ListOptions
from darkgnn_core.labels.reading import READER, read_file
from darkgnn_core.traces.confined import Confined


@dataclass(frozen=True)
class ListLook:
    """What one file would give as a list of labels.

    Attributes:
        name: What to call it.
        kind: Its kind, told by content; empty where it cannot be read.
        report: What would become of its rows (`ListReport.as_dict`); empty where it cannot be.
        message: Why it cannot be read, or empty.
    """

    name: str
    kind: str
    report: dict[str, Any]
    message: str = ""

    @property
    def is_addable(self) -> bool:
        """Whether anything of it would be kept."""
        return bool(self.report.get("kept"))


def look_at_lists(
    files: Iterable[tuple[Path, str]], options: ListOptions = DEFAULTS
) -> list[ListLook]:
    """Read lists in a confined process without adding them; a file that cannot be read says why.

    Args:
        files: Path and name of each.
        options: What the analyst decided.
    """
    with Confined(READER) as reader:
        return [_look(path, name, options, reader) for path, name in files]


def _look(path: Path, name: str, options: ListOptions, reader: Confined) -> ListLook:
    try:
        read = read_file(path, name=name, options=options, with_claims=False, reader=reader)
    except LabelError as error:
        return ListLook(name, "", {}, str(error))
    return ListLook(name, read.kind, read.report.as_dict())
