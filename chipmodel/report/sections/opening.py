"""The opening of the report: the study ``headline``, with where capacity stands in each case and what trade carries."""

from __future__ import annotations

from functools import partial

import pandas as pd

from chipmodel.common.text import listed, number, percent, with_article
from chipmodel.dataset.derived import load_intervals
from chipmodel.display import charts, flows
from chipmodel.display.figure_tables import references
from chipmodel.display.figures import FIGURES
from chipmodel.questions.answer import Answer, Figure, Table
from chipmodel.results.metrics import evaluate, parse
from chipmodel.results.summary import Summary
from chipmodel.studies.case_cache import HEADLINE, CaseCache
from chipmodel.studies.definition import Study
from chipmodel.studies.plan import Cell, load_study, plan
from chipmodel.studies.run import StudyResult, result_of

TITLE = "Where capacity goes, and who pays"


ASKS = "Where does capacity go under each policy, and who pays for it?"


METHOD = (
    "The study `headline`: each case is one linear programme whose optimum is the"
    " competitive equilibrium under the stated policies; every case is compared with"
    " the reference case in the same world."
)


CAPACITY = "capacity"
"""Name of the table of capacity by case, region, segment and year, which the page draws at the reader's choice."""


TITLES = {
    "capacity_by_region": "Where capacity stands",
    "leading_edge_share": "Shares of the leading edge, by case",
    "who_pays": "Who gains and who pays",
    "named_projects": "Announced projects",
}


def cells(cache: CaseCache, short: bool) -> list[Cell]:
    """The cells of the study; without its variants if it is to be short."""
    return list(plan(_study(cache, short), cache.data).cells)


def answer(cache: CaseCache, short: bool) -> Answer:
    """Return the comparison, the finding and the figures of the study."""
    study = _study(cache, short)
    known = plan(study, cache.data)
    summaries = {
        cell.name: cache.summary(cell.case, cell.world) for cell in known.cells
    }
    found = result_of(study, list(known.cells), known.metrics, summaries, cache.data)
    every = list(summaries.values())
    base = next(iter(references(every, study.reference).values()))
    tables = [
        Table(
            "comparison",
            f"Headline numbers by case; gains and losses are against {study.reference}",
            _comparison(found),
        )
    ]
    drawn = []
    for name in study.figures:
        tabulate, drawing = FIGURES[name]
        frame = tabulate(every, study.reference)
        if not frame.empty:
            title = TITLES.get(name, name.replace("_", " "))
            tables.append(Table(name, title, frame))
            drawn.append(
                Figure(
                    name,
                    title,
                    name,
                    f"{title}. The numbers are in the table below the figure.",
                    drawing,
                )
            )
    trade = flows.table(base)
    tables.append(
        Table(
            "trade",
            "Chips from the fab through device making to users in"
            f" {base.labels.years[-1]}, case {base.case.name}, USD bn at reference"
            " value",
            trade,
        )
    )
    drawn.append(
        Figure(
            "trade",
            f"From fab to user, {base.labels.years[-1]}",
            "trade",
            flows.alt(trade),
            flows.draw,
        )
    )
    sure = _sure(found, base)
    if not sure.empty:
        home = next(iter(base.labels.regions.values()))
        title = (
            f"How sure: headline numbers of {with_article(home)} over the ranges of the"
            " data"
        )
        tables.append(Table("intervals", title, sure))
        drawn.append(
            Figure(
                "intervals",
                title,
                "intervals",
                _alt_sure(sure),
                partial(
                    charts.dots,
                    label="case",
                    panel="number",
                    title=title,
                    note=(
                        "dot: the data as they stand; line:"
                        f" {load_intervals(cache.data).basis}"
                    ),
                ),
            )
        )
    tables.append(
        Table(
            CAPACITY,
            "Capacity in service by case, region, segment and year",
            _capacity(every),
        )
    )
    return Answer(found.finding or _plainly(every, base), tuple(tables), tuple(drawn))


