"""The paper's published numbers, as facts, in one place; everything else reads them from here.

Source: L. Gioacchini, A. Cavallo, M. Mellia, L. Vassio, "Exploring Temporal GNN Embeddings for
Darknet Traffic Analysis", GNNet 2023, doi:10.1145/3630049.3630175. Table 2, Table 3 and section 4.2
from its text; the curves of Figures 4a and 4b from the notebooks that its authors released with it.
"""

from collections.abc import Mapping
from types import MappingProxyType

from darkgnn_core.demo import PAPER_TABLE2

__all__ = ["PAPER_TABLE2"]

CITATION = (
    "Gioacchini, Cavallo, Mellia, Vassio: Exploring Temporal GNN Embeddings for Darknet Traffic "
    "Analysis, GNNet 2023, doi:10.1145/3630049.3630175"
)

DAYS = 31
FIRST_DAY, LAST_DAY = "2021-12-01", "2021-12-31"
HOSTS = 60_106
"""Of its data set, which is a month of a /24 darknet; section 3."""

TEST_DAYS = 11
TRAIN_DAYS = 20

COLUMNS = (
    "gcn, no features",
    "i-gcn, no features",
    "gcn-gru, no features",
    "i-gcn-gru, no features",
    "gcn",
    "i-gcn",
    "gcn-gru",
    "i-gcn-gru",
)
"""Columns of Table 3, by the names of our rows."""

_TABLE3 = """
Mirai-like     22878 0.63 0.03 0.76 0.02 0.69 0.03 0.72 0.02 0.98 0.00 0.98 0.00 0.86 0.04 0.98 0.00
Brute-forcer    3530 0.10 0.04 0.53 0.03 0.53 0.03 0.52 0.01 0.62 0.03 0.61 0.03 0.61 0.03 0.63 0.03
Spammer         3187 0.14 0.04 0.23 0.04 0.29 0.04 0.19 0.07 0.47 0.06 0.46 0.06 0.42 0.08 0.47 0.08
Shadowserver    3149 0.14 0.13 0.49 0.15 0.64 0.07 0.49 0.16 0.91 0.01 0.90 0.02 0.95 0.01 0.96 0.01
Driftnet        2772 0.77 0.09 0.73 0.06 0.87 0.05 0.90 0.02 0.88 0.04 0.85 0.05 0.97 0.02 0.97 0.02
Internetcensus  2335 0.26 0.12 0.33 0.08 0.68 0.05 0.47 0.13 0.64 0.12 0.58 0.14 0.90 0.04 0.92 0.02
Censys          1974 0.53 0.06 0.60 0.05 0.59 0.05 0.60 0.03 0.89 0.03 0.88 0.03 0.91 0.02 0.92 0.01
Rapid7          1255 0.91 0.05 0.76 0.11 0.91 0.02 0.83 0.10 0.84 0.04 0.84 0.02 0.69 0.47 0.97 0.04
Onyphe           709 0.06 0.05 0.05 0.04 0.11 0.06 0.05 0.05 0.93 0.03 0.93 0.02 0.92 0.01 0.91 0.05
Netsystems       439 0.02 0.03 0.09 0.08 0.32 0.05 0.06 0.05 0.97 0.03 0.97 0.02 0.80 0.09 0.95 0.04
Shodan           341 0.12 0.16 0.14 0.16 0.23 0.10 0.10 0.14 0.81 0.05 0.79 0.06 0.76 0.05 0.79 0.06
Exploiter        254 0.00 0.00 0.07 0.20 0.00 0.00 0.06 0.16 0.07 0.20 0.07 0.20 0.00 0.00 0.10 0.21
Securitytrails   180 0.12 0.25 0.86 0.07 0.87 0.04 0.67 0.04 0.98 0.04 0.96 0.05 0.97 0.04 0.98 0.03
Intrinsec         47 0.00 0.00 0.00 0.00 0.00 0.00 0.00 0.00 0.35 0.24 0.24 0.17 0.75 0.12 0.73 0.13
"""
"""Table 3: class, support over the 11 test days, then mean and deviation of F1 by column."""

_LINES = tuple(line.split() for line in _TABLE3.strip().splitlines())

SUPPORT: Mapping[str, int] = MappingProxyType({line[0]: int(line[1]) for line in _LINES})
"""Table 3: appearances of a class on the 11 test days."""

CLASS_F1: Mapping[str, Mapping[str, tuple[float, float]]] = MappingProxyType(
    {
        column: MappingProxyType(
            {line[0]: (float(line[2 + 2 * place]), float(line[3 + 2 * place])) for line in _LINES}
        )
        for place, column in enumerate(COLUMNS)
    }
)
"""Table 3: F1 of a class, mean and deviation over days, by row of ours and class."""

MACRO_F1: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "gcn, no features": (0.26, 0.05),
        "i-gcn, no features": (0.41, 0.04),
        "gcn-gru, no features": (0.49, 0.04),
        "i-gcn-gru, no features": (0.41, 0.04),
        "gcn": (0.74, 0.02),
        "i-gcn": (0.73, 0.03),
        "gcn-gru": (0.75, 0.03),
        "i-gcn-gru": (0.80, 0.02),
        "i-darkvec": (0.77, 0.02),
    }
)
"""Table 3, last line, and section 4.2 for i-DarkVec: macro F1, mean and deviation over days."""

HISTORY_F1: Mapping[int, float] = MappingProxyType(
    {0: 0.729, 1: 0.756, 2: 0.781, 3: 0.791, 4: 0.791, 5: 0.796, 6: 0.794, 7: 0.797, 8: 0.795}
)
"""Figure 4a: macro F1 of i-GCN-GRU with features by days of history; 0 is i-GCN."""

EPOCHS_F1: Mapping[int, float] = MappingProxyType(
    {1: 0.796, 5: 0.786, 10: 0.795, 15: 0.788, 20: 0.778, 25: 0.772, 30: 0.760}
)
"""Figure 4b: macro F1 of i-GCN-GRU with features by epochs a snapshot."""
