"""Ways to spoil a file of a data package, each with what must come of it.

A mutation takes a random number generator and a `File` and returns what is put in the file's place,
or None where it does not apply. ``expects`` is what must come of it:

- ``refused``: an error that names file, place and mend;
- ``harmless``: nothing changes, to the byte, for the file says the same;
- ``legitimate``: another value of the same kind; the record of what was read must change;
- ``any``: one of the three, by what the file then says (`meaning`).
"""

from __future__ import annotations

import csv
import io
import json
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from random import Random
from typing import Any

from pydantic import BaseModel

from chipmodel.case import CaseFile
from chipmodel.policies import Policy
from chipmodel.schema import TABLES, Fact, Row, references
from chipmodel.study import Study
from chipmodel.units import MOST
from chipmodel.world import World

Rows = list[list[str]]


@dataclass(frozen=True)
class Made:
    """What a mutation puts in the place of a file.

    Attributes
    ----------
    content : bytes or str
        The new content, or the name of something that is no plain file (see `judge.put`).
    told : str
        What was done, for people.
    expects : str
        Narrower than the mutation's own, if given.
    says : str
        Text the refusal must hold.
    moves : int
        Sign of the least change of the objective: 1 must not fall, -1 must not rise, 0 unknown.
    """

    content: bytes | str
    told: str = ""
    expects: str = ""
    says: str = ""
    moves: int = 0


@dataclass(frozen=True)
class File:
    """A file of a package before it is spoilt."""

    path: Path
    raw: bytes

    @property
    def kind(self) -> str:
        """One of csv, points, case, world, study, json."""
        if self.path.suffix == ".toml":
            return {"cases": "case", "worlds": "world", "studies": "study"}[self.path.parent.name]
        return "json" if self.path.suffix == ".json" else "csv" if self.path.stem in TABLES else "points"

    @cached_property
    def text(self) -> str:
        return self.raw.decode()

    @cached_property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    @cached_property
    def rows(self) -> Rows:
        return list(csv.reader(io.StringIO(self.text, newline="")))

    @property
    def model(self) -> type[Row]:
        return TABLES[self.path.stem]

    @property
    def facts(self) -> bool:
        return self.kind == "csv" and issubclass(self.model, Fact) and len(self.rows) > 1

    def column(self, name: str) -> int:
        return self.rows[0].index(name)

    def codes(self) -> list[str]:
        """Columns that hold codes: a pattern, one of some words, or a key of another table."""
        shapes = self.model.model_json_schema()["properties"]
        parts = {name: [shape, *shape.get("anyOf", [])] for name, shape in shapes.items()}
        coded = {name for name, some in parts.items() if any({"pattern", "enum"} & set(p) for p in some)}
        return [name for name in self.rows[0] if name in coded | set(references(self.model))]

    def with_cell(self, row: int, column: int, new: str) -> bytes:
        return csv_bytes([*self.rows[:row], [*self.rows[row][:column], new, *self.rows[row][column + 1 :]],
                          *self.rows[row + 1 :]])

    def with_line(self, number: int, *new: str) -> bytes:
        return "".join(f"{x}\n" for x in [*self.lines[:number], *new, *self.lines[number + 1 :]]).encode()


def csv_bytes(rows: Rows) -> bytes:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(rows)
    return stream.getvalue().encode()


def meaning(file: File, raw: bytes) -> object:
    """Return what a file says, read by other means than chipmodel's; None if it cannot be read."""
    try:
        text = raw.decode("utf-8-sig")
        if file.kind == "json":
            return {entry["path"]: entry["hash"] for entry in json.loads(text)["resources"]}
        if file.kind in ("csv", "points"):
            header, *rows = csv.reader(io.StringIO(text, newline=""), strict=True)
            told = [sorted(zip(header, row, strict=True)) for row in rows if any(row)]
            return sorted(told) if file.kind == "csv" else told
        return _filled(file.kind, tomllib.loads(text.replace("\r\n", "\n")))
    except (ValueError, KeyError, TypeError, RecursionError, csv.Error):
        return None


