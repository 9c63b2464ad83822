"""Which column of a file is which field of a packet: guessed, shown, saved, loaded, checked."""

import json
import re
from collections.abc import Sequence
from typing import Any

from darkgnn_core.errors import TraceError
from darkgnn_core.traces.addresses import is_address
from darkgnn_core.traces.packets import COLUMNS
from darkgnn_core.traces.reading import ColumnMapping
from darkgnn_core.traces.times import UNITS, unit_of
from darkgnn_core.traces.values import NULLS, flags_of, id_of, mark_of, protocol_of

NAME_CHARACTERS = 200
REQUIRED = ("ts_ns", "src_ip")
TARGETS = (*COLUMNS, "sensor", "packets", "ethtype")
ALIASES: dict[str, tuple[str, ...]] = {
    "ts_ns": (
        "ts_ns", "ts", "timestamp", "time", "datetime", "date_time", "epoch", "epoch_time",
        "unix_time", "unixtime", "unix_timestamp", "event_time", "start_time",
        "first_seen", "received", "frame_time_epoch", "frame_time", "date",
    ),
    "src_ip": (
        "src_ip", "srcip", "ip_src", "src_addr", "srcaddr", "saddr", "source_ip", "sourceip",
        "source_address", "src_ip_addr", "src_host", "srcstr", "orig_h", "remote_ip", "attacker_ip",
        "client_ip", "src", "source", "ip", "host", "attacker",
    ),
    "dst_ip": (
        "dst_ip", "dstip", "ip_dst", "dst_addr", "dstaddr", "daddr", "dest_ip", "destip",
        "destination_ip", "destination_address", "dst_ip_addr", "dst_host", "resp_h", "local_ip",
        "dst", "dest", "destination", "target_ip", "target", "host",
    ),
    "src_port": (
        "src_port", "srcport", "sport", "spt", "source_port", "orig_p", "tcp_srcport",
        "remote_port", "s_port",
    ),
    "dst_port": (
        "dst_port", "dstport", "dport", "dpt", "dest_port", "destination_port", "resp_p",
        "tcp_dstport", "local_port", "target_port", "d_port", "port",
    ),
    "proto": ("proto", "protocol", "ip_proto", "ip_protocol", "transport", "l4_proto"),
    "length": (
        "length", "pck_len", "pkt_len", "packet_len", "packet_length", "ip_len", "iplen", "len",
        "total_length", "total_len", "size", "bytes",
    ),
    "tcp_flags": ("tcp_flags", "tcpflags", "flags", "flag", "tcp_flag"),
    "ttl": ("ttl", "ip_ttl"),
    "ip_id": ("ip_id", "ipid", "id", "ip_ident", "identification"),
    "seq": ("seq", "tcp_seq", "tcpseq", "sequence", "sequence_number", "seq_no", "seqno"),
    "window": ("window", "t_win", "win", "tcp_win", "tcp_window", "window_size", "tcp_window_size"),
    "mss": ("mss", "t_mss", "tcp_mss", "tcp_options_mss_val"),
    "ts_option": ("ts_option", "t_ts", "tsval", "ts_val", "tcp_ts", "tcp_tsval"),
    "mirai": ("mirai", "is_mirai"),
    "sensor": (
        "sensor", "sensor_name", "sensor_id", "honeypot", "host", "hostname", "probe", "collector",
        "dst", "dest", "target",
    ),
    "packets": ("packets", "pkts", "num_packets", "packet_count", "n_packets", "count"),
    "ethtype": ("ethtype", "eth_type", "ethertype", "ether_type"),
}  # fmt: skip
"""Names of columns seen in public data sets and tools, the likelier first."""
_TOPS = {
    "src_port": 65_535, "dst_port": 65_535, "length": 2**32 - 1, "ttl": 255, "seq": 2**32 - 1,
    "window": 65_535, "mss": 65_535, "ts_option": 2**32 - 1, "packets": 10**12,
}  # fmt: skip


def plain_name(name: str) -> str:
    """Return a column name in lower case with `_` for all that is no letter or digit.

    >>> plain_name(" id.orig_h"), plain_name("Source IP"), plain_name("@timestamp")
    ('id_orig_h', 'source_ip', 'timestamp')
    """
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def guess(header: Sequence[str], sample_rows: Sequence[Sequence[str]] = ()) -> ColumnMapping:
    """Guess the mapping from the names of the columns and the values of some rows.

    A column is taken for a field where its name is a known one and no sample value speaks against
    it. A column named like a sensor holds names, one named like an address holds addresses.

    Args:
        header: Names of the columns.
        sample_rows: Some rows, as text; short ones are allowed.

    Returns:
        The mapping, possibly without the required columns (`missing_columns`); its time unit is
        `s` where the samples do not tell.
    """
    samples = [_values(sample_rows, i) for i in range(len(header))]
    places = _places(header)
    taken: dict[str, int] = {}
    for target in sorted(ALIASES, key=lambda name: name == "sensor"):
        column = _best(target, places, samples, set(taken.values()))
        if column is not None:
            taken[target] = column
    if "dst_ip" in taken:
        taken.pop("sensor", None)
    unit = unit_of(samples[taken["ts_ns"]]) if "ts_ns" in taken else None
    pairs = tuple((target, header[taken[target]]) for target in TARGETS if target in taken)
    return ColumnMapping(pairs, unit or "s")


