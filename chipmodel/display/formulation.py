"""The linear program as text, generated from the declarations of its parts."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from typing import Any

from chipmodel.common.text import labelled
from chipmodel.dataset.dataset import Dataset
from chipmodel.dataset.rows import InputRow, RegionRow, SegmentRow
from chipmodel.model.lp.program import PARTS
from chipmodel.model.lp.row_groups import RowGroup, groups_of
from chipmodel.policies.base import Policy

STEPS = ("variables", "constraints", "costs")
"""What each part adds to the linear program, in this order."""

OPENING = """\
Minimise the discounted cost of resources, plus tariffs, less support, less the value
of the chips served. With price-taking firms and buyers the optimum is the competitive
equilibrium under the stated policies. Left out: market power, income effects, the
quality of firms, conversion of old lines. Every variable is at least zero. Flows and
capacity are kwpm, money is million USD, real."""

ROWS = """\
A balance has a zero right-hand side, and its dual is a price. A limit has an owner, and
its dual times its right-hand side is the rent of that owner."""

SYMBOLS = {
    r"\qquad": "",
    r"\cdot": "*",
    r"\le": "<=",
    r"\ge": ">=",
    r"\ne": "!=",
    r"\in": " in ",
    r"\sum": "sum",
    r"\tau": "tau",
    r"\phi": "phi",
    r"\epsilon": "eps",
    r"\ln": "ln",
    r"\,": " ",
    r"\_": "_",
}
"""What LaTeX commands become in plain text."""


@dataclass(frozen=True)
class Part:
    """A part of the linear program, with its docstrings as they are in the code.

    Attributes
    ----------
    name, title : str
        Name of the module, and its docstring.
    variables, costs : str
        What variables it adds, and what it charges.
    groups : tuple of RowGroup
        Its rows.
    """

    name: str
    title: str
    variables: str
    groups: tuple[RowGroup, ...]
    costs: str


def parts_of_program() -> list[Part]:
    """Return the parts of the linear program, in reading order."""
    parts = []
    for module in PARTS:
        part = Part(
            name=module.__name__.rsplit(".", 1)[-1],
            title=_title(module.__doc__),
            variables=inspect.getdoc(module.variables) or "",
            groups=groups_of(module),
            costs=inspect.getdoc(module.costs) or "",
        )
        parts.append(part)
    return parts


def _title(docstring: str | None) -> str:
    """Return the first line of a docstring, without its full stop."""
    first, *_ = inspect.cleandoc(docstring or "").splitlines()
    return first.rstrip(".")


def formulation(kinds: bool = True) -> dict[str, Any]:
    """Return the parts of the linear program and its instruments, described in text.

    Parameters
    ----------
    kinds : bool
        Whether to include the instruments of policy.
    """
    instruments = []
    if kinds:
        for kind, policy in sorted(Policy.kinds.items()):
            instruments.append(_plain_instrument(kind, policy))
    return {
        "opening": " ".join(OPENING.split()),
        "parts": [_plain_part(part) for part in parts_of_program()],
        "instruments": instruments,
    }


def _plain_part(part: Part) -> dict[str, Any]:
    groups = [_plain_group(group) for group in part.groups]
    return {
        "part": part.name,
        "title": readable(part.title),
        "variables": readable(part.variables),
        "constraints": "\n\n".join(map(_group_text, groups)),
        "row_groups": groups,
        "costs": readable(part.costs),
    }


def _plain_group(group: RowGroup) -> dict[str, Any]:
    return {
        "name": group.name,
        "kind": group.kind,
        "title": group.title,
        "symbols": list(group.symbols),
        "index": list(group.index),
        "unit": group.unit,
        "owner": "" if group.owner is None else group.owner.text,
        "dual": group.dual,
        "words": readable(group.docstring),
    }


def _group_text(group: dict[str, Any]) -> str:
    """Return a row group as paragraphs: name and title, equation, dual and owner."""
    head = f"{group['name']}[{','.join(group['symbols'])}]"
    lines = [
        f"{head}: {group['title']} ({group['kind']}, {group['unit']})",
        _indented(group["words"]),
        "",
        f"  Dual: {group['dual']}.",
    ]
    if group["owner"]:
        lines.append(f"  Owner of the rent: {group['owner']}.")
    return "\n".join(lines)


def _plain_instrument(kind: str, policy: type[Policy]) -> dict[str, Any]:
    return {
        "kind": kind,
        "law": policy.law,
        "words": readable(policy.__doc__),
        "dual": policy.dual,
    }


def sets_of(data: Dataset) -> dict[str, list[str]]:
    """Return the sets of the linear program in a data package."""
    regions = sorted(data.rows(RegionRow), key=lambda row: row.rank)
    return {
        "regions r": [row.region for row in regions],
        "segments s": [row.segment for row in data.rows(SegmentRow)],
        "inputs j": [row.input for row in data.rows(InputRow)],
    }


def formulation_text(described: dict[str, Any]) -> str:
    """Return the linear program as text.

    Parameters
    ----------
    described : dict
        What `formulation` returned; ``sets``, if there, from `sets_of`.
    """
    lines = ["THE LINEAR PROGRAM", "", OPENING]
    if "sets" in described:
        sets = []
        for name, members in described["sets"].items():
            sets.append((name, " ".join(members)))
        lines += ["", "Sets:", *labelled(sets, "  ")]
    lines += ["", ROWS]
    for number, part in enumerate(described["parts"], start=1):
        title = f"{number}. {part['title']}"
        lines += ["", "", title, "=" * len(title)]
        for step in STEPS:
            lines += ["", f"{step.capitalize()}:", _indented(part[step])]
    if described["instruments"]:
        lines += ["", "", "Instruments of policy", "====================="]
    for entry in described["instruments"]:
        lines += ["", f"{entry['kind']}: {entry['law']}", _indented(entry["words"])]
        if entry["dual"]:
            lines.append(f"  Dual: {entry['dual']}.")
    return "\n".join(lines) + "\n"


def _indented(text: str) -> str:
    return "\n".join(f"  {line}".rstrip() for line in text.splitlines())


def readable(docstring: str | None) -> str:
    """Return a docstring as plain text, without its markup."""
    text = inspect.cleandoc(docstring or "")
    text = re.sub(r":math:`([^`]*)`", lambda match: _math(match[1]), text)
    lines = []
    in_equation = False
    for line in text.splitlines():
        start = re.match(r"\s*\.\. math::\s*(.*)", line)
        # An equation goes on over the indented lines below its first one.
        in_equation = bool(start) or (in_equation and line.startswith(" "))
        body = line
        if start:
            body = start[1]
        if not in_equation:
            lines.append(line)
        elif body.strip():
            lines.append(f"    {_math(body)}")
    text = "\n".join(lines)
    text = re.sub(r"\\ :sub:`([^`]*)`", r"[\1]", text)
    return re.sub(r"(`+)([^`]*)\1", r"\2", text)


def _math(text: str) -> str:
    """Return an equation in LaTeX as plain text."""
    # Long commands first, in case one is the start of another.
    for symbol in sorted(SYMBOLS, key=len, reverse=True):
        text = text.replace(symbol, SYMBOLS[symbol])
    text = re.sub(r"_\{([^{}]*)\}", r"[\1]", text)
    text = re.sub(r"\^\{([^{}]*)\}", r"^(\1)", text)
    return " ".join(text.replace("{", "").replace("}", "").split())
