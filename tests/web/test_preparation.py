"""Pages of long recordings: what their reader sees until they are ready, and who is not kept waiting so."""

from __future__ import annotations

import threading
import time

import pytest
from starlette.responses import HTMLResponse

from appwitness.api.browsing import Browsing
from appwitness.correlate import correlate, knowledge
from appwitness.recording import Recording
from appwitness.store import Store
from appwitness.support.errors import UserError
from appwitness.web import preparation, routes
from appwitness.web.preparation import Preparation
from appwitness.web.query import Site
from tests.recordings.written import RECORDINGS
from tests.web import serving

NAME = "sent-before-consent"
FROM_A_SCRIPT = {"sec-fetch-dest": "empty"}


class Slow:
    """A page that takes as long as the test wants."""

    def __init__(self) -> None:
        self.may_end = threading.Event()
        self.calls = 0
        self.wrong: UserError | None = None

    def __call__(self, _asked: object = None) -> HTMLResponse:
        self.calls += 1
        assert self.may_end.wait(30)
        if self.wrong:
            raise self.wrong
        return HTMLResponse(f"ready {self.calls}")


@pytest.fixture
def slow(monkeypatch):
    slow = Slow()
    monkeypatch.setitem(routes.PAGES, "/recordings/{recording}/report", slow)
    yield slow
    slow.may_end.set()


@pytest.fixture
def here(tmp_path, request):
    if "slow" in request.fixturenames:
        request.getfixturevalue("slow")  # before the routes are made
    known = knowledge()
    with Store(tmp_path / "index.sqlite") as store:
        name = correlate(Recording.open(RECORDINGS / NAME), store, known).recording
        index = Browsing(store, known)
        yield serving.visitor(routes.app(Site(index, serving.TOKEN))), f"/recordings/{name}"
        index.badges.close()


def until_ready(visitor, address):
    for _ in range(100):
        answer = visitor.get(address)
        if answer.status_code != 202:
            return answer
        time.sleep(0.02)
    raise AssertionError("never ready")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_reader_of_a_long_recording_sees_what_is_known_until_the_page_is_ready(monkeypatch, here, slow, lang):
    monkeypatch.setattr(preparation, "LONG", 0)
    visitor, place = here
    first = visitor.get(f"{place}/report?lang={lang}")
    assert first.status_code == 202
    assert 'http-equiv="refresh"' in first.text
    title = {"en": "Personal data was sent before any consent was observed", "zh": "在观察到用户同意之前发送了个人信息"}
    assert f"{title[lang]}: 1" in first.text
    again = visitor.get(f"{place}/report?lang={lang}")
    assert (again.status_code, slow.calls) == (202, 1)
    slow.may_end.set()
    ready = until_ready(visitor, f"{place}/report?lang={lang}")
    assert (ready.status_code, ready.text) == (200, "ready 1")
    assert until_ready(visitor, f"{place}/report?lang={lang}").text == "ready 2"


def test_a_page_that_is_prepared_for_one_reader_is_not_given_to_another(monkeypatch, here, slow):
    monkeypatch.setattr(preparation, "LONG", 0)
    visitor, place = here
    visitor.headers["accept-language"] = "en"
    assert visitor.get(f"{place}/report").status_code == 202
    slow.may_end.set()
    visitor.headers["accept-language"] = "zh"
    assert until_ready(visitor, f"{place}/report").text == "ready 2"
    visitor.headers["accept-language"] = "en"
    assert until_ready(visitor, f"{place}/report").text == "ready 1"


def test_pages_of_a_short_recording_are_waited_for(here, slow):
    slow.may_end.set()
    visitor, place = here
    assert visitor.get(f"{place}/report").text == "ready 1"


def test_a_ready_page_is_the_one_that_is_there_without_waiting(monkeypatch, here):
    visitor, place = here
    whole = visitor.get(f"{place}/findings").text
    monkeypatch.setattr(preparation, "LONG", 0)
    assert until_ready(visitor, f"{place}/findings").text == whole


@pytest.mark.parametrize(
    ("query", "headers"), [("?format=json", {}), ("?download=1", {}), ("", FROM_A_SCRIPT)], ids=["json", "file", "part"]
)
def test_programs_files_and_parts_of_pages_get_the_whole_answer(monkeypatch, here, slow, query, headers):
    monkeypatch.setattr(preparation, "LONG", 0)
    slow.may_end.set()
    visitor, place = here
    answer = visitor.get(f"{place}/report{query}", headers=headers)
    assert (answer.status_code, answer.text) == (200, "ready 1")


def test_what_went_wrong_is_said_where_the_page_is_asked_for(monkeypatch, here, slow):
    monkeypatch.setattr(preparation, "LONG", 0)
    slow.wrong = UserError("It is gone.", "Bring it back.")
    slow.may_end.set()
    visitor, place = here
    answer = until_ready(visitor, f"{place}/report")
    assert answer.status_code == 404
    assert "It is gone." in answer.text


def test_pages_that_nobody_came_back_for_are_dropped_and_few_are_prepared_at_a_time(monkeypatch):
    pages, slow = Preparation(), Slow()
    for number in range(preparation.MOST + 3):
        assert pages.page(f"/{number}", slow) is None
    slow.may_end.set()
    for _ in range(100):
        if len(pages.ready) == preparation.MOST:
            break
        time.sleep(0.02)
    assert slow.calls == preparation.MOST
    monkeypatch.setattr(preparation, "KEPT_S", -1.0)
    calls = slow.calls
    anew = pages.page("/0", slow)
    assert anew is not None
    assert anew.body == f"ready {calls + 1}".encode()
