"""The solution of a case in a world, as tables."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from chipmodel.cases.case import Case
from chipmodel.common.errors import InputError
from chipmodel.common.units import per_wafer
from chipmodel.model.parameters.parameters import Parameters
from chipmodel.model.world import World
from chipmodel.results.accounts import Accounts, compute, home_of, host_of, policy_rents
from chipmodel.solver.highs import Optimum
from chipmodel.solver.ledger import Party
from chipmodel.solver.linear_program import LinearProgram

TABLES = ("capacity", "builds", "output", "trade", "prices", "accounts", "policies")


@dataclass(frozen=True)
class Solution:
    """An optimal solution of a case in a world, with its tables.

    Every table is tidy: ``case, world`` first, then keys, then ``value, unit``. Flows
    are kwpm, prices USD per wafer, money MUSD, all undiscounted unless the unit says
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
    """Numbers the engine found, such as the rate at which an open grant spends its budget."""

    @classmethod
    def of(
        cls,
        case: Case,
        parameters: Parameters,
        program: LinearProgram,
        optimum: Optimum,
        foresight: str = "anticipated",
    ) -> Solution:
        """Return the solution of a case from the optimum of its programme, with its accounts.

        Raises
        ------
        CertificateError
            If an identity of the accounts fails.
        """
        accounts = compute(program, optimum, parameters)
        return cls(
            case, parameters.world, parameters, program, optimum, accounts, foresight
        )

    def __repr__(self) -> str:
        return (
            f"<Solution {self.case.name} in {self.world.name}: objective"
            f" {self.objective:,.0f} MUSD, {self.foresight}>"
        )

    @property
    def objective(self) -> float:
        """Objective, MUSD of present value."""
        return self.optimum.objective

    def columns(self, name: str) -> dict[tuple[Any, ...], float]:
        """Return the values of a variable by index."""
        keys, places = self.program.labels.columns(name)
        values = self.optimum.x[places]
        return dict(
            zip(
                keys, np.where(np.abs(values) > 1e-9, values, 0.0).tolist(), strict=True
            )
        )

    def duals(self, name: str) -> dict[tuple[Any, ...], float]:
        """Return the duals of a group of rows by index, per unit, undiscounted if the row has a year."""
        discount = self.parameters.discount
        keys, places = self.program.labels.rows(name)
        return {
            index: (
                dual / discount[index[-1]] if index and index[-1] in discount else dual
            )
            for index, dual in zip(keys, self.optimum.y[places].tolist(), strict=True)
        }

    def _frame(self, rows: list[tuple[Any, ...]], keys: list[str]) -> pd.DataFrame:
        frame = pd.DataFrame(rows, columns=[*keys, "value", "unit"])
        frame.insert(0, "case", self.case.name)
        frame.insert(1, "world", self.world.name)
        return frame

    @cached_property
    def _reported(self) -> list[int]:
        return [t for t in self.parameters.years if t <= self.world.report_until]

    @cached_property
    def capacity(self) -> pd.DataFrame:
        """Capacity in service by region, segment, site and year, kwpm."""
        n = self.parameters
        added: dict[tuple[str, int], float] = defaultdict(float)
        for (i, start), kwpm in self.columns("build").items():
            if kwpm > 0:
                for t, share in n.service[i, start]:
                    added[i, t] += share * kwpm
        rows: list[tuple[Any, ...]] = []
        for r, s in n.places:
            for site in n.sites.of(r, s):
                for t in self._reported:
                    value = (
                        site.size or 0.0
                        if site.kind == "fleet"
                        else added.get((site.id, t), 0.0)
                    )
                    if value > 0:
                        rows.append(
                            (r, s, site.id, site.kind, site.firm, t, value, "kwpm")
                        )
        return self._frame(rows, ["region", "segment", "site", "kind", "firm", "year"])

    @cached_property
    def builds(self) -> pd.DataFrame:
        """Builds begun by site and year, kwpm; packaging builds have the package as segment."""
        n = self.parameters
        rows: list[tuple[Any, ...]] = []
        for (i, t), value in self.columns("build").items():
            site = n.sites.sites[i]
            if value > 0 and t <= self.world.report_until:
                rows.append(
                    (
                        site.region,
                        site.segment,
                        i,
                        site.kind,
                        site.firm,
                        t,
                        value,
                        "kwpm",
                    )
                )
        for (i, t), value in self.columns("assemble_build").items():
            plant = n.packaging.plants[i]
            if value > 0 and t <= self.world.report_until:
                rows.append(
                    (
                        plant.region,
                        f"package_{plant.package}",
                        i,
                        plant.kind,
                        plant.firm,
                        t,
                        value,
                        "kwpm",
                    )
                )
        return self._frame(rows, ["region", "segment", "site", "kind", "firm", "year"])

    @cached_property
    def output(self) -> pd.DataFrame:
        """Wafers made by region, segment, site and year, kwpm."""
        n = self.parameters
        total: dict[tuple[str, int], float] = defaultdict(float)
        for (i, _, t), value in self.columns("output").items():
            total[i, t] += value
        rows = []
        for (i, t), value in total.items():
            site = n.sites.sites[i]
            if value > 0 and t <= self.world.report_until:
                rows.append((site.region, site.segment, i, site.firm, t, value, "kwpm"))
        return self._frame(rows, ["region", "segment", "site", "firm", "year"])

    @cached_property
    def trade(self) -> pd.DataFrame:
        """Flows of chips: ``chips`` from fab to device maker, ``devices`` to users, ``use`` in all."""
        rows: list[tuple[Any, ...]] = []
        last = self.world.report_until
        for (s, r, a, m, t), value in self.columns("ship").items():
            if value > 0 and t <= last:
                rows.append(("chips", s, r, a, m, t, value, "kwpm"))
        made: dict[tuple[str, str, str, int], float] = defaultdict(float)
        for (s, _, m, e, t), value in self.columns("device").items():
            made[s, m, e, t] += value
        rows += [
            ("devices", s, m, "", e, t, v, "kwpm")
            for (s, m, e, t), v in made.items()
            if v > 0 and t <= last
        ]
        rows += [
            ("use", s, "", "", e, t, v, "kwpm")
            for (e, s, t), v in self.columns("consumed").items()
            if t <= last
        ]
        return self._frame(
            rows, ["flow", "segment", "origin", "assembled", "destination", "year"]
        )

    @cached_property
    def prices(self) -> pd.DataFrame:
        """Prices of chips: at the fab gate, at the maker of devices and at the user, USD per wafer."""
        last = self.world.report_until
        rows: list[tuple[Any, ...]] = []
        for (s, r, t), value in self.duals("fab_gate").items():
            if t <= last:
                rows.append(("fab", s, r, t, per_wafer(value), "USD/wafer"))
        for (m, s, t), value in self.maker_prices.items():
            if t <= last:
                rows.append(("maker", s, m, t, value, "USD/wafer"))
        for (e, s, t), value in self.duals("demand_balance").items():
            if t <= last:
                rows.append(("user", s, e, t, per_wafer(value), "USD/wafer"))
        return self._frame(rows, ["stage", "segment", "region", "year"])

    @cached_property
    def maker_prices(self) -> dict[tuple[str, str, int], float]:
        """The mean price device makers pay for the chips they buy, by place, segment and year, USD per wafer."""
        paid: dict[tuple[str, str, int], float] = defaultdict(float)
        flow: dict[tuple[str, str, int], float] = defaultdict(float)
        price = self.duals("device_balance")
        bought = dict(self.columns("rest"))
        for (s, c, m, _, t), value in self.columns("device").items():
            if (s, c, m, t) in price:
                bought[s, c, m, t] = bought.get((s, c, m, t), 0.0) + value
        for (s, c, m, t), value in bought.items():
            paid[m, s, t] += value * price[s, c, m, t]
            flow[m, s, t] += value
        return {
            key: per_wafer(paid[key] / total)
            for key, total in flow.items()
            if total > 0
        }

    @cached_property
    def accounts(self) -> pd.DataFrame:
        """Lines of the accounts by agent and year, and present values of surplus and rents by region.

        A payment is negative for its payer and positive for its receiver. Accounts
        ending in ``_cash`` are memo lines: cash in the year it is paid, beside the
        annuities. ``consumer_surplus``, ``rent`` and ``treasury`` are present values by
        region, by ownership and by territory.
        """
        n = self.parameters
        rows: list[tuple[Any, ...]] = []
        total: dict[tuple[str, str, str, int, str], float] = defaultdict(float)
        for account, policy, agent, _, year, value, unit in self.account.rows:
            if unit == "MUSD" and year <= self.world.horizon:
                total[account, policy, agent, year, unit] += value
        for (account, policy, agent, year, unit), value in total.items():
            rows.append((account, policy, agent, home_of(agent, n), year, value, unit))
        for view, place in (("ownership", home_of), ("territory", host_of)):
            gain: dict[tuple[str, str], float] = defaultdict(float)
            for agent, value in self.account.gains.items():
                # What a treasury earns by selling licences is its revenue, though no
                # line of the programme says so.
                kind = {"users": "consumer_surplus", "treasury": "treasury"}.get(
                    Party.of(agent).kind, "rent"
                )
                gain[kind, place(agent, n)] += value
            for treasury, value in self.account.treasury.items():
                gain["treasury", Party.of(treasury).name] += value
            for (kind, region), value in gain.items():
                rows.append(
                    (kind, "", view, region, n.years[0], value, "MUSD present value")
                )
        return self._frame(rows, ["account", "policy", "agent", "region", "year"])

    @cached_property
    def policies(self) -> pd.DataFrame:
        """Ledger of the policies by year: payments, cash, quantities, and duals with their meaning."""
        total: dict[tuple[str, str, str, int, str], float] = defaultdict(float)
        for account, policy, agent, _, year, value, unit in self.account.rows:
            treasury = agent if Party.of(agent).is_treasury else ""
            if policy and (treasury or unit != "MUSD"):
                total[policy, account, treasury, year, unit] += value
        rows: list[tuple[Any, ...]] = [
            (policy, account, agent, "", year, "", value, unit)
            for (policy, account, agent, year, unit), value in total.items()
        ]
        rows += self._policy_duals() + self._policy_rents()
        base = self.parameters.years[0]
        for target, value in self.found.items():
            policy, _, number = target.partition(".")
            unit = "share" if number == "rate" else "MUSD"
            rows.append(
                (
                    policy,
                    f"found_{number}",
                    "",
                    "",
                    base,
                    "number found by the engine",
                    value,
                    unit,
                )
            )
        return self._frame(
            rows, ["policy", "item", "agent", "where", "year", "meaning"]
        )

    def _policy_duals(self) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = []
        for name, group in self.program.labels.groups.items():
            if not group.policy:
                continue
            item = f"dual_{name.split('__', 1)[1]}"
            for index, dual in self.duals(name).items():
                year = (
                    index[-1]
                    if index and index[-1] in self.parameters.discount
                    else self.parameters.years[0]
                )
                where = " ".join(str(part) for part in index[:-1])
                value, unit = dual, f"MUSD per {group.unit}"
                if group.unit == "kwpm":
                    value, unit = per_wafer(dual), "USD/wafer"
                rows.append(
                    (group.policy, item, "", where, year, group.meaning, value, unit)
                )
        return rows

    def _policy_rents(self) -> list[tuple[Any, ...]]:
        """Return who earns (or bears, if below zero) what each limit of a policy is worth, undiscounted."""
        discount, base = self.parameters.discount, self.parameters.years[0]
        total: dict[tuple[str, str, str, int], float] = defaultdict(float)
        for (name, index, owner), rent in policy_rents(
            self.program, self.optimum
        ).items():
            group = self.program.labels.groups[name]
            year = next((t for t in index[-1:] if t in discount), base)
            total[group.policy, f"rent_{name.split('__', 1)[1]}", owner, year] += (
                rent / discount[year]
            )
        return [
            (
                policy,
                item,
                owner,
                "",
                year,
                "what the limit is worth to its owner",
                value,
                "MUSD",
            )
            for (policy, item, owner, year), value in total.items()
            if abs(value) > 1e-9
        ]

    def table(self, name: str) -> pd.DataFrame:
        """Return a table by name."""
        if name not in TABLES:
            raise InputError.one(
                "solution", name, "no such table", "tables: " + ", ".join(TABLES)
            )
        frame: pd.DataFrame = getattr(self, name)
        return frame
