"""Corrupted files are refused, harmless or reported; tests of the judge itself."""

from __future__ import annotations

from pathlib import Path

import mutate
import pytest
from mutations import EVERY, MUTATIONS, File, Made, Mutation, meaning

from chipmodel.common import errors, files, toml
from chipmodel.dataset import fields, reading


def test_two_hundred_mutations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    tally = mutate.mutate(200, seed=7, folder=tmp_path, commands=3)
    assert not tally.faults, tally.text()
    assert tally.outcomes.total() == 200
    assert tally.commands == 3
    assert tally.shipped > 10
    # Were everything refused, or nothing read, the run would prove little.
    assert (
        min(
            tally.outcomes[x]
            for x in (mutate.REFUSED, mutate.HARMLESS, mutate.LEGITIMATE)
        )
        >= 10
    )


def test_every_kind_of_file_has_mutations() -> None:
    assert {kind for m in MUTATIONS for kind in m.kinds} == set(EVERY)
    assert len({(m.name, m.kinds) for m in MUTATIONS}) == len(MUTATIONS)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> mutate.Package:
    """A package to corrupt."""
    return mutate.Package(
        mutate.two_regions(tmp_path_factory.mktemp("home") / "two"), True
    )


def judged(
    home: mutate.Package,
    name: str,
    old: str,
    new: str,
    expects: str = "any",
    job: bool = True,
) -> mutate.Verdict:
    """Judge the replacement of a text in a file."""
    file = next(f for f in home.files if f.path.name == name)
    assert old in file.text
    made = Made(file.text.replace(old, new, 1).encode())
    work = ("run", "grant", "central") if job else None
    if work:
        home.intact(*work)
    with mutate.put(file, made.content):
        return mutate.judge(made, file, home, work, expects)


def test_the_three_outcomes(home: mutate.Package) -> None:
    assert judged(home, "fleets.csv", ",40,", ",forty,").outcome == mutate.REFUSED
    assert judged(home, "fleets.csv", "\n", "\r\n").outcome == mutate.HARMLESS
    assert judged(home, "fleets.csv", ",40,", ",41,") == mutate.Verdict(
        mutate.LEGITIMATE, "other tables"
    )
    assert judged(home, "fleets.csv", "made up", "thought up") == mutate.Verdict(
        mutate.LEGITIMATE, "same tables"
    )


def test_the_judge_sees_a_number_beyond_its_limits(
    home: mutate.Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fields.Fact, "outside", lambda *_: "")
    with pytest.raises(mutate.Fault, match="was accepted"):
        judged(home, "fleets.csv", ",40,", ",40e12,", expects="refused", job=False)


def test_the_judge_sees_a_silent_reading(
    home: mutate.Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = files.text_of
    monkeypatch.setattr(
        reading, "text_of", lambda file, raw: plain(file, raw).replace(",41,", ",40,")
    )
    with pytest.raises(mutate.Fault, match="has other content and is read as the same"):
        judged(home, "fleets.csv", ",40,", ",41,")


def test_the_judge_sees_a_refusal_without_a_fix(
    home: mutate.Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        reading,
        "_header_problems",
        lambda file, *_: [errors.Problem(file, "header", "is wrong", "")],
    )
    with pytest.raises(mutate.Fault, match="not whole"):
        judged(home, "fleets.csv", ",40,", ",41,")


def test_the_judge_sees_the_wrong_file(
    home: mutate.Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        reading,
        "_header_problems",
        lambda *_: [errors.Problem("elsewhere.csv", "header", "is wrong", "fix it")],
    )
    with pytest.raises(mutate.Fault, match=r"names elsewhere\.csv instead"):
        judged(home, "fleets.csv", ",40,", ",41,")


def test_the_judge_sees_a_traceback_and_the_way_an_objective_moves(
    home: mutate.Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    up = Mutation(
        "a lower duty, declared to raise the objective",
        ("case",),
        "legitimate",
        lambda _, f: (
            Made(f.raw.replace(b"rate = 0.25", b"rate = 0.05"), moves=1)
            if f.path.stem == "tariff"
            else None
        ),
    )
    found = mutate.one(1, home, up, command=False)
    assert found is not None
    assert found[0].outcome == mutate.FAULT
    assert "the objective moves the wrong way" in found[1]
    monkeypatch.setattr(toml, "text_of", lambda *_: 1 / 0)
    found = mutate.one(1, home, up, command=False)
    assert found is not None
    assert found[0].outcome == mutate.FAULT
    assert "ZeroDivisionError" in found[1]


def test_the_content_of_a_file_is_read_by_other_means(home: mutate.Package) -> None:
    fleets = next(f for f in home.files if f.path.name == "fleets.csv")
    header, *rows = fleets.raw.splitlines(keepends=True)
    assert meaning(fleets, b"".join([header, *rows[::-1]])) == meaning(
        fleets, fleets.raw
    )
    assert meaning(fleets, b"".join([header, *rows[1:]])) != meaning(fleets, fleets.raw)
    assert meaning(fleets, b'"') is None
    tariff = next(f for f in home.files if f.path.name == "tariff.toml")
    assert meaning(tariff, tariff.raw + b'layer = "other"\n') == meaning(
        tariff, tariff.raw
    )  # a documented default
    assert meaning(tariff, tariff.raw.replace(b"0.25", b"0.250")) == meaning(
        tariff, tariff.raw
    )
    assert isinstance(tariff, File)
