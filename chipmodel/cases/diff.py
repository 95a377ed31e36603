"""What differs between two cases."""

from __future__ import annotations

from chipmodel.cases.case import Case, policy_dict
from chipmodel.common.text import labelled
from chipmodel.policies.base import DisplayNames, Policy


def differences(
    left: Case, right: Case, names: DisplayNames | None = None
) -> list[dict[str, str]]:
    """Return what differs between two cases.

    An instrument of one case only is a row of its own, with the field ``instrument``
    and its sentence; others are compared field by field.
    """
    before = {policy.id: policy for policy in left.policies}
    after = {policy.id: policy for policy in right.policies}
    rows: list[dict[str, str]] = []
    # In the order of the left case; what is new comes last.
    for policy_id in {**before, **after}:
        old = before.get(policy_id)
        new = after.get(policy_id)
        if old is not None and new is not None:
            rows += _changed_fields(old, new, names)
            continue
        left_sentence = "-" if old is None else old.sentence(names)
        right_sentence = "-" if new is None else new.sentence(names)
        rows.append(_difference(policy_id, "instrument", left_sentence, right_sentence))
    return rows


def _changed_fields(
    old: Policy, new: Policy, names: DisplayNames | None
) -> list[dict[str, str]]:
    before = policy_dict(old)
    after = policy_dict(new)
    rows = []
    # A field at its default is not in the dictionary and is shown as a dash.
    for field in sorted({*before, *after}):
        left = before.get(field)
        right = after.get(field)
        if left != right:
            row = _difference(new.id, field, _shown(left), _shown(right))
            rows.append({**row, "sentence": new.sentence(names)})
    return rows


def _difference(policy_id: str, field: str, left: str, right: str) -> dict[str, str]:
    return {"policy": policy_id, "field": field, "left": left, "right": right}


def _shown(value: object) -> str:
    if isinstance(value, list | tuple):
        return " ".join(map(str, value))
    return "-" if value is None else str(value)


def changed_lines(changes: list[dict[str, str]]) -> list[str]:
    """Return the rows of `differences` as lines: removed, added, changed."""
    removed = []
    added = []
    changed: dict[str, list[str]] = {}
    sentences: dict[str, str] = {}
    for row in changes:
        policy_id = row["policy"]
        if row["field"] == "instrument":
            if row["right"] == "-":
                removed.append((policy_id, row["left"]))
            else:
                added.append((policy_id, row["right"]))
        elif row["field"] not in ("note", "source"):
            change = f"{row['field']} {row['left']} -> {row['right']}"
            changed.setdefault(policy_id, []).append(change)
            sentences[policy_id] = row["sentence"]
    numbers = []
    for policy_id, fields in changed.items():
        numbers.append((policy_id, f"{'; '.join(fields)}. {sentences[policy_id]}"))
    sections = {"removed": removed, "added": added, "changed": numbers}
    lines = []
    for heading, pairs in sections.items():
        if pairs:
            lines += [f"  {heading}:", *labelled(pairs, "    ")]
    return lines
