"""Health of an embedding: made sick on purpose, each sickness is told and no other."""

import dataclasses

import numpy as np
import pytest
from scipy import stats

from darkgnn_core.evaluation.health import (
    drift,
    effective_dimensions,
    mean_cosine,
    measure_embedding,
    occurrences,
    skewness,
    stability,
)
from darkgnn_core.evaluation.predictions import Voting
from darkgnn_core.neighbours import nearest
from tests.evaluation_days import embedding

AS_STORED = Voting(standardise=False)


def cloud(hosts: int = 300, size: int = 8, seed: int = 0) -> np.ndarray:
    """Draw hosts that spread alike in all directions."""
    return np.random.default_rng(seed).standard_normal((hosts, size)).astype(np.float32)


def test_a_sound_embedding_gives_no_warning() -> None:
    """A round cloud: cosine near 0, all dimensions used, nothing repeated or lonely."""
    health = measure_embedding(embedding(cloud()))
    assert health.warnings == ()
    assert abs(health.mean_cosine) < 0.05
    assert health.effective_dimensions > 7
    assert (health.repeated_hosts, health.zero_hosts, health.lonely_hosts) == (0, 0, 0)


def test_collapse_is_told() -> None:
    """All hosts in one direction but for a thousandth."""
    health = measure_embedding(embedding(1 + cloud() / 1000))
    assert health.mean_cosine > 0.999
    assert any("Collapse" in warning for warning in health.warnings)


def test_repeats_zeros_and_flat_dimensions_are_counted() -> None:
    """Four hosts share a vector, two another; one host is zero; one column is constant."""
    vectors = cloud(12)
    vectors[:4] = vectors[0]
    vectors[4:6] = vectors[4]
    vectors[:, 3] = 0
    vectors[11] = 0
    health = measure_embedding(embedding(vectors))
    assert (health.repeated_hosts, health.largest_repeat) == (6, 4)
    assert (health.zero_hosts, health.flat_dimensions) == (1, 1)
    crowded = measure_embedding(embedding(np.repeat(cloud(5), 3, axis=0)))
    assert any("share their vector" in warning for warning in crowded.warnings)


def test_a_hub_is_found() -> None:
    """A host amid a sphere of others is the nearest one of nearly all of them."""
    sphere = cloud(2_000, 64)
    sphere /= np.linalg.norm(sphere, axis=1, keepdims=True)
    sphere[0] = 0
    voting = Voting(metric="euclidean", standardise=False)
    health = measure_embedding(embedding(sphere), k=1, voting=voting)
    assert health.largest_hub > 1_500
    assert health.hubness > 10
    assert any("Hubs" in warning for warning in health.warnings)


def test_lonely_hosts_are_counted() -> None:
    """Two hosts far away from a grid and from each other."""
    grid = [[x, y] for x in range(14) for y in range(14)]
    vectors = np.array([*grid, [90, 0], [0, -90]], np.float32)
    voting = Voting(metric="euclidean", standardise=False)
    assert measure_embedding(embedding(vectors), voting=voting).lonely_hosts == 2


def test_occurrences_and_skewness_are_counted() -> None:
    """Each host among three: on a line the middle one is near both ends."""
    near = nearest(np.array([[0.0], [1], [2]], np.float32), None, 1, metric="euclidean")
    often = occurrences(near, 3)
    assert often.tolist() == [1, 2, 0]
    values = cloud(50, 1)[:, 0].astype(float) ** 2
    assert skewness(values) == pytest.approx(stats.skew(values))
    assert skewness(np.ones(4)) == 0


def test_effective_dimensions_of_a_line_and_a_ball() -> None:
    """1 on a line, near E in a ball, 0 for one host."""
    line = np.outer(np.arange(50), np.ones(6)).astype(np.float32)
    assert effective_dimensions(line) == pytest.approx(1)
    assert effective_dimensions(cloud(5_000, 6)) == pytest.approx(6, abs=0.1)
    assert effective_dimensions(line[:1]) == 0


def test_mean_cosine_of_two_hosts_is_theirs() -> None:
    """Two hosts at 60 degrees; below two hosts there is none."""
    pair = np.array([[1, 0], [0.5, 3**0.5 / 2]], np.float32)
    assert mean_cosine(pair) == pytest.approx(0.5, abs=1e-6)
    assert np.isnan(mean_cosine(pair[:1]))


def test_stability_is_one_for_a_turned_copy_and_chance_for_noise() -> None:
    """A rotation keeps all neighbours; another cloud keeps k / n of them."""
    vectors = cloud()
    turn, _ = np.linalg.qr(np.random.default_rng(1).standard_normal((8, 8)))
    first = embedding(vectors)
    turned = embedding((vectors @ turn).astype(np.float32))
    assert stability(first, turned, voting=AS_STORED).mean() > 0.999
    other = stability(first, embedding(cloud(seed=7)), k=10)
    assert other.mean() == pytest.approx(10 / 299, abs=0.01)


def test_stability_looks_at_shared_hosts_alone() -> None:
    """Hosts that one run lacks take no share away."""
    first = embedding(cloud())
    half = dataclasses.replace(first, hosts=first.hosts[::2], vectors=first.vectors[::2])
    shares = stability(first, half, voting=AS_STORED)
    assert shares.shape == (150,)
    assert (shares == 1).all()


def test_drift_finds_the_host_that_moved() -> None:
    """A day turned as a whole has not moved; the one host that went elsewhere has."""
    vectors = cloud(400)
    turn, _ = np.linalg.qr(np.random.default_rng(2).standard_normal((8, 8)))
    later = vectors.copy()
    later[17] *= -1
    hosts, moved = drift(embedding(vectors), embedding((later @ turn).astype(np.float32)))
    assert hosts.shape == moved.shape == (400,)
    assert moved.argmax() == 17
    assert moved[17] > 1.5
    assert np.delete(moved, 17).max() < 0.2
    few = embedding(vectors[:3], hosts=[1, 2, 3])
    assert drift(few, few) is None


def test_a_day_of_no_or_one_host_is_measured_without_error() -> None:
    """Nothing to tell, and nothing breaks."""
    for hosts in (0, 1):
        health = measure_embedding(embedding(cloud(hosts)))
        assert health.hosts == hosts
        assert np.isnan(health.mean_cosine)
