"""What the shipped data must show. Each case is solved once for the whole file."""

from __future__ import annotations

from functools import cache
from typing import Any

import pandas as pd
import pytest
from helpers import booked_and_ledger

import chipmodel as cm
from chipmodel.common.units import per_wafer
from chipmodel.model.lp.compile import compile_program
from chipmodel.model.lp.program import write
from chipmodel.model.parameters.build import build_parameters

FIRST_FREE = 2026


@cache
def data() -> cm.Dataset:
    return cm.load_dataset()


@cache
def solved(case: str, world: str = "central", changes: str = "") -> cm.Solution:
    chosen = cm.load_world(world, data())
    if changes:
        chosen = chosen.with_(**CHANGES[changes])
    return cm.run(data(), case, chosen)


CAPITAL_OVER_BUILDING = {"JPN": 3.5, "KOR": 4.0}
"""Capital cost of a fab over the cost of its building, at a building share of 0.25."""


def more_expensive(region: str, factor: float) -> dict[str, Any]:
    """Return a scale of running cost by a factor, and of capital through buildings."""
    building = 1.0 + (factor - 1.0) * CAPITAL_OVER_BUILDING[region]
    return {
        "scale": [
            {
                "table": "cost_factors",
                "where": {"region": region, "item": item},
                "factor": by,
            }
            for item, by in (("building", building), ("running", factor))
        ]
    }


CHANGES: dict[str, dict[str, Any]] = {
    "uncommitted": {"committed": 0.0},
    "longer": {"horizon": 2045},
    "japan_up_1": more_expensive("JPN", 1.01),
    "korea_down_5": more_expensive("KOR", 0.95),
}


def additions(solution: cm.Solution) -> pd.Series:
    builds = solution.builds
    builds = builds[
        ~builds.segment.str.startswith("package") & (builds.year >= FIRST_FREE)
    ]
    return builds.groupby(["segment", "region"]).value.sum()


def shares(values: pd.Series) -> pd.Series:
    return values / values.groupby("segment").transform("sum")


def us_capacity(
    solution: cm.Solution, segment: str | None = None, year: int = 2035
) -> float:
    table = solution.capacity[
        (solution.capacity.region == "USA") & (solution.capacity.year == year)
    ]
    return float(
        (table if segment is None else table[table.segment == segment]).value.sum()
    )


def test_base_year_output_shares_are_within_3_points_of_observed() -> None:
    solution = solved("current_law")
    made = (
        solution.output[solution.output.year == 2025]
        .groupby(["segment", "region"])
        .value.sum()
    )
    seen = pd.Series({(s, r): v for (r, s), v in solution.parameters.capacity.items()})
    seen.index.names = ["segment", "region"]
    gap = shares(made).sub(shares(seen), fill_value=0.0)
    assert gap.abs().max() < 0.03


def test_no_user_loses_more_than_2_percent_in_the_base_year() -> None:
    solution = solved("current_law")
    used = solution.columns("consumed")
    assert (
        min(
            used[e, s, 2025] / q
            for (e, s, t), q in solution.parameters.reference.items()
            if t == 2025
        )
        >= 0.98
    )


@pytest.mark.parametrize(
    "case",
    [
        "no_policy",
        "current_law",
        "friendshore_80",
        "section232_25_flat",
        "section232_100",
        "us_self_sufficient",
        "korea_japan_pushed_away",
        "china_decoupling",
    ],
)
def test_coefficients_lie_between_1e_4_and_1e6(case: str) -> None:
    numbers = build_parameters(data(), cm.load_world("central", data()))
    arrays = compile_program(write(numbers, cm.load_case(case, data()).policies))
    for name, (low, high) in arrays.ranges().items():
        assert low >= 1e-4, name
        assert high <= 1e6, name


def test_a_place_1_percent_more_expensive_moves_no_share_by_10_points() -> None:
    before = additions(solved("current_law"))
    after = additions(solved("current_law", changes="japan_up_1"))
    big = shares(before)[lambda x: x >= 0.05].index
    moved = shares(after).sub(shares(before), fill_value=0.0)
    assert moved[big].abs().max() < 0.10
    assert moved.abs().max() > 0.0


