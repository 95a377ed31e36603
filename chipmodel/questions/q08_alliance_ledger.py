"""Q8, the alliance ledger: what moves over chips beside what allies pay for troops, defence and pledges."""

from __future__ import annotations

from functools import partial

import pandas as pd

from chipmodel.common.text import billion
from chipmodel.dataset.dataset import Dataset
from chipmodel.dataset.rows import AllianceRow, FirmRow
from chipmodel.display import charts, style
from chipmodel.display.canvas import Drawn
from chipmodel.questions.answer import Answer, Figure, Table
from chipmodel.questions.shared import alliance, gain, gdp, how_sure, yearly
from chipmodel.results.summary import Summary
from chipmodel.studies.case_cache import CaseCache
from chipmodel.studies.plan import Cell

TITLE = "The alliance ledger: chips beside troops, defence and pledges"


ASKS = (
    "How large are the payments over chips beside what allies pay for American troops,"
    " for defence and in pledges?"
)


METHOD = (
    "Chip support by payer and by home of the firm under current law, and what a broad"
    " duty of 25% would cost an ally, from the model; host-nation support, defence,"
    " pledges and the trade surplus from the tables of facts, each with its source."
    " What is paid yearly, promised once or put up as loans is not of one kind and is"
    " not added up."
)


ALLIES = ("JPN", "KOR", "TWN", "EUR")


PATRON = "USA"


LAW, DUTY = "current_law", "section232_25"


ITEMS = {
    "host_nation_support": "host-nation support a year",
    "defence": "defence spending a year",
    "defence_asked": "defence spending asked for or pledged, a year",
    "goods_surplus": "goods surplus with the US",
    "investment_pledge": "pledge to invest in the US, once",
    "credit_guarantee": "credit guarantees, once",
}


PAID, TO_ALLY, FROM_ALLY = (
    "pays for chips at home",
    "its firms get from the US",
    "it pays to American firms",
)


TROOPS = "host-nation support"


PAINT = {
    PAID: "#44AA99",
    TO_ALLY: style.REGION_COLOURS[PATRON],
    FROM_ALLY: "#AA4499",
    TROOPS: "#332288",
}


def cells(cache: CaseCache, short: bool) -> list[Cell]:
    """Return current law and the broad duty."""
    return [cache.cell(LAW), cache.cell(DUTY)]


def answer(cache: CaseCache, short: bool) -> Answer:
    """Answer it."""
    base, duty = cache.summary(LAW), cache.summary(DUTY)
    years = tuple(t for t in base.labels.years if t <= 2030)
    flows = pd.DataFrame(
        [
            row
            for ally in ALLIES
            for t in years
            for row in [_flows(base, cache.data, ally, t)]
        ]
    )
    ledger = pd.DataFrame(
        [row for ally in ALLIES for row in _facts(cache.data, base, ally)]
        + [row for ally in ALLIES for row in _modelled(base, duty, flows, ally, years)]
    )
    means = _means(flows, cache.data, base)
    span = f"{years[0]} to {years[-1]}"
    tables = [
        Table(
            "q08_flows",
            "Chip support in cash under current law, by ally and year, USD bn",
            flows,
        ),
        Table(
            "q08_ledger",
            "Every item beside the others, with its kind, grade and source",
            ledger.sort_values(["ally", "from"], kind="stable").reset_index(drop=True),
        ),
        Table(
            "q08_means",
            f"Yearly means of {span} beside host-nation support, USD bn a year",
            means,
        ),
    ]
    alt = "; ".join(
        f"{r['ally']}: {PAID} {r[PAID]:.2f}, {TO_ALLY} {r[TO_ALLY]:.2f}, {TROOPS}"
        f" {r[TROOPS]:.2f}"
        for _, r in means.iterrows()
    )
    figure = Figure(
        "q08_ledger",
        "Chips and troops",
        "q08_means",
        f"Bars, USD bn a year: {alt}.",
        partial(_draw, span=span),
    )
    how = how_sure(cache, *((LAW, f"outlay.{ally}") for ally in ALLIES))
    return Answer((*finding(means, ledger, span), *how), tables, [figure])


def _homes(data: Dataset) -> dict[str, str]:
    return {row.firm: row.home for row in data.rows(FirmRow)}


def _flows(own: Summary, data: Dataset, ally: str, year: int) -> dict[str, object]:
    home, received = _homes(data), own.received.items()
    paid = sum(v for (_, r, t), v in own.cash.items() if (r, t) == (ally, year))
    theirs = sum(
        v
        for (_, f, r, t), v in received
        if (r, t) == (PATRON, year) and home.get(f) == ally
    )
    american = sum(
        v
        for (_, f, r, t), v in received
        if (r, t) == (ally, year) and home.get(f) == PATRON
    )
    return {
        "ally": own.labels.regions[ally],
        "year": year,
        PAID: round(paid / 1000.0, 3) + 0.0,
        TO_ALLY: round(theirs / 1000.0, 3) + 0.0,
        FROM_ALLY: round(american / 1000.0, 3) + 0.0,
    }


