"""A network at work: one step of training on a day, and the embedding of a day.

What the four variants share. In which order days and epochs come is the business of
`incremental.py` (i-GCN, i-GCN-GRU), `daily.py` (GCN) and `offline.py` (GCN-GRU).
"""

import time
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from darkgnn_core.embeddings import Embedding
from darkgnn_core.errors import RunError
from darkgnn_core.models.convolutions import TwoConvolutions
from darkgnn_core.models.gcn import GCN
from darkgnn_core.models.gcn_gru import GCNGRU
from darkgnn_core.models.link_head import LinkHead
from darkgnn_core.models.node_vectors import VectorConvolutions
from darkgnn_core.run_config import NetworkConfig, RunConfig
from darkgnn_core.run_days import Days
from darkgnn_core.trainers import Array, Step, Tell, TrainerState, seed_of
from darkgnn_core.training.carried_states import CarriedStates
from darkgnn_core.training.choosing import takes_batches
from darkgnn_core.training.day_graphs import DayGraph, Keys, day_graph, without_edges
from darkgnn_core.training.negatives import draw_negatives
from darkgnn_core.training.sampling import Batch, pass_of, sampled_batches
from darkgnn_core.training.vector_table import VectorTable
from darkgnn_core.training.views import views_of, window_nodes

FEATURES = 37
BLOCK = 65_536
"""Targets embedded at a time."""


