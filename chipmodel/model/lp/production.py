"""Production: what fabs in service can make and what it costs."""

from __future__ import annotations

from collections import defaultdict
from itertools import product
from typing import Any

from chipmodel.common import pyo
from chipmodel.model.lp.builder import ModelBuilder
from chipmodel.model.lp.retirement import builds_in_service, in_service
from chipmodel.model.lp.row_groups import Owner, balance, limit, lookup
from chipmodel.model.lp.rows import Index, Terms
from chipmodel.model.parameters.build import SURGE_STEPS
from chipmodel.model.parameters.parameters import Parameters
from chipmodel.model.parameters.sites import FLEET_STEPS, Site

LOW = 0
"""First step of output: a fleet's up to u_min, a new fab's up to usual use.

A fleet has FLEET_STEPS more up to usual use. The last SURGE_STEPS of every site lie
between usual use and the technical ceiling.
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


def _usual_steps(site: Site) -> int:
    """Return the number of steps up to usual use."""
    return FLEET_STEPS + 1 if site.kind == "fleet" else 1


def _steps(site: Site) -> range:
    return range(_usual_steps(site) + SURGE_STEPS)


def _step_share(parameters: Parameters, site: Site, k: int) -> float:
    """Return the share of a site's capacity that a step of its output holds."""
    s = site.segment
    usual = parameters.usual[s]
    if k >= _usual_steps(site):
        return (parameters.use[s, "u_max"] - usual) / SURGE_STEPS
    if site.kind != "fleet":
        return usual
    u_min = parameters.use[s, "u_min"]
    return u_min if k == LOW else (usual - u_min) / FLEET_STEPS


@lookup
def output_by_place(builder: ModelBuilder) -> Terms:
    """Return the good wafers of the sites of each segment, region and year."""
    parameters = builder.parameters
    outputs: Terms = defaultdict(list)
    for (i, _, t), output in builder.model.output.items():
        site = parameters.sites.sites[i]
        good = parameters.good(site.firm, site.segment, t)
        outputs[site.segment, site.region, t].append(good * output)
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

    A step k holds a share w of capacity. Of a fleet, the first step holds u_min and
    each of the K steps above it an equal part of what is left to usual use; of a new
    fab, one step holds usual use. The last steps of both share the span from usual use
    to the technical ceiling u_max: a surge.

    .. math:: output_{i,k,t} \le w_k \, run_t \, size_i

    What has retired is out of the first step; `standing` takes it out of the others:

    .. math:: output_{i,0,t} \le w_0 \, run_t \, (size_i - retired_{i,t})

    Of a new fab, with service the share of the year in which a build is in service:

    .. math:: output_{i,k,t} \le w_k \, run_t
              \sum_{\tau} service_{i,\tau,t} \, build_{i,\tau}
    """
    parameters = builder.parameters
    site = parameters.sites.sites[i]
    run = parameters.run_share(site.region, site.segment, t)
    share = _step_share(parameters, site, k) * run
    if site.kind == "fleet" and k > LOW:
        # What has retired is in `standing`: a row of one column is solved as a bound.
        return share * (site.size or 0.0) - builder.model.output[i, k, t]
    return in_service(builder, i, t, share) - builder.model.output[i, k, t]


def _fleet_years(builder: ModelBuilder) -> list[Index]:
    return list(builder.model.retired)


@limit(
    name="standing",
    title="capacity of fleets above the trough",
    index=("site", "year"),
    over=_fleet_years,
    unit="kwpm",
    owner=SITE,
    dual="value of one more kwpm of a fleet that runs above the trough",
)
def standing(builder: ModelBuilder, i: str, t: int) -> Any:
    r"""Above u_min, a fleet runs at most what has not retired, to the ceiling u_max.

    .. math:: \sum_{k>0} output_{i,k,t}
              \le (u^{max} - u^{min}) \, run_t \, (size_i - retired_{i,t})
    """
    parameters = builder.parameters
    site = parameters.sites.sites[i]
    above = range(LOW + 1, len(_steps(site)))
    share = pyo.quicksum(_step_share(parameters, site, k) for k in above)
    run = parameters.run_share(site.region, site.segment, t)
    output = pyo.quicksum(builder.model.output[i, k, t] for k in above)
    return in_service(builder, i, t, share * run) - output


@balance(
    name="fab_gate",
    title="wafers at the fab gate",
    index=("segment", "region", "year"),
    over=lambda builder: list(builder.model.made),
    unit="kwpm",
    dual="price of a finished good wafer at the fab gate",
)
def fab_gate(builder: ModelBuilder, s: str, r: str, t: int) -> Any:
    r"""Good wafers made in a region are the output of its sites times their yield.

    .. math:: made_{s,r,t} = \sum_{i \in (r,s)} y_{i,t} \sum_k output_{i,k,t}

    with y the good wafers per wafer of the firm, 1 the mean of the base year.
    """
    outputs = output_by_place(builder).get((s, r, t), [])
    return pyo.quicksum(outputs) - builder.model.made[s, r, t]


def costs(builder: ModelBuilder) -> None:
    r"""Charge running cost, materials and the residual of the place.

    Up to u_min the running cost of a fleet is paid in any case, and is left out. The
    cost of a wafer in a surge, materials included, is the value at which its step pays
    times the good wafers per wafer: what it costs to reach the ceiling is calibrated,
    not billed. The residual falls on what new fabs make.
    """
    parameters = builder.parameters
    running: Terms = defaultdict(list)
    surge: Terms = defaultdict(list)
    materials: Terms = defaultdict(list)
    residual: Terms = defaultdict(list)
    for (i, k, t), output in builder.model.output.items():
        site = parameters.sites.sites[i]
        inputs = parameters.prices.inputs[site.segment]
        materials[t].append(inputs * output)
        usual_steps = _usual_steps(site)
        if k >= usual_steps:
            good = parameters.good(site.firm, site.segment, t)
            pays = good * parameters.surge[site.segment][k - usual_steps]
            surge[t].append((pays - inputs) * output)
            continue
        cost = parameters.running[site.region, site.segment]
        if site.kind != "fleet":
            running[t].append(cost * output)
            unbilled = parameters.residual[site.region, site.segment]
            residual[t].append(unbilled * output)
        # Without steps of rising cost, merit order would idle the fleets of all
        # expensive places at once.
        elif k > LOW:
            relative = parameters.sites.fleet_running[k - 1]
            running[t].append(relative * cost * output)
    builder.yearly_cost("running", running)
    builder.yearly_cost("surge", surge)
    builder.yearly_cost("materials", materials)
    builder.yearly_cost("place_residual", residual)
