"""The cells of a study: cases in worlds, checked before anything is solved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import TypeVar

from pydantic import ValidationError

from chipmodel.cases.case import Case
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
from chipmodel.common.files import names_in
from chipmodel.common.toml import from_file, problems_of
from chipmodel.dataset.dataset import Dataset
from chipmodel.dataset.rows import FirmRow
from chipmodel.model.world import World
from chipmodel.policies.capacity_linked_quota import CapacityLinkedQuota
from chipmodel.results import metrics
from chipmodel.results.summary import Labels
from chipmodel.studies.definition import FIGURE_NAMES, Study, read_study
from chipmodel.studies.inputs import Inputs

MOST_CELLS = 10_000
"""Cells a study may have unless its user asks for more."""

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
        """Case and world joined, as in the names of files."""
        return f"{self.case.name}--{self.world.name}"

    @property
    def label(self) -> str:
        """Case and world as text."""
        return f"{self.case.name} in {self.world.name}"


@dataclass(frozen=True)
class Plan:
    """Every cell of a study, and its metrics with ``*`` and ``LAST`` expanded."""

    cells: tuple[Cell, ...]
    metrics: tuple[str, ...]


def plan(
    study: Study, data: Dataset, yes: bool = False, inputs: Inputs | None = None
) -> Plan:
    """Check a study whole and return its cells.

    Parameters
    ----------
    study : Study
    data : Dataset
    yes : bool
        Take a study of more than 10,000 cells.
    inputs : Inputs, optional
        Those of `data`, if some are loaded already.

    Raises
    ------
    InputError
        With every problem found.
    """
    inputs = inputs or Inputs(data)
    file = f"{study.name}.toml"
    problems: list[Problem] = []
    cases = _load_each(inputs.case, study.cases, "cases", file, problems)
    worlds = _load_each(inputs.world, study.worlds, "worlds", file, problems)
    problems += _same_names("case", cases.values(), file)
    problems += _same_names("world", worlds.values(), file)
    worlds_and_cases, wrong_variants = _worlds(study, worlds, file)
    problems += wrong_variants
    all_worlds = [world for world, _ in worlds_and_cases]
    names, wrong_metrics = _metrics(study, data, all_worlds, list(cases.values()))
    for problem in wrong_metrics:
        place = f"{problem.file} {problem.place}"
        problems.append(replace(problem, file=file, place=place))
    points, wrong_points = _points_of(study, cases, file)
    problems += wrong_points + _figure_problems(study, file)
    pairs = sum(len(chosen) for _, chosen in worlds_and_cases)
    # An upper bound: a case without the numbers of a point is solved once for all. The
    # cells themselves are not made before the study is known to be of a sensible size.
    count = pairs * max(len(points), 1)
    if count > MOST_CELLS and not yes:
        problems.append(
            Problem(
                file,
                "grid",
                f"makes up to {count:,} cells",
                f"make it smaller; more than {MOST_CELLS:,} must be asked for (--yes)",
            )
        )
    if problems:
        raise InputError(problems)
    cells: list[Cell] = []
    for world, chosen in worlds_and_cases:
        try:
            cells_here = _cells_in(world, chosen, cases, study, points, file)
        except InputError as error:
            problems += error.problems
            continue
        problems += _misfits(cells_here, inputs)
        cells += cells_here
    if problems:
        raise InputError(problems)
    return Plan(tuple(cells), tuple(names))


def _misfits(cells: list[Cell], inputs: Inputs) -> list[Problem]:
    """Return the problems of cases that do not fit the data, each once."""
    problems: dict[Problem, None] = {}
    for cell in cells:
        try:
            check_case(cell.case, inputs.parameters_before_events(cell.world))
        except InputError as error:
            problems.update(dict.fromkeys(error.problems))
    return list(problems)


def _load_each(
    load: Callable[[str], Named],
    names: tuple[str, ...],
    key: str,
    file: str,
    problems: list[Problem],
) -> dict[str, Named]:
    """Load what a study names under a key; add the problems found to `problems`."""
    loaded: dict[str, Named] = {}
    for name in names:
        try:
            loaded[name] = load(name)
        except InputError as error:
            for problem in error.problems:
                problems.append(_of_study(problem, name, key, file))
    return loaded


def _same_names(what: str, loaded: Iterable[Case | World], file: str) -> list[Problem]:
    """Return the problems of two files of one name, in different folders."""
    counts = Counter(thing.name for thing in loaded)
    problems = []
    for name in sorted(counts):
        if counts[name] > 1:
            named_twice = f"two have the name '{name}'"
            fix = "rename one of the two files"
            problems.append(Problem(file, f"{what}s", named_twice, fix))
    return problems


def _of_study(problem: Problem, name: str, key: str, file: str) -> Problem:
    """Return a problem as one of the study, if it is about a name the study gives.

    A problem inside a file of a case or world stays one of that file.
    """
    if problem.file == "case":  # of a sum with an empty name
        return replace(problem, file=file, place=f"{key} '{name}'")
    if problem.file in (name, *name.split("+")):
        return replace(problem, file=file, place=f"{key} '{problem.file}'")
    return problem


def _worlds(
    study: Study, worlds: dict[str, World], file: str
) -> tuple[list[tuple[World, tuple[str, ...]]], list[Problem]]:
    """Return the worlds of a study and of its variants, each with its cases."""
    worlds_and_cases = [(world, study.cases) for world in worlds.values()]
    problems: list[Problem] = []
    for variant in study.variant:
        for name, world in worlds.items():
            new_name = f"{name}_{variant.name}"
            fields = {**world.model_dump(), "name": new_name, **variant.world}
            try:
                changed = from_file(World, fields)
            except ValidationError as error:
                problems += problems_of(error, file, f"variant {variant.name}, world")
                continue
            worlds_and_cases.append((changed, variant.cases or study.cases))
    return worlds_and_cases, problems


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
        problems += _unknown_subjects(metric, data, cases)
        # A year may be reported in one world and not in another.
        for world in worlds:
            problems += metric.problems(Labels.of(data, world))
        if metric.family.against and study.reference is None:
            what = "is a difference to a reference case"
            problems.append(Problem("metric", name, what, "give the study a reference"))
    return names, list(dict.fromkeys(problems))


def _unknown_subjects(
    metric: metrics.Metric, data: Dataset, cases: list[Case]
) -> list[Problem]:
    """Return the problems of a metric about a policy or firm that does not exist."""
    quotas = set()
    for case in cases:
        for policy in case.policies:
            if isinstance(policy, CapacityLinkedQuota):
                quotas.add(policy.id)
    subjects = (
        ("policy", "no case has a capacity-linked quota", sorted(quotas)),
        ("firm", "unknown firm", [row.firm for row in data.rows(FirmRow)]),
    )
    problems = []
    for kind, what, known in subjects:
        name = metric.given.get(kind)
        if name not in (None, metrics.ALL, *known):
            fix = "known: " + (", ".join(known) or "none")
            problems.append(Problem("metric", metric.name, f"{what} '{name}'", fix))
    return problems


def _figure_problems(study: Study, file: str) -> list[Problem]:
    problems = []
    for name in study.figures:
        if name not in FIGURE_NAMES:
            near = get_close_matches(name, FIGURE_NAMES, n=2, cutoff=0.3)
            fix = f"did you mean {', '.join(near or FIGURE_NAMES)}?"
            problems.append(Problem(file, "figures", f"unknown figure '{name}'", fix))
    if study.figures and study.reference is None:
        fix = "give the study a reference"
        problems.append(Problem(file, "figures", "compare with a reference", fix))
    if study.figures and study.varies:
        fix = "remove one of the two"
        problems.append(Problem(file, "figures", "do not go with a grid", fix))
    return problems


def _points_of(
    study: Study, cases: dict[str, Case], file: str
) -> tuple[list[Point], list[Problem]]:
    """Return the points of a study, and what is wrong with them."""
    try:
        points = study.points()
    except InputError as error:
        return [], list(error.problems)
    names: dict[str, None] = {}
    for point in points:
        names.update(dict.fromkeys(point))
    problems = problems_of_numbers(names, list(cases.values()), file)
    if study.varies and not points:
        fix = "give every number at least one value"
        problems.append(Problem(file, "grid", "has no points", fix))
    seen: set[tuple[tuple[str, float], ...]] = set()
    for point in points:
        values = tuple(point.items())
        if values in seen:
            place = f"point {point_name(point)}"
            problems.append(
                Problem(file, place, "repeats one before it", "list each point once")
            )
        seen.add(values)
    return points, problems


def _cells_in(
    world: World,
    chosen: tuple[str, ...],
    cases: dict[str, Case],
    study: Study,
    points: list[Point],
    file: str,
) -> list[Cell]:
    """Return the cells of a world; those of one point of the world are together.

    The reference is solved once in each world, whatever the numbers of policies.
    """
    # Numbers of policies, by those of the world that go with them.
    by_world: dict[tuple[tuple[str, float], ...], list[Point]] = {}
    for point in points or [{}]:
        of_the_world: Point = {}
        of_policies: Point = {}
        for number, value in point.items():
            part = of_the_world if of_world(number) else of_policies
            part[number] = value
        by_world.setdefault(tuple(of_the_world.items()), []).append(of_policies)
    reference = None
    if study.reference is not None:
        reference = cases[study.reference]
    cells: list[Cell] = []
    for values, policy_points in by_world.items():
        world_point = dict(values)
        changed_world = world_at(world, world_point, file)
        base = ""
        if reference is not None:
            base = f"{reference.name}--{changed_world.name}"
            if study.reference in chosen:
                cells.append(Cell(reference, changed_world, world_point, base))
        for name in chosen:
            for case_point in _points_of_case(cases[name], policy_points):
                # The reference itself is a cell already.
                if case_point or name != study.reference:
                    case = case_at(cases[name], case_point, file)
                    point = {**world_point, **case_point}
                    cells.append(Cell(case, changed_world, point, base))
    return cells


def _points_of_case(case: Case, points: list[Point]) -> list[Point]:
    """Return the numbers of points that a case has, each combination once."""
    ids = {policy.id for policy in case.policies}
    different: dict[tuple[tuple[str, float], ...], Point] = {}
    for point in points:
        of_case = {}
        for number, value in point.items():
            policy, _, _ = number.partition(".")
            if policy in ids:
                of_case[number] = value
        different.setdefault(tuple(of_case.items()), of_case)
    return list(different.values())


def load_study(
    name: str, data: Dataset, yes: bool = False, others: Sequence[str] = ()
) -> Study:
    """Load a study by name from a data package, or from a TOML file, and check it.

    Parameters
    ----------
    name : str
    data : Dataset
    yes : bool
        Take a study of more than 10,000 cells.
    others : sequence of str
        Other names the user could mean, for the message about an unknown one.

    Raises
    ------
    InputError
        With every problem found.
    """
    study = read_study(name, data, others)
    plan(study, data, yes)
    return study


def list_studies(data: Dataset) -> list[str]:
    """Return the names of the studies of a data package."""
    return names_in(data.root / "studies")
