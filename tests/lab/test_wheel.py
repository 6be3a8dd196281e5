"""The wheel alone, in an empty environment and without a JDK or node: its demo runs."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
UV = shutil.which("uv") or str(ROOT / ".setup/uv/bin/uv")

pytestmark = [pytest.mark.lab, pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [UV, "build", "--quiet", "--wheel", "--no-build-isolation", "--python", sys.executable, "-o", folder, ROOT],
        check=True,
    )
    return next(folder.glob("*.whl"))


def test_it_carries_what_a_run_needs(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    for needed in (
        "monitor/match/native/libsearch.so",
        "monitor/observe/agent.js",
        "monitor/lab/lab.jar",
        "monitor/lab/java/com/example/circle/",
        "monitor/addons/uploads.py",
        "monitor/addons/record/exchanges.py",
        "monitor/addons/disk/writer.py",
        "monitor/addons/mitm/trailers.py",
        "monitor/catalog/sources/phone_number.yml",
        "monitor/catalog/rules/sent-before-consent.yml",
        "monitor/catalog/recipients.yml",
    ):
        assert any(name.startswith(needed) for name in names), needed
    assert not [name for name in names if name.split("/")[0] in {"addons", "hooks", "tests", "docker"}]


def test_its_demo_runs_in_an_empty_environment(wheel, tmp_path):
    environment = tmp_path / "environment"
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, environment], check=True)
    pins = tmp_path / "pins.txt"
    pins.write_text(
        "\n".join(
            line.removesuffix("\\").strip()
            for line in (ROOT / "requirements/dev.txt").read_text().splitlines()
            if line and not line.startswith((" ", "#"))
        )
    )
    python = environment / "bin/python"
    subprocess.run(
        [UV, "pip", "install", "--quiet", "--python", python, "--constraint", pins, wheel], check=True, cwd=tmp_path
    )
    assert not list(environment.glob("lib/python*/site-packages/frida_tools"))
    result = subprocess.run(
        [environment / "bin/appwitness", "demo", "--app", "circle", "--output", tmp_path / "recordings"],
        cwd=tmp_path,
        env={
            "PATH": "/nowhere",
            "HOME": str(tmp_path),
            "LANG": "C.UTF-8",
            **{name: os.environ[name] for name in ("OPENBLAS_CORETYPE",) if name in os.environ},
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert len(list((tmp_path / "recordings").glob("demo-*/run.json"))) == 1
    assert len(list((tmp_path / "recordings").glob("demo-*.html"))) == 1
