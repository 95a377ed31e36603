"""Q9, who holds the cards: what withholding costs, and what each ally is worth."""

from __future__ import annotations

from functools import partial

import pandas as pd

from chipmodel.common.text import listed, with_article
from chipmodel.display import charts, style
from chipmodel.display.canvas import Drawn
from chipmodel.questions.answer import Answer, Column, Figure, Table, rounded
from chipmodel.questions.chokepoints import (
    ALL,
    CHOKEPOINT,
    DESCRIPTIONS,
    GAMES,
    OVERNIGHT,
    games_of,
    overnight,
    players_of,
    replacement_worlds,
    withholding,
)
from chipmodel.questions.coalitions import (
    COALITIONS,
    MEMBERS_SHARES,
    coalition_rows,
    member_rows,
    solved_values,
    splits,
    withheld_between,
)
from chipmodel.questions.shared import (
    BN,
    CASE,
    WORLD,
    Row,
    alt_text,
    between,
    case_name,
    gain,
    gains_by_region,
    how_sure,
    labels_of,
    money,
    records,
    region_columns,
    result,
    results,
    treasury,
    users,
)
from chipmodel.results.summary import Labels, Summary
from chipmodel.studies.case_cache import CaseCache
from chipmodel.studies.plan import Cell

TITLE = "Who holds the cards: what each can withhold, and at what price"


ASKS = (
    "What do allies lose, and cost others, by withholding what they make, and what is"
    " each worth to the others?"
)


METHOD = (
    "From 2032, when the fabs under way have their tools, one ally exports none of its"
    " chokepoint goods to the United States, or to all four others: Japan photoresist,"
    " silicon wafers and resist tools, Korea memory, Taiwan leading-edge logic (bare"
    " chips, as device makers buy them), Europe lithography, the United States etch and"
    " deposition tools. Changes are present values against current law. The value of a"
    " coalition is the welfare of its members if they trade freely with each other"
    " while they and the others withhold their chokepoint goods from each other, less"
    " their welfare when all trade; Shapley values divide it among them. Design"
    " software, chips inside devices, responses outside chips and the cost of changing"
    " suppliers are left out, so inputs of one kind are interchangeable. A surprise"
    " needs goods whose loss idles fabs: in the model, construction cannot be stopped"
    " once it has started, so tools cannot be withheld overnight."
)


PUSHED = "korea_japan_pushed_away"


SMALL_HARM = 0.05
"""Harm below this, USD bn, is reported as nothing."""


NOTABLE_HARM = 0.1
"""Harm to the target above this, USD bn, is counted in the finding."""


def cells(cache: CaseCache, short: bool) -> list[Cell]:
    """Return current law, the games, the coalitions and Korea and Japan pushed away."""
    needed = [cache.cell("current_law"), cache.cell(PUSHED)]
    for world in replacement_worlds(cache, short).values():
        needed.append(cache.cell("current_law", world))
        for withheld in games_of(short).values():
            needed.append(cache.cell(withholding(cache, withheld), world))
    players = players_of(short)
    for side in splits(players):
        needed.append(cache.cell(withholding(cache, withheld_between(side, players))))
    if not short:
        for holder in OVERNIGHT:
            for surprise in (False, True):
                needed.append(cache.cell(overnight(cache, holder, surprise)))
    return needed


def answer(cache: CaseCache, short: bool) -> Answer:
    """Return the harm of each game, and the value of coalitions and their members."""
    base = cache.summary("current_law")
    labels = base.labels
    game_columns = _game_columns(labels)
    pushed_columns = _pushed_columns(labels)
    games = rounded(_games(cache, base, short), game_columns)
    players = players_of(short)
    values = solved_values(cache, players)
    coalitions = rounded(coalition_rows(values, players, labels), COALITIONS)
    shapleys = rounded(member_rows(values, players, labels), MEMBERS_SHARES)
    pushed = rounded([_pushed(cache.summary(PUSHED), base)], pushed_columns)
    years = f"present value of {labels.years[0]} to {labels.horizon}"
    tables = [
        Table(
            "q09_games",
            "Gains of regions when a chokepoint is withheld, against current law,"
            f" {years}",
            games,
            game_columns,
        ),
        Table(
            "q09_coalitions", f"Value of coalitions, {years}", coalitions, COALITIONS
        ),
        Table(
            "q09_shapley",
            "Shapley values: what each member should receive or pay if all trade,"
            f" {years}; they sum to zero",
            shapleys,
            MEMBERS_SHARES,
        ),
        Table(
            "q09_pushed_away",
            f"Gains of regions when Korea and Japan are pushed away, {years}",
            pushed,
            pushed_columns,
        ),
    ]
    figures = [
        Figure(
            "q09_games",
            "Harm to others and to oneself",
            "q09_games",
            _alt_games(games),
            partial(_draw_games, labels=labels, years=years),
        ),
        Figure(
            "q09_shapley",
            "Who needs whom",
            "q09_shapley",
            _alt_shapley(shapleys),
            partial(_draw_shapley, labels=labels, years=years),
        ),
    ]
    metrics = ("welfare.USA", "welfare.JPN", "welfare.KOR")
    sure = how_sure(cache, (PUSHED,), metrics)
    return Answer((*finding(games, shapleys, pushed), *sure), tables, figures)


