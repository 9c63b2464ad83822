"""Sources of labels in the catalogue: added once, ordered, removed, remembered."""

from pathlib import Path

import pytest

from darkgnn_core.catalogue import open_catalogue, transaction
from darkgnn_core.errors import LabelError
from darkgnn_core.labels.aliases import set_alias
from darkgnn_core.labels.analyst import add_labels, undo, withdraw
from darkgnn_core.labels.classes import set_label_class
from darkgnn_core.labels.lists import ListOptions
from darkgnn_core.labels.store import (
    add_file,
    add_list,
    history,
    labels_by_arrival,
    list_sources,
    move_source,
    remove_source,
    set_order,
    set_precedence,
    standing_labels,
    state_of,
)
from darkgnn_core.labels.targets import parse_target

CSV = b"src_ip,label\n192.0.2.1,a\n198.51.0.0/16,b\n"
MALTRAIL = b"192.0.2.1 # scan.example.org\n192.0.2.2 # scan.example.org\n"


@pytest.fixture
def catalogue():
    """Give an empty catalogue in memory."""
    connection = open_catalogue(Path(":memory:"))
    yield connection
    connection.close()


def count(catalogue):
    """Return how many claims there are."""
    return catalogue.execute("SELECT count(*) FROM label").fetchone()[0]


def test_a_list_becomes_a_source_with_its_report(catalogue):
    """Name, kind, hash, order, report and number of labels are kept."""
    added = add_list(catalogue, CSV, name="mine.csv", note="from a colleague")
    (source,) = list_sources(catalogue)
    assert added.outcome == "added"
    assert (source.id, source.name, source.kind) == (added.source_id, "mine.csv", "csv")
    assert (source.precedence, source.labels, source.note) == (200, 1, "from a colleague")
    assert source.report["skipped"] == {"wide_prefix": 1}
    assert source.report["wide"] == [["198.51.0.0/16", "b"]]


def test_the_same_file_twice_adds_nothing(catalogue):
    """By its bytes, whatever it is called."""
    first = add_list(catalogue, CSV, name="one.csv")
    again = add_list(catalogue, CSV, name="two.csv")
    assert (again.outcome, again.source_id) == ("already", first.source_id)
    assert again.report == first.report
    assert count(catalogue) == 1


def test_saying_yes_to_wide_prefixes_afterwards_completes_the_source(catalogue):
    """The same bytes with other options replace the claims and keep the place in the order."""
    first = add_list(catalogue, CSV, name="one.csv")
    set_precedence(catalogue, first.source_id, 7)
    again = add_list(catalogue, CSV, name="one.csv", options=ListOptions(allow_wide=True))
    assert (again.outcome, again.source_id) == ("replaced", first.source_id)
    (source,) = list_sources(catalogue)
    assert (source.labels, source.precedence, source.report["wide"]) == (2, 7, [])


def test_a_refused_list_leaves_nothing_behind(catalogue):
    """Neither a source nor a claim stays of a list with a bad row."""
    with pytest.raises(LabelError):
        add_list(catalogue, CSV + b"bad,c\n", name="bad.csv")
    assert list_sources(catalogue) == []
    assert count(catalogue) == 0


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"2001:db8::1 # scan.example.org\n", "NO-ROWS"),
        (b"src_ip,label\n198.51.0.0/16,b\n", "WIDE"),
    ],
)
def test_a_list_of_which_nothing_stays_is_refused_with_the_reason(catalogue, content, code):
    """All IPv6, or all held back: the message says which."""
    with pytest.raises(LabelError) as caught:
        add_list(catalogue, content, name="x")
    assert caught.value.code == code


def test_hostile_names_are_only_shown(catalogue, tmp_path):
    """A file's name is cleaned, never used as a path or markup."""
    (tmp_path / "plain").write_bytes(CSV)
    add_list(catalogue, CSV, name="../../\u202e\x00x" + "y" * 300)
    (source,) = list_sources(catalogue)
    assert source.name.startswith("../../??x")
    assert len(source.name) == 120
    assert add_file(catalogue, tmp_path / "plain").outcome == "already"


