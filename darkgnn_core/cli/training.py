"""Commands that train: `train VARIANT`, `estimate VARIANT`; their options and what they print."""

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd

from darkgnn_core.catalogue import utc_now
from darkgnn_core.charts.training_words import METHOD_WORDS
from darkgnn_core.cli.following import exit_code, follow
from darkgnn_core.cli.ingesting import OK, interruptible
from darkgnn_core.cli.output import Output
from darkgnn_core.cli.running import find_ids
from darkgnn_core.cli.settings import (
    combinations,
    read_changes,
    read_sweeps,
    settings_of,
    type_in_words,
)
from darkgnn_core.config import PRESETS
from darkgnn_core.errors import ConfigError, RunError
from darkgnn_core.estimates import Estimate, add_up, choose_device, estimate, room_for
from darkgnn_core.run_config import METHODS, RunConfig
from darkgnn_core.runs import create_runs
from darkgnn_core.units import duration, file_size
from darkgnn_core.workspace import Workspace, open_workspace

VARIANTS = "variants:\n" + "\n".join(
    f"  {name:<18} {METHOD_WORDS[name].title}. {METHOD_WORDS[name].learns}" for name in METHODS
)
TRAIN_EXAMPLES = """examples:
  python -m darkgnn_core train i-gcn-gru --workspace W
  python -m darkgnn_core train i-gcn-gru --no-features --preset as_released --workspace W
  python -m darkgnn_core train i-gcn-gru --sweep history_days=0,2,5 --seeds 0,1,2 --workspace W
  python -m darkgnn_core train features --set scaling=quantile --set days=6 --workspace W
  python -m darkgnn_core train fusion --runs 3f2a 91bc --workspace W
  python -m darkgnn_core train gcn-gru --help-settings
"""


def add_train_options(command: argparse.ArgumentParser) -> None:
    """Give `train` its options: what to train, and how to go about it."""
    command.formatter_class = argparse.RawDescriptionHelpFormatter
    command.epilog = f"{VARIANTS}\n\n{TRAIN_EXAMPLES}"
    add_choice_options(command)
    command.add_argument("--name", default="", metavar="TEXT", help="what to call it")
    command.add_argument(
        "--again", action="store_true", help="train even where a run of the same settings is there"
    )
    command.add_argument(
        "--force", action="store_true", help="start even where the estimate says it cannot fit"
    )
    command.add_argument(
        "--detach", action="store_true", help="return at once; `runs show ID` tells how far it is"
    )


def add_estimate_options(command: argparse.ArgumentParser) -> None:
    """Give `estimate` its options: those of `train` that say what to train."""
    command.formatter_class = argparse.RawDescriptionHelpFormatter
    command.epilog = VARIANTS
    add_choice_options(command)
    command.add_argument(
        "--no-measure",
        action="store_true",
        help="tell it from the sizes alone, without a short measured step",
    )


def add_choice_options(command: argparse.ArgumentParser) -> None:
    """Give a command the options that say what to train."""
    command.add_argument(
        "variant", choices=METHODS, metavar="VARIANT", help="one of the variants below"
    )
    command.add_argument("--preset", choices=PRESETS, default="as_written")
    command.add_argument(
        "--no-features",
        action="store_true",
        help="networks: one learned vector a node instead of the 37 features",
    )
    command.add_argument("--first-day", metavar="DAY", help="first day, such as 2021-12-01")
    command.add_argument("--last-day", metavar="DAY", help="last day; later ones are left out")
    seeds = command.add_mutually_exclusive_group()
    seeds.add_argument("--seed", type=int, metavar="N", help="all that is random follows from it")
    seeds.add_argument(
        "--seeds", type=_whole_numbers, metavar="N,N,..", help="one run a seed, as a group"
    )
    command.add_argument(
        "--device",
        default="auto",
        metavar="DEVICE",
        help="auto (cuda, else mps, else cpu), cpu, cuda, cuda:1, mps (default: %(default)s)",
    )
    command.add_argument("--history", type=int, metavar="DAYS", help="setting history_days")
    command.add_argument("--epochs", type=int, metavar="N", help="setting epochs")
    command.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        dest="changes",
        help="any setting (repeatable); --help-settings lists them",
    )
    command.add_argument(
        "--sweep",
        action="append",
        default=[],
        metavar="NAME=V1,V2,..",
        dest="sweeps",
        help="one run a value, as a group; several sweeps give every combination",
    )
    command.add_argument(
        "--runs", nargs="+", metavar="ID", help="fusion: the runs to put side by side"
    )
    command.add_argument(
        "--help-settings", action="store_true", help="list the variant's settings, and end"
    )


def _whole_numbers(text: str) -> list[int]:
    numbers = [int(each) for each in text.split(",")]
    if len(set(numbers)) < len(numbers):
        raise ValueError("a seed is told twice")
    return numbers


