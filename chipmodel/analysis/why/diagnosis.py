"""What is reported about a case that has no solution, or about what binds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from chipmodel.analysis.why.binding import Binding, Bound
from chipmodel.analysis.why.conflicts import Conflict, Give
from chipmodel.analysis.why.rows import AT_LEAST, AT_MOST, SHARE, span, when
from chipmodel.cases.case import Case
from chipmodel.common.text import columns, folded, labelled, number
from chipmodel.model.world import World
from chipmodel.policies.base import DisplayNames

FEW = 4
"""Places of a member's giving way that are spelled out."""


MOST_LIMITS = 8
"""Physical limits told of a case that has a solution."""


def lines_of(found: Diagnosis) -> list[str]:
    """Return a diagnosis as lines of text."""
    head = f"{found.case.name} in {found.world.name}"
    if found.conflicts:
        return _infeasible(head, found)
    if found.imbalance is not None:
        return [
            f"{head}: no solution, because some support exceeds every cost.",
            "",
            *_imbalance(found.imbalance),
        ]
    if found.binding is None:
        return [
            f"{head}: no solution that can be trusted.",
            "",
            *folded(found.said),
            "",
            *_extremes(found.extremes),
        ]
    return _binding(head, found.binding, found.extremes)


def plain_of(found: Diagnosis) -> dict[str, Any]:
    """Return a diagnosis as plain data."""
    body = {name: getattr(found, name) for name in ("imbalance", "binding")}
    return {
        "case": found.case.name,
        "world": found.world.name,
        "status": found.status,
        "said": found.said,
        "conflicts": [asdict(conflict) for conflict in found.conflicts],
        "more": found.more,
        "extremes": [asdict(extreme) for extreme in found.extremes],
        **{
            name: None if value is None else asdict(value)
            for name, value in body.items()
        },
        "text": lines_of(found),
    }


def _infeasible(head: str, found: Diagnosis) -> list[str]:
    count = len(found.conflicts)
    several = f", for {count} reasons" if count > 1 else ""
    lines = [f"{head}: no solution{several}. The limits below cannot hold together."]
    for index, conflict in enumerate(found.conflicts, start=1):
        lines += [
            "",
            f"Conflict {index}" if count > 1 else "The conflict",
            *_members(conflict, found),
        ]
        lines += [
            "",
            *_ways_out(
                conflict, "Were the other conflicts solved, this" if count > 1 else "It"
            ),
        ]
    return (
        [*lines, "", "There are more conflicts; solve these first."]
        if found.more
        else lines
    )


def _members(conflict: Conflict, found: Diagnosis) -> list[str]:
    lines, described_already = [], set()
    for member in conflict.members:
        told = member.policy and member.policy not in described_already
        about = (
            f" ({found.case.policy(member.policy).sentence(found.names).rstrip('.')})"
            if told
            else ""
        )
        described_already.add(member.policy)
        lines += folded(member.title + about, "  ")
        lines += [line for said in member.says for line in folded(said, "    ")]
    if conflict.lead_times:
        lines += folded(
            "lead times: what is begun comes on line only after years of permits and"
            " building",
            "  ",
        )
    return lines


def _ways_out(conflict: Conflict, start: str) -> list[str]:
    """Return by how much each limit would have to give way."""
    helps = [member for member in conflict.members if member.gives is not None]
    others = [
        member.title
        + (f" (then it is also {', '.join(member.then)})" if member.then else "")
        for member in conflict.members
        if member.gives is None
    ]
    lines = []
    if helps or conflict.lead_times:
        lines += [f"{start} could be met if one of these gave way:"]
        lines += labelled(
            [
                (f"  {member.title}", _gives(member.title, member.gives or ()))
                for member in helps
            ]
        )
        lines += (
            ["  lead times: if fabs stood in the year they are begun"]
            if conflict.lead_times
            else []
        )
        lines += (
            folded("Not enough by itself: " + "; ".join(others) + ".") if others else []
        )
    elif conflict.together:
        lines += [f"{start} could be met only if these gave way together:"]
        lines += folded(_gives("", conflict.together), "  ")
    else:
        lines += [
            f"{start} cannot be met by any of these giving way while the rest stands."
        ]
    return lines


def _gives(title: str, gives: Sequence[Give]) -> str:
    """Return how far rows give way, place by place, those that give most first."""
    by: dict[tuple[str, str, str, str], list[Give]] = defaultdict(list)
    for give in gives:
        by[give.title, give.row.where, give.row.unit, give.row.sense].append(give)
    told = sorted(by.values(), key=lambda found: -max(map(_change, found)))
    texts = [
        ("" if found[0].title == title else f"{found[0].title} ") + _give(found)
        for found in told[:FEW]
    ]
    return "; ".join(
        [*texts, *([f"and {len(told) - FEW} more"] if len(told) > FEW else [])]
    )


def _change(give: Give) -> float:
    return abs(give.amount - give.row.amount) / max(1.0, abs(give.row.amount))


