"""What pages that change things share: the sentence after a change, and a yes before one."""

import streamlit as st

from pages.shared import state
from pages.shared.feedback import plain, safe


def show_said() -> None:
    """Show the sentence that the last change left, once."""
    said = state.take_said()
    if said is not None:
        st.success(safe(said), icon=":material/check_circle:")


def done(said: str) -> None:
    """Run the page again and say what was done."""
    state.say(said)
    st.rerun()


def confirmed(question: str, what: str, key: str, *, disabled: bool = False) -> bool:
    """Ask once more behind a Remove button; return whether the analyst said yes.

    Args:
        question: What will happen, a text of our own.
        what: Name of what it happens to, shown as text.
        key: Key of the yes.
        disabled: Whether nothing can be removed now.
    """
    with st.popover(
        "Remove",
        icon=":material/delete:",
        disabled=disabled,
        help="Says what would go and asks once more; nothing is removed before that.",
    ):
        st.text(plain(what))
        st.text(question)
        return st.button(
            "Yes, remove it",
            key=key,
            type="primary",
            disabled=disabled,
            help="Removes it at once, as said above.",
        )
