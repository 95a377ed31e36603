"""The cells of a study: which case is solved in which world, checked before anything is solved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import TypeVar

from pydantic import ValidationError

from chipmodel.cases.case import Case, load_case
from chipmodel.cases.check import check_case
from chipmodel.cases.levers import (
    Point,
    case_at,
    of_world,
    point_name,
    problems_of_numbers,
    world_at,
)
from chipmodel.common.errors import InputError, Problem
from chipmodel.common.files import file_beside, find_named, is_file, names_in
from chipmodel.common.toml import from_file, problems_of, read_toml
from chipmodel.dataset.dataset import Dataset
from chipmodel.dataset.rows import FirmRow
from chipmodel.model.parameters.build import build_parameters
from chipmodel.model.world import World, load_world
from chipmodel.policies.capacity_linked_quota import CapacityLinkedQuota
from chipmodel.results import metrics
from chipmodel.results.summary import Labels
from chipmodel.studies.definition import Study

MOST = 10_000
"""Cells a study may have unless its user says yes."""


Named = TypeVar("Named", Case, World)


@dataclass(frozen=True)
class Cell:
    """One solve of a study.

    Attributes
    ----------
    point : dict
        Numbers of the grid it was made with.
    reference : str
        Name of the cell it is compared with; empty if there is none.
    """

    case: Case
    world: World
    point: dict[str, float] = field(default_factory=dict)
    reference: str = ""

    @property
    def name(self) -> str:
        """Case and world in one word."""
        return f"{self.case.name}--{self.world.name}"

    @property
    def label(self) -> str:
        """Case and world in words."""
        return f"{self.case.name} in {self.world.name}"


@dataclass(frozen=True)
class Plan:
    """Every cell of a study, and its metrics spelled out."""

    cells: tuple[Cell, ...]
    metrics: tuple[str, ...]


def plan(study: Study, data: Dataset, yes: bool = False) -> Plan:
    """Check a study whole and return its cells; more than 10,000 only if its user says yes.

    Raises
    ------
    InputError
        With every problem found.
    """
    file = f"{study.name}.toml"
    problems: list[Problem] = []
    cases = _each(load_case, study.cases, "cases", data, file, problems)
    worlds = _each(load_world, study.worlds, "worlds", data, file, problems)
    for what, found in (("case", cases), ("world", worlds)):
        names = [thing.name for thing in found.values()]
        problems += [
            Problem(
                file,
                f"{what}s",
                f"two have the name '{name}'",
                "rename one of the two files",
            )
            for name in sorted({n for n in names if names.count(n) > 1})
        ]
    everywhere, wrong = _worlds(study, worlds, file)
    problems += wrong
    spelled, wrong = _metrics(
        study, data, [world for world, _ in everywhere], list(cases.values())
    )
    wrong = [replace(p, file=file, place=f"{p.file} {p.place}") for p in wrong]
    points, unfit = _points_of(study, cases, file)
    problems += wrong + unfit + _figure_problems(study, file)
    count = len(points or [{}]) * sum(len(chosen) for _, chosen in everywhere)
    if count > MOST and not yes:
        problems.append(
            Problem(
                file,
                "grid",
                f"makes up to {count:,} cells",
                f"make it smaller; more than {MOST:,} must be asked for (--yes)",
            )
        )
    if problems:
        raise InputError(problems)
    cells: list[Cell] = []
    for world, chosen in everywhere:
        try:
            here = _cells_in(world, chosen, cases, study, points, file)
        except InputError as error:
            problems += error.problems
            continue
        problems += _misfits(here, data)
        cells += here
    if problems:
        raise InputError(problems)
    return Plan(tuple(cells), tuple(spelled))


def _misfits(cells: list[Cell], data: Dataset) -> list[Problem]:
    """Return what of the cases does not fit the data."""
    found: dict[Problem, None] = {}
    world, parameters = None, None
    for cell in cells:
        try:
            if parameters is None or cell.world is not world:
                world, parameters = cell.world, build_parameters(data, cell.world)
            check_case(cell.case, parameters)
        except InputError as error:
            found.update(dict.fromkeys(error.problems))
    return list(found)


def _each(
    load: Callable[[str, Dataset], Named],
    names: tuple[str, ...],
    key: str,
    data: Dataset,
    file: str,
    problems: list[Problem],
) -> dict[str, Named]:
    """Load what a study names under a key; a name that leads nowhere is a problem of the study."""
    found: dict[str, Named] = {}
    for name in names:
        try:
            found[name] = load(name, data)
        except InputError as error:
            problems += [_of_study(p, name, key, file) for p in error.problems]
    return found


def _of_study(problem: Problem, name: str, key: str, file: str) -> Problem:
    """Return a problem as one of the study, if it is about a name the study gives and not about a file."""
    if problem.file == "case":  # of a sum with an empty name
        return replace(problem, file=file, place=f"{key} '{name}'")
    lost = problem.file in (name, *name.split("+"))
    return (
        replace(problem, file=file, place=f"{key} '{problem.file}'")
        if lost
        else problem
    )


def _worlds(
    study: Study, worlds: dict[str, World], file: str
) -> tuple[list[tuple[World, tuple[str, ...]]], list[Problem]]:
    found = [(world, study.cases) for world in worlds.values()]
    problems: list[Problem] = []
    for variant in study.variant:
        for name, world in worlds.items():
            try:
                changed = from_file(
                    World,
                    {
                        **world.model_dump(),
                        "name": f"{name}_{variant.name}",
                        **variant.world,
                    },
                )
            except ValidationError as error:
                problems += problems_of(error, file, f"variant {variant.name}, world")
                continue
            found.append((changed, variant.cases or study.cases))
    return found, problems


def _metrics(
    study: Study, data: Dataset, worlds: list[World], cases: list[Case]
) -> tuple[list[str], list[Problem]]:
    if not worlds:
        return [], []
    names = metrics.expand(study.metrics, Labels.of(data, worlds[0]))
    problems: list[Problem] = []
    for name in names:
        try:
            metric = metrics.parse(name)
        except InputError as error:
            problems += error.problems
            continue
        problems += _unheld(metric, data, cases)
        for world in worlds:
            problems += metric.problems(Labels.of(data, world))
        if metric.family.against and study.reference is None:
            what = "is a difference to a reference case"
            problems.append(Problem("metric", name, what, "give the study a reference"))
    return names, list(dict.fromkeys(problems))


def _unheld(metric: metrics.Metric, data: Dataset, cases: list[Case]) -> list[Problem]:
    """Return the problem of a metric about an instrument that no case has, or a firm that is not in the data."""
    known = {
        "policy": sorted(
            {
                p.id
                for case in cases
                for p in case.policies
                if isinstance(p, CapacityLinkedQuota)
            }
        ),
        "firm": [row.firm for row in data.rows(FirmRow)],
    }
    return [
        Problem(
            "metric",
            metric.name,
            (
                f"no case has a capacity-linked quota '{value}'"
                if kind == "policy"
                else f"unknown firm '{value}'"
            ),
            "known: " + (", ".join(names) or "none"),
        )
        for kind, names in known.items()
        if (value := metric.given.get(kind)) not in (None, metrics.ALL, *names)
    ]


def _figure_problems(study: Study, file: str) -> list[Problem]:
    from chipmodel.display.figures import FIGURES

    problems = [
        Problem(
            file,
            "figures",
            f"unknown figure '{name}'",
            "did you mean "
            + ", ".join(
                get_close_matches(name, FIGURES, n=2, cutoff=0.3) or list(FIGURES)
            )
            + "?",
        )
        for name in study.figures
        if name not in FIGURES
    ]
    if study.figures and study.reference is None:
        problems.append(
            Problem(
                file,
                "figures",
                "compare with a reference",
                "give the study a reference",
            )
        )
    if study.figures and study.varies:
        problems.append(
            Problem(file, "figures", "do not go with a grid", "remove one of the two")
        )
    return problems


def _points_of(
    study: Study, cases: dict[str, Case], file: str
) -> tuple[list[Point], list[Problem]]:
    """Return the points of a study, checked."""
    try:
        points = study.points()
    except InputError as error:
        return [], list(error.problems)
    names = dict.fromkeys(name for point in points for name in point)
    problems = problems_of_numbers(names, list(cases.values()), file)
    if study.varies and not points:
        problems.append(
            Problem(
                file, "grid", "has no points", "give every number at least one value"
            )
        )
    seen: set[tuple[tuple[str, float], ...]] = set()
    for point in points:
        if tuple(point.items()) in seen:
            place = f"point {point_name(point)}"
            problems.append(
                Problem(file, place, "repeats one before it", "list each point once")
            )
        seen.add(tuple(point.items()))
    return points, problems


def _cells_in(
    world: World,
    chosen: tuple[str, ...],
    cases: dict[str, Case],
    study: Study,
    points: list[Point],
    file: str,
) -> list[Cell]:
    """Return the cells of a world, those of one point of the world together.

    The reference stands in every world as its file has it, untouched by the numbers of
    instruments.
    """
    cells: list[Cell] = []
    units: dict[tuple[tuple[str, float], ...], list[Point]] = {}
    for point in points or [{}]:
        of_the_world = {k: v for k, v in point.items() if of_world(k)}
        units.setdefault(tuple(of_the_world.items()), []).append(
            {k: v for k, v in point.items() if not of_world(k)}
        )
    for part, rest in units.items():
        there = world_at(world, dict(part), file)
        base = f"{cases[study.reference].name}--{there.name}" if study.reference else ""
        if study.reference and study.reference in chosen:
            cells.append(Cell(cases[study.reference], there, dict(part), base))
        for name in chosen:
            ids = {p.id for p in cases[name].policies}
            mine = (
                {k: v for k, v in point.items() if k.partition(".")[0] in ids}
                for point in rest
            )
            for point in {tuple(own.items()): own for own in mine}.values():
                if point or name != study.reference:
                    cells.append(
                        Cell(
                            case_at(cases[name], point, file),
                            there,
                            {**dict(part), **point},
                            base,
                        )
                    )
    return cells


def load_study(
    name: str, data: Dataset, yes: bool = False, others: Sequence[str] = ()
) -> Study:
    """Load a study by name from a data package, or from a TOML file, and check it whole.

    Parameters
    ----------
    name : str
    data : Dataset
    yes : bool
        Take a study of more than 10,000 cells.
    others : sequence of str
        What else could have been meant, for the error of a name that is not known.

    Raises
    ------
    InputError
        With every problem found.
    """
    path = find_named(name, data.root / "studies", "study", list(others))
    content = read_toml(path)
    try:
        study = from_file(Study, {"name": path.stem, **content})
    except ValidationError as error:
        raise InputError(problems_of(error, path.name)) from None
    if study.table is not None:
        points = file_beside(path, study.table)
        if not is_file(points):
            raise InputError.one(
                path.name,
                "table",
                f"no such file '{study.table}'",
                "name a CSV file beside the study",
            )
        study = study.model_copy(update={"table": str(points)})
    plan(study, data, yes)
    return study


def list_studies(data: Dataset) -> list[str]:
    """Names of the studies of a data package."""
    return names_in(data.root / "studies")
