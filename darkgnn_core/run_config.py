"""What a run is told: the method, its settings, the days, the seed; frozen and self-checking.

A run is one method over successive days. The paper's numbers (section 4.1) are the defaults; where
its released code differs, the preset `as_released` sets the switch.
"""

from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, Self

from darkgnn_core.config import PRESETS, GraphConfig, Preset, config_hash, require

Network = Literal["gcn", "i-gcn", "gcn-gru", "i-gcn-gru"]
NETWORKS: tuple[Network, ...] = ("gcn", "i-gcn", "gcn-gru", "i-gcn-gru")
"""The paper's variants: `i-` fine-tunes day after day, `-gru` looks back over days."""

BASELINES = (
    "i-darkvec",
    "features",
    "spectral",
    "features-spectral",
    "random-gcn",
    "random-gcn-gru",
    "autoencoder",
    "fusion",
)
"""Methods to hold the networks against; all but the autoencoder and i-DarkVec learn nothing."""

METHODS: tuple[str, ...] = (*NETWORKS, *BASELINES)


@dataclass(frozen=True)
class NetworkConfig:
    """Settings of the networks, trained or random.

    Attributes:
        use_features: Nodes carry the 37 features; otherwise one learned vector a node.
        hidden: Width after the first convolution (paper: 1024).
        output: Width after the second convolution (paper: 512).
        embedding: Width E of an embedding (paper: 128).
        head: Width of the link head's hidden layer (paper: 64).
        history_days: H, snapshots before the day that a recurrent network looks back on (paper: 5).
        epochs: Passes over a snapshot, or over the training days where the network is not
            incremental (paper: 50 static, 1 incremental with features, 5 without).
        patience: Epochs without improvement after which a network that is not incremental stops.
        train_days: M, days a GCN-GRU that is not incremental trains on (paper: 20).
        learning_rate: Of Adam.
        weight_decay: Of Adam, added to the gradient.
        edge_weight: `packets`, or `log1p` of them.
        self_loop: Weight of a node's own edge: `one`, or `row_sum` of its other edges.
        convolution: `gcn` (the paper's), `sage` or `gatv2` from torch-geometric.
        mask_edges: Share of a day's edges hidden from the encoder and predicted alone; 0 hides
            none, all edges are predicted.
        negatives: Non-edges drawn `uniform`ly, by the `degree` of hosts and ports, or from pairs
            that met on earlier days (`historical`).
        carry_state: The recurrent state is carried from day to day instead of starting at zero.
        includes_today: A recurrent network sees day t itself when it embeds day t.
        is_frozen: An incremental network without recurrence stops learning after its first day.
        stop_on: What early stopping watches: `mean` link accuracy of the epoch, or that of its
            `last` day.
        keeps: The `best` epoch's weights, or the `last`.
        precision: `float32`, or `bfloat16` for the dense products.
        sampling: `whole` graphs, `neighbours` in batches, or `auto`: whole while it fits.
        batch_edges: Edges a batch when neighbours are sampled.
        fanout: Neighbours drawn a node and layer when neighbours are sampled.

    Source:
        Paper, section 4.1; `docs/decisions.md` for the switches.
    """

    use_features: bool = True
    hidden: int = 1024
    output: int = 512
    embedding: int = 128
    head: int = 64
    history_days: int = 5
    epochs: int = 1
    patience: int = 3
    train_days: int = 20
    learning_rate: float = 1e-3
    weight_decay: float = 5e-3
    edge_weight: Literal["packets", "log1p"] = "packets"
    self_loop: Literal["one", "row_sum"] = "one"
    convolution: Literal["gcn", "sage", "gatv2"] = "gcn"
    mask_edges: float = 0.0
    negatives: Literal["uniform", "degree", "historical"] = "uniform"
    carry_state: bool = False
    includes_today: bool = True
    is_frozen: bool = False
    stop_on: Literal["mean", "last"] = "mean"
    keeps: Literal["best", "last"] = "best"
    precision: Literal["float32", "bfloat16"] = "float32"
    sampling: Literal["auto", "whole", "neighbours"] = "auto"
    batch_edges: int = 65_536
    fanout: int = 10

    def __post_init__(self) -> None:
        """Check every setting once."""
        for name in ("hidden", "output", "embedding", "head", "epochs", "patience", "train_days"):
            _require_between(name, getattr(self, name), 1, 100_000)
        _require_between("history_days", self.history_days, 0, 366)
        _require_between("batch_edges", self.batch_edges, 1, 10_000_000)
        _require_between("fanout", self.fanout, 1, 10_000)
        _require_between("learning_rate", self.learning_rate, 1e-8, 10.0)
        _require_between("weight_decay", self.weight_decay, 0.0, 10.0)
        _require_between("mask_edges", self.mask_edges, 0.0, 0.9)
        _require_one_of("edge_weight", self.edge_weight, ("packets", "log1p"))
        _require_one_of("self_loop", self.self_loop, ("one", "row_sum"))
        _require_one_of("convolution", self.convolution, ("gcn", "sage", "gatv2"))
        _require_one_of("negatives", self.negatives, ("uniform", "degree", "historical"))
        _require_one_of("stop_on", self.stop_on, ("mean", "last"))
        _require_one_of("keeps", self.keeps, ("best", "last"))
        _require_one_of("precision", self.precision, ("float32", "bfloat16"))
        _require_one_of("sampling", self.sampling, ("auto", "whole", "neighbours"))


