"""Every number of the parameters may vary in a sweep without a new compilation.

A sweep writes a case once, with a `Polynomial` in place of each number that varies. A
part of the linear program that compares such a number refuses it, and the sweep then
solves every case separately, which is correct but slow. These tests name the line.
"""

from __future__ import annotations

import ast
import traceback
from pathlib import Path

import numpy as np
import pytest

import chipmodel as cm
from chipmodel.analysis.structure import Levers, compile_parametric_program
from chipmodel.cases.case import list_cases
from chipmodel.common.nested import leaves, with_leaves
from chipmodel.model.lp import flows
from chipmodel.model.lp.compile import compile_program, weights
from chipmodel.model.lp.origins import distinguished_origins
from chipmodel.model.lp.program import PARTS, Substitution, schedule_of, write
from chipmodel.model.parameters.build import build_parameters
from chipmodel.solver.polynomials import NotPolynomial, Polynomial

NO_LEVERS = {
    "ready": "times decide in which years a build is in service",
    "lead": "times decide in which years a build is in service",
    "pattern": "the usual mix of a maker's buyers is a quotient of it",
    "users": "the usual mix of a maker's buyers is a quotient of it",
}
"""Names on the path of numbers that cannot be levers, with the reason."""

DATA = cm.load_dataset()


@pytest.fixture(scope="module")
def parameters():
    """Parameters of the shipped data over few years: every branch, in little time."""
    world = cm.load_world("central", DATA)
    return build_parameters(DATA, world.with_(horizon=2029, report_until=2028))


def floats(parameters):
    """Return path and value of every number that may be a lever."""
    return [
        (path, value)
        for path, value in leaves(parameters)
        if isinstance(value, float) and not NO_LEVERS.keys() & set(path)
    ]


def origins_of(case, parameters):
    acting = [policy for policy in case.policies if not policy.inactive]
    distinctions = list(schedule_of(parameters, acting).distinguishes())
    for policy in acting:
        distinctions += policy.distinguishes(parameters)
    return distinguished_origins(parameters, distinctions)


def test_parts_accept_every_number_as_a_lever(parameters):
    """All numbers are levers at once; cases matter by the origins they distinguish."""
    paths = [path for path, _ in floats(parameters)]
    names = [".".join(map(str, path)) for path in paths]
    lifted = {path: Polynomial({(k,): 1.0}, names) for k, path in enumerate(paths)}
    substitution = Substitution(with_leaves(parameters, lifted), (), {})
    by_origins = {}
    for name in list_cases(DATA):
        case = cm.load_case(name, DATA)
        by_origins.setdefault(repr(origins_of(case, parameters)), case)
    assert len(by_origins) > 1
    for case in by_origins.values():
        try:
            write(parameters, case.policies, substitution=substitution)
        except NotPolynomial as error:
            stack = traceback.extract_tb(error.__traceback__)
            inside = [frame for frame in stack if "/model/" in frame.filename]
            place = f"{Path(inside[-1].filename).name}:{inside[-1].lineno}"
            pytest.fail(f"{case.name}: {place}, `{inside[-1].line}`: {error}")


@pytest.mark.parametrize("kinds", [(), ("origin_floor",)])
def test_filled_levers_give_the_program_as_written(kinds, parameters):
    """No line and no entry is lost or added because a number is a lever."""
    shipped = cm.load_case("friendshore_80", DATA)
    # A floor at the user distinguishes origins, and with them more rows.
    policies = tuple(policy for policy in shipped.policies if policy.kind in kinds)
    assert bool(policies) == bool(kinds)
    case = cm.Case(name="levers", policies=policies)
    # Zeros are no levers here: one that may be positive adds an empty row or entry.
    numbers = [(path, value) for path, value in floats(parameters) if value]
    levers = Levers(
        paths=[[("numbers", *path)] for path, _ in numbers],
        values=np.array([[value for _, value in numbers]]),
        names=[".".join(map(str, path)) for path, _ in numbers],
    )
    program = compile_parametric_program(case, parameters, levers)
    discounts = weights(program.labels.lines, parameters)
    filled = program.fill(levers.values[0], discounts)
    written = compile_program(write(parameters, case.policies))
    assert filled.row_labels == written.row_labels
    assert filled.column_labels == written.column_labels
    assert filled.matrix.nnz == written.matrix.nnz
    np.testing.assert_allclose(filled.rhs, written.rhs, rtol=1e-12)
    np.testing.assert_allclose(filled.cost, written.cost, rtol=1e-9, atol=1e-9)
    assert abs(filled.matrix - written.matrix).max() <= 1e-12 * abs(filled.matrix).max()


def compared_with_a_number(tree):
    """Return the lines that order something against a literal number."""
    orders = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
    lines = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Compare):
            continue
        sides = [node.left, *node.comparators]
        literal = any(
            isinstance(side, ast.Constant) and isinstance(side.value, int | float)
            for side in sides
        )
        if literal and any(isinstance(op, orders) for op in node.ops):
            lines.append(node.lineno)
    return lines


@pytest.mark.parametrize("module", [*PARTS, flows], ids=lambda m: m.__name__)
def test_no_part_compares_a_number(module):
    """`if share > 0` refuses a lever; `present(share)` and `nonzero(...)` do not."""
    path = Path(module.__file__)
    found = compared_with_a_number(ast.parse(path.read_text()))
    assert not found, f"{path.name}: use present() or nonzero() in lines {found}"
