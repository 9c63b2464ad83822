"""What is run for each table and figure: a name, a title and the settings of a run each."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from darkgnn_core.config import PRESETS, Preset
from darkgnn_core.errors import ConfigError
from darkgnn_core.evaluation.ceilings import GRADIENT_BOOSTING
from darkgnn_core.evaluation.protocols import DUMMIES, Protocol
from darkgnn_core.reproducing.paper import EPOCHS_F1, HISTORY_F1
from darkgnn_core.run_config import NETWORKS, NetworkConfig, RunConfig

NO_FEATURES = ", no features"
AS_RELEASED = ", as_released"
FUSED = ("i-gcn-gru", "i-darkvec")
"""Rows whose runs the fusion puts side by side, seed by seed."""

REFERENCE = "i-gcn-gru"
"""The paper's best; every other row is compared with it."""


@dataclass(frozen=True)
class Row:
    """One line of a table, or one point of a curve.

    Attributes:
        name: Its name in options, files and tables.
        config: What is run, its seed aside; None where nothing is trained.
        draws: Whether another seed gives another result.
        fused: Names of the rows whose runs it puts side by side; their runs complete `config`.
        protocol: Where nothing is run: what predicts hosts by address or table alone.
        value: Of the setting that a curve is drawn over.
    """

    name: str
    config: RunConfig | None = None
    draws: bool = True
    fused: tuple[str, ...] = ()
    protocol: Protocol | None = None
    value: int | None = None

    @property
    def preset(self) -> Preset:
        """Which preset its settings were started from."""
        return "as_written" if self.config is None else self.config.preset

    @property
    def is_without_features(self) -> bool:
        """Whether it is a network whose nodes carry a learned vector each: slow to train."""
        settings = None if self.config is None else self.config.settings
        return isinstance(settings, NetworkConfig) and not settings.use_features

    def configs(self, seeds: int) -> list[RunConfig]:
        """Return the settings of its runs, one a seed from 0 on; one where seeds change nothing."""
        if self.config is None:
            return []
        count = seeds if self.draws else 1
        return [replace(self.config, seed=seed) for seed in range(count)]


def table3_rows(device: str = "cpu", presets: Sequence[Preset] = PRESETS) -> list[Row]:
    """Return the rows of Table 3: what is cheap first, networks without features last.

    Args:
        device: What the networks compute on.
        presets: `as_written` and `as_released`, or one of them.
    """
    rows = [*_unlearned(), *_learned(presets), *_controls()]
    rows += _networks(presets, use_features=False)
    return [_on(row, device) for row in rows]


def _unlearned() -> list[Row]:
    """Return what trains nothing: by address alone, and by tables of the day."""
    rows = [Row(name, protocol=dummy) for name, dummy in DUMMIES.items()]
    rows.append(Row(GRADIENT_BOOSTING.name, protocol=GRADIENT_BOOSTING))
    for name, method, changes in (
        ("features, max", "features", {}),
        ("features, quantile", "features", {"scaling": "quantile"}),
        ("features, quantile, 6 days", "features", {"scaling": "quantile", "days": 6}),
        ("spectral, 1 day", "spectral", {}),
        ("spectral, 6 days", "spectral", {"days": 6}),
        ("features-spectral, 1 day", "features-spectral", {"scaling": "quantile"}),
        ("features-spectral, 6 days", "features-spectral", {"scaling": "quantile", "days": 6}),
    ):
        settings: dict[str, Any] = changes
        rows.append(Row(name, RunConfig.of(method, **settings), draws=False))
    return rows


def _learned(presets: Sequence[Preset]) -> list[Row]:
    rows = [
        Row("autoencoder", RunConfig.of("autoencoder", scaling="quantile")),
        Row("random-gcn", RunConfig.of("random-gcn")),
        Row("random-gcn-gru", RunConfig.of("random-gcn-gru")),
        *(Row(_named("i-darkvec", each), RunConfig.of("i-darkvec", each)) for each in presets),
        *_networks(presets, use_features=True),
    ]
    if "as_written" in presets:
        placeholder = RunConfig.of("fusion", runs=FUSED)
        rows.append(Row(f"fusion of {' and '.join(FUSED)}", placeholder, fused=FUSED))
    return rows


def _networks(presets: Sequence[Preset], *, use_features: bool) -> list[Row]:
    without = "" if use_features else NO_FEATURES
    return [
        Row(
            _named(f"{method}{without}", preset),
            RunConfig.of(method, preset, use_features=use_features),
        )
        for method in reversed(NETWORKS)
        for preset in presets
    ]


def _controls() -> list[Row]:
    """Return what should score less, where edges or the order of days mean anything."""
    return [
        Row("i-gcn-gru, rewired edges", RunConfig.of("i-gcn-gru", control="rewired_edges")),
        Row("i-gcn-gru, shuffled days", RunConfig.of("i-gcn-gru", control="shuffled_days")),
        Row(
            "spectral, 1 day, rewired edges",
            RunConfig.of("spectral", control="rewired_edges"),
            draws=False,
        ),
    ]


def _named(name: str, preset: Preset) -> str:
    return name if preset == "as_written" else f"{name}{AS_RELEASED}"


def _on(row: Row, device: str) -> Row:
    """Put what computes on a device there; fusions are tables, as they are without it."""
    if row.config is None or row.fused:
        return row
    return replace(row, config=replace(row.config, device=device))


def history_rows(device: str = "cpu", preset: Preset = "as_written") -> list[Row]:
    """Return the points of Figure 4a: i-GCN-GRU by days of history, 0 being i-GCN.

    Beside it the same networks with random weights, so that what learning adds can be seen.
    """
    rows = []
    for trained in (True, False):
        for days in HISTORY_F1:
            still = ("i-gcn" if trained else "random-gcn") if days == 0 else ""
            method = still or ("i-gcn-gru" if trained else "random-gcn-gru")
            changes: dict[str, Any] = {} if days == 0 else {"history_days": days}
            config = RunConfig.of(method, preset, **changes)
            curve = "i-gcn-gru" if trained else "random-gcn-gru"
            rows.append(Row(f"{curve}, history {days}", config, value=days))
    return [_on(row, device) for row in rows]


def epoch_rows(device: str = "cpu", preset: Preset = "as_written") -> list[Row]:
    """Return the points of Figure 4b: i-GCN-GRU by epochs a snapshot."""
    rows = [
        Row(f"i-gcn-gru, epochs {epochs}", RunConfig.of("i-gcn-gru", preset, epochs=epochs))
        for epochs in EPOCHS_F1
    ]
    values = zip(rows, EPOCHS_F1, strict=True)
    return [_on(replace(row, value=epochs), device) for row, epochs in values]


def chosen(rows: Sequence[Row], only: Sequence[str], skip: Sequence[str]) -> list[Row]:
    """Return the rows whose name begins with one of `only` (all where empty) and holds no `skip`.

    Raises:
        ConfigError: `NO-ROWS` where none is left, naming those there are.
    """
    kept = [
        row
        for row in rows
        if (not only or any(row.name.startswith(each) for each in only))
        and not any(each in row.name for each in skip)
    ]
    if not kept:
        names = ", ".join(row.name for row in rows)
        raise ConfigError(f"no row is left. There are: {names}.", code="NO-ROWS")
    return kept
