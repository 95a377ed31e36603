"""Credits per wafer produced."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from chipmodel.common import pyo
from chipmodel.common.text import dollars
from chipmodel.common.units import per_kwpm_year
from chipmodel.policies.base import DisplayNames, Number
from chipmodel.policies.builds import years_of
from chipmodel.policies.support import Support, capex_of
from chipmodel.solver.ledger import Account, Party

if TYPE_CHECKING:
    from chipmodel.model.lp.builder import ModelBuilder
    from chipmodel.model.parameters.parameters import Parameters
    from chipmodel.model.parameters.sites import Site


class ProductionCredit(Support):
    r"""A credit on every wafer made by new fabs of a region.

    New fabs are projects and greenfield places; what runs in the base year gets
    nothing. ``years`` are the years in which the wafers are made.

    .. math:: credit_t = 0.012 \cdot rate \cdot \sum_{i \in new} output_{i,t}

    with the rate in USD per wafer and output in kwpm. It is paid for wafers, not for
    capacity: an idle fab earns nothing. It is no investment cash, so a firm's budget is
    charged gross of it. In the check that support does not exceed cost it counts with
    its present value at full use.
    """

    kind: ClassVar[str] = "production_credit"
    law: ClassVar[str] = (
        "A tax credit on production: Japan's on strategic goods, US Section 45X if it"
        " covered chips."
    )
    example: ClassVar[str] = """
id = "per_wafer"
region = "USA"
segments = ["logic_ge28"]
rate = 300
years = [2028, 2037]
source = "own"
"""

    rate: Annotated[float, Field(ge=0, le=1e5), Number("USD/wafer")] = Field(
        description="Credit per wafer, USD."
    )

    def describe(self, names: DisplayNames) -> str:
        """Return who pays what for a wafer."""
        wafer = f"every wafer that new fabs of {self.whom(names)} make"
        return f"{names(self.region)} pays {dollars(self.rate)} for {wafer}"

    @property
    def inactive(self) -> bool:
        """Whether the rate is zero."""
        return self.rate == 0

    def accepts(self, site: Site, build: int) -> bool:
        """Whether a build is in service in some of the years."""
        return any(site.in_service(build, t) > 0 for t in years_of(self))

    def share_on(self, site: Site, build: int, parameters: Parameters) -> float:
        r"""Return the credit at full use over the capital cost, in present values.

        .. math:: \frac{0.012 \, rate \, u_{max} \sum_t service_t \, d_t}
                       {CRF \cdot interest \cdot capex \sum_t service_t \, d_t}

        with the sum above over the years in force only.
        """
        place = parameters.sites.places[parameters.sites.group_of[site.id]]
        service = {
            t: site.in_service(build, t) * parameters.discount[t]
            for t in parameters.years
        }
        full_use = parameters.use[site.segment, "u_max"]
        credited = sum(value for t, value in service.items() if self.active(t))
        paid = full_use * per_kwpm_year(self.rate) * credited
        cost = (
            parameters.recovery
            * place.work.interest
            * capex_of(site, parameters)
            * sum(service.values())
        )
        # A build that is never in service has neither credit nor cost.
        return paid / cost if cost > 0 else 0.0

    def add(self, builder: ModelBuilder) -> None:
        """Pay for what new fabs make."""
        sites = {site.id for site, _ in self.eligible(builder.parameters)}
        output: dict[int, list[Any]] = defaultdict(list)
        for site, t, term in builder.output(self.region):
            if site.id in sites and self.active(t):
                output[t].append(term)
        payer = Party("treasury", self.region).label
        for t, terms in output.items():
            credited = pyo.quicksum(terms)
            # The rate is per wafer, the output in kwpm.
            paid = per_kwpm_year(1.0) * self.rate * credited
            builder.transfer(
                "production_credit", t, paid, payer=payer, receiver="agent", policy=self
            )
            # Paid in the year it is earned, so cash and annuity are the same.
            builder.memo(
                Account("production_credit", cash=True).label,
                t,
                paid,
                payer=payer,
                receiver="agent",
                policy=self,
            )
            builder.measure(self, "credited_output", t, credited, "kwpm")
