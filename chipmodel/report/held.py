"""The model held against published results, as a part of the report."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from chipmodel.desk import Desk
from chipmodel.plan import Cell
from chipmodel.questions import Answer, Table
from chipmodel.text import number

HOME = "chipmodel.validation"
TITLE = "The model against published results"
ASKS = "What do published studies find, and what does the model?"
METHOD = "Every target of the data package: our number beside theirs, hits and misses alike (`chipmodel validate`)."


def there() -> bool:
    """Whether this version can be held against published results."""
    return find_spec(HOME) is not None


def cells(desk: Desk, short: bool) -> list[Cell]:
    """None: it has its own cases solved."""
    return []


def answer(desk: Desk, short: bool) -> Answer:
    """Return the table of targets and how many are met."""
    module: Any = import_module(f"{HOME}.validate")
    found = module.validate(desk.data, not short)
    said = (f"Of {len(found.tests)} published results held back as tests the model meets "
            f"{number(100.0 * found.share_met, 2)}%; the median distance is "
            f"{number(100.0 * found.median_error, 2)}% of the published number.",)
    return Answer(said, (Table("targets", TITLE, found.table),), ())
