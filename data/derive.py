"""Derived tables of the data package.

Reads the sourced inputs in ``data/raw`` and the tables written by hand beside this
file, and rewrites everything of grade D that follows from them:

* ``fleets.csv``        capacity by base year, region, segment and firm
* ``expansion.csv``     weights of the places that can add capacity, by base year
* ``cost_factors.csv``  running cost of places with a published ten-year cost (the
                        other rows stay unchanged)
* ``place_residual.csv`` the fitted residual of places, USD a wafer
* ``parameters.csv``    fitted scalars (the other rows stay unchanged)
* ``budgets.csv``       what firms can spend on new capacity a year
* ``prices.csv``        reference prices and customs shares
* ``demand.csv``        growth of 2023 to 2025 (the later rows stay unchanged)
* ``assembly.csv``      the standard packaging fleet (the other rows stay unchanged)

``python data/derive.py`` writes them, ``python data/derive.py --check`` only
compares and exits with 1 if a file would change.
"""

from __future__ import annotations

import argparse
import csv
import io
import sys
from collections import defaultdict
from pathlib import Path

import pandas as pd

from chipmodel.common.toml import read_toml
from chipmodel.common.units import MUSD_PER_KWPM_YEAR, WAFERS_PER_KWPM_YEAR
from chipmodel.model.parameters.finance import capital_recovery, construction
from chipmodel.model.parameters.place_cost import (
    NEW_FABS,
    RegionFactors,
    SegmentCost,
    place_cost,
)

DATA = Path(__file__).resolve().parent
REGIONS = ("USA", "JPN", "KOR", "TWN", "CHN", "EUR", "ROW")
SEGMENTS = ("logic_lt10", "logic_10_22", "logic_ge28", "dram", "nand", "dao")
SPREAD = (
    "logic_10_22",
    "logic_ge28",
    "dao",
)  # segments that take a region's remaining growth
FACT = ["value", "unit", "year_of_money", "low", "high", "source", "grade", "note"]
MONEY = 2025
Fleet = dict[tuple[str, str], float]  # (region, segment) -> kwpm


# ---------------------------------------------------------------- small tools
def raw(name: str) -> pd.DataFrame:
    """Read ``data/raw/<name>.csv``: ``value`` as numbers, empty cells as empty text."""
    table = pd.read_csv(DATA / "raw" / f"{name}.csv", keep_default_na=False)
    if "value" in table:
        table["value"] = table["value"].astype(float)
    return table


def current_table(name: str) -> pd.DataFrame:
    """Read ``data/<name>.csv`` as text: its rows can be written back unchanged."""
    return pd.read_csv(DATA / f"{name}.csv", dtype=str, keep_default_na=False)


def plain(value: object) -> str:
    """Write a number without exponent or trailing zeros."""
    if isinstance(value, float):
        text = f"{value:.6f}".rstrip("0").rstrip(".")
        return "0" if text in ("", "-0") else text
    return str(value)


def sort_key(text: str) -> tuple[int, float, str]:
    """Sort numbers as numbers, before text."""
    try:
        return (0, float(text), "")
    except ValueError:
        return (1, 0.0, text)


def table_text(columns: list[str], rows: list[list[object]], keys: int) -> str:
    """Return the table as CSV text, sorted by its first ``keys`` columns."""
    texts = [[plain(cell) for cell in row] for row in rows]
    texts.sort(key=lambda row: [sort_key(cell) for cell in row[:keys]])
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(texts)
    return out.getvalue()


def parameter(name: str) -> float:
    """Return one value of ``parameters.csv``."""
    table = current_table("parameters").set_index("parameter")
    return float(table.loc[name, "value"])


def item(table: str, name: str, key: str = "segment") -> dict[str, float]:
    """Return {key: value} for the rows of ``table`` whose item is ``name``."""
    rows = current_table(table)
    rows = rows[rows["item"] == name]
    return dict(zip(rows[key], rows["value"].astype(float), strict=True))


