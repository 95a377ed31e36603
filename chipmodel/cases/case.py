"""Policy cases: differences from one baseline, resolved to a list of instruments."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
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

from chipmodel.cases.instruments import read_instruments
from chipmodel.common.errors import InputError, Problem
from chipmodel.common.files import find_baseline, find_named, names_in
from chipmodel.common.text import offer
from chipmodel.common.toml import from_file, problems_of, read_toml
from chipmodel.dataset.dataset import Dataset, load_dataset
from chipmodel.dataset.fields import Date
from chipmodel.policies.base import Policy

MOST_POLICIES = 200
"""Instruments a case may have."""

Status = Literal["law", "announced", "threatened", "hypothetical"]


class Case(BaseModel):
    """A policy case: its instruments and what they are.

    Cases add: ``a + b`` holds the instruments of both; an id that means different
    things in the two is refused.
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
        counts = Counter(policy.id for policy in self.policies)
        for policy_id in sorted(counts):
            if counts[policy_id] > 1:
                raise ValueError(f"policy id '{policy_id}' appears twice")
        return self

    def __repr__(self) -> str:
        count = len(self.policies)
        instruments = "1 instrument" if count == 1 else f"{count} instruments"
        return f"<Case {self.name}: {instruments}, {self.status}>"

    __str__ = __repr__

    def __add__(self, other: Case) -> Case:
        name = f"{self.name}+{other.name}"
        policies = {policy.id: policy for policy in self.policies}
        problems = []
        for policy in other.policies:
            # Two cases of one baseline share its instruments: the same one may repeat.
            if policies.setdefault(policy.id, policy) != policy:
                what = "means different things in the two cases"
                fix = (
                    "rename one, or make one case the baseline of the other and use"
                    " [set]"
                )
                problems.append(Problem(name, policy.id, what, fix))
        if problems:
            raise InputError(problems)
        # A sum is hypothetical, even of two laws: nobody enacted both together.
        return Case(
            name=name,
            title=" + ".join(filter(None, (self.title, other.title))),
            status="hypothetical",
            as_of=max(filter(None, (self.as_of, other.as_of)), default=None),
            summary=" ".join(filter(None, (self.summary, other.summary))),
            policies=tuple(policies.values()),
        )

    def policy(self, policy_id: str) -> Policy:
        """Return the instrument of an id.

        Raises
        ------
        InputError
            If the case has no such instrument, with the ids it has.
        """
        ids = []
        for policy in self.policies:
            if policy.id == policy_id:
                return policy
            ids.append(policy.id)
        fix = "ids: " + ", ".join(ids)
        raise InputError.one(self.name, policy_id, "no such policy", fix)

    def without(self, *ids: str) -> Case:
        """Return the case without some instruments."""
        # A misspelled id must not leave the case as it is.
        for policy_id in ids:
            self.policy(policy_id)
        remaining = tuple(policy for policy in self.policies if policy.id not in ids)
        name = f"{self.name} without {', '.join(ids)}"
        return self.model_copy(update={"policies": remaining, "name": name})

    def set(self, **changes: Any) -> Case:
        """Return the case with numbers changed.

        The id and the field are joined by ``__``: ``case.set(s232__rate=0.1)``.
        """
        values = {key.replace("__", ".", 1): value for key, value in changes.items()}
        return changed_case(self, values, self.name)

    @property
    def digest(self) -> str:
        """SHA-256 of the instruments; names and prose do not count."""
        # Sorted: the order in a file does not change the case.
        policies = sorted(self.policies, key=lambda policy: policy.id)
        text = json.dumps([policy_dict(policy, prose=False) for policy in policies])
        return hashlib.sha256(text.encode()).hexdigest()


def policy_dict(policy: Policy, prose: bool = True) -> dict[str, Any]:
    """Return a policy as plain data in the form of a case file, defaults left out."""
    left_out = set() if prose else {"note", "source"}
    # Without defaults: a new optional field does not change the digest of old cases.
    body = policy.model_dump(mode="json", exclude_defaults=True, exclude=left_out)
    return {"kind": policy.kind, **body}


