"""The page of the report in a browser, at the width of a phone and of a screen."""

from __future__ import annotations

import helpers
import pytest
from browser import MISSING, Browser

pytestmark = pytest.mark.skipif(bool(MISSING), reason=MISSING)

WIDTHS = ((390, 844), (1440, 1000))
OVERFLOW = """
  const scrolls = (element) => {
    for (let outer = element.parentElement; outer; outer = outer.parentElement)
      if (["auto", "scroll"].includes(getComputedStyle(outer).overflowX)) return true;
    return false;
  };
  const tooWide = (element) =>
    !scrolls(element) && !element.closest(".skip")
    && element.getBoundingClientRect().right > innerWidth + 0.5;
  const elements = [...document.body.querySelectorAll("*")].filter(tooWide);
  return elements.map((element) => element.outerHTML.slice(0, 80));
"""
COLUMN = """
  const table = document.querySelectorAll("table.sorts")[arguments[0]];
  const cells = [...table.tBodies[0].rows].map((row) => row.cells[arguments[1]]);
  return cells.map((cell) => cell.dataset.v ?? cell.textContent);
"""
CLICK = """
  const table = document.querySelectorAll("table.sorts")[arguments[0]];
  table.tHead.rows[0].cells[arguments[1]].firstChild.click();
"""
CHOOSE = """
  const control = document.getElementById(arguments[0]);
  control.value = arguments[1];
  control.dispatchEvent(new Event("input", { bubbles: true }));
"""
DRAWN_TO_WIDTH = """
  return ["chart-years", "chart-shares"].every((id) => {
    const holder = document.getElementById(id);
    const drawn = holder.firstChild.viewBox.baseVal.width;
    return drawn === Math.max(240, holder.clientWidth);
  });
"""
"""Whether the charts, which are drawn again after a change of size, fit the page."""
DRAWN = (
    'return [document.getElementById("chart-years").innerHTML,'
    ' document.getElementById("chart-shares").innerHTML];'
)


@pytest.fixture(scope="module")
def browser():
    with Browser() as found:
        yield found


@pytest.fixture
def page(browser, reported):
    browser.complaints()
    browser.requested()
    browser.size(*WIDTHS[1])
    browser.open(reported[1].page)
    yield browser
    assert browser.complaints() == []


def test_it_opens_from_disk_and_asks_the_network_for_nothing(page, reported):
    asked = [url for url in page.requested() if not url.startswith("data:")]
    assert asked == [reported[1].page.resolve().as_uri()]
    assert (
        page.run("return document.querySelectorAll('section').length")
        == len(reported[1].parts) + 4
    )


def test_its_policy_forbids_scripts_and_requests_of_others(page):
    tried = """
      const made = document.createElement("script");
      made.textContent = "window.ran = true";
      document.head.append(made);
      return typeof window.ran;
    """
    assert page.run(tried) == "undefined"
    assert any("Content Security Policy" in line for line in page.complaints())


def test_every_figure_is_drawn_and_described(page, reported):
    images = page.run(
        "return [...document.images].map((i) => [i.complete, i.naturalWidth, i.alt])"
    )
    assert (
        len(images)
        == sum(len(part.about["figures"]) for part in reported[1].parts)
        >= 4
    )
    assert all(
        complete and wide > 100 and len(alt) > 20 for complete, wide, alt in images
    )
    assert page.run(
        "return document.querySelectorAll('figure details table').length"
    ) == len(images)
    assert all("<polygon" in html or "<rect" in html for html in page.run(DRAWN))


@pytest.mark.parametrize(
    ("choice", "value"),
    [("choose-case", "1"), ("choose-year", "0"), ("choose-segment", "1")],
)
def test_a_choice_changes_the_figure(page, choice, value):
    before = page.run(DRAWN)
    page.run(CHOOSE, choice, value)
    after = page.run(DRAWN)
    assert before[0] != after[0]
    assert before[1] != after[1]


