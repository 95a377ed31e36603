"""Plausibility checks across tables.

Each returns the problems it finds; `CHECKS` is the registry.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from itertools import pairwise, product
from typing import Any

from chipmodel.common.errors import Problem
from chipmodel.dataset.fields import Row
from chipmodel.dataset.rows import ParameterRow, regional_pool

Tables = Mapping[str, tuple[Row, ...]]

Check = Callable[[Tables], list[Problem]]

Keys = Iterable[tuple[object, ...]]

CHECKS: list[Check] = []

NEVER_EMPTY = (
    "regions",
    "segments",
    "firms",
    "fleets",
    "route_steps",
    "device_steps",
    "region_pace",
    "sources",
)
"""Tables without which there is no model."""

WHOLES = {
    "demand_location": ("criterion",),
    "input_supply": ("input",),
    "expansion": ("base_year", "segment"),
}
"""Tables of shares, and the columns of the whole that their shares sum to."""

SHARE_TOLERANCE = 1e-6
"""By how much the sum of shares may differ from one."""


class _Unread(Exception):
    """A table a check needs has faults of its own."""


def check(function: Check) -> Check:
    """Register a check; it is skipped when a table it needs has faults of its own."""

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
def tables_have_rows(tables: Tables) -> list[Problem]:
    """No table that the model cannot do without is empty."""
    problems = []
    for name in NEVER_EMPTY:
        if name in tables and not tables[name]:
            what, fix = "has no rows", "add one or more"
            problems.append(Problem(f"{name}.csv", "file", what, fix))
    return problems


@check
def one_leading_segment(tables: Tables) -> list[Problem]:
    """Exactly one segment is that of leading-edge chips."""
    segments = list(_rows(tables, "segments"))
    leading = [row.segment for row in segments if row.leading]
    if len(leading) == 1 or not segments:
        return []
    what = f"is true for {', '.join(leading)}" if leading else "is true for no segment"
    fix = "write true for one segment and false for the others"
    return [Problem("segments.csv", "leading", what, fix)]


@check
def shares_sum_to_one(tables: Tables) -> list[Problem]:
    """Shares of one whole sum to one within 1e-6."""
    problems = []
    for name, columns in WHOLES.items():
        if name not in tables:
            continue
        total: dict[tuple[str, ...], float] = defaultdict(float)
        for row in _rows(tables, name):
            whole = tuple(getattr(row, column) for column in columns)
            total[whole] += row.value
        for whole, share in total.items():
            if abs(share - 1) <= SHARE_TOLERANCE:
                continue
            pairs = zip(columns, whole, strict=True)
            place = ", ".join(f"{column}={value}" for column, value in pairs)
            what = f"shares sum to {share:.6g}"
            problems.append(Problem(f"{name}.csv", place, what, "make them sum to 1"))
    return problems


@check
def complete(tables: Tables) -> list[Problem]:
    """Every number that the model needs is present: nothing is filled in silently."""
    problems = []
    # No cost, price or capacity has a default.
    for name, (columns, keys) in _needed_rows(tables).items():
        if name not in tables:
            continue
        present = set()
        for row in _rows(tables, name):
            present.add(tuple(getattr(row, column) for column in columns))
        for key in keys:
            if key not in present:
                place = ", ".join(str(part) for part in key)
                what, fix = "row is missing", "add the row, with its source"
                problems.append(Problem(f"{name}.csv", place, what, fix))
    return problems


def _needed_rows(tables: Tables) -> dict[str, tuple[tuple[str, ...], Keys]]:
    """Return the rows each table must have: the columns that name them, and values."""

    def known(name: str, column: str) -> list[str]:
        # Without a sound table of segments no row per segment is asked for.
        return _ids(tables, name, column) if name in tables else []

    regions = known("regions", "region")
    segments = known("segments", "segment")
    inputs = known("inputs", "input")
    steps = sorted(set(known("device_steps", "step")))
    bands = sorted(set(known("region_pace", "step")))
    by_segment = ("segment", "item")
    by_region = ("region", "item")
    return {
        "costs": (by_segment, product(segments, ("capex", "running", "inputs"))),
        "cost_factors": (by_region, product(regions, ("building", "running"))),
        "place_residual": (("region", "segment"), product(regions, segments)),
        "yields": (("segment", "firm"), product(segments, ("other",))),
        "construction": (by_region, product(regions, ("permit", "build"))),
        "prices": (by_segment, product(segments, ("reference", "customs_share"))),
        "operation": (by_segment, product(segments, ("u_base", "u_min", "u_max"))),
        "elasticities": (
            by_segment,
            [*product(segments, ("demand",)), ("all", "substitution")],
        ),
        "demand_location": (
            ("criterion", "region"),
            product(("maker", "user"), regions),
        ),
        "freight": (("leg",), [("domestic",), ("international",)]),
        "input_facts": (
            ("input", "item"),
            product(inputs, ("slack", "replacement", "premium")),
        ),
        "parameters": (("parameter",), product(ParameterRow.units)),
        "device_steps": (("step", "item"), product(steps, ("width", "premium"))),
        "region_pace": (
            ("step", "item"),
            [
                *product(bands, ("premium",)),
                # The last band has no end.
                *product(bands[:-1], ("share", "reach")),
            ],
        ),
        "billings": (("region",), product(regions)),
        "assembly_costs": (
            ("package", "item"),
            [*product(("standard", "advanced"), ("capex", "running")), ("all", "lead")],
        ),
        "assembly_recipes": (("segment", "package"), product(segments, ("standard",))),
    }


@check
def utilisation_in_order(tables: Tables) -> list[Problem]:
    """u_min <= u_base <= u_max for every segment."""
    use: dict[str, dict[str, float]] = defaultdict(dict)
    for row in _rows(tables, "operation"):
        use[row.segment][row.item] = row.value
    problems = []
    for segment, share in use.items():
        if len(share) < 3:
            continue  # `complete` reports the missing row
        if not 0 < share["u_min"] <= share["u_base"] <= share["u_max"]:
            what = "u_min, u_base and u_max are out of order"
            fix = "make u_min <= u_base <= u_max"
            problems.append(Problem("operation.csv", segment, what, fix))
    return problems


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
                fix = "let each period start the year after the last"
                problems.append(Problem("demand.csv", segment, what, fix))
    return problems


@check
def regions_have_assembly_routes(tables: Tables) -> list[Problem]:
    """Every region can have its wafers packaged somewhere."""
    with_route = set(_ids(tables, "assembly_routes", "region"))
    problems = []
    for region in _ids(tables, "regions", "region"):
        if region not in with_route:
            what = "has no route to a packaging place"
            problems.append(Problem("assembly_routes.csv", region, what, "add one"))
    return problems


@check
def packaging_projects_have_years(tables: Tables) -> list[Problem]:
    """A packaging project has a first year; running plants and greenfield do not."""
    problems = []
    for row in _rows(tables, "assembly"):
        if (row.kind == "project") != (row.earliest is not None):
            what = f"earliest is {row.earliest} for a {row.kind}"
            fix = "only projects have a year"
            problems.append(Problem("assembly.csv", row.site, what, fix))
    return problems


@check
def holders_are_known(tables: Tables) -> list[Problem]:
    """A budget belongs to a firm or to the pool of a region."""
    regions = _ids(tables, "regions", "region")
    pools = {regional_pool(region) for region in regions}
    holders = pools.union(_ids(tables, "firms", "firm"))
    problems = []
    for row in _rows(tables, "budgets"):
        if row.holder not in holders:
            what = "is neither a firm nor a pool"
            fix = "use a firm id or pool_<region>"
            problems.append(Problem("budgets.csv", row.holder, what, fix))
    return problems


@check
def facts_of_projects(tables: Tables) -> list[Problem]:
    """An award names the treasury that pays; nothing else has one."""
    problems = []
    for row in _rows(tables, "project_facts"):
        if (row.item == "award") != (row.treasury is not None):
            place = f"{row.site}, {row.item}"
            what = "treasury is given for an award and nothing else"
            fix = "name the region that pays the award"
            problems.append(Problem("project_facts.csv", place, what, fix))
    return problems


@check
def device_premiums_rise(tables: Tables) -> list[Problem]:
    """Premiums of moving device making rise with the step, so steps fill in order."""
    premium = {}
    for row in _rows(tables, "device_steps"):
        if row.item == "premium":
            premium[row.step] = row.value
    ordered = [premium[step] for step in sorted(premium)]
    if ordered == sorted(ordered):
        return []
    fix = "let the premium rise with the step"
    return [Problem("device_steps.csv", "premium", "falls with the step", fix)]


@check
def bands_rise(tables: Tables) -> list[Problem]:
    """Bands of building end one after the other, each more expensive than the last."""
    values: dict[str, list[float]] = defaultdict(list)
    for row in sorted(_rows(tables, "region_pace"), key=lambda row: row.step):
        values[row.item].append(row.value)
    problems = []
    for item, ordered in values.items():
        if ordered != sorted(ordered):
            fix = f"let {item} rise with the step"
            what = "falls with the step"
            problems.append(Problem("region_pace.csv", item, what, fix))
    # Otherwise a region would pay for building at any pace.
    if values["premium"] and values["premium"][0] != 0.0:
        what, fix = "does not start at 0", "give the first step a premium of 0"
        problems.append(Problem("region_pace.csv", "premium", what, fix))
    return problems


@check
def multipliers_rise(tables: Tables) -> list[Problem]:
    """The cost of building rises from the first step to the last."""
    value = {row.parameter: row.value for row in _rows(tables, "parameters")}
    first = value.get("multiplier_start", 0.0)
    last = value.get("multiplier_end", math.inf)
    if first <= last:
        return []
    what, fix = "is above multiplier_end", "let the cost rise"
    return [Problem("parameters.csv", "multiplier_start", what, fix)]
