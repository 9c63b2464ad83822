"""The demo darknet on disk: log lines, Parquet, truths, the same bytes every time."""

import gzip
import ipaddress
import itertools

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from darkgnn_core import demo
from darkgnn_core.demo.formatting import COLUMNS, HEADER, log_lines
from darkgnn_core.demo.tables import table2
from darkgnn_core.demo.truth import UNKNOWN
from darkgnn_core.traces.opening import ByteSource
from darkgnn_core.traces.packet_log import read
from darkgnn_core.traces.packets import SCHEMA
from darkgnn_core.traces.reading import ReadOptions, Tally

CONFIG = demo.DemoConfig(days=2, hosts_scale=0.02, packets_scale=0.1)


@pytest.fixture(scope="module")
def plan() -> demo.Plan:
    """Plan a tiny demo of two days."""
    return demo.plan(CONFIG)


@pytest.fixture(scope="module")
def folder(plan, tmp_path_factory):
    """Write its logs and Parquet files."""
    directory = tmp_path_factory.mktemp("demo")
    demo.write_logs(plan, directory)
    demo.write_parquet(plan, directory)
    return directory


def _packet(**changes: object) -> pa.RecordBatch:
    row = {
        "ts_ns": 1_638_316_800_000_001_000, "src_ip": 0xC0000201, "dst_ip": 0xC6120005,
        "src_port": 1_234, "dst_port": 23, "proto": 6, "length": 40, "tcp_flags": 2, "ttl": 50,
        "ip_id": 7, "seq": 0, "window": 0, "mss": 0, "ts_option": 0, "mirai": False,
    }  # fmt: skip
    return pa.RecordBatch.from_pylist([row | changes], schema=SCHEMA)


def test_header_has_the_papers_columns():
    """One header line, one space between."""
    assert HEADER == (
        b"ts ethtype src_ip src_port dst_ip dst_port pck_len tcp_flags mirai tcp_seq ttl t_mss "
        b"t_win t_ts t_sack t_sackp proto\n"
    )


def test_line_of_a_plain_syn():
    """Zeros are written, absent options are a dash."""
    assert log_lines(_packet()) == (
        b"1638316800.000001 2048 192.0.2.1 1234 198.18.0.5 23 40 2 0 0 50 - 0 - - - 6\n"
    )


def test_line_of_a_syn_with_all_options():
    """Large numbers keep every digit and inner zeros."""
    batch = _packet(
        ts_ns=1_638_403_199_999_999_000, seq=4_294_967_295, mss=1_460, ts_option=1_000_001,
        length=60, window=64_240, mirai=True,
    )  # fmt: skip
    assert log_lines(batch) == (
        b"1638403199.999999 2048 192.0.2.1 1234 198.18.0.5 23 60 2 1 4294967295 50 1460 64240 "
        b"1000001 - 1 6\n"
    )


def test_line_of_icmp_has_dashes_for_what_it_lacks():
    """Ports and TCP fields are absent, not zero."""
    missing = ("src_port", "dst_port", "tcp_flags", "seq", "window", "mss", "ts_option", "mirai")
    batch = _packet(proto=1, length=84, **dict.fromkeys(missing))
    assert log_lines(batch) == (
        b"1638316800.000001 2048 192.0.2.1 - 198.18.0.5 - 84 - - - 50 - - - - - 1\n"
    )


@pytest.mark.parametrize("value", [1, 99_999, 100_000, 100_001, 1_234_567_890, 4_294_967_295])
def test_32_bit_numbers_are_written_as_python_writes_them(value):
    """The two halves of a number join without a lost or added zero."""
    fields = log_lines(_packet(seq=value, ts_option=value)).split()
    assert fields[COLUMNS.index("tcp_seq")] == fields[COLUMNS.index("t_ts")] == str(value).encode()