def inflate(year: int) -> float:
    """Factor from money of ``year`` to money of 2025 at the assumed inflation."""
    return (1 + parameter("inflation")) ** (MONEY - year)


# -------------------------------------------------------------------- fleets
def fleet_2022() -> Fleet:
    """Capacity of 2022: printed shares, each row renormalised, times world capacity."""
    shares = raw("shares_2022")
    world = raw("world_capacity_2022").set_index("segment")["value"]
    fleet: Fleet = {}
    for segment, rows in shares.groupby("segment"):
        total = rows["value"].sum()
        for region, share in zip(rows["region"], rows["value"], strict=True):
            fleet[region, segment] = share / total * world[segment]
    return fleet


def region_factors() -> dict[str, float]:
    """Growth of each region's total from 2022 to 2025 (SEMI, and assumed rates)."""
    semi = raw("semi_capacity").set_index(["region", "year"])["value"]
    growth = raw("region_growth").set_index("region")["value"]
    factors = {}
    for region in REGIONS:
        factors[region] = float(growth[region])
        if (region, 2025) in semi.index:
            factors[region] *= semi[region, 2025] / semi[region, 2023]
    return factors


def fleet_2025(old: Fleet) -> Fleet:
    """Capacity of 2025, rolled forward from 2022 by segment, then by region."""
    growth = raw("semi_growth").set_index("item")["value"]
    company = raw("company_capacity").set_index(["firm", "segment", "region"])["value"]
    named = raw("named_increments").groupby(["segment", "region"])["value"].sum()
    new = dict(old)

    # logic below 10 nm: named additions first, the rest to Taiwan and Korea by their
    # shares
    world = sum(old[r, "logic_lt10"] for r in REGIONS)
    step = (
        (1 + growth["logic_5nm_2024"]) ** 2
        * growth["logic_7nm_2025"]
        / growth["logic_7nm_2024"]
    )
    rest = world * step - world
    for region in REGIONS:
        add = float(named.get(("logic_lt10", region), 0.0))
        new[region, "logic_lt10"] += add
        rest -= add
    pair = old["TWN", "logic_lt10"] + old["KOR", "logic_lt10"]
    for region in ("TWN", "KOR"):
        new[region, "logic_lt10"] += rest * old[region, "logic_lt10"] / pair

    # DRAM: China by company, Taiwan, Japan and the United States as before, Korea the
    # rest
    world = sum(old[r, "dram"] for r in REGIONS) * (1 + growth["dram_2024_2025"]) ** 2
    new["CHN", "dram"] = float(
        company["sk_hynix", "dram", "CHN"] + company["cxmt", "dram", "CHN"]
    )
    new["KOR", "dram"] = world - sum(new[r, "dram"] for r in REGIONS if r != "KOR")

    # NAND is flat; what is left of a region's growth goes to the other three segments
    for region, factor in region_factors().items():
        total = sum(old[region, s] for s in SEGMENTS)
        left = total * factor - sum(new[region, s] for s in SEGMENTS)
        for segment in SPREAD:
            add = float(named.get((segment, region), 0.0))
            new[region, segment] += add
            left -= add
        base = sum(old[region, s] for s in SPREAD)
        for segment in SPREAD:
            new[region, segment] += left * old[region, segment] / base
    return new