def _filled(kind: str, content: dict[str, Any]) -> dict[str, Any]:
    """Return the content of a TOML file with the defaults its schema documents: leaving one out says the same."""

    def full(model: type[BaseModel], given: dict[str, Any]) -> dict[str, Any]:
        known = model.model_json_schema()["properties"]
        return {**{k: shape["default"] for k, shape in known.items() if "default" in shape}, **given}

    content = full({"case": CaseFile, "world": World, "study": Study}[kind], content)
    if kind == "case":
        content["policy"] = [full(Policy.kinds[p["kind"]], p) if p.get("kind") in Policy.kinds else p
                             for p in content["policy"]]
    return content


Change = Callable[[Random, File], Made | None]


@dataclass(frozen=True)
class Mutation:
    name: str
    kinds: tuple[str, ...]
    expects: str
    change: Change


MUTATIONS: list[Mutation] = []
EVERY = ("csv", "points", "case", "world", "study", "json")
TOML = ("case", "world", "study")
SHEETS = ("csv", "points")


def mutation(expects: str, *kinds: str) -> Callable[[Change], Change]:
    def register(change: Change) -> Change:
        MUTATIONS.append(Mutation(change.__name__.replace("_", " ").strip(), kinds, expects, change))
        return change

    return register


def named(name: str, expects: str, kinds: tuple[str, ...], change: Change) -> None:
    MUTATIONS.append(Mutation(name, kinds, expects, change))


# -- any file: its form -----------------------------------------------------------------------------

LOOK_ALIKES = {"a": "а", "c": "с", "e": "е", "i": "і", "o": "о", "p": "р", "s": "ѕ", "x": "х", "y": "у",
               "A": "А", "B": "В", "C": "С", "E": "Е", "H": "Н", "K": "К", "M": "М", "N": "Ν", "O": "О", "P": "Р",
               "T": "Т", "U": "Ս", "R": "Ɍ", "W": "Ԝ", "0": "О", "1": "１", "2": "２", "5": "５", "_": "＿"}
"""Letters and digits of other scripts that look like ours."""
HIDDEN = "\u00a0\u200b\ufeff\u202e\u00ad\u2028\u2009\u0000\u0007\u001b\u0085"
"""Characters that do not show."""

named("byte-order mark", "harmless", EVERY, lambda _, f: Made(b"\xef\xbb\xbf" + f.raw))
named("Windows line ends", "harmless", EVERY, lambda _, f: Made(f.raw.replace(b"\n", b"\r\n")))
named("blank lines at the end", "harmless", EVERY, lambda _, f: Made(f.raw + b"\n\n"))
named("no line end at the end", "harmless", EVERY, lambda _, f: Made(f.raw.rstrip(b"\n")))
named("old Macintosh line ends", "any", EVERY, lambda _, f: Made(f.raw.replace(b"\n", b"\r")))
named("empty file", "refused", EVERY, lambda _, f: Made(b""))
named("only blanks", "refused", EVERY, lambda _, f: Made(b" \n \n"))
named("UTF-16", "refused", EVERY, lambda _, f: Made(f.text.encode("utf-16")))
for _odd in ("directory", "dangling link", "link to itself", "file that vanishes", "huge file", "endless device"):
    named(_odd, "refused", EVERY, lambda _, f, odd=_odd: Made(odd))  # type: ignore[misc]


@mutation("any", *EVERY)
def truncated(rng: Random, f: File) -> Made | None:
    return Made(f.raw[: (cut := rng.randrange(1, len(f.raw)))], f"at byte {cut}")


