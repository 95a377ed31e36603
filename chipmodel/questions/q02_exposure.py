"""Q2, exposure: which ally has most to lose by American tariffs on chips."""

from __future__ import annotations

from functools import partial

import pandas as pd

from chipmodel.common.text import NEGLIGIBLE, billion, listed
from chipmodel.display import charts, style
from chipmodel.display.canvas import Drawn
from chipmodel.questions import q01_tariffs as tariffs
from chipmodel.questions.answer import Answer, Figure, Table
from chipmodel.questions.shared import (
    GDP_YEAR,
    alliance,
    firms,
    gain,
    gdp,
    how_sure,
    spoken,
    users,
    yearly,
)
from chipmodel.results.summary import Summary
from chipmodel.studies.case_cache import CaseCache
from chipmodel.studies.plan import Cell

TITLE = "Exposure: what each ally loses"


ASKS = (
    "Which ally loses most by American trade policy on chips, in dollars and for its"
    " size?"
)


METHOD = (
    "The tariff cases of Q1: what users, firms at home there and treasury of each ally"
    " lose against current law, as a present value and as an even yearly sum over GDP"
    f" of {GDP_YEAR}. The surplus in goods trade stands beside it and does not enter"
    " the model. Chips only: cars, steel and the rest are left out."
)


ALLIES = ("JPN", "KOR", "TWN", "EUR")


LOSS, PER_GDP, SURPLUS = (
    "loss, USD bn",
    "loss a year, USD per million of GDP",
    "goods surplus 2024, USD bn",
)


RANKS = ["rank by loss", "rank by loss over GDP", "rank by surplus"]


PAINT = {r: style.REGION_COLOURS[r] for r in ALLIES}


def cells(cache: CaseCache, short: bool) -> list[Cell]:
    """Return the cells of Q1."""
    return tariffs.cells(cache, short)


def answer(cache: CaseCache, short: bool) -> Answer:
    """Answer it."""
    base = cache.summary("current_law")
    found = [cache.summary(name) for name in tariffs.cases(short)]
    size, surplus = gdp(cache.data), alliance(cache.data, "goods_surplus")
    table = pd.DataFrame(
        [
            _row(own, base, ally, size[ally], surplus[ally, 2024].value)
            for own in found
            for ally in ALLIES
        ]
    )
    for rank, column in zip(RANKS, (LOSS, PER_GDP, SURPLUS), strict=True):
        table[rank] = table.groupby("case", sort=False)[column].rank(
            ascending=False, method="min"
        )
    # Where nothing moves there is nothing to rank.
    still = (
        table.groupby("case", sort=False)[LOSS].transform(lambda x: x.abs().max())
        == 0.0
    )
    table[RANKS] = table[RANKS].astype("Int64").mask(still)
    wide = {
        column: table.pivot_table(
            index="case", columns="ally", values=column, sort=False
        )
        for column in (LOSS, PER_GDP)
    }
    drawn = pd.concat(
        [frame.reset_index().assign(measure=column) for column, frame in wide.items()]
    )
    names = {base.labels.regions[r]: PAINT[r] for r in ALLIES}
    years = f"{base.labels.years[0]} to {base.labels.horizon}"
    tables = [
        Table(
            "q02_exposure",
            f"What allies lose by American tariffs on chips, present value of {years}"
            " (below zero: gain), over GDP, and their surplus in goods trade with the"
            " United States",
            table,
        ),
        Table("q02_ranking", "The same, a column an ally", drawn),
    ]
    figure = Figure(
        "q02_exposure",
        "Exposure of the allies",
        "q02_ranking",
        _alt(table),
        partial(_draw, paint=names, years=years),
    )
    how = how_sure(cache, *(("section232_25", f"welfare.{ally}") for ally in ALLIES))
    return Answer((*finding(table), *how), tables, [figure])


def _row(
    own: Summary, base: Summary, ally: str, size: float, surplus: float
) -> dict[str, object]:
    loss = -gain(own, base, ally)
    return {
        "case": spoken(own.case.name),
        "ally": base.labels.regions[ally],
        LOSS: round(loss / 1000.0, 3) + 0.0,
        "of which firms, USD bn": round(-firms(own, base, ally) / 1000.0, 3) + 0.0,
        "of which users, USD bn": round(-users(own, base, ally) / 1000.0, 3) + 0.0,
        PER_GDP: round(1000.0 * yearly(own, loss) / size, 1) + 0.0,
        SURPLUS: surplus,
    }


def _draw(table: pd.DataFrame, paint: dict[str, str], years: str) -> Drawn:
    return charts.side_by_side(
        table,
        label="case",
        panel="measure",
        columns=paint,
        title="What allies lose by American tariffs on chips",
        note=(
            f"against current law; left panel: present value {years}; right: an even"
            " yearly sum; left of zero: gain"
        ),
    )


def _top(part: pd.DataFrame, column: str) -> tuple[str, float]:
    """Return the ally with the largest number of a column, and the number."""
    by_ally = dict(
        zip(part["ally"].astype(str), part[column].astype(float), strict=True)
    )
    name = max(by_ally, key=lambda ally: by_ally[ally])
    return name, by_ally[name]


def _alt(table: pd.DataFrame) -> str:
    tops = [
        f"{case}: most {_top(part, LOSS)[0]} (USD {_top(part, LOSS)[1]:.1f} bn)"
        for case, part in table.groupby("case", sort=False)
    ]
    return (
        "Bars of each ally's loss by case, in dollars and over GDP. "
        + "; ".join(tops)
        + "."
    )


def finding(table: pd.DataFrame) -> tuple[str, ...]:
    """Say what the table holds."""
    moved = {
        str(case): part
        for case, part in table.groupby("case", sort=False)
        if 1000.0 * part[LOSS].abs().max() > 10 * NEGLIGIBLE
    }
    if not moved:
        return ("None of these cases moves what an ally has by more than a rounding.",)
    said = []
    for case, part in moved.items():
        order = part.sort_values(LOSS, ascending=False)
        each = listed(
            [f"{row['ally']} {_lost(float(row[LOSS]))}" for _, row in order.iterrows()]
        )
        said.append(f"Under {case}, {each}.")
    said.append(
        f"In dollars {_most(moved, LOSS)}; for the size of its economy"
        f" {_most(moved, PER_GDP)}."
    )
    name, largest = _top(next(iter(moved.values())), SURPLUS)
    same = sum(
        list(part["rank by surplus"]) == list(part["rank by loss"])
        for part in moved.values()
    )
    how = (
        "every case"
        if same == len(moved)
        else f"{same or 'none'} of {len(moved)} cases"
    )
    said.append(
        f"The largest surplus of 2024 among them is that of {name} (USD {largest:.1f}"
        f" bn); allies lose in the order of their surpluses in {how}."
    )
    return tuple(said)


def _lost(value: float) -> str:
    verb = "loses" if value > 0 else "gains"
    return f"{verb} {billion(abs(1000.0 * value))}"


def _most(moved: dict[str, pd.DataFrame], column: str) -> str:
    """Say who loses most, and in which cases if that differs."""
    cases: dict[str, list[str]] = {}
    for case, part in moved.items():
        cases.setdefault(_top(part, column)[0], []).append(case)
    if len(cases) == 1:
        return (
            f"{next(iter(cases))} loses most in"
            f" {'each of these cases' if len(moved) > 1 else 'it'}"
        )
    return listed(
        [f"{ally} loses most under {listed(under)}" for ally, under in cases.items()]
    )
