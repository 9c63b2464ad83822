"""The inside of a confined process: tasks come on stdin, answers go to stdout, as JSON lines.

The first task tells the process how far it may go; it confines itself before a reader is imported
or a byte is read. An answer is `done` with what the task gave, or `error` with a code and a message
for the analyst; a task may tell more before that.
"""

import errno
import json
import os
import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from darkgnn_core.traces.limits import confine, spare_pandas

DISK_FULL = (errno.ENOSPC, errno.EDQUOT)

Task = Callable[[dict[str, Any]], dict[str, Any]]
"""Gets the request, imports what it needs, returns what goes back."""


def serve(tasks: Mapping[str, Task]) -> int:
    """Serve the tasks that come on stdin until it ends, or until a limit was met.

    Args:
        tasks: What can be asked for, by name.
    """
    is_confined = False
    for line in sys.stdin:
        request = json.loads(line)
        if not is_confined:
            confine(int(request["budget"]))
            spare_pandas()
            is_confined = True
        if request["is_handed"]:
            request["fd"] = _handed_file(request["socket"])
        if not _answer_one(tasks[request["task"]], request):
            break
    return 0


def tell(kind: str, value: dict[str, Any]) -> None:
    """Say something to the process that asked."""
    sys.stdout.write(json.dumps({"kind": kind} | value, default=str) + "\n")
    sys.stdout.flush()


def opened(request: dict[str, Any]) -> BinaryIO:
    """Return the file of a request: the one handed on; opened here where none can be."""
    if "fd" in request:
        return os.fdopen(request.pop("fd"), "rb", buffering=0)
    return Path(request["path"]).open("rb", buffering=0)


def _handed_file(number: int) -> int:
    with socket.socket(fileno=os.dup(number)) as files:
        _, found, _, _ = socket.recv_fds(files, 1, 1)
    return found[0]


def _answer_one(task: Task, request: dict[str, Any]) -> bool:
    """Do a task and answer; False where a limit was met, after which nothing is sure."""
    from darkgnn_core.errors import DarkgnnError

    try:
        tell("done", task(request))
    except DarkgnnError as error:
        tell("error", {"code": error.code, "message": str(error)})
    except MemoryError:
        message = f"{request['name']}: reading it takes more memory than one file may use."
        tell("error", {"code": "LIMIT", "message": message, "is_spent": True})
        return False
    except OSError as error:
        if error.errno not in (*DISK_FULL, errno.EMFILE):
            raise
        code = "LONG-SPAN" if error.errno == errno.EMFILE else "DISK-FULL"
        message = _too_many_days(request["name"])
        tell("error", {"code": code, "message": message, "is_spent": True})
        return False
    return True


def _too_many_days(name: str) -> str:
    return (
        f"{name}: its packets lie on more days than files may be open at once here. Split it, or "
        "raise the limit (ulimit -n)."
    )
