"""t-SNE maps: aligned over days, kept by what they were made of, made by a job."""

import os
from pathlib import Path

import numpy as np
import pytest

from darkgnn_core import job_processes
from darkgnn_core.durable import write_manifest
from darkgnn_core.errors import ConfigError, RunError
from darkgnn_core.jobs import cancel_job, find_job
from darkgnn_core.maps.drafts import keep_draft, leave_draft, read_draft
from darkgnn_core.maps.making import (
    make_for_job,
    make_maps,
    map_job,
    outwards,
    queue_maps,
    true_neighbours,
)
from darkgnn_core.maps.planes import day_plane, keep_planes
from darkgnn_core.maps.projecting import directions, principal_plane
from darkgnn_core.maps.storing import (
    embedding_hash,
    find_map,
    find_neighbours,
    map_path,
    neighbours_path,
    plane_path,
    stored_days,
)
from darkgnn_core.maps.trusting import kept_neighbours
from darkgnn_core.maps.tsne import TsneSettings, spread, start_of
from darkgnn_core.neighbours import nearest
from darkgnn_core.run_store import EMBEDDINGS, directory_of
from darkgnn_core.workspace import Workspace
from tests.app_workspaces import DAYS, filled_workspace
from tests.made_runs import no_processes  # noqa: F401 - a fixture
from tests.map_workspaces import GROUP, embedded_run, hosts_on, planted_vectors, write_vectors
from tests.waiting import wait_for

QUICK = TsneSettings(perplexity=4, early=60, late=80, aligned=60)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Load a small trace once."""
    return filled_workspace(tmp_path_factory.mktemp("maps"))


@pytest.fixture
def run(loaded: Workspace, no_processes: list[str]) -> str:  # noqa: F811
    """A run with a planted group on each of three days."""
    return embedded_run(loaded)


def drawn(hosts: int = 300, *, seed: int = 0) -> np.ndarray:
    """Return three groups in eight dimensions."""
    draw = np.random.default_rng(seed)
    centres = draw.normal(0, 6, (3, 8))
    return (centres[np.arange(hosts) % 3] + draw.normal(size=(hosts, 8))).astype(np.float32)


def spread_of(vectors: np.ndarray, before=None, **settings) -> tuple[np.ndarray, bool]:
    """Make a map of vectors, from another day's map or not."""
    near = nearest(vectors, None, 30)
    plane = principal_plane(directions(vectors))
    hosts = np.arange(len(vectors), dtype=np.uint32)
    start, is_aligned = start_of(plane, hosts, near.positions, before)
    chosen = TsneSettings(perplexity=10, early=120, late=120, aligned=60, **settings)
    points = spread(start, near.positions, near.distances, chosen, is_aligned=is_aligned)
    assert points is not None
    return points, is_aligned


def test_tsne_keeps_planted_groups_apart() -> None:
    """Nearest points on the map are of the same group; more neighbours kept than by the plane."""
    vectors = drawn()
    points, is_aligned = spread_of(vectors)
    assert not is_aligned
    near = nearest(vectors, None, 15).positions
    beside = nearest(points, None, 5, metric="euclidean", standardise=False).positions
    assert ((beside % 3) == (np.arange(300) % 3)[:, None]).mean() > 0.97
    plane = principal_plane(directions(vectors))
    assert kept_neighbours(points, near).mean() > kept_neighbours(plane, near).mean()
    assert np.array_equal(points, spread_of(vectors)[0])


def test_hosts_do_not_jump_from_day_to_day() -> None:
    """Started from the day before, shared hosts move by a small part of the map; else they jump."""
    first = drawn()
    draw = np.random.default_rng(9)
    second = (first + draw.normal(0, 0.3, first.shape)).astype(np.float32)
    before, _ = spread_of(first)
    hosts = np.arange(300, dtype=np.uint32)
    after, is_aligned = spread_of(second, (hosts, before))
    assert is_aligned
    extent = float(np.ptp(before, axis=0).max())
    moved = np.hypot(*(after - before).T)
    assert np.median(moved) < 0.1 * extent


