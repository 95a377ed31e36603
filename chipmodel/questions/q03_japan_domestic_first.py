"""Q3, Japan's domestic-first strategy: whether support at home pulls investment out of the United States."""

from __future__ import annotations

from functools import partial

import pandas as pd

from chipmodel.common.text import billion, listed
from chipmodel.dataset.derived import CHANGE
from chipmodel.dataset.rows import MacroRow
from chipmodel.display import charts, style
from chipmodel.display.canvas import Drawn
from chipmodel.model.world import World
from chipmodel.questions.answer import Answer, Figure, Table
from chipmodel.questions.shared import capacity, how_sure, outlay, spent, spoken
from chipmodel.results.summary import Summary
from chipmodel.studies.case_cache import CaseCache
from chipmodel.studies.plan import Cell

TITLE = "Japan's domestic-first support: does it divert fabs from the United States?"


ASKS = (
    "How much capacity and money leave American sites for a yen of support in Japan,"
    " and by which mechanism?"
)


METHOD = (
    "Japan pays half of every new fab to 2035 instead of a third to 2030, or nothing at"
    " all, against current law; with firms' yearly budgets charged investment gross of"
    " support, net of it, and without budgets. Gross, a fab abroad crowds out another"
    " one of the same firm; net, support also stretches the budget; without, only"
    " prices link the sites, and firms to whom a fab costs the same stand in for each"
    " other. Cash over the years reported; the case sets no ceiling on what Japan pays."
    " Choices made for security or by pressure are left out."
)


HOME, ABROAD = "JPN", "USA"


LAW, MORE, NONE = "current_law", "japan_domestic_first", "japan_support_withdrawn"


BUDGETS = {
    "gross": "budgets gross of support",
    "net": "budgets net of support",
    "none": "no budgets",
}


PAID, SPENT_HOME, SPENT_ABROAD = (
    "support paid, USD bn",
    "spent on fabs in Japan, USD bn",
    "spent in the US, USD bn",
)


RATIO, KWPM = (
    "US investment lost per dollar of support, USD",
    "US capacity lost per trillion yen, kwpm",
)


EVERYWHERE, YEN = "spent elsewhere, USD bn", "support paid, trillion yen"


def _worlds(cache: CaseCache, short: bool) -> dict[str, World]:
    central = cache.cell(LAW).world
    found = {
        said: (
            central
            if how == "gross"
            else central.with_(name=f"central_{how}", budgets=how)
        )
        for how, said in BUDGETS.items()
        if not (short and how == "net")
    }
    if not short:
        found |= {
            f"{said}, every project free": world.with_(
                name=f"{world.name}_freed", committed=0.0
            )
            for said, world in tuple(found.items())
        }
    return found


def _cases(short: bool) -> tuple[str, ...]:
    return (MORE,) if short else (MORE, NONE)


def cells(cache: CaseCache, short: bool) -> list[Cell]:
    """Return the cases of Japan's support in each world."""
    return [
        cache.cell(case, world)
        for world in _worlds(cache, short).values()
        for case in (LAW, *_cases(short))
    ]


def answer(cache: CaseCache, short: bool) -> Answer:
    """Answer it."""
    yen = max(
        (row.year, row.value)
        for row in cache.data.rows(MacroRow)
        if (row.region, row.item) == (HOME, "fx")
    )[1]
    pairs = [
        (how, cache.summary(case, world), cache.summary(LAW, world))
        for how, world in _worlds(cache, short).items()
        for case in _cases(short)
    ]
    base = cache.summary(LAW)
    table = pd.DataFrame([_row(how, own, start, yen) for how, own, start in pairs])
    firms = pd.DataFrame(
        [row for how, own, start in pairs for row in _firms(how, own, start)],
        columns=["world", "case", "firm", "in Japan, USD bn", "in the US, USD bn"],
    )
    years = f"{base.labels.years[0]} to {base.labels.years[-1]}"
    tables = [
        Table(
            "q03_diversion",
            f"Changes against current law, cash of {years} and capacity in "
            f"{base.labels.years[-1]}; yen at {yen:g} to the dollar",
            table,
        ),
        Table(
            "q03_firms",
            f"Changes of USD 0.05 bn or more in what firms spend, cash of {years}",
            firms,
        ),
    ]
    bars = {
        SPENT_HOME: style.REGION_COLOURS[HOME],
        SPENT_ABROAD: style.REGION_COLOURS[ABROAD],
        EVERYWHERE: style.FAINT,
    }
    figure = Figure(
        "q03_diversion",
        "Where investment moves",
        "q03_diversion",
        _alt(table),
        partial(_draw, bars=bars, years=years),
    )
    last = base.labels.years[-1]
    how = how_sure(
        cache,
        *(
            (MORE, f"{CHANGE}{metric}")
            for metric in (
                f"outlay.{HOME}",
                f"capacity.{HOME}.all.{last}",
                f"capacity.{ABROAD}.all.{last}",
            )
        ),
    )
    return Answer((*finding(table, firms), *how), tables, [figure])


