"""The diagnosis of a case: why it has no solution, or what binds, as text and data."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from chipmodel.analysis.why.binding import Binding, Bound, Short
from chipmodel.analysis.why.conflicts import Conflict, Give, Member
from chipmodel.analysis.why.rows import AT_LEAST, AT_MOST, SHARE, span, when
from chipmodel.cases.case import Case
from chipmodel.common.text import columns, folded, labelled, number
from chipmodel.model.world import World
from chipmodel.policies.base import DisplayNames

FEW_PLACES = 4
"""Places at which a limit gives way that are listed before the rest is counted."""

MOST_LIMITS = 8
"""Physical limits reported of a case that has a solution."""

WIDE_RANGE = 1e10
"""Ratio of the largest to the smallest number above which tolerances fail."""


@dataclass(frozen=True)
class Imbalance:
    """Support that exceeds cost without end.

    Amounts are present values, MUSD per unit of what is built or made.

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
    """The smallest and the largest number of an LP that is not zero, and where."""

    what: str
    least: float
    least_at: str
    largest: float
    largest_at: str

    @property
    def wide(self) -> bool:
        """Whether they are too far apart for a reliable solve."""
        return self.largest > WIDE_RANGE * self.least


@dataclass(frozen=True)
class Diagnosis:
    """Why a case has no solution, or what binds in the one it has.

    Attributes
    ----------
    status : str
        ``infeasible``, ``unbounded``, ``optimal`` or the status of the solver.
    said : str
        Message of the solve that failed.
    more : bool
        Whether there are more conflicts than are reported.
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
    names: DisplayNames = field(default_factory=DisplayNames, repr=False)

    def lines(self) -> list[str]:
        """Return the diagnosis as lines of text."""
        return lines_of(self)

    def plain(self) -> dict[str, Any]:
        """Return the diagnosis as plain data."""
        return plain_of(self)

    def __str__(self) -> str:
        return "\n".join(self.lines())


def lines_of(diagnosis: Diagnosis) -> list[str]:
    """Return a diagnosis as lines of text."""
    head = f"{diagnosis.case.name} in {diagnosis.world.name}"
    if diagnosis.conflicts:
        return _infeasible_lines(head, diagnosis)
    if diagnosis.imbalance is not None:
        return [
            f"{head}: no solution, because some support exceeds every cost.",
            "",
            *_imbalance_lines(diagnosis.imbalance),
        ]
    if diagnosis.binding is not None:
        return _binding_lines(head, diagnosis.binding, diagnosis.extremes)
    return [
        f"{head}: no solution that can be trusted.",
        "",
        *folded(diagnosis.said),
        "",
        *_extreme_lines(diagnosis.extremes),
    ]


def plain_of(diagnosis: Diagnosis) -> dict[str, Any]:
    """Return a diagnosis as plain data."""
    imbalance = None
    if diagnosis.imbalance is not None:
        imbalance = asdict(diagnosis.imbalance)
    binding = None
    if diagnosis.binding is not None:
        binding = asdict(diagnosis.binding)
    return {
        "case": diagnosis.case.name,
        "world": diagnosis.world.name,
        "status": diagnosis.status,
        "said": diagnosis.said,
        "conflicts": [asdict(conflict) for conflict in diagnosis.conflicts],
        "more": diagnosis.more,
        "extremes": [asdict(extreme) for extreme in diagnosis.extremes],
        "imbalance": imbalance,
        "binding": binding,
        "text": lines_of(diagnosis),
    }


def _infeasible_lines(head: str, diagnosis: Diagnosis) -> list[str]:
    count = len(diagnosis.conflicts)
    several = count > 1
    reasons = f", for {count} reasons" if several else ""
    lines = [f"{head}: no solution{reasons}. The limits below cannot hold together."]
    title = "The conflict"
    subject = "It"
    for index, conflict in enumerate(diagnosis.conflicts, start=1):
        if several:
            title = f"Conflict {index}"
            # How far a limit gives way is computed as if the others were solved.
            subject = "Were the other conflicts solved, this"
        lines += ["", title, *_member_lines(conflict, diagnosis)]
        lines += ["", *_ways_out(conflict, subject)]
    if diagnosis.more:
        lines += ["", "There are more conflicts; solve these first."]
    return lines


def _member_lines(conflict: Conflict, diagnosis: Diagnosis) -> list[str]:
    """Return the limits of a conflict; each policy is described where it is first."""
    lines: list[str] = []
    described: set[str] = set()
    for member in conflict.members:
        title = member.title
        if member.policy and member.policy not in described:
            policy = diagnosis.case.policy(member.policy)
            title += f" ({policy.sentence(diagnosis.names).rstrip('.')})"
            described.add(member.policy)
        lines += folded(title, "  ")
        for statement in member.says:
            lines += folded(statement, "    ")
    if conflict.lead_times:
        lines += folded(
            "lead times: fabs come into service only after years of permits and"
            " building",
            "  ",
        )
    return lines


def _ways_out(conflict: Conflict, subject: str) -> list[str]:
    """Return by how much each limit would have to give way."""
    helpful = [member for member in conflict.members if member.gives is not None]
    if helpful or conflict.lead_times:
        return _single_ways_out(conflict, helpful, subject)
    if conflict.together:
        return [
            f"{subject} could be met only if these gave way together:",
            *folded(_gives_text("", conflict.together), "  "),
        ]
    return [
        f"{subject} cannot be met by relaxing any of these while the other limits"
        " apply."
    ]


def _single_ways_out(
    conflict: Conflict, helpful: Sequence[Member], subject: str
) -> list[str]:
    lines = [f"{subject} could be met if one of these gave way:"]
    ways = []
    for member in helpful:
        text = _gives_text(member.title, member.gives or ())
        ways.append((f"  {member.title}", text))
    lines += labelled(ways)
    if conflict.lead_times:
        lines.append(
            "  lead times: if fabs were in service in the year they are started"
        )
    others = []
    for member in conflict.members:
        if member.gives is None:
            title = member.title
            if member.then:
                title += f" (then it is also {', '.join(member.then)})"
            others.append(title)
    if others:
        lines += folded("Not enough by itself: " + "; ".join(others) + ".")
    return lines


def _gives_text(title: str, gives: Sequence[Give]) -> str:
    """Return how far rows give way, place by place, the largest changes first."""
    alike: dict[tuple[str, str, str, str], list[Give]] = defaultdict(list)
    for give in gives:
        row = give.row
        alike[give.title, row.where, row.unit, row.sense].append(give)

    def largest_change(group: list[Give]) -> float:
        return max(map(_change, group))

    ranked = sorted(alike.values(), key=lambda group: -largest_change(group))
    texts = []
    for group in ranked[:FEW_PLACES]:
        text = _give_text(group)
        # Rows of another rule of the same policy are named by that rule.
        if group[0].title != title:
            text = f"{group[0].title} {text}".strip()
        texts.append(text)
    more = len(ranked) - FEW_PLACES
    if more > 0:
        texts.append(f"and {more} more")
    return "; ".join(texts)


def _change(give: Give) -> float:
    """Return how much a row gives way, relative to its amount or to one unit."""
    return abs(give.amount - give.row.amount) / max(1.0, abs(give.row.amount))


def _give_text(gives: Sequence[Give]) -> str:
    """Return how far the rows of one place give way."""
    row = gives[0].row
    amounts = span(give.amount for give in gives)
    place = when(give.row.year for give in gives)
    if row.where:
        place = f" ({row.where}){place}"
    if row.sense == SHARE:
        return f"missed by {amounts} {row.unit}{place}"
    verb = {AT_LEAST: "asking for", AT_MOST: "allowing"}.get(row.sense, "fixed at")
    before = span(give.row.amount for give in gives)
    return f"{verb} {amounts} instead of {before} {row.unit}{place}"


def _imbalance_lines(imbalance: Imbalance) -> list[str]:
    paid = sum(amount for _, amount in imbalance.support)
    cost = sum(amount for _, amount in imbalance.cost)
    rows = []
    for name, amount in imbalance.support:
        rows.append(["  paid by", name, number(amount)])
    for name, amount in imbalance.cost:
        rows.append(["  costs", name, number(amount)])
    return [
        *folded(
            f"Each more unit of {imbalance.what} is paid {number(paid)} MUSD and costs"
            f" {number(cost)} MUSD, present value:"
        ),
        *columns(rows, right=[2]),
        "",
        "Lower the support, or put a quantity or a budget on it.",
    ]


def _extreme_lines(extremes: Iterable[Extreme]) -> list[str]:
    lines = ["Numbers of the linear program that are not zero:"]
    for extreme in extremes:
        smallest = f"{extreme.least:.3g} ({extreme.least_at})"
        largest = f"{extreme.largest:.3g} ({extreme.largest_at})"
        text = f"{extreme.what}: {smallest} to {largest}"
        if extreme.wide:
            text += "  (too far apart: fix the data or the number)"
        lines += folded(text, "  ")
    return lines


def _binding_lines(
    head: str, binding: Binding, extremes: Sequence[Extreme]
) -> list[str]:
    objective = f"{binding.objective:,.0f} MUSD"
    lines = [f"{head}: there is a solution, objective {objective} in present value."]
    if binding.falls:
        lines += ["", *_fall_lines(binding)]
    if binding.short:
        lines += ["", *_short_lines(binding.short)]
    lines += ["", "Rules that bind", *(_bound_lines(binding.rules) or ["  none"])]
    lines += [
        "",
        "Physical limits that bind, the most valuable first",
        *_bound_lines(binding.limits[:MOST_LIMITS]),
    ]
    lines += folded(
        "Worth is the dual times the limit, present value; a rule that only holds flows"
        " in proportion has none. The highest price is that of its year."
    )
    wide = [extreme for extreme in extremes if extreme.wide]
    if wide:
        lines += ["", *_extreme_lines(wide)]
    return lines


def _fall_lines(binding: Binding) -> list[str]:
    culprits = ", ".join(binding.culprits)
    rows = []
    for fall in binding.falls:
        use = f"  use of {fall.segment} in {fall.region} falls by {fall.average:.1%}"
        rows.append([use, f"({fall.worst:.1%} in {fall.year})"])
    return [
        *folded(
            "No rule contradicts another, but users get less because of those that"
            f" bind ({culprits}), over the years reported:"
        ),
        *columns(rows),
    ]


def _short_lines(shortfalls: Iterable[Short]) -> list[str]:
    rows = []
    for short in shortfalls:
        amount = f"{number(short.amount)} {short.unit}"
        rows.append([f"  {short.policy}", short.what, amount, f"in {short.year}"])
    return [
        "Rules that are missed, and fined, in the year in which they are missed most",
        *columns(rows, right=[2]),
    ]


def _bound_lines(bounds: Iterable[Bound]) -> list[str]:
    rows = []
    for bound in bounds:
        # A row that only holds flows in proportion has no number to be worth anything.
        worth = "-"
        if bound.worth:
            worth = f"{number(abs(bound.worth) / 1000.0)} USD bn"
        price = f"{number(abs(bound.price))} {bound.unit}"
        where = f"{bound.row.where}{when([bound.row.year])}".strip()
        rows.append([f"  {bound.title}", worth, price, where])
    if not rows:
        return []
    return columns([["", "worth", "highest price", "where"], *rows], right=[1])
