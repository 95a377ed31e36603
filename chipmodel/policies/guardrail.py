"""Limits on expansion abroad for firms that take support."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from chipmodel.common import pyo
from chipmodel.common.ids import REGION_PATTERN
from chipmodel.common.text import exact_percent, millions
from chipmodel.policies.base import (
    ALL,
    DisplayNames,
    FinePerKwpm,
    Issue,
    Number,
    Policy,
    chosen,
    unknown,
)
from chipmodel.policies.builds import (
    each_known,
    fined_builds,
    fleet_of,
    measure_builds,
    new_decisions,
    years_of,
)
from chipmodel.solver.ledger import Party

if TYPE_CHECKING:
    from chipmodel.model.lp.builder import ModelBuilder
    from chipmodel.model.parameters.parameters import Parameters


class Guardrail(Policy):
    r"""Recipients of support may hardly grow in countries of concern.

    For each firm and segment, over all builds started in ``years`` in those countries,

    .. math:: \sum_{i,t} build_{i,t} \le share \cdot fleet + \sum_{i,t} over_{i,t}

    with the firm's fleet of the base year there. What is under way when the rule comes
    (history and commitments) does not count as growth. ``firms`` are named: whether a
    firm would rather forgo its support than accept the rule is a case of its own,
    without the rule and with the firm ``excluded``. Where fleets are not known by firm,
    there is no fleet to grow from.

    With a ``price_cap`` a firm may pay for growth beyond the rule, on the schedule of
    the capital it pays for (a clawback). The dual is what one more kwpm of permitted
    growth would be worth to the firm.
    """

    kind: ClassVar[str] = "guardrail"
    law: ClassVar[str] = (
        "The guardrails of the CHIPS Act: recipients' growth in countries of concern."
    )
    dual: ClassVar[str] = (
        "worth to the firm of one more kwpm of permitted growth, present value"
    )
    example: ClassVar[str] = """
id = "guardrail"
region = "USA"
firms = ["samsung", "sk_hynix"]
countries = ["CHN"]
segments = ["dram", "nand"]
share = 0.05
years = [2024, 2034]
source = "law_guardrails"
"""

    region: str = Field(
        pattern=REGION_PATTERN,
        description="Region that makes the rule and gets the fine.",
    )
    firms: tuple[str, ...] = Field(min_length=1, description="Recipients bound by it.")
    countries: tuple[str, ...] = Field(
        min_length=1, description="Countries of concern."
    )
    segments: tuple[str, ...] = Field(
        default=ALL, description="Segments, each bound by itself."
    )
    share: Annotated[float, Field(ge=0, le=10), Number("share")] = Field(
        description="Maximum growth as a share of the firm's base-year fleet there."
    )
    price_cap: FinePerKwpm = Field(
        default=None, description="Fine per kwpm started beyond it."
    )

    def describe(self, names: DisplayNames) -> str:
        """Return who may grow by how much where."""
        limit = "not grow"
        if self.share:
            limit = f"grow by at most {exact_percent(self.share)} of their fleets"
        fine = ""
        if self.price_cap is not None:
            fine = f", or pay {millions(self.price_cap)} per kwpm started beyond"
        return (
            f"{names(self.region)} lets {names(*self.firms)} {limit} in"
            f" {names(*self.countries)}{names.only(self.segments)}{fine}"
        )

    def problems(self, parameters: Parameters) -> list[Issue]:
        """Return names that do not exist and firms that cover several."""
        regions = parameters.regions
        # The home of a pooled firm is the host region: it is several firms.
        named = tuple(f for f, home in parameters.homes.items() if home != "host")
        issues = [
            *super().problems(parameters),
            *unknown("region", (self.region,), regions),
            *each_known("firms", self.firms, named),
            *each_known("countries", self.countries, regions),
            *unknown("segments", self.segments, parameters.segments),
        ]
        if self.region in self.countries:
            what = f"{self.region} makes the rule"
            issues.append(Issue("countries", what, "leave it out"))
        return issues

    def add(self, builder: ModelBuilder) -> None:
        """Limit each firm's growth in each segment."""
        parameters = builder.parameters
        sites = parameters.sites.sites
        segments = chosen(self.segments, parameters.segments)
        builds = []
        for country in self.countries:
            for site, t, _ in builder.builds(
                country, segments, years_of(self), self.firms
            ):
                builds.append((site, t))
        growth = new_decisions(builder, self, builds)
        bound = growth
        if self.price_cap is not None:
            over = fined_builds(builder, self, growth, self.price_cap, self.region)
            bound = {key: term - over[key] for key, term in growth.items()}
        terms: dict[tuple[str, str], list[Any]] = defaultdict(list)
        for (i, _), term in bound.items():
            terms[sites[i].firm, sites[i].segment].append(term)

        def permitted_growth(firm: str, segment: str) -> Any:
            fleet = 0.0
            for country in self.countries:
                local_sites = parameters.sites.of(country, segment)
                fleet += fleet_of(site for site in local_sites if site.firm == firm)
            return self.share * fleet - pyo.quicksum(terms[firm, segment])

        def owner(firm: str, segment: str) -> str:
            # A named firm has one home, so every country gives the same holder.
            holder = parameters.holder(firm, self.countries[0])
            return Party("holder", holder).label

        builder.limit(
            "growth",
            list(terms),
            permitted_growth,
            owner=owner,
            unit="kwpm built",
            meaning=self.dual,
            policy=self,
        )
        measure_builds(builder, self, "growth", growth)
