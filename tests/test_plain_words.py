"""Codes of reports in plain words."""

import re
from pathlib import Path

import pytest

from darkgnn_core.charts.plain_words import LEFT_OUT, LIST_LEFT_OUT, NOTES, WORDS, in_words
from darkgnn_core.traces import assembling, frame_values

CORE = Path(__file__).resolve().parents[1] / "darkgnn_core"


def test_every_reason_of_the_trace_readers_has_words():
    """Both lists of reasons, of frames and of rows."""
    reasons = {*assembling.REASONS, *frame_values.REASONS} - {""}
    assert reasons <= set(LEFT_OUT)


@pytest.mark.parametrize("folder", ["traces", "labels"])
def test_every_code_in_the_source_has_words(folder):
    """Codes that readers write out: skipped, noted, or raised as a bad target."""
    written = re.compile(r'(?:\.skip|\.note|BadTarget)\(\s*"([A-Za-z_-]+)"|notes\["([a-z0-9_]+)"\]')
    found = {
        code
        for path in (CORE / folder).glob("*.py")
        for pair in written.findall(path.read_text(encoding="utf-8"))
        for code in pair
        if code
    }
    assert len(found) > 5
    assert found <= set(WORDS), sorted(found - set(WORDS))


def test_words_are_told_apart():
    """No two lists give one code two meanings, and unknown codes stay readable."""
    assert not set(LEFT_OUT) & set(NOTES)
    assert all(LEFT_OUT[code] == LIST_LEFT_OUT[code] for code in set(LEFT_OUT) & set(LIST_LEFT_OUT))
    assert in_words("line_commit") == "line commit"
