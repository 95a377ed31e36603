"""A second opinion: other methods agree, and a result that is not unique is a range."""

from __future__ import annotations

import dataclasses
import json
import pickle

import numpy as np
import pandas as pd
import pytest
from helpers import TWO, case_of
from paper import bare
from scipy import sparse

from chipmodel import CertificateError, run, verify
from chipmodel.analysis import verify as verification
from chipmodel.cli import main
from chipmodel.model.parameters.parameters import Parameters
from chipmodel.results.metrics import evaluate
from chipmodel.results.store import load, save
from chipmodel.solver.certificate import certify
from chipmodel.solver.linear_program import LinearProgram, ProgramLabels
from chipmodel.solver.solve import solve_program


@pytest.mark.parametrize("case", ["grant", "floor"])
def test_other_methods_agree_and_headline_numbers_are_those_of_the_metrics(two, case):
    solution = run(two, case)
    found = verify(solution)
    ipm, pdlp = found.methods
    assert ipm.converged
    assert ipm.difference <= 1e-7
    assert ipm.quantities <= 1e-7
    assert not pdlp.converged or pdlp.difference <= 1e-7
    assert {r.name for r in found.ranges} >= {
        "share.capacity.AAA.all.2028",
        "share.capacity.BBB.all.2028",
    }
    assert ("outlay.AAA" in {r.name for r in found.ranges}) == (case == "grant")
    for r in found.ranges:
        assert r.unique
        assert r.value == pytest.approx(evaluate(r.name, solution), rel=1e-9)
        assert r.low - 1e-9 <= r.value <= r.high + 1e-9


@pytest.fixture
def twins(variant, monkeypatch):
    """A world in which any split of additions over two places is optimal.

    AAA has a fleet of ten, 1.11 more is wanted, and both places build it at equal cost.
    """
    monkeypatch.setattr(Parameters, "tie", lambda self, *places: 0.0)
    data = bare(variant, fleets={"AAA": 10}, place={"AAA": 1, "BBB": 1})
    return run(data, case_of())


def test_a_share_that_is_not_unique_is_reported_as_a_range(twins):
    found = verify(twins)
    share = {r.name: r for r in found.ranges}["share.capacity.BBB.all.2026"]
    added = sum(twins.columns("build").values())
    assert added == pytest.approx(1.11)
    assert not share.unique
    assert (share.low, share.high) == (
        pytest.approx(0.0, abs=1e-9),
        pytest.approx(added / (10 + added)),
    )
    lines = "\n".join(found.lines())
    assert "0 of 2 headline numbers are unique" in lines
    assert "share.capacity.BBB.all.2026" in lines


def test_the_range_of_a_ratio_is_found_where_its_denominator_moves_too():
    """x + y <= 2 at no cost: (1 + x) / (2 + x + y) lies between 1/4 and 3/4."""
    labels = ProgramLabels(
        row_labels=[("most", ())],
        column_labels=[("x", ()), ("y", ())],
        is_equation=np.array([False]),
        owners=["owner"],
        agents=["maker", "maker"],
        lines=[],
        groups={},
    )
    arrays = LinearProgram(
        labels,
        sparse.csc_matrix([[-1.0, -1.0]]),
        np.array([-2.0]),
        sparse.csr_matrix((1, 2)),
        np.ones(1),
    )
    face = verification._Face(arrays, solve_program(arrays))
    ratio = verification._Ratio(np.array([1.0, 0.0]), 1.0, np.ones(2), 2.0)
    assert face.range(ratio) == (pytest.approx(0.25), pytest.approx(0.75))
    assert face.range(verification._Ratio(np.array([1.0, -1.0]))) == (
        pytest.approx(-2.0),
        pytest.approx(2.0),
    )


def test_a_solution_that_is_not_optimal_is_found_out(two):
    solution = run(two, "grant")
    worse = dataclasses.replace(
        solution.optimum, objective=solution.objective * (1 + 1e-6)
    )
    with pytest.raises(CertificateError, match="ipm finds another solution"):
        verify(dataclasses.replace(solution, optimum=worse))


