"""The wheel alone, in an empty environment and without a JDK or node: its demo runs."""

import json
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
        "appwitness/match/native/libsearch.so",
        "appwitness/support/locale/zh/LC_MESSAGES/appwitness.mo",
        "appwitness/agent/agent.js",
        "appwitness/devices/lab/lab.jar",
        "appwitness/devices/lab/java/com/example/circle/",
        "appwitness/addons/uploads.py",
        "appwitness/addons/record/exchanges.py",
        "appwitness/addons/disk/writer.py",
        "appwitness/addons/mitm/trailers.py",
        "appwitness/catalog/sources/phone_number.yml",
        "appwitness/catalog/rules/sent-before-consent.yml",
        "appwitness/catalog/recipients.yml",
        "appwitness/py.typed",
        "appwitness/pytest_plugin.py",
        "appwitness/agent/java-bridge-COPYING.txt",
    ):
        assert any(name.startswith(needed) for name in names), needed
    assert any(name.endswith(".dist-info/licenses/THIRD-PARTY.md") for name in names)
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"appwitness"}


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory):
    """An environment with the wheel in it, and with what it requires."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, folder / "env"], check=True)
    pins = folder / "pins.txt"
    pins.write_text(
        "\n".join(
            line.removesuffix("\\").strip()
            for line in (ROOT / "requirements/dev.txt").read_text().splitlines()
            if line and not line.startswith((" ", "#"))
        )
    )
    python = folder / "env/bin/python"

    def install(*packages):
        command = [UV, "pip", "install", "--quiet", "--python", python, "--constraint", pins, *packages]
        subprocess.run(command, check=True, cwd=folder)

    install(f"appwitness[lab] @ {wheel.as_uri()}")
    return folder / "env", install


def run(command, folder):
    """In an environment of its own, where there is no other program."""
    return subprocess.run(
        command,
        cwd=folder,
        env={
            "PATH": "/nowhere",
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            **{name: os.environ[name] for name in ("OPENBLAS_CORETYPE",) if name in os.environ},
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_its_demo_runs_in_an_empty_environment(environment, tmp_path):
    folder, _ = environment
    assert not list(folder.glob("lib/python*/site-packages/frida_tools"))
    result = run([folder / "bin/appwitness", "demo", "--app", "circle", "--output", tmp_path / "recordings"], tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    assert len(list((tmp_path / "recordings").glob("demo-*/run.json"))) == 1
    assert len(list((tmp_path / "recordings").glob("demo-*.html"))) == 1


def test_a_repository_with_a_monitor_of_its_own_runs_its_tests(environment, tmp_path):
    folder, install = environment
    install("pytest")
    (tmp_path / "monitor.py").write_text("WHOSE = 'the repository'\n")
    (tmp_path / "test_it.py").write_text(
        "import monitor\n\ndef test_it(appwitness_run):\n    assert monitor.WHOSE == 'the repository'\n"
    )
    result = run([folder / "bin/python", "-m", "pytest", "-q"], tmp_path)
    assert "1 passed" in result.stdout, result.stdout + result.stderr


def test_the_example_suite_runs_with_two_workers(environment, tmp_path):
    """docs/ci/example as it stands: what Circle does is in its baseline; one test is expected to fail."""
    folder, install = environment
    install("pytest", "pytest-xdist", "allure-pytest")
    suite = tmp_path / "example"
    shutil.copytree(ROOT / "docs/ci/example", suite)
    result = run([folder / "bin/pytest", "-n", "2", "--appwitness-keep", "all"], suite)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "2 passed, 1 xfailed" in result.stdout
    results = suite / "appwitness-results"
    assert len(list(results.glob("*/1/recording/run.json"))) == 3
    assert {path.name for path in results.glob("*.*")} >= {"junit.xml", "gate.sarif"}
    # Again without a device, from what was kept.
    options = ("--appwitness-replay", "appwitness-results", "--appwitness-output", "again", "--alluredir", "allure")
    replayed = run([folder / "bin/pytest", *options], suite)
    assert "2 passed, 1 xfailed" in replayed.stdout, replayed.stdout + replayed.stderr
    attached = [
        each["name"]
        for path in (suite / "allure").glob("*-result.json")
        for each in json.loads(path.read_text("utf-8")).get("attachments", ())
    ]
    assert attached == ["report.html", "flows.json", "gate.sarif"]
