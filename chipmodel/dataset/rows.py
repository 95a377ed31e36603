"""The tables of the data package: one frozen pydantic model per kind of row.

A table is a CSV file with the columns of its model, in their order. A table of facts
ends with ``value, unit, year_of_money, low, high, source, grade, note``. Units are
fixed per item: a row in another unit is refused, never converted. The meaning of a
column is the description of its field, or that of the field's type in `fields`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from chipmodel.common.ids import ID_PATTERN, REGION_PATTERN, TARGET_PATTERN
from chipmodel.dataset.fields import (
    BaseYear,
    Date,
    Fact,
    Finite,
    FirmId,
    FirstYear,
    InputId,
    Item,
    Label,
    LastYear,
    Name,
    Note,
    OptionalNumber,
    OptionalRegion,
    OptionalYear,
    Package,
    Rank,
    Ref,
    RegionId,
    Row,
    SegmentId,
    SourceId,
    StepNumber,
    Year,
)


class RegionRow(
    Row,
    key=("region",),
    about=(
        "Regions. The subject regions come first in every headline table; rank only "
        "breaks ties."
    ),
):
    """A region of the world."""

    region: Annotated[str, Field(pattern=REGION_PATTERN)] = Field(
        description="Id of the region: three capitals."
    )
    name: Label
    subject: bool = Field(
        description=(
            "Whether the region is a subject of the study and comes first in every "
            "headline table."
        )
    )
    rank: Rank = Field(description="Breaks ties; has no other meaning.")
    note: Note


class SegmentRow(
    Row,
    key=("segment",),
    about="Segments of chips by process and product.",
):
    """A segment of chips."""

    segment: Name = Field(description="Id of the segment.")
    name: Label
    leading: bool = Field(
        description=(
            "Whether it is the segment of leading-edge chips; exactly one segment is."
        )
    )
    note: Note


def regional_pool(region: str) -> str:
    """Return the holder of the budget that the other firms of a home region share.

    >>> regional_pool("USA")
    'pool_usa'
    """
    return f"pool_{region.lower()}"


class FirmRow(
    Row,
    key=("firm",),
    about="Firms and their homes; 'host' means at home in the region of each plant.",
):
    """A maker of chips or a packaging firm."""

    firm: Name = Field(
        description="Id of the firm; 'other' is every maker that is not named."
    )
    name: Label
    home: Annotated[str, Ref("regions", also=("host",))] = Field(
        description=(
            "Home region of the firm; 'host' for the region of each of its plants."
        )
    )
    note: Note


class BudgetRow(
    Fact,
    key=("holder", "base_year"),
    about=(
        "Yearly investment budgets for new fab capacity, by firm or by the pool of a "
        "home region."
    ),
    units={"*": "MUSD/year"},
):
    """What a firm can invest in new fabs in a year."""

    holder: Name = Field(
        description=(
            "A firm, or the pool of the other firms of a region (pool_usa and so on)."
        )
    )
    base_year: BaseYear


class FleetRow(
    Fact,
    key=("base_year", "region", "segment", "firm"),
    about="Fab capacity in service in each base year.",
    units={"*": "kwpm"},
):
    """Capacity that runs in a base year."""

    base_year: BaseYear
    region: RegionId
    segment: SegmentId
    firm: FirmId


class ProjectRow(
    Fact,
    key=("site", "as_of"),
    about=(
        "Announced fabs by date of the information; a later row of a site supersedes."
    ),
    units={"*": "kwpm"},
):
    """An announced fab with a stated size."""

    site: Name = Field(description="Id of the site.")
    as_of: Date = Field(
        description=(
            "Date of the information; a later row of the same site supersedes it."
        )
    )
    name: Label
    firm: FirmId
    region: RegionId
    segment: SegmentId
    earliest: Year = Field(description="First calendar year in service.")
    construction_begun: OptionalYear = Field(
        description="Year construction began; empty if it has not."
    )
    status: Literal["operating", "construction", "planned", "cancelled"] = Field(
        description="What was known of the project on that date."
    )
    value: Finite = Field(description="Size of the site at full build.")


class ProjectFactRow(
    Fact,
    key=("site", "item", "treasury"),
    about=(
        "Share physically under way, public awards and announced budgets of projects."
    ),
    units={"committed": "share", "award": "MUSD", "announced_capex": "MUSD"},
):
    """A number of a project: commitment, award or announced capital cost."""

    site: Annotated[str, Field(pattern=ID_PATTERN), Ref("projects")] = Field(
        description="Id of the site."
    )
    item: Item[Literal["committed", "award", "announced_capex"]]
    treasury: OptionalRegion = Field(
        description="Region that pays the award; empty for anything else."
    )


class UndisclosedRow(
    Row,
    key=("name", "region"),
    about="Announced projects left out of the model and the reason.",
):
    """A project that was left out, and why."""

    name: Label
    firm_name: str = Field(description="Firm as it is called in the source.")
    region: RegionId
    segment: str = Field(description="Segment, where it is known.")
    reason: str = Field(description="Why it was left out.")
    source: SourceId


class ExpansionRow(
    Fact,
    key=("base_year", "region", "segment", "firm"),
    about=(
        "Share of a segment's additions that a firm's place takes at equal cost, by "
        "base year."
    ),
    units={"*": "share"},
    # Above zero, because the model divides by it; a place that cannot add capacity has
    # no row.
    bounds={"*": (0.0001, 1.0)},
):
    """Weight of a firm's place in the additions to a segment."""

    base_year: BaseYear
    region: RegionId
    segment: SegmentId
    firm: FirmId


