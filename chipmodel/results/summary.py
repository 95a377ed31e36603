"""What a comparison needs of a solution, as plain data: small, and fit to be sent between processes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from chipmodel.cases.case import Case
from chipmodel.common.errors import InputError
from chipmodel.common.text import with_article
from chipmodel.common.units import per_wafer
from chipmodel.dataset.dataset import Dataset
from chipmodel.dataset.rows import RegionRow, SegmentRow
from chipmodel.model.parameters.finance import share_in_service
from chipmodel.model.world import World
from chipmodel.policies.capacity_linked_quota import CapacityLinkedQuota
from chipmodel.policies.origin_floor import OriginFloor
from chipmodel.results.accounts import home_of
from chipmodel.results.solution import Solution
from chipmodel.solver.ledger import Party

RSY = tuple[str, str, int]
"""Region, segment, year."""


@dataclass(frozen=True)
class Labels:
    """The names a table or figure needs: regions in order of rank, segments, years reported, last year solved."""

    regions: dict[str, str]
    segments: dict[str, str]
    leading: str
    subjects: tuple[str, ...]
    years: tuple[int, ...]
    horizon: int

    @classmethod
    def of(cls, data: Dataset, world: World) -> Labels:
        """Read the names off a data package."""
        rows = sorted(data.rows(RegionRow), key=lambda row: row.rank)
        return cls(
            {row.region: row.name for row in rows},
            {row.segment: row.name for row in data.rows(SegmentRow)},
            data.leading_segment,
            tuple(row.region for row in rows if row.subject),
            tuple(range(world.base_year, world.report_until + 1)),
            world.horizon,
        )


@dataclass(frozen=True)
class Project:
    """An announced project as it stands in the results: kwpm in service at the end of each year."""

    site: str
    name: str
    firm: str
    region: str
    segment: str
    size: float
    in_service: dict[int, float]


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
        Announced packaging plants; the kind of packaging stands for the segment.
    invested : dict
        Cash spent on fabs by (firm, region, year), before support.
    received : dict
        Support received in cash by (policy, firm, region of the fab, year).
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

    @classmethod
    def of(cls, solution: Solution, point: dict[str, float] | None = None) -> Summary:
        """Condense a solution."""
        n, world = solution.parameters, solution.world
        labels = Labels.of(n.data, world)
        surplus, rents = _gains(solution)
        cash, lines = _treasury_lines(solution, labels.years)
        users, makers = _prices(solution)
        return cls(
            case=solution.case,
            world=world,
            point=dict(point or {}),
            labels=labels,
            discount={t: n.discount[t] for t in n.years},
            objective=solution.objective,
            foresight=solution.foresight,
            found=dict(solution.found),
            capacity=_capacity(solution),
            projects=_projects(solution, labels.years),
            user_price=users,
            maker_price=makers,
            dutiable={s: per_wafer(v) for s, v in n.prices.dutiable.items()},
            used=_reported(
                {(e, s, t): v for (e, s, t), v in solution.columns("consumed").items()},
                labels.years,
            ),
            bought=_summed(
                solution, "ship", lambda s, r, a, m, t: (s, r, m, t), labels.years
            ),
            purchases=_summed(
                solution, "ship", lambda s, r, a, m, t: (m, s, t), n.years
            ),
            devices=_summed(
                solution, "device", lambda s, c, m, e, t: (s, m, e, t), labels.years
            ),
            surplus=surplus,
            rents=rents,
            treasury=_treasuries(solution),
            cash=cash,
            lines=lines,
            floors=_floors(solution, labels.years),
            **_certificates(solution, labels.years),
            plants=_plants(solution, labels.years),
            **_firm_cash(solution, labels.years),
        )

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


def _reported(found: dict[Any, float], years: Iterable[int]) -> dict[Any, float]:
    kept = set(years)
    return {key: value for key, value in found.items() if key[-1] in kept}


def _summed(
    solution: Solution, name: str, key: Any, years: Iterable[int]
) -> dict[Any, float]:
    total: dict[Any, float] = defaultdict(float)
    for index, value in solution.columns(name).items():
        if value > 0:
            total[key(*index)] += value
    return _reported(dict(total), years)


def _records(frame: pd.DataFrame, *columns: str) -> Iterator[tuple[Any, ...]]:
    return zip(*(frame[column].tolist() for column in columns), strict=True)


def _capacity(solution: Solution) -> dict[RSY, float]:
    total: dict[RSY, float] = defaultdict(float)
    for region, segment, year, value in _records(
        solution.capacity, "region", "segment", "year", "value"
    ):
        total[region, segment, year] += value
    return dict(total)


def _projects(solution: Solution, years: tuple[int, ...]) -> tuple[Project, ...]:
    sites = solution.parameters.sites.sites
    total: dict[tuple[str, int], float] = defaultdict(float)
    for (i, start), kwpm in solution.columns("build").items():
        if kwpm > 0 and sites[i].kind == "project":
            for t, _ in solution.parameters.service[i, start]:
                total[i, t] += kwpm
    found = []
    for site in sites.values():
        if site.kind != "project":
            continue
        running = {t: total.get((site.id, t), 0.0) for t in years}
        found.append(
            Project(
                site.id,
                site.name,
                site.firm,
                site.region,
                site.segment,
                site.size or 0.0,
                running,
            )
        )
    return tuple(found)


def _plants(solution: Solution, years: tuple[int, ...]) -> tuple[Project, ...]:
    builds = solution.columns("assemble_build")
    found = []
    for plant in solution.parameters.packaging.plants.values():
        if plant.kind == "project":
            running = {
                t: sum(
                    builds.get((plant.id, b), 0.0) * share_in_service(b + plant.lead, t)
                    for b in plant.builds
                )
                for t in years
            }
            found.append(
                Project(
                    plant.id,
                    plant.name,
                    plant.firm,
                    plant.region,
                    plant.package,
                    plant.size or 0.0,
                    running,
                )
            )
    return tuple(found)


def _firm_cash(
    solution: Solution, years: tuple[int, ...]
) -> dict[str, dict[Any, float]]:
    """Return what firms spend on fabs and what they get of each policy, in cash."""
    invested: dict[tuple[str, str, int], float] = defaultdict(float)
    received: dict[tuple[str, str, str, int], float] = defaultdict(float)
    for account, policy, payer, receiver, year, value, unit in solution.account.rows:
        fab = Party.of(receiver if policy else payer)
        if (
            unit != "MUSD"
            or year not in years
            or not (account.endswith("_cash") and fab.is_fab)
        ):
            continue
        if policy:
            received[policy, fab.name, fab.place, year] -= value
        else:
            invested[fab.name, fab.place, year] -= value
    return {"invested": dict(invested), "received": dict(received)}


def _prices(solution: Solution) -> tuple[dict[RSY, float], dict[RSY, float]]:
    users: dict[RSY, float] = {}
    for stage, *key, value in _records(
        solution.prices, "stage", "region", "segment", "year", "value"
    ):
        if stage == "user":
            users[key[0], key[1], key[2]] = value
    # A place that buys nothing still has a price, the least at which it would be
    # served.
    offered: dict[RSY, float] = {}
    for (s, _, m, t), value in solution.duals("device_balance").items():
        offered[m, s, t] = min(
            offered.get((m, s, t), float("inf")), per_wafer(abs(value))
        )
    return users, {**offered, **solution.maker_prices}


def _gains(solution: Solution) -> tuple[dict[str, float], dict[str, float]]:
    surplus: dict[str, float] = defaultdict(float)
    rents: dict[str, float] = defaultdict(float)
    for agent, value in solution.account.gains.items():
        party = Party.of(agent)
        if not party.is_treasury:
            gains = surplus if party.is_users else rents
            gains[home_of(agent, solution.parameters)] += value
    return dict(surplus), dict(rents)


def _treasuries(solution: Solution) -> dict[str, float]:
    """Return net revenue by region: taxes less support, and what licences sell for."""
    total: dict[str, float] = defaultdict(float)
    for source in (solution.account.treasury, solution.account.gains):
        for agent, value in source.items():
            party = Party.of(agent)
            if party.is_treasury:
                total[party.name] += value
    return dict(total)


def _treasury_lines(
    solution: Solution, years: tuple[int, ...]
) -> tuple[dict[tuple[str, str, int], float], dict[tuple[str, str, str, int], float]]:
    cash: dict[tuple[str, str, int], float] = defaultdict(float)
    lines: dict[tuple[str, str, str, int], float] = defaultdict(float)
    for account, policy, agent, _, year, value, unit in solution.account.rows:
        party = Party.of(agent)
        if unit != "MUSD" or year not in years or not party.is_treasury:
            continue
        region = party.name
        if account.endswith("_cash"):
            cash[policy, region, year] -= value
        else:
            lines[account, policy, region, year] += value
    return dict(cash), dict(lines)


def _floors(
    solution: Solution, years: tuple[int, ...]
) -> dict[tuple[str, str, int], float]:
    found = {}
    for policy in solution.case.policies:
        if isinstance(policy, OriginFloor):
            for (s, t), dual in solution.duals(f"{policy.id}__floor").items():
                if t in years:
                    found[policy.id, s, t] = per_wafer(max(dual, 0.0))
    return found


def _certificates(
    solution: Solution, years: tuple[int, ...]
) -> dict[str, dict[Any, float]]:
    """Return the prices of the certificates of capacity-linked quotas, and who earned how many."""
    prices: dict[tuple[str, int], float] = {}
    earned: dict[tuple[str, str, int], float] = {}
    for policy in solution.case.policies:
        if isinstance(policy, CapacityLinkedQuota):
            prices |= {(policy.id, t): 0.0 for t in years}
            for (t,), dual in solution.duals(f"{policy.id}__allowance").items():
                if t in years:
                    prices[policy.id, t] = per_wafer(max(dual, 0.0))
    rows = solution.policies
    rows = rows[rows["item"].str.startswith("earned_by_")]
    for policy_id, item, year, value in _records(
        rows, "policy", "item", "year", "value"
    ):
        if year in years:
            earned[policy_id, item.removeprefix("earned_by_"), year] = value
    return {"certificates": prices, "earned": earned}
