"""Read files with errors that name file and place; write files whole or not at all."""

from __future__ import annotations

import os
import shutil
import stat
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from chipmodel.common.errors import InputError, Problem, character
from chipmodel.common.text import offer

LARGEST = 50_000_000
"""Bytes of the largest file that is read."""

DRAFT = "chipmodel_"
"""Start of the last part of the hidden name under which a file is written."""

ABANDONED_AFTER = 3600.0
"""Seconds after which an unfinished file counts as left behind by a killed process."""


def read_file(path: Path, fix: str = "check the path") -> bytes:
    """Read a file that a user names.

    Raises
    ------
    InputError
        If it cannot be read or is larger than 50 MB.
    """
    try:
        size = path.stat().st_size
        if size > LARGEST:
            raise InputError.one(
                path.name,
                "file",
                f"has {size / 1e6:,.0f} MB",
                "a file may have 50 MB at most",
            )
        with path.open("rb") as stream:
            # A device has no size and no end.
            return stream.read(size + 1 if size else LARGEST)
    except OSError as error:
        what = f"cannot be read ({error.strerror or 'no reason given'})"
        raise InputError.one(path.name, "file", what, fix) from None
    except ValueError as error:  # a name with a character no file can have
        what = f"cannot be read ({error})"
        raise InputError.one(path.name, "file", what, fix) from None


def is_file(path: Path) -> bool:
    """Whether there is a file; false for a name too long for one."""
    with suppress(OSError, ValueError):
        return path.is_file()
    return False


def text_of(file: str, raw: bytes) -> str:
    """Return the text of a file.

    A byte-order mark is dropped, Windows line ends become plain ones.

    Raises
    ------
    InputError
        If it is not UTF-8, or has an invisible character: no reader of the file could
        see what it does.
    """
    try:
        text = raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise InputError.one(
            file, f"byte {error.start}", "is not UTF-8 text", "save it as UTF-8"
        ) from None
    problems = []
    for number, line in enumerate(text.split("\n"), start=1):
        hidden = _first_hidden(line)
        if hidden:
            what = f"holds {character(hidden)}, which does not show"
            fix = "write a plain space or remove it"
            problems.append(Problem(file, f"line {number}", what, fix))
    if problems:
        raise InputError(problems)
    return text


def _first_hidden(line: str) -> str:
    if line.isprintable():
        return ""
    for char in line:
        if not char.isprintable() and char not in "\t\r":
            return char
    return ""


def find_named(name: str, folder: Path, what: str, also: Iterable[str] = ()) -> Path:
    """Return the path of a TOML file by its path, or by its name in a folder.

    Parameters
    ----------
    name : str
        A path, or the name of ``folder/name.toml``.
    folder : Path
    what : str
        What is looked for, such as ``case``, for the message.
    also : iterable of str
        Other names that could have been meant.

    Raises
    ------
    InputError
        If there is none, with the nearest names; if a device or a broken link has its
        name.
    """
    if name.endswith(".toml") or "/" in name:
        return Path(name)
    path = folder / f"{name}.toml"
    if is_file(path):
        return path
    if os.path.lexists(path) and not path.is_dir():
        fix = f"put the file of the {what} in its place"
        raise InputError.one(path.name, "file", "is not a plain file", fix)
    known = [*names_in(folder), *also]
    fix = f"there is none in {folder}"
    if known:
        fix = offer(name, known)
    if is_file(Path(f"{name}.toml")):
        fix = f"the file here is ./{name}.toml; or {fix}"
    raise InputError.one(name, what, f"no such {what}", fix)


def file_beside(path: Path, name: str) -> Path:
    """Return the path of a file in the folder of another.

    Raises
    ------
    InputError
        If the name leads to another folder: a study received from others must not read
        other files of its user.
    """
    if Path(name).name != name or name == "..":
        raise InputError.one(
            path.name,
            f"'{name}'",
            "is not the name of a file beside it",
            "put the file beside it",
        )
    return path.parent / name


