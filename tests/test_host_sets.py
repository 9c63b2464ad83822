"""Sets of hosts: kept, combined, named, deleted and brought back, over kills and old catalogues."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkgnn_core.catalogue import MIGRATIONS, open_catalogue
from darkgnn_core.errors import ConfigError, WorkspaceError
from darkgnn_core.host_sets import (
    OPERATIONS,
    combine,
    combined_hosts,
    delete_set,
    find_same,
    find_set,
    list_deleted,
    list_sets,
    read_trail,
    rename_set,
    restore_set,
    save_set,
    sets_there,
    write_trail,
)
from darkgnn_core.labels.analyst import SOURCE_ID
from darkgnn_core.labels.store import history
from darkgnn_core.notes import list_notes
from darkgnn_core.set_recipes import KINDS, words_of
from darkgnn_core.workspace import Workspace, open_workspace

ROOT = Path(__file__).resolve().parents[1]
PASTED = {"kind": "pasted", "entries": 3, "not_understood": 1}
ADDRESSES = st.integers(0, 2**32 - 1)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """An empty workspace."""
    return open_workspace(tmp_path / "w")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace that many drawn examples write to."""
    return open_workspace(tmp_path_factory.mktemp("shared") / "w")


@given(st.lists(ADDRESSES, max_size=40))
def test_a_set_is_read_as_it_was_kept(shared: Workspace, hosts: list[int]) -> None:
    """Its hosts ascend, each once, whatever the order and repeats they came in."""
    made = save_set(shared, np.array(hosts, np.uint64), recipe=PASTED, day="2021-12-01")
    found = find_set(shared, made.id)
    assert found.hosts.tolist() == sorted(set(hosts))
    assert found.hosts.dtype == np.uint32
    assert (found.recipe, found.day, found.run_id) == (PASTED, "2021-12-01", None)


def test_the_same_hosts_by_the_same_recipe_are_found(workspace: Workspace) -> None:
    """The newest of them, in any order of hosts; other hosts, recipes and deleted sets are not."""
    save_set(workspace, [1, 2], recipe=PASTED, name="older")
    made = save_set(workspace, [1, 2], recipe=PASTED, name="newer")
    found = find_same(workspace, [2, 1, 2], dict(reversed(PASTED.items())))
    assert found is not None
    assert found.id == made.id
    assert find_same(workspace, [1], PASTED) is None
    assert find_same(workspace, [1, 2], PASTED | {"entries": 4}) is None
    delete_set(workspace, made.id)
    again = find_same(workspace, [1, 2], PASTED)
    assert again is not None
    assert again.name == "older"


@given(st.lists(st.sets(st.integers(0, 9)), min_size=2, max_size=4))
def test_combining_is_that_of_plain_sets(parts: list[set[int]]) -> None:
    """Union, intersection and difference agree with Python's own; the first is taken from."""
    arrays = [np.array(sorted(part), np.uint32) for part in parts]
    expected = {
        "union": set().union(*parts),
        "intersection": set(parts[0]).intersection(*parts[1:]),
        "difference": parts[0].difference(*parts[1:]),
    }
    for operation in OPERATIONS:
        found = combined_hosts(operation, arrays)
        assert found.dtype == np.uint32
        assert found.tolist() == sorted(expected[operation])


def test_a_combined_set_tells_of_what(workspace: Workspace) -> None:
    """It is kept with a recipe that names its parts, which outlives them."""
    one = save_set(workspace, [1, 2], recipe=PASTED, name="one", day="2021-12-01", run_id="r")
    two = save_set(workspace, [2, 3], recipe=PASTED, name="two")
    made = combine(workspace, "difference", [one.id, two.id])
    delete_set(workspace, two.id)
    found = find_set(workspace, made.id)
    assert found.hosts.tolist() == [1]
    assert found.words == "one without two"
    assert (found.day, found.run_id) == ("2021-12-01", "r")
    with pytest.raises(ConfigError, match="two sets or more"):
        combine(workspace, "union", [one.id])


def test_sets_are_renamed_deleted_and_brought_back(workspace: Workspace) -> None:
    """A deleted set is in no list and not found; brought back it is as before."""
    made = save_set(workspace, [7], recipe=PASTED)
    assert made.name == "pasted list of 3 addresses and prefixes, not understood: 1"
    rename_set(workspace, made.id, "  botnet\ton port 23 ")
    assert find_set(workspace, made.id).name == "botnet on port 23"
    delete_set(workspace, made.id)
    assert (list_sets(workspace), sets_there(workspace, [made.id, "x"])) == ([], frozenset())
    assert [each.id for each in list_deleted(workspace)] == [made.id]
    for use in (find_set, delete_set):
        with pytest.raises(WorkspaceError) as caught:
            use(workspace, made.id)
        assert caught.value.code == "NO-SET"
    restore_set(workspace, made.id)
    assert [each.name for each in list_sets(workspace)] == ["botnet on port 23"]
    with pytest.raises(WorkspaceError, match="no set 'x'"):
        restore_set(workspace, "x")


@pytest.mark.parametrize(
    ("hosts", "recipe", "name", "code"),
    [
        ([-1], PASTED, "", "SET-HOSTS"),
        ([2**32], PASTED, "", "SET-HOSTS"),
        (["192.0.2.1"], PASTED, "", "SET-HOSTS"),
        ([1], {"kind": "magic"}, "", "RECIPE"),
        ([1], {"kind": "query", "of": {1}}, "", "RECIPE"),
        ([1], {"kind": "lasso", "polygon": "x" * 2_000_000}, "", "RECIPE"),
        ([1], PASTED, "x" * 81, "SET-NAME"),
        ([1], PASTED, "a\u200bb", "SET-NAME"),
    ],
)
def test_what_is_no_set_is_refused(workspace: Workspace, hosts, recipe, name, code) -> None:
    """With a code, and nothing is kept."""
    with pytest.raises(ConfigError) as caught:
        save_set(workspace, hosts, recipe=recipe, name=name)
    assert caught.value.code == code
    assert list_sets(workspace) == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_recipe_has_words(kind: str) -> None:
    """Even one that says nothing but its kind; one line, no braces of a Python value."""
    said = words_of({"kind": kind})
    assert said
    assert "{" not in said
    assert words_of({"kind": kind, "words": "my\nown"}) == "my own"


