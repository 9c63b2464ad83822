"""MISP, maltrail and ipset lists, and telling lists apart by content."""

import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkgnn_core.errors import LabelError
from darkgnn_core.labels.ipset import read_ipset
from darkgnn_core.labels.lists import ListOptions, detect, read_content, read_list
from darkgnn_core.labels.maltrail import organisation_of as maltrail_organisation
from darkgnn_core.labels.maltrail import read_maltrail
from darkgnn_core.labels.misp import organisation_of as misp_organisation
from darkgnn_core.labels.misp import read_misp
from darkgnn_core.labels.reading import read_file

MISP = {
    "name": "Example IP Ranges Used for Scanning",
    "type": "cidr",
    "version": 3,
    "list": ["192.0.2.0/30", "192.0.2.9", "192.0.2.9/32", "2001:db8::/32", "198.51.0.0/16",
             "scan.example.org", 7, "203.0.113.5/31"],
}  # fmt: skip

MALTRAIL = """# comment
192.0.2.1 # pinger1.netsec.example.edu
192.0.2.2   # Example Laboratory
192.0.2.3 # (unknown)
192.0.2.4
2001:db8::1 # scan.example.org
192.0.2.1 # pinger1.netsec.example.edu
C192.0.2.5 # scan.example.org
192.0.2.6 # ec2-192-0-2-6.compute.amazonaws.com
    """

IPSET = """create scanners hash:net family inet hashsize 1024 maxelem 65536
add scanners 192.0.2.0/24
add scanners 198.51.100.7 timeout 0 comment "hello there"
add scanners 198.51.100.8,tcp:80
add scanners 192.0.2.7 nomatch
add six 2001:db8::/32
add scanners 203.0.113.1-203.0.113.4
add scanners 10.0.0.0/8
what is this
"""


def balance(report):
    """Say whether every row is accounted for."""
    return report.read == report.kept + sum(report.skipped.values())


def test_a_misp_list_is_read():
    """Addresses and prefixes are kept under the list's organisation, the rest is counted."""
    claims, report = read_misp(json.dumps(MISP).encode(), name="example.json")
    assert [c.prefix for c in claims] == ["192.0.2.0/30", "192.0.2.9", "203.0.113.4/31"]
    assert {(c.label, c.evidence) for c in claims} == {
        ("example", "MISP warning list Example IP Ranges Used for Scanning, version 3")
    }
    assert dict(report.skipped) == {
        "duplicate": 1, "ipv6": 1, "wide_prefix": 1, "hostname": 1, "not_text": 1
    }  # fmt: skip
    assert balance(report)


@pytest.mark.parametrize(
    ("title", "organisation"),
    [
        ("Alphastrike research IP Ranges Used for Scanning", "Alphastrike research"),
        ("CIRCL IP address used for SSH scanning", "CIRCL"),
        ("List of published IP address ranges for Modat Scanner", "Modat"),
        ("List of published IP address ranges for A B Foundation scanners", "A B Foundation"),
        ("NetSecScan IP-Ranges, pot. used for Scanning", "NetSecScan"),
        ("Shodan IP-Ranges, pot. used for Scanning", "Shodan"),
        ("Research scanner IP Ranges Used for Scanning", "Research scanner"),
        ("List of known sinkholes", "sinkholes"),
        ("One two three four five six seven", "the-file"),
    ],
)
def test_the_organisation_of_a_misp_list(title, organisation):
    """The words around the organisation go; a title that is a sentence gives way to the file."""
    assert misp_organisation({"name": title}, "the-file-nt-scanning.json") == organisation


@pytest.mark.parametrize(
    "content",
    [b"{", b"[]", b"{}", b'{"list": 3}', b"[" * 100_000, b'{"list":' + b"9" * 5000 + b"}"],
)
def test_what_is_no_misp_list_is_refused(content):
    """Broken, deep and wrong JSON gives one named error."""
    with pytest.raises(LabelError) as caught:
        read_misp(content, name="x.json")
    assert caught.value.code == "MISP"


def test_a_maltrail_list_is_read():
    """The organisation comes from the reverse name; lines without one are counted."""
    claims, report = read_maltrail(MALTRAIL.encode(), name="mass")
    assert [(c.prefix, c.label) for c in claims] == [
        ("192.0.2.1", "example"),
        ("192.0.2.2", "example laboratory"),
    ]
    assert claims[0].evidence == "reverse name pinger1.netsec.example.edu"
    assert dict(report.skipped) == {
        "no_organisation": 2, "ipv6": 1, "duplicate": 1, "hostname": 1, "hosting_name": 1
    }  # fmt: skip
    assert report.examples == [(8, "hostname")]
    assert balance(report)


