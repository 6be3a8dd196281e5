"""The pytest plugin in real sessions of pytest, on recordings."""

import contextlib
import importlib
import json
import pkgutil
import re
import shutil
import socket
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from lxml import etree
from pydantic_sarif.model import StaticAnalysisResultsFormatSarifVersion210JsonSchema as Sarif

import appwitness
from tests.recordings.written import RECORDINGS

pytest_plugins = ["pytester"]
SCHEMA = etree.XMLSchema(etree.parse(Path(__file__).parents[1] / "reports/junit.xsd"))
SHOP = """
def test_shop(appwitness_recording):
    appwitness_recording("sent-after-refusal")
"""


@pytest.fixture(scope="module", autouse=True)
def imported():
    """pytester takes back what a session in this process imports, and few C extensions bear being imported twice."""
    for module in pkgutil.walk_packages(appwitness.__path__, "appwitness."):
        if module.name.rpartition(".")[2] not in ("__main__", "libsearch"):
            importlib.import_module(module.name)


@pytest.fixture
def project(pytester):
    """A project with recordings in it; `run(*options)` runs its tests."""
    for name in ("sent-after-refusal", "sent-after-refusal-nearly", "clean-bank", "sent-before-consent"):
        shutil.copytree(RECORDINGS / name, pytester.path / name)
    return pytester


def run(project, *options):
    """A session in this process: what it imports is there. The tests of workers and of imports start a process."""
    return project.runpytest_inprocess("-p", "no:cacheprovider", *options)


def run_with_workers(project, number, *options):
    start = project.runpytest_subprocess if int(number) else project.runpytest_inprocess
    return start("-p", "no:cacheprovider", "-n", number, *options)


def output(result):
    return "\n".join(result.outlines)


def test_a_finding_is_a_failure_of_the_test_until_the_waiver_that_it_shows_is_filled_in(project):
    project.makepyfile(SHOP)
    result = run(project, "--junitxml", "own.xml")
    result.assert_outcomes(failed=1)
    said = output(result)
    for told in (
        "NEW high, proven: Personal data was sent after the user refused",
        "accesses.jsonl:1 -> uploads.jsonl:1: 31.2**,121.4**",
        "read by  com.example.shop.Stores.nearby(Stores.java:12)",
        "sent by  com.example.shop.Stores.nearby(Stores.java:12)",
        'finding: "v2:4de5523788c5"',
        "appwitness report sent-after-refusal --format html",
    ):
        assert told in said
    assert "31.230416" not in said
    assert "<propert" not in (project.path / "own.xml").read_text()  # pytest's own has none of ours

    filled = "".join(dict.fromkeys(re.findall(r"^  - id: .*\n(?:    .*\n)+", said, re.MULTILINE)))
    assert filled
    day = (datetime.now(UTC) + timedelta(days=30)).date()
    filled = re.sub(r"owner: .*", "owner: privacy@example.com", filled)
    filled = re.sub(r"reason: .*", "reason: assessed for this test", filled)
    filled = re.sub(r"expires: .*", f"expires: {day}", filled)
    (project.path / "appwitness-waivers.yml").write_text(f"version: 1\nwaivers:\n{filled}")
    run(project).assert_outcomes(passed=1)


JUDGED = """
import pytest

def test_clean(appwitness_recording):
    assert not appwitness_recording("clean-bank").findings

def test_with_a_body(appwitness_recording):
    appwitness_recording("sent-after-refusal")
    assert 1 == 2, "the body"

def test_checked(appwitness_recording):
    appwitness_recording("sent-after-refusal").check(fail_on="never")

def test_checked_in_the_body(appwitness_recording):
    appwitness_recording("sent-after-refusal").check()
    raise RuntimeError("this is not reached")

@pytest.mark.xfail(strict=True)
def test_expected(appwitness_recording):
    appwitness_recording("sent-after-refusal")

@pytest.mark.appwitness(fail_on="never")
def test_at_no_level(appwitness_recording):
    appwitness_recording("sent-after-refusal")

@pytest.mark.appwitness(law=["cn", "eu"], fail_on="never")
def test_laws(appwitness_recording):
    assert appwitness_recording("clean-bank").report.laws == ("cn", "eu")

@pytest.mark.forbidden_flow(data="bank_card")
@pytest.mark.appwitness(law="cn,eu")
def test_forbidden(appwitness_recording):
    appwitness_recording("clean-bank")

@pytest.mark.allowed_flow(data="bank_card", recipient="nowhere.test", reason="for a test")
def test_not_on_the_list(appwitness_recording):
    appwitness_recording("clean-bank")

@pytest.mark.allowed_flow(data="bank_card", recipient="*.harbourbank.test", reason="what a bank is for")
def test_on_the_list(appwitness_recording):
    appwitness_recording("clean-bank")

@pytest.mark.allowed_flow(data="location")
def test_without_a_reason(appwitness_recording):
    appwitness_recording("sent-after-refusal")

@pytest.mark.forbidden_flow(recipient="nowhere.test")
def test_without_data(appwitness_recording):
    appwitness_recording("sent-after-refusal")

def test_no_recording(appwitness_recording):
    appwitness_recording("nowhere")
"""
FAILS = {
    "test_with_a_body": ("AssertionError: the body", "Personal data was sent after the user refused"),
    "test_checked_in_the_body": ("Personal data was sent after the user refused",),
    "test_forbidden": ("1 flow that is not allowed", "test_it.py::test_forbidden"),
    "test_not_on_the_list": ("flow that is not allowed",),
    "test_without_a_reason": ("allowed_flow needs a reason",),
    "test_without_data": ("test_without_data: data: Field required",),
    "test_no_recording": ("There is no folder",),
}


