"""Rules that the code of app and pages keeps, read from its syntax."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
APP = [ROOT / "app.py", *sorted((ROOT / "pages").rglob("*.py"))]
CORE = sorted((ROOT / "darkgnn_core").rglob("*.py"))
EVERYTHING = [*APP, *CORE]

BANNED_CALLS = {
    "eval",
    "exec",
    "os.system",
    "os.fork",
    "os.popen",
    "pickle.load",
    "pickle.loads",
    "joblib.load",
    "torch.load",
    "yaml.load",
    "st.html",
    "st.map",
    "st.pydeck_chart",
    "st.table",
    "st.iframe",
    "components.html",
    "components.iframe",
    "st.components.v1.html",
    "st.components.v1.iframe",
    "time.time",
}
TIME_ALLOWED = {"inbox.py", "times.py"}
"""Wall-clock time where it is compared with another wall-clock time, not used as a duration."""
BANNED_IMPORTS = {
    "pickle",
    "joblib",
    "dill",
    "cloudpickle",
    "yaml",
    "requests",
    "httpx",
    "urllib3",
    "aiohttp",
    "ftplib",
    "smtplib",
    "urllib.request",
    "http.client",
}
MARKDOWN_SINKS = {
    "markdown",
    "write",
    "caption",
    "title",
    "header",
    "subheader",
    "info",
    "warning",
    "error",
    "success",
    "toast",
    "metric",
    "button",
    "toggle",
    "badge",
    "expander",
    "popover",
    "page_link",
    "progress",
    "tabs",
    "radio",
    "pills",
    "checkbox",
    "status",
    "help",
}
TERMINAL = {"stream.write", "sys.stderr.write"}
SAFE_CALLS = {
    "safe", "plain", "file_size", "noun", "_listed", "_rounded", "len", "int", "round", "max",
}  # fmt: skip
"""Calls whose result may stand in Markdown: escaped, or made of digits and our own words."""


def tree_of(path: Path) -> ast.Module:
    """Parse a file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Yield each call with its dotted name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def name_of(path: Path) -> str:
    """Name a file for a test id."""
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", EVERYTHING, ids=name_of)
def test_no_dangerous_call(path: Path) -> None:
    """Nothing evaluates code, unpickles, forks, uses a shell, or draws HTML and remote maps."""
    for name, call in calls(tree_of(path)):
        if name == "time.time" and path.name in TIME_ALLOWED:
            continue
        assert name not in BANNED_CALLS, f"line {call.lineno}: {name}"
        for keyword in call.keywords:
            value = ast.unparse(keyword.value)
            assert (keyword.arg, value) != ("shell", "True"), f"line {call.lineno}"
            assert (keyword.arg, value) != ("allow_pickle", "True"), f"line {call.lineno}"
            assert keyword.arg != "unsafe_allow_html", f"line {call.lineno}"


