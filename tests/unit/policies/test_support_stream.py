"""What support costs: its stream against its cash, and award against open rate."""

from __future__ import annotations

import pytest
from helpers import case_of, parameters, variant

from chipmodel import CapexGrant, InputError, InvestmentTaxCredit, run

YEARS = (2026, 2030)


def credit(**changes) -> InvestmentTaxCredit:
    fields = {"id": "credit", "region": "AAA", "rate": 0.2, "years": YEARS}
    return InvestmentTaxCredit.model_validate({**fields, "source": "own", **changes})


def grant(form: str, **changes) -> CapexGrant:
    fields = {"id": form, "form": form, "region": "AAA", "years": YEARS}
    return CapexGrant.model_validate({**fields, "source": "own", **changes})


def present_values(solution, account: str) -> tuple[float, float]:
    """Return the present values of the stream and of the cash, MUSD.

    Annuities are due at the end of a year, cash is paid at its start: that is what the
    capital recovery factor means.
    """
    rate = solution.world.discount_rate
    lines = solution.accounts.query("agent.str.startswith('treasury')")
    found = []
    for name, later in ((account, 1), (f"{account}_cash", 0)):
        part = lines[lines["account"] == name]
        values = zip(part["year"], part["value"], strict=True)
        found.append(
            sum(-v / (1 + rate) ** (year - 2025 + later) for year, v in values)
        )
    return found[0], found[1]


@pytest.fixture(scope="module")
def short_lived(tmp_path_factory):
    """Fabs with a life of two years, so that lives end before the horizon."""
    folder = tmp_path_factory.mktemp("short") / "d"
    return variant(folder, parameters(economic_life=2))


@pytest.mark.parametrize(
    ("policy", "account"),
    [
        # Ready in 2028, in service to 2030: each life of two years ends in time.
        (credit(years=(2028, 2028)), "tax_credit"),
        (grant("open", rate=0.2, years=(2026, 2026)), "grant"),
        (grant("award", years=(2026, 2028)), "grant"),
    ],
)
def test_the_stream_is_worth_the_cash(short_lived, policy, account):
    """Support is not renewed with the asset; version 0.2.0 paid it again and again."""
    solution = run(short_lived, case_of(policy))
    stream, cash = present_values(solution, account)
    assert cash > 0
    assert stream == pytest.approx(cash, rel=0.01)


def test_a_stream_ends_with_the_life(short_lived):
    solution = run(short_lived, case_of(credit(years=(2028, 2028))))
    paid = solution.accounts.query("account == 'tax_credit' and value < 0")
    assert sorted(set(paid["year"])) == [2028, 2029]


def taken(solution) -> tuple[float, float]:
    """Return what treasury AAA pays in awards and in open grants, MUSD of cash."""
    table = solution.policies
    paid = table[(table["item"] == "grant_cash") & table["agent"].str.startswith("tre")]
    by_policy = paid.groupby("policy")["value"].sum()
    return -by_policy.get("award", 0.0), -by_policy.get("open", 0.0)


@pytest.mark.parametrize(("rate", "takes_award"), [(0.02, True), (0.6, False)])
def test_a_site_takes_what_is_better_for_it(two, rate, takes_award):
    """Alpha One has an award of so much a kwpm; a rate pays a share of its cost.

    Only one of them is paid on each kwpm, and which is the firm's choice.
    """
    # From 2025, because a part of the site was started then.
    open_grant = grant("open", rate=rate, sites=("alpha_one",), years=(2025, 2030))
    case = case_of(grant("award"), open_grant)
    solution = run(two, case)
    award, open_rate = taken(solution)
    assert (award > 1e-6) == takes_award
    assert (open_rate > 1e-6) != takes_award
    built = sum(
        v for (i, _), v in solution.columns("build").items() if "alpha_one" in i
    )
    alone = run(two, case.without("open" if takes_award else "award"))
    # The worse of the two offers changes nothing.
    assert solution.objective == pytest.approx(alone.objective, rel=1e-9)
    assert built > 0


def test_an_award_and_a_rate_are_not_added_in_the_check_of_costs(two):
    """An award near the cost and a high rate are each affordable: one is paid."""
    case = case_of(grant("award"), grant("open", rate=0.7, sites=("alpha_one",)))
    run(two, case)
    with pytest.raises(InputError, match="together pay"):
        run(two, case_of(credit(rate=0.5), *case.policies))
