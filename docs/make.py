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
    text = ""
    for line in (header, ["---"] * len(header), *rows):
        cells = [_cell(value) for value in line]
        text += f"| {' | '.join(cells)} |\n"
    return text


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = f"{value:g}" if isinstance(value, float) else str(value)
    # A line break or a bar would end the cell.
    return one_line(text).replace("|", "\\|")


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

    def equation(match: re.Match[str]) -> str:
        return f"$$\n{one_line(match[1])}\n$$"

    def item(match: re.Match[str]) -> str:
        return f"- **{match[1]}**: {one_line(match[2])}\n"

    text = inspect.cleandoc(docstring)
    # An equation goes on over the indented lines below its first one.
    indented = r"^\.\. math::[ ]*((?:.*)(?:\n[ ]+\S.*)*)"
    text = re.sub(indented, equation, text, flags=re.MULTILINE)
    text = re.sub(r":math:`([^`]*)`", r"$\1$", text)
    text = re.sub(r"\\ :sub:`([^`]*)`", r"<sub>\1</sub>", text)
    text = text.replace("``", "`")
    if items:
        text = re.sub(r"^([a-z_]+): ", r"- **\1**: ", text, flags=re.MULTILINE)
    # A term on a line of its own, with its meaning indented below it.
    return re.sub(r"^(\w+)\n((?:[ ]{4}.*\n?)+)", item, text, flags=re.MULTILINE)


# The linear program.


def formulation() -> str:
    """Return the page of the linear program, from the declarations of its parts."""
    origin = (
        "This page and `chipmodel formulation` are written from the row groups and"
        " docstrings in `chipmodel/model/lp/`."
    )
    text = f"# The linear program\n\n{GENERATED}{one_line(OPENING)}\n\n"
    text += f"{origin} {one_line(ROWS)}\n"
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
            name, index = f"`{group.name}`", ", ".join(group.index)
            # The dual of a balance is a price, which is nobody's rent.
            owner = "" if group.owner is None else group.owner.text
            rows.append([name, group.kind, index, group.unit, group.dual, owner])
    header = ["rows", "kind", "index", "unit", "the dual is", "owner of the rent"]
    return table(header, rows)


# The data: its tables, and what no source gives.


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


def assumptions(data: Dataset) -> str:
    """Return the page of every number no source gives."""
    facts: dict[str, list[Fact]] = {}
    for name, model in TABLES.items():
        if issubclass(model, Fact):
            facts[name] = []
    for name, fact in data.facts():
        facts[name].append(fact)
    text = (
        "# Assumptions\n\n"
        + GENERATED
        + "Every number the model needs and no source gives, with the range it may lie"
        " in and the reason for the value. They are grade E in the tables. A result"
        " that depends on one of these rows is only as good as the row; the ranges are"
        " there to be tried, with `[[scale]]` in a world file or an edited copy of"
        " the data. Not only rows of grade E are uncertain: a row of grade C has lost"
        " its citation, and a row of grade D inherits the errors of what it is"
        " computed from.\n\n## Facts by grade\n\n"
    )
    text += _grades(facts)
    for name, rows in facts.items():
        assumed = [fact for fact in rows if fact.grade == "E"]
        if assumed:
            text += f"\n## {name}\n\n{TABLES[name].about}\n\n"
            text += _assumed(", ".join(TABLES[name].key), assumed)
    return text


def _grades(facts: dict[str, list[Fact]]) -> str:
    """Return the table of how many facts of each table have which grade."""
    total: Counter[str] = Counter()
    rows: list[list[object]] = []
    for name, facts_of_table in facts.items():
        count = Counter(fact.grade for fact in facts_of_table)
        total += count
        # An empty cell, not a zero, where a grade does not occur.
        rows.append([f"`{name}`", *(count[grade] or "" for grade in GRADES)])
    rows.append(["all", *(total[grade] for grade in GRADES)])
    return table(["table", *GRADES], rows)


def _assumed(key: str, facts: list[Fact]) -> str:
    """Return the table of assumptions, with their ranges and reasons."""
    rows: list[list[object]] = []
    for fact in facts:
        limits = f"{fact.low:g} to {fact.high:g}"
        rows.append([_key(fact), fact.value, limits, _unit(fact), fact.note])
    return table([key, "value", "range", "unit", "reason"], rows)


def _key(fact: Fact) -> str:
    values = [getattr(fact, name) for name in type(fact).key]
    return ", ".join(str(value) for value in values if value is not None)


def _unit(fact: Fact) -> str:
    if fact.year_of_money is None:
        return fact.unit
    return f"{fact.unit}, {fact.year_of_money}"


# The instruments.


