"""The questions the project was started with, each answered by an experiment.

A question is a module ``qNN_name`` with

``TITLE``
    One line.
``ASKS``
    The question in a sentence.
``METHOD``
    How it is answered, in a line or two, with what is left out.
``cells(cache, short)``
    The cases it needs, so that those of all questions are solved together.
``answer(cache, short)``
    Tables, figures and findings, computed from the summaries in the cache.

``short`` asks for the minimum set of cases that answers the question.
"""

from __future__ import annotations

import ast
import re
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from chipmodel.common.errors import InputError
from chipmodel.common.text import offer

# `answer` loads pandas, which a list of the questions does not need.
if TYPE_CHECKING:
    from chipmodel.questions.answer import Question


def names() -> list[str]:
    """Return the names of the questions, in order."""
    modules = [module.name for module in iter_modules(__path__)]
    # Modules without a number hold what several questions share.
    return sorted(name for name in modules if name.startswith("q"))


def question(name: str) -> Question:
    """Return a question by its name or number (``q03``).

    Raises
    ------
    InputError
        If there is none, with the nearest names.
    """
    known = names()
    matches = []
    for full_name in known:
        number = full_name.partition("_")[0]
        if name in (full_name, number):
            matches.append(full_name)
    if not matches:
        raise InputError.one("question", name, "no such question", offer(name, known))
    module: Any = import_module(f"{__name__}.{matches[0]}")
    return module  # type: ignore[no-any-return]


def titles() -> dict[str, str]:
    """Return the title of each question by its name.

    Titles are read from the source: importing every question would load the solver and
    the drawing of figures to print a list.
    """
    folder = Path(__file__).parent
    return {name: _title(folder / f"{name}.py") for name in names()}


def _title(path: Path) -> str:
    source = path.read_text(encoding="utf-8")
    # The statement ends where the next one, or a blank line, begins.
    statement = re.search(
        r"^TITLE = (.*?)\n(?=\w|\n)", source, re.DOTALL | re.MULTILINE
    )
    if statement is None:
        raise AttributeError(f"{path.name} has no TITLE")
    return str(ast.literal_eval(statement[1]))
