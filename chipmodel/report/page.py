"""The page of the report: one HTML file with findings, figures and tables.

The page holds everything it shows and requests nothing: its content security policy
allows no request and only the one style sheet and script whose hashes it names. The
HTML is written by the templates beside this module. Jinja2 escapes every value, so that
a name in a data file stays text; only the project's own style sheet and script are
marked as safe.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from chipmodel.common.version import __version__
from chipmodel.dataset.cite import cite
from chipmodel.dataset.dataset import Dataset
from chipmodel.dataset.rows import SourceRow
from chipmodel.display.intervals import HOW_SURE
from chipmodel.questions.folder import Part
from chipmodel.report.sections import opening, what_if
from chipmodel.report.table_view import TableView
from chipmodel.report.widgets import (
    CapacityChooser,
    DialPanel,
    capacity_numbers,
    dial_numbers,
)

TITLE = "Where chip factories go, and who pays"


GRADES = {
    "A": "read in the source",
    "B": "quoted by another",
    "C": "citation missing",
    "D": "computed here, formula in the note",
    "E": "assumption, with a range",
}
"""Meaning of each grade of evidence."""


PIXELS_PER_POINT = 1.6
"""Width of a figure on a wide screen by its width in points, so that letters match."""


OPENING, WHAT_IF = "opening", "what_if"
"""Names of the parts with a widget."""


HIDDEN = {(OPENING, opening.CAPACITY), (WHAT_IF, what_if.REFERENCE)}
"""Tables, by part and name, that a widget shows in place of the page."""


@dataclass(frozen=True)
class Section:
    """A section of the page.

    Attributes
    ----------
    id : str
        Its anchor on the page.
    title : str
    template : str
        File of ``template/`` that writes it.
    content : object
        What the template reads as ``section.content``.
    """

    id: str
    title: str
    template: str
    content: object = None


@dataclass(frozen=True)
class Paragraph:
    """A paragraph of a finding: its statement, and the sentence of its intervals."""

    statement: str
    intervals: str


@dataclass(frozen=True)
class TitledTable:
    """A table of a part, with the files that hold it."""

    title: str
    view: TableView
    files: list[str]


@dataclass(frozen=True)
class EmbeddedFigure:
    """A figure of a part, as an address that holds the whole image.

    Attributes
    ----------
    source : str
        Address of the kind ``data:``.
    width : str
        Width in pixels; empty if the image does not state its own.
    """

    title: str
    alt: str
    source: str
    width: str
    view: TableView
    files: list[str]


@dataclass(frozen=True)
class PartContent:
    """What the page shows of a part."""

    name: str
    asks: str
    method: str
    finding: list[Paragraph]
    tables: list[TitledTable]
    figures: list[EmbeddedFigure]
    chooser: CapacityChooser | None
    dials: DialPanel | None


@dataclass(frozen=True)
class Grades:
    """How many facts have which grade."""

    facts: int
    sources: int
    view: TableView


@dataclass(frozen=True)
class Manifest:
    """What the report was made with."""

    version: str
    code: str
    data_name: str
    data_digest: str
    packages: str
    view: TableView
    parts: list[str]


def page(parts: Sequence[Part], data: Dataset, short: bool) -> str:
    """Return the report as one page.

    Parameters
    ----------
    parts : sequence of Part
        The opening first.
    data : Dataset
    short : bool
        Whether the parts were answered in their short form, which the page states.
    """
    style, script = _template_text("page.css"), _template_text("page.js")
    numbers = {
        "capacity": capacity_numbers(parts[0], data),
        "dials": _dial_numbers(parts),
    }
    template = page_environment().get_template("page.html")
    return template.render(
        title=TITLE,
        version=__version__,
        data=data,
        short=short,
        sections=list(_sections(parts, data)),
        numbers=numbers,
        # These two are files of this package: the browser reads them as they are.
        style=Markup(style),
        script=Markup(script),
        style_hash=_hash(style),
        script_hash=_hash(script),
    )


@cache
def page_environment() -> Environment:
    """Return the environment of the templates, which escapes every value."""
    environment = Environment(
        loader=PackageLoader("chipmodel.report", "template"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["code_spans"] = code_spans
    # The order of the keys and letters outside ASCII stay as they are in the report.
    environment.policies["json.dumps_kwargs"] = {
        "ensure_ascii": False,
        "separators": (",", ":"),
    }
    return environment


@cache
def _template_text(name: str) -> str:
    return (files("chipmodel.report") / "template" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """Return the hash by which a content security policy admits a text."""
    digest = hashlib.sha256(text.encode()).digest()
    return "sha256-" + base64.b64encode(digest).decode()


def code_spans(text: str) -> Markup:
    """Return a text in which everything between backquotes is set as code.

    >>> code_spans("the study `a<b`")
    Markup('the study <code>a&lt;b</code>')
    """
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def _sections(parts: Sequence[Part], data: Dataset) -> Iterator[Section]:
    for part in parts:
        content = _part_content(part, data)
        yield Section(part.name, str(part.about["title"]), "part.html", content)
    yield Section("grades", "How good the data are", "grades.html", _grades(data))
    yield Section("leaves_out", "What the model leaves out", "leaves_out.html")
    yield Section("cite", "How to cite", "cite.html", cite(data))
    yield Section("manifest", "Manifest", "manifest.html", _manifest(parts))


def _part_content(part: Part, data: Dataset) -> PartContent:
    about = part.about
    # Without matplotlib an answer has no images.
    drawn = []
    for figure in about["figures"]:
        if f"{figure['name']}.svg" in about["outputs"]:
            drawn.append(figure)
    # The table of a figure is shown below the figure, not once more by itself.
    skipped = {figure["table"] for figure in drawn}
    tables = []
    for table in about["tables"]:
        name = table["name"]
        if name not in skipped and (part.name, name) not in HIDDEN:
            view = TableView.of(part.table(name))
            names = [f"{name}.csv", f"{name}.tex"]
            tables.append(TitledTable(table["title"], view, names))
    chooser = dials = None
    if part.name == OPENING:
        chooser = CapacityChooser.of(part, data)
    elif part.name == WHAT_IF:
        dials = DialPanel.of(part)
    return PartContent(
        name=part.name,
        asks=about["asks"],
        method=about["method"],
        finding=[_paragraph(text) for text in about["finding"]],
        tables=tables,
        figures=[_embedded(part, figure) for figure in drawn],
        chooser=chooser,
        dials=dials,
    )


def _paragraph(text: str) -> Paragraph:
    """Separate the sentence of the intervals, which is set smaller."""
    statement, start, intervals = text.partition(HOW_SURE)
    return Paragraph(statement.strip(), start + intervals)


def _embedded(part: Part, figure: dict[str, str]) -> EmbeddedFigure:
    # The image is a part of the page, which may not fetch a file beside it.
    image = (part.folder / f"{figure['name']}.svg").read_bytes()
    source = "data:image/svg+xml;base64," + base64.b64encode(image).decode()
    points = re.search(rb'<svg[^>]* width="([\d.]+)pt"', image)
    width = ""
    if points:
        width = f"{PIXELS_PER_POINT * float(points[1]):.0f}"
    names = [
        f"{figure['name']}.pdf",
        f"{figure['name']}.png",
        f"{figure['table']}.csv",
        f"{figure['table']}.tex",
    ]
    view = TableView.of(part.table(figure["table"]))
    return EmbeddedFigure(figure["title"], figure["alt"], source, width, view, names)


def _dial_numbers(parts: Sequence[Part]) -> dict[str, object] | None:
    for part in parts:
        if part.name == WHAT_IF:
            return dial_numbers(part)
    return None


def _grades(data: Dataset) -> Grades:
    counts = dict.fromkeys(GRADES, 0)
    for _, fact in data.facts():
        counts[fact.grade] += 1
    total = sum(counts.values())
    rows = []
    for grade, count in counts.items():
        rows.append((grade, GRADES[grade], count, 100.0 * count / max(1, total)))
    frame = pd.DataFrame(rows, columns=["grade", "meaning", "facts", "%"])
    return Grades(total, len(data.rows(SourceRow)), TableView.of(frame))


def _manifest(parts: Sequence[Part]) -> Manifest:
    rows = []
    for part in parts:
        form = "short" if part.about["short"] else "full"
        # Enough digits to distinguish two answers; the manifest file has all.
        digest = part.about["digest"][:16]
        rows.append((part.name, form, len(part.about["outputs"]), digest))
    frame = pd.DataFrame(rows, columns=["part", "form", "files", "digest"])
    about = parts[0].about
    packages = [
        f"{name} {version}" for name, version in about["packages"].items() if version
    ]
    return Manifest(
        version=about["chipmodel"],
        code=about["code"][:16],
        data_name=about["dataset"]["name"],
        data_digest=about["dataset"]["digest"][:16],
        packages=", ".join(packages),
        view=TableView.of(frame),
        parts=[part.name for part in parts],
    )
