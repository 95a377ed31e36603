"""The programme of a case as a file for other solvers."""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import highspy

from chipmodel import engine
from chipmodel.arrays import Arrays, compile_arrays
from chipmodel.case import Case
from chipmodel.dataset import Dataset
from chipmodel.errors import InputError
from chipmodel.files import write_whole
from chipmodel.handover import Handover
from chipmodel.lp import write
from chipmodel.numbers import build_numbers
from chipmodel.policies import CapexGrant
from chipmodel.solve import check_case, run
from chipmodel.world import World

FORMATS = ("mps", "lp")


def arrays_of(data: Dataset, case: Case, world: World) -> Arrays:
    """Return the programme of a case, solving first only where its numbers depend on other solves.

    That is so when something becomes known on the way, when an open grant seeks its rate, and for a
    marginal grant; the programme is then the last one solved.
    """
    numbers = build_numbers(data, world)
    check_case(case, numbers)
    dates = [p.known_from for p in case.policies] + [e.known_from for e in world.event]
    later = any(date and date > world.base_year for date in dates)
    sought = any(
        isinstance(p, CapexGrant) and not p.idle and (p.form == "marginal" or (p.form == "open" and p.rate is None))
        for p in case.policies
    )
    if later or sought:
        return run(data, case, world).arrays
    return compile_arrays(write(numbers.with_events(world.event), case.policies))


def export(arrays: Arrays, path: str | Path, form: str) -> Path:
    """Write a programme for other solvers, to be minimised.

    Rows and columns are called after their group or variable and its index, joined with ``__``.

    Parameters
    ----------
    arrays : Arrays
    path : str or Path
    form : str
        ``mps`` (free format) or ``lp``.

    Returns
    -------
    Path
        The file, there whole or not at all.
    """
    if form not in FORMATS:
        raise InputError.one("export", form, "no such format", "use one of " + ", ".join(FORMATS))
    lp = Handover(arrays, fold=False).lp(arrays)
    lp.model_name_ = "chipmodel"
    lp.row_names_ = safe_names(arrays.rows_of)
    lp.col_names_ = safe_names(arrays.columns_of)
    highs = engine.solver()
    if highs.passModel(lp) == highspy.HighsStatus.kError:
        raise InputError.one(str(path), form, "the programme was refused by HiGHS", "report this as a bug")
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / f"model.{form}"
        if highs.writeModel(str(draft)) == highspy.HighsStatus.kError or not draft.is_file():
            raise InputError.one(str(path), form, "could not be written by HiGHS", "try the other format")
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
