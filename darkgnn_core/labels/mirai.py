"""The Mirai fingerprint: hosts whose TCP sequence number equals the destination address.

The scanner of Mirai writes the destination into the sequence number, which happens by chance once
in 2**32 packets, so one such packet is evidence. Source: Antonakakis et al., "Understanding the
Mirai Botnet", USENIX Security 2017, section 3; paper section 3.2 labels hosts the same way.
"""

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from darkgnn_core.catalogue import utc_now
from darkgnn_core.labels.claims import Claim
from darkgnn_core.labels.storing import ensure_source, insert_claims, writing

SOURCE_ID = "mirai"
LABEL = "mirai"


def mirai_claims(
    packet_files: Sequence[Path], day: str, *, min_packets: int = 1, min_share: float = 0.0
) -> list[Claim]:
    """Return a claim for each host that sent Mirai's fingerprint on a day.

    Args:
        packet_files: Parquet files of the day's packets (`packets.SCHEMA`).
        day: UTC day `YYYY-MM-DD` that the files hold.
        min_packets: A host needs that many packets with the fingerprint.
        min_share: And that share of its packets whose sequence number is known.

    Returns:
        Claims ordered by address; the evidence says "k of n packets carry seq = destination",
        the confidence is k / n.
    """
    pieces = [_counts_of(path) for path in packet_files]
    if not pieces:
        return []
    counts = _summed(pa.concat_tables(pieces), "marked", "known")
    enough = pc.and_(
        pc.greater_equal(counts["marked"], max(min_packets, 1)),
        pc.greater_equal(
            pc.divide(pc.cast(counts["marked"], "double"), counts["known"]), min_share
        ),
    )
    found = counts.filter(enough).sort_by("src_ip").to_pydict()
    rows = zip(found["src_ip"], found["marked"], found["known"], strict=True)
    return [_claim(host, marked, known, day) for host, marked, known in rows]


def refresh_day(
    connection: sqlite3.Connection,
    packet_files: Sequence[Path],
    day: str,
    *,
    min_packets: int = 1,
    min_share: float = 0.0,
) -> int:
    """Make the fingerprint's labels of a day those that its packet files give now.

    Call it after packets of the day were added or removed; twice changes nothing.

    Returns:
        How many hosts carry the fingerprint on that day.
    """
    claims = mirai_claims(packet_files, day, min_packets=min_packets, min_share=min_share)
    with writing(connection):
        now = utc_now()
        ensure_source(connection, SOURCE_ID, "Mirai fingerprint", "mirai", added_at=now)
        connection.execute("DELETE FROM label WHERE source_id = ? AND day = ?", (SOURCE_ID, day))
        insert_claims(connection, SOURCE_ID, claims, added_at=now)
        row = connection.execute(
            "SELECT report FROM label_source WHERE id = ?", (SOURCE_ID,)
        ).fetchone()
        days = json.loads(row[0] or "{}").get("hosts_by_day", {}) | {day: len(claims)}
        report = {"hosts_by_day": {day: hosts for day, hosts in days.items() if hosts}}
        connection.execute(
            "UPDATE label_source SET report = ? WHERE id = ?",
            (json.dumps(report, sort_keys=True), SOURCE_ID),
        )
    return len(claims)


def _counts_of(path: Path) -> pa.Table:
    """Return src_ip, marked, known: packets with the fingerprint, and with a known sequence."""
    pieces = []
    with pq.ParquetFile(path, page_checksum_verification=True) as packets:
        for batch in packets.iter_batches(columns=["src_ip", "mirai"]):
            table = pa.table({"src_ip": batch["src_ip"], "marked": batch["mirai"]})
            table = table.filter(pc.is_valid(table["marked"]))
            marked = pc.cast(table["marked"], pa.int64())
            table = table.set_column(1, "marked", marked)
            known = pa.chunked_array([pa.repeat(pa.scalar(1, pa.int64()), len(table))])
            pieces.append(_summed(table.append_column("known", known), "marked", "known"))
    return _summed(pa.concat_tables(pieces), "marked", "known") if pieces else _NONE


_NONE = pa.table(
    {name: pa.array([], kind) for name, kind in
     (("src_ip", pa.uint32()), ("marked", pa.int64()), ("known", pa.int64()))}
)  # fmt: skip


def _summed(table: pa.Table, *columns: str) -> pa.Table:
    summed = table.group_by("src_ip").aggregate([(name, "sum") for name in columns])
    return summed.select(["src_ip", *(f"{name}_sum" for name in columns)]).rename_columns(
        ["src_ip", *columns]
    )


def _claim(host: int, marked: int, known: int, day: str) -> Claim:
    evidence = f"{marked:,} of {known:,} packets carry seq = destination"
    return Claim(host, host, 32, LABEL, "Mirai", day, evidence, marked / known)
