"""A programme as arrays, compiled from Pyomo: a matrix, right-hand sides, account lines, and what they stand for.

Arrays know neither data nor policies: rows are ``A x >= b`` or ``A x = b``, columns are at least
zero, and each account line is a row of `lines`; the cost is their discounted, weighted sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyomo.common.gc_manager import PauseGC
from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler, _LinearStandardFormCompiler_impl
from scipy import sparse

from chipmodel.errors import InputError, NoOptimum, Problem, about
from chipmodel.lp import Programme
from chipmodel.lp.book import COLUMN, Broken, Line
from chipmodel.numbers import Numbers
from chipmodel.policies.base import Policy
from chipmodel.traced import Traced

Vector = NDArray[np.float64]
Index = tuple[Any, ...]
Label = tuple[str, Index]
@dataclass(frozen=True)
class Rows:
    """A family of rows as results name it; a limit has a rent, a balance a price."""

    name: str
    policy: str
    unit: str
    meaning: str
    limit: bool


@dataclass(frozen=True)
class Frame:
    """What programmes of one shape share: labels, agents and owners, in plain data that can be sent to a process.

    Attributes
    ----------
    rows_of, columns_of : list of (str, tuple)
        Group and index of each row; variable and index of each column.
    equal : array of bool
        Rows that are equations.
    owners : list of str
        Owner of the rent of each row; empty for a balance.
    agents : list of str
        Agent of each column.
    """

    rows_of: list[Label]
    columns_of: list[Label]
    equal: NDArray[np.bool_]
    owners: list[str]
    agents: list[str]
    lines: list[Line]
    groups: dict[str, Rows]
    asked: dict[int, float] = field(default_factory=dict)
    """The number a row stands for, where it is not all of its right-hand side."""

    @cached_property
    def limit(self) -> NDArray[np.bool_]:
        """Rows that are limits."""
        return np.array([bool(owner) for owner in self.owners], dtype=bool)

    @cached_property
    def agent_codes(self) -> tuple[list[str], NDArray[np.int64]]:
        """The agents, and the place of each column's agent among them."""
        return coded(self.agents)

    @cached_property
    def owner_codes(self) -> tuple[list[str], NDArray[np.int64]]:
        """The owners, and the place of each row's owner among them."""
        return coded(self.owners)

    def columns(self, name: str) -> tuple[list[Index], NDArray[np.int64]]:
        """Return the indices of a variable and the places of its columns."""
        return self._columns.get(name, NOTHING)

    def rows(self, name: str) -> tuple[list[Index], NDArray[np.int64]]:
        """Return the indices of a group and the places of its rows."""
        return self._rows.get(name, NOTHING)

    @cached_property
    def _columns(self) -> dict[str, tuple[list[Index], NDArray[np.int64]]]:
        return _by_name(self.columns_of)

    @cached_property
    def _rows(self) -> dict[str, tuple[list[Index], NDArray[np.int64]]]:
        return _by_name(self.rows_of)


NOTHING: tuple[list[Index], NDArray[np.int64]] = ([], np.zeros(0, dtype=np.int64))


def coded(names: list[str]) -> tuple[list[str], NDArray[np.int64]]:
    """Return the distinct names, sorted, and the place of each name among them."""
    found, code = np.unique(np.array(names, dtype=str), return_inverse=True)
    return found.tolist(), code


def _by_name(labels: list[Label]) -> dict[str, tuple[list[Index], NDArray[np.int64]]]:
    found: dict[str, tuple[list[Index], list[int]]] = {}
    for place, (name, index) in enumerate(labels):
        keys, places = found.setdefault(name, ([], []))
        keys.append(index)
        places.append(place)
    return {name: (keys, np.array(places)) for name, (keys, places) in found.items()}


