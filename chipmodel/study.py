"""Studies: cases in worlds, solved and compared.

A study is checked whole before anything is solved: its cases, worlds, metrics and grid. Each cell is
solved cold, so its numbers do not depend on how many processes share the work.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from chipmodel import metrics
from chipmodel.chunks import run_chunks
from chipmodel.dataset import Dataset
from chipmodel.errors import CertificateError, InputError, NoOptimum
from chipmodel.files import file_beside, find_named, from_file, is_file, names_in, problems_of, read_toml, write_whole
from chipmodel.intervals import Intervals, load_intervals, with_ends
from chipmodel.plan import Cell, plan
from chipmodel.points import Design, Point, Span, grid_points, table_points
from chipmodel.pool import Here, Pool, pool_of
from chipmodel.progress import Clock, Tell
from chipmodel.schema import ID_PATTERN
from chipmodel.solution import Solution
from chipmodel.solve import run
from chipmodel.store import prepare, save
from chipmodel.summary import Summary
from chipmodel.sweep import about_cell, dataset_of, plain
from chipmodel.text import inert
from chipmodel.verification import Verification, ranges_table, verify

WAYS = ("grid", "point", "table", "design")
"""Ways to say which points a study takes."""
RANGES = "ranges.csv"


class Variant(BaseModel):
    """Every world of the study again, with some fields changed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=ID_PATTERN, description="Joined to the name of the world by an underscore.")
    world: dict[str, Any] = Field(min_length=1, description="Fields of the world to change, such as committed = 0.0.")
    cases: tuple[str, ...] = Field(default=(), description="Cases solved in it; all by default.")


class Study(BaseModel):
    """A study: cases in worlds, a reference, and the metrics compared."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=ID_PATTERN, description="Name of the study; the file's name.")
    title: str = Field(description="One line.")
    summary: str = Field(default="", description="A paragraph of context.")
    cases: tuple[str, ...] = Field(min_length=1, description="Names of cases; a+b adds two.")
    worlds: tuple[str, ...] = Field(default=("central",), min_length=1, description="Names of worlds.")
    reference: str | None = Field(default=None, description="Case every other is compared with, in the same world.")
    metrics: tuple[str, ...] = Field(
        min_length=1, description="Names of metrics; * stands for every region or segment, LAST for the last year."
    )
    keep: Literal["metrics", "tables"] = Field(
        default="metrics", description="Keep the metrics only, or the full tables of every solution too."
    )
    grid: dict[str, tuple[float, ...] | Span] = Field(
        default_factory=dict, description="Numbers to vary, such as s232.rate; every combination is solved."
    )
    point: tuple[dict[str, float], ...] = Field(default=(), description="Points, each a number's value by name.")
    table: str | None = Field(default=None, description="CSV file of points beside the study: a column a number.")
    design: Design | None = Field(default=None, description="Points spread over ranges.")
    chunk: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=25, description="Cells solved one after the other from a fresh start; part of the result."
    )
    variant: tuple[Variant, ...] = Field(default=(), description="Worlds with some fields changed.")
    figures: tuple[str, ...] = Field(default=(), description="Figures to draw.")

    @model_validator(mode="after")
    def _whole(self) -> Study:
        if self.reference is not None and self.reference not in self.cases:
            raise ValueError(f"reference '{self.reference}' is not one of the cases, {', '.join(self.cases)}")
        for what, names in (("case", self.cases), ("world", self.worlds), ("variant", [v.name for v in self.variant])):
            twice = sorted({n for n in names if list(names).count(n) > 1})
            if twice:
                raise ValueError(f"{what} '{twice[0]}' appears twice")
        given = [way for way in WAYS if getattr(self, way)]
        if len(given) > 1:
            raise ValueError(f"points are given by {' and '.join(given)}: keep one")
        if any(list(point) != list(self.point[0]) for point in self.point):
            raise ValueError("every point must give the same numbers, in the same order")
        for variant in self.variant:
            for case in variant.cases:
                if case not in self.cases:
                    raise ValueError(f"variant '{variant.name}' names case '{case}', which is not one of the cases")
            if self.reference and variant.cases and self.reference not in variant.cases:
                raise ValueError(f"variant '{variant.name}' must hold the reference '{self.reference}'")
        return self

    @property
    def varies(self) -> bool:
        """Whether it takes points at all."""
        return any(getattr(self, way) for way in WAYS)

    def points(self) -> list[Point]:
        """Return the points it takes, in order."""
        if self.design is not None:
            return self.design.points()
        if self.table is not None:
            return table_points(Path(self.table))
        if self.point:
            return [dict(point) for point in self.point]
        if not self.grid:
            return []
        return grid_points({k: v.numbers if isinstance(v, Span) else v for k, v in self.grid.items()})


@dataclass(frozen=True)
class StudyResult:
    """What a study found.

    Attributes
    ----------
    summaries : dict
        A summary of every solution by ``case--world``, in the order of the study.
    table : DataFrame
        Long: metric, unit, case, world, the numbers of the grid, value, difference to the reference, and
        where an interval is known for the value, its low and high.
    finding : tuple of str
        Sentences filled from the numbers.
    finding_table : DataFrame
        Every number of those sentences: statement, world, quantity, segment, value, unit.
    solutions : dict
        The solutions themselves, if tables are kept and the study ran in this process.
    written : list of Path
    notes : tuple of str
        What the user should know, such as figures that could not be drawn.
    verified : dict
        What other methods said of every solution by ``case--world``, and ranges, if they were asked.
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
        known = ("metric", "unit", "case", "world", "value", "difference", "low", "high")
        return [name for name in self.table.columns if name not in known]

    @property
    def wide(self) -> pd.DataFrame:
        """The table at a glance.

        One row a metric (what it means, its values and differences to the reference by case and
        world), or for a study that varies numbers one row a point and one column a metric.
        """
        from chipmodel.report.tables import wide, wide_points

        if self.study.varies:
            return wide_points(self.table, self.numbers)
        return wide(self.table, self.study.reference is not None)

    def text(self, width: int = 110) -> str:
        """Return the comparison and the finding as text for a terminal."""
        from chipmodel.report.tables import comparison_text, points_text, wrapped

        table = points_text(self.wide, self.numbers, width) if self.study.varies else comparison_text(
            self.table, self.summaries, self.study.reference, width)
        parts = [f"{self.study.name}: {self.study.title}", table]
        parts += [wrapped(sentence, width) for sentence in self.finding]
        parts += ["\n".join([name, *found.lines()]) for name, found in self.verified.items()]
        return "\n\n".join([*parts, *self.notes]) + "\n"


