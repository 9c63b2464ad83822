"""Settings of a run told as words: `NAME=VALUE`, typed by the dataclass that holds them."""

import inspect
import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, Field, asdict, dataclass, fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

from darkgnn_core.config import GraphConfig, Preset
from darkgnn_core.errors import ConfigError
from darkgnn_core.run_config import SETTINGS, RunConfig

Changes = dict[str, Any]
OF_THE_RUN = ("seed", "first_day", "last_day")
OF_THE_GRAPH = ("edges", "scaling", "control")
TRUE, FALSE = ("yes", "true", "on", "1"), ("no", "false", "off", "0")


@dataclass(frozen=True)
class Setting:
    """One setting of a method.

    Attributes:
        name: Its name.
        type: Its Python type.
        default: What it is where nothing is said.
        meaning: What it does, in a sentence.
    """

    name: str
    type: Any
    default: Any
    meaning: str


def settings_of(method: str, preset: Preset = "as_written") -> dict[str, Setting]:
    """Return the settings of a method by name, its own first, then those of graph and run."""
    own = _settings_in(SETTINGS[method], None)
    graph = _settings_in(GraphConfig, OF_THE_GRAPH)
    run = _settings_in(RunConfig, OF_THE_RUN)
    known = {each.name: each for each in (*own, *graph, *run)}
    if "runs" in known:  # a fusion has no settings without runs
        return known
    config = RunConfig.of(method, preset)
    values = asdict(config.settings) | asdict(config.graph)
    return {
        name: Setting(name, each.type, values.get(name, each.default), each.meaning)
        for name, each in known.items()
    }


def _settings_in(kind: type, names: Iterable[str] | None) -> list[Setting]:
    hints, meanings = get_type_hints(kind), meanings_in(kind)
    return [
        Setting(each.name, hints[each.name], _default(each), meanings.get(each.name, ""))
        for each in fields(kind)
        if names is None or each.name in names
    ]


def _default(each: "Field[Any]") -> Any:
    if each.default is not MISSING:
        return each.default
    return None if each.default_factory is MISSING else each.default_factory()


def meanings_in(kind: type) -> dict[str, str]:
    """Return what each attribute means, from the `Attributes` of a class's docstring.

    >>> meanings_in(GraphConfig)["edges"][:30]
    '`daily` edges of each bin; `mo'
    """
    text = inspect.getdoc(kind) or ""
    part = re.search(r"^Attributes:\n(.*?)(?:^\S|\Z)", text, re.MULTILINE | re.DOTALL)
    found: dict[str, str] = {}
    name = ""
    for line in (part.group(1) if part else "").splitlines():
        start = re.match(r"    (\w+): (.*)", line)
        if start:
            name = start.group(1)
            found[name] = start.group(2)
        elif line.strip():
            found[name] += " " + line.strip()
    return found


def read_changes(method: str, words: Sequence[str]) -> Changes:
    """Return `NAME=VALUE` words as typed values by name.

    Raises:
        ConfigError: `CONFIG` where a name is no setting of the method (the known are listed with
            their meaning), a value is not of its type, or a name is told twice.
    """
    changes: Changes = {}
    for word in words:
        name, text = _split(word)
        if name in changes:
            raise ConfigError(f"{name} is set twice.", code="CONFIG")
        changes[name] = read_value(_known(method, name), text)
    return changes


def read_sweeps(method: str, words: Sequence[str]) -> dict[str, list[Any]]:
    """Return `NAME=V1,V2,...` words as lists of typed values by name, in order.

    Raises:
        ConfigError: `CONFIG`, as `read_changes`; also where a list has a value twice.
    """
    sweeps: dict[str, list[Any]] = {}
    for word in words:
        name, text = _split(word)
        setting = _known(method, name)
        values = [read_value(setting, each.strip()) for each in text.split(",")]
        if name in sweeps or len(set(values)) < len(values):
            raise ConfigError(f"--sweep {name}: each value once, got {text!r}.", code="CONFIG")
        sweeps[name] = values
    return sweeps


def combinations(sweeps: Mapping[str, Sequence[Any]]) -> list[Changes]:
    """Return every choice of one value a name, the last name changing fastest.

    >>> combinations({"history_days": [0, 5], "seed": [1, 2]})[1]
    {'history_days': 0, 'seed': 2}
    >>> combinations({})
    [{}]
    """
    return [
        dict(zip(sweeps, values, strict=True)) for values in itertools.product(*sweeps.values())
    ]


def _split(word: str) -> tuple[str, str]:
    name, equals, text = word.partition("=")
    if not (equals and name.strip() and text.strip()):
        raise ConfigError(f"A setting is written NAME=VALUE, got {word!r}.", code="CONFIG")
    return name.strip().replace("-", "_"), text.strip()


def _known(method: str, name: str) -> Setting:
    known = settings_of(method)
    if name not in known:
        listed = "; ".join(
            f"{each.name} ({each.meaning.rstrip('.').replace(';', ',')})" for each in known.values()
        )
        raise ConfigError(f"{method} has no setting {name!r}. It has: {listed}.", code="CONFIG")
    return known[name]


def read_value(setting: Setting, text: str) -> Any:
    """Return a word as the type of a setting.

    Raises:
        ConfigError: `CONFIG` where it is not of that type.

    >>> read_value(Setting("carry_state", bool, False, ""), "yes")
    True
    """
    kind = setting.type
    if get_origin(kind) is Literal and text in get_args(kind):
        return text
    if get_origin(kind) is tuple:
        return tuple(each.strip() for each in text.split(","))
    if kind is bool and text.lower() in TRUE + FALSE:
        return text.lower() in TRUE
    if kind is str:
        return text
    if kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    raise ConfigError(
        f"{setting.name} takes {type_in_words(kind)}, got {text!r}. {setting.meaning}".strip(),
        code="CONFIG",
    )


def type_in_words(kind: Any) -> str:
    """Return what a setting takes, for people.

    >>> type_in_words(Literal["max", "none"])
    'max or none'
    """
    if get_origin(kind) is Literal:
        return " or ".join(str(each) for each in get_args(kind))
    if get_origin(kind) is tuple:
        return "names with commas between"
    return {bool: "yes or no", int: "a whole number", float: "a number"}.get(kind, "a text")