def firm_shares(year: int, fleet: Fleet) -> dict[tuple[str, str], dict[str, float]]:
    """Split of a place's fleet over firms; places not listed belong to ``other``."""
    company = raw("company_capacity").set_index(["firm", "segment", "region"])["value"]
    named = raw("named_increments")
    split: dict[tuple[str, str], dict[str, float]] = {}

    split["TWN", "logic_lt10"] = {"tsmc": 1.0}
    split["KOR", "logic_lt10"] = {"samsung": 1.0}
    split["EUR", "logic_lt10"] = {"intel": 1.0}
    split["CHN", "logic_lt10"] = {"smic": 1.0}
    if year == 2025:
        rows = named[(named["segment"] == "logic_lt10") & (named["region"] == "USA")]
        total = rows["value"].sum()
        pairs = zip(rows["firm"], rows["value"], strict=True)
        split["USA", "logic_lt10"] = {firm: value / total for firm, value in pairs}

    wuxi = float(company["sk_hynix", "dram", "CHN"])
    samsung = float(company["samsung", "dram", "KOR"])
    hynix = float(company["sk_hynix", "dram", "all"]) - wuxi
    split["KOR", "dram"] = {
        "samsung": samsung / (samsung + hynix),
        "sk_hynix": hynix / (samsung + hynix),
    }
    china = fleet["CHN", "dram"]
    split["CHN", "dram"] = {"sk_hynix": wuxi / china, "cxmt": 1 - wuxi / china}
    micron = float(company["micron", "dram", "TWN"])
    split["TWN", "dram"] = {"micron": micron, "nanya": 1 - micron}
    split["JPN", "dram"] = split["USA", "dram"] = {"micron": 1.0}

    xian = float(company["samsung", "nand", "CHN"])
    dalian = float(company["sk_hynix", "nand", "CHN"])
    samsung = float(company["samsung", "nand", "all"]) - xian
    hynix = float(company["sk_hynix", "nand", "all"]) - dalian
    split["KOR", "nand"] = {
        "samsung": samsung / (samsung + hynix),
        "sk_hynix": hynix / (samsung + hynix),
    }
    china = fleet["CHN", "nand"]
    split["CHN", "nand"] = {
        "samsung": xian / china,
        "sk_hynix": dalian / china,
        "ymtc": 1 - (xian + dalian) / china,
    }
    split["JPN", "nand"] = {"kioxia": 1.0}
    split["USA", "nand"] = split["ROW", "nand"] = {"micron": 1.0}
    return split


FLEET_NOTES = {
    (2022, "all"): "share of 2022, row renormalised, x world capacity",
    (
        2025,
        "logic_lt10",
    ): (
        "2022 plus named fabs; rest of world growth 1.13^2 x 982/850 to Taiwan and"
        " Korea"
    ),
    (2025, "dram"): "world +9% twice; China by company, Korea the rest, others as 2022",
    (2025, "nand"): "as 2022: wafers flat",
    (
        2025,
        "all",
    ): "region total rolled to 2025 (SEMI), less segments fixed above, by 2022 weights",
}
FIRM_NOTES = {
    "KOR": "; firms by company capacity",
    "CHN": "; foreign firms at their frozen size, home firm the rest",
    "TWN": "; Micron 60%, Nanya and smaller makers 40% (assumed)",
}


def fleet_rows(fleets: dict[int, Fleet]) -> list[list[object]]:
    """Rows of fleets.csv; places below 0.05 kwpm are left out."""
    rows: list[list[object]] = []
    for year, fleet in fleets.items():
        split = firm_shares(year, fleet)
        for (region, segment), value in fleet.items():
            if value < 0.05:
                continue
            firms = split.get((region, segment), {"other": 1.0})
            note = FLEET_NOTES.get((year, segment), FLEET_NOTES[year, "all"])
            if segment == "logic_10_22" and region == "JPN" and year == 2025:
                note += "; Kumamoto 1 (55) added first"
            if len(firms) > 1 and segment in ("dram", "nand"):
                note += FIRM_NOTES[region]
            for firm, share in firms.items():
                kwpm = round(value * share, 3)
                rows.append(
                    [
                        year,
                        region,
                        segment,
                        firm,
                        kwpm,
                        "kwpm",
                        "",
                        "",
                        "",
                        "derived",
                        "D",
                        note,
                    ]
                )
    return rows


# ----------------------------------------------------------------- expansion
def expansion_rows(fleet_table: list[list[object]]) -> list[list[object]]:
    """Weights of places by base year: the share of a firm's fleet there in its segment.

    Announced fabs are projects of their own size and add no weight: the United States
    has announcements because of the support that the weights help to evaluate.
    """
    floor = parameter("weight_floor")
    rows = []
    for year in (2022, 2025):
        rows += expansion_of(year, fleet_table, floor)
    return rows


