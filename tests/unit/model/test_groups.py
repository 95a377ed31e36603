"""Every group of rows is complete, and it and every instrument matter.

Leaving one out alone changes some small optimum. The groups of the model are those it
declares; the groups of instruments are collected from their code. One without an entry
in `WHERE` fails.
"""

from __future__ import annotations

import ast
import math
from pathlib import Path

import pytest
from helpers import add, case_of, change, drop, run_without, world_of

import chipmodel
from chipmodel import CapexGrant, Case, NoOptimum, OriginFloor, Policy, load_case, run
from chipmodel.model.lp.program import PARTS, row_groups, write
from chipmodel.model.lp.row_groups import groups_of
from chipmodel.model.parameters.build import build_parameters
from chipmodel.model.parameters.parameters import Parameters
from chipmodel.policies.capacity_linked_quota import CapacityLinkedQuota
from chipmodel.policies.capacity_mandate import CapacityMandate
from chipmodel.policies.concentration_cap import ConcentrationCap
from chipmodel.policies.domestic_first import DomesticFirst
from chipmodel.policies.embargo import Embargo
from chipmodel.policies.export_control import ExportControl
from chipmodel.policies.free_trade_area import FreeTradeArea
from chipmodel.policies.guardrail import Guardrail
from chipmodel.policies.import_quota import ImportQuota
from chipmodel.policies.production_credit import ProductionCredit
from chipmodel.policies.soft_finance import SoftFinance
from chipmodel.policies.tariff import Tariff

RELEVANT = 1e-7
"""Relative change of the objective that counts."""

VARIANTS = {
    "as_is": ((), {}),
    "tight_budgets": (
        (),
        {"scale": [{"table": "budgets", "where": {}, "factor": 0.2}]},
    ),
    "withheld_resist": (
        (),
        {
            "scale": [
                {"table": "input_supply", "where": {"input": "resist"}, "factor": 0.7}
            ]
        },
    ),
    "no_new_packaging": (
        (drop("assembly", kind="greenfield", package="advanced"),),
        {},
    ),
    "alpha_abroad": (
        (
            change("expansion", {"region": "BBB", "segment": "chip"}, value=0.3),
            add(
                "expansion",
                {"region": "BBB", "segment": "chip"},
                firm="alpha",
                value=0.3,
            ),
        ),
        {},
    ),
    "beta_abroad": (
        (
            change("expansion", {"region": "AAA", "segment": "chip"}, value=0.2),
            add(
                "expansion",
                {"region": "AAA", "segment": "chip"},
                firm="beta",
                value=0.2,
            ),
        ),
        {},
    ),
    "crowded": (
        (),
        {
            "congestion": 1.0,
            "scale": [
                {
                    "table": "region_pace",
                    "where": {"item": "share"},
                    "factor": 0.05,
                }
            ],
        },
    ),
    "slump": (
        (
            change("demand", {"segment": "chip", "year_from": 2026}, value=-0.2),
            change("demand", {"segment": "chip", "year_from": 2029}, value=0.5),
            change("cost_factors", {"region": "AAA", "item": "running"}, value=3),
        ),
        {"retirement": 1.0},
    ),
    "announced": (
        (),
        {
            "retire": [
                {
                    "site": "fleet_aaa_chip_alpha",
                    "year": 2027,
                    "share": 0.5,
                    "source": "own",
                }
            ]
        },
    ),
    "lost": (
        (),
        {
            "retirement": 1.0,
            "event": [
                {
                    "id": "storm",
                    "region": "BBB",
                    "segments": ["all"],
                    "years": [2026, 2030],
                    "depth": 1.0,
                    "source": "own",
                }
            ],
        },
    ),
    "little_demand": (
        (change("cost_factors", {"region": "AAA", "item": "running"}, value=2),),
        {"demand_shift": -0.15},
    ),
}
"""Edits of the two-region data set and changes of its world."""

