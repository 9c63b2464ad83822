"""Methods and settings of runs in plain words: what each is, costs, and is good for."""

from dataclasses import dataclass, field

from darkgnn_core.run_config import NETWORKS


@dataclass(frozen=True)
class MethodWords:
    """A method in words.

    Attributes:
        title: What it is called.
        learns: What it learns, in a sentence.
        costs: What it costs, in a sentence.
        choose: When to choose it, in a sentence.
    """

    title: str
    learns: str
    costs: str
    choose: str


@dataclass(frozen=True)
class SettingWords:
    """A setting in words.

    Attributes:
        title: What it is called.
        help: What it does, in a sentence.
        methods: The methods on which it acts.
        low: Smallest number that is offered.
        high: Largest number that is offered.
        step: By how much the buttons of its field change it.
        values: The words of a choice, by value.
    """

    title: str
    help: str
    methods: tuple[str, ...]
    low: float = 1
    high: float = 100_000
    step: float = 1
    values: dict[str, str] = field(default_factory=dict)


METHOD_WORDS = {
    "i-gcn-gru": MethodWords(
        "i-GCN-GRU",
        "One network for all days, trained a little further on each, that looks at the day and "
        "the days before it.",
        "One pass over each day by default; each pass also reads the days looked back on.",
        "The paper's best, and it goes on with new days without starting again. On the data that "
        "darkgnn was tried on, GCN-GRU without training scored as well: run both and compare.",
    ),
    "i-gcn": MethodWords(
        "i-GCN",
        "One network for all days, trained a little further on each, that looks at one day at a "
        "time.",
        "One pass over each day by default: the cheapest of the trained networks.",
        "When memory or time is short, or to see what looking back adds.",
    ),
    "gcn-gru": MethodWords(
        "GCN-GRU",
        "One network trained on the first days together, that looks back over days; it learns "
        "nothing from later days.",
        "Up to 50 passes over 20 days, then one reading of each day.",
        "To compare with the paper, or where the traffic hardly changes.",
    ),
    "gcn": MethodWords(
        "GCN",
        "A new network for each day, which knows nothing of other days.",
        "Up to 50 passes over every day: the most work a day.",
        "To compare with the paper; hosts of different days cannot be compared by it.",
    ),
    "i-darkvec": MethodWords(
        "i-DarkVec",
        "Which hosts ask for the same ports after one another, as words in a sentence; day by day.",
        "One pass over the packets of each day; needs packets, not only graphs.",
        "The paper's strong rival without a graph: run it beside every network.",
    ),
    "features": MethodWords(
        "The 37 columns as they are",
        "Nothing: a host is described by its 37 columns of the day.",
        "Next to nothing.",
        "The bar that every trained method must clear.",
    ),
    "spectral": MethodWords(
        "Ports by weight",
        "Nothing by training: the table of hosts and ports, weighted by how rare a port is "
        "(TF-IDF) and compressed (truncated SVD).",
        "One decomposition a day.",
        "A strong simple rival that uses only who asked for which port.",
    ),
    "features-spectral": MethodWords(
        "Columns and ports together",
        "Nothing by training: the 37 columns and the compressed ports side by side, each with the "
        "same weight.",
        "As much as Ports by weight.",
        "The strongest rival without training: what a network must beat to be worth its time.",
    ),
    "random-gcn": MethodWords(
        "GCN without training",
        "Nothing: the network keeps its random first weights.",
        "One reading of each day.",
        "To see how much of a GCN's score comes from its shape alone.",
    ),
    "random-gcn-gru": MethodWords(
        "GCN-GRU without training",
        "Nothing: the network keeps its random first weights, and looks back over days.",
        "One reading of each day and of the days looked back on.",
        "The quickest that looks back over days, and what i-GCN-GRU must beat to be worth its "
        "time: how much of a GCN-GRU's score comes from its shape alone.",
    ),
    "autoencoder": MethodWords(
        "Feature autoencoder",
        "To shrink each host's columns and restore them; no graph.",
        "Twenty passes over the hosts of each day, none of them large.",
        "To see what training without a graph can do.",
    ),
    "fusion": MethodWords(
        "Fusion of runs",
        "Nothing: the embeddings of other runs side by side, each with the same weight.",
        "Reading and writing files.",
        "When two runs are good at different kinds of sender.",
    ),
}
"""Every method, the paper's best first."""

