"""Canonical units and the few conversions between them.

Capacity and flows are kwpm: thousand 300 mm-equivalent wafers a month. Money is million
USD of one stated year, real. Unit costs and prices are USD per wafer.
"""

from __future__ import annotations

from typing import Final

WAFERS_PER_KWPM_YEAR: Final = 12_000
"""Wafers made in a year by one kwpm at full use."""


MUSD_PER_KWPM_YEAR: Final = 0.012
"""Million USD a year for one kwpm at one USD per wafer."""


MONTHS_PER_YEAR: Final = 12.0


MONEY_UNITS: Final = frozenset(
    {"MUSD", "MUSD/kwpm", "MUSD/year", "USD/wafer", "USD billion"}
)


LARGEST_SENSIBLE: Final = {
    "kwpm": 1e5,  # the world runs some ten thousand
    "MUSD/kwpm": 1e4,
    "USD/wafer": 1e6,
    "share": 1.0,
    "share/year": 1.0,
    "months": 240.0,
    "MUSD/year": 1e6,
    "MUSD": 1e7,
    "factor": 100.0,
    "year": 100.0,
    "index": 100.0,
    "elasticity": 1e9,  # origins are perfect substitutes
    "USD billion": 1e6,
    "per USD": 1e5,
}
"""Largest sensible number in each unit, where a fact has no narrower bound.

A larger one is a typing error or has another unit.
"""


def per_kwpm_year(usd_per_wafer: float) -> float:
    """Return million USD per kwpm and year for USD per wafer."""
    return usd_per_wafer * MUSD_PER_KWPM_YEAR


def per_wafer(musd_per_kwpm_year: float) -> float:
    """Return USD per wafer for million USD per kwpm and year."""
    return musd_per_kwpm_year / MUSD_PER_KWPM_YEAR


SHOWN = {
    "share": ("%", 100.0, 1),
    "MUSD": ("USD bn", 1e-3, 1),
    "kwpm": ("kwpm", 1.0, 0),
    "USD/wafer": ("USD per wafer", 1.0, 0),
    "index": ("", 1.0, 3),
}
"""How a unit is shown: name, factor, decimals."""
