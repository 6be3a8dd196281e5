"""The pages over an index: who is let in, what they show and hide, filters, marks, downloads; each as JSON too."""

import gzip
import json
import re
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from importlib.metadata import version
from urllib.parse import unquote

import pytest
from starlette.testclient import TestClient

from appwitness import events
from appwitness.api.browsing import Browsing
from appwitness.correlate import correlate, indexed_report, report_on
from appwitness.findings.people import label
from appwitness.judge.policy import DeclaredData, Policy
from appwitness.recording import Recording, packing, verify
from appwitness.reports import LANGUAGES, render
from appwitness.reports.phrases import data_of
from appwitness.reports.verdict import sent, verdict
from appwitness.reports.watched import declared_rows
from appwitness.reports.words import Words
from appwitness.store import Store
from appwitness.store.runs import Runs
from appwitness.web.auth import form_token
from appwitness.web.query import Site
from appwitness.web.routes import PAGES, app
from tests.recording import test_hostile as hostile
from tests.recordings.written import RECORDINGS
from tests.reports import sample
from tests.web import serving

NUMBER = sample.OWN.text
SECOND = "run-2 <b>"
HERE = "/recordings/run-2%20%3Cb%3E"
TOKEN = "known-to-one-user"


@pytest.fixture(scope="module")
def store(tmp_path_factory, known):
    with index(tmp_path_factory.mktemp("runs"), known) as store:
        yield store


@pytest.fixture
def own(tmp_path, known):
    """The same for a test that changes it."""
    with index(tmp_path, known) as store:
        yield store


@contextmanager
def index(folder, known):
    """Run 1 reads a number; run 2 reads it and sends it in gzipped JSON, before anybody was asked."""
    with Store(folder / "index.sqlite") as store:
        for number in (1, 2):
            run = sample.run(
                id=f"run-{number} <b>" if number == 2 else "run-1", clock_offset_ms=0, persona=(),
                started=sample.START + timedelta(days=number), ended=sample.START + timedelta(days=number, minutes=1),
            )  # fmt: skip
            recording = Recording.create(folder / f"r{number}", run)
            recording.append(
                events.Access(
                    at=run.started + timedelta(seconds=1), app=sample.APP, data="phone_number", outcome="returned",
                    source="android.telephony.TelephonyManager.getLine1Number", values=(sample.OWN,),
                )
            )  # fmt: skip
            if number == 2:
                for second, host in ((2, "a.test"), (3, "b.test")):
                    body = gzip.compress(json.dumps({"tel": NUMBER if host == "a.test" else "", "n": second}).encode())
                    recording.append(
                        events.Upload(
                            at=run.started + timedelta(seconds=second), via="http", method="POST", host=host,
                            url=f"https://{host}/x?q={second}", body=recording.put_body(body), size=len(body),
                            headers=(("Content-Encoding", "gzip"), ("Cookie", "s=1")), type="application/json",
                            tls=events.Tls(), status=200 if second == 2 else 404,
                        )
                    )  # fmt: skip
            recording.stamp(final=True)
            correlate(recording, store, known)
        serving.campaign(folder / "index.sqlite", "run-1")
        yield store


def browser(
    store, known, client="127.0.0.1", host="127.0.0.1", token=TOKEN, reveal=None, may_mark=True, work=None, **options
):
    pages = app(Site(Browsing(store, known, reveal), TOKEN, work=work, may_mark=may_mark), **options)
    if token:
        return serving.visitor(pages, token, host, client)
    return TestClient(pages, base_url=f"http://{host}", client=(client, 50000))


def posted(asking, fields, **headers):
    headers = {"origin": "http://127.0.0.1", "sec-fetch-site": "same-origin"} | headers
    return asking.post(f"{HERE}/consents", data={"form": form_token(TOKEN)} | fields, headers=headers)


def addresses():
    """An address of each kind of page."""
    for path in PAGES:
        path = path.replace("{recording}", "run-2%20%3Cb%3E").replace("{number:line}", "1")
        path = path.replace("{campaign}", serving.CAMPAIGN)
        yield path.replace("{host}", "a.test").replace("{rule}", "sent-before-consent")


# who is let in


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
@pytest.mark.parametrize("path", ["/", HERE, "/absent"])
def test_only_who_has_the_token_is_answered(store, known, query, cookie, status, path):
    answer = browser(store, known, token=cookie).get(path + query)
    assert answer.status_code == (404 if status == 200 and path == "/absent" else status)
    assert (sample.APP in answer.text) == (answer.status_code == 200)


