"""Q11, Taiwan: what the loss of its fabs would cost, and what fabs elsewhere are worth as insurance."""

from __future__ import annotations

from functools import partial

import pandas as pd

from chipmodel.cases.case import Case
from chipmodel.common.text import billion, percent
from chipmodel.display import charts, style
from chipmodel.display.canvas import Drawn
from chipmodel.model.world import World
from chipmodel.policies.capacity_mandate import CapacityMandate
from chipmodel.questions.answer import Answer, Figure, Table
from chipmodel.questions.shared import gain, in_billions, result
from chipmodel.results.summary import Summary
from chipmodel.studies.case_cache import CaseCache
from chipmodel.studies.plan import Cell

TITLE = "Taiwan: the cost of losing its fabs, and fabs elsewhere as insurance"


ASKS = (
    "What would a blockade of Taiwan's fabs cost, foreseen or not, and what is a fab"
    " elsewhere worth as insurance?"
)


METHOD = (
    "Taiwan's fabs lose output for two years and about half as much for two more, as a"
    " surprise (what is begun stays) or foreseen. Losses are present values against the"
    " same case in a world without it. Insurance: the loss with and without"
    " leading-edge fabs that the treasury asks for from 2030, less what they cost when"
    " nothing happens; the chance at which the two are equal is the break-even. How"
    " likely a blockade is, what it does beyond fabs, war and stockpiles are left out;"
    " nothing is said of deterrence."
)


TARGETS = {"USA": 200.0, "JPN": 90.0}
"""Leading-edge capacity asked for, kwpm: in each place 55 to 70 more than current law brings in 2030."""


FROM, FINE = 2030, 1000.0


MODEL, YEAR, DEPTH = "taiwan_blockade", 2030, 0.9


CHANCES = (0.01, 0.05, 0.1, 0.2, 0.3)


def _world(cache: CaseCache, year: int, depth: float, surprise: bool) -> World:
    """Return the shipped blockade moved to a year and scaled to a depth."""
    model = cache.cell("current_law", MODEL).world
    if (year, depth, surprise) == (YEAR, DEPTH, True):
        return model
    later = year - YEAR
    events = tuple(
        event.model_copy(
            update={
                "years": (event.years[0] + later, event.years[1] + later),
                "depth": round(event.depth * depth / DEPTH, 6),
                "known_from": year if surprise else None,
            }
        )
        for event in model.event
    )
    name = f"blockade_{year}_{100 * depth:.0f}{'' if surprise else '_foreseen'}"
    return model.with_(name=name, event=events)


def _disruptions(short: bool) -> list[tuple[int, float, bool]]:
    if short:
        return [(YEAR, DEPTH, True), (YEAR, DEPTH, False)]
    return [
        (year, depth, True) for year in (2028, 2030, 2032) for depth in (0.3, 0.6, 0.9)
    ] + [(YEAR, depth, False) for depth in (0.3, 0.6, 0.9)]


def _insured(cache: CaseCache, region: str) -> Case:
    law = cache.cell("current_law").case
    fabs = CapacityMandate(
        id="insurance",
        region=region,
        segment=cache.data.leading_segment,
        kwpm=TARGETS[region],
        borne_by="treasury",
        price_cap=FINE,
        years=(FROM, 2041),
        source="own",
    )
    return law.model_copy(
        update={
            "name": f"insurance_{region.lower()}",
            "status": "hypothetical",
            "policies": (*law.policies, fabs),
        }
    )


def cells(cache: CaseCache, short: bool) -> list[Cell]:
    """Return current law with and without each disruption, and with fabs elsewhere."""
    found = [
        cache.cell("current_law"),
        *(
            cache.cell("current_law", _world(cache, *one))
            for one in _disruptions(short)
        ),
    ]
    for region in TARGETS:
        case = _insured(cache, region)
        found += [cache.cell(case), cache.cell(case, _world(cache, YEAR, DEPTH, True))]
    return found


def answer(cache: CaseCache, short: bool) -> Answer:
    """Answer it."""
    base = cache.summary("current_law")
    names = base.labels.regions
    losses = in_billions(
        pd.DataFrame(
            [
                _loss(cache.summary("current_law", _world(cache, *one)), base, *one)
                for one in _disruptions(short)
            ]
        )
    )
    insurance = in_billions(
        pd.DataFrame([row for region in TARGETS for row in _insurance(cache, region)])
    )
    years = f"present value of {base.labels.years[0]} to {base.labels.horizon}"
    tables = [
        Table(
            "q11_losses",
            f"What a loss of Taiwan's output costs under current law, {years}",
            losses,
        ),
        Table(
            "q11_insurance",
            f"What leading-edge fabs elsewhere cost and save in the blockade of {YEAR},"
            f" {years}, and their net worth at chances that are no estimates",
            insurance,
        ),
    ]
    paint = {f"{name}, USD bn": style.colours(names)[r] for r, name in names.items()}
    alt = "; ".join(
        f"{r['disruption']} {r['World, USD bn']:.0f} USD bn"
        for _, r in losses.iterrows()
    )
    figures = [
        Figure(
            "q11_losses",
            "What a blockade costs",
            "q11_losses",
            f"Bars of loss by region: {alt}.",
            partial(_draw, paint=paint, years=years),
        )
    ]
    return Answer(finding(losses, insurance, names), tables, figures)


