"""Studies: cases in worlds, solved and compared.

A study is checked whole before anything is solved: its cases, worlds, metrics and grid.
Each cell is solved cold, so its numbers do not depend on how many processes share the
work.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from chipmodel.analysis.run import solve_in_passes
from chipmodel.analysis.verify import Verification, ranges_table, verify
from chipmodel.common.errors import CertificateError, InputError, NoOptimum
from chipmodel.common.fingerprint import PACKAGES, code_digest, version_of
from chipmodel.common.progress import Clock, OnProgress
from chipmodel.common.tables import table_csv
from chipmodel.common.text import listed
from chipmodel.common.version import __version__
from chipmodel.common.workers import Here, Pool, pool_of
from chipmodel.dataset.dataset import Dataset
from chipmodel.dataset.derived import Intervals, load_intervals, with_ends
from chipmodel.display import figures, findings, tables
from chipmodel.results import metrics
from chipmodel.results.solution import Solution
from chipmodel.results.store import refuse_unsaved, save
from chipmodel.results.summary import Summary
from chipmodel.studies.checkpoint import Store, digest_of, run_chunks
from chipmodel.studies.definition import Study, read_study, table_columns
from chipmodel.studies.inputs import Inputs
from chipmodel.studies.plan import Cell, plan
from chipmodel.studies.study_folder import StudyFolder
from chipmodel.studies.sweep import about_cell

TABLES = ("comparison.csv", "comparison_wide.csv")

FINDING = ("finding.txt", "finding.csv")
"""Files of the sentences about a study, if there are any."""

RANGES = "ranges.csv"
"""File of the ranges of headline numbers, written with ``--verify``."""

OTHER_COLUMNS = (
    "metric",
    "unit",
    "case",
    "world",
    "value",
    "difference",
    "low",
    "high",
)
"""Columns of a study's table that are no numbers of its grid."""


@dataclass(frozen=True, eq=False)
class StudyResult:
    """What a study found.

    Attributes
    ----------
    summaries : dict
        A summary of every solution by ``case--world``, in the order of the study.
    table : DataFrame
        Long: metric, unit, case, world, the numbers of the grid, value, difference to
        the reference, and where an interval is known for the value, its low and high.
    finding : tuple of str
        Sentences that state the results.
    finding_table : DataFrame
        Every number of those sentences: statement, world, quantity, segment, value,
        unit.
    solutions : dict
        The solutions themselves, if the study stores tables and ran in this process.
    written : list of Path
    notes : tuple of str
        What the user should know, such as figures that could not be drawn.
    verified : dict
        The verification of every solution by ``case--world``, if asked for.
    solves : dict
        By ``case--world``, where its solve started, its pivots and seconds in HiGHS;
        of a sweep, those of all points that were solved now.
    """

    study: Study
    summaries: dict[str, Summary]
    table: pd.DataFrame
    finding: tuple[str, ...]
    finding_table: pd.DataFrame
    solutions: dict[str, Solution] = field(default_factory=dict, repr=False)
    written: list[Path] = field(default_factory=list)
    notes: tuple[str, ...] = ()
    verified: dict[str, Verification] = field(default_factory=dict)
    solves: dict[str, dict[str, Any]] = field(default_factory=dict, repr=False)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, StudyResult):
            return NotImplemented
        return (
            self._stated == other._stated
            and self.table.equals(other.table)
            and self.finding_table.equals(other.finding_table)
        )

    def __hash__(self) -> int:
        return hash((self.study, self.finding))

    @property
    def _stated(self) -> tuple[object, ...]:
        parts = (self.study, self.summaries, self.finding, self.notes)
        return (*parts, self.solutions, self.verified, self.written)

    @property
    def numbers(self) -> list[str]:
        """Names of the numbers it varies."""
        return [name for name in self.table.columns if name not in OTHER_COLUMNS]

    @property
    def wide(self) -> pd.DataFrame:
        """The table at a glance.

        One row a metric (what it means, its values and differences to the reference by
        case and world), or for a study that varies numbers one row a point and one
        column a metric.
        """
        if self.study.varies:
            return tables.wide_points(self.table, self.numbers)
        return tables.wide(self.table, self.study.reference is not None)

    def text(self, width: int = 110) -> str:
        """Return the comparison and the finding as text for a terminal."""
        if self.study.varies:
            table = tables.points_text(self.wide, self.numbers, width)
        else:
            table = tables.comparison_text(
                self.table, self.summaries, self.study.reference, width
            )
        parts = [f"{self.study.name}: {self.study.title}", table]
        parts += [tables.wrapped(sentence, width) for sentence in self.finding]
        for name, verification in self.verified.items():
            parts.append("\n".join([name, *verification.lines()]))
        return "\n\n".join([*parts, *self.notes]) + "\n"


