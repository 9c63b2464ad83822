"""Settings of the demo darknet."""

from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import Any, Literal, Self

from darkgnn_core.config import require
from darkgnn_core.errors import ConfigError

Size = Literal["small", "full"]
SIZES: tuple[Size, ...] = ("small", "full")


@dataclass(frozen=True)
class DemoConfig:
    """What a demo darknet looks like; the defaults are the small one.

    Attributes:
        start: First UTC day, ISO date.
        days: Number of days.
        hosts_scale: Hosts a day, as a share of the paper's.
        packets_scale: Packets a host, as a share of the paper's (classes that send few packets
            a host keep them).
        min_class_hosts: No class gets fewer hosts a day than this.
        class_gaps: Classes that the paper saw on some days only are silent on the others.
        sensor_gaps: Leave out the packets of a few hours, as a failing sensor does. The planted
            truth then promises more packets than the files hold.
        noise: Also write what the paper filters out: backscatter, UDP, ICMP and hosts with fewer
            than 5 packets a day.
        seed: Everything random follows from it.

    Source:
        Paper section 3 and Table 2.
    """

    start: str = "2021-12-01"
    days: int = 14
    hosts_scale: float = 0.198
    packets_scale: float = 0.3
    min_class_hosts: int = 13
    class_gaps: bool = False
    sensor_gaps: bool = False
    noise: bool = True
    seed: int = 2021

    def __post_init__(self) -> None:
        """Check every setting once."""
        try:
            date.fromisoformat(self.start)
        except ValueError as error:
            raise ConfigError(
                f"start must be a date such as 2021-12-01, got {self.start!r}.", code="CONFIG"
            ) from error
        require(1 <= self.days <= 366, f"days must be from 1 to 366, got {self.days}.")
        for name in ("hosts_scale", "packets_scale"):
            value = getattr(self, name)
            require(0.01 <= value <= 4, f"{name} must be from 0.01 to 4, got {value}.")
        require(
            0 <= self.min_class_hosts <= 100,
            f"min_class_hosts must be from 0 to 100, got {self.min_class_hosts}.",
        )
        require(self.seed >= 0, f"seed must be 0 or more, got {self.seed}.")

    @classmethod
    def of_size(cls, size: Size, **changes: Any) -> Self:
        """Return the settings of a size, with changes by name.

        `small`: 14 days, about 1,500 hosts and 130,000 packets a day, all classes every day.
        `full`: the month of Table 2, 60,106 hosts and 62 million packets.

        Raises:
            ConfigError: If the size or a change is unknown, or a value is outside its range.
        """
        require(size in SIZES, f"size must be one of {', '.join(SIZES)}, got {size!r}.")
        unknown = sorted(set(changes) - {field.name for field in fields(cls)})
        require(not unknown, f"unknown settings {unknown}.")
        full: dict[str, Any] = {
            "days": 31,
            "hosts_scale": 1.0,
            "packets_scale": 1.0,
            "min_class_hosts": 0,
            "class_gaps": True,
        }
        return cls(**((full if size == "full" else {}) | changes))

    @property
    def dates(self) -> tuple[date, ...]:
        """The UTC days, in order."""
        first = date.fromisoformat(self.start)
        return tuple(first + timedelta(days=index) for index in range(self.days))
