"""Quotas on imports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from chipmodel.common.ids import REGION_PATTERN
from chipmodel.policies.base import ALL, DisplayNames, Number, Policy, chosen, unknown
from chipmodel.policies.licences import (
    On,
    PriceCap,
    RentTo,
    _goods,
    _rent,
    chips,
    holders,
    license_flows,
    no_route,
    own_chips,
    told,
)

if TYPE_CHECKING:
    from chipmodel.model.lp.builder import ModelBuilder
    from chipmodel.model.parameters.parameters import Parameters


class ImportQuota(Policy):
    r"""A quota on a region's imports of chips.

    In each year the chips of the named segments and origins that makers of devices in
    the importing region buy (``on = "chips"``) or that are in everything used there
    (``on = "use"``) are at most ``quota``, all origins and segments together:

    .. math:: \sum_{s, r} flow_{s,r,t} \le quota

    The dual is the price of a licence. Price times quota is the rent, which ``rent_to`` gives to the
    exporters (by the licences each uses, as in a voluntary restraint), to importers who are given the
    licences, or to the importer's treasury, which sells them. With a ``price_cap`` more may be
    brought in at a fine a wafer, paid to that treasury: a tariff-rate quota. A tariff at the dual has
    the same effect, and the treasury then earns the rent.
    """

    kind: ClassVar[str] = "import_quota"
    law: ClassVar[str] = (
        "An import quota, a tariff-rate quota or a voluntary export restraint."
    )
    dual: ClassVar[str] = "price of an import licence, USD per wafer"
    example: ClassVar[str] = """
id = "memory_quota"
importer = "USA"
origins = ["KOR"]
segments = ["dram", "nand"]
quota = 50
on = "chips"
rent_to = "exporter"
price_cap = 1500
years = [2027, 2031]
source = "own"
"""

    importer: str = Field(
        pattern=REGION_PATTERN, description="Region whose imports are limited."
    )
    origins: tuple[str, ...] = Field(
        default=ALL, description="Origins limited together; all for every other region."
    )
    segments: tuple[str, ...] = Field(
        default=ALL, description="Segments limited together."
    )
    quota: Annotated[float, Field(ge=0, le=1e5), Number("kwpm")] = Field(
        description="Most that may come in, kwpm."
    )
    on: On = Field(description="Bare chips at the maker, or chips in everything used.")
    rent_to: RentTo = Field(description="Who earns the price of the licences.")
    price_cap: PriceCap = Field(
        default=None,
        description="Fine per wafer over the quota, USD; none: nothing over it.",
    )

    def describe(self, names: DisplayNames) -> str:
        """How much may come in from where."""
        goods = _goods(self.on, self.segments, names)
        return (
            f"{names(self.importer)} takes in at most {self.quota:g} kwpm of {goods}"
            f" from {names.every(self.origins, 'all other regions')};"
            f" {_rent(self.rent_to, self.price_cap)}"
        )

    def _origins(self, n: Parameters) -> frozenset[str]:
        return frozenset(chosen(self.origins, n.regions)) - (
            {self.importer} if self.origins == ALL else set()
        )

    def problems(self, parameters: Parameters) -> list[tuple[str, str, str]]:
        """Return names and routes that do not exist."""
        n = parameters
        segments = chosen(self.segments, n.segments)
        return [
            *super().problems(n),
            *unknown("importer", (self.importer,), n.regions),
            *unknown("origins", self.origins, n.regions),
            *unknown("segments", self.segments, n.segments),
            *own_chips("origins", self.origins, self.importer),
            *no_route(n, self.importer, self._origins(n), segments, self.on),
        ]

    def distinguishes(
        self, parameters: Parameters
    ) -> list[tuple[str, tuple[str, ...], frozenset[str]]]:
        """The origins limited, each by itself if exporters earn the rent."""
        if self.on == "chips":
            return []
        return told(
            self.importer,
            chosen(self.segments, parameters.segments),
            self._origins(parameters),
            self.rent_to == "exporter",
        )

    def add(self, builder: ModelBuilder) -> None:
        """Hold imports to the quota."""
        flows = chips(
            builder,
            self,
            self.importer,
            self._origins(builder.n),
            chosen(self.segments, builder.n.segments),
            self.on,
        )
        quota = dict.fromkeys(builder.n.years, builder.num(self, "quota"))
        license_flows(
            builder,
            self,
            flows,
            quota,
            holder=holders(flows, self.rent_to, self.importer, self.importer),
            unit="kwpm",
            meaning=self.dual,
            fine_to=self.importer,
        )