class CaseFile(BaseModel):
    """The form of a case file: differences from one baseline."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = Field(description="One line that a minister's staff understands.")
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


def load_case(name: str | Path, data: Dataset | None = None) -> Case:
    """Load a case by name or file; ``a+b`` adds cases.

    Parameters
    ----------
    name : str or Path
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
    # The path of a file may hold a plus.
    parts = [str(name)] if isinstance(name, Path) else name.split("+")
    name = str(name)
    names = [part.strip() for part in parts]
    if not all(names):
        what = f"empty name in {name}" if name.strip() else "empty name"
        raise InputError.one(
            "case", f"'{name}'", what, "name a case on each side of a +"
        )
    cases: list[Case] = []
    problems: list[Problem] = []
    # The problems of all parts are reported together.
    for part in names:
        try:
            cases.append(_resolve(part, data, ()))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    for case in cases:
        if cases.count(case) > 1:
            raise InputError.one(
                name, case.name, "the same case appears twice in it", "name it once"
            )
    total = cases[0]
    for case in cases[1:]:
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

    Raises
    ------
    InputError
        With every problem found.
    """
    apart = ("policies", "digest")
    body = {key: value for key, value in content.items() if key not in apart}
    policies, problems = read_instruments(file, content.get("policies", ()), data)
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
    """Return a case of a file, its baseline resolved first.

    Parameters
    ----------
    seen : tuple of str
        Cases that have this one as their baseline, to find cycles.
    """
    path = find_named(name, data.root / "cases", "case")
    if path.stem in seen:
        chain = " -> ".join((*seen, path.stem))
        raise InputError.one(
            path.name,
            "baseline",
            f"baselines form a cycle ({chain})",
            "remove the baseline of one of them",
        )
    content = read_toml(path)
    try:
        file = from_file(CaseFile, content)
    except ValidationError as error:
        raise InputError(problems_of(error, path.name)) from None
    start = Case(name=path.stem)
    if file.baseline is not None:
        parent = find_baseline(file.baseline, path, data.root / "cases", "case")
        start = _resolve(str(parent), data, (*seen, path.stem))
    added, problems = read_instruments(path.name, file.policy, data)
    problems = [
        *_unknown_removals(file, start, path.name),
        *problems,
        *_clashes(file, start, added, path.name),
    ]
    if problems:
        raise InputError(problems)
    inherited = [policy for policy in start.policies if policy.id not in file.remove]
    case = start.model_copy(
        update={
            "name": path.stem,
            "title": file.title,
            "status": file.status,
            "as_of": file.as_of,
            "summary": file.summary,
            "policies": (*inherited, *added),
        }
    )
    # `set` comes last: it may also change an instrument of this file.
    return changed_case(case, file.set, path.name)


def _unknown_removals(file: CaseFile, start: Case, name: str) -> list[Problem]:
    """Return a problem for each instrument to remove that the baseline lacks."""
    ids = {policy.id for policy in start.policies}
    problems = []
    for policy_id in file.remove:
        if policy_id not in ids:
            place = f"remove: {policy_id}"
            what = "is not in the baseline"
            problems.append(Problem(name, place, what, _near(policy_id, start)))
    return problems


def _clashes(
    file: CaseFile, start: Case, added: list[Policy], name: str
) -> list[Problem]:
    """Return problems of instruments added twice, or beside an inherited one."""
    inherited = {policy.id for policy in start.policies} - set(file.remove)
    counts = Counter(policy.id for policy in added)
    problems = []
    for policy_id, count in counts.items():
        place = f"policy {policy_id}"
        if policy_id in inherited:
            what = "is already in the baseline"
            fix = "use [set] or remove it first"
            problems.append(Problem(name, place, what, fix))
        elif count > 1:
            what = "appears twice in the file"
            problems.append(Problem(name, place, what, "give each its own id"))
    total = len(inherited) + len(added)
    if total > MOST_POLICIES:
        what = f"the case holds {total} policies"
        fix = f"a case may have {MOST_POLICIES} at most"
        problems.append(Problem(name, "policy", what, fix))
    return problems


def _near(policy_id: str, case: Case) -> str:
    ids = [policy.id for policy in case.policies]
    return "its ids: " + offer(policy_id, ids)


def changed_case(case: Case, changes: dict[str, Any], file: str) -> Case:
    """Return a case with fields of its instruments changed.

    Parameters
    ----------
    changes : dict
        Values by ``id.field``.
    file : str
        Where they come from, for messages.

    Raises
    ------
    InputError
        With every id, field or value that does not fit.
    """
    problems: list[Problem] = []
    policies = {policy.id: policy for policy in case.policies}
    fields_by_policy: dict[str, dict[str, Any]] = defaultdict(dict)
    for target, value in changes.items():
        place = f"set {target}"
        policy_id, _, field = target.partition(".")
        policy = policies.get(policy_id)
        if policy is None:
            what = f"no policy '{policy_id}'"
            problems.append(Problem(file, place, what, _near(policy_id, case)))
            continue
        fields = [name for name in type(policy).model_fields if name != "id"]
        if field not in fields:
            what = f"{policy.kind} has no field '{field}'"
            fix = f"fields: {', '.join(fields)}"
            problems.append(Problem(file, place, what, fix))
            continue
        fields_by_policy[policy_id][field] = value
    for policy_id, new_fields in fields_by_policy.items():
        policy = policies[policy_id]
        # The whole instrument is validated again, with all its changes: a field may
        # not fit the others, and their order in the file must not matter.
        content = {**policy.model_dump(), **new_fields}
        try:
            policies[policy_id] = from_file(type(policy), content)
        except ValidationError as error:
            problems += problems_of(error, file, f"set {policy_id}")
    if problems:
        raise InputError(problems)
    return case.model_copy(update={"policies": tuple(policies.values())})


def baseline_of(name: str, data: Dataset) -> Case | None:
    """Return the baseline of a case by name or file; a sum of cases has none."""
    if "+" in name:
        return None
    path = case_path(name, data)
    baseline = read_toml(path).get("baseline")
    if baseline is None:
        return None
    parent = find_baseline(str(baseline), path, data.root / "cases", "case")
    return _resolve(str(parent), data, ())


def case_path(name: str, data: Dataset) -> Path:
    """Return the file of a named case."""
    return find_named(name, data.root / "cases", "case")
