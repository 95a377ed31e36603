"""The linear programme in words, generated from the docstrings of its parts."""

from __future__ import annotations

import inspect
import re
from types import ModuleType
from typing import Any

from chipmodel.common.text import labelled
from chipmodel.dataset.dataset import Dataset
from chipmodel.dataset.rows import InputRow, RegionRow, SegmentRow
from chipmodel.model.lp import finance, program
from chipmodel.policies.base import Policy

STEPS = ("variables", "constraints", "costs")


OPENING = """Minimise the discounted cost of resources, plus tariffs, less support, less the value of the chips
served. With price-taking firms and buyers the optimum is the competitive equilibrium under the stated
policies. Left out: market power, income effects, the quality of firms, conversion of old lines.
Every variable is at least zero. Flows and capacity are kwpm, money is million USD, real."""


SYMBOLS = {
    r"\cdot": "*",
    r"\le": "<=",
    r"\ge": ">=",
    r"\in": " in ",
    r"\sum": "sum",
    r"\tau": "tau",
    r"\phi": "phi",
    r"\epsilon": "eps",
    r"\ln": "ln",
    r"\,": " ",
    r"\_": "_",
}


def formulation(kinds: bool = True) -> dict[str, Any]:
    """Return the parts of the programme and its instruments, each with its words.

    Parameters
    ----------
    kinds : bool
        Whether to include the instruments of policy.
    """
    parts = [
        {
            "part": module.__name__.rsplit(".", 1)[-1],
            "title": readable(module.__doc__),
            **{step: readable(getattr(module, step).__doc__) for step in STEPS},
        }
        for module in _modules()
    ]
    instruments = [
        {
            "kind": kind,
            "law": policy.law,
            "words": readable(policy.__doc__),
            "dual": policy.dual,
        }
        for kind, policy in sorted(Policy.kinds.items())
        if kinds
    ]
    return {
        "opening": " ".join(OPENING.split()),
        "parts": parts,
        "instruments": instruments,
    }


def sets_of(data: Dataset) -> dict[str, list[str]]:
    """Return the sets the programme is written over in a data package."""
    regions = sorted(data.rows(RegionRow), key=lambda row: row.rank)
    return {
        "regions r": [row.region for row in regions],
        "segments s": [row.segment for row in data.rows(SegmentRow)],
        "inputs j": [row.input for row in data.rows(InputRow)],
    }


def formulation_text(found: dict[str, Any]) -> str:
    """Return the programme as text."""
    lines = ["THE LINEAR PROGRAMME", "", OPENING]
    if "sets" in found:
        lines += [
            "",
            "Sets:",
            *labelled(
                [(name, " ".join(members)) for name, members in found["sets"].items()],
                "  ",
            ),
        ]
    for number, part in enumerate(found["parts"], start=1):
        title = f"{number}. {part['title'].rstrip('.')}"
        lines += ["", "", title, "=" * len(title.splitlines()[-1])]
        for step in STEPS:
            lines += ["", f"{step.capitalize()}:", _indented(part[step])]
    if found["instruments"]:
        lines += ["", "", "Instruments of policy", "====================="]
    for entry in found["instruments"]:
        lines += ["", f"{entry['kind']}: {entry['law']}", _indented(entry["words"])]
        if entry["dual"]:
            lines += [f"  Dual: {entry['dual']}."]
    return "\n".join(lines) + "\n"


def _modules() -> tuple[ModuleType, ...]:
    return (*program.PARTS, finance)


def _indented(text: str) -> str:
    return "\n".join(f"  {line}".rstrip() for line in text.splitlines())


def readable(docstring: str | None) -> str:
    """Return a docstring without its markup."""
    text = inspect.cleandoc(docstring or "")
    text = re.sub(r":math:`([^`]*)`", lambda found: _math(found[1]), text)
    lines = []
    inside = False
    for line in text.splitlines():
        start = re.match(r"\s*\.\. math::\s*(.*)", line)
        inside = bool(start) or (inside and line.startswith(" "))
        if start and not start[1]:
            continue
        body = start[1] if start else line
        lines.append(f"    {_math(body)}" if inside and body.strip() else line)
    text = "\n".join(lines)
    text = re.sub(r"\\ :sub:`([^`]*)`", r"[\1]", text)
    return re.sub(r"(`+)([^`]*)\1", r"\2", text)


def _math(text: str) -> str:
    for symbol, plain in sorted(SYMBOLS.items(), key=lambda pair: -len(pair[0])):
        text = text.replace(symbol, plain)
    text = re.sub(r"_\{([^{}]*)\}", r"[\1]", text)
    text = re.sub(r"\^\{([^{}]*)\}", r"^(\1)", text)
    return " ".join(text.replace("{", "").replace("}", "").split())
