"""How fast neighbours are found and a month is evaluated; seconds and peak memory out.

    python benchmarks/neighbours.py            # 60,000 hosts, and 11 days of 7,500
    python benchmarks/neighbours.py --million  # and one host among 1,000,000

Vectors are clustered: 60 groups of a lower dimension each, as embeddings are. Each part runs in a
process of its own, so that its peak memory is its own.
"""

import argparse
import multiprocessing
import os
import resource
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

import numpy as np

from darkgnn_core.embeddings import Embedding
from darkgnn_core.evaluation.labelled_days import LabelledDay
from darkgnn_core.evaluation.protocols import DUMMIES, PROTOCOLS
from darkgnn_core.evaluation.repeats import evaluate
from darkgnn_core.neighbours import Float32s, Int64s, nearest_in, prepare

SIZE = 128
CLUSTERS = 60
TEST_DAYS = 11


def clustered(hosts: int, seed: int = 0) -> tuple[Float32s, Int64s]:
    """Draw vectors float32 (hosts, 128) and the cluster of each."""
    random = np.random.default_rng(seed)
    centres = 3 * np.random.default_rng(0).standard_normal((CLUSTERS, SIZE), np.float32)
    cluster = random.integers(0, CLUSTERS, hosts)
    inner = random.standard_normal((hosts, 24), np.float32)
    turn = np.random.default_rng(1).standard_normal((24, SIZE), np.float32)
    return inner @ turn + centres[cluster], cluster


def peak_mib() -> float:
    """Return this process's peak memory."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def timed(work: Callable[[], object]) -> float:
    """Return seconds of wall time."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def search(hosts: int, shared: int, all_too: bool) -> str:
    """Time one host, and all hosts if asked; every `shared` hosts have the same vector."""
    vectors = clustered(hosts // shared)[0]
    vectors = vectors[np.random.default_rng(2).permutation(hosts) // shared]
    before = peak_mib()
    started = time.perf_counter()
    space = prepare(vectors)
    prepared = time.perf_counter() - started
    one = [timed(lambda at=at: nearest_in(space, np.array([at * 101]), 10)) for at in range(20)]
    told = (
        f"{hosts:,} x {SIZE}, {shared} a vector: prepared {prepared:.2f} s, one host, k 10: median "
        f"{np.median(one) * 1000:.1f} ms, worst {max(one) * 1000:.1f} ms"
    )
    if all_too:
        worked = time.process_time()
        told += f", all hosts, k 10: {timed(lambda: nearest_in(space, None, 10)):.1f} s"
        told += f" ({time.process_time() - worked:.1f} s of processors)"
    return told + f"; {peak_mib() - before:.0f} MiB above the {before:.0f} MiB before"


def made_month(days: int, hosts: int) -> list[LabelledDay]:
    """Draw days of which a third of the hosts are labelled, four fifths there the day before."""
    random = np.random.default_rng(3)
    everyone = np.sort(random.choice(2**32, 3 * hosts, replace=False)).astype(np.uint32)
    cluster = random.integers(0, CLUSTERS, len(everyone))
    names = np.array([f"class {n}" if n < 14 else "unknown" for n in range(CLUSTERS)], object)
    names[14:20] = names[:6]
    there = random.random(len(everyone)) < 1 / 3
    month = []
    for day in range(days):
        swapped = random.random(len(everyone)) < 0.2
        there = np.where(swapped, random.random(len(everyone)) < 1 / 3, there)
        found = np.flatnonzero(there)
        vectors, drawn = clustered(len(found) * 2, day)
        order = np.argsort(drawn, kind="stable")
        rows = order[np.searchsorted(drawn[order], cluster[found]) + random.integers(0, 5)]
        noise = random.standard_normal((len(found), SIZE), np.float32)
        embedding = Embedding(f"2021-12-{day + 1:02}", everyone[found], vectors[rows] + noise, "")
        month.append(LabelledDay(embedding, names[cluster[found]]))
    return month


def month(name: str, hosts: int) -> str:
    """Time one protocol on the last 11 of 31 days."""
    days = made_month(31, hosts)
    before = peak_mib()
    protocol = (PROTOCOLS | DUMMIES)[name]
    keys = [day.key for day in days[-TEST_DAYS:]]
    started, worked = time.perf_counter(), time.process_time()
    found = evaluate(protocol, days, keys)
    seconds, worked = time.perf_counter() - started, time.process_time() - worked
    first = next(iter(found.values())).summary
    size = np.mean([len(day.labels) for day in days])
    return (
        f"{name}, {TEST_DAYS} days of {size:,.0f} hosts, {first['hosts']:,} scored: "
        f"{seconds:.1f} s ({worked:.1f} s of processors), "
        f"{peak_mib() - before:.0f} MiB above {before:.0f}; "
        f"macro F1 {first['macro_f1_mean']:.2f}"
    )


def main() -> None:
    """Run each part by itself and print what it says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--million", action="store_true", help="also 1,000,000 hosts")
    parser.add_argument("--hosts", type=int, default=60_000)
    parser.add_argument("--day-hosts", type=int, default=7_500)
    options = parser.parse_args()
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    parts: list[tuple[Callable[..., str], tuple[object, ...]]] = [
        (search, (options.hosts, 1, True)),
        (search, (options.hosts, 20, True)),
    ]
    parts += [(month, (name, options.day_hosts)) for name in (*PROTOCOLS, *DUMMIES)]
    if options.million:
        parts.append((search, (1_000_000, 1, False)))
    for work, arguments in parts:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, mp_context=context) as pool:
            print(pool.submit(work, *arguments).result(), flush=True)
    print(f"load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
