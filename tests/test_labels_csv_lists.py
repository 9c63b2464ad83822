"""CSV lists of labels: reliability rows T1 to T9, T14 and T15."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkgnn_core.errors import LabelError
from darkgnn_core.labels.csv_lists import CsvColumns, read_csv
from darkgnn_core.labels.targets import prefix_text, target_of


def read(text, **options):
    """Read a CSV list given as text."""
    return read_csv(text.encode(), name="list.csv", **options)


def refusal(text, **options):
    """Return the error that a CSV list is refused with."""
    with pytest.raises(LabelError) as caught:
        read(text, **options)
    return caught.value


def test_a_plain_list_is_read():
    """Addresses and prefixes become claims with label, spelling and evidence."""
    claims, report = read("src_ip,label\n192.0.2.1,Censys\n198.51.100.0/24,u_mich\n")
    assert [(c.prefix, c.label, c.raw_label, c.evidence) for c in claims] == [
        ("192.0.2.1", "censys", "Censys", "row 2 of the list"),
        ("198.51.100.0/24", "u mich", "u_mich", "row 3 of the list"),
    ]
    assert (report.read, report.kept, dict(report.skipped)) == (2, 2, {})


@pytest.mark.parametrize(
    "header", ["IP,Class", "Prefix,Organisation", "label,src-ip", "x,Host,tag"]
)
def test_common_header_names_are_understood(header):
    """The columns are found by many names, in any order."""
    names = header.split(",")
    values = {"x": "1", "label": "a", "Class": "a", "Organisation": "a", "tag": "a"}
    row = ",".join(values.get(name, "192.0.2.1") for name in names)
    claims, _ = read(f"{header}\n{row}\n")
    assert [(c.prefix, c.label) for c in claims] == [("192.0.2.1", "a")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_and_byte_order_mark_make_no_difference(end):
    """T1: BOM, CRLF and CR-only files are accepted."""
    claims, _ = read_csv(
        ("\ufeff" + end.join(["src_ip,label", "192.0.2.1,a", ""])).encode(), name="x"
    )
    assert len(claims) == 1


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("src_ip;label\n192.0.2.1;a\n", "COLUMNS", "';'"),
        ("src_ip\tlabel\n192.0.2.1\ta\n", "COLUMNS", "delimiter"),
        ("192.0.2.1,a\n192.0.2.2,b\n", "COLUMNS", "no header"),
        ("src_ip,colour\n192.0.2.1,a\n", "COLUMNS", "expected src_ip,label"),
        ("src_ip,label,label\n192.0.2.1,a,b\n", "COLUMNS", "twice"),
        ("src_ip,label\n", "NO-ROWS", "NO-ROWS"),
        ("# only\n# comments\n", "EMPTY", "EMPTY"),
        ("src_ip,label\n192.0.2.1\n", "ROW", "row 2: 1 fields, expected 2"),
        ("src_ip,label\n192.0.2.1,a,b\n", "ROW", "row 2: 3 fields, expected 2"),
        ('src_ip,label\n192.0.2.1,"a\n', "ROW", "row 2"),
        ('src_ip,label\n192.0.2.1,"a"b"c"\n', "ROW", "row 2"),
        ("src_ip,label\n192.0.2.1,a\n3221225985,a\n", "IP", "row 3.*not an integer"),
        ("src_ip,label\n192.0.2.01,a\n", "IP", "row 2.*leading zeros"),
        ("src_ip,label\n192.0.2.1:80,a\n", "IP", "row 2.*port"),
        ("src_ip,label\nscan.example.org,a\n", "IP", "row 2.*name"),
        ("src_ip,label\nfe80::1%eth0,a\n", "IP", "row 2.*zone"),
        ("src_ip,label\n,a\n", "IP", "row 2"),
        ("src_ip,label\n192.0.2.5/24,a\n", "IP", "192.0.2.0/24 or the one address 192.0.2.5"),
        ("src_ip,label\n192.0.2.1,\n", "LABEL", "row 2"),
        ("src_ip,label\n192.0.2.1,a\u200b\n", "LABEL", "row 2"),
        ("src_ip,label,day\n192.0.2.1,a,2021-13-01\n", "VALUE", "row 2"),
        ("src_ip,label,confidence\n192.0.2.1,a,1.5\n", "VALUE", "row 2"),
        ("src_ip,label\n192.0.2.1," + "a" * 70_000 + "\n", "LIMIT", "field"),
        ("src_ip,label\n192.0.2.1," + "a" * 140_000 + "\n", "LIMIT", "limit"),
        ("src_ip,label" + ",x" * 300 + "\n", "LIMIT", "columns"),
    ],
)
def test_a_bad_list_is_refused_whole_with_the_row(text, code, says):
    """Rows T2 to T8, T14, T15: code, row and the way out are in the message."""
    error = refusal(text)
    assert error.code == code
    with pytest.raises(LabelError, match=says):
        raise error


def test_the_first_bad_rows_are_named_and_the_others_counted():
    """With many bad rows the message names five and says how many more there are."""
    error = refusal("src_ip,label\n" + "bad,a\n" * 9)
    assert all(f"row {row}:" in str(error) for row in range(2, 7))
    assert "4 more" in str(error)
    assert "nothing was added" in str(error)


def test_another_delimiter_is_read_when_chosen():
    """What the message suggests works."""
    claims, _ = read("src_ip;label\n192.0.2.1;a\n", columns=CsvColumns(delimiter=";"))
    assert claims[0].label == "a"


def test_columns_can_be_said_by_name_and_by_position():
    """Files with other names, or without any, are read with a mapping."""
    by_name, _ = read("who,what\n192.0.2.1,a\n", columns=CsvColumns(address="who", label="what"))
    swapped = CsvColumns(address=1, label=0, has_header=False)
    by_place, _ = read("a,192.0.2.1\n", columns=swapped)
    assert [c.label for c in by_name + by_place] == ["a", "a"]
    assert refusal("a,192.0.2.1\n", columns=CsvColumns(address=5, label=0, has_header=False))


def test_extra_columns_are_ignored_and_listed():
    """T4: a column that is not used is named in the report."""
    _, report = read("src_ip,asn,label,note\n192.0.2.1,1,a,x\n")
    assert report.ignored_columns == ["asn", "note"]


def test_day_evidence_and_confidence_are_taken_where_given():
    """The optional columns fill the claim."""
    claims, _ = read(
        "src_ip,label,day,evidence,confidence\n192.0.2.1,a,2021-12-31,seen,0.75\n192.0.2.2,a,,,\n"
    )
    assert [(c.day, c.evidence, c.confidence) for c in claims] == [
        ("2021-12-31", "seen", 0.75),
        (None, "", None),
    ]


@pytest.mark.parametrize("text", ["NA", "null", "None", "nan", "007", "1e5", "True"])
def test_labels_that_other_readers_lose_stay_text(text):
    """T6: no label becomes missing, a number or a truth value."""
    claims, _ = read(f"src_ip,label\n192.0.2.1,{text}\n")
    assert claims[0].raw_label == text


def test_equal_rows_are_merged_and_spellings_shown():
    """T6, T9: the same label twice is one claim; merged spellings are in the report."""
    claims, report = read("src_ip,label\n192.0.2.1,Mirai\n192.0.2.1,mirai\n192.0.2.1/32,MIRAI\n")
    assert len(claims) == 1
    assert (report.read, report.kept, dict(report.skipped)) == (3, 1, {"duplicate": 2})
    assert report.spellings == {"mirai": ["Mirai", "mirai", "MIRAI"]}


def test_contradictory_rows_are_listed():
    """T9: one address with two labels is in the list of conflicts."""
    _, report = read("src_ip,label\n192.0.2.1,a\n192.0.2.1,b\n192.0.2.2,a\n")
    assert report.conflicts == [("192.0.2.1", ("a", "b"))]
    assert report.conflicting == 1


def test_labels_of_different_days_do_not_contradict():
    """A host may change: two labels bound to different days stand, one for good does not."""
    rows = "src_ip,label,day\n192.0.2.1,a,2021-12-01\n192.0.2.1,b,2021-12-02\n"
    assert read(rows)[1].conflicting == 0
    assert read(rows + "192.0.2.1,c,\n")[1].conflicts[0][0] == "192.0.2.1"


def test_ipv6_unknown_and_wide_rows_are_counted():
    """Rows that can't or needn't be labels are counted, and the sum is that of the rows."""
    claims, report = read(
        "src_ip,label\n2001:db8::1,a\n::ffff:192.0.2.1,a\n192.0.2.2,Unknown\n198.51.0.0/16,a\n"
    )
    assert [c.prefix for c in claims] == ["192.0.2.1"]
    assert dict(report.skipped) == {"ipv6": 1, "says_unknown": 1, "wide_prefix": 1}
    assert report.wide == [("198.51.0.0/16", "a")]
    assert report.read == report.kept + sum(report.skipped.values()) == 4
    assert report.notes["mapped_ipv6"] == 1


def test_wide_prefixes_are_kept_on_an_explicit_yes():
    """A /16 becomes a claim only when allowed."""
    claims, report = read("src_ip,label\n198.51.0.0/16,a\n", allow_wide=True)
    assert [c.prefix for c in claims] == ["198.51.0.0/16"]
    assert report.wide == []


def test_messages_never_carry_hostile_text_raw():
    """What a message quotes is ASCII, escaped and short."""
    message = str(refusal("src_ip,label\n\u202e<img src=x>" + "y" * 500 + ",a\n"))
    assert message.isascii()
    assert len(message) < 400


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2**32 - 1),
            st.integers(24, 32),
            st.text("abcdwxyz", min_size=1, max_size=9),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_written_rows_are_read_back(rows):
    """Any list of prefixes and labels comes back as the distinct claims it holds."""
    lines = [(target_of(ip, length), label) for ip, length, label in rows if label != "unknown"]
    text = io.StringIO()
    text.write("src_ip,label\n0.0.0.0,zero\n")
    for target, label in lines:
        text.write(f"{prefix_text(target.first_ip, target.prefix_len)},{label}\n")
    claims, report = read(text.getvalue())
    expected = {(*target, label) for target, label in lines} | {(0, 0, 32, "zero")}
    assert {(c.first_ip, c.last_ip, c.prefix_len, c.label) for c in claims} == expected
    assert report.read == report.kept + sum(report.skipped.values())


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_by_name(content):
    """Fuzz: nothing but a LabelError comes out of hostile bytes."""
    for start in (b"", b"src_ip,label\n"):
        try:
            _, report = read_csv(start + content, name="fuzz")
        except LabelError:
            continue
        assert report.read == report.kept + sum(report.skipped.values())
