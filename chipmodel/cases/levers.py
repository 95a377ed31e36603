"""The numbers a study varies and the points it takes: grids, lists, tables and space-filling designs.

A number is named by what it belongs to: ``s232.rate`` an instrument's,
``world.demand_shift`` a world's, ``costs[item=capex]`` a factor on the facts of a table
that match (``demand[]`` for all).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from pydantic import ValidationError

from chipmodel.cases.case import Case, _changed
from chipmodel.common.errors import InputError, Problem
from chipmodel.common.toml import problems_of
from chipmodel.model.world import Scale, World
from chipmodel.policies.base import Number

Point = dict[str, float]


FACTS = re.compile(r"^([a-z_]+)\[(.*)\]$")


WORLD_NUMBERS = ("discount_rate", "choke", "demand_shift", "committed")


def of_world(name: str) -> bool:
    """Whether a number belongs to the world rather than to an instrument."""
    return name.partition(".")[0] == "world" or "[" in name


def scale_of(name: str, factor: float) -> Scale:
    """Return the factor on facts that a number such as ``costs[item=capex]`` stands for."""
    match = FACTS.match(name)
    assert match is not None
    where = dict(part.split("=", 1) for part in match[2].split(",") if part)
    return Scale.model_validate({"table": match[1], "where": where, "factor": factor})


def world_at(world: World, point: Point, file: str) -> World:
    """Return a world with some numbers changed.

    Raises
    ------
    InputError
        If a value does not fit.
    """
    fields = {
        name.partition(".")[2]: value
        for name, value in point.items()
        if name.startswith("world.")
    }
    try:
        scales = [scale_of(name, value) for name, value in point.items() if "[" in name]
        changed = world.with_(**fields, scale=(*world.scale, *scales))
    except ValidationError as error:
        raise InputError(
            problems_of(error, file, f"point {point_name(point)}")
        ) from None
    return (
        changed.model_copy(update={"name": f"{world.name}[{point_name(point)}]"})
        if point
        else world
    )


def case_at(case: Case, point: Point, file: str) -> Case:
    """Return a case with some numbers of its instruments changed."""
    if not point:
        return case
    return _changed(case, dict(point), file).model_copy(
        update={"name": f"{case.name}[{point_name(point)}]"}
    )


def point_name(point: Point) -> str:
    """Return a point in one word."""
    return ",".join(f"{name}={value:.9g}" for name, value in point.items())


def problems_of_numbers(
    names: Iterable[str], cases: Sequence[Case], file: str
) -> list[Problem]:
    """Return the numbers that do not exist, with those that are near."""
    problems: list[Problem] = []
    for name in names:
        wrong = _world_problem(name) if of_world(name) else _policy_problem(name, cases)
        if wrong:
            problems.append(Problem(file, f"number {name}", *wrong))
    return problems


def _world_problem(name: str) -> tuple[str, str] | None:
    if "[" not in name:
        field = name.partition(".")[2]
        return (
            None
            if field in WORLD_NUMBERS
            else (
                f"the world has no number '{field}'",
                "numbers: " + ", ".join(WORLD_NUMBERS),
            )
        )
    try:
        scale_of(name, 1.0)
    except (AssertionError, ValueError) as error:
        first = (
            error.errors()[0]["msg"].removeprefix("Value error, ")
            if isinstance(error, ValidationError)
            else ("is no factor on facts")
        )
        return str(first), "write table[column=value,...], such as costs[item=capex]"
    return None


def _policy_problem(name: str, cases: Sequence[Case]) -> tuple[str, str] | None:
    policy_id, _, field = name.partition(".")
    holder = next(
        (p for case in cases for p in case.policies if p.id == policy_id), None
    )
    if holder is None:
        known = sorted({p.id for case in cases for p in case.policies})
        near = get_close_matches(policy_id, known, n=3, cutoff=0.4) or known or ["none"]
        return f"no case has a policy '{policy_id}'", "ids: " + ", ".join(near)
    free = [
        f
        for f, info in type(holder).model_fields.items()
        if any(isinstance(x, Number) for x in info.metadata)
    ]
    if field in free:
        return None
    return f"{holder.kind} has no number '{field}'", "numbers: " + (
        ", ".join(free) or "none"
    )
