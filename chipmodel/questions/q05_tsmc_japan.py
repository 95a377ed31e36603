"""Q5, TSMC in Japan: what the Kumamoto fabs make, for whom, at what support, and what policy does to them."""

from __future__ import annotations

from functools import partial

import pandas as pd

from chipmodel.common.text import billion, listed, lower, percent
from chipmodel.dataset.derived import CHANGE
from chipmodel.dataset.rows import ProjectFactRow, ProjectRow
from chipmodel.display import charts, style
from chipmodel.display.canvas import Drawn
from chipmodel.model.world import World
from chipmodel.questions.answer import Answer, Figure, Table
from chipmodel.questions.shared import between, how_sure, spent, spoken
from chipmodel.results.summary import Summary
from chipmodel.studies.case_cache import CaseCache
from chipmodel.studies.plan import Cell

TITLE = "TSMC in Japan: Kumamoto 1 and 2"


ASKS = (
    "What do the Kumamoto fabs make, for whom, at what support, and what happens to"
    " them in each case?"
)


METHOD = (
    "The two sites as they stand in each case. Kumamoto 1 runs since the end of 2024"
    " and stands in the fleet of 2025: policy cannot undo it. Kumamoto 2 is held to the"
    " share under way, and in a second world to nothing. Chips are told by region, not"
    " by fab, so buyers are those of all Japanese chips of the segment. Owners, quality"
    " and contracts are left out."
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


MORE = (
    "section232_100",
    "korea_japan_pushed_away",
    "china_decoupling",
    "credit_extended",
)


HELD, FREED = "commitments held", "every project free"


RUNS, SUPPORT = "Kumamoto 2, kwpm", "support to TSMC in Japan, USD bn"


def _pairs(cache: CaseCache, short: bool) -> list[tuple[str, str, World]]:
    """Return cases with their worlds; short leaves out the freed world."""
    central = cache.cell(CASES[0]).world
    freed = central.with_(name="central_freed", committed=0.0)
    held, free = (CASES, ()) if short else ((*CASES, *MORE), (*CASES, *MORE))
    return [
        *((case, HELD, central) for case in held),
        *((case, FREED, freed) for case in free),
    ]


def cells(cache: CaseCache, short: bool) -> list[Cell]:
    """Return the cases with and without commitments."""
    return [cache.cell(case, world) for case, _, world in _pairs(cache, short)]


def answer(cache: CaseCache, short: bool) -> Answer:
    """Answer it."""
    base = cache.summary(CASES[0])
    year = base.labels.years[-1]
    sites = _sites(cache, base)
    table = pd.DataFrame(
        [
            _row(cache.summary(case, world), how)
            for case, how, world in _pairs(cache, short)
        ]
    )
    buyers = pd.DataFrame(
        [
            row
            for segment in sites["segment id"].unique()
            for row in _buyers(base, str(segment))
        ]
    )
    worlds = list(dict.fromkeys(table["world"]))
    bars = (
        table.pivot_table(index="case", columns="world", values=RUNS, sort=False)
        .reset_index()
        .assign(measure=RUNS)
    )
    tables = [
        Table(
            "q05_sites",
            "The two sites as announced and as the data hold them",
            sites.drop(columns="segment id"),
        ),
        Table(
            "q05_cases",
            f"Kumamoto 2 in {year} and TSMC's money in Japan, cash of"
            f" {base.labels.years[0]} to {year}",
            table,
        ),
        Table(
            "q05_buyers",
            f"Where Japanese chips of the two segments go under current law in {year},"
            " kwpm",
            buyers,
        ),
        Table("q05_bars", f"Kumamoto 2 in {year}, a column a world, kwpm", bars),
    ]
    paint = dict(zip(worlds, (style.REGION_COLOURS[HOME], style.FAINT), strict=False))
    alt = "; ".join(
        f"{r['case']} ({r['world']}) {r[RUNS]:.1f}" for _, r in table.iterrows()
    )
    figure = Figure(
        "q05_kumamoto",
        "Kumamoto 2 by case",
        "q05_bars",
        f"Bars, kwpm: {alt}.",
        partial(_draw, paint=paint, year=year),
    )
    how = how_sure(
        cache,
        *(
            (case, f"{CHANGE}capacity.{HOME}.all.{year}")
            for case in ("japan_support_withdrawn", "japan_domestic_first")
        ),
    )
    return Answer((*finding(sites, table, buyers, base), *how), tables, [figure])


def _sites(cache: CaseCache, base: Summary) -> pd.DataFrame:
    day = base.world.information_date
    rows = []
    for site in SITES:
        row = max(
            (
                r
                for r in cache.data.rows(ProjectRow)
                if r.site == site and r.as_of <= day
            ),
            key=lambda r: r.as_of,
        )
        facts = {
            r.item: r.value for r in cache.data.rows(ProjectFactRow) if r.site == site
        }
        rows.append(
            {
                "site": row.name,
                "segment": base.segment(row.segment),
                "segment id": row.segment,
                "size, kwpm": row.value,
                "first year": row.earliest,
                "status": row.status,
                "award of Japan in the data, USD bn": facts.get("award", 0.0) / 1000.0,
                "announced cost, USD bn": facts.get("announced_capex", 0.0) / 1000.0,
                "share under way": facts.get("committed", 0.0),
            }
        )
    return pd.DataFrame(rows)


def _row(own: Summary, how: str) -> dict[str, object]:
    running = next(p for p in own.projects if p.site == SECOND).in_service
    year = own.labels.years[-1]
    support = sum(
        v for (_, f, r, _), v in own.received.items() if (f, r) == (FIRM, HOME)
    )
    return {
        "case": spoken(own.case.name),
        "world": how,
        RUNS: round(running[year], 1) + 0.0,
        "first year it runs": next((t for t, v in running.items() if v > 0.05), None),
        "TSMC spends in Japan, USD bn": (
            round(spent(own, HOME, (FIRM,)) / 1000.0, 3) + 0.0
        ),
        SUPPORT: round(support / 1000.0, 3) + 0.0,
        "Japanese logic of 10 to 22 nm, kwpm": round(
            own.capacity.get((HOME, "logic_10_22", year), 0.0), 1
        ),
        "Japanese logic below 10 nm, kwpm": round(
            own.capacity.get((HOME, "logic_lt10", year), 0.0), 1
        ),
    }


def _buyers(own: Summary, segment: str) -> list[dict[str, object]]:
    """Return who buys Japanese chips of a segment, and where the devices of those makers are used."""
    year, regions = own.labels.years[-1], own.labels.regions
    bought = {
        m: v
        for (s, r, m, t), v in own.bought.items()
        if (s, r, t) == (segment, HOME, year)
    }
    made = {
        m: sum(
            v
            for (s, p, _, t), v in own.devices.items()
            if (s, p, t) == (segment, m, year)
        )
        for m in bought
    }
    used = {
        e: sum(
            bought[m] * v / made[m]
            for (s, m, q, t), v in own.devices.items()
            if (s, q, t) == (segment, e, year) and m in bought and made[m] > 0
        )
        for e in regions
    }
    return [
        {
            "segment": own.segment(segment),
            "region": name,
            "bought by makers of devices, kwpm": round(bought.get(r, 0.0), 2),
            "in devices used there, kwpm": round(used[r], 2),
        }
        for r, name in regions.items()
    ]


def _draw(table: pd.DataFrame, paint: dict[str, str], year: int) -> Drawn:
    columns = {c: colour for c, colour in paint.items() if c in table}
    return charts.side_by_side(
        table,
        label="case",
        panel="measure",
        columns=columns,
        none="not solved",
        title=f"Kumamoto 2 in {year} by case",
        note="in service, thousand 300 mm wafers a month",
    )


def finding(
    sites: pd.DataFrame, table: pd.DataFrame, buyers: pd.DataFrame, base: Summary
) -> tuple[str, ...]:
    """Say what the tables hold."""
    first, second = sites.iloc[0], sites.iloc[1]
    said = [
        f"Kumamoto 1 ({float(first['size, kwpm']):.0f} kwpm of"
        f" {lower(str(first['segment']))}) runs in every case; its award was"
        f" {billion(1000.0 * float(first['award of Japan in the data, USD bn']))}."
    ]
    for world, part in table.groupby("world", sort=False):
        each = [f"{float(r[RUNS]):.1f} under {r['case']}" for _, r in part.iterrows()]
        said.append(
            f"With {world}, Kumamoto 2 ({float(second['size, kwpm']):.0f} kwpm"
            f" announced) runs at {listed(each)}, in kwpm in {base.labels.years[-1]}."
        )
    law = table.iloc[0]
    said.append(
        f"Under current law TSMC gets {billion(1000.0 * float(law[SUPPORT]))} of"
        " Japanese support in cash for"
        f" {billion(1000.0 * float(law['TSMC spends in Japan, USD bn']))} spent there;"
        " over all cases it spends USD"
        f" {between(table['TSMC spends in Japan, USD bn'], 'bn')}, in other fabs too."
    )
    for segment, part in buyers.groupby("segment", sort=False):
        total = float(part["in devices used there, kwpm"].sum())
        if total > 0:
            home = part[part["region"] == base.labels.regions[HOME]].iloc[0]
            said.append(
                f"Of Japanese {lower(str(segment))},"
                f" {percent(float(home['bought by makers of devices, kwpm']) / total)}"
                " is bought by makers in Japan and"
                f" {percent(float(home['in devices used there, kwpm']) / total)} ends"
                " in devices used there."
            )
    return tuple(said)
