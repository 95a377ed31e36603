"""Read the CSV tables of a data package, with every problem by file and line."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping

from pydantic import ValidationError

from chipmodel.common.errors import InputError, Problem
from chipmodel.common.faults import explained
from chipmodel.common.files import text_of
from chipmodel.common.text import listed
from chipmodel.dataset.checks import NEVER_EMPTY
from chipmodel.dataset.fields import Row
from chipmodel.dataset.rows import TABLES, columns, references

SEPARATORS = {";": "semicolons", "\t": "tabs"}
"""Separators that spreadsheet programs write instead of commas."""


def read_table(
    file: str, raw: bytes, model: type[Row]
) -> tuple[tuple[Row, ...], list[Problem]]:
    """Return the rows of a CSV table and what is wrong with it.

    Parameters
    ----------
    file : str
        Name of the file, for messages.
    raw : bytes
        Its content.
    model : type of Row
        What a row must look like.

    Returns
    -------
    rows : tuple of Row
        Ordered by key, so that the order in the file does not matter.
    problems : list of Problem
    """
    try:
        text = text_of(file, raw)
    except InputError as error:
        return (), list(error.problems)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    problems: list[Problem] = []
    lines: dict[tuple[object, ...], int] = {}
    rows: list[Row] = []
    try:
        header = next(reader, [])
        problems += _header_problems(file, header, columns(model))
        if problems:
            return (), problems
        for cells in reader:
            line = reader.line_num
            # Spreadsheet programs may leave empty rows at the end.
            if not any(cells):
                continue
            if len(cells) != len(header):
                problems.append(
                    Problem(
                        file,
                        f"line {line}",
                        f"has {len(cells)} cells, the header has {len(header)}",
                        "check for a missing or extra comma",
                    )
                )
                continue
            row, faults = _read_row(
                file, line, dict(zip(header, cells, strict=True)), model
            )
            problems += faults
            if row is None:
                continue
            key = key_of(row)
            if key in lines:
                shown = ", ".join(str(part) for part in key)
                problems.append(
                    Problem(
                        file,
                        f"line {line}",
                        f"repeats the key {shown} of line {lines[key]}",
                        "remove one of the two rows",
                    )
                )
            lines[key] = line
            rows.append(row)
    except csv.Error as error:
        problems.append(
            Problem(
                file,
                f"line {reader.line_num}",
                f"is not valid CSV ({error})",
                "check the quotes",
            )
        )
    # The order of rows becomes that of rows and columns in the linear program.
    rows.sort(key=_text_of_key)
    return tuple(rows), problems


def key_of(row: Row) -> tuple[object, ...]:
    """Return the key of a row."""
    return tuple(getattr(row, column) for column in row.key)


def _text_of_key(row: Row) -> tuple[str, ...]:
    # A part of a key may be empty: as text, it can be ordered beside the others.
    return tuple(str(part) for part in key_of(row))


def _header_problems(file: str, header: list[str], wanted: list[str]) -> list[Problem]:
    fix = f"the columns are {','.join(wanted)}"
    if not any(header):
        return [Problem(file, "header", "is missing", fix)]
    for separator, name in SEPARATORS.items():
        if len(header) == 1 and separator in header[0]:
            what = f"the columns are separated by {name}"
            return [Problem(file, "header", what, "save the file with commas")]
    missing = [name for name in wanted if name not in header]
    unknown = [name for name in header if name not in wanted]
    if len(missing) > len(wanted) / 2:
        what = f"these are not the columns of {file}: {', '.join(header)}"
        return [Problem(file, "header", what, fix)]
    problems = []
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        what = f"{_columns(missing)} {verb} missing"
        problems.append(Problem(file, "header", what, fix))
    if unknown:
        what = f"unknown {_columns(unknown)}"
        fix = "remove it, or correct its spelling"
        problems.append(Problem(file, "header", what, fix))
    if len(set(header)) != len(header):
        what = "a column appears twice"
        problems.append(Problem(file, "header", what, "remove the copy"))
    return problems


def _columns(names: list[str]) -> str:
    """Return names of columns in a sentence: column 'a', columns 'a' and 'b'."""
    noun = "column" if len(names) == 1 else "columns"
    return f"{noun} {listed([repr(name) for name in names])}"


def _read_row(
    file: str, line: int, cells: dict[str, str], model: type[Row]
) -> tuple[Row | None, list[Problem]]:
    try:
        return model.model_validate(cells), []
    except ValidationError as error:
        faults = error.errors()
    problems = []
    for fault in faults:
        if fault["loc"]:
            column = str(fault["loc"][0])
            what, fix = explained(fault)
        else:
            # A rule over several cells of the row.
            column, fix = "row", "correct the row"
            what = str(fault["msg"]).removeprefix("Value error, ")
        problems.append(Problem(file, f"line {line}, {column}", what, fix))
    return None, problems


def dangling_references(tables: Mapping[str, tuple[Row, ...]]) -> list[Problem]:
    """Return a problem for each cell that names a row of another table that has none.

    Parameters
    ----------
    tables : mapping
        Rows by table, without the tables that have faults of their own.
    """
    problems = []
    for name, rows in tables.items():
        for column, ref in references(TABLES[name]).items():
            known = _first_keys(tables, ref.table)
            # With a faulty table, every reference to it would be a further problem.
            if known is None:
                continue
            known |= set(ref.also)
            for row in rows:
                value = getattr(row, column)
                if value is None or value in known:
                    continue
                shown = ", ".join(str(part) for part in key_of(row))
                problems.append(
                    Problem(
                        f"{name}.csv",
                        f"{column} of {shown}",
                        f"'{value}' is not in {ref.table}.csv",
                        f"add it to {ref.table}.csv or correct it",
                    )
                )
    return problems


def _first_keys(tables: Mapping[str, tuple[Row, ...]], name: str) -> set[object] | None:
    """Return the keys of a table that others refer to; None if it has faults itself."""
    if name not in tables:
        return None
    keys = {key_of(row)[0] for row in tables[name]}
    return None if name in NEVER_EMPTY and not keys else keys
