"""Canonical units and the few conversions between them.

Capacity and flows are kwpm: thousand 300 mm-equivalent wafers a month. Money is million USD of one
stated year, real. Unit costs and prices are USD per wafer.
"""

from __future__ import annotations

from typing import Final

WAFERS_PER_KWPM_YEAR: Final = 12_000
"""Wafers made in a year by one kwpm at full use."""

MUSD_PER_KWPM_YEAR: Final = 0.012
"""Million USD a year for one kwpm at one USD per wafer."""

MONTHS_PER_YEAR: Final = 12.0

MONEY_UNITS: Final = frozenset({"MUSD", "MUSD/kwpm", "MUSD/year", "USD/wafer", "USD billion"})

UNITS: Final = (
    "kwpm",
    "MUSD/kwpm",
    "USD/wafer",
    "share",
    "share/year",
    "months",
    "MUSD/year",
    "MUSD",
    "factor",
    "year",
    "index",
    "elasticity",
    "USD billion",
    "per USD",
)


def per_kwpm_year(usd_per_wafer: float) -> float:
    """Turn USD per wafer into million USD per kwpm and year."""
    return usd_per_wafer * MUSD_PER_KWPM_YEAR


def per_wafer(musd_per_kwpm_year: float) -> float:
    """Turn million USD per kwpm and year into USD per wafer."""
    return musd_per_kwpm_year / MUSD_PER_KWPM_YEAR
