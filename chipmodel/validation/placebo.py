"""The placebo: every region's support handed to the next region."""

from __future__ import annotations

from collections import defaultdict

from chipmodel.case import Case
from chipmodel.dataset import Dataset
from chipmodel.numbers import Numbers, build_numbers
from chipmodel.policies import CapexGrant, Policy
from chipmodel.policies.support import Support
from chipmodel.world import World

NEXT = {"USA": "JPN", "JPN": "KOR", "KOR": "TWN", "TWN": "CHN", "CHN": "EUR", "EUR": "ROW", "ROW": "USA"}
"""To whom each region's support goes."""


def handed_on(case: Case, data: Dataset, world: World) -> Case:
    """Return a case whose support is paid by the next region, for fabs there.

    Named awards become an open grant at their mean rate, for the sites of another region have none.
    """
    numbers = build_numbers(data, world)
    policies: list[Policy] = []
    for policy in case.policies:
        if not isinstance(policy, Support) or policy.region not in NEXT:
            policies.append(policy)
            continue
        changed = {**policy.model_dump(), "region": NEXT[policy.region]}
        if isinstance(policy, CapexGrant) and policy.form == "award":
            changed |= {"form": "open", "rate": mean_award(policy, numbers)}
        policies.append(type(policy).model_validate(changed))
    return case.model_copy(update={"policies": tuple(policies)})


def mean_award(policy: CapexGrant, numbers: Numbers) -> float:
    """Return what a programme of awards pays over the capital cost of all that could be built in the region."""
    total: dict[str, float] = defaultdict(float)
    for site in numbers.sites.sites.values():
        if site.kind == "project" and site.region == policy.region:
            capex = numbers.sites.places[numbers.sites.group_of[site.id]].capex * (site.size or 0.0)
            total["capex"] += capex
            total["award"] += site.awards.get(policy.region, 0.0)
    return min(0.3, total["award"] / total["capex"]) if total["capex"] > 0 else 0.0
