"""Clusters of a day: their settings, found in the background, what is said of one."""

import streamlit as st

from darkgnn_core.charts.map_words import cohesion_words
from darkgnn_core.jobs import cancel_job
from darkgnn_core.maps.cluster_job import StoredClusters, clusters_job, queue_clusters
from darkgnn_core.maps.clustering import ClusterSettings
from darkgnn_core.maps.telling import closeness
from darkgnn_core.maps.trusting import TRUST_NEIGHBOURS
from darkgnn_core.run_store import read_run
from darkgnn_core.runs import Run
from darkgnn_core.workspace import Workspace
from pages.shared import loaders
from pages.shared import map_loaders as loaded
from pages.shared.feedback import safe, user_errors_shown

HOSTS, SAMPLES = "cluster_hosts", "cluster_samples"
USUAL = ClusterSettings()
METHOD = "HDBSCAN"
EVERY_S = 1.0
Recipe = dict[str, str | int]


def choose_settings() -> None:
    """Ask what counts as a cluster."""
    st.number_input(
        "Hosts of a cluster, at least",
        2,
        10_000,
        USUAL.min_hosts,
        key=HOSTS,
        width=260,
        bind="query-params",
        help="HDBSCAN in the full space of the run, over each host's nearest hosts. Hosts that lie "
        "close to no cluster are noise.",
    )
    st.number_input(
        "Neighbours that say how dense it is",
        1,
        TRUST_NEIGHBOURS,
        USUAL.min_samples,
        key=SAMPLES,
        width=260,
        bind="query-params",
        help="More of them make more noise, and clusters that hold together more firmly.",
    )


def settings() -> ClusterSettings:
    """Return what counts as a cluster now."""
    hosts = st.session_state.get(HOSTS) or USUAL.min_hosts
    samples = st.session_state.get(SAMPLES) or USUAL.min_samples
    return ClusterSettings(int(hosts), int(samples))


def see_to_clusters(workspace: Workspace, run: Run, day: str) -> StoredClusters | None:
    """Return the clusters of a day; None while they are looked for, which is started and shown."""
    wanted = settings()
    found = loaded.clusters(workspace, run, day, wanted)
    if found is not None:
        return found
    job = clusters_job(workspace, run.id, day, wanted)
    if job is None or job.state == "done":  # its file is gone, or of another embedding
        queue_clusters(workspace, run.id, day, wanted)
        job = clusters_job(workspace, run.id, day, wanted)
    if job is not None and job.is_active:
        watch(str(workspace.root), run.id, day, wanted.min_hosts, wanted.min_samples)
    elif job is not None:
        row = st.container(horizontal=True, vertical_alignment="center")
        words = "You cancelled it." if job.state == "cancelled" else job.message
        row.warning(f"There are no clusters: {safe(words)}", icon=":material/warning:")
        if row.button(
            "Find them",
            key="clusters_again",
            icon=":material/replay:",
            help="Looks for the clusters of this day again, in the background.",
        ):
            queue_clusters(workspace, run.id, day, wanted)
            st.rerun()
    return None


@st.fragment(run_every=EVERY_S)
@user_errors_shown()
def watch(root: str, run_id: str, day: str, min_hosts: int, min_samples: int) -> None:
    """Show how far the clusters of a day are; run the page again when that has ended."""
    workspace = loaders.workspace_at(root)
    job = clusters_job(workspace, run_id, day, ClusterSettings(min_hosts, min_samples))
    if job is None or not job.is_active:
        st.rerun()
    step = "waiting to start" if job.state == "queued" else job.progress.get("step", "starting")
    share = float(job.progress.get("share", 0.0))
    row = st.container(horizontal=True, vertical_alignment="center")
    row.progress(round(min(max(share, 0.0), 1.0), 3), text=safe(f"Clusters of {day}: {step}"))
    if row.button(
        "Cancel",
        key="clusters_cancel",
        icon=":material/cancel:",
        help="Ends the search; no clusters are kept, and you can have them looked for again.",
    ):
        cancel_job(workspace, job.id)
        st.rerun()


def recipe_of(run_id: str, day: str, wanted: ClusterSettings, number: int) -> Recipe:
    """Return how the hosts of a cluster came about, for a set."""
    return {
        "kind": "cluster",
        "method": METHOD,
        "run": run_id,
        "day": day,
        "min_hosts": wanted.min_hosts,
        "min_samples": wanted.min_samples,
        "cluster": number,
    }


def tell_cohesion(
    workspace: Workspace, run_id: str, day: str, wanted: ClusterSettings, number: int
) -> None:
    """Say how close together the hosts of a cluster lie."""
    run = read_run(workspace, run_id)
    found = loaded.clusters(workspace, run, day, wanted)
    if found is None:
        return
    inside = found.labels == number
    near = loaded.neighbours(workspace, run, day, may_find=False)
    rows, over = loaded.rows(workspace, run, day), loaded.day_similarity(workspace, run, day)
    close = closeness(rows, inside, None if near is None else near.near, day=over)
    words = cohesion_words(number, int(inside.sum()), close.inside, close.day, close.kept)
    st.caption(safe(words))
