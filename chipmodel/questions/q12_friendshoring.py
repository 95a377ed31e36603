"""Q12, friendshoring: what it costs to buy chips from trusted regions only."""

from __future__ import annotations

from functools import partial
from itertools import product

import pandas as pd

from chipmodel.cases.case import Case
from chipmodel.common.text import lower, percent
from chipmodel.display import charts
from chipmodel.display.canvas import Drawn
from chipmodel.policies.concentration_cap import ConcentrationCap
from chipmodel.policies.origin_floor import OriginFloor
from chipmodel.questions.answer import Answer, Column, Figure, Table, rounded
from chipmodel.questions.shared import (
    BN,
    WORLD,
    Row,
    alt_text,
    gain,
    how_sure,
    money,
    records,
    result,
    results,
    usd,
    users,
)
from chipmodel.results.metrics import ALL
from chipmodel.results.summary import Summary
from chipmodel.studies.case_cache import CaseCache
from chipmodel.studies.plan import Cell

TITLE = "Friendshoring: what trust costs"


ASKS = (
    "What does it cost to limit US use of chips to trusted origins, or to a maximum"
    " share from any one origin?"
)


METHOD = (
    "From 2030 a minimum share of the wafers of every segment in everything used in the"
    " United States, devices included, comes from a trusted set of regions (or a"
    " maximum share of leading-edge logic from any one foreign region); a wafer short"
    " of the rule costs USD 20,000. Costs are present values against current law, over"
    " all years solved; part of them is the cost of keeping origins separate. That a"
    " trusted origin can be lost too is left out."
)


MARKET = "USA"


HOME_ONLY, NARROW, WIDE = "home_only", "allies_less_taiwan", "allies"


CAP = "no_origin_above"


RULES = {
    HOME_ONLY: "Home only",
    NARROW: "Allies less Taiwan",
    WIDE: "Allies",
    CAP: "No origin above",
}


TRUSTED = {
    HOME_ONLY: ("USA",),
    NARROW: ("USA", "JPN", "KOR", "EUR"),
    WIDE: ("USA", "JPN", "KOR", "TWN", "EUR"),
}


SHIPPED = "friendshore_80"


COSTS = (
    Column("rule", "rule"),
    Column("share", "share"),
    WORLD,
    money("home", "United States"),
    money("users", "American users"),
    money("fines", "fines"),
)


FLOORS = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)


CAPS = (0.8, 0.7, 0.6, 0.5, 0.4, 0.3)


MINIMUM_SHARE = "Minimum share from the trusted set, %"


def _steps(short: bool) -> list[tuple[str, float]]:
    """Return rules and their shares, from loose to tight."""
    if short:
        narrow = [(NARROW, share) for share in (0.8, 1.0)]
        return [*narrow, *((WIDE, share) for share in (0.6, 0.8, 1.0))]
    floors = product(TRUSTED, FLOORS)
    return [*floors, *((CAP, share) for share in CAPS)]


def _case(cache: CaseCache, rule: str, share: float) -> Case:
    """Return current law with a rule of origin on US use."""
    law = cache.case("current_law")
    # Years, fine and scope are those of the shipped rule; only set and share differ.
    shipped = cache.case(SHIPPED).policy("friends")
    assert isinstance(shipped, OriginFloor)
    policy: OriginFloor | ConcentrationCap
    if rule == CAP:
        policy = ConcentrationCap(
            id="spread",
            market=MARKET,
            segments=(cache.data.leading_segment,),
            share=share,
            on="use",
            price_cap=shipped.price_cap,
            years=shipped.years,
            source="own",
        )
    else:
        policy = shipped.model_copy(update={"trusted": TRUSTED[rule], "share": share})
    return law.model_copy(
        update={
            "name": f"{rule}_{100 * share:.0f}",
            "status": "hypothetical",
            "policies": (*law.policies, policy),
        }
    )


def cells(cache: CaseCache, short: bool) -> list[Cell]:
    """Return current law, the shipped rule and a case for every share of every rule."""
    cases = [_case(cache, rule, share) for rule, share in _steps(short)]
    named = [cache.cell("current_law"), cache.cell(SHIPPED)]
    return [*named, *(cache.cell(case) for case in cases)]


