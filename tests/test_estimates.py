"""Estimates: hand-computed sizes, growth, what fits, and a measured step in a child process."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from app_workspaces import filled_workspace

from darkgnn_core import devices as finding
from darkgnn_core import estimates, paces
from darkgnn_core.config import GraphConfig, SnapshotConfig
from darkgnn_core.devices import Device, _devices, choose_device, devices
from darkgnn_core.errors import RunError
from darkgnn_core.estimates import (
    Estimate,
    add_up,
    available_memory,
    estimate,
    room_for,
    sizes_of,
)
from darkgnn_core.paces import Pace, pace_key, pace_of
from darkgnn_core.run_config import METHODS, NetworkConfig, RunConfig
from darkgnn_core.run_days import Days
from darkgnn_core.run_inputs import inputs_between
from darkgnn_core.training.costs import (
    DaySize,
    Sizes,
    Work,
    batch_of,
    nominal_seconds,
    parameters_of,
    steps_of,
    trained_days,
    units_of,
    window_of,
    work_of,
)
from darkgnn_core.training.measuring import CutDays, Trial, cut, fitted, shortened
from darkgnn_core.training.room import disk_of, memory_of, written_by
from darkgnn_core.workspace import Workspace

PLAIN = [method for method in METHODS if method != "fusion"]
DAY = DaySize(hosts=6_000, ports=2_501, edges=40_000, packets=2_000_000)
MONTH = Sizes((DAY,) * 31, nodes=60_000, window_nodes=20_000)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Give a workspace of three days, not to be written to."""
    return filled_workspace(tmp_path_factory.mktemp("filled"))


@pytest.fixture
def workspace(filled: Workspace, tmp_path: Path) -> Workspace:
    """Give a workspace of three days of one's own."""
    return Workspace(Path(shutil.copytree(filled.root, tmp_path / "workspace")))


@pytest.fixture
def days(filled: Workspace) -> Days:
    """Give its days."""
    config = filled.snapshot_config()
    return Days(inputs_between(filled, config), snapshot_config=config, graph=GraphConfig())


def with_settings(config: RunConfig, **changes: Any) -> RunConfig:
    """Return a config with other settings of its method."""
    return replace(config, settings=replace(config.settings, **changes))


def test_the_work_of_an_untrained_network_is_its_products() -> None:
    """Two days of 3 hosts, 2 ports, 4 edges, widths 5 and 2: 5 nodes x (37 x 5 + 5 x 2) x 2."""
    config = RunConfig.of("random-gcn", hidden=5, output=3, embedding=2)
    day = DaySize(hosts=3, ports=2, edges=4, packets=9)
    work = work_of(config, Sizes((day, day)))
    assert work.flops == 2 * 5 * (37 * 5 + 5 * 2) * 2
    # 13 entries and 4 passes over 5 rows, 2 wide, 4 bytes a number, on each of two days
    assert work.bytes == 2 * 4 * 2 * (13 + 4 * 5)


def test_a_further_day_of_the_papers_best_costs_its_window_and_its_links() -> None:
    """Six graphs of 8,501 nodes, three times to train and once to embed; 80,000 pairs, trained."""
    config = RunConfig.of("i-gcn-gru")
    more, month = Sizes((DAY,) * 32), Sizes((DAY,) * 31)
    graph = 2 * 8_501 * (37 * 1_024 + 1_024 * 384 + 128 * 384)
    links = 2 * 8_501 * 256 * 64 + 2 * 80_000 * 2 * 64
    flops = work_of(config, more).flops - work_of(config, month).flops
    assert flops == pytest.approx(6 * graph * (3 + 1) + 3 * links)


def test_parameters_are_those_of_the_networks() -> None:
    """The formula agrees with torch's own count, with features and without, GRU or not."""
    count = (
        "import json, sys; from darkgnn_core.run_config import NetworkConfig; "
        "from darkgnn_core.models.convolutions import TwoConvolutions; "
        "from darkgnn_core.models.gcn import GCN; from darkgnn_core.models.gcn_gru import GCNGRU; "
        "from darkgnn_core.models.link_head import LinkHead; s = NetworkConfig(); "
        "count = lambda m: sum(p.numel() for p in m.parameters()); "
        "parts = lambda kind: count(kind(TwoConvolutions(37, s.hidden, s.output), s)); "
        "head = count(LinkHead(s.embedding, s.head)); "
        "print(json.dumps([parts(kind) + head for kind in (GCN, GCNGRU)]))"
    )
    done = subprocess.run([sys.executable, "-c", count], capture_output=True, check=True)
    settings = NetworkConfig()
    assert json.loads(done.stdout) == [
        parameters_of("i-gcn", settings),
        parameters_of("i-gcn-gru", settings),
    ]
    learned = replace(settings, use_features=False)
    more = parameters_of("i-gcn", learned, 100) - parameters_of("i-gcn", settings)
    assert more == settings.hidden * (100 - 37)


