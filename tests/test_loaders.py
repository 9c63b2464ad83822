"""The caches of the pages: kept while a job tells how far it is, renewed when data change."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from app_workspaces import filled_workspace, write_trace

from darkgnn_core.catalogue import utc_now
from darkgnn_core.ingest import ingest, remove
from darkgnn_core.labels.store import add_list
from darkgnn_core.sources import list_sources
from darkgnn_core.workspace import Workspace
from pages.shared import loaders


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """A workspace of three days, with a job under way; caches empty before and after."""
    st.cache_data.clear()
    st.cache_resource.clear()
    made = filled_workspace(tmp_path)
    with made.catalogue() as connection:
        connection.execute(
            "INSERT INTO job (id, kind, device, config, state, created_at) "
            "VALUES ('j', 'load', 'workspace', '{}', 'running', ?)",
            (utc_now(),),
        )
    yield made
    st.cache_data.clear()
    st.cache_resource.clear()


def beat(workspace: Workspace, packets: int) -> None:
    """Tell progress as a worker does."""
    with workspace.catalogue() as connection:
        connection.execute(
            "UPDATE job SET progress = ?, heartbeat_at = ? WHERE id = 'j'",
            (json.dumps({"packets": packets}), utc_now()),
        )


def test_a_heartbeat_makes_no_page_compute_again(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Health and Table 2 are computed once, however often a job writes to the catalogue."""
    calls: list[str] = []
    measure, table2 = loaders.measure_health, loaders.table2
    monkeypatch.setattr(
        loaders, "measure_health", lambda *given: calls.append("health") or measure(*given)
    )
    monkeypatch.setattr(loaders, "table2", lambda *given: calls.append("table2") or table2(*given))
    for packets in range(5):
        beat(workspace, packets)
        loaders.health(workspace)
        loaders.classes(workspace)
    assert calls == ["health", "table2"]


def test_what_changes_an_answer_changes_the_key(workspace: Workspace, tmp_path: Path) -> None:
    """A label, a trace, its removal, other settings: each is seen at once."""
    seen = [loaders.fingerprint(workspace)]
    with workspace.catalogue() as connection:
        add_list(connection, b"src_ip,label\n198.51.100.5,Censys\n", name="list.csv")
    seen.append(loaders.fingerprint(workspace))
    assert loaders.health(workspace).days["labelled_hosts"].max() == 1
    ingest(workspace, [write_trace(tmp_path / "more.csv", days=(2,))])
    seen.append(loaders.fingerprint(workspace))
    assert len(loaders.health(workspace).days) == 4
    with workspace.catalogue() as connection:
        (more,) = [each for each in list_sources(connection) if each.name == "more.csv"]
    remove(workspace, more.id)
    assert len(loaders.health(workspace).days) == 3
    seen.append(loaders.fingerprint(workspace))
    assert len(set(seen[:3])) == 3
    assert seen[3] == seen[1]


def test_a_file_that_goes_while_it_is_looked_at_counts_as_none(tmp_path: Path) -> None:
    """SQLite takes its log away whenever the last writer ends: no page may stumble over that."""

    class Going(type(tmp_path)):  # type: ignore[misc]
        """There when asked, gone when looked at."""

        def exists(self, **_: bool) -> bool:
            return True

    there = tmp_path / "there"
    there.write_text("12345", encoding="utf-8")
    [(_, size)] = loaders.times_of(Going(tmp_path / "gone"), there)
    assert size == 5