# The tables.


def _game_columns(labels: Labels) -> list[Column]:
    return [
        Column("holder", "holder"),
        Column("target", "from"),
        CHOKEPOINT,
        Column("replacement", "replacement"),
        Column("known", "known"),
        money("harm_target", "harm to the target"),
        money("harm_holder", "harm to the holder"),
        *region_columns(labels),
        WORLD,
    ]


def _games(cache: CaseCache, base: Summary, short: bool) -> list[Row]:
    rows: list[Row] = []
    for speed, world in replacement_worlds(cache, short).items():
        reference = cache.summary("current_law", world)
        for game, withheld in games_of(short).items():
            summary = cache.summary(withholding(cache, withheld), world)
            rows.append(_game(game, speed, "foreseen", summary, reference))
    if short:
        return rows
    for holder in OVERNIGHT:
        for surprise in (False, True):
            known = "a surprise" if surprise else "foreseen"
            summary = cache.summary(overnight(cache, holder, surprise))
            game = (holder, ALL)
            which = f"{known}, materials and chips only"
            rows.append(_game(game, "central", which, summary, base))
    return rows


def _game(
    game: tuple[str, str], speed: str, known: str, summary: Summary, base: Summary
) -> Row:
    names = base.labels.regions
    holder, target = game
    # Those the chokepoint is withheld from, not all that lose.
    harmed = sum(gain(summary, base, region) for _, region in GAMES[game])
    return {
        "holder": names[holder],
        "target_id": target,
        "target": "all four" if target == ALL else names[target],
        "chokepoint": DESCRIPTIONS[holder],
        "replacement": speed,
        "known": known,
        "harm_target": -harmed / BN,
        "harm_holder": -gain(summary, base, holder) / BN,
        **gains_by_region(summary, base),
    }


def _main_games(games: pd.DataFrame) -> pd.DataFrame:
    """Return the games foreseen and with central replacement, of all chokepoints."""
    central = games["replacement"] == "central"
    return games[central & (games["known"] == "foreseen")]


def _pushed_columns(labels: Labels) -> list[Column]:
    return [
        CASE,
        *region_columns(labels),
        WORLD,
        money("us_users", "American users"),
        money("us_treasury", "American treasury"),
    ]


def _pushed(summary: Summary, base: Summary) -> Row:
    return {
        "case": case_name(summary.case.name),
        **gains_by_region(summary, base),
        "us_users": users(summary, base, "USA") / BN,
        "us_treasury": treasury(summary, base, "USA") / BN,
    }


# The figures.


def _draw_games(table: pd.DataFrame, labels: Labels, years: str) -> Drawn:
    names = labels_of([*region_columns(labels), WORLD])
    games = _main_games(table).rename(columns=names)
    titles = []
    for row in records(games):
        goods, target = row["chokepoint"], _target(row["target"])
        titles.append(f"{row['holder']} withholds {goods} from {target}")
    return charts.matrix(
        games.assign(game=titles),
        label="game",
        columns=list(names.values()),
        title="Who is hurt when a chokepoint is withheld, USD bn",
        note=f"{years}, against current law; blue: gain, red: loss",
    )


def _alt_games(games: pd.DataFrame) -> str:
    harms = []
    for row in records(_main_games(games)):
        # Harm is a loss, and the figure shows gains.
        gains = f"target {-row['harm_target']:+.1f}, holder {-row['harm_holder']:+.1f}"
        harms.append(f"{row['holder']} against {row['target']}: {gains} USD bn")
    return alt_text("Gains and losses by region for each chokepoint withheld.", harms)


