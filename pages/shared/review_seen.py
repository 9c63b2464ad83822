"""What the views of Review metrics look at, and the choices that they share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from darkgnn_core.charts.review_words import VARIANT_WORDS
from darkgnn_core.evaluation.predictions import DayScores
from darkgnn_core.evaluation.repeats import Repeats
from darkgnn_core.runs import Run
from darkgnn_core.workspace import Workspace
from pages.shared import loaders, review_loaders, state
from pages.shared.feedback import plain
from pages.shared.review_choice import Choice
from pages.shared.review_entries import Kept, label_sizes, scored, variants_of


@dataclass(frozen=True, eq=False)
class Seen:
    """What is looked at.

    Attributes:
        workspace: Whose runs.
        choice: What was asked for.
        kept: The entries whose predictions are there.
        variant: Which of the protocol's settings.
        classes: Labels looked at; None for all.
        found: Scores by the name of the entry.
        sizes: For each day the hosts of every label.
        labels: All labels of the workspace, for their colours.
    """

    workspace: Workspace
    choice: Choice
    kept: tuple[Kept, ...]
    variant: str
    classes: tuple[str, ...] | None
    found: Mapping[str, Repeats]
    sizes: Mapping[str, Mapping[str, int]]
    labels: Sequence[str]


def look_at(workspace: Workspace, choice: Choice, kept: list[Kept]) -> Seen:
    """Ask for setting and classes, and score what is kept."""
    sizes = label_sizes(kept)
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    with left:
        classes = _ask_classes(workspace, sizes)
    with right:
        variant = _ask_variant(kept)
    found = scored(kept, variant, classes)
    labels = loaders.all_labels(workspace)
    return Seen(workspace, choice, tuple(kept), variant, classes, found, sizes, labels)


def _ask_variant(kept: list[Kept]) -> str:
    variants = variants_of(kept[0])
    if len(variants) < 2:
        return variants[0] if variants else ""
    if st.session_state.get("review_variant") not in variants:
        st.session_state["review_variant"] = variants[0]
    chosen = st.selectbox(
        "Which of its settings",
        variants,
        format_func=lambda each: VARIANT_WORDS.get(each, plain(each)),
        key="review_variant",
        help="The protocol was gone through with each of them; one is shown at a time.",
        persist_state="session",
    )
    return str(chosen)


def _ask_classes(
    workspace: Workspace, sizes: Mapping[str, Mapping[str, int]]
) -> tuple[str, ...] | None:
    """Return the classes to look at; None for all."""
    there = sorted({label for day in sizes.values() for label in day})
    known = set(loaders.known_labels(workspace)) if state.is_known_hidden() else set()
    offered = [label for label in there if label not in known]
    now = st.session_state.get("review_classes", [])
    st.session_state["review_classes"] = [each for each in now if each in offered]
    chosen = st.multiselect(
        "Classes",
        offered,
        format_func=plain,
        key="review_classes",
        placeholder="All" if not known else "All but known scanners",
        help="The others are then like hosts without a label: not scored, but one that is told a "
        "class looked at is a false alarm of it. No prediction changes.",
        persist_state="session",
    )
    if known & set(there):
        st.caption(
            f"{len(known & set(there)):,} classes of known scanners are left out: that is the "
            "switch in the sidebar."
        )
    if chosen:
        return tuple(sorted(chosen))
    return tuple(offered) if known & set(there) else None


def ask_run(seen: Seen, key: str) -> tuple[Run, list[DayScores]] | None:
    """Ask for one run, and one draw of it, and return its predictions day by day."""
    members = [
        (run, files)
        for each in seen.kept
        if not each.entry.is_baseline
        for run, files in zip(each.entry.runs, each.files, strict=True)
    ]
    if not members:
        return None
    names = [_told(run, len(members)) for run, _ in members]
    at = 0
    left, right = st.columns([3, 1])
    with left:
        if len(members) > 1:
            at = st.selectbox(
                "Run",
                range(len(members)),
                format_func=lambda each: plain(names[each]),
                key=f"{key}_run",
                help="One run at a time is shown here; seeds are not joined.",
            )
    run, files = members[at]
    draws = review_loaders.draws_in(files, seen.variant)
    number = 1
    if len(draws) > 1:
        number = right.number_input(
            "Draw", 1, len(draws), 1, key=f"{key}_draw", help="Labels were drawn several times."
        )
    return run, list(draws[int(number) - 1])


def _told(run: Run, members: int) -> str:
    return f"{run.name}, seed {run.config.seed} ({run.id[:6]})" if members > 1 else run.name
