"""The embeddings that a run has made: `<bin>.parquet` each, and the manifest that lists them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from darkgnn_core.durable import MANIFEST, sha256_of, write_json
from darkgnn_core.embeddings import Embedding, write_embedding

SUFFIX = ".parquet"


class EmbeddingFiles:
    """The folder of a run's embeddings, brought to what its checkpoint says.

    A file that a kill left beyond the checkpoint is no part of the run: it is made again.

    Args:
        folder: Where they are; made where it is not there.
        entries: Size and sha256 of each file, by its name, as the checkpoint has them.
    """

    def __init__(self, folder: Path, entries: Mapping[str, dict[str, Any]]) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        self._folder = folder
        self._entries = dict(entries)
        self._list()
        for path in folder.glob(f"*{SUFFIX}"):
            if path.name not in self._entries:
                path.unlink()

    @property
    def entries(self) -> dict[str, dict[str, Any]]:
        """Size and sha256 of each file, by its name."""
        return dict(self._entries)

    def add(self, embedding: Embedding) -> None:
        """Write an embedding, then list it; both durably.

        Raises:
            WorkspaceError: `DISK-FULL`; what was there before is unchanged.
        """
        path = self._folder / f"{embedding.key}{SUFFIX}"
        write_embedding(path, embedding)
        self._entries[path.name] = {"bytes": path.stat().st_size, "sha256": sha256_of(path)}
        self._list()

    def _list(self) -> None:
        write_json(self._folder / MANIFEST, {"files": self._entries})
