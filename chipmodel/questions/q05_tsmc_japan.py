"""Q5, TSMC in Japan: output, buyers and subsidies of its Kumamoto fabs, by case."""

from __future__ import annotations

from collections import defaultdict

import pandas as pd

from chipmodel.common.text import listed, lower, percent
from chipmodel.dataset.derived import CHANGE
from chipmodel.dataset.rows import ProjectFactRow, ProjectRow
from chipmodel.display import style
from chipmodel.display.canvas import Drawn
from chipmodel.model.world import World
from chipmodel.questions.answer import Answer, Column, Figure, Table, rounded
from chipmodel.questions.shared import (
    BN,
    CASE,
    COMMITTED,
    UNCOMMITTED,
    Row,
    alt_text,
    between,
    case_name,
    draw_worlds,
    how_sure,
    money,
    received,
    records,
    side_by_side_table,
    spent,
    uncommitted,
    usd,
    wafers,
)
from chipmodel.results.summary import Summary
from chipmodel.studies.case_cache import CaseCache
from chipmodel.studies.plan import Cell

TITLE = "TSMC in Japan: Kumamoto 1 and 2"


ASKS = (
    "What do the Kumamoto fabs make, for whom, with what subsidies, and what happens to"
    " them in each case?"
)


METHOD = (
    "The two sites in each case. Kumamoto 1 has been running since the end of 2024 and"
    " is part of the fleet of 2025: policy cannot undo it. Kumamoto 2 is committed to"
    " the share under way, and in a second world not at all. The model follows chips by"
    " region, not by fab, so buyers are those of all Japanese chips of the segment."
    " Owners, quality and contracts are left out."
)


FIRM, HOME = "tsmc", "JPN"


SITES = ("tsmc_kumamoto_1", "tsmc_kumamoto_2")


SECOND = SITES[1]


CASES = (
    "current_law",
    "japan_support_withdrawn",
    "japan_domestic_first",
    "section232_25",
)


MORE_CASES = (
    "section232_100",
    "korea_japan_pushed_away",
    "china_decoupling",
    "credit_extended",
)


RUNNING = 0.05
"""Capacity above this, kwpm, is in service."""


SITE_COLUMNS = (
    Column("site", "site"),
    Column("segment", "segment"),
    Column("size", "size", "kwpm"),
    Column("first_year", "first year"),
    Column("status", "status"),
    Column("award", "award of Japan in the data", "USD bn"),
    Column("announced_cost", "announced cost", "USD bn"),
    Column("under_way", "share under way"),
)


KUMAMOTO_2 = wafers("running", "Kumamoto 2")


CASE_COLUMNS = (
    CASE,
    Column("world", "world"),
    KUMAMOTO_2,
    Column("first_year", "first year it runs"),
    money("spent", "TSMC spends in Japan"),
    money("support", "support to TSMC in Japan"),
    wafers("logic_10_22", "Japanese logic of 10 to 22 nm"),
    wafers("leading", "Japanese logic below 10 nm"),
)


BUYER_COLUMNS = (
    Column("segment", "segment"),
    Column("region", "region"),
    wafers("bought", "bought by makers of devices", 2),
    wafers("used", "in devices used there", 2),
)


def _pairs(cache: CaseCache, short: bool) -> list[tuple[str, str, World]]:
    """Return cases with the name of a world and the world; in short only committed."""
    central = cache.world("central")
    if short:
        return [(case, COMMITTED, central) for case in CASES]
    worlds = {COMMITTED: central, UNCOMMITTED: uncommitted(central)}
    pairs = []
    for name, world in worlds.items():
        for case in (*CASES, *MORE_CASES):
            pairs.append((case, name, world))
    return pairs


def cells(cache: CaseCache, short: bool) -> list[Cell]:
    """Return the cases with and without commitments."""
    return [cache.cell(case, world) for case, _, world in _pairs(cache, short)]


def answer(cache: CaseCache, short: bool) -> Answer:
    """Return the sites, how they run in each case, and who buys Japanese chips."""
    base = cache.summary(CASES[0])
    year = base.labels.years[-1]
    sites = rounded(_sites(cache, base), SITE_COLUMNS)
    pairs = _pairs(cache, short)
    table = rounded(
        (_row(cache.summary(case, world), name) for case, name, world in pairs),
        CASE_COLUMNS,
    )
    buyer_rows: list[Row] = []
    for segment in sites["segment_id"].unique():
        buyer_rows += _buyers(base, str(segment))
    buyers = rounded(buyer_rows, BUYER_COLUMNS)
    worlds = [Column(world.name, name) for name, world in _worlds_of(pairs).items()]
    tables = [
        Table(
            "q05_sites",
            "The two sites as announced and as in the data",
            sites,
            SITE_COLUMNS,
        ),
        Table(
            "q05_cases",
            f"Kumamoto 2 in {year} and TSMC's money in Japan, cash of"
            f" {base.labels.years[0]} to {year}",
            table,
            CASE_COLUMNS,
        ),
        Table(
            "q05_buyers",
            "Destinations of Japanese chips of the two segments under current law in"
            f" {year}, kwpm",
            buyers,
            BUYER_COLUMNS,
        ),
        Table(
            "q05_bars",
            f"Kumamoto 2 in {year}, one column per world, kwpm",
            side_by_side_table(table, "world_id", (KUMAMOTO_2,)),
            (CASE, *worlds, Column("measure", "measure")),
        ),
    ]

    def draw(bars: pd.DataFrame) -> Drawn:
        return draw_worlds(
            bars,
            worlds,
            (style.REGION_COLOURS[HOME], style.FAINT),
            title=f"Kumamoto 2 in {year} by case",
            note="in service, thousand 300 mm wafers a month",
        )

    outputs = []
    for row in records(table):
        outputs.append(f"{row['case']} ({row['world']}) {row['running']:.1f}")
    figure = Figure(
        "q05_kumamoto",
        "Kumamoto 2 by case",
        "q05_bars",
        alt_text("Bars, kwpm:", outputs),
        draw,
    )
    # Intervals are stored by region and segment, not by site.
    metric = f"{CHANGE}capacity.{HOME}.all.{year}"
    sure = how_sure(cache, (CASES[1], "japan_domestic_first"), (metric,))
    return Answer((*finding(sites, table, buyers, base), *sure), tables, [figure])


