"""Kills a run at every point at which it touches a file, and goes on: `-m tests.crash_points DIR`.

Each attempt is a forked process that ends without any clean-up (`os._exit`) right before its n-th
call that opens for writing, syncs, renames, makes or removes something. Writes one line of JSON:
how many points there were, and those after which the second attempt did not end in the same bytes.
"""

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas  # noqa: F401 - pyarrow imports it on its first array; once here, not in each child

from darkgnn_core.training.progress import NAME, read_lines
from darkgnn_core.training.running import run
from tests.made_trainers import CONFIG, DAYS, WalkTrainer, embeddings_of

EVENTS = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate")
KILLED = 9
TRIED = DAYS[:1]


def main(folder: Path) -> None:
    """Try all points."""
    expected_folder = fresh(folder / "whole")
    in_child(lambda: work(expected_folder))
    expected = seen(expected_folder)
    bad, point = [], 0
    while True:
        point += 1
        directory = fresh(folder / "cut")
        if in_child(lambda at=point, where=directory: die_at(at, where)) != KILLED:
            break
        if in_child(lambda where=directory: work(where)) != 0 or seen(directory) != expected:
            bad.append(point)
    sys.stdout.write(json.dumps({"points": point - 1, "bad": bad}))


def fresh(directory: Path) -> Path:
    """Return an empty run directory."""
    shutil.rmtree(directory, ignore_errors=True)
    (directory / "embeddings").mkdir(parents=True)
    return directory


def work(directory: Path) -> None:
    """Do the run."""
    run(directory, CONFIG, WalkTrainer(TRIED), data=dict.fromkeys(TRIED, "x"))


def die_at(point: int, directory: Path) -> None:
    """Do the run, and vanish right before its n-th call on a file."""
    left = [point]

    def count(*_: object) -> None:
        left[0] -= 1
        if left[0] == 0:
            os._exit(KILLED)

    def heard(event: str, arguments: tuple[Any, ...]) -> None:
        if event in EVENTS and str(arguments[0]).startswith(str(directory)):
            is_reading = event == "open" and not arguments[2] & (os.O_WRONLY | os.O_RDWR)
            if not is_reading:
                count()

    os.fsync = count
    sys.addaudithook(heard)
    work(directory)


def in_child(do: Callable[[], None]) -> int:
    """Run a function in a forked process; return how it ended: 0, `KILLED`, or 1 for an error."""
    pid = os.fork()
    if pid == 0:
        os.fsync = lambda _: None  # what is killed is the process, not the machine
        try:
            do()
        except BaseException as error:
            sys.stderr.write(f"{type(error).__name__}: {error}\n")
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def seen(directory: Path) -> dict[str, Any]:
    """Return what must not depend on kills: embeddings, finished units, no temporary files."""
    lines, _ = read_lines(directory / NAME)
    whole = (directory / NAME).read_bytes().endswith(b"\n")
    told = [(line["event"], line["unit"]) for line in lines if line["event"] in ("unit", "day")]
    left = sorted(p.relative_to(directory).as_posix() for p in directory.rglob("*"))
    return {"embeddings": embeddings_of(directory), "told": told, "whole": whole, "files": left}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
