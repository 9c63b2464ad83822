"""The evidence card: in what a host and one neighbour are alike, and in what they are not."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import streamlit as st

from darkgnn_core.charts.host_words import (
    address_text,
    evidence_table,
    gap_table,
    shared_port_table,
    trait_table,
)
from darkgnn_core.evaluation.predictions import Texts, Voting
from darkgnn_core.hosts.cautions import FEW_PACKETS
from darkgnn_core.hosts.evidence import Evidence, evidence_of
from darkgnn_core.hosts.packet_hours import hour_profiles
from darkgnn_core.hosts.predicting import Nearby, place_of
from darkgnn_core.hosts.reading import Floats
from darkgnn_core.runs import Run
from darkgnn_core.safe_csv import csv_of
from darkgnn_core.snapshots.columns import HOST_FEATURES
from pages.shared import host_loaders
from pages.shared.csv_export import offer_table
from pages.shared.feedback import plain, safe, show_table
from pages.shared.host_header import names_of, other_runs, other_runs_words
from pages.shared.host_view import HostView

SMALL_ROWS = 320
NUMBER = st.column_config.NumberColumn(format="%.4g")


def show_evidence(
    view: HostView, run: Run, voting: Voting, near: Nearby, labels: Texts, row: int
) -> None:
    """Show what speaks for and against the likeness of the host and one neighbour."""
    neighbour = int(near.hosts[row])
    card_of = _cards(view, near)
    found = card_of(neighbour)
    if found is None:
        st.text("The day was built anew since the run and does not have both hosts any more.")
        return
    with st.container(border=True):
        st.text(plain(f"{view.address} and {address_text(neighbour)}, {labels[row]}"))
        _show_figures(found, float(near.distances[row]))
        _show_flags(found)
        ports, headers = st.columns(2)
        with ports:
            _show_ports(found)
        with headers:
            st.caption("Headers side by side")
            show_table(trait_table(found.traits), "host_evidence_traits")
        _show_gaps(found)
        _show_agreement(view, run, voting, near, neighbour)
    offer_table(
        "Evidence for all neighbours as CSV",
        lambda: _all_as_csv(card_of, near, labels),
        name=f"{view.address}-evidence",
        key="host_evidence_csv",
        help="One row for each neighbour: its distance, its label and what it shares.",
    )


def _cards(view: HostView, near: Nearby) -> Callable[[int], Evidence | None]:
    """Return what gives the card of a neighbour; None where the day lacks one of the two."""
    rows = host_loaders.day_rows(view.workspace, view.config, view.day)
    ports = host_loaders.day_ports(view.workspace, view.config, view.day)
    everyone = [view.host, *near.hosts.tolist()]
    hours = host_loaders.hours_if_sound(view.workspace, view.config, view.day, everyone)
    there = rows["host"].to_numpy()

    def card_of(neighbour: int) -> Evidence | None:
        if any(place_of(there, each) is None for each in (view.host, neighbour)):
            return None
        return evidence_of(
            view.host,
            neighbour,
            rows=rows,
            features=HOST_FEATURES,
            ports=ports,
            hours=_profiles(hours, (view.host, neighbour), view.config.bin_hours),
        )

    return card_of


def _profiles(
    hours: pd.DataFrame | None, pair: tuple[int, int], length: int
) -> tuple[Floats, Floats] | None:
    if hours is None:
        return None
    ours, theirs = hour_profiles(hours, np.array(pair, np.uint32), length)
    return ours, theirs


def _all_as_csv(card_of: Callable[[int], Evidence | None], near: Nearby, labels: Texts) -> bytes:
    found = [
        (card, float(distance), str(label))
        for host, distance, label in zip(near.hosts, near.distances, labels, strict=True)
        if (card := card_of(int(host))) is not None
    ]
    cards, distances, said = zip(*found, strict=True) if found else ((), (), ())
    return csv_of(evidence_table(cards, distances, said))


def _show_figures(found: Evidence, distance: float) -> None:
    shared = found.shared
    figures = (
        ("Distance", f"{distance:.4f}", "In the embedding of the run, by the metric above."),
        (
            "Shared ports",
            f"{shared.count:,}",
            f"Of {shared.of_host:,} and {shared.of_neighbour:,}; a random host of the day would "
            f"share {shared.expected:.2f}.",
        ),
        (
            "Lift",
            _times(shared.lift),
            "Shared ports against those it shares with a random host of the day.",
        ),
        ("Ports alike", _share(shared.cosine), "Cosine of the packets by port."),
        ("Volume alike", _share(found.volume), "The smaller number of packets of the larger."),
        ("Timing alike", _share(found.timing), "Cosine of the packets by hour of the day."),
    )
    for cell, (title, value, explanation) in zip(st.columns(6), figures, strict=True):
        cell.metric(title, plain(value), help=plain(explanation))


def _times(value: float) -> str:
    return "not told" if np.isnan(value) else f"{value:,.1f} x"


def _share(value: float) -> str:
    return "not told" if np.isnan(value) else f"{value:.0%}"


def _show_flags(found: Evidence) -> None:
    with st.container(horizontal=True):
        if found.is_same_fingerprint is None:
            st.badge("Headers not told", icon=":material/help:", color="gray")
        elif found.is_same_fingerprint:
            st.badge("Same headers", icon=":material/fingerprint:", color="green")
        else:
            st.badge("Headers differ", icon=":material/fingerprint:", color="orange")
        if found.is_same_prefix:
            st.badge("Same /24", icon=":material/lan:", color="orange")
        else:
            st.badge("Another network", icon=":material/lan:", color="green")
        if found.packets[1] < FEW_PACKETS:
            st.badge(
                f"Neighbour sent {found.packets[1]:,.0f} packets only",
                icon=":material/warning:",
                color="orange",
            )
        if not found.shared.count:
            st.badge("No port in common", icon=":material/warning:", color="orange")
    if found.is_same_prefix:
        st.caption(
            "Both lie in the same /24. Similarity by address is not behaviour: such twins are "
            "often one organisation, and make any prediction look clever."
        )


def _show_ports(found: Evidence) -> None:
    st.caption("Shared ports, the most surprising first")
    if not found.shared.count:
        st.text("None.")
        return
    table = shared_port_table(found.shared.ports)
    show_table(
        table,
        "host_evidence_ports",
        columns={
            "lift": st.column_config.NumberColumn(
                format="%.1f x",
                help="How many times likelier than in a random host of the day: 1 over the share "
                "of hosts that asked for the port.",
            ),
            "base rate": st.column_config.NumberColumn(
                format="%.2f %%", help="Share of the day's other hosts that asked for the port."
            ),
            "theirs": st.column_config.NumberColumn(
                format="localized", help="Packets of the neighbour to the port."
            ),
        },
        height="auto" if len(table) < 9 else SMALL_ROWS,
    )


def _show_gaps(found: Evidence) -> None:
    st.caption("Features that differ most, by place among all hosts of the day")
    show_table(
        gap_table(found.gaps),
        "host_evidence_gaps",
        columns=dict.fromkeys(("this host", "neighbour"), NUMBER)
        | {
            "percentile": st.column_config.NumberColumn("place, %", format="%.0f"),
            "neighbour's percentile": st.column_config.NumberColumn("theirs, %", format="%.0f"),
        },
    )


def _show_agreement(view: HostView, run: Run, voting: Voting, near: Nearby, neighbour: int) -> None:
    others = other_runs(view)
    if not others:
        return
    names, rows = names_of(others), []
    for other in others:
        found = host_loaders.ranks(
            view.workspace, other.id, view.day, view.host, near.hosts.tolist(), voting
        )
        place, of = found.get(neighbour, (None, 0))
        rows.append(
            {
                "run": names[other.id],
                "place among its neighbours": "not there" if place is None else f"{place:,}",
                "of": of,
                "among the nearest": "yes" if place is not None and place <= voting.k else "no",
            }
        )
    agreeing = sum(row["among the nearest"] == "yes" for row in rows)
    st.caption(
        f"Among the {voting.k:,} nearest in {agreeing:,} of {len(rows):,} other runs of this day, "
        f"too. {safe(other_runs_words(view))}"
    )
    show_table(pd.DataFrame(rows), "host_evidence_runs")
    st.caption(f"The run in view is {safe(run.name)}.")
