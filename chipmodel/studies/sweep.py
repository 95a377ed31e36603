"""Many cases of few shapes: each shape compiled once, the cases solved in fixed chunks.

Every chunk starts from a fresh HiGHS at the basis of the first case of its shape, so
that its results depend neither on the number of processes, nor on interruptions, nor on
the order in which chunks are solved.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chipmodel.analysis.run import needs_passes, solve_in_passes
from chipmodel.analysis.starts import solve_from_nearest
from chipmodel.analysis.structure import (
    Leaves,
    Structure,
    StructureReader,
    write_structure,
)
from chipmodel.cases.case import Case, load_case
from chipmodel.common.errors import CertificateError, InputError, NoOptimum
from chipmodel.common.garbage import collected_rarely
from chipmodel.common.text import command
from chipmodel.dataset.dataset import Dataset, shipped_root
from chipmodel.model.world import load_world
from chipmodel.results import metrics
from chipmodel.results.solution import Solution
from chipmodel.results.summary import Summary
from chipmodel.solver.linear_program import Vector
from chipmodel.solver.parametric import ParametricProgram, WarmSolver
from chipmodel.solver.warm_start import Basis
from chipmodel.studies.inputs import Inputs
from chipmodel.studies.path import near_neighbours
from chipmodel.studies.plan import Cell

ALONE = -1
"""The shape number of a case that is solved by itself."""

Row = dict[str, Any]
"""One line of a study's table, by column."""


@dataclass(frozen=True)
class Task:
    """A cell with its shape.

    Attributes
    ----------
    cell : Cell
    shape : int
    changed, values : array
        The levers in which it differs from the first cell of its shape, and their
        values: of thousands of levers a sweep moves a few.
    """

    cell: Cell
    shape: int
    changed: NDArray[np.int64]
    values: Vector

    def levers(self, of_first: Vector) -> Vector:
        """Return its levers, given those of the first cell of its shape."""
        levers = of_first.copy()
        levers[self.changed] = self.values
        return levers


@dataclass(frozen=True)
class Chunk:
    """Cells solved one after the other."""

    number: int
    tasks: tuple[Task, ...]


@dataclass(frozen=True)
class Shared:
    """What every chunk of a sweep needs; it can be sent to another process.

    Attributes
    ----------
    inputs : Inputs
    templates : tuple of ParametricProgram
        The linear program of each shape.
    levers : tuple of array
        The levers of the first cell of each shape.
    starts : tuple of Basis
        The basis from which each chunk starts, by shape.
    metrics : tuple of str
    references : dict
        Summaries of cells outside the sweep that others are compared with.
    """

    inputs: Inputs
    templates: tuple[ParametricProgram, ...]
    levers: tuple[Vector, ...]
    starts: tuple[Basis, ...]
    metrics: tuple[str, ...]
    references: dict[str, Summary]


@dataclass(frozen=True)
class Sweep:
    """A sweep, ready to be solved.

    Attributes
    ----------
    shared : Shared
    chunks : tuple of Chunk
        The cells along a path of near neighbours.
    refused : tuple of str
        A sentence about cases that share a linear program with no other.
    """

    shared: Shared
    chunks: tuple[Chunk, ...]
    refused: tuple[str, ...]


@dataclass(frozen=True)
class Work:
    """The rows of a chunk, and its cost: pivots, seconds inside HiGHS and in all."""

    rows: list[Row]
    pivots: int
    seconds_inside: float
    seconds: float


