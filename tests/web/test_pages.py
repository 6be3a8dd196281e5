from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from monitor import events
from monitor.correlate import correlate, knowledge
from monitor.recording import Recording
from monitor.reports import render
from monitor.store import Store
from monitor.web.pages import app
from tests.reports import sample

NUMBER = sample.OWN.text


@pytest.fixture(scope="module")
def known():
    return knowledge()


@pytest.fixture
def store(tmp_path, known):
    with Store(tmp_path / "index.sqlite") as store:
        for number in (1, 2):
            run = sample.run(
                id=f"run-{number} <b>", started=sample.START + timedelta(days=number), clock_offset_ms=0, ended=None
            )
            recording = Recording.create(tmp_path / f"r{number}", run)
            recording.append(
                events.Access(
                    at=run.started + timedelta(seconds=1), app=sample.APP, data="phone_number", outcome="returned",
                    source="android.telephony.TelephonyManager.getLine1Number", values=(sample.OWN,),
                )
            )  # fmt: skip
            if number == 2:
                body = b'{"tel":"' + NUMBER.encode() + b'"}'
                recording.append(
                    events.Upload(
                        at=run.started + timedelta(seconds=2), via="http", method="POST", url="https://a.test/x",
                        host="a.test", body=recording.put_body(body), size=len(body), type="application/json",
                        tls=events.Tls(),
                    )
                )  # fmt: skip
            correlate(recording, store, known)
        yield store


TOKEN = "known-to-one-user"


def browser(store, known, client="127.0.0.1", host="127.0.0.1", cookies=(("appwitness", TOKEN),), **options):
    pages = app(store, known, token=TOKEN, **options)
    return TestClient(pages, base_url=f"http://{host}", client=(client, 50000), cookies=dict(cookies))


@pytest.mark.parametrize(
    ("query", "cookie", "status"),
    [
        (f"?token={TOKEN}", None, 200),
        ("", TOKEN, 200),
        (f"?token={TOKEN}", "stale", 200),
        ("?token=wrong", TOKEN, 200),
        ("", None, 403),
        ("?token=", None, 403),
        ("?token=wrong", None, 403),
        (f"?token={TOKEN}x", None, 403),
        ("?token=%ED%A0%80%00%F0%9F%98%80", None, 403),
        ("", "wrong", 403),
    ],
)
@pytest.mark.parametrize("path", ["/", "/recordings/run-2%20%3Cb%3E", "/absent"])
def test_only_who_has_the_token_is_answered(store, known, query, cookie, status, path):
    asking = browser(store, known, cookies=(("appwitness", cookie),) if cookie else ())
    answer = asking.get(path + query)
    assert answer.status_code == (404 if status == 200 and path == "/absent" else status)
    assert (sample.APP in answer.text) == (answer.status_code == 200)


def test_the_token_becomes_a_cookie_for_this_site_alone_and_links_work(store, known):
    asking = browser(store, known, cookies=())
    said = asking.get(f"/?token={TOKEN}").headers["set-cookie"]
    assert {"HttpOnly", "SameSite=Strict"} <= {part.strip() for part in said.split(";")}
    assert asking.get("/recordings/run-2%20%3Cb%3E").status_code == 200
    assert "token" not in asking.get("/").text


def test_the_recordings_are_listed_newest_first_and_lead_to_their_page(store, known):
    asking = browser(store, known)
    listed = asking.get("/")
    assert listed.status_code == 200
    assert listed.text.index("run-2") < listed.text.index("run-1")
    assert "<b>" not in listed.text.split("<main>")[1].replace("&lt;b&gt;", "")
    page = asking.get("/recordings/run-2%20%3Cb%3E")
    assert page.status_code == 200
    assert "uploads.jsonl:1" in page.text
    assert NUMBER not in page.text


def test_the_page_is_the_html_report(store, known):
    from monitor.correlate import indexed_report

    of = indexed_report(store, "run-2 <b>", known)
    assert of.verified is not None
    assert of.verified.outcome == "intact_up_to"
    for lang in ("en", "zh"):
        assert browser(store, known).get(f"/recordings/run-2 <b>?lang={lang}").text == render(of, "html", lang=lang)
    assert browser(store, known, reveal=True).get("/recordings/run-2 <b>").text == render(of, "html", reveal=True)


@pytest.mark.parametrize(("lang", "said"), [("en", "Recordings"), ("zh", "录制列表"), ("xx", "Recordings")])
def test_the_list_speaks_both_languages(store, known, lang, said):
    assert f"<h1>{said}</h1>" in browser(store, known).get(f"/?lang={lang}").text


def test_an_empty_index_says_what_to_do(tmp_path, known):
    with Store(tmp_path / "empty.sqlite") as store:
        assert "appwitness correlate" in browser(store, known).get("/").text


def test_a_recording_that_is_not_there_is_not_there(store, known):
    answer = browser(store, known).get("/recordings/absent")
    assert answer.status_code == 404
    assert "absent" in answer.text


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", ["/", "/recordings/run-2"])
def test_nothing_can_be_written(store, known, method, path):
    assert browser(store, known).request(method, path).status_code == 405


@pytest.mark.parametrize(
    ("client", "host", "status"),
    [
        ("127.0.0.1", "127.0.0.1", 200),
        ("::1", "localhost", 200),
        ("127.0.0.1", "localhost:8000", 200),
        ("192.168.1.7", "127.0.0.1", 403),
        ("10.0.2.16", "localhost", 403),
        ("testclient", "localhost", 403),
        ("127.0.0.1", "attacker.example", 400),
    ],
)
def test_only_this_machine_is_answered(store, known, client, host, status):
    answer = browser(store, known, client, host).get("/")
    assert answer.status_code == status
    assert (sample.APP in answer.text) == (status == 200)


def test_pages_are_kept_to_themselves(store, known):
    headers = browser(store, known).get("/").headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
