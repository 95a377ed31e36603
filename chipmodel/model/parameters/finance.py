"""Annuities, interest during construction and the profile of spending."""

from __future__ import annotations

import math
from dataclasses import dataclass

from chipmodel.common.units import MONTHS_PER_YEAR


def capital_recovery(rate: float, life: float) -> float:
    """Return the capital recovery factor.

    .. math:: CRF = r / (1 - (1 + r)^{-N})

    Parameters
    ----------
    rate : float
        Real rate a year.
    life : float
        Economic life, years.

    Returns
    -------
    float
        Yearly payment per unit of capital.
    """
    return float(rate / (1.0 - (1.0 + rate) ** -life))


@dataclass(frozen=True)
class Construction:
    """How a plant is paid for while it is built.

    Attributes
    ----------
    lead : float
        Years from construction start to production.
    spend : tuple of float
        Share of capital paid in each year from the start.
    tools : tuple of float
        Share of the tools that move in in each year.
    interest : float
        Capital at production start per unit paid:
        ``sum_k spend_k (1 + r)^(lead - k)``.
    """

    lead: float
    spend: tuple[float, ...]
    tools: tuple[float, ...]
    interest: float


def construction(months: float, building_share: float, rate: float) -> Construction:
    """Return the spending profile of a plant built in `months`.

    Shell and facility are paid evenly over construction, tools evenly over its last
    twelve months.
    """
    lead = months / MONTHS_PER_YEAR
    # A lead of whole years must not gain a year by rounding.
    count = max(1, math.ceil(lead - 1e-9))
    shell = _even(0.0, lead, count)
    tools = _even(max(0.0, lead - 1.0), lead, count)
    spend = []
    for shell_share, tool_share in zip(shell, tools, strict=True):
        spend.append(building_share * shell_share + (1.0 - building_share) * tool_share)
    # Spending in year k of construction bears interest until production starts.
    compounded = []
    for k, share in enumerate(spend):
        compounded.append(share * (1.0 + rate) ** max(lead - k, 0.0))
    return Construction(lead, tuple(spend), tools, math.fsum(compounded))


def _even(start: float, end: float, count: int) -> tuple[float, ...]:
    """Return the share of the span from `start` to `end` in each of `count` years."""
    # A plant that takes no time is paid at once.
    if end <= start:
        return (1.0, *([0.0] * (count - 1)))
    shares = []
    for k in range(count):
        overlap = min(end, k + 1.0) - max(start, float(k))
        shares.append(max(0.0, overlap) / (end - start))
    return tuple(shares)


def share_in_service(ready: float, year: int) -> float:
    """Return the share of a year for which a plant ready at time `ready` is in service.

    Parameters
    ----------
    ready : float
        Calendar time at which it starts production, such as 2027.5.
    year : int
    """
    return min(1.0, max(0.0, year + 1.0 - ready))
