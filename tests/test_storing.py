"""Packets to disk: each in its own UTC day, none lost, whatever the order."""

from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from darkgnn_core.errors import TraceError
from darkgnn_core.traces import storing
from darkgnn_core.traces.packets import DAY_NS, SCHEMA, packet_batch
from darkgnn_core.traces.storing import DayWriter, day_name

DAY = 18_962


def packets_at(times: list[int]) -> pa.RecordBatch:
    """Return TCP packets at these times, numbered by `seq`."""
    rows = len(times)
    return packet_batch(
        {
            "ts_ns": pa.array(times, pa.int64()),
            "src_ip": pa.array([7] * rows, pa.uint32()),
            "proto": pa.array([6] * rows, pa.uint8()),
            "seq": pa.array(range(rows), pa.uint32()),
        },
        rows=rows,
    )


def test_the_last_nanosecond_and_the_first_lie_on_two_days(tmp_path: Path) -> None:
    """Midnight parts 23:59:59.999999999 from 00:00:00."""
    midnight = (DAY + 1) * DAY_NS
    with DayWriter(tmp_path, max_days=5) as writer:
        writer.write(packets_at([midnight - 1, midnight]))
    assert writer.packets == {"2021-12-01": 1, "2021-12-02": 1}
    assert pq.read_table(tmp_path / "2021-12-01.parquet")["ts_ns"].to_pylist() == [midnight - 1]
    assert (writer.first_ns, writer.last_ns) == (midnight - 1, midnight)


def test_shuffled_days_come_out_complete_and_in_order_of_arrival(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With tiny buffers and forty shuffled days every packet is in its day's file, in order."""
    monkeypatch.setattr(storing, "ROW_GROUP", 50)
    monkeypatch.setattr(storing, "BUFFERED_ROWS", 120)
    rng = np.random.default_rng(1)
    times = (DAY * DAY_NS + rng.integers(0, 40 * DAY_NS, 5_000)).tolist()
    with DayWriter(tmp_path, max_days=40) as writer:
        for start in range(0, 5_000, 333):
            writer.write(packets_at(times[start : start + 333]))
    expected = Counter(day_name(each // DAY_NS) for each in times)
    assert writer.packets == expected
    for day in expected:
        stored = pq.read_table(tmp_path / f"{day}.parquet")
        assert stored.schema.equals(SCHEMA)
        assert stored["ts_ns"].to_pylist() == [e for e in times if day_name(e // DAY_NS) == day]


def test_too_many_days_are_refused(tmp_path: Path) -> None:
    """One day more than allowed gives LONG-SPAN."""
    with (
        pytest.raises(TraceError, match="more than 2 different days") as caught,
        DayWriter(tmp_path, max_days=2) as writer,
    ):
        writer.write(packets_at([(DAY + day) * DAY_NS for day in range(3)]))
    assert caught.value.code == "LONG-SPAN"