def test_new_hosts_start_between_their_neighbours() -> None:
    """The mean of the nearest hosts with a place; the middle of the map where none has one."""
    hosts = np.array([1, 2, 3, 4, 5], np.uint32)
    near = np.array([[1, 2], [0, 2], [3, 1], [2, 4], [-1, -1]])
    before = (np.array([1, 2, 9], np.uint32), np.array([[0, 0], [2, 4], [9, 9]], np.float32))
    start, is_aligned = start_of(np.zeros((5, 2), np.float32), hosts, near, before)
    assert is_aligned
    assert start.tolist() == [[0, 0], [2, 4], [2, 4], [1, 2], [1, 2]]
    nobody = (np.array([77], np.uint32), np.zeros((1, 2), np.float32))
    assert not start_of(np.ones((5, 2), np.float32), hosts, near, nobody)[1]


def test_a_few_hosts_need_no_tsne() -> None:
    """Seven hosts stay at their start."""
    start = np.arange(14.0).reshape(7, 2)
    near = nearest(np.random.default_rng(1).normal(size=(7, 3)).astype(np.float32), None, 6)
    points = spread(start, near.positions, near.distances, QUICK, is_aligned=False)
    assert points is not None
    assert points.tolist() == start.tolist()


def test_tsne_stops_when_told() -> None:
    """It asks every ten steps, and gives nothing then."""
    vectors = drawn(60)
    near = nearest(vectors, None, 20)
    told: list[float] = []
    points = spread(
        np.random.default_rng(1).normal(size=(60, 2)), near.positions, near.distances, QUICK,
        is_aligned=False, told=told.append, should_stop=lambda: len(told) > 2,
    )  # fmt: skip
    assert points is None
    assert 2 < len(told) < 6


@pytest.mark.parametrize(
    "setting", [{"perplexity": 1}, {"early": -1}, {"late": 10_000}, {"aligned": -1}]
)
def test_settings_have_bounds(setting: dict[str, int]) -> None:
    """A number outside is refused in words."""
    with pytest.raises(ConfigError, match="must be from"):
        TsneSettings(**setting)


def test_days_are_made_outwards() -> None:
    """The one in view first, later ones before earlier ones that are as near."""
    assert outwards(list("abcde"), "c") == list("cdbea")
    assert outwards(list("ab"), "x") == list("ba")


def test_all_days_get_maps_of_one_chain(loaded: Workspace, run: str) -> None:
    """The first is the day asked for; the others start from the one beside; progress is told."""
    told: list[dict] = []
    report = make_maps(loaded, run, DAYS, DAYS[1], QUICK, told=told.append)
    assert report.days == (DAYS[1], DAYS[2], DAYS[0])
    assert not report.stopped
    maps = {day: find_map(loaded, run, QUICK, day) for day in DAYS}
    assert all(made is not None for made in maps.values())
    assert len({made.chain for made in maps.values() if made}) == 1
    assert [made.start for made in maps.values() if made] == [DAYS[1], "", DAYS[1]]
    assert told[-1]["units_done"] == told[-1]["units_total"] == 3
    made = maps[DAYS[0]]
    assert made is not None
    assert np.array_equal(made.hosts, hosts_on(loaded, DAYS[0]))
    near = find_neighbours(loaded, run, DAYS[0])
    assert near is not None
    assert np.allclose(made.trust, kept_neighbours(made.points, near.near))
    assert stored_days(loaded, run, QUICK) == DAYS
    again = make_maps(loaded, run, DAYS, DAYS[0], QUICK)
    assert again.days == ()


def test_true_neighbours_are_exact_and_kept(loaded: Workspace, run: str) -> None:
    """As the search finds them, cosine over standardised columns; read from disk afterwards."""
    found = true_neighbours(loaded, run, DAYS[0])
    vectors = planted_vectors(len(found.near))
    exact = nearest(vectors, None, 15)
    assert np.array_equal(found.near, exact.positions)
    assert (found.near[:GROUP, : GROUP - 1] < GROUP).all()
    kept = find_neighbours(loaded, run, DAYS[0])
    assert kept is not None
    assert np.array_equal(kept.near, found.near)
    assert np.allclose(kept.distances, exact.distances, atol=1e-6)


