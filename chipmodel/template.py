"""One programme compiled once for many cases: arrays that are polynomials in the numbers that differ.

The readable Pyomo programme stays the one source of truth. Where cases differ in numbers only, it is
written once with traced numbers in their place and compiled to arrays plus, for every entry that
hangs on them, its polynomial. A case is then a few vectors.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np
from scipy import sparse

from chipmodel.arrays import Arrays, Frame, Vector, compile_traced, weights
from chipmodel.basis import Basis
from chipmodel.case import Case
from chipmodel.engine import Optimum, finish, solver
from chipmodel.errors import CertificateError, NoOptimum, about
from chipmodel.handover import Handover
from chipmodel.lp import write
from chipmodel.numbers import Numbers
from chipmodel.shape import Leaves, Path, Reader
from chipmodel.traced import Polynomials, Traced


@dataclass(frozen=True)
class Levers:
    """The numbers that differ between cases of one shape.

    Leaves that take the same values in all cases share a lever.

    Attributes
    ----------
    paths : list of list of Path
        The leaves of each lever.
    values : array
        Cases by levers.
    names : list of str
        A name for each, for messages.
    """

    paths: list[list[Path]]
    values: Vector
    names: list[str]

    @classmethod
    def of(cls, cases: Sequence[Leaves], policies: Sequence[str]) -> Levers:
        """Find the levers of cases of one shape; `policies` are the ids of the instruments that do something."""
        first = cases[0]
        moved = np.zeros(len(first.paths), dtype=bool)
        for case in cases[1:]:
            if case.numbers is not first.numbers:
                moved |= case.numbers != first.numbers
        places = np.flatnonzero(moved)
        own = [
            path for path in dict.fromkeys(path for case in cases for path in case.own)
            if any(case.own.get(path, 0.0) != first.own.get(path, 0.0) for case in cases)
        ]
        table = np.array([[*case.numbers[places], *(case.own.get(path, 0.0) for path in own)] for case in cases])
        varying = [*(first.paths[k] for k in places), *own]
        groups: dict[bytes, list[int]] = defaultdict(list)
        for k in range(len(varying)):
            groups[table[:, k].tobytes()].append(k)
        paths = [[varying[k] for k in members] for members in groups.values()]
        values = table[:, [members[0] for members in groups.values()]]
        return cls(paths, values, [_named(own[0], policies) for own in paths])


    def at(self, leaves: Leaves) -> Vector:
        """Return the levers of another case of the shape."""
        place = {path: k for k, path in enumerate(leaves.paths)}
        return np.array([
            leaves.numbers[place[own[0]]] if own[0] in place else leaves.own.get(own[0], 0.0) for own in self.paths
        ])


def _named(path: Path, policies: Sequence[str]) -> str:
    kind, *rest = path
    if kind == "policies":
        return f"{policies[rest[0]]}.{rest[1]}"
    return f"duty of {rest[0]}" if kind == "duties" else ".".join(map(str, rest))


@dataclass(frozen=True)
class Template:
    """The arrays of a shape, to be filled with the numbers of a case. Plain data: it can be sent to a process.

    Attributes
    ----------
    base : tuple
        Matrix, right-hand sides and account lines, with one in every slot.
    matrix, rhs, lines : Polynomials
        What fills the slots.
    """

    frame: Frame
    handover: Handover
    base: tuple[Any, Vector, Any]
    matrix: Polynomials
    rhs: Polynomials
    lines: Polynomials

    def fill(self, levers: Vector, numbers: Numbers) -> Arrays:
        """Return the arrays of a case.

        Parameters
        ----------
        levers : array
            Its levers.
        numbers : Numbers
            The numbers of its world: what its results are read with.
        """
        of_matrix, of_rhs, of_lines = self.base
        matrix, rhs, lines = of_matrix.data.copy(), of_rhs.copy(), of_lines.data.copy()
        matrix[self.matrix.slots] = self.matrix.at(levers)
        rhs[self.rhs.slots] = self.rhs.at(levers)
        lines[self.lines.slots] = self.lines.at(levers)
        return Arrays(
            self.frame,
            sparse.csc_matrix((matrix, of_matrix.indices, of_matrix.indptr), of_matrix.shape),
            rhs,
            sparse.csr_matrix((lines, of_lines.indices, of_lines.indptr), of_lines.shape),
            weights(self.frame.lines, numbers),
            numbers,
        )


def compile_template(case: Case, numbers: Numbers, levers: Levers, without: Iterable[str] = ()) -> Template:
    """Write and compile the programme of a shape once.

    Raises
    ------
    NotPolynomial
        If a number enters the programme in a way that is neither a sum nor a product.
    """
    lifts = {
        path: Traced({(k,): 1.0}, levers.names) for k, paths in enumerate(levers.paths) for path in paths
    }
    arrays, slots = compile_traced(write(numbers, case.policies, without, lifts=lifts))
    count = len(levers.names)
    parts = [Polynomials.of(found, count) for found in (slots.matrix, slots.rhs, slots.lines)]
    return Template(arrays.frame, Handover(arrays), (arrays.matrix, arrays.rhs, arrays.lines), *parts)


class Chain:
    """Solves cases of one shape one after the other, each from the basis of the one before.

    Parameters
    ----------
    template : Template
    start : Basis, optional
        Where the first case starts from; cold without one.
    """

    def __init__(self, template: Template, start: Basis | None = None) -> None:
        self.template = template
        self._start = start
        self._highs: highspy.Highs | None = None
        self._last: Arrays | None = None

    def solve(self, arrays: Arrays) -> Optimum:
        """Solve a case.

        Raises
        ------
        NoOptimum
            If it has no optimal solution.
        """
        if self._highs is None or self._last is None:
            self._highs = solver()
            self._highs.passModel(self.template.handover.lp(arrays))
            if self._start is not None:
                self._start.give(self._highs)
        else:
            patch(self._highs, self.template.handover, self._last, arrays)
        self._last = arrays
        try:
            return finish(self._highs, self.template.handover, arrays)
        except (CertificateError, NoOptimum):
            # A hot start may lose its way; what a cold one says counts, and the next case goes on from there.
            self._highs = self._last = None
            highs = solver()
            highs.passModel(self.template.handover.lp(arrays))
            optimum = finish(highs, self.template.handover, arrays)
            self._highs, self._last = highs, arrays
            return optimum

    @property
    def basis(self) -> Basis | None:
        """Basis of the case solved last."""
        return None if self._highs is None else Basis.of(self._highs)


def patch(highs: highspy.Highs, handover: Handover, old: Arrays, new: Arrays) -> None:
    """Change a loaded programme into another of its shape, where they differ."""
    if not np.array_equal(old.cost, new.cost):
        every = np.arange(len(new.cost), dtype=np.int32)
        highs.changeColsCost(len(every), every, new.cost)
    for before, after, change in (
        (handover.bounds(old), handover.bounds(new), highs.changeColsBounds),
        (handover.sides(old), handover.sides(new), highs.changeRowsBounds),
    ):
        moved = np.flatnonzero((before[0] != after[0]) | (before[1] != after[1])).astype(np.int32)
        if len(moved):
            change(len(moved), moved, after[0][moved], after[1][moved])
    inside = handover.inside
    was, now = old.matrix.data[inside], new.matrix.data[inside]
    entries = np.flatnonzero(was != now)
    columns = np.searchsorted(handover.start, entries, side="right") - 1
    for row, column, value in zip(handover.row[entries].tolist(), columns.tolist(), now[entries].tolist(),
                                  strict=True):
        highs.changeCoeff(row, column, value)


Measure = Callable[[Case, Arrays, Optimum], float]


def along(case_at: Callable[[float], Case], numbers: Numbers, high: float, measure: Measure,
          without: Iterable[str] = ()) -> Callable[[float], float]:
    """Return a measure of the optimum as a function of one number above zero.

    Parameters
    ----------
    case_at : callable
        The case with the number at a value; its shape must not change with it.
    numbers : Numbers
    high : float
        Largest value.
    measure : callable
        What is measured, from the case, its arrays and their optimum.
    without : iterable of str
        Groups of rows left out, for tests.
    """
    reader = Reader()
    samples = [reader.read(case_at(value), numbers) for value in (high / 2, high)]
    case = case_at(high / 2)
    levers = Levers.of(samples, [p.id for p in case.policies if not p.idle])
    template = compile_template(case, numbers, levers, without)
    chain = Chain(template)

    def measured(value: float) -> float:
        there = case_at(value)
        arrays = template.fill(levers.at(reader.read(there, numbers)), numbers)
        with about(arrays):
            return measure(there, arrays, chain.solve(arrays))

    return measured
