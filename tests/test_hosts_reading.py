"""What a host did, read from snapshots and packets, against the trace it was made from."""

from collections import Counter, defaultdict
from ipaddress import IPv4Address
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from app_workspaces import DAYS, FIRST_DAY_S, filled_workspace, trace_lines

from darkgnn_core.errors import ConfigError, WorkspaceError
from darkgnn_core.hosts.history import (
    busiest_ports,
    calendar,
    host_history,
    port_history,
    when_seen,
)
from darkgnn_core.hosts.packet_hours import (
    backscatter_share,
    hour_profiles,
    packet_files,
    packets_by_hour,
)
from darkgnn_core.hosts.reading import port_table, read_host_rows, read_port_table
from darkgnn_core.hosts.typed import read_address
from darkgnn_core.shelf import list_snapshots
from darkgnn_core.snapshots.bins import Bin
from darkgnn_core.workspace import Workspace

HOST = int(IPv4Address("198.51.100.10"))
VICTIM = int(IPv4Address("203.0.113.9"))
NOBODY = int(IPv4Address("192.0.2.200"))
DAY_NUMBERS = dict(zip(DAYS, (0, 1, 3), strict=True))


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace of three days."""
    return filled_workspace(tmp_path_factory.mktemp("filled"))


@pytest.fixture(scope="module")
def shelved(workspace: Workspace) -> list:
    """Its snapshots."""
    return list_snapshots(workspace, workspace.snapshot_config())


def sent(host: int, day: str) -> list[list[str]]:
    """Return the fields of a host's rows in the trace of a day."""
    rows = [line.split(",") for line in trace_lines(DAY_NUMBERS[day])]
    return [row for row in rows if row[1] == str(IPv4Address(host))]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2001:db8::1", "IPV6"),
        ("fe80::1%eth0", "IPV6"),
        ("192.0.2.0/24", "ADDRESS"),
        ("", "ADDRESS"),
        ("scanner.example", "ADDRESS"),
        ("192.0.2.1:80", "ADDRESS"),
        ("3221225985", "ADDRESS"),
        ("192.0.2.256", "ADDRESS"),
        ("x" * 10_000, "ADDRESS"),
    ],
)
def test_what_is_no_address_is_refused_in_words(text: str, code: str) -> None:
    """IPv6, prefixes, names, numbers and nonsense each get a reason, never a guess."""
    with pytest.raises(ConfigError) as told:
        read_address(text)
    assert told.value.code == code
    assert len(str(told.value)) < 400


def test_an_address_is_read() -> None:
    """Space around it does not matter, nor the IPv6 way of writing it."""
    assert read_address("  198.51.100.10\t") == read_address("::ffff:198.51.100.10") == HOST


def test_history_is_what_the_trace_says(shelved: list) -> None:
    """Packets, ports and times of each day are those of the rows that were written."""
    history = host_history(shelved, HOST)
    assert list(history["bin"]) == list(DAYS)
    assert list(history["is_seen"]) == [bool(sent(HOST, day)) for day in DAYS]
    for day, row in zip(DAYS, history.to_dict("records"), strict=True):
        rows = sent(HOST, day)
        assert row["packets"] == len(rows)
        assert row["true_ports"] == len({each[4] for each in rows})
        assert row["dark_addresses"] == len({each[3] for each in rows})
        assert row["first_ts"] == min(int(each[0]) for each in rows) * 10**9
        assert row["last_ts"] == max(int(each[0]) for each in rows) * 10**9


def test_first_and_last_seen(shelved: list) -> None:
    """They are the first and last packet of all days; a host of one day has that day twice."""
    seen = when_seen(host_history(shelved, HOST))
    assert seen is not None
    moments = [int(row[0]) for day in DAYS for row in sent(HOST, day)]
    assert seen.first == pd.Timestamp(min(moments), unit="s", tz="UTC")
    assert seen.last == pd.Timestamp(max(moments), unit="s", tz="UTC")
    assert (seen.days, seen.all_days) == (3, 3)
    newest = int(IPv4Address("198.51.100.23"))
    late = when_seen(host_history(shelved, newest))
    assert late is not None
    assert late.first_day == late.last_day == DAYS[-1]
    assert late.days == 1
    assert when_seen(host_history(shelved, NOBODY)) is None