def _study(cache: CaseCache, short: bool) -> Study:
    study = load_study(HEADLINE, cache.data)
    return study.model_copy(update={"variant": ()}) if short else study


def _comparison(found: StudyResult) -> pd.DataFrame:
    from chipmodel.common.units import SHOWN

    labels = next(iter(found.summaries.values())).labels
    rows = []
    for name in dict.fromkeys(found.table["metric"]):
        metric = parse(name)
        unit, factor, _ = SHOWN.get(metric.unit, (metric.unit, 1.0, 3))
        part = found.table[found.table["metric"] == name]
        values = {
            (
                f"{case}"
                if world == found.table["world"].iloc[0]
                else f"{case} ({world})"
            ): (factor * value)
            for case, world, value in zip(
                part["case"], part["world"], part["value"], strict=True
            )
        }
        rows.append(
            {
                "number": metric.text(metric.family.heading, labels),
                "of": metric.text(metric.family.row, labels),
                "unit": unit,
                **values,
            }
        )
    return pd.DataFrame(rows)


def _sure(found: StudyResult, base: Summary) -> pd.DataFrame:
    """Return the intervals of the numbers that tell most, by case; empty if none is known."""
    from chipmodel.common.units import SHOWN

    home, last = next(iter(base.labels.regions)), base.labels.years[-1]
    wanted = [
        f"share.capacity.{home}.{s}.{last}"
        for s in dict.fromkeys(("all", base.labels.leading))
    ]
    wanted += [f"cost.buyers.{home}", f"welfare.{home}"]
    if "low" not in found.table:
        return pd.DataFrame()
    rows = []
    here = found.table[
        (found.table["world"] == base.world.name) & found.table["low"].notna()
    ]
    for name in wanted:
        metric = parse(name)
        unit, factor, _ = SHOWN.get(metric.unit, (metric.unit, 1.0, 3))
        for row in here[here["metric"] == name].to_dict("records"):
            if not (metric.family.against and row["case"] == base.case.name):
                about = f"{_short(name)}, {unit}"
                rows.append(
                    (
                        about,
                        row["case"],
                        *(factor * float(row[end]) for end in ("value", "low", "high")),
                    )
                )
    return pd.DataFrame(rows, columns=["number", "case", "value", "low", "high"])


def _short(name: str) -> str:
    kind, *rest = name.split(".")
    if kind == "share":
        return (
            f"Share of {'all capacity' if rest[2] == 'all' else 'the leading edge'},"
            f" {rest[3]}"
        )
    return {"cost": "What users lose", "welfare": "Gain in all"}[kind]


def _alt_sure(sure: pd.DataFrame) -> str:
    return (
        "Dots with lines from low to high. "
        + "; ".join(
            f"{row['number']}, {row['case']}: {number(float(row['value']), 3)}"
            f" ({number(float(row['low']), 3)} to {number(float(row['high']), 3)})"
            for _, row in sure.iterrows()
        )
        + "."
    )


def _capacity(summaries: list[Summary]) -> pd.DataFrame:
    rows = [
        (
            own.case.name,
            own.world.name,
            region,
            segment,
            year,
            float(own.capacity.get((region, segment, year), 0.0)),
            "kwpm",
        )
        for own in summaries
        for region in own.labels.regions
        for segment in own.labels.segments
        for year in own.labels.years
    ]
    return pd.DataFrame(
        rows, columns=["case", "world", "region", "segment", "year", "value", "unit"]
    )


def _plainly(summaries: list[Summary], base: Summary) -> tuple[str, ...]:
    """Say where capacity ends up, where no finding of the study fits."""
    last = base.labels.years[-1]
    each = [
        f"{percent(evaluate(f'share.capacity.{region}.all.{last}', own))} under"
        f" {own.case.name}"
        for region in list(base.labels.regions)[:1]
        for own in summaries
    ]
    return (
        (
            f"In the model, the share of {base.region(next(iter(base.labels.regions)))}"
            f" in the world's capacity in {last} is {listed(each)}."
        ),
    )
