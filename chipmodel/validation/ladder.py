"""The ladder of support of 2020: American fabs over ten years at 0, 20 and 50 billion dollars.

Solved on the base of 2022 without CHIPS, with no fab under way, and scaled to 2020:
capacity, demand and budgets are all smaller by one factor, so that results scale with
it and sums of money too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

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
from chipmodel.solver.highs import solve_program
from chipmodel.validation.shared import HINDCAST, WITHOUT, ReplicationSetup

BUDGETS = (0, 20, 50)
"""Rungs, USD bn of 2020."""


RATES = (0.0, 0.1, 0.35)
"""Rates of the open grant between which the rungs are found."""


GRANT = "ladder"


YEARS = (2023, 2032)


HOST = "USA"


@dataclass(frozen=True)
class Rung:
    """What one grant brings, MUSD and kwpm of the base solved.

    Attributes
    ----------
    rate : float
        Share of capital cost paid.
    paid : float
        Cash paid.
    built : float
        American builds begun in the ten years, kwpm.
    investment : float
        Their capital cost as billed, without premiums.
    """

    rate: float
    paid: float
    built: float
    investment: float


def ladder_case(bench: ReplicationSetup, **fields: object) -> Case:
    """Return the case of a grant to American fabs without CHIPS."""
    body = {
        "id": GRANT,
        "region": _host(bench),
        "years": YEARS,
        "source": "own",
        **fields,
    }
    return bench.case(WITHOUT) + Case(
        name="rung", policies=(CapexGrant.model_validate(body),)
    )


def ladder_world(bench: ReplicationSetup) -> World:
    """Return the base of 2022 with its own demand and nothing under way."""
    return bench.world(HINDCAST, demand_shift=0.0, committed=0.0)


def _host(bench: ReplicationSetup) -> str:
    return "JPN" if bench.placebo else HOST


def climb(
    response: PointResponse, point: Point, rates: Sequence[float] = RATES
) -> list[Rung]:
    """Return the rungs of an open grant at a point."""
    return [
        rung(response.at({**point, f"{GRANT}.rate": max(rate, 1e-6)}), rate)
        for rate in rates
    ]


def rung(solution: Solution, rate: float) -> Rung:
    """Read a rung off a solution."""
    n = solution.parameters
    built = investment = 0.0
    for (i, t), value in solution.columns("build").items():
        site = n.sites.sites[i]
        if site.region == HOST and YEARS[0] <= t <= YEARS[1]:
            built += value
            investment += value * n.costs[site.region, site.segment].billed
    lines = solution.program.labels.lines
    cash = np.array(
        [float(k.policy == GRANT and k.account == "grant_cash") for k in lines]
    )
    return Rung(
        rate,
        float(cash @ (solution.program.lines @ solution.optimum.x)),
        built,
        investment,
    )


def at_budgets(rungs: list[Rung], bench: ReplicationSetup) -> dict[int, Rung]:
    """Return the rungs of the published budgets, between those solved."""
    scale = bench.money_of(2020) * 1000.0 / bench.parameter("demand_2020")
    paid = [r.paid for r in rungs]
    found = {}
    for budget in BUDGETS:
        rate, built, money = (
            float(np.interp(budget * scale, paid, [getattr(r, name) for r in rungs]))
            for name in ("rate", "built", "investment")
        )
        found[budget] = Rung(rate, budget * scale, built, money)
    return found


def fabs(one: Rung, bench: ReplicationSetup) -> float:
    """Return a rung in fabs of the usual size, scaled to 2020."""
    return one.built * bench.parameter("demand_2020") / bench.fab


def money(one: Rung, bench: ReplicationSetup) -> float:
    """Return the investment of a rung, MUSD of 2020, scaled to 2020."""
    return one.investment * bench.parameter("demand_2020") / bench.money_of(2020)


def open_rungs(bench: ReplicationSetup) -> tuple[list[Rung], Solution]:
    """Return the rungs of the open form, and the solution without support."""
    response = PointResponse(
        bench.data,
        ladder_case(bench, form="open", rate=0.1),
        ladder_world(bench),
        [{f"{GRANT}.rate": 1e-6}, {f"{GRANT}.rate": 0.3}],
    )
    base = response.at({f"{GRANT}.rate": 1e-6})
    return [rung(base, 0.0), *climb(response, {}, RATES[1:])], base


def marginal_rungs(
    bench: ReplicationSetup, base: Solution, rate: float
) -> dict[int, Rung]:
    """Return the rungs of the marginal form: only what would not have been built is paid, at a rate."""
    before = {(i, t): value for (i, t), value in base.columns("build").items()}
    parameters = replace(
        build_parameters(bench.data, ladder_world(bench)),
        baseline_builds={GRANT: before},
    )
    scale = bench.money_of(2020) * 1000.0 / bench.parameter("demand_2020")
    found = {0: rung(base, 0.0)}
    for budget in BUDGETS[1:]:
        case = ladder_case(bench, form="marginal", rate=rate, budget=budget * scale)
        found[budget] = rung(_solved(case, parameters), rate)
    return found


def _solved(case: Case, parameters: Parameters) -> Solution:
    program = compile_program(write(parameters, case.policies))
    optimum = solve_program(program)
    return Solution.of(case, parameters, program, optimum)
