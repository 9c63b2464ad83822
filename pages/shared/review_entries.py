"""What is reviewed, as entries with a name each: a run, its seeds together, or a baseline."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from darkgnn_core.charts.review_tables import names_of
from darkgnn_core.charts.review_words import BASELINE_TITLES
from darkgnn_core.evaluation.open_set import OpenSetDay
from darkgnn_core.evaluation.repeats import Repeats
from darkgnn_core.runs import Run
from darkgnn_core.score_files import DayPredictions, Question
from darkgnn_core.score_job import Task
from darkgnn_core.workspace import Workspace
from pages.shared import review_loaders
from pages.shared.review_choice import Choice
from pages.shared.review_loaders import File


@dataclass(frozen=True)
class Entry:
    """One thing that is scored.

    Attributes:
        name: What it is called; no other entry has that name.
        runs: One run, or those that differ from it in the seed alone.
        question: What is asked.
        days: The chosen days that all its runs have.
        is_baseline: Whether it looks at addresses alone.
    """

    name: str
    runs: tuple[Run, ...]
    question: Question
    days: tuple[str, ...]
    is_baseline: bool = False


@dataclass(frozen=True)
class Kept:
    """An entry whose predictions are all kept.

    Attributes:
        entry: The entry.
        files: For each of its runs the file of each day.
    """

    entry: Entry
    files: tuple[tuple[File, ...], ...]


def entries_of(choice: Choice) -> list[Entry]:
    """Return what is to be scored, the first run first, baselines last."""
    named = _named(choice)
    entries = [
        Entry(name, members, choice.question, _shared(members, choice.days))
        for name, members in named.items()
    ]
    if choice.has_baselines and choice.runs:
        first = choice.runs[:1]
        for protocol, title in BASELINE_TITLES.items():
            question = replace(choice.question, protocol=protocol)
            entries.append(Entry(title, first, question, _shared(first, choice.days), True))
    return [entry for entry in entries if entry.days]


def _named(choice: Choice) -> dict[str, tuple[Run, ...]]:
    groups: dict[str, list[Run]] = {}
    for run in choice.runs:
        key = replace(run.config, seed=0).hash if choice.is_joined else run.id
        groups.setdefault(key, []).append(run)
    firsts = [members[0] for members in groups.values()]
    counts = {members[0].id: len(members) for members in groups.values()}
    names = names_of(firsts, joined=counts)
    return {names[members[0].id]: tuple(members) for members in groups.values()}


def _shared(runs: Sequence[Run], days: Iterable[str]) -> tuple[str, ...]:
    return tuple(day for day in days if all(day in run.days for run in runs))


def kept_and_missing(
    workspace: Workspace, entries: Iterable[Entry]
) -> tuple[list[Kept], list[Task]]:
    """Return the entries that can be shown at once, and what must be computed for the others."""
    kept, tasks = [], []
    for entry in entries:
        files, lacks = [], []
        for run in entry.runs:
            found = review_loaders.stored_files(workspace, run.id, entry.question, entry.days)
            whole = review_loaders.is_whole
            read = {key: file for key, file in found.items() if file and whole(file)}
            absent = tuple(key for key in entry.days if key not in read)
            files.append(tuple(read[key] for key in entry.days if key in read))
            if absent:
                lacks.append(Task("scores", run.id, absent, entry.question))
        tasks += lacks
        if not lacks:
            kept.append(Kept(entry, tuple(files)))
    return kept, tasks


def days_read(kept: Kept) -> list[DayPredictions]:
    """Return what is kept of an entry's first run, day by day."""
    read = [review_loaders.predictions(file) for file in kept.files[0]]
    return [day for day in read if day is not None]


def open_set_of(kept: Iterable[Kept]) -> dict[str, list[list[OpenSetDay]]]:
    """Return the days of the open set of each run, by the entry's name; {} for other protocols."""
    found: dict[str, list[list[OpenSetDay]]] = {}
    for each in kept:
        for files in each.files:
            read = [review_loaders.predictions(file) for file in files]
            days = [day.open_set for day in read if day is not None and day.open_set is not None]
            if days:
                found.setdefault(each.entry.name, []).append(days)
    return found


def variants_of(kept: Kept) -> list[str]:
    """Return the settings of its protocol that an entry was scored with, in order."""
    days = days_read(kept)
    return list(dict.fromkeys(each.variant for each in days[0].found)) if days else []


def scored(
    kept: Iterable[Kept], variant: str, classes: tuple[str, ...] | None
) -> dict[str, Repeats]:
    """Return the scores of entries by name."""
    return {each.entry.name: review_loaders.scores(each.files, variant, classes) for each in kept}


def label_sizes(kept: Iterable[Kept]) -> dict[str, Mapping[str, int]]:
    """Return for each day the hosts of every label, before small classes are left out."""
    sizes: dict[str, Mapping[str, int]] = {}
    for each in kept:
        for key, day in zip(each.entry.days, days_read(each), strict=True):
            sizes.setdefault(key, day.sizes)
    return sizes
