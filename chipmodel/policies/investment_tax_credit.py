"""Tax credits for investment."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from chipmodel.common.text import exact_percent
from chipmodel.policies.base import DisplayNames, PolicyYear, Share
from chipmodel.policies.support import Support

if TYPE_CHECKING:
    from chipmodel.model.lp.builder import ModelBuilder
    from chipmodel.model.parameters.sites import Site


class InvestmentTaxCredit(Support):
    """A credit on the capital cost of fabs, paid when they come on line.

    ``years`` are the years of coming on line. Construction must have started by
    ``begin_by``: a project under construction already meets that whatever the year of
    its further builds; for anything else the year construction starts decides.
    """

    kind: ClassVar[str] = "investment_tax_credit"
    law: ClassVar[str] = (
        "An investment tax credit: US Section 48D, Korea's K-Chips Act, Taiwan's"
        " Article 10-2."
    )
    example: ClassVar[str] = """
id = "us_credit"
region = "USA"
rate = 0.35
begin_by = 2026
years = [2026, 2041]
source = "law_48d"
"""

    rate: Share = Field(description="Share of capital cost credited.")
    begin_by: PolicyYear | None = Field(
        default=None, description="Last year in which construction may start."
    )

    def describe(self, names: DisplayNames) -> str:
        """Return who credits what."""
        started = f" started by {self.begin_by}" if self.begin_by is not None else ""
        return (
            f"{names(self.region)} credits {exact_percent(self.rate)} of the cost of"
            f" fabs of {self.whom(names)}{started}, if they come on line"
        )

    @property
    def inactive(self) -> bool:
        """Whether the rate is zero."""
        return self.rate == 0

    def accepts(self, site: Site, build: int) -> bool:
        """Whether construction starts in time and the build comes on line in time."""
        # Later builds of a project count as started with its first.
        in_time = (
            self.begin_by is None
            or build <= self.begin_by
            or (site.started is not None and site.started <= self.begin_by)
        )
        return in_time and self.active(int(site.ready[build]))

    def rate_on(self, site: Site, capex: float) -> float:
        """Return the credit rate."""
        return self.rate

    def add(self, builder: ModelBuilder) -> None:
        """Credit every eligible build."""
        # Paid when a plant comes on line, so unlike a grant it saves no interest.
        build = builder.model.build
        amounts = {}
        builds = {}
        for site, t in self.eligible(builder.parameters):
            term = build[site.id, t]
            builds[site.id, t] = term
            amounts[site.id, t] = self.rate * builder.capex(site) * term
        if builds:
            self.pay(builder, "tax_credit", amounts, builds, "service")
