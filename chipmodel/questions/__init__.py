"""The questions of the report, one module each, and where they are found.

Imports `studies` and `display` and what is below them, never `validation`.

A question is a module ``qNN_name`` with

``TITLE``
    One line, a plain string (`titles` reads it from the source).
``ASKS``
    The question in a sentence.
``METHOD``
    How it is answered, in a few sentences, and what is left out.
``cells(cache, short)``
    The cases it needs, so that those of all questions are solved together.
``answer(cache, short)``
    Tables, figures and findings, computed from the summaries in the cache.

``short`` asks for the smallest set of cases that still answers the question.
"""

from __future__ import annotations

import ast
from importlib import import_module
from pkgutil import get_data, iter_modules
from typing import TYPE_CHECKING, Any

from chipmodel.common.errors import InputError
from chipmodel.common.text import offer

if TYPE_CHECKING:
    from chipmodel.questions.answer import Question


def names() -> list[str]:
    """Return the names of the questions, in order."""
    modules = [module.name for module in iter_modules(__path__)]
    return sorted(name for name in modules if name.startswith("q"))


def question(name: str) -> Question:
    """Return a question by its name or number (``q03``).

    Raises
    ------
    InputError
        If there is none, with the nearest names.
    """
    known = names()
    matches = [full for full in known if name in (full, full.partition("_")[0])]
    if not matches:
        raise InputError.one("question", name, "no such question", offer(name, known))
    module: Any = import_module(f"{__name__}.{matches[0]}")
    return module  # type: ignore[no-any-return]


def titles() -> dict[str, str]:
    """Return the title of every question by name, without importing its module."""
    return {name: _title(name) for name in names()}


def _title(name: str) -> str:
    # Importing a question loads pandas, Pyomo and the figures, which takes longer than
    # all the rest of `chipmodel list`; the title is a literal, so the source will do.
    source = get_data(__name__, f"{name}.py") or b""
    for statement in ast.parse(source).body:
        if not isinstance(statement, ast.Assign):
            continue
        target = statement.targets[0]
        if isinstance(target, ast.Name) and target.id == "TITLE":
            return str(ast.literal_eval(statement.value))
    return "(no title)"
