"""Embeddings with the labels of their hosts, from the workspace's label store."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from darkgnn_core.embeddings import Embedding
from darkgnn_core.errors import ConfigError
from darkgnn_core.evaluation.predictions import Ints, Texts, Voting, without_small_classes
from darkgnn_core.labels.opinions import ClaimTable, opinions_on, read_claims, read_claims_by_day
from darkgnn_core.labels.resolving import resolved_from
from darkgnn_core.labels.texts import UNKNOWN
from darkgnn_core.neighbours import Float32s, standardised
from darkgnn_core.workspace import Workspace

LabelScope = Literal["day", "all"]
"""Which claims count on a day: those of that day and those bound to none (`day`), or `all` claims
of the workspace, so that a host has one label in the whole month, as in the paper. With `all`, what
was seen on a later day labels a host on an earlier one."""


@dataclass(frozen=True, eq=False)
class LabelledDay:
    """An embedding and what its hosts are.

    Attributes:
        embedding: n hosts.
        labels: object (n,), text; `unknown` for a host without a label.
    """

    embedding: Embedding
    labels: Texts

    def __post_init__(self) -> None:
        """Check that every host has its label."""
        if self.labels.shape != self.embedding.hosts.shape:
            raise ConfigError(
                f"{self.embedding.key} has {len(self.embedding.hosts)} hosts, and "
                f"{len(self.labels)} labels.",
                code="EVALUATION",
            )

    @property
    def key(self) -> str:
        """Name of the bin."""
        return self.embedding.key

    @cached_property
    def standardised(self) -> Float32s:
        """Vectors with columns at mean 0 and variance 1 over the hosts of this day alone."""
        return standardised(self.embedding.vectors)

    def rows(self, voting: Voting) -> Float32s:
        """Return vectors as they are compared, float32 (n, E)."""
        return self.standardised if voting.standardise else self.embedding.vectors

    @cached_property
    def _scored(self) -> dict[int, tuple[Texts, Ints]]:
        return {}

    def classes(self, voting: Voting) -> Texts:
        """Return labels in which classes too small for this day are unknown, object (n,)."""
        return self._of_size(voting.min_class_hosts)[0]

    def labelled(self, voting: Voting) -> Ints:
        """Return where hosts of a class large enough stand, int64, ascending."""
        return self._of_size(voting.min_class_hosts)[1]

    def labelled_rows(self, voting: Voting) -> Float32s:
        """Return the vectors of `labelled` hosts as they are compared, float32 (m, E)."""
        asked = voting.min_class_hosts, voting.standardise
        if asked not in self._rows:
            self._rows[asked] = self.rows(voting)[self.labelled(voting)]
        return self._rows[asked]

    @cached_property
    def _rows(self) -> dict[tuple[int, bool], Float32s]:
        return {}

    def _of_size(self, min_class_hosts: int) -> tuple[Texts, Ints]:
        if min_class_hosts not in self._scored:
            kept = without_small_classes(self.labels, min_class_hosts)
            self._scored[min_class_hosts] = kept, np.flatnonzero(kept != UNKNOWN)
        return self._scored[min_class_hosts]


def labelled_days(
    workspace: Workspace,
    read: Callable[[str], Embedding],
    keys: Iterable[str],
    *,
    scope: LabelScope = "day",
    counts_analysts: bool = False,
) -> list[LabelledDay]:
    """Read embeddings and give every host its label as of its day.

    Labels that analysts gave are left out unless asked for: whoever labels hosts after a look at
    the embedding, or takes a suggestion, would grade their own work.

    Args:
        workspace: Whose labels count.
        read: Gives the embedding of a bin.
        keys: Names of the bins, in time order.
        scope: Which claims count.
        counts_analysts: Whether labels that analysts gave count, too.

    Raises:
        WorkspaceError: `DAMAGED`, from `read`.
    """
    keys = list(keys)
    with workspace.catalogue() as connection:
        if scope == "all":
            whole = read_claims(connection, counts_analysts=counts_analysts)
            return [labelled_day(whole, read(key)) for key in keys]
        dates = [key[:10] for key in keys]
        by_day = read_claims_by_day(connection, dates, counts_analysts=counts_analysts)
        return [labelled_day(claims, read(key)) for claims, key in zip(by_day, keys, strict=True)]


def labelled_day(claims: ClaimTable, embedding: Embedding) -> LabelledDay:
    """Give every host of an embedding the label that these claims give it."""
    opinions = opinions_on(claims, embedding.hosts)
    labels = resolved_from(claims, embedding.hosts, opinions).labels
    return LabelledDay(embedding, np.asarray(labels, object))