def answer(cache: CaseCache, short: bool) -> Answer:
    """Return the cost of each rule, and what a trusted wafer is worth."""
    base = cache.summary("current_law")
    labels = base.labels
    year = labels.years[-1]
    cost_rows: list[Row] = []
    price_rows: list[Row] = []
    for rule, share in _steps(short):
        summary = cache.summary(_case(cache, rule, share))
        cost_rows.append(_cost(rule, share, summary, base))
        # With nothing but trusted wafers the worth of one more is anything up to the
        # fine, so it is no price.
        if rule != CAP and share < 1:
            price_rows.append(_prices(rule, share, summary, year))
    costs = rounded(cost_rows, COSTS)
    price_columns = [
        Column("rule", "trusted set"),
        Column("share", "share"),
        *(
            Column(segment, base.segment(segment), digits=1)
            for segment in labels.segments
        ),
    ]
    prices = rounded(price_rows, price_columns)
    tables = [
        Table(
            "q12_cost",
            "Cost of a rule of origin on US use against current law; present value of"
            f" {labels.years[0]} to {labels.horizon}",
            costs,
            COSTS,
        ),
        Table(
            "q12_price_of_trust",
            f"Value of one more trusted wafer in {year}, by segment, USD per wafer; not"
            " unique at 100%",
            prices,
            price_columns,
        ),
    ]
    figures = _figures(costs, prices, base)
    metrics = (f"cost.buyers.{MARKET}", f"welfare.{MARKET}", "welfare.all")
    sure = how_sure(cache, (SHIPPED,), metrics)
    return Answer((*finding(costs, prices, base), *sure), tables, figures)


def _figures(costs: pd.DataFrame, prices: pd.DataFrame, base: Summary) -> list[Figure]:
    """Return the curves of cost and of the price of trust; in full also of the cap."""
    figures = [
        Figure(
            "q12_cost",
            "The cost of friendshoring",
            "q12_cost",
            _alt_cost(costs[costs["rule_id"] != CAP]),
            partial(
                _draw_costs,
                caps=False,
                xlabel=MINIMUM_SHARE,
                title="Cost of limiting US use to trusted origins",
            ),
        ),
        Figure(
            "q12_price_of_trust",
            "The price of trust",
            "q12_price_of_trust",
            "Price of a trusted wafer by segment and share, for"
            f" {RULES[_widest(prices)]}.",
            partial(
                _draw_prices,
                segments=base.labels.segments,
                year=base.labels.years[-1],
            ),
        ),
    ]
    capped = costs[costs["rule_id"] == CAP]
    if not capped.empty:
        points = [
            f"{percent(row['share'])} {row['world']:.1f}" for row in records(capped)
        ]
        draw_caps = partial(
            _draw_costs,
            caps=True,
            xlabel="Maximum share of any one foreign region in leading logic, %",
            title="Cost of not depending on one region for leading logic",
        )
        figures.append(
            Figure(
                "q12_caps",
                "The cost of diversification",
                "q12_cost",
                alt_text("Curve of cost over the cap, USD bn:", points),
                draw_caps,
            )
        )
    return figures


def _cost(rule: str, share: float, summary: Summary, base: Summary) -> Row:
    fines = 0.0
    for (account, _, region, year), value in summary.lines.items():
        if (account, region) == ("fine", MARKET):
            fines += value * summary.discount[year]
    return {
        "rule_id": rule,
        "rule": RULES[rule],
        "share": share,
        "world": -gain(summary, base, ALL) / BN,
        "home": -gain(summary, base, MARKET) / BN,
        "users": -users(summary, base, MARKET) / BN,
        "fines": fines / BN,
    }


def _prices(rule: str, share: float, summary: Summary, year: int) -> Row:
    prices = {}
    for segment in summary.labels.segments:
        # Zero where the rule does not bind.
        prices[segment] = summary.floors.get(("friends", segment, year), 0.0)
    return {"rule_id": rule, "rule": RULES[rule], "share": share, **prices}


