"""Which label each host gets: one winner by a visible order, and who was behind it."""

import sqlite3
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from darkgnn_core.labels.opinions import (
    Addresses,
    ClaimTable,
    Int32s,
    Int64s,
    Opinions,
    SourceName,
    opinions_on,
    read_claims,
    winners,
)
from darkgnn_core.labels.texts import UNKNOWN


@dataclass(frozen=True)
class Resolved:
    """The label of each host.

    Attributes:
        hosts: uint32 (n,), in the order asked for.
        names: The labels there are; the first is `unknown`.
        codes: int32 (n,), position in `names`; 0 is unknown.
        sources: The sources in their order.
        source_codes: int32 (n,), position in `sources`; -1 where unknown.
        claim_ids: int64 (n,), row of the claim in the catalogue; -1 where unknown.
    """

    hosts: Addresses
    names: tuple[str, ...]
    codes: Int32s
    sources: tuple[SourceName, ...]
    source_codes: Int32s
    claim_ids: Int64s

    @property
    def labels(self) -> npt.NDArray[np.object_]:
        """Labels as text, object (n,)."""
        return np.array(self.names, object)[self.codes]

    @property
    def source_ids(self) -> npt.NDArray[np.object_]:
        """Ids of the winning sources, object (n,); empty text where unknown."""
        return np.array([*(source.id for source in self.sources), ""], object)[self.source_codes]

    @property
    def source_kinds(self) -> npt.NDArray[np.object_]:
        """Kinds of the winning sources, object (n,); empty text where unknown."""
        return np.array([*(each.kind for each in self.sources), ""], object)[self.source_codes]

    @property
    def labelled(self) -> int:
        """How many hosts have a label."""
        return int(np.count_nonzero(self.codes))

    def counts(self) -> dict[str, int]:
        """Return hosts by label, the most frequent first, unknown among them."""
        hosts = np.bincount(self.codes, minlength=len(self.names))
        named = [(self.names[code], int(n)) for code, n in enumerate(hosts) if n]
        return dict(sorted(named, key=lambda pair: (-pair[1], pair[0])))


def resolve(
    connection: sqlite3.Connection, hosts: Addresses, *, day: str | None = None
) -> Resolved:
    """Give every host its label.

    Inside one source the longest prefix counts; between sources their order does; among sources
    that are level the longer prefix, then the source added first. A source that contradicts
    itself on the same prefix says nothing there.

    Args:
        connection: The catalogue.
        hosts: uint32 (n,) IPv4 addresses; repeats are fine.
        day: Count claims bound to that day and those bound to none. By default all count, so
            that a host has one label whatever the day, as in the paper.

    Source:
        Paper section 3.2 (one label an address); the order of sources is ours.
    """
    table = read_claims(connection, day=day)
    return resolved_from(table, hosts, opinions_on(table, hosts))


def resolved_from(table: ClaimTable, hosts: Addresses, opinions: Opinions) -> Resolved:
    """Give every host its label, from opinions that are there already."""
    target, claim = winners(table, opinions)
    codes = np.zeros(len(hosts), np.int32)
    source_codes = np.full(len(hosts), -1, np.int32)
    claim_ids = np.full(len(hosts), -1, np.int64)
    codes[target] = table.label[claim] + 1
    source_codes[target] = table.source[claim]
    claim_ids[target] = table.ids[claim]
    names = (UNKNOWN, *table.names)
    return Resolved(hosts, names, codes, table.sources, source_codes, claim_ids)