SHIPPED = ("no_policy", "tariff", "grant", "credit", "floor")
FLOOR = OriginFloor(
    id="trust",
    market="AAA",
    trusted=("AAA",),
    segments=("chip",),
    share=0.8,
    on="use",
    price_cap=50_000,
    min_served=1.0,
    years=(2028, 2030),
    source="own",
)
MARGINAL = CapexGrant(
    id="extra",
    form="marginal",
    region="AAA",
    rate=0.3,
    budget=100,
    years=(2026, 2030),
    source="own",
)
EITHER = (
    CapexGrant(
        id="awards", form="award", region="AAA", years=(2025, 2030), source="own"
    ),
    CapexGrant(
        id="rate", form="open", rate=0.3, region="AAA", years=(2025, 2030), source="own"
    ),
)
"""An award of a project, and a rate that it may take instead."""
LATE = {"region": "AAA", "years": (2026, 2030), "source": "own"}
TARGET = CapacityMandate(
    id="target",
    segment="chip",
    kwpm=75,
    borne_by="makers",
    **{**LATE, "years": (2029, 2030)},
)
HOME = DomesticFirst(
    id="home", share=0.7, measure="kwpm", each="firm", borne_by="makers", **LATE
)
MADE: dict[str, Policy] = {
    "mandate": TARGET,
    "paid_mandate": TARGET.model_copy(update={"borne_by": "treasury"}),
    "idle_mandate": TARGET.model_copy(update={"kwpm": 50}),
    "paid_idle_mandate": TARGET.model_copy(update={"kwpm": 50, "borne_by": "treasury"}),
    "guardrail": Guardrail(
        id="rail", firms=("beta",), countries=("BBB",), share=0.02, price_cap=20, **LATE
    ),
    "domestic": HOME,
    "paid_domestic": HOME.model_copy(update={"borne_by": "treasury"}),
    "production": ProductionCredit(id="wafers", rate=300, **LATE),
    "loan": SoftFinance(
        id="loan", form="loan", amount=0.5, rate_gap=0.04, tenor=10, **LATE
    ),
}
"""Rules on capacity and investment, and support of them, by the name of their case."""

TRADE = {"years": (2027, 2030), "source": "own"}
DUTY = Tariff(
    id="duty", importer="AAA", origins=("BBB",), rate=0.25, on="chips", **TRADE
)
RULES: dict[str, tuple[Policy, ...]] = {
    "quota": (
        ImportQuota(
            id="limit",
            importer="AAA",
            quota=10,
            on="chips",
            rent_to="exporter",
            **TRADE,
        ),
    ),
    "control": (
        ExportControl(
            id="control",
            exporter="BBB",
            destination="AAA",
            share=0.5,
            on="use",
            rent_to="importer",
            **TRADE,
        ),
    ),
    "embargo": (
        Embargo(id="ban", origin="BBB", destination="AAA", on="chips", **TRADE),
    ),
    "spread": (
        ConcentrationCap(
            id="spread", market="AAA", share=0.3, on="use", price_cap=5000, **TRADE
        ),
    ),
    "free_trade": (DUTY, FreeTradeArea(id="union", members=("AAA", "BBB"), **TRADE)),
    "allowance": (
        DUTY,
        CapacityLinkedQuota(
            id="terms",
            relieves="duty",
            partner="BBB",
            under_construction=2.5,
            in_service=1.5,
            approved_from=2026,
            **TRADE,
        ),
    ),
}
"""Rules on trade and terms between partners, by the name of their case."""

