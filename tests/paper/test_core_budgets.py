"""Budgets of firms and outside capital, solved on paper."""

from __future__ import annotations

import pytest
from helpers import case_of, parameters, rows
from paper import (
    CAPEX,
    CRF,
    DF,
    NOTHING,
    OLD,
    PRICE,
    RUNNING,
    area,
    bare,
    built_in_regions,
    exactly,
    first_year,
    line,
)

from chipmodel import CapexGrant, run


def with_budget(variant, mode: str):
    """Alpha may invest 50 in 2025, so 55 in 2026; outside capital in steps of a quarter
    at 2, 4, 6, ... %.
    """
    return bare(
        variant,
        rows("budgets", {"holder": "alpha", "value": 50}),
        parameters(capital_step=0.25, capital_premium=0.02),
        fleets={"AAA": 10},
        place={"AAA": 1},
        budgets=mode,
    )


def test_budget_and_outside_capital(variant):
    """55 MUSD build 0.55 kwpm; then a kwpm needs 100 at 2%: its wafers cost 62.

    10.55 of 11 lies in the step 0.95 to 0.97 (62.5), which is filled: 10.67, so 12 MUSD
    from outside. The step 0.97 to 0.99 (61.2) is not.
    """
    solution = run(with_budget(variant, "gross"), NOTHING)
    assert built_in_regions(solution) == {("AAA", 2026): exactly(0.67)}
    assert line(solution, "outside_capital", 2026) == exactly(0.24)
    cost = OLD * 10.67 + (CRF * CAPEX + RUNNING) * 0.67 + 0.24
    assert solution.objective == exactly(
        first_year() + DF[1] * (cost - PRICE * 11 * area(0.97))
    )
    assert solution.duals("firm_budget")["alpha", 2026] == exactly(0.02)


@pytest.mark.parametrize(
    ("mode", "made", "outside"),
    [
        ("gross", 10.825, (13.75, 13.75)),
        ("net", 10.89, (13.75, 2.45)),
        ("none", 11.55, ()),
    ],
)
def test_budget_gross_or_net_of_support(variant, mode, made, outside):
    """A grant of 20% makes a new wafer cost 60 - 20 CRF = 57.02 before outside capital.

    Gross: a kwpm is charged 100. Its wafers cost 59.02, 61.02, 63.02 at 2, 4, 6%; the
    step 0.97 to 0.99 is worth 61.2, so both first steps of 13.75 are used up: 82.5
    MUSD, 0.825 kwpm.
    Net: a kwpm is charged 80, 58.62 and 60.22 at 2 and 4%: the step to 0.99 is filled
    (10.89, so 71.2 MUSD, 16.2 from outside), the next (60.002) is not.
    None: 57.02 is below the step 1.03 to 1.05 (57.69) but not the next (56.6): 11.55
    are bought.
    """
    grant = CapexGrant(
        id="grant",
        form="open",
        region="AAA",
        rate=0.2,
        years=(2026, 2026),
        source="own",
    )
    solution = run(with_budget(variant, mode), case_of(grant))
    assert built_in_regions(solution) == {("AAA", 2026): exactly(made - 10)}
    premium = sum(0.02 * (k + 1) * amount for k, amount in enumerate(outside))
    assert line(solution, "outside_capital", 2026) == exactly(premium)
    cost = OLD * made + (CRF * 80 + RUNNING) * (made - 10) + premium
    assert solution.objective == exactly(
        first_year() + DF[1] * (cost - PRICE * 11 * area(made / 11))
    )