class CostRow(
    Fact,
    key=("segment", "item"),
    about=(
        "Capital, running and input cost by segment at the reference place, cost "
        "multiplier 1."
    ),
    units={"capex": "MUSD/kwpm", "running": "USD/wafer", "inputs": "USD/wafer"},
    # Above zero: support is computed as a share of capital cost.
    bounds={"*": (0.0, None), "capex": (0.01, None)},
):
    """Cost of a segment at the reference place."""

    segment: SegmentId
    item: Item[Literal["capex", "running", "inputs"]]


class CostFactorRow(
    Fact,
    key=("region", "item"),
    about=(
        "Cost of building and of running of each place relative to the reference place."
    ),
    units={"*": "factor"},
    bounds={"*": (0.1, 10.0)},
):
    """What a place costs relative to the reference place."""

    region: RegionId
    item: Item[Literal["building", "running"]]


class PlaceResidualRow(
    Fact,
    key=("region", "segment"),
    about=(
        "Cost of a wafer of a new fab that no bill of a place explains: calibrated, "
        "below zero where more is built than costs explain."
    ),
    units={"*": "USD/wafer"},
    bounds={"*": (-50_000.0, 50_000.0)},
):
    """What a place adds to the cost of a wafer beyond what is billed."""

    region: RegionId
    segment: SegmentId


class YieldRow(
    Fact,
    key=("segment", "firm"),
    about=(
        "Share of the dies of a wafer that are good, by firm; only ratios within a "
        "segment matter. Firm 'other' holds every firm without a row."
    ),
    units={"*": "share"},
    bounds={"*": (1e-3, 1.0)},
):
    """Yield of a firm in a segment, in the base year."""

    segment: SegmentId
    firm: FirmId


class IncentiveRow(
    Fact,
    key=("region", "year"),
    about=(
        "Incentives of a year as a share of the ten-year cost of a new fab before them."
    ),
    units={"*": "share"},
    bounds={"*": (0.0, 0.9)},
):
    """What a government paid of the ten-year cost of a new fab."""

    region: RegionId
    year: Year


class ConstructionRow(
    Fact,
    key=("region", "item"),
    about="Months of permits and design, and of construction start to production.",
    units={"*": "months"},
    bounds={"*": (0.0, 120.0)},
):
    """How long permits and building take in a place."""

    region: RegionId
    item: Item[Literal["permit", "build"]]


class PriceRow(
    Fact,
    key=("segment", "item"),
    about="Reference chip price per wafer and the share of it that customs values.",
    units={"reference": "USD/wafer", "customs_share": "share"},
):
    """Reference price of a segment and its dutiable part."""

    segment: SegmentId
    item: Item[Literal["reference", "customs_share"]]