def _give(gives: Sequence[Give]) -> str:
    row, amounts = gives[0].row, span(give.amount for give in gives)
    place = (f" ({row.where})" if row.where else "") + when(
        give.row.year for give in gives
    )
    if row.sense == SHARE:
        return f"missed by {amounts} {row.unit}{place}"
    verb = {AT_LEAST: "asking for", AT_MOST: "allowing"}.get(row.sense, "standing at")
    return (
        f"{verb} {amounts} instead of {span(give.row.amount for give in gives)}"
        f" {row.unit}{place}"
    )


def _imbalance(found: Imbalance) -> list[str]:
    total = sum(v for _, v in found.support), sum(v for _, v in found.cost)
    return [
        *folded(
            f"Each more unit of {found.what} is paid {number(total[0])} MUSD and costs"
            f" {number(total[1])} MUSD, present value:"
        ),
        *columns(
            [["  paid by", name, number(value)] for name, value in found.support]
            + [["  costs", name, number(value)] for name, value in found.cost],
            right=[2],
        ),
        "",
        "Lower the support, or put a quantity or a budget on it.",
    ]


def _extremes(found: Iterable[Extreme]) -> list[str]:
    lines = ["Numbers of the programme that are not zero:"]
    for extreme in found:
        far = "  (too far apart: mend the data or the number)" if extreme.wide else ""
        lines += folded(
            f"{extreme.what}: {extreme.least:.3g} ({extreme.least_at}) to"
            f" {extreme.largest:.3g} ({extreme.largest_at}){far}",
            "  ",
        )
    return lines


def _binding(head: str, found: Binding, extremes: Sequence[Extreme]) -> list[str]:
    lines = [
        f"{head}: there is a solution, objective {found.objective:,.0f} MUSD in present"
        " value."
    ]
    if found.falls:
        lines += [
            "",
            *folded(
                "No rule contradicts another, but users get less because of those that"
                " bind (" + ", ".join(found.culprits) + "), over the years reported:"
            ),
        ]
        lines += columns(
            [
                [
                    (
                        f"  use of {fall.segment} in {fall.region} falls by"
                        f" {fall.average:.1%}"
                    ),
                    f"({fall.worst:.1%} in {fall.year})",
                ]
                for fall in found.falls
            ]
        )
    if found.short:
        lines += [
            "",
            "Rules that are not kept, and fined, where they are missed by most",
        ]
        lines += columns(
            [
                [
                    f"  {short.policy}",
                    short.what,
                    f"{number(short.amount)} {short.unit}",
                    f"in {short.year}",
                ]
                for short in found.short
            ],
            right=[2],
        )
    lines += ["", "Rules that bind", *(_bounds(found.rules) or ["  none"])]
    lines += [
        "",
        "Physical limits that bind, those worth most",
        *_bounds(found.limits[:MOST_LIMITS]),
    ]
    lines += folded(
        "Worth is the dual times the limit, present value; a rule that only holds flows"
        " in proportion has none. The highest price is that of its year."
    )
    wide = [extreme for extreme in extremes if extreme.wide]
    return [*lines, "", *_extremes(wide)] if wide else lines


def _bounds(bounds: Iterable[Bound]) -> list[str]:
    rows = []
    for b in bounds:
        worth = f"{number(abs(b.worth) / 1000.0)} USD bn" if b.worth else "-"
        where = f"{b.row.where}{when([b.row.year])}".strip()
        rows.append([f"  {b.title}", worth, f"{number(abs(b.price))} {b.unit}", where])
    return (
        columns([["", "worth", "highest price", "where"], *rows], right=[1])
        if rows
        else []
    )


WIDE_RANGE = 1e10
"""Ratio of the largest to the least coefficient beyond which a solver's tolerances lose their meaning."""


@dataclass(frozen=True)
class Imbalance:
    """Support that exceeds cost without end, present value in MUSD per unit of what is built or made.

    Attributes
    ----------
    what : str
        Column that may grow without end.
    support, cost : tuple of (str, float)
        Accounts that pay for more of it, and those that charge it.
    """

    what: str
    support: tuple[tuple[str, float], ...]
    cost: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Extreme:
    """The least and the largest number of the programme that is not zero, and where they stand."""

    what: str
    least: float
    least_at: str
    largest: float
    largest_at: str

    @property
    def wide(self) -> bool:
        """Whether they lie too far apart for a solver to trust."""
        return self.largest > WIDE_RANGE * self.least


@dataclass(frozen=True)
class Diagnosis:
    """Why a case has no solution, or what binds in the one it has.

    Attributes
    ----------
    status : str
        ``infeasible``, ``unbounded``, ``optimal`` or what the solver said.
    said : str
        What the solve said.
    more : bool
        Whether there are more conflicts than are told.
    """

    case: Case
    world: World
    status: str
    said: str = ""
    conflicts: tuple[Conflict, ...] = ()
    more: bool = False
    imbalance: Imbalance | None = None
    extremes: tuple[Extreme, ...] = ()
    binding: Binding | None = None
    names: DisplayNames = field(default_factory=DisplayNames)

    def lines(self) -> list[str]:
        """Return it as text."""
        return lines_of(self)

    def plain(self) -> dict[str, Any]:
        """Return it as plain data."""
        return plain_of(self)

    def __str__(self) -> str:
        return "\n".join(self.lines())
