"""Where a number comes from: the facts that answer for an item, each with its citation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from chipmodel.common.errors import InputError, Problem
from chipmodel.common.text import offer
from chipmodel.dataset.fields import Fact
from chipmodel.dataset.rows import SourceRow


def source_of(
    facts: list[tuple[str, Fact]],
    citations: Sequence[SourceRow],
    item: str,
    where: Mapping[str, object],
) -> pd.DataFrame:
    """Return the facts that answer for an item; see `Dataset.source_of`."""
    named = [(table, row) for table, row in facts if item in (row.item_name, table)]
    problems = _unknown(item, where, facts, named)
    if problems:
        raise InputError(problems)
    # A table without the keys asked for would answer for every value of them: one that
    # has them knows better.
    most = max(len(_held(row, where)) for _, row in named)
    named = [(table, row) for table, row in named if len(_held(row, where)) == most]
    found = [
        (table, row)
        for table, row in named
        if all(_is(row, k, where[k]) for k in _held(row, where))
    ]
    if not found:
        raise InputError(_nothing(item, where, [row for _, row in named]))
    sources = {row.source: row for row in citations}
    return pd.DataFrame(
        [_answer(table, row, sources[row.source]) for table, row in found]
    )


def _held(row: Fact, where: Mapping[str, object]) -> list[str]:
    return [column for column in where if column in type(row).model_fields]


def _is(row: Fact, column: str, value: object) -> bool:
    return str(getattr(row, column)) == str(value)


def _answer(table: str, row: Fact, source: SourceRow) -> dict[str, object]:
    return {
        "table": table,
        "key": ", ".join(str(getattr(row, k)) for k in type(row).key),
        **row.model_dump(
            include={"value", "unit", "year_of_money", "low", "high", "grade", "note"}
        ),
        "citation": ". ".join(
            str(x)
            for x in (source.publisher, source.title, source.year, source.url)
            if x
        ),
        "interested": source.interested,
    }


def _unknown(
    item: str,
    where: Mapping[str, object],
    facts: list[tuple[str, Fact]],
    named: list[tuple[str, Fact]],
) -> list[Problem]:
    """Return the names that no table has: the item, a key, or a value of a key the item's tables do not have."""
    problems = []
    if not named:
        known = {
            name
            for table, row in facts
            for name in (row.item_name, table)
            if name != "*"
        }
        problems.append(
            Problem(
                "source_of",
                item,
                "no such item, parameter or table",
                offer(item, sorted(known)),
            )
        )
    columns = {key for _, row in facts for key in type(row).key}
    for column, value in where.items():
        rows = [row for _, row in facts if column in type(row).model_fields]
        if not rows:
            problems.append(
                Problem(
                    "source_of",
                    column,
                    "no table has such a key",
                    offer(column, sorted(columns)),
                )
            )
        elif (
            named
            and not any(column in type(row).model_fields for _, row in named)
            and not any(_is(row, column, value) for row in rows)
        ):
            problems.append(_no_value(column, value, rows))
    return problems


def _nothing(item: str, where: Mapping[str, object], rows: list[Fact]) -> list[Problem]:
    held = {
        column: [row for row in rows if column in type(row).model_fields]
        for column in where
    }
    odd = [
        _no_value(column, where[column], having)
        for column, having in held.items()
        if having and not any(_is(row, column, where[column]) for row in having)
    ]
    if odd:
        return odd
    *others, last = [column for column, having in held.items() if having]
    left = [
        row
        for row in held[last]
        if all(_is(row, k, where[k]) for k in others if k in _held(row, where))
    ]
    asked = ", ".join(f"{k}={where[k]}" for k in (*others, last))
    known = sorted({str(getattr(row, last)) for row in left})
    fix = f"{last} with the others: " + ", ".join(known) if known else "give fewer keys"
    return [Problem("source_of", item, f"no fact for {asked} together", fix)]


def _no_value(column: str, value: object, rows: list[Fact]) -> Problem:
    known = sorted({str(getattr(row, column)) for row in rows})
    return Problem(
        "source_of",
        column,
        f"no fact has {column}={value}",
        "known: " + ", ".join(known),
    )


def citation(source: str, citations: Sequence[SourceRow]) -> str:
    """Return the citation of a source."""
    if source == "own":
        return "own assumption of the case"
    for row in citations:
        if row.source == source:
            known = ". ".join(
                str(x) for x in (row.publisher, row.title, row.year, row.url) if x
            )
            return known + (" (interested party)" if row.interested else "")
    return ""
