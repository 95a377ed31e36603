"""Grants for capital cost, solved on paper."""

from __future__ import annotations

import pytest
from helpers import case_of, parameters
from paper import (
    CAPEX,
    CRF,
    DF,
    EXACT,
    HOME_COSTS_MORE,
    NOTHING,
    OLD,
    PRICE,
    RUNNING,
    area,
    bare,
    built_in_regions,
    exactly,
    first_year,
    project,
    project_fact,
)

from chipmodel import CapexGrant, Policy, run


def costs_without_support() -> float:
    """Objective of the two places without support."""
    cost = OLD * 11.11 + (CRF * CAPEX + RUNNING) * 1.11
    return first_year() + DF[1] * (cost - PRICE * 11 * area(1.01))


def test_award_moves_its_project(variant):
    """An award of 12 on a project of 1 kwpm makes it cost 98 there, less than 100 in
    BBB.

    The project is built, the rest stays in BBB, and the objective falls by 2 x CRF.
    Half of the award (6, cost 104) moves nothing, nor does an award that ends before
    the project comes on line.
    """
    data = bare(
        variant,
        project(value=1, earliest=2026),
        project_fact("award", 12, "AAA"),
        **HOME_COSTS_MORE,
    )
    award = CapexGrant(
        id="award", form="award", region="AAA", years=(2025, 2026), source="own"
    )
    solution = run(data, case_of(award))
    assert built_in_regions(solution) == {
        ("AAA", 2026): exactly(1),
        ("BBB", 2026): exactly(0.11),
    }
    assert solution.objective == exactly(costs_without_support() - DF[1] * CRF * 2)
    half = run(data, case_of(award.model_copy(update={"share": 0.5})))
    assert built_in_regions(half) == {("BBB", 2026): exactly(1.11)}
    assert half.objective == exactly(costs_without_support())
    ended = run(data, case_of(award.model_copy(update={"years": (2024, 2025)})))
    assert built_in_regions(ended) == {("BBB", 2026): exactly(1.11)}
    assert ended.objective == exactly(costs_without_support())


@pytest.mark.parametrize(("rate", "moved"), [(0.09, False), (0.10, True)])
def test_open_grant_with_a_rate(variant, rate, moved):
    """At 9% AAA builds at 100.1, at 10% at 99: then all 1.11 kwpm move there.

    The price is then 60 - CRF = 59.85, still above the step 1.01 to 1.03 (58.8), so no
    more is bought.
    """
    data = bare(variant, **HOME_COSTS_MORE)
    grant = CapexGrant(
        id="grant",
        form="open",
        region="AAA",
        rate=rate,
        years=(2026, 2026),
        source="own",
    )
    solution = run(data, case_of(grant))
    assert built_in_regions(solution) == {
        ("AAA" if moved else "BBB", 2026): exactly(1.11)
    }
    gain = (110 * rate - 10) * 1.11 if moved else 0.0
    assert solution.objective == exactly(costs_without_support() - DF[1] * CRF * gain)


def test_open_grant_with_a_budget_finds_its_rate(variant):
    """Every rate above 1/11 moves 1.11 kwpm at 110, so a budget of 1.11 x 10.5 is spent
    at 10.5 / 110.
    """
    data = bare(variant, **HOME_COSTS_MORE)
    grant = CapexGrant(
        id="grant",
        form="open",
        region="AAA",
        budget=1.11 * 10.5,
        years=(2026, 2026),
        source="own",
    )
    solution = run(data, case_of(grant))
    rate = solution.found["grant.rate"]
    assert rate == pytest.approx(10.5 / 110, rel=2e-5)
    assert solution.objective == exactly(
        costs_without_support() - DF[1] * CRF * (110 * rate - 10) * 1.11
    )
    ledger = solution.policies.query("item == 'grant_cash'")
    assert -float(ledger.value.sum()) == pytest.approx(1.11 * 10.5, rel=2e-5)


def test_marginal_grant_pays_only_for_what_it_moves(variant):
    """At 20% a build in AAA costs 88, but the budget of 11 pays for half a kwpm (22
    each).

    The gain is 12 x CRF on half a kwpm; the dual of the budget is 12/22 x CRF in 2026.
    """
    data = bare(variant, **HOME_COSTS_MORE)
    grant = CapexGrant(
        id="grant",
        form="marginal",
        region="AAA",
        rate=0.2,
        budget=11,
        years=(2026, 2026),
        source="own",
    )
    solution = run(data, case_of(grant))
    assert built_in_regions(solution) == {
        ("AAA", 2026): exactly(0.5),
        ("BBB", 2026): exactly(0.61),
    }
    assert solution.objective == exactly(
        costs_without_support() - DF[1] * CRF * 12 * 0.5
    )
    assert solution.duals("grant__budget")[()] == exactly(DF[1] * CRF * 12 / 22)


class BarePool(Policy):
    """A pool of money for builds that might have happened anyway; chipmodel itself
    refuses it.
    """

    kind = "test_bare_pool"
    law = "none: it is here to show why not"

    region: str
    rate: float
    budget: float

    def add(self, builder):
        eligible = {
            (site.id, t): (site, term)
            for site, t, term in builder.builds(
                self.region, builder.parameters.segments
            )
        }
        supported = builder.variable("supported", list(eligible), "firms", self)
        builder.limit(
            "eligible",
            list(eligible),
            lambda i, t: eligible[i, t][1] - supported[i, t],
            owner="firms",
            unit="kwpm",
            meaning="worth of support that reaches one more kwpm",
            policy=self,
        )
        amounts = {
            (i, t): self.rate * builder.capex(site) * supported[i, t]
            for (i, t), (site, _) in eligible.items()
        }
        builder.support(
            self, "grant", amounts, treasury=self.region, paid="construction"
        )
        builder.limit(
            "budget",
            [()],
            lambda: self.budget - sum(amounts.values()),
            owner="firms",
            unit="MUSD",
            meaning="fall of the objective per MUSD",
            policy=self,
        )


Policy.kinds.pop("test_bare_pool")  # no case file may name it


def test_bare_pool_moves_nothing_and_its_dual_is_one(variant):
    """Plants live one year, so 1 MUSD paid in 2026 is worth CRF / 1.08 = 1 exactly.

    1.11 kwpm are built in AAA anyway. A pool of 10 at 20% pays for half a kwpm of them:
    the price, the builds and the wafers stay as they were, the objective falls by the
    pool, and its dual is 1.
    """
    data = bare(
        variant,
        parameters(economic_life=1),
        fleets={"AAA": 10},
        place={"AAA": 1, "BBB": 1.1},
        growth=(0.1,),
    )
    before = run(data, NOTHING)
    pool = run(
        data,
        case_of(
            BarePool(
                id="pool",
                region="AAA",
                rate=0.2,
                budget=10,
                years=(2026, 2026),
                source="own",
            )
        ),
    )
    assert built_in_regions(before) == {
        ("AAA", 2026): pytest.approx(built_in_regions(pool)["AAA", 2026], rel=EXACT)
    }
    assert len(built_in_regions(pool)) == 1
    assert pool.duals("demand_balance") == pytest.approx(
        before.duals("demand_balance"), rel=EXACT
    )
    assert pool.duals("pool__budget")[()] == exactly(1.0)
    assert before.objective - pool.objective == pytest.approx(10.0, rel=1e-8)