def _draw_shapley(table: pd.DataFrame, labels: Labels, years: str) -> Drawn:
    # A bar is one colour where its own member is the only part that is not zero.
    bars = table[["member"]].copy()
    for row in records(table):
        is_member = bars["member"] == row["member"]
        bars[row["member"]] = is_member.astype(float) * row["shapley"]
    paint = style.colours(labels.regions)
    return charts.stacked_support(
        bars,
        label="member",
        parts={row["member"]: paint[row["region"]] for row in records(table)},
        title="Who needs whom: Shapley values, USD bn",
        note=f"{years}; right: the others need it more than it needs them",
    )


def _alt_shapley(shapleys: pd.DataFrame) -> str:
    members = [
        f"{row['member']} {row['shapley']:+.1f} USD bn" for row in records(shapleys)
    ]
    return f"Bars of Shapley values: {', '.join(members)}."


# The finding.


def finding(
    games: pd.DataFrame, shapleys: pd.DataFrame, pushed: pd.DataFrame
) -> tuple[str, ...]:
    """Return the finding: who harms whom, how fast it is replaced, who needs whom."""
    main = _main_games(games)
    sentences = [
        _harms(str(target), part) for target, part in main.groupby("target", sort=False)
    ]
    sentences.append(_strong(main))
    if games["replacement"].nunique() > 1:
        sentences.append(_replacement_range(games))
    sentences.append(f"{_needs(shapleys)} {_pushed_away(records(pushed)[0])}")
    return tuple(sentences)


def _harms(target: str, part: pd.DataFrame) -> str:
    """Return what each chokepoint costs a target and its holder, the worst first."""
    them = "them" if target == "all four" else "it"
    hardest = records(part.sort_values("harm_target", ascending=False))
    costs = []
    for row in hardest:
        costs.append(
            f"that of {with_article(row['holder'])} ({row['chokepoint']}) costs {them}"
            f" {_harm(row['harm_target'])} and its holder {_harm(row['harm_holder'])}"
        )
    first, *others = costs
    first = first.replace("that", "the chokepoint", 1)
    return (
        f"Withheld with notice from {_target(target)}, {'; '.join([first, *others])}."
    )


def _strong(main: pd.DataFrame) -> str:
    """Return in which games the target loses more than the holder."""
    strong = []
    for row in records(main):
        # A holder that gains by withholding has no harm to exceed.
        if row["harm_target"] > max(row["harm_holder"], NOTABLE_HARM):
            strong.append(f"{row['holder']} against {_target(row['target'])}")
    which = f": {listed(strong)}" if strong else ""
    return (
        f"The target loses more than the holder, and more than USD {NOTABLE_HARM} bn,"
        f" in {len(strong)} of {len(main)} games{which}."
    )


def _replacement_range(games: pd.DataFrame) -> str:
    foreseen = games[(games["known"] == "foreseen") & (games["target_id"] == ALL)]
    ranges = []
    for holder, part in foreseen.groupby("holder", sort=False):
        ranges.append(f"USD {between(part['harm_target'], 'bn')} ({holder})")
    return (
        "Over the range of replacement speeds, harm to all four is"
        f" {'; '.join(ranges)}."
    )


def _needs(shapleys: pd.DataFrame) -> str:
    values = {row["member"]: row["shapley"] for row in records(shapleys)}
    top = max(values, key=values.__getitem__)
    last = min(values, key=values.__getitem__)
    return (
        f"By Shapley value among {listed(list(values))} the others need"
        f" {with_article(top)} most (USD {values[top]:+.1f} bn) and"
        f" {with_article(last)} needs them most (USD {values[last]:+.1f} bn)."
    )


def _pushed_away(row: Row) -> str:
    return (
        "If Korea and Japan are pushed away (a duty of 25%; half of materials, resist"
        f" tools and memory withheld), the United States {result(row['USA'])} (its"
        f" users {results(row['us_users'])}, its treasury"
        f" {result(row['us_treasury'])}), Japan {result(row['JPN'])} and South Korea"
        f" {result(row['KOR'])}."
    )


def _harm(harm: float) -> str:
    if abs(harm) < SMALL_HARM:
        return "nothing"
    if harm < 0:
        return f"less than nothing (a gain of USD {-harm:.1f} bn)"
    return f"USD {harm:.1f} bn"


def _target(name: str) -> str:
    return name if name == "all four" else with_article(name)
