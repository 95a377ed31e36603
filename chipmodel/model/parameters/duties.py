"""The duty schedule: every tariff of a case resolved together, before the programme is written.

Duties are resolved for each importer, flow (bare chips or use), segment, origin and
year, in this order:

1. *exemptions*: a tariff does not fall on the origins it leaves out, nor on the importer's own chips;
2. *reliefs*: a free-trade area sets duties between its members to zero, an allowance lowers the duty
   above it;
3. *stacking*: what is left adds up, layer on layer: most-favoured-nation, Section 301, Section 232,
   others. A tariff on a narrower share of a segment falls on goods that wider ones fall
   on too;
4. *ceilings*: the lowest all-in ceiling cuts the sum, from the last layer down. It never cuts the
   most-favoured-nation layer: where that alone exceeds it, nothing is added.

Each tariff levies what is left of its own rate, so that the ledger knows the share of
each law.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise, product
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from chipmodel.model.parameters.parameters import Parameters

Layer = Literal["mfn", "section_301", "section_232", "other"]


LAYERS: tuple[Layer, ...] = ("mfn", "section_301", "section_232", "other")
"""Layers in the order in which they stack."""


On = Literal["chips", "use"]


DutyKey = tuple[str, str, str, str, str, str | None, int]
"""Tariff, importer, flow, segment, place of the fab, place of assembly (none if no rule asks), year."""


class Distinction(NamedTuple):
    """Origins a rule must distinguish inside devices, at a user, in some segments."""

    user: str
    segments: tuple[str, ...]
    origins: frozenset[str]


@dataclass(frozen=True)
class Levy:
    """A duty as one tariff states it, before anything relieves or caps it.

    Attributes
    ----------
    origins : frozenset of str
        Origins it falls on, by its rule of origin (``diffusion`` or ``assembly``).
    scope : float
        Share of the flow it falls on.
    ceiling : float or None
        All-in ceiling it grants to the origins in `capped`.
    """

    policy: str
    importer: str
    on: On
    origin_rule: Literal["diffusion", "assembly"]
    origins: frozenset[str]
    segments: frozenset[str]
    years: tuple[int, int]
    layer: Layer
    rate: float
    scope: float
    ceiling: float | None
    capped: frozenset[str]

    def origin(self, made: str, assembled: str | None) -> str:
        """Return the origin by this duty's rule."""
        return (
            assembled
            if self.origin_rule == "assembly" and assembled is not None
            else made
        )

    def falls_on(self, origin: str, segment: str, year: int) -> bool:
        """Whether it falls on chips of an origin in a year."""
        return (
            origin in self.origins
            and segment in self.segments
            and self.years[0] <= year <= self.years[1]
        )


@dataclass(frozen=True)
class Relief:
    """A rule that lowers duties of others to at most a rate.

    Attributes
    ----------
    tariffs : frozenset of str or None
        Tariffs it relieves; none for all in the layers.
    rate : float
        What is left of each.
    """

    policy: str
    importers: frozenset[str]
    origins: frozenset[str]
    segments: frozenset[str]
    years: tuple[int, int]
    layers: frozenset[Layer]
    tariffs: frozenset[str] | None
    rate: float

    def covers(self, levy: Levy, origin: str, segment: str, year: int) -> bool:
        """Whether it relieves a duty on an origin."""
        return (
            levy.importer in self.importers
            and origin in self.origins
            and segment in self.segments
            and self.years[0] <= year <= self.years[1]
            and levy.layer in self.layers
            and (self.tariffs is None or levy.policy in self.tariffs)
        )


