"""The ladder of support of 2020: US fabs over ten years at 0, 20 and 50 USD bn.

Solved on the base of 2022 without CHIPS, with no fab under construction, and scaled to
2020: capacity, demand and budgets are all smaller by one factor, so that results scale
with it and sums of money too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from chipmodel.analysis.response import PointResponse
from chipmodel.cases.case import Case
from chipmodel.cases.levers import Point
from chipmodel.model.lp.compile import compile_program
from chipmodel.model.lp.program import write
from chipmodel.model.parameters.build import build_parameters
from chipmodel.model.parameters.parameters import Parameters
from chipmodel.model.world import World
from chipmodel.policies.capex_grant import CapexGrant
from chipmodel.results.solution import Solution
from chipmodel.solver.solve import solve_program
from chipmodel.validation.shared import (
    HINDCAST,
    WITHOUT,
    Ladder,
    ReplicationSetup,
    Rung,
)

BUDGETS = (0, 20, 50)
"""Rungs, USD bn of 2020."""

RATES = (0.0, 0.1, 0.35)
"""Rates of the open grant between which the rungs are interpolated."""

LOWEST_RATE = 1e-6
"""Rate used for zero: at zero the grant is inactive, and the LP of another shape."""

GRANT = "ladder"
"""Id of the grant."""

YEARS = (2023, 2032)
"""First and last year in which builds are paid and counted: ten years of the base."""

HOST = "USA"


def ladder_case(setup: ReplicationSetup, **fields: object) -> Case:
    """Return the case of a grant to US fabs without CHIPS."""
    # The placebo pays Japan, and asks whether US fabs follow.
    body = {
        "id": GRANT,
        "region": "JPN" if setup.placebo else HOST,
        "years": YEARS,
        "source": "own",
        **fields,
    }
    grant = CapexGrant.model_validate(body)
    return setup.case(WITHOUT) + Case(name="rung", policies=(grant,))


def ladder_world(setup: ReplicationSetup) -> World:
    """Return the base of 2022 with its own demand and no project committed."""
    return setup.world(HINDCAST, demand_shift=0.0, committed=0.0)


def climb(
    response: PointResponse, point: Point, rates: Sequence[float] = RATES
) -> list[Rung]:
    """Return the rungs of an open grant at a point."""
    rungs = []
    for rate in rates:
        solution = response.at({**point, f"{GRANT}.rate": max(rate, LOWEST_RATE)})
        rungs.append(rung(solution, rate))
    return rungs


def rung(solution: Solution, rate: float) -> Rung:
    """Read a rung from a solution."""
    parameters = solution.parameters
    built = 0.0
    investment = 0.0
    for (i, t), kwpm in solution.columns("build").items():
        site = parameters.sites.sites[i]
        if site.region == HOST and YEARS[0] <= t <= YEARS[1]:
            built += kwpm
            investment += kwpm * parameters.costs[site.region, site.segment].capex
    lines = solution.program.labels.lines
    is_paid = [float(line.policy == GRANT and line.is_cash) for line in lines]
    paid = np.array(is_paid) @ (solution.program.lines @ solution.optimum.x)
    return Rung(rate, float(paid), built, investment)


def at_budgets(rungs: list[Rung], setup: ReplicationSetup) -> dict[int, Rung]:
    """Return the rungs of the published budgets, interpolated between those solved."""
    scale = _musd_per_budget(setup)
    paid = [rung.paid for rung in rungs]

    rates = [rung.rate for rung in rungs]
    built = [rung.built for rung in rungs]
    investment = [rung.investment for rung in rungs]
    by_budget = {}
    for budget in BUDGETS:
        money = budget * scale
        by_budget[budget] = Rung(
            rate=float(np.interp(money, paid, rates)),
            paid=money,
            built=float(np.interp(money, paid, built)),
            investment=float(np.interp(money, paid, investment)),
        )
    return by_budget


def _musd_per_budget(setup: ReplicationSetup) -> float:
    """Return the MUSD of the base solved that a billion dollars of 2020 is."""
    return setup.money_of(2020) * 1000.0 / setup.parameter("demand_2020")


def fabs(rung: Rung, setup: ReplicationSetup) -> float:
    """Return a rung in fabs of the usual size, scaled to 2020."""
    return rung.built * setup.parameter("demand_2020") / setup.fab_size


def money(rung: Rung, setup: ReplicationSetup) -> float:
    """Return the investment of a rung, MUSD of 2020, scaled to 2020."""
    return rung.investment * setup.parameter("demand_2020") / setup.money_of(2020)


def solve_ladder(setup: ReplicationSetup) -> Ladder:
    """Return the rungs at the published budgets, in the open and the marginal form.

    They are solved once for each setup. The placebo has no marginal form: it asks only
    whether support elsewhere would do as well.
    """
    if setup.ladder is None:
        rungs, base = open_rungs(setup)
        by_budget = at_budgets(rungs, setup)
        marginal = {}
        if not setup.placebo:
            marginal = marginal_rungs(setup, base, by_budget[BUDGETS[-1]].rate)
        setup.ladder = Ladder(by_budget, marginal)
    return setup.ladder


def open_rungs(setup: ReplicationSetup) -> tuple[list[Rung], Solution]:
    """Return the rungs of the open form, and the solution without support."""
    rate = f"{GRANT}.rate"
    response = PointResponse(
        setup.data,
        ladder_case(setup, form="open", rate=0.1),
        ladder_world(setup),
    )
    base = response.at({rate: LOWEST_RATE})
    return [rung(base, 0.0), *climb(response, {}, RATES[1:])], base


def marginal_rungs(
    setup: ReplicationSetup, base: Solution, rate: float
) -> dict[int, Rung]:
    """Return the rungs of the marginal form.

    Only what would not have been built without support is paid, at a rate.
    """
    # The baseline is known from the open form, so it need not be solved again.
    parameters = replace(
        build_parameters(setup.data, ladder_world(setup)),
        baseline_builds={GRANT: dict(base.columns("build"))},
    )
    scale = _musd_per_budget(setup)
    rungs = {0: rung(base, 0.0)}
    for budget in BUDGETS[1:]:
        case = ladder_case(setup, form="marginal", rate=rate, budget=budget * scale)
        rungs[budget] = rung(_solved(case, parameters), rate)
    return rungs


def _solved(case: Case, parameters: Parameters) -> Solution:
    program = compile_program(write(parameters, case.policies))
    optimum = solve_program(program)
    return Solution.of(case, parameters, program, optimum)
