"""Assembly and packaging."""

from __future__ import annotations

from collections import defaultdict
from itertools import product
from typing import Any

from chipmodel.common import pyo
from chipmodel.model.lp.builder import ModelBuilder
from chipmodel.model.lp.row_groups import Owner, balance, limit, lookup
from chipmodel.model.lp.rows import Index, Terms
from chipmodel.model.lp.shares import nonzero, present
from chipmodel.model.parameters.finance import share_in_service
from chipmodel.solver.ledger import Account

PLANT = Owner(
    "the packaging firms of the plant's region",
    lambda builder, i, *_: builder.parameters.packaging.plants[i].agent,
)
REGION = Owner("the packaging firms of the region", lambda _, p, a, t: f"assembly:{a}")


def variables(builder: ModelBuilder) -> None:
    """Add wafers packaged and packaging capacity built.

    ``assembled[p,a,t]``: wafers given package p in region a. ``assemble_build[i,t]``:
    capacity of plant i whose construction starts in year t.
    """
    builder.variable("assembled", _assembled(builder), REGION.of(builder))
    builder.variable("assemble_build", _plant_builds(builder), PLANT.of(builder))


def _assembled(builder: ModelBuilder) -> list[Index]:
    parameters = builder.parameters
    packaging = parameters.packaging
    on_routes = {a for _, a in packaging.routes}
    # In the order of the data: the order of columns must not depend on that of a set.
    regions = sorted(on_routes, key=parameters.regions.index)
    return list(product(packaging.running, regions, parameters.years))


def _plant_builds(builder: ModelBuilder) -> list[Index]:
    plants = builder.parameters.packaging.plants
    keys: list[Index] = []
    for i, plant in plants.items():
        keys.extend((i, t) for t in plant.builds)
    return keys


def _announced_plants(builder: ModelBuilder) -> list[Index]:
    plants = builder.parameters.packaging.plants
    return [(i,) for i, plant in plants.items() if plant.kind == "project"]


def _given_builds(builder: ModelBuilder) -> list[Index]:
    build = builder.model.assemble_build
    return [key for key in builder.parameters.fixed_plants if key in build]


@lookup
def packaging_needed(builder: ModelBuilder) -> Terms:
    """Return the wafers that need a package, by package, region and year."""
    packaging = builder.parameters.packaging
    needs: dict[str, list[tuple[str, float]]] = {}
    for s in builder.parameters.segments:
        shares = ((p, packaging.need.get((s, p), 0.0)) for p in packaging.running)
        needs[s] = list(nonzero(shares))
    needed: Terms = defaultdict(list)
    for (s, _, a, _, t), shipment in builder.model.ship.items():
        for p, share in needs[s]:
            needed[p, a, t].append(share * shipment)
    return needed


@lookup
def running_capacity(builder: ModelBuilder) -> dict[tuple[str, str], float]:
    """Return the packaging capacity that runs already, by package and region, kwpm."""
    capacity: dict[tuple[str, str], float] = defaultdict(float)
    for plant in builder.parameters.packaging.plants.values():
        if plant.kind == "fleet":
            capacity[plant.package, plant.region] += plant.size or 0.0
    return capacity


@lookup
def new_plants(builder: ModelBuilder) -> dict[tuple[str, str], list[str]]:
    """Return the plants that can be built, by package and region."""
    plants: dict[tuple[str, str], list[str]] = defaultdict(list)
    for i, plant in builder.parameters.packaging.plants.items():
        if plant.kind != "fleet":
            plants[plant.package, plant.region].append(i)
    return plants


@balance(
    name="assembly_service",
    title="wafers packaged",
    index=("package", "region", "year"),
    over=lambda builder: list(builder.model.assembled),
    unit="kwpm",
    dual="price of packaging a wafer in the region",
)
def assembly_service(builder: ModelBuilder, p: str, a: str, t: int) -> Any:
    r"""Wafers shipped through a region are packaged there, as far as they need it.

    .. math:: assembled_{p,a,t} = \sum_{s,r,m} need_{s,p} \, ship_{s,r,a,m,t}
    """
    needed = packaging_needed(builder).get((p, a, t), [])
    return builder.model.assembled[p, a, t] - pyo.quicksum(needed)


