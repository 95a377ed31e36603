"""Studies: cases in worlds, solved and compared.

A study is checked whole before anything is solved: its cases, worlds, metrics and grid.
Each cell is solved cold, so its numbers do not depend on how many processes share the
work.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from chipmodel.analysis.run import run
from chipmodel.analysis.verify import Verification, ranges_table, verify
from chipmodel.common.errors import CertificateError, InputError, NoOptimum
from chipmodel.common.files import write_whole
from chipmodel.common.folders import prepare
from chipmodel.common.progress import Clock, OnProgress
from chipmodel.common.tables import table_csv
from chipmodel.common.workers import Here, Pool, pool_of
from chipmodel.dataset.dataset import Dataset
from chipmodel.dataset.derived import Intervals, load_intervals, with_ends
from chipmodel.results import metrics
from chipmodel.results.solution import Solution
from chipmodel.results.store import save
from chipmodel.results.summary import Summary
from chipmodel.studies.checkpoint import run_chunks
from chipmodel.studies.definition import Study, table_columns
from chipmodel.studies.plan import Cell, load_study, plan
from chipmodel.studies.sweep import about_cell, dataset_of, plain

RANGES = "ranges.csv"


@dataclass(frozen=True)
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
        Sentences filled from the numbers.
    finding_table : DataFrame
        Every number of those sentences: statement, world, quantity, segment, value,
        unit.
    solutions : dict
        The solutions themselves, if tables are kept and the study ran in this process.
    written : list of Path
    notes : tuple of str
        What the user should know, such as figures that could not be drawn.
    verified : dict
        What other methods said of every solution by ``case--world``, and ranges, if
        they were asked.
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

    @property
    def numbers(self) -> list[str]:
        """Names of the numbers it varies."""
        known = (
            "metric",
            "unit",
            "case",
            "world",
            "value",
            "difference",
            "low",
            "high",
        )
        return [name for name in self.table.columns if name not in known]

    @property
    def wide(self) -> pd.DataFrame:
        """The table at a glance.

        One row a metric (what it means, its values and differences to the reference by
        case and world), or for a study that varies numbers one row a point and one
        column a metric.
        """
        from chipmodel.display.tables import wide, wide_points

        if self.study.varies:
            return wide_points(self.table, self.numbers)
        return wide(self.table, self.study.reference is not None)

    def text(self, width: int = 110) -> str:
        """Return the comparison and the finding as text for a terminal."""
        from chipmodel.display.tables import comparison_text, points_text, wrapped

        table = (
            points_text(self.wide, self.numbers, width)
            if self.study.varies
            else comparison_text(
                self.table, self.summaries, self.study.reference, width
            )
        )
        parts = [f"{self.study.name}: {self.study.title}", table]
        parts += [wrapped(sentence, width) for sentence in self.finding]
        parts += [
            "\n".join([name, *found.lines()]) for name, found in self.verified.items()
        ]
        return "\n\n".join([*parts, *self.notes]) + "\n"


def run_study(
    study: Study | str,
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
    share one compiled programme, are solved in chunks and give metrics only, unless the
    study keeps tables.

    Parameters
    ----------
    study : Study or str
    data : Dataset
    out : str or Path, optional
        Folder to write ``<study>/comparison.csv``, ``comparison_wide.csv``, the finding
        with its numbers, the figures and, if the study keeps tables, the result folders
        into. Chunks of a sweep lie there as soon as they are done; a study that was
        stopped goes on from them. Nothing is written without it.
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
    study = load_study(study, data, yes) if isinstance(study, str) else study
    known = plan(study, data, yes)
    if jobs < 1:
        raise InputError.one(
            study.name, "jobs", f"{jobs} is not a number of processes", "use 1 or more"
        )
    if pool is not None and not pool.writes_here and study.keep == "tables":
        raise InputError.one(
            study.name,
            "keep",
            "tables are written where they are solved, not on this machine",
            'set keep = "metrics", or solve it here with --jobs',
        )
    folder = None if out is None else Path(out) / study.name
    if folder is not None:
        prepare(folder)
    pool = pool or pool_of(jobs)
    swept = [cell for cell in known.cells if cell.point and study.keep == "metrics"]
    whole = [
        cell for cell in known.cells if not (cell.point and study.keep == "metrics")
    ]
    if verified and swept:
        raise InputError.one(
            study.name,
            "--verify",
            "is not for the points of a sweep",
            'set keep = "tables"',
        )
    clock = Clock(len(known.cells), on_progress)
    clock.begin()
    done = _solved(
        whole, (data, folder if study.keep == "tables" else None, verified), pool, clock
    )
    summaries = {
        cell.name: found.summary for cell, found in zip(whole, done, strict=True)
    }
    result = replace(
        result_of(study, whole, known.metrics, summaries, data),
        solutions={
            c.name: d.solution
            for c, d in zip(whole, done, strict=True)
            if d.solution is not None
        },
        written=[d.folder for d in done if d.folder is not None],
        verified={
            c.name: d.verified
            for c, d in zip(whole, done, strict=True)
            if d.verified is not None
        },
    )
    if swept:
        more, notes = run_chunks(
            study, swept, known.metrics, summaries, data, folder, pool, clock
        )
        table = (
            pd.concat([result.table, more], ignore_index=True)
            if len(result.table)
            else more
        )
        result = replace(result, table=table, notes=notes)
    return result if folder is None else _write(result, folder)


def result_of(
    study: Study,
    cells: list[Cell],
    names: tuple[str, ...],
    summaries: dict[str, Summary],
    data: Dataset,
) -> StudyResult:
    """Return what a study finds in the summaries of its cells, by their names."""
    intervals = Intervals({}) if study.varies else load_intervals(data)
    finding, numbers = _finding(cells, summaries, study, intervals)
    return StudyResult(
        study,
        summaries,
        with_ends(_table(cells, names, summaries, study), intervals),
        finding,
        numbers,
    )


@dataclass(frozen=True)
class _Done:
    summary: Summary
    folder: Path | None
    solution: Solution | None = None
    verified: Verification | None = None


Wanted = tuple[Dataset, Path | None, bool]
"""Data, where tables are kept if they are, and whether other methods are asked."""


def _solve(cell: Cell, wanted: Wanted) -> _Done:
    data, keep, verified = wanted
    try:
        solution = run(data, cell.case, cell.world)
        checked = verify(solution) if verified else None
    except (NoOptimum, CertificateError) as error:
        raise about_cell(error, cell, data) from None
    folder = (
        None
        if keep is None
        else save(solution, keep, verified=None if checked is None else checked.plain())
    )
    return _Done(Summary.of(solution, cell.point), folder, solution, checked)


def _solved(cells: list[Cell], wanted: Wanted, pool: Pool, clock: Clock) -> list[_Done]:
    """Solve cells cold, each by itself; solutions are kept if tables are and this process solves."""
    data, keep, verified = wanted
    here = isinstance(pool, Here)
    shared = (data if here else plain(data), keep, verified, here and keep is not None)
    done: dict[int, _Done] = {}
    for k, found in pool.each(_solve_there, shared, cells):
        done[k] = found
        clock.step(cells[k].label)
    return [done[k] for k in range(len(cells))]


def _solve_there(shared: tuple[Any, Path | None, bool, bool], cell: Cell) -> _Done:
    sent, keep, verified, whole = shared
    found = _solve(
        cell, (sent if isinstance(sent, Dataset) else dataset_of(sent), keep, verified)
    )
    return found if whole else replace(found, solution=None)


def _table(
    cells: list[Cell],
    names: tuple[str, ...],
    summaries: dict[str, Summary],
    study: Study,
) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for cell in cells:
        base = summaries[cell.reference] if cell.reference else None
        rows += metrics.rows(names, summaries[cell.name], base)
    return pd.DataFrame(rows, columns=table_columns(study))


def _finding(
    cells: list[Cell], summaries: dict[str, Summary], study: Study, intervals: Intervals
) -> tuple[tuple[str, ...], pd.DataFrame]:
    from chipmodel.display.findings import findings
    from chipmodel.display.findings import table as numbers

    pairs = (
        []
        if study.varies
        else [(summaries[c.name], summaries[c.reference]) for c in cells if c.reference]
    )
    found = findings(pairs, intervals)
    return tuple(one.text for one in found), numbers(found)


def _write(result: StudyResult, folder: Path) -> StudyResult:
    from chipmodel.display import figures

    files = {
        "comparison.csv": table_csv(result.table),
        "comparison_wide.csv": table_csv(result.wide),
    }
    if result.finding:
        files["finding.txt"] = "\n\n".join(result.finding) + "\n"
        files["finding.csv"] = table_csv(result.finding_table)
    if result.verified:
        files[RANGES] = table_csv(ranges_table(result.verified))
    else:
        (folder / RANGES).unlink(
            missing_ok=True
        )  # of other results, for all that is known
    written = list(result.written)
    for name, text in files.items():
        write_whole(folder / name, text)
        written.append(folder / name)
    notes: tuple[str, ...] = ()
    if result.study.figures:
        drawn, notes = figures.draw_all(
            result.study.figures,
            list(result.summaries.values()),
            result.study.reference,
            folder,
        )
        written += drawn
    return replace(result, written=written, notes=(*result.notes, *notes))
