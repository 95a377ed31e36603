"""Tariffs on chips, at the maker of devices or at their user."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from chipmodel.common import pyo
from chipmodel.common.ids import REGION_PATTERN
from chipmodel.common.text import exact_percent
from chipmodel.common.units import per_wafer
from chipmodel.model.parameters.duties import Distinction, Layer, Levy
from chipmodel.policies.base import (
    ALL,
    Derived,
    DisplayNames,
    Issue,
    Number,
    Policy,
    Rate,
    Share,
    chosen,
    unknown,
)
from chipmodel.policies.builds import each_known
from chipmodel.policies.licences import own_chips
from chipmodel.solver.ledger import Party
from chipmodel.solver.polynomials import present

if TYPE_CHECKING:
    from chipmodel.model.lp.builder import ModelBuilder
    from chipmodel.model.parameters.parameters import Parameters


LAWS = {
    "mfn": ", most favoured nation,",
    "section_301": " under Section 301",
    "section_232": " under Section 232",
}
"""How a sentence names the law of a layer; others are not named."""


class Tariff(Policy):
    r"""A duty on chips by origin.

    The duty per wafer is ``rate x scope x dutiable value`` of its segment. It is
    specific: it does not shrink when the price falls. On ``chips`` it is paid by makers
    of devices in the importing region on bare chips they buy; on ``use`` by its users
    on the chips in everything they buy, devices included, wherever the device was made.
    Chips from the importing region itself are free of duty.

    Tariffs stack by ``layer`` and are resolved together before the linear program is
    written: first exemptions, then reliefs (free-trade areas, allowances), then the
    sum, layer on layer, then the lowest ``ceiling`` on that sum, which cuts the last
    layers first and the most-favoured-nation duty never. Each tariff levies what is
    left of its own rate.

    .. math::
        revenue_t =
        \sum_{s,r} rate \cdot scope \cdot customs_s \cdot P_s \cdot flow_{s,r,t}

    The revenue is a transfer to the importer's treasury; who bears it shows in prices.
    """

    kind: ClassVar[str] = "tariff"
    law: ClassVar[str] = (
        "A customs duty: most-favoured-nation, Section 301, Section 232."
    )
    example: ClassVar[str] = """
