"""Solve a case in a world: checks, passes of foresight, and searches over a number."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np
from pyomo.common.gc_manager import PauseGC

from chipmodel import engine
from chipmodel.accounts import compute
from chipmodel.arrays import Arrays, Vector, compile_arrays
from chipmodel.basis import Start
from chipmodel.case import Case, load_case
from chipmodel.dataset import Dataset
from chipmodel.errors import InputError, Problem, about
from chipmodel.lp import write
from chipmodel.numbers import Numbers, build_numbers
from chipmodel.policies import CapexGrant, Policy
from chipmodel.policies.support import Support, stacked
from chipmodel.solution import Solution
from chipmodel.template import along
from chipmodel.world import Event, World, load_world


def run(data: Dataset, case: Case | str, world: World | str = "central", without: tuple[str, ...] = (),
        begun: Solution | None = None, start: Start | None = None) -> Solution:
    """Solve a case in a world.

    Parameters
    ----------
    data : Dataset
    case : Case or str
        A case, or the name of one; ``a+b`` adds cases.
    world : World or str
    without : tuple of str
        Groups of rows left out, for tests.
    begun : Solution, optional
        The solution of the `first_pass` of this case and world, so that surprises that share one need not
        solve it each.
    start : Start, optional
        The basis of another case, from which a programme much like it starts; cold without one.

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
    numbers = build_numbers(data, world)
    check_case(case, numbers)
    return solve_known(case, numbers, without, begun, start)


def first_pass(case: Case, world: World) -> tuple[Case, World]:
    """Return case and world as they are known at the start: without what comes as a surprise."""
    return _known(case, world.base_year, world.base_year), world.with_(event=_told(world, world.base_year))


def check_case(case: Case, numbers: Numbers, impossible: bool = True) -> None:
    """Refuse a case that does not fit the data, with every problem found.

    Parameters
    ----------
    impossible : bool
        Whether to refuse as well what fits the data and cannot be met.
    """
    named = {policy.id: policy for policy in case.policies}
    problems = [
        Problem(case.name, f"policy {policy.id}, {where}", what, mend)
        for policy in case.policies
        for where, what, mend in (*policy.problems(numbers), *policy.clashes(named))
    ]
    if impossible and not problems:
        problems = [
            Problem(case.name, f"policy {policy.id}, {where}", what, f"{mend}; `chipmodel why` tells more")
            for policy in case.policies
            for where, what, mend in policy.impossible(numbers)
        ]
    if not problems:
        problems = [
            Problem(case.name, where, what, mend) for where, what, mend in stacked(list(case.policies), numbers)
        ]
    if problems:
        raise InputError(problems)


def solve_known(case: Case, numbers: Numbers, without: tuple[str, ...] = (),
                begun: Solution | None = None, start: Start | None = None) -> Solution:
    """Solve in passes: each surprise is solved with the builds before it fixed to the pass without it."""
    world = numbers.world
    base = world.base_year
    told_in = {p.known_from for p in case.policies} | {e.known_from for e in world.event}
    dates = sorted(t for t in told_in if t and t > base)
    if dates:
        _refuse_searches(case)
    state = numbers
    solution = begun or _solve(_known(case, base, base), state.with_events(_told(world, base)), "anticipated", without,
                               start)
    for date in dates:
        state = _fixed_before(date, state, solution)
        solution = _solve(_known(case, base, date), state.with_events(_told(world, date)), "surprise", without)
    return replace(solution, case=case, world=world)


def _known(case: Case, base: int, date: int) -> Case:
    """Return a case with the instruments known by a date."""
    return case.model_copy(update={"policies": tuple(p for p in case.policies if (p.known_from or base) <= date)})


def _told(world: World, date: int) -> tuple[Event, ...]:
    """Return the events known by a date."""
    return tuple(e for e in world.event if (e.known_from or world.base_year) <= date)


def _refuse_searches(case: Case) -> None:
    """Refuse grants whose amount hangs on a whole solve beside a surprise: each pass would grant anew."""
    problems = [
        Problem(case.name, f"policy {p.id}", "cannot stand beside something with known_from: builds would be paid anew",
                "give it form = 'open' with a rate")
        for p in case.policies
        if isinstance(p, CapexGrant) and not p.idle and (p.form == "marginal" or p.budget is not None)
    ]
    if problems:
        raise InputError(problems)


