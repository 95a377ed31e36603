"""Conflicts: limits that cannot hold together, and how far each would have to give.

The linear programme says no by a small set of its rows that cannot hold together (an irreducible
infeasible subsystem, from HiGHS). The rows that name a number or a rule are its members; the rest
ties them together. A member counts only if the others can hold without it. How far it would have
to give way is a second programme: the whole case with a penalised slack on the rows of that member,
and the least sum of slacks relative to what the rows ask.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import highspy
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from chipmodel import engine
from chipmodel.arrays import Arrays, Vector, compile_arrays
from chipmodel.diagnose.rows import SHARE, Key, Row, Words
from chipmodel.errors import NoOptimum
from chipmodel.lp import write
from chipmodel.numbers import build_numbers
from chipmodel.world import Scale

IIS_STRATEGY = 6
"""Of HiGHS: rows first, from an elastic filter; others take minutes on the shipped data or find nothing."""
MOST_CONFLICTS = 3
TOLERANCE = 1e-6

Rows = NDArray[np.int64]


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
        The least it would have to give if it alone gave way; none if that does not help.
    then : tuple of str
        If it does not help: limits, not of this conflict, that cannot hold together without it either.
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


def find_conflicts(arrays: Arrays) -> tuple[tuple[Conflict, ...], bool]:
    """Return the conflicts of a programme, and whether there are more than are told.

    Each is found once the rules of those before it are left out, and told as if the others were solved.
    """
    words = Words(arrays)
    every = kept = np.arange(len(arrays.rhs))
    found: list[dict[Key, list[int]]] = []
    dropped: list[Rows] = []
    while len(found) < MOST_CONFLICTS and (rows := _iis(arrays, kept)) is not None:
        found.append(_members(words, rows))
        if len(found) == 1:
            alone = _told(words, found[0], every)
            if any(member.gives is not None for member in alone.members):
                return (replace(alone, lead_times=_lead_times_help(arrays, rows)),), False
        rules = [key for key in found[-1] if words.policy(key)] or list(found[-1])
        dropped.append(np.unique(np.concatenate([_rules_of(words, key) for key in rules])))
        kept = np.setdiff1d(kept, dropped[-1])
    more = not feasible(arrays, kept)
    return tuple(_told(words, keys, np.union1d(kept, own)) for keys, own in zip(found, dropped, strict=True)), more


def _iis(arrays: Arrays, kept: Rows) -> Rows | None:
    """Return some of the kept rows that cannot hold together, none too many; none if all can."""
    if feasible(arrays, kept):
        return None
    highs = engine.solver()
    highs.setOptionValue("iis_strategy", IIS_STRATEGY)
    highs.passModel(rows_as_lp(arrays, kept))
    _, iis = highs.getIis()
    rows = kept[np.array(iis.row_index_, dtype=int)] if iis.valid_ else kept[:0]
    if not len(rows) or feasible(arrays, rows):
        raise NoOptimum("infeasible", "no solution, and HiGHS finds no set of rows that says why")
    return rows


def _members(words: Words, rows: Rows) -> dict[Key, list[int]]:
    """Return the limits among some rows that cannot hold together, each with its rows, and each of them needed."""
    by: dict[Key, list[int]] = defaultdict(list)
    links: dict[Key, list[int]] = defaultdict(list)
    for row in rows.tolist():
        (links if _is_link(words, row) else by)[words.key(row)].append(row)
    if not by:
        by = links
    needed = {key: own for key, own in by.items() if feasible(words.arrays, np.setdiff1d(rows, own))}
    return needed or dict(by)


def _is_link(words: Words, row: int) -> bool:
    """Whether a row only ties others together.

    A physical row does if it names no number (what is given may be nothing); a row of a policy if it defines a
    variable of that policy.
    """
    group = words.group(row)
    if not group.policy:
        given = group.limit and words.arrays.equal[row]
        return bool(abs(words.arrays.rhs[row]) <= 1e-9 and not given)
    if words.arrays.equal[row]:
        return True
    columns = words.by_row[row].indices
    return not group.limit and any(words.arrays.columns_of[k][0].startswith(f"{group.policy}__") for k in columns)


def _rows_of(words: Words, key: Key) -> Rows:
    """Return all rows of a limit in the programme, without those that only tie others together."""
    name = key[0]
    found = [k for k, (group, _) in enumerate(words.arrays.rows_of) if group == name and words.key(k) == key]
    named = [k for k in found if not _is_link(words, k)]
    return np.array(named or found, dtype=np.int64)


def _rules_of(words: Words, key: Key) -> Rows:
    """Return all rows of the policy whose rule a limit is; those of the limit if it is a physical one."""
    groups = words.arrays.frame.groups
    names = [name for name, group in groups.items() if group.policy and group.policy == words.policy(key)]
    return np.unique(np.concatenate([_rows_of(words, key), *(_rows_of(words, (name, "")) for name in names)]))


def _told(words: Words, keys: dict[Key, list[int]], kept: Rows) -> Conflict:
    """Return a conflict in words, with how far each member would have to give way alone, or else all together.

    Where no rule of a policy helps alone, its first one speaks for the whole policy.
    """
    gives = {key: _gives(words, np.intersect1d(_rows_of(words, key), kept), kept) for key in keys}
    for policy in {words.policy(key) for key in keys} - {words.policy(key) for key in keys if gives[key] is not None}:
        first = next(key for key in keys if words.policy(key) == policy)
        if policy and len(_rules_of(words, first)) > len(_rows_of(words, first)):
            gives[first] = _gives(words, np.intersect1d(_rules_of(words, first), kept), kept)
    members = tuple(
        Member(words.title(key), words.policy(key), tuple(words.says(rows)), gives[key],
               () if gives[key] is not None else _still(words, key, set(keys), kept))
        for key, rows in sorted(keys.items(), key=lambda pair: not words.policy(pair[0]))
    )
    if any(member.gives is not None for member in members):
        return Conflict(members)
    soft = np.unique(np.concatenate([_rules_of(words, key) for key in keys]))
    return Conflict(members, _gives(words, np.intersect1d(soft, kept), kept) or ())


def _still(words: Words, key: Key, known: set[Key], kept: Rows) -> tuple[str, ...]:
    """Return what beside the known limits cannot hold together even without one of them."""
    rows = _iis(words.arrays, np.setdiff1d(kept, _rows_of(words, key)))
    return tuple(words.title(k) for k in _members(words, rows) if k not in known) if rows is not None else ()


def _gives(words: Words, soft: Rows, kept: Rows) -> tuple[Give, ...] | None:
    r"""Return how far some rows must give way so that all kept rows can hold; none if that does not help.

    .. math:: \min \sum_i (u_i + v_i) / \max(1, |amount_i|)

    with u added to the soft rows and v, for equations, taken off.
    """
    arrays = words.arrays
    told = [words.row(int(row)) for row in soft]
    scale = np.array([max(1.0, abs(row.amount)) for row in told])
    place = np.searchsorted(kept, soft)
    equal = np.flatnonzero(arrays.equal[soft])
    at = np.concatenate([place, place[equal]])
    sign = np.concatenate([np.ones(len(soft)), -np.ones(len(equal))])
    slack = sparse.csc_matrix((sign, (at, np.arange(len(at)))), shape=(len(kept), len(at)))
    lp = rows_as_lp(arrays, kept, slack, np.concatenate([1.0 / scale, 1.0 / scale[equal]]))
    highs = engine.solver()
    highs.passModel(lp)
    highs.run()
    if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    moved = np.array(highs.getSolution().col_value)[-len(at):]
    short = moved[: len(soft)]
    short[equal] -= moved[len(soft):]
    return tuple(
        Give(words.title(words.key(int(k))), row, _instead(row, float(arrays.rhs[k]), float(by)))
        for k, row, by, size in zip(soft, told, short, scale, strict=True) if abs(by) > TOLERANCE * size
    )


def _instead(row: Row, rhs: float, by: float) -> float:
    """Return what stands instead of the amount of a row that gives way: the side ``rhs`` falls by `by`."""
    if row.sense == SHARE:
        return by
    return row.amount - by if rhs > 0 else row.amount + by


def _lead_times_help(arrays: Arrays, rows: Rows) -> bool:
    """Whether the case could be met if fabs stood in the year they are begun: lead times are no row of their own."""
    n = arrays.numbers
    given = {(site.id, t) for site in n.sites.sites.values() for t in site.given}
    of_conflict = arrays.matrix.tocsr()[rows]
    builds = any(arrays.columns_of[k][0] == "build" for k in np.unique(of_conflict.indices))
    if set(n.fixed) != given or not (builds or not of_conflict.nnz):
        return False
    at_once = Scale(table="construction", where={}, factor=1e-9)
    world = n.world.model_copy(update={"scale": (*n.world.scale, at_once)})
    quick = replace(build_numbers(n.data, world), available=n.available)
    try:
        changed = compile_arrays(write(quick, arrays.policies))
    except NoOptimum:
        return False
    return feasible(changed, np.arange(len(changed.rhs)))


def feasible(arrays: Arrays, rows: Sequence[int] | Rows) -> bool:
    """Whether some rows of a programme can hold together."""
    highs = engine.solver()
    highs.passModel(rows_as_lp(arrays, np.asarray(rows, dtype=np.int64)))
    highs.run()
    return bool(highs.getModelStatus() == highspy.HighsModelStatus.kOptimal)


def rows_as_lp(arrays: Arrays, rows: Rows, slack: Any = None, cost: Vector | None = None) -> highspy.HighsLp:
    """Return some rows of a programme as HiGHS takes them, with no cost but that of the slack."""
    matrix = arrays.matrix.tocsr()[rows].tocsc() if len(rows) < len(arrays.rhs) else arrays.matrix
    if slack is not None:
        matrix = sparse.hstack([matrix, slack], format="csc")
    price = np.zeros(matrix.shape[1])
    if cost is not None:
        price[len(price) - len(cost):] = cost
    lp = highspy.HighsLp()
    lp.num_row_, lp.num_col_ = matrix.shape
    lp.col_cost_ = price
    lp.col_lower_ = np.zeros(len(price))
    lp.col_upper_ = np.full(len(price), highspy.kHighsInf)
    lp.row_lower_ = arrays.rhs[rows]
    lp.row_upper_ = np.where(arrays.equal[rows], arrays.rhs[rows], highspy.kHighsInf)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data
    return lp


