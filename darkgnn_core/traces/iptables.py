"""Linux firewall logs: what iptables, nftables and UFW log in the kernel, one packet a line."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from darkgnn_core.errors import TraceError
from darkgnn_core.traces.addresses import Ints, Mask
from darkgnn_core.traces.assembling import Assembler, numpy_of
from darkgnn_core.traces.lines import Block, refuse_utf16, text_blocks
from darkgnn_core.traces.opening import HEAD_BYTES, ByteSource
from darkgnn_core.traces.reading import Format, ReadOptions, Tally
from darkgnn_core.traces.tables import head_lines
from darkgnn_core.traces.times import (
    Times,
    check_timezone,
    text_times,
)
from darkgnn_core.traces.values import FLAG_BITS

FIELDS = {
    "src_ip": "SRC", "dst_ip": "DST", "length": "LEN", "ttl": "TTL", "ip_id": "ID",
    "proto": "PROTO", "src_port": "SPT", "dst_port": "DPT", "window": "WINDOW", "seq": "SEQ",
}  # fmt: skip
FLAGS = ("FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LINE = re.compile(r" SRC=\S+ DST=\S* .*PROTO=\S+")
_SYSLOG = (
    rf"^(?:<[0-9]{{1,3}}>)?(?P<year>[0-9]{{4}} )?(?P<month>{'|'.join(MONTHS)}) +"
    r"(?P<day>[0-9]{1,2}) "
    r"(?:(?P<year2>[0-9]{4}) )?(?P<clock>[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?)[ :]"
)
_ISO = r"^(?:<[0-9]{1,3}>)?(?:[0-9] )?(?P<iso>[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:\S+)"
_INNER = r" \[(?:SRC|src)=.*$"
_OPT = r" OPT \((?P<opt>[0-9A-F]{2,80})\)"
HALF_A_YEAR = 183


def sniff(head: bytes) -> bool:
    """Say whether one of the first lines, and a tenth of them, are lines of a firewall."""
    lines = list(head_lines(head))
    hits = sum(bool(_LINE.search(line)) for line in lines)
    return hits > 0 and hits * 10 >= len(lines)


@dataclass
class _Calendar:
    """The running year of a log whose lines carry none; a year begins where December ends.

    Attributes:
        year: Year of the line read last.
        day: Day of the year of the line read last, 0 before the first.
        last: Month and day of the line read last.
        leap: Years, counted from the first, that have a 29 February.
    """

    year: int = 0
    day: int = 0
    last: tuple[int, int] = (1, 1)
    leap: frozenset[int] = frozenset()

    def years(self, months: Ints, days: Ints) -> Ints:
        """Return the year of each line, which goes up where the date falls back half a year."""
        dates = (months - 1) * 31 + days
        before = np.concatenate(([self.day or dates[0]], dates[:-1]))
        steps = (dates - before < -HALF_A_YEAR).astype(np.int64)
        steps -= dates - before > HALF_A_YEAR
        years = self.year + np.cumsum(steps)
        self.year, self.day = int(years[-1]), int(dates[-1])
        self.last = (int(months[-1]), int(days[-1]))
        self.leap |= set(years[(months == 2) & (days == 29)].tolist())
        return years


def read(source: ByteSource, options: ReadOptions, tally: Tally) -> Iterator[pa.RecordBatch]:
    """Yield the packets of a firewall log; see `traces.reading.Format`.

    Lines may begin with a syslog time (with or without a year) or an ISO 8601 time. Without a
    year, `options.year` is the year of the first line, else the latest that puts no line in the
    future is taken (noted `year_assumed`); December is followed by January of the next year.
    Without a zone, `options.timezone` counts, else UTC (noted `timezone_assumed_utc`). What an
    ICMP error quotes of another packet is not looked at. Other lines: `not_a_firewall_line`.

    Raises:
        TraceError: `LIMIT`, `ENCODING`, `TIMEZONE`, `TIMES-MIXED`, `NO-ROWS`.
    """
    refuse_utf16(source.peek(HEAD_BYTES), source.name)
    if options.timezone is not None:
        check_timezone(options.timezone)
    calendar = _Calendar(year=options.year or 0)
    assumed = options.year is None and _needs_year(source)
    if assumed:
        calendar.year = _first_year(source)
        tally.facts["year_assumed"] = calendar.year
        source.raw.seek(0)
    lines_from = ByteSource(source.raw, source.name, size=source.size) if assumed else source
    assembler = Assembler(source.name, "ns", options, tally)
    for block in text_blocks(lines_from, tally):
        lines = _firewall_lines(block, tally)
        if len(lines):
            columns = _columns(lines, calendar, options, tally, assumed, source.name)
            yield from assembler.batches(columns, len(lines))
    source.trouble = source.trouble or lines_from.trouble
    if tally.read == 0:
        raise TraceError(f"{source.name}: there are no lines in it.", code="NO-ROWS")


def _firewall_lines(block: Block, tally: Tally) -> pa.StringArray:
    lines = pa.array(block.data.decode("utf-8").split("\n")[:-1], pa.string())
    lines = pc.replace_substring_regex(lines, _INNER, "")
    mine = pc.match_substring_regex(lines, r"(?:^| )SRC=\S+ .*\bPROTO=\S+")
    tally.skip("not_a_firewall_line", len(lines) - (pc.sum(mine).as_py() or 0))
    return lines.filter(mine)


def _needs_year(source: ByteSource) -> bool:
    """Say whether the first firewall line with a syslog time has no year."""
    for line in head_lines(source.peek(HEAD_BYTES)):
        if _LINE.search(line):
            found = re.match(_SYSLOG, line)
            return bool(found and not found["year"] and not found["year2"])
    return False


def _first_year(source: ByteSource) -> int:
    """Return the latest year of the first line that puts the last line not in the future.

    It reads the log once for that, from its start, and leaves the file anywhere.
    """
    source.raw.seek(0)
    calendar = _Calendar()
    for block in text_blocks(ByteSource(source.raw, source.name, size=source.size), Tally()):
        lines = _firewall_lines(block, Tally())
        found = pc.extract_regex(lines, _SYSLOG).drop_null() if len(lines) else lines
        if len(found):
            months, days = _month_and_day(found)
            calendar.years(months, days)
    now = datetime.now(UTC)
    for year in range(now.year, now.year - 12, -1):
        fits_leap = all(_is_leap(year - calendar.year + leap) for leap in calendar.leap)
        if fits_leap and (year < now.year or calendar.last <= (now.month, now.day)):
            return year - calendar.year
    return now.year - 1 - calendar.year


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _month_and_day(found: pa.StructArray) -> tuple[Ints, Ints]:
    months = pc.index_in(pc.struct_field(found, "month"), pa.array(MONTHS))
    days = pc.struct_field(found, "day").cast(pa.int64())
    return numpy_of(months, 0).astype(np.int64) + 1, numpy_of(days, 1)


def _columns(
    lines: pa.StringArray,
    calendar: _Calendar,
    options: ReadOptions,
    tally: Tally,
    assumed: bool,
    where: str,
) -> dict[str, pa.Array]:
    columns = {
        field: pc.struct_field(pc.extract_regex(lines, rf"(?:^| ){word}=(?P<v>\S*)"), "v")
        for field, word in FIELDS.items()
    }
    columns = {field: _none_if_empty(column) for field, column in columns.items()}
    tcp = pc.fill_null(pc.equal(columns["proto"], "TCP"), False)
    columns["seq"] = pc.if_else(tcp, columns["seq"], pa.scalar(None, pa.string()))
    columns["tcp_flags"] = _flags(lines, tcp)
    columns |= _options(lines, tcp)
    columns["ts"] = _times(lines, calendar, options, tally, assumed, where)
    return columns


def _none_if_empty(column: pa.StringArray) -> pa.StringArray:
    return pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)


def _flags(lines: pa.StringArray, tcp: pa.Array) -> pa.Array:
    """Return the flag bits of the words after `RES=`, null where the packet is not TCP."""
    words = pc.struct_field(pc.extract_regex(lines, r" RES=\S+ (?P<w>[A-Z ]*?)(?:URGP|OPT|$)"), "w")
    padded = pc.binary_join_element_wise("", pc.fill_null(words, ""), "", " ")
    bits = np.zeros(len(lines), np.uint8)
    for flag in FLAGS:
        has = numpy_of(pc.match_substring(padded, f" {flag} "), 0).astype(bool)
        bits |= np.where(has, FLAG_BITS[flag], 0).astype(np.uint8)
    known = pc.and_(tcp, words.is_valid())
    return pc.if_else(known, pa.array(bits), pa.scalar(None, pa.uint8()))


def _options(lines: pa.StringArray, tcp: pa.Array) -> dict[str, pa.Array]:
    """Return MSS and time stamp from the hexadecimal TCP options, where any line logs them."""
    texts = pc.struct_field(pc.extract_regex(lines, _OPT), "opt").dictionary_encode()
    if texts.null_count == len(texts):
        return {}
    parsed = [tcp_options(text) for text in texts.dictionary.to_pylist()] + [(0, 0)]
    rows = texts.indices.fill_null(len(parsed) - 1).to_numpy(zero_copy_only=False)
    values = np.array(parsed, np.int64)[rows]
    none = pa.scalar(None, pa.int64())
    return {
        "mss": pc.if_else(tcp, pa.array(values[:, 0].copy()), none).cast(pa.uint16()),
        "ts_option": pc.if_else(tcp, pa.array(values[:, 1].copy()), none).cast(pa.uint32()),
    }


def tcp_options(text: str) -> tuple[int, int]:
    """Return (maximum segment size, time stamp) of hexadecimal TCP options, 0 where absent.

    >>> tcp_options("020405B40402080A0000000700000000")
    (1460, 7)
    """
    data = bytes.fromhex(text[: len(text) // 2 * 2])
    mss = stamp = at = 0
    while at < len(data) and data[at] != 0:
        size = 1 if data[at] == 1 else data[at + 1] if at + 1 < len(data) else 0
        if size == 0 or at + size > len(data) or (data[at] != 1 and size < 2):
            break
        if data[at] == 2 and size == 4:
            mss = int.from_bytes(data[at + 2 : at + 4], "big")
        if data[at] == 8 and size == 10:
            stamp = int.from_bytes(data[at + 2 : at + 6], "big")
        at += size
    return mss, stamp


def _times(
    lines: pa.StringArray,
    calendar: _Calendar,
    options: ReadOptions,
    tally: Tally,
    assumed: bool,
    where: str,
) -> pa.Array:
    """Return int64 UTC nanoseconds of each line's prefix, 0 where it carries no time."""
    ns = np.zeros(len(lines), np.int64)
    zone = options.timezone or "UTC"
    found = pc.extract_regex(lines, _SYSLOG)
    syslog = found.is_valid().to_numpy(zero_copy_only=False)
    if syslog.any():
        kept = found.filter(pa.array(syslog))
        texts = _with_years(kept, calendar, tally, assumed)
        times = text_times(texts, zone, where=where)
        _tell(times, tally, int(times.good.sum()) if options.timezone is None else 0)
        ns[syslog] = times.ns
    if not syslog.all():
        texts = pc.struct_field(pc.extract_regex(lines, _ISO), "iso")
        bare = _without_zone(texts)
        times = text_times(texts, zone, where=where)
        _tell(times, tally, int((times.good & bare).sum()) if options.timezone is None else 0)
        ns[~syslog] = times.ns[~syslog]
    return pa.array(ns)


