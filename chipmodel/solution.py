"""Solve a case in a world and turn the arrays into tables."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from chipmodel import engine
from chipmodel.accounts import Accounts, compute, home_of, host_of
from chipmodel.case import Case, load_case
from chipmodel.dataset import Dataset
from chipmodel.engine import Arrays, Optimum
from chipmodel.errors import InputError, Problem
from chipmodel.lp import write
from chipmodel.numbers import GRID, Numbers, build_numbers
from chipmodel.policies import CapexGrant, Policy
from chipmodel.policies.support import Support, stacked
from chipmodel.units import per_wafer
from chipmodel.world import Event, World, load_world

TABLES = ("capacity", "builds", "output", "trade", "prices", "accounts", "policies")


@dataclass(frozen=True)
class Solution:
    """An optimal solution of a case in a world, with its tables.

    Every table is tidy: ``case, world`` first, then keys, then ``value, unit``. Flows are kwpm, prices
    USD per wafer, money MUSD, all undiscounted unless the unit says otherwise.
    """

    case: Case
    world: World
    numbers: Numbers
    arrays: Arrays = field(repr=False)
    optimum: Optimum = field(repr=False)
    account: Accounts = field(repr=False)
    foresight: str
    """``anticipated``, or ``surprise`` when something became known on the way."""
    found: dict[str, float] = field(default_factory=dict)
    """Numbers the engine found, such as the rate at which an open grant spends its budget."""

    @property
    def objective(self) -> float:
        """Objective, MUSD of present value."""
        return self.optimum.objective

    @cached_property
    def _columns(self) -> dict[str, list[tuple[tuple[Any, ...], float]]]:
        found: dict[str, list[tuple[tuple[Any, ...], float]]] = defaultdict(list)
        for (name, index), value in zip(self.arrays.columns_of, self.optimum.x.tolist(), strict=True):
            found[name].append((index, value if abs(value) > 1e-9 else 0.0))
        return found

    @cached_property
    def _rows(self) -> dict[str, list[tuple[tuple[Any, ...], float]]]:
        found: dict[str, list[tuple[tuple[Any, ...], float]]] = defaultdict(list)
        for (name, index), value in zip(self.arrays.rows_of, self.optimum.y.tolist(), strict=True):
            found[name].append((index, value))
        return found

    def columns(self, name: str) -> dict[tuple[Any, ...], float]:
        """Return the values of a variable by index."""
        return dict(self._columns.get(name, []))

    def duals(self, name: str) -> dict[tuple[Any, ...], float]:
        """Return the duals of a group of rows by index, per unit, undiscounted if the row has a year."""
        discount = self.numbers.discount
        return {
            index: dual / discount[index[-1]] if index and index[-1] in discount else dual
            for index, dual in self._rows.get(name, [])
        }

    def _frame(self, rows: list[tuple[Any, ...]], keys: list[str]) -> pd.DataFrame:
        frame = pd.DataFrame(rows, columns=[*keys, "value", "unit"])
        frame.insert(0, "case", self.case.name)
        frame.insert(1, "world", self.world.name)
        return frame

    @cached_property
    def _reported(self) -> list[int]:
        return [t for t in self.numbers.years if t <= self.world.report_until]

    @cached_property
    def capacity(self) -> pd.DataFrame:
        """Capacity in service by region, segment, site and year, kwpm."""
        n, builds = self.numbers, self.columns("build")
        rows: list[tuple[Any, ...]] = []
        for r, s in n.places:
            for site in n.sites.of(r, s):
                for t in self._reported:
                    value = site.size or 0.0 if site.kind == "fleet" else sum(
                        site.in_service(b, t) * builds.get((site.id, b), 0.0) for b in site.builds
                    )
                    if value > 0:
                        rows.append((r, s, site.id, site.kind, site.firm, t, value, "kwpm"))
        return self._frame(rows, ["region", "segment", "site", "kind", "firm", "year"])

    @cached_property
    def builds(self) -> pd.DataFrame:
        """Builds begun by site and year, kwpm; packaging builds have the package as segment."""
        n = self.numbers
        rows: list[tuple[Any, ...]] = []
        for (i, t), value in self.columns("build").items():
            site = n.sites.sites[i]
            if value > 0 and t <= self.world.report_until:
                rows.append((site.region, site.segment, i, site.kind, site.firm, t, value, "kwpm"))
        for (i, t), value in self.columns("assemble_build").items():
            plant = n.packaging.plants[i]
            if value > 0 and t <= self.world.report_until:
                rows.append((plant.region, f"package_{plant.package}", i, plant.kind, plant.firm, t, value, "kwpm"))
        return self._frame(rows, ["region", "segment", "site", "kind", "firm", "year"])

    @cached_property
    def output(self) -> pd.DataFrame:
        """Wafers made by region, segment, site and year, kwpm."""
        n = self.numbers
        total: dict[tuple[str, int], float] = defaultdict(float)
        for (i, _, t), value in self.columns("output").items():
            total[i, t] += value
        rows = []
        for (i, t), value in total.items():
            site = n.sites.sites[i]
            if value > 0 and t <= self.world.report_until:
                rows.append((site.region, site.segment, i, site.firm, t, value, "kwpm"))
        return self._frame(rows, ["region", "segment", "site", "firm", "year"])

    @cached_property
    def trade(self) -> pd.DataFrame:
        """Flows of chips: ``chips`` from fab to device maker, ``devices`` to users, ``use`` in all."""
        rows: list[tuple[Any, ...]] = []
        last = self.world.report_until
        for (s, r, a, m, t), value in self.columns("ship").items():
            if value > 0 and t <= last:
                rows.append(("chips", s, r, a, m, t, value, "kwpm"))
        made: dict[tuple[str, str, str, int], float] = defaultdict(float)
        for (s, _, m, e, t), value in self.columns("device").items():
            made[s, m, e, t] += value
        rows += [("devices", s, m, "", e, t, v, "kwpm") for (s, m, e, t), v in made.items() if v > 0 and t <= last]
        rows += [
            ("use", s, "", "", e, t, v, "kwpm") for (e, s, t), v in self.columns("consumed").items() if t <= last
        ]
        return self._frame(rows, ["flow", "segment", "origin", "assembled", "destination", "year"])

    @cached_property
    def prices(self) -> pd.DataFrame:
        """Prices of chips: at the fab gate, at the maker of devices and at the user, USD per wafer."""
        last = self.world.report_until
        rows: list[tuple[Any, ...]] = []
        for (s, r, t), value in self.duals("fab_gate").items():
            if t <= last:
                rows.append(("fab", s, r, t, per_wafer(value), "USD/wafer"))
        for (m, s, t), value in self.maker_prices().items():
            if t <= last:
                rows.append(("maker", s, m, t, value, "USD/wafer"))
        for (e, s, t), value in self.duals("demand_balance").items():
            if t <= last:
                rows.append(("user", s, e, t, per_wafer(-value), "USD/wafer"))
        return self._frame(_signed(rows), ["stage", "segment", "region", "year"])

    def maker_prices(self) -> dict[tuple[str, str, int], float]:
        """Return the mean price device makers pay for the chips they buy, by place, segment and year, USD per wafer."""
        paid: dict[tuple[str, str, int], float] = defaultdict(float)
        flow: dict[tuple[str, str, int], float] = defaultdict(float)
        price = self.duals("device_balance")
        bought = dict(self.columns("rest"))
        for (s, c, m, _, t), value in self.columns("device").items():
            if (s, c, m, t) in price:
                bought[s, c, m, t] = bought.get((s, c, m, t), 0.0) + value
        for (s, c, m, t), value in bought.items():
            paid[m, s, t] += value * abs(price[s, c, m, t])
            flow[m, s, t] += value
        return {key: per_wafer(paid[key] / total) for key, total in flow.items() if total > 0}

    @cached_property
    def accounts(self) -> pd.DataFrame:
        """Lines of the accounts by agent and year, and present values of surplus and rents by region.

        A payment is negative for its payer and positive for its receiver. Accounts ending in ``_cash``
        are memo lines beside the annuities. ``surplus_and_rent`` rows are present values, by ownership
        and by territory.
        """
        n = self.numbers
        rows: list[tuple[Any, ...]] = []
        total: dict[tuple[str, str, str, int, str], float] = defaultdict(float)
        for account, policy, agent, _, year, value, unit in self.account.rows:
            if unit == "MUSD" and year <= self.world.horizon:
                total[account, policy, agent, year, unit] += value
        for (account, policy, agent, year, unit), value in total.items():
            rows.append((account, policy, agent, home_of(agent, n), year, value, unit))
        for view, place in (("ownership", home_of), ("territory", host_of)):
            gain: dict[tuple[str, str], float] = defaultdict(float)
            for agent, value in self.account.gains.items():
                kind = "consumer_surplus" if agent.startswith("users:") else "rent"
                gain[kind, place(agent, n)] += value
            for treasury, value in self.account.treasury.items():
                gain["treasury", treasury.removeprefix("treasury:")] += value
            for (kind, region), value in gain.items():
                rows.append((kind, "", view, region, n.years[0], value, "MUSD present value"))
        return self._frame(rows, ["account", "policy", "agent", "region", "year"])

    @cached_property
    def policies(self) -> pd.DataFrame:
        """Ledger of the policies by year: payments, cash, quantities, and duals with their meaning."""
        rows: list[tuple[Any, ...]] = []
        total: dict[tuple[str, str, str, str, int, str], float] = defaultdict(float)
        for account, policy, agent, counterpart, year, value, unit in self.account.rows:
            if policy and (agent.startswith("treasury:") or account.endswith("_cash") or unit != "MUSD"):
                party = agent if agent.startswith("treasury:") else counterpart
                total[policy, account, agent if agent.startswith("treasury:") else "", party, year, unit] += value
        for (policy, account, agent, _, year, unit), value in total.items():
            rows.append((policy, account, agent, "", year, "", value, unit))
        for name, group in self.arrays.programme.groups.items():
            if not group.policy:
                continue
            priced = group.unit == "kwpm"
            for index, dual in self.duals(name).items():
                year = index[-1] if index and index[-1] in self.numbers.discount else self.numbers.years[0]
                where = " ".join(str(part) for part in index[:-1])
                value = per_wafer(dual) if priced else dual
                unit = "USD/wafer" if priced else f"MUSD per {group.unit}"
                rows.append((group.policy, f"dual_{name.split('__', 1)[1]}", "", where, year, group.meaning, value, unit))
        for target, value in self.found.items():
            policy, _, field_name = target.partition(".")
            rows.append((policy, f"found_{field_name}", "", "", self.numbers.years[0],
                         "number found by the engine", value, "share"))
        return self._frame(rows, ["policy", "item", "agent", "where", "year", "meaning"])

    def table(self, name: str) -> pd.DataFrame:
        """Return a table by name."""
        if name not in TABLES:
            raise InputError.one("solution", name, "no such table", "tables: " + ", ".join(TABLES))
        frame: pd.DataFrame = getattr(self, name)
        return frame

    def unmet(self) -> dict[tuple[str, str, int], float]:
        """Return the share of the first demand block that is not served, by user, segment and year."""
        return {
            (e, s, t): 1.0 - value / ((GRID[1] - GRID[0]) * self.numbers.reference[e, s, t])
            for (e, s, k, t), value in self.columns("served").items()
            if k == 0
        }


def _signed(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return [(*row[:-2], abs(row[-2]), row[-1]) for row in rows]


def run(data: Dataset, case: Case | str, world: World | str = "central", without: tuple[str, ...] = ()) -> Solution:
    """Solve a case in a world.

    Parameters
    ----------
    data : Dataset
    case : Case or str
        A case, or the name of one; ``a+b`` adds cases.
    world : World or str
    without : tuple of str
        Groups of rows left out, for tests.

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
    return _solve_known(case, numbers, without)


