"""Lists in the format of `ipset save`: `create NAME hash:net ...`, `add NAME 192.0.2.0/24 ...`.

Source: ipset(8), the restore format.
"""

from darkgnn_core.errors import LabelError
from darkgnn_core.labels.claims import Claim, ClaimCollector, ListReport
from darkgnn_core.labels.targets import BadTarget, Target, parse_target, prefixes_between
from darkgnn_core.labels.texts import LINES, clean_name, decode

OTHER_COMMANDS = frozenset({"create", "flush", "destroy", "swap", "rename", "COMMIT", "del", "-N"})


def read_ipset(
    content: bytes, *, name: str, label: str | None = None, allow_wide: bool = False
) -> tuple[list[Claim], ListReport]:
    """Read what `ipset save` wrote; entries that are no IPv4 address or prefix are counted.

    A range becomes the prefixes that make it up, each counted as a row; entries marked `nomatch`
    are exceptions from a set and left out.

    Args:
        content: The file's bytes.
        name: What messages call it.
        label: Label for all sets; None labels each entry with the name of its set.
        allow_wide: Keep prefixes wider than /24.

    Returns:
        The claims, and the report; skipped `ipv6`, `nomatch`, `not_a_command` and so on.

    Raises:
        LabelError: `ENCODING`, `EMPTY`, `LIMIT`, or `IPSET` where no line adds an entry.
    """
    name = clean_name(name)
    collector = ClaimCollector(allow_wide=allow_wide)
    for row, line in enumerate(decode(content, name).split("\n"), start=1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if words[0] in ("add", "-A") and len(words) >= 3:
            _collect(row, words, label, collector)
            if collector.report.read > LINES:
                message = f"{name}: LIMIT: its ranges are more than {LINES:,} prefixes."
                raise LabelError(message, code="LIMIT")
        elif words[0] in OTHER_COMMANDS:
            collector.report.notes[f"line_{words[0].lower().strip('-')}"] += 1
        else:
            collector.report.skip("not_a_command", row=row)
    if collector.report.read == collector.report.skipped["not_a_command"]:
        raise LabelError(f"{name}: IPSET: no line adds an entry to a set.", code="IPSET")
    return collector.finish()


def _collect(row: int, words: list[str], label: str | None, collector: ClaimCollector) -> None:
    report = collector.report
    if "nomatch" in words[3:]:
        report.skip("nomatch")
        return
    try:
        targets = _targets_of(words[2].partition(",")[0])
    except BadTarget as error:
        report.skip(error.reason, row=row)
        return
    if len(targets) > 1:
        report.notes["ranges_split"] += 1
        report.notes["prefixes_of_ranges"] += len(targets)
    evidence = f"entry {clean_name(words[2])} of set {clean_name(words[1])}"
    for target in targets:
        collector.add_or_skip(target, label or words[1], row=row, evidence=evidence)


def _targets_of(text: str) -> list[Target]:
    first, dash, last = text.partition("-")
    if not dash or not first[:1].isdigit():
        return [parse_target(text, mask_host_bits=True)]
    low, high = parse_target(first), parse_target(last)
    if low.prefix_len != 32 or high.prefix_len != 32 or low.first_ip > high.last_ip:
        raise BadTarget("malformed", "a range from a lower to a higher address")
    return prefixes_between(low.first_ip, high.last_ip)
