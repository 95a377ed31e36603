"""Sweeps: points of grids, lists, tables and designs; chunks; the same table."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError
from test_study import study_of

from chipmodel import InputError, load_case, load_world, run
from chipmodel.analysis.uniqueness import DualFace
from chipmodel.results.metrics import compare
from chipmodel.studies.definition import Design
from chipmodel.studies.path import near_neighbours
from chipmodel.studies.plan import Cell, plan
from chipmodel.studies.run import run_study
from chipmodel.studies.sweep import cut, prepare, solve_chunk

NUMBERS = (
    "share.capacity.AAA.chip.2028",
    "cost.buyers.AAA",
    "revenue.AAA",
    "objective",
)
GRID = {"duty.rate": (0.0, 0.1, 0.2), "world.demand_shift": (0.0, 0.01)}


def swept(**fields):
    given = {
        "cases": ("no_policy", "tariff"),
        "metrics": NUMBERS,
        "chunk": 3,
        "grid": GRID,
    }
    return study_of(**{**given, **fields})


@pytest.fixture(scope="module")
def duty(two):
    """Name of the rate of the tariff case."""
    from chipmodel import load_case

    (policy,) = load_case("tariff", two).policies
    return f"{policy.id}.rate"


@pytest.fixture(scope="module")
def grid(duty):
    return {duty: (0.0, 0.1, 0.2), "world.demand_shift": (0.0, 0.01)}


def spread_of_payments(user, solution):
    """Return by how much less and more a user pays at other optimal prices, MUSD.

    Buyers' surplus is the value of what is served less what is paid for it, and at any
    optimal price that of the same solution: only what is paid can differ.
    """
    program, optimum = solution.program, solution.optimum
    keys, rows = program.labels.rows("demand_balance")
    mine = np.array(
        [row for key, row in zip(keys, rows, strict=True) if key[0] == user]
    )
    places = dict(zip(*program.labels.columns("consumed"), strict=True))
    bought = {row: optimum.x[places[key]] for key, row in zip(keys, rows, strict=True)}
    face = DualFace(solution, mine)
    weights = np.array([bought[r] if r in mine else 0.0 for r in face.rows])
    paid = weights @ face.start
    return paid + weights @ -face.best(-weights), weights @ face.best(weights) - paid


def test_a_sweep_gives_what_single_runs_give(two, grid, duty):
    """The reference is at every point of the world; a zero tariff equals it."""
    study = swept(grid=grid)
    result = run_study(study, two)
    known = plan(study, two)
    assert len(known.cells) == 2 + 6
    taken = result.solves["points of the sweep"]
    assert taken["solved"] == len(known.cells)
    assert taken["pivots"] > 0
    assert taken["seconds"] > 0.0
    table = result.table.set_index(["case", "world", "metric"])
    for cell in known.cells:
        reference = next(c for c in known.cells if c.name == cell.reference)
        base = run(two, reference.case, reference.world)
        solution = run(two, cell.case, cell.world)
        alone = compare(base, solution, metrics=NUMBERS)
        # The reference compared with itself has two equal rows of each metric.
        alone = alone[alone["case"] == cell.case.name].groupby("metric")["value"].last()
        for metric in NUMBERS:
            value = table.loc[(cell.case.name, cell.world.name, metric), "value"]
            low = high = alone[metric]
            if metric == "cost.buyers.AAA":
                # Prices follow steps of demand and are not always unique.
                less, more = spread_of_payments("AAA", solution)
                base_less, base_more = spread_of_payments("AAA", base)
                low, high = low - less - base_more, high + more + base_less
            close = 1e-3 + 2e-8 * abs(alone[metric])
            assert low - close <= value <= high + close, (cell.label, metric)
    free = result.table[
        (result.table[duty] == 0.0) & (result.table["metric"] == "cost.buyers.AAA")
    ]
    assert free["value"].abs().max() < 1e-3


def test_the_text_of_a_sweep_has_a_line_a_point(two, grid, duty):
    text = run_study(swept(grid=grid, reference="no_policy"), two).text()
    assert f"(1) {duty}" in text
    assert "(6) objective, MUSD" in text
    assert max(map(len, text.splitlines())) <= 110


def test_points_come_from_lists_tables_and_designs(two, duty, tmp_path):
    listed = swept(grid={}, point=({duty: 0.1}, {duty: 0.3}))
    assert [c.point for c in plan(listed, two).cells] == [{}, {duty: 0.1}, {duty: 0.3}]
    (tmp_path / "points.csv").write_text(
        f"{duty},world.demand_shift\n0.1,0.0\n0.2,0.01\n"
    )
    tabled = swept(grid={}, table=str(tmp_path / "points.csv"))
    assert tabled.points() == [
        {duty: 0.1, "world.demand_shift": 0.0},
        {duty: 0.2, "world.demand_shift": 0.01},
    ]
    for kind in ("sobol", "latin_hypercube"):
        design = Design(
            kind=kind,
            size=6,
            seed=3,
            ranges={duty: (0.1, 0.3), "costs[item=capex]": (0.8, 1.2)},
        )
        points = design.points()
        assert len(points) == 6
        assert points == design.points()
        assert all(
            0.1 <= p[duty] <= 0.3 and 0.8 <= p["costs[item=capex]"] <= 1.2
            for p in points
        )


def test_every_shape_is_compiled_once_and_a_rate_of_zero_is_of_the_shape(two, grid):
    """The reference has no duty: that is the other shape."""
    study = swept(grid=grid)
    known = plan(study, two)
    sweep = prepare([c for c in known.cells if c.point], two, known.metrics, {}, 3)
    assert len(sweep.shared.templates) == 2
    assert sweep.refused == ()
    assert sum(len(chunk.tasks) for chunk in sweep.chunks) == 8


def test_points_are_solved_along_a_path_and_listed_in_their_order(two, duty):
    values = (0.0, 0.2, 0.1, 0.3)
    study = swept(cases=("tariff",), reference=None, grid={duty: values}, chunk=2)
    study = study.model_copy(update={"metrics": ("revenue.AAA",)})
    cells = plan(study, two).cells
    sweep = prepare(cells, two, (), {}, 2)
    solved = [task.cell.point[duty] for c in sweep.chunks for task in c.tasks]
    assert solved == [0.0, 0.1, 0.2, 0.3]
    table = run_study(study, two).table
    assert tuple(table[duty]) == values


@pytest.fixture(scope="module")
def cell(two):
    """Make a cell by the name of its case, its reference and its point."""
    case = load_case("no_policy", two)
    world = load_world("central", two).with_(name="w")

    def make(name, reference="", **point):
        return Cell(case.model_copy(update={"name": name}), world, point, reference)

    return make


def test_a_path_through_a_grid_turns_at_the_end_of_each_line(cell):
    cells = [cell(f"{a}{b}", a=a, b=b) for a in (0, 1, 2) for b in (5, 6, 7)]
    assert near_neighbours(cells) == [0, 1, 2, 5, 4, 3, 6, 7, 8]


def test_a_cell_stays_behind_the_one_it_is_compared_with_on_a_path(cell):
    cells = [
        cell("low", "low--w"),
        cell("far", "low--w", a=9),
        cell("high", "high--w", b=1),
        cell("near", "low--w", a=1),
        cell("other", "high--w", a=5, b=1),
    ]
    assert near_neighbours(cells) == [0, 3, 1, 2, 4]


def test_a_number_that_cannot_be_shared_is_named_and_solved_all_the_same(two):
    """Months of construction decide when a fab is in service: they are of the shape."""
    study = swept(
        cases=("no_policy",),
        reference="no_policy",
        grid={"construction[item=build]": (0.97, 0.98)},
    )
    result = run_study(study, two)
    assert len(result.table) == 2 * len(NUMBERS)
    assert any("2 cases differ in form" in note for note in result.notes)


def test_a_chunk_does_not_part_a_cell_from_its_reference(two, grid):
    known = plan(swept(grid=grid), two)
    sweep = prepare([c for c in known.cells if c.point], two, known.metrics, {}, 1)
    for chunk in sweep.chunks:
        names = {task.cell.name for task in chunk.tasks}
        assert all(task.cell.reference in names for task in chunk.tasks)
    assert cut([], 5) == []


def test_a_chunk_gives_the_same_rows_wherever_it_is_solved(two, grid):
    known = plan(swept(grid=grid), two)
    sweep = prepare([c for c in known.cells if c.point], two, known.metrics, {}, 3)
    for chunk in reversed(sweep.chunks):
        assert (
            solve_chunk(sweep.shared, chunk).rows
            == solve_chunk(sweep.shared, chunk).rows
        )


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"grid": {"duti.rate": (0.1, 0.2)}}, "no case has a policy 'duti'"),
        ({"grid": {"world.demand": (0.1, 0.2)}}, "the world has no number 'demand'"),
        ({"grid": {"costs[item": (0.1, 0.2)}}, "write table"),
        ({"grid": {"prizes[]": (0.1, 0.2)}}, "not a table of facts"),
        ({"grid": {"costs[thing=capex]": (0.9, 1.1)}}, "no column 'thing'"),
        ({"grid": {"costs[item=tea]": (0.9, 1.1)}}, "no row matches"),
        ({"grid": {"costs[item=capex]": (-1.0, 1.1)}}, "greater than 0"),
        ({"grid": {"world.demand_shift": (0.0, 0.0)}}, "repeats one"),
        (
            {
                "grid": {
                    "world.demand_shift": {"from": 0.0, "to": 0.01, "steps": 10_000}
                }
            },
            "--yes",
        ),
    ],
)
def test_numbers_that_do_not_fit_are_reported_before_anything_is_solved(
    two, fields, message
):
    with pytest.raises(InputError, match=message):
        run_study(swept(**fields), two)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {
                "design": {
                    "kind": "sobol",
                    "size": 4,
                    "seed": 1,
                    "ranges": {"x.rate": (0.2, 0.1)},
                },
                "grid": {},
            },
            "not below",
        ),
        ({"point": ({"x.rate": 0.1},)}, "keep one"),
        ({"grid": {}, "point": ({"x.rate": 0.1}, {"y.rate": 0.1})}, "the same numbers"),
    ],
)
def test_points_are_given_in_one_way_and_in_order(fields, message):
    with pytest.raises(ValidationError, match=message):
        swept(**fields)
