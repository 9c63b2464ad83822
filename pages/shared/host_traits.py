"""What the packets look like, and where the host's features stand among others."""

import numpy as np
import pandas as pd
import streamlit as st

from darkgnn_core.charts.host_charts import feature_places
from darkgnn_core.charts.host_words import standing_table, tool_rows
from darkgnn_core.hosts.features import feature_standing
from darkgnn_core.hosts.fingerprint import fingerprint_of
from darkgnn_core.hosts.predicting import place_of
from darkgnn_core.labels.opinions import Mask
from darkgnn_core.labels.texts import UNKNOWN
from darkgnn_core.safe_csv import csv_of
from darkgnn_core.snapshots.columns import HOST_FEATURES
from pages.shared import host_loaders
from pages.shared.csv_export import offer_table
from pages.shared.feedback import plain, safe, show_table
from pages.shared.host_header import prediction_of
from pages.shared.host_view import HostView

ROW_PIXELS = 35
NUMBER = st.column_config.NumberColumn(format="%.4g")


def show_traits(view: HostView) -> None:
    """Show the header fingerprint in words, then the 37 features against class and all."""
    _show_fingerprint(view)
    _show_features(view)


def _show_fingerprint(view: HostView) -> None:
    found = fingerprint_of(view.row)
    st.subheader("What the headers say")
    left, right = st.columns(2)
    with left:
        for name, how_sure, evidence in tool_rows(found.tools):
            st.text(f"{name}: {how_sure}")
            st.caption(safe(evidence))
        if not found.tools:
            st.text("No tool recognised: no mark, and no set of values that fits one system.")
        for doubt in found.doubts:
            st.warning(safe(doubt), icon=":material/warning:")
        if found.untold:
            st.caption(f"The trace does not tell: {safe(', '.join(found.untold))}.")
        st.caption("Headers are easy to forge; default values are no proof of a system.")
    with right:
        show_table(
            pd.DataFrame(found.traits, columns=["header", "value"]),
            "host_traits",
            height=ROW_PIXELS * (len(found.traits) + 1) + 3 if found.traits else "auto",
        )


def _show_features(view: HostView) -> None:
    st.subheader("Features against others")
    rows = host_loaders.day_rows(view.workspace, view.config, view.day)
    place = place_of(rows["host"].to_numpy(), view.host)
    if place is None:
        st.text("The day was built anew and does not have this host any more.")
        return
    label, how, is_class = _class_of(view, rows)
    features = rows[list(HOST_FEATURES)].to_numpy(np.float64)
    standing = feature_standing(HOST_FEATURES, features, place, is_class)
    others = int(is_class.sum()) - int(is_class[place])
    st.caption(
        f"The 37 columns the models see, against {len(rows) - 1:,} other hosts of the day. A "
        "percentile is the share of them with a lower value, equal ones counted half."
    )
    if others:
        st.caption(f"The class is {safe(label)}, {safe(how)}: {others:,} other hosts.")
    st.altair_chart(
        feature_places(standing, plain(label) if others else ""),
        width="stretch",
        key="host_features",
        alt="Percentile of each feature among all hosts and its class",
    )
    with st.expander("As a table, with values", icon=":material/table_rows:"):
        shown = standing_table(standing)
        show_table(
            shown,
            "host_feature_table",
            columns={name: NUMBER for name in shown.columns if name != "feature"},
            height=ROW_PIXELS * (len(shown) + 1) + 3,
        )
        st.caption("Deviations: standard deviations above (or below) the mean of the others.")
    offer_table(
        "Features as CSV",
        lambda: csv_of(standing),
        name=f"{view.address}-features",
        key="host_features_csv",
        help="All 37 columns: values, medians, percentiles and deviations.",
    )


def _class_of(view: HostView, rows: pd.DataFrame) -> tuple[str, str, Mask]:
    """Return the class the host is held against, how it comes by it, and which hosts are of it.

    That is its label; else what the run takes it for; else the class that is nearest.
    """
    label, how = host_loaders.told(view.workspace, view.host, view.day).label, "its label"
    if label == UNKNOWN:
        found = prediction_of(view, view.embedded_by)
        if found is None or not found.standings:
            return "", "", np.zeros(len(rows), bool)
        label, how = found.label, "what its neighbours take it for"
        if label == UNKNOWN:
            label, how = found.standings[0].label, "the nearest known class"
    labels = host_loaders.row_labels(view.workspace, view.config, view.day)
    return label, how, labels == label
