"""Common parts of rules on the origin of chips."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from chipmodel.common import pyo
from chipmodel.common.text import dollars, exact_percent
from chipmodel.policies.base import DisplayNames, Policy
from chipmodel.solver.ledger import Party

if TYPE_CHECKING:
    from chipmodel.model.lp.builder import ModelBuilder


def serve_minimum(
    builder: ModelBuilder,
    policy: Policy,
    market: str,
    segments: tuple[str, ...],
    minimum: Any,
) -> None:
    r"""Require that users of a market get a minimum, by segment and year.

    .. math:: \sum_k served_{s,k,t} \ge minimum \cdot reference_{s,t}

    Parameters
    ----------
    minimum : float
        Share of the reference quantity.
    """
    reference = builder.parameters.reference
    # What users get is the sum over the steps of their demand curve.
    steps: dict[tuple[str, int], list[Any]] = defaultdict(list)
    for (user, s, _, t), term in builder.model.served.items():
        if user == market and s in segments and policy.active(t):
            steps[s, t].append(term)
    # Owned by the users: chips they would not have bought at the price are their loss.
    builder.limit(
        "min_served",
        list(steps),
        lambda s, t: pyo.quicksum(steps[s, t]) - minimum * reference[market, s, t],
        owner=Party("users", market).label,
        unit="kwpm",
        policy=policy,
        meaning="cost of serving one more wafer under the rule, USD per wafer",
    )


def flow_name(
    on: str, market: str, segments: tuple[str, ...], names: DisplayNames
) -> str:
    """Return what a rule of origin counts, as part of a sentence."""
    what = "everything used" if on == "use" else "what makers of devices buy"
    return f"the chips{names.only(segments)} in {what} in {names(market)}"


def exceptions(price_cap: float | None, beyond: str, min_served: float | None) -> str:
    """Return the fine and the minimum of a rule, as the end of a sentence."""
    text = ""
    if price_cap is not None:
        text += f", or {dollars(price_cap)} is paid per wafer {beyond}"
    if min_served is not None:
        text += f", and users get {exact_percent(min_served)} of what they usually use"
    return text


def require_fine(on: str, price_cap: float | None) -> None:
    """Refuse a rule on bare chips without a fine.

    Raises
    ------
    ValueError
        Which pydantic reports as a problem of the instrument.
    """
    if on == "chips" and price_cap is None:
        raise ValueError(
            "on = 'chips' needs price_cap: min_served counts users, not what makers buy"
        )
