"""The numbers that studies and sweeps vary, by name, and cases and worlds at a point.

A number is named by what it belongs to: ``s232.rate`` an instrument's,
``world.demand_shift`` a world's, ``costs[item=capex]`` a factor on the facts of a table
that match (``demand[]`` for all).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from pydantic import ValidationError

from chipmodel.cases.case import Case, changed_case
from chipmodel.cases.describe import number_unit
from chipmodel.common.errors import InputError, Problem
from chipmodel.common.toml import problems_of
from chipmodel.model.world import Scale, World
from chipmodel.policies.base import Policy

Point = dict[str, float]
"""Values of numbers by name."""

FACTS = re.compile(r"^([a-z_]+)\[(.*)\]$")
"""Name of a factor on facts: a table, and conditions in brackets."""

WORLD_NUMBERS = (
    "discount_rate",
    "choke",
    "demand_shift",
    "committed",
    "slip",
    "retirement",
    "congestion",
)


def of_world(name: str) -> bool:
    """Whether a number belongs to the world rather than to an instrument."""
    return name.partition(".")[0] == "world" or "[" in name


def scale_of(name: str, factor: float) -> Scale:
    """Return the factor on facts that a number such as ``costs[item=capex]`` names.

    Raises
    ------
    ValueError
        If the name has another form.
    """
    match = FACTS.match(name)
    if match is None:
        raise ValueError("is not a factor on facts")
    conditions = [part.split("=", 1) for part in match[2].split(",") if part]
    body = {"table": match[1], "where": dict(conditions), "factor": factor}
    return Scale.model_validate(body)


def world_at(world: World, point: Point, file: str) -> World:
    """Return a world with some numbers changed.

    Raises
    ------
    InputError
        If a value does not fit.
    """
    if not point:
        return world
    name = point_name(point)
    fields = {}
    scales = []
    try:
        for number, value in point.items():
            if "[" in number:
                scales.append(scale_of(number, value))
            elif number.startswith("world."):
                fields[number.removeprefix("world.")] = value
        # After the factors of the world, with which they multiply.
        changed = world.with_(**fields, scale=(*world.scale, *scales))
    except ValidationError as error:
        raise InputError(problems_of(error, file, f"point {name}")) from None
    return changed.model_copy(update={"name": f"{world.name}[{name}]"})


def case_at(case: Case, point: Point, file: str) -> Case:
    """Return a case with some numbers of its instruments changed."""
    if not point:
        return case
    changed = changed_case(case, dict(point), file)
    return changed.model_copy(update={"name": f"{case.name}[{point_name(point)}]"})


def point_name(point: Point) -> str:
    """Return the name of a point, without blanks."""
    return ",".join(f"{name}={value:.9g}" for name, value in point.items())


def problems_of_numbers(
    names: Iterable[str], cases: Sequence[Case], file: str
) -> list[Problem]:
    """Return a problem for each number that does not exist, with similar names."""
    problems: list[Problem] = []
    for name in names:
        wrong = _world_problem(name) if of_world(name) else _policy_problem(name, cases)
        if wrong:
            problems.append(Problem(file, f"number {name}", *wrong))
    return problems


def _world_problem(name: str) -> tuple[str, str] | None:
    """Return what is wrong with the name of a number of the world, and the fix."""
    if "[" not in name:
        field = name.partition(".")[2]
        if field in WORLD_NUMBERS:
            return None
        fix = "numbers: " + ", ".join(WORLD_NUMBERS)
        return f"the world has no number '{field}'", fix
    try:
        scale_of(name, 1.0)
    except ValidationError as error:
        # Before ValueError, of which it is a kind.
        what = str(error.errors()[0]["msg"]).removeprefix("Value error, ")
    except ValueError:
        what = "is not a factor on facts"
    else:
        return None
    return what, "write table[column=value,...], such as costs[item=capex]"


def _policy_problem(name: str, cases: Sequence[Case]) -> tuple[str, str] | None:
    """Return what is wrong with the name of an instrument's number, and the fix."""
    policy_id, _, field = name.partition(".")
    policies: dict[str, Policy] = {}
    for case in cases:
        for policy in case.policies:
            policies.setdefault(policy.id, policy)
    holder = policies.get(policy_id)
    if holder is None:
        known = sorted(policies)
        near = get_close_matches(policy_id, known, n=3, cutoff=0.4) or known or ["none"]
        return f"no case has a policy '{policy_id}'", "ids: " + ", ".join(near)
    # Only numbers, whose change leaves the shape of the linear program as it is.
    fields = type(holder).model_fields.items()
    numbers = [field_name for field_name, info in fields if number_unit(info)]
    if field in numbers:
        return None
    fix = "numbers: " + (", ".join(numbers) or "none")
    return f"{holder.kind} has no number '{field}'", fix
