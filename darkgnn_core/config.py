"""Frozen settings that check themselves; their hash names every result made with them."""

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, Self

from darkgnn_core.errors import ConfigError

Preset = Literal["as_written", "as_released"]
PRESETS: tuple[Preset, ...] = ("as_written", "as_released")

LATER: dict[str, Any] = {"control": "none"}
"""Settings that came later: at this value a hash leaves them out, so that older hashes hold."""


def config_hash(config: Any) -> str:
    """Return 12 hex digits that change whenever a setting of `config` changes."""
    text = json.dumps({type(config).__name__: _told(asdict(config))}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _told(values: dict[str, Any]) -> dict[str, Any]:
    """Return settings, those inside them too, without later ones that are as if not there."""
    return {
        name: _told(value) if isinstance(value, dict) else value
        for name, value in values.items()
        if name not in LATER or value != LATER[name]
    }


def require(condition: bool, message: str) -> None:
    """Raise `ConfigError` with `message` unless `condition` holds."""
    if not condition:
        raise ConfigError(message, code="CONFIG")


@dataclass(frozen=True)
class SnapshotConfig:
    """How packets of a time bin become one snapshot.

    Attributes:
        bin_hours: Width of a bin in hours; 24 is the paper's UTC day. Divides 24, or is a
            multiple of it.
        min_packets: A host with fewer kept packets in the bin is left out (paper: 5; the released
            code keeps more than 5).
        max_ports: That many ports by packets get a node; one more node stands for the rest.
        features_before_port_filter: Compute the 37 columns on the true ports instead of the
            filtered ones.
        include_backscatter: Keep SYN-ACK and RST packets, which victims send, in the graph.
        include_bogons: Keep sources that cannot be routed (private, loopback, multicast, ...).
        drop_duplicates: Drop rows that repeat a packet in every field, as overlapping files do.
        origin: `packets` builds snapshots from packets; `released` stands for those read from
            the paper authors' own graph and feature files, which no packets can rebuild.

    Source:
        Paper section 3 and 3.1; `include_backscatter` and the rest are ours: backscatter says
        who is attacked, not who scans.
    """

    bin_hours: int = 24
    min_packets: int = 5
    max_ports: int = 2_500
    features_before_port_filter: bool = False
    include_backscatter: bool = False
    include_bogons: bool = True
    drop_duplicates: bool = False
    origin: Literal["packets", "released"] = "packets"

    def __post_init__(self) -> None:
        """Check every setting once."""
        require(
            self.bin_hours >= 1 and (24 % self.bin_hours == 0 or self.bin_hours % 24 == 0),
            f"bin_hours must divide 24 or be a multiple of it, got {self.bin_hours}.",
        )
        require(self.min_packets >= 1, f"min_packets must be 1 or more, got {self.min_packets}.")
        require(
            1 <= self.max_ports <= 65_536,
            f"max_ports must be from 1 to 65536, got {self.max_ports}.",
        )
        require(self.origin in ("packets", "released"), f"origin: got {self.origin!r}.")

    @classmethod
    def of_preset(cls, preset: Preset, **changes: Any) -> Self:
        """Return the settings of a preset, with changes by name.

        Raises:
            ConfigError: If a change is no setting, or a value is outside its range.
        """
        require(preset in PRESETS, f"preset must be one of {', '.join(PRESETS)}, got {preset!r}.")
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(changes) - known)
        require(not unknown, f"unknown settings {unknown}; there are {sorted(known)}.")
        settings: dict[str, Any] = {"min_packets": 6} if preset == "as_released" else {}
        return cls(**(settings | changes))


@dataclass(frozen=True)
class GraphConfig:
    """How stored snapshots are seen by a model: which edges, which scaling.

    Attributes:
        edges: `daily` edges of each bin; `month_first` puts each host-port pair on its first bin
            only, with the packets of all bins (what the released code did).
        scaling: `max` divides each column by its bin's maximum, hosts and ports apart (0/0 = 0);
            `quantile` replaces each value by its rank in the bin, 0 to 1; `none`.
        control: Negative controls, to see what a score owes to structure: `rewired_edges` swaps
            ports between hosts at random under the degrees they have; `shuffled_days` goes over
            the bins in an order drawn at random; `none`.

    Source:
        `docs/decisions.md`; paper section 2 for daily edges; controls are ours.
    """

    edges: Literal["daily", "month_first"] = "daily"
    scaling: Literal["max", "quantile", "none"] = "max"
    control: Literal["none", "rewired_edges", "shuffled_days"] = "none"

    def __post_init__(self) -> None:
        """Check every setting once."""
        require(self.edges in ("daily", "month_first"), f"edges: got {self.edges!r}.")
        require(self.scaling in ("max", "quantile", "none"), f"scaling: got {self.scaling!r}.")
        controls = ("none", "rewired_edges", "shuffled_days")
        require(self.control in controls, f"control: got {self.control!r}.")

    @classmethod
    def of_preset(cls, preset: Preset) -> Self:
        """Return the settings of a preset."""
        require(preset in PRESETS, f"preset must be one of {', '.join(PRESETS)}, got {preset!r}.")
        return cls(edges="month_first") if preset == "as_released" else cls()
