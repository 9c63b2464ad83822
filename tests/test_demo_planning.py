"""The plan of the demo darknet: Table 2's totals, churn, campaigns, look-alikes, addresses."""

from collections import Counter
from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from darkgnn_core import demo
from darkgnn_core.demo.activity import with_sum
from darkgnn_core.demo.blocks import MIN_PACKETS
from darkgnn_core.demo.planning import is_labelled
from darkgnn_core.demo.targets import target_of
from darkgnn_core.demo.truth import LABELS, TOTAL, UNKNOWN, UNKNOWN_CLASS
from darkgnn_core.errors import ConfigError


@pytest.fixture(scope="module")
def full() -> demo.Plan:
    """Plan the full month without noise."""
    return demo.plan(demo.DemoConfig.of_size("full", noise=False))


@pytest.fixture(scope="module")
def small() -> demo.Plan:
    """Plan the small demo."""
    return demo.plan(demo.DemoConfig())


def test_papers_rows_add_up_with_the_days_each_class_was_seen():
    """The total row is the sum of the class rows, averages over the days seen."""
    classes = (*demo.CLASSES, UNKNOWN_CLASS)
    total = demo.PAPER_TABLE2[TOTAL]
    assert sum(c.paper.hosts for c in classes) == total.hosts
    assert sum(c.paper.packets for c in classes) == total.packets
    daily = sum(c.paper.daily_hosts * c.seen_days / 31 for c in classes)
    assert daily == pytest.approx(total.daily_hosts, rel=0.002)
    for c in classes:
        assert c.paper.packets / c.seen_days == pytest.approx(c.paper.daily_packets, rel=0.002)


def test_full_month_plans_table_2_exactly(full):
    """Hosts, host days and packets of every class are those of Table 2."""
    labels = np.array(full.labels)
    of_host_day = labels[full.activity.host]
    for cls in (*demo.CLASSES, UNKNOWN_CLASS):
        assert (labels == cls.label).sum() == cls.paper.hosts
        mine = of_host_day == cls.label
        assert mine.sum() == cls.paper.daily_hosts * cls.seen_days
        assert full.activity.packets[mine].sum() == cls.paper.packets
    assert full.packets == demo.PAPER_TABLE2[TOTAL].packets


def test_targets_of_the_full_month_are_the_papers_rows():
    """Nothing is scaled at full size."""
    config = demo.DemoConfig.of_size("full")
    for cls in demo.CLASSES:
        planned, paper = target_of(cls, config).figures, cls.paper
        assert astuple(planned)[:5] == astuple(paper)[:5]
        assert planned.daily_packets == pytest.approx(paper.daily_packets, rel=0.001)


def test_every_planned_host_is_active_and_every_host_day_passes_the_filter(full):
    """No host without a day, no host day under 5 packets, no host twice a day."""
    activity = full.activity
    assert np.array_equal(np.unique(activity.host), np.arange(len(full.hosts.address)))
    assert activity.packets.min() >= MIN_PACKETS
    for index in range(len(full.days)):
        hosts, _ = activity.of_day(index)
        assert (np.diff(hosts) > 0).all()


def test_churn_is_strong_where_the_paper_has_it(full):
    """Most Mirai-like hosts leave within days; Shadowserver's stay."""
    days = np.bincount(full.activity.host)
    labels = np.array(full.labels)
    assert np.median(days[labels == "mirai-like"]) <= 3
    assert days[labels == "mirai-like"].max() == 31
    assert np.median(days[labels == "shadowserver"]) == 31


def test_small_demo_has_every_class_every_day_above_the_scoring_limit(small):
    """At least 11 hosts of all 14 classes on each of the 14 days."""
    labels = np.array(small.labels)
    for index in range(len(small.days)):
        hosts, packets = small.activity.of_day(index)
        counts = Counter(labels[hosts[packets >= MIN_PACKETS]])
        assert min(counts[cls.label] for cls in demo.CLASSES) >= 11


def test_small_demo_has_about_1500_hosts_and_130000_packets_a_day(small):
    """The size that the issue asks for, noise hosts apart."""
    kept = small.activity.packets >= MIN_PACKETS
    labelled_or_scanner = kept.sum() / len(small.days)
    assert 1_300 <= labelled_or_scanner <= 2_000
    assert 100_000 <= small.packets / len(small.days) <= 150_000


@pytest.mark.parametrize("cls", demo.CLASSES, ids=lambda cls: cls.label)
def test_each_class_has_unknown_lookalikes_in_the_planted_share(full, cls):
    """Look-alikes are unknown and share the class's behaviours; hard classes have the most."""
    shares = {}
    mine = [b for b in full.blocks if b.lookalike_of == cls.label]
    original = next(b for b in full.blocks if b.label == cls.label)
    assert [b.label for b in mine] == [UNKNOWN]
    assert {b.name for b in mine[0].behaviours} == {b.name for b in original.behaviours}
    share = mine[0].host_days / original.host_days
    shares[cls.label] = share
    assert share == pytest.approx(cls.lookalikes, rel=0.3, abs=0.02)
    assert mine[0].packets / mine[0].host_days == pytest.approx(
        original.packets / original.host_days, rel=0.01
    )


