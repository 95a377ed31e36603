"""Terms between trading partners that relieve duties: free-trade areas and allowances linked to capacity."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import pyomo.environ as pyo
from pydantic import Field

from chipmodel.common.ids import ID_PATTERN, REGION_PATTERN
from chipmodel.common.text import exact_percent
from chipmodel.model.parameters.duties import LAYERS, Levy, Relief
from chipmodel.policies.base import (
    ALL,
    DisplayNames,
    Number,
    Policy,
    PolicyYear,
    chosen,
    unknown,
)
from chipmodel.policies.tariff import Tariff
from chipmodel.solver.ledger import Party
from chipmodel.solver.polynomials import present

if TYPE_CHECKING:
    from chipmodel.model.lp.builder import ModelBuilder
    from chipmodel.model.parameters.duties import Flow
    from chipmodel.model.parameters.parameters import Parameters
    from chipmodel.model.parameters.sites import Site


EARNED = "earned_by_"
"""Prefix of the item of the policies table that holds what a firm earned."""


class CapacityLinkedQuota(Policy):
    r"""An allowance free of a duty, earned by building in the importing region.

    The partner's makers who build in the region that levies the duty may bring in chips
    of the partner free of the tariff named in ``relieves``, up to a multiple of what
    they newly build:

    .. math:: \sum exempt_t \le k \cdot building_t + k' \cdot running_t, \qquad exempt \le flow

    ``building`` is capacity under construction and ``running`` capacity in service, of makers at home
    in the partner, begun in ``approved_from`` or later; a project begun before that earns nothing.
    Only capacity that comes on line within the horizon can be begun, so what never comes on line
    earns none. Above the allowance the tariff applies, or ``rate_above`` if it is lower. The
    allowance is refunded by the treasury that levies the tariff.

    The allowance works like certificates that builders earn and importers use. Its dual
    is the price of a certificate: k times it a year goes to each kwpm under
    construction, k' times it to each in service, to the makers in whose name the ledger
    counts what was earned.
    """

    kind: ClassVar[str] = "capacity_linked_quota"
    law: ClassVar[str] = (
        "A duty-free allowance for firms that build, as in the US-Taiwan terms of"
        " January 2026."
    )
    dual: ClassVar[str] = (
        "price of a certificate: what one more duty-free wafer is worth, USD per wafer"
    )
    example: ClassVar[str] = """
