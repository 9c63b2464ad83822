"""Lists of values as an analyst types them: `0, 2, 5-8`."""

import re
from typing import TypeVar

from darkgnn_core.errors import ConfigError

Number = TypeVar("Number", int, float)
MOST = 200
RANGE = re.compile(r"(\d+)\s*-\s*(\d+)")


def whole_numbers(text: str, what: str) -> list[int]:
    """Return the whole numbers of a list such as `0, 2, 5-8`, each once, in the order given.

    Args:
        text: What was typed.
        what: What the numbers are, for the message.

    Raises:
        ConfigError: `CONFIG` where a part is neither a number nor a range, or there are too many.

    >>> whole_numbers("0, 2, 5-7, 2", "seeds")
    [0, 2, 5, 6, 7]
    """
    found: dict[int, None] = {}
    for part in _parts(text, what):
        among = RANGE.fullmatch(part)
        if among:
            first, last = int(among[1]), int(among[2])
            if not first <= last < first + MOST:
                raise _no_list(part, what)
            found |= dict.fromkeys(range(first, last + 1))
        elif part.isdecimal() and len(part) < 12:
            found[int(part)] = None
        else:
            raise _no_list(part, what)
    return _not_too_many(list(found), what)


def numbers(text: str, what: str) -> list[float]:
    """Return the numbers of a list such as `0.1, 1e-3`, each once, in the order given.

    Raises:
        ConfigError: `CONFIG` where a part is no number, or there are too many.

    >>> numbers("1e-3, 0.01", "learning rates")
    [0.001, 0.01]
    """
    found: dict[float, None] = {}
    for part in _parts(text, what):
        try:
            found[float(part)] = None
        except ValueError as error:
            raise _no_list(part, what) from error
    return _not_too_many(list(found), what)


def _parts(text: str, what: str) -> list[str]:
    parts = [part.strip() for part in text.replace(";", ",").split(",") if part.strip()]
    if not parts:
        raise ConfigError(f"{what}: give one or more, with commas between.", code="CONFIG")
    return parts


def _not_too_many(values: list[Number], what: str) -> list[Number]:
    if len(values) > MOST:
        raise ConfigError(f"{what}: at most {MOST}, got {len(values):,}.", code="CONFIG")
    return values


def _no_list(part: str, what: str) -> ConfigError:
    return ConfigError(
        f"{what} must be numbers with commas between, such as 0, 2, 5-8; got {part!r}.",
        code="CONFIG",
    )
