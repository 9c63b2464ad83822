"""MISP warning lists: JSON files of addresses and prefixes of one organisation.

Source: the format of MISP/misp-warninglists (`name`, `description`, `list`, `type`, `version`).
"""

import json
import re
from pathlib import PurePath
from typing import Any

from darkgnn_core.errors import LabelError
from darkgnn_core.labels.claims import Claim, ClaimCollector, ListReport
from darkgnn_core.labels.targets import BadTarget, parse_target
from darkgnn_core.labels.texts import LINES, clean_name, decode, shown

# What list names say around the organisation, taken off from either end.
_BEFORE = re.compile(r"(?i)^list of (?:published|known)? ?(?:ip[- ](?:address )?ranges for )?")
_AFTER = re.compile(
    r"(?i)[ ,]*(?:ip[- ](?:address(?:es)?|ranges?)\b.*|pot\. used for.*|used for.*)$"
)
_ROLE = re.compile(r"(?i)(?<=\S) scanners?$")
_FILE_ROLE = re.compile(r"(?i)[-_ ](?:nt-)?(?:security-|ssh-)?scann(?:ing|ers?)$")


def read_misp(
    content: bytes, *, name: str, label: str | None = None, allow_wide: bool = False
) -> tuple[list[Claim], ListReport]:
    """Read one MISP warning list; entries that are no IPv4 address or prefix are counted.

    Args:
        content: The file's bytes.
        name: Name of the file, for messages and where the list has no name of its own.
        label: Label for all of it; None takes the organisation from the list's name.
        allow_wide: Keep prefixes wider than /24.

    Returns:
        The claims, and the report; skipped `ipv6`, `hostname` and so on.

    Raises:
        LabelError: `ENCODING`, `EMPTY`, `LIMIT`, `MISP` where it is no such list.
    """
    name = clean_name(name)
    value = _parse(decode(content, name, has_lines=False), name)
    said = label if label is not None else organisation_of(value, name)
    evidence = _evidence_of(value, name)
    collector = ClaimCollector(allow_wide=allow_wide)
    for row, entry in enumerate(value["list"], start=1):
        if not isinstance(entry, str):
            collector.report.skip("not_text", row=row)
            continue
        try:
            target = parse_target(entry, mask_host_bits=True)
        except BadTarget as error:
            collector.report.skip(error.reason, row=row)
            continue
        collector.add_or_skip(target, said, row=row, evidence=evidence)
    return collector.finish()


def organisation_of(value: dict[str, Any], name: str) -> str:
    """Return the organisation that a list is about: from its name, else from its file's name.

    >>> organisation_of({"name": "Shodan IP-Ranges, pot. used for Scanning"}, "x.json")
    'Shodan'
    >>> organisation_of({}, "censys-nt-scanning.json")
    'censys'
    """
    title = value.get("name")
    if isinstance(title, str):
        bare = _ROLE.sub("", _AFTER.sub("", _BEFORE.sub("", title.strip())))
        if 1 <= len(bare.split()) <= 4:
            return _keep_generic(bare, title)
    return _FILE_ROLE.sub("", PurePath(name).stem)


def _keep_generic(bare: str, title: str) -> str:
    """Keep "Research scanner" whole: without its last word it would name nobody."""
    return "Research scanner" if bare.casefold() == "research" else bare or title


def _parse(text: str, name: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise LabelError(f"{name}: MISP: not JSON ({error}).", code="MISP") from error
    if not isinstance(value, dict) or not isinstance(value.get("list"), list):
        message = f"{name}: MISP: expected an object with a `list`, found {shown(text[:40])}."
        raise LabelError(message, code="MISP")
    if len(value["list"]) > LINES:
        raise LabelError(f"{name}: LIMIT: more than {LINES:,} entries.", code="LIMIT")
    return value


def _evidence_of(value: dict[str, Any], name: str) -> str:
    title, version = value.get("name"), value.get("version")
    told = f", version {version}" if isinstance(version, int) and version < 10**12 else ""
    return f"MISP warning list {clean_name(title) if isinstance(title, str) else name}{told}"
