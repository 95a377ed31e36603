"""Studies: checked before anything is solved, the same bytes for any processes."""

from __future__ import annotations

import io
import pickle
import re
from dataclasses import replace

import pandas as pd
import pytest
from helpers import case_of, copy_two, near

import chipmodel as cm
from chipmodel.cases.case import load_case
from chipmodel.cli.main import main
from chipmodel.common.progress import Clock, Progress, Step
from chipmodel.common.tables import table_csv
from chipmodel.common.text import percent
from chipmodel.common.toml import toml_text
from chipmodel.display import figures, style
from chipmodel.display.findings import findings, sentences
from chipmodel.display.tables import comparison_text
from chipmodel.results.metrics import evaluate
from chipmodel.results.passthrough import pass_through
from chipmodel.results.summary import Summary
from chipmodel.studies import definition
from chipmodel.studies.definition import Span, Study
from chipmodel.studies.plan import list_studies, load_study, plan
from chipmodel.studies.run import run_study

METRICS = (
    "share.capacity.*.chip.LAST",
    "cost.buyers.AAA",
    "outlay.*",
    "revenue.AAA",
    "hhi.chip.2028",
    "objective",
)
FIGURES = tuple(figures.FIGURES)


def study_of(**fields):
    given = {
        "name": "small",
        "title": "A small study",
        "cases": ("no_policy", "tariff"),
        "reference": "no_policy",
        "metrics": METRICS,
    }
    return Study.model_validate({**given, **fields})


@pytest.fixture(scope="module")
def full(two, tmp_path_factory):
    """A study with everything in it, run in this process."""
    out = tmp_path_factory.mktemp("one")
    study = study_of(
        cases=("no_policy", "tariff", "floor"),
        keep="tables",
        figures=FIGURES,
        variant=[
            {
                "name": "uncommitted",
                "world": {"committed": 0.0},
                "cases": ("no_policy", "tariff"),
            }
        ],
    )
    return run_study(study, two, out), out / "small"


def test_the_table_is_long_and_each_case_is_against_the_reference_of_its_world(full):
    result, _ = full
    assert list(result.summaries) == [
        "no_policy--central",
        "tariff--central",
        "floor--central",
        "no_policy--central_uncommitted",
        "tariff--central_uncommitted",
    ]
    table = result.table
    assert list(table.columns) == [
        "metric",
        "unit",
        "case",
        "world",
        "value",
        "difference",
    ]
    rows = table[table["metric"] == "objective"].set_index(["case", "world"])
    for world in ("central", "central_uncommitted"):
        gap = (
            rows.loc[("tariff", world), "value"]
            - rows.loc[("no_policy", world), "value"]
        )
        assert near(rows.loc[("tariff", world), "difference"], gap)
    assert result.summaries["tariff--central_uncommitted"].world.committed == 0.0
    assert set(result.solutions) == set(result.summaries)


def test_the_wide_table_has_a_row_a_metric(full):
    result, _ = full
    wide = result.wide
    assert wide["metric"].is_unique
    assert list(wide.columns[:4]) == ["metric", "meaning", "unit", "no_policy--central"]
    assert "difference tariff--central" in wide.columns
    floor = wide.set_index("metric")["floor--central"]
    assert floor.notna().all()


def test_what_is_written_is_listed_and_whole(full):
    result, folder = full
    names = {path.name for path in result.written}
    assert {
        "comparison.csv",
        "comparison_wide.csv",
        "finding.txt",
        "finding.csv",
    } <= names
    assert {f"{f}.{kind}" for f in FIGURES for kind in ("png", "svg", "csv")} <= names
    assert (
        sum(
            path.is_dir() and (path / "capacity.csv").is_file()
            for path in folder.iterdir()
        )
        == 5
    )
    assert all(path.exists() for path in result.written)
    assert (folder / "comparison.csv").read_text() == table_csv(result.table)


def test_two_processes_write_the_same_bytes(full, two, tmp_path):
    result, folder = full
    shared = run_study(result.study, two, tmp_path, jobs=2)
    assert shared.solutions == {}
    assert _files(tmp_path / "small") == _files(folder)
    assert shared.text() == result.text()


def test_the_text_fits_110_columns(full):
    result, _ = full
    text = result.text()
    assert max(map(len, text.splitlines())) <= 110
    assert "Share of world capacity, Logic chips, 2028, %" in text
    assert "Aland" in text


