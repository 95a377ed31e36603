"""Read TOML input with errors that name file and place; write output so that it is whole or absent."""

from __future__ import annotations

import errno
import os
import re
import shutil
import tempfile
import time
import tomllib
import uuid
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from chipmodel.common.errors import InputError, Problem, character
from chipmodel.common.ids import ID_PATTERN, REGION_PATTERN
from chipmodel.common.text import offer

ModelT = TypeVar("ModelT", bound=BaseModel)


LARGEST = 50_000_000
"""Bytes of the largest file that is read."""


LITTER = 3600.0
"""Seconds after which a file that is not whole yet never will be."""


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
            return stream.read(LARGEST)  # a device has no size and no end
    except OSError as error:
        raise InputError.one(
            path.name,
            "file",
            f"cannot be read ({error.strerror or 'no reason given'})",
            fix,
        ) from None
    except ValueError as error:  # a name with a character no file can have
        raise InputError.one(
            path.name, "file", f"cannot be read ({error})", fix
        ) from None


def is_file(path: Path) -> bool:
    """Whether there is a file; a name too long for one is none."""
    with suppress(OSError, ValueError):
        return path.is_file()
    return False


def text_of(file: str, raw: bytes) -> str:
    """Return the text of a file; a byte-order mark is dropped, Windows line ends become plain ones.

    Raises
    ------
    InputError
        If it is not UTF-8, or holds a character that does not show: nobody could see
        what it does.
    """
    try:
        text = raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise InputError.one(
            file, f"byte {error.start}", "is not UTF-8 text", "save it as UTF-8"
        ) from None
    hidden = [
        Problem(
            file,
            f"line {number}",
            f"holds {character(odd)}, which does not show",
            "write a plain space or remove it",
        )
        for number, line in enumerate(text.split("\n"), start=1)
        if (
            odd := next(
                (c for c in line if not c.isprintable() and c not in "\t\r"), None
            )
        )
        is not None
    ]
    if hidden:
        raise InputError(hidden)
    return text


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises
    ------
    InputError
        If it cannot be read or is not TOML.
    """
    text = text_of(path.name, read_file(path))
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"at line (\d+)", str(error))
        line = (
            f": {text.split(chr(10))[int(place[1]) - 1].strip()[:80]}" if place else ""
        )
        raise InputError.one(
            path.name, "TOML", f"{error}{line}", "correct the line named"
        ) from None
    except (
        ValueError,
        RecursionError,
    ) as error:  # a number of thousands of digits, lists in lists in lists
        raise InputError.one(
            path.name,
            "TOML",
            f"cannot be read ({error})",
            "write plain numbers and lists",
        ) from None


def from_file(model: type[ModelT], content: dict[str, Any]) -> ModelT:
    """Check what a file says against a model, without turning text, truth values or fractions into numbers."""
    return model.model_validate(_tuples(content), strict=True)


def _tuples(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _tuples(v) for k, v in value.items()}
    return tuple(_tuples(v) for v in value) if isinstance(value, list) else value


def problems_of(
    error: ValidationError, file: str, place: str = "", regions: Iterable[str] = ()
) -> list[Problem]:
    """Turn pydantic's findings into problems of a file; `regions` are those to choose from."""
    found = []
    for fault in error.errors():
        where, what, fix = _told(dict(fault), tuple(regions))
        found.append(
            Problem(file, ".".join(x for x in (place, where) if x) or "file", what, fix)
        )
    return found


def _told(fault: dict[str, Any], regions: tuple[str, ...]) -> tuple[str, str, str]:
    """Return place, what is wrong and the mend of one of pydantic's findings."""
    loc = [str(part) for part in fault["loc"]]
    where, kind, given = ".".join(loc), fault["type"], fault.get("input")
    if "years" in loc and (
        kind in ("too_long", "tuple_type") or (kind == "missing" and loc[-1] != "years")
    ):
        return (
            ".".join(loc[: loc.index("years") + 1]),
            "is not two years",
            "give two years, [first, last]",
        )
    if kind == "extra_forbidden":
        return where, "unknown key", "remove it or check its spelling"
    if kind == "missing":
        return where, "is missing", "add it"
    if kind == "string_pattern_mismatch":
        pattern = fault.get("ctx", {}).get("pattern")
        if pattern == REGION_PATTERN:
            fix = (
                "use one of " + ", ".join(regions)
                if regions
                else "use three capital letters, such as USA"
            )
            return where, f"'{given}' is no region", fix
        if pattern == ID_PATTERN:
            return (
                where,
                f"'{given}' is no id",
                "use small letters, digits and _, a letter first, 41 at most",
            )
    what = str(fault["msg"]).removeprefix("Value error, ")
    return (
        where,
        f"'{given}': {what}" if isinstance(given, str) else what,
        "correct the value",
    )


def find_named(name: str, folder: Path, what: str, also: Iterable[str] = ()) -> Path:
    """Find `name` as a path or as ``folder/name.toml``; offer the nearest names otherwise, those in `also` too."""
    if name.endswith(".toml") or "/" in name:
        return Path(name)
    path = folder / f"{name}.toml"
    if is_file(path):
        return path
    known = [*names_in(folder), *also]
    fix = offer(name, known) if known else f"there is none in {folder}"
    if is_file(Path(f"{name}.toml")):
        fix = f"the file here is ./{name}.toml; or {fix}"
    raise InputError.one(name, what, f"no such {what}", fix)