def test_nameless_addresses_can_have_a_generic_label():
    """With a generic label the lines without an organisation are kept."""
    claims, report = read_maltrail(MALTRAIL.encode(), name="mass", generic_label="mass scanner")
    assert [c.prefix for c in claims if c.label == "mass scanner"] == ["192.0.2.3", "192.0.2.4"]
    assert balance(report)


@pytest.mark.parametrize(
    ("comment", "organisation"),
    [
        (" scan-02h.example.org. ", "example"),
        ("a.b.example.ac.uk", "example"),
        ("example.io (parking)", "example"),
        ("co.uk", "co"),
        ("ANSSI", "ANSSI"),
        ("", ""),
        ("(unknown)", ""),
    ],
)
def test_the_organisation_of_a_comment(comment, organisation):
    """Registered part of a domain, or the text itself, without remarks."""
    assert maltrail_organisation(comment) == organisation


def test_an_ipset_file_is_read():
    """Entries are labelled with their set; ranges split; exceptions and IPv6 are left out."""
    claims, report = read_ipset(IPSET.encode(), name="sets")
    assert [c.prefix for c in claims] == [
        "192.0.2.0/24", "198.51.100.7", "198.51.100.8",
        "203.0.113.1", "203.0.113.2/31", "203.0.113.4",
    ]  # fmt: skip
    assert {c.label for c in claims} == {"scanners"}
    assert dict(report.skipped) == {"nomatch": 1, "ipv6": 1, "wide_prefix": 1, "not_a_command": 1}
    assert report.notes["ranges_split"] == 1
    assert balance(report)


def test_an_ipset_file_that_adds_nothing_is_refused():
    """Text without an `add` line is no ipset file."""
    with pytest.raises(LabelError) as caught:
        read_ipset(b"create s hash:net\n", name="sets")
    assert caught.value.code == "IPSET"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (json.dumps(MISP).encode(), "misp"),
        (b"\xef\xbb\xbf {}", "misp"),
        (MALTRAIL.encode(), "maltrail"),
        (b"192.0.2.1\n192.0.2.2\n", "maltrail"),
        (IPSET.encode(), "ipset"),
        (b"# by hand\nadd s 192.0.2.1\n", "ipset"),
        (b"src_ip,label\n192.0.2.1,a\n", "csv"),
        (b"src_ip;label\n", "csv"),
        (b"", None),
        (b"# nothing\n", None),
        (b"hello\nworld\n", None),
        (b"\xd4\xc3\xb2\xa1\x02\x00", None),
    ],
)
def test_kinds_are_told_by_content(content, kind):
    """A list is known by what is in it, never by its name."""
    assert detect(content) == kind


def test_options_reach_the_readers():
    """A label for the whole list and the explicit yes to wide prefixes are obeyed."""
    options = ListOptions(label="ours", allow_wide=True)
    kind, claims, _ = read_list(json.dumps(MISP).encode(), name="x", options=options)
    assert kind == "misp"
    assert {c.label for c in claims} == {"ours"}
    assert "198.51.0.0/16" in [c.prefix for c in claims]


def test_what_is_no_list_is_refused():
    """Anything else is refused with the kinds that are read."""
    for content, code in ((b"hello\nworld\n", "KIND"), (b"", "EMPTY")):
        with pytest.raises(LabelError, match="MISP") as caught:
            read_list(content, name="x")
        assert caught.value.code == code


def test_packed_files_are_unpacked_and_damage_is_told(tmp_path):
    """A gzip file works; a cut one, a folder and a missing file are LabelErrors."""
    packed = gzip.compress(b"src_ip,label\n192.0.2.1,a\n" * 100)
    (tmp_path / "a.gz").write_bytes(packed)
    (tmp_path / "cut.gz").write_bytes(packed[:-20])
    with (tmp_path / "a.gz").open("rb", buffering=0) as raw:
        assert read_content(raw, "a.gz").startswith(b"src_ip")
    for name, code in (
        ("cut.gz", "CUT"), (".", "NOT-A-REGULAR-FILE"), ("gone", "NO-SUCH-FILE")
    ):  # fmt: skip
        with pytest.raises(LabelError) as caught:
            read_file(tmp_path / name)
        assert caught.value.code == code


@given(st.binary(max_size=120), st.sampled_from(["misp", "maltrail", "ipset", "csv"]))
def test_any_bytes_are_read_or_refused(content, kind):
    """Fuzz: hostile bytes give balanced reports or a LabelError, nothing else."""
    heads = {
        "misp": b'{"list":[',
        "maltrail": b"192.0.2.1 #",
        "ipset": b"add s 192.0.2.1",
        "csv": b"",
    }
    for start in (b"", heads[kind]):
        try:
            _, _, report = read_list(start + content, name="fuzz", kind=kind)
        except LabelError:
            continue
        assert balance(report)
