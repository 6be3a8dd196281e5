"""What can be started on the pages: who may, files that are dropped, a run on a device; and what is refused."""

from __future__ import annotations

import gzip
import http.client
import json
import sys
import time
import tracemalloc
from pathlib import Path

import pytest

from appwitness.api import devices, diagnosing, inbox
from appwitness.api.browsing import Browsing
from appwitness.api.inbox import Inbox
from appwitness.api.live_runs import LiveRuns, RunRequest
from appwitness.devices.android.faults import fault
from appwitness.devices.diagnosis import Diagnosis, Result
from appwitness.recording import Recording, packing
from appwitness.reports import LANGUAGES
from appwitness.store import Store
from appwitness.support import private_files
from appwitness.web import server as serving_module
from appwitness.web.auth import form_token
from appwitness.web.query import Site, Work
from appwitness.web.routes import ACTS, WORK, app
from tests.exchange.test_observed import entry
from tests.recordings.written import RECORDINGS
from tests.web import serving

FORM = {"form": form_token(serving.TOKEN)}
OURS = {"origin": "http://127.0.0.1", "sec-fetch-site": "same-origin"}
HAR = {
    "log": {
        "version": "1.2",
        "creator": {"name": "a browser", "version": "1"},
        "entries": [entry(1, "http://collect.adnet.test/v1", '{"mail": "ann@mail.example"}')],
    }
}
CAPTURE = json.dumps(HAR).encode()
NAME = "../../<b>shop</b>.har"
TOLD = (
    '{"event":"stage","what":"<b>waiting</b>"}\n{"event":"read","ref":"accesses.jsonl:1","data":"email","source":"a.b"}'
)
UNTIL_STOPPED = (
    "import signal, sys, time\nsignal.signal(signal.SIGTERM, signal.default_int_handler)\n"
    f"print({TOLD!r}, flush=True)\n"
    "try:\n    time.sleep(60)\nexcept KeyboardInterrupt:\n    sys.exit(0)\n"
)


@pytest.fixture
def work(tmp_path, monkeypatch):
    monkeypatch.setenv("APPWITNESS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("APPWITNESS_RECORDINGS", str(tmp_path / "recordings"))
    monkeypatch.setattr(devices, "listed", devices.embedded_ones)  # no adb is asked
    with LiveRuns() as runs:
        yield Work(runs, Inbox())


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "index.sqlite") as store:
        yield store


@pytest.fixture
def visitor(store, known, work):
    return serving.visitor(app(Site(Browsing(store, known), serving.TOKEN, work=work)))


def posted(asking, path, fields=None, **headers):
    return asking.post(path, data=FORM | (fields or {}), headers=OURS | headers, follow_redirects=False)


def sent(asking, content, name=NAME, **query):
    headers = OURS | {"x-appwitness-form": FORM["form"]}
    return asking.post("/new/files", params={"name": name, **query}, content=content, headers=headers)


def drop_of(answer):
    assert answer.status_code == 200, answer.text
    return answer.json()["drop"]


# who may


@pytest.mark.parametrize("lang", LANGUAGES)
def test_an_empty_index_has_three_doors(visitor, lang):
    for path in ("/", "/new"):
        page = visitor.get(path, params={"lang": lang}).text
        assert page.count('class="door"') == 3
        assert "/new/demo" in page
        assert "data-drop" in page
        assert "/new/observe" in page


def test_pages_that_only_show_start_nothing_and_say_so(store, known):
    asking = serving.visitor(app(Site(Browsing(store, known), serving.TOKEN, may_mark=False)))
    for path in ("/", "/new"):
        page = asking.get(path).text
        assert '<form method="post"' not in page
        assert "data-drop" not in page
        assert "appwitness demo" in page
    for path in set(WORK) - {"/new"}:
        answer = asking.get(path.replace("{drop}", "a").replace("{run}", "a"))
        assert (answer.status_code, "--read-only" in answer.text) == (404, True), path
    for path in ACTS:
        if "{recording}" in path or path == "/search":
            continue  # tests/web/test_action_pages.py; a search only reads
        answer = posted(asking, path.replace("{drop}", "a").replace("{run}", "a"))
        assert (answer.status_code, "--read-only" in answer.text) == (400, True), path
    assert "--read-only" in sent(asking, CAPTURE).json()["problem"]
    assert asking.get("/runs/a/events").status_code == 404


