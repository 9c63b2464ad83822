"""Tables as Markdown, CSV and JSON files, safe to open: no formula, no markup, no broken line."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from darkgnn_core.durable import write_text
from darkgnn_core.errors import visible
from darkgnn_core.safe_csv import csv_of

MARKUP = "\\`*_{}[]<>()#!|~$&"


def write_tables(
    directory: Path,
    name: str,
    tables: Mapping[str, pd.DataFrame],
    *,
    head: str,
    foot: str = "",
    shown: Mapping[str, pd.DataFrame] | None = None,
) -> list[Path]:
    """Write tables as one Markdown file, and a CSV file each.

    Args:
        directory: Where; made if it is not there.
        name: How the files' names begin.
        tables: By title; the first one's CSV file is `<name>.csv`, the others carry their place.
        head: Markdown above the tables, taken as it is.
        foot: Markdown below them, taken as it is.
        shown: The tables as people read them, under the same titles, where that is another form.

    Raises:
        WorkspaceError: `DISK-FULL`.
    """
    directory.mkdir(parents=True, exist_ok=True)
    parts = [head.strip()]
    written = []
    for place, (title, table) in enumerate(tables.items()):
        parts += [f"## {in_markdown(title)}", markdown_of((shown or tables)[title])]
        path = directory / (f"{name}.csv" if place == 0 else f"{name}_{place + 1}.csv")
        write_text(path, csv_of(table).decode())
        written.append(path)
    text = "\n\n".join(part for part in [*parts, foot.strip()] if part) + "\n"
    write_text(directory / f"{name}.md", text)
    return [directory / f"{name}.md", *written]


def write_document(directory: Path, name: str, document: Mapping[str, Any]) -> Path:
    """Write a value as JSON; numbers that are none become null."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{name}.json"
    write_text(path, json.dumps(plain(document), indent=1) + "\n")
    return path


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it: tables as lists of rows, no NaN, no numpy."""
    if isinstance(value, pd.DataFrame):
        return [plain(row) for row in value.to_dict("records")]
    if isinstance(value, Mapping):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if value is pd.NA:
        return None
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value


def markdown_of(table: pd.DataFrame, headings: Mapping[str, str] | None = None) -> str:
    r"""Return a table in Markdown, numbers to three places, nothing where there is nothing.

    >>> print(markdown_of(pd.DataFrame({"a|b": ["x|y"], "f1": [0.12345]})))
    | a\|b | f1 |
    |---|---|
    | x\|y | 0.123 |
    """
    names = headings or {}
    heads = [in_markdown(names.get(str(name), str(name))) for name in table.columns]
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    lines += [
        "| " + " | ".join(_shown(each) for each in row) + " |"
        for row in table.itertuples(index=False)
    ]
    return "\n".join(lines)


def _shown(value: Any) -> str:
    if value is None or (not isinstance(value, str) and pd.isna(value)):
        return ""
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, int | np.integer):
        return f"{value:,}"
    if isinstance(value, float | np.floating):
        number = float(value)
        if number.is_integer() and abs(number) >= 1:
            return f"{number:,.0f}"
        return f"{number:,.0f}" if abs(number) >= 100 else f"{number:.3f}"
    return in_markdown(str(value))


def in_markdown(text: str) -> str:
    r"""Return a text that Markdown shows as it is, in one line.

    >>> in_markdown("a|b <i> _c_")
    'a\\|b \\<i\\> \\_c\\_'
    """
    return "".join(f"\\{each}" if each in MARKUP else each for each in visible(text))
