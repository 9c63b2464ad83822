"""Suggested labels: the same as by a brute-force loop, and the right to abstain."""

import math
from collections import Counter

import numpy as np
import pytest

from darkgnn_core.embeddings import Embedding
from darkgnn_core.errors import ConfigError
from darkgnn_core.suggestions import (
    DISAGREE,
    FEW,
    NOBODY_NEAR,
    REJECTED,
    TOO_FAR,
    SuggestionSettings,
    chosen_of,
    suggest,
)

UNKNOWN = "unknown"
FIRST = 0xC6336400  # 198.51.100.0


def drawn(seed: int, hosts: int = 90, size: int = 4) -> tuple[Embedding, np.ndarray]:
    """Draw a day: three labels around centres, a third of the hosts unlabelled, some far off."""
    random = np.random.default_rng(seed)
    kinds = random.integers(0, 3, hosts)
    vectors = random.standard_normal((3, size))[kinds] * 2 + random.standard_normal((hosts, size))
    vectors[random.random(hosts) < 0.05] *= 6
    labels = np.array(["censys", "mirai", "shodan"], object)[kinds]
    labels[random.random(hosts) < 0.4] = UNKNOWN
    addresses = (FIRST + np.arange(hosts) * 37).astype(np.uint32)  # seven to a /24
    return Embedding("2021-12-01", addresses, vectors.astype(np.float32), "x"), labels


def distance(one: np.ndarray, other: np.ndarray, metric: str) -> float:
    """Measure as the definition says."""
    if metric == "euclidean":
        return math.dist(one, other)
    if metric == "dot":
        return -float(one @ other)
    return 1 - float(one @ other) / math.sqrt(float(one @ one) * float(other @ other))


def brute_force(embedding: Embedding, labels: np.ndarray, settings: SuggestionSettings) -> dict:
    """Suggest by loops: told, votes, distance, limit and why for each unlabelled host."""
    vectors = embedding.vectors.astype(np.float64)
    rows = (vectors - vectors.mean(axis=0)) / vectors.std(axis=0)
    rows = rows.astype(np.float32).astype(np.float64)
    known = [place for place, label in enumerate(labels) if label != UNKNOWN]
    own: dict[str, list[float]] = {}
    for place in known:
        others = [
            distance(rows[place], rows[other], settings.metric)
            for other in known
            if other != place and labels[other] == labels[place]
        ]
        if others:
            own.setdefault(labels[place], []).append(min(others))
    everything = [each for distances in own.values() for each in distances]
    found = {}
    for place, host in enumerate(embedding.hosts.tolist()):
        if labels[place] != UNKNOWN:
            continue
        near = sorted(
            (distance(rows[place], rows[other], settings.metric), other)
            for other in known
            if not (settings.leaves_out_prefix and int(embedding.hosts[other]) >> 8 == host >> 8)
        )[: settings.k]
        counts = Counter(labels[other] for _, other in near)
        if not counts:
            found[host] = (UNKNOWN, 0, math.inf, math.nan, NOBODY_NEAR)
            continue
        most = max(counts.values())
        told = next(labels[other] for _, other in near if counts[labels[other]] == most)
        nearest = min(apart for apart, other in near if labels[other] == told)
        enough = sum(labels[other] == told for other in known) >= FEW
        limit = float(np.quantile(own[told] if enough else everything, settings.reach))
        why = TOO_FAR if nearest > limit else ""
        why = DISAGREE if most / settings.k < settings.least_share - 1e-9 else why
        found[host] = (told, most, nearest, limit, why)
    return found


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("leaves_out_prefix", [False, True])
def test_suggestions_are_those_of_a_loop(seed: int, metric: str, leaves_out_prefix: bool) -> None:
    """Label, votes, distance, limit and reason of every unlabelled host."""
    embedding, labels = drawn(seed)
    settings = SuggestionSettings(
        k=3 + seed, least_share=0.7, metric=metric, leaves_out_prefix=leaves_out_prefix
    )
    found = suggest(embedding, labels, settings=settings)
    expected = brute_force(embedding, labels, settings)
    assert sorted(found.hosts.tolist()) == sorted(expected)
    for place, host in enumerate(found.hosts.tolist()):
        told, votes, apart, limit, why = expected[host]
        assert (found.told[place], found.votes[place], found.why[place]) == (told, votes, why)
        assert found.labels[place] == (UNKNOWN if why else told)
        assert found.distance[place] == pytest.approx(apart, abs=1e-5)
        assert found.limit[place] == pytest.approx(limit, abs=1e-5, nan_ok=True)
    assert found.is_suggested.any()


def test_each_reason_to_abstain_comes_up() -> None:
    """The drawn days above hold hosts that are too far, and hosts whose neighbours disagree."""
    settings = SuggestionSettings(k=5, least_share=0.7)
    found = [suggest(*drawn(seed), settings=settings) for seed in range(6)]
    assert {why for day in found for why in day.why.tolist()} == {"", TOO_FAR, DISAGREE}


