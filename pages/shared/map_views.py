"""A map as the page needs it: which hosts of which day it shows, and where."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from darkgnn_core.maps.packing import points_id
from darkgnn_core.maps.projecting import turned_towards
from darkgnn_core.runs import Run
from darkgnn_core.workspace import Workspace
from pages.shared import map_loaders as loaded

Method = Literal["pca", "tsne"]
METHOD = "map_method"
METHODS: dict[Method, str] = {"pca": "Principal components", "tsne": "t-SNE"}


@dataclass(frozen=True, eq=False)
class MapView:
    """One map on the page, n hosts of which m are shown.

    Attributes:
        name: Which one of the page: `left` or `right`.
        run: Whose embedding it is of.
        day: Its day.
        method: How it was made.
        all_hosts: uint32 (n,), ascending.
        shown: bool (n,), hosts that are shown; the others are known scanners, hidden.
        all_points: float32 (n, 2).
        trust: float32 (n,), or None where it is not known.
        chain: Maps of one chain can be compared place by place.
        id: Stands for the points that are shown.
    """

    name: str
    run: Run
    day: str
    method: Method
    all_hosts: npt.NDArray[np.uint32]
    shown: npt.NDArray[np.bool_]
    all_points: npt.NDArray[np.float32]
    trust: npt.NDArray[np.float32] | None
    chain: str
    id: str

    @property
    def hosts(self) -> npt.NDArray[np.uint32]:
        """Hosts that are shown, uint32 (m,)."""
        return self.all_hosts[self.shown]

    @property
    def points(self) -> npt.NDArray[np.float32]:
        """Their places, float32 (m, 2)."""
        return self.all_points[self.shown]

    @property
    def frame(self) -> str:
        """Maps of one frame share the view: zooming in stays when the day changes."""
        return f"{self.name} {self.run.id} {self.method} {self.chain}"

    def among(self, hosts: npt.NDArray[np.uint32]) -> npt.NDArray[np.bool_]:
        """Say which hosts of the day, shown or not, are among some hosts, bool (n,)."""
        found: npt.NDArray[np.bool_] = np.isin(self.all_hosts, hosts, assume_unique=True)
        return found


def make_view(
    workspace: Workspace,
    run: Run,
    day: str,
    method: Method,
    *,
    name: str = "left",
    hide_known: bool = False,
    beside: MapView | None = None,
) -> MapView | None:
    """Return a map, or None where its points are still to be made.

    Args:
        workspace: Where the run is.
        run: The run.
        day: A day it embedded.
        method: How the map is made.
        name: Which map of the page.
        hide_known: Leave out known scanners.
        beside: A map to turn it towards, where it is of another run.
    """
    trust: npt.NDArray[np.float32] | None
    if method == "tsne":
        stored = loaded.stored_map(workspace, run, day)
        if stored is None:
            return None
        hosts, points, trust, chain = stored.hosts, stored.points, stored.trust, stored.chain
    else:
        points, hosts = loaded.plane(workspace, run, day), loaded.hosts(workspace, run, day)
        trust, chain = loaded.plane_trust(workspace, run, day), "plane"
    if beside is not None and (beside.run.id, beside.chain) != (run.id, chain):
        points = turned_towards(
            points, hosts, beside.all_points, beside.all_hosts, fits_size=method == "tsne"
        )
    shown = np.ones(len(hosts), bool)
    if hide_known:
        shown &= ~loaded.labels(workspace, run, day).is_known
    return MapView(
        name=name, run=run, day=day, method=method, all_hosts=hosts, shown=shown,
        all_points=points, trust=trust, chain=chain, id=points_id(points[shown], hosts[shown]),
    )  # fmt: skip
