"""Past labels, earlier days embedded by the weights of the day that is told: no two days apart.

The incremental networks of the paper, and GCN, have other weights each day; their stored days need
not share axes. Here a process of its own (`again_child`) takes the run's way once more and embeds
the days before each scored day with that day's weights.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from darkgnn_core.embeddings import Embedding, read_embedding
from darkgnn_core.errors import RunError
from darkgnn_core.evaluation.labelled_days import LabelledDay, LabelScope, labelled_days
from darkgnn_core.evaluation.past_labels import past_labels
from darkgnn_core.evaluation.predictions import DayScores, Voting
from darkgnn_core.job_processes import PATIENT_THREADS
from darkgnn_core.runs import Run, open_embedding
from darkgnn_core.workspace import Workspace

CHILD = "darkgnn_core.again_child"
METHODS = ("i-gcn", "i-gcn-gru", "gcn")
"""Methods whose weights differ from day to day."""

VARIANT = "re-embedded"
PAST_DAYS = 7


def past_labels_again(
    workspace: Workspace,
    run: Run,
    keys: Sequence[str],
    voting: Voting,
    *,
    past_days: int = PAST_DAYS,
    scope: LabelScope = "day",
    told: Callable[[int, int, str], None] | None = None,
) -> list[DayScores]:
    """Predict days as `past_labels` does, from the days just before, embedded anew by each day.

    Args:
        workspace: Where the run is.
        run: A finished run of one of `METHODS`.
        keys: Names of the days to score.
        voting: How neighbours vote.
        past_days: How many days before each are embedded anew; earlier ones have no vote.
        scope: Which claims count.
        told: Told days gone through, days in all and the day; raising in it ends the process.

    Raises:
        RunError: `NO-MODEL` for another method; `NOT-REPEATED` where a day does not come out as it
            is stored; `DATA-CHANGED`; `CHILD` where the process ended in a way of its own.
    """
    refuse_other_methods(run)
    with tempfile.TemporaryDirectory(dir=workspace.scratch) as folder:
        _embed(workspace, run, keys, past_days, Path(folder), told or (lambda *each: None))
        return [
            _told(workspace, run, key, Path(folder) / key, voting=voting, scope=scope)
            for key in keys
        ]


def refuse_other_methods(run: Run) -> None:
    """Raise RunError `NO-MODEL` unless a run's weights differ from day to day."""
    settings = run.config.settings
    if run.config.method not in METHODS or getattr(settings, "carry_state", False):
        raise RunError(
            f"{run.config.method} has no weights of a day that could embed earlier days: only "
            f"{', '.join(METHODS)} have, without a carried state. Where one network embeds all "
            "days, they are as they would be embedded anew.",
            code="NO-MODEL",
        )


def _told(
    workspace: Workspace,
    run: Run,
    key: str,
    folder: Path,
    *,
    voting: Voting,
    scope: LabelScope,
) -> DayScores:
    """Predict one day from the earlier days in a folder."""

    def read(name: str) -> Embedding:
        path = folder / f"{name}.parquet"
        return read_embedding(path) if name != key else open_embedding(workspace, run.id, key)

    earlier = sorted(path.stem for path in folder.glob("*.parquet"))
    days: list[LabelledDay] = labelled_days(workspace, read, [*earlier, key], scope=scope)
    return replace(past_labels(days, voting)[0], variant=VARIANT)


def _embed(
    workspace: Workspace,
    run: Run,
    keys: Sequence[str],
    past_days: int,
    out: Path,
    told: Callable[[int, int, str], None],
) -> None:
    """Have earlier days embedded into `out/<day>/`, and tell how far it is."""
    for key in keys:
        (out / key).mkdir()
    request = {
        "workspace": str(workspace.root.resolve()),
        "run_id": run.id,
        "keys": list(keys),
        "past_days": past_days,
        "out": str(out.resolve()),
    }
    command = [sys.executable, "-m", CHILD]
    error: dict[str, str] = {}
    with subprocess.Popen(  # noqa: S603 - our own module
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env=PATIENT_THREADS | os.environ,
        cwd=Path(__file__).resolve().parents[1],
    ) as process:
        try:
            if process.stdin is None or process.stdout is None:
                raise RunError("The process has no way in or out.", code="CHILD")
            process.stdin.write(json.dumps(request))
            process.stdin.close()
            for line in process.stdout:
                values = json.loads(line)
                error = values.get("error", error)
                if "done" in values:
                    told(values["done"], values["total"], values["day"])
        finally:
            if process.poll() is None and sys.exc_info()[0] is not None:
                process.kill()
    if error:
        raise RunError(error["message"], code=error["code"])
    if process.returncode:
        raise RunError(
            f"The process that embeds earlier days ended with code {process.returncode}.",
            code="CHILD",
        )