@pytest.mark.parametrize("path", [*ACTS, "/new/files"])
def test_nothing_is_done_for_a_form_of_others(visitor, work, path):
    for name in ("{drop}", "{run}", "{recording}", "{number:line}"):
        path = path.replace(name, "1")
    for fields, headers in (
        ({"form": "wrong"}, {}),
        ({}, {"origin": "http://evil.test"}),
        ({}, {"sec-fetch-site": "cross-site"}),
        ({}, {"origin": ""}),
    ):
        assert posted(visitor, path, fields, **headers).status_code == 403
    assert work.runs.list() == []


def test_a_form_is_bounded(visitor):
    assert posted(visitor, "/new/demo", {"a": "x" * 20_000}).status_code == 413
    assert posted(visitor, "/new/demo", {f"a{number}": "x" for number in range(200)}).status_code == 413


# files


def test_a_capture_asks_for_its_app_and_for_values_and_becomes_a_finding(visitor, store, tmp_path):
    answer = sent(visitor, gzip.compress(CAPTURE))
    drop = drop_of(answer)
    assert answer.json()["address"] == f"/new/files/{drop}"
    page = visitor.get(f"/new/files/{drop}")
    assert "&lt;b&gt;" not in page.text.partition("<main")[0]
    assert "<b>shop" not in page.text
    assert "HAR" in page.text
    for fields, says in (
        ({"app": " "}, "The app is not named"),
        ({"app": "shop.test"}, "No value is given"),
        ({"app": "shop.test", "values": "mail=ann@mail.example"}, "There is no type"),
        ({"app": "shop.test", "email": "not an address"}, "is not an email address"),
    ):
        answer = posted(visitor, f"/new/files/{drop}", fields)
        assert (answer.status_code, says in answer.text) == (400, True), says
        assert fields["app"].strip() in answer.text
    assert store.recordings() == []
    answer = posted(visitor, f"/new/files/{drop}", {"app": "shop.test", "email": "ann@mail.example"})
    assert answer.status_code == 303
    page = visitor.get(answer.headers["location"])
    assert "shop.test" in page.text
    (made,) = (tmp_path / "recordings").iterdir()
    run = Recording.open(made).run
    assert [each.name for each in run.source] == [".._..__b_shop__b_.har"]
    assert store.flows(run.id)
    assert visitor.get(f"/new/files/{drop}").status_code == 404


def test_a_capture_without_values_is_taken_in_when_that_is_said_twice(visitor, store):
    drop = drop_of(sent(visitor, CAPTURE))
    page = posted(visitor, f"/new/files/{drop}", {"app": "shop.test"}).text
    assert 'name="sure"' in page
    assert posted(visitor, f"/new/files/{drop}", {"app": "shop.test", "sure": "yes"}).status_code == 303
    assert len(store.recordings()) == 1


def test_an_archive_is_taken_in_at_once(visitor, store, tmp_path):
    archive = tmp_path / "a.zip"
    packing.write(RECORDINGS / "address-book-upload", archive)
    answer = sent(visitor, archive.read_bytes(), "a.zip").json()
    assert answer["drop"] == ""
    assert visitor.get(answer["address"]).status_code == 200
    assert len(store.recordings()) == 1


@pytest.mark.parametrize(
    ("content", "name", "says"),
    [
        (b"", "a.har", "neither HAR"),
        (b"\x00" * 5000, "a.har", "neither HAR"),
        (b"MZ", "a.apk", "has the name of an app, but is not one"),
        (b"\x1f\x8b damaged", "a.har.gz", "neither HAR"),
        (b"age-encryption.org/v1\n", "a.zip.age", "encrypted"),
        (b"PK\x03\x04" + b"\x00" * 100, "a.zip", ""),
    ],
)
def test_what_cannot_be_taken_in_is_refused_with_a_reason_and_does_not_stay(
    visitor, work, tmp_path, content, name, says
):
    answer = sent(visitor, content, name)
    assert says in answer.json()["problem"]
    folder = tmp_path / "recordings"
    assert not folder.exists() or list(folder.iterdir()) == []