@pytest.mark.parametrize("method", PLAIN)
def test_estimates_grow_with_hosts_and_days(method: str) -> None:
    """Twice the hosts, or twice the days: more work and disk, and no less memory."""
    config = RunConfig.of(method)
    wide = Sizes(
        tuple(replace(DAY, hosts=12_000, edges=80_000, packets=4_000_000) for _ in MONTH.days)
    )
    long = Sizes(MONTH.days * 2)
    usual = Sizes(MONTH.days)
    for larger in (wide, long):
        assert seconds(config, larger) > 1.3 * seconds(config, usual) or method == "gcn-gru"
        assert seconds(config, larger) > seconds(config, usual)
        assert memory_of(config, larger) >= memory_of(config, usual)
        assert disk_of(config, larger) > disk_of(config, usual)
    assert memory_of(config, wide) > 1.2 * memory_of(config, usual)


def seconds(config: RunConfig, sizes: Sizes) -> float:
    """Return the nominal time of a run."""
    return nominal_seconds(work_of(config, sizes))


def test_a_longer_history_costs_in_proportion() -> None:
    """H + 1 graphs: six times the work of none, and more memory; nothing for a GCN."""
    usual = Sizes((DAY,) * 400)
    times = [seconds(RunConfig.of("i-gcn-gru", history_days=history), usual) for history in (0, 5)]
    assert 5.0 < times[1] / times[0] < 6.0  # the head is asked once
    rooms = [
        memory_of(RunConfig.of("i-gcn-gru", history_days=history), usual) for history in (0, 2, 5)
    ]
    assert rooms == sorted(set(rooms))
    static = [seconds(RunConfig.of("i-gcn", history_days=history), usual) for history in (0, 5)]
    assert static[0] == static[1]


def test_epochs_multiply_training_and_not_the_embedding() -> None:
    """Training is three forwards and the head an epoch; one more forward embeds."""
    one, three = (work_of(RunConfig.of("i-gcn", epochs=n), MONTH) for n in (1, 3))
    embed = work_of(RunConfig.of("random-gcn"), MONTH)
    assert three.flops - embed.flops == pytest.approx(3 * (one.flops - embed.flops))


def test_each_variant_trains_on_its_days() -> None:
    """The offline one on days H to M, the frozen one on the first, the random ones on none."""
    settings = NetworkConfig()
    assert trained_days("gcn-gru", settings, 31) == slice(5, 20)
    assert trained_days("gcn-gru", settings, 14) == slice(5, 13)
    assert trained_days("gcn-gru", settings, 3) == slice(1, 2)
    assert trained_days("i-gcn", replace(settings, is_frozen=True), 31) == slice(0, 1)
    assert trained_days("random-gcn-gru", settings, 31) == slice(0, 0)
    assert units_of(RunConfig.of("gcn-gru"), MONTH) == 50 + 31
    assert units_of(RunConfig.of("gcn"), MONTH) == 31
    assert window_of("i-gcn-gru", replace(settings, carry_state=True), 9) == slice(9, 10)
    assert steps_of(RunConfig.of("gcn-gru"), MONTH) == 31 + 50 * 15


def test_a_day_too_large_to_hold_is_taken_in_batches() -> None:
    """1,000,000 hosts, 10,000,000 edges: 153 batches a pass, in a bounded part of the memory."""
    large = Sizes((DaySize(1_000_000, 2_501, 10_000_000, 50_000_000),))
    whole, batches = (RunConfig.of("i-gcn-gru", sampling=how) for how in ("whole", "neighbours"))
    assert steps_of(whole, large) == 2
    assert steps_of(batches, large) == 1 + 153
    assert steps_of(RunConfig.of("i-gcn-gru", batch_edges=1_000_000), large) == 1 + 10
    assert memory_of(batches, large) < 0.8 * memory_of(whole, large)
    assert work_of(batches, large).flops > work_of(whole, large).flops
    day = batch_of(NetworkConfig(batch_edges=10, fanout=3), large.days[0])
    assert (day.hosts, day.ports) == (1 + 20 * 3, 20)
    assert shortened(RunConfig.of("i-gcn-gru"), large).settings.sampling == "neighbours"
    assert shortened(RunConfig.of("i-gcn-gru"), MONTH).settings.sampling == "whole"