class Duties:
    """The resolved duty schedule of a case.

    Parameters
    ----------
    levies, reliefs : iterable
        What the instruments of the case levy, and what they take off.
    substitution : dict
        Duties that vary between the cases of a sweep, and what stands for them in the
        programme.
    """

    def __init__(
        self,
        parameters: Parameters,
        levies: Iterable[Levy],
        reliefs: Iterable[Relief],
        substitution: dict[DutyKey, Any] | None = None,
    ) -> None:
        self.levies = sorted(levies, key=lambda x: (LAYERS.index(x.layer), x.policy))
        self.reliefs = list(reliefs)
        self._numbers = parameters
        self._lifted = substitution or {}
        self._by_assembly = any(levy.origin_rule == "assembly" for levy in self.levies)
        self.resolved = lru_cache(maxsize=None)(self._resolve)

    def rate(self, policy: str, importer: str, on: On, flow: Flow) -> Any:
        """Return what a tariff levies on a flow, as a share of its dutiable value."""
        if not flow.origins:
            return 0.0
        # Origins no rule tells apart bear the same duty: any of them stands for its
        # class.
        place = (
            importer,
            on,
            flow.segment,
            min(flow.origins),
            flow.assembled if self._by_assembly else None,
            flow.year,
        )
        substitution = self._lifted.get((policy, *place))
        return (
            self.resolved(*place).get(policy, 0.0)
            if substitution is None
            else substitution
        )

    def table(self) -> dict[DutyKey, float]:
        """Return every duty of the schedule."""
        n = self._numbers
        found: dict[DutyKey, float] = {}
        for importer, on in sorted({(levy.importer, levy.on) for levy in self.levies}):
            for made, s in n.places:
                via = (
                    [a for r, a in n.packaging.routes if r == made]
                    if self._by_assembly and on == "chips"
                    else [None]
                )
                for a, t in product(via, n.years):
                    for policy, rate in self.resolved(
                        importer, on, s, made, a, t
                    ).items():
                        found[policy, importer, on, s, made, a, t] = rate
        return found

    def _resolve(
        self,
        importer: str,
        on: On,
        segment: str,
        made: str,
        assembled: str | None,
        year: int,
    ) -> dict[str, float]:
        """Return the duty of each tariff on an origin, as a share of the dutiable value of the flow."""
        falling = [
            levy
            for levy in self.levies
            if (levy.importer, levy.on) == (importer, on)
            and levy.falls_on(levy.origin(made, assembled), segment, year)
        ]
        stack = []
        for levy in falling:
            origin = levy.origin(made, assembled)
            ceiling = (
                levy.ceiling
                if levy.ceiling is not None and origin in levy.capped
                else float("inf")
            )
            stack.append((levy, self._relieved(levy, origin, segment, year), ceiling))
        return _stacked(stack)

    def _relieved(self, levy: Levy, origin: str, segment: str, year: int) -> float:
        return min(
            [
                levy.rate,
                *(
                    r.rate
                    for r in self.reliefs
                    if r.covers(levy, origin, segment, year)
                ),
            ]
        )

    def levy(self, policy: str) -> Levy | None:
        """Return the duty a tariff states; none if it is not in force in the case or does nothing."""
        return next((levy for levy in self.levies if levy.policy == policy), None)

    def relieved(self, relief: str, importer: str, on: On, flow: Flow) -> float:
        """Return the share of a flow on which some rule takes something off a duty."""
        rules = [r for r in self.reliefs if r.policy == relief]
        origins = [
            (x, x.origin(min(flow.origins), flow.assembled)) for x in self.levies
        ]
        return max(
            (
                levy.scope
                for levy, origin in origins
                if (levy.importer, levy.on) == (importer, on)
                and levy.falls_on(origin, flow.segment, flow.year)
                and any(
                    r.rate < levy.rate
                    and r.covers(levy, origin, flow.segment, flow.year)
                    for r in rules
                )
            ),
            default=0.0,
        )

    def distinguishes(self) -> Iterator[Distinction]:
        """Return the origins that bear different duties inside devices."""
        n = self._numbers
        for user in sorted({levy.importer for levy in self.levies if levy.on == "use"}):
            for s in n.segments:
                alike: dict[tuple[object, ...], set[str]] = defaultdict(set)
                for r in (r for r, q in n.places if q == s):
                    paid = (self.resolved(user, "use", s, r, None, t) for t in n.years)
                    alike[tuple(tuple(sorted(x.items())) for x in paid)].add(r)
                if len(alike) > 1:
                    for members in alike.values():
                        yield Distinction(user, (s,), frozenset(members))


def _stacked(stack: list[tuple[Levy, float, float]]) -> dict[str, float]:
    """Add up (levy, what is left of its rate, its ceiling) in order, band by band of what they fall on."""
    total: dict[str, float] = defaultdict(float)
    for low, high in pairwise(sorted({0.0, *(levy.scope for levy, _, _ in stack)})):
        band = [entry for entry in stack if entry[0].scope >= high]
        room = min(ceiling for _, _, ceiling in band)
        for levy, rate, _ in band:
            levied = rate if levy.layer == "mfn" else min(rate, max(room, 0.0))
            room -= levied
            total[levy.policy] += (high - low) * levied
    return dict(total)


@dataclass(frozen=True)
class Flow:
    """A named flow a policy can act on: wafers of a segment in a year and where they come from.

    Attributes
    ----------
    origins : frozenset of str
        Place of diffusion (the fab); for use, the places of one class of origins that
        no rule of the case tells apart.
    assembled : str or None
        Place of assembly; none for flows inside devices.
    term : Any
        The flow, kwpm.
    """

    segment: str
    origins: frozenset[str]
    assembled: str | None
    year: int
    term: Any
