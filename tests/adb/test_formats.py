"""What real devices print, by version and maker, in cases made up after them: it is read, or counted as unknown."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from appwitness.devices.android import adb
from appwitness.devices.android.app.package_dump import PackageDump
from appwitness.devices.android.device_facts import api_level, boot_of, properties
from appwitness.devices.android.screen import dialogs, hierarchy
from appwitness.devices.android.screen.focus import focused
from appwitness.devices.android.witness import dumps, process_dumps
from tests.devices.android.screen.hierarchies import dialog

PACKAGE, UID = "com.example.circle", 10123
WHEN = "2026-07-24 09:10:00.000"
MINUTE = timedelta(minutes=1)
NO_ZONE = timedelta()
AT = datetime(2026, 7, 24, 9, 10, tzinfo=UTC)


def history(text: str, uid: int = UID) -> dumps.DumpRecords[dumps.Use]:
    return dumps.app_ops_history(text, PACKAGE, uid, NO_ZONE, MINUTE)


def xml_history(access: str, op: str = "FINE_LOCATION", uid: str = str(UID)) -> str:
    return f"""Discrete accesses:\x20
  Largest chain id: 7
  Uid: {uid}
    Package: {PACKAGE}
      {op}
        Device: default:0
          Attribution: map
            {access}
