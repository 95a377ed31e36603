"""Q6, Korean awards: US sites of Samsung and SK hynix if awards are not paid."""

from __future__ import annotations

from itertools import product

import pandas as pd

from chipmodel.common.text import listed
from chipmodel.dataset.derived import CHANGE
from chipmodel.display.canvas import Drawn
from chipmodel.model.world import World
from chipmodel.questions.answer import Answer, Column, Figure, Table, rounded
from chipmodel.questions.shared import (
    BN,
    CASE,
    COMMITTED,
    UNCOMMITTED,
    Row,
    alt_text,
    between,
    capacity,
    case_name,
    draw_worlds,
    gain,
    how_sure,
    money,
    received,
    records,
    result,
    side_by_side_table,
    spent,
    uncommitted,
    usd,
    wafers,
)
from chipmodel.results.summary import Summary
from chipmodel.studies.case_cache import CaseCache
from chipmodel.studies.plan import Cell

TITLE = "Korean awards: withdrawn, delayed or converted into equity"


ASKS = (
    "What do Samsung in Taylor and SK hynix in Indiana build if their CHIPS awards are"
    " withdrawn, delayed or converted into equity?"
)


METHOD = (
    "The awards of the two firms withdrawn (and their guardrails with them), paid four"
    " years late, or converted into equity as Intel's were, against current law: with"
    " what is under way committed, and with every project free to be dropped, which is"
    " the decision the award was meant to change. The tax credit stays in all cases."
    " The award of SK hynix is for packaging, for which the model has no awards, so its"
    " site is shown but cannot answer the question. The effect of a broken promise on"
    " trust is left out."
)


FIRMS = ("samsung", "sk_hynix")


HOME = "USA"


SITES = ("samsung_taylor_1", "samsung_taylor_2")


PACKAGING = "ap_sk_hynix_indiana"


CASES = (
    "current_law",
    "chips_withdrawn_korea",
    "chips_delayed_korea",
    "chips_converted_korea",
)


TAYLOR = wafers("taylor", "Samsung Taylor")


SUPPORT = money("support", "support to both firms")


AWARDS = (
    CASE,
    Column("world", "world"),
    TAYLOR,
    Column("announced", "announced there", "kwpm"),
    wafers("hynix", "SK hynix Indiana packaging"),
    money("spent", "spent by both firms on American fabs"),
    SUPPORT,
    wafers("leading", "American leading logic"),
    wafers("leading_change", "change in American leading logic"),
    money("gain_home", "gain of the United States"),
    money("gain_korea", "gain of South Korea"),
)


COLOURS = ("#117733", "#AA4499", "#999933")
"""Colours of the worlds."""


def _worlds(cache: CaseCache, short: bool) -> dict[str, World]:
    """Return worlds by name; in short only that with commitments."""
    central = cache.world("central")
    if short:
        return {COMMITTED: central}
    low_demand = cache.world("low_demand")
    return {
        COMMITTED: central,
        UNCOMMITTED: uncommitted(central),
        f"{UNCOMMITTED}, low demand": uncommitted(low_demand),
    }


def cells(cache: CaseCache, short: bool) -> list[Cell]:
    """Return the cases of the awards in each world."""
    pairs = product(_worlds(cache, short).values(), CASES)
    return [cache.cell(case, world) for world, case in pairs]


