"""What cases share and where they differ: shape and levers of a linear program.

Every number of a case (those of the data and the world in `Parameters`, those of its
policies, its resolved duties) is a *leaf*, a float with a path. Cases whose leaves
differ in value only have the same shape. A linear program is written once for a shape,
with a lever for every leaf that is not zero, and serves every case in which the
questions asked while it was written have the same answers.
"""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chipmodel.cases.case import Case
from chipmodel.common.cache import cache, cached
from chipmodel.common.errors import NoOptimum
from chipmodel.common.fingerprint import PACKAGES, code_digest, version_of
from chipmodel.common.garbage import uncollected
from chipmodel.common.nested import Path, leaves, with_leaves
from chipmodel.model.lp.compile import compile_parametric, compile_program
from chipmodel.model.lp.program import (
    Substitution,
    acting_among,
    schedule_of,
    write,
)
from chipmodel.model.parameters.duties import DutyKey
from chipmodel.model.parameters.parameters import Parameters
from chipmodel.policies.base import Number, Policy
from chipmodel.solver.bounds import SingletonBounds
from chipmodel.solver.linear_program import LinearProgram, Vector
from chipmodel.solver.parametric import ParametricProgram
from chipmodel.solver.polynomials import Conditions, PolynomialVector, Trace
from chipmodel.solver.template_file import (
    arrays_of,
    arrays_of_conditions,
    conditions_of,
    from_bytes,
    template_of,
    texts_of,
    to_bytes,
    tuples,
)

LARGE = 5_000
"""Columns from which a structure is worth a file, and its model a collection."""

TIMES = ("ready", "lead")
"""Names of leaves that are no levers.

They decide in which years a build is in service, and so which rows and columns there
are.
"""


def lever_fields(policy: Policy) -> list[str]:
    """Return the fields of a policy that are numbers and may vary within a shape."""
    names = []
    for name, field in type(policy).model_fields.items():
        is_number = any(isinstance(mark, Number) for mark in field.metadata)
        if is_number and isinstance(getattr(policy, name), float):
            names.append(name)
    return names


@dataclass(frozen=True)
class Leaves:
    """The leaves of a case.

    Attributes
    ----------
    shape : tuple
        What determines the shape of its linear program, hashable.
    paths, parameters : tuple of Path, array
        The leaves of its `Parameters`, shared by the cases of one world.
    of_instruments : dict
        The leaves of its policies and duties; a duty that is absent is zero.
    """

    shape: tuple[Any, ...]
    paths: tuple[Path, ...]
    parameters: NDArray[np.float64]
    of_instruments: dict[Path, float]


@dataclass(frozen=True)
class _ParameterLeaves:
    """The leaves of parameters, and the parameters they were read from."""

    source: Parameters
    shape: tuple[Any, ...]
    paths: tuple[Path, ...]
    values: NDArray[np.float64]

    @classmethod
    def of(cls, parameters: Parameters) -> _ParameterLeaves:
        """Read the leaves: floats may vary, everything else is part of the shape."""
        fixed = []
        paths: list[Path] = []
        values = []
        for path, value in leaves(parameters):
            if isinstance(value, float) and not any(name in path for name in TIMES):
                paths.append(("numbers", *path))
                values.append(value)
            else:
                fixed.append((path, value))
        shape = (tuple(fixed), tuple(paths))
        return cls(parameters, shape, tuple(paths), np.array(values))


