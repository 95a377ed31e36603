"""The folder of a study: claimed before anything is solved, listed when it is written.

A study writes its files one by one, beside its chunks and the folders of its results.
Its manifest lists them with their hashes, and what they depend on.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chipmodel.common.errors import InputError
from chipmodel.common.files import unwritable, write_whole
from chipmodel.common.fingerprint import is_untouched, sealed
from chipmodel.common.folders import prepare
from chipmodel.common.locks import FolderLock, folder_lock
from chipmodel.results.folder import MANIFEST, digests

CLAIM = ".claim.json"
"""Hidden file of a study at work: its digest, and the files it may have written."""

OTHER = "choose another folder with --out"


@dataclass(frozen=True)
class StudyFolder:
    """The folder of a study.

    Attributes
    ----------
    folder : Path
    about : dict
        What the files depend on, plain data for the manifest, with its ``digest``.
    planned : frozenset of str
        Files that the study may write.
    """

    folder: Path
    about: Mapping[str, Any]
    planned: frozenset[str]

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Hold the folder for this study, alone or with others of the same digest.

        Raises
        ------
        InputError
            If another study is at work in it, or a file of others would be lost.
        """
        prepare(self.folder)
        with folder_lock(self.folder) as lock:
            self._claim(lock)
            try:
                yield
            finally:
                # After a kill it stays, and the next run learns from it which files
                # are the study's.
                if self._is_mine(CLAIM):
                    with suppress(OSError):
                        (self.folder / CLAIM).unlink()

    def _claim(self, lock: FolderLock) -> None:
        if lock.is_alone():
            # A claim of another digest is that of a process that was killed.
            mine = self._files()
            self._refuse_foreign(mine)
            files = sorted(mine | self.planned | {MANIFEST})
            claim = {"digest": self.about["digest"], "files": files}
            write_whole(self.folder / CLAIM, json.dumps(claim) + "\n")
        lock.share()
        if not self._is_mine(CLAIM) and not self._is_mine(MANIFEST):
            raise self._taken()

    def _refuse_foreign(self, mine: Collection[str]) -> None:
        """Refuse to replace files that no study has written."""
        for name in sorted(self.planned | {MANIFEST}):
            path = self.folder / name
            is_listed = name in mine and not path.is_dir()
            if (path.exists() or path.is_symlink()) and not is_listed:
                raise InputError.one(
                    str(path),
                    "output",
                    "was not written by a study and would be lost",
                    "move it away, or choose another folder with --out",
                )

    def _files(self) -> set[str]:
        """Return the files that studies have written here, as far as they are known."""
        names = {*_read(self.folder / CLAIM).get("files", ())}
        manifest = _read(self.folder / MANIFEST)
        if is_untouched(manifest) and "study" in manifest:
            names |= {MANIFEST, *manifest["outputs"]}
        # A manifest received from others must not name files of other folders.
        return {name for name in names if Path(name).name == name}

    def _is_mine(self, name: str) -> bool:
        digest = _read(self.folder / name).get("digest")
        return bool(digest == self.about["digest"])

    def _taken(self) -> InputError:
        what = "another study is writing here just now"
        return InputError.one(str(self.folder), "output", what, OTHER)

    def write(self, content: Mapping[str, bytes]) -> list[Path]:
        """Write the files and their manifest, and remove those of earlier runs.

        Raises
        ------
        InputError
            If they cannot be written, or another study has claimed the folder.
        """
        if not self._is_mine(CLAIM) and not self._is_mine(MANIFEST):
            raise self._taken()
        stale = self._files() - content.keys()
        if self._is_mine(MANIFEST):
            stale.discard(MANIFEST)
        for name in sorted(stale):
            path = self.folder / name
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise unwritable(path, error) from None
        for name, raw in content.items():
            write_whole(self.folder / name, raw)
        manifest = {**self.about, "outputs": digests(content)}
        write_whole(self.folder / MANIFEST, sealed(manifest))
        return [self.folder / name for name in (*content, MANIFEST)]

    def left_behind(self, written: Collection[Path]) -> list[str]:
        """Return the names of folders of earlier runs that this one did not write."""
        names = []
        for path in sorted(self.folder.iterdir()):
            is_of_a_run = (path / MANIFEST).is_file() or (path / "sweep.json").is_file()
            if path not in written and is_of_a_run and not path.name.startswith("."):
                names.append(path.name)
        return names


def _read(path: Path) -> dict[str, Any]:
    """Return what a file of JSON holds; nothing if it is absent or was damaged."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
