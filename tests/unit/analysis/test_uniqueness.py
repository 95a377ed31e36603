"""Which builds, flows and prices other solutions of equal cost have otherwise."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from helpers import case_of

from chipmodel import run
from chipmodel.analysis import uniqueness as module
from chipmodel.analysis.face import Face
from chipmodel.analysis.uniqueness import Loose, Uniqueness, uniqueness
from chipmodel.common.errors import NoOptimum
from chipmodel.model.parameters.parameters import Parameters
from chipmodel.results.solution import Solution


def looked_at(solution: Solution) -> Uniqueness:
    return uniqueness(solution, Face(solution.program, solution.optimum))


@pytest.fixture
def tied(two: Any, monkeypatch: pytest.MonkeyPatch) -> Solution:
    """Without the small costs that decide between routes of equal cost."""
    monkeypatch.setattr(Parameters, "tie", lambda self, *places: 0.0)
    return run(two, case_of())


def ends(solution: Solution, variable: str, index: Any) -> tuple[float, float]:
    """Return the range of a column, by two solves of its own."""
    keys, places = solution.program.labels.columns(variable)
    direction = np.zeros(len(solution.optimum.x))
    direction[places[list(keys).index(index)]] = 1.0
    low = direction @ Face(solution.program, solution.optimum).best(-direction)
    high = direction @ Face(solution.program, solution.optimum).best(direction)
    return float(low), float(high)


def test_every_build_is_classified_as_by_solves_of_its_own(tied: Solution) -> None:
    found = looked_at(tied)
    loose = {number.key: number for number in found.loose if number.table == "builds"}
    last = tied.world.report_until
    keys = [key for key in tied.columns("build") if key[-1] <= last]
    assert found.totals["builds"] >= len(keys)
    for key in keys:
        low, high = ends(tied, "build", key)
        assert (key in loose) == (high - low > 1e-6)
        if key in loose:
            assert low - 1e-6 <= loose[key].low <= loose[key].value + 1e-6
            assert loose[key].value - 1e-6 <= loose[key].high <= high + 1e-6


def test_every_flow_is_classified_as_by_solves_of_its_own(tied: Solution) -> None:
    found = looked_at(tied)
    loose = {number.key for number in found.loose if number.table == "trade"}
    assert loose, "without ties some routes cost the same"
    last = tied.world.report_until
    for key in tied.columns("ship"):
        if key[-1] <= last:
            low, high = ends(tied, "ship", key)
            assert (("chips", *key) in loose) == (high - low > 1e-6)


def test_a_table_of_the_result_has_a_number_for_every_row(tied: Solution) -> None:
    totals = looked_at(tied).totals
    for table in ("builds", "trade", "prices"):
        assert totals[table] >= len(tied.table(table))


def test_what_is_unique_is_found_so_and_the_same_twice(two: Any) -> None:
    solution = run(two, "tariff")
    first, second = looked_at(solution), looked_at(solution)
    assert first == second
    for number in first.loose:
        assert number.low <= number.value + 1e-9
        assert number.value <= number.high + 1e-9
        assert number.high > number.low


def test_a_price_of_what_nobody_makes_has_no_upper_end(two: Any) -> None:
    """Its lower end is what a first wafer would be worth."""
    number = Loose("prices", ("fab", "memo", "AAA", 2025), False, "USD", 5.0, 4, np.inf)
    found = Uniqueness({"prices": 3}, (number,), {})
    assert "4 USD or more" in "\n".join(found.lines())
    assert json.loads(json.dumps(found.plain()))["loose"][0]["largest"] is None


def test_few_flows_are_listed_and_the_rest_is_counted() -> None:
    numbers = [
        Loose("trade", ("use", "chip", "AAA", 2025 + k), False, "kwpm", 1.0, 0.0, 1 + k)
        for k in range(15)
    ]
    named = Loose("builds", ("alpha_one", 2026), True, "kwpm", 1.0, 0.5, 1.5)
    lines = Uniqueness({"builds": 9, "trade": 99}, (named, *numbers), {}).lines()
    text = "\n".join(lines)
    assert "builds: 8 of 9 are unique; not unique:" in text
    assert "alpha_one 2026" in text
    assert "trade: 84 of 99 are unique; not unique:" in text
    assert "use chip AAA 2039" in text
    assert "use chip AAA 2025" not in text
    assert "and 5 more, less wide" in text


def test_a_face_that_cannot_be_solved_is_reported(
    two: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failed(*_: Any) -> None:
        raise NoOptimum("unknown", "the solver stopped short of an optimum")

    monkeypatch.setattr(module, "run_highs", failed)
    found = looked_at(run(two, "tariff"))
    assert found.untested["prices"] == "unknown"
    assert "prices: not tested (unknown)" in "\n".join(found.lines())
