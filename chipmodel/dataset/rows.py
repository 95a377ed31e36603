"""The tables of the data package: one frozen pydantic model per kind of row.

A table is a CSV file with the columns of its model, in their order. A table of facts
ends with ``value, unit, year_of_money, low, high, source, grade, note``. Units are
fixed per item: a row in another unit is refused, never converted.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from chipmodel.common.ids import ID_PATTERN, REGION_PATTERN
from chipmodel.dataset.fields import (
    Date,
    Fact,
    FirmId,
    InputId,
    Name,
    OptionalRegion,
    OptionalYear,
    Package,
    Rank,
    Ref,
    RegionId,
    Row,
    SegmentId,
    SourceId,
    Year,
)


class RegionRow(Row):
    """A region of the world."""

    key: ClassVar[tuple[str, ...]] = ("region",)
    about: ClassVar[str] = (
        "Regions. The subject regions come first in every headline table; rank only"
        " breaks ties."
    )

    region: Annotated[str, Field(pattern=REGION_PATTERN)]
    name: str
    subject: bool
    rank: Rank
    note: str


class SegmentRow(Row):
    """A segment of chips."""

    key: ClassVar[tuple[str, ...]] = ("segment",)
    about: ClassVar[str] = "Segments of chips by process and product."

    segment: Name
    name: str
    note: str


class FirmRow(Row):
    """A maker of chips or a packaging house."""

    key: ClassVar[tuple[str, ...]] = ("firm",)
    about: ClassVar[str] = (
        "Firms and their homes; 'host' means at home wherever it stands."
    )

    firm: Name
    name: str
    home: Annotated[str, Ref("regions", also=("host",))]
    note: str


def regional_pool(region: str) -> str:
    """Return the holder of the budget that the other firms of a home region share.

    >>> regional_pool("USA")
    'pool_usa'
    """
    return f"pool_{region.lower()}"


class BudgetRow(Fact):
    """What a firm can invest in new fabs in a year."""

    key: ClassVar[tuple[str, ...]] = ("holder", "base_year")
    about: ClassVar[str] = (
        "Yearly investment budgets for new fab capacity, by firm or by the pool of a"
        " home region."
    )
    units: ClassVar[dict[str, str]] = {"*": "MUSD/year"}

    holder: Name
    base_year: Year


class FleetRow(Fact):
    """Capacity that runs in a base year."""

    key: ClassVar[tuple[str, ...]] = ("base_year", "region", "segment", "firm")
    about: ClassVar[str] = "Fab capacity in service in each base year."
    units: ClassVar[dict[str, str]] = {"*": "kwpm"}

    base_year: Year
    region: RegionId
    segment: SegmentId
    firm: FirmId


class ProjectRow(Fact):
    """An announced fab with a stated size."""

    key: ClassVar[tuple[str, ...]] = ("site", "as_of")
    about: ClassVar[str] = (
        "Announced fabs by date of the information; a later row of a site supersedes."
    )
    units: ClassVar[dict[str, str]] = {"*": "kwpm"}

    site: Name
    as_of: Date
    name: str
    firm: FirmId
    region: RegionId
    segment: SegmentId
    earliest: Year
    construction_begun: OptionalYear
    status: Literal["operating", "construction", "planned", "cancelled"]


class ProjectFactRow(Fact):
    """A number that belongs to a project: commitment, award or announced capital cost."""

    key: ClassVar[tuple[str, ...]] = ("site", "item", "treasury")
    about: ClassVar[str] = (
        "Share physically under way, public awards and announced budgets of projects."
    )
    units: ClassVar[dict[str, str]] = {
        "committed": "share",
        "award": "MUSD",
        "announced_capex": "MUSD",
    }

    site: Annotated[str, Field(pattern=ID_PATTERN), Ref("projects")]
    item: Literal["committed", "award", "announced_capex"]
    treasury: OptionalRegion


class UndisclosedRow(Row):
    """A project that was left out, and why."""

    key: ClassVar[tuple[str, ...]] = ("name", "region")
    about: ClassVar[str] = "Announced projects left out of the model and the reason."

    name: str
    firm_name: str
    region: RegionId
    segment: str
    reason: str
    source: SourceId


class ExpansionRow(Fact):
    """Weight of a firm's place in the additions to a segment."""

    key: ClassVar[tuple[str, ...]] = ("base_year", "region", "segment", "firm")
    about: ClassVar[str] = (
        "Share of a segment's additions that a firm's place takes at equal cost, by"
        " base year."
    )
    units: ClassVar[dict[str, str]] = {"*": "share"}
    bounds: ClassVar[dict[str, tuple[float | None, float | None]]] = {"*": (1e-4, 1.0)}

    base_year: Year
    region: RegionId
    segment: SegmentId
    firm: FirmId