def instruments() -> list[str]:
    """Return the kinds of chipmodel's own instruments, in the order of their page."""
    shipped = set()
    for kind, cls in Policy.kinds.items():
        # An installed package may add instruments, which have no page here.
        if cls.__module__.startswith("chipmodel.policies."):
            shipped.add(kind)
    return [*KINDS, *sorted(shipped - set(KINDS))]


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
    rows: list[list[object]] = []
    for kind in kinds:
        rows.append([f"[{kind}](#{kind})", Policy.kinds[kind].law])
    text += table(["kind", "represents"], rows)
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
    if path.exists():
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            is_test = isinstance(node, ast.FunctionDef) and node.name.startswith(
                "test_"
            )
            if is_test and ast.get_docstring(node):
                return file, node.name
    sys.exit(f"{file}: no test with a docstring; solve a small case of {kind} by hand")


def _fields(cls: type[Policy], without: set[str]) -> str:
    shapes = cls.model_json_schema()["properties"]
    rows: list[list[object]] = []
    for name, field in cls.model_fields.items():
        if name in without:
            continue
        unit = ""
        for mark in field.metadata:
            if isinstance(mark, Number):
                unit = mark.unit
        default = "required"
        if not field.is_required():
            default = _shown(field.default)
        form = _type(shapes[name])
        rows.append([f"`{name}`", form, unit, default, field.description])
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
    # A field that may be absent is shown in the form it has if it is there.
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
        bounds = []
        for key, sign in BOUNDS.items():
            if key in shape:
                bounds.append(f"{sign} {shape[key]:g}")
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
    links = []
    for name in list_cases(data):
        kinds = {policy.kind for policy in _added_or_changed(name, data)}
        if kind in kinds:
            links.append(f"[{name}](cases.md#{name})")
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
    lines = []
    # In the order in which ruff sorts imports.
    for cls in sorted(classes, key=lambda cls: cls.__module__):
        module = cls.__module__.removeprefix("chipmodel")
        lines.append(_stub_line(module, cls.__name__))
    return before + OPEN + "".join(lines) + "\n" + CLOSE + after


def _stub_line(module: str, name: str) -> str:
    line = f"from {module} import {name} as {name}\n"
    # As `ruff format` wraps it; the line break is not counted.
    if len(line) <= 89:
        return line
    return f"from {module} import (\n    {name} as {name},\n)\n"


# Cases, worlds and studies.


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
    world_rows: list[list[object]] = []
    for world in worlds:
        world_rows.append([f"`{world.name}`", world.title, world.summary])
    text += "\n## Worlds\n\n" + table(["world", "title", "summary"], world_rows)
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
    text += "\n\n"
    if not case.policies:
        return text + "No instruments.\n"
    changes = _added_or_changed(name, data)
    for policy in changes:
        note = f" Note: {policy.note}." if policy.note else ""
        text += (
            f"- `{policy.id}`: {policy.sentence(names_of(data))}{note} (source"
            f" `{policy.source}`)\n"
        )
    inherited = [f"`{policy.id}`" for policy in case.policies if policy not in changes]
    if inherited:
        text += f"- from `{file.baseline}`: {', '.join(inherited)}\n"
    return text


def _added_or_changed(name: str, data: Dataset) -> list[Policy]:
    """Return the instruments a case adds to its baseline or changes."""
    baseline = read_toml(data.root / "cases" / f"{name}.toml").get("baseline")
    parents = load_case(baseline, data).policies if baseline else ()
    inherited = {policy.id: policy for policy in parents}
    policies_of_case = load_case(name, data).policies
    return [p for p in policies_of_case if inherited.get(p.id) != p]


def _world_numbers(worlds: list[World]) -> str:
    skip = {"name", "title", "summary", "scale", "event"}
    rows: list[list[object]] = []
    for name, field in World.model_fields.items():
        if name not in skip:
            values = [getattr(world, name) for world in worlds]
            rows.append([f"`{name}`", *values, field.description])
    names = [world.name for world in worlds]
    return table(["number", *names, "meaning"], rows)


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


# The files.


def schemas() -> dict[Path, str]:
    """Return the JSON schemas of case, world and study files."""
    texts = {}
    # Written elsewhere first: with --check no file of the repository is touched.
    with TemporaryDirectory() as folder:
        for path in write_schemas(folder):
            texts[ROOT / "schema" / path.name] = path.read_text(encoding="utf-8")
    return texts


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
    # Bytes, so that line endings are the same on every system.
    for path, text in pages(load_dataset(ROOT / "data")).items():
        if path.exists() and path.read_bytes() == text.encode():
            continue
        changed.append(path)
        if not args.check:
            path.write_bytes(text.encode())
    outcome = "differs" if args.check else "written"
    for path in changed:
        print(f"{path.relative_to(ROOT)}: {outcome}")
    return 1 if args.check and changed else 0


if __name__ == "__main__":
    sys.exit(main())