def expansion_of(
    base: int, fleet_table: list[list[object]], floor: float
) -> list[list[object]]:
    """Weights of one base year."""
    places = raw("expansion_firms")
    firms = set(zip(places["segment"], places["region"], places["firm"], strict=True))
    have: dict[tuple[str, str, str], float] = defaultdict(float)
    for year, region, segment, firm, value, *_ in fleet_table:
        if year == base:
            have[str(segment), str(region), str(firm)] += float(str(value))
    rows: list[list[object]] = []
    for segment in SEGMENTS:
        keys = sorted(k for k in firms if k[0] == segment)
        stock = sum(have[k] for k in keys)
        weight = {k: have[k] / stock for k in keys}
        large = {k: w for k, w in weight.items() if w > 2 * floor}
        small = {k: max(w, floor) for k, w in weight.items() if k not in large}
        scale = (1 - sum(small.values())) / sum(large.values())
        rounded = {k: round(small.get(k, w * scale), 6) for k, w in weight.items()}
        largest = max(rounded, key=lambda k: (rounded[k], k))
        rounded[largest] = round(rounded[largest] + 1 - sum(rounded.values()), 6)
        for k in keys:
            note = f"share of {base} fleet ({have[k]:.0f} kwpm); at least {floor}"
            unsourced = ["", "", "", "derived", "D", note]
            rows.append([base, k[1], k[0], k[2], rounded[k], "share", *unsourced])
    return rows


# ------------------------------------------------------------- cost of place
def ten_years(region: str, running: float) -> float:
    """Mean over the new fabs of ten-year cost in a region over Taiwan's.

    It is before incentives, at a running factor, and without the premium of the place.
    """
    cost = {name: item("costs", name) for name in ("capex", "running", "inputs")}
    use, share = item("operation", "u_base"), parameter("building_share")
    building = item("cost_factors", "building", key="region")
    factors = RegionFactors(building=building[region], running=running)
    total = 0.0
    for s in NEW_FABS:
        segment = SegmentCost(cost["capex"][s], cost["running"][s], cost["inputs"][s])
        here = place_cost(segment, factors, share).ten_years(use[s])
        there = place_cost(segment, RegionFactors(), share).ten_years(use[s])
        total += here / there / len(NEW_FABS)
    return total


def running_factors() -> dict[str, tuple[float, str]]:
    """Running cost that gives the published ten-year gaps: {region: (factor, how)}."""
    gaps = current_table("targets").set_index("metric")["value"]
    paid = item_of_year("incentives", 2020)

    def factor(region: str, wanted: float) -> float:
        bare = ten_years(region, 0.0)
        return (wanted / (1 - paid[region]) - bare) / (ten_years(region, 1.0) - bare)

    over = {
        region: float(gaps[f"gap.USA.{region}.2020"])
        for region in ("TWN", "KOR", "ROW", "CHN")
    }
    home = (1 + over.pop("TWN")) * (1 - paid["TWN"])
    found = {
        "USA": (
            factor("USA", home),
            "ratio of the ten-year cost to Taiwan's is as published (T01)",
        )
    }
    for region, gap in over.items():
        found[region] = (
            factor(region, home / (1 + gap)),
            f"US ten-year cost is {gap:.0%} above (T01, T02)",
        )
    return found


def fitted() -> dict[tuple[str, str], list[object]]:
    """Facts fitted by experiments/calibrate.py: {(table, row key): its cells}."""
    found: dict[tuple[str, str], list[object]] = {}
    for row in raw("calibration").itertuples():
        value = float(row.fitted)
        note = (
            "fitted to T05 and T07 by experiments/calibrate.py, see"
            f" docs/calibration.md; prior {row.prior:g}; "
        )
        note += str(row.note)
        found[row.table, row.row] = [
            value,
            row.unit,
            "",
            row.low,
            row.high,
            "derived",
            "D",
            note,
        ]
    return found


