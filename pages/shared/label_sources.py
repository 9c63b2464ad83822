"""The sources of labels: their order, what became of each list, and taking one out."""

import pandas as pd
import streamlit as st

from darkgnn_core.charts.label_tables import list_reasons, source_table, wide_table
from darkgnn_core.labels.store import LabelSource, list_sources, move_source, remove_source
from darkgnn_core.workspace import Workspace
from pages.shared import loaders
from pages.shared.feedback import plain, safe, show_table
from pages.shared.label_told import confirmed, done
from pages.shared.label_undo import noun


def show_figures(workspace: Workspace) -> None:
    """Show how well the labels cover the hosts, and what is wrong with them as a ground truth."""
    found = loaders.label_coverage(workspace)
    share = found.labelled / found.hosts if found.hosts else 0.0
    disputed = len(loaders.label_conflicts(workspace, only_seen=True))
    figures = st.columns(5)
    figures[0].metric("Hosts seen", f"{found.hosts:,}", border=True)
    figures[1].metric("With a label", f"{found.labelled:,}", border=True)
    figures[2].metric("Share", f"{share:.1%}", help="Hosts with a label, of all.", border=True)
    figures[3].metric(
        "Sources", f"{len(found.by_source):,}", help="Sources of labels.", border=True
    )
    figures[4].metric(
        "Disputed",
        f"{disputed:,}",
        help="Hosts seen here of which sources say different things; see Conflicts.",
        border=True,
    )
    if found.hosts and found.warnings:
        count = len(found.warnings)
        with st.expander(f"{count:,} {safe(noun(count, 'thing'))} to know about these labels"):
            st.dataframe(
                pd.DataFrame({"remark": [plain(text) for _, text in found.warnings]}),
                key="label_warnings",
                hide_index=True,
            )


def show_sources(workspace: Workspace) -> None:
    """Show the sources in their order; move or remove one; show what became of its rows."""
    with workspace.catalogue() as connection:
        sources = list_sources(connection)
    if not sources:
        st.info(
            "There are no labels yet. Add a list, or label hosts by hand.", icon=":material/label:"
        )
        return
    hosts = loaders.label_coverage(workspace).by_source
    show_table(source_table(sources, hosts), "label_sources")
    st.caption(
        "Where several sources speak of a host, the first in this order wins. 'Hosts it labels' "
        "counts the hosts of this workspace of which the source says something, 'hosts it wins' "
        "those that get their label from it."
    )
    source = _choose(sources)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if st.button(
            "Move up",
            key="label_up",
            icon=":material/arrow_upward:",
            help="One place: where the two speak of the same host, this source then wins.",
        ):
            _move(workspace, source, -1)
        if st.button(
            "Move down",
            key="label_down",
            icon=":material/arrow_downward:",
            help="One place: where the two speak of the same host, the other source then wins.",
        ):
            _move(workspace, source, 1)
        _offer_removal(workspace, source)
    _show_report(source)


def _choose(sources: list[LabelSource]) -> LabelSource:
    by_id = {source.id: source for source in sources}
    places = {source.id: place for place, source in enumerate(sources, start=1)}
    chosen = st.selectbox(
        "One of them",
        list(by_id),
        format_func=lambda each: plain(f"{places[each]}. {by_id[each].name}"),
        key="label_source",
        help="The source that the buttons move or remove; what became of its rows stands below.",
    )
    return by_id.get(str(chosen), sources[0])


def _move(workspace: Workspace, source: LabelSource, places: int) -> None:
    with workspace.catalogue() as connection:
        move_source(connection, source.id, places)
    done(f"{source.name} was moved {'up' if places < 0 else 'down'}.")


def _offer_removal(workspace: Workspace, source: LabelSource) -> None:
    if source.kind == "analyst":
        st.caption("Labels given here are taken back one by one, under Label by hand.")
        return
    question = f"All {source.labels:,} labels of this source go. The file itself is not touched."
    if source.kind == "mirai":
        question += " Fingerprints come back when snapshots are built again."
    if confirmed(question, source.name, "label_remove"):
        with workspace.catalogue() as connection:
            remove_source(connection, source.id)
        done(f"{source.name} was removed, and its {source.labels:,} labels.")


def _show_report(source: LabelSource) -> None:
    report = source.report
    if "hosts_by_day" in report:
        st.subheader("Hosts with the fingerprint, by day")
        days = pd.DataFrame(sorted(report["hosts_by_day"].items()), columns=["day", "hosts"])
        show_table(days, "label_fingerprint")
    if "read" in report:
        st.subheader("What became of its rows")
        show_list_report(report, f"label_report_{source.id}")


def show_list_report(report: dict[str, object], key: str) -> None:
    """Show read = kept + skipped by reason, remarks, and the prefixes held back."""
    reasons = list_reasons([report], "skipped")
    skipped = int(reasons["rows"].sum())
    st.text(f"{report['read']:,} rows read = {report['kept']:,} kept + {skipped:,} skipped")
    tables = {
        "Skipped, by reason": reasons,
        "Worth knowing": list_reasons([report], "notes"),
        "Held back: prefixes wider than /24": wide_table([report]),
    }
    for place, (title, table) in enumerate(tables.items()):
        if len(table):
            st.caption(title)
            show_table(table, f"{key}_{place}")
