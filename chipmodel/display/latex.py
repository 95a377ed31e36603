"""Tables as LaTeX, for papers: characters with a meaning in LaTeX are escaped."""

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
    r"""Return text with every character escaped that has a meaning in LaTeX.

    >>> escaped("50% of logic_lt10")
    '50\\% of logic\\_lt10'
    """
    characters = one_line(text)
    return "".join(ESCAPED.get(character, character) for character in characters)


def latex(frame: pd.DataFrame, title: str, label: str) -> str:
    """Return a table for LaTeX with ``booktabs``, numbers to four significant digits.

    Parameters
    ----------
    frame : DataFrame
    title : str
        Caption of the table.
    label : str
        It is referred to as ``tab:<label>``.
    """
    # Numbers are aligned to the right, text to the left.
    kinds = ["r" if numeric(frame[column]) else "l" for column in frame.columns]
    lines = [
        r"% needs \usepackage{booktabs}",
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{escaped(title)}}}",
        rf"\label{{tab:{label}}}",
        rf"\begin{{tabular}}{{{''.join(kinds)}}}",
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
    """Return the cells of a table as text.

    A missing value is empty, and a year has no comma.
    """
    columns = []
    for name in frame.columns:
        as_text = str if _holds_years(frame[name]) else cell
        columns.append([as_text(value) for value in frame[name]])
    return [list(row) for row in zip(*columns, strict=True)]


def cell(value: object) -> str:
    """Return one cell as text."""
    if value is None:
        return ""
    # A truth value is an int to Python, but no number to a reader.
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if math.isnan(value):
        return ""
    return number(float(value))


def numeric(column: pd.Series[Any]) -> bool:
    """Whether a column holds numbers; truth values are none."""
    is_number = pd.api.types.is_numeric_dtype(column)
    return bool(is_number and not pd.api.types.is_bool_dtype(column))


def _holds_years(column: pd.Series[Any]) -> bool:
    is_whole = pd.api.types.is_integer_dtype(column)
    return bool(is_whole and len(column) and column.between(1900, 2100).all())


def _line(row: Sequence[str]) -> str:
    line = " & ".join(escaped(text) for text in row)
    # After the end of a row LaTeX takes a star or a bracket for an option of it.
    start = "{}" if line.startswith(("*", "[")) else ""
    return start + line + r" \\"