@mutation("any", *EVERY)
def a_bit_flipped(rng: Random, f: File) -> Made | None:
    at = rng.randrange(len(f.raw))
    flipped = f.raw[at] ^ (1 << rng.randrange(8))
    return Made(f.raw[:at] + bytes([flipped]) + f.raw[at + 1 :], f"byte {at} is {flipped:#x}")


@mutation("refused", *EVERY)
def hidden_character(rng: Random, f: File) -> Made | None:
    at, char = rng.randrange(1, len(f.text)), rng.choice(HIDDEN)
    return Made((f.text[:at] + char + f.text[at:]).encode(), f"U+{ord(char):04X} at {at}", says=f"U+{ord(char):04X}")


@mutation("refused", *EVERY)
def byte_of_another_encoding(rng: Random, f: File) -> Made | None:
    at = rng.randrange(len(f.raw))
    return Made(f.raw[:at] + b"\xe9" + f.raw[at:], f"at byte {at}", says="UTF-8")


@mutation("any", *EVERY)
def line_dropped(rng: Random, f: File) -> Made | None:
    return Made(f.with_line(at := rng.randrange(len(f.lines))), f"line {at + 1}")


@mutation("any", *EVERY)
def line_twice(rng: Random, f: File) -> Made | None:
    at = rng.randrange(len(f.lines))
    return Made(f.with_line(at, f.lines[at], f.lines[at]), f"line {at + 1}")


@mutation("any", *EVERY)
def lines_swapped(rng: Random, f: File) -> Made | None:
    one, two = rng.randrange(len(f.lines)), rng.randrange(len(f.lines))
    lines = list(f.lines)
    lines[one], lines[two] = lines[two], lines[one]
    return Made(("\n".join(lines) + "\n").encode(), f"lines {one + 1} and {two + 1}")


# -- tables: their form -----------------------------------------------------------------------------


def any_row(rng: Random, f: File) -> int | None:
    return rng.randrange(1, len(f.rows)) if len(f.rows) > 1 else None


def separated(mark: str) -> Change:
    return lambda _, f: Made(f.raw.replace(b",", mark.encode())) if b"," in f.raw else None


named("semicolons", "refused", SHEETS, separated(";"))
named("tabs", "refused", SHEETS, separated("\t"))
named("semicolons and decimal commas", "refused", SHEETS,
      lambda _, f: Made(f.raw.replace(b",", b";").replace(b".", b",")) if b"," in f.raw else None)


@mutation("refused", *SHEETS)
def column_dropped(rng: Random, f: File) -> Made | None:
    at = rng.randrange(len(f.rows[0]))
    if f.kind == "points" and len(f.rows[0]) > 1:
        return Made(csv_bytes([row[:at] + row[at + 1 :] for row in f.rows]), f.rows[0][at], expects="any")
    return Made(csv_bytes([row[:at] + row[at + 1 :] for row in f.rows]), f.rows[0][at])


@mutation("refused", *SHEETS)
def column_twice(rng: Random, f: File) -> Made | None:
    at = rng.randrange(len(f.rows[0]))
    return Made(csv_bytes([[*row, row[at]] for row in f.rows]), f.rows[0][at])


@mutation("refused", *SHEETS)
def column_renamed(rng: Random, f: File) -> Made | None:
    at = rng.randrange(len(f.rows[0]))
    return Made(f.with_cell(0, at, f.rows[0][at] + "_x"), f.rows[0][at])


@mutation("any", *SHEETS)
def headers_swapped(rng: Random, f: File) -> Made | None:
    if len(f.rows[0]) < 2:
        return None
    header = list(f.rows[0])
    one, two = rng.sample(range(len(header)), 2)
    header[one], header[two] = header[two], header[one]
    return Made(csv_bytes([header, *f.rows[1:]]), f"{header[one]} and {header[two]}")


@mutation("harmless", "csv")
def columns_reordered(rng: Random, f: File) -> Made | None:
    order = rng.sample(range(len(f.rows[0])), len(f.rows[0]))
    return Made(csv_bytes([[row[i] for i in order] for row in f.rows]))