def test_a_method_that_does_not_converge_is_reported_so(two, monkeypatch):
    monkeypatch.setitem(
        verification.METHODS, "pdlp", {"solver": "pdlp", "pdlp_iteration_limit": 3}
    )
    found = verify(run(two, "grant"))
    assert not found.methods[1].converged
    assert "pdlp: did not converge" in "\n".join(found.lines())


def test_run_verify(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main.main(["run", "grant", "--verify", "--data", str(TWO)]) == 0
    assert "ipm: objective differs by" in capsys.readouterr().out
    assert main.main(["run", "grant", "--verify", "--json", "--data", str(TWO)]) == 0
    plain = json.loads(capsys.readouterr().out)
    assert plain["verified"]["methods"][0]["method"] == "ipm"
    assert plain["verified"]["ranges"][0]["unique"] is True
    assert main.main(["run", "grant", "--json", "--data", str(TWO)]) == 0
    assert "verified" not in json.loads(capsys.readouterr().out)
    (folder,) = (tmp_path / "results").iterdir()
    assert json.loads((folder / "manifest.json").read_text())["verified"] is None


def test_the_manifest_holds_the_results_of_other_methods(two, tmp_path, monkeypatch):
    solution = run(two, "grant")
    monkeypatch.setitem(
        verification.METHODS, "pdlp", {"solver": "pdlp", "pdlp_iteration_limit": 3}
    )
    found = verify(solution)
    manifest = load(save(solution, tmp_path, verified=found.plain())).manifest
    assert manifest["verified"] == found.plain()
    ipm, pdlp = manifest["verified"]["methods"]
    assert ipm["difference"] <= 1e-7
    assert (pdlp["converged"], pdlp["difference"]) == (False, None)
    assert pickle.loads(pickle.dumps(found)) == found, (
        "a study with --jobs gets it from another process"
    )


def test_study_verify(tmp_path, capsys):
    """Every solve of a study is verified and its ranges are written.

    A study run again without verification leaves none behind.
    """
    study = tmp_path / "small.toml"
    study.write_text(
        'title = "t"\ncases = ["no_policy", "grant"]\nkeep = "tables"\nmetrics ='
        ' ["objective"]\n'
    )
    given = ["study", str(study), "--data", str(TWO), "--out", str(tmp_path)]
    assert main.main([*given, "--verify"]) == 0
    assert capsys.readouterr().out.count("headline numbers are unique") == 2
    table = pd.read_csv(tmp_path / "small" / "ranges.csv")
    assert set(table["case"]) == {"no_policy", "grant"}
    assert {"share.capacity.AAA.all.2028", "outlay.AAA"} <= set(table["metric"])
    assert (table["least"] <= table["value"] + 1e-9).all()
    assert set(table["unique"]) == {"yes"}
    # The manifest of the study itself, in `small`, holds hashes of files.
    stored = [
        json.loads(path.read_text())["verified"]
        for path in (tmp_path / "small").rglob("manifest.json")
        if path.parent != tmp_path / "small"
    ]
    assert [found["methods"][0]["method"] for found in stored] == ["ipm", "ipm"]
    assert main.main(given) == 0
    assert not (tmp_path / "small" / "ranges.csv").exists()
    for study_of in ('cases = ["tariff"]\n[grid]\n"duty.rate" = [0.1, 0.2]', None):
        if study_of:
            study.write_text(f'title = "t"\nmetrics = ["objective"]\n{study_of}\n')
        assert main.main([*(given if study_of else ["study", "q04"]), "--verify"]) == 2
        assert "--verify" in capsys.readouterr().err


def test_a_certificate_sees_a_column_that_pays_for_itself_and_is_not_at_zero(two):
    """Only complementarity fails where value and reduced cost are both positive."""
    solution = run(two, "grant")
    arrays, optimum = solution.program, solution.optimum
    reduced = arrays.cost - arrays.matrix.T @ optimum.y
    k = int(np.argmax(reduced))
    x = optimum.x.copy()
    x[k] += 1.0
    corrupted = certify(arrays, x, optimum.y)
    assert optimum.certificate.complementarity < 1e-9
    assert corrupted.complementarity == pytest.approx(
        reduced[k] * x[k] / abs(arrays.cost @ x)
    )
    assert corrupted.worst >= corrupted.complementarity > optimum.certificate.worst
