"""Cells solved together give what each gives by itself and what the study gives."""

from __future__ import annotations

from dataclasses import replace

import helpers
import pytest
from helpers import case_of

import chipmodel as cm
from chipmodel.analysis import grants
from chipmodel.common.workers import Here, Pool, Processes
from chipmodel.model.parameters.build import build_parameters
from chipmodel.model.world import Event
from chipmodel.results.summary import Summary
from chipmodel.studies import inputs
from chipmodel.studies.case_cache import (
    Batch,
    BatchSolver,
    CaseCache,
    key_of,
    merged,
)
from chipmodel.studies.inputs import Inputs
from chipmodel.studies.plan import Cell


@pytest.fixture
def data(tmp_path):
    return helpers.report_data(tmp_path / "data")


@pytest.fixture
def counted(monkeypatch):
    """List the cases that are solved by themselves."""
    found = []
    once = grants.solve_once

    def count(case, *others):
        found.append(case.name)
        return once(case, *others)

    monkeypatch.setattr(grants, "solve_once", count)
    return found


def duty(rate: float, **more: object) -> cm.Case:
    law = cm.Tariff(
        id="duty",
        importer="AAA",
        origins=("BBB",),
        rate=rate,
        on="chips",
        years=(2026, 2030),
        source="test",
        **more,
    )
    return case_of(law, name=f"duty_{100 * rate:.0f}{'_surprise' if more else ''}")


def loss(data: cm.Dataset, year: int, depth: float) -> cm.World:
    event = Event(
        id="storm",
        region="BBB",
        segments=("all",),
        years=(year, year),
        depth=depth,
        known_from=year,
        source="test",
    )
    return cm.load_world("central", data).with_(name=f"storm_{year}", event=(event,))


def by_key(data: cm.Dataset, batches: list[Batch], pool: Pool):
    """Solve batches and yield the key of each part with its summaries."""
    for part, summaries in BatchSolver(Inputs(data)).solve(batches, pool):
        yield part.key, summaries


def alike(one: Summary, other: Summary) -> None:
    assert one.objective == pytest.approx(other.objective, rel=1e-9)
    assert one.foresight == other.foresight
    assert one.capacity == pytest.approx(other.capacity, rel=1e-6, abs=1e-6)


def test_surprises_share_the_solution_of_the_time_before_them(data, counted):
    """Two losses and the case without them: one first and two second passes."""
    law = cm.load_case("current_law", data)
    worlds = [
        cm.load_world("central", data),
        loss(data, 2028, 0.3),
        loss(data, 2029, 0.6),
    ]
    cache = CaseCache(data)
    cache.solve([Cell(law, world) for world in worlds])
    assert len(counted) == 3
    for world in worlds:
        alike(cache.summary(law, world), Summary.of(cm.run(data, law, world), {}))
    assert cache.summary(law, worlds[1]).foresight == "surprise"
    assert cache.summary(law, worlds[1]).world.name == "storm_2028"


def test_a_policy_that_comes_as_a_surprise_shares_it_too(data, counted):
    """A tariff announced in 2028, and the case without it."""
    law = cm.load_case("current_law", data)
    late = cm.Tariff(
        id="late",
        importer="AAA",
        origins=("BBB",),
        rate=0.3,
        on="chips",
        years=(2028, 2030),
        known_from=2028,
        source="test",
    )
    case = law.model_copy(update={"name": "late", "policies": (*law.policies, late)})
    cache = CaseCache(data)
    cache.solve([cache.cell(law), cache.cell(case)])
    assert len(counted) == 2
    alike(cache.summary(case), Summary.of(cm.run(data, case), {}))


def test_cells_of_the_headline_study_are_those_of_the_study(data):
    """Where several solutions are optimal, report and study must show the same one."""
    cache = CaseCache(data)
    for cell in cm.run_study("headline", data).summaries.values():
        assert cache.summary(cell.case, cell.world) == replace(cell, point={})


def test_variants_of_one_shape_are_one_batch_and_the_same_alone(data, counted):
    cases = [duty(rate) for rate in (0.05, 0.1, 0.2)]
    cache = CaseCache(data)
    planned = cache.plan([cache.cell(case) for case in cases])
    assert [(len(one.cells), one.shared) for one in planned] == [(3, True)]
    cache.solve([cache.cell(case) for case in cases])
    assert counted == []  # by the compiled program
    for case in cases:
        alike(cache.summary(case), Summary.of(cm.run(data, case), {}))


def test_what_several_request_is_solved_once_and_does_not_depend_on_the_processes(
    data, counted
):
    """Cells of two caches, in one process and in two: the same, every cell once."""
    one, two = CaseCache(data), CaseCache(data)
    asked = [
        *one.plan([one.cell("tariff"), one.cell("credit")]),
        *two.plan(
            [
                two.cell("credit"),
                two.cell("grant"),
                two.cell(duty(0.1)),
                two.cell(duty(0.2)),
            ]
        ),
    ]
    here = dict(by_key(data, asked, Here()))
    there = dict(by_key(data, asked, Processes(2)))
    assert len(here) == 4
    assert len(counted) <= 4
    assert here == there


def test_the_longest_work_comes_first(data):
    cache = CaseCache(data)
    few = cache.plan(
        [cache.cell("tariff"), *(cache.cell(duty(rate)) for rate in (0.1, 0.2, 0.3))]
    )
    assert [len(one.cells) for one in merged(few)] == [3, 1]
    assert [
        len(part.cells)
        for part in Batch((cache.cell("tariff"), cache.cell("grant")), False).parts
    ] == [1, 1]


def test_a_cache_reads_each_file_and_builds_each_world_once(data, monkeypatch):
    loaded, built = [], []

    def load(name, root):
        loaded.append(name)
        return cm.load_case(name, root)

    def build(root, world):
        built.append(world.name)
        return build_parameters(root, world)

    monkeypatch.setattr(inputs, "load_case", load)
    monkeypatch.setattr(inputs, "build_parameters", build)
    cache = CaseCache(data)
    cache.solve([cache.cell("tariff"), cache.cell("grant"), cache.cell(duty(0.1))])
    cache.solve([cache.cell("grant"), cache.cell("credit"), cache.cell(duty(0.2))])
    assert cache.summary("tariff").objective
    assert sorted(loaded) == sorted(set(loaded))
    assert built == ["central"]


def test_names_do_not_distinguish_cells(data):
    cell = CaseCache(data).cell("tariff")
    renamed = cell.case.model_copy(update={"name": "other", "title": "Other"})
    assert key_of(Cell(renamed, cell.world)) == key_of(cell)
