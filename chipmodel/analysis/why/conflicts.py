"""Conflicts: limits that cannot hold together, and how far each would have to give.

An infeasible linear program is explained by a small set of its rows that cannot hold
together (an irreducible infeasible subsystem, from HiGHS). The rows that name a number
or a rule are its members; the other rows link them. A member counts only if the others
can hold without it. How far it would have to give way is a second linear program: the
whole case with a penalised slack on the rows of that member, which minimises the sum of
slacks relative to what the rows require.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import highspy
import numpy as np
from scipy import sparse

from chipmodel.analysis.why.rows import NO_RHS, SHARE, Key, Row, RowText
from chipmodel.common.errors import NoOptimum
from chipmodel.model.lp.compile import compile_program
from chipmodel.model.lp.program import write
from chipmodel.model.parameters.build import build_parameters
from chipmodel.model.parameters.parameters import Parameters
from chipmodel.model.world import Scale
from chipmodel.policies.base import Policy
from chipmodel.solver.highs import new_solver
from chipmodel.solver.iis import (
    TOLERANCE,
    RowNumbers,
    feasible,
    infeasible_subsystem,
    rows_as_lp,
)
from chipmodel.solver.linear_program import LinearProgram

MOST_CONFLICTS = 3
"""Conflicts that are described; each takes several solves."""

Limits = dict[Key, list[int]]
"""Limits, each with some of its rows."""


@dataclass(frozen=True)
class Give:
    """How far a row would have to give way.

    Attributes
    ----------
    amount : float
        What the row could ask or allow instead of its own amount. Of a row that holds
        flows in proportion, by how much it may be missed.
    """

    title: str
    row: Row
    amount: float


@dataclass(frozen=True)
class Member:
    """A limit that takes part in a conflict.

    Attributes
    ----------
    title : str
    policy : str
        Id of the policy; empty for a physical limit.
    says : tuple of str
        What its rows in the conflict require.
    gives : tuple of Give or None
        By how much, at a minimum, it would have to give way if no other did; none if
        that does not help.
    then : tuple of str
        If it does not help: limits, not of this conflict, that cannot hold together
        without it either.
    """

    title: str
    policy: str
    says: tuple[str, ...]
    gives: tuple[Give, ...] | None
    then: tuple[str, ...] = ()


@dataclass(frozen=True)
class Conflict:
    """Limits that cannot hold together, though all but any one of them can.

    Attributes
    ----------
    together : tuple of Give
        What the members would have to give together, where none of them helps alone.
    lead_times : bool
        Whether there would be a solution if fabs came into service in the year in
        which their construction starts.
    """

    members: tuple[Member, ...]
    together: tuple[Give, ...] = ()
    lead_times: bool = False

    @property
    def has_way_out(self) -> bool:
        """Whether some member helps by giving way alone."""
        return any(member.gives is not None for member in self.members)


def find_conflicts(
    program: LinearProgram, parameters: Parameters, policies: Sequence[Policy]
) -> tuple[tuple[Conflict, ...], bool]:
    """Return the conflicts of a linear program, and whether there are more.

    Each is found after the rules of those before it are left out, and is described as
    if the others were solved.
    """
    text = RowText(program, parameters)
    every = np.arange(len(program.rhs))
    remaining = every
    limits_of: list[Limits] = []
    left_out: list[RowNumbers] = []
    while len(limits_of) < MOST_CONFLICTS:
        rows = infeasible_subsystem(program, remaining)
        if rows is None:
            break
        limits = _members(text, rows)
        limits_of.append(limits)
        if len(limits_of) == 1:
            alone = _conflict(text, limits, every)
            if alone.has_way_out:
                # One limit that gives way makes the whole case feasible.
                lead_times = _lead_times_help(program, rows, parameters, policies)
                return (replace(alone, lead_times=lead_times),), False
        # Physical limits remain where rules can be left out instead: a limit may be
        # part of several conflicts.
        rules = [key for key in limits if text.policy(key)] or list(limits)
        dropped = _union(_rules_of(text, key) for key in rules)
        left_out.append(dropped)
        remaining = np.setdiff1d(remaining, dropped)
    conflicts = []
    for limits, dropped in zip(limits_of, left_out, strict=True):
        conflicts.append(_conflict(text, limits, np.union1d(remaining, dropped)))
    return tuple(conflicts), not feasible(program, remaining)


def _union(sets: Iterable[RowNumbers]) -> RowNumbers:
    return np.unique(np.concatenate(list(sets)))


def _members(text: RowText, rows: RowNumbers) -> Limits:
    """Return the limits among rows that cannot hold together, if each is needed."""
    limits: Limits = defaultdict(list)
    links: Limits = defaultdict(list)
    for row in rows.tolist():
        kind = links if _is_link(text, row) else limits
        kind[text.key(row)].append(row)
    candidates = limits or links
    needed = {}
    for key, members in candidates.items():
        if feasible(text.program, np.setdiff1d(rows, members)):
            needed[key] = members
    return needed or dict(candidates)


def _is_link(text: RowText, row: int) -> bool:
    """Whether a row only links others.

    A physical row does if it names no number (a given build may be zero, and is no
    link); a row of a policy if it defines a variable of that policy.
    """
    group = text.group(row)
    program = text.program
    if not group.policy:
        given = group.is_limit and program.is_equation[row]
        return bool(abs(program.rhs[row]) <= NO_RHS and not given)
    if program.is_equation[row]:
        return True
    if group.is_limit:
        return False
    prefix = f"{group.policy}__"
    for column in text.by_row[row].indices:
        name, _ = program.column_labels[column]
        if name.startswith(prefix):
            return True
    return False


def _rows_of(text: RowText, key: Key) -> RowNumbers:
    """Return all rows of a limit, without those that only link others."""
    group = key[0]
    rows = []
    for row, (name, _) in enumerate(text.program.row_labels):
        if name == group and text.key(row) == key:
            rows.append(row)
    with_number = [row for row in rows if not _is_link(text, row)]
    return np.array(with_number or rows, dtype=np.int64)


def _rules_of(text: RowText, key: Key) -> RowNumbers:
    """Return all rows of the policy whose rule a limit is.

    Of a physical limit, these are its own rows.
    """
    policy = text.policy(key)
    rows = [_rows_of(text, key)]
    for name, group in text.program.labels.groups.items():
        if group.policy and group.policy == policy:
            rows.append(_rows_of(text, (name, "")))
    return _union(rows)


def _conflict(text: RowText, limits: Limits, remaining: RowNumbers) -> Conflict:
    """Describe a conflict, with how far each member would have to give way alone.

    If none helps alone, it holds how far all would have to give way together.
    """
    gives = _gives_alone(text, limits, remaining)
    # Rules of policies come before physical limits.
    ordered = sorted(limits, key=lambda key: not text.policy(key))
    members = []
    for key in ordered:
        helps = gives[key] is not None
        then = () if helps else _still(text, key, set(limits), remaining)
        statements = tuple(text.statements(limits[key]))
        members.append(
            Member(text.title(key), text.policy(key), statements, gives[key], then)
        )
    conflict = Conflict(tuple(members))
    if conflict.has_way_out:
        return conflict
    soft = _union(_rules_of(text, key) for key in limits)
    together = _gives(text, np.intersect1d(soft, remaining), remaining)
    return replace(conflict, together=together or ())


def _gives_alone(
    text: RowText, limits: Limits, remaining: RowNumbers
) -> dict[Key, tuple[Give, ...] | None]:
    """Return how far each limit would have to give way alone.

    Where no rule of a policy helps alone, its first one is reported for the whole
    policy.
    """
    gives: dict[Key, tuple[Give, ...] | None] = {}
    for key in limits:
        soft = np.intersect1d(_rows_of(text, key), remaining)
        gives[key] = _gives(text, soft, remaining)
    first_of: dict[str, Key] = {}
    helpful = set()
    for key in limits:
        first_of.setdefault(text.policy(key), key)
        if gives[key] is not None:
            helpful.add(text.policy(key))
    for policy, first in first_of.items():
        if not policy or policy in helpful:
            continue
        rules = _rules_of(text, first)
        if len(rules) > len(_rows_of(text, first)):
            gives[first] = _gives(text, np.intersect1d(rules, remaining), remaining)
    return gives


def _still(
    text: RowText, key: Key, known: set[Key], remaining: RowNumbers
) -> tuple[str, ...]:
    """Return which other limits cannot hold together even without one of the known."""
    others = np.setdiff1d(remaining, _rows_of(text, key))
    rows = infeasible_subsystem(text.program, others)
    if rows is None:
        return ()
    titles = []
    for other in _members(text, rows):
        if other not in known:
            titles.append(text.title(other))
    return tuple(titles)


def _gives(
    text: RowText, soft: RowNumbers, remaining: RowNumbers
) -> tuple[Give, ...] | None:
    r"""Return how far some rows must give way so that all remaining rows can hold.

    .. math:: \min \sum_i (u_i + v_i) / \max(1, |amount_i|)

    with u added to the soft rows and v, for equations, taken off.

    Returns
    -------
    tuple of Give, or None
        None if giving way does not help.
    """
    program = text.program
    rows = [text.row(int(row)) for row in soft]
    # Relative to the amounts, because rows have different units.
    scale = np.array([max(1.0, abs(row.amount)) for row in rows])
    place = np.searchsorted(remaining, soft)
    # Rows ask for at least their right-hand side; only equations can be missed on both
    # sides.
    equal = np.flatnonzero(program.is_equation[soft])
    slack_rows = np.concatenate([place, place[equal]])
    sign = np.concatenate([np.ones(len(soft)), -np.ones(len(equal))])
    entries = (sign, (slack_rows, np.arange(len(sign))))
    slack = sparse.csc_matrix(entries, shape=(len(remaining), len(sign)))
    cost = np.concatenate([1.0 / scale, 1.0 / scale[equal]])
    highs = new_solver()
    highs.passModel(rows_as_lp(program, remaining, slack, cost))
    highs.run()
    if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    slacks = np.array(highs.getSolution().col_value)[-len(sign) :]
    missed = slacks[: len(soft)]
    missed[equal] -= slacks[len(soft) :]
    gives = []
    for k, row, by, size in zip(soft, rows, missed, scale, strict=True):
        if abs(by) > TOLERANCE * size:
            amount = _instead(row, float(program.rhs[k]), float(by))
            gives.append(Give(text.title(text.key(int(k))), row, amount))
    return tuple(gives)


def _instead(row: Row, rhs: float, by: float) -> float:
    """Return the new amount of a row whose right-hand side ``rhs`` falls by `by`."""
    if row.sense == SHARE:
        return by
    # "At most" is written as "at least" with both sides negative.
    if rhs > 0:
        return row.amount - by
    return row.amount + by


def _lead_times_help(
    program: LinearProgram,
    rows: RowNumbers,
    parameters: Parameters,
    policies: Sequence[Policy],
) -> bool:
    """Whether the case would be feasible if fabs were built within a year.

    Lead times are no row of their own, so the case is written again without them.
    """
    of_conflict = program.matrix.tocsr()[rows]
    columns = np.unique(of_conflict.indices)
    has_builds = any(program.column_labels[k][0] == "build" for k in columns)
    # An empty row (nothing can be built in time) has no column at all.
    about_builds = has_builds or not of_conflict.nnz
    if not about_builds or _fixed_by_an_earlier_pass(parameters):
        return False
    at_once = Scale(table="construction", where={}, factor=1e-9)
    scale = (*parameters.world.scale, at_once)
    world = parameters.world.model_copy(update={"scale": scale})
    quick = build_parameters(parameters.data, world)
    quick = replace(quick, available=parameters.available)
    try:
        changed = compile_program(write(quick, policies))
    except NoOptimum:
        return False
    return feasible(changed, np.arange(len(changed.rhs)))


def _fixed_by_an_earlier_pass(parameters: Parameters) -> bool:
    """Whether other builds are fixed than those that history gives."""
    given = set()
    for site in parameters.sites.sites.values():
        for year in site.given:
            given.add((site.id, year))
    return set(parameters.fixed) != given
