"""Q1, tariffs: who bears American duties on chips."""

from __future__ import annotations

from functools import partial

import pandas as pd

from chipmodel.common.text import NEGLIGIBLE, billion, listed, percent
from chipmodel.display import charts
from chipmodel.questions.answer import Answer, Figure, Table
from chipmodel.questions.shared import (
    FIRMS,
    TREASURY,
    USERS,
    between,
    capacity,
    firms,
    gain,
    how_sure,
    in_billions,
    result,
    results,
    spoken,
)
from chipmodel.questions.shared import treasury as purse
from chipmodel.questions.shared import users as buyers
from chipmodel.results.metrics import evaluate
from chipmodel.results.summary import Summary
from chipmodel.studies.case_cache import CaseCache
from chipmodel.studies.plan import Cell

TITLE = "Tariffs: as announced, as enacted, as threatened"


ASKS = (
    "Who bears an American duty on chips: buyers, makers or the treasury, at home or"
    " abroad?"
)


METHOD = (
    "Each tariff case against current law: users' surplus, rents of firms by their"
    " home, treasuries; present values over all years solved. Partner terms are those"
    " of the cases. Duties fall on bare chips unless the case says otherwise. Wages,"
    " exchange rates and retaliation are left out."
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


PARTS = {
    "American users, USD bn": USERS,
    "American firms, USD bn": FIRMS,
    "American treasury, USD bn": TREASURY,
    "users elsewhere, USD bn": "#9E97C9",
    "firms elsewhere, USD bn": "#D6D39B",
    "treasuries elsewhere, USD bn": "#C897AD",
}


def cases(short: bool) -> tuple[str, ...]:
    """Return the tariff cases."""
    return SHORT if short else FULL


def cells(cache: CaseCache, short: bool) -> list[Cell]:
    """Return current law and the tariff cases."""
    return [cache.cell("current_law"), *(cache.cell(name) for name in cases(short))]


def answer(cache: CaseCache, short: bool) -> Answer:
    """Answer it."""
    base = cache.summary("current_law")
    found = [cache.summary(name) for name in cases(short)]
    who = in_billions(pd.DataFrame([incidence(own, base) for own in found]))
    where = pd.DataFrame([_capacity(own, base) for own in found])
    years = f"{base.labels.years[0]} to {base.labels.horizon}"
    tables = [
        Table(
            "q01_incidence",
            f"Who gains and who loses against current law, present value of {years};"
            " the memo reaches users and is not to be added",
            who,
        ),
        Table(
            "q01_capacity",
            f"American capacity in {base.labels.years[-1]}, kwpm, and its change",
            where,
        ),
    ]
    alt = "; ".join(
        f"{row['case']}: United States {row['United States, USD bn']:+.1f}, world "
        f"{row['World, USD bn']:+.1f}"
        for _, row in who.iterrows()
    )
    figure = Figure(
        "q01_incidence",
        "Who bears the duty",
        "q01_incidence",
        f"Stacked bars, USD bn: {alt}.",
        partial(
            charts.stacked_support,
            label="case",
            parts=PARTS,
            title="Who gains and who loses by American duties, USD bn",
            note=(
                f"present value {years} against current law; right of zero: gain;"
                " diamond and number: the world"
            ),
        ),
    )
    how = how_sure(
        cache,
        *(
            (case, metric)
            for case in ("section232_25", "section232_100")
            for metric in (f"cost.buyers.{HOME}", f"welfare.{HOME}", "welfare.all")
        ),
    )
    return Answer((*finding(who, where), *how), tables, [figure])


def incidence(own: Summary, base: Summary) -> dict[str, object]:
    """Return a case's gains by who has them, USD bn."""
    row: dict[str, object] = {"case": spoken(own.case.name), "status": own.case.status}
    for name, measure in (("users", buyers), ("firms", firms), ("treasury", purse)):
        at_home = measure(own, base, HOME)
        elsewhere = measure(own, base, "all") - at_home
        row[f"American {name}, USD bn"] = at_home / 1000.0
        row[f"{'treasuries' if name == 'treasury' else name} elsewhere, USD bn"] = (
            elsewhere / 1000.0
        )
    row["United States, USD bn"] = gain(own, base, HOME) / 1000.0
    row["World, USD bn"] = gain(own, base, "all") / 1000.0
    row["duties collected, USD bn"] = _duties(own, base) / 1000.0
    memo = evaluate(f"cost.buyers.maker.{HOME}", own, base)
    row["memo: makers in the United States pay more, USD bn"] = memo / 1000.0
    return row


def _duties(own: Summary, base: Summary) -> float:
    """Return what is collected more than in the reference, over the years reported, present value, MUSD."""
    return sum(
        sign * v * one.discount[t]
        for one, sign in ((own, 1.0), (base, -1.0))
        for (a, _, r, t), v in one.lines.items()
        if r == HOME and a in ("tariff", "allowance")
    )


def _capacity(own: Summary, base: Summary) -> dict[str, object]:
    row: dict[str, object] = {"case": spoken(own.case.name)}
    leading = base.labels.leading
    for name, segment in (("all segments", "all"), (base.segment(leading), leading)):
        now, before = capacity(own, HOME, segment), capacity(base, HOME, segment)
        row[f"{name}, kwpm"] = round(now, 1)
        row[f"change in {name}, kwpm"] = round(now - before, 1) + 0.0
    return row


def finding(who: pd.DataFrame, where: pd.DataFrame) -> tuple[str, ...]:
    """Say what the tables hold."""
    money = [c for c in who.columns if str(c).endswith("USD bn")]
    said, still = [], []
    for _, row in who.iterrows():
        if 1000.0 * max(abs(float(row[c])) for c in money) < 10 * NEGLIGIBLE:
            still.append(str(row["case"]))
            continue
        said.append(_bearers(row))
    if still:
        said.append(
            f"{listed(still)} {'changes' if len(still) == 1 else 'change'} nothing: no"
            " chip falls under it."
        )
    leading = next(
        str(c)
        for c in where.columns
        if str(c).startswith("change in") and "all segments" not in str(c)
    )
    moved = where.set_index("case")[leading]
    said.append(
        "American leading-edge capacity in the last year reported changes by"
        f" {between(moved, 'kwpm')} over these cases, most in {moved.abs().idxmax()}."
    )
    return tuple(said)


def _bearers(row: pd.Series) -> str:
    mine = 1000.0 * float(row["American users, USD bn"])
    revenue, home = (
        1000.0 * float(row["American treasury, USD bn"]),
        1000.0 * float(row["United States, USD bn"]),
    )
    abroad = 1000.0 * (float(row["firms elsewhere, USD bn"]))
    share = (
        f" ({percent(-mine / revenue)} of what the treasury nets)"
        if revenue > NEGLIGIBLE and mine < 0
        else ""
    )
    return (
        f"Under {row['case']} ({row['status']}), American users {results(mine)}{share},"
        f" the American treasury {'nets' if revenue >= 0 else 'is short of'}"
        f" {billion(abs(revenue))}, American firms"
        f" {results(1000.0 * float(row['American firms, USD bn']))} and firms elsewhere"
        f" {results(abroad)}; the United States as a whole {result(home)} and the world"
        f" {result(1000.0 * float(row['World, USD bn']))}."
    )
