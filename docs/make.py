"""Write what is generated: pages, the data descriptor, JSON schemas, public names.

``python docs/make.py`` writes them; ``python docs/make.py --check`` only compares and
exits with 1 if a file would change.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import re
import sys
import tomllib
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from chipmodel.cases.case import CaseFile, list_cases, load_case
from chipmodel.cases.describe import names_of
from chipmodel.cli.schemas import write_schemas
from chipmodel.common.files import names_in
from chipmodel.common.toml import read_toml
from chipmodel.common.units import per_wafer
from chipmodel.dataset import descriptor
from chipmodel.dataset.dataset import Dataset, load_dataset
from chipmodel.dataset.fields import Fact
from chipmodel.dataset.rows import TABLES, SegmentRow
from chipmodel.display.formulation import OPENING, ROWS, Part, parts_of_program
from chipmodel.model.lp.row_groups import RowGroup
from chipmodel.model.parameters.build import build_parameters
from chipmodel.model.world import World, load_world
from chipmodel.policies.base import Number, Policy

ROOT = Path(__file__).resolve().parent.parent
GENERATED = "<!-- Written by docs/make.py; do not edit. -->\n\n"
GRADES = "ABCDE"
KINDS = ("tariff", "capex_grant", "investment_tax_credit", "origin_floor")
"""The order of the instruments on their page; others follow by name."""


def table(header: list[str], rows: list[list[object]]) -> str:
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return (
        "\n".join("| " + " | ".join(_cell(x) for x in line) + " |" for line in lines)
        + "\n"
    )


def _cell(value: object) -> str:
    text = (
        ""
        if value is None
        else f"{value:g}"
        if isinstance(value, float)
        else str(value)
    )
    return " ".join(text.split()).replace("|", "\\|")


def one_line(text: str) -> str:
    """Return a text with its line breaks taken out."""
    return " ".join(text.split())


def markdown(docstring: str, items: bool = True) -> str:
    """Turn a docstring (reStructuredText, the little of it used here) into Markdown.

    Parameters
    ----------
    items : bool
        Whether a line such as ``size: meaning`` is an item of a list, and not prose.
    """
    text = inspect.cleandoc(docstring)
    text = re.sub(
        r"^\.\. math::[ ]*((?:.*)(?:\n[ ]+\S.*)*)",
        lambda m: f"$$\n{one_line(m[1])}\n$$",
        text,
        flags=re.MULTILINE,
    )
    text = re.sub(r":math:`([^`]*)`", r"$\1$", text)
    text = re.sub(r"\\ :sub:`([^`]*)`", r"<sub>\1</sub>", text)
    text = text.replace("``", "`")
    if items:
        text = re.sub(r"^([a-z_]+): ", r"- **\1**: ", text, flags=re.MULTILINE)
    return re.sub(
        r"^(\w+)\n((?:[ ]{4}.*\n?)+)",
        lambda m: f"- **{m[1]}**: {one_line(m[2])}\n",
        text,
        flags=re.MULTILINE,
    )


# --------------------------------------------------------------------------------
# formulation
def formulation() -> str:
    """Return the page of the linear program, from the declarations of its parts."""
    text = (
        "# The linear program\n\n"
        + GENERATED
        + one_line(OPENING)
        + "\n\nThis page and `chipmodel formulation` are written from the row groups and"
        " docstrings in `chipmodel/model/lp/`. " + one_line(ROWS) + "\n"
    )
    parts = parts_of_program()
    for number, part in enumerate(parts, start=1):
        text += f"\n## {number}. {part.title}\n"
        text += (
            f"\n### Variables of {part.name}\n\n{markdown(part.variables).strip()}\n"
        )
        text += f"\n### Constraints of {part.name}\n"
        for group in part.groups:
            text += f"\n{_row_group(group)}"
        text += f"\n### Costs of {part.name}\n\n{markdown(part.costs).strip()}\n"
    return text + "\n## Rows and their duals\n\n" + _row_groups(parts)


def _row_group(group: RowGroup) -> str:
    symbols = ",".join(group.symbols)
    return (
        f"#### `{group.name}[{symbols}]`: {group.title}\n\n"
        f"{markdown(group.docstring).strip()}\n"
    )


def _row_groups(parts: list[Part]) -> str:
    rows: list[list[object]] = []
    for part in parts:
        for group in part.groups:
            rows.append(
                [
                    f"`{group.name}`",
                    group.kind,
                    ", ".join(group.index),
                    group.unit,
                    group.dual,
                    "" if group.owner is None else group.owner.text,
                ]
            )
    header = ["rows", "kind", "index", "unit", "the dual is", "owner of the rent"]
    return table(header, rows)


# -------------------------------------------------------------------------------------
# tables
def tables(data: Dataset) -> str:
    """Return the page of the tables of the data package."""
    rows: list[list[object]] = []
    for name, model in TABLES.items():
        kind = "facts" if issubclass(model, Fact) else ""
        key = ", ".join(model.key)
        rows.append([f"`{name}.csv`", model.about, key, kind, len(data.tables[name])])
    return (
        "# Tables\n\n"
        + GENERATED
        + "The tables of the data package; [data](data.md) describes their origin. "
        "`datapackage.json` describes every column.\n\n"
        + table(["table", "about", "key", "", "rows"], rows)
        + "\n## What a wafer is worth and costs\n\nUSD of 2025 per wafer, in the world"
        " `central`. The full cost is that of a new plant before support, averaged over"
        " the capacity of the base year. Other value added is the difference: design,"
        " software and margin, as far as sales show them. It may be negative.\n\n"
        + _prices(data)
    )


def _prices(data: Dataset) -> str:
    """Return the table of prices and costs of a wafer by segment."""
    parameters = build_parameters(data, load_world("central", data))
    prices = parameters.prices
    columns = {
        "reference price": prices.reference,
        "dutiable value": prices.dutiable,
        "full cost": prices.long_run,
        "other value added": prices.other,
    }
    names = {row.segment: row.name for row in data.rows(SegmentRow)}
    rows: list[list[object]] = []
    for segment in parameters.segments:
        values = [f"{per_wafer(by[segment]):,.0f}" for by in columns.values()]
        rows.append([names[segment], *values])
    return table(["segment", *columns], rows)


# --------------------------------------------------------------------------------
# assumptions
def assumptions(data: Dataset) -> str:
    """Return the page of every number no source gives."""
    count = Counter((name, fact.grade) for name, fact in data.facts())
    facts = [name for name, model in TABLES.items() if issubclass(model, Fact)]
    total = [sum(count[name, grade] for name in facts) for grade in GRADES]
    text = (
        "# Assumptions\n\n"
        + GENERATED
        + "Every number the model needs and no source gives, with the range it may lie"
        " in and the reason for the value. They are grade E in the tables. A result"
        " that turns on one of these rows is only as good as the row; the ranges are"
        " there to be tried, with `[[scale]]` in a world file or an edited copy of"
        " the data. Not only rows of grade E are uncertain: a row of grade C has lost"
        " its citation, and a row of grade D inherits the errors of what it is"
        " computed from.\n\n## Facts by grade\n\n"
    )
    rows: list[list[object]] = [
        [f"`{name}`", *(count[name, grade] or "" for grade in GRADES)] for name in facts
    ]
    text += table(["table", *GRADES], [*rows, ["all", *total]])
    for name in facts:
        found = [
            fact for known, fact in data.facts() if known == name and fact.grade == "E"
        ]
        if found:
            lines: list[list[object]] = [
                [
                    _key(fact),
                    fact.value,
                    f"{fact.low:g} to {fact.high:g}",
                    _unit(fact),
                    fact.note,
                ]
                for fact in found
            ]
            text += f"\n## {name}\n\n{TABLES[name].about}\n\n" + table(
                [", ".join(TABLES[name].key), "value", "range", "unit", "reason"], lines
            )
    return text


def _key(fact: Fact) -> str:
    return ", ".join(
        str(value)
        for value in (getattr(fact, key) for key in type(fact).key)
        if value is not None
    )


def _unit(fact: Fact) -> str:
    return (
        fact.unit
        if fact.year_of_money is None
        else f"{fact.unit}, {fact.year_of_money}"
    )


# -----------------------------------------------------------------------------------
# policies
def instruments() -> list[str]:
    """Return the kinds of chipmodel's own instruments, in the order of their page."""
    own = [
        kind
        for kind, cls in Policy.kinds.items()
        if cls.__module__.startswith("chipmodel.policies.")
    ]
    return [*KINDS, *sorted(set(own) - set(KINDS))]


