"""Early stopping: when to stop, and which weights to keep."""

from collections.abc import Callable, Mapping

from darkgnn_core.trainers import Array


class BestSoFar:
    """The best epoch so far, and how long ago it was.

    Args:
        patience: Epochs without improvement after which to stop.

    Source:
        Paper, section 4.1 and its note 2; what improves is the link accuracy (released code).
    """

    def __init__(self, patience: int) -> None:
        self.patience = patience
        self.accuracy = -1.0
        self.waited = 0
        self.weights: Mapping[str, Array] = {}

    def note(self, accuracy: float, weights: Callable[[], Mapping[str, Array]]) -> None:
        """Take an epoch's accuracy, and a copy of its weights where it is the best."""
        if accuracy > self.accuracy:
            self.accuracy, self.weights, self.waited = accuracy, weights(), 0
        else:
            self.waited += 1

    @property
    def is_over(self) -> bool:
        """Whether patience has run out."""
        return self.waited >= self.patience
