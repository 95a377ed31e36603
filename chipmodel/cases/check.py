"""Checks of a case against the data before it is solved."""

from __future__ import annotations

from collections import defaultdict

from chipmodel.cases.case import Case
from chipmodel.common.errors import InputError, Problem
from chipmodel.model.parameters.parameters import Parameters
from chipmodel.policies.base import Policy
from chipmodel.policies.builds import BuildKey
from chipmodel.policies.support import Support


def overpaid_builds(
    policies: list[Policy], parameters: Parameters
) -> dict[tuple[str, ...], tuple[str, float]]:
    """Return the site at which policies together pay most of the cost, and that share, if it exceeds the least cost."""
    total: dict[BuildKey, dict[str, float]] = defaultdict(dict)
    for policy in policies:
        if isinstance(policy, Support) and not policy.inactive:
            for key, share in policy.support_shares(parameters).items():
                total[key][policy.id] = share
    found: dict[tuple[str, ...], tuple[str, float]] = {}
    for (site, _), shares in total.items():
        share = sum(shares.values())
        if (
            share > parameters.parameter["multiplier_start"]
            and share > found.get(tuple(shares), ("", 0.0))[1]
        ):
            found[tuple(shares)] = (site, share)
    return found


def stacked_support(
    policies: list[Policy], parameters: Parameters
) -> list[tuple[str, str, str]]:
    """Return builds whose support together exceeds their least cost, as (policies, what, mend)."""
    least = parameters.parameter["multiplier_start"]
    return [
        (
            " and ".join(ids),
            f"together pay {share:.0%} of the cost of {site}",
            f"keep support below {least:.0%}",
        )
        for ids, (site, share) in overpaid_builds(policies, parameters).items()
    ]


def check_case(case: Case, parameters: Parameters, impossible: bool = True) -> None:
    """Refuse a case that does not fit the data, with every problem found.

    Parameters
    ----------
    impossible : bool
        Whether to refuse as well what fits the data and cannot be met.
    """
    named = {policy.id: policy for policy in case.policies}
    problems = [
        Problem(case.name, f"policy {policy.id}, {where}", what, fix)
        for policy in case.policies
        for where, what, fix in (
            *policy.problems(parameters),
            *policy.conflicts_with(named),
        )
    ]
    if impossible and not problems:
        problems = [
            Problem(
                case.name,
                f"policy {policy.id}, {where}",
                what,
                f"{fix}; `chipmodel why` tells more",
            )
            for policy in case.policies
            for where, what, fix in policy.impossible(parameters)
        ]
    if not problems:
        problems = [
            Problem(case.name, where, what, fix)
            for where, what, fix in stacked_support(list(case.policies), parameters)
        ]
    if problems:
        raise InputError(problems)
