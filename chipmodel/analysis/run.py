"""Solve a case in a world: checks, passes of foresight, and searches over a number."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np
from pyomo.common.gc_manager import PauseGC

from chipmodel.analysis.response import Response, find_number
from chipmodel.cases.case import Case, load_case
from chipmodel.cases.check import check_case
from chipmodel.common.errors import InputError, Problem, about
from chipmodel.dataset.dataset import Dataset
from chipmodel.model.lp.compile import compile_program
from chipmodel.model.lp.program import write
from chipmodel.model.parameters.build import build_parameters
from chipmodel.model.parameters.parameters import Parameters
from chipmodel.model.world import Event, World, load_world
from chipmodel.policies.base import Policy
from chipmodel.policies.capex_grant import CapexGrant
from chipmodel.policies.support import Support
from chipmodel.results.solution import Solution
from chipmodel.solver.highs import solve_program
from chipmodel.solver.linear_program import LinearProgram, Vector
from chipmodel.solver.warm_start import WarmStart


def run(data: Dataset, case: Case | str, world: World | str = "central") -> Solution:
    """Solve a case in a world.

    Parameters
    ----------
    data : Dataset
    case : Case or str
        A case, or the name of one; ``a+b`` adds cases.
    world : World or str

    Returns
    -------
    Solution

    Raises
    ------
    InputError
        If the case does not fit the data.
    NoOptimum
        If there is no optimal solution.
    """
    case = load_case(case, data) if isinstance(case, str) else case
    world = load_world(world, data) if isinstance(world, str) else world
    return solve_checked(data, case, world)


def solve_checked(
    data: Dataset,
    case: Case,
    world: World,
    started: Solution | None = None,
    start: WarmStart | None = None,
) -> Solution:
    """Check a case against the data and solve it.

    Parameters
    ----------
    started : Solution, optional
        The solution of the `first_pass` of this case and world, so that surprises that
        share one need not solve it each.
    start : WarmStart, optional
        The basis of another case, from which a programme much like it starts; cold
        without one.
    """
    parameters = build_parameters(data, world)
    check_case(case, parameters)
    return solve_in_passes(case, parameters, started=started, start=start)


def first_pass(case: Case, world: World) -> tuple[Case, World]:
    """Return case and world as they are known at the start: without what comes as a surprise."""
    return _known(case, world.base_year, world.base_year), world.with_(
        event=_told(world, world.base_year)
    )


def solve_in_passes(
    case: Case,
    parameters: Parameters,
    without: tuple[str, ...] = (),
    started: Solution | None = None,
    start: WarmStart | None = None,
) -> Solution:
    """Solve in passes: each surprise is solved with the builds before it fixed to the pass without it."""
    world = parameters.world
    base = world.base_year
    told_in = {p.known_from for p in case.policies} | {
        e.known_from for e in world.event
    }
    dates = sorted(t for t in told_in if t and t > base)
    if dates:
        _refuse_searches(case)
    state = parameters
    solution = started or _solve(
        _known(case, base, base),
        state.with_events(_told(world, base)),
        "anticipated",
        without,
        start,
    )
    for date in dates:
        state = _fixed_before(date, state, solution)
        solution = _solve(
            _known(case, base, date),
            state.with_events(_told(world, date)),
            "surprise",
            without,
        )
    return replace(solution, case=case, world=world)


def _known(case: Case, base: int, date: int) -> Case:
    """Return a case with the instruments known by a date."""
    return case.model_copy(
        update={
            "policies": tuple(
                p for p in case.policies if (p.known_from or base) <= date
            )
        }
    )


def _told(world: World, date: int) -> tuple[Event, ...]:
    """Return the events known by a date."""
    return tuple(e for e in world.event if (e.known_from or world.base_year) <= date)


def _refuse_searches(case: Case) -> None:
    """Refuse grants whose amount hangs on a whole solve beside a surprise: each pass would grant anew."""
    problems = [
        Problem(
            case.name,
            f"policy {p.id}",
            "cannot stand beside something with known_from: builds would be paid anew",
            "give it form = 'open' with a rate",
        )
        for p in case.policies
        if p.needs_search
    ]
    if problems:
        raise InputError(problems)


def _fixed_before(date: int, parameters: Parameters, solution: Solution) -> Parameters:
    sites = parameters.sites.sites
    fixed = {
        (i, t): value
        for (i, t), value in solution.columns("build").items()
        if sites[i].decided[t] < date
    }
    plants = {
        (i, t): value
        for (i, t), value in solution.columns("assemble_build").items()
        if t < date
    }
    replaced = {
        key: value
        for key, value in solution.columns("replaced").items()
        if key[-1] < date
    }
    return replace(
        parameters,
        fixed={**parameters.fixed, **fixed},
        fixed_plants=plants,
        fixed_replaced=replaced,
    )


def _solve(
    case: Case,
    parameters: Parameters,
    label: str,
    without: tuple[str, ...],
    start: WarmStart | None = None,
) -> Solution:
    parameters = _with_baselines(case, parameters, without)
    wanting = [p for p in case.policies if isinstance(p, CapexGrant) and p.seeks_rate]
    if len(wanting) > 1:
        raise InputError.one(
            case.name,
            ", ".join(p.id for p in wanting),
            "more than one open grant seeks its rate",
            "give all but one a rate",
        )
    if wanting and not wanting[0].inactive:
        return _spend_budget(case, wanting[0], parameters, label, without)
    return _once(case, parameters, label, without, start)


def _once(
    case: Case,
    parameters: Parameters,
    label: str,
    without: tuple[str, ...],
    start: WarmStart | None = None,
) -> Solution:
    # Garbage is collected once, when all is done.
    with PauseGC(), about(parameters=parameters, policies=case.policies):
        program = compile_program(write(parameters, case.policies, without))
        with about(program):
            optimum = solve_program(program, start)
            return Solution.of(case, parameters, program, optimum, label)


def _with_baselines(
    case: Case, parameters: Parameters, without: tuple[str, ...]
) -> Parameters:
    """Solve the case without each marginal programme, to know what would have been built."""
    stored = {}
    for policy in case.policies:
        if policy.needs_baseline and not policy.inactive:
            before = _solve(case.without(policy.id), parameters, "anticipated", without)
            stored[policy.id] = {
                (i, t): v for (i, t), v in before.columns("build").items()
            }
    return replace(parameters, baseline_builds=stored) if stored else parameters


def _spend_budget(
    case: Case,
    grant: CapexGrant,
    parameters: Parameters,
    label: str,
    without: tuple[str, ...],
) -> Solution:
    """Find the rate at which an open grant spends its budget."""
    others = [p for p in case.policies if p.id != grant.id]
    place = f"policy {grant.id}"
    if not grant.eligible(parameters):
        raise InputError.one(
            case.name,
            place,
            "no build is eligible",
            "check region, segments, firms and years",
        )
    most = min(0.999 * _room(others, grant, parameters), 0.999)
    if most <= 0:
        raise InputError.one(
            case.name,
            place,
            "other support leaves no room for it",
            "lower the other support",
        )

    def with_rate(rate: float) -> Case:
        body = {**grant.model_dump(), "rate": rate, "budget": None}
        return case.model_copy(
            update={"policies": (*others, CapexGrant.model_validate(body))}
        )

    assert grant.budget is not None
    response = Response(
        [(with_rate(most / 2), parameters), (with_rate(most), parameters)], without
    )

    def spent(rate: float) -> float:
        if rate <= 0:
            return 0.0
        program, optimum = response.solve(with_rate(rate), parameters)
        return _paid(program, optimum.x, grant.id)

    rate = find_number(spent, grant.budget, 0.0, most, tolerance=1e-5)
    solution = _once(with_rate(rate), parameters, label, without)
    left = grant.budget - _paid(solution.program, solution.optimum.x, grant.id)
    return replace(
        solution,
        case=case,
        found={f"{grant.id}.rate": rate, f"{grant.id}.unspent": left},
    )


def _paid(program: LinearProgram, x: Vector, grant: str) -> float:
    """Return the cash a grant pays in a solution."""
    cash = np.array(
        [float(k.policy == grant and k.is_cash) for k in program.labels.lines]
    )
    return float(cash @ (program.lines @ x))


def _room(others: list[Policy], grant: CapexGrant, parameters: Parameters) -> float:
    """Return the largest rate at which no eligible build is paid more than it costs."""
    given: dict[tuple[str, int], float] = defaultdict(float)
    for policy in others:
        if isinstance(policy, Support) and not policy.inactive:
            for key, share in policy.support_shares(parameters).items():
                given[key] += share
    least = parameters.parameter["multiplier_start"]
    return min(
        (least - given[site.id, t] for site, t in grant.eligible(parameters)),
        default=least,
    )


def program_of(data: Dataset, case: Case, world: World) -> LinearProgram:
    """Return the programme of a case, solving first only where its numbers depend on other solves.

    That is so when something becomes known on the way, when an open grant seeks its
    rate, and for a marginal grant; the programme is then the last one solved.
    """
    parameters = build_parameters(data, world)
    check_case(case, parameters)
    dates = [p.known_from for p in case.policies] + [e.known_from for e in world.event]
    later = any(date and date > world.base_year for date in dates)
    sought = any(policy.needs_search for policy in case.policies)
    if later or sought:
        return run(data, case, world).program
    return compile_program(write(parameters.with_events(world.event), case.policies))
