"""Labels as text: reliability rows T1, T2, T6 and T14."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkgnn_core.errors import LabelError
from darkgnn_core.labels.texts import clean_label, clean_name, decode, fold, is_visible


@pytest.mark.parametrize(
    "text", ["NA", "null", "None", "nan", "007", "1e5", "True", "-", "\U0001f600", "=1+1", "a" * 64]
)
def test_odd_labels_stay_the_text_they_are(text):
    """Nothing that looks like a missing value, number or formula is turned into one."""
    assert clean_label(f"  {text}\t") == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "a" * 65,
        "a" * 10_000,
        "zero\u200bwidth",
        "right\u202eto left",
        "bell\x07",
        "\x1b[31mred",
        "two\nlines",
        "\u3164",
        "\u2800",
        "lone\ud800surrogate",
        "no\u00a0break",
        "\U000e0041",
        "x\U000e0100",
    ],
)
def test_hidden_long_and_empty_labels_are_refused(text):
    """A label that can't be seen for what it is, is refused with LABEL and an ASCII message."""
    with pytest.raises(LabelError) as caught:
        clean_label(text)
    assert caught.value.code == "LABEL"
    assert str(caught.value).isascii()


def test_decomposed_and_composed_spellings_are_one():
    """NFD and NFC text give the same label."""
    assert clean_label("cafe\u0301") == clean_label("caf\u00e9") == "caf\u00e9"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("U_Mich", "u mich"),
        ("Internet-Census", "internet  census"),
        ("cyber.casa", "CYBER CASA"),
        ("stra\u00dfe", "STRASSE"),
        ("heart\u2764\ufe0f", "heart\u2764"),
    ],
)
def test_case_and_separators_do_not_tell_labels_apart(one, other):
    """Spellings of one name fold to the same form."""
    assert fold(one) == fold(other)


def test_labels_of_separators_alone_keep_their_form():
    """A label without a letter does not become empty."""
    assert fold("-") == "-"


@given(st.text(max_size=80))
def test_a_clean_label_is_clean_for_good(text):
    """What was accepted is visible, short, and cleaning or folding again changes nothing."""
    try:
        label = clean_label(text)
    except LabelError:
        return
    assert clean_label(label) == label
    assert is_visible(label)
    assert 1 <= len(label) <= 64
    assert fold(fold(label)) == fold(label) != ""


@given(st.text(max_size=300))
def test_names_of_files_are_made_visible(text):
    """Any name becomes 1 to 120 visible characters."""
    assert 1 <= len(clean_name(text)) <= 120
    assert is_visible(clean_name(text))


@pytest.mark.parametrize("content", [b"\xef\xbb\xbfa\r\nb", b"a\rb", b"a\nb"])
def test_byte_order_mark_and_line_ends_are_taken_off(content):
    """BOM, CRLF and CR-only files read the same."""
    assert decode(content, "x") == "a\nb"


@pytest.mark.parametrize(
    ("content", "code", "position"),
    [
        ("a,b".encode("utf-16"), "ENCODING", "byte 0"),
        (b"a,b\nc,\xe9\n", "ENCODING", "byte 6"),
        (b"a,b\nc,\x00\n", "ENCODING", "byte 6"),
        (b"", "EMPTY", "EMPTY"),
        (b"\n \n", "EMPTY", "EMPTY"),
        (b"x" * ((1 << 20) + 1), "LIMIT", "LIMIT"),
        (b"\n" * 5_000_001 + b"x", "LIMIT", "LIMIT"),
        (b"x" * ((64 << 20) + 1), "LIMIT", "LIMIT"),
    ],
)
def test_bytes_that_are_no_text_list_are_refused(content, code, position):
    """The message says what is wrong and at which byte."""
    with pytest.raises(LabelError, match=position) as caught:
        decode(content, "x")
    assert caught.value.code == code