class NetworkAtWork:
    """A network, its optimiser and the days it works on.

    Args:
        config: A run of one of the networks, trained or random.
        days: Its days.
        graphs_kept: Day graphs held in memory; a window's where not given.
    """

    def __init__(self, config: RunConfig, days: Days, *, graphs_kept: int = 0) -> None:
        if not isinstance(config.settings, NetworkConfig):
            raise TypeError(config.method)
        self.config, self.days, self.settings = config, days, config.settings
        self.device = torch.device(config.device)
        self.is_recurrent = config.method.endswith("-gru")
        self.graph = lru_cache(maxsize=graphs_kept or self.window_length + 1)(self._graph)
        self.views = lru_cache(maxsize=1)(self._views)
        self.start("run")

    @property
    def window_length(self) -> int:
        """Graphs that a day's embedding is made of, the day's own included."""
        carries = self.settings.carry_state
        return self.settings.history_days + 1 if self.is_recurrent and not carries else 1

    def start(self, what: str) -> None:
        """Make a new network; its weights follow from the run's seed and what it is for."""
        settings = self.settings
        convolutions = convolutions_of(settings)
        self.encoder = (GCNGRU if self.is_recurrent else GCN)(convolutions, settings)
        self.head = LinkHead(settings.embedding, settings.head)
        generator = torch.Generator()
        seed = seed_of(self.config.seed, "weights", what).generate_state(1, np.uint32)
        generator.manual_seed(int(seed[0]))
        for module in (self.encoder, self.head):
            module.start(generator)
            module.to(self.device)
        self.table = VectorTable(
            settings.hidden,
            seed=self.config.seed,
            learning_rate=settings.learning_rate,
            weight_decay=settings.weight_decay,
            device=self.device,
        )
        self.carried = CarriedStates(settings.embedding, self.device)
        self.optimiser = torch.optim.Adam(
            [*self.encoder.parameters(), *self.head.parameters()],
            lr=settings.learning_rate,
            weight_decay=settings.weight_decay,
        )

    def train(
        self, position: int, epoch: int, epochs: int, tell: Tell = lambda _: None
    ) -> Step | None:
        """Learn from a day once: predict its links from its window; None where it has none.

        On whole graphs that is one step, in batches several.

        Args:
            position: Of the day.
            epoch: From 1; decides the negatives, with the run's seed.
            epochs: The most there may be.
            tell: Told every step.

        Returns:
            The step, or what several come to.
        """
        steps, sizes = [], []
        self.encoder.train()
        self.head.train()
        started = time.perf_counter()
        for batch in self._batches(position, epoch):
            vectors = self._vectors(position, batch.targets, batch.table)
            embeddings = self._encode(batch.views, batch.targets)
            loss, right = self.head(embeddings, batch.links, batch.exists)
            self._learn(loss, vectors)
            step = Step(
                day=self.graph(position).key,
                epoch=epoch,
                epochs=epochs,
                loss=float(loss.detach()),
                accuracy=float(right),
                seconds=time.perf_counter() - started,
            )
            tell(step)
            steps.append(step)
            sizes.append(batch.links.shape[1])
            started = time.perf_counter()
        return pass_of(steps, sizes)

    def _batches(self, position: int, epoch: int) -> Iterator[Batch]:
        """Yield what the steps of a pass over a day learn from: the day whole, or in batches."""
        graph, settings = self.graph(position), self.settings
        chance = np.random.default_rng(seed_of(self.config.seed, "step", graph.key, epoch))
        window, hidden = self._seen(position, chance)
        positives = graph.edges if hidden is None else graph.edges[:, hidden]
        if not positives.shape[1]:
            return
        negatives = draw_negatives(
            graph,
            positives.shape[1],
            chance,
            kind=settings.negatives,
            earlier=self._earlier(position),
        )
        if self._takes_batches(window):
            yield from sampled_batches(
                window,
                window[-1] if window[-1].key == graph.key else graph,
                (positives, negatives),
                settings,
                seed=self.config.seed,
                epoch=epoch,
                device=self.device,
            )
            return
        if hidden is None:
            views = self.views(position)
        else:
            views = views_of(window, graph.nodes, settings, self.device)
        links = torch.from_numpy(np.concatenate([positives, negatives], axis=1)).to(self.device)
        exists = torch.arange(links.shape[1], device=self.device) < positives.shape[1]
        yield Batch(views, graph.nodes, links, exists)

    def _takes_batches(self, window: list[DayGraph]) -> bool:
        width = (3 if self.is_recurrent else 1) * self.settings.embedding
        sizes = [(len(graph.nodes), graph.edges.shape[1]) for graph in window]
        return takes_batches(self.settings, width, sizes)

    def embed(self, position: int) -> Embedding:
        """Return the embedding of a day's hosts with the weights as they are now."""
        graph = self.graph(position)
        targets = graph.nodes if self._carries else graph.nodes[: graph.host_count]
        self.encoder.eval()
        with torch.no_grad():
            self._vectors(position, targets)
            window = self._window(position)
            embeddings = self._in_blocks(window, targets)
            if self._carries:
                self.carried.keep(targets, embeddings)
        vectors = embeddings[: graph.host_count].float().cpu().numpy()
        return Embedding(
            key=graph.key,
            hosts=graph.hosts,
            vectors=np.ascontiguousarray(vectors),
            config_hash=self.config.hash,
        )

    def _in_blocks(self, window: list[DayGraph], targets: Keys) -> Tensor:
        """Return the exact embeddings of targets, made for some of them at a time.

        Only the paper's convolutions over features need no more for a few targets than these and
        their neighbours; the others take all targets at once.
        """
        settings = self.settings
        is_by_rows = settings.use_features and settings.convolution == "gcn"
        if not is_by_rows or len(targets) <= BLOCK:
            return self._encode(views_of(window, targets, settings, self.device), targets)
        embeddings = torch.empty(len(targets), settings.embedding, device=self.device)
        for first in range(0, len(targets), BLOCK):
            block = targets[first : first + BLOCK]
            views = views_of(window, block, settings, self.device)
            embeddings[first : first + BLOCK] = self._encode(views, block)
        return embeddings

    @property
    def _carries(self) -> bool:
        return self.is_recurrent and self.settings.carry_state

    def _graph(self, position: int) -> DayGraph:
        return day_graph(self.days.snapshot(position), self.settings)

    def _window(self, position: int) -> list[DayGraph]:
        """Return the graphs that the embedding of a day is made of, the oldest first.

        Where today is left out (`as_released`), the first day still sees itself: it has no other.
        """
        if not self.is_recurrent:
            return [self.graph(position)]
        first = max(0, position - self.window_length + 1)
        last = position if self.settings.includes_today or position == 0 else position - 1
        return [self.graph(each) for each in range(first, last + 1)]

    def _views(self, position: int) -> list[Any]:
        targets = self.graph(position).nodes
        return views_of(self._window(position), targets, self.settings, self.device)

    def _seen(
        self, position: int, chance: np.random.Generator
    ) -> tuple[list[DayGraph], npt.NDArray[np.bool_] | None]:
        """Return the graphs that the encoder sees in training, and which edges it does not.

        Those are the edges to be predicted; None where it sees and predicts them all.
        """
        window, share = self._window(position), self.settings.mask_edges
        if not share:
            return window, None
        graph = self.graph(position)
        hidden = np.less(chance.random(graph.edges.shape[1]), share)
        if window[-1] is graph:
            window[-1] = without_edges(graph, hidden, self.settings)
        return window, hidden

    def _earlier(self, position: int) -> Keys | None:
        """Return the pairs that met on earlier days of the window, for historical negatives."""
        if self.settings.negatives != "historical":
            return None
        first = max(0, position - self.settings.history_days)
        graphs = [self.graph(each) for each in range(first, position)]
        parts = [graph.nodes[graph.edges] for graph in graphs]
        return np.concatenate([np.zeros((2, 0), np.int64), *parts], axis=1)

    def _vectors(
        self, position: int, targets: Keys, nodes: Keys | None = None
    ) -> tuple[Tensor, Tensor] | None:
        """Give a network without features the vectors it takes; return them and their rows.

        Args:
            position: Of the day.
            targets: Keys of the nodes asked for.
            nodes: Keys of the nodes whose vectors they are; all of the window's where not given.
        """
        if self.settings.use_features:
            return None
        if nodes is None:
            nodes = window_nodes(self._window(position), targets)
        rows = self.table.rows_of(nodes, self.graph(position).key)
        vectors = self.table.vectors[rows].requires_grad_(torch.is_grad_enabled())
        self.encoder.convolutions.vectors = vectors
        return rows, vectors

    def _encode(self, views: list[Any], targets: Keys) -> Tensor:
        if self._carries:
            return self.encoder(views, self.carried.of(targets))
        return self.encoder(views)

    def _learn(self, loss: Tensor, vectors: tuple[Tensor, Tensor] | None) -> None:
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        if vectors is not None and vectors[1].grad is not None:
            self.table.learn(vectors[0], vectors[1].grad)

    def weights(self) -> dict[str, Array]:
        """Return what was learned, by name, as arrays of their own."""
        named = {"encoder": self.encoder, "head": self.head}
        learned = {
            f"{part}.{name}": value.detach().cpu().numpy().copy()
            for part, module in named.items()
            for name, value in module.state_dict().items()
        }
        if not self.settings.use_features:
            learned["learned_vectors"] = self.table.vectors.cpu().numpy().copy()
        return learned

    def load(self, weights: Mapping[str, Array]) -> None:
        """Go back to what `weights` gave."""
        for part, module in (("encoder", self.encoder), ("head", self.head)):
            module.load_state_dict(
                {name: torch.tensor(weights[f"{part}.{name}"]) for name in module.state_dict()}
            )
        if not self.settings.use_features:
            vectors = torch.tensor(weights["learned_vectors"])
            self.table.vectors[: len(vectors)] = vectors.to(self.device)

    def state(self, **facts: Any) -> TrainerState:
        """Return weights, moments of the optimiser, vectors and carried states; plus facts."""
        arrays = self.weights()
        for index, values in self.optimiser.state_dict()["state"].items():
            for name, value in values.items():
                arrays[f"optimiser.{index}.{name}"] = value.cpu().numpy()
        if not self.settings.use_features:
            arrays |= self.table.state()
        if self._carries:
            arrays |= self.carried.state()
        return TrainerState(arrays, facts)

    def restore(self, state: TrainerState) -> None:
        """Go on from a state that `state` gave.

        Raises:
            RunError: `CHECKPOINT` if it is not that of such a network.
        """
        try:
            if not self.settings.use_features:
                self.table.restore(state.arrays)
            self.load(state.arrays)
            self._restore_optimiser(state.arrays)
            if self._carries:
                self.carried.restore(state.arrays)
        except (KeyError, RuntimeError, ValueError) as error:
            raise RunError(
                f"The checkpoint is not one of this network ({type(error).__name__}). Start the "
                "run again.",
                code="CHECKPOINT",
            ) from error

    def _restore_optimiser(self, arrays: Mapping[str, Array]) -> None:
        moments: dict[int, dict[str, Tensor]] = {}
        for name, value in arrays.items():
            if name.startswith("optimiser."):
                _, index, what = name.split(".")
                moments.setdefault(int(index), {})[what] = torch.tensor(value)
        groups = self.optimiser.state_dict()["param_groups"]
        self.optimiser.load_state_dict({"state": moments, "param_groups": groups})


def convolutions_of(settings: NetworkConfig) -> Any:
    """Return the two convolutions that the settings ask for."""
    if not settings.use_features:
        return VectorConvolutions(settings.hidden, settings.output)
    if settings.convolution == "gcn":
        in_bfloat16 = settings.precision == "bfloat16"
        return TwoConvolutions(FEATURES, settings.hidden, settings.output, in_bfloat16=in_bfloat16)
    from darkgnn_core.models.library_convolutions import LibraryConvolutions

    return LibraryConvolutions(settings.convolution, FEATURES, settings.hidden, settings.output)
