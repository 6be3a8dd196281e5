"""Java programs of tests, compiled once for each state of their files."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

CACHE = Path(__file__).parents[1] / ".setup/classes"
JAVAC = ("javac", "-J-XX:+UseSerialGC", "-J-XX:TieredStopAtLevel=1")  # in a second, the second compiler never pays off


def compiled(files: Sequence[Path], classpath: Sequence[Path] = ()) -> Path:
    """The folder of their classes, which nobody may change. `classpath`: jars."""
    state = hashlib.sha256()
    for path in (*sorted(files), *classpath):
        state.update(
            path.name.encode() + b"\0" + (hashlib.sha256(path.read_bytes()).digest() if path.is_file() else b"")
        )
    folder = CACHE / state.hexdigest()[:16]
    if not folder.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        unfinished = tempfile.mkdtemp(dir=CACHE)
        where = ["-cp", os.pathsep.join(map(str, classpath))] if classpath else []
        command = [*JAVAC, "-nowarn", "--release", "17", "-encoding", "UTF-8", *where, "-d", unfinished]
        subprocess.run([*command, *map(str, files)], check=True)
        with suppress(OSError):  # another process was faster
            Path(unfinished).rename(folder)
        shutil.rmtree(unfinished, ignore_errors=True)
    return folder
