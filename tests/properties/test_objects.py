"""Objects of the public classes can be copied, pickled, compared and hashed."""

from __future__ import annotations

import copy
import inspect
import pickle
import tomllib
from collections.abc import Callable

import helpers
import pytest

import chipmodel as cm
from chipmodel.common.errors import OutOfMemory, WorkerLost
from chipmodel.results import store
from chipmodel.results.summary import Summary
from chipmodel.studies.definition import Design, Variant

PUBLIC = [name for name in cm.__all__ if inspect.isclass(getattr(cm, name))]
"""Every public class."""

INSTRUMENTS = [
    name for name in PUBLIC if issubclass(getattr(cm, name), cm.Policy) and name
]
ERRORS = [name for name in PUBLIC if issubclass(getattr(cm, name), Exception)]
WORLD = {
    "scale": ({"table": "costs", "where": {"segment": "chip"}, "factor": 1.1},),
    "event": (
        {
            "id": "quake",
            "region": "AAA",
            "segments": ("all",),
            "years": (2028, 2029),
            "depth": 0.5,
            "source": "own",
        },
    ),
}
STUDY = {
    "name": "some",
    "title": "t",
    "cases": ("no_policy", "tariff"),
    "reference": "no_policy",
    "metrics": ("objective", "revenue.AAA"),
    "grid": {"duty.rate": (0.1, 0.2)},
}


@pytest.fixture(scope="module")
def made(two: cm.Dataset, tmp_path_factory: pytest.TempPathFactory) -> Callable:
    """Return a function that makes an object of a class by its name."""
    solution = cm.run(two, "tariff")
    study = cm.Study(**STUDY)
    world = helpers.world_of(two).with_(**WORLD)
    saved = store.save(solution, tmp_path_factory.mktemp("saved"))
    objects = {
        "Dataset": two,
        "World": world,
        "Case": solution.case,
        "Study": study,
        "Design": Design(kind="sobol", size=4, seed=1, ranges={"duty.rate": (0, 1)}),
        "Variant": Variant(name="v", world={"committed": 0.0}),
        "Solution": solution,
        "Summary": Summary.of(solution),
        "Saved": store.load(saved),
        "StudyResult": cm.run_study(study, two),
        "Verification": cm.verify(solution),
        "Diagnosis": cm.explain_infeasible(two, solution.case, solution.world),
        "Problem": cm.Problem("file", "place", "what", "fix"),
    }
    return objects.__getitem__


def instrument(name: str) -> cm.Policy:
    """Return an instrument with the fields of its example."""
    kind = getattr(cm, name)
    fields = tomllib.loads(kind.example)
    lists = {key: tuple(v) if isinstance(v, list) else v for key, v in fields.items()}
    return kind.model_validate(lists)


def assert_behaves(thing: object) -> None:
    """Check copies, equality and hash of an object."""
    for same in (
        copy.copy(thing),
        copy.deepcopy(thing),
        pickle.loads(pickle.dumps(thing)),
    ):
        assert same == thing
        assert hash(same) == hash(thing)
        assert repr(same) == repr(thing)
        assert len({same, thing}) == 1
    assert thing != "another"
    assert thing is not None


@pytest.mark.parametrize(
    "name",
    [
        *(name for name in PUBLIC if name not in (*INSTRUMENTS, *ERRORS)),
        *("Design", "Saved", "Summary", "Variant"),
    ],
)
def test_an_object_is_copied_pickled_compared_and_hashed(name, made):
    assert_behaves(made(name))


@pytest.mark.parametrize("name", [n for n in INSTRUMENTS if n != "Policy"])
def test_an_instrument_is_copied_pickled_compared_and_hashed(name):
    assert_behaves(instrument(name))


@pytest.mark.parametrize(
    "error",
    [
        cm.ChipmodelError("what"),
        cm.InputError.one("file", "place", "what", "fix"),
        cm.NoOptimum("infeasible", "what"),
        cm.CertificateError("what"),
        WorkerLost(),
        WorkerLost("what", "fix"),
        OutOfMemory(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_is_the_same_in_another_process(error):
    for same in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert type(same) is type(error)
        assert str(same) == str(error)
        for name in ("problems", "status"):
            assert getattr(same, name, None) == getattr(error, name, None)


def test_different_results_are_not_equal(two, made):
    solution = made("Solution")
    other = cm.run(two, "no_policy")
    assert solution != other
    assert Summary.of(solution) != Summary.of(other)
    assert made("StudyResult") != cm.run_study(
        cm.Study(**{**STUDY, "metrics": ("objective",)}), two
    )
    assert cm.run(two, "tariff") == solution
