"""What two cases share and where they differ: shape and levers of a linear program.

Every number of a case (those of the data and the world in `Parameters`, those of its
policies, its resolved duties) is a *leaf*, a float with a path. Cases whose leaves
differ in value only have the same shape. The leaves that differ are the levers; they
are found by comparison and need no declaration.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chipmodel.cases.case import Case
from chipmodel.common.nested import Path, leaves, with_leaves
from chipmodel.model.lp.compile import compile_parametric
from chipmodel.model.lp.program import Substitution, schedule_of, write
from chipmodel.model.parameters.duties import DutyKey
from chipmodel.model.parameters.parameters import Parameters
from chipmodel.policies.base import Number, Policy
from chipmodel.solver.bounds import SingletonBounds
from chipmodel.solver.linear_program import Vector
from chipmodel.solver.parametric import ParametricProgram
from chipmodel.solver.polynomials import Polynomial, PolynomialVector


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
            if isinstance(value, float):
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

    def read(self, case: Case, parameters: Parameters) -> Leaves:
        """Return the leaves of a case with the parameters of its world."""
        if self._last is None or self._last.source is not parameters:
            self._last = _ParameterLeaves.of(parameters)
        of_world = self._last
        of_instruments: dict[Path, float] = {}
        kinds = []
        acting = [policy for policy in case.policies if not policy.inactive]
        for k, policy in enumerate(acting):
            free = lever_fields(policy)
            fixed = policy.model_dump(exclude={*free, "note", "source"})
            # As text, because a shape is hashed and lists are not hashable.
            kinds.append((policy.kind, repr(fixed), tuple(free)))
            for name in free:
                of_instruments["policies", k, name] = getattr(policy, name)
        duties = schedule_of(parameters, case.policies)
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
class Levers:
    """The numbers that differ between cases of one shape.

    Leaves that take the same values in all cases share a lever.

    Attributes
    ----------
    paths : list of list of Path
        The leaves of each lever.
    values : array
        Cases by levers.
    names : list of str
        A name for each, for messages.
    """

    paths: list[list[Path]]
    values: Vector
    names: list[str]

    @classmethod
    def of(cls, cases: Sequence[Leaves], policies: Sequence[str]) -> Levers:
        """Find the levers of cases of one shape.

        Parameters
        ----------
        cases : sequence of Leaves
        policies : sequence of str
            Ids of the policies that are not inactive, for names.
        """
        varying_parameters = _varying_parameters(cases)
        instrument_paths = _varying_of_instruments(cases)
        rows = []
        for case in cases:
            values = [case.of_instruments.get(path, 0.0) for path in instrument_paths]
            rows.append([*case.parameters[varying_parameters], *values])
        table = np.array(rows)
        parameter_paths = [cases[0].paths[k] for k in varying_parameters]
        varying = parameter_paths + instrument_paths
        # Leaves of equal columns move together and become one lever.
        groups: dict[bytes, list[int]] = defaultdict(list)
        for k in range(len(varying)):
            groups[table[:, k].tobytes()].append(k)
        paths = []
        names = []
        for members in groups.values():
            paths.append([varying[k] for k in members])
            names.append(_name_of(varying[members[0]], policies))
        first_columns = [members[0] for members in groups.values()]
        return cls(paths, table[:, first_columns], names)

    def at(self, leaves: Leaves) -> Vector:
        """Return the levers of another case of the shape."""
        places = {path: k for k, path in enumerate(leaves.paths)}
        values = []
        for paths in self.paths:
            # All leaves of a lever have the same value.
            path = paths[0]
            if path in places:
                values.append(leaves.parameters[places[path]])
            else:
                values.append(leaves.of_instruments.get(path, 0.0))
        return np.array(values)


def _varying_parameters(cases: Sequence[Leaves]) -> list[int]:
    """Return the places of the leaves of parameters that differ between cases."""
    first = cases[0]
    varies = np.zeros(len(first.paths), dtype=bool)
    for case in cases[1:]:
        # Cases of one world share the array.
        if case.parameters is not first.parameters:
            varies |= case.parameters != first.parameters
    return [int(k) for k in np.flatnonzero(varies)]


def _varying_of_instruments(cases: Sequence[Leaves]) -> list[Path]:
    """Return the leaves of policies and duties that differ between cases."""
    # A dict in place of a set: the order of levers must not change from run to run.
    every: dict[Path, None] = {}
    for case in cases:
        every.update(dict.fromkeys(case.of_instruments))
    varying = []
    for path in every:
        values = {case.of_instruments.get(path, 0.0) for case in cases}
        if len(values) > 1:
            varying.append(path)
    return varying


def _name_of(path: Path, policies: Sequence[str]) -> str:
    kind, *rest = path
    if kind == "policies":
        return f"{policies[rest[0]]}.{rest[1]}"
    if kind == "duties":
        return f"duty of {rest[0]}"
    return ".".join(map(str, rest))


def compile_parametric_program(
    case: Case, parameters: Parameters, levers: Levers, without: Iterable[str] = ()
) -> ParametricProgram:
    """Write and compile the linear program of a shape once.

    Raises
    ------
    NotPolynomial
        If a number enters the linear program in a way that is neither a sum nor a
        product.
    """
    traced: dict[Path, Polynomial] = {}
    for k, paths in enumerate(levers.paths):
        for path in paths:
            traced[path] = Polynomial({(k,): 1.0}, levers.names)
    of_parameters, of_policies, of_duties = split(traced)
    acting = tuple(policy for policy in case.policies if not policy.inactive)
    substitution = Substitution(
        with_leaves(parameters, of_parameters),
        with_leaves(acting, of_policies),
        of_duties,
    )
    program, slots = compile_parametric(
        write(parameters, case.policies, without, substitution=substitution)
    )
    count = len(levers.names)
    return ParametricProgram(
        program.labels,
        SingletonBounds(program),
        (program.matrix, program.rhs, program.lines),
        PolynomialVector.of(slots.matrix, count),
        PolynomialVector.of(slots.rhs, count),
        PolynomialVector.of(slots.lines, count),
    )
