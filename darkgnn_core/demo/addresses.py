"""Source addresses that can be nobody's.

All sources lie in 240.0.0.0/4, which has been reserved since 1989 and is routed nowhere: a demo
must never show a real sender's address. Organisations own /24 networks in 240.0.0.0/8; all others
are scattered over 241.0.0.0 to 254.255.255.255. The darknet is 198.18.0.0/24, of the range
reserved for benchmarks. These sources count as bogons: `SnapshotConfig.include_bogons` must stay
on, as it is by default. Source: RFC 1112, RFC 2544; `docs/decisions.md`.
"""

import numpy as np
import numpy.typing as npt

from darkgnn_core.demo.blocks import Block

DARKNET = (198 << 24) | (18 << 16)
DARKNET_SIZE = 256
ORGANISATIONS = 240 << 24
SCATTERED = 241 << 24
SCATTERED_SIZE = 14 << 24

Addresses = npt.NDArray[np.uint32]


def allocate(blocks: tuple[Block, ...], rng: np.random.Generator) -> Addresses:
    """Give every host of every block its own address.

    Returns:
        uint32 (hosts of all blocks,), in the blocks' order, no two alike.
    """
    networks = iter(rng.permutation(1 << 16)[: sum(block.networks for block in blocks)])
    scattered = _distinct(sum(b.hosts for b in blocks if not b.networks), SCATTERED_SIZE, rng)
    parts: list[npt.NDArray[np.int64]] = []
    used = 0
    for block in blocks:
        if block.networks:
            own = np.array([next(networks) for _ in range(block.networks)], dtype=np.int64)
            places = _distinct(block.hosts, 254 * block.networks, rng)
            parts.append(ORGANISATIONS + (own[places // 254] << 8) + 1 + places % 254)
        else:
            parts.append(SCATTERED + scattered[used : used + block.hosts])
            used += block.hosts
    return np.concatenate(parts).astype(np.uint32)


def _distinct(number: int, below: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Draw `number` different integers in random order."""
    if number * 4 > below:
        return rng.permutation(below)[:number]
    found = np.zeros(0, dtype=np.int64)
    while len(found) < number:
        found = np.sort(np.concatenate([found, rng.integers(0, below, number + 16)]))
        found = found[np.diff(found, prepend=-1) > 0]
    return rng.permutation(found)[:number]
