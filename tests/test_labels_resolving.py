"""Which label wins on each host, against a brute-force loop; conflicts, coverage, classes."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from darkgnn_core.catalogue import open_catalogue, transaction
from darkgnn_core.labels.aliases import set_alias
from darkgnn_core.labels.analyst import add_labels, withdraw
from darkgnn_core.labels.claims import Claim
from darkgnn_core.labels.classes import (
    class_mask,
    label_classes,
    labels_of_class,
    set_label_class,
)
from darkgnn_core.labels.conflicts import conflicts
from darkgnn_core.labels.coverage import coverage
from darkgnn_core.labels.lists import ListOptions
from darkgnn_core.labels.opinions import read_claims, read_claims_by_day
from darkgnn_core.labels.resolving import resolve
from darkgnn_core.labels.store import add_list, list_sources, set_precedence
from darkgnn_core.labels.storing import insert_claims
from darkgnn_core.labels.targets import parse_target, prefix_text, target_of

BASE = parse_target("192.0.2.0").first_ip
HOSTS = np.arange(BASE, BASE + 20, dtype=np.uint32)


@pytest.fixture
def catalogue():
    """Give an empty catalogue in memory."""
    connection = open_catalogue(Path(":memory:"))
    yield connection
    connection.close()


def hosts(*texts):
    """Return addresses as uint32."""
    return np.array([parse_target(text).first_ip for text in texts], np.uint32)


def add(catalogue, name, rows, *, precedence=None, wide=False):
    """Add a CSV source of (prefix, label) rows and return its id."""
    text = f"# {name}\nsrc_ip,label\n" + "".join(f"{prefix},{label}\n" for prefix, label in rows)
    options = ListOptions(allow_wide=wide)
    source = add_list(catalogue, text.encode(), name=name, options=options).source_id
    if precedence is not None:
        set_precedence(catalogue, source, precedence)
    return source


def labels(catalogue, *texts, **options):
    """Return the labels of some addresses."""
    return resolve(catalogue, hosts(*texts), **options).labels.tolist()


def test_without_labels_every_host_is_unknown(catalogue):
    """An empty catalogue resolves, conflicts and covers without trouble."""
    found = resolve(catalogue, HOSTS)
    assert found.counts() == {"unknown": 20}
    assert found.labelled == 0
    assert set(found.source_ids) == {""}
    assert len(conflicts(catalogue)) == len(conflicts(catalogue, HOSTS)) == 0
    assert coverage(catalogue, HOSTS).labels == {}
    assert resolve(catalogue, np.empty(0, np.uint32)).labelled == 0


def test_the_longest_prefix_of_a_source_counts(catalogue):
    """An address inside a prefix of the same list has its own label, without a conflict."""
    add(
        catalogue, "one", [("192.0.2.0/24", "wide"), ("192.0.2.8/29", "mid"), ("192.0.2.9", "self")]
    )
    assert labels(catalogue, "192.0.2.1", "192.0.2.8", "192.0.2.9", "192.0.3.1") == [
        "wide", "mid", "self", "unknown",
    ]  # fmt: skip
    assert len(conflicts(catalogue)) == 0


def test_the_order_of_sources_beats_the_longer_prefix(catalogue):
    """Between sources the order decides, and the conflict says so; reversing it reverses that."""
    first = add(catalogue, "first", [("192.0.2.0/24", "a")], precedence=1)
    add(catalogue, "second", [("192.0.2.9", "b")], precedence=2)
    assert labels(catalogue, "192.0.2.9") == ["a"]
    (row,) = conflicts(catalogue).to_dict("records")
    assert (row["prefix"], row["label"], row["source"]) == ("192.0.2.9", "a", "first")
    assert (row["why"], row["against"]) == ("first in the order of sources", "second: b")
    set_precedence(catalogue, first, 3)
    assert labels(catalogue, "192.0.2.9", "192.0.2.8") == ["b", "a"]


def test_level_sources_are_told_apart_in_the_open(catalogue):
    """The longer prefix, then the one added first; the conflict says which rule it was."""
    add(catalogue, "one", [("192.0.2.0/24", "a"), ("198.51.100.1", "a")])
    add(catalogue, "two", [("192.0.2.9", "b"), ("198.51.100.1", "b")])
    assert labels(catalogue, "192.0.2.9", "198.51.100.1") == ["b", "a"]
    assert conflicts(catalogue)["why"].tolist() == [
        "level in the order, longer prefix (/32, not /24)",
        "level in the order, same prefix length, added first",
    ]


def test_a_source_that_contradicts_itself_says_nothing_there(catalogue):
    """Nothing is guessed: the next source speaks, or nobody; both are listed."""
    rows = [("192.0.2.1", "a"), ("192.0.2.1", "b"), ("192.0.2.2", "a"), ("192.0.2.2", "b")]
    add(catalogue, "torn", [*rows, ("192.0.2.0/24", "net")], precedence=1)
    add(catalogue, "calm", [("192.0.2.2", "c")], precedence=2)
    assert labels(catalogue, "192.0.2.1", "192.0.2.2", "192.0.2.3") == ["unknown", "c", "net"]
    found = conflicts(catalogue, hosts("192.0.2.1", "192.0.2.2", "192.0.2.3"))
    assert found["why"].tolist() == [
        "nobody wins: each source contradicts itself",
        "the other source contradicts itself",
    ]
    assert found["labels"].tolist() == ["a | b", "a | b | c"]


def test_aliases_end_conflicts(catalogue):
    """Two names of one organisation agree; an alias added later counts at once."""
    add(catalogue, "one", [("192.0.2.1", "cyber.casa"), ("192.0.2.2", "x")])
    add(catalogue, "two", [("192.0.2.1", "Driftnet"), ("192.0.2.2", "y")])
    assert labels(catalogue, "192.0.2.1") == ["driftnet"]
    assert conflicts(catalogue)["prefix"].tolist() == ["192.0.2.2"]
    set_alias(catalogue, "x", "y")
    assert len(conflicts(catalogue)) == 0
    assert labels(catalogue, "192.0.2.2") == ["y"]


def test_analysts_win_until_they_withdraw(catalogue):
    """A label given in the app beats lists; withdrawn, the list speaks again."""
    add(catalogue, "list", [("192.0.2.1", "a")])
    change = add_labels(catalogue, [parse_target("192.0.2.1")], "mine")
    assert labels(catalogue, "192.0.2.1") == ["mine"]
    assert len(conflicts(catalogue)) == 1
    withdraw(catalogue, change.added)
    assert labels(catalogue, "192.0.2.1") == ["a"]
    assert len(conflicts(catalogue)) == 0


def test_labels_bound_to_a_day(catalogue):
    """All days count by default; a day narrows to its own labels and those without one."""
    text = b"src_ip,label,day\n192.0.2.1,a,2021-12-01\n192.0.2.2,b,\n192.0.2.3,c,2021-12-02\n"
    add_list(catalogue, text, name="days")
    three = ("192.0.2.1", "192.0.2.2", "192.0.2.3")
    assert labels(catalogue, *three) == ["a", "b", "c"]
    assert labels(catalogue, *three, day="2021-12-01") == ["a", "b", "unknown"]


def test_claims_read_at_once_are_those_of_each_day(catalogue):
    """Day by day and all at once, repeats and withdrawn labels included: the same claims count."""
    rng = np.random.default_rng(3)
    names = ("", "2021-12-01", "2021-12-02", "2021-12-03")
    rows = [
        f"192.0.2.{rng.integers(6)},{rng.choice(['a', 'b'])},{rng.choice(names)}\n"
        for _ in range(60)
    ]
    for number in range(2):
        add_list(
            catalogue, ("src_ip,label,day\n" + "".join(rows[number:])).encode(), name=f"{number}"
        )
    change = add_labels(catalogue, [parse_target("192.0.2.1")], "mine")
    withdraw(catalogue, change.added[:1])
    days = ("2021-12-02", "2021-12-01", "2022-01-01")
    for day, found in zip(days, read_claims_by_day(catalogue, days), strict=True):
        alone = read_claims(catalogue, day=day)
        assert found.ids.tolist() == alone.ids.tolist()
        assert [found.names[place] for place in found.label] == [
            alone.names[place] for place in alone.label
        ]
        assert found.source.tolist() == alone.source.tolist()
    assert len(set(read_claims(catalogue).ids) - set(read_claims(catalogue, day=days[0]).ids)) > 1


def test_the_whole_address_space_and_its_ends(catalogue):
    """A /0 and the first and last address work."""
    add(catalogue, "all", [("0.0.0.0/0", "all"), ("255.255.255.255", "last")], wide=True)
    asked = np.array([0, BASE, 2**32 - 1], np.uint32)
    assert resolve(catalogue, asked).labels.tolist() == ["all", "all", "last"]


def test_claims_and_sources_of_the_winners_are_told(catalogue):
    """Each host leads back to the row of the catalogue; repeats of a host are fine."""
    source = add(catalogue, "one", [("192.0.2.1", "a")])
    found = resolve(catalogue, hosts("192.0.2.1", "192.0.2.9", "192.0.2.1"))
    (claim,) = catalogue.execute("SELECT id FROM label").fetchone()
    assert found.claim_ids.tolist() == [claim, -1, claim]
    assert found.source_ids.tolist() == [source, "", source]
    assert found.hosts.dtype == np.uint32


CLAIMS = st.lists(
    st.tuples(
        st.integers(0, 3), st.integers(0, 15), st.integers(28, 32), st.sampled_from("abcd")
    ),
    max_size=25,
)  # fmt: skip


def opinions_by_loop(claims, host):
    """Return {source: labels on its longest prefix over the host}, one claim at a time."""
    best = {}
    for source, offset, length, label in claims:
        target = target_of(BASE + offset, length)
        if not target.first_ip <= host <= target.last_ip:
            continue
        longest, said = best.get(source, (-1, set()))
        if length > longest:
            best[source] = (length, {label})
        elif length == longest:
            said.add(label)
    return best


def expected_label(claims, order, host):
    """Return who wins on a host by the rules as they are written down."""
    opinions = opinions_by_loop(claims, host)
    sure = [
        (order[source], -length, source, next(iter(said)))
        for source, (length, said) in opinions.items()
        if len(said) == 1
    ]
    return min(sure)[3] if sure else "unknown"


@given(CLAIMS, st.lists(st.integers(1, 3), min_size=4, max_size=4))
@settings(max_examples=150, deadline=None)
def test_resolving_equals_the_loop_over_every_claim(claims, order):
    """Random nested prefixes of four sources: labels and conflicts are those of brute force."""
    claims = [(s, o, n, "d" if label == "c" else label) for s, o, n, label in claims]
    connection = open_catalogue(Path(":memory:"))
    for source, precedence in enumerate(order):
        connection.execute(
            "INSERT INTO label_source (id, name, kind, added_at, precedence) "
            "VALUES (?, ?, 'csv', '', ?)",
            (str(source), str(source), precedence),
        )
        mine = [
            Claim(*target_of(BASE + offset, length), label, label)
            for owner, offset, length, label in claims
            if owner == source
        ]
        insert_claims(connection, str(source), mine, added_at="")
    set_alias(connection, "c", "d")
    found = resolve(connection, HOSTS).labels.tolist()
    disputed = conflicts(connection, HOSTS)
    regions = conflicts(connection)
    connection.close()
    assert found == [expected_label(claims, order, int(host)) for host in HOSTS]
    said = {
        int(host): set().union(*(labels for _, labels in opinions_by_loop(claims, host).values()))
        for host in HOSTS.tolist()
    }
    assert set(disputed["first_ip"]) == {host for host, names in said.items() if len(names) > 1}
    for row in disputed.to_dict("records"):
        assert set(row["labels"].split(" | ")) == said[row["first_ip"]]
        assert row["label"] == found[row["first_ip"] - BASE]
        assert any(
            first <= row["first_ip"] <= last
            for first, last in zip(regions["first_ip"], regions["last_ip"], strict=True)
        )


def test_many_hosts_are_resolved_against_many_claims(catalogue):
    """A hundred thousand claims, of which half of the hosts have one: each of those is labelled."""
    rng = np.random.default_rng(7)
    addresses = rng.integers(0, 2**32, 100_000)
    lengths = rng.choice([24, 28, 32], 100_000, p=[0.1, 0.1, 0.8])
    claims = [
        Claim(*target_of(int(address), int(length)), f"label {address % 50}", "x")
        for address, length in zip(addresses, lengths, strict=True)
    ]
    add_labels(catalogue, [parse_target("192.0.2.1")], "x")
    with transaction(catalogue):
        insert_claims(catalogue, "analyst", claims, added_at="")
    claimed = rng.choice(addresses, 30_000)
    asked = np.concatenate([claimed, rng.integers(0, 2**32, 30_000)])
    found = resolve(catalogue, asked.astype(np.uint32))
    assert found.labelled >= len(np.unique(claimed))


def test_coverage_counts_by_source_and_label(catalogue):
    """What each source says and what it wins, hosts counted once, lists without a match named."""
    add(catalogue, "one", [("192.0.2.0/30", "a"), ("192.0.2.9", "b")])
    add(catalogue, "two", [("192.0.2.1", "a"), ("192.0.2.12", "c")], precedence=900)
    add(catalogue, "far", [("203.0.113.1", "d")])
    found = coverage(catalogue, np.concatenate([HOSTS, HOSTS[:3]]))
    assert (found.hosts, found.labelled, found.labels) == (20, 6, {"a": 4, "b": 1, "c": 1})
    assert found.table.to_numpy().tolist() == [
        ["one", "csv", "a", 4, 4],
        ["one", "csv", "b", 1, 1],
        ["two", "csv", "a", 1, 0],
        ["two", "csv", "c", 1, 1],
    ]
    assert [(code, text.split(":")[0]) for code, text in found.warnings] == [("NO-OVERLAP", "far")]


def test_hosts_are_counted_by_source(catalogue):
    """What each says anything of, once a host, and what it wins; one without a match has 0."""
    first = add(catalogue, "one", [("192.0.2.0/30", "a"), ("192.0.2.1", "a"), ("192.0.2.1", "b")])
    second = add(catalogue, "two", [("192.0.2.1", "c"), ("192.0.2.12", "c")], precedence=900)
    far = add(catalogue, "far", [("203.0.113.1", "d")])
    found = coverage(catalogue, np.concatenate([HOSTS, HOSTS[:3]])).by_source
    assert found == {first: (4, 3), second: (2, 2), far: (0, 0)}
    assert coverage(catalogue, HOSTS[:0]).by_source == {first: (0, 0), second: (0, 0), far: (0, 0)}


def test_without_sources_there_is_nothing_to_count(catalogue):
    """An empty catalogue gives an empty answer."""
    assert coverage(catalogue, HOSTS).by_source == {}


def test_labels_that_meet_no_host_or_are_all_one_are_warned_about(catalogue):
    """T10: no overlap at all, and a ground truth of a single class."""
    add(catalogue, "one", [("192.0.2.1", "a")])
    far = coverage(catalogue, hosts("203.0.113.1"))
    assert [code for code, _ in far.warnings] == ["NO-OVERLAP", "NO-OVERLAP"]
    assert [code for code, _ in coverage(catalogue, HOSTS).warnings] == ["ONE-CLASS"]


def test_known_scanners_are_told_from_the_malicious(catalogue):
    """Organisations are known, botnets malicious, new labels other; unknown hosts are none."""
    rows = [("192.0.2.0", "Censys"), ("192.0.2.1", "mirai-like"), ("192.0.2.2", "new"),
            ("192.0.2.3", "cyber.casa")]  # fmt: skip
    add(catalogue, "one", rows)
    found = resolve(catalogue, HOSTS[:5])
    assert class_mask(catalogue, found, "known").tolist() == [True, False, False, True, False]
    assert class_mask(catalogue, found, "malicious").tolist() == [False, True] + [False] * 3
    assert class_mask(catalogue, found, "other").tolist() == [False, False, True, False, False]


def test_classes_are_editable(catalogue):
    """An edit counts for the label that an alias leads to, and the seed stays beneath."""
    set_label_class(catalogue, "Cyber-Casa", "malicious")
    set_label_class(catalogue, "new", "known")
    classes = label_classes(catalogue)
    assert (classes["driftnet"], classes["new"], classes["censys"]) == (
        "malicious", "known", "known"
    )  # fmt: skip
    assert {"new", "censys"} <= set(labels_of_class(catalogue, "known"))
    assert "driftnet" in labels_of_class(catalogue, "malicious")
    with pytest.raises(ValueError, match="CLASS"):
        set_label_class(catalogue, "new", "bad")


def test_the_real_lists_on_the_real_senders(shared_data, catalogue):
    """Every list of the test data loads or says why not; the ground truth keeps its counts."""
    refused = {}
    lists = sorted((shared_data / "labels").rglob("*.json"))
    lists += [shared_data / "labels" / "maltrail_mass_scanner.txt"]
    truth = shared_data / "scan-log-45d" / "ground_truth.csv"
    for path in (truth, *lists):
        try:
            report = add_list(catalogue, path.read_bytes(), name=path.name).report
        except ValueError as error:
            refused[path.stem] = error.code
            continue
        assert report["read"] == report["kept"] + sum(report["skipped"].values())
    assert refused == {"alphastrike-scanning": "WIDE", "security-provider-blogpost": "NO-ROWS"}
    rows = truth.read_text().split()[1:]
    senders = hosts(*(row.split(",")[0] for row in rows))
    found = resolve(catalogue, senders)
    assert found.labels.tolist() == [row.split(",")[1] for row in rows]
    assert found.counts()["shadowserver"] == 383
    assert len(list_sources(catalogue)) == 35
    assert all(prefix_text(int(ip), 32).count(".") == 3 for ip in conflicts(catalogue)["first_ip"])