def file_beside(path: Path, name: str) -> Path:
    """Return the file of a name that lies beside another; what somebody sends reads no other files of its user."""
    if Path(name).name != name or name == "..":
        raise InputError.one(
            path.name,
            f"'{name}'",
            "is not the name of a file beside it",
            "put the file beside it",
        )
    return path.parent / name


def names_in(folder: Path) -> list[str]:
    """Names of the TOML files of a folder, sorted."""
    return sorted(p.stem for p in folder.glob("*.toml"))


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file so that it is there whole or not at all."""
    data = content.encode() if isinstance(content, str) else content
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        clear_litter(path)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            Path(name).chmod(0o644)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise InputError.one(
            str(path),
            "output",
            f"cannot be written ({error.strerror or error})",
            "choose another folder with --out",
        ) from None


def clear_litter(target: Path) -> None:
    """Remove what killed processes left of a file or folder they were writing: hidden, beside it, an hour old."""
    with os.scandir(target.parent) as there:
        found = [one for one in there if one.name.startswith(f".{target.name}.")]
    for one in found:
        # A younger one may be somebody's who is writing just now.
        with suppress(OSError):
            if time.time() - one.stat().st_mtime > LITTER:
                shutil.rmtree(one.path) if one.is_dir() else Path(one.path).unlink()


def toml_text(data: dict[str, Any], order: Iterable[str] = ()) -> str:
    """Write plain data (strings, numbers, lists, flat tables, lists of flat tables) as TOML."""
    lines: list[str] = []
    keys = [k for k in order if k in data] + [k for k in data if k not in set(order)]
    for key in keys:
        value = data[key]
        if not isinstance(value, dict) and not (
            isinstance(value, list) and value and isinstance(value[0], dict)
        ):
            lines.append(f"{_toml_key(key)} = {_toml_value(value)}")
    for key in keys:
        value = data[key]
        if isinstance(value, dict):
            lines += ["", f"[{_toml_key(key)}]", *_toml_lines(value)]
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            for entry in value:
                lines += ["", f"[[{_toml_key(key)}]]", *_toml_lines(entry)]
    return "\n".join(lines) + "\n"


def _toml_lines(table: dict[str, Any]) -> list[str]:
    return [f"{_toml_key(key)} = {_toml_value(value)}" for key, value in table.items()]


def _toml_key(key: str) -> str:
    plain = key.isascii() and key.replace("_", "").replace("-", "").isalnum()
    return key if plain else _toml_value(key)


def _toml_value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml_value(v) for v in value) + "]"
    if isinstance(value, dict):
        return (
            "{ "
            + ", ".join(f"{_toml_key(k)} = {_toml_value(v)}" for k, v in value.items())
            + " }"
        )
    return '"' + "".join(_toml_character(c) for c in str(value)) + '"'


def _toml_character(character: str) -> str:
    short = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"}
    if character in short:
        return short[character]
    return (
        f"\\u{ord(character):04x}"
        if ord(character) < 32 or ord(character) == 127
        else character
    )


def write_folder(
    target: Path, content: Mapping[str, bytes], mine: Iterable[str] = ()
) -> None:
    """Write a folder of files whole, in the place of one that holds nothing but these files and `mine`.

    Raises
    ------
    InputError
        If it cannot be written, or holds other files.
    """
    refuse_foreign(target, {*content, *mine})
    try:
        _write_folder(target, content)
    except OSError as error:
        raise _unwritable(target, error) from None


def prepare(out: str | Path) -> Path:
    """Make a folder for results and see that it can be written, before long work starts."""
    folder = Path(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise _unwritable(folder, error) from None
    return folder


def _unwritable(path: Path, error: OSError) -> InputError:
    what = f"cannot be written ({error.strerror or error})"
    return InputError.one(str(path), "output", what, "choose another folder with --out")


def refuse_foreign(target: Path, mine: set[str]) -> None:
    """Refuse a folder that holds other files than `mine`, which would be lost."""
    with suppress(OSError):
        foreign = sorted(
            {p.name for p in target.iterdir() if not p.name.startswith(".")} - mine
        )
        if foreign:
            raise InputError.one(
                str(target),
                ", ".join(foreign),
                "was not written by chipmodel and would be lost",
                "move it away, or choose another folder with --out",
            )


def _write_folder(target: Path, content: Mapping[str, bytes]) -> None:
    target.parent.mkdir(
        parents=True, exist_ok=True
    )  # another process that failed may have tidied it away
    clear_litter(target)
    temporary = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
    try:
        for name, raw in content.items():
            with (temporary / name).open("wb") as stream:
                stream.write(raw)
                stream.flush()
                os.fsync(stream.fileno())
        temporary.chmod(0o755)
        _sync(temporary)
        _swap_in(temporary, target)
        _sync(target.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _swap_in(new: Path, target: Path) -> None:
    """Rename `new` to `target`; a folder that stands there is renamed away first, and deleted last.

    Somebody else may do the same at the same time: whoever finds the place taken moves
    that away in its turn, so that a whole folder stands there in the end.
    """
    away: list[Path] = []
    try:
        while True:
            try:
                new.rename(target)
                return
            except OSError as error:
                if (
                    error.errno not in (errno.ENOTEMPTY, errno.EEXIST)
                    or len(away) > 100
                ):
                    raise
            old = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
            with suppress(FileNotFoundError):
                target.rename(old)
                away.append(old)
    except OSError:
        if away and not target.exists():
            away.pop().rename(target)
        raise
    finally:
        for old in away:
            shutil.rmtree(old, ignore_errors=True)


def _sync(folder: Path) -> None:
    with suppress(OSError):  # some systems cannot open a folder
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
