"""Policy cases: differences from one baseline, resolved to a list of instruments."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializeAsAny,
    ValidationError,
    model_validator,
)

from chipmodel.common.errors import InputError, Problem
from chipmodel.common.files import find_named, is_file, names_in
from chipmodel.common.text import offer
from chipmodel.common.toml import from_file, problems_of, read_toml
from chipmodel.dataset.dataset import Dataset, load_dataset
from chipmodel.dataset.fields import Date
from chipmodel.dataset.rows import RegionRow, SourceRow
from chipmodel.policies.base import Policy, policy_class

MOST_POLICIES = 200
"""Instruments a case may have."""


Status = Literal["law", "announced", "threatened", "hypothetical"]


class Case(BaseModel):
    """A policy case: its instruments and what they are.

    Cases add: ``a + b`` holds the instruments of both; an id that means different
    things in the two is a clash and refused.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=200)]
    title: str = ""
    status: Status = "hypothetical"
    as_of: Date | None = None
    summary: str = ""
    policies: tuple[SerializeAsAny[Policy], ...] = ()

    @model_validator(mode="after")
    def _ids_unique(self) -> Case:
        if len(self.policies) > MOST_POLICIES:
            raise ValueError(
                f"holds {len(self.policies)} policies; a case may have {MOST_POLICIES}"
                " at most"
            )
        ids = [p.id for p in self.policies]
        twice = sorted({i for i in ids if ids.count(i) > 1})
        if twice:
            raise ValueError(f"policy id '{twice[0]}' appears twice")
        return self

    def __repr__(self) -> str:
        count = len(self.policies)
        return (
            f"<Case {self.name}: {count} instrument{'' if count == 1 else 's'},"
            f" {self.status}>"
        )

    __str__ = __repr__

    def __add__(self, other: Case) -> Case:
        mine = {p.id: p for p in self.policies}
        conflicts_with = [
            p.id for p in other.policies if p.id in mine and p != mine[p.id]
        ]
        if conflicts_with:
            raise InputError(
                Problem(
                    f"{self.name}+{other.name}",
                    i,
                    "means different things in the two cases",
                    "rename one, or make one case the baseline of the other and use"
                    " [set]",
                )
                for i in conflicts_with
            )
        added = tuple(p for p in other.policies if p.id not in mine)
        return Case(
            name=f"{self.name}+{other.name}",
            title=" + ".join(x for x in (self.title, other.title) if x),
            status="hypothetical",
            as_of=max((d for d in (self.as_of, other.as_of) if d), default=None),
            summary=" ".join(x for x in (self.summary, other.summary) if x),
            policies=self.policies + added,
        )

    def policy(self, policy_id: str) -> Policy:
        """Return the instrument of an id."""
        for policy in self.policies:
            if policy.id == policy_id:
                return policy
        raise InputError.one(
            self.name,
            policy_id,
            "no such policy",
            "ids: " + ", ".join(p.id for p in self.policies),
        )

    def without(self, *ids: str) -> Case:
        """Return the case without some instruments."""
        for policy_id in ids:
            self.policy(policy_id)
        kept = tuple(p for p in self.policies if p.id not in ids)
        return self.model_copy(
            update={"policies": kept, "name": f"{self.name} without {', '.join(ids)}"}
        )

    def set(self, **changes: Any) -> Case:
        """Return the case with numbers changed: ``case.set(s232__rate=0.1)`` (id and field joined by ``__``)."""
        return _changed(
            self, {k.replace("__", ".", 1): v for k, v in changes.items()}, self.name
        )

    @property
    def digest(self) -> str:
        """SHA-256 of the instruments; names and prose do not count."""
        text = json.dumps(
            [
                policy_dict(p, prose=False)
                for p in sorted(self.policies, key=lambda p: p.id)
            ]
        )
        return hashlib.sha256(text.encode()).hexdigest()


def policy_dict(policy: Policy, prose: bool = True) -> dict[str, Any]:
    """Return a policy as plain data in the form of a case file, defaults left out."""
    body = policy.model_dump(
        mode="json",
        exclude_defaults=True,
        exclude=None if prose else {"note", "source"},
    )
    return {"kind": policy.kind, **body}


