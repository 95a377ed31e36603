"""Types of the fields of data rows, and the base classes of rows and facts.

A field that several tables share is declared here, with the meaning of its column.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from chipmodel.common.ids import DATE_PATTERN, ID_PATTERN, REGION_PATTERN
from chipmodel.common.units import LARGEST_SENSIBLE, MONEY_UNITS

T = TypeVar("T")

Bounds = tuple[float | None, float | None]
"""Smallest and largest sensible value; None where there is no such bound."""

NARROWEST_ASSUMPTION = 1.5
"""Smallest ratio of high to low of a number that no source gives."""


@dataclass(frozen=True)
class Ref:
    """Marks a column whose values are keys of another table.

    Attributes
    ----------
    table : str
        Name of the other table.
    also : tuple of str
        Words that are allowed beside the keys, such as ``all``.
    """

    table: str
    also: tuple[str, ...] = ()


# Python also reads "1_000", "1e3 " and full-width digits as numbers: in a data file
# they are typing errors.
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_WHOLE_NUMBER = re.compile(r"[+-]?\d+", re.ASCII)


def plain_number(value: T) -> T:
    """Refuse a text that is not digits, a point and perhaps an exponent.

    Raises
    ------
    ValueError
        If it is a text of another form; a value that is not text passes.
    """
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        raise ValueError(
            "is not a plain number (digits, a point, perhaps an exponent; thousands are"
            " not set apart)"
        )
    return value


def _whole_number(value: object) -> object:
    if isinstance(value, str) and not _WHOLE_NUMBER.fullmatch(value):
        raise ValueError("is not a whole number (digits only)")
    return value


def _optional_number(value: object) -> object:
    return None if value == "" else plain_number(value)


def _optional_year(value: object) -> object:
    return None if value == "" else _whole_number(value)


def _optional_text(value: object) -> object:
    return None if value == "" else value


def _calendar_date(value: str) -> str:
    try:
        date.fromisoformat(value)
    except ValueError:
        raise ValueError("is not a day of the calendar") from None
    return value


# Numbers, years and dates
Finite = Annotated[float, BeforeValidator(plain_number), Field(allow_inf_nan=False)]
OptionalNumber = Annotated[
    Annotated[float, Field(allow_inf_nan=False)] | None,
    BeforeValidator(_optional_number),
]
Year = Annotated[
    int,
    BeforeValidator(_whole_number),
    Field(ge=1950, le=2100, description="Year."),
]
OptionalYear = Annotated[
    Annotated[int, Field(ge=1950, le=2100)] | None, BeforeValidator(_optional_year)
]
BaseYear = Annotated[Year, Field(description="Year of the fleets a world starts from.")]
FirstYear = Annotated[Year, Field(description="First year.")]
LastYear = Annotated[Year, Field(description="Last year.")]
Rank = Annotated[int, BeforeValidator(_whole_number), Field(ge=1, le=1000)]
StepNumber = Annotated[Rank, Field(description="Number of the step.")]
Date = Annotated[
    str,
    Field(pattern=DATE_PATTERN),
    AfterValidator(_calendar_date),
]

# Ids: of the row itself, and of rows of other tables
Name = Annotated[str, Field(pattern=ID_PATTERN)]
RegionId = Annotated[
    str, Field(pattern=REGION_PATTERN, description="Region."), Ref("regions")
]
OptionalRegion = Annotated[
    Annotated[str, Field(pattern=REGION_PATTERN)] | None,
    BeforeValidator(_optional_text),
    Ref("regions"),
]
SegmentId = Annotated[
    str, Field(pattern=ID_PATTERN, description="Segment of chips."), Ref("segments")
]
FirmId = Annotated[
    str,
    Field(
        pattern=ID_PATTERN, description="Firm; 'other' for makers that are not named."
    ),
    Ref("firms"),
]
InputId = Annotated[
    str, Field(pattern=ID_PATTERN, description="Upstream input."), Ref("inputs")
]
SourceId = Annotated[
    str,
    Field(pattern=ID_PATTERN, description="Source, a row of sources.csv."),
    Ref("sources"),
]

# Words
Label = Annotated[str, Field(description="Human-readable name.")]
Note = Annotated[str, Field(description="What to know about the row.")]
Item = Annotated[T, Field(description="Which number the row states.")]
"""``Item[Literal["capex", "running"]]``: the item of a table, one of those listed."""
Package = Literal["standard", "advanced"]
Grade = Literal["A", "B", "C", "D", "E"]


class Row(BaseModel):
    """A row of a table.

    A subclass names its table in the class statement.

    Parameters
    ----------
    key : tuple of str
        Columns that no two rows of the table share.
    about : str
        What the table holds, one or two sentences.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: ClassVar[tuple[str, ...]] = ()
    about: ClassVar[str] = ""

    def __init_subclass__(
        cls, *, key: tuple[str, ...] = (), about: str = "", **config: Any
    ) -> None:
        super().__init_subclass__(**config)
        cls.key = key
        cls.about = about


