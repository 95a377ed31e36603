"""Q1, tariffs: who bears US duties on chips."""

from __future__ import annotations

from functools import partial

import pandas as pd

from chipmodel.common.text import listed, percent
from chipmodel.display import charts
from chipmodel.display.canvas import Drawn
from chipmodel.questions.answer import Answer, Column, Figure, Table, rounded
from chipmodel.questions.shared import (
    BN,
    CASE,
    FIRMS,
    MEASURABLE,
    NO_CHANGE,
    TREASURY,
    USERS,
    WORLD,
    Row,
    alt_text,
    between,
    by_label,
    capacity,
    case_name,
    firms,
    gain,
    how_sure,
    labels_of,
    money,
    records,
    result,
    results,
    treasury,
    users,
    wafers,
)
from chipmodel.results.metrics import ALL, evaluate
from chipmodel.results.summary import Summary
from chipmodel.studies.case_cache import CaseCache
from chipmodel.studies.plan import Cell

TITLE = "Tariffs: as announced, as enacted, as threatened"


ASKS = "Who bears a US duty on chips: users, firms or the treasury, at home or abroad?"


METHOD = (
    "Each tariff case is compared with current law: surplus of users, rents of firms by"
    " home region, and treasuries, as present values over all years solved. Partner"
    " terms are those of each case. Duties apply to bare chips unless the case extends"
    " them to devices. Wages, exchange rates and retaliation are left out."
)


HOME = "USA"


SHORT = (
    "liberation_day_announced",
    "liberation_day_enacted",
    "section232_25",
    "section232_100",
)


FULL = (
    *SHORT,
    "section232_25_korea_parity",
    "section232_25_no_allowance",
    "section232_25_flat",
    "section232_25_use",
    "section232_100_korea_parity",
    "section232_100_no_allowance",
)


INCIDENCE = (
    CASE,
    Column("status", "status"),
    money("users_home", "American users"),
    money("users_abroad", "users elsewhere"),
    money("firms_home", "American firms"),
    money("firms_abroad", "firms elsewhere"),
    money("treasury_home", "American treasury"),
    money("treasury_abroad", "treasuries elsewhere"),
    money("home", "United States"),
    WORLD,
    money("duties", "duties collected"),
    money("makers", "memo: makers in the United States pay more"),
)


AMOUNTS = [column.key for column in INCIDENCE if column.unit]


PAINT = {
    "users_home": USERS,
    "firms_home": FIRMS,
    "treasury_home": TREASURY,
    "users_abroad": "#9E97C9",
    "firms_abroad": "#D6D39B",
    "treasury_abroad": "#C897AD",
}
"""Colour of each party; abroad the same hue, lighter."""


def cases(short: bool) -> tuple[str, ...]:
    """Return the tariff cases."""
    if short:
        return SHORT
    return FULL


def cells(cache: CaseCache, short: bool) -> list[Cell]:
    """Return current law and the tariff cases."""
    return [cache.cell("current_law"), *(cache.cell(name) for name in cases(short))]


def answer(cache: CaseCache, short: bool) -> Answer:
    """Return who gains and loses in each case, and US capacity."""
    base = cache.summary("current_law")
    summaries = [cache.summary(name) for name in cases(short)]
    who = rounded((incidence(summary, base) for summary in summaries), INCIDENCE)
    where_columns = _capacity_columns(base)
    where = rounded((_capacity(summary, base) for summary in summaries), where_columns)
    years = f"{base.labels.years[0]} to {base.labels.horizon}"
    tables = [
        Table(
            "q01_incidence",
            f"Gains and losses against current law, present value of {years}; the memo"
            " is passed on to users and must not be added",
            who,
            INCIDENCE,
        ),
        Table(
            "q01_capacity",
            f"US capacity in {base.labels.years[-1]}, kwpm, and its change",
            where,
            where_columns,
        ),
    ]
    nets = []
    for row in records(who):
        home, world = f"{row['home']:+.1f}", f"{row['world']:+.1f}"
        nets.append(f"{row['case']}: United States {home}, world {world}")
    figure = Figure(
        "q01_incidence",
        "Who bears the duty",
        "q01_incidence",
        alt_text("Stacked bars, USD bn:", nets),
        partial(_draw, years=years),
    )
    sure = how_sure(
        cache,
        ("section232_25", "section232_100"),
        (f"cost.buyers.{HOME}", f"welfare.{HOME}", "welfare.all"),
    )
    return Answer((*finding(who, where), *sure), tables, [figure])