def test_the_token_becomes_a_cookie_for_this_site_alone_and_leaves_the_address(store, known):
    asking = browser(store, known, token=None)
    first = asking.get(f"/?lang=zh&token={TOKEN}", follow_redirects=False)
    assert first.headers["location"] == "/?lang=zh"
    assert {"httponly", "samesite=strict"} <= {part.strip().lower() for part in first.headers["set-cookie"].split(";")}
    assert asking.get(HERE).status_code == 200
    assert TOKEN not in asking.get("/").text


@pytest.mark.parametrize(
    ("client", "host", "status"),
    [
        ("127.0.0.1", "127.0.0.1", 200),
        ("::1", "localhost", 200),
        ("::1", "[::1]", 200),
        ("192.168.1.7", "127.0.0.1", 403),
        ("10.0.2.16", "localhost", 403),
        ("testclient", "localhost", 403),
        ("127.0.0.1", "attacker.example", 400),
        ("127.0.0.1", "127.0.0.1.attacker.example", 400),
        ("127.0.0.1", "192.168.1.7", 400),
    ],
)
def test_only_this_machine_is_answered(store, known, client, host, status):
    answer = browser(store, known, client, host).get("/")
    assert answer.status_code == status
    assert (sample.APP in answer.text) == (status == 200)


@pytest.mark.parametrize(
    ("host", "token", "status"),
    [
        ("192.168.1.5", TOKEN, 200),
        ("10.0.0.9", TOKEN, 200),
        ("192.168.1.5", None, 403),
        ("attacker.example", TOKEN, 400),
    ],
)
def test_another_address_lets_others_in_with_the_token_under_addresses_alone(store, known, host, token, status):
    assert browser(store, known, "192.168.1.7", host, token, address="192.168.1.5").get("/").status_code == status


@pytest.mark.parametrize(
    ("host", "status"),
    [("web", 200), ("pages.example", 200), ("Pages.Example", 200), ("other.example", 400), (":8080", 400)],
)
def test_a_name_that_was_allowed_is_answered(store, known, host, status):
    asking = browser(store, known, "172.18.0.1", address="0.0.0.0", names=("web", "pages.example:8080"))
    assert asking.get("/", headers={"host": host}).status_code == status


@pytest.mark.parametrize(
    ("client", "host", "status"),
    [("127.0.0.1", "127.0.0.1", 200), ("192.168.1.7", "127.0.0.1", 403), ("127.0.0.1", "attacker.example", 400)],
)
def test_a_health_check_needs_no_token_and_learns_the_version_alone(store, known, client, host, status):
    answer = browser(store, known, client, host, token=None).get("/healthz")
    assert answer.status_code == status
    assert status != 200 or answer.json() == {"status": "ok", "version": version("appwitness")}


def test_a_health_check_says_when_the_database_is_gone_and_when_it_is_back(own, known):
    asking = browser(own, known, token=None)
    with own.reading() as connection:
        connection.exec_driver_sql("ALTER TABLE index_version RENAME TO away")
    answer = asking.get("/healthz")
    assert (answer.status_code, answer.json()["status"]) == (503, "the index does not answer")
    with own.reading() as connection:
        connection.exec_driver_sql("ALTER TABLE away RENAME TO index_version")
    assert asking.get("/healthz").status_code == 200


def test_an_index_that_was_moved_away_is_not_followed_and_said_so(own, known, tmp_path):
    """SQLite goes on reading a file that was renamed."""
    asking = browser(own, known)
    assert asking.get("/healthz").status_code == 200
    file = tmp_path / "index.sqlite"
    file.rename(tmp_path / "elsewhere.sqlite")
    assert asking.get("/healthz").status_code == 503
    for path in ("/events", "/recordings/run-1/events"):
        answer = asking.get(path)
        assert answer.status_code >= 400
        assert "was moved, removed or replaced" in answer.text
    (tmp_path / "elsewhere.sqlite").rename(file)
    assert asking.get("/healthz").status_code == 200


@pytest.mark.parametrize(
    ("said", "path", "status"),
    [
        ("Bearer of-prometheus", "/metrics", 200),
        ("bearer of-prometheus", "/metrics", 200),
        ("Bearer ", "/metrics", 403),
        ("Bearer wrong", "/metrics", 403),
        ("Basic of-prometheus", "/metrics", 403),
        (f"Bearer {TOKEN}", "/metrics", 403),
        ("Bearer of-prometheus", "/", 403),
        ("Bearer of-prometheus", "/metrics/", 403),
    ],
)
def test_prometheus_has_a_token_of_its_own_that_opens_nothing_else(store, known, said, path, status):
    site = Site(Browsing(store, known), TOKEN, metrics_token="of-prometheus")
    asking = TestClient(app(site), base_url="http://127.0.0.1", client=("127.0.0.1", 50000))
    assert asking.get(path, headers={"authorization": said}).status_code == status