def test_many_cases_are_shown_in_blocks_with_the_reference(full):
    result, _ = full
    summary = result.summaries["no_policy--central"]
    table = result.table[result.table["world"] == "central"].copy()
    more = [
        table[table["case"] == "tariff"].assign(case=f"case_number_{i}")
        for i in range(9)
    ]
    text = comparison_text(pd.concat([table, *more]), {"x": summary}, "no_policy")
    assert max(map(len, text.splitlines())) <= 110
    assert text.count("World central; changes are against no_policy") == 3


# -- findings


def test_the_finding_of_a_duty_is_read_off_the_numbers(full):
    result, _ = full
    own = result.summaries["tariff--central"]
    base = result.summaries["no_policy--central"]
    duty = own.case.policy("duty")
    through = pass_through(own, base, duty)
    share = through.total(through.maker)
    message = next(s for s in result.finding if s.startswith("Tariff"))
    assert "in the model" in message
    assert f"by {percent(abs(share))} of the duty a wafer" in message
    key = ("AAA", "chip", 2027)
    rise = own.maker_price[key] - base.maker_price[key]
    assert rise > 0
    assert 0 < through.maker["chip"] <= 1.0 + 1e-6


def test_the_wording_of_a_finding_follows_the_sign(full):
    result, _ = full
    own = result.summaries["tariff--central"]
    base = result.summaries["no_policy--central"]
    cheaper = replace(
        own,
        maker_price={
            k: 2 * base.maker_price[k] - v for k, v in own.maker_price.items()
        },
        surplus={k: v + 5e6 for k, v in own.surplus.items()},
    )
    message = sentences([(cheaper, base)])[0]
    assert "lowers the price makers of devices there pay" in message
    assert "Users in Aland gain USD" in message


def test_the_finding_of_a_floor_states_its_dual(full):
    result, _ = full
    own = result.summaries["floor--central"]
    message = next(s for s in result.finding if s.startswith("Friendshoring"))
    worth = [
        v
        for (policy, s, _), v in own.floors.items()
        if policy == "trust" and s == "chip"
    ]
    if sum(worth) / len(worth) > 0.5:
        assert f"USD {sum(worth) / len(worth):,.0f} in logic chips" in message
    else:
        assert "binds nowhere" in message


def test_the_finding_of_support_withdrawn_states_both_worlds(two):
    study = study_of(
        cases=("grant", "no_policy"),
        reference="grant",
        variant=[{"name": "uncommitted", "world": {"committed": 0.0}}],
    )
    message = run_study(study, two).finding
    assert len(message) == 1
    assert message[0].startswith(
        "Support: in the model, capacity in Aland in 2028 without that support"
    )
    assert "with commitments as they are, it is" in message[0]
    assert "with no announced project committed, it is" in message[0]
    assert "The treasury saves USD" in message[0]


def test_a_case_of_several_instruments_gives_none_of_them_its_effect(two):
    base, floor = load_case("no_policy", two), load_case("floor", two).policy("trust")
    duty = load_case("tariff", two).policy("duty")
    message = _found(two, base, duty, floor)
    assert message.statement == "case.test_case"
    assert (
        "the case adds the 25% duty on bare chips in Aland (duty) and the floor of 50%"
        in message.text
    )
    assert "pass-through" not in " ".join(row[1] for row in message.numbers)
    assert "of the duty" not in message.text
    assert len(message.numbers) == len(set(message.numbers))
    changed = duty.model_copy(update={"rate": 0.1})
    known = case_of(changed, name="before")
    more = _found(two, known, duty, floor)
    assert "adds the floor" in more.text
    assert "changes duty" in more.text


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"rate": 0.125}, "the 12.5% duty"),
        (
            {"years": (2029, 2030)},
            "comes into force only in 2029, after the years reported (2025 to 2028)",
        ),
        ({"origin_rule": "assembly"}, "no pass-through is given"),
        ({"on": "use"}, "no pass-through is given"),
        (
            {"exempt": ("BBB",)},
            "nothing dutiable is bought in Aland in no_policy either",
        ),
        ({"rate": 9.0}, "no dutiable chip is bought in Aland any more"),
    ],
)
def test_the_finding_of_a_duty_states_what_it_is_about(two, fields, message):
    duty = load_case("tariff", two).policy("duty").model_copy(update=fields)
    found = _found(two, load_case("no_policy", two), duty)
    assert message in found.text
    assert "nobody retaliates in the model" in found.text
    pass_through = any(row[1].startswith("pass-through") for row in found.numbers)
    assert (
        pass_through
        == ("where dutiable chips are still bought" in found.text)
        == ("12.5" in message)
    )