class CostRow(Fact):
    """Cost of a segment at the reference place."""

    key: ClassVar[tuple[str, ...]] = ("segment", "item")
    about: ClassVar[str] = (
        "Capital, running and input cost by segment at the reference place, cost"
        " multiplier 1."
    )
    units: ClassVar[dict[str, str]] = {
        "capex": "MUSD/kwpm",
        "running": "USD/wafer",
        "inputs": "USD/wafer",
    }
    bounds: ClassVar[dict[str, tuple[float | None, float | None]]] = {
        "*": (0.0, None),
        "capex": (0.01, None),
    }

    segment: SegmentId
    item: Literal["capex", "running", "inputs"]


class CostFactorRow(Fact):
    """What a place costs relative to the reference place."""

    key: ClassVar[tuple[str, ...]] = ("region", "item")
    about: ClassVar[str] = (
        "Cost of building, running and the premium of each place relative to the"
        " reference place."
    )
    units: ClassVar[dict[str, str]] = {"*": "factor"}
    bounds: ClassVar[dict[str, tuple[float | None, float | None]]] = {"*": (0.1, 10.0)}

    region: RegionId
    item: Literal["building", "running", "place"]


class IncentiveRow(Fact):
    """What a government paid of the ten-year cost of a new fab."""

    key: ClassVar[tuple[str, ...]] = ("region", "year")
    about: ClassVar[str] = (
        "Incentives of a year as a share of the ten-year cost of a new fab before them."
    )
    units: ClassVar[dict[str, str]] = {"*": "share"}
    bounds: ClassVar[dict[str, tuple[float | None, float | None]]] = {"*": (0.0, 0.9)}

    region: RegionId
    year: Year


class ConstructionRow(Fact):
    """How long permits and building take in a place."""

    key: ClassVar[tuple[str, ...]] = ("region", "item")
    about: ClassVar[str] = (
        "Months of permits and design, and of construction start to production."
    )
    units: ClassVar[dict[str, str]] = {"*": "months"}
    bounds: ClassVar[dict[str, tuple[float | None, float | None]]] = {"*": (0.0, 120.0)}

    region: RegionId
    item: Literal["permit", "build"]


class PriceRow(Fact):
    """Reference price of a segment and its dutiable part."""

    key: ClassVar[tuple[str, ...]] = ("segment", "item")
    about: ClassVar[str] = (
        "Reference chip price per wafer and the share of it that customs values."
    )
    units: ClassVar[dict[str, str]] = {
        "reference": "USD/wafer",
        "customs_share": "share",
    }

    segment: SegmentId
    item: Literal["reference", "customs_share"]


class OperationRow(Fact):
    """How hard fabs run."""

    key: ClassVar[tuple[str, ...]] = ("segment", "item")
    about: ClassVar[str] = "Utilisation in the base year, at the trough and at most."
    units: ClassVar[dict[str, str]] = {"*": "share"}

    segment: SegmentId
    item: Literal["u_base", "u_min", "u_max"]


class ElasticityRow(Fact):
    """Price elasticity of demand, or of substitution between origins."""

    key: ClassVar[tuple[str, ...]] = ("segment", "item")
    about: ClassVar[str] = (
        "Elasticity of demand by segment, and of substitution between origins (segment"
        " 'all')."
    )
    units: ClassVar[dict[str, str]] = {"*": "elasticity"}
    bounds: ClassVar[dict[str, tuple[float | None, float | None]]] = {
        "demand": (-10.0, -0.05),
        "substitution": (0.1, None),
    }

    segment: Annotated[str, Field(pattern=ID_PATTERN), Ref("segments", also=("all",))]
    item: Literal["demand", "substitution"]


