"""`appwitness explain FINGERPRINT`: its parts, out of a recording or out of a baseline."""

import json

import pytest

from tests.gate.test_gating import CASE, appwitness, copy, own_home  # noqa: F401
from tests.recordings.written import RECORDINGS


@pytest.fixture
def fingerprint():
    told = json.loads(appwitness("gate", RECORDINGS / CASE, "--format", "json").stdout)
    return next(one["now"]["id"] for one in told["changes"] if one["now"]["rule"] == CASE)


def test_of_a_recording(fingerprint):
    told = appwitness("explain", RECORDINGS / CASE, fingerprint, code=0).stdout
    assert told.startswith(f"{fingerprint}\n  Rule: {CASE}\n  App: com.example.shop\n")
    assert f"{RECORDINGS / CASE}:" in told
    assert "uploads.jsonl:" in told


def test_of_the_baseline_beside_and_of_one_that_is_named(fingerprint, tmp_path):
    appwitness("baseline", "write", RECORDINGS / CASE, code=0)
    lines = (tmp_path / "appwitness-baseline.yml").read_text().splitlines()
    line = next(number for number, text in enumerate(lines, 1) if fingerprint in text)
    told = json.loads(appwitness("explain", fingerprint, "--json", code=0).stdout)
    assert (told["rule"], told["package"]) == (CASE, "com.example.shop")
    assert [each["where"] for each in told["known_from"]] == [f"{tmp_path}/appwitness-baseline.yml:{line}"]
    (tmp_path / "appwitness-baseline.yml").rename("b.yml")
    assert "Name the recording or the --baseline" in appwitness("explain", fingerprint, code=2).output
    assert f"b.yml:{line}: high" in appwitness("explain", fingerprint, "--baseline", "b.yml", code=0).stdout


def test_of_both_and_of_another_package(fingerprint):
    appwitness("baseline", "write", RECORDINGS / CASE, code=0)
    debug = copy(CASE, "debug", ("com.example.shop", "com.example.shop.debug"))
    told = appwitness(
        "explain", RECORDINGS / CASE, debug, fingerprint, "--baseline", "appwitness-baseline.yml",
        "--package-alias", "com.example.shop.debug=com.example.shop", "--json", code=0,
    )  # fmt: skip
    places = [each["where"] for each in json.loads(told.stdout)["known_from"]]
    assert [place.rpartition(":")[0] for place in places] == [
        str(RECORDINGS / CASE),
        "debug",
        "appwitness-baseline.yml",
    ]


def test_one_that_nothing_has():
    assert "Nothing has the fingerprint" in appwitness("explain", RECORDINGS / CASE, "v2:000000000000", code=2).output


def test_a_flow_is_one_recordings(fingerprint):
    assert (
        "Name one recording" in appwitness("explain", RECORDINGS / CASE, RECORDINGS / "clean-shop", "f1", code=2).output
    )
