"""What the tests of `chipmodel why` share: rules in a line each, and how a diagnosis is held to its culprits."""

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


def told(found: cm.Diagnosis) -> tuple[set[str], set[str]]:
    """Return the members of all conflicts, and those that can solve theirs alone."""
    members, helps = set(), set()
    for conflict in found.conflicts:
        members |= {m.title for m in conflict.members} | (
            {"lead times"} if conflict.lead_times else set()
        )
        helps |= {m.title for m in conflict.members if m.gives} | (
            {"lead times"} if conflict.lead_times else set()
        )
    return members, helps


def assert_explained(
    data: cm.Dataset,
    case: cm.Case,
    members: set[str],
    helps: set[str],
    world: cm.World | str = "central",
) -> cm.Diagnosis:
    """Hold a diagnosis to its culprits, all of which are named in its text."""
    found = explain_infeasible(data, case, world)
    assert found.status == "infeasible"
    seen, able = told(found)
    assert members <= seen, seen
    assert helps <= able, able
    assert {m.policy for c in found.conflicts for m in c.members} >= {
        p.id for p in case.policies
    }
    text = str(found)
    for title in seen:
        assert title in text
    return found