def test_recipes_are_said_in_words() -> None:
    """What an analyst would say of them."""
    assert words_of({"kind": "lasso", "day": "2021-12-01"}) == (
        "drawn by lasso on the map, 2021-12-01"
    )
    cell = {"kind": "cell", "true": "mirai", "predicted": "unknown", "protocol": "open_set"}
    assert words_of(cell) == "labelled mirai, predicted unknown (open_set)"
    assert words_of({"kind": "cluster", "cluster": 4, "method": "louvain"}) == "cluster 4 (louvain)"
    parts = [{"name": "a"}, {"name": "b"}]
    assert words_of({"kind": "combined", "operation": "union", "of": parts}) == "all of a, b"


def test_the_trail_is_kept_short(workspace: Workspace) -> None:
    """The last hundred steps are there after a restart."""
    assert read_trail(workspace) == []
    write_trail(workspace, [None, *map(str, range(150))])
    assert read_trail(open_workspace(workspace.root)) == list(map(str, range(50, 150)))


def test_a_catalogue_of_the_schema_before_is_taken_up(tmp_path: Path) -> None:
    """What stood in schema 2 stands in today's, and sets and notes can be kept."""
    (tmp_path / "w").mkdir()
    connection = sqlite3.connect(tmp_path / "w" / "darkgnn.sqlite")
    for script in MIGRATIONS[:2]:
        connection.executescript(script)
    connection.execute("PRAGMA user_version = 2")
    connection.execute("INSERT INTO setting VALUES ('label_classes', '{}')")
    connection.execute(
        "INSERT INTO label_source (id, name, kind, added_at, precedence) "
        "VALUES ('analyst', 'Analysts', 'analyst', '2021-12-01', 100)"
    )
    connection.execute(
        "INSERT INTO label (source_id, first_ip, last_ip, prefix_len, label, raw_label, evidence, "
        "added_at) VALUES ('analyst', 1, 1, 32, 'mirai', 'Mirai', '', '2021-12-01')"
    )
    connection.commit()
    connection.close()
    workspace = open_workspace(tmp_path / "w")
    made = save_set(workspace, [1], recipe=PASTED)
    assert find_set(workspace, made.id).hosts.tolist() == [1]
    assert list_notes(workspace) == []
    with workspace.catalogue() as connection:
        assert [row["label"] for row in history(connection, source_id=SOURCE_ID)] == ["mirai"]
        assert connection.execute("PRAGMA user_version").fetchone()[0] == len(MIGRATIONS)


def test_a_new_catalogue_and_one_taken_up_are_alike(tmp_path: Path) -> None:
    """Tables and indexes are the same either way."""

    def schema(path: Path) -> list[str]:
        connection = open_catalogue(path)
        rows = connection.execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall()
        connection.close()
        return [str(row[0]) for row in rows]

    old = sqlite3.connect(tmp_path / "old.sqlite")
    for script in MIGRATIONS[:2]:
        for statement in script.split(";"):
            old.execute(statement)
    old.execute("PRAGMA user_version = 2")
    old.commit()
    old.close()
    assert schema(tmp_path / "old.sqlite") == schema(tmp_path / "new.sqlite")


WRITER = """
import itertools, sys
from pathlib import Path
from darkgnn_core.host_sets import save_set
from darkgnn_core.labels.analyst import add_labels
from darkgnn_core.labels.targets import target_of
from darkgnn_core.labels.verdicts import Suggested, accept
from darkgnn_core.notes import add_note
from darkgnn_core.workspace import open_workspace
workspace = open_workspace(Path(sys.argv[1]))
for number in itertools.count(1):
    made = save_set(workspace, range(number), recipe={"kind": "chosen"}, name=f"set {number}")
    add_note(workspace, "set", made.id, f"note {number}")
    both = [Suggested(2 * number, "mirai", 5, 7), Suggested(2 * number + 1, "censys", 6, 7)]
    with workspace.catalogue() as connection:
        accept(connection, both, run="r", seen_on="2021-12-01")
    print(number, flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX")
@pytest.mark.parametrize("lines", [1, 4, 9])
def test_a_kill_loses_nothing_that_was_kept(tmp_path: Path, lines: int) -> None:
    """After SIGKILL every set, note and pair of labels that was told is there, and none by half."""
    child = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path / "w")],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert child.stdout is not None
    told = [int(child.stdout.readline()) for _ in range(lines)][-1]
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    workspace = open_workspace(tmp_path / "w", create=False)
    sets = {each.name: each for each in list_sets(workspace)}
    assert told <= len(sets) <= told + 64
    for number in range(1, len(sets) + 1):
        assert sets[f"set {number}"].hosts.tolist() == list(range(number))
    notes = list_notes(workspace)
    assert told <= len(notes) <= len(sets)
    with workspace.catalogue() as connection:
        given = {row["first_ip"]: row["label"] for row in history(connection)}
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    assert len(given) % 2 == 0
    assert told <= len(given) // 2 <= len(notes)
    assert all(given[host] == ("censys" if host % 2 else "mirai") for host in given)
