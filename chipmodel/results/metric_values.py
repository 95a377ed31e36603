"""Values of the metrics: how each is computed from summaries.

Each takes a summary, the reference summary if it is a difference, and what the name of
the metric fills in. Money is MUSD: undiscounted over the years reported, or in present
value over all years solved.
"""

from __future__ import annotations

from collections.abc import Mapping

from chipmodel.common.units import per_kwpm_year
from chipmodel.results.summary import Summary

ALL = "all"
"""The world as a region, or the sum over segments or firms."""


def _by_region(values: Mapping[str, float], region: str) -> float:
    if region == ALL:
        return sum(values.values())
    return values.get(region, 0.0)


def capacity(summary: Summary, region: str, segment: str, year: int) -> float:
    """Return capacity in service, kwpm."""
    total = 0.0
    for (r, s, t), kwpm in summary.capacity.items():
        if t == year and region in (r, ALL) and segment in (s, ALL):
            total += kwpm
    return total


def share(summary: Summary, region: str, segment: str, year: int) -> float:
    """Return the share of the world's capacity in service."""
    world = capacity(summary, ALL, segment, year)
    if world <= 0:
        return 0.0
    return capacity(summary, region, segment, year) / world


def herfindahl(summary: Summary, segment: str, year: int) -> float:
    """Return the sum of squared shares of the regions."""
    shares = [share(summary, r, segment, year) for r in summary.labels.regions]
    return sum(share**2 for share in shares)


def cost_of_buyers(summary: Summary, base: Summary, region: str) -> float:
    """Return the loss of consumer surplus, present value."""
    return _by_region(base.surplus, region) - _by_region(summary.surplus, region)


def cost_at_maker(summary: Summary, base: Summary, region: str) -> float:
    """Return the rise of prices at makers times purchases, present value."""
    costs = []
    for key, wafers in summary.purchases.items():
        place, _, year = key
        if region in (place, ALL):
            price = summary.maker_price[key]
            # Where the reference has no price there is no rise to measure.
            rise = per_kwpm_year(price - base.maker_price.get(key, price))
            costs.append(rise * wafers * summary.discount[year])
    return sum(costs)


def rents(summary: Summary, base: Summary, region: str) -> float:
    """Return the change of rents, present value."""
    return _by_region(summary.rents, region) - _by_region(base.rents, region)


def treasury(summary: Summary, base: Summary, region: str) -> float:
    """Return the change of net revenue, present value."""
    return _by_region(summary.treasury, region) - _by_region(base.treasury, region)


def welfare(summary: Summary, base: Summary, region: str) -> float:
    """Return the change of surplus, rents and revenue, present value."""
    return (
        rents(summary, base, region)
        + treasury(summary, base, region)
        - cost_of_buyers(summary, base, region)
    )


def welfare_billed(summary: Summary, base: Summary, region: str) -> float:
    """Return the change of welfare without the residual of places, present value."""
    unbilled = _by_region(summary.unbilled, region) - _by_region(base.unbilled, region)
    return welfare(summary, base, region) - unbilled


def outlay(summary: Summary, region: str) -> float:
    """Return support paid in cash, undiscounted."""
    total = 0.0
    for (_, r, _), paid in summary.cash.items():
        if region in (r, ALL):
            total += paid
    return total


def _received(summary: Summary, account: str, region: str) -> float:
    total = 0.0
    for (a, _, r, _), received in summary.lines.items():
        if a == account and region in (r, ALL):
            total += received
    return total


def tariffs(summary: Summary, region: str) -> float:
    """Return tariffs received, undiscounted."""
    return _received(summary, "tariff", region)


def fines(summary: Summary, region: str) -> float:
    """Return fines received, undiscounted."""
    return _received(summary, "fine", region)


def user_price(summary: Summary, region: str, segment: str, year: int) -> float:
    """Return the price at users; NaN where there is none."""
    return summary.user_price.get((region, segment, year), float("nan"))


def maker_price(summary: Summary, region: str, segment: str, year: int) -> float:
    """Return the mean price at makers of devices; NaN where there is none."""
    return summary.maker_price.get((region, segment, year), float("nan"))


def certificate_price(summary: Summary, policy: str, year: int) -> float:
    """Return the price of a certificate; NaN without such a policy."""
    return summary.certificates.get((policy, year), float("nan"))


def _certificates_worth(summary: Summary, policy: str, year: int, factor: str) -> float:
    """Return a year's certificates of a kwpm, by the factor the policy grants it."""
    # The factors are fields of a capacity-linked quota; no other policy has any.
    rule = next((p for p in summary.case.policies if p.id == policy), None)
    certificates = float(getattr(rule, factor, float("nan")))
    return certificates * per_kwpm_year(certificate_price(summary, policy, year))


def certificates_building(summary: Summary, policy: str, year: int) -> float:
    """Return a year's certificates of a kwpm under construction."""
    return _certificates_worth(summary, policy, year, "under_construction")


def certificates_running(summary: Summary, policy: str, year: int) -> float:
    """Return a year's certificates of a kwpm in service."""
    return _certificates_worth(summary, policy, year, "in_service")


def certificate_income(summary: Summary, policy: str, firm: str) -> float:
    """Return the worth of the certificates a firm earns, undiscounted."""
    income = 0.0
    for (p, f, t), kwpm in summary.earned.items():
        if p == policy and firm in (f, ALL):
            income += per_kwpm_year(summary.certificates[p, t]) * kwpm
    return income


def duty_forgone(summary: Summary, policy: str) -> float:
    """Return the duty that an allowance refunds, undiscounted."""
    forgone = 0.0
    for (a, p, _, _), received in summary.lines.items():
        if (a, p) == ("allowance", policy):
            # A refund is a payment of the treasury, and so negative.
            forgone -= received
    return forgone


def objective(summary: Summary) -> float:
    """Return the objective, present value."""
    return summary.objective