def run_study(
    study: Study | str | Path,
    data: Dataset,
    out: str | Path | None = None,
    jobs: int = 1,
    on_progress: OnProgress | None = None,
    yes: bool = False,
    pool: Pool | None = None,
    verified: bool = False,
) -> StudyResult:
    """Solve every cell of a study and compare.

    Cells at points of a grid or design are swept: cases that differ in numbers only
    share one compiled linear program, are solved in chunks and give metrics only,
    unless the study stores tables.

    Parameters
    ----------
    study : Study, str or Path
    data : Dataset
    out : str or Path, optional
        Folder to write ``<study>/comparison.csv``, ``comparison_wide.csv``, the finding
        with its numbers, the figures and, if the study stores tables, the result
        folders into. Chunks of a sweep are written as soon as they are done; a study
        that was stopped continues from them. Nothing is written without it.
    jobs : int
        Processes. The result is the same whatever their number.
    on_progress : callable, optional
        Called with a `Step` whenever a cell or a chunk is done.
    yes : bool
        Solve more than 10,000 cells.
    pool : Pool, optional
        Where the work is done, instead of `jobs` processes of this machine: a
        `Cluster`, for one.
    verified : bool
        Solve every cell again by other methods, find the ranges of headline numbers,
        and write ``ranges.csv``.

    Raises
    ------
    InputError
        If something in the study is wrong; nothing is solved then.
    NoOptimum
        If a cell has no optimal solution.
    """
    if isinstance(study, str | Path):
        study = read_study(str(study), data)
    # Planning loads what solving needs: cases, worlds and parameters are read once.
    inputs = Inputs(data)
    planned = plan(study, data, yes, inputs)
    cells, names = planned.cells, planned.metrics
    if jobs < 1:
        raise InputError.one(
            study.name, "jobs", f"{jobs} is not a number of processes", "use 1 or more"
        )
    with_tables = study.keep == "tables"
    if pool is not None and not pool.writes_here and with_tables:
        raise InputError.one(
            study.name,
            "keep",
            "tables are written where they are solved, not on this machine",
            'set keep = "metrics", or solve it here with --jobs',
        )
    pool = pool or pool_of(jobs)
    # A sweep gives metrics only. What its points are compared with is solved before it.
    swept = []
    solved_alone = []
    for cell in cells:
        if cell.point and not with_tables:
            swept.append(cell)
        else:
            solved_alone.append(cell)
    if verified and swept:
        raise InputError.one(
            study.name,
            "--verify",
            "is not for the points of a sweep",
            'set keep = "tables"',
        )
    parts = _Parts(study, names, tuple(solved_alone), tuple(swept))
    clock = Clock(len(cells), on_progress)
    if out is None:
        clock.begin()
        return _solve(parts, _CellSolver(inputs, None, verified), pool, clock, None)
    folder = Path(out) / study.name
    digest = digest_of(study, cells, inputs)
    place = _place_of(parts, folder, digest, verified, inputs)
    with place.claimed():
        # What cannot be written is refused before anything is solved.
        solver = _CellSolver(inputs, folder if with_tables else None, verified)
        for cell in solved_alone:
            if with_tables:
                refuse_unsaved(folder, data, cell.case, cell.world)
        store = Store(folder / "chunks", digest) if swept else None
        clock.begin()
        return _write(_solve(parts, solver, pool, clock, store), place)