def test_without_features_the_vectors_take_the_memory() -> None:
    """60,000 vectors of 1,024 numbers and their moments are 737 MB at least, on disk too."""
    config = RunConfig.of("i-gcn-gru", use_features=False)
    least = 60_000 * 1_024 * 4 * 3
    assert memory_of(config, MONTH) > least
    assert written_by(config, MONTH) > 15 * least
    assert disk_of(config, MONTH) > least
    assert memory_of(config, MONTH) > 2 * memory_of(RunConfig.of("i-gcn-gru"), MONTH)


def test_disk_is_the_embeddings_of_all_days() -> None:
    """37 numbers and an address a host: features; within the files' own overhead."""
    expected = 31 * 6_000 * 4 * 38
    assert expected < disk_of(RunConfig.of("features"), MONTH) < 1.1 * expected


def test_sizes_are_what_the_snapshots_say(filled: Workspace) -> None:
    """Hosts, ports, edges from the summaries; distinct nodes only where they are needed."""
    inputs = inputs_between(filled, filled.snapshot_config())
    sizes = sizes_of(RunConfig.of("i-gcn"), inputs)
    assert [(each.hosts, each.ports, each.edges) for each in sizes.days] == [(20, 5, 20)] * 3
    assert (sizes.nodes, sizes.window_nodes) == (0, 0)
    learned = RunConfig.of("i-gcn-gru", use_features=False, history_days=1)
    # 20 hosts a day, the first of them gone and a new one there as often as a day has passed
    sizes = sizes_of(learned, inputs)
    assert (sizes.nodes, sizes.window_nodes) == (23 + 5, 22 + 5)
    assert sizes_of(RunConfig.of("i-darkvec"), inputs).nodes == 23


