"""Q3, Japan's domestic-first strategy: do its subsidies divert fabs from the US."""

from __future__ import annotations

from functools import partial
from itertools import product

import pandas as pd

from chipmodel.common.text import listed
from chipmodel.dataset.derived import CHANGE
from chipmodel.dataset.rows import MacroRow
from chipmodel.display import charts, style
from chipmodel.display.canvas import Drawn
from chipmodel.model.world import World
from chipmodel.questions.answer import Answer, Column, Figure, Table, rounded
from chipmodel.questions.shared import (
    BN,
    CASE,
    Row,
    alt_text,
    by_label,
    capacity,
    case_name,
    how_sure,
    labels_of,
    money,
    outlay,
    records,
    spent,
    uncommitted,
    usd,
    wafers,
)
from chipmodel.results.summary import Summary
from chipmodel.studies.case_cache import CaseCache
from chipmodel.studies.plan import Cell

TITLE = "Japan's domestic-first subsidies: do they divert fabs from the US?"


ASKS = (
    "How much capacity and money leave US sites per yen of subsidies in Japan, and by"
    " which mechanism?"
)


METHOD = (
    "Japan pays for half of every new fab through 2035 instead of a third through 2030,"
    " or for nothing at all, against current law; with firms' yearly budgets charged"
    " investment gross of subsidies, net of them, and without budgets. Gross, a fab"
    " abroad crowds out another one of the same firm; net, subsidies also stretch the"
    " budget; without budgets, only prices link the sites, and firms with the same"
    " costs are interchangeable. Cash over the years reported; the case sets no ceiling"
    " on Japan's outlays. Choices made for security or under pressure are left out."
)


HOME, ABROAD = "JPN", "USA"


LAW, MORE, NONE = "current_law", "japan_domestic_first", "japan_support_withdrawn"


BUDGETS = {
    "gross": "budgets gross of support",
    "net": "budgets net of support",
    "none": "no budgets",
}


WORLD = Column("world", "world")


DIVERSION = (
    WORLD,
    CASE,
    money("paid", "support paid"),
    Column("paid_yen", "support paid", "trillion yen", 2),
    money("spent_home", "spent on fabs in Japan"),
    money("spent_abroad", "spent in the US"),
    money("spent_elsewhere", "spent elsewhere"),
    wafers("capacity_home", "capacity in Japan"),
    wafers("capacity_abroad", "capacity in the US"),
    wafers("leading_home", "leading logic in Japan"),
    wafers("leading_abroad", "leading logic in the US"),
    Column("lost_per_dollar", "US investment lost per dollar of support", "USD", 3),
    wafers("lost_per_yen", "US capacity lost per trillion yen", 2),
)


BY_FIRM = (
    WORLD,
    CASE,
    Column("firm", "firm"),
    money("home", "in Japan"),
    money("abroad", "in the US"),
)


PAINT = {
    "spent_home": style.REGION_COLOURS[HOME],
    "spent_abroad": style.REGION_COLOURS[ABROAD],
    "spent_elsewhere": style.FAINT,
}


SMALL_OUTLAY = 1e-3
"""Changes of the outlay below this, USD bn, are too small to divide by."""


SMALL_CHANGE = 0.05
"""Changes of a firm's spending below this, USD bn, are not listed."""


def _worlds(cache: CaseCache, short: bool) -> dict[str, World]:
    """Return worlds by name, with each kind of budget; in full also uncommitted."""
    central = cache.world("central")
    worlds = {}
    for budgets, name in BUDGETS.items():
        if budgets == "gross":
            worlds[name] = central
        elif not (short and budgets == "net"):
            worlds[name] = central.with_(name=f"central_{budgets}", budgets=budgets)
    if short:
        return worlds
    # With commitments, projects under way are fixed; without, every site can move.
    free = {}
    for name, world in worlds.items():
        free[f"{name}, every project free"] = uncommitted(world)
    return {**worlds, **free}


def _cases(short: bool) -> tuple[str, ...]:
    if short:
        return (MORE,)
    return (MORE, NONE)