def _worlds_of(pairs: list[tuple[str, str, World]]) -> dict[str, World]:
    return {name: world for _, name, world in pairs}


def _sites(cache: CaseCache, base: Summary) -> list[Row]:
    """Return what the data record of the sites on the day the world knows."""
    day = base.world.information_date
    rows: list[Row] = []
    for site in SITES:
        records_of_site = [
            row for row in cache.data.rows(ProjectRow) if row.site == site
        ]
        known = [row for row in records_of_site if row.as_of <= day]
        # Later records of a site replace earlier ones.
        latest = max(known, key=lambda row: row.as_of)
        facts = {}
        for fact in cache.data.rows(ProjectFactRow):
            if fact.site == site:
                facts[fact.item] = fact.value
        rows.append(
            {
                "site": latest.name,
                "segment": base.segment(latest.segment),
                "segment_id": latest.segment,
                "size": latest.value,
                "first_year": latest.earliest,
                "status": latest.status,
                "award": facts.get("award", 0.0) / BN,
                "announced_cost": facts.get("announced_capex", 0.0) / BN,
                "under_way": facts.get("committed", 0.0),
            }
        )
    return rows


def _row(summary: Summary, world: str) -> Row:
    second = next(project for project in summary.projects if project.site == SECOND)
    # Capacity in service below the threshold is a rounding of the solver.
    running_years = [year for year, kwpm in second.in_service.items() if kwpm > RUNNING]
    year = summary.labels.years[-1]
    return {
        "case": case_name(summary.case.name),
        "world": world,
        "world_id": summary.world.name,
        "running": second.in_service[year],
        "first_year": running_years[0] if running_years else None,
        "spent": spent(summary, HOME, (FIRM,)) / BN,
        "support": received(summary, HOME, (FIRM,)) / BN,
        "logic_10_22": summary.capacity.get((HOME, "logic_10_22", year), 0.0),
        "leading": summary.capacity.get((HOME, summary.labels.leading, year), 0.0),
    }


def _buyers(summary: Summary, segment: str) -> list[Row]:
    """Return who buys Japanese chips of a segment, and where they end up in devices.

    The model does not follow chips into devices by origin: Japanese chips are spread
    over the devices of a maker's region as all its chips are.
    """
    year = summary.labels.years[-1]
    regions = summary.labels.regions
    bought: dict[str, float] = {}
    for (chip, origin, maker, t), kwpm in summary.bought.items():
        if (chip, origin, t) == (segment, HOME, year):
            bought[maker] = kwpm
    flows: dict[tuple[str, str], float] = {}
    made: defaultdict[str, float] = defaultdict(float)
    for (chip, maker, user, t), kwpm in summary.devices.items():
        if (chip, t) == (segment, year) and maker in bought:
            flows[maker, user] = kwpm
            made[maker] += kwpm
    used: defaultdict[str, float] = defaultdict(float)
    for (maker, user), kwpm in flows.items():
        if made[maker] > 0:
            used[user] += bought[maker] * kwpm / made[maker]
    rows: list[Row] = []
    for region, name in regions.items():
        rows.append(
            {
                "segment": summary.segment(segment),
                "region_id": region,
                "region": name,
                "bought": bought.get(region, 0.0),
                "used": used[region],
            }
        )
    return rows


def finding(
    sites: pd.DataFrame, table: pd.DataFrame, buyers: pd.DataFrame, base: Summary
) -> tuple[str, ...]:
    """Return the finding: how the fabs run, what subsidies they get and who buys."""
    first, second = records(sites)
    year = base.labels.years[-1]
    sentences = [
        f"Kumamoto 1 ({first['size']:.0f} kwpm of {lower(first['segment'])}) runs in"
        f" every case; its award was {usd(first['award'])}."
    ]
    for world, part in table.groupby("world", sort=False):
        outputs = [f"{row['running']:.1f} under {row['case']}" for row in records(part)]
        sentences.append(
            f"With {world}, Kumamoto 2 ({second['size']:.0f} kwpm announced) runs at"
            f" {listed(outputs)}, in kwpm in {year}."
        )
    law = records(table)[0]
    sentences.append(
        f"Under current law TSMC receives {usd(law['support'])} of Japanese subsidies"
        f" in cash for {usd(law['spent'])} spent there; across all cases it spends USD"
        f" {between(table['spent'], 'bn')}, in other fabs too."
    )
    for segment, part in buyers.groupby("segment", sort=False):
        # All Japanese chips end up in devices, so uses add up to what is bought.
        total = float(part["used"].sum())
        if total <= 0:
            continue
        (home,) = records(part[part["region_id"] == HOME])
        sentences.append(
            f"Of Japanese {lower(str(segment))}, {percent(home['bought'] / total)} is"
            f" bought by makers of devices in Japan and {percent(home['used'] / total)}"
            " ends up in devices used there."
        )
    return tuple(sentences)
