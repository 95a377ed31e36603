"""Grow the shipped data to more regions, to measure how the LP scales; for no study.

    python benchmarks/grow.py DIR --regions 20 [--spread 1] [--from DIR]

The rule, the same bytes every time:

- Each shipped region becomes a family: itself and copies of it, dealt out in the order
  of rank until there are as many regions as asked for. Copy B of CHN is CHB, and so on.
- The n-th segment of a family is made in `spread` of its members, starting at the n-th,
  and its chips are used in the first `spread` members: places that make everything and
  use everything do not exist either, and a dense LP grows with the square of the
  regions. ``--spread`` as large as the largest family gives the dense one.
- Whatever is a share or an amount of a family (fleets, expansion weights, device
  making, use, the budgets of its pool, deliveries of equipment) is split over the
  members that have it. The members' parts differ by up to a fifth, by the golden ratio,
  so that no two regions are twins; sums stay as they were.
- Costs and months of a copy differ from its region's by up to 3%, by the same rule.
- A project is located in the first member that makes its segment; its award is paid by
  that treasury.
- Packaging stays in the seven regions; a copy's wafers go where its region's go.
  Suppliers of inputs, tariffs, macro rows, cases and worlds stay as they are: a rule on
  USA acts on USA, not on its copies.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from string import ascii_uppercase

from chipmodel.cases.new import copy_data
from chipmodel.dataset.dataset import load_dataset
from chipmodel.dataset.rows import regional_pool

GOLDEN = 0.6180339887498949
"""Fractional part of the golden ratio: its multiples spread evenly between 0 and 1."""

UNEVEN = 0.2
"""By how much the parts of a family's members may differ."""

COST_SPREAD = 0.03
"""By how much the costs of copies differ from those of their region, either way."""

Rows = list[dict[str, str]]


