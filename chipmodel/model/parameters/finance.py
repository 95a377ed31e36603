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
    count = max(1, math.ceil(lead - 1e-9))
    shell = _even(0.0, lead, count)
    tools = _even(max(0.0, lead - 1.0), lead, count)
    spend = tuple(
        building_share * a + (1.0 - building_share) * b
        for a, b in zip(shell, tools, strict=True)
    )
    interest = math.fsum(
        share * (1.0 + rate) ** max(lead - k, 0.0) for k, share in enumerate(spend)
    )
    return Construction(lead, spend, tools, interest)


def _even(start: float, end: float, count: int) -> tuple[float, ...]:
    if end <= start:
        return (1.0, *([0.0] * (count - 1)))
    return tuple(
        max(0.0, min(end, k + 1.0) - max(start, float(k))) / (end - start)
        for k in range(count)
    )


def share_in_service(ready: float, year: int) -> float:
    """Return the share of a year for which a plant ready at time `ready` is in service."""
    return min(1.0, max(0.0, year + 1.0 - ready))