def cells(cache: CaseCache, short: bool) -> list[Cell]:
    """Return the cases of Japan's subsidies in each world."""
    worlds = _worlds(cache, short).values()
    pairs = product(worlds, (LAW, *_cases(short)))
    return [cache.cell(case, world) for world, case in pairs]


def answer(cache: CaseCache, short: bool) -> Answer:
    """Return what Japan's subsidies move, by world and by firm."""
    yen = _yen_per_dollar(cache)
    rows: list[Row] = []
    firm_rows: list[Row] = []
    for name, world in _worlds(cache, short).items():
        base = cache.summary(LAW, world)
        for case in _cases(short):
            summary = cache.summary(case, world)
            rows.append(_row(name, summary, base, yen))
            firm_rows += _firms(name, summary, base)
    table = rounded(rows, DIVERSION)
    firms = rounded(firm_rows, BY_FIRM)
    labels = cache.summary(LAW).labels
    last = labels.years[-1]
    years = f"{labels.years[0]} to {last}"
    tables = [
        Table(
            "q03_diversion",
            f"Changes against current law, cash of {years} and capacity in {last}; yen"
            f" at {yen:g} to the dollar",
            table,
            DIVERSION,
        ),
        Table(
            "q03_firms",
            f"Changes of USD {SMALL_CHANGE} bn or more in firms' spending, cash of"
            f" {years}",
            firms,
            BY_FIRM,
        ),
    ]
    figure = Figure(
        "q03_diversion",
        "Where investment moves",
        "q03_diversion",
        _alt(table),
        partial(_draw, years=years),
    )
    metrics = (
        f"{CHANGE}outlay.{HOME}",
        f"{CHANGE}capacity.{HOME}.all.{last}",
        f"{CHANGE}capacity.{ABROAD}.all.{last}",
    )
    sure = how_sure(cache, (MORE,), metrics)
    return Answer((*finding(table, firms), *sure), tables, [figure])


def _yen_per_dollar(cache: CaseCache) -> float:
    """Return the latest exchange rate of the data."""
    rates = {}
    for row in cache.data.rows(MacroRow):
        if (row.region, row.item) == (HOME, "fx"):
            rates[row.year] = row.value
    return rates[max(rates)]


def _row(world: str, summary: Summary, base: Summary, yen: float) -> Row:
    paid = (outlay(summary, HOME) - outlay(base, HOME)) / BN
    # USD bn times yen per dollar is billions of yen.
    paid_yen = paid * yen / 1000.0
    spending: dict[str, float] = {}
    elsewhere = 0.0
    for region in summary.labels.regions:
        change = (spent(summary, region) - spent(base, region)) / BN
        spending[region] = change
        if region not in (HOME, ABROAD):
            elsewhere += change
    moved: dict[str, float] = {}
    moved_leading: dict[str, float] = {}
    leading = summary.labels.leading
    for region in (HOME, ABROAD):
        moved[region] = capacity(summary, region) - capacity(base, region)
        new, old = capacity(summary, region, leading), capacity(base, region, leading)
        moved_leading[region] = new - old
    # Where Japan pays no more than before there is nothing to divide by.
    per_dollar = per_yen = float("nan")
    if abs(paid) > SMALL_OUTLAY:
        per_dollar = -spending[ABROAD] / paid
        per_yen = -moved[ABROAD] / paid_yen
    return {
        "world": world,
        # Not written: the finding looks up rows by it.
        "case_id": summary.case.name,
        "case": case_name(summary.case.name),
        "paid": paid,
        "paid_yen": paid_yen,
        "spent_home": spending[HOME],
        "spent_abroad": spending[ABROAD],
        "spent_elsewhere": elsewhere,
        "capacity_home": moved[HOME],
        "capacity_abroad": moved[ABROAD],
        "leading_home": moved_leading[HOME],
        "leading_abroad": moved_leading[ABROAD],
        "lost_per_dollar": per_dollar,
        "lost_per_yen": per_yen,
    }