def policies(data: Dataset) -> str:
    """Return the page of the instruments."""
    kinds = instruments()
    text = (
        "# Policies\n\n"
        + GENERATED
        + "Each instrument is one class in `chipmodel/policies/`. A case file lists"
        " instruments as `[[policy]]` tables with their `kind`; see"
        " [cases](cases.md). An instrument whose number is zero is left out of the"
        " linear program. Fields with a unit are *numbers*: they may vary without"
        " changing the shape of the linear program.\n\n"
    )
    text += table(
        ["kind", "represents"],
        [[f"[{kind}](#{kind})", Policy.kinds[kind].law] for kind in kinds],
    )
    text += "\n## Fields every instrument has\n\n" + _fields(Policy, set())
    for kind in kinds:
        cls = Policy.kinds[kind]
        dual = cls.dual or "none; it is a pure price, its effect shows in prices"
        meaning = markdown(cls.__doc__ or "", items=False).strip()
        text += f"\n## {kind}\n\n{cls.law}\n\n{meaning}\n\n"
        text += f"**Dual:** {dual}.\n\n"
        text += _fields(cls, set(Policy.model_fields))
        text += _use(kind, data)
    return text


def paper_test(kind: str) -> tuple[str, str]:
    """Return the file and the name of the test that solves an instrument by hand.

    It is the first test with a docstring in ``tests/paper/test_<kind>.py``.
    """
    file = f"tests/paper/test_{kind}.py"
    path = ROOT / file
    nodes = ast.parse(path.read_text(encoding="utf-8")).body if path.exists() else []
    for node in nodes:
        if (
            isinstance(node, ast.FunctionDef)
            and node.name.startswith("test_")
            and ast.get_docstring(node)
        ):
            return file, node.name
    sys.exit(f"{file}: no test with a docstring; solve a small case of {kind} by hand")


