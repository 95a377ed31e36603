"""Bases in one file: what is written is read, what is damaged is none."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chipmodel.solver.basis_file import BasisFile
from chipmodel.solver.warm_start import WarmStart

KEYS = st.lists(st.integers(0, 2**64 - 1), unique=True, max_size=40)


@st.composite
def starts(draw: st.DrawFn) -> WarmStart:
    parts = []
    for _ in range(2):
        keys = sorted(draw(KEYS))
        size = len(keys)
        status = draw(st.lists(st.integers(0, 2), min_size=size, max_size=size))
        parts += [np.array(keys, dtype=np.uint64), np.array(status, dtype=np.int8)]
    return WarmStart(*parts)


def fields(start: WarmStart) -> list[list[int]]:
    return [values.tolist() for values in vars(start).values()]


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(st.text("abc-", min_size=1), starts(), max_size=5))
def test_every_basis_is_read_back(named: dict[str, WarmStart]) -> None:
    content = BasisFile.of(named).to_bytes()
    read = BasisFile.from_bytes(content)
    assert read is not None
    assert set(read.places) == set(named)
    for name, start in named.items():
        found = read.start(name)
        assert found is not None
        assert fields(found) == fields(start)
    assert read.start("no such name") is None


def a_file() -> bytes:
    keys, status = np.arange(9, dtype=np.uint64), np.ones(9, dtype=np.int8)
    return BasisFile.of({"one": WarmStart(keys, status, keys, status)}).to_bytes()


def resaved(**changed: np.ndarray) -> bytes:
    with np.load(io.BytesIO(a_file())) as arrays:
        parts = {**arrays, **changed}
    stream = io.BytesIO()
    np.savez_compressed(stream, **parts)
    return stream.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04",
        b"region,value\nUSA,1\n",
        a_file()[:-20],
        a_file()[:200],
        a_file().replace(b"names", b"nomes"),
        resaved(format=np.array(99)),
        resaved(statuses=np.zeros((1, 2), dtype=np.uint8)),
        resaved(statuses=np.zeros((1, 5))),
        resaved(names=np.array(["a", "b"])),
        resaved(column_keys=np.arange(9, dtype=np.uint32)),
    ],
)
def test_a_damaged_file_is_none(content: bytes) -> None:
    assert BasisFile.from_bytes(content) is None
