"""The model held against published results, as a part of the report."""

from __future__ import annotations

from chipmodel.common.text import number
from chipmodel.dataset.dataset import Dataset
from chipmodel.questions.answer import Answer, Figure, Table
from chipmodel.studies.case_cache import CaseCache
from chipmodel.studies.plan import Cell
from chipmodel.studies.stored_tables import stored_tables
from chipmodel.validation.validate import Validation, validate

TITLE = "The model against published results"


ASKS = "What do published studies find, and what does the model?"


METHOD = (
    "Every target of the data package: our number beside theirs, hits and misses alike"
    " (`chipmodel validate`). The short form shows the evaluation kept with the data"
    " and solves nothing."
)


KEPT = ("validation", "validation_ladder")


def there(data: Dataset) -> bool:
    """Whether an evaluation of these very data is kept."""
    return _kept(data) is not None


def _kept(data: Dataset) -> Validation | None:
    found = stored_tables(data, *KEPT)
    if found is None:
        return None
    words = ["metric", "reason", "placebo", "source"]
    return Validation(found[0].fillna(dict.fromkeys(words, "")), found[1])


def cells(cache: CaseCache, short: bool) -> list[Cell]:
    """None: it has its own cases solved."""
    return []


def answer(cache: CaseCache, short: bool) -> Answer:
    """Return the table of targets, how many are met, and what support brings."""
    from chipmodel.display.targets import against_published, support_ladder

    found = (_kept(cache.data) if short else None) or validate(cache.data, not short)
    said = [
        f"Of {len(found.tests)} published results held back as tests the model meets"
        f" {number(100.0 * found.share_met, 2)}%; the median distance is"
        f" {number(100.0 * found.median_error, 2)}% of the published number. Misses"
        " stand in the table with their reasons, or as unexplained."
    ]
    failed, asked = found.placebo
    if asked:
        said.append(
            f"With each region's support handed to the next, {failed} of {asked} tests"
            " that hang on support fail."
        )
    tables, figures = [Table("targets", TITLE, found.table)], []
    figures.append(
        Figure(
            "targets",
            TITLE,
            "targets",
            "Each target as a dot on its published band; the numbers are in "
            "the table below the figure.",
            against_published,
        )
    )
    ladder = found.ladder
    if ladder is not None:
        title = "What support brings: fabs that stand anyway and fabs added"
        tables.append(
            Table(
                "ladder",
                f"{title}, American fabs over ten years by support in USD bn of 2020",
                ladder,
            )
        )
        figures.append(
            Figure(
                "ladder",
                title,
                "ladder",
                "Bars of fabs by support; "
                + "; ".join(
                    f"{row['form']} grant of {row['budget']:g} bn:"
                    f" {number(row['anyway'], 3)} anyway,"
                    f" {number(row['additional'], 3)} added"
                    for row in ladder.to_dict("records")
                )
                + ".",
                support_ladder,
            )
        )
        first, last = (
            ladder[ladder["form"] == "open"]["additional"].iloc[k] for k in (1, 2)
        )
        said.append(
            "On the ladder of 2020 the first 20 billion dollars of an open grant add"
            f" {number(first, 2)} fabs and the next 30 billion"
            f" {number(last - first, 2)}; {number(float(ladder['anyway'].iloc[0]), 2)}"
            " stand anyway and are paid for as well."
        )
    return Answer(tuple(said), tuple(tables), tuple(figures))