def _widest(prices: pd.DataFrame) -> str:
    """Return the rule whose prices are drawn: the widest trusted set, if solved."""
    rules = list(prices["rule_id"])
    if WIDE in rules:
        return WIDE
    return str(rules[-1])


def _draw_costs(table: pd.DataFrame, caps: bool, xlabel: str, title: str) -> Drawn:
    return charts.curves(
        table[(table["rule_id"] == CAP) == caps],
        x="share",
        by="rule",
        percent=True,
        xlabel=xlabel,
        panels={"world": "World", "home": "United States"},
        title=title,
        ylabel="Cost, USD bn, present value",
        note="against current law; US use, devices included, from 2030",
    )


def _draw_prices(table: pd.DataFrame, segments: dict[str, str], year: int) -> Drawn:
    rule = _widest(table)
    part = table[table["rule_id"] == rule]
    # The full name of this segment is too long for the end of a curve.
    names = {
        segment: name.removesuffix(", optoelectronics and sensors")
        for segment, name in segments.items()
    }
    curves = part.rename(columns=names).melt(
        ["share"], list(names.values()), "segment", "price"
    )
    return charts.curves(
        curves,
        x="share",
        by="segment",
        panels={"price": ""},
        percent=True,
        ylabel="USD per wafer",
        xlabel=MINIMUM_SHARE,
        title=f"The price of a trusted wafer in {year}",
        note=f"trusted set: {lower(RULES[rule])}; value of one more wafer from it",
    )


def _alt_cost(costs: pd.DataFrame) -> str:
    ends = []
    for rule, part in costs.groupby("rule", sort=False):
        last = records(part)[-1]
        ends.append(
            f"{lower(str(rule))} at {percent(last['share'])}: world"
            f" {last['world']:.1f}, United States {last['home']:.1f}"
        )
    return alt_text(
        "Curves of cost over the minimum trusted share, USD bn of present value; at"
        " their ends,",
        ends,
    )


def finding(
    costs: pd.DataFrame, prices: pd.DataFrame, base: Summary
) -> tuple[str, ...]:
    """Return the finding: the cost by trusted set, the price of trust and the cap."""
    floors = costs[costs["rule_id"] != CAP]
    sentences = []
    for rule, part in floors.groupby("rule_id", sort=False):
        sentences.append(_floor(str(rule), records(part)))
    # The last row below 100%, where the price is still unique.
    tightest = records(prices[prices["rule_id"] == _widest(prices)])[-1]
    by_segment = {segment: tightest[segment] for segment in base.labels.segments}
    top = max(by_segment, key=by_segment.__getitem__)
    sentences.append(
        f"The price of trust is highest in {lower(base.segment(top))}: at"
        f" {percent(tightest['share'])} from {lower(tightest['rule'])}, one more"
        f" trusted wafer is worth USD {by_segment[top]:,.0f} in"
        f" {base.labels.years[-1]}, against USD {min(by_segment.values()):,.0f} in the"
        " segment where it is lowest."
    )
    capped = records(costs[costs["rule_id"] == CAP])
    if capped:
        loose, tight = capped[0], capped[-1]
        sentences.append(
            "A cap on leading logic from any one foreign region costs the world"
            f" {usd(loose['world'])} at {percent(loose['share'])} and"
            f" {usd(tight['world'])} at {percent(tight['share'])}."
        )
    return tuple(sentences)


def _floor(rule: str, rows: list[Row]) -> str:
    """Return what a trusted set costs at its lowest, a middle and its highest share."""
    # A set, because with few rows the three are not all different.
    chosen = sorted({0, len(rows) // 2, len(rows) - 1})
    steps = []
    for place in chosen:
        cost, share = usd(rows[place]["world"]), percent(rows[place]["share"])
        steps.append(f"{cost} at {share}")
    last = rows[-1]
    trusted = lower(RULES[rule])
    if rule == HOME_ONLY:
        trusted = "home alone"
    return (
        f"With {trusted} as the trusted set, the rule costs the world"
        f" {', '.join(steps)}; in the last the United States {result(-last['home'])}"
        f" and all others together {results(last['home'] - last['world'])}."
    )
