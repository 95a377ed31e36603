"""Q4: what each treasury pays for fabs, what share of its GDP that is, and how much capacity it gets for it."""

from __future__ import annotations

from typing import Any

import pandas as pd

from chipmodel.cases.case import Case, load_case
from chipmodel.cases.levers import case_at
from chipmodel.common.text import billion, listed, number, percent
from chipmodel.dataset.rows import MacroRow, RegionRow
from chipmodel.display import style
from chipmodel.policies.guardrail import Guardrail
from chipmodel.policies.support import Support
from chipmodel.questions.answer import Answer, Figure, Table
from chipmodel.questions.shared import how_sure
from chipmodel.results.metrics import evaluate
from chipmodel.results.summary import Summary
from chipmodel.studies.case_cache import CaseCache
from chipmodel.studies.plan import Cell

TITLE = "What does each treasury pay for fabs, and what does it get?"


ASKS = (
    "In 2024 Japan was said to outspend the United States on chip subsidies as a share"
    " of GDP. What does each treasury pay under current law, what share of GDP is that,"
    " and how many wafers a month does a billion dollars buy, on average and at the"
    " margin?"
)


METHOD = (
    "Current law is solved with all support, without the support of one treasury at a"
    " time (and what is asked in return for it), and with that support cut by a fifth."
    " Average: capacity the whole support adds over its cash. Marginal: capacity the"
    " last fifth adds over the cash it takes. Loans and shares count at their grant"
    " equivalent; spending before the base year and support of design and research are"
    " left out."
)


REFERENCE = "current_law"


CUT = 0.2
"""Part of the support taken away to see what the last of it buys."""


SIZES = ("share", "rate", "budget", "amount")
"""Numbers that size a support."""


LEAST = 1.0
"""Cash below this, MUSD, is no spending."""


def cells(cache: CaseCache, short: bool) -> list[Cell]:
    """Current law, and for each treasury that pays, without its support and with a fifth less."""
    base = load_case(REFERENCE, cache.data)
    cases = [
        base,
        *(
            case
            for region in _payers(base, cache, short)
            for case in (without(base, region), less(base, region))
        ),
    ]
    return [cache.cell(case) for case in cases]


def answer(cache: CaseCache, short: bool) -> Answer:
    """Return the ledger, its figure and what it says."""
    base = load_case(REFERENCE, cache.data)
    full = cache.summary(base)
    rows = [
        _row(
            full,
            cache.summary(without(base, region)),
            cache.summary(less(base, region)),
            region,
            _gdp(cache, region),
        )
        for region in _payers(base, cache, short)
    ]
    frame = pd.DataFrame(rows).sort_values(
        "outlay, % of GDP", ascending=False, ignore_index=True
    )
    years = f"{full.labels.years[0]} to {full.labels.years[-1]}"
    ledger = Table(
        "ledger",
        f"Support of fabs under current law, cash {years}, and the capacity it adds in "
        f"{full.labels.years[-1]} (thousand 300 mm wafers a month)",
        frame,
    )
    picture = Figure(
        "ledger",
        "Who pays most for its size, and what a billion buys",
        ledger.name,
        _alt(frame),
        draw,
    )
    how = how_sure(
        cache, *((REFERENCE, f"outlay.{region}") for region in frame["region"])
    )
    return Answer((*_finding(frame, full), *how), (ledger,), (picture,))


def without(base: Case, region: str) -> Case:
    """Return a case without the support of a treasury and what it asks in return."""
    kept = tuple(
        p
        for p in base.policies
        if not (isinstance(p, Support | Guardrail) and p.region == region)
    )
    return base.model_copy(
        update={"name": f"{base.name}_without_{region}", "policies": kept}
    )


def less(base: Case, region: str) -> Case:
    """Return a case with a fifth less of the support of a treasury."""
    point = {
        f"{p.id}.{size}": (1.0 - CUT) * value
        for p in base.policies
        if isinstance(p, Support) and p.region == region
        for size in SIZES
        if (value := getattr(p, size, None)) is not None
    }
    return case_at(base, point, base.name).model_copy(
        update={"name": f"{base.name}_less_{region}"}
    )


def _payers(base: Case, cache: CaseCache, short: bool) -> list[str]:
    """Return the treasuries that pay; the first two only, if it is to be short."""
    paying = {
        p.region for p in base.policies if isinstance(p, Support) and not p.inactive
    }
    rows = sorted(cache.data.rows(RegionRow), key=lambda row: row.rank)
    found = [row.region for row in rows if row.region in paying]
    return found[:2] if short else found


def _gdp(cache: CaseCache, region: str) -> tuple[int, float]:
    """Return the last year GDP is known of, and GDP, USD billion."""
    return max(
        (row.year, row.value)
        for row in cache.data.rows(MacroRow)
        if (row.region, row.item) == (region, "gdp")
    )


def _row(
    full: Summary, none: Summary, cut: Summary, region: str, gdp: tuple[int, float]
) -> dict[str, Any]:
    last = full.labels.years[-1]

    def against(other: Summary, metric: str) -> float:
        return evaluate(metric, full) - evaluate(metric, other)

    paid, last_paid = (
        against(none, f"outlay.{region}") / 1000.0,
        against(cut, f"outlay.{region}") / 1000.0,
    )
    added, last_added = (
        against(other, f"capacity.{region}.all.{last}") for other in (none, cut)
    )
    return {
        "region": region,
        "treasury": full.labels.regions[region],
        "outlay, USD bn": paid,
        "GDP, USD bn": gdp[1],
        "year of GDP": gdp[0],
        "outlay, % of GDP": 100.0 * paid / gdp[1],
        "capacity added at home, kwpm": added,
        "capacity added in the world, kwpm": against(none, f"capacity.all.all.{last}"),
        "kwpm per USD bn, average": _ratio(added, paid),
        "kwpm per USD bn, marginal": _ratio(last_added, last_paid),
    }