@dataclass(frozen=True)
class Arrays:
    """A linear programme as arrays.

    Attributes
    ----------
    frame : Frame
        Labels of rows and columns.
    matrix : sparse matrix
        By columns.
    lines : sparse matrix
        Account lines by columns, undiscounted.
    weights : array
        Discounted weight of each line in the objective.
    policies : tuple of Policy
        The instruments it was written with.
    """

    frame: Frame
    matrix: Any
    rhs: Vector
    lines: Any
    weights: Vector
    numbers: Numbers
    policies: tuple[Policy, ...] = ()

    @property
    def rows_of(self) -> list[Label]:
        """Group and index of each row."""
        return self.frame.rows_of

    @property
    def columns_of(self) -> list[Label]:
        """Variable and index of each column."""
        return self.frame.columns_of

    @property
    def equal(self) -> NDArray[np.bool_]:
        """Rows that are equations."""
        return self.frame.equal

    @cached_property
    def cost(self) -> Vector:
        """Cost of each column, discounted."""
        return np.asarray(self.weights @ self.lines).ravel()

    def ranges(self) -> dict[str, tuple[float, float]]:
        """Return the least and largest size of coefficients, costs and right-hand sides that are not zero."""
        found = {}
        for name, values in (("matrix", self.matrix.data), ("cost", self.cost), ("rhs", self.rhs)):
            size = np.abs(values[values != 0])
            found[name] = (float(size.min()), float(size.max())) if len(size) else (0.0, 0.0)
        return found


def compile_arrays(programme: Programme) -> Arrays:
    """Compile a programme to arrays.

    Raises
    ------
    NoOptimum
        If a row that no variable enters does not hold; its arrays hold such rows as well, empty.
    """
    with PauseGC():  # two fifths of the time would go into looking for garbage
        form = LinearStandardFormCompiler().write(programme.model, mixed_form=True)
        frame = frame_of(programme, form)
    rhs = np.asarray(form.rhs, dtype=float)
    refuse_ownerless(programme, frame, rhs)
    n = programme.numbers
    lines = sparse.csr_matrix(form.c)
    arrays = Arrays(frame, sparse.csc_matrix(form.A), rhs, lines, weights(programme.lines, n), n, programme.policies)
    return whole(arrays, programme)


def whole(arrays: Arrays, programme: Programme) -> Arrays:
    """Return the arrays of a programme whose rows can all hold."""
    if programme.broken:
        with about(_with_broken(arrays, programme)):
            raise NoOptimum("infeasible", _cannot_hold(programme.broken))
    return arrays


def _with_broken(arrays: Arrays, programme: Programme) -> Arrays:
    """Return the arrays with the rows that no variable enters."""
    broken = programme.broken
    rows = [*arrays.rows_of, *((row.group, row.index) for row in broken)]
    empty = sparse.csc_matrix((len(broken), arrays.matrix.shape[1]))
    frame = replace(
        arrays.frame,
        equal=np.append(arrays.equal, [row.equal for row in broken]),
        rows_of=rows,
        asked=_asked(programme, rows),
        owners=[*arrays.frame.owners, *("" for _ in broken)],
    )
    rhs = np.append(arrays.rhs, [row.rhs for row in broken])
    return replace(arrays, frame=frame, matrix=sparse.vstack([arrays.matrix, empty], format="csc"), rhs=rhs)


def _cannot_hold(broken: Sequence[Broken]) -> str:
    first, *others = broken
    place = ", ".join(str(part) for part in first.index)
    also = f" (nor can {len(others)} more)" if others else ""
    return f"{first.group} ({place}) cannot hold whatever is built or bought{also}"


@dataclass(frozen=True)
class Slots:
    """Where in the arrays of a programme the traced numbers stand."""

    matrix: list[tuple[int, Traced]]
    rhs: list[tuple[int, Traced]]
    lines: list[tuple[int, Traced]]


def compile_traced(programme: Programme) -> tuple[Arrays, Slots]:
    """Compile a programme written with traced numbers: its arrays, to be filled at the slots, and the slots."""
    compiler = _TracedCompiler(LinearStandardFormCompiler.CONFIG({"mixed_form": True}))
    with PauseGC():
        form = compiler.write(programme.model)
        frame = frame_of(programme, form)
    of_lines, of_matrix = compiler.slots
    rows = [(k, value) for k, value in enumerate(form.rhs) if isinstance(value, Traced)]
    rhs = np.array([0.0 if isinstance(value, Traced) else value for value in form.rhs], dtype=float)
    n = programme.numbers
    refuse_ownerless(programme, frame, np.where([isinstance(value, Traced) for value in form.rhs], 1.0, rhs))
    lines, place = by_rows(sparse.csc_matrix(form.c))
    arrays = whole(Arrays(frame, sparse.csc_matrix(form.A), rhs, lines, weights(programme.lines, n), n), programme)
    return arrays, Slots(of_matrix, rows, [(int(place[k]), value) for k, value in of_lines])


