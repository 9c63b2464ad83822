"""What is asked wherever hosts are labelled by hand: the label, how sure, for which day, why."""

from dataclasses import dataclass

import streamlit as st

from darkgnn_core.labels.aliases import read_aliases
from darkgnn_core.labels.classes import label_classes
from darkgnn_core.workspace import Workspace
from pages.shared import loaders


@dataclass(frozen=True)
class Wanted:
    """What is to be said of the addresses.

    Attributes:
        label: The label; empty while none is chosen.
        confidence: 0 to 1, or None where not said.
        day: UTC day it is bound to, or None for good.
        reason: Why.
    """

    label: str
    confidence: float | None
    day: str | None
    reason: str


def ask_label(workspace: Workspace, prefix: str, turn: int | str) -> Wanted:
    """Ask for a label and what goes with it.

    Args:
        workspace: Whose labels are offered.
        prefix: Start of the keys of the widgets.
        turn: End of them; a new one empties the fields.
    """
    left, middle, right = st.columns([2, 1, 1])
    label = left.selectbox(
        "Label",
        known_labels(workspace),
        index=None,
        key=f"{prefix}_text_{turn}",
        accept_new_options=True,
        placeholder="Choose a label or type a new one",
        help="Up to 64 visible characters. 'unknown' is none: take the label back instead.",
    )
    sure = middle.number_input(
        "How sure, in %",
        0,
        100,
        value=None,
        step=5,
        key=f"{prefix}_sure_{turn}",
        placeholder="not said",
        help="Kept with the label for who reads it; it does not decide which label wins.",
    )
    day = right.date_input(
        "Only for the day",
        value=None,
        key=f"{prefix}_day_{turn}",
        format="YYYY-MM-DD",
        help="Empty: for good. An address may belong to someone else next month.",
    )
    reason = st.text_input(
        "Why",
        key=f"{prefix}_reason_{turn}",
        max_chars=2000,
        placeholder="What you saw, in words",
        help="Kept with the label and shown in the history. It may be left empty.",
    )
    confidence = None if sure is None else sure / 100
    return Wanted(label or "", confidence, None if day is None else day.isoformat(), reason)


def known_labels(workspace: Workspace) -> list[str]:
    """Return the labels there are: of the classes, of names, and of hosts seen."""
    with workspace.catalogue() as connection:
        names = {*label_classes(connection), *read_aliases(connection).values()}
    found = loaders.label_coverage(workspace)
    return sorted(names | set(found.labels))
