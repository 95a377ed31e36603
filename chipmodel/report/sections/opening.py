"""The opening of the report: the study ``headline``, capacity by case, and trade."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import product

import pandas as pd

from chipmodel.common.text import listed, number, percent, with_article
from chipmodel.common.units import SHOWN
from chipmodel.dataset.dataset import Dataset
from chipmodel.dataset.derived import load_intervals
from chipmodel.display import charts, flows
from chipmodel.display.figure_tables import references
from chipmodel.display.figures import FIGURES
from chipmodel.questions.answer import Answer, Figure, Table
from chipmodel.results.metrics import evaluate, parse
from chipmodel.results.summary import Summary
from chipmodel.studies.case_cache import HEADLINE, CaseCache
from chipmodel.studies.definition import Study, read_study
from chipmodel.studies.plan import Cell, load_study, plan
from chipmodel.studies.run import StudyResult, result_of

TITLE = "Where capacity goes, and who pays"


ASKS = "Where does capacity go under each policy, and who pays for it?"


METHOD = (
    "The study `headline`: each case is one linear program whose optimum is the"
    " competitive equilibrium under the stated policies; every case is compared with"
    " the reference case in the same world."
)


CAPACITY = "capacity"
"""Table of capacity by case, region, segment and year, drawn at the reader's choice."""


TITLES = {
    "capacity_by_region": "Capacity in service by region",
    "leading_edge_share": "Shares of the leading edge, by case",
    "who_pays": "Who gains and who pays",
    "named_projects": "Announced projects",
}
"""Title of each figure of a study."""


Shown = tuple[Table, Figure]
"""A figure and the table it is drawn from."""


def cells(cache: CaseCache, short: bool) -> list[Cell]:
    """Return the cells of the study; the short form leaves its variants out."""
    # The study is checked as a whole here, also what the short form leaves out.
    study = load_study(HEADLINE, cache.data)
    return list(plan(_form(study, short), cache.data).cells)


def answer(cache: CaseCache, short: bool) -> Answer:
    """Return the comparison, the finding and the figures of the study."""
    study = _form(read_study(HEADLINE, cache.data), short)
    planned = plan(study, cache.data)
    summaries = {
        cell.name: cache.summary(cell.case, cell.world) for cell in planned.cells
    }
    result = result_of(
        study, list(planned.cells), planned.metrics, summaries, cache.data
    )
    solutions = list(summaries.values())
    # Worlds follow the order of the study: the first one is the central world.
    base = next(iter(references(solutions, study.reference).values()))
    shown = [
        *_study_figures(study, solutions),
        _trade(base),
        *_interval_figure(result, base, cache.data),
    ]
    comparison = Table(
        "comparison",
        f"Headline numbers by case; gains and losses are against {study.reference}",
        _comparison(result),
    )
    capacity = Table(
        CAPACITY,
        "Capacity in service by case, region, segment and year",
        _capacity(solutions),
    )
    return Answer(
        result.finding or (_shares_by_case(solutions, base),),
        (comparison, *(table for table, _ in shown), capacity),
        tuple(figure for _, figure in shown),
    )


def _form(study: Study, short: bool) -> Study:
    """Return a study as it is, or without its variants."""
    if not short:
        return study
    return study.model_copy(update={"variant": ()})


def _study_figures(study: Study, summaries: Sequence[Summary]) -> list[Shown]:
    """Return the figures the study names, without those that have nothing to draw."""
    shown = []
    for name in study.figures:
        frame = FIGURES[name].tabulate(summaries, study.reference)
        # A study of one case has nobody who gains or pays.
        if frame.empty:
            continue
        title = TITLES.get(name, name.replace("_", " "))
        alt = f"{title}. The numbers are in the table below the figure."
        figure = Figure(name, title, name, alt, FIGURES[name].draw)
        shown.append((Table(name, title, frame), figure))
    return shown


def _trade(base: Summary) -> Shown:
    """Return the flows of chips in the reference case."""
    frame = flows.table(base)
    year = base.labels.years[-1]
    table = Table(
        "trade",
        f"Chips from the fab through device making to users in {year},"
        f" case {base.case.name}, USD bn at reference value",
        frame,
    )
    title = f"From fab to user, {year}"
    return table, Figure("trade", title, "trade", flows.alt(frame), flows.draw)


