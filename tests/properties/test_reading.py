"""Properties of reading and writing.

Any bytes give an InputError or are read, and what is written is read again.
"""

from __future__ import annotations

import csv
import io
import math
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Any

import helpers
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutations import HIDDEN
from pydantic import ValidationError

import chipmodel as cm
from chipmodel.cases.case import CaseFile
from chipmodel.cases.instruments import read_instruments
from chipmodel.common.errors import InputError, Problem
from chipmodel.common.files import text_of
from chipmodel.common.toml import from_file, read_toml, toml_text
from chipmodel.dataset.reading import read_table
from chipmodel.dataset.rows import TABLES, FleetRow, ParameterRow, columns
from chipmodel.policies.base import Policy
from chipmodel.studies.definition import table_points

QUICK = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
PLAIN = st.text(st.characters(exclude_categories=("C", "Z")) | st.just(" "))
ROW = {
    "base_year": "2025",
    "region": "AAA",
    "segment": "chip",
    "firm": "other",
    "value": "40",
    "unit": "kwpm",
    "year_of_money": "",
    "low": "",
    "high": "",
    "source": "test",
    "grade": "A",
    "note": "",
}


def table(**cells: str) -> bytes:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(
        [list(ROW), list({**ROW, **cells}.values())]
    )
    return stream.getvalue().encode()


@QUICK
@given(st.binary(max_size=300), st.sampled_from(list(TABLES)))
def test_any_bytes_as_a_table(raw: bytes, name: str) -> None:
    head = ",".join(columns(TABLES[name])).encode() + b"\n"
    for content in (raw, head + raw):
        _, problems = read_table(f"{name}.csv", content, TABLES[name])
        assert all(
            p.file == f"{name}.csv" and p.place and p.what and p.fix for p in problems
        )


@QUICK
@given(
    st.binary(max_size=200)
    | st.text("[]{}=\"'\n.,_0123456789abc-+#\\ué", max_size=80).map(str.encode)
)
def test_any_bytes_as_toml_or_points(
    tmp_path_factory: pytest.TempPathFactory, raw: bytes
) -> None:
    path = tmp_path_factory.mktemp("any") / "any.toml"
    path.write_bytes(raw)
    for read in (read_toml, table_points):
        with suppress(InputError):
            read(path)


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda x: (
        st.lists(x, max_size=3) | st.dictionaries(st.text(max_size=6), x, max_size=3)
    ),
    max_leaves=5,
)


@QUICK
@given(st.data())
def test_any_values_in_an_instrument(two: cm.Dataset, data: st.DataObject) -> None:
    kinds = sorted(
        k for k, p in Policy.kinds.items() if p.__module__.startswith("chipmodel.")
    )
    kind = data.draw(st.sampled_from(kinds))
    body = tomllib.loads(Policy.kinds[kind].example)
    for key in data.draw(
        st.lists(
            st.sampled_from(sorted(Policy.kinds[kind].model_fields)),
            min_size=1,
            max_size=3,
        )
    ):
        body[key] = data.draw(ANY)
    found, problems = read_instruments("any.toml", ({"kind": kind, **body},), two)
    assert len(found) == 1 or problems
    assert all(p.place and p.what and p.fix for p in problems)


@QUICK
@given(st.dictionaries(st.sampled_from(list(CaseFile.model_fields)), ANY))
def test_any_values_in_a_case(content: dict[str, Any]) -> None:
    with suppress(ValidationError):
        from_file(CaseFile, content)


@QUICK
@given(PLAIN)
def test_a_note_is_read_as_it_was_written(note: str) -> None:
    (row,), problems = read_table("fleets.csv", table(note=note), FleetRow)
    assert not problems
    assert isinstance(row, FleetRow)
    assert row.note == note


@QUICK
@given(st.floats(0, 1e5))
def test_a_number_is_read_to_the_last_bit(value: float) -> None:
    (row,), problems = read_table("fleets.csv", table(value=repr(value)), FleetRow)
    assert not problems
    assert isinstance(row, FleetRow)
    assert row.value == value


@QUICK
@given(st.floats() | st.text(max_size=6))
def test_what_is_no_number_within_limits_is_refused(value: float | str) -> None:
    rows, problems = read_table("fleets.csv", table(value=str(value)), FleetRow)
    fine = isinstance(value, float) and 0 <= value <= 1e5
    if isinstance(value, str):
        fine = (
            value.isascii()
            and value.strip("+-.eE0123456789") == ""
            and _is_number(value)
        )
    assert (len(rows) == 1) == fine
    assert bool(problems) != fine


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text)) and 0 <= float(text) <= 1e5
    except ValueError:
        return False


VALUES = (
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | PLAIN
)


@QUICK
@given(
    st.dictionaries(
        PLAIN.filter(bool),
        VALUES
        | st.lists(VALUES, max_size=3)
        | st.dictionaries(PLAIN.filter(bool), VALUES, min_size=1, max_size=3),
        max_size=4,
    )
)
def test_toml_is_read_as_it_was_written(content: dict[str, Any]) -> None:
    assert tomllib.loads(toml_text(content)) == content


@pytest.mark.parametrize("name", sorted(p.name for p in helpers.TWO.glob("*.csv")))
def test_a_table_read_and_written_is_the_same_to_the_byte(
    name: str, tmp_path: Path
) -> None:
    helpers.write(tmp_path / name, *helpers.read(helpers.TWO / name))
    assert (tmp_path / name).read_bytes() == (helpers.TWO / name).read_bytes()


@pytest.mark.parametrize("char", list(HIDDEN))
def test_a_character_that_does_not_show_is_named(char: str) -> None:
    with pytest.raises(InputError) as caught:
        text_of("fleets.csv", f"a\nb{char}c\n".encode())
    (problem,) = caught.value.problems
    assert problem.place == "line 2"
    assert f"U+{ord(char):04X}" in problem.what


def test_a_look_alike_is_named_once() -> None:
    error = InputError.one("a.toml", "rаte", "unknown key", "remove it")
    (problem,) = InputError(error.problems).problems
    assert problem.what == "unknown key (holds U+0430 CYRILLIC SMALL LETTER A)"
    assert InputError.one("a.toml", "rate", "is missing", "add it").problems == (
        Problem("a.toml", "rate", "is missing", "add it"),
    )


@pytest.mark.parametrize(
    ("item", "value"), [("slope", "0"), ("economic_life", "0.5"), ("inflation", "1.01")]
)
def test_an_item_has_limits_of_its_own_or_those_of_its_unit(
    item: str, value: str
) -> None:
    unit = ParameterRow.units[item]
    header = ",".join(columns(ParameterRow))
    raw = f"{header}\n{item},{value},{unit},,,,test,A,\n".encode()
    rows, problems = read_table("parameters.csv", raw, ParameterRow)
    assert not rows
    assert "below" in problems[0].what or "above" in problems[0].what
