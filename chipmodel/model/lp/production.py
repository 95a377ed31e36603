"""Production: what fabs in service can make and what it costs."""

from __future__ import annotations

from collections import defaultdict

import pyomo.environ as pyo

from chipmodel.model.lp.builder import ModelBuilder
from chipmodel.model.parameters.sites import FLEET_STEPS, Site

LOW = 0
"""Step of a fleet's output up to u_min; steps 1.. lie between u_min and u_max; new fabs have step LOW only."""


def variables(b: ModelBuilder) -> None:
    """Add ``output[i,k,t]``, kwpm made at site i in its running-cost step k, and ``made[s,r,t]``, their sum."""
    n = b.n
    sites = n.sites.sites
    b.variable(
        "output",
        [
            (i, k, t)
            for i, s in sites.items()
            for t in n.years
            for k in _steps(s)
            if _can_run(s, t)
        ],
        lambda i, k, t: sites[i].agent,
    )
    b.variable("made", [(s, r, t) for r, s in n.places for t in n.years], "traders")


def constraints(b: ModelBuilder) -> None:
    r"""Hold output to capacity in service.

    capacity: for a fleet, output up to u_min times capacity in its first tranche and
    (u_max - u_min)/K times capacity in each of the K steps above; for a new fab, output
    is at most u_max times what is in service, ``sum_t service[i,t,tau] build[i,t]``.
    fab_gate: what is made in a region is the output of its sites.
    """
    n, m = b.n, b.model
    sites = n.sites.sites

    def room(i: str, k: int, t: int) -> object:
        site = sites[i]
        u_min, u_max = n.use[site.segment, "u_min"], n.use[site.segment, "u_max"]
        run = n.run_share(site.region, site.segment, t)
        if site.kind == "fleet":
            share = u_min if k == LOW else (u_max - u_min) / FLEET_STEPS
            return share * run * (site.size or 0.0) - m.output[i, k, t]
        service = pyo.quicksum(
            u_max * run * site.in_service(start, t) * m.build[i, start]
            for start in site.builds
            if site.in_service(start, t) > 0
        )
        return service - m.output[i, k, t]

    b.limit(
        "capacity",
        list(m.output),
        room,
        owner=lambda i, k, t: sites[i].agent,
        unit="kwpm",
        meaning="worth of one more kwpm of capacity in service",
    )
    by: dict[tuple[str, str, int], list[object]] = defaultdict(list)
    for i, k, t in m.output:
        by[sites[i].segment, sites[i].region, t].append(m.output[i, k, t])
    b.balance(
        "fab_gate",
        list(m.made),
        lambda s, r, t: pyo.quicksum(by[s, r, t]) - m.made[s, r, t],
        unit="kwpm",
        meaning="price of a finished wafer at the fab gate",
    )


def costs(b: ModelBuilder) -> None:
    """Charge running cost (none up to u_min of a fleet: it is paid anyway) and materials."""
    n, m = b.n, b.model
    running: dict[int, list[object]] = defaultdict(list)
    inputs: dict[int, list[object]] = defaultdict(list)
    for (i, k, t), term in m.output.items():
        site = n.sites.sites[i]
        inputs[t].append(n.prices.inputs[site.segment] * term)
        if site.kind != "fleet":
            running[t].append(n.running[site.region, site.segment] * term)
        elif k > LOW:
            running[t].append(
                n.sites.fleet_running[k - 1]
                * n.running[site.region, site.segment]
                * term
            )
    for t in n.years:
        b.cost("running", t, pyo.quicksum(running[t]))
        b.cost("materials", t, pyo.quicksum(inputs[t]))


def _steps(site: Site) -> range:
    return range(FLEET_STEPS + 1) if site.kind == "fleet" else range(1)


def _can_run(site: Site, year: int) -> bool:
    return site.kind == "fleet" or any(
        site.in_service(t, year) > 0 for t in site.builds
    )
