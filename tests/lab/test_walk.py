"""The whole way through on the lab device: real Frida, real mitmproxy, real SQLite, for each app and plan."""

import base64
import gzip
import hashlib
import json

import pytest
from click.testing import CliRunner

from appwitness.api.expected import load
from appwitness.cli.verbs import main
from appwitness.recording import Recording, verify
from tests.observed import Observed

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]

EXPECTED = {
    (app, plan): {one.rule for one in load()[app][plan]}
    for app, plan in (
        ("circle", "refuse"),
        ("skies", "accept"),
        ("corner", "accept"),
        ("pages", "refuse"),
    )
}
"""Those whose evidence is walked below, and one that has none; test_plans.py has them all."""


@pytest.fixture(scope="module")
def runs(tmp_path_factory, circle):
    """Each app and plan is run once and kept for all the tests of this file."""
    folder = tmp_path_factory.mktemp("walk")
    made = {("circle", "refuse"): circle}

    def run(app, plan):
        if (app, plan) not in made:
            path = folder / f"{app}-{plan}"
            words = ["observe", "--device", f"lab:{app}", "--plan", plan, "--output", path, "--db", folder / "i.sqlite"]
            result = CliRunner().invoke(main, list(map(str, words)))
            assert result.exit_code in (0, 1), result.output
            made[app, plan] = Observed(path, folder / "i.sqlite", result.exit_code, result.output)
        return made[app, plan]

    return run


def report_of(run, *args, form="json"):
    words = ["report", str(run.recording), "--db", str(run.db), "--format", form, *args]
    result = CliRunner().invoke(main, words)
    assert result.exit_code in (0, 1), result.output
    return json.loads(result.stdout)


@pytest.mark.parametrize(("app", "plan"), sorted(EXPECTED))
def test_each_app_and_plan_gives_its_findings(runs, app, plan):
    run = runs(app, plan)
    assert {finding["rule"] for finding in report_of(run)["findings"]} == EXPECTED[app, plan]
    assert run.code == (1 if EXPECTED[app, plan] else 0)
    assert verify(run.recording).ok


def body(run, upload):
    return Recording.open(run.recording).body(upload["body"]) or b""


def line(run, ref):
    name, number = ref.split(":")
    return json.loads((run.recording / name).read_text("utf-8").splitlines()[int(number) - 1])


def sarif_lines(run):
    sarif = report_of(run, form="sarif")
    return {
        (
            found["ruleId"],
            place["physicalLocation"]["artifactLocation"]["uri"].rsplit("/", 1)[-1],
            place["physicalLocation"]["region"]["startLine"],
        )
        for found in sarif["runs"][0]["results"]
        for place in found["locations"] + found.get("relatedLocations", [])
    }


def walk(run, rule, data):
    """The first flow of a finding of `rule`, its access and upload lines; every line the finding names is there."""
    report = report_of(run, "--reveal")
    finding = next(f for f in report["findings"] if f["rule"] == rule and f["data"] == data)
    for ref in finding["evidence"]:
        assert line(run, ref)
    flows = [flow for flow in report["flows"] if flow["id"] in finding["flows"]]
    assert flows
    in_sarif = sarif_lines(run)
    for flow in flows:
        assert flow["access"] is not None
        name, number = flow["upload"].split(":")
        assert (rule, name, int(number)) in in_sarif
    return flows, finding


def test_the_walk_of_a_phone_number(runs):
    run = runs("pages", "refuse")
    flows, finding = walk(run, "sent-after-refusal", "phone_number")
    flow = flows[0]
    access, upload = line(run, flow["access"]), line(run, flow["upload"])
    number = access["values"][0]["text"]
    assert access["source"] == "android.telephony.TelephonyManager.getLine1Number"
    assert any("com.example.pages" in frame for frame in access["stack"])
    sent = json.loads(body(run, upload))
    assert number in base64.b64decode(sent["events"][0]["d"]).decode()
    match = flow["matches"][0]
    assert match["value"] == number
    assert match["decoding"][:2] == ["json", "base64"]
    assert finding["confidence"] == "proven"
    stored = body(run, upload)[match["start"] : match["end"]]
    assert number in base64.b64decode(stored.strip(b'"') + b"==").decode("utf-8", "replace")
    connection = line(run, flow["connection"])
    assert any("com.example.pages" in frame for frame in connection["stack"])


def test_the_walk_of_a_contact_row(runs):
    run = runs("circle", "refuse")
    flows, finding = walk(run, "address-book-upload", "device_contacts")
    own = next(flow for flow in flows if flow["recipient"]["party"] == "first")
    access, upload = line(run, own["access"]), line(run, own["upload"])
    sent = gzip.decompress(body(run, upload)).decode()
    names = [value["text"] for value in access["values"] if value["type"] == "name"]
    assert len(names) >= 12
    assert all(name in sent for name in names)
    hashed = [match for match in own["matches"] if match["variant"] == "sha256"]
    assert hashed
    for match in hashed:
        assert hashlib.sha256(match["value"].encode()).hexdigest() in sent or match["found"] in sent
    assert (own["rows"], own["rows_read"]) == (access_rows(access), access_rows(access))
    assert any(flow["recipient"]["party"] == "third" for flow in flows_of(run, "sent-before-consent"))
    assert finding["level"] == "high"


def access_rows(access):
    return len({value["row"] for value in access["values"]})


def flows_of(run, rule):
    report = report_of(run)
    ids = {name for finding in report["findings"] if finding["rule"] == rule for name in finding["flows"]}
    return [flow for flow in report["flows"] if flow["id"] in ids]


def test_the_walk_of_a_location(runs):
    run = runs("skies", "accept")
    flows, _ = walk(run, "sent-before-consent", "location")
    flow = flows[0]
    access, upload = line(run, flow["access"]), line(run, flow["upload"])
    (value,) = access["values"]
    latitude, _longitude = value["text"].split(",")
    assert f"{float(latitude):.3f}" in upload["url"]
    assert flow["cleartext"]
    assert any("com.adnet.sdk" in frame for frame in access["stack"])
    assert flow["recipient"]["party"] == "third"
