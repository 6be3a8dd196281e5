"""One archive of a recording for somebody who trusts nobody: with its report, its key, and a program that checks it."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
import re
import sys
import zipfile
from collections.abc import Mapping
from importlib import resources
from io import BytesIO
from pathlib import Path

from appwitness.recording import Recording, archive, files, packing


def write(recording: Recording, output: Path, beside: Mapping[str, bytes]) -> None:
    """Pack a recording into a new archive for its owner alone, with the files `beside` it, digests and instructions.

    Raises UserError when the archive is there already or cannot be written, and FileError for a file of the recording
    that is no regular one.
    """
    ours = resources.files("appwitness.exchange") / "bundled"
    beside = {**beside, **{name: (ours / name).read_bytes() for name in ("README.txt", "verify.py")}}
    sums: dict[str, str] = {}
    with packing.created(output) as file, zipfile.ZipFile(file, "w") as packed:
        for names in archive.names(recording.path):
            inside = "/".join((archive.INSIDE, *names))
            with files.reading(recording.path, *names) as source:
                sums[inside] = packing.add(packed, inside, source)
        for name, data in beside.items():
            sums[name] = packing.add(packed, name, BytesIO(data))
        listed = "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items()))
        packing.add(packed, archive.SUMS, BytesIO(listed.encode()))


def tools() -> bytes:
    """By what a bundle was made, as JSON: versions, and the digest of each of our files as the wheel has them."""
    ours = Path(str(resources.files("appwitness")))
    roots = {"appwitness": ours, "appwitness/addons": ours.parents[1] / "addons"}  # in a checkout
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
