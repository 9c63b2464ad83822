"""The authors' released files: found, bounded, aligned by address, written as snapshots."""

import json
from ipaddress import IPv4Address
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from darkgnn_core.config import SnapshotConfig
from darkgnn_core.durable import new_directory
from darkgnn_core.errors import DarkgnnError, LabelError, TraceError
from darkgnn_core.snapshots import released_lines
from darkgnn_core.snapshots.bins import Bin
from darkgnn_core.snapshots.building import build_snapshot
from darkgnn_core.snapshots.columns import (
    EDGES_SCHEMA,
    HOST_FEATURES,
    HOSTS_SCHEMA,
    PORT_FEATURES,
    PORTS_SCHEMA,
)
from darkgnn_core.snapshots.reading import read_snapshot
from darkgnn_core.snapshots.released import is_released_folder, read_released
from darkgnn_core.snapshots.released_aligning import read_released_day
from darkgnn_core.snapshots.released_writing import write_released_snapshot
from darkgnn_core.traces.packets import SCHEMA
from darkgnn_core.traces.parsing import parse_trace
from darkgnn_core.traces.reading import ReadOptions
from tests.released_files import DAY_0_S, planted, raw_features, write_lines, write_released

LABELS = {"192.0.2.1": "mirai", "192.0.2.2": "censys"}
DAY_1, DAY_2, DAY_3 = "2021-12-01", "2021-12-02", "2021-12-03"