class DemandRow(Fact):
    """Growth of demand at the reference price."""

    key: ClassVar[tuple[str, ...]] = ("segment", "year_from", "year_to")
    about: ClassVar[str] = "Growth a year of wafers demanded at the reference price."
    units: ClassVar[dict[str, str]] = {"*": "share/year"}
    bounds: ClassVar[dict[str, tuple[float | None, float | None]]] = {"*": (-0.5, 1.0)}

    segment: SegmentId
    year_from: Year
    year_to: Year


class DemandLocationRow(Fact):
    """Where devices are made and where they are used."""

    key: ClassVar[tuple[str, ...]] = ("criterion", "region")
    about: ClassVar[str] = (
        "Shares of the world's chips by place of device making and by place of use."
    )
    units: ClassVar[dict[str, str]] = {"*": "share"}

    criterion: Literal["maker", "user"]
    region: RegionId


class AssemblyRow(Fact):
    """An assembly and packaging plant, or the room to add one."""

    key: ClassVar[tuple[str, ...]] = ("site", "package")
    about: ClassVar[str] = (
        "Assembly and packaging capacity: running, announced, and places where more can"
        " be added."
    )
    units: ClassVar[dict[str, str]] = {"*": "kwpm"}

    site: Name
    kind: Literal["fleet", "project", "greenfield"]
    package: Package
    name: str
    firm: FirmId
    region: RegionId
    earliest: OptionalYear


class AssemblyCostRow(Fact):
    """Cost and lead time of assembly."""

    key: ClassVar[tuple[str, ...]] = ("package", "item")
    about: ClassVar[str] = (
        "Capital and running cost of packaging, and its lead time (package 'all')."
    )
    units: ClassVar[dict[str, str]] = {
        "capex": "MUSD/kwpm",
        "running": "USD/wafer",
        "lead": "months",
    }

    package: Literal["standard", "advanced", "all"]
    item: Literal["capex", "running", "lead"]


class AssemblyRecipeRow(Fact):
    """Packaging needed per wafer."""

    key: ClassVar[tuple[str, ...]] = ("segment", "package")
    about: ClassVar[str] = (
        "Share of a segment's wafers that need each kind of packaging."
    )
    units: ClassVar[dict[str, str]] = {"*": "share"}

    segment: SegmentId
    package: Package


class AssemblyRouteRow(Row):
    """A pair of places between which wafers travel to be packaged."""

    key: ClassVar[tuple[str, ...]] = ("region", "assembly_region")
    about: ClassVar[str] = "Where wafers of a region may be packaged."

    region: RegionId
    assembly_region: RegionId


class FreightRow(Fact):
    """Freight per leg."""

    key: ClassVar[tuple[str, ...]] = ("leg",)
    about: ClassVar[str] = "Freight per leg as a share of the reference chip price."
    units: ClassVar[dict[str, str]] = {"*": "share"}

    leg: Literal["domestic", "international"]


class InputRow(Row):
    """An upstream input."""

    key: ClassVar[tuple[str, ...]] = ("input",)
    about: ClassVar[str] = (
        "Upstream inputs: needed per wafer made or per unit of capacity added."
    )

    input: Name
    name: str
    basis: Literal["wafer", "capacity"]
    note: str


class InputSupplyRow(Fact):
    """A region's share of the supply of an input."""

    key: ClassVar[tuple[str, ...]] = ("input", "supplier")
    about: ClassVar[str] = (
        "Supplier shares of upstream inputs by headquarters of the supplier."
    )
    units: ClassVar[dict[str, str]] = {"*": "share"}

    input: InputId
    supplier: RegionId


