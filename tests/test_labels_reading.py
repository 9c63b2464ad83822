"""Files of labels are read in a confined process: the same claims, and no crash of the caller."""

import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from darkgnn_core.errors import LabelError
from darkgnn_core.labels.csv_lists import CsvColumns
from darkgnn_core.labels.lists import ListOptions, read_list
from darkgnn_core.labels.previewing import look_at_lists
from darkgnn_core.labels.reading import READER, read_file
from darkgnn_core.traces import confined
from darkgnn_core.traces.confined import Confined

ROOT = Path(__file__).resolve().parents[1]
IPSET = b"create s hash:net\nadd s 192.0.2.0/30\nadd s 203.0.113.1-203.0.113.9\n"
LISTS = [
    (b"src_ip,label,day,confidence\n192.0.2.1,a,2021-12-01,.5\n192.0.2.1,B,,\n", ListOptions()),
    (b"192.0.2.1;caf\xc3\xa9\n", ListOptions(columns=CsvColumns(0, 1, ";", has_header=False))),
    (b'{"name": "Acme", "list": ["192.0.2.1", "10.0.0.0/8", 7]}', ListOptions(label="b")),
    (b"192.0.2.1 # scan.example.org\n192.0.2.2\n", ListOptions(generic_label="mass scanner")),
    (IPSET, ListOptions(allow_wide=True)),
    (b"src_ip,label\n" + b"".join(b"192.0.2.%d,l%d\n" % (i, i) for i in range(256)), ListOptions()),
]


@pytest.mark.parametrize(("content", "options"), LISTS)
def test_the_confined_process_gives_what_the_readers_give(tmp_path, content, options) -> None:
    """Kind, claims in their order, and the whole report, of every kind of list."""
    path = tmp_path / "list"
    path.write_bytes(content)
    kind, claims, report = read_list(content, name="list", options=options)
    read = read_file(path, options=options)
    assert (read.kind, read.claims, read.report) == (kind, claims, report)
    assert read_file(path, options=options, with_claims=False).claims == []


@pytest.fixture(scope="module")
def reader():
    """One confined process for all examples."""
    with Confined(READER) as shared:
        yield shared


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(content=st.one_of(st.binary(max_size=80), st.text(max_size=80).map(lambda t: t.encode())))
def test_any_bytes_get_the_same_refusal(tmp_path, reader, content) -> None:
    """Code and message cross the border of the process unchanged."""
    path = tmp_path / "list"
    path.write_bytes(b"src_ip,label\n" + content)
    refusal = None
    try:
        expected = read_list(path.read_bytes(), name="list")
    except LabelError as error:
        refusal = (error.code, str(error))
    if refusal is None:
        read = read_file(path, reader=reader)
        assert (read.kind, read.claims, read.report) == expected
        return
    with pytest.raises(LabelError) as caught:
        read_file(path, reader=reader)
    assert (caught.value.code, str(caught.value)) == refusal


def test_a_crash_is_told_and_costs_one_list_only(tmp_path, monkeypatch) -> None:
    """The app's look at several lists goes on after one that kills its reader."""
    program = """
import os, signal, sys
from darkgnn_core.labels import child
from darkgnn_core.traces.serving import serve

def read(request):
    if request["name"] == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    return child.read(request)

sys.exit(serve({"read": read}))
"""
    monkeypatch.setattr(confined, "command_of", lambda module: (sys.executable, "-c", program))
    names = ["a", "crash", "b"]
    for name in names:
        (tmp_path / name).write_text(f"src_ip,label\n192.0.2.1,{name}\n")
    looks = look_at_lists([(tmp_path / name, name) for name in names])
    assert [look.is_addable for look in looks] == [True, False, True]
    assert "confined reader" in looks[1].message
    with pytest.raises(LabelError) as caught:
        read_file(tmp_path / "crash")
    assert caught.value.code == "IN-CRASH"


def test_no_module_reads_files_of_labels_in_its_own_process() -> None:
    """Only the confined process opens them; the catalogue's own function takes text made here."""
    callers = {
        path.relative_to(ROOT).as_posix()
        for folder in ("darkgnn_core", "pages")
        for path in (ROOT / folder).rglob("*.py")
        if any(name in path.read_text(encoding="utf-8") for name in ("read_list(", "add_list("))
    }
    assert callers == {
        "darkgnn_core/labels/child.py",
        "darkgnn_core/labels/lists.py",
        "darkgnn_core/labels/store.py",
    }
