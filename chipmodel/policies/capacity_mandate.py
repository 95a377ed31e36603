"""Mandates for capacity in a region."""

from __future__ import annotations

import math
from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field, model_validator

from chipmodel.common import pyo
from chipmodel.common.ids import REGION_PATTERN
from chipmodel.common.text import exact_percent, millions
from chipmodel.policies.base import (
    Derived,
    DisplayNames,
    Issue,
    Number,
    Policy,
    PolicyYear,
    unknown,
)
from chipmodel.policies.builds import Bearer, fleet_of
from chipmodel.solver.ledger import Party
from chipmodel.solver.polynomials import present

if TYPE_CHECKING:
    from chipmodel.model.lp.builder import ModelBuilder
    from chipmodel.model.parameters.parameters import Parameters
    from chipmodel.model.parameters.sites import Site


class CapacityMandate(Policy):
    r"""A minimum of capacity of a segment must be in service in a region, and be used.

    The target is ``kwpm``, or ``share`` of the world capacity that ``world_capacity``
    gives: numbers of a reference case, because a share of the capacity of this case
    could be met by building less elsewhere. In each year

    .. math:: fleet + \sum_i service_{i,t} \, build_i + short_t \ge target_t

    .. math:: \sum_i output_{i,t} \ge u_{min} (target_t - short_t)

    so that idle fabs do not count; in a disruption u_min is lowered to what can run.
    With a ``price_cap`` the rule is soft: what is short is fined.

    Who bears it: ``makers``, those that build lose what the mandate costs them;
    ``treasury``, new capacity is paid the dual of the first row each year and output
    that of the second, and the treasury bears both (and the fine, to itself).

    The dual of the first row is the yearly payment that the last kwpm needs. Paid to
    all new capacity instead of the mandate, it gives the same value.
    """

    kind: ClassVar[str] = "capacity_mandate"
    law: ClassVar[str] = (
        "A binding target for capacity at home: a fifth of the world by 2030, so many"
        " wafers a month."
    )
    dual: ClassVar[str] = "yearly payment that one more kwpm in service needs"
    example: ClassVar[str] = """
id = "leading_edge_at_home"
region = "USA"
segment = "logic_lt10"
kwpm = 300
borne_by = "treasury"
price_cap = 200
years = [2032, 2041]
source = "own"
"""

    region: str = Field(
        pattern=REGION_PATTERN,
        description="Region in which capacity must be in service.",
    )
    segment: str = Field(description="Segment.")
    kwpm: Annotated[Annotated[float, Field(ge=0, le=1e6)] | None, Number("kwpm")] = (
        Field(default=None, description="Minimum capacity in service.")
    )
    share: Annotated[Annotated[float, Field(ge=0, le=1)] | None, Number("share")] = (
        Field(
            default=None,
            description="Minimum share of the world capacity given, instead of kwpm.",
        )
    )
    world_capacity: tuple[
        tuple[PolicyYear, Annotated[float, Field(gt=0, le=1e7)]], ...
    ] = Field(
        default=(),
        description=(
            "World capacity by year, kwpm, in a reference case; years between are"
            " interpolated."
        ),
    )
    borne_by: Bearer = Field(description="Who bears what it costs.")
    price_cap: Annotated[
        Annotated[float, Field(gt=0, le=1e6)] | None, Number("MUSD/kwpm/year")
    ] = Field(default=None, description="Fine per year and kwpm short.")

    @model_validator(mode="after")
    def _one_target(self) -> CapacityMandate:
        if (self.kwpm is None) == (self.share is None):
            raise ValueError("give either kwpm or share")
        if (self.share is None) != (not self.world_capacity):
            raise ValueError(
                "world_capacity goes with share, and share with world_capacity"
            )
        # Interpolation needs years in order.
        years = [year for year, _ in self.world_capacity]
        if any(year >= following for year, following in pairwise(years)):
            raise ValueError("world_capacity: years must rise")
        return self

    def describe(self, names: DisplayNames) -> str:
        """Return what must be in service where, and who bears the cost."""
        if self.share is None:
            target = f"{self.kwpm:g} kwpm"
        else:
            target = f"{exact_percent(self.share)} of the world capacity given"
        bearer = "the treasury" if self.borne_by == "treasury" else "its makers"
        fine = ""
        if self.price_cap is not None:
            fine = f", or {millions(self.price_cap)} a year is paid per kwpm short"
        return (
            f"at least {target} of {names(self.segment)} is in service in"
            f" {names(self.region)} and used, at the cost of {bearer}{fine}"
        )

    @property
    def inactive(self) -> bool:
        """Whether the target is zero."""
        return self.kwpm == 0 or self.share == 0

    def target(self, year: int) -> float:
        """Return the target in a year, kwpm; world capacity is interpolated."""
        if self.share is None:
            return self.kwpm or 0.0
        # Of a reference case: a share of the capacity of this case could be met by
        # building less elsewhere.
        capacity = dict(self.world_capacity)
        before = max(t for t in capacity if t <= year)
        after = min(t for t in capacity if t >= year)
        part = (year - before) / (after - before) if after > before else 0.0
        rise = capacity[after] - capacity[before]
        return self.share * (capacity[before] + part * rise)

    def problems(self, parameters: Parameters) -> list[Issue]:
        """Return names that do not exist and years without a target."""
        issues = [
            *super().problems(parameters),
            *unknown("region", (self.region,), parameters.regions),
        ]
        segments = parameters.segments
        if self.segment not in segments:
            what = f"'{self.segment}' is not known"
            fix = "use one of " + ", ".join(segments)
            issues.append(Issue("segment", what, fix))
        years = self._in_force(parameters)
        if self.world_capacity and years:
            first, last = self.world_capacity[0][0], self.world_capacity[-1][0]
            if years[0] < first or last < years[-1]:
                what = f"does not reach from {years[0]} to {years[-1]}"
                issues.append(Issue("world_capacity", what, "add the missing years"))
        return issues

    def impossible(self, parameters: Parameters) -> list[Issue]:
        """Return the first target that nothing can meet in time."""
        # With a fine the rule can always be met.
        if self.price_cap is not None:
            return []
        sites = parameters.sites.of(self.region, self.segment)
        for t in self._in_force(parameters):
            maximum = sum(_maximum(site, t) for site in sites)
            if self.target(t) > maximum:
                what = (
                    f"asks for {self.target(t):g} kwpm in {t}, when at most"
                    f" {maximum:g} can be in service"
                )
                return [Issue("years", what, "start later, or give price_cap")]
        return []

    def derived(self, parameters: Parameters) -> list[Derived]:
        """Return the target by year."""
        return [
            Derived(f"target of {t}", self.target(t), "kwpm")
            for t in self._in_force(parameters)
        ]

    def _in_force(self, parameters: Parameters) -> list[int]:
        return [t for t in parameters.years if self.active(t)]

    def add(self, builder: ModelBuilder) -> None:
        """Require capacity and its use, of makers or of a treasury that buys both."""
        parameters = builder.parameters
        years = self._in_force(parameters)
        fleet = fleet_of(parameters.sites.of(self.region, self.segment))
        added: dict[int, Any] = {
            t: builder.added(self.region, self.segment, t) for t in years
        }
        output = self._output(builder, years)
        for t in years:
            builder.measure(self, "new_capacity", t, added[t], "kwpm")
            builder.measure(self, "output", t, output[t], "kwpm")
        owner = "agent"
        # Where the treasury bears the cost, the rows hold what it buys and not what is
        # built, so that new capacity is paid the dual and does not lose it.
        if self.borne_by == "treasury":
            owner = Party("treasury", self.region).label
            added, output = self._bought(builder, added, output, owner)
        short = self._short(builder, years)
        trough = parameters.use[self.segment, "u_min"]
        # In a disruption only a part of capacity can run.
        minimum_use = {
            t: trough * parameters.run_share(self.region, self.segment, t)
            for t in years
        }
        # `present` and not `> 0`: in a sweep the target is a polynomial.
        rows = [(t,) for t in years if present(self.target(t))]
        builder.limit(
            "mandate",
            rows,
            lambda t: fleet + added[t] + short[t] - self.target(t),
            owner=owner,
            unit="kwpm in service",
            meaning=self.dual,
            policy=self,
            asks=self.target,
        )
        builder.limit(
            "mandate_in_use",
            rows,
            lambda t: output[t] - minimum_use[t] * (self.target(t) - short[t]),
            owner=owner,
            unit="kwpm made",
            meaning="payment that one more kwpm made needs, for a year",
            policy=self,
        )

    def _output(self, builder: ModelBuilder, years: list[int]) -> dict[int, Any]:
        """Return what the segment makes in the region by year, kwpm."""
        output: dict[int, list[Any]] = defaultdict(list)
        for site, t, term in builder.output(self.region):
            if site.segment == self.segment:
                output[t].append(term)
        return {t: pyo.quicksum(output[t]) for t in years}

    def _bought(
        self,
        builder: ModelBuilder,
        added: dict[int, Any],
        output: dict[int, Any],
        payer: str,
    ) -> tuple[dict[int, Any], dict[int, Any]]:
        """Let the treasury buy capacity and output at prices that bring them about."""
        rows = [(t,) for t in added]
        capacity = builder.variable("paid_capacity", rows, payer, self)
        made = builder.variable("paid_output", rows, payer, self)
        builder.balance(
            "capacity_paid",
            rows,
            lambda t: added[t] - capacity[t],
            unit="kwpm in service",
            equal=False,
            meaning="what the treasury pays a year for a kwpm of new capacity",
            policy=self,
        )
        builder.balance(
            "output_paid",
            rows,
            lambda t: output[t] - made[t],
            unit="kwpm made",
            equal=False,
            meaning="what the treasury pays for a kwpm made, for a year",
            policy=self,
        )
        paid_capacity = {t: capacity[t] for t in added}
        paid_output = {t: made[t] for t in added}
        return paid_capacity, paid_output

    def _short(self, builder: ModelBuilder, years: list[int]) -> dict[int, Any]:
        """Return what is short of the target by year, fined if the rule is soft."""
        if self.price_cap is None:
            return dict.fromkeys(years, 0.0)
        treasury = Party("treasury", self.region).label
        agent = treasury
        if self.borne_by == "makers":
            agent = Party("makers", self.region).label
        short = builder.variable("short", [(t,) for t in years], agent, self)
        for t in years:
            builder.transfer(
                "fine",
                t,
                self.price_cap * short[t],
                payer="agent",
                receiver=treasury,
                policy=self,
            )
            builder.measure(self, "short_of_mandate", t, short[t], "kwpm")
        return {t: short[t] for t in years}


def _maximum(site: Site, year: int) -> float:
    """Return the maximum a site can have in service in a year, kwpm.

    It is infinite once a greenfield plant can be ready.
    """
    if site.kind == "fleet":
        return site.size or 0.0
    share = max((site.in_service(build, year) for build in site.builds), default=0.0)
    # Apart from the product below: zero times infinity is not a number.
    if share <= 0:
        return 0.0
    return math.inf if site.size is None else share * site.size
