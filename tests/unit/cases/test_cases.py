"""The shipped cases and worlds: complete, and described by sentences that follow their
numbers.
"""

from __future__ import annotations

import tomllib
from functools import cache

import pytest

import chipmodel as cm
from chipmodel.cases.case import baseline_of, changed_case, list_cases
from chipmodel.cases.check import check_case
from chipmodel.cases.describe import names_of
from chipmodel.cases.diff import changed_lines, differences
from chipmodel.common.files import names_in
from chipmodel.model.parameters.build import build_parameters
from chipmodel.model.parameters.parameters import Parameters
from chipmodel.policies.base import Number
from chipmodel.policies.support import Support

DESIGN = (
    "no_policy",
    "current_law",
    "liberation_day_announced",
    "liberation_day_enacted",
    "section232_25",
    "section232_25_korea_parity",
    "section232_100",
    "section232_100_korea_parity",
    "china_legacy_301",
    "chips_withdrawn_korea",
    "chips_withdrawn_all",
    "credit_extended",
    "all_extended",
    "japan_domestic_first",
    "friendshore_60",
    "friendshore_80",
    "friendshore_95",
    "cjk_fta",
    "china_decoupling",
    "us_self_sufficient",
    "korea_japan_pushed_away",
)
WORLDS = (
    "central",
    "high_demand",
    "low_demand",
    "taiwan_disruption",
    "taiwan_blockade",
    "hindcast_2022",
)
CASES = list_cases(cm.load_dataset())
KINDS = sorted(
    k for k, c in cm.Policy.kinds.items() if c.__module__.startswith("chipmodel.")
)


@cache
def data() -> cm.Dataset:
    return cm.load_dataset()


@cache
def numbers() -> Parameters:
    return build_parameters(data(), cm.load_world("central", data()))


def example(kind: str) -> cm.Policy:
    return cm.Policy.kinds[kind].model_validate(
        tomllib.loads(cm.Policy.kinds[kind].example)
    )


# -- cases


def test_every_case_and_world_of_the_design_is_there():
    assert set(DESIGN) <= set(CASES)
    assert set(WORLDS) <= set(names_in(data().root / "worlds"))


@pytest.mark.parametrize("name", CASES)
def test_a_shipped_case_is_whole_and_differs_from_its_baseline(name):
    case = cm.load_case(name, data())
    check_case(case, numbers())
    assert len(case.title) <= 110
    assert len(case.summary.split()) >= 30
    assert case.as_of <= numbers().world.information_date
    parent = baseline_of(name, data())
    if parent is not None:
        assert case.digest != parent.digest
        lines = changed_lines(differences(parent, case, names_of(data())))
        assert lines
        assert max(map(len, lines)) <= 100


@pytest.mark.parametrize("name", CASES)
def test_an_assumption_in_a_note_of_a_case_has_a_range(name):
    for policy in cm.load_case(name, data()).policies:
        if "grade E" in policy.note:
            assert " to " in policy.note.partition("grade E")[2], policy.id


def test_what_is_not_law_is_not_in_current_law():
    law = cm.load_case("current_law", data())
    assert {p.id for p in law.policies if p.inactive} == {
        "s301_legacy"
    }  # in force, at a rate of zero
    assert all(p.source != "own" for p in law.policies)
    assert cm.load_case("liberation_day_enacted", data()).policy("lib_twn").inactive


LEGAL_ENDS = {
    # what comes on line later gets nothing
    "us_awards": 2034,
    "us_awards_intel": 2034,
    "us_awards_korea": 2034,
    "us_stake_intel": 2034,
    "us_stake_korea": 2034,
    "us_credit_25": 2025,
    "us_credit": 2036,
    "japan_awards": 2031,
    "korea_credit": 2029,
    "taiwan_credit": 2029,
    "europe_awards": 2032,
    "row_awards": 2030,
    # what is started later gets nothing
    "japan_programme": 2030,
    "china_fund": 2034,
}
"""Last year in which the law of June 2026 supports a fab, by instrument."""

PROPOSED_ENDS = {
    ("all_extended", "us_credit"): 2041,
    ("all_extended", "japan_programme"): 2040,
    ("all_extended", "china_fund"): 2040,
    ("credit_extended", "us_credit"): 2040,
    ("us_duty_and_credit", "us_credit"): 2045,
    ("japan_domestic_first", "japan_programme"): 2035,
}
"""Ends that a case moves, with its title or summary saying so."""


