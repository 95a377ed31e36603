"""Every field of every instrument: lists, rates and pairs of places.

What is empty, next to zero or refers to itself is refused with a fix, or solved. The
fields are read from the models, so a new instrument is covered by being there.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from fitted import KINDS, companions, fitted
from helpers import TWO, copy_two, drop, world_of
from paper import ONE_SEGMENT

from chipmodel import Case, Dataset, InputError, Tariff, load_dataset, run
from chipmodel.cases.check import check_case
from chipmodel.cases.describe import case_lines, describe_case, number_unit
from chipmodel.cases.diff import changed_lines, differences
from chipmodel.cases.instruments import read_instruments
from chipmodel.common.errors import NoOptimum, Problem
from chipmodel.common.ids import ALL, REGION_PATTERN
from chipmodel.model.lp.compile import compile_program
from chipmodel.model.lp.program import write
from chipmodel.model.parameters.build import build_parameters
from chipmodel.policies.base import Policy
from chipmodel.policies.support import Support

TWO_REGIONS = load_dataset(TWO)

NO_POLICY = Case(name="no_policy")


@lru_cache(maxsize=1)
def small() -> Dataset:
    """One segment of the two regions, for tests that solve many times."""
    with tempfile.TemporaryDirectory() as folder:
        others = [drop(table, segment="memo") for table in ("place_residual", "yields")]
        return load_dataset(copy_two(Path(folder) / "small", *ONE_SEGMENT, *others))


def case_of(body: dict[str, Any], data: Dataset) -> tuple[Case, list[Problem]]:
    """Return a case of an instrument, and what is wrong with it."""
    entries = [body, *companions(body["kind"])]
    policies, problems = read_instruments("case.toml", entries, data)
    if problems:
        return NO_POLICY, problems
    case = Case(name="case", policies=tuple(policies))
    try:
        check_case(case, build_parameters(data, world_of(data)))
    except InputError as error:
        return case, list(error.problems)
    return case, []


def lists_of_names() -> Iterator[tuple[str, str]]:
    """Return every field of every instrument that lists names."""
    for kind in KINDS:
        for field, info in Policy.kinds[kind].model_fields.items():
            if info.annotation == tuple[str, ...]:
                yield kind, field


@pytest.mark.parametrize(("kind", "field"), list(lists_of_names()))
def test_a_list_of_names_names_something(kind: str, field: str) -> None:
    """An empty list, a name twice, and 'all' beside a name are refused with a fix."""
    default = Policy.kinds[kind].model_fields[field].default
    names = fitted(kind).get(field, ["AAA"])
    wrong = {"twice": [*names, names[0]], "all": ["all", *names]}
    if default != ():
        wrong["empty"] = []
    if default != ALL:
        wrong["all alone"] = ["all"]
    for how, value in wrong.items():
        _, problems = case_of({**fitted(kind), field: value}, TWO_REGIONS)
        assert problems, (how, value)
        for problem in problems:
            assert problem.fix
            offered = problem.fix.replace(",", " ").split()
            assert "all" not in offered or how == "empty", "it offers what it refused"


def numbers() -> Iterator[tuple[str, str]]:
    """Return every number of every instrument that a study may vary."""
    for kind in KINDS:
        for field, info in Policy.kinds[kind].model_fields.items():
            if number_unit(info):
                yield kind, field


FORMS: dict[tuple[str, str], dict[str, Any]] = {
    ("capacity_mandate", "share"): {
        "kwpm": None,
        "world_capacity": [[2026, 200], [2030, 300]],
    },
    ("capex_grant", "share"): {"form": "award", "budget": None},
    ("capex_grant", "rate"): {"form": "marginal"},
    ("export_control", "quota"): {"input": None, "share": None, "on": "chips"},
    ("export_control", "price_cap"): {"input": None, "on": "chips"},
    ("soft_finance", "grant_equivalent"): {"rate_gap": None},
}
"""What else a number needs."""

LOSS = {
    "id": "loss",
    "region": "AAA",
    "segments": ("all",),
    "years": (2028, 2029),
    "depth": 0.5,
    "source": "own",
}


@pytest.mark.parametrize(("kind", "field"), list(numbers()))
@pytest.mark.parametrize("value", [0.0, 1e-15, 1e-9])
def test_a_number_next_to_zero_is_solved_or_refused(
    kind: str, field: str, value: float
) -> None:
    """Whatever is solved passes its certificate, with a loss of output as well."""
    body = {**fitted(kind), **FORMS.get((kind, field), {}), field: value}
    if kind == "capex_grant" and field == "budget":
        body["rate"] = None
    body = {key: entry for key, entry in body.items() if entry is not None}
    body.pop("segments", None)
    case, problems = case_of(body, small())
    if problems:
        assert all(problem.fix for problem in problems)
        return
    world = world_of(small(), horizon=2029, event=[LOSS])
    try:
        solution = run(small(), case, world)
    except NoOptimum as error:
        # A rule without a fine may ask for what cannot be.
        if error.status != "infeasible":
            raise
        return
    assert solution.optimum.certificate.worst < 1e-6
    assert math.isfinite(solution.objective)


LISTS_OF_REGIONS = (
    "capped",
    "countries",
    "exempt",
    "homes",
    "members",
    "origins",
    "trusted",
)

CHOICES: dict[bool, tuple[Any, ...]] = {
    False: ("AAA", "BBB"),
    True: (["AAA"], ["BBB"], ["AAA", "BBB"]),
}
"""Values of a field of one region, and of a field of several."""


def places(kind: str) -> Iterator[dict[str, Any]]:
    """Return an instrument with every combination of places."""
    fields = {}
    for field, info in Policy.kinds[kind].model_fields.items():
        patterns = [getattr(mark, "pattern", None) for mark in info.metadata]
        if REGION_PATTERN in patterns or field in LISTS_OF_REGIONS:
            may_be_empty = info.default == ()
            none = ([],) if may_be_empty else ()
            fields[field] = (*none, *CHOICES[field in LISTS_OF_REGIONS])
    for chosen in product(*fields.values()):
        yield {**fitted(kind), **dict(zip(fields, chosen, strict=True))}


@pytest.mark.parametrize("kind", KINDS)
def test_places_that_are_accepted_have_an_effect(kind: str) -> None:
    """An instrument on places it cannot act on, such as itself, is refused."""
    parameters = build_parameters(TWO_REGIONS, world_of(TWO_REGIONS))
    accepted = 0
    for body in places(kind):
        case, problems = case_of(body, TWO_REGIONS)
        if problems:
            assert all(problem.fix for problem in problems)
            continue
        accepted += 1
        assert case_lines(describe_case(case, parameters))
        assert changed_lines(differences(NO_POLICY, case))
        policy = case.policies[0]
        # Support of firms that can build nothing there is listed with no build.
        pays_nobody = isinstance(policy, Support) and not policy.eligible(parameters)
        # So is a duty that exempts every origin, without the amount of the duty.
        exempts_all = isinstance(policy, Tariff) and not policy.derived(parameters)
        if policy.needs_search or pays_nobody or exempts_all:
            continue
        program = compile_program(write(parameters, case.policies))
        rows = {group.policy for group in program.labels.groups.values()}
        lines = {line.policy for line in program.labels.lines}
        assert policy.id in rows | lines, body
    assert accepted
