"""Cost of place: what a new fab of a segment costs in a region, for the programme and for comparison.

The programme reads its capital and running cost from here, so that what is held against
published ten-year costs is what it builds with.
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


TEN = 10
"""Years over which published studies add up cost."""


NEW_FABS = ("logic_lt10", "dram", "dao")
"""The three new fabs of the published comparison: advanced logic, advanced memory, advanced analog."""


@dataclass(frozen=True)
class PlaceCost:
    r"""Cost of one kwpm of a segment in a region.

    .. math:: capex = c_s \, (1 - b + b \, building_r) \, place_r

    with b the share of shell and facility, building the cost of construction and place the premium
    of the place, both relative to the reference place.

    Attributes
    ----------
    capex : float
        MUSD per kwpm at cost multiplier 1, before interest.
    premium : float
        The part of `capex` that is the premium of the place: a factor for what fabs
        find there that nobody bills. It is calibrated on where they were built, so
        published costs do not hold it.
    interest : float
        Capital at production start per unit paid: the cost of a slow place.
    running : float
        Labour, utilities, upkeep and overhead at full use, MUSD per kwpm and year.
    inputs : float
        Materials at full use, MUSD per kwpm and year.
    """

    capex: float
    premium: float
    interest: float
    running: float
    inputs: float

    @property
    def billed(self) -> float:
        """Capital cost as it is billed: without the premium, MUSD per kwpm."""
        return self.capex / self.premium

    def ten_years(self, use: float, interest: bool = False) -> float:
        """Return ten-year cost before incentives and without premium, MUSD per kwpm, undiscounted.

        Parameters
        ----------
        use : float
            Share of capacity that runs.
        interest : bool
            Whether interest during construction counts.
        """
        capital = self.billed * (self.interest if interest else 1.0)
        return capital + TEN * use * (self.running + self.inputs)


def place_costs(facts: Facts) -> dict[RS, PlaceCost]:
    """Return the cost of every segment in every region."""
    cost = facts.table(CostRow, "segment", "item")
    factor = facts.table(CostFactorRow, "region", "item")
    months = facts.table(ConstructionRow, "region", "item")
    share = next(
        value
        for row, value in facts.each(ParameterRow)
        if row.parameter == "building_share"
    )
    found = {}
    for r in (row.region for row in facts.data.rows(RegionRow)):
        interest = construction(
            months[r, "build"], share, facts.world.discount_rate
        ).interest
        for s in (row.segment for row in facts.data.rows(SegmentRow)):
            found[r, s] = PlaceCost(
                cost[s, "capex"]
                * (1.0 - share + share * factor[r, "building"])
                * factor[r, "place"],
                factor[r, "place"],
                interest,
                per_kwpm_year(cost[s, "running"] * factor[r, "running"]),
                per_kwpm_year(cost[s, "inputs"]),
            )
    return found


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
    """Return ten-year cost in a region over that in another, less one: the mean over the three new fabs.

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
    costs, paid = (
        place_costs(facts),
        incentives(facts, year) if year is not None else {},
    )
    left = {}
    for r in (region, reference):
        if year is not None and r not in paid:
            raise InputError.one(
                "incentives.csv",
                f"{r}, {year}",
                "row is missing",
                "add it, with its source",
            )
        left[r] = math.fsum(v for v in _each(facts, costs, r, reference, interest)) * (
            1.0 - paid.get(r, 0.0)
        )
    return left[region] / left[reference] - 1.0


def incentive_part(facts: Facts, region: str, reference: str, year: int) -> float:
    """Return the part of the gap in ten-year cost that incentives make up.

    The gap in money after incentives less the gap before them, over the gap after them.
    """
    paid, costs = incentives(facts, year), place_costs(facts)
    gross = {
        r: math.fsum(_each(facts, costs, r, reference, False))
        for r in (region, reference)
    }
    net = {r: gross[r] * (1.0 - paid[r]) for r in gross}
    return 1.0 - (gross[region] - gross[reference]) / (net[region] - net[reference])


def _each(
    facts: Facts,
    costs: dict[RS, PlaceCost],
    region: str,
    reference: str,
    interest: bool,
) -> list[float]:
    """Return the ten-year cost of each new fab, relative to the reference place before incentives."""
    use = {
        row.segment: value
        for row, value in facts.each(OperationRow)
        if row.item == "u_base"
    }
    known = [s for s in NEW_FABS if s in use] or sorted(use)
    return [
        costs[region, s].ten_years(use[s], interest)
        / costs[reference, s].ten_years(use[s], interest)
        for s in known
    ]
