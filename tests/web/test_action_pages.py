"""What can be done with a recording on its pages: verify, gate, letters, copies, waive, forget; and its badge."""

from __future__ import annotations

import io
import shutil
import time
import zipfile

import pytest

from appwitness.api.browsing import Browsing
from appwitness.api.inbox import Inbox
from appwitness.api.live_runs import LiveRuns
from appwitness.correlate import correlate
from appwitness.events import Access
from appwitness.recording import Recording
from appwitness.reports import LANGUAGES
from appwitness.store import Store
from appwitness.web.query import Site, Work
from appwitness.web.routes import app
from tests.recordings.written import RECORDINGS
from tests.web import serving
from tests.web.test_work_pages import posted

CASE = "sent-before-consent"


@pytest.fixture
def store(tmp_path, known, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("APPWITNESS_HOME", str(tmp_path / "home"))
    shutil.copytree(RECORDINGS / CASE, tmp_path / "recording")
    (tmp_path / "recording/expected.json").unlink()
    with Recording.open(tmp_path / "recording") as recording:
        recording.stamp(final=True)
    with Store(tmp_path / "index.sqlite") as store:
        correlate(Recording.open(tmp_path / "recording"), store, known)
        yield store


@pytest.fixture
def here(store):
    return f"/recordings/{store.recordings()[0].id}"


@pytest.fixture
def visitor(store, known):
    with LiveRuns() as runs:
        yield serving.visitor(app(Site(Browsing(store, known), serving.TOKEN, work=Work(runs, Inbox()))))


def badge(visitor, address):
    end = time.monotonic() + 60
    while (found := visitor.get(address, params={"format": "json"}).json()["integrity"]["state"]) == "checking":
        assert time.monotonic() < end
        time.sleep(0.05)
    return found


# the badge


def test_an_alteration_shows_on_every_page_and_in_the_list(visitor, here, tmp_path):
    assert badge(visitor, here) == "intact"
    assert "badge-intact" in visitor.get("/").text
    with (tmp_path / "recording/uploads.jsonl").open("r+b") as file:
        file.seek(10)
        file.write(b"~")
    assert badge(visitor, here) == "altered"
    for page in ("", "/findings", "/findings/1", "/uploads", "/reads", "/consents", "/gaps", "/actions"):
        assert "badge-altered" in visitor.get(here + page).text, page
    assert "badge-altered" in visitor.get("/").text
    shutil.rmtree(tmp_path / "recording")
    assert badge(visitor, here) == "missing"
    assert "badge-missing" in visitor.get(f"{here}/findings").text


def test_a_body_that_was_altered_in_place_is_noticed_when_it_is_checked_again(visitor, here, tmp_path, monkeypatch):
    assert badge(visitor, here) == "intact"
    body = next((tmp_path / "recording/bodies").iterdir())
    body.write_bytes(b"~" * body.stat().st_size)
    monkeypatch.setattr("appwitness.api.integrity_badges.AGAIN_S", 0)
    visitor.get(here)
    assert badge(visitor, here) == "altered"


def test_what_nobody_stamped_is_not_called_intact(visitor, here, tmp_path):
    (tmp_path / "recording/seal.jsonl").unlink()
    assert badge(visitor, here) in ("never_stamped", "missing")


# what can be done


@pytest.mark.parametrize("lang", LANGUAGES)
def test_actions_letters_and_the_gate_are_shown(visitor, here, lang):
    page = visitor.get(f"{here}/actions", params={"lang": lang})
    assert page.status_code == 200
    assert f"{here}/forget" in page.text
    for path in ("letter?law=cn", "letter?law=eu", "letter?law=eu&download=1", "gate"):
        answer = visitor.get(f"{here}/{path}" + f"{'&' if '?' in path else '?'}lang={lang}")
        assert answer.status_code == 200, path
    decided = visitor.get(f"{here}/gate", params={"format": "json"}).json()
    assert decided["outcome"] == "failed"


def test_a_waived_finding_passes_the_gate_and_a_wrong_waiver_is_refused_in_its_form(visitor, here, store, tmp_path):
    findings = visitor.get(here, params={"format": "json"}).json()["counts"]["findings"]
    answer = posted(visitor, f"{here}/findings/1", {"owner": "ann", "reason": "known since May", "expires": "soon"})
    assert (answer.status_code, 'value="known since May"' in answer.text) == (400, True)
    assert not (tmp_path / "appwitness-waivers.yml").exists()
    day = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 30 * 86400))
    for number in range(1, findings + 1):
        answer = posted(
            visitor, f"{here}/findings/{number}", {"owner": "ann", "reason": "known since May", "expires": day}
        )
        assert answer.status_code == 303, answer.text
    assert visitor.get(f"{here}/gate", params={"format": "json"}).json()["outcome"] == "passed"
    assert posted(visitor, f"{here}/findings/999", {"owner": "a", "reason": "b", "expires": day}).status_code in (
        400,
        404,
    )