def test_kinds_have_their_place_in_the_order(catalogue):
    """Analysts before CSV before community lists, however they came in."""
    add_list(catalogue, MALTRAIL, name="mass")
    add_list(catalogue, CSV, name="mine.csv")
    add_labels(catalogue, [parse_target("192.0.2.9")], "c")
    assert [source.kind for source in list_sources(catalogue)] == ["analyst", "csv", "maltrail"]


def test_the_order_is_editable(catalogue):
    """`set_order` puts the sources as asked; a new source still finds its place."""
    mass = add_list(catalogue, MALTRAIL, name="mass").source_id
    mine = add_list(catalogue, CSV, name="mine.csv").source_id
    set_order(catalogue, [mass, mine])
    assert [source.id for source in list_sources(catalogue)] == [mass, mine]
    other = add_list(catalogue, b"src_ip,label\n192.0.2.3,a\n", name="other.csv").source_id
    assert [source.id for source in list_sources(catalogue)] == [mass, mine, other]


def test_an_order_must_name_every_source_once(catalogue):
    """Unknown, missing and repeated ids are refused and change nothing."""
    mass = add_list(catalogue, MALTRAIL, name="mass").source_id
    mine = add_list(catalogue, CSV, name="mine.csv").source_id
    before = list_sources(catalogue)
    for order in ([mass], [mass, mine, "x"], [mass, mine, mass]):
        with pytest.raises(LabelError) as caught:
            set_order(catalogue, order)
        assert caught.value.code == "NO-SOURCE"
    with pytest.raises(LabelError):
        set_precedence(catalogue, "x", 1)
    assert list_sources(catalogue) == before


def test_removing_a_source_takes_its_labels(catalogue):
    """Other sources stay; what is gone can be added again; ids not there are refused."""
    mass = add_list(catalogue, MALTRAIL, name="mass").source_id
    add_list(catalogue, CSV, name="mine.csv")
    remove_source(catalogue, mass)
    assert [source.kind for source in list_sources(catalogue)] == ["csv"]
    assert count(catalogue) == 1
    with pytest.raises(LabelError):
        remove_source(catalogue, mass)
    assert add_list(catalogue, MALTRAIL, name="mass").outcome == "added"


def test_what_analysts_said_is_not_removed_as_a_source(catalogue):
    """Their labels are withdrawn, not wiped."""
    add_labels(catalogue, [parse_target("192.0.2.9")], "c")
    with pytest.raises(LabelError) as caught:
        remove_source(catalogue, "analyst")
    assert caught.value.code == "ANALYST"


def test_the_history_tells_who_said_what_of_a_host(catalogue):
    """By address, prefixes that hold it included, the latest first; and by source."""
    add_list(catalogue, CSV, name="mine.csv", options=ListOptions(allow_wide=True))
    mass = add_list(catalogue, MALTRAIL, name="mass").source_id
    rows = history(catalogue, address=parse_target("192.0.2.1").first_ip)
    assert [(row["label"], row["source"]) for row in rows] == [
        ("example", "mass"),
        ("a", "mine.csv"),
    ]
    inside = history(catalogue, address=parse_target("198.51.100.9").first_ip)
    assert [row["prefix_len"] for row in inside] == [16]
    assert len(history(catalogue, source_id=mass)) == 2
    assert len(history(catalogue, limit=1)) == 1


def test_adding_inside_a_callers_transaction_follows_it(catalogue):
    """Rolled back with everything else the caller did."""
    with pytest.raises(RuntimeError), transaction(catalogue):
        add_list(catalogue, CSV, name="mine.csv")
        raise RuntimeError
    assert list_sources(catalogue) == []


def test_label_text_can_not_become_sql(catalogue):
    """Labels are bound, never pasted."""
    add_list(catalogue, b'src_ip,label\n192.0.2.1,"\'); DROP TABLE label;--"\n', name="x")
    assert history(catalogue)[0]["raw_label"] == "'); DROP TABLE label;--"