def test_a_5_percent_cheaper_place_moves_some_share_by_a_point() -> None:
    moved = shares(additions(solved("current_law", changes="korea_down_5"))).sub(
        shares(additions(solved("current_law"))), fill_value=0.0
    )
    assert moved.xs("KOR", level="region").max() >= 0.01


def test_the_base_year_is_its_reference() -> None:
    """Usual use gives the reference quantity of every segment at its price."""
    solution = solved("current_law")
    parameters = solution.parameters
    year = solution.world.base_year
    prices = solution.prices.query("stage == 'user' and year == @year")
    price = prices.set_index(["segment", "region"])["value"]
    for segment in parameters.segments:
        used = {
            region: kwpm
            for (region, s, t), kwpm in solution.columns("consumed").items()
            if (s, t) == (segment, year)
        }
        reference = sum(
            kwpm
            for (_, s, t), kwpm in parameters.reference.items()
            if (s, t) == (segment, year)
        )
        total = sum(used.values())
        assert total == pytest.approx(reference, rel=0.01), segment
        paid = sum(kwpm * price[segment, region] for region, kwpm in used.items())
        usual = parameters.prices.reference[segment] / 0.012
        assert paid / total == pytest.approx(usual, rel=0.01), segment


def test_results_to_2035_do_not_depend_on_the_horizon() -> None:
    def share(solution: cm.Solution) -> pd.Series:
        table = solution.capacity.groupby(["segment", "year", "region"]).value.sum()
        return table / table.groupby(level=["segment", "year"]).transform("sum")

    gap = share(solved("current_law", changes="longer")).sub(
        share(solved("current_law")), fill_value=0.0
    )
    # Support ends with the first life of a fab and its annuity goes on, so that years
    # after that life weigh on places that are built for support.
    assert gap.abs().max() < 0.02


@pytest.mark.parametrize("changes", ["", "uncommitted"])
def test_without_chips_support_there_is_less_capacity_in_the_united_states(
    changes: str,
) -> None:
    law = solved("current_law", changes=changes)
    withdrawn = solved("chips_withdrawn_all", changes=changes)
    assert us_capacity(withdrawn) < us_capacity(law) - 10.0
    assert us_capacity(withdrawn, "logic_lt10") < us_capacity(law, "logic_lt10")


def test_a_duty_on_chips_passes_into_the_makers_price_and_less_into_the_users() -> None:
    law, duty = solved("current_law"), solved("section232_25_flat")
    n = law.parameters
    trade = duty.trade[
        (duty.trade.flow == "chips")
        & (duty.trade.destination == "USA")
        & (duty.trade.origin != "USA")
    ]
    imported = trade.groupby(["segment", "year"]).value.sum()
    before, after = law.maker_prices, duty.maker_prices
    user = [
        q.prices[(q.prices.stage == "user") & (q.prices.region == "USA")]
        .set_index(["segment", "year"])
        .value
        for q in (law, duty)
    ]
    passed = at_user = levied = 0.0
    for (segment, year), wafers in imported.items():
        if year >= 2028:
            levied += wafers * per_wafer(0.25 * n.prices.dutiable[segment])
            passed += wafers * (
                after["USA", segment, year] - before["USA", segment, year]
            )
            at_user += wafers * (user[1][segment, year] - user[0][segment, year])
    assert passed / levied >= 0.60
    assert 0.0 < at_user < passed
    made = [
        q.trade[
            (q.trade.flow == "devices")
            & (q.trade.origin == "USA")
            & (q.trade.year == 2032)
        ].value.sum()
        for q in (law, duty)
    ]
    assert made[1] < made[0]


def loss_of_users(case: str, region: str = "USA") -> float:
    return (
        solved("current_law").account.gains[f"users:{region}"]
        - solved(case).account.gains[f"users:{region}"]
    )


