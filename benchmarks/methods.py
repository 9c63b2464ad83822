"""Every method on one workspace, one after another: seconds a day, peak memory, macro F1.

    python -m benchmarks.methods --workspace W                    # all rows
    python -m benchmarks.methods --workspace W --only i-gcn-gru   # rows whose name begins so
    python -m benchmarks.methods --workspace W --skip "no features" --min-class-hosts 6

Runs are made through the same queue as those of the app and the command line; a row whose run is
done already is taken as it is, one that was interrupted goes on. Scores are those of the protocol
`same_day_loo` (the paper's, optimistic) over the last days. Prints a table in Markdown.
"""

import argparse
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from darkgnn_core.evaluation.labelled_days import labelled_days
from darkgnn_core.evaluation.predictions import Voting
from darkgnn_core.evaluation.protocols import SAME_DAY_LOO
from darkgnn_core.evaluation.repeats import evaluate
from darkgnn_core.run_config import NETWORKS, RunConfig
from darkgnn_core.runs import Run, create_runs, find_run, list_runs, open_embedding, resume_run
from darkgnn_core.workspace import Workspace, open_workspace

POLL_S = 0.5
FUSED = ("i-gcn-gru", "i-darkvec")


def main() -> None:
    """Train what is missing, score, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--only", nargs="*", default=[], metavar="NAME", help="rows that begin so")
    parser.add_argument("--skip", nargs="*", default=[], metavar="TEXT", help="rows that hold it")
    parser.add_argument("--last-days", type=int, default=11, help="days that are scored")
    parser.add_argument("--min-class-hosts", type=int, default=11)
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    workspace = open_workspace(arguments.workspace, create=False)
    voting = Voting(min_class_hosts=arguments.min_class_hosts)
    print("| method | days | s a day | peak MiB | macro F1 | sd over days | pooled | state |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    done: dict[str, Run] = {}
    for name, config in rows(arguments.device):
        is_asked = not arguments.only or any(name.startswith(each) for each in arguments.only)
        if is_asked and not any(each in name for each in arguments.skip):
            done[name] = finished(workspace, config)
            show(name, done[name], workspace, voting, arguments.last_days)
    if all(name in done and done[name].state == "done" for name in FUSED):
        ids = tuple(done[name].id for name in FUSED)
        run = finished(workspace, RunConfig.of("fusion", runs=ids))
        show(f"fusion of {' and '.join(FUSED)}", run, workspace, voting, arguments.last_days)


def rows(device: str) -> list[tuple[str, RunConfig]]:
    """Return what is trained: name and settings, but the fusion, which needs other runs."""
    found = [
        ("features, max", RunConfig.of("features")),
        ("features, quantile", RunConfig.of("features", scaling="quantile")),
        ("features, quantile, 6 days", RunConfig.of("features", scaling="quantile", days=6)),
        ("spectral, 1 day", RunConfig.of("spectral")),
        ("spectral, 6 days", RunConfig.of("spectral", days=6)),
        ("features-spectral, 1 day", RunConfig.of("features-spectral", scaling="quantile")),
        (
            "features-spectral, 6 days",
            RunConfig.of("features-spectral", scaling="quantile", days=6),
        ),
        ("autoencoder", RunConfig.of("autoencoder", scaling="quantile")),
        ("random-gcn", RunConfig.of("random-gcn")),
        ("random-gcn-gru", RunConfig.of("random-gcn-gru")),
        ("i-darkvec", RunConfig.of("i-darkvec")),
        ("i-darkvec, as_released", RunConfig.of("i-darkvec", "as_released")),
    ]
    for use_features, word in ((True, ""), (False, ", no features")):
        for method in reversed(NETWORKS):
            for preset, told in (("as_written", ""), ("as_released", ", as_released")):
                config = RunConfig.of(method, preset, use_features=use_features)
                found.append((f"{method}{word}{told}", config))
    return [(name, replace(config, device=device)) for name, config in found]


def finished(workspace: Workspace, config: RunConfig) -> Run:
    """Return the run of these settings, trained to its end or to its trouble."""
    there = [run for run in list_runs(workspace) if run.config_hash == config.hash]
    run = there[0] if there else find_run(workspace, create_runs(workspace, [config])[0])
    if run.state in ("interrupted", "cancelled"):
        run = resume_run(workspace, run.id)
    while run.is_active:
        time.sleep(POLL_S)
        run = find_run(workspace, run.id)
    return run


def show(name: str, run: Run, workspace: Workspace, voting: Voting, last_days: int) -> None:
    """Score a run and print its row."""
    cells: list[Any] = [name, len(run.days)]
    if run.state == "done":
        scores = _scores(run, workspace, voting, last_days)
        cells += [
            f"{run.result['seconds_a_day']:.2f}",
            f"{run.result['peak_bytes'] / 2**20:,.0f}",
            f"{scores['macro_f1_mean']:.3f}",
            f"{scores['macro_f1_sd']:.3f}",
            f"{scores['macro_f1_pooled']:.3f}",
            run.state,
        ]
    else:
        cells += ["", "", "", "", "", f"{run.state} {run.code}: {run.message}"]
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def _scores(run: Run, workspace: Workspace, voting: Voting, last_days: int) -> dict[str, Any]:
    days = labelled_days(
        workspace, lambda key: open_embedding(workspace, run.id, key), run.days[-last_days:]
    )
    return evaluate(SAME_DAY_LOO, days, voting=voting)[""].summary


if __name__ == "__main__":
    main()
