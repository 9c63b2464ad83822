"""Lists looked at before they are added."""

from darkgnn_core.labels.lists import ListOptions
from darkgnn_core.labels.previewing import look_at_lists


def test_a_look_tells_kind_counts_and_what_is_held_back(tmp_path):
    """As adding would; the name shown is the one given."""
    path = tmp_path / "upload"
    path.write_text("src_ip,label\n192.0.2.1,a\n198.51.0.0/16,b\n")
    (look,) = look_at_lists([(path, "mine.csv")])
    assert (look.name, look.kind, look.message) == ("mine.csv", "csv", "")
    assert (look.report["read"], look.report["kept"]) == (2, 1)
    assert look.report["wide"] == [["198.51.0.0/16", "b"]]
    assert look.is_addable


def test_a_yes_to_wide_prefixes_keeps_them(tmp_path):
    """A list of nothing but wide prefixes is addable only then."""
    path = tmp_path / "wide.csv"
    path.write_text("src_ip,label\n198.51.0.0/16,b\n")
    (held,) = look_at_lists([(path, "wide.csv")])
    (taken,) = look_at_lists([(path, "wide.csv")], ListOptions(allow_wide=True))
    assert not held.is_addable
    assert (taken.is_addable, taken.report["kept"]) == (True, 1)


def test_a_file_that_is_no_list_says_why(tmp_path):
    """It does not stop the others, and neither does one that is gone."""
    (tmp_path / "a").write_bytes(b"\x00\x01\x02")
    (tmp_path / "b").write_text("src_ip,label\n192.0.2.1,a\n")
    files = [(tmp_path / name, name) for name in ("a", "gone", "b")]
    looks = look_at_lists(files)
    assert [look.is_addable for look in looks] == [False, False, True]
    assert all(look.message and not look.kind for look in looks[:2])