id = "s232"
importer = "USA"
rate = 0.25
on = "chips"
layer = "section_232"
ceiling = 0.15
capped = ["EUR", "JPN"]
years = [2027, 2041]
source = "s232_scope_2026"
"""

    importer: str = Field(pattern=REGION_PATTERN, description="Region that levies it.")
    origins: tuple[str, ...] = Field(
        default=ALL, description="Regions it falls on; all for every other region."
    )
    exempt: tuple[str, ...] = Field(default=(), description="Origins left out.")
    segments: tuple[str, ...] = Field(default=ALL, description="Segments it falls on.")
    rate: Rate = Field(description="Ad valorem rate on the dutiable value.")
    scope: Share = Field(
        default=1.0, description="Share of the flow that falls under it."
    )
    on: Literal["chips", "use"] = Field(
        description="Bare chips at the maker, or chips in everything used."
    )
    layer: Layer = Field(
        default="other",
        description="Its place in the stack; ceilings cut the last first.",
    )
    ceiling: Annotated[Annotated[float, Field(ge=0, le=10)] | None, Number("share")] = (
        Field(
            default=None,
            description=(
                "All-in ceiling: the sum of all duties on the capped origins is at most"
                " this."
            ),
        )
    )
    capped: tuple[str, ...] = Field(
        default=ALL, description="Origins under the ceiling; all for all it falls on."
    )
    origin_rule: Literal["diffusion", "assembly"] = Field(
        default="diffusion",
        description=(
            "Origin is where the wafer was made, or (bare chips only) where it was"
            " packaged."
        ),
    )

    @model_validator(mode="after")
    def _rule_fits(self) -> Tariff:
        if self.on == "use" and self.origin_rule == "assembly":
            raise ValueError(
                "origin_rule 'assembly' applies to bare chips only (on = 'chips')"
            )
        if self.ceiling is None and self.capped != ALL:
            raise ValueError("capped names origins, but there is no ceiling")
        return self

    def describe(self, names: DisplayNames) -> str:
        """Return who levies what on whom."""
        law = LAWS.get(self.layer, "")
        goods = "bare chips" if self.on == "chips" else "the chips in everything used"
        made = "made in" if self.origin_rule == "diffusion" else "packaged in"
        origins = names.every(self.origins, "any other region")
        text = (
            f"{names(self.importer)} levies {exact_percent(self.rate)}{law} on"
            f" {goods}{names.only(self.segments)} {made}"
            f" {origins}{names.only(self.exempt, ' except {}')}"
        )
        if self.scope == 0:
            text += ", with all of them exempt"
        elif self.scope != 1:
            text += f", on {exact_percent(self.scope)} of the flow"
        if self.ceiling is not None:
            text += (
                f", all duties together at most {exact_percent(self.ceiling)} on those"
                f" of {names.every(self.capped, 'all of them')}"
            )
        return text

    @property
    def inactive(self) -> bool:
        """Whether the rate or the scope is zero."""
        return self.rate * self.scope == 0

    def problems(self, parameters: Parameters) -> list[Issue]:
        """Return names that do not exist, and origins on which nothing is levied."""
        issues = [
            *super().problems(parameters),
            *unknown("importer", (self.importer,), parameters.regions),
            *unknown("origins", self.origins, parameters.regions),
            *each_known("exempt", self.exempt, parameters.regions),
            *unknown("capped", self.capped, parameters.regions),
            *unknown("segments", self.segments, parameters.segments),
            *own_chips("origins", self.origins, self.importer),
            *own_chips("exempt", self.exempt, self.importer),
            *own_chips("capped", self.capped, self.importer),
        ]
        if issues:
            return issues
        dutiable = self.dutiable(parameters.regions)
        # A duty that exempts every origin states it itself: its ceiling caps nothing.
        if self.capped == ALL or not dutiable:
            return []
        fix = f"name some of {', '.join(sorted(dutiable))}"
        for origin in self.capped:
            if origin not in dutiable:
                what = f"the duty does not fall on '{origin}'"
                issues.append(Issue("capped", what, fix))
        return issues

    def add(self, builder: ModelBuilder) -> None:
        """Levy the duty on each flow it falls on."""
        parameters = builder.parameters
        segments = chosen(self.segments, parameters.segments)
        years = [t for t in parameters.years if self.active(t)]
        dutiable = parameters.prices.dutiable
        duty: dict[int, list[Any]] = defaultdict(list)
        flows: dict[int, list[Any]] = defaultdict(list)
        for flow in builder.flows(self.on, self.importer, segments, years):
            # The rate left after reliefs and ceilings, as the schedule resolves it; it
            # contains the scope, as a share of the whole flow.
            rate = builder.duty_of(self.id, self.importer, self.on, flow)
            if present(rate):
                # On a reference value: a price is a dual and cannot be a coefficient.
                duty[flow.year].append(rate * dutiable[flow.segment] * flow.term)
                flows[flow.year].append(flow.term)
        for year, terms in duty.items():
            builder.transfer(
                "tariff",
                year,
                pyo.quicksum(terms),
                payer="agent",
                receiver=Party("treasury", self.importer).label,
                policy=self,
            )
            dutiable_flow = pyo.quicksum(flows[year])
            builder.measure(self, "dutiable_flow", year, dutiable_flow, "kwpm")

    def levies(self, parameters: Parameters) -> list[Levy]:
        """Return the duty as stated."""
        return [
            Levy(
                policy=self.id,
                importer=self.importer,
                on=self.on,
                origin_rule=self.origin_rule,
                origins=self.dutiable(parameters.regions),
                segments=frozenset(chosen(self.segments, parameters.segments)),
                years=self.years,
                layer=self.layer,
                rate=self.rate,
                scope=self.scope,
                ceiling=self.ceiling,
                capped=frozenset(chosen(self.capped, parameters.regions)),
            )
        ]

    def derived(self, parameters: Parameters) -> list[Derived]:
        """Return the duty per wafer by segment, before reliefs and ceilings."""
        if not self.dutiable(parameters.regions):
            return []
        share = self.rate * self.scope
        dutiable = parameters.prices.dutiable
        return [
            Derived(f"duty on {s}", per_wafer(share * dutiable[s]), "USD/wafer")
            for s in chosen(self.segments, parameters.segments)
        ]

    def distinguishes(self, parameters: Parameters) -> list[Distinction]:
        """Return the dutiable origins, if it falls on use."""
        # The origin of bare chips is always known.
        if self.on == "chips":
            return []
        segments = chosen(self.segments, parameters.segments)
        dutiable = self.dutiable(parameters.regions)
        return [Distinction(self.importer, segments, dutiable)]

    def dutiable(self, regions: tuple[str, ...]) -> frozenset[str]:
        """Return the origins on which the duty falls, among the regions there are."""
        origins = frozenset(chosen(self.origins, regions))
        return origins - {self.importer, *self.exempt}
