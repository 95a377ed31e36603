"""Ways to corrupt a file of a data package, each with what must come of it.

A mutation takes a random number generator and a `File` and returns what is put in the
file's place, or None where it does not apply. ``expects`` is what must come of it:

- ``refused``: an error that names file, place and fix;
- ``harmless``: nothing changes, to the byte, for the content is the same;
- ``legitimate``: another value of the same kind; the record of what was read changes;
- ``any``: one of the three, by what the file then holds (`meaning`).
"""

from __future__ import annotations

import csv
import io
import json
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from random import Random
from typing import Any

from pydantic import BaseModel

from chipmodel.cases.case import CaseFile
from chipmodel.dataset.fields import Fact, Row
from chipmodel.dataset.rows import TABLES, references
from chipmodel.model.world import World
from chipmodel.policies.base import Policy
from chipmodel.studies.definition import Study

Rows = list[list[str]]


@dataclass(frozen=True)
class Made:
    """What a mutation puts in the place of a file.

    Attributes
    ----------
    content : bytes or str
        The new content, or the name of something that is no plain file (see
        `judge.put`).
    label : str
        What was done, as text.
    expects : str
        Narrower than the mutation's own, if given.
    mentions : str
        Text the refusal must hold.
    moves : int
        Sign of the change of the objective: 1 must not fall, -1 must not rise, 0 is
        unknown.
    """

    content: bytes | str
    label: str = ""
    expects: str = ""
    mentions: str = ""
    moves: int = 0


@dataclass(frozen=True)
class File:
    """A file of a package before it is corrupted."""

    path: Path
    raw: bytes

    @property
    def kind(self) -> str:
        """One of csv, points, case, world, study, json."""
        if self.path.suffix == ".toml":
            return {"cases": "case", "worlds": "world", "studies": "study"}[
                self.path.parent.name
            ]
        if self.path.suffix == ".json":
            return "json"
        return "csv" if self.path.stem in TABLES else "points"

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
        return (
            self.kind == "csv" and issubclass(self.model, Fact) and len(self.rows) > 1
        )

    def column(self, name: str) -> int:
        return self.rows[0].index(name)

    def codes(self) -> list[str]:
        """Columns of codes: a pattern, one of some words, or a key of another table."""
        shapes = self.model.model_json_schema()["properties"]
        parts = {
            name: [shape, *shape.get("anyOf", [])] for name, shape in shapes.items()
        }
        coded = {
            name
            for name, some in parts.items()
            if any({"pattern", "enum"} & set(p) for p in some)
        }
        return [
            name for name in self.rows[0] if name in coded | set(references(self.model))
        ]

    def with_cell(self, row: int, column: int, new: str) -> bytes:
        return csv_bytes(
            [
                *self.rows[:row],
                [*self.rows[row][:column], new, *self.rows[row][column + 1 :]],
                *self.rows[row + 1 :],
            ]
        )

    def with_line(self, number: int, *new: str) -> bytes:
        return "".join(
            f"{x}\n" for x in [*self.lines[:number], *new, *self.lines[number + 1 :]]
        ).encode()


def csv_bytes(rows: Rows) -> bytes:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(rows)
    return stream.getvalue().encode()


def meaning(file: File, raw: bytes) -> object:
    """Return the content of a file, read independently of chipmodel.

    None if it cannot be read.
    """
    try:
        text = raw.decode("utf-8-sig")
        if file.kind == "json":
            return {
                entry["path"]: entry["hash"] for entry in json.loads(text)["resources"]
            }
        if file.kind in ("csv", "points"):
            header, *rows = csv.reader(io.StringIO(text, newline=""), strict=True)
            content = [
                sorted(zip(header, row, strict=True)) for row in rows if any(row)
            ]
            return sorted(content) if file.kind == "csv" else content
        return _filled(file.kind, tomllib.loads(text.replace("\r\n", "\n")))
    except (ValueError, KeyError, TypeError, RecursionError, csv.Error):
        return None


