"""Q4: what each treasury pays for fabs, its share of GDP, and the capacity it buys."""

from __future__ import annotations

import pandas as pd

from chipmodel.cases.case import Case
from chipmodel.cases.levers import case_at
from chipmodel.common.text import listed, number, percent
from chipmodel.dataset.rows import MacroRow, RegionRow
from chipmodel.display import style
from chipmodel.display.canvas import Drawn, add_caption, subplots
from chipmodel.policies.base import Policy
from chipmodel.policies.guardrail import Guardrail
from chipmodel.policies.support import Support
from chipmodel.questions.answer import Answer, Column, Figure, Table, rounded
from chipmodel.questions.shared import BN, Row, alt_text, how_sure, records, usd
from chipmodel.results.metrics import evaluate
from chipmodel.results.summary import Summary
from chipmodel.studies.case_cache import CaseCache
from chipmodel.studies.plan import Cell

TITLE = "What does each treasury pay for fabs, and what does it get?"


ASKS = (
    "In 2024 Japan was reported to outspend the United States on chip subsidies as a"
    " share of GDP. What does each treasury pay under current law, what share of GDP is"
    " that, and how many wafers a month does a billion dollars buy, on average and at"
    " the margin?"
)


METHOD = (
    "Current law is solved with all subsidies, without those of one treasury at a time"
    " (and the conditions attached to them), and with those subsidies cut by a fifth."
    " Average: capacity added by all its subsidies over their cash. Marginal: capacity"
    " added by the last fifth over its cash. Loans and equity stakes count at their"
    " grant equivalent; spending before the base year and subsidies for design and"
    " research are left out."
)


REFERENCE = "current_law"


CUT = 0.2
"""Share of the subsidies taken away to see what the last of them buys."""


SIZES = ("share", "rate", "budget", "amount")
"""Fields that size an instrument of support."""


SMALLEST = 1e-3
"""Cash below this, USD bn, is no spending."""


LEDGER = (
    Column("region", "region"),
    Column("treasury", "treasury"),
    Column("outlay", "outlay", "USD bn"),
    Column("gdp", "GDP", "USD bn"),
    Column("gdp_year", "year of GDP"),
    Column("outlay_share", "outlay", "% of GDP"),
    Column("added_home", "capacity added at home", "kwpm"),
    Column("added_world", "capacity added in the world", "kwpm"),
    # Beyond nine decimals a ratio of differences of two solves is noise.
    Column("average", "kwpm per USD bn, average", digits=9),
    Column("marginal", "kwpm per USD bn, marginal", digits=9),
)


def cells(cache: CaseCache, short: bool) -> list[Cell]:
    """Return current law, and the two cases of each treasury that pays.

    They are current law without its subsidies and with a fifth less.
    """
    base = cache.case(REFERENCE)
    cases = [base]
    for region in _payers(base, cache, short):
        cases += [without(base, region), less(base, region)]
    return [cache.cell(case) for case in cases]


def answer(cache: CaseCache, short: bool) -> Answer:
    """Return the ledger, its figure and the finding."""
    base = cache.case(REFERENCE)
    full = cache.summary(base)
    rows = []
    for region in _payers(base, cache, short):
        none = cache.summary(without(base, region))
        cut = cache.summary(less(base, region))
        rows.append(_row(full, none, cut, region, _gdp(cache, region)))
    frame = rounded(rows, LEDGER).sort_values(
        "outlay_share", ascending=False, ignore_index=True
    )
    years = f"{full.labels.years[0]} to {full.labels.years[-1]}"
    ledger = Table(
        "ledger",
        f"Subsidies for fabs under current law, cash {years}, and the capacity they add"
        f" in {full.labels.years[-1]} (thousand 300 mm wafers a month)",
        frame,
        LEDGER,
    )
    figure = Figure(
        "ledger",
        "Who pays most relative to GDP, and what a billion buys",
        ledger.name,
        _alt(frame),
        draw,
    )
    metrics = [f"outlay.{region}" for region in frame["region"]]
    sure = how_sure(cache, (REFERENCE,), metrics)
    return Answer((*_finding(frame, full), *sure), (ledger,), (figure,))