def load_study(name: str, data: Dataset, yes: bool = False) -> Study:
    """Load a study by name from a data package, or from a TOML file, and check it whole.

    Raises
    ------
    InputError
        With every problem found.
    """
    path = find_named(name, data.root / "studies", "study", questions())
    content = read_toml(path)
    try:
        study = from_file(Study, {"name": path.stem, **content})
    except ValidationError as error:
        raise InputError(problems_of(error, path.name)) from None
    if study.table is not None:
        points = file_beside(path, study.table)
        if not is_file(points):
            raise InputError.one(path.name, "table", f"no such file '{study.table}'",
                                 "name a CSV file beside the study")
        study = study.model_copy(update={"table": str(points)})
    plan(study, data, yes)
    return study


def questions() -> list[str]:
    """Return the names of the questions, which can be asked for like studies."""
    from chipmodel.questions import names

    return names()


def list_studies(data: Dataset) -> list[str]:
    """Names of the studies of a data package."""
    return names_in(data.root / "studies")


def run_study(study: Study | str, data: Dataset, out: str | Path | None = None, jobs: int = 1,
              tell: Tell | None = None, yes: bool = False, pool: Pool | None = None,
              verified: bool = False) -> StudyResult:
    """Solve every cell of a study and compare.

    Cells at points of a grid or design are swept: cases that differ in numbers only share one
    compiled programme, are solved in chunks and give metrics only, unless the study keeps tables.

    Parameters
    ----------
    study : Study or str
    data : Dataset
    out : str or Path, optional
        Folder to write ``<study>/comparison.csv``, ``comparison_wide.csv``, the finding with its
        numbers, the figures and, if the study keeps tables, the result folders into. Chunks of a
        sweep lie there as soon as they are done; a study that was stopped goes on from them.
        Nothing is written without it.
    jobs : int
        Processes. The result is the same whatever their number.
    tell : callable, optional
        Called with a `Step` whenever a cell or a chunk is done.
    yes : bool
        Solve more than 10,000 cells.
    pool : Pool, optional
        Where the work is done, instead of `jobs` processes of this machine: a `Cluster`, for one.
    verified : bool
        Solve every cell again by other methods, find the ranges of headline numbers, and write ``ranges.csv``.

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
        raise InputError.one(study.name, "jobs", f"{jobs} is not a number of processes", "use 1 or more")
    if pool is not None and not pool.writes_here and study.keep == "tables":
        raise InputError.one(study.name, "keep", "tables are written where they are solved, not on this machine",
                             "set keep = \"metrics\", or solve it here with --jobs")
    folder = None if out is None else Path(out) / study.name
    if folder is not None:
        prepare(folder)
    pool = pool or pool_of(jobs)
    swept = [cell for cell in known.cells if cell.point and study.keep == "metrics"]
    whole = [cell for cell in known.cells if not (cell.point and study.keep == "metrics")]
    if verified and swept:
        raise InputError.one(study.name, "--verify", "is not for the points of a sweep", "set keep = \"tables\"")
    clock = Clock(len(known.cells), tell)
    clock.begin()
    done = _solved(whole, (data, folder if study.keep == "tables" else None, verified), pool, clock)
    summaries = {cell.name: found.summary for cell, found in zip(whole, done, strict=True)}
    result = replace(
        result_of(study, whole, known.metrics, summaries, data),
        solutions={c.name: d.solution for c, d in zip(whole, done, strict=True) if d.solution is not None},
        written=[d.folder for d in done if d.folder is not None],
        verified={c.name: d.verified for c, d in zip(whole, done, strict=True) if d.verified is not None},
    )
    if swept:
        more, notes = run_chunks(study, swept, known.metrics, summaries, data, folder, pool, clock)
        table = pd.concat([result.table, more], ignore_index=True) if len(result.table) else more
        result = replace(result, table=table, notes=notes)
    return result if folder is None else _write(result, folder)


def result_of(study: Study, cells: list[Cell], names: tuple[str, ...], summaries: dict[str, Summary],
              data: Dataset) -> StudyResult:
    """Return what a study finds in the summaries of its cells, by their names."""
    intervals = Intervals({}) if study.varies else load_intervals(data)
    finding, numbers = _finding(cells, summaries, study, intervals)
    return StudyResult(study, summaries, with_ends(_table(cells, names, summaries, study), intervals), finding, numbers)


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
    folder = None if keep is None else save(solution, keep, verified=checked)
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
    found = _solve(cell, (sent if isinstance(sent, Dataset) else dataset_of(sent), keep, verified))
    return found if whole else replace(found, solution=None)


# -- comparing and writing --------------------------------------------------------------------------


def _table(cells: list[Cell], names: tuple[str, ...], summaries: dict[str, Summary], study: Study) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for cell in cells:
        base = summaries[cell.reference] if cell.reference else None
        rows += metrics.rows(names, summaries[cell.name], base)
    return pd.DataFrame(rows, columns=table_columns(study))


def table_columns(study: Study) -> list[str]:
    """Return the columns of a study's table."""
    numbers = dict.fromkeys(name for point in study.points() for name in point)
    return ["metric", "unit", "case", "world", *numbers, "value", "difference"]


