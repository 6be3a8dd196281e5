"""One archive of a recording for somebody who trusts nobody: with its report, its key, and a program that checks it."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import platform
import re
import sys
import zipfile
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path

from monitor.errors import UserError
from monitor.events import FILES
from monitor.recording import Recording, files
from monitor.recording.seal import BODIES, RUN, SEAL, TOKENS

TIME = (1980, 1, 1, 0, 0, 0)
"""Of every file in the archive: when it was packed says nothing."""
CHUNK_BYTES = 1 << 20
SUMS = "SHA256SUMS"


def write(recording: Recording, output: Path, beside: Mapping[str, bytes]) -> None:
    """Pack a recording into a new archive for its owner alone, with the files `beside` it, digests and instructions.

    Raises UserError when the archive is there already or cannot be written, and FileError for a file of the recording
    that is no regular one.
    """
    ours = resources.files("monitor.exchange") / "bundled"
    beside = {**beside, **{name: (ours / name).read_bytes() for name in ("README.txt", "verify.py")}}
    sums: dict[str, str] = {}
    try:
        fd = os.open(output, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise UserError(f"{output} cannot be made: {error.strerror}.", "Name a new file.") from None
    try:
        with os.fdopen(fd, "w+b") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for names in _names(recording.path):
                inside = "/".join(("recording", *names))
                with files.reading(recording.path, *names) as source:
                    sums[inside] = _add(archive, inside, iter(lambda: source.read(CHUNK_BYTES), b""))
            for name, data in beside.items():
                sums[name] = _add(archive, name, iter([data]))
            listed = "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items()))
            _add(archive, SUMS, iter([listed.encode()]))
    except BaseException:
        output.unlink()
        raise


def tools() -> bytes:
    """By what a bundle was made, as JSON: versions, and the digest of each of our files as the wheel has them."""
    ours = Path(str(resources.files("monitor")))
    roots = {"monitor": ours, "monitor/addons": ours.parent / "addons"}  # a checkout has them beside each other
    digests = {
        f"{name}/{path.relative_to(root).as_posix()}": hashlib.sha256(path.read_bytes()).hexdigest()
        for name, root in roots.items()
        for path in root.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    required = {re.split(r"[^\w.-]", line)[0].lower() for line in importlib.metadata.requires("appwitness") or ()}
    packages = {
        name.lower(): each.version for each in importlib.metadata.distributions() if (name := each.metadata["Name"])
    }
    said = {
        "appwitness": importlib.metadata.version("appwitness"),
        "python": sys.version,
        "platform": platform.platform(),
        "packages": {name: packages[name] for name in sorted(required & packages.keys())},
        "files": dict(sorted(digests.items())),
    }
    return f"{json.dumps(said, indent=1)}\n".encode()


def _names(folder: Path) -> Iterator[tuple[str, ...]]:
    """What belongs to a recording, and no more."""
    yield from ((name,) for name in (RUN, *FILES.values(), SEAL) if os.path.lexists(folder / name))
    for below in (BODIES, TOKENS):
        if os.path.lexists(folder / below):
            with files.folder(folder, below) as here:
                yield from ((below, name) for name in sorted(os.listdir(here)))  # noqa: PTH208 a folder that is open


def _add(archive: zipfile.ZipFile, name: str, blocks: Iterator[bytes]) -> str:
    info = zipfile.ZipInfo(name, TIME)
    info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o100600 << 16
    digest = hashlib.sha256()
    with archive.open(info, "w", force_zip64=True) as file:
        for block in blocks:
            digest.update(block)
            file.write(block)
    return digest.hexdigest()
