"""Types of the fields of data rows, and the base classes of rows and facts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Annotated, ClassVar, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from chipmodel.common.ids import ID_PATTERN, REGION_PATTERN
from chipmodel.common.units import MONEY_UNITS, MOST


@dataclass(frozen=True)
class Ref:
    """Marks a column whose values are keys of another table."""

    table: str
    also: tuple[str, ...] = ()


_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)


_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)


T = TypeVar("T")


def plain_number(value: T) -> T:
    """Refuse a text that is not digits, a point and perhaps an exponent."""
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        raise ValueError(
            "is not a plain number (digits, a point, perhaps an exponent; thousands are"
            " not set apart)"
        )
    return value


def _whole_number(value: object) -> object:
    if isinstance(value, str) and not _WHOLE.fullmatch(value):
        raise ValueError("is not a whole number (digits only)")
    return value


def _optional(value: object) -> object:
    return None if value == "" else plain_number(value)


def _optional_year(value: object) -> object:
    return None if value == "" else _whole_number(value)


def _real_date(value: str) -> str:
    try:
        date.fromisoformat(value)
    except ValueError:
        raise ValueError("is no day of the calendar") from None
    return value


def _blank_to_none(value: object) -> object:
    return None if value == "" else value


Name = Annotated[str, Field(pattern=ID_PATTERN)]


RegionId = Annotated[str, Field(pattern=REGION_PATTERN), Ref("regions")]


SegmentId = Annotated[str, Field(pattern=ID_PATTERN), Ref("segments")]


FirmId = Annotated[str, Field(pattern=ID_PATTERN), Ref("firms")]


InputId = Annotated[str, Field(pattern=ID_PATTERN), Ref("inputs")]


SourceId = Annotated[str, Field(pattern=ID_PATTERN), Ref("sources")]


Finite = Annotated[float, BeforeValidator(plain_number), Field(allow_inf_nan=False)]


OptionalNumber = Annotated[
    Annotated[float, Field(allow_inf_nan=False)] | None, BeforeValidator(_optional)
]


OptionalYear = Annotated[
    Annotated[int, Field(ge=1950, le=2100)] | None, BeforeValidator(_optional_year)
]


OptionalRegion = Annotated[
    Annotated[str, Field(pattern=REGION_PATTERN)] | None,
    BeforeValidator(_blank_to_none),
    Ref("regions"),
]


Year = Annotated[int, BeforeValidator(_whole_number), Field(ge=1950, le=2100)]


Rank = Annotated[int, BeforeValidator(_whole_number), Field(ge=1, le=1000)]


Date = Annotated[
    str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"), AfterValidator(_real_date)
]


Grade = Literal["A", "B", "C", "D", "E"]


Package = Literal["standard", "advanced"]


class Row(BaseModel):
    """A row of a table."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: ClassVar[tuple[str, ...]]
    about: ClassVar[str]


class Fact(Row):
    """A row that states a number, where it comes from and how sure it is."""

    units: ClassVar[dict[str, str]] = {}
    """Unit of each ``item`` (or of ``*``, any row)."""
    bounds: ClassVar[dict[str, tuple[float | None, float | None]]] = {"*": (0.0, None)}
    """Least and largest sensible value of each ``item`` (or of ``*``)."""

    value: Finite
    unit: str
    year_of_money: OptionalYear
    low: OptionalNumber
    high: OptionalNumber
    source: SourceId
    grade: Grade
    note: str

    @property
    def item_name(self) -> str:
        """Name of the fact inside its table."""
        return str(getattr(self, "item", getattr(self, "parameter", "*")))

    @classmethod
    def limits(cls, item: str) -> tuple[float | None, float | None]:
        """Return the least and the largest sensible value of an item; what its unit allows where none is stated."""
        least, most = cls.bounds.get(item, cls.bounds.get("*", (None, None)))
        unit = cls.units.get(item, cls.units.get("*", ""))
        return least, MOST.get(unit) if most is None else most

    def outside(self, number: float) -> str:
        """Return in what way a number is no sensible value of this fact; nothing if it is one."""
        least, most = self.limits(self.item_name)
        if least is not None and number < least:
            return f"is below {least:g}"
        return f"is above {most:g}" if most is not None and number > most else ""

    @model_validator(mode="after")
    def _sensible(self) -> Fact:
        item = self.item_name
        unit = self.units.get(item, self.units.get("*"))
        if unit is not None and self.unit != unit:
            raise ValueError(f"unit is '{self.unit}', must be '{unit}'")
        for name, number in (
            ("value", self.value),
            ("low", self.low),
            ("high", self.high),
        ):
            if number is not None and (wrong := self.outside(number)):
                raise ValueError(f"{name} {number:g} {wrong}")
        if (self.unit in MONEY_UNITS) != (self.year_of_money is not None):
            raise ValueError(
                "year_of_money must be given for money and for nothing else"
            )
        if self.low is not None and self.value < self.low:
            raise ValueError(f"value {self.value:g} is below its low {self.low:g}")
        if self.high is not None and self.value > self.high:
            raise ValueError(f"value {self.value:g} is above its high {self.high:g}")
        if self.grade == "E":
            self._assumption()
        return self

    def _assumption(self) -> None:
        if self.low is None or self.high is None or not self.note:
            raise ValueError(
                "an assumption (grade E) needs low, high and a note with its reason"
            )
        small, large = sorted((abs(self.low), abs(self.high)))
        if small > 0 and large / small < 1.5 - 1e-9:
            raise ValueError(
                "low and high of an assumption (grade E) must be at least a factor 1.5"
                " apart"
            )
