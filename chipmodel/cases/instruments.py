"""Read the instruments of a case file, with every problem by instrument and field."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from chipmodel.common.errors import Problem
from chipmodel.common.text import offer
from chipmodel.common.toml import from_file, problems_of
from chipmodel.dataset.dataset import Dataset
from chipmodel.dataset.rows import RegionRow, SourceRow
from chipmodel.policies.base import Policy, policy_class


def read_instruments(
    file: str, entries: Sequence[dict[str, Any]], data: Dataset
) -> tuple[list[Policy], list[Problem]]:
    """Return the instruments of a file, and what is wrong with the others.

    Parameters
    ----------
    file : str
        Name of the file, for messages.
    entries : sequence of dict
        Fields of each instrument, with its ``kind``.
    data : Dataset
        Where sources and regions are looked up.
    """
    policies: list[Policy] = []
    problems: list[Problem] = []
    sources = {row.source for row in data.rows(SourceRow)} | {"own"}
    regions = [row.region for row in data.rows(RegionRow)]
    for number, entry in enumerate(entries, start=1):
        body = dict(entry)
        place = f"policy {body.get('id', number)}"
        kind = body.pop("kind", None)
        known = policy_class(str(kind))
        if known is None:
            what = f"unknown kind '{kind}'"
            if kind is None:
                # One of them may look like it: its characters are named then.
                what = f"kind is missing (its keys: {', '.join(body) or 'none'})"
            fix = "kinds: " + offer(str(kind), sorted(Policy.kinds))
            problems.append(Problem(file, place, what, fix))
            continue
        try:
            policy = from_file(known, body)
        except ValidationError as error:
            problems += problems_of(error, file, place, regions)
            continue
        # "own" marks an assumption of the user, which has no row in sources.csv.
        if policy.source not in sources:
            what = f"source '{policy.source}' is not in sources.csv"
            fix = 'add it there, or write source = "own"'
            problems.append(Problem(file, place, what, fix))
        policies.append(policy)
    return policies, problems
