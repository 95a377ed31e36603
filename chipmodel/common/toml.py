"""Read and write TOML, and validate the content of a file with a model."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from chipmodel.common.errors import InputError, Problem
from chipmodel.common.faults import explained
from chipmodel.common.files import read_file, text_of

ModelT = TypeVar("ModelT", bound=BaseModel)

ESCAPED = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"}
"""Characters of a TOML string with a short escape."""

DELETE = 127
"""Code of the one control character above the printable ASCII ones."""


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises
    ------
    InputError
        If it cannot be read or is not TOML.
    """
    text = text_of(path.name, read_file(path))
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        what = str(error)
        place = re.search(r"at line (\d+)", what)
        if place:
            line = text.split("\n")[int(place[1]) - 1]
            what += f": {line.strip()[:80]}"
        fix = "correct the line named"
    except (ValueError, RecursionError) as error:
        # A number of thousands of digits, or lists in lists in lists.
        what, fix = f"cannot be read ({error})", "write plain numbers and lists"
    raise InputError.one(path.name, "TOML", what, fix)


def from_file(model: type[ModelT], content: dict[str, Any]) -> ModelT:
    """Check the content of a file against a model.

    Text, truth values and fractions are not turned into whole numbers.

    Raises
    ------
    pydantic.ValidationError
        If it does not fit; `problems_of` turns that into problems of the file.
    """
    return model.model_validate(_tuples(content), strict=True)


def _tuples(value: Any) -> Any:
    # Models hold tuples; in strict mode a list is not taken for one.
    if isinstance(value, dict):
        return {key: _tuples(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return tuple(_tuples(entry) for entry in value)
    return value


def problems_of(
    error: ValidationError, file: str, place: str = "", regions: Iterable[str] = ()
) -> list[Problem]:
    """Turn the findings of pydantic into problems of a file.

    Parameters
    ----------
    error : pydantic.ValidationError
    file : str
        Name of the file.
    place : str
        Place of the content inside the file, such as a policy.
    regions : iterable of str
        Regions to choose from, for the message about one that is not known.
    """
    known_regions = tuple(regions)
    problems = []
    for fault in error.errors():
        field, what, fix = _explained(dict(fault), known_regions)
        whole_place = ".".join(part for part in (place, field) if part)
        problems.append(Problem(file, whole_place or "file", what, fix))
    return problems


def _explained(fault: dict[str, Any], regions: tuple[str, ...]) -> tuple[str, str, str]:
    """Return field, what is wrong and the fix of one finding of pydantic."""
    parts = [str(part) for part in fault["loc"]]
    if _is_about_two_years(parts, fault["type"]):
        years = ".".join(parts[: parts.index("years") + 1])
        return years, "is not two years", "give two years, [first, last]"
    return ".".join(parts), *explained(fault, regions)


def _is_about_two_years(parts: list[str], kind: str) -> bool:
    """Whether a finding is about the number of entries of ``years``."""
    if "years" not in parts:
        return False
    one_of_two_is_missing = kind == "missing" and parts[-1] != "years"
    return kind in ("too_long", "tuple_type") or one_of_two_is_missing


# Written here and not by tomli-w, which gives each entry of a list its own line: with
# its pairs of years, a case of 194 lines would have 297.
def toml_text(content: dict[str, Any]) -> str:
    """Return plain data as TOML.

    Parameters
    ----------
    content : dict
        Strings, numbers, lists, flat tables and lists of flat tables. Keys stay in
        order, tables after the other values.
    """
    lines: list[str] = []
    tables: list[str] = []
    for key, value in content.items():
        name = _key(key)
        if isinstance(value, dict):
            tables += ["", f"[{name}]", *_lines(value)]
        elif _is_list_of_tables(value):
            for entry in value:
                tables += ["", f"[[{name}]]", *_lines(entry)]
        else:
            lines.append(f"{name} = {_value(value)}")
    return "\n".join([*lines, *tables]) + "\n"


def _is_list_of_tables(value: object) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _lines(table: dict[str, Any]) -> list[str]:
    return [f"{_key(key)} = {_value(value)}" for key, value in table.items()]


def _key(key: str) -> str:
    plain = key.isascii() and key.replace("_", "").replace("-", "").isalnum()
    return key if plain else _value(key)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(entry) for entry in value) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(_lines(value)) + " }"
    return '"' + "".join(_escaped(char) for char in str(value)) + '"'


def _escaped(char: str) -> str:
    if char in ESCAPED:
        return ESCAPED[char]
    if ord(char) < ord(" ") or ord(char) == DELETE:
        return f"\\u{ord(char):04x}"
    return char
