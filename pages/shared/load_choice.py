"""Choosing files: on this computer, in the workspace's inbox, or uploaded."""

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from darkgnn_core.inbox import keep_upload, list_inbox
from darkgnn_core.sources import find_files
from darkgnn_core.workspace import Workspace
from pages.shared.feedback import plain

PLACES = ("On this computer", "In the inbox folder", "Upload")
UPLOADS = "kept_uploads"


@dataclass(frozen=True)
class ChosenFile:
    """A file to load.

    Attributes:
        path: Where it is.
        name: What to call it.
        is_upload: Whether it lies in the inbox only until it is read.
    """

    path: Path
    name: str
    is_upload: bool = False


def choose_files(workspace: Workspace) -> list[ChosenFile]:
    """Ask for files; return those chosen, none while the analyst is still choosing."""
    st.write(
        "Captures (pcap, pcapng), the paper's per-packet logs, firewall and Zeek logs, CSV, TSV, "
        "JSON lines or Parquet; plain, gzip or zstd. What a file is, is told by its content."
    )
    place = st.segmented_control(
        "Where is the traffic?",
        PLACES,
        default=PLACES[0],
        key="load_place",
        required=True,
        help="This computer is the one on which darkgnn runs. Upload takes files from the one with "
        "your browser.",
    )
    if place == PLACES[0]:
        return _by_path()
    if place == PLACES[1]:
        return _from_inbox(workspace)
    return _uploaded(workspace)


def _by_path() -> list[ChosenFile]:
    given = st.text_input(
        "File or folder",
        key="load_path",
        placeholder="/data/captures/2021-12-01.pcap.gz",
        help="A folder stands for all files in it and in its sub-folders.",
    )
    if not given.strip():
        return []
    return _choose_among([Path(given.strip()).expanduser()])


def _from_inbox(workspace: Workspace) -> list[ChosenFile]:
    st.caption("Copy large traces into this folder; nothing needs to be uploaded then.")
    st.code(plain(str(workspace.inbox)), language=None)
    inside = list_inbox(workspace)
    if not inside:
        st.info("The inbox folder is empty.", icon=":material/inbox:")
        return []
    return _choose_among(inside)


def _choose_among(paths: list[Path]) -> list[ChosenFile]:
    found = find_files(paths)
    if len(found) == 1:
        return [ChosenFile(found[0], found[0].name)]
    chosen = st.multiselect(
        f"{len(found):,} files found; leave empty for all",
        range(len(found)),
        format_func=lambda place: plain(found[place].name),
        key="load_files",
        placeholder="All files",
        help="Files that are not chosen are left alone and can be loaded later.",
    )
    return [ChosenFile(found[place], found[place].name) for place in chosen or range(len(found))]


def _uploaded(workspace: Workspace) -> list[ChosenFile]:
    uploads = st.file_uploader(
        "Files up to 64 MB",
        accept_multiple_files=True,
        key="load_upload",
        max_upload_size=64,
        help="They lie in the inbox folder until they are read. Larger ones: give their path, or "
        "copy them into that folder.",
    )
    kept: dict[str, str] = st.session_state.get(UPLOADS, {})
    for upload in uploads:
        if upload.file_id not in kept or not Path(kept[upload.file_id]).exists():
            kept[upload.file_id] = str(keep_upload(workspace, upload.getvalue()))
    st.session_state[UPLOADS] = kept
    return [ChosenFile(Path(kept[each.file_id]), each.name, is_upload=True) for each in uploads]
