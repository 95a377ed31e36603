"""The linear programme, part by part, in reading order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from pyomo.common.gc_manager import PauseGC

from chipmodel.model.lp import (
    assembly,
    demand,
    devices,
    finance,
    inputs,
    production,
    sites,
    trade,
)
from chipmodel.model.lp.builder import Broken, Group, Instrument, ModelBuilder, Who
from chipmodel.model.lp.origins import distinguished_origins
from chipmodel.model.parameters.duties import (
    Distinction,
    Duties,
    DutyKey,
    Levy,
    Relief,
)
from chipmodel.model.parameters.parameters import Parameters
from chipmodel.solver.ledger import Line

PARTS = (sites, production, trade, assembly, inputs, devices, demand)
"""Parts written before the policies; `finance` comes after them, when every support is known."""


class Policy(Instrument, Protocol):
    """What the programme asks of an instrument before it is written."""

    @property
    def inactive(self) -> bool:
        """Whether it does nothing and is left out."""

    def levies(self, parameters: Parameters) -> list[Levy]:
        """Return the duties it levies."""

    def reliefs(self, parameters: Parameters) -> list[Relief]:
        """Return what it takes off duties of others."""

    def distinguishes(self, parameters: Parameters) -> list[Distinction]:
        """Return what it must tell apart inside devices."""


@dataclass(frozen=True)
class PyomoModel:
    """A Pyomo model with the ledger that explains it."""

    pyomo: Any
    lines: list[Line]
    groups: dict[str, Group]
    agents: dict[str, Who]
    parameters: Parameters
    broken: tuple[Broken, ...] = ()
    """Rows that cannot hold whatever is built or bought; `chipmodel.model.lp.compile` refuses them."""


@dataclass(frozen=True)
class Substitution:
    """What stands for the numbers of a case while its programme is written for many cases."""

    parameters: Parameters
    instruments: tuple[Instrument, ...]
    duties: dict[DutyKey, Any]


def write(
    parameters: Parameters,
    policies: Iterable[Policy] = (),
    without: Iterable[str] = (),
    ties: bool = True,
    substitution: Substitution | None = None,
) -> PyomoModel:
    """Write the programme.

    Parameters
    ----------
    parameters : Parameters
    policies : iterable of Policy
        Instruments in force; idle ones are left out.
    without : iterable of str
        Groups of rows left out, for tests of what each does.
    ties : bool
        Whether to break ties between equal routes by a small published cost.
    substitution : Substitution, optional
        What stands for numbers, instruments and duties that vary between cases.
    """
    acting = tuple(policy for policy in policies if not policy.inactive)
    substitution = substitution or Substitution(parameters, acting, {})
    duties = schedule_of(parameters, acting, substitution.duties)
    distinctions = [
        told for policy in acting for told in policy.distinguishes(parameters)
    ]
    origins = distinguished_origins(
        parameters, [*distinctions, *duties.distinguishes()]
    )
    with PauseGC():
        builder = ModelBuilder(
            substitution.parameters,
            substitution.instruments,
            duties,
            origins,
            without,
            ties,
        )
        lines = _written(builder)
        return PyomoModel(
            builder.model,
            lines,
            builder.groups,
            builder.agents,
            parameters,
            tuple(builder.broken),
        )


def schedule_of(
    parameters: Parameters,
    policies: Iterable[Policy],
    substitution: dict[DutyKey, Any] | None = None,
) -> Duties:
    """Return the duty schedule of a case; `substitution` replaces duties that vary."""
    acting = [policy for policy in policies if not policy.inactive]
    levies = [levy for policy in acting for levy in policy.levies(parameters)]
    reliefs = [relief for policy in acting for relief in policy.reliefs(parameters)]
    return Duties(parameters, levies, reliefs, substitution)


def _written(builder: ModelBuilder) -> list[Line]:
    for part in PARTS:
        part.variables(builder)
    for part in PARTS:
        part.constraints(builder)
    for instrument in builder.instruments:
        instrument.add(builder)
    finance.variables(builder)
    finance.constraints(builder)
    for part in (*PARTS, finance):
        part.costs(builder)
    return builder.close()
