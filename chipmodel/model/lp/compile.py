"""Compilation of the Pyomo model to arrays: matrix, right-hand sides, account lines.

Arrays know neither data nor policies: rows are ``A x >= b`` or ``A x = b``, columns are
at least zero, and each account line is a row of `lines`; the cost is their discounted,
weighted sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from chipmodel.common.errors import InputError, NoOptimum, Problem, about
from chipmodel.common.garbage import uncollected
from chipmodel.model.lp.program import PyomoModel
from chipmodel.model.lp.rows import TOLERANCE, Broken
from chipmodel.solver.linear_program import (
    Index,
    Label,
    LinearProgram,
    ProgramLabels,
    RowGroup,
    Vector,
)
from chipmodel.solver.polynomials import Polynomial


def compile_program(model: PyomoModel) -> LinearProgram:
    """Compile a Pyomo model to arrays.

    Raises
    ------
    NoOptimum
        If a row that no variable enters does not hold; its arrays hold such rows as
        well, empty.
    """
    from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler

    with uncollected():  # garbage collection would take two fifths of the time
        # Mixed form leaves rows as they are written, with the sign of their duals.
        form = LinearStandardFormCompiler().write(model.pyomo, mixed_form=True)
        frame = labels_of(model, form)
    rhs = np.asarray(form.rhs, dtype=float)
    refuse_ownerless(model, frame, rhs)
    program = LinearProgram(
        frame,
        sparse.csc_matrix(form.A),
        rhs,
        sparse.csr_matrix(form.c),
        model.parameters.weights(model.lines),
        _asked(model, frame.row_labels),
    )
    return whole(program, model)


def whole(program: LinearProgram, model: PyomoModel) -> LinearProgram:
    """Return the arrays of a model whose rows can all hold.

    Raises
    ------
    NoOptimum
        If a row that no variable enters does not hold.
    """
    if model.broken:
        with about(program=_with_broken(program, model)):
            raise NoOptimum("infeasible", _cannot_hold(model.broken))
    return program


def _with_broken(program: LinearProgram, model: PyomoModel) -> LinearProgram:
    """Return the arrays with the rows that no variable enters, for the diagnosis."""
    broken = model.broken
    rows = list(program.row_labels)
    rows += [(row.group, row.index) for row in broken]
    empty = sparse.csc_matrix((len(broken), program.matrix.shape[1]))
    labels = replace(
        program.labels,
        is_equation=np.append(program.is_equation, [row.equal for row in broken]),
        row_labels=rows,
        owners=[*program.labels.owners, *[""] * len(broken)],
    )
    rhs = np.append(program.rhs, [float(row.rhs) for row in broken])
    matrix = sparse.vstack([program.matrix, empty], format="csc")
    stated = _asked(model, rows)
    return replace(
        program, labels=labels, matrix=matrix, rhs=rhs, stated_amounts=stated
    )


def _cannot_hold(broken: Sequence[Broken]) -> str:
    first, *others = broken
    place = ", ".join(str(part) for part in first.index)
    also = f" (nor can {len(others)} more)" if others else ""
    return f"{first.group} ({place}) cannot hold whatever is built or bought{also}"


@dataclass(frozen=True)
class Slots:
    """Where in the arrays of a linear program polynomials are to be filled in.

    Attributes
    ----------
    matrix, rhs, lines : list of (int, Polynomial)
        Place among the entries of an array, and what gives its value.
    stated : list of (int, Polynomial)
        Row, and the amount that its rule states.
    """

    matrix: list[tuple[int, Polynomial]]
    rhs: list[tuple[int, Polynomial]]
    lines: list[tuple[int, Polynomial]]
    stated: list[tuple[int, Polynomial]]


def compile_parametric(model: PyomoModel) -> tuple[LinearProgram, Slots]:
    """Compile a model written with polynomials.

    Returns
    -------
    LinearProgram
        Its arrays, with a placeholder at each slot.
    Slots
        What is to be filled in where.

    Raises
    ------
    NoOptimum
        If a row that no variable enters does not hold.
    """
    from chipmodel.model.lp.parametric_compiler import ParametricCompiler, filled

    compiler = ParametricCompiler()
    with uncollected():
        form = compiler.write(model.pyomo)
        frame = labels_of(model, form)
    of_lines, of_matrix = compiler.slots
    of_rhs = [
        (row, side) for row, side in enumerate(form.rhs) if isinstance(side, Polynomial)
    ]
    slots = [row for row, _ in of_rhs]
    rhs = filled(form.rhs, slots, 0.0)
    # A polynomial side counts as a right-hand side, whatever its value in one case.
    refuse_ownerless(model, frame, filled(form.rhs, slots, 1.0))
    lines, place = by_rows(sparse.csc_matrix(form.c))
    amounts = _asked(model, frame.row_labels)
    stated = [(row, x) for row, x in amounts.items() if isinstance(x, Polynomial)]
    plain = {row: x for row, x in amounts.items() if not isinstance(x, Polynomial)}
    discounted = model.parameters.weights(model.lines)
    matrix = sparse.csc_matrix(form.A)
    program = LinearProgram(frame, matrix, rhs, lines, discounted, plain)
    moved_lines = [(int(place[slot]), number) for slot, number in of_lines]
    slots_of_all = Slots(of_matrix, of_rhs, moved_lines, stated)
    return whole(program, model), slots_of_all


def by_rows(matrix: Any) -> tuple[Any, NDArray[np.int64]]:
    """Turn a matrix by columns into one by rows.

    Returns
    -------
    csr_matrix
    array of int
        The new place of each entry.
    """
    places = np.arange(matrix.nnz)
    columns = (places, matrix.indices, matrix.indptr)
    order = sparse.csc_matrix(columns, matrix.shape).tocsr()
    place = np.empty(matrix.nnz, dtype=np.int64)
    place[order.data] = places
    rows = (matrix.data[order.data], order.indices, order.indptr)
    return sparse.csr_matrix(rows, matrix.shape), place


def labels_of(model: PyomoModel, form: Any) -> ProgramLabels:
    """Return the labels of a compiled model."""
    rows = [_label(row.constraint) for row in form.rows]
    columns = [_label(column) for column in form.columns]
    return ProgramLabels(
        row_labels=rows,
        column_labels=columns,
        is_equation=np.array([row.bound_type == 0 for row in form.rows], dtype=bool),
        owners=_owners(model, rows),
        agents=_agents(model, columns),
        lines=model.lines,
        groups=_groups(model),
    )


def _label(component: Any) -> Label:
    return component.parent_component().local_name, _index(component.index())


def _index(index: Any) -> Index:
    if isinstance(index, tuple):
        return index
    return () if index is None else (index,)


def _owners(model: PyomoModel, rows: Sequence[Label]) -> list[str]:
    owners = []
    for name, index in rows:
        group = model.groups[name]
        owners.append("" if group.owner is None else group.owner_of(index))
    return owners


def _agents(model: PyomoModel, columns: Sequence[Label]) -> list[str]:
    agents = []
    for name, index in columns:
        agent = model.agents[name]
        agents.append(agent if isinstance(agent, str) else agent(*index))
    return agents


def _groups(model: PyomoModel) -> dict[str, RowGroup]:
    groups = {}
    for name, group in model.groups.items():
        is_limit = group.owner is not None
        groups[name] = RowGroup(name, group.policy, group.unit, group.meaning, is_limit)
    return groups


def _asked(model: PyomoModel, rows: Sequence[Label]) -> dict[int, Any]:
    """Return the number a row asks for where it is not all of the right-hand side."""
    asked: dict[int, Any] = {}
    for row, (name, index) in enumerate(rows):
        asks = model.groups[name].asks
        if asks is not None:
            asked[row] = asks(*index)
    return asked


def refuse_ownerless(model: PyomoModel, labels: ProgramLabels, rhs: Vector) -> None:
    """Refuse a balance with a right-hand side: nobody would own its rent.

    Raises
    ------
    InputError
    """
    ownerless = np.flatnonzero((np.abs(rhs) > TOLERANCE) & ~labels.is_limit)
    names = {labels.row_labels[row][0] for row in ownerless}
    problems = []
    for name, group in model.groups.items():
        if name in names:
            file = f"policy {group.policy}" if group.policy else "linear program"
            what = "has a right-hand side, a rent that nobody owns"
            fix = "write it as a limit with an owner"
            problems.append(Problem(file, f"balance {name}", what, fix))
    if problems:
        raise InputError(problems)
