"""Documentation: generated pages are current, links resolve and code runs."""

from __future__ import annotations

import importlib.util
import os
import re
import tomllib
from pathlib import Path

import pytest

import chipmodel as cm
from chipmodel.cases.case import CaseFile

ROOT = Path(__file__).resolve().parents[3]
PAGES = sorted([*(ROOT / "docs").glob("*.md"), *ROOT.glob("*.md")])
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
BLOCK = re.compile(r"^(<!-- skip -->\n)?```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
EVERY_BLOCK = "CHIPMODEL_EVERY_BLOCK"
"""Environment variable that also runs the blocks marked `<!-- skip -->`.

Those solve the shipped data.
"""


def blocks(page: Path, language: str) -> list[tuple[bool, str]]:
    """Return the code blocks of a page in a language, each with its mark as slow."""
    text = page.read_text(encoding="utf-8")
    return [
        (bool(mark), body)
        for mark, found, body in BLOCK.findall(text)
        if found == language
    ]


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings as forges make them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in headings
    }


def generator():
    spec = importlib.util.spec_from_file_location(
        "docs_make", ROOT / "docs" / "make.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_pages_are_current():
    stale = [
        path.name
        for path, text in generator().pages(cm.load_dataset(ROOT / "data")).items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    assert not stale, f"run python docs/make.py: {stale}"


@pytest.mark.parametrize("name", NAMES)
def test_links_resolve(name):
    page = ROOT / name
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if link.startswith("http"):
            continue
        target, _, anchor = link.partition("#")
        path = (page.parent / target) if target else page
        assert path.exists(), f"{name}: {link}"
        assert not anchor or anchor in anchors(path), f"{name}: {link}"


@pytest.mark.parametrize(
    "name",
    [name for name, page in zip(NAMES, PAGES, strict=True) if blocks(page, "python")],
)
def test_python_blocks_run(name, monkeypatch):
    """The blocks of a page run one after the other, from the root of the repository."""
    monkeypatch.chdir(ROOT)
    space: dict[str, object] = {}
    for slow, body in blocks(ROOT / name, "python"):
        if not slow or os.environ.get(EVERY_BLOCK):
            exec(compile(body, name, "exec"), space)


@pytest.mark.parametrize("name", NAMES)
def test_toml_blocks_are_cases_studies_or_instruments(name, tmp_path):
    data = cm.load_dataset(ROOT / "data")
    for _, body in blocks(ROOT / name, "toml"):
        content = tomllib.loads(body)
        if "metrics" in content:
            path = tmp_path / "study.toml"
            path.write_text(body)
            assert cm.load_study(str(path), data).varies
            continue
        head = (
            ""
            if "title" in content
            else 'title = "t"\nstatus = "law"\nas_of = "2026-06-30"\nsummary = "s"\n'
        )
        path = tmp_path / "case.toml"
        path.write_text(head + body)
        CaseFile.model_validate(tomllib.loads(head + body))
        assert cm.load_case(str(path), data).policies


def test_index_names_every_page():
    linked = set(LINK.findall((ROOT / "docs" / "index.md").read_text(encoding="utf-8")))
    assert {page.name for page in (ROOT / "docs").glob("*.md")} - {"index.md"} <= linked


def test_every_instrument_is_on_its_page():
    text = (ROOT / "docs" / "policies.md").read_text(encoding="utf-8")
    for kind, cls in cm.Policy.kinds.items():
        if cls.__module__.startswith("chipmodel."):
            assert f"\n## {kind}\n" in text


def test_every_instrument_has_a_test_that_solves_it_on_paper():
    make = generator()
    assert set(make.instruments()) == {
        k for k, c in cm.Policy.kinds.items() if c.__module__.startswith("chipmodel.")
    }
    for kind in make.instruments():
        file, test = make.paper_test(kind)
        text = (ROOT / file).read_text(encoding="utf-8")
        assert re.search(rf'^def {test}\(.*\n    """', text, re.MULTILINE), (
            f"{file}: {test} has no docstring"
        )


def test_every_instrument_is_a_public_name():
    for cls in cm.Policy.kinds.values():
        if cls.__module__.startswith("chipmodel."):
            assert cls.__name__ in cm.__all__


def test_every_promise_names_tests_that_exist():
    text = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (?!promise \||---).*$", text, re.MULTILINE)
    assert len(rows) >= 20
    for row in rows:
        named = re.findall(r"`(test_\w+\.py)::(test_\w+)`", row.split(" | ")[-1])
        assert named or "stage `wheel` of `.ci/run`" in row, row
        for file, test in named:
            assert re.search(
                rf"^def {test}\(",
                _test_file(file).read_text(encoding="utf-8"),
                re.MULTILINE,
            ), test
    assert "stage 'wheel' wheel" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def _test_file(name: str) -> Path:
    """Return the one test file of a name, in whichever folder it is."""
    (path,) = (ROOT / "tests").rglob(name)
    return path


def test_readme_commands_are_marked_for_ci():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in ("main", "test"):
        assert (
            len(
                re.findall(
                    rf"^<!-- ci: {name} -->\n```sh\n[^`]+^```$", text, re.MULTILINE
                )
            )
            == 1
        )


def test_versions_agree():
    project = cm.__version__
    citation = re.search(
        r"^version: (\S+)$",
        (ROOT / "CITATION.cff").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    assert citation is not None
    assert project == citation[1]
    assert f"## [{project}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_constraints_are_plain_pins():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert all(
        re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line) for line in lines
    )
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))[
        "project"
    ]
    wanted = [
        *project["dependencies"],
        *(x for extra in project["optional-dependencies"].values() for x in extra),
    ]
    names = {re.split(r"[>=<\[]", line)[0].lower() for line in wanted} - {"chipmodel"}
    assert names <= {line.split("==")[0].lower() for line in lines}
