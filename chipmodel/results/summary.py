"""What a comparison needs of a solution, as plain data.

A summary is small and can be sent between processes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Container
from dataclasses import dataclass, field

from chipmodel.cases.case import Case
from chipmodel.common.errors import InputError
from chipmodel.common.text import with_article
from chipmodel.common.units import per_wafer
from chipmodel.dataset.dataset import Dataset
from chipmodel.dataset.rows import RegionRow, SegmentRow
from chipmodel.model.world import World
from chipmodel.policies.capacity_linked_quota import EARNED, CapacityLinkedQuota
from chipmodel.policies.origin_floor import OriginFloor
from chipmodel.results import money
from chipmodel.results.projects import Project, fab_projects, packaging_projects
from chipmodel.results.solution import Solution

RSY = tuple[str, str, int]
"""Region, segment, year."""


@dataclass(frozen=True)
class Labels:
    """The names a table or figure needs.

    Attributes
    ----------
    regions : dict
        Names of the regions by id, in order of rank.
    segments : dict
        Names of the segments by id.
    leading : str
        The segment of leading-edge chips.
    subjects : tuple of str
        Regions that findings are about.
    years : tuple of int
        Years reported.
    horizon : int
        Last year solved.
    """

    regions: dict[str, str]
    segments: dict[str, str]
    leading: str
    subjects: tuple[str, ...]
    years: tuple[int, ...]
    horizon: int

    @classmethod
    def of(cls, data: Dataset, world: World) -> Labels:
        """Read the names from a data package."""
        rows = sorted(data.rows(RegionRow), key=lambda row: row.rank)
        return cls(
            regions={row.region: row.name for row in rows},
            segments={row.segment: row.name for row in data.rows(SegmentRow)},
            leading=data.leading_segment,
            subjects=tuple(row.region for row in rows if row.subject),
            years=tuple(range(world.base_year, world.report_until + 1)),
            horizon=world.horizon,
        )


@dataclass(frozen=True)
class Summary:
    """A solution in plain data, for the years reported.

    Flows are kwpm, prices USD per wafer, money MUSD: undiscounted by year, or in
    present value over all years solved where no year is a key. `maker_price`,
    `purchases` and `discount` have every year solved.

    Attributes
    ----------
    point : dict
        Numbers changed by a study's grid.
    bought : dict
        Chips bought by makers of devices, by segment, origin, place of the maker and
        year.
    purchases : dict
        Chips bought by makers of devices, by place of the maker, segment and year.
    devices : dict
        Chips in devices, by segment, place of making, place of use and year.
    surplus, rents, treasury : dict
        Present values by region; rents belong to the owner's home, those of nobody's to
        ``world``.
    unbilled : dict
        What firms gain by the residual of places, present value by home region.
    cash : dict
        Support paid in cash by (policy, region, year).
    lines : dict
        What treasuries receive (positive) or pay by (account, policy, region, year),
        without cash lines.
    floors : dict
        Worth of one more trusted wafer under a rule of origin, by (policy, segment,
        year), USD per wafer.
    certificates : dict
        Price of a certificate of a capacity-linked quota, by (policy, year), USD per
        wafer.
    earned : dict
        Certificates earned, by (policy, firm, year), kwpm.
    plants : tuple of Project
        Announced packaging plants; their segment is the kind of packaging.
    invested : dict
        Cash spent on fabs by (firm, region, year), before support.
    received : dict
        Support received in cash by (policy, firm, region of the fab, year).
    program : str
        Digest of the linear program; empty at the points of a sweep.
    """

    case: Case
    world: World
    point: dict[str, float]
    labels: Labels
    discount: dict[int, float]
    objective: float
    foresight: str
    found: dict[str, float]
    capacity: dict[RSY, float]
    projects: tuple[Project, ...]
    user_price: dict[RSY, float]
    maker_price: dict[RSY, float]
    dutiable: dict[str, float]
    used: dict[RSY, float]
    bought: dict[tuple[str, str, str, int], float]
    purchases: dict[RSY, float]
    devices: dict[tuple[str, str, str, int], float]
    surplus: dict[str, float]
    rents: dict[str, float]
    treasury: dict[str, float]
    cash: dict[tuple[str, str, int], float]
    lines: dict[tuple[str, str, str, int], float]
    floors: dict[tuple[str, str, int], float] = field(default_factory=dict)
    certificates: dict[tuple[str, int], float] = field(default_factory=dict)
    earned: dict[tuple[str, str, int], float] = field(default_factory=dict)
    plants: tuple[Project, ...] = ()
    invested: dict[tuple[str, str, int], float] = field(default_factory=dict)
    received: dict[tuple[str, str, str, int], float] = field(default_factory=dict)
    unbilled: dict[str, float] = field(default_factory=dict)
    program: str = ""

    @classmethod
    def of(
        cls,
        solution: Solution,
        point: dict[str, float] | None = None,
        stamped: bool = True,
    ) -> Summary:
        """Condense a solution.

        Parameters
        ----------
        solution : Solution
        point : dict, optional
            Numbers of the point of a sweep.
        stamped : bool
            Whether to compute the digest of the linear program.
        """
        parameters = solution.parameters
        labels = Labels.of(parameters.data, solution.world)
        years = labels.years
        surplus, rents = money.surplus_and_rents(solution)
        cash = money.cash_flows(solution, years)
        dutiable = parameters.prices.dutiable
        return cls(
            case=solution.case,
            world=solution.world,
            point=dict(point or {}),
            labels=labels,
            discount={t: parameters.discount[t] for t in parameters.years},
            objective=solution.objective,
            foresight=solution.foresight,
            found=dict(solution.found),
            capacity=_capacity(solution),
            projects=fab_projects(solution, years),
            user_price=_user_prices(solution),
            maker_price=_maker_prices(solution),
            dutiable={s: per_wafer(value) for s, value in dutiable.items()},
            used=_used(solution, years),
            bought=_bought(solution, years),
            purchases=_purchases(solution),
            devices=_devices(solution, years),
            surplus=surplus,
            rents=rents,
            treasury=money.net_revenue(solution),
            cash=cash.support,
            lines=cash.treasury,
            floors=_floors(solution, years),
            certificates=_certificate_prices(solution, years),
            earned=_certificates_earned(solution, years),
            plants=packaging_projects(solution, years),
            invested=cash.invested,
            received=cash.received,
            unbilled=money.unbilled_gains(solution),
            program=solution.program.digest if stamped else "",
        )

    def __hash__(self) -> int:
        return hash((self.case, self.world, self.objective))

    @property
    def name(self) -> str:
        """Case and world in one word."""
        return f"{self.case.name}--{self.world.name}"

    def region(self, name: str) -> str:
        """Return a region's name, with the article where English wants one."""
        return with_article(self.labels.regions.get(name, name))

    def segment(self, name: str) -> str:
        """Return a segment's name."""
        return self.labels.segments.get(name, name)


