"""What tests of trade rules share: instruments by name and small worlds."""

from __future__ import annotations

from helpers import add, change
from paper import CRF, bare

from chipmodel import Tariff
from chipmodel.policies.capacity_linked_quota import CapacityLinkedQuota
from chipmodel.policies.concentration_cap import ConcentrationCap
from chipmodel.policies.embargo import Embargo
from chipmodel.policies.export_control import ExportControl
from chipmodel.policies.free_trade_area import FreeTradeArea
from chipmodel.policies.import_quota import ImportQuota

CHEAPER = CRF * 10 + 1.2
"""By how much a wafer of a new plant is cheaper in BBB, where it builds at 90 and runs
at 10.8.
"""


def quota(most: float = 0.5, **changes) -> ImportQuota:
    """A quota of AAA on chips from BBB in 2026."""
    return ImportQuota.model_validate(
        {
            "id": "limit",
            "importer": "AAA",
            "origins": ("BBB",),
            "quota": most,
            "on": "chips",
            "rent_to": "exporter",
            "years": (2026, 2026),
            "source": "own",
            **changes,
        }
    )


def control(**changes) -> ExportControl:
    """A control of BBB on its exports to AAA in 2026."""
    form = {} if "input" in changes else {"on": "chips"}
    return ExportControl.model_validate(
        {
            "id": "control",
            "exporter": "BBB",
            "destination": "AAA",
            "rent_to": "exporter",
            "years": (2026, 2026),
            "source": "own",
            **form,
            **changes,
        }
    )


def embargo(**changes) -> Embargo:
    """Nothing of BBB may go to AAA in 2026."""
    form = {} if "input" in changes else {"on": "chips"}
    return Embargo.model_validate(
        {
            "id": "ban",
            "origin": "BBB",
            "destination": "AAA",
            "years": (2026, 2026),
            "source": "own",
            **form,
            **changes,
        }
    )


def cap(share: float = 0.95, **changes) -> ConcentrationCap:
    """No more than a share of the chips of AAA may come from BBB in 2026."""
    return ConcentrationCap.model_validate(
        {
            "id": "spread",
            "market": "AAA",
            "share": share,
            "on": "chips",
            "years": (2026, 2026),
            "source": "own",
            **changes,
        }
    )


def duty(rate: float, name: str = "duty", **changes) -> Tariff:
    """A duty of AAA on chips from BBB in 2026."""
    return Tariff.model_validate(
        {
            "id": name,
            "importer": "AAA",
            "origins": ("BBB",),
            "rate": rate,
            "on": "chips",
            "years": (2026, 2026),
            "source": "own",
            **changes,
        }
    )


def area_of_two(**changes) -> FreeTradeArea:
    return FreeTradeArea.model_validate(
        {
            "id": "union",
            "members": ("AAA", "BBB"),
            "years": (2026, 2026),
            "source": "own",
            **changes,
        }
    )


def allowance(**changes) -> CapacityLinkedQuota:
    """Makers of BBB who build in AAA are relieved of the duty."""
    return CapacityLinkedQuota.model_validate(
        {
            "id": "terms",
            "relieves": "duty",
            "partner": "BBB",
            "under_construction": 1.0,
            "in_service": 1.5,
            "approved_from": 2026,
            "years": (2026, 2040),
            "source": "own",
            **changes,
        }
    )


def near_and_far(variant, *edits, **kwargs):
    """The fleet and all buyers are in AAA; a new plant costs 60 a wafer there and 57.31
    in BBB.
    """
    return bare(
        variant,
        change("cost_factors", {"region": "BBB", "item": "running"}, value=0.9),
        *edits,
        fleets={"AAA": 10},
        place={"AAA": 1, "BBB": 0.9},
        **kwargs,
    )


def resist(variant, suppliers: dict[str, float] | None = None):
    """Resist for every wafer, 0.7 of it from AAA and 0.3 from BBB, no slack, a
    twentieth a year replaced at 3.
    """
    shares = suppliers or {"AAA": 0.7, "BBB": 0.3}
    inputs = (
        add("inputs", input="resist", name="Photoresist", basis="wafer", note=""),
        *(
            add(
                table,
                input="resist",
                value=value,
                unit=unit,
                source="test",
                grade="A",
                note="",
                **key,
            )
            for table, value, unit, key in [
                *(
                    ("input_supply", share, "share", {"supplier": k})
                    for k, share in shares.items()
                ),
                ("input_recipes", 1, "index", {"segment": "chip"}),
                ("input_facts", 0, "share", {"item": "slack"}),
                ("input_facts", 0.05, "share", {"item": "premium"}),
                ("input_facts", 0.05, "share/year", {"item": "replacement"}),
            ]
        ),
    )
    return bare(variant, *inputs, fleets={"AAA": 10}, place={"AAA": 1})


def beta_abroad(variant):
    """The two-region data set with BBB's firm building chips in AAA as well."""
    return variant(
        change("expansion", {"region": "AAA", "segment": "chip"}, value=0.2),
        add("expansion", {"region": "AAA", "segment": "chip"}, firm="beta", value=0.2),
    )
