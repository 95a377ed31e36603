"""Q7, China: what detaching from its fabs costs, and what a free-trade area of its neighbours changes."""

from __future__ import annotations

from functools import partial

import pandas as pd

from chipmodel.cases.case import Case
from chipmodel.common.text import billion, percent, with_article
from chipmodel.display import charts, style
from chipmodel.display.canvas import Drawn
from chipmodel.policies.origin_floor import OriginFloor
from chipmodel.policies.tariff import Tariff
from chipmodel.questions.answer import Answer, Figure, Table
from chipmodel.questions.shared import (
    capacity,
    firms,
    gain,
    how_sure,
    in_billions,
    result,
    results,
    spoken,
    users,
)
from chipmodel.studies.case_cache import CaseCache
from chipmodel.studies.plan import Cell

TITLE = "China: the cost of decoupling"


ASKS = (
    "What does it cost to use fewer Chinese chips, who bears it, and what if Japan and"
    " Korea do not join in?"
)


METHOD = (
    "From 2030 at most a share of the wafers in everything used in the United States,"
    " Japan, Korea, Taiwan and Europe is made in China, in every segment, lowered step"
    " by step to none; then the same with Japan and Korea outside. A wafer beyond costs"
    " USD 20,000. Present values against current law; with none left prices are not"
    " unique, and the split between regions is known to a few per cent. The free-trade"
    " area is also put beside a duty of 50% that Japan and Korea would levy on Chinese"
    " chips as the United States does. China's answers (gallium, rare earths, assembly,"
    " what it buys) are left out."
)


TOGETHER, APART = "All five", "Japan and Korea stay out"


STAY_OUT = ("no_chn_jpn", "no_chn_kor")


CHINA, ROOM = "CHN", "largest Chinese share"


THEIR_USERS, THEIR_FIRMS = (
    "gain of users in China, USD bn",
    "gain of Chinese firms, USD bn",
)


SHIPPED = "china_decoupling"


JOINED, AREA = "joint_duty_on_china", "joint_duty_with_cjk_fta"


def _steps(short: bool) -> dict[str, tuple[float, ...]]:
    if short:
        return {TOGETHER: (0.2, 0.0), APART: (0.0,)}
    return dict.fromkeys((TOGETHER, APART), (0.5, 0.4, 0.3, 0.2, 0.1, 0.05, 0.0))


def _decoupled(cache: CaseCache, who: str, room: float) -> Case:
    model = cache.cell(SHIPPED).case
    policies = tuple(
        (
            p.model_copy(update={"share": round(1.0 - room, 6)})
            if isinstance(p, OriginFloor)
            else p
        )
        for p in model.policies
        if not (who == APART and p.id in STAY_OUT)
    )
    name = (
        f"china_at_most_{100 * room:.0f}{'' if who == TOGETHER else '_without_jpn_kor'}"
    )
    return model.model_copy(update={"name": name, "policies": policies})


def _duty(cache: CaseCache, area: bool) -> Case:
    """Return current law with the American duty on Chinese chips levied by Japan and Korea too."""
    law = cache.cell("current_law").case
    model = law.policy("s301_china")
    assert isinstance(model, Tariff)
    copies = tuple(
        model.model_copy(
            update={
                "id": f"duty_{r.lower()}",
                "importer": r,
                "layer": "other",
                "source": "own",
                "years": (2028, model.years[1]),
                "note": "as the United States does",
            }
        )
        for r in ("JPN", "KOR")
    )
    case = law.model_copy(
        update={
            "name": JOINED,
            "status": "hypothetical",
            "policies": (*law.policies, *copies),
        }
    )
    if not area:
        return case
    fta = cache.cell("cjk_fta").case.policy("cjk")
    return case.model_copy(update={"name": AREA, "policies": (*case.policies, fta)})


def cells(cache: CaseCache, short: bool) -> list[Cell]:
    """Return current law, the steps of decoupling, the free-trade area and the joint duty."""
    steps = [
        cache.cell(_decoupled(cache, who, room))
        for who, rooms in _steps(short).items()
        for room in rooms
    ]
    return [
        cache.cell("current_law"),
        *steps,
        *(cache.cell(case) for case in _areas(cache, short)),
    ]


def _areas(cache: CaseCache, short: bool) -> list[Case]:
    """Return the free-trade area, the joint duty and, unless it is to be short, both."""
    found = [cache.cell("cjk_fta").case, _duty(cache, False)]
    return found if short else [*found, _duty(cache, True)]


