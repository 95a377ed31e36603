"""The cells of a study: which case is solved in which world, checked before anything is solved."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import product
from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

from chipmodel import metrics
from chipmodel.case import Case, _changed, load_case
from chipmodel.dataset import Dataset
from chipmodel.errors import InputError, Problem
from chipmodel.files import problems_of
from chipmodel.numbers import build_numbers
from chipmodel.policies.base import Number
from chipmodel.solve import check_case
from chipmodel.summary import Labels
from chipmodel.world import World, load_world

if TYPE_CHECKING:
    from chipmodel.study import Study

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


def plan(study: Study, data: Dataset) -> Plan:
    """Check a study whole and return its cells.

    Raises
    ------
    InputError
        With every problem found.
    """
    file = f"{study.name}.toml"
    problems: list[Problem] = []
    cases = _each(load_case, study.cases, data, problems)
    worlds = _each(load_world, study.worlds, data, problems)
    for what, found in (("case", cases), ("world", worlds)):
        names = [thing.name for thing in found.values()]
        problems += [Problem(file, f"{what}s", f"two have the name '{name}'", "rename one of the two files")
                     for name in sorted({n for n in names if names.count(n) > 1})]
    everywhere, wrong = _worlds(study, worlds, file)
    problems += wrong
    spelled, wrong = _metrics(study, data, [world for world, _ in everywhere])
    problems += wrong + _grid_problems(study, cases, file) + _figure_problems(study, file)
    if problems:
        raise InputError(problems)
    cells: list[Cell] = []
    for world, chosen in everywhere:
        try:
            here = _cells_in(world, chosen, cases, study, file)
            numbers = build_numbers(data, world)
        except InputError as error:
            problems += error.problems
            continue
        for cell in here:
            try:
                check_case(cell.case, numbers)
            except InputError as error:
                problems += error.problems
        cells += here
    if problems:
        raise InputError(problems)
    return Plan(tuple(cells), tuple(spelled))


def _each(load: Callable[[str, Dataset], Named], names: tuple[str, ...], data: Dataset,
          problems: list[Problem]) -> dict[str, Named]:
    found = {}
    for name in names:
        try:
            found[name] = load(name, data)
        except InputError as error:
            problems += error.problems
    return found


def _worlds(study: Study, worlds: dict[str, World],
            file: str) -> tuple[list[tuple[World, tuple[str, ...]]], list[Problem]]:
    found = [(world, study.cases) for world in worlds.values()]
    problems: list[Problem] = []
    for variant in study.variant:
        for name, world in worlds.items():
            try:
                changed = world.with_(**{"name": f"{name}_{variant.name}", **variant.world})
            except ValidationError as error:
                problems += problems_of(error, file, f"variant {variant.name}, world")
                continue
            found.append((changed, variant.cases or study.cases))
    return found, problems


def _metrics(study: Study, data: Dataset, worlds: list[World]) -> tuple[list[str], list[Problem]]:
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
        for world in worlds:
            problems += metric.problems(Labels.of(data, world))
        if metric.family.against and study.reference is None:
            what = "is a difference to a reference case"
            problems.append(Problem("metric", name, what, "give the study a reference"))
    return names, list(dict.fromkeys(problems))


def _figure_problems(study: Study, file: str) -> list[Problem]:
    from chipmodel.report.figures import FIGURES

    problems = [
        Problem(file, "figures", f"unknown figure '{name}'",
                "did you mean " + ", ".join(get_close_matches(name, FIGURES, n=2, cutoff=0.3) or list(FIGURES)) + "?")
        for name in study.figures
        if name not in FIGURES
    ]
    if study.figures and study.reference is None:
        problems.append(Problem(file, "figures", "compare with a reference", "give the study a reference"))
    if study.figures and study.grid:
        problems.append(Problem(file, "figures", "do not go with a grid", "remove one of the two"))
    return problems


def _grid_problems(study: Study, cases: dict[str, Case], file: str) -> list[Problem]:
    problems: list[Problem] = []
    for target, numbers in study.values().items():
        place, (policy_id, _, name) = f"grid {target}", target.partition(".")
        holders = [p for case in cases.values() for p in case.policies if p.id == policy_id]
        if len(set(numbers)) < max(1, len(numbers)) or not numbers:
            problems.append(Problem(file, place, "has no numbers or repeats one", "list each number once"))
        if not holders:
            known = sorted({p.id for case in cases.values() for p in case.policies})
            near = get_close_matches(policy_id, known, n=3, cutoff=0.4) or known or ["none"]
            problems.append(Problem(file, place, f"no case has a policy '{policy_id}'", "ids: " + ", ".join(near)))
        for policy in holders[:1]:
            fields = type(policy).model_fields
            free = [f for f, info in fields.items() if any(isinstance(x, Number) for x in info.metadata)]
            if name not in free:
                problems.append(Problem(file, place, f"{policy.kind} has no number '{name}'",
                                        "numbers: " + (", ".join(free) or "none")))
    return problems


def _cells_in(world: World, chosen: tuple[str, ...], cases: dict[str, Case], study: Study, file: str) -> list[Cell]:
    """Return the cells of a world; the reference stands in it as its file has it, untouched by the grid."""
    base = f"{cases[study.reference].name}--{world.name}" if study.reference else ""
    cells = []
    for name in chosen:
        case = cases[name]
        points = list(_points(case, study))
        if name == study.reference or points == [{}]:
            cells.append(Cell(case, world, {}, base))
        cells += [Cell(_at(case, point, file), world, point, base) for point in points if point]
    return cells


def _points(case: Case, study: Study) -> Iterator[dict[str, float]]:
    """Walk over the points of the grid, in the numbers this case has."""
    ids = {p.id for p in case.policies}
    mine = {k: v for k, v in study.values().items() if k.partition(".")[0] in ids}
    for values in product(*mine.values()):
        yield dict(zip(mine, values, strict=True))


def _at(case: Case, point: dict[str, float], file: str) -> Case:
    name = f"{case.name}[{','.join(f'{k}={v:.9g}' for k, v in point.items())}]"
    return _changed(case, dict(point), file).model_copy(update={"name": name})
