"""Production: what fabs in service can make and what it costs."""

from __future__ import annotations

from collections import defaultdict
from itertools import product
from typing import Any

from pyomo.environ import quicksum

from chipmodel.model.lp.builder import ModelBuilder
from chipmodel.model.lp.row_groups import Owner, balance, limit, lookup
from chipmodel.model.lp.rows import Index, Terms
from chipmodel.model.parameters.sites import FLEET_STEPS, Site

LOW = 0
"""Step of a fleet's output up to u_min.

Steps 1 and above lie between u_min and u_max; new fabs have only step LOW.
"""

SITE = Owner(
    "the firm at the site",
    lambda builder, i, *_: builder.parameters.sites.sites[i].agent,
)


def variables(builder: ModelBuilder) -> None:
    """Add output by site and by place.

    ``output[i,k,t]``: kwpm made at site i in its running-cost step k. ``made[s,r,t]``:
    kwpm of segment s made in region r, their sum.
    """
    parameters = builder.parameters
    builder.variable("output", _outputs(builder), SITE.of(builder))
    made = [(s, r, t) for (r, s), t in product(parameters.places, parameters.years)]
    builder.variable("made", made, "traders")


def _outputs(builder: ModelBuilder) -> list[Index]:
    parameters = builder.parameters
    running = builds_in_service(builder)
    keys: list[Index] = []
    for i, site in parameters.sites.sites.items():
        for t in parameters.years:
            if site.kind == "fleet" or (i, t) in running:
                keys.extend((i, k, t) for k in _steps(site))
    return keys


def _steps(site: Site) -> range:
    return range(FLEET_STEPS + 1) if site.kind == "fleet" else range(1)


@lookup
def builds_in_service(
    builder: ModelBuilder,
) -> dict[tuple[str, int], list[tuple[int, float]]]:
    """Return the builds in service by site and year: start and share of the year."""
    running: dict[tuple[str, int], list[tuple[int, float]]] = defaultdict(list)
    for (i, start), years in builder.parameters.service.items():
        for t, share in years:
            running[i, t].append((start, share))
    return dict(running)


@lookup
def output_by_place(builder: ModelBuilder) -> Terms:
    """Return the outputs of the sites of each segment, region and year."""
    sites = builder.parameters.sites.sites
    outputs: Terms = defaultdict(list)
    for (i, _, t), output in builder.model.output.items():
        site = sites[i]
        outputs[site.segment, site.region, t].append(output)
    return outputs


@limit(
    name="capacity",
    title="capacity of fabs",
    index=("site", "step", "year"),
    over=lambda builder: list(builder.model.output),
    unit="kwpm",
    owner=SITE,
    dual="value of one more kwpm of capacity in service",
)
def capacity(builder: ModelBuilder, i: str, k: int, t: int) -> Any:
    r"""Output is at most the capacity in service that can run.

    Of a fleet, the first step holds output up to u_min times its size, and each of the
    K steps above it (u_max - u_min)/K:

    .. math:: output_{i,0,t} \le u^{min} \, run_t \, size_i

    .. math:: output_{i,k,t} \le (u^{max} - u^{min}) / K \, run_t \, size_i

    Of a new fab, with service the share of the year in which a build is in service:

    .. math:: output_{i,0,t} \le u^{max} \, run_t
              \sum_{\tau} service_{i,\tau,t} \, build_{i,\tau}
    """
    parameters = builder.parameters
    model = builder.model
    site = parameters.sites.sites[i]
    u_min = parameters.use[site.segment, "u_min"]
    u_max = parameters.use[site.segment, "u_max"]
    run = parameters.run_share(site.region, site.segment, t)
    if site.kind == "fleet":
        share = u_min if k == LOW else (u_max - u_min) / FLEET_STEPS
        return share * run * (site.size or 0.0) - model.output[i, k, t]
    available = quicksum(
        u_max * run * share * model.build[i, start]
        for start, share in builds_in_service(builder)[i, t]
    )
    return available - model.output[i, k, t]


@balance(
    name="fab_gate",
    title="wafers at the fab gate",
    index=("segment", "region", "year"),
    over=lambda builder: list(builder.model.made),
    unit="kwpm",
    dual="price of a finished wafer at the fab gate",
)
def fab_gate(builder: ModelBuilder, s: str, r: str, t: int) -> Any:
    r"""Wafers made in a region are the output of its sites.

    .. math:: made_{s,r,t} = \sum_{i \in (r,s)} \sum_k output_{i,k,t}
    """
    outputs = output_by_place(builder).get((s, r, t), [])
    return quicksum(outputs) - builder.model.made[s, r, t]


def costs(builder: ModelBuilder) -> None:
    """Charge running cost and materials.

    Up to u_min the running cost of a fleet is paid in any case, and is left out.
    """
    parameters = builder.parameters
    running: Terms = defaultdict(list)
    materials: Terms = defaultdict(list)
    for (i, k, t), output in builder.model.output.items():
        site = parameters.sites.sites[i]
        materials[t].append(parameters.prices.inputs[site.segment] * output)
        cost = parameters.running[site.region, site.segment]
        if site.kind != "fleet":
            running[t].append(cost * output)
        # Without steps of rising cost, merit order would idle the fleets of all
        # expensive places at once.
        elif k > LOW:
            relative = parameters.sites.fleet_running[k - 1]
            running[t].append(relative * cost * output)
    builder.yearly_cost("running", running)
    builder.yearly_cost("materials", materials)
