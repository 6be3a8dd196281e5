"""Routes to personal data below the Java API, in a real process: each is taken by native code that is compiled here."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from appwitness.agent import native_routes
from appwitness.agent.child_processes import COPY, FURTHER, PROGRAM, UNREAD
from appwitness.agent.sources import Source
from appwitness.events import Access

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
STANDINS = ("libc.so", "libcamera2ndk.so", "libaaudio.so", "libandroid.so", "libmediandk.so")
"""Libraries that only Android has, by the names that it gives them."""
STEPS = re.findall(r"\w+", (HERE / "native/routes.c").read_text().rpartition("steps[])(void) = {")[2].partition("}")[0])
MAC = r"([0-9a-f]{2}:){5}[0-9a-f]{2}"
IP = r"[0-9a-f.:]+"

pytestmark = [
    pytest.mark.lab,
    pytest.mark.timeout(120),
    pytest.mark.skipif(not shutil.which("cc"), reason="needs a C compiler to build the app's native library"),
    pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="these routes are Linux's"),
]


@pytest.fixture(scope="module")
def seen(play, tmp_path_factory) -> dict[str, list[Access]]:
    """Each step by itself in one process, told apart by the code that took it; `printed` and gaps are checked."""
    out = tmp_path_factory.mktemp("routes")
    compile_all(out)
    api = Source(name="routes.Main$Api.outer", cls="routes.Main$Api", method="outer", data="device_id_other")
    number = Source(
        name="routes.Main$Api.number", cls="routes.Main$Api", method="number", data="phone_number",
        values=[{"from": "return"}],
    )  # fmt: skip
    steps = [*(str(at) for at in range(len(STEPS))), "java", "covered", "reflection"]
    vm = [f"-Droutes={out / 'libroutes.so'}"]
    played = play("routes.Main", [api, number], *steps, vm=vm, env=dict(os.environ, STANDINS=str(out)))
    gave = dict(line.split() for line in played.printed.splitlines())
    assert list(gave) == steps
    assert {(gap.why, gap.subject.replace(" -- ", " "), gap.detail) for gap in played.gaps} == {
        ("process_not_instrumented", "sh -c echo SERIAL0042 # getprop ro.serialno", PROGRAM),
        ("process_not_instrumented", "true dumpsys location", PROGRAM),
        ("process_not_instrumented", "crowd", PROGRAM),
        ("process_not_instrumented", "true late", PROGRAM),
        ("process_not_instrumented", FURTHER, UNREAD),
        ("process_not_instrumented", f"a copy of process {played.agent.pid}", COPY),
    }
    assert [gave[str(STEPS.index(step))] for step in ("many", "copies", "loaded")] == ["0", "0", "0"]
    taken: dict[str, list[Access]] = {}
    for access in played.accesses:
        taken.setdefault(access.stack[0].partition("(")[0], []).append(access)
    return taken


def compile_all(out: Path) -> None:
    """The app's native library, and a stand-in for each library of Android."""
    shared = ["cc", "-shared", "-fPIC", "-O0", "-Wall", "-Werror"]
    routes = [*shared, "-o", str(out / "libroutes.so"), str(HERE / "native/routes.c"), "-ldl"]
    subprocess.run(routes, check=True)
    for name in STANDINS:
        subprocess.run([*shared, "-o", str(out / name), str(HERE / "native/standins.c")], check=True)
    for copy in range(50):
        (out / str(copy)).mkdir(exist_ok=True)
        shutil.copy(out / "libmediandk.so", out / str(copy))