def without(base: Case, region: str) -> Case:
    """Return a case without the subsidies of a treasury and their conditions."""

    # A guardrail without the award it is attached to would bind for nothing in return.
    def of_region(policy: Policy) -> bool:
        return isinstance(policy, Support | Guardrail) and policy.region == region

    rest = tuple(policy for policy in base.policies if not of_region(policy))
    return base.model_copy(
        update={"name": f"{base.name}_without_{region}", "policies": rest}
    )


def less(base: Case, region: str) -> Case:
    """Return a case with the subsidies of a treasury cut by a fifth."""
    levers = {}
    for policy in base.policies:
        # Each instrument has one or two of the fields that size it.
        if not (isinstance(policy, Support) and policy.region == region):
            continue
        for size in SIZES:
            value = getattr(policy, size, None)
            if value is not None:
                levers[f"{policy.id}.{size}"] = (1.0 - CUT) * value
    return case_at(base, levers, base.name).model_copy(
        update={"name": f"{base.name}_less_{region}"}
    )


def _payers(base: Case, cache: CaseCache, short: bool) -> list[str]:
    """Return the treasuries that pay, in order of rank; in short the first two."""
    paying = set()
    for policy in base.policies:
        if isinstance(policy, Support) and not policy.inactive:
            paying.add(policy.region)
    rows = sorted(cache.data.rows(RegionRow), key=lambda row: row.rank)
    payers = [row.region for row in rows if row.region in paying]
    if short:
        return payers[:2]
    return payers


def _gdp(cache: CaseCache, region: str) -> tuple[int, float]:
    """Return the last year for which GDP is known, and its GDP, USD bn."""
    known = []
    for row in cache.data.rows(MacroRow):
        if (row.region, row.item) == (region, "gdp"):
            known.append((row.year, row.value))
    return max(known)


def _row(
    full: Summary, none: Summary, cut: Summary, region: str, gdp: tuple[int, float]
) -> Row:
    last = full.labels.years[-1]

    def against(other: Summary, metric: str) -> float:
        return evaluate(metric, full) - evaluate(metric, other)

    paid = against(none, f"outlay.{region}") / BN
    # The case with a fifth less is subtracted, so this is what the last fifth costs.
    last_paid = against(cut, f"outlay.{region}") / BN
    added = against(none, f"capacity.{region}.all.{last}")
    last_added = against(cut, f"capacity.{region}.all.{last}")
    gdp_year, gdp_bn = gdp
    return {
        "region": region,
        "treasury": full.labels.regions[region],
        "outlay": paid,
        "gdp": gdp_bn,
        "gdp_year": gdp_year,
        "outlay_share": 100.0 * paid / gdp_bn,
        "added_home": added,
        "added_world": against(none, f"capacity.all.all.{last}"),
        "average": _ratio(added, paid),
        "marginal": _ratio(last_added, last_paid),
    }


def _ratio(kwpm: float, billions: float) -> float:
    # Where hardly anything is paid, the ratio is noise.
    return kwpm / billions if billions > SMALLEST else float("nan")


