"""Safe to share: files are data and never code, strings from them stay text, and no
result holds a user, a host or a path."""

from __future__ import annotations

import ast
import csv
import io
import json
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path

import helpers
import pandas as pd
import pytest

import chipmodel as cm
from chipmodel.cli.main import main
from chipmodel.common.tables import inert, table_csv
from chipmodel.common.text import printable
from chipmodel.display import canvas, style
from chipmodel.display.latex import escaped, latex
from chipmodel.report.page import code_spans, page_environment
from chipmodel.solver.export import export
from chipmodel.studies.plan import load_study

SOURCES = sorted(Path(cm.__file__).parent.rglob("*.py"))
WHO = "zebedee"
"""Is the user, the host, the home and part of every path."""
MARKUP = (
    r"</td><script>alert(1)</script><img src=x onerror=alert(2)> $x^2$"
    r" \input{/etc/passwd} & 5% #_~^{}"
)
"""A name that is code to a browser, to LaTeX and to matplotlib."""
FORMULAS = ("=cmd()|'/C calc'!A0", "+1", "-1", "@SUM(A1)")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """Everything the commands write, from data, cases and studies that mean harm."""
    root = tmp_path_factory.mktemp(WHO)
    data = root / "data"
    helpers.report_data(data)
    helpers.change("regions", {"region": "AAA"}, name=FORMULAS[0] + MARKUP)(data)
    helpers.change("regions", {"region": "BBB"}, name=FORMULAS[1] + MARKUP)(data)
    helpers.change("projects", {"site": "alpha_one"}, name=FORMULAS[2] + MARKUP)(data)
    for path in (data / "cases").glob("*.toml"):
        path.write_text(
            path.read_text().replace(
                'title = "',
                "title = " + json.dumps(FORMULAS[3] + MARKUP + "\ta\nb\u001b[31m")[:-1],
                1,
            )
        )
    study = (data / "studies" / "headline.toml").read_text()
    study = study.replace(
        'title = "Small"', f"title = {json.dumps(FORMULAS[0] + MARKUP)}"
    )
    (data / "studies" / "headline.toml").write_text(
        study.replace("figures = [", 'keep = "tables"\nfigures = ["named_projects", ')
    )
    with pytest.MonkeyPatch.context() as patch:
        for name in ("USER", "LOGNAME", "USERNAME"):
            patch.setenv(name, WHO)
        patch.setenv("HOME", f"/home/{WHO}")
        patch.setattr("socket.gethostname", lambda: WHO)
        patch.setattr("platform.node", lambda: WHO)
        patch.chdir(root)
        patch.setattr("chipmodel.report.build.names", lambda: [helpers.QUESTION])
        out = ["--data", str(data), "--out", str(root / "out")]
        case = str(data / "cases" / "grant.toml")
        assert main(["run", case, "--verify", *out]) == 0
        assert main(["study", "headline", *out]) == 0
        assert main(["report", "--short", *out]) == 0
        assert (
            main(
                [
                    "export",
                    case,
                    "--format",
                    "lp",
                    "--data",
                    str(data),
                    "--out",
                    str(root / "out/model.lp"),
                ]
            )
            == 0
        )
        assert (
            main(
                [
                    "new",
                    str(root / "out/new.toml"),
                    "--from",
                    "grant",
                    "--data",
                    str(data),
                ]
            )
            == 0
        )
    return root / "out"


def written(out: Path, kind: str) -> list[Path]:
    found = sorted(out.rglob(f"*.{kind}"))
    assert found
    return found


# -- what strings from files become


class Tags(HTMLParser):
    """The elements of a page with their attributes, and the text of the page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


def test_the_page_shows_strings_as_text_and_may_fetch_and_run_nothing_else(hostile):
    text = (hostile / "report.html").read_text(encoding="utf-8")
    page = Tags(text)
    assert MARKUP in page.text
    assert [dict(a).get("type") for tag, a in page.found if tag == "script"] == [
        "application/json",
        None,
    ]
    assert not [name for _, a in page.found for name in a if name.startswith("on")]
    addresses = [
        a.get("src") or a.get("href") or ""
        for _, a in page.found
        if a.get("src") or a.get("href")
    ]
    assert all(
        one.startswith(("data:", "#")) or (hostile / one).is_file() for one in addresses
    )
    assert not {"iframe", "object", "embed", "form", "base"} & {
        tag for tag, _ in page.found
    }
    (policy,) = [
        a["content"]
        for tag, a in page.found
        if a.get("http-equiv") == "Content-Security-Policy"
    ]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["img-src"] == "data:"
    assert "connect-src" not in rules
    assert "unsafe" not in policy
    assert "http" not in policy
    assert (
        text.index("Content-Security-Policy")
        < text.index("<style>")
        < text.index("<script")
    )


def test_templates_mark_nothing_as_safe():
    """Jinja2 escapes every value; only the page's own style and script are exempt."""
    templates = resources.files("chipmodel.report") / "template"
    texts = [
        path.read_text(encoding="utf-8")
        for path in templates.iterdir()
        if path.name.endswith(".html")
    ]
    assert len(texts) > 3
    for text in texts:
        assert not re.search(r"\|\s*safe\b|autoescape|Markup", text)
    assert page_environment().autoescape is True
    shown = code_spans("<script>`a&b`</script>")
    assert shown == "&lt;script&gt;<code>a&amp;b</code>&lt;/script&gt;"


