"""The opening of the report: the study ``headline``, with where capacity stands in each case and what trade carries."""

from __future__ import annotations

import pandas as pd

from chipmodel.desk import Desk
from chipmodel.metrics import evaluate
from chipmodel.plan import Cell, plan
from chipmodel.questions import Answer, Figure, Table
from chipmodel.report import flows
from chipmodel.report.figures import FIGURES
from chipmodel.report.plotted import references
from chipmodel.report.words import percent
from chipmodel.study import Study, StudyResult, load_study, result_of
from chipmodel.summary import Summary
from chipmodel.text import listed

STUDY = "headline"
TITLE = "Where capacity goes, and who pays"
ASKS = "Where does capacity go under each policy, and who pays for it?"
METHOD = ("The study `headline`: each case is one linear programme whose optimum is the competitive equilibrium under "
          "the stated policies; every case is compared with the reference case in the same world.")
CAPACITY = "capacity"
"""Name of the table of capacity by case, region, segment and year, which the page draws at the reader's choice."""
TITLES = {
    "capacity_by_region": "Where capacity stands",
    "leading_edge_share": "Shares of the leading edge, by case",
    "who_pays": "Who gains and who pays",
    "named_projects": "Announced projects",
}


def cells(desk: Desk, short: bool) -> list[Cell]:
    """The cells of the study; without its variants if it is to be short."""
    return list(plan(_study(desk, short), desk.data).cells)


def answer(desk: Desk, short: bool) -> Answer:
    """Return the comparison, the finding and the figures of the study."""
    study = _study(desk, short)
    known = plan(study, desk.data)
    summaries = {cell.name: desk.summary(cell.case, cell.world) for cell in known.cells}
    found = result_of(study, list(known.cells), known.metrics, summaries, desk.data)
    every = list(summaries.values())
    base = next(iter(references(every, study.reference).values()))
    tables = [Table("comparison", "Headline numbers by case; gains and losses are against "
                                  f"{study.reference}", _comparison(found))]
    drawn = []
    for name in study.figures:
        tabulate, draw = FIGURES[name]
        frame = tabulate(every, study.reference)
        if not frame.empty:
            title = TITLES.get(name, name.replace("_", " "))
            tables.append(Table(name, title, frame))
            drawn.append(Figure(name, title, name, f"{title}. The numbers are in the table below the figure.", draw))
    trade = flows.table(base)
    tables.append(Table("trade", f"Chips from the fab through device making to users in {base.labels.years[-1]}, "
                                 f"case {base.case.name}, USD bn at reference value", trade))
    drawn.append(Figure("trade", f"From fab to user, {base.labels.years[-1]}", "trade", flows.alt(trade), flows.draw))
    tables.append(Table(CAPACITY, "Capacity in service by case, region, segment and year", _capacity(every)))
    return Answer(found.finding or _plainly(every, base), tuple(tables), tuple(drawn))


def _study(desk: Desk, short: bool) -> Study:
    study = load_study(STUDY, desk.data)
    return study.model_copy(update={"variant": ()}) if short else study


def _comparison(found: StudyResult) -> pd.DataFrame:
    from chipmodel.metrics import parse
    from chipmodel.report.tables import SHOWN

    labels = next(iter(found.summaries.values())).labels
    rows = []
    for name in dict.fromkeys(found.table["metric"]):
        metric = parse(name)
        unit, factor, _ = SHOWN.get(metric.unit, (metric.unit, 1.0, 3))
        part = found.table[found.table["metric"] == name]
        values = {f"{case}" if world == found.table["world"].iloc[0] else f"{case} ({world})": factor * value
                  for case, world, value in zip(part["case"], part["world"], part["value"], strict=True)}
        rows.append({"number": metric.text(metric.family.heading, labels), "of": metric.text(metric.family.row, labels),
                     "unit": unit, **values})
    return pd.DataFrame(rows)


def _capacity(summaries: list[Summary]) -> pd.DataFrame:
    rows = [
        (own.case.name, own.world.name, region, segment, year,
         float(own.capacity.get((region, segment, year), 0.0)), "kwpm")
        for own in summaries
        for region in own.labels.regions for segment in own.labels.segments for year in own.labels.years
    ]
    return pd.DataFrame(rows, columns=["case", "world", "region", "segment", "year", "value", "unit"])


def _plainly(summaries: list[Summary], base: Summary) -> tuple[str, ...]:
    """Say where capacity ends up, where no finding of the study fits."""
    last = base.labels.years[-1]
    each = [
        f"{percent(evaluate(f'share.capacity.{region}.all.{last}', own))} under {own.case.name}"
        for region in list(base.labels.regions)[:1] for own in summaries
    ]
    return (f"In the model, the share of {base.region(next(iter(base.labels.regions)))} in the world's capacity in "
            f"{last} is {listed(each)}.",)
