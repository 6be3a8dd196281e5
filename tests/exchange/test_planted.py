"""`--value TYPE=VALUE`: what is refused, and common words that are found in a field of their own."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from appwitness.cli.verbs import main
from appwitness.exchange import persona
from appwitness.support.errors import UserError

REFUSED = {
    "phone_number": "is not TYPE=VALUE",
    "=1": "is not TYPE=VALUE",
    "phone_number=": "is not TYPE=VALUE",
    "phone=+4915112345678": "the nearest are phone_number",
    "imei=490154203237518": "the nearest are device_id_imei",
    "wifi=Home": r"the nearest are .*wifi_ssid_bssid",
    "idfa=x": "There is no type 'idfa'",
    "location=Berlin": "is not latitude and longitude",
    "location=91.0,13.4": "is not latitude and longitude",
    "location_coarse=95.1,13.4": "is not a place's name",
    "phone_number=Ann": "is not a phone number",
    "email=ann": "is not an address of mail",
    "device_id_imei=1234": "is not an IMEI",
    "device_id_imsi=ann": "is not an IMSI",
    "device_id_iccid=89": "is not an ICCID",
    "android_id=Pixel": "is not an Android ID",
    "advertising_id=1209d0b9": "is not an advertising id",
    "mac_address=a4:50": "is not a MAC address",
    "ip_address=host": "is not an IP address",
    "gender=f": "a single character is in every upload",
}


@pytest.mark.parametrize("word", REFUSED)
def test_what_cannot_be_is_refused(word):
    with pytest.raises(UserError, match=REFUSED[word]):
        persona([word])


TAKEN = [
    "location=52.520008, 13.404954",
    "location=-33,151",
    "location_coarse=Berlin",
    "location_coarse=Berlin, Germany",
    "phone_number=+49 (151) 123-45.67",
    "phone_number=(030) 1234",
    "phone_number=10086",
    "email=安@例子.公司",
    "device_id_imei=49-015420-323751-8",
    "device_id_imei=A0000049C1CCB5",
    "device_id_iccid=8986 0012 3456 7890 123",
    "advertising_id=1209d0b9b95942e6b921aa5d9d08c1af",
    "mac_address=A450.4612.9B7E",
    "ip_address=fe80::1%wlan0",
    "gender=女",
    "name=Ann",
    "carrier=o2",
]


@pytest.mark.parametrize("word", TAKEN)
def test_what_can_be_is_taken(word):
    type_, _, text = word.partition("=")
    assert [(value.type, value.text) for value in persona([word])] == [(type_, text)]


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


def imported(tmp_path, word, body):
    """Types of the matches in the report of a HAR with that body in one request."""
    return [match["type"] for match in matches(tmp_path, [word], body)]


def matches(tmp_path, words, body):
    """Matches in the report of a HAR with that body in one request."""
    request = {
        "method": "POST",
        "url": "https://api.circle.test/v1/events",
        "headers": [{"name": "User-Agent", "value": "Dalvik/2.1.0 (Linux; U; Android 14; Pixel 8 Build/UQ1A)"}],
        "postData": {"mimeType": "application/json", "text": json.dumps(body, ensure_ascii=False)},
    }
    har = {"log": {"entries": [{"startedDateTime": "2026-05-01T10:00:00Z", "request": request}]}}
    (tmp_path / "a.har").write_text(json.dumps(har), "utf-8")
    run = CliRunner().invoke
    command = ["import", str(tmp_path / "a.har"), "--app", "com.example.circle", "--output", str(tmp_path / "r")]
    assert run(main, [*command, *(option for word in words for option in ("--value", word))]).exit_code == 0
    command = ["report", str(tmp_path / "r"), "--format", "json", "--db", str(tmp_path / "db.sqlite")]
    report = json.loads(run(main, command).stdout)
    return [match for flow in report["flows"] for match in flow["matches"]]


@pytest.mark.parametrize(("word", "body"), [(word, body) for word in FOUND for body in FOUND[word]])
def test_common_words_are_found_in_a_field_of_their_own(tmp_path, word, body):
    assert word.partition("=")[0] in imported(tmp_path, word, body)


DEVICE = ["device_model_os=13", "device_model_os=Pixel 6", "carrier=o2 - de", "device_model_os=Google"]
PROGRAMS = ["device_model_os=oriole", "device_model_os=android"]
EXTINFO = ["a2", "com.a.b", 123, "1.0", "13", "Pixel 6", "en_US", "CEST", "o2 - de", 1080, 2161, "2.63", 8]
DESCRIBED: dict[str, tuple[list[str], Any, bool]] = {
    "as Facebook does": (DEVICE, {"extinfo": EXTINFO}, True),
    "with its maker": (DEVICE, ["Pixel 6", "Google", "13"], True),
    "alone": (DEVICE, {"extinfo": ["a2", "13", "1.0"]}, False),
    "beside one other": (DEVICE, {"extinfo": ["Pixel 6", "13"]}, False),
    "beside one, twice": (DEVICE, {"extinfo": ["Pixel 6", "13", "Pixel 6"]}, False),
    "the others elsewhere": (DEVICE, {"a": ["13", "x"], "b": ["Pixel 6", "Google"]}, False),
    "the others in texts": (DEVICE, ["13", "a Pixel 6", "by Google"], False),
    "under a key": (DEVICE, {"count": "13", "extinfo": ["Pixel 6", "o2 - de"]}, False),
    "in a list of that": (DEVICE, ["Pixel 6", "o2 - de", ["13"]], False),
    "a part": (DEVICE, ["Pixel 6", "o2 - de", "13 items"], False),
    "no model": ([*DEVICE[::2], "wifi_ssid_bssid=HomeNet"], ["13", "o2 - de", "HomeNet"], False),
    "words of programs": ([DEVICE[0], *PROGRAMS], ["oriole", "android", "13"], False),
}  # fmt: skip


@pytest.mark.parametrize("name", DESCRIBED)
def test_a_version_counts_in_a_list_that_describes_the_device(tmp_path, name):
    words, body, found = DESCRIBED[name]
    told = [match for match in matches(tmp_path, words, body) if "describes the device" in match["note"]]
    assert [match["confidence"] < 0.5 for match in told] == [True] * found


@pytest.mark.parametrize(("word", "body"), [(word, body) for word in CLEAN for body in CLEAN[word]])
def test_common_words_elsewhere_say_nothing(tmp_path, word, body):
    assert imported(tmp_path, word, body) == []
