"""Browse embeddings: a map of a day's hosts; select some, and see what sets them apart."""

import streamlit as st

from pages.shared import loaders
from pages.shared.cluster_choice import see_to_clusters
from pages.shared.context import day_of, run_needed
from pages.shared.map_browsing import browse, choose_map
from pages.shared.map_colouring import CLUSTER, choice
from pages.shared.map_job import see_to_map
from pages.shared.map_keeping import put_back
from pages.shared.map_of_set import offer_own_view

st.title("Browse embeddings")
workspace = loaders.workspace_in_use()
put_back(workspace)
run = run_needed(workspace)
day = None if run is None else day_of(run)
if run is not None and day is not None:
    offer_own_view(workspace, run, day)
    method = choose_map(run, day)
    if method == "tsne":
        see_to_map(workspace, run, day)
    if choice() == CLUSTER:
        see_to_clusters(workspace, run, day)
    browse(str(workspace.root), run.id, day, method)