class Fact(Row):
    """A row that states a number, where it comes from and how sure it is.

    Parameters
    ----------
    units : dict of str to str
        Unit of each ``item`` of the table, or of ``*`` for every row; none if the rows
        may have any unit.
    bounds : dict of str to tuple
        Smallest and largest sensible value of each ``item``, or of ``*`` for those
        without an entry of their own; not below zero if nothing is given.
    """

    units: ClassVar[dict[str, str]] = {}
    bounds: ClassVar[dict[str, Bounds]] = {}

    value: Finite = Field(description="The number.")
    unit: str = Field(description="Unit of value, low and high.")
    year_of_money: OptionalYear = Field(
        description="Year of the dollars, for money only."
    )
    low: OptionalNumber = Field(description="Smallest sensible value.")
    high: OptionalNumber = Field(description="Largest sensible value.")
    source: SourceId
    grade: Grade = Field(
        description=(
            "A read in the source; B quoted by another; C citation missing; D computed,"
            " formula in the note; E assumption, reason in the note."
        )
    )
    note: Note

    def __init_subclass__(
        cls,
        *,
        units: dict[str, str] | None = None,
        bounds: dict[str, Bounds] | None = None,
        **row: Any,
    ) -> None:
        super().__init_subclass__(**row)
        cls.units = units or {}
        cls.bounds = {"*": (0.0, None)} if bounds is None else bounds

    @property
    def item_name(self) -> str:
        """Name of the fact inside its table."""
        return str(getattr(self, "item", getattr(self, "parameter", "*")))

    @classmethod
    def unit_of(cls, item: str) -> str | None:
        """Return the unit an item must have; none if it may have any."""
        return cls.units.get(item, cls.units.get("*"))

    @classmethod
    def limits(cls, item: str) -> Bounds:
        """Return the smallest and the largest sensible value of an item.

        Where no largest value is declared, the unit sets one.
        """
        lowest, highest = cls.bounds.get(item, cls.bounds.get("*", (None, None)))
        if highest is None:
            highest = LARGEST_SENSIBLE.get(cls.unit_of(item) or "")
        return lowest, highest

    def outside(self, number: float) -> str:
        """Return why a number is not sensible for this fact; ``""`` if it is."""
        lowest, highest = self.limits(self.item_name)
        if lowest is not None and number < lowest:
            return f"is below {lowest:g}"
        if highest is not None and number > highest:
            return f"is above {highest:g}"
        return ""

    @model_validator(mode="after")
    def _sensible(self) -> Fact:
        # Refused and never converted: that would hide a number in the wrong unit.
        unit = self.unit_of(self.item_name)
        if unit is not None and self.unit != unit:
            raise ValueError(f"unit is '{self.unit}', must be '{unit}'")
        for name in ("value", "low", "high"):
            number = getattr(self, name)
            fault = "" if number is None else self.outside(number)
            if fault:
                raise ValueError(f"{name} {number:g} {fault}")
        if (self.unit in MONEY_UNITS) != (self.year_of_money is not None):
            raise ValueError(
                "year_of_money must be given for money and for nothing else"
            )
        if self.low is not None and self.value < self.low:
            raise ValueError(f"value {self.value:g} is below its low {self.low:g}")
        if self.high is not None and self.value > self.high:
            raise ValueError(f"value {self.value:g} is above its high {self.high:g}")
        if self.grade == "E":
            self._check_assumption()
        return self

    def _check_assumption(self) -> None:
        if self.low is None or self.high is None or not self.note:
            raise ValueError(
                "an assumption (grade E) needs low, high and a note with its reason"
            )
        # A guess is not known to a few per cent: a narrow range would hide that it is
        # one. Both ends may be negative, as those of an elasticity are.
        small, large = sorted((abs(self.low), abs(self.high)))
        if small > 0 and large / small < NARROWEST_ASSUMPTION - 1e-9:
            raise ValueError(
                "low and high of an assumption (grade E) must be at least a factor"
                f" {NARROWEST_ASSUMPTION:g} apart"
            )
