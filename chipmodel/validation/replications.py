"""The experiments behind the targets: each gives named numbers of ours, read off the shared bench."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from chipmodel.common.errors import InputError
from chipmodel.common.units import per_wafer
from chipmodel.dataset.rows import ConstructionRow, CostFactorRow, TargetRow
from chipmodel.model.parameters.build import build_parameters
from chipmodel.model.parameters.place_cost import gap, incentive_part, incentives
from chipmodel.model.parameters.scaled_facts import Facts
from chipmodel.policies.tariff import Tariff
from chipmodel.results import metrics
from chipmodel.results.passthrough import pass_through
from chipmodel.results.solution import Solution
from chipmodel.results.summary import Summary
from chipmodel.validation import ladder
from chipmodel.validation.shared import HINDCAST, WITH, WITHOUT, ReplicationSetup

DUTY, LAW = "section232_25_flat", "current_law"


SIX = ("USA", "JPN", "KOR", "TWN", "CHN", "EUR")
"""Governments whose public money is counted."""


FOUNDRY = "logic_lt10"


@dataclass(frozen=True)
class Ours:
    """Our number, with the other end where it is a bracket, and what to know about it."""

    value: float
    other: float | None = None
    note: str = ""


Parameters = dict[str, Ours]


@dataclass(frozen=True)
class Experiment:
    """An experiment: what it gives, and whether it gives a named number at all.

    Attributes
    ----------
    run : callable
        From the bench and the names asked for to numbers.
    known : callable
        Whether a name is one of its numbers.
    forms : str
        What its names look like, for messages.
    """

    run: Callable[[ReplicationSetup, list[str]], Parameters]
    known: Callable[[str, ReplicationSetup], bool]
    forms: str


def place_cost(bench: ReplicationSetup, names: list[str]) -> Parameters:
    """Give ten-year cost of place from the data the programme builds with."""
    facts = Facts(bench.data, bench.world("central"))
    found = {}
    for name in names:
        kind, region, other, *year = name.split(".")
        if kind == "gap":
            found[name] = Ours(gap(facts, region, other, int(year[0])))
        elif kind == "incentive_part":
            found[name] = Ours(incentive_part(facts, region, other, int(year[0])))
        else:
            slow = gap(facts, region, other, interest=True)
            found[name] = Ours(
                gap(facts, region, other),
                note=f"with interest during construction {slow:.1%}",
            )
    return found


def build_time(bench: ReplicationSetup, names: list[str]) -> Parameters:
    """Give inputs as they stand in the data."""
    months = {
        row.region: row.value
        for row in bench.data.rows(ConstructionRow)
        if row.item == "build"
    }
    factor = {
        row.region: row.value
        for row in bench.data.rows(CostFactorRow)
        if row.item == "building"
    }
    found = {}
    for name in names:
        kind, region, *other = name.split(".")
        found[name] = Ours(
            months[region] if kind == "build" else factor[region] / factor[other[0]]
        )
    return found


def hindcast(bench: ReplicationSetup, names: list[str]) -> Parameters:
    """Give shares, order and growth in the hindcast with the support of May 2024."""
    return _shares(bench.summary(WITH), names)


def hindcast_without(bench: ReplicationSetup, names: list[str]) -> Parameters:
    """Give the same without American support."""
    return _shares(bench.summary(WITHOUT), names)


def _shares(own: Summary, names: list[str]) -> Parameters:
    last, first = own.labels.years[-1], own.labels.years[0]
    found = {}
    for name in names:
        kind, *rest = name.split(".")
        if kind == "order":
            segment, *order = rest
            shares = [
                metrics.evaluate(f"share.capacity.{r}.{segment}.{last}", own)
                for r in order
            ]
            told = ", ".join(
                f"{r} {share:.0%}" for r, share in zip(order, shares, strict=True)
            )
            found[name] = Ours(float(shares == sorted(shares, reverse=True)), note=told)
        elif kind == "growth":
            then, now = (
                metrics.evaluate(f"capacity.{rest[0]}.all.{year}", own)
                for year in (first, last)
            )
            found[name] = Ours(now / then - 1.0)
        else:
            found[name] = Ours(metrics.evaluate(name, own))
    return found


def climb(bench: ReplicationSetup, names: list[str]) -> Parameters:
    """Give fabs and investment on the rungs of the ladder of support, open grant and marginal grant."""
    rungs, marginal = ladder_rungs(bench)
    found = {}
    for name in names:
        kind, budget = name.split(".")
        read = ladder.fabs if kind == "fabs" else ladder.money
        other = read(marginal[int(budget)], bench) if int(budget) and marginal else None
        found[name] = Ours(
            read(rungs[int(budget)], bench),
            other,
            "" if other is None else f"open grant; marginal form {other:,.0f}",
        )
    return found


def ladder_rungs(
    bench: ReplicationSetup,
) -> tuple[dict[int, ladder.Rung], dict[int, ladder.Rung]]:
    """Return the rungs at the published budgets in the open and in the marginal form, solved once.

    The placebo has no marginal form: it asks only whether support elsewhere would do as
    well.
    """
    if "ladder" not in bench.kept:
        rungs, base = ladder.open_rungs(bench)
        found = ladder.at_budgets(rungs, bench)
        marginal = (
            {}
            if bench.placebo
            else ladder.marginal_rungs(bench, base, found[ladder.BUDGETS[-1]].rate)
        )
        bench.kept["ladder"] = (found, marginal)
    kept: tuple[dict[int, ladder.Rung], dict[int, ladder.Rung]] = bench.kept["ladder"]  # type: ignore[assignment]
    return kept


def ladder_table(bench: ReplicationSetup) -> pd.DataFrame:
    """Return fabs by form and budget: those that stand anyway, those added, and as published."""
    published = {row.metric: row.value for row in bench.data.rows(TargetRow)}
    rows = []
    for form, rungs in zip(("open", "marginal"), ladder_rungs(bench), strict=True):
        for budget, one in rungs.items():
            anyway = ladder.fabs(rungs[0], bench)
            rows.append(
                (
                    form,
                    budget,
                    one.rate,
                    anyway,
                    ladder.fabs(one, bench) - anyway,
                    ladder.money(one, bench),
                    published.get(f"fabs.{budget}", float("nan")),
                )
            )
    return pd.DataFrame(
        rows,
        columns=[
            "form",
            "budget",
            "rate",
            "anyway",
            "additional",
            "investment",
            "published",
        ],
    )


def self_sufficiency(bench: ReplicationSetup, _: list[str]) -> Parameters:
    """Give what it costs to make every region self-sufficient in fabs at the demand of 2019.

    Where every region makes all it uses there is nothing left to choose, so it is read
    off the programme's coefficients: the capacity a region lacks in a segment at its
    capital cost, and the yearly cost of that capacity less the running cost of what
    stands idle elsewhere, over sales.
    """
    n = build_parameters(bench.data, bench.world(HINDCAST))
    scale, year = bench.parameter("demand_2019"), n.years[0]
    upfront = yearly = sales = 0.0
    for s in n.segments:
        for r in n.regions:
            wanted = n.reference.get((r, s, year), 0.0)
            have = n.capacity.get((r, s), 0.0)
            lack = max(0.0, wanted / n.use[s, "u_base"] - have)
            spare = max(0.0, have - wanted / n.use[s, "u_base"])
            cost = n.costs[r, s]
            upfront += lack * cost.billed
            yearly += lack * (
                n.recovery * cost.billed * cost.interest
                + n.use[s, "u_base"] * cost.running
            )
            yearly -= spare * (n.use[s, "u_base"] - n.use[s, "u_min"]) * cost.running
            sales += wanted * n.prices.reference[s]
    return {
        "upfront": Ours(upfront * scale / bench.money_of(2019)),
        "price_rise": Ours(
            yearly / sales, note="over all sales; design and margin unchanged"
        ),
    }


def site_choice(bench: ReplicationSetup, _: list[str]) -> Parameters:
    """Give which instrument moves one foundry fab from Taiwan to the United States.

    Cost a wafer of a new fab in each place, after the incentives of 2020, delivered to
    the United States; then with a duty of 10% on the dutiable value, or with 25% of
    capital cost paid.
    """
    n = build_parameters(bench.data, bench.world("central"))
    paid = incentives(Facts(bench.data, n.world), 2020)
    use = n.use[FOUNDRY, "u_base"]

    def wafer(region: str, support: float = 0.0) -> float:
        cost = n.costs[region, FOUNDRY]
        years = cost.ten_years(use, interest=True)
        return (years * (1.0 - paid[region]) - support * cost.billed) / (10 * use)

    duty = 0.10 * n.prices.dutiable[FOUNDRY]
    freight = n.leg("TWN", "USA", FOUNDRY) - n.leg("USA", "USA", FOUNDRY)
    lead = wafer("USA") - wafer("TWN") - freight
    subsidised = wafer("USA", 0.25) - wafer("TWN") - freight
    note = (
        f"American wafer dearer by {per_wafer(lead):,.0f} dollars, duty"
        f" {per_wafer(duty):,.0f}, support of 25% {per_wafer(lead - subsidised):,.0f}"
    )
    return {
        "tariff_flips": Ours(float(lead > 0 >= lead - duty), note=note),
        "support_does_not": Ours(float(subsidised > 0), note=note),
    }


def passed(bench: ReplicationSetup, _: list[str]) -> Parameters:
    """Give how much of a flat American duty goes into prices, at maker and at user."""
    own, base = bench.summary(DUTY, "central"), bench.summary(LAW, "central")
    tariff = own.case.policy("s232")
    assert isinstance(tariff, Tariff)
    found = pass_through(own, base, tariff)
    return {
        "maker": Ours(found.total(found.maker)),
        "user": Ours(found.total(found.user)),
    }


def leverage(bench: ReplicationSetup, _: list[str]) -> Parameters:
    """Give private investment per dollar of public money: of all supported builds, and of those added."""
    own, bare = bench.solution(WITH), bench.solution("no_policy")
    public = sum(v for (_, r, _), v in Summary.of(own).cash.items() if r in SIX)
    supported = _supported(own)
    added = _investment(own) - _investment(bare)
    return {
        "gross": Ours(
            (supported - public) / public, note=f"public {public / 1e3:,.0f} bn"
        ),
        "additional": Ours(
            (added - public) / public, note=f"investment added {added / 1e3:,.0f} bn"
        ),
    }


def _investment(one: Solution) -> float:
    """Return the capital cost of all that is begun in the six regions over the years reported, MUSD."""
    n, last = one.parameters, one.world.report_until
    return sum(
        v * n.costs[n.sites.sites[i].region, n.sites.sites[i].segment].billed
        for (i, t), v in one.columns("build").items()
        if t <= last and n.sites.sites[i].region in SIX
    )


def _supported(one: Solution) -> float:
    """Return the capital cost of the builds that get any support, MUSD."""
    from chipmodel.policies.support import Support

    n, last = one.parameters, one.world.report_until
    covered = {
        (site.id, t)
        for p in one.case.policies
        if isinstance(p, Support) and not p.inactive
        for site, t in p.eligible(n)
    }
    return sum(
        v * n.costs[n.sites.sites[i].region, n.sites.sites[i].segment].billed
        for (i, t), v in one.columns("build").items()
        if t <= last and (i, t) in covered and n.sites.sites[i].region in SIX
    )


def _one_of(*names: str) -> Callable[[str, ReplicationSetup], bool]:
    return lambda name, _: name in names


def _places(*kinds: str) -> Callable[[str, ReplicationSetup], bool]:
    def known(name: str, bench: ReplicationSetup) -> bool:
        kind, *rest = name.split(".")
        regions = {row.region for row in bench.data.rows(ConstructionRow)}
        want = {"gap": 3, "incentive_part": 3, "place": 2, "build": 1, "building": 2}
        return (
            kind in kinds
            and len(rest) == want[kind]
            and set(rest[:2]) - {"2020"} <= regions
            and (len(rest) < 3 or rest[2].isdigit())
        )

    return known


def _hindcast_name(name: str, bench: ReplicationSetup) -> bool:
    kind, *rest = name.split(".")
    world = bench.world(HINDCAST)
    regions = {row.region for row in bench.data.rows(ConstructionRow)}
    if kind == "growth":
        return len(rest) == 1 and rest[0] in regions
    if kind == "order":
        return len(rest) > 2 and set(rest[1:]) <= regions
    from chipmodel.results.summary import Labels

    try:
        return not metrics.parse(name).problems(Labels.of(bench.data, world))
    except InputError:
        return False


EXPERIMENTS: dict[str, Experiment] = {
    "place_cost": Experiment(
        place_cost,
        _places("gap", "incentive_part", "place"),
        "gap.<REGION>.<REGION>.<year>, incentive_part.<REGION>.<REGION>.<year>, "
        "place.<REGION>.<REGION>",
    ),
    "build_time": Experiment(
        build_time,
        _places("build", "building"),
        "build.<REGION>, building.<REGION>.<REGION>",
    ),
    "hindcast": Experiment(
        hindcast,
        _hindcast_name,
        "a metric of a study, growth.<REGION>, order.<segment>.<REGION>.<REGION>",
    ),
    "hindcast_without": Experiment(
        hindcast_without, _hindcast_name, "a metric of a study"
    ),
    "ladder": Experiment(
        climb,
        _one_of(
            *(f"{kind}.{b}" for kind in ("fabs", "investment") for b in ladder.BUDGETS)
        ),
        "fabs.<bn>, investment.<bn> with 0, 20 or 50",
    ),
    "self_sufficiency": Experiment(
        self_sufficiency, _one_of("upfront", "price_rise"), "upfront, price_rise"
    ),
    "site_choice": Experiment(
        site_choice,
        _one_of("tariff_flips", "support_does_not"),
        "tariff_flips, support_does_not",
    ),
    "pass_through": Experiment(passed, _one_of("maker", "user"), "maker, user"),
    "leverage": Experiment(
        leverage, _one_of("gross", "additional"), "gross, additional"
    ),
}
"""Experiments by the name targets call them."""
