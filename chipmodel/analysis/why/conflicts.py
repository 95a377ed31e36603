"""Conflicts: limits that cannot hold together, and how far each would have to give.

The linear programme says no by a small set of its rows that cannot hold together (an
irreducible infeasible subsystem, from HiGHS). The rows that name a number or a rule are
its members; the rest ties them together. A member counts only if the others can hold
without it. How far it would have to give way is a second programme: the whole case with
a penalised slack on the rows of that member, and the least sum of slacks relative to
what the rows ask.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import highspy
import numpy as np
from scipy import sparse

from chipmodel.analysis.why.rows import SHARE, Key, Row, RowText
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


@dataclass(frozen=True)
class Give:
    """How far a row would have to give way: `amount` stands instead of what the row asks or allows.

    Of a row that holds flows in proportion, `amount` is what it may be missed by.
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
        What its rows in the conflict say.
    gives : tuple of Give or None
        The least it would have to give if it alone gave way; none if that does not
        help.
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
        Whether there would be a solution if fabs stood in the year they are begun.
    """

    members: tuple[Member, ...]
    together: tuple[Give, ...] = ()
    lead_times: bool = False


def find_conflicts(
    program: LinearProgram, parameters: Parameters, policies: Sequence[Policy]
) -> tuple[tuple[Conflict, ...], bool]:
    """Return the conflicts of a programme, and whether there are more than are told.

    Each is found once the rules of those before it are left out, and told as if the
    others were solved.
    """
    words = RowText(program, parameters)
    every = kept = np.arange(len(program.rhs))
    found: list[dict[Key, list[int]]] = []
    dropped: list[RowNumbers] = []
    while (
        len(found) < MOST_CONFLICTS
        and (rows := infeasible_subsystem(program, kept)) is not None
    ):
        found.append(_members(words, rows))
        if len(found) == 1:
            alone = _told(words, found[0], every)
            if any(member.gives is not None for member in alone.members):
                return (
                    replace(
                        alone,
                        lead_times=_lead_times_help(
                            program, rows, parameters, policies
                        ),
                    ),
                ), False
        rules = [key for key in found[-1] if words.policy(key)] or list(found[-1])
        dropped.append(
            np.unique(np.concatenate([_rules_of(words, key) for key in rules]))
        )
        kept = np.setdiff1d(kept, dropped[-1])
    more = not feasible(program, kept)
    return (
        tuple(
            _told(words, keys, np.union1d(kept, own))
            for keys, own in zip(found, dropped, strict=True)
        ),
        more,
    )


def _members(words: RowText, rows: RowNumbers) -> dict[Key, list[int]]:
    """Return the limits among some rows that cannot hold together, each with its rows, and each of them needed."""
    by: dict[Key, list[int]] = defaultdict(list)
    links: dict[Key, list[int]] = defaultdict(list)
    for row in rows.tolist():
        (links if _is_link(words, row) else by)[words.key(row)].append(row)
    if not by:
        by = links
    needed = {
        key: own
        for key, own in by.items()
        if feasible(words.program, np.setdiff1d(rows, own))
    }
    return needed or dict(by)


def _is_link(words: RowText, row: int) -> bool:
    """Whether a row only ties others together.

    A physical row does if it names no number (what is given may be nothing); a row of a
    policy if it defines a variable of that policy.
    """
    group = words.group(row)
    if not group.policy:
        given = group.is_limit and words.program.is_equation[row]
        return bool(abs(words.program.rhs[row]) <= 1e-9 and not given)
    if words.program.is_equation[row]:
        return True
    columns = words.by_row[row].indices
    return not group.is_limit and any(
        words.program.column_labels[k][0].startswith(f"{group.policy}__")
        for k in columns
    )


def _rows_of(words: RowText, key: Key) -> RowNumbers:
    """Return all rows of a limit in the programme, without those that only tie others together."""
    name = key[0]
    found = [
        k
        for k, (group, _) in enumerate(words.program.row_labels)
        if group == name and words.key(k) == key
    ]
    named = [k for k in found if not _is_link(words, k)]
    return np.array(named or found, dtype=np.int64)


def _rules_of(words: RowText, key: Key) -> RowNumbers:
    """Return all rows of the policy whose rule a limit is; those of the limit if it is a physical one."""
    groups = words.program.labels.groups
    names = [
        name
        for name, group in groups.items()
        if group.policy and group.policy == words.policy(key)
    ]
    return np.unique(
        np.concatenate(
            [_rows_of(words, key), *(_rows_of(words, (name, "")) for name in names)]
        )
    )


def _told(words: RowText, keys: dict[Key, list[int]], kept: RowNumbers) -> Conflict:
    """Return a conflict in words, with how far each member would have to give way alone, or else all together.

    Where no rule of a policy helps alone, its first one speaks for the whole policy.
    """
    gives = {
        key: _gives(words, np.intersect1d(_rows_of(words, key), kept), kept)
        for key in keys
    }
    for policy in {words.policy(key) for key in keys} - {
        words.policy(key) for key in keys if gives[key] is not None
    }:
        first = next(key for key in keys if words.policy(key) == policy)
        if policy and len(_rules_of(words, first)) > len(_rows_of(words, first)):
            gives[first] = _gives(
                words, np.intersect1d(_rules_of(words, first), kept), kept
            )
    members = tuple(
        Member(
            words.title(key),
            words.policy(key),
            tuple(words.says(rows)),
            gives[key],
            () if gives[key] is not None else _still(words, key, set(keys), kept),
        )
        for key, rows in sorted(
            keys.items(), key=lambda pair: not words.policy(pair[0])
        )
    )
    if any(member.gives is not None for member in members):
        return Conflict(members)
    soft = np.unique(np.concatenate([_rules_of(words, key) for key in keys]))
    return Conflict(members, _gives(words, np.intersect1d(soft, kept), kept) or ())


def _still(
    words: RowText, key: Key, known: set[Key], kept: RowNumbers
) -> tuple[str, ...]:
    """Return what beside the known limits cannot hold together even without one of them."""
    rows = infeasible_subsystem(words.program, np.setdiff1d(kept, _rows_of(words, key)))
    return (
        tuple(words.title(k) for k in _members(words, rows) if k not in known)
        if rows is not None
        else ()
    )


def _gives(
    words: RowText, soft: RowNumbers, kept: RowNumbers
) -> tuple[Give, ...] | None:
    r"""Return how far some rows must give way so that all kept rows can hold; none if that does not help.

    .. math:: \min \sum_i (u_i + v_i) / \max(1, |amount_i|)

    with u added to the soft rows and v, for equations, taken off.
    """
    program = words.program
    told = [words.row(int(row)) for row in soft]
    scale = np.array([max(1.0, abs(row.amount)) for row in told])
    place = np.searchsorted(kept, soft)
    equal = np.flatnonzero(program.is_equation[soft])
    at = np.concatenate([place, place[equal]])
    sign = np.concatenate([np.ones(len(soft)), -np.ones(len(equal))])
    slack = sparse.csc_matrix(
        (sign, (at, np.arange(len(at)))), shape=(len(kept), len(at))
    )
    lp = rows_as_lp(
        program, kept, slack, np.concatenate([1.0 / scale, 1.0 / scale[equal]])
    )
    highs = new_solver()
    highs.passModel(lp)
    highs.run()
    if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    moved = np.array(highs.getSolution().col_value)[-len(at) :]
    short = moved[: len(soft)]
    short[equal] -= moved[len(soft) :]
    return tuple(
        Give(
            words.title(words.key(int(k))),
            row,
            _instead(row, float(program.rhs[k]), float(by)),
        )
        for k, row, by, size in zip(soft, told, short, scale, strict=True)
        if abs(by) > TOLERANCE * size
    )


def _instead(row: Row, rhs: float, by: float) -> float:
    """Return what stands instead of the amount of a row that gives way: the side ``rhs`` falls by `by`."""
    if row.sense == SHARE:
        return by
    return row.amount - by if rhs > 0 else row.amount + by


def _lead_times_help(
    program: LinearProgram, rows: RowNumbers, n: Parameters, policies: Sequence[Policy]
) -> bool:
    """Whether the case could be met if fabs stood in the year they are begun: lead times are no row of their own."""
    given = {(site.id, t) for site in n.sites.sites.values() for t in site.given}
    of_conflict = program.matrix.tocsr()[rows]
    builds = any(
        program.column_labels[k][0] == "build" for k in np.unique(of_conflict.indices)
    )
    if set(n.fixed) != given or not (builds or not of_conflict.nnz):
        return False
    at_once = Scale(table="construction", where={}, factor=1e-9)
    world = n.world.model_copy(update={"scale": (*n.world.scale, at_once)})
    quick = replace(build_parameters(n.data, world), available=n.available)
    try:
        changed = compile_program(write(quick, policies))
    except NoOptimum:
        return False
    return feasible(changed, np.arange(len(changed.rhs)))
