"""Coalitions that trade freely among their members only, and what each member adds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import combinations, permutations
from math import factorial

from chipmodel.common.text import listed
from chipmodel.questions.answer import Column
from chipmodel.questions.chokepoints import (
    CHOKEPOINT,
    DESCRIPTIONS,
    Withheld,
    withholding,
)
from chipmodel.questions.shared import BN, Row, gain, money
from chipmodel.results.summary import Labels, Summary
from chipmodel.studies.case_cache import CaseCache

Coalition = frozenset[str]
"""Its members, by region."""


COALITIONS = (
    Column("coalition", "coalition"),
    Column("members", "members"),
    money("value", "worth less than when all trade"),
)


MEMBERS_SHARES = (
    Column("member", "member"),
    CHOKEPOINT,
    money("shapley", "Shapley value"),
    money("alone", "alone"),
    money("without", "others without it"),
)


def splits(players: tuple[str, ...]) -> list[Coalition]:
    """Return the ways to split players in two, each by the side of the first player.

    The case of a split values both of its sides, so no other coalition is solved.
    """
    # A split is named by the side of the first player, or each would come twice.
    first, *others = players
    coalitions: list[Coalition] = []
    for size in range(len(others)):
        for partners in combinations(others, size):
            coalitions.append(frozenset({first, *partners}))
    return coalitions


def withheld_between(side: Coalition, players: tuple[str, ...]) -> Withheld:
    """Return who withholds from whom if one side and the others stop trading."""
    pairs = []
    for holder, target in permutations(players, 2):
        if (holder in side) != (target in side):
            pairs.append((holder, target))
    return frozenset(pairs)


def coalition_values(
    players: tuple[str, ...], by_split: Mapping[Coalition, Summary], base: Summary
) -> dict[Coalition, float]:
    r"""Return the value of every coalition against free trade of all, MUSD.

    .. math:: v(S) = \sum_{i \in S} (W_i(S) - W_i(N))

    with the welfare :math:`W_i` of member `i` if the coalition `S` and the others stop
    trading, and if all players `N` trade.

    Parameters
    ----------
    players : tuple of str
    by_split : mapping
        The summary of each split, which gives the values of both of its sides.
    base : Summary
        Of the case in which all trade.
    """
    everyone = frozenset(players)
    # Nobody and everybody are no splits: the first is worth nothing, and the second is
    # the case the others are compared with.
    values: dict[Coalition, float] = {frozenset(): 0.0, everyone: 0.0}
    for side, summary in by_split.items():
        for coalition in (side, everyone - side):
            values[coalition] = sum(gain(summary, base, region) for region in coalition)
    return values


def shapley(
    players: Iterable[str], values: Mapping[Coalition, float]
) -> dict[str, float]:
    r"""Return what each player adds, on average over all orders of joining.

    .. math:: \phi_i = \sum_{S \not\ni i} \frac{|S|! (n - |S| - 1)!}{n!}
        (v(S \cup i) - v(S))
    """
    everyone = tuple(players)
    count = len(everyone)
    shares = dict.fromkeys(everyone, 0.0)
    for player in everyone:
        others = [other for other in everyone if other != player]
        for size in range(count):
            # The share of all orders in which exactly these players come before.
            weight = factorial(size) * factorial(count - size - 1) / factorial(count)
            for before in combinations(others, size):
                added = values[frozenset({*before, player})] - values[frozenset(before)]
                shares[player] += weight * added
    return shares


def solved_values(cache: CaseCache, players: tuple[str, ...]) -> dict[Coalition, float]:
    """Return the value of every coalition of players, MUSD."""
    by_split = {}
    for side in splits(players):
        case = withholding(cache, withheld_between(side, players))
        by_split[side] = cache.summary(case)
    return coalition_values(players, by_split, cache.summary("current_law"))


def coalition_rows(
    values: Mapping[Coalition, float], players: tuple[str, ...], labels: Labels
) -> list[Row]:
    """Return the value of every coalition but the empty one, the smallest first."""
    order = sorted(values, key=lambda coalition: (len(coalition), sorted(coalition)))
    rows: list[Row] = []
    for coalition in order:
        if not coalition:
            continue
        # In the order of the players: a set has none.
        members = [labels.regions[r] for r in players if r in coalition]
        rows.append(
            {
                "coalition": listed(members),
                "members": len(members),
                "value": values[coalition] / BN,
            }
        )
    return rows


def member_rows(
    values: Mapping[Coalition, float], players: tuple[str, ...], labels: Labels
) -> list[Row]:
    """Return the Shapley value of every member, and what coalitions lack without it."""
    everyone = frozenset(players)
    shares = shapley(players, values)
    rows: list[Row] = []
    for region in players:
        rows.append(
            {
                "region": region,
                "member": labels.regions[region],
                "chokepoint": DESCRIPTIONS[region],
                "shapley": shares[region] / BN,
                "alone": values[frozenset({region})] / BN,
                "without": values[everyone - {region}] / BN,
            }
        )
    return rows
