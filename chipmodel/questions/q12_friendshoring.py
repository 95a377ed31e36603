"""Q12, friendshoring: what it costs to buy chips from friends only."""

from __future__ import annotations

from functools import partial

import pandas as pd

from chipmodel.cases.case import Case
from chipmodel.common.text import billion, lower, percent
from chipmodel.display import charts
from chipmodel.display.canvas import Drawn
from chipmodel.policies.concentration_cap import ConcentrationCap
from chipmodel.policies.origin_floor import OriginFloor
from chipmodel.questions.answer import Answer, Figure, Table
from chipmodel.questions.shared import (
    gain,
    how_sure,
    in_billions,
    result,
    results,
    users,
)
from chipmodel.results.summary import Summary
from chipmodel.studies.case_cache import CaseCache
from chipmodel.studies.plan import Cell

TITLE = "Friendshoring: what trust costs"


ASKS = (
    "What does it cost to hold American use of chips to trusted origins, or to no more"
    " than a share from any one?"
)


METHOD = (
    "From 2030 at least a share of the wafers of every segment in everything used in"
    " the United States, devices included, comes from a trusted set (or at most a share"
    " of leading logic from any one foreign region); a wafer short of the rule costs"
    " USD 20,000. Costs are present values against current law, over all years solved;"
    " part of them is the cost of telling origins apart. That a trusted origin can be"
    " lost too is left out."
)


MARKET = "USA"


SETS = {
    "Home only": ("USA",),
    "Allies less Taiwan": ("USA", "JPN", "KOR", "EUR"),
    "Allies": ("USA", "JPN", "KOR", "TWN", "EUR"),
}


SHIPPED = "friendshore_80"


CAP = "No origin above"


WORLD, HOME, BUYERS = "World, USD bn", "United States, USD bn", "American users, USD bn"


def _steps(short: bool) -> dict[str, tuple[float, ...]]:
    if short:
        return {"Allies less Taiwan": (0.8, 1.0), "Allies": (0.6, 0.8, 1.0)}
    return {
        **dict.fromkeys(SETS, (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)),
        CAP: (0.8, 0.7, 0.6, 0.5, 0.4, 0.3),
    }


def _case(cache: CaseCache, rule: str, share: float) -> Case:
    law, model = (
        cache.cell("current_law").case,
        cache.cell(SHIPPED).case.policy("friends"),
    )
    assert isinstance(model, OriginFloor)
    policy: OriginFloor | ConcentrationCap
    if rule == CAP:
        policy = ConcentrationCap(
            id="spread",
            market=MARKET,
            segments=(cache.data.leading_segment,),
            share=share,
            on="use",
            price_cap=model.price_cap,
            years=model.years,
            source="own",
        )
    else:
        policy = model.model_copy(update={"trusted": SETS[rule], "share": share})
    name = f"{rule.lower().replace(' ', '_')}_{100 * share:.0f}"
    return law.model_copy(
        update={
            "name": name,
            "status": "hypothetical",
            "policies": (*law.policies, policy),
        }
    )


def cells(cache: CaseCache, short: bool) -> list[Cell]:
    """Return current law and a case for every share of every rule."""
    return [
        cache.cell("current_law"),
        cache.cell(SHIPPED),
        *(
            cache.cell(_case(cache, rule, share))
            for rule, shares in _steps(short).items()
            for share in shares
        ),
    ]


def answer(cache: CaseCache, short: bool) -> Answer:
    """Answer it."""
    base = cache.summary("current_law")
    found = [
        (rule, share, cache.summary(_case(cache, rule, share)))
        for rule, shares in _steps(short).items()
        for share in shares
    ]
    year = base.labels.years[-1]
    costs = in_billions(
        pd.DataFrame([_cost(rule, share, own, base) for rule, share, own in found])
    )
    # With nothing but trusted wafers the worth of one more is anything up to the fine,
    # so it is no price.
    prices = pd.DataFrame(
        [
            _price(rule, share, own, year)
            for rule, share, own in found
            if rule != CAP and share < 1
        ]
    )
    floors = costs[costs["rule"] != CAP]
    tables = [
        Table(
            "q12_cost",
            "What a rule of origin on American use costs against current law; present"
            f" value of {base.labels.years[0]} to {base.labels.horizon}",
            costs,
        ),
        Table(
            "q12_price_of_trust",
            f"What one more trusted wafer is worth in {year}, by segment, USD per "
            "wafer; at 100% it is not unique",
            prices,
        ),
    ]
    segments = {base.segment(s): base.segment(s) for s in base.labels.segments}
    figures = [
        Figure(
            "q12_cost",
            "The cost of friendshoring",
            "q12_cost",
            _alt_cost(floors),
            partial(
                _draw_costs,
                caps=False,
                xlabel="Least share from the trusted set, %",
                title="What it costs to hold American use to trusted origins",
            ),
        ),
        Figure(
            "q12_price_of_trust",
            "The price of trust",
            "q12_price_of_trust",
            f"Price of a trusted wafer by segment and share, for {_tightest(prices)}.",
            partial(_draw_prices, names=tuple(segments), year=year),
        ),
    ]
    capped = costs[costs["rule"] == CAP]
    if not capped.empty:
        figures.append(
            Figure(
                "q12_caps",
                "The cost of diversification",
                "q12_cost",
                "Curve of cost over the cap, USD bn: "
                + "; ".join(
                    f"{percent(r['share'])} {r[WORLD]:.1f}"
                    for _, r in capped.iterrows()
                )
                + ".",
                partial(
                    _draw_costs,
                    caps=True,
                    xlabel=(
                        "Largest share of any one foreign region in leading logic, %"
                    ),
                    title="What it costs not to depend on one region for leading logic",
                ),
            )
        )
    how = how_sure(
        cache,
        *(
            (SHIPPED, metric)
            for metric in (f"cost.buyers.{MARKET}", f"welfare.{MARKET}", "welfare.all")
        ),
    )
    return Answer((*finding(costs, prices, base), *how), tables, figures)


