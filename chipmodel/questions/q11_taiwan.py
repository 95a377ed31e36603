"""Q11, Taiwan: the cost of losing its fabs, and fabs elsewhere as insurance."""

from __future__ import annotations

from functools import partial
from itertools import product

import pandas as pd

from chipmodel.cases.case import Case
from chipmodel.common.text import percent, with_article
from chipmodel.display import charts
from chipmodel.display.canvas import Drawn
from chipmodel.model.world import World
from chipmodel.policies.capacity_mandate import CapacityMandate
from chipmodel.questions.answer import Answer, Column, Figure, Table, rounded
from chipmodel.questions.shared import (
    BN,
    WORLD,
    Row,
    alt_text,
    gain,
    losses_by_region,
    money,
    records,
    region_columns,
    region_paint,
    result,
    usd,
    wafers,
)
from chipmodel.results.metrics import ALL
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
    " surprise (fabs whose construction has started are completed) or foreseen. Losses"
    " are present values against the same case in a world without it. Insurance: the"
    " loss with and without leading-edge fabs that a treasury pays for from 2030, less"
    " their cost if nothing happens; the break-even chance is that at which the two are"
    " equal. The probability of a blockade, its effects beyond fabs, war and stockpiles"
    " are left out, and so is deterrence."
)


TARGETS = {"USA": 200.0, "JPN": 90.0}
"""Leading-edge capacity required, kwpm: 55 to 70 above current law in 2030."""


FROM, FINE = 2030, 1000.0


MODEL, YEAR, DEPTH = "taiwan_blockade", 2030, 0.9


YEARS, DEPTHS = (2028, 2030, 2032), (0.3, 0.6, 0.9)


CHANCES = (0.01, 0.05, 0.1, 0.2, 0.3)


INSURANCE = (
    Column("place", "fabs in"),
    wafers("more", f"more in {FROM}"),
    Column("whose", "for"),
    money("premium", "cost if nothing happens"),
    money("loss", "loss without them"),
    money("saved", "loss avoided"),
    Column("break_even", "break-even chance"),
    *(
        money(f"net_{chance}", f"net at a chance of {percent(chance)}")
        for chance in CHANCES
    ),
)


Disruption = tuple[int, float, bool]
"""First year of a loss of output, its depth as a share, whether it is a surprise."""


CENTRAL: Disruption = (YEAR, DEPTH, True)


def _world(cache: CaseCache, disruption: Disruption) -> World:
    """Return the shipped blockade moved to a year and scaled to a depth."""
    shipped = cache.world(MODEL)
    if disruption == CENTRAL:
        return shipped
    year, depth, surprise = disruption
    # The shipped blockade starts in YEAR at DEPTH and eases after two years.
    later = year - YEAR
    events = []
    for event in shipped.event:
        fields = {
            "years": (event.years[0] + later, event.years[1] + later),
            "depth": round(event.depth * depth / DEPTH, 6),
            "known_from": year if surprise else None,
        }
        events.append(event.model_copy(update=fields))
    suffix = "" if surprise else "_foreseen"
    name = f"blockade_{year}_{100 * depth:.0f}{suffix}"
    return shipped.with_(name=name, event=tuple(events))


def _disruptions(short: bool) -> list[Disruption]:
    if short:
        return [CENTRAL, (YEAR, DEPTH, False)]
    surprises = [(year, depth, True) for year, depth in product(YEARS, DEPTHS)]
    foreseen = [(YEAR, depth, False) for depth in DEPTHS]
    return [*surprises, *foreseen]


def _insured(cache: CaseCache, region: str) -> Case:
    """Return current law with leading-edge fabs that a region's treasury pays for."""
    law = cache.case("current_law")
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
    worlds = [_world(cache, disruption) for disruption in _disruptions(short)]
    law = [cache.cell("current_law", world) for world in worlds]
    insured = []
    for region in TARGETS:
        case = _insured(cache, region)
        insured += [cache.cell(case), cache.cell(case, _world(cache, CENTRAL))]
    return [cache.cell("current_law"), *law, *insured]


def answer(cache: CaseCache, short: bool) -> Answer:
    """Return the loss of each disruption, and what fabs elsewhere cost and save."""
    labels = cache.summary("current_law").labels
    loss_columns = [
        Column("disruption", "disruption"),
        Column("year", "year"),
        Column("depth", "depth"),
        Column("known", "known"),
        *region_columns(labels),
        WORLD,
    ]
    loss_rows = [_loss(cache, disruption) for disruption in _disruptions(short)]
    losses = rounded(loss_rows, loss_columns)
    insurance_rows: list[Row] = []
    for region in TARGETS:
        insurance_rows += _insurance(cache, region)
    insurance = rounded(insurance_rows, INSURANCE)
    years = f"present value of {labels.years[0]} to {labels.horizon}"
    tables = [
        Table(
            "q11_losses",
            f"Cost of a loss of Taiwan's output under current law, {years}",
            losses,
            loss_columns,
        ),
        Table(
            "q11_insurance",
            f"Cost and savings of leading-edge fabs elsewhere in the blockade of"
            f" {YEAR}, {years}, and their net value at chances that are not estimates",
            insurance,
            INSURANCE,
        ),
    ]
    costs = []
    for row in records(losses):
        costs.append(f"{row['disruption']} {row['world']:.0f} USD bn")
    figure = Figure(
        "q11_losses",
        "What a blockade costs",
        "q11_losses",
        alt_text("Bars of loss by region:", costs),
        partial(_draw, regions=labels.regions, years=years),
    )
    return Answer(finding(losses, insurance), tables, [figure])


