"""Which origins of chips are told apart inside devices."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from chipmodel.model.parameters.duties import Distinction
from chipmodel.model.parameters.parameters import Parameters


@dataclass(frozen=True)
class Origins:
    """Which origins the rules of a case tell apart inside devices, and for whose use.

    Attributes
    ----------
    classes : tuple of frozenset
        Classes of origins that every rule treats alike.
    users : frozenset of str
        Users some rule looks at; the chips of all other users are pooled.
    """

    classes: tuple[frozenset[str], ...]
    users: frozenset[str]


def distinguished_origins(
    n: Parameters, distinctions: Iterable[Distinction]
) -> dict[str, Origins]:
    """Return, per segment, the origins that the rules of a case tell apart at the user.

    Chips of one class are the same to every rule, and the users no rule looks at do not
    care, so both are pooled: the programme is smaller and its optimum the same.
    """
    asked = list(distinctions)
    found = {}
    for s in n.segments:
        sets = [origins for _, segments, origins in asked if s in segments]
        users = frozenset(user for user, segments, _ in asked if s in segments)
        kinds: dict[tuple[bool, ...], list[str]] = defaultdict(list)
        for r in (r for r, q in n.places if q == s):
            kinds[tuple(r in told for told in sets)].append(r)
        found[s] = Origins(
            tuple(frozenset(members) for members in kinds.values()), users
        )
    return found
