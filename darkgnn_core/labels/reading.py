"""Files of labels, read in a confined process: whatever a file does, the caller goes on."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from darkgnn_core.errors import LabelError, TraceError
from darkgnn_core.labels.claims import Claim, ListReport
from darkgnn_core.labels.lists import DEFAULTS, ListKind, ListOptions
from darkgnn_core.labels.texts import LINES, clean_name
from darkgnn_core.traces.confined import LONG_SILENCE_S, Confined, Told
from darkgnn_core.traces.opening import open_once

READER = "darkgnn_core.labels.child"
"""Module of the confined process that reads lists of labels."""


@dataclass(frozen=True)
class ReadList:
    """What a file of labels gave.

    Attributes:
        kind: Its kind.
        claims: What it says, in its order; empty where only the report was asked for.
        report: What became of its rows.
        sha256: Of its bytes, unpacked.
    """

    kind: ListKind
    claims: list[Claim]
    report: ListReport
    sha256: str


def read_file(
    path: Path,
    *,
    name: str = "",
    kind: ListKind | None = None,
    options: ListOptions = DEFAULTS,
    with_claims: bool = True,
    reader: Confined | None = None,
) -> ReadList:
    """Read a file of labels (plain, gzip or zstd) in a confined process.

    Args:
        path: A regular file.
        name: What messages call it; its own name if empty.
        kind: Kind of list; None tells it by content.
        options: What the analyst decided.
        with_claims: Whether the claims are wanted, or the report only.
        reader: Confined process of `READER` to use; one of its own if None.

    Raises:
        LabelError: `LIMIT`, `CUT`, `KIND`, what the readers raise, or why the file can't be opened
            (`NO-SUCH-FILE`, `NOT-A-REGULAR-FILE`, `ARCHIVE`, `BOMB`, ...); `IN-CRASH` where the
            process died or fell silent.
    """
    if reader is None:
        with Confined(READER) as reader:
            return _read(path, name or path.name, kind, options, with_claims, reader)
    return _read(path, name or path.name, kind, options, with_claims, reader)


def _read(
    path: Path,
    name: str,
    kind: ListKind | None,
    options: ListOptions,
    with_claims: bool,
    reader: Confined,
) -> ReadList:
    claims = _Claims(name)
    request = {
        "path": str(path.resolve()),
        "name": clean_name(name),
        "kind": kind,
        "options": options.as_dict(),
        "with_claims": with_claims,
    }
    try:
        with open_once(path) as file:
            answer = reader.do(
                "read",
                request,
                size=file.size,
                raw=file.raw,
                error=LabelError,
                silence_s=LONG_SILENCE_S,
                on_told=claims.take,
            )
    except TraceError as error:
        raise LabelError(str(error), code=error.code) from error
    report = ListReport.from_dict(answer["report"])
    return ReadList(cast(ListKind, answer["list"]), claims.taken, report, answer["sha256"])


class _Claims:
    """Gathers claims as they are told; equal texts are kept once."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.taken: list[Claim] = []
        self._texts: dict[str, str] = {}

    def take(self, told: Told) -> None:
        """Take a part of the claims, never more of them than a list may have."""
        del self.taken[told["start"] :]  # told again by another process
        for row in told["claims"]:
            once: list[Any] = [
                self._texts.setdefault(each, each) if isinstance(each, str) else each
                for each in row
            ]
            self.taken.append(Claim(*once))
        if len(self.taken) > 2 * LINES:
            raise LabelError(f"{self.name}: LIMIT: it gives too many labels.", code="LIMIT")