def _fields(cls: type[Policy], without: set[str]) -> str:
    shapes = cls.model_json_schema()["properties"]
    rows: list[list[object]] = []
    for name, field in cls.model_fields.items():
        if name in without:
            continue
        units = [mark.unit for mark in field.metadata if isinstance(mark, Number)]
        unit = units[0] if units else ""
        default = "required" if field.is_required() else _shown(field.default)
        rows.append(
            [f"`{name}`", _type(shapes[name]), unit, default, field.description]
        )
    return table(["field", "form", "unit", "default", "meaning"], rows)


def _shown(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, tuple):
        names = ", ".join(f'"{name}"' for name in value)
        return f"`[{names}]`"
    return f"`{value!r}`"


BOUNDS = {
    "minimum": "at least",
    "exclusiveMinimum": "above",
    "maximum": "at most",
    "exclusiveMaximum": "below",
}
"""Bounds in a JSON schema, and how a page writes them."""


def _type(shape: dict[str, Any]) -> str:
    """Return the form of a field, from its JSON schema."""
    forms = [part for part in shape.get("anyOf", ()) if part.get("type") != "null"]
    if forms:
        shape = forms[0]
    if "enum" in shape:
        return " or ".join(f"`{value}`" for value in shape["enum"])
    kind = shape.get("type", "value")
    if kind == "array":
        if "prefixItems" in shape.get("items", {}):
            return "list of year and number"
        return "two years" if "prefixItems" in shape else "list of names"
    if kind == "integer":
        # A whole number that cannot be below 2000 is a year; any other counts years.
        return "year" if shape.get("minimum", 0) >= 2000 else "years"
    if kind == "number":
        bounds = [
            f"{sign} {shape[key]:g}" for key, sign in BOUNDS.items() if key in shape
        ]
        return f"number {', '.join(bounds)}".strip()
    return {"string": "text", "boolean": "true or false"}.get(kind, kind)


