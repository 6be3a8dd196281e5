"""What an assistant may do where its operator allows actions: runs on the lab device, marks, imports."""

import json
import shutil
import time

import pytest

from tests.captures import har
from tests.mcp.conftest import assistant
from tests.recordings.written import RECORDINGS


@pytest.fixture(scope="module")
def asked(home):
    """One server that may act."""
    with assistant(home, "--folder", home, "--allow-actions") as one:
        yield one


def test_hints_say_which_tools_act(asked):
    acting = {name: each.annotations for name, each in asked.tools().items() if not each.annotations.read_only_hint}
    assert set(acting) == {"observe_start", "observe_stop", "mark", "import_capture"}
    assert acting["observe_start"].destructive_hint
    assert not acting["mark"].destructive_hint


def test_a_mark_is_the_assistants_and_a_report_says_so(asked, home):
    marked = home / "recordings/shop"
    shutil.copytree(RECORDINGS / "sent-before-consent", marked)
    made = asked.ask("mark", run=str(marked), decision="refused", note="told in the chat")
    assert (made["by"], made["decision"], made["scope"]) == ("assistant", "refused", "general_policy")
    line = json.loads((marked / "consents.jsonl").read_text("utf-8").splitlines()[-1])
    assert (line["by"], line["signal"], line["note"]) == ("assistant", "operator", "told in the chat")
    assert made["line"] == "consents.jsonl:3"
    assert "decision" in asked.refused("mark", run=str(marked), decision="yes")
    assert "run.json" in asked.refused("mark", run=str(home / "recordings"), decision="given")


def test_a_capture_is_taken_in(asked, home):
    capture = home / "capture.har"
    capture.write_text(har("https://ads.test/?n=%2B8613800138000"), "utf-8")
    given = {"path": str(capture), "app": "com.example.shop", "values": ["phone_number=+8613800138000"]}
    made = asked.ask("import_capture", **given)
    assert (made["uploads"], made["reads"]) == (1, 0)
    page = asked.ask("findings", run=made["run"])
    assert "hooks" in page["not_watched"]
    assert "outside" in asked.refused("import_capture", path="/etc/passwd", app="com.example.shop")
    assert asked.refused("import_capture", path=str(capture), app="a", values=["phone_number=x"])


@pytest.mark.lab
@pytest.mark.slow
def test_a_run_on_the_lab_device_from_start_to_verdict(tmp_path):
    with assistant(tmp_path, "--allow-actions") as one:
        assert one.ask("doctor", device="lab:circle")["ok"]
        assert "built in" in one.refused("observe_start", device="lab:circle", app="com.example.shop")
        run = one.ask("observe_start", device="lab:circle", plan="refuse", seconds=60)["run"]
        cursor, until = 0, time.monotonic() + 120
        findings: list[dict[str, str]] = []
        while time.monotonic() < until:
            now = one.ask("observe_status", run=run, since=cursor)
            cursor, findings = now["cursor"], findings + now["new_findings"]
            if now["over"] or any(each["rule"] == "sent-after-refusal" for each in findings):
                break
            time.sleep(0.5)
        ended = one.ask("observe_stop", run=run)
        assert ended["over"], ended
        page = one.ask("findings", run=run)
        told = {each["id"] for each in page["findings"]}
        assert {each["id"] for each in findings if each["rule"] == "sent-after-refusal"} <= told
        assert one.ask("explain", run=run, id=page["findings"][0]["id"])["chain"]
        assert one.ask("verify", run=run)["outcome"] == "intact"
        assert "no run" in one.refused("observe_status", run="000000")
