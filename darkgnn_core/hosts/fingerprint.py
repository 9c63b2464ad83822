"""What sends the packets of a host, told from their headers, with what speaks for it.

Header values are easy to forge, and a default value is no proof of a system; that is why each
finding carries its evidence and how sure it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

CLEAR = 0.9
"""Share of packets with a tool's mark from which the tool is called clear."""

SOME = 0.02
"""Share from which a mark is told at all: by chance it is on one packet of 65,536."""

ONE_SENDER = 0.5
"""Share of the most frequent TTL below which there is no one distance to the sender."""

BARE_LENGTH = 40
"""Bytes of a TCP packet without options and without content."""

LINUX_WINDOWS = frozenset({5_840, 14_600, 28_960, 29_200, 32_120, 42_340, 64_240, 65_535})
WINDOWS_WINDOWS = frozenset({8_192, 16_384, 64_240, 65_535})
"""Windows that these systems start with. Source: p0f's fingerprints of SYN packets (v3)."""


@dataclass(frozen=True)
class Tool:
    """A tool or system that may have sent the packets.

    Attributes:
        name: Such as `ZMap`.
        strength: `clear`: its own mark is on nearly all packets. `partly`: on some. `fits`: only
            values that it shares with others.
        evidence: What speaks for it, in sentences.
    """

    name: str
    strength: str
    evidence: tuple[str, ...]


@dataclass(frozen=True)
class Fingerprint:
    """What the headers of a host say.

    Attributes:
        tools: What may have sent them, the surest first; none where no tool is recognised.
        traits: (what, value in words) of each field that is told.
        doubts: What does not fit one plain sender, in sentences.
        untold: What the trace does not tell, so that nothing can be concluded from it.
    """

    tools: tuple[Tool, ...]
    traits: tuple[tuple[str, str], ...]
    doubts: tuple[str, ...]
    untold: tuple[str, ...]

    @property
    def words(self) -> str:
        """The likely tool in a few words."""
        if not self.tools:
            return "no tool recognised"
        best = self.tools[0]
        words = {"clear": best.name, "partly": f"{best.name} in part"}
        return words.get(best.strength, f"perhaps {best.name}")


def fingerprint_of(row: Mapping[str, Any]) -> Fingerprint:
    """Tell the fingerprint of a host on one day.

    Args:
        row: Columns of `snapshots.columns.HOSTS_SCHEMA` by name; a missing or NaN one is not told.

    Source:
        ZMap's ip.id 54321 (Durumeric et al., 2013; versions of 2023 and later draw it instead);
        masscan's source (ip.id from addresses, port and seq); Mirai's scanner (seq is the
        destination; Antonakakis et al., 2017); start values of TTL, window and options as p0f.
    """
    known = {name: value for name, value in row.items() if not _is_missing(value)}
    marked = [tool for tool in _marked(known) if tool is not None]
    looks = (*_looks(known), _linux(known), _windows(known))
    systems = [tool for tool in looks if tool is not None]
    order = {"clear": 0, "partly": 1, "fits": 2}
    has_clear = any(tool.strength == "clear" for tool in marked)
    tools = sorted([*marked, *([] if has_clear else systems)], key=lambda t: order[t.strength])
    return Fingerprint(tuple(tools), tuple(_traits(known)), _doubts(known), _untold(known))


def _is_missing(value: Any) -> bool:
    return value is None or bool(pd.isna(value))


MARKS = (
    ("ZMap", "zmap_share", "IP id 54321, which ZMap sets"),
    ("masscan", "masscan_share", "an IP id that follows from address, port and sequence number"),
    ("Mirai", "mirai_share", "a sequence number equal to the address asked, as Mirai sets it"),
)


def _marked(row: Mapping[str, Any]) -> list[Tool | None]:
    return [_mark(row, *each) for each in MARKS]


def _mark(row: Mapping[str, Any], name: str, column: str, what: str) -> Tool | None:
    share = float(row.get(column, 0.0))
    if share < SOME:
        return None
    strength = "clear" if share >= CLEAR else "partly"
    return Tool(name, strength, (f"{share:.0%} of the packets have {what}.", *_helps(name, row)))