@dataclass(frozen=True)
class _Parts:
    """A study with its metrics and cells: those solved alone and those of the sweep."""

    study: Study
    metrics: tuple[str, ...]
    alone: tuple[Cell, ...]
    swept: tuple[Cell, ...]


def _solve(
    parts: _Parts, solver: _CellSolver, pool: Pool, clock: Clock, store: Store | None
) -> StudyResult:
    """Solve the cells of a study; those that others are compared with come first."""
    study, names, inputs = parts.study, parts.metrics, solver.inputs
    alone = list(parts.alone)
    solved = _solve_cells(alone, solver, pool, clock)
    summaries = {name: result.summary for name, result in solved.items()}
    result = _with_solutions(
        result_of(study, alone, names, summaries, inputs.data), solved
    )
    if not parts.swept:
        return result
    table, notes, taken = run_chunks(
        study, list(parts.swept), names, summaries, inputs, store, pool, clock
    )
    if len(result.table):
        table = pd.concat([result.table, table], ignore_index=True)
    solves = {**result.solves, "points of the sweep": taken}
    return replace(result, table=table, notes=notes, solves=solves)


def _place_of(
    parts: _Parts, folder: Path, digest: str, verified: bool, inputs: Inputs
) -> StudyFolder:
    """Return the folder of a study, with what its files depend on."""
    study, data = parts.study, inputs.data
    cells = {}
    for cell in (*parts.alone, *parts.swept):
        cells[cell.name] = f"{cell.case.digest} {cell.world.digest}"
    about = {
        "chipmodel": __version__,
        "study": study.name,
        "title": study.title,
        "metrics": list(study.metrics),
        "figures": list(study.figures),
        "verified": verified,
        "cells": cells,
        "dataset": {"name": data.name, "digest": data.digest},
        "code": code_digest(),
        "packages": {name: version_of(name) for name in (*PACKAGES, "matplotlib")},
        "solved_from": digest,
    }
    identity = json.dumps(about, sort_keys=True).encode()
    about["digest"] = hashlib.sha256(identity).hexdigest()
    planned = {*TABLES, *FINDING, RANGES, *figures.files_of(study.figures)}
    return StudyFolder(folder, about, frozenset(planned))


def result_of(
    study: Study,
    cells: list[Cell],
    names: tuple[str, ...],
    summaries: dict[str, Summary],
    data: Dataset,
) -> StudyResult:
    """Return the result of a study from the summaries of its cells, by their names."""
    # Intervals are known for the numbers of the data, not for those of a point.
    intervals = Intervals({})
    if not study.varies:
        intervals = load_intervals(data)
    finding, numbers = _finding(cells, summaries, study, intervals)
    programs = []
    for cell in cells:
        base = summaries[cell.reference] if cell.reference else None
        for name in names:
            programs.append(metrics.programs_of(name, summaries[cell.name], base))
    table = with_ends(_table(cells, names, summaries, study), intervals, programs)
    return StudyResult(study, summaries, table, finding, numbers)


@dataclass(frozen=True)
class _Solved:
    """A cell that is solved: its summary and, where asked for, more."""

    summary: Summary
    taken: dict[str, Any]
    folder: Path | None
    solution: Solution | None = None
    verification: Verification | None = None


@dataclass(frozen=True)
class _CellSolver:
    """Solves cells, each by itself; it can be sent to other processes.

    Attributes
    ----------
    inputs : Inputs
    folder : Path or None
        Where the tables of solutions are written, if they are.
    verified : bool
        Whether each solution is verified by other methods.
    """

    inputs: Inputs
    folder: Path | None
    verified: bool

    def solve(self, cell: Cell) -> _Solved:
        """Solve a cell, verify it and write its tables."""
        parameters = self.inputs.parameters_before_events(cell.world)
        verification = None
        try:
            solution = solve_in_passes(cell.case, parameters)
            if self.verified:
                verification = verify(solution)
        except (NoOptimum, CertificateError) as error:
            raise about_cell(error, cell, self.inputs.data) from None
        written = None
        if self.folder is not None:
            plain = None if verification is None else verification.plain()
            written = save(solution, self.folder, verified=plain)
        summary = Summary.of(solution, cell.point)
        taken = solution.optimum.taken
        return _Solved(summary, taken, written, solution, verification)


