"""A minimal world for linear programs solved on paper, and formulas they share.

One segment, one place where devices are made and used (AAA), plants that come on line
in the year construction starts and last ten years, no freight, packaging or inputs, no
budgets, one cost multiplier of 1, and fabs that run at full use. Money is MUSD per kwpm
and year: the reference price is 60, capital 100 per kwpm, running 12, materials 6.
Demand has elasticity -1, so that the first x times the reference quantity are worth
``60 (1 + ln 4x)`` each year, with the choke at four times the price.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping
from itertools import pairwise

import pytest
from helpers import Edit, add, change, drop, keep, parameters, rows

from chipmodel import Case, Dataset, Solution
from chipmodel.model.parameters.market import GRID

PRICE, CAPEX, RUNNING, INPUTS = 60.0, 100.0, 12.0, 6.0
RATE = 0.08
CRF = RATE / (1.0 - (1.0 + RATE) ** -10)
DF = [(1.0 + RATE) ** -k for k in range(10)]
OTHER = PRICE - (CRF * CAPEX + RUNNING + INPUTS)
"""Other value added where the fleet's home builds at 100 with no time to build."""
FIRM = {"AAA": "alpha", "BBB": "beta"}

EXACT = 1e-9
NOTHING = Case(name="nothing")
OLD = INPUTS + OTHER
"""Cost of a wafer from a fleet that runs anyway."""
PLANT = CRF * CAPEX + RUNNING
"""Capital and running cost of a new plant at the reference place."""
HOME_COSTS_MORE = {"fleets": {"BBB": 10}, "place": {"AAA": 1.1, "BBB": 1.0}}
"""BBB has the fleet and builds at 100, AAA builds at 110."""

ONE_SEGMENT = (
    *(
        drop(table, segment="memo")
        for table in (
            "segments",
            "costs",
            "prices",
            "operation",
            "elasticities",
            "demand",
            "assembly_recipes",
            "input_recipes",
            "fleets",
            "expansion",
            "place_residual",
            "yields",
        )
    ),
    drop("assembly_recipes", package="advanced"),
)
PLAIN = (
    drop("project_facts"),
    drop("projects"),
    *(
        drop(table)
        for table in ("inputs", "input_supply", "input_recipes", "input_facts")
    ),
    change("freight", value=0),
    change("assembly_costs", value=0),
    keep("assembly", kind="fleet", package="standard"),
    change("assembly", value=1000),
    change("costs", {"item": "capex"}, value=CAPEX),
    change("costs", {"item": "running"}, value=RUNNING / 0.012),
    change("costs", {"item": "inputs"}, value=INPUTS / 0.012),
    change("cost_factors", value=1),
    change("prices", {"item": "reference"}, value=PRICE / 0.012),
    change("prices", {"item": "customs_share"}, value=1),
    change("operation", value=1),
    change("elasticities", {"segment": "chip"}, value=-1),
    change("construction", value=0),
    parameters(
        greenfield_premium=0,
        multiplier_start=1,
        multiplier_end=1,
        route_minimum=0,
        running_spread=0,
    ),
)