@pytest.mark.parametrize("path", EVERYTHING, ids=name_of)
def test_no_dangerous_import(path: Path) -> None:
    """No pickle, no client of the network, no fork."""
    for node in ast.walk(tree_of(path)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        for name in names:
            assert name not in BANNED_IMPORTS, name
            assert name.split(".")[0] not in BANNED_IMPORTS, name


@pytest.mark.parametrize("path", EVERYTHING, ids=name_of)
def test_sql_is_never_put_together_from_values(path: Path) -> None:
    """The text of a query is a constant; values are bound."""
    for name, call in calls(tree_of(path)):
        if not name.endswith((".execute", ".executemany")) or not call.args:
            continue
        query = call.args[0]
        assert not isinstance(query, ast.JoinedStr), f"line {call.lineno}: f-string in SQL"
        if isinstance(query, ast.BinOp):
            parts = [node for node in ast.walk(query) if isinstance(node, ast.Name | ast.Call)]
            allowed = {"str", "version"}  # PRAGMA user_version takes no parameter
            found = {ast.unparse(p.func if isinstance(p, ast.Call) else p) for p in parts}
            assert found <= allowed, f"line {call.lineno}: SQL put together"


@pytest.mark.parametrize("path", APP, ids=name_of)
def test_markdown_gets_no_raw_value(path: Path) -> None:
    """What Streamlit reads as Markdown is a literal, a number, or has gone through `safe`."""
    for name, call in calls(tree_of(path)):
        method = name.rpartition(".")[2]
        if method not in MARKDOWN_SINKS or "." not in name or name in TERMINAL:
            continue
        texts = [*call.args[:1], *(k.value for k in call.keywords if k.arg in ("help", "text"))]
        for text in texts:
            for value in values_in(text):
                assert is_harmless(value), f"line {call.lineno}: {ast.unparse(value)}"


def values_in(text: ast.expr) -> Iterator[ast.expr]:
    """Yield the expressions whose value ends up in a text."""
    if isinstance(text, ast.JoinedStr):
        for part in text.values:
            if isinstance(part, ast.FormattedValue):
                yield part if is_number(part) else part.value
    elif isinstance(text, ast.IfExp):
        yield from values_in(text.body)
        yield from values_in(text.orelse)
    else:
        yield text


def is_number(part: ast.FormattedValue) -> bool:
    """Say whether a format such as `:,` or `:.1f` makes the value fail unless it is a number."""
    spec = ast.unparse(part.format_spec) if part.format_spec else ""
    return any(mark in spec for mark in (",", "f", "%", "d"))


def test_processes_are_spawned_never_forked() -> None:
    """A forked child keeps locks of its parent; `multiprocessing` says `spawn` where it is used."""
    for path in EVERYTHING:
        for name, call in calls(tree_of(path)):
            if name.endswith(("get_context", "set_start_method")):
                assert [ast.unparse(each) for each in call.args] == ["'spawn'"], path.name
            assert name not in ("multiprocessing.Pool", "multiprocessing.Process"), path.name
            if name.endswith("ProcessPoolExecutor"):
                assert any(keyword.arg == "mp_context" for keyword in call.keywords), path.name


OWN_TEXTS = {"title", "label", "explanation", "hours", "days", "error_id", "kind"}
"""Names that hold our own words or numbers in the files of `pages/`, checked by eye."""


def is_harmless(value: ast.expr) -> bool:
    """Say whether a value cannot carry text of others."""
    if isinstance(value, ast.Constant | ast.FormattedValue):
        return True
    if isinstance(value, ast.Call):
        return ast.unparse(value.func).rpartition(".")[2] in SAFE_CALLS or ast.unparse(
            value.func
        ).startswith(("STAGES.", "page", "_share"))
    if isinstance(value, ast.IfExp):
        return is_harmless(value.body) and is_harmless(value.orelse)
    return isinstance(value, ast.Name) and value.id in OWN_TEXTS


CONTROLS = {
    "button", "checkbox", "color_picker", "date_input", "download_button", "file_uploader",
    "form_submit_button", "multiselect", "number_input", "pills", "popover", "radio",
    "segmented_control", "select_slider", "selectbox", "slider", "text_area", "text_input",
    "time_input", "toggle",
}  # fmt: skip


@pytest.mark.parametrize("path", APP, ids=name_of)
def test_every_control_has_help(path: Path) -> None:
    """In plain words, where the pointer rests; a helper that draws one hands it on."""
    for name, call in calls(tree_of(path)):
        if name.rpartition(".")[2] in CONTROLS and "." in name:
            given = {keyword.arg for keyword in call.keywords}
            assert given & {"help", None}, f"line {call.lineno}: {name} without help"


@pytest.mark.parametrize("path", [p for p in CORE if "charts" in p.parts], ids=name_of)
def test_charts_hold_no_expression_or_address_of_others(path: Path) -> None:
    """No image marks, links, whole-table tooltips; expressions are literals."""
    for name, call in calls(tree_of(path)):
        method = name.rpartition(".")[2]
        assert method not in ("mark_image", "Href", "Url"), f"line {call.lineno}"
        for keyword in call.keywords:
            assert keyword.arg not in ("href", "url"), f"line {call.lineno}"
            if keyword.arg == "tooltip":
                assert not isinstance(keyword.value, ast.Constant), f"line {call.lineno}"
            if keyword.arg == "labelExpr":
                parts = list(values_in(keyword.value))
                assert all(isinstance(part, ast.Constant) for part in parts)
        if method in ("transform_filter", "transform_calculate"):
            inner = [*call.args, *(keyword.value for keyword in call.keywords)]
            assert not any(isinstance(value, ast.JoinedStr | ast.BinOp) for value in inner)


@pytest.mark.parametrize("path", APP, ids=name_of)
def test_caches_live_in_one_module(path: Path) -> None:
    """`st.cache_*` is used in `*loaders.py` only, with a bound, and never pickled to disk."""
    text = path.read_text(encoding="utf-8")
    if not path.name.endswith("loaders.py"):
        assert "st.cache_" not in text
        return
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef):
            for decorator in node.decorator_list:
                assert "max_entries=" in ast.unparse(decorator)
                assert "persist" not in ast.unparse(decorator)
                for argument in node.args.args:
                    kind = ast.unparse(argument.annotation or ast.Constant(""))
                    assert "DataFrame" not in kind
                    assert "ndarray" not in kind


@pytest.mark.parametrize("path", APP, ids=name_of)
def test_every_widget_has_a_key(path: Path) -> None:
    """A widget without a key loses its value when the page around it changes."""
    widgets = {
        "button",
        "toggle",
        "selectbox",
        "multiselect",
        "text_input",
        "segmented_control",
        "file_uploader",
        "data_editor",
        "dataframe",
        "altair_chart",
    }
    for name, call in calls(tree_of(path)):
        head, _, method = name.rpartition(".")
        if head == "st" and method in widgets:
            given = {keyword.arg for keyword in call.keywords}
            assert "key" in given, f"line {call.lineno}: {name}"


@pytest.mark.parametrize("path", APP, ids=name_of)
def test_fragments_carry_the_error_boundary(path: Path) -> None:
    """A fragment reruns without the frame, so it brings `user_errors_shown` itself."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef):
            decorators = [ast.unparse(each) for each in node.decorator_list]
            if any(each.startswith("st.fragment") for each in decorators):
                assert "user_errors_shown()" in decorators
