"""Commands that show what there is: `snapshots list|show|build`, `report`."""

import argparse
import ipaddress

import pandas as pd
import pyarrow.compute as pc

from darkgnn_core.cli.ingesting import INTERRUPTED, OK, chosen_config, interruptible
from darkgnn_core.cli.output import Output
from darkgnn_core.config import SnapshotConfig
from darkgnn_core.health import measure_health, table2
from darkgnn_core.ingest import bring_up_to_date
from darkgnn_core.shelf import ShelvedSnapshot, list_snapshots, open_snapshot
from darkgnn_core.snapshots.reading import read_hosts
from darkgnn_core.workspace import Workspace, open_workspace

SHOWN_HOSTS = 20
SHORT_NAMES = {
    "bin": "day",
    "read": "read",
    "packets": "kept",
    "hosts": "hosts",
    "new_hosts": "new",
    "returning_hosts": "back",
    "ports": "ports",
    "labelled_share": "labelled",
    "backscatter": "backscatter",
    "duplicates": "repeats",
    "no_port": "no port",
    "silent_hours": "silent hours",
}
"""Column headings that fit a terminal of 100 columns."""


def run_snapshots(arguments: argparse.Namespace, output: Output) -> int:
    """List the snapshots, show one, or build them with other settings."""
    workspace = open_workspace(arguments.workspace, create=False)
    config = chosen_config(arguments, workspace.snapshot_config())
    if arguments.action == "show":
        return _show(open_snapshot(workspace, config, arguments.bin), output)
    if arguments.action == "build":
        with output.progress() as tell, interruptible() as should_stop:
            report = bring_up_to_date(workspace, config, on_progress=tell, should_stop=should_stop)
        if report.stopped:
            output.say("Stopped. What was built is kept; the same command goes on from there.")
            return INTERRUPTED
        workspace.set_snapshot_config(config)
        output.say(f"{len(report.snapshots)} snapshots built in {report.seconds:.1f} s.")
    return _list(workspace, config, output)


def _list(workspace: Workspace, config: SnapshotConfig, output: Output) -> int:
    rows = [
        {
            "bin": each.bin,
            "read": each.summary.get("read"),
            "packets": each.summary.get("kept"),
            "hosts": each.summary.get("hosts"),
            "ports": each.summary.get("ports"),
            "edges": each.summary.get("edges"),
            "error": each.summary.get("error", ""),
        }
        for each in list_snapshots(workspace, config)
    ]
    columns = ["bin", "read", "packets", "hosts", "ports", "edges", "error"]
    counts = dict.fromkeys(columns[1:-1], "Int64")
    table = pd.DataFrame(rows, columns=columns).astype(counts)
    output.table("snapshots", table, title="Snapshots")
    return OK


def _show(shelved: ShelvedSnapshot, output: Output) -> int:
    summary = shelved.summary
    output.value("summary", summary)
    if shelved.directory is None:
        output.say(summary["error"])
        return OK
    names = ("read", "kept", "hosts", "ports", "true_ports", "edges", "dark_addresses")
    sizes = pd.DataFrame([{"what": name, "count": summary[name]} for name in names])
    output.table("sizes", sizes, title=f"Snapshot {shelved.bin}")
    dropped = pd.DataFrame(summary["dropped"].items(), columns=["reason", "packets"])
    output.table("dropped", dropped, title="Packets left out")
    output.table("top_ports", pd.DataFrame(summary["top_ports"]), title="Busiest ports")
    hosts = read_hosts(shelved.directory, ["host", "packets", "true_ports", "dark_addresses"])
    busiest = hosts.take(pc.sort_indices(hosts, [("packets", "descending")])[:SHOWN_HOSTS])
    table: pd.DataFrame = busiest.to_pandas()
    table["host"] = [str(ipaddress.IPv4Address(int(host))) for host in table["host"]]
    output.table("hosts", table.rename(columns={"true_ports": "ports"}), title="Busiest hosts")
    return OK


def run_report(arguments: argparse.Namespace, output: Output) -> int:
    """Print the sensor's health a day and the workspace's own Table 2."""
    workspace = open_workspace(arguments.workspace, create=False)
    config = workspace.snapshot_config()
    health = measure_health(workspace, config)
    output.value("is_synthetic", health.is_synthetic)
    output.value("missing_days", list(health.missing))
    if health.is_synthetic:
        output.say("Synthetic: these packets come from the demo generator.")
    rare = {"no_port"} if not health.days["no_port"].any() else set()
    days = health.days[[name for name in SHORT_NAMES if name not in rare]]
    output.table("days", days, title="The sensor, a day at a time", headings=SHORT_NAMES)
    for message in health.days["error"]:
        if message:
            output.say(message)
    if health.missing:
        output.say(f"Days without packets in between: {', '.join(health.missing)}.")
    output.table("table2", table2(workspace, config), title="Hosts, ports and packets by label")
    return OK
