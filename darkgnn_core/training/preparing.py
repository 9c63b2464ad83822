"""Settings of the libraries that compute: threads, and sums that come out the same every time."""

import os
from typing import Any

from darkgnn_core.errors import RunError
from darkgnn_core.run_config import NetworkConfig, RunConfig


def prepare(config: RunConfig, *, threads: int) -> None:
    """Set up this process for a run; torch is imported only where its method uses it.

    A run keeps the number of threads it was created with: other numbers add up in other orders, and
    a run that goes on would no longer end in the same bits.

    Args:
        config: What the run is told.
        threads: Processor threads to compute with.

    Raises:
        RunError: `NO-DEVICE` where the device is not there.
    """
    os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"  # cuBLAS repeats its sums only with this
    if isinstance(config.settings, NetworkConfig) or config.method == "autoencoder":
        _prepare_torch(config.device, threads)


def _prepare_torch(device: str, threads: int) -> None:
    import torch
    import torch.utils.deterministic

    torch.set_num_threads(threads)
    _refuse_missing(torch, device)
    torch.use_deterministic_algorithms(True, warn_only=device != "cpu")
    deterministic: Any = torch.utils.deterministic
    deterministic.fill_uninitialized_memory = False  # costs time, finds mistakes only


def _refuse_missing(torch: Any, device: str) -> None:
    kind, _, number = device.partition(":")
    found = {
        "cpu": 1,
        "cuda": torch.cuda.device_count() if torch.cuda.is_available() else 0,
        "mps": int(torch.backends.mps.is_available()),
    }[kind]
    if int(number or 0) >= found:
        raise RunError(
            f"There is no device {device} here. Choose another one; cpu is always there.",
            code="NO-DEVICE",
        )