@mutation("harmless", "csv")
def rows_reordered(rng: Random, f: File) -> Made | None:
    return Made(csv_bytes([f.rows[0], *rng.sample(f.rows[1:], len(f.rows) - 1)]))


@mutation("harmless", "csv")
def blank_row(rng: Random, f: File) -> Made | None:
    at = rng.randrange(1, len(f.rows) + 1)
    return Made(csv_bytes([*f.rows[:at], [""] * len(f.rows[0]), *f.rows[at:]]), f"row {at}")


@mutation("any", *SHEETS)
def row_dropped(rng: Random, f: File) -> Made | None:
    if (at := any_row(rng, f)) is None:
        return None
    return Made(csv_bytes([*f.rows[:at], *f.rows[at + 1 :]]), ",".join(f.rows[at])[:60])


@mutation("refused", *SHEETS)
def row_twice(rng: Random, f: File) -> Made | None:
    return None if (at := any_row(rng, f)) is None else Made(csv_bytes([*f.rows, f.rows[at]]), f"row {at}")


@mutation("refused", "csv")
def key_twice_with_another_value(rng: Random, f: File) -> Made | None:
    if not f.facts:
        return None
    at, value = rng.randrange(1, len(f.rows)), f.column("value")
    row = list(f.rows[at])
    row[value] = str(float(row[value]) * 1.01)
    return Made(csv_bytes([*f.rows, row]), f"row {at}")


@mutation("refused", *SHEETS)
def cell_too_many(rng: Random, f: File) -> Made | None:
    if (at := any_row(rng, f)) is None:
        return None
    place = rng.randrange(len(f.rows[at]) + 1)
    row = [*f.rows[at][:place], "", *f.rows[at][place:]]
    return Made(csv_bytes([*f.rows[:at], row, *f.rows[at + 1 :]]), f"row {at}")


@mutation("refused", *SHEETS)
def cell_too_few(rng: Random, f: File) -> Made | None:
    if (at := any_row(rng, f)) is None or len(f.rows[0]) < 2:
        return None
    place = rng.randrange(len(f.rows[at]))
    row = [*f.rows[at][:place], *f.rows[at][place + 1 :]]
    return Made(csv_bytes([*f.rows[:at], row, *f.rows[at + 1 :]]), f"row {at}")


@mutation("refused", *SHEETS)
def quote_left_open(rng: Random, f: File) -> Made | None:
    at = rng.randrange(len(f.lines))
    return Made(f.with_line(at, '"' + f.lines[at]), f"line {at + 1}") if '"' not in f.text else None


@mutation("any", *SHEETS)
def cells_swapped(rng: Random, f: File) -> Made | None:
    if (at := any_row(rng, f)) is None or len(f.rows[0]) < 2:
        return None
    one, two = rng.sample(range(len(f.rows[0])), 2)
    rows = [list(row) for row in f.rows]
    rows[at][one], rows[at][two] = rows[at][two], rows[at][one]
    return Made(csv_bytes(rows), f"{f.rows[0][one]} and {f.rows[0][two]} of row {at}")


@mutation("any", "csv")
def values_of_two_rows_swapped(rng: Random, f: File) -> Made | None:
    if not f.facts or len(f.rows) < 3:
        return None
    one, two = rng.sample(range(1, len(f.rows)), 2)
    rows, value = [list(row) for row in f.rows], f.column("value")
    rows[one][value], rows[two][value] = rows[two][value], rows[one][value]
    return Made(csv_bytes(rows), f"rows {one} and {two}")


# -- tables: numbers --------------------------------------------------------------------------------

NO_NUMBERS = ("nan", "NaN", "inf", "-inf", "Infinity", "1e999", "-1e999", "", "n/a", "-", "TBD", "many", "1,234.5",
              "1.234,5", "1 234", "1'234", "1\u202f234", "1_000", "１２", "٣", "\u22125", "5%", "$5", "0x10", "1e", "--5",
              "1.2.3", " 5", "5 ", "=2*3", "½", "5\u00b3", "true")
