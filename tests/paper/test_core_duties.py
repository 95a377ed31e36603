"""The schedule of duties: how tariffs, reliefs and ceilings are resolved together."""

from __future__ import annotations

import pytest
from helpers import case_of
from paper import exactly
from traded import allowance, area_of_two, duty, near_and_far

from chipmodel import Policy, Tariff, run
from chipmodel.model.lp.program import schedule_of
from chipmodel.model.parameters.build import build_parameters
from chipmodel.model.world import load_world


def resolved(
    two, *policies: Policy, on: str = "chips", assembled: str | None = "BBB"
) -> dict[str, float]:
    """Duty of each tariff of AAA on chips made in BBB in 2026."""
    return schedule_of(
        build_parameters(two, load_world("central", two)), policies
    ).resolved("AAA", on, "chip", "BBB", assembled, 2026)


MFN = duty(0.05, "mfn", layer="mfn")
S301 = duty(0.1, "s301", layer="section_301")
S232 = duty(0.25, "s232", layer="section_232")


def with_ceiling(tariff: Tariff, ceiling: float, **changes) -> Tariff:
    return Tariff.model_validate({**tariff.model_dump(), "ceiling": ceiling, **changes})


@pytest.mark.parametrize(
    ("policies", "shares"),
    [
        ((S232, MFN, S301), {"mfn": 0.05, "s301": 0.1, "s232": 0.25}),
        ((MFN, with_ceiling(S232, 0.15)), {"mfn": 0.05, "s232": 0.1}),
        (
            (MFN, S301, with_ceiling(S232, 0.15)),
            {"mfn": 0.05, "s301": 0.1, "s232": 0.0},
        ),
        (
            (MFN, with_ceiling(S301, 0.12), S232),
            {"mfn": 0.05, "s301": 0.07, "s232": 0.0},
        ),
        ((MFN, with_ceiling(S232, 0.02)), {"mfn": 0.05, "s232": 0.0}),
        (
            (with_ceiling(S301, 0.12), with_ceiling(S232, 0.2)),
            {"s301": 0.1, "s232": 0.02},
        ),
        ((MFN, with_ceiling(S232, 0.15, capped=("AAA",))), {"mfn": 0.05, "s232": 0.25}),
        ((MFN, with_ceiling(S232, 0.15, exempt=("BBB",))), {"mfn": 0.05}),
        (
            (S301, with_ceiling(S232, 0.15, scope=0.4)),
            {"s301": 0.1, "s232": 0.4 * 0.05},
        ),
        ((MFN, S301, S232, area_of_two()), {"mfn": 0.0, "s301": 0.0, "s232": 0.0}),
        (
            (MFN, S301, S232, area_of_two(layers=("mfn",))),
            {"mfn": 0.0, "s301": 0.1, "s232": 0.25},
        ),
        (
            (MFN, with_ceiling(S232, 0.15), area_of_two(layers=("mfn",))),
            {"mfn": 0.0, "s232": 0.15},
        ),
        ((MFN, S232, area_of_two(segments=("memo",))), {"mfn": 0.05, "s232": 0.25}),
        ((MFN, S232, area_of_two(years=(2027, 2028))), {"mfn": 0.05, "s232": 0.25}),
        (
            (MFN, S232, allowance(relieves="s232", rate_above=0.2)),
            {"mfn": 0.05, "s232": 0.2},
        ),
    ],
    ids=range(15),
)
def test_duties_are_resolved_in_their_order(two, policies, shares):
    assert resolved(two, *policies) == {k: exactly(v) for k, v in shares.items()}


def test_origin_is_by_each_duty_s_own_rule(two):
    packaged = duty(0.2, "packaged", origin_rule="assembly")
    assert resolved(two, S232, packaged) == {"s232": 0.25, "packaged": 0.2}
    assert resolved(two, S232, packaged, assembled="AAA") == {"s232": 0.25}


def test_each_law_keeps_its_share_in_the_ledger(variant):
    """A base duty of 1% and one of 30% under an all-in ceiling of 4% share 2.4 a wafer
    as 0.6 and 1.8.
    """
    top = with_ceiling(duty(0.3, "top", layer="section_232"), 0.04)
    solution = run(near_and_far(variant), case_of(duty(0.01, "base", layer="mfn"), top))
    paid = solution.policies.query("item == 'tariff'").set_index("policy").value
    assert paid["base"] == exactly(0.6 * 1.11)
    assert paid["top"] == exactly(1.8 * 1.11)
