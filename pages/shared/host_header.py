"""The top of the page: who the host is, what the run takes it for, and what to doubt."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from darkgnn_core.charts.host_words import vote_words
from darkgnn_core.hosts.cautions import Caution, Doubtful, cautions_of, first_of_each
from darkgnn_core.hosts.fingerprint import Fingerprint, fingerprint_of
from darkgnn_core.hosts.history import when_seen
from darkgnn_core.hosts.packet_hours import backscatter_share
from darkgnn_core.hosts.predicting import DESK, Prediction
from darkgnn_core.hosts.told import ToldOf
from darkgnn_core.labels.texts import UNKNOWN
from darkgnn_core.runs import Run
from pages.shared import host_loaders
from pages.shared.context import usable_runs
from pages.shared.feedback import plain, safe
from pages.shared.host_view import HostView
from pages.shared.label_dialog import offer_labelling

OTHER_RUNS = 4
"""So many other runs are asked what they take the host for."""

NEAR = 10
TIME = "%Y-%m-%d %H:%M"


def show_header(view: HostView) -> None:
    """Show who the host is in a few figures, and the reasons for doubt."""
    told = host_loaders.told(view.workspace, view.host, view.day)
    found = prediction_of(view, view.embedded_by)
    fingerprint = fingerprint_of(view.row)
    st.header(plain(view.address), anchor=False)
    _show_words(view, told, found, fingerprint)
    _show_figures(view)
    _show_cautions(view, told, found)


def prediction_of(view: HostView, run: Run | None) -> Prediction | None:
    """Return what a run takes the host for on the day that is shown; None where it can't tell."""
    if run is None or view.day not in run.days:
        return None
    return host_loaders.prediction(view.workspace, run.id, view.day, view.host, DESK)


def other_runs(view: HostView) -> list[Run]:
    """Return up to four other runs that embedded the day: of each method the newest, then more.

    So that what near relatives agree on is not taken for agreement.
    """
    runs = _others_there(view)
    newest: dict[str, Run] = {}
    for run in runs:
        newest.setdefault(run.config.method, run)
    first = list(newest.values())
    return [*first, *(run for run in runs if run not in first)][:OTHER_RUNS]


def other_runs_words(view: HostView) -> str:
    """Say which other runs were asked, where not all were."""
    there = len(_others_there(view))
    if there <= OTHER_RUNS:
        return ""
    return f"Asked were {OTHER_RUNS:,} of {there:,}, of each method the newest."


def _others_there(view: HostView) -> list[Run]:
    own = "" if view.run is None else view.run.id
    return [run for run in usable_runs(view.workspace) if run.id != own and view.day in run.days]


def names_of(runs: Sequence[Run]) -> dict[str, str]:
    """Return what to call runs, by id; runs of the same name are told apart by their ids."""
    names = [run.name for run in runs]
    return {
        run.id: run.name if names.count(run.name) == 1 else f"{run.name} ({run.id})" for run in runs
    }


def _show_words(
    view: HostView, told: ToldOf, found: Prediction | None, fingerprint: Fingerprint
) -> None:
    label, guess, tool = st.columns(3, border=True)
    with label:
        st.caption("Label")
        st.text(plain(told.label))
        st.caption(
            "No source says who this is."
            if told.source is None
            else f"Says {safe(told.source.name)}."
        )
        host = np.array([view.host], np.uint32)
        offer_labelling(view.workspace, host, "host_header", shortcut="L")
    with guess:
        st.caption("Taken for, by its neighbours")
        st.text(plain(_guess_words(found)))
        st.caption(safe(_why_words(view, found)))
    with tool:
        st.caption("Sent by, told from headers")
        st.text(fingerprint.words)
        st.caption(
            safe(" ".join(fingerprint.tools[0].evidence))
            if fingerprint.tools
            else "No mark of a known tool, and no set of values that only one system has."
        )


def _guess_words(found: Prediction | None) -> str:
    if found is None:
        return "not told"
    if found.verdict == "far":
        return f"{found.label}, but too far" if found.label != UNKNOWN else "nothing known"
    if found.label == UNKNOWN and found.standings:
        return f"unknown; of what is known nearest to {found.standings[0].label}"
    return found.label


def _why_words(view: HostView, found: Prediction | None) -> str:
    if view.run is None:
        return "There is no run with embeddings yet."
    if found is None:
        return f"The run {view.run.name} has no embedding of it on {view.day}."
    return f"{vote_words(found)} {found.sentence}"


def _show_figures(view: HostView) -> None:
    seen = when_seen(view.history)
    row = view.row
    figures = [
        ("Packets", _number(row["packets"]), f"TCP packets that ask, on {view.day}."),
        ("Ports", _number(row["true_ports"]), "Different TCP ports, before the port filter."),
        ("Dark addresses", _number(row["dark_addresses"]), "Different addresses asked."),
        ("Hours", _number(row["hours"]), "Hours of the day with a packet."),
        (
            "Days",
            "" if seen is None else f"{seen.days:,} of {seen.all_days:,}",
            "Days on which it sent enough packets, of the days there are.",
        ),
    ]
    for cell, (title, value, explanation) in zip(st.columns(5), figures, strict=True):
        cell.metric(plain(title), plain(value), help=plain(explanation), border=True)
    if seen is not None:
        st.text(
            f"First seen {_time(seen.first)}, last seen {_time(seen.last)} (UTC), of the "
            f"{seen.all_days:,} days there are."
        )


def _number(value: Any) -> str:
    return "not told" if pd.isna(value) else f"{float(value):,.0f}"


def _time(moment: pd.Timestamp | None) -> str:
    return "not told" if moment is None else moment.strftime(TIME)


def _show_cautions(view: HostView, told: ToldOf, found: Prediction | None) -> None:
    cautions = cautions_of(_doubtful(view, told, found))
    if not cautions:
        return
    with st.container(border=True):
        for caution in cautions:
            _show_caution(caution)


def _show_caution(caution: Caution) -> None:
    st.markdown(f":material/warning: **{safe(caution.title)}**  \n{safe(caution.text)}")


def _doubtful(view: HostView, told: ToldOf, found: Prediction | None) -> Doubtful:
    run, claims = view.embedded_by, told.claims
    near = None
    if run is not None:
        near = host_loaders.near(
            view.workspace, run.id, view.day, view.host, NEAR,
            metric=DESK.metric, standardise=DESK.standardise,
        )  # fmt: skip
    row = view.row
    return Doubtful(
        host=view.host,
        packets=_told_number(row["packets"]),
        ttl_share=_told_number(row["ttl_common_share"]),
        backscatter=_backscatter(view),
        label=told.label,
        opinions=first_of_each(list(zip(claims["source"], claims["label"], strict=True))),
        votes=_votes(view, found),
        near=None if near is None else near.hosts,
        twins=0
        if run is None
        else host_loaders.twins(view.workspace, run.id, view.day, view.host, DESK),
    )


def _told_number(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)


def _backscatter(view: HostView) -> float | None:
    hours = host_loaders.hours_if_sound(view.workspace, view.config, view.day, [view.host])
    return None if hours is None else backscatter_share(hours)


def _votes(view: HostView, found: Prediction | None) -> dict[str, str]:
    if found is None or view.run is None:
        return {}
    said = {}
    runs = [view.run, *other_runs(view)]
    for run, name in zip(runs, names_of(runs).values(), strict=True):
        other = prediction_of(view, run)
        if other is not None:
            said[name] = other.label
    return said
