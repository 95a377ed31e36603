"""The duty schedule: all tariffs of a case, resolved together.

It is computed before the linear program is written.

Duties are resolved for each importer, flow (bare chips or use), segment, origin and
year, in this order:

1. *exemptions*: a tariff does not apply to the origins it exempts, nor to the
   importer's own chips;
2. *reliefs*: a free-trade area sets duties between its members to zero, an allowance
   lowers the duty above it;
3. *stacking*: the remaining rates add up, layer on layer: most-favoured-nation,
   Section 301, Section 232, others. A tariff on a narrower share of a segment applies
   to goods to which wider ones apply too;
4. *ceilings*: the lowest all-in ceiling cuts the sum, from the last layer down. It
   never cuts the most-favoured-nation layer: where that alone exceeds it, nothing is
   added.

Each tariff levies the remaining part of its own rate, so that the ledger has the share
of each law.
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
"""What a duty is levied on: bare chips, or the chips inside devices that are used."""

DutyKey = tuple[str, str, str, str, str, str | None, int]
"""Tariff, importer, flow, segment, place of the fab, place of assembly and year.

The place of assembly is none if no rule of origin depends on it.
"""


class Distinction(NamedTuple):
    """Origins a rule must distinguish inside devices, at a user, in some segments."""

    user: str
    segments: tuple[str, ...]
    origins: frozenset[str]


@dataclass(frozen=True)
class Levy:
    """A duty as one tariff states it, before any relief or ceiling.

    Attributes
    ----------
    origins : frozenset of str
        Origins it applies to, by its rule of origin (``diffusion`` or ``assembly``).
    scope : float
        Share of the flow it applies to.
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
        if self.origin_rule == "assembly" and assembled is not None:
            return assembled
        return made

    def falls_on(self, origin: str, segment: str, year: int) -> bool:
        """Return whether it applies to chips of an origin in a year."""
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
        Highest rate that remains of each.
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
        """Return whether it relieves a duty on an origin."""
        return (
            levy.importer in self.importers
            and origin in self.origins
            and segment in self.segments
            and self.years[0] <= year <= self.years[1]
            and levy.layer in self.layers
            and (self.tariffs is None or levy.policy in self.tariffs)
        )


@dataclass(frozen=True)
class _Stacked:
    """A duty in a stack: its rate after reliefs, and the ceiling it grants."""

    levy: Levy
    rate: float
    ceiling: float


