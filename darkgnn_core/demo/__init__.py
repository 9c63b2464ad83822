"""The demo darknet: synthetic traffic with planted truth, calibrated on the paper's Table 2.

No address in it belongs to anybody: sources lie in the reserved range 240.0.0.0/4, the darknet is
198.18.0.0/24 (`addresses`).
"""

from darkgnn_core.demo.config import DemoConfig
from darkgnn_core.demo.generating import generate_day
from darkgnn_core.demo.planning import Plan, plan
from darkgnn_core.demo.tables import Table2Row, table2
from darkgnn_core.demo.truth import CLASSES, PAPER_TABLE2
from darkgnn_core.demo.writing import Written, write_logs, write_parquet

__all__ = [
    "CLASSES",
    "PAPER_TABLE2",
    "DemoConfig",
    "Plan",
    "Table2Row",
    "Written",
    "generate_day",
    "plan",
    "table2",
    "write_logs",
    "write_parquet",
]