@dataclass(frozen=True)
class DarkVecConfig:
    """Settings of i-DarkVec.

    Attributes:
        embedding: Width E of an embedding (paper's reference [8]: 128 here).
        window: Hosts to each side that count as context.
        epochs: Passes over a day.
        negatives: Negative samples a pair.
        sentence_tokens: Cut the sequences, ports one after another, every so many hosts, as the
            released code does (1,000); 0 leaves each port one sentence.

    Source:
        Paper, section 4.2; `docs/decisions.md`.
    """

    embedding: int = 128
    window: int = 5
    epochs: int = 1
    negatives: int = 5
    sentence_tokens: int = 0

    def __post_init__(self) -> None:
        """Check every setting once."""
        for name in ("embedding", "window", "epochs", "negatives"):
            _require_between(name, getattr(self, name), 1, 100_000)
        _require_between("sentence_tokens", self.sentence_tokens, 0, 10_000_000)


@dataclass(frozen=True)
class TableConfig:
    """Settings of the baselines that take a day's table as it is or compress it.

    Attributes:
        days: Days of the mean (features) or of the joint matrix (spectral), the day itself the
            last of them.
        embedding: Width of the compressed table (spectral, autoencoder); features keep their 37.
        epochs: Passes of the autoencoder over a day's hosts.
        hidden: Width of the autoencoder's hidden layer.
        learning_rate: Of the autoencoder's Adam.

    Source:
        Ours: what a network must beat.
    """

    days: int = 1
    embedding: int = 128
    epochs: int = 20
    hidden: int = 64
    learning_rate: float = 1e-3

    def __post_init__(self) -> None:
        """Check every setting once."""
        for name in ("days", "embedding", "epochs", "hidden"):
            _require_between(name, getattr(self, name), 1, 100_000)
        _require_between("learning_rate", self.learning_rate, 1e-8, 10.0)


