"""Feature autoencoder: the 37 features through a learned code, without the graph.

    z_u   = W_2 relu(W_1 x_u + b_1) + b_2                  encoder 37 -> h -> E, linear code
    r_u   = W_4 relu(W_3 z_u + b_3) + b_4                  decoder E -> h -> 37
    loss  = mean over hosts and columns of (r_u - x_u)^2   full batch, Adam

x_u (37,) are the scaled features of host u on the day. Weights start uniform within 1 / sqrt(width
of the input), as torch's own layers do, from a generator of the run's seed; each day goes on from
the weights and moments of the day before. With E or h >= 37 nothing is narrow enough to force a
compression: the code may then keep all that the features say, mixed.

Shapes: n hosts of the day; x float32 (n, 37), z float32 (n, E).

Source: ours; tells what a network gains from learning alone, without the graph.
"""

import math
from collections.abc import Iterator, Mapping
from itertools import pairwise
from time import perf_counter

import numpy as np
import torch
from torch import Tensor, nn

from darkgnn_core.baselines.daily import check_state, embedding_of, no_checkpoint, units_of
from darkgnn_core.embeddings import Embedding
from darkgnn_core.errors import RunError
from darkgnn_core.run_config import RunConfig, TableConfig
from darkgnn_core.run_days import Days
from darkgnn_core.snapshots.columns import FEATURES
from darkgnn_core.trainers import Array, Step, Tell, TrainerState, Unit, seed_of

MOMENTS = {"first": "exp_avg", "second": "exp_avg_sq"}


class Autoencoder(nn.Module):
    """Two layers in, two layers out.

    Args:
        hidden: Width h.
        embedding: Width E.
        generator: Draws the weights; torch's global one is not touched.
    """

    def __init__(self, hidden: int, embedding: int, generator: torch.Generator) -> None:
        super().__init__()
        widths = (FEATURES, hidden, embedding, hidden, FEATURES)
        layers = [
            nn.Linear(into, out, device="meta").to_empty(device="cpu")  # draws nothing
            for into, out in pairwise(widths)
        ]
        for layer in layers:
            bound = 1 / math.sqrt(layer.in_features)
            for parameter in layer.parameters():
                nn.init.uniform_(parameter, -bound, bound, generator=generator)
        self.encoder = nn.Sequential(layers[0], nn.ReLU(), layers[1])
        self.decoder = nn.Sequential(layers[2], nn.ReLU(), layers[3])

    def forward(self, x: Tensor) -> Tensor:
        """Return features (n, 37) after the code."""
        restored: Tensor = self.decoder(self.encoder(x))
        return restored


class AutoencoderTrainer:
    """The autoencoder, fine-tuned on each day's hosts.

    Args:
        config: Of the run.
        days: Of the run.
    """

    def __init__(self, config: RunConfig, days: Days) -> None:
        assert isinstance(config.settings, TableConfig)  # noqa: S101 - RunConfig has checked it
        self.config = config
        self.settings = config.settings
        self.days = days
        self._device = torch.device(config.device)
        generator = torch.Generator()
        generator.manual_seed(int(seed_of(config.seed, "autoencoder").generate_state(1)[0]))
        self._model = Autoencoder(self.settings.hidden, self.settings.embedding, generator)
        self._model.to(self._device)
        self._optimiser = torch.optim.Adam(
            self._model.parameters(), lr=self.settings.learning_rate, foreach=False
        )
        self._steps = 0

    @property
    def units(self) -> tuple[Unit, ...]:
        """One a day."""
        return units_of(self.days)

    def do(self, position: int, tell: Tell) -> Iterator[Embedding]:
        """Go on with the day's features and give the codes of its hosts.

        Raises:
            RunError: `DIVERGED` where the loss is no finite number.
        """
        snapshot, key = self.days.snapshot(position), self.days.keys[position]
        x = torch.from_numpy(snapshot.host_features.copy()).to(self._device)
        for epoch in range(1, self.settings.epochs + 1):
            began = perf_counter()
            loss = self._step(x, key)
            seconds = perf_counter() - began
            tell(Step(key, epoch, self.settings.epochs, loss, None, seconds))
        with torch.inference_mode():
            codes = self._model.encoder(x).cpu().numpy()
        yield embedding_of(self.config, key, snapshot.hosts, codes)

    def _step(self, x: Tensor, key: str) -> float:
        self._optimiser.zero_grad()
        loss = nn.functional.mse_loss(self._model(x), x)
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimiser.step()
        self._steps += 1
        value = float(loss.detach())
        if not math.isfinite(value):
            raise RunError(
                f"The autoencoder's loss on {key} is {value}. Lower the learning rate, or scale "
                "the features (max or quantile).",
                code="DIVERGED",
            )
        return value

    def state(self) -> TrainerState:
        """Return weights, Adam's moments and its number of steps."""
        arrays: dict[str, Array] = {}
        for name, parameter in self._model.named_parameters():
            arrays[f"weight.{name}"] = _array(parameter)
            moments = self._optimiser.state.get(parameter, {})
            for moment, where in MOMENTS.items():
                kept = moments.get(where, torch.zeros_like(parameter))
                arrays[f"{moment}.{name}"] = _array(kept)
        return TrainerState(arrays, {"method": self.config.method, "steps": self._steps})

    def restore(self, state: TrainerState) -> None:
        """Put weights and moments back.

        Raises:
            RunError: `CHECKPOINT`.
        """
        parameters = dict(self._model.named_parameters())
        kinds = ("weight", *MOMENTS)
        check_state(state, self.config, [f"{kind}.{name}" for kind in kinds for name in parameters])
        self._check_shapes(state.arrays)
        self._steps = int(state.facts["steps"])
        for name, parameter in parameters.items():
            with torch.no_grad():
                parameter.copy_(self._tensor(state.arrays[f"weight.{name}"]))
            if self._steps:
                self._optimiser.state[parameter] = {
                    "step": torch.tensor(float(self._steps)),
                    **{
                        where: self._tensor(state.arrays[f"{moment}.{name}"])
                        for moment, where in MOMENTS.items()
                    },
                }

    def _check_shapes(self, arrays: Mapping[str, Array]) -> None:
        for name, parameter in self._model.named_parameters():
            for kind in ("weight", *MOMENTS):
                found = arrays[f"{kind}.{name}"].shape
                if found != tuple(parameter.shape):
                    expected = tuple(parameter.shape)
                    raise no_checkpoint(self.config, f"{name} is {found}, expected {expected}")

    def _tensor(self, values: Array) -> Tensor:
        return torch.from_numpy(np.array(values, np.float32)).to(self._device)


def _array(tensor: Tensor) -> Array:
    values: Array = tensor.detach().cpu().numpy().copy()
    return values
