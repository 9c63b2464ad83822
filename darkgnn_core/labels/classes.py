"""What kind of sender a label means, for the "hide known" switch: editable in the app."""

import sqlite3
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, get_args

import numpy as np

from darkgnn_core.catalogue import read_setting, write_setting
from darkgnn_core.errors import LabelError
from darkgnn_core.labels.aliases import read_aliases
from darkgnn_core.labels.opinions import Mask
from darkgnn_core.labels.resolving import Resolved
from darkgnn_core.labels.storing import writing
from darkgnn_core.labels.texts import clean_label, fold

LabelClass = Literal["known", "malicious", "other"]
SETTING = "label_classes"

_KNOWN = (
    "alphastrike", "ant", "anssi", "berkeley", "binaryedge", "bufferover", "censys", "circl",
    "coalition", "colostate", "criminalip", "cybergreen", "cyberresilience", "cypex", "driftnet",
    "f6", "greenbone", "internet cleanup foundation", "internetcensus", "internettl",
    "intrinsec", "ipinfo", "ipip", "isi", "kudelski", "leakix", "ltx71", "modat", "netsecscan",
    "netsystems", "nyu osiris laboratory", "onyphe", "openportstats", "palo alto",
    "probethenet", "projectblindferret", "rapid7", "recyber", "research scanner", "riskiq",
    "rwth aachen", "sba research", "securitytrails", "shadowforce", "shadowserver", "shodan",
    "skipa", "stretchoid", "umich",
)  # fmt: skip
_MALICIOUS = ("mirai", "bruteforcer", "spammer", "exploiter")

SEED: Mapping[str, LabelClass] = MappingProxyType(
    {**dict.fromkeys(_KNOWN, "known"), **dict.fromkeys(_MALICIOUS, "malicious")}
)
"""Class by label. `known`: an organisation that scans in the open; a label in neither is `other`
and is never hidden. Source: the classes of paper section 3.2, and names in public lists."""


def label_classes(connection: sqlite3.Connection) -> dict[str, LabelClass]:
    """Return the class of every label that has one: the seed, and the edits over it."""
    edits: dict[str, LabelClass] = read_setting(connection, SETTING, {})
    return {**SEED, **edits}


def set_label_class(connection: sqlite3.Connection, label: str, label_class: LabelClass) -> None:
    """Say what kind of sender a label means.

    Raises:
        LabelError: `CLASS`, `LABEL`.
    """
    if label_class not in get_args(LabelClass):
        message = f"CLASS: expected {', '.join(get_args(LabelClass))}; got {label_class!r}."
        raise LabelError(message, code="CLASS")
    name = fold(clean_label(label))
    with writing(connection):
        final = read_aliases(connection).get(name, name)
        edits = read_setting(connection, SETTING, {})
        write_setting(connection, SETTING, edits | {final: label_class})


def labels_of_class(connection: sqlite3.Connection, label_class: LabelClass) -> list[str]:
    """Return the labels of a class that is not `other`, sorted."""
    classes = label_classes(connection)
    return sorted(label for label, each in classes.items() if each == label_class)


def class_mask(connection: sqlite3.Connection, resolved: Resolved, label_class: LabelClass) -> Mask:
    """Return bool (n,): which hosts have a label of that class.

    `class_mask(connection, resolved, "known")` is what the "hide known" switch hides. Unknown
    hosts are of no class.
    """
    classes = label_classes(connection)
    of_code = [classes.get(name, "other") == label_class for name in resolved.names]
    of_code[0] = False
    return np.array(of_code, bool)[resolved.codes]