def _loss(cache: CaseCache, disruption: Disruption) -> Row:
    summary = cache.summary("current_law", _world(cache, disruption))
    year, depth, surprise = disruption
    known = "surprise" if surprise else "foreseen"
    return {
        "disruption": f"{percent(depth)} lost from {year}, {known}",
        "year": year,
        "depth": depth,
        "known": known,
        **losses_by_region(summary, cache.summary("current_law")),
    }


def _insurance(cache: CaseCache, region: str) -> list[Row]:
    """Return cost and savings of fabs in a region, for that region and the world."""
    case = _insured(cache, region)
    blockade = _world(cache, CENTRAL)
    calm = cache.summary("current_law")
    storm = cache.summary("current_law", blockade)
    insured_calm = cache.summary(case)
    insured_storm = cache.summary(case, blockade)
    more = _leading(insured_calm, region) - _leading(calm, region)
    place = calm.labels.regions[region]
    rows: list[Row] = []
    for whose, name in ((region, place), (ALL, WORLD.label)):
        premium = -gain(insured_calm, calm, whose) / BN
        loss = -gain(storm, calm, whose) / BN
        # The loss without fabs less the loss with them, each against its own calm case.
        saved = loss + gain(insured_storm, insured_calm, whose) / BN
        net = {f"net_{chance}": chance * saved - premium for chance in CHANCES}
        rows.append(
            {
                "place": place,
                "more": more,
                "whose": name,
                "premium": premium,
                "loss": loss,
                "saved": saved,
                "break_even": break_even(premium, saved),
                **net,
            }
        )
    return rows


def _leading(summary: Summary, region: str) -> float:
    return summary.capacity.get((region, summary.labels.leading, FROM), 0.0)


def break_even(premium: float, saved: float) -> float:
    """Return the chance of the disruption at which fabs are worth their cost.

    Zero if they cost nothing; not a number if they never are.
    """
    if premium <= 0:
        return 0.0
    # Expected saving p * saved equals the premium at p = premium / saved, at most one.
    if premium > saved:
        return float("nan")
    return round(premium / saved, 4)


def _draw(table: pd.DataFrame, regions: dict[str, str], years: str) -> Drawn:
    return charts.stacked_support(
        table.rename(columns=regions),
        label="disruption",
        parts=region_paint(regions),
        title="Cost of a loss of Taiwan's chip output, USD bn",
        note=f"{years}; right: loss, left: gain; diamond and number: the world",
    )


def finding(losses: pd.DataFrame, insurance: pd.DataFrame) -> tuple[str, ...]:
    """Return the finding: the loss, foreseen or not, and fabs as insurance."""
    central = losses[(losses["year"] == YEAR) & (losses["depth"] == DEPTH)]
    surprise = records(central[central["known"] == "surprise"])[0]
    foreseen = records(central[central["known"] == "foreseen"])[0]
    sentences = [
        (
            f"A surprise loss of {percent(DEPTH)} of Taiwan's output from {YEAR} costs"
            f" the world {usd(surprise['world'])}; the United States"
            f" {result(-surprise['USA'])}, Taiwan {result(-surprise['TWN'])}, South"
            f" Korea {result(-surprise['KOR'])} and Japan {result(-surprise['JPN'])}."
        ),
        (
            f"Foreseen from the start it costs {usd(foreseen['world'])},"
            f" {percent(foreseen['world'] / surprise['world'])} of that."
        ),
    ]
    shocks = losses[losses["known"] == "surprise"].sort_values("world")
    if len(shocks) > 1:
        ends = []
        for row in records(shocks.iloc[[0, -1]]):
            lost = f"{percent(row['depth'])} lost from {row['year']}"
            ends.append(f"{usd(row['world'])} ({lost})")
        sentences.append(
            f"Across the years and depths considered, surprises cost {ends[0]} to"
            f" {ends[1]}."
        )
    for place, part in insurance.groupby("place", sort=False):
        worth = [_worth(row) for row in records(part)]
        sentences.append(
            f"An additional {float(part['more'].iloc[0]):.0f} kwpm of leading-edge"
            f" logic in {with_article(str(place))} in {FROM} {'; '.join(worth)}."
        )
    return tuple(sentences)


def _worth(row: Row) -> str:
    chance = row["break_even"]
    if pd.isna(chance):
        pays = "never pays as insurance"
    elif chance == 0:
        pays = "costs nothing even if nothing happens"
    else:
        pays = f"pays if the chance is above {percent(chance)}"
    who = "the world"
    if row["whose"] != WORLD.label:
        who = with_article(row["whose"])
    return (
        f"costs {who} USD {row['premium']:.1f} bn if nothing happens, avoids USD"
        f" {row['saved']:.1f} bn of the loss and {pays}"
    )