TAKEN = {
    # function of the native library: source, target, data, the values as a regular expression, outcome
    "read_file": ("libc.so!open", "/sys/class/net/.*/address", "mac_address", MAC, "returned"),
    "stream": ("libc.so!open", "/proc/sys/kernel/random/boot_id", "device_id_other", "[0-9a-f-]{36}", "returned"),
    "folder": ("libc.so!opendir", "/proc", "installed_apps", None, "returned"),
    "denied": ("libc.so!access", "/data/data/com.example.bank", "installed_apps", None, "empty"),
    "status": ("libc.so!access", "/data/data/com.example.bank", "installed_apps", None, "empty"),
    "interfaces": ("libc.so!getifaddrs", None, "mac_address", rf"{MAC}|{IP}", "returned"),
    "hardware": ("libc.so!ioctl", "SIOCGIFHWADDR", "mac_address", MAC, "returned"),
    "configured": ("libc.so!ioctl", "SIOCGIFCONF", "ip_address", IP, "returned"),
    "kernel": ("libc.so!socket", "NETLINK_ROUTE", "mac_address", MAC, "returned"),
    "shell": ("libc.so!popen", ".*getprop ro.serialno", "device_id_serial", "SERIAL0042", "returned"),
    "child": ("libc.so!popen", "true dumpsys location", "location", None, "returned"),
    "property": ("libc.so!__system_property_get", "ro.serialno", "device_id_serial", "SERIAL0042", "returned"),
    "property_callback": (
        "libc.so!__system_property_read_callback", "ro.serialno", "device_id_serial", "SERIAL0042", "returned",
    ),
    "property_read": ("libc.so!__system_property_read", "ro.serialno", "device_id_serial", "SERIAL0042", "returned"),
    "camera": ("libcamera2ndk.so!ACameraManager_openCamera", None, "photos", None, "returned"),
    "sound": ("libaaudio.so!AAudioStream_read", None, "audio_recording", None, "returned"),
    "sensors": ("libandroid.so!ASensorManager_createEventQueue", None, "sensor_data", None, "returned"),
    "drm": ("libmediandk.so!AMediaDrm_getPropertyByteArray", "deviceUniqueId", "drm_id", "cafe0042", "returned"),
}  # fmt: skip


@pytest.mark.parametrize("function", TAKEN)
def test_each_route_with_what_was_asked_and_what_it_gave(seen, function):
    source, target, data, values, outcome = TAKEN[function]
    first, *_ = seen[f"libroutes.so!{function}"]
    assert (first.source, first.data, first.outcome) == (source, data, outcome)
    assert first.target is target is None or (target and re.fullmatch(target, first.target or ""))
    assert [value.text for value in first.values if not re.fullmatch(values or "", value.text)] == []
    assert bool(first.values) == (values is not None)
    assert first.stack[1].startswith("routes.Main.take(")
    assert first.thread == "main"


def test_every_route_of_the_catalog_is_taken():
    assert {route.name for route in native_routes.load().routes} == {taken[0] for taken in TAKEN.values()}


def test_what_is_no_personal_data_is_not_recorded(seen):
    targets = {access.target for accesses in seen.values() for access in accesses}
    assert not targets & {"/proc/self/status", "debug.nothing.of.anybody"}


def test_java_code_that_reads_a_file_of_the_kernel(seen):
    [access] = [access for access in seen.get("java.io.FileInputStream.open0", []) if access.source == "libc.so!open"]
    assert any(frame.startswith("routes.Main.java(Main.java:") for frame in access.stack)
    assert re.fullmatch(r"[0-9a-f-]{36}", access.values[0].text)


def test_what_a_hooked_api_does_inside_itself_is_its_own_access(seen):
    assert [access.source for access in seen["routes.Main.main"]][:1] == ["routes.Main$Api.outer"]
    assert len([a for accesses in seen.values() for a in accesses if a.target and a.target.endswith("boot_id")]) == 2


def test_reflection_lands_in_the_hook_and_the_stack_shows_it(seen):
    [access] = [access for accesses in seen.values() for access in accesses if access.data == "phone_number"]
    assert [value.text for value in access.values] == ["+15550001"]
    assert any(frame.startswith("java.lang.reflect.Method.invoke(") for frame in access.stack)
    assert access.stack[-1].startswith("routes.Main.main(")


def test_no_call_is_lost_while_processes_are_started(seen):
    counts = Counter[str]()
    for access in seen["libroutes.so!many"]:
        counts[access.source] += access.count
        assert access.outcome == "returned"
    assert counts == {"libc.so!__system_property_get": 1000, "libc.so!opendir": 1000}


def test_libraries_are_hooked_before_they_are_used_and_again_when_they_are_loaded_again(seen):
    assert sum(access.count for access in seen["libroutes.so!loaded"]) == 100