def _cost(rule: str, share: float, own: Summary, base: Summary) -> dict[str, object]:
    return {
        "rule": rule,
        "share": share,
        **{
            name: -gain(own, base, region) / 1000.0
            for name, region in ((WORLD, "all"), (HOME, MARKET))
        },
        BUYERS: -users(own, base, MARKET) / 1000.0,
        "fines, USD bn": (
            sum(
                v * own.discount[t]
                for (a, _, r, t), v in own.lines.items()
                if a == "fine" and r == MARKET
            )
            / 1000.0
        ),
    }


def _price(rule: str, share: float, own: Summary, year: int) -> dict[str, object]:
    return {
        "trusted set": rule,
        "share": share,
        **{
            own.segment(s): round(own.floors.get(("friends", s, year), 0.0), 1) + 0.0
            for s in own.labels.segments
        },
    }


def _tightest(prices: pd.DataFrame) -> str:
    """Return the set drawn: the wide one if it is there."""
    names = list(dict.fromkeys(prices["trusted set"]))
    return "Allies" if "Allies" in names else str(names[-1])


def _draw_costs(table: pd.DataFrame, caps: bool, xlabel: str, title: str) -> Drawn:
    return charts.curves(
        table[(table["rule"] == CAP) == caps],
        x="share",
        by="rule",
        percent=True,
        xlabel=xlabel,
        panels={WORLD: "World", HOME: "United States"},
        title=title,
        ylabel="Cost, USD bn, present value",
        note="against current law; what Americans use, devices included, from 2030",
    )


def _draw_prices(table: pd.DataFrame, names: tuple[str, ...], year: int) -> Drawn:
    chosen = _tightest(table)
    part = table[table["trusted set"] == chosen].melt(
        ["share"], list(names), "segment", "price"
    )
    part["segment"] = part["segment"].replace(
        {"Discrete, analog, optoelectronics and sensors": "Discrete, analog"}
    )
    return charts.curves(
        part,
        x="share",
        by="segment",
        panels={"price": ""},
        percent=True,
        ylabel="USD per wafer",
        xlabel="Least share from the trusted set, %",
        title=f"The price of a trusted wafer in {year}",
        note=f"trusted set: {lower(chosen)}; what one more wafer from it is worth",
    )


def _alt_cost(costs: pd.DataFrame) -> str:
    ends = "; ".join(
        f"{lower(str(rule))} at {percent(part['share'].iloc[-1])}: world"
        f" {part[WORLD].iloc[-1]:.1f}, United States {part[HOME].iloc[-1]:.1f}"
        for rule, part in costs.groupby("rule", sort=False)
    )
    return (
        "Curves of cost over the least trusted share, USD bn of present value; at"
        f" their ends, {ends}."
    )


def finding(
    costs: pd.DataFrame, prices: pd.DataFrame, base: Summary
) -> tuple[str, ...]:
    """Say what the tables hold."""
    said = []
    for rule, part in costs[costs["rule"] != CAP].groupby("rule", sort=False):
        rows = [part.iloc[k] for k in sorted({0, len(part) // 2, len(part) - 1})]
        steps = ", ".join(
            f"{billion(1000.0 * r[WORLD])} at {percent(r['share'])}" for r in rows
        )
        last = rows[-1]
        trusted = "home alone" if rule == "Home only" else lower(str(rule))
        said.append(
            f"With {trusted} as the trusted set, the rule costs the world {steps}; in"
            f" the last the United States {result(-1000.0 * last[HOME])} and all others"
            f" together {results(1000.0 * (last[HOME] - last[WORLD]))}."
        )
    dear = prices[prices["trusted set"] == _tightest(prices)].iloc[-1]
    by_segment = {s: float(dear[base.segment(s)]) for s in base.labels.segments}
    top = max(by_segment, key=lambda s: by_segment[s])
    said.append(
        f"The price of trust is highest in {lower(base.segment(top))}: at"
        f" {percent(float(dear['share']))} from {lower(str(dear['trusted set']))}, one"
        f" more trusted wafer is worth USD {by_segment[top]:,.0f} in"
        f" {base.labels.years[-1]}, against USD {min(by_segment.values()):,.0f} where"
        " it is least."
    )
    capped = costs[costs["rule"] == CAP]
    if not capped.empty:
        loose, tight = capped.iloc[0], capped.iloc[-1]
        said.append(
            "A cap on leading logic from any one foreign region costs the world "
            f"{billion(1000.0 * loose[WORLD])} at {percent(loose['share'])} and "
            f"{billion(1000.0 * tight[WORLD])} at {percent(tight['share'])}."
        )
    return tuple(said)
