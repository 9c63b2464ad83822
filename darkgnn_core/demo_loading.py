"""The demo in one step: generate it, load it, say that it is synthetic."""

import os
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from darkgnn_core.demo import PAPER_TABLE2, DemoConfig, Plan, plan, write_logs, write_parquet
from darkgnn_core.demo.writing import GROUND_TRUTH
from darkgnn_core.health import table2
from darkgnn_core.ingest import Ask, IngestProgress, IngestReport, Tell, ingest
from darkgnn_core.labels.aliases import read_aliases
from darkgnn_core.labels.texts import fold
from darkgnn_core.traces.parsing import Stopped
from darkgnn_core.workspace import Workspace


def load_demo(
    workspace: Workspace,
    config: DemoConfig,
    *,
    logs: Path | None = None,
    on_progress: Tell = lambda _: None,
    should_stop: Ask = lambda: False,
) -> IngestReport:
    """Generate a demo darknet and load it with its ground truth as labels.

    Args:
        workspace: Where it goes.
        config: What it looks like.
        logs: Write it there as per-packet log files, load those and keep them; None generates
            packets in scratch space, which hold `ip_id` besides.
        on_progress: Told several times a second.
        should_stop: Asked several times a second.

    Raises:
        WorkspaceError: `LOCKED` while another process writes, `DISK-FULL`.
    """
    darknet = plan(config)
    told = _Generating(on_progress, should_stop)
    with tempfile.TemporaryDirectory(dir=workspace.scratch) as scratch:
        directory = logs or Path(scratch)
        write: Callable[..., object] = write_parquet if logs is None else write_logs
        try:
            write(darknet, directory, progress=told, processes=_processes(darknet))
        except Stopped:
            return IngestReport(files=[], snapshots={}, packets=0, seconds=0.0, stopped=True)
        pattern = "*.parquet" if logs is None else "*.log.gz"
        return ingest(
            workspace,
            [*sorted(directory.glob(pattern)), directory / GROUND_TRUTH],
            is_synthetic=True,
            on_progress=on_progress,
            should_stop=should_stop,
        )


def table2_beside_paper(workspace: Workspace) -> pd.DataFrame:
    """Return the workspace's Table 2 with the paper's figures beside it, in the paper's order.

    Returns:
        As `health.table2`, with a column `paper_...` after each; null where the paper has no such
        label.

    Source:
        Paper, Table 2.
    """
    table = table2(workspace, workspace.snapshot_config())
    with workspace.catalogue() as connection:
        aliases = read_aliases(connection)
    paper = pd.DataFrame(
        [
            {"label": aliases.get(fold(label), fold(label))} | asdict(figures)
            for label, figures in PAPER_TABLE2.items()
        ]
    )
    columns = ["hosts", "ports", "packets"]
    columns += [f"{name}_a_day" for name in columns]
    paper.columns = pd.Index(["label", *(f"paper_{name}" for name in columns)])
    beside = paper.merge(table, on="label", how="outer", sort=False)
    beside = beside.set_index("label").loc[[*paper["label"], *_others(table, paper)]]
    ordered = [each for name in columns for each in (name, f"paper_{name}")]
    return beside[ordered].reset_index()


def _others(table: pd.DataFrame, paper: pd.DataFrame) -> list[str]:
    return [label for label in table["label"] if label not in set(paper["label"])]


def _processes(darknet: Plan) -> int:
    """Return how many days are generated at once; a small demo is quickest in one process."""
    return 1 if darknet.packets < 5_000_000 else max(1, min(4, os.cpu_count() or 1))


class _Generating:
    """Turns the generator's progress into that of the whole, and stops it when asked."""

    def __init__(self, on_progress: Tell, should_stop: Ask) -> None:
        self.on_progress = on_progress
        self.should_stop = should_stop
        self.progress = IngestProgress(stage="generating")

    def __call__(self, done: int, total: int) -> None:
        if self.should_stop():
            raise Stopped
        self.progress.packets = done
        self.progress.packets_total = total
        self.on_progress(self.progress)
