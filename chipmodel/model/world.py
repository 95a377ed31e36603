"""The world of a case: years, rates, switches, scaled data and disruptions."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from chipmodel.common.errors import InputError, Problem
from chipmodel.common.files import find_baseline, find_named
from chipmodel.common.ids import ALL, ID_PATTERN, sensible_names
from chipmodel.common.toml import from_file, problems_of, read_toml
from chipmodel.dataset.dataset import Dataset
from chipmodel.dataset.fields import Date, Fact
from chipmodel.dataset.rows import TABLES, UNREAD, SourceRow

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]

WorldYear = Annotated[int, Field(ge=2000, le=2080)]


class Scale(BaseModel):
    """Multiply facts of the data package by a factor."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    table: str = Field(description="Table of facts.")
    where: dict[str, str | int] = Field(
        description="Key columns and the values they must have; empty for all rows."
    )
    factor: Positive = Field(description="Factor on the value.")

    def __hash__(self) -> int:
        return hash((self.table, tuple(sorted(self.where.items())), self.factor))

    @model_validator(mode="after")
    def _known(self) -> Scale:
        model = TABLES.get(self.table)
        if model is None or not issubclass(model, Fact) or self.table in UNREAD:
            raise ValueError(
                f"'{self.table}' is not a table of facts that the model reads"
            )
        for column in self.where:
            if column not in model.model_fields:
                raise ValueError(f"table '{self.table}' has no column '{column}'")
        return self


class Event(BaseModel):
    """A loss of fab output: a blockade, an earthquake, a war."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=ID_PATTERN)
    region: str = Field(description="Region whose fabs lose output.")
    segments: tuple[str, ...] = Field(
        min_length=1, description="Segments hit; ['all'] for every one."
    )
    years: tuple[WorldYear, WorldYear] = Field(
        description="First and last year of the loss."
    )
    depth: Share = Field(description="Share of capacity lost.")
    known_from: WorldYear | None = Field(
        default=None, description="Year it becomes known; without one it is foreseen."
    )
    source: str = Field(
        description="Source of the event; 'own' for your own assumption."
    )

    @field_validator("segments")
    @classmethod
    def _segments_are_sensible(cls, segments: tuple[str, ...]) -> tuple[str, ...]:
        return sensible_names(segments, ALL)

    @model_validator(mode="after")
    def _in_order(self) -> Event:
        if self.years[0] > self.years[1]:
            raise ValueError("years: the first is after the last")
        if self.known_from is not None and self.known_from > self.years[0]:
            raise ValueError(
                "known_from is after the first year: an event cannot act before it is"
                " known"
            )
        return self


class Retirement(BaseModel):
    """A fleet that is announced to leave service, in part or as a whole."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    site: str = Field(description="Fleet that retires, such as fleet_jpn_dao_renesas.")
    year: WorldYear = Field(description="First year without it.")
    share: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = Field(
        description="Share of the fleet that has retired by then, at least."
    )
    source: str = Field(
        description="Source of the announcement; 'own' for your own assumption."
    )


