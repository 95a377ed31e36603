"""The placebo: every region's support reassigned to another region."""

from __future__ import annotations

from chipmodel.cases.case import Case
from chipmodel.dataset.dataset import Dataset
from chipmodel.model.parameters.build import build_parameters
from chipmodel.model.parameters.parameters import Parameters
from chipmodel.model.world import World
from chipmodel.policies.base import Policy
from chipmodel.policies.capex_grant import CapexGrant
from chipmodel.policies.support import Support

NEXT = {
    "USA": "JPN",
    "JPN": "KOR",
    "KOR": "TWN",
    "TWN": "CHN",
    "CHN": "EUR",
    "EUR": "USA",
    "ROW": "ROW",
}
"""Region to which each region's support goes.

The rest of the world, with one small award, keeps its own.
"""


LARGEST_RATE = 0.25
"""Largest share of capital cost that reassigned awards may pay."""


def reassigned_support(case: Case, data: Dataset, world: World) -> Case:
    """Return a case whose support is paid by another region, for fabs there.

    Awards are recorded by project, so those of one region name no project of another:
    their sum is spread over the projects of the region they are reassigned to.
    """
    parameters = build_parameters(data, world)
    policies: list[Policy] = []
    for policy in case.policies:
        if not isinstance(policy, Support):
            policies.append(policy)
            continue
        region = NEXT.get(policy.region, policy.region)
        if region == policy.region:
            policies.append(policy)
        elif isinstance(policy, CapexGrant) and policy.form == "award":
            policies += _spread(policy, region, parameters)
        else:
            changed = {**policy.model_dump(), "region": region}
            policies.append(type(policy).model_validate(changed))
    return case.model_copy(update={"policies": tuple(policies)})


def _spread(
    policy: CapexGrant, region: str, parameters: Parameters
) -> list[CapexGrant]:
    """Return an open grant that pays the sum of some awards to projects of a region.

    There is none if nothing was awarded or the region has no project to pay.
    """
    # By site: one that may be built in several years is eligible once for each.
    awards = {}
    for site, _ in policy.eligible(parameters):
        awards[site.id] = site.awards[policy.region]
    money = policy.share * sum(awards.values())
    projects = []
    capex = 0.0
    for site in parameters.sites.sites.values():
        if site.kind != "project" or site.region != region:
            continue
        # Projects with an award of their own region have lost it to the next region.
        if not site.awards.get(region):
            cost = parameters.costs[site.region, site.segment].capex
            projects.append(site.id)
            capex += cost * (site.size or 0.0)
    if money <= 0 or capex <= 0:
        return []
    changed = {
        "region": region,
        "form": "open",
        "rate": min(LARGEST_RATE, money / capex),
        "share": 1.0,
        "firms": ("all",),
        "excluded": (),
        "sites": tuple(projects),
    }
    return [CapexGrant.model_validate({**policy.model_dump(), **changed})]
