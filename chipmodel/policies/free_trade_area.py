"""Free-trade areas."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field, model_validator

from chipmodel.common import pyo
from chipmodel.model.parameters.duties import LAYERS, Layer, Relief
from chipmodel.policies.base import ALL, DisplayNames, Issue, Policy, chosen, unknown

if TYPE_CHECKING:
    from chipmodel.model.lp.builder import ModelBuilder
    from chipmodel.model.parameters.parameters import Parameters


class FreeTradeArea(Policy):
    r"""A free-trade area: members levy no duty on each other's chips.

    The duties of the case that a member levies on chips originating in another are set
    to zero in the schedule of duties, before stacking and ceilings:

    .. math:: duty_{m,r} = 0 \quad \text{for members } m, r

    Origin is by each duty's own rule: where the wafer was made, or where it was
    packaged. ``layers`` limits it to some laws: an agreement need not touch safeguard
    or security duties. Without a duty between members it does nothing. It is a pure
    price and has no dual; the ledger holds what moves free of a duty it would have
    borne.
    """

    kind: ClassVar[str] = "free_trade_area"
    law: ClassVar[str] = "A free-trade agreement or customs union."
    example: ClassVar[str] = """
id = "cjk"
members = ["CHN", "JPN", "KOR"]
years = [2028, 2041]
source = "cjk_2025"
"""

    members: tuple[str, ...] = Field(
        min_length=2, description="Regions that levy nothing on each other's chips."
    )
    segments: tuple[str, ...] = Field(default=ALL, description="Segments it exempts.")
    layers: tuple[Layer, ...] = Field(
        default=LAYERS, min_length=1, description="Layers of duties it lifts."
    )

    @model_validator(mode="after")
    def _members_differ(self) -> FreeTradeArea:
        if len(set(self.members)) < len(self.members):
            raise ValueError("members names a region twice")
        return self

    def describe(self, names: DisplayNames) -> str:
        """Return who levies nothing on whom."""
        laws = ""
        if self.layers != LAYERS:
            laws = f" of the layers {', '.join(self.layers)}"
        return (
            f"{names(*self.members)} levy no duty{laws} on each other's"
            f" chips{names.only(self.segments)}"
        )

    def problems(self, parameters: Parameters) -> list[Issue]:
        """Return names that do not exist."""
        return [
            *super().problems(parameters),
            *unknown("members", self.members, parameters.regions),
            *unknown("segments", self.segments, parameters.segments),
        ]

    def reliefs(self, parameters: Parameters) -> list[Relief]:
        """Return a rate of zero between members."""
        members = frozenset(self.members)
        return [
            Relief(
                policy=self.id,
                importers=members,
                origins=members,
                segments=frozenset(chosen(self.segments, parameters.segments)),
                years=self.years,
                layers=frozenset(self.layers),
                tariffs=None,
                rate=0.0,
            )
        ]

    def add(self, builder: ModelBuilder) -> None:
        """Measure the flows exempt; the duties themselves are zero in the schedule."""
        parameters = builder.parameters
        segments = chosen(self.segments, parameters.segments)
        years = [t for t in parameters.years if self.active(t)]
        levied = set()
        for levy in builder.duties.levies:
            if levy.importer in self.members:
                levied.add((levy.importer, levy.on))
        exempt: dict[int, list[Any]] = defaultdict(list)
        for importer, on in sorted(levied):
            for flow in builder.flows(on, importer, segments, years):
                share = builder.duties.relieved(self.id, importer, on, flow)
                # The schedule of duties holds floats, in a sweep as well.
                if share > 0:
                    exempt[flow.year].append(share * flow.term)
        for t, terms in exempt.items():
            builder.measure(self, "freed_flow", t, pyo.quicksum(terms), "kwpm")
