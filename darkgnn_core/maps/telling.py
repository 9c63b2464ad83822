"""What sets some hosts of a day apart from the rest: ports, features, labels, closeness, age."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from darkgnn_core.maps.enclosing import Mask
from darkgnn_core.maps.facts import ABSENT, DayFacts
from darkgnn_core.spaces import Float32s, Float64s, Int64s

PORTS = 1 << 16


@dataclass(frozen=True)
class Closeness:
    """How alike some hosts are in the full space.

    Attributes:
        inside: Mean cosine similarity of two different hosts of them, -1 to 1; NaN for one host.
        day: The same over all hosts of the day.
        kept: Share of their true neighbours that are among them, too; NaN where not known.
    """

    inside: float
    day: float
    kept: float


def ports_apart(facts: DayFacts, selected: Mask) -> pd.DataFrame:
    """Return the ports some hosts sent to, those first that tell them best from the day.

    Args:
        facts: The day.
        selected: bool (n,).

    Returns:
        One row a port: `port`, `hosts` of the selection that sent to it, `share` of the selection,
        `day_share` of all hosts, `lift` (share / day_share), `packets` of the selection, `weight`:
        the log-likelihood ratio of the two shares, negative where fewer than expected sent to it.

    Source:
        Lift as in association rules; the order by the log-likelihood ratio of Dunning (1993), which
        does not put a port of a single host first.
    """
    shifted = facts.pair_port.astype(np.int64) + 1  # the port that is not told is -1
    of_selected = selected[facts.pair_host]
    day_hosts = np.bincount(shifted, minlength=PORTS + 1)
    hosts = np.bincount(shifted[of_selected], minlength=PORTS + 1)
    packets = np.bincount(
        shifted[of_selected], weights=facts.pair_packets[of_selected], minlength=PORTS + 1
    )
    found = np.flatnonzero(hosts)
    chosen, everyone = int(selected.sum()), len(selected)
    share, day_share = hosts[found] / max(chosen, 1), day_hosts[found] / max(everyone, 1)
    table = pd.DataFrame(
        {
            "port": found - 1,
            "hosts": hosts[found],
            "share": share,
            "day_share": day_share,
            "lift": share / day_share,
            "packets": packets[found].astype(np.int64),
            "weight": _weights(hosts[found], day_hosts[found], chosen, everyone),
        }
    )
    return table.sort_values(["weight", "port"], ascending=[False, True], ignore_index=True)


def _weights(hosts: Int64s, day_hosts: Int64s, chosen: int, everyone: int) -> Float64s:
    """Return the signed log-likelihood ratio of inside against outside."""
    inside, outside = hosts.astype(float), (day_hosts - hosts).astype(float)
    rest = everyone - chosen
    expected = day_hosts / max(everyone, 1)
    terms = [
        (inside, expected * chosen),
        (outside, expected * rest),
        (chosen - inside, (1 - expected) * chosen),
        (rest - outside, (1 - expected) * rest),
    ]
    ratio = np.zeros(len(hosts))
    for seen, awaited in terms:
        is_there = seen > 0
        ratio[is_there] += 2 * seen[is_there] * np.log(seen[is_there] / awaited[is_there])
    more = inside * everyone >= day_hosts * chosen
    signed: Float64s = np.where(more, ratio, -ratio)
    return signed


def features_apart(
    names: tuple[str, ...],
    features: Float32s,
    ranks: Float32s,
    selected: Mask,
    *,
    limit: int = 15,
) -> pd.DataFrame:
    """Return the features in which some hosts differ from all others of the day, most first.

    Args:
        names: Names of the c columns.
        features: float32 (n, c), NaN where not told.
        ranks: float32 (n, c), as `facts.ranked` gives them.
        selected: bool (n,).
        limit: How many features.

    Returns:
        One row a feature known of both sides: `feature`, `effect`, `median` of the selection,
        `median_others`. `effect` is Cliff's delta, -1 to 1: how much oftener a host of the
        selection has the larger value than one of the others, ties counted as neither.

    Source:
        Cliff (1993); by ranks, as the statistic of Mann and Whitney.
    """
    own = ranks[selected]
    m, total = np.isfinite(own).sum(axis=0), np.isfinite(ranks).sum(axis=0)
    others = total - m
    compared = np.flatnonzero((m > 0) & (others > 0))
    wins = np.nansum(own, axis=0, dtype=np.float64) - m * (m + 1) / 2
    effect = 2 * wins[compared] / (m * others)[compared] - 1
    order = np.argsort(-np.abs(effect), kind="stable")[:limit]
    rows = [
        {
            "feature": names[column],
            "effect": value,
            "median": _median(features[selected, column]),
            "median_others": _median(features[~selected, column]),
        }
        for column, value in zip(compared[order].tolist(), effect[order].tolist(), strict=True)
    ]
    return pd.DataFrame(rows, columns=["feature", "effect", "median", "median_others"])


def _median(values: Float32s) -> float:
    return float(np.median(values[~np.isnan(values)]))


def labels_apart(
    names: tuple[str, ...], codes: npt.NDArray[np.int32], selected: Mask
) -> pd.DataFrame:
    """Return how many of some hosts have each label, and how many of the day.

    Args:
        names: The labels.
        codes: int32 (n,), position in `names`.
        selected: bool (n,).

    Returns:
        One row a label of the selection: `label`, `hosts`, `of` (all of the day), `share`,
        `day_share`, `lift`; by hosts downwards.
    """
    of = np.bincount(codes, minlength=len(names))
    hosts = np.bincount(codes[selected], minlength=len(names))
    found = np.flatnonzero(hosts)
    share = hosts[found] / max(int(selected.sum()), 1)
    day_share = of[found] / max(len(codes), 1)
    table = pd.DataFrame(
        {
            "label": [names[code] for code in found],
            "hosts": hosts[found],
            "of": of[found],
            "share": share,
            "day_share": day_share,
            "lift": share / day_share,
        }
    )
    return table.sort_values(["hosts", "label"], ascending=[False, True], ignore_index=True)


def closeness(
    rows: Float32s, selected: Mask, near: Int64s | None = None, *, day: float | None = None
) -> Closeness:
    """Say how alike some hosts are in the full space.

    Args:
        rows: float32 (n, E), of length 1, as `projecting.directions` gives them.
        selected: bool (n,).
        day: Similarity over all rows, where it is known already (`similarity`).
        near: int64 (n, k), true neighbours, -1 for none; None where they are not known.
    """
    kept = float("nan")
    if near is not None and selected.any():
        own = near[selected]
        there = own >= 0
        kept = float(selected[own[there]].mean()) if there.any() else float("nan")
    return Closeness(similarity(rows[selected]), similarity(rows) if day is None else day, kept)


def similarity(rows: Float32s) -> float:
    """Return the mean cosine of two different rows, by the length of their sum; NaN for one."""
    count = len(rows)
    if count < 2:
        return float("nan")
    total = rows.sum(axis=0, dtype=np.float64)
    own = float(np.einsum("ij,ij->", rows, rows, dtype=np.float64))
    return float((total @ total - own) / (count * (count - 1)))


def first_seen_table(facts: DayFacts, selected: Mask) -> pd.DataFrame:
    """Return when some hosts were first seen, the latest bin first.

    Returns:
        One row a bin: `bin`, `hosts`, `share`.
    """
    seen = facts.first_seen[selected]
    counts = np.bincount(seen[seen != ABSENT], minlength=len(facts.bins))
    found = np.flatnonzero(counts)[::-1]
    hosts = counts[found]
    return pd.DataFrame(
        {
            "bin": [facts.bins[place] for place in found],
            "hosts": hosts,
            "share": hosts / max(int(selected.sum()), 1),
        }
    )