def test_a_copy_to_share_is_a_recording_without_the_values(visitor, here, store, tmp_path):
    answer = posted(visitor, f"{here}/share")
    assert answer.status_code == 200
    values = {value.text for access in Recording.open(tmp_path / "recording").events(Access) for value in access.values}
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        lines = archive.read(next(name for name in archive.namelist() if name.endswith("accesses.jsonl"))).decode()
    assert values
    assert not any(value in lines for value in values)


def test_a_bundle_has_values_so_it_needs_reveal(visitor, here, store, known, tmp_path):
    assert "--reveal" in posted(visitor, f"{here}/bundle").text
    with LiveRuns() as runs:
        site = Site(Browsing(store, known, tmp_path / "reveals"), serving.TOKEN, work=Work(runs, Inbox()))
        answer = posted(serving.visitor(app(site)), f"{here}/bundle")
    assert answer.status_code == 200
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert "SHA256SUMS" in archive.namelist()


def test_what_is_forgotten_is_shown_first(visitor, here, store, tmp_path):
    page = posted(visitor, f"{here}/forget", {"values": "", "reason": "asked <b>to"}).text
    assert "asked &lt;b&gt;to" in page
    assert "upload: " in page
    assert (tmp_path / "recording/uploads.jsonl").exists()
    assert "There is no type" in posted(visitor, f"{here}/forget", {"values": "a=b"}).text
    answer = posted(visitor, f"{here}/forget", {"sure": "yes", "reason": "asked to"})
    assert answer.headers["location"] == "/"
    assert store.recordings() == []


def test_only_lines_with_a_value_are_forgotten_and_the_rest_is_judged_anew(visitor, here, store, tmp_path):
    access = next(each for each in Recording.open(tmp_path / "recording").events(Access) if each.values)
    value = f"{access.values[0].type}={access.values[0].text}"
    page = posted(visitor, f"{here}/forget", {"values": value}).text
    assert "access: " in page
    answer = posted(visitor, f"{here}/forget", {"values": value, "sure": "yes"})
    assert answer.status_code == 303
    assert visitor.get(answer.headers["location"]).status_code == 200
    assert access.values[0].text not in (tmp_path / "recording/accesses.jsonl").read_text("utf-8")


def test_two_runs_of_one_app_are_compared_as_releases(visitor, here, store, known):
    correlate(Recording.open(RECORDINGS / "sent-after-withdrawal"), store, known)
    names = [each.id for each in store.recordings()]
    assert "<h1" in visitor.get("/diff", params={"run": names}).text
    told = visitor.get("/diff", params={"run": names, "format": "json"}).json()
    assert {each["change"] for each in told["changes"]} & {"new", "gone"}
    assert visitor.get("/diff", params={"run": names[:1]}).status_code == 404
    assert 'formaction="/diff"' in visitor.get("/").text


def test_pages_that_only_show_do_none_of_it(store, known, here):
    asking = serving.visitor(app(Site(Browsing(store, known), serving.TOKEN)))
    assert f"{here}/forget" not in asking.get(f"{here}/actions").text
    assert '<form method="post"' not in asking.get(f"{here}/findings/1").text
    for act in ("share", "bundle", "forget", "findings/1"):
        answer = posted(asking, f"{here}/{act}", {"sure": "yes"})
        assert (answer.status_code, "--read-only" in answer.text) == (400, True), act
    assert len(store.recordings()) == 1


def test_a_list_is_filled_and_an_item_answered_by_hand(visitor, here, store):
    page = visitor.get(f"{here}/checklist", params={"list": "cn-164"})
    assert page.status_code == 200
    assert "1.1.2" in page.text
    assert "unmasked" not in page.text
    fields = {"list": "cn-164", "item": "1.1.7", "answer": "pass", "who": "A. Tester", "note": "Both buttons are there"}
    assert posted(visitor, f"{here}/checklist", fields).status_code == 303
    filled = visitor.get(f"{here}/checklist", params={"list": "cn-164", "format": "json"}).json()
    items = {each["item"]: each for group in filled["groups"] for each in group["items"]}
    (answer,) = items["1.1.7"]["answers"]
    assert (answer["answer"], answer["who"]) == ("pass", "A. Tester")
    assert items["1.1.2"]["state"] == "fail"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"list": "../../etc/passwd", "item": "1", "answer": "pass"}, "There is no checklist"),
        ({"list": "cn-164", "item": "9.9.9", "answer": "pass"}, "has no item 9.9.9"),
        ({"list": "cn-164", "item": "1.1.7", "answer": "perhaps"}, "Answer pass or fail."),
    ],
)
def test_what_is_no_answer_is_refused(visitor, here, fields, said):
    before = visitor.get(f"{here}/checklist", params={"list": "cn-164", "format": "json"}).json()
    answered = posted(visitor, f"{here}/checklist", fields)
    assert answered.status_code == 400
    assert said in answered.text
    after = visitor.get(f"{here}/checklist", params={"list": "cn-164", "format": "json"}).json()
    assert after["groups"] == before["groups"]


def test_a_page_names_no_list_of_a_file(visitor, here, tmp_path):
    (tmp_path / "own.yml").write_text("checklist: own")
    assert visitor.get(f"{here}/checklist", params={"list": str(tmp_path / "own.yml")}).status_code == 404
