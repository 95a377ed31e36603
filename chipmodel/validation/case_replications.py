"""Replications computed from solved cases."""

from __future__ import annotations

import pandas as pd

from chipmodel.dataset.rows import TargetRow
from chipmodel.policies.support import Support
from chipmodel.policies.tariff import Tariff
from chipmodel.results import metrics
from chipmodel.results.passthrough import pass_through
from chipmodel.results.solution import Solution
from chipmodel.results.summary import Summary
from chipmodel.validation import ladder
from chipmodel.validation.shared import WITH, WITHOUT, ModelResult, ReplicationSetup

DUTY_CASE = "section232_25_flat"
LAW_CASE = "current_law"

GOVERNMENTS = ("USA", "JPN", "KOR", "TWN", "CHN", "EUR")
"""Governments whose public money is counted."""

LADDER_COLUMNS = [
    "form",
    "budget",
    "rate",
    "anyway",
    "additional",
    "investment",
    "published",
]


def hindcast(setup: ReplicationSetup, names: list[str]) -> dict[str, ModelResult]:
    """Return shares, order and growth in the hindcast with the support of May 2024."""
    return _shares(setup.summary(WITH), names)


def hindcast_without(
    setup: ReplicationSetup, names: list[str]
) -> dict[str, ModelResult]:
    """Return the same without US support."""
    return _shares(setup.summary(WITHOUT), names)


def _shares(summary: Summary, names: list[str]) -> dict[str, ModelResult]:
    results = {}
    for name in names:
        kind, *rest = name.split(".")
        if kind == "order":
            segment, *regions = rest
            results[name] = _order(summary, segment, regions)
        elif kind == "growth":
            results[name] = ModelResult(_growth(summary, rest[0]))
        else:
            results[name] = ModelResult(metrics.evaluate(name, summary))
    return results


def _order(summary: Summary, segment: str, regions: list[str]) -> ModelResult:
    """Return 1 if the shares of some regions fall in the order given, else 0."""
    year = summary.labels.years[-1]
    shares = []
    notes = []
    for region in regions:
        name = f"share.capacity.{region}.{segment}.{year}"
        share = metrics.evaluate(name, summary)
        shares.append(share)
        notes.append(f"{region} {share:.0%}")
    is_falling = shares == sorted(shares, reverse=True)
    return ModelResult(float(is_falling), note=", ".join(notes))


def _growth(summary: Summary, region: str) -> float:
    """Return the growth of a region's capacity over the years reported."""
    years = summary.labels.years
    first = metrics.evaluate(f"capacity.{region}.all.{years[0]}", summary)
    last = metrics.evaluate(f"capacity.{region}.all.{years[-1]}", summary)
    return last / first - 1.0


def ladder_of_support(
    setup: ReplicationSetup, names: list[str]
) -> dict[str, ModelResult]:
    """Return fabs and investment on the rungs of the ladder of support.

    The open grant is our number, the marginal grant the other end of the bracket.
    """
    rungs = ladder.solve_ladder(setup)
    results = {}
    for name in names:
        kind, text = name.split(".")
        budget = int(text)
        read = ladder.fabs if kind == "fabs" else ladder.money
        result = ModelResult(read(rungs.open[budget], setup))
        # Without a budget the two forms are the same case.
        if budget and rungs.marginal:
            other = read(rungs.marginal[budget], setup)
            note = f"open grant; marginal form {other:,.0f}"
            result = ModelResult(result.value, other, note)
        results[name] = result
    return results


def ladder_table(setup: ReplicationSetup) -> pd.DataFrame:
    """Return fabs by form and budget: those built anyway, those added, as published."""
    published = {row.metric: row.value for row in setup.data.rows(TargetRow)}
    solved = ladder.solve_ladder(setup)
    rows = []
    for form, rungs in (("open", solved.open), ("marginal", solved.marginal)):
        for budget, rung in rungs.items():
            # The rung without a budget: what is built without support.
            anyway = ladder.fabs(rungs[0], setup)
            rows.append(
                (
                    form,
                    budget,
                    rung.rate,
                    anyway,
                    ladder.fabs(rung, setup) - anyway,
                    ladder.money(rung, setup),
                    published.get(f"fabs.{budget}", float("nan")),
                )
            )
    return pd.DataFrame(rows, columns=LADDER_COLUMNS)


def tariff_pass_through(
    setup: ReplicationSetup, _: list[str]
) -> dict[str, ModelResult]:
    """Return how much of a flat US duty goes into prices, at maker and at user."""
    summary = setup.summary(DUTY_CASE, "central")
    base = setup.summary(LAW_CASE, "central")
    tariff = summary.case.policy("s232")
    assert isinstance(tariff, Tariff)
    through = pass_through(summary, base, tariff)
    return {
        "maker": ModelResult(through.total(through.maker)),
        "user": ModelResult(through.total(through.user)),
    }


def leverage(setup: ReplicationSetup, _: list[str]) -> dict[str, ModelResult]:
    """Return private investment per dollar of public money.

    ``gross`` of all supported builds, ``additional`` of those added by the support.
    """
    solution = setup.solution(WITH)
    without_policy = setup.solution("no_policy")
    public = 0.0
    for (_policy, region, _year), paid in Summary.of(solution).cash.items():
        if region in GOVERNMENTS:
            public += paid
    supported = _investment(solution, only=_supported(solution))
    added = _investment(solution) - _investment(without_policy)
    # Public money is part of the capital cost; what is left is private.
    return {
        "gross": ModelResult(
            (supported - public) / public, note=f"public {public / 1e3:,.0f} bn"
        ),
        "additional": ModelResult(
            (added - public) / public, note=f"investment added {added / 1e3:,.0f} bn"
        ),
    }


def _investment(solution: Solution, only: set[tuple[str, int]] | None = None) -> float:
    """Return the capital cost of builds under the governments counted, MUSD.

    Builds started in the years reported; `only` those of some (site, year) if given.
    """
    parameters = solution.parameters
    costs = []
    for (site_id, year), kwpm in solution.columns("build").items():
        site = parameters.sites.sites[site_id]
        if year > solution.world.report_until or site.region not in GOVERNMENTS:
            continue
        if only is None or (site_id, year) in only:
            costs.append(kwpm * parameters.costs[site.region, site.segment].capex)
    return sum(costs)


def _supported(solution: Solution) -> set[tuple[str, int]]:
    """Return the builds, by site and year, that any instrument in force supports."""
    supported: set[tuple[str, int]] = set()
    for policy in solution.case.policies:
        if isinstance(policy, Support) and not policy.inactive:
            for site, year in policy.eligible(solution.parameters):
                supported.add((site.id, year))
    return supported
