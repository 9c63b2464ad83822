"""The embedding of one time bin: a row of numbers for each host, and its file."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from darkgnn_core.durable import write_file
from darkgnn_core.errors import WorkspaceError

KEY, CONFIG_HASH = b"darkgnn.bin", b"darkgnn.config_hash"


@dataclass(frozen=True, eq=False)
class Embedding:
    """Where the hosts of one time bin lie, n hosts, E dimensions.

    Attributes:
        key: Name of the bin, such as `2021-12-01`.
        hosts: uint32 (n,), addresses, ascending.
        vectors: float32 (n, E), C-contiguous, finite.
        config_hash: Hash of the settings that made it.
    """

    key: str
    hosts: npt.NDArray[np.uint32]
    vectors: npt.NDArray[np.float32]
    config_hash: str


def write_embedding(path: Path, embedding: Embedding) -> None:
    """Write an embedding as Parquet with page checksums, durably; an older file is replaced.

    Raises:
        WorkspaceError: `DISK-FULL`; the old file stays as it was.
    """
    size = embedding.vectors.shape[1]
    vectors = pa.FixedSizeListArray.from_arrays(
        pa.array(np.ascontiguousarray(embedding.vectors, np.float32).reshape(-1)), size
    )
    table = pa.table({"host": pa.array(embedding.hosts, pa.uint32()), "vector": vectors})
    metadata = {KEY: embedding.key.encode(), CONFIG_HASH: embedding.config_hash.encode()}
    labelled = table.replace_schema_metadata(metadata)
    write_file(
        path,
        lambda temporary: pq.write_table(
            labelled,
            temporary,
            compression="none",  # the last bits of a float are noise
            use_dictionary=False,
            write_page_checksum=True,
        ),
    )


def read_embedding(path: Path) -> Embedding:
    """Read an embedding.

    Raises:
        WorkspaceError: `DAMAGED` where the file is missing, cut, changed by a bit, or another's.
    """
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            table = file.read()
        metadata = table.schema.metadata
        vectors = table.column("vector").combine_chunks()
        size = vectors.type.list_size
        return Embedding(
            key=metadata[KEY].decode(),
            hosts=table.column("host").to_numpy().astype(np.uint32, copy=False),
            vectors=vectors.flatten().to_numpy(zero_copy_only=False).reshape(-1, size),
            config_hash=metadata[CONFIG_HASH].decode(),
        )
    except (OSError, pa.ArrowException, KeyError, TypeError, AttributeError) as error:
        raise WorkspaceError(
            f"{path.name} cannot be read: {error}. Train the day again, or restore the file from a "
            "backup.",
            code="DAMAGED",
        ) from error