id = "taiwan_terms"
relieves = "s232"
partner = "TWN"
under_construction = 2.5
in_service = 1.5
approved_from = 2026
rate_above = 0.15
years = [2027, 2041]
source = "us_taiwan_2026"
"""

    relieves: str = Field(
        pattern=ID_PATTERN, description="Id of the tariff it relieves, on bare chips."
    )
    partner: str = Field(
        pattern=REGION_PATTERN,
        description="Region whose chips are relieved and whose makers earn.",
    )
    segments: tuple[str, ...] = Field(
        default=ALL, description="Segments that earn and that are relieved."
    )
    under_construction: Annotated[float, Field(ge=0, le=100), Number("factor")] = Field(
        description="kwpm free of duty per kwpm under construction."
    )
    in_service: Annotated[float, Field(ge=0, le=100), Number("factor")] = Field(
        description="kwpm free of duty per kwpm in service."
    )
    approved_from: PolicyYear = Field(
        description="First year in which construction that earns may begin."
    )
    rate_above: Annotated[
        Annotated[float, Field(ge=0, le=10)] | None, Number("share")
    ] = Field(
        default=None,
        description="Rate of the tariff above the allowance; none: the full rate.",
    )

    def describe(self, names: DisplayNames) -> str:
        """Who may bring in how much, and what is due above."""
        above = (
            "the full rate"
            if self.rate_above is None
            else f"at most {exact_percent(self.rate_above)}"
        )
        partner, what = names(self.partner), names.only(self.segments)
        return (
            f"for each kwpm that firms of {partner} newly build where {self.relieves}"
            f" is levied (begun in {self.approved_from} or later),"
            f" {self.under_construction:g} kwpm of chips{what} from {partner} are free"
            f" of it during construction and {self.in_service:g} in service; above that"
            f" {above} is due"
        )

    @property
    def inactive(self) -> bool:
        """Without multiples and without a lower rate it does nothing."""
        return (
            self.under_construction == 0
            and self.in_service == 0
            and self.rate_above is None
        )

    def problems(self, parameters: Parameters) -> list[tuple[str, str, str]]:
        """Return names that do not exist."""
        n = parameters
        return [
            *super().problems(n),
            *unknown("partner", (self.partner,), n.regions),
            *unknown("segments", self.segments, n.segments),
        ]

    def conflicts_with(
        self, others: Mapping[str, Policy]
    ) -> list[tuple[str, str, str]]:
        """Return what is wrong with the tariff it names, and a second allowance on the same chips."""
        tariff = others.get(self.relieves)
        if not isinstance(tariff, Tariff):
            ids = [p.id for p in others.values() if isinstance(p, Tariff)]
            return [
                (
                    "relieves",
                    f"no tariff '{self.relieves}' in the case",
                    "tariffs: " + (", ".join(ids) or "none"),
                )
            ]
        found = []
        if tariff.on == "use":
            found.append(
                (
                    "relieves",
                    f"'{tariff.id}' falls on use",
                    "name a tariff on bare chips (on = 'chips')",
                )
            )
        if self.partner == tariff.importer:
            found.append(
                (
                    "partner",
                    f"{self.partner} levies the tariff itself",
                    "name the partner it falls on",
                )
            )
        for other in others.values():
            if (
                not isinstance(other, CapacityLinkedQuota)
                or other.id == self.id
                or not _overlap(self, other)
            ):
                continue
            if (other.relieves, other.partner) == (self.relieves, self.partner):
                found.append(
                    (
                        "relieves",
                        f"'{other.id}' relieves the same chips of the same tariff",
                        "keep one",
                    )
                )
        return found

    def reliefs(self, parameters: Parameters) -> list[Relief]:
        """The lower rate above the allowance."""
        if self.rate_above is None:
            return []
        return [
            Relief(
                self.id,
                frozenset(parameters.regions),
                frozenset({self.partner}),
                frozenset(chosen(self.segments, parameters.segments)),
                self.years,
                frozenset(LAYERS),
                frozenset({self.relieves}),
                self.rate_above,
            )
        ]

    def add(self, builder: ModelBuilder) -> None:
        """Refund the duty on what is exempt, and hold it to what has been earned."""
        levy = builder.duties.levy(self.relieves)
        if levy is None:
            return
        flows = self._flows(builder, levy)
        duty = {
            key: builder.duty_of(self.relieves, levy.importer, levy.on, flow)
            for key, flow in flows.items()
        }
        keys = [key for key in flows if present(duty[key])]
        scope = builder.num(
            next(p for p in builder.instruments if p.id == self.relieves), "scope"
        )
        exempt = builder.variable("exempt", keys, "traders", self)
        builder.balance(
            "exempted",
            keys,
            lambda s, r, a, t: scope * flows[s, r, a, t].term - exempt[s, r, a, t],
            unit="kwpm",
            meaning="price of a wafer that may be exempt",
            equal=False,
            policy=self,
        )
        earned = self._earned(builder, levy.importer)
        used: dict[int, list[Any]] = defaultdict(list)
        refund: dict[int, list[Any]] = defaultdict(list)
        for key in keys:
            s, _, _, t = key
            used[t].append(exempt[key])
            refund[t].append(
                duty[key] / scope * builder.n.prices.dutiable[s] * exempt[key]
            )
        builder.balance(
            "allowance",
            [(t,) for t in used],
            lambda t: (
                pyo.quicksum(x for terms in earned[t].values() for x in terms)
                - pyo.quicksum(used[t])
            ),
            unit="kwpm",
            meaning=self.dual,
            equal=False,
            policy=self,
        )
        for t in used:
            builder.transfer(
                "allowance",
                t,
                pyo.quicksum(refund[t]),
                payer=Party("treasury", levy.importer).label,
                receiver="agent",
                policy=self,
            )
            builder.measure(self, "exempt_flow", t, pyo.quicksum(used[t]), "kwpm")
            for firm, terms in earned[t].items():
                builder.measure(self, f"{EARNED}{firm}", t, pyo.quicksum(terms), "kwpm")

    def _flows(
        self, builder: ModelBuilder, levy: Levy
    ) -> dict[tuple[str, str, str, int], Flow]:
        """Return the partner's chips, by the tariff's own rule of origin."""
        n = builder.n
        found = {}
        for flow in builder.imports(
            levy.importer,
            chosen(self.segments, n.segments),
            [t for t in n.years if self.active(t)],
        ):
            (made,) = flow.origins
            if levy.origin(made, flow.assembled) == self.partner:
                found[flow.segment, made, flow.assembled or "", flow.year] = flow
        return found

    def _earned(
        self, builder: ModelBuilder, region: str
    ) -> dict[int, dict[str, list[Any]]]:
        """Return what has been earned by year and firm."""
        n = builder.n
        building, running = (
            builder.num(self, "under_construction"),
            builder.num(self, "in_service"),
        )
        earned: dict[int, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
        for t in n.years:
            for site, under_way, in_service, term in builder.pipeline(
                region, chosen(self.segments, n.segments), t, self.approved_from
            ):
                if self._earns(site, n):
                    earned[t][site.firm].append(
                        (building * under_way + running * in_service) * term
                    )
        return earned

    def _earns(self, site: Site, n: Parameters) -> bool:
        new = site.started is None or site.started >= self.approved_from
        return new and n.home(site.firm, site.region) == self.partner


def _overlap(one: Policy, other: Policy) -> bool:
    return one.years[0] <= other.years[1] and other.years[0] <= one.years[1]
