"""Many cases of few shapes: each shape compiled once, the cases solved in fixed chunks.

Every chunk starts from a fresh HiGHS at the basis of the first case of its shape, so
that what it finds depends neither on how many processes share the work, nor on
interruptions, nor on the order in which chunks are done.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from chipmodel.analysis.run import run
from chipmodel.analysis.structure import (
    Leaves,
    Levers,
    StructureReader,
    compile_parametric_program,
)
from chipmodel.cases.case import load_case
from chipmodel.common.errors import CertificateError, InputError, NoOptimum
from chipmodel.dataset.dataset import Dataset, shipped_root
from chipmodel.model.lp.compile import weights
from chipmodel.model.parameters.build import build_parameters
from chipmodel.model.parameters.parameters import Parameters
from chipmodel.model.world import load_world
from chipmodel.results import metrics
from chipmodel.results.solution import Solution
from chipmodel.results.summary import Summary
from chipmodel.solver.highs import Optimum
from chipmodel.solver.linear_program import LinearProgram, Vector
from chipmodel.solver.parametric import ParametricProgram, WarmSolver
from chipmodel.solver.polynomials import NotPolynomial
from chipmodel.solver.warm_start import Basis
from chipmodel.studies.plan import Cell

ALONE = -1
"""Stands for the shape of a case that is solved by itself."""


Row = dict[str, Any]


SentData = tuple[str, Path, dict[str, Any], dict[str, str]]
"""A data package as what can be sent to a process."""


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
    """What every chunk of a sweep needs; plain data."""

    data: SentData
    templates: tuple[ParametricProgram, ...]
    starts: tuple[Basis, ...]
    metrics: tuple[str, ...]
    references: dict[str, Summary]


@dataclass(frozen=True)
class Sweep:
    """A sweep, ready to be solved.

    Attributes
    ----------
    refused : dict
        For each shape that could not be shared, the number that stands in the way, in
        words.
    """

    shared: Shared
    chunks: tuple[Chunk, ...]
    refused: tuple[str, ...]


@dataclass(frozen=True)
class Work:
    """What solving a chunk took: pivots, seconds inside HiGHS and seconds in all."""

    rows: list[Row]
    pivots: int
    seconds_inside: float
    seconds: float


class Worlds:
    """The numbers of worlds, computed once each as long as they follow each other."""

    def __init__(self, data: Dataset) -> None:
        self._data = data
        self._last: tuple[Any, Parameters] | None = None

    def parameters(self, cell: Cell) -> Parameters:
        """Return the numbers of a cell's world."""
        if self._last is None or self._last[0] != cell.world:
            self._last = (
                cell.world,
                build_parameters(self._data, cell.world).with_events(cell.world.event),
            )
        return self._last[1]


def plain(data: Dataset) -> SentData:
    """Return a data package as what can be sent to a process."""
    return data.name, data.root, dict(data.tables), dict(data.hashes)


def dataset_of(sent: SentData) -> Dataset:
    """Return the data package that was sent."""
    name, root, tables, hashes = sent
    return Dataset(name, root, MappingProxyType(tables), MappingProxyType(hashes))


def prepare(
    cells: Sequence[Cell],
    data: Dataset,
    names: tuple[str, ...],
    references: dict[str, Summary],
    size: int,
    least: int = 2,
) -> Sweep:
    """Sort cells into shapes, compile each shape once and cut the cells into chunks.

    Parameters
    ----------
    cells : sequence of Cell
    names : tuple of str
        Metrics.
    references : dict
        Summaries of the cells that others are compared with and that are no points
        themselves.
    size : int
        Cells in a chunk; cells of one point stay together.
    least : int
        Cells of one shape for which compiling it once is worth the while.
    """
    worlds, reader = Worlds(data), StructureReader()
    shapes: dict[Any, list[int]] = {}
    read: dict[int, Leaves] = {}
    for k, cell in enumerate(cells):
        if not in_passes(cell):
            read[k] = reader.read(cell.case, worlds.parameters(cell))
            shapes.setdefault(read[k].shape, []).append(k)
    shape = np.full(len(cells), ALONE)
    levers: dict[int, Vector] = {}
    templates: list[ParametricProgram] = []
    starts: list[Basis] = []
    refused = []
    for members in shapes.values():
        if len(members) < least:
            continue
        first = cells[members[0]]
        parameters = worlds.parameters(first)
        found = Levers.of(
            [read[k] for k in members],
            [p.id for p in first.case.policies if not p.inactive],
        )
        try:
            template = compile_parametric_program(first.case, parameters, found)
        except NotPolynomial as error:
            refused.append(
                f"{error}: each of {len(members)} cases is written anew, which is"
                " slower"
            )
            continue
        shape[members] = len(templates)
        levers.update(zip(members, found.values, strict=True))
        chain = WarmSolver(template)
        try:
            chain.solve(
                template.fill(
                    found.values[0], weights(template.labels.lines, parameters)
                )
            )
        except (NoOptimum, CertificateError) as error:
            raise about_cell(error, first, data) from None
        basis = chain.basis
        assert basis is not None
        templates.append(template)
        starts.append(basis)
    none = np.zeros(0)
    tasks = [
        Task(cell, int(shape[k]), levers.get(k, none)) for k, cell in enumerate(cells)
    ]
    shared = Shared(plain(data), tuple(templates), tuple(starts), names, references)
    return Sweep(shared, tuple(cut(tasks, size)), tuple(refused))