WITH_FEATURES = (*NETWORKS, "random-gcn", "random-gcn-gru")
"""Methods that may be used with or without the columns."""

FEATURE_WORDS = {
    True: "Each host and port starts from its 37 columns, so a host that was never seen before is "
    "described at once.",
    False: "Each host and port gets a description of its own that is learned from scratch; the "
    "paper found this weaker, and it takes more memory.",
}
PRESET_WORDS = {
    "as_written": "The numbers and rules of the paper's text.",
    "as_released": "The numbers and rules of the authors' released code, which differ in places "
    "that change the result: to reproduce their figures.",
}

_TRAINED = NETWORKS
_RECURRENT = ("i-gcn-gru", "gcn-gru", "random-gcn-gru")
_STATIC = ("gcn", "gcn-gru")
_TABLES = ("features", "spectral", "features-spectral")

SETTING_WORDS = {
    "history_days": SettingWords(
        "History (days)",
        "How many days before the day the network looks back on; the paper takes 5.",
        _RECURRENT,
        low=0,
        high=366,
    ),
    "epochs": SettingWords(
        "Epochs",
        "How often each day's data are gone through; more is slower, and not always better.",
        (*_TRAINED, "i-darkvec", "autoencoder"),
    ),
    "days": SettingWords(
        "Days taken together",
        "The day itself and days before it whose tables are averaged or joined; 6 is like a "
        "history of 5.",
        _TABLES,
        high=366,
    ),
    "train_days": SettingWords(
        "Training days", "It trains on that many first days; the paper takes 20.", ("gcn-gru",)
    ),
    "patience": SettingWords(
        "Patience (epochs)",
        "It stops early after that many epochs without an improvement; the paper takes 3.",
        _STATIC,
    ),
    "stop_on": SettingWords(
        "Stops early by",
        "Which link accuracy tells an improvement.",
        ("gcn-gru",),
        values={"mean": "the mean over days", "last": "the last day"},
    ),
    "keeps": SettingWords(
        "Keeps the network of",
        "Which epoch's network makes the embeddings after an early stop.",
        _STATIC,
        values={"best": "the best epoch", "last": "the last epoch"},
    ),
    "is_frozen": SettingWords(
        "Stops learning after the first day",
        "The released code did so by mistake; off, each day is learned.",
        ("i-gcn",),
    ),
    "includes_today": SettingWords(
        "Sees the day itself",
        "Off, a day is described from the days before it only, as the released code did.",
        _RECURRENT,
    ),
    "carry_state": SettingWords(
        "Carries its memory on",
        "On, its memory of one day goes on to the next instead of starting empty.",
        _RECURRENT,
    ),
    "learning_rate": SettingWords(
        "Learning rate",
        "How far each training step moves the network (Adam).",
        (*_TRAINED, "autoencoder"),
        low=1e-8,
        high=10.0,
        step=1e-4,
    ),
    "weight_decay": SettingWords(
        "Weight decay",
        "How strongly large weights are pulled towards zero.",
        _TRAINED,
        low=0.0,
        high=10.0,
        step=1e-3,
    ),
    "edges": SettingWords(
        "Links of a day",
        "Which links between hosts and ports a day's graph has. The released code puts each on its "
        "first day only, with the packets of all days.",
        (*WITH_FEATURES, "spectral", "features-spectral"),
        values={
            "daily": "those of the day",
            "month_first": "on their first day only",
        },
    ),
    "edge_weight": SettingWords(
        "Weight of a link",
        "How much a link counts when a host gathers from its ports.",
        WITH_FEATURES,
        values={"packets": "its packets", "log1p": "log of its packets"},
    ),
    "self_loop": SettingWords(
        "Weight of the host itself",
        "How much a host keeps of itself when it gathers from its ports.",
        WITH_FEATURES,
        values={"one": "as one packet", "row_sum": "as all its links"},
    ),
    "convolution": SettingWords(
        "Kind of graph layer",
        "How a host gathers from its ports; the paper takes GCN.",
        WITH_FEATURES,
        values={"gcn": "GCN", "sage": "GraphSAGE", "gatv2": "GATv2 (attention)"},
    ),
    "scaling": SettingWords(
        "Scaling of the columns",
        "How columns of very different size are made comparable within a day; the paper divides "
        "each by its largest value of the day.",
        (*WITH_FEATURES, "features", "features-spectral", "autoencoder"),
        values={
            "max": "by the day's largest",
            "quantile": "by rank in the day",
            "none": "none",
        },
    ),
    "control": SettingWords(
        "Negative control",
        "Takes away on purpose what a method may live on, to see what a score owes to it: which "
        "host met which port, or the order of days.",
        (*WITH_FEATURES, "spectral", "features-spectral"),
        values={
            "none": "none",
            "rewired_edges": "links swapped at random",
            "shuffled_days": "days in a random order",
        },
    ),
    "mask_edges": SettingWords(
        "Share of links hidden",
        "That share of a day's links is hidden from the network, which then has to tell them; 0 "
        "hides none.",
        _TRAINED,
        low=0.0,
        high=0.9,
        step=0.1,
    ),
    "negatives": SettingWords(
        "Counter-examples",
        "Which pairs of host and port without a link the network must tell from real links.",
        _TRAINED,
        values={
            "uniform": "any host with any port",
            "degree": "busy ones more often",
            "historical": "pairs of earlier days",
        },
    ),
    "hidden": SettingWords(
        "Width of the first layer",
        "Wider layers can hold more and take more time and memory.",
        (*WITH_FEATURES, "autoencoder"),
    ),
    "output": SettingWords(
        "Width of the second layer", "What the graph layers hand on.", WITH_FEATURES
    ),
    "embedding": SettingWords(
        "Numbers a host",
        "How many numbers describe a host in the end; the paper takes 128.",
        (*WITH_FEATURES, "i-darkvec", "spectral", "features-spectral", "autoencoder"),
    ),
    "head": SettingWords(
        "Width of the link judge",
        "The small network that judges links while training; it is not used afterwards.",
        _TRAINED,
    ),
    "window": SettingWords(
        "Neighbours in a sequence",
        "How many hosts to each side count as context.",
        ("i-darkvec",),
    ),
    "sentence_tokens": SettingWords(
        "Cut sequences after (hosts)",
        "0 keeps the hosts of a port together; the released code cuts every 1,000.",
        ("i-darkvec",),
        low=0,
        high=10_000_000,
    ),
    "precision": SettingWords(
        "Precision",
        "Of the largest products; 16 bits are faster where the processor has them.",
        WITH_FEATURES,
        values={"float32": "32 bits", "bfloat16": "16 bits"},
    ),
    "sampling": SettingWords(
        "Graph in memory",
        "Whole days at once, or in batches where a day outgrows the memory.",
        WITH_FEATURES,
        values={
            "auto": "whole while it fits",
            "whole": "always whole",
            "neighbours": "in batches",
        },
    ),
    "batch_edges": SettingWords(
        "Links in a batch",
        "Fewer take less memory and more time; only used in batches.",
        WITH_FEATURES,
        high=10_000_000,
        step=1024,
    ),
    "fanout": SettingWords(
        "Neighbours drawn",
        "How many neighbours of a host or port are drawn a layer; only used in batches.",
        WITH_FEATURES,
        high=10_000,
    ),
}
"""Every setting, in the order in which they are shown; those of a method: `settings_of`."""

DARKVEC_NEGATIVES = SettingWords(
    "Counter-examples a pair",
    "How many random hosts each pair is told apart from.",
    ("i-darkvec",),
)
RUN_WORDS = {
    "seed": SettingWords(
        "Seed", "Every random draw follows from it: same seed, same result on the processor.", ()
    ),
    "runs": SettingWords("Runs", "The runs whose embeddings are put side by side.", ("fusion",)),
}


def settings_of(method: str) -> dict[str, SettingWords]:
    """Return the settings that act on a method, in the order in which they are shown.

    >>> list(settings_of("features"))
    ['days', 'scaling']
    """
    found = {name: each for name, each in SETTING_WORDS.items() if method in each.methods}
    if method == "i-darkvec":
        found["negatives"] = DARKVEC_NEGATIVES
    return found


def value_words(name: str, value: object) -> str:
    """Return the value of a setting in words.

    >>> value_words("edges", "daily"), value_words("epochs", 1000), value_words("keeps", "best")
    ('those of the day', '1,000', 'the best epoch')
    """
    words = SETTING_WORDS.get(name) or RUN_WORDS.get(name)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, (tuple, list)):
        return ", ".join(str(each) for each in value)
    return words.values.get(str(value), str(value)) if words else str(value)
