"""What is returned in place of a value is no read of it."""

import pytest

from appwitness.catalog.withheld import is_placeholder, was_withheld
from appwitness.events import Access, Value
from tests.judge.scenario import Scenario, at

PLACEHOLDERS = [
    *(("mac_address", text) for text in ("02:00:00:00:00:00", "02-00-00-00-00-00", "00:00:00:00:00:00")),
    *(("advertising_id", text) for text in ("00000000-0000-0000-0000-000000000000", "null", "0", "")),
    *(("device_id_imei", text) for text in ("000000000000000", "unknown", "012345678912345")),
    *(("device_id_serial", text) for text in ("unknown", "UNKNOWN", "0123456789ABCDEF", " ")),
    *(("android_id", text) for text in ("9774d56d682e549c", "0000000000000000")),
    *(("location", text) for text in ("0.0,0.0", "0,0", "-0.0,0.0", "nan,nan")),
    *(("device_id_serial", text) for text in ("不明", "Unbekannt", "inconnu", "неизвестно", "알 수 없음")),
    ("wifi_ssid_bssid", "<unknown ssid>"),
    ("phone_number", "+00000000000"),
]
REAL = [
    ("mac_address", "02:00:00:44:55:66"),
    ("advertising_id", "38400000-8cf0-11bd-b23e-10b96e40000d"),
    ("device_id_imei", "869731046032817"),
    ("device_id_serial", "R58M123ABC"),
    ("location", "0.5,0.0"),
    ("location", "11.11,11.11"),
    ("phone_number", "+8613800138000"),
    ("name", "Nona"),
]


@pytest.mark.parametrize(("kind", "text"), PLACEHOLDERS)
def test_a_placeholder_is_no_read(kind, text):
    value = Value(type=kind, text=text)
    assert is_placeholder(value)
    scenario = Scenario()
    scenario.reads(1, kind, values=(value,))
    assert scenario.findings() == ()


@pytest.mark.parametrize(("kind", "text"), REAL)
def test_a_value_is_a_read(kind, text):
    value = Value(type=kind, text=text)
    assert not is_placeholder(value)
    scenario = Scenario()
    scenario.reads(1, kind, values=(value,))
    assert "read-before-consent" in {each.rule for each in scenario.findings()}


def test_one_value_among_placeholders_is_read():
    values = (Value(type="mac_address", text="02:00:00:00:00:00"), Value(type="mac_address", text="a4:50:46:1f:22:03"))
    read = Access(at=at(1), source="s", data="mac_address", values=values, outcome="returned")
    assert not was_withheld(read)
    assert was_withheld(read.model_copy(update={"values": values[:1]}))
    assert not was_withheld(read.model_copy(update={"values": ()}))