def _values(rows: Sequence[Sequence[str]], column: int) -> list[str]:
    texts = (row[column].strip() for row in rows if len(row) > column)
    return [text for text in texts if text not in NULLS]


def _places(header: Sequence[str]) -> dict[str, list[int]]:
    """Return the columns of each plain name; of `a.b.c` also those of `c`."""
    places: dict[str, list[int]] = {}
    for column, name in enumerate(header):
        if len(name) <= NAME_CHARACTERS:
            for plain in dict.fromkeys((plain_name(name), plain_name(name.rpartition(".")[2]))):
                places.setdefault(plain, []).append(column)
    return places


def _best(
    target: str, places: dict[str, list[int]], samples: list[list[str]], taken: set[int]
) -> int | None:
    for alias in ALIASES[target]:
        for column in places.get(alias, ()):
            if column not in taken and _plausible(target, samples[column]):
                return column
    return None


def _plausible(target: str, values: list[str]) -> bool:
    """Say whether at least half of the sample values can be of a field (true without samples)."""
    if not values:
        return True
    good = sum(_fits(target, value) for value in values)
    return good * 2 >= len(values)


def _fits(target: str, value: str) -> bool:
    if target in ("src_ip", "dst_ip"):
        return is_address(value)
    if target == "sensor":
        return not is_address(value)
    if target == "ts_ns":
        return len(value) > 5
    if target in _TOPS:
        plain = re.sub(r"\.0*$", "", value)
        oth = value == "oth" and target == "dst_port"
        return oth or (plain.isascii() and plain.isdecimal() and int(plain[:20]) <= _TOPS[target])
    parse = {"tcp_flags": flags_of, "proto": protocol_of, "ip_id": id_of, "mirai": mark_of}
    return target not in parse or parse[target](value) is not None


def require_columns(
    mapping: ColumnMapping, where: str, *, found: str, advice: str, address: str = "src_ip"
) -> None:
    """Check that a guessed mapping has the time and the source address.

    Args:
        mapping: The guess.
        where: What messages call the file.
        found: The columns that are there, as the message names them.
        advice: What to do, a sentence.
        address: How the source address may be named and written.

    Raises:
        TraceError: `COLUMNS`.
    """
    missing = missing_columns(mapping)
    if not missing:
        return
    needed = {"ts_ns": "a time (ts)", "src_ip": f"a source address ({address})"}
    expected = " and ".join(needed[name] for name in missing)
    raise TraceError(
        f"{where}: COLUMNS: expected {expected}; found {found}. {advice}", code="COLUMNS"
    )


def missing_columns(mapping: ColumnMapping) -> list[str]:
    """Return the required fields that a mapping does not have."""
    have = {target for target, _ in mapping.columns}
    return [target for target in REQUIRED if target not in have]


def check(mapping: ColumnMapping) -> ColumnMapping:
    """Return the mapping as it is.

    Raises:
        TraceError: `MAPPING` where a field is unknown or twice there, a required one is missing,
            or the time unit is none.
    """
    targets = [target for target, _ in mapping.columns]
    unknown = sorted(set(targets) - set(TARGETS))
    problem = ""
    if unknown:
        problem = f"unknown fields {unknown}; there are {list(TARGETS)}"
    elif len(set(targets)) < len(targets):
        problem = f"a field is given twice: {sorted(t for t in targets if targets.count(t) > 1)}"
    elif missing_columns(mapping):
        problem = f"fields {missing_columns(mapping)} are needed and not given"
    elif mapping.time_unit not in UNITS:
        problem = f"time_unit must be one of {', '.join(UNITS)}, got {mapping.time_unit!r}"
    if problem:
        raise TraceError(f"Column mapping: {problem}.", code="MAPPING")
    return mapping


def to_json(mapping: ColumnMapping) -> str:
    """Return a mapping as JSON text, to be saved."""
    return json.dumps(to_dict(mapping), indent=1) + "\n"


def to_dict(mapping: ColumnMapping) -> dict[str, Any]:
    """Return a mapping as plain values."""
    return {"columns": dict(mapping.columns), "time_unit": mapping.time_unit}


def from_json(text: str) -> ColumnMapping:
    """Return a mapping that `to_json` wrote.

    Raises:
        TraceError: `MAPPING` where the text is no such mapping.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TraceError(f"Column mapping: not JSON ({error}).", code="MAPPING") from error
    if not isinstance(value, dict) or set(value) - {"columns", "time_unit"}:
        raise TraceError(
            "Column mapping: expected an object with 'columns' and 'time_unit'.", code="MAPPING"
        )
    columns = value.get("columns")
    unit = value.get("time_unit", "s")
    texts = isinstance(columns, dict) and all(isinstance(name, str) for name in columns.values())
    if not texts or not isinstance(unit, str):
        raise TraceError(
            "Column mapping: 'columns' must give the name of a column for each field.",
            code="MAPPING",
        )
    assert isinstance(columns, dict)  # noqa: S101 - for the type checker
    return check(ColumnMapping(tuple(columns.items()), unit))
