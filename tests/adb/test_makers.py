"""Devices that behave as those of some makers and versions do: the run goes on, or says what it cannot do."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from appwitness.devices.android import adb, discovery, traffic, wakefulness
from appwitness.devices.android.app import package, package_undo
from appwitness.devices.android.control import Control
from appwitness.devices.android.faults import DeviceFault
from appwitness.devices.android.persona.place import keep_place
from appwitness.devices.android.persona.profile import PlannedPosition
from appwitness.devices.android.screen.input import Play
from appwitness.devices.android.screen.uiautomator import Screens
from appwitness.devices.android.shell import Shell
from appwitness.devices.android.witness.counters import Witnesses
from appwitness.events import Gap
from tests.adb.rig.phone import Phone
from tests.adb.rig.stage import Stage
from tests.devices.android.screen.hierarchies import HIERARCHY, dialog, node

Make = Callable[..., Phone]
Of = Callable[[Phone], Control]
APP, UID = "com.example.app", 10123
CONTACTS = "android.permission.READ_CONTACTS"


def test_root_that_nobody_answers_for_is_asked_for_once(phone_of: Make) -> None:
    phone = phone_of(su="unanswered")
    with pytest.raises(DeviceFault) as raised:
        Shell(adb.connect(phone.serial)).rooted()

    assert raised.value.code == "root-unanswered"
    assert len(phone.asked_for_root()) == 1, "each question is a dialog"


def test_scripts_for_root_share_one_su(phone_of: Make) -> None:
    phone = phone_of(su="magisk")
    shell = Shell(adb.connect(phone.serial))
    shell.rooted()
    for number in range(30):
        assert shell.root(f"echo {number}; echo no >&2; exit {number}").out == str(number)
    asked = [each for each in phone.asked_for_root() if each["asks"] != ["-v"]]
    shell.close()

    assert len(asked) == 2
    assert shell.user("ls -A /data/local/tmp").out == ""
    assert shell.root("id -u").out == "0", "it is asked for again"


def test_hyperos_without_security_settings(phone_of: Make, control_of: Of) -> None:
    """`settings put` is refused: what a run can do without is noted, the proxy is not."""
    control = control_of(phone_of(su="", state={"settings_denied": True, "miui": True}))

    wakefulness.awake(control)
    with pytest.raises(DeviceFault) as raised:
        traffic.set_proxy(control, "127.0.0.1", 8080)

    assert raised.value.code == "setting-refused"
    assert "SecurityException" in str(raised.value)
    assert any("stay_on_while_plugged_in" in note for note in control.notes)
    assert control.journal.undo_all(control.take_back) == []


def test_hyperos_has_ops_of_its_own_and_asks(phone_of: Make, control_of: Of) -> None:
    modes = {"CAMERA": {"mode": "ask"}, "MIUIOP(10021)": {"mode": "ignore"}, "READ_SMS": {"mode": "allow"}}
    phone = phone_of(state={"miui": True, "packages": {APP: {"uid": UID}}, "appops": {APP: modes}})
    control = control_of(phone)
    kept = package_undo.modes(control.shell.user(f"cmd appops get {APP}").out)
    phone.write(appops={APP: {op: {"mode": "allow"} for op in modes}})

    control.shell.check(package_undo.Data(APP, 0, (), kept).permit)

    assert phone.read()["appops"][APP] == modes


def test_hyperos_uses_of_its_own_ops_are_not_the_op_before(phone_of: Make, control_of: Of) -> None:
    phone = phone_of(state={"miui": True, "packages": {APP: {"uid": UID}}, "appops": {}})
    control = control_of(phone)
    witnesses = Witnesses(control, APP, UID)
    witnesses.before()
    phone.write(appops={APP: {"CAMERA": {}, "MIUIOP(10033)": {"mode": "ask", "uses": [{"at": time.time()}]}}})

    assert [(each.subject, each.data) for each in witnesses.poll()] == [("MIUIOP(10033)", None)]
    assert control.notes == []


ORDER = [
    *("ACCESS_TIME", "OP_FLAGS", "UID_STATE", "ACCESS_COUNTS", "REJECT_COUNTS"),
    *("OP_NAME", "ATTRIBUTION_TAG", "PACKAGE_NAME", "UID"),
]


@pytest.mark.parametrize("columns", [None, ORDER])
def test_the_table_of_16_in_the_order_of_any_release(phone_of: Make, control_of: Of, columns: list[str] | None) -> None:
    state = {"packages": {APP: {"uid": UID}}, "appops": {}, "history_columns": columns}
    phone = phone_of(api=36, state=state)
    control = control_of(phone)
    witnesses = Witnesses(control, APP, UID)
    witnesses.before()
    minute = time.time() // 60 * 60
    phone.write(appops={APP: {"CAMERA": {"uses": [{"at": minute + second} for second in (1, 2, 65)]}}})
    seen = [each for each in witnesses.after() if each.by == "appops"]

    assert sum(each.count or 0 for each in seen) == (3 if columns else 2)
    assert control.notes == []


def test_an_app_that_only_another_user_has(phone_of: Make, control_of: Of) -> None:
    uid = 1_010_123
    phone = phone_of(api=34, state={"packages": {APP: {"uid": uid, "users": {"10": {}}}}, "appops": {}})
    control = control_of(phone)
    witnesses = Witnesses(control, APP, uid, 10)
    witnesses.before()
    phone.write(appops={APP: {"CAMERA": {"uses": [{"at": time.time()}]}}})

    assert [each.subject for each in witnesses.poll()] == ["CAMERA"]


def test_what_has_no_known_form_is_a_gap(phone_of: Make, control_of: Of) -> None:
    phone = phone_of(api=34, state={"packages": {APP: {"uid": UID}}, "appops": {}})
    told: list[str] = []
    witnesses = Witnesses(control_of(phone), APP, UID, tell=told.append)
    file = phone.root / "data/rig/userland/dump_appops.py"
    file.write_text("def main(arguments, state):\n    print('App-ops are told by another service now.')\n")
    witnesses.before()
    witnesses.after()

    assert told == [
        f"some lines of the system's own count by {name} were not understood" for name in ("appops", "history")
    ]


def test_a_kernel_without_pid_namespaces(phone_of: Make) -> None:
    phone = phone_of(su="", state={"pid_namespaces": False})
    known = discovery.known(phone.serial)

    assert known.facts.api == 34
    assert known.adb_user.strip() == "2000"
    (row,) = [each for each in discovery.listed() if each.serial == phone.serial]
    assert row.can[0] == "debuggable apps"


def test_permissions_of_a_shared_user_id(phone_of: Make, control_of: Of) -> None:
    known = {
        "uid": UID,
        "shared_user": "com.example.maker",
        "requested": [CONTACTS],
        "users": {"0": {"granted": [CONTACTS]}},
    }
    control = control_of(phone_of(state={"packages": {APP: known}}))

    assert package.permissions(control, APP).runtime == (CONTACTS,)
    assert control.notes == []


NOTICE = dialog("Built for an older version of Android", package="android", buttons={"OK": "android:id/button1"})
POLICY = dialog("Privacy policy: do you agree?", buttons={"Agree": "", "Disagree": ""}, package=APP)
HOME = HIERARCHY.format(node("Home", package=APP, at=(0, 0, 1080, 2400)))
BAR = POLICY.partition('<hierarchy rotation="0">')[2]
UNDER_A_BAR = HIERARCHY.format(node("Home", package=APP, at=(0, 0, 1080, 2400)) + BAR.removesuffix("</hierarchy>"))
PROTECT = dialog("Play Protect", package="com.android.vending", buttons={"More details": "a", "Install anyway": "b"})
WAYS = {
    ("notice", "OK"): "policy",
    ("protect", "Install anyway"): "policy",
    ("bar", "Disagree"): "home",
    ("policy", "Disagree"): "home",
}


def play(phone: Phone, control: Control, plan: Any, first: str, touched: int) -> tuple[list[str], list[Any]]:
    screens = {"notice": NOTICE, "protect": PROTECT, "policy": POLICY, "bar": UNDER_A_BAR, "home": HOME}
    lines: list[Any] = []
    with Stage(phone, screens, WAYS, first) as stage:
        with Screens(control, Play(APP, plan), lines.append, lambda _: None):
            if touched:
                stage.until("home")
            else:
                time.sleep(2)
        return [label for _, label in stage.touched], lines


@pytest.mark.parametrize(
    ("first", "touched"),
    [("notice", ["OK", "Disagree"]), ("protect", ["Install anyway", "Disagree"]), ("bar", ["Disagree"])],
)
def test_windows_over_an_app(phone_of: Make, control_of: Of, first: str, touched: list[str]) -> None:
    """Notices of the system and of the store; and a bar that takes no input, which the active window has not."""
    phone = phone_of()
    assert play(phone, control_of(phone), "refuse", first, len(touched))[0] == touched


def test_a_notice_is_a_gap_where_nothing_is_touched(phone_of: Make, control_of: Of) -> None:
    phone = phone_of()
    touched, lines = play(phone, control_of(phone), "silent", "notice", 0)
    assert touched == []
    assert ["lies over the app" in (each.detail or "") for each in lines if isinstance(each, Gap)] == [True]


def test_a_place_where_adb_is_root(phone_of: Make, control_of: Of) -> None:
    """As on redroid: test providers are the shell's alone."""
    phone = phone_of(su="toybox")
    (phone.root / "data/rig/adbd-is-root").touch()
    control = control_of(phone)
    assert control.shell.user("id -u").out == "0"

    keep_place(control, PlannedPosition(latitude=-33.8, longitude=151.2)).tick()

    tests = phone.read()["location"]["test"]
    assert [each["place"] for each in tests.values()] == [[-33.8, 151.2]] * 3
    assert control.journal.undo_all(control.take_back) == []
    assert phone.read()["location"]["test"] == {}


def test_android_7_without_programs_of_later_ones(phone_of: Make, control_of: Of) -> None:
    """Its toybox has no tar: the app's data is kept, and put back, without."""
    phone = phone_of(api=24, without=("tar", "sha256sum", "base64", "nsenter"), state={"packages": {APP: {"uid": UID}}})
    control = control_of(phone)
    folder = phone.root / f"data/user/0/{APP}"
    folder.mkdir(parents=True)
    (folder / ".hidden").write_text("1")
    data = package_undo.Data(APP, 0, (), ())

    control.shell.check(data.keep, root=True)
    (folder / ".hidden").unlink()
    (folder / "new").touch()
    control.shell.check(data.put_back, root=True)

    assert {each.name: each.read_text() for each in folder.iterdir()} == {".hidden": "1"}
