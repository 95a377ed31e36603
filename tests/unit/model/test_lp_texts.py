"""The LP text of shipped cases is what it was; `.ci/full` compares all of them."""

from __future__ import annotations

import lp_texts
import pytest

import chipmodel as cm
from chipmodel.cases.case import list_cases

SOME = [
    ("current_law", "central"),
    ("section232_100", "central"),
    ("current_law", "taiwan_blockade"),
]


@pytest.mark.parametrize(("case", "world"), SOME)
def test_the_lp_text_equals_the_golden_one(case: str, world: str) -> None:
    golden = lp_texts.golden_digests()
    assert lp_texts.digest_of(cm.load_dataset(), case, world) == golden[case, world]


def test_every_shipped_case_has_a_golden_lp_text() -> None:
    in_central = {
        case for case, world in lp_texts.golden_digests() if world == "central"
    }
    assert in_central == set(list_cases(cm.load_dataset()))