class InputRecipeRow(Fact):
    """Need of an input per wafer or per kwpm added, as an index."""

    key: ClassVar[tuple[str, ...]] = ("input", "segment")
    about: ClassVar[str] = (
        "Need of each input by segment, an index; no row means not needed."
    )
    units: ClassVar[dict[str, str]] = {"*": "index"}

    input: InputId
    segment: SegmentId


class InputFactRow(Fact):
    """Slack, replacement speed and premium of an input."""

    key: ClassVar[tuple[str, ...]] = ("input", "item")
    about: ClassVar[str] = (
        "Spare supply of an input, how fast it is replaced when withheld, and at what"
        " premium."
    )
    units: ClassVar[dict[str, str]] = {
        "slack": "share",
        "replacement": "share/year",
        "premium": "share",
    }
    bounds: ClassVar[dict[str, tuple[float | None, float | None]]] = {
        "*": (0.0, None),
        "slack": (0.0, 100.0),
        "premium": (0.0, 10.0),
    }

    input: InputId
    item: Literal["slack", "replacement", "premium"]


class TariffRow(Fact):
    """A tariff in force."""

    key: ClassVar[tuple[str, ...]] = (
        "importer",
        "origin",
        "law",
        "year_from",
        "year_to",
    )
    about: ClassVar[str] = "Tariffs in force on chips."
    units: ClassVar[dict[str, str]] = {"*": "share"}
    bounds: ClassVar[dict[str, tuple[float | None, float | None]]] = {"*": (0.0, 5.0)}

    importer: RegionId
    origin: Annotated[str, Ref("regions", also=("all",))]
    law: Name
    year_from: Year
    year_to: Year


class MacroRow(Fact):
    """GDP and exchange rates."""

    key: ClassVar[tuple[str, ...]] = ("region", "item", "year")
    about: ClassVar[str] = "Gross domestic product and exchange rates."
    units: ClassVar[dict[str, str]] = {"gdp": "USD billion", "fx": "per USD"}

    region: RegionId
    item: Literal["gdp", "fx"]
    year: Year


class AllianceRow(Fact):
    """What allies pay, pledge and trade beside chips; nothing of it enters the programme."""

    key: ClassVar[tuple[str, ...]] = ("region", "item", "year")
    about: ClassVar[str] = (
        "Trade with the United States, host-nation support, defence and pledges of"
        " allies."
    )
    units: ClassVar[dict[str, str]] = {
        "goods_surplus": "USD billion",
        "host_nation_support": "USD billion",
        "defence": "share",
        "defence_asked": "share",
        "investment_pledge": "USD billion",
        "credit_guarantee": "USD billion",
        "lng_project": "USD billion",
    }

    region: RegionId
    item: Literal[
        "goods_surplus",
        "host_nation_support",
        "defence",
        "defence_asked",
        "investment_pledge",
        "credit_guarantee",
        "lng_project",
    ]
    year: Year


class ParameterRow(Fact):
    """A scalar of the model."""

    key: ClassVar[tuple[str, ...]] = ("parameter",)
    about: ClassVar[str] = "Scalars of the model."
    units: ClassVar[dict[str, str]] = {
        "economic_life": "year",
        "building_share": "share",
        "expansion_share": "share",
        "slope": "factor",
        "multiplier_start": "factor",
        "multiplier_end": "factor",
        "greenfield_premium": "share",
        "running_spread": "share",
        "inflation": "share/year",
        "route_minimum": "share",
        "home_seed": "factor",
        "capital_step": "share",
        "capital_premium": "share",
        "demand_2019": "share",
        "demand_2020": "share",
    }
    bounds: ClassVar[dict[str, tuple[float | None, float | None]]] = {
        "*": (0.0, None),
        "economic_life": (1.0, 100.0),
        "slope": (0.2, 20.0),
        "multiplier_start": (0.5, 3.0),
        "multiplier_end": (0.5, 3.0),
        "route_minimum": (0.0, 0.1),
        "home_seed": (0.01, 100.0),
        "demand_2019": (0.1, 1.0),
        "demand_2020": (0.1, 1.0),
    }

    parameter: Literal[
        "economic_life",
        "building_share",
        "expansion_share",
        "slope",
        "multiplier_start",
        "multiplier_end",
        "greenfield_premium",
        "running_spread",
        "inflation",
        "route_minimum",
        "home_seed",
        "capital_step",
        "capital_premium",
        "demand_2019",
        "demand_2020",
    ]


