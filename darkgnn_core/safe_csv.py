"""Tables as CSV that can be opened: no text runs in a spreadsheet, none hides what it holds."""

from typing import Any

import pandas as pd

from darkgnn_core.errors import visible

RUNS_IN_SPREADSHEETS = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_of(table: pd.DataFrame) -> bytes:
    r"""Return a table as CSV, UTF-8, numbers in full precision, nothing where there is nothing.

    A text that a spreadsheet would run gets an apostrophe, in a heading too; what cannot be seen is
    replaced.

    Source:
        OWASP, CSV injection: texts that start with =, +, -, @, tab or a line end are formulas.

    >>> csv_of(pd.DataFrame({"label": ["=1+1", "mirai"], "f1": [0.5, None]}))
    b"label,f1\n'=1+1,0.5\nmirai,\n"
    """
    safe = table.copy()
    safe.columns = pd.Index([in_a_cell(str(name)) for name in table.columns])
    for name in safe.columns:
        if not pd.api.types.is_numeric_dtype(safe[name]):
            safe[name] = [in_a_cell(each) for each in safe[name]]
    return str(safe.to_csv(index=False, lineterminator="\n")).encode()


def in_a_cell(value: Any) -> Any:
    r"""Return a text as a cell that no spreadsheet takes for a formula; anything else as it is.

    Lines of a text stay lines.

    >>> in_a_cell("@x"), in_a_cell("a\x1b[1m\nb"), in_a_cell(3)
    ("'@x", 'a\ufffd[1m\nb', 3)
    """
    if not isinstance(value, str):
        return value
    text = "\n".join(map(visible, value.split("\n")))
    return f"'{text}" if value.startswith(RUNS_IN_SPREADSHEETS) else text