def check_case(case: Case, numbers: Numbers) -> None:
    """Refuse a case that does not fit the data, with every problem found."""
    problems = [
        Problem(case.name, f"policy {policy.id}, {where}", what, mend)
        for policy in case.policies
        for where, what, mend in policy.problems(numbers)
    ]
    if not problems:
        problems = [
            Problem(case.name, where, what, mend) for where, what, mend in stacked(list(case.policies), numbers)
        ]
    if problems:
        raise InputError(problems)


def _solve_known(case: Case, numbers: Numbers, without: tuple[str, ...]) -> Solution:
    """Solve in passes: each surprise is solved with the builds before it fixed to the pass without it."""
    events = numbers.world.event
    base = numbers.years[0]
    dates = sorted({x.known_from for x in (*case.policies, *events) if x.known_from and x.known_from > base})
    if not dates:
        return _solve(case, numbers.with_events(events), "anticipated", without)
    state = numbers
    solution: Solution | None = None
    for date in (base, *dates):
        known = tuple(p for p in case.policies if (p.known_from or base) <= date)
        told: tuple[Event, ...] = tuple(e for e in events if (e.known_from or base) <= date)
        if solution is not None:
            state = _fixed_before(date, state, solution)
        label = "anticipated" if date == base else "surprise"
        solution = _solve(case.model_copy(update={"policies": known}), state.with_events(told), label, without)
    assert solution is not None
    return replace(solution, case=case)


