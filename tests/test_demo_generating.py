"""Packets of the demo darknet: fingerprints, ports, hops, time order, calibration."""

import itertools

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from darkgnn_core import demo
from darkgnn_core.demo.addresses import DARKNET
from darkgnn_core.demo.generating import silent_hours
from darkgnn_core.demo.stacks import STACKS
from darkgnn_core.demo.targets import target_of
from darkgnn_core.demo.truth import TOTAL, UNKNOWN
from darkgnn_core.errors import ConfigError
from darkgnn_core.traces.packets import DAY_NS, SCHEMA

CONFIG = demo.DemoConfig(days=3, hosts_scale=0.06, packets_scale=0.3)


@pytest.fixture(scope="module")
def plan() -> demo.Plan:
    """Plan three days of about 500 hosts."""
    return demo.plan(CONFIG)


@pytest.fixture(scope="module")
def days(plan) -> list[list[pa.RecordBatch]]:
    """Generate all of its packets."""
    return [list(demo.generate_day(plan, day)) for day in plan.days]


@pytest.fixture(scope="module")
def packets(plan, days) -> pd.DataFrame:
    """Join the packets with the planted truth of their senders."""
    table = pa.Table.from_batches(itertools.chain(*days)).to_pandas()
    hosts, order = plan.hosts, np.argsort(plan.hosts.address)
    place = order[np.searchsorted(hosts.address[order], table.src_ip)]
    assert (hosts.address[place] == table.src_ip).all()
    table["host"] = place
    table["label"] = np.array(plan.labels)[place]
    table["tool"] = np.array([stack.name for stack in STACKS])[hosts.stack[place]]
    table["behaviour"] = np.array([b.name for b in plan.behaviours])[hosts.behaviour[place]]
    table["initial_ttl"] = np.array([stack.ttl for stack in STACKS])[hosts.stack[place]]
    return table


