"""How to cite chipmodel and its data."""

from __future__ import annotations

from typing import Any

from chipmodel.common.version import __version__
from chipmodel.dataset.dataset import Dataset
from chipmodel.dataset.rows import SourceRow

YEAR = 2026

TITLE = "chipmodel: where chip factories go, and who pays, under policy"

# BibTeX counts braces behind a backslash too.
BIBTEX = {
    "\\": r"\textbackslash ",
    "{": r"\textbraceleft ",
    "}": r"\textbraceright ",
    "%": r"\%",
    "&": r"\&",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde ",
    "^": r"\textasciicircum ",
    '"': "''",
    "@": r"\char64 ",
}
"""What BibTeX and LaTeX read instead of characters with a meaning."""


def cite(data: Dataset) -> dict[str, Any]:
    """Return a citation, its BibTeX form and the licences as plain data."""
    stamp = f"data {data.name}, digest {data.digest[:12]}"
    note = "".join(BIBTEX.get(character, character) for character in stamp)
    bibtex = "\n".join(
        [
            "@software{chipmodel,",
            "  author  = {{The chipmodel authors}},",
            f"  title   = {{{TITLE}}},",
            f"  version = {{{__version__}}},",
            f"  year    = {{{YEAR}}},",
            f"  note    = {{{note}}}",
            "}",
        ]
    )
    citation = (
        f"The chipmodel authors ({YEAR}). {TITLE}. Version {__version__}; {stamp}."
    )
    return {
        "citation": citation,
        "bibtex": bibtex,
        "licence_code": "MIT",
        "licence_data": "CC-BY-4.0",
        "data": data.name,
        "digest": data.digest,
        "sources": len(data.rows(SourceRow)),
    }


def cite_lines(citation: dict[str, Any]) -> list[str]:
    """Return what `cite` gives as lines of text."""
    licences = (
        f"Code: {citation['licence_code']}. Data: {citation['licence_data']}; cite the"
        " sources of the numbers you use"
    )
    sources = (
        f"as well ({citation['sources']} in sources.csv; data.source_of(...) names"
        " them)."
    )
    return [citation["citation"], "", citation["bibtex"], "", licences, sources]
