"""The archive that a user sends us has nothing in it that is the owner's, and still says what the device is."""

from __future__ import annotations

import json
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from appwitness.cli.verbs import main
from appwitness.devices.android.doctor import export
from tests.adb.rig.phone import Phone

PLANTED = {
    "serial": "R58M12ABCDE",
    "imei": "358240051111110",
    "another imei": "358240052222221",
    "imsi": "262011234567890",
    "android_id": "9774d56d682e549c",
    "name of the device": "Jane's Pixel",
    "name of the user": "Janina",
    "e-mail": "jane.doe@example.org",
    "name of an account": "Jane Q. Doe",
    "number of an account": "+49 1511 2345678",
    "number": "+4915198765432",
    "number without a country": "015155566677",
    "number in China": "13812345678",
    "number as Americans write it": "555-010-4477",
    "network": "Jane's Home",
    "another network": "Cafe Roma 5G",
    "network's address": "a4:91:b1:22:33:44",
    "device's address": "3C:5A:B4:01:02:03",
    "address on the network": "192.168.178.23",
    "address of IPv6": "2a02:8109:9d40:1b3c:7e2b:aa11:c0de:77",
    "short address of IPv6": "fe80::3e5a:b4ff:fe01:203",
    "place": "52.520008,13.404954",
    "latitude": "48.137154",
    "longitude": "11.576124",
    "cell": "27447297",
    "an app": "org.janes.diary",
}
LOCATION = f"""Location Manager State:
  last location=Location[gps {PLANTED["place"]} hAcc=5 et=+1d2h45m mock]
  gps provider: latitude={PLANTED["latitude"]}, longitude={PLANTED["longitude"]}
    mLastLocation=Location[network 52,520008,13,404954 acc=20]
    {PLANTED["place"].replace(",", ", ")}
  Historical Records: com.google.android.gms: Interval 10 s"""
WIFI = f"""Wi-Fi is enabled
mWifiInfo SSID: "{PLANTED["network"]}", BSSID: {PLANTED["network's address"]}, MAC: {PLANTED["device's address"]}, \
Supplicant state: COMPLETED, RSSI: -54, IP: /{PLANTED["address on the network"]}
 ID: 3 SSID: "{PLANTED["another network"]}" PROVIDER-NAME: null BSSID: null FQDN: null
 rec: time=05-01 12:34:56.789 what=CMD_START ssid={PLANTED["another network"]}  rssi=-54
LinkAddresses: [ {PLANTED["address of IPv6"]}/64,{PLANTED["short address of IPv6"]}/64 ]"""
TELEPHONY = f"""last known state:
  mCallState=0
  mCallIncomingNumber={PLANTED["number"]}
  line1Number: {PLANTED["number without a country"]}
  mServiceState={{mVoiceRegState=0, mOperatorAlphaLong=Telekom.de}}
  CellIdentityLte:{{ mCi={PLANTED["cell"]} mPci=138 mTac=11500 mEarfcn=1300 mMcc=262}}
  called {PLANTED["number in China"]} and {PLANTED["number as Americans write it"]}
  subscriberId={PLANTED["imsi"]}, deviceId: {PLANTED["another imei"]}"""
ACCOUNTS = f"""User UserInfo{{0:{PLANTED["name of the user"]}:c13}}:
  Accounts: 3
    Account {{name={PLANTED["e-mail"]}, type=com.google}}
    Account {{name={PLANTED["name of an account"]}, type=com.example.chat}}
    Account {{name={PLANTED["number of an account"]}, type=com.whatsapp}}"""
ELSEWHERE = f"""  sync of {PLANTED["name of an account"]} done; {PLANTED["network"]} is metered; jane.doe@example.org
  Proc # 0: fg T/A/TOP 4123:{PLANTED["an app"]}/u0a231 (top-activity); {PLANTED["name of the user"]}
  ident=[{{type=WIFI, wifiNetworkKey="{PLANTED["network"]}"wpa2-psk, subId=-1}}]
  serial {PLANTED["serial"]}"""


@pytest.fixture
def archive(phone_of: Callable[..., Phone], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of a device that has all of PLANTED in the places where Android has it."""
    monkeypatch.setenv("APPWITNESS_HOME", str(tmp_path / "home"))
    phone = phone_of(
        state={
            "settings": {
                "global": {"device_name": PLANTED["name of the device"], "adb_enabled": "1"},
                "secure": {
                    "android_id": PLANTED["android_id"],
                    "bluetooth_name": PLANTED["name of the device"],
                    "bluetooth_address": PLANTED["device's address"],
                },
                "system": {},
            },
            "packages": {PLANTED["an app"]: {"uid": 10231}, "com.android.settings": {"uid": 1000, "system": True}},
            "dumps": {
                "location": LOCATION,
                "wifi": WIFI,
                "telephony.registry": TELEPHONY,
                "account": ACCOUNTS,
                "netstats": ELSEWHERE,
                "deviceidle": ELSEWHERE,
            },
        }
    )
    properties = {**phone.read()["properties"], "ro.ril.oem.imei": PLANTED["imei"], "net.hostname": "janes-pixel"}
    phone.write(properties=properties)
    path = tmp_path / "device.zip"
    done = CliRunner().invoke(main, ["doctor", "--device", phone.serial, "--export", str(path)])
    assert done.exit_code == 0, done.output
    return path


def test_nothing_in_it_is_the_owners_and_it_says_still_what_the_device_is(archive: Path) -> None:
    with zipfile.ZipFile(archive) as packed:
        texts = {name.removesuffix(".txt"): packed.read(name).decode() for name in packed.namelist()}
    everything = "\n".join(texts.values()).lower()
    there = {what: value for what, value in PLANTED.items() if value.lower() in everything}

    assert there == {}
    assert "52,520008" not in everything
    assert "janes-pixel" not in everything
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600

    assert set(texts) == {*export.texts().dumps, "doctor.json"}
    for name, kept in {
        "properties": "[ro.build.version.sdk]: [34]",
        "settings": "adb_enabled=1",
        "webview": "com.google.android.webview, 124.0.6367.219",
        "location": "com.google.android.gms: Interval 10 s",
        "wifi": "12:34:56.789",
        "telephony": "mOperatorAlphaLong=Telekom.de",
        "accounts": "type=com.whatsapp",
        "netstats": "(top-activity)",
    }.items():
        assert kept in texts[name], texts[name]
    assert json.loads(texts["doctor.json"])["api"] == 34


def test_patterns_alone_find_what_no_field_names() -> None:
    wanted = export.texts()
    clean = export.cleaner(wanted, {})
    text = f"called {PLANTED['number']}, {PLANTED['e-mail']}, {PLANTED['address of IPv6']}, {PLANTED['imei']}"

    assert clean(text) == "called [phone], [email], [ip], [imei]"
    for kept in ("127.0.0.1", "12:34:56.789", "124.0.6367.219", "+1d2h45m6s", "versionCode=341411300", "::1"):
        assert clean(kept) == kept