def answer(cache: CaseCache, short: bool) -> Answer:
    """Answer it."""
    base = cache.summary("current_law")
    regions = base.labels.regions
    rows = []
    for who, rooms in _steps(short).items():
        for room in rooms:
            own = cache.summary(_decoupled(cache, who, room))
            rows.append(
                {
                    "who decouples": who,
                    ROOM: room,
                    "World, USD bn": -gain(own, base, "all") / 1000.0,
                    **{
                        f"{name}, USD bn": -gain(own, base, r) / 1000.0
                        for r, name in regions.items()
                    },
                    THEIR_USERS: users(own, base, CHINA) / 1000.0,
                    THEIR_FIRMS: firms(own, base, CHINA) / 1000.0,
                    "Chinese capacity, kwpm": round(capacity(own, CHINA), 0),
                    "change in Chinese capacity, kwpm": round(
                        capacity(own, CHINA) - capacity(base, CHINA), 0
                    ),
                }
            )
    costs = in_billions(pd.DataFrame(rows))
    area = in_billions(
        pd.DataFrame(
            [
                {
                    "case": spoken(own.case.name),
                    **{
                        f"{name}, USD bn": gain(own, base, r) / 1000.0
                        for r, name in regions.items()
                    },
                    "World, USD bn": gain(own, base, "all") / 1000.0,
                }
                for own in (cache.summary(case) for case in _areas(cache, short))
            ]
        )
    )
    years = f"present value of {base.labels.years[0]} to {base.labels.horizon}"
    tables = [
        Table(
            "q07_decoupling",
            f"What it costs to use fewer Chinese chips, against current law, {years}"
            " (below zero: gain)",
            costs,
        ),
        Table(
            "q07_free_trade",
            "What regions gain against current law by a free-trade area of China,"
            f" Japan and Korea, by a joint duty on Chinese chips, and by both, {years}",
            area,
        ),
    ]
    paint = {regions[r]: c for r, c in style.colours(regions).items()}
    last = costs[costs["who decouples"] == TOGETHER].iloc[-1]
    figures = [
        Figure(
            "q07_decoupling",
            "The cost of decoupling",
            "q07_decoupling",
            "Curves of cost by region over the largest Chinese share; at none, world "
            f"{last['World, USD bn']:.1f} USD bn.",
            partial(_draw, paint=paint, years=years),
        )
    ]
    how = how_sure(
        cache, *((SHIPPED, f"welfare.{who}") for who in ("all", "USA", CHINA))
    )
    return Answer((*finding(costs, area, regions), *how), tables, figures)


def _draw(table: pd.DataFrame, paint: dict[str, str], years: str) -> Drawn:
    part = table[table["who decouples"] == TOGETHER]
    columns = {f"{name}, USD bn": name for name in paint} | {"World, USD bn": "World"}
    long = part.rename(columns=columns).melt(
        [ROOM], list(columns.values()), "region", "cost"
    )
    long["given up"] = 1.0 - long[ROOM]
    return charts.curves(
        long,
        x="given up",
        by="region",
        panels={"cost": ""},
        percent=True,
        paint=paint | {"World": style.INK},
        ylabel="Cost, USD bn",
        xlabel="Least share made outside China of the chips used, %",
        title="What it costs five places to use fewer Chinese chips",
        note=f"against current law, {years}; below zero: gain",
    )


def finding(
    costs: pd.DataFrame, area: pd.DataFrame, regions: dict[str, str]
) -> tuple[str, ...]:
    """Say what the tables hold."""
    together = costs[costs["who decouples"] == TOGETHER]
    steps = ", ".join(
        f"{billion(1000.0 * float(r['World, USD bn']))} at most"
        f" {percent(float(r[ROOM]))}"
        for _, r in together.iterrows()
    )
    last = together.iloc[-1]
    each = {name: -1000.0 * float(last[f"{name}, USD bn"]) for name in regions.values()}
    worst, best = min(each, key=lambda r: each[r]), max(each, key=lambda r: each[r])
    said = [
        (
            "Holding the Chinese share of what the five use down costs the world"
            f" {steps.replace('at most', 'at')}."
        ),
        (
            f"With none left, the United States {result(each[regions['USA']])}, China"
            f" {result(each[regions['CHN']])} (its users"
            f" {results(1000.0 * float(last[THEIR_USERS]))}, its firms"
            f" {results(1000.0 * float(last[THEIR_FIRMS]))}); most is borne by"
            f" {with_article(worst)}, while {with_article(best)} {result(each[best])}."
        ),
    ]
    apart = costs[(costs["who decouples"] == APART) & (costs[ROOM] == last[ROOM])].iloc[
        -1
    ]
    less = 1000.0 * (float(last["World, USD bn"]) - float(apart["World, USD bn"]))
    said.append(
        "If Japan and Korea stay out, the same rule in the other three costs the world"
        f" {billion(abs(less))} {'less' if less > 0 else 'more'}; the United States"
        f" then {result(-1000.0 * float(apart['United States, USD bn']))}, Japan"
        f" {result(-1000.0 * float(apart[regions['JPN'] + ', USD bn']))} and South"
        f" Korea {result(-1000.0 * float(apart[regions['KOR'] + ', USD bn']))}."
    )
    alone, joint = area.iloc[0], area.iloc[1]
    column = f"{regions['CHN']}, USD bn"
    both = (
        f", it leaves China {_left(1000.0 * float(area.iloc[2][column]))}"
        if len(area) > 2
        else ""
    )
    beside = "Beside" if both else "What it could lift is"
    said.append(
        "A free-trade area of China, Japan and Korea by itself changes"
        f" {_most_moved(alone, regions)}, because chips are free of duty among them."
        f" {beside} a duty of 50% on Chinese chips in Japan and Korea, by which China"
        f" {result(1000.0 * float(joint[column]))}{both}."
    )
    return tuple(said)


def _most_moved(row: pd.Series, regions: dict[str, str]) -> str:
    most = max(abs(1000.0 * float(row[f"{name}, USD bn"])) for name in regions.values())
    return "nothing" if most < 1.0 else f"no region by more than {billion(most)}"


def _left(value: float) -> str:
    return (
        "where current law does"
        if abs(value) < 1.0
        else f"with a {'gain' if value > 0 else 'loss'} of " + billion(abs(value))
    )
