"""Q6, Korean awards: what becomes of Samsung's and SK hynix's American sites if promised money does not come."""

from __future__ import annotations

from functools import partial

import pandas as pd

from chipmodel.common.text import billion, listed
from chipmodel.dataset.derived import CHANGE
from chipmodel.display import charts
from chipmodel.display.canvas import Drawn
from chipmodel.model.world import World
from chipmodel.questions.answer import Answer, Figure, Table
from chipmodel.questions.shared import (
    between,
    capacity,
    gain,
    how_sure,
    result,
    spent,
    spoken,
)
from chipmodel.results.summary import Summary
from chipmodel.studies.case_cache import CaseCache
from chipmodel.studies.plan import Cell

TITLE = "Korean awards: withdrawn, delayed or turned into shares"


ASKS = (
    "What do Samsung in Taylor and SK hynix in Indiana build if their CHIPS awards are"
    " withdrawn, late or converted?"
)


METHOD = (
    "The awards of the two firms withdrawn (and the guardrails with them), paid four"
    " years late, or turned into shares as Intel's were, against current law: with what"
    " is under way held to, and with every project free to be dropped, as the award was"
    " meant to decide. The tax credit stays in all of them. The award of SK hynix is"
    " for packaging, which has no award in the model, so its site is shown and cannot"
    " answer. What a broken promise does to trust is left out."
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


HELD, FREED = "commitments held", "every project free"


TAYLOR, SIZE, SUPPORT = (
    "Samsung Taylor, kwpm",
    "announced there, kwpm",
    "support to both firms, USD bn",
)


def _worlds(cache: CaseCache, short: bool) -> dict[str, World]:
    """Return worlds by what they hold; short, only that in which commitments are held."""
    central = cache.cell("current_law").world
    found = {HELD: central}
    if not short:
        found[FREED] = central.with_(name="central_freed", committed=0.0)
        low = cache.cell("current_law", "low_demand").world
        found["every project free, low demand"] = low.with_(
            name="low_demand_freed", committed=0.0
        )
    return found


def _pairs(cache: CaseCache, short: bool) -> list[tuple[str, str, World]]:
    """Return cases with their worlds."""
    return [
        (case, how, world)
        for how, world in _worlds(cache, short).items()
        for case in CASES
    ]


def cells(cache: CaseCache, short: bool) -> list[Cell]:
    """Return the cases of the awards in each world."""
    return [cache.cell(case, world) for case, _, world in _pairs(cache, short)]


def answer(cache: CaseCache, short: bool) -> Answer:
    """Answer it."""
    table = pd.DataFrame(
        [
            _row(cache.summary(case, world), cache.summary(CASES[0], world), how)
            for case, how, world in _pairs(cache, short)
        ]
    )
    base = cache.summary(CASES[0])
    year = base.labels.years[-1]
    worlds = list(dict.fromkeys(table["world"]))
    measures = (TAYLOR, SUPPORT)
    bars = pd.concat(
        [
            table.pivot_table(index="case", columns="world", values=m, sort=False)
            .reset_index()
            .assign(measure=m)
            for m in measures
        ]
    )[["measure", "case", *worlds]]
    tables = [
        Table(
            "q06_awards",
            f"Sites of the two firms in the United States in {year}, what they spend"
            f" there and what support they get, {base.labels.years[0]} to {year}",
            table,
        ),
        Table("q06_bars", "The same, a column a world", bars),
    ]
    paint = dict(zip(worlds, ("#117733", "#AA4499", "#999933"), strict=False))
    figure = Figure(
        "q06_awards",
        "Korean awards",
        "q06_bars",
        _alt(table),
        partial(_draw, paint=paint, year=year),
    )
    how = how_sure(
        cache,
        (CASES[1], f"{CHANGE}outlay.{HOME}"),
        (CASES[1], f"{CHANGE}capacity.{HOME}.{cache.data.leading_segment}.{year}"),
    )
    return Answer((*finding(table), *how), tables, [figure])


def _row(own: Summary, base: Summary, how: str) -> dict[str, object]:
    year, leading = own.labels.years[-1], own.labels.leading
    running = {p.site: p.in_service[year] for p in (*own.projects, *own.plants)}
    support = sum(
        v for (_, f, r, _), v in own.received.items() if f in FIRMS and r == HOME
    )
    return {
        "case": spoken(own.case.name),
        "world": how,
        TAYLOR: round(sum(running.get(site, 0.0) for site in SITES), 1) + 0.0,
        SIZE: sum(p.size for p in own.projects if p.site in SITES),
        "SK hynix Indiana packaging, kwpm": round(running.get(PACKAGING, 0.0), 1) + 0.0,
        "spent by both firms on American fabs, USD bn": (
            round(spent(own, HOME, FIRMS) / 1000.0, 3) + 0.0
        ),
        SUPPORT: round(support / 1000.0, 3) + 0.0,
        "American leading logic, kwpm": round(capacity(own, HOME, leading), 1),
        "change in American leading logic, kwpm": (
            round(
                capacity(own, HOME, leading) - capacity(base, HOME, leading),
                1,
            )
            + 0.0
        ),
        "gain of the United States, USD bn": (
            round(gain(own, base, HOME) / 1000.0, 3) + 0.0
        ),
        "gain of South Korea, USD bn": round(gain(own, base, "KOR") / 1000.0, 3) + 0.0,
    }


def _draw(table: pd.DataFrame, paint: dict[str, str], year: int) -> Drawn:
    columns = {c: colour for c, colour in paint.items() if c in table}
    return charts.side_by_side(
        table,
        label="case",
        panel="measure",
        columns=columns,
        none="not solved",
        title="Samsung in Taylor by what becomes of the awards",
        note=f"left: in service in {year}; right: cash to {year}, tax credit included",
    )


def _alt(table: pd.DataFrame) -> str:
    return (
        "Bars by case and world. "
        + "; ".join(
            f"{r['case']} ({r['world']}): Taylor {r[TAYLOR]:.1f} kwpm, support"
            f" {r[SUPPORT]:.1f} USD bn"
            for _, r in table.iterrows()
        )
        + "."
    )


def finding(table: pd.DataFrame) -> tuple[str, ...]:
    """Say what the table holds."""
    said = []
    for world, part in table.groupby("world", sort=False):
        start = part.iloc[0]
        runs = (
            f"Samsung runs {float(start[TAYLOR]):.1f} of the {float(start[SIZE]):.0f}"
            " kwpm announced in Taylor"
        )
        each = [
            f"{float(r[TAYLOR]):.1f} with {r['case']}"
            for _, r in part.iloc[1:].iterrows()
        ]
        rest = listed(["under current law", *each])
        if part[TAYLOR].nunique() == 1:
            rest = f"whether awards are paid or not ({len(part)} cases)"
        said.append(f"With {world}, {runs} in the last year reported {rest}.")
    law, gone = table.iloc[0], table.iloc[1]
    saved = 1000.0 * (float(law[SUPPORT]) - float(gone[SUPPORT]))
    logic = float(gone["change in American leading logic, kwpm"])
    said.append(
        f"Withdrawing the awards, {table.iloc[0]['world']}, saves the treasury"
        f" {billion(saved)} in cash on the two firms and changes American leading logic"
        f" by {logic:+.1f} kwpm; the United States"
        f" {result(1000.0 * float(gone['gain of the United States, USD bn']))} and"
        f" South Korea {result(1000.0 * float(gone['gain of South Korea, USD bn']))}."
    )
    hynix = table["SK hynix Indiana packaging, kwpm"]
    said.append(
        f"SK hynix's packaging in Indiana stands at {between(hynix, 'kwpm')} in all of"
        " these; its award is not in the model, and where packaging of its kind stands"
        " is not unique, so the number says little."
    )
    return tuple(said)