def test_figures_of_the_fleet(store, known):
    answer = browser(store, known).get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert 'appwitness_runs{campaign="night",state="judged"} 1' in answer.text.splitlines()
    without = TestClient(
        app(Site(Browsing(store, known), TOKEN)), base_url="http://127.0.0.1", client=("127.0.0.1", 50000)
    )
    assert without.get("/metrics", headers={"authorization": "Bearer "}).status_code == 403


def test_figures_of_an_index_without_a_fleet(tmp_path, known):
    with Store(tmp_path / "index.sqlite") as store:
        assert "appwitness_superseded_recordings 0" in browser(store, known).get("/metrics").text.splitlines()


@pytest.mark.parametrize("path", ["/", HERE, f"{HERE}/report", "/absent"])
def test_pages_are_kept_to_themselves(store, known, path):
    headers = browser(store, known).get(path).headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]


def test_nothing_is_written_inside_a_page_that_its_policy_forbids(store, known):
    for path in addresses():
        page = browser(store, known).get(path).text
        if "pages.css" in page:
            assert not re.search(
                r"<style|<script(?! src=\"/static/)|\son\w+=|\sstyle=|javascript:|https?://(?!127)[^<]*\"", page
            )


# what is shown


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("path", list(addresses()))
def test_every_page_is_there_in_every_language_and_hides_values(store, known, path, lang):
    run = "?run=run-1&run=run-2 <b>&" if path in ("/compare", "/diff") else "?"
    answer = browser(store, known).get(f"{path}{run}lang={lang}")
    assert answer.status_code == (404 if path.endswith(("/har", "/picture", "/film")) else 200)
    assert NUMBER not in answer.text
    assert NUMBER.lstrip("+") not in answer.text
    assert SECOND not in answer.text or path.endswith("/sarif")


@pytest.mark.parametrize("path", list(addresses()))
def test_every_page_is_there_as_json(store, known, path):
    if path.rpartition("/")[2] in ("report", "sarif", "har", "letter", "gate", "diff"):
        return
    answer = browser(store, known).get(path, params={"format": "json", "run": ["run-1", SECOND]})
    assert answer.json()["masked"] is True
    assert NUMBER not in answer.text


def test_values_are_shown_where_that_was_allowed_and_is_asked_for(store, known, tmp_path):
    path = f"{HERE}/uploads/1"
    assert NUMBER not in browser(store, known).get(f"{path}?reveal=1").text
    allowed = browser(store, known, reveal=tmp_path)
    assert NUMBER not in allowed.get(path).text
    assert NUMBER in allowed.get(f"{path}?reveal=1").text
    assert allowed.get(f"{HERE}/har").status_code == 404
    assert len(allowed.get(f"{HERE}/har?reveal=1").json()["log"]["entries"]) == 2


def test_the_list_says_what_the_report_says(store, known):
    rows = browser(store, known).get("/?format=json").json()["recordings"]
    assert [row["id"] for row in rows] == [SECOND, "run-1"]
    for row in rows:
        assert row["verdict"] == verdict(indexed_report(store, row["id"], known), Words("en")).line


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [SECOND, "run-1"]),
        ("sort=started", ["run-1", SECOND]),
        ("sort=-findings", [SECOND, "run-1"]),
        ("text=run-1", ["run-1"]),
        ("text=CIRCLE", [SECOND, "run-1"]),
        ("text=%25", []),
        ("app=com.example.other", []),
        ("level=high", [SECOND]),
        ("plan=accept", []),
        ("page=9", [SECOND, "run-1"]),
        ("page=-1&sort=nothing", ["run-1", SECOND]),
    ],
)
def test_recordings_are_searched_filtered_and_sorted(store, known, query, expected):
    rows = browser(store, known).get(f"/?format=json&{query}").json()["recordings"]
    assert [row["id"] for row in rows] == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [2, 1]),
        ("sort=line", [1, 2]),
        ("host=A.test", [1]),
        ("status=404", [2]),
        ("status=4xx", [2]),
        ("method=GET", []),
        ("only=findings", [1]),
        ("only=values", [1]),
        ("status=x%27%22&host=%00", []),
    ],
)
def test_uploads_are_filtered_and_sorted(store, known, query, expected):
    rows = browser(store, known).get(f"{HERE}/uploads?format=json&{query}").json()["uploads"]
    assert [row["number"] for row in rows] == expected


