"""Clicking through pages without a browser: one opens a page, one looks that all went well."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).resolve().parents[1]
FRAME = ROOT / "pages" / "frame" / "main_frame.py"

Open = Callable[..., AppTest]


@contextmanager
def opening(
    monkeypatch: pytest.MonkeyPatch, page: str, *, views: str = "", first: str = ""
) -> Iterator[Open]:
    """Give a function that opens a view of a page on a workspace; caches are empty around it.

    Args:
        monkeypatch: Names the workspace to the app.
        page: The page's file.
        views: Key of its control of views, if it has one.
        first: The view it opens with.
    """

    def go(root: Path, view: str = first) -> AppTest:
        monkeypatch.setenv("DARKGNN_WORKSPACE", str(root))
        app = AppTest.from_file(FRAME, default_timeout=60).run()
        app.switch_page(f"../{page}").run()
        if view != first:
            app.segmented_control(key=views).set_value(view).run()
        return quiet(app)

    _forget()
    yield go
    _forget()


def _forget() -> None:
    st.cache_resource.clear()
    st.cache_data.clear()


def quiet(app: AppTest) -> AppTest:
    """Check that nothing went wrong."""
    assert not app.exception
    assert not app.error, [error.value for error in app.error]
    return app


def click(app: AppTest, key: str, *, is_quiet: bool = True) -> AppTest:
    """Click a button and run; check that nothing went wrong, unless something shall."""
    app.button(key=key).click().run()
    return quiet(app) if is_quiet else app


def table(app: AppTest, column: str) -> Any:
    """Return the first table that has a column."""
    return next(each.value for each in app.dataframe if column in each.value)
