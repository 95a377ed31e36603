"""Sense checks across tables.

Each returns the problems it finds; `CHECKS` is the registry.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from itertools import pairwise
from typing import Any

from chipmodel.common.errors import Problem
from chipmodel.dataset.fields import Row
from chipmodel.dataset.rows import ParameterRow, regional_pool

Tables = Mapping[str, tuple[Row, ...]]


Check = Callable[[Tables], list[Problem]]


CHECKS: list[Check] = []


NEVER_EMPTY = (
    "regions",
    "segments",
    "firms",
    "fleets",
    "route_steps",
    "device_steps",
    "sources",
)


class _Unread(Exception):
    """A table a check needs has faults of its own."""


def check(function: Check) -> Check:
    """Register a check; it is left out when a table it needs has faults of its own."""

    @wraps(function)
    def guarded(tables: Tables) -> list[Problem]:
        try:
            return function(tables)
        except _Unread:
            return []

    CHECKS.append(guarded)
    return guarded


def _rows(tables: Tables, name: str) -> Iterable[Any]:
    if name not in tables:
        raise _Unread(name)
    return tables[name]


def _ids(tables: Tables, name: str, column: str) -> list[str]:
    return [getattr(row, column) for row in _rows(tables, name)]


@check
def enough_sets(tables: Tables) -> list[Problem]:
    """There is at least one region and one segment."""
    return [
        Problem(f"{name}.csv", "file", "has no rows", "add at least one")
        for name in NEVER_EMPTY
        if not tables.get(name, ("faulty",))
    ]


@check
def one_leading_segment(tables: Tables) -> list[Problem]:
    """Exactly one segment is that of leading-edge chips."""
    segments = list(_rows(tables, "segments"))
    leading = [row.segment for row in segments if row.leading]
    if len(leading) == 1 or not segments:
        return []
    what = f"is true for {', '.join(leading)}" if leading else "is true for no segment"
    return [
        Problem(
            "segments.csv", "leading", what, "write true for one segment, else false"
        )
    ]


@check
def shares_sum_to_one(tables: Tables) -> list[Problem]:
    """Shares of one whole sum to one within 1e-6."""
    wholes = {
        "demand_location": ("criterion",),
        "input_supply": ("input",),
        "expansion": ("base_year", "segment"),
    }
    problems = []
    for name, by in wholes.items():
        if name not in tables:
            continue
        total: dict[tuple[str, ...], float] = defaultdict(float)
        for row in _rows(tables, name):
            total[tuple(getattr(row, k) for k in by)] += row.value
        for key, value in total.items():
            if abs(value - 1) > 1e-6:
                place = ", ".join(f"{k}={v}" for k, v in zip(by, key, strict=True))
                problems.append(
                    Problem(
                        f"{name}.csv",
                        place,
                        f"shares sum to {value:.6g}",
                        "make them sum to 1",
                    )
                )
    return problems


@check
def complete(tables: Tables) -> list[Problem]:
    """Every number the model needs is there: nothing is filled in silently."""
    regions, segments, inputs, steps = (
        _ids(tables, name, column) if name in tables else []
        for name, column in (
            ("regions", "region"),
            ("segments", "segment"),
            ("inputs", "input"),
            ("device_steps", "step"),
        )
    )
    needed: dict[str, tuple[tuple[str, ...], list[tuple[object, ...]]]] = {
        "costs": (
            ("segment", "item"),
            [(s, i) for s in segments for i in ("capex", "running", "inputs")],
        ),
        "cost_factors": (
            ("region", "item"),
            [(r, i) for r in regions for i in ("building", "running", "place")],
        ),
        "construction": (
            ("region", "item"),
            [(r, i) for r in regions for i in ("permit", "build")],
        ),
        "prices": (
            ("segment", "item"),
            [(s, i) for s in segments for i in ("reference", "customs_share")],
        ),
        "operation": (
            ("segment", "item"),
            [(s, i) for s in segments for i in ("u_base", "u_min", "u_max")],
        ),
        "elasticities": (
            ("segment", "item"),
            [*((s, "demand") for s in segments), ("all", "substitution")],
        ),
        "demand_location": (
            ("criterion", "region"),
            [(c, r) for c in ("maker", "user") for r in regions],
        ),
        "freight": (("leg",), [("domestic",), ("international",)]),
        "input_facts": (
            ("input", "item"),
            [(j, i) for j in inputs for i in ("slack", "replacement", "premium")],
        ),
        "parameters": (("parameter",), [(p,) for p in ParameterRow.units]),
        "device_steps": (
            ("step", "item"),
            [(k, i) for k in sorted(set(steps)) for i in ("width", "premium")],
        ),
        "assembly_costs": (
            ("package", "item"),
            [
                ("standard", "capex"),
                ("standard", "running"),
                ("advanced", "capex"),
                ("advanced", "running"),
                ("all", "lead"),
            ],
        ),
        "assembly_recipes": (
            ("segment", "package"),
            [(s, "standard") for s in segments],
        ),
    }
    problems = []
    for name, (by, keys) in needed.items():
        if name not in tables:
            continue
        have = {tuple(getattr(row, k) for k in by) for row in _rows(tables, name)}
        problems += [
            Problem(
                f"{name}.csv",
                ", ".join(map(str, key)),
                "row is missing",
                "add the row, with its source",
            )
            for key in keys
            if key not in have
        ]
    return problems


@check
def utilisation_in_order(tables: Tables) -> list[Problem]:
    """u_min <= u_base <= u_max for every segment."""
    use: dict[str, dict[str, float]] = defaultdict(dict)
    for row in _rows(tables, "operation"):
        use[row.segment][row.item] = row.value
    return [
        Problem(
            "operation.csv",
            segment,
            "u_min, u_base and u_max are out of order",
            "make u_min <= u_base <= u_max",
        )
        for segment, u in use.items()
        if len(u) == 3 and not 0 < u["u_min"] <= u["u_base"] <= u["u_max"]
    ]


@check
def demand_without_gaps(tables: Tables) -> list[Problem]:
    """Growth periods of a segment follow each other without gap or overlap."""
    periods: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for row in _rows(tables, "demand"):
        periods[row.segment].append((row.year_from, row.year_to))
    problems = []
    for segment in _ids(tables, "segments", "segment"):
        spans = sorted(periods.get(segment, []))
        if not spans:
            problems.append(
                Problem("demand.csv", segment, "no growth is given", "add its periods")
            )
        for (start, end), (following, _) in pairwise(spans):
            if end < start or following != end + 1:
                what = f"period to {end} is followed by one from {following}"
                problems.append(
                    Problem(
                        "demand.csv",
                        segment,
                        what,
                        "let each period start the year after the last",
                    )
                )
    return problems


@check
def assembly_routes_lead_somewhere(tables: Tables) -> list[Problem]:
    """Every region can have its wafers packaged somewhere."""
    routes = set(_ids(tables, "assembly_routes", "region"))
    return [
        Problem(
            "assembly_routes.csv",
            region,
            "has no route to a packaging place",
            "add one",
        )
        for region in _ids(tables, "regions", "region")
        if region not in routes
    ]


@check
def packaging_projects_have_years(tables: Tables) -> list[Problem]:
    """A packaging project has a first year; running plants and free places have none."""
    return [
        Problem(
            "assembly.csv",
            row.site,
            f"earliest is {row.earliest} for a {row.kind}",
            "only projects have a year",
        )
        for row in _rows(tables, "assembly")
        if (row.kind == "project") != (row.earliest is not None)
    ]


@check
def holders_are_known(tables: Tables) -> list[Problem]:
    """A budget belongs to a firm or to the pool of a region."""
    known = set(_ids(tables, "firms", "firm")) | {
        regional_pool(r) for r in _ids(tables, "regions", "region")
    }
    return [
        Problem(
            "budgets.csv",
            row.holder,
            "is neither a firm nor a pool",
            "use a firm id or pool_<region>",
        )
        for row in _rows(tables, "budgets")
        if row.holder not in known
    ]


@check
def facts_of_projects(tables: Tables) -> list[Problem]:
    """An award names the treasury that pays; nothing else has one."""
    return [
        Problem(
            "project_facts.csv",
            f"{row.site}, {row.item}",
            "treasury is given for an award and nothing else",
            "name the region that pays the award",
        )
        for row in _rows(tables, "project_facts")
        if (row.item == "award") != (row.treasury is not None)
    ]


@check
def device_widths_rise(tables: Tables) -> list[Problem]:
    """Premiums of moving device making rise with the step, so that steps fill in order."""
    premium = {
        row.step: row.value
        for row in _rows(tables, "device_steps")
        if row.item == "premium"
    }
    ordered = [premium[k] for k in sorted(premium)]
    if ordered != sorted(ordered):
        return [
            Problem(
                "device_steps.csv",
                "premium",
                "falls with the step",
                "let the premium rise with the step",
            )
        ]
    return []


@check
def multipliers_rise(tables: Tables) -> list[Problem]:
    """The cost of building rises from the first step to the last."""
    value = {row.parameter: row.value for row in _rows(tables, "parameters")}
    if value.get("multiplier_start", 0.0) > value.get("multiplier_end", math.inf):
        return [
            Problem(
                "parameters.csv",
                "multiplier_start",
                "is above multiplier_end",
                "let the cost rise",
            )
        ]
    return []
