"""The process that reads lists of labels (`traces.serving`), for `labels.reading`.

Run as `python -m darkgnn_core.labels.child`. Claims are told in parts, before the end.
"""

import sys
from typing import Any

from darkgnn_core.traces.serving import opened, serve, tell

CLAIMS_A_LINE = 250


def read(request: dict[str, Any]) -> dict[str, Any]:
    """Read a list; tell its claims if they are wanted; return its kind, report and sha256."""
    import hashlib

    from darkgnn_core.labels.lists import options_from_dict, read_content, read_list

    with opened(request) as raw:
        content = read_content(raw, request["name"])
    options = options_from_dict(request["options"])
    kind, claims, report = read_list(
        content, name=request["name"], kind=request["kind"], options=options
    )
    if request["with_claims"]:
        for start in range(0, len(claims), CLAIMS_A_LINE):
            part = claims[start : start + CLAIMS_A_LINE]
            tell("claims", {"start": start, "claims": [each.as_row() for each in part]})
    sha256 = hashlib.sha256(content).hexdigest()
    return {"list": kind, "report": report.as_dict(), "sha256": sha256, "count": len(claims)}


if __name__ == "__main__":
    sys.exit(serve({"read": read}))
