"""New files to edit: a commented case file, and a copy of the data."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

from chipmodel.cases.case import Case
from chipmodel.cases.describe import number_unit
from chipmodel.common.errors import InputError
from chipmodel.common.ids import ID_PATTERN
from chipmodel.common.toml import toml_text
from chipmodel.dataset.dataset import Dataset
from chipmodel.policies.base import Policy


def case_template(name: str, parent: Case, parent_name: str) -> str:
    """Return the text of a case file that inherits `parent`.

    All that may be changed is in it as comments.
    """
    head = toml_text(
        {
            "title": f"{name}: one line on what differs from {parent_name}",
            "baseline": parent_name,
            "status": "hypothetical",
            "as_of": parent.as_of or "2000-01-01",
            "summary": "What the case represents and where it comes from.",
        }
    ).splitlines()
    notes = {
        "title": "one line that a minister's staff understands",
        "baseline": "the one parent; what follows are differences from it",
        "status": "law | announced | threatened | hypothetical",
        "as_of": "date of the information",
        "summary": "a paragraph of context",
    }
    lines = []
    for line in head:
        # `toml_text` writes a key and its value a line.
        key = line.split(" = ")[0]
        lines += [f"# {notes[key]}", line]
    lines += ["", "# Instruments of the baseline to drop:"]
    ids = ", ".join(f'"{policy.id}"' for policy in parent.policies)
    lines.append(f"# remove = [{ids}]")
    lines += ["", "# Numbers of the baseline to change:", "# [set]", *_numbers(parent)]
    lines += [
        "",
        '# Instruments to add; every one needs an id, years and a source (or "own").',
        "# The fields of each kind:",
    ]
    for kind, policy in sorted(Policy.kinds.items()):
        lines += ["#", f"# {policy.law}", *_fields(kind, policy)]
    return "\n".join(lines) + "\n"


def _numbers(parent: Case) -> list[str]:
    lines = []
    for policy in parent.policies:
        for field, info in type(policy).model_fields.items():
            unit = number_unit(info)
            value = getattr(policy, field)
            if unit is not None and value is not None:
                lines.append(f'# "{policy.id}.{field}" = {value!r}    # {unit}')
    return lines or ["# (the baseline has no numbers)"]


def _fields(kind: str, policy: type[Policy]) -> list[str]:
    lines = ["# [[policy]]", f'# kind = "{kind}"']
    for field, info in policy.model_fields.items():
        need = "" if info.is_required() else " (may be left out)"
        lines.append(f"# {field} =     # {info.description}{need}")
    return lines


def new_case(target: str, parent: Case, parent_name: str, folder: Path) -> Path:
    """Write a commented case file; an existing file is never replaced.

    Parameters
    ----------
    target : str
        A name, written as ``folder/<name>.toml``, or a path that ends in ``.toml``.
    parent : Case
    parent_name : str
    folder : Path

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        If the name is not an id, or the file exists or cannot be written.
    """
    path = Path(target) if target.endswith(".toml") else folder / f"{target}.toml"
    if not re.fullmatch(ID_PATTERN, path.stem):
        raise InputError.one(
            str(path),
            "name",
            "is not a name for a case",
            "use small letters, digits and underscores, a letter first, at most 41"
            " in all",
        )
    text = case_template(path.stem, parent, parent_name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".new.") as draft:
            whole = Path(draft) / path.name
            whole.write_text(text, encoding="utf-8", newline="\n")
            # Unlike a rename, a link never replaces an existing file.
            path.hardlink_to(whole)
    except FileExistsError:
        raise InputError.one(
            str(path), "file", "exists already", "choose another name, or remove it"
        ) from None
    except OSError as error:
        what = f"cannot be written ({error.strerror})"
        raise InputError.one(str(path), "file", what, "choose another path") from None
    return path


def copy_data(data: Dataset, target: str | Path) -> Path:
    """Copy a data package with its cases, worlds and studies into a new folder.

    The folder must be empty or not exist. The copy appears whole or not at all.

    Raises
    ------
    InputError
        If the folder is in use or cannot be written.
    """
    folder = Path(target)
    source = data.root.resolve()
    # A copy inside its source would be copied into itself.
    if folder.resolve().is_relative_to(source):
        raise InputError.one(
            str(folder),
            "folder",
            "lies inside the data it would copy",
            "choose another folder",
        )
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise InputError.one(
                str(folder),
                "folder",
                "is not empty",
                "choose another folder, or empty this one",
            )
        folder.parent.mkdir(parents=True, exist_ok=True)
        prefix = f".{folder.name}."
        ignored = shutil.ignore_patterns("__pycache__", ".*")
        # Copied beside the target and renamed, so that it appears whole or not at all.
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=prefix) as draft:
            whole = Path(draft) / "data"
            shutil.copytree(source, whole, ignore=ignored)
            whole.rename(folder)
    except (OSError, shutil.Error) as error:
        reason = getattr(error, "strerror", None) or "not every file could be copied"
        raise InputError.one(
            str(folder),
            "folder",
            f"cannot be written ({reason})",
            "choose another folder",
        ) from None
    return folder