def _finding(cells: list[Cell], summaries: dict[str, Summary],
             study: Study, intervals: Intervals) -> tuple[tuple[str, ...], pd.DataFrame]:
    from chipmodel.report.findings import findings
    from chipmodel.report.findings import table as numbers

    pairs = [] if study.varies else [(summaries[c.name], summaries[c.reference]) for c in cells if c.reference]
    found = findings(pairs, intervals)
    return tuple(one.text for one in found), numbers(found)


def table_csv(table: pd.DataFrame) -> str:
    """Return a table as CSV: nine significant digits, nothing for what is not known, no text that is a formula."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([_cell(name) for name in table.columns])
    for row in table.itertuples(index=False, name=None):
        writer.writerow([_cell(x) for x in row])
    return stream.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, float):
        return "" if value != value else f"{value + 0.0:.9g}"
    return inert(value)


def _write(result: StudyResult, folder: Path) -> StudyResult:
    from chipmodel.report import figures

    files = {"comparison.csv": table_csv(result.table), "comparison_wide.csv": table_csv(result.wide)}
    if result.finding:
        files["finding.txt"] = "\n\n".join(result.finding) + "\n"
        files["finding.csv"] = table_csv(result.finding_table)
    if result.verified:
        files[RANGES] = table_csv(ranges_table(result.verified))
    else:
        (folder / RANGES).unlink(missing_ok=True)  # of other results, for all that is known
    written = list(result.written)
    for name, text in files.items():
        write_whole(folder / name, text)
        written.append(folder / name)
    notes: tuple[str, ...] = ()
    if result.study.figures:
        drawn, notes = figures.draw_all(result.study.figures, list(result.summaries.values()),
                                        result.study.reference, folder)
        written += drawn
    return replace(result, written=written, notes=(*result.notes, *notes))
