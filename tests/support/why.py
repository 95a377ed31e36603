"""What the tests of `chipmodel why` share: short rules, and checks of a diagnosis."""

from __future__ import annotations

from typing import Any

import chipmodel as cm
from chipmodel import Policy, explain_infeasible
from chipmodel.policies.capacity_mandate import CapacityMandate
from chipmodel.policies.embargo import Embargo
from chipmodel.policies.origin_floor import OriginFloor

SOFT = {"price_cap": 1e6}


def rule(
    kind: type[Policy], name: str, years: tuple[int, int], **fields: Any
) -> Policy:
    return kind.model_validate({"id": name, "years": years, "source": "own", **fields})


def mandate(
    region: str,
    segment: str,
    kwpm: float,
    years: tuple[int, int],
    name: str = "mandate",
    **more: Any,
) -> Policy:
    return rule(
        CapacityMandate,
        name,
        years,
        region=region,
        segment=segment,
        kwpm=kwpm,
        **{"borne_by": "makers", **more},
    )


def floor(
    market: str,
    segment: str,
    trusted: tuple[str, ...],
    years: tuple[int, int],
    name: str = "floor",
    **fields: Any,
) -> Policy:
    return rule(
        OriginFloor,
        name,
        years,
        market=market,
        trusted=trusted,
        segments=(segment,),
        **{"on": "use", "share": 0.9, **fields},
    )


def ban(origin: str, destination: str, name: str, years: tuple[int, int]) -> Policy:
    return rule(
        Embargo, "ban", years, origin=origin, destination=destination, input=name
    )


def titles_in(diagnosis: cm.Diagnosis) -> tuple[set[str], set[str]]:
    """Return the members of all conflicts, and those that can solve theirs alone."""
    members: set[str] = set()
    helpful: set[str] = set()
    for conflict in diagnosis.conflicts:
        members |= {member.title for member in conflict.members}
        helpful |= {member.title for member in conflict.members if member.gives}
        if conflict.lead_times:
            members.add("lead times")
            helpful.add("lead times")
    return members, helpful


def assert_explained(
    data: cm.Dataset,
    case: cm.Case,
    members: set[str],
    helps: set[str],
    world: cm.World | str = "central",
) -> cm.Diagnosis:
    """Compare a diagnosis with its culprits, all of which its text names."""
    diagnosis = explain_infeasible(data, case, world)
    assert diagnosis.status == "infeasible"
    titles, helpful = titles_in(diagnosis)
    assert members <= titles, titles
    assert helps <= helpful, helpful
    named = set()
    for conflict in diagnosis.conflicts:
        named |= {member.policy for member in conflict.members}
    assert named >= {policy.id for policy in case.policies}
    text = str(diagnosis)
    for title in titles:
        assert title in text
    return diagnosis
