"""Waiting for what another process does, but not for ever."""

import time
from collections.abc import Callable

POLL_S = 0.02


def wait_for(condition: Callable[[], object], deadline_s: float) -> None:
    """Wait until a condition holds; fail after so many seconds."""
    deadline = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(POLL_S)
