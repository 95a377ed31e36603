"""Published results against ours: a row per target, hits and misses alike."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import pandas as pd

from chipmodel.common.errors import InputError, Problem
from chipmodel.common.files import write_whole
from chipmodel.common.text import columns
from chipmodel.common.workers import Here, Pool, Processes
from chipmodel.dataset.dataset import Dataset
from chipmodel.dataset.rows import SourceRow, TargetRow
from chipmodel.validation.replications import (
    EXPERIMENTS,
    Ours,
    Parameters,
    ladder_table,
)
from chipmodel.validation.shared import ReplicationSetup

COLUMNS = [
    "id",
    "role",
    "metric",
    "result",
    "ours",
    "theirs",
    "low",
    "high",
    "unit",
    "verdict",
    "reason",
    "placebo",
    "source",
    "interested",
    "grade",
]


HIT, MISS, BESIDE, NONE = "hit", "miss", "beside", "not in the model"


UNEXPLAINED = "unexplained"


OnProgress = Callable[[str], None]


@dataclass(frozen=True)
class Validation:
    """What the targets say.

    Attributes
    ----------
    table : DataFrame
        A row per target: id, role, metric, result, ours, theirs, low, high, unit,
        verdict, reason, verdict of the placebo, source, whether it is an interested
        party, grade.
    ladder : DataFrame, optional
        Fabs by form of the grant and budget: those that stand anyway and those added.
    """

    table: pd.DataFrame
    ladder: pd.DataFrame | None = None

    @property
    def tests(self) -> pd.DataFrame:
        """The rows that count: targets of role test."""
        return self.table[self.table["role"] == "test"]

    @property
    def share_met(self) -> float:
        """Share of tests met; what the model cannot say counts as a miss."""
        return (
            float((self.tests["verdict"] == HIT).mean())
            if len(self.tests)
            else float("nan")
        )

    @property
    def median_error(self) -> float:
        """Median over the tests of our number's distance from theirs, relative to theirs."""
        kept = self.tests[
            (self.tests["unit"] != "truth")
            & self.tests["ours"].notna()
            & (self.tests["theirs"] != 0)
        ]
        errors = ((kept["ours"] - kept["theirs"]) / kept["theirs"]).abs()
        return float(median(errors)) if len(errors) else float("nan")

    @property
    def placebo(self) -> tuple[int, int]:
        """How many of the support-sensitive tests the placebo fails, and how many there are."""
        held = self.table[self.table["placebo"] != ""]
        return int((held["placebo"] == MISS).sum()), len(held)

    @property
    def summary(self) -> list[str]:
        """What the table says, in sentences."""
        met, failed = int((self.tests["verdict"] == HIT).sum()), self.placebo
        interested = sorted(set(self.table.loc[self.table["interested"], "source"]))
        lines = [
            f"tests met: {met} of {len(self.tests)} ({self.share_met:.0%}); median"
            f" relative error {self.median_error:.0%}"
        ]
        if failed[1]:
            own = int(
                (self.table.loc[self.table["placebo"] != "", "verdict"] == MISS).sum()
            )
            lines.append(
                f"placebo (each region's support handed to the next): fails {failed[0]}"
                f" of {failed[1]} tests that hang on support; the model itself fails"
                f" {own} of them"
            )
        if interested:
            lines.append(
                "interested parties among the sources: " + ", ".join(interested)
            )
        return lines

    def lines(self) -> list[str]:
        """Return the table for a terminal."""
        rows = [["id", "role", "result", "ours", "theirs", "band", "verdict", "reason"]]
        rows += [
            [
                r.id,
                r.role,
                r.result,
                _said(r.ours, r.unit),
                _said(r.theirs, r.unit),
                (
                    f"{_said(r.low, r.unit)} to {_said(r.high, r.unit)}"
                    if r.low == r.low
                    else ""
                ),
                r.verdict,
                r.reason,
            ]
            for r in _records(self.table)
        ]
        return [*columns(rows), "", *self.summary]


def _records(table: pd.DataFrame) -> Iterator[Any]:
    """Walk over the rows by name of column."""
    yield from table.itertuples(index=False)


def _said(value: float, unit: str) -> str:
    if value != value:
        return "-"
    if unit == "share":
        return f"{100 * value:.1f}%"
    if unit == "truth":
        return "yes" if value else "no"
    return f"{value / 1e3:,.0f} bn" if unit == "MUSD" else f"{value:,.3g}"


def check_targets(data: Dataset) -> None:
    """Refuse targets whose experiment or metric does not exist.

    Raises
    ------
    InputError
        With every problem found.
    """
    problems, bench = [], ReplicationSetup(data)
    for row in data.rows(TargetRow):
        place = f"{row.target}, {row.metric or row.result}"
        if row.role in ("input", "test") and (row.low is None or row.high is None):
            problems.append(
                Problem("targets.csv", place, "has no band", "give low and high")
            )
        if not row.experiment:
            continue
        experiment = EXPERIMENTS.get(row.experiment)
        if experiment is None:
            problems.append(
                Problem(
                    "targets.csv",
                    place,
                    f"unknown experiment '{row.experiment}'",
                    "use one of " + ", ".join(EXPERIMENTS),
                )
            )
        elif not experiment.known(row.metric, bench):
            problems.append(
                Problem(
                    "targets.csv",
                    place,
                    f"unknown metric '{row.metric}' of {row.experiment}",
                    f"use {experiment.forms}",
                )
            )
    if problems:
        raise InputError(problems)