@dataclass(frozen=True)
class FusionConfig:
    """Settings of a fusion: other runs' embeddings side by side, each scaled to equal weight.

    Attributes:
        runs: Ids of the runs, in order.

    Source:
        Ours: the best of both per class is 0.84 where each alone is 0.77 to 0.80 (Table 3).
    """

    runs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check every setting once."""
        require(len(self.runs) >= 2, "a fusion takes two runs or more.")
        require(len(set(self.runs)) == len(self.runs), "a fusion takes each run once.")


Settings = NetworkConfig | DarkVecConfig | TableConfig | FusionConfig
SETTINGS: dict[str, type[Settings]] = {
    **dict.fromkeys((*NETWORKS, "random-gcn", "random-gcn-gru"), NetworkConfig),
    "i-darkvec": DarkVecConfig,
    **dict.fromkeys(("features", "spectral", "features-spectral", "autoencoder"), TableConfig),
    "fusion": FusionConfig,
}


@dataclass(frozen=True)
class RunConfig:
    """Everything that decides a run's embeddings, but the data.

    Attributes:
        method: One of `METHODS`.
        settings: The settings of that method.
        graph: Which edges a model sees, and how features are scaled.
        preset: Which preset the settings were started from; told with every result.
        seed: Every random draw follows from it.
        first_day: Key of the first bin; empty for the first there is.
        last_day: Key of the last bin; empty for the last there is, later ones included when the
            run is continued.
        device: `cpu`, `cuda` (`cuda:0`, ...) or `mps`.
    """

    method: str = "i-gcn-gru"
    settings: Settings = field(default_factory=NetworkConfig)
    graph: GraphConfig = field(default_factory=GraphConfig)
    preset: Preset = "as_written"
    seed: int = 0
    first_day: str = ""
    last_day: str = ""
    device: str = "cpu"

    def __post_init__(self) -> None:
        """Check every setting once."""
        _require_one_of("method", self.method, METHODS)
        wanted = SETTINGS[self.method]
        require(
            isinstance(self.settings, wanted),
            f"{self.method} takes {wanted.__name__}, got {type(self.settings).__name__}.",
        )
        _require_one_of("preset", self.preset, PRESETS)
        _require_between("seed", self.seed, 0, 2**31 - 1)
        kind = self.device.split(":")[0]
        _require_one_of("device", kind, ("cpu", "cuda", "mps"))
        require(
            not self.last_day or self.first_day <= self.last_day,
            f"first_day {self.first_day!r} must not come after last_day {self.last_day!r}.",
        )

    @property
    def hash(self) -> str:
        """Twelve hex digits that change whenever a setting changes."""
        return config_hash(self)

    @classmethod
    def of(
        cls, method: str, preset: Preset = "as_written", *, use_features: bool = True, **run: Any
    ) -> Self:
        """Return the settings of a method with a preset's numbers, with changes by name.

        Args:
            method: One of `METHODS`.
            preset: `as_written` (the paper's text) or `as_released` (its released code).
            use_features: Networks only: nodes carry the 37 features.
            **run: Changes to fields of `RunConfig` or of the method's settings, by name, and
                `edges`, `scaling` and `control` of `GraphConfig`.

        Raises:
            ConfigError: If a change is no setting, or a value is outside its range.
        """
        _require_one_of("method", method, METHODS)
        _require_one_of("preset", preset, PRESETS)
        kind = SETTINGS[method]
        settings = _preset_of(method, preset, use_features=use_features)
        graph = asdict(GraphConfig.of_preset(preset))
        own: dict[str, Any] = {}
        for name, value in run.items():
            home = next(
                (home for home, names in _homes(kind, settings, graph, own) if name in names), None
            )
            require(home is not None, f"{method} has no setting {name!r}.")
            if home is not None:
                home[name] = value
        return cls(
            method=method,
            settings=kind(**settings),
            graph=GraphConfig(**graph),
            preset=preset,
            **own,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it; `from_dict` is its inverse."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Return the settings that `to_dict` gave.

        Raises:
            ConfigError: If they are no settings of this version.
        """
        try:
            method = str(values["method"])
            settings = dict(values["settings"])
            if "runs" in settings:
                settings["runs"] = tuple(settings["runs"])
            parts = {
                "settings": SETTINGS[method](**settings),
                "graph": GraphConfig(**values["graph"]),
            }
            return cls(**(values | parts))
        except (KeyError, TypeError, AttributeError) as error:
            require(False, f"these are no settings of a run of this version ({error}).")
            raise


def _homes(
    kind: type[Settings], settings: dict[str, Any], graph: dict[str, Any], own: dict[str, Any]
) -> list[tuple[dict[str, Any], set[str]]]:
    """Return where a setting of a name goes, first match first."""
    run_names = {"seed", "first_day", "last_day", "device"}
    return [
        (settings, {each.name for each in fields(kind)}),
        (graph, {"edges", "scaling", "control"}),
        (own, run_names),
    ]


def _preset_of(method: str, preset: Preset, *, use_features: bool) -> dict[str, Any]:
    """Return the settings of a method that differ from the defaults of its class."""
    if method == "i-darkvec":
        return {"sentence_tokens": 1_000} if preset == "as_released" else {}
    if SETTINGS[method] is not NetworkConfig:
        return {}
    is_incremental = method.startswith("i-")
    epochs = (1 if use_features else 5) if is_incremental else 50
    settings: dict[str, Any] = {"use_features": use_features, "epochs": epochs}
    if preset == "as_released":
        released: dict[str, dict[str, Any]] = {
            "i-gcn": {"is_frozen": True},
            "gcn-gru": {"includes_today": False, "stop_on": "last", "keeps": "last"},
        }
        settings |= released.get(method, {})
    return settings


def _require_between(name: str, value: float, low: float, high: float) -> None:
    """Raise `ConfigError` unless low <= value <= high (a value that is no number fails)."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    require(is_number and low <= value <= high, f"{name} must be {low} to {high}, got {value!r}.")


def _require_one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    require(value in known, f"{name} must be one of {', '.join(known)}, got {value!r}.")
