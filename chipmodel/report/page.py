"""One page of the whole report: findings, figures and tables, and nothing that it would have to fetch."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from functools import cache
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

import pandas as pd

from chipmodel.common.text import number
from chipmodel.common.version import __version__
from chipmodel.dataset.cite import cite
from chipmodel.dataset.dataset import Dataset
from chipmodel.dataset.rows import RegionRow, SegmentRow, SourceRow
from chipmodel.display import style
from chipmodel.display.intervals import HOW_SURE
from chipmodel.display.latex import cells, numeric
from chipmodel.questions.folder import Part
from chipmodel.report.sections import opening, what_if
from chipmodel.results.metrics import ALL
from chipmodel.studies.case_cache import HEADLINE
from chipmodel.studies.definition import Study
from chipmodel.studies.plan import load_study

TITLE = "Where chip factories go, and who pays"


LEAD = (
    "What subsidies, tariffs and friendshoring rules do to the world's chip factories"
    " in an open linear programme: where capacity goes, who pays, and what a rule is"
    " worth. Every number is the result of a model whose data, assumptions and code are"
    " open; none is a forecast."
)


LEAVES_OUT = (
    (
        "Firms take prices as given: there is no market power, and no strategy beyond"
        " what a case states."
    ),
    (
        "There are no income effects and no rest of the economy; a treasury's money has"
        " no other use."
    ),
    (
        "All firms of a place build at the same cost; old lines are not converted or"
        " closed."
    ),
    "Nobody retaliates unless the case says so.",
    (
        "Design, software and margins ride on the price of a wafer; where they are"
        " earned is outside the accounts."
    ),
    (
        "Trade keeps to today's routes at a cost of leaving them; how dear that is, is"
        " an assumption with a range."
    ),
    (
        "Many costs are of grade E, assumptions: a result that turns on one is only as"
        " good as it."
    ),
)


ROWS = 80
"""Rows of a table shown; its CSV has all."""


GRADES = {
    "A": "read in the source",
    "B": "quoted by another",
    "C": "citation missing",
    "D": "computed here, formula in the note",
    "E": "assumption, with a range",
}


PIXELS = 1.6
"""Width of a figure on a wide screen, for a point of its own width: letters are of one size in all of them."""


MANY = 8
"""Columns beyond which a table is set smaller."""


HIDDEN = {("opening", opening.CAPACITY), ("what_if", what_if.REFERENCE)}
"""Tables of parts that the page draws at the reader's choice instead of showing them."""


def page(parts: Sequence[Part], data: Dataset, short: bool) -> str:
    """Return the report as one page.

    Parameters
    ----------
    parts : sequence of Part
        The opening first.
    data : Dataset
    short : bool
        Whether the parts were answered in their short form, which the page says.
    """
    sheet, script = _template("page.css"), _template("page.js")
    sections = [
        (part.name, str(part.about["title"]), _part(part, data)) for part in parts
    ]
    sections += [
        ("grades", "How good the data are", _grades(data)),
        (
            "leaves_out",
            "What the model leaves out",
            _listed(escape(one) for one in LEAVES_OUT),
        ),
        ("cite", "How to cite", _cite(data)),
        ("manifest", "Manifest", _manifest(parts)),
    ]
    numbers: dict[str, Any] = {
        "capacity": _capacity(parts, data),
        "dials": _dials(parts),
    }
    said = json.dumps(numbers, ensure_ascii=False, separators=(",", ":")).replace(
        "<", "\\u003c"
    )
    stamp = f"chipmodel {__version__}, data {data.name} {data.digest[:12]}" + (
        ", short form: the fewest cases that still answer" if short else ""
    )
    return Template(_template("page.html")).substitute(
        title=escape(TITLE),
        lead=escape(LEAD),
        stamp=escape(stamp),
        style=sheet,
        script=script,
        style_hash=_hash(sheet),
        script_hash=_hash(script),
        numbers=said,
        contents="".join(
            f'<li><a href="#{escape(name)}">{escape(title)}</a></li>'
            for name, title, _ in sections
        ),
        body="\n".join(
            f'<section id="{escape(name)}"><h2>{escape(title)}</h2>\n{text}\n</section>'
            for name, title, text in sections
        ),
    )


