"""Arrays to HiGHS, and back with a certificate. It knows neither data nor policies."""

from __future__ import annotations

from dataclasses import dataclass, replace

import highspy

from chipmodel.common.errors import CertificateError, NoOptimum
from chipmodel.solver.bounds import SingletonBounds
from chipmodel.solver.certificate import TOLERANCE, Certificate, certify
from chipmodel.solver.linear_program import Label, LinearProgram, Vector
from chipmodel.solver.warm_start import Basis, WarmStart

OPTIONS = {
    "output_flag": False,
    "threads": 1,
    "solver": "simplex",
    "simplex_dual_edge_weight_strategy": 1,
    "simplex_scale_strategy": 4,
}
"""Options of every solve; devex pricing and full scaling were measured fastest on the shipped cases."""


@dataclass(frozen=True)
class Optimum:
    """An optimal solution with its duals and certificate."""

    x: Vector
    y: Vector
    objective: float
    certificate: Certificate
    iterations: int
    seconds: float
    basis: Basis | None = None
    """The basis of what was handed over, after a cold solve."""


def new_solver() -> highspy.Highs:
    """Return a HiGHS with the options every solve uses: one thread, silent, dual simplex with devex pricing."""
    highs = highspy.Highs()
    for option, value in OPTIONS.items():
        highs.setOptionValue(option, value)
    return highs


def solve_program(program: LinearProgram, start: WarmStart | None = None) -> Optimum:
    """Solve a programme on one thread, cold or from the basis of one much like it.

    Raises
    ------
    NoOptimum
        If it is infeasible, unbounded or not solved to optimality.
    CertificateError
        If the solution fails its own check.
    """
    singleton_bounds = SingletonBounds(program)
    basis = (
        None if start is None else start.basis_for(*_handed(program, singleton_bounds))
    )
    if basis is not None:
        highs = _loaded(program, singleton_bounds)
        basis.apply_to(highs)
        try:
            return run_and_certify(highs, singleton_bounds, program)
        except (CertificateError, NoOptimum):
            pass  # A hot start may lose its way; what a cold one says counts.
    highs = _loaded(program, singleton_bounds)
    return replace(
        run_and_certify(highs, singleton_bounds, program), basis=Basis.of(highs)
    )


def warm_start_from(program: LinearProgram, optimum: Optimum) -> WarmStart:
    """Return where programmes much like one solved cold may start from."""
    assert optimum.basis is not None
    return WarmStart.of(optimum.basis, *_handed(program, SingletonBounds(program)))


def _loaded(program: LinearProgram, singleton_bounds: SingletonBounds) -> highspy.Highs:
    highs = new_solver()
    highs.passModel(singleton_bounds.highs_lp(program))
    return highs


def _handed(
    program: LinearProgram, singleton_bounds: SingletonBounds
) -> tuple[list[Label], list[Label]]:
    """Return the labels of the columns and rows handed over."""
    return program.column_labels, [
        program.row_labels[k] for k in singleton_bounds.remaining_rows.tolist()
    ]


def run_and_certify(
    highs: highspy.Highs, singleton_bounds: SingletonBounds, program: LinearProgram
) -> Optimum:
    """Run HiGHS on a loaded programme and check what it says."""
    before = highs.getRunTime()
    run_highs(highs)
    x, y = singleton_bounds.primal_and_dual(highs.getSolution(), program)
    info = highs.getInfo()
    certificate = certify(program, x, y)
    if certificate.worst > TOLERANCE:
        raise CertificateError(f"the solution fails its certificate: {certificate}")
    return Optimum(
        x,
        y,
        float(program.cost @ x),
        certificate,
        int(info.simplex_iteration_count),
        highs.getRunTime() - before,
    )


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
        said = highs.modelStatusToString(status).lower()
        advice = {
            highspy.HighsModelStatus.kInfeasible: (
                "rules and physical limits contradict each other"
            ),
            highspy.HighsModelStatus.kUnbounded: (
                "some support exceeds every cost; lower it"
            ),
        }.get(status, "the solver stopped short of an optimum")
        raise NoOptimum(said, f"no optimal solution: the programme is {said}; {advice}")