def _loss(
    own: Summary, base: Summary, year: int, depth: float, surprise: bool
) -> dict[str, object]:
    names = base.labels.regions
    known = "surprise" if surprise else "foreseen"
    return {
        "disruption": f"{percent(depth)} lost from {year}, {known}",
        "year": year,
        "depth": depth,
        "known": known,
        **{
            f"{name}, USD bn": -gain(own, base, r) / 1000.0 for r, name in names.items()
        },
        "World, USD bn": -gain(own, base, "all") / 1000.0,
    }


def _insurance(cache: CaseCache, region: str) -> list[dict[str, object]]:
    """Return cost and saving of the fabs in a region, for that region and for the world."""
    law, case = cache.cell("current_law").case, _insured(cache, region)
    hit = _world(cache, YEAR, DEPTH, True)
    calm, storm = cache.summary(law), cache.summary(law, hit)
    own_calm, own_storm = cache.summary(case), cache.summary(case, hit)
    leading = calm.labels.leading
    more = own_calm.capacity.get((region, leading, FROM), 0.0) - calm.capacity.get(
        (region, leading, FROM), 0.0
    )
    rows = []
    for whose, name in ((region, calm.labels.regions[region]), ("all", "World")):
        premium = -gain(own_calm, calm, whose) / 1000.0
        saved = (gain(own_storm, own_calm, whose) - gain(storm, calm, whose)) / 1000.0
        rows.append(
            {
                "fabs in": calm.labels.regions[region],
                f"more in {FROM}, kwpm": round(more, 1),
                "for": name,
                "cost if nothing happens, USD bn": premium,
                "loss without them, USD bn": -gain(storm, calm, whose) / 1000.0,
                "loss avoided, USD bn": saved,
                "break-even chance": break_even(premium, saved),
                **{
                    f"net at a chance of {percent(p)}, USD bn": p * saved - premium
                    for p in CHANCES
                },
            }
        )
    return rows


def break_even(premium: float, saved: float) -> float:
    """Return the chance of the disruption at which fabs are worth what they cost; not a number if they never are."""
    if premium <= 0:
        return 0.0
    return round(premium / saved, 4) if 0 < premium <= saved else float("nan")


def _draw(table: pd.DataFrame, paint: dict[str, str], years: str) -> Drawn:
    return charts.stacked_support(
        table,
        label="disruption",
        parts=paint,
        title="What a loss of Taiwan's chip output costs, USD bn",
        note=f"{years}; right: loss, left: gain; diamond and number: the world",
    )


def finding(
    losses: pd.DataFrame, insurance: pd.DataFrame, names: dict[str, str]
) -> tuple[str, ...]:
    """Say what the tables hold."""
    central = losses[(losses["year"] == YEAR) & (losses["depth"] == DEPTH)]
    shock, known = (
        {str(k): v for k, v in central[central["known"] == how].iloc[0].items()}
        for how in ("surprise", "foreseen")
    )
    world, foreseen = float(shock["World, USD bn"]), float(known["World, USD bn"])
    each = {r: -1000.0 * float(shock[f"{name}, USD bn"]) for r, name in names.items()}
    said = [
        (
            f"A surprise loss of {percent(DEPTH)} of Taiwan's output from {YEAR} costs"
            f" the world {billion(1000.0 * world)}; the United States"
            f" {result(each['USA'])}, Taiwan {result(each['TWN'])}, South Korea"
            f" {result(each['KOR'])} and Japan {result(each['JPN'])}."
        ),
        (
            f"Foreseen from the start it costs {billion(1000.0 * foreseen)},"
            f" {percent(foreseen / world)} of that."
        ),
    ]
    shocks = losses[losses["known"] == "surprise"]
    if len(shocks) > 1:
        order = shocks.sort_values("World, USD bn")
        ends = [
            f"{billion(1000.0 * float(r['World, USD bn']))}"
            f" ({str(r['disruption']).partition(',')[0]})"
            for r in (order.iloc[0], order.iloc[-1])
        ]
        said.append(
            f"Over the years and depths tried, surprises cost {ends[0]} to {ends[1]}."
        )
    for place, part in insurance.groupby("fabs in", sort=False):
        more = float(part.iloc[0][f"more in {FROM}, kwpm"])
        each_one = "; ".join(_worth(row) for _, row in part.iterrows())
        said.append(
            f"{more:.0f} kwpm more of leading logic in {_the(str(place))} in {FROM}"
            f" {each_one}."
        )
    return tuple(said)


def _worth(row: pd.Series) -> str:
    chance, who = (
        float(row["break-even chance"]),
        "the world" if row["for"] == "World" else _the(str(row["for"])),
    )
    pays = (
        "never pays as insurance"
        if chance != chance
        else (
            "costs nothing even if nothing happens"
            if chance == 0
            else f"pays if the chance is above {percent(chance)}"
        )
    )
    return (
        f"costs {who} {float(row['cost if nothing happens, USD bn']):.1f} USD bn if"
        f" nothing happens, avoids {float(row['loss avoided, USD bn']):.1f} of the loss"
        f" and {pays}"
    )


def _the(name: str) -> str:
    return f"the {name}" if name.startswith("United") else name
