"""Assembly and packaging."""

from __future__ import annotations

from collections import defaultdict

import pyomo.environ as pyo

from chipmodel.model.lp.builder import ModelBuilder
from chipmodel.model.parameters.finance import share_in_service
from chipmodel.solver.ledger import Account


def variables(b: ModelBuilder) -> None:
    """Add ``assembled[p,a,t]``, wafers given package p in a, and ``assemble_build[i,t]``, capacity added."""
    n = b.n
    plants = n.packaging.plants
    b.variable(
        "assembled",
        [(p, a, t) for p, a in _where(b) for t in n.years],
        lambda p, a, t: f"assembly:{a}",
    )
    b.variable(
        "assemble_build",
        [(i, t) for i, plant in plants.items() for t in plant.builds],
        lambda i, t: plants[i].agent,
    )


def constraints(b: ModelBuilder) -> None:
    """Hold packaging to capacity.

    assembly_service: wafers through a place, times the share that needs the package,
    are assembled there.
    assembly_capacity: assembled is at most what runs plus what has been added.
    assembly_size: additions at an announced plant sum to at most its size.
    assembly_history: additions fixed by an earlier pass of a surprise stay as they
    were.
    """
    n, m = b.n, b.model
    pack = n.packaging
    flow: dict[tuple[str, str, int], list[object]] = defaultdict(list)
    for (s, _, a, _, t), term in m.ship.items():
        for p in pack.running:
            need = pack.need.get((s, p), 0.0)
            if need:
                flow[p, a, t].append(need * term)
    b.balance(
        "assembly_service",
        list(m.assembled),
        lambda p, a, t: m.assembled[p, a, t] - pyo.quicksum(flow[p, a, t]),
        unit="kwpm",
        meaning="price of packaging a wafer in the place",
    )
    fleet: dict[tuple[str, str], float] = defaultdict(float)
    new: dict[tuple[str, str], list[str]] = defaultdict(list)
    for i, plant in pack.plants.items():
        if plant.kind == "fleet":
            fleet[plant.package, plant.region] += plant.size or 0.0
        else:
            new[plant.package, plant.region].append(i)
    b.limit(
        "assembly_capacity",
        list(m.assembled),
        lambda p, a, t: (
            fleet[p, a]
            - m.assembled[p, a, t]
            + pyo.quicksum(
                share_in_service(start + pack.plants[i].lead, t)
                * m.assemble_build[i, start]
                for i in new[p, a]
                for start in pack.plants[i].builds
                if share_in_service(start + pack.plants[i].lead, t) > 0
            )
        ),
        owner=lambda p, a, t: f"assembly:{a}",
        unit="kwpm",
        meaning="worth of one more kwpm of packaging",
    )
    b.limit(
        "assembly_size",
        [(i,) for i, plant in pack.plants.items() if plant.kind == "project"],
        lambda i: (
            pack.plants[i].size
            - pyo.quicksum(m.assemble_build[i, t] for t in pack.plants[i].builds)
        ),
        owner=lambda i: pack.plants[i].agent,
        unit="kwpm",
        meaning="worth of room at an announced plant",
    )
    b.limit(
        "assembly_history",
        [key for key in n.fixed_plants if key in m.assemble_build],
        lambda i, t: m.assemble_build[i, t] - n.fixed_plants[i, t],
        owner=lambda i, t: pack.plants[i].agent,
        unit="kwpm",
        equal=True,
        meaning="what one more kwpm of a given packaging build would be worth",
    )


def costs(b: ModelBuilder) -> None:
    """Charge packaging: running cost, and an annuity on what is added; announced plants go before new ones."""
    n, m = b.n, b.model
    pack = n.packaging
    running: dict[int, list[object]] = defaultdict(list)
    for (p, _, t), term in m.assembled.items():
        running[t].append(pack.running[p] * term)
    capital: dict[int, list[object]] = defaultdict(list)
    cash: dict[int, list[object]] = defaultdict(list)
    for (i, start), term in m.assemble_build.items():
        plant = pack.plants[i]
        premium = (
            n.parameter["greenfield_premium"] if plant.kind == "greenfield" else 0.0
        )
        capex = pack.capex[plant.package] * (1.0 + premium)
        cash[start].append(capex * term)
        for t in n.years:
            share = share_in_service(start + plant.lead, t)
            if share > 0:
                capital[t].append(share * n.recovery * capex * term)
    for t in n.years:
        b.cost("packaging", t, pyo.quicksum(running[t]))
        b.cost("packaging_capital", t, pyo.quicksum(capital[t]))
    for t, terms in cash.items():
        b.memo(
            Account("packaging_capital", cash=True).label,
            t,
            pyo.quicksum(terms),
            payer="agent",
        )


def _where(b: ModelBuilder) -> list[tuple[str, str]]:
    places = sorted({a for _, a in b.n.packaging.routes}, key=b.n.regions.index)
    return [(p, a) for p in b.n.packaging.running for a in places]
