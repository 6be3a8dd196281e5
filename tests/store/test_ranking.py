"""Rankings over apps: what is counted once, at which moment, and what no run could have shown."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from functools import partial
from itertools import product

import pytest
from sqlalchemy import func, select

from appwitness import events
from appwitness.findings import LEVELS, MOMENTS, Carrier, Code, Finding, Flow, Match, Recipient, ReportedGap
from appwitness.store import Store, ranking
from appwitness.store.index import Sight
from appwitness.store.lists import ROWS
from appwitness.store.models import PARTITIONED, RankedAppRow, RankedRow, RecordingRow
from appwitness.store.ranking import GROUPS, AppCount, Needed, Rankings

AT = datetime(2026, 5, 1, 8, 0, tzinfo=UTC)
SEEN = Sight(reads=1, uploads=1, sought=True, asked=True)
MATCH = Match(type="phone_number", value="1", variant="plain", path="$.a", start=1, end=2, confidence=0.99)


def sent(recipient="ads.test", data="phone_number", consent="given", sdk=None, **options):
    """A flow to one of the hosts of a recipient."""
    code = sdk and Code(code="a.b.C.d", owner=sdk, ref="connections.jsonl:1")
    return {
        "upload": "uploads.jsonl:1", "data": data, "consent": consent, "matches": (MATCH,), "at": AT,
        "recipient": Recipient(host=f"in.{recipient}", key=recipient, party="third"),
        "carrier": Carrier(by="name", confidence=1, code=code), **options,
    }  # fmt: skip


def found(rule="sent-before-consent", recipient="ads.test", data="phone_number", **options):
    return Finding(
        rule=rule, level="high", confidence="proven", title={"en": "x"}, data=data, evidence=(),
        recipient=Recipient(host=f"in.{recipient}", key=recipient), **options,
    )  # fmt: skip


def keep(
    store, name, flows=(), findings=(), *, app="com.example.a", apk=None, sight=SEEN, gaps=(), judged="x", campaign=None
):
    """Save a recording as it was concluded."""
    run = events.Run(
        id=name, app=events.AppIdentity(package=app, apk_sha256=apk), started=AT,
        device=events.DeviceIdentity(serial="lab", kind="lab"), campaign=campaign,
    )  # fmt: skip
    store.ingest(name, run, f"/{name}", ())
    made = [Flow(id=f"f{number}", **flow) for number, flow in enumerate(flows, start=1)]
    store.save(name, made, list(findings), judged_by=judged, sight=sight, gaps=gaps)


@pytest.fixture(params=["file", "server"])
def store(request, tmp_path):
    file = request.param == "file"
    with Store(tmp_path / "index.sqlite" if file else request.getfixturevalue("empty_database")) as store:
        yield store


def rows(store, by, **filters):
    return Rankings(store).ranking(by, filters).rows


def counts(store, by, **filters):
    return [(next(iter(row.of.values())), row.apps, row.runs) for row in rows(store, by, **filters)]


def test_an_app_counts_once_however_many_runs_and_hosts(store):
    keep(store, "1", [sent(), sent(upload="uploads.jsonl:2"), sent("stats.test")])
    keep(store, "2", [sent()])
    keep(store, "3", [sent()], app="com.example.b")
    assert counts(store, "recipient") == [("ads.test", 2, 3), ("stats.test", 1, 1)]


def test_an_app_is_its_apk_and_its_package_where_that_is_not_known(store):
    keep(store, "1", [sent()], apk="1" * 64)
    keep(store, "2", [sent()], apk="2" * 64)
    keep(store, "3", [sent()])
    keep(store, "4", [sent()])
    assert counts(store, "recipient") == [("ads.test", 3, 4)]


@pytest.mark.parametrize(
    ("consent", "asked", "when"),
    [
        ("not_shown", False, "unasked"),
        ("not_shown", True, "before_answer"),
        ("requested", True, "before_answer"),
        ("refused", True, "after_refusal"),
        ("basic_only", True, "after_refusal"),
        ("withdrawn", True, "after_withdrawal"),
        ("given", True, "after_yes"),
        ("unseen_answer", True, "not_observed"),
        ("not_observed", None, "not_observed"),
        ("given", None, "not_observed"),  # taken for granted by the operator
        ("not_shown", None, "not_observed"),
    ],
)
def test_when_it_was_against_the_answer(store, consent, asked, when):
    keep(store, "1", [sent(consent=consent)], sight=SEEN._replace(asked=asked))
    (row,) = rows(store, "recipient")
    assert row.when == {when: 1}


def test_an_app_may_be_at_several_moments(store):
    keep(store, "1", [sent(consent="requested"), sent(consent="given", upload="uploads.jsonl:2")])
    keep(store, "2", [sent(consent="refused")])
    (row,) = rows(store, "recipient")
    assert (row.apps, row.when) == (1, {"before_answer": 1, "after_refusal": 1, "after_yes": 1})


def test_a_row_names_what_is_most_often_beside_it(store):
    keep(store, "1", [sent(data="contacts", sdk="Ads"), sent(upload="uploads.jsonl:2")])
    keep(store, "2", [sent(data="contacts"), sent("stats.test", data="location")], app="com.example.b")
    first = rows(store, "recipient")[0]
    assert first.beside == {"data": ("contacts", "phone_number"), "sdk": ("Ads",)}
    assert counts(store, "sdk") == [("Ads", 1, 1)]
    assert counts(store, "data") == [("contacts", 2, 2), ("location", 1, 1), ("phone_number", 1, 1)]


def test_what_another_app_sent_counts_for_none(store):
    keep(store, "1", [sent(other_app=True)])
    assert rows(store, "recipient") == ()


def test_the_filters_of_a_row_show_what_is_behind_it(store):
    keep(store, "1", [sent(), sent("stats.test", data="location")])
    keep(store, "2", [sent()], app="com.example.b")
    assert counts(store, "app", recipient="ads.test") == [("com.example.a", 1, 1), ("com.example.b", 1, 1)]
    assert counts(store, "data", recipient="stats.test") == [("location", 1, 1)]
    assert counts(store, "recipient", app="com.example.b") == [("ads.test", 1, 1)]


def test_one_finding_of_many_apps_is_one_row(store):
    keep(store, "1", findings=[found(consent="requested"), found("read-too-often", recipient="")])
    keep(store, "2", findings=[found(consent="requested")], app="com.example.b")
    keep(store, "3", findings=[found("sent-abroad")], app="com.example.b")
    assert counts(store, "rule") == [("sent-before-consent", 2, 2), ("read-too-often", 1, 1), ("sent-abroad", 1, 1)]
    first = rows(store, "finding")[0]
    assert first.of == {
        "rule": "sent-before-consent", "data": "phone_number", "recipient": "ads.test", "sdk": None,
    }  # fmt: skip
    assert (first.apps, first.able, first.when) == (2, 2, {"before_answer": 2})
    assert counts(store, "app", rule="sent-abroad") == [("com.example.b", 1, 1)]


def test_a_row_has_the_worst_level_of_its_findings(store):
    low = found().model_copy(update={"level": "low"})
    keep(store, "1", [sent()], [low, found("sent-abroad")])
    keep(store, "2", [sent()], [low.model_copy(update={"level": "medium"})], app="com.example.b")
    assert {row.of["rule"]: row.level for row in rows(store, "rule")} == {
        "sent-before-consent": "medium", "sent-abroad": "high",
    }  # fmt: skip
    assert rows(store, "recipient")[0].level is None


def test_the_sdk_of_a_finding_is_who_sent_it_or_else_who_read_it(store):
    code = {name: Code(code="a.B.c", owner=name, ref="accesses.jsonl:1") for name in ("Reader", "Sender")}
    keep(store, "1", findings=[found(read_by=code["Reader"], sent_by=code["Sender"])])
    keep(store, "2", findings=[found(read_by=code["Reader"])])
    assert {row.of["sdk"] for row in rows(store, "finding")} == {"Reader", "Sender"}


def test_a_run_that_showed_nothing_is_not_among_those_that_could(store):
    gap = ReportedGap(at=AT, where="proxy", subject="a.test", why="tls_refused")
    keep(store, "1", [sent()])
    keep(store, "2", sight=SEEN._replace(gaps=1), app="com.example.b", gaps=[gap])
    keep(store, "3", sight=Sight(reads=3, sought=True), app="com.example.c")
    keep(store, "4", sight=Sight(uploads=3), app="com.example.d")
    keep(store, "5", [sent()], app="com.example.e", judged=None)
    basis = Rankings(store).basis("recipient")
    assert basis.all == AppCount(5, 5)
    assert basis.able == AppCount(2, 2)
    assert basis.gaps == AppCount(1, 1)
    assert basis.left == {"nothing_sent": 1, "no_values": 1, "unjudged": 1}
    assert counts(store, "recipient") == [("ads.test", 1, 1)]
    assert Rankings(store).basis("rule").left == {"unjudged": 1}
    watched = Rankings(store, {"read-too-often": {"hooks", "consent"}}).basis("data", {"rule": "read-too-often"})
    assert (watched.able, watched.left) == (AppCount(2, 2), {"consent_unwatched": 1, "nothing_read": 1, "unjudged": 1})


def test_a_rule_is_held_against_the_apps_that_could_have_shown_it(store):
    keep(store, "1", findings=[found("read-too-often"), found()])
    keep(store, "2", sight=Sight(uploads=3, asked=True), app="com.example.b")
    keep(store, "3", sight=Sight(uploads=3, reads=3, sought=True), app="com.example.c")
    shown_by: dict[str, set[Needed]] = {
        "read-too-often": {"hooks"},
        "sent-before-consent": {"proxy", "values", "consent"},
    }
    ranked = Rankings(store, shown_by).ranking("rule").rows
    assert {row.of["rule"]: row.able for row in ranked} == {"read-too-often": 2, "sent-before-consent": 1}
    assert {row.able for row in rows(store, "finding")} == {3}


def test_a_campaign_is_ranked_by_itself(store):
    keep(store, "1", [sent()], campaign="spring")
    keep(store, "2", [sent("stats.test")], campaign="autumn")
    keep(store, "3", sight=Sight(), campaign="spring")
    assert counts(store, "recipient", campaign="spring") == [("ads.test", 1, 1)]
    basis = Rankings(store).basis("recipient", {"campaign": "spring"})
    assert (basis.all, basis.able, basis.left) == (AppCount(1, 2), AppCount(1, 1), {"nothing_sent": 1})


def test_a_ranking_has_pages(store):
    keep(store, "1", [sent(f"r{number:03}.test") for number in range(ROWS + 5)])
    pages = [Rankings(store).ranking("recipient", page=number) for number in (1, 2, 9)]
    assert [(page.number, page.total, len(page.rows)) for page in pages] == [
        (1, ROWS + 5, ROWS), (2, ROWS + 5, 5), (1, ROWS + 5, ROWS),
    ]  # fmt: skip


def test_names_may_be_of_any_length(store):
    chance = random.Random(1)
    long = chance.randbytes(5000).hex()
    keep(store, "1", [sent(long, data=long, sdk=long)], [found(recipient=long)], app=f"com.{long}")
    assert [row.apps for row in rows(store, "recipient")] == [1]


def computed(store):
    """(app, campaign, sight) of each recording, from its row alone."""
    with store.reading() as connection:
        row = RecordingRow
        columns = (row.judged_by, row.uploads, row.reads, row.sought, row.asked, row.gaps)
        return [tuple(each) for each in connection.execute(select(row.app, row.campaign, *columns))]


def assert_as_counted_anew(store, monkeypatch):
    """Everything kept is what is counted from all flows, findings and recordings."""
    shown_by: dict[str, set[Needed]] = {"sent-before-consent": {"proxy", "consent"}, "sent-abroad": {"hooks"}}
    rankings = Rankings(store, shown_by)
    for campaign, by in product(("", "spring", "autumn"), GROUPS):
        filters = {"campaign": campaign}
        kept = [rankings.ranking(by, filters, page=page, rows=4) for page in (1, 2)]
        with monkeypatch.context() as patched:
            patched.setattr(ranking, "is_stored", lambda _: False)
            assert kept == [rankings.ranking(by, filters, page=page, rows=4) for page in (1, 2)], (campaign, by)
        there = [each for each in computed(store) if campaign in ("", each[1])]
        able = [each for each in there if each[2] and (by in ("rule", "finding") or (each[3] and each[5]))]
        gaps = [each for each in able if each[7]]
        counted = [AppCount(len({each[0] for each in some}), len(some)) for some in (there, able, gaps)]
        basis = rankings.basis(by, filters)
        assert [basis.all, basis.able, basis.gaps] == counted, (campaign, by)
        assert sum(basis.left.values()) == len(there) - len(able)


@pytest.mark.parametrize("seed", range(2))
def test_what_is_kept_is_what_is_counted_anew(store, seed, monkeypatch):
    chance = random.Random(seed)
    choice = chance.choice
    some = partial(choice, ("a", "b", "c", 'd"\\'))
    for step in range(40):
        name, app = f"{chance.randrange(12)}", chance.choice("xyz")
        flows = [
            sent(some(), some(), choice(list(MOMENTS)), choice((None, "S", "T")), other_app=chance.random() < 0.1)
            for _ in range(chance.randrange(4))
        ]
        findings = [
            found(choice(("sent-before-consent", "sent-abroad")), some(), some(), consent=choice((None, "given")))
            .model_copy(update={"level": choice(LEVELS)}) for _ in range(chance.randrange(3))
        ]  # fmt: skip
        sight = Sight(
            choice((0, 1)), choice((0, 1)), chance.random() < 0.8, choice((None, True, False)), choice((0, 1))
        )
        what = chance.random()
        if what < 0.15:
            store.forget([name, f"{chance.randrange(12)}"])
        elif what < 0.2 and "spring" in store.campaigns():
            store.forget_campaign("spring")
        elif held := store.held(name):
            run = store.run(name)
            if what < 0.3:
                again = run.model_copy(update={"campaign": chance.choice((None, "autumn"))})
                assert store.restart(name, again, held.path, held)
            judged = chance.choice((None, "x", "y"))
            store.save(
                name,
                [Flow(id=f"f{n}", **each) for n, each in enumerate(flows)],
                findings,
                judged_by=judged,
                sight=sight,
            )
        else:
            campaign, apk = chance.choice((None, "spring", "autumn")), chance.choice((None, "1" * 64))
            keep(store, name, flows, findings, app=app, apk=apk and app * 64, sight=sight, campaign=campaign)
        if step % 10 == 9:
            assert_as_counted_anew(store, monkeypatch)
    for each in range(12):
        store.forget([str(each)])
    with store.reading() as connection:
        assert [connection.scalar(select(func.count()).select_from(row)) for row in (RankedRow, RankedAppRow)] == [0, 0]


def test_an_empty_index_ranks_nothing(store):
    assert rows(store, "recipient") == ()
    assert Rankings(store).basis("recipient").all == AppCount(0, 0)


@pytest.mark.parametrize("table", PARTITIONED, ids=lambda table: table.name)
def test_rows_of_a_recording_are_found_by_their_key(table):
    assert next(iter(table.primary_key.columns)).name == "recording"
