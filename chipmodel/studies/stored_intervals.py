"""Digests of what the stored intervals were drawn from, beside the intervals."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from chipmodel.analysis.run import solve_in_passes
from chipmodel.common.errors import InputError
from chipmodel.common.workers import Pool
from chipmodel.dataset.dataset import Dataset
from chipmodel.dataset.derived import (
    CHANGE,
    CLOSE,
    FILE,
    FOLDER,
    PROGRAM,
    ROUNDING,
    VALUES,
)
from chipmodel.results.metrics import evaluate, programs_of
from chipmodel.results.summary import Summary
from chipmodel.studies.definition import Study
from chipmodel.studies.inputs import Inputs
from chipmodel.studies.plan import Cell, plan


def stamped(
    table: pd.DataFrame,
    study: Study,
    data: Dataset,
    pool: Pool,
    report: Callable[[str], object] = lambda line: None,
) -> pd.DataFrame:
    """Return intervals with the digests of the data and of their linear programs.

    The cases are solved with the central values, and the results are compared with the
    centres of the intervals.

    Parameters
    ----------
    table : DataFrame
        Intervals, with or without digests.
    study : Study
        Their cases and worlds, without points.
    data : Dataset
    pool : Pool
    report : callable, optional
        Called with a line for each case that is solved.

    Raises
    ------
    InputError
        If the data now give another value than the centre of an interval.
    """
    inputs = Inputs(data)
    cells = plan(study, data, inputs=inputs).cells
    summaries: dict[str, Summary] = {}
    for k, summary in pool.each(_summary, inputs, cells):
        summaries[cells[k].name] = summary
        report(f"solved {cells[k].label}")
    references = {cell.name: summaries[cell.reference] for cell in cells}
    programs = []
    rows = zip(table["case"], table["world"], table.to_dict("records"), strict=True)
    for case, world, row in rows:
        cell = f"{case}--{world}"
        if cell not in summaries:
            raise _other(f"{case} in {world}", "is not solved by the study")
        summary, base = summaries[cell], references[cell]
        _refuse_other_centre(row, summary, base)
        programs.append(programs_of(str(row["metric"]), summary, base))
    return table.assign(**{VALUES: data.values_digest, PROGRAM: programs})


def _summary(inputs: Inputs, cell: Cell) -> Summary:
    parameters = inputs.parameters_before_events(cell.world)
    return Summary.of(solve_in_passes(cell.case, parameters))


def _refuse_other_centre(
    row: dict[object, object], summary: Summary, base: Summary
) -> None:
    name = str(row["metric"])
    metric = name.removeprefix(CHANGE)
    value = evaluate(metric, summary, base)
    if metric != name:
        value -= evaluate(metric, base, base)
    centre, low, high = (float(str(row[key])) for key in ("centre", "low", "high"))
    if abs(value - centre) > CLOSE * (high - low) + ROUNDING * max(abs(centre), 1.0):
        place = f"{name} of {summary.case.name} in {summary.world.name}"
        raise _other(place, f"was drawn around {centre:g} and is {value:g} now")


def _other(place: str, what: str) -> InputError:
    fix = "draw again: python experiments/intervals.py"
    return InputError.one(f"{FOLDER}/{FILE}", place, what, fix)