class Families:
    """The families of regions, and which members have what.

    Parameters
    ----------
    ranked : list of str
        Shipped regions by rank.
    segments : list of str
    count : int
        Regions wanted.
    spread : int
        Members of a family that make a segment.
    """

    def __init__(
        self, ranked: list[str], segments: list[str], count: int, spread: int
    ) -> None:
        self.members = {region: [region] for region in ranked}
        for k in range(count - len(ranked)):
            region = ranked[k % len(ranked)]
            # The region's own letter would give a copy the id of the region.
            letters = ascii_uppercase.replace(region[2], "")
            self.members[region].append(region[:2] + letters[k // len(ranked) + 1])
        self._place_of = {segment: k for k, segment in enumerate(segments)}
        self._spread = spread

    def makers(self, region: str, segment: str) -> list[str]:
        """Return the members that make a segment."""
        family = self.members[region]
        first = self._place_of[segment]
        count = min(self._spread, len(family))
        return [family[(first + k) % len(family)] for k in range(count)]

    def users(self, region: str) -> list[str]:
        """Return the members whose people use chips."""
        return self.members[region][: self._spread]


def noise(*key: str) -> float:
    """Return a number from 0 to 1 that depends on the key alone."""
    # Not `hash`: that of a text differs from process to process.
    code = 0
    for place, letter in enumerate("/".join(key), start=1):
        code += place * ord(letter)
    return code * GOLDEN % 1.0


def split(
    row: dict[str, str], members: list[str], place: Callable[[str], dict[str, str]]
) -> Rows:
    """Split a row's value over members; the parts sum to it."""
    weights = [1.0 + UNEVEN * noise(member, *row.values()) for member in members]
    total = sum(weights)
    parts = []
    for member, weight in zip(members, weights, strict=True):
        parts.append({**row, **place(member), **scaled(row, weight / total)})
    return parts


def scaled(row: dict[str, str], factor: float) -> dict[str, str]:
    """Return value and range of a row times a factor."""
    numbers = {}
    for column in ("value", "low", "high"):
        # A fact without a range has empty ends.
        numbers[column] = repr(float(row[column]) * factor) if row[column] else ""
    return numbers


def of_region(member: str) -> dict[str, str]:
    """Return the columns in which a row of a member differs from its region's."""
    return {"region": member}


def of_pool(member: str) -> dict[str, str]:
    """Return the column of a budget that names the pool of a member."""
    return {"holder": regional_pool(member)}


def grown(tables: dict[str, Rows], families: Families) -> dict[str, Rows]:
    """Return the tables that change."""
    family = families.members
    new: dict[str, Rows] = defaultdict(list)
    count = len(family)
    for row in tables["regions"]:
        for k, member in enumerate(family[row["region"]]):
            changed = {"region": member}
            if k > 0:
                changed["name"] = f"{row['name']} {member[2]}"
                changed["subject"] = "false"
                changed["rank"] = str(int(row["rank"]) + k * count)
            new["regions"].append({**row, **changed})
    for name in ("fleets", "expansion"):
        for row in tables[name]:
            makers = families.makers(row["region"], row["segment"])
            new[name] += split(row, makers, of_region)
    for row in tables["demand_location"]:
        members = family[row["region"]]
        sharing = members
        if row["criterion"] == "user":
            sharing = families.users(row["region"])
        new["demand_location"] += split(row, sharing, of_region)
        for member in members:
            # Every region needs a row, also one whose people use nothing.
            if member not in sharing:
                zeros = {"value": "0", "low": "0", "high": "0"}
                new["demand_location"].append({**row, "region": member, **zeros})
    region_of_pool = {regional_pool(region): region for region in family}
    for row in tables["budgets"]:
        region = region_of_pool.get(row["holder"])
        if region is None:
            # A firm invests anywhere; its budget is not of one region.
            new["budgets"].append(row)
        else:
            new["budgets"] += split(row, family[region], of_pool)
    for name in ("cost_factors", "construction"):
        for row in tables[name]:
            for k, member in enumerate(family[row["region"]]):
                changed = {"region": member}
                if k > 0:
                    deviation = 2.0 * noise(member, row["item"]) - 1.0
                    changed |= scaled(row, 1.0 + COST_SPREAD * deviation)
                new[name].append({**row, **changed})
    for row in tables["place_residual"]:
        for member in family[row["region"]]:
            new["place_residual"].append({**row, "region": member})
    for row in tables["billings"]:
        new["billings"] += split(row, family[row["region"]], of_region)
    for row in tables["assembly_routes"]:
        for member in family[row["region"]]:
            new["assembly_routes"].append({**row, "region": member})
    region_of_site = {}
    for row in tables["projects"]:
        makers = families.makers(row["region"], row["segment"])
        region_of_site[row["site"]] = makers[0]
        new["projects"].append({**row, "region": makers[0]})
    home = {}
    for region, members in family.items():
        home.update(dict.fromkeys(members, region))
    for row in tables["project_facts"]:
        region = region_of_site.get(row["site"], "")
        # Only an award of the site's own government moves with the site.
        if row["treasury"] and home.get(region) == row["treasury"]:
            row = {**row, "treasury": region}
        new["project_facts"].append(row)
    return dict(new)


def grow(target: Path, count: int, spread: int, source: str | None = None) -> Path:
    """Write a grown data package into a folder that is empty or not there."""
    data = load_dataset(source)
    copy_data(data, target)
    tables: dict[str, Rows] = {}
    header: dict[str, list[str]] = {}
    for path in sorted(target.glob("*.csv")):
        with path.open(newline="", encoding="utf-8") as stream:
            reader = csv.DictReader(stream)
            tables[path.stem] = list(reader)
            header[path.stem] = list(reader.fieldnames or [])
    by_rank = sorted(tables["regions"], key=lambda row: int(row["rank"]))
    ranked = [row["region"] for row in by_rank]
    if count < len(ranked):
        raise SystemExit(
            f"--regions: {count} is fewer than the {len(ranked)} there are"
        )
    segments = [row["segment"] for row in tables["segments"]]
    families = Families(ranked, segments, count, spread)
    for name, rows in grown(tables, families).items():
        with (target / f"{name}.csv").open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, header[name], lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    # Loading checks the grown data as any data package is checked.
    load_dataset(str(target))
    return target


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description="Grow the shipped data to more regions."
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--regions", type=int, required=True)
    parser.add_argument(
        "--spread",
        type=int,
        default=1,
        help="members of a family that make a segment (default: 1)",
    )
    parser.add_argument(
        "--from",
        dest="source",
        default=None,
        help="data package to grow (default: the shipped one)",
    )
    args = parser.parse_args()
    print(f"written: {grow(args.folder, args.regions, args.spread, args.source)}")


if __name__ == "__main__":
    main()