class OperationRow(
    Fact,
    key=("segment", "item"),
    about="Utilisation in the base year, at the trough and at its maximum.",
    units={"*": "share"},
):
    """How hard fabs run."""

    segment: SegmentId
    item: Item[Literal["u_base", "u_min", "u_max"]]


class ElasticityRow(
    Fact,
    key=("segment", "item"),
    about=(
        "Elasticity of demand by segment, and of substitution between origins (segment "
        "'all')."
    ),
    units={"*": "elasticity"},
    # Neither may be zero: the model divides by both.
    bounds={"demand": (-10.0, -0.05), "substitution": (0.1, None)},
):
    """Price elasticity of demand, or of substitution between origins."""

    segment: Annotated[
        str, Field(pattern=ID_PATTERN), Ref("segments", also=("all",))
    ] = Field(description="Segment of chips.")
    item: Item[Literal["demand", "substitution"]]


class DemandRow(
    Fact,
    key=("segment", "year_from", "year_to"),
    about="Growth a year of wafers demanded at the reference price.",
    units={"*": "share/year"},
    bounds={"*": (-0.5, 1.0)},
):
    """Growth of demand at the reference price."""

    segment: SegmentId
    year_from: FirstYear
    year_to: LastYear


class DemandLocationRow(
    Fact,
    key=("criterion", "region"),
    about="Shares of the world's chips by place of device making and by place of use.",
    units={"*": "share"},
):
    """Where devices are made and where they are used."""

    criterion: Literal["maker", "user"] = Field(
        description="By place of device making (maker) or by place of use (user)."
    )
    region: RegionId


class AssemblyRow(
    Fact,
    key=("site", "package"),
    about=(
        "Assembly and packaging capacity: running, announced, and places where more "
        "can be added."
    ),
    units={"*": "kwpm"},
):
    """An assembly and packaging plant, or a place where one can be added."""

    site: Name = Field(description="Id of the site.")
    kind: Literal["fleet", "project", "greenfield"] = Field(
        description=(
            "Running (fleet), announced (project), or a place where more can be added "
            "(greenfield, of no stated size)."
        )
    )
    package: Package = Field(description="Kind of packaging.")
    name: Label
    firm: FirmId
    region: RegionId
    earliest: OptionalYear = Field(
        description="First calendar year in service, for projects only."
    )


class AssemblyCostRow(
    Fact,
    key=("package", "item"),
    about="Capital and running cost of packaging, and its lead time (package 'all').",
    units={"capex": "MUSD/kwpm", "running": "USD/wafer", "lead": "months"},
):
    """Cost and lead time of assembly."""

    package: Literal["standard", "advanced", "all"] = Field(
        description="Kind of packaging."
    )
    item: Item[Literal["capex", "running", "lead"]]


class AssemblyRecipeRow(
    Fact,
    key=("segment", "package"),
    about="Share of a segment's wafers that need each kind of packaging.",
    units={"*": "share"},
):
    """Packaging needed per wafer."""

    segment: SegmentId
    package: Package = Field(description="Kind of packaging.")


class AssemblyRouteRow(
    Row,
    key=("region", "assembly_region"),
    about="Where wafers of a region may be packaged.",
):
    """A pair of places between which wafers travel to be packaged."""

    region: RegionId
    assembly_region: RegionId = Field(description="Region of packaging.")


class FreightRow(
    Fact,
    key=("leg",),
    about="Freight per leg as a share of the reference chip price.",
    units={"*": "share"},
):
    """Freight per leg."""

    leg: Literal["domestic", "international"] = Field(
        description="Inside one region, or between two."
    )


class InputRow(
    Row,
    key=("input",),
    about="Upstream inputs: needed per wafer made or per unit of capacity added.",
):
    """An upstream input."""

    input: Name = Field(description="Id of the input.")
    name: Label
    basis: Literal["wafer", "capacity"] = Field(
        description="Needed per wafer made, or per kwpm of capacity added."
    )
    note: Note


class InputSupplyRow(
    Fact,
    key=("input", "supplier"),
    about="Supplier shares of upstream inputs by headquarters of the supplier.",
    units={"*": "share"},
):
    """A region's share of the supply of an input."""

    input: InputId
    supplier: RegionId = Field(description="Region of the supplier's head office.")


