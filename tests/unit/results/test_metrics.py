"""Every headline number agrees with the tables it summarises."""

from __future__ import annotations

import math
import pickle

import pytest
from helpers import near

import chipmodel as cm
from chipmodel.common.text import with_article
from chipmodel.common.units import per_kwpm_year
from chipmodel.results.metrics import (
    FAMILIES,
    HEADLINE,
    describe,
    evaluate,
    expand,
    parse,
)
from chipmodel.results.summary import Labels, Summary, summary_of


@pytest.fixture(scope="module")
def base(two):
    return cm.run(two, "no_policy")


@pytest.fixture(scope="module")
def taxed(two):
    return cm.run(two, "tariff")


@pytest.fixture(scope="module")
def granted(two):
    return cm.run(two, "grant")


def test_capacity_and_share_are_sums_of_the_capacity_table(base):
    table = base.capacity
    there = table[table["year"] == 2028]
    chips = there[there["segment"] == "chip"]
    mine = chips.loc[chips["region"] == "AAA", "value"].sum()
    assert near(evaluate("capacity.AAA.chip.2028", base), mine)
    assert near(evaluate("capacity.all.all.2028", base), there["value"].sum())
    assert near(
        evaluate("share.capacity.AAA.chip.2028", base), mine / chips["value"].sum()
    )


def test_herfindahl_is_the_sum_of_squared_shares(base):
    shares = [evaluate(f"share.capacity.{r}.chip.2027", base) for r in ("AAA", "BBB")]
    assert near(sum(shares), 1.0)
    assert near(evaluate("hhi.chip.2027", base), sum(x * x for x in shares))


def test_prices_are_those_of_the_price_table(base):
    table = base.prices.set_index(["stage", "region", "segment", "year"])["value"]
    assert (
        evaluate("price.user.AAA.chip.2026", base) == table["user", "AAA", "chip", 2026]
    )
    assert (
        evaluate("price.maker.BBB.memo.2027", base)
        == table["maker", "BBB", "memo", 2027]
    )


def test_outlay_is_the_cash_paid_over_the_years_reported(granted, base):
    lines = granted.accounts
    cash = lines[
        lines["account"].str.endswith("_cash")
        & (lines["agent"] == "treasury:AAA")
        & (lines["year"] <= 2028)
    ]
    assert cash["value"].sum() < 0
    assert near(evaluate("outlay.AAA", granted), -cash["value"].sum())
    assert evaluate("outlay.AAA", base) == 0


def test_revenue_is_what_the_treasury_receives_in_tariffs(taxed):
    lines = taxed.accounts
    paid = lines[
        (lines["account"] == "tariff")
        & (lines["agent"] == "treasury:AAA")
        & (lines["year"] <= 2028)
    ]
    assert near(evaluate("revenue.AAA", taxed), paid["value"].sum())
    assert evaluate("revenue.AAA", taxed) > 0
    assert evaluate("revenue.BBB", taxed) == 0


def test_cost_at_user_is_the_loss_of_consumer_surplus(taxed, base):
    lost = base.account.gains["users:AAA"] - taxed.account.gains["users:AAA"]
    assert near(evaluate("cost.buyers.AAA", taxed, base), lost)
    assert lost > 0


def test_cost_at_maker_is_the_rise_of_prices_times_purchases(taxed, base):
    discount = taxed.parameters.discount
    prices, before = taxed.maker_prices, base.maker_prices
    expected = sum(
        discount[t] * per_kwpm_year(prices["AAA", s, t] - before["AAA", s, t]) * wafers
        for (s, _, _, m, t), wafers in taxed.columns("ship").items()
        if m == "AAA" and wafers > 0
    )
    assert expected > 0
    assert near(evaluate("cost.buyers.maker.AAA", taxed, base), expected)


@pytest.mark.parametrize("name", ["tariff", "grant", "credit", "floor"])
def test_welfare_closes_over_the_world(two, base, name):
    """Welfare of the world is minus the objective plus the treasuries."""
    own = cm.run(two, name)
    treasury = sum(own.account.treasury.values()) - sum(base.account.treasury.values())
    assert near(
        evaluate("welfare.all", own, base),
        base.objective - own.objective + treasury,
        1e-6,
    )
    regions = sum(evaluate(f"welfare.{r}", own, base) for r in ("AAA", "BBB"))
    assert near(evaluate("welfare.all", own, base), regions, 1e-6)