def test_what_a_test_says_of_its_runs_counts(project):
    project.makepyfile(test_it=JUDGED)
    result = run(project, "--strict-markers")
    said = dict(re.findall(r"^_+ (test_\w+) _+$(.*?)(?=^_+ test_|^=+ )", output(result), re.MULTILINE | re.DOTALL))
    assert said.keys() == FAILS.keys()
    for test, texts in FAILS.items():
        for text in texts:
            assert text in said[test], test
    assert said["test_checked_in_the_body"].count("NEW high, proven") == 1
    assert "this is not reached" not in said["test_checked_in_the_body"].partition("RuntimeError")[2]
    assert "com.example.harbourbank, 5 runs: Failed" in output(result)


def without_times(text):
    return re.sub(r' time="[\d.]+"', "", text)


MANY = """
import pytest

@pytest.mark.parametrize("name", ["sent-after-refusal", "clean-bank", "sent-before-consent"] * 3)
def test_each(appwitness_recording, name):
    appwitness_recording(name)

def test_body(appwitness_recording):
    appwitness_recording("clean-bank")
    assert False, "the body"
"""


@pytest.mark.slow
def test_workers_write_what_one_process_writes(project):
    project.makepyfile(MANY)
    written = []
    for workers in ("0", "4"):
        run_with_workers(project, workers).assert_outcomes(failed=7, passed=3)
        folder = project.path / "appwitness-results"
        written.append(
            {
                path.relative_to(folder).as_posix(): without_times(path.read_text("utf-8"))
                for path in folder.rglob("*")
                if path.name in {"junit.xml", "gate.sarif", "diff.json", "diff.md"}
            }
        )
        SCHEMA.assertValid(etree.parse(folder / "junit.xml"))
        shutil.rmtree(folder)
    assert written[0] == written[1]
    assert "junit.xml" in written[0]
    assert "[[ATTACHMENT|appwitness-results/" in written[0]["junit.xml"]
    Sarif.model_validate_json(written[0]["gate.sarif"])
    categories = [run["automationDetails"]["id"] for run in json.loads(written[0]["gate.sarif"])["runs"]]
    assert len(categories) == len(set(categories)) == 3


TWO = """
def test_a(appwitness_recording):
    appwitness_recording("sent-after-refusal")

def test_b(appwitness_recording):
    appwitness_recording("sent-after-refusal-nearly")
"""


def entries(project):
    text = (project.path / "appwitness-baseline.yml").read_text("utf-8")
    return set(re.findall(r'id: "(v2:\w+)"', text))


def replace(project, name, by):
    shutil.rmtree(project.path / name)
    shutil.copytree(RECORDINGS / by, project.path / name)


@pytest.mark.parametrize("workers", ["0", pytest.param("2", marks=pytest.mark.nightly)])
def test_update_accepts_what_is_new_and_takes_out_what_is_gone(project, workers):
    project.makepyfile(TWO)
    run_with_workers(project, workers, "--appwitness-update").assert_outcomes(passed=2)
    all_of_it = entries(project)
    assert all_of_it
    run_with_workers(project, workers).assert_outcomes(passed=2)
    replace(project, "sent-after-refusal", "sent-after-refusal-nearly")
    run_with_workers(project, workers, "--appwitness-update").assert_outcomes(passed=2)
    assert entries(project) < all_of_it
    replace(project, "sent-after-refusal", "sent-after-refusal")
    run_with_workers(project, workers, "--appwitness-update", "-k", "test_a").assert_outcomes(passed=1)
    assert entries(project) == all_of_it  # a partial run adds what is new


PARTS = {
    "chosen by a word": ("-k", "test_a"),
    "named": ("test_update.py::test_a",),
    "left out": ("--deselect", "test_update.py::test_b"),
    "cut short": ("-x",),
    "a shard": (),
    "skipped": (),
}


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_partial_run_removes_no_entry(project):
    project.makepyfile(test_update=TWO)
    run(project, "--appwitness-update").assert_outcomes(passed=2)
    all_of_it = entries(project)
    replace(project, "sent-after-refusal", "sent-after-refusal-nearly")
    for part, options in PARTS.items():
        shard = "def pytest_collection_modifyitems(items): del items[1:]" if part == "a shard" else ""
        project.makeconftest(shard)
        after = {"cut short": "    assert False\n", "skipped": "\nimport pytest\npytest.mark.skip()(test_b)\n"}
        project.makepyfile(test_update=TWO + after.get(part, ""))
        result = run(project, "--appwitness-update", *options)
        assert entries(project) == all_of_it, part
        assert "nothing was taken out" in output(result), part