LOOKS = (
    ("masscan", "masscan_share", 1_024, "masscan's"),
    ("ZMap", "zmap_share", 65_535, "ZMap's"),
)
"""Tools whose mark a trace may not tell, and their window."""


def _looks(row: Mapping[str, Any]) -> list[Tool | None]:
    return [_look(row, *each) for each in LOOKS]


def _look(row: Mapping[str, Any], name: str, column: str, window: int, whose: str) -> Tool | None:
    """Return a tool whose mark is not told, where all else that is told is as it sends it."""
    has_options = float(row.get("mss_share", 0.0)) >= SOME
    if column in row or has_options or not _start_ttl(row, 255):
        return None
    if row.get("window_common") != window or row.get("length_common") != BARE_LENGTH:
        return None
    found = f"TTL starts at 255, the window is {window}, 40 bytes without options: all {whose}."
    return Tool(name, "fits", (found, "Its own mark is not told by this trace."))


def _helps(name: str, row: Mapping[str, Any]) -> list[str]:
    """Return what speaks for a tool beside its own mark."""
    found = []
    if name in ("ZMap", "masscan") and row.get("initial_ttl") == 255:
        found.append("TTL starts at 255, as packets made by hand often do.")
    if name == "ZMap" and row.get("window_common") == 65_535:
        found.append("The window is 65535, as ZMap's.")
    if name == "masscan" and row.get("window_common") == 1_024:
        found.append("The window is 1024, as masscan's.")
    if float(row.get("mss_share", 1.0)) < SOME and float(row.get("ts_option_share", 1.0)) < SOME:
        found.append("No TCP options: the packets were not made by an operating system's stack.")
    return found


def _linux(row: Mapping[str, Any]) -> Tool | None:
    found = _start_ttl(row, 64)
    if not found or float(row.get("ts_option_share", 0.0)) < CLEAR:
        return None
    share = float(row["ts_option_share"])
    found.append(f"{share:.0%} carry a timestamp option, as Linux sends.")
    return Tool("Linux", "fits", (*found, *_options(row), *_window(row, LINUX_WINDOWS, "Linux")))


def _windows(row: Mapping[str, Any]) -> Tool | None:
    found = _start_ttl(row, 128)
    if not found or float(row.get("mss_share", 0.0)) < CLEAR:
        return None
    if float(row.get("ts_option_share", 1.0)) > SOME:
        return None
    found.append("No timestamp option, which Windows leaves out.")
    return Tool(
        "Windows", "fits", (*found, *_options(row), *_window(row, WINDOWS_WINDOWS, "Windows"))
    )


def _start_ttl(row: Mapping[str, Any], ttl: int) -> list[str]:
    if row.get("initial_ttl") != ttl or float(row.get("ttl_common_share", 0.0)) < ONE_SENDER:
        return []
    return [f"TTL starts at {ttl}."]


def _options(row: Mapping[str, Any]) -> list[str]:
    share = float(row.get("mss_share", 0.0))
    return [f"{share:.0%} carry an MSS option, as real connections do."] if share >= CLEAR else []


def _window(row: Mapping[str, Any], windows: frozenset[int], name: str) -> list[str]:
    if row.get("window_common") not in windows:
        return []
    return [f"The window {int(row['window_common'])} is one that {name} starts with."]


