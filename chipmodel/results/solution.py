"""The solution of a case in a world, as tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from chipmodel.cases.case import Case
from chipmodel.common.errors import InputError
from chipmodel.common.units import per_wafer
from chipmodel.model.parameters.parameters import COLUMNS_OF_CAPACITY, Parameters
from chipmodel.model.parameters.sites import Site
from chipmodel.model.world import World
from chipmodel.results.accounts import Accounts, compute, home_of, host_of, policy_rents
from chipmodel.solver.highs import Optimum
from chipmodel.solver.ledger import Party
from chipmodel.solver.linear_program import Index, LinearProgram

TABLES = ("capacity", "builds", "output", "trade", "prices", "accounts", "policies")

SMALLEST_QUANTITY = 1e-9
"""Size up to which a value of a column, or a rent, is zero."""

TableRow = tuple[object, ...]
"""A row of a table without case and world; value and unit come last."""


@dataclass(frozen=True, eq=False)
class Solution:
    """An optimal solution of a case in a world, with its tables.

    Every table is tidy: ``case, world`` first, then keys, then ``value, unit``. Flows
    are kwpm, prices USD per wafer, money MUSD, all undiscounted unless the unit states
    otherwise.
    """

    case: Case
    world: World
    parameters: Parameters
    program: LinearProgram = field(repr=False)
    optimum: Optimum = field(repr=False)
    account: Accounts = field(repr=False)
    foresight: str
    """``anticipated``, or ``surprise`` when something became known on the way."""
    found: dict[str, float] = field(default_factory=dict)
    """Numbers the search found, such as the rate at which a grant spends its budget."""

    @classmethod
    def of(
        cls,
        case: Case,
        parameters: Parameters,
        program: LinearProgram,
        optimum: Optimum,
        foresight: str = "anticipated",
    ) -> Solution:
        """Return the solution of a case from the optimum of its LP, with its accounts.

        Raises
        ------
        CertificateError
            If an identity of the accounts fails.
        """
        accounts = compute(program, optimum, parameters)
        return cls(
            case, parameters.world, parameters, program, optimum, accounts, foresight
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Solution):
            return NotImplemented
        return self._stated == other._stated and bool(
            np.array_equal(self.optimum.x, other.optimum.x)
            and np.array_equal(self.optimum.y, other.optimum.y)
        )

    def __hash__(self) -> int:
        return hash((self.case, self.world, self.objective))

    @property
    def _stated(self) -> tuple[object, ...]:
        """What was solved; with the optimum it is all that a solution consists of."""
        data = self.parameters.data
        parts = (self.case, self.world, self.foresight, self.found)
        return (*parts, data.digest, self.program.digest)

    def __repr__(self) -> str:
        return (
            f"<Solution {self.case.name} in {self.world.name}: objective"
            f" {self.objective:,.0f} MUSD, {self.foresight}>"
        )

    @property
    def objective(self) -> float:
        """Objective, MUSD of present value."""
        return self.optimum.objective

    def columns(self, name: str) -> dict[Index, float]:
        """Return the values of a variable by index."""
        keys, places = self.program.labels.columns(name)
        values = self.optimum.x[places]
        # Values below the solver's feasibility tolerance are no quantities.
        rounded = np.where(np.abs(values) > SMALLEST_QUANTITY, values, 0.0)
        return dict(zip(keys, rounded.tolist(), strict=True))

    def quantities(self, name: str) -> list[tuple[Index, float]]:
        """Return the values of a variable that are not zero, with their indices."""
        keys, places = self.program.labels.columns(name)
        values = self.optimum.x[places]
        actual = np.flatnonzero(values > SMALLEST_QUANTITY)
        indices = [keys[k] for k in actual.tolist()]
        return list(zip(indices, values[actual].tolist(), strict=True))

    def duals(self, name: str) -> dict[Index, float]:
        """Return the duals of a group of rows by index, per unit of the row.

        Undiscounted if the index ends in a year solved, in present value otherwise.
        """
        discount = self.parameters.discount
        keys, places = self.program.labels.rows(name)
        duals: dict[Index, float] = {}
        for index, dual in zip(keys, self.optimum.y[places].tolist(), strict=True):
            duals[index] = dual
            year = index[-1] if index else None
            if year in discount:
                duals[index] /= discount[year]
        return duals

    def _frame(self, rows: list[TableRow], keys: list[str]) -> pd.DataFrame:
        frame = pd.DataFrame(rows, columns=[*keys, "value", "unit"])
        frame.insert(0, "case", self.case.name)
        frame.insert(1, "world", self.world.name)
        return frame

    @cached_property
    def _reported(self) -> list[int]:
        return [t for t in self.parameters.years if t <= self.world.report_until]

    def in_service(self) -> Iterator[tuple[Site, int, float]]:
        """Yield site, year and capacity in service, kwpm, where there is any."""
        parameters = self.parameters
        added: dict[tuple[str, int], float] = defaultdict(float)
        for column in COLUMNS_OF_CAPACITY:
            for index, kwpm in self.quantities(column):
                for t, share in parameters.added_by(column, index):
                    added[index[0], t] += share * kwpm
        for r, s in parameters.places:
            for site in parameters.sites.of(r, s):
                fleet = (site.size or 0.0) if site.kind == "fleet" else 0.0
                for t in self._reported:
                    kwpm = fleet + added.get((site.id, t), 0.0)
                    # What has retired as a whole leaves a rounding error.
                    if kwpm > SMALLEST_QUANTITY:
                        yield site, t, kwpm

    @cached_property
    def capacity(self) -> pd.DataFrame:
        """Capacity in service by region, segment, site and year, kwpm."""
        rows: list[TableRow] = []
        for site, t, kwpm in self.in_service():
            key = (site.region, site.segment, site.id, site.kind, site.firm, t)
            rows.append((*key, kwpm, "kwpm"))
        return self._frame(rows, ["region", "segment", "site", "kind", "firm", "year"])

    @cached_property
    def builds(self) -> pd.DataFrame:
        """Builds by site and year of construction start, kwpm.

        Builds of packaging plants have the package as segment.
        """
        sites = self.parameters.sites.sites
        plants = self.parameters.packaging.plants
        last = self.world.report_until
        rows: list[TableRow] = []
        for (i, t), kwpm in self.columns("build").items():
            site = sites[i]
            if kwpm > 0 and t <= last:
                key = (site.region, site.segment, i, site.kind, site.firm, t)
                rows.append((*key, kwpm, "kwpm"))
        for (i, t), kwpm in self.columns("assemble_build").items():
            plant = plants[i]
            if kwpm > 0 and t <= last:
                package = f"package_{plant.package}"
                key = (plant.region, package, i, plant.kind, plant.firm, t)
                rows.append((*key, kwpm, "kwpm"))
        return self._frame(rows, ["region", "segment", "site", "kind", "firm", "year"])

    @cached_property
    def output(self) -> pd.DataFrame:
        """Wafers made by region, segment, site and year, kwpm."""
        total: dict[tuple[str, int], float] = defaultdict(float)
        for (i, _, t), kwpm in self.columns("output").items():
            total[i, t] += kwpm
        rows: list[TableRow] = []
        for (i, t), kwpm in total.items():
            site = self.parameters.sites.sites[i]
            if kwpm > 0 and t <= self.world.report_until:
                rows.append((site.region, site.segment, i, site.firm, t, kwpm, "kwpm"))
        return self._frame(rows, ["region", "segment", "site", "firm", "year"])

    @cached_property
    def trade(self) -> pd.DataFrame:
        """Flows of chips, kwpm.

        ``chips`` go from the fab to the maker of devices, ``devices`` from there to
        users; ``use`` is all that users consume.
        """
        last = self.world.report_until
        rows: list[TableRow] = []
        for (s, r, a, m, t), kwpm in self.columns("ship").items():
            if kwpm > 0 and t <= last:
                rows.append(("chips", s, r, a, m, t, kwpm, "kwpm"))
        devices: dict[tuple[str, str, str, int], float] = defaultdict(float)
        for (s, _, m, e, t), kwpm in self.columns("device").items():
            devices[s, m, e, t] += kwpm
        for (s, m, e, t), kwpm in devices.items():
            if kwpm > 0 and t <= last:
                rows.append(("devices", s, m, "", e, t, kwpm, "kwpm"))
        # Use has a row also where it is zero: that nothing is served is a result.
        for (e, s, t), kwpm in self.columns("consumed").items():
            if t <= last:
                rows.append(("use", s, "", "", e, t, kwpm, "kwpm"))
        return self._frame(
            rows, ["flow", "segment", "origin", "assembled", "destination", "year"]
        )

    @cached_property
    def prices(self) -> pd.DataFrame:
        """Prices at the fab gate, the maker of devices and the user, USD per wafer."""
        last = self.world.report_until
        rows: list[TableRow] = []
        for (s, r, t), dual in self.duals("fab_gate").items():
            if t <= last:
                rows.append(("fab", s, r, t, per_wafer(dual), "USD/wafer"))
        for (m, s, t), price in self.maker_prices.items():
            if t <= last:
                rows.append(("maker", s, m, t, price, "USD/wafer"))
        for (e, s, t), dual in self.duals("demand_balance").items():
            if t <= last:
                rows.append(("user", s, e, t, per_wafer(dual), "USD/wafer"))
        return self._frame(rows, ["stage", "segment", "region", "year"])

    @cached_property
    def maker_prices(self) -> dict[tuple[str, str, int], float]:
        """Mean price device makers pay for chips, by place, segment and year.

        USD per wafer; a mean over the origin classes they buy, weighted by quantity.
        """
        price = self.duals("device_balance")
        bought = self.columns("rest")
        for (s, c, m, _, t), kwpm in self.columns("device").items():
            if (s, c, m, t) in price:
                bought[s, c, m, t] = bought.get((s, c, m, t), 0.0) + kwpm
        paid: dict[tuple[str, str, int], float] = defaultdict(float)
        flow: dict[tuple[str, str, int], float] = defaultdict(float)
        for (s, c, m, t), kwpm in bought.items():
            paid[m, s, t] += kwpm * price[s, c, m, t]
            flow[m, s, t] += kwpm
        prices = {}
        for key, total in flow.items():
            if total > 0:
                prices[key] = per_wafer(paid[key] / total)
        return prices

    @cached_property
    def accounts(self) -> pd.DataFrame:
        """Lines of the accounts by agent and year; surplus and rents by region.

        A payment is negative for its payer and positive for its receiver. Accounts
        ending in ``_cash`` are memo lines: cash in the year it is paid, beside the
        annuities. ``consumer_surplus``, ``rent`` and ``treasury`` are present values by
        region, by ownership and by territory.
        """
        total: dict[tuple[str, str, str, int, str], float] = defaultdict(float)
        for row in self.account.rows:
            if row.is_money and row.year <= self.world.horizon:
                key = (row.account, row.policy, row.agent, row.year, row.unit)
                total[key] += row.value
        rows: list[TableRow] = []
        for (account, policy, agent, year, unit), value in total.items():
            home = home_of(agent, self.parameters)
            rows.append((account, policy, agent, home, year, value, unit))
        base = self.parameters.years[0]
        for view in ("ownership", "territory"):
            for (account, region), value in self._gains(view).items():
                unit = "MUSD present value"
                rows.append((account, "", view, region, base, value, unit))
        return self._frame(rows, ["account", "policy", "agent", "region", "year"])

    def _gains(self, view: str) -> dict[tuple[str, str], float]:
        """Return present values of surplus, rents and treasuries by region."""
        region_of = host_of
        if view == "ownership":
            region_of = home_of
        # What a treasury earns by selling licences is its revenue, though no line of
        # the ledger books it.
        accounts = {"users": "consumer_surplus", "treasury": "treasury"}
        gains: dict[tuple[str, str], float] = defaultdict(float)
        for agent, value in self.account.gains.items():
            account = accounts.get(Party.of(agent).kind, "rent")
            gains[account, region_of(agent, self.parameters)] += value
        for treasury, value in self.account.treasury.items():
            gains["treasury", Party.of(treasury).name] += value
        return gains

    @cached_property
    def policies(self) -> pd.DataFrame:
        """Ledger of the policies by year: payments, quantities, duals and rents."""
        rows = [
            *self._policy_payments(),
            *self._policy_duals(),
            *self._policy_rents(),
            *self._policy_numbers(),
        ]
        return self._frame(
            rows, ["policy", "item", "agent", "where", "year", "meaning"]
        )

    def _policy_payments(self) -> list[TableRow]:
        """Return what treasuries pay and receive, and the quantities measured."""
        total: dict[tuple[str, str, str, int, str], float] = defaultdict(float)
        for row in self.account.rows:
            treasury = row.agent if row.party.is_treasury else ""
            # Money is counted at the treasury alone, or it would be counted at its
            # other end again.
            if row.policy and (treasury or not row.is_money):
                key = (row.policy, row.account, treasury, row.year, row.unit)
                total[key] += row.value
        rows: list[TableRow] = []
        for (policy, account, agent, year, unit), value in total.items():
            rows.append((policy, account, agent, "", year, "", value, unit))
        return rows

    def _policy_duals(self) -> list[TableRow]:
        rows: list[TableRow] = []
        for name, group in self.program.labels.groups.items():
            if not group.policy:
                continue
            item = f"dual_{_rule(name)}"
            for index, dual in self.duals(name).items():
                year = self._year_of(index)
                where = " ".join(str(part) for part in index[:-1])
                value = dual
                unit = f"MUSD per {group.unit}"
                if group.unit == "kwpm":
                    value = per_wafer(dual)
                    unit = "USD/wafer"
                rows.append(
                    (group.policy, item, "", where, year, group.meaning, value, unit)
                )
        return rows

    def _policy_rents(self) -> list[TableRow]:
        """Return the worth of each limit of a policy to its owner, undiscounted.

        A negative rent is what the owner bears.
        """
        total: dict[tuple[str, str, str, int], float] = defaultdict(float)
        rents = policy_rents(self.program, self.optimum)
        for (name, index, owner), rent in rents.items():
            policy = self.program.labels.groups[name].policy
            year = self._year_of(index)
            total[policy, f"rent_{_rule(name)}", owner, year] += (
                rent / self.parameters.discount[year]
            )
        rows: list[TableRow] = []
        for (policy, item, owner, year), value in total.items():
            if abs(value) > SMALLEST_QUANTITY:
                meaning = "what the limit is worth to its owner"
                rows.append((policy, item, owner, "", year, meaning, value, "MUSD"))
        return rows

    def _policy_numbers(self) -> list[TableRow]:
        """Return the numbers that the search found for a policy."""
        base = self.parameters.years[0]
        rows: list[TableRow] = []
        for target, value in self.found.items():
            policy, _, number = target.partition(".")
            unit = "share" if number == "rate" else "MUSD"
            meaning = "number found by the engine"
            rows.append((policy, f"found_{number}", "", "", base, meaning, value, unit))
        return rows

    def _year_of(self, index: Index) -> int:
        """Return the year an index ends in, the base year if it has none."""
        year = index[-1] if index else None
        if year in self.parameters.discount:
            return int(index[-1])
        return self.parameters.years[0]

    def table(self, name: str) -> pd.DataFrame:
        """Return a table by name."""
        if name not in TABLES:
            raise InputError.one(
                "solution", name, "no such table", "tables: " + ", ".join(TABLES)
            )
        frame: pd.DataFrame = getattr(self, name)
        return frame


def _rule(group: str) -> str:
    """Return the name of a policy's group of rows without the id of the policy."""
    return group.split("__", 1)[1]
