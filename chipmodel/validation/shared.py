"""What the replications share: results, and solutions that several of them use."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from chipmodel.analysis.run import run
from chipmodel.cases.case import Case, load_case
from chipmodel.dataset.dataset import Dataset
from chipmodel.dataset.rows import ParameterRow, ProjectRow
from chipmodel.model.world import World, load_world
from chipmodel.results.solution import Solution
from chipmodel.results.summary import Summary
from chipmodel.validation.placebo import reassigned_support

HINDCAST = "hindcast_2022"
"""World whose base year is 2022."""

WITH = "chips_2024"
WITHOUT = "chips_2024_without"
"""Cases of May 2024 with and without US support."""

MONEY_YEAR = 2025
"""Year of the money of the data."""


@dataclass(frozen=True)
class ModelResult:
    """The model's counterpart of a published result.

    Attributes
    ----------
    value : float
        Our number, in the unit of the target.
    other : float, optional
        The other end where it is a bracket.
    note : str
        What a reader should know about it.
    """

    value: float
    other: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Rung:
    """What one grant of the ladder brings, in MUSD and kwpm of the base solved.

    Attributes
    ----------
    rate : float
        Share of capital cost paid.
    paid : float
        Cash paid.
    built : float
        US builds started in the ten years, kwpm.
    investment : float
        Their capital cost as billed, without premiums.
    """

    rate: float
    paid: float
    built: float
    investment: float


@dataclass(frozen=True)
class Ladder:
    """Rungs at the published budgets (USD bn of 2020), by form of the grant."""

    open: dict[int, Rung]
    marginal: dict[int, Rung]


class ReplicationSetup:
    """Data and solutions of the replications; each case is solved once.

    Parameters
    ----------
    data : Dataset
    placebo : bool
        Whether each region's support is reassigned to another region.

    Attributes
    ----------
    ladder : Ladder, optional
        The rungs of the ladder of support, once they are solved.
    """

    def __init__(self, data: Dataset, placebo: bool = False) -> None:
        self.data = data
        self.placebo = placebo
        self.ladder: Ladder | None = None
        self._solutions: dict[tuple[str, str], Solution] = {}

    def case(self, name: str) -> Case:
        """Return a case, with its support reassigned if this is the placebo."""
        case = load_case(name, self.data)
        if self.placebo:
            return reassigned_support(case, self.data, self.world(HINDCAST))
        return case

    def world(self, name: str, **changes: object) -> World:
        """Return a world with some fields changed."""
        return load_world(name, self.data).with_(**changes)

    def solution(self, case: str, world: str = HINDCAST) -> Solution:
        """Return the solution of a case in a world."""
        key = (case, world)
        if key not in self._solutions:
            self._solutions[key] = run(self.data, self.case(case), self.world(world))
        return self._solutions[key]

    def summary(self, case: str, world: str = HINDCAST) -> Summary:
        """Return the summary of a case in a world."""
        return Summary.of(self.solution(case, world))

    def parameter(self, name: str) -> float:
        """Return a scalar of the model."""
        rows = self.data.rows(ParameterRow)
        return next(row.value for row in rows if row.parameter == name)

    @property
    def fab_size(self) -> float:
        """Size of a fab: the median of the announced ones, kwpm."""
        # A project has a row for each date at which news changed it; the last counts.
        latest = {}
        for row in sorted(self.data.rows(ProjectRow), key=lambda row: row.as_of):
            latest[row.site] = row
        sizes = [row.value for row in latest.values() if row.status != "cancelled"]
        return median(sizes)

    def money_of(self, year: int) -> float:
        """Return the worth of a dollar of a year in money of the data."""
        return (1.0 + self.parameter("inflation")) ** (MONEY_YEAR - year)
