"""Maltrail's mass-scanner list: `address # reverse name`, the organisation only in the comment.

Source: the format of stamparm/maltrail, `trails/static/mass_scanner.txt`.
"""

import re

from darkgnn_core.labels.claims import Claim, ClaimCollector, ListReport
from darkgnn_core.labels.targets import BadTarget, parse_target
from darkgnn_core.labels.texts import clean_name, decode

_DOMAIN = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.[A-Za-z][A-Za-z0-9-]+")
_REMARK = re.compile(r"\s*\([^()]*\)\s*$")

# Second levels under which the third is the registered one. Ours: enough for scanner lists.
_SECOND_LEVELS = frozenset({"ac", "co", "com", "edu", "gov", "net", "org", "or", "ne", "go"})

# A reverse name below these says who rents the address out, not who scans from it.
HOSTERS = frozenset(
    {
        "amazonaws", "googleusercontent", "linode", "linodeusercontent", "digitalocean", "vultr",
        "vultrusercontent", "ovh", "hetzner", "your-server", "contabo", "azure", "cloudapp",
        "in-addr", "scaleway", "secureserver", "poneytelecom",
    }
)  # fmt: skip


def read_maltrail(
    content: bytes, *, name: str, generic_label: str | None = None, allow_wide: bool = False
) -> tuple[list[Claim], ListReport]:
    """Read a list of `address # reverse name` lines; lines that say nothing usable are counted.

    Args:
        content: The file's bytes.
        name: What messages call it.
        generic_label: Label for addresses without an organisation (`mass scanner`); None leaves
            them out as `no_organisation`.
        allow_wide: Keep prefixes wider than /24.

    Returns:
        The claims, and the report; skipped `no_organisation`, `hosting_name`, `ipv6` and so on.

    Raises:
        LabelError: `ENCODING`, `EMPTY`, `LIMIT`.
    """
    collector = ClaimCollector(allow_wide=allow_wide)
    for row, line in enumerate(decode(content, clean_name(name)).split("\n"), start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            _collect(row, line, generic_label, collector)
    return collector.finish()


def _collect(row: int, line: str, generic_label: str | None, collector: ClaimCollector) -> None:
    address, _, comment = line.partition("#")
    try:
        target = parse_target(address, mask_host_bits=True)
    except BadTarget as error:
        collector.report.skip(error.reason, row=row)
        return
    said = organisation_of(comment)
    evidence = f"reverse name {clean_name(comment)}" if comment.strip() else "listed without a name"
    if said in HOSTERS:
        collector.report.skip("hosting_name")
    elif said or generic_label:
        collector.add_or_skip(target, said or generic_label or "", row=row, evidence=evidence)
    else:
        collector.report.skip("no_organisation")


def organisation_of(comment: str) -> str:
    """Return who a comment names: the registered part of a reverse name, or the text itself.

    >>> organisation_of(" scan-02h.example.org. "), organisation_of("a.eecs.example.ac.uk")
    ('example', 'example')
    >>> organisation_of("Example Laboratory (parking)"), organisation_of("(unknown)")
    ('Example Laboratory', '')
    """
    text = _REMARK.sub("", comment).strip().rstrip(".")
    if _DOMAIN.fullmatch(text) is None:
        return text
    parts = text.lower().split(".")
    deep = len(parts) > 2 and len(parts[-1]) == 2 and parts[-2] in _SECOND_LEVELS
    return parts[-3] if deep else parts[-2]
