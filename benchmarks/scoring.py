"""How long the scores of a run's last days take, protocol by protocol.

    python -m benchmarks.scoring WORKSPACE RUN       # the goal on 2 cores: 20 s for 11 full days

Scores, from reading the embeddings on, are computed anew each time and not kept.
"""

import argparse
import time
from pathlib import Path

from darkgnn_core.cli.running import find_ids
from darkgnn_core.evaluation.labelled_days import labelled_days
from darkgnn_core.evaluation.predictions import PAPER
from darkgnn_core.evaluation.protocols import PROTOCOLS, predict_days
from darkgnn_core.evaluation.scores import score
from darkgnn_core.runs import find_run, open_embedding
from darkgnn_core.workspace import Workspace, open_workspace


def main() -> None:
    """Print wall and processor seconds of each protocol."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workspace", type=Path)
    parser.add_argument("run", help="id of a run, or its beginning")
    parser.add_argument("--days", type=int, default=11, help="so many last days are scored")
    parser.add_argument("--protocols", nargs="+", choices=PROTOCOLS, default=[*PROTOCOLS])
    options = parser.parse_args()
    workspace = open_workspace(options.workspace, create=False)
    (run_id,) = find_ids(workspace, [options.run])
    for protocol in options.protocols:
        wall, processor = time.perf_counter(), time.process_time()
        hosts = measure(workspace, run_id, protocol, options.days)
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
        print(f"{protocol:16} {hosts:9,} predictions  {wall:6.1f} s  {processor:6.1f} s processor")


def measure(workspace: Workspace, run_id: str, protocol: str, count: int) -> int:
    """Score the last days of a run; return how many predictions that took."""
    keys = find_run(workspace, run_id).days
    days = labelled_days(workspace, lambda key: open_embedding(workspace, run_id, key), keys)
    found = predict_days(PROTOCOLS[protocol], days, keys[-count:], voting=PAPER)
    listed = [draw for draws in found.values() for draw in draws]
    for draw in listed:
        score(draw)
    return sum(len(day.y_pred) for draw in listed for day in draw)


if __name__ == "__main__":
    main()