def _finding(frame: pd.DataFrame, full: Summary) -> tuple[str, ...]:
    last = full.labels.years[-1]
    years = f"{full.labels.years[0]} to {last}"
    paying = frame[frame["outlay"] > SMALLEST]
    if paying.empty:
        return (f"No treasury pays for fabs over {years}.",)
    outlays = []
    for row in records(paying):
        place, share = full.region(row["region"]), number(row["outlay_share"], 2)
        outlays.append(f"{place} {usd(row['outlay'])} ({share}% of GDP)")
    known = paying.dropna(subset=["average"]).sort_values("average", ascending=False)
    ratios = []
    for row in records(known):
        average, marginal = number(row["average"], 2), number(row["marginal"], 2)
        place = full.region(row["region"])
        ratios.append(f"{average} in {place} (the last fifth {marginal})")
    sentences = [
        (
            "In the model, treasuries pay for fabs under current law, in cash over"
            f" {years}: {listed(outlays)}. The outlay is that of"
            f" {len(full.labels.years)} years, GDP that of one."
        ),
        *_outspends(frame, full),
        (
            "A billion dollars buys, in thousand wafers a month at home in"
            f" {last}: {listed(ratios)}. Where much capacity is committed or would be"
            " built anyway, subsidies also pay for capacity that does not depend on"
            " them, and the figure is low."
        ),
    ]
    home, world = known["added_home"].sum(), known["added_world"].sum()
    if home > 0:
        # Where subsidies add more in the world than at home, nothing is displaced.
        displaced = max(0.0, 1.0 - world / home)
        sentences.append(
            "Taken one treasury at a time, subsidies add"
            f" {number(home, 3)} kwpm at home and {number(world, 3)} in the world in"
            f" total; {percent(displaced)} of the capacity gained at home is lost"
            " abroad. These sums do not show the joint effect of all subsidies."
        )
    return tuple(sentences)


def _outspends(frame: pd.DataFrame, full: Summary) -> list[str]:
    """Compare Japan with the United States, if both pay."""
    shares = frame.set_index("region")["outlay_share"]
    if not {"USA", "JPN"} <= set(shares.index):
        return []
    ratio = float("inf")
    if shares["USA"] > 0:
        ratio = float(shares["JPN"] / shares["USA"])
    comparison = "more" if ratio > 1 else "less"
    return [
        f"As a share of GDP {full.region('JPN')} pays {comparison} than"
        f" {full.region('USA')}: {number(ratio, 2)} times as much."
    ]


def _alt(frame: pd.DataFrame) -> str:
    treasuries = []
    for row in records(frame):
        treasuries.append(
            f"{row['treasury']} {number(row['outlay_share'], 2)}% of GDP,"
            f" {number(row['average'], 2)} kwpm per billion on average,"
            f" {number(row['marginal'], 2)} at the margin"
        )
    return alt_text(
        "Bars of outlay as a share of GDP beside dots of capacity per billion dollars,"
        " by treasury:",
        treasuries,
    )


def draw(frame: pd.DataFrame) -> Drawn:
    """Draw outlay over GDP as bars and capacity per billion as dots, by treasury."""
    height = 1.5 + 0.42 * len(frame)
    fig, (bars, dots) = subplots(1, 2, (8.6, height), sharey=True)
    paint = style.colours(frame["region"])
    for y, row in enumerate(records(frame)):
        colour = paint[row["region"]]
        share, average, marginal = row["outlay_share"], row["average"], row["marginal"]
        bars.barh(y, share, height=0.6, color=colour)
        bars.annotate(
            f"{number(share, 2)}%",
            (share, y),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
        )
        dots.plot([average, marginal], [y, y], color=colour, linewidth=1.6, alpha=0.5)
        dots.plot(average, y, "o", color=colour, markersize=7)
        dots.plot(marginal, y, "D", color=colour, markerfacecolor="white", markersize=6)
    names = [style.plain(name) for name in frame["treasury"]]
    bars.set_yticks(range(len(frame)), names)
    bars.set_ylim(len(frame) - 0.4, -0.6)
    # Some space at the right for the numbers beside the bars.
    bars.set_xlim(0, 1.2 * max(float(frame["outlay_share"].max()), 1e-9))
    bars.set_title("Outlay, % of one year's GDP")
    dots.set_title("Thousand wafers a month per USD bn")
    dots.axvline(0, color=style.FAINT, linewidth=0.9)
    for axes in (bars, dots):
        axes.grid(axis="x")
    add_caption(
        fig,
        "What treasuries pay for fabs, and what a billion dollars buys",
        "right: dot, average of all subsidies; open diamond, the last fifth of them",
    )
    fig.subplots_adjust(
        left=0.17,
        right=0.97,
        top=1.0 - 0.95 / height,
        bottom=0.35 / height,
        wspace=0.12,
    )
    return fig, (bars, dots)
