"""The overview a run prints: shares of capacity, prices, treasuries and instruments."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pandas as pd

from chipmodel.common.text import columns, labelled, number
from chipmodel.results.solution import Solution
from chipmodel.results.summary import Summary
from chipmodel.solver.ledger import Account, Party

MARKET = "USA"
"""Region whose prices are shown."""

MUSD_PER_BILLION = 1000.0

Overview = dict[str, Any]
"""Plain data as it is printed as JSON, so its values are of any JSON type."""


def overview(solution: Solution) -> Overview:
    """Return the headline numbers of a solution as plain data.

    Shares are of capacity in service, 0 to 1; prices USD per wafer; treasuries USD
    billion, cash, undiscounted, over the years reported.
    """
    summary = Summary.of(solution)
    labels = summary.labels
    last = labels.years[-1]
    # A short horizon may not reach five years back.
    years = sorted({max(labels.years[0], last - 5), last})
    leading = labels.leading
    market = MARKET if MARKET in labels.regions else next(iter(labels.regions))
    prices = {}
    for segment in labels.segments:
        prices[segment] = [summary.user_price.get((market, segment, t)) for t in years]
    return {
        "case": summary.case.name,
        "title": summary.case.title,
        "world": summary.world.name,
        "status": "optimal",
        "objective": summary.objective,
        "unit": "MUSD present value",
        "foresight": summary.foresight,
        "found": summary.found,
        "years": years,
        "capacity_share": _shares(summary, tuple(labels.segments), years),
        "leading_segment": leading,
        "leading_share": _shares(summary, (leading,), years),
        "market": market,
        "user_prices": prices,
        "treasuries": _treasuries(summary),
        "instruments": _instruments(solution),
    }


def _shares(
    summary: Summary, segments: tuple[str, ...], years: list[int]
) -> dict[str, list[float]]:
    """Return shares of the capacity of some segments by region, one for each year."""
    capacity: dict[tuple[str, int], float] = defaultdict(float)
    world: dict[int, float] = defaultdict(float)
    for (region, segment, year), kwpm in summary.capacity.items():
        if segment in segments:
            capacity[region, year] += kwpm
            world[year] += kwpm
    shares: dict[str, list[float]] = {}
    for region in summary.labels.regions:
        shares[region] = []
        for year in years:
            share = capacity[region, year] / world[year] if world[year] else 0.0
            shares[region].append(share)
    return shares


def _instruments(solution: Solution) -> list[Overview]:
    """Return what each instrument pays or brings in and its largest dual.

    In cash where there is any, MUSD.
    """
    table = solution.policies
    reported = table["year"] <= solution.world.report_until
    table = table[reported & (table["value"] != 0)]
    instruments = []
    for policy in solution.case.policies:
        rows = table[table["policy"] == policy.id]
        instrument: Overview = {
            "policy": policy.id,
            "treasury": _treasury_sum(rows),
        }
        duals = rows[rows["item"].str.startswith("dual_")].to_dict("records")
        if duals:
            top = max(duals, key=lambda dual: abs(dual["value"]))
            columns_shown = ("value", "unit", "meaning", "where", "year")
            instrument["dual"] = {name: top[name] for name in columns_shown}
        instruments.append(instrument)
    return instruments


def _treasury_sum(rows: pd.DataFrame) -> float:
    """Return what an instrument brings treasuries, MUSD; in cash if there is any."""
    is_treasury = [Party.of(agent).is_treasury for agent in rows["agent"]]
    money = rows[pd.Series(is_treasury, rows.index, bool) & (rows["unit"] == "MUSD")]
    is_cash = [Account.of(item).cash for item in money["item"]]
    cash = money[pd.Series(is_cash, money.index, bool)]
    # The annuities of support and its cash are one payment booked in two ways.
    if not cash.empty:
        money = cash
    return float(money["value"].sum())


def _treasuries(summary: Summary) -> dict[str, dict[str, float]]:
    """Return support paid, revenue and the net of both by region, USD billion."""
    paid: dict[str, float] = defaultdict(float)
    received: dict[str, float] = defaultdict(float)
    in_cash = set()
    for (policy, region, _), value in summary.cash.items():
        in_cash.add((policy, region))
        paid[region] += value / MUSD_PER_BILLION
    for (_, policy, region, _), value in summary.lines.items():
        if value > 0:
            received[region] += value / MUSD_PER_BILLION
        elif (policy, region) not in in_cash:
            # Support with a cash account is counted there, not as an annuity again.
            paid[region] -= value / MUSD_PER_BILLION
    treasuries = {}
    for region in summary.labels.regions:
        if paid[region] or received[region]:
            treasuries[region] = {
                "support": paid[region],
                "revenue": received[region],
                "net": received[region] - paid[region],
            }
    return treasuries


def overview_lines(
    headline: Overview, names: dict[str, str] | None = None
) -> list[str]:
    """Return the overview as lines of text, in aligned columns.

    Parameters
    ----------
    headline : dict
        What `overview` returns.
    names : dict, optional
        Names of segments by id.
    """
    lines = [
        (
            f"{headline['case']} in {headline['world']}: optimal, objective"
            f" {headline['objective']:,.0f} MUSD in present value,"
            f" {headline['foresight']}"
        )
    ]
    if headline["title"]:
        lines.append(headline["title"])
    lines += ["", "Share of capacity, %", *_share_lines(headline, names or {})]
    lines += ["", f"Price at users in {headline['market']}, USD/wafer"]
    lines += _price_lines(headline)
    lines += ["", "Treasuries over the years reported, USD billion in cash"]
    lines += _treasury_lines(headline)
    if headline["instruments"]:
        lines += [
            "",
            "Instruments: USD billion over the years reported, or the largest dual",
        ]
        instruments = []
        for row in headline["instruments"]:
            instruments.append((row["policy"], _instrument_line(row)))
        lines += labelled(instruments)
    for name, value in headline["found"].items():
        lines.append(f"found: {name} = {number(value)}")
    return lines


def _share_lines(headline: Overview, names: dict[str, str]) -> list[str]:
    leading = names.get(headline["leading_segment"], headline["leading_segment"])
    heads = [f"world {t}" for t in headline["years"]]
    heads += [f"{leading} {t}" for t in headline["years"]]
    rows = [["", *heads]]
    for region, shares in headline["capacity_share"].items():
        both = [*shares, *headline["leading_share"][region]]
        rows.append([region, *(f"{100 * share:.1f}" for share in both)])
    return columns(rows, right=range(1, 1 + len(heads)))


def _price_lines(headline: Overview) -> list[str]:
    years = [str(t) for t in headline["years"]]
    rows = [["", *years]]
    for segment, prices in headline["user_prices"].items():
        rows.append([segment, *(_price_text(price) for price in prices)])
    return columns(rows, right=range(1, 1 + len(years)))


def _price_text(price: float | None) -> str:
    if price is None:
        return "-"
    if price >= 1000:
        return number(round(price, -1), 6)
    return number(price, 3)


def _treasury_lines(headline: Overview) -> list[str]:
    if not headline["treasuries"]:
        return ["none pays or receives anything"]
    rows = [["", "support paid", "duties and fines", "net"]]
    for region, sums in headline["treasuries"].items():
        amounts = (sums["support"], sums["revenue"], sums["net"])
        rows.append([region, *(f"{amount:,.1f}" for amount in amounts)])
    return columns(rows, right=(1, 2, 3))


def _instrument_line(row: Overview) -> str:
    parts = []
    if row["treasury"]:
        verb = "brings in" if row["treasury"] > 0 else "pays"
        parts.append(f"{verb} {number(abs(row['treasury']) / MUSD_PER_BILLION)}")
    if "dual" in row:
        dual = row["dual"]
        place = f"{dual['where']} {dual['year']}".strip()
        parts.append(
            f"at most {number(dual['value'])} {dual['unit']} ({place}):"
            f" {dual['meaning']}"
        )
    return "; ".join(parts) or "no money moves and nothing binds"
