"""Which names are one organisation, and what kind of sender a label means."""

import streamlit as st

from darkgnn_core.charts.label_tables import CLASSES, alias_table, class_table
from darkgnn_core.labels.aliases import list_aliases, remove_alias, set_alias
from darkgnn_core.labels.classes import LabelClass, label_classes, set_label_class
from darkgnn_core.workspace import Workspace
from pages.shared import loaders
from pages.shared.feedback import plain, show_table
from pages.shared.label_told import done

KINDS: tuple[LabelClass, ...] = ("known", "malicious", "other")


def show_names(workspace: Workspace) -> None:
    """Show the table of names that stand for a label; set and remove one."""
    st.write(
        "Lists call one organisation by many names. A name in this table counts as the label it "
        "stands for, in every list, now and later."
    )
    with workspace.catalogue() as connection:
        aliases = list_aliases(connection)
    show_table(alias_table(aliases), "label_aliases", height=360)
    setting, removing = st.columns(2, border=True)
    with setting:
        alias = st.text_input(
            "Name",
            key="label_alias",
            placeholder="xpanse",
            help="As a list writes it; capitals make no difference.",
        )
        target = st.text_input(
            "Stands for",
            key="label_alias_target",
            placeholder="palo alto",
            help="The label that hosts with this name get.",
        )
        ready = bool(alias.strip() and target.strip())
        if st.button(
            "Save",
            key="label_alias_save",
            icon=":material/save:",
            disabled=not ready,
            help="Changes the label of all hosts with this name at once; Remove takes it back.",
        ):
            with workspace.catalogue() as connection:
                set_alias(connection, alias, target)
            done(f"{alias.strip()} now stands for {target.strip()}.")
    with removing:
        chosen = st.selectbox(
            "Name that shall stand for itself again",
            [each.alias for each in aliases],
            index=None,
            format_func=plain,
            key="label_alias_chosen",
            placeholder="Choose a name",
            help="Hosts with this name then have it as their label.",
        )
        if st.button(
            "Remove",
            key="label_alias_remove",
            icon=":material/delete:",
            disabled=chosen is None,
            help="Takes the line out of the table; no label is lost, and it can be saved again.",
        ):
            with workspace.catalogue() as connection:
                remove_alias(connection, str(chosen))
            done(f"{chosen} stands for itself again.")


def show_kinds(workspace: Workspace) -> None:
    """Show what kind of sender each label means, and change it."""
    st.write(
        "The switch 'Hide known scanners' hides hosts whose label is a known scanner: an "
        "organisation that scans in the open. Malicious and other senders always stay in view."
    )
    found = loaders.label_coverage(workspace)
    with workspace.catalogue() as connection:
        classes = label_classes(connection)
    table = class_table(found.labels, classes)
    show_table(table, "label_classes", height=360)
    left, right = st.columns([2, 3], vertical_alignment="bottom")
    label = left.selectbox(
        "Label",
        table["label"].tolist(),
        format_func=plain,
        key="label_class_label",
        help="The one whose kind of sender is shown beside it and can be changed.",
    )
    now = classes.get(str(label), "other")
    kind = right.segmented_control(
        "Kind of sender",
        KINDS,
        default=now,
        format_func=CLASSES.__getitem__,
        key=f"label_class_of_{label}_{now}",
        required=True,
        help="Only known scanners can be hidden; the label itself stays as it is.",
    )
    if st.button(
        "Save",
        key="label_class_save",
        icon=":material/save:",
        disabled=kind == now,
        help="Holds for all hosts with this label, on every page; it can be changed back.",
    ):
        with workspace.catalogue() as connection:
            set_label_class(connection, str(label), kind or now)
        done(f"{label} now counts as: {CLASSES[kind or now]}.")
