"""Solve one linear program so that the answer does not depend on where it starts."""

from __future__ import annotations

from dataclasses import replace

import highspy

from chipmodel.common.errors import CertificateError, Infeasible, NoOptimum
from chipmodel.solver import canonical
from chipmodel.solver.bounds import SingletonBounds
from chipmodel.solver.highs import (
    Optimum,
    new_solver,
    refused_if_infeasible,
    run_and_certify,
    run_highs,
)
from chipmodel.solver.linear_program import LinearProgram
from chipmodel.solver.warm_start import Basis, Keys, WarmStart

NEARBY = 2_000
"""Pivots after which a start is no longer near, and a cold solve is faster."""

VIOLATED = 800
"""Rows, bounds and reduced costs violated by a start from which it is no longer near.

Of the shipped cases, those with more were not done after `NEARBY` pivots.
"""

FEW_PIVOTS = 500
"""Pivots of primal simplex after which dual simplex goes on.

Where only costs differ and little, primal simplex takes a third of its pivots.
"""

STORED = "stored basis"


def solve_program(program: LinearProgram, start: WarmStart | None = None) -> Optimum:
    """Solve a linear program on one thread, cold or from the basis of a similar one.

    Both give the same solution (`chipmodel.solver.canonical`): an optimal one is found,
    from it the canonical basis, and from that the solution.

    Raises
    ------
    NoOptimum
        If it is infeasible, unbounded or not solved to optimality.
    CertificateError
        If the solution fails its own check.
    """
    return _Solve(program).from_start(start)


def warm_start_from(program: LinearProgram, optimum: Optimum) -> WarmStart:
    """Return a start for linear programs similar to one that was solved."""
    assert optimum.basis is not None
    return WarmStart.of(optimum.basis, *_Solve(program).keys)


class _Solve:
    """One solve, with the pivots and seconds of all runs of HiGHS that it needs."""

    def __init__(self, program: LinearProgram) -> None:
        self.program = program
        self.bounds = SingletonBounds(program)
        self.pivots = 0
        self.seconds = 0.0

    @property
    def keys(self) -> tuple[Keys, Keys]:
        """Keys of the columns and rows that HiGHS has."""
        labels = self.program.labels
        return labels.column_keys, labels.row_keys[self.bounds.remaining_rows]

    def from_start(self, start: WarmStart | None) -> Optimum:
        """Solve from a start, if there is one and it is near."""
        near = None if start is None else start.basis_for(*self.keys)
        if near is not None:
            basis = self._canonical(near, True)
            optimum = None if basis is None else self._from_canonical(basis)
            if optimum is not None:
                return replace(optimum, start=STORED)
        highs = self._loaded()
        optimum = run_and_certify(highs, self.bounds, self.program)
        self._count(highs)
        cold = Basis.of(highs)
        basis = self._canonical(cold)
        unique = None if basis is None else self._from_canonical(basis)
        if unique is not None:
            return unique
        # Numbers can be too bad for so small a difference; the cold solve decides then.
        return replace(
            optimum, basis=cold, iterations=self.pivots, seconds=self.seconds
        )

    def _canonical(self, start: Basis, is_near: bool = False) -> Basis | None:
        """Return the canonical basis; None if the start should be near and is not."""
        lp = self.bounds.highs_lp(self.program)
        columns, rows = self.keys
        canonical.perturb(lp, canonical.noise(columns), canonical.noise(rows))
        highs = new_solver()
        # The additions are perturbation enough.
        highs.setOptionValue("dual_simplex_cost_perturbation_multiplier", 0.0)
        highs.setOptionValue("primal_feasibility_tolerance", canonical.TOLERANCE)
        highs.setOptionValue("dual_feasibility_tolerance", canonical.TOLERANCE)
        highs.passModel(lp)
        start.apply_to(highs)
        try:
            if is_near and not self._approach(highs):
                return None
            with refused_if_infeasible(highs, self.bounds, self.program):
                run_highs(highs)
        except Infeasible:
            raise
        except NoOptimum:
            return None
        finally:
            self._count(highs)
        return canonical.normalised(Basis.of(highs), lp)

    def _approach(self, highs: highspy.Highs) -> bool:
        """Go on by primal simplex where only costs differ; False if a start is far."""
        highs.setOptionValue("simplex_iteration_limit", 0)
        highs.run()
        info = highs.getInfo()
        costs, limits = info.num_dual_infeasibilities, info.num_primal_infeasibilities
        if costs + limits > VIOLATED:
            return False
        if costs and not limits:
            highs.setOptionValue("simplex_strategy", canonical.PRIMAL)
            highs.setOptionValue("simplex_iteration_limit", FEW_PIVOTS)
            highs.run()
            self.pivots += int(highs.getInfo().simplex_iteration_count)
            highs.setOptionValue("simplex_strategy", canonical.DUAL)
        highs.setOptionValue("simplex_iteration_limit", NEARBY)
        return True

    def _from_canonical(self, basis: Basis) -> Optimum | None:
        """Return the solution that the canonical basis leads to; None if it fails."""
        highs = self._loaded()
        highs.setOptionValue("simplex_strategy", canonical.PRIMAL)
        basis.apply_to(highs)
        try:
            optimum = run_and_certify(highs, self.bounds, self.program)
        except (CertificateError, NoOptimum):
            return None
        self._count(highs)
        return replace(
            optimum, basis=basis, iterations=self.pivots, seconds=self.seconds
        )

    def _loaded(self) -> highspy.Highs:
        highs = new_solver()
        highs.passModel(self.bounds.highs_lp(self.program))
        return highs

    def _count(self, highs: highspy.Highs) -> None:
        self.pivots += int(highs.getInfo().simplex_iteration_count)
        self.seconds += highs.getRunTime()
