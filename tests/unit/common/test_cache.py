"""The cache makes a run faster, never different, and never ends it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from chipmodel.common import cache as module
from chipmodel.common.cache import VARIABLE, cache, cached


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv(VARIABLE, str(folder))
    return folder


def test_what_is_cached_is_there(place: Path) -> None:
    assert cached("a") is None
    cache("a", b"content")
    assert cached("a") == b"content"
    assert place.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: raw[:-1],
        lambda raw: raw + b"x",
        lambda raw: b"",
        lambda raw: raw[:10],
        lambda raw: raw.replace(b"content", b"CONTENT"),
    ],
)
def test_what_is_damaged_is_absent(place: Path, damage) -> None:
    cache("a", b"content")
    path = place / "a"
    path.write_bytes(damage(path.read_bytes()))
    assert cached("a") is None


def test_it_can_be_turned_off(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(VARIABLE, "")
    monkeypatch.chdir(tmp_path)
    cache("a", b"content")
    assert cached("a") is None
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_no_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("a file")
    for place in (tmp_path / "file", tmp_path / "file" / "below", Path("/proc/none")):
        monkeypatch.setenv(VARIABLE, str(place))
        cache("a", b"content")
        assert cached("a") is None
    assert (tmp_path / "file").read_text() == "a file"


def test_what_was_not_used_for_longest_goes_first(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for k, name in enumerate("abc"):
        cache(name, b"x" * 100)
        os.utime(place / name, (k, k))
    cached("a")
    monkeypatch.setattr(module, "MOST_BYTES", 300)
    cache("d", b"x" * 100)
    assert sorted(path.name for path in place.iterdir()) == ["a", "d"]