class CaseFile(BaseModel):
    """The form of a case file: differences from one baseline."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = Field(description="One line a minister's staff would understand.")
    baseline: str | None = Field(
        default=None, description="The one parent; none for a case from scratch."
    )
    status: Status = Field(
        description="Is it law, announced, threatened or hypothetical?"
    )
    as_of: Date = Field(description="Date of the information.")
    summary: str = Field(description="A paragraph of context.")
    remove: tuple[str, ...] = Field(
        default=(), description="Ids of inherited instruments to drop."
    )
    set: dict[str, Any] = Field(
        default_factory=dict, description="Numbers of inherited instruments to change."
    )
    policy: tuple[dict[str, Any], ...] = Field(
        default=(), description="Instruments added."
    )


def load_case(name: str, data: Dataset | None = None) -> Case:
    """Load a case by name or file; ``a+b`` adds cases.

    Parameters
    ----------
    name : str
        Name of a shipped case, path of a TOML file, or several joined by ``+``.
    data : Dataset, optional
        Where named cases are looked up and sources checked; the shipped package by
        default.

    Raises
    ------
    InputError
        With every problem found in the file and its baselines.
    """
    data = load_dataset() if data is None else data
    parts: list[Case] = []
    problems: list[Problem] = []
    names = [part.strip() for part in name.split("+")]
    if not all(names):
        what = f"empty name in {name}" if name.strip() else "empty name"
        raise InputError.one(
            "case", f"'{name}'", what, "name a case on each side of a +"
        )
    for part in names:
        try:
            parts.append(_resolve(part, data, ()))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    for case in parts:
        if sum(case == other for other in parts) > 1:
            raise InputError.one(
                name, case.name, "the same case stands in it twice", "name it once"
            )
    total = parts[0]
    for case in parts[1:]:
        total = total + case
    return total


def rebuild_case(content: dict[str, Any], data: Dataset, file: str) -> Case:
    """Build a case from its resolved form in a manifest.

    Parameters
    ----------
    content : dict
        ``name, title, status, as_of, summary, policies``.
    file : str
        Where it comes from, for messages.
    """
    body = {k: v for k, v in content.items() if k not in ("policies", "digest")}
    policies, problems = _policies(file, tuple(content.get("policies", ())), data)
    try:
        case = Case.model_validate(body)
    except ValidationError as error:
        problems += problems_of(error, file, "case")
    if problems:
        raise InputError(problems)
    return case.model_copy(update={"policies": tuple(policies)})


def list_cases(data: Dataset) -> list[str]:
    """Names of the cases of a data package."""
    return names_in(data.root / "cases")


def _resolve(name: str, data: Dataset, seen: tuple[str, ...]) -> Case:
    path = find_named(name, data.root / "cases", "case")
    if path.stem in seen:
        chain = " -> ".join((*seen, path.stem))
        raise InputError.one(
            path.name,
            "baseline",
            f"baselines form a cycle ({chain})",
            "let one of them start afresh",
        )
    content = read_toml(path)
    try:
        file = from_file(CaseFile, content)
    except ValidationError as error:
        raise InputError(problems_of(error, path.name)) from None
    start = Case(name=path.stem)
    if file.baseline is not None:
        _refuse_unknown(file.baseline, data, path.name)
        start = _resolve(file.baseline, data, (*seen, path.stem))
    case = start.model_copy(
        update={
            "name": path.stem,
            "title": file.title,
            "status": file.status,
            "as_of": file.as_of,
            "summary": file.summary,
        }
    )
    problems = [
        Problem(
            path.name,
            f"remove: {policy_id}",
            "is not in the baseline",
            _near(policy_id, start),
        )
        for policy_id in file.remove
        if policy_id not in {p.id for p in start.policies}
    ]
    case = case.model_copy(
        update={"policies": tuple(p for p in case.policies if p.id not in file.remove)}
    )
    added, wrong = _policies(path.name, file.policy, data)
    problems += wrong
    inherited, own = {p.id for p in case.policies}, [p.id for p in added]
    for policy_id in dict.fromkeys(own):
        place = f"policy {policy_id}"
        if policy_id in inherited:
            problems.append(
                Problem(
                    path.name,
                    place,
                    "is already in the baseline",
                    "use [set] or remove it first",
                )
            )
        elif own.count(policy_id) > 1:
            problems.append(
                Problem(
                    path.name,
                    place,
                    "appears twice in the file",
                    "give each its own id",
                )
            )
    if len(case.policies) + len(added) > MOST_POLICIES:
        problems.append(
            Problem(
                path.name,
                "policy",
                f"the case holds {len(case.policies) + len(added)} policies",
                f"a case may have {MOST_POLICIES} at most",
            )
        )
    if problems:
        raise InputError(problems)
    case = case.model_copy(update={"policies": case.policies + tuple(added)})
    return _changed(case, file.set, path.name)


def _refuse_unknown(baseline: str, data: Dataset, file: str) -> None:
    try:
        found = is_file(case_path(baseline, data))
        fix = "name a case, or the path of a case file"
    except InputError as error:
        found, fix = False, error.problems[0].fix
    if not found:
        raise InputError.one(file, "baseline", f"no such case '{baseline}'", fix)


def _near(policy_id: str, case: Case) -> str:
    ids = [p.id for p in case.policies]
    return "its ids: " + offer(policy_id, ids)


def _policies(
    file: str, entries: tuple[dict[str, Any], ...], data: Dataset
) -> tuple[list[Policy], list[Problem]]:
    found: list[Policy] = []
    problems: list[Problem] = []
    sources = {row.source for row in data.rows(SourceRow)} | {"own"}
    regions = [row.region for row in data.rows(RegionRow)]
    for number, entry in enumerate(entries, start=1):
        body = dict(entry)
        place = f"policy {body.get('id', number)}"
        kind = body.pop("kind", None)
        known = policy_class(str(kind))
        if known is None:
            what = "kind is missing" if kind is None else f"unknown kind '{kind}'"
            problems.append(
                Problem(
                    file,
                    place,
                    what,
                    "kinds: " + offer(str(kind), sorted(Policy.kinds)),
                )
            )
            continue
        try:
            policy = from_file(known, body)
        except ValidationError as error:
            problems += problems_of(error, file, place, regions)
            continue
        if policy.source not in sources:
            what = f"source '{policy.source}' is not in sources.csv"
            problems.append(
                Problem(file, place, what, 'add it there, or write source = "own"')
            )
        found.append(policy)
    return found, problems


def _changed(case: Case, changes: dict[str, Any], file: str) -> Case:
    problems: list[Problem] = []
    policies = {p.id: p for p in case.policies}
    for target, value in changes.items():
        policy_id, _, field = target.partition(".")
        policy = policies.get(policy_id)
        if policy is None:
            problems.append(
                Problem(
                    file,
                    f"set {target}",
                    f"no policy '{policy_id}'",
                    _near(policy_id, case),
                )
            )
            continue
        if field not in type(policy).model_fields or field == "id":
            fields = ", ".join(f for f in type(policy).model_fields if f != "id")
            what = f"{policy.kind} has no field '{field}'"
            problems.append(Problem(file, f"set {target}", what, f"fields: {fields}"))
            continue
        try:
            policies[policy_id] = from_file(
                type(policy), {**policy.model_dump(), field: value}
            )
        except ValidationError as error:
            problems += problems_of(error, file, f"set {target}")
    if problems:
        raise InputError(problems)
    return case.model_copy(update={"policies": tuple(policies.values())})


def baseline_of(name: str, data: Dataset) -> Case | None:
    """Return the baseline of a case by name or file; none for a case from scratch or a sum of cases."""
    if "+" in name:
        return None
    parent = read_toml(case_path(name, data)).get("baseline")
    return None if parent is None else _resolve(str(parent), data, ())


def case_path(name: str, data: Dataset) -> Path:
    """Return the file of a named case."""
    return find_named(name, data.root / "cases", "case")
