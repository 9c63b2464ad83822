"""Times of packets: columns of epoch numbers or ISO 8601 texts to exact UTC nanoseconds."""

import re
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from darkgnn_core.errors import TraceError
from darkgnn_core.traces.addresses import Bytes, Ints, Mask, text_buffers
from darkgnn_core.traces.packets import DAY_NS

EARLIEST_NS = 788_918_400 * 10**9  # 1995-01-01: no trace of a telescope is older
DECIMALS = {"s": 9, "ms": 6, "us": 3, "ns": 0}
UNITS = (*DECIMALS, "text")
MINUTE_NS = 60 * 10**9
_NUMBER = r"^[0-9]{1,19}(?:\.[0-9]{0,30})?$"
_POWER = re.compile(r"[0-9]{1,19}(?:\.[0-9]{0,30})?[eE][+-]?[0-9]{1,2}")
_ISO_HEAD = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}", re.IGNORECASE | re.ASCII)
_ISO_TAIL = (
    r"^(?:[.,](?P<fraction>[0-9]{1,9})[0-9]*)?"
    r" ?(?P<zone>[Zz]|UTC|GMT|[+-][0-9]{2}:?[0-9]{2}|[+-][0-9]{2})?$"
)


@dataclass
class Times:
    """Parsed times.

    Attributes:
        ns: int64 (n,) UTC nanoseconds, 0 where bad.
        good: bool (n,) whether a row has a time from 1995-01-01 to a day from now.
        notes: What is worth telling, by code (`dst_fold`, `dst_gap`).
    """

    ns: Ints
    good: Mask
    notes: Counter[str] = field(default_factory=Counter)


def latest_ns() -> int:
    """Return the latest time a packet may have: a day from now, in UTC nanoseconds."""
    return time.time_ns() + DAY_NS


def in_range(ns: Ints) -> Mask:
    """Say which times lie from 1995-01-01 to a day from now."""
    return (ns >= EARLIEST_NS) & (ns <= latest_ns())


def unit_of(samples: Sequence[str]) -> str | None:
    """Return the unit most sample times are written in, or None where none fits.

    A packet's time lies from 1995 to now, and two units are a factor of 1,000 apart, so one
    number fits one unit at most.

    >>> unit_of(["1700000000.25"]), unit_of(["1700000000123"]), unit_of(["2023-11-14 22:13:20"])
    ('s', 'ms', 'text')
    """
    votes = Counter(unit for unit in map(_unit_of_one, samples) if unit)
    return votes.most_common(1)[0][0] if votes else None


def _unit_of_one(text: str) -> str | None:
    text = text.strip()
    if _ISO_HEAD.match(text):
        return "text"
    for unit, decimals in DECIMALS.items():
        ns = _by_decimal(text, decimals)
        if ns is not None and EARLIEST_NS <= ns <= latest_ns():
            return unit
    return None


def _by_decimal(text: str, decimals: int) -> int | None:
    """Return one number, powers of ten allowed, as nanoseconds; None where it is no number."""
    if not (re.fullmatch(_NUMBER, text, re.ASCII) or _POWER.fullmatch(text)):
        return None
    ns = int(Decimal(text).scaleb(decimals))
    return ns if ns < 2**63 else None


def epoch_times(texts: pa.StringArray, unit: str) -> Times:
    """Parse numbers since 1970, digit by digit, so that no nanosecond is lost to a float.

    Digits beyond a nanosecond are cut off. Signs, hexadecimal, NaN and times out of range are bad.

    Args:
        texts: Decimal numbers; nulls are bad.
        unit: `s`, `ms`, `us` or `ns`.
    """
    decimals = DECIMALS[unit]
    offsets, data = text_buffers(texts)
    lengths = np.diff(offsets)
    dots = _dot_places(offsets, data)
    ns = np.zeros(len(texts), np.int64)
    good = np.zeros(len(texts), bool)
    for length, dot in _shapes(lengths, dots):
        rows = np.flatnonzero((lengths == length) & (dots == dot))
        ns[rows], good[rows] = _of_shape(data, offsets[rows], length, dot, decimals)
    _rescue_powers(texts, ns, good, decimals)
    good &= in_range(ns)
    ns[~good] = 0
    return Times(ns, good)


def _dot_places(offsets: Ints, data: Bytes) -> Ints:
    """Return where in each text its first full stop is, or -1."""
    dots = np.flatnonzero(data[offsets[0] : offsets[-1]] == ord(".")) + offsets[0]
    after = np.searchsorted(dots, offsets[:-1])
    padded = np.append(dots, np.iinfo(np.int64).max)
    return np.where(padded[after] < offsets[1:], padded[after] - offsets[:-1], -1)


