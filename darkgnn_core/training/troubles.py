"""What can go wrong while training, told by its name: memory, the graphics card, the disk, NaN."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from darkgnn_core.durable import disk_errors_named
from darkgnn_core.embeddings import Embedding
from darkgnn_core.errors import RunError, WorkspaceError
from darkgnn_core.trainers import Step, TrainerState

CPU_MEMORY = ("can't allocate memory", "DefaultCPUAllocator", "std::bad_alloc", "bad allocation")
GPU_NAMES = ("CUDA", "cuDNN", "cuBLAS", "CUBLAS", "CUDNN", "HIP", "MPS")
KEPT = "What it had finished is kept."


@contextmanager
def troubles_named(directory: Path) -> Iterator[None]:
    """Turn what training can die of inside the block into a `RunError` with the way out.

    Torch's errors are told by their names and words, so that this module does without torch.

    Args:
        directory: Of the run, named where its disk is full.

    Raises:
        RunError: `OUT-OF-MEMORY`, `GPU-OUT-OF-MEMORY`, `GPU-ERROR`, `DISK-FULL`, `DISK-ERROR`.
    """
    try:
        with disk_errors_named(directory / "a file"):
            yield
    except WorkspaceError as error:
        if error.code not in ("DISK-FULL", "DISK-ERROR"):
            raise
        raise RunError(f"{error} Then resume the run.", code=error.code) from error
    except MemoryError as error:
        raise _out_of_memory() from error
    except RuntimeError as error:
        named = _named(error)
        if named is None:
            raise
        raise named from error


def _named(error: RuntimeError) -> RunError | None:
    """Return what one of torch's errors means, None where it is a mistake of ours."""
    text = str(error)
    is_gpu = any(name in text for name in GPU_NAMES)
    if any(words in text for words in CPU_MEMORY):
        return _out_of_memory()
    if type(error).__name__ == "OutOfMemoryError" or (is_gpu and "out of memory" in text):
        return RunError(
            f"The graphics card has not enough memory. {KEPT} Start it again on the processor "
            "(device cpu), or with smaller batches, smaller layers or a shorter history; or end "
            "other programs that use the card and resume.",
            code="GPU-OUT-OF-MEMORY",
        )
    if is_gpu:
        first = text.strip().splitlines()[0][:200] if text.strip() else type(error).__name__
        return RunError(
            f"The graphics card gave up: {first} {KEPT} Resume it, or start it again on the "
            "processor (device cpu).",
            code="GPU-ERROR",
        )
    return None


def _out_of_memory() -> RunError:
    return RunError(
        f"There was not enough memory. {KEPT} End other programs and resume it, or start it again "
        "with smaller layers, a shorter history, fewer hosts (min_packets) or sampled neighbours.",
        code="OUT-OF-MEMORY",
    )


def _diverged(what: str) -> RunError:
    return RunError(
        f"It diverged: {what} is no finite number any more. The days before are kept. Start it "
        "again with a lower learning rate, or with edge weights log1p.",
        code="DIVERGED",
    )


def check_step(step: Step) -> None:
    """Refuse a step whose loss is no finite number.

    Raises:
        RunError: `DIVERGED`.
    """
    if not np.isfinite(step.loss):
        raise _diverged(f"the loss of {step.day}, epoch {step.epoch},")


def check_embedding(embedding: Embedding) -> None:
    """Refuse an embedding that is not finite throughout, before anybody sees it.

    Raises:
        RunError: `DIVERGED`.
    """
    if not np.isfinite(embedding.vectors).all():
        raise _diverged(f"the embedding of {embedding.key}")


def check_state(state: TrainerState) -> None:
    """Refuse a state that is not finite throughout: nothing could go on from it.

    Raises:
        RunError: `DIVERGED`.
    """
    for name, array in state.arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise _diverged(name)
