"""What rules on the quantity of trade share: the flows they limit, licences and who holds them, checks."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pyomo.environ as pyo
from pydantic import Field

from chipmodel.common.text import dollars
from chipmodel.common.units import per_kwpm_year
from chipmodel.policies.base import DisplayNames, Number, Policy
from chipmodel.solver.ledger import Party

if TYPE_CHECKING:
    from chipmodel.model.lp.builder import ModelBuilder
    from chipmodel.model.parameters.parameters import Parameters

RentTo = Literal["exporter", "importer", "treasury"]


On = Literal["chips", "use"]


Flows = dict[tuple[str, int], list[Any]]
"""What a rule limits, by place of origin and year."""


def chips(
    builder: ModelBuilder,
    policy: Policy,
    destination: str,
    origins: frozenset[str],
    segments: tuple[str, ...],
    on: On,
) -> Flows:
    """Return the chips of some origins that a place buys (or uses), by origin and year.

    Origins that nothing tells apart stand together under the names of all of them,
    joined by ``+``.
    """
    read = builder.imports if on == "chips" else builder.use
    found: Flows = defaultdict(list)
    for flow in read(
        destination, segments, [t for t in builder.n.years if policy.active(t)]
    ):
        if flow.origins and flow.origins <= origins:
            found["+".join(sorted(flow.origins)), flow.year].append(flow.term)
    return dict(found)


def inputs(
    builder: ModelBuilder, policy: Policy, name: str, supplier: str, destination: str
) -> Flows:
    """Return what a place gets of an input from a supplier, by supplier and year."""
    found: Flows = defaultdict(list)
    for t, term in builder.inputs(
        name, supplier, destination, [t for t in builder.n.years if policy.active(t)]
    ):
        found[supplier, t].append(term)
    return dict(found)


def license_flows(
    builder: ModelBuilder,
    policy: Policy,
    flows: Flows,
    quota: dict[int, Any],
    *,
    holder: dict[str, str],
    unit: str,
    meaning: str,
    fine_to: str = "",
) -> None:
    r"""Let flows through under licence only, and hold the licences of a year to the quota.

    .. math:: flow_{o,t} \le licence_{o,t} + over_{o,t}, \qquad \sum_o licence_{o,t} \le quota_t

    Licences belong to their holder, so that the rent of the quota, its dual times the quota, is a
    gain of the holder and of nobody else. ``over`` is there if the policy has a ``price_cap``: the
    fine on it goes to a treasury.

    Parameters
    ----------
    quota : dict
        Quota by year, kwpm or index units.
    holder : dict
        Agent that holds the licences of each origin.
    fine_to : str
        Treasury that receives the fine.
    """
    soft = getattr(policy, "price_cap", None) is not None
    licence = builder.variable("licence", list(flows), lambda o, t: holder[o], policy)
    over = builder.variable("over", list(flows) if soft else [], "traders", policy)
    builder.balance(
        "licensed",
        list(flows),
        lambda o, t: (
            licence[o, t] + (over[o, t] if soft else 0.0) - pyo.quicksum(flows[o, t])
        ),
        unit=unit,
        meaning="price of a licence",
        equal=False,
        policy=policy,
    )
    by_year: dict[int, list[Any]] = defaultdict(list)
    beyond: dict[int, list[Any]] = defaultdict(list)
    for o, t in flows:
        by_year[t].append(licence[o, t])
        if soft:
            beyond[t].append(over[o, t])
    # Owned by the agents of the licences in it: where exporters hold them, each keeps
    # its part.
    builder.limit(
        "quota",
        [(t,) for t in by_year],
        lambda t: quota[t] - pyo.quicksum(by_year[t]),
        owner="agent",
        unit=unit,
        meaning=meaning,
        policy=policy,
    )
    for t in by_year:
        builder.measure(
            policy,
            "limited_flow",
            t,
            pyo.quicksum(x for (_, q), terms in flows.items() if q == t for x in terms),
            unit,
        )
        if soft:
            fine = per_kwpm_year(1.0) * builder.num(policy, "price_cap")
            builder.transfer(
                "fine",
                t,
                fine * pyo.quicksum(beyond[t]),
                payer="agent",
                receiver=Party("treasury", fine_to).label,
                policy=policy,
            )
            builder.measure(policy, "flow_over_quota", t, pyo.quicksum(beyond[t]), unit)


def holders(
    flows: Flows, rent_to: RentTo, importer: str, imposer: str
) -> dict[str, str]:
    """Return who holds the licences of each origin."""
    if rent_to == "exporter":
        return {o: Party("licence", o).label for o, _ in flows}
    if rent_to == "importer":
        return dict.fromkeys((o for o, _ in flows), Party("licence", importer).label)
    return dict.fromkeys((o for o, _ in flows), Party("treasury", imposer).label)


def told(
    user: str, segments: tuple[str, ...], origins: frozenset[str], each: bool
) -> list[tuple[str, tuple[str, ...], frozenset[str]]]:
    """Return origins to tell apart inside devices: as a set, or each by itself."""
    sets = [frozenset({r}) for r in sorted(origins)] if each else [origins]
    return [(user, segments, members) for members in sets]


def routes(
    parameters: Parameters,
    destination: str,
    origins: frozenset[str],
    segments: tuple[str, ...],
    on: On,
) -> bool:
    """Whether chips of some origins can reach a place at all."""
    n = parameters
    reached = (
        destination in n.sold if on == "chips" else n.users.get(destination, 0.0) > 0
    )
    return reached and any(r in origins and s in segments for r, s in n.places)


def own_chips(
    field: str, origins: tuple[str, ...], importer: str
) -> list[tuple[str, str, str]]:
    """Return the problem of an importer among its own origins."""
    return (
        [(field, f"'{importer}' is the importer itself", "leave it out")]
        if importer in origins
        else []
    )


def no_route(
    n: Parameters,
    destination: str,
    origins: frozenset[str],
    segments: tuple[str, ...],
    on: On,
) -> list[tuple[str, str, str]]:
    """Return the problem of a route on which nothing can flow."""
    known = destination in n.regions and origins and origins <= set(n.regions)
    if not known or routes(n, destination, origins, segments, on):
        return []
    return [
        (
            "origins",
            f"no chips of {', '.join(sorted(origins))} can reach {destination}",
            "name origins that make the segments and a place that buys them",
        )
    ]


def no_channel(
    n: Parameters,
    origin: str,
    destination: str,
    segments: tuple[str, ...],
    on: On | None,
    name: str | None,
) -> list[tuple[str, str, str]]:
    """Return the problem of chips or an input that cannot flow from a region to another."""
    if name is None:
        return (
            no_route(n, destination, frozenset({origin}), segments, on or "chips")
            if origin in n.regions
            else []
        )
    if name not in n.upstream:
        return [("input", f"'{name}' is not known", "use " + ", ".join(n.upstream))]
    if origin in n.regions and origin not in n.upstream[name].shares:
        return [
            (
                "input",
                f"{origin} supplies no {name}",
                "suppliers: " + ", ".join(sorted(n.upstream[name].shares)),
            )
        ]
    return []


Quota = Annotated[Annotated[float, Field(ge=0, le=1e5)] | None, Number("kwpm")]


PriceCap = Annotated[Annotated[float, Field(gt=0, le=1e6)] | None, Number("USD/wafer")]


def _goods(on: str | None, segments: tuple[str, ...], names: DisplayNames) -> str:
    return f"{'bare chips' if on == 'chips' else 'chips in everything used'}{names.only(segments)}"


def _rent(rent_to: RentTo, price_cap: float | None) -> str:
    owner = {
        "exporter": "exporters",
        "importer": "importers",
        "treasury": "the treasury",
    }[rent_to]
    beyond = (
        ""
        if price_cap is None
        else f", and {dollars(price_cap)} are paid for a wafer beyond"
    )
    return f"the licences belong to {owner}{beyond}"