def _fixed_before(date: int, numbers: Numbers, solution: Solution) -> Numbers:
    sites = numbers.sites.sites
    fixed = {
        (i, t): value for (i, t), value in solution.columns("build").items() if sites[i].decided[t] < date
    }
    plants = {(i, t): value for (i, t), value in solution.columns("assemble_build").items() if t < date}
    return replace(numbers, fixed={**numbers.fixed, **fixed}, fixed_plants=plants)


def _solve(case: Case, numbers: Numbers, label: str, without: tuple[str, ...]) -> Solution:
    numbers = _with_baselines(case, numbers, without)
    wanting = [p for p in case.policies if isinstance(p, CapexGrant) and p.form == "open" and p.rate is None]
    if len(wanting) > 1:
        raise InputError.one(case.name, ", ".join(p.id for p in wanting), "more than one open grant seeks its rate",
                             "give all but one a rate")
    if wanting and not wanting[0].idle:
        return _spend_budget(case, wanting[0], numbers, label, without)
    return _once(case, numbers, label, without)


def _once(case: Case, numbers: Numbers, label: str, without: tuple[str, ...]) -> Solution:
    arrays = engine.compile_arrays(write(numbers, case.policies, without))
    optimum = engine.solve(arrays)
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
    """Find the rate at which an open grant spends its budget; each try is a hot start with new costs."""
    others = [p for p in case.policies if p.id != grant.id]

    def with_rate(rate: float) -> Case:
        body = {**grant.model_dump(), "rate": rate, "budget": None}
        return case.model_copy(update={"policies": (*others, CapexGrant.model_validate(body))})

    most = 0.999 * _room(others, grant, numbers)
    low, high = (engine.compile_arrays(write(numbers, with_rate(r).policies, without)) for r in (most / 2, most))
    slope = (high.cost - low.cost) / (most / 2)
    cash = np.array([
        float(line.policy == grant.id and line.account == "grant_cash") for line in high.programme.lines
    ])
    per_rate = np.asarray(cash @ high.lines).ravel() / most
    highs = engine.solver()
    highs.passModel(engine.highs_lp(low))
    every = np.arange(len(slope), dtype=np.int32)

    def spent(rate: float) -> float:
        highs.changeColsCost(len(every), every, low.cost + (rate - most / 2) * slope)
        highs.run()
        return float(rate * per_rate @ np.array(highs.getSolution().col_value))

    assert grant.budget is not None
    rate = engine.find_number(spent, grant.budget, 0.0, most, tolerance=1e-5)
    solution = _once(with_rate(rate), numbers, label, without)
    return replace(solution, case=case, found={f"{grant.id}.rate": rate})


def _room(others: list[Policy], grant: CapexGrant, numbers: Numbers) -> float:
    """Return the largest rate at which no eligible build is paid more than it costs."""
    given: dict[tuple[str, int], float] = defaultdict(float)
    for policy in others:
        if isinstance(policy, Support) and not policy.idle:
            for key, share in policy.support_shares(numbers).items():
                given[key] += share
    least = numbers.parameter["multiplier_start"]
    return min((least - given[site.id, t] for site, t in grant.eligible(numbers)), default=least)
