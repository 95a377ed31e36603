"""What the experiments behind the targets share: the data, and solutions that several of them read."""

from __future__ import annotations

from statistics import median

from chipmodel.analysis.run import run
from chipmodel.cases.case import Case, load_case
from chipmodel.dataset.dataset import Dataset
from chipmodel.dataset.rows import ParameterRow, ProjectRow
from chipmodel.model.world import World, load_world
from chipmodel.results.solution import Solution
from chipmodel.results.summary import Summary

HINDCAST = "hindcast_2022"


WITH, WITHOUT = "chips_2024", "chips_2024_without"


class ReplicationSetup:
    """Solves what experiments ask for, once.

    Parameters
    ----------
    data : Dataset
    placebo : bool
        Whether each region's support is handed to another region.
    """

    def __init__(self, data: Dataset, placebo: bool = False) -> None:
        self.data = data
        self.placebo = placebo
        self._known: dict[tuple[str, str], Solution] = {}
        self.kept: dict[str, object] = {}

    def case(self, name: str) -> Case:
        """Return a case, with its support handed on if this is the placebo."""
        from chipmodel.validation.placebo import reassigned_support

        case = load_case(name, self.data)
        return (
            reassigned_support(case, self.data, self.world(HINDCAST))
            if self.placebo
            else case
        )

    def world(self, name: str, **changes: object) -> World:
        """Return a world with some fields changed."""
        return load_world(name, self.data).with_(**changes)

    def solution(self, case: str, world: str = HINDCAST) -> Solution:
        """Return the solution of a case in a world."""
        key = (case, world)
        if key not in self._known:
            self._known[key] = run(self.data, self.case(case), self.world(world))
        return self._known[key]

    def summary(self, case: str, world: str = HINDCAST) -> Summary:
        """Return its summary."""
        return Summary.of(self.solution(case, world))

    def parameter(self, name: str) -> float:
        """Return a scalar of the model."""
        return next(
            row.value for row in self.data.rows(ParameterRow) if row.parameter == name
        )

    @property
    def fab(self) -> float:
        """Size of a fab: the median of the announced ones, kwpm."""
        latest = {
            row.site: row
            for row in sorted(self.data.rows(ProjectRow), key=lambda row: row.as_of)
        }
        return median(row.value for row in latest.values() if row.status != "cancelled")

    def money_of(self, year: int) -> float:
        """Return what a dollar of a year is worth in money of the data (2025)."""
        return (1.0 + self.parameter("inflation")) ** (2025 - year)
