"""A solve starts from the nearest basis that is known, and finds the same from any."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import case_of

import chipmodel as cm
from chipmodel.analysis import starts
from chipmodel.analysis.structure import Structures
from chipmodel.cases.case import list_cases
from chipmodel.common import cache
from chipmodel.model.parameters.build import build_parameters
from chipmodel.policies.tariff import Tariff
from chipmodel.results.solution import Solution
from chipmodel.solver.basis_file import BasisFile
from chipmodel.solver.highs import COLD
from chipmodel.solver.solve import STORED, solve_program, warm_start_from

HEADLINE = ("current_law", "no_policy", "section232_25_flat")
EVERY = bool(os.environ.get("CHIPMODEL_EVERY_CASE"))
SHIPPED = list_cases(cm.load_dataset()) if EVERY else HEADLINE
NEAR = 600
"""Pivots from its own basis; a cold solve takes 50,000."""


# -- bases of the data package


@pytest.mark.parametrize("name", SHIPPED)
def test_a_basis_shipped_fits_its_case(name: str, monkeypatch: Any) -> None:
    """If one does not: ``python experiments/bases.py --jobs 2``."""
    monkeypatch.setenv(cache.VARIABLE, "")
    solution = cm.run(cm.load_dataset(), name)
    assert solution.optimum.start == STORED
    assert solution.optimum.iterations < NEAR


@pytest.mark.parametrize("name", SHIPPED if EVERY else HEADLINE[:1])
def test_three_starts_of_a_case_shipped_give_the_same_numbers(
    name: str, monkeypatch: Any
) -> None:
    monkeypatch.setenv(cache.VARIABLE, "")
    data = cm.load_dataset()
    parameters = build_parameters(data, cm.load_world("central", data))
    case = cm.load_case(name, data)
    program = Structures().program(case, parameters)
    for keys in (program.labels.column_keys, program.labels.row_keys):
        assert len(np.unique(keys)) == len(keys)
    shipped = starts.of_package(data.root)
    assert shipped is not None
    own = shipped.start(starts.name_of(case, parameters, "anticipated"))
    other = cm.load_case("no_policy" if name != "no_policy" else "current_law", data)
    far = shipped.start(starts.name_of(other, parameters, "anticipated"))
    cold, near, further = (solve_program(program, start) for start in (None, own, far))
    assert near.start == STORED
    for optimum in (near, further):
        assert np.array_equal(optimum.x, cold.x)
        assert np.array_equal(optimum.y, cold.y)


# -- bases of the user, on a small linear program


@pytest.fixture
def place(tmp_path: Path, monkeypatch: Any) -> Path:
    """Cache every basis, in a folder of this test."""
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setattr(starts, "LARGE", 0)
    monkeypatch.setattr(starts, "FAR", 0)
    return tmp_path / "cache"


def duty(rate: float, **changed: Any) -> Tariff:
    fields = {"id": "duty", "importer": "AAA", "on": "chips", "source": "own"}
    return Tariff(years=(2026, 2030), rate=rate, **{**fields, **changed})


def solved(data: cm.Dataset, *policies: Any) -> Solution:
    return cm.run(data, case_of(*policies))


def same(one: Solution, other: Solution) -> bool:
    return bool(
        np.array_equal(one.optimum.x, other.optimum.x)
        and np.array_equal(one.optimum.y, other.optimum.y)
    )


def test_another_rate_starts_from_the_basis_of_the_last(two: Any, place: Path) -> None:
    first = solved(two, duty(0.1))
    assert first.optimum.start == COLD
    second = solved(two, duty(0.2))
    assert second.optimum.start == STORED
    assert solved(two, duty(0.1)).optimum.start == STORED
    for path in place.iterdir():
        path.unlink()
    cold = solved(two, duty(0.2))
    assert cold.optimum.start == COLD
    assert same(cold, second)


@pytest.mark.parametrize("content", [b"", b"PK", b"\0" * 400])
def test_a_damaged_basis_is_a_cold_start(two: Any, place: Path, content: bytes) -> None:
    first = solved(two, duty(0.1))
    for path in place.iterdir():
        path.write_bytes(content)
    again = solved(two, duty(0.1))
    assert again.optimum.start == COLD
    assert same(again, first)


def test_a_cache_that_cannot_be_written_is_a_cold_start(two: Any, place: Path) -> None:
    place.write_text("a file where the folder would be")
    assert solved(two, duty(0.1)).optimum.start == COLD
    assert solved(two, duty(0.1)).optimum.start == COLD


def test_the_solve_with_fewest_differences_is_nearest(
    two: Any, place: Path, monkeypatch: Any
) -> None:
    monkeypatch.setenv(cache.VARIABLE, "")
    parameters = build_parameters(two, cm.load_world("central", two))
    known = {}
    for rates in ((0.1,), (0.1, 0.3), (0.4, 0.3)):
        policies = [duty(r, id=f"duty{k}") for k, r in enumerate(rates)]
        solution = solved(two, *policies)
        name = starts.name_of(solution.case, parameters, "anticipated")
        known[name] = warm_start_from(solution.program, solution.optimum)
    package = BasisFile.of(known)
    asked = []
    monkeypatch.setattr(starts, "of_package", lambda _: package)
    monkeypatch.setattr(BasisFile, "start", lambda _, name: asked.append(name))
    solved(two, duty(0.1, id="duty0"), duty(0.2, id="duty1"))
    assert asked == [list(known)[1]]


def test_names_leave_out_prose_and_what_does_not_act(two: Any) -> None:
    parameters = build_parameters(two, cm.load_world("central", two))

    def name(*policies: Any) -> str:
        return starts.name_of(case_of(*policies), parameters, "anticipated")

    assert name(duty(0.1)) == name(duty(0.1, note="a note", source="another"))
    assert name(duty(0.0)) == name()
    assert name(duty(0.1)) != name(duty(0.2))


def test_bases_are_gathered_only_if_they_were_used(two: Any, place: Path) -> None:
    solved(two, duty(0.1))
    solved(two, duty(0.1), duty(0.2, id="other", importer="BBB"))
    all_of_them = starts.gather(place)
    assert len(all_of_them.places) == 2
    for path in place.iterdir():
        path.unlink()
    starts.scatter(all_of_them, place)
    assert starts.gather(place).places == {}
    assert solved(two, duty(0.1)).optimum.start == STORED
    assert len(starts.gather(place).places) == 1