def test_formulas_are_disarmed_in_text_and_numbers_stay_numbers(hostile):
    disarmed = numbers = 0
    for path in written(hostile, "csv"):
        for row in csv.reader(
            io.StringIO(path.read_text(encoding="utf-8"), newline="")
        ):
            for one in row:
                if one.startswith(("=", "+", "-", "@", "\t", "\r", "\n")):
                    float(one)
                    numbers += 1
                disarmed += one.startswith(tuple(f"'{formula}" for formula in FORMULAS))
    assert disarmed > 10
    assert numbers > 10


def test_a_table_disarms_its_heads_too():
    frame = pd.DataFrame(
        {"=A1": ["-1", "\t=1", "plain", None], "value": [-1.5, -0.0, float("nan"), 2.0]}
    )
    assert table_csv(frame) == "'=A1,value\n'-1,-1.5\n'\t=1,0\nplain,\n,2\n"
    assert [inert(x) for x in (-1, -1.5, "a-1", None)] == [-1, -1.5, "a-1", None]


def test_latex_runs_nothing_and_every_row_stays_a_row(hostile):
    """Without the escapes and the frame of the table, no character means a command."""
    known = re.compile(
        r"\\textbackslash\{\}|\\text(?:asciitilde|asciicircum|less|greater)\{\}|\\[&%$#_{}]|\$-\$|"
        r"\$\\(?:times|le|ge)\$"
    )
    seen = ""
    for path in written(hostile, "tex"):
        lines = path.read_text(encoding="utf-8").splitlines()
        start, end = lines.index(r"\toprule"), lines.index(r"\bottomrule")
        columns = len(
            re.fullmatch(r"\\begin\{tabular\}\{([lr]+)\}", lines[start - 1])[1]
        )
        for line in [
            *lines[start + 1 : end],
            lines[3].removeprefix(r"\caption{").removesuffix("}"),
        ]:
            if line == r"\midrule":
                continue
            row = known.sub("", line.removesuffix(r" \\"))
            assert not set(row) & set("\\$#_{}%~^"), line
            assert row.count("&") == (columns - 1 if line.endswith(r" \\") else 0), line
            seen += line
    assert r"\textbackslash{}input\{/etc/passwd\}" in seen


def test_latex_takes_no_cell_for_an_option_and_no_break_for_a_paragraph():
    text = latex(pd.DataFrame({"a": ["*", "[1em]", "x\n\ny\x07"]}), "one\n\ntwo", "t")
    assert r"\caption{one two}" in text
    assert text.splitlines()[9:12] == [r"{}* \\", r"{}[1em] \\", r"x y \\"]
    assert escaped("a\tb") == "a b"


def test_figures_are_images_that_hold_no_code(hostile):
    names = {path.name for path in written(hostile, "svg")}
    assert {"leading_edge_share.svg", "who_pays.svg", "named_projects.svg"} <= names
    for path in written(hostile, "svg"):
        for one in ET.parse(path).iter():
            assert str(one.tag).rpartition("}")[2] not in {
                "script",
                "foreignObject",
                "a",
                "iframe",
            }
            assert all(
                value.startswith(("#", "data:"))
                for name, value in one.attrib.items()
                if name.endswith("href")
            )
    drawn = (hostile / "headline" / "leading_edge_share.svg").read_text(
        encoding="utf-8"
    )
    assert "$x^2$" in drawn, "drawn as mathematics"


@pytest.mark.parametrize(
    "name", ["US$ 5 and $x^2$", r"\$1", "a\tb", "red \x1b[31m \x00", "-->"]
)
def test_any_name_makes_an_image_and_is_drawn_as_it_is(name, recwarn):
    def draw(table):
        fig, axes = canvas.subplots(1, 1, (3.0, 2.0))
        axes[0].set_title(style.plain(table["name"][0]))
        return fig, axes

    made = canvas.rendered(draw, pd.DataFrame({"name": [name]}))
    ET.fromstring(made["svg"])
    shown = (
        printable(name)
        .replace("\t", " ")
        .replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
    )
    assert (
        re.sub("--", "- -", shown) in made["svg"].decode()
        or shown in made["svg"].decode()
    )
    assert not [w for w in recwarn if "Glyph" in str(w.message)]


def test_a_terminal_obeys_nothing_from_a_file(hostile, capsys):
    data = hostile.parent / "data"
    for command in (
        ["list"],
        ["show", "grant"],
        ["diff", "grant", "tariff"],
        ["study", "nothing\x1b[31m"],
    ):
        main([*command, "--data", str(data)])
        printed = capsys.readouterr()
        assert not set(printed.out + printed.err) & {
            chr(code) for code in (*range(9), *range(11, 32), 127, *range(128, 160))
        }


# -- what is written, and where


