"""How many hosts, ports and packets each class shall have at a given size."""

from dataclasses import dataclass

import numpy as np

from darkgnn_core.demo.class_behaviours import core_ports
from darkgnn_core.demo.config import DemoConfig
from darkgnn_core.demo.truth import PAPER_DAYS, UNKNOWN, DemoClass, Figures

FEW_PACKETS = 15
PORTS_A_PACKET = 0.1


@dataclass(frozen=True)
class Target:
    """What a class shall have in this demo.

    Attributes:
        figures: Its row of Table 2, scaled.
        days: Indexes of the days on which it is seen, ascending.
        host_days: Sum over the days of the hosts seen.
    """

    figures: Figures
    days: tuple[int, ...]
    host_days: int


def target_of(cls: DemoClass, config: DemoConfig) -> Target:
    """Scale a row of Table 2 to the size of the demo; at full size it is the row itself.

    Fewer days: a host's mean number of active days shrinks with the days, and so do the ports a
    class rotates through. Fewer packets: ports shrink as packets do, but not below the class's
    core and not below one port in ten packets. Source: ours.
    """
    paper, days = cls.paper, days_of(cls, config)
    daily_hosts = max(round(paper.daily_hosts * config.hosts_scale), config.min_class_hosts, 1)
    stretch = (len(days) - 1) / max(cls.seen_days - 1, 1)
    active_days = paper.daily_hosts * cls.seen_days / paper.hosts
    host_days = daily_hosts * len(days)
    hosts = round(host_days / (1 + (active_days - 1) * stretch))
    hosts = min(max(hosts, daily_hosts), host_days)
    packets = round(host_days * _packets_a_host_day(cls, config))
    ports, daily_ports = _ports(cls, packets / len(days), len(days), stretch)
    figures = Figures(hosts, ports, packets, daily_hosts, daily_ports, round(packets / len(days)))
    return Target(figures, days, host_days)


def days_of(cls: DemoClass, config: DemoConfig) -> tuple[int, ...]:
    """Return the indexes of the days on which a class is seen, spread over the whole time."""
    if not config.class_gaps or cls.seen_days == PAPER_DAYS:
        return tuple(range(config.days))
    seen = max(1, round(cls.seen_days * config.days / PAPER_DAYS))
    return tuple(int(day) for day in np.floor((np.arange(seen) + 0.5) * config.days / seen))


def _packets_a_host_day(cls: DemoClass, config: DemoConfig) -> float:
    mean = cls.paper.packets / (cls.paper.daily_hosts * cls.seen_days)
    if config.packets_scale >= 1:
        return mean * config.packets_scale
    return min(mean, max(mean * config.packets_scale, FEW_PACKETS))


def _ports(cls: DemoClass, daily_packets: float, days: int, stretch: float) -> tuple[int, int]:
    """Return ports of all days and of one day; unknown hosts draw new ones every day."""
    paper = cls.paper
    share = max(PORTS_A_PACKET, paper.daily_ports / paper.daily_packets)
    core = 0 if cls.label == UNKNOWN else len(core_ports(cls.label))
    daily = min(paper.daily_ports, max(round(daily_packets * share), core))
    if cls.label == UNKNOWN:
        return round(paper.ports * (1 - (1 - daily / paper.ports) ** days)), daily
    rotated = (paper.ports / paper.daily_ports - 1) * daily * stretch
    return min(paper.ports, round(daily + rotated)), daily
