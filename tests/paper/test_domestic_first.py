"""A domestic-first rule, solved on paper."""

from __future__ import annotations

import pytest
from helpers import case_of, rows
from invested import MORE, built, domestic, ledger, two_years
from paper import CRF, DF, HOME_COSTS_MORE, bare, exactly

from chipmodel import InputError, run

ALPHA = rows(
    "expansion",
    {"region": "AAA", "firm": "alpha", "value": 0.5},
    {"region": "BBB", "firm": "alpha", "value": 0.5},
)
"""Alpha, at home in AAA, is the only firm that builds: at 110 at home, at 100 in BBB.
"""


@pytest.mark.parametrize("each", ["firm", "home"])
@pytest.mark.parametrize("bearer", ["makers", "treasury"])
@pytest.mark.parametrize(("measure", "share"), [("kwpm", 0.4), ("capital", 40 / 106)])
def test_domestic_first(variant, each, bearer, measure, share):
    """Four tenths must be built at home: a wafer costs 60 + 0.4 x 10 CRF = 60.60, so
    the step to 0.99 is bought.

    In capital 110 h = 0.4 (110 h + 100 f): of the builds 40/106 are at home. A kwpm
    more at home instead of abroad costs 10 CRF; per MUSD at home, with all else equal
    abroad, the dual y solves for the two plants with price p: p + 0.6 w y = 60 + 10 CRF
    and p - 0.4 x 100 y = 60, w = 110: y = 10 CRF / 106.
    """
    data = bare(variant, ALPHA, **HOME_COSTS_MORE)
    solution = run(data, case_of(domestic(each=each, borne_by=bearer, measure=measure)))
    home = 0.89 * share
    assert built(solution) == {"AAA": exactly(home), "BBB": exactly(0.89 - home)}
    assert solution.objective == exactly(two_years(0.99, MORE * home))
    who = "alpha" if each == "firm" else "AAA"
    row = "home_share" if bearer == "makers" else "home_bought"
    dual = solution.duals(f"home__{row}")[who, 2026]
    assert dual == exactly(MORE if measure == "kwpm" else MORE / 106)
    bought = home * dual * (1 if measure == "kwpm" else 110)
    gains = solution.account.gains
    alpha = gains["fab:alpha@AAA"] + gains["fab:alpha@BBB"]
    paid = DF[1] * bought if bearer == "treasury" else 0.0
    assert alpha == pytest.approx(paid, rel=1e-8, abs=1e-8)
    assert gains.get("treasury:AAA", 0.0) == exactly(-paid)
    assert ledger(solution, "home_builds") == {2026: exactly(home)}
    assert ledger(solution, "foreign_builds") == {2026: exactly(0.89 - home)}


@pytest.mark.parametrize(
    ("fine", "home", "extra"), [(5, 0.356, MORE * 0.356), (3, 0.0, 3 * CRF * 0.89)]
)
@pytest.mark.parametrize("bearer", ["makers", "treasury"])
def test_domestic_first_with_a_fine(variant, fine, home, extra, bearer):
    """Meeting the rule costs 4 CRF a kwpm on average: a fine of 5 is avoided, one of 3
    is paid on every build.
    """
    solution = run(
        bare(variant, ALPHA, **HOME_COSTS_MORE),
        case_of(domestic(price_cap=fine, borne_by=bearer)),
    )
    assert built(solution).get("AAA", 0.0) == exactly(home)
    assert solution.objective == exactly(two_years(0.99, extra))


def test_domestic_first_binds_only_firms_at_home(two):
    with pytest.raises(InputError, match="'beta' is not known; use alpha"):
        run(two, case_of(domestic(firms=("beta",))))
