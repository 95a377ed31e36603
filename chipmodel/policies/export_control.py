"""Export controls, on chips and on upstream inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field, model_validator

from chipmodel.common.ids import ID_PATTERN, REGION_PATTERN
from chipmodel.common.text import exact_percent
from chipmodel.policies.base import (
    ALL,
    Derived,
    DisplayNames,
    FinePerWafer,
    Issue,
    Number,
    Policy,
    chosen,
    unknown,
)
from chipmodel.policies.licences import (
    On,
    Quota,
    RentTo,
    chip_flows,
    distinctions,
    goods_name,
    holders,
    input_flows,
    license_flows,
    no_channel,
    rent_clause,
)

if TYPE_CHECKING:
    from chipmodel.model.lp.builder import ModelBuilder
    from chipmodel.model.parameters.duties import Distinction
    from chipmodel.model.parameters.parameters import Parameters


class ExportControl(Policy):
    r"""An export control: a limit on a region's exports to one destination.

    On chips, all named segments together are at most ``quota``, or ``share`` of the
    reference flow:

    .. math::
        \sum_s flow_{s,r \to m,t} \le share \cdot
        \sum_s w_m \cdot u_s \cdot capacity_{s,r} \cdot growth_{s,t}

    the base-year output of the exporter, grown with demand, times the destination's
    part of the world's purchases (``on = "chips"``) or use (``on = "use"``). On an
    ``input``, suppliers of the exporting region let at most ``share`` of what the
    destination usually takes from them through; control follows the home of the
    supplier. What is withheld can be replaced slowly, at a premium.

    The dual is the price of an export licence. ``rent_to`` gives the rent to the
    exporters, to the importers who hold licences, or to the exporting region's
    treasury, which sells them. A ``price_cap`` (chips only) is a fine per wafer over
    the limit, paid to that treasury.
    """

    kind: ClassVar[str] = "export_control"
    law: ClassVar[str] = (
        "An export control: licences for chips, tools or materials to a destination."
    )
    dual: ClassVar[str] = (
        "price of an export licence, USD per wafer for chips, MUSD per index unit for"
        " an input"
    )
    example: ClassVar[str] = """