def _fixed_before(date: int, numbers: Numbers, solution: Solution) -> Numbers:
    sites = numbers.sites.sites
    fixed = {
        (i, t): value for (i, t), value in solution.columns("build").items() if sites[i].decided[t] < date
    }
    plants = {(i, t): value for (i, t), value in solution.columns("assemble_build").items() if t < date}
    replaced = {key: value for key, value in solution.columns("replaced").items() if key[-1] < date}
    return replace(numbers, fixed={**numbers.fixed, **fixed}, fixed_plants=plants, fixed_replaced=replaced)


def _solve(case: Case, numbers: Numbers, label: str, without: tuple[str, ...],
           start: Start | None = None) -> Solution:
    numbers = _with_baselines(case, numbers, without)
    wanting = [p for p in case.policies if isinstance(p, CapexGrant) and p.form == "open" and p.rate is None]
    if len(wanting) > 1:
        raise InputError.one(case.name, ", ".join(p.id for p in wanting), "more than one open grant seeks its rate",
                             "give all but one a rate")
    if wanting and not wanting[0].idle:
        return _spend_budget(case, wanting[0], numbers, label, without)
    return _once(case, numbers, label, without, start)


def _once(case: Case, numbers: Numbers, label: str, without: tuple[str, ...],
          start: Start | None = None) -> Solution:
    with PauseGC():  # the garbage is looked for once, when all is done
        arrays = compile_arrays(write(numbers, case.policies, without))
        with about(arrays):
            optimum = engine.solve(arrays, start)
            return Solution(case, numbers.world, numbers, arrays, optimum, compute(arrays, optimum), label)


def _with_baselines(case: Case, numbers: Numbers, without: tuple[str, ...]) -> Numbers:
    """Solve the case without each marginal programme, to know what would have been built."""
    stored = {}
    for policy in case.policies:
        if isinstance(policy, CapexGrant) and policy.form == "marginal" and not policy.idle:
            before = _solve(case.without(policy.id), numbers, "anticipated", without)
            stored[policy.id] = {(i, t): v for (i, t), v in before.columns("build").items()}
    return replace(numbers, baseline_builds=stored) if stored else numbers


def _spend_budget(case: Case, grant: CapexGrant, numbers: Numbers, label: str, without: tuple[str, ...]) -> Solution:
    """Find the rate at which an open grant spends its budget."""
    others = [p for p in case.policies if p.id != grant.id]
    place = f"policy {grant.id}"
    if not grant.eligible(numbers):
        raise InputError.one(case.name, place, "no build is eligible", "check region, segments, firms and years")
    most = min(0.999 * _room(others, grant, numbers), 0.999)
    if most <= 0:
        raise InputError.one(case.name, place, "other support leaves no room for it", "lower the other support")

    def with_rate(rate: float) -> Case:
        body = {**grant.model_dump(), "rate": rate, "budget": None}
        return case.model_copy(update={"policies": (*others, CapexGrant.model_validate(body))})

    assert grant.budget is not None
    measured = along(with_rate, numbers, most, lambda _, arrays, optimum: _paid(arrays, optimum.x, grant.id),
                     without)
    spent = lambda rate: measured(rate) if rate > 0 else 0.0  # noqa: E731
    rate = engine.find_number(spent, grant.budget, 0.0, most, tolerance=1e-5)
    solution = _once(with_rate(rate), numbers, label, without)
    left = grant.budget - _paid(solution.arrays, solution.optimum.x, grant.id)
    return replace(solution, case=case, found={f"{grant.id}.rate": rate, f"{grant.id}.unspent": left})


def _paid(arrays: Arrays, x: Vector, grant: str) -> float:
    """Return the cash a grant pays in a solution."""
    cash = np.array([float(k.policy == grant and k.account == "grant_cash") for k in arrays.frame.lines])
    return float(cash @ (arrays.lines @ x))


def _room(others: list[Policy], grant: CapexGrant, numbers: Numbers) -> float:
    """Return the largest rate at which no eligible build is paid more than it costs."""
    given: dict[tuple[str, int], float] = defaultdict(float)
    for policy in others:
        if isinstance(policy, Support) and not policy.idle:
            for key, share in policy.support_shares(numbers).items():
                given[key] += share
    least = numbers.parameter["multiplier_start"]
    return min((least - given[site.id, t] for site, t in grant.eligible(numbers)), default=least)