def validate(
    data: Dataset,
    placebo: bool = True,
    on_progress: OnProgress = lambda _: None,
    jobs: int = 1,
) -> Validation:
    """Hold the model against published results.

    Parameters
    ----------
    data : Dataset
    placebo : bool
        Whether to run the tests that hang on support once more with each region's
        support handed on.
    on_progress : callable, optional
        Called with a line as each group of experiments is done.
    jobs : int
        Processes; the result is the same whatever their number.

    Raises
    ------
    InputError
        If a target names an experiment or a metric that does not exist.
    """
    check_targets(data)
    rows = list(data.rows(TargetRow))
    if not rows:
        raise InputError.one(
            "targets.csv", "file", "holds no target", "add one, or use the shipped data"
        )
    ours: dict[tuple[str, str], Ours] = {}
    held: dict[tuple[str, str], Ours] = {}
    ladder: pd.DataFrame | None = None
    tasks = _tasks(rows, placebo)
    pool: Pool = Here() if jobs == 1 else Processes(jobs)
    for k, (found, rungs) in pool.each(_measured, data, tasks):
        task = tasks[k]
        (held if task.placebo else ours).update(found)
        ladder = rungs if rungs is not None else ladder
        on_progress(("placebo: " if task.placebo else "") + ", ".join(task.asked))
    sources = {row.source: row for row in data.rows(SourceRow)}
    table = [
        _row(row, ours.get(_key(row)), held.get(_key(row)), sources[row.source])
        for row in rows
    ]
    return Validation(pd.DataFrame(table, columns=COLUMNS), ladder)


@dataclass(frozen=True)
class Task:
    """Experiments that share solutions, and the numbers asked of each."""

    placebo: bool
    asked: dict[str, list[str]]


TOGETHER = ("hindcast", "hindcast_without", "leverage")
"""Experiments that read the same solutions."""


def _tasks(rows: list[TargetRow], placebo: bool) -> list[Task]:
    """Return the groups of experiments that some targets ask for, the longest first."""
    tasks = []
    for again in (False, True) if placebo else (False,):
        groups: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for row in rows:
            if row.experiment and (
                not again or (row.on_support and row.role == "test")
            ):
                groups[TOGETHER[0] if row.experiment in TOGETHER else row.experiment][
                    row.experiment
                ].append(row.metric)
        tasks += [
            Task(again, {name: list(names) for name, names in asked.items()})
            for asked in groups.values()
        ]
    return sorted(tasks, key=lambda task: not {"ladder", *TOGETHER} & set(task.asked))


def _measured(
    data: Dataset, task: Task
) -> tuple[dict[tuple[str, str], Ours], pd.DataFrame | None]:
    """Run the experiments of a task; also return the ladder, if it climbed it."""
    bench = ReplicationSetup(data, task.placebo)
    found: dict[tuple[str, str], Ours] = {}
    for name, names in task.asked.items():
        parameters: Parameters = EXPERIMENTS[name].run(bench, names)
        found |= {(name, metric): parameters[metric] for metric in names}
    return found, (
        ladder_table(bench) if "ladder" in bench.kept and not task.placebo else None
    )


def _key(row: TargetRow) -> tuple[str, str]:
    return row.experiment, row.metric


def verdict(row: TargetRow, ours: Ours | None) -> str:
    """Return whether our number, or the bracket of our numbers, meets the band."""
    if ours is None:
        return NONE
    if row.low is None or row.high is None:
        return BESIDE
    ends = (ours.value, ours.value if ours.other is None else ours.other)
    return HIT if min(ends) <= row.high + 1e-9 and max(ends) >= row.low - 1e-9 else MISS


def _row(
    row: TargetRow, ours: Ours | None, placebo: Ours | None, source: SourceRow
) -> list[object]:
    told = verdict(row, ours)
    reason = ours.note if ours is not None else ""
    if told in (MISS, NONE):
        reason = "; ".join(part for part in (row.reason or UNEXPLAINED, reason) if part)
    return [
        row.target,
        row.role,
        row.metric,
        row.result,
        float("nan") if ours is None else ours.value,
        row.value,
        row.low,
        row.high,
        row.unit,
        told,
        reason,
        "" if placebo is None else verdict(row, placebo),
        source.publisher,
        source.interested,
        row.grade,
    ]


def write(found: Validation, out: Path) -> list[Path]:
    """Write the table, what it says, the ladder of support and the figures into a folder."""
    from chipmodel.common.tables import table_csv
    from chipmodel.display.canvas import drawable, save
    from chipmodel.display.targets import against_published, support_ladder

    table = found.table.astype({"low": float, "high": float})
    files = {
        "targets.csv": table_csv(table),
        "summary.txt": "\n".join(found.summary) + "\n",
    }
    if found.ladder is not None:
        files["ladder.csv"] = table_csv(found.ladder)
    for name, text in files.items():
        write_whole(out / name, text)
    written = [out / name for name in files]
    if drawable():
        written += save(against_published, table, out / "targets")
        if found.ladder is not None:
            written += save(support_ladder, found.ladder, out / "ladder")
    return written
