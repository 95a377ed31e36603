"""Ways to corrupt a table; see `mutations`."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

from mutations import SHEETS, Change, File, Made, csv_bytes, look_alike, mutation, named

from chipmodel.common.units import LARGEST_SENSIBLE
from chipmodel.dataset.rows import references

# -- tables: their form


def any_row(rng: Random, f: File) -> int | None:
    return rng.randrange(1, len(f.rows)) if len(f.rows) > 1 else None


def separated(mark: str) -> Change:
    return lambda _, f: (
        Made(f.raw.replace(b",", mark.encode())) if b"," in f.raw else None
    )


named("semicolons", "refused", SHEETS, separated(";"))
named("tabs", "refused", SHEETS, separated("\t"))
named(
    "semicolons and decimal commas",
    "refused",
    SHEETS,
    lambda _, f: (
        Made(f.raw.replace(b",", b";").replace(b".", b",")) if b"," in f.raw else None
    ),
)


@mutation("refused", *SHEETS)
def column_dropped(rng: Random, f: File) -> Made | None:
    at = rng.randrange(len(f.rows[0]))
    if f.kind == "points" and len(f.rows[0]) > 1:
        return Made(
            csv_bytes([row[:at] + row[at + 1 :] for row in f.rows]),
            f.rows[0][at],
            expects="any",
        )
    return Made(csv_bytes([row[:at] + row[at + 1 :] for row in f.rows]), f.rows[0][at])


@mutation("refused", *SHEETS)
def column_twice(rng: Random, f: File) -> Made | None:
    at = rng.randrange(len(f.rows[0]))
    return Made(csv_bytes([[*row, row[at]] for row in f.rows]), f.rows[0][at])


@mutation("refused", *SHEETS)
def column_renamed(rng: Random, f: File) -> Made | None:
    at = rng.randrange(len(f.rows[0]))
    return Made(f.with_cell(0, at, f.rows[0][at] + "_x"), f.rows[0][at])


@mutation("any", *SHEETS)
def headers_swapped(rng: Random, f: File) -> Made | None:
    if len(f.rows[0]) < 2:
        return None
    header = list(f.rows[0])
    one, two = rng.sample(range(len(header)), 2)
    header[one], header[two] = header[two], header[one]
    return Made(csv_bytes([header, *f.rows[1:]]), f"{header[one]} and {header[two]}")


@mutation("harmless", "csv")
def columns_reordered(rng: Random, f: File) -> Made | None:
    order = rng.sample(range(len(f.rows[0])), len(f.rows[0]))
    return Made(csv_bytes([[row[i] for i in order] for row in f.rows]))


@mutation("harmless", "csv")
def rows_reordered(rng: Random, f: File) -> Made | None:
    return Made(csv_bytes([f.rows[0], *rng.sample(f.rows[1:], len(f.rows) - 1)]))


@mutation("harmless", "csv")
def blank_row(rng: Random, f: File) -> Made | None:
    at = rng.randrange(1, len(f.rows) + 1)
    return Made(
        csv_bytes([*f.rows[:at], [""] * len(f.rows[0]), *f.rows[at:]]), f"row {at}"
    )


@mutation("any", *SHEETS)
def row_dropped(rng: Random, f: File) -> Made | None:
    if (at := any_row(rng, f)) is None:
        return None
    return Made(csv_bytes([*f.rows[:at], *f.rows[at + 1 :]]), ",".join(f.rows[at])[:60])


@mutation("refused", *SHEETS)
def row_twice(rng: Random, f: File) -> Made | None:
    return (
        None
        if (at := any_row(rng, f)) is None
        else Made(csv_bytes([*f.rows, f.rows[at]]), f"row {at}")
    )


@mutation("refused", "csv")
def key_twice_with_another_value(rng: Random, f: File) -> Made | None:
    if not f.facts:
        return None
    at, value = rng.randrange(1, len(f.rows)), f.column("value")
    row = list(f.rows[at])
    row[value] = str(float(row[value]) * 1.01)
    return Made(csv_bytes([*f.rows, row]), f"row {at}")


@mutation("refused", *SHEETS)
def cell_too_many(rng: Random, f: File) -> Made | None:
    if (at := any_row(rng, f)) is None:
        return None
    place = rng.randrange(len(f.rows[at]) + 1)
    row = [*f.rows[at][:place], "", *f.rows[at][place:]]
    return Made(csv_bytes([*f.rows[:at], row, *f.rows[at + 1 :]]), f"row {at}")


@mutation("refused", *SHEETS)
def cell_too_few(rng: Random, f: File) -> Made | None:
    if (at := any_row(rng, f)) is None or len(f.rows[0]) < 2:
        return None
    place = rng.randrange(len(f.rows[at]))
    row = [*f.rows[at][:place], *f.rows[at][place + 1 :]]
    return Made(csv_bytes([*f.rows[:at], row, *f.rows[at + 1 :]]), f"row {at}")


@mutation("refused", *SHEETS)
def quote_left_open(rng: Random, f: File) -> Made | None:
    at = rng.randrange(len(f.lines))
    return (
        Made(f.with_line(at, '"' + f.lines[at]), f"line {at + 1}")
        if '"' not in f.text
        else None
    )


@mutation("any", *SHEETS)
def cells_swapped(rng: Random, f: File) -> Made | None:
    if (at := any_row(rng, f)) is None or len(f.rows[0]) < 2:
        return None
    one, two = rng.sample(range(len(f.rows[0])), 2)
    rows = [list(row) for row in f.rows]
    rows[at][one], rows[at][two] = rows[at][two], rows[at][one]
    return Made(csv_bytes(rows), f"{f.rows[0][one]} and {f.rows[0][two]} of row {at}")


@mutation("any", "csv")
def values_of_two_rows_swapped(rng: Random, f: File) -> Made | None:
    if not f.facts or len(f.rows) < 3:
        return None
    one, two = rng.sample(range(1, len(f.rows)), 2)
    rows, value = [list(row) for row in f.rows], f.column("value")
    rows[one][value], rows[two][value] = rows[two][value], rows[one][value]
    return Made(csv_bytes(rows), f"rows {one} and {two}")


# -- tables: numbers

NO_NUMBERS = (
    "nan",
    "NaN",
    "inf",
    "-inf",
    "Infinity",
    "1e999",
    "-1e999",
    "",
    "n/a",
    "-",
    "TBD",
    "many",
    "1,234.5",
    "1.234,5",
    "1 234",
    "1'234",
    "1\u202f234",
    "1_000",
    "１２",
    "٣",
    "\u22125",
    "5%",
    "$5",
    "0x10",
    "1e",
    "--5",
    "1.2.3",
    " 5",
    "5 ",
    "=2*3",
    "½",
    "5\u00b3",
    "true",
)
"""What people and spreadsheets write into cells that want a number."""


def numeric(rng: Random, f: File) -> tuple[int, int] | None:
    """Return row and column of a value."""
    if f.kind == "points":
        return rng.randrange(1, len(f.rows)), rng.randrange(len(f.rows[0]))
    return (rng.randrange(1, len(f.rows)), f.column("value")) if f.facts else None


@mutation("refused", *SHEETS)
def no_number(rng: Random, f: File) -> Made | None:
    if (at := numeric(rng, f)) is None:
        return None
    return Made(
        f.with_cell(*at, new := rng.choice(NO_NUMBERS)), f"row {at[0]}: {new!r}"
    )


def times(factor: float, expects: str) -> Change:
    def change(rng: Random, f: File) -> Made | None:
        if (at := numeric(rng, f)) is None or (old := float(f.rows[at[0]][at[1]])) == 0:
            return None
        free = f.kind == "csv" and not f.model.units  # type: ignore[attr-defined]
        new = repr(old * factor)
        return Made(
            f.with_cell(*at, new),
            f"row {at[0]}: {old:g} to {new}",
            expects="any" if free else expects,
        )

    return change


named("wrong sign", "any", SHEETS, times(-1.0, "any"))
named("thousand times too large", "any", SHEETS, times(1e3, "any"))
named("thousand times too small", "any", SHEETS, times(1e-3, "any"))
named("enormous", "refused", SHEETS, times(1e12, "refused"))
named("enormous and negative", "refused", SHEETS, times(-1e12, "refused"))
named("next to nothing", "any", SHEETS, times(1e-300, "any"))


@mutation("any", "csv")
def at_the_end_of_what_is_sensible(rng: Random, f: File) -> Made | None:
    """A value is the smallest or the largest of its item, and has no range."""
    if not f.facts:
        return None
    at, header = rng.randrange(1, len(f.rows)), f.rows[0]
    row = dict(zip(header, f.rows[at], strict=True))
    ends = f.model.limits(row.get("item", row.get("parameter", "*")))  # type: ignore[attr-defined]
    end = rng.choice([x for x in ends if x is not None] or [1e9])
    new = {**row, "value": repr(end), "low": "", "high": "", "grade": "A"}
    rows = [*f.rows[:at], list(new.values()), *f.rows[at + 1 :]]
    return (
        None
        if end == float(row["value"])
        else Made(csv_bytes(rows), f"row {at}: {row['value']} to {end:g}")
    )


@mutation("harmless", "csv")
def same_number_written_otherwise(rng: Random, f: File) -> Made | None:
    if (at := numeric(rng, f)) is None:
        return None
    return Made(
        f.with_cell(*at, new := f"{float(f.rows[at[0]][at[1]]):+.17e}"),
        f"row {at[0]}: {new}",
    )


def ranged(rng: Random, f: File) -> tuple[int, float, float, float] | None:
    """Return a row with a range, its value, low and high."""
    if not f.facts:
        return None
    cells = [f.column(name) for name in ("value", "low", "high")]
    have = [i for i, row in enumerate(f.rows) if i and all(row[k] for k in cells)]
    if not have:
        return None
    at = rng.choice(have)
    value, low, high = (float(f.rows[at][k]) for k in cells)
    return (at, value, low, high) if low < high else None


@mutation("legitimate", "csv")
def another_value_in_its_range(rng: Random, f: File) -> Made | None:
    if (found := ranged(rng, f)) is None:
        return None
    at, value, low, high = found
    new = low + rng.random() * (high - low)
    whole = any(
        key in f.path.stem
        for key in ("demand_location", "input_supply", "expansion", "operation")
    )
    return Made(
        f.with_cell(at, f.column("value"), repr(new)),
        f"row {at}: {value:g} to {new:g} in {low:g}..{high:g}",
        expects="any" if whole else "",
    )


@mutation("refused", "csv")
def value_outside_its_range(rng: Random, f: File) -> Made | None:
    if (found := ranged(rng, f)) is None:
        return None
    at, _, low, high = found
    new = rng.choice((low - 0.01 * abs(low) - 1e-6, high + 0.01 * abs(high) + 1e-6))
    return Made(
        f.with_cell(at, f.column("value"), repr(new)),
        f"row {at}: {new:g} for {low:g}..{high:g}",
    )


@mutation("refused", "csv")
def low_and_high_swapped(rng: Random, f: File) -> Made | None:
    if (found := ranged(rng, f)) is None:
        return None
    rows, at = [list(row) for row in f.rows], found[0]
    low, high = f.column("low"), f.column("high")
    rows[at][low], rows[at][high] = rows[at][high], rows[at][low]
    return Made(csv_bytes(rows), f"row {at}")


@mutation("refused", "csv")
def range_without_bounds(rng: Random, f: File) -> Made | None:
    if (found := ranged(rng, f)) is None:
        return None
    free = not f.model.units  # type: ignore[attr-defined]
    new = "1e15" if rng.random() < 0.5 else rng.choice(NO_NUMBERS[:7])
    return Made(
        f.with_cell(found[0], f.column("high"), new),
        f"row {found[0]}: high {new}",
        expects="any" if free else "",
    )


@mutation("refused", "csv")
def another_unit(rng: Random, f: File) -> Made | None:
    if not f.facts:
        return None
    at, unit = rng.randrange(1, len(f.rows)), f.column("unit")
    new = rng.choice(
        [
            u
            for u in (
                *LARGEST_SENSIBLE,
                "KWPM",
                "thousand wafers",
                "%",
                "EUR",
                "",
                "USD / wafer",
                "ѕhare",
            )
            if u != f.rows[at][unit]
        ]
    )
    free = not f.model.units  # type: ignore[attr-defined]
    return Made(
        f.with_cell(at, unit, new), f"row {at}: {new!r}", expects="any" if free else ""
    )


@mutation("refused", "csv")
def year_of_money_lost_or_added(rng: Random, f: File) -> Made | None:
    if not f.facts:
        return None
    at, year = rng.randrange(1, len(f.rows)), f.column("year_of_money")
    return Made(f.with_cell(at, year, "" if f.rows[at][year] else "2025"), f"row {at}")


@mutation("refused", "csv")
def no_year(rng: Random, f: File) -> Made | None:
    years = [
        c
        for c in f.rows[0]
        if c
        in (
            "year",
            "year_from",
            "year_to",
            "base_year",
            "earliest",
            "year_of_money",
            "construction_begun",
        )
    ]
    have = [
        (i, f.column(c))
        for c in years
        for i, row in enumerate(f.rows)
        if i and row[f.column(c)]
    ]
    if not have:
        return None
    at = rng.choice(have)
    new = rng.choice(
        (
            "20025",
            "0",
            "-2025",
            "2025.5",
            "2_025",
            " 2025",
            "２０２５",
            "2025-01-01",
            "Q1",
            "9" * 30,
            "1e3",
        )
    )
    return Made(f.with_cell(*at, new), f"row {at[0]}, {f.rows[0][at[1]]}: {new!r}")


# -- tables: codes


def code(rng: Random, f: File) -> tuple[int, int, str] | None:
    have = [
        (i, f.column(c), row[f.column(c)])
        for c in f.codes()
        for i, row in enumerate(f.rows)
        if i and row[f.column(c)]
    ]
    return rng.choice(have) if have else None


def other_code(
    rng: Random, f: File, new: Callable[[str], str | None], mentions: str = ""
) -> Made | None:
    if (
        (found := code(rng, f)) is None
        or (written := new(found[2])) is None
        or written == found[2]
    ):
        return None
    at, column, old = found
    name = f.rows[0][column]
    # Another id of the own key is a new thing, not an unknown one; what pointed at the
    # old one must be reported.
    own = name in f.model.key and name not in references(f.model)
    return Made(
        f.with_cell(at, column, written),
        f"row {at}, {name}: {old} to {written!r}",
        mentions=mentions,
        expects=(
            "any"
            if own
            and not mentions
            and re.fullmatch(r"[a-z][a-z0-9_]{0,40}|[A-Z]{3}", written)
            else ""
        ),
    )


@mutation("refused", "csv")
def unknown_code(rng: Random, f: File) -> Made | None:
    return other_code(rng, f, lambda old: "ZZZ" if old.isupper() else "nowhere")


@mutation("refused", "csv")
def code_with_a_look_alike(rng: Random, f: File) -> Made | None:
    return other_code(rng, f, lambda old: look_alike(rng, old), mentions="U+")


@mutation("refused", "csv")
def code_in_another_case(rng: Random, f: File) -> Made | None:
    return other_code(rng, f, str.swapcase)


@mutation("refused", "csv")
def blank_beside_a_code(rng: Random, f: File) -> Made | None:
    return other_code(
        rng, f, lambda old: rng.choice((f"{old} ", f" {old}", f"{old}\t"))
    )


@mutation("any", "csv")
def code_of_another_row(rng: Random, f: File) -> Made | None:
    if (found := code(rng, f)) is None:
        return None
    at, column, old = found
    new = rng.choice(f.rows[1:])[column]
    return Made(
        f.with_cell(at, column, new), f"row {at}, {f.rows[0][column]}: {old} to {new}"
    )


@mutation("refused", "csv")
def neither_true_nor_false(rng: Random, f: File) -> Made | None:
    columns = [c for c in ("subject", "interested", "on_support") if c in f.rows[0]]
    if not columns or (at := any_row(rng, f)) is None:
        return None
    new = rng.choice(("maybe", "2", "", "ja", "tru"))
    return Made(
        f.with_cell(at, f.column(rng.choice(columns)), new), f"row {at}: {new!r}"
    )


@mutation("any", "csv")
def any_cell(rng: Random, f: File) -> Made | None:
    """A cell holds the content of another cell of the table, or a meaningless text."""
    if (at := any_row(rng, f)) is None:
        return None
    column = rng.randrange(len(f.rows[0]))
    new = rng.choice(
        [
            rng.choice(rng.choice(f.rows)),
            "x" * 300,
            "<b>&",
            "../../etc",
            "null",
            "'; --",
            "{}",
            "é",
        ]
    )
    return Made(
        f.with_cell(at, column, new), f"row {at}, {f.rows[0][column]}: {new[:40]!r}"
    )


# -- tables: what must follow

DIALS = {
    ("device_steps", "premium"): 1,
    ("parameters", "capital_premium"): 1,
    ("input_facts", "premium"): 1,
    ("input_facts", "slack"): -1,
    ("input_facts", "replacement"): -1,
    ("budgets", ""): -1,
    ("parameters", "capital_step"): -1,
}
"""Items, and where the objective must not go when they rise: 1 down, -1 up."""


@mutation("legitimate", "csv")
def a_dial_turned_up(rng: Random, f: File) -> Made | None:
    if not f.facts:
        return None
    value = f.column("value")
    item = next((f.column(c) for c in ("item", "parameter") if c in f.rows[0]), None)
    have = [
        (i, DIALS[key])
        for i, row in enumerate(f.rows)
        if i
        and (key := (f.path.stem, "" if item is None else row[item])) in DIALS
        and not row[f.column("high")]
    ]
    if not have:
        return None
    at, moves = rng.choice(have)
    # Premiums of steps must rise with the step: nothing limits the last one from above.
    at = max(i for i, _ in have) if f.path.stem == "device_steps" else at
    old = float(f.rows[at][value])
    new = old * rng.uniform(1.01, 2)
    return Made(
        f.with_cell(at, value, repr(new)), f"row {at}: {old:g} to {new:g}", moves=moves
    )