def test_each_page_with_values_is_noted_and_none_is_shown_that_cannot_be(store, known, tmp_path):
    allowed = browser(store, known, reveal=tmp_path)
    allowed.get(f"{HERE}/uploads/1?q=of-a-person")
    assert not (tmp_path / "reveals.jsonl").exists()
    allowed.get(f"{HERE}/uploads/1?reveal=1&q=of-a-person")
    allowed.get("/?reveal=1")
    one, two = map(json.loads, (tmp_path / "reveals.jsonl").read_text().splitlines())
    name, path = HERE.rpartition("/")[2], f"{HERE}/uploads/1"
    assert (one["verb"], one["recordings"], one["what"]) == ("web", [unquote(name)], unquote(path))
    assert one["by"] == "127.0.0.1"
    assert (two["recordings"], two["what"]) == ([], "/")
    refused = browser(store, known, reveal=tmp_path / "reveals.jsonl").get(f"{HERE}/uploads/1?reveal=1")
    assert refused.status_code == 404
    assert "cannot be written" in refused.text
    assert NUMBER not in refused.text


def test_an_upload_is_taken_apart_step_by_step(store, known, tmp_path):
    asking = browser(store, known, reveal=tmp_path)
    decoded = asking.get(f"{HERE}/uploads/1?format=json&reveal=1").json()["decoded"]
    assert [step["name"] for step in decoded["steps"]] == ["stored", "gzip", "json"]
    assert decoded["leaves"][0]["path"] == "$.tel"
    assert decoded["step"] == 1
    marked = [part["text"] for part in decoded["opened"]["text"] if part["value"]]
    assert marked == [NUMBER]
    shown = b"".join(bytes.fromhex(part["text"]) for line in decoded["opened"]["hex"] for part in line["hex"])
    assert json.loads(shown)["tel"] == NUMBER
    hits = [bytes.fromhex(part["text"]) for line in decoded["opened"]["hex"] for part in line["hex"] if part["value"]]
    assert b"".join(hits).decode() == NUMBER
    stored = asking.get(f"{HERE}/uploads/1?format=json&reveal=1&step=0").json()["decoded"]["opened"]
    assert stored["hex"][0]["hex"][0]["text"].startswith("1f 8b")


def test_masked_bytes_keep_only_the_names_of_fields(store, known):
    opened = browser(store, known).get(f"{HERE}/uploads/1?format=json").json()["decoded"]["opened"]
    text = "".join(part["text"] for line in opened["hex"] for part in line["text"])
    assert text.startswith('{"tel": "+············')
    stored = browser(store, known).get(f"{HERE}/uploads/1?format=json&step=0").json()["decoded"]["opened"]
    shown = [part["text"] for line in stored["hex"] for part in line["hex"]]
    assert " ".join(shown).replace("··", "").split() == ["1f", "8b", "08", "00"]


def test_an_upload_says_when_asked_how_each_flow_was_concluded(store, known):
    facts = browser(store, known).get(f"{HERE}/uploads/1?format=json&why=1").json()
    assert [each["flow"] for each in facts["why"]] == [flow["id"] for flow in facts["flows"]]
    assert all("accesses.jsonl:1" in each["chain"][0]["says"] for each in facts["why"])
    page = browser(store, known).get(f"{HERE}/uploads/1").text
    assert "why=1#why" in page
    assert 'class="chain"' not in page
    assert 'class="chain"' in browser(store, known).get(f"{HERE}/uploads/1?why=1&lang=zh").text


def test_a_read_leads_to_every_upload_that_carries_it(store, known):
    facts = browser(store, known).get(f"{HERE}/reads/1?format=json").json()
    assert [flow["upload"] for flow in facts["flows"]] == ["uploads.jsonl:1"]


def test_a_recipient_and_a_rule_name_the_runs(store, known):
    asking = browser(store, known)
    sent = asking.get("/recipients/a.test?format=json").json()["sent"]
    assert [(row["recording"], row["data"]) for row in sent] == [(SECOND, "phone_number")]
    found = asking.get("/rules/sent-before-consent?format=json").json()["found"]
    assert {row["recording"] for row in found} == {SECOND}


def test_a_ranking_counts_apps_and_leads_to_what_is_behind_it(store, known):
    asking = browser(store, known)
    facts = asking.get("/ranking?format=json").json()
    (row,) = facts["rows"]
    assert (row["of"], row["apps"], row["able"], row["runs"]) == ({"recipient": "a.test"}, 1, 1, 1)
    assert row["when"] == {"unasked": 1}
    assert facts["basis"]["left"] == {"nothing_sent": 1}
    page = asking.get("/ranking").text
    assert "Left out" in page
    behind = re.search(r'<th scope="row"><a href="([^"]+)"', page)
    assert behind
    assert HERE in asking.get(behind[1].replace("&amp;", "&")).text
    rules = asking.get("/ranking?by=rule&format=json").json()["rows"]
    assert "sent-before-consent" in {row["of"]["rule"] for row in rules}


