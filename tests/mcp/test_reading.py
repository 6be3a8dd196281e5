"""What an assistant reads: findings with gaps, evidence, explanations, checks; masked, bounded, in pages."""

import json
import shutil

import pytest

from appwitness.mcp.assistant_tools import ACTING, GAPS, PAGE
from tests.mcp.conftest import assistant
from tests.recordings.written import RECORDINGS

NUMBER = "+8613800138000"


@pytest.fixture(scope="module")
def asked(home):
    with assistant(home, "--folder", RECORDINGS) as one:
        yield one


def recording(name="sent-before-consent"):
    return str(RECORDINGS / name)


def test_no_tool_acts_unless_the_operator_allows_it(asked):
    tools = asked.tools()
    assert not set(ACTING) & set(tools)
    assert set(tools) == {
        *("doctor", "recordings", "findings", "explain", "evidence", "verify", "gate", "compare", "checklist"),
    }
    for tool in tools.values():
        assert tool.annotations.read_only_hint
        assert tool.output_schema["type"] == "object"
        assert tool.description
    assert "nothing to unmask" not in str(tools)
    assert not [name for tool in tools.values() for name in tool.input_schema["properties"] if "reveal" in name]
    assert "Unknown tool" in asked.refused("mark", run=recording(), decision="given")


def test_findings_come_with_their_gaps_and_can_be_explained(asked):
    page = asked.ask("findings", run=recording())
    assert page["total"] == len(page["findings"]) == 2
    assert page["gaps"] == {"total": 0, "kinds": {}, "first": []}
    assert page["verified"] == "never_stamped"
    worst = page["findings"][0]
    assert (worst["rule"], worst["level"], worst["confidence"]) == ("sent-before-consent", "high", "proven")
    assert worst["recipient"] == {"untrusted": True, "text": "api.shop.test", "cut": False}
    why = asked.ask("explain", run=recording(), id=worst["id"])
    assert why["rules"] == ["sent-before-consent"]
    assert why["chain"]
    assert why["matches"][0]["speaks_for"]
    of_flow = asked.ask("explain", run=recording(), id=worst["flows"][0])
    assert set(of_flow["rules"]) == {"sent-before-consent", "read-before-consent"}


def test_filters_are_kept(asked):
    assert asked.ask("findings", run=recording(), level="high")["total"] == 1
    assert asked.ask("findings", run=recording(), rule="read-before-consent")["total"] == 1
    assert asked.ask("findings", run=recording(), recipient="SHOP.test")["total"] == 1
    assert asked.ask("findings", run=recording(), recipient="nobody.test")["total"] == 0


def test_what_was_not_observed_is_told_where_there_are_no_findings(asked):
    page = asked.ask("findings", run=recording("planted-value-without-access"), rule="no-such-rule")
    assert page["findings"] == []
    assert page["gaps"]["total"] == len(page["gaps"]["first"])


def test_values_are_masked_everywhere(asked):
    told = [
        asked.ask("findings", run=recording()),
        asked.ask("explain", run=recording(), id="f1"),
        *(asked.ask("evidence", run=recording(), line=line) for line in ("accesses.jsonl:1", "uploads.jsonl:1")),
        asked.ask("recordings"),
        json.loads(asked.resource("appwitness://recordings/sent-before-consent/report.json")),
    ]
    assert told[-1]["untrusted"] is True
    assert told[-1]["masked"] is True
    for each in told:
        assert NUMBER not in json.dumps(each)
        assert NUMBER.removeprefix("+86") not in json.dumps(each)


def test_evidence_is_a_line(asked):
    line = asked.ask("evidence", run=recording(), line="accesses.jsonl:1")
    assert line["kind"] == "access"
    assert json.loads(line["excerpt"]["text"])["source"] == "android.telephony.TelephonyManager.getLine1Number"
    assert "[" in asked.ask("evidence", run=recording(), line="uploads.jsonl:1")["found"][0]["text"]
    for wrong in ("accesses.jsonl:99", "run.json", "../run.json:1", "no"):
        assert "has no line" in asked.refused("evidence", run=recording(), line=wrong)


def test_a_run_that_was_read_is_listed_and_has_a_name(asked):
    asked.ask("findings", run=recording())
    listed = {each["run"]: each for each in asked.ask("recordings", app="com.example.shop")["recordings"]}
    assert listed["sent-before-consent"]["findings"] == {"high": 1, "medium": 1}
    assert asked.ask("recordings", app="com.example.other")["total"] == 0
    assert asked.ask("findings", run="sent-before-consent")["total"] == 2


def test_a_gate_and_a_comparison(asked):
    gated = asked.ask("gate", runs=[recording()])
    assert gated["outcome"] == "failed"
    assert gated["against"] is None
    assert {each["change"] for each in gated["changes"]} == {"new"}
    compared = asked.ask("compare", runs=[recording(), recording("clean-consent-first")])
    assert len(compared["runs"]) == 2
    assert compared["rows"]


