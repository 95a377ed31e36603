"""Published results compared with ours: a row per target, hits and misses alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import pandas as pd

from chipmodel.common.errors import InputError, Problem
from chipmodel.common.fingerprint import PACKAGES, code_digest, version_of
from chipmodel.common.tables import table_csv
from chipmodel.common.text import columns
from chipmodel.common.version import __version__
from chipmodel.common.workers import Here, Pool, Processes
from chipmodel.dataset.dataset import Dataset
from chipmodel.dataset.rows import SourceRow, TargetRow
from chipmodel.display.canvas import KINDS, drawable, rendered
from chipmodel.display.targets import against_published, support_ladder
from chipmodel.results.folder import MANIFEST, digests, write_result
from chipmodel.validation.case_replications import ladder_table
from chipmodel.validation.replications import EXPERIMENTS
from chipmodel.validation.shared import ModelResult, ReplicationSetup

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


HIT = "hit"
MISS = "miss"
NO_BAND = "beside"
NOT_MODELLED = "not in the model"
"""Verdicts on a target; ``beside`` is that on one without a band."""


ROUNDING = 1e-9
"""Distance beyond a band that is still within it: bands are decimal numbers."""

UNEXPLAINED = "unexplained"
"""Reason of a miss for which the data give none."""

TOGETHER = ("hindcast", "hindcast_without", "leverage")
"""Experiments that read the same solutions, and are run in one process."""

OnProgress = Callable[[str], None]

Key = tuple[str, str]
"""Experiment and metric of a target."""


@dataclass(frozen=True)
class Validation:
    """Published results compared with the model's.

    Attributes
    ----------
    table : DataFrame
        A row per target: id, role, metric, result, ours, theirs, low, high, unit,
        verdict, reason, verdict of the placebo, source, whether it is an interested
        party, grade.
    ladder : DataFrame, optional
        Fabs by form of the grant and budget: those built anyway and those added.
    """

    table: pd.DataFrame
    ladder: pd.DataFrame | None = None

    @property
    def tests(self) -> pd.DataFrame:
        """The rows that count: targets of role test."""
        return self.table[self.table["role"] == "test"]

    @property
    def share_met(self) -> float:
        """Share of tests met; what is not in the model counts as a miss."""
        if not len(self.tests):
            return float("nan")
        return float((self.tests["verdict"] == HIT).mean())

    @property
    def median_error(self) -> float:
        """Median relative error of our numbers over the tests that have one."""
        tests = self.tests
        # A truth value has no error, nor has a target of zero a relative one.
        is_number = (tests["unit"] != "truth") & tests["ours"].notna()
        tests = tests[is_number & (tests["theirs"] != 0)]
        errors = ((tests["ours"] - tests["theirs"]) / tests["theirs"]).abs()
        return float(median(errors)) if len(errors) else float("nan")

    @property
    def placebo(self) -> tuple[int, int]:
        """Number of support-sensitive tests the placebo fails, and of all of them."""
        sensitive = self.table[self.table["placebo"] != ""]
        return int((sensitive["placebo"] == MISS).sum()), len(sensitive)

    @property
    def summary(self) -> list[str]:
        """The table as sentences."""
        met = int((self.tests["verdict"] == HIT).sum())
        lines = [
            f"tests met: {met} of {len(self.tests)} ({self.share_met:.0%}); median"
            f" relative error {self.median_error:.0%}"
        ]
        failed, sensitive = self.placebo
        if sensitive:
            is_sensitive = self.table["placebo"] != ""
            verdicts = self.table.loc[is_sensitive, "verdict"]
            failed_by_model = int((verdicts == MISS).sum())
            lines.append(
                "placebo (each region's support reassigned to another region): fails"
                f" {failed} of {sensitive} support-sensitive tests; the model itself"
                f" fails {failed_by_model} of them"
            )
        interested = sorted(set(self.table.loc[self.table["interested"], "source"]))
        if interested:
            lines.append(
                "interested parties among the sources: " + ", ".join(interested)
            )
        return lines

    def lines(self) -> list[str]:
        """Return the table for a terminal."""
        rows = [["id", "role", "result", "ours", "theirs", "band", "verdict", "reason"]]
        for row in _records(self.table):
            rows.append(
                [
                    row.id,
                    row.role,
                    row.result,
                    _value_text(row.ours, row.unit),
                    _value_text(row.theirs, row.unit),
                    _band_text(row.low, row.high, row.unit),
                    row.verdict,
                    row.reason,
                ]
            )
        return [*columns(rows), "", *self.summary]


def _records(table: pd.DataFrame) -> Iterator[Any]:
    """Yield the rows, with columns as attributes."""
    yield from table.itertuples(index=False)


def _band_text(low: float, high: float, unit: str) -> str:
    if pd.isna(low):
        return ""
    return f"{_value_text(low, unit)} to {_value_text(high, unit)}"


def _value_text(value: float, unit: str) -> str:
    if pd.isna(value):
        return "-"
    if unit == "share":
        return f"{100 * value:.1f}%"
    if unit == "truth":
        return "yes" if value else "no"
    if unit == "MUSD":
        return f"{value / 1e3:,.0f} bn"
    return f"{value:,.3g}"


def check_targets(data: Dataset) -> None:
    """Refuse targets whose experiment or metric does not exist.

    Raises
    ------
    InputError
        With every problem found.
    """
    setup = ReplicationSetup(data)
    problems = []
    for row in data.rows(TargetRow):
        if row.role in ("input", "test") and (row.low is None or row.high is None):
            problems.append(_problem(row, "has no band", "give low and high"))
        if not row.experiment:
            continue
        experiment = EXPERIMENTS.get(row.experiment)
        if experiment is None:
            what = f"unknown experiment '{row.experiment}'"
            problems.append(_problem(row, what, "use one of " + ", ".join(EXPERIMENTS)))
        elif not experiment.gives(row.metric, setup):
            what = f"unknown metric '{row.metric}' of {row.experiment}"
            problems.append(_problem(row, what, f"use {experiment.forms}"))
    if problems:
        raise InputError(problems)


def _problem(row: TargetRow, what: str, fix: str) -> Problem:
    place = f"{row.target}, {row.metric or row.result}"
    return Problem("targets.csv", place, what, fix)


def validate(
    data: Dataset,
    placebo: bool = True,
    on_progress: OnProgress = lambda _: None,
    jobs: int = 1,
) -> Validation:
    """Compare the model with published results.

    Parameters
    ----------
    data : Dataset
    placebo : bool
        Whether to run the support-sensitive tests once more with each region's support
        reassigned to another region.
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
    by_model: dict[Key, ModelResult] = {}
    by_placebo: dict[Key, ModelResult] = {}
    ladder: pd.DataFrame | None = None
    tasks = _tasks(rows, placebo)
    pool: Pool = Here() if jobs == 1 else Processes(jobs)
    for k, (results, ladder_of_task) in pool.each(_replicated, data, tasks):
        task = tasks[k]
        done = ", ".join(task.metrics)
        if task.placebo:
            by_placebo.update(results)
            done = f"placebo: {done}"
        else:
            by_model.update(results)
        if ladder_of_task is not None:
            ladder = ladder_of_task
        on_progress(done)
    sources = {row.source: row for row in data.rows(SourceRow)}
    table = []
    for row in rows:
        key = (row.experiment, row.metric)
        source = sources[row.source]
        table.append(_row(row, by_model.get(key), by_placebo.get(key), source))
    return Validation(pd.DataFrame(table, columns=COLUMNS), ladder)


