"""`--value TYPE=VALUE`: what is refused, and what is taken."""

from __future__ import annotations

import pytest

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
    "email=ann": "is not an email address",
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