def parameter_rows() -> list[list[object]]:
    """Rows of parameters.csv: fitted ones are replaced, the others stay unchanged."""
    fits = fitted()
    return [
        [row[0], *fits["parameters", row[0]]] if ("parameters", row[0]) in fits else row
        for row in current_table("parameters").values.tolist()
    ]


def item_of_year(table: str, year: int) -> dict[str, float]:
    """Return {region: value} for the rows of ``table`` of a year."""
    rows = current_table(table)
    rows = rows[rows["year"].astype(int) == year]
    return dict(zip(rows["region"], rows["value"].astype(float), strict=True))


def cost_factor_rows() -> list[list[object]]:
    """Rows of cost_factors.csv.

    Running cost follows from the published ten-year cost where there is one; the other
    rows stay unchanged.
    """
    found = running_factors()
    table = current_table("cost_factors")
    rows: list[list[object]] = []
    for row in table.values.tolist():
        region, name = row[0], row[1]
        if name == "running" and region in found:
            value, how = found[region]
            low, high = round(value - 0.15, 4), round(value + 0.15, 4)
            note = (
                "labour, utilities, upkeep and overhead together: the factor at which"
                f" the {how}, mean of new "
            )
            note += (
                "logic, DRAM and analog fabs, after the incentives of 2020 and with the"
                " cost of building"
            )
            row = [
                region,
                name,
                round(value, 4),
                "factor",
                "",
                low,
                high,
                "bcg_sia_2020",
                "D",
                note,
            ]
        rows.append(row)
    return rows


def residual_rows() -> list[list[object]]:
    """Rows of place_residual.csv: minus the fitted advantage of a place.

    The advantage is a part of the yearly cost of billed capital, spread over the wafers
    of usual use.
    """
    fits = raw("calibration").set_index(["table", "row"])
    rows: list[list[object]] = []
    for region in REGIONS:
        for segment in SEGMENTS:
            yearly = capital_cost_of_wafer(region, segment)
            if ("place_residual", region) in fits.index:
                fit = fits.loc[("place_residual", region)]
                value, low, high = (
                    round(-float(fit[end]) * yearly, 1)
                    for end in ("fitted", "high", "low")
                )
                note = (
                    f"minus {fit['fitted']} of the yearly cost of billed capital,"
                    f" {yearly:.0f} USD a wafer; fitted to T05 and T07 by"
                    " experiments/calibrate.py, see docs/calibration.md"
                )
                source, grade = "derived", "D"
            else:
                value = 0.0
                low, high = round(-0.2 * yearly, 1), round(0.35 * yearly, 1)
                source, grade = "assumption", "E"
                note = (
                    "no published result identifies it; the range is that of the"
                    " former premium, 0.8 to 1.35 times the yearly cost of capital;"
                    " a target on where fabs were built would settle it"
                )
            money = ["USD/wafer", MONEY, low, high]
            rows.append([region, segment, value, *money, source, grade, note])
    return rows


def capital_cost_of_wafer(region: str, segment: str) -> float:
    """Annuity of billed capital at usual use in the central world, USD a wafer."""
    rate = float(read_toml(DATA / "worlds" / "central.toml")["discount_rate"])
    share = parameter("building_share")
    factors = RegionFactors(building=item("cost_factors", "building", "region")[region])
    cost = SegmentCost(item("costs", "capex")[segment], 0.0, 0.0)
    work = construction(item("construction", "build", "region")[region], share, rate)
    capital = place_cost(cost, factors, share).capex * work.interest
    annuity = capital * capital_recovery(rate, parameter("economic_life"))
    return annuity / item("operation", "u_base")[segment] / MUSD_PER_KWPM_YEAR


