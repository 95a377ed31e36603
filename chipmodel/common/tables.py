"""Tables as CSV: one writer for every table of the project, and a reader of results."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

import pandas as pd

from chipmodel.common.errors import InputError

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""Starts of a text that a spreadsheet program takes for a formula."""


def table_csv(table: pd.DataFrame) -> str:
    """Return a table as CSV.

    Numbers have nine significant digits, an unknown one (NaN) is an empty cell. No text
    is a formula to a spreadsheet program.
    """
    lines = []
    for row in table.itertuples(index=False, name=None):
        lines.append([_cell(value) for value in row])
    return _csv_text(table.columns, lines)


def result_csv(table: pd.DataFrame) -> str:
    """Return a table of a result as CSV: the rows are ordered by all keys.

    Parameters
    ----------
    table : pandas.DataFrame
        A column ``value``; all others are keys.
    """
    columns = list(table.columns)
    place = columns.index("value")

    def keys_then_value(row: tuple[object, ...]) -> tuple[object, ...]:
        return (*row[:place], *row[place + 1 :], float(row[place]))  # type: ignore[arg-type]

    # By columns: pandas takes longer to walk over rows than it takes to sort them.
    cells_of = [table[name].tolist() for name in columns]
    rows = sorted(zip(*cells_of, strict=True), key=keys_then_value)
    lines = []
    for row in rows:
        cells = [inert(value) for value in row]
        # Unlike in other tables, a value that is not a number stays visible as "nan".
        cells[place] = _digits(float(row[place]))
        lines.append(cells)
    return _csv_text(columns, lines)


def _csv_text(header: Iterable[object], lines: Iterable[Iterable[object]]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([inert(name) for name in header])
    writer.writerows(lines)
    return stream.getvalue()


def _cell(value: object) -> object:
    if not isinstance(value, float):
        return inert(value)
    is_unknown = value != value
    return "" if is_unknown else _digits(value)


def _digits(value: float) -> str:
    # Adding zero turns -0.0 into 0.0.
    return f"{value + 0.0:.9g}"


def inert(value: object) -> object:
    """Return a cell for CSV: a text that looks like a formula gets an apostrophe first.

    >>> inert("=1+1"), inert(-1.5)
    ("'=1+1", -1.5)
    """
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return f"'{value}"
    return value


def read_result_csv(raw: bytes, file: str) -> pd.DataFrame:
    """Read a table that `result_csv` wrote: whole years, values, all else text.

    Raises
    ------
    InputError
        If it is not such a table.
    """
    try:
        header, *rows = csv.reader(io.StringIO(raw.decode(), newline=""))
        frame = pd.DataFrame(rows, columns=header, dtype="str")
        return frame.astype({"year": "int64", "value": "float64"})
    except (ValueError, KeyError, csv.Error) as error:
        raise InputError.one(
            file, "table", f"cannot be read ({error})", "run the case again"
        ) from None
