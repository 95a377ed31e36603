"""Read, check, hash and cite a data package. A dataset never changes once read."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar, cast

import pandas as pd
from pydantic import ValidationError

from chipmodel.common.errors import InputError, Problem
from chipmodel.common.files import read_file, text_of
from chipmodel.dataset.checks import CHECKS, NEVER_EMPTY
from chipmodel.dataset.fields import Fact, Row
from chipmodel.dataset.rows import TABLES, SourceRow, columns, references
from chipmodel.dataset.sources import source_of

RowT = TypeVar("RowT", bound=Row)


@dataclass(frozen=True)
class Dataset:
    """A checked data package.

    Attributes
    ----------
    name : str
        Name of the package, for messages and manifests.
    root : Path
        Folder it was read from; cases, worlds and studies lie below it.
    tables : Mapping[str, tuple[Row, ...]]
        Rows of every table, ordered by key.
    hashes : Mapping[str, str]
        SHA-256 of every file read.
    """

    name: str
    root: Path
    tables: Mapping[str, tuple[Row, ...]]
    hashes: Mapping[str, str] = field(repr=False)

    def __repr__(self) -> str:
        facts = sum(1 for _ in self.facts())
        return (
            f"<Dataset {self.name}: {len(self.tables)} tables, {facts:,} facts, digest"
            f" {self.digest[:8]}>"
        )

    def __reduce__(self) -> tuple[object, ...]:
        # A read-only mapping cannot be sent to another process; a dictionary can.
        return _restored, (self.name, self.root, dict(self.tables), dict(self.hashes))

    def rows(self, model: type[RowT]) -> tuple[RowT, ...]:
        """Return the rows of the table whose row model is `model`."""
        table = next(name for name, known in TABLES.items() if known is model)
        return cast("tuple[RowT, ...]", self.tables[table])

    def frame(self, table: str) -> pd.DataFrame:
        """Return a table as a DataFrame with the columns of its file."""
        model = _known(table)
        return pd.DataFrame(
            [row.model_dump() for row in self.tables[table]], columns=columns(model)
        )

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the rows of all tables; the order of rows in a file does not matter."""
        text = json.dumps(
            {
                name: [row.model_dump() for row in rows]
                for name, rows in self.tables.items()
            },
            sort_keys=True,
        )
        return hashlib.sha256(text.encode()).hexdigest()

    def facts(self) -> Iterator[tuple[str, Fact]]:
        """Walk over every fact of every table."""
        for name, rows in self.tables.items():
            for row in rows:
                if isinstance(row, Fact):
                    yield name, row

    def source_of(self, item: str, **where: object) -> pd.DataFrame:
        """Tell where a number comes from.

        Parameters
        ----------
        item : str
            Name of an item (``capex``), a parameter (``slope``) or a whole table
            (``fleets``).
        **where
            Values of key columns, for example ``segment="dram", region="USA"``. If an
            item stands in several tables, those answer that have the most of these
            columns. A key the table does not have is ignored: a cost given per segment
            answers for every region.

        Returns
        -------
        pandas.DataFrame
            One row per fact: table, key, value, unit, year_of_money, low, high, grade,
            note, citation and whether the source is an interested party.

        Raises
        ------
        InputError
            If no fact answers: an unknown item, key or value, with the known ones.
        """
        return source_of(list(self.facts()), self.rows(SourceRow), item, where)


def _restored(
    name: str, root: Path, tables: dict[str, tuple[Row, ...]], hashes: dict[str, str]
) -> Dataset:
    return Dataset(name, root, MappingProxyType(tables), MappingProxyType(hashes))


def _known(table: str) -> type[Row]:
    if table not in TABLES:
        raise InputError.one(
            "dataset", table, "no such table", "tables: " + ", ".join(TABLES)
        )
    return TABLES[table]


def shipped_root() -> Path:
    """Return the folder of the data package shipped with chipmodel, in a checkout or a wheel."""
    inside = Path(str(resources.files("chipmodel"))) / "data"
    return inside if inside.is_dir() else Path(__file__).resolve().parents[2] / "data"


def load_dataset(where: str | Path | None = None) -> Dataset:
    """Read and check a data package.

    Parameters
    ----------
    where : str or Path, optional
        Folder of the package; the shipped one by default.

    Returns
    -------
    Dataset

    Raises
    ------
    InputError
        With every problem found, each with file, place and mend.
    """
    root = shipped_root() if where is None else Path(where)
    if not root.is_dir():
        what = "is a file, not a folder" if root.exists() else "no such folder"
        raise InputError.one(
            str(where),
            "folder",
            what,
            "name a folder made by `chipmodel copy-data DIR`",
        )
    if not any((root / f"{name}.csv").exists() for name in TABLES):
        raise InputError.one(
            str(root),
            "folder",
            "is not a data package: none of its tables is there",
            "name a folder made by `chipmodel copy-data DIR`",
        )
    problems: list[Problem] = []
    tables: dict[str, tuple[Row, ...]] = {}
    hashes: dict[str, str] = {}
    for name, model in TABLES.items():
        file = f"{name}.csv"
        try:
            raw = read_file(root / file, f"put {file} into {root.name}/")
        except InputError as error:
            problems += error.problems
            continue
        hashes[file] = hashlib.sha256(raw).hexdigest()
        rows, wrong = read_table(file, raw, model)
        problems += wrong
        tables[name] = rows
    # A fault in one table must not hide those of the others, nor show up again as
    # faults of theirs.
    sound = _without(tables, problems)
    problems += _dangling(sound)
    sound = _without(sound, problems)
    for check in CHECKS:
        problems += check(sound)
    if problems:
        raise InputError(problems)
    name = "chipmodel-data" if where is None else root.resolve().name
    return Dataset(name, root, MappingProxyType(tables), MappingProxyType(hashes))


