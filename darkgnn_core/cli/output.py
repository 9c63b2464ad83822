"""How commands speak: tables and progress bars to people, one JSON document to machines."""

import json
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from numbers import Integral, Real
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from darkgnn_core.ingest import IngestProgress, Tell

UNLIMITED_COLUMNS = 400
"""Where the output goes to a file or a pipe nothing is cut."""

NAMES = ("port", "id")
"""Columns whose numbers are names: no thousands are marked in them."""

STAGES = {
    "generating": "Generating packets",
    "reading": "Reading traces",
    "building": "Building snapshots",
    "done": "Done",
}


class Output:
    """Where a command's words go.

    Args:
        as_json: Print one JSON document at the end and nothing else.
    """

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        width = None if sys.stdout.isatty() else UNLIMITED_COLUMNS
        self.console = Console(highlight=False, soft_wrap=True, width=width)
        self._values: dict[str, Any] = {}

    def say(self, text: str) -> None:
        """Print a sentence; nothing under `--json`."""
        if not self.as_json:
            self.console.print(printable(text), markup=False)

    def value(self, name: str, value: Any) -> None:
        """Put a value into the JSON document."""
        self._values[name] = value

    def table(
        self,
        name: str,
        rows: pd.DataFrame,
        *,
        title: str = "",
        headings: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Print a table, and put its rows into the JSON document.

        Args:
            name: Its name in the document.
            rows: The table.
            title: What people read above it.
            headings: What people read above a column, where it is not the column's name.
        """
        self._values[name] = json.loads(rows.to_json(orient="records"))
        if self.as_json:
            return
        shown = Table(title=escape(title) or None, title_justify="left", header_style="bold")
        for column in rows.columns:
            is_number = pd.api.types.is_numeric_dtype(rows[column])
            shown.add_column(
                escape(headings.get(column, str(column).replace("_", " "))),
                justify="right" if is_number else "left",
                overflow="fold",
            )
        is_name = [column in NAMES for column in rows.columns]
        for row in rows.itertuples(index=False):
            cells = (
                str(cell) if name else _text(cell) for cell, name in zip(row, is_name, strict=True)
            )
            shown.add_row(*(escape(printable(cell)) for cell in cells))
        self.console.print(shown)

    def finish(self) -> None:
        """Print the JSON document, if that is what was asked for."""
        if self.as_json:
            sys.stdout.write(json.dumps(self._values, indent=1) + "\n")

    @contextmanager
    def progress(self) -> Iterator[Tell]:
        """Give a function that shows progress: bars on a terminal, else nothing."""
        bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[detail]}"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            disable=self.as_json or not sys.stderr.isatty(),
        )
        with bars:
            yield _Bars(bars).tell


class _Bars:
    """One bar a stage."""

    def __init__(self, bars: Progress) -> None:
        self.bars = bars
        self.tasks: dict[str, TaskID] = {}
        self.since: dict[str, float] = {}

    def tell(self, progress: IngestProgress) -> None:
        """Move the bar of the stage that is under way."""
        stage = progress.stage
        if stage not in self.tasks:
            self.tasks[stage] = self.bars.add_task(STAGES[stage], total=None, detail="")
            self.since[stage] = time.monotonic()
        done, total, detail = self._figures(progress)
        self.bars.update(self.tasks[stage], completed=done, total=total or None, detail=detail)

    def _figures(self, progress: IngestProgress) -> tuple[float, float, str]:
        seconds = max(time.monotonic() - self.since[progress.stage], 1e-3)
        if progress.stage == "generating":
            detail = f"{progress.packets:,} packets, {progress.packets / seconds:,.0f}/s"
            return progress.packets, progress.packets_total, detail
        if progress.stage == "reading":
            detail = (
                f"{progress.files_done}/{progress.files_total} files, "
                f"{progress.packets:,} packets, {progress.packets / seconds:,.0f}/s"
            )
            return progress.bytes_done, progress.bytes_total, detail
        detail = f"{progress.snapshots_done}/{progress.snapshots_total}"
        return progress.snapshots_done, max(progress.snapshots_total, 1), detail


def printable(text: str) -> str:
    """Return text without control or direction-changing characters, which files may carry."""
    return "".join(char if char.isprintable() or char in "\n\t" else "\ufffd" for char in text)


def _text(cell: Any) -> str:
    if pd.isna(cell):
        return ""
    if isinstance(cell, bool | np.bool_):
        return "yes" if cell else "no"
    if isinstance(cell, Integral):
        return f"{cell:,}"
    if isinstance(cell, Real):
        number = float(cell)
        few = f"{number:,.2f}".rstrip("0").rstrip(".")
        return f"{number:,.0f}" if abs(number) >= 100 else few
    return str(cell)