@pytest.mark.parametrize("packed", [gzip.compress, lambda text: text, lambda text: text.decode().encode("utf-16")])
def test_what_a_file_is_is_told_by_its_beginning_alone(tmp_path, packed):
    file = tmp_path / "a"
    file.write_bytes(packed(CAPTURE + b" " * (64 << 20)))
    tracemalloc.start()
    assert inbox.kind_of(file) == "har"
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()


def test_a_file_that_is_too_large_is_refused_before_it_is_read_and_while(visitor, work):
    work.inbox.largest = 10
    assert "larger than" in sent(visitor, b"x" * 20).json()["problem"]

    def pieces():
        yield b"x" * 8
        yield b"x" * 8

    assert "larger than" in sent(visitor, pieces()).json()["problem"]
    assert work.inbox.drops == {}


def test_no_more_files_and_drops_than_the_bound(visitor, monkeypatch):
    monkeypatch.setattr(inbox, "MOST_FILES", 2)
    monkeypatch.setattr(inbox, "MOST_DROPS", 2)
    first = drop_of(sent(visitor, CAPTURE))
    drop_of(sent(visitor, CAPTURE, drop=first))
    assert "at most 2 files" in sent(visitor, CAPTURE, drop=first).json()["problem"]
    for _ in range(2):
        drop_of(sent(visitor, CAPTURE))
    assert visitor.get(f"/new/files/{first}").status_code == 404
    assert "no longer here" in sent(visitor, CAPTURE, drop="../x").json()["problem"]


def test_files_that_belong_to_no_one_run_are_refused(visitor):
    drop = drop_of(sent(visitor, b"CLIENT_RANDOM " + b"0a" * 32 + b" " + b"0b" * 48 + b"\n", "keys.log"))
    answer = posted(visitor, f"/new/files/{drop}", {"app": "shop.test", "sure": "yes"})
    assert (answer.status_code, "do not belong to one run" in answer.text) == (400, True)


def test_what_was_dropped_goes_with_its_drop(work):
    with work.inbox.receiving("", "a.har", None) as arrival:
        arrival.write(CAPTURE)
    drop = work.inbox.of(arrival.drop)
    assert drop.files[0].path.exists()
    work.inbox.remove(drop.id)
    assert not drop.folder.path.exists()


def test_a_file_may_take_longer_than_a_form_as_long_as_it_comes(store, known, work, monkeypatch):
    monkeypatch.setattr(serving_module, "WHOLE_WITHIN_S", 1.0)
    with serving.serving(store, known, work=work) as site:
        host = site.removeprefix("http://")
        asking = http.client.HTTPConnection(host)
        asking.request("GET", f"/?token={serving.TOKEN}")
        cookie = asking.getresponse().headers["set-cookie"].partition(";")[0]

        def pieces():
            for at in range(0, len(CAPTURE), 200):
                yield CAPTURE[at : at + 200]
                time.sleep(0.4)

        headers = {
            "cookie": cookie,
            "origin": site,
            "x-appwitness-form": FORM["form"],
            "content-length": str(len(CAPTURE)),
        }
        asking = http.client.HTTPConnection(host)
        asking.request("POST", "/new/files?name=a.har", body=pieces(), headers=headers)
        assert "address" in json.load(asking.getresponse())


# runs


@pytest.fixture
def program(monkeypatch):
    def words(_request, output: Path, _judged_by):
        private_files.folder(output)
        return [sys.executable, "-c", UNTIL_STOPPED]

    monkeypatch.setattr(RunRequest, "words", words)


def test_devices_are_listed_with_what_the_check_says_of_the_chosen_one(visitor):
    page = visitor.get("/new/observe").text
    assert "lab:circle" in page
    assert "<form method" not in page
    assert "adb lists no phone or emulator" in page
    page = visitor.get("/new/observe", params={"device": "lab:circle"}).text
    assert 'name="plan"' in page
    assert "/new/observe?device=lab%3Acircle" in page
    assert visitor.get("/new/observe", params={"device": "<b>"}).status_code == 200


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_run_is_started_watched_and_stopped(visitor, work, program, lang):
    answer = posted(
        visitor, f"/new/observe?device=lab:circle&lang={lang}", {"plan": "refuse", "mode": "auto", "seconds": ""}
    )
    assert answer.status_code == 303
    address = answer.headers["location"]
    run = work.runs.list()[0].id
    end = time.monotonic() + 60
    while not work.runs.status(run).reads:
        assert time.monotonic() < end
        time.sleep(0.02)
    page = visitor.get(address).text
    assert "&lt;b&gt;waiting" in page
    assert "accesses.jsonl:1" in page
    assert f"/runs/{run}/stop" in page
    told = visitor.get(address, params={"format": "json"}).json()
    assert (told["run_state"], told["counts"]["reads"], told["plan"]) == ("recording", 1, "refuse")
    assert run in visitor.get("/runs").text
    assert posted(visitor, "/new/observe?device=lab:circle", {"plan": "refuse"}).status_code == 400
    assert posted(visitor, f"/runs/{run}/stop").status_code == 303
    assert work.runs.wait(run, 60).state == "stopped"
    assert "/stop" not in visitor.get(address).text


