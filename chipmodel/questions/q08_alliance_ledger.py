"""Q8, the alliance ledger: payments over chips beside those for troops and defence."""

from __future__ import annotations

from functools import partial
from itertools import product

import pandas as pd

from chipmodel.dataset.dataset import Dataset
from chipmodel.dataset.rows import AllianceRow, FirmRow
from chipmodel.display import charts, style
from chipmodel.display.canvas import Drawn
from chipmodel.questions.answer import Answer, Column, Figure, Table, rounded
from chipmodel.questions.shared import (
    BN,
    GDP_YEAR,
    Row,
    alliance,
    alt_text,
    by_label,
    gain,
    gdp,
    how_sure,
    labels_of,
    records,
    usd,
    yearly,
)
from chipmodel.results.summary import Summary
from chipmodel.studies.case_cache import CaseCache
from chipmodel.studies.plan import Cell

TITLE = "The alliance ledger: chips beside troops, defence and pledges"


ASKS = (
    "How large are payments over chips compared with what allies pay for US troops, for"
    " defence and in pledges?"
)


METHOD = (
    "Chip subsidies by payer and by home of the firm under current law, and the cost to"
    " an ally of a broad duty of 25%, from the model; host-nation support, defence,"
    " pledges and the trade surplus from the data, each with its source. Yearly"
    " payments, one-time pledges and loans are different in kind and are not added up."
)


ALLIES = ("JPN", "KOR", "TWN", "EUR")


PATRON = "USA"


LAW, DUTY = "current_law", "section232_25"


LAST_YEAR = 2030
"""Last year of the means: host-nation support is agreed for about as long."""


ITEMS = {
    "host_nation_support": "host-nation support a year",
    "defence": "defence spending a year",
    "defence_asked": "defence spending asked for or pledged, a year",
    "goods_surplus": "goods surplus with the US",
    "investment_pledge": "pledge to invest in the US, once",
    "credit_guarantee": "credit guarantees, once",
}


# Headings without a unit: the titles of the tables state it, USD bn.
FLOWS = (
    Column("paid", "pays for chips at home", digits=3),
    Column("to_ally", "its firms get from the US", digits=3),
    Column("from_ally", "it pays to American firms", digits=3),
)


TROOPS = Column("troops", "host-nation support")


FLOW_COLUMNS = (Column("ally", "ally"), Column("year", "year"), *FLOWS)


MEAN_COLUMNS = (Column("ally", "ally"), *FLOWS, TROOPS)


# Amounts are rounded row by row: those of the data as they are recorded, to the ten
# million, those of the model to the million.
LEDGER_COLUMNS = (
    Column("ally", "ally"),
    Column("item", "item"),
    Column("year", "year"),
    Column("amount", "USD bn"),
    Column("gdp_share", f"share of GDP of {GDP_YEAR}"),
    Column("origin", "from"),
    Column("grade", "grade"),
    Column("source", "source"),
    Column("note", "note"),
)


PAINT = {
    "paid": "#44AA99",
    "to_ally": style.REGION_COLOURS[PATRON],
    "from_ally": "#AA4499",
    "troops": "#332288",
}


def cells(cache: CaseCache, short: bool) -> list[Cell]:
    """Return current law and the broad duty."""
    return [cache.cell(LAW), cache.cell(DUTY)]


def answer(cache: CaseCache, short: bool) -> Answer:
    """Return the ledger, the flows behind it and their yearly means."""
    base = cache.summary(LAW)
    duty = cache.summary(DUTY)
    years = [year for year in base.labels.years if year <= LAST_YEAR]
    span = f"{years[0]} to {years[-1]}"
    flow_rows = [
        _flows(base, cache.data, ally, year) for ally, year in product(ALLIES, years)
    ]
    flows = rounded(flow_rows, FLOW_COLUMNS)
    ledger_rows: list[Row] = []
    for ally in ALLIES:
        ledger_rows += _facts(cache.data, base, ally)
        ledger_rows += _modelled(base, duty, flows, ally)
    ledger = rounded(ledger_rows, LEDGER_COLUMNS)
    means = rounded(_means(flows, cache.data, base), MEAN_COLUMNS)
    tables = [
        Table(
            "q08_flows",
            "Chip subsidies in cash under current law, by ally and year, USD bn",
            flows,
            FLOW_COLUMNS,
        ),
        Table(
            "q08_ledger",
            "All items side by side, with their kind, grade and source",
            # Stable, so that items stay in the order of `ITEMS`.
            ledger.sort_values(["ally", "origin"], kind="stable", ignore_index=True),
            LEDGER_COLUMNS,
        ),
        Table(
            "q08_means",
            f"Yearly means of {span} beside host-nation support, USD bn a year",
            means,
            MEAN_COLUMNS,
        ),
    ]
    figure = Figure(
        "q08_ledger",
        "Chips and troops",
        "q08_means",
        _alt(means),
        partial(_draw, span=span),
    )
    sure = how_sure(cache, (LAW,), [f"outlay.{ally}" for ally in ALLIES])
    return Answer((*finding(means, ledger, span), *sure), tables, [figure])


def _flows(summary: Summary, data: Dataset, ally: str, year: int) -> Row:
    """Return the subsidies of a year that an ally pays, or that its firms receive."""
    home = {row.firm: row.home for row in data.rows(FirmRow)}
    paid = sum(
        cash
        for (_, region, t), cash in summary.cash.items()
        if (region, t) == (ally, year)
    )

    def received(place: str, owner: str) -> float:
        total = 0.0
        for (_, firm, region, t), cash in summary.received.items():
            if (region, t) == (place, year) and home.get(firm) == owner:
                total += cash
        return total

    return {
        "region": ally,
        "ally": summary.labels.regions[ally],
        "year": year,
        "paid": paid / BN,
        "to_ally": received(PATRON, ally) / BN,
        "from_ally": received(ally, PATRON) / BN,
    }