def test_a_run_can_be_replayed_without_a_device(project):
    project.makepyfile(
        test_replay="""
        import pytest

        def test_shop(appwitness_run):
            with appwitness_run(plan="refuse") as run:
                assert run.wait(upload_to="shop.test") == "uploads.jsonl:1"
                with pytest.raises(TimeoutError, match="shop.test"):
                    run.wait(upload_to="nowhere.test")
                run.idle()
            assert run.package == "com.example.shop"
            run.check(fail_on="never")

        def test_not_recorded(appwitness_run):
            with appwitness_run():
                pass
        """
    )
    shutil.copytree(RECORDINGS / "sent-after-refusal", project.path / "old/test_replay.py-test_shop/1/recording")
    result = run(project, "--appwitness-replay", "old")
    result.assert_outcomes(passed=1, failed=1)
    assert "There is no " in output(result)
    assert (project.path / "old/test_replay.py-test_shop/1/recording/run.json").exists()


def test_nothing_but_pytest_is_imported_until_a_fixture_is_used(tmp_path):
    (tmp_path / "test_it.py").write_text("def test_it(): pass\n")
    (tmp_path / "conftest.py").write_text(
        "import sys\n"
        "def pytest_unconfigure():\n"
        "    print('LOADED', sorted(name for name in sys.modules if name.partition('.')[0] in "
        "('appwitness', 'pydantic', 'frida', 'sqlalchemy', 'yaml', 'msgspec')))\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-s"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    loaded = ["appwitness", "appwitness.api", "appwitness.api.names", "appwitness.pytest_plugin"]
    assert f"LOADED {loaded}" in done.stdout
    assert not (tmp_path / "appwitness-results").exists()


def test_a_project_may_have_a_module_of_any_name_but_ours(project):
    names = ("monitor", "hooks", "addons")
    for name in names:
        (project.path / f"{name}.py").write_text(f"WHOSE = 'the project, {name}'\n")
    whose = "".join(f"    assert {name}.WHOSE == 'the project, {name}'\n" for name in names)
    project.makepyfile(f"import {', '.join(names)}\n{SHOP}\ndef test_whose():\n{whose}")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q"]
    done = subprocess.run(command, cwd=project.path, capture_output=True, text=True, check=False)
    assert "1 failed, 1 passed" in done.stdout, done.stdout + done.stderr
    assert "Personal data was sent after the user refused" in done.stdout


@pytest.fixture
def broken_adb(monkeypatch):
    """Where adb's server should be, somebody answers who is not."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", str(server.getsockname()[1]))

        def answer():
            with contextlib.suppress(OSError):
                while True:
                    server.accept()[0].close()

        threading.Thread(target=answer, daemon=True).start()
        yield
        server.shutdown(socket.SHUT_RDWR)


@pytest.mark.usefixtures("broken_adb")
def test_a_device_that_does_not_come_up_fails_the_test_or_skips_it(project):
    project.makepyfile("def test_run(appwitness_run):\n    with appwitness_run('com.example.app'):\n        pass\n")
    options = ("--appwitness-device", "emulator-5554")
    result = run(project, *options)
    result.assert_outcomes(failed=1)
    assert "does not answer" in output(result)
    assert "More: appwitness doctor --device emulator-5554" in output(result)
    assert "Traceback" not in output(result)
    run(project, *options, "--appwitness-missing", "skip").assert_outcomes(skipped=1)


def test_strict_fails_where_the_baseline_could_not_be_observed_unless_the_gap_is_allowed(project):
    project.makepyfile(test_it=SHOP)
    run(project, "--appwitness-update").assert_outcomes(passed=1)
    replace(project, "sent-after-refusal", "sent-after-refusal-nearly")
    gap = {"v": 1, "kind": "gap", "at": "2026-03-14T09:00:00.000000Z", "where": "proxy", "why": "tls_refused"}
    line = json.dumps({**gap, "subject": "api.shop.test", "detail": "for a test"})
    (project.path / "sent-after-refusal/gaps.jsonl").write_text(line + "\n")
    allowed = "@pytest.mark.allowed_gap(where='proxy', subject='*.shop.test', reason='pinned since 4.2')"
    project.makepyfile(test_it=f"import pytest\n{SHOP}\n{allowed}{SHOP.replace('test_shop', 'test_allowed')}")
    run(project).assert_outcomes(passed=2)
    result = run(project, "--appwitness-strict")
    result.assert_outcomes(passed=1, failed=1)
    assert "a part of the baseline could not be observed" in output(result)
    assert "FAILED test_it.py::test_shop" in output(result)