WHERE: dict[str, tuple[str, str]] = {
    "history": ("as_is", "no_policy"),
    "commitment": ("as_is", "tariff"),
    "size": ("as_is", "no_policy"),
    "pace": ("as_is", "no_policy"),
    "step_width": ("as_is", "no_policy"),
    "effort_of": ("as_is", "no_policy"),
    "region_pace": ("crowded", "no_policy"),
    "band_width": ("crowded", "no_policy"),
    "exemption": ("crowded", "no_policy"),
    "crowding_of": ("crowded", "no_policy"),
    "retired_for_good": ("slump", "no_policy"),
    "fleet_size": ("lost", "no_policy"),
    "announced_retirement": ("announced", "no_policy"),
    "retirement_history": ("slump", "surprise"),
    "capacity": ("as_is", "no_policy"),
    "standing": ("announced", "no_policy"),
    "fab_gate": ("as_is", "no_policy"),
    "fab_balance": ("as_is", "no_policy"),
    "route_inertia": ("as_is", "tariff"),
    "route_widening": ("as_is", "tariff"),
    "assembly_service": ("as_is", "no_policy"),
    "assembly_capacity": ("as_is", "no_policy"),
    "assembly_size": ("no_new_packaging", "no_policy"),
    "assembly_history": ("as_is", "withheld"),
    "replacement_history": ("as_is", "withheld"),
    "input_need": ("withheld_resist", "no_policy"),
    "input_supply": ("withheld_resist", "no_policy"),
    "input_replacement": ("withheld_resist", "no_policy"),
    "device_balance": ("as_is", "no_policy"),
    "rest_balance": ("as_is", "floor"),
    "use_balance": ("as_is", "no_policy"),
    "device_place": ("as_is", "tariff"),
    "device_move": ("as_is", "tariff"),
    "device_inertia": ("as_is", "strict_floor"),
    "device_sorting": ("as_is", "strict_floor"),
    "demand_balance": ("as_is", "no_policy"),
    "demand_step": ("as_is", "no_policy"),
    "firm_budget": ("tight_budgets", "no_policy"),
    "outside_capital": ("tight_budgets", "no_policy"),
    "floor": ("as_is", "floor"),
    "min_served": ("as_is", "strict_floor"),
    "eligible": ("as_is", "marginal"),
    "budget": ("as_is", "marginal"),
    "award_or_rate": ("as_is", "either"),
    "mandate": ("as_is", "mandate"),
    "mandate_in_use": ("little_demand", "idle_mandate"),
    "capacity_paid": ("as_is", "paid_mandate"),
    "output_paid": ("little_demand", "paid_idle_mandate"),
    "growth": ("as_is", "guardrail"),
    "under_way": ("as_is", "guardrail"),
    "over_built": ("as_is", "guardrail"),
    "home_share": ("alpha_abroad", "domestic"),
    "home_paid": ("alpha_abroad", "paid_domestic"),
    "home_bought": ("alpha_abroad", "paid_domestic"),
    "licensed": ("as_is", "quota"),
    "quota": ("as_is", "quota"),
    "banned": ("as_is", "embargo"),
    "cap": ("as_is", "spread"),
    "exempted": ("beta_abroad", "allowance"),
    "allowance": ("beta_abroad", "allowance"),
}
"""For each group a variant and a case in which it binds."""

INSTRUMENTS = {
    "tariff": "tariff",
    "capex_grant": "grant",
    "investment_tax_credit": "credit",
    "origin_floor": "floor",
    "capacity_mandate": "mandate",
    "guardrail": "guardrail",
    "production_credit": "production",
    "soft_finance": "loan",
    "domestic_first": "domestic",
    "import_quota": "quota",
    "export_control": "control",
    "embargo": "embargo",
    "concentration_cap": "spread",
    "free_trade_area": "free_trade",
    "capacity_linked_quota": "allowance",
}
"""For each instrument a case that holds it."""

ELSEWHERE = {"domestic_first": "alpha_abroad", "capacity_linked_quota": "beta_abroad"}
"""For an instrument that does nothing in the data set as it is, a variant of it."""