def test_a_case_against_itself_is_zero(base):
    for family in FAMILIES:
        if family.against:
            assert evaluate(_example(family.form), base, base) == 0


def test_a_difference_needs_a_reference(base):
    with pytest.raises(cm.InputError, match=r"cost\.buyers\.AAA.*reference"):
        evaluate("cost.buyers.AAA", base)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("share.capacty.AAA.all.2028", r"share\.capacity\.<REGION>"),
        ("shares", "did you mean"),
        ("", "did you mean"),
        ("capacity.AAA.chip.soon", "no such metric"),
        ("hhi.AAA.2028", "no such metric"),
        ("share.capacity.all.chip.2028", "no such metric"),
        ("capacity.AAB.chip.2028", "did you mean AAA"),
        ("capacity.AAA.chips.2028", "did you mean chip"),
        ("capacity.AAA.chip.2040", "unknown year '2040'"),
    ],
)
def test_a_wrong_name_is_reported_with_a_fix(base, name, message):
    with pytest.raises(cm.InputError, match=message):
        evaluate(name, base)


def test_every_family_has_a_unit_and_a_sentence():
    for family in FAMILIES:
        unit, sentence = describe(_example(family.form))
        assert unit == family.unit
        assert "{" not in sentence
    assert describe("hhi.all.2028")[1].endswith("all segments, 2028")
    assert "the world" in describe("outlay.all")[1]


def test_stars_and_last_are_spelled_out(two):
    labels = Labels.of(two, cm.load_world("central", two))
    assert expand(["outlay.*", "outlay.AAA"], labels) == ["outlay.AAA", "outlay.BBB"]
    assert expand(["share.capacity.*.*.LAST"], labels) == [
        f"share.capacity.{r}.{s}.2028" for r in ("AAA", "BBB") for s in ("chip", "memo")
    ]
    assert expand(["hhi.all.*"], labels) == [
        f"hhi.all.{t}" for t in (2025, 2026, 2027, 2028)
    ]
    with pytest.raises(cm.InputError):
        parse(expand(["nothing.*"], labels)[0])


def test_compare_is_tidy_and_against_the_base(base, taxed):
    table = cm.compare(base, taxed)
    assert list(table.columns) == [
        "metric",
        "unit",
        "case",
        "world",
        "value",
        "difference",
    ]
    assert list(dict.fromkeys(table["case"])) == ["no_policy", "tariff"]
    assert (table.loc[table["case"] == "no_policy", "difference"] == 0).all()
    row = table[(table["case"] == "tariff") & (table["metric"] == "objective")].iloc[0]
    assert near(row["difference"], taxed.objective - base.objective)
    own = cm.compare(base, taxed, metrics=["hhi.chip.2028"])
    assert own["metric"].tolist() == ["hhi.chip.2028"] * 2
    assert len(HEADLINE) < len(set(table["metric"]))


def test_a_summary_is_plain_data_and_gives_the_same_numbers(base, taxed):
    mine, theirs = (pickle.loads(pickle.dumps(Summary.of(x))) for x in (taxed, base))
    for name in (
        "cost.buyers.AAA",
        "cost.buyers.maker.AAA",
        "rents.BBB",
        "treasury.AAA",
        "objective",
        "hhi.all.2028",
    ):
        assert evaluate(name, mine, theirs) == evaluate(name, taxed, base)
    assert summary_of(mine) is mine
    with pytest.raises(cm.InputError, match="neither a solution nor a summary"):
        summary_of("tariff")


def test_a_place_that_is_not_there_has_no_price(base):
    own = Summary.of(base)
    own.user_price.clear()
    assert math.isnan(evaluate("price.user.AAA.chip.2026", own))


def test_regions_take_their_article():
    assert with_article("United States") == "the United States"
    assert with_article("Rest of the world") == "the rest of the world"
    assert with_article("Japan") == "Japan"


def _example(form):
    words = {
        "<REGION>": "AAA",
        "<REGION|all>": "AAA",
        "<segment|all>": "chip",
        "<segment>": "chip",
        "<year>": "2028",
        "<policy>": "terms",
        "<firm|all>": "beta",
    }
    return ".".join(words.get(part, part) for part in form.split("."))