"""What people and spreadsheets write into cells that want a number."""


def numeric(rng: Random, f: File) -> tuple[int, int] | None:
    """Return row and column of a value."""
    if f.kind == "points":
        return rng.randrange(1, len(f.rows)), rng.randrange(len(f.rows[0]))
    return (rng.randrange(1, len(f.rows)), f.column("value")) if f.facts else None


@mutation("refused", *SHEETS)
def no_number(rng: Random, f: File) -> Made | None:
    if (at := numeric(rng, f)) is None:
        return None
    return Made(f.with_cell(*at, new := rng.choice(NO_NUMBERS)), f"row {at[0]}: {new!r}")


def times(factor: float, expects: str) -> Change:
    def change(rng: Random, f: File) -> Made | None:
        if (at := numeric(rng, f)) is None or (old := float(f.rows[at[0]][at[1]])) == 0:
            return None
        free = f.kind == "csv" and not f.model.units  # type: ignore[attr-defined]
        new = repr(old * factor)
        return Made(f.with_cell(*at, new), f"row {at[0]}: {old:g} to {new}", expects="any" if free else expects)

    return change


named("wrong sign", "any", SHEETS, times(-1.0, "any"))
named("thousand times too large", "any", SHEETS, times(1e3, "any"))
named("thousand times too small", "any", SHEETS, times(1e-3, "any"))
named("enormous", "refused", SHEETS, times(1e12, "refused"))
named("enormous and negative", "refused", SHEETS, times(-1e12, "refused"))
named("next to nothing", "any", SHEETS, times(1e-300, "any"))


@mutation("any", "csv")
def at_the_end_of_what_is_sensible(rng: Random, f: File) -> Made | None:
    """A value is the least or the largest its item may have, with no range of its own."""
    if not f.facts:
        return None
    at, header = rng.randrange(1, len(f.rows)), f.rows[0]
    row = dict(zip(header, f.rows[at], strict=True))
    ends = f.model.limits(row.get("item", row.get("parameter", "*")))  # type: ignore[attr-defined]
    end = rng.choice([x for x in ends if x is not None] or [1e9])
    new = {**row, "value": repr(end), "low": "", "high": "", "grade": "A"}
    return Made(csv_bytes([*f.rows[:at], list(new.values()), *f.rows[at + 1 :]]), f"row {at}: {row['value']} to {end:g}")


@mutation("harmless", "csv")
def same_number_written_otherwise(rng: Random, f: File) -> Made | None:
    if (at := numeric(rng, f)) is None:
        return None
    return Made(f.with_cell(*at, new := f"+{float(f.rows[at[0]][at[1]]):.17e}"), f"row {at[0]}: {new}")


def ranged(rng: Random, f: File) -> tuple[int, float, float, float] | None:
    """Return a row with a range, its value, low and high."""
    if not f.facts:
        return None
    cells = [f.column(name) for name in ("value", "low", "high")]
    have = [i for i, row in enumerate(f.rows) if i and all(row[k] for k in cells)]
    if not have:
        return None
    at = rng.choice(have)
    value, low, high = (float(f.rows[at][k]) for k in cells)
    return (at, value, low, high) if low < high else None


@mutation("legitimate", "csv")
def another_value_in_its_range(rng: Random, f: File) -> Made | None:
    if (found := ranged(rng, f)) is None:
        return None
    at, value, low, high = found
    new = low + rng.random() * (high - low)
    whole = any(key in f.path.stem for key in ("demand_location", "input_supply", "expansion", "operation"))
    return Made(f.with_cell(at, f.column("value"), repr(new)), f"row {at}: {value:g} to {new:g} in {low:g}..{high:g}",
                expects="any" if whole else "")


