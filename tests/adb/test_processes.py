"""An app's processes are known by its user, whatever their names, on each version of Android."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from appwitness.devices.android.control import Control
from appwitness.devices.android.faults import DeviceFault
from appwitness.devices.android.processes import Processes, listed, start_app
from tests.adb.rig.phone import Phone
from tests.adb.test_attach import zygote_starts

APP = "com.example.app"
DUMPSYS = """
def main(arguments, state):
    for record in state["records"]:
        print(f"  *APP* UID 99005 ProcessRecord{{8f1c2d {record}}}")
"""


def starts(phone: Phone, name: str, uid: int, **order: Any) -> int:
    """A process that zygote makes."""
    program = phone.root / "data/app" / name
    program.parent.mkdir(exist_ok=True)
    if not program.exists():
        shutil.copy("/usr/bin/sleep", program)
    usual = {"uid": uid, "argv": [f"/data/app/{name}", "90"], "env": {}, "cwd": "/", "log": "/data/rig/log"}
    return zygote_starts(phone, {**usual, **order})


def settled(phone: Phone, control: Control, *pids: int) -> None:
    """Until each is the program that it was to become."""
    while not all(any(one.pid == pid and "python" not in one.name for one in listed(control.shell)) for pid in pids):
        pass


@pytest.mark.parametrize("api", [24, 29, 34])
def test_by_the_user_and_not_by_the_name(
    phone_of: Callable[..., Phone], control_of: Callable[[Phone], Control], api: int
) -> None:
    phone = phone_of(api=api)
    control = control_of(phone)
    mine = {starts(phone, name, 10123): name for name in (APP, f"{APP}:push", "com.other.name")}
    others = [starts(phone, APP, 1_010_123), starts(phone, "com.example.application", 10124)]
    shell = starts(phone, "x", 10123, argv=["/usr/bin/dash", "-c", "/usr/bin/sleep 90 & wait"])
    settled(phone, control, *mine, *others)

    found = Processes.of(control.shell, APP, 10123)
    there = found()

    assert {pid: name for pid, name in there.items() if pid != shell} == mine
    assert [one for one in listed(control.shell) if one.name == "sleep" and one.pid in there] == []
    assert mine[found.main() or 0] == APP
    assert Processes.of(control.shell, APP, 10123, user=10)() == {others[0]: APP}
    assert Processes.of(control.shell, APP, 10999).main() is None


def test_isolated_processes_and_the_sandbox(
    phone_of: Callable[..., Phone], control_of: Callable[[Phone], Control]
) -> None:
    phone = phone_of()
    control = control_of(phone)
    sandbox = starts(phone, f"{APP}_sdk_sandbox", 20123)
    ours, theirs, unknown = (starts(phone, name, 99_005 + at) for at, name in enumerate(("box", "chrome", "web")))
    settled(phone, control, sandbox, ours, theirs, unknown)
    (phone.root / "data/rig/userland/dump_activity.py").write_text(DUMPSYS)
    phone.write(records=[f"{ours}:{APP}:box/u0a123i5", f"{theirs}:com.chrome:s/u0a77i6", f"{unknown}:{APP}/u10a123i7"])

    found = Processes.of(control.shell, APP, 10123)

    assert found() == {sandbox: f"{APP}_sdk_sandbox", ours: "box"}
    (phone.root / "data/rig/userland/dump_activity.py").unlink()
    assert found().keys() == {sandbox, ours}  # asked once


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"packages": {}}, "does not exist"),
        ({"packages": {APP: {"uid": 10123, "launchers": [f"{APP}.Main"], "argv": ["/no/such"]}}}, "did not come up"),
    ],
)
def test_an_app_that_does_not_start(
    phone_of: Callable[..., Phone],
    control_of: Callable[[Phone], Control],
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, Any],
    said: str,
) -> None:
    monkeypatch.setattr("appwitness.devices.android.processes.START_S", 0.5)
    control = control_of(phone_of(state=changes))

    with pytest.raises(DeviceFault, match=said) as raised:
        start_app(control.shell, APP)

    assert raised.value.code == "app-not-started"


def test_a_work_profiles_copy_is_started_for_its_user(
    phone_of: Callable[..., Phone], control_of: Callable[[Phone], Control]
) -> None:
    phone = phone_of()
    starts(phone, APP, 10123, argv=["/usr/bin/true"])
    entry = {"uid": 10123, "launchers": [f"{APP}.Main"], "argv": [f"/data/app/{APP}", "90"]}
    phone.write(packages={APP: entry})
    control = control_of(phone)
    first = starts(phone, APP, 10123)

    pid = start_app(control.shell, APP, user=10)

    assert Processes.of(control.shell, APP, 10123, user=10)() == {pid: APP}
    assert Processes.of(control.shell, APP, 10123).main() == first
    assert Path(phone.root / "data/app").exists()
