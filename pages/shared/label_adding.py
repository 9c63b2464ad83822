"""Adding lists of labels: choose files, see what they are, decide about wide prefixes, add."""

import contextlib
from dataclasses import replace
from pathlib import Path

import streamlit as st

from darkgnn_core.charts.label_tables import list_reasons, look_table, wide_table
from darkgnn_core.errors import LabelError
from darkgnn_core.inbox import keep_upload
from darkgnn_core.labels.csv_lists import DELIMITERS, CsvColumns
from darkgnn_core.labels.lists import ListOptions
from darkgnn_core.labels.previewing import ListLook
from darkgnn_core.labels.store import add_file
from darkgnn_core.sources import find_files
from darkgnn_core.workspace import Workspace
from pages.shared import loaders
from pages.shared.feedback import show_table
from pages.shared.label_told import done
from pages.shared.load_choice import ChosenFile

PLACES = ("On this computer", "Upload")
ROUND = "label_adding_round"
UPLOADS = "label_uploads"
DELIMITER_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}


def show_adding(workspace: Workspace) -> None:
    """Ask for lists, show what they would give, and add them."""
    st.write(
        "A CSV with an address or prefix and a label, a MISP warning list, a maltrail list or an "
        "ipset save file; plain, gzip or zstd. What a file is, is told by its content."
    )
    files = _choose(workspace)
    if not files:
        return
    options, note = _ask_options()
    pairs = [(each.path, each.name) for each in files]
    looks = loaders.list_looks(pairs, options)
    found = st.container()
    held_back = wide_table(look.report for look in looks)
    if len(held_back) and _allows_wide(len(held_back)):
        options = replace(options, allow_wide=True)
        looks = loaders.list_looks(pairs, options)
    with found:
        _show_looks(looks)
    if len(held_back):
        st.caption("The prefixes in question")
        show_table(held_back, "label_wide_table")
    addable = [file for file, look in zip(files, looks, strict=True) if look.is_addable]
    label = f"Add {len(addable):,} lists" if len(addable) > 1 else "Add this list"
    if st.button(
        label,
        key="label_add",
        type="primary",
        icon=":material/add:",
        disabled=not addable,
        help="The labels count at once; under Sources a list can be taken out again.",
    ):
        _add(workspace, addable, options, note)


def _choose(workspace: Workspace) -> list[ChosenFile]:
    place = st.segmented_control(
        "Where are the lists?",
        PLACES,
        default=PLACES[0],
        key="label_place",
        required=True,
        help="This computer is the one on which darkgnn runs. Upload takes files from the one with "
        "your browser.",
    )
    turn = st.session_state.get(ROUND, 0)  # a new key after each addition empties the field
    return _by_path(turn) if place == PLACES[0] else _uploaded(workspace, turn)


def _by_path(turn: int) -> list[ChosenFile]:
    given = st.text_input(
        "File or folder",
        key=f"label_path_{turn}",
        placeholder="/data/labels/scanners.csv",
        help="A folder stands for all files in it and in its sub-folders.",
    )
    if not given.strip():
        return []
    found = find_files([Path(given.strip()).expanduser()])
    return [ChosenFile(path, path.name) for path in found]


def _uploaded(workspace: Workspace, turn: int) -> list[ChosenFile]:
    uploads = st.file_uploader(
        "Lists up to 64 MB",
        accept_multiple_files=True,
        key=f"label_upload_{turn}",
        help="They are only looked at until you add them. For larger ones, give their path.",
    )
    kept: dict[str, str] = st.session_state.get(UPLOADS, {})
    for upload in uploads:
        if upload.file_id not in kept or not Path(kept[upload.file_id]).exists():
            kept[upload.file_id] = str(keep_upload(workspace, upload.getvalue()))
    st.session_state[UPLOADS] = kept
    return [ChosenFile(Path(kept[each.file_id]), each.name, is_upload=True) for each in uploads]


def _ask_options() -> tuple[ListOptions, str]:
    with st.expander("Settings, where a list is not read as you expect"):
        left, right = st.columns(2)
        label = left.text_input(
            "One label for all of it",
            key="label_for_all",
            help="For MISP lists and ipset files. Empty: taken from the name of the list or set.",
        )
        generic = right.text_input(
            "Label where no organisation is named",
            key="label_generic",
            help="For maltrail lists, such as 'mass scanner'. Empty: such rows are left out.",
        )
        columns = _ask_columns()
        note = st.text_input(
            "Note to keep with the list",
            key="label_note",
            max_chars=500,
            help="For people, such as where the list is from; it changes no label.",
        )
    return ListOptions(label.strip() or None, columns, generic.strip() or None), note.strip()


def _ask_columns() -> CsvColumns:
    first, second, third = st.columns(3, vertical_alignment="bottom")
    delimiter = first.selectbox(
        "CSV: fields are separated by",
        list(DELIMITERS),
        format_func=DELIMITER_NAMES.__getitem__,
        key="label_delimiter",
        help="Holds for all CSV lists chosen here.",
    )
    address = second.text_input(
        "CSV: column of the address",
        key="label_address_column",
        placeholder="guessed",
        help="Its name in the first row. Empty: found by usual names, such as ip or prefix.",
    )
    label = third.text_input(
        "CSV: column of the label",
        key="label_label_column",
        placeholder="guessed",
        help="Its name in the first row. Empty: found by usual names, such as label or class.",
    )
    has_header = st.toggle(
        "The first row of a CSV names its columns",
        value=True,
        key="label_header",
        help="If it does not, the first column is the address and the second the label.",
    )
    return CsvColumns(address.strip() or None, label.strip() or None, delimiter, has_header)


def _allows_wide(count: int) -> bool:
    st.warning(
        f"{count:,} prefixes are wider than /24: each labels more than 256 addresses at once. "
        "They are held back unless you say yes.",
        icon=":material/warning:",
    )
    return st.checkbox(
        "Yes, take prefixes wider than /24, too",
        key="label_allow_wide",
        help="Every host in them then has the label, unless a source above it says otherwise. "
        "Without it the rest of the list is still added.",
    )


def _show_looks(looks: list[ListLook]) -> None:
    show_table(look_table(looks), "label_looks")
    st.caption("read = kept + skipped; held back are prefixes that wait for your yes, below")
    skipped = list_reasons((look.report for look in looks), "skipped")
    if len(skipped):
        st.caption("Skipped, by reason")
        show_table(skipped, "label_looks_skipped")
    notes = list_reasons((look.report for look in looks), "notes")
    if len(notes):
        st.caption("Worth knowing")
        show_table(notes, "label_looks_notes")


def _add(workspace: Workspace, files: list[ChosenFile], options: ListOptions, note: str) -> None:
    words = {"added": "added", "already": "there already", "replaced": "read again"}
    told = dict.fromkeys((*words.values(), "refused"), 0)
    for file in files:
        outcome = "refused"
        with contextlib.suppress(LabelError), workspace.catalogue() as connection:
            added = add_file(connection, file.path, name=file.name, options=options, note=note)
            outcome = words[added.outcome]
        told[outcome] += 1
        if file.is_upload:
            file.path.unlink(missing_ok=True)
    st.session_state[ROUND] = st.session_state.get(ROUND, 0) + 1
    counts = ", ".join(f"{count:,} {word}" for word, count in told.items() if count)
    done(f"Lists: {counts}. What became of their rows is under Sources.")
