"""Q9, cards: what withholding costs others and oneself, and what each member of the alliance is worth to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from itertools import combinations
from math import factorial
from typing import Any

import pandas as pd

from chipmodel.cases.case import Case
from chipmodel.common.text import listed, with_article
from chipmodel.dataset.rows import InputFactRow
from chipmodel.display import charts, style
from chipmodel.display.canvas import Drawn
from chipmodel.model.world import Scale, World
from chipmodel.policies.export_control import ExportControl
from chipmodel.questions.answer import Answer, Figure, Table
from chipmodel.questions.shared import (
    between,
    gain,
    how_sure,
    in_billions,
    result,
    results,
    spoken,
    treasury,
    users,
)
from chipmodel.results.summary import Summary
from chipmodel.studies.case_cache import CaseCache
from chipmodel.studies.plan import Cell

TITLE = "Cards: who can withhold what, and at what price"


ASKS = (
    "What do allies lose, and cost others, by withholding what they make, and what is"
    " each worth to the others?"
)


METHOD = (
    "From 2032, when the fabs under way have their tools, a holder lets nothing of its"
    " card through to the United States, or to all four others: Japan photoresist,"
    " silicon wafers and resist tools, Korea memory, Taiwan leading logic (bare chips,"
    " as device makers buy them), Europe lithography, the United States etch and"
    " deposition tools. Changes are present values against current law. A coalition's"
    " worth is what its members have if they trade freely with each other while they"
    " and the others withhold their cards from each other, less what they have when all"
    " trade; Shapley values share it out. Left out are design software, chips inside"
    " devices, answers outside chips and the cost of changing a supplier, so inputs of"
    " one kind stand in for each other. A surprise needs cards whose loss idles fabs:"
    " in the model a fab begun cannot be stopped, so tools cannot be withheld"
    " overnight."
)


PUSHED = "korea_japan_pushed_away"


START, SLACK = 2032, 10.0


MEMBERS = ("USA", "JPN", "KOR", "TWN", "EUR")


CARDS: dict[str, dict[str, dict[str, Any]]] = {
    "USA": {"etch": {"input": "etch_deposition_tools"}},
    "JPN": {
        "resist": {"input": "photoresist"},
        "wafers": {"input": "wafers_300mm"},
        "coaters": {"input": "resist_tools"},
    },
    "KOR": {"memory": {"segments": ("dram", "nand"), "on": "chips"}},
    "TWN": {"logic": {"segments": ("logic_lt10",), "on": "chips"}},
    "EUR": {"euv": {"input": "euv_tools"}, "immersion": {"input": "immersion_tools"}},
}


WORDS = {
    "USA": "etch and deposition tools",
    "JPN": "resist, wafers, resist tools",
    "KOR": "memory",
    "TWN": "leading logic",
    "EUR": "lithography",
}


OVERNIGHT = {"JPN": ("resist", "wafers"), "KOR": ("memory",), "TWN": ("logic",)}
"""Cards that can be withheld as a surprise."""


FACTORS = {"slow": "low", "central": "", "fast": "high"}


Withheld = frozenset[tuple[str, str]]
"""Pairs of who withholds and from whom."""


ALL = "all"


GAMES: dict[tuple[str, str], Withheld] = {
    **{(r, "USA"): frozenset({(r, "USA")}) for r in MEMBERS if r != "USA"},
    **{(r, ALL): frozenset((r, q) for q in MEMBERS if q != r) for r in MEMBERS},
}
"""Who withholds its card from whom: from the United States, or from all others."""


def _case(cache: CaseCache, withheld: Withheld, surprise: bool = False) -> Case:
    """Return current law with every card a control, slack unless it is withheld: all such cases share a shape."""
    law = cache.cell("current_law").case
    controls = [
        ExportControl(
            id=f"{name}_{r}_{q}".lower(),
            exporter=r,
            destination=q,
            share=0.0 if (r, q) in withheld else SLACK,
            rent_to="exporter",
            years=(START, 2041),
            source="own",
            **card,
        )
        for r in MEMBERS
        for name, card in CARDS[r].items()
        for q in MEMBERS
        if q != r
    ]
    if surprise:
        controls = [
            c.model_copy(update={"known_from": START})
            for c in controls
            if c.share == 0.0
            and c.id.partition("_")[0] in OVERNIGHT.get(c.exporter, ())
        ]
    pairs = "_".join(sorted(f"{r}-{q}".lower() for r, q in withheld))
    return law.model_copy(
        update={
            "name": f"withheld_{pairs}{'_surprise' if surprise else ''}",
            "status": "hypothetical",
            "policies": (*law.policies, *controls),
        }
    )


def _overnight(cache: CaseCache, holder: str, surprise: bool) -> Case:
    case = _case(cache, GAMES[holder, ALL], True)
    if surprise:
        return case
    policies = tuple(p.model_copy(update={"known_from": None}) for p in case.policies)
    return case.model_copy(
        update={"name": f"{case.name}_foreseen", "policies": policies}
    )


def _worlds(cache: CaseCache, short: bool) -> dict[str, World]:
    """Return the worlds of slow, central and fast replacement of what is withheld, by the range in the data."""
    central = cache.cell("current_law").world
    if short:
        return {"central": central}
    rows = [row for row in cache.data.rows(InputFactRow) if row.item == "replacement"]
    found = {}
    for name, end in FACTORS.items():
        scale = (
            ()
            if not end
            else tuple(
                Scale(
                    table="input_facts",
                    where={"input": row.input, "item": "replacement"},
                    factor=getattr(row, end) / row.value,
                )
                for row in rows
            )
        )
        found[name] = (
            central
            if not end
            else central.with_(
                name=f"central_{name}_replacement", scale=(*central.scale, *scale)
            )
        )
    return found


def _games_of(short: bool) -> dict[tuple[str, str], Withheld]:
    """Return the games; short leaves out those in which the United States alone is the target."""
    return {game: held for game, held in GAMES.items() if not short or game[1] == ALL}


def _players(short: bool) -> tuple[str, ...]:
    """Return who may part from the others; in short the first three, while the rest trade with all."""
    return MEMBERS[:3] if short else MEMBERS


def _splits(players: tuple[str, ...] = MEMBERS) -> list[frozenset[str]]:
    """Return the coalitions that hold the first player: each stands for itself and for all others together."""
    first, rest = players[0], players[1:]
    return [
        frozenset({first, *some})
        for k in range(len(rest))
        for some in combinations(rest, k)
    ]


def _between(one: frozenset[str], players: tuple[str, ...] = MEMBERS) -> Withheld:
    return frozenset(
        (a, b) for a in players for b in players if (a in one) != (b in one)
    )


def cells(cache: CaseCache, short: bool) -> list[Cell]:
    """Return current law, the games, the coalitions and the case of Korea and Japan pushed away."""
    found = [cache.cell("current_law"), cache.cell(PUSHED)]
    for world in _worlds(cache, short).values():
        games = _games_of(short).values()
        found += [
            cache.cell("current_law", world),
            *(cache.cell(_case(cache, held), world) for held in games),
        ]
    players = _players(short)
    found += [
        cache.cell(_case(cache, _between(one, players))) for one in _splits(players)
    ]
    if not short:
        found += [
            cache.cell(_overnight(cache, holder, surprise))
            for holder in OVERNIGHT
            for surprise in (False, True)
        ]
    return found


def answer(cache: CaseCache, short: bool) -> Answer:
    """Answer it."""
    base = cache.summary("current_law")
    names = base.labels.regions
    games = in_billions(_games(cache, base, short))
    players = _players(short)
    worth = coalition_values(
        players,
        {
            one: cache.summary(_case(cache, _between(one, players)))
            for one in _splits(players)
        },
        base,
    )
    values = in_billions(
        pd.DataFrame(
            [
                {
                    "coalition": listed([names[r] for r in players if r in one]),
                    "members": len(one),
                    "worth less than when all trade, USD bn": value / 1000.0,
                }
                for one, value in sorted(
                    worth.items(), key=lambda item: (len(item[0]), sorted(item[0]))
                )
                if one
            ]
        )
    )
    share = shapley(players, worth)
    shapleys = in_billions(
        pd.DataFrame(
            [
                {
                    "member": names[r],
                    "card": WORDS[r],
                    "Shapley value, USD bn": share[r] / 1000.0,
                    "alone, USD bn": worth[frozenset({r})] / 1000.0,
                    "others without it, USD bn": (
                        worth[frozenset(players) - {r}] / 1000.0
                    ),
                }
                for r in players
            ]
        )
    )
    pushed = in_billions(pd.DataFrame([_pushed(cache.summary(PUSHED), base)]))
    years = f"present value of {base.labels.years[0]} to {base.labels.horizon}"
    tables = [
        Table(
            "q09_games",
            f"What regions gain when a card is withheld, against current law, {years}",
            games,
        ),
        Table("q09_coalitions", f"What coalitions are worth, {years}", values),
        Table(
            "q09_shapley",
            "Shapley values: what each member should get or give if all trade,"
            f" {years}; they sum to nothing",
            shapleys,
        ),
        Table(
            "q09_pushed_away",
            f"What regions gain when Korea and Japan are pushed away, {years}",
            pushed,
        ),
    ]
    shown = [f"{name}, USD bn" for name in names.values()] + ["World, USD bn"]
    figures = [
        Figure(
            "q09_games",
            "Harm to others and to oneself",
            "q09_games",
            _alt(games),
            partial(_draw_games, columns=tuple(shown), years=years),
        ),
        Figure(
            "q09_shapley",
            "Who needs whom",
            "q09_shapley",
            "Bars of Shapley values: "
            + ", ".join(
                f"{r['member']} {r['Shapley value, USD bn']:+.1f} USD bn"
                for _, r in shapleys.iterrows()
            )
            + ".",
            partial(
                _draw_shapley,
                paint={names[r]: c for r, c in style.colours(names).items()},
                years=years,
            ),
        ),
    ]
    how = how_sure(
        cache, *((PUSHED, f"welfare.{who}") for who in ("USA", "JPN", "KOR"))
    )
    return Answer((*finding(games, shapleys, pushed, names), *how), tables, figures)


def _games(cache: CaseCache, base: Summary, short: bool) -> pd.DataFrame:
    found = [
        (
            game,
            speed,
            "foreseen",
            cache.summary(_case(cache, held), world),
            cache.summary("current_law", world),
        )
        for speed, world in _worlds(cache, short).items()
        for game, held in _games_of(short).items()
    ]
    if not short:
        found += [
            (
                (holder, ALL),
                "central",
                f"{'a surprise' if surprise else 'foreseen'}, materials and chips only",
                cache.summary(_overnight(cache, holder, surprise)),
                base,
            )
            for holder in OVERNIGHT
            for surprise in (False, True)
        ]
    return pd.DataFrame([_game(*one) for one in found])


def _game(
    game: tuple[str, str], speed: str, when: str, own: Summary, base: Summary
) -> dict[str, object]:
    names, (holder, target) = base.labels.regions, game
    harmed = sum(gain(own, base, q) for _, q in GAMES[game])
    return {
        "holder": names[holder],
        "from": "all four" if target == ALL else names[target],
        "card": WORDS[holder],
        "replacement": speed,
        "known": when,
        "harm to the target, USD bn": -harmed / 1000.0,
        "harm to the holder, USD bn": -gain(own, base, holder) / 1000.0,
        **{f"{name}, USD bn": gain(own, base, r) / 1000.0 for r, name in names.items()},
        "World, USD bn": gain(own, base, "all") / 1000.0,
    }


def _pushed(own: Summary, base: Summary) -> dict[str, object]:
    return {
        "case": spoken(own.case.name),
        **{
            f"{name}, USD bn": gain(own, base, r) / 1000.0
            for r, name in base.labels.regions.items()
        },
        "World, USD bn": gain(own, base, "all") / 1000.0,
        "American users, USD bn": users(own, base, "USA") / 1000.0,
        "American treasury, USD bn": treasury(own, base, "USA") / 1000.0,
    }


def coalition_values(
    players: tuple[str, ...], split: Mapping[frozenset[str], Summary], base: Summary
) -> dict[frozenset[str], float]:
    r"""Return what every coalition has against free trade of all, MUSD; each split gives two of them.

    .. math:: v(S) = \sum_{i \in S} (W_i(S) - W_i(N))
    """
    everyone = frozenset(players)
    found = {frozenset(): 0.0, everyone: 0.0}
    for one, own in split.items():
        for side in (one, everyone - one):
            found[side] = sum(gain(own, base, r) for r in side)
    return found


def shapley(
    players: Iterable[str], worth: Mapping[frozenset[str], float]
) -> dict[str, float]:
    r"""Return Shapley values: the mean of what a player adds over all orders in which players can join.

    .. math:: \phi_i = \sum_{S \not\ni i} \frac{|S|! (n - |S| - 1)!}{n!} (v(S \cup i) - v(S))
    """
    everyone = tuple(players)
    n = len(everyone)
    return {
        i: sum(
            factorial(k)
            * factorial(n - k - 1)
            / factorial(n)
            * (worth[frozenset({*some, i})] - worth[frozenset(some)])
            for k in range(n)
            for some in combinations([j for j in everyone if j != i], k)
        )
        for i in everyone
    }


def _draw_games(table: pd.DataFrame, columns: tuple[str, ...], years: str) -> Drawn:
    part = table[(table["replacement"] == "central") & (table["known"] == "foreseen")]
    part = part.assign(
        game=[
            f"{r['holder']} withholds {r['card']} from {_target(str(r['from']))}"
            for _, r in part.iterrows()
        ]
    )
    return charts.matrix(
        part,
        label="game",
        columns=columns,
        title="Who is hurt when a card is withheld, USD bn",
        note=f"{years}, against current law; blue: gain, red: loss",
    )


def _draw_shapley(table: pd.DataFrame, paint: dict[str, str], years: str) -> Drawn:
    wide = pd.DataFrame(
        [
            {
                "member": r["member"],
                **{
                    name: r["Shapley value, USD bn"] if name == r["member"] else 0.0
                    for name in table["member"]
                },
            }
            for _, r in table.iterrows()
        ]
    )
    return charts.stacked_support(
        wide,
        label="member",
        parts={name: paint[name] for name in wide["member"]},
        title="Who needs whom: Shapley values, USD bn",
        note=f"{years}; right: the others need it more than it needs them",
    )


def _alt(games: pd.DataFrame) -> str:
    part = games[(games["replacement"] == "central") & (games["known"] == "foreseen")]
    return (
        "Gains and losses by region for each card withheld. "
        + "; ".join(
            f"{r['holder']} against {r['from']}: target"
            f" {-float(r['harm to the target, USD bn']):+.1f}, holder"
            f" {-float(r['harm to the holder, USD bn']):+.1f} USD bn"
            for _, r in part.iterrows()
        )
        + "."
    )


def finding(
    games: pd.DataFrame,
    shapleys: pd.DataFrame,
    pushed: pd.DataFrame,
    names: dict[str, str],
) -> tuple[str, ...]:
    """Say what the tables hold."""
    part = games[(games["replacement"] == "central") & (games["known"] == "foreseen")]
    said = []
    for target, some in part.groupby("from", sort=False):
        them = "them" if target == "all four" else "it"
        hardest = some.sort_values("harm to the target, USD bn", ascending=False)
        each = "; that of ".join(
            f"{with_article(str(r['holder']))} ({r['card']}) costs {them} "
            f"{_sum(float(r['harm to the target, USD bn']))} and its holder "
            f"{_sum(float(r['harm to the holder, USD bn']))}"
            for _, r in hardest.iterrows()
        )
        said.append(
            f"Withheld with notice from {_target(str(target))}, the card of {each}."
        )
    strong = part[
        (
            part["harm to the target, USD bn"]
            > part["harm to the holder, USD bn"].clip(lower=0.0)
        )
        & (part["harm to the target, USD bn"] > 0.1)
    ]
    said.append(
        "The target loses more than the holder, and more than USD 0.1 bn, in"
        f" {len(strong)} of {len(part)} games"
        + (
            f": {listed([_played(r) for _, r in strong.iterrows()])}."
            if len(strong)
            else "."
        )
    )
    if games["replacement"].nunique() > 1:
        wide = games[(games["known"] == "foreseen") & (games["from"] == "all four")]
        ends = wide.groupby("holder", sort=False)["harm to the target, USD bn"].agg(
            ["min", "max"]
        )
        said.append(
            "Over the range of replacement speed, harm to all four is "
            + "; ".join(
                f"USD {between([low, high], 'bn')} ({holder})"
                for holder, low, high in ends.itertuples()
            )
            + "."
        )
    by_value = dict(
        zip(
            shapleys["member"],
            shapleys["Shapley value, USD bn"].astype(float),
            strict=True,
        )
    )
    top, last = (
        max(by_value, key=lambda r: by_value[r]),
        min(by_value, key=lambda r: by_value[r]),
    )
    row = pushed.iloc[0]
    said.append(
        f"By Shapley value among {listed(list(by_value))} the others need"
        f" {with_article(top)} most ({by_value[top]:+.1f} USD bn) and"
        f" {with_article(last)} needs them most ({by_value[last]:+.1f} USD bn). If"
        " Korea and Japan are pushed away (a duty of 25%, half of materials, resist"
        " tools and memory withheld), the United States"
        f" {result(1000.0 * float(row[names['USA'] + ', USD bn']))} (its users"
        f" {results(1000.0 * float(row['American users, USD bn']))}, its treasury"
        f" {result(1000.0 * float(row['American treasury, USD bn']))}), Japan"
        f" {result(1000.0 * float(row[names['JPN'] + ', USD bn']))} and South Korea"
        f" {result(1000.0 * float(row[names['KOR'] + ', USD bn']))}."
    )
    return tuple(said)


def _sum(harm: float) -> str:
    if abs(harm) < 0.05:
        return "nothing"
    return (
        f"USD {harm:.1f} bn"
        if harm > 0
        else f"less than nothing (a gain of USD {-harm:.1f} bn)"
    )


def _played(row: pd.Series) -> str:
    return f"{row['holder']} against {_target(str(row['from']))}"


def _target(name: str) -> str:
    return name if name == "all four" else f"the {name}"