class StructureReader:
    """Reads the leaves of cases; the parameters of one world are read once."""

    def __init__(self) -> None:
        self._last: _ParameterLeaves | None = None

    def read(
        self, case: Case, parameters: Parameters, included: Collection[str] = ()
    ) -> Leaves:
        """Return the leaves of a case with the parameters of its world.

        Parameters
        ----------
        case : Case
        parameters : Parameters
        included : collection of str
            Ids of instruments that are written even if they are inactive.
        """
        if self._last is None or self._last.source is not parameters:
            self._last = _ParameterLeaves.of(parameters)
        of_world = self._last
        of_instruments: dict[Path, float] = {}
        kinds = []
        acting = acting_among(case.policies, included)
        for k, policy in enumerate(acting):
            free = lever_fields(policy)
            fixed = policy.model_dump(exclude={*free, "note", "source"})
            # As text, because a shape is hashed and lists are not hashable.
            kinds.append((type(policy), repr(fixed), tuple(free)))
            for name in free:
                of_instruments["policies", k, name] = getattr(policy, name)
        duties = schedule_of(parameters, acting)
        for key, rate in duties.table().items():
            of_instruments["duties", *key] = rate
        shape = (of_world.shape, tuple(kinds), tuple(duties.distinguishes()))
        return Leaves(shape, of_world.paths, of_world.values, of_instruments)


def split(
    values: dict[Path, Any],
) -> tuple[dict[Path, Any], dict[Path, Any], dict[DutyKey, Any]]:
    """Split leaves by what they belong to: parameters, policies, duties."""
    parts: dict[str, dict[Any, Any]] = {"numbers": {}, "policies": {}, "duties": {}}
    for path, value in values.items():
        parts[path[0]][path[1:]] = value
    return parts["numbers"], parts["policies"], parts["duties"]


@dataclass(frozen=True)
class Structure:
    """A linear program written once, for the cases of a shape that fit.

    Attributes
    ----------
    template : ParametricProgram
    paths : tuple of Path
        The leaves of parameters, levers or zero.
    positions : array of int
        Which of them are levers.
    instruments : tuple of Path
        The leaves of instruments that are levers.
    conditions : Conditions
    """

    template: ParametricProgram
    paths: tuple[Path, ...]
    positions: NDArray[np.int64]
    instruments: tuple[Path, ...]
    conditions: Conditions

    def levers(self, leaves: Leaves) -> Vector | None:
        """Return the levers of a case of the shape; None if it does not fit.

        It does not if a leaf that is no lever is not zero, or a condition fails.
        """
        if leaves.paths != self.paths:
            return None
        zero = np.ones(len(self.paths), dtype=bool)
        zero[self.positions] = False
        if leaves.parameters[zero].any():
            return None
        known = dict.fromkeys(self.instruments, 0.0)
        for path, value in leaves.of_instruments.items():
            if path in known:
                known[path] = value
            elif value != 0.0:
                return None
        levers = np.append(leaves.parameters[self.positions], list(known.values()))
        return levers if self.conditions.hold(levers) else None


def write_structure(
    case: Case,
    parameters: Parameters,
    leaves: Leaves,
    others: Iterable[Leaves] = (),
    without: Iterable[str] = (),
    included: Collection[str] = (),
) -> Structure:
    """Write and compile the linear program of a case for all cases of its shape.

    Parameters
    ----------
    case : Case
    parameters : Parameters
    leaves : Leaves
        Those of the case.
    others : iterable of Leaves
        Cases of the shape that it shall serve too: what is not zero in one of them is a
        lever.
    without : iterable of str
        Groups of rows left out, for tests.
    included : collection of str
        Ids of instruments that are written even if they are inactive.
    """
    # What is zero decides which columns there are; numbers of the world do not.
    of_world = [path[1] == "world" for path in leaves.paths]
    is_lever = (leaves.parameters != 0.0) | np.array(of_world)
    instruments = {path: None for path, x in leaves.of_instruments.items() if x != 0.0}
    for other in others:
        is_lever |= other.parameters != 0.0
        for path, value in other.of_instruments.items():
            if value != 0.0:
                instruments[path] = None
    positions = np.flatnonzero(is_lever)
    values = [leaves.of_instruments.get(path, 0.0) for path in instruments]
    trace = Trace(np.append(leaves.parameters[positions], values))
    paths = [*(leaves.paths[k] for k in positions), *instruments]
    traced = dict(zip(paths, trace.levers(), strict=True))
    of_parameters, of_policies, of_duties = split(traced)
    acting = acting_among(case.policies, included)
    substitution = Substitution(
        with_leaves(parameters, of_parameters),
        with_leaves(acting, of_policies),
        of_duties,
    )
    # Pyomo makes many small objects; collecting garbage once at the end is faster.
    with uncollected():
        program, slots = compile_parametric(
            write(
                parameters,
                case.policies,
                without,
                substitution=substitution,
                included=included,
            )
        )
    if len(program.column_labels) >= LARGE:
        gc.collect()
    count = len(paths)
    template = ParametricProgram(
        program.labels,
        SingletonBounds(program),
        (program.matrix, program.rhs, program.lines),
        program.stated_amounts,
        PolynomialVector.of(slots.matrix, count),
        PolynomialVector.of(slots.rhs, count),
        PolynomialVector.of(slots.lines, count),
        PolynomialVector.of(slots.stated, count),
    )
    return Structure(
        template, leaves.paths, positions, tuple(instruments), trace.conditions()
    )


