"""Grow the shipped data to more regions, for measuring how the programme scales; no study uses it.

    python benchmarks/grow.py DIR --regions 20 [--spread 1] [--from DIR]

The rule, the same bytes every time:

- Each shipped region becomes a family: itself and copies of it, dealt out in the order of rank until
  there are as many regions as asked for. Copy B of CHN is CHB, and so on.
- The n-th segment of a family is made in `spread` of its members, starting at the n-th, and its chips
  are used in the first `spread` members: places that make everything and use everything
  do not exist either, and a dense programme grows with the square of the regions.
  ``--spread`` as large as the largest family gives the dense one.
- Whatever is a share or an amount of a family (fleets, expansion weights, device making, use, the
  budgets of its pool) is split over the members that have it. The members' parts differ
  by up to a fifth, by the golden ratio, so that no two regions are twins; sums stay as
  they were.
- Costs and months of a copy differ from its region's by up to 3%, by the same rule.
- A project stands in the first member that makes its segment; its award is paid by that treasury.
- Packaging stays in the seven regions; a copy's wafers go where its region's go. Suppliers of inputs,
  tariffs, macro rows, cases and worlds stay as they are: a rule on USA acts on USA, not
  on its copies.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from chipmodel.cases.new import copy_data
from chipmodel.dataset.dataset import load_dataset
from chipmodel.dataset.rows import regional_pool

GOLDEN = 0.6180339887498949
UNEVEN = 0.2
"""By how much the parts of a family's members may differ."""
DEARER = 0.03
"""By how much the costs of copies differ from those of their region."""

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
            letters = [x for x in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if x != region[2]]
            self.members[region].append(region[:2] + letters[k // len(ranked) + 1])
        self._at = {segment: k for k, segment in enumerate(segments)}
        self._spread = spread

    def makers(self, region: str, segment: str) -> list[str]:
        """Members that make a segment."""
        family = self.members[region]
        first = self._at[segment]
        return [
            family[(first + k) % len(family)]
            for k in range(min(self._spread, len(family)))
        ]

    def users(self, region: str) -> list[str]:
        """Members whose people use chips."""
        return self.members[region][: self._spread]


def noise(*key: str) -> float:
    """Return a number from 0 to 1 that hangs on the key alone."""
    return sum((k + 1) * ord(x) for k, x in enumerate("/".join(key))) * GOLDEN % 1.0


def split(
    row: dict[str, str], members: list[str], place: Callable[[str], dict[str, str]]
) -> Rows:
    """Split a row's value over members; the parts sum to it."""
    weight = [1.0 + UNEVEN * noise(member, *row.values()) for member in members]
    return [
        {**row, **place(member), **scaled(row, w / sum(weight))}
        for member, w in zip(members, weight, strict=True)
    ]


def scaled(row: dict[str, str], factor: float) -> dict[str, str]:
    """Return value and range of a row times a factor."""
    return {
        x: repr(float(row[x]) * factor) if row[x] else ""
        for x in ("value", "low", "high")
    }


def grown(tables: dict[str, Rows], families: Families) -> dict[str, Rows]:
    """Return the tables that change."""
    family = families.members
    makers, users = families.makers, families.users
    new: dict[str, Rows] = defaultdict(list)
    count = len(family)
    for row in tables["regions"]:
        for k, member in enumerate(family[row["region"]]):
            rank = str(int(row["rank"]) + k * count)
            named = (
                {}
                if k == 0
                else {
                    "name": f"{row['name']} {member[2]}",
                    "subject": "false",
                    "rank": rank,
                }
            )
            new["regions"].append({**row, "region": member, **named})
    for name in ("fleets", "expansion"):
        for row in tables[name]:
            new[name] += split(
                row,
                makers(row["region"], row["segment"]),
                lambda member: {"region": member},
            )
    for row in tables["demand_location"]:
        having = (
            users(row["region"])
            if row["criterion"] == "user"
            else family[row["region"]]
        )
        new["demand_location"] += split(row, having, lambda member: {"region": member})
        new["demand_location"] += [
            {**row, "region": member, "value": "0", "low": "0", "high": "0"}
            for member in family[row["region"]]
            if member not in having
        ]
    pools = {regional_pool(region): region for region in family}
    for row in tables["budgets"]:
        region = pools.get(row["holder"])
        if region is None:
            new["budgets"].append(row)
        else:
            new["budgets"] += split(
                row, family[region], lambda member: {"holder": regional_pool(member)}
            )
    for name in ("cost_factors", "construction"):
        for row in tables[name]:
            for k, member in enumerate(family[row["region"]]):
                factor = 1.0 + (
                    DEARER * (2.0 * noise(member, row["item"]) - 1.0) if k else 0.0
                )
                new[name].append(
                    {**row, "region": member, **(scaled(row, factor) if k else {})}
                )
    for row in tables["assembly_routes"]:
        new["assembly_routes"] += [
            {**row, "region": member} for member in family[row["region"]]
        ]
    stands = {}
    for row in tables["projects"]:
        stands[row["site"]] = makers(row["region"], row["segment"])[0]
        new["projects"].append({**row, "region": stands[row["site"]]})
    home = {member: region for region, members in family.items() for member in members}
    for row in tables["project_facts"]:
        at = stands.get(row["site"], "")
        own = bool(row["treasury"]) and home.get(at) == row["treasury"]
        new["project_facts"].append({**row, "treasury": at} if own else row)
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
            tables[path.stem], header[path.stem] = (
                list(reader),
                list(reader.fieldnames or []),
            )
    ranked = [
        row["region"]
        for row in sorted(tables["regions"], key=lambda row: int(row["rank"]))
    ]
    if count < len(ranked):
        raise SystemExit(
            f"--regions: {count} is fewer than the {len(ranked)} there are"
        )
    families = Families(
        ranked, [row["segment"] for row in tables["segments"]], count, spread
    )
    for name, rows in grown(tables, families).items():
        with (target / f"{name}.csv").open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, header[name], lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
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