def test_the_state_changes_with_everything_that_labels_depend_on(catalogue):
    """A cache keyed by it never shows an old label; reading alone changes nothing."""
    states = [state_of(catalogue), state_of(catalogue)]
    assert states.pop() == states[0]
    source = add_list(catalogue, CSV, name="x", options=ListOptions(allow_wide=True)).source_id
    states.append(state_of(catalogue))
    change = add_labels(catalogue, [parse_target("192.0.2.1")], "b")
    states.append(state_of(catalogue))
    undo(catalogue, withdraw(catalogue, change.added))
    states.append(state_of(catalogue))
    set_precedence(catalogue, source, 9)
    states.append(state_of(catalogue))
    set_alias(catalogue, "p", "q")
    states.append(state_of(catalogue))
    set_label_class(catalogue, "q", "known")
    states.append(state_of(catalogue))
    remove_source(catalogue, source)
    states.append(state_of(catalogue))
    assert len(set(states)) == len(states) == 8


def test_the_state_changes_when_a_list_is_read_again(catalogue):
    """With as many rows as before, under the same ids, but another label."""
    ipset = b"add s 192.0.2.1\n"
    add_list(catalogue, ipset, name="x", options=ListOptions(label="one"))
    before = state_of(catalogue)
    add_list(catalogue, ipset, name="x", options=ListOptions(label="two"))
    assert state_of(catalogue) != before


def test_the_state_tells_which_label_was_taken_back(catalogue):
    """One instead of the other: as many withdrawals, but another state."""
    change = add_labels(catalogue, [parse_target("192.0.2.1"), parse_target("192.0.2.2")], "b")
    first, second = change.added
    withdraw(catalogue, [first])
    before = state_of(catalogue)
    catalogue.execute("UPDATE label SET withdrawn_at = NULL WHERE id = ?", (first,))
    catalogue.execute("UPDATE label SET withdrawn_at = added_at WHERE id = ?", (second,))
    assert state_of(catalogue) != before


def test_a_source_moves_by_places(catalogue):
    """Up and down, and no further than the ends."""
    for name in ("a", "b", "c"):
        add_list(catalogue, f"src_ip,label\n192.0.2.1,{name}\n".encode(), name=name)
    first, second, third = (source.id for source in list_sources(catalogue))
    move_source(catalogue, third, -1)
    assert [each.id for each in list_sources(catalogue)] == [first, third, second]
    move_source(catalogue, first, 1)
    move_source(catalogue, second, 1)
    move_source(catalogue, third, -1)
    assert [each.id for each in list_sources(catalogue)] == [third, first, second]
    with pytest.raises(LabelError) as error:
        move_source(catalogue, "nobody", 1)
    assert error.value.code == "NO-SOURCE"


def test_standing_labels_leave_out_those_taken_back(catalogue):
    """The latest first, of one source only."""
    add_list(catalogue, CSV, name="x")
    gone = add_labels(catalogue, [parse_target("192.0.2.7")], "a")
    add_labels(catalogue, [parse_target("192.0.2.8")], "b")
    add_labels(catalogue, [parse_target("192.0.2.9")], "c")
    withdraw(catalogue, gone.added)
    assert [row["label"] for row in standing_labels(catalogue, "analyst")] == ["c", "b"]
    assert len(standing_labels(catalogue, "analyst", limit=1)) == 1


def test_labels_stand_in_the_order_they_came(catalogue):
    """Not by name; a label that is taken back goes, and comes back to its place."""
    for label in ("zoo", "worm", "ant"):
        add_labels(catalogue, [parse_target("192.0.2.1")], label)
        add_labels(catalogue, [parse_target(f"198.51.100.{len(label)}")], label)
    assert labels_by_arrival(catalogue) == ("worm", "ant")
    add_labels(catalogue, [parse_target("203.0.113.9")], "zoo")
    assert labels_by_arrival(catalogue) == ("zoo", "worm", "ant")