def example(kind: str) -> Policy:
    """Return the example of a kind of instrument."""
    return Policy.kinds[kind].model_validate(tomllib.loads(Policy.kinds[kind].example))


def _use(kind: str, data: Dataset) -> str:
    """Return an example of a case file, the test solved by hand, and shipped cases."""
    body = Policy.kinds[kind].example.strip()
    text = f'\n```toml\n[[policy]]\nkind = "{kind}"\n{body}\n```\n'
    text += f"\nThat is: {example(kind).sentence(names_of(data))}\n"
    file, test = paper_test(kind)
    text += f"\nSolved on paper in [{file}](../{file}), `{test}`.\n"
    links = [
        f"[{name}](cases.md#{name})"
        for name in list_cases(data)
        if any(policy.kind == kind for policy in _own(name, data))
    ]
    if not links:
        return text + "\nNo shipped case uses it.\n"
    return text + f"\nCases that add or change one: {', '.join(links)}.\n"


STUB = ROOT / "chipmodel" / "__init__.pyi"
OPEN = "# Instruments: written by docs/make.py from chipmodel/policies/; do not edit.\n"
CLOSE = "# End of instruments.\n"


def stub() -> str:
    """Return the list of public names, with a line for every instrument."""
    before, rest = STUB.read_text(encoding="utf-8").split(OPEN)
    _, after = rest.split(CLOSE)
    classes = [Policy.kinds[kind] for kind in instruments()]
    lines = [
        _stub_line(cls.__module__.removeprefix("chipmodel"), cls.__name__)
        for cls in sorted(classes, key=lambda cls: cls.__module__)
    ]
    return before + OPEN + "".join(lines) + "\n" + CLOSE + after


def _stub_line(module: str, name: str) -> str:
    line = f"from {module} import {name} as {name}\n"
    # As `ruff format` wraps it; the line break is not counted.
    if len(line) <= 89:
        return line
    return f"from {module} import (\n    {name} as {name},\n)\n"


# --------------------------------------------------------------------------------------
# cases
def cases(data: Dataset) -> str:
    """Return the page of the shipped cases, worlds and studies."""
    names = list_cases(data)
    text = (
        "# Cases, worlds and studies\n\n"
        + GENERATED
        + "A case is a list of policy instruments, written as differences from one"
        " baseline; a world is everything else that is assumed. Any case can be"
        " solved in any world: `chipmodel run current_law --world high_demand`. Cases"
        " add with `+`.\n\n## Cases\n\n"
    )
    rows: list[list[object]] = []
    for name in names:
        case = load_case(name, data)
        rows.append([f"[{name}](#{name})", case.title, case.status, case.as_of])
    text += table(["case", "title", "status", "as of"], rows)
    for name in names:
        text += _case(name, data)
    worlds = [load_world(name, data) for name in names_in(data.root / "worlds")]
    text += "\n## Worlds\n\n" + table(
        ["world", "title", "summary"],
        [[f"`{world.name}`", world.title, world.summary] for world in worlds],
    )
    text += "\n### Numbers of the worlds\n\n" + _world_numbers(worlds)
    for world in worlds:
        text += _world_changes(world)
    return text + _studies(data)


def _case(name: str, data: Dataset) -> str:
    case = load_case(name, data)
    file = CaseFile.model_validate(read_toml(data.root / "cases" / f"{name}.toml"))
    text = f"\n### {name}\n\n**{case.title}**\n\n{one_line(case.summary)}\n\n"
    text += f"Status: {case.status}, as of {case.as_of}."
    if file.baseline is not None:
        text += f" Baseline: [{file.baseline}](#{file.baseline})"
        removed = ", ".join(f"`{policy}`" for policy in file.remove)
        text += f", without {removed}." if removed else "."
    own = _own(name, data)
    text += "\n\n"
    for policy in own:
        note = f" Note: {policy.note}." if policy.note else ""
        text += (
            f"- `{policy.id}`: {policy.sentence(names_of(data))}{note} (source"
            f" `{policy.source}`)\n"
        )
    inherited = [f"`{policy.id}`" for policy in case.policies if policy not in own]
    if inherited:
        text += f"- from `{file.baseline}`: {', '.join(inherited)}\n"
    return text if case.policies else text + "No instruments.\n"


