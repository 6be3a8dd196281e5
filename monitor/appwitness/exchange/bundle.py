"""Packs a recording for somebody who trusts nobody: with its report, the public key, and a program that verifies it."""

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
from typing import BinaryIO

from appwitness.events import Run
from appwitness.exchange.case_description import BundledFile, description
from appwitness.recording import Recording, archive, files, packing

DESCRIPTION = "case.jsonld"
"""The file that describes a bag in CASE/UCO."""


def write(recording: Recording, output: Path, beside: Mapping[str, bytes], *, bag: bool = False) -> None:
    """Pack a recording into a new archive that only its owner can read, with the files `beside` it, digests and
    instructions. `bag`: as BagIt (RFC 8493), with all of that as payload and a description in CASE/UCO. Raises
    UserError if the archive exists already or cannot be written, and FileError for an entry of the recording that is
    not a regular file."""
    ours = resources.files("appwitness.exchange") / "bundled"
    beside = {**beside, **{name: (ours / name).read_bytes() for name in ("README.txt", "verify.py")}}
    folder = f"{packing.folder_in(output)}/" if bag else ""
    payload = f"{folder}data/" if bag else ""
    sums: dict[str, str] = {}
    with packing.created(output) as file, zipfile.ZipFile(file, "w") as packed:

        def add(name: str, source: BinaryIO) -> None:
            sums[name] = packing.add(packed, f"{payload}{name}", source)

        for names in archive.names(recording.path):
            with files.reading(recording.path, *names) as source:
                add("/".join((archive.INSIDE, *names)), source)
        for name, data in beside.items():
            add(name, BytesIO(data))
        if bag:
            sizes = {info.filename.removeprefix(payload): info.file_size for info in packed.infolist()}
            listed = [BundledFile(name, sizes[name], digest) for name, digest in sorted(sums.items())]
            add(DESCRIPTION, BytesIO(description(recording.run, listed)))
        add(archive.SUMS, BytesIO(_listed(sums)))
        if bag:
            _tag(packed, folder, sums, recording.run)


def _listed(sums: Mapping[str, str], below: str = "") -> bytes:
    return "".join(f"{digest}  {below}{name}\n" for name, digest in sorted(sums.items())).encode()


def _tag(packed: zipfile.ZipFile, folder: str, payload: Mapping[str, str], run: Run) -> None:
    """Add the tag files of a bag: its declaration, its manifest, its metadata, and a manifest of these."""
    # Payload-Oxum is left out: a validator that finds it wrong does not name the damaged file.
    about = {
        "Bag-Software-Agent": f"appwitness {importlib.metadata.version('appwitness')}",
        "External-Identifier": run.id,
        "External-Description": f"Recording of a run of {run.app.package}, with its report",
        "Contact-Name": run.operator,
        "Bag-Group-Identifier": run.case,
    }
    said = "".join(f"{label}: {' '.join(text.split())}\n" for label, text in about.items() if text)
    tags = {
        "bagit.txt": b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n",
        "bag-info.txt": said.encode(),
        "manifest-sha256.txt": _listed(payload, "data/"),
    }
    sums = {name: packing.add(packed, f"{folder}{name}", BytesIO(data)) for name, data in tags.items()}
    packing.add(packed, f"{folder}tagmanifest-sha256.txt", BytesIO(_listed(sums)))


def tools() -> bytes:
    """The tools that made a bundle, as JSON: versions, and the digest of each of appwitness's files as in the wheel."""
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
