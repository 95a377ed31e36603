"""Tariffs on chips, at the maker of devices or at their user."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import pyomo.environ as pyo
from pydantic import Field, model_validator

from chipmodel.common.ids import REGION_PATTERN
from chipmodel.common.text import exact_percent
from chipmodel.common.units import per_wafer
from chipmodel.model.parameters.duties import Layer, Levy
from chipmodel.policies.base import (
    ALL,
    DisplayNames,
    Number,
    Policy,
    Rate,
    Share,
    chosen,
    unknown,
)
from chipmodel.solver.ledger import Party
from chipmodel.solver.polynomials import present

if TYPE_CHECKING:
    from chipmodel.model.lp.builder import ModelBuilder
    from chipmodel.model.parameters.parameters import Parameters


class Tariff(Policy):
    r"""A duty on chips by origin.

    Duty a wafer is ``rate x scope x dutiable value`` of its segment, specific, so that
    it does not shrink when the price falls. On ``chips`` it is paid by makers of
    devices in the importing region on bare chips they buy; on ``use`` by its users on
    the chips in everything they buy, devices included, wherever the device was made.
    Chips from the importing region itself are free.

    Tariffs stack by ``layer`` and are resolved together before the programme is
    written: first exemptions, then reliefs (free-trade areas, allowances), then the
    sum, layer on layer, then the lowest ``ceiling`` on that sum, which cuts the last
    layers first and most-favoured-nation duty never. Each tariff levies what is left of
    its own rate.

    .. math:: revenue_t = \sum_{s,r} rate \cdot scope \cdot customs_s \cdot P_s \cdot flow_{s,r,t}

    The revenue is a transfer to the importer's treasury; who bears it is read off prices.
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
        description="Where it stands in the stack; ceilings cut the last first.",
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
        """Who levies what on whom."""
        law = {
            "mfn": ", most favoured nation,",
            "section_301": " under Section 301",
            "section_232": " under Section 232",
        }.get(self.layer, "")
        what = "bare chips" if self.on == "chips" else "the chips in everything used"
        made = "made in" if self.origin_rule == "diffusion" else "packaged in"
        parts = [
            f"{names(self.importer)} levies {exact_percent(self.rate)}{law} on"
            f" {what}{names.only(self.segments)} {made} "
            f"{names.every(self.origins, 'any other region')}{names.only(self.exempt, ' except {}')}"
        ]
        if self.scope != 1:
            parts.append(
                f"on {exact_percent(self.scope)} of the flow"
                if self.scope
                else "with all of them exempt"
            )
        if self.ceiling is not None:
            parts.append(
                f"all duties together at most {exact_percent(self.ceiling)} on those of"
                f" {names.every(self.capped, 'all of them')}"
            )
        return ", ".join(parts)

    @property
    def inactive(self) -> bool:
        """A zero rate or scope does nothing."""
        return self.rate * self.scope == 0

    def problems(self, parameters: Parameters) -> list[tuple[str, str, str]]:
        """Return names that do not exist."""
        n = parameters
        return [
            *super().problems(n),
            *unknown("importer", (self.importer,), n.regions),
            *unknown("origins", self.origins, n.regions),
            *unknown("exempt", self.exempt, n.regions),
            *unknown("capped", self.capped, n.regions),
            *unknown("segments", self.segments, n.segments),
        ]

    def add(self, builder: ModelBuilder) -> None:
        """Levy the duty on each flow it falls on."""
        n = builder.n
        years = [t for t in n.years if self.active(t)]
        read = builder.imports if self.on == "chips" else builder.use
        duty: dict[int, list[Any]] = defaultdict(list)
        moved: dict[int, list[Any]] = defaultdict(list)
        for flow in read(self.importer, chosen(self.segments, n.segments), years):
            rate = builder.duty_of(self.id, self.importer, self.on, flow)
            if present(rate):
                duty[flow.year].append(
                    rate * n.prices.dutiable[flow.segment] * flow.term
                )
                moved[flow.year].append(flow.term)
        for year, terms in duty.items():
            builder.transfer(
                "tariff",
                year,
                pyo.quicksum(terms),
                payer="agent",
                receiver=Party("treasury", self.importer).label,
                policy=self,
            )
            builder.measure(
                self, "dutiable_flow", year, pyo.quicksum(moved[year]), "kwpm"
            )

    def levies(self, parameters: Parameters) -> list[Levy]:
        """The duty as stated."""
        origins = self._dutiable(parameters)
        return [
            Levy(
                self.id,
                self.importer,
                self.on,
                self.origin_rule,
                origins,
                frozenset(chosen(self.segments, parameters.segments)),
                self.years,
                self.layer,
                self.rate,
                self.scope,
                self.ceiling,
                frozenset(chosen(self.capped, parameters.regions)),
            )
        ]

    def derived(self, parameters: Parameters) -> list[tuple[str, float, str]]:
        """Duty a wafer by segment, before reliefs and ceilings."""
        share = self.rate * self.scope
        return [
            (
                f"duty on {s}",
                per_wafer(share * parameters.prices.dutiable[s]),
                "USD/wafer",
            )
            for s in chosen(self.segments, parameters.segments)
        ]

    def distinguishes(
        self, parameters: Parameters
    ) -> list[tuple[str, tuple[str, ...], frozenset[str]]]:
        """Dutiable origins, if it falls on use."""
        if self.on == "chips":
            return []
        return [
            (
                self.importer,
                chosen(self.segments, parameters.segments),
                self._dutiable(parameters),
            )
        ]

    def _dutiable(self, n: Parameters) -> frozenset[str]:
        return frozenset(chosen(self.origins, n.regions)) - {
            self.importer,
            *self.exempt,
        }