@dataclass(frozen=True)
class Task:
    """Experiments that share solutions, each with the metrics asked of it."""

    placebo: bool
    metrics: dict[str, list[str]]


def _tasks(rows: list[TargetRow], placebo: bool) -> list[Task]:
    """Return the groups of experiments that targets ask for, the longest first."""
    replicated = [row for row in rows if row.experiment]
    tasks = _grouped(replicated, placebo=False)
    if placebo:
        sensitive = [row for row in replicated if row.on_support and row.role == "test"]
        tasks += _grouped(sensitive, placebo=True)
    # With several processes, the longest task last would leave the others idle.
    slow = {"ladder", *TOGETHER}
    return sorted(tasks, key=lambda task: not slow & set(task.metrics))


def _grouped(rows: list[TargetRow], placebo: bool) -> list[Task]:
    """Return a task for each group of experiments that share solutions."""
    groups: dict[str, dict[str, list[str]]] = {}
    for row in rows:
        group = TOGETHER[0] if row.experiment in TOGETHER else row.experiment
        metrics = groups.setdefault(group, {})
        metrics.setdefault(row.experiment, []).append(row.metric)
    return [Task(placebo, metrics) for metrics in groups.values()]


def _replicated(
    data: Dataset, task: Task
) -> tuple[dict[Key, ModelResult], pd.DataFrame | None]:
    """Run the experiments of a task; also return the table of the ladder if solved."""
    setup = ReplicationSetup(data, task.placebo)
    results: dict[Key, ModelResult] = {}
    for name, metrics in task.metrics.items():
        by_metric = EXPERIMENTS[name].run(setup, metrics)
        for metric in metrics:
            results[name, metric] = by_metric[metric]
    if setup.ladder is None or task.placebo:
        return results, None
    return results, ladder_table(setup)