class TargetRow(Fact):
    """A published result the model is held against; low and high are the band of a fair reader."""

    key: ClassVar[tuple[str, ...]] = ("target", "metric")
    about: ClassVar[str] = (
        "Published results held against the model: what was published, its role and the"
        " band."
    )
    bounds: ClassVar[dict[str, tuple[float | None, float | None]]] = {}

    target: Annotated[str, Field(pattern=r"^T[0-9]{2}$")]
    metric: str
    role: Literal["input", "test", "derived", "context"]
    result: str
    experiment: str
    on_support: bool
    reason: str


class RouteStepRow(Fact):
    """Widening of a route in one step of route inertia."""

    key: ClassVar[tuple[str, ...]] = ("step",)
    about: ClassVar[str] = (
        "Steps of route inertia: widening of a route relative to its pattern."
    )
    units: ClassVar[dict[str, str]] = {"*": "share"}
    bounds: ClassVar[dict[str, tuple[float | None, float | None]]] = {
        "*": (1e-6, 100.0)
    }

    step: Rank


class DeviceStepRow(Fact):
    """A step of moving device making."""

    key: ClassVar[tuple[str, ...]] = ("step", "item")
    about: ClassVar[str] = (
        "Steps of moving device making: width as a share of the user's devices, and"
        " premium."
    )
    units: ClassVar[dict[str, str]] = {"*": "share"}
    bounds: ClassVar[dict[str, tuple[float | None, float | None]]] = {
        "width": (0.0, 100.0),
        "premium": (0.0, 10.0),
    }

    step: Rank
    item: Literal["width", "premium"]


class SourceRow(Row):
    """A source."""

    key: ClassVar[tuple[str, ...]] = ("source",)
    about: ClassVar[str] = "Citations. Interested parties are marked."

    source: Name
    title: str
    publisher: str
    year: OptionalYear
    url: str
    interested: bool
    note: str


TABLES: dict[str, type[Row]] = {
    "regions": RegionRow,
    "segments": SegmentRow,
    "firms": FirmRow,
    "budgets": BudgetRow,
    "fleets": FleetRow,
    "projects": ProjectRow,
    "project_facts": ProjectFactRow,
    "undisclosed": UndisclosedRow,
    "expansion": ExpansionRow,
    "costs": CostRow,
    "cost_factors": CostFactorRow,
    "incentives": IncentiveRow,
    "construction": ConstructionRow,
    "prices": PriceRow,
    "operation": OperationRow,
    "elasticities": ElasticityRow,
    "demand": DemandRow,
    "demand_location": DemandLocationRow,
    "assembly": AssemblyRow,
    "assembly_costs": AssemblyCostRow,
    "assembly_recipes": AssemblyRecipeRow,
    "assembly_routes": AssemblyRouteRow,
    "freight": FreightRow,
    "inputs": InputRow,
    "input_supply": InputSupplyRow,
    "input_recipes": InputRecipeRow,
    "input_facts": InputFactRow,
    "tariffs": TariffRow,
    "macro": MacroRow,
    "alliance": AllianceRow,
    "parameters": ParameterRow,
    "route_steps": RouteStepRow,
    "device_steps": DeviceStepRow,
    "targets": TargetRow,
    "sources": SourceRow,
}
"""Every table of the data package and the model of its rows."""


def columns(model: type[Row]) -> list[str]:
    """Return the columns of a table in the order of its file: keys, attributes, then the fact."""
    if not issubclass(model, Fact):
        return list(model.model_fields)
    return [
        name for name in model.model_fields if name not in Fact.model_fields
    ] + list(Fact.model_fields)


def references(model: type[Row]) -> dict[str, Ref]:
    """Return the columns of a table that refer to keys of another."""
    return {
        name: mark
        for name, field in model.model_fields.items()
        for mark in field.metadata
        if isinstance(mark, Ref)
    }