def test_a_value_in_the_name_of_a_host_is_hidden_over_all_recordings(tmp_path, known):
    recording = Recording.create(tmp_path / "r", serving.run("one", ended=serving.START + timedelta(minutes=1)))
    host = "n8613800000007.a.test"
    sent = serving.upload(recording, 7, serving.START + timedelta(seconds=2), host, carries=True)
    recording.append_all((serving.read(7, serving.START + timedelta(seconds=1)), sent))
    with Store(tmp_path / "index.sqlite") as store:
        correlate(recording, store, known)
        for path in (
            "/ranking",
            "/ranking?by=app&recipient=a.test",
            "/rules/sent-before-consent",
            "/recordings/one/findings",
        ):
            page = browser(store, known).get(path).text
            assert "a.test" in page
            assert "8613800000007" not in page


def test_a_campaign_says_how_far_it_is_and_what_can_be_done(store, known):
    with Runs(store.place) as runs:
        (made,) = (each.run for each in runs.devices() if each.run)
        serving.beat(runs, made)  # the tests before this one may have taken longer than a host may be silent
    asking = browser(store, known)
    (listed,) = asking.get("/fleet?format=json").json()["campaigns"]
    assert (listed["name"], listed["total"], listed["judged"], listed["stuck"]) == ("night", 4, 1, 1)
    facts = asking.get("/fleet/night?format=json").json()
    assert [facts["progress"][state] for state in ("planned", "leased", "recorded", "judged", "unobservable")] == [
        1,
        1,
        0,
        1,
        1,
    ]
    assert facts["superseded"] == 1
    assert [(pool["pool"], pool["devices"]) for pool in facts["pools"]] == [("", 1), ("tv", 0)]
    (failure,) = facts["failures"]
    assert (failure["reason"], failure["runs"], failure["example"]["device"]) == ("usage", 1, "R58")
    assert [each["command"] for each in facts["commands"]] == [
        "appwitness fleet retry --campaign night --reason usage",
        "appwitness fleet host --devices all",
        "appwitness fleet resume 'host/old phone'",
    ]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", 4),
        ("state=judged", 1),
        ("state=unobservable&reason=usage", 1),
        ("plan=refuse", 2),
        ("pool=tv", 1),
        ("device=R58", 3),
        ("text=BOLD", 2),
        ("state=%00&page=-3", 0),
    ],
)
def test_the_runs_of_a_campaign_are_filtered(store, known, query, expected):
    assert browser(store, known).get(f"/fleet/night/runs?format=json&{query}").json()["total"] == expected


@pytest.mark.parametrize(
    ("lang", "picked", "kind", "target"),
    [
        ("en", "what the user picked", "address book", "content://com.android.contacts.picker/sessions/7"),
        ("zh", "用户所选联系人", "通讯录", "content://com.android.contacts.picker/sessions/7"),
        ("en", "what the user picked", "address book", "content://contacts/people"),
    ],
)
def test_every_page_says_what_was_picked(own, known, tmp_path, target, lang, picked, kind):
    values = [events.Value(type="phone_number", text=f"+861380013800{n}", row=n) for n in range(2)]
    values += [events.Value(type="name", text=f"Ada Lovelace the {n}th", row=n) for n in range(2)]
    run = sample.run(id="picks", clock_offset_ms=0, persona=())
    recording = Recording.create(tmp_path / "picks", run)
    recording.append(
        events.Access(
            at=run.started + timedelta(seconds=1), app=sample.APP, data="device_contacts", outcome="returned",
            source="android.content.ContentResolver.query", target=target, values=tuple(values),
        )
    )  # fmt: skip
    body = json.dumps({"invite": [each.text for each in values]}).encode()
    recording.append(
        events.Upload(
            at=run.started + timedelta(seconds=2), via="http", method="POST", host="a.test", url="https://a.test/x",
            body=recording.put_body(body), size=len(body), type="application/json", tls=events.Tls(), status=200,
        )
    )  # fmt: skip
    recording.stamp(final=True)
    correlate(recording, own, known)
    asking = browser(own, known)
    (rule,) = {each.rule for each in own.findings("picks") if each.rule.startswith("sent-")}
    for page in ("", "/uploads", "/uploads/1", "/reads", "/reads/1", "/findings"):
        shown = asking.get(f"/recordings/picks{page}?lang={lang}").text
        lines = re.sub(r"(?s)<script\b.*?</script>|<[^>]*>", "", shown).splitlines()
        told = "\n".join(line for line in lines if not line.endswith("(1)"))  # choices of a filter
        assert ((picked in told), (kind in told)) == ("picker" in target, "picker" not in target), page
    page = asking.get(f"/rules/{rule}?lang={lang}").text
    assert (picked in page) == ("picker" in target)
    policy = Policy(data=(DeclaredData(type="device_contacts"),))
    report = report_on(recording, own, replace(known, policy=policy))
    rows = [row.data for row in declared_rows(report, Words(lang)) if row.recipient == "a.test"]
    assert rows == [picked if "picker" in target else Words(lang).data("device_contacts")]


