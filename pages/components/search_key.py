"""The key / for a field of the side bar: Streamlit gives keys to buttons alone."""

from pages.components.registering import mount

NAME = "search_key"


def listen_for_search(label: str) -> None:
    """Let the key / put the cursor into a text field, wherever the analyst is on the page.

    Args:
        label: Of the field.
    """
    mount(NAME, key=NAME, data=label)
