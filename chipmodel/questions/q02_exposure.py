"""Q2, exposure: which ally has most to lose from US tariffs on chips."""

from __future__ import annotations

from functools import partial

import pandas as pd

from chipmodel.common.text import listed
from chipmodel.dataset.rows import AllianceRow
from chipmodel.display import charts, style
from chipmodel.display.canvas import Drawn
from chipmodel.questions import q01_tariffs as tariffs
from chipmodel.questions.answer import Answer, Column, Figure, Table, rounded
from chipmodel.questions.shared import (
    BN,
    CASE,
    GDP_YEAR,
    MEASURABLE,
    Row,
    alliance,
    alt_text,
    case_name,
    firms,
    gain,
    gdp,
    how_sure,
    labels_of,
    money,
    records,
    side_by_side_table,
    usd,
    users,
    yearly,
)
from chipmodel.results.summary import Summary
from chipmodel.studies.case_cache import CaseCache
from chipmodel.studies.plan import Cell

TITLE = "Exposure: what each ally loses"


ASKS = (
    "Which ally loses most from US trade policy on chips, in dollars and relative to"
    " its GDP?"
)


METHOD = (
    "The tariff cases of Q1: losses of each ally's users, firms and treasury against"
    " current law, as a present value and as an even yearly amount divided by GDP of"
    f" {GDP_YEAR}. The surplus in goods trade is listed for comparison and does not"
    " enter the model. Chips only: cars, steel and other goods are left out."
)


ALLIES = ("JPN", "KOR", "TWN", "EUR")


ALLY = Column("ally", "ally")


LOSS = money("loss", "loss")


LOSS_OVER_GDP = Column(
    "loss_over_gdp", "loss a year", "USD per million of GDP", digits=1
)


RANKS = {
    "loss": Column("rank_loss", "rank by loss"),
    "loss_over_gdp": Column("rank_loss_over_gdp", "rank by loss over GDP"),
    "surplus": Column("rank_surplus", "rank by surplus"),
}
"""The column with the rank of each measure."""


EXPOSURE = (
    CASE,
    ALLY,
    LOSS,
    money("loss_firms", "of which firms"),
    money("loss_users", "of which users"),
    LOSS_OVER_GDP,
    Column("surplus", "goods surplus 2024", "USD bn"),
    *RANKS.values(),
)


def cells(cache: CaseCache, short: bool) -> list[Cell]:
    """Return the cells of Q1."""
    return tariffs.cells(cache, short)


def answer(cache: CaseCache, short: bool) -> Answer:
    """Return the loss of each ally in each case, and how the allies rank."""
    base = cache.summary("current_law")
    economy = gdp(cache.data)
    surplus = alliance(cache.data, "goods_surplus")
    rows: list[Row] = []
    for case in tariffs.cases(short):
        summary = cache.summary(case)
        for ally in ALLIES:
            trade = surplus[ally, GDP_YEAR]
            rows.append(_row(summary, base, ally, economy[ally], trade))
    table = _ranked(rounded(rows, EXPOSURE))
    allies = [Column(ally, base.labels.regions[ally]) for ally in ALLIES]
    ranking = side_by_side_table(table, "region", (LOSS, LOSS_OVER_GDP))
    years = f"{base.labels.years[0]} to {base.labels.horizon}"
    tables = [
        Table(
            "q02_exposure",
            f"Losses of allies from US tariffs on chips, present value of {years}"
            " (negative: gain), over GDP, and their surplus in goods trade with the"
            " United States",
            table,
            EXPOSURE,
        ),
        Table(
            "q02_ranking",
            "The same losses, one column per ally",
            ranking,
            (CASE, *allies, Column("measure", "measure")),
        ),
    ]
    figure = Figure(
        "q02_exposure",
        "Exposure of the allies",
        "q02_ranking",
        _alt(table),
        partial(_draw, allies=allies, years=years),
    )
    metrics = [f"welfare.{ally}" for ally in ALLIES]
    sure = how_sure(cache, ("section232_25",), metrics)
    return Answer((*finding(table), *sure), tables, [figure])