id = "resist"
exporter = "JPN"
destination = "KOR"
input = "photoresist"
share = 0.5
rent_to = "treasury"
known_from = 2028
years = [2028, 2029]
source = "japan_korea_2019"
"""

    exporter: str = Field(
        pattern=REGION_PATTERN, description="Region that controls its exports."
    )
    destination: str = Field(pattern=REGION_PATTERN, description="Region they go to.")
    segments: tuple[str, ...] = Field(
        default=ALL, description="Segments of chips limited together."
    )
    input: Annotated[str, Field(pattern=ID_PATTERN)] | None = Field(
        default=None, description="Upstream input that is controlled; none for chips."
    )
    share: Annotated[Annotated[float, Field(ge=0, le=10)] | None, Number("share")] = (
        Field(
            default=None,
            description="Share of the reference flow let through (instead of quota).",
        )
    )
    quota: Quota = Field(
        default=None, description="Maximum of chips, kwpm (instead of share)."
    )
    on: On | None = Field(
        default=None,
        description="Chips: those sold bare to makers, or those in everything used.",
    )
    rent_to: RentTo = Field(description="Who earns the price of the licences.")
    price_cap: FinePerWafer = Field(
        default=None, description="Fine per wafer over the limit, USD; chips only."
    )

    @model_validator(mode="after")
    def _form_fits(self) -> ExportControl:
        if (self.share is None) == (self.quota is None):
            raise ValueError("give either share or quota")
        if self.exporter == self.destination:
            raise ValueError("destination is the exporter itself")
        if self.input is None:
            if self.on is None:
                raise ValueError("give on = 'chips' or 'use'")
            return self
        chips_only = {"quota": self.quota, "on": self.on, "price_cap": self.price_cap}
        given = [field for field, value in chips_only.items() if value is not None]
        if self.segments != ALL:
            given.append("segments")
        if given:
            raise ValueError(f"a control of an input takes no {given[0]}")
        return self

    def describe(self, names: DisplayNames) -> str:
        """Return how much is let through to whom."""
        if self.share is not None:
            amount = f"{exact_percent(self.share)} of its usual"
        else:
            amount = f"at most {self.quota:g} kwpm of"
        goods = goods_name(self.on, self.segments, names)
        if self.input is not None:
            goods = names(self.input)
        return (
            f"{names(self.exporter)} lets {amount} {goods} through to"
            f" {names(self.destination)}; {rent_clause(self.rent_to, self.price_cap)}"
        )

    def problems(self, parameters: Parameters) -> list[Issue]:
        """Return names and routes that do not exist."""
        return [
            *super().problems(parameters),
            *unknown("exporter", (self.exporter,), parameters.regions),
            *unknown("destination", (self.destination,), parameters.regions),
            *unknown("segments", self.segments, parameters.segments),
            *no_channel(
                parameters,
                self.exporter,
                self.destination,
                chosen(self.segments, parameters.segments),
                self.on,
                self.input,
            ),
        ]

    def distinguishes(self, parameters: Parameters) -> list[Distinction]:
        """Return the exporter, if use is limited."""
        if self.on != "use":
            return []
        segments = chosen(self.segments, parameters.segments)
        exporter = frozenset({self.exporter})
        return distinctions(self.destination, segments, exporter, each=False)

    def reference(self, parameters: Parameters) -> dict[int, float]:
        """Return the flow the share refers to by year, kwpm or index units."""
        years = [t for t in parameters.years if self.active(t)]
        if self.input is not None:
            upstream = parameters.upstream[self.input]
            supplied = upstream.shares[self.exporter]
            usual = upstream.usual
            return {t: supplied * usual.get((self.destination, t), 0.0) for t in years}
        weights = parameters.sold if self.on == "chips" else parameters.users
        share = weights[self.destination]
        return {t: share * self._base_output(parameters, t) for t in years}

    def _base_output(self, parameters: Parameters, year: int) -> float:
        """Return the exporter's base-year output grown with demand, kwpm."""
        # A reference that the case cannot change: a share of its own flow could be met
        # by making less.
        output = 0.0
        for s in chosen(self.segments, parameters.segments):
            capacity = parameters.capacity.get((self.exporter, s), 0.0)
            made = parameters.use[s, "u_base"] * capacity
            output += made * parameters.index[s, year]
        return output

    def derived(self, parameters: Parameters) -> list[Derived]:
        """Return the reference flow in the first and last year in force."""
        reference = self.reference(parameters)
        if not reference:
            return []
        unit = "kwpm" if self.input is None else "index"
        return [
            Derived(f"reference flow in {t}", reference[t], unit)
            for t in sorted({min(reference), max(reference)})
        ]

    def add(self, builder: ModelBuilder) -> None:
        """Limit exports to the share or the quota."""
        parameters = builder.parameters
        if self.input is None:
            flows = chip_flows(
                builder,
                self,
                self.destination,
                frozenset({self.exporter}),
                chosen(self.segments, parameters.segments),
                self.on or "chips",
            )
            meaning = "price of an export licence, USD per wafer"
        else:
            flows = input_flows(
                builder, self, self.input, self.exporter, self.destination
            )
            meaning = "price of an export licence of the input, MUSD per index unit"
        # In kwpm, or index units of an input.
        quota: dict[int, Any] = dict.fromkeys(parameters.years, self.quota)
        if self.share is not None:
            reference = self.reference(parameters)
            quota = {t: self.share * usual for t, usual in reference.items()}
        license_flows(
            builder,
            self,
            flows,
            quota,
            holder=holders(flows, self.rent_to, self.destination, self.exporter),
            unit="kwpm" if self.input is None else "index",
            meaning=meaning,
            price_cap=self.price_cap,
            fine_to=self.exporter,
        )
