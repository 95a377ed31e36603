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
from chipmodel.common.files import file_behind, unwritable, write_whole
from chipmodel.solver.bounds import SingletonBounds
from chipmodel.solver.highs import new_solver
from chipmodel.solver.linear_program import Label, LinearProgram

STARTS = (b"NAME chipmodel", b"NAME        chipmodel", b"\\ File written by HiGHS")
"""How the files of the formats start."""

LONGEST_START = 80
"""Bytes of a file that are read to recognise it."""

FORMATS = ("mps", "lp")
"""Formats of files that other solvers read."""


def export(program: LinearProgram, path: str | Path, form: str) -> Path:
    """Write a linear program for other solvers, to be minimised.

    Names of rows and columns are their group or variable and its index, joined with
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
        The file, which is written completely or not at all.

    Raises
    ------
    InputError
        If there is no such format, or the file cannot be written.
    """
    if form not in FORMATS:
        raise InputError.one(
            "export", form, "no such format", "use one of " + ", ".join(FORMATS)
        )
    # Rows on one variable stay rows: each has a name and a dual that a reader may want.
    lp = SingletonBounds(program, fold=False).highs_lp(program)
    lp.model_name_ = "chipmodel"
    lp.row_names_ = safe_names(program.row_labels)
    lp.col_names_ = safe_names(program.column_labels)
    highs = new_solver()
    if highs.passModel(lp) == highspy.HighsStatus.kError:
        what = "the linear program was refused by HiGHS"
        raise InputError.one(str(path), form, what, "report this as a bug")
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / f"model.{form}"
        status = highs.writeModel(str(draft))
        # The status alone does not show that there is a file.
        if status == highspy.HighsStatus.kError or not draft.is_file():
            what = "could not be written by HiGHS"
            raise InputError.one(str(path), form, what, "try the other format")
        write_whole(Path(path), draft.read_bytes())
    return Path(path)


def refuse_to_replace(path: Path) -> None:
    """Refuse to replace a file that is no exported linear program.

    Raises
    ------
    InputError
        Before the linear program is written.
    """
    try:
        with file_behind(path).open("rb") as stream:
            start = stream.read(LONGEST_START)
    except FileNotFoundError:
        return
    except OSError as error:
        raise unwritable(path, error) from None
    if start and not start.startswith(STARTS):
        raise InputError.one(
            str(path),
            "output",
            "was not written by chipmodel and would be lost",
            "move it away, or name another file",
        )


def safe_names(labels: Iterable[Label]) -> list[str]:
    """Return a name for each row or column that every reader accepts.

    Names are unique and have neither blanks nor operators.
    """
    names = [_safe_name(group, index) for group, index in labels]
    counts = Counter(names)
    numbers: Counter[str] = Counter()
    taken = set(names)
    unique = []
    for name in names:
        if counts[name] > 1:
            candidate = name
            # A numbered name may be that of another row.
            while candidate in taken:
                numbers[name] += 1
                candidate = f"{name}__{numbers[name]}"
            taken.add(candidate)
            unique.append(candidate)
        else:
            unique.append(name)
    return unique


def _safe_name(group: str, index: tuple[Any, ...]) -> str:
    joined = "__".join([group, *(_part(part) for part in index)])
    name = re.sub(r"[^A-Za-z0-9_]", "_", joined)
    # A reader of the lp format takes e5 or 5x for a number.
    if re.match(r"\d|[eE][\deE]", name):
        return f"_{name}"
    return name


def _part(part: Any) -> str:
    # A minus sign would be an operator.
    if isinstance(part, int) and part < 0:
        return f"m{-part}"
    return str(part)
