"""What several questions share: quantities read from summaries, columns and wording."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from chipmodel.common.text import NEGLIGIBLE, billion
from chipmodel.dataset.dataset import Dataset
from chipmodel.dataset.derived import load_intervals
from chipmodel.dataset.rows import AllianceRow, MacroRow
from chipmodel.display import charts, style
from chipmodel.display.canvas import Drawn
from chipmodel.display.intervals import sure
from chipmodel.model.world import World
from chipmodel.questions.answer import Column
from chipmodel.results.metrics import ALL, evaluate
from chipmodel.results.summary import Labels, Summary
from chipmodel.studies.case_cache import CaseCache

Row = dict[str, Any]
"""A row of a table by the keys of its columns."""


USERS, FIRMS, TREASURY = "#332288", "#999933", "#882255"
"""Colours of the three parties whose gains make up the gain of a region."""


GDP_YEAR = 2024
"""Year of GDP that costs are divided by, and of the trade surplus beside them."""


BN = 1000.0
"""Summaries hold money in MUSD, tables in USD bn."""


NO_CHANGE = NEGLIGIBLE / BN
"""Money below this, USD bn, is no change."""


MEASURABLE = 10 * NO_CHANGE
"""A case in which nobody's gain reaches this, USD bn, has no effect."""


COMMITTED, UNCOMMITTED = "commitments held", "every project free"
"""Names of worlds with and without the commitments of announced projects."""


CASE_NAMES = {
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
    "credit_extended": "US credit extended",
    "all_extended": "all support extended",
    "cjk_fta": "free-trade area",
}
"""Names of cases in tables, figures and findings."""


def case_name(case: str) -> str:
    """Return the name of a case for readers.

    >>> case_name("section232_25"), case_name("my_case")
    ('Section 232 at 25%', 'my case')
    """
    return CASE_NAMES.get(case, case.replace("_", " "))


# Quantities of a case, from its summary.


def gain(summary: Summary, base: Summary, region: str) -> float:
    """Return the gain of a region's users, firms and treasury, present value, MUSD.

    Firms count in the region of their headquarters, wherever their fabs are.
    """
    return evaluate(f"welfare.{region}", summary, base)


def users(summary: Summary, base: Summary, region: str) -> float:
    """Return the gain of the users of chips in a region, present value, MUSD."""
    return -evaluate(f"cost.buyers.{region}", summary, base)


def firms(summary: Summary, base: Summary, region: str) -> float:
    """Return the gain of the firms of a region, present value, MUSD."""
    return evaluate(f"rents.{region}", summary, base)


def treasury(summary: Summary, base: Summary, region: str) -> float:
    """Return the gain of the treasury of a region, present value, MUSD."""
    return evaluate(f"treasury.{region}", summary, base)


def gains_by_region(summary: Summary, base: Summary) -> dict[str, float]:
    """Return the gain of each region and of the world, USD bn, by key of its column."""
    gains = {region: gain(summary, base, region) / BN for region in base.labels.regions}
    return {**gains, WORLD.key: gain(summary, base, ALL) / BN}


def losses_by_region(summary: Summary, base: Summary) -> dict[str, float]:
    """Return the loss of each region and of the world, USD bn, by key of its column."""
    gains = gains_by_region(summary, base)
    return {key: -value for key, value in gains.items()}


def yearly(summary: Summary, value: float) -> float:
    r"""Spread a present value over the years solved, the same amount in each.

    .. math:: a = V / \sum_t \delta_t
    """
    return value / sum(summary.discount.values())


def capacity(summary: Summary, region: str, segment: str = ALL) -> float:
    """Return capacity in the last year reported, kwpm."""
    return evaluate(f"capacity.{region}.{segment}.{summary.labels.years[-1]}", summary)


def spent(summary: Summary, region: str, firms: Iterable[str] | None = None) -> float:
    """Return cash spent on fabs in a region over the years reported, MUSD.

    Parameters
    ----------
    summary : Summary
    region : str
    firms : iterable of str, optional
        Firms that are counted; all by default.
    """
    in_region = [
        (firm, cash)
        for (firm, place, _), cash in summary.invested.items()
        if place == region
    ]
    if firms is None:
        return sum(cash for _, cash in in_region)
    # `firms` may be a generator, which could be searched only once.
    chosen = set(firms)
    return sum(cash for firm, cash in in_region if firm in chosen)


def received(summary: Summary, region: str, firms: Iterable[str]) -> float:
    """Return subsidies firms receive in cash for fabs in a region, MUSD.

    They are summed over the years reported.
    """
    chosen = set(firms)
    return sum(
        cash
        for (_, firm, place, _), cash in summary.received.items()
        if place == region and firm in chosen
    )


def outlay(summary: Summary, region: str) -> float:
    """Return subsidies a region pays in cash over the years reported, MUSD."""
    return evaluate(f"outlay.{region}", summary)


def uncommitted(world: World) -> World:
    """Return a world in which no announced project is committed to."""
    return world.with_(name=f"{world.name}_freed", committed=0.0)


# Facts of the data package.


def gdp(data: Dataset) -> dict[str, float]:
    """Return GDP by region in `GDP_YEAR`, USD bn."""
    values = {}
    for row in data.rows(MacroRow):
        if (row.item, row.year) == ("gdp", GDP_YEAR):
            values[row.region] = row.value
    return values


def alliance(data: Dataset, item: str) -> dict[tuple[str, int], AllianceRow]:
    """Return the rows of an item of the alliance table, by region and year."""
    rows = {}
    for row in data.rows(AllianceRow):
        if row.item == item:
            rows[row.region, row.year] = row
    return rows


# Columns and tables.


