"""Ways to corrupt the text of a case, a world or a study; see `mutations`."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

from mutations import TOML, Change, File, Made, look_alike, mutation, named

NUMBER = re.compile(r"(?<![\w.\"+-])-?\d+(?:\.\d+)?(?![\w.\"-])")
STRING = re.compile(r'"([^"\n]*)"')
KEY = re.compile(r'^("?)([A-Za-z_][\w.]*)("?)\s*=')
CODES = (
    "kind",
    "id",
    "importer",
    "origins",
    "region",
    "regions",
    "market",
    "trusted",
    "segments",
    "on",
    "form",
    "budgets",
    "status",
    "baseline",
    "source",
    "cases",
    "worlds",
    "reference",
    "metrics",
    "table",
    "remove",
    "exporter",
    "keep",
    "information_date",
    "as_of",
    "figures",
)
"""Keys whose values are codes rather than prose."""

COMMENT = re.compile(r"(?<= )#[^\"]*$")
"""A comment behind a value."""


def spots(
    f: File, pattern: re.Pattern[str], keys: tuple[str, ...] = ()
) -> list[tuple[int, int, int]]:
    """Return line, start and end of what follows an equals sign and matches."""
    found = []
    in_text = False
    for number, line in enumerate(f.lines):
        was_in_text = in_text
        in_text ^= line.count('"""') % 2 == 1
        key = KEY.match(line)
        if was_in_text or key is None or (keys and key[2] not in keys):
            continue
        strings = [m.span() for m in STRING.finditer(line)] if pattern is NUMBER else []
        if pattern is NUMBER and (comment := COMMENT.search(line)):
            strings.append((comment.start(), len(line)))
        found += [
            (number, *m.span())
            for m in pattern.finditer(line, key.end())
            if not any(a <= m.start() < b for a, b in strings)
        ]
    return found


def replaced(f: File, spot: tuple[int, int, int], new: str) -> bytes:
    number, start, end = spot
    return f.with_line(number, f.lines[number][:start] + new + f.lines[number][end:])


def old_of(f: File, spot: tuple[int, int, int]) -> str:
    return f.lines[spot[0]][spot[1] : spot[2]]


def number_becomes(new: Callable[[Random, str], str | None]) -> Change:
    def change(rng: Random, f: File) -> Made | None:
        have = spots(f, NUMBER)
        if not have:
            return None
        spot = rng.choice(have)
        old = old_of(f, spot)
        written = new(rng, old)
        if written is None:
            return None
        return Made(
            replaced(f, spot, written),
            f"{f.lines[spot[0]][:40]!r}: {old} to {written[:40]}",
        )

    return change


named(
    "not a number",
    "refused",
    TOML,
    number_becomes(
        lambda rng, _: rng.choice(("nan", "inf", "-inf", "+nan", "1e999", "-1e999"))
    ),
)
named(
    "no number in a number's place",
    "refused",
    TOML,
    number_becomes(
        lambda rng, old: rng.choice(
            (
                f'"{old}"',
                "true",
                "false",
                "[1]",
                "{ a = 1 }",
                '"many"',
                "2026-01-01",
                "07:32:00",
                '""',
                "[]",
                f"'{old}'",
            )
        )
    ),
)
# Refused, unless it is the last of a list, which is shorter then.
named("number dropped", "", TOML, number_becomes(lambda _, __: ""))
named(
    "no TOML in a number's place",
    "refused",
    TOML,
    number_becomes(
        lambda rng, old: rng.choice(
            (
                f"\u2212{old}",
                "１",
                f"{old}%",
                "many",
                "01",
                "1.",
                ".5",
                "1__0",
                f"{old}\u00a0",
                "½",
                "1e",
                "0x",
                "--1",
                "{",
                "'",
                '"',
            )
        )
    ),
)
named(
    "digits without end",
    "refused",
    TOML,
    number_becomes(lambda rng, _: "1" + "0" * rng.choice((25, 400, 5000))),
)
named(
    "enormous number",
    "refused",
    TOML,
    number_becomes(lambda rng, old: rng.choice(("1e300", "-1e300", "1e18"))),
)


def _negated(_: Random, old: str) -> str | None:
    if float(old) == 0:
        return None
    return old[1:] if old[0] == "-" else f"-{old}"


named("number with the wrong sign", "any", TOML, number_becomes(_negated))
named("number next to nothing", "any", TOML, number_becomes(lambda _, old: "1e-300"))
named(
    "zero", "any", TOML, number_becomes(lambda _, old: "0" if "." not in old else "0.0")
)
named(
    "number a little off",
    "any",
    TOML,
    number_becomes(
        lambda rng, old: (
            repr(float(old) * rng.uniform(0.8, 1.2))
            if "." in old
            else str(int(old) + rng.choice((-1, 1)))
        )
    ),
)
named(
    "thousand times a number",
    "any",
    TOML,
    number_becomes(lambda _, old: repr(float(old) * 1000)),
)
named(
    "fraction for a whole number",
    "refused",
    TOML,
    number_becomes(
        lambda _, old: f"{old}.5" if re.fullmatch("20[0-9][0-9]", old) else None
    ),
)


