"""Read, check, hash and cite a data package. A dataset never changes once read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar, cast

from chipmodel.common.errors import InputError, Problem
from chipmodel.common.files import read_file
from chipmodel.dataset.checks import CHECKS
from chipmodel.dataset.fields import Fact, Row
from chipmodel.dataset.reading import dangling_references, read_table
from chipmodel.dataset.rows import TABLES, SegmentRow, SourceRow, columns
from chipmodel.dataset.sources import source_of

if TYPE_CHECKING:
    import pandas as pd

RowT = TypeVar("RowT", bound=Row)


PROSE = {"name", "firm_name", "note", "source", "grade", "reason", "result"}
"""Columns that no number of a result depends on."""


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
        facts = len(list(self.facts()))
        return (
            f"<Dataset {self.name}: {len(self.tables)} tables, {facts:,} facts, digest"
            f" {self.digest[:8]}>"
        )

    def __hash__(self) -> int:
        return hash(self.digest)

    def __reduce__(self) -> tuple[object, ...]:
        # A read-only mapping cannot be sent to another process; a dictionary can.
        return _restored, (self.name, self.root, dict(self.tables), dict(self.hashes))

    def rows(self, model: type[RowT]) -> tuple[RowT, ...]:
        """Return the rows of the table whose row model is `model`, ordered by key."""
        table = next(name for name, known in TABLES.items() if known is model)
        return cast("tuple[RowT, ...]", self.tables[table])

    def frame(self, table: str) -> pd.DataFrame:
        """Return a table as a DataFrame with the columns of its file.

        Raises
        ------
        InputError
            If there is no such table, with the names of those there are.
        """
        if table not in TABLES:
            raise InputError.one(
                "dataset", table, "no such table", "tables: " + ", ".join(TABLES)
            )
        rows = [row.model_dump() for row in self.tables[table]]
        import pandas as pd  # start-up: most commands need no DataFrame of the data

        return pd.DataFrame(rows, columns=columns(TABLES[table]))

    @property
    def leading_segment(self) -> str:
        """The segment of leading-edge chips; `checks` ensures that there is one."""
        return next(row.segment for row in self.rows(SegmentRow) if row.leading)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the rows of all tables, notes included.

        The order of rows in a file does not matter.
        """
        # Of the rows as read and not of the files: neither the order of rows nor the
        # form of a number changes a result.
        content = {}
        for name, rows in self.tables.items():
            content[name] = [row.model_dump() for row in rows]
        text = json.dumps(content, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    @cached_property
    def values_digest(self) -> str:
        """Digest of the values and ranges of all tables, and of the keys of their rows.

        Names, notes, sources and grades do not count: no result depends on them.
        """
        content = {}
        for name, rows in self.tables.items():
            if name != "sources":
                content[name] = [row.model_dump(exclude=PROSE) for row in rows]
        text = json.dumps(content, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def facts(self) -> Iterator[tuple[str, Fact]]:
        """Yield every fact of every table, with the name of its table."""
        for name, rows in self.tables.items():
            for row in rows:
                if isinstance(row, Fact):
                    yield name, row

    def source_of(self, item: str, **where: object) -> pd.DataFrame:
        """Return where a number comes from.

        Parameters
        ----------
        item : str
            Name of an item (``capex``), a parameter (``slope``) or a whole table
            (``fleets``).
        **where
            Values of key columns, for example ``segment="dram", region="USA"``. If
            several tables have the item, those that have the most of these columns are
            used. A key that the table does not have is ignored: a cost given per
            segment holds for every region.

        Returns
        -------
        pandas.DataFrame
            One row per fact: table, key, value, unit, year_of_money, low, high, grade,
            note, source, citation, url (empty if there is none) and whether the source
            is an interested party.

        Raises
        ------
        InputError
            If no fact matches: an unknown item, key or value, with the known ones.
        """
        return source_of(list(self.facts()), self.rows(SourceRow), item, where)


def _restored(
    name: str, root: Path, tables: dict[str, tuple[Row, ...]], hashes: dict[str, str]
) -> Dataset:
    return Dataset(name, root, MappingProxyType(tables), MappingProxyType(hashes))


def shipped_root() -> Path:
    """Return the folder of the data package shipped with chipmodel."""
    in_wheel = Path(str(resources.files("chipmodel"))) / "data"
    in_checkout = Path(__file__).resolve().parents[2] / "data"
    return in_wheel if in_wheel.is_dir() else in_checkout


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
        With every problem found, each with file, place and fix.
    """
    root = shipped_root() if where is None else Path(where)
    _refuse_other_folder(root)
    tables: dict[str, tuple[Row, ...]] = {}
    hashes: dict[str, str] = {}
    problems: list[Problem] = []
    for name, model in TABLES.items():
        file = f"{name}.csv"
        try:
            raw = read_file(root / file, f"put {file} into {root.name}/")
        except InputError as error:
            problems += error.problems
            continue
        hashes[file] = hashlib.sha256(raw).hexdigest()
        tables[name], faults = read_table(file, raw, model)
        problems += faults
    # A fault in one table must not hide those of the others, nor show up again as
    # faults of theirs.
    sound = _without_faulty(tables, problems)
    problems += dangling_references(sound)
    sound = _without_faulty(sound, problems)
    for check in CHECKS:
        problems += check(sound)
    if problems:
        raise InputError(problems)
    name = "chipmodel-data" if where is None else root.resolve().name
    return Dataset(name, root, MappingProxyType(tables), MappingProxyType(hashes))


def _refuse_other_folder(root: Path) -> None:
    """Refuse a path that is not the folder of a data package.

    Raises
    ------
    InputError
        With how to make one.
    """
    fix = "name a folder made by `chipmodel copy-data DIR`"
    if not root.is_dir():
        what = "is a file, not a folder" if root.exists() else "no such folder"
        raise InputError.one(str(root), "folder", what, fix)
    if not any((root / f"{name}.csv").exists() for name in TABLES):
        what = "is not a data package: it has none of the tables"
        raise InputError.one(str(root), "folder", what, fix)


def _without_faulty(
    tables: Mapping[str, tuple[Row, ...]], problems: list[Problem]
) -> dict[str, tuple[Row, ...]]:
    faulty = {problem.file for problem in problems}
    return {name: rows for name, rows in tables.items() if f"{name}.csv" not in faulty}