def test_a_floor_in_force_after_the_report_reports_it(two):
    floor = (
        load_case("floor", two)
        .policy("trust")
        .model_copy(update={"years": (2029, 2030)})
    )
    found = _found(two, load_case("no_policy", two), floor)
    assert (
        "comes into force only in 2029, after the years reported (2025 to 2028)."
        in found.text
    )


def test_every_number_of_a_finding_is_in_its_table(full):
    result, folder = full
    table = result.finding_table
    assert list(table.columns) == [
        "statement",
        "world",
        "quantity",
        "segment",
        "value",
        "unit",
    ]
    assert (folder / "finding.csv").read_text() == table_csv(table)
    rows = table.set_index(["statement", "quantity", "segment"])["value"]
    own = result.summaries["tariff--central"]
    base = result.summaries["no_policy--central"]
    through = pass_through(own, base, own.case.policy("duty"))
    assert (
        rows["tariff.tariff.duty", "pass-through at user", "chip"]
        == through.user["chip"]
    )
    assert rows["tariff.tariff.duty", "welfare.all", "all"] == evaluate(
        "welfare.all", own, base
    )
    assert rows["floor.floor.trust", "dual of trust, in 2028", "chip"] > 0


def test_headings_state_what_the_money_is(full):
    result, _ = full
    text = result.text()
    assert (
        "Buyers' cost at user (loss of surplus), present value 2025-2030, USD bn"
        in text
    )
    assert "Support paid, cash 2025-2028, USD bn" in text
    assert "Tariff revenue, undiscounted 2025-2028, USD bn" in text


def _found(two, base, *policies):
    world = cm.load_world("central", two)
    own, reference = (
        Summary.of(cm.run(two, case, world)) for case in (case_of(*policies), base)
    )
    return findings([(own, reference)])[0]


def test_the_names_of_figures_are_those_that_are_drawn():
    assert definition.FIGURE_NAMES == FIGURES


# -- checks before solving


def test_every_problem_of_a_study_is_reported_at_once(two, tmp_path):
    path = tmp_path / "wrong.toml"
    path.write_text(
        'title = "Wrong"\ncases = ["no_policy", "tarif"]\nworlds = ["central",'
        ' "middle"]\nreference = "no_policy"\nmetrics ='
        ' ["share.capacity.AAA.chip.2090", "nothing.at.all"]\nfigures ='
        ' ["who_pay"]\n[[variant]]\nname = "odd"\nworld = { commited = 0.0'
        ' }\n[grid]\n"duti.rate" = [0.1]\n'
    )
    with pytest.raises(cm.InputError) as caught:
        load_study(str(path), two)
    text = str(caught.value)
    for message in (
        "did you mean tariff",
        "no such world",
        "unknown year '2090'",
        "nothing.at.all",
        "who_pays",
        "commited",
        "no case has a policy 'duti'",
    ):
        assert message in text, message


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"reference": "floor"}, "not one of the cases"),
        ({"reference": None}, "give the study a reference"),
        ({"cases": ("tariff", "no_policy", "tariff")}, "appears twice"),
        (
            {
                "cases": ("tariff", "n\u043e_policy"),
                "reference": "tariff",
                "variant": [
                    {
                        "name": "freed",
                        "world": {"committed": 0.0},
                        "cases": ["tariff", "no_policy"],
                    }
                ],
            },
            r"U\+043E CYRILLIC SMALL LETTER O",
        ),
        ({"colour": "blue"}, "unknown key"),
        (
            {"metrics": ["certificate.price.duty.2028"]},
            "no case has a capacity-linked quota 'duty'",
        ),
        ({"metrics": ["certificate.income.terms.nobody"]}, "unknown firm 'nobody'"),
        ({"grid": {"duty.importer": [1.0]}}, "has no number 'importer'"),
        ({"grid": {"duty.rate": [0.1, 0.1]}}, "repeats one"),
        ({"grid": {"duty.rate": [-1.0]}}, "greater than or equal to 0"),
        (
            {"grid": {"duty.rate": {"from": 0, "to": 1, "steps": 1}}},
            "greater than or equal to 2",
        ),
        (
            {
                "variant": [
                    {"name": "a", "world": {"committed": 0.0}, "cases": ["tariff"]}
                ]
            },
            "must hold the reference",
        ),
        (
            {"variant": [{"name": "a", "world": {"committed": 7.0}}]},
            "less than or equal to 1",
        ),
    ],
)
def test_a_wrong_study_is_refused(two, tmp_path, fields, message):
    path = tmp_path / "small.toml"
    body = {
        "title": "x",
        "cases": ["no_policy", "tariff"],
        "reference": "no_policy",
        "metrics": list(METRICS),
    }
    body = {k: v for k, v in {**body, **fields}.items() if v is not None}
    path.write_text(
        toml_text({k: list(v) if isinstance(v, tuple) else v for k, v in body.items()})
    )
    with pytest.raises(cm.InputError, match=message):
        load_study(str(path), two)