def _without(
    tables: Mapping[str, tuple[Row, ...]], problems: list[Problem]
) -> dict[str, tuple[Row, ...]]:
    faulty = {problem.file for problem in problems}
    return {name: rows for name, rows in tables.items() if f"{name}.csv" not in faulty}


def read_table(
    file: str, raw: bytes, model: type[Row]
) -> tuple[tuple[Row, ...], list[Problem]]:
    """Read one CSV table.

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
    wanted = columns(model)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    problems: list[Problem] = []
    seen: dict[tuple[object, ...], int] = {}
    rows: list[Row] = []
    try:
        header = next(reader, [])
        problems += _header_problems(file, header, wanted)
        if problems:
            return (), problems
        for cells in reader:
            line = reader.line_num
            if not any(cells):
                continue
            if len(cells) != len(header):
                what = f"has {len(cells)} cells, the header has {len(header)}"
                problems.append(
                    Problem(
                        file, f"line {line}", what, "check for a missing or extra comma"
                    )
                )
                continue
            row, wrong = _row(file, line, dict(zip(header, cells, strict=True)), model)
            problems += wrong
            if row is None:
                continue
            key = tuple(getattr(row, k) for k in model.key)
            if key in seen:
                what = f"repeats the key {', '.join(map(str, key))} of line {seen[key]}"
                problems.append(
                    Problem(file, f"line {line}", what, "remove one of the two rows")
                )
            seen[key] = line
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
    rows.sort(key=lambda row: tuple(str(getattr(row, k)) for k in model.key))
    return tuple(rows), problems


def _header_problems(file: str, header: list[str], wanted: list[str]) -> list[Problem]:
    if not any(header):
        return [
            Problem(file, "header", "is missing", f"the columns are {','.join(wanted)}")
        ]
    for mark, name in ((";", "semicolons"), ("\t", "tabs")):
        if len(header) == 1 and mark in header[0]:
            return [
                Problem(
                    file,
                    "header",
                    f"the columns are separated by {name}",
                    "save the file with commas",
                )
            ]
    problems = [
        Problem(
            file,
            "header",
            f"column '{name}' is missing",
            f"the columns are {','.join(wanted)}",
        )
        for name in wanted
        if name not in header
    ]
    problems += [
        Problem(
            file,
            "header",
            f"unknown column '{name}'",
            f"the columns are {','.join(wanted)}",
        )
        for name in header
        if name not in wanted
    ]
    if len(set(header)) != len(header):
        problems.append(
            Problem(file, "header", "a column appears twice", "remove the copy")
        )
    return problems


def _row(
    file: str, line: int, cells: dict[str, str], model: type[Row]
) -> tuple[Row | None, list[Problem]]:
    try:
        return model.model_validate(cells), []
    except ValidationError as error:
        problems = []
        for fault in error.errors():
            column = str(fault["loc"][0]) if fault["loc"] else "row"
            what = str(fault["msg"]).removeprefix("Value error, ")
            if fault["loc"]:
                what = f"'{cells.get(column, '')}': {what[:1].lower()}{what[1:]}"
            fix = "correct the value" if column != "row" else "correct the row"
            problems.append(Problem(file, f"line {line}, {column}", what, fix))
        return None, problems


def _dangling(tables: Mapping[str, tuple[Row, ...]]) -> list[Problem]:
    keys = {
        name: {getattr(row, TABLES[name].key[0]) for row in rows}
        for name, rows in tables.items()
    }
    problems = []
    for name, rows in tables.items():
        for column, ref in references(TABLES[name]).items():
            if ref.table not in keys or (
                ref.table in NEVER_EMPTY and not keys[ref.table]
            ):
                continue  # that table has a fault of its own
            known = keys[ref.table] | set(ref.also)
            for row in rows:
                value = getattr(row, column)
                if value is not None and value not in known:
                    place = (
                        f"{column} of"
                        f" {', '.join(str(getattr(row, k)) for k in TABLES[name].key)}"
                    )
                    what = f"'{value}' is not in {ref.table}.csv"
                    problems.append(
                        Problem(
                            f"{name}.csv",
                            place,
                            what,
                            f"add it to {ref.table}.csv or correct it",
                        )
                    )
    return problems
