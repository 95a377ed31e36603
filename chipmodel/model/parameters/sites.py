"""Sites and places: fleets, announced projects, greenfield, and what building costs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from chipmodel.model.parameters.finance import Construction, share_in_service
from chipmodel.solver.ledger import Party

FLEET_STEPS = 5
"""Steps of running cost between u_min and u_max of a fleet."""

Group = tuple[str, str, str]
"""Firm, region and segment whose builds compete for one construction capacity."""


@dataclass(frozen=True)
class Site:
    """A fleet, a project or a greenfield place.

    Attributes
    ----------
    size : float or None
        kwpm; none for greenfield.
    given : dict
        Builds by year that are history, kwpm.
    committed : float
        Minimum build in its first year, kwpm: what is under way beyond history.
    builds : tuple of int
        Years in which construction may start.
    ready : dict
        Calendar time at which a build of each year comes on line, such as 2027.5.
    decided : dict
        Year in which a build of each year is decided (construction start less the
        permit time).
    started : int or None
        Year in which construction started, as known on the information date.
    premium : float
        Extra capital cost as a share (land and permits of a greenfield place).
    awards : dict
        Public awards by treasury, MUSD for the whole size.
    """

    id: str
    kind: str
    name: str
    firm: str
    region: str
    segment: str
    size: float | None
    given: dict[int, float]
    committed: float
    builds: tuple[int, ...]
    ready: dict[int, float]
    decided: dict[int, int]
    started: int | None
    premium: float
    awards: dict[str, float]

    @property
    def agent(self) -> str:
        """The agent that owns it: the firm at this place."""
        return Party("fab", self.firm, self.region).label

    def in_service(self, build: int, year: int) -> float:
        """Return the share of a year in which a build of year `build` is in service."""
        return share_in_service(self.ready[build], year)

    def service(self, build: int, years: Iterable[int]) -> list[tuple[int, float]]:
        """Return the years in which a build is in service, with the share of each."""
        ready = self.ready[build]
        return [(t, share_in_service(ready, t)) for t in years if t + 1.0 > ready]

    def in_first_life(self, build: int, year: int, life: float) -> float:
        """Return the share of a year in which a build is in its first economic life.

        After it the plant is renewed at the cost of its firm: support is not.
        """
        ready = self.ready[build]
        renewed = share_in_service(ready + life, year)
        return share_in_service(ready, year) - renewed


@dataclass(frozen=True)
class Place:
    """A group: a firm's builds of a segment in a region, and what they cost.

    Attributes
    ----------
    capex : float
        MUSD per kwpm at multiplier 1.
    running : float
        MUSD per kwpm and year, without inputs.
    multipliers : tuple of float
        Cost multiplier of each step, rising.
    widths : dict
        Width of every step but the last by year, kwpm; the last is unbounded.
    """

    group: Group
    capex: float
    running: float
    multipliers: tuple[float, ...]
    widths: dict[int, float]
    work: Construction

    @property
    def agent(self) -> str:
        """The agent that owns the construction capacity."""
        firm, region, *_ = self.group
        return Party("fab", firm, region).label


@dataclass(frozen=True)
class Sites:
    """All sites and places of a data set in a world."""

    sites: dict[str, Site]
    places: dict[Group, Place]
    group_of: dict[str, Group]
    fleet_running: tuple[float, ...]
    """Running cost of each fleet step above u_min, relative to the mean."""
    homes: dict[str, str]
    """Home region of each named firm."""

    def of(self, region: str, segment: str) -> list[Site]:
        """Return the sites of a region and segment."""
        sites = self.sites.values()
        in_region = [site for site in sites if site.region == region]
        return [site for site in in_region if site.segment == segment]
