"""Which origins of chips are distinguished inside devices."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from chipmodel.model.parameters.duties import Distinction
from chipmodel.model.parameters.parameters import Parameters


@dataclass(frozen=True)
class Origins:
    """Which origins the rules of a case distinguish inside devices, for whose use.

    Attributes
    ----------
    classes : tuple of frozenset
        Classes of origins that every rule treats alike.
    users : frozenset of str
        Users whom some rule covers; the chips of all other users are pooled.
    """

    classes: tuple[frozenset[str], ...]
    users: frozenset[str]


def distinguished_origins(
    parameters: Parameters, distinctions: Iterable[Distinction]
) -> dict[str, Origins]:
    """Return, per segment, the origins that the rules of a case distinguish.

    Chips of one class are the same to every rule, and users whom no rule covers are
    indifferent, so both are pooled: the LP is smaller and its optimum the same.
    """
    distinctions = list(distinctions)
    origins_of: dict[str, Origins] = {}
    for s in parameters.segments:
        # By position: instruments of other packages may return plain tuples.
        applying = [rule for rule in distinctions if s in rule[1]]
        users = frozenset(user for user, _, _ in applying)
        regions = [r for r, segment in parameters.places if segment == s]
        classes: dict[tuple[bool, ...], list[str]] = defaultdict(list)
        for r in regions:
            # Origins that the same rules name are one class.
            named_by = tuple(r in origins for _, _, origins in applying)
            classes[named_by].append(r)
        origins_of[s] = Origins(tuple(map(frozenset, classes.values())), users)
    return origins_of
