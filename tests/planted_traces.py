"""Trace files of a small demo darknet with a group of hosts in them that no label names."""

from pathlib import Path

import numpy as np

from darkgnn_core.demo import DemoConfig, plan, write_logs
from darkgnn_core.demo.writing import TRUTH
from tests.made_traces import DAY_S, Made, write_log

DAYS = ("2021-12-01", "2021-12-02", "2021-12-03")
GROUP = tuple(f"203.0.113.{number}" for number in range(1, 15))
"""Hosts that do the same each day; the ground truth does not name them, and no other does so."""

PORTS = (7547, 37215, 52869)
PACKETS = 30
"""Packets a day of each host of the group."""


def write_traces(folder: Path, *, seed: int = 7) -> int:
    """Write a log for each day of a small demo, its ground truth, and a log of the group.

    Args:
        folder: Made if it is not there; nothing else may lie in it.
        seed: Of the packets of the group.

    Returns:
        Packets in all.
    """
    config = DemoConfig(
        start=DAYS[0], days=len(DAYS), hosts_scale=0.01, packets_scale=0.05, min_class_hosts=13
    )
    written = write_logs(plan(config), folder)
    (folder / TRUTH).unlink()
    random = np.random.default_rng(seed)
    made = [
        Made(
            day * DAY_S + float(random.uniform(0, DAY_S - 1)),
            host,
            int(random.choice(PORTS)),
            f"198.18.0.{random.integers(1, 200)}",
        )
        for day in range(len(DAYS))
        for host in GROUP
        for _ in range(PACKETS)
    ]
    write_log(folder / "group.log.gz", sorted(made, key=lambda packet: packet.at))
    return sum(written.packets) + len(made)