def _firms(world: str, summary: Summary, base: Summary) -> list[Row]:
    """Return the changes of firms' spending that are large enough to list."""
    firms = {firm for firm, _, _ in (*summary.invested, *base.invested)}
    rows: list[Row] = []
    for firm in sorted(firms):
        home = (spent(summary, HOME, (firm,)) - spent(base, HOME, (firm,))) / BN
        abroad = (spent(summary, ABROAD, (firm,)) - spent(base, ABROAD, (firm,))) / BN
        if max(abs(home), abs(abroad)) >= SMALL_CHANGE:
            rows.append(
                {
                    "world": world,
                    "case": case_name(summary.case.name),
                    "firm": firm,
                    "home": home,
                    "abroad": abroad,
                }
            )
    return rows


def _draw(table: pd.DataFrame, years: str) -> Drawn:
    # Two columns of the table share a label, so only those drawn are renamed.
    drawn = [column for column in DIVERSION if column.key in PAINT]
    return charts.side_by_side(
        table.rename(columns=labels_of(drawn)),
        label="world",
        panel="case",
        columns=by_label(PAINT, drawn),
        title="Where investment moves when Japan changes its subsidies, USD bn",
        note=f"change in spending on fabs against current law, cash of {years}",
    )


def _alt(table: pd.DataFrame) -> str:
    changes = []
    for row in records(table):
        home, abroad = f"{row['spent_home']:+.1f}", f"{row['spent_abroad']:+.1f}"
        cell = f"{row['case']}, {row['world']}"
        changes.append(f"{cell}: Japan {home}, United States {abroad} USD bn")
    return alt_text("Bars of the change in investment.", changes)


def finding(table: pd.DataFrame, firms: pd.DataFrame) -> tuple[str, ...]:
    """Return the finding: what the subsidies cost, and what US sites lose by them."""
    more = table[table["case_id"] == MORE]
    first = records(more)[0]
    world = first["world"]
    per_dollar = []
    for row in records(more.dropna(subset=["lost_per_dollar"])):
        per_dollar.append(f"{row['lost_per_dollar']:+.2f} with {row['world']}")
    # The first world is the central one, which the report is about.
    sentences = [
        (
            "Paying for half of each new fab through 2035 costs Japan"
            f" {usd(first['paid'])} more in cash, {first['paid_yen']:.1f} trillion yen"
            f" ({world}); spending on fabs changes by"
            f" USD {first['spent_home']:+.1f} bn in Japan,"
            f" {first['spent_abroad']:+.1f} bn in the United States and"
            f" {first['spent_elsewhere']:+.1f} bn elsewhere."
        ),
        (
            "Investment lost at US sites per dollar of additional subsidies (negative:"
            f" gained) is, in dollars, {listed(per_dollar)}; US capacity lost per"
            f" trillion yen is {_span(more['lost_per_yen'])} kwpm."
        ),
        _through_whom(firms, first),
    ]
    withdrawn = records(table[table["case_id"] == NONE])
    if withdrawn:
        row = withdrawn[0]
        sentences.append(
            f"Without any subsidies Japan saves {usd(-row['paid'])} and loses"
            f" {-row['capacity_home']:.0f} kwpm, and US capacity changes by"
            f" {row['capacity_abroad']:+.1f} kwpm."
        )
    return tuple(sentences)


def _through_whom(firms: pd.DataFrame, first: Row) -> str:
    """Return how much of the US loss is of firms that spend more in Japan."""
    same_world = firms["world"] == first["world"]
    same_case = firms["case"] == first["case"]
    less = firms[same_world & same_case & (firms["abroad"] < 0)]
    # A firm that spends less in the US and more in Japan moves; of the others the loss
    # is by way of prices, or of budgets spent elsewhere.
    movers = less[less["home"] > 0]
    names = [str(firm) for firm in movers["firm"]]
    who = f" ({listed(names)})" if names else ""
    return (
        f"Of the {usd(-float(less['abroad'].sum()))} that firms spend less in the"
        f" United States with {first['world']}, {usd(-float(movers['abroad'].sum()))}"
        f" is from firms that spend more in Japan{who}."
    )


def _span(values: pd.Series[float]) -> str:
    # Where Japan pays no more than before, the ratio is missing.
    known = values.dropna()
    return f"{known.min():+.1f} to {known.max():+.1f}"