@cache
def _template(name: str) -> str:
    return (files("chipmodel.report") / "template" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _part(part: Part, data: Dataset) -> str:
    about = part.about
    text = f'<p class="asks">{escape(about["asks"])}</p>\n'
    text += (
        '<div class="finding">'
        + "".join(_said(one) for one in about["finding"])
        + "</div>\n"
    )
    if part.name == opening.__name__.rpartition(".")[2]:
        text += _chooser(part, data)
    if part.name == what_if.__name__.rpartition(".")[2]:
        text += _panel(part)
    titles = {one["name"]: one["title"] for one in about["tables"]}
    drawn = [
        one for one in about["figures"] if f"{one['name']}.svg" in about["outputs"]
    ]
    beneath = {one["table"] for one in drawn}
    for name in titles:
        if name not in beneath and (part.name, name) not in HIDDEN:
            text += (
                f"<h3>{escape(titles[name])}</h3>\n"
                + _table(part.table(name))
                + _files(part, [f"{name}.csv", f"{name}.tex"])
            )
    text += "".join(_figure(part, one) for one in drawn)
    return (
        text
        + f'<p class="method"><strong>Method.</strong> {_coded(about["method"])}</p>'
    )


def _said(text: str) -> str:
    """Return a paragraph of a finding; how sure it is stands by itself, smaller."""
    said, how, sure = text.partition(HOW_SURE)
    found = f"<p>{escape(said.rstrip())}</p>" if said.strip() else ""
    return found + (f'<p class="sure">{escape(how + sure)}</p>' if how else "")


def _coded(text: str) -> str:
    """Return a text in which what stands between backquotes is code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def _figure(part: Part, figure: dict[str, str]) -> str:
    raw = (part.folder / f"{figure['name']}.svg").read_bytes()
    source = "data:image/svg+xml;base64," + base64.b64encode(raw).decode()
    points = re.search(rb'<svg[^>]* width="([\d.]+)pt"', raw)
    wide = f' width="{PIXELS * float(points[1]):.0f}"' if points else ""
    names = [
        *(f"{figure['name']}.{kind}" for kind in ("pdf", "png")),
        *(f"{figure['table']}.{kind}" for kind in ("csv", "tex")),
    ]
    return (
        '<figure><div class="sheet" tabindex="0" role="group"'
        f' aria-label="{escape(figure["title"])}">'
        f'<img src="{source}"{wide} alt="{escape(figure["alt"])}"></div>'
        f"<figcaption>{escape(figure['title'])}</figcaption>"
        "<details><summary>The numbers behind the"
        f" figure</summary>{_table(part.table(figure['table']))}</details>"
        f"{_files(part, names)}</figure>\n"
    )


def _files(part: Part, names: Iterable[str]) -> str:
    links = ", ".join(
        f'<a href="{escape(part.name)}/{escape(name)}">{escape(name)}</a>'
        for name in dict.fromkeys(names)
    )
    return f'<p class="files">{links}</p>\n'


def _table(frame: pd.DataFrame) -> str:
    """Return a table that sorts; its first rows if it is long."""
    part = frame.head(ROWS)
    right = [numeric(part[column]) for column in part.columns]
    head = "".join(
        f'<th scope="col"{_side(n)}><button'
        f' type="button">{escape(_heading(str(column)))}</button></th>'
        for column, n in zip(part.columns, right, strict=True)
    )
    body = "".join(
        "<tr>"
        + "".join(
            _cell(text, raw, n)
            for text, raw, n in zip(shown, given, right, strict=True)
        )
        + "</tr>"
        for shown, given in zip(
            cells(part), part.itertuples(index=False, name=None), strict=True
        )
    )
    long = (" long" if len(part) > 14 else "") + (
        " many" if len(part.columns) > MANY else ""
    )
    note = (
        f'<p class="note">The first {ROWS} of {len(frame):,} rows; the CSV has all.</p>'
        if len(frame) > ROWS
        else ""
    )
    return (
        f'<div class="table{long}" tabindex="0" role="group" aria-label="Table"><table'
        ' class="sorts"><thead><tr>'
        f"{head}</tr></thead><tbody>{body}</tbody></table></div>{note}\n"
    )


def _heading(name: str) -> str:
    return name.replace("_", " ")


def _side(is_number: bool) -> str:
    return ' class="n"' if is_number else ""


def _cell(text: str, raw: Any, is_number: bool) -> str:
    value = f' data-v="{raw}"' if is_number and text else ""
    return f"<td{_side(is_number)}{value}>{escape(text)}</td>"


def _listed(items: Iterable[str]) -> str:
    return "<ul>" + "".join(f"<li>{one}</li>" for one in items) + "</ul>"


def _capacity(parts: Sequence[Part], data: Dataset) -> dict[str, Any]:
    """Return capacity as nested lists: cell, region, segment, year."""
    frame = parts[0].table(opening.CAPACITY)
    regions = [
        row.region for row in sorted(data.rows(RegionRow), key=lambda row: row.rank)
    ]
    names = {row.region: row.name for row in data.rows(RegionRow)}
    segments = {row.segment: row.name for row in data.rows(SegmentRow)}
    years = sorted(int(year) for year in frame["year"].unique())
    cells_ = list(dict.fromkeys(zip(frame["case"], frame["world"], strict=True)))
    known = dict(
        zip(
            zip(
                frame["case"],
                frame["world"],
                frame["region"],
                frame["segment"],
                frame["year"],
                strict=True,
            ),
            frame["value"],
            strict=True,
        )
    )
    first = cells_[0][1]
    base = _study(data).reference or cells_[0][0]
    paint = style.colours(regions)
    return {
        "cells": [_cell_name(case, world, first) for case, world in cells_],
        "reference": [cells_.index((base, world)) for _, world in cells_],
        "regions": [names[r] for r in regions],
        "colours": [paint[r] for r in regions],
        "segments": [segments[s] for s in segments],
        "years": years,
        "values": [
            [
                [
                    [float(f"{known[case, world, r, s, t]:.6g}") for t in years]
                    for s in segments
                ]
                for r in regions
            ]
            for case, world in cells_
        ],
    }


def _study(data: Dataset) -> Study:
    return load_study(HEADLINE, data)


def _cell_name(case: str, world: str, first: str) -> str:
    words = case.replace("_", " ")
    return words if world == first else f"{words} ({world.replace('_', ' ')})"


def _chooser(part: Part, data: Dataset) -> str:
    known = _capacity([part], data)
    base = known["reference"][0]
    lead = [row.segment for row in data.rows(SegmentRow)]
    segments = [(-1, f"{ALL} segments"), *enumerate(known["segments"])]
    chosen = lead.index(data.leading_segment)
    years = list(enumerate(known["years"]))
    return (
        '<div class="widget" id="chooser"><h3>Where capacity stands: choose a case and'
        ' a year</h3><div class="choices">'
        + _select("choose-case", "Case", list(enumerate(known["cells"])), base)
        + _select("choose-segment", "Segment", segments, chosen)
        + _select("choose-year", "Year", years, years[-1][0])
        + '</div><div class="charts"><div id="chart-years"></div><div'
        ' id="chart-shares"></div></div>'
        f"{_files(part, [f'{opening.CAPACITY}.csv'])}</div>\n"
    )


def _select(
    name: str, label: str, options: Sequence[tuple[int, Any]], chosen: int
) -> str:
    inner = "".join(
        "<option"
        f' value="{k}"{" selected" if k == chosen else ""}>{escape(str(text))}</option>'
        for k, text in options
    )
    return (
        f'<label>{escape(label)}<select id="{name}"'
        f' autocomplete="off">{inner}</select></label>'
    )


def _dials(parts: Sequence[Part]) -> dict[str, Any] | None:
    """Return the grid of the two dials: axes, and each number by the places on both."""
    part = next(
        (one for one in parts if one.name == what_if.__name__.rpartition(".")[2]), None
    )
    if part is None:
        return None
    frame = part.table(what_if.GRID)
    first, second, *names = frame.columns
    axes = [sorted({float(x) for x in frame[dial]}) for dial in (first, second)]
    grids = [
        frame.pivot_table(index=first, columns=second, values=name).to_numpy(
            dtype=float
        )
        for name in names
    ]
    return {"axes": axes, "names": names, "values": [grid.tolist() for grid in grids]}


def _panel(part: Part) -> str:
    frame, base = part.table(what_if.GRID), part.table(what_if.REFERENCE).iloc[0]
    dials, names = list(frame.columns[:2]), list(frame.columns[2:])
    sliders = "".join(
        f'<label class="wide" for="dial-{k}"><span>{escape(dial.removesuffix(", %"))}:'
        f' <output id="dial-value-{k}" for="dial-{k}"></output></span><input'
        f' type="range" id="dial-{k}" min="{frame[dial].min():g}"'
        f' max="{frame[dial].max():g}" step="{_step(frame[dial]):g}"'
        f' value="{frame[dial].min():g}" autocomplete="off"></label>'
        for k, dial in enumerate(dials)
    )
    rows = "".join(
        f'<tr><td>{escape(name)}</td><td class="n" id="dial-number-{m}"></td>'
        f'<td class="n">{escape(number(float(base[name]), 3))}</td></tr>'
        for m, name in enumerate(names)
    )
    return (
        f'<div class="widget" id="panel"><div class="choices">{sliders}</div><div'
        ' class="table"><table class="dial-values"><thead><tr><th'
        ' scope="col">Number</th><th scope="col" class="n">At the dials</th><th'
        ' scope="col"'
        f' class="n">Reference</th></tr></thead><tbody>{rows}</tbody></table></div><p'
        ' class="note" id="dial-note" aria-live="polite"></p></div>\n'
    )


def _step(column: pd.Series[float]) -> float:
    """Return a step that meets whole percents, finer for a short dial."""
    return 1.0 if float(column.max() - column.min()) >= 20 else 0.5


def _grades(data: Dataset) -> str:
    count = {grade: 0 for grade in GRADES}
    for _, fact in data.facts():
        count[fact.grade] += 1
    whole = sum(count.values())
    frame = pd.DataFrame(
        [(g, GRADES[g], n, 100.0 * n / max(1, whole)) for g, n in count.items()],
        columns=["grade", "meaning", "facts", "%"],
    )
    return (
        f"<p>{whole:,} facts from {len(data.rows(SourceRow)):,} sources. Nothing has a"
        " default: where no source gives a number there is an assumption with a range"
        f" and a reason.</p>{_table(frame)}"
    )


def _cite(data: Dataset) -> str:
    found = cite(data)
    return (
        f"<p>{escape(found['citation'])}</p><pre>{escape(found['bibtex'])}</pre><p>Code:"
        f" {escape(found['licence_code'])}. Data: {escape(found['licence_data'])}. Cite"
        " the sources of the numbers that carry your result as well.</p>"
    )


def _manifest(parts: Sequence[Part]) -> str:
    about = parts[0].about
    frame = pd.DataFrame(
        [
            (
                part.name,
                "short" if part.about["short"] else "full",
                len(part.about["outputs"]),
                part.about["digest"][:16],
            )
            for part in parts
        ],
        columns=["part", "form", "files", "digest"],
    )
    versions = ", ".join(
        f"{name} {found}" for name, found in about["packages"].items() if found
    )
    links = ", ".join(
        f'<a href="{escape(part.name)}/manifest.json">{escape(part.name)}/manifest.json</a>'
        for part in parts
    )
    return (
        f"<p>chipmodel {escape(about['chipmodel'])}, source"
        f" {escape(about['code'][:16])}; data "
        f"{escape(about['dataset']['name'])},"
        f" {escape(about['dataset']['digest'][:16])}; {escape(versions)}. The "
        f"same inputs give the same tables.</p>{_table(frame)}<p"
        f' class="files">{links}</p>'
    )
