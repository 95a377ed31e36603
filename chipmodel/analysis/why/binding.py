"""What binds in a solution, and at what price; and where rules are kept by using less."""

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
"""Use below this share of the reference quantity is looked into."""


FALL = 0.01
"""A fall of use worth telling."""


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
    """How far use of a segment in a region falls because of some rules, as a share of the use without them.

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
    """What is short of a rule and pays its fine: the largest of the years reported."""

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
        Rules of policies, and physical limits, those worth most first.
    culprits : tuple of str
        Rules that bind, without which use was solved again; empty if use is not low.
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
    without the rules that bind, to tell how much of that is theirs: an origin rule that
    nobody can fill is kept by buying less, which is no contradiction.
    """
    bounds = _bounds(solution)
    rules, limits = [b for b in bounds if b.policy], [b for b in bounds if not b.policy]
    culprits = tuple(dict.fromkeys(b.policy for b in rules))
    low = min(
        _use(solution).values(), key=lambda pair: pair[0] / pair[1], default=(1.0, 1.0)
    )
    falls: tuple[Fall, ...] = ()
    if culprits and low[0] < LOW_USE * low[1]:
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
    """Return the limits that bind, those worth most first."""
    program, words, discount = (
        solution.program,
        RowText(solution.program, solution.parameters),
        solution.parameters.discount,
    )
    duals = solution.optimum.y
    by: dict[Key, list[int]] = defaultdict(list)
    for row in np.flatnonzero(np.abs(duals) > 1e-9).tolist():
        group = words.group(row)
        if group.name not in LEFT_OUT and (group.policy or group.is_limit):
            by[words.key(row)].append(row)
    found = []
    for key, rows in by.items():
        price = {
            row: float(duals[row]) / discount.get(words.place(row)[1] or 0, 1.0)
            for row in rows
        }
        top = max(rows, key=lambda row: abs(price[row]))
        unit, value = f"MUSD per {words.group(top).unit}", price[top]
        if words.policy(key) and words.group(top).unit == "kwpm":
            unit, value = "USD/wafer", per_wafer(value)
        worth = float(duals[rows] @ program.rhs[rows])
        found.append(
            Bound(
                words.title(key), words.policy(key), worth, value, unit, words.row(top)
            )
        )
    return sorted(found, key=lambda b: (-abs(b.worth), -abs(b.price)))


def _use(solution: Solution) -> dict[tuple[str, str, int], tuple[float, float]]:
    """Return use and the reference quantity by region, segment and year reported."""
    n = solution.parameters
    return {
        (e, s, t): (value, n.reference[e, s, t])
        for (e, s, t), value in solution.columns("consumed").items()
        if t <= solution.world.report_until and n.reference[e, s, t] > 0
    }


def _falls(solution: Solution, culprits: tuple[str, ...]) -> tuple[Fall, ...]:
    """Return where use is lower than it would be without some policies."""
    free = run(
        solution.parameters.data, solution.case.without(*culprits), solution.world
    )
    here, there = _use(solution), _use(free)
    by: dict[tuple[str, str], list[tuple[float, int]]] = defaultdict(list)
    total: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0, 0.0])
    for (e, s, t), (value, _) in here.items():
        without = there[e, s, t][0]
        if without > 1e-9:
            by[e, s].append((1.0 - value / without, t))
            total[e, s][0] += value
            total[e, s][1] += without
    falls = [
        Fall(e, s, 1.0 - total[e, s][0] / total[e, s][1], *max(found))
        for (e, s), found in by.items()
        if 1.0 - total[e, s][0] / total[e, s][1] > FALL
    ]
    return tuple(sorted(falls, key=lambda fall: -fall.average))


def _short(solution: Solution) -> tuple[Short, ...]:
    """Return what is short of each soft rule or beyond it, in the year in which it is most."""
    frame = solution.policies
    frame = frame[
        (frame["year"] <= solution.world.report_until)
        & (frame["unit"] == "kwpm")
        & (frame["value"] > 1e-6)
    ]
    frame = frame[frame["item"].str.startswith(("short_of", "over_the", "flow_over"))]
    rows = sorted(frame.to_dict("records"), key=lambda row: -row["value"])
    return tuple(
        {
            row["policy"]: Short(
                row["policy"],
                row["item"].replace("_", " "),
                row["value"],
                row["unit"],
                row["year"],
            )
            for row in reversed(rows)
        }.values()
    )
