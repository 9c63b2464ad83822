"""How long the labels of many hosts take: claims read, the winner of each host told.

    python -m benchmarks.labels --hosts 60000 --claims 100000     # the goal: less than a second

Prints wall and processor time of the second part alone; the claims are made at random.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from darkgnn_core.catalogue import transaction
from darkgnn_core.labels.analyst import add_labels
from darkgnn_core.labels.claims import Claim
from darkgnn_core.labels.resolving import resolve
from darkgnn_core.labels.storing import insert_claims
from darkgnn_core.labels.targets import parse_target, target_of
from darkgnn_core.workspace import open_workspace


def main() -> None:
    """Make claims at random, resolve hosts of which half have one, print the time."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hosts", type=int, default=60_000)
    parser.add_argument("--claims", type=int, default=100_000)
    options = parser.parse_args()
    rng = np.random.default_rng(7)
    claims = [
        Claim(*target_of(int(address), int(length)), f"label {address % 50}", "made")
        for address, length in zip(
            rng.integers(0, 2**32, options.claims),
            rng.choice([24, 28, 32], options.claims, p=[0.1, 0.1, 0.8]),
            strict=True,
        )
    ]
    known = np.array([claim.first_ip for claim in claims])
    half = options.hosts // 2
    asked = np.concatenate([rng.choice(known, half), rng.integers(0, 2**32, options.hosts - half)])
    with (
        tempfile.TemporaryDirectory() as folder,
        open_workspace(Path(folder) / "w").catalogue() as connection,
    ):
        add_labels(connection, [parse_target("192.0.2.1")], "made")
        with transaction(connection):
            insert_claims(connection, "analyst", claims, added_at="")
        wall, processor = time.perf_counter(), time.process_time()
        found = resolve(connection, asked.astype(np.uint32))
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
    print(f"{options.hosts:,} hosts, {options.claims:,} claims: {found.labelled:,} labelled")
    print(f"{wall:.2f} s, {processor:.2f} s of processor time")


if __name__ == "__main__":
    main()