def test_an_estimate_adds_up_by_hand(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows read, steps, work, units and writing, at a made-up pace."""
    pace = Pace(row_s=2.0, step_s=10.0, factor=0.0, base_bytes=1e6)
    monkeypatch.setattr(estimates, "pace_of", lambda *_: pace)
    found = estimate(workspace, RunConfig.of("features"))
    rows = 3 * (20 + 5 + 20 / 10)
    disk = disk_of(RunConfig.of("features"), Sizes((DaySize(20, 5, 20, 160),) * 3))
    writing = disk / estimates.WRITE_BYTES_A_S
    assert found.seconds == pytest.approx(2 * rows + 10 * 3 + 3 * estimates.UNIT_S + writing)
    assert found.disk_bytes == round(disk)
    assert found.peak_bytes > 1e6


def test_a_day_without_snapshots_has_no_estimate(workspace: Workspace) -> None:
    """A day that is not there is named, as when a run is created."""
    with pytest.raises(RunError, match="2020-01-01") as caught:
        estimate(workspace, RunConfig.of("features", first_day="2020-01-01"), calibrate=False)
    assert caught.value.code == "NO-SNAPSHOTS"


def test_what_does_not_fit_says_why(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory and disk are held against what is free; both can lack."""
    monkeypatch.setattr(estimates, "available_memory", lambda: 5_000)
    asked = Estimate(1.0, 5_000, 1_000, fits=True, why_not="", basis="")
    assert room_for(workspace, asked) == asked
    lacks = room_for(workspace, replace(asked, peak_bytes=6_000, disk_bytes=1 << 60))
    assert lacks.fits is False
    assert "6.0 kB of memory, 5.0 kB are free and about" in lacks.why_not


def test_a_graphics_card_has_its_own_memory(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On cuda the card's memory counts, not the machine's; the first card is `cuda`."""
    card = Device("cuda:0", "A card", 9_000)
    monkeypatch.setattr(estimates, "devices", lambda: (Device("cpu", "", 1), card))
    monkeypatch.setattr(estimates, "available_memory", lambda: 5_000)
    asked = Estimate(1.0, 8_000, 10, fits=True, why_not="", basis="")
    assert room_for(workspace, asked, device="cuda").fits
    assert not room_for(workspace, asked, device="cpu").fits
    lacks = room_for(workspace, replace(asked, peak_bytes=10_000), device="cuda:0")
    assert "9.0 kB are on A card" in lacks.why_not


def test_runs_one_after_another_share_memory_and_not_disk() -> None:
    """Times and disk add up, the most memory counts."""
    parts = [
        Estimate(2.0, 30, 4, fits=True, why_not="", basis="a"),
        Estimate(3.0, 20, 5, fits=True, why_not="", basis="b"),
    ]
    together = add_up(parts)
    assert (together.seconds, together.peak_bytes, together.disk_bytes) == (5.0, 30, 9)


def test_a_container_limits_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The smaller of what the machine has left and what its container may still take."""
    limit, used = tmp_path / "max", tmp_path / "current"
    limit.write_text("70000\n")
    used.write_text("50000\n")
    monkeypatch.setattr(estimates, "CONTAINERS", ((limit, used),))
    assert available_memory() == 20_000
    limit.write_text("max\n")
    assert 0.5 < available_memory() / psutil.virtual_memory().available < 2
    limit.write_text("40000\n")
    assert available_memory() == 0


def test_devices_are_found_and_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    """`auto` takes cuda, then mps, then the processor, and never for a method without torch."""
    card = [Device("cpu", "", 1), Device("cuda:0", "", 1), Device("cuda:1", "", 1)]
    monkeypatch.setattr(finding, "devices", lambda: tuple(card))
    assert choose_device("auto", "i-gcn") == "cuda:0"
    assert choose_device("cuda", "i-gcn") == "cuda:0"
    assert choose_device("cuda:1", "autoencoder") == "cuda:1"
    assert choose_device("auto", "spectral") == "cpu"
    assert choose_device("cpu", "i-gcn") == "cpu"
    for wanted, method in (
        ("mps", "i-gcn"),
        ("cuda:7", "i-gcn"),
        ("cuda", "features"),
        ("tpu", "i-gcn"),
    ):
        with pytest.raises(RunError, match="cpu, cuda:0, cuda:1") as caught:
            choose_device(wanted, method)
        assert caught.value.code == "NO-DEVICE"
    monkeypatch.setattr(finding, "devices", lambda: (card[0], Device("mps", "", 1)))
    assert choose_device("auto", "i-gcn") == "mps"
    monkeypatch.setattr(finding, "devices", lambda: (card[0],))
    assert choose_device("auto", "i-gcn") == "cpu"


def test_where_nothing_can_be_asked_there_is_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    """A child process that ends badly leaves one device, the processor."""
    monkeypatch.setattr(finding.sys, "executable", "/nowhere/python")
    _devices.cache_clear()
    try:
        assert [each.name for each in devices()] == ["cpu"]
    finally:
        _devices.cache_clear()


def test_a_child_process_finds_the_processor() -> None:
    """Torch is asked in a process of its own; this one does not import it for that."""
    script = (
        "import sys; from darkgnn_core.estimates import devices; found = devices(); "
        "print(found[0].name, found[0].memory_bytes > 0, 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["cpu", "True", "False"]


def test_a_cut_day_is_the_part_of_the_graph_that_its_hosts_have(days: Days) -> None:
    """A quarter of the hosts, their edges with weights, the ports of those, their features."""
    whole = days.snapshot(0)
    part = cut(whole, 0.25)
    assert len(part.hosts) == 5
    assert set(part.hosts) <= set(whole.hosts)
    known = dict(zip(pairs(whole), whole.edge_weight, strict=True))
    assert {pair for pair in known if pair[0] in set(part.hosts)} == set(pairs(part))
    assert [known[pair] for pair in pairs(part)] == part.edge_weight.tolist()
    assert set(part.edge_index[1]) == set(range(len(part.ports)))
    for mine, theirs, features, all_features in (
        (part.hosts, whole.hosts, part.host_features, whole.host_features),
        (part.ports, whole.ports, part.port_features, whole.port_features),
    ):
        assert np.array_equal(features, all_features[np.searchsorted(theirs, mine)])
    same = cut(whole, 1.0)
    assert pairs(same) == pairs(whole)


def pairs(snapshot: Any) -> list[tuple[int, int]]:
    """Return the host and port of each edge."""
    hosts, ports = snapshot.hosts[snapshot.edge_index[0]], snapshot.ports[snapshot.edge_index[1]]
    return list(zip(hosts.tolist(), ports.tolist(), strict=True))


def test_cut_days_tell_their_sizes(days: Days) -> None:
    """At most two days, sizes as the snapshots have them, distinct nodes over both."""
    sizes = CutDays(days, 1.0).sizes
    assert [(each.hosts, each.edges, each.packets) for each in sizes.days] == [(20, 20, 160)] * 2
    assert sizes.nodes == 21 + 5


@pytest.mark.parametrize("method", PLAIN)
def test_a_trial_is_short_and_as_wide_as_the_run(method: str) -> None:
    """One epoch, little history, no early end; widths are kept."""
    config = RunConfig.of(method)
    trial = shortened(config, MONTH)
    assert getattr(trial.settings, "epochs", 1) == 1
    assert getattr(trial.settings, "history_days", 0) <= 1
    assert getattr(trial.settings, "embedding", 0) == getattr(config.settings, "embedding", 0)
    assert getattr(trial.settings, "hidden", 0) == getattr(config.settings, "hidden", 0)


def test_two_trials_give_what_made_them() -> None:
    """0.3 s a step and 1.7 of the nominal time are found back, with other numbers of steps too."""

    def trial(steps: int, nominal_s: float) -> Trial:
        return Trial(steps, nominal_s, 0.3 * steps + 1.7 * nominal_s)

    assert fitted(trial(4, 0.5), trial(4, 20.0)) == pytest.approx((0.3, 1.7))
    assert fitted(trial(4, 0.5), trial(6, 20.0)) == pytest.approx((0.3, 1.7))
    assert fitted(trial(4, 2.0), trial(4, 2.0)) == (pytest.approx(trial(4, 2.0).seconds / 4), 1.0)
    assert fitted(Trial(2, 1.0, 9.0), Trial(2, 10.0, 8.0)) == (4.0, 1.0)


def test_work_adds_and_multiplies() -> None:
    """Both parts, as numbers do."""
    assert (Work(1.0, 2.0) + Work(3.0, 4.0)) * 2 == Work(8.0, 12.0)


def test_a_pace_is_measured_once_and_kept(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A really trained step; neither a second estimate nor one of more epochs asks a child."""
    config = RunConfig.of("autoencoder")
    inputs = inputs_between(workspace, workspace.snapshot_config())
    pace = pace_of(workspace, config, inputs)
    assert pace.measured
    assert pace.hosts == 20
    assert 0 < pace.seconds < 60
    assert pace.factor > 0
    assert 100e6 < pace.base_bytes < 2e9

    def fails(*_: object) -> None:
        raise AssertionError("a child was asked again")

    monkeypatch.setattr(paces, "ask_child", fails)
    assert pace_of(workspace, config, inputs) == pace
    assert pace_of(workspace, with_settings(config, epochs=7), inputs) == pace
    with pytest.raises(AssertionError, match="asked again"):
        pace_of(workspace, with_settings(config, hidden=7), inputs)


def test_what_cannot_be_measured_is_typical(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A child that ends badly leaves an estimate that says so, and nothing is kept."""
    monkeypatch.setattr(finding.sys, "executable", "/nowhere/python")
    found = estimate(workspace, RunConfig.of("i-gcn"))
    assert "without a trial" in found.basis
    assert found == estimate(workspace, RunConfig.of("i-gcn"), calibrate=False)
    inputs = inputs_between(workspace, workspace.snapshot_config())
    assert pace_of(workspace, RunConfig.of("i-gcn"), inputs) == Pace()


def test_a_pace_is_another_where_speed_is() -> None:
    """Device, widths and features count; seed, epochs and history do not."""
    config = RunConfig.of("i-gcn-gru")
    same = [
        replace(config, seed=5),
        with_settings(config, epochs=9),
        with_settings(config, history_days=1),
    ]
    other = [
        replace(config, device="cuda:0"),
        with_settings(config, hidden=8),
        with_settings(config, use_features=False),
        RunConfig.of("gcn-gru"),
    ]
    assert {pace_key(each) for each in same} == {pace_key(config)}
    assert pace_key(config) not in {pace_key(each) for each in other}
    assert len({pace_key(each) for each in other}) == len(other)


def test_a_static_network_says_that_it_may_stop_earlier(workspace: Workspace) -> None:
    """Its time is that of all epochs, and the basis says so."""
    found = estimate(workspace, RunConfig.of("gcn"), calibrate=False)
    assert "all 50 epochs; it may stop earlier" in found.basis
    assert "earlier" not in estimate(workspace, RunConfig.of("i-gcn"), calibrate=False).basis


def test_snapshot_settings_travel_to_the_child(workspace: Workspace) -> None:
    """What the child is sent is JSON, and gives the same settings there."""
    from darkgnn_core.training.measuring import read_request

    config = RunConfig.of("i-gcn-gru", scaling="quantile")
    inputs = inputs_between(workspace, workspace.snapshot_config())
    request = json.loads(json.dumps(paces.request_of(workspace, config, inputs)))
    read, days = read_request(request)
    assert read == config
    assert days.inputs == tuple(inputs)
    assert days.snapshot_config == workspace.snapshot_config() == SnapshotConfig()