def by_rows(matrix: Any) -> tuple[Any, NDArray[np.int64]]:
    """Return a matrix by columns turned to rows, and where each of its entries has gone."""
    order = sparse.csc_matrix((np.arange(matrix.nnz), matrix.indices, matrix.indptr), matrix.shape).tocsr()
    place = np.empty(matrix.nnz, dtype=np.int64)
    place[order.data] = np.arange(matrix.nnz)
    return sparse.csr_matrix((matrix.data[order.data], order.indices, order.indptr), matrix.shape), place


class _TracedCompiler(_LinearStandardFormCompiler_impl):  # type: ignore[misc]
    """Pyomo's compiler, keeping traced numbers and where they stand; plain zeros drop out as they do there."""

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.slots: list[list[tuple[int, Traced]]] = []

    def _create_csc(self, data: Any, index: Any, index_ptr: Any, nnz: int, n_cols: int) -> Any:
        values = list(chain.from_iterable(data))
        traced = np.fromiter((isinstance(value, Traced) for value in values), bool, nnz)
        plain = np.fromiter((1.0 if there else value for value, there in zip(values, traced, strict=True)), float, nnz)
        columns = np.fromiter(chain.from_iterable(index), np.int32, nnz)
        shape = (len(index_ptr) - 1, n_cols)
        order = sparse.csr_matrix((np.arange(nnz), columns, np.array(index_ptr)), shape).tocsc()
        kept = plain[order.data] != 0.0
        start = np.concatenate(([0], np.cumsum(kept)))[order.indptr]
        place = order.data[kept]
        self.slots.append([(k, values[at]) for k, at in enumerate(place.tolist()) if traced[at]])
        return sparse.csc_array((plain[place], order.indices[kept], start), shape=shape)


def weights(lines: list[Line], numbers: Numbers) -> Vector:
    """Return the discounted weight of each account line in the objective."""
    last = numbers.discount[numbers.years[-1]]
    return np.array([line.weight * numbers.discount.get(line.year, last) for line in lines])


def frame_of(programme: Programme, form: Any) -> Frame:
    """Return the labels of a compiled programme."""
    rows = [(row.constraint.parent_component().local_name, _index(row.constraint.index())) for row in form.rows]
    columns = [(var.parent_component().local_name, _index(var.index())) for var in form.columns]
    groups = programme.groups
    whose = programme.agents
    agents = []
    for name, index in columns:
        who = whose[name]
        agents.append(who if isinstance(who, str) else who(*index))
    return Frame(
        rows_of=rows,
        columns_of=columns,
        equal=np.array([row.bound_type == 0 for row in form.rows], dtype=bool),
        owners=["" if groups[name].owner is None else groups[name].owner_of(index) for name, index in rows],
        agents=agents,
        lines=programme.lines,
        groups={name: Rows(name, g.policy, g.unit, g.meaning, g.owner is not None) for name, g in groups.items()},
        asked=_asked(programme, rows),
    )


def _asked(programme: Programme, rows: Sequence[Label]) -> dict[int, float]:
    found = {}
    for k, (name, index) in enumerate(rows):
        asks = programme.groups[name].asks
        if asks is not None and not isinstance(amount := asks(*index), Traced):
            found[k] = float(amount)
    return found


def refuse_ownerless(programme: Programme, frame: Frame, rhs: Vector) -> None:
    """Refuse a balance with a right-hand side: its dual would be a rent that nobody owns."""
    names = {frame.rows_of[i][0] for i in np.flatnonzero((np.abs(rhs) > 1e-9) & ~frame.limit)}
    if names:
        raise InputError(
            Problem(f"policy {group.policy}" if group.policy else "programme", f"balance {group.name}",
                    "has a right-hand side, a rent that nobody owns", "write it as a limit with an owner")
            for name, group in programme.groups.items() if name in names
        )


def _index(index: Any) -> Index:
    if isinstance(index, tuple):
        return index
    return () if index is None else (index,)


def agent_of(column: str, agent: str) -> str:
    """Return who pays or receives on a line: a named party, or the agent of the column."""
    return agent if column == COLUMN else column
