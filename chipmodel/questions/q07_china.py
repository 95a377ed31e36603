"""Q7, China: the cost of decoupling, and what a free-trade area changes."""

from __future__ import annotations

from functools import partial
from itertools import product

import pandas as pd

from chipmodel.cases.case import Case
from chipmodel.common.text import percent, with_article
from chipmodel.display import charts, style
from chipmodel.display.canvas import Drawn
from chipmodel.policies.base import Policy
from chipmodel.policies.origin_floor import OriginFloor
from chipmodel.policies.tariff import Tariff
from chipmodel.questions.answer import Answer, Column, Figure, Table, rounded
from chipmodel.questions.shared import (
    BN,
    CASE,
    WORLD,
    Row,
    capacity,
    case_name,
    firms,
    gains_by_region,
    how_sure,
    losses_by_region,
    money,
    records,
    region_columns,
    region_paint,
    result,
    results,
    usd,
    users,
    wafers,
)
from chipmodel.results.summary import Labels
from chipmodel.studies.case_cache import CaseCache
from chipmodel.studies.plan import Cell

TITLE = "China: the cost of decoupling"


ASKS = (
    "What does it cost to use fewer Chinese chips, who bears it, and what if Japan and"
    " Korea do not take part?"
)


METHOD = (
    "From 2030 the share of wafers made in China is capped in everything used in the"
    " United States, Japan, Korea, Taiwan and Europe, in every segment; the cap is"
    " lowered step by step to zero, and again without Japan and Korea. A wafer beyond"
    " it costs USD 20,000. Present values against current law; at zero, prices are not"
    " unique, and the split between regions is known to a few per cent. The free-trade"
    " area is also compared with a duty of 50% on Chinese chips in Japan and Korea, as"
    " the United States levies it. China's responses (gallium, rare earths, assembly,"
    " its purchases) are left out."
)


CHINA = "CHN"


TOGETHER, APART = "together", "apart"


WHO = {TOGETHER: "All five", APART: "Japan and Korea stay out"}


STAY_OUT = ("no_chn_jpn", "no_chn_kor")
"""Rules of the case that do not apply if Japan and Korea stay out."""


SHIPPED = "china_decoupling"


JOINED, AREA = "joint_duty_on_china", "joint_duty_with_cjk_fta"


STEPS = (0.5, 0.4, 0.3, 0.2, 0.1, 0.05, 0.0)
"""Largest share of Chinese wafers, from loose to tight."""


UNCHANGED = 1e-3
"""Money below this, USD bn, is no change."""


def _steps(short: bool) -> list[tuple[str, float]]:
    """Return who decouples, and the largest share of Chinese wafers."""
    if short:
        return [(TOGETHER, 0.2), (TOGETHER, 0.0), (APART, 0.0)]
    return list(product(WHO, STEPS))


def _decoupled(cache: CaseCache, who: str, share: float) -> Case:
    """Return the shipped case with another largest share of Chinese wafers."""
    shipped = cache.case(SHIPPED)
    policies: list[Policy] = []
    for policy in shipped.policies:
        if who == APART and policy.id in STAY_OUT:
            continue
        if isinstance(policy, OriginFloor):
            # The floor is on the share made outside China.
            policies.append(policy.model_copy(update={"share": round(1.0 - share, 6)}))
        else:
            policies.append(policy)
    suffix = "_without_jpn_kor" if who == APART else ""
    name = f"china_at_most_{100 * share:.0f}{suffix}"
    return shipped.model_copy(update={"name": name, "policies": tuple(policies)})


def _joint_duty(cache: CaseCache) -> Case:
    """Return current law with the US duty on Chinese chips in Japan and Korea too."""
    law = cache.case("current_law")
    duty = law.policy("s301_china")
    assert isinstance(duty, Tariff)
    copies = []
    for region in ("JPN", "KOR"):
        fields = {
            "id": f"duty_{region.lower()}",
            "importer": region,
            "layer": "other",
            "source": "own",
            "years": (2028, duty.years[1]),
            "note": "as the United States does",
        }
        copies.append(duty.model_copy(update=fields))
    return law.model_copy(
        update={
            "name": JOINED,
            "status": "hypothetical",
            "policies": (*law.policies, *copies),
        }
    )


def _areas(cache: CaseCache, short: bool) -> list[Case]:
    """Return the free-trade area, the joint duty and, in full, both."""
    area = cache.case("cjk_fta")
    joint = _joint_duty(cache)
    if short:
        return [area, joint]
    both = joint.model_copy(
        update={"name": AREA, "policies": (*joint.policies, area.policy("cjk"))}
    )
    return [area, joint, both]


def cells(cache: CaseCache, short: bool) -> list[Cell]:
    """Return current law, the steps of decoupling and the cases of free trade."""
    steps = [_decoupled(cache, who, share) for who, share in _steps(short)]
    cases = [*steps, *_areas(cache, short)]
    return [cache.cell("current_law"), *(cache.cell(case) for case in cases)]


def _cost_columns(labels: Labels) -> list[Column]:
    return [
        Column("who", "who decouples"),
        Column("share", "largest Chinese share"),
        WORLD,
        *region_columns(labels),
        money("china_users", "gain of users in China"),
        money("china_firms", "gain of Chinese firms"),
        wafers("china_capacity", "Chinese capacity", 0),
        wafers("china_capacity_change", "change in Chinese capacity", 0),
    ]


