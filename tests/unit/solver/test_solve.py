"""A solve finds the same solution wherever it starts."""

from __future__ import annotations

import dataclasses
from typing import Any

import highspy
import numpy as np
import pytest
from helpers import case_of, world_of

import chipmodel as cm
from chipmodel.model.lp.compile import compile_program
from chipmodel.model.lp.program import write
from chipmodel.model.parameters.build import build_parameters
from chipmodel.solver import canonical, solve
from chipmodel.solver.bounds import SingletonBounds
from chipmodel.solver.highs import COLD
from chipmodel.solver.linear_program import LinearProgram, ProgramLabels
from chipmodel.solver.solve import STORED, solve_program, warm_start_from
from chipmodel.solver.warm_start import BASIC, LOWER, Basis, WarmStart


def program_of(data: Any, *policies: Any) -> LinearProgram:
    parameters = build_parameters(data, world_of(data))
    return compile_program(write(parameters, case_of(*policies).policies))


def of_case(data: Any, name: str) -> LinearProgram:
    return program_of(data, *cm.load_case(name, data).policies)


def test_the_start_moves_no_digit(two: Any) -> None:
    """Neither values nor duals, though many of them are not unique."""
    names = ("no_policy", "tariff", "credit", "floor", "grant")
    programs = {name: of_case(two, name) for name in names}
    cold = {name: solve_program(program) for name, program in programs.items()}
    starts = {
        name: warm_start_from(programs[name], optimum) for name, optimum in cold.items()
    }
    for name, program in programs.items():
        for start in starts.values():
            warm = solve_program(program, start)
            assert np.array_equal(warm.x, cold[name].x)
            assert np.array_equal(warm.y, cold[name].y)


def test_its_own_basis_costs_few_pivots(two: Any) -> None:
    program = of_case(two, "tariff")
    cold = solve_program(program)
    warm = solve_program(program, warm_start_from(program, cold))
    assert (cold.start, warm.start) == (COLD, STORED)
    assert warm.iterations < cold.iterations / 4


@pytest.mark.parametrize("seed", range(5))
def test_a_basis_of_no_sense_is_a_slow_start(two: Any, seed: int) -> None:
    program = of_case(two, "tariff")
    cold = solve_program(program)
    start = warm_start_from(program, cold)
    draw = np.random.default_rng(seed)
    columns = draw.integers(0, 3, len(start.columns)).astype(np.int8)
    rows = draw.integers(0, 3, len(start.rows)).astype(np.int8)
    senseless = dataclasses.replace(start, columns=columns, rows=rows)
    found = solve_program(program, senseless)
    assert np.array_equal(found.x, cold.x)
    assert np.array_equal(found.y, cold.y)


def test_a_start_that_is_far_is_left(two: Any, monkeypatch: Any) -> None:
    program = of_case(two, "tariff")
    start = warm_start_from(program, solve_program(program))
    slack = dataclasses.replace(
        start,
        columns=np.full_like(start.columns, LOWER),
        rows=np.full_like(start.rows, BASIC),
    )
    monkeypatch.setattr(solve, "NEARBY", 3)
    assert solve_program(program, slack).start == COLD


def test_without_a_canonical_basis_the_cold_solve_decides(
    two: Any, monkeypatch: Any
) -> None:
    program = of_case(two, "tariff")
    expected = solve_program(program)
    start = warm_start_from(program, expected)
    monkeypatch.setattr(solve._Solve, "_canonical", lambda *_: None)
    cold, warm = solve_program(program), solve_program(program, start)
    assert cold.objective == pytest.approx(expected.objective, rel=1e-9)
    assert np.array_equal(cold.x, warm.x)
    assert np.array_equal(cold.y, warm.y)


def labels_of(count: int) -> ProgramLabels:
    """Return labels of columns that differ in one number."""
    names = [("x", (k,)) for k in range(count)]
    return ProgramLabels([], names, np.zeros(0, dtype=bool), [], [], [], {})


def test_noise_is_that_of_the_key_and_of_no_pattern() -> None:
    keys = labels_of(20_000).column_keys
    noise = canonical.noise(keys)
    assert np.array_equal(noise[:100], canonical.noise(keys[:100]))
    assert 0.5 <= noise.min() < 0.51
    assert 1.49 < noise.max() <= 1.5
    # Labels that follow one another have unrelated numbers.
    assert abs(np.corrcoef(noise[:-1], noise[1:])[0, 1]) < 0.03
    assert len(np.unique(noise)) == len(keys)