def _in_another_form(_: Random, old: str) -> str | None:
    if "." in old:
        return f"{float(old):.16e}"
    if len(old) > 3 and old.isdigit():
        return f"{old[:-3]}_{old[-3:]}"
    return None


named("same number in another form", "harmless", TOML, number_becomes(_in_another_form))


def string_becomes(
    new: Callable[[Random, str], str | None],
    keys: tuple[str, ...] = (),
    mentions: str = "",
) -> Change:
    def change(rng: Random, f: File) -> Made | None:
        have = spots(f, STRING, keys)
        if not have:
            return None
        spot = rng.choice(have)
        old = old_of(f, spot)[1:-1]
        written = new(rng, old)
        if written is None or written == f'"{old}"':
            return None
        return Made(
            replaced(f, spot, written),
            f"{f.lines[spot[0]][:40]!r}: {old[:30]!r} to {written[:40]}",
            mentions=mentions,
        )

    return change


def _quoted(text: str | None) -> str | None:
    return None if text is None else f'"{text}"'


# An instrument may be called what one likes; `as_of` and the like are codes of another
# form.
POINTING = tuple(k for k in CODES if k != "id")

named(
    "code with a look-alike letter",
    "refused",
    TOML,
    string_becomes(
        lambda rng, old: _quoted(look_alike(rng, old)), CODES, mentions="U+"
    ),
)
named(
    "code that is not known",
    "refused",
    TOML,
    string_becomes(lambda rng, _: '"nowhere"', POINTING),
)
named(
    "code in capitals or small letters",
    "refused",
    TOML,
    string_becomes(
        lambda _, old: _quoted(old.swapcase()),
        tuple(k for k in POINTING if not k.endswith(("date", "of"))),
    ),
)
named(
    "blank beside the code",
    "refused",
    TOML,
    string_becomes(
        lambda rng, old: _quoted(rng.choice((f"{old} ", f" {old}"))),
        tuple(k for k in CODES if k != "cases"),
    ),
)  # "a + b" adds cases too
named("text that is empty", "any", TOML, string_becomes(lambda *_: '""'))
named(
    "no text in a text's place",
    "refused",
    TOML,
    string_becomes(
        lambda rng, _: rng.choice(
            ("1", "nan", "true", "2026-06-30", "{ a = 1 }", "[[]]", "1.5")
        )
    ),
)
named(
    "text of no sense",
    "any",
    TOML,
    string_becomes(
        lambda rng, _: rng.choice(
            (
                '"<b>&"',
                '"../../etc/passwd"',
                '"x\\u0000y"',
                '"x\\u0000.toml"',
                f'"{"x" * 300}.toml"',
                '"\\u202Eabc"',
                '"é"',
                f'"{"x" * 300}"',
                '"null"',
                '"own"',
                "'''a'''",
                '"a+b"',
                '"*"',
            )
        )
    ),
)
named(
    "not a day of the calendar",
    "refused",
    ("case", "world"),
    string_becomes(
        lambda rng, _: rng.choice(
            (
                '"2026-02-30"',
                '"2026-13-01"',
                '"30.6.2026"',
                '"２０２６-06-30"',
                '"2026-6-3"',
                '"soon"',
            )
        ),
        ("as_of", "information_date"),
    ),
)


def keys_of(f: File) -> list[tuple[int, re.Match[str]]]:
    return [
        (number, key) for number, line in enumerate(f.lines) if (key := KEY.match(line))
    ]


@mutation("refused", *TOML)
def key_misspelt(rng: Random, f: File) -> Made | None:
    number, key = rng.choice(keys_of(f))
    new = rng.choice(
        (f"{key[2]}x", key[2][1:] or "q", key[2].upper(), f"{key[2]} {key[2]}")
    )
    return Made(
        f.with_line(number, f.lines[number].replace(key[2], new, 1)),
        f"{key[2]} to {new}",
    )


@mutation("refused", *TOML)
def key_with_a_look_alike(rng: Random, f: File) -> Made | None:
    number, key = rng.choice(keys_of(f))
    new = look_alike(rng, key[2])
    if new is None:
        return None
    quoted = new
    if not key[1] and rng.random() < 0.5:
        quoted = f'"{new}"'
    return Made(
        f.with_line(number, f.lines[number].replace(key[2], quoted, 1)),
        f"{key[2]} to {quoted}",
        mentions="U+",
    )


@mutation("refused", *TOML)
def key_that_is_unknown(rng: Random, f: File) -> Made | None:
    number, _ = rng.choice(keys_of(f))
    return Made(
        f.with_line(number, "surprise = 1", f.lines[number]),
        f"before line {number + 1}",
    )


@mutation("any", *TOML)
def keys_reordered(rng: Random, f: File) -> Made | None:
    head = [i for i, line in enumerate(f.lines) if not line.startswith("[")]
    first = next(
        (i for i, line in enumerate(f.lines) if line.startswith("[")), len(f.lines)
    )
    top = [i for i in head if i < first and f.lines[i]]
    mixed = [f.lines[i] for i in rng.sample(top, len(top))]
    return Made(
        ("\n".join([*mixed, *f.lines[first:]]) + "\n").encode(),
        expects="any" if '"""' in f.text or "[\n" in f.text else "harmless",
    )


