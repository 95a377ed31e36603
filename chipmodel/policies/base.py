"""What every policy instrument has: fields, numbers and hooks for the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, NamedTuple

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from chipmodel.common.ids import ALL as ALL
from chipmodel.common.ids import ID_PATTERN, sensible_names
from chipmodel.common.text import listed

if TYPE_CHECKING:
    from chipmodel.model.lp.builder import ModelBuilder
    from chipmodel.model.parameters.duties import Distinction, Levy, Relief
    from chipmodel.model.parameters.parameters import Parameters

PolicyYear = Annotated[int, Field(ge=2000, le=2080)]


@dataclass(frozen=True)
class Number:
    """Marks a field that may vary without changing the shape of the linear program."""

    unit: str


# Numbers that may be absent are annotated twice: pydantic loses the mark of an
# `Annotated` type that is part of a union.
Rate = Annotated[float, Field(ge=0, le=5, allow_inf_nan=False), Number("share")]

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False), Number("share")]

Money = Annotated[
    Annotated[float, Field(ge=0, le=1e7, allow_inf_nan=False)] | None, Number("MUSD")
]

FinePerWafer = Annotated[
    Annotated[float, Field(gt=0, le=1e6)] | None, Number("USD/wafer")
]

FinePerKwpm = Annotated[
    Annotated[float, Field(gt=0, le=1e6)] | None, Number("MUSD/kwpm")
]


class Issue(NamedTuple):
    """Something wrong with an instrument: the field, what is wrong, and the fix."""

    field: str
    what: str
    fix: str


class Derived(NamedTuple):
    """A number computed from an instrument and the data: what it is, value and unit."""

    what: str
    value: float
    unit: str


class DisplayNames:
    """Names for the ids in a sentence; an id without a name is shown as it is."""

    def __init__(self, names: Mapping[str, str] | None = None) -> None:
        self._names = dict(names or {})

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, DisplayNames):
            return NotImplemented
        return self._names == other._names

    def __hash__(self) -> int:
        return hash(frozenset(self._names.items()))

    def __call__(self, *ids: str) -> str:
        """Return ids by their names, in a list."""
        return listed([self._names.get(name, name) for name in ids])

    def every(self, ids: tuple[str, ...], all_of_them: str) -> str:
        """Return the names of some ids, or a phrase if all are meant."""
        return all_of_them if ids == ALL else self(*ids)

    def only(self, ids: tuple[str, ...], form: str = " ({})") -> str:
        """Return the phrase that restricts a sentence to ids; empty if it is all."""
        return "" if ids in (ALL, ()) else form.format(self(*ids))


class Policy(BaseModel):
    """An instrument of policy.

    A subclass sets ``kind`` and registers itself by being defined; a package outside
    chipmodel registers its own through the entry-point group ``chipmodel.policies``. It
    writes itself into the linear program in `add`, through the `ModelBuilder` and
    nothing else.
    """

    # Infinite numbers would make a linear program that no solver reads.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    kinds: ClassVar[dict[str, type[Policy]]] = {}
    kind: ClassVar[str]
    law: ClassVar[str]
    """One line: the kind of law the instrument represents."""
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
        # `kind` of the class itself and not inherited: a subclass of an instrument is
        # not a second one. An abstract class such as `Support` has no kind.
        if "kind" in cls.__dict__:
            Policy.kinds[cls.kind] = cls

    @field_validator("*")
    @classmethod
    def _names_are_sensible(cls, value: Any, info: ValidationInfo) -> Any:
        # For every list of names of every instrument, those of other packages too.
        if not isinstance(value, tuple) or info.field_name is None:
            return value
        if not all(isinstance(name, str) for name in value):
            return value
        return sensible_names(value, cls.model_fields[info.field_name].default)

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
        """Write the instrument into the linear program; each kind has its own."""
        raise NotImplementedError

    def describe(self, names: DisplayNames) -> str:
        """Return who does what to whom, without the years; by default the fields."""
        listed_fields = []
        for field in type(self).model_fields:
            value = getattr(self, field)
            # What every instrument has, such as its source, is shown elsewhere.
            if field not in Policy.model_fields and value is not None:
                listed_fields.append(f"{field} {value}")
        return f"{self.kind}: " + ", ".join(listed_fields)

    def sentence(self, names: DisplayNames | None = None) -> str:
        """Return the instrument in a sentence: `describe`, then when it is in force."""
        first, last = self.years
        when = f"in {first}" if first == last else f"from {first} to {last}"
        known = f", known from {self.known_from}" if self.known_from else ""
        text = self.describe(names or DisplayNames())
        return f"{text[0].upper()}{text[1:]}, {when}{known}."

    def problems(self, parameters: Parameters) -> list[Issue]:
        """Return what does not fit the data: unknown names, years outside."""
        first, last = parameters.years[0], parameters.years[-1]
        if first <= self.years[1] and self.years[0] <= last:
            return []
        what = (
            f"{self.years[0]} to {self.years[1]} is outside the years solved,"
            f" {first} to {last}"
        )
        return [Issue("years", what, "choose years inside")]

    def impossible(self, parameters: Parameters) -> list[Issue]:
        """Return what fits the data but visibly cannot be met; by default nothing."""
        return []

    def distinguishes(self, parameters: Parameters) -> list[Distinction]:
        """Return the origins it treats differently inside devices; by default none."""
        return []

    def conflicts_with(self, others: Mapping[str, Policy]) -> list[Issue]:
        """Return what does not fit the other instruments of the case, given by id."""
        return []

    def levies(self, parameters: Parameters) -> list[Levy]:
        """Return the duties it levies, for the schedule of duties; by default none."""
        return []

    def reliefs(self, parameters: Parameters) -> list[Relief]:
        """Return its reductions of duties of other instruments; by default none."""
        return []

    def derived(self, parameters: Parameters) -> list[Derived]:
        """Return what its numbers amount to in this data; by default nothing."""
        return []

    @property
    def inactive(self) -> bool:
        """Whether it does nothing (a zero rate); it is then left out of the LP."""
        return False

    @property
    def needs_baseline(self) -> bool:
        """Whether the case is first solved without it, to know what it adds."""
        return False

    @property
    def seeks_rate(self) -> bool:
        """Whether its rate is found by solving the case repeatedly."""
        return False

    @property
    def needs_search(self) -> bool:
        """Whether one solve of the case is not enough."""
        return not self.inactive and (self.needs_baseline or self.seeks_rate)

    def active(self, year: int) -> bool:
        """Whether it is in force in a year."""
        return self.years[0] <= year <= self.years[1]


def policy_class(kind: str) -> type[Policy] | None:
    """Return the class of a kind, from chipmodel or from an installed package."""
    if kind not in Policy.kinds:
        # Loaded only when a case names the kind: a broken package of another user must
        # not stop every command.
        for entry in entry_points(group="chipmodel.policies"):
            if entry.name == kind:
                entry.load()
    return Policy.kinds.get(kind)


def chosen(names: tuple[str, ...], every: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names meant, in the order of the data; ``("all",)`` is every one."""
    if names == ALL:
        return every
    # The order in a case file must not change that of rows and columns.
    return tuple(name for name in every if name in names)


def unknown(field: str, names: tuple[str, ...], every: tuple[str, ...]) -> list[Issue]:
    """Return an issue for each name that does not exist."""
    if names == ALL:
        return []
    return [
        Issue(field, f"'{name}' is not known", "use " + ", ".join(every))
        for name in names
        if name not in every
    ]