class Duties:
    """The resolved duty schedule of a case.

    Parameters
    ----------
    parameters : Parameters
    levies, reliefs : iterable
        What the instruments of the case levy, and what they relieve.
    substitution : dict
        Duties that vary between the cases of a sweep, and the polynomials that replace
        them in the linear program.
    """

    def __init__(
        self,
        parameters: Parameters,
        levies: Iterable[Levy],
        reliefs: Iterable[Relief],
        substitution: dict[DutyKey, Any] | None = None,
    ) -> None:
        self.levies = sorted(levies, key=_stacking_order)
        self.reliefs = list(reliefs)
        self._parameters = parameters
        self._substitution = substitution or {}
        rules = {levy.origin_rule for levy in self.levies}
        self._by_assembly = "assembly" in rules
        # Many flows share a duty. The cache belongs to this schedule and ends with it,
        # which a cached method would not.
        self.resolved = lru_cache(maxsize=None)(self._resolve)

    def rate(self, policy: str, importer: str, on: On, flow: Flow) -> Any:
        """Return what a tariff levies on a flow, as a share of its dutiable value.

        In a sweep it may be a `Polynomial`.
        """
        if not flow.origins:
            return 0.0
        # No rule distinguishes the origins of a class: any of them represents it.
        made = min(flow.origins)
        assembled = flow.assembled if self._by_assembly else None
        place = (importer, on, flow.segment, made, assembled, flow.year)
        substitute = self._substitution.get((policy, *place))
        if substitute is not None:
            return substitute
        return self.resolved(*place).get(policy, 0.0)

    def table(self) -> dict[DutyKey, float]:
        """Return every duty of the schedule."""
        years = self._parameters.years
        duties: dict[DutyKey, float] = {}
        for importer, on in sorted({(levy.importer, levy.on) for levy in self.levies}):
            for made, segment in self._parameters.places:
                for assembled, year in product(self._assembly_places(made, on), years):
                    place = (importer, on, segment, made, assembled, year)
                    for policy, rate in self.resolved(*place).items():
                        duties[policy, *place] = rate
        return duties

    def _assembly_places(self, made: str, on: On) -> list[str | None]:
        """Return the places of assembly on which duties on chips may depend."""
        if not self._by_assembly or on == "use":
            return [None]
        routes = self._parameters.packaging.routes
        return [assembled for region, assembled in routes if region == made]

    def _resolve(
        self,
        importer: str,
        on: On,
        segment: str,
        made: str,
        assembled: str | None,
        year: int,
    ) -> dict[str, float]:
        """Return the duty of each tariff on an origin.

        As a share of the dutiable value of the flow.
        """
        stack = []
        for levy in self.levies:
            origin = levy.origin(made, assembled)
            if (levy.importer, levy.on) != (importer, on):
                continue
            if not levy.falls_on(origin, segment, year):
                continue
            ceiling = float("inf")
            if levy.ceiling is not None and origin in levy.capped:
                ceiling = levy.ceiling
            rate = self._relieved_rate(levy, origin, segment, year)
            stack.append(_Stacked(levy, rate, ceiling))
        return _add_up(stack)

    def _relieved_rate(self, levy: Levy, origin: str, segment: str, year: int) -> float:
        rate = levy.rate
        for relief in self.reliefs:
            if relief.covers(levy, origin, segment, year):
                rate = min(rate, relief.rate)
        return rate

    def levy(self, policy: str) -> Levy | None:
        """Return the duty a tariff states; none if the case has no such duty."""
        return next((levy for levy in self.levies if levy.policy == policy), None)

    def relieved(self, relief: str, importer: str, on: On, flow: Flow) -> float:
        """Return the share of a flow on which an instrument lowers a duty.

        Parameters
        ----------
        relief : str
            Id of the instrument that relieves.
        importer, on, flow
            The flow on which the duty is levied.
        """
        rules = [rule for rule in self.reliefs if rule.policy == relief]
        made = min(flow.origins)
        share = 0.0
        for levy in self.levies:
            origin = levy.origin(made, flow.assembled)
            if (levy.importer, levy.on) != (importer, on):
                continue
            if not levy.falls_on(origin, flow.segment, flow.year):
                continue
            for rule in rules:
                covered = rule.covers(levy, origin, flow.segment, flow.year)
                if covered and rule.rate < levy.rate:
                    share = max(share, levy.scope)
        return share

    def distinguishes(self) -> Iterator[Distinction]:
        """Return the origins that bear different duties inside devices."""
        # The origin of a bare chip is always known: only duties on use ask for it.
        users = {levy.importer for levy in self.levies if levy.on == "use"}
        for user in sorted(users):
            for segment in self._parameters.segments:
                classes = self._classes(user, segment)
                if len(classes) > 1:
                    for origins in classes:
                        yield Distinction(user, (segment,), frozenset(origins))

    def _classes(self, user: str, segment: str) -> list[set[str]]:
        """Return the origins of a segment, those with the same duties together."""
        by_duties: dict[tuple[object, ...], set[str]] = defaultdict(set)
        for made, made_segment in self._parameters.places:
            if made_segment != segment:
                continue
            duties = []
            for year in self._parameters.years:
                resolved = self.resolved(user, "use", segment, made, None, year)
                duties.append(tuple(sorted(resolved.items())))
            by_duties[tuple(duties)].add(made)
        return list(by_duties.values())


def _stacking_order(levy: Levy) -> tuple[int, str]:
    return LAYERS.index(levy.layer), levy.policy


def _add_up(stack: list[_Stacked]) -> dict[str, float]:
    """Return what each tariff of a stack levies, under the lowest ceiling.

    Tariffs may apply to different shares (scopes) of a flow. The flow is cut into bands
    at these shares; the rates are added up and cut within each band.
    """
    total: dict[str, float] = defaultdict(float)
    edges = sorted({0.0, *(entry.levy.scope for entry in stack)})
    for lower, upper in pairwise(edges):
        band = [entry for entry in stack if entry.levy.scope >= upper]
        below_ceiling = min(entry.ceiling for entry in band)
        for entry in band:
            levied = entry.rate
            # A ceiling does not cut what all partners pay.
            if entry.levy.layer != "mfn":
                levied = min(levied, max(below_ceiling, 0.0))
            below_ceiling -= levied
            total[entry.levy.policy] += (upper - lower) * levied
    return dict(total)


@dataclass(frozen=True)
class Flow:
    """A named flow a policy can act on: wafers of a segment in a year, by origin.

    Attributes
    ----------
    origins : frozenset of str
        Place of diffusion (the fab); for use, the places of one class of origins that
        no rule of the case distinguishes.
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
