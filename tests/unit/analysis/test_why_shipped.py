"""Why cases over the shipped data have no solution: the page's example and others."""

from __future__ import annotations

import json
import os
import re
from functools import cache
from pathlib import Path

import pytest
from helpers import case_of, world_of
from why import SOFT, assert_explained, ban, floor, mandate, rule

import chipmodel as cm
from chipmodel import Policy, explain_infeasible
from chipmodel.cli import main
from chipmodel.policies.concentration_cap import ConcentrationCap
from chipmodel.policies.guardrail import Guardrail
from chipmodel.policies.import_quota import ImportQuota

EVERY_CASE = "CHIPMODEL_EVERY_CASE"
"""Set in the environment to explain all cases, about half a minute each."""


@cache
def shipped() -> cm.Dataset:
    return cm.load_dataset()


LEADING = "logic_lt10"
PAGE = Path(__file__).resolve().parents[3] / "docs" / "why.md"


def test_the_example_of_the_page_is_what_the_command_prints(
    tmp_path, monkeypatch, capsys
):
    """If the data have changed, paste the output into docs/why.md."""
    case, text = re.findall(
        r"^```(?:toml|text)\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL
    )
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mandate_2028.toml").write_text(case)
    assert main.main(["why", "mandate_2028.toml"]) == 0
    printed = capsys.readouterr().out
    assert printed == text
    for culprit in ("us_mandate: mandate", "sizes of announced sites", "lead times"):
        assert culprit in printed


REAL: dict[str, tuple[list[Policy], set[str], set[str]]] = {
    # With the page's example, ten.
    "commitments under way against an embargo on tools": (
        [ban("EUR", "USA", "euv_tools", (2026, 2041))],
        {
            "ban: banned",
            "fabs already under construction",
            "pace of replacing withheld input: EUV scanners",
        },
        {"ban: banned"},
    ),
    "a mandate larger than all sites": (
        [mandate("USA", LEADING, 3000, (2030, 2035))],
        {"mandate: mandate", "sizes of announced sites", "supply: EUV scanners"},
        {"mandate: mandate"},
    ),
    "a mandate and an embargo on the only supplier of tools": (
        [
            mandate("USA", LEADING, 300, (2033, 2033)),
            ban("EUR", "USA", "euv_tools", (2026, 2041)),
        ],
        {"mandate: mandate", "ban: banned"},
        {"mandate: mandate", "ban: banned"},
    ),
    "two mandates on one supply of tools": (
        [
            mandate("USA", LEADING, 500, (2030, 2030), "american"),
            mandate("KOR", LEADING, 600, (2030, 2030), "korean"),
        ],
        {"american: mandate", "korean: mandate", "supply: EUV scanners"},
        {"american: mandate", "korean: mandate"},
    ),
    "a domestic floor above what sites allow": (
        [floor("USA", "dram", ("USA",), (2028, 2028), min_served=0.9)],
        {"floor: floor", "floor: min served", "capacity of fabs"},
        {"floor: floor", "floor: min served"},
    ),
    "a guardrail against a mandate on the same firm": (
        [
            rule(
                Guardrail,
                "rail",
                (2026, 2041),
                region="USA",
                firms=("tsmc",),
                countries=("TWN",),
                share=0.05,
            ),
            mandate("TWN", LEADING, 600, (2035, 2035)),
        ],
        {"rail: growth", "mandate: mandate"},
        {"rail: growth", "mandate: mandate"},
    ),
    "a friendshoring floor that no ally can fill": (
        [floor("USA", "nand", ("USA", "TWN"), (2027, 2027), share=1.0, min_served=0.9)],
        {"floor: floor", "floor: min served"},
        {"floor: floor", "floor: min served"},
    ),
    "a concentration cap below one over the number of origins": (
        [
            rule(
                ConcentrationCap,
                "cap",
                (2030, 2030),
                market="USA",
                share=0.1,
                on="use",
                min_served=0.9,
                origins=("USA", "JPN", "KOR", "TWN", "CHN", "EUR", "ROW"),
                segments=(LEADING,),
            )
        ],
        {"cap: cap", "cap: min served"},
        {"cap: cap", "cap: min served"},
    ),
    "a quota on imports against a quantity to be served": (
        [
            rule(
                ImportQuota,
                "quota",
                (2027, 2027),
                importer="USA",
                quota=20,
                rent_to="treasury",
                on="use",
                segments=("dram",),
            ),
            floor(
                "USA",
                "dram",
                ("USA", "KOR", "JPN", "TWN"),
                (2027, 2027),
                share=0.5,
                min_served=0.9,
            ),
        ],
        {"quota: quota", "floor: min served"},
        {"quota: quota", "floor: min served"},
    ),
}

UNCOMMITTED = "a mandate and an embargo on the only supplier of tools"
"""Commitments need tools too: with them the embargo alone would be impossible."""
QUICK = "commitments under way against an embargo on tools"


@pytest.mark.parametrize("name", list(REAL))
def test_cases_over_the_shipped_data(name):
    if name != QUICK and not os.environ.get(EVERY_CASE):
        pytest.skip(
            f"set {EVERY_CASE} to explain it over the shipped data; the two-region data"
            " have its like"
        )
    policies, members, helps = REAL[name]
    world = world_of(shipped(), committed=0.0 if name == UNCOMMITTED else 1.0)
    found = assert_explained(shipped(), case_of(*policies), members, helps, world)
    assert json.dumps(found.plain())


@pytest.mark.parametrize(
    "rules",
    [
        [floor("USA", "nand", ("USA",), (2028, 2035), share=1.0, **SOFT)],
        [
            floor("USA", LEADING, ("USA",), (2028, 2035), share=0.8, **SOFT),
            rule(
                ConcentrationCap,
                "cap",
                (2028, 2035),
                market="USA",
                origins=("USA",),
                share=0.5,
                on="use",
                segments=(LEADING,),
                **SOFT,
            ),
        ],
    ],
    ids=["a floor nobody can fill", "two floors that clash"],
)
def test_two_cases_over_the_shipped_data_without_a_contradiction(rules):
    if not os.environ.get(EVERY_CASE):
        pytest.skip(
            f"set {EVERY_CASE} to solve them over the shipped data; the two-region data"
            " have their like"
        )
    found = explain_infeasible(shipped(), case_of(*rules))
    assert found.status == "optimal"
    assert {f.region for f in found.binding.falls[:1]} == {"USA"}
    assert found.binding.falls[0].average > 0.1
