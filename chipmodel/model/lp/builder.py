"""The builder through which the linear program is written, and its ledger.

Every variable is at least zero and has an *agent*, who earns or pays for it. Every row
is either a *balance* (zero right-hand side; its dual is a price) or a *limit* with an
*owner* (its dual times its right-hand side is a rent). Every cost, transfer and benefit
is a line of the accounts, and the objective is the discounted sum of the lines: the
accounts add up by construction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, Protocol

from chipmodel.common import pyo
from chipmodel.common.errors import InputError
from chipmodel.model.lp.flows import NamedFlows
from chipmodel.model.lp.origins import Origins
from chipmodel.model.lp.rows import (
    TOLERANCE,
    Broken,
    Group,
    Index,
    Rule,
    Terms,
    Who,
)
from chipmodel.model.lp.shares import nonzero, present
from chipmodel.model.parameters.duties import Duties
from chipmodel.model.parameters.parameters import Parameters
from chipmodel.solver.ledger import COLUMN, Account, Line, Party

BuildKey = tuple[str, int]
"""Site, and year in which construction starts."""


class Instrument(Protocol):
    """What the builder knows of an instrument: its name, and that it adds itself."""

    @property
    def id(self) -> str:
        """Name, unique in its case."""

    def add(self, builder: ModelBuilder) -> None:
        """Write the instrument into the linear program."""


class ModelBuilder(NamedFlows):
    """Collects the linear program.

    The parts of `chipmodel.model.lp` and the instruments write variables, rows and
    account lines into it, and read the named flows off it.

    Parameters
    ----------
    parameters : Parameters
    instruments : iterable of Instrument
    duties : Duties
    origins : dict of Origins
        By segment, the origins that the rules of the case distinguish.
    without : iterable of str
        Groups of rows to leave out.
    ties : bool
        Whether to break ties between equal routes by a small published cost.
    """

    def __init__(
        self,
        parameters: Parameters,
        instruments: Iterable[Instrument],
        duties: Duties,
        origins: dict[str, Origins],
        without: Iterable[str] = (),
        ties: bool = True,
    ) -> None:
        super().__init__(parameters, duties, origins)
        self.instruments = tuple(instruments)
        self.without = frozenset(without)
        self.ties = ties
        self.groups: dict[str, Group] = {}
        self.agents: dict[str, Who] = {}
        self.lines: dict[Line, list[Any]] = defaultdict(list)
        self.broken: list[Broken] = []
        self.support_cash: dict[BuildKey, list[Any]] = defaultdict(list)
        self.lookups: dict[Callable[..., Any], Any] = {}

    # -- variables and rows

    def num(self, policy: Instrument, field: str) -> Any:
        """Return a number of a policy.

        It is a float or, where the number varies in a sweep, a `Polynomial`.
        """
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
        # Without an upper bound: its rent would show in no row and have no owner.
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
        """Add rows with a zero right-hand side, whose dual is a price.

        The rows are ``rule(*index) == 0``, or ``rule(*index) >= 0`` if not `equal`; the
        other parameters are those of `limit`.
        """
        full = _joined(policy, name)
        group = Group(full, _id_of(policy), unit, meaning, owner=None)
        self.add_rows(group, index, rule, equal)

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
        """Add limits: ``rule(*index)``, what is left of the limit, is at least zero.

        Parameters
        ----------
        owner : str or callable
            Who owns the rent, ``dual x right-hand side``; `COLUMN` splits it over the
            agents of the columns by use.
        unit : str
            Unit of what is limited.
        meaning : str
            Meaning of the dual.
        asks : callable, optional
            The number a row asks for, by index, where constants beside it make the
            right-hand side another.

        Raises
        ------
        InputError
            If nobody owns the rent.
        """
        if not owner:
            raise _ownerless(_id_of(policy), name)
        full = _joined(policy, name)
        group = Group(full, _id_of(policy), unit, meaning, owner, asks)
        self.add_rows(group, index, rule, equal)

    def add_rows(
        self, group: Group, index: Iterable[Index], rule: Rule, equal: bool
    ) -> None:
        """Write the rows of a group.

        Parameters
        ----------
        group : Group
        index : iterable of tuple
            Their indices, in the order of the rows.
        rule : callable
            Left-hand side by index; none leaves a row out.
        equal : bool
            Whether the left-hand side is zero; otherwise it is at least zero.

        Raises
        ------
        InputError
            If nobody owns the rent of a row of a limit.
        """
        if group.name in self.without:
            return
        self.groups[group.name] = group
        from pyomo.core.expr import relational_expr as relations

        rows = pyo.Constraint(pyo.Any)
        self.model.add_component(group.name, rows)
        for key in index:
            left = rule(*key)
            if left is None:
                continue
            if group.owner is not None and not group.owner_of(key):
                raise _ownerless(group.policy, f"{group.name}{list(key)}")
            if _is_constant(left):
                self._check_constant_row(group, key, pyo.value(left), equal)
                continue
            # Built directly: in a sweep, `0 <= left` would be written the other way
            # round and change the sign of the dual.
            if equal:
                rows.add(key, relations.EqualityExpression((left, 0.0)))
            else:
                rows.add(key, relations.InequalityExpression((0.0, left), False))

    def _check_constant_row(
        self, group: Group, key: Index, left: float, equal: bool
    ) -> None:
        """Record a row without variables that does not hold."""
        # Recorded and not raised: the diagnosis of a case reads all rows together.
        if left < -TOLERANCE or (equal and left > TOLERANCE):
            self.broken.append(Broken(group.name, key, -left, equal))

    # -- lines of the accounts

    def cost(
        self, account: str, year: int, expr: Any, policy: Instrument | None = None
    ) -> None:
        """Add resources used in a year, MUSD, paid by the agents of the columns."""
        line = Line("cost", account, _id_of(policy), COLUMN, "", year)
        self._add_to_line(line, expr)

    def yearly_cost(self, account: str, terms: Terms) -> None:
        """Add the sum of some terms as resources used, by year, MUSD."""
        for year, members in terms.items():
            self.cost(account, year, pyo.quicksum(members))

    def benefit(self, account: str, year: int, expr: Any) -> None:
        """Add value enjoyed in a year, MUSD, by the agents of the columns."""
        self._add_to_line(Line("benefit", account, "", "", COLUMN, year), expr)

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
        """Add a payment in a year, MUSD, from payer to receiver.

        Both are labels of parties; `COLUMN` is the agent of each column.
        """
        line = Line("transfer", account, _id_of(policy), payer, receiver, year)
        self._add_to_line(line, expr)

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
        line = Line("memo", account, _id_of(policy), payer, receiver, year)
        self._add_to_line(line, expr)

    def measure(
        self, policy: Instrument, name: str, year: int, expr: Any, unit: str
    ) -> None:
        """Add a quantity to a policy's ledger, outside the objective."""
        self._add_to_line(Line("memo", name, policy.id, "", "", year, unit), expr)

    def _add_to_line(self, line: Line, expr: Any) -> None:
        if not _is_constant(expr):
            self.lines[line].append(expr)
        elif pyo.value(expr):
            raise InputError.one(
                line.policy or "linear program",
                line.account,
                "a payment that depends on no variable has no effect",
                "tie it to a flow, a build or a variable of the instrument",
            )

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

        It enters the objective as an annuity over the first economic life of what it
        pays for, and the accounts as cash beside it. The present values of the two are
        equal where that life ends by the horizon, with cash at the start of a year and
        annuities at its end, as the capital recovery factor has them. The annuity of
        capital goes on after that life, as reinvestment; its support does not.

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
        parameters = self.parameters
        sites = parameters.sites
        annuity: Terms = defaultdict(list)
        cash: Terms = defaultdict(list)
        life = parameters.parameter["economic_life"]
        late = (1.0 + parameters.world.discount_rate) ** delay
        for (i, start), amount in amounts.items():
            site = sites.sites[i]
            work = sites.places[sites.group_of[i]].work
            with_spending = paid == "construction"
            # Cash paid during construction saves the interest of these years too.
            worth = (work.interest if with_spending else 1.0) / late
            # Cut off at the horizon as the annuity of the capital is: otherwise the
            # support of a late build could exceed its cost.
            for year in parameters.years:
                share = site.in_first_life(start, year, life)
                if present(share):
                    annuity[year].append(share * parameters.recovery * worth * amount)
            if with_spending:
                for k, share in nonzero(enumerate(work.spend)):
                    cash[start + k + delay].append(share * amount)
            else:
                cash[int(site.ready[start]) + delay].append(amount)
            # Late cash does not relax the budget of the firm in the year it invests.
            if not delay:
                self.support_cash[i, start].append(amount)
        payer = Party("treasury", treasury).label
        parties = {"payer": payer, "receiver": COLUMN}
        for year, terms in annuity.items():
            total = pyo.quicksum(terms)
            self.transfer(account, year, total, **parties, policy=policy)
        for year, terms in cash.items():
            total = pyo.quicksum(terms)
            self.memo(
                Account(account, cash=True).label, year, total, **parties, policy=policy
            )

    def close(self) -> list[Line]:
        """Turn the lines into one objective each and return them in a stable order."""

        def order(line: Line) -> tuple[str | int, ...]:
            parties = (line.payer, line.receiver)
            return (line.kind, line.account, line.policy, *parties, line.year)

        # Sorted, because the order of first use depends on the order of instruments.
        lines = sorted(self.lines, key=order)
        # The compiler turns each objective into a row of one matrix; that matrix times
        # the solution is the accounts.
        self.model.account = pyo.ObjectiveList()
        for line in lines:
            self.model.account.add(pyo.quicksum(self.lines[line]))
        return lines


def _is_constant(expr: Any) -> bool:
    return isinstance(expr, int | float) or pyo.is_constant(expr)


def _id_of(policy: Instrument | None) -> str:
    return "" if policy is None else policy.id


def _joined(policy: Instrument | None, name: str) -> str:
    return name if policy is None else f"{policy.id}__{name}"


def _ownerless(policy: str, name: str) -> InputError:
    return InputError.one(
        f"policy {policy}" if policy else "linear program",
        f"limit {name}",
        "has a rent that nobody owns",
        "name its owner: who gains when the limit binds",
    )