def test_batches_have_the_schema_and_lie_in_their_day_in_time_order(plan, days):
    """Every batch is of the packet schema; times rise over the whole day and stay in it."""
    for day, batches in zip(plan.days, days, strict=True):
        assert all(batch.schema == SCHEMA for batch in batches)
        times = np.concatenate([batch.column("ts_ns").to_numpy() for batch in batches])
        assert (np.diff(times) >= 0).all()
        assert set(times // DAY_NS) == {(day - type(day)(1970, 1, 1)).days}
        assert (times % 1_000 == 0).all()


def test_batches_are_valid_arrow(days):
    """No array is malformed and required columns hold no null."""
    for batch in itertools.chain(*days):
        batch.validate(full=True)
        for field in SCHEMA:
            assert field.nullable or batch.column(field.name).null_count == 0


def test_hosts_send_as_planned(plan, packets):
    """Each host sends its planned packets on its planned days, and nothing else."""
    for index, day in enumerate(plan.days):
        hosts, counts = plan.activity.of_day(index)
        start = pd.Timestamp(day).value
        found = packets[(packets.ts_ns >= start) & (packets.ts_ns < start + DAY_NS)]
        sizes = found.groupby("host").size()
        assert sizes.index.tolist() == hosts.tolist()
        assert sizes.tolist() == counts.tolist()


def test_mirai_sends_the_target_as_sequence_number_to_23_and_2323(packets):
    """Every packet has seq = dst_ip; telnet bots hit 23 and 2323 at 10 to 1, nothing else."""
    mirai = packets[packets.tool == "mirai"]
    assert len(mirai) > 1_000
    assert (mirai.seq == mirai.dst_ip).all()
    assert mirai.mirai.all()
    assert (mirai.mss == 0).all()
    assert mirai.window.nunique() > 0.5 * mirai.host.nunique()
    ports = mirai[mirai.behaviour == "telnet-bot"].dst_port.value_counts()
    assert set(ports.index) == {23, 2323}
    assert 8.5 < ports[23] / ports[2323] < 11.8


def test_nobody_else_carries_mirais_fingerprint(packets):
    """The fingerprint marks the labelled hosts and no look-alike."""
    others = packets[(packets.tool != "mirai") & (packets.proto == 6)]
    assert not others.mirai.any()


def test_zmap_has_ip_id_54321_window_65535_and_no_options(packets):
    """ZMap's relation holds on every packet of its hosts."""
    zmap = packets[packets.tool == "zmap"]
    assert len(zmap) > 500
    assert (zmap.ip_id == 54_321).all()
    assert (zmap.window == 65_535).all()
    assert ((zmap.mss == 0) & (zmap.ts_option == 0) & (zmap.length == 40)).all()


def test_masscan_ip_id_follows_from_target_port_and_sequence(packets):
    """Masscan's relation and window hold on every packet of its hosts, and rarely elsewhere."""
    tcp = packets[packets.proto == 6]
    relation = (tcp.dst_ip ^ tcp.dst_port.astype(np.int64) ^ tcp.seq.astype(np.int64)) & 0xFFFF
    holds = relation == tcp.ip_id
    masscan = tcp.tool == "masscan"
    assert holds[masscan].all()
    assert (tcp[masscan].window == 1_024).all()
    assert (tcp[masscan].mss == 0).all()
    assert holds[~masscan].mean() < 0.001


def test_censys_has_window_1024_an_mss_and_44_bytes(packets):
    """Censys' header holds on every packet of its hosts."""
    censys = packets[packets.tool == "censys"]
    assert set(packets[packets.label == "censys"].tool) == {"censys"}
    assert ((censys.window == 1_024) & (censys.length == 44) & (censys.mss == 1_460)).all()


def test_operating_systems_look_like_themselves(packets):
    """Linux has a rising timestamp, Windows none; both have an MSS and their initial TTL."""
    linux = packets[packets.tool == "linux"]
    windows = packets[packets.tool.isin(["windows", "windows-old"])]
    assert ((linux.mss > 0) & (linux.ts_option > 0) & (linux.ttl < 64)).all()
    assert ((windows.mss > 0) & (windows.ts_option == 0) & windows.ttl.between(65, 127)).all()
    assert linux.groupby("host").window.nunique().max() == 1
    chatty = linux[linux.host == linux.host.value_counts().index[0]]
    assert (chatty.ts_option.diff().dropna() >= -1).all()


def test_hop_count_of_a_host_never_changes(plan, packets):
    """Initial TTL minus TTL is the planted hop count on all packets of all days."""
    hops = packets.initial_ttl - packets.ttl
    assert (hops == plan.hosts.hops[packets.host]).all()


def test_targets_stay_in_the_darknet_and_within_the_hosts_coverage(plan, packets):
    """All targets lie in 198.18.0.0/24; a host contacts no more addresses than planted."""
    assert packets.dst_ip.between(DARKNET, DARKNET + 255).all()
    reached = packets.groupby("host").dst_ip.nunique()
    assert (reached <= plan.hosts.coverage[reached.index]).all()
    sweepers = reached[plan.hosts.coverage[reached.index] == 256]
    assert sweepers.max() == 256
    assert (reached[packets.groupby("host").size() > 20] <= 4).any()


def test_noise_has_the_planned_kinds(packets):
    """Backscatter is SYN-ACK or RST, UDP and ICMP lack TCP's fields, TCP is near 93.7 %."""
    victims = packets[packets.tool.str.startswith("victim")]
    assert set(victims.tcp_flags.astype(int)) <= {0x12, 0x04, 0x14}
    assert 0.015 < len(victims) / len(packets) < 0.05
    tcp = packets.proto == 6
    assert tcp.mean() == pytest.approx(0.937, abs=0.01)
    assert packets[~tcp][["tcp_flags", "seq", "window", "mss", "ts_option"]].isna().all().all()
    icmp = packets[packets.proto == 1]
    assert len(icmp) > 0
    assert icmp.dst_port.isna().all()
    assert packets[tcp].dst_port.notna().all()
    tiny = packets[packets.behaviour == "few-packets"]
    day = tiny.ts_ns // DAY_NS
    assert tiny.groupby(["host", day]).size().max() <= 4


def test_scanners_send_syn_only(packets):
    """No scanner is mistaken for backscatter."""
    tcp = packets[(packets.proto == 6) & ~packets.tool.str.startswith("victim")]
    assert (tcp.tcp_flags == 0x02).all()


def test_daily_rhythm_follows_the_time_zone(packets, plan):
    """Hosts with a daily rhythm send most in their afternoon, least twelve hours off."""
    bots = packets[packets.behaviour == "telnet-bot"]
    local = (bots.ts_ns // (3_600 * 10**9) + plan.hosts.timezone[bots.host]) % 24
    day, night = local.between(11, 17).sum(), ((local <= 5) | (local >= 23)).sum()
    assert day > 2.5 * night


def test_bursts_of_a_campaign_share_their_hours(packets, plan):
    """A campaign with bursts sends within the same five hours of a day."""
    first = packets[packets.ts_ns // DAY_NS == packets.ts_ns.min() // DAY_NS]
    bursty = [b.name for b in plan.behaviours if b.rhythm == "burst"]
    chosen = first[first.behaviour.isin(bursty) & first.behaviour.str.startswith("campaign")]
    hours = chosen.assign(hour=chosen.ts_ns // (3_600 * 10**9)).groupby("behaviour").hour
    assert len(hours) > 0
    assert hours.nunique().max() <= 5


def test_ports_rotate(packets):
    """A class covers more ports over the days than on any one day."""
    spam = packets[packets.label == "spammer"]
    daily = spam.groupby(spam.ts_ns // DAY_NS).dst_port.nunique()
    assert spam.dst_port.nunique() > 1.3 * daily.max()


def test_table_2_is_as_planned_on_a_reduced_scale(plan):
    """Counted from packets: hosts and packets exactly, ports within a fifth."""
    rows = {row.label: row for row in demo.table2(plan)}
    for cls in demo.CLASSES:
        measured, planned = rows[cls.label].measured, target_of(cls, CONFIG).figures
        assert measured.hosts == planned.hosts
        assert measured.packets == planned.packets
        assert measured.daily_hosts == planned.daily_hosts
        assert measured.daily_ports == pytest.approx(planned.daily_ports, rel=0.2, abs=1)
        assert measured.ports == pytest.approx(planned.ports, rel=0.2, abs=1)
    unknown = rows[UNKNOWN]
    assert unknown.planned is not None
    assert unknown.measured.daily_ports == pytest.approx(unknown.planned.daily_ports, rel=0.1)
    assert rows[TOTAL].measured.hosts == sum(
        row.measured.hosts for label, row in rows.items() if label != TOTAL
    )


def test_table_2_agrees_with_a_plain_count(plan, packets):
    """The filters and distinct counts match pandas on the same packets."""
    tcp = packets[(packets.proto == 6) & (packets.tcp_flags == 0x02)]
    tcp = tcp.assign(day=tcp.ts_ns // DAY_NS)
    tcp = tcp[tcp.groupby(["day", "host"]).ts_ns.transform("size") >= 5]
    for row in demo.table2(plan):
        mine = tcp if row.label == TOTAL else tcp[tcp.label == row.label]
        assert row.measured.hosts == mine.host.nunique()
        assert row.measured.ports == mine.dst_port.nunique()
        assert row.measured.packets == len(mine)
        days = mine.groupby("day")
        assert row.measured.daily_ports == round(days.dst_port.nunique().mean())
        assert row.measured.daily_hosts == round(days.host.nunique().mean())


def test_a_day_does_not_depend_on_the_others(plan, days):
    """Any day made alone has the same packets."""
    again = list(demo.generate_day(plan, plan.days[2]))
    assert again == days[2]


def test_noise_can_be_left_out():
    """Without noise every packet is a scanner's SYN."""
    plan = demo.plan(demo.DemoConfig(days=1, hosts_scale=0.02, noise=False))
    table = pa.Table.from_batches(demo.generate_day(plan, plan.days[0]))
    assert set(table["tcp_flags"].to_pylist()) == {2}
    assert table.num_rows == plan.packets


def test_sensor_gaps_silence_whole_hours():
    """A gap removes the hours it names and nothing else."""
    whole = demo.plan(demo.DemoConfig(days=4, hosts_scale=0.02))
    holed = demo.plan(demo.DemoConfig(days=4, hosts_scale=0.02, sensor_gaps=True))
    silent = silent_hours(holed, 3)
    assert silent
    assert silent_hours(whole, 3) == set()
    kept = [
        b for hour, b in enumerate(demo.generate_day(whole, whole.days[3])) if hour not in silent
    ]
    assert list(demo.generate_day(holed, holed.days[3])) == kept


def test_a_day_outside_the_plan_is_refused(plan):
    """The message names the day."""
    with pytest.raises(ConfigError, match="2020-01-01"):
        next(demo.generate_day(plan, plan.days[0].replace(year=2020, month=1)))
