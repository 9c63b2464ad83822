"""What an analyst wants reviewed: runs, protocol, days, and how neighbours vote."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import streamlit as st

from darkgnn_core.charts.review_tables import names_of
from darkgnn_core.charts.review_words import PROTOCOL_WORDS
from darkgnn_core.evaluation.labelled_days import LabelScope
from darkgnn_core.evaluation.predictions import Ties, Voting
from darkgnn_core.evaluation.protocols import PROTOCOLS
from darkgnn_core.neighbours import METRICS
from darkgnn_core.runs import Run
from darkgnn_core.score_files import Question
from pages.shared import state
from pages.shared.feedback import plain, safe

RUNS, FIRST = "review_runs", "review_first"
PROTOCOL = "review_protocol"
DAYS = "review_days"
SETTING = "review_set_"
TEST_DAYS = 11
"""Days of the paper's test set: so many of the last ones are looked at first."""

METRIC_WORDS = {
    "cosine": "Angle (cosine; the paper's)",
    "euclidean": "Straight line (Euclidean)",
    "dot": "Dot product",
}
TIES_WORDS = {"nearest": "The nearest of them", "alphabetical": "The first by name (released code)"}
SCOPE_WORDS = {
    "day": "Those of the day, and those without a day",
    "all": "All of them on every day (the paper's)",
}


@dataclass(frozen=True)
class Choice:
    """What is looked at.

    Attributes:
        runs: At least one, that of the sidebar first.
        question: What is asked of them.
        days: The days, in time order; a run may lack some.
        is_joined: Runs that differ in the seed alone are shown as one.
        has_baselines: Also shown are baselines that need no embedding.
    """

    runs: tuple[Run, ...]
    question: Question
    days: tuple[str, ...]
    is_joined: bool
    has_baselines: bool


def ask_what(first: Run, runs: Sequence[Run]) -> Choice:
    """Ask for runs, protocol, days and settings.

    Args:
        first: The run in view.
        runs: All that have embeddings.
    """
    left, right = st.columns([3, 2])
    with left:
        chosen = _ask_runs(first, runs)
    with right:
        protocol = _ask_protocol()
    _explain(protocol)
    days_, fewest_, more_ = st.columns([5, 2, 2], vertical_alignment="bottom")
    with days_:
        days = _ask_days(chosen)
    fewest = fewest_.number_input(
        "Fewest hosts a class",
        min_value=1,
        max_value=1_000_000,
        value=11,
        key=f"{SETTING}fewest",
        help="A class with fewer hosts on a day is taken as unknown there: too few to score. The "
        "paper takes 11.",
        persist_state="session",
    )
    more = more_.popover(
        "More settings",
        icon=":material/tune:",
        width="stretch",
        help="How neighbours vote, which labels count, and what is shown beside the runs.",
    )
    with more:
        voting, scope = _ask_voting(int(fewest)), _ask_scope()
        is_joined, has_baselines = _ask_shown()
    question = Question(
        protocol=protocol,
        voting=voting,
        scope=scope,
        counts_analysts=state.are_own_labels_scored(),
    )
    return Choice(tuple(chosen), question, days, is_joined, has_baselines)


def _ask_runs(first: Run, runs: Sequence[Run]) -> list[Run]:
    by_id = {run.id: run for run in runs}
    names = names_of(runs)
    _put_first(first.id, list(by_id))
    ids = st.multiselect(
        "Runs",
        list(by_id),
        format_func=lambda each: plain(names[each]),
        key=RUNS,
        placeholder="The run of the sidebar",
        help="Several are shown beside each other and compared day by day.",
        persist_state="session",
    )
    others = [run.id for run in runs if first.group and run.group == first.group]
    if set(others) - set(ids or [first.id]):
        st.button(
            f"Add all {len(others):,} of its group",
            key="review_add_group",
            icon=":material/library_add:",
            on_click=_choose,
            args=([first.id, *others],),
            help="A group holds the seeds and values that were started together.",
        )
    return [by_id[each] for each in ids] or [first]


def _put_first(first: str, there: list[str]) -> None:
    """Have the run of the sidebar stand first, in the place of the one that stood there before."""
    before = st.session_state.get(FIRST)
    chosen = [each for each in st.session_state.get(RUNS, []) if each in there]
    if before != first or RUNS not in st.session_state:
        chosen = [first, *(each for each in chosen if each not in (first, before))]
    st.session_state[FIRST] = first
    st.session_state[RUNS] = chosen


def _choose(ids: list[str]) -> None:
    st.session_state[RUNS] = list(dict.fromkeys([*st.session_state.get(RUNS, []), *ids]))


