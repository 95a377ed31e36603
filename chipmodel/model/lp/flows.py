"""Named flows of the linear program: what an instrument of policy can act on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal

from chipmodel.common import pyo
from chipmodel.model.lp.origins import Origins
from chipmodel.model.lp.shares import nonzero, present
from chipmodel.model.parameters.duties import Duties, Flow
from chipmodel.model.parameters.parameters import Parameters
from chipmodel.model.parameters.sites import Site

POOLED = -1
"""Class of chips whose origin no rule distinguishes."""


class _Everything:
    """A set that holds every value."""

    def __contains__(self, value: object) -> bool:
        return True


def _members(values: Iterable[Any] | None) -> set[Any] | _Everything:
    """Return some values as a set; none given means all."""
    return _Everything() if values is None else set(values)


class NamedFlows:
    """Reads flows, builds and capacity off the variables of a program.

    Attributes
    ----------
    parameters : Parameters
        The numbers of the program.
    duties : Duties
        The resolved duties of the case.
    origins : dict of Origins
        By segment, the origins that the rules of the case distinguish.
    model : pyomo.environ.ConcreteModel
    """

    def __init__(
        self, parameters: Parameters, duties: Duties, origins: dict[str, Origins]
    ) -> None:
        self.parameters = parameters
        self.duties = duties
        self.origins = origins
        self.model = pyo.ConcreteModel(name="chipmodel")

    def duty_of(
        self, tariff: str, importer: str, on: Literal["chips", "use"], flow: Flow
    ) -> Any:
        """Return what a tariff levies on a flow, as a share of its dutiable value.

        Where several duties meet, the schedule of duties resolves it.
        """
        return self.duties.rate(tariff, importer, on, flow)

    def imports(
        self, importer: str, segments: Iterable[str], years: Iterable[int] | None = None
    ) -> Iterator[Flow]:
        """Walk over chips sold to device makers in a region, domestic ones included."""
        wanted = set(segments)
        span = _members(years)
        for (s, r, a, m, t), shipment in self.model.ship.items():
            if m == importer and s in wanted and t in span:
                yield Flow(s, frozenset({r}), a, t, shipment)

    def use(
        self, user: str, segments: Iterable[str], years: Iterable[int] | None = None
    ) -> Iterator[Flow]:
        """Walk over chips inside everything the users of a region buy, with devices.

        An instrument that looks at origins must return them in `distinguishes`;
        otherwise all origins come as one pooled flow.
        """
        wanted = set(segments)
        span = _members(years)
        for (s, c, _, e, t), device in self.model.device.items():
            if e == user and s in wanted and t in span:
                yield Flow(s, self._origins_of(s, c), None, t, device)

    def flows(
        self,
        on: Literal["chips", "use"],
        region: str,
        segments: Iterable[str],
        years: Iterable[int] | None = None,
    ) -> Iterator[Flow]:
        """Walk over what an instrument counts: `imports` of a region, or its `use`.

        Parameters
        ----------
        on : str
            ``chips``: those that makers of devices buy; ``use``: those in everything
            that users buy.
        region : str
            Region of the makers or of the users.
        segments : iterable of str
        years : iterable of int, optional
            All by default.
        """
        read = self.imports if on == "chips" else self.use
        return read(region, segments, years)

    def _origins_of(self, segment: str, origin_class: int) -> frozenset[str]:
        classes = self.origins[segment].classes
        if origin_class == POOLED:
            return frozenset().union(*classes)
        return classes[origin_class]

    def builds(
        self,
        region: str,
        segments: Iterable[str],
        years: Iterable[int] | None = None,
        firms: Iterable[str] | None = None,
    ) -> Iterator[tuple[Site, int, Any]]:
        """Walk over the builds of a region: site, year construction starts, kwpm.

        Parameters
        ----------
        region : str
        segments : iterable of str
        years : iterable of int, optional
            Years in which construction starts; all by default.
        firms : iterable of str, optional
            All by default.
        """
        wanted = set(segments)
        span = _members(years)
        makers = _members(firms)
        for (i, t), build in self.model.build.items():
            site = self.parameters.sites.sites[i]
            here = site.region == region and site.segment in wanted
            if here and t in span and site.firm in makers:
                yield site, t, build

    def inputs(
        self,
        name: str,
        supplier: str,
        destination: str,
        years: Iterable[int] | None = None,
    ) -> Iterator[tuple[int, Any]]:
        """Walk over an input from a supplier to fabs of a region: year, index units."""
        span = _members(years)
        wanted = (name, supplier, destination)
        for (j, k, r, t), use in self.model.use.items():
            if (j, k, r) == wanted and t in span:
                yield t, use

    def pipeline(
        self,
        region: str,
        segments: Iterable[str],
        year: int,
        started_from: int,
        firms: Iterable[str] | None = None,
    ) -> Iterator[tuple[Site, float, float, Any]]:
        """Walk over builds as they are in a year, under construction or in service.

        Parameters
        ----------
        region : str
        segments : iterable of str
        year : int
            Year in which they are looked at.
        started_from : int
            First year in which construction may have started.
        firms : iterable of str, optional
            All by default.

        Yields
        ------
        tuple of (Site, float, float, Any)
            Site, share under construction, share in service, kwpm.
        """
        years = range(started_from, year + 1)
        for site, start, build in self.builds(region, segments, years, firms):
            running = site.in_service(start, year)
            yield site, 1.0 - running, running, build

    def capacity(self, region: str, segment: str, year: int) -> Any:
        """Return capacity in service, kwpm."""
        sites = self.parameters.sites.of(region, segment)
        fleet = sum(site.size or 0.0 for site in sites if site.kind == "fleet")
        return fleet + self.added(region, segment, year)

    def added(self, region: str, segment: str, year: int) -> Any:
        """Return capacity in service beyond the fleets, less what retires, kwpm."""
        terms = []
        for site in self.parameters.sites.of(region, segment):
            if (site.id, year) in self.model.retired:
                terms.append(-self.model.retired[site.id, year])
            for start in site.builds:
                share = site.in_service(start, year)
                if present(share):
                    terms.append(share * self.model.build[site.id, start])
        return pyo.quicksum(terms)

    def output(self, region: str) -> Iterator[tuple[Site, int, Any]]:
        """Walk over the output of the sites of a region: site, year, kwpm."""
        for (i, _, t), output in self.model.output.items():
            site = self.parameters.sites.sites[i]
            if site.region == region:
                yield site, t, output

    def capex(self, site: Site) -> float:
        """Return the capital cost of a site at multiplier 1, MUSD per kwpm.

        It is the base of every support.
        """
        sites = self.parameters.sites
        place = sites.places[sites.group_of[site.id]]
        cost: float = place.capex * (1.0 + site.premium)
        return cost

    def investment(self, site: Site, build: int) -> list[tuple[int, float]]:
        """Return by year the cash spent on one kwpm at multiplier 1, MUSD.

        Parameters
        ----------
        site : Site
        build : int
            Year in which construction starts.
        """
        sites = self.parameters.sites
        work = sites.places[sites.group_of[site.id]].work
        cost = self.capex(site)
        spend = nonzero(enumerate(work.spend))
        return [(build + k, cost * share) for k, share in spend]