"""


@pytest.mark.parametrize(
    "access",
    [
        "Access [top-s] at 2026-07-24 09:10:00.000",
        "Access [top-s] at 2026-07-24 09:10:00.000 for 60000 milliseconds ",
        "Access [top-s] at 2026-07-24 09:10:00.000 for -1 milliseconds  attribution flags=9 with chainId=-1",
        "Access [top-s] at 2026-07-24 09:10:00.000 attribution flags=12 with chainId=4711",
    ],
)
def test_the_history_of_12_to_15(access: str) -> None:
    read = history(xml_history(access))

    assert [(use.op, use.tag, use.state, use.flag, use.at, use.until) for use in read.records] == [
        ("FINE_LOCATION", "map", "top", "s", AT, AT + MINUTE)
    ]
    assert read.unknown == 0


@pytest.mark.parametrize(
    "text",
    [
        xml_history("Access [top-s] at 2026-07-24 09:10:00.000 of a form to come"),
        xml_history("Access [top-s] yesterday"),
        xml_history("Access [top-s] at 2026-07-24 09:10:00.000", op="an op's new name"),
        xml_history("Access [top-s] at 2026-07-24 09:10:00.000", uid="somebody's"),
        "Unknown package: com.example.circle\n",
        "History is kept elsewhere now\n",
        f"{UID}|{PACKAGE}|FINE_LOCATION|2026-07-24 09:10:00.000\n",
        f"WHO|WHAT|WHEN\n{PACKAGE}|FINE_LOCATION|2026-07-24 09:10:00.000\n",
        f"UID|PACKAGE_NAME|OP_NAME|ACCESS_TIME\n{UID}|{PACKAGE}|FINE_LOCATION|a while ago\n",
        f"UID|PACKAGE_NAME|OP_NAME|ACCESS_TIME\n{UID}|{PACKAGE}|FINE_LOCATION|2026-07-24 09:10:00.000|more\n",
        f"UID|PACKAGE_NAME|OP_NAME|ACCESS_TIME\n{UID}|{PACKAGE}|an op|2026-07-24 09:10:00.000\n",
        f"---Aggregated App Ops---\nUID|PACKAGE_NAME|OP_NAME|ACCESS_TIME\n{UID}|{PACKAGE}|CAMERA|{WHEN}\n",
    ],
)
def test_a_history_of_no_known_form_is_unknown(text: str) -> None:
    assert history(text).unknown > 0


ROW = {
    "UID": str(UID),
    "PACKAGE_NAME": PACKAGE,
    "DEVICE_ID": "default:0",
    "OP_NAME": "FINE_LOCATION",
    "ATTRIBUTION_TAG": "map",
    "UID_STATE": "top",
    "OP_FLAGS": "s",
    "ATTR_FLAGS": "9",
    "CHAIN_ID": "-1",
    "ACCESS_TIME": "2026-07-24 09:10:00.000",
    "ACCESS_COUNTS": "3",
    "REJECT_COUNTS": "0",
    "DURATION": "-1",
}
FIRST_16 = (
    "UID PACKAGE_NAME DEVICE_ID OP_NAME ATTRIBUTION_TAG UID_STATE OP_FLAGS ATTR_FLAGS CHAIN_ID ACCESS_TIME DURATION"
)
LATER_16 = FIRST_16.replace("UID_STATE OP_FLAGS ATTR_FLAGS CHAIN_ID ", "").replace(
    "DURATION", "ACCESS_COUNTS REJECT_COUNTS DURATION UID_STATE OP_FLAGS"
)


def table(order: str, *rows: dict[str, str]) -> str:
    names = order.split()
    return "\n".join(["|".join(names), *("|".join({**ROW, **row}[name] for name in names) for row in rows)])


@pytest.mark.parametrize("order", [FIRST_16, LATER_16, " ".join(reversed(FIRST_16.split()))])
@pytest.mark.parametrize(
    "heading", ["Discrete accesses: \n  Largest chain id: 7\n", "------------Discrete App Ops------\n\n", ""]
)
def test_the_table_of_16_in_any_order(order: str, heading: str) -> None:
    rows: list[dict[str, str]] = [
        {},
        {"ATTRIBUTION_TAG": "null", "OP_FLAGS": "tpd"},
        {"PACKAGE_NAME": "com.other"},
        {"UID": "1010123"},
    ]
    read = history(heading + table(order, *rows) + "\n\n")

    assert [(use.op, use.tag, use.state, use.flag, use.at, use.until) for use in read.records] == [
        ("FINE_LOCATION", "map", "top", "s", AT, AT + MINUTE),
        ("FINE_LOCATION", None, "top", "tpd", AT, AT + MINUTE),
    ]
    assert {use.count for use in read.records} == ({3} if order == LATER_16 else {1})
    assert read.unknown == 0


def test_bars_within_a_row() -> None:
    both = history(table(FIRST_16, {"OP_FLAGS": "s|tpd"}, {"ATTRIBUTION_TAG": "a|b"}))
    assert [(use.tag, use.flag) for use in both.records] == [("map", "s|tpd"), ("a|b", "s")]
    assert both.unknown == 0


def test_what_was_refused_alone_is_no_use() -> None:
    refused = history(table(LATER_16, {"ACCESS_COUNTS": "0", "REJECT_COUNTS": "2"}))
    assert (refused.records, refused.unknown) == ((), 0)


def test_a_history_without_uses_is_understood() -> None:
    assert history("Discrete accesses: \n  Largest chain id: 0\n") == dumps.DumpRecords((), "", 0)
    assert history(table(FIRST_16)).unknown == 0


ACCESS = "Access: [top-s] 2026-07-24 09:10:00.000 (-12s) duration=+5s"


def of_ops(*blocks: tuple[str, str], uid: str = "u0a123") -> str:
    ops = "".join(f"      {header}\n        null=[\n          {line}\n        ]\n" for header, line in blocks)
    return f"Current AppOps Service state:\n  Uid {uid}:\n    state=top\n    Package {PACKAGE}:\n{ops}"


def test_the_ops_of_a_maker_are_not_taken_for_the_op_before() -> None:
    text = of_ops(("FINE_LOCATION (allow / switch COARSE_LOCATION=allow): ", ACCESS), ("MIUIOP(10033) (ask): ", ACCESS))
    read = dumps.app_ops(text, PACKAGE, UID, NO_ZONE)

    assert [use.op for use in read.records] == ["FINE_LOCATION", "MIUIOP(10033)"]
    assert read.unknown == 0


@pytest.mark.parametrize("header", ["vendor.op.17 (allow):", "op #120:", "android:new_op (allow): "])
def test_below_a_header_of_no_known_form_nothing_is_a_use(header: str) -> None:
    read = dumps.app_ops(of_ops(("CAMERA (allow): ", ACCESS), (header, ACCESS)), PACKAGE, UID, NO_ZONE)

    assert [use.op for use in read.records] == ["CAMERA"]
    assert read.unknown > 0


def test_the_ops_of_another_user() -> None:
    mine = of_ops(("CAMERA (allow): ", ACCESS), uid="u10a123")
    assert len(dumps.app_ops(mine, PACKAGE, 1_010_123, NO_ZONE).records) == 1
    assert dumps.app_ops(mine, PACKAGE, UID, NO_ZONE) == dumps.DumpRecords(())
    assert dumps.app_ops(f"Unknown package: {PACKAGE}\n", PACKAGE, 1_010_123, NO_ZONE).unknown == 1
    assert dumps.app_ops(of_ops(("CAMERA:", ACCESS), uid="of somebody"), PACKAGE, UID, NO_ZONE).unknown == 1


def test_app_ops_of_no_known_form_are_unknown() -> None:
    for text in ("Uses are told elsewhere now\n", f"  Uid u0a123:\n    App {PACKAGE}:\n      CAMERA (allow):\n"):
        assert dumps.app_ops(text, PACKAGE, UID, NO_ZONE).unknown == 1
    nothing_yet = "Current AppOps Service state:\n  Settings:\n    top_state_settle_time=+5s0ms\n"
    assert dumps.app_ops(nothing_yet, PACKAGE, UID, NO_ZONE).unknown == 0


def test_the_table_of_all_apps_that_16_prints_below_is_no_part_of_an_app() -> None:
    below = f"----Location, Microphone, and Camera App Ops (Last 1 Hour)----\n\n{table(LATER_16, {}, {})}\n"
    read = dumps.app_ops(of_ops(("CAMERA (allow): ", ACCESS)) + below, PACKAGE, UID, NO_ZONE)
    assert (len(read.records), read.unknown) == (1, 0)


def test_the_short_form_of_a_maker() -> None:
    text = "MIUIOP(8): ignore\nMIUIOP(10017): ask\nMIUIOP(10020): allow; time=+3m1s ago\nCAMERA: allow; time=x ago\n"
    read = dumps.app_ops_get(text, AT)
    assert [use.op for use in read.records] == ["MIUIOP(10020)"]
    assert read.unknown == 1


def test_numbers_in_other_digits() -> None:
    """As a device prints dates whose language is Arabic."""
    digits = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
    when = "2026-07-24 09:10:00.000".translate(digits)
    (use,) = history(xml_history(f"Access [top-s] at {when}")).records
    assert use.at == AT


PLACES = """  Historical Aggregate Location Provider Data:
    gps:
      10123/com.example.circle[map]: min/max interval = 0s/1s, total/active/foreground duration = 0/0/0, locations = 14
