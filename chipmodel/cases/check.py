"""Checks of a case against the data before it is solved."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from chipmodel.cases.case import Case
from chipmodel.common.errors import InputError, Problem
from chipmodel.model.parameters.parameters import Parameters
from chipmodel.model.world import World
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


def surprise_dates(case: Case, world: World) -> list[int]:
    """Return the years after the base year in which something becomes known."""
    dates = {policy.known_from for policy in case.policies}
    dates |= {event.known_from for event in world.event}
    return sorted(date for date in dates if date and date > world.base_year)


HIGHEST_RATE = 0.999
"""Share of the cost above which no build is paid: one that is free has no bound."""


def highest_rate(case: Case, grant: Support, parameters: Parameters) -> float:
    """Return the largest rate at which no eligible build is paid more than it costs.

    It is zero or below if the other instruments of the case pay the whole cost.
    """
    paid: dict[BuildKey, float] = defaultdict(float)
    for policy in case.policies:
        if not isinstance(policy, Support) or policy.inactive:
            continue
        if policy.id == grant.id:
            continue
        for key, share in policy.support_shares(parameters).items():
            site = parameters.sites.sites[key[0]]
            # Where the rate replaces the award, only the other support adds to it.
            if not (policy.by_award and grant.instead_of_award(site)):
                paid[key] += share
    # The first builds cost this multiple of the capital cost, later ones more.
    lowest_cost = parameters.parameter["multiplier_start"]
    unpaid = lowest_cost
    for site, year in grant.eligible(parameters):
        unpaid = min(unpaid, lowest_cost - paid[site.id, year])
    return HIGHEST_RATE * min(unpaid, 1.0)


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
    if not problems:
        problems = _unsearchable(case, parameters)
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


def _unsearchable(case: Case, parameters: Parameters) -> list[Problem]:
    """Return grants whose terms depend on a solution and cannot be found.

    All of it is known before anything is solved.
    """
    searching = [policy for policy in case.policies if policy.needs_search]
    seeking = [policy for policy in searching if policy.seeks_rate]
    problems = []
    if surprise_dates(case, parameters.world):
        # Each pass would search again and pay for the same builds a second time.
        what = "cannot be combined with known_from: builds would be paid twice"
        fix = "give it form = 'open' with a rate"
        for policy in searching:
            problems.append(Problem(case.name, f"policy {policy.id}", what, fix))
    if len(seeking) > 1:
        ids = ", ".join(policy.id for policy in seeking)
        what = "more than one open grant seeks its rate"
        problems.append(Problem(case.name, ids, what, "give all but one a rate"))
    for grant in seeking:
        assert isinstance(grant, Support)
        place = f"policy {grant.id}"
        if not grant.eligible(parameters):
            what = "no build is eligible"
            fix = "check region, segments, firms and years"
            problems.append(Problem(case.name, place, what, fix))
        elif highest_rate(case, grant, parameters) <= 0:
            what = "other support already pays the whole cost of a build"
            problems.append(Problem(case.name, place, what, "lower the other support"))
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
