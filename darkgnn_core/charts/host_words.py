"""A host in words: what its features are called, and tables with headings for people."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address

import numpy as np
import numpy.typing as npt
import pandas as pd

from darkgnn_core.charts.port_names import port_label
from darkgnn_core.hosts.evidence import Evidence
from darkgnn_core.hosts.fingerprint import Tool
from darkgnn_core.hosts.predicting import Prediction

STATISTICS = {
    "min": "least",
    "max": "most",
    "sum": "sum",
    "mean": "mean",
    "std": "spread",
}
BLOCKS = {
    "packets_per_port": "packets a port",
    "packets_per_dark_address": "packets a dark address",
    "length": "length",
    "ttl": "TTL",
    "mss": "MSS",
    "window": "window",
    "ts_option": "timestamp option",
}
SINGLE = {"ports": "port nodes", "dark_addresses": "dark addresses"}

STRENGTHS = {
    "clear": "its own mark on nearly all packets",
    "partly": "its own mark on some packets",
    "fits": "values fit, but others share them",
}
"""How sure a tool of a fingerprint is."""

KIND_WORDS = {"tcp": "TCP that asks", "backscatter": "answers (SYN-ACK, RST)", "other": "not TCP"}
"""Kinds of packets of `hosts.packet_hours`, in the order in which they are stacked."""

UNKNOWN_PORT = "not told"


def feature_words(name: str) -> str:
    """Return what a feature is called.

    >>> feature_words("packets_per_port_std"), feature_words("ttl_mean"), feature_words("ports")
    ('packets a port, spread', 'TTL, mean', 'port nodes')
    """
    block, _, statistic = name.rpartition("_")
    if name in SINGLE or block not in BLOCKS:
        return SINGLE.get(name, name.replace("_", " "))
    return f"{BLOCKS[block]}, {STATISTICS[statistic]}"


def port_words(port: int) -> str:
    """Return a port as it is shown; packets whose port the trace does not tell have none."""
    return UNKNOWN_PORT if port < 0 else port_label(port)


def address_text(host: int) -> str:
    """Return the dotted quad of an address."""
    return str(IPv4Address(int(host)))


def standing_table(standing: pd.DataFrame) -> pd.DataFrame:
    """Return features held against others, with headings for people.

    Args:
        standing: As `hosts.features.feature_standing` gives it.
    """
    shown = standing.assign(feature=[feature_words(name) for name in standing["feature"]])
    for group in ("all", "class"):
        shown[f"percentile_{group}"] = (100 * shown[f"percentile_{group}"]).round(1)
    return shown.rename(
        columns={
            "value": "this host",
            "median_all": "median of all",
            "percentile_all": "percentile of all",
            "effect_all": "deviations from all",
            "median_class": "median of class",
            "percentile_class": "percentile of class",
            "effect_class": "deviations from class",
        }
    )


def near_table(
    hosts: npt.NDArray[np.uint32],
    distances: npt.NDArray[np.float64],
    labels: Sequence[str],
    shared: Sequence[tuple[int, float, str]],
    is_prefix: Sequence[bool],
) -> pd.DataFrame:
    """Return the nearest hosts with headings for people, nearest first.

    Args:
        hosts: uint32 (k,), addresses.
        distances: float64 (k,).
        labels: Label of each.
        shared: Ports shared with each: how many, their lift, and the rarest ones in words.
        is_prefix: Whether each lies in the host's own /24.
    """
    return pd.DataFrame(
        {
            "open": [address_text(host) for host in hosts],
            "rank": range(1, len(hosts) + 1),
            "distance": distances,
            "label": list(labels),
            "shared_ports": [count for count, _, _ in shared],
            "lift": [lift for _, lift, _ in shared],
            "rarest": [words for _, _, words in shared],
            "same_/24": ["yes" if same else "" for same in is_prefix],
        }
    )


def rarest_words(ports: pd.DataFrame, limit: int = 3) -> str:
    """Return the rarest ports of `evidence.SharedPorts.ports` in words."""
    some = [port_words(int(port)) for port in ports["port"].head(limit)]
    more = len(ports) - limit
    return ", ".join(some) + (f", {more} more" if more > 0 else "")


def shared_port_table(ports: pd.DataFrame) -> pd.DataFrame:
    """Return shared ports with headings for people; as `evidence.SharedPorts.ports`."""
    return pd.DataFrame(
        {
            "port": [port_words(int(port)) for port in ports["port"]],
            "lift": ports["lift"],
            "base rate": 100 * ports["base_rate"],
            "packets": ports["packets"],
            "theirs": ports["neighbour_packets"],
        }
    )


def gap_table(gaps: pd.DataFrame) -> pd.DataFrame:
    """Return feature gaps with headings for people; as `features.feature_gaps`."""
    return pd.DataFrame(
        {
            "feature": [feature_words(name) for name in gaps["feature"]],
            "this host": gaps["host"],
            "neighbour": gaps["neighbour"],
            "percentile": (100 * gaps["percentile"]).round(1),
            "neighbour's percentile": (100 * gaps["neighbour_percentile"]).round(1),
        }
    )


def trait_table(traits: pd.DataFrame) -> pd.DataFrame:
    """Return compared headers with headings for people; as `fingerprint.compared_traits`."""
    shown = traits.rename(columns={"host": "this host"}).drop(columns="is_same")
    return shown.assign(same=["yes" if same else "no" for same in traits["is_same"]])


def evidence_table(
    cards: Sequence[Evidence], distances: Sequence[float], labels: Sequence[str]
) -> pd.DataFrame:
    """Return evidence cards as rows, one a neighbour, for an export.

    Args:
        cards: Of one host and its neighbours.
        distances: Of each neighbour.
        labels: Of each neighbour.
    """
    rows = [
        {
            "host": address_text(card.host),
            "neighbour": address_text(card.neighbour),
            "label": label,
            "distance": distance,
            "shared_ports": card.shared.count,
            "ports_of_host": card.shared.of_host,
            "ports_of_neighbour": card.shared.of_neighbour,
            "shared_with_a_random_host": card.shared.expected,
            "lift": card.shared.lift,
            "ports_jaccard": card.shared.jaccard,
            "ports_cosine": card.shared.cosine,
            "rarest_shared_ports": " ".join(str(port) for port in card.shared.ports["port"][:10]),
            "volume_likeness": card.volume,
            "timing_likeness": card.timing,
            "same_headers": {None: "not told", True: "yes", False: "no"}[card.is_same_fingerprint],
            "same_24": "yes" if card.is_same_prefix else "no",
            "largest_feature_gap": "" if card.gaps.empty else str(card.gaps["feature"].iloc[0]),
        }
        for card, distance, label in zip(cards, distances, labels, strict=True)
    ]
    return pd.DataFrame(rows)


def claim_table(claims: pd.DataFrame) -> pd.DataFrame:
    """Return who says what of a host with headings for people; as `told.ToldOf.claims`."""
    return pd.DataFrame(
        {
            "label": claims["label"],
            "counts": ["yes" if wins else "" for wins in claims["wins"]],
            "source": claims["source"],
            "of": claims["target"],
            "day": [day or "any" for day in claims["day"]],
            "evidence": claims["evidence"],
            "confidence": claims["confidence"],
            "run": claims["run"],
        }
    )


def tool_rows(tools: Iterable[Tool]) -> list[tuple[str, str, str]]:
    """Return tools of a fingerprint as rows: name, how sure, evidence."""
    return [(tool.name, STRENGTHS[tool.strength], " ".join(tool.evidence)) for tool in tools]


def vote_words(prediction: Prediction) -> str:
    """Return how neighbours voted, in a sentence.

    Args:
        prediction: Of a host.
    """
    voters = len(prediction.neighbours)
    if not voters:
        return "There is no other host that could vote."
    said = f"{prediction.votes} of its {prediction.k} nearest hosts are {prediction.label}"
    if prediction.votes == prediction.k:
        return f"{said}."
    return f"{said}, {prediction.margin:.0%} of the votes ahead of the next label."


def seconds_words(seconds: float) -> str:
    """Return a gap between packets in words.

    >>> seconds_words(0.5), seconds_words(90), seconds_words(7200)
    ('0.5 s', '90 s', '2 h')
    """
    if np.isnan(seconds):
        return "not told"
    if seconds < 600:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.3g} h"


def compared_port_table(ports: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Return ports of compared groups with headings for people, shares in percent.

    Args:
        ports: As `comparing.Compared.ports`.
        names: Of the groups, in order.
    """
    shown: dict[str, object] = {"port": [port_words(int(port)) for port in ports["port"]]}
    for place, name in enumerate(names, 1):
        shown[f"{place}. {name}, %"] = (100 * ports[f"share_{place}"]).round(1)
    shown["all hosts, %"] = (100 * ports["day_share"]).round(2)
    return pd.DataFrame(shown)
