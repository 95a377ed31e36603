"""What binds in a solution, and at what price; and where rules reduce use."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from chipmodel.analysis.run import run
from chipmodel.analysis.why.rows import Key, Row, RowText
from chipmodel.common.units import per_wafer
from chipmodel.results.solution import Solution

LEFT_OUT = ("demand_step",)
"""Not limits of what can be done: their duals are the surplus of buyers."""

LOW_USE = 0.95
"""Use below this share of the reference quantity is explained."""

FALL = 0.01
"""Smallest fall of use that is reported."""

NO_DUAL = 1e-9
"""Duals up to this are zero."""

NO_SHORTFALL = 1e-6
"""Shortfalls of a rule up to this are none, kwpm."""


@dataclass(frozen=True)
class Bound:
    """A limit that binds.

    Attributes
    ----------
    worth : float
        Dual times right-hand side, present value in MUSD; zero for a rule without a
        number of its own.
    price : float
        Its highest dual, of the year of its row, in `unit`.
    row : Row
        Where that is.
    """

    title: str
    policy: str
    worth: float
    price: float
    unit: str
    row: Row


@dataclass(frozen=True)
class Fall:
    """How far use of a segment in a region falls because of some rules.

    Falls are shares of the use without the rules.

    Attributes
    ----------
    average : float
        Over the years reported.
    worst : float
        In the year in which it falls most.
    """

    region: str
    segment: str
    average: float
    worst: float
    year: int


@dataclass(frozen=True)
class Short:
    """What misses a rule and pays its fine: the largest of the years reported."""

    policy: str
    what: str
    amount: float
    unit: str
    year: int


@dataclass(frozen=True)
class Binding:
    """What binds in a solution.

    Attributes
    ----------
    rules, limits : tuple of Bound
        Rules of policies, and physical limits, the most valuable first.
    culprits : tuple of str
        Rules that bind, without which the case was solved again; empty if use is not
        low.
    falls : tuple of Fall
        Where use is lower because of them.
    short : tuple of Short
    """

    objective: float
    rules: tuple[Bound, ...]
    limits: tuple[Bound, ...]
    culprits: tuple[str, ...] = ()
    falls: tuple[Fall, ...] = ()
    short: tuple[Short, ...] = ()


def what_binds(solution: Solution) -> Binding:
    """Return the rules and the physical limits that bind in a solution.

    Where users get clearly less than the reference quantity, the case is solved again
    without the rules that bind, to measure how much of that is due to them: an origin
    rule that nobody can fill is met by buying less, which is no contradiction.
    """
    rules: list[Bound] = []
    limits: list[Bound] = []
    for bound in _bounds(solution):
        kind = rules if bound.policy else limits
        kind.append(bound)
    # One solve without all of them: rules bind together, and leaving out one alone may
    # change nothing.
    culprits = tuple(dict.fromkeys(rule.policy for rule in rules))
    falls: tuple[Fall, ...] = ()
    if culprits and _use_is_low(solution):
        falls = _falls(solution, culprits)
    else:
        culprits = ()
    return Binding(
        solution.objective,
        tuple(rules),
        tuple(limits),
        culprits,
        falls,
        _short(solution),
    )


def _bounds(solution: Solution) -> list[Bound]:
    """Return the limits that bind, the most valuable first."""
    text = RowText(solution.program, solution.parameters)
    duals = solution.optimum.y
    binding: dict[Key, list[int]] = defaultdict(list)
    for row in np.flatnonzero(np.abs(duals) > NO_DUAL).tolist():
        group = text.group(row)
        if group.name not in LEFT_OUT and (group.policy or group.is_limit):
            binding[text.key(row)].append(row)
    bounds = [_bound(solution, text, key, rows) for key, rows in binding.items()]
    return sorted(bounds, key=lambda bound: (-abs(bound.worth), -abs(bound.price)))


def _bound(solution: Solution, text: RowText, key: Key, rows: list[int]) -> Bound:
    duals = solution.optimum.y
    discount = solution.parameters.discount
    # Duals are present values; a price is of the year of its row. A limit without a
    # year remains in present value.
    prices = {}
    for row in rows:
        _, year = text.place(row)
        prices[row] = float(duals[row]) / discount.get(year or 0, 1.0)
    top = max(rows, key=lambda row: abs(prices[row]))
    price = prices[top]
    unit = f"MUSD per {text.group(top).unit}"
    # As in the ledger of policies, `Solution.policies`.
    if text.policy(key) and text.group(top).unit == "kwpm":
        unit = "USD/wafer"
        price = per_wafer(price)
    worth = float(duals[rows] @ solution.program.rhs[rows])
    return Bound(text.title(key), text.policy(key), worth, price, unit, text.row(top))


def _use(solution: Solution) -> dict[tuple[str, str, int], tuple[float, float]]:
    """Return use and the reference quantity by region, segment and year reported."""
    reference = solution.parameters.reference
    use = {}
    for (e, s, t), amount in solution.columns("consumed").items():
        if t <= solution.world.report_until and reference[e, s, t] > 0:
            use[e, s, t] = (amount, reference[e, s, t])
    return use


def _use_is_low(solution: Solution) -> bool:
    """Whether some users get clearly less than their reference quantity."""
    shares = [amount / usual for amount, usual in _use(solution).values()]
    return min(shares, default=1.0) < LOW_USE


def _falls(solution: Solution, culprits: tuple[str, ...]) -> tuple[Fall, ...]:
    """Return where use is lower than it would be without some policies."""
    data = solution.parameters.data
    free = run(data, solution.case.without(*culprits), solution.world)
    use_without = _use(free)
    by_market: dict[tuple[str, str], list[tuple[int, float, float]]] = defaultdict(list)
    for (e, s, t), (amount, _) in _use(solution).items():
        without, _ = use_without[e, s, t]
        if without > NO_DUAL:
            by_market[e, s].append((t, amount, without))
    falls = []
    for (e, s), years in by_market.items():
        total = 0.0
        total_without = 0.0
        falls_by_year = []
        for t, amount, without in years:
            total += amount
            total_without += without
            falls_by_year.append((1.0 - amount / without, t))
        average = 1.0 - total / total_without
        if average > FALL:
            worst, year = max(falls_by_year)
            falls.append(Fall(e, s, average, worst, year))
    return tuple(sorted(falls, key=lambda fall: -fall.average))


def _short(solution: Solution) -> tuple[Short, ...]:
    """Return what misses each soft rule, in the year in which it misses most."""
    ledger = solution.policies
    reported = ledger["year"] <= solution.world.report_until
    missed = (ledger["unit"] == "kwpm") & (ledger["value"] > NO_SHORTFALL)
    fined = ledger["item"].str.startswith(("short_of", "over_the", "flow_over"))
    rows = ledger[reported & missed & fined].to_dict("records")
    rows.sort(key=lambda row: -row["value"])
    # The largest value of each policy, of equal ones the first, comes last and stays.
    largest = {row["policy"]: row for row in reversed(rows)}
    shortfalls = []
    for policy, row in largest.items():
        what = row["item"].replace("_", " ")
        shortfalls.append(Short(policy, what, row["value"], row["unit"], row["year"]))
    return tuple(shortfalls)
