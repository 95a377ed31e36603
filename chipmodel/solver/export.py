"""Linear programs as files for other solvers."""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import highspy

from chipmodel.common.errors import InputError
from chipmodel.common.files import write_whole
from chipmodel.solver.bounds import SingletonBounds
from chipmodel.solver.highs import new_solver
from chipmodel.solver.linear_program import LinearProgram

FORMATS = ("mps", "lp")


def export(program: LinearProgram, path: str | Path, form: str) -> Path:
    """Write a programme for other solvers, to be minimised.

    Rows and columns are called after their group or variable and its index, joined with
    ``__``.

    Parameters
    ----------
    program : LinearProgram
    path : str or Path
    form : str
        ``mps`` (free format) or ``lp``.

    Returns
    -------
    Path
        The file, there whole or not at all.
    """
    if form not in FORMATS:
        raise InputError.one(
            "export", form, "no such format", "use one of " + ", ".join(FORMATS)
        )
    lp = SingletonBounds(program, fold=False).highs_lp(program)
    lp.model_name_ = "chipmodel"
    lp.row_names_ = safe_names(program.row_labels)
    lp.col_names_ = safe_names(program.column_labels)
    highs = new_solver()
    if highs.passModel(lp) == highspy.HighsStatus.kError:
        raise InputError.one(
            str(path),
            form,
            "the programme was refused by HiGHS",
            "report this as a bug",
        )
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / f"model.{form}"
        if (
            highs.writeModel(str(draft)) == highspy.HighsStatus.kError
            or not draft.is_file()
        ):
            raise InputError.one(
                str(path), form, "could not be written by HiGHS", "try the other format"
            )
        write_whole(Path(path), draft.read_bytes())
    return Path(path)


def safe_names(labels: Iterable[tuple[str, tuple[Any, ...]]]) -> list[str]:
    """Return a name for each row or column that every reader takes: unique, no blanks, no operators."""
    names = [_safe("__".join([group, *map(_part, index)])) for group, index in labels]
    twice = {name for name, count in Counter(names).items() if count > 1}
    seen: Counter[str] = Counter()
    taken = set(names)
    found = []
    for name in names:
        if name in twice:
            seen[name] += 1
            while f"{name}__{seen[name]}" in taken:
                seen[name] += 1
            name = f"{name}__{seen[name]}"
            taken.add(name)
        found.append(name)
    return found


def _part(part: Any) -> str:
    return f"m{-part}" if isinstance(part, int) and part < 0 else str(part)


def _safe(name: str) -> str:
    name = re.sub(r"[^A-Za-z0-9_]", "_", name)
    # A reader of the lp format takes e5 or 5x for a number.
    return f"_{name}" if re.match(r"\d|[eE][\deE]", name) else name
