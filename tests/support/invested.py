"""Two places, costs and instruments for tests of support and of rules on capacity."""

from __future__ import annotations

from collections import defaultdict

from helpers import add, case_of, change
from paper import (
    CRF,
    DF,
    OLD,
    PLANT,
    PRICE,
    area,
    first_year,
)

from chipmodel import Policy, Solution, run
from chipmodel.policies.capacity_mandate import CapacityMandate
from chipmodel.policies.domestic_first import DomesticFirst
from chipmodel.policies.guardrail import Guardrail
from chipmodel.policies.production_credit import ProductionCredit
from chipmodel.policies.soft_finance import SoftFinance

MORE = 10 * CRF


def built(solution: Solution) -> dict[str, float]:
    """Builds by region, without zeros."""
    total: dict[str, float] = defaultdict(float)
    for (site, _), value in solution.columns("build").items():
        if value > 0:
            total[solution.parameters.sites.sites[site].region] += value
    return dict(total)


def two_years(x: float, extra: float = 0.0) -> float:
    """Objective if x times the reference of 11 is served in 2026, new plants at their
    cost in BBB plus extra.
    """
    return first_year() + DF[1] * (
        OLD * 11 * x + PLANT * (11 * x - 10) + extra - PRICE * 11 * area(x)
    )


FREE = two_years(1.01)


def ledger(solution: Solution, item: str) -> dict[int, float]:
    """Rows of a policy's ledger by year."""
    found = solution.policies.query("item == @item")
    return dict(zip(found.year, found.value, strict=True))


def project(region: str = "AAA", firm: str = "alpha", **facts: float):
    """Add a project of one kwpm that can be in service in 2026, with facts about it."""
    edits = [
        add(
            "projects",
            site="one",
            as_of="2025-12-31",
            region=region,
            segment="chip",
            firm=firm,
            earliest=2026,
            construction_begun=2025,
            status="construction",
            source="test",
            grade="A",
            unit="kwpm",
            name="One",
            note="",
            low=None,
            high=None,
            year_of_money=None,
            value=1,
        )
    ]
    for item, value in facts.items():
        award = item == "award"
        edits.append(
            add(
                "project_facts",
                site="one",
                item=item,
                treasury=region if award else None,
                value=value,
                unit="MUSD" if award else "share",
                year_of_money=2025 if award else None,
                low=None,
                high=None,
                source="test",
                grade="A",
                note="",
            )
        )
    return edits


COMMON = {"years": (2026, 2026), "source": "own"}


def credit(rate: float, **changes) -> ProductionCredit:
    return ProductionCredit.model_validate(
        {"id": "credit", "region": "AAA", "rate": rate, **COMMON, **changes}
    )


def loan(**changes) -> SoftFinance:
    return SoftFinance.model_validate(
        {
            "id": "loan",
            "region": "AAA",
            "form": "loan",
            "amount": 0.5,
            "tenor": 10,
            **COMMON,
            **changes,
        }
    )


def mandate(**changes) -> CapacityMandate:
    return CapacityMandate.model_validate(
        {
            "id": "target",
            "region": "AAA",
            "segment": "chip",
            "borne_by": "makers",
            **COMMON,
            **changes,
        }
    )


def guardrail(**changes) -> Guardrail:
    return Guardrail.model_validate(
        {
            "id": "rail",
            "region": "AAA",
            "firms": ("beta",),
            "countries": ("BBB",),
            "share": 0.05,
            **COMMON,
            **changes,
        }
    )


def domestic(**changes) -> DomesticFirst:
    return DomesticFirst.model_validate(
        {
            "id": "home",
            "region": "AAA",
            "share": 0.4,
            "measure": "kwpm",
            "each": "firm",
            "borne_by": "makers",
            **COMMON,
            **changes,
        }
    )


LATE = {"years": (2026, 2030)}
ABROAD = (
    change("expansion", {"region": "BBB", "segment": "chip"}, value=0.3),
    add("expansion", {"region": "BBB", "segment": "chip"}, firm="alpha", value=0.3),
)
"""Alpha may build in BBB too."""


def objective(data, *policies: Policy) -> float:
    return run(data, case_of(*policies)).objective
