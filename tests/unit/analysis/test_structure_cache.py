"""A structure that was cached serves as one that was just written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chipmodel as cm
from chipmodel.analysis import structure as module
from chipmodel.analysis.structure import Structures
from chipmodel.common.cache import VARIABLE
from chipmodel.model.parameters.build import build_parameters
from chipmodel.solver.linear_program import LinearProgram
from chipmodel.solver.template_file import from_bytes, to_bytes, tuples


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own, in which small structures are worth a file too."""
    monkeypatch.setenv(VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setattr(module, "LARGE", 0)
    return tmp_path / "cache"


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """List the cases for which a structure is written."""
    found: list[str] = []
    write = module.write_structure

    def listed(case: cm.Case, *others: Any, **more: Any) -> Any:
        found.append(case.name)
        return write(case, *others, **more)

    monkeypatch.setattr(module, "write_structure", listed)
    return found


def program(data: cm.Dataset, name: str, **numbers: Any) -> LinearProgram:
    """Return the linear program of a case as a new process does."""
    world = cm.load_world("central", data).with_(**numbers)
    return Structures().program(cm.load_case(name, data), build_parameters(data, world))


def assert_equal(one: LinearProgram, other: LinearProgram) -> None:
    assert vars(one.labels).keys() >= {"row_labels", "column_labels"}
    for name in ("row_labels", "column_labels", "owners", "agents", "lines", "groups"):
        assert getattr(one.labels, name) == getattr(other.labels, name)
    assert np.array_equal(one.labels.column_keys, other.labels.column_keys)
    assert np.array_equal(one.labels.row_keys, other.labels.row_keys)
    assert np.array_equal(one.is_equation, other.is_equation)
    assert one.stated_amounts == other.stated_amounts
    for name in ("rhs", "weights", "cost"):
        assert np.array_equal(getattr(one, name), getattr(other, name))
    assert (one.matrix != other.matrix).nnz == 0
    assert (one.lines != other.lines).nnz == 0


@pytest.mark.parametrize("name", ["no_policy", "tariff", "credit", "floor", "grant"])
def test_what_is_cached_is_what_was_written(
    two: cm.Dataset, place: Path, written: list[str], name: str
) -> None:
    first = program(two, name)
    assert_equal(program(two, name), first)
    assert written == [name]


def test_another_number_needs_no_new_structure(
    two: cm.Dataset, place: Path, written: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    program(two, "tariff")
    found = program(two, "tariff", demand_shift=0.013)
    assert written == ["tariff"]
    monkeypatch.setenv(VARIABLE, "")
    fresh = program(two, "tariff", demand_shift=0.013)
    assert written == ["tariff", "tariff"]
    assert np.allclose(found.rhs, fresh.rhs, rtol=1e-13)
    assert abs(found.matrix - fresh.matrix).max() < 1e-12


@pytest.mark.parametrize(
    "damage", [lambda raw: raw[:50], lambda _: b"", lambda raw: raw[::-1]]
)
def test_a_damaged_file_is_written_again(
    two: cm.Dataset, place: Path, written: list[str], damage: Any
) -> None:
    first = program(two, "tariff")
    for path in place.iterdir():
        path.write_bytes(damage(path.read_bytes()))
    assert_equal(program(two, "tariff"), first)
    assert written == ["tariff", "tariff"]
    program(two, "tariff")
    assert written == ["tariff", "tariff"]


def test_other_code_writes_its_own(
    two: cm.Dataset, place: Path, written: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    program(two, "tariff")
    monkeypatch.setattr(module, "code_digest", lambda: "other code")
    program(two, "tariff")
    assert written == ["tariff", "tariff"]


def test_arrays_and_plain_data_are_read_back() -> None:
    arrays = {"a": np.arange(3), "b": np.zeros((0, 2))}
    texts = {"x": [["one", [1, None, 2.5]], "two"]}
    read = from_bytes(to_bytes(arrays, texts))
    assert read is not None
    found, plain = read
    assert found.keys() == arrays.keys()
    assert all(np.array_equal(found[name], arrays[name]) for name in arrays)
    assert plain == texts
    assert tuples(plain["x"]) == (("one", (1, None, 2.5)), "two")
    assert from_bytes(b"") is None
    assert from_bytes(to_bytes(arrays, texts)[:40]) is None
