"""The tables behind the figures of a study: what is plotted, and nothing else.

Capacity is kwpm (thousand 300 mm wafers a month), shares are parts of one, money is
million USD in present value.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from chipmodel.display import style
from chipmodel.results.metrics import ALL, evaluate
from chipmodel.results.summary import Summary

PLACES = 2
"""Subject regions whose announced projects are shown."""


CAPACITY_COLUMNS = (
    "case",
    "world",
    "region",
    "name",
    "segment",
    "segment_name",
    "year",
    "value",
    "unit",
)


SHARE_COLUMNS = (
    "case",
    "world",
    "committed",
    "region",
    "name",
    "segment",
    "segment_name",
    "year",
    "reference",
    "value",
    "difference",
    "unit",
)


GAIN_COLUMNS = (
    "case",
    "world",
    "committed",
    "reference",
    "years",
    "who",
    "region",
    "name",
    "value",
    "unit",
)


PROJECT_COLUMNS = (
    "case",
    "world",
    "committed",
    "site",
    "name",
    "region",
    "region_name",
    "segment",
    "size",
    "year",
    "value",
    "unit",
)


def references(
    summaries: Sequence[Summary], reference: str | None
) -> dict[str, Summary]:
    """Return the reference of each world: its first solution if no case is named."""
    chosen: dict[str, Summary] = {}
    for summary in summaries:
        world = summary.world.name
        is_first = reference is None and world not in chosen
        if is_first or summary.case.name == reference:
            chosen[world] = summary
    return chosen


def capacity_by_region(
    summaries: Sequence[Summary], reference: str | None
) -> pd.DataFrame:
    """Return capacity over time in the reference of the first world, kwpm.

    The rows are those of all segments together, then those of the leading edge.
    """
    base = next(iter(references(summaries, reference).values()))
    rows = []
    cell = (base.case.name, base.world.name)
    for segment in (ALL, base.labels.leading):
        segment_name = _segment_name(base, segment)
        for region, name in base.labels.regions.items():
            place = (region, name, segment, segment_name)
            for year in base.labels.years:
                value = evaluate(f"capacity.{region}.{segment}.{year}", base)
                rows.append((*cell, *place, year, value, "kwpm"))
    return pd.DataFrame(rows, columns=list(CAPACITY_COLUMNS))


def leading_edge_share(
    summaries: Sequence[Summary], reference: str | None
) -> pd.DataFrame:
    """Return shares of the world's leading-edge capacity in the last year reported."""
    segment = summaries[0].labels.leading
    year = summaries[0].labels.years[-1]
    bases = references(summaries, reference)
    rows = []
    for summary in summaries:
        base = bases[summary.world.name]
        for region, name in summary.labels.regions.items():
            metric = f"share.capacity.{region}.{segment}.{year}"
            share = evaluate(metric, summary)
            rows.append(
                (
                    summary.case.name,
                    summary.world.name,
                    summary.world.committed,
                    region,
                    name,
                    segment,
                    _segment_name(summary, segment),
                    year,
                    base.case.name,
                    share,
                    share - evaluate(metric, base),
                    "share",
                )
            )
    return pd.DataFrame(rows, columns=list(SHARE_COLUMNS))


def who_pays(summaries: Sequence[Summary], reference: str | None) -> pd.DataFrame:
    """Return gains of users, firms by home and treasuries against the reference, MUSD.

    Gains are in present value over the years solved; a loss is negative. The rows
    ``makers_memo`` hold the change in what device makers of the first region pay for
    chips, negative where they pay more. Users bear it in the end, so that it must not
    be added to the other rows.
    """
    bases = references(summaries, reference)
    rows = []
    for summary in summaries:
        base = bases[summary.world.name]
        if summary is not base:
            rows += _gains(summary, base)
    return pd.DataFrame(rows, columns=list(GAIN_COLUMNS))


def _gains(summary: Summary, base: Summary) -> list[tuple[object, ...]]:
    """Return the rows of `who_pays` of a case."""
    cell = (
        summary.case.name,
        summary.world.name,
        summary.world.committed,
        base.case.name,
        f"{summary.labels.years[0]}-{summary.labels.horizon}",
    )
    rows: list[tuple[object, ...]] = []
    # Firms without a home region are left out: makers and traders earn no rent, up to
    # rounding.
    for region, name in summary.labels.regions.items():
        gains = {
            "users": -evaluate(f"cost.buyers.{region}", summary, base),
            "firms": evaluate(f"rents.{region}", summary, base),
            "treasuries": evaluate(f"treasury.{region}", summary, base),
        }
        for who, gain in gains.items():
            rows.append((*cell, who, region, name, gain, "MUSD"))
    home, name = next(iter(summary.labels.regions.items()))
    makers_cost = evaluate(f"cost.buyers.maker.{home}", summary, base)
    rows.append((*cell, "makers_memo", home, name, -makers_cost, "MUSD"))
    return rows


def named_projects(summaries: Sequence[Summary], reference: str | None) -> pd.DataFrame:
    """Return announced projects in service in the last year reported, kwpm.

    Regions are the two subject regions of highest rank. Cases are those of the world
    with the lowest share of committed projects, where the model chooses what is built.
    """
    # Where every project is committed, all cases would show the same builds.
    worlds = [summary.world for summary in summaries]
    uncommitted = min(worlds, key=lambda world: world.committed)
    base = references(summaries, reference)[uncommitted.name]
    cases = [base]
    for summary in summaries:
        if summary.world.name == uncommitted.name and summary is not base:
            cases.append(summary)
    places = (base.labels.subjects or tuple(base.labels.regions))[:PLACES]
    rows = []
    for summary in cases:
        year = summary.labels.years[-1]
        for project in summary.projects:
            if project.region in places:
                rows.append(
                    (
                        summary.case.name,
                        summary.world.name,
                        summary.world.committed,
                        project.site,
                        project.name,
                        project.region,
                        summary.labels.regions[project.region],
                        project.segment,
                        project.size,
                        year,
                        project.in_service[year],
                        "kwpm",
                    )
                )
    frame = pd.DataFrame(rows, columns=list(PROJECT_COLUMNS))
    case_names = [summary.case.name for summary in cases]
    # By region, the largest site first, and within a site in the order of the cases.
    frame["region_order"] = frame["region"].map(list(places).index)
    frame["case_order"] = frame["case"].map(case_names.index)
    frame = frame.sort_values(
        ["region_order", "size", "site", "case_order"],
        ascending=[True, False, True, True],
    )
    return frame.drop(columns=["region_order", "case_order"]).reset_index(drop=True)


def _segment_name(summary: Summary, segment: str) -> str:
    if segment == ALL:
        return "All segments"
    return summary.segment(segment)


def cells_of(table: pd.DataFrame) -> list[tuple[str, str]]:
    """Return the cases and worlds of a table, in their order."""
    return list(dict.fromkeys(zip(table["case"], table["world"], strict=True)))


def cell_name(table: pd.DataFrame, cell: tuple[str, str]) -> str:
    """Return the name of a case, with its world if that is not the first one."""
    case, world = cell
    committed = dict(zip(table["world"], table["committed"], strict=False))
    if world == next(iter(committed)):
        return style.short(case)
    kind = world
    if committed[world] == 0:
        kind = "uncommitted projects"
    return style.short(f"{case} ({kind})", 24)
