"""Pyomo's persistent interface to HiGHS, solving the cases of a parametric program."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np
import pyomo.environ as pyo
from common import Spent, clock
from pyomo.contrib.solver.common.factory import SolverFactory

from chipmodel.solver.highs import OPTIONS
from chipmodel.solver.linear_program import Vector
from chipmodel.solver.parametric import ParametricProgram
from chipmodel.solver.polynomials import PolynomialVector
from chipmodel.studies.sweep import Task


@contextmanager
def inside_highs() -> Iterator[Spent]:
    """Count the seconds that pass inside `Highs.run`, whoever calls it."""
    spent = Spent()
    run = highspy.Highs.run

    def timed(highs: highspy.Highs) -> Any:
        with clock(spent):
            return run(highs)

    highspy.Highs.run = timed
    try:
        yield spent
    finally:
        highspy.Highs.run = run


@dataclass(frozen=True)
class PersistentSolve:
    """A solve of the persistent interface.

    Attributes
    ----------
    cpu, inside : float
        Seconds of the processor in all, and inside HiGHS.
    pivots : int
    """

    cpu: float
    inside: float
    pivots: int


class Persistent:
    """The same linear program in Pyomo's persistent HiGHS, with its fastest options.

    A plain model of the same coefficients: one mutable parameter for each number that
    differs, and expressions of them where the template has polynomials. Only parameters
    are looked at for changes.
    """

    def __init__(
        self,
        template: ParametricProgram,
        discounted: Vector,
        tasks: Sequence[Task],
        of_first: Vector,
    ) -> None:
        self.first = Spent()
        self._of_first = of_first
        changed = [task.changed for task in tasks]
        self._varying = np.unique(np.concatenate(changed)).tolist()
        with clock(self.first):
            self.model = pyomo_model(template, discounted, of_first, self._varying)
            self.solver = SolverFactory("highs")
            # Looking for changes of anything else would cost more than the solve.
            updates = self.solver.config.auto_updates
            for name in updates:
                updates[name] = name == "update_parameters"
            self.solver.config.solver_options = dict(OPTIONS)
            self.solver.set_instance(self.model)

    def solve(self, task: Task) -> PersistentSolve:
        """Solve with new numbers."""
        levers = task.levers(self._of_first)
        with inside_highs() as highs, clock() as spent:
            for k in self._varying:
                self.model.lever[k] = float(levers[k])
            self.solver.solve(self.model)
        # Pyomo does not report pivots; only the solver inside does.
        info = self.solver._solver_model.getInfo()
        return PersistentSolve(spent.cpu, highs.cpu, info.simplex_iteration_count)


def pyomo_model(
    template: ParametricProgram,
    discounted: Vector,
    of_first: Vector,
    varying: Sequence[int],
) -> Any:
    """Write a template as a Pyomo model with a mutable parameter for each number."""
    matrix, rhs, lines = template.base_arrays
    model = pyo.ConcreteModel()
    start = {k: float(of_first[k]) for k in varying}
    model.lever = pyo.Param(varying, mutable=True, initialize=start)
    model.x = pyo.Var(range(matrix.shape[1]), domain=pyo.NonNegativeReals)
    x = [model.x[j] for j in range(matrix.shape[1])]
    values_of_all = of_first.tolist()

    def filled(values: Any, polynomials: PolynomialVector) -> list[Any]:
        numbers: list[Any] = values.tolist()
        terms: list[list[Any]] = [[] for _ in polynomials.slots]
        for k, factor, powers in zip(
            polynomials.owners, polynomials.factors, polynomials.levers, strict=True
        ):
            # Shorter products are filled up with a lever that is always one.
            levers = powers[powers < len(of_first)].tolist()
            term: Any = float(factor)
            for lever in levers:
                term *= 1.0 if lever in start else values_of_all[lever]
            for lever in levers:
                if lever in start:
                    term = term * model.lever[lever]
            terms[k].append(term)
        for slot, parts in zip(polynomials.slots.tolist(), terms, strict=True):
            # Without the start at zero of `sum`, which would be one more term.
            numbers[slot] = sum(parts[1:], parts[0])
        return numbers

    sides = filled(rhs, template.rhs)
    coefficients = filled(matrix.data, template.matrix)
    rows: list[list[Any]] = [[] for _ in sides]
    for j in range(matrix.shape[1]):
        for k in range(matrix.indptr[j], matrix.indptr[j + 1]):
            rows[matrix.indices[k]].append(coefficients[k] * x[j])
    model.rows = pyo.ConstraintList()
    for terms, side, equal in zip(
        rows, sides, template.labels.is_equation, strict=True
    ):
        body = pyo.quicksum(terms)
        model.rows.add(body == side if equal else body >= side)
    amounts = filled(lines.data, template.lines)
    costs = []
    for i, weight in enumerate(discounted):
        if weight:
            for k in range(lines.indptr[i], lines.indptr[i + 1]):
                costs.append(weight * amounts[k] * x[lines.indices[k]])
    model.cost = pyo.Objective(expr=pyo.quicksum(costs))
    return model
