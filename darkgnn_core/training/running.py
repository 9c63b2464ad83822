"""The runner: takes any method through its units, and keeps what a kill must not take away.

After each unit, in this order: embeddings, each whole and synced, and their manifest; the
checkpoint; the unit's lines of `progress.jsonl`. A kill before the checkpoint makes the next
attempt do the unit again, and as methods draw by seeds, the same bytes come out; a kill after it
leaves at most those lines to be written, which the checkpoint holds too.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from darkgnn_core.durable import sweep_partials
from darkgnn_core.errors import DarkgnnError, RunError
from darkgnn_core.run_config import RunConfig
from darkgnn_core.traces.parsing import Stopped
from darkgnn_core.trainers import Step, Trainer, Unit
from darkgnn_core.training.checkpoints import (
    Checkpoint,
    drop_earlier,
    read_checkpoint,
    write_checkpoint,
)
from darkgnn_core.training.embedding_files import EmbeddingFiles
from darkgnn_core.training.progress import NAME, Line, ProgressLog, line_of
from darkgnn_core.training.resources import bytes_below, gpu_peak_bytes, peak_bytes
from darkgnn_core.training.troubles import (
    check_embedding,
    check_state,
    check_step,
    troubles_named,
)

CHECKPOINTS = "checkpoint"
EMBEDDINGS = "embeddings"
TELL_S = 0.05
"""Steps that follow each other faster than this are not all told."""
RECENT_UNITS = 5

Progress = dict[str, Any]


@dataclass(frozen=True)
class RunReport:
    """How a run went, over all attempts.

    Attributes:
        stopped: Whether the analyst stopped it before it was done.
        seconds: Wall time of its finished units.
        seconds_a_day: Of that, for each day embedded.
        processor_seconds_a_day: What a day took of all cores together, which other work on the
            machine changes less than wall time.
        peak_bytes: The most memory its process had.
        gpu_peak_bytes: The most memory of the graphics card this attempt took; 0 without one.
        days: Days embedded.
        bytes: What its files take.
    """

    stopped: bool
    seconds: float
    seconds_a_day: float
    processor_seconds_a_day: float
    peak_bytes: int
    gpu_peak_bytes: int
    days: int
    bytes: int


def run(
    directory: Path,
    config: RunConfig,
    trainer: Trainer,
    *,
    data: Mapping[str, str],
    on_progress: Callable[[Progress], None] = lambda _: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> RunReport:
    """Do the units of a run that its last checkpoint does not hold yet.

    Call it in one process at a time for a directory.

    Args:
        directory: Of the run.
        config: Its settings.
        trainer: The method, new.
        data: Hash of each bin's data, by key; kept with the checkpoint.
        on_progress: Told how far it is (`runs.Run.progress`), at most 20 times a second.
        should_stop: Asked after each step; then the run ends after its last finished unit.

    Raises:
        RunError: `DIVERGED`; `CANNOT-CONTINUE` where the finished units are not the method's
            first ones; `CHECKPOINT`, `DAMAGED`; as `troubles.troubles_named`.
    """
    with troubles_named(directory):
        sweep_partials(directory)
        attempt = _Attempt(directory, config, trainer, data, on_progress, should_stop)
        with attempt.told():
            attempt.do_all()
        return attempt.report()


class _Attempt:
    """One process's way through the units that are left."""

    def __init__(
        self,
        directory: Path,
        config: RunConfig,
        trainer: Trainer,
        data: Mapping[str, str],
        on_progress: Callable[[Progress], None],
        should_stop: Callable[[], bool],
    ) -> None:
        self.directory = directory
        self.config = config
        self.trainer = trainer
        self.units = trainer.units
        self.data = data
        self.on_progress = on_progress
        self.should_stop = should_stop
        last = read_checkpoint(directory / CHECKPOINTS)
        self.done = 0 if last is None else self._restored(last)
        self.seconds = 0.0 if last is None else last.seconds
        self.processor_seconds = 0.0 if last is None else last.processor_seconds
        self.peak = 0 if last is None else last.peak_bytes
        self.files = EmbeddingFiles(directory / EMBEDDINGS, {} if last is None else last.embedded)
        self.log = ProgressLog(directory / NAME)
        if last is not None:
            drop_earlier(directory / CHECKPOINTS)
            self.log.add_missing(list(last.lines))
        self.unit_seconds: list[tuple[bool, float]] = []
        self.stopped = False
        self.step: Step | None = None
        self.told_at = self.unit_began = time.perf_counter()
        self.processor_began = time.process_time()

    def _restored(self, last: Checkpoint) -> int:
        """Hand a checkpoint to the trainer, if it is one of this run; return how many units."""
        names = tuple(unit.name for unit in self.units[: len(last.units)])
        if names != last.units:
            raise RunError(
                f"{self.config.method} cannot go on: with the days there are now, what it did "
                "first is not what it would do first. Start a new run over all days.",
                code="CANNOT-CONTINUE",
            )
        if last.config_hash != self.config.hash:
            raise RunError(
                "The checkpoint is that of a run with other settings. Start the run anew.",
                code="CHECKPOINT",
            )
        self.trainer.restore(last.state)
        return len(last.units)

    @contextmanager
    def told(self) -> Iterator[None]:
        """Write to the progress file when the attempt starts, and how it ends."""
        try:
            self._note("start")
            self._tell()
            yield
        except Stopped:
            self.stopped = True
            self._note("end", message="cancelled")
        except DarkgnnError as error:
            self._note("end", message=f"failed: {error} ({error.code})")
            raise
        else:
            self._note("end", message="done")
        finally:
            self.log.close()

    def _note(self, event: str, **values: Any) -> None:
        total = len(self.units)
        with suppress(OSError):  # a full disk has its own name already
            self.log.add(line_of(event, units_done=self.done, units_total=total, **values))

    def do_all(self) -> None:
        """Do the units that are left."""
        while self.done < len(self.units):
            if self.should_stop():
                raise Stopped
            self._do(self.units[self.done])

    def _do(self, unit: Unit) -> None:
        """Do one unit and keep what it made."""
        self.unit_began = time.perf_counter()
        self.processor_began = time.process_time()
        self.step = None
        lines = []
        for embedding in self.trainer.do(self.done, self._on_step):
            check_embedding(embedding)
            self.files.add(embedding)
            seconds = round(time.perf_counter() - self.unit_began, 4)
            lines.append(line_of("day", unit=unit.name, day=embedding.key, seconds=seconds))
        self.peak = max(self.peak, peak_bytes())
        lines.append(self._line_of(unit))
        write_checkpoint(self.directory / CHECKPOINTS, self._checkpoint(lines))
        self.log.add(*lines)  # the checkpoint has them, synced
        took = time.perf_counter() - self.unit_began
        self.done += 1
        self.seconds += took
        self.processor_seconds += time.process_time() - self.processor_began
        self.unit_seconds.append((bool(unit.day), took))
        self.unit_began = time.perf_counter()
        self._tell(unit)

    def _checkpoint(self, lines: list[Line]) -> Checkpoint:
        """Return what is to be kept now that one more unit is done."""
        state = self.trainer.state()
        check_state(state)
        return Checkpoint(
            units=tuple(each.name for each in self.units[: self.done + 1]),
            state=state,
            config_hash=self.config.hash,
            data=self.data,
            embedded=self.files.entries,
            seconds=self.seconds + time.perf_counter() - self.unit_began,
            processor_seconds=self.processor_seconds + time.process_time() - self.processor_began,
            peak_bytes=self.peak,
            lines=tuple(lines),
        )

    def _line_of(self, unit: Unit) -> Line:
        """Return what the progress file says of a finished unit."""
        return line_of(
            "unit",
            unit=unit.name,
            day=unit.day,
            **self._of_step(),
            seconds=round(time.perf_counter() - self.unit_began, 4),
            units_done=self.done + 1,
            units_total=len(self.units),
            peak_bytes=self.peak,
        )

    def _of_step(self) -> dict[str, Any]:
        if self.step is None:
            return {}
        step = self.step
        about = {"epoch": step.epoch, "epochs": step.epochs, "loss": step.loss}
        return about | {"accuracy": step.accuracy}

    def _on_step(self, step: Step) -> None:
        """Take note of a step; end the unit where the analyst asked for it."""
        check_step(step)
        self.step = step
        now = time.perf_counter()
        if now - self.told_at >= TELL_S:
            self.told_at = now
            unit = self.units[self.done]
            self.log.add(
                line_of(
                    "step",
                    unit=unit.name,
                    day=step.day,
                    **self._of_step(),
                    seconds=round(step.seconds, 4),
                    units_done=self.done,
                )
            )
            self.peak = max(self.peak, peak_bytes())
            self._tell(unit)
        if self.should_stop():
            raise Stopped

    def _tell(self, unit: Unit | None = None) -> None:
        """Tell how far the run is."""
        next_unit = self.units[min(self.done, len(self.units) - 1)] if self.units else Unit("")
        told = unit or next_unit
        in_unit = time.perf_counter() - self.unit_began
        progress = {
            "unit": told.name,
            "day": told.day if self.step is None else self.step.day,
            "units_done": self.done,
            "units_total": len(self.units),
            **self._of_step(),
            "seconds": round(self.seconds + in_unit, 3),
            "remaining_s": self._remaining_s(in_unit),
            "peak_bytes": self.peak,
        }
        self.on_progress(progress)

    def _remaining_s(self, in_unit: float) -> float | None:
        """Return how long the units that are left may take, told by the last ones of their kind."""
        left = self.units[self.done :]
        if left and not self.done:
            return None
        each = [self._usual_s(embeds=bool(unit.day)) for unit in left]
        return round(max(0.0, each[0] - in_unit) + sum(each[1:]), 3) if each else 0.0

    def _usual_s(self, *, embeds: bool) -> float:
        """Return what a unit takes that only trains or also embeds; what any takes if none is."""
        if not self.unit_seconds:
            return self.seconds / self.done
        same = [took for kind, took in self.unit_seconds if kind == embeds]
        return fmean(same[-RECENT_UNITS:] or [took for _, took in self.unit_seconds])

    def report(self) -> RunReport:
        """Return how the run went, over all attempts."""
        days = len(self.files.entries)
        return RunReport(
            stopped=self.stopped,
            seconds=round(self.seconds, 3),
            seconds_a_day=round(self.seconds / days, 4) if days else 0.0,
            processor_seconds_a_day=round(self.processor_seconds / days, 4) if days else 0.0,
            peak_bytes=self.peak,
            gpu_peak_bytes=gpu_peak_bytes(),
            days=days,
            bytes=bytes_below(self.directory),
        )
