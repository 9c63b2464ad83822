"""Files of what was predicted by a run, and of its embeddings' health; named by what made them.

They lie in the run's directory, so they go with it. A file's name holds the hash of all that
decides its content, so a changed label, embedding, setting or version never finds an old one; what
cannot be read is as if it were not there.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

import darkgnn_core
from darkgnn_core.durable import MANIFEST, disk_errors_named, write_file, write_json
from darkgnn_core.errors import ConfigError
from darkgnn_core.evaluation.labelled_days import LabelScope
from darkgnn_core.evaluation.open_set import OpenSetDay
from darkgnn_core.evaluation.predictions import PAPER, DayScores, Texts, Voting
from darkgnn_core.evaluation.protocols import DUMMIES, PROTOCOLS, SAME_DAY_LOO, Protocol
from darkgnn_core.labels.aliases import read_aliases
from darkgnn_core.run_store import EMBEDDINGS, directory_of
from darkgnn_core.workspace import Workspace

VERSION = 2
"""Goes up whenever predictions, health or their files change for the same inputs."""

FOLDER = "scores"
FACTS = b"darkgnn.scores"


@dataclass(frozen=True)
class Question:
    """What is asked of an embedding: by which protocol its neighbours are to tell labels.

    Attributes:
        protocol: A name of `PROTOCOLS` or `DUMMIES`.
        voting: How neighbours vote.
        scope: Which labels count on a day.
        counts_analysts: Whether labels that analysts gave count, too.
        seed: Of what is drawn.
    """

    protocol: str = SAME_DAY_LOO.name
    voting: Voting = field(default_factory=lambda: PAPER)
    scope: LabelScope = "day"
    counts_analysts: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the names once."""
        if self.protocol not in PROTOCOLS and self.protocol not in DUMMIES:
            message = f"there is no protocol {self.protocol!r}; there are {', '.join(PROTOCOLS)}."
            raise ConfigError(message, code="EVALUATION")
        if self.scope not in ("day", "all"):
            message = f"labels must be those of the `day` or `all`, got {self.scope!r}."
            raise ConfigError(message, code="EVALUATION")

    @property
    def asked(self) -> Protocol:
        """The protocol itself."""
        return PROTOCOLS.get(self.protocol) or DUMMIES[self.protocol]

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it; `from_dict` is its inverse."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Return the question that `to_dict` gave."""
        return cls(**{**values, "voting": Voting(**values["voting"])})


@dataclass(frozen=True, eq=False)
class DayPredictions:
    """What was predicted on one day.

    Attributes:
        found: One result a variant and draw, in order.
        sizes: Hosts of the day by label, before small classes are left out; none is unknown.
        open_set: What the open set adds to its predictions; None for any other protocol.
    """

    found: tuple[DayScores, ...]
    sizes: dict[str, int]
    open_set: OpenSetDay | None = None


def embedding_hashes(workspace: Workspace, run_id: str) -> dict[str, str]:
    """Return the sha256 of a run's embedding of each day, in time order; {} without any."""
    path = directory_of(workspace, run_id) / EMBEDDINGS / MANIFEST
    try:
        files = json.loads(path.read_bytes())["files"]
        found = {name.removesuffix(".parquet"): entry["sha256"] for name, entry in files.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
    return dict(sorted(found.items()))


_CLAIMS = (
    "SELECT source_id, label, coalesce(day, ''), count(*), sum(id), sum(first_ip), "
    "sum(prefix_len), sum((id % 65521) * (first_ip % 65521)), max(added_at) FROM label "
    "WHERE withdrawn_at IS NULL AND (:analysts OR source_id NOT IN "
    "(SELECT id FROM label_source WHERE kind IN ('analyst', 'given'))) "
    "GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
)


def label_state(workspace: Workspace, *, counts_analysts: bool = False) -> str:
    """Return what changes whenever a label that is scored may be another.

    Standing claims, sources and their order, and aliases count; labels that analysts gave only
    where they are scored, so that labelling hosts leaves scores standing that do not look at them.
    """
    with workspace.catalogue() as connection:
        claims = connection.execute(_CLAIMS, {"analysts": counts_analysts}).fetchall()
        sources = connection.execute(
            "SELECT id, kind, precedence FROM label_source WHERE :analysts "
            "OR kind NOT IN ('analyst', 'given') ORDER BY precedence, rowid",
            {"analysts": counts_analysts},
        ).fetchall()
        aliases = read_aliases(connection)
    return _digest([[*map(list, claims)], [*map(list, sources)], aliases])


def prediction_paths(
    workspace: Workspace, run_id: str, question: Question, keys: Sequence[str], labels: str
) -> dict[str, Path]:
    """Return where the predictions of some days are, or would be; days without embedding left out.

    Args:
        workspace: Whose run and labels.
        run_id: The run.
        question: What is asked.
        keys: Names of the bins.
        labels: As `label_state` gives it.
    """
    hashes = embedding_hashes(workspace, run_id)
    folder = directory_of(workspace, run_id) / FOLDER / _digest(question.to_dict())
    made_of = [VERSION, darkgnn_core.__version__, labels]
    paths, days = {}, list(hashes)
    for key in keys:
        if key in hashes:
            seen = days[: days.index(key) + 1] if question.asked.needs_past else [key]
            digest = _digest([*made_of, [[day, hashes[day]] for day in seen]])
            paths[key] = folder / f"{key}.{digest}.parquet"
    return paths


def health_paths(
    workspace: Workspace, run_id: str, voting: Voting, keys: Sequence[str]
) -> dict[str, Path]:
    """Return where the health of a run's embeddings is, or would be; it depends on no label."""
    hashes = embedding_hashes(workspace, run_id)
    days, folder = list(hashes), directory_of(workspace, run_id) / FOLDER / "health"
    paths = {}
    for key in keys:
        if key in hashes:
            place = days.index(key)
            seen = [[day, hashes[day]] for day in days[max(0, place - 1) : place + 1]]
            made_of = [VERSION, darkgnn_core.__version__, voting.metric, voting.standardise, seen]
            paths[key] = folder / f"{key}.{_digest(made_of)}.json"
    return paths


def agreement_path(
    workspace: Workspace, first: str, second: str, voting: Voting, key: str
) -> Path | None:
    """Return where it is kept how far two runs agree on a day; None where one lacks the day."""
    ours, theirs = embedding_hashes(workspace, first), embedding_hashes(workspace, second)
    if key not in ours or key not in theirs:
        return None
    made_of = [VERSION, darkgnn_core.__version__, voting.metric, voting.standardise]
    digest = _digest([*made_of, ours[key], theirs[key]])
    folder = directory_of(workspace, first) / FOLDER / f"agreement.{second}"
    return folder / f"{key}.{digest}.json"


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:20]


