"""A look at the start of a trace before it is loaded: format, first rows, mapping, estimate."""

import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from darkgnn_core.errors import TraceError
from darkgnn_core.traces.confined import Confined
from darkgnn_core.traces.opening import open_regular
from darkgnn_core.traces.parsing import READER
from darkgnn_core.traces.reading import ColumnMapping, ReadOptions
from darkgnn_core.traces.times import UNITS

TIMEOUT_S = 30.0
OVERHEAD_S = 1.0


@dataclass(frozen=True)
class Preview:
    """What the start of a trace tells.

    Attributes:
        name: File name, for people.
        bytes: Size of the file.
        format: Name of the format; empty where none was recognised.
        title: What an analyst calls the format.
        compression: `gzip`, `zstd` or empty.
        lines: First lines of a text.
        columns: Column names of a table whose mapping can be chosen.
        samples: One value of each column.
        mapping: The mapping guessed from names and values, as `mapping.to_dict` gives it.
        rows: First packets as they would be loaded, columns of `packets.SCHEMA`.
        facts: What the reader learned (mapping in use, link type, delimiter).
        read: Records met in the part looked at.
        kept: Records of it that would be loaded.
        skipped: Records of it that would be left out, by reason.
        notes: Things worth knowing of it that drop nothing, by code.
        packets: Packets in that part.
        taken_bytes: Bytes of the file that part takes.
        seconds: Time that part took to read.
        code: Code of what stands in the way of loading it as it is; empty if nothing.
        message: The same in words.
    """

    name: str
    bytes: int
    format: str = ""
    title: str = ""
    compression: str = ""
    lines: list[str] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    samples: list[str] = field(default_factory=list)
    mapping: dict[str, Any] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    read: int = 0
    kept: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    notes: dict[str, int] = field(default_factory=dict)
    packets: int = 0
    taken_bytes: int = 0
    seconds: float = 0.0
    code: str = ""
    message: str = ""

    @property
    def is_loadable(self) -> bool:
        """Whether nothing found so far stands in the way."""
        return not self.code

    @property
    def estimated_packets(self) -> int:
        """Packets of the whole file, if the rest is like its start."""
        return round(self.packets * self.bytes / self.taken_bytes) if self.taken_bytes else 0

    @property
    def estimated_seconds(self) -> float:
        """Seconds to read the whole file at the pace of its start, one file at a time."""
        if not self.taken_bytes:
            return 0.0
        return OVERHEAD_S + self.seconds * self.bytes / self.taken_bytes


def preview_trace(
    path: Path, options: ReadOptions | None = None, *, name: str = "", format_name: str = ""
) -> Preview:
    """Look at the start of a file in a confined process; change nothing.

    Args:
        path: A regular file.
        options: How it would be read.
        name: What to call it; its own name if empty.
        format_name: Look at it as this format; detect by content if empty.

    Returns:
        What was found; `code` and `message` say what stands in the way of loading, if anything.

    Raises:
        TraceError: `NOT-A-REGULAR-FILE`, `NO-SUCH-FILE`, `NO-PERMISSION`.
    """
    name = name or path.name
    with open_regular(path) as raw:
        size = os.fstat(raw.fileno()).st_size
        if size == 0:
            return Preview(name, 0, code="EMPTY", message=f"{name}: the file is empty.")
        request = {
            "path": str(path.resolve()),
            "name": name,
            "format": format_name,
            "options": asdict(options or ReadOptions()),
        }
        try:
            with Confined(READER) as reader:
                answer = reader.do("look", request, size=size, raw=raw, silence_s=TIMEOUT_S)
        except TraceError as error:
            answer = {"code": error.code, "message": str(error)}
    return Preview(name, size, **answer)


def mapping_from_choice(choice: dict[str, str], time_unit: str) -> ColumnMapping | None:
    """Return the mapping an analyst chose in a form.

    Args:
        choice: Column of the file by field of a packet; fields without a column left out or empty.
        time_unit: One of `times.UNITS`.

    Raises:
        TraceError: `MAPPING` if the unit is none.
    """
    if time_unit not in UNITS:
        raise TraceError(
            f"The unit of time must be one of {', '.join(UNITS)}, got {time_unit!r}.",
            code="MAPPING",
        )
    pairs = tuple((target, column) for target, column in choice.items() if column)
    return ColumnMapping(pairs, time_unit) if pairs else None
