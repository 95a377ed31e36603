"""Quotas on imports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from chipmodel.common.ids import REGION_PATTERN
from chipmodel.policies.base import (
    ALL,
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
    RentTo,
    chip_flows,
    distinctions,
    goods_name,
    holders,
    license_flows,
    no_route,
    own_chips,
    rent_clause,
)

if TYPE_CHECKING:
    from chipmodel.model.lp.builder import ModelBuilder
    from chipmodel.model.parameters.duties import Distinction
    from chipmodel.model.parameters.parameters import Parameters


class ImportQuota(Policy):
    r"""A quota on a region's imports of chips.

    In each year the chips of the named segments and origins that makers of devices in
    the importing region buy (``on = "chips"``) or that are in everything used there
    (``on = "use"``) are at most ``quota``, all origins and segments together:

    .. math:: \sum_{s, r} flow_{s,r,t} \le quota

    The dual is the price of a licence. Price times quota is the rent, which ``rent_to``
    gives to the exporters (by the licences each uses, as in a voluntary restraint), to
    importers who are given the licences, or to the importer's treasury, which sells
    them. With a ``price_cap`` more may be imported at a fine per wafer, paid to that
    treasury (a tariff-rate quota). A tariff at the dual has the same effect, and the
    treasury then earns the rent.
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
        description="Maximum imports, kwpm."
    )
    on: On = Field(description="Bare chips at the maker, or chips in everything used.")
    rent_to: RentTo = Field(description="Who earns the price of the licences.")
    price_cap: FinePerWafer = Field(
        default=None,
        description="Fine per wafer over the quota, USD; none: nothing over it.",
    )

    def describe(self, names: DisplayNames) -> str:
        """Return how much may be imported from where."""
        goods = goods_name(self.on, self.segments, names)
        return (
            f"{names(self.importer)} imports at most {self.quota:g} kwpm of {goods}"
            f" from {names.every(self.origins, 'all other regions')};"
            f" {rent_clause(self.rent_to, self.price_cap)}"
        )

    def _origins(self, parameters: Parameters) -> frozenset[str]:
        origins = frozenset(chosen(self.origins, parameters.regions))
        # Only "all" leaves out the importer; naming it is an issue.
        return origins - {self.importer} if self.origins == ALL else origins

    def problems(self, parameters: Parameters) -> list[Issue]:
        """Return names and routes that do not exist."""
        regions = parameters.regions
        segments = chosen(self.segments, parameters.segments)
        origins = self._origins(parameters)
        return [
            *super().problems(parameters),
            *unknown("importer", (self.importer,), regions),
            *unknown("origins", self.origins, regions),
            *unknown("segments", self.segments, parameters.segments),
            *own_chips("origins", self.origins, self.importer),
            *no_route(parameters, self.importer, origins, segments, self.on),
        ]

    def distinguishes(self, parameters: Parameters) -> list[Distinction]:
        """Return the origins limited, each by itself if exporters earn the rent."""
        # The origin of bare chips is always known.
        if self.on == "chips":
            return []
        return distinctions(
            self.importer,
            chosen(self.segments, parameters.segments),
            self._origins(parameters),
            each=self.rent_to == "exporter",
        )

    def add(self, builder: ModelBuilder) -> None:
        """Limit imports to the quota."""
        parameters = builder.parameters
        segments = chosen(self.segments, parameters.segments)
        origins = self._origins(parameters)
        flows = chip_flows(builder, self, self.importer, origins, segments, self.on)
        license_flows(
            builder,
            self,
            flows,
            dict.fromkeys(parameters.years, self.quota),
            holder=holders(flows, self.rent_to, self.importer, self.importer),
            unit="kwpm",
            meaning=self.dual,
            price_cap=self.price_cap,
            fine_to=self.importer,
        )