def write_predictions(path: Path, predictions: DayPredictions) -> None:
    """Write the predictions of a day as Parquet, durably; files of the day that are stale go.

    Raises:
        WorkspaceError: `DISK-FULL`, `NO-PERMISSION`.
    """
    found = predictions.found
    parts = [[each.variant, each.draw, len(each.hosts)] for each in found]
    first = found[0]
    told = {"key": first.key, "protocol": first.protocol, "k": first.k, "parts": parts}
    if predictions.open_set is not None:
        told |= {"open_set": _open_set_facts(predictions.open_set)}
    facts = _checked(told | {"sizes": predictions.sizes})
    table = pa.table(
        {
            "host": np.concatenate([each.hosts for each in found]),
            "true": _coded([each.y_true for each in found]),
            "predicted": _coded([each.y_pred for each in found]),
            "votes": np.concatenate([each.votes for each in found]),
            "margin": np.concatenate([each.margin for each in found]),
            "distance": np.concatenate([each.distance for each in found]),
        }
    ).replace_schema_metadata({FACTS: json.dumps(facts).encode()})
    _make_room(path)
    write_file(path, lambda file: pq.write_table(table, file, write_page_checksum=True))
    _sweep(path)


def _open_set_facts(day: OpenSetDay) -> dict[str, Any]:
    return {"threshold": day.threshold, "left_out": day.left_out.to_dict("list")}


def _open_set(told: Mapping[str, Any], found: Sequence[DayScores]) -> OpenSetDay | None:
    if "open_set" not in told:
        return None
    facts = told["open_set"]
    return OpenSetDay(found[0], facts["threshold"], pd.DataFrame(facts["left_out"]))


def _coded(labels: Sequence[Texts]) -> pa.Array:
    return pa.array(np.concatenate(labels), pa.string()).dictionary_encode()


def read_predictions(path: Path) -> DayPredictions | None:
    """Read the predictions of a day; None where there are none that can be read."""
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            table = file.read()
        told = _unchecked(json.loads(table.schema.metadata[FACTS]))
        numbers = {name: table.column(name).to_numpy() for name in ("votes", "margin", "distance")}
        hosts = table.column("host").to_numpy().astype(np.uint32, copy=False)
        labels = [_labels(table.column(name)) for name in ("true", "predicted")]
        found, start = [], 0
        for variant, draw, rows in told["parts"]:
            part = slice(start, start + rows)
            start += rows
            found.append(
                DayScores(
                    key=told["key"],
                    protocol=told["protocol"],
                    variant=variant,
                    draw=draw,
                    hosts=hosts[part],
                    y_true=labels[0][part],
                    y_pred=labels[1][part],
                    k=told["k"],
                    **{name: values[part] for name, values in numbers.items()},
                )
            )
        if start != len(hosts):
            return None
        return DayPredictions(tuple(found), told["sizes"], _open_set(told, found))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, pa.ArrowException):
        return None


def _labels(column: pa.ChunkedArray) -> Texts:
    """Return texts of a column; equal ones are one object, which makes them quick to compare."""
    coded = column.cast(pa.dictionary(pa.int32(), pa.string())).combine_chunks()
    names = np.array([*coded.dictionary.to_pylist(), ""], object)[:-1]
    labels: Texts = names[coded.indices.to_numpy(zero_copy_only=False)]
    return labels


def write_facts(path: Path, facts: Mapping[str, Any]) -> None:
    """Write numbers with their checksum as JSON, durably; files of the day that are stale go.

    Raises:
        WorkspaceError: `DISK-FULL`, `NO-PERMISSION`.
    """
    _make_room(path)
    write_json(path, _checked(facts))
    _sweep(path)


def read_facts(path: Path | None) -> dict[str, Any] | None:
    """Read numbers; None where there are none, or they are not as they were written."""
    if path is None:
        return None
    try:
        return _unchecked(json.loads(path.read_bytes()))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _checked(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {"facts": dict(facts), "check": _digest(dict(facts))}


def _unchecked(read: Mapping[str, Any]) -> dict[str, Any]:
    """Return facts that are as they were written; ValueError where they are not."""
    facts: dict[str, Any] = read["facts"]
    if read["check"] != _digest(facts):
        raise ValueError("the checksum differs")
    return facts


def _make_room(path: Path) -> None:
    with disk_errors_named(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)


def _sweep(path: Path) -> None:
    """Remove the files of the same day and question that hold for nothing any more."""
    day = path.name.rsplit(".", 2)[0]
    for old in path.parent.glob(f"{day}.*"):
        if old != path:
            with suppress(OSError):
                old.unlink()
