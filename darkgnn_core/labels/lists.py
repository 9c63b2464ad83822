"""Lists of labels of any kind: told apart by content, read by the reader of their kind."""

import re
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO, Literal

from darkgnn_core.errors import LabelError, TraceError
from darkgnn_core.labels.claims import Claim, ListReport
from darkgnn_core.labels.csv_lists import DELIMITERS, GUESSED, CsvColumns, read_csv
from darkgnn_core.labels.ipset import read_ipset
from darkgnn_core.labels.maltrail import read_maltrail
from darkgnn_core.labels.misp import read_misp
from darkgnn_core.labels.texts import LIST_BYTES, clean_name, fold
from darkgnn_core.traces.opening import HEAD_BYTES, ByteSource

ListKind = Literal["csv", "given", "misp", "maltrail", "ipset"]
LIST_KINDS: tuple[ListKind, ...] = ("csv", "given", "misp", "maltrail", "ipset")
"""`given` is a CSV of labels that analysts gave by hand, as `given.given_table` writes it: it is no
ground truth, so evaluations leave it out as they leave out what was given in this workspace."""

GIVEN_COLUMNS = ("address", "label", "day", "evidence", "confidence", "run", "given_at")

_COMMENTED = re.compile(r"\s*[0-9A-Fa-f.:]*[.:][0-9A-Fa-f.:]*(?:/[0-9]+)?\s*(?:#.*)?")
_LOOKED_AT = 200


@dataclass(frozen=True)
class ListOptions:
    """What an analyst decides before a list is read.

    Attributes:
        label: One label for a MISP list or an ipset file; None takes it from the list.
        columns: Which column of a CSV is which.
        generic_label: Label for addresses of a maltrail list without an organisation; None
            leaves them out.
        allow_wide: Keep prefixes wider than /24: each labels more than 256 addresses.
    """

    label: str | None = None
    columns: CsvColumns = GUESSED
    generic_label: str | None = None
    allow_wide: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return the options as JSON can carry them."""
        return asdict(self)


DEFAULTS = ListOptions()


def options_from_dict(value: dict[str, Any]) -> ListOptions:
    """Return the options that `ListOptions.as_dict` turned into `value`."""
    return ListOptions(**(value | {"columns": CsvColumns(**value["columns"])}))


def detect(head: bytes) -> ListKind | None:
    r"""Tell the kind of a list by its first bytes; None where it is none of them.

    >>> detect(b"src_ip,label\n"), detect(b"create s hash:net\n")
    ('csv', 'ipset')
    """
    text = head.removeprefix(b"\xef\xbb\xbf").decode("utf-8", errors="replace").lstrip()
    if text.startswith("{"):
        return "misp"
    lines = [line for line in re.split(r"[\r\n]+", text) if line.strip()]
    lines = [line for line in lines if not line.lstrip().startswith("#")][:_LOOKED_AT]
    if not lines:
        return None
    if re.match(r"(?:create|add|-N|-A) \S", lines[0]):
        return "ipset"
    if sum(_COMMENTED.fullmatch(line) is not None for line in lines) > len(lines) / 2:
        return "maltrail"
    if not any(mark in lines[0] for mark in DELIMITERS):
        return None
    columns = {fold(text.strip().strip('"')) for text in re.split(r"[,;\t|]", lines[0])}
    return "given" if columns >= set(map(fold, GIVEN_COLUMNS)) else "csv"


def read_list(
    content: bytes, *, name: str, kind: ListKind | None = None, options: ListOptions = DEFAULTS
) -> tuple[ListKind, list[Claim], ListReport]:
    """Read a list of labels.

    Args:
        content: The file's bytes, unpacked.
        name: What messages call it.
        kind: Its kind; None tells it by content.
        options: What the analyst decided.

    Raises:
        LabelError: `KIND` where it is no list that is read; what the readers raise.
    """
    kind = kind or detect(content[:HEAD_BYTES])
    if kind is None:
        raise LabelError(
            f"{clean_name(name)}: KIND: expected a CSV with src_ip,label, a MISP warning list, a "
            "maltrail list or an ipset save file.",
            code="KIND" if content.strip() else "EMPTY",
        )
    wide = options.allow_wide
    if kind in ("csv", "given"):
        read = read_csv(content, name=name, columns=options.columns, allow_wide=wide)
    elif kind == "misp":
        read = read_misp(content, name=name, label=options.label, allow_wide=wide)
    elif kind == "maltrail":
        generic = options.generic_label
        read = read_maltrail(content, name=name, generic_label=generic, allow_wide=wide)
    else:
        read = read_ipset(content, name=name, label=options.label, allow_wide=wide)
    return kind, *read


def read_content(raw: BinaryIO, name: str) -> bytes:
    """Return the bytes of a list, gzip or zstd unpacked, at most 32 MiB.

    Args:
        raw: The open file, at its start.
        name: What messages call it.

    Raises:
        LabelError: `LIMIT`, `CUT`, `ARCHIVE`, `BOMB`.
    """
    try:
        source = ByteSource(raw, clean_name(name))
        content = source.read(LIST_BYTES + 1)
    except TraceError as error:
        raise LabelError(str(error), code=error.code) from error
    if source.trouble:
        message = f"{source.name}: CUT: the compressed file is cut or damaged."
        raise LabelError(message, code="CUT")
    if len(content) > LIST_BYTES:
        message = f"{source.name}: LIMIT: lists of up to {LIST_BYTES:,} bytes are read."
        raise LabelError(message, code="LIMIT")
    return content