"""


@pytest.mark.parametrize(
    ("text", "records", "unknown"),
    [
        (PLACES, 1, 0),
        (f"{PLACES}  Historical Aggregate Gnss Measurement Provider Data:\n    {UID}/{PACKAGE}: total = 3\n", 1, 0),
        (f"{PLACES}      {UID}/{PACKAGE}: delivered = 7\n", 1, 1),
        ("Location Manager State:\n  gps provider:\n", 0, 1),
        ("", 0, 0),
    ],
)
def test_places(text: str, records: int, unknown: int) -> None:
    read = dumps.locations(text, PACKAGE, UID)
    assert (len(read.records), read.unknown) == (records, unknown)


def test_bytes_of_a_network_that_is_named_as_a_row() -> None:
    text = f"""UID stats:
  ident=[{{type=1, wifiNetworkKey="x] uid={UID} set=DEFAULT tag=0x0"open}}] uid=10200 set=DEFAULT tag=0x0
      st=1790661600 rb=1000 rp=1 tb=500 tp=1 op=0
  ident=[{{type=1}}] uid={UID} set=DBG_VPN_OUT tag=0x0
      st=1790661600 rb=7 rp=1 tb=7 tp=1 op=0
  ident=[{{type=1}}] uid={UID} set=DEFAULT tag=0x0
      st=1790661600 rb=20 rp=1 tb=10 tp=1 op=0
      st=1790661600 in another form
"""
    read = dumps.network_bytes(text, UID)
    assert (read.records, read.unknown) == ((dumps.Bytes(10, 20),), 1)


@pytest.mark.parametrize("read", [dumps.network_bytes, dumps.counted_by_kernel, dumps.counted_by_map])
def test_bytes_of_no_known_form(read: Callable[[str, int], dumps.DumpRecords[dumps.Bytes]]) -> None:
    assert (read("Bytes are told elsewhere\n", UID).records, read("Bytes are told elsewhere\n", UID).unknown) == ((), 1)
    assert read("", UID).unknown == 0


def test_ends_of_processes() -> None:
    known = """  ApplicationExitInfo #0:
      timestamp=2026-07-24 09:10:00.000 pid=97 realUid=10123 packageUid=10123 definingUid=10123 user=0
      process=com.example.circle reason=13 (OTHER KILLS BY SYSTEM) subreason=34 (A KILL (OF 17)) status=0
      importance=400 pss=0.00 rss=0.00 description=kill state=empty trace=null
