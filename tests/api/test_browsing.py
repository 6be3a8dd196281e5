"""Programs look through an index as the pages do: recordings, findings and lines, and what was made of them."""

import json
import random
import shutil
from datetime import timedelta

import pytest

from appwitness.api import marking
from appwitness.api.browsing import MOST_COMPARED, MOST_MADE, REMEMBERED, Browsing, Carries, going_on, matching
from appwitness.api.recorded_lines import SORTS
from appwitness.correlate import correlate, knowledge
from appwitness.events import Access, Upload
from appwitness.events.seen import holds
from appwitness.recording import Recording
from appwitness.store import Store
from appwitness.store.lists import ROWS
from appwitness.support.errors import UserError
from tests.recordings.written import RECORDINGS
from tests.web import serving

UPLOADS, FINDINGS = 12, 6
NUMBER = "+8613800000000"
OTHER = "sent-after-refusal"


@pytest.fixture
def index(tmp_path, known):
    """Two recordings: one of many uploads, and one of another app."""
    other = shutil.copytree(RECORDINGS / OTHER, tmp_path / "other")
    with Store(tmp_path / "index.sqlite") as store:
        correlate(serving.many(tmp_path / "many", UPLOADS, FINDINGS), store, known)
        correlate(Recording.open(other), store, known)
        yield Browsing(store, known)


def carries(index: Browsing) -> Carries:
    return index.concluded("many", index.state("many"))


def test_lines_lead_to_what_was_concluded_of_them(index):
    found = carries(index)
    assert len(found.findings) >= FINDINGS
    assert len(found.flows) == FINDINGS
    (flow,) = found.of["accesses.jsonl:1"]
    assert found.of[flow.upload] == [flow]
    assert {found.findings[number - 1].rule for number in found.about.of(flow.upload)} >= {"sent-before-consent"}
    assert [each.id for each in index.flows("many", upload=flow.upload)] == [flow.id]
    assert carries(index) is found


def test_what_was_made_is_made_anew_in_another_state(index, tmp_path, known):
    before, state = carries(index), index.state("many")
    report = index.report("many", state, reveal=False)
    assert index.report("many", state, reveal=False) is report
    recording = Recording.open(tmp_path / "many")
    recording.append(serving.read(99, serving.START))
    correlate(recording, index.store, known)
    assert index.state("many") != state
    assert carries(index) is not before
    assert index.report("many", index.state("many"), reveal=False) is not report


def test_a_report_is_masked_unless_values_are_to_be_shown(index):
    state = index.state("many")
    assert NUMBER not in index.report("many", state, reveal=False).model_dump_json()
    assert NUMBER in index.report("many", state, reveal=True).model_dump_json()
    assert NUMBER in index.checked_report("many").model_dump_json()


def test_a_mask_learns_what_was_read_since(index, tmp_path, known):
    assert NUMBER not in index.mask("many").known(f"tel {NUMBER}")
    assert "+8613800000099" in index.mask("many").known("tel +8613800000099")
    recording = Recording.open(tmp_path / "many")
    recording.append(serving.read(99, serving.START))
    correlate(recording, index.store, known)
    assert "+8613800000099" not in index.mask("many").known("tel +8613800000099")


def test_findings_are_filtered_and_come_a_page_at_a_time(index):
    findings = carries(index).findings
    rules = {each.rule for each in findings}
    assert {each.finding.rule for each in matching(findings, {}).rows} == rules
    (one,) = matching(findings, {"rule": "sent-before-consent", "host": "H0.D0"}).rows
    assert findings[one.number - 1] is one.finding
    assert matching(findings, {"level": "none"}).rows == ()
    many = matching(findings * ROWS, {}, 10**6)
    assert many.number == many.last > 1
    assert many.total == len(findings) * ROWS


def test_lines_are_filtered_sorted_and_opened(index):
    lines = index.lines("many", "upload")
    assert [seen.number for seen in lines.page({"host": "api1."}, sort="line").rows] == [2]
    assert lines.page({"status": "4xx"}).total == 0
    assert lines.page({}, only={1, 2}).total == 2
    assert lines.choices("method") == [("POST", UPLOADS)]
    seen = index.line("many", "access", 1)
    assert seen is not None
    assert holds(seen, Access)
    assert index.line("many", "access", FINDINGS + 1) is None
    assert not index.is_unreadable("many")


@pytest.mark.parametrize("kind", ["upload", "access"])
def test_lines_are_sorted_by_each_field_either_way(tmp_path, kind):
    chosen = random.Random(3)
    recording = Recording.create(tmp_path / "some", serving.run("some"))
    for number in range(40):
        at = serving.START + timedelta(seconds=number)
        read = serving.read(0, at)
        sent = serving.upload(recording, 0, at, chosen.choice(["a.test", "b.test"]), carries=False)
        status, method = chosen.choice([None, 200, 404]), chosen.choice([None, "GET", "POST"])
        recording.append(sent.model_copy({"status": status, "method": method, "size": chosen.choice([5, 1 << 70])}))
        source, data = chosen.choice(["a.B.c", "a.B.d"]), chosen.choice(["imei", "oaid"])
        recording.append(read.model_copy({"source": source, "data": data, "count": chosen.randrange(1, 4)}))
    with Store(tmp_path / "index.sqlite") as store:
        correlate(recording, store, knowledge())
        lines = Browsing(store, knowledge()).lines("some", kind)
        for by in SORTS[kind]:
            forth, back = ([*lines.page({}, sort=sign + by).rows] for sign in ("", "-"))

            def key(seen, by=by):
                value = seen.number if by == "line" else getattr(seen.event, by)
                return value is not None, value or 0, seen.number

            assert forth == sorted(forth, key=key)
            assert back == forth[::-1]
            assert len(forth) == 40