def test_the_strongest_come_first() -> None:
    """Suggested before abstained; more votes, then nearer, first."""
    embedding, labels = drawn(3)
    found = suggest(embedding, labels)
    split = int(found.is_suggested.sum())
    assert found.is_suggested[:split].all()
    for part in (slice(None, split), slice(split, None)):
        order = list(zip(-found.votes[part], found.distance[part], found.hosts[part], strict=True))
        assert order == sorted(order)
    first = chosen_of(found, np.array([0]))
    assert first.hosts.tolist() == found.hosts[:1].tolist()
    assert first.share.tolist() == [found.votes[0] / 7]


def test_voters_are_labelled_hosts_nearest_first() -> None:
    """They are told by address, and none of them is unlabelled."""
    embedding, labels = drawn(1)
    found = suggest(embedding, labels, settings=SuggestionSettings(k=4))
    label_of = dict(zip(embedding.hosts.tolist(), labels, strict=True))
    assert found.voters.shape == (len(found.hosts), 4)
    for told, votes, voters in zip(found.told, found.votes, found.voters.tolist(), strict=True):
        assert sum(label_of[voter] == told for voter in voters) == votes
    assert found.known == int((labels != UNKNOWN).sum())


def test_votes_of_labels_given_by_hand_are_told() -> None:
    """How many of the votes for the label rest on the analyst's own word."""
    embedding, labels = drawn(5)
    given = np.arange(len(labels)) % 3 == 0
    found = suggest(embedding, labels, given=given)
    label_of = dict(zip(embedding.hosts.tolist(), labels.tolist(), strict=True))
    by_hand = set(embedding.hosts[given].tolist())
    for told, voters, count in zip(found.told, found.voters.tolist(), found.by_hand, strict=True):
        assert count == sum(host in by_hand and label_of[host] == told for host in voters if host)
    assert 0 < found.by_hand.sum() < found.votes.sum()
    assert not suggest(embedding, labels).by_hand.any()


def test_only_hosts_asked_for_are_told() -> None:
    """Those with a label, or without an embedding, are left out; the answers stay the same."""
    embedding, labels = drawn(2)
    everyone = suggest(embedding, labels)
    wanted = np.append(embedding.hosts[:20], np.uint32(1))
    some = suggest(embedding, labels, hosts=wanted)
    expected = dict(zip(everyone.hosts.tolist(), everyone.labels, strict=True))
    is_asked = labels[:20] == UNKNOWN
    assert sorted(some.hosts.tolist()) == embedding.hosts[:20][is_asked].tolist()
    assert all(expected[host] == label for host, label in zip(some.hosts, some.labels, strict=True))


def test_what_was_turned_down_is_not_suggested_again() -> None:
    """That label for that host; the same label for others stays."""
    embedding, labels = drawn(4)
    before = suggest(embedding, labels)
    pair = (int(before.hosts[0]), str(before.labels[0]))
    after = suggest(embedding, labels, rejected=frozenset({pair}))
    place = after.hosts.tolist().index(pair[0])
    assert (after.labels[place], after.why[place], after.told[place]) == (
        UNKNOWN,
        REJECTED,
        pair[1],
    )
    assert after.is_suggested.sum() == before.is_suggested.sum() - 1


def test_a_day_without_labels_suggests_nothing() -> None:
    """Every host says that nobody may vote; a day without hosts is empty."""
    embedding, _ = drawn(5, hosts=8)
    found = suggest(embedding, np.full(8, UNKNOWN, object))
    assert found.why.tolist() == [NOBODY_NEAR] * 8
    assert (found.known, found.is_suggested.any()) == (0, False)
    bare = Embedding("d", np.empty(0, np.uint32), np.empty((0, 4), np.float32), "x")
    assert suggest(bare, np.empty(0, object)).hosts.shape == (0,)
    everyone = suggest(embedding, np.full(8, "mirai", object))
    assert everyone.hosts.shape == (0,)


def test_progress_is_told_and_can_stop_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """It rises to the number of hosts, block by block; an error raised in it ends the work."""
    monkeypatch.setattr("darkgnn_core.suggestions.BLOCK", 8)
    embedding, labels = drawn(0)
    told: list[tuple[int, int]] = []
    found = suggest(embedding, labels, told=lambda done, total: told.append((done, total)))
    done = [each for each, _ in told]
    assert done == sorted(set(done))
    assert told[-1] == (90, 90)
    assert len(told) > 10
    assert found.told.tolist() == suggest(embedding, labels).told.tolist()

    def stop(done: int, total: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        suggest(embedding, labels, told=stop)


@pytest.mark.parametrize("wrong", [{"k": 0}, {"least_share": 1.1}, {"reach": -1}, {"metric": "l1"}])
def test_wrong_settings_are_refused(wrong: dict) -> None:
    """With the name of the setting."""
    with pytest.raises(ConfigError, match=next(iter(wrong))) as caught:
        SuggestionSettings(**wrong)
    assert caught.value.code == "SUGGESTIONS"
