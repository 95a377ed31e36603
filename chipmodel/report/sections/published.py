"""The model compared with published results, as a part of the report."""

from __future__ import annotations

import pandas as pd

from chipmodel.common.text import number
from chipmodel.dataset.dataset import Dataset
from chipmodel.display.targets import against_published, support_ladder
from chipmodel.questions.answer import Answer, Figure, Table
from chipmodel.studies.case_cache import CaseCache
from chipmodel.studies.plan import Cell
from chipmodel.studies.stored_tables import stored_tables
from chipmodel.validation.validate import Validation, validate

TITLE = "The model against published results"


ASKS = "What do published studies find, and what does the model?"


METHOD = (
    "Every target of the data package: the model's number beside the published one,"
    " hits and misses alike (`chipmodel validate`). The short form shows the evaluation"
    " shipped with the data and solves nothing."
)


STORED = ("validation", "validation_ladder")
"""Tables of an evaluation that are shipped with the data."""


TEXT_COLUMNS = ("metric", "reason", "placebo", "source")
"""Columns in which an empty cell is an empty text, not a missing number."""


def is_stored(data: Dataset) -> bool:
    """Whether the data are shipped with an evaluation that was made with them."""
    return stored_tables(data, *STORED) is not None


def _stored_validation(data: Dataset) -> Validation | None:
    tables = stored_tables(data, *STORED)
    if tables is None:
        return None
    targets, ladder = tables
    return Validation(targets.fillna(dict.fromkeys(TEXT_COLUMNS, "")), ladder)


def cells(cache: CaseCache, short: bool) -> list[Cell]:
    """Return no cell: the validation solves cases of its own."""
    return []


def answer(cache: CaseCache, short: bool) -> Answer:
    """Return the table of targets, the share that is met, and what support adds."""
    validation = None
    if short:
        validation = _stored_validation(cache.data)
    if validation is None:
        validation = validate(cache.data, not short)
    finding = [_share_met(validation)]
    failed, tests = validation.placebo
    if tests:
        finding.append(
            "In a placebo test that reassigns each region's subsidies to another"
            f" region, {failed} of {tests} subsidy-sensitive tests fail."
        )
    tables = [Table("targets", TITLE, validation.table)]
    alt = (
        "Each target as a dot on its published band; the numbers are in the table"
        " below the figure."
    )
    figures = [Figure("targets", TITLE, "targets", alt, against_published)]
    ladder = validation.ladder
    if ladder is not None:
        title = "What support brings: fabs built anyway and fabs added"
        caption = f"{title}, US fabs over ten years by support in USD bn of 2020"
        tables.append(Table("ladder", caption, ladder))
        alt = _ladder_text(ladder)
        figures.append(Figure("ladder", title, "ladder", alt, support_ladder))
        finding.append(_ladder_finding(ladder))
    return Answer(tuple(finding), tuple(tables), tuple(figures))


def _share_met(validation: Validation) -> str:
    return (
        f"Of {len(validation.tests)} published results withheld for testing, the model"
        f" meets {number(100.0 * validation.share_met, 2)}%; the median distance is"
        f" {number(100.0 * validation.median_error, 2)}% of the published number. The"
        " table lists each miss with its reason, or as unexplained."
    )


def _ladder_text(ladder: pd.DataFrame) -> str:
    steps = []
    for row in ladder.to_dict("records"):
        anyway, added = number(row["anyway"], 3), number(row["additional"], 3)
        grant = f"{row['form']} grant of {row['budget']:g} bn"
        steps.append(f"{grant}: {anyway} anyway, {added} added")
    return f"Bars of fabs by support; {'; '.join(steps)}."


def _ladder_finding(ladder: pd.DataFrame) -> str:
    """Return what the first and the second step of an open grant add."""
    # Steps of the ladder: no support, USD 20 billion, USD 50 billion.
    steps = ladder[ladder["form"] == "open"]["additional"]
    first, both = steps.iloc[1], steps.iloc[2]
    anyway = float(ladder["anyway"].iloc[0])
    return (
        "Over ten years, in USD of 2020, the first USD 20 billion of an open grant add"
        f" {number(first, 2)} fabs and the next USD 30 billion"
        f" {number(both - first, 2)}; {number(anyway, 2)} are built anyway and are"
        " paid for as well."
    )
