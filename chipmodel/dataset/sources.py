"""Where a number comes from: the facts that match an item, each with its citation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from chipmodel.common.errors import InputError, Problem
from chipmodel.common.text import offer
from chipmodel.dataset.fields import Fact
from chipmodel.dataset.rows import SourceRow

if TYPE_CHECKING:
    import pandas as pd

SHOWN = {"value", "unit", "year_of_money", "low", "high", "grade", "note"}
"""Columns of a fact that are shown beside its citation."""

NamedFact = tuple[str, Fact]
"""Name of a table, and one of its facts."""


def source_of(
    facts: list[NamedFact],
    citations: Sequence[SourceRow],
    item: str,
    where: Mapping[str, object],
) -> pd.DataFrame:
    """Return the facts that match an item; see `Dataset.source_of`.

    Raises
    ------
    InputError
        If no fact matches.
    """
    named = [(table, row) for table, row in facts if item in (row.item_name, table)]
    problems = _unknown_names(item, where, facts, named)
    if problems:
        raise InputError(problems)
    # A table without the keys asked for would match every value of them: a table that
    # has them is more specific.
    most = max(len(_keys_of(row, where)) for _, row in named)
    specific = [
        (table, row) for table, row in named if len(_keys_of(row, where)) == most
    ]
    matching = [(table, row) for table, row in specific if _matches(row, where)]
    if not matching:
        raise InputError(_no_match(item, where, [row for _, row in specific]))
    import pandas as pd  # start-up: most commands cite nothing

    sources = {row.source: row for row in citations}
    return pd.DataFrame(
        [_described(table, row, sources[row.source]) for table, row in matching]
    )


def _has(row: Fact, column: str) -> bool:
    return column in type(row).model_fields


def _keys_of(row: Fact, where: Mapping[str, object]) -> list[str]:
    """Return the columns asked for that the table of a row has."""
    return [column for column in where if _has(row, column)]


def _is(row: Fact, column: str, value: object) -> bool:
    return str(getattr(row, column)) == str(value)


def _matches(row: Fact, where: Mapping[str, object]) -> bool:
    return all(_is(row, column, where[column]) for column in _keys_of(row, where))


def _described(table: str, row: Fact, source: SourceRow) -> dict[str, object]:
    key = ", ".join(str(getattr(row, column)) for column in type(row).key)
    return {
        "table": table,
        "key": key,
        **row.model_dump(include=SHOWN),
        "source": source.source,
        "citation": _citation_of(source),
        "url": source.url,
        "interested": source.interested,
    }


def _unknown_names(
    item: str,
    where: Mapping[str, object],
    facts: list[NamedFact],
    named: list[NamedFact],
) -> list[Problem]:
    """Return problems of names that no table has: the item, a key or its value.

    A value counts only for a key that the tables of the item do not have: the others
    are compared with the rows of the item.
    """
    problems = []
    if not named:
        known: set[str] = set()
        for table, row in facts:
            known |= {row.item_name, table} - {"*"}
        what = "no such item, parameter or table"
        problems.append(Problem("source_of", item, what, offer(item, sorted(known))))
    keys: set[str] = set()
    for _, row in facts:
        keys.update(type(row).key)
    for column, value in where.items():
        rows = [row for _, row in facts if _has(row, column)]
        if not rows:
            what, fix = "no table has such a key", offer(column, sorted(keys))
            problems.append(Problem("source_of", column, what, fix))
            continue
        item_has_key = any(_has(row, column) for _, row in named)
        value_exists = any(_is(row, column, value) for row in rows)
        if named and not item_has_key and not value_exists:
            problems.append(_no_value(column, value, rows))
    return problems


def _no_match(
    item: str, where: Mapping[str, object], rows: list[Fact]
) -> list[Problem]:
    """Return why no row matches: a value that none has, or else their combination."""
    problems = []
    keys = []
    for column, value in where.items():
        with_column = [row for row in rows if _has(row, column)]
        if not with_column:
            continue
        keys.append(column)
        if not any(_is(row, column, value) for row in with_column):
            problems.append(_no_value(column, value, with_column))
    if problems:
        return problems
    *others, last = keys
    without_last = {column: where[column] for column in others}
    known = {
        str(getattr(row, last))
        for row in rows
        if _has(row, last) and _matches(row, without_last)
    }
    asked = ", ".join(f"{column}={where[column]}" for column in keys)
    fix = "give fewer keys"
    if known:
        fix = f"{last} with the others: {', '.join(sorted(known))}"
    return [Problem("source_of", item, f"no fact for {asked} together", fix)]


def _no_value(column: str, value: object, rows: list[Fact]) -> Problem:
    known = sorted({str(getattr(row, column)) for row in rows})
    what = f"no fact has {column}={value}"
    return Problem("source_of", column, what, f"known: {', '.join(known)}")


def _citation_of(source: SourceRow) -> str:
    parts = (source.publisher, source.title, source.year, source.url)
    return ". ".join(str(part) for part in parts if part)


def citation(source: str, citations: Sequence[SourceRow]) -> str:
    """Return the citation of a source; nothing for an id that is not known."""
    if source == "own":
        return "own assumption of the case"
    for row in citations:
        if row.source == source:
            party = " (interested party)" if row.interested else ""
            return _citation_of(row) + party
    return ""