def _row(
    summary: Summary, base: Summary, ally: str, gdp_bn: float, surplus: AllianceRow
) -> Row:
    loss = -gain(summary, base, ally)
    return {
        "case": case_name(summary.case.name),
        "region": ally,
        "ally": base.labels.regions[ally],
        "loss": loss / BN,
        "loss_firms": -firms(summary, base, ally) / BN,
        "loss_users": -users(summary, base, ally) / BN,
        # MUSD over USD bn is thousandths, and a thousand times that is millionths.
        "loss_over_gdp": 1000.0 * yearly(summary, loss) / gdp_bn,
        "surplus": surplus.value,
    }


def _ranked(table: pd.DataFrame) -> pd.DataFrame:
    """Add the ranks of the allies in each case, the largest first."""
    by_case = table.groupby("case", sort=False)
    for measure, rank in RANKS.items():
        table[rank.key] = by_case[measure].rank(ascending=False, method="min")
    # Where nothing moves there is nothing to rank.
    without_effect = by_case["loss"].transform(lambda loss: loss.abs().max()) == 0.0
    keys = [rank.key for rank in RANKS.values()]
    table[keys] = table[keys].astype("Int64").mask(without_effect)
    return table


def _draw(table: pd.DataFrame, allies: list[Column], years: str) -> Drawn:
    labels = labels_of(allies)
    return charts.side_by_side(
        table.rename(columns=labels),
        label="case",
        panel="measure",
        columns={name: style.REGION_COLOURS[ally] for ally, name in labels.items()},
        title="What allies lose from US tariffs on chips",
        note=(
            f"against current law; left panel: present value {years}; right: an even"
            " yearly sum; left of zero: gain"
        ),
    )


def _top(part: pd.DataFrame, measure: str) -> Row:
    """Return the row of the ally with the largest value of a measure."""
    return max(records(part), key=lambda row: row[measure])


def _alt(table: pd.DataFrame) -> str:
    largest = []
    for case, part in table.groupby("case", sort=False):
        top = _top(part, "loss")
        largest.append(f"{case}: largest {top['ally']} (USD {top['loss']:.1f} bn)")
    return alt_text(
        "Bars of each ally's loss by case, in dollars and over GDP.", largest
    )


def finding(table: pd.DataFrame) -> tuple[str, ...]:
    """Return the finding: who loses in each case, who most, and in what order."""
    effective: dict[str, pd.DataFrame] = {}
    for case, part in table.groupby("case", sort=False):
        if part["loss"].abs().max() > MEASURABLE:
            effective[str(case)] = part
    if not effective:
        return ("None of these cases changes any ally's welfare measurably.",)
    sentences = []
    for name, part in effective.items():
        order = records(part.sort_values("loss", ascending=False))
        losses = [f"{row['ally']} {_lost(row['loss'])}" for row in order]
        sentences.append(f"Under {name}, {listed(losses)}.")
    sentences.append(
        f"In dollars, {_most(effective, 'loss')}; relative to GDP,"
        f" {_most(effective, 'loss_over_gdp')}."
    )
    top = _top(next(iter(effective.values())), "surplus")
    same_order = 0
    for part in effective.values():
        same_order += list(part["rank_surplus"]) == list(part["rank_loss"])
    share = f"{same_order or 'none'} of {len(effective)} cases"
    if same_order == len(effective):
        share = "every case"
    sentences.append(
        f"Among them {top['ally']} has the largest goods surplus with the United States"
        f" in {GDP_YEAR} (USD {top['surplus']:.1f} bn); the order of losses is that of"
        f" the surpluses in {share}."
    )
    return tuple(sentences)


def _lost(loss: float) -> str:
    verb = "loses" if loss > 0 else "gains"
    return f"{verb} {usd(abs(loss))}"


def _most(effective: dict[str, pd.DataFrame], measure: str) -> str:
    """Return who loses most, and in which cases if that differs between cases."""
    cases_of: dict[str, list[str]] = {}
    for case, part in effective.items():
        ally = _top(part, measure)["ally"]
        cases_of.setdefault(ally, []).append(case)
    # One ally in all cases needs no list of cases.
    if len(cases_of) > 1:
        clauses = []
        for ally, names in cases_of.items():
            clauses.append(f"{ally} loses most under {listed(names)}")
        return listed(clauses)
    (ally,) = cases_of
    if len(effective) == 1:
        return f"{ally} loses most"
    return f"{ally} loses most in each of these cases"
