"""What a gate promises, on real runs of the lab device's apps: Circle, which carries an SDK, and Vault, which pins."""

import json
import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from appwitness.cli.verbs import main
from appwitness.findings import Report

pytestmark = [pytest.mark.slow, pytest.mark.lab]
SDK = "friendgraph"


def appwitness(*arguments, code=None):
    result = CliRunner().invoke(main, [str(each) for each in arguments])
    assert code is None or result.exit_code == code, result.output
    return result.output if code is None else result.stdout


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Recordings of the lab device: Circle twice, Vault as it is, and Vault whose pinned host is refused."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("APPWITNESS_HOME", str(folder / "home"))
        for name, app, options in (
            ("circle", "circle", ("--repeat", "2")),
            ("vault", "vault", ()),
            ("pinned", "vault", ("--block-refused",)),
        ):
            arguments = ("observe", "--device", f"lab:{app}", "--plan", "accept", *options, "--fail-on", "never")
            appwitness(*arguments, "--output", folder / name, code=0)
    return folder


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.setenv("APPWITNESS_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


def changes(*arguments, code):
    told = json.loads(appwitness("gate", *arguments, "--format", "json", code=code))
    return [
        (one["change"], (one["now"] or one["was"])["rule"], (one["now"] or one["was"])["actor"])
        for one in told["changes"]
    ]


def of(*kinds, among):
    return [one for one in among if one[0] in kinds]


def edited(recording: Path, name: str, keep=lambda line: True, texts: dict[str, str] | None = None) -> Path:
    """A copy without stamps, with some lines only, in which some texts are others."""
    copy = Path(name)
    shutil.copytree(recording, copy)
    (copy / "seal.jsonl").unlink()
    for file in copy.glob("*.jsonl"):
        lines = [line for line in file.read_text().splitlines(keepends=True) if keep(line)]
        text = "".join(lines)
        for before, after in (texts or {}).items():
            text = re.sub(before, after, text)
        file.write_text(text)
    run = json.loads((copy / "run.json").read_text())
    (copy / "run.json").write_text(json.dumps({**run, "id": name}))
    return copy


def test_1_the_same_app_twice_has_nothing_new_and_nothing_gone(runs):
    appwitness("baseline", "write", runs / "circle-1", code=0)
    found = changes(runs / "circle-2", code=0)
    assert found
    assert not of("new", "gone", "worse", among=found)


def test_2_an_obfuscated_twin_behind_a_shard_host_has_nothing_new(runs):
    appwitness("baseline", "write", runs / "circle-1", code=0)
    texts = {
        r"com\.example\.circle\.(\w+)\.(\w+)\(": r"com.example.circle.a.\2(",
        r"com\.friendgraph\.sdk\.(\w+)\.": r"q.b.",
        r'("|//)(api\.circle\.test|sync\.friendgraph\.test)': r"\1a17.\2",
    }
    twin = edited(runs / "circle-2", "twin", texts=texts)
    assert "a17.api.circle.test" in (twin / "uploads.jsonl").read_text()
    found = changes(twin, code=0)
    assert found
    assert not of("new", "gone", "worse", among=found)


def test_3_one_sdk_more_is_exactly_its_findings_and_fails(runs):
    before = edited(runs / "circle-1", "before", keep=lambda line: SDK not in line)
    appwitness("baseline", "write", before, code=0)
    new = of("new", among=changes(runs / "circle-2", code=1))
    everything = Report.model_validate_json(appwitness("report", runs / "circle-2", "--format", "json"))
    theirs = [finding.rule for finding in everything.findings if finding.recipient and SDK in finding.recipient.host]
    assert sorted(rule for _, rule, _ in new) == sorted(theirs)
    assert theirs


def test_4_a_waiver_mutes_until_its_day_is_over(runs):
    count = len(changes(runs / "circle-1", code=1))
    for number in range(1, count + 1):
        appwitness(
            "waive", f"{runs / 'circle-1'}:{number}", "--owner", "me@example.com", "--reason", "Known since 4.1.",
            "--expires", "2026-12-31", "--today", "2026-11-28", code=0,
        )  # fmt: skip
    appwitness("gate", runs / "circle-2", "--today", "2026-12-31", code=0)
    told = "".join(appwitness("gate", runs / "circle-2", "--today", "2027-01-01", code=1).split())  # lines are folded
    assert "me@example.com" in told
    assert re.search(r"appwitness-waivers\.yml:\d+", told)


def test_5_a_host_that_cannot_be_read_now_is_not_observable_and_not_gone(runs):
    appwitness("baseline", "write", runs / "vault", code=0)
    before = Path("appwitness-baseline.yml").read_text()
    assert "vault" in before
    found = changes(runs / "pinned", code=0)
    assert ("not_observable", "sent-before-consent", "app") in found
    assert not of("new", "gone", among=found)
    appwitness("gate", runs / "pinned", "--strict", code=3)


def test_7_a_partial_run_never_removes_an_entry(runs):
    appwitness("baseline", "write", runs / "circle-1", code=0)
    before = Path("appwitness-baseline.yml").read_text()
    partial = edited(runs / "circle-2", "partial", keep=lambda line: False)
    run = json.loads((partial / "run.json").read_text())
    (partial / "run.json").write_text(json.dumps({**run, "plan": "silent"}))
    assert {change for change, *_ in changes(partial, code=0)} == {"not_observable"}
    appwitness("baseline", "update", partial, code=0)
    appwitness("baseline", "prune", partial, code=0)

    def findings(text):
        return text.partition("findings:")[2]

    assert findings(Path("appwitness-baseline.yml").read_text()) == findings(before)


def test_8_code_hosts_get_the_same_alerts_twice(runs):
    def alerts(recording):
        anchor = ("--sarif-anchor", "app/AndroidManifest.xml")
        (run,) = json.loads(appwitness("gate", recording, "--format", "sarif", *anchor, code=1))["runs"]
        return run["automationDetails"]["id"], sorted(
            (each["ruleId"], each["partialFingerprints"]["appwitness/v2"], json.dumps(each["locations"]))
            for each in run["results"]
        )

    assert alerts(runs / "circle-1") == alerts(runs / "circle-2")
