"""Aliases: which names are one organisation. A seed, and the edits of the analysts over it."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from darkgnn_core.errors import LabelError
from darkgnn_core.labels.storing import writing
from darkgnn_core.labels.texts import clean_label, fold

_GROUPS = {
    "driftnet": ("cyber casa", "cyber casa ltd", "internet measurement", "driftnet io"),
    "palo alto": (
        "xpanse", "expanse", "cortex xpanse", "palo alto networks", "paloaltonetworks",
        "paloalto", "qadium", "expanseinc",
    ),
    "internetcensus": ("internet census", "internet census group", "bitsight"),
    "umich": ("u mich", "university of michigan", "umich edu"),
    "shadowserver": (
        "shadow server", "shadowserver foundation", "the shadowserver foundation",
        "shadowserver org",
    ),
    "alphastrike": (
        "alpha strike", "alpha strike labs", "alphastrike labs", "alphastrike research",
        "alphastrikelabs",
    ),
    "netsystems": (
        "netsystemsresearch", "net systems research", "net systems", "netsystems research",
    ),
    "censys": ("censys io", "censys inc", "censys scanner"),
    "shodan": ("shodan io",),
    "rapid7": ("rapid 7", "rapid7 labs", "project sonar", "sonar"),
    "onyphe": ("onyphe io", "onyphe net"),
    "binaryedge": ("binary edge", "binaryedge ninja", "binaryedge io"),
    "securitytrails": ("security trails",),
    "intrinsec": ("intrinsec com",),
    "ipip": ("ipip net",),
    "stretchoid": ("stretchoid com",),
    "criminalip": ("criminal ip", "criminalip com"),
    "leakix": ("leak ix", "leakix net"),
    "recyber": ("recyber net",),
    "coalition": ("coalition signals intelligence",),
    "kudelski": ("kudelskisecurity", "kudelski security"),
    "rwth aachen": ("rwth", "rwth aachen university"),
    "netsecscan": ("netsecscan net",),
    "shadowforce": ("shadowforce io",),
    "modat": ("modat io", "modat scanner"),
    "internet cleanup foundation": ("internet cleanup",),
    "mirai": ("mirai like", "mirai botnet"),
    "bruteforcer": ("brute forcer", "brute forcers", "bruteforcers", "brute force"),
    "spammer": ("spammers",),
    "exploiter": ("exploiters",),
    "sinkhole": ("sinkholes",),
}  # fmt: skip

SEED: Mapping[str, str] = MappingProxyType(
    {alias: label for label, names in _GROUPS.items() for alias in names}
)
"""Alias to label, both folded. Source: names met in public scanner lists, and issue 2.

Shadowforce (shadowforce.io) is another organisation than Shadowserver, so it is no alias of it.
"""


@dataclass(frozen=True)
class Alias:
    """One line of the alias table.

    Attributes:
        alias: Folded name.
        label: Folded name it stands for, one step on.
        resolves_to: Where the chain of aliases ends.
        origin: `seed`, or `edited` by an analyst.
    """

    alias: str
    label: str
    resolves_to: str
    origin: Literal["seed", "edited"]


def read_aliases(connection: sqlite3.Connection) -> dict[str, str]:
    """Return every alias with the label at the end of its chain."""
    steps = _steps(connection)
    return {alias: _end_of(alias, steps) for alias in steps}


def list_aliases(connection: sqlite3.Connection) -> list[Alias]:
    """Return the alias table, by label and alias."""
    edits = _edits(connection)
    steps = _steps(connection)
    found = [
        Alias(alias, label, _end_of(alias, steps), "edited" if alias in edits else "seed")
        for alias, label in steps.items()
    ]
    return sorted(found, key=lambda line: (line.resolves_to, line.alias))


def set_alias(connection: sqlite3.Connection, alias: str, label: str) -> None:
    """Make a name stand for a label; chains are followed.

    Raises:
        LabelError: `ALIAS-CYCLE` where the label already leads back to the alias; `LABEL`.
    """
    name, target = fold(clean_label(alias)), fold(clean_label(label))
    with writing(connection):
        if name == target or _end_of(target, _steps(connection)) == name:
            raise LabelError(
                f"ALIAS-CYCLE: {target!r} already stands for {name!r}. Remove that alias first.",
                code="ALIAS-CYCLE",
            )
        _write(connection, name, target)


def remove_alias(connection: sqlite3.Connection, alias: str) -> None:
    """Let a name stand for itself again.

    Raises:
        LabelError: `NO-ALIAS` where it is none.
    """
    name = fold(alias)
    with writing(connection):
        if name not in _steps(connection):
            raise LabelError(f"NO-ALIAS: {name!r} is no alias.", code="NO-ALIAS")
        if name in SEED:
            _write(connection, name, name)  # a name that stands for itself hides the seed's line
        else:
            connection.execute("DELETE FROM label_alias WHERE alias = ?", (name,))


def _edits(connection: sqlite3.Connection) -> dict[str, str]:
    return dict(map(tuple, connection.execute("SELECT alias, label FROM label_alias")))


def _steps(connection: sqlite3.Connection) -> dict[str, str]:
    steps = {**SEED, **_edits(connection)}
    return {alias: label for alias, label in steps.items() if alias != label}


def _end_of(label: str, steps: Mapping[str, str]) -> str:
    seen = {label}
    while (following := steps.get(label)) is not None and following not in seen:
        seen.add(following)
        label = following
    return label


def _write(connection: sqlite3.Connection, alias: str, label: str) -> None:
    connection.execute(
        "INSERT INTO label_alias (alias, label) VALUES (?, ?) "
        "ON CONFLICT (alias) DO UPDATE SET label = excluded.label",
        (alias, label),
    )