def _traits(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    told = []
    if "initial_ttl" in row:
        told.append(("TTL at the start", f"{int(row['initial_ttl'])}"))
    if "hops" in row:
        told.append(("Hops to the sensor, about", f"{int(row['hops'])}"))
    for name, words in (("ttl", "TTL"), ("window", "Window"), ("length", "Length in bytes")):
        if f"{name}_common" in row:
            share = float(row.get(f"{name}_common_share", 1.0))
            value = int(row[f"{name}_common"])
            told.append((f"{words}, most frequent", f"{value} in {share:.0%} of the packets"))
    for column, words in (("mss_share", "MSS option"), ("ts_option_share", "Timestamp option")):
        if column in row:
            told.append((words, f"{float(row[column]):.0%} of the packets"))
    if float(row.get("mss_share", 0.0)) >= SOME and row.get("mss_max", 0) > 0:
        told.append(("Largest MSS", f"{int(row['mss_max'])}"))
    told += [
        (f"Mark of {name}", f"{float(row[column]):.0%} of the packets")
        for name, column, _ in MARKS
        if column in row
    ]
    if "source_ports" in row:
        told.append(("Source ports used", f"{int(row['source_ports']):,}"))
    return told


def _doubts(row: Mapping[str, Any]) -> tuple[str, ...]:
    found = []
    share = float(row.get("ttl_common_share", 1.0))
    if share < ONE_SENDER:
        found.append(
            f"No TTL is on more than {share:.0%} of the packets: several machines share the "
            "address, paths change, or the address is forged."
        )
    marks = [name for name, column, _ in MARKS if float(row.get(column, 0.0)) >= SOME]
    if len(marks) > 1:
        found.append(f"Marks of {' and '.join(marks)}: several tools use the address.")
    return tuple(found)


def _untold(row: Mapping[str, Any]) -> tuple[str, ...]:
    needed = {
        "initial_ttl": "TTL",
        "window_common": "window",
        "zmap_share": "IP id (ZMap)",
        "masscan_share": "IP id, sequence number and address asked (masscan)",
        "mirai_share": "sequence number and address asked (Mirai)",
        "mss_share": "MSS option",
        "ts_option_share": "timestamp option",
    }
    return tuple(words for column, words in needed.items() if column not in row)


SAME_TRAITS = ("initial_ttl", "hops", "window_common", "length_common")
"""Fields whose values are compared when two fingerprints are."""

SAME_SHARES = ("mss_share", "ts_option_share", "zmap_share", "masscan_share", "mirai_share")
"""Shares of packets that count as alike where both are nearly all, both nearly none, or in
between."""

TRAIT_WORDS = {
    "initial_ttl": "TTL at the start",
    "hops": "Hops to the sensor",
    "window_common": "Window",
    "length_common": "Length in bytes",
    "mss_share": "MSS option",
    "ts_option_share": "Timestamp option",
    "zmap_share": "Mark of ZMap",
    "masscan_share": "Mark of masscan",
    "mirai_share": "Mark of Mirai",
}


def compared_traits(row: Mapping[str, Any], other: Mapping[str, Any]) -> pd.DataFrame:
    """Compare the headers of two hosts.

    Returns:
        One row a field that is told of both: `trait` (in words), `host`, `neighbour` (in words)
        and `is_same`. Hops count as the same within one, since routes change.
    """
    rows = []
    for column in (*SAME_TRAITS, *SAME_SHARES):
        values = (row.get(column), other.get(column))
        if any(_is_missing(value) for value in values):
            continue
        ours, theirs = (float(str(value)) for value in values)
        if column in SAME_SHARES:
            texts, is_same = (f"{ours:.0%}", f"{theirs:.0%}"), _level(ours) == _level(theirs)
        else:
            texts = (f"{ours:.0f}", f"{theirs:.0f}")
            is_same = abs(ours - theirs) <= (1 if column == "hops" else 0)
        rows.append((TRAIT_WORDS[column], *texts, is_same))
    return pd.DataFrame(rows, columns=["trait", "host", "neighbour", "is_same"])


def is_same_fingerprint(traits: pd.DataFrame) -> bool | None:
    """Say whether two hosts have the same headers, but for the hops.

    Args:
        traits: As `compared_traits` gives them.

    Returns:
        None where fewer than three fields besides the hops are told of both.
    """
    counted = traits[traits["trait"] != TRAIT_WORDS["hops"]]
    return None if len(counted) < 3 else bool(counted["is_same"].all())


def _level(share: float) -> str:
    return "all" if share >= CLEAR else "none" if share < SOME else "some"