def test_a_case_that_does_not_fit_is_refused_before_solving(two, monkeypatch):
    monkeypatch.setattr(
        "chipmodel.studies.run.solve_in_passes", lambda *_: pytest.fail("solved")
    )
    study = study_of(cases=("grant", "no_policy"), grid={"programme.rate": [0.1, 0.99]})
    with pytest.raises(cm.InputError, match="together pay"):
        run_study(study, two)


def test_a_large_grid_must_be_asked_for(two, monkeypatch):
    monkeypatch.setattr("chipmodel.studies.plan.MOST_CELLS", 2)
    study = study_of(grid={"duty.rate": [0.1, 0.2]})
    with pytest.raises(cm.InputError, match="makes up to 4 cells"):
        run_study(study, two)
    assert run_study(study, two, yes=True).table["case"].nunique() == 3


# -- grids


def test_a_grid_varies_numbers_and_leaves_the_reference_as_it_is(two):
    study = study_of(
        cases=("tariff",), reference="tariff", grid={"duty.rate": [0.0, 0.25]}
    )
    result = run_study(study, two)
    assert list(result.summaries) == ["tariff--central"]
    assert list(result.table["case"].unique()) == [
        "tariff",
        "tariff[duty.rate=0]",
        "tariff[duty.rate=0.25]",
    ]
    assert list(result.table.columns)[4] == "duty.rate"
    rows = result.table[result.table["metric"] == "objective"].set_index("case")
    free = cm.run(two, "no_policy").objective
    assert abs(rows.loc["tariff[duty.rate=0.25]", "difference"]) <= 1e-9 * abs(free)
    assert rows.loc["tariff[duty.rate=0]", "value"] == pytest.approx(free, rel=1e-8)
    assert result.finding == ()
    assert "tariff[duty.rate=0.25]" in table_csv(result.table)


def test_cases_without_the_number_are_solved_once(two):
    cells = plan(study_of(grid={"duty.rate": [0.1, 0.2]}), two).cells
    assert [cell.name for cell in cells] == [
        "no_policy--central",
        "tariff[duty.rate=0.1]--central",
        "tariff[duty.rate=0.2]--central",
    ]
    assert {cell.reference for cell in cells} == {"no_policy--central"}


def test_a_span_is_even_and_holds_both_ends():
    assert Span.model_validate({"from": 0, "to": 80, "steps": 5}).numbers == (
        0,
        20,
        40,
        60,
        80,
    )


# -- progress, errors, figures


def test_progress_is_reported_step_by_step(two):
    steps = []
    run_study(study_of(), two, on_progress=steps.append)
    assert [s.done for s in steps] == [0, 1, 2]
    assert steps[0].seconds_left is None
    assert steps[-1].what == "tariff in central"
    assert steps[-1].seconds_left == 0


def test_progress_is_a_bar_on_a_terminal_and_lines_in_a_log():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    log, screen = io.StringIO(), Terminal()
    for stream in (log, screen):
        with Progress(stream) as show:
            clock = Clock(2, show)
            clock.begin()
            clock.step("a in b")
            show(Step(2, 2, "c in d", 0.0))
    lines = log.getvalue().splitlines()
    assert len(lines) == 2
    assert lines[1] == "done 2 of 2: c in d"
    assert screen.getvalue().count("\r") == 3
    assert "[########################]" in screen.getvalue()
    assert screen.getvalue().endswith("\n")


