"""Files as they come: packed, in UTF-16, broken off; and what is no file at all."""

from __future__ import annotations

import gzip
import os
import zlib

import pytest
from click.testing import CliRunner

from appwitness.cli.verbs import main
from appwitness.exchange import opening
from appwitness.support.errors import UserError

TEXT = '{"log": "名" }' * 1000
RAW = TEXT.encode()
FILES = {
    "as it is": (RAW, RAW, None),
    "gzip": (gzip.compress(RAW), RAW, None),
    "gzip in two members": (gzip.compress(RAW[:99]) + gzip.compress(RAW[99:]) + b"\0\0", RAW, None),
    "zlib, as mitmproxy packs HAR": (zlib.compress(RAW), RAW, None),
    "gzip broken off": (gzip.compress(RAW, mtime=0)[:-20], None, "the compressed file is broken off"),
    "gzip damaged": (gzip.compress(RAW)[:-8] + b"12345678", None, "the compressed file is damaged"),
    "UTF-16, little end first": (TEXT.encode("utf-16"), RAW, None),
    "UTF-16, big end first": (b"\xfe\xff" + TEXT.encode("utf-16-be"), RAW, None),
    "UTF-16 in gzip": (gzip.compress(TEXT.encode("utf-16")), RAW, None),
    "UTF-16 broken off": (TEXT.encode("utf-16")[:-1], None, "the text is broken off"),
    "half a character in UTF-16": (b"\xff\xfe\x3d\xd8a\0", b"\xed\xa0\xbda", None),
    "empty": (b"", b"", None),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("chunk", [7, 1 << 20])
def test_files(tmp_path, monkeypatch, name, chunk):
    stored, wanted, damage = FILES[name]
    monkeypatch.setattr(opening, "CHUNK", chunk)
    path = tmp_path / "a.har"
    path.write_bytes(stored)
    with opening.opened(path) as (ready, problem):
        found = ready.read_bytes()
        assert ready.name == "a.har"
    assert found == wanted if wanted is not None else RAW.startswith(found[:-3])
    assert (problem or "").startswith(damage or "")
    assert bool(problem) == bool(damage)
    assert path.read_bytes() == stored
    assert ready == path or not ready.exists()


def test_a_small_file_that_unpacks_to_a_large_one_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(opening, "LARGEST", 1 << 20)
    path = tmp_path / "a.har"
    path.write_bytes(gzip.compress(bytes(3 << 20)))
    with pytest.raises(UserError, match="unpacks to more than"), opening.opened(path):
        pass


@pytest.mark.parametrize("option", [[], ["--keys"], ["--mapping"]])
def test_a_pipe_is_refused_and_never_waited_for(tmp_path, option):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "a.har").write_text('{"log": {"entries": []}}')
    files = (
        [*option, str(tmp_path / "pipe")] if not option else [str(tmp_path / "a.har"), *option, str(tmp_path / "pipe")]
    )
    done = CliRunner().invoke(main, ["import", *files, "--app", "a.b", "--output", str(tmp_path / "r")])
    assert done.exit_code == 2
    assert "is a pipe, not a file" in done.output.replace("\n", " ")
    assert not (tmp_path / "r").exists()


def test_a_device_is_refused(tmp_path):
    with pytest.raises(UserError, match="is a device"), opening.opened(tmp_path.joinpath("/dev/zero")):
        pass
