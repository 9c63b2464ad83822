"""Components with a JavaScript file of their own, which the app serves as its own ('self').

JavaScript given as text would be loaded from a `blob:` address, which the content security policy
forbids. A file is served only to components of installed packages; the app is run from its folder,
so the manifest such a package would carry is given to Streamlit here.
"""

from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.components.v2.get_bidi_component_manager import get_bidi_component_manager
from streamlit.components.v2.manifest_scanner import ComponentConfig, ComponentManifest

PROJECT, VERSION = "darkgnn", "1"
FOLDER = Path(__file__).parent


def mount(name: str, **arguments: Any) -> Any:
    """Put a component on the page and return its state.

    Args:
        name: Its own name, such as `embedding_map`: its script has that name in `assets`, and may
            take from others there. Nothing else is served.
        **arguments: As a component of `st.components.v2` takes them: `key`, `data`, `height`.
    """
    full_name = f"{PROJECT}.{name}"
    manager = get_bidi_component_manager()
    if manager.get_component_asset_root(full_name) is None:
        config = ComponentConfig(name=name, asset_dir="assets")
        manager.register_from_manifest(ComponentManifest(PROJECT, VERSION, [config]), FOLDER)
        _known.pop(full_name, None)
    if full_name not in _known:
        _known[full_name] = st.components.v2.component(full_name, js=f"{name}.js")
    return _known[full_name](**arguments)


def read_when_run() -> None:
    """Do nothing when an event comes: the page reads the state it leaves, once it runs."""


_known: dict[str, Any] = {}