def test_the_figure_shows_the_numbers_of_the_table(page, reported):
    frame = reported[1].parts[0].table("capacity")
    page.run(CHOOSE, "choose-case", "1")
    page.run(CHOOSE, "choose-segment", "-1")
    there = frame[(frame["case"] == "tariff") & (frame["year"] == frame["year"].max())]
    share = (
        100 * there.loc[there["region"] == "AAA", "value"].sum() / there["value"].sum()
    )
    labels = page.run(
        "return [...document.querySelectorAll('#chart-shares text')].map((t) =>"
        " t.textContent)"
    )
    assert any(text.startswith(f"{share:.1f}%") for text in labels)


def test_hovering_shows_the_value(page):
    page.run("""
      const bar = document.querySelector("#chart-shares rect");
      const box = bar.getBoundingClientRect();
      const place = { clientX: box.left + 2, clientY: box.top + 2 };
      bar.dispatchEvent(new PointerEvent("pointermove", place));
    """)
    hidden, text = page.run(
        "const tip = document.getElementById('tip'); return [tip.hidden,"
        " tip.textContent]"
    )
    assert hidden is False
    assert helpers.ODD in text
    assert "kwpm" in text


def test_tables_sort_by_number_and_by_word(page):
    number = page.run("""
      const table = document.querySelectorAll("table.sorts")[0];
      const heads = [...table.tHead.rows[0].cells];
      return heads.findIndex((cell) => cell.classList.contains("n"));
    """)
    page.run(CLICK, 0, number)
    rising = [float(x) for x in page.run(COLUMN, 0, number) if x]
    assert rising == sorted(rising)
    assert len(set(rising)) > 1
    page.run(CLICK, 0, number)
    assert [float(x) for x in page.run(COLUMN, 0, number) if x] == rising[::-1]
    page.run(CLICK, 0, 0)
    words = page.run(COLUMN, 0, 0)
    assert words == sorted(words, key=str.lower)


def test_the_dials_meet_the_grid_and_lie_between_its_points(page, reported):
    frame = next(part for part in reported[1].parts if part.name == "what_if").table(
        "grid"
    )
    first, second, name = frame.columns[:3]
    known = frame.set_index([first, second])[name]

    def at(a: float, b: float) -> float:
        page.run(CHOOSE, "dial-0", str(a))
        page.run(CHOOSE, "dial-1", str(b))
        return float(
            page.run(
                "const number = document.getElementById('dial-number-0');"
                " return number.textContent.replaceAll(',', '');"
            )
        )

    top, side = frame[first].max(), frame[second].max()
    assert at(top, side) == pytest.approx(known[top, side], rel=5e-3)
    assert at(0, 0) == pytest.approx(known[0, 0], rel=5e-3)
    steps = sorted(frame[first].unique())
    half = round((steps[0] + steps[1]) / 2)
    weight = half / steps[1]
    assert at(half, 0) == pytest.approx(
        (1 - weight) * known[0, 0] + weight * known[steps[1], 0], rel=5e-3
    )


@pytest.mark.parametrize(("wide", "high"), WIDTHS)
@pytest.mark.parametrize("dark", [False, True])
def test_nothing_is_wider_than_the_page(page, reported, wide, high, dark, tmp_path):
    page.size(wide, high, dark)
    page.open(reported[1].page)
    page.wait_until(DRAWN_TO_WIDTH)
    assert page.run("return [innerWidth, document.documentElement.scrollWidth]") == [
        wide,
        wide,
    ]
    assert page.run(OVERFLOW) == []
    ground = page.run("return getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, ground[4:-1].split(","))) < 200) is dark
    page.screenshot(tmp_path / "page.png")
    assert (tmp_path / "page.png").stat().st_size > 10_000


def test_names_are_text_and_not_markup(page, reported):
    assert page.run("return document.querySelectorAll('main i').length") == 0
    assert helpers.ODD in page.run("return document.body.innerText")