def test_planes_are_kept_and_read(loaded: Workspace, run: str) -> None:
    """The plane of the vectors, read from disk afterwards; told to stop, it makes no other."""
    keep_planes(loaded, run, DAYS[:1], should_stop=lambda: False)
    keep_planes(loaded, run, DAYS, should_stop=lambda: True)
    path = plane_path(loaded, run, DAYS[0])
    assert [each.stem for each in path.parent.iterdir()] == [DAYS[0]]
    before = path.stat().st_mtime_ns
    found = day_plane(loaded, run, DAYS[0])
    assert path.stat().st_mtime_ns == before
    hosts = hosts_on(loaded, DAYS[0])
    assert np.array_equal(found.hosts, hosts)
    assert np.array_equal(found.points, principal_plane(directions(planted_vectors(len(hosts)))))


@pytest.mark.parametrize("harm", ["cut", "flipped", "replaced"])
def test_a_plane_is_made_again(loaded: Workspace, run: str, harm: str) -> None:
    """Where its file is cut or changed by a bit, or the embedding was replaced."""
    expected, seed = day_plane(loaded, run, DAYS[0]).points, 0
    path, hosts = plane_path(loaded, run, DAYS[0]), hosts_on(loaded, DAYS[0])
    content = bytearray(path.read_bytes())
    content[-5] ^= 8
    if harm == "replaced":
        seed, folder = 5, directory_of(loaded, run) / EMBEDDINGS
        write_vectors(folder, DAYS[0], hosts, planted_vectors(len(hosts), seed=seed))
        write_manifest(folder)
    else:
        path.write_bytes(content[: len(content) // 2] if harm == "cut" else content)
    found = day_plane(loaded, run, DAYS[0])
    assert found.embedding == embedding_hash(loaded, run, DAYS[0])
    assert np.array_equal(found.points, expected) == (harm != "replaced")


def test_another_embedding_is_another_map(loaded: Workspace, run: str) -> None:
    """A map of vectors that were since replaced counts as absent, with its neighbours."""
    make_maps(loaded, run, DAYS[:1], DAYS[0], QUICK)
    before = embedding_hash(loaded, run, DAYS[0])
    folder = directory_of(loaded, run) / EMBEDDINGS
    hosts = hosts_on(loaded, DAYS[0])
    write_vectors(folder, DAYS[0], hosts, planted_vectors(len(hosts), seed=5))
    write_manifest(folder)
    assert embedding_hash(loaded, run, DAYS[0]) != before
    assert find_map(loaded, run, QUICK, DAYS[0]) is None
    assert find_neighbours(loaded, run, DAYS[0]) is None
    assert find_map(loaded, run, TsneSettings(), DAYS[0]) is None
    assert make_maps(loaded, run, DAYS[:1], DAYS[0], QUICK).days == DAYS[:1]


@pytest.mark.parametrize("harm", ["cut", "flipped", "flipped late", "gone"])
def test_a_damaged_map_is_made_again(loaded: Workspace, run: str, harm: str) -> None:
    """A cut file, a changed bit or no file: absent, never shown wrong."""
    make_maps(loaded, run, DAYS[:1], DAYS[0], QUICK)
    for path in (map_path(loaded, run, QUICK, DAYS[0]), neighbours_path(loaded, run, DAYS[0])):
        content = bytearray(path.read_bytes())
        if harm == "gone":
            path.unlink()
        else:
            content[len(content) * (2 if harm.endswith("late") else 1) // 3] ^= 8
            path.write_bytes(content[: len(content) // 2] if harm == "cut" else content)
    assert find_map(loaded, run, QUICK, DAYS[0]) is None
    assert find_neighbours(loaded, run, DAYS[0]) is None
    assert make_maps(loaded, run, DAYS[:1], DAYS[0], QUICK).days == DAYS[:1]


def test_stopping_keeps_what_is_finished(loaded: Workspace, run: str) -> None:
    """Stopped during the second day: the first is there, and the next attempt goes on."""
    seen: list[str] = []
    report = make_maps(
        loaded, run, DAYS, DAYS[0], QUICK,
        told=lambda progress: seen.append(progress["day"]),
        should_stop=lambda: DAYS[1] in seen,
    )  # fmt: skip
    assert report.stopped
    assert report.days == DAYS[:1]
    assert stored_days(loaded, run, QUICK) == DAYS[:1]
    assert make_maps(loaded, run, DAYS, DAYS[0], QUICK).days == DAYS[1:]


def test_a_deleted_run_is_not_brought_back(loaded: Workspace, run: str, tmp_path: Path) -> None:
    """Writing a map of a run whose folder is gone fails, and makes no folder."""
    folder = directory_of(loaded, run)
    make_maps(loaded, run, DAYS[:1], DAYS[0], QUICK)
    made = find_map(loaded, run, QUICK, DAYS[0])
    assert made is not None
    from darkgnn_core.maps.storing import write_map

    folder.rename(tmp_path / "gone")
    with pytest.raises(RunError, match="gone"):
        write_map(loaded, run, QUICK, made)
    assert not folder.exists()
    (tmp_path / "gone").rename(folder)


def test_one_job_makes_the_maps_of_a_run(
    loaded: Workspace,
    run: str,
    no_processes: list[str],  # noqa: F811
) -> None:
    """Asking twice gives the same job; once it is cancelled another can be asked for."""
    job_id = queue_maps(loaded, run, DAYS[1], QUICK)
    assert queue_maps(loaded, run, DAYS[0], QUICK) == job_id
    job = map_job(loaded, run, QUICK)
    assert job is not None
    assert (job.id, job.kind, job.run_id) == (job_id, "map", run)
    assert map_job(loaded, run, TsneSettings()) is None
    assert make_for_job(loaded, job.config, DAYS, told=print, should_stop=lambda: True).stopped
    cancel_job(loaded, job_id)
    assert find_job(loaded, job_id).state == "cancelled"
    assert queue_maps(loaded, run, DAYS[1], QUICK) != job_id
    with pytest.raises(RunError, match="no embedding"):
        queue_maps(loaded, run, "1999-01-01", QUICK)
    with pytest.raises(RunError, match="no embedding"):
        make_for_job(loaded, job.config, (), told=print, should_stop=lambda: False)


def test_the_last_selection_is_kept(loaded: Workspace) -> None:
    """It is read back as it was; left, it waits to be asked for; an empty one counts as none."""
    assert read_draft(loaded) is None
    keep_draft(loaded, np.array([5, 0xFFFFFFFF], np.uint32), {"kind": "lasso", "day": DAYS[0]})
    found = read_draft(loaded)
    assert found is not None
    assert found.hosts.tolist() == [5, 0xFFFFFFFF]
    assert found.recipe == {"kind": "lasso", "day": DAYS[0]}
    assert found.comes_back
    leave_draft(loaded)
    left = read_draft(loaded)
    assert left is not None
    assert (left.made_at, left.hosts.tolist()) == (found.made_at, found.hosts.tolist())
    assert not left.comes_back
    keep_draft(loaded, np.empty(0, np.uint32), {"kind": "chosen"})
    assert read_draft(loaded) is None


@pytest.mark.slow
def test_a_worker_makes_the_maps(loaded: Workspace, tmp_path: Path) -> None:
    """The job as its own process: done, with a map of each day."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(job_processes, "launch", lambda workspace, job_id: os.getpid())
        patch.setattr(job_processes, "launch_queue_keeper", lambda workspace: None)
        patch.setattr(job_processes, "is_working", lambda workspace, job_id: True)
        run_id = embedded_run(loaded)
    job_id = queue_maps(loaded, run_id, DAYS[0], QUICK)
    wait_for(lambda: not find_job(loaded, job_id).is_active, 150)
    ended = find_job(loaded, job_id)
    assert (ended.state, ended.message) == ("done", "")
    assert ended.report["days"] == list(DAYS)
    assert stored_days(loaded, run_id, QUICK) == DAYS