def _solve_cells(
    cells: list[Cell], solver: _CellSolver, pool: Pool, clock: Clock
) -> dict[str, _Solved]:
    """Solve cells and return the results by name, in the order of the cells."""
    # Solutions are large: they are returned only where they need not be sent, and only
    # if the user asked for tables.
    with_solution = isinstance(pool, Here) and solver.folder is not None
    work = _solve_cell if with_solution else _solve_cell_to_summary
    by_place: dict[int, _Solved] = {}
    for k, solved in pool.each(work, solver, cells):
        by_place[k] = solved
        clock.step(cells[k].label)
    return {cell.name: by_place[k] for k, cell in enumerate(cells)}


def _solve_cell(solver: _CellSolver, cell: Cell) -> _Solved:
    return solver.solve(cell)


def _solve_cell_to_summary(solver: _CellSolver, cell: Cell) -> _Solved:
    return replace(solver.solve(cell), solution=None)


def _with_solutions(result: StudyResult, solved: dict[str, _Solved]) -> StudyResult:
    """Return a result with what was written, verified and returned of its cells."""
    solutions = {}
    verifications = {}
    written = []
    for name, cell in solved.items():
        if cell.solution is not None:
            solutions[name] = cell.solution
        if cell.verification is not None:
            verifications[name] = cell.verification
        if cell.folder is not None:
            written.append(cell.folder)
    return replace(
        result,
        solutions=solutions,
        written=written,
        verified=verifications,
        solves={name: cell.taken for name, cell in solved.items()},
    )


def _table(
    cells: list[Cell],
    names: tuple[str, ...],
    summaries: dict[str, Summary],
    study: Study,
) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for cell in cells:
        base = None
        if cell.reference:
            base = summaries[cell.reference]
        rows += metrics.rows(names, summaries[cell.name], base)
    return pd.DataFrame(rows, columns=table_columns(study))


def _finding(
    cells: list[Cell], summaries: dict[str, Summary], study: Study, intervals: Intervals
) -> tuple[tuple[str, ...], pd.DataFrame]:
    """Return the sentences of a study, and a table of their numbers."""
    pairs = []
    if not study.varies:
        for cell in cells:
            if cell.reference:
                pairs.append((summaries[cell.name], summaries[cell.reference]))
    sentences = findings.findings(pairs, intervals)
    texts = tuple(sentence.text for sentence in sentences)
    return texts, findings.table(sentences)


def _write(result: StudyResult, place: StudyFolder) -> StudyResult:
    """Write the tables, the finding and the figures of a study."""
    texts = {
        "comparison.csv": table_csv(result.table),
        "comparison_wide.csv": table_csv(result.wide),
    }
    if result.finding:
        texts["finding.txt"] = "\n\n".join(result.finding) + "\n"
        texts["finding.csv"] = table_csv(result.finding_table)
    if result.verified:
        texts[RANGES] = table_csv(ranges_table(result.verified))
    content = {name: text.encode() for name, text in texts.items()}
    notes = list(result.notes)
    if result.study.figures:
        drawn, about_figures = figures.draw_all(
            result.study.figures,
            list(result.summaries.values()),
            result.study.reference,
        )
        content |= drawn
        notes += about_figures
    written = [*result.written, *place.write(content)]
    chunks = [place.folder / "chunks"] if result.study.varies else []
    earlier = place.left_behind([*written, *chunks])
    if earlier:
        folders = listed(earlier)
        notes.append(f"in {place.folder} an earlier run left {folders}")
    return replace(result, written=written, notes=tuple(notes))