def named_in(path: Path) -> set[str]:
    """Names of the groups that a file writes with `builder.limit` or `.balance`."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.args
        ):
            first = node.args[0]
            if node.func.attr in ("limit", "balance"):
                assert isinstance(first, ast.Constant), (
                    f"{path.name}: a group whose name is not a plain string"
                )
                names.add(str(first.value))
    return names


def named_by_instruments() -> set[str]:
    """Names of the groups that instruments write."""
    files = Path(chipmodel.__file__).parent.rglob("*.py")
    return {name for path in sorted(files) for name in named_in(path)}


DECLARED = [group for part in PARTS for group in groups_of(part)]
GROUPS = sorted({group.name for group in DECLARED} | named_by_instruments())


def case_named(name: str, data) -> Case:
    """Return a shipped case or one of those made for a group."""
    made = {
        "strict_floor": case_of(FLOOR),
        "marginal": case_of(MARGINAL),
        "either": case_of(*EITHER),
        **{name: case_of(policy) for name, policy in MADE.items()},
        **{name: case_of(*policies) for name, policies in RULES.items()},
        "surprise": Case(
            name="surprise",
            policies=tuple(
                p.model_copy(
                    update={"known_from": 2028, "rate": 2.0, "years": (2028, 2030)}
                )
                for p in load_case("tariff", data).policies
            ),
        ),
        "withheld": case_of(
            Embargo(
                id="held",
                input="resist",
                origin="BBB",
                destination="AAA",
                years=(2029, 2030),
                known_from=2029,
                source="own",
            )
        ),
    }
    return made[name] if name in made else load_case(name, data)


@pytest.fixture(autouse=True)
def _no_ties(monkeypatch):
    monkeypatch.setattr(Parameters, "tie", lambda self, *places: 0.0)


@pytest.mark.parametrize("group", GROUPS)
def test_group_matters(group, two, variant):
    assert group in WHERE, (
        f"group '{group}' is new: add a variant and a case whose optimum changes"
        " without it"
    )
    kind, name = WHERE[group]
    edits, changes = VARIANTS[kind]
    data = variant(*edits) if edits else two
    world, case = world_of(data, **changes), case_named(name, data)
    whole = run(data, case, world)
    full = next(g for g in whole.program.labels.groups if g.split("__")[-1] == group)
    try:
        left_out = run_without(data, case, (full,), world).objective
    except NoOptimum:
        left_out = -math.inf
    assert whole.objective - left_out > RELEVANT * abs(whole.objective)


def test_names_of_groups_are_unique():
    assert len(row_groups()) == len(DECLARED)
    assert not row_groups().keys() & named_by_instruments()


@pytest.mark.parametrize("group", DECLARED, ids=lambda group: group.name)
def test_declaration_is_complete(group):
    assert group.title
    assert group.unit in ("kwpm", "index", "MUSD")
    assert group.dual
    assert all(group.index)
    assert len(group.index) == len(group.symbols)
    assert ".. math::" in group.docstring, "its equation"
    if group.kind == "limit":
        assert group.owner.text


def test_parts_write_no_group_that_is_not_declared():
    for part in PARTS:
        assert not named_in(Path(part.__file__))


def test_every_entry_is_a_group():
    assert set(WHERE) == set(GROUPS)


def test_programs_hold_no_other_group(two):
    numbers = build_parameters(two, world_of(two))
    cases = [case_named(name, two) for name in (*SHIPPED, "strict_floor")]
    written = {g for case in cases for g in write(numbers, case.policies).groups}
    assert {g.split("__")[-1] for g in written} <= set(GROUPS)


@pytest.mark.parametrize(
    "kind",
    sorted(k for k, c in Policy.kinds.items() if c.__module__.startswith("chipmodel.")),
)
def test_instrument_matters(kind, two, variant):
    assert kind in INSTRUMENTS, f"instrument '{kind}' is new: add a case that holds it"
    data = variant(*VARIANTS[ELSEWHERE[kind]][0]) if kind in ELSEWHERE else two
    case = case_named(INSTRUMENTS[kind], data)
    ids = [p.id for p in case.policies if p.kind == kind]
    assert ids
    with_it, without_it = run(data, case), run(data, case.without(*ids))
    assert abs(with_it.objective - without_it.objective) > RELEVANT * abs(
        with_it.objective
    )
