"""Tables as LaTeX, for papers; every character that means something to LaTeX is escaped."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd

from chipmodel.common.text import number, one_line

ESCAPED = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "–": "--",
    "−": "$-$",
    "×": r"$\times$",
    "≤": r"$\le$",
    "≥": r"$\ge$",
}


def escaped(text: str) -> str:
    r"""Return text as LaTeX sets it.

    >>> escaped("50% of logic_lt10")
    '50\\% of logic\\_lt10'
    """
    return "".join(ESCAPED.get(c, c) for c in one_line(text))


def latex(frame: pd.DataFrame, title: str, label: str) -> str:
    """Return a table for LaTeX with ``booktabs``: numbers to four significant digits, to the right."""
    kinds = "".join("r" if numeric(frame[column]) else "l" for column in frame.columns)
    lines = [
        r"% needs \usepackage{booktabs}",
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{escaped(title)}}}",
        rf"\label{{tab:{label}}}",
        rf"\begin{{tabular}}{{{kinds}}}",
        r"\toprule",
        _line([str(column) for column in frame.columns]),
        r"\midrule",
        *(_line(row) for row in cells(frame)),
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def cells(frame: pd.DataFrame) -> list[list[str]]:
    """Return the cells of a table as people read them; what is not known is empty, a year has no comma."""
    shown = [
        (
            [str(x) for x in frame[column]]
            if _years(frame[column])
            else [cell(x) for x in frame[column]]
        )
        for column in frame.columns
    ]
    return [list(row) for row in zip(*shown, strict=True)]


def cell(value: Any) -> str:
    """Return one cell as people read it."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "" if value is None else str(value)
    return "" if math.isnan(value) else number(float(value))


def numeric(column: pd.Series[Any]) -> bool:
    """Whether a column holds numbers."""
    return bool(pd.api.types.is_numeric_dtype(column)) and not bool(
        pd.api.types.is_bool_dtype(column)
    )


def _years(column: pd.Series[Any]) -> bool:
    whole = pd.api.types.is_integer_dtype(column)
    return bool(whole and len(column) and column.between(1900, 2100).all())


def _line(row: Sequence[str]) -> str:
    line = " & ".join(escaped(one) for one in row)
    # After the end of a row LaTeX takes a star or a bracket for an option of it.
    return ("{}" if line.startswith(("*", "[")) else "") + line + r" \\"
