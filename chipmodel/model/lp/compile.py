"""A programme as arrays, compiled from Pyomo: a matrix, right-hand sides, account lines, and what they stand for.

Arrays know neither data nor policies: rows are ``A x >= b`` or ``A x = b``, columns are
at least zero, and each account line is a row of `lines`; the cost is their discounted,
weighted sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyomo.common.gc_manager import PauseGC
from pyomo.repn.plugins.standard_form import (
    LinearStandardFormCompiler,
    _LinearStandardFormCompiler_impl,
)
from scipy import sparse

from chipmodel.common.errors import InputError, NoOptimum, Problem, about
from chipmodel.model.lp.builder import Broken
from chipmodel.model.lp.program import PyomoModel
from chipmodel.model.parameters.parameters import Parameters
from chipmodel.solver.ledger import Line
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
    """Compile a programme to arrays.

    Raises
    ------
    NoOptimum
        If a row that no variable enters does not hold; its arrays hold such rows as
        well, empty.
    """
    with PauseGC():  # two fifths of the time would go into looking for garbage
        form = LinearStandardFormCompiler().write(model.pyomo, mixed_form=True)
        frame = labels_of(model, form)
    rhs = np.asarray(form.rhs, dtype=float)
    refuse_ownerless(model, frame, rhs)
    lines = sparse.csr_matrix(form.c)
    discounted = weights(model.lines, model.parameters)
    program = LinearProgram(frame, sparse.csc_matrix(form.A), rhs, lines, discounted)
    return whole(program, model)


def whole(program: LinearProgram, model: PyomoModel) -> LinearProgram:
    """Return the arrays of a programme whose rows can all hold."""
    if model.broken:
        with about(program=_with_broken(program, model)):
            raise NoOptimum("infeasible", _cannot_hold(model.broken))
    return program


def _with_broken(program: LinearProgram, model: PyomoModel) -> LinearProgram:
    """Return the arrays with the rows that no variable enters."""
    broken = model.broken
    rows = [*program.row_labels, *((row.group, row.index) for row in broken)]
    empty = sparse.csc_matrix((len(broken), program.matrix.shape[1]))
    frame = replace(
        program.labels,
        is_equation=np.append(program.is_equation, [row.equal for row in broken]),
        row_labels=rows,
        stated_amounts=_asked(model, rows),
        owners=[*program.labels.owners, *("" for _ in broken)],
    )
    rhs = np.append(program.rhs, [row.rhs for row in broken])
    return replace(
        program,
        labels=frame,
        matrix=sparse.vstack([program.matrix, empty], format="csc"),
        rhs=rhs,
    )


def _cannot_hold(broken: Sequence[Broken]) -> str:
    first, *others = broken
    place = ", ".join(str(part) for part in first.index)
    also = f" (nor can {len(others)} more)" if others else ""
    return f"{first.group} ({place}) cannot hold whatever is built or bought{also}"


@dataclass(frozen=True)
class Slots:
    """Where in the arrays of a programme the traced numbers stand."""

    matrix: list[tuple[int, Polynomial]]
    rhs: list[tuple[int, Polynomial]]
    lines: list[tuple[int, Polynomial]]


def compile_parametric(model: PyomoModel) -> tuple[LinearProgram, Slots]:
    """Compile a programme written with traced numbers: its arrays, to be filled at the slots, and the slots."""
    compiler = _ParametricCompiler(
        LinearStandardFormCompiler.CONFIG({"mixed_form": True})
    )
    with PauseGC():
        form = compiler.write(model.pyomo)
        frame = labels_of(model, form)
    of_lines, of_matrix = compiler.slots
    rows = [
        (k, value) for k, value in enumerate(form.rhs) if isinstance(value, Polynomial)
    ]
    rhs = np.array(
        [0.0 if isinstance(value, Polynomial) else value for value in form.rhs],
        dtype=float,
    )
    refuse_ownerless(
        model,
        frame,
        np.where([isinstance(value, Polynomial) for value in form.rhs], 1.0, rhs),
    )
    lines, place = by_rows(sparse.csc_matrix(form.c))
    discounted = weights(model.lines, model.parameters)
    program = whole(
        LinearProgram(frame, sparse.csc_matrix(form.A), rhs, lines, discounted), model
    )
    return program, Slots(
        of_matrix, rows, [(int(place[k]), value) for k, value in of_lines]
    )


def by_rows(matrix: Any) -> tuple[Any, NDArray[np.int64]]:
    """Return a matrix by columns turned to rows, and where each of its entries has gone."""
    order = sparse.csc_matrix(
        (np.arange(matrix.nnz), matrix.indices, matrix.indptr), matrix.shape
    ).tocsr()
    place = np.empty(matrix.nnz, dtype=np.int64)
    place[order.data] = np.arange(matrix.nnz)
    return (
        sparse.csr_matrix(
            (matrix.data[order.data], order.indices, order.indptr), matrix.shape
        ),
        place,
    )


class _ParametricCompiler(_LinearStandardFormCompiler_impl):  # type: ignore[misc]
    """Pyomo's compiler, keeping traced numbers and where they stand; plain zeros drop out as they do there."""

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.slots: list[list[tuple[int, Polynomial]]] = []

    def _create_csc(
        self, data: Any, index: Any, index_ptr: Any, nnz: int, n_cols: int
    ) -> Any:
        values = list(chain.from_iterable(data))
        traced = np.fromiter(
            (isinstance(value, Polynomial) for value in values), bool, nnz
        )
        plain = np.fromiter(
            (
                1.0 if there else value
                for value, there in zip(values, traced, strict=True)
            ),
            float,
            nnz,
        )
        columns = np.fromiter(chain.from_iterable(index), np.int32, nnz)
        shape = (len(index_ptr) - 1, n_cols)
        order = sparse.csr_matrix(
            (np.arange(nnz), columns, np.array(index_ptr)), shape
        ).tocsc()
        kept = plain[order.data] != 0.0
        start = np.concatenate(([0], np.cumsum(kept)))[order.indptr]
        place = order.data[kept]
        self.slots.append(
            [(k, values[at]) for k, at in enumerate(place.tolist()) if traced[at]]
        )
        return sparse.csc_array((plain[place], order.indices[kept], start), shape=shape)


