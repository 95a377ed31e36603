"""Usual use and surge, yields and the residual of a place, by hand.

On the two-region data set: 100 kwpm of chip fabs (40 of alpha, 60 of beta) and 50 of
memo, usual use 0.85, ceiling 0.95, no shock in the base year.
"""

from __future__ import annotations

import pytest
from helpers import case_of, change, parameters, variant, world_of

import chipmodel as cm
from chipmodel.model.world import Event

EVENT = Event(
    id="quake",
    region="BBB",
    segments=("all",),
    years=(2026, 2026),
    depth=0.5,
    source="own",
)


@pytest.fixture(scope="module")
def surging(two):
    """The world in which fabs usually run below their ceiling."""
    return world_of(two, surge=1.0)


def consumed(solution, segment, year):
    amounts = solution.columns("consumed").items()
    return sum(value for (_, s, t), value in amounts if (s, t) == (segment, year))


def made(solution, segment, year):
    amounts = solution.columns("made").items()
    return sum(value for (s, _, t), value in amounts if (s, t) == (segment, year))


def test_the_base_year_is_the_reference(two, surging):
    """Usual use gives the reference quantity: 0.85 of each fleet, at its price."""
    solution = cm.run(two, "no_policy", surging)
    for segment, kwpm in (("chip", 85.0), ("memo", 42.5)):
        assert consumed(solution, segment, 2025) == pytest.approx(kwpm, rel=1e-9)
    prices = solution.prices.query("stage == 'user' and year == 2025")
    for segment, reference in (("chip", 6000.0), ("memo", 3000.0)):
        found = prices[prices["segment"] == segment]["value"]
        assert found.to_numpy() == pytest.approx(reference, rel=0.01)


def test_at_zero_surge_the_ceiling_is_usual(two):
    """Without a surge the 12% between usual use and ceiling are free in the base year.

    That is what version 0.2.0 had.
    """
    solution = cm.run(two, "no_policy")
    assert consumed(solution, "chip", 2025) > 85.0 * 1.05


@pytest.mark.parametrize("rise", [0.2, 0.6])
def test_a_surge_fills_its_steps_in_order_and_sets_the_price(tmp_path, rise):
    """An earthquake halves BBB in 2026: AAA and the rest of BBB run at the ceiling.

    Each of the two steps holds 0.05 of the capacity that can run: of chip fabs 40 + 30.
    At the price of the shortage all steps pay, so output is 0.95 of what can run; the
    second step costs 1 + 0.75 rise times the reference at the fab gate, which the price
    cannot be below.
    """
    data = variant(tmp_path / "d", parameters(surge_rise=rise))
    world = world_of(data, surge=1.0, event=(EVENT,))
    solution = cm.run(data, "no_policy", world)
    assert made(solution, "chip", 2026) == pytest.approx(0.95 * 70.0, rel=1e-9)
    fab_gate = solution.parameters.prices.fab_gate["chip"] / 0.012
    found = solution.prices.query("stage == 'fab' and year == 2026")
    found = found[found["segment"] == "chip"]["value"]
    assert found.min() >= fab_gate * (1 + 0.75 * rise) - 1e-6
    surge = solution.accounts.query("account == 'surge' and year == 2026")["value"]
    inputs = 400.0
    costs = [0.05 * (fab_gate * (1 + share * rise) - inputs) for share in (0.25, 0.75)]
    chips = 70.0 * sum(costs) * 0.012
    memo_gate = solution.parameters.prices.fab_gate["memo"] / 0.012
    costs = [0.05 * (memo_gate * (1 + share * rise) - 200.0) for share in (0.25, 0.75)]
    memos = 35.0 * sum(costs) * 0.012
    assert -surge.sum() == pytest.approx(chips + memos, rel=1e-9)


def test_fabs_idle_in_a_slump(tmp_path):
    """Demand falls by a fifth a year: expensive fabs stop, none below the trough."""
    expensive = change("costs", {"segment": "chip", "item": "running"}, value=5500)
    data = variant(tmp_path / "d", expensive)
    world = world_of(data, surge=1.0, demand_shift=-0.2, committed=0.0)
    solution = cm.run(data, "no_policy", world)
    assert made(solution, "chip", 2025) == pytest.approx(85.0, rel=1e-9)
    assert 60.0 <= made(solution, "chip", 2030) < 75.0


def test_long_run_cost_is_spread_over_usual_use(two, surging):
    """The annuity of a kwpm falls on 0.85 wafers and not on 0.95."""
    usual = cm.run(two, "no_policy", surging).parameters
    ceiling = cm.run(two, "no_policy").parameters
    places = usual.sites.places.values()
    chips = [place for place in places if place.group[2] == "chip"]
    weights = {"AAA": 40.0, "BBB": 60.0}
    annuity = 0.0
    for place in chips:
        yearly = usual.recovery * place.capex * place.work.interest
        annuity += weights[place.group[1]] / 100.0 * yearly
    more = usual.prices.long_run["chip"] - ceiling.prices.long_run["chip"]
    assert more == pytest.approx(annuity * (1 / 0.85 - 1 / 0.95), rel=1e-9)