class World(BaseModel):
    """What is assumed about the world, apart from policy.

    No number has a default: its file or a baseline of the file gives it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str = Field(
        pattern=ID_PATTERN, description="Name of the world; the file's name."
    )
    title: str = Field(description="One line.")
    summary: str = Field(description="A paragraph of context.")
    base_year: WorldYear = Field(
        description="Year of the fleets and of the reference quantities."
    )
    history_until: WorldYear = Field(
        description="Builds up to this year are given, not chosen."
    )
    information_date: Date = Field(
        description="Projects are read as known on this day."
    )
    report_until: WorldYear = Field(description="Last year reported.")
    horizon: WorldYear = Field(description="Last year solved.")
    discount_rate: Annotated[float, Field(ge=1e-4, lt=0.5)] = Field(
        description="Real rate a year, for annuities and for discounting."
    )
    choke: Annotated[float, Field(ge=1.5, le=20)] = Field(
        description=(
            "Price, as a multiple of the reference price, at which nothing more is"
            " bought."
        )
    )
    demand_shift: Annotated[float, Field(ge=-0.2, le=0.2)] = Field(
        description="Added to every growth rate."
    )
    budgets: Literal["gross", "net", "none"] = Field(
        description=(
            "Whether firm budgets are charged investment gross or net of support, or do"
            " not bind at all."
        )
    )
    committed_until: WorldYear = Field(
        description=(
            "The committed share of a project is built if its construction started by"
            " this year."
        )
    )
    committed: Share = Field(
        description=(
            "Scale on the committed shares of projects; at 0 no project is committed."
        )
    )
    slip: Annotated[float, Field(ge=0, le=3)] = Field(
        description=(
            "Scale on the years by which announced projects that do not run yet come"
            " later than announced (`slip` of parameters.csv); at 0 none is late."
        )
    )
    retirement: Share = Field(
        description=(
            "Scale on the fixed cost that a fleet saves when it retires"
            " (`fixed_cost_saved` of parameters.csv); at 0 none is saved."
        )
    )
    congestion: Annotated[float, Field(ge=0, le=3)] = Field(
        description=(
            "Scale on the extra cost of a region's pace of building"
            " (region_pace.csv); at 0 only the pace of each place counts."
        )
    )
    surge: Share = Field(
        description=(
            "Share of the span between usual use and the technical ceiling that is"
            " used in a surge only; at 0 fabs usually run at the ceiling."
        )
    )
    yield_gap: Share = Field(
        description=(
            "Scale on how far the yields of firms are below the best of their segment;"
            " at 0 all yields are equal."
        )
    )
    scale: tuple[Scale, ...] = Field(
        default=(), description="Facts multiplied by a factor."
    )
    event: tuple[Event, ...] = Field(default=(), description="Disruptions.")
    retire: tuple[Retirement, ...] = Field(
        default=(), description="Retirements of fleets that are announced."
    )

    @model_validator(mode="after")
    def _in_order(self) -> World:
        if not self.base_year <= self.history_until < self.report_until <= self.horizon:
            raise ValueError(
                "years must be in order: base_year <= history_until < report_until <="
                " horizon"
            )
        return self

    def __repr__(self) -> str:
        events = ""
        if self.event:
            noun = "event" if len(self.event) == 1 else "events"
            events = f", {len(self.event)} {noun}"
        return (
            f"<World {self.name}: {self.base_year} to {self.report_until}, solved to"
            f" {self.horizon}{events}>"
        )

    __str__ = __repr__

    @property
    def years(self) -> range:
        """Years solved."""
        return range(self.base_year, self.horizon + 1)

    @property
    def digest(self) -> str:
        """SHA-256 of everything but names and prose."""
        # Two worlds of the same numbers give the same results, whatever their names.
        text = self.model_dump_json(exclude={"name", "title", "summary"})
        return hashlib.sha256(text.encode()).hexdigest()

    def with_(self, **changes: Any) -> World:
        """Return a checked copy with some fields changed."""
        # Validated again, which `model_copy` would not do.
        return World.model_validate({**self.model_dump(), **changes})


OWN = ("name", "title", "summary")
"""Fields that a world never takes from its baseline."""


def _allow_differences(schema: dict[str, Any]) -> None:
    """Require every number in a world file only if it names no baseline."""
    numbers = [field for field in schema["required"] if field not in OWN]
    schema["required"] = ["title", "summary"]
    schema["anyOf"] = [{"required": ["baseline"]}, {"required": numbers}]


class WorldFile(World):
    """The form of a world file: a whole world, or its differences from a baseline."""

    model_config = ConfigDict(json_schema_extra=_allow_differences)

    baseline: str | None = Field(
        default=None,
        description=(
            "World that gives every field not given here, but for name, title and"
            " summary: a world of the data package by name, or the name of a world"
            " file beside this one (with .toml). A list given here replaces the"
            " baseline's list."
        ),
    )


def load_world(name: str | Path, data: Dataset) -> World:
    """Load a world by name from a data package, or from a TOML file.

    A file with a ``baseline`` holds differences: a field that it does not give has the
    value of the baseline, which may have a baseline itself. A list such as ``scale`` or
    ``event`` replaces the list of the baseline.

    Raises
    ------
    InputError
        If the file does not exist, misses a number, has an unknown key or cites an
        unknown source; if a baseline does not exist, or baselines form a cycle.
    """
    return _read(find_named(str(name), data.root / "worlds", "world"), data, ())


def _read(path: Path, data: Dataset, descendants: tuple[Path, ...]) -> World:
    """Read a world file and its baselines; `descendants` are the files before it."""
    content = read_toml(path)
    inherited: dict[str, Any] = {}
    if "baseline" in content:
        chain = (*descendants, path)
        parent_path = _baseline_path(content.pop("baseline"), path, data)
        _refuse_cycle(parent_path, chain)
        parent = _read(parent_path, data, chain)
        inherited = parent.model_dump(exclude=set(OWN))
    # Validated once all is there: a file of differences alone is not a world.
    try:
        world = from_file(World, {"name": path.stem, **inherited, **content})
    except ValidationError as error:
        raise InputError(problems_of(error, path.name)) from None
    _refuse_unknown_sources(world, path.name, data)
    return world


def _baseline_path(baseline: Any, path: Path, data: Dataset) -> Path:
    """Return the file of a baseline that a world file names."""
    if not isinstance(baseline, str):
        fix = "name a world of the data package, or a world file beside this one"
        what = "is not the name of a world"
        raise InputError.one(path.name, "baseline", what, fix)
    return find_baseline(baseline, path, data.root / "worlds", "world")


def _refuse_cycle(baseline: Path, chain: tuple[Path, ...]) -> None:
    if baseline.resolve() not in {path.resolve() for path in chain}:
        return
    names = " -> ".join(path.stem for path in (*chain, baseline))
    raise InputError.one(
        chain[-1].name,
        "baseline",
        f"baselines form a cycle ({names})",
        "give every number in one of these files and remove its baseline",
    )


def _refuse_unknown_sources(world: World, file: str, data: Dataset) -> None:
    sources = {row.source for row in data.rows(SourceRow)} | {"own"}
    cited = {f"event {event.id}": event.source for event in world.event}
    for number, stated in enumerate(world.retire, start=1):
        cited[f"retire {number}"] = stated.source
    problems = [
        Problem(
            file,
            f"{place}.source",
            f"'{source}' is not in sources.csv",
            'add it there, or write source = "own"',
        )
        for place, source in cited.items()
        if source not in sources
    ]
    if problems:
        raise InputError(problems)
