"""Text of labels: what may be one, when two are the same, and bytes of lists as text."""

import re
import unicodedata
from datetime import date

from darkgnn_core.errors import LabelError

LABEL_CHARACTERS = 64
NAME_CHARACTERS = 120
UNKNOWN = "unknown"
"""What a host without a label is called; a list can't give it as a label."""

LIST_BYTES = 32 << 20
LINE_CHARACTERS = 1 << 20
LINES = 1_000_000
"""Lists are read in this process: these two bound its memory and time (`docs/bad_inputs.md`)."""

FIELD_CHARACTERS = 64 << 10

# Printable by Unicode's rules, yet drawn as nothing: fillers, a joiner, blank braille, selectors.
_INVISIBLE = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
) | frozenset(chr(code) for code in range(0xE0100, 0xE01F0))
_SEPARATORS = re.compile(r"[\s_./-]+")
_SELECTORS = re.compile("[\ufe00-\ufe0f]")


def clean_label(text: str) -> str:
    """Return a label as it is kept: NFC, trimmed, 1 to 64 visible characters.

    Raises:
        LabelError: `LABEL`, where it is empty, too long, or holds characters that cannot be seen
            (zero width, direction marks, control characters).
    """
    label = unicodedata.normalize("NFC", text[: 4 * LABEL_CHARACTERS].strip())
    limits = f"a label has 1 to {LABEL_CHARACTERS} visible characters"
    if len(text) > 4 * LABEL_CHARACTERS or not 1 <= len(label) <= LABEL_CHARACTERS:
        found = "an empty one" if not text.strip() else f"one of {len(text):,}: {shown(text)}"
        raise LabelError(f"{limits}, got {found}.", code="LABEL")
    if not is_visible(label):
        raise LabelError(f"{limits}, got a hidden one in {shown(text)}.", code="LABEL")
    return label


def is_visible(text: str) -> bool:
    """Say whether every character of a text is drawn: no control, format or filler character."""
    return text.isprintable() and _INVISIBLE.isdisjoint(text)


def fold(label: str) -> str:
    """Return the form in which labels are compared: no case, one space for any separators.

    >>> fold("Palo_Alto"), fold("internet-census"), fold("cyber.casa")
    ('palo alto', 'internet census', 'cyber casa')
    """
    lowered = unicodedata.normalize("NFC", _SELECTORS.sub("", label).casefold())
    return _SEPARATORS.sub(" ", lowered).strip() or lowered.strip()


def parse_day(text: str) -> str:
    """Return a day as it is kept, `YYYY-MM-DD`.

    Raises:
        LabelError: `VALUE`, where it is none.
    """
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) is None:
            raise ValueError(text)
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        message = f"a day must be YYYY-MM-DD, got {shown(text)}."
        raise LabelError(message, code="VALUE") from error


def clean_name(text: str) -> str:
    """Return the name of a file or list for showing: visible characters, at most 120."""
    cut = unicodedata.normalize("NFC", text[: 4 * NAME_CHARACTERS]).strip()
    seen = "".join(character if is_visible(character) else "?" for character in cut)
    return seen[:NAME_CHARACTERS] or "list"


def shown(text: str, limit: int = 40) -> str:
    """Return a text as a message may quote it: ASCII, escaped, short."""
    return ascii(text[:limit]) + ("..." if len(text) > limit else "")


def decode(content: bytes, name: str, *, has_lines: bool = True) -> str:
    """Return the bytes of a list as text: UTF-8, line ends as LF, without a byte order mark.

    Args:
        content: The whole file.
        name: What messages call it.
        has_lines: Whether it is a list of lines, which may not be too long or too many.

    Raises:
        LabelError: `EMPTY`; `LIMIT`, above 32 MiB, 1,000,000 lines or a line above 1 MiB;
            `ENCODING`, where it is not UTF-8 or holds a NUL, with the byte.
    """
    if len(content) > LIST_BYTES:
        message = (
            f"{name}: LIMIT: lists of up to {LIST_BYTES:,} bytes are read, got {len(content):,}."
        )
        raise LabelError(message, code="LIMIT")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _encoding(name, 0, "looks like UTF-16")
    text = _decode_utf8(content, name).removeprefix("\ufeff")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise LabelError(f"{name}: EMPTY: the file has no text.", code="EMPTY")
    if has_lines:
        _check_lines(text, name)
    return text


def _check_lines(text: str, name: str) -> None:
    if text.count("\n") > LINES:
        raise LabelError(f"{name}: LIMIT: more than {LINES:,} lines.", code="LIMIT")
    if max(map(len, text.split("\n"))) > LINE_CHARACTERS:
        message = f"{name}: LIMIT: a line is longer than {LINE_CHARACTERS:,} characters."
        raise LabelError(message, code="LIMIT")


def _decode_utf8(content: bytes, name: str) -> str:
    nul = content.find(0)
    if nul >= 0:
        raise _encoding(name, nul, "is NUL")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _encoding(name, error.start, "is not UTF-8") from error


def _encoding(name: str, position: int, what: str) -> LabelError:
    return LabelError(
        f"{name}: ENCODING at byte {position:,}: it {what}. Save the file as UTF-8 and try again.",
        code="ENCODING",
    )