def supports(name: str) -> list[Support]:
    policies = cm.load_case(name, data()).policies
    return [policy for policy in policies if isinstance(policy, Support)]


@pytest.mark.parametrize("name", CASES)
def test_support_ends_when_its_law_does(name):
    """An end that only a case states is that of a proposal, never of the law."""
    law = cm.load_case(name, data()).status == "law"
    for policy in supports(name):
        end = LEGAL_ENDS[policy.id]
        if name == "all_extended" and policy.id != "us_credit_25":
            end = 2041
        end = PROPOSED_ENDS.get((name, policy.id), end)
        assert policy.years[1] == end, policy.id
        assert not law or end == LEGAL_ENDS[policy.id]


@pytest.mark.parametrize("name", CASES)
def test_no_build_is_supported_after_the_end(name):
    """Credits and awards end by the year of coming on line, open grants by the start.

    A credit with a deadline also ends ten years after the start of a project.
    """
    for policy in supports(name):
        last = policy.years[1]
        for site, start in policy.eligible(numbers()):
            on_line = int(site.ready[start])
            is_open = isinstance(policy, cm.CapexGrant) and policy.form == "open"
            assert (start if is_open else on_line) <= last, (policy.id, site.id)
            if policy.id == "us_credit":
                started = start if site.started is None else min(start, site.started)
                assert started <= policy.begin_by
                assert on_line <= started + 10


def test_all_extended_changes_nothing_but_the_ends_of_support():
    law, extended = (
        cm.load_case(name, data()) for name in ("current_law", "all_extended")
    )
    for before, after in zip(law.policies, extended.policies, strict=True):
        changed = {
            field
            for field in type(before).model_fields
            if getattr(before, field) != getattr(after, field)
        }
        assert changed <= {"years", "begin_by", "within", "note"}, before.id
        moves = isinstance(before, Support) and before.id != "us_credit_25"
        assert ("years" in changed) == moves, before.id


def test_fields_of_an_instrument_may_be_set_in_any_order():
    """A deadline and the end it must not pass move together."""
    law = cm.load_case("current_law", data())
    changes = {"us_credit.begin_by": 2040, "us_credit.years": [2026, 2041]}
    moved = changed_case(law, changes, "test")
    assert moved == changed_case(law, dict(reversed(changes.items())), "test")
    assert moved.policy("us_credit").years == (2026, 2041)


@pytest.mark.parametrize("world", ["taiwan_disruption", "taiwan_blockade"])
def test_a_disruption_comes_as_a_surprise_and_foreseen(world):
    surprise, foreseen = (
        cm.load_world(name, data()) for name in (world, f"{world}_foreseen")
    )
    assert all(
        event.known_from == surprise.event[0].years[0] for event in surprise.event
    )
    assert all(event.known_from is None for event in foreseen.event)
    plain = [event.model_copy(update={"known_from": None}) for event in surprise.event]
    assert tuple(plain) == foreseen.event
    unchanged = {
        k: v
        for k, v in surprise.model_dump().items()
        if k not in ("name", "title", "summary", "event")
    }
    central = cm.load_world("central", data()).model_dump()
    assert unchanged == {k: central[k] for k in unchanged}


# -- sentences of instruments


@pytest.mark.parametrize("kind", KINDS)
def test_the_example_of_an_instrument_fits_the_shipped_data(kind):
    policy = example(kind)
    assert policy.problems(numbers()) == []
    assert not policy.inactive


@pytest.mark.parametrize("kind", KINDS)
def test_the_sentence_of_an_instrument_follows_its_numbers(kind):
    policy = example(kind)
    sentence = policy.sentence(names_of(data()))
    assert sentence[0].isupper()
    assert sentence.endswith(".")
    numbered = [
        name
        for name, info in type(policy).model_fields.items()
        if any(isinstance(mark, Number) for mark in info.metadata)
        and name in policy.model_fields_set
    ]
    changed = {name: 0.5 * getattr(policy, name) for name in numbered} | {
        "years": (2033, 2034),
        "known_from": 2026,
    }
    for name, value in changed.items():
        other = policy.model_copy(update={name: value})
        assert other.sentence(names_of(data())) != sentence, name


def test_an_instrument_from_outside_lists_its_fields():
    class Plain(cm.Policy):
        kind = "plain_levy"
        law = "A levy."

        fee: float

    try:
        plain = Plain(id="x", fee=3.0, years=(2027, 2027), source="own")
        assert plain.sentence() == "Plain_levy: fee 3.0, in 2027."
    finally:
        cm.Policy.kinds.pop("plain_levy")
