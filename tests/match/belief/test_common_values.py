"""Values that many bear are believed by how common they are, and no chance is printed that does not hold."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appwitness.findings import Match, Why
from appwitness.match.belief.common_values import CENTRES, centre_of
from tests.match.test_linking import access, linker, matches

CERTAIN = 0.95
"""What a rule takes for proof (judge/rules/sightings.py)."""


def seen(kind: str, text: str, body: Any) -> list[Match]:
    """What is found of a value that was read, in an upload of JSON a second later."""
    known = linker(access(0, (kind, text, None), data=kind))
    return matches(known, 1, body, url="https://a.test/x", host="a.test", type="application/json")


def codes(found: list[Match]) -> set[Why]:
    return {reason.code for match in found for reason in match.reasons}


COMMON = {
    "an operator called Android, as a system": ("carrier", "Android", {"os": "Android"}, False),
    "an operator called Android, as an operator": ("carrier", "Android", {"operator": "Android"}, False),
    "an operator in an advertisement": ("carrier", "China Mobile", {"advertiser": "China Mobile"}, False),
    "an operator in a text": ("carrier", "Vodafone", {"text": "Vodafone"}, False),
    "an operator under its key": ("carrier", "T-Mobile", {"carrier": "T-Mobile"}, True),
    "a model that a shop sells": ("device_model_os", "Pixel 7", {"item": "Pixel 7"}, False),
    "a model under its key": ("device_model_os", "Pixel 7", {"model": "Pixel 7"}, True),
    "the network of an emulator": ("wifi_ssid_bssid", "AndroidWifi", {"x": "AndroidWifi"}, False),
    "a country": ("location_coarse", "United States", {"title": "United States"}, False),
    "the centre of a city, typed": ("location", "31.2304,121.4737", {"center": [121.4737, 31.2304]}, False),
    "of another": ("location", "48.8566,2.3522", {"lat": 48.8566, "lng": 2.3522}, False),
    "with many digits": ("location", "48.856613,2.352222", {"lat": 48.856613, "lng": 2.352222}, True),
}


@pytest.mark.parametrize("name", COMMON)
def test_common_values(name: str) -> None:
    kind, text, body, proof = COMMON[name]
    found = seen(kind, text, body)
    assert found
    assert (max(match.confidence for match in found) >= CERTAIN) == proof
    assert Why.CHANCE_TINY not in codes(found)
    assert (Why.CITY_CENTRE in codes(found)) == (kind == "location")
    if kind != "location":
        assert all(match.shared for match in found)
        assert Why.CHANCE not in codes(found)


def test_rare_values_are_rated_as_before() -> None:
    for kind, text, body in (
        ("location", "31.217733,121.419912", {"lat": 31.217733, "lng": 121.419912}),
        ("phone_number", "+8613651820377", {"n": "+8613651820377"}),
        ("wifi_ssid_bssid", "4c:5e:0c:11:22:33", {"bssid": "4c:5e:0c:11:22:33"}),
    ):
        found = seen(kind, text, body)
        assert min(match.confidence for match in found) == 0.999
        assert not any(match.shared for match in found)
        assert Why.CHANCE_TINY in codes(found)


def test_a_name_is_never_as_good_as_unique() -> None:
    found = seen("name", "Michael Smith", {"author": "Michael Smith"})
    assert Why.CHANCE_TINY not in codes(found)


@given(st.sampled_from(sorted(CENTRES)), st.floats(-0.02, 0.02), st.floats(-0.02, 0.02), st.integers(2, 7))
def test_a_place_at_a_centre_is_told_from_one_beside_it(city: str, north: float, east: float, digits: int) -> None:
    """By its distance in degrees alone: a place within 200 m is at the centre, one farther than two kilometres not."""
    lat, lon = CENTRES[city][0]
    text = f"{lat + north:.{digits}f},{lon + east:.{digits}f}"
    moved = [abs(float(one) - at) for one, at in zip(text.split(","), (lat, lon), strict=True)]
    if max(moved) < 0.0012:
        assert centre_of(text) is not None
    elif moved[0] > 0.018 and not any(
        abs(float(text.split(",", maxsplit=1)[0]) - other[0]) < 0.006 for places in CENTRES.values() for other in places
    ):
        assert centre_of(text) is None
