"""What a set of hosts is called now: its make-up by label."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from darkgnn_core.set_tables import label_counts
from darkgnn_core.workspace import Workspace
from pages.shared import state


def labels_now(workspace: Workspace, hosts: npt.NDArray[np.uint32]) -> pd.DataFrame:
    """Return the labels of hosts on the day in view: `label`, `hosts`, the most frequent first."""
    return label_counts(workspace, hosts, day=state.day())
