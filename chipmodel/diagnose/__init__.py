"""Why a case has no solution, in the words of its policies, or what binds in the solution it has."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import highspy
import numpy as np

from chipmodel import engine
from chipmodel.arrays import Arrays, Vector
from chipmodel.case import Case, load_case
from chipmodel.dataset import Dataset
from chipmodel.diagnose.binding import Binding, what_binds
from chipmodel.diagnose.conflicts import TOLERANCE, Conflict, find_conflicts, rows_as_lp
from chipmodel.diagnose.rows import column_name, row_name
from chipmodel.diagnose.text import lines_of, plain_of
from chipmodel.errors import NoOptimum, Unsolved
from chipmodel.numbers import build_numbers
from chipmodel.policies.base import Names
from chipmodel.show import names_of
from chipmodel.solve import check_case, solve_known
from chipmodel.world import World, load_world

WIDE_RANGE = 1e10
"""Ratio of the largest to the least coefficient beyond which a solver's tolerances lose their meaning."""


@dataclass(frozen=True)
class Imbalance:
    """Support that exceeds cost without end, present value in MUSD per unit of what is built or made.

    Attributes
    ----------
    what : str
        Column that may grow without end.
    support, cost : tuple of (str, float)
        Accounts that pay for more of it, and those that charge it.
    """

    what: str
    support: tuple[tuple[str, float], ...]
    cost: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Extreme:
    """The least and the largest number of the programme that is not zero, and where they stand."""

    what: str
    least: float
    least_at: str
    largest: float
    largest_at: str

    @property
    def wide(self) -> bool:
        """Whether they lie too far apart for a solver to trust."""
        return self.largest > WIDE_RANGE * self.least


@dataclass(frozen=True)
class Diagnosis:
    """Why a case has no solution, or what binds in the one it has.

    Attributes
    ----------
    status : str
        ``infeasible``, ``unbounded``, ``optimal`` or what the solver said.
    said : str
        What the solve said.
    more : bool
        Whether there are more conflicts than are told.
    """

    case: Case
    world: World
    status: str
    said: str = ""
    conflicts: tuple[Conflict, ...] = ()
    more: bool = False
    imbalance: Imbalance | None = None
    extremes: tuple[Extreme, ...] = ()
    binding: Binding | None = None
    names: Names = field(default_factory=Names)

    def lines(self) -> list[str]:
        """Return it as text."""
        return lines_of(self)

    def plain(self) -> dict[str, Any]:
        """Return it as plain data."""
        return plain_of(self)

    def __str__(self) -> str:
        return "\n".join(self.lines())


def explain_infeasible(data: Dataset, case: Case | str, world: World | str = "central") -> Diagnosis:
    """Say why a case has no solution in a world, or, if it has one, what binds in it and at what price.

    Parameters
    ----------
    data : Dataset
    case : Case or str
        A case, or the name of one; ``a+b`` adds cases.
    world : World or str

    Returns
    -------
    Diagnosis
        Printed, it is text to read; `Diagnosis.plain` is data.

    Raises
    ------
    InputError
        If the case does not fit the data.
    """
    case = load_case(case, data) if isinstance(case, str) else case
    world = load_world(world, data) if isinstance(world, str) else world
    numbers = build_numbers(data, world)
    check_case(case, numbers, impossible=False)
    try:
        solution = solve_known(case, numbers)
    except Unsolved as error:
        if error.arrays is None:
            raise
        return _explain(Diagnosis(case, world, error.status, str(error), names=names_of(data)), error.arrays)
    return Diagnosis(case, world, "optimal", extremes=extremes(solution.arrays), binding=what_binds(solution),
                     names=names_of(data))


def _explain(found: Diagnosis, arrays: Arrays) -> Diagnosis:
    try:
        conflicts, more = find_conflicts(arrays)
    except NoOptimum as error:
        return replace(found, status=error.status, said=str(error), extremes=extremes(arrays))
    if conflicts:
        return replace(found, status="infeasible", conflicts=conflicts, more=more)
    imbalance = _imbalance(arrays)
    if imbalance is not None:
        return replace(found, status="unbounded", imbalance=imbalance)
    return replace(found, extremes=extremes(arrays))


# -- unbounded ------------------------------------------------------------------------------------


def _imbalance(arrays: Arrays) -> Imbalance | None:
    r"""Return what may grow without end at a gain: :math:`\min c d` over :math:`A d \ge 0`, :math:`0 \le d \le 1`."""
    every = np.arange(len(arrays.rhs))
    lp = rows_as_lp(replace(arrays, rhs=np.zeros(len(arrays.rhs))), every)
    lp.col_cost_ = arrays.cost
    lp.col_upper_ = np.ones(len(arrays.cost))
    highs = engine.solver()
    highs.passModel(lp)
    highs.run()
    ray = np.array(highs.getSolution().col_value)
    if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal or arrays.cost @ ray > -TOLERANCE:
        return None
    names = [name for name, _ in arrays.columns_of]
    worth = [k for k in np.flatnonzero(ray > TOLERANCE) if names[k] in ("build", "output")]
    top = max(worth or np.flatnonzero(ray > TOLERANCE), key=lambda k: ray[k])
    total: dict[str, float] = defaultdict(float)
    for line, amount in zip(arrays.frame.lines, arrays.weights * (arrays.lines @ ray), strict=True):
        paid = f"{line.account} of {line.policy}" if line.policy else line.account
        total[paid] += float(amount) / ray[top]
    ranked = sorted(total.items(), key=lambda pair: -abs(pair[1]))
    return Imbalance(_in_words(arrays, int(top)),
                     tuple((name, -v) for name, v in ranked if v < -TOLERANCE),
                     tuple((name, v) for name, v in ranked if v > TOLERANCE))


def _in_words(arrays: Arrays, column: int) -> str:
    """Return a build or an output by the name of its site, any other column by its own."""
    name, index = arrays.columns_of[column]
    if name not in ("build", "output"):
        return column_name(arrays, column)
    site = arrays.numbers.sites.sites[index[0]]
    return f"{'kwpm begun at' if name == 'build' else 'kwpm made at'} {site.name}, {site.segment}, {index[-1]}"


# -- numbers far apart ----------------------------------------------------------------------------


def extremes(arrays: Arrays) -> tuple[Extreme, ...]:
    """Return the least and the largest coefficient, cost and right-hand side, with the rows and columns they are in."""
    entries = arrays.matrix.tocoo()

    def entry(k: int) -> str:
        return f"{column_name(arrays, int(entries.col[k]))} in {row_name(arrays, int(entries.row[k]))}"

    return (
        _extreme("coefficients", entries.data, entry),
        _extreme("costs", arrays.cost, lambda k: column_name(arrays, k)),
        _extreme("right-hand sides", arrays.rhs, lambda k: row_name(arrays, k)),
    )


def _extreme(what: str, values: Vector, name: Callable[[int], str]) -> Extreme:
    size = np.abs(values)
    there = np.flatnonzero(size)
    if not len(there):
        return Extreme(what, 0.0, "", 0.0, "")
    least, largest = int(there[size[there].argmin()]), int(there[size[there].argmax()])
    return Extreme(what, float(size[least]), name(least), float(size[largest]), name(largest))