def _without_zone(texts: pa.StringArray) -> Mask:
    zoned = pc.match_substring_regex(texts, r"(?:[Zz]|[+-][0-9]{2}:?[0-9]{2})$")
    return numpy_of(pc.invert(zoned), 0).astype(bool)


def _tell(times: Times, tally: Tally, without_zone: int) -> None:
    tally.note("timezone_assumed_utc", without_zone)
    for code, count in times.notes.items():
        tally.note(code, count)


def _with_years(
    found: pa.StructArray, calendar: _Calendar, tally: Tally, assumed: bool
) -> pa.StringArray:
    """Write the syslog times as ISO 8601, with the running year where they carry none."""
    months, days = _month_and_day(found)
    given = pc.binary_join_element_wise(
        pc.struct_field(found, "year"), pc.struct_field(found, "year2"), ""
    )
    given = pc.utf8_trim_whitespace(given)
    bare = numpy_of(pc.equal(given, ""), 0).astype(bool)
    years: npt.NDArray[np.int64] = numpy_of(
        pc.if_else(pa.array(bare), pa.scalar("0"), given).cast(pa.int64()), 0
    ).copy()
    if bare.any():
        years[bare] = calendar.years(months[bare], days[bare])
        tally.note("year_assumed", int(bare.sum()) if assumed else 0)
    parts = [pa.array(part).cast(pa.string()) for part in (years, months, days)]
    year, month, day = (pc.utf8_lpad(p, w, "0") for p, w in zip(parts, (4, 2, 2), strict=True))
    date = pc.binary_join_element_wise(year, month, day, "-")
    return pc.binary_join_element_wise(date, pc.struct_field(found, "clock"), " ")


IPTABLES = Format("iptables", "Linux firewall log (iptables, UFW)", sniff, read)