def answer(cache: CaseCache, short: bool) -> Answer:
    """Return the sites of the two firms in each case and world."""
    worlds = _worlds(cache, short)
    rows = []
    for name, world in worlds.items():
        base = cache.summary(CASES[0], world)
        rows += [_row(name, cache.summary(case, world), base) for case in CASES]
    table = rounded(rows, AWARDS)
    labels = cache.summary(CASES[0]).labels
    year = labels.years[-1]
    world_columns = [Column(world.name, name) for name, world in worlds.items()]
    tables = [
        Table(
            "q06_awards",
            f"US sites of the two firms in {year}, what they spend there and what"
            f" subsidies they receive, {labels.years[0]} to {year}",
            table,
            AWARDS,
        ),
        Table(
            "q06_bars",
            "The same, one column per world",
            side_by_side_table(table, "world_id", (TAYLOR, SUPPORT)),
            (Column("measure", "measure"), CASE, *world_columns),
        ),
    ]

    def draw(bars: pd.DataFrame) -> Drawn:
        return draw_worlds(
            bars,
            world_columns,
            COLOURS,
            title="Samsung in Taylor, by what happens to the awards",
            note=(
                f"left: in service in {year}; right: cash to {year}, tax credit"
                " included"
            ),
        )

    figure = Figure("q06_awards", "Korean awards", "q06_bars", _alt(table), draw)
    segment = cache.data.leading_segment
    metrics = (f"{CHANGE}outlay.{HOME}", f"{CHANGE}capacity.{HOME}.{segment}.{year}")
    sure = how_sure(cache, (CASES[1],), metrics)
    return Answer((*finding(table), *sure), tables, [figure])


def _row(world: str, summary: Summary, base: Summary) -> Row:
    year = summary.labels.years[-1]
    # Packaging plants are not among the fabs, but are followed by site as these are.
    running = {
        plant.site: plant.in_service[year]
        for plant in (*summary.projects, *summary.plants)
    }
    sizes = [project.size for project in summary.projects if project.site in SITES]
    leading = capacity(summary, HOME, summary.labels.leading)
    return {
        "case": case_name(summary.case.name),
        "world": world,
        "world_id": summary.world.name,
        "taylor": sum(running.get(site, 0.0) for site in SITES),
        "announced": sum(sizes),
        "hynix": running.get(PACKAGING, 0.0),
        "spent": spent(summary, HOME, FIRMS) / BN,
        "support": received(summary, HOME, FIRMS) / BN,
        "leading": leading,
        "leading_change": leading - capacity(base, HOME, base.labels.leading),
        "gain_home": gain(summary, base, HOME) / BN,
        "gain_korea": gain(summary, base, "KOR") / BN,
    }


def _alt(table: pd.DataFrame) -> str:
    outcomes = []
    for row in records(table):
        outcomes.append(
            f"{row['case']} ({row['world']}): Taylor {row['taylor']:.1f} kwpm,"
            f" subsidies {row['support']:.1f} USD bn"
        )
    return alt_text("Bars by case and world.", outcomes)


def finding(table: pd.DataFrame) -> tuple[str, ...]:
    """Return the finding: what Samsung builds, and what withdrawing the awards does."""
    sentences = []
    for world, part in table.groupby("world", sort=False):
        law, *changed = records(part)
        outputs = [f"{row['taylor']:.1f} with {row['case']}" for row in changed]
        by_case = listed(["under current law", *outputs])
        # One number for all cases is given once.
        if part["taylor"].nunique() == 1:
            by_case = f"whether awards are paid or not ({len(part)} cases)"
        sentences.append(
            f"With {world}, Samsung runs {law['taylor']:.1f} of the"
            f" {law['announced']:.0f} kwpm announced in Taylor in the last year"
            f" reported {by_case}."
        )
    law, withdrawn, *_ = records(table)
    sentences.append(
        f"Withdrawing the awards, with {law['world']}, saves the treasury"
        f" {usd(law['support'] - withdrawn['support'])} in cash on the two firms and"
        f" changes US leading-edge logic by {withdrawn['leading_change']:+.1f} kwpm;"
        f" the United States {result(withdrawn['gain_home'])} and South Korea"
        f" {result(withdrawn['gain_korea'])}."
    )
    sentences.append(
        "SK hynix's packaging plant in Indiana runs at"
        f" {between(table['hynix'], 'kwpm')} in all of these cases; its award is not in"
        " the model, and the location of this kind of packaging is not unique, so the"
        " number carries little information."
    )
    return tuple(sentences)
