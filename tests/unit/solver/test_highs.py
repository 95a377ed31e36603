"""What a solve does when it takes long, and duals of rows that became bounds."""

from __future__ import annotations

import os
import time
from typing import Any

import numpy as np
import pytest
from helpers import case_of, world_of
from why import mandate

import chipmodel as cm
from chipmodel import CapexGrant, OriginFloor, run
from chipmodel.common.errors import Infeasible, NoOptimum
from chipmodel.model.lp.compile import compile_program
from chipmodel.model.lp.program import write
from chipmodel.model.parameters.build import build_parameters
from chipmodel.policies.export_control import ExportControl
from chipmodel.solver import highs
from chipmodel.solver.linear_program import LinearProgram
from chipmodel.solver.solve import _Solve, solve_program, warm_start_from


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at the first iteration whether there is a solution."""
    monkeypatch.setattr(highs, "PATIENCE", -1.0)


def program_of(data: cm.Dataset, *policies: cm.Policy) -> LinearProgram:
    parameters = build_parameters(data, world_of(data))
    return compile_program(write(parameters, policies))


def own(region: str, served: float = 1.0) -> OriginFloor:
    return OriginFloor(
        id=f"{region.lower()}_own",
        market=region,
        trusted=(region,),
        share=1.0,
        on="use",
        min_served=served,
        years=(2025, 2030),
        source="own",
    )


def test_a_long_solve_without_a_solution_is_refused(two: Any, impatient: None) -> None:
    with pytest.raises(Infeasible, match="contradict each other"):
        solve_program(program_of(two, own("AAA"), own("BBB")))


def test_a_long_solve_with_a_solution_is_not_disturbed(
    two: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Time decides when it is looked at, and nothing of what comes out."""
    program = program_of(two)
    quick = solve_program(program)
    looked: list[bool] = []
    look = highs._is_infeasible

    def counted(*arguments: Any) -> bool:
        looked.append(look(*arguments))
        return looked[-1]

    monkeypatch.setattr(highs, "_is_infeasible", counted)
    monkeypatch.setattr(highs, "PATIENCE", -1.0)
    long = solve_program(program)
    assert looked
    assert not any(looked)
    assert long.iterations == quick.iterations
    assert np.array_equal(long.x, quick.x)
    assert np.array_equal(long.y, quick.y)


def test_a_warm_start_without_a_solution_is_not_tried_again_cold(
    two: Any, impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = program_of(two, own("AAA", 0.1), own("BBB", 0.1))
    with monkeypatch.context() as patient:
        patient.setattr(highs, "PATIENCE", 1e9)
        start = warm_start_from(base, solve_program(base))
    cold = []
    monkeypatch.setattr(_Solve, "_loaded", lambda _: cold.append(1))
    with pytest.raises(Infeasible):
        solve_program(program_of(two, own("AAA"), own("BBB")), start)
    assert not cold


def test_an_interrupt_during_a_solve_is_not_swallowed(
    two: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(highs, "PATIENCE", -1.0)
    monkeypatch.setattr(highs, "_is_infeasible", interrupted)
    with pytest.raises(KeyboardInterrupt):
        solve_program(program_of(two))


@pytest.mark.skipif(
    "CHIPMODEL_EVERY_CASE" not in os.environ, reason="takes half a minute"
)
def test_a_shipped_case_that_took_five_minutes_is_refused_in_one() -> None:
    years = {"years": (2026, 2035), "source": "own", "rent_to": "treasury"}
    case = cm.load_case("current_law") + case_of(
        mandate("CHN", "logic_lt10", 150, (2030, 2030), borne_by="treasury"),
        ExportControl(
            id="scanners",
            exporter="EUR",
            destination="CHN",
            input="immersion_tools",
            share=0.0,
            **years,
        ),
        ExportControl(
            id="etchers",
            exporter="USA",
            destination="CHN",
            input="etch_deposition_tools",
            share=0.1,
            **years,
        ),
    )
    start = time.process_time()
    with pytest.raises(NoOptimum) as caught:
        run(cm.load_dataset(), case)
    assert caught.value.status == "infeasible"
    assert time.process_time() - start < 60


def test_a_dual_belongs_to_a_bound_at_which_the_column_is(two: Any) -> None:
    """A reduced cost within the tolerance, times a budget it does not reach, was a gap
    of a fifth of the objective.
    """
    grant = CapexGrant(
        id="extra",
        form="marginal",
        region="AAA",
        rate=1e-9,
        budget=1e5,
        excluded=("other",),
        years=(2024, 2027),
        source="own",
    )
    loss = {
        "id": "loss",
        "region": "AAA",
        "segments": ("all",),
        "years": (2028, 2029),
        "depth": 0.5,
        "source": "own",
    }
    world = world_of(two, event=[loss])
    solution = run(two, case_of(grant), world)
    assert solution.objective == pytest.approx(run(two, case_of(), world).objective)
    assert solution.duals("extra__budget")[()] == 0.0
