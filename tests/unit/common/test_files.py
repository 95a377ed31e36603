"""Files and folders are written whole, through links, and never in place of others."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from chipmodel.common.errors import InputError
from chipmodel.common.files import create_whole, names_in, visible_files, write_whole
from chipmodel.common.folders import prepare, refuse_foreign, write_folder

needs_devices = pytest.mark.skipif(
    os.name != "posix" or not hasattr(os, "mkfifo"), reason="needs a POSIX system"
)


@needs_devices
def test_a_device_or_pipe_is_never_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    link = tmp_path / "link"
    link.symlink_to("/dev/null")
    for path in (pipe, link, Path("/dev/null")):
        before = path.stat()
        with pytest.raises(InputError, match="is a device, not a file"):
            write_whole(path, "text")
        assert path.stat().st_mode == before.st_mode
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)
    with pytest.raises(InputError, match="is a folder"):
        write_whole(tmp_path, "text")


def test_a_link_stays_and_the_file_behind_it_is_written(tmp_path):
    for name, target in (("link", "deep/file"), ("again", "link"), ("new", "deep/b")):
        (tmp_path / "deep").mkdir(exist_ok=True)
        link = tmp_path / name
        link.symlink_to(tmp_path / target)
        write_whole(link, name)
        assert link.is_symlink()
        assert (tmp_path / target).read_text() == name
    assert not list(tmp_path.rglob(".*"))


def test_links_in_a_circle_are_reported(tmp_path):
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(InputError, match="cannot be written"):
        write_whole(tmp_path / "a", "text")


@needs_devices
def test_what_is_written_has_the_rights_that_the_user_set(tmp_path):
    before = os.umask(0o077)
    try:
        write_whole(tmp_path / "file", "text")
        write_folder(tmp_path / "folder", {"file": b"text"})
    finally:
        os.umask(before)
    for name, rights in (("file", 0o600), ("folder", 0o700), ("folder/file", 0o600)):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == rights


def test_of_many_one_creates_a_file(tmp_path):
    path = tmp_path / "mark"
    assert [create_whole(path, text) for text in "abc"] == [True, False, False]
    assert path.read_text() == "a"
    assert [entry.name for entry in tmp_path.iterdir()] == ["mark"]


def test_what_an_editor_or_a_system_puts_beside_a_file_is_no_file_of_the_folder(
    tmp_path,
):
    (tmp_path / "case.toml").write_text("")
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "._case.toml").write_text("")
    (tmp_path / ".#case.toml").symlink_to("user@host.1234")
    (tmp_path / "gone.toml").symlink_to(tmp_path / "nowhere")
    assert names_in(tmp_path) == ["case"]
    assert visible_files(tmp_path, "*") == [tmp_path / "case.toml"]


# -- folders


def test_a_folder_behind_a_link_is_replaced_and_the_link_stays(tmp_path):
    write_folder(tmp_path / "elsewhere" / "result", {"a": b"1", "b": b"1"})
    link = tmp_path / "result"
    link.symlink_to(tmp_path / "elsewhere" / "result")
    write_folder(link, {"a": b"2"}, mine={"b"})
    assert link.is_symlink()
    behind = tmp_path / "elsewhere" / "result"
    assert {path.name: path.read_bytes() for path in behind.iterdir()} == {"a": b"2"}


@pytest.mark.parametrize("place", ["out", "out/deep"])
def test_a_link_that_leads_nowhere_is_named(place, tmp_path):
    (tmp_path / "out").symlink_to(tmp_path / "disk")
    for call in (prepare, lambda folder: refuse_foreign(folder, set())):
        with pytest.raises(InputError, match="disk, which does not exist") as caught:
            call(tmp_path / place)
        assert "make that folder, or choose another" in str(caught.value)


@pytest.mark.parametrize("name", [".git", ".notes", "notes.md"])
def test_a_folder_with_other_files_is_not_replaced(name, tmp_path):
    folder = tmp_path / "result"
    write_folder(folder, {"a": b"1"})
    (folder / name).write_text("mine")
    with pytest.raises(InputError, match=name):
        write_folder(folder, {"a": b"2"})
    assert (folder / name).read_text() == "mine"
    assert (folder / "a").read_bytes() == b"1"


def test_a_folder_with_the_name_of_a_file_is_not_replaced(tmp_path):
    folder = tmp_path / "result"
    (folder / "a").mkdir(parents=True)
    (folder / "a" / "thesis").write_text("mine")
    with pytest.raises(InputError, match="would be lost"):
        write_folder(folder, {"a": b"2"})
    assert (folder / "a" / "thesis").read_text() == "mine"


def test_a_file_in_place_of_a_folder_is_not_replaced(tmp_path):
    (tmp_path / "result").write_text("mine")
    with pytest.raises(InputError, match="is a file, where a folder is to be written"):
        write_folder(tmp_path / "result", {"a": b"2"})
    assert (tmp_path / "result").read_text() == "mine"


def test_what_a_file_manager_leaves_is_nobodys(tmp_path):
    folder = tmp_path / "result"
    write_folder(folder, {"a": b"1"})
    (folder / ".DS_Store").write_text("")
    write_folder(folder, {"a": b"2"})
    assert [path.name for path in folder.iterdir()] == ["a"]