def _ratio(kwpm: float, billions: float) -> float:
    # Beyond nine decimals a difference of two solves is noise.
    return (
        round(kwpm / billions, 9) + 0.0 if billions > LEAST / 1000.0 else float("nan")
    )


def _finding(frame: pd.DataFrame, full: Summary) -> tuple[str, ...]:
    years = f"{full.labels.years[0]} to {full.labels.years[-1]}"
    paying = frame[frame["outlay, USD bn"] > LEAST / 1000.0]
    if paying.empty:
        return (f"No treasury pays for fabs over {years}.",)
    spent = [
        f"{full.region(row['region'])} {billion(1000.0 * row['outlay, USD bn'])} "
        f"({number(row['outlay, % of GDP'], 2)}% of GDP)"
        for _, row in paying.iterrows()
    ]
    said = [
        f"In the model, the support of current law takes over {years}, in cash:"
        f" {listed(spent)}. GDP is that of one year, the outlay that of"
        f" {len(full.labels.years)}."
    ]
    said += _outspends(frame, full)
    known = paying.dropna(subset=["kwpm per USD bn, average"]).sort_values(
        "kwpm per USD bn, average", ascending=False
    )
    buys = [
        f"{number(row['kwpm per USD bn, average'], 2)} in {full.region(row['region'])} "
        f"(the last fifth {number(row['kwpm per USD bn, marginal'], 2)})"
        for _, row in known.iterrows()
    ]
    said.append(
        "A billion dollars buys, in thousand wafers a month at home in"
        f" {full.labels.years[-1]}: {listed(buys)}. Where much is committed or would be"
        " built anyway, support is paid for what stands without it, and the figure is"
        " low."
    )
    added, world = (
        known["capacity added at home, kwpm"].sum(),
        known["capacity added in the world, kwpm"].sum(),
    )
    if added > 0:
        said.append(
            f"Each taken away alone, the programmes add {number(added, 3)} kwpm at home"
            f" and {number(world, 3)} in the world;"
            f" {percent(max(0.0, 1.0 - world / added))} of what is won at home is lost"
            " abroad. The sums hold one programme at a time and do not tell what all"
            " do together."
        )
    return tuple(said)


def _outspends(frame: pd.DataFrame, full: Summary) -> list[str]:
    """Compare Japan with the United States, if both pay."""
    shares = frame.set_index("region")["outlay, % of GDP"]
    if not {"USA", "JPN"} <= set(shares.index):
        return []
    more = float(shares["JPN"] / shares["USA"]) if shares["USA"] > 0 else float("inf")
    said = "more" if more > 1 else "less"
    return [
        f"As a share of GDP {full.region('JPN')} pays {said} than {full.region('USA')}:"
        f" {number(more, 2)} times as much."
    ]


def _alt(frame: pd.DataFrame) -> str:
    each = "; ".join(
        f"{row['treasury']} {number(row['outlay, % of GDP'], 2)}% of GDP, "
        f"{number(row['kwpm per USD bn, average'], 2)} kwpm per billion on average, "
        f"{number(row['kwpm per USD bn, marginal'], 2)} at the margin"
        for _, row in frame.iterrows()
    )
    return (
        "Bars of outlay as a share of GDP beside dots of capacity per billion dollars,"
        f" by treasury: {each}."
    )


def draw(frame: pd.DataFrame) -> tuple[Any, Any]:
    """Draw outlay as a share of GDP as bars and capacity per billion as dots, a line a treasury."""
    from chipmodel.display.canvas import add_caption as _caption
    from chipmodel.display.canvas import subplots as _subplots

    tall = 1.5 + 0.42 * len(frame)
    fig, axes = _subplots(1, 2, (8.6, tall), sharey=True)
    paint = style.colours(frame["region"])
    for i, (_, row) in enumerate(frame.iterrows()):
        colour = paint[row["region"]]
        share, mean, last = (
            float(row[name])
            for name in (
                "outlay, % of GDP",
                "kwpm per USD bn, average",
                "kwpm per USD bn, marginal",
            )
        )
        axes[0].barh(i, share, height=0.6, color=colour)
        axes[0].annotate(
            f"{number(share, 2)}%",
            (share, i),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
        )
        axes[1].plot([mean, last], [i, i], color=colour, linewidth=1.6, alpha=0.5)
        axes[1].plot(mean, i, "o", color=colour, markersize=7)
        axes[1].plot(last, i, "D", color=colour, markerfacecolor="white", markersize=6)
    axes[0].set_yticks(
        range(len(frame)), [style.plain(name) for name in frame["treasury"]]
    )
    axes[0].set_ylim(len(frame) - 0.4, -0.6)
    axes[0].set_xlim(0, 1.2 * max(float(frame["outlay, % of GDP"].max()), 1e-9))
    axes[0].set_title("Outlay, % of one year's GDP")
    axes[1].set_title("Thousand wafers a month per USD bn")
    axes[1].axvline(0, color=style.FAINT, linewidth=0.9)
    for ax in axes:
        ax.grid(axis="x")
    _caption(
        fig,
        "What treasuries pay for fabs, and what a billion dollars buys",
        "right: dot, average of the whole support; open diamond, its last fifth",
    )
    fig.subplots_adjust(
        left=0.17, right=0.97, top=1.0 - 0.95 / tall, bottom=0.35 / tall, wspace=0.12
    )
    return fig, axes