def verdict(row: TargetRow, ours: ModelResult | None) -> str:
    """Return whether our number, or the bracket of our numbers, meets the band."""
    if ours is None:
        return NOT_MODELLED
    if row.low is None or row.high is None:
        return NO_BAND
    ends = [ours.value]
    if ours.other is not None:
        ends.append(ours.other)
    meets = min(ends) <= row.high + ROUNDING and max(ends) >= row.low - ROUNDING
    return HIT if meets else MISS


def _row(
    row: TargetRow,
    ours: ModelResult | None,
    placebo: ModelResult | None,
    source: SourceRow,
) -> list[object]:
    verdict_on_model = verdict(row, ours)
    verdict_on_placebo = "" if placebo is None else verdict(row, placebo)
    number = float("nan")
    reason = ""
    if ours is not None:
        number = ours.value
        reason = ours.note
    if verdict_on_model in (MISS, NOT_MODELLED):
        reasons = [row.reason or UNEXPLAINED]
        if reason:
            reasons.append(reason)
        reason = "; ".join(reasons)
    return [
        row.target,
        row.role,
        row.metric,
        row.result,
        number,
        row.value,
        row.low,
        row.high,
        row.unit,
        verdict_on_model,
        reason,
        verdict_on_placebo,
        source.publisher,
        source.interested,
        row.grade,
    ]


FILES = frozenset(
    f"{name}.{kind}"
    for name in ("targets", "ladder", "summary")
    for kind in ("csv", "txt", *KINDS)
)
"""Files that a validation may have written."""


def write(validation: Validation, data: Dataset, out: Path) -> list[Path]:
    """Write table, summary, ladder of support and figures as a folder.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    InputError
        If the folder cannot be written, or holds other files.
    """
    table = validation.table.astype({"low": float, "high": float})
    files = {
        "targets.csv": table_csv(table),
        "summary.txt": "\n".join(validation.summary) + "\n",
    }
    if validation.ladder is not None:
        files["ladder.csv"] = table_csv(validation.ladder)
    content = {name: text.encode() for name, text in files.items()}
    if drawable():
        for kind, image in rendered(against_published, table).items():
            content[f"targets.{kind}"] = image
        if validation.ladder is not None:
            for kind, image in rendered(support_ladder, validation.ladder).items():
                content[f"ladder.{kind}"] = image
    manifest = {
        "chipmodel": __version__,
        "dataset": {"name": data.name, "digest": data.digest},
        "code": code_digest(),
        "packages": {name: version_of(name) for name in (*PACKAGES, "matplotlib")},
        "outputs": digests(content),
    }
    write_result(out, content, manifest, FILES)
    return [out / name for name in (*content, MANIFEST)]
