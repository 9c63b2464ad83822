"""Workspaces for tests of the app: a small trace over some days, loaded as a user would load it."""

from pathlib import Path

from darkgnn_core.config import SnapshotConfig
from darkgnn_core.ingest import ingest
from darkgnn_core.workspace import Workspace, open_workspace
from tests.made_traces import drawn_packets, write_log

HEADER = "ts,src_ip,src_port,dst_ip,dst_port,proto,pck_len,tcp_flags,ttl"
FIRST_DAY_S = 1_638_316_800  # 2021-12-01
DAYS = ("2021-12-01", "2021-12-02", "2021-12-04")
"""Three days of traffic; 2021-12-03 is missing."""


def trace_lines(day: int, *, hosts: int = 20, packets: int = 8) -> list[str]:
    """Return rows of one day: scanners, one of them new each day, and some backscatter."""
    rows = []
    for host in range(hosts):
        address = f"198.51.100.{host + 1 + day}"
        port = (23, 22, 445, 80, 8080)[host % 5]
        for packet in range(packets):
            ts = FIRST_DAY_S + day * 86_400 + (host * packets + packet) * 500 % 80_000
            rows.append(f"{ts},{address},40000,192.0.2.{packet},{port},6,40,2,240")
    rows += [
        f"{FIRST_DAY_S + day * 86_400 + i * 60},203.0.113.9,80,192.0.2.{i},5000,6,40,18,50"
        for i in range(10)
    ]
    return rows


def write_trace(path: Path, days: tuple[int, ...] = (0, 1, 3)) -> Path:
    """Write a per-packet CSV of these days after 2021-12-01."""
    rows = [row for day in days for row in trace_lines(day)]
    path.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    return path


def filled_workspace(folder: Path, name: str = "trace.csv") -> Workspace:
    """Return a workspace into which a trace of `DAYS` has been loaded."""
    workspace = open_workspace(folder / "workspace")
    report = ingest(
        workspace, [write_trace(folder / "trace.csv")], names={folder / "trace.csv": name}
    )
    assert [each.status for each in report.files] == ["loaded"], report
    return workspace


def drawn_workspace(folder: Path, *, packets: int, days: int) -> Workspace:
    """Return a workspace with drawn packets of some days, every host of them kept."""
    workspace = open_workspace(folder / "w")
    workspace.set_snapshot_config(SnapshotConfig(min_packets=1))
    ingest(workspace, [write_log(folder / "a.log", drawn_packets(packets, days=days, seed=1))])
    return workspace
