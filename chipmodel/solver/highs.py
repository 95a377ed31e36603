"""Solve a linear program by HiGHS and certify the solution."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

import highspy
import numpy as np

from chipmodel.common.errors import CertificateError, Infeasible, NoOptimum
from chipmodel.solver.bounds import SingletonBounds
from chipmodel.solver.certificate import TOLERANCE, Certificate, certify
from chipmodel.solver.linear_program import LinearProgram, Vector
from chipmodel.solver.warm_start import Basis

OPTIONS = {
    "output_flag": False,
    "threads": 1,
    "solver": "simplex",
    "simplex_dual_edge_weight_strategy": 1,
    "simplex_scale_strategy": 2,
    "dual_simplex_cost_perturbation_multiplier": 0.1,
}
"""Options of every solve.

Devex pricing, equilibration and a small perturbation of the costs were measured to be
fastest on the shipped cases.
"""

PATIENCE = 20.0
"""Seconds of processor time after which a solve is asked whether it can end well.

The shipped cases take about ten.
"""

CALLS_PER_LOOK = 50
"""Calls of HiGHS between two looks at the clock."""

CHECK_LIMIT = 20.0
"""Seconds that this question may take; an answer that takes longer is none."""

COLD = "cold"
"""Where a solve starts that starts from nothing."""

ADVICE = {
    highspy.HighsModelStatus.kInfeasible: (
        "rules and physical limits contradict each other"
    ),
    highspy.HighsModelStatus.kUnbounded: "some support exceeds every cost; lower it",
}
"""What a user can do about a status other than optimal."""


# Arrays have no one truth value: two are equal if they are one object.
@dataclass(frozen=True, eq=False)
class Optimum:
    """An optimal solution with its duals and certificate.

    Attributes
    ----------
    x : array
        Value of each column.
    y : array
        Dual of each row.
    objective : float
    certificate : Certificate
    iterations : int
        Simplex iterations.
    seconds : float
        Time in HiGHS.
    basis : Basis or None
        A basis from which similar linear programs may start, in the form in which HiGHS
        had this one; only after `chipmodel.solver.solve.solve_program`.
    start : str
        From where it was solved: ``cold`` or ``stored basis``.
    """

    x: Vector
    y: Vector
    objective: float
    certificate: Certificate
    iterations: int
    seconds: float
    basis: Basis | None = None
    start: str = COLD

    @property
    def taken(self) -> dict[str, str | int | float]:
        """Where it was solved from and what that took, as plain data."""
        seconds = round(self.seconds, 3)
        return {"start": self.start, "pivots": self.iterations, "seconds": seconds}


def new_solver() -> highspy.Highs:
    """Return a HiGHS with the options of every solve.

    One thread, silent, dual simplex with devex pricing.
    """
    with _silent_output():
        highs = highspy.Highs()
    for option, value in OPTIONS.items():
        highs.setOptionValue(option, value)
    return highs


_one_redirects = threading.Lock()


@contextmanager
def _silent_output() -> Iterator[None]:
    """Redirect what is written to file descriptor 1 in the block to nowhere.

    HiGHS 1.16 prints a banner when it is made, before any option can be set. On the
    standard output it would precede the answer of a command.
    """
    # Two threads at once would restore each other's redirection.
    with _one_redirects:
        try:
            output = os.dup(1)
        except OSError:  # it is closed
            yield
            return
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, 1)
            yield
        finally:
            os.dup2(output, 1)
            os.close(output)
            os.close(nowhere)


def run_and_certify(
    highs: highspy.Highs, singleton_bounds: SingletonBounds, program: LinearProgram
) -> Optimum:
    """Run HiGHS on a loaded linear program and check its solution.

    Raises
    ------
    NoOptimum
        If it does not end at an optimum.
    CertificateError
        If the solution fails its own check.
    """
    seconds_before = highs.getRunTime()
    with refused_if_infeasible(highs, singleton_bounds, program):
        run_highs(highs)
    x, y = singleton_bounds.primal_and_dual(highs.getSolution(), program)
    certificate = certify(program, x, y)
    if certificate.worst > TOLERANCE:
        raise CertificateError(f"the solution fails its certificate: {certificate}")
    return Optimum(
        x=x,
        y=y,
        objective=float(program.cost @ x),
        certificate=certificate,
        iterations=int(highs.getInfo().simplex_iteration_count),
        seconds=highs.getRunTime() - seconds_before,
    )


@contextmanager
def refused_if_infeasible(
    highs: highspy.Highs, singleton_bounds: SingletonBounds, program: LinearProgram
) -> Iterator[None]:
    """Look once, while HiGHS takes long, whether the linear program has a solution.

    The dual simplex method can take minutes over a linear program without one, at
    seconds an iteration, where the same rows without costs are refused in a second. A
    solve that has a solution goes on undisturbed: time decides when this is looked at
    and never what comes out.

    Raises
    ------
    Infeasible
        If it has none.
    """
    start = time.process_time()
    looked = False
    stopped_by: BaseException | None = None
    calls = count()

    def look(event: Any) -> None:
        nonlocal looked, stopped_by
        # HiGHS calls often, and to read the clock takes longer than a pivot.
        if looked or next(calls) % CALLS_PER_LOOK:
            return
        if time.process_time() - start < PATIENCE:
            return
        looked = True
        try:
            if _is_infeasible(singleton_bounds, program):
                message = _message(highs, highspy.HighsModelStatus.kInfeasible)
                stopped_by = Infeasible("infeasible", message)
        except BaseException as error:  # Ctrl-C too: HiGHS would swallow it
            stopped_by = error
        if stopped_by is not None:
            event.interrupt()

    highs.cbSimplexInterrupt.subscribe(look)
    try:
        yield
    except NoOptimum:
        if stopped_by is not None:
            raise stopped_by from None
        raise
    finally:
        highs.cbSimplexInterrupt.unsubscribe(look)


def _is_infeasible(singleton_bounds: SingletonBounds, program: LinearProgram) -> bool:
    """Whether no solution satisfies the rows, found without regard to costs."""
    lp = singleton_bounds.highs_lp(program)
    lp.col_cost_ = np.zeros(lp.num_col_)
    highs = new_solver()
    highs.setOptionValue("time_limit", CHECK_LIMIT)
    highs.passModel(lp)
    highs.run()
    return bool(highs.getModelStatus() == highspy.HighsModelStatus.kInfeasible)


def run_highs(highs: highspy.Highs) -> None:
    """Run HiGHS.

    Raises
    ------
    NoOptimum
        If it does not end at an optimum.
    """
    highs.run()
    status = highs.getModelStatus()
    if status != highspy.HighsModelStatus.kOptimal:
        name = highs.modelStatusToString(status).lower()
        raise NoOptimum(name, _message(highs, status))


def _message(highs: highspy.Highs, status: highspy.HighsModelStatus) -> str:
    """Return what a status other than optimal means."""
    name = highs.modelStatusToString(status).lower()
    advice = ADVICE.get(status, "the solver stopped short of an optimum")
    return f"no optimal solution: the linear program is {name}; {advice}"