def _facts(data: Dataset, own: Summary, ally: str) -> list[dict[str, object]]:
    size = gdp(data)[ally]
    rows = []
    for item, said in ITEMS.items():
        found = sorted(alliance(data, item).items())
        for row in (row for (region, _), row in found if region == ally):
            money = row.value * size if row.unit == "share" else row.value
            rows.append(
                {
                    "ally": own.labels.regions[ally],
                    "item": said,
                    "year": str(row.year),
                    "USD bn": round(money, 2),
                    "share of GDP of 2024": round(money / size, 5),
                    "from": "facts",
                    "grade": row.grade,
                    "source": row.source,
                    "note": _note(row),
                }
            )
    return rows


def _note(row: AllianceRow) -> str:
    return (
        f"share of GDP times GDP of 2024; {row.note}"
        if row.unit == "share"
        else row.note
    )


def _modelled(
    base: Summary, duty: Summary, flows: pd.DataFrame, ally: str, years: tuple[int, ...]
) -> list[dict[str, object]]:
    name = base.labels.regions[ally]
    mine = flows[flows["ally"] == name]
    lost = -yearly(duty, gain(duty, base, ally)) / 1000.0
    items = [
        (
            f"{column}, mean a year",
            float(mine[column].mean()),
            f"{years[0]}-{years[-1]}",
            "cash under current law",
        )
        for column in (PAID, TO_ALLY, FROM_ALLY)
    ]
    items.append(
        (
            "would lose by a US duty of 25% on chips, a year",
            lost,
            f"{base.labels.years[0]}-{base.labels.horizon}",
            (
                "even yearly sum; a threatened duty with the terms of each partner;"
                " below zero: gain"
            ),
        )
    )
    return [
        {
            "ally": name,
            "item": item,
            "year": when,
            "USD bn": round(value, 3) + 0.0,
            "share of GDP of 2024": None,
            "from": "model",
            "grade": "",
            "source": "",
            "note": note,
        }
        for item, value, when, note in items
    ]


def _means(flows: pd.DataFrame, data: Dataset, own: Summary) -> pd.DataFrame:
    """Return yearly means by ally, with the latest host-nation support; none where an ally has none."""
    troops = {
        r: row.value
        for (r, _), row in sorted(alliance(data, "host_nation_support").items())
    }
    rows = []
    for ally in ALLIES:
        mine = flows[flows["ally"] == own.labels.regions[ally]]
        rows.append(
            {
                "ally": own.labels.regions[ally],
                **{
                    c: round(float(mine[c].mean()), 3)
                    for c in (PAID, TO_ALLY, FROM_ALLY)
                },
                TROOPS: troops.get(ally, 0.0),
            }
        )
    return pd.DataFrame(rows)


def _draw(table: pd.DataFrame, span: str) -> Drawn:
    return charts.side_by_side(
        table.assign(panel=""),
        label="ally",
        panel="panel",
        columns=PAINT,
        title="Chip support beside host-nation support, USD bn a year",
        note=(
            f"means of {span} under current law, from the model; host-nation support as"
            " agreed"
        ),
    )


def finding(means: pd.DataFrame, ledger: pd.DataFrame, span: str) -> tuple[str, ...]:
    """Say what the tables hold."""
    said = []
    for _, row in means[means[TROOPS] > 0].iterrows():
        got = float(row[TO_ALLY])
        said.append(
            f"{row['ally']} pays USD {float(row[TROOPS]):.2f} bn a year for American"
            f" troops and on average {billion(1000.0 * float(row[PAID]))} a year for"
            f" chip fabs at home ({span}), {float(row[PAID]) / float(row[TROOPS]):.1f}"
            " times as much; its firms get"
            f" {billion(1000.0 * got) + ' a year' if got > 0 else 'nothing'} of"
            " American support."
        )
    lost = (
        ledger[ledger["item"].str.startswith("would lose")]
        .set_index("ally")["USD bn"]
        .astype(float)
    )
    said.append(
        "A broad American duty of 25% would cost a year "
        + ", ".join(
            f"{ally}"
            f" {billion(1000.0 * v) if v > 0 else 'nothing (a gain of ' + billion(-1000.0 * v) + ')'}"
            for ally, v in lost.items()
        )
        + "."
    )
    most = means.set_index("ally")[TO_ALLY].astype(float)
    said.append(
        f"Most American support of allied firms goes to those of {most.idxmax()}"
        f" ({billion(1000.0 * float(most.max()))} a year); pledges to invest are of"
        " another kind and size and stand in the table."
    )
    return tuple(said)