def test_a_filter_offers_no_name_that_the_list_masks(own, known, tmp_path):
    planted = events.Value(type="android_id", text="4f1d86b3a09ce275")
    run = sample.run(id="planted", persona=(planted,))
    device = run.device.model_copy(update={"serial": planted.text})
    app = run.app.model_copy(update={"package": f"com.x{planted.text}"})
    hidden = run.model_copy(update={"device": device, "app": app})
    beside = run.model_copy(update={"id": "beside", "device": device, "persona": ()})  # known to be planted elsewhere
    for each in (hidden, beside):
        correlate(Recording.create(tmp_path / each.id, each), own, known)
    asking = browser(own, known, reveal=tmp_path)
    offered = asking.get("/").text.partition("</form>")[0]
    assert planted.text not in offered
    assert f'value="{sample.APP}"' in offered
    assert offered.count("<option") < asking.get("/?reveal=1").text.partition("</form>")[0].count("<option")
    assert planted.text in asking.get("/?reveal=1").text


def test_a_run_that_was_judged_leads_to_its_recording(store, known):
    page = browser(store, known).get("/fleet/night/runs?state=judged").text
    assert 'href="/recordings/run-1"' in page


@pytest.mark.parametrize("path", ["/fleet", "/fleet/night", "/fleet/night/runs"])
def test_names_and_notes_of_a_fleet_are_escaped_and_masked(store, known, tmp_path, path):
    asking = browser(store, known, reveal=tmp_path)
    page = asking.get(path).text
    assert "<b>bold" not in page
    assert "<script>alert" not in page
    assert "8613800138000" not in page + asking.get(f"{path}?format=json").text
    assert "8613800138000" in asking.get(f"{path}?reveal=1").text


def test_without_campaigns_nothing_leads_to_them(tmp_path, known):
    with Store(tmp_path / "index.sqlite") as store:
        asking = browser(store, known)
        assert 'href="/fleet"' not in asking.get("/").text
        assert asking.get("/fleet").status_code == 404
        serving.campaign(tmp_path / "index.sqlite", "r")
        assert 'href="/fleet"' in asking.get("/").text
        assert asking.get("/fleet").status_code == 200


def test_the_report_is_the_html_report(store, known):
    of = indexed_report(store, SECOND, known)
    for lang in LANGUAGES:
        assert browser(store, known).get(f"{HERE}/report?lang={lang}").text == render(of, "html", lang=lang)
    answer = browser(store, known).get(f"{HERE}/report?download=1")
    assert answer.headers["content-disposition"] == 'attachment; filename="run-2__b_.html"'
    assert json.loads(browser(store, known).get(f"{HERE}/sarif").text)["version"] == "2.1.0"


def test_the_fields_of_the_timeline_are_tenths_of_a_second_or_what_was_asked_for(store, known):
    def fields(query=""):
        return re.findall(r'name="(?:from|to)" value="([^"]*)"', browser(store, known).get(HERE + query).text)

    assert all(re.fullmatch(r"-?\d+(\.\d)?", value) for value in fields())
    assert len(fields()) == 2
    assert fields("?from=1.125&to=2.5") == ["1.125", "2.5"]


def test_a_recording_without_its_folder_is_shown_still(own, known, tmp_path):
    (tmp_path / "r2").rename(tmp_path / "elsewhere")
    asking = browser(own, known)
    for path in ("", "/uploads", "/uploads/1", "/consents"):
        assert asking.get(HERE + path).status_code == 200
    assert posted(asking, {"status": "given"}).status_code == 400


@pytest.mark.parametrize(
    "path", ["/recordings/absent", f"{HERE}/uploads/9", "/recipients/c.test", "/rules/no", "/compare", "/fleet/other"]
)
def test_what_is_not_there_is_not_there(store, known, path):
    answer = browser(store, known).get(path)
    assert answer.status_code == 404
    assert "pages.css" in answer.text


