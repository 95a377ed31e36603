"""Many cases of few shapes: each shape compiled once, the cases solved in fixed chunks.

Every chunk starts from a fresh HiGHS at the basis of the first case of its shape, so
that its results depend neither on the number of processes, nor on interruptions, nor on
the order in which chunks are solved.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chipmodel.analysis.run import needs_passes, solve_in_passes
from chipmodel.analysis.structure import (
    Leaves,
    Levers,
    StructureReader,
    compile_parametric_program,
)
from chipmodel.cases.case import load_case
from chipmodel.common.errors import CertificateError, InputError, NoOptimum
from chipmodel.common.text import command
from chipmodel.dataset.dataset import Dataset, shipped_root
from chipmodel.model.lp.compile import weights
from chipmodel.model.world import load_world
from chipmodel.results import metrics
from chipmodel.results.solution import Solution
from chipmodel.results.summary import Summary
from chipmodel.solver.linear_program import Vector
from chipmodel.solver.parametric import ParametricProgram, WarmSolver
from chipmodel.solver.polynomials import NotPolynomial
from chipmodel.solver.warm_start import Basis
from chipmodel.studies.inputs import Inputs
from chipmodel.studies.plan import Cell

ALONE = -1
"""The shape number of a case that is solved by itself."""

Row = dict[str, Any]
"""One line of a study's table, by column."""


@dataclass(frozen=True)
class Task:
    """A cell with its shape and its levers."""

    cell: Cell
    shape: int
    levers: Vector


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
    starts : tuple of Basis
        The basis from which each chunk starts, by shape.
    metrics : tuple of str
    references : dict
        Summaries of cells outside the sweep that others are compared with.
    """

    inputs: Inputs
    templates: tuple[ParametricProgram, ...]
    starts: tuple[Basis, ...]
    metrics: tuple[str, ...]
    references: dict[str, Summary]


@dataclass(frozen=True)
class Sweep:
    """A sweep, ready to be solved.

    Attributes
    ----------
    refused : tuple of str
        For each shape whose cases cannot share a linear program, a sentence that names
        the number that prevents it.
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
    # Cells of no shape, of a small one or of one that is refused are solved alone.
    shape_of = np.full(len(cells), ALONE)
    levers_of: dict[int, Vector] = {}
    templates: list[ParametricProgram] = []
    starts: list[Basis] = []
    refused = []
    for members in shapes:
        if len(members) < minimum:
            continue
        # The first cell is solved cold; every chunk of the shape starts from its basis.
        first = cells[members[0]]
        acting = [policy.id for policy in first.case.policies if not policy.inactive]
        levers = Levers.of([leaves[k] for k in members], acting)
        try:
            template = compile_parametric_program(
                first.case, inputs.parameters(first.world), levers
            )
        except NotPolynomial as error:
            refused.append(
                f"{error}: each of {len(members)} cases is compiled by itself, which is"
                " slower"
            )
            continue
        shape_of[members] = len(templates)
        levers_of.update(zip(members, levers.values, strict=True))
        templates.append(template)
        starts.append(_first_basis(template, levers.values[0], first, inputs))
    no_levers = np.zeros(0)
    tasks = []
    for k, cell in enumerate(cells):
        tasks.append(Task(cell, int(shape_of[k]), levers_of.get(k, no_levers)))
    shared = Shared(inputs, tuple(templates), tuple(starts), names, references)
    return Sweep(shared, tuple(cut(tasks, size)), tuple(refused))


def _sorted_by_shape(
    cells: Sequence[Cell], inputs: Inputs
) -> tuple[list[list[int]], dict[int, Leaves]]:
    """Return the places of cells by shape, and the leaves of cells that have a shape.

    Cells that are solved in passes have none.
    """
    reader = StructureReader()
    shapes: dict[Any, list[int]] = {}
    leaves: dict[int, Leaves] = {}
    for k, cell in enumerate(cells):
        if not needs_passes(cell.case, cell.world):
            leaves[k] = reader.read(cell.case, inputs.parameters(cell.world))
            shapes.setdefault(leaves[k].shape, []).append(k)
    return list(shapes.values()), leaves


def _first_basis(
    template: ParametricProgram, levers: Vector, cell: Cell, inputs: Inputs
) -> Basis:
    """Solve the first cell of a shape cold and return its basis."""
    solver = WarmSolver(template)
    parameters = inputs.parameters(cell.world)
    program = template.fill(levers, weights(template.labels.lines, parameters))
    try:
        solver.solve(program)
    except (NoOptimum, CertificateError) as error:
        raise about_cell(error, cell, inputs.data) from None
    assert solver.basis is not None
    return solver.basis


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
        summary = Summary.of(solution, cell.point)
        # A cell that is its own reference comes before those compared with it.
        if cell.reference == cell.name:
            references[cell.name] = summary
        rows += metrics.rows(shared.metrics, summary, references.get(cell.reference))
    return Work(rows, pivots, seconds_inside, time.perf_counter() - start)


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
            discount_weights = weights(template.labels.lines, parameters)
            program = template.fill(task.levers, discount_weights)
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