def test_hard_classes_have_more_lookalikes_than_the_others():
    """Exploiters, spammers and brute-forcers are the confusable ones by design."""
    order = sorted(demo.CLASSES, key=lambda cls: -cls.lookalikes)
    assert [cls.label for cls in order[:3]] == ["exploiter", "spammer", "brute-forcer"]


def test_campaign_members_act_together(full):
    """An unknown campaign's members are active in the same few days and have one behaviour."""
    for number, block in enumerate(full.blocks):
        if not block.campaign.startswith("campaign-"):
            continue
        hosts = np.flatnonzero(full.hosts.block == number)
        assert len(set(full.hosts.campaign[hosts])) == 1
        assert len(set(full.hosts.behaviour[hosts])) == 1
        assert block.days[-1] - block.days[0] < 8
    named = {c for c in full.campaigns if c.startswith(("mirai-like-", "brute-forcer-"))}
    assert len(named) > 10


def test_hosts_of_a_labelled_campaign_start_within_days_of_each_other(full):
    """Grouped hosts overlap in time far more than their class does."""
    number = full.campaigns.index("mirai-like-05")
    members = np.flatnonzero(full.hosts.campaign == number)
    day_of = np.repeat(np.arange(31), np.diff(full.activity.offsets))
    present = np.zeros(31, dtype=int)
    for host in members:
        present[day_of[full.activity.host == host]] += 1
    assert present.max() > 0.8 * len(members)


def test_addresses_are_distinct_reserved_and_structured(small):
    """All sources lie in 240.0.0.0/4; organisations own a few /24, botnets are scattered."""
    addresses, labels = small.hosts.address, np.array(small.labels)
    assert len(np.unique(addresses)) == len(addresses)
    assert ((addresses >> 28) == 15).all()
    assert (addresses < (255 << 24)).all()
    for cls in demo.CLASSES:
        mine = addresses[labels == cls.label]
        networks = len(np.unique(mine >> 8))
        assert networks <= 5 if cls.organisation else networks > 0.9 * len(mine)


def test_only_the_label_mirai_has_the_fingerprint_stack(full):
    """The fingerprint labels that class, so no other host may carry it."""
    stacks = full.truth().to_pandas()
    assert set(stacks[stacks["stack"] == "mirai"]["class"]) == {"mirai-like"}
    assert set(stacks[stacks["class"] == "mirai-like"]["stack"]) == {"mirai"}


def test_truth_names_every_host(small):
    """The truth has one row a host, labels of the table, and days and packets as planned."""
    truth = small.truth().to_pandas()
    assert len(truth) == len(small.hosts.address)
    assert set(truth["class"]) == set(LABELS)
    assert truth["packets"].sum() == small.packets
    assert is_labelled(small).sum() == (truth["class"] != UNKNOWN).sum()


def test_same_settings_same_plan_and_another_seed_another():
    """The plan follows from the settings."""
    config = demo.DemoConfig(days=3, hosts_scale=0.03)
    one, two = demo.plan(config), demo.plan.__wrapped__(config)
    assert one is not two
    assert one.truth() == two.truth()
    other = demo.plan(demo.DemoConfig(days=3, hosts_scale=0.03, seed=7))
    assert one.truth() != other.truth()


def test_plan_cannot_be_changed(small):
    """Plans are cached, so their arrays are read-only."""
    with pytest.raises(ValueError, match="read-only"):
        small.hosts.address[0] = 1


@settings(max_examples=12, deadline=None)
@given(
    days=st.integers(1, 9),
    hosts=st.sampled_from([0.01, 0.05, 0.1]),
    packets=st.sampled_from([0.05, 1.0]),
    least=st.integers(0, 13),
    gaps=st.booleans(),
)
def test_any_size_plans_what_its_blocks_say(days, hosts, packets, least, gaps):
    """Whatever the size, every block has exactly its hosts, host days and packets."""
    config = demo.DemoConfig(
        days=days, hosts_scale=hosts, packets_scale=packets, min_class_hosts=least, class_gaps=gaps
    )
    plan = demo.plan.__wrapped__(config)
    block_of = plan.hosts.block[plan.activity.host]
    for number, block in enumerate(plan.blocks):
        assert (plan.hosts.block == number).sum() == block.hosts
        assert (block_of == number).sum() == block.host_days
        assert plan.activity.packets[block_of == number].sum() == block.packets


def test_with_sum_reaches_the_total_within_limits():
    """Values move by one step at a time and stay within their limits."""
    rng = np.random.default_rng(0)
    values = with_sum(np.array([9, 1, 1]), 6, 1, 3, rng)
    assert values.sum() == 6
    assert values.min() >= 1
    assert values.max() <= 3
    assert with_sum(np.array([1, 1]), 99, 1, 3, rng).tolist() == [3, 3]


@pytest.mark.parametrize(
    "change",
    [
        {"days": 0},
        {"hosts_scale": 0.0},
        {"packets_scale": 9.0},
        {"start": "yesterday"},
        {"seed": -1},
        {"min_class_hosts": -1},
        {"colour": "red"},
    ],
)
def test_wrong_settings_are_refused(change):
    """A setting outside its range is told at once."""
    with pytest.raises(ConfigError):
        demo.DemoConfig.of_size("small", **change)


def test_unknown_size_is_refused():
    """There are two sizes."""
    with pytest.raises(ConfigError, match="small, full"):
        demo.DemoConfig.of_size("huge")