@pytest.mark.parametrize(
    "path",
    [
        f"{HERE}?from=nan&to=inf",
        f"{HERE}?from=1e308&to=-1e308",
        f"{HERE}?from=100&to=101",
        f"{HERE}/uploads/1?leaf=999999&step=-1&from=99999999999999999999",
        f"{HERE}/uploads/1?leaf=%D9%A3&step=%C2%B2",
        f"{HERE}/uploads?page=0&sort=--&host=" + "x" * 5000,
        f"{HERE}/reads?sort=values&data=%00%ED%A0%80",
        f"{HERE}/consents?corrects=../../etc/passwd",
        f"{HERE}/findings?level=worst&rule=<script>",
        "/?level='&text=%25_%5C&lang=../zh&sort=-verdict",
        "/ranking?by=<script>&recipient=%00&sdk=-&page=999999&text=%25_%5C",
        "/fleet/night/runs?text=%25_%5C&pool=<script>&page=99999999",
        "/ranking?by=finding&rule=%27&data=<script>alert(1)</script>",
    ],
)
def test_an_odd_address_is_answered(store, known, path):
    answer = browser(store, known).get(path)
    assert answer.status_code == 200
    assert "<script>" not in answer.text.replace("<script src", "")


def test_apps_stand_with_what_came_of_each_answer(store, known):
    told = browser(store, known).get("/apps", params={"format": "json"}).json()
    (row,) = told["apps"]
    assert row["app"] == sample.APP
    assert {plan: run["count"] for plan, run in row["runs"].items()} == {sample.run().plan: 2}
    assert row["runs"][sample.run().plan]["id"] == SECOND


@pytest.mark.parametrize(("host", "rows"), [("a.test", 1), ("A.TE", 1), ("%", 0), ("nowhere", 0)])
def test_hosts_are_searched_in_all_recordings(store, known, host, rows):
    told = browser(store, known).get("/search", params={"host": host, "format": "json"}).json()
    assert len(told["found"]) == rows
    assert browser(store, known).get("/search", params={"host": host}).status_code == 200


def test_a_value_is_searched_in_all_recordings_and_stands_neither_in_an_address_nor_on_the_page(store, known):
    asking = browser(store, known)
    headers = {"origin": "http://127.0.0.1", "sec-fetch-site": "same-origin"}
    for value, rows in ((NUMBER, 1), (NUMBER[:-1], 0), ("", 0)):
        answer = asking.post("/search", data={"form": form_token(TOKEN), "value": value}, headers=headers)
        assert answer.text.count('<tr><th scope="row">') == rows
        assert not value or value not in answer.text


def test_an_empty_index_says_what_to_do(tmp_path, known):
    with Store(tmp_path / "empty.sqlite") as store:
        assert "appwitness import" in browser(store, known).get("/").text


# marks


def test_pages_that_only_show_mark_nothing(own, known):
    asking = browser(own, known, may_mark=False)
    assert 'name="status"' not in asking.get(f"{HERE}/consents").text
    answer = posted(asking, {"status": "given", "scope": "general_policy", "when": "x"})
    assert (answer.status_code, "--read-only" in answer.text) == (400, True)


def test_a_mark_is_appended_and_findings_follow(own, known, tmp_path):
    asking = browser(own, known)
    before = asking.get(f"{HERE}?format=json").json()["rules"]
    assert "sent-before-consent" in {each["rule"] for each in before}
    sure = {"when": f"{sample.START + timedelta(days=2):%Y-%m-%dT%H:%M:%SZ}", "sure": "yes"}
    assert posted(asking, {"status": "given", "text": "Agree"} | sure).status_code == 200
    (made,) = asking.get(f"{HERE}/consents?format=json").json()["consents"]
    assert (made["status"], made["by"], made["text"]) == ("given", "operator", "Agree")
    assert posted(asking, {"status": "refused", "corrects": made["ref"], "sure": "yes"}).status_code == 200
    assert posted(asking, {"retracts": "consents.jsonl:2"}).status_code == 200
    assert [line.status for line in Recording.open(tmp_path / "r2").events(events.Consent)] == [
        "given",
        "refused",
        "refused",
    ]
    assert verify(tmp_path / "r2").ok


