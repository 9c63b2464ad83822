"""Train models: choose a method, see what it takes, start it; watch runs and go on with them."""

import streamlit as st

from darkgnn_core.runs import list_runs
from pages.shared import loaders, state
from pages.shared.label_told import show_said
from pages.shared.train_list import show_runs
from pages.shared.train_live import active_runs, show_under_way
from pages.shared.train_new import show_new_run
from pages.shared.train_views import RUNS, choose_view

st.title("Train models")
workspace = loaders.workspace_in_use()
show_said()
view = choose_view()
active = active_runs(list_runs(workspace))
if active:
    in_full = state.run_in_view() if view == RUNS else None
    show_under_way(str(workspace.root), tuple(run.id for run in active), in_full)
if view == RUNS:
    show_runs(workspace)
else:
    show_new_run(workspace)
