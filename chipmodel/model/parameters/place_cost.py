"""Cost of place: what a new fab of a segment costs in a region.

The linear program takes its capital and running costs from here, and so do the
comparisons with published ten-year costs: both use the same numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from chipmodel.common.errors import InputError
from chipmodel.common.units import per_kwpm_year
from chipmodel.dataset.rows import (
    ConstructionRow,
    CostFactorRow,
    CostRow,
    IncentiveRow,
    OperationRow,
    ParameterRow,
    RegionRow,
    SegmentRow,
)
from chipmodel.model.parameters.finance import construction
from chipmodel.model.parameters.scaled_facts import Facts

RS = tuple[str, str]
"""Region and segment."""

TEN = 10
"""Years over which published studies add up cost."""

NEW_FABS = ("logic_lt10", "dram", "dao")
"""The new fabs of the published comparison: advanced logic, memory and analog."""


@dataclass(frozen=True)
class SegmentCost:
    """Costs of a segment at the reference place.

    Attributes
    ----------
    capex : float
        MUSD per kwpm.
    running, inputs : float
        USD per wafer.
    """

    capex: float
    running: float
    inputs: float


@dataclass(frozen=True)
class RegionFactors:
    """Costs of a region relative to the reference place, where all factors are one."""

    building: float = 1.0
    running: float = 1.0


@dataclass(frozen=True)
class PlaceCost:
    r"""Cost of one kwpm of a segment in a region.

    .. math:: capex = c_s \, (1 - b + b \, building_r)

    with b the share of shell and facility and building the cost of construction
    relative to the reference place. It is what is billed: what a place is worth beyond
    that is the residual of `chipmodel.model.parameters.build`.

    Attributes
    ----------
    capex : float
        MUSD per kwpm at cost multiplier 1, before interest.
    interest : float
        Capital at production start per unit paid: the cost of a slow place.
    running : float
        Labour, utilities, upkeep and overhead at full use, MUSD per kwpm and year.
    inputs : float
        Materials at full use, MUSD per kwpm and year.
    """

    capex: float
    interest: float
    running: float
    inputs: float

    def ten_years(self, use: float, interest: bool = False) -> float:
        """Return ten-year cost before incentives, undiscounted.

        Parameters
        ----------
        use : float
            Share of capacity that runs.
        interest : bool
            Whether interest during construction counts.

        Returns
        -------
        float
            MUSD per kwpm.
        """
        capital = self.capex * (self.interest if interest else 1.0)
        return capital + TEN * use * (self.running + self.inputs)


def place_cost(
    segment: SegmentCost,
    factors: RegionFactors,
    building_share: float,
    interest: float = 1.0,
) -> PlaceCost:
    """Return the cost of a segment in a region.

    Parameters
    ----------
    segment : SegmentCost
    factors : RegionFactors
    building_share : float
        Share of shell and facility in the capital cost of the reference place.
    interest : float
        Capital at production start per unit paid.
    """
    construction_cost = 1.0 - building_share + building_share * factors.building
    return PlaceCost(
        capex=segment.capex * construction_cost,
        interest=interest,
        running=per_kwpm_year(segment.running * factors.running),
        inputs=per_kwpm_year(segment.inputs),
    )


def place_costs(facts: Facts) -> dict[RS, PlaceCost]:
    """Return the cost of every segment in every region."""
    cost = facts.table(CostRow, "segment", "item")
    factor = facts.table(CostFactorRow, "region", "item")
    months = facts.table(ConstructionRow, "region", "item")
    building_share = facts.column(ParameterRow, "parameter")["building_share"]
    regions = [row.region for row in facts.data.rows(RegionRow)]
    segments = [row.segment for row in facts.data.rows(SegmentRow)]
    costs = {}
    for region in regions:
        factors = RegionFactors(factor[region, "building"], factor[region, "running"])
        work = construction(
            months[region, "build"], building_share, facts.world.discount_rate
        )
        for segment in segments:
            at_reference = SegmentCost(
                cost[segment, "capex"],
                cost[segment, "running"],
                cost[segment, "inputs"],
            )
            costs[region, segment] = place_cost(
                at_reference, factors, building_share, work.interest
            )
    return costs


def incentives(facts: Facts, year: int) -> dict[str, float]:
    """Return the share of ten-year cost that a government paid in a year, by region."""
    return {
        row.region: value for row, value in facts.each(IncentiveRow) if row.year == year
    }


def gap(
    facts: Facts,
    region: str,
    reference: str,
    year: int | None = None,
    interest: bool = False,
) -> float:
    """Return ten-year cost in a region over that in another, less one.

    Each is the mean over the three new fabs.

    Parameters
    ----------
    facts : Facts
    region, reference : str
        The two places.
    year : int, optional
        Year of the incentives that are taken off; none are without it.
    interest : bool
        Whether interest during construction counts.

    Raises
    ------
    InputError
        If no incentives are known for one of the places in the year.
    """
    costs = place_costs(facts)
    paid = {} if year is None else incentives(facts, year)
    net = {}
    for place in (region, reference):
        if year is not None and place not in paid:
            raise InputError.one(
                "incentives.csv",
                f"{place}, {year}",
                "row is missing",
                "add it, with its source",
            )
        gross = math.fsum(_ten_year_ratios(facts, costs, place, reference, interest))
        net[place] = gross * (1.0 - paid.get(place, 0.0))
    return net[region] / net[reference] - 1.0


def incentive_part(facts: Facts, region: str, reference: str, year: int) -> float:
    """Return the part of the gap in ten-year cost that incentives make up.

    The gap in money after incentives less the gap before them, over the gap after them;
    the gap is that of `region` over `reference`, with the incentives of `year`.
    """
    paid = incentives(facts, year)
    costs = place_costs(facts)
    gross = {}
    for place in (region, reference):
        gross[place] = math.fsum(_ten_year_ratios(facts, costs, place, reference))
    net = {place: gross[place] * (1.0 - paid[place]) for place in gross}
    return 1.0 - (gross[region] - gross[reference]) / (net[region] - net[reference])


def _ten_year_ratios(
    facts: Facts,
    costs: dict[RS, PlaceCost],
    region: str,
    reference: str,
    interest: bool = False,
) -> list[float]:
    """Return the ten-year cost of each new fab over that at the reference place.

    Both are before incentives.
    """
    operation = facts.table(OperationRow, "segment", "item")
    use = {str(segment): operation[segment, "u_base"] for segment, _ in operation}
    # A data set without these segments compares all its own.
    fabs = [segment for segment in NEW_FABS if segment in use] or sorted(use)
    ratios = []
    for segment in fabs:
        cost = costs[region, segment].ten_years(use[segment], interest)
        reference_cost = costs[reference, segment].ten_years(use[segment], interest)
        ratios.append(cost / reference_cost)
    return ratios