def _ask_protocol() -> str:
    now = state.protocol()
    st.session_state[PROTOCOL] = now if now in PROTOCOL_WORDS else next(iter(PROTOCOL_WORDS))
    name = st.selectbox(
        "Protocol",
        list(PROTOCOL_WORDS),
        format_func=lambda each: PROTOCOL_WORDS[each].title,
        key=PROTOCOL,
        on_change=lambda: state.set_protocol(st.session_state[PROTOCOL]),
        help="What may be known when a host is told its label, and which hosts are scored.",
    )
    return str(name)


def _explain(protocol: str) -> None:
    """Say in two sentences what is done, and how its scores are to be read."""
    words, reading = PROTOCOL_WORDS[protocol], PROTOCOLS[protocol].reading
    kind = ":orange-badge[:material/wb_sunny: Optimistic]" if words.is_optimistic else ""
    st.caption(f"{kind} {safe(words.does)} {safe(reading)}")


def _ask_days(runs: Sequence[Run]) -> tuple[str, ...]:
    days = sorted({day for run in runs for day in run.days})
    if len(days) < 2:
        st.text(f"One day: {plain(days[0])}" if days else "No day")
        return tuple(days)
    now = st.session_state.get(DAYS)
    if now is not None and not set(now) <= set(days):
        st.session_state.pop(DAYS)
    chosen: tuple[str, str] = st.select_slider(
        "Days",
        days,
        value=_first_days(runs, days),
        key=DAYS,
        help="Scored are the days from the first to the last of these that a run has. Arrow keys "
        "move the ends.",
        persist_state="session",
    )
    return tuple(day for day in days if chosen[0] <= day <= chosen[1])


def _first_days(runs: Sequence[Run], days: list[str]) -> tuple[str, str]:
    """Return the range of the sidebar where it has one, else the last days that all runs have."""
    ranged = [day for day in days if state.first_day() and state.is_in_range(day)]
    shared = sorted(set.intersection(*(set(run.days) for run in runs)))
    found = ranged or shared[-TEST_DAYS:] or days[-TEST_DAYS:]
    return found[0], found[-1]


def _ask_voting(fewest: int) -> Voting:
    k = st.number_input(
        "Neighbours that vote (k)",
        1,
        100,
        3,
        key=f"{SETTING}k",
        help="A host is told the commonest label of that many hosts nearest to it.",
        persist_state="session",
    )
    metric = st.selectbox(
        "What near means",
        METRICS,
        format_func=METRIC_WORDS.__getitem__,
        key=f"{SETTING}metric",
        help="How the distance of two embeddings is measured; it decides which hosts vote.",
        persist_state="session",
    )
    ties = st.selectbox(
        "Level votes go to",
        get_args(Ties),
        format_func=TIES_WORDS.__getitem__,
        key=f"{SETTING}ties",
        help="Which label a host is told where several have the same number of votes.",
        persist_state="session",
    )
    standardise = st.toggle(
        "Every dimension counts alike",
        value=True,
        key=f"{SETTING}standardise",
        help="Each column is brought to mean 0 and variance 1 over the hosts of the day first.",
        persist_state="session",
    )
    prefix = st.toggle(
        "Hosts of the same /24 have no vote",
        key=f"{SETTING}prefix",
        help="So that a scanner is not told by its twin next door.",
        persist_state="session",
    )
    return Voting(int(k), metric, standardise, fewest, ties, prefix)


def _ask_scope() -> LabelScope:
    scope = st.selectbox(
        "Labels that count",
        list(SCOPE_WORDS),
        format_func=SCOPE_WORDS.__getitem__,
        key=f"{SETTING}scope",
        help="With all of them, what was seen on a later day labels a host on an earlier one.",
        persist_state="session",
    )
    st.toggle(
        "Labels given by hand count, too",
        key=state.OWN_LABELS,
        help="Whoever labels hosts after a look at the embedding would grade their own work.",
        persist_state="session",
    )
    return "all" if scope == "all" else "day"


def _ask_shown() -> tuple[bool, bool]:
    is_joined = st.toggle(
        "Runs that differ in the seed alone are one",
        value=True,
        key=f"{SETTING}joined",
        help="The mean over seeds is shown, and how far seeds lie apart.",
        persist_state="session",
    )
    has_baselines = st.toggle(
        "Baselines without an embedding, too",
        key=f"{SETTING}baselines",
        help="Chance, the address's last label, and the commonest label of the /24: what an "
        "embedding must beat to be of use.",
        persist_state="session",
    )
    return is_joined, has_baselines