def money(key: str, label: str) -> Column:
    """Return a column of money in USD bn, rounded to the million."""
    return Column(key, label, "USD bn", 3)


def wafers(key: str, label: str, digits: int = 1) -> Column:
    """Return a column of thousand 300 mm wafers a month."""
    return Column(key, label, "kwpm", digits)


CASE = Column("case", "case")


WORLD = money("world", "World")
"""Gain or loss of all regions together."""


def region_columns(labels: Labels) -> list[Column]:
    """Return a column of money for each region, keyed by its code."""
    return [money(region, name) for region, name in labels.regions.items()]


def labels_of(columns: Iterable[Column]) -> dict[str, str]:
    """Return the labels of columns by key, for figures, which have units elsewhere."""
    return {column.key: column.label for column in columns}


def by_label(colours: Mapping[str, str], columns: Iterable[Column]) -> dict[str, str]:
    """Return colours by label, where figures name the columns, in place of the key."""
    labels = labels_of(columns)
    return {labels[key]: colour for key, colour in colours.items()}


def region_paint(regions: Mapping[str, str]) -> dict[str, str]:
    """Return the colour of each region by its name, from the names by code."""
    colours = style.colours(regions)
    return {regions[region]: colour for region, colour in colours.items()}


def records(frame: pd.DataFrame) -> list[Row]:
    """Return the rows of a frame by key."""
    rows: list[Row] = frame.to_dict("records")  # type: ignore[assignment]
    return rows


def side_by_side_table(
    table: pd.DataFrame, across: str, measures: Sequence[Column]
) -> pd.DataFrame:
    """Return measures of cases with a column for each value of a key.

    Parameters
    ----------
    table : DataFrame
        With a row for each case and value of `across`.
    across : str
        Key whose values become columns.
    measures : sequence of Column
        Each becomes a block of rows, a panel of the figure, with its heading as
        ``measure``.
    """
    blocks = []
    # Unsorted, so that cases and columns stay in the order they are solved in.
    for measure in measures:
        block = table.pivot_table(
            index="case", columns=across, values=measure.key, sort=False
        )
        blocks.append(block.reset_index().assign(measure=measure.heading))
    return pd.concat(blocks)


# Figures.


def draw_worlds(
    table: pd.DataFrame,
    worlds: Sequence[Column],
    colours: Sequence[str],
    title: str,
    note: str,
) -> Drawn:
    """Draw measures of cases as bars, one bar for each world, a panel for each measure.

    Parameters
    ----------
    table : DataFrame
        As of `side_by_side_table`.
    worlds : sequence of Column
    colours : sequence of str
        Of the worlds, in order; there may be more.
    title, note : str
    """
    labels = labels_of(worlds)
    paint = dict(zip(labels.values(), colours, strict=False))
    return charts.side_by_side(
        table.rename(columns=labels),
        label="case",
        panel="measure",
        columns=paint,
        none="not solved",
        title=title,
        note=note,
    )


def alt_text(opening: str, items: Iterable[str]) -> str:
    """Return the alternative text of a figure: what it draws, then the numbers.

    >>> alt_text("Bars, USD bn:", ["a 1.0", "b 2.0"])
    'Bars, USD bn: a 1.0; b 2.0.'
    """
    return f"{opening} {'; '.join(items)}."


# Wording of findings. Money is in USD bn, as in the tables.


def how_sure(
    cache: CaseCache, cases: Iterable[str], metrics: Sequence[str]
) -> tuple[str, ...]:
    """Return the sentence with the intervals of metrics; nothing if none is known.

    Parameters
    ----------
    cache : CaseCache
    cases : iterable of str
        Names of cases of the data package.
    metrics : sequence of str
        Names of metrics, given for each case.
    """
    # The stored intervals of gains and losses are against current law.
    base = cache.summary("current_law")
    wanted = []
    for case in cases:
        summary = cache.summary(case)
        wanted += [(summary, base, metric) for metric in metrics]
    sentence = sure(wanted, load_intervals(cache.data), case_name)
    # A tuple, so that a finding without intervals has no empty paragraph.
    return (sentence,) if sentence else ()


def usd(amount: float) -> str:
    """Return an amount in USD bn as text.

    >>> usd(2.5), usd(0.012)
    ('USD 2.5 bn', 'USD 12.0 million')
    """
    return billion(BN * amount)


def result(amount: float) -> str:
    """Return that a party gains or loses an amount in USD bn.

    >>> result(-2.5), result(0.0)
    ('loses USD 2.5 bn', 'neither gains nor loses')
    """
    if abs(amount) < NO_CHANGE:
        return "neither gains nor loses"
    verb = "gains" if amount > 0 else "loses"
    return f"{verb} {usd(abs(amount))}"


def results(amount: float) -> str:
    """Return that several parties gain or lose an amount in USD bn.

    >>> results(-2.5), results(0.0)
    ('lose USD 2.5 bn', 'neither gain nor lose')
    """
    return result(amount).replace("gains", "gain").replace("loses", "lose")


def between(values: Iterable[float], unit: str, digits: int = 1) -> str:
    """Return the range of numbers as text, or the number if all are equal.

    >>> between([1.0, 3.25], "kwpm"), between([2.0], "%", 0)
    ('1.0 to 3.2 kwpm', '2%')
    """
    numbers = list(values)
    # Adding zero turns -0.0 into 0.0.
    low = f"{min(numbers) + 0.0:,.{digits}f}"
    high = f"{max(numbers) + 0.0:,.{digits}f}"
    suffix = unit if unit == "%" else f" {unit}"
    # Compared as written: numbers that differ in later digits only are equal here.
    if low == high:
        return f"{low}{suffix}"
    return f"{low} to {high}{suffix}"
