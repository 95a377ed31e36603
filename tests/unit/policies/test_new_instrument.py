"""A new instrument is one file and one test, and nothing else is edited.

In a copy of the repository a levy on capacity is added as CONTRIBUTING describes. The
command line, the documentation and the public names must then include it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
COPIED = ("chipmodel", "data", "docs", "schema", "tests", "pyproject.toml")

INSTRUMENT = r'''"""Levies on new capacity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from chipmodel.common.ids import REGION_PATTERN
from chipmodel.common.text import millions
from chipmodel.policies.base import DisplayNames, Issue, Number, Policy, unknown

if TYPE_CHECKING:
    from chipmodel.model.lp.builder import ModelBuilder
    from chipmodel.model.parameters.parameters import Parameters


class CapacityLevy(Policy):
    r"""A yearly levy on capacity in service beyond the fleets of the base year.

    .. math:: levy_t = rate \cdot \sum_i service_{i,t} \, build_i

    The makers pay it to the region's treasury. It is a pure price and has no dual.
    """

    kind: ClassVar[str] = "capacity_levy"
    law: ClassVar[str] = "A yearly tax on new fabs, such as a property tax."
    example: ClassVar[str] = """
id = "property_tax"
region = "USA"
segment = "logic_lt10"
rate = 1.5
years = [2028, 2041]
source = "own"
"""

    region: str = Field(
        pattern=REGION_PATTERN, description="Region whose treasury levies it."
    )
    segment: str = Field(description="Segment.")
    rate: Annotated[float, Field(ge=0, le=1e6), Number("MUSD/kwpm/year")] = Field(
        description="Levy per year and kwpm."
    )

    def describe(self, names: DisplayNames) -> str:
        """Return who levies what on whom."""
        return (
            f"{names(self.region)} levies {millions(self.rate)} a year on each kwpm of"
            f" new capacity of {names(self.segment)}"
        )

    @property
    def inactive(self) -> bool:
        """Whether the rate is zero."""
        return self.rate == 0

    def problems(self, parameters: Parameters) -> list[Issue]:
        """Return names that do not exist."""
        return [
            *super().problems(parameters),
            *unknown("region", (self.region,), parameters.regions),
            *unknown("segment", (self.segment,), parameters.segments),
        ]

    def add(self, builder: ModelBuilder) -> None:
        """Levy the rate on new capacity in each year in force."""
        for t in builder.parameters.years:
            if self.active(t):
                capacity = builder.added(self.region, self.segment, t)
                builder.transfer(
                    "capacity_levy",
                    t,
                    self.rate * capacity,
                    payer="agent",
                    receiver=f"treasury:{self.region}",
                    policy=self,
                )
                builder.measure(self, "capacity_levied", t, capacity, "kwpm")
'''

PAPER_TEST = '''"""A levy on new capacity, solved on paper."""

from __future__ import annotations

import pytest
from helpers import case_of
from invested import MORE, built, two_years
from paper import HOME_COSTS_MORE, bare, exactly

from chipmodel import CapacityLevy, run


@pytest.mark.parametrize(
    ("rate", "region", "x", "extra"),
    [(1.0, "BBB", 0.99, 1.0), (2.0, "AAA", 0.97, MORE)],
)
def test_capacity_levy(variant, rate, region, x, extra):
    """A kwpm costs 10 CRF = 1.49 a year more in AAA than in BBB, which levies.

    A levy of 1 is paid and a wafer costs 61: the step 0.97 to 0.99 (61.2) is bought. A
    levy of 2 moves the plant to AAA, where a wafer costs 61.49: the step to 0.97 is.
    """
    levy = CapacityLevy(
        id="levy", region="BBB", segment="chip", rate=rate, years=(2026, 2026),
        source="own",
    )
    solution = run(bare(variant, **HOME_COSTS_MORE), case_of(levy))
    new = 11 * x - 10
    assert built(solution) == {region: exactly(new)}
    assert solution.objective == exactly(two_years(x, extra * new))
'''

CASE = """
title = "Beland levies 20 million dollars a year on each new kwpm"
baseline = "no_policy"
status = "hypothetical"
as_of = "2026-06-30"
summary = "A levy on capacity."

[[policy]]
kind = "capacity_levy"
id = "levy"
region = "BBB"
segment = "chip"
rate = 20
years = [2026, 2030]
source = "own"
"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository with the instrument, its test and a case."""
    root = tmp_path_factory.mktemp("checkout")
    ignored = shutil.ignore_patterns("__pycache__", "golden", ".*")
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, root / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, root / name)
    (root / "chipmodel" / "policies" / "capacity_levy.py").write_text(INSTRUMENT)
    (root / "tests" / "paper" / "test_capacity_levy.py").write_text(PAPER_TEST)
    (root / "tests" / "data" / "two" / "cases" / "levy.toml").write_text(CASE)
    return root


def python(checkout: Path, *arguments: str) -> str:
    """Run Python in the copy and return what it prints."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(checkout)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def command(checkout: Path, *arguments: str) -> str:
    """Run the command line on the two-region data set of the copy."""
    return python(checkout, "-m", "chipmodel", *arguments, "--data", "tests/data/two")


def test_commands_know_the_instrument(checkout: Path) -> None:
    assert "levy  " in command(checkout, "list")
    shown = command(checkout, "show", "levy")
    assert "levies USD 20 million a year on each kwpm of new capacity" in shown
    command(checkout, "run", "levy", "--out", "out")
    (table,) = (checkout / "out").glob("*/policies.csv")
    assert "capacity_levied" in table.read_text(encoding="utf-8")
    bound = command(checkout, "why", "levy")
    assert "levy" in bound


def test_the_file_of_a_new_case_offers_the_instrument(checkout: Path) -> None:
    command(checkout, "new", "fresh.toml", "--from", "no_policy")
    text = (checkout / "fresh.toml").read_text(encoding="utf-8")
    assert '# kind = "capacity_levy"' in text


@pytest.fixture(scope="module")
def written(checkout: Path) -> str:
    """What `docs/make.py` reports to have written."""
    return python(checkout, "docs/make.py")


def test_documentation_and_public_names_are_generated(
    checkout: Path, written: str
) -> None:
    for name in ("docs/policies.md", "chipmodel/__init__.pyi", "case.schema.json"):
        assert name in written
    page = (checkout / "docs" / "policies.md").read_text(encoding="utf-8")
    assert "\n## capacity_levy\n" in page
    assert "[tests/paper/test_capacity_levy.py]" in page
    python(checkout, "-c", "import chipmodel; chipmodel.CapacityLevy")


def test_its_own_test_passes(checkout: Path, written: str) -> None:
    file = "tests/paper/test_capacity_levy.py"
    options = ("-q", "-p", "no:xdist", "-p", "no:cacheprovider", "-o", "addopts=")
    assert "2 passed" in python(checkout, "-m", "pytest", *options, file)


def test_without_its_test_the_documentation_is_refused(checkout: Path) -> None:
    test = checkout / "tests" / "paper" / "test_capacity_levy.py"
    text = test.read_text(encoding="utf-8")
    test.unlink()
    try:
        with pytest.raises(AssertionError, match="solve a small case of capacity_levy"):
            python(checkout, "docs/make.py", "--check")
    finally:
        test.write_text(text, encoding="utf-8")