def run_train(arguments: argparse.Namespace, output: Output) -> int:
    """Estimate, create the runs, and follow them to their end."""
    if arguments.help_settings:
        return show_settings(arguments, output)
    workspace = open_workspace(arguments.workspace, create=False)
    configs = chosen_configs(arguments, workspace)
    estimates = [estimate(workspace, config) for config in configs]
    together = tell_estimates(workspace, configs, estimates, output)
    if not together.fits and not arguments.force:
        raise RunError(
            f"{together.why_not} Choose fewer days, a shorter history or smaller widths, or start "
            "it all the same with --force.",
            code="TOO-LARGE",
        )
    with interruptible() as should_stop:
        ids = create_runs(
            workspace,
            configs,
            name=arguments.name,
            group=group_of(arguments, configs),
            again=arguments.again,
            estimate=[asdict(each) for each in estimates],
        )
        output.value("ids", ids)
        if not arguments.detach:
            return exit_code(follow(workspace, ids, output, should_stop=should_stop))
    output.say("Started. It goes on by itself; see how far it is, or stop it, with:")
    for run_id in ids:
        output.say(f"  runs show {run_id}    runs cancel {run_id}")
    return OK


def run_estimate(arguments: argparse.Namespace, output: Output) -> int:
    """Print time, peak memory and disk of what `train` would do."""
    if arguments.help_settings:
        return show_settings(arguments, output)
    workspace = open_workspace(arguments.workspace, create=False)
    configs = chosen_configs(arguments, workspace)
    calibrate = not arguments.no_measure
    estimates = [estimate(workspace, config, calibrate=calibrate) for config in configs]
    tell_estimates(workspace, configs, estimates, output)
    return OK


def show_settings(arguments: argparse.Namespace, output: Output) -> int:
    """List the settings of a variant with their defaults."""
    rows = [
        {
            "setting": each.name,
            "default": "" if each.default is None else _plain(each.default),
            "takes": type_in_words(each.type),
            "meaning": each.meaning,
        }
        for each in settings_of(arguments.variant, arguments.preset).values()
    ]
    title = f"Settings of {arguments.variant}, preset {arguments.preset}"
    output.table("settings", pd.DataFrame(rows), title=title)
    return OK


def _plain(value: Any) -> str:
    """Return a setting's value as it would be typed.

    >>> _plain(True), _plain(0.001), _plain(())
    ('yes', '0.001', '')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ",".join(value) if isinstance(value, tuple) else str(value)


def chosen_configs(arguments: argparse.Namespace, workspace: Workspace) -> list[RunConfig]:
    """Return the settings of the runs that a command asks for, one a seed and sweep value.

    Raises:
        ConfigError: `CONFIG` where a setting is not known, badly typed, out of range, or told in
            two ways.
        RunError: `NO-DEVICE`, `NO-RUN`.
    """
    method = arguments.variant
    fixed, varied = read_changes(method, arguments.changes), read_sweeps(method, arguments.sweeps)
    _take(fixed, varied, _plain_options(arguments, workspace))
    if arguments.seeds is not None:
        _refuse_twice("seed", fixed, varied)
        varied["seed"] = arguments.seeds
    twice = sorted(set(fixed) & set(varied))
    if twice:
        raise ConfigError(f"{', '.join(twice)}: either set or swept, not both.", code="CONFIG")
    device = choose_device(arguments.device, method)
    return [
        RunConfig.of(method, arguments.preset, device=device, **fixed, **values)
        for values in combinations(varied)
    ]


def _plain_options(arguments: argparse.Namespace, workspace: Workspace) -> dict[str, Any]:
    """Return the settings that have an option of their own, where given."""
    options = {
        "first_day": arguments.first_day,
        "last_day": arguments.last_day,
        "seed": arguments.seed,
        "history_days": arguments.history,
        "epochs": arguments.epochs,
        "use_features": False if arguments.no_features else None,
        "runs": tuple(find_ids(workspace, arguments.runs)) if arguments.runs else None,
    }
    return {name: value for name, value in options.items() if value is not None}


def _take(fixed: dict[str, Any], varied: dict[str, list[Any]], options: dict[str, Any]) -> None:
    for name, value in options.items():
        _refuse_twice(name, fixed, varied)
        fixed[name] = value


def _refuse_twice(name: str, *told: dict[str, Any]) -> None:
    if any(name in each for each in told):
        raise ConfigError(f"{name} is told twice, by its option and by name.", code="CONFIG")


def group_of(arguments: argparse.Namespace, configs: Sequence[RunConfig]) -> str:
    """Return what runs that belong together are kept under; empty for a single run."""
    if len(configs) == 1:
        return ""
    return f"{arguments.name or arguments.variant} {utc_now()}"


def tell_estimates(
    workspace: Workspace,
    configs: Sequence[RunConfig],
    estimates: Sequence[Estimate],
    output: Output,
) -> Estimate:
    """Print what each run will take and all together; return that of all together."""
    together = room_for(workspace, add_up(estimates), device=configs[0].device)
    output.value(
        "estimates",
        [
            asdict(each) | {"config": config.to_dict()}
            for config, each in zip(configs, estimates, strict=True)
        ],
    )
    output.value("estimate", asdict(together))
    runs = f"{len(configs)} runs one after another: about" if len(configs) > 1 else "About"
    output.say(
        f"{runs} {duration(together.seconds)}, {file_size(together.peak_bytes)} of memory, "
        f"{file_size(together.disk_bytes)} of disk. {together.basis}"
    )
    if not together.fits:
        output.say(together.why_not)
    return together
