"""Replications of published results, by the name that targets give their experiment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from chipmodel.common.errors import InputError
from chipmodel.dataset.rows import ConstructionRow
from chipmodel.results import metrics
from chipmodel.results.summary import Labels
from chipmodel.validation import case_replications, cost_replications, ladder
from chipmodel.validation.shared import HINDCAST, ModelResult, ReplicationSetup


@dataclass(frozen=True)
class Experiment:
    """A replication, and the names of the numbers it gives.

    Attributes
    ----------
    run : callable
        From the setup and the names asked for to results by name.
    gives : callable
        Whether a name is one of its numbers.
    forms : str
        What its names look like, for messages.
    """

    run: Callable[[ReplicationSetup, list[str]], dict[str, ModelResult]]
    gives: Callable[[str, ReplicationSetup], bool]
    forms: str


def _one_of(*names: str) -> Callable[[str, ReplicationSetup], bool]:
    def gives(name: str, _: ReplicationSetup) -> bool:
        return name in names

    return gives


def _gives_place_cost(name: str, setup: ReplicationSetup) -> bool:
    match name.split("."):
        case ["gap" | "incentive_part", region, other, year]:
            return year.isdigit() and {region, other} <= _regions(setup)
        case ["place", region, other]:
            return {region, other} <= _regions(setup)
    return False


def _gives_build_time(name: str, setup: ReplicationSetup) -> bool:
    match name.split("."):
        case ["build", region]:
            return region in _regions(setup)
        case ["building", region, other]:
            return {region, other} <= _regions(setup)
    return False


def _gives_hindcast(name: str, setup: ReplicationSetup) -> bool:
    match name.split("."):
        case ["growth", *regions]:
            return len(regions) == 1 and regions[0] in _regions(setup)
        case ["order", _, *regions]:
            return len(regions) > 1 and set(regions) <= _regions(setup)
        case ["order"]:
            return False
    # Any other name is a metric, as a study has them.
    labels = Labels.of(setup.data, setup.world(HINDCAST))
    try:
        return not metrics.parse(name).problems(labels)
    except InputError:
        return False


def _regions(setup: ReplicationSetup) -> set[str]:
    return {row.region for row in setup.data.rows(ConstructionRow)}


LADDER_NAMES = [
    *(f"fabs.{budget}" for budget in ladder.BUDGETS),
    *(f"investment.{budget}" for budget in ladder.BUDGETS),
]


EXPERIMENTS: dict[str, Experiment] = {
    "place_cost": Experiment(
        cost_replications.place_cost,
        _gives_place_cost,
        "gap.<REGION>.<REGION>.<year>, incentive_part.<REGION>.<REGION>.<year>, "
        "place.<REGION>.<REGION>",
    ),
    "build_time": Experiment(
        cost_replications.build_time,
        _gives_build_time,
        "build.<REGION>, building.<REGION>.<REGION>",
    ),
    "hindcast": Experiment(
        case_replications.hindcast,
        _gives_hindcast,
        "a metric of a study, growth.<REGION>, order.<segment>.<REGION>.<REGION>",
    ),
    "hindcast_without": Experiment(
        case_replications.hindcast_without, _gives_hindcast, "a metric of a study"
    ),
    "ladder": Experiment(
        case_replications.ladder_of_support,
        _one_of(*LADDER_NAMES),
        "fabs.<bn>, investment.<bn> with 0, 20 or 50",
    ),
    "self_sufficiency": Experiment(
        cost_replications.self_sufficiency,
        _one_of("upfront", "price_rise"),
        "upfront, price_rise",
    ),
    "site_choice": Experiment(
        cost_replications.site_choice,
        _one_of("tariff_flips", "support_does_not"),
        "tariff_flips, support_does_not",
    ),
    "pass_through": Experiment(
        case_replications.tariff_pass_through,
        _one_of("maker", "user"),
        "maker, user",
    ),
    "leverage": Experiment(
        case_replications.leverage,
        _one_of("gross", "additional"),
        "gross, additional",
    ),
}
"""Experiments by the name that targets give them."""
