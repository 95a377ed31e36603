"""Checks of a case against the data before it is solved."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from chipmodel.cases.case import Case
from chipmodel.common.errors import InputError, Problem
from chipmodel.model.parameters.parameters import Parameters
from chipmodel.policies.base import Issue, Policy
from chipmodel.policies.builds import BuildKey
from chipmodel.policies.support import Support


def overpaid_builds(
    policies: Iterable[Policy], parameters: Parameters
) -> dict[tuple[str, ...], tuple[str, float]]:
    """Return where policies together pay more than a build costs.

    A build costs at least the first cost multiplier times its base. For each set of
    policies the site with the largest share is returned.

    Returns
    -------
    dict
        Ids of the policies to the site and the share of its cost they pay.
    """
    paid: dict[BuildKey, dict[str, float]] = defaultdict(dict)
    active = {p.id: p for p in policies if isinstance(p, Support) and not p.inactive}
    for policy in active.values():
        for key, share in policy.support_shares(parameters).items():
            paid[key][policy.id] = share
    minimum_cost = parameters.parameter["multiplier_start"]
    overpaid: dict[tuple[str, ...], tuple[str, float]] = {}
    # By set of policies: a set that overpays one site mostly overpays hundreds.
    for (site, _), shares in paid.items():
        # A site takes its award or open rates, not both: the larger counts.
        award = {i: share for i, share in shares.items() if active[i].by_award}
        rates = {
            i: share
            for i, share in shares.items()
            if active[i].instead_of_award(parameters.sites.sites[site])
        }
        smaller = min(award, rates, key=lambda part: sum(part.values()))
        ids = tuple(i for i in shares if i not in smaller)
        share = sum(shares[i] for i in ids)
        _, largest = overpaid.get(ids, ("", minimum_cost))
        if share > largest:
            overpaid[ids] = (site, share)
    return overpaid


def stacked_support(policies: Iterable[Policy], parameters: Parameters) -> list[Issue]:
    """Return an issue for each set of policies that pays more than a build costs."""
    minimum_cost = parameters.parameter["multiplier_start"]
    return [
        Issue(
            " and ".join(ids),
            f"together pay {share:.0%} of the cost of {site}",
            f"keep support below {minimum_cost:.0%}",
        )
        for ids, (site, share) in overpaid_builds(policies, parameters).items()
    ]


def check_case(case: Case, parameters: Parameters, impossible: bool = True) -> None:
    """Refuse a case that does not fit the data, with every problem found.

    Parameters
    ----------
    impossible : bool
        Whether to refuse as well what fits the data and cannot be met.

    Raises
    ------
    InputError
        If there is a problem.
    """
    problems = _misfits(case, parameters)
    # Names that do not exist would make the later checks fail.
    if impossible and not problems:
        problems = _impossible(case, parameters)
    if not problems:
        problems = [
            Problem(case.name, ids, what, fix)
            for ids, what, fix in stacked_support(case.policies, parameters)
        ]
    if problems:
        raise InputError(problems)


def _misfits(case: Case, parameters: Parameters) -> list[Problem]:
    """Return what does not fit the data, or other instruments of the case."""
    named = {policy.id: policy for policy in case.policies}
    problems = []
    for policy in case.policies:
        # Unpacked and not read by name: instruments of other packages may return plain
        # tuples.
        issues = [*policy.problems(parameters), *policy.conflicts_with(named)]
        for field, what, fix in issues:
            place = f"policy {policy.id}, {field}"
            problems.append(Problem(case.name, place, what, fix))
    return problems


def _impossible(case: Case, parameters: Parameters) -> list[Problem]:
    """Return what fits the data and cannot be met."""
    problems = []
    for policy in case.policies:
        for field, what, fix in policy.impossible(parameters):
            place = f"policy {policy.id}, {field}"
            fix = f"{fix}; `chipmodel why` explains more"
            problems.append(Problem(case.name, place, what, fix))
    return problems
