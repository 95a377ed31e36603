"""What every policy instrument is: numbers, a shape, a source, and one way into the programme."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from chipmodel.common.ids import ID_PATTERN
from chipmodel.common.text import listed

if TYPE_CHECKING:
    from chipmodel.model.lp.builder import ModelBuilder
    from chipmodel.model.parameters.duties import Levy, Relief
    from chipmodel.model.parameters.parameters import Parameters

ALL = ("all",)


PolicyYear = Annotated[int, Field(ge=2000, le=2080)]


@dataclass(frozen=True)
class Number:
    """Marks a field that may vary without changing the shape of the programme."""

    unit: str


Rate = Annotated[float, Field(ge=0, le=5, allow_inf_nan=False), Number("share")]


Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False), Number("share")]


Money = Annotated[
    Annotated[float, Field(ge=0, le=1e7, allow_inf_nan=False)] | None, Number("MUSD")
]


class DisplayNames:
    """Names for the ids in a sentence; an id without a name stands for itself."""

    def __init__(self, names: Mapping[str, str] | None = None) -> None:
        self._names = dict(names or {})

    def __call__(self, *ids: str) -> str:
        """Return ids by their names, in a list."""
        return listed([self._names.get(x, x) for x in ids])

    def every(self, ids: tuple[str, ...], all_of_them: str) -> str:
        """Return the ids meant, or what stands for all of them."""
        return all_of_them if ids == ALL else self(*ids)

    def only(self, ids: tuple[str, ...], form: str = " ({})") -> str:
        """Return what narrows something down to some ids; nothing if all are meant."""
        return "" if ids in (ALL, ()) else form.format(self(*ids))


class Policy(BaseModel):
    """An instrument of policy.

    A subclass sets ``kind`` and registers itself by being defined; a package outside
    chipmodel registers its own through the entry-point group ``chipmodel.policies``. It
    writes itself into the programme in `add`, through the `ModelBuilder` and nothing
    else.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    kinds: ClassVar[dict[str, type[Policy]]] = {}
    kind: ClassVar[str]
    law: ClassVar[str]
    """One line: the kind of law the instrument stands for."""
    dual: ClassVar[str] = ""
    """What its dual means, with unit; empty for a pure price."""
    example: ClassVar[str] = ""
    """Its fields in a case file, as an example."""

    id: str = Field(
        pattern=ID_PATTERN, description="Name of the instrument, unique in its case."
    )
    years: tuple[PolicyYear, PolicyYear] = Field(
        description="First and last year in force."
    )
    known_from: PolicyYear | None = Field(
        default=None, description="Year it becomes known; none: from the start."
    )
    source: str = Field(min_length=1, description="Id in sources.csv, or 'own'.")
    note: str = Field(default="", description="What to know about it.")

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "kind" in cls.__dict__:
            Policy.kinds[cls.kind] = cls

    @model_validator(mode="after")
    def _years_in_order(self) -> Policy:
        if self.years[0] > self.years[1]:
            raise ValueError("years: the first is after the last")
        if self.known_from is not None and self.known_from > self.years[0]:
            raise ValueError(
                "known_from is after the first year in force: a rule cannot act before"
                " it is known"
            )
        return self

    def add(self, builder: ModelBuilder) -> None:
        """Write the instrument into the programme."""
        raise NotImplementedError

    def describe(self, names: DisplayNames) -> str:
        """Return who does what to whom, without the years; the fields spelled out unless a class says it better."""
        own = {
            k: getattr(self, k)
            for k in type(self).model_fields
            if k not in Policy.model_fields
        }
        return f"{self.kind}: " + ", ".join(
            f"{k} {v}" for k, v in own.items() if v is not None
        )

    def sentence(self, names: DisplayNames | None = None) -> str:
        """Return the instrument in a sentence: who does what to whom, at which rate, on which terms, when."""
        (first, last), known = self.years, self.known_from
        when = f"in {first}" if first == last else f"from {first} to {last}"
        said = self.describe(names or DisplayNames())
        return f"{said[0].upper()}{said[1:]}, {when}" + (
            f", known from {known}." if known else "."
        )

    def problems(self, parameters: Parameters) -> list[tuple[str, str, str]]:
        """Return what does not fit the data as (field, what, mend)."""
        n = parameters
        if self.years[1] < n.years[0] or self.years[0] > n.years[-1]:
            span = f"{n.years[0]} to {n.years[-1]}"
            return [
                (
                    "years",
                    (
                        f"{self.years[0]} to {self.years[1]} is outside the years"
                        f" solved, {span}"
                    ),
                    "choose years inside",
                )
            ]
        return []

    def impossible(self, parameters: Parameters) -> list[tuple[str, str, str]]:
        """Return what fits the data and cannot be met, seen without a solve, as (field, what, mend); nothing here."""
        return []

    def distinguishes(
        self, parameters: Parameters
    ) -> list[tuple[str, tuple[str, ...], frozenset[str]]]:
        """Return what it must tell apart inside devices as (user, segments, origins); nothing by default."""
        return []

    def conflicts_with(
        self, others: Mapping[str, Policy]
    ) -> list[tuple[str, str, str]]:
        """Return what does not fit the other instruments of the case as (field, what, mend); nothing by default."""
        return []

    def levies(self, parameters: Parameters) -> list[Levy]:
        """Return the duties it levies, for the schedule of duties; nothing by default."""
        return []

    def reliefs(self, parameters: Parameters) -> list[Relief]:
        """Return what it takes off duties of others, for the schedule of duties; nothing by default."""
        return []

    def derived(self, parameters: Parameters) -> list[tuple[str, float, str]]:
        """Return what its numbers amount to in this data, as (what, value, unit); nothing by default."""
        return []

    @property
    def inactive(self) -> bool:
        """Whether the instrument does nothing (a zero rate); idle ones are dropped before the programme."""
        return False

    def active(self, year: int) -> bool:
        """Whether it is in force in a year."""
        return self.years[0] <= year <= self.years[1]


def policy_class(kind: str) -> type[Policy] | None:
    """Return the instrument of a kind, looking among installed packages if it is not chipmodel's own."""
    if kind not in Policy.kinds:
        for entry in entry_points(group="chipmodel.policies"):
            if entry.name == kind:
                entry.load()
    return Policy.kinds.get(kind)


def chosen(names: tuple[str, ...], every: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names meant: ``("all",)`` stands for every one."""
    return every if names == ALL else tuple(x for x in every if x in names)


def unknown(
    field: str, names: tuple[str, ...], every: tuple[str, ...]
) -> list[tuple[str, str, str]]:
    """Return the problems of names that do not exist."""
    return [
        (field, f"'{name}' is not known", "use " + ", ".join(every) + " or all")
        for name in names
        if name not in every and names != ALL
    ]
