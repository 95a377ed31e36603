"""The short summary a run prints: where capacity is, what chips cost, what treasuries pay."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np

from chipmodel.common.text import columns, labelled, number
from chipmodel.results.solution import Solution
from chipmodel.results.summary import Summary
from chipmodel.solver.ledger import Party

MARKET = "USA"


def overview(solution: Solution) -> dict[str, Any]:
    """Return the headline numbers of a solution as plain data.

    Shares are of capacity in service, 0 to 1; prices USD per wafer; treasuries USD
    billion, cash, undiscounted, over the years reported.
    """
    own = Summary.of(solution)
    last = own.labels.years[-1]
    years = sorted({max(own.labels.years[0], last - 5), last})
    leading = own.labels.leading
    market = MARKET if MARKET in own.labels.regions else next(iter(own.labels.regions))
    return {
        "case": own.case.name,
        "title": own.case.title,
        "world": own.world.name,
        "status": "optimal",
        "objective": own.objective,
        "unit": "MUSD present value",
        "foresight": own.foresight,
        "found": own.found,
        "years": years,
        "capacity_share": _shares(own, tuple(own.labels.segments), years),
        "leading_segment": leading,
        "leading_share": _shares(own, (leading,), years),
        "market": market,
        "user_prices": {
            s: [own.user_price.get((market, s, t)) for t in years]
            for s in own.labels.segments
        },
        "treasuries": _treasuries(own),
        "instruments": _instruments(solution),
    }


def _shares(
    own: Summary, segments: tuple[str, ...], years: list[int]
) -> dict[str, list[float]]:
    total: dict[tuple[str, int], float] = defaultdict(float)
    for (r, s, t), value in own.capacity.items():
        if s in segments:
            total[r, t] += value
            total["", t] += value
    return {
        r: [total[r, t] / total["", t] if total["", t] else 0.0 for t in years]
        for r in own.labels.regions
    }


def _instruments(solution: Solution) -> list[dict[str, Any]]:
    """Return what each instrument pays or brings in, in cash where there is any, and its largest dual."""
    frame = solution.policies
    frame = frame[
        (frame["year"] <= solution.world.report_until) & (frame["value"] != 0)
    ]
    rows = []
    for policy in solution.case.policies:
        mine = frame[frame["policy"] == policy.id]
        treasury = [Party.of(agent).is_treasury for agent in mine["agent"]]
        money = mine[np.array(treasury, dtype=bool) & (mine["unit"] == "MUSD")]
        cash = money[money["item"].str.endswith("_cash")]
        duals = mine[mine["item"].str.startswith("dual_")]
        row: dict[str, Any] = {
            "policy": policy.id,
            "treasury": float((money if cash.empty else cash)["value"].sum()),
        }
        if not duals.empty:
            top = max(duals.to_dict("records"), key=lambda entry: abs(entry["value"]))
            row["dual"] = {
                str(k): top[k] for k in ("value", "unit", "meaning", "where", "year")
            }
        rows.append(row)
    return rows


def _instrument_line(row: dict[str, Any]) -> str:
    parts = []
    if row["treasury"]:
        way = "brings in" if row["treasury"] > 0 else "pays"
        parts.append(f"{way} {number(abs(row['treasury']) / 1000.0)}")
    if "dual" in row:
        dual = row["dual"]
        place = " ".join(str(x) for x in (dual["where"], dual["year"]) if x)
        parts.append(
            f"at most {number(dual['value'])} {dual['unit']} ({place}):"
            f" {dual['meaning']}"
        )
    return "; ".join(parts) or "no money moves and nothing binds"


def _treasuries(own: Summary) -> dict[str, dict[str, float]]:
    paid: dict[str, float] = defaultdict(float)
    received: dict[str, float] = defaultdict(float)
    in_cash = set()
    for (policy, region, _), value in own.cash.items():
        in_cash.add((policy, region))
        paid[region] += value / 1000.0
    for (_, policy, region, _), value in own.lines.items():
        if value > 0:
            received[region] += value / 1000.0
        elif (policy, region) not in in_cash:
            paid[region] -= value / 1000.0
    return {
        r: {"support": paid[r], "revenue": received[r], "net": received[r] - paid[r]}
        for r in own.labels.regions
        if paid[r] or received[r]
    }


def overview_lines(
    found: dict[str, Any], own_names: dict[str, str] | None = None
) -> list[str]:
    """Return the overview as lines of text, in aligned columns."""
    names = own_names or {}
    years = [str(t) for t in found["years"]]
    lines = [
        (
            f"{found['case']} in {found['world']}: optimal, objective"
            f" {found['objective']:,.0f} MUSD in present value, {found['foresight']}"
        ),
        *([found["title"]] if found["title"] else []),
        "",
        "Share of capacity, %",
    ]
    leading = names.get(found["leading_segment"], found["leading_segment"])
    heads = [f"world {t}" for t in years] + [f"{leading} {t}" for t in years]
    rows = [["", *heads]]
    for region, shares in found["capacity_share"].items():
        rows.append(
            [
                region,
                *(f"{100 * x:.1f}" for x in (*shares, *found["leading_share"][region])),
            ]
        )
    lines += columns(rows, right=range(1, 1 + len(heads)))
    lines += ["", f"Price at users in {found['market']}, USD/wafer"]
    prices = [["", *years]] + [
        [
            s,
            *(
                (
                    "-"
                    if x is None
                    else number(round(x, -1) if x >= 1000 else x, 3 if x < 1000 else 6)
                )
                for x in values
            ),
        ]
        for s, values in found["user_prices"].items()
    ]
    lines += columns(prices, right=range(1, 1 + len(years)))
    lines += ["", "Treasuries over the years reported, USD billion in cash"]
    money = [["", "support paid", "duties and fines", "net"]] + [
        [r, *(f"{x[k]:,.1f}" for k in ("support", "revenue", "net"))]
        for r, x in found["treasuries"].items()
    ]
    lines += (
        columns(money, right=(1, 2, 3))
        if found["treasuries"]
        else ["none pays or receives anything"]
    )
    if found["instruments"]:
        lines += [
            "",
            "Instruments: USD billion over the years reported, or the largest dual",
        ]
        lines += labelled(
            [(row["policy"], _instrument_line(row)) for row in found["instruments"]]
        )
    lines += [
        f"found: {name} = {number(value)}" for name, value in found["found"].items()
    ]
    return lines
