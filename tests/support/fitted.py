"""The example of every instrument, fitted to the two-region data set."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from chipmodel.common.ids import REGION_PATTERN
from chipmodel.policies.base import Policy

KINDS = sorted(
    kind for kind, policy in Policy.kinds.items() if "chipmodel" in policy.__module__
)

NAMES = {
    "logic_lt10": "chip",
    "logic_ge28": "chip",
    "dram": "chip",
    "nand": "memo",
    "samsung": "alpha",
    "sk_hynix": "alpha",
    "photoresist": "resist",
    "s232": "duty",
}
"""Names of the shipped data, and those of the two-region data in their place."""

SMALLER = ("kwpm", "quota", "budget")
"""Fields whose numbers are those of a larger world."""

DUTY = {
    "kind": "tariff",
    "id": "duty",
    "importer": "BBB",
    "rate": 0.2,
    "on": "chips",
    "years": [2026, 2030],
    "source": "own",
}
"""A duty for the instruments that relieve one."""


def fitted(kind: str) -> dict[str, Any]:
    """Return the fields of the example of a kind, fitted to the two-region data set."""
    regions: dict[str, str] = {}

    def name(value: str) -> str:
        if re.fullmatch(REGION_PATTERN, value):
            return regions.setdefault(value, "BBB" if regions else "AAA")
        return NAMES.get(value, value)

    body: dict[str, Any] = {"kind": kind}
    for field, value in tomllib.loads(Policy.kinds[kind].example).items():
        if field == "years":
            body[field] = [2027, 2029]
        elif field in ("source", "known_from"):
            continue
        elif isinstance(value, str):
            body[field] = name(value)
        elif isinstance(value, list):
            body[field] = list(dict.fromkeys(map(name, value)))
        else:
            body[field] = value / 20 if field in SMALLER else value
    return {**body, "source": "own"}


def companions(kind: str) -> list[dict[str, Any]]:
    """Return what an instrument relieves, if it relieves something."""
    relieves = kind in ("capacity_linked_quota", "free_trade_area")
    return [DUTY] if relieves else []