def _own(name: str, data: Dataset) -> list[Policy]:
    """Return the instruments a case adds to its baseline or changes."""
    baseline = read_toml(data.root / "cases" / f"{name}.toml").get("baseline")
    parents = load_case(baseline, data).policies if baseline else ()
    inherited = {policy.id: policy for policy in parents}
    return [
        policy
        for policy in load_case(name, data).policies
        if inherited.get(policy.id) != policy
    ]


def _world_numbers(worlds: list[World]) -> str:
    skip = {"name", "title", "summary", "scale", "event"}
    rows: list[list[object]] = [
        [f"`{name}`", *(getattr(world, name) for world in worlds), field.description]
        for name, field in World.model_fields.items()
        if name not in skip
    ]
    return table(["number", *(world.name for world in worlds), "meaning"], rows)


def _world_changes(world: World) -> str:
    """Return the factors on facts and the events of a world."""
    text = ""
    for scale in world.scale:
        columns = [f"{column} {value}" for column, value in scale.where.items()]
        where = ", ".join(columns) or "every row"
        text += (
            f"\n`{world.name}` multiplies `{scale.table}` ({where}) by"
            f" {scale.factor:g}.\n"
        )
    for event in world.event:
        known = f"known from {event.known_from}" if event.known_from else "foreseen"
        text += (
            f"\n`{world.name}`, event `{event.id}`: {event.region} loses"
            f" {event.depth:.0%} of output in {', '.join(event.segments)} from"
            f" {event.years[0]} to {event.years[1]}, {known}.\n"
        )
    return text


def _studies(data: Dataset) -> str:
    rows: list[list[object]] = []
    for name in names_in(data.root / "studies"):
        content = read_toml(data.root / "studies" / f"{name}.toml")
        cases_of = ", ".join(content["cases"])
        rows.append([f"`{name}`", content["title"], cases_of, content["summary"]])
    return "\n## Studies\n\n" + table(["study", "title", "cases", "summary"], rows)


# --------------------------------------------------------------------------------------
# main
def schemas() -> dict[Path, str]:
    """Return the JSON schemas of case, world and study files."""
    with TemporaryDirectory() as folder:
        return {
            ROOT / "schema" / path.name: path.read_text(encoding="utf-8")
            for path in write_schemas(folder)
        }


def pages(data: Dataset) -> dict[Path, str]:
    """Return every generated file with its text."""
    return {
        ROOT / "docs" / "formulation.md": formulation(),
        ROOT / "docs" / "tables.md": tables(data),
        ROOT / "docs" / "assumptions.md": assumptions(data),
        ROOT / "docs" / "policies.md": policies(data),
        ROOT / "docs" / "cases.md": cases(data),
        ROOT / "data" / descriptor.FILE: descriptor.descriptor_text(data),
        STUB: stub(),
        **schemas(),
    }


def main() -> int:
    """Write or check the generated files."""
    parser = argparse.ArgumentParser(
        description="Write the generated pages of the documentation."
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="compare only; exit 1 if a file would change",
    )
    args = parser.parse_args()
    changed = []
    for path, text in pages(load_dataset(ROOT / "data")).items():
        if path.exists() and path.read_bytes() == text.encode():
            continue
        changed.append(path)
        if not args.check:
            path.write_bytes(text.encode())
    for path in changed:
        print(f"{path.relative_to(ROOT)}: {'differs' if args.check else 'written'}")
    return 1 if args.check and changed else 0


if __name__ == "__main__":
    sys.exit(main())
