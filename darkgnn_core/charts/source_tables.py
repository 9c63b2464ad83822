"""Loaded traces, their snapshots and the background jobs, as tables for people."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from darkgnn_core.charts.plain_words import in_words
from darkgnn_core.charts.sensor import REASONS
from darkgnn_core.shelf import ShelvedSnapshot
from darkgnn_core.sources import Source
from darkgnn_core.traces.formats import FORMATS
from darkgnn_core.units import file_size

FIELDS = {
    "ts_ns": "time",
    "src_ip": "source address",
    "dst_ip": "destination address",
    "src_port": "source port",
    "dst_port": "destination port",
    "proto": "protocol",
    "length": "packet length",
    "tcp_flags": "TCP flags",
    "ttl": "TTL",
    "ip_id": "IP id",
    "seq": "sequence number",
    "window": "TCP window",
    "mss": "segment size (MSS)",
    "ts_option": "TCP time stamp",
    "ethtype": "kind of frame (ethertype)",
    "mirai": "mark of the Mirai fingerprint",
    "sensor": "sensor",
    "packets": "packets of a row",
}
"""Fields of a packet, in words."""

FACTS = {
    "delimiter": "fields are separated by",
    "ignored_columns": "columns not used",
    "link_type": "kind of network link",
    "link_types": "kinds of network link",
    "resolution": "times are exact to",
    "timezone": "time zone of its clock",
    "trouble": "where reading ended",
    "year_assumed": "year taken for the first line",
}
"""What a reader learned of a file, in words."""

VALUES = {
    "s": "seconds since 1970",
    "ms": "milliseconds since 1970",
    "us": "microseconds",
    "ns": "nanoseconds",
    "text": "dates and times as text",
}
JOBS = {
    "load": "load traces",
    "demo": "make the demo",
    "snapshots": "build snapshots",
    "remove": "remove a trace",
}
STATES = {
    "starting": "starting",
    "running": "under way",
    "done": "done",
    "failed": "failed",
    "cancelled": "cancelled",
    "interrupted": "broken off",
}


def trace_table(sources: Iterable[Source]) -> pd.DataFrame:
    """Return one row a loaded trace; whether it is synthetic stands there where any is."""
    titles = {each.name: each.title for each in FORMATS}
    rows = [
        {
            "name": each.name,
            "synthetic": "synthetic" if each.is_synthetic else "no",
            "format": titles.get(each.format, each.format),
            "size": file_size(each.bytes),
            "days": len(each.report.get("days", {})),
            "packets": each.packets,
            "skipped": sum(each.report.get("skipped", {}).values()),
            "notes": sum(each.report.get("notes", {}).values()),
            "first packet (UTC)": pd.to_datetime(each.first_ns, utc=True),
            "last packet (UTC)": pd.to_datetime(each.last_ns, utc=True),
            "loaded (UTC)": pd.to_datetime(each.loaded_at, utc=True),
        }
        for each in sources
    ]
    table = pd.DataFrame(rows)
    any_made_up = "synthetic" in table and (table["synthetic"] != "no").any()
    return table if any_made_up else table.drop(columns="synthetic", errors="ignore")


def reason_table(report: Mapping[str, Any], key: str) -> pd.DataFrame:
    """Return how often each reason or note of one trace occurred, in words.

    Args:
        report: `TraceReport` as a dict.
        key: `skipped`, or `notes`.

    Returns:
        Columns `what`, `records`, by records downwards.
    """
    rows = [(in_words(code), times) for code, times in report.get(key, {}).items()]
    table = pd.DataFrame(rows, columns=["what", "records"])
    return table.sort_values(["records", "what"], ascending=[False, True], ignore_index=True)


def fact_table(report: Mapping[str, Any]) -> pd.DataFrame:
    """Return what reading a trace found out: which column is what, time zone, sensors.

    Args:
        report: `TraceReport` as a dict.

    Returns:
        Columns `what`, `is`; text of the file only in `is`, and names of sensors in `what`.
    """
    facts = dict(report.get("facts", {}))
    mapping = facts.pop("mapping", {})
    sensors = facts.pop("sensors", {})
    rows: list[tuple[str, str]] = [
        (f"column of the {FIELDS.get(field, field)}", str(column))
        for field, column in mapping.get("columns", {}).items()
    ]
    if "time_unit" in mapping:
        rows.append(("times are written as", _value(mapping["time_unit"])))
    rows += [(FACTS.get(str(name), str(name)), _value(value)) for name, value in facts.items()]
    rows += [
        (f"address that stands for the sensor {name}", str(ip)) for name, ip in sensors.items()
    ]
    return pd.DataFrame(rows, columns=["what", "is"])


def _value(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return VALUES.get(value, str(value)) if isinstance(value, str) else str(value)


def day_table(report: Mapping[str, Any]) -> pd.DataFrame:
    """Return the packets of one trace by UTC day: columns `day`, `packets`."""
    return pd.DataFrame(sorted(report.get("days", {}).items()), columns=["day", "packets"])


def snapshot_table(shelved: Sequence[ShelvedSnapshot]) -> pd.DataFrame:
    """Return one row a snapshot: its size, and how many packets were left out for what.

    Reasons that no snapshot has get no column; read = kept + those columns. TCP packets without a
    known port stay, as part of the rest, and have a column of their own where there are any. Counts
    are missing where nothing is known, as of released graphs, or where there is no snapshot.
    """
    found = {code for each in shelved for code, n in _dropped(each).items() if n}
    reasons = [code for code in REASONS if code in found]
    without_port = any(each.summary.get("found", {}).get("no_port") for each in shelved)
    portless = ["TCP without a known port"] if without_port else []
    rows = [
        {
            "snapshot": each.bin,
            "hosts": each.summary.get("hosts"),
            "ports": each.summary.get("ports"),
            "edges": each.summary.get("edges"),
            "packets read": each.summary.get("read"),
            "kept": each.summary.get("kept"),
        }
        | {REASONS[code]: _dropped(each).get(code) for code in reasons}
        | {name: each.summary.get("found", {}).get("no_port") for name in portless}
        | {
            "hosts left out": sum(each.summary.get("dropped_hosts", {}).values()) or None,
            "built (UTC)": each.built_at,
            "why there is none": each.summary.get("error", ""),
        }
        for each in shelved
    ]
    table = pd.DataFrame(rows)
    if table.empty:
        return table
    counts = [name for name in table.columns if name not in ("snapshot", *table.columns[-2:])]
    table = table.astype(dict.fromkeys(counts, "Int64"))
    table["built (UTC)"] = pd.to_datetime(table["built (UTC)"], utc=True)
    empty = [] if table["why there is none"].any() else ["why there is none"]
    empty += ["hosts left out"] if table["hosts left out"].isna().all() else []
    return table.drop(columns=empty)


def _dropped(shelved: ShelvedSnapshot) -> dict[str, int]:
    dropped: dict[str, int] = shelved.summary.get("dropped", {})
    return dropped


def job_table(jobs: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Return one row a background job, the latest first.

    Args:
        jobs: Each a `jobs.Job` as a dict.
    """
    rows = [
        (
            JOBS.get(job["kind"], job["kind"]),
            STATES[job["state"]],
            job["created_at"],
            job["ended_at"],
            job["message"],
        )
        for job in jobs
    ]
    columns = ["job", "state", "started (UTC)", "ended (UTC)", "message"]
    table = pd.DataFrame(rows, columns=columns)
    for name in columns[2:4]:
        table[name] = pd.to_datetime(table[name], utc=True)
    took = (table["ended (UTC)"] - table["started (UTC)"]).dt.total_seconds()
    table.insert(4, "seconds", took.astype("Float64").round().astype("Int64"))
    return table