def bare(
    make: Callable[..., Dataset],
    *edits: Edit,
    fleets: Mapping[str, float],
    place: Mapping[str, float],
    growth: tuple[float, ...] = (0.1,),
    makers: tuple[float, float] = (1.0, 0.0),
    users: tuple[float, float] = (1.0, 0.0),
    **world: object,
) -> Dataset:
    """Make the paper world.

    Parameters
    ----------
    fleets : mapping
        kwpm running in 2025 by region.
    place : mapping
        Factor on capital by region where plants can be added: a quarter of the
        capital is the building, whose factor is four times as far from 1.
    growth : tuple
        Growth into 2026, 2027, ...; the last year is the horizon.
    makers, users : tuple
        Shares of device making and use in AAA and BBB.
    """
    until = 2025 + len(growth)
    shares = zip(
        ("maker", "maker", "user", "user"),
        ("AAA", "BBB") * 2,
        (*makers, *users),
        strict=True,
    )
    return make(
        *ONE_SEGMENT,
        *PLAIN,
        rows(
            "fleets",
            *({"region": r, "firm": FIRM[r], "value": v} for r, v in fleets.items()),
        ),
        rows(
            "expansion",
            *({"region": r, "firm": FIRM[r], "value": 1 / len(place)} for r in place),
        ),
        # A quarter of a plant is building: it costs v where its building costs 4 v - 3.
        *(
            change("cost_factors", {"region": r, "item": "building"}, value=4 * v - 3)
            for r, v in place.items()
        ),
        rows(
            "demand",
            *(
                {"year_from": 2026 + k, "year_to": 2026 + k, "value": v}
                for k, v in enumerate(growth)
            ),
        ),
        rows(
            "demand_location",
            *({"criterion": c, "region": r, "value": v} for c, r, v in shares),
        ),
        *edits,
        world={"budgets": "none", "horizon": until, "report_until": until, **world},
    )


def step(x: float) -> float:
    """Value of the demand step that holds x, over the reference price: mean of 1/x over
    the step.
    """
    low, high = next((a, b) for a, b in pairwise(GRID) if a <= x < b)
    return math.log(high / low) / (high - low)


def area(x: float) -> float:
    """Value of x times the reference quantity: ``1 + ln 4x`` at the edge of a step,
    linear inside it.
    """
    low = max(a for a in GRID if a <= x + 1e-12)
    return (
        1.0
        + math.log(4.0 * low)
        + (max(x - low, 0.0) * step(x) if x - low > 1e-12 else 0.0)
    )


def exactly(value: float):
    return pytest.approx(value, rel=EXACT, abs=EXACT)


def built(solution: Solution) -> dict[tuple[str, int], float]:
    """Builds by site and year, without zeros."""
    return {key: value for key, value in solution.columns("build").items() if value > 0}


def built_in_regions(solution: Solution) -> dict[tuple[str, int], float]:
    """Builds by region and year, without zeros."""
    total: dict[tuple[str, int], float] = defaultdict(float)
    for (site, year), value in solution.columns("build").items():
        if value > 0:
            total[solution.parameters.sites.sites[site].region, year] += value
    return dict(total)


def line(solution: Solution, account: str, year: int) -> float:
    """Total of an account paid in a year, undiscounted."""
    found = solution.accounts.query(
        "account == @account and year == @year and value < 0"
    )
    return -float(found.value.sum())


def first_year() -> float:
    """Cost less value of 2025: the fleet of 10 serves the reference quantity of 10."""
    return OLD * 10 - PRICE * 10 * area(1.0)


def still(cost: float = OLD) -> float:
    """Cost less value of a year in which ten kwpm of fleets serve a reference quantity
    of ten.
    """
    return cost * 10 - PRICE * 10 * area(1.0)


def project(**cells):
    """Add a project to the paper world; the first row of the table is a model of its
    columns.
    """
    whole = {
        "site": "alpha_one",
        "as_of": "2025-12-31",
        "region": "AAA",
        "segment": "chip",
        "firm": "alpha",
        "construction_begun": 2025,
        "status": "construction",
        "source": "test",
        "grade": "A",
        "unit": "kwpm",
        "name": "Alpha One",
        "note": "",
        "low": None,
        "high": None,
        "year_of_money": None,
        **cells,
    }
    return add("projects", **whole)


def project_fact(item: str, value: float, treasury: str | None = None):
    """Add a fact about the project."""
    unit = {"committed": "share", "award": "MUSD"}[item]
    return add(
        "project_facts",
        site="alpha_one",
        item=item,
        treasury=treasury,
        value=value,
        unit=unit,
        year_of_money=2025 if unit == "MUSD" else None,
        low=None,
        high=None,
        source="test",
        grade="A",
        note="",
    )
