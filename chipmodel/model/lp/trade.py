"""Trade: from the fab through assembly to device makers, and the inertia of routes."""

from __future__ import annotations

from collections import defaultdict
from itertools import product
from typing import Any

from chipmodel.common import pyo
from chipmodel.model.lp.builder import ModelBuilder
from chipmodel.model.lp.row_groups import balance, lookup
from chipmodel.model.lp.rows import Index, Terms, terms_by


def variables(builder: ModelBuilder) -> None:
    """Add shipments and changes of routes.

    ``ship[s,r,a,m,t]``: chips of segment s made in r, assembled in a and sold in m.
    ``deviate[s,r,m,k,t]``: shipments from r to m beyond the pattern, in step k.
    """
    builder.variable("ship", _shipments(builder), "traders")
    builder.variable("deviate", _deviations(builder), "traders")


@lookup
def makers(builder: ModelBuilder) -> list[str]:
    """Return the regions that make devices and so buy chips, in order of regions."""
    parameters = builder.parameters
    return [m for m in parameters.regions if m in parameters.sold]


def _shipments(builder: ModelBuilder) -> list[Index]:
    parameters = builder.parameters
    assembled_in: dict[str, list[str]] = defaultdict(list)
    for r, a in parameters.packaging.routes:
        assembled_in[r].append(a)
    keys: list[Index] = []
    for r, s in parameters.places:
        ways = product(assembled_in[r], makers(builder), parameters.years)
        keys.extend((s, r, a, m, t) for a, m, t in ways)
    return keys


def _deviations(builder: ModelBuilder) -> list[Index]:
    parameters = builder.parameters
    steps = range(len(parameters.routes))
    keys: list[Index] = []
    for r, s in parameters.places:
        keys.extend(product([s], [r], makers(builder), steps, parameters.years))
    return keys


@lookup
def shipped_from(builder: ModelBuilder) -> Terms:
    """Return the shipments by segment, region of the fab and year."""
    return terms_by(lambda s, r, a, m, t: (s, r, t), builder.model.ship)


@lookup
def shipped_on_route(builder: ModelBuilder) -> Terms:
    """Return the shipments by segment, region of the fab, buyer's region and year."""
    return terms_by(lambda s, r, a, m, t: (s, r, m, t), builder.model.ship)


@balance(
    name="fab_balance",
    title="shipments from the fabs",
    index=("segment", "region", "year"),
    over=lambda builder: list(builder.model.made),
    unit="kwpm",
    dual="price of a wafer leaving the region",
)
def fab_balance(builder: ModelBuilder, s: str, r: str, t: int) -> Any:
    r"""What is made in a region is shipped from it.

    .. math:: made_{s,r,t} = \sum_{a,m} ship_{s,r,a,m,t}
    """
    shipments = shipped_from(builder).get((s, r, t), [])
    return builder.model.made[s, r, t] - pyo.quicksum(shipments)


@balance(
    name="route_inertia",
    title="qualified routes",
    index=("segment", "region", "region", "year"),
    over=lambda builder: list(shipped_on_route(builder)),
    unit="kwpm",
    dual="price of a qualified route",
    equal=False,
)
def route_inertia(builder: ModelBuilder, s: str, r: str, m: str, t: int) -> Any:
    r"""Shipments from r to m are at most their usual share of output plus deviations.

    With :math:`w_m` the share of output usually sold to m:

    .. math:: \sum_a ship_{s,r,a,m,t}
              \le w_m \, made_{s,r,t} + \sum_k deviate_{s,r,m,k,t}

    Chips are qualified for their buyers: without this inertia partners are swapped at
    no cost, and every single-origin tariff and friendshoring floor is free.
    """
    parameters = builder.parameters
    model = builder.model
    steps = range(len(parameters.routes))
    return (
        parameters.sold[m] * model.made[s, r, t]
        + pyo.quicksum(model.deviate[s, r, m, k, t] for k in steps)
        - pyo.quicksum(shipped_on_route(builder)[s, r, m, t])
    )


@balance(
    name="route_widening",
    title="change of routes",
    index=("segment", "region", "region", "step", "year"),
    over=lambda builder: list(builder.model.deviate),
    unit="kwpm",
    dual="price of widening a route faster",
    equal=False,
)
def route_widening(
    builder: ModelBuilder, s: str, r: str, m: str, k: int, t: int
) -> Any:
    r"""Deviations in a step are at most a multiple of the usual shipments.

    .. math:: deviate_{s,r,m,k,t} \le \phi_k \, w_m \, made_{s,r,t}

    All terms are proportional to output, so the row makes no rent without an owner.
    """
    parameters = builder.parameters
    model = builder.model
    # A multiple of the usual shipments: a route with a share of zero would never open,
    # so shares have a minimum (`route_minimum`).
    width, _ = parameters.routes[k]
    usual = width * parameters.sold[m] * model.made[s, r, t]
    return usual - model.deviate[s, r, m, k, t]


def costs(builder: ModelBuilder) -> None:
    r"""Charge freight, requalification and other value added.

    Each wafer of deviate\ :sub:`k` costs ``ln(1 + Phi_k)/sigma`` of the reference
    price. Other value added is the reference price less the long-run cost of a plant:
    design, software and margin; it may be negative.
    """
    parameters = builder.parameters
    prices = parameters.prices
    # Two legs: from the fab to packaging, and from there to the maker of devices.
    freight: Terms = defaultdict(list)
    other: Terms = defaultdict(list)
    ties: Terms = defaultdict(list)
    for (s, r, a, m, t), shipment in builder.model.ship.items():
        legs = parameters.leg(r, a, s) + parameters.leg(a, m, s)
        freight[t].append(legs * shipment)
        other[t].append(prices.other[s] * shipment)
        ties[t].append(parameters.tie(r, a, m) * shipment)
    requalification: Terms = defaultdict(list)
    for (s, _, _, k, t), deviation in builder.model.deviate.items():
        _, premium = parameters.routes[k]
        requalification[t].append(premium * prices.reference[s] * deviation)
    builder.yearly_cost("freight", freight)
    builder.yearly_cost("other_value_added", other)
    builder.yearly_cost("requalification", requalification)
    if builder.ties:
        builder.yearly_cost("tie_break", ties)
