"""Fields that change with the persona: what is reported, and what is left out because it changes anyway."""

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta

import pytest

from appwitness.events import AppIdentity, DeviceIdentity, Run, Upload, Value
from appwitness.findings import Flow, Match, Recipient, Report
from appwitness.judge.differences import DecodedUpload, changed
from appwitness.match import decode

START = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)
A, B = "+8613800138000", "+8613912345678"


def run(name, persona, bodies, *, plan="accept", matched=(), url="https://api.pages.test/v1/users/{n}/events"):
    """One run: its report, and its uploads with these JSON bodies; values were found at the `matched` paths."""
    report = Report(
        recording=name,
        run=Run(
            id=name,
            app=AppIdentity(package="com.example.pages"),
            device=DeviceIdentity(serial="lab", kind="lab"),
            plan=plan,
            persona=(Value(type="phone_number", text=persona),),
            started=START,
        ),
        flows=tuple(
            Flow(
                id=f"f{path}",
                upload="uploads.jsonl:1",
                data="phone_number",
                consent="given",
                recipient=Recipient(host="api.pages.test"),
                matches=(
                    Match(type="phone_number", value=persona, variant="plain", path=path, start=0, end=1, confidence=1),
                ),
                at=START,
            )
            for path in matched
        ),
    )
    uploads = []
    for number, body in enumerate(bodies, start=1):
        upload = Upload(
            at=START + timedelta(seconds=number),
            via="http",
            method="POST",
            url=url.format(n=f"{int(persona[-4:]) + number:08}"),
            host="api.pages.test",
            type="application/json",
        )
        data = json.dumps(body).encode()
        uploads.append(DecodedUpload(f"uploads.jsonl:{number}", upload, decode.leaves(upload, data).leaves))
    return report, uploads


def sealed(number: str) -> str:
    """What we cannot undo: a keyed digest."""
    return base64.b64encode(hashlib.blake2b(number.encode(), key=b"k").digest()).decode()


def body(number, nonce, **more):
    return {"u": sealed(number), "t": 1773478800000 + nonce, "nonce": f"n{nonce:08x}", "v": "9.1.0", **more}


def test_a_field_that_only_the_persona_changes_is_a_candidate_with_both_lines():
    found = changed([run("a", A, [body(A, 1)]), run("b", B, [body(B, 2)]), run("c", B, [body(B, 3)])])
    (candidate,) = found
    assert (candidate.host, candidate.method, candidate.leaf) == ("api.pages.test", "POST", "$.u")
    assert candidate.path == "/v1/users/*/events"
    assert candidate.confidence == "indicated"
    assert candidate.steady
    assert [(one.recording, one.ref, one.text) for one in candidate.seen] == [
        ("a", "uploads.jsonl:1", sealed(A)),
        ("b", "uploads.jsonl:1", sealed(B)),
        ("c", "uploads.jsonl:1", sealed(B)),
    ]


def test_two_runs_drop_what_varies_within_one():
    found = changed([run("a", A, [body(A, 1), body(A, 2)]), run("b", B, [body(B, 3), body(B, 4)])])
    assert [(candidate.leaf, candidate.steady) for candidate in found] == [("$.u", True)]


def test_two_runs_of_one_upload_each_leave_out_the_time_and_say_that_the_rest_may_change_anyway():
    found = changed([run("a", A, [body(A, 1)]), run("b", B, [body(B, 2)])])
    assert {candidate.leaf: candidate.steady for candidate in found} == {"$.u": False, "$.nonce": False}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (run("a", A, [body(A, 1)]), run("b", A, [body(A, 2)])),
        (run("a", A, [body(A, 1)], plan="accept"), run("b", B, [body(B, 2)], plan="refuse")),
        (run("a", A, [body(A, 1)], matched=["$.u", "$.nonce"]), run("b", B, [body(B, 2)])),
        (run("a", A, [{"m": ["x"]}]), run("b", B, [{"m": ["x"]}])),
        (run("a", A, [{"only": "abcdef"}]), run("b", B, [{"here": "ghijkl"}])),
    ],
    ids=["same persona", "another answer", "a value was found there", "nothing changed", "other fields"],
)
def test_no_candidate(one, other):
    assert changed([one, other]) == ()


def test_a_value_found_in_what_a_field_decodes_to_explains_the_field():
    def wrapped(number):
        return [{"d": base64.b64encode(json.dumps({"phone": number}).encode()).decode()}]

    paths = {leaf.path for _, uploads in [run("a", A, wrapped(A))] for sent in uploads for leaf in sent.leaves}
    (inside,) = [path for path in paths if path.endswith("phone")]
    assert changed([run("a", A, wrapped(A), matched=[inside]), run("b", B, wrapped(B))]) == ()


def test_the_same_runs_give_the_same_candidates():
    runs = [run("a", A, [body(A, 1, z=sealed(A), a=sealed(A))]), run("b", B, [body(B, 2, z=sealed(B), a=sealed(B))])]
    assert changed(runs) == changed(runs)
    assert [candidate.leaf for candidate in changed(runs)] == ["$.a", "$.nonce", "$.u", "$.z"]
