"""How a set of hosts came about: a small value that says enough to tell it in words."""

import json
from collections.abc import Mapping
from typing import Any

from darkgnn_core.errors import ConfigError

KINDS = (
    "lasso",
    "box",
    "query",
    "neighbours",
    "cluster",
    "pasted",
    "cell",
    "combined",
    "graph",
    "chosen",
)
"""What a recipe's `kind` may be; `chosen` is hosts picked one by one."""

RECIPE_CHARACTERS = 1_000_000
WORDS_CHARACTERS = 300

_JOINED = {"union": "all of", "intersection": "only what is in all of", "difference": "without"}
_DRAWN = {"lasso": "drawn by lasso on the map", "box": "drawn as a box on the map"}


def checked_recipe(recipe: Mapping[str, Any]) -> str:
    """Return a recipe as JSON, to be kept.

    Args:
        recipe: `kind`, one of `KINDS`, and what tells it; as JSON can hold it. A text under
            `words` says it in the words of the part that made it.

    Raises:
        ConfigError: `RECIPE` where the kind is none, or it cannot be kept.
    """
    if recipe.get("kind") not in KINDS:
        found = recipe.get("kind")
        message = f"A recipe's kind must be one of {', '.join(KINDS)}, got {found!r}."
        raise ConfigError(message, code="RECIPE")
    try:
        text = json.dumps(dict(recipe), sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"A recipe must be JSON: {error}.", code="RECIPE") from error
    if len(text) > RECIPE_CHARACTERS:
        message = f"A recipe may have {RECIPE_CHARACTERS:,} characters, got {len(text):,}."
        raise ConfigError(message, code="RECIPE")
    return text


def words_of(recipe: Mapping[str, Any]) -> str:
    """Say a recipe in words, one line; plain text, which may hold text of others.

    >>> words_of({"kind": "neighbours", "of": "192.0.2.1", "k": 10, "metric": "cosine"})
    '10 nearest neighbours of 192.0.2.1 (cosine)'
    >>> words_of({"kind": "query", "label": "mirai", "port": 23, "day": "2021-12-01"})
    'query: label mirai, port 23, on 2021-12-01'
    >>> words_of({"kind": "cluster", "cluster": 3, "method": "HDBSCAN", "day": "2021-12-01"})
    'cluster 3 (HDBSCAN), 2021-12-01'
    """
    if recipe.get("words"):
        said = str(recipe["words"])
    else:
        said = _OF_KIND.get(str(recipe.get("kind")), _said_plainly)(recipe)
    short = " ".join(said.split())
    return short if len(short) <= WORDS_CHARACTERS else f"{short[:WORDS_CHARACTERS]} ..."


def _said_plainly(recipe: Mapping[str, Any]) -> str:
    facts = [
        f"{name.replace('_', ' ')} {value}"
        for name, value in recipe.items()
        if name != "kind" and isinstance(value, str | int | float) and value != ""
    ]
    kind = str(recipe.get("kind", "hosts"))
    return f"{kind}: {', '.join(facts)}" if facts else kind


def _drawn(recipe: Mapping[str, Any]) -> str:
    return _DRAWN[str(recipe["kind"])] + _on(recipe)


def _neighbours(recipe: Mapping[str, Any]) -> str:
    number = f"{recipe['k']} nearest neighbours" if "k" in recipe else "neighbours"
    metric = f" ({recipe['metric']})" if recipe.get("metric") else ""
    return f"{number} of {recipe.get('of', 'a host')}{metric}{_on(recipe)}"


def _cluster(recipe: Mapping[str, Any]) -> str:
    how = [
        f"{words} {recipe[name]}"
        for name, words in (("min_hosts", "hosts at least"), ("min_samples", "neighbours"))
        if name in recipe
    ]
    number = recipe.get("cluster", "")
    said = f"cluster {number}" if number else "noise, in no cluster"
    told = [str(recipe.get("method", "")), *how]
    return f"{said} ({', '.join(each for each in told if each)}){_on(recipe)}"


def _query(recipe: Mapping[str, Any]) -> str:
    parts = [
        f"{words} {recipe[name]}"
        for name, words in (
            ("label", "label"),
            ("port", "port"),
            ("addresses", "in"),
            ("min_packets", "packets at least"),
            ("max_packets", "packets at most"),
            ("day", "on"),
            ("first_day", "from"),
        )
        if recipe.get(name) not in (None, "")
    ]
    if recipe.get("hides_known"):
        parts.append("known scanners left out")
    return f"query: {', '.join(parts)}" if parts else "query: all hosts"


def _pasted(recipe: Mapping[str, Any]) -> str:
    bad = int(recipe.get("not_understood", 0))
    tail = f", not understood: {bad:,}" if bad else ""
    return f"pasted list of {int(recipe.get('entries', 0)):,} addresses and prefixes{tail}"


def _cell(recipe: Mapping[str, Any]) -> str:
    protocol = f" ({recipe['protocol']})" if recipe.get("protocol") else ""
    true, predicted = recipe.get("true", "?"), recipe.get("predicted", "?")
    return f"labelled {true}, predicted {predicted}{protocol}{_on(recipe)}"


def _combined(recipe: Mapping[str, Any]) -> str:
    names = [str(each.get("name", "a set")) for each in recipe.get("of", [])]
    operation = str(recipe.get("operation"))
    if operation == "difference" and names:
        return f"{names[0]} without {', '.join(names[1:])}"
    return f"{_JOINED.get(operation, operation)} {', '.join(names)}"


def _on(recipe: Mapping[str, Any]) -> str:
    return f", {recipe['day']}" if recipe.get("day") else ""


_OF_KIND = {
    "lasso": _drawn,
    "box": _drawn,
    "neighbours": _neighbours,
    "cluster": _cluster,
    "query": _query,
    "pasted": _pasted,
    "cell": _cell,
    "combined": _combined,
}
