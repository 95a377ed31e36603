"""Duty-free allowances earned by building in the importing region."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from chipmodel.common import pyo
from chipmodel.common.ids import ID_PATTERN, REGION_PATTERN
from chipmodel.common.text import exact_percent
from chipmodel.model.parameters.duties import LAYERS, Levy, Relief
from chipmodel.policies.base import (
    ALL,
    DisplayNames,
    Issue,
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


def _in_common(left: tuple[str, ...], right: tuple[str, ...]) -> bool:
    """Whether two fields of names mean something in common."""
    return ALL in (left, right) or not set(left).isdisjoint(right)


EARNED = "earned_by_"
"""Prefix of the item of the policies table that holds what a firm earned."""


class CapacityLinkedQuota(Policy):
    r"""An allowance free of a duty, earned by building in the importing region.

    The partner's makers who build in the region that levies the duty may import chips
    of the partner free of the tariff named in ``relieves``, up to a multiple of what
    they newly build:

    .. math::
        \sum exempt_t \le k \cdot building_t + k' \cdot running_t,
        \qquad exempt \le flow

    ``building`` is capacity under construction and ``running`` capacity in service, of
    makers at home in the partner, started in ``approved_from`` or later; a project
    started before that earns nothing. Only capacity that comes on line within the
    horizon can be started, so what never comes on line earns none. Above the allowance
    the tariff applies, or ``rate_above`` if it is lower. The allowance is refunded by
    the treasury that levies the tariff.

    The allowance works like certificates that builders earn and importers use. Its dual
    is the price of a certificate: k times it per year goes to each kwpm under
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
        description="First year in which construction that earns may start."
    )
    rate_above: Annotated[
        Annotated[float, Field(ge=0, le=10)] | None, Number("share")
    ] = Field(
        default=None,
        description="Rate of the tariff above the allowance; none: the full rate.",
    )

    def describe(self, names: DisplayNames) -> str:
        """Return who may import how much, and what is due above."""
        partner = names(self.partner)
        above = "the full rate"
        if self.rate_above is not None:
            above = f"at most {exact_percent(self.rate_above)}"
        chips = f"chips{names.only(self.segments)} from {partner}"
        return (
            f"for each kwpm that firms of {partner} newly build where {self.relieves}"
            f" is levied (started in {self.approved_from} or later),"
            f" {self.under_construction:g} kwpm of {chips} are free of it during"
            f" construction and {self.in_service:g} in service; above that {above} is"
            " due"
        )

    @property
    def inactive(self) -> bool:
        """Whether it has neither multiples nor a lower rate."""
        multiples = (self.under_construction, self.in_service)
        return multiples == (0, 0) and self.rate_above is None

    def problems(self, parameters: Parameters) -> list[Issue]:
        """Return names that do not exist."""
        return [
            *super().problems(parameters),
            *unknown("partner", (self.partner,), parameters.regions),
            *unknown("segments", self.segments, parameters.segments),
        ]

    def conflicts_with(self, others: Mapping[str, Policy]) -> list[Issue]:
        """Return what is wrong with its tariff, and other allowances on its chips."""
        tariffs = [policy for policy in others.values() if isinstance(policy, Tariff)]
        tariff = next((t for t in tariffs if t.id == self.relieves), None)
        if tariff is None:
            known = ", ".join(tariff.id for tariff in tariffs) or "none"
            what = f"no tariff '{self.relieves}' in the case"
            return [Issue("relieves", what, f"tariffs: {known}")]
        issues = []
        if tariff.on == "use":
            what = f"'{tariff.id}' falls on use"
            fix = "name a tariff on bare chips (on = 'chips')"
            issues.append(Issue("relieves", what, fix))
        if self.partner == tariff.importer:
            what = f"{self.partner} levies the tariff itself"
            issues.append(Issue("partner", what, "name the partner it falls on"))
        elif not tariff.dutiable((self.partner,)):
            what = f"'{tariff.id}' does not fall on {self.partner}"
            issues.append(Issue("partner", what, "name a partner it falls on"))
        if not _in_common(self.segments, tariff.segments):
            what = f"'{tariff.id}' falls on none of them"
            fix = f"name some of {', '.join(tariff.segments)}"
            issues.append(Issue("segments", what, fix))
        for other in others.values():
            if isinstance(other, CapacityLinkedQuota) and self._duplicates(other):
                what = f"'{other.id}' relieves the same chips of the same tariff"
                issues.append(Issue("relieves", what, "remove one of them"))
        return issues

    def _duplicates(self, other: CapacityLinkedQuota) -> bool:
        """Whether another allowance relieves the same chips at the same time."""
        return (
            other.id != self.id
            and (other.relieves, other.partner) == (self.relieves, self.partner)
            and self.years[0] <= other.years[1]
            and other.years[0] <= self.years[1]
        )

    def reliefs(self, parameters: Parameters) -> list[Relief]:
        """Return the lower rate above the allowance."""
        if self.rate_above is None:
            return []
        return [
            Relief(
                policy=self.id,
                importers=frozenset(parameters.regions),
                origins=frozenset({self.partner}),
                segments=frozenset(chosen(self.segments, parameters.segments)),
                years=self.years,
                layers=frozenset(LAYERS),
                tariffs=frozenset({self.relieves}),
                rate=self.rate_above,
            )
        ]

    def add(self, builder: ModelBuilder) -> None:
        """Refund the duty on what is exempt, and limit it to what has been earned."""
        levy = builder.duties.levy(self.relieves)
        # A tariff with a rate of zero is left out of the schedule: nothing to refund.
        if levy is None:
            return
        flows = self._flows(builder, levy)
        duty = {
            key: builder.duty_of(self.relieves, levy.importer, levy.on, flow)
            for key, flow in flows.items()
        }
        dutiable = builder.parameters.prices.dutiable
        keys = [key for key in flows if present(duty[key])]
        # From the instrument and not from the levy: while a sweep is compiled it may
        # be a polynomial.
        scope = next(
            policy.scope
            for policy in builder.instruments
            if isinstance(policy, Tariff) and policy.id == self.relieves
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
            # The duty is a share of the whole flow; of the flow in scope it is more.
            refund[t].append(duty[key] / scope * dutiable[s] * exempt[key])

        def allowance(t: int) -> Any:
            # All makers of the partner share one allowance: certificates are traded.
            certificates: list[Any] = []
            for terms in earned[t].values():
                certificates += terms
            return pyo.quicksum(certificates) - pyo.quicksum(used[t])

        builder.balance(
            "allowance",
            [(t,) for t in used],
            allowance,
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
                certificates = pyo.quicksum(terms)
                builder.measure(self, f"{EARNED}{firm}", t, certificates, "kwpm")

    def _flows(
        self, builder: ModelBuilder, levy: Levy
    ) -> dict[tuple[str, str, str, int], Flow]:
        """Return the partner's chips, by the tariff's own rule of origin."""
        parameters = builder.parameters
        segments = chosen(self.segments, parameters.segments)
        years = [t for t in parameters.years if self.active(t)]
        flows = {}
        for flow in builder.imports(levy.importer, segments, years):
            # Bare chips have one origin; only flows inside devices are pooled.
            (made,) = flow.origins
            if levy.origin(made, flow.assembled) == self.partner:
                flows[flow.segment, made, flow.assembled or "", flow.year] = flow
        return flows

    def _earned(
        self, builder: ModelBuilder, region: str
    ) -> dict[int, dict[str, list[Any]]]:
        """Return the certificates earned by year and firm, kwpm."""
        parameters = builder.parameters
        segments = chosen(self.segments, parameters.segments)
        building, running = self.under_construction, self.in_service
        earned: dict[int, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
        for t in parameters.years:
            pipeline = builder.pipeline(region, segments, t, self.approved_from)
            for site, under_way, in_service, term in pipeline:
                if self._earns(site, parameters):
                    certificates = building * under_way + running * in_service
                    earned[t][site.firm].append(certificates * term)
        return earned

    def _earns(self, site: Site, parameters: Parameters) -> bool:
        # A site whose construction has not started is new.
        new = site.started is None or site.started >= self.approved_from
        return new and parameters.home(site.firm, site.region) == self.partner
