"""`appwitness gate` and the verbs beside it, on recordings: the same app again, obfuscated, with more, pinned."""

import json
import re
import shutil
import textwrap
import xml.etree.ElementTree as ET
from pathlib import Path

import jsonschema
import pytest
import yaml
from click.testing import CliRunner
from pydantic_sarif.model import StaticAnalysisResultsFormatSarifVersion210JsonSchema as Sarif

from appwitness import events
from appwitness.cli import gate_verbs
from appwitness.cli.verbs import main
from appwitness.findings.gate_decision import GateReport
from appwitness.gate.reports import FORMATS
from appwitness.recording import Recording
from tests.recordings.written import RECORDINGS

CASE = "sent-before-consent"


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("APPWITNESS_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


def appwitness(*arguments, code=None):
    result = CliRunner().invoke(main, [str(each) for each in arguments])
    assert code is None or result.exit_code == code, result.output
    return result


def copy(name, to, *changed) -> Path:
    """A recording, in whose lines some texts are others; of another run, so with another id."""
    path = Path(to)
    shutil.copytree(RECORDINGS / name, path)
    for file in (*path.glob("*.jsonl"), path / "run.json"):
        text = file.read_text()
        for old, new in ((f'"{name}"', f'"{to}"'), *changed):
            text = text.replace(old, new)
        file.write_text(text)
    return path


def changes(*arguments, code=None):
    told = json.loads(appwitness("gate", *arguments, "--format", "json", code=code).stdout)
    GateReport.model_validate(
        {**told, "changes": [{k: v for k, v in one.items() if k != "finding"} for one in told["changes"]]}
    )
    return {(one["now"] or one["was"])["rule"]: one["change"] for one in told["changes"]}


def test_the_json_of_a_gate_says_whose_data_went_and_a_baseline_does_not(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    told = json.loads(appwitness("gate", RECORDINGS / "address-book-upload", "--format", "json", code=None).stdout)
    people = {one["now"]["rule"]: one["now"]["people"] for one in told["changes"]}
    assert people["address-book-upload"]["sent"] >= 3
    appwitness("baseline", "write", RECORDINGS / "address-book-upload", code=None)
    assert "address-book-upload" in Path("appwitness-baseline.yml").read_text()
    assert "people" not in Path("appwitness-baseline.yml").read_text()


def test_formats_are_those_of_the_reports():
    assert set(gate_verbs.FORMATS) == set(FORMATS)


@pytest.mark.parametrize("of", ["gate", "baseline", "waivers", "flows"])
def test_what_is_read_and_written_fits_its_schema(of):
    schema = json.loads(appwitness("list", "schema", "--of", of, code=0).stdout)
    appwitness("baseline", "write", RECORDINGS / CASE, code=0)
    shown = {
        "gate": lambda: json.loads(appwitness("gate", RECORDINGS / CASE, "--format", "json").stdout),
        "baseline": lambda: json.loads(json.dumps(yaml.safe_load(Path("appwitness-baseline.yml").read_text()))),
        "waivers": lambda: yaml.load(block("waivers:"), yaml.BaseLoader) | {"version": 1},
        "flows": lambda: yaml.safe_load(block("allowed:")),
    }
    jsonschema.validate(shown[of](), schema)


def block(named):
    """The example in docs/ci.md that has this line."""
    text = (Path(__file__).parents[2] / "docs" / "ci.md").read_text()
    blocks = re.findall(r"(?:^    .*\n)+", text, re.MULTILINE)
    return textwrap.dedent(next(each for each in blocks if named in each))


def test_the_examples_of_the_files_are_taken():
    Path("appwitness-waivers.yml").write_text(block("waivers:"))
    Path("appwitness-flows.yml").write_text(block("allowed:"))
    told = appwitness("gate", RECORDINGS / CASE, "--today", "2026-11-28", code=1).output.replace("\n", " ")
    assert "on no list of allowed flows" in told
    assert "W-14" in told


def test_the_same_app_twice_has_nothing_new_and_nothing_gone():
    appwitness("baseline", "write", RECORDINGS / CASE, code=0)
    assert set(changes(copy(CASE, "again"), code=0).values()) == {"same"}


def test_an_obfuscated_twin_behind_a_shard_host_has_nothing_new():
    appwitness("baseline", "write", RECORDINGS / CASE, code=0)
    lines = "".join(path.read_text() for path in (RECORDINGS / CASE).glob("*.jsonl"))
    classes = set(re.findall(r"com\.example\.shop\.[\w.]+(?=\()", lines))
    hosts = set(re.findall(r'"host": "([^"]+)"', lines))
    renamed = [(name, f"a.{chr(97 + number)}.c") for number, name in enumerate(sorted(classes, reverse=True))]
    shards = [(host, f"a17.{host}") for host in hosts]
    twin = copy(CASE, "twin", *renamed, *shards)
    assert classes
    assert hosts
    assert set(changes(twin, code=0).values()) == {"same"}


def test_what_one_release_more_does_is_new_and_fails():
    appwitness("baseline", "write", RECORDINGS / CASE, code=0)
    found = changes(RECORDINGS / CASE, copy("address-book-upload", "more"), code=1)
    assert found["address-book-upload"] == "new"
    assert found[CASE] == "same"


def test_a_host_that_is_pinned_now_is_not_observable_and_never_pruned():
    appwitness("baseline", "write", RECORDINGS / CASE, code=0)
    before = Path("appwitness-baseline.yml").read_text()
    pinned = copy(CASE, "pinned")
    host = re.findall(r'"host": "([^"]+)"', (pinned / "uploads.jsonl").read_text())[0]
    for file in pinned.glob("*.jsonl"):
        file.unlink()
    started = events.Run.model_validate_json((pinned / "run.json").read_text()).started
    gap = events.Gap(at=started, where="proxy", subject=host, why="tls_refused")
    (pinned / "gaps.jsonl").write_bytes(events.dump(gap).encode() + b"\n")
    assert changes("pinned", code=0)[CASE] == "not_observable"
    assert appwitness("gate", "pinned", "--strict").exit_code == 3
    appwitness("baseline", "prune", "pinned", code=0)
    kept = yaml.safe_load(Path("appwitness-baseline.yml").read_text())["findings"]
    assert [each for each in kept if each["rule"] == CASE] == [
        each for each in yaml.safe_load(before)["findings"] if each["rule"] == CASE
    ]


def test_against_a_recording_and_against_its_report_comes_to_the_same():
    appwitness("report", RECORDINGS / CASE, "--format", "json", "--output", "old.json")
    assert changes(copy(CASE, "again"), "--base", RECORDINGS / CASE, code=0) == changes(
        "again", "--base", "old.json", code=0
    )
    assert appwitness("diff", "old.json", "again").exit_code == 0
    told = appwitness("diff", RECORDINGS / "clean-shop", copy("address-book-upload", "more"))
    assert told.exit_code == 1
    assert "NEW" in told.output


def test_waive_and_the_day_after():
    shown = changes(RECORDINGS / CASE, code=1)
    count = len(shown)
    for number in range(1, count + 1):
        appwitness(
            "waive", f"{RECORDINGS / CASE}:{number}", "--owner", "me@example.com", "--reason", "Known since 4.1.",
            "--expires", "2026-12-31", "--today", "2026-11-28", code=0,
        )  # fmt: skip
    assert appwitness("gate", RECORDINGS / CASE, "--today", "2026-12-31", code=0)
    told = appwitness("gate", RECORDINGS / CASE, "--today", "2027-01-01", code=1).output
    assert "me@example.com" in told
    assert "appwitness-waivers.yml:" in told.replace("\n", "")
    assert appwitness("waive", "--check", "--today", "2026-12-20", code=0).output.count("ends soon") == count
    assert appwitness("waive", "--check", "--today", "2027-01-01", code=1).output.count("has ended") == count
    assert appwitness("waive", "--check", RECORDINGS / "clean-shop", "--today", "2026-11-28", code=1)


def test_every_format_in_one_call_and_the_exit_code_is_the_same():
    files = [(name, f"out.{name}") for name in FORMATS]
    arguments = [word for name, path in files for word in ("--format", name, "--output", path)]
    appwitness("gate", RECORDINGS / CASE, *arguments, "--sarif-anchor", "app/AndroidManifest.xml:3", code=1)
    assert CASE in Path("out.json").read_text()
    assert "❌" in Path("out.markdown").read_text()
    failures = ET.parse("out.junit").getroot().findall(".//failure")
    (log,) = Sarif.model_validate_json(Path("out.sarif").read_text()).runs
    issues = json.loads(Path("out.gitlab").read_text())
    assert failures
    assert len(log.results) == len(issues)
    place = log.results[0].locations[0].physicalLocation
    assert (place.artifactLocation.uri, place.region.startLine) == ("app/AndroidManifest.xml", 3)
    assert issues[0]["location"] == {"path": "app/AndroidManifest.xml", "lines": {"begin": 3}}


def test_sarif_of_another_run_has_the_same_fingerprints_and_says_what_was_waived():
    appwitness("baseline", "write", RECORDINGS / CASE, code=0)
    appwitness(
        "waive", f"{RECORDINGS / CASE}:1", "--owner", "o", "--reason", "long enough", "--expires", "2026-12-31",
        "--today", "2026-11-28", code=0,
    )  # fmt: skip

    def results(recording):
        text = appwitness("gate", recording, "--format=sarif", "--today", "2026-11-28", code=0).stdout
        return json.loads(text)["runs"][0]["results"]

    one, other = results(RECORDINGS / CASE), results(copy(CASE, "again"))
    assert [each["partialFingerprints"]["appwitness/v2"] for each in one] == [
        each["partialFingerprints"]["appwitness/v2"] for each in other
    ]
    assert {each["baselineState"] for each in one} == {"unchanged"}
    assert [each["suppressions"][0]["status"] for each in one if "suppressions" in each] == ["accepted"]


def test_the_file_of_an_app_is_for_no_other():
    appwitness("baseline", "write", RECORDINGS / CASE, code=0)
    text = Path("appwitness-baseline.yml").read_text()
    Path("appwitness-baseline.yml").write_text(text.replace("app: com.example.shop", "app: com.example.other"))
    assert "Name another --baseline" in appwitness("gate", RECORDINGS / CASE, code=2).output


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("--format", "pdf"), "Choose one of"),
        (("--format", "json", "--format", "text"), "its own --output"),
        (("--output",), "names no file"),
        (("--base", RECORDINGS / CASE, "--baseline", "b.yml"), "Give one of them"),
        (("--package-alias", "x"), "com.app.debug=com.app"),
        (("--waivers", "w.yml"), "w.yml:2"),
    ],
)
def test_wrong_usage_says_what_to_do(arguments, hint):
    Path("b.yml").write_text("version: 1\n")
    Path("w.yml").write_text("version: 1\nwaivers: 7\n")
    assert hint in appwitness("gate", RECORDINGS / CASE, *arguments, code=2).output


def test_a_report_that_is_none_is_named():
    Path("old.json").write_text('{"v": 1, "recording": 7}')
    told = appwitness("gate", RECORDINGS / CASE, "--base", "old.json", code=2).output
    assert "old.json" in told
    assert "report --format json" in told


def test_a_recording_that_was_changed_is_refused_unless_told():
    path = copy(CASE, "changed")
    Recording.open(path).stamp()
    lines = (path / "consents.jsonl").read_text()
    (path / "consents.jsonl").write_text(lines.replace("09:00:0", "09:00:1", 1))
    assert "verify" in appwitness("gate", path, code=5).output
    assert appwitness("gate", path, "--no-verify").exit_code in {0, 1}


def test_baseline_check_says_whether_update_would_change_it():
    appwitness("baseline", "write", RECORDINGS / CASE, code=0)
    appwitness("baseline", "check", RECORDINGS / CASE, code=0)
    assert (
        "new: v2:"
        in appwitness("baseline", "check", RECORDINGS / CASE, copy("address-book-upload", "more"), code=1).output
    )
    appwitness("baseline", "update", RECORDINGS / CASE, "more", "--accept-new", "Reviewed for 4.2", code=0)
    appwitness("baseline", "check", RECORDINGS / CASE, "more", code=0)