@mutation("refused", *TOML)
def lists_without_end(rng: Random, f: File) -> Made | None:
    depth = rng.choice((200, 5000))
    return Made(
        f"deep = {'[' * depth}{']' * depth}\n".encode() + f.raw, f"{depth} deep"
    )


@mutation("refused", *TOML)
def table_that_is_unknown(rng: Random, f: File) -> Made | None:
    return Made(
        f.raw
        + rng.choice(
            (
                b"\n[surprise]\na = 1\n",
                b"\n[[surprise]]\na = 1\n",
                b"\n[[policy.rate]]\na = 1\n",
            )
        )
    )


def lists_of(f: File) -> list[tuple[int, int, int]]:
    return spots(f, re.compile(r"\[[^\[\]]*\]"))


@mutation("any", *TOML)
def list_longer_or_shorter(rng: Random, f: File) -> Made | None:
    have = lists_of(f)
    if not have:
        return None
    spot = rng.choice(have)
    parts = [p.strip() for p in old_of(f, spot)[1:-1].split(",") if p.strip()]
    new = rng.choice(
        (
            parts[1:],
            [*parts, *parts[:1]],
            parts[::-1],
            [],
            [*parts, "1.5"],
            [*parts, '"all"'],
        )
    )
    label = f"{f.lines[spot[0]][:30]!r}: {old_of(f, spot)[:30]} to {new}"
    return Made(replaced(f, spot, f"[{', '.join(new)}]"), label[:90])


@mutation("refused", "case")
def policy_twice(rng: Random, f: File) -> Made | None:
    parts = f.text.split("[[policy]]")
    return (
        Made((f.text + "\n[[policy]]" + parts[1]).encode()) if len(parts) > 1 else None
    )


@mutation("any", "case")
def policy_dropped(rng: Random, f: File) -> Made | None:
    parts = f.text.split("[[policy]]")
    if len(parts) < 2:
        return None
    gone = rng.randrange(1, len(parts))
    return Made(
        "[[policy]]".join(parts[:gone] + parts[gone + 1 :]).encode(), f"policy {gone}"
    )


@mutation("refused", "case")
def baseline_cycle(rng: Random, f: File) -> Made | None:
    """The case becomes its own baseline, directly or through the case `CHILD`."""
    lines = [line for line in f.lines if not line.startswith("baseline")]
    below = [
        p.stem
        for p in sorted(f.path.parent.glob("*.toml"))
        if f'baseline = "{f.path.stem}"' in p.read_text(encoding="utf-8")
    ]
    parent = rng.choice([f.path.stem, *below])
    return Made(
        "\n".join([f'baseline = "{parent}"', *lines, ""]).encode(),
        f"through {parent}",
        mentions="cycle",
    )


@mutation("refused", "case")
def baseline_elsewhere(rng: Random, f: File) -> Made | None:
    lines = [line for line in f.lines if not line.startswith("baseline")]
    new = rng.choice(
        (
            "nowhere",
            "../worlds/central.toml",
            "/dev/null",
            "",
            ".",
            "no_policy.toml/",
            "x" * 5000,
            "a+b",
        )
    )
    return Made("\n".join([f'baseline = "{new}"', *lines, ""]).encode(), new[:40])


@mutation("refused", "case")
def years_the_wrong_way(rng: Random, f: File) -> Made | None:
    have = spots(f, re.compile(r"\[\s*\d{4}\s*,\s*\d{4}\s*\]"), ("years",))
    if not have:
        return None
    spot = rng.choice(have)
    first, last = re.findall(r"\d{4}", old_of(f, spot))
    new = rng.choice(
        (
            f"[{last}, {first}]",
            f"[{first}]",
            f"[{first}, {last}, {last}]",
            first,
            "[]",
            f'["{first}", {last}]',
        )
    )
    return (
        None
        if new == f"[{last}, {first}]" and first == last
        else Made(replaced(f, spot, new), new)
    )


DIALS = {
    "case": {
        "tariff": ("rate", 1),
        "grant": ("rate", -1),
        "credit": ("rate", -1),
        "floor": ("share", 1),
    },
    "world": {"central": ("choke", -1)},
}
"""Numbers of the two-region package and where the objective must not go when they rise.

The objective is resource cost and duties less support and the value of what is served;
for fixed quantities it rises with a duty's rate and falls with a grant's, so its
minimum does too.
"""


@mutation("legitimate", "case", "world")
def a_dial_turned_up(rng: Random, f: File) -> Made | None:
    dial = DIALS[f.kind].get(f.path.stem)
    have = spots(f, NUMBER, (dial[0],)) if dial else []
    if not have or dial is None:
        return None
    old = float(old_of(f, have[0]))
    new = old * rng.uniform(1.01, 1.3)
    return Made(
        replaced(f, have[0], repr(new)), f"{dial[0]}: {old:g} to {new:g}", moves=dial[1]
    )