def test_a_mark_has_a_time_and_says_what_it_changes_before_it_is_made(own, known, tmp_path):
    asking = browser(own, known)
    page = asking.get(f"{HERE}/consents").text
    offered = dict(re.findall(r'<option value="(\d[^"]+)">([^<(]+) \(', page))
    assert list(offered.values()) == ["before the first line", "before uploads.jsonl:1", "after the end"]
    first, sent, after = offered
    for when, changes in ((first, True), (sent, True), (after, False)):
        shown = posted(asking, {"status": "given", "text": "Agree", "when": when})
        assert shown.status_code == 200
        told = shown.text[shown.text.index('id="preview"') :]
        assert ("No rule has more or fewer" not in told) == changes
        assert ("not within the run" in told) == (when == after)
        assert not list(Recording.open(tmp_path / "r2").events(events.Consent))
    before = {each["rule"] for each in asking.get(f"{HERE}?format=json").json()["rules"]}
    shown = posted(asking, {"status": "refused", "text": "Disagree", "time": "2001-01-01T10:00:00+01:00"}).text
    assert "2001-01-01 09:00:00.000 UTC" in shown
    assert "not within the run" in shown
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', posted(
        asking, {"status": "given", "text": "Agree", "when": first}).text))  # fmt: skip
    assert posted(asking, {key: text for key, text in fields.items() if key != "form"}).status_code == 200
    assert before != {each["rule"] for each in asking.get(f"{HERE}?format=json").json()["rules"]}
    (made,) = Recording.open(tmp_path / "r2").events(events.Consent)
    assert (made.status, made.at.isoformat()) == ("given", first)


@pytest.mark.parametrize(
    ("fields", "headers"),
    [
        ({"form": "guessed"}, {}),
        ({"form": ""}, {}),
        ({}, {"origin": "http://attacker.example"}),
        ({}, {"origin": "null"}),
        ({}, {"origin": ""}),
        ({}, {"origin": "http://127.0.0.1:8000"}),
        ({}, {"sec-fetch-site": "cross-site"}),
        ({}, {"cookie": "appwitness-80=wrong"}),
    ],
)
def test_a_form_from_elsewhere_marks_nothing(store, known, fields, headers):
    assert (
        posted(
            browser(store, known, token=None if "cookie" in headers else TOKEN), {"status": "given"} | fields, **headers
        ).status_code
        == 403
    )
    assert not list(Recording.open(store.path(SECOND)).events(events.Consent))


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"status": "gone"},
        {"status": "given", "corrects": "consents.jsonl:7"},
        {"retracts": "x"},
        {"status": "given"},
        {"status": "given", "time": "10 o'clock"},
        {"status": "given", "sure": "yes"},
    ],
)
def test_a_form_that_makes_no_sense_says_so(store, known, fields):
    answer = posted(browser(store, known), fields)
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    assert not list(Recording.open(store.path(SECOND)).events(events.Consent))


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", ["/", HERE, f"{HERE}/uploads"])
def test_nothing_else_can_be_written(store, known, method, path):
    headers = {"origin": "http://127.0.0.1"}
    assert browser(store, known).request(method, path, headers=headers).status_code == 405


def test_an_archive_is_shown_as_the_folder_is_and_cannot_be_marked(tmp_path, known):
    hostile.made(tmp_path / "r").close()
    pages = []
    for packed in (False, True):
        with Store(tmp_path / f"{packed}.sqlite") as store:
            place = tmp_path / "r"
            if packed:
                packing.write(place, tmp_path / "r.zip")
                place = tmp_path / "r.zip"
            correlate(Recording.open(place), store, known)
            asking = browser(store, known)
            pages.append(
                asking.get("/recordings/hostile/uploads/1?format=json").json() | {"state": None, "integrity": None}
            )
            assert ('class="marks"' in asking.get("/recordings/hostile/consents").text) != packed
            assert ("#mark" in asking.get("/recordings/hostile").text) != packed
            assert asking.get("/recordings/hostile/report").status_code == 200
    assert pages[0] == pages[1]
    assert "phone" in str(pages[1])


@pytest.mark.parametrize("case", ["address-book-upload", "address-book-upload-nearly"])
def test_lists_say_whose_data_went_as_the_report_does(tmp_path, known, case):
    with Store(tmp_path / "index.sqlite") as own:
        recording = Recording.open(RECORDINGS / case)
        correlate(recording, own, known)
        report = indexed_report(own, recording.run.id, known)
        asking = browser(own, known)
        words = Words("en")
        told = {finding.rule: data_of(finding, words) for finding in report.findings if finding.people}
        rows = asking.get(f"/recordings/{recording.run.id}/findings?format=json").json()["findings"]
        assert told.items() <= {row["rule"]: row["about"] for row in rows}.items()
        page = asking.get(f"/recordings/{recording.run.id}/findings").text
        assert all(said in page for said in told.values())
        for group in sent(report):
            if group.people is None:
                continue
            said = label(group.people, words.data(group.data), "en")
            rows = asking.get(f"/recipients/{group.recipient.host}?format=json").json()["sent"]
            assert said in [row["about"] for row in rows]

            assert said in asking.get(f"/recipients/{group.recipient.host}").text
