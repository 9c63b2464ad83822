"""The process that reads a released folder (`traces.serving`), for `released_loading`.

Run as `python -m darkgnn_core.snapshots.released_child`. It opens the files itself, regular ones
only; which files those are the folder's listing says.
"""

import sys
from pathlib import Path
from typing import Any

from darkgnn_core.traces.serving import serve


def look(request: dict[str, Any]) -> dict[str, Any]:
    """Return what is odd about a folder, and the hash of what each of its days is made of."""
    import hashlib
    import json

    from darkgnn_core.durable import sha256_of
    from darkgnn_core.snapshots.released import read_released
    from darkgnn_core.snapshots.released_writing import VERSION

    dataset = read_released(Path(request["folder"]))
    hash_of = {path: sha256_of(path) for path in dataset.lookups} if dataset.days else {}
    hashes = {}
    for day in dataset.days:
        parts = [hash_of.get(path) or sha256_of(path) for path in dataset.inputs_of(day)]
        hashes[day] = hashlib.sha256(json.dumps([VERSION, parts]).encode()).hexdigest()[:16]
    return {"notes": dataset.notes, "days": hashes}


def write(request: dict[str, Any]) -> dict[str, Any]:
    """Write the snapshot of a day into a directory; return its summary."""
    from darkgnn_core.snapshots.released import read_released
    from darkgnn_core.snapshots.released_writing import write_released_snapshot

    dataset = read_released(Path(request["folder"]))
    directory = Path(request["directory"])
    return {"summary": write_released_snapshot(dataset, request["day"], directory)}


if __name__ == "__main__":
    sys.exit(serve({"look": look, "write": write}))
