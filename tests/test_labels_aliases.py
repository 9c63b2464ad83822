"""The alias table: seed, edits, chains and cycles."""

from pathlib import Path

import pytest

from darkgnn_core.catalogue import open_catalogue
from darkgnn_core.errors import LabelError
from darkgnn_core.labels.aliases import SEED, list_aliases, read_aliases, remove_alias, set_alias
from darkgnn_core.labels.texts import fold


@pytest.fixture
def catalogue():
    """Give an empty catalogue in memory."""
    connection = open_catalogue(Path(":memory:"))
    yield connection
    connection.close()


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("cyber.casa", "driftnet"),
        ("internet-measurement", "driftnet"),
        ("xpanse", "palo alto"),
        ("Expanse", "palo alto"),
        ("internet-census", "internetcensus"),
        ("BitSight", "internetcensus"),
        ("u_mich", "umich"),
        ("Alpha Strike Labs", "alphastrike"),
        ("netsystemsresearch", "netsystems"),
        ("Mirai-like", "mirai"),
        ("Brute-forcers", "bruteforcer"),
        ("sinkholes", "sinkhole"),
    ],
)
def test_the_seed_knows_the_names_of_public_lists(catalogue, name, label):
    """Names that public lists use for one organisation lead to one label."""
    assert read_aliases(catalogue)[fold(name)] == label


def test_the_seed_is_folded_and_ends_in_one_step():
    """Every seeded name is in the form that is compared, and no target is itself an alias."""
    assert all(fold(alias) == alias and fold(label) == label for alias, label in SEED.items())
    assert not set(SEED.values()) & set(SEED)


def test_shadowforce_is_not_shadowserver(catalogue):
    """They are two organisations with similar names."""
    aliases = read_aliases(catalogue)
    assert aliases.get("shadowforce", "shadowforce") == "shadowforce"


def test_chains_are_followed_to_their_end(catalogue):
    """An alias of an alias gives the last label."""
    set_alias(catalogue, "One", "two")
    set_alias(catalogue, "two", "Cyber-Casa")
    assert read_aliases(catalogue)["one"] == "driftnet"
    line = next(line for line in list_aliases(catalogue) if line.alias == "one")
    assert (line.label, line.resolves_to, line.origin) == ("two", "driftnet", "edited")


def test_cycles_are_refused(catalogue):
    """Neither a name that stands for itself nor a longer circle can be made."""
    set_alias(catalogue, "one", "two")
    set_alias(catalogue, "two", "three")
    for alias, label in (("three", "one"), ("four", "four"), ("driftnet", "cyber.casa")):
        with pytest.raises(LabelError) as caught:
            set_alias(catalogue, alias, label)
        assert caught.value.code == "ALIAS-CYCLE"
    assert "three" not in read_aliases(catalogue)


def test_a_circle_made_outside_ends_all_the_same(catalogue):
    """Rows written past the check do not hang the reading."""
    catalogue.execute("INSERT INTO label_alias VALUES ('a', 'b'), ('b', 'a')")
    assert read_aliases(catalogue)["a"] in {"a", "b"}


def test_seed_and_edits_can_be_removed_and_changed(catalogue):
    """A seeded alias can be switched off and set again; an edited one goes for good."""
    remove_alias(catalogue, "bitsight")
    assert "bitsight" not in read_aliases(catalogue)
    set_alias(catalogue, "bitsight", "bitsight sec")
    assert read_aliases(catalogue)["bitsight"] == "bitsight sec"
    set_alias(catalogue, "mine", "yours")
    remove_alias(catalogue, "Mine")
    with pytest.raises(LabelError) as caught:
        remove_alias(catalogue, "mine")
    assert caught.value.code == "NO-ALIAS"


def test_aliases_are_checked_as_labels(catalogue):
    """Hidden characters can't get in through the alias table."""
    with pytest.raises(LabelError):
        set_alias(catalogue, "a\u200b", "b")
