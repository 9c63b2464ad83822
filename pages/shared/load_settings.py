"""How files are read: settings of the whole load, and those of single files that need others.

They are kept while the same files are chosen, whichever of them is looked at; other files start
anew, so that no zone or year of an earlier load is taken over unseen.
"""

import zlib
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, TypedDict
from zoneinfo import available_timezones

import streamlit as st

from darkgnn_core.traces.reading import ReadOptions
from pages.shared import loaders
from pages.shared.feedback import plain
from pages.shared.load_choice import ChosenFile

KEPT = "load_settings"
WIDGETS = ("load_timezone", "load_year", "load_own", "load_max_days")
ALL = ""
"""Scope of the settings that hold for every file without settings of its own."""

FIRST_YEAR = 1995
MOST_DAYS = 20_000


class Settings(TypedDict):
    """What an analyst set: a mapping as JSON text (empty: guess), a time zone, a year."""

    mapping: str
    timezone: str | None
    year: int | None


def start_with(files: Sequence[ChosenFile]) -> None:
    """Forget the settings of other files."""
    mark = zlib.crc32("\n".join(str(each.path) for each in files).encode("utf-8", "replace"))
    if st.session_state.get(KEPT, {}).get("mark") == mark:
        return
    st.session_state[KEPT] = {"mark": mark, "by_scope": {}}
    for key in list(st.session_state):
        if str(key).startswith(WIDGETS):
            del st.session_state[key]


def ask_scope(file: ChosenFile, files: Sequence[ChosenFile]) -> str:
    """Ask whether the settings below are this file's own; return whose they are."""
    if len(files) == 1:
        return ALL
    scope = str(file.path)
    key = _key("load_own", scope)
    st.session_state.setdefault(key, scope in _kept())
    is_own = st.toggle(
        "Settings of its own for this file",
        key=key,
        help="Which column is what, the time zone and the year below then hold for this file only; "
        "otherwise for all files without settings of their own.",
    )
    if not is_own:
        _kept().pop(scope, None)
        return ALL
    _kept().setdefault(scope, Settings(mapping="", timezone=None, year=None))
    return scope


def settings_of(scope: str) -> Settings:
    """Return what was set for a file, or for all."""
    return _kept().get(scope, Settings(mapping="", timezone=None, year=None))


def set_mapping(scope: str, mapping: str) -> None:
    """Keep a mapping, as JSON text; empty to guess."""
    _kept()[scope] = settings_of(scope) | {"mapping": mapping}


def ask_timezone(scope: str) -> str | None:
    """Ask for the zone of times without one."""
    zones = ["UTC", *sorted(zone for zone in available_timezones() if "/" in zone)]
    key = _key("load_timezone", scope)
    st.session_state.setdefault(key, settings_of(scope)["timezone"])
    zone = st.selectbox(
        "Its times carry no zone. Which zone was the sensor's clock in?",
        zones,
        index=None,
        key=key,
        placeholder="Choose a time zone",
        help="Times are turned into UTC from it; with the wrong zone, packets land hours off.",
    )
    _kept()[scope] = settings_of(scope) | {"timezone": zone}
    return zone


def ask_year(scope: str, assumed: int) -> int | None:
    """Ask for the year of times without one."""
    key = _key("load_year", scope)
    st.session_state.setdefault(key, settings_of(scope)["year"])
    year = st.number_input(
        "Its times carry no year. Which year is the first line of?",
        min_value=FIRST_YEAR,
        max_value=datetime.now(UTC).year,
        value=None,
        key=key,
        placeholder=f"{assumed}, the latest that fits",
        help="Where the lines go on from December to January, the next year begins by itself.",
    )
    _kept()[scope] = settings_of(scope) | {"year": year}
    return year


def ask_max_days() -> int:
    """Ask how many days a trace may span."""
    with st.expander("Limits"):
        return int(
            st.number_input(
                "Most days that one file may span",
                min_value=1,
                max_value=MOST_DAYS,
                value=ReadOptions().max_days,
                key="load_max_days",
                help="A wrong clock or a wrong column of times looks like packets of many days; "
                "raise this where the file really spans more.",
            )
        )


def tell_own(files: Sequence[ChosenFile]) -> None:
    """Say which files have settings of their own."""
    names = [each.name for each in files if str(each.path) in _kept()]
    if names:
        more = f" and {len(names) - 5:,} more" if len(names) > 5 else ""
        st.text(plain(f"With settings of their own: {', '.join(names[:5])}{more}"))


def job_options(files: Sequence[ChosenFile], max_days: int) -> dict[str, Any]:
    """Return the part of a loading job's settings that says how files are read."""
    own = [str(each.path) for each in files if str(each.path) in _kept()]
    return {
        "options": _options(ALL, max_days),
        "own_options": {scope: _options(scope, max_days) for scope in own},
    }


def _options(scope: str, max_days: int) -> dict[str, Any]:
    of = settings_of(scope)
    mapping = loaders.mapping_of(of["mapping"]) if of["mapping"] else None
    return asdict(ReadOptions(mapping, of["timezone"], of["year"], max_days))


def _kept() -> dict[str, Settings]:
    by_scope: dict[str, Settings] = st.session_state[KEPT]["by_scope"]
    return by_scope


def _key(name: str, scope: str) -> str:
    """Return a widget's key: of all files the plain name, of one file with a mark of it."""
    return f"{name}_{zlib.crc32(scope.encode('utf-8', 'replace'))}" if scope else name
