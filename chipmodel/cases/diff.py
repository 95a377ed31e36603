"""What differs between two cases."""

from __future__ import annotations

from chipmodel.cases.case import Case, policy_dict
from chipmodel.common.text import labelled
from chipmodel.policies.base import DisplayNames


def differences(
    left: Case, right: Case, names: DisplayNames | None = None
) -> list[dict[str, str]]:
    """Tell what differs between two cases: whole instruments in a sentence, others field by field."""
    rows: list[dict[str, str]] = []
    mine, theirs = ({p.id: p for p in case.policies} for case in (left, right))
    for policy_id in [*mine, *(i for i in theirs if i not in mine)]:
        old, new = mine.get(policy_id), theirs.get(policy_id)
        if old is None or new is None:
            rows.append(
                _difference(
                    policy_id,
                    "instrument",
                    *("-" if p is None else p.sentence(names) for p in (old, new)),
                )
            )
            continue
        before, after = policy_dict(old), policy_dict(new)
        for field in sorted(set(before) | set(after)):
            if before.get(field) != after.get(field):
                rows.append(
                    {
                        **_difference(
                            policy_id,
                            field,
                            _shown(before.get(field)),
                            _shown(after.get(field)),
                        ),
                        "sentence": new.sentence(names),
                    }
                )
    return rows


def _difference(policy_id: str, field: str, left: str, right: str) -> dict[str, str]:
    return {"policy": policy_id, "field": field, "left": left, "right": right}


def _shown(value: object) -> str:
    if isinstance(value, list | tuple):
        return " ".join(map(str, value))
    return "-" if value is None else str(value)


def changed_lines(changes: list[dict[str, str]]) -> list[str]:
    """Return what `differences` found as lines: what falls away, what comes, which numbers move."""
    whole = [row for row in changes if row["field"] == "instrument"]
    moved: dict[str, list[str]] = {}
    now: dict[str, str] = {}
    for row in changes:
        if row["field"] not in ("instrument", "note", "source"):
            moved.setdefault(row["policy"], []).append(
                f"{row['field']} {row['left']} -> {row['right']}"
            )
            now[row["policy"]] = row["sentence"]
    parts = {
        "taken away": [
            (row["policy"], row["left"]) for row in whole if row["right"] == "-"
        ],
        "added": [(row["policy"], row["right"]) for row in whole if row["left"] == "-"],
        "changed": [
            (name, f"{'; '.join(fields)}. {now[name]}")
            for name, fields in moved.items()
        ],
    }
    return [
        line
        for word, told in parts.items()
        if told
        for line in (f"  {word}:", *labelled(told, "    "))
    ]