class InputRecipeRow(
    Fact,
    key=("input", "segment"),
    about="Need of each input by segment, an index; no row means not needed.",
    units={"*": "index"},
):
    """Need of an input per wafer or per kwpm added, as an index."""

    input: InputId
    segment: SegmentId


class InputFactRow(
    Fact,
    key=("input", "item"),
    about=(
        "Spare supply of an input, how fast it is replaced when withheld, and at what "
        "premium."
    ),
    units={"slack": "share", "replacement": "share/year", "premium": "share"},
    bounds={"*": (0.0, None), "slack": (0.0, 100.0), "premium": (0.0, 10.0)},
):
    """Slack, replacement speed and premium of an input."""

    input: InputId
    item: Item[Literal["slack", "replacement", "premium"]]


class TariffRow(
    Fact,
    key=("importer", "origin", "law", "year_from", "year_to"),
    about=(
        "Tariffs in force on chips, for reference: a case takes its tariffs from its"
        " instruments."
    ),
    units={"*": "share"},
    bounds={"*": (0.0, 5.0)},
):
    """A tariff in force."""

    importer: RegionId = Field(description="Region that levies the tariff.")
    origin: Annotated[str, Ref("regions", also=("all",))] = Field(
        description="Region of origin, or 'all'."
    )
    law: Name = Field(description="Law under which it is levied.")
    year_from: FirstYear
    year_to: LastYear


class MacroRow(
    Fact,
    key=("region", "item", "year"),
    about="Gross domestic product and exchange rates.",
    units={"gdp": "USD billion", "fx": "per USD"},
):
    """GDP and exchange rates."""

    region: RegionId
    item: Item[Literal["gdp", "fx"]]
    year: Year


class AllianceRow(
    Fact,
    key=("region", "item", "year"),
    about=(
        "Trade with the United States, host-nation support, defence and pledges of "
        "allies."
    ),
    units={
        "goods_surplus": "USD billion",
        "host_nation_support": "USD billion",
        "defence": "share",
        "defence_asked": "share",
        "investment_pledge": "USD billion",
        "credit_guarantee": "USD billion",
        "lng_project": "USD billion",
    },
):
    """What allies pay, pledge and trade beside chips; the model does not read it."""

    region: RegionId
    item: Item[
        Literal[
            "goods_surplus",
            "host_nation_support",
            "defence",
            "defence_asked",
            "investment_pledge",
            "credit_guarantee",
            "lng_project",
        ]
    ]
    year: Year


class ParameterRow(
    Fact,
    key=("parameter",),
    about="Scalars of the model.",
    units={
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
        "fixed_cost_saved": "share",
        "retirement_cost": "share",
        "slip": "year",
        "weight_floor": "share",
        "surge_rise": "share",
        "yield_convergence": "share/year",
    },
    bounds={
        "*": (0.0, None),
        "economic_life": (1.0, 100.0),
        "building_share": (0.0, 0.9),  # billings are divided by the rest, equipment
        "slope": (0.2, 20.0),  # widths of cost steps are divided by it
        "multiplier_start": (0.5, 3.0),
        "multiplier_end": (0.5, 3.0),
        "route_minimum": (0.0, 0.1),
        "home_seed": (0.01, 100.0),
        "demand_2019": (0.1, 1.0),
        "demand_2020": (0.1, 1.0),
        "fixed_cost_saved": (0.0, 1.0),
        "retirement_cost": (0.0001, 1.0),  # above zero: idle fleets would be a tie
        "slip": (0.0, 10.0),
        "weight_floor": (0.0, 0.1),
        "yield_convergence": (0.0, 1.0),
    },
):
    """A scalar of the model."""

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
        "fixed_cost_saved",
        "retirement_cost",
        "slip",
        "weight_floor",
        "surge_rise",
        "yield_convergence",
    ] = Field(description="Name of the scalar.")