def test_errors_survive_the_way_between_processes():
    wrong = cm.InputError([cm.Problem("a.csv", "line 2", "is wrong", "fix it")])
    assert pickle.loads(pickle.dumps(wrong)).problems == wrong.problems
    none = pickle.loads(pickle.dumps(cm.NoOptimum("infeasible", "no optimal solution")))
    assert (none.status, str(none)) == ("infeasible", "no optimal solution")


def test_a_cell_without_optimum_is_named(two, monkeypatch):
    def refuse(case, parameters):
        raise cm.NoOptimum("infeasible", "no optimal solution")

    monkeypatch.setattr("chipmodel.studies.run.solve_in_passes", refuse)
    with pytest.raises(cm.NoOptimum, match="no_policy in central: no optimal solution"):
        run_study(study_of(), two)


def test_a_study_without_a_solution_states_which_command_explains_it(tmp_path, capsys):
    data = copy_two(tmp_path / "data")
    floors = "".join(
        f'[[policy]]\nkind = "origin_floor"\nid = "{name}"\nmarket ='
        f' "{region}"\ntrusted = ["{region}"]\nshare = 1.0\non = "use"\nmin_served ='
        ' 1.0\nyears = [2025, 2030]\nsource = "own"\n'
        for name, region in (("floor_aaa", "AAA"), ("floor_bbb", "BBB"))
    )
    (data / "cases" / "hard.toml").write_text(
        'title = "Hard"\nbaseline = "tariff"\nstatus = "hypothetical"\n'
        f'as_of = "2026-06-30"\nsummary = "Both."\n{floors}'
    )
    for body, command in (
        ('cases = ["hard"]', f"`chipmodel why hard --data {data}`"),
        ('cases = ["hard"]\n[grid]\n"duty.rate" = [0.1, 0.2]', None),
    ):
        (tmp_path / "study.toml").write_text(
            f'title = "t"\nmetrics = ["objective"]\n{body}\n'
        )
        given = [
            "study",
            str(tmp_path / "study.toml"),
            "--data",
            str(data),
            "--out",
            str(tmp_path / "out"),
        ]
        assert main(given) == 1
        message = capsys.readouterr().err
        assert re.match(
            r"error: hard(\[duty\.rate=0\.1\])? in central: no optimal solution",
            message,
        )
        assert ("chipmodel why" in message) == (command is not None), (
            "a point of a sweep has no file to ask for"
        )
        assert command is None or command in message
        assert not list(tmp_path.glob("out/**/*.csv")), (
            "what has no solution yields no tables"
        )
    assert main(["why", "hard", "--data", str(data)]) == 0
    assert "floor_aaa" in capsys.readouterr().out


def test_without_matplotlib_the_study_runs_and_reports_it(full, monkeypatch):
    result, _ = full
    monkeypatch.setattr(figures, "drawable", lambda: False)
    content, notes = figures.draw_all(
        FIGURES, list(result.summaries.values()), "no_policy"
    )
    assert all(name.endswith(".csv") for name in content)
    assert notes == ("the figures need matplotlib: pip install chipmodel[plot]",)


def test_figures_carry_no_date_and_no_version(full):
    _, folder = full
    for name in FIGURES:
        svg = (folder / f"{name}.svg").read_text()
        assert "<dc:date>" not in svg
        assert b"Software" not in (folder / f"{name}.png").read_bytes()


def test_a_dollar_is_no_formula_and_regions_keep_their_colour():
    assert style.plain("US$ 5") == "US$ 5"
    assert style.colours(["USA", "AAA", "JPN"])["JPN"] == style.REGION_COLOURS["JPN"]
    assert len(set(style.colours(["AAA", "BBB", "CCC"]).values())) == 3


def test_the_shipped_studies_are_sound():
    data = cm.load_dataset()
    assert "headline" in list_studies(data)
    for name in list_studies(data):
        study = load_study(name, data)
        assert len(plan(study, data).cells) >= len(study.cases)
    assert load_case("current_law", data).name in load_study("headline", data).cases


def _files(folder):
    found = sorted(
        p for p in folder.rglob("*") if p.is_file() and p.name != "manifest.json"
    )
    return {str(p.relative_to(folder)): p.read_bytes() for p in found}