def summary_of(thing: Solution | Summary) -> Summary:
    """Return the summary of a solution, or a summary as it is."""
    if isinstance(thing, Summary):
        return thing
    if isinstance(thing, Solution):
        return Summary.of(thing)
    raise InputError.one(
        "comparison",
        type(thing).__name__,
        "is neither a solution nor a summary",
        "pass what chipmodel.run returns",
    )


def _capacity(solution: Solution) -> dict[RSY, float]:
    total: dict[RSY, float] = defaultdict(float)
    for site, year, kwpm in solution.in_service():
        total[site.region, site.segment, year] += kwpm
    return dict(total)


def _used(solution: Solution, years: Container[int]) -> dict[RSY, float]:
    used = {}
    for (e, s, t), kwpm in solution.columns("consumed").items():
        if t in years:
            used[e, s, t] = kwpm
    return used


def _bought(
    solution: Solution, years: Container[int]
) -> dict[tuple[str, str, str, int], float]:
    total: dict[tuple[str, str, str, int], float] = defaultdict(float)
    for (s, r, _, m, t), kwpm in solution.quantities("ship"):
        if t in years:
            total[s, r, m, t] += kwpm
    return dict(total)


def _purchases(solution: Solution) -> dict[RSY, float]:
    total: dict[RSY, float] = defaultdict(float)
    for (s, _, _, m, t), kwpm in solution.quantities("ship"):
        total[m, s, t] += kwpm
    return dict(total)


def _devices(
    solution: Solution, years: Container[int]
) -> dict[tuple[str, str, str, int], float]:
    total: dict[tuple[str, str, str, int], float] = defaultdict(float)
    for (s, _, m, e, t), kwpm in solution.quantities("device"):
        if t in years:
            total[s, m, e, t] += kwpm
    return dict(total)


def _user_prices(solution: Solution) -> dict[RSY, float]:
    prices = {}
    for (e, s, t), dual in solution.duals("demand_balance").items():
        if t <= solution.world.report_until:
            prices[e, s, t] = per_wafer(dual)
    return prices


def _maker_prices(solution: Solution) -> dict[RSY, float]:
    # A place that buys nothing still has a price, the lowest at which it would be
    # served.
    offered: dict[RSY, float] = {}
    # The lowest over the classes of origin, any of which it could buy.
    for (s, _, m, t), dual in solution.duals("device_balance").items():
        price = per_wafer(abs(dual))
        offered[m, s, t] = min(offered.get((m, s, t), float("inf")), price)
    return offered | solution.maker_prices


def _floors(
    solution: Solution, years: Container[int]
) -> dict[tuple[str, str, int], float]:
    worth: dict[tuple[str, str, int], float] = {}
    for policy in solution.case.policies:
        if not isinstance(policy, OriginFloor):
            continue
        for (s, t), dual in solution.duals(f"{policy.id}__floor").items():
            if t in years:
                worth[policy.id, s, t] = per_wafer(max(dual, 0.0))
    return worth


def _certificate_prices(
    solution: Solution, years: Collection[int]
) -> dict[tuple[str, int], float]:
    prices: dict[tuple[str, int], float] = {}
    for policy in solution.case.policies:
        if not isinstance(policy, CapacityLinkedQuota):
            continue
        # A year without dutiable imports has no row, and a certificate no worth.
        for t in years:
            prices[policy.id, t] = 0.0
        for (t,), dual in solution.duals(f"{policy.id}__allowance").items():
            if t in years:
                prices[policy.id, t] = per_wafer(max(dual, 0.0))
    return prices


def _certificates_earned(
    solution: Solution, years: Container[int]
) -> dict[tuple[str, str, int], float]:
    earned: dict[tuple[str, str, int], float] = {}
    if not any(isinstance(p, CapacityLinkedQuota) for p in solution.case.policies):
        return earned
    table = solution.policies
    table = table[table["item"].str.startswith(EARNED)]
    for policy, item, year, kwpm in zip(
        table["policy"], table["item"], table["year"], table["value"], strict=True
    ):
        # The firm is part of the name of the item.
        if year in years:
            earned[policy, item.removeprefix(EARNED), year] = kwpm
    return earned
