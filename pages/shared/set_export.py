"""Hosts of a set as a file to hand on: made when asked for, safe to open in a spreadsheet."""

import numpy as np
import numpy.typing as npt

from darkgnn_core.set_tables import csv_of_hosts
from darkgnn_core.workspace import Workspace
from pages.shared import state
from pages.shared.csv_export import offer_table


def offer_csv(workspace: Workspace, hosts: npt.NDArray[np.uint32], key: str) -> None:
    """Offer the hosts as a CSV: address, label and who says so, on the day in view.

    Args:
        workspace: Whose labels count.
        hosts: uint32 (n,), addresses.
        key: Start of the key of the button.
    """
    day = state.day()
    offer_table(
        "CSV",
        lambda: csv_of_hosts(workspace, hosts, day=day),
        name="hosts",
        key=f"{key}_csv",
        disabled=len(hosts) == 0,
        help="Address, label and its source. Texts that a spreadsheet would run are made harmless.",
    )
