"""What a reader is: the options it obeys, the tally it keeps, the format it belongs to."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from darkgnn_core.traces.opening import ByteSource


@dataclass(frozen=True)
class ColumnMapping:
    """Which column of a delimited file holds which packet column, and how times are written.

    Attributes:
        columns: Pairs (packet column, column name in the file). Besides the packet columns,
            `sensor` names a text column that stands for the destination address, and
            `packets` one that says how many packets a row stands for.
        time_unit: `s`, `ms`, `us`, `ns` or `text` (ISO 8601).
    """

    columns: tuple[tuple[str, str], ...]
    time_unit: str = "s"


@dataclass(frozen=True)
class ReadOptions:
    """What the analyst decides before a trace is read.

    Attributes:
        mapping: Columns of a generic CSV, TSV, JSON lines or Parquet file; None means guess.
        timezone: IANA name for times written without a zone; None means refuse such times.
        year: Year of kernel log lines, which carry none; None means the latest that fits.
        max_days: Refuse a trace that spans more days than this.
    """

    mapping: ColumnMapping | None = None
    timezone: str | None = None
    year: int | None = None
    max_days: int = 366


def options_from_dict(value: dict[str, Any]) -> ReadOptions:
    """Return the options that `dataclasses.asdict` turned into `value`, JSON in between or not."""
    mapping = value["mapping"]
    if mapping is not None:
        pairs = tuple((str(ours), str(theirs)) for ours, theirs in mapping["columns"])
        mapping = ColumnMapping(columns=pairs, time_unit=mapping["time_unit"])
    return ReadOptions(**(value | {"mapping": mapping}))


@dataclass
class Tally:
    """What one reader has counted so far; `read == kept + sum(skipped.values())` at every yield.

    Attributes:
        read: Records met (packets, log lines, connections).
        kept: Records given on as packets.
        packets: Packets given on; more than `kept` where a record stands for several.
        skipped: Records left out, by reason.
        notes: Things worth telling that dropped nothing, by code (`PCAP-CUT`, `len_mismatch`).
        facts: What the reader learned about the file (mapping, delimiter, link type, sensors).
    """

    read: int = 0
    kept: int = 0
    packets: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    facts: dict[str, Any] = field(default_factory=dict)

    def skip(self, reason: str, records: int = 1) -> None:
        """Count `records` as read and left out."""
        if records:
            self.read += records
            self.skipped[reason] += records

    def keep(self, records: int, *, packets: int | None = None) -> None:
        """Count `records` as read and given on, as `packets` packets (the same, if not said)."""
        self.read += records
        self.kept += records
        self.packets += records if packets is None else packets

    def note(self, code: str, times: int = 1) -> None:
        """Count something worth telling that dropped nothing."""
        if times:
            self.notes[code] += times


Read = Callable[[ByteSource, ReadOptions, Tally], Iterator[pa.RecordBatch]]


@dataclass(frozen=True)
class Format:
    """One kind of trace.

    Attributes:
        name: Short stable name (`pcap`).
        title: What an analyst calls it.
        sniff: Says from the first 64 KiB, decompressed, whether a file is of this kind.
        read: Yields batches of `packets.SCHEMA`, counting in the tally as it goes.
    """

    name: str
    title: str
    sniff: Callable[[bytes], bool]
    read: Read