def prepare(
    cells: Sequence[Cell],
    data: Dataset,
    names: tuple[str, ...],
    references: dict[str, Summary],
    size: int,
    minimum: int = 2,
    inputs: Inputs | None = None,
) -> Sweep:
    """Sort cells into shapes, compile each shape once and cut the cells into chunks.

    Parameters
    ----------
    cells : sequence of Cell
        Checked already.
    data : Dataset
    names : tuple of str
        Metrics.
    references : dict
        Summaries of the cells that others are compared with and that are no points
        themselves.
    size : int
        Cells in a chunk; cells of one point stay together.
    minimum : int
        Number of cells of one shape from which compiling it once pays.
    inputs : Inputs, optional
        Those of `data`, if some are loaded already.

    Raises
    ------
    NoOptimum
        If the first case of a shape has no optimal solution.
    """
    inputs = inputs or Inputs(data)
    shapes, leaves = _sorted_by_shape(cells, inputs)
    # Cells of no shape or of a small one are solved alone.
    tasks = [
        Task(cell, ALONE, np.zeros(0, dtype=np.int64), np.zeros(0)) for cell in cells
    ]
    templates: list[ParametricProgram] = []
    firsts: list[Vector] = []
    starts: list[Basis] = []
    for members in shapes:
        for structure, fitting in _structures(cells, members, leaves, inputs, minimum):
            place = len(templates)
            first_place, of_first = next(iter(fitting.items()))
            for k, levers in fitting.items():
                changed = np.flatnonzero(levers != of_first)
                tasks[k] = Task(cells[k], place, changed, levers[changed])
            templates.append(structure.template)
            firsts.append(of_first)
            first = cells[first_place]
            starts.append(_first_basis(structure.template, of_first, first, inputs))
    alone = [k for k in leaves if tasks[k].shape == ALONE]
    refused: tuple[str, ...] = ()
    if len(alone) > 1:
        refused = (
            f"{cells[alone[0]].label}: {len(alone)} cases differ in form from the"
            " others and are compiled by themselves, which is slower",
        )
    shared = Shared(
        inputs, tuple(templates), tuple(firsts), tuple(starts), names, references
    )
    path = [tasks[k] for k in near_neighbours(cells)]
    return Sweep(shared, tuple(cut(path, size)), refused)


def _structures(
    cells: Sequence[Cell],
    members: Sequence[int],
    leaves: dict[int, Leaves],
    inputs: Inputs,
    minimum: int,
) -> Iterator[tuple[Structure, dict[int, Vector]]]:
    """Yield structures for cells of one shape, with the levers of those that fit each.

    It ends where fewer than `minimum` cells would share the next one.
    """
    left = list(members)
    while len(left) >= minimum:
        first = left[0]
        case, world = cells[first].case, cells[first].world
        # A number that is zero in some cells stays in the structure of all.
        others = [leaves[k] for k in members]
        structure = write_structure(
            case,
            inputs.parameters(world),
            leaves[first],
            others,
            included=_acting_somewhere([cells[k].case for k in members]),
        )
        fitting = {}
        for k in left:
            levers = structure.levers(leaves[k])
            if levers is not None:
                fitting[k] = levers
        if len(fitting) < minimum:
            return
        yield structure, fitting
        left = [k for k in left if k not in fitting]


def _sorted_by_shape(
    cells: Sequence[Cell], inputs: Inputs
) -> tuple[list[list[int]], dict[int, Leaves]]:
    """Return the places of cells by shape, and the leaves of cells that have a shape.

    Cells that are solved in passes have none.
    """
    reader = StructureReader()
    families: dict[Any, list[Case]] = {}
    for cell in cells:
        families.setdefault(_family(cell.case), []).append(cell.case)
    included = {family: _acting_somewhere(cases) for family, cases in families.items()}
    shapes: dict[Any, list[int]] = {}
    leaves: dict[int, Leaves] = {}
    for k, cell in enumerate(cells):
        if not needs_passes(cell.case, cell.world):
            family = _family(cell.case)
            parameters = inputs.parameters(cell.world)
            leaves[k] = reader.read(cell.case, parameters, included[family])
            shapes.setdefault((family, leaves[k].shape), []).append(k)
    return list(shapes.values()), leaves


def _family(case: Case) -> tuple[tuple[str, str], ...]:
    """Return the instruments of a case without their numbers."""
    return tuple((policy.kind, policy.id) for policy in case.policies)


def _acting_somewhere(cases: Iterable[Case]) -> set[str]:
    """Return the ids of instruments that act in some case.

    One whose rate is zero in some points of a sweep stays in the linear program of all.
    """
    return {p.id for case in cases for p in case.policies if not p.inactive}