def _facts(data: Dataset, summary: Summary, ally: str) -> list[Row]:
    """Return the items of an ally that the data record."""
    gdp_bn = gdp(data)[ally]
    rows: list[Row] = []
    for item, label in ITEMS.items():
        for (region, _), fact in sorted(alliance(data, item).items()):
            if region != ally:
                continue
            # Defence is recorded as a share of GDP, other items as money.
            amount = fact.value
            if fact.unit == "share":
                amount *= gdp_bn
            rows.append(
                {
                    "region": ally,
                    "ally": summary.labels.regions[ally],
                    "item_id": item,
                    "item": label,
                    "year": str(fact.year),
                    "amount": round(amount, 2),
                    "gdp_share": round(amount / gdp_bn, 5),
                    "origin": "facts",
                    "grade": fact.grade,
                    "source": fact.source,
                    "note": _note(fact),
                }
            )
    return rows


def _note(fact: AllianceRow) -> str:
    if fact.unit == "share":
        return f"share of GDP times GDP of {GDP_YEAR}; {fact.note}"
    return fact.note


def _modelled(
    base: Summary, duty: Summary, flows: pd.DataFrame, ally: str
) -> list[Row]:
    """Return the items of an ally that the model computes."""
    subsidies = flows[flows["region"] == ally]
    span = f"{subsidies['year'].min()}-{subsidies['year'].max()}"
    rows: list[Row] = []
    for column in FLOWS:
        row = _modelled_row(
            base,
            ally,
            item_id=column.key,
            item=f"{column.label}, mean a year",
            year=span,
            amount=float(subsidies[column.key].mean()),
            note="cash under current law",
        )
        rows.append(row)
    lost = _modelled_row(
        base,
        ally,
        item_id="duty",
        item="would lose by a US duty of 25% on chips, a year",
        year=f"{base.labels.years[0]}-{base.labels.horizon}",
        amount=-yearly(duty, gain(duty, base, ally)) / BN,
        note=(
            "even yearly sum; a threatened duty with the terms of each partner; below"
            " zero: gain"
        ),
    )
    return [*rows, lost]


def _modelled_row(
    base: Summary,
    ally: str,
    *,
    item_id: str,
    item: str,
    year: str,
    amount: float,
    note: str,
) -> Row:
    return {
        "region": ally,
        "ally": base.labels.regions[ally],
        "item_id": item_id,
        "item": item,
        "year": year,
        # Adding zero turns -0.0 into 0.0.
        "amount": round(amount, 3) + 0.0,
        "gdp_share": None,
        "origin": "model",
        "grade": "",
        "source": "",
        "note": note,
    }


def _means(flows: pd.DataFrame, data: Dataset, summary: Summary) -> list[Row]:
    """Return yearly means by ally, and the latest host-nation support, zero if none."""
    # In order of year, so that the latest replaces those before it.
    troops: dict[str, float] = {}
    for (region, _), fact in sorted(alliance(data, "host_nation_support").items()):
        troops[region] = fact.value
    rows: list[Row] = []
    for ally in ALLIES:
        part = flows[flows["region"] == ally]
        means = {column.key: float(part[column.key].mean()) for column in FLOWS}
        name = summary.labels.regions[ally]
        rows.append({"ally": name, **means, "troops": troops.get(ally, 0.0)})
    return rows


def _draw(table: pd.DataFrame, span: str) -> Drawn:
    return charts.side_by_side(
        table.rename(columns=labels_of(MEAN_COLUMNS)).assign(panel=""),
        label="ally",
        panel="panel",
        columns=by_label(PAINT, MEAN_COLUMNS),
        title="Chip subsidies beside host-nation support, USD bn a year",
        note=(
            f"means of {span} under current law, from the model; host-nation support as"
            " agreed"
        ),
    )


def _alt(means: pd.DataFrame) -> str:
    labels = labels_of(MEAN_COLUMNS)
    bars = []
    for row in records(means):
        values = [
            f"{labels[key]} {row[key]:.2f}" for key in ("paid", "to_ally", "troops")
        ]
        bars.append(f"{row['ally']}: {', '.join(values)}")
    return alt_text("Bars, USD bn a year:", bars)


def finding(means: pd.DataFrame, ledger: pd.DataFrame, span: str) -> tuple[str, ...]:
    """Return the finding: chips against troops by ally, and the cost of the duty."""
    sentences = []
    for row in records(means[means["troops"] > 0]):
        received = "nothing"
        if row["to_ally"] > 0:
            received = f"{usd(row['to_ally'])} a year"
        sentences.append(
            f"{row['ally']} pays USD {row['troops']:.2f} bn a year for US troops and on"
            f" average {usd(row['paid'])} a year for chip fabs at home ({span}),"
            f" {row['paid'] / row['troops']:.1f} times as much; its firms receive"
            f" {received} of US subsidies."
        )
    by_duty = records(ledger[ledger["item_id"] == "duty"])
    losses = [f"{row['ally']} {_lost(row['amount'])}" for row in by_duty]
    sentences.append(
        f"A broad US duty of 25% would cost, per year, {', '.join(losses)}."
    )
    top = max(records(means), key=lambda row: row["to_ally"])
    sentences.append(
        f"Most US subsidies to allied firms go to those of {top['ally']}"
        f" ({usd(top['to_ally'])} a year); pledges to invest are different in kind and"
        " size and are listed in the table."
    )
    return tuple(sentences)


def _lost(loss: float) -> str:
    if loss > 0:
        return usd(loss)
    return f"nothing (a gain of {usd(-loss)})"
