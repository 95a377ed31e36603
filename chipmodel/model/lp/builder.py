"""The ledger through which the programme is written: variables, limits, balances and account lines.

Every variable is at least zero and has an *agent*, who earns or pays for it. Every row
is either a *balance* (zero right-hand side; its dual is a price) or a *limit* with an
*owner* (its dual times its right-hand side is a rent). Every cost, transfer and benefit
is a line of the accounts, and the objective is the discounted sum of the lines: the
accounts add up by construction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import pyomo.environ as pyo
from pyomo.core.expr.numvalue import is_constant, value
from pyomo.core.expr.relational_expr import EqualityExpression, InequalityExpression

from chipmodel.common.errors import InputError
from chipmodel.model.lp.origins import Origins
from chipmodel.model.parameters.duties import Duties, Flow
from chipmodel.model.parameters.parameters import Parameters
from chipmodel.model.parameters.sites import Site
from chipmodel.solver.ledger import COLUMN, Account, Line, Party
from chipmodel.solver.polynomials import present

Index = tuple[Any, ...]


Rule = Callable[..., Any]


Who = str | Callable[..., str]


BuildKey = tuple[str, int]


POOLED = -1
"""Class of chips whose origin no rule looks at."""


@dataclass(frozen=True)
class Group:
    """A family of rows: what it is called, its unit, what its dual means, who owns its rent."""

    name: str
    policy: str
    unit: str
    meaning: str
    owner: Who | None
    """None for a balance."""
    asks: Rule | None = None
    """The number a row stands for, by index, where it is not all of the right-hand side."""

    def owner_of(self, index: Index) -> str:
        """Return the owner of one row."""
        assert self.owner is not None
        return self.owner if isinstance(self.owner, str) else self.owner(*index)


@dataclass(frozen=True)
class Broken:
    """A row that no variable enters and that does not hold: ``0 >= rhs``, or ``0 = rhs``."""

    group: str
    index: Index
    rhs: float
    equal: bool


class Instrument(Protocol):
    """What the builder knows of an instrument of policy: its name, and that it adds itself."""

    @property
    def id(self) -> str:
        """Name, unique in its case."""

    def add(self, builder: ModelBuilder) -> None:
        """Write the instrument into the programme."""


class ModelBuilder:
    """Collects the programme; `chipmodel.lp` and the policies write into it and read flows off it."""

    def __init__(
        self,
        parameters: Parameters,
        instruments: Iterable[Instrument],
        duties: Duties,
        origins: dict[str, Origins],
        without: Iterable[str] = (),
        ties: bool = True,
    ) -> None:
        self.n = parameters
        self.instruments = tuple(instruments)
        self.duties = duties
        self.origins = origins
        self.model = pyo.ConcreteModel(name="chipmodel")
        self.without = frozenset(without)
        self.ties = ties
        self.groups: dict[str, Group] = {}
        self.agents: dict[str, Who] = {}
        self.lines: dict[Line, list[Any]] = defaultdict(list)
        self.broken: list[Broken] = []
        self.support_cash: dict[BuildKey, list[Any]] = defaultdict(list)

    def duty_of(
        self, tariff: str, importer: str, on: Literal["chips", "use"], flow: Flow
    ) -> Any:
        """Return the share of a flow's dutiable value that a tariff levies, as the schedule of duties resolves it."""
        return self.duties.rate(tariff, importer, on, flow)

    # -- writing
    # ------------------------------------------------------------------------------

    def num(self, policy: Instrument, field: str) -> Any:
        """Return a number of a policy: a float, or in a sweep what stands for it while it varies."""
        return getattr(policy, field)

    def variable(
        self,
        name: str,
        index: Iterable[Index],
        agent: Who,
        policy: Instrument | None = None,
    ) -> Any:
        """Add non-negative variables.

        Parameters
        ----------
        name : str
            Name; prefixed with the policy's id.
        index : iterable of tuple
            Their indices.
        agent : str or callable
            Whose they are; a callable gets the parts of the index.
        """
        full = _joined(policy, name)
        var = pyo.Var(list(index), domain=pyo.NonNegativeReals)
        self.model.add_component(full, var)
        self.agents[full] = agent
        return var

    def balance(
        self,
        name: str,
        index: Iterable[Index],
        rule: Rule,
        *,
        unit: str,
        meaning: str,
        equal: bool = True,
        policy: Instrument | None = None,
    ) -> None:
        """Add rows with a zero right-hand side: ``rule(*index) == 0``, or ``>= 0`` if not `equal`."""
        self._rows(
            Group(
                _joined(policy, name), policy.id if policy else "", unit, meaning, None
            ),
            index,
            rule,
            equal,
        )

    def limit(
        self,
        name: str,
        index: Iterable[Index],
        rule: Rule,
        *,
        owner: Who,
        unit: str,
        meaning: str,
        equal: bool = False,
        policy: Instrument | None = None,
        asks: Rule | None = None,
    ) -> None:
        """Add limits: ``rule(*index)``, what is left of the limit, must stay at least zero.

        Parameters
        ----------
        owner : str or callable
            Who owns the rent, ``dual x right-hand side``; `COLUMN` splits it over the
            agents of the columns by use.
        unit : str
            Unit of what is limited.
        meaning : str
            What the dual says.
        asks : callable, optional
            The number a row stands for, by index, where constants beside it make the
            right-hand side another.

        Raises
        ------
        InputError
            If nobody owns the rent.
        """
        if not owner:
            raise _ownerless(policy.id if policy else "", name)
        group = Group(
            _joined(policy, name),
            policy.id if policy else "",
            unit,
            meaning,
            owner,
            asks,
        )
        self._rows(group, index, rule, equal)

    def _rows(
        self, group: Group, index: Iterable[Index], rule: Rule, equal: bool
    ) -> None:
        if group.name in self.without:
            return
        self.groups[group.name] = group
        rows = pyo.Constraint(pyo.Any)
        self.model.add_component(group.name, rows)
        for key in index:
            left = rule(*key)
            if left is None:
                continue
            if group.owner is not None and not group.owner_of(key):
                raise _ownerless(group.policy, f"{group.name}{list(key)}")
            if isinstance(left, int | float) or is_constant(left):
                short = value(left)
                if short < -1e-9 or (equal and short > 1e-9):
                    self.broken.append(Broken(group.name, key, -short, equal))
                continue
            # Built directly: `0 <= left` would take the other form in a sweep and turn
            # the dual's sign.
            rows.add(
                key,
                (
                    EqualityExpression((left, 0.0))
                    if equal
                    else InequalityExpression((0.0, left), False)
                ),
            )

    def cost(
        self, account: str, year: int, expr: Any, policy: Instrument | None = None
    ) -> None:
        """Add resources used in a year, MUSD, paid by the agents of the columns."""
        self._line(
            Line("cost", account, policy.id if policy else "", COLUMN, "", year), expr
        )

    def benefit(self, account: str, year: int, expr: Any) -> None:
        """Add value enjoyed in a year, MUSD, by the agents of the columns."""
        self._line(Line("benefit", account, "", "", COLUMN, year), expr)

    def transfer(
        self,
        account: str,
        year: int,
        expr: Any,
        *,
        payer: str,
        receiver: str,
        policy: Instrument | None = None,
    ) -> None:
        """Add a payment in a year, MUSD, from payer to receiver; `COLUMN` is the agent of each column."""
        self._line(
            Line(
                "transfer", account, policy.id if policy else "", payer, receiver, year
            ),
            expr,
        )

    def memo(
        self,
        account: str,
        year: int,
        expr: Any,
        *,
        payer: str,
        receiver: str = "",
        policy: Instrument | None = None,
    ) -> None:
        """Add a line outside the objective: cash beside the annuity."""
        self._line(
            Line("memo", account, policy.id if policy else "", payer, receiver, year),
            expr,
        )

    def measure(
        self, policy: Instrument, name: str, year: int, expr: Any, unit: str
    ) -> None:
        """Add a quantity to a policy's ledger, outside the objective."""
        self._line(Line("memo", name, policy.id, "", "", year, unit), expr)

    def _line(self, line: Line, expr: Any) -> None:
        if isinstance(expr, int | float) or is_constant(expr):
            if value(expr):
                raise InputError.one(
                    line.policy or "programme",
                    line.account,
                    "a payment that hangs on no variable moves nothing",
                    "tie it to a flow, a build or a variable of the instrument",
                )
            return
        self.lines[line].append(expr)

    # -- reading: the named flows
    # -------------------------------------------------------------

    def imports(
        self, importer: str, segments: Iterable[str], years: Iterable[int] | None = None
    ) -> Iterator[Flow]:
        """Walk over chips sold to device makers in a place, home-made ones included."""
        wanted, span = set(segments), None if years is None else set(years)
        for (s, r, a, m, t), term in self.model.ship.items():
            if m == importer and s in wanted and (span is None or t in span):
                yield Flow(s, frozenset({r}), a, t, term)

    def use(
        self, user: str, segments: Iterable[str], years: Iterable[int] | None = None
    ) -> Iterator[Flow]:
        """Walk over chips inside everything the users of a place buy, devices included.

        An instrument that looks at origins must say so in `Instrument.distinguishes`;
        otherwise all origins come as one pooled flow.
        """
        wanted, span = set(segments), None if years is None else set(years)
        for (s, c, _, e, t), term in self.model.device.items():
            if e == user and s in wanted and (span is None or t in span):
                known = self.origins[s].classes
                yield Flow(
                    s,
                    frozenset().union(*known) if c == POOLED else known[c],
                    None,
                    t,
                    term,
                )

    def builds(
        self,
        region: str,
        segments: Iterable[str],
        years: Iterable[int] | None = None,
        firms: Iterable[str] | None = None,
    ) -> Iterator[tuple[Site, int, Any]]:
        """Walk over the builds of a region as (site, year construction starts, kwpm)."""
        wanted, span = set(segments), None if years is None else set(years)
        makers = None if firms is None else set(firms)
        for (i, t), term in self.model.build.items():
            site = self.n.sites.sites[i]
            if (
                site.region == region
                and site.segment in wanted
                and (span is None or t in span)
                and (makers is None or site.firm in makers)
            ):
                yield site, t, term

    def inputs(
        self,
        name: str,
        supplier: str,
        destination: str,
        years: Iterable[int] | None = None,
    ) -> Iterator[tuple[int, Any]]:
        """Walk over what the fabs of a place get of an input from a supplier, as (year, index units)."""
        span = None if years is None else set(years)
        for (j, k, r, t), term in self.model.use.items():
            if (j, k, r) == (name, supplier, destination) and (
                span is None or t in span
            ):
                yield t, term

    def pipeline(
        self,
        region: str,
        segments: Iterable[str],
        year: int,
        started_from: int,
        firms: Iterable[str] | None = None,
    ) -> Iterator[tuple[Site, float, float, Any]]:
        """Walk over builds begun since a year as (site, share under construction, share in service, kwpm)."""
        for site, start, term in self.builds(
            region, segments, range(started_from, year + 1), firms
        ):
            running = site.in_service(start, year)
            yield site, 1.0 - running, running, term

    def capacity(self, region: str, segment: str, year: int) -> Any:
        """Return capacity in service, kwpm."""
        fleet = sum(
            s.size or 0.0 for s in self.n.sites.of(region, segment) if s.kind == "fleet"
        )
        return fleet + self.added(region, segment, year)

    def added(self, region: str, segment: str, year: int) -> Any:
        """Return capacity in service beyond the fleets, kwpm."""
        return pyo.quicksum(
            site.in_service(t, year) * self.model.build[site.id, t]
            for site in self.n.sites.of(region, segment)
            for t in site.builds
            if site.in_service(t, year) > 0
        )

    def output(self, region: str) -> Iterator[tuple[Site, int, Any]]:
        """Walk over what the sites of a region make, as (site, year, kwpm)."""
        for (i, _, t), term in self.model.output.items():
            if self.n.sites.sites[i].region == region:
                yield self.n.sites.sites[i], t, term

    def capex(self, site: Site) -> float:
        """Return the capital cost of a site at multiplier 1, MUSD per kwpm: the base of every support."""
        place = self.n.sites.places[self.n.sites.group_of[site.id]]
        cost: float = place.capex * (1.0 + site.premium)
        return cost

    def investment(self, site: Site, build: int) -> list[tuple[int, float]]:
        """Return the cash of one kwpm begun in `build` at multiplier 1 as (year, MUSD)."""
        work = self.n.sites.places[self.n.sites.group_of[site.id]].work
        cost = self.capex(site)
        return [
            (build + k, cost * share)
            for k, share in enumerate(work.spend)
            if present(share)
        ]

    def support(
        self,
        policy: Instrument,
        account: str,
        amounts: Mapping[BuildKey, Any],
        *,
        treasury: str,
        paid: Literal["construction", "service"],
        delay: int = 0,
    ) -> None:
        """Pay support on builds.

        It enters the objective as an annuity on the schedule of the capital it pays
        for, and the accounts as cash beside it.

        Parameters
        ----------
        amounts : mapping
            MUSD of support by (site, build year), as an expression.
        treasury : str
            Region that pays.
        paid : str
            ``construction``: with the spending, so that it saves interest too;
            ``service``: when the plant comes on line.
        delay : int
            Years by which the cash comes later, without interest; it is then no help in
            a firm's budget.
        """
        n = self.n
        payer = Party("treasury", treasury).label
        yearly: dict[int, list[Any]] = defaultdict(list)
        cash: dict[int, list[Any]] = defaultdict(list)
        for (i, t), amount in amounts.items():
            site = n.sites.sites[i]
            work = n.sites.places[n.sites.group_of[i]].work
            worth = (work.interest if paid == "construction" else 1.0) / (
                1.0 + n.world.discount_rate
            ) ** delay
            for year in n.years:
                share = site.in_service(t, year)
                if share > 0:
                    yearly[year].append(share * n.recovery * worth * amount)
            if paid == "construction":
                for k, share in enumerate(work.spend):
                    if present(share):
                        cash[t + k + delay].append(share * amount)
            else:
                cash[int(site.ready[t]) + delay].append(amount)
            if not delay:
                self.support_cash[i, t].append(amount)
        for year, terms in yearly.items():
            self.transfer(
                account,
                year,
                pyo.quicksum(terms),
                payer=payer,
                receiver=COLUMN,
                policy=policy,
            )
        for year, terms in cash.items():
            self.memo(
                Account(account, cash=True).label,
                year,
                pyo.quicksum(terms),
                payer=payer,
                receiver=COLUMN,
                policy=policy,
            )

    def close(self) -> list[Line]:
        """Turn the lines into one objective each and return them in a stable order."""
        lines = sorted(
            self.lines,
            key=lambda x: (x.kind, x.account, x.policy, x.payer, x.receiver, x.year),
        )
        self.model.account = pyo.ObjectiveList()
        for line in lines:
            self.model.account.add(pyo.quicksum(self.lines[line]))
        return lines


def _ownerless(policy: str, name: str) -> InputError:
    file = f"policy {policy}" if policy else "programme"
    return InputError.one(
        file,
        f"limit {name}",
        "has a rent that nobody owns",
        "name its owner: who gains when the limit binds",
    )


def _joined(policy: Instrument | None, name: str) -> str:
    return f"{policy.id}__{name}" if policy else name
