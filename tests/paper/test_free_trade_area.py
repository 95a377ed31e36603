"""Ceilings and free-trade areas, solved on paper."""

from __future__ import annotations

import pytest
from helpers import case_of
from paper import DF, OLD, PLANT, PRICE, area, built, exactly, still
from traded import CHEAPER, area_of_two, duty, near_and_far

from chipmodel import Tariff, run


def with_ceiling(tariff: Tariff, ceiling: float, **changes) -> Tariff:
    return Tariff.model_validate({**tariff.model_dump(), "ceiling": ceiling, **changes})


@pytest.mark.parametrize(
    ("policies", "rate"),
    [
        ((with_ceiling(duty(0.3), 0.04),), 0.04),
        ((duty(0.02), with_ceiling(duty(0.3, "top", layer="other"), 0.04)), 0.04),
        ((duty(0.3, layer="section_232"), area_of_two()), 0.0),
        ((duty(0.04, layer="mfn"), area_of_two(layers=("section_232",))), 0.04),
    ],
    ids=["ceiling", "ceiling over two", "free trade", "free trade in another layer"],
)
@pytest.mark.parametrize("on", ["chips", "use"])
def test_ceilings_and_free_trade_on_paper(variant, policies, rate, on):
    """BBB's wafers cost 57.31 and AAA's 60.

    Resolved to 4% (2.4), the duty leaves BBB at 59.71; to 0, at 57.31.

    So 1.11 or 1.55 come from BBB (1.01 or 1.05 times the reference are bought), and the
    treasury gets 2.4 on each or nothing.
    """
    policies = [
        p.model_copy(update={"on": on}) if isinstance(p, Tariff) else p
        for p in policies
    ]
    solution = run(near_and_far(variant), case_of(*policies))
    x = 1.01 if rate else 1.05
    new = 11 * x - 10
    assert built(solution) == {("new_bbb_chip_beta", 2026): exactly(new)}
    year = OLD * 11 * x + (PLANT - CHEAPER + PRICE * rate) * new - PRICE * 11 * area(x)
    assert solution.objective == exactly(still() + DF[1] * year)
    assert solution.account.treasury.get("treasury:AAA", 0.0) == exactly(
        DF[1] * PRICE * rate * new
    )
    exempt = solution.policies.query("item == 'freed_flow'").value.sum()
    assert exempt == exactly(new if rate == 0 else 0.0)
