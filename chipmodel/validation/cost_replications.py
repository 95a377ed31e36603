"""Replications computed from the model's parameters, without a solve."""

from __future__ import annotations

from chipmodel.common.units import per_wafer
from chipmodel.dataset.rows import ConstructionRow, CostFactorRow
from chipmodel.model.parameters.build import build_parameters
from chipmodel.model.parameters.place_cost import gap, incentive_part, incentives
from chipmodel.model.parameters.scaled_facts import Facts
from chipmodel.validation.shared import HINDCAST, ModelResult, ReplicationSetup

FOUNDRY = "logic_lt10"
"""Segment of the foundry fab whose site is chosen."""

TARIFF_RATE = 0.10
"""Duty that is tried in the choice of a site."""

SUPPORT_RATE = 0.25
"""Share of capital cost that is tried as support in the choice of a site."""


def place_cost(setup: ReplicationSetup, names: list[str]) -> dict[str, ModelResult]:
    """Return gaps in ten-year cost between places, from the data the model uses."""
    facts = Facts(setup.data, setup.world("central"))
    results = {}
    for name in names:
        kind, region, other, *year = name.split(".")
        if kind == "gap":
            result = ModelResult(gap(facts, region, other, int(year[0])))
        elif kind == "incentive_part":
            result = ModelResult(incentive_part(facts, region, other, int(year[0])))
        else:
            with_interest = gap(facts, region, other, interest=True)
            note = f"with interest during construction {with_interest:.1%}"
            result = ModelResult(gap(facts, region, other), note=note)
        results[name] = result
    return results


def build_time(setup: ReplicationSetup, names: list[str]) -> dict[str, ModelResult]:
    """Return months of construction and ratios of its cost, which are inputs."""
    months = {}
    for row in setup.data.rows(ConstructionRow):
        if row.item == "build":
            months[row.region] = row.value
    factors = {}
    for factor in setup.data.rows(CostFactorRow):
        if factor.item == "building":
            factors[factor.region] = factor.value
    results = {}
    for name in names:
        kind, region, *other = name.split(".")
        if kind == "build":
            results[name] = ModelResult(months[region])
        else:
            results[name] = ModelResult(factors[region] / factors[other[0]])
    return results


def self_sufficiency(setup: ReplicationSetup, _: list[str]) -> dict[str, ModelResult]:
    """Return the cost of making every region self-sufficient at the demand of 2019.

    Where every region makes all it uses, nothing is left to choose, so no solve is
    needed: it is the capacity a region lacks in a segment at its capital cost, and the
    yearly cost of that capacity less the running cost of what becomes idle elsewhere,
    over sales.
    """
    parameters = build_parameters(setup.data, setup.world(HINDCAST))
    year = parameters.years[0]
    upfront = 0.0
    yearly = 0.0
    sales = 0.0
    for segment in parameters.segments:
        base_use = parameters.use[segment, "u_base"]
        idle_use = base_use - parameters.use[segment, "u_min"]
        for region in parameters.regions:
            wanted = parameters.reference.get((region, segment, year), 0.0)
            needed = wanted / base_use
            capacity = parameters.capacity.get((region, segment), 0.0)
            lacking = max(0.0, needed - capacity)
            spare = max(0.0, capacity - needed)
            cost = parameters.costs[region, segment]
            # New capacity is paid for in full; capacity that becomes idle saves only
            # its running cost down to the minimum use.
            annuity = parameters.recovery * cost.capex * cost.interest
            upfront += lacking * cost.capex
            yearly += lacking * (annuity + base_use * cost.running)
            yearly -= spare * idle_use * cost.running
            sales += wanted * parameters.prices.reference[segment]
    # The base solved is that of 2022; the published sum is of 2019.
    scale = setup.parameter("demand_2019")
    note = "over all sales; design and margin unchanged"
    return {
        "upfront": ModelResult(upfront * scale / setup.money_of(2019)),
        "price_rise": ModelResult(yearly / sales, note=note),
    }


def site_choice(setup: ReplicationSetup, _: list[str]) -> dict[str, ModelResult]:
    """Return which instrument moves one foundry fab from Taiwan to the United States.

    Cost per wafer of a new fab in each place, after the incentives of 2020, delivered
    to the United States; then with a duty of 10% on the dutiable value, or with 25% of
    capital cost paid.
    """
    parameters = build_parameters(setup.data, setup.world("central"))
    paid = incentives(Facts(setup.data, parameters.world), 2020)
    use = parameters.use[FOUNDRY, "u_base"]

    def wafer_cost(region: str, support: float = 0.0) -> float:
        cost = parameters.costs[region, FOUNDRY]
        ten_years = cost.ten_years(use, interest=True)
        # Incentives of 2020 are shares of ten-year cost, support one of capital cost.
        after_support = ten_years * (1.0 - paid[region]) - support * cost.capex
        return after_support / (10 * use)

    duty = TARIFF_RATE * parameters.prices.dutiable[FOUNDRY]
    freight = parameters.leg("TWN", "USA", FOUNDRY)
    freight -= parameters.leg("USA", "USA", FOUNDRY)
    gap_before = wafer_cost("USA") - wafer_cost("TWN") - freight
    gap_supported = wafer_cost("USA", SUPPORT_RATE) - wafer_cost("TWN") - freight
    note = (
        f"US wafer more expensive by {per_wafer(gap_before):,.0f} dollars, duty"
        f" {per_wafer(duty):,.0f}, support of 25%"
        f" {per_wafer(gap_before - gap_supported):,.0f}"
    )
    tariff_flips = gap_before > 0 >= gap_before - duty
    return {
        "tariff_flips": ModelResult(float(tariff_flips), note=note),
        "support_does_not": ModelResult(float(gap_supported > 0), note=note),
    }