def _interval_figure(result: StudyResult, base: Summary, data: Dataset) -> list[Shown]:
    """Return the intervals of the home region's headline numbers, if any are known."""
    frame = _intervals(result, base)
    if frame.empty:
        return []
    home = next(iter(base.labels.regions.values()))
    title = (
        f"How sure: headline numbers of {with_article(home)} over the ranges of the"
        " data"
    )
    drawn_over = load_intervals(data).description
    draw = partial(
        charts.dots,
        label="case",
        panel="number",
        title=title,
        note=f"dot: central values of the data; line: {drawn_over}",
    )
    figure = Figure("intervals", title, "intervals", _interval_text(frame), draw)
    return [(Table("intervals", title, frame), figure)]


def _comparison(result: StudyResult) -> pd.DataFrame:
    """Return the metrics of the study by case, in the units they are shown in."""
    labels = next(iter(result.summaries.values())).labels
    first_world = result.table["world"].iloc[0]
    rows = []
    for name, values in result.table.groupby("metric", sort=False):
        metric = parse(str(name))
        unit, factor, _ = SHOWN.get(metric.unit, (metric.unit, 1.0, 3))
        row: dict[str, object] = {
            "number": metric.text(metric.family.heading, labels),
            "of": metric.text(metric.family.row, labels),
            "unit": unit,
        }
        for case, world, value in zip(
            values["case"], values["world"], values["value"], strict=True
        ):
            column = case
            if world != first_world:
                column = f"{case} ({world})"
            row[column] = factor * value
        rows.append(row)
    return pd.DataFrame(rows)


def _intervals(result: StudyResult, base: Summary) -> pd.DataFrame:
    """Return the intervals of headline numbers by case; empty if none is known."""
    columns = ["number", "case", "value", "low", "high"]
    table = result.table
    if "low" not in table:
        return pd.DataFrame(columns=columns)
    known = table[(table["world"] == base.world.name) & table["low"].notna()]
    rows = []
    for name, heading in _headline_numbers(base).items():
        metric = parse(name)
        unit, factor, _ = SHOWN.get(metric.unit, (metric.unit, 1.0, 3))
        for row in known[known["metric"] == name].to_dict("records"):
            # The reference does not differ from itself.
            if metric.family.against and row["case"] == base.case.name:
                continue
            numbers = [factor * float(row[end]) for end in ("value", "low", "high")]
            rows.append((f"{heading}, {unit}", row["case"], *numbers))
    return pd.DataFrame(rows, columns=columns)


def _headline_numbers(base: Summary) -> dict[str, str]:
    """Return the metrics whose intervals are shown, with their headings."""
    home, year = next(iter(base.labels.regions)), base.labels.years[-1]
    return {
        f"share.capacity.{home}.all.{year}": f"Share of all capacity, {year}",
        f"share.capacity.{home}.{base.labels.leading}.{year}": (
            f"Share of the leading edge, {year}"
        ),
        f"cost.buyers.{home}": "What users lose",
        f"welfare.{home}": "Gain in all",
    }


def _interval_text(frame: pd.DataFrame) -> str:
    rows = []
    for row in frame.to_dict("records"):
        value = number(float(row["value"]), 3)
        low, high = number(float(row["low"]), 3), number(float(row["high"]), 3)
        rows.append(f"{row['number']}, {row['case']}: {value} ({low} to {high})")
    return f"Dots with lines from low to high. {'; '.join(rows)}."


def _capacity(summaries: Sequence[Summary]) -> pd.DataFrame:
    """Return capacity by case, world, region, segment and year, kwpm."""
    rows = []
    for summary in summaries:
        labels = summary.labels
        keys = product(labels.regions, labels.segments, labels.years)
        for region, segment, year in keys:
            capacity = float(summary.capacity.get((region, segment, year), 0.0))
            cell = (summary.case.name, summary.world.name)
            rows.append((*cell, region, segment, year, capacity, "kwpm"))
    return pd.DataFrame(
        rows, columns=["case", "world", "region", "segment", "year", "value", "unit"]
    )


def _shares_by_case(summaries: Sequence[Summary], base: Summary) -> str:
    """Return a sentence on shares of capacity, where no finding of the study fits."""
    home, year = next(iter(base.labels.regions)), base.labels.years[-1]
    metric = f"share.capacity.{home}.all.{year}"
    shares = []
    for summary in summaries:
        share = percent(evaluate(metric, summary))
        shares.append(f"{share} under {summary.case.name}")
    return (
        f"In the model, the share of {base.region(home)} in the world's capacity in"
        f" {year} is {listed(shares)}."
    )
