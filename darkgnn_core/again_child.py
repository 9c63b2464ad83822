"""The process that embeds earlier days once more, with the weights of a later day; it has torch.

    python -m darkgnn_core.again_child < request.json

Weights are kept for a run's last day alone, so the run is gone through again from its first day on.
Each day must come out as it is stored, else it stops: then this is not the network that was scored.
Prints a line of JSON a day, and one with `error` where it fails.
"""

import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from darkgnn_core.embeddings import Embedding, write_embedding
from darkgnn_core.errors import DarkgnnError, RunError
from darkgnn_core.run_days import Days
from darkgnn_core.run_store import read_run
from darkgnn_core.runs import open_embedding, unchanged_inputs
from darkgnn_core.training.methods import make_trainer
from darkgnn_core.training.preparing import prepare
from darkgnn_core.workspace import Workspace, open_workspace

TOLERANCE = 1e-3
"""Largest difference to what is stored, in standard deviations of the day's numbers."""


def embed_again(
    workspace: Workspace, run_id: str, keys: list[str], past_days: int, out: Path
) -> None:
    """Write `out/<day>/<earlier day>.parquet` for each day of `keys` and the days before it.

    Args:
        workspace: Where the run is.
        run_id: A run of `i-gcn`, `i-gcn-gru` or `gcn`.
        keys: Days whose weights embed.
        past_days: So many days before each.
        out: Where they go.

    Raises:
        RunError: `NOT-REPEATED` where a day does not come out as it is stored; `DATA-CHANGED`.
    """
    run = read_run(workspace, run_id)
    prepare(run.config, threads=int(run.provenance["threads"]))
    inputs = unchanged_inputs(workspace, run)
    days = Days(inputs, snapshot_config=run.snapshot_config, graph=run.config.graph)
    trainer: Any = make_trainer(run.config, days, read=partial(open_embedding, workspace))
    last = max(days.keys.index(key) for key in keys)
    for position, key in enumerate(days.keys[: last + 1]):
        for embedding in trainer.do(position, lambda step: None):
            _refuse_other(open_embedding(workspace, run_id, key), embedding)
        for earlier in range(max(0, position - past_days), position) if key in keys else ():
            again = trainer.again(earlier)
            write_embedding(out / key / f"{again.key}.parquet", again)
        _tell({"done": position + 1, "total": last + 1, "day": key})


def _refuse_other(stored: Embedding, made: Embedding) -> None:
    scale = float(np.std(stored.vectors)) or 1.0
    apart = float(np.abs(stored.vectors - made.vectors).max(initial=0.0)) / scale
    if not np.array_equal(stored.hosts, made.hosts) or not apart <= TOLERANCE:
        raise RunError(
            f"{stored.key} does not come out as it is stored ({apart:.1e} of its spread): this is "
            "another machine, or another version of a library. Train the run again here first.",
            code="NOT-REPEATED",
        )


def _tell(value: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def main() -> int:
    """Do what the request on standard input asks for."""
    asked = json.load(sys.stdin)
    try:
        embed_again(
            open_workspace(Path(asked["workspace"]), create=False),
            asked["run_id"],
            asked["keys"],
            int(asked["past_days"]),
            Path(asked["out"]),
        )
    except DarkgnnError as error:
        _tell({"error": {"code": error.code, "message": str(error)}})
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