def find_baseline(baseline: str, path: Path, folder: Path, what: str) -> Path:
    """Return the file of a baseline that a file names.

    A path leads to a file of the same folder only, so that a file received from others
    cannot read other files of its user.

    Parameters
    ----------
    baseline : str
        The name of ``folder/baseline.toml``, or of a file beside the one that names it.
    path : Path
        The file that names it.
    folder : Path
    what : str
        What both are, such as ``case``, for messages.

    Raises
    ------
    InputError
        If there is no such file.
    """
    fix = f"name a {what} of the data package, or a {what} file beside this one"
    if baseline.endswith(".toml") or "/" in baseline:
        beside = file_beside(path, baseline)
        if not is_file(beside):
            problem = f"there is no file '{baseline}' beside it"
            raise InputError.one(path.name, "baseline", problem, fix)
        return beside
    try:
        return find_named(baseline, folder, what)
    except InputError as error:
        if error.problems[0].file != baseline:
            raise
        nearest = error.problems[0].fix
        problem = f"no such {what} '{baseline}'"
        raise InputError.one(path.name, "baseline", problem, nearest) from None


def names_in(folder: Path) -> list[str]:
    """Return the names of the TOML files of a folder, sorted."""
    return [path.stem for path in visible_files(folder, "*.toml")]


def visible_files(folder: Path, pattern: str) -> list[Path]:
    """Return the files of a folder that match a pattern, sorted.

    Hidden ones are left out: editors and file managers put them beside those that they
    show.
    """
    files = []
    for path in sorted(folder.glob(pattern)):
        if not path.name.startswith(".") and is_file(path):
            files.append(path)
    return files


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file so that it is there whole or not at all.

    A link stays, and the file it leads to is written.

    Raises
    ------
    InputError
        If it cannot be written, or is there and is no plain file.
    """
    target = file_behind(path)
    try:
        with _draft_of(target, content) as draft:
            draft.replace(target)
    except OSError as error:
        raise unwritable(path, error) from None


def create_whole(path: Path, content: str | bytes) -> bool:
    """Write a file, unless there is one: of several processes one writes it.

    Returns
    -------
    bool
        Whether it was written.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    try:
        with _draft_of(path, content) as draft:
            # Unlike a rename, a link never replaces a file.
            path.hardlink_to(draft)
    except FileExistsError:
        return False
    except OSError as error:
        raise unwritable(path, error) from None
    return True


def file_behind(path: Path) -> Path:
    """Return the file that a path leads to, through links, which need not exist yet.

    Raises
    ------
    InputError
        If something else is there, such as a device: it would be replaced by a file.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        mode = stat.S_IFREG
    except (OSError, ValueError) as error:
        raise unwritable(path, error) from None
    if not stat.S_ISREG(mode):
        what = "is a folder" if stat.S_ISDIR(mode) else "is a device, not a file"
        raise InputError.one(str(path), "output", what, "name a file")
    return Path(os.path.realpath(path))


@contextmanager
def _draft_of(target: Path, content: str | bytes) -> Iterator[Path]:
    """Write a file beside its target, to be renamed in the block."""
    raw = content.encode() if isinstance(content, str) else content
    target.parent.mkdir(parents=True, exist_ok=True)
    remove_abandoned(target)
    draft = draft_name(target)
    try:
        with draft.open("xb") as stream:
            stream.write(raw)
            stream.flush()
            os.fsync(stream.fileno())
        yield draft
    finally:  # also after Ctrl-C
        draft.unlink(missing_ok=True)


def unwritable(path: Path, error: OSError | ValueError) -> InputError:
    """Return the error for an output that the system refuses to write."""
    reason = error.strerror if isinstance(error, OSError) else None
    what = f"cannot be written ({reason or error})"
    return InputError.one(str(path), "output", what, "choose another folder with --out")


def draft_name(target: Path) -> Path:
    """Return a new hidden name beside a file or folder, for what replaces it."""
    return target.with_name(f".{target.name}.{DRAFT}{uuid.uuid4().hex}")


def remove_abandoned(target: Path) -> None:
    """Remove what killed processes left of a file or folder they were writing.

    These are hidden entries beside it of a `draft_name`. Only those older than an hour
    are removed: a younger one may belong to a process that is writing just now.
    """
    beginning = f".{target.name}.{DRAFT}"
    with os.scandir(target.parent) as entries:
        drafts = [entry for entry in entries if entry.name.startswith(beginning)]
    for draft in drafts:
        with suppress(OSError):
            if time.time() - draft.stat().st_mtime <= ABANDONED_AFTER:
                continue
            if draft.is_dir():
                shutil.rmtree(draft.path)
            else:
                Path(draft.path).unlink()