def answer(cache: CaseCache, short: bool) -> Answer:
    """Return the cost of decoupling by region, and what the free-trade area changes."""
    labels = cache.summary("current_law").labels
    cost_columns = _cost_columns(labels)
    cost_rows = [_cost(cache, who, share) for who, share in _steps(short)]
    costs = rounded(cost_rows, cost_columns)
    area_columns = [CASE, *region_columns(labels), WORLD]
    areas = rounded((_area(cache, case) for case in _areas(cache, short)), area_columns)
    years = f"present value of {labels.years[0]} to {labels.horizon}"
    tables = [
        Table(
            "q07_decoupling",
            f"Cost of using fewer Chinese chips, against current law, {years}"
            " (negative: gain)",
            costs,
            cost_columns,
        ),
        Table(
            "q07_free_trade",
            "Gains of regions against current law from a free-trade area of China,"
            f" Japan and Korea, from a joint duty on Chinese chips, and from both,"
            f" {years}",
            areas,
            area_columns,
        ),
    ]
    last = records(costs[costs["who_id"] == TOGETHER])[-1]
    figure = Figure(
        "q07_decoupling",
        "The cost of decoupling",
        "q07_decoupling",
        "Curves of cost by region over the largest Chinese share; at zero, world"
        f" {last['world']:.1f} USD bn.",
        partial(_draw, regions=labels.regions, years=years),
    )
    metrics = ("welfare.all", "welfare.USA", f"welfare.{CHINA}")
    sure = how_sure(cache, (SHIPPED,), metrics)
    return Answer((*finding(costs, areas, labels.regions), *sure), tables, [figure])


def _cost(cache: CaseCache, who: str, share: float) -> Row:
    summary = cache.summary(_decoupled(cache, who, share))
    base = cache.summary("current_law")
    return {
        "who_id": who,
        "who": WHO[who],
        "share": share,
        **losses_by_region(summary, base),
        "china_users": users(summary, base, CHINA) / BN,
        "china_firms": firms(summary, base, CHINA) / BN,
        "china_capacity": capacity(summary, CHINA),
        "china_capacity_change": capacity(summary, CHINA) - capacity(base, CHINA),
    }


def _area(cache: CaseCache, case: Case) -> Row:
    summary = cache.summary(case)
    gains = gains_by_region(summary, cache.summary("current_law"))
    return {"case": case_name(summary.case.name), **gains}


def _draw(table: pd.DataFrame, regions: dict[str, str], years: str) -> Drawn:
    names = {**regions, WORLD.key: WORLD.label}
    paint = region_paint(regions)
    together = table[table["who_id"] == TOGETHER].rename(columns=names)
    curves = together.melt(["share"], [*paint, WORLD.label], "region", "cost")
    # Over the share made outside China the curves rise to the right.
    curves["given_up"] = 1.0 - curves["share"]
    return charts.curves(
        curves,
        x="given_up",
        by="region",
        panels={"cost": ""},
        percent=True,
        paint={**paint, WORLD.label: style.INK},
        ylabel="Cost, USD bn",
        xlabel="Minimum share of chips used that is made outside China, %",
        title="Cost to five places of using fewer Chinese chips",
        note=f"against current law, {years}; below zero: gain",
    )


def finding(
    costs: pd.DataFrame, areas: pd.DataFrame, regions: dict[str, str]
) -> tuple[str, ...]:
    """Return the finding: the cost by step, who bears it, and the free-trade area."""
    together = records(costs[costs["who_id"] == TOGETHER])
    apart = records(costs[costs["who_id"] == APART])
    steps = [f"{usd(row['world'])} at {percent(row['share'])}" for row in together]
    last = together[-1]
    gains = {name: -last[region] for region, name in regions.items()}
    # Gains and losses of all regions, also of those outside the rule.
    worst = min(gains, key=gains.__getitem__)
    best = max(gains, key=gains.__getitem__)
    # In short there are fewer steps without Japan and Korea, so they match by share.
    without = next(row for row in reversed(apart) if row["share"] == last["share"])
    saved = last["world"] - without["world"]
    comparison = "less" if saved > 0 else "more"
    return (
        (
            "Capping the Chinese share of chips used in the five regions costs the"
            f" world {', '.join(steps)}."
        ),
        (
            f"With none left, the United States {result(-last['USA'])}, China"
            f" {result(-last['CHN'])} (its users {results(last['china_users'])}, its"
            f" firms {results(last['china_firms'])}); {with_article(worst)} bears the"
            f" largest loss, while {with_article(best)} {result(gains[best])}."
        ),
        (
            "If Japan and Korea stay out, the same rule in the other three costs the"
            f" world {usd(abs(saved))} {comparison}; the United"
            f" States then {result(-without['USA'])}, Japan {result(-without['JPN'])}"
            f" and South Korea {result(-without['KOR'])}."
        ),
        _free_trade(records(areas), regions),
    )


def _free_trade(areas: list[Row], regions: dict[str, str]) -> str:
    """Return what the free-trade area changes by itself and beside a joint duty."""
    alone, joint, *both = areas
    largest = max(abs(alone[region]) for region in regions)
    change = f"no region by more than {usd(largest)}"
    if largest < UNCHANGED:
        change = "nothing"
    text = (
        f"A free-trade area of China, Japan and Korea by itself changes {change},"
        " because chips are free of duty among them."
    )
    duty = (
        f"a duty of 50% on Chinese chips in Japan and Korea, by which China"
        f" {result(joint[CHINA])}"
    )
    if not both:
        return f"{text} What it could lift is {duty}."
    return f"{text} Combined with {duty}, it leaves China {_left(both[0][CHINA])}."


def _left(gain: float) -> str:
    if abs(gain) < UNCHANGED:
        return "as under current law"
    change = "gain" if gain > 0 else "loss"
    return f"with a {change} of {usd(abs(gain))}"
