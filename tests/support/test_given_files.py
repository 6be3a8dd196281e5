"""Files that may be a stranger's: nothing is waited for, no link out of the folder is followed, sizes are bounded."""

import os

import pytest

from appwitness.support import given_files
from appwitness.support.errors import FileError


@pytest.fixture
def here(tmp_path):
    folder = tmp_path / "theirs"
    folder.mkdir()
    (tmp_path / "secret.yml").write_text("version: 1\n")
    return folder


def pipe(path):
    os.mkfifo(path)


def folder(path):
    path.mkdir()


def large(path):
    with path.open("wb") as file:
        file.truncate(1 << 40)


def grown(path):
    path.write_bytes(b"x" * 101)


def link_to(target):
    return lambda path: path.symlink_to(target)


HOSTILE = {
    "pipe": pipe,
    "folder": folder,
    "large": large,
    "grown": grown,
    "zeros": link_to("/dev/zero"),
    "out": link_to("../secret.yml"),
    "absolute": link_to("/etc/hostname"),
    "loop": link_to("it.yml"),
    "nowhere": link_to("none.yml"),
    "absent": lambda _path: None,
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_all_but_a_plain_file_of_the_folder_is_refused(here, kind):
    path = here / "it.yml"
    HOSTILE[kind](path)
    with pytest.raises(FileError) as raised:
        given_files.read(path, 100)
    assert str(path) in raised.value.what


def test_a_link_within_the_folder_is_followed(here):
    (here / "real.yml").write_text("a\r\nb\rc\n")
    (here / "it.yml").symlink_to("real.yml")
    assert given_files.read(here / "it.yml", 100) == b"a\r\nb\rc\n"
    assert given_files.text(here / "it.yml", 100) == "a\nb\nc\n"


def test_the_folder_itself_may_be_reached_by_a_link(here, tmp_path):
    (here / "it.yml").write_text("a")
    (tmp_path / "link").symlink_to(here)
    assert given_files.text(tmp_path / "link/it.yml", 100) == "a"


def test_the_line_of_what_is_no_text_is_named(here):
    (here / "it.yml").write_bytes(b"a\nb\n\xff\n")
    with pytest.raises(FileError) as raised:
        given_files.text(here / "it.yml", 100)
    assert raised.value.line == 3
