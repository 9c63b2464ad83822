"""The 37 features of a host as they are: what an embedding must beat.

    z_u^t = mean of x_u^s over the bins s in {t-D+1, ..., t} in which u was seen

x_u^s (37,) are the features of host u in bin s, scaled within the bin (`GraphConfig.scaling`):
each column by its maximum, by ranks, or not at all. D = 1 gives the features of the day.

Shapes: n hosts of the day; z float32 (n, 37).

Source: ours; the columns are the paper's (Table 1).
"""

import numpy as np
import numpy.typing as npt

from darkgnn_core.baselines.daily import Floats, TableTrainer
from darkgnn_core.run_config import TableConfig
from darkgnn_core.run_days import Days


def mean_features(days: Days, position: int, over_days: int) -> npt.NDArray[np.float64]:
    """Return the mean scaled features of a day's hosts over the last bins that saw them.

    Args:
        days: Of the run.
        position: Of the day.
        over_days: How many bins, the day itself the last; fewer where the run begins later.

    Returns:
        float64 (n, 37), hosts of the day by address.
    """
    today = days.snapshot(position)
    total = today.host_features.astype(np.float64)
    times = np.ones((len(today.hosts), 1))
    for earlier in range(max(0, position - over_days + 1), position):
        before = days.snapshot(earlier)
        _, here, there = np.intersect1d(
            today.hosts, before.hosts, assume_unique=True, return_indices=True
        )
        total[here] += before.host_features[there]
        times[here] += 1
    return total / times


class FeaturesTrainer(TableTrainer):
    """The features of each day, or their mean over the last `settings.days` days."""

    def rows(self, position: int, settings: TableConfig) -> Floats:
        """Return the features of a day's hosts."""
        return mean_features(self.days, position, settings.days)