def weights(lines: list[Line], parameters: Parameters) -> Vector:
    """Return the discounted weight of each account line in the objective."""
    last = parameters.discount[parameters.years[-1]]
    return np.array(
        [line.weight * parameters.discount.get(line.year, last) for line in lines]
    )


def labels_of(model: PyomoModel, form: Any) -> ProgramLabels:
    """Return the labels of a compiled programme."""
    rows = [
        (row.constraint.parent_component().local_name, _index(row.constraint.index()))
        for row in form.rows
    ]
    columns = [
        (var.parent_component().local_name, _index(var.index())) for var in form.columns
    ]
    groups = model.groups
    whose = model.agents
    agents = []
    for name, index in columns:
        who = whose[name]
        agents.append(who if isinstance(who, str) else who(*index))
    return ProgramLabels(
        row_labels=rows,
        column_labels=columns,
        is_equation=np.array([row.bound_type == 0 for row in form.rows], dtype=bool),
        owners=[
            "" if groups[name].owner is None else groups[name].owner_of(index)
            for name, index in rows
        ],
        agents=agents,
        lines=model.lines,
        groups={
            name: RowGroup(name, g.policy, g.unit, g.meaning, g.owner is not None)
            for name, g in groups.items()
        },
        stated_amounts=_asked(model, rows),
    )


def _asked(model: PyomoModel, rows: Sequence[Label]) -> dict[int, float]:
    found = {}
    for k, (name, index) in enumerate(rows):
        asks = model.groups[name].asks
        if asks is not None and not isinstance(amount := asks(*index), Polynomial):
            found[k] = float(amount)
    return found


def refuse_ownerless(model: PyomoModel, frame: ProgramLabels, rhs: Vector) -> None:
    """Refuse a balance with a right-hand side: its dual would be a rent that nobody owns."""
    names = {
        frame.row_labels[i][0]
        for i in np.flatnonzero((np.abs(rhs) > 1e-9) & ~frame.is_limit)
    }
    if names:
        raise InputError(
            Problem(
                f"policy {group.policy}" if group.policy else "programme",
                f"balance {group.name}",
                "has a right-hand side, a rent that nobody owns",
                "write it as a limit with an owner",
            )
            for name, group in model.groups.items()
            if name in names
        )


def _index(index: Any) -> Index:
    if isinstance(index, tuple):
        return index
    return () if index is None else (index,)
