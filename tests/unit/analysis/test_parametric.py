"""A linear program compiled once equals the one written for each case."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from helpers import TWO, case_of, world_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chipmodel import (
    CapexGrant,
    ConcentrationCap,
    ImportQuota,
    InputError,
    InvestmentTaxCredit,
    NoOptimum,
    OriginFloor,
    ProductionCredit,
    Tariff,
    load_case,
    load_dataset,
    load_world,
    run,
)
from chipmodel.analysis.response import solve_for
from chipmodel.analysis.structure import (
    StructureReader,
    Structures,
    lever_fields,
    write_structure,
)
from chipmodel.cases.case import list_cases
from chipmodel.cases.levers import case_at, world_at
from chipmodel.model.lp.compile import compile_program
from chipmodel.model.lp.program import write
from chipmodel.model.parameters.build import build_parameters
from chipmodel.results.metrics import evaluate
from chipmodel.results.solution import Solution
from chipmodel.solver import certificate, highs
from chipmodel.solver.linear_program import LinearProgram
from chipmodel.solver.parametric import WarmSolver
from chipmodel.solver.polynomials import Polynomial, PolynomialVector, Trace
from chipmodel.solver.solve import solve_program

TWO_REGIONS = load_dataset(TWO)
YEARS = (2026, 2030)
FEW = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
RULES = (
    Tariff(
        id="duty",
        importer="AAA",
        origins=("BBB",),
        rate=0.2,
        on="chips",
        years=YEARS,
        source="own",
    ),
    Tariff(
        id="levy",
        importer="AAA",
        origins=("BBB",),
        rate=0.1,
        on="use",
        layer="section_301",
        years=(2027, 2029),
        source="own",
        ceiling=0.25,
    ),
    CapexGrant(
        id="grant", form="open", region="AAA", rate=0.1, years=YEARS, source="own"
    ),
    InvestmentTaxCredit(id="credit", region="BBB", rate=0.2, years=YEARS, source="own"),
    ProductionCredit(id="bonus", region="AAA", rate=50.0, years=YEARS, source="own"),
    OriginFloor(
        id="trust",
        market="AAA",
        trusted=("AAA",),
        share=0.5,
        on="use",
        price_cap=900.0,
        years=YEARS,
        source="own",
    ),
    ConcentrationCap(
        id="spread",
        market="BBB",
        share=0.7,
        on="chips",
        price_cap=800.0,
        years=YEARS,
        source="own",
    ),
    ImportQuota(
        id="quota",
        importer="AAA",
        quota=4.0,
        on="chips",
        rent_to="treasury",
        price_cap=700.0,
        years=YEARS,
        source="own",
    ),
)
POINT = st.fixed_dictionaries(
    {
        "duty.rate": st.floats(0.01, 0.5),
        "levy.rate": st.floats(0.01, 0.3),
        "grant.rate": st.floats(0.01, 0.3),
        "credit.rate": st.floats(0.01, 0.3),
        "bonus.rate": st.floats(1.0, 200.0),
        "trust.share": st.floats(0.05, 0.95),
        "trust.price_cap": st.floats(10.0, 5000.0),
        "spread.share": st.floats(0.3, 0.95),
        "quota.quota": st.floats(0.1, 30.0),
        "world.demand_shift": st.floats(-0.02, 0.02),
        "world.discount_rate": st.floats(0.03, 0.12),
        "costs[item=capex]": st.floats(0.7, 1.4),
        "elasticities[item=substitution]": st.floats(0.5, 2.0),
        "elasticities[item=demand]": st.floats(0.8, 1.2),
        "expansion[]": st.floats(0.7, 1.4),
        "device_steps[item=premium]": st.floats(0.5, 2.0),
        "cost_factors[item=running]": st.floats(0.8, 1.2),
        "fleets[]": st.floats(0.9, 1.1),
    }
)


def at(point: dict[str, float], case, world, data):
    of_world = {k: v for k, v in point.items() if k.startswith("world.") or "[" in k}
    there = world_at(world, of_world, "test")
    own = {k: v for k, v in point.items() if k not in of_world}
    return case_at(case, own, "test"), build_parameters(data, there)


def template_of(cells):
    """Return one linear program for all cells, and the levers of each."""
    reader = StructureReader()
    read = [reader.read(case, numbers) for case, numbers in cells]
    assert all(leaves.shape == read[0].shape for leaves in read)
    structure = write_structure(*cells[0], read[0], read)
    levers = [structure.levers(leaves) for leaves in read]
    assert all(values is not None for values in levers)
    return structure.template, levers


def assert_same_program(filled: LinearProgram, fresh: LinearProgram) -> None:
    assert filled.row_labels == fresh.row_labels
    assert filled.column_labels == fresh.column_labels
    assert (filled.is_equation == fresh.is_equation).all()
    for mine, theirs in ((filled.matrix, fresh.matrix), (filled.lines, fresh.lines)):
        size = abs(theirs).max()
        assert abs(mine - theirs).max() <= 1e-12 * size
    for mine, theirs in (
        (filled.rhs, fresh.rhs),
        (filled.cost, fresh.cost),
        (filled.weights, fresh.weights),
    ):
        np.testing.assert_allclose(
            mine, theirs, rtol=1e-10, atol=1e-12 * np.abs(theirs).max()
        )
    assert filled.labels.owners == fresh.labels.owners
    assert filled.labels.agents == fresh.labels.agents


@FEW
@given(st.lists(POINT, min_size=2, max_size=3))
def test_a_filled_template_is_the_linear_program_written_for_the_case(points):
    """Rates, shares, quotas, demand, discount, cost, sigma and widths at once.

    Products of levers are among the entries.
    """
    cells = [
        at(point, case_of(*RULES), world_of(TWO_REGIONS), TWO_REGIONS)
        for point in points
    ]
    template, levers = template_of(cells)
    for k, (case, numbers) in enumerate(cells):
        assert_same_program(
            template.fill(levers[k], numbers.weights(template.labels.lines)),
            compile_program(write(numbers, case.policies)),
        )


@FEW
@given(st.lists(POINT, min_size=3, max_size=3))
def test_hot_starts_find_the_objective_of_cold_solves(points):
    cells = [
        at(point, case_of(*RULES), world_of(TWO_REGIONS), TWO_REGIONS)
        for point in points
    ]
    template, levers = template_of(cells)
    chain = None
    for k, (case, numbers) in enumerate(cells):
        fresh = compile_program(write(numbers, case.policies))
        filled = template.fill(levers[k], numbers.weights(template.labels.lines))
        try:
            cold = solve_program(fresh)
        except NoOptimum:
            if chain is not None:
                with pytest.raises(NoOptimum):
                    chain.solve(filled)
            continue
        chain = chain or WarmSolver(template, cold.basis)
        hot = chain.solve(filled)
        assert hot.objective == pytest.approx(cold.objective, rel=1e-9)


def test_a_hot_start_that_fails_is_solved_cold_and_the_chain_continues(
    monkeypatch,
):
    cells = [
        at({"duty.rate": rate}, case_of(*RULES[:2]), world_of(TWO_REGIONS), TWO_REGIONS)
        for rate in (0.1, 0.2, 0.3)
    ]
    template, levers = template_of(cells)
    arrays = [
        template.fill(levers[k], numbers.weights(template.labels.lines))
        for k, (_, numbers) in enumerate(cells)
    ]
    sound, calls = certificate.certify, []

    def next_fails(*given):
        calls.append(given)
        return (
            certificate.Certificate(1.0, 1.0, 1.0, 1.0)
            if len(calls) == 1
            else sound(*given)
        )

    cold = [solve_program(one) for one in arrays]
    chain = WarmSolver(template, cold[0].basis)
    monkeypatch.setattr(highs, "certify", next_fails)
    for one, alone in zip(arrays, cold, strict=True):
        hot = chain.solve(one)
        assert hot.objective == pytest.approx(alone.objective, rel=1e-9)
    assert len(calls) > len(arrays)


def test_metrics_of_a_sweep_equal_those_of_a_run():
    """The optimum is unique, so that it does not depend on the path to it."""
    case = case_of(*RULES[:2])
    cells = [
        at({"duty.rate": rate}, case, world_of(TWO_REGIONS), TWO_REGIONS)
        for rate in (0.11, 0.17, 0.23)
    ]
    template, levers = template_of(cells)
    chain = None
    for k, (there, numbers) in enumerate(cells):
        arrays = template.fill(levers[k], numbers.weights(template.labels.lines))
        chain = chain or WarmSolver(template, solve_program(arrays).basis)
        optimum = chain.solve(arrays)
        hot = Solution.of(there, numbers, arrays, optimum)
        cold = run(TWO_REGIONS, there, numbers.world)
        for metric in (
            "share.capacity.AAA.chip.2028",
            "revenue.AAA",
            "price.user.AAA.chip.2028",
            "objective",
        ):
            assert evaluate(metric, hot) == pytest.approx(
                evaluate(metric, cold), rel=1e-9
            ), metric


@pytest.mark.parametrize("name", list_cases(load_dataset()))
def test_shipped_cases_share_a_linear_program_at_other_numbers(name):
    """All numbers of instruments move by 3%, and some data; the horizon is short."""
    data = load_dataset()
    world = load_world("central", data).with_(horizon=2028, report_until=2027)
    case = load_case(name, data)
    case = case.model_copy(
        update={
            "policies": tuple(
                p
                for p in case.policies
                if p.years[0] <= 2028
                and not (isinstance(p, CapexGrant) and p.form == "marginal")
                and not (
                    isinstance(p, CapexGrant) and p.form == "open" and p.rate is None
                )
            )
        }
    )
    # What a refund is worth is the duty over its scope, a quotient: scope alone cannot
    # be shared there.
    relieved = {(getattr(p, "relieves", ""), "scope") for p in case.policies}
    moved = {
        f"{p.id}.{field}": getattr(p, field) * 0.97
        for p in case.policies
        for field in lever_fields(p)
        if getattr(p, field) and (p.id, field) not in relieved
    }
    points = [
        {},
        {
            **moved,
            "world.demand_shift": 0.004,
            "costs[item=capex]": 1.1,
            "costs[item=running]": 0.95,
        },
    ]
    cells = [at(point, case, world, data) for point in points]
    template, levers = template_of(cells)
    for k, (there, numbers) in enumerate(cells):
        assert_same_program(
            template.fill(levers[k], numbers.weights(template.labels.lines)),
            compile_program(write(numbers, there.policies)),
        )


@pytest.mark.parametrize(
    ("use", "fits", "does_not"),
    [
        (lambda x: max(x, 1.0), 1.5, 0.5),
        (lambda x: min(x, 3.0) * 2.0, 2.5, 3.5),
        (lambda x: 6.0 / x, 2.0, 2.1),
        (lambda x: 1.0 if x > 1 else 0.0, 1.1, 0.9),
        (lambda x: 1.0 if x >= 2 else 0.0, 2.0, 2.1),
        (int, 2.0, 2.1),
        (round, 2.0, 2.2),
        (lambda x: x**-1, 2.0, 2.1),
        (lambda x: 2.0**x, 2.0, 2.1),
        (abs, 7.0, -2.0),
    ],
)
def test_what_was_written_serves_where_the_answers_are_the_same(use, fits, does_not):
    """A cap, a quotient, a comparison: the value at hand decides, and is recorded."""
    trace = Trace(np.array([2.0]))
    (lever,) = trace.levers()
    found = use(lever)
    conditions = trace.conditions()
    assert conditions.hold(np.array([2.0]))
    assert conditions.hold(np.array([fits]))
    assert not conditions.hold(np.array([does_not]))
    if not isinstance(found, Polynomial):
        found = Polynomial({(): float(found)}, trace)
    filled = PolynomialVector.of([(0, found)], 1)
    for value in (2.0, fits):
        assert filled.evaluate(np.array([value]))[0] == pytest.approx(use(value))


def test_traced_numbers_are_polynomials():
    a, b = Trace(np.zeros(2)).levers()
    number = 3.0 * a * b - (a - 2.0) / 4.0 + b**2 + np.float64(2.0) * a
    found = PolynomialVector.of([(5, number), (9, -a)], 2)
    assert found.slots.tolist() == [5, 9]
    x, y = 0.7, -1.3
    assert found.evaluate(np.array([x, y])) == pytest.approx(
        [3 * x * y - (x - 2) / 4 + y * y + 2 * x, -x], rel=1e-14
    )


def test_a_case_that_breaks_a_condition_gets_a_structure_of_its_own():
    """The usual mix of a maker's buyers is a quotient of the users' shares."""
    case, numbers = at({}, case_of(*RULES[:2]), world_of(TWO_REGIONS), TWO_REGIONS)
    structures = Structures()
    written = []
    for share in (0.4, 0.5, 0.4):
        others = replace(numbers, users={"AAA": share, "BBB": 1.0 - share})
        written.append(structures.fitting(case, others)[0])
        assert_same_program(
            structures.program(case, others),
            compile_program(write(others, case.policies)),
        )
    assert written[0] is written[2]
    assert written[0] is not written[1]


def test_a_quantity_rule_is_searched_until_a_metric_meets_its_goal():
    case = case_of(RULES[0])
    goal = evaluate(
        "revenue.AAA", run(TWO_REGIONS, case_at(case, {"duty.rate": 0.12}, "test"))
    )
    found = solve_for(
        TWO_REGIONS, case, "duty.rate", "revenue.AAA", goal, 0.01, 0.15, tolerance=1e-6
    )
    assert evaluate(
        "revenue.AAA", run(TWO_REGIONS, case_at(case, {"duty.rate": found}, "test"))
    ) == pytest.approx(goal, rel=1e-3)
    with pytest.raises(InputError, match="does not lie between"):
        solve_for(TWO_REGIONS, case, "duty.rate", "revenue.AAA", 1e9, 0.01, 0.15)
    with pytest.raises(InputError, match="no number 'height'"):
        solve_for(TWO_REGIONS, case, "duty.height", "revenue.AAA", 1.0, 0.01, 0.15)