def _first_basis(
    template: ParametricProgram, levers: Vector, cell: Cell, inputs: Inputs
) -> Basis:
    """Solve the first cell of a shape and return its basis."""
    parameters = inputs.parameters(cell.world)
    program = template.fill(levers, parameters.weights(template.labels.lines))
    try:
        optimum = solve_from_nearest(cell.case, parameters, "anticipated", program)
    except (NoOptimum, CertificateError) as error:
        raise about_cell(error, cell, inputs.data) from None
    assert optimum.basis is not None
    return optimum.basis


def cut(tasks: Sequence[Task], size: int) -> list[Chunk]:
    """Cut tasks into chunks of about `size`.

    A cell stays in one chunk with the reference it is compared with, so a chunk can be
    larger.
    """
    parts: list[list[Task]] = [[]]
    for task in tasks:
        in_chunk = {other.cell.name for other in parts[-1]}
        if len(parts[-1]) >= size and task.cell.reference not in in_chunk:
            parts.append([])
        parts[-1].append(task)
    return [Chunk(k, tuple(part)) for k, part in enumerate(parts) if part]


@collected_rarely()
def solve_chunk(shared: Shared, chunk: Chunk) -> Work:
    """Solve the cells of a chunk and return the rows of its metrics."""
    start = time.perf_counter()
    references = dict(shared.references)
    rows: list[Row] = []
    pivots = 0
    seconds_inside = 0.0
    for cell, solution in solutions(shared, chunk):
        pivots += solution.optimum.iterations
        seconds_inside += solution.optimum.seconds
        summary = Summary.of(solution, cell.point, stamped=False)
        # A cell that is its own reference comes before those compared with it.
        if cell.reference == cell.name:
            references[cell.name] = summary
        rows += metrics.rows(shared.metrics, summary, references.get(cell.reference))
    return Work(rows, pivots, seconds_inside, time.perf_counter() - start)


@collected_rarely()
def summarise_chunk(shared: Shared, chunk: Chunk) -> list[Summary]:
    """Solve the cells of a chunk and return their summaries."""
    summaries = []
    for cell, solution in solutions(shared, chunk):
        summaries.append(Summary.of(solution, cell.point))
    return summaries


def solutions(shared: Shared, chunk: Chunk) -> Iterator[tuple[Cell, Solution]]:
    """Yield the cells of a chunk with their solutions.

    Each solve starts from the basis of the one before it in its shape.
    """
    inputs = shared.inputs
    solvers: dict[int, WarmSolver] = {}
    for task in chunk.tasks:
        cell, shape = task.cell, task.shape
        try:
            if shape == ALONE:
                parameters = inputs.parameters_before_events(cell.world)
                yield cell, solve_in_passes(cell.case, parameters)
                continue
            template = shared.templates[shape]
            if shape not in solvers:
                solvers[shape] = WarmSolver(template, shared.starts[shape])
            parameters = inputs.parameters(cell.world)
            discount_weights = parameters.weights(template.labels.lines)
            levers = task.levers(shared.levers[shape])
            program = template.fill(levers, discount_weights)
            optimum = solvers[shape].solve(program)
            yield cell, Solution.of(cell.case, parameters, program, optimum)
        except (NoOptimum, CertificateError) as error:
            raise about_cell(error, cell, inputs.data) from None


def about_cell(
    error: NoOptimum | CertificateError, cell: Cell, data: Dataset
) -> NoOptimum | CertificateError:
    """Return an error of a solve that names the cell.

    If the cell has no optimal solution and its case is a file, the error also names the
    command that explains why.
    """
    what = f"{cell.label}: {error}"
    if isinstance(error, CertificateError):
        return CertificateError(what)
    if _on_file(cell, data):
        words = ["why", cell.case.name]
        if cell.world.name != "central":
            words += ["--world", cell.world.name]
        if data.root != shipped_root():
            words += ["--data", str(data.root)]
        what += f"; run {command(*words)}"
    return NoOptimum(error.status, what)


def _on_file(cell: Cell, data: Dataset) -> bool:
    """Whether a command finds case and world of a cell in the data package by name."""
    try:
        case = load_case(cell.case.name, data)
        world = load_world(cell.world.name, data)
    except InputError:
        return False
    return (case.digest, world.digest) == (cell.case.digest, cell.world.digest)
