"""Embargoes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field, model_validator

from chipmodel.common import pyo
from chipmodel.common.ids import ID_PATTERN, REGION_PATTERN
from chipmodel.policies.base import ALL, DisplayNames, Issue, Policy, chosen, unknown
from chipmodel.policies.licences import (
    On,
    chip_flows,
    distinctions,
    goods_name,
    input_flows,
    no_channel,
)

if TYPE_CHECKING:
    from chipmodel.model.lp.builder import ModelBuilder
    from chipmodel.model.parameters.duties import Distinction
    from chipmodel.model.parameters.parameters import Parameters


class Embargo(Policy):
    r"""An embargo: no chips, or nothing of an input, of a region reach a destination.

    .. math:: \sum_s flow_{s,r \to m,t} = 0

    On chips by origin and destination, bare (``on = "chips"``) or inside everything
    used (``on = "use"``), on an ``input`` by the home of its supplier. It earns nobody
    a rent. The dual is an upper bound of what the first wafer (or unit of the input)
    let through would be worth; where nothing is made for the route its price is not
    unique. A partial embargo is an export control or an import quota.
    """

    kind: ClassVar[str] = "embargo"
    law: ClassVar[str] = "An embargo, a ban or a blacklist."
    dual: ClassVar[str] = (
        "upper bound of the worth of the first wafer let through, USD per wafer (MUSD"
        " per index unit)"
    )
    example: ClassVar[str] = """
id = "mature_chips"
origin = "CHN"
destination = "USA"
segments = ["logic_ge28"]
on = "use"
years = [2030, 2041]
source = "own"
"""

    origin: str = Field(
        pattern=REGION_PATTERN,
        description="Region whose chips, or suppliers, are banned.",
    )
    destination: str = Field(
        pattern=REGION_PATTERN, description="Region they may not reach."
    )
    segments: tuple[str, ...] = Field(
        default=ALL, description="Segments of chips that are banned."
    )
    input: Annotated[str, Field(pattern=ID_PATTERN)] | None = Field(
        default=None, description="Upstream input that is banned; none for chips."
    )
    on: On | None = Field(
        default=None,
        description="Chips: those sold bare to makers, or those in everything used.",
    )

    @model_validator(mode="after")
    def _form_fits(self) -> Embargo:
        if self.origin == self.destination:
            raise ValueError("destination is the origin itself")
        if self.input is None and self.on is None:
            raise ValueError("give on = 'chips' or 'use'")
        if self.input is not None and self.on is not None:
            raise ValueError("an embargo on an input takes no on")
        if self.input is not None and self.segments != ALL:
            raise ValueError("an embargo on an input takes no segments")
        return self

    def describe(self, names: DisplayNames) -> str:
        """Return what may not go where."""
        if self.input is not None:
            flow = f"{names(self.input)} from {names(self.origin)} goes"
        else:
            goods = goods_name(self.on, self.segments, names)
            flow = f"{goods} from {names(self.origin)} go"
        return f"no {flow} to {names(self.destination)}"

    def problems(self, parameters: Parameters) -> list[Issue]:
        """Return names and routes that do not exist."""
        return [
            *super().problems(parameters),
            *unknown("origin", (self.origin,), parameters.regions),
            *unknown("destination", (self.destination,), parameters.regions),
            *unknown("segments", self.segments, parameters.segments),
            *no_channel(
                parameters,
                self.origin,
                self.destination,
                chosen(self.segments, parameters.segments),
                self.on,
                self.input,
            ),
        ]

    def distinguishes(self, parameters: Parameters) -> list[Distinction]:
        """Return the origin, if its chips are banned inside devices."""
        if self.on != "use":
            return []
        segments = chosen(self.segments, parameters.segments)
        origin = frozenset({self.origin})
        return distinctions(self.destination, segments, origin, each=False)

    def add(self, builder: ModelBuilder) -> None:
        """Set the flow to zero."""
        if self.input is None:
            flows = chip_flows(
                builder,
                self,
                self.destination,
                frozenset({self.origin}),
                chosen(self.segments, builder.parameters.segments),
                self.on or "chips",
            )
            unit = "kwpm"
            first = "the first wafer let through, USD per wafer"
        else:
            flows = input_flows(
                builder, self, self.input, self.origin, self.destination
            )
            unit = "index"
            first = "the first unit let through, MUSD per index unit"
        # A balance and not a limit of zero: an embargo earns nobody a rent.
        builder.balance(
            "banned",
            [(t,) for _, t in flows],
            # At most zero, and flows are at least zero.
            lambda t: -pyo.quicksum(flows[self.origin, t]),
            unit=unit,
            equal=False,
            policy=self,
            meaning=f"upper bound of the worth of {first}",
        )
