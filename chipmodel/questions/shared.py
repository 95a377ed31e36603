"""What several questions read off summaries, and how they say it."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from chipmodel.common.text import NEGLIGIBLE, billion
from chipmodel.dataset.dataset import Dataset
from chipmodel.dataset.derived import load_intervals
from chipmodel.dataset.rows import AllianceRow, MacroRow
from chipmodel.display.intervals import sure
from chipmodel.results.metrics import evaluate
from chipmodel.results.summary import Summary
from chipmodel.studies.case_cache import CaseCache

USERS, FIRMS, TREASURY = "#332288", "#999933", "#882255"
"""Colours of the three that gain or lose in a place."""


GDP_YEAR = 2024


SPOKEN = {
    "current_law": "current law",
    "liberation_day_announced": "Liberation Day as announced",
    "liberation_day_enacted": "Liberation Day as enacted",
    "section232_25": "Section 232 at 25%",
    "section232_25_korea_parity": "25% with parity for Korea",
    "section232_25_no_allowance": "25% without Taiwan's allowance",
    "section232_25_flat": "25% without partner terms",
    "section232_25_use": "25% on use, devices included",
    "section232_100": "Section 232 at 100%",
    "section232_100_korea_parity": "100% with parity for Korea",
    "section232_100_no_allowance": "100% without Taiwan's allowance",
    "chips_withdrawn_korea": "awards withdrawn",
    "chips_delayed_korea": "awards paid late",
    "chips_converted_korea": "awards turned into shares",
    "japan_domestic_first": "Japan domestic first",
    "japan_support_withdrawn": "Japan's support withdrawn",
    "korea_japan_pushed_away": "Korea and Japan pushed away",
    "china_decoupling": "decoupling from China",
    "credit_extended": "American credit extended",
    "cjk_fta": "free-trade area",
}
"""Names of cases for people."""


def gain(own: Summary, base: Summary, region: str) -> float:
    """Return what a region gains: users, firms at home there and the treasury, present value, MUSD."""
    return evaluate(f"welfare.{region}", own, base)


def users(own: Summary, base: Summary, region: str) -> float:
    """Return what users of a region gain, present value, MUSD."""
    return -evaluate(f"cost.buyers.{region}", own, base)


def firms(own: Summary, base: Summary, region: str) -> float:
    """Return what firms at home in a region gain, present value, MUSD."""
    return evaluate(f"rents.{region}", own, base)


def treasury(own: Summary, base: Summary, region: str) -> float:
    """Return what the treasury of a region gains, present value, MUSD."""
    return evaluate(f"treasury.{region}", own, base)


def yearly(own: Summary, value: float) -> float:
    """Spread a present value evenly over the years solved: the same sum each year, with the same present value."""
    return value / sum(own.discount.values())


def gdp(data: Dataset) -> dict[str, float]:
    """Return GDP by region, USD bn."""
    return {
        row.region: row.value
        for row in data.rows(MacroRow)
        if (row.item, row.year) == ("gdp", GDP_YEAR)
    }


def alliance(data: Dataset, item: str) -> dict[tuple[str, int], AllianceRow]:
    """Return the rows of the alliance table about one thing, by region and year."""
    return {
        (row.region, row.year): row
        for row in data.rows(AllianceRow)
        if row.item == item
    }


def capacity(own: Summary, region: str, segment: str = "all") -> float:
    """Return capacity in the last year reported, kwpm."""
    return evaluate(f"capacity.{region}.{segment}.{own.labels.years[-1]}", own)


def spent(own: Summary, region: str, firms: Iterable[str] | None = None) -> float:
    """Return cash spent on fabs in a region over the years reported, MUSD."""
    chosen = None if firms is None else set(firms)
    return sum(
        v
        for (f, r, _), v in own.invested.items()
        if r == region and (chosen is None or f in chosen)
    )


def outlay(own: Summary, region: str) -> float:
    """Return support a region pays in cash over the years reported, MUSD."""
    return evaluate(f"outlay.{region}", own)


def in_billions(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table with columns in USD bn rounded to the million, the last digit a solve can vouch for."""
    return frame.assign(
        **{
            c: frame[c].round(3) + 0.0
            for c in frame.columns
            if str(c).endswith("USD bn")
        }
    )


def how_sure(cache: CaseCache, *wanted: tuple[str, str]) -> tuple[str, ...]:
    """Return the sentence that gives the intervals of metrics, each with its case; none if none is known."""
    base = cache.summary("current_law")
    there = [(cache.summary(case), base, metric) for case, metric in wanted]
    told = sure(there, load_intervals(cache.data), spoken)
    return (told,) if told else ()


def spoken(case: str) -> str:
    """Return the name of a case for people.

    >>> spoken("section232_25"), spoken("my_case")
    ('Section 232 at 25%', 'my case')
    """
    return SPOKEN.get(case, case.replace("_", " "))


def result(value: float) -> str:
    """Say that someone gains or loses money.

    >>> result(-2500.0), result(0.0)
    ('loses USD 2.5 bn', 'neither gains nor loses')
    """
    if abs(value) < NEGLIGIBLE:
        return "neither gains nor loses"
    return f"{'gains' if value > 0 else 'loses'} {billion(abs(value))}"


def results(value: float) -> str:
    """Say that several gain or lose money.

    >>> results(-2500.0), results(0.0)
    ('lose USD 2.5 bn', 'neither gain nor lose')
    """
    return result(value).replace("gains", "gain").replace("loses", "lose")


def between(values: Iterable[float], unit: str, digits: int = 1) -> str:
    """Return a range of numbers in words; one number if it is no range.

    >>> between([1.0, 3.25], "kwpm"), between([2.0], "%", 0)
    ('1.0 to 3.2 kwpm', '2%')
    """
    found = list(values)
    low, high = (f"{x + 0.0:,.{digits}f}" for x in (min(found), max(found)))
    after = unit if unit == "%" else f" {unit}"
    return f"{low}{after}" if low == high else f"{low} to {high}{after}"
