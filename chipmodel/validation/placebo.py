"""The placebo: every region's support handed to the next region."""

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
"""To whom each region's support goes; the rest of the world, with one small award, keeps its own."""


MOST = 0.25
"""Largest share of capital cost that awards handed on may pay."""


def reassigned_support(case: Case, data: Dataset, world: World) -> Case:
    """Return a case whose support is paid by the next region, for fabs there.

    The sum of named awards is spread over the projects of the next region, for those of
    another have none recorded there.
    """
    parameters = build_parameters(data, world)
    policies: list[Policy] = []
    for policy in case.policies:
        there = NEXT.get(getattr(policy, "region", ""), "")
        if not isinstance(policy, Support) or there in ("", policy.region):
            policies.append(policy)
        elif isinstance(policy, CapexGrant) and policy.form == "award":
            policies += _spread(policy, there, parameters)
        else:
            policies.append(
                type(policy).model_validate({**policy.model_dump(), "region": there})
            )
    return case.model_copy(update={"policies": tuple(policies)})


def _spread(policy: CapexGrant, there: str, parameters: Parameters) -> list[Policy]:
    """Return an open grant that pays the awards of a programme to the projects of another region."""
    money = policy.share * sum(
        {
            site.id: site.awards[policy.region]
            for site, _ in policy.eligible(parameters)
        }.values()
    )
    projects = [
        s
        for s in parameters.sites.sites.values()
        if s.kind == "project" and s.region == there and not s.awards.get(there)
    ]
    capex = sum(
        parameters.costs[s.region, s.segment].billed * (s.size or 0.0) for s in projects
    )
    if money <= 0 or capex <= 0:
        return []
    changed = {
        "region": there,
        "form": "open",
        "rate": min(MOST, money / capex),
        "share": 1.0,
        "firms": ("all",),
        "excluded": (),
        "sites": tuple(s.id for s in projects),
    }
    return [CapexGrant.model_validate({**policy.model_dump(), **changed})]
