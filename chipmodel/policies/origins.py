"""Rules of origin that several instruments share."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pyomo.environ as pyo

from chipmodel.common.text import dollars, exact_percent
from chipmodel.policies.base import DisplayNames, Policy
from chipmodel.solver.ledger import Party

if TYPE_CHECKING:
    from chipmodel.model.lp.builder import ModelBuilder


def serve(
    builder: ModelBuilder, policy: Policy, market: str, segments: tuple[str, ...]
) -> None:
    """Hold what users of a market get to at least ``min_served`` of the reference quantity, by segment and year."""
    n, m = builder.n, builder.model
    steps: dict[tuple[str, int], list[Any]] = defaultdict(list)
    for (e, s, _, t), term in m.served.items():
        if e == market and s in segments and policy.active(t):
            steps[s, t].append(term)
    least = builder.num(policy, "min_served")
    builder.limit(
        "min_served",
        list(steps),
        lambda s, t: pyo.quicksum(steps[s, t]) - least * n.reference[market, s, t],
        owner=Party("users", market).label,
        unit="kwpm",
        policy=policy,
        meaning="cost of serving one more wafer under the rule, USD per wafer",
    )


def _flow(on: str, market: str, segments: tuple[str, ...], names: DisplayNames) -> str:
    what = "everything used" if on == "use" else "what makers of devices buy"
    return f"the chips{names.only(segments)} in {what} in {names(market)}"


def _softened(price_cap: float | None, beyond: str, min_served: float | None) -> str:
    fine = (
        ""
        if price_cap is None
        else f", or {dollars(price_cap)} are paid for a wafer {beyond}"
    )
    served = (
        ""
        if min_served is None
        else f", and users get {exact_percent(min_served)} of what they usually use"
    )
    return fine + served


def _needs_fine(on: str, price_cap: float | None) -> None:
    if on == "chips" and price_cap is None:
        raise ValueError(
            "on = 'chips' needs price_cap: min_served counts users, not what makers buy"
        )
