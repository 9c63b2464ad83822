"""Negative controls: edges drawn anew under their degrees, days in another order, stable hashes."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkgnn_core.config import GraphConfig
from darkgnn_core.errors import ConfigError, RunError
from darkgnn_core.run_config import RunConfig
from darkgnn_core.run_days import DayInput, Days
from darkgnn_core.run_inputs import inputs_between
from darkgnn_core.runs import find_run, resume_run
from darkgnn_core.snapshots.graphs import graph_reader
from darkgnn_core.snapshots.rewiring import rewired
from tests.app_workspaces import DAYS, filled_workspace, write_trace
from tests.made_runs import made_run, no_processes

__all__ = ["no_processes"]


def edges_of(pairs: list[tuple[int, int]]) -> pa.Table:
    """Make a table of edges, packets counted up from 1."""
    kept = sorted(set(pairs))
    return pa.table(
        {
            "host": pa.array([host for host, _ in kept], pa.uint32()),
            "port": pa.array([port for _, port in kept], pa.int32()),
            "packets": pa.array(range(1, len(kept) + 1), pa.int64()),
        }
    )


def columns(table: pa.Table) -> list[list[int]]:
    """Give the columns of a table as lists."""
    return [table.column(name).to_pylist() for name in ("host", "port", "packets")]


@given(
    st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(-1, 65_535)), max_size=60),
    st.text(max_size=10),
)
def test_rewiring_keeps_every_degree_and_no_pair_comes_twice(
    pairs: list[tuple[int, int]], key: str
) -> None:
    """Hosts keep their number of edges and their packets, ports their number of hosts."""
    before = edges_of(pairs)
    after = rewired(before, key)
    hosts, ports, packets = columns(after)
    assert sorted(ports) == sorted(before.column("port").to_pylist())
    assert sorted(zip(hosts, packets, strict=True)) == sorted(
        zip(before.column("host").to_pylist(), before.column("packets").to_pylist(), strict=True)
    )
    assert len(set(zip(hosts, ports, strict=True))) == len(hosts)
    assert after.schema == before.schema


def test_few_pairs_stay_where_they_were() -> None:
    """Of 4,000 pairs among 500 hosts and 400 ports about what chance gives is left in place."""
    random = np.random.default_rng(4)
    before = edges_of(
        list(zip(random.integers(0, 500, 4_000), random.integers(0, 400, 4_000), strict=True))
    )
    after = rewired(before, "2021-12-01")
    old = set(zip(*columns(before)[:2], strict=True))
    new = set(zip(*columns(after)[:2], strict=True))
    assert len(old & new) / len(old) < 3 * len(old) / (500 * 400)


def test_a_bin_is_rewired_the_same_in_every_run_and_otherwise_than_another() -> None:
    """The draw follows from the name of the bin alone."""
    table = edges_of([(host, (host * 7 + step) % 50) for host in range(80) for step in range(4)])
    first = columns(rewired(table, "2021-12-01"))
    assert first == columns(rewired(table, "2021-12-01"))
    assert first != columns(rewired(table, "2021-12-02"))


def test_a_star_cannot_be_rewired() -> None:
    """One port that all hosts share: no swap makes another graph."""
    table = edges_of([(host, 23) for host in range(9)])
    assert columns(rewired(table, "2021-12-01")) == columns(table)


def test_the_graph_reader_rewires_where_it_is_told(tmp_path: Path) -> None:
    """Features and hosts stay, edges change, and only under that control."""
    workspace = filled_workspace(tmp_path)
    folders = [each.directory for each in inputs_between(workspace, workspace.snapshot_config())]
    plain = graph_reader(folders, GraphConfig())(0)
    again = graph_reader(folders, GraphConfig(control="shuffled_days"))(0)
    control = graph_reader(folders, GraphConfig(control="rewired_edges"))(0)
    assert (control.hosts == plain.hosts).all()
    assert (control.host_features == plain.host_features).all()
    for row in (0, 1):
        counts = [np.bincount(each.edge_index[row]).tolist() for each in (plain, control)]
        assert counts[0] == counts[1]
    assert (again.edge_index == plain.edge_index).all()
    assert (control.edge_index != plain.edge_index).any()


def test_shuffled_days_are_all_days_in_another_order_each_time_the_same() -> None:
    """Every bin once, under its own name; the plain graph goes over them in time."""
    inputs = [DayInput(f"2021-12-{day:02}", Path(f"{day}")) for day in range(1, 32)]

    def keys(control: str) -> tuple[str, ...]:
        graph = GraphConfig(control=control)
        return Days(inputs, snapshot_config=None, graph=graph).keys

    in_time = tuple(each.key for each in inputs)
    assert keys("none") == keys("rewired_edges") == in_time
    assert keys("shuffled_days") == keys("shuffled_days") != in_time
    assert sorted(keys("shuffled_days")) == list(in_time)


def test_hashes_of_settings_without_a_control_are_what_they_were() -> None:
    """Runs made before there were controls are found again; a control has a hash of its own."""
    known = {
        "9062725a1167": RunConfig(),
        "a29f5fd5b73c": RunConfig.of("gcn-gru", "as_released"),
        "7dc17f7687b0": RunConfig.of("features", scaling="quantile"),
    }
    assert {config.hash for config in known.values()} == set(known)
    plain, control = RunConfig(), RunConfig.of("i-gcn-gru", control="rewired_edges")
    assert control.hash != plain.hash
    assert RunConfig.from_dict(control.to_dict()) == control
    stored = plain.to_dict()
    del stored["graph"]["control"]  # as it was written before
    assert RunConfig.from_dict(stored) == plain
    with pytest.raises(ConfigError):
        GraphConfig(control="upside down")


def test_a_run_over_shuffled_days_cannot_be_continued(
    tmp_path: Path, no_processes: list[str]
) -> None:
    """A new day would fall between the earlier ones."""
    from darkgnn_core.ingest import ingest

    workspace = filled_workspace(tmp_path)
    run_id = made_run(workspace, RunConfig.of("features", control="shuffled_days"))
    assert find_run(workspace, run_id).trained_days == DAYS
    ingest(workspace, [write_trace(tmp_path / "more.csv", (5,))])
    with pytest.raises(RunError) as heard:
        resume_run(workspace, run_id)
    assert heard.value.code == "CANNOT-CONTINUE"
