"""Tax credits for investment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field, model_validator

from chipmodel.common.text import exact_percent
from chipmodel.policies.base import DisplayNames, PolicyYear, Share
from chipmodel.policies.support import Support

if TYPE_CHECKING:
    from chipmodel.model.lp.builder import ModelBuilder
    from chipmodel.model.parameters.sites import Site


class InvestmentTaxCredit(Support):
    """A credit on the capital cost of fabs, paid when they come on line.

    ``years`` are the years of coming on line, so that nothing is credited after the
    second. Construction must have started by ``begin_by``, and a build must be on line
    ``within`` so many years of that start. The further builds of an announced project
    started with its first: under US Section 48D what is operated as one project is one
    property, whose start is that of its first work (26 CFR 1.48D-5). Each phase of a
    site is a project of its own in the data, so the start of one is not lent to the
    next. For anything else construction starts in the year of the build.
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
within = 10
years = [2026, 2036]
source = "law_48d"
"""

    rate: Share = Field(description="Share of capital cost credited.")
    begin_by: PolicyYear | None = Field(
        default=None, description="Last year in which construction may start."
    )
    within: Annotated[int, Field(ge=1, le=30)] | None = Field(
        default=None,
        description="Years from the start of construction to coming on line, at most.",
    )

    @model_validator(mode="after")
    def _start_before_end(self) -> InvestmentTaxCredit:
        if self.begin_by is not None and self.begin_by > self.years[1]:
            raise ValueError(
                f"begin_by: {self.begin_by} is after {self.years[1]}, the last year of"
                " coming on line; move the second of years with it"
            )
        return self

    def describe(self, names: DisplayNames) -> str:
        """Return who credits what."""
        started = f" started by {self.begin_by}" if self.begin_by is not None else ""
        years = f" within {self.within} years" if self.within is not None else ""
        return (
            f"{names(self.region)} credits {exact_percent(self.rate)} of the cost of"
            f" fabs of {self.whom(names)}{started}, if they come on line{years}"
        )

    @property
    def inactive(self) -> bool:
        """Whether the rate is zero."""
        return self.rate == 0

    def accepts(self, site: Site, build: int) -> bool:
        """Whether construction starts in time and the build comes on line in time."""
        # Later builds of a project count as started with its first.
        start = build if site.started is None else min(build, site.started)
        on_line = int(site.ready[build])
        starts_in_time = self.begin_by is None or start <= self.begin_by
        ends_in_time = self.within is None or on_line <= start + self.within
        return starts_in_time and ends_in_time and self.active(on_line)

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
