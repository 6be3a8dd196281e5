"""What is known before a recording is looked at, and that another choice judges again."""

from datetime import UTC, datetime
from typing import Any

import pytest

from appwitness.correlate import correlate, is_current, report
from appwitness.correlate.prior_knowledge import knowledge
from appwitness.events import Access, AppIdentity, DeviceIdentity, Endpoint, Run, Upload, Value
from appwitness.judge.app_types import AppType
from appwitness.recording import Recording
from appwitness.store import Store
from appwitness.support.errors import UserError

AT = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)
POLICY = """
app_type: Short video
territory: CN
first_party: [clips.test]
data: [{type: phone_number, purposes: [login]}]
recipients: [{name: Graph, hosts: [graph.test], country: DE, party: first, data: [phone_number]}]
"""
DECLARED_ELSEWHERE = POLICY.replace("graph.test", "other.test")


@pytest.fixture
def policy(tmp_path):
    path = tmp_path / "policy.yml"
    path.write_text(POLICY, "utf-8")
    return path


def run(**fields) -> Run:
    return Run(
        id="r",
        app=AppIdentity(package="com.example.shop"),
        device=DeviceIdentity(serial="x", kind="lab"),
        started=AT,
        **fields,
    )


def number(type_: AppType | None) -> int | None:
    return type_.number if type_ else None


def test_the_catalog_is_known_whole():
    known = knowledge()
    assert known.jurisdictions == ()
    assert known.app_type is None
    assert known.policy is None
    assert known.addresses_as_of
    for rule in known.rules:
        for kind in rule.kinds:
            assert known.laws.kind(kind)


CHOICES: list[dict[str, Any]] = [
    {"laws": ["cn"]},
    {"laws": ["eu", "cn"]},
    {"laws": ["cn", "eu"]},
    {"app_type": 21},
    {"app_type": "即时通信"},
    {"territory": "CN"},
    {"first_party": ["shop.test"]},
]


def test_another_choice_is_another_digest(policy):
    digests = [knowledge(**choice).digest for choice in CHOICES] + [knowledge().digest, knowledge(policy=policy).digest]
    assert len(set(digests)) == len(digests)
    assert knowledge(app_type="即时通信").digest == knowledge(app_type=3).digest
    before = knowledge(policy=policy).digest
    policy.write_text(DECLARED_ELSEWHERE, "utf-8")
    assert knowledge(policy=policy).digest != before


def test_what_is_given_goes_before_what_the_policy_says(policy):
    from_policy = knowledge(policy=policy)
    assert (number(from_policy.app_type), from_policy.territory) == (29, "CN")
    assert from_policy.first_party == ("clips.test",)
    given = knowledge(policy=policy, app_type="21", territory="DE", first_party=["a.test"])
    assert (number(given.app_type), given.territory) == (21, "DE")
    assert given.first_party == ("a.test", "clips.test")


def test_the_type_of_a_run_is_that_of_run_json_unless_another_is_chosen():
    assert knowledge().type_of(run()) is None
    assert number(knowledge().type_of(run(app_type=3))) == 3
    assert number(knowledge(app_type=21).type_of(run(app_type=3))) == 21
    with pytest.raises(UserError, match="no type of app"):
        knowledge().type_of(run(app_type=99))


def test_a_jurisdiction_that_there_is_not_is_refused_with_those_there_are():
    with pytest.raises(UserError, match="cn, eu, us, uk, br, in, store"):
        knowledge(laws=["cn", "mars"])


@pytest.fixture
def recording(tmp_path):
    made = Recording.create(tmp_path / "r", run())
    made.append(
        Access(
            at=AT,
            app="com.example.shop",
            source="android.telephony.TelephonyManager.getLine1Number",
            data="phone_number",
            values=(Value(type="phone_number", text="+8613800138000"),),
            outcome="returned",
        )
    )
    made.append(
        Upload(
            at=AT.replace(second=1),
            app="com.example.shop",
            via="http",
            method="GET",
            url="https://sync.graph.test/?u=%2B8613800138000",
            host="sync.graph.test",
            server=Endpoint(ip="8.8.8.8", port=443),
        )
    )
    return made


def test_a_report_holds_what_was_seen_against_what_is_declared(tmp_path, recording, policy):
    store = Store(tmp_path / "i.sqlite")
    plain = knowledge()
    correlate(recording, store, plain)
    assert report(store, "r", plain).declared == ()
    (flow,) = report(store, "r", plain).flows
    assert (flow.recipient.country, flow.recipient.country_basis) == ("US", "address_block")
    assert flow.recipient.country_as_of == plain.addresses_as_of

    with_policy = knowledge(policy=policy, laws=["eu"])
    assert not is_current(recording, store, with_policy)
    correlate(recording, store, with_policy)
    told = report(store, "r", with_policy)
    assert (told.laws, told.app_type, told.territory) == (("eu",), 29, "CN")
    assert [(row.data, row.recipient, row.observed, row.declared) for row in told.declared] == [
        ("phone_number", None, 1, True),
        ("phone_number", "sync.graph.test", 1, True),
    ]
    (flow,) = told.flows
    assert (flow.recipient.country, flow.recipient.country_basis, flow.recipient.party) == ("DE", "declared", "first")
    assert flow.recipient.reason is not None
    assert flow.recipient.reason.code == "policy_says"

    policy.write_text(DECLARED_ELSEWHERE, "utf-8")
    elsewhere = knowledge(policy=policy)
    correlate(recording, store, elsewhere)
    assert [(row.recipient, row.observed, row.declared) for row in report(store, "r", elsewhere).declared] == [
        (None, 1, True),
        ("sync.graph.test", 1, False),
        ("Graph", 0, True),
    ]


def test_findings_and_rules_name_the_law_that_was_chosen(tmp_path, recording):
    store = Store(tmp_path / "i.sqlite")
    for laws in (["cn"], ["eu"], ["cn", "eu"], []):
        known = knowledge(laws=laws)
        correlate(recording, store, known)
        told = report(store, "r", known)
        found = [finding for finding in told.findings if finding.kinds]
        places = {article.jurisdiction for finding in found for article in finding.articles}
        assert found
        assert places == set(laws) if laws else places > {"cn", "eu"}
        for finding in found:
            rule = next(rule for rule in told.rules if rule.id == finding.rule)
            assert rule.kinds == finding.kinds
            assert set(known.laws.references(finding.articles)) <= set(rule.references)
