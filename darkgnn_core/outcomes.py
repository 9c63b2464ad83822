"""What became of one file that an analyst gave."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class FileOutcome:
    """What became of one file.

    Attributes:
        name: Its name.
        status: `loaded`, `already loaded`, `failed`, or `labels` where it is a list of labels.
        report: `TraceReport` as a dict, where it was loaded now or before.
        code: Code of the error, where it failed.
        message: The error, where it failed.
    """

    name: str
    status: str
    report: dict[str, Any] = field(default_factory=dict)
    code: str = ""
    message: str = ""