def _filled(kind: str, content: dict[str, Any]) -> dict[str, Any]:
    """Return the content of a TOML file with the defaults of its schema filled in.

    A key that has its default value has the same meaning as a missing one.
    """

    def full(model: type[BaseModel], given: dict[str, Any]) -> dict[str, Any]:
        known = model.model_json_schema()["properties"]
        return {
            **{k: shape["default"] for k, shape in known.items() if "default" in shape},
            **given,
        }

    content = full({"case": CaseFile, "world": World, "study": Study}[kind], content)
    if kind == "study":
        # The last number of a grid varies fastest: their order is that of the points.
        content["grid"] = list(content.get("grid", {}).items())
    if kind == "case":
        content["policy"] = [
            full(Policy.kinds[p["kind"]], p) if p.get("kind") in Policy.kinds else p
            for p in content["policy"]
        ]
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
        MUTATIONS.append(
            Mutation(change.__name__.replace("_", " ").strip(), kinds, expects, change)
        )
        return change

    return register


def named(name: str, expects: str, kinds: tuple[str, ...], change: Change) -> None:
    MUTATIONS.append(Mutation(name, kinds, expects, change))


# -- any file: its form

LOOK_ALIKES = {
    "a": "а",
    "c": "с",
    "e": "е",
    "i": "і",
    "o": "о",
    "p": "р",
    "s": "ѕ",
    "x": "х",
    "y": "у",
    "A": "А",
    "B": "В",
    "C": "С",
    "E": "Е",
    "H": "Н",
    "K": "К",
    "M": "М",
    "N": "Ν",
    "O": "О",
    "P": "Р",
    "T": "Т",
    "U": "Ս",
    "R": "Ɍ",
    "W": "Ԝ",
    "0": "О",
    "1": "１",
    "2": "２",
    "5": "５",
    "_": "＿",
}
"""Letters and digits of other scripts that look like ours."""
HIDDEN = "\u00a0\u200b\ufeff\u202e\u00ad\u2028\u2009\u0000\u0007\u001b\u0085"
"""Characters that do not show."""


def look_alike(rng: Random, text: str) -> str | None:
    places = [i for i, char in enumerate(text) if char in LOOK_ALIKES]
    if not places:
        return None
    at = rng.choice(places)
    return text[:at] + LOOK_ALIKES[text[at]] + text[at + 1 :]


named("byte-order mark", "harmless", EVERY, lambda _, f: Made(b"\xef\xbb\xbf" + f.raw))
named(
    "Windows line ends",
    "harmless",
    EVERY,
    lambda _, f: Made(f.raw.replace(b"\n", b"\r\n")),
)
named("blank lines at the end", "harmless", EVERY, lambda _, f: Made(f.raw + b"\n\n"))
named(
    "no line end at the end", "harmless", EVERY, lambda _, f: Made(f.raw.rstrip(b"\n"))
)
named(
    "old Macintosh line ends",
    "any",
    EVERY,
    lambda _, f: Made(f.raw.replace(b"\n", b"\r")),
)
named("empty file", "refused", EVERY, lambda _, f: Made(b""))
named("only blanks", "refused", EVERY, lambda _, f: Made(b" \n \n"))
named("UTF-16", "refused", EVERY, lambda _, f: Made(f.text.encode("utf-16")))
# A folder among cases, worlds and studies is that of another program.
named("directory", "refused", ("csv", "points", "json"), lambda _, f: Made("directory"))
for _odd in (
    "dangling link",
    "link to itself",
    "file that vanishes",
    "huge file",
    "endless device",
):
    named(_odd, "refused", EVERY, lambda _, f, odd=_odd: Made(odd))  # type: ignore[misc]


@mutation("any", *EVERY)
def truncated(rng: Random, f: File) -> Made | None:
    return Made(f.raw[: (cut := rng.randrange(1, len(f.raw)))], f"at byte {cut}")


@mutation("any", *EVERY)
def a_bit_flipped(rng: Random, f: File) -> Made | None:
    at = rng.randrange(len(f.raw))
    flipped = f.raw[at] ^ (1 << rng.randrange(8))
    return Made(
        f.raw[:at] + bytes([flipped]) + f.raw[at + 1 :], f"byte {at} is {flipped:#x}"
    )


@mutation("refused", *EVERY)
def hidden_character(rng: Random, f: File) -> Made | None:
    at, char = rng.randrange(1, len(f.text)), rng.choice(HIDDEN)
    return Made(
        (f.text[:at] + char + f.text[at:]).encode(),
        f"U+{ord(char):04X} at {at}",
        mentions=f"U+{ord(char):04X}",
    )


@mutation("refused", *EVERY)
def byte_of_another_encoding(rng: Random, f: File) -> Made | None:
    at = rng.randrange(len(f.raw))
    return Made(f.raw[:at] + b"\xe9" + f.raw[at:], f"at byte {at}", mentions="UTF-8")


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