def test_nothing_written_holds_user_host_or_path(hostile):
    files = [path for path in hostile.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} >= {
        ".csv",
        ".json",
        ".toml",
        ".html",
        ".tex",
        ".svg",
        ".png",
        ".pdf",
        ".lp",
    }
    for path in files:
        raw = path.read_bytes()
        for word in (WHO, str(hostile.parent), str(Path(cm.__file__).parent)):
            assert word.encode() not in raw, f"{path.name} holds {word}"
        if path.suffix in (".json", ".toml", ".csv", ".txt", ".html", ".tex"):
            assert not re.search(rb"[\s\"'=]/(?:home|root|tmp|usr|Users|var)/", raw), (
                f"{path.name} holds a path"
            )


@pytest.mark.parametrize(
    "name", ["../../out", "/etc/out", "a/b", "..", "", "A", "x" * 60, "con.toml"]
)
def test_ids_cannot_leave_the_folder(name, two, tmp_path):
    study = tmp_path / "study.toml"
    study.write_text(
        f'name = "{name}"\ntitle = "t"\ncases = ["no_policy"]\nmetrics ='
        ' ["objective"]\n'
    )
    with pytest.raises(cm.InputError):
        load_study(str(study), two)
    world = tmp_path / "world.toml"
    world.write_text(
        f'name = "{name}"\n' + (helpers.TWO / "worlds" / "central.toml").read_text()
    )
    with pytest.raises(cm.InputError):
        cm.load_world(str(world), two)
    with pytest.raises((cm.InputError, ValueError)):
        cm.Tariff(
            id=name,
            importer="AAA",
            rate=0.1,
            on="chips",
            years=(2026, 2030),
            source="own",
        )


@pytest.mark.parametrize(
    "table", ["/etc/passwd", "../points.csv", "deep/points.csv", ".."]
)
def test_a_study_reads_no_table_that_is_not_beside_it(table, two, tmp_path):
    path = tmp_path / "study.toml"
    path.write_text(
        f'title = "t"\ncases = ["tariff"]\nmetrics = ["objective"]\ntable = "{table}"\n'
    )
    with pytest.raises(cm.InputError, match="beside it") as caught:
        load_study(str(path), two)
    assert "root:" not in str(caught.value)


# -- data, never code

RUNS = {"eval", "exec", "compile", "__import__", "breakpoint"}
LOADS = {
    "pickle",
    "cPickle",
    "dill",
    "cloudpickle",
    "joblib",
    "marshal",
    "shelve",
    "yaml",
    "runpy",
    "pty",
    "ctypes",
    "simpleeval",
}
METHODS = {
    "read_pickle",
    "to_pickle",
    "popen",
    "spawnl",
    "execv",
    "fromfile",
    "load_module",
    "exec_module",
    "read_hdf",
    "query",
}
SHELL = {"common/fingerprint.py": "asks git for the commit"}
CHOSEN = {
    "cli/main.py": "a command of the fixed table in cli/registry.py",
    "policies/__init__.py": "an instrument of its own folder",
    "questions/__init__.py": "a question of its own folder",
}
"""Modules that may start a program or import a module by a computed name, and why."""


@pytest.mark.parametrize(
    "path", SOURCES, ids=lambda path: str(path.relative_to(SOURCES[0].parent))
)
def test_no_module_runs_or_unpickles_what_it_reads(path):
    file = path.relative_to(SOURCES[0].parent).as_posix()
    assert _runs(ast.parse(path.read_text(encoding="utf-8")), file) == []


@pytest.mark.parametrize(
    "code",
    [
        "eval(text)",
        "import pickle",
        "from pickle import loads",
        "import os\nos.system(x)",
        "pd.read_pickle(p)",
        "np.load(p, allow_pickle=True)",
        "import subprocess",
        "importlib.import_module(name)",
        "frame.eval(text)",
        "compile(a, b, c)",
    ],
)
def test_a_module_that_would_is_found(code):
    assert _runs(ast.parse(code), "other.py")


def _runs(tree: ast.AST, file: str) -> list[str]:
    """Return what of a module would run or unpickle something."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = (
                [a.name for a in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
            )
            found += [
                n
                for n in names
                if n.split(".")[0] in LOADS or (n == "subprocess" and file not in SHELL)
            ]
        if isinstance(node, ast.Call):
            method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            name = node.func.id if isinstance(node.func, ast.Name) else ""
            whole = ast.unparse(node.func)
            if (
                name in RUNS
                or method in METHODS
                or whole == "os.system"
                or (method in RUNS and whole != "re.compile")
            ):
                found.append(whole)
            if "import_module" in (name, method) and file not in CHOSEN:
                found.append("import_module")
            found += [
                k.arg for k in node.keywords if k.arg in ("allow_pickle", "shell")
            ]
    return found


def test_the_export_takes_hostile_names(two, tmp_path):
    """Labels of rows and columns consist of ids, which are checked, and are escaped."""
    arrays = cm.run(two, "grant").program
    text = export(arrays, tmp_path / "m.lp", "lp").read_text()
    assert all(re.fullmatch(r"[\x20-\x7e]*", line) for line in text.splitlines())
