"""The tables behind the figures: what is plotted, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from chipmodel.results.metrics import ALL, evaluate
from chipmodel.results.summary import Summary


def references(
    summaries: Sequence[Summary], reference: str | None
) -> dict[str, Summary]:
    """Return the reference of each world; the first solution of the world if none is named."""
    found: dict[str, Summary] = {}
    for own in summaries:
        if own.case.name == reference or (
            reference is None and own.world.name not in found
        ):
            found[own.world.name] = own
    return found


def capacity_by_region(
    summaries: Sequence[Summary], reference: str | None
) -> pd.DataFrame:
    """Capacity over time in the reference of the first world: in all, and at the leading edge."""
    own = next(iter(references(summaries, reference).values()))
    rows = [
        (
            own.case.name,
            own.world.name,
            region,
            own.labels.regions[region],
            segment,
            _segment(own, segment),
            year,
            evaluate(f"capacity.{region}.{segment}.{year}", own),
            "kwpm",
        )
        for segment in (ALL, own.labels.leading)
        for region in own.labels.regions
        for year in own.labels.years
    ]
    return pd.DataFrame(
        rows,
        columns=[
            "case",
            "world",
            "region",
            "name",
            "segment",
            "segment_name",
            "year",
            "value",
            "unit",
        ],
    )


def leading_edge_share(
    summaries: Sequence[Summary], reference: str | None
) -> pd.DataFrame:
    """Share of the world's leading-edge capacity in the last year reported, by case and region."""
    lead = summaries[0].labels.leading
    last = summaries[0].labels.years[-1]
    based = references(summaries, reference)
    rows = []
    for own in summaries:
        for region, name in own.labels.regions.items():
            metric = f"share.capacity.{region}.{lead}.{last}"
            value, base = evaluate(metric, own), evaluate(metric, based[own.world.name])
            rows.append(
                (
                    own.case.name,
                    own.world.name,
                    own.world.committed,
                    region,
                    name,
                    lead,
                    _segment(own, lead),
                    last,
                    based[own.world.name].case.name,
                    value,
                    value - base,
                    "share",
                )
            )
    return pd.DataFrame(
        rows,
        columns=[
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
        ],
    )


def who_pays(summaries: Sequence[Summary], reference: str | None) -> pd.DataFrame:
    """Gains of users, firms by home and treasuries against the reference, and the makers' memo line.

    All of it is in present value over the years solved, and a loss is negative.
    ``makers_memo`` is the change in what device makers of the first region pay for
    chips, negative where they pay more; it reaches users and is not to be added.
    """
    based = references(summaries, reference)
    rows = []
    for own in summaries:
        base = based[own.world.name]
        if own is base:
            continue
        years = f"{own.labels.years[0]}-{own.labels.horizon}"
        cell = (
            own.case.name,
            own.world.name,
            own.world.committed,
            base.case.name,
            years,
        )
        # What no region owns has no home: rents of makers and traders, which are zero
        # up to rounding.
        for region, name in own.labels.regions.items():
            gains = {
                "users": -evaluate(f"cost.buyers.{region}", own, base),
                "firms": evaluate(f"rents.{region}", own, base),
                "treasuries": evaluate(f"treasury.{region}", own, base),
            }
            rows += [
                (*cell, who, region, name, value, "MUSD")
                for who, value in gains.items()
            ]
        first = next(iter(own.labels.regions))
        dearer = evaluate(f"cost.buyers.maker.{first}", own, base)
        rows.append(
            (*cell, "makers_memo", first, own.labels.regions[first], -dearer, "MUSD")
        )
    columns = [
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
    ]
    return pd.DataFrame(rows, columns=columns)


def named_projects(summaries: Sequence[Summary], reference: str | None) -> pd.DataFrame:
    """Announced projects in the two subject regions of highest rank: kwpm in service in the last year reported.

    The cases are those of the world with the least of its commitments kept, where
    builds are a choice.
    """
    least = min(own.world.committed for own in summaries)
    freest = next(own.world.name for own in summaries if own.world.committed == least)
    there = [own for own in summaries if own.world.name == freest]
    base = references(summaries, reference)[freest]
    order = [base, *(own for own in there if own is not base)]
    places = (base.labels.subjects or tuple(base.labels.regions))[:2]
    rows = []
    for own in order:
        rows += [
            (
                own.case.name,
                own.world.name,
                own.world.committed,
                p.site,
                p.name,
                p.region,
                own.labels.regions[p.region],
                p.segment,
                p.size,
                own.labels.years[-1],
                p.in_service[own.labels.years[-1]],
                "kwpm",
            )
            for p in own.projects
            if p.region in places
        ]
    columns = [
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
    ]
    frame = pd.DataFrame(rows, columns=columns)
    frame["order"] = frame["region"].map({r: i for i, r in enumerate(places)})
    frame["case_order"] = frame["case"].map(
        {own.case.name: i for i, own in enumerate(order)}
    )
    frame = frame.sort_values(
        ["order", "size", "site", "case_order"], ascending=[True, False, True, True]
    )
    return frame.drop(columns=["order", "case_order"]).reset_index(drop=True)


def _segment(own: Summary, segment: str) -> str:
    return "All segments" if segment == ALL else own.segment(segment)