# ------------------------------------------------------------------- budgets
def budgets_2025() -> dict[str, tuple[float, str, str, str]]:
    """{holder: (capex in bn USD of 2025, grade, source, how)}."""
    capex = raw("firm_capex")
    spending = raw("equipment_spending").set_index("region")["value"]
    pools = raw("pools").set_index("holder")
    equipment = 1 - parameter("building_share")
    out: dict[str, tuple[float, str, str, str]] = {}
    for firm, rows in capex.groupby("firm"):
        by_year = rows.set_index("year")
        now = float(by_year.loc[2025, "value"])
        grade, how = "D", f"capex of 2025 {now:g} bn"
        if 2026 in by_year.index:
            then = float(by_year.loc[2026, "value"])
            now = (now + then * inflate(2026)) / 2
            how = f"mean of 2025 and of guidance for 2026 ({then:g} bn, deflated)"
        if by_year.loc[2025, "grade"] == "C":
            grade = "C"
            how += ", citation missing"
        out[str(firm)] = (now, grade, str(by_year.loc[2025, "source"]), how)
    for holder, row in pools.iterrows():
        region = str(holder)[5:].upper()
        if row["item"] == "capex":
            how = f"capex of {row['value']:g} bn a year assumed: {row['note']}"
            out[str(holder)] = (float(row["value"]), "E", "assumption", how)
            continue
        yearly = spending[region] / 3 / equipment
        how = f"equipment {spending[region]:g} bn in 2025-27 / 3 / {equipment:g}"
        if row["value"]:
            how += f", less {row['value']:g} bn: {row['note']}"
        out[str(holder)] = (
            float(yearly - row["value"]),
            "D",
            "semi_equipment_2024",
            how,
        )
    return out


def budgets_2022(
    now: dict[str, tuple[float, str, str, str]],
) -> dict[str, tuple[float, str, str, str]]:
    """The same for 2022, from 2019 and 2024 figures, or scaled from 2025."""
    table = raw("firm_capex").set_index(["firm", "year"])
    capex, sources = table["value"], table["source"]
    world = raw("world_capex").set_index("year")["value"]
    scale = float(world[2023] * inflate(2023) / world[2025])
    out: dict[str, tuple[float, str, str, str]] = {}
    for holder, (value, *_) in now.items():
        if (holder, 2019) in capex.index:
            first, last = capex[holder, 2019], capex[holder, 2024]
            then = first * (last / first) ** (3 / 5) * inflate(2022)
            how = (
                f"between {first:g} bn (2019) and {last:g} bn (2024) at a constant"
                " rate, in money of 2025"
            )
            out[holder] = (float(then), "D", sources[holder, 2024], how)
        elif (holder, 2024) in capex.index:
            last = capex[holder, 2024]
            how = f"capex of 2024 {last:g} bn in money of 2025; 2022 not found"
            then = last * inflate(2024)
            out[holder] = (float(then), "D", sources[holder, 2024], how)
        else:
            how = (
                f"no figure for 2022; 2025 x {scale:.3f}, world capex 2023 over 2025 in"
                " real terms"
            )
            out[holder] = (
                value * scale,
                "E",
                "assumption",
                how + "; company accounts would settle it",
            )
    return out


def budget_rows() -> list[list[object]]:
    """Rows of budgets.csv: capex times the share that goes to new capacity."""
    share = parameter("expansion_share")
    now = budgets_2025()
    rows: list[list[object]] = []
    for year, table in ((2022, budgets_2022(now)), (2025, now)):
        for holder, (value, grade, source, how) in table.items():
            money = round(value * 1000 * share, 1)
            wide = (0.5, 1.6) if grade == "E" else (0.75, 1.25)
            low, high = round(money * wide[0], 1), round(money * wide[1], 1)
            note = f"{share:g} x capex; {how}"
            rows.append(
                [
                    holder,
                    year,
                    money,
                    "MUSD/year",
                    MONEY,
                    low,
                    high,
                    source,
                    grade,
                    note,
                ]
            )
    return rows


# -------------------------------------------------------------------- prices
def mean_wafers(fleets: dict[int, Fleet]) -> dict[str, float]:
    """Wafers a year: mean of the 2022 and 2025 fleets, times utilisation."""
    use = item("operation", "u_base")
    return {
        s: (
            sum(sum(f[r, s] for r in REGIONS) for f in fleets.values())
            / len(fleets)
            * use[s]
            * WAFERS_PER_KWPM_YEAR
        )
        for s in SEGMENTS
    }