def test_a_host_that_only_answers_is_in_no_day(shelved: list) -> None:
    """Backscatter is not in the graph, so the victim was never seen there."""
    assert not host_history(shelved, VICTIM)["is_seen"].any()


def test_ports_by_day_are_what_the_trace_says(shelved: list) -> None:
    """Each day's ports and packets; an address of no day has none."""
    ports = port_history(shelved, HOST)
    found = {(row.bin, row.port): row.packets for row in ports.itertuples()}
    expected = {
        (day, int(port)): count
        for day in DAYS
        for port, count in Counter(row[4] for row in sent(HOST, day)).items()
    }
    assert found == expected
    assert port_history(shelved, NOBODY).empty
    assert port_history([], HOST).empty


def test_the_calendar_names_missing_days() -> None:
    """Every day between the first and the last; parts of a day and longer bins, too."""
    assert calendar(DAYS) == ["2021-12-01", "2021-12-02", "2021-12-03", "2021-12-04"]
    assert calendar(["2021-12-31T18", "2022-01-02T00"], 6) == [
        "2021-12-31T18", "2022-01-01", "2022-01-02T00",
    ]  # fmt: skip
    assert calendar(["2021-12-01", "2021-12-05"], 48) == ["2021-12-01", "2021-12-03", "2021-12-05"]
    assert calendar([]) == []


def test_busiest_ports_by_packets_then_number() -> None:
    """Of equal ones the lower comes first."""
    ports = pd.DataFrame({"bin": list("aabb"), "port": [80, 22, 443, 22], "packets": [5, 2, 5, 1]})
    assert busiest_ports(ports) == [80, 443, 22]
    assert busiest_ports(ports, 1) == [80]


def test_rows_of_some_hosts_only(shelved: list) -> None:
    """Those that are there, by address, with the columns asked for."""
    wanted = np.array([HOST + 1, NOBODY, HOST, 0, 2**32 - 1], np.uint32)
    rows = read_host_rows(shelved[0].directory, wanted, ["packets"])
    assert list(rows["host"]) == [HOST, HOST + 1]
    assert list(rows.columns) == ["host", "packets"]
    assert len(read_host_rows(shelved[0].directory)) == 20


def test_who_asked_for_which_port(shelved: list) -> None:
    """Ports of a host and hosts of a port are those of a brute-force count of the trace."""
    table = read_port_table(shelved[0].directory)
    hosts_on = defaultdict(set)
    for line in trace_lines(0):
        fields = line.split(",")
        if fields[7] == "2":
            hosts_on[int(fields[4])].add(fields[1])
    assert {port: int(count) for port, count in enumerate(table.hosts_on) if count} == {
        port: len(hosts) for port, hosts in hosts_on.items()
    }
    ports, packets = table.of(HOST)
    counts = Counter(int(row[4]) for row in sent(HOST, DAYS[0]))
    assert dict(zip(ports.tolist(), packets.tolist(), strict=True)) == counts
    assert len(table.of(NOBODY)[0]) == 0
    assert table.base_rate(np.array([23], np.int32))[0] == len(hosts_on[23]) / 20


def test_a_port_that_is_not_told_counts_apart() -> None:
    """Port -1 has its own count and is nobody's 65535."""
    table = port_table(
        np.array([7, 7, 9], np.uint32),
        np.array([-1, 65_535, -1], np.int32),
        np.array([3, 1, 2], np.int64),
    )
    assert table.hosts_on[-1] == 2
    assert table.hosts_on[65_535] == 1
    assert table.base_rate(np.array([-1], np.int32)).tolist() == [1.0]


