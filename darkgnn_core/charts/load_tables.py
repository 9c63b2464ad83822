"""What an ingest reported, as tables for people."""

from ipaddress import IPv4Address
from typing import Any

import pandas as pd

FILE_COLUMNS = ["file", "status", "format", "read", "kept", "skipped", "packets", "days", "message"]


def file_table(report: dict[str, Any]) -> pd.DataFrame:
    """Return one row a file; `read == kept + skipped` in each that was read.

    Args:
        report: `IngestReport` as a dict, as a job keeps it.
    """
    rows = []
    for each in report.get("files", []):
        found = each.get("report") or {}
        rows.append(
            {
                "file": each["name"],
                "status": each["status"],
                "format": found.get("format", ""),
                "read": found.get("read"),
                "kept": found.get("kept"),
                "skipped": sum(found["skipped"].values()) if "skipped" in found else None,
                "packets": found.get("packets"),
                "days": len(found["days"]) if "days" in found else None,
                "message": each.get("message", ""),
            }
        )
    table = pd.DataFrame(rows, columns=FILE_COLUMNS)
    counts = ["read", "kept", "skipped", "packets", "days"]
    return table.astype(dict.fromkeys(counts, "Int64"))


def reason_table(report: dict[str, Any], key: str) -> pd.DataFrame:
    """Return how often each reason or note occurred over all files of a report.

    Args:
        report: `IngestReport` as a dict.
        key: `skipped`, or `notes`.

    Returns:
        Columns `reason`, `records`, `files`, by records downwards.
    """
    pairs = [
        {"reason": reason, "records": records, "files": 1}
        for each in report.get("files", [])
        for reason, records in (each.get("report") or {}).get(key, {}).items()
    ]
    table = pd.DataFrame(pairs, columns=["reason", "records", "files"])
    summed = table.groupby("reason", as_index=False).sum()
    return summed.sort_values(["records", "reason"], ascending=[False, True], ignore_index=True)


def failed_snapshots(report: dict[str, Any]) -> pd.DataFrame:
    """Return the bins that gave no snapshot, and why: columns `bin`, `why`."""
    rows = [
        {"bin": key, "why": summary["error"]}
        for key, summary in sorted(report.get("snapshots", {}).items())
        if summary.get("error")
    ]
    return pd.DataFrame(rows, columns=["bin", "why"])


PACKET_COLUMNS = {
    "ts_ns": "time (UTC)",
    "src_ip": "source",
    "src_port": "source port",
    "dst_ip": "destination",
    "dst_port": "port",
    "proto": "protocol",
    "length": "length",
    "tcp_flags": "TCP flags",
    "ttl": "TTL",
    "window": "window",
}


def packet_table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return packets as people read them: dotted addresses, times as dates.

    Args:
        rows: Packets by column of `packets.SCHEMA`.
    """
    table = pd.DataFrame(rows, columns=list(PACKET_COLUMNS))
    table["ts_ns"] = pd.to_datetime(table["ts_ns"], utc=True)
    for name in ("src_ip", "dst_ip"):
        table[name] = ["" if pd.isna(ip) else str(IPv4Address(int(ip))) for ip in table[name]]
    counts = [name for name in PACKET_COLUMNS if name not in ("ts_ns", "src_ip", "dst_ip")]
    return table.astype(dict.fromkeys(counts, "Int64")).rename(columns=PACKET_COLUMNS)