def mean_sales() -> dict[str, float]:
    """Mean sales of 2021 to 2025 in bn USD of 2025, by product."""
    sales = raw("sales")
    real = sales["value"] * sales["year"].map(lambda y: inflate(int(y)))
    return real.groupby(sales["product"]).sum().div(sales["year"].nunique()).to_dict()


def dram_share() -> dict[int, float]:
    """DRAM over DRAM plus NAND by year; the mean of the known years elsewhere."""
    split = raw("memory_split").pivot(index="year", columns="product", values="value")
    known = (split["dram"] / (split["dram"] + split["nand"])).to_dict()
    mean = sum(known.values()) / len(known)
    return {year: float(known.get(year, mean)) for year in range(2021, 2026)}


def foundry_prices() -> dict[str, float]:
    """Mean foundry price per segment, USD of 2025 a wafer."""
    table = raw("foundry_prices")
    real = table["value"] * table["year"].map(lambda y: inflate(int(y)))
    return real.groupby(table["segment"]).mean().to_dict()


def price_rows(fleets: dict[int, Fleet]) -> list[list[object]]:
    """Rows of prices.csv: sales per wafer, and the part of it that customs sees."""
    wafers, sales, foundry = mean_wafers(fleets), mean_sales(), foundry_prices()
    memory = raw("sales")
    memory = memory[memory["product"] == "memory"].set_index("year")["value"]
    share = dram_share()
    dram = sum(
        float(memory[y]) * inflate(int(y)) * share[int(y)] for y in memory.index
    ) / len(memory)
    logic = sales["logic"] + sales["micro"]
    scale = logic * 1e9 / sum(wafers[s] * p for s, p in foundry.items())
    price, how = {}, {}
    for s, p in foundry.items():
        price[s] = scale * p
        how[s] = (
            f"foundry price {p:.0f} x {scale:.4f}, the one factor that brings output x"
            " price"
        )
        how[s] += f" to logic and micro sales of {logic:.1f} bn"
    for s, bn in (
        ("dram", dram),
        ("nand", sales["memory"] - dram),
        ("dao", sum(sales[k] for k in ("discrete", "opto", "sensors", "analog"))),
    ):
        price[s] = bn * 1e9 / wafers[s]
        how[s] = f"sales of {bn:.1f} bn over {wafers[s] / 1e6:.2f} million wafers"
    rows: list[list[object]] = []
    for s in SEGMENTS:
        value = round(price[s], 1)
        low, high = round(value * 0.75, 1), round(value * 1.3, 1)
        note = how[s] + "; mean of 2021-25 in money of 2025"
        rows.append(
            [s, "reference", value, "USD/wafer", MONEY, low, high, "derived", "D", note]
        )
        if s in foundry:
            seen = round(foundry[s] / price[s], 4)
            low, high, source, grade = (
                round(seen * 0.75, 4),
                min(1.0, round(seen * 1.4, 4)),
                "derived",
                "D",
            )
            note = (
                "foundry price over reference price; fabless imports are declared near"
                " the foundry price"
            )
        else:
            seen, low, high, source, grade = (
                (0.9 if s == "dao" else 0.95),
                0.6,
                1.0,
                "assumption",
                "E",
            )
            note = (
                "makers sell under their own name, so customs sees nearly the sales"
                " price; transfer prices inside firms may be lower; customs values per"
                " chip would settle it"
            )
        rows.append(
            [s, "customs_share", seen, "share", "", low, high, source, grade, note]
        )
    return rows