@pytest.mark.parametrize(
    ("device", "fields", "says"),
    [
        ("emulator-5554", {"plan": "refuse", "app": "a.b"}, "no longer connected"),
        ("--help", {"plan": "refuse"}, "no longer connected"),
        ("lab:circle", {"plan": "maybe"}, "no plan"),
        ("lab:circle", {"plan": "refuse", "mode": "reverse:http://a.test"}, "no mode"),
        ("lab:circle", {"plan": "refuse", "seconds": "soon"}, "length of time"),
        ("lab:circle", {"plan": "refuse", "app": "com.example.a"}, "built in"),
    ],
)
def test_a_run_that_cannot_be_is_refused_on_its_form(visitor, work, device, fields, says):
    answer = posted(visitor, f"/new/observe?device={device}", fields)
    assert (answer.status_code, says in answer.text) == (400, True)
    assert work.runs.list() == []


def test_an_app_that_is_dropped_is_installed_on_a_device_that_is_no_lab(visitor, work, monkeypatch, program):
    phone = devices.embedded_ones()[0].__class__("R58", "ready", "Phone", "root", "all", "proxy", "read")
    monkeypatch.setattr(devices, "listed", lambda: [phone])
    answer = sent(visitor, b"PK\x03\x04", "shop.APK")
    drop = drop_of(answer)
    assert answer.json()["address"] == f"/new/observe?drop={drop}"
    assert posted(visitor, f"/new/observe?device=R58&drop={drop}", {"plan": "refuse"}).status_code == 303
    (run,) = work.runs.list()
    assert [path.suffix for path in run.request.apks] == [".apk"]


@pytest.mark.parametrize("clear", [True, False])
def test_a_run_on_a_phone_may_clear_the_data_of_an_app_that_was_used_before(visitor, work, monkeypatch, program, clear):
    """Else an observation of such an app ends with `app-has-data`, whose remedy this is."""
    phone = devices.embedded_ones()[0].__class__("R58", "ready", "Phone", "root", "all", "proxy", "read")
    monkeypatch.setattr(devices, "listed", lambda: [phone])
    fields = {"plan": "refuse", "app": "com.example.shop", **({"clear_data": "on"} if clear else {})}
    assert posted(visitor, "/new/observe?device=R58", fields).status_code == 303
    (run,) = work.runs.list()
    assert run.request.clear_data is clear


def test_what_a_device_lacks_is_said_in_the_language_of_the_page(visitor, monkeypatch):
    phone = devices.embedded_ones()[0].__class__("R58", "ready", "Phone", "root", "all", "proxy", "read")
    monkeypatch.setattr(devices, "listed", lambda: [phone])
    fault_ = fault("device-lost", serial="R58")
    found = Result(check="reached", level="fault", code=fault_.code, message=fault_.what, remedy=fault_.next_step)
    monkeypatch.setattr(diagnosing, "diagnose", lambda *_: Diagnosis(device="R58", results=(found,)))
    said = {lang: visitor.get(f"/new/observe?device=R58&lang={lang}").text for lang in ("en", "zh")}
    assert "R58 is no longer there." in said["en"]
    assert "R58 已断开。" in said["zh"]
    told = visitor.get("/new/observe?device=R58&lang=zh&format=json").json()
    assert told["diagnosis"][0]["message"] == "R58 is no longer there."


def test_the_demo_is_a_list_of_runs(visitor, work, program):
    answer = posted(visitor, "/new/demo")
    assert answer.headers["location"] == "/runs"
    assert len(work.runs.list()) == 5
    for run in work.runs.list():
        posted(visitor, f"/runs/{run.id}/stop")