@mutation("refused", "csv")
def value_outside_its_range(rng: Random, f: File) -> Made | None:
    if (found := ranged(rng, f)) is None:
        return None
    at, _, low, high = found
    new = rng.choice((low - 0.01 * abs(low) - 1e-6, high + 0.01 * abs(high) + 1e-6))
    return Made(f.with_cell(at, f.column("value"), repr(new)), f"row {at}: {new:g} for {low:g}..{high:g}")


@mutation("refused", "csv")
def low_and_high_swapped(rng: Random, f: File) -> Made | None:
    if (found := ranged(rng, f)) is None:
        return None
    rows, at = [list(row) for row in f.rows], found[0]
    low, high = f.column("low"), f.column("high")
    rows[at][low], rows[at][high] = rows[at][high], rows[at][low]
    return Made(csv_bytes(rows), f"row {at}")


@mutation("refused", "csv")
def range_without_bounds(rng: Random, f: File) -> Made | None:
    if (found := ranged(rng, f)) is None:
        return None
    free = not f.model.units  # type: ignore[attr-defined]
    new = "1e15" if rng.random() < 0.5 else rng.choice(NO_NUMBERS[:7])
    return Made(f.with_cell(found[0], f.column("high"), new), f"row {found[0]}: high {new}",
                expects="any" if free else "")


@mutation("refused", "csv")
def another_unit(rng: Random, f: File) -> Made | None:
    if not f.facts:
        return None
    at, unit = rng.randrange(1, len(f.rows)), f.column("unit")
    new = rng.choice([u for u in (*MOST, "KWPM", "thousand wafers", "%", "EUR", "", "USD / wafer", "ѕhare")
                      if u != f.rows[at][unit]])
    free = not f.model.units  # type: ignore[attr-defined]
    return Made(f.with_cell(at, unit, new), f"row {at}: {new!r}", expects="any" if free else "")


@mutation("refused", "csv")
def year_of_money_lost_or_added(rng: Random, f: File) -> Made | None:
    if not f.facts:
        return None
    at, year = rng.randrange(1, len(f.rows)), f.column("year_of_money")
    return Made(f.with_cell(at, year, "" if f.rows[at][year] else "2025"), f"row {at}")


@mutation("refused", "csv")
def no_year(rng: Random, f: File) -> Made | None:
    years = [c for c in f.rows[0] if c in ("year", "year_from", "year_to", "base_year", "earliest", "year_of_money",
                                           "construction_begun")]
    have = [(i, f.column(c)) for c in years for i, row in enumerate(f.rows) if i and row[f.column(c)]]
    if not have:
        return None
    at = rng.choice(have)
    new = rng.choice(("20025", "0", "-2025", "2025.5", "2_025", " 2025", "２０２５", "2025-01-01", "Q1", "9" * 30, "1e3"))
    return Made(f.with_cell(*at, new), f"row {at[0]}, {f.rows[0][at[1]]}: {new!r}")


# -- tables: codes ----------------------------------------------------------------------------------


def code(rng: Random, f: File) -> tuple[int, int, str] | None:
    have = [(i, f.column(c), row[f.column(c)]) for c in f.codes() for i, row in enumerate(f.rows)
            if i and row[f.column(c)]]
    return rng.choice(have) if have else None


def other_code(rng: Random, f: File, new: Callable[[str], str | None], says: str = "") -> Made | None:
    if (found := code(rng, f)) is None or (written := new(found[2])) is None or written == found[2]:
        return None
    at, column, old = found
    name = f.rows[0][column]
    # Another id of the own key is a new thing, not an unknown one; what pointed at the old one must be told.
    own = name in f.model.key and name not in references(f.model)
    return Made(f.with_cell(at, column, written), f"row {at}, {name}: {old} to {written!r}", says=says,
                expects="any" if own and not says and re.fullmatch(r"[a-z][a-z0-9_]{0,40}|[A-Z]{3}", written) else "")