# -------------------------------------------------------- demand and assembly
def demand_rows(fleets: dict[int, Fleet]) -> list[list[object]]:
    """Demand growth 2023-25 from the fleets; later rows stay unchanged."""
    rows: list[list[object]] = []
    for s in SEGMENTS:
        old, new = (sum(fleets[y][r, s] for r in REGIONS) for y in (2022, 2025))
        value = round((new / old) ** (1 / 3) - 1, 5)
        note = (
            f"({new:.0f}/{old:.0f} kwpm)^(1/3) - 1, world fleets of 2025 and 2022 at"
            " equal utilisation"
        )
        rows.append(
            [s, 2023, 2025, value, "share/year", "", "", "", "derived", "D", note]
        )
    table = current_table("demand")
    rows += table[table["year_from"].astype(int) > 2025].values.tolist()
    return rows


def assembly_rows(fleets: dict[int, Fleet]) -> list[list[object]]:
    """Standard packaging fleet of 2025 from wafer output; other rows stay unchanged."""
    use = item("operation", "u_base")
    output = sum(fleets[2025][r, s] * use[s] for r in REGIONS for s in SEGMENTS)
    shares = raw("assembly_shares")
    names = dict(
        zip(
            current_table("regions")["region"],
            current_table("regions")["name"],
            strict=True,
        )
    )
    table = current_table("assembly")
    rows: list[list[object]] = table[
        ~((table["kind"] == "fleet") & (table["package"] == "standard"))
    ].values.tolist()
    for line in shares.itertuples():
        value = round(output / 0.85 * line.value / 100, 1)
        note = f"{line.value:g}% of world wafer output {output:.0f} kwpm / 0.85"
        low = high = ""
        if line.grade == "E":
            low, high = round(value * 0.6, 1), round(value * 1.5, 1)
        if line.note:
            note += "; " + line.note
        if line.grade == "E":
            note += "; a count of assembly plants would settle it"
        grade = "E" if line.grade == "E" else "D"
        source = "assumption" if grade == "E" else line.source
        site = f"fleet_{line.region.lower()}_standard"
        name = f"Packaging and test, {names[line.region]}"
        place = [site, "fleet", "standard", name, "other", line.region, ""]
        rows.append([*place, value, "kwpm", "", low, high, source, grade, note])
    return rows


# ---------------------------------------------------------------------- main
def derive() -> dict[str, str]:
    """Return {file name: text} of every derived table."""
    old = fleet_2022()
    fleets = {2022: old, 2025: fleet_2025(old)}
    fleet_table = fleet_rows(fleets)
    return {
        "fleets.csv": table_text(
            ["base_year", "region", "segment", "firm", *FACT], fleet_table, 4
        ),
        "expansion.csv": table_text(
            ["base_year", "region", "segment", "firm", *FACT],
            expansion_rows(fleet_table),
            4,
        ),
        "parameters.csv": table_text(["parameter", *FACT], parameter_rows(), 1),
        "cost_factors.csv": table_text(
            ["region", "item", *FACT], cost_factor_rows(), 2
        ),
        "place_residual.csv": table_text(
            ["region", "segment", *FACT], residual_rows(), 2
        ),
        "budgets.csv": table_text(["holder", "base_year", *FACT], budget_rows(), 2),
        "prices.csv": table_text(["segment", "item", *FACT], price_rows(fleets), 2),
        "demand.csv": table_text(
            ["segment", "year_from", "year_to", *FACT], demand_rows(fleets), 3
        ),
        "assembly.csv": table_text(
            ["site", "kind", "package", "name", "firm", "region", "earliest", *FACT],
            assembly_rows(fleets),
            3,
        ),
    }


def main() -> int:
    """Write or check the derived tables."""
    parser = argparse.ArgumentParser(
        description="Rewrite the derived tables of the data package."
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="compare only; exit 1 if a file would change",
    )
    args = parser.parse_args()
    changed = []
    for name, text in derive().items():
        path = DATA / name
        if path.exists() and path.read_bytes() == text.encode():
            continue
        changed.append(name)
        if not args.check:
            path.write_bytes(text.encode())
    for name in changed:
        print(f"{name}: {'differs' if args.check else 'written'}")
    return 1 if args.check and changed else 0


if __name__ == "__main__":
    sys.exit(main())