def test_log_files_hold_every_packet_and_every_field(plan, folder):
    """Reading the log back with pandas gives the packets, but for ip_id."""
    day = plan.days[1]
    path = folder / f"darknet_{day:%Y%m%d}.log.gz"
    log = pd.read_csv(path, sep=" ", na_values="-", dtype={"ts": str})
    table = pa.Table.from_batches(demo.generate_day(plan, day)).to_pandas()
    whole, part = log.ts.str.split(".", expand=True).astype(np.int64).to_numpy().T
    assert (whole * 10**9 + part * 1_000 == table.ts_ns).all()
    assert log.src_ip.tolist() == [str(ipaddress.ip_address(a)) for a in table.src_ip]
    assert log.dst_ip.tolist() == [str(ipaddress.ip_address(a)) for a in table.dst_ip]
    pairs = {
        "src_port": "src_port", "dst_port": "dst_port", "pck_len": "length", "ttl": "ttl",
        "tcp_flags": "tcp_flags", "tcp_seq": "seq", "t_win": "window", "proto": "proto",
    }  # fmt: skip
    for theirs, ours in pairs.items():
        assert log[theirs].fillna(-1).tolist() == table[ours].fillna(-1).tolist()
    for theirs, ours in {"t_mss": "mss", "t_ts": "ts_option"}.items():
        assert log[theirs].fillna(0).tolist() == table[ours].fillna(0).tolist()
    assert (log.mirai == 1).tolist() == table.mirai.eq(True).tolist()
    assert (log.ethtype == 2_048).all()


def test_the_log_reader_reads_the_logs_back(plan, folder):
    """What is written is what the packet log reader gives, all columns but ip_id."""
    day = plan.days[0]
    made = pa.Table.from_batches(demo.generate_day(plan, day)).drop_columns("ip_id")
    tally = Tally()
    with (folder / f"darknet_{day:%Y%m%d}.log.gz").open("rb") as raw:
        batches = list(read(ByteSource(raw, "log"), ReadOptions(), tally))
    found = pa.Table.from_batches(batches).drop_columns("ip_id")
    assert found.combine_chunks() == made.combine_chunks()
    assert tally.read == tally.kept == made.num_rows


def test_parquet_files_hold_the_generated_packets(plan, folder):
    """One file a day, of the packet schema, nothing lost."""
    for day in plan.days:
        found = pq.read_table(folder / f"{day.isoformat()}.parquet")
        assert found.schema.equals(SCHEMA)
        made = pa.Table.from_batches(demo.generate_day(plan, day))
        assert found.combine_chunks() == made.combine_chunks()


def test_table_2_from_parquet_equals_table_2_from_the_generator(plan, folder):
    """It does not matter where the packets come from."""
    assert table2(plan, directory=folder) == table2(plan)


def test_ground_truth_lists_the_labelled_hosts_only(plan, folder):
    """Labels are the 14 classes; the planted truth has every host."""
    ground = pd.read_csv(folder / "ground_truth.csv")
    truth = pd.read_csv(folder / "truth.csv", keep_default_na=False)
    assert list(ground.columns) == ["src_ip", "label"]
    assert set(ground.label) == {cls.label for cls in demo.CLASSES}
    assert len(truth) == len(plan.hosts.address)
    known = truth[truth["class"] != UNKNOWN]
    assert dict(zip(ground.src_ip, ground.label, strict=True)) == dict(
        zip(known.src_ip, known["class"], strict=True)
    )
    assert set(truth.lookalike_of) == {"", *ground.label}


def test_nothing_temporary_is_left(folder):
    """Two logs, two Parquet files and two truths, no partial file."""
    assert len(list(folder.iterdir())) == 6


def test_two_processes_write_the_same_bytes(plan, folder, tmp_path):
    """The number of processes changes nothing."""
    written = demo.write_logs(plan, tmp_path, processes=2)
    for path in folder.glob("*.[lc]*"):
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()
    assert [path.name for path in written.files] == [
        f"darknet_{d:%Y%m%d}.log.gz" for d in plan.days
    ]
    lines = [gzip.decompress(path.read_bytes()).count(b"\n") - 1 for path in written.files]
    assert tuple(lines) == written.packets


def test_progress_rises_to_the_total(plan, tmp_path):
    """Progress is told after each hour and ends at all packets."""
    told: list[tuple[int, int]] = []
    written = demo.write_parquet(plan, tmp_path, progress=lambda *pair: told.append(pair))
    done = [pair[0] for pair in told]
    assert done == sorted(done)
    assert len(done) == 24 * len(plan.days)
    assert told[-1] == (plan.packets, plan.packets)
    assert sum(written.packets) == plan.packets


@pytest.mark.parametrize("processes", [1, 2])
def test_what_progress_raises_ends_the_writing(plan, tmp_path, processes):
    """A cancelled writing leaves no half file."""

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        demo.write_logs(plan, tmp_path, progress=stop, processes=processes)
    names = itertools.chain(tmp_path.glob(".partial-*"))
    assert not list(names)
