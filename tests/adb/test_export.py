"""The archive that a user sends us has nothing in it that is the owner's, and still says what the device is."""

from __future__ import annotations

import json
import re
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from appwitness.cli.verbs import main
from appwitness.devices.android.doctor import export, reading
from appwitness.devices.android.witness.counters import app_ops
from tests.adb.replay import replayed
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


SAMPLES = {
    "history as a tree": (
        "Discrete accesses: \n  Largest chain id: 3\n  Uid: 10123\n    Package: com.a.b\n      MIUIOP(10033)\n"
        "        Attribution: a.b\n          Access [fgsvc-tpd] at 2026-07-24 09:10:00.000 for 6 milliseconds  "
        "attribution flags=9 with chainId=-1\n",
        0,
    ),
    "history as a table": (
        "UID|PACKAGE_NAME|OP_NAME|ACCESS_TIME|UID_STATE|OP_FLAGS\n10123|com.a|CAMERA|2026-07-24 09:10:00.000|top|s\n"
        "10123|com.a|CAMERA|soon|top|s\n",
        1,
    ),
    "appops": (
        "  Uid u0a123:\n    Package com.a.b:\n      CAMERA (allow / switch X=allow):\n        null=[\n"
        "          Access: [top-s] 2026-07-24 09:10:00.000 (-1h0m0s1ms) proxy[uid=10070, pkg=c.d, feature=null]\n"
        "        ]\n      odd op:\n",
        1,
    ),
    "appops_get": ("Uid mode: CAMERA: foreground\nMIUIOP(10017): ask\nFINE_LOCATION: allow; time=+1d2h3s4ms ago\n", 0),
    "exits": (
        "ApplicationExitInfo #0:\n timestamp=2026-07-24 09:10:00.000 pid=97 realUid=1 packageUid=10123 user=0\n "
        "process=com.a reason=13 (OTHER) subreason=4 (KILL) status=0\n",
        0,
    ),
    "processes": ("ProcessRecord{9b1 97:com.a/u0a123}\n", 0),
}  # fmt: skip


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
    assert archive.stat().st_size < 20_000

    assert set(texts) == {*reading.asked(34), "doctor.json"}
    assert "[ro.build.version.sdk]: [34]" in texts["properties"]
    assert json.loads(texts["doctor.json"])["api"] == 34


def test_an_export_is_read_as_the_device_is(archive: Path) -> None:
    """What was planted as a dump of places and of bytes is none: that much is not understood, and nothing else."""
    assert {each.name for each in replayed(archive)} == {"location", "netstats"}


def test_the_replay_lists_what_is_not_understood(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "history.txt").write_text(
        "Discrete accesses:\n  Uid: 10123\n    Package: com.a\n      CAMERA\n        Attribution: null\n"
        "          Access [top-s] at 2026-07-24 09:10:00.000\n          Access of a new form\n"
    )
    assert [(each.name, each.lines) for each in replayed(tmp_path)] == [("history", ("Access of a new form",))]
    done = subprocess.run(
        [sys.executable, "-m", "tests.adb.replay", tmp_path], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.splitlines()[-1]) == (1, "0 of 1 dumps are understood")


TEXTS = (
    'ident=[{type=WIFI, wifiNetworkKey="Jane Home"wpa2-psk}] uid=10123 set=DEFAULT tag=0x0',
    "SSID: JANES_HOME_5G, +49 1511 2345678, 52.520008,13.404954, fe80::3e5a:b4ff:fe01:203, Jürgen Müller, 简的手机",
    "Attribution: JANES_TAG of jane.doe@example.org at 9774d56d682e549c",
    "  JANE|DOE",
)


@pytest.mark.parametrize("text", TEXTS)
def test_only_words_of_the_list_stay(text: str) -> None:
    wanted = export.lists()
    known = {*wanted.words, *(each.op for each in app_ops().ops)}
    left = set(re.findall(r"[^\W\d_]+(?:_[^\W\d_]+)*", export.form(text, wanted)))

    assert {word for word in left if re.sub("[xX_]", "", word)} <= known
    assert not re.search(r"[02-9]", export.form(text, wanted))


@pytest.mark.parametrize("path", [*SAMPLES])
def test_a_form_is_read_as_what_it_is_of(path: str) -> None:
    """What a parser understands, it understands in an export; and what it does not, it does not."""
    text, unknown = SAMPLES[path]
    dump = reading.DUMPS[path.partition(" ")[0]]
    assert dump.unknown(text) == unknown
    assert dump.unknown(export.form(text, export.lists())) == unknown