def test_perturbation_relaxes_and_raises_costs(two: Any) -> None:
    program = of_case(two, "tariff")
    bounds = SingletonBounds(program)
    before, after = bounds.highs_lp(program), bounds.highs_lp(program)
    columns = np.ones(before.num_col_)
    canonical.perturb(after, columns, np.ones(before.num_row_))
    added = np.array(after.col_cost_) - np.array(before.col_cost_)
    assert added == pytest.approx(canonical.COST_NOISE, rel=1e-6)
    for lower, upper in (("col_lower_", "col_upper_"), ("row_lower_", "row_upper_")):
        low, high = np.array(getattr(before, lower)), np.array(getattr(before, upper))
        wider_low = np.array(getattr(after, lower))
        wider_high = np.array(getattr(after, upper))
        fixed = low == high
        assert np.array_equal(wider_low[fixed], low[fixed])
        assert np.array_equal(wider_high[fixed], high[fixed])
        assert (wider_low[~fixed] < low[~fixed]).all()
        finite = ~fixed & (high < highspy.kHighsInf)
        assert (wider_high[finite] > high[finite]).all()


def test_a_start_survives_rows_and_columns_that_are_added() -> None:
    basis = Basis(np.array([0, 1, 2], dtype=np.int8), np.array([1, 0], dtype=np.int8))
    many = np.arange(300, dtype=np.uint64)
    start = WarmStart.of(
        Basis(np.tile(basis.columns, 100), basis.rows),
        many,
        np.array([7, 3], dtype=np.uint64),
    )
    columns = np.array([*many[::-1], 1000], dtype=np.uint64)
    found = start.basis_for(columns, np.array([3, 9, 7], dtype=np.uint64))
    assert found is not None
    assert found.columns.tolist() == [*([2, 1, 0] * 100), LOWER]
    assert found.rows.tolist() == [0, BASIC, 1]
    others = np.arange(400, dtype=np.uint64)
    assert start.basis_for(others, np.zeros(0, dtype=np.uint64)) is None


def test_a_start_that_violates_much_is_left_before_the_first_pivot(
    two: Any, monkeypatch: Any
) -> None:
    program = of_case(two, "tariff")
    cold = solve_program(program)
    slack = warm_start_from(program, cold)
    slack = dataclasses.replace(
        slack,
        columns=np.full_like(slack.columns, LOWER),
        rows=np.full_like(slack.rows, BASIC),
    )
    monkeypatch.setattr(solve, "VIOLATED", 0)
    found = solve_program(program, slack)
    assert (found.start, found.iterations) == (COLD, cold.iterations)
    assert np.array_equal(found.x, cold.x)


def test_where_only_costs_differ_primal_simplex_goes_first(
    two: Any, monkeypatch: Any
) -> None:
    """Only there, and the answer is that of the cold solve."""
    program = of_case(two, "tariff")
    start = warm_start_from(program, solve_program(program))
    raised = dataclasses.replace(program, weights=program.weights * 1.0)
    raised.weights[: len(raised.weights) // 2] *= 1.2
    less = dataclasses.replace(program, rhs=program.rhs * 0.98)
    taken: dict[str, list[int]] = {"costs": [], "limits": []}
    for what, changed in (("costs", raised), ("limits", less)):
        strategies = taken[what]
        passed = highspy.Highs.setOptionValue

        def watched(
            highs: Any,
            name: str,
            value: Any,
            strategies: list[int] = strategies,
            passed: Any = passed,
        ) -> Any:
            if name == "simplex_strategy":
                strategies.append(value)
            return passed(highs, name, value)

        with monkeypatch.context() as patch:
            patch.setattr(highspy.Highs, "setOptionValue", watched)
            warm = solve_program(changed, start)
        assert np.array_equal(warm.x, solve_program(changed).x)
    # The last step from the canonical basis is by primal simplex in any case.
    assert canonical.DUAL in taken["costs"]
    assert canonical.DUAL not in taken["limits"]