def look_alike(rng: Random, text: str) -> str | None:
    places = [i for i, char in enumerate(text) if char in LOOK_ALIKES]
    if not places:
        return None
    at = rng.choice(places)
    return text[:at] + LOOK_ALIKES[text[at]] + text[at + 1 :]


@mutation("refused", "csv")
def unknown_code(rng: Random, f: File) -> Made | None:
    return other_code(rng, f, lambda old: "ZZZ" if old.isupper() else "nowhere")


@mutation("refused", "csv")
def code_with_a_look_alike(rng: Random, f: File) -> Made | None:
    return other_code(rng, f, lambda old: look_alike(rng, old), says="U+")


@mutation("refused", "csv")
def code_in_another_case(rng: Random, f: File) -> Made | None:
    return other_code(rng, f, str.swapcase)


@mutation("refused", "csv")
def blank_beside_a_code(rng: Random, f: File) -> Made | None:
    return other_code(rng, f, lambda old: rng.choice((f"{old} ", f" {old}", f"{old}\t")))


@mutation("any", "csv")
def code_of_another_row(rng: Random, f: File) -> Made | None:
    if (found := code(rng, f)) is None:
        return None
    at, column, old = found
    new = rng.choice(f.rows[1:])[column]
    return Made(f.with_cell(at, column, new), f"row {at}, {f.rows[0][column]}: {old} to {new}")


@mutation("refused", "csv")
def neither_true_nor_false(rng: Random, f: File) -> Made | None:
    columns = [c for c in ("subject", "interested", "on_support") if c in f.rows[0]]
    if not columns or (at := any_row(rng, f)) is None:
        return None
    return Made(f.with_cell(at, f.column(rng.choice(columns)), rng.choice(("maybe", "2", "", "ja", "tru"))), f"row {at}")


@mutation("any", "csv")
def any_cell(rng: Random, f: File) -> Made | None:
    """A cell holds what stands in any other cell of the table, or a text of no sense."""
    if (at := any_row(rng, f)) is None:
        return None
    column = rng.randrange(len(f.rows[0]))
    new = rng.choice([rng.choice(rng.choice(f.rows)), "x" * 300, "<b>&", "../../etc", "null", "'; --", "{}", "é"])
    return Made(f.with_cell(at, column, new), f"row {at}, {f.rows[0][column]}: {new[:40]!r}")


# -- tables: what must follow ------------------------------------------------------------------------

DIALS = {("device_steps", "premium"): 1, ("parameters", "capital_premium"): 1, ("input_facts", "premium"): 1,
         ("input_facts", "slack"): -1, ("input_facts", "replacement"): -1, ("budgets", ""): -1,
         ("parameters", "capital_step"): -1, ("operation", "u_max"): 0, ("prices", "customs_share"): 0}
"""Items, and where the objective must not go when they rise (1 down, -1 up, 0 unknown)."""


@mutation("legitimate", "csv")
def a_dial_turned_up(rng: Random, f: File) -> Made | None:
    if not f.facts:
        return None
    value = f.column("value")
    item = next((f.column(c) for c in ("item", "parameter") if c in f.rows[0]), None)
    have = [(i, DIALS[key]) for i, row in enumerate(f.rows)
            if i and (key := (f.path.stem, "" if item is None else row[item])) in DIALS and not row[f.column("high")]]
    if not have:
        return None
    at, moves = rng.choice(have)
    # Premiums of steps must rise with the step: the last one has room above it.
    at = max(i for i, _ in have) if f.path.stem == "device_steps" else at
    old = float(f.rows[at][value])
    new = min(old * rng.uniform(1.005, 1.05), 1.0) if f.path.stem in ("operation", "prices") else old * rng.uniform(1.01, 2)
    if new == old:
        return None
    return Made(f.with_cell(at, value, repr(new)), f"row {at}: {old:g} to {new:g}", moves=moves)