class Structures:
    """Structures written so far, by shape."""

    def __init__(self) -> None:
        self._reader = StructureReader()
        self._known: dict[Any, list[Structure]] = {}

    def fitting(
        self, case: Case, parameters: Parameters, without: Iterable[str] = ()
    ) -> tuple[Structure, Vector]:
        """Return a structure for a case, and its levers; written if there is none."""
        leaves = self._reader.read(case, parameters)
        key = (leaves.shape, tuple(without))
        known = self._known.setdefault(key, [])
        # Instruments of one's own can change without a change of this code.
        may_be_cached = all(map(_is_ours, case.policies))
        if may_be_cached and not known:
            known += _cached(key)
        for structure in known:
            levers = structure.levers(leaves)
            if levers is not None:
                return structure, levers
        structure = write_structure(case, parameters, leaves, (), without)
        known.append(structure)
        if may_be_cached:
            _cache(key, structure)
        levers = structure.levers(leaves)
        assert levers is not None
        return structure, levers

    def program(
        self, case: Case, parameters: Parameters, without: Iterable[str] = ()
    ) -> LinearProgram:
        """Return the linear program of a case."""
        try:
            structure, levers = self.fitting(case, parameters, without)
        except NoOptimum:
            # It has rows that cannot hold: reported by its own numbers, without levers.
            return compile_program(write(parameters, case.policies, without))
        template = structure.template
        return template.fill(levers, parameters.weights(template.labels.lines))


def _is_ours(policy: Policy) -> bool:
    """Whether the code of an instrument is part of `code_digest`."""
    return type(policy).__module__.startswith("chipmodel.")


def _file_of(key: Any) -> str:
    """Return the name of the file of a shape: other code writes another program."""
    packages = [version_of(package) for package in PACKAGES]
    parts = repr((key, code_digest(), packages))
    return f"structure-{hashlib.sha256(parts.encode()).hexdigest()[:32]}"


def _cached(key: Any) -> list[Structure]:
    """Return the structure of a shape that was written by an earlier run, if any."""
    content = cached(_file_of(key))
    with uncollected():  # labels are many small objects
        read = None if content is None else from_bytes(content)
        if read is None:
            return []
        arrays, texts = read
        return [
            Structure(
                template_of(arrays, texts),
                tuples(texts["paths"]),
                arrays["positions"],
                tuples(texts["instruments"]),
                conditions_of(arrays),
            )
        ]


def _cache(key: Any, structure: Structure) -> None:
    template = structure.template
    if len(template.labels.column_labels) < LARGE:
        return
    arrays = {
        **arrays_of(template),
        **arrays_of_conditions(structure.conditions),
        "positions": structure.positions,
    }
    paths = {"paths": structure.paths, "instruments": structure.instruments}
    cache(_file_of(key), to_bytes(arrays, {**texts_of(template), **paths}))