def test_an_upload_is_taken_apart_while_its_recording_is_there(index, tmp_path):
    seen = index.line("many", "upload", 1)
    assert seen is not None
    assert holds(seen, Upload)
    flows = index.flows("many", upload=seen.ref)
    found = index.taken_apart("many", seen.event, flows)
    assert [found.leaves[number].path for number, held in found.carrying.items() if held] == ["$.tel"]
    assert [each["request"]["method"] for each in json.loads(index.har("many"))["log"]["entries"]] == ["POST"] * UPLOADS
    shutil.rmtree(tmp_path / "many")
    assert index.taken_apart("many", seen.event, flows).problem == "body_gone"
    with pytest.raises(UserError, match="many is gone"):
        index.har("many")


def test_rules_are_counted_and_refer_to_the_law(index, known):
    counted = index.rules()
    assert {each.rule.id for each in counted} == {rule.id for rule in known.rules}
    recordings = [each.recordings for each in counted]
    assert recordings == sorted(recordings, reverse=True)
    assert counted[0].findings >= counted[0].recordings > 0
    rule = index.rule("sent-before-consent")
    assert set(rule.references) < set(index.references(rule))
    with pytest.raises(UserError, match="no rule x"):
        index.rule("x")


def test_runs_of_one_app_are_compared(index, tmp_path, known):
    shutil.copytree(tmp_path / "other", tmp_path / "again")
    run = json.loads((tmp_path / "again" / "run.json").read_text("utf-8"))
    (tmp_path / "again" / "run.json").write_text(json.dumps(run | {"id": "again"}), "utf-8")
    correlate(Recording.open(tmp_path / "again"), index.store, known)
    other = Recording.open(tmp_path / "other").run.id
    comparison, reports = index.compared([other, "again", other])
    assert [report.run.id for report in reports] == [other, "again"]
    assert len(comparison.runs) == 2
    with pytest.raises(UserError, match="several apps"):
        index.compared([other, "many"])
    for ids in ([other], map(str, range(MOST_COMPARED + 1))):
        with pytest.raises(UserError, match="You named"):
            index.compared(ids)


def test_a_mark_is_noted_and_what_it_changes_is_judged(index, tmp_path, known):
    assert index.may_be_marked("many")
    before = {each.rule for each in carries(index).findings}
    recording = index.to_mark("many")
    said = marking.MarkDetails(at=serving.START.replace(tzinfo=None))
    marking.consent(recording, "refused", said, known.data_types, known.labels)
    index.judge_again(recording)
    assert "sent-after-refusal" in {each.rule for each in carries(index).findings} - before
    shutil.rmtree(tmp_path / "many")
    assert not index.may_be_marked("many")
    with pytest.raises(UserError, match="folder of many is gone"):
        index.to_mark("many")


def test_a_run_goes_on_while_somebody_records_it(tmp_path, index, known):
    with Recording.create(tmp_path / "live", serving.run("live")) as recording, recording.sealing():
        correlate(recording, index.store, known)
        assert going_on(tmp_path / "live")
        assert index.is_live("live")
    assert not index.is_live("live")
    assert not index.is_live("many")
    assert not going_on(tmp_path / "nowhere")


def test_reveals_are_noted_where_values_may_be_shown(index, tmp_path):
    index.note_reveal(["many"], "/recordings/many", "127.0.0.1")
    assert not list(tmp_path.glob("reveals*"))
    index.reveals = tmp_path
    index.note_reveal(["many"], "/recordings/many", "127.0.0.1")
    (line,) = (tmp_path / "reveals.jsonl").read_text("utf-8").splitlines()
    assert json.loads(line)["recordings"] == ["many"]


def test_what_the_index_does_not_have_is_said(index):
    index.check()
    for asked in (index.run, index.state, index.mask, index.is_live, index.checked_report, index.turn_of):
        with pytest.raises(UserError, match="no recording x"):
            asked("x")
    with index.turn_of(None):
        assert not index.has_fleet
    assert index.fleet is None


def test_only_so_many_recordings_are_remembered(index, tmp_path, known):
    first = index.mask("many")
    for number in range(REMEMBERED):
        recording = Recording.create(tmp_path / f"r{number}", serving.run(f"r{number}", ended=serving.START))
        correlate(recording, index.store, known)
        assert index.mask("many") is first
    for number in range(REMEMBERED):
        index.mask(f"r{number}")
    assert index.mask("many") is not first


def test_what_was_made_for_a_page_is_kept_until_the_index_has_changed(index):
    made: list[int] = []

    def make() -> int:
        made.append(1)
        return len(made)

    name, state, another = "many", index.state("many"), index.state(OTHER)
    assert [index.made(name, state, "picture", make) for _ in range(3)] == [1, 1, 1]
    assert index.made(name, state, "another", make) == 2
    assert index.made(name, another, "picture", make) == 3
    last = [index.made(name, state, number, make) for number in range(MOST_MADE + 3)][-1]
    assert index.made(name, state, MOST_MADE + 2, make) == last
    assert index.made(name, state, 0, make) == last + 1  # of many only the last are kept
