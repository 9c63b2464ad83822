"""Time bins: which packets belong to one snapshot."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Self

from darkgnn_core.errors import ConfigError
from darkgnn_core.traces.packets import DAY_NS

HOUR_NS = DAY_NS // 24
_EPOCH = date(1970, 1, 1)
_KEY = re.compile(r"(\d{4}-\d{2}-\d{2})(?:T(\d{2}))?")


def start_of_day(day: date) -> int:
    """Return the first nanosecond of a UTC day.

    >>> start_of_day(date(1970, 1, 2))
    86400000000000
    """
    return (day - _EPOCH).days * DAY_NS


def bin_index(day: date, hours: int) -> int:
    """Return the number of the bin of `hours` >= 24 that holds `day`; bins count from 1970-01-01.

    >>> bin_index(date(1970, 1, 4), 48)
    1
    """
    return (day - _EPOCH).days // (hours // 24)


@dataclass(frozen=True, order=True)
class Bin:
    """A stretch of UTC time: from `start_ns`, included, to `end_ns`, not included.

    Attributes:
        start_ns: First nanosecond since 1970, UTC.
        hours: Width in hours.
    """

    start_ns: int
    hours: int = 24

    def __post_init__(self) -> None:
        """Check once that the bin starts on an hour and has a width."""
        if self.hours < 1 or self.start_ns % HOUR_NS:
            raise ConfigError(
                f"a bin starts on a full hour and lasts 1 hour or more, got start {self.start_ns} "
                f"and {self.hours} hours.",
                code="BIN",
            )

    @property
    def end_ns(self) -> int:
        """First nanosecond after the bin."""
        return self.start_ns + self.hours * HOUR_NS

    @property
    def key(self) -> str:
        """Name of the bin: its UTC day, with the hour it starts at where it is part of a day.

        >>> Bin(0).key, Bin(6 * HOUR_NS, 6).key, Bin(0, 48).key
        ('1970-01-01', '1970-01-01T06', '1970-01-01')
        """
        start = datetime.fromtimestamp(self.start_ns // 10**9, tz=UTC)
        return f"{start:%Y-%m-%d}" if self.hours % 24 == 0 else f"{start:%Y-%m-%dT%H}"

    @property
    def days(self) -> tuple[date, ...]:
        """UTC days that the bin touches, whose packet files it needs."""
        first, last = self.start_ns // DAY_NS, (self.end_ns - 1) // DAY_NS
        return tuple(_EPOCH + timedelta(days=number) for number in range(first, last + 1))

    @classmethod
    def parse(cls, key: str, hours: int = 24) -> Self:
        """Return the bin of that name and width.

        Raises:
            ConfigError: `BIN` where `key` is no name of a bin of that width.

        >>> Bin.parse("1970-01-02T06", 6).start_ns // HOUR_NS
        30
        """
        match = _KEY.fullmatch(key)
        try:
            if match is None:
                raise ValueError(key)
            start = start_of_day(date.fromisoformat(match[1])) + int(match[2] or 0) * HOUR_NS
            found = cls(start, hours)
        except ValueError as error:
            raise _no_bin(key, hours) from error
        if found.key != key:
            raise _no_bin(key, hours)
        return found


def _no_bin(key: str, hours: int) -> ConfigError:
    form = "2021-12-12" if hours % 24 == 0 else "2021-12-12T06"
    return ConfigError(
        f"a bin of {hours} hours is called like {form}, got {key!r}.",
        code="BIN",
    )


def bins_of(day: date, bin_hours: int) -> Iterator[Bin]:
    """Yield the bins that hold packets of a UTC day, in time order.

    Bins of a day or less are those within `day`; a longer bin is the one that `day` falls into,
    counted from 1970-01-01, so that the same day always belongs to the same bin.

    >>> [bin.key for bin in bins_of(date(2021, 12, 12), 12)]
    ['2021-12-12T00', '2021-12-12T12']
    """
    if bin_hours < 24:
        start = start_of_day(day)
        for hour in range(0, 24, bin_hours):
            yield Bin(start + hour * HOUR_NS, bin_hours)
    else:
        yield Bin(bin_index(day, bin_hours) * bin_hours * HOUR_NS, bin_hours)
