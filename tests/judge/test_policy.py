"""What a tester's policy.yml declares, and observed against declared."""

from datetime import UTC, datetime

import pytest

from appwitness.catalog import yaml_files
from appwitness.correlate.prior_knowledge import knowledge
from appwitness.events import Access, Value
from appwitness.events.seen import see
from appwitness.findings import Flow, Match, Recipient
from appwitness.judge.policy import Policy, declared
from appwitness.judge.recipients import RecipientTable
from appwitness.support.errors import FileError

TABLE = yaml_files.parse(yaml_files.HERE / "recipients.yml", RecipientTable)
AT = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)

POLICY = Policy.model_validate(
    {
        "first_party": ["circle.test"],
        "data": [
            {"type": "phone_number", "purposes": ["login", "recovery"]},
            {"type": "location"},
            {"type": "email", "purposes": ["newsletter"]},
        ],
        "recipients": [
            {"name": "Graph", "hosts": ["graph.test"], "purposes": ["friends"], "data": ["phone_number"]},
            {"name": "Graph EU", "hosts": ["eu.graph.test"], "data": ["location"]},
            {"name": "Mail house", "data": ["email"]},
        ],
        "sdks": [
            {"name": "Umeng", "packages": ["com.umeng"], "data": ["android_id"]},
            {"name": "Maps", "packages": ["com.maps"], "hosts": ["*.maps.test."]},
        ],
    }
).with_hosts(TABLE)

DECLARES = [
    ("phone_number", None, True),
    ("android_id", None, True),
    ("device_contacts", None, False),
    ("phone_number", "api.circle.test", True),
    ("device_contacts", "api.circle.test", False),
    ("phone_number", "sync.graph.test", True),
    ("phone_number", "SYNC.graph.test:8443", True),
    ("location", "sync.graph.test", False),
    ("location", "a.eu.graph.test", True),
    ("phone_number", "eu.graph.test", False),
    ("phone_number", "notgraph.test", False),
    ("android_id", "ulogs.umeng.com", True),
    ("phone_number", "ulogs.umeng.com", False),
    ("phone_number", "tile.maps.test", True),
    ("location", "tile.maps.test", True),
    ("device_contacts", "tile.maps.test", False),
    ("phone_number", "ads.elsewhere.test", False),
]


@pytest.mark.parametrize(("data", "host", "expected"), DECLARES)
def test_what_is_declared(data, host, expected):
    assert POLICY.declares(data, host) is expected


def test_nothing_is_declared_by_an_empty_policy():
    assert not Policy().declares("phone_number")
    assert not Policy().declares("phone_number", "api.circle.test")
    assert declared(Policy(), [], []) == ()


def read(data: str, *, outcome="returned", count=1) -> Access:
    values = (Value(type=data, text="1"),) if outcome == "returned" else ()
    return Access(at=AT, source="a.B.c", data=data, values=values, outcome=outcome, count=count)


def sent(number: int, data: str, host: str, party="third") -> Flow:
    match = Match(type=data, value="1", variant="plain", path="$", start=0, end=1, confidence=0.99)
    return Flow(
        id=f"f{number}",
        upload=f"uploads.jsonl:{number}",
        data=data,
        consent="given",
        recipient=Recipient(host=host, party=party),
        matches=(match,),
        at=AT,
    )


def test_observed_against_declared():
    accesses = [
        ("accesses.jsonl:1", read("phone_number", count=3)),
        ("accesses.jsonl:2", read("phone_number")),
        ("accesses.jsonl:3", read("device_contacts")),
        ("accesses.jsonl:4", read("location", outcome="denied")),
        ("accesses.jsonl:5", read("location", outcome="requested")),
    ]
    flows = [
        sent(1, "phone_number", "sync.graph.test"),
        sent(2, "phone_number", "sync.graph.test"),
        sent(3, "phone_number", "ads.elsewhere.test"),
        sent(4, "device_contacts", "own.maker.test", party="first"),
        sent(5, "phone_number", "own.maker.test", party="first"),
        sent(6, "phone_number", "127.0.0.1"),
    ]
    rows = declared(POLICY, [see(ref, access, 0) for ref, access in accesses], flows)
    assert [(row.data, row.recipient, row.observed, row.declared, row.purpose) for row in rows] == [
        ("device_contacts", None, 1, False, None),
        ("phone_number", None, 4, True, "login, recovery"),
        ("device_contacts", "own.maker.test", 1, False, None),
        ("phone_number", "ads.elsewhere.test", 1, False, "login, recovery"),
        ("phone_number", "own.maker.test", 1, True, "login, recovery"),
        ("phone_number", "sync.graph.test", 2, True, "friends"),
        ("location", None, 0, True, None),
        ("email", None, 0, True, "newsletter"),
        ("location", "Graph EU", 0, True, None),
        ("email", "Mail house", 0, True, None),
    ]
    assert rows[1].evidence == ("accesses.jsonl:1", "accesses.jsonl:2")
    assert rows[5].evidence == ("uploads.jsonl:1", "uploads.jsonl:2")


BROKEN = [
    ("app_typ: 3\n", 1, "app_typ: Extra inputs"),
    ("territory: China\n", 1, "territory"),
    ("audience: adults\n", 1, "audience"),
    ("territory: CN\napp_type: casino\n", 2, "no type of app 'casino'"),
    ("data:\n  - type: phone_number\n  - type: telephone\n", 3, "'telephone' is not a data type"),
    ("recipients:\n  - name: A\n    data: [phone_number, telephone]\n", 3, "'telephone' is not a data type"),
    ("recipients:\n  - name: A\n    data: []\n", 3, "at least 1"),
    ("first_party:\n  - circle.test\n  - https://circle.test/\n", 3, "is not a domain"),
    ("sdks:\n  - name: A\n    packages: [com/umeng]\n", 3, "pattern"),
    ("data: [\n", 2, "not YAML"),
]


@pytest.mark.parametrize(("text", "line", "said"), BROKEN)
def test_a_broken_policy_is_refused_with_file_and_line(tmp_path, text, line, said):
    path = tmp_path / "policy.yml"
    path.write_text(text, "utf-8")
    with pytest.raises(FileError) as refused:
        knowledge(policy=path)
    assert refused.value.what.startswith(f"{path}:{line}: ")
    assert said in refused.value.what