def incidence(summary: Summary, base: Summary) -> Row:
    """Return the gains in a case by party, USD bn."""
    row: Row = {"case": case_name(summary.case.name), "status": summary.case.status}
    parties = {"users": users, "firms": firms, "treasury": treasury}
    for party, measure in parties.items():
        at_home = measure(summary, base, HOME)
        # Including the rents of owners that belong to no region.
        everywhere = measure(summary, base, ALL)
        row[f"{party}_home"] = at_home / BN
        row[f"{party}_abroad"] = (everywhere - at_home) / BN
    row["home"] = gain(summary, base, HOME) / BN
    row["world"] = gain(summary, base, ALL) / BN
    row["duties"] = (_duties(summary) - _duties(base)) / BN
    row["makers"] = evaluate(f"cost.buyers.maker.{HOME}", summary, base) / BN
    return row


def _duties(summary: Summary) -> float:
    """Return duties collected over the years reported, present value, MUSD."""
    duties = 0.0
    for (account, _, region, year), value in summary.lines.items():
        # Refunds under an allowance are booked on an account of their own.
        if region == HOME and account in ("tariff", "allowance"):
            duties += value * summary.discount[year]
    return duties


def _capacity_columns(base: Summary) -> list[Column]:
    leading = base.segment(base.labels.leading)
    return [
        CASE,
        wafers("all", "all segments"),
        wafers("all_change", "change in all segments"),
        wafers("leading", leading),
        wafers("leading_change", f"change in {leading}"),
    ]


def _capacity(summary: Summary, base: Summary) -> Row:
    everything = capacity(summary, HOME)
    leading = capacity(summary, HOME, summary.labels.leading)
    return {
        "case": case_name(summary.case.name),
        "all": everything,
        "all_change": everything - capacity(base, HOME),
        "leading": leading,
        "leading_change": leading - capacity(base, HOME, base.labels.leading),
    }


def _draw(who: pd.DataFrame, years: str) -> Drawn:
    return charts.stacked_support(
        who.rename(columns=labels_of(INCIDENCE)),
        label="case",
        parts=by_label(PAINT, INCIDENCE),
        title="Who gains and who loses from US duties, USD bn",
        note=(
            f"present value {years} against current law; right of zero: gain;"
            " diamond and number: the world"
        ),
    )


def finding(who: pd.DataFrame, where: pd.DataFrame) -> tuple[str, ...]:
    """Return the finding: who bears the duty in each case, and where fabs move."""
    sentences: list[str] = []
    without_effect: list[str] = []
    for row in records(who):
        largest = max(abs(row[key]) for key in AMOUNTS)
        if largest < MEASURABLE:
            without_effect.append(row["case"])
        else:
            sentences.append(_bearers(row))
    if without_effect:
        verb, pronoun = "has", "it"
        if len(without_effect) > 1:
            verb, pronoun = "have", "them"
        sentences.append(
            f"{listed(without_effect)} {verb} no effect: no chip is subject to"
            f" {pronoun}."
        )
    change = where.set_index("case")["leading_change"]
    sentences.append(
        "US leading-edge capacity in the last year reported changes by"
        f" {between(change, 'kwpm')} across these cases, most under"
        f" {change.abs().idxmax()}."
    )
    return tuple(sentences)


def _bearers(row: Row) -> str:
    loss, revenue = -row["users_home"], row["treasury_home"]
    share = ""
    # The ratio is of interest only where users pay and the treasury receives.
    if revenue > NO_CHANGE and loss > 0:
        share = f" ({percent(loss / revenue)} of what the treasury gains)"
    return (
        f"Under {row['case']} ({row['status']}), US users"
        f" {results(row['users_home'])}{share}, the US treasury {result(revenue)}, US"
        f" firms {results(row['firms_home'])} and firms elsewhere"
        f" {results(row['firms_abroad'])}; the United States as a whole"
        f" {result(row['home'])} and the world {result(row['world'])}."
    )
