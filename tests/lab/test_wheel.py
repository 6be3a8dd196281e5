"""The wheel alone, in an empty environment and without a JDK, a compiler or node, on each Python: the way of README."""

import json
import os
import shutil
import subprocess
import sys
import tomllib
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
        "appwitness/catalog/edition.yml",
        "appwitness/catalog/update_keys.txt",
        "appwitness/py.typed",
        "appwitness/pytest_plugin.py",
        "appwitness/agent/java-bridge-COPYING.txt",
    ):
        assert any(name.startswith(needed) for name in names), needed
    assert any(name.endswith(".dist-info/licenses/THIRD-PARTY.md") for name in names)
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"appwitness"}


def supported():
    """The minor versions of Python that a wheel says it is for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    named = [each.rpartition(":: ")[2] for each in project["classifiers"] if "Python :: 3." in each]
    assert named[0] == project["requires-python"].removeprefix(">=")
    return named


def oldest_of(minor):
    """The oldest Python of a minor version that is here: of APPWITNESS_PYTHONS, uv and pyenv. Skips where none is."""
    listing = [UV, "python", "list", "--only-installed", "--output-format", "json"]
    listed = subprocess.run(listing, capture_output=True, text=True, check=True).stdout
    places = [*filter(None, os.environ.get("APPWITNESS_PYTHONS", "").split(os.pathsep)), sys.executable]
    places += [each["path"] for each in json.loads(listed)]
    places += map(str, Path("~/.pyenv/versions").expanduser().glob("3.*/bin/python"))
    found: dict[int, str] = {}
    asked = "import sys; print('%d.%d.%d' % sys.version_info[:3])"
    for place in places:
        said = subprocess.run([place, "-I", "-c", asked], capture_output=True, text=True, check=False).stdout.strip()
        if said.startswith(f"{minor}."):
            found.setdefault(int(said.rpartition(".")[2]), place)
    if not found:
        pytest.skip(f"no Python {minor} here: `uv python install {minor}`, or name one in APPWITNESS_PYTHONS")
    return found[min(found)]


def installed(wheel, folder, python):
    """An environment of that Python with the wheel and what it requires, and what installs more into it."""
    subprocess.run([UV, "venv", "--quiet", "--python", python, folder / "env"], check=True)
    pins = folder / "pins.txt"
    pins.write_text(
        "\n".join(
            line.removesuffix("\\").strip()
            for line in (ROOT / "requirements/dev.txt").read_text().splitlines()
            if line and not line.startswith((" ", "#"))
        )
    )

    def install(*packages):
        python = folder / "env/bin/python"
        command = [UV, "pip", "install", "--quiet", "--python", python, "--constraint", pins]
        subprocess.run([*command, "--only-binary", ":all:", *packages], check=True, cwd=folder)

    install(f"appwitness[lab] @ {wheel.as_uri()}")
    return folder / "env", install


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory):
    return installed(wheel, tmp_path_factory.mktemp("environment"), sys.executable)


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


@pytest.mark.nightly
@pytest.mark.parametrize("minor", supported())
def test_on_the_oldest_of_each_python_it_runs_judges_gates_and_verifies(wheel, tmp_path, minor):
    folder, _ = installed(wheel, tmp_path, oldest_of(minor))
    assert not list(folder.glob("lib/python*/site-packages/frida_tools"))

    def done(*arguments):
        result = run([folder / "bin/appwitness", *arguments], tmp_path)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    assert done("--version").startswith("appwitness, version ")
    done("demo", "--app", "circle", "--output", tmp_path / "recordings")
    (recording,) = (tmp_path / "recordings").glob("demo-*/")
    assert len(list((tmp_path / "recordings").glob("demo-*.html"))) == 1
    done("verify", recording)
    done("baseline", "write", recording)
    done("gate", recording)
    done("bundle", recording, "--output", tmp_path / "for-a-stranger.zip")
    done("verify", tmp_path / "for-a-stranger.zip")
    done("pack", recording, "--output", tmp_path / "packed.zip")
    report = json.loads(done("report", tmp_path / "packed.zip", "--json", "--fail-on", "never"))
    assert report["findings"]
    edition = report["catalog"]
    assert report["run"]["versions"]["catalog"] == f"edition {edition['edition']} of {edition['date']}"
    (tmp_path / "stranger").mkdir()
    with zipfile.ZipFile(tmp_path / "for-a-stranger.zip") as bundle:
        bundle.extractall(tmp_path / "stranger")
    (program,) = (tmp_path / "stranger").rglob("verify.py")
    told = run([folder / "bin/python", program], tmp_path)
    assert told.returncode == 0, told.stdout + told.stderr


@pytest.mark.nightly
@pytest.mark.parametrize("runner", ["uvx", "pipx"])
def test_it_runs_without_being_installed(wheel, tmp_path, runner):
    named = f"appwitness[lab] @ {wheel.as_uri()}"
    command = {
        "uvx": [UV, "tool", "run", "--python", sys.executable, "--from", named],
        "pipx": [UV, "tool", "run", "pipx", "run", "--python", sys.executable, "--spec", named],
    }[runner]
    kept = ("PATH", "LANG", "OPENBLAS_CORETYPE", "SSL_CERT_FILE", "UV_INDEX_URL", "UV_DEFAULT_INDEX", "PIP_CONFIG_FILE")
    ours = {"HOME": str(tmp_path), "PIP_CERT": os.environ.get("SSL_CERT_FILE", "")}
    environment = {name: os.environ[name] for name in kept if name in os.environ} | ours
    result = subprocess.run(
        [*command, "appwitness", "demo", "--app", "circle", "--output", "recordings"],
        cwd=tmp_path, env={name: text for name, text in environment.items() if text},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    assert list((tmp_path / "recordings").glob("demo-*/run.json"))


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
