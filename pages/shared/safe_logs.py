"""The log of the app: error ids, and no byte that could move a terminal's cursor."""

import logging
import secrets
import unicodedata

import streamlit as st

NAME = "darkgnn"
HIDDEN_CATEGORIES = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")


def visible(text: str, *, keep: str = "\n\t") -> str:
    r"""Return `text` with control, format (direction) and surrogate characters written out.

    >>> visible("a\x1b[2Jb\u202e")
    'a<1B>[2Jb<202E>'
    """
    return "".join(
        char
        if char in keep or unicodedata.category(char) not in HIDDEN_CATEGORIES
        else f"<{ord(char):02X}>"
        for char in text
    )


class SafeFormatter(logging.Formatter):
    """Writes control and direction characters as their code points."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the whole record, traceback included, made visible."""
        return visible(super().format(record))


def configure() -> None:
    """Send our log to the terminal; Streamlit's own handlers get the same formatter."""
    handler = logging.StreamHandler()
    logger = logging.getLogger(NAME)
    logger.handlers = [handler]
    logger.propagate = False
    for name in (NAME, "streamlit", "uvicorn", "uvicorn.error"):
        for existing in logging.getLogger(name).handlers:
            existing.setFormatter(SafeFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))


def log_error(error: BaseException) -> str:
    """Log an unexpected error with its traceback.

    Returns:
        A short id to show instead of it.
    """
    error_id = secrets.token_hex(4)
    logging.getLogger(NAME).error("error id %s", error_id, exc_info=error)
    return error_id


def show_unexpected(error: BaseException) -> None:
    """Show that something went wrong, with an id and the kind of error, nothing of its text."""
    error_id = log_error(error)
    kind = type(error).__name__
    st.error(
        f"Something went wrong here. Error id **{error_id}** ({kind}).",
        icon=":material/bug_report:",
    )
    st.caption(
        "The terminal in which darkgnn was started has the details under that id. "
        "The other pages still work."
    )


def log_script_error(error: Exception) -> bool:
    """Handle what no boundary caught, such as an error in a widget's callback."""
    show_unexpected(error)
    return True