def _row(how: str, own: Summary, base: Summary, yen: float) -> dict[str, object]:
    paid = (outlay(own, HOME) - outlay(base, HOME)) / 1000.0
    money = {r: (spent(own, r) - spent(base, r)) / 1000.0 for r in own.labels.regions}
    moved = {r: capacity(own, r) - capacity(base, r) for r in (HOME, ABROAD)}
    lead = {
        r: capacity(own, r, own.labels.leading) - capacity(base, r, own.labels.leading)
        for r in (HOME, ABROAD)
    }
    large = abs(paid) > 1e-3
    return {
        "world": how,
        "case": spoken(own.case.name),
        PAID: round(paid, 3) + 0.0,
        YEN: round(paid * yen / 1000.0, 2) + 0.0,
        SPENT_HOME: round(money[HOME], 3) + 0.0,
        SPENT_ABROAD: round(money[ABROAD], 3) + 0.0,
        EVERYWHERE: (
            round(sum(v for r, v in money.items() if r not in (HOME, ABROAD)), 3) + 0.0
        ),
        "capacity in Japan, kwpm": round(moved[HOME], 1) + 0.0,
        "capacity in the US, kwpm": round(moved[ABROAD], 1) + 0.0,
        "leading logic in Japan, kwpm": round(lead[HOME], 1) + 0.0,
        "leading logic in the US, kwpm": round(lead[ABROAD], 1) + 0.0,
        RATIO: round(-money[ABROAD] / paid, 3) + 0.0 if large else float("nan"),
        KWPM: (
            round(-moved[ABROAD] / (paid * yen / 1000.0), 2) + 0.0
            if large
            else float("nan")
        ),
    }


def _firms(how: str, own: Summary, base: Summary) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for firm in sorted({f for f, _, _ in (*own.invested, *base.invested)}):
        here, there = (
            (spent(own, r, (firm,)) - spent(base, r, (firm,))) / 1000.0
            for r in (HOME, ABROAD)
        )
        if max(abs(here), abs(there)) >= 0.05:
            rows.append(
                (
                    how,
                    spoken(own.case.name),
                    firm,
                    round(here, 3) + 0.0,
                    round(there, 3) + 0.0,
                )
            )
    return rows


def _draw(table: pd.DataFrame, bars: dict[str, str], years: str) -> Drawn:
    return charts.side_by_side(
        table.assign(panel=table["case"]),
        label="world",
        panel="panel",
        columns=bars,
        title="Where investment moves when Japan changes its support, USD bn",
        note=f"change against current law in what is spent on fabs, cash of {years}",
    )


def _alt(table: pd.DataFrame) -> str:
    return (
        "Bars of the change in investment. "
        + "; ".join(
            f"{r['case']}, {r['world']}: Japan {r[SPENT_HOME]:+.1f}, United States"
            f" {r[SPENT_ABROAD]:+.1f} USD bn"
            for _, r in table.iterrows()
        )
        + "."
    )


def finding(table: pd.DataFrame, firms: pd.DataFrame) -> tuple[str, ...]:
    """Say what the tables hold."""
    more = table[table["case"] == spoken(MORE)]
    first = more.iloc[0]
    said = [
        "Paying half of new fabs to 2035 costs Japan"
        f" {billion(1000.0 * float(first[PAID]))} more in cash, {float(first[YEN]):.1f}"
        f" trillion yen ({first['world']}); spending on fabs changes by"
        f" {float(first[SPENT_HOME]):+.1f} USD bn in Japan,"
        f" {float(first[SPENT_ABROAD]):+.1f} in the United States and"
        f" {float(first[EVERYWHERE]):+.1f} elsewhere."
    ]
    each = [
        f"{float(r[RATIO]):+.2f} with {r['world']}"
        for _, r in more.iterrows()
        if pd.notna(r[RATIO])
    ]
    said.append(
        "For a dollar of additional support American sites lose, below zero gain, in"
        f" dollars {listed(each)}; in capacity, {_span(more[KWPM])} kwpm for a trillion"
        " yen."
    )
    moved = firms[(firms["world"] == first["world"]) & (firms["case"] == first["case"])]
    less = moved[moved["in the US, USD bn"] < 0]
    away = less[less["in Japan, USD bn"] > 0]
    direct, every = (
        -float(away["in the US, USD bn"].sum()),
        -float(less["in the US, USD bn"].sum()),
    )
    said.append(
        f"Of {billion(1000.0 * every)} that firms spend less in the United States with"
        f" {first['world']}, {billion(1000.0 * direct)} is of firms that spend more in"
        " Japan"
        + (f" ({listed([str(f) for f in away['firm']])})" if len(away) else "")
        + "."
    )
    gone = table[table["case"] == spoken(NONE)]
    if len(gone):
        row = gone.iloc[0]
        said.append(
            f"Without any support Japan saves {billion(-1000.0 * float(row[PAID]))},"
            f" loses {-float(row['capacity in Japan, kwpm']):.0f} kwpm, and the United"
            f" States changes by {float(row['capacity in the US, kwpm']):+.1f} kwpm."
        )
    return tuple(said)


def _span(values: pd.Series) -> str:
    found = values.dropna()
    return f"{found.min():+.1f} to {found.max():+.1f}"
