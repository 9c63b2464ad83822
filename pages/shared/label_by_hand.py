"""Labels given by hand: one or more addresses, why and how sure; taken back and undone."""

import streamlit as st

from darkgnn_core.charts.label_tables import bad_table, history_table
from darkgnn_core.labels.analyst import SOURCE_ID, Change, add_labels, withdraw
from darkgnn_core.labels.given import given_table
from darkgnn_core.labels.store import standing_labels
from darkgnn_core.labels.targets import prefix_text
from darkgnn_core.labels.typed import Typed, count_seen, read_typed
from darkgnn_core.safe_csv import csv_of
from darkgnn_core.workspace import Workspace
from pages.shared import loaders
from pages.shared.context import run_shown
from pages.shared.csv_export import offer_table
from pages.shared.feedback import plain, show_table
from pages.shared.label_form import Wanted, ask_label
from pages.shared.label_told import done
from pages.shared.label_undo import noun, offer_undo, remember_act

FORM = "label_hand_round"
EXAMPLE = "192.0.2.7\n198.51.100.0/28"


def show_by_hand(workspace: Workspace) -> None:
    """Ask for addresses and a label; below, the labels that stand, and the way back."""
    offer_undo(workspace, "label_undo", are_old_shown=True)
    typed = _ask_addresses(workspace)
    wanted = ask_label(workspace, "label", _turn())
    allow_wide = bool(typed.wide) and _allows_wide(typed)
    is_ready = bool(typed.targets and wanted.label) and not typed.bad
    if st.button(
        "Give the label",
        key="label_give",
        type="primary",
        icon=":material/label:",
        disabled=not is_ready or (bool(typed.wide) and not allow_wide),
        help="Needs addresses and a label. It counts at once and can be undone.",
    ):
        _give(workspace, typed, wanted, allow_wide=allow_wide)
    _show_standing(workspace)


def _give(workspace: Workspace, typed: Typed, wanted: Wanted, *, allow_wide: bool) -> None:
    with workspace.catalogue() as connection:
        change = add_labels(
            connection,
            typed.targets,
            wanted.label,
            reason=wanted.reason,
            confidence=wanted.confidence,
            day=wanted.day,
            run=run_shown(workspace),
            allow_wide=allow_wide,
        )
    told = f"{typed.addresses:,} {noun(typed.addresses, 'address', 'addresses')}"
    _finish(workspace, change, f"{told} labelled {wanted.label}")


def _finish(workspace: Workspace, change: Change, what: str) -> None:
    st.session_state[FORM] = _turn() + 1
    remember_act(workspace, change, what)
    done(f"{what}.")


def _turn() -> int:
    """Return the number of the form; a new one after each act empties its fields."""
    return int(st.session_state.get(FORM, 0))


def _ask_addresses(workspace: Workspace) -> Typed:
    text = st.text_area(
        "Addresses or prefixes",
        key=f"label_addresses_{_turn()}",
        placeholder=EXAMPLE,
        height=120,
        help="One a line, or separated by commas or spaces. IPv4 only.",
    )
    typed = read_typed(text)
    if typed.targets:
        seen = count_seen(typed.targets, loaders.hosts_seen(workspace))
        st.caption(f"{typed.addresses:,} addresses, of which {seen:,} were seen in this workspace")
    if typed.bad:
        st.error("These are no addresses. Correct or remove them.", icon=":material/error:")
        show_table(bad_table(typed.bad), "label_bad")
    return typed


def _allows_wide(typed: Typed) -> bool:
    widest = max(target.last_ip - target.first_ip + 1 for target in typed.wide)
    st.warning(
        f"{len(typed.wide):,} prefixes are wider than /24; the widest holds {widest:,} addresses.",
        icon=":material/warning:",
    )
    return st.checkbox(
        "Yes, label prefixes wider than /24",
        key="label_hand_wide",
        help="Asked for because a slip in a prefix would label very many hosts at once.",
    )


def _show_standing(workspace: Workspace) -> None:
    with workspace.catalogue() as connection:
        rows = standing_labels(connection, SOURCE_ID)
    st.subheader("Labels given by hand that stand")
    if not rows:
        st.caption("None yet.")
        return
    show_table(history_table(rows).drop(columns=["source", "taken back"]), "label_standing")
    offer_table(
        "Labels as CSV",
        lambda: _all_as_csv(workspace),
        name="labels-by-hand",
        key="label_standing_csv",
        help="All labels given by hand that stand, with reason, confidence, day and time.",
    )
    names = {
        row["id"]: f"{prefix_text(row['first_ip'], row['prefix_len'])}: {row['raw_label']}"
        for row in rows
    }
    chosen = st.multiselect(
        "Take back",
        list(names),
        format_func=lambda each: plain(names[each]),
        key=f"label_take_back_{_turn()}",
        placeholder="Choose labels to take back",
        help="They stay in the history, with the time at which they were taken back.",
    )
    if st.button(
        "Take back",
        key="label_withdraw",
        icon=":material/label_off:",
        disabled=not chosen,
        help="What lists say of these addresses counts again. It can be undone.",
    ):
        with workspace.catalogue() as connection:
            change = withdraw(connection, chosen)
        _finish(workspace, change, f"{len(chosen):,} {noun(len(chosen), 'label')} taken back")


def _all_as_csv(workspace: Workspace) -> bytes:
    with workspace.catalogue() as connection:
        return csv_of(given_table(connection))