"""
    (end,) = process_dumps.exits(known, PACKAGE, UID, NO_ZONE).records
    assert (end.reason, end.subreason) == (13, "A KILL (OF 17)")
    other = "ExitRecord 0: pid=97 reason=13\n"
    assert process_dumps.exits(other, PACKAGE, UID, NO_ZONE).unknown == 1
    empty = "ACTIVITY MANAGER PROCESS EXIT INFO (dumpsys activity exit-info)\n"
    assert process_dumps.exits(empty, PACKAGE, UID, NO_ZONE).unknown == 0


def test_running_processes() -> None:
    assert process_dumps.processes("  ProcessRecord(pid 97 of com.example.circle)\n", UID).unknown == 1
    assert process_dumps.processes("ProcessRecord{1a 900:system/1000}\n", UID).unknown == 0


def test_ports_of_a_device_whose_name_has_a_space(monkeypatch: pytest.MonkeyPatch) -> None:
    serial = "adb-R58M (2)._adb-tls-connect._tcp"
    monkeypatch.setattr(adb, "ask_server", lambda _: f"{serial} tcp:6100 tcp:7100\nR58M tcp:1 tcp:2\n")
    assert adb.Adb(serial).forwarded() == [6100]


# what a device says of itself


def test_properties_over_several_lines() -> None:
    listing = (
        "[ro.build.version.sdk]: [36]\n[vendor.text]: [one\n[two]: no property\n\nthree]\n[empty]: []\n[last]: [a]b]\n"
    )
    assert properties(listing) == {
        "ro.build.version.sdk": "36",
        "vendor.text": "one\n[two]: no property\n\nthree",
        "empty": "",
        "last": "a]b",
    }


@pytest.mark.parametrize(
    ("said", "level"),
    [
        ("34", 34),
        ("0x22", 34),
        ("Baklava", 36),
        ("VanillaIceCream", 35),
        ("UpsideDownCake.a1b2c3", 34),
        ("Zabaglione", 10_000),
        ("REL", None),
        ("", None),
        ("36-ext", None),
    ],
)
def test_api_levels_by_number_and_by_name(said: str, level: int | None) -> None:
    assert api_level(said) == level


BOOT_ID = "0b2f1c6e-3a4d-4b5c-8d6e-7f8091a2b3c4"


def started(ticks: int) -> str:
    return f"{BOOT_ID}\n1 (init (zygote) x) S 0 0 0 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 {ticks} 1 2\n"


def test_a_container_has_another_boot_each_time_that_it_starts() -> None:
    assert boot_of(started(3)) == boot_of(f"{BOOT_ID}\n") == BOOT_ID
    assert boot_of("") == "unknown"
    once, again = boot_of(started(900_000)), boot_of(started(950_000))
    assert once != again
    assert once == boot_of(started(900_000))


OWN = """Packages:
  Package [com.example.circle] (1a2b3c):
    userId=10123
    sharedUser=SharedUserSetting{4d5e6f com.example.maker/10123}
    requested permissions:
      android.permission.READ_CONTACTS
      android.permission.INTERNET
    User 0: ceDataInode=1 installed=true
      gids=[3003]
"""
SHARED = """
Shared users:
  SharedUser [com.example.other] (7a8b9c):
    User 0:
      runtime permissions:
        android.permission.READ_SMS: granted=true, flags=[ USER_SET]
  SharedUser [com.example.maker] (4d5e6f):
    userId=10123
    install permissions:
      android.permission.INTERNET: granted=true
    User 0:
      gids=[3003]
      runtime permissions:
        android.permission.READ_CONTACTS: granted=true, flags=[ USER_SET|USER_SENSITIVE_WHEN_GRANTED]
    User 10:
      runtime permissions:
        android.permission.READ_CONTACTS: granted=false
