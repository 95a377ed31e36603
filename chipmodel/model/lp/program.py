"""The linear program, part by part, in reading order."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import chain
from types import ModuleType
from typing import Any, Protocol, TypeVar

from chipmodel.common.garbage import uncollected
from chipmodel.model.lp import (
    assembly,
    demand,
    devices,
    finance,
    inputs,
    production,
    region_pace,
    retirement,
    sites,
    trade,
)
from chipmodel.model.lp.builder import Instrument, ModelBuilder
from chipmodel.model.lp.origins import distinguished_origins
from chipmodel.model.lp.row_groups import RowGroup, groups_of
from chipmodel.model.lp.rows import Broken, Group, Who
from chipmodel.model.parameters.duties import Distinction, Duties, DutyKey, Levy, Relief
from chipmodel.model.parameters.parameters import Parameters
from chipmodel.solver.ledger import Line

BEFORE_INSTRUMENTS: tuple[ModuleType, ...] = (
    sites,
    region_pace,
    retirement,
    production,
    trade,
    assembly,
    inputs,
    devices,
    demand,
)
"""Parts written before the instruments."""

AFTER_INSTRUMENTS: tuple[ModuleType, ...] = (finance,)
"""Parts written after them: budgets need the support of every instrument."""

PARTS = (*BEFORE_INSTRUMENTS, *AFTER_INSTRUMENTS)
"""A part holds `variables`, row groups (see `row_groups`) and `costs`."""


def row_groups() -> dict[str, RowGroup]:
    """Return the declared row groups by name, in the order of the rows."""
    declared = chain.from_iterable(map(groups_of, PARTS))
    return {group.name: group for group in declared}


class Policy(Instrument, Protocol):
    """What the linear program asks of an instrument before it is written."""

    @property
    def inactive(self) -> bool:
        """Whether it does nothing and is left out."""

    def levies(self, parameters: Parameters) -> list[Levy]:
        """Return the duties it levies."""

    def reliefs(self, parameters: Parameters) -> list[Relief]:
        """Return what it takes off duties of others."""

    def distinguishes(self, parameters: Parameters) -> list[Distinction]:
        """Return the origins it must distinguish inside devices."""


PolicyType = TypeVar("PolicyType", bound=Policy)


@dataclass(frozen=True)
class PyomoModel:
    """A Pyomo model with the ledger that explains it.

    Attributes
    ----------
    broken : tuple of Broken
        Rows that cannot hold whatever is built or bought;
        `chipmodel.model.lp.compile` refuses them.
    """

    pyomo: Any
    lines: list[Line]
    groups: dict[str, Group]
    agents: dict[str, Who]
    parameters: Parameters
    broken: tuple[Broken, ...] = ()


@dataclass(frozen=True)
class Substitution:
    """What replaces the numbers of a case while it is written for many cases."""

    parameters: Parameters
    instruments: tuple[Instrument, ...]
    duties: dict[DutyKey, Any]


def write(
    parameters: Parameters,
    policies: Iterable[Policy] = (),
    without: Iterable[str] = (),
    ties: bool = True,
    substitution: Substitution | None = None,
    included: Collection[str] = (),
) -> PyomoModel:
    """Write the linear program.

    Parameters
    ----------
    parameters : Parameters
    policies : iterable of Policy
        Instruments in force; inactive ones are left out.
    without : iterable of str
        Groups of rows left out, for tests of what each does.
    ties : bool
        Whether to break ties between equal routes by a small published cost.
    substitution : Substitution, optional
        What replaces the numbers, instruments and duties that vary between cases.
    included : collection of str
        Ids of instruments written even if they are inactive, because they act in
        another case that shares the linear program.
    """
    acting = acting_among(policies, included)
    substitution = substitution or Substitution(parameters, acting, {})
    duties = schedule_of(parameters, acting, substitution.duties)
    # From the instruments as the case states them and not from the substitution: which
    # origins are distinguished is part of the shape, the same for all cases of a sweep.
    distinctions: list[Distinction] = []
    for policy in acting:
        distinctions += policy.distinguishes(parameters)
    distinctions += duties.distinguishes()
    origins = distinguished_origins(parameters, distinctions)
    with uncollected():  # nothing becomes garbage while the model grows
        builder = ModelBuilder(
            substitution.parameters,
            substitution.instruments,
            duties,
            origins,
            without,
            ties,
        )
        lines = _write_parts(builder)
    return PyomoModel(
        builder.model,
        lines,
        builder.groups,
        builder.agents,
        parameters,
        tuple(builder.broken),
    )


def acting_among(
    policies: Iterable[PolicyType], included: Collection[str] = ()
) -> tuple[PolicyType, ...]:
    """Return the instruments that are written: those that act, and those included."""
    return tuple(p for p in policies if not p.inactive or p.id in included)


def schedule_of(
    parameters: Parameters,
    acting: Iterable[Policy],
    substitution: dict[DutyKey, Any] | None = None,
) -> Duties:
    """Return the duty schedule of a case; `substitution` replaces duties that vary."""
    levies: list[Levy] = []
    reliefs: list[Relief] = []
    for policy in acting:
        levies += policy.levies(parameters)
        reliefs += policy.reliefs(parameters)
    return Duties(parameters, levies, reliefs, substitution)


def _write_parts(builder: ModelBuilder) -> list[Line]:
    """Write all parts and instruments; the order is that of the rows and columns."""
    _write_variables_and_rows(builder, BEFORE_INSTRUMENTS)
    for instrument in builder.instruments:
        instrument.add(builder)
    _write_variables_and_rows(builder, AFTER_INSTRUMENTS)
    for part in PARTS:
        part.costs(builder)
    return builder.close()


def _write_variables_and_rows(
    builder: ModelBuilder, parts: Iterable[ModuleType]
) -> None:
    # All variables first: the rows of one part use the variables of others.
    for part in parts:
        part.variables(builder)
    for part in parts:
        for group in groups_of(part):
            group.write(builder)