def us_devices(case: str, year: int = 2032) -> float:
    trade = solved(case).trade
    return float(
        trade[
            (trade.flow == "devices") & (trade.origin == "USA") & (trade.year == year)
        ].value.sum()
    )


def test_the_base_of_a_duty_matters_more_than_a_few_points_of_its_rate() -> None:
    """A duty on use cannot be avoided by making devices elsewhere.

    Users bear more of it, device makers less.
    """
    assert (
        loss_of_users("section232_25_use")
        > 2.0 * loss_of_users("section232_25_flat")
        > 0.0
    )
    law = us_devices("current_law")
    assert law - us_devices("section232_25_flat") > 2.0 * abs(
        law - us_devices("section232_25_use")
    )
    duals = solved("section232_25_use").accounts
    assert (
        duals[(duals.policy == "s232") & (duals.agent == "treasury:USA")].value.sum()
        > 0.0
    )


def test_the_allowance_of_taiwan_adds_capacity_over_no_duty_and_duty_alone() -> None:
    law, bare, terms = (
        us_capacity(solved(c), "logic_lt10")
        for c in ("current_law", "section232_25_no_allowance", "section232_25")
    )
    assert law + 1.0 < bare
    assert bare + 1.0 < terms
    ledger = solved("section232_25").policies
    earned = ledger[ledger["item"].str.startswith("earned_by_")]
    assert set(earned["item"]) == {"earned_by_tsmc"}
    assert (
        ledger[
            (ledger.policy == "taiwan_terms") & (ledger["item"] == "dual_allowance")
        ].value.max()
        > 100.0
    )


@pytest.mark.parametrize(
    "case", ["current_law", "section232_25_flat", "section232_25", "section232_25_use"]
)
def test_treasuries_agree_with_the_policies_table(case: str) -> None:
    booked, ledger = booked_and_ledger(solved(case))
    assert len(booked) == 7
    assert ledger == pytest.approx(booked, rel=1e-9)


def test_growth_in_china_of_firms_on_licence_is_what_was_under_way() -> None:
    builds = solved("current_law").builds
    builds = builds[
        (builds.region == "CHN") & builds.firm.isin(["samsung", "sk_hynix", "tsmc"])
    ]
    assert builds[builds.year >= FIRST_FREE].value.sum() < 1e-6


def test_friendshoring_has_a_cost_and_a_dual() -> None:
    floor = solved("friendshore_80")
    duals = floor.policies[floor.policies["item"] == "dual_floor"]
    assert duals.value.max() > 10.0
    loss = (
        solved("current_law").account.gains["users:USA"]
        - floor.account.gains["users:USA"]
    )
    assert loss > 0.0
    used = floor.trade[
        (floor.trade.flow == "use")
        & (floor.trade.destination == "USA")
        & (floor.trade.year == 2032)
    ]
    assert used.value.sum() > 0.0


def test_named_sites_are_in_the_results() -> None:
    sites = set(solved("current_law").capacity.site)
    assert {"tsmc_kumamoto_2", "tsmc_az_p2", "rapidus_chitose"} <= sites
    assert "ap_sk_hynix_indiana" in solved("current_law").parameters.packaging.plants


def test_the_hindcast_starts_from_2022_and_knows_only_what_was_known() -> None:
    numbers = build_parameters(data(), cm.load_world("hindcast_2022", data()))
    assert numbers.years[0] == 2022
    assert "intel_magdeburg" in numbers.sites.sites
    assert "tsmc_az_p4" not in numbers.sites.sites


def test_rows_in_any_order_give_the_same_linear_program() -> None:
    shuffled = {name: tuple(reversed(rows)) for name, rows in data().tables.items()}
    again = cm.Dataset("shuffled", data().root, shuffled, data().hashes)
    world = cm.load_world("central", data())
    left, right = (
        compile_program(write(build_parameters(d, world))) for d in (data(), again)
    )
    assert left.matrix.shape == right.matrix.shape
    assert sorted(map(repr, left.column_labels)) == sorted(
        map(repr, right.column_labels)
    )
    assert left.cost.sum() == pytest.approx(right.cost.sum(), rel=1e-12)