def in_passes(cell: Cell) -> bool:
    """Whether a cell needs more than one solve: a surprise, a grant that seeks its rate, a marginal grant."""
    base = cell.world.base_year
    dates = [p.known_from for p in cell.case.policies] + [
        e.known_from for e in cell.world.event
    ]
    if any(date and date > base for date in dates):
        return True
    return any(policy.needs_search for policy in cell.case.policies)


def cut(tasks: Sequence[Task], size: int) -> list[Chunk]:
    """Cut tasks into chunks of about `size`; a cell stays with the reference it is compared with."""
    chunks: list[list[Task]] = [[]]
    for task in tasks:
        starts_a_unit = task.cell.reference not in {t.cell.name for t in chunks[-1]}
        if len(chunks[-1]) >= size and starts_a_unit:
            chunks.append([])
        chunks[-1].append(task)
    return [Chunk(k, tuple(part)) for k, part in enumerate(chunks) if part]


def solve_chunk(shared: Shared, chunk: Chunk) -> Work:
    """Solve the cells of a chunk and return the rows of its metrics."""
    began = time.perf_counter()
    known = dict(shared.references)
    rows: list[Row] = []
    pivots, inside = 0, 0.0
    for cell, solution in solutions(shared, chunk):
        pivots += solution.optimum.iterations
        inside += solution.optimum.seconds
        summary = Summary.of(solution, cell.point)
        if cell.reference == cell.name:
            known[cell.name] = summary
        rows += metrics.rows(shared.metrics, summary, known.get(cell.reference))
    return Work(rows, pivots, inside, time.perf_counter() - began)


def summarise_chunk(shared: Shared, chunk: Chunk) -> list[Summary]:
    """Solve the cells of a chunk and return their summaries."""
    return [
        Summary.of(solution, cell.point) for cell, solution in solutions(shared, chunk)
    ]


def solutions(shared: Shared, chunk: Chunk) -> Iterator[tuple[Cell, Solution]]:
    """Walk over the cells of a chunk and their solutions, each a hot start of the one before it in its shape."""
    data = dataset_of(shared.data)
    worlds = Worlds(data)
    chains: dict[int, WarmSolver] = {}
    for task in chunk.tasks:
        cell = task.cell
        try:
            if task.shape == ALONE:
                yield cell, run(data, cell.case, cell.world)
                continue
            chain = chains.get(task.shape)
            if chain is None:
                chain = chains[task.shape] = WarmSolver(
                    shared.templates[task.shape], shared.starts[task.shape]
                )
            parameters = worlds.parameters(cell)
            program = shared.templates[task.shape].fill(
                task.levers,
                weights(shared.templates[task.shape].labels.lines, parameters),
            )
            yield cell, solution_of(cell, parameters, program, chain.solve(program))
        except (NoOptimum, CertificateError) as error:
            raise about_cell(error, cell, data) from None


def solution_of(
    cell: Cell, parameters: Parameters, program: LinearProgram, optimum: Optimum
) -> Solution:
    """Return the solution of a cell solved as a part of a sweep."""
    return Solution.of(cell.case, parameters, program, optimum)


def about_cell(
    error: NoOptimum | CertificateError, cell: Cell, data: Dataset
) -> NoOptimum | CertificateError:
    """Return an error of a solve that names the cell, and the command that explains why it has no solution."""
    what = f"{cell.label}: {error}"
    if isinstance(error, CertificateError):
        return CertificateError(what)
    if _on_file(cell, data):
        world = "" if cell.world.name == "central" else f" --world {cell.world.name}"
        place = "" if data.root == shipped_root() else f" --data {data.root}"
        what += f"; run `chipmodel why {cell.case.name}{world}{place}`"
    return NoOptimum(error.status, what)


def _on_file(cell: Cell, data: Dataset) -> bool:
    """Whether case and world of a cell are those of files of the package, so that they can be asked for by name."""
    try:
        case, world = load_case(cell.case.name, data), load_world(cell.world.name, data)
    except InputError:
        return False
    return (case.digest, world.digest) == (cell.case.digest, cell.world.digest)
