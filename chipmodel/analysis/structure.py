"""What two cases share and where they differ: the shape of a programme and its levers.

Every number of a case (those of the data and the world in `Parameters`, those of its
instruments, its resolved duties) is a *leaf*, a float with a path. Cases whose leaves
differ in value only have the same shape; the leaves that differ are the levers, and
nobody declares them.
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
    """Return the fields of an instrument that are numbers: they may vary without changing a programme's shape."""
    return [
        name
        for name, info in type(policy).model_fields.items()
        if any(isinstance(x, Number) for x in info.metadata)
        and isinstance(getattr(policy, name), float)
    ]


@dataclass(frozen=True)
class Leaves:
    """The leaves of a case.

    Attributes
    ----------
    shape : tuple
        What makes the shape of its programme, hashable.
    paths, numbers : tuple of Path, array
        The leaves of its `Parameters`, shared by the cases of one world.
    own : dict
        The leaves of its instruments and duties; a duty that is not there is zero.
    """

    shape: tuple[Any, ...]
    paths: tuple[Path, ...]
    parameters: NDArray[np.float64]
    own: dict[Path, float]


class StructureReader:
    """Reads the leaves of cases; numbers of one world are walked once."""

    def __init__(self) -> None:
        self._numbers: (
            tuple[Parameters, tuple[Any, ...], tuple[Path, ...], NDArray[np.float64]]
            | None
        ) = None

    def read(self, case: Case, parameters: Parameters) -> Leaves:
        """Return the leaves of a case with the numbers of its world."""
        if self._numbers is None or self._numbers[0] is not parameters:
            every = list(leaves(parameters))
            fixed = tuple(
                (path, value) for path, value in every if not isinstance(value, float)
            )
            free = [
                (("numbers", *path), value)
                for path, value in every
                if isinstance(value, float)
            ]
            paths = tuple(path for path, _ in free)
            self._numbers = (
                parameters,
                (fixed, paths),
                paths,
                np.array([value for _, value in free]),
            )
        _, shape, paths, values = self._numbers
        own: dict[Path, float] = {}
        kinds = []
        for k, policy in enumerate(p for p in case.policies if not p.inactive):
            free_ones = lever_fields(policy)
            rest = policy.model_dump(exclude={*free_ones, "note", "source"})
            kinds.append((policy.kind, repr(rest), tuple(free_ones)))
            own.update(
                {("policies", k, name): getattr(policy, name) for name in free_ones}
            )
        duties = schedule_of(parameters, case.policies)
        own.update({("duties", *key): rate for key, rate in duties.table().items()})
        return Leaves(
            (shape, tuple(kinds), tuple(duties.distinguishes())), paths, values, own
        )


def split(
    values: dict[Path, Any],
) -> tuple[dict[Path, Any], dict[Path, Any], dict[DutyKey, Any]]:
    """Split leaves by what they belong to: numbers, policies, duties."""
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
        """Find the levers of cases of one shape; `policies` are the ids of the instruments that do something."""
        first = cases[0]
        moved = np.zeros(len(first.paths), dtype=bool)
        for case in cases[1:]:
            if case.parameters is not first.parameters:
                moved |= case.parameters != first.parameters
        places = np.flatnonzero(moved)
        own = [
            path
            for path in dict.fromkeys(path for case in cases for path in case.own)
            if any(
                case.own.get(path, 0.0) != first.own.get(path, 0.0) for case in cases
            )
        ]
        table = np.array(
            [
                [*case.parameters[places], *(case.own.get(path, 0.0) for path in own)]
                for case in cases
            ]
        )
        varying = [*(first.paths[k] for k in places), *own]
        groups: dict[bytes, list[int]] = defaultdict(list)
        for k in range(len(varying)):
            groups[table[:, k].tobytes()].append(k)
        paths = [[varying[k] for k in members] for members in groups.values()]
        values = table[:, [members[0] for members in groups.values()]]
        return cls(paths, values, [_named(own[0], policies) for own in paths])

    def at(self, leaves: Leaves) -> Vector:
        """Return the levers of another case of the shape."""
        place = {path: k for k, path in enumerate(leaves.paths)}
        return np.array(
            [
                (
                    leaves.parameters[place[own[0]]]
                    if own[0] in place
                    else leaves.own.get(own[0], 0.0)
                )
                for own in self.paths
            ]
        )


def _named(path: Path, policies: Sequence[str]) -> str:
    kind, *rest = path
    if kind == "policies":
        return f"{policies[rest[0]]}.{rest[1]}"
    return f"duty of {rest[0]}" if kind == "duties" else ".".join(map(str, rest))


def compile_parametric_program(
    case: Case, parameters: Parameters, levers: Levers, without: Iterable[str] = ()
) -> ParametricProgram:
    """Write and compile the programme of a shape once.

    Raises
    ------
    NotPolynomial
        If a number enters the programme in a way that is neither a sum nor a product.
    """
    traced = {
        path: Polynomial({(k,): 1.0}, levers.names)
        for k, paths in enumerate(levers.paths)
        for path in paths
    }
    of_numbers, of_policies, of_duties = split(traced)
    acting = tuple(policy for policy in case.policies if not policy.inactive)
    substitution = Substitution(
        with_leaves(parameters, of_numbers), with_leaves(acting, of_policies), of_duties
    )
    program, slots = compile_parametric(
        write(parameters, case.policies, without, substitution=substitution)
    )
    count = len(levers.names)
    parts = [
        PolynomialVector.of(found, count)
        for found in (slots.matrix, slots.rhs, slots.lines)
    ]
    return ParametricProgram(
        program.labels,
        SingletonBounds(program),
        (program.matrix, program.rhs, program.lines),
        *parts,
    )
