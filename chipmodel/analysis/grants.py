"""Grants whose terms depend on a solution: open ones that seek a rate, marginal ones.

An open grant with a budget and no rate gets the rate at which it spends the budget. A
marginal grant pays only for builds beyond those of the case without it, which is
solved first.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from chipmodel.analysis.response import Response, find_number
from chipmodel.analysis.starts import solve_from_nearest
from chipmodel.analysis.structure import Structures
from chipmodel.cases.case import Case
from chipmodel.cases.check import highest_rate
from chipmodel.common.errors import about
from chipmodel.model.parameters.parameters import Parameters
from chipmodel.policies.capex_grant import CapexGrant
from chipmodel.results.solution import Solution
from chipmodel.solver.linear_program import LinearProgram, Vector

STRUCTURES = Structures()
"""Linear programs written by this process."""


def solve_with_grants(
    case: Case,
    parameters: Parameters,
    label: str,
    without: tuple[str, ...],
) -> Solution:
    """Solve a case, with the solves that its grants need before.

    Parameters
    ----------
    case : Case
    parameters : Parameters
    label : str
        Foresight of the solution: ``anticipated`` or ``surprise``.
    without : tuple of str
        Groups of rows left out, for tests.

    Raises
    ------
    NoOptimum
        If there is no optimal solution.
    """
    parameters = _with_baselines(case, parameters, without)
    for policy in case.policies:
        # An inactive grant has nothing to spend; `check_case` allows one other.
        if policy.seeks_rate and not policy.inactive:
            assert isinstance(policy, CapexGrant)
            return _spend_budget(case, policy, parameters, label, without)
    return solve_once(case, parameters, label, without)


def solve_once(
    case: Case,
    parameters: Parameters,
    label: str,
    without: tuple[str, ...],
) -> Solution:
    """Write, compile and solve the linear program of a case."""
    with about(parameters=parameters, policies=case.policies):
        program = STRUCTURES.program(case, parameters, without)
        with about(program):
            optimum = solve_from_nearest(case, parameters, label, program)
            return Solution.of(case, parameters, program, optimum, label)


def _with_baselines(
    case: Case, parameters: Parameters, without: tuple[str, ...]
) -> Parameters:
    """Solve the case without each marginal grant, to find what is built anyway."""
    baselines = {}
    for policy in case.policies:
        if policy.needs_baseline and not policy.inactive:
            # The case without it may hold another marginal grant with a baseline of
            # its own.
            before = solve_with_grants(
                case.without(policy.id), parameters, "anticipated", without
            )
            baselines[policy.id] = dict(before.columns("build"))
    if not baselines:
        return parameters
    return replace(parameters, baseline_builds=baselines)


def _spend_budget(
    case: Case,
    grant: CapexGrant,
    parameters: Parameters,
    label: str,
    without: tuple[str, ...],
) -> Solution:
    """Find the rate at which an open grant spends its budget."""
    others = [policy for policy in case.policies if policy.id != grant.id]
    highest = highest_rate(case, grant, parameters)

    def with_rate(rate: float) -> Case:
        fields = {**grant.model_dump(), "rate": rate, "budget": None}
        policies = (*others, CapexGrant.model_validate(fields))
        return case.model_copy(update={"policies": policies})

    budget = grant.budget
    assert budget is not None
    response = Response(without)

    def spent(rate: float) -> float:
        # A rate of zero makes the grant inactive, and the linear program one of another
        # shape.
        if rate <= 0:
            return 0.0
        program, optimum = response.solve(with_rate(rate), parameters)
        return _cash_paid(program, optimum.x, grant.id)

    rate = find_number(spent, budget, 0.0, highest, tolerance=1e-5)
    # Solved again by itself: where several solutions are optimal, the one from the
    # search depends on the rates tried before it.
    solution = solve_once(with_rate(rate), parameters, label, without)
    paid = _cash_paid(solution.program, solution.optimum.x, grant.id)
    return replace(
        solution,
        case=case,
        found={f"{grant.id}.rate": rate, f"{grant.id}.unspent": budget - paid},
    )


def _cash_paid(program: LinearProgram, x: Vector, grant: str) -> float:
    """Return the cash a grant pays in a solution, MUSD."""
    is_cash = []
    for line in program.labels.lines:
        is_cash.append(line.policy == grant and line.account == "grant_cash")
    # Undiscounted, as a budget is.
    return float(np.array(is_cash, dtype=float) @ (program.lines @ x))
