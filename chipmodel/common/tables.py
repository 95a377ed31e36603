"""Tables as CSV: one writer and one reader for every table of the project."""

from __future__ import annotations

import csv
import io

import pandas as pd

from chipmodel.common.errors import InputError


def table_text(frame: pd.DataFrame) -> str:
    """Return a table as CSV: rows ordered by all keys, nine significant digits."""
    columns = list(frame.columns)
    value = columns.index("value")
    keys = [i for i in range(len(columns)) if i != value]
    rows = sorted(
        frame.itertuples(index=False, name=None),
        key=lambda row: (*(row[i] for i in keys), float(row[value])),
    )
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        cells = [inert(x) for x in row]
        cells[value] = f"{float(row[value]) + 0.0:.9g}"
        writer.writerow(cells)
    return stream.getvalue()


def read_table(raw: bytes, file: str) -> pd.DataFrame:
    """Read a table as it was written: years whole numbers, values numbers, all else text."""
    try:
        header, *rows = csv.reader(io.StringIO(raw.decode(), newline=""))
        frame = pd.DataFrame(rows, columns=header, dtype="str")
        return frame.astype({"year": "int64", "value": "float64"})
    except (ValueError, KeyError, csv.Error) as error:
        raise InputError.one(
            file, "table", f"cannot be read ({error})", "run the case again"
        ) from None


def table_csv(table: pd.DataFrame) -> str:
    """Return a table as CSV: nine significant digits, nothing for what is not known, no text that is a formula."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([_cell(name) for name in table.columns])
    for row in table.itertuples(index=False, name=None):
        writer.writerow([_cell(x) for x in row])
    return stream.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, float):
        return "" if value != value else f"{value + 0.0:.9g}"
    return inert(value)


def inert(value: object) -> object:
    """Return a cell for CSV: text that a spreadsheet would take for a formula gets an apostrophe before it.

    >>> inert("=1+1"), inert(-1.5)
    ("'=1+1", -1.5)
    """
    formula = isinstance(value, str) and value.startswith(
        ("=", "+", "-", "@", "\t", "\r", "\n")
    )
    return f"'{value}" if formula else value
