"""Embargoes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

import pyomo.environ as pyo
from pydantic import Field, model_validator

from chipmodel.common.ids import ID_PATTERN, REGION_PATTERN
from chipmodel.policies.base import ALL, DisplayNames, Policy, chosen, unknown
from chipmodel.policies.licences import On, _goods, chips, inputs, no_channel, told

if TYPE_CHECKING:
    from chipmodel.model.lp.builder import ModelBuilder
    from chipmodel.model.parameters.parameters import Parameters


class Embargo(Policy):
    r"""An embargo: nothing of a region goes to a destination, chips or an upstream input.

    .. math:: \sum_s flow_{s,r \to m,t} = 0

    On chips by origin and destination, bare (``on = "chips"``) or inside everything used
    (``on = "use"``), on an ``input`` by the home of its supplier. It earns nobody a rent. The dual is
    at least what the first wafer (or unit of the input) let through would be worth; where nothing is
    made for the route its price is not unique. A partial embargo is an export control or an import quota.
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
        if self.input is not None and (self.on is not None or self.segments != ALL):
            raise ValueError(
                "an embargo on an input takes no"
                f" {'segments' if self.on is None else 'on'}"
            )
        if self.input is None and self.on is None:
            raise ValueError("say on = 'chips' or 'use'")
        return self

    def describe(self, names: DisplayNames) -> str:
        """What may not go where."""
        goods = (
            names(self.input)
            if self.input is not None
            else _goods(self.on, self.segments, names)
        )
        go = "go" if self.input is None else "goes"
        return f"no {goods} from {names(self.origin)} {go} to {names(self.destination)}"

    def problems(self, parameters: Parameters) -> list[tuple[str, str, str]]:
        """Return names and routes that do not exist."""
        n = parameters
        return [
            *super().problems(n),
            *unknown("origin", (self.origin,), n.regions),
            *unknown("destination", (self.destination,), n.regions),
            *unknown("segments", self.segments, n.segments),
            *no_channel(
                n,
                self.origin,
                self.destination,
                chosen(self.segments, n.segments),
                self.on,
                self.input,
            ),
        ]

    def distinguishes(
        self, parameters: Parameters
    ) -> list[tuple[str, tuple[str, ...], frozenset[str]]]:
        """The origin, if its chips are banned inside devices."""
        if self.on != "use":
            return []
        return told(
            self.destination,
            chosen(self.segments, parameters.segments),
            frozenset({self.origin}),
            False,
        )

    def add(self, builder: ModelBuilder) -> None:
        """Let nothing through."""
        if self.input is None:
            flows = chips(
                builder,
                self,
                self.destination,
                frozenset({self.origin}),
                chosen(self.segments, builder.n.segments),
                self.on or "chips",
            )
        else:
            flows = inputs(builder, self, self.input, self.origin, self.destination)
        of_chips = self.input is None
        builder.balance(
            "banned",
            [(t,) for _, t in flows],
            lambda t: -pyo.quicksum(flows[self.origin, t]),
            unit="kwpm" if of_chips else "index",
            equal=False,
            policy=self,
            meaning=(
                "upper bound of the worth of the first wafer let through, USD per wafer"
                if of_chips
                else (
                    "upper bound of the worth of the first unit let through, MUSD per"
                    " index unit"
                )
            ),
        )