class TargetRow(
    Fact,
    key=("target", "metric"),
    about=(
        "Published results compared with the model: what was published, its role and "
        "the band."
    ),
    # A published result may have any unit and either sign.
    bounds={},
):
    """A published result the model is compared with; low and high are its band."""

    target: Annotated[str, Field(pattern=TARGET_PATTERN)] = Field(
        description="Number of the target."
    )
    metric: str = Field(description="What is compared: a number the experiment gives.")
    role: Literal["input", "test", "derived", "context"] = Field(
        description=(
            "input: used to build or calibrate; test: used for nothing; derived: "
            "follows from an input; context: outside what the model covers."
        )
    )
    result: str = Field(description="What was published, as text.")
    experiment: str = Field(
        description="Experiment that gives our number; empty where the model cannot."
    )
    on_support: bool = Field(
        description=(
            "Whether the result depends on which region pays the support, so that a "
            "placebo should miss it."
        )
    )
    reason: str = Field(
        description="Why a miss is to be expected; empty where it would be unexplained."
    )
    low: OptionalNumber = Field(
        description="Smallest value a fair reader would accept."
    )
    high: OptionalNumber = Field(
        description="Largest value a fair reader would accept."
    )


class RouteStepRow(
    Fact,
    key=("step",),
    about="Steps of route inertia: widening of a route relative to its pattern.",
    units={"*": "share"},
    bounds={"*": (1e-06, 100.0)},
):
    """Widening of a route in one step of route inertia."""

    step: StepNumber


class DeviceStepRow(
    Fact,
    key=("step", "item"),
    about=(
        "Steps of moving device making: width as a share of the user's devices, and "
        "premium."
    ),
    units={"*": "share"},
    bounds={"width": (0.0, 100.0), "premium": (0.0, 10.0)},
):
    """A step of moving device making."""

    step: StepNumber
    item: Item[Literal["width", "premium"]]


class RegionPaceRow(
    Fact,
    key=("step", "item"),
    about=(
        "Bands of what a region can build in a year over all segments: share of its "
        "capital, multiple of its best year on record, and extra cost; the last band "
        "has no end."
    ),
    units={"share": "share/year", "reach": "factor", "premium": "share"},
    bounds={"share": (0.0, 10.0), "reach": (0.0, 100.0), "premium": (0.0, 10.0)},
):
    """End of a band of building, or its extra cost."""

    step: StepNumber
    item: Item[Literal["share", "reach", "premium"]]


class BillingRow(
    Fact,
    key=("region", "year"),
    about="Billings of chip-making equipment by place of delivery.",
    units={"*": "MUSD/year"},
    # Above zero: a region without a year on record could build nothing cheaply.
    bounds={"*": (1.0, None)},
):
    """Equipment delivered to a region in a year."""

    region: RegionId
    year: Year


class SourceRow(
    Row,
    key=("source",),
    about="Citations. Interested parties are marked.",
):
    """A source."""

    source: Name = Field(description="Id of the source.")
    title: str = Field(description="Title.")
    publisher: str = Field(description="Publisher, or who repeats the figure.")
    year: OptionalYear = Field(description="Year of publication.")
    url: str = Field(description="Address; empty where none was found.")
    interested: bool = Field(
        description=(
            "Whether the source is an interested party: the industry, a company, its "
            "association."
        )
    )
    note: Note


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
    "place_residual": PlaceResidualRow,
    "yields": YieldRow,
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
    "region_pace": RegionPaceRow,
    "billings": BillingRow,
    "targets": TargetRow,
    "sources": SourceRow,
}
"""Every table of the data package and the model of its rows."""

UNREAD = {
    "tariffs": "it takes its tariffs from its instruments",
    "macro": "only questions of the report read it",
    "alliance": "only questions of the report read it",
    "targets": "only `chipmodel validate` reads it",
}
"""Tables of facts that no linear program holds, and what reads them instead."""


def columns(model: type[Row]) -> list[str]:
    """Return the columns of a table in the order of its file.

    Those of a fact come last, wherever the model declares them.
    """
    names = list(model.model_fields)
    if not issubclass(model, Fact):
        return names
    # A table may declare `value` again, with another meaning, before its other fields.
    fact_columns = list(Fact.model_fields)
    return [name for name in names if name not in fact_columns] + fact_columns


def references(model: type[Row]) -> dict[str, Ref]:
    """Return the columns of a table that refer to keys of another."""
    marked = {}
    for name, field in model.model_fields.items():
        for mark in field.metadata:
            if isinstance(mark, Ref):
                marked[name] = mark
    return marked
