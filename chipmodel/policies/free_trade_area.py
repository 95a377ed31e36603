"""Free-trade areas."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, ClassVar

import pyomo.environ as pyo
from pydantic import Field, model_validator

from chipmodel.model.parameters.duties import LAYERS, Layer, Relief
from chipmodel.policies.base import ALL, DisplayNames, Policy, chosen, unknown

if TYPE_CHECKING:
    from chipmodel.model.lp.builder import ModelBuilder
    from chipmodel.model.parameters.parameters import Parameters


class FreeTradeArea(Policy):
    r"""A free-trade area: members levy no duty on each other's chips.

    The duties of the case that a member levies on chips originating in another are set
    to zero in the schedule of duties, before stacking and ceilings:

    .. math:: duty_{m,r} = 0 \quad \text{for members } m, r

    Origin is by each duty's own rule: where the wafer was made, or where it was packaged. ``layers``
    limits it to some laws: an agreement need not touch safeguard or security duties. Without a duty
    between members it does nothing. It is a pure price and has no dual; the ledger holds what moves
    free of a duty it would have borne.
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
    segments: tuple[str, ...] = Field(default=ALL, description="Segments it frees.")
    layers: tuple[Layer, ...] = Field(
        default=LAYERS, min_length=1, description="Layers of duties it frees."
    )

    @model_validator(mode="after")
    def _members_differ(self) -> FreeTradeArea:
        if len(set(self.members)) < len(self.members):
            raise ValueError("members names a region twice")
        return self

    def describe(self, names: DisplayNames) -> str:
        """Who levies nothing on whom."""
        laws = (
            "" if self.layers == LAYERS else f" of the layers {', '.join(self.layers)}"
        )
        return (
            f"{names(*self.members)} levy no duty{laws} on each other's"
            f" chips{names.only(self.segments)}"
        )

    def problems(self, parameters: Parameters) -> list[tuple[str, str, str]]:
        """Return names that do not exist."""
        n = parameters
        return [
            *super().problems(n),
            *unknown("members", self.members, n.regions),
            *unknown("segments", self.segments, n.segments),
        ]

    def reliefs(self, parameters: Parameters) -> list[Relief]:
        """Zero between members."""
        members = frozenset(self.members)
        return [
            Relief(
                self.id,
                members,
                members,
                frozenset(chosen(self.segments, parameters.segments)),
                self.years,
                frozenset(self.layers),
                None,
                0.0,
            )
        ]

    def add(self, builder: ModelBuilder) -> None:
        """Keep the ledger: the duties themselves are zero in the schedule."""
        freed: dict[int, list[Any]] = defaultdict(list)
        years = [t for t in builder.n.years if self.active(t)]
        for importer, on in sorted(
            {
                (x.importer, x.on)
                for x in builder.duties.levies
                if x.importer in self.members
            }
        ):
            read = builder.imports if on == "chips" else builder.use
            for flow in read(
                importer, chosen(self.segments, builder.n.segments), years
            ):
                share = builder.duties.relieved(self.id, importer, on, flow)
                if share > 0:
                    freed[flow.year].append(share * flow.term)
        for t, terms in freed.items():
            builder.measure(self, "freed_flow", t, pyo.quicksum(terms), "kwpm")
