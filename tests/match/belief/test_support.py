"""Short values and common words: found in a field of their own, or in a list that describes the device."""

from __future__ import annotations

from typing import Any

import pytest

from appwitness.findings import Match
from appwitness.match.linking import Linker
from tests.match.test_linking import access, linker, matches
from tests.match.wording import words

AGENT = "Dalvik/2.1.0 (Linux; U; Android 14; Pixel 8 Build/UQ1A)"
READ = (("device_model_os", "13"), ("device_model_os", "9"), ("device_model_os", "Pixel 6"), ("carrier", "o2 - de"))


def linked(known: Linker, body: Any) -> list[Match]:
    """What is found in an upload of JSON by an ordinary client of HTTP."""
    by = {"url": "https://api.circle.test/v1/events", "headers": (("User-Agent", AGENT),), "type": "application/json"}
    return matches(known, 20, body, **by)


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        (["Pixel 6", "o2 - de", "13"], ["$[2]"]),
        ([["Pixel 6", "o2 - de", 13, "x"], ["13"]], ["$[0][2]"]),
        (["Pixel 6", "o2 - de", "9", 9], []),
        (["Pixel 6", "Pixel 6", "13"], []),
        (["13", "o2 - de"], []),
        (["13"], []),
        ({"a": "Pixel 6", "b": "o2 - de", "c": "13"}, []),
        (["Pixel 6", "o2 - de", "13.5", "v13"], []),
    ],
)
def test_the_number_of_a_version(sent: Any, found: list[str]) -> None:
    known = linker(*(access(0, (type_, text, None), data=type_) for type_, text in READ))
    told = [match for match in linked(known, sent) if match.value in ("13", "9")]
    assert [match.path for match in told] == found
    assert all(match.confidence < 0.5 for match in told)


FOUND: dict[str, list[Any]] = {
    "carrier=Vodafone": [{"carrier": "Vodafone"}, {"x": ["Vodafone", 1]}],
    "carrier=o2": [{"networkOperatorName": "o2"}],
    "gender=female": [{"user": {"gender": "Female"}}, {"sex": "female"}],
    "gender=女": [{"gender": "女"}],
    "device_model_os=Pixel 8": [{"deviceModel": "Pixel 8"}, {"extinfo": ["a2", "Pixel 8"]}],
    "device_model_os=14": [{"os_version": "14"}],
    "wifi_ssid_bssid=Tom": [{"ssid": "Tom"}, {"wifi_name": '"Tom"'}],
    "wifi_ssid_bssid=HomeNet": [{"a": "HomeNet"}],
    "network_state=wifi": [{"connection_type": "wifi"}],
    "location_coarse=Berlin": [{"city": "Berlin"}],
}
CLEAN: dict[str, list[Any]] = {
    "carrier=Vodafone": [{"text": "Vodafone raises its prices"}, {"x": "Vodafone shop"}],
    "carrier=o2": [{"x": "o2"}, {"carrier": "o2 and others"}, {"host": "o2.example"}],
    "gender=female": [{"x": "female"}, {"gender": "female connector"}, {"sexes": "male, female"}],
    "device_model_os=14": [{"model": "14"}, {"count": 14}, {"x": "14"}],
    "device_model_os=android": [{"exceptions": [{"type": "android"}]}],
    "wifi_ssid_bssid=Tom": [{"name": "Tom"}, {"ssid": "Tom's"}],
    "network_state=wifi": [{"x": "wifi"}, {"text": "wifi"}],
    "location_coarse=Berlin": [{"x": "Berlin"}, {"city": "New Berlin"}],
}


def planted(words: list[str], body: Any) -> list[Match]:
    """What is found of values that somebody planted, each written as TYPE=VALUE."""
    return linked(linker(persona=[tuple(word.split("=", 1)) for word in words]), body)


@pytest.mark.parametrize(("word", "body"), [(word, body) for word in FOUND for body in FOUND[word]])
def test_common_words_are_found_in_a_field_of_their_own(word: str, body: Any) -> None:
    assert word.partition("=")[0] in [match.type for match in planted([word], body)]


@pytest.mark.parametrize(("word", "body"), [(word, body) for word in CLEAN for body in CLEAN[word]])
def test_common_words_elsewhere_say_nothing(word: str, body: Any) -> None:
    assert planted([word], body) == []


DEVICE = ["device_model_os=13", "device_model_os=Pixel 6", "carrier=o2 - de", "device_model_os=Google"]
PROGRAMS = ["device_model_os=oriole", "device_model_os=android"]
EXTINFO = ["a2", "com.a.b", 123, "1.0", "13", "Pixel 6", "en_US", "CEST", "o2 - de", 1080, 2161, "2.63", 8]
DESCRIBED: dict[str, tuple[list[str], Any, bool]] = {
    "as Facebook does": (DEVICE, {"extinfo": EXTINFO}, True),
    "with its maker": (DEVICE, ["Pixel 6", "Google", "13"], True),
    "the others elsewhere": (DEVICE, {"a": ["13", "x"], "b": ["Pixel 6", "Google"]}, False),
    "the others in texts": (DEVICE, ["13", "a Pixel 6", "by Google"], False),
    "under a key": (DEVICE, {"count": "13", "extinfo": ["Pixel 6", "o2 - de"]}, False),
    "in a list of that": (DEVICE, ["Pixel 6", "o2 - de", ["13"]], False),
    "no model": ([*DEVICE[::2], "wifi_ssid_bssid=HomeNet"], ["13", "o2 - de", "HomeNet"], False),
    "words of programs": ([DEVICE[0], *PROGRAMS], ["oriole", "android", "13"], False),
}  # fmt: skip


@pytest.mark.parametrize("name", DESCRIBED)
def test_a_version_counts_in_a_list_that_describes_the_device(name: str) -> None:
    values, body, found = DESCRIBED[name]
    told = [match for match in planted(values, body) if "describes the device" in words(match)]
    assert [match.confidence < 0.5 for match in told] == [True] * found
