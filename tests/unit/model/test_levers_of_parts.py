"""Every number of the parameters may vary in a sweep without a new compilation.

A case is written once, with a `Polynomial` in place of each number. Where a part of the
linear program compares such a number, another value may need a program of its own,
which is correct but slow. These tests name the numbers for which that is so.
"""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest

import chipmodel as cm
from chipmodel.analysis.structure import StructureReader, write_structure
from chipmodel.cases.case import list_cases
from chipmodel.model.lp import flows
from chipmodel.model.lp.compile import compile_program
from chipmodel.model.lp.origins import distinguished_origins
from chipmodel.model.lp.program import PARTS, schedule_of, write
from chipmodel.model.parameters.build import build_parameters

ASKED = {
    "size": "the cost of a project is spread over its size",
    "pattern": "the usual mix of a maker's buyers is a quotient of it",
    "users": "the usual mix of a maker's buyers is a quotient of it",
    "economic_life": "it is rounded to years",
    "discount_rate": "an annuity is a power of it",
    "packaging": "the lead of a plant decides in which years it works",
}
"""Names on the path of numbers on which the form may depend, with the reason."""

DATA = cm.load_dataset()


@pytest.fixture(scope="module")
def parameters():
    """Parameters of the shipped data over few years: every branch, in little time."""
    world = cm.load_world("central", DATA)
    return build_parameters(DATA, world.with_(horizon=2029, report_until=2028))


def origins_of(case, parameters):
    acting = [policy for policy in case.policies if not policy.inactive]
    distinctions = list(schedule_of(parameters, acting).distinguishes())
    for policy in acting:
        distinctions += policy.distinguishes(parameters)
    return distinguished_origins(parameters, distinctions)


def asked_about(structure):
    """Return the paths of levers in the conditions of a structure."""
    paths = [*(structure.paths[k] for k in structure.positions)]
    paths += structure.instruments
    found = set()
    for vector in (structure.conditions.signs, structure.conditions.fixed):
        for lever in np.unique(vector.levers):
            if lever < len(paths):
                found.add(paths[lever])
    return found


def test_the_form_depends_on_few_numbers(parameters):
    """Cases matter by the origins they distinguish."""
    by_origins = {}
    for name in list_cases(DATA):
        case = cm.load_case(name, DATA)
        by_origins.setdefault(repr(origins_of(case, parameters)), case)
    assert len(by_origins) > 1
    for case in by_origins.values():
        bare = cm.Case(name=case.name, policies=())
        leaves = StructureReader().read(bare, parameters)
        structure = write_structure(bare, parameters, leaves)
        surprising = {
            path for path in asked_about(structure) if not ASKED.keys() & set(path)
        }
        assert not surprising, case.name


@pytest.mark.parametrize("kinds", [(), ("origin_floor",)])
def test_filled_levers_give_the_program_as_written(kinds, parameters):
    """No line and no entry is lost or added because a number is a lever."""
    shipped = cm.load_case("friendshore_80", DATA)
    # A floor at the user distinguishes origins, and with them more rows.
    policies = tuple(policy for policy in shipped.policies if policy.kind in kinds)
    assert bool(policies) == bool(kinds)
    case = cm.Case(name="levers", policies=policies)
    leaves = StructureReader().read(case, parameters)
    structure = write_structure(case, parameters, leaves)
    template = structure.template
    discounts = parameters.weights(template.labels.lines)
    filled = template.fill(structure.levers(leaves), discounts)
    written = compile_program(write(parameters, case.policies))
    assert filled.row_labels == written.row_labels
    assert filled.column_labels == written.column_labels
    assert filled.matrix.nnz == written.matrix.nnz
    assert filled.stated_amounts == pytest.approx(written.stated_amounts)
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