"""


def test_permissions_of_an_app_that_shares_its_user_id() -> None:
    dump = PackageDump.of(OWN + SHARED, PACKAGE)
    flags = "USER_SET|USER_SENSITIVE_WHEN_GRANTED"
    assert dump.runtime(0) == {"android.permission.READ_CONTACTS": (True, flags)}
    assert dump.runtime(10) == {"android.permission.READ_CONTACTS": (False, "")}
    assert dump.installed() == ["android.permission.INTERNET"]
    assert dump.runtime(11) is None
    assert PackageDump.of(OWN, PACKAGE).runtime(0) is None, "not known is not none"
    alone = OWN.replace("    sharedUser=SharedUserSetting{4d5e6f com.example.maker/10123}\n", "")
    assert PackageDump.of(alone, PACKAGE).runtime(0) == {}


@pytest.mark.parametrize(
    ("said", "focus"),
    [
        ("  mCurrentFocus=Window{5e8 u0 com.a/com.a.Main}", ("com.a", "com.a.Main")),
        ("  mCurrentFocus=null\n  mCurrentFocus=Window{5e8 u10 com.a/.Main$Inner}", ("com.a", ".Main$Inner")),
        ("mCurrentFocus=Window{5e8 com.a/com.a.Main paused=false}", ("com.a", "com.a.Main")),
        ("mCurrentFocus=Window{5e8 u0 NotificationShade}\nmFocusedApp=ActivityRecord{b u0 com.a/.M t1}", (None, None)),
        ("mCurrentFocus=Window{5e8 u0 PopupWindow:5f}\nmFocusedApp=ActivityRecord{b u0 com.a/.M t1}", ("com.a", ".M")),
        ("mFocusedApp=null", (None, None)),
        ("", (None, None)),
    ],
)
def test_the_window_that_has_the_input(said: str, focus: tuple[str | None, str | None]) -> None:
    assert focused(said) == focus


# dialogs over an app


def what_is_touched(xml: str, plan: dialogs.Plan) -> tuple[str, str] | None:
    (seen,) = hierarchy.windows(hierarchy.parse(xml), (1080, 2400))
    found = dialogs.read(seen)
    if found is None:
        return None
    decision = dialogs.decide(found, plan)
    return found.kind, decision.button.label if decision.button else decision.act


OLDER = "This app was built for an older version of Android."
NOTICES = {
    "an older version": (dialog(OLDER, package="android", buttons={"OK": "android:id/button1"}), "OK"),
    "16 KB pages": (
        dialog("Not 16 KB compatible", package="android",
               buttons={"Don't show again": "android:id/button2", "OK": "android:id/button1"}),
        "OK",
    ),
    "a harmful app": (
        dialog("Harmful app detected", package="android",
               buttons={"Open anyway": "android:id/button2", "UNINSTALL": "android:id/button1"}),
        "Open anyway",
    ),
    "only away": (dialog("x", package="android", buttons={"Deinstallieren": "android:id/button1"}), "back"),
    "Play Protect": (
        dialog("Send app for a security check?", "Play Protect hasn't seen this app", package="com.android.vending",
               buttons={"Send": "com.android.vending:id/0_resource_name_obfuscated", "Don’t send": "x"}),
        "Don’t send",
    ),
    "Play Protect in Chinese": (
        dialog("Play 保护机制已拦截", package="com.google.android.gms", buttons={"确定": "a", "仍要安装": "b"}),
        "仍要安装",
    ),
    "Play Protect, new": (dialog("Play Protect", package="com.android.vending", buttons={"Whatever": "a"}), "back"),
}  # fmt: skip


@pytest.mark.parametrize("name", NOTICES)
@pytest.mark.parametrize("plan", ["accept", "refuse"])
def test_notices_of_the_system_are_put_away(name: str, plan: dialogs.Plan) -> None:
    xml, touched = NOTICES[name]
    assert what_is_touched(xml, plan) == ("system", touched)


def test_what_is_no_notice_is_left_alone() -> None:
    chooser = dialog(
        "Open with", package="android", buttons={"Just once": "android:id/button_once", "x": "android:id/button1"}
    )
    store = dialog("A game", package="com.android.vending", buttons={"Install": "a"})
    assert what_is_touched(chooser, "accept") != ("system", "x")
    assert what_is_touched(store, "accept") != ("system", "Install")


def test_a_page_of_settings_is_left_as_it_is() -> None:
    page = dialog(
        "Location permission", package="com.google.android.permissioncontroller", full=True,
        buttons={name: f"com.android.permissioncontroller:id/{name}_radio_button" for name in ("allow_always", "deny")},
    )  # fmt: skip
    assert what_is_touched(page, "accept") == what_is_touched(page, "refuse") == ("system", "back")


def test_the_review_of_an_old_app() -> None:
    ids = "com.android.permissioncontroller:id"

    def review(*, on: bool) -> str:
        return dialog(
            "Choose what to allow Circle to access", package="com.android.permissioncontroller", full=True,
            boxes={"Contacts": on}, buttons={"Cancel": f"{ids}/cancel_button", "Continue": f"{ids}/continue_button"},
        )  # fmt: skip

    assert what_is_touched(review(on=True), "accept") == ("permission", "Continue")
    assert what_is_touched(review(on=True), "refuse") == ("permission", "Contacts")
    assert what_is_touched(review(on=False), "refuse") == ("permission", "Continue")