def test_yields_turn_wafers_into_good_wafers(two):
    """Alpha has 0.6 and the best 0.8, so a gap of 0.25, of which 0.1 closes a year.

    The mean of the base year, over 40 and 60 kwpm, is 1 - 0.25 x 0.4 = 0.9.
    """
    world = world_of(two, yield_gap=1.0, surge=1.0)
    solution = cm.run(two, "no_policy", world)
    parameters = solution.parameters
    assert parameters.good("alpha", "chip", 2025) == pytest.approx(0.75 / 0.9)
    assert parameters.good("beta", "chip", 2025) == pytest.approx(1 / 0.9)
    assert parameters.good("alpha", "chip", 2027) == pytest.approx(
        (1 - 0.25 * 0.81) / 0.9
    )
    # The base year is unchanged: the same good wafers at the same price.
    assert consumed(solution, "chip", 2025) == pytest.approx(85.0, rel=1e-9)
    by_region = {
        r: value
        for (s, r, t), value in solution.columns("made").items()
        if (s, t) == ("chip", 2025)
    }
    assert by_region["AAA"] == pytest.approx(0.85 * 40 * 0.75 / 0.9, rel=1e-9)
    assert by_region["BBB"] == pytest.approx(0.85 * 60 / 0.9, rel=1e-9)


def test_a_better_yield_builds_more(tmp_path):
    """Alpha builds more, the further the yield of all others is below its own."""
    built = {}
    for value in (0.3, 0.8):
        others = change("yields", {"segment": "chip", "firm": "other"}, value=value)
        data = variant(tmp_path / str(value), others)
        world = world_of(data, yield_gap=1.0, surge=1.0)
        solution = cm.run(data, "no_policy", world)
        builds = solution.columns("build").items()
        built[value] = sum(v for (i, _), v in builds if i == "new_aaa_chip_alpha")
    assert built[0.3] > built[0.8]


def test_the_residual_falls_on_new_fabs_and_has_its_own_line(tmp_path):
    """A residual of -500 USD a wafer in AAA: paid on what its new chip fabs make."""
    data = variant(
        tmp_path / "d",
        change("place_residual", {"region": "AAA", "segment": "chip"}, value=-500),
    )
    solution = cm.run(data, case_of(), world_of(data, surge=1.0))
    sites = solution.parameters.sites.sites
    discounted = 0.0
    for (i, k, _), wafers in solution.columns("output").items():
        site = sites[i]
        # A surge has a calibrated cost of its own.
        is_new = site.kind != "fleet" and k == 0
        if is_new and (site.region, site.segment) == ("AAA", "chip"):
            discounted += 0.012 * 500 * wafers
    assert discounted > 0
    line = solution.accounts.query("account == 'place_residual'")["value"].sum()
    assert line == pytest.approx(discounted, rel=1e-9)


def test_welfare_is_shown_with_and_without_the_residual(tmp_path):
    """The difference is the line, discounted, by the home of the firms."""
    edit = change("place_residual", {"region": "AAA", "segment": "chip"}, value=-500)
    data = variant(tmp_path / "d", edit)
    base = cm.run(data, "no_policy")
    credit = cm.run(data, "credit")
    gained = []
    for solution in (base, credit):
        line = solution.accounts.query("account == 'place_residual'")
        discount = line["year"].map(solution.parameters.discount)
        gained.append((line["value"] * discount).sum())
    table = cm.compare(base, credit, metrics=["welfare.AAA", "welfare_billed.AAA"])
    table = table[table["case"] == "credit"]
    changes = dict(zip(table["metric"], table["difference"], strict=True))
    assert abs(gained[1] - gained[0]) > 1.0
    assert changes["welfare.AAA"] - changes["welfare_billed.AAA"] == pytest.approx(
        gained[1] - gained[0], rel=1e-9
    )


def test_a_draw_that_crosses_trough_and_use_is_solved(two):
    """A trough of 0.9 above a use of 0.85: fleets usually run at the trough."""
    trough = {"table": "operation", "where": {"item": "u_min"}, "factor": 1.5}
    solution = cm.run(two, "no_policy", world_of(two, surge=1.0, scale=[trough]))
    assert solution.parameters.usual["chip"] == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (change("yields", {"firm": "alpha"}, value=1.2), "value 1.2 is above 1"),
        (change("yields", {"firm": "alpha"}, value=0), "value 0 is below 0.001"),
        (
            change("operation", {"segment": "chip", "item": "u_base"}, value=0.97),
            "u_min, u_base and u_max are out of order",
        ),
        (
            change("expansion", {"firm": "alpha"}, value=0.5),
            "segment=chip: shares sum to 1.1; make them sum to 1",
        ),
    ],
)
def test_bad_numbers_are_refused(tmp_path, edit, message):
    with pytest.raises(cm.InputError, match=message):
        variant(tmp_path / "d", edit)