def _ip(last: int) -> int:
    return int(IPv4Address(f"192.0.2.{last}"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a fresh data set in the released layout."""
    return write_released(tmp_path / "data", planted(), LABELS)


def _edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def _read_day(folder: Path, day: str = DAY_1):
    return read_released_day(read_released(folder), day)


def _features_file(folder: Path, day: int = 1) -> Path:
    return folder / f"features/features_2021120{day}.csv"


def _feature_rows(folder: Path) -> list[list[str]]:
    return [line.split(",") for line in _features_file(folder).read_text().splitlines()]


def _write_rows(folder: Path, rows: list[list[str]]) -> None:
    write_lines(_features_file(folder), [",".join(row) for row in rows])


def test_folder_is_recognised_by_its_files(folder, tmp_path):
    """The folder itself and the one above `data/` are recognised, others are not."""
    assert is_released_folder(folder)
    assert is_released_folder(tmp_path)
    assert not is_released_folder(folder / "features")
    assert not is_released_folder(tmp_path / "absent")
    with pytest.raises(TraceError, match="found neither") as caught:
        read_released(folder / "features")
    assert caught.value.code == "NOT-RELEASED"


def test_raw_files_alone_are_recognised(folder, tmp_path):
    """Filtered packets without graphs are a data set too, in `raw/` or beside each other."""
    flat = tmp_path / "flat"
    (folder / "raw").rename(flat)
    assert is_released_folder(flat)
    dataset = read_released(flat)
    assert list(dataset.raw) == [DAY_1, DAY_2, DAY_3]
    assert dataset.days == ()
    assert dataset.hosts == {}


def test_data_set_tells_what_is_there(folder):
    """Days, lookups and files come from the folder; a whole data set has nothing to note."""
    dataset = read_released(folder)
    assert dataset.days == (DAY_1, DAY_2, DAY_3)
    assert list(dataset.features) == [DAY_1, DAY_2, DAY_3]
    assert dataset.hosts == {0: _ip(1), 1: _ip(2), 2: _ip(3), 3: _ip(4)}
    assert sorted(dataset.ports.values()) == [-1, 22, 23, 443, 2323, 8080]
    assert dataset.notes == ()


def test_labels_are_read_by_address(folder):
    """The ground truth gives address and label."""
    assert read_released(folder).labels() == ((_ip(1), "mirai"), (_ip(2), "censys"))


def test_day_equals_the_planted_packets(folder):
    """Hosts, ports, edges and unscaled-by-maximum features are those of the planted packets."""
    day = _read_day(folder)
    assert day.hosts.tolist() == [_ip(1), _ip(2), _ip(4)]
    assert day.ports.tolist() == [-1, 22, 23, 443, 2323]
    assert _packets_of(day) == {
        (_ip(1), -1): 1,
        (_ip(1), 23): 11,  # 4 on day 1 and 7 on day 2: the pair's packets of the whole month
        (_ip(1), 2323): 1,
        (_ip(2), 22): 6,
        (_ip(4), 443): 14,
    }
    of_day = [packet for packet in planted() if packet.day == 0]
    names = ["192.0.2.1", "192.0.2.2", "192.0.2.4"]
    raw = np.array([raw_features(of_day, "src", name) for name in names])
    tops = raw.max(axis=0)
    np.testing.assert_allclose(day.host_features * tops, raw, rtol=1e-12)


def test_host_without_a_new_pair_is_active(folder):
    """A host whose pairs all stand in an earlier file is active by its features, without edges."""
    day = _read_day(folder, DAY_3)
    assert day.hosts.tolist() == [_ip(2), _ip(4)]
    assert day.edge_hosts.tolist() == [_ip(2)]
    assert day.ports.tolist() == [443, 8080]


def test_order_of_rows_does_not_matter(folder):
    """Features are aligned by node id: shuffled rows give the same day."""
    before = _read_day(folder)
    header, *rows = _feature_rows(folder)
    _write_rows(folder, [header, *reversed(rows)])
    after = _read_day(folder)
    assert after.hosts.tolist() == before.hosts.tolist()
    np.testing.assert_array_equal(after.host_features, before.host_features)
    np.testing.assert_array_equal(after.port_features, before.port_features)


def test_order_of_columns_does_not_matter_and_is_told(folder):
    """Columns are taken by their names, and a changed order is noted."""
    before = _read_day(folder)
    order = [0, *range(37, 0, -1)]
    _write_rows(folder, [[row[place] for place in order] for row in _feature_rows(folder)])
    after = _read_day(folder)
    np.testing.assert_array_equal(after.host_features, before.host_features)
    assert any("another order" in note for note in after.notes)


def test_order_of_lookup_does_not_matter(folder):
    """Ids name the nodes, not the place in the lookup."""
    before = _read_day(folder)
    path = folder / "graph/ip_lookup.json"
    path.write_text(json.dumps(dict(reversed(json.loads(path.read_text()).items()))))
    after = _read_day(folder)
    assert after.hosts.tolist() == before.hosts.tolist()
    np.testing.assert_array_equal(after.host_features, before.host_features)


def _drop_host_row(rows):
    return [row for row in rows if row[0] != "0"]


def _drop_port_row(rows):
    return [row for row in rows if row[0] != "9"]


def _extra_row(rows):
    return [*rows, ["77", *rows[1][1:]]]


def _double_row(rows):
    return [*rows, rows[1]]


def _empty_column(rows):
    return [rows[0], *([*row[:8], "", *row[9:]] for row in rows[1:])]


def _drop_column(rows):
    return [row[:-1] for row in rows]


def _rename_column(rows):
    return [[*rows[0][:-1], "ttl"], *rows[1:]]


def _short_row(rows):
    return [*rows[:-1], rows[-1][:-1]]


def _cell(value):
    def change(rows):
        return [rows[0], [*rows[1][:3], value, *rows[1][4:]], *rows[2:]]

    change.__name__ = f"cell_{value or 'empty'}"
    return change


def _address_as_id(rows):
    return [rows[0], ["192.0.2.1", *rows[1][1:]], *rows[2:]]


def _header_only(rows):
    return rows[:1]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (_drop_host_row, "FEATURES-HOST-MISSING"),
        (_drop_port_row, "FEATURES-PORT-MISSING"),
        (_extra_row, "FEATURES-EXTRA"),
        (_double_row, "FEATURES-TWICE"),
        (_empty_column, "FEATURES-NAN"),
        (_drop_column, "COLUMNS"),
        (_rename_column, "COLUMNS"),
        (_short_row, "ROW"),
        (_cell(""), "VALUE"),
        (_cell("inf"), "VALUE"),
        (_cell("-0.5"), "VALUE"),
        (_cell("abc"), "VALUE"),
        (_address_as_id, "VALUE"),
        (_header_only, "NO-ROWS"),
    ],
)
def test_bad_features_are_named(folder, change, code):
    """A wrong feature file is refused by a named error that names the file (T16)."""
    _write_rows(folder, change(_feature_rows(folder)))
    with pytest.raises(TraceError, match=r"features_20211201\.csv") as caught:
        _read_day(folder)
    assert caught.value.code == code


def test_constant_column_is_told(folder):
    """A column equal for all hosts of a day drops nothing and is named."""
    rows = _feature_rows(folder)
    _write_rows(folder, [rows[0], *([*row[:18], "0.5", *row[19:]] for row in rows[1:])])
    notes = _read_day(folder).notes
    assert any("FEATURES-CONSTANT" in note and "17" in note for note in notes)


def test_features_of_an_empty_file_are_refused(folder):
    """An empty feature file is named as such."""
    _features_file(folder).write_text("")
    with pytest.raises(TraceError) as caught:
        _read_day(folder)
    assert caught.value.code == "EMPTY"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("99,4,1,unknown", "RELEASED-NODE"),
        ("0,1,1,unknown", "RELEASED-NODE"),
        ("0,4,1", "ROW"),
        ("0;4;1;unknown", "ROW"),
        ("0,4,-1,unknown", "VALUE"),
        ("0,4,0,unknown", "VALUE"),
        ("0,4,1.5,unknown", "VALUE"),
        ("192.0.2.1,23,1,unknown", "VALUE"),
        (f"0,4,{10**40},unknown", "VALUE"),
    ],
)
def test_bad_edges_are_named_with_their_line(folder, line, code):
    """A wrong line of a graph file is refused with file and line."""
    path = folder / "graph/20211201.txt"
    path.write_text(path.read_text() + "\n" + line)
    with pytest.raises(TraceError, match=r"20211201\.txt, line 6") as caught:
        _read_day(folder)
    assert caught.value.code == code


def test_label_with_a_comma_is_no_further_field(folder):
    """Labels were written without quotes: a comma belongs to the label."""
    path = folder / "graph/20211201.txt"
    path.write_text(path.read_text().replace("mirai", "mirai, old"))
    assert len(_read_day(folder).edge_packets) == 5


def test_repeated_pairs_are_added_and_second_labels_are_not(folder):
    """A pair twice with one label is added up; twice with two labels it counts once."""
    path = folder / "graph/20211201.txt"
    first = path.read_text().splitlines()[0]
    host, port, packets, label = first.split(",")
    path.write_text(path.read_text() + f"\n{first}\n{host},{port},{2 * int(packets)},other")
    before = _packets_of(_read_day(write_released(folder.parent / "b", planted(), LABELS)))
    after = _read_day(folder)
    pair = (_ip(1), read_released(folder).ports[int(port)])
    assert _packets_of(after)[pair] == 2 * before[pair]
    assert any("2 lines repeat" in note for note in after.notes)
    assert label == "mirai"


def _packets_of(day) -> dict[tuple[int, int], int]:
    pairs = zip(day.edge_hosts.tolist(), day.edge_ports.tolist(), strict=True)
    return dict(zip(pairs, day.edge_packets.tolist(), strict=True))


def test_port_with_two_nodes_is_one_port(folder):
    """A port read as number and as text has two ids; it becomes one, and that is noted."""
    lookup = folder / "graph/port_lookup.json"
    _edit(lookup, "}", ', "22.0": 10}')
    rows = _feature_rows(folder)
    _write_rows(folder, [*rows, ["10", *["0.0"] * 37]])
    graph = folder / "graph/20211201.txt"
    graph.write_text(graph.read_text() + "\n1,10,5,censys")
    dataset = read_released(folder)
    assert any("1 ports have two nodes" in note for note in dataset.notes)
    day = read_released_day(dataset, DAY_1)
    assert day.ports.tolist() == [-1, 22, 23, 443, 2323]
    assert _packets_of(day)[_ip(2), 22] == 11
    assert day.port_features[1, 0] > 0


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("ip_lookup.json", "not json"),
        ("ip_lookup.json", "[]"),
        ("ip_lookup.json", "{}"),
        ("ip_lookup.json", "[" * 100_000),
        ("ip_lookup.json", '{"192.0.2.1": "0"}'),
        ("ip_lookup.json", '{"192.0.2.1": true}'),
        ("ip_lookup.json", '{"192.0.2.1": -1}'),
        ("ip_lookup.json", '{"192.0.2.1": 1e3}'),
        ("ip_lookup.json", '{"192.0.2.1": {"a": 1}}'),
        ("ip_lookup.json", '{"example.org": 0}'),
        ("ip_lookup.json", '{"192.0.2.1": 0, "192.0.2.2": 0}'),
        ("ip_lookup.json", '{"192.0.2.1": 0, "192.0.2.1": 1}'),
        ("port_lookup.json", '{"70000": 4}'),
        ("port_lookup.json", '{"-1": 4}'),
        ("port_lookup.json", '{"22": 0}'),
        ("port_lookup.json", '{"22": 4, "23": 4}'),
        ("port_lookup.json", '{"other": 4}'),
    ],
)
def test_bad_lookups_are_named(folder, name, content):
    """A lookup that contradicts itself or is none is refused by name."""
    (folder / "graph" / name).write_text(content)
    with pytest.raises(TraceError, match=name) as caught:
        read_released(folder)
    assert caught.value.code == "RELEASED-LOOKUP"


def test_missing_lookup_is_named(folder):
    """Graphs and features without a lookup cannot be aligned: told, not guessed."""
    (folder / "graph/port_lookup.json").unlink()
    with pytest.raises(TraceError, match=r"port_lookup\.json") as caught:
        read_released(folder)
    assert caught.value.code == "NO-SUCH-FILE"


def test_link_in_place_of_a_file_is_refused(folder, tmp_path):
    """Only regular files are opened."""
    lookup = folder / "graph/ip_lookup.json"
    lookup.rename(tmp_path / "elsewhere")
    lookup.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(TraceError) as caught:
        read_released(folder)
    assert caught.value.code == "NOT-A-REGULAR-FILE"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("src_ip;label\n192.0.2.1;a\n", "COLUMNS"),
        ("192.0.2.1,a\n", "COLUMNS"),
        ("src_ip,label,label\n", "COLUMNS"),
        ("", "COLUMNS"),
        ("src_ip,label\n192.0.2.1\n", "ROW"),
        ('src_ip,label\n192.0.2.1,"open\n', "ROW"),
        ("src_ip,label\n192.0.2,a\n", "IP"),
        ("src_ip,label\n192.0.02.1,a\n", "IP"),
        ("src_ip,label\n192.0.2.1,\n", "LABEL"),
        (f"src_ip,label\n192.0.2.1,{'a' * 65}\n", "LABEL"),
        ("src_ip,label\n192.0.2.1,a\x1b[2J\n", "LABEL"),
        ("src_ip,label\n192.0.2.1,a\0b\n", "ENCODING"),
    ],
)
def test_bad_ground_truth_is_named(folder, content, code):
    """A wrong label file is refused by a named error."""
    (folder / "ground_truth/ground_truth.csv").write_text(content)
    with pytest.raises(LabelError, match=r"ground_truth\.csv") as caught:
        read_released(folder).labels()
    assert caught.value.code == code


def test_ground_truth_keeps_text_as_it_is(folder):
    """`NA` and `null` are labels, marks and line ends do not matter, two labels both stay."""
    path = folder / "ground_truth/ground_truth.csv"
    content = "\ufeffsrc_ip,label\r\n192.0.2.1,NA\r\n192.0.2.2,null\r\n192.0.2.1,b\r\n"
    path.write_bytes((content + "192.0.2.1,b\r\n").encode())
    found = read_released(folder).labels()
    assert found == ((_ip(1), "NA"), (_ip(2), "null"), (_ip(1), "b"))
    path.write_bytes("src_ip,label\n192.0.2.1,caf\xe9\n".encode("latin-1"))
    with pytest.raises(LabelError) as caught:
        read_released(folder).labels()
    assert caught.value.code == "ENCODING"


def test_missing_parts_are_noted(folder):
    """What is absent is told per day; a day without features stays readable."""
    _features_file(folder, 2).unlink()
    (folder / "graph/20211203.txt").unlink()
    (folder / "ground_truth/ground_truth.csv").unlink()
    dataset = read_released(folder)
    assert dataset.days == (DAY_1, DAY_2)
    text = " ".join(dataset.notes)
    assert f"{DAY_2}: a graph without features" in text
    assert f"{DAY_3}: features without a graph" in text
    assert "no ground_truth.csv" in text
    assert dataset.labels() == ()
    day = read_released_day(dataset, DAY_2)
    assert not day.has_features
    assert np.isnan(day.host_features).all()
    assert day.hosts.tolist() == [_ip(3)]
    with pytest.raises(TraceError) as caught:
        read_released_day(dataset, DAY_3)
    assert caught.value.code == "NO-SUCH-DAY"


def test_raw_file_named_after_another_day_is_noted(folder):
    """A raw file whose rows lie on another day than its name says is told (T13)."""
    (folder / "raw/raw_20211202.csv").rename(folder / "raw/raw_20211205.csv")
    notes = read_released(folder).notes
    assert [note for note in notes if "raw_20211205.csv" in note and DAY_2 in note]
    (folder / "raw/raw_20211205.csv").write_text("nothing like it")
    assert read_released(folder).notes == ()


def test_other_names_are_left_alone(folder):
    """Pickles, results and names that are no day are not looked at."""
    for name in ("graph/20211301.txt", "graph/notes.txt", "raw/raw_1.csv", "graph/x.pkl"):
        (folder / name).write_bytes(b"\x80\x04.")
    assert read_released(folder).days == (DAY_1, DAY_2, DAY_3)


def test_sizes_are_bounded(folder, monkeypatch):
    """Too long a line, too many empty ones or too large a file end at once with LIMIT."""
    graph = folder / "graph/20211201.txt"
    graph.write_bytes(b"1" * (1 << 21))
    assert _code_of(folder) == "LIMIT"
    graph.write_bytes(b"\n" * 20_000)
    assert _code_of(folder) == "LIMIT"
    monkeypatch.setattr(released_lines, "MAX_FILE_BYTES", 10)
    assert _code_of(folder) == "LIMIT"


def _code_of(folder: Path) -> str:
    with pytest.raises(DarkgnnError) as caught:
        _read_day(folder)
    return caught.value.code


def test_snapshot_has_the_columns_of_a_built_one(folder, tmp_path):
    """Names and types are those of a built snapshot; what cannot be known is null and named."""
    summary = write_released_snapshot(read_released(folder), DAY_1, tmp_path)
    for name, schema in (
        ("hosts", HOSTS_SCHEMA),
        ("ports", PORTS_SCHEMA),
        ("edges", EDGES_SCHEMA),
    ):
        table = pq.read_table(tmp_path / f"{name}.parquet", page_checksum_verification=True)
        assert [(f.name, f.type) for f in table.schema] == [(f.name, f.type) for f in schema]
        null = [field for field in table.column_names if table[field].null_count == len(table)]
        assert sorted(null) == sorted(summary["missing"][name])
        assert summary[name] == len(table)
        full = set(table.column_names) - set(null)
        assert sum(table[field].null_count for field in full) == 0
    assert json.loads((tmp_path / "summary.json").read_text()) == summary
    assert summary["origin"] == "released"
    assert summary["bin"] == {"key": DAY_1, "start_ns": DAY_0_S * 10**9, "hours": 24}
    assert [entry["file"] for entry in summary["inputs"]] == [
        "graph/20211201.txt",
        "graph/ip_lookup.json",
        "graph/port_lookup.json",
        "features/features_20211201.csv",
    ]


def test_snapshot_rows_are_the_released_ones(folder, tmp_path):
    """Each host's row holds its own features under the paper's names."""
    write_released_snapshot(read_released(folder), DAY_1, tmp_path)
    hosts = pq.read_table(tmp_path / "hosts.parquet").to_pydict()
    assert hosts["host"] == [_ip(1), _ip(2), _ip(4)]
    assert hosts["ports"] == [1.0, 1 / 3, 1 / 3]
    assert hosts["packets_per_port_sum"] == [6 / 8, 6 / 8, 1.0]
    assert hosts["length_max"] == [44 / 60, 1.0, 44 / 60]
    assert hosts["window_max"] == [1_024 / 65_535, 1_024 / 65_535, 1.0]
    ports = pq.read_table(tmp_path / "ports.parquet").to_pydict()
    assert ports["port"] == [-1, 22, 23, 443, 2323]
    assert ports["ts_option_max"] == [0, 1, 0, 0, 0]


def test_snapshot_without_features_says_so(folder, tmp_path):
    """A day without a feature file becomes a snapshot with empty columns, named as missing."""
    _features_file(folder).unlink()
    summary = write_released_snapshot(read_released(folder), DAY_1, tmp_path)
    assert {"ports", "ts_option_std"} <= set(summary["missing"]["hosts"])
    assert summary["features_scaled"] is None
    hosts = pq.read_table(tmp_path / "hosts.parquet")
    assert hosts["ports"].null_count == len(hosts) == 3


def test_refused_day_leaves_nothing_behind(folder, tmp_path):
    """A day that cannot be read writes no file."""
    _write_rows(folder, _drop_host_row(_feature_rows(folder)))
    with pytest.raises(TraceError), new_directory(tmp_path / "snapshot") as partial:
        write_released_snapshot(read_released(folder), DAY_1, partial)
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_released_features_are_the_built_ones_divided_by_their_maximum(tmp_path):
    """The same packets, released and built here, give the same nodes, columns and order."""
    packets = [packet for packet in planted() if packet.port != "oth"]
    folder = write_released(tmp_path / "data", packets, LABELS)
    source = tmp_path / "packets" / f"{DAY_1}.parquet"
    source.parent.mkdir()
    pq.write_table(_as_packets([packet for packet in packets if packet.day == 0]), source)
    built = tmp_path / "built"
    built.mkdir()
    build_snapshot([source], Bin(DAY_0_S * 10**9), SnapshotConfig(min_packets=1), built)
    day = _read_day(folder)
    for name, features, released in (
        ("hosts", HOST_FEATURES, day.host_features),
        ("ports", PORT_FEATURES, day.port_features),
    ):
        table = pq.read_table(built / f"{name}.parquet")
        values = np.stack([table[column].to_numpy() for column in features], axis=1)
        tops = np.where(values.max(axis=0) == 0, 1, values.max(axis=0))
        np.testing.assert_allclose(released, values / tops, rtol=1e-9)


def _as_packets(packets) -> pa.Table:
    rows = [
        {
            "ts_ns": DAY_0_S * 10**9 + number,
            "src_ip": int(IPv4Address(packet.src)),
            "dst_ip": int(IPv4Address(packet.dst)),
            "dst_port": int(packet.port),
            "proto": 6,
            "length": packet.length,
            "ttl": packet.ttl,
            "mss": packet.mss,
            "window": packet.window,
            "ts_option": packet.ts_option,
        }
        for number, packet in enumerate(packets)
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


@pytest.fixture(scope="module")
def sound(tmp_path_factory) -> Path:
    """Give a data set that tests change and restore, written once."""
    return write_released(tmp_path_factory.mktemp("sound") / "data", planted(), LABELS)


NAMES = (
    "graph/20211201.txt",
    "graph/ip_lookup.json",
    "graph/port_lookup.json",
    "features/features_20211201.csv",
    "ground_truth/ground_truth.csv",
    "raw/raw_20211201.csv",
)


@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_damaged_files_give_named_errors_only(sound, data):
    """Whatever bytes change, a file is read or refused by a named error, never by another."""
    path = sound / data.draw(st.sampled_from(NAMES))
    before = path.read_bytes()
    start = data.draw(st.integers(0, len(before)))
    end = data.draw(st.integers(start, min(len(before), start + 8)))
    path.write_bytes(before[:start] + data.draw(st.binary(max_size=8)) + before[end:])
    error = _error_of(sound)
    path.write_bytes(before)
    assert error is None or (error.code != "ERROR" and str(error).isprintable())


def _error_of(folder: Path) -> DarkgnnError | None:
    try:
        dataset = read_released(folder)
        dataset.labels()
        for day in dataset.days:
            read_released_day(dataset, day)
    except DarkgnnError as error:
        return error
    return None


def test_released_snapshot_opens_like_a_built_one(folder, tmp_path):
    """The reader of snapshots gives its graph and features; scaling by the maximum is idle."""
    write_released_snapshot(read_released(folder), DAY_1, tmp_path)
    snapshot = read_snapshot(tmp_path)
    day = _read_day(folder)
    assert snapshot.key == DAY_1
    assert snapshot.hosts[snapshot.edge_index[0]].tolist() == day.edge_hosts.tolist()
    assert snapshot.ports[snapshot.edge_index[1]].tolist() == day.edge_ports.tolist()
    np.testing.assert_array_equal(snapshot.host_features, day.host_features.astype(np.float32))
    tops = snapshot.host_features.max(axis=0)
    assert set(tops.tolist()) <= {0.0, 1.0}


def test_raw_files_are_read_as_packets(folder, tmp_path):
    """The filtered packets go through the trace readers with a guessed mapping, `oth` included."""
    report = parse_trace(folder / "raw/raw_20211201.csv", tmp_path, ReadOptions())
    assert report.read == report.kept == 20
    assert report.days == {DAY_1: 20}
    packets = pq.read_table(tmp_path / f"{DAY_1}.parquet").to_pydict()
    planted_ports = [packet.port for packet in planted() if packet.day == 0]
    assert packets["dst_port"] == [None if p == "oth" else int(p) for p in planted_ports]
    assert set(packets["proto"]) == {6}
    assert packets["ttl"] == [packet.ttl for packet in planted() if packet.day == 0]