def _shapes(lengths: Ints, dots: Ints) -> list[tuple[int, int]]:
    """Return the distinct (length, place of the full stop) of texts that may be times."""
    if not len(lengths):
        return []
    if (lengths == lengths[0]).all() and (dots == dots[0]).all():
        codes = np.array([lengths[0] * 64 + dots[0] + 1])
    else:
        codes = np.unique(np.minimum(lengths, 63) * 64 + np.minimum(dots, 62) + 1)
    return [(int(c) // 64, int(c) % 64 - 1) for c in codes if 0 < int(c) // 64 < 50]


def _of_shape(data: Bytes, starts: Ints, length: int, dot: int, decimals: int) -> tuple[Ints, Mask]:
    """Parse texts that all have the same length and the full stop at the same place."""
    whole = length if dot < 0 else dot
    ns = np.zeros(len(starts), np.int64)
    good = np.full(len(starts), 0 < whole <= 19 - decimals)
    kept = 0
    for place in range(length):
        if place == dot:
            continue
        digit = data[starts + place] - np.uint8(48)
        good &= digit <= 9
        if place < whole or kept < decimals:
            kept += place >= whole
            ns *= 10
            ns += digit
    ns *= 10 ** (decimals - kept)
    return ns, good


def _rescue_powers(texts: pa.StringArray, ns: Ints, good: Mask, decimals: int) -> None:
    """Parse, one at a time, the rows that are written with a power of ten or with spaces."""
    for row in np.flatnonzero(~good):
        text = texts[int(row)].as_py()
        value = None if text is None or len(text) > 64 else _by_decimal(text.strip(), decimals)
        if value is not None:
            ns[row], good[row] = value, True


def text_times(texts: pa.StringArray, timezone: str | None, *, where: str) -> Times:
    """Parse ISO 8601 times such as `2013-03-03 21:53:59.25+01:00`.

    Rules for times without a zone: the earlier of the two hours where a clock was set back (noted
    `dst_fold`), and an hour that never was is read with the offset before the gap (`dst_gap`).

    Args:
        texts: Times; nulls are bad. `24:00:00` is the end of its day, a 60th second is bad.
        timezone: IANA name for times without a zone.
        where: What messages call the file.

    Raises:
        TraceError: `TIMEZONE` where times have no zone and none is given, or it is unknown;
            `TIMES-MIXED` where only some have one.
    """
    offsets, data = text_buffers(texts)
    starts, lengths = offsets[:-1], np.diff(offsets)
    local, good = _calendar(data, starts, lengths)
    if texts.null_count:
        good &= texts.is_valid().to_numpy(zero_copy_only=False)
    fraction, zone, fits = _tails(texts, lengths, good)
    good &= fits
    zoned = good & (zone != NO_ZONE)
    bare = good & (zone == NO_ZONE)
    if zoned.any() and bare.any():
        raise TraceError(
            f"{where}: some times have a zone and some have none (for example "
            f"{_example(texts, zoned)} and {_example(texts, bare)}). Write them all alike.",
            code="TIMES-MIXED",
        )
    ns = local * 10**9 + fraction
    times = Times(ns, good)
    if zoned.any():
        ns[zoned] -= zone[zoned] * 10**9
    if bare.any():
        shifts, times.notes = local_offsets(local[bare], timezone, where=where)
        ns[bare] -= shifts * 10**9
    times.good &= in_range(ns)
    ns[~times.good] = 0
    return times


NO_ZONE = -(2**40)


def _example(texts: pa.StringArray, rows: Mask) -> str:
    return repr(texts[int(np.flatnonzero(rows)[0])].as_py())


def _calendar(data: Bytes, starts: Ints, lengths: Ints) -> tuple[Ints, Mask]:
    """Read `YYYY-MM-DD hh:mm:ss` at the start of each text, as seconds since 1970."""
    good = lengths >= 19
    safe = np.where(good, starts, 0)
    padded = data if len(data) >= 19 else np.pad(data, (0, 19 - len(data)))

    def number(place: int, digits: int) -> Ints:
        value = np.zeros(len(safe), np.int64)
        for at in range(place, place + digits):
            digit = padded[safe + at] - np.uint8(48)
            good[digit > 9] = False
            value = value * 10 + digit
        return value

    for place, allowed in ((4, b"-"), (7, b"-"), (10, b"T t"), (13, b":"), (16, b":")):
        np.logical_and(good, np.isin(padded[safe + place], list(allowed)), out=good)
    year, month, day = number(0, 4), number(5, 2), number(8, 2)
    hour, minute, second = number(11, 2), number(14, 2), number(17, 2)
    good &= (month >= 1) & (month <= 12) & (day >= 1) & (year >= 1970)
    midnight = (hour == 24) & (minute == 0) & (second == 0)
    good &= ((hour <= 23) | midnight) & (minute <= 59) & (second <= 59)
    days = days_since_1970(np.where(good, year, 1970), np.where(good, month, 1))
    next_month = days_since_1970(
        np.where(good, year + month // 12, 1970), np.where(good, month % 12 + 1, 2)
    )
    good &= day <= next_month - days
    return (days + day - 1) * 86_400 + hour * 3_600 + minute * 60 + second, good


def days_since_1970(year: Ints, month: Ints) -> Ints:
    """Return the days from 1970-01-01 to the first of each month."""
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    return months.astype("datetime64[D]").astype(np.int64)


def _tails(texts: pa.StringArray, lengths: Ints, good: Mask) -> tuple[Ints, Ints, Mask]:
    """Return nanoseconds, zone offset in seconds and fitness of what follows the seconds."""
    rows = len(texts)
    if (lengths[good] == 19).all():
        return np.zeros(rows, np.int64), np.full(rows, NO_ZONE), np.ones(rows, bool)
    tails = pc.extract_regex(pc.utf8_slice_codeunits(texts, 19), _ISO_TAIL)
    fits = tails.is_valid().to_numpy(zero_copy_only=False)
    digits = pc.utf8_rpad(pc.struct_field(tails, "fraction"), 9, "0")
    fraction = pc.fill_null(digits.cast(pa.int64()), 0).to_numpy(zero_copy_only=False)
    zones = pc.fill_null(pc.struct_field(tails, "zone"), "").dictionary_encode()
    seconds = np.array([_zone_seconds(z) for z in zones.dictionary.to_pylist()] or [0], np.int64)
    return fraction, seconds[zones.indices.to_numpy()], fits


def _zone_seconds(zone: str) -> int:
    if not zone:
        return NO_ZONE
    if zone[0] not in "+-":
        return 0
    digits = zone[1:].replace(":", "").ljust(4, "0")
    seconds = int(digits[:2]) * 3_600 + int(digits[2:]) * 60
    return -seconds if zone[0] == "-" else seconds


def local_offsets(local_s: Ints, timezone: str | None, *, where: str) -> tuple[Ints, Counter[str]]:
    """Return the UTC offset in seconds of each local time, and the DST cases met."""
    if timezone is None:
        raise TraceError(
            f"{where}: its times carry no zone. Say which it is, for example UTC or Europe/Rome "
            "(command line: --timezone UTC).",
            code="TIMEZONE",
        )
    check_timezone(timezone)
    notes: Counter[str] = Counter()
    if timezone == "UTC":
        return np.zeros(len(local_s), np.int64), notes
    minutes, where_minute, counts = np.unique(
        local_s // 60, return_inverse=True, return_counts=True
    )
    offsets = np.zeros(len(minutes), np.int64)
    for i, minute in enumerate(minutes.tolist()):
        offsets[i], case = _minute_offset(timezone, minute)
        if case:
            notes[case] += int(counts[i])
    return offsets[where_minute], notes


def check_timezone(timezone: str) -> None:
    """Raise `TraceError` `TIMEZONE` unless `timezone` is an IANA name."""
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise TraceError(
            f"timezone: {timezone!r} is not a known zone. Give an IANA name such as 'Europe/Rome'.",
            code="TIMEZONE",
        ) from error


@lru_cache(maxsize=1 << 16)
def _minute_offset(timezone: str, minute: int) -> tuple[int, str]:
    zone = ZoneInfo(timezone)
    local = datetime(1970, 1, 1, tzinfo=zone) + timedelta(minutes=minute)
    before = local.replace(fold=0).utcoffset() or timedelta()
    after = local.replace(fold=1).utcoffset() or timedelta()
    if before == after:
        return int(before.total_seconds()), ""
    utc = local.replace(fold=0).astimezone(UTC)
    exists = utc.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None)
    return int(before.total_seconds()), "dst_fold" if exists else "dst_gap"


def other_unit(text: str, unit: str) -> str | None:
    """Return the unit in which a time that is bad in `unit` would be good, or None."""
    found = _unit_of_one(text)
    return found if found != unit else None