def test_verify_says_what_differs(asked):
    checked = asked.ask("verify", run=recording())
    assert (checked["ok"], checked["outcome"]) == (False, "never_stamped")
    assert checked["problems"][0]["what"]["untrusted"]


def test_a_device_is_diagnosed(asked):
    told = asked.ask("doctor", device="lab:circle")
    assert told["ok"] == all(each["level"] != "fault" for each in told["checks"])
    assert "no app" in asked.refused("doctor", device="lab:nothing").lower()


def test_what_cannot_be_done_says_what_to_do_next(asked, tmp_path):
    for name, arguments, says in (
        ("findings", {"run": "/etc"}, "--folder"),
        ("findings", {"run": str(RECORDINGS / ".." / ".." / "pyproject.toml")}, "outside"),
        ("findings", {"run": "no-such-run"}, "no-such-run. Give the path"),
        ("findings", {"run": recording(), "cursor": "x"}, "next_cursor"),
        ("findings", {"run": recording(), "level": "worst"}, "high"),
        ("explain", {"run": recording(), "id": "f99"}, "findings"),
        ("compare", {"runs": [recording(), recording()]}, "once"),
        ("gate", {"runs": [recording()], "baseline": "/etc/passwd"}, "outside"),
    ):
        said = asked.refused(name, **arguments)
        assert says in said, said
        assert "Traceback" not in said


def test_links_do_not_lead_out(asked, tmp_path, home):
    inside = home / "recordings" / "link"
    inside.parent.mkdir(exist_ok=True)
    inside.symlink_to(tmp_path)
    with assistant(home, "--folder", home / "recordings") as other:
        assert "outside" in other.refused("findings", run=str(inside))


def test_lists_are_bounded_and_come_in_pages(home, tmp_path):
    folder = tmp_path / "recordings"
    for number in range(3):
        shutil.copytree(RECORDINGS / "sent-before-consent", folder / f"run-{number}")
        run = folder / f"run-{number}" / "run.json"
        run.write_text(run.read_text("utf-8").replace("sent-before-consent", f"run-{number}"), "utf-8")
    gaps = [
        {"v": 1, "kind": "gap", "at": "2026-03-14T09:00:01.000000Z", "where": "hook", "subject": f"s{number}",
         "why": "hook_lost"}
        for number in range(GAPS + 5)
    ]  # fmt: skip
    (folder / "run-0" / "gaps.jsonl").write_text("".join(f"{json.dumps(each)}\n" for each in gaps), "utf-8")
    with assistant(home, "--folder", folder, "--db", tmp_path / "index") as one:
        for number in range(3):
            one.ask("findings", run=str(folder / f"run-{number}"))
        first = one.ask("recordings", limit=2)
        last = one.ask("recordings", limit=2, cursor=first["next_cursor"])
        assert [len(each["recordings"]) for each in (first, last)] == [2, 1]
        assert (first["total"], last["next_cursor"]) == (3, None)
        names = {each["run"] for page in (first, last) for each in page["recordings"]}
        assert names == {"run-0", "run-1", "run-2"}
        told = one.ask("findings", run="run-0")["gaps"]
        assert (told["total"], len(told["first"])) == (GAPS + 5, GAPS)
        assert told["kinds"] == {"hook hook_lost": GAPS + 5}
        assert "less than or equal to" in one.refused("recordings", limit=PAGE + 1)


def test_rules_and_schemas_are_resources(asked):
    assert asked.resources() == {
        "appwitness://rules", "appwitness://schemas/{name}", "appwitness://recordings/{run}/report.json",
    }  # fmt: skip
    assert "sent-before-consent" in [each["id"] for each in json.loads(asked.resource("appwitness://rules"))]
    assert json.loads(asked.resource("appwitness://schemas/report"))["$schema"]


def test_a_checklist_is_filled_from_runs(asked):
    filled = asked.ask("checklist", runs=[recording()], profile="cn-164")
    assert sum(filled["counts"].values()) == len(filled["items"])
    (item,) = [each for each in filled["items"] if each["item"] == "1.1.2"]
    assert item["state"] == "fail"
    assert "sent-before-consent accesses.jsonl:1" in item["lines"]
    silent = next(each for each in filled["items"] if each["item"] == "1.1.1")
    assert (silent["state"], silent["watched"]) == ("not_observed", [])
    assert "plan silent" in silent["why"]
    failing = asked.ask("checklist", runs=[recording()], profile="cn-164", state="fail")
    assert {each["state"] for each in failing["items"]} == {"fail"}
    assert failing["counts"] == filled["counts"]
    said = asked.refused("checklist", runs=[recording(), recording("clean-bank")], profile="cn-164")
    assert "Name recordings of one app." in said
