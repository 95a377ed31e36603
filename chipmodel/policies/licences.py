"""Common parts of rules on the quantity of trade: flows, licences, routes."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from chipmodel.common import pyo
from chipmodel.common.text import dollars
from chipmodel.common.units import per_kwpm_year
from chipmodel.model.parameters.duties import Distinction
from chipmodel.policies.base import DisplayNames, Issue, Number, Policy
from chipmodel.solver.ledger import Party

if TYPE_CHECKING:
    from chipmodel.model.lp.builder import ModelBuilder
    from chipmodel.model.parameters.parameters import Parameters

RentTo = Literal["exporter", "importer", "treasury"]

On = Literal["chips", "use"]

Quota = Annotated[Annotated[float, Field(ge=0, le=1e5)] | None, Number("kwpm")]

Flows = dict[tuple[str, int], list[Any]]
"""What a rule limits, by place of origin and year."""


def chip_flows(
    builder: ModelBuilder,
    policy: Policy,
    destination: str,
    origins: frozenset[str],
    segments: tuple[str, ...],
    on: On,
) -> Flows:
    """Return the chips of some origins that a place buys (or uses), by origin and year.

    Origins that no rule distinguishes come together, under their names joined by ``+``.
    """
    years = [t for t in builder.parameters.years if policy.active(t)]
    flows: Flows = defaultdict(list)
    for flow in builder.flows(on, destination, segments, years):
        # A class of origins belongs to the rule as a whole or not at all.
        if flow.origins and flow.origins <= origins:
            flows["+".join(sorted(flow.origins)), flow.year].append(flow.term)
    return dict(flows)


def input_flows(
    builder: ModelBuilder, policy: Policy, name: str, supplier: str, destination: str
) -> Flows:
    """Return what a place gets of an input from a supplier, by supplier and year."""
    years = [t for t in builder.parameters.years if policy.active(t)]
    flows: Flows = defaultdict(list)
    for t, term in builder.inputs(name, supplier, destination, years):
        flows[supplier, t].append(term)
    return dict(flows)


def license_flows(
    builder: ModelBuilder,
    policy: Policy,
    flows: Flows,
    quota: dict[int, Any],
    *,
    holder: dict[str, str],
    unit: str,
    meaning: str,
    price_cap: Any,
    fine_to: str,
) -> None:
    r"""Let flows through under licence only, and limit the licences of a year.

    .. math::
        flow_{o,t} \le licence_{o,t} + over_{o,t},
        \qquad \sum_o licence_{o,t} \le quota_t

    Licences belong to their holder, so that the rent of the quota, its dual times the
    quota, is a gain of the holder and of nobody else. ``over`` exists if there is a
    `price_cap`: the fine on it goes to a treasury.

    Parameters
    ----------
    quota : dict
        Quota by year, kwpm or index units.
    holder : dict
        Agent that holds the licences of each origin.
    price_cap : float or None
        Fine on what exceeds the quota, USD per wafer.
    fine_to : str
        Treasury that receives the fine.
    """
    soft = price_cap is not None
    # Traders earn nothing: they pass the fine on in their prices.
    licence = builder.variable("licence", list(flows), lambda o, t: holder[o], policy)
    over = builder.variable("over", list(flows) if soft else [], "traders", policy)

    def licensed(o: str, t: int) -> Any:
        allowed = licence[o, t] + (over[o, t] if soft else 0.0)
        return allowed - pyo.quicksum(flows[o, t])

    builder.balance(
        "licensed",
        list(flows),
        licensed,
        unit=unit,
        meaning="price of a licence",
        equal=False,
        policy=policy,
    )
    limited: dict[int, list[Any]] = defaultdict(list)
    licences: dict[int, list[Any]] = defaultdict(list)
    beyond: dict[int, list[Any]] = defaultdict(list)
    for (o, t), terms in flows.items():
        limited[t] += terms
        licences[t].append(licence[o, t])
        if soft:
            beyond[t].append(over[o, t])
    # Owned by the agents of the licences in the row: where exporters hold them, each
    # gets the rent of its own.
    builder.limit(
        "quota",
        [(t,) for t in licences],
        lambda t: quota[t] - pyo.quicksum(licences[t]),
        owner="agent",
        unit=unit,
        meaning=meaning,
        policy=policy,
    )
    for t, terms in limited.items():
        builder.measure(policy, "limited_flow", t, pyo.quicksum(terms), unit)
        if soft:
            excess = pyo.quicksum(beyond[t])
            builder.transfer(
                "fine",
                t,
                # The fine is per wafer, the flow in kwpm.
                per_kwpm_year(1.0) * price_cap * excess,
                payer="agent",
                receiver=Party("treasury", fine_to).label,
                policy=policy,
            )
            builder.measure(policy, "flow_over_quota", t, excess, unit)


def holders(
    flows: Flows, rent_to: RentTo, importer: str, imposer: str
) -> dict[str, str]:
    """Return the agent that holds the licences of each origin.

    Parameters
    ----------
    flows : dict
        What is limited, by origin and year.
    rent_to : str
        Who earns the rent: ``exporter``, ``importer`` or ``treasury``.
    importer : str
        Region that imports.
    imposer : str
        Region that makes the rule; its treasury sells the licences.
    """
    if rent_to == "exporter":
        return {o: Party("licence", o).label for o, _ in flows}
    party = Party("treasury", imposer)
    if rent_to == "importer":
        party = Party("licence", importer)
    return {o: party.label for o, _ in flows}


def distinctions(
    user: str, segments: tuple[str, ...], origins: frozenset[str], each: bool
) -> list[Distinction]:
    """Return origins to distinguish inside devices: as one set, or one by one."""
    if not each:
        return [Distinction(user, segments, origins)]
    return [Distinction(user, segments, frozenset({r})) for r in sorted(origins)]


def can_flow(
    parameters: Parameters,
    destination: str,
    origins: frozenset[str],
    segments: tuple[str, ...],
    on: On,
) -> bool:
    """Whether chips of some origins can reach a place at all."""
    if on == "chips" and destination not in parameters.sold:
        return False
    if on == "use" and parameters.users.get(destination, 0.0) <= 0:
        return False
    return any(r in origins and s in segments for r, s in parameters.places)


def own_chips(field: str, origins: tuple[str, ...], importer: str) -> list[Issue]:
    """Return the issue of an importer among the origins of its own imports."""
    if importer not in origins:
        return []
    return [Issue(field, f"'{importer}' is the importer itself", "leave it out")]


def no_route(
    parameters: Parameters,
    destination: str,
    origins: frozenset[str],
    segments: tuple[str, ...],
    on: On,
) -> list[Issue]:
    """Return the issue of a route on which nothing can flow."""
    regions = parameters.regions
    # Unknown names have an issue of their own.
    known = destination in regions and origins and origins <= set(regions)
    if not known or can_flow(parameters, destination, origins, segments, on):
        return []
    return [
        Issue(
            "origins",
            f"no chips of {', '.join(sorted(origins))} can reach {destination}",
            "name origins that make the segments and a place that buys them",
        )
    ]


def no_channel(
    parameters: Parameters,
    origin: str,
    destination: str,
    segments: tuple[str, ...],
    on: On | None,
    name: str | None,
) -> list[Issue]:
    """Return the issue of chips, or of an input, that cannot flow on a route.

    Parameters
    ----------
    origin, destination : str
        Ends of the route; for an input, the home of the supplier and the region of the
        fabs.
    segments : tuple of str
        Segments of chips.
    on : str or None
        ``chips`` or ``use``; none for an input.
    name : str or None
        The input; none for chips.
    """
    if origin not in parameters.regions and name is None:
        return []
    if name is None:
        origins = frozenset({origin})
        return no_route(parameters, destination, origins, segments, on or "chips")
    upstream = parameters.upstream
    if name not in upstream:
        return [Issue("input", f"'{name}' is not known", "use " + ", ".join(upstream))]
    suppliers = upstream[name].shares
    if origin in parameters.regions and origin not in suppliers:
        return [
            Issue(
                "input",
                f"{origin} supplies no {name}",
                "suppliers: " + ", ".join(sorted(suppliers)),
            )
        ]
    return []


def goods_name(on: str | None, segments: tuple[str, ...], names: DisplayNames) -> str:
    """Return the chips a rule is about, as part of a sentence."""
    goods = "bare chips" if on == "chips" else "chips in everything used"
    return f"{goods}{names.only(segments)}"


def rent_clause(rent_to: RentTo, price_cap: float | None) -> str:
    """Return who holds the licences and what a wafer beyond costs."""
    owner = "the treasury" if rent_to == "treasury" else f"{rent_to}s"
    clause = f"the licences belong to {owner}"
    if price_cap is None:
        return clause
    return f"{clause}, and {dollars(price_cap)} is paid per wafer beyond"
