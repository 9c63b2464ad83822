"""Columns of packets as numpy arrays and back, without pandas, which Arrow would import."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from darkgnn_core.snapshots.bins import HOUR_NS, Bin

POOL = pa.system_memory_pool()
"""The default pool keeps what was freed: about 50 MB more at the peak of a day (measured)."""

Bools = npt.NDArray[np.bool_]


def arrow_array(values: npt.NDArray[Any]) -> pa.Array:
    """Return a numpy array as an Arrow array; `pa.array` would import pandas for it."""
    rows = len(values)
    if values.dtype == np.bool_:
        bits = np.packbits(values, bitorder="little")
        return pa.Array.from_buffers(pa.bool_(), rows, [None, pa.py_buffer(bits)])
    kind = pa.from_numpy_dtype(values.dtype)
    return pa.Array.from_buffers(kind, rows, [None, pa.py_buffer(np.ascontiguousarray(values))])


def numpy_array(values: pa.Array) -> npt.NDArray[Any]:
    """Return an Arrow array as a numpy array, anything in place of null.

    `to_numpy` would import pandas, which takes half a second and 45 MB.
    """
    data, part = values.buffers()[1], slice(values.offset, values.offset + len(values))
    if data is None:
        return np.zeros(0, values.type.to_pandas_dtype())
    if pa.types.is_boolean(values.type):
        bits = np.frombuffer(data, np.uint8)
        return np.unpackbits(bits, count=part.stop, bitorder="little").view(np.bool_)[part]
    return np.frombuffer(data, values.type.to_pandas_dtype())[part]


def arrow_table(columns: Mapping[str, npt.NDArray[Any]]) -> pa.Table:
    """Return arrays of one length as a table."""
    arrays = [arrow_array(values) for values in columns.values()]
    return pa.Table.from_arrays(arrays, names=list(columns))


def whole(table: pa.Table | pa.RecordBatch, name: str) -> pa.Array:
    """Return a column in one piece."""
    column = table.column(name)
    if isinstance(column, pa.ChunkedArray):
        return column.combine_chunks(memory_pool=POOL)
    return column


def values_of(table: pa.Table | pa.RecordBatch, name: str) -> npt.NDArray[Any]:
    """Return a column as an array of its own type, 0 in place of null."""
    return _filled(whole(table, name))


def _filled(column: pa.Array) -> npt.NDArray[Any]:
    values = numpy_array(column)
    if not column.null_count:
        return values
    return np.where(numpy_array(column.is_valid()), values, values.dtype.type(0))


def hours_of(table: pa.Table | pa.RecordBatch, time_bin: Bin) -> npt.NDArray[np.uint32]:
    """Return in which hour of the bin each packet came, uint32 (rows,)."""
    hours = values_of(table, "ts_ns") - time_bin.start_ns
    hours //= HOUR_NS
    return hours.astype(np.uint32)


def encoded(table: pa.Table, name: str) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int32]]:
    """Return the different values of a column of addresses, and of each row which it has.

    Returns:
        Values uint32 in any order, and int32 (rows,) places among them, 0 in place of null.
    """
    column = pc.dictionary_encode(whole(table, name), memory_pool=POOL)
    return numpy_array(column.dictionary), _filled(column.indices)


def present(table: pa.Table | pa.RecordBatch, *names: str) -> Bools | None:
    """Return where none of these columns is null; None where all rows have them."""
    answer = None
    for name in names:
        column = table.column(name)
        if column.null_count:
            here = numpy_array(whole(table, name).is_valid())
            answer = here if answer is None else answer & here
    return answer