def test_an_empty_day_has_no_ports() -> None:
    """A day without pairs answers with nothing."""
    none = port_table(np.empty(0, np.uint32), np.empty(0, np.int32), np.empty(0, np.int64))
    assert len(none.hosts) == 0
    assert len(none.of(HOST)[0]) == 0


def hours_of(workspace: Workspace, day: str, *hosts: int, hours: int = 24) -> pd.DataFrame:
    """Read the hours of hosts on a day."""
    time_bin = Bin.parse(day, hours)
    with workspace.catalogue() as connection:
        files = packet_files(connection, workspace, time_bin)
    wanted = np.array(hosts, np.uint32)
    return packets_by_hour(files, time_bin, wanted, temporary=workspace.scratch)


def test_hours_are_what_the_trace_says(workspace: Workspace) -> None:
    """Packets, ports and dark addresses of each hour, of two hosts at once."""
    for day in DAYS:
        found = hours_of(workspace, day, HOST, VICTIM)
        start = FIRST_DAY_S + DAY_NUMBERS[day] * 86_400
        for host, kind in ((HOST, "tcp"), (VICTIM, "backscatter")):
            by_hour = defaultdict(list)
            for row in sent(host, day):
                by_hour[(int(row[0]) - start) // 3_600].append(row)
            told = found[found["host"] == host]
            assert set(told["kind"]) == {kind}
            assert dict(zip(told["hour"], told["packets"], strict=True)) == {
                hour: len(rows) for hour, rows in by_hour.items()
            }
            assert dict(zip(told["hour"], told["dark_addresses"], strict=True)) == {
                hour: len({row[3] for row in rows}) for hour, rows in by_hour.items()
            }


def test_hours_outside_a_short_bin_do_not_count(workspace: Workspace) -> None:
    """A bin of six hours holds only its own packets, counted from its start."""
    whole = hours_of(workspace, DAYS[0], HOST)
    late = hours_of(workspace, f"{DAYS[0]}T18", HOST, hours=6)
    kept = whole[whole["hour"] >= 18]
    assert list(late["hour"]) == [hour - 18 for hour in kept["hour"]]
    assert list(late["packets"]) == list(kept["packets"])


def test_no_packets_no_hours(workspace: Workspace) -> None:
    """A day without files, or a host without packets, gives an empty table of the same columns."""
    for found in (hours_of(workspace, "2021-11-30", HOST), hours_of(workspace, DAYS[0], NOBODY)):
        assert found.empty
        assert list(found.columns)[:3] == ["host", "hour", "kind"]
        assert backscatter_share(found) is None


def test_a_changed_packet_file_is_refused(tmp_path: Path) -> None:
    """One flipped bit is found before anything is told."""
    workspace = filled_workspace(tmp_path)
    path = next(workspace.packets.glob(f"*/{DAYS[0]}.parquet"))
    path.chmod(0o600)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(WorkspaceError) as told:
        hours_of(workspace, DAYS[0], HOST)
    assert told.value.code == "DAMAGED"


def test_profiles_add_up(workspace: Workspace) -> None:
    """A row a host in the order asked, all kinds together; absent hosts are zero."""
    found = hours_of(workspace, DAYS[0], HOST, VICTIM)
    profiles = hour_profiles(found, np.array([VICTIM, NOBODY, HOST], np.uint32), 24)
    assert profiles.shape == (3, 24)
    assert profiles.sum(axis=1).tolist() == [10, 0, len(sent(HOST, DAYS[0]))]


def test_backscatter_share(workspace: Workspace) -> None:
    """All packets of the victim are answers, none of the scanner's."""
    assert backscatter_share(hours_of(workspace, DAYS[0], VICTIM)) == 1.0
    assert backscatter_share(hours_of(workspace, DAYS[0], HOST)) == 0.0
