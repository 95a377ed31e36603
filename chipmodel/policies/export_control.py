"""Quantity rules on trade: quotas, export controls and embargoes, on chips and on upstream inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field, model_validator

from chipmodel.common.ids import ID_PATTERN, REGION_PATTERN
from chipmodel.common.text import exact_percent
from chipmodel.policies.base import ALL, DisplayNames, Number, Policy, chosen, unknown
from chipmodel.policies.licences import (
    On,
    PriceCap,
    Quota,
    RentTo,
    _goods,
    _rent,
    chips,
    holders,
    inputs,
    license_flows,
    no_channel,
    told,
)

if TYPE_CHECKING:
    from chipmodel.model.lp.builder import ModelBuilder
    from chipmodel.model.parameters.parameters import Parameters


class ExportControl(Policy):
    r"""An export control: a region lets only so much of its chips, or of an input, go to a destination.

    On chips, all named segments together are at most ``quota``, or ``share`` of the
    reference flow:

    .. math:: \sum_s flow_{s,r \to m,t} \le share \cdot \sum_s w_m \cdot u_s \cdot capacity_{s,r} \cdot growth_{s,t}

    the base-year output of the exporter, grown with demand, times the destination's part of the
    world's purchases (``on = "chips"``) or use (``on = "use"``). On an ``input``, suppliers of the
    exporting region let at most ``share`` of what the destination usually takes from them through;
    control follows the home of the supplier. What is withheld can be replaced slowly, at a premium.

    The dual is the price of an export licence. ``rent_to`` gives the rent to the
    exporters, to the importers who hold licences, or to the exporting region's
    treasury, which sells them. A ``price_cap`` (chips only) is a fine a wafer over the
    limit, paid to that treasury.
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
        default=None, description="Most chips let through, kwpm (instead of share)."
    )
    on: On | None = Field(
        default=None,
        description="Chips: those sold bare to makers, or those in everything used.",
    )
    rent_to: RentTo = Field(description="Who earns the price of the licences.")
    price_cap: PriceCap = Field(
        default=None, description="Fine per wafer over the limit, USD; chips only."
    )

    @model_validator(mode="after")
    def _form_fits(self) -> ExportControl:
        if (self.share is None) == (self.quota is None):
            raise ValueError("give either share or quota")
        if self.exporter == self.destination:
            raise ValueError("destination is the exporter itself")
        chips_only = {"quota": self.quota, "on": self.on, "price_cap": self.price_cap}
        if self.input is not None:
            given = [k for k, v in chips_only.items() if v is not None]
            given += ["segments"] if self.segments != ALL else []
            if given:
                raise ValueError(f"a control of an input takes no {given[0]}")
        elif self.on is None:
            raise ValueError("say on = 'chips' or 'use'")
        return self

    def describe(self, names: DisplayNames) -> str:
        """How much is let through to whom."""
        most = (
            f"{exact_percent(self.share)} of its usual"
            if self.share is not None
            else f"at most {self.quota:g} kwpm of"
        )
        goods = (
            names(self.input)
            if self.input is not None
            else _goods(self.on, self.segments, names)
        )
        return (
            f"{names(self.exporter)} lets {most} {goods} through to"
            f" {names(self.destination)}; {_rent(self.rent_to, self.price_cap)}"
        )

    def problems(self, parameters: Parameters) -> list[tuple[str, str, str]]:
        """Return names and routes that do not exist."""
        n = parameters
        return [
            *super().problems(n),
            *unknown("exporter", (self.exporter,), n.regions),
            *unknown("destination", (self.destination,), n.regions),
            *unknown("segments", self.segments, n.segments),
            *no_channel(
                n,
                self.exporter,
                self.destination,
                chosen(self.segments, n.segments),
                self.on,
                self.input,
            ),
        ]

    def distinguishes(
        self, parameters: Parameters
    ) -> list[tuple[str, tuple[str, ...], frozenset[str]]]:
        """The exporter, if use is limited."""
        if self.on != "use":
            return []
        return told(
            self.destination,
            chosen(self.segments, parameters.segments),
            frozenset({self.exporter}),
            False,
        )

    def reference(self, parameters: Parameters) -> dict[int, float]:
        """Return the flow the share refers to by year, kwpm or index units."""
        n = parameters
        years = [t for t in n.years if self.active(t)]
        if self.input is not None:
            u = n.upstream[self.input]
            return {
                t: u.shares[self.exporter] * u.usual.get((self.destination, t), 0.0)
                for t in years
            }
        part = (
            n.sold[self.destination]
            if self.on == "chips"
            else n.users[self.destination]
        )
        return {
            t: (
                part
                * sum(
                    n.use[s, "u_base"]
                    * n.capacity.get((self.exporter, s), 0.0)
                    * n.index[s, t]
                    for s in chosen(self.segments, n.segments)
                )
            )
            for t in years
        }

    def derived(self, parameters: Parameters) -> list[tuple[str, float, str]]:
        """The reference flow in the first and last year in force."""
        found = self.reference(parameters)
        unit = "kwpm" if self.input is None else "index"
        return (
            [
                (f"reference flow in {t}", found[t], unit)
                for t in sorted({min(found), max(found)})
            ]
            if found
            else []
        )

    def add(self, builder: ModelBuilder) -> None:
        """Hold exports to the share or the quota."""
        if self.input is None:
            flows = chips(
                builder,
                self,
                self.destination,
                frozenset({self.exporter}),
                chosen(self.segments, builder.n.segments),
                self.on or "chips",
            )
            meaning = "price of an export licence, USD per wafer"
        else:
            flows = inputs(builder, self, self.input, self.exporter, self.destination)
            meaning = "price of an export licence of the input, MUSD per index unit"
        if self.share is None:
            quota = dict.fromkeys(builder.n.years, builder.num(self, "quota"))
        else:
            quota = {
                t: builder.num(self, "share") * usual
                for t, usual in self.reference(builder.n).items()
            }
        license_flows(
            builder,
            self,
            flows,
            quota,
            holder=holders(flows, self.rent_to, self.destination, self.exporter),
            unit="kwpm" if self.input is None else "index",
            meaning=meaning,
            fine_to=self.exporter,
        )
