"""The images built by buildah and used as containers: sizes, a demo by whatever uid, and SIGTERM during a run.

They need a base that is on this machine: APPWITNESS_BASE names it, APPWITNESS_BUILDER one with pip where the base has
none. docs/docker.md says how to make them with debootstrap. Options for buildah go into BUILDAH_OPTIONS.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from appwitness.recording import Recording, verify
from tests.docker.compose import ROOT

BASE = os.environ.get("APPWITNESS_BASE", "")
BUILDER = os.environ.get("APPWITNESS_BUILDER", BASE)
BUILDAH = ["buildah", *shlex.split(os.environ.get("BUILDAH_OPTIONS", ""))]
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
GOALS_MB = {"gate": 250, "monitor": 500}
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not shutil.which("buildah"), reason="apt-get install buildah crun netavark"),
    pytest.mark.skipif(not BASE, reason="APPWITNESS_BASE names no image"),
    pytest.mark.skipif(not list((ROOT / "dist").glob("*.whl")), reason="make wheel"),
]


def buildah(*arguments: str | Path) -> str:
    done = subprocess.run([*BUILDAH, *arguments], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.strip()


@pytest.fixture(scope="module")
def image() -> Callable[[str], str]:
    """Builds a target; its name."""

    def build(target: str) -> str:
        name = f"localhost/appwitness:{target}"
        chosen = (f"--build-arg=BASE={BASE}", f"--build-arg=BUILDER={BUILDER}", f"--target={target}", f"--tag={name}")
        mounted = f"--volume={CERTIFICATES}:{CERTIFICATES}:ro"
        buildah("bud", "--isolation=chroot", "--layers", mounted, *chosen, "-f", "docker/Dockerfile", ".")
        return name

    return build


@pytest.fixture
def lab(image: Callable[[str], str]) -> Iterator[str]:
    """A container of the lab."""
    name = buildah("from", "--name", f"appwitness-{uuid4().hex}", image("lab"))
    yield name
    buildah("rm", name)


@pytest.fixture
def folders(tmp_path: Path) -> list[str]:
    """The volumes, as options."""
    for name in ("data", "recordings"):
        (tmp_path / name).mkdir()
        (tmp_path / name).chmod(0o777)
    return [f"--volume={tmp_path / name}:/{name}" for name in ("data", "recordings")]


@pytest.mark.parametrize("target", GOALS_MB)
def test_it_is_no_larger_than_it_should_be(image: Callable[[str], str], target: str) -> None:
    size = json.loads(buildah("images", "--json", image(target)))[0]["size"]
    number, unit = size.split()
    assert (float(number), unit) < (GOALS_MB[target], "MB")


@pytest.mark.parametrize("uid", [10001, 54321])
def test_the_demo_runs_as_whoever_is_chosen(lab: str, folders: list[str], uid: int, tmp_path: Path) -> None:
    demo = ("tini", "--", "appwitness", "demo", "--app=circle")
    buildah("run", "--isolation=chroot", f"--user={uid}:{uid}", *folders, lab, *demo)
    (made,) = (tmp_path / "recordings").glob("*/run.json")
    assert made.stat().st_uid == uid
    assert verify(made.parent).ok


def test_sigterm_ends_a_run_in_good_order(lab: str, folders: list[str], tmp_path: Path) -> None:
    script = """
        tini -- appwitness observe --device lab:circle --plan refuse --output /recordings/r >&2 & run=$!
        until [ -e /recordings/r/uploads.jsonl ]; do sleep 0.1; done
        kill -TERM $run
        wait $run || echo $?
    """
    code = buildah("run", "--isolation=chroot", "--user=10001:10001", *folders, lab, "sh", "-c", script)
    assert code == "1", "there are findings"
    recording = Recording.open(tmp_path / "recordings/r")
    assert recording.run.ended
    assert verify(recording.path).ok