@limit(
    name="assembly_capacity",
    title="capacity of packaging",
    index=("package", "region", "year"),
    over=lambda builder: list(builder.model.assembled),
    unit="kwpm",
    owner=REGION,
    dual="value of one more kwpm of packaging capacity",
)
def assembly_capacity(builder: ModelBuilder, p: str, a: str, t: int) -> Any:
    r"""Wafers packaged are at most the capacity that runs already plus what is added.

    .. math:: assembled_{p,a,t} \le fleet_{p,a}
              + \sum_{i \in (p,a)} \sum_{\tau} service_{i,\tau,t} \,
              assemble\_build_{i,\tau}
    """
    plants = builder.parameters.packaging.plants
    added = []
    for i in new_plants(builder).get((p, a), []):
        plant = plants[i]
        for start in plant.builds:
            share = share_in_service(start + plant.lead, t)
            if present(share):
                added.append(share * builder.model.assemble_build[i, start])
    fleet = running_capacity(builder).get((p, a), 0.0)
    return fleet - builder.model.assembled[p, a, t] + pyo.quicksum(added)


@limit(
    name="assembly_size",
    title="sizes of announced packaging plants",
    index=("plant",),
    over=_announced_plants,
    unit="kwpm",
    owner=PLANT,
    dual="value of one more kwpm at an announced plant",
)
def assembly_size(builder: ModelBuilder, i: str) -> Any:
    r"""Builds at an announced plant sum to at most its size.

    .. math:: \sum_t assemble\_build_{i,t} \le size_i
    """
    plant = builder.parameters.packaging.plants[i]
    build = builder.model.assemble_build
    return plant.size - pyo.quicksum(build[i, t] for t in plant.builds)


@limit(
    name="assembly_history",
    title="packaging plants already under construction",
    index=("plant", "year"),
    over=_given_builds,
    unit="kwpm",
    owner=PLANT,
    dual="value of one more kwpm of a given packaging build",
    equal=True,
)
def assembly_history(builder: ModelBuilder, i: str, t: int) -> Any:
    r"""Fix the builds that an earlier pass decided, before a surprise.

    .. math:: assemble\_build_{i,t} = given_{i,t}
    """
    given = builder.parameters.fixed_plants[i, t]
    return builder.model.assemble_build[i, t] - given


def costs(builder: ModelBuilder) -> None:
    """Charge running cost, and an annuity on what is added.

    A premium on new plants makes announced ones cheaper.
    """
    parameters = builder.parameters
    packaging = parameters.packaging
    running: Terms = defaultdict(list)
    for (p, _, t), assembled in builder.model.assembled.items():
        running[t].append(packaging.running[p] * assembled)
    capital: Terms = defaultdict(list)
    cash: Terms = defaultdict(list)
    for (i, start), build in builder.model.assemble_build.items():
        plant = packaging.plants[i]
        greenfield = plant.kind == "greenfield"
        premium = parameters.parameter["greenfield_premium"] if greenfield else 0.0
        capex = packaging.capex[plant.package] * (1.0 + premium)
        # Packaging has no interest during construction: all is spent at the start.
        cash[start].append(capex * build)
        for t in parameters.years:
            share = share_in_service(start + plant.lead, t)
            if present(share):
                capital[t].append(share * parameters.recovery * capex * build)
    builder.yearly_cost("packaging", running)
    builder.yearly_cost("packaging_capital", capital)
    for t, terms in cash.items():
        account = Account("packaging_capital", cash=True).label
        builder.memo(account, t, pyo.quicksum(terms), payer="agent")
