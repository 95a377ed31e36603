"""Rules on where capacity stands."""

from __future__ import annotations

import math
from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import pyomo.environ as pyo
from pydantic import Field, model_validator

from chipmodel.common.ids import REGION_PATTERN
from chipmodel.common.text import exact_percent, millions
from chipmodel.policies.base import DisplayNames, Number, Policy, PolicyYear, unknown
from chipmodel.policies.builds import Bearer, fleet_of
from chipmodel.solver.ledger import Party
from chipmodel.solver.polynomials import present

if TYPE_CHECKING:
    from chipmodel.model.lp.builder import ModelBuilder
    from chipmodel.model.parameters.parameters import Parameters
    from chipmodel.model.parameters.sites import Site


class CapacityMandate(Policy):
    r"""At least so much capacity of a segment must stand in a region, and be used.

    The target is ``kwpm``, or ``share`` of the world capacity that ``world_capacity``
    gives: numbers of a reference case, because a share of the capacity of this case
    could be met by building less elsewhere. In each year

    .. math:: fleet + \sum_i service_{i,t} \, build_i + short_t \ge target_t

    .. math:: \sum_i output_{i,t} \ge u_{min} (target_t - short_t)

    so that idle fabs do not count; in a disruption u_min is lowered to what can run. With a
    ``price_cap`` the rule is soft: what is short is fined.

    Who bears it: ``makers``, those that build lose what the mandate costs them;
    ``treasury``, new capacity is paid the dual of the first row each year and output
    that of the second, and the treasury bears both (and the fine, to itself).

    The dual of the first row is the payment a year that the last kwpm needs. Paid to
    all new capacity instead of the mandate, it gives the same value.
    """

    kind: ClassVar[str] = "capacity_mandate"
    law: ClassVar[str] = (
        "A binding target for capacity at home: a fifth of the world by 2030, so many"
        " wafers a month."
    )
    dual: ClassVar[str] = "payment a year that one more kwpm in service needs"
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
        pattern=REGION_PATTERN, description="Region in which capacity must stand."
    )
    segment: str = Field(description="Segment.")
    kwpm: Annotated[Annotated[float, Field(ge=0, le=1e6)] | None, Number("kwpm")] = (
        Field(default=None, description="Least capacity in service.")
    )
    share: Annotated[Annotated[float, Field(ge=0, le=1)] | None, Number("share")] = (
        Field(
            default=None,
            description="Least share of the world capacity given, instead of kwpm.",
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
    ] = Field(default=None, description="Fine a year per kwpm short.")

    @model_validator(mode="after")
    def _one_target(self) -> CapacityMandate:
        if (self.kwpm is None) == (self.share is None):
            raise ValueError("give either kwpm or share")
        if (self.share is None) != (not self.world_capacity):
            raise ValueError(
                "world_capacity goes with share, and share with world_capacity"
            )
        if any(a >= b for (a, _), (b, _) in pairwise(self.world_capacity)):
            raise ValueError("world_capacity: years must rise")
        return self

    def describe(self, names: DisplayNames) -> str:
        """What must stand where, and who bears it."""
        most = (
            f"{self.kwpm:g} kwpm"
            if self.share is None
            else f"{exact_percent(self.share)} of the world capacity given"
        )
        fine = (
            ""
            if self.price_cap is None
            else f", or {millions(self.price_cap)} a year are paid for a kwpm short"
        )
        return (
            f"at least {most} of {names(self.segment)} stands in {names(self.region)}"
            " and runs, at the cost of"
            f" {'the treasury' if self.borne_by == 'treasury' else 'its makers'}{fine}"
        )

    @property
    def inactive(self) -> bool:
        """A zero target does nothing."""
        return self.kwpm == 0 or self.share == 0

    def target(self, year: int) -> float:
        """Return the target in a year, kwpm."""
        if self.share is None:
            return self.kwpm or 0.0
        given = dict(self.world_capacity)
        low, high = (
            max(t for t in given if t <= year),
            min(t for t in given if t >= year),
        )
        part = (year - low) / (high - low) if high > low else 0.0
        return self.share * (given[low] + part * (given[high] - given[low]))

    def problems(self, parameters: Parameters) -> list[tuple[str, str, str]]:
        """Return names that do not exist and years without a target."""
        n = parameters
        found = [*super().problems(n), *unknown("region", (self.region,), n.regions)]
        if self.segment not in n.segments:
            found.append(
                (
                    "segment",
                    f"'{self.segment}' is not known",
                    "use one of " + ", ".join(n.segments),
                )
            )
        years = self._in_force(n)
        if (
            self.world_capacity
            and years
            and not (
                self.world_capacity[0][0] <= years[0]
                and years[-1] <= self.world_capacity[-1][0]
            )
        ):
            found.append(
                (
                    "world_capacity",
                    f"does not reach from {years[0]} to {years[-1]}",
                    "add the missing years",
                )
            )
        return found

    def impossible(self, parameters: Parameters) -> list[tuple[str, str, str]]:
        """Return the first target that nothing can meet in time."""
        n = parameters
        sites = n.sites.of(self.region, self.segment)
        for t in self._in_force(n) if self.price_cap is None else ():
            most = sum(_most(site, t) for site in sites)
            if self.target(t) > most:
                what = (
                    f"asks for {self.target(t):g} kwpm in {t}, when at most {most:g}"
                    " can be in service"
                )
                return [("years", what, "start later, or give price_cap")]
        return []

    def derived(self, parameters: Parameters) -> list[tuple[str, float, str]]:
        """The target by year."""
        return [
            (f"target of {t}", self.target(t), "kwpm")
            for t in self._in_force(parameters)
        ]

    def _in_force(self, n: Parameters) -> list[int]:
        return [t for t in n.years if self.active(t)]

    def add(self, builder: ModelBuilder) -> None:
        """Ask for capacity and for its use, of the makers or of the treasury that buys both."""
        n, years = builder.n, self._in_force(builder.n)
        fleet = fleet_of(n.sites.of(self.region, self.segment))
        added: dict[int, Any] = {
            t: builder.added(self.region, self.segment, t) for t in years
        }
        made: dict[int, list[Any]] = defaultdict(list)
        for site, t, term in builder.output(self.region):
            if site.segment == self.segment:
                made[t].append(term)
        output: dict[int, Any] = {t: pyo.quicksum(made[t]) for t in years}
        for t in years:
            builder.measure(self, "new_capacity", t, added[t], "kwpm")
            builder.measure(self, "output", t, output[t], "kwpm")
        treasury = Party("treasury", self.region).label
        payer = treasury if self.borne_by == "treasury" else "agent"
        if self.borne_by == "treasury":
            added, output = self._bought(builder, added, output, payer)
        short = self._short(builder, years)
        trough = n.use[self.segment, "u_min"]
        least = {t: trough * n.run_share(self.region, self.segment, t) for t in years}
        rows = [(t,) for t in years if present(self.target(t))]
        builder.limit(
            "mandate",
            rows,
            lambda t: fleet + added[t] + short[t] - self.target(t),
            owner=payer,
            unit="kwpm in service",
            meaning=self.dual,
            policy=self,
            asks=self.target,
        )
        builder.limit(
            "mandate_in_use",
            rows,
            lambda t: output[t] - least[t] * (self.target(t) - short[t]),
            owner=payer,
            unit="kwpm made",
            meaning="payment that one more kwpm made needs, for a year",
            policy=self,
        )

    def _bought(
        self,
        builder: ModelBuilder,
        added: dict[int, Any],
        output: dict[int, Any],
        payer: str,
    ) -> tuple[dict[int, Any], dict[int, Any]]:
        """Let the treasury buy new capacity and output at prices that call them forth."""
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
        return {t: capacity[t] for t in added}, {t: made[t] for t in added}

    def _short(self, builder: ModelBuilder, years: list[int]) -> dict[int, Any]:
        if self.price_cap is None:
            return dict.fromkeys(years, 0.0)
        treasury = Party("treasury", self.region).label
        makers = Party("makers", self.region).label
        agent = treasury if self.borne_by == "treasury" else makers
        short = builder.variable("short", [(t,) for t in years], agent, self)
        for t in years:
            builder.transfer(
                "fine",
                t,
                builder.num(self, "price_cap") * short[t],
                payer="agent",
                receiver=treasury,
                policy=self,
            )
            builder.measure(self, "short_of_mandate", t, short[t], "kwpm")
        return {t: short[t] for t in years}


def _most(site: Site, year: int) -> float:
    """Return what a site can have in service in a year, kwpm; without limit once a greenfield plant can be ready."""
    if site.kind == "fleet":
        return site.size or 0.0
    share = max((site.in_service(build, year) for build in site.builds), default=0.0)
    return share * (math.inf if site.size is None else site.size) if share > 0 else 0.0
