"""What is taken back of what runs left on devices, and what is told of devices that are gone."""

from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from appwitness.api.undoing import left_by_runs
from appwitness.devices.android import discovery
from appwitness.devices.android.faults import DeviceFault, fault
from appwitness.devices.android.journal import Journal, Undo

BOOT = "boot-2"
BEFORE = "boot-1"


@dataclass
class FakeControl:
    """A device that answers, with its journal; scripts of `refuses` fail."""

    serial: str
    journal: Journal
    refuses: set[str] = field(default_factory=set)
    done: list[str] = field(default_factory=list)

    @property
    def shell(self):
        return SimpleNamespace(serial=self.serial)

    def take_back(self, undo: Undo) -> None:
        if undo.script in self.refuses:
            raise fault("device-lost", serial=self.serial)
        self.done.append(undo.script)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("APPWITNESS_HOME", str(tmp_path))
    return tmp_path / "devices"


@pytest.fixture
def there(folder, monkeypatch):
    """The devices that answer, by serial."""
    controls: dict[str, FakeControl] = {}

    def choose(name=None):
        if name in controls or (name is None and len(controls) == 1):
            return name or next(iter(controls))
        if name is None or controls:
            raise fault("no-device", kind="") if name is None else fault("device-not-found", serial=name, there="")
        raise fault("no-device", kind="")

    monkeypatch.setattr(discovery, "choose", choose)
    monkeypatch.setattr(discovery, "control", lambda serial, _folder: controls[serial])
    monkeypatch.setattr(discovery, "controls", lambda _folder: list(controls.values()))
    monkeypatch.setattr(discovery, "take_back", lambda control: control.journal.undo_all(control.take_back))
    return controls


def changed(folder, device, *scripts, boot=BOOT, lost_by_reboot=False) -> Journal:
    """The journal of a device as a run left it."""
    journal = Journal(folder, device, boot)
    journal.connected = f"{device}-serial"
    for script in scripts:
        journal.before(f"did {script}", Undo("user", script, lost_by_reboot), was="before")
    return journal


def test_the_last_change_is_taken_back_first(folder, there):
    there["phone"] = FakeControl("phone", changed(folder, "phone", "one", "two"))
    [device] = left_by_runs("phone").reachable
    result = device.take_back()
    assert there["phone"].done == ["two", "one"]
    assert [(change.what, change.before, how) for change, how in result.changes] == [
        ("did two", "before", "taken back"),
        ("did one", "before", "taken back"),
    ]
    assert result.complete
    assert left_by_runs("phone").reachable[0].take_back().changes == ()


def test_what_fails_stays_and_says_why(folder, there):
    there["phone"] = FakeControl("phone", changed(folder, "phone", "one", "two"), refuses={"two"})
    result = left_by_runs().reachable[0].take_back()
    assert [how for _, how in result.changes] == ["stays", "taken back"]
    assert not result.complete
    assert [failure.next_step for failure in result.failures]
    assert [entry.undo.script for entry in there["phone"].journal.open] == ["two"]


def test_what_a_restart_took_back_is_not_done_again(folder, there):
    changed(folder, "phone", "one", boot=BEFORE, lost_by_reboot=True)
    there["phone"] = FakeControl("phone", Journal(folder, "phone", BOOT))
    result = left_by_runs().reachable[0].take_back()
    assert [how for _, how in result.changes] == ["gone with the restart"]
    assert there["phone"].done == []


def test_everything_is_what_answers_and_what_is_open_elsewhere(folder, there):
    there["phone"] = FakeControl("phone", changed(folder, "phone", "one"))
    gone = changed(folder, "gone", "two")
    left = left_by_runs(everything=True)
    assert [device.serial for device in left.reachable] == ["phone"]
    assert [(each.name, each.journal, len(each.changes)) for each in left.unreachable] == [("gone", gone.path, 1)]
    assert left.fault is None


def test_a_device_is_found_by_the_name_of_its_journal(folder, there):
    there["emulator-5554"] = FakeControl("emulator-5554", changed(folder, "emulator-avd", "one"))
    assert [device.serial for device in left_by_runs("emulator-avd").reachable] == ["emulator-5554"]


@pytest.mark.parametrize("name", [None, "gone", "gone-serial"])
def test_a_device_that_is_gone_is_told_with_what_is_open(folder, there, name):
    changed(folder, "gone", "one")
    left = left_by_runs(name)
    assert isinstance(left.fault, DeviceFault)
    assert [each.name for each in left.unreachable] == ["gone"]
    assert left.reachable == ()


def test_nothing_left_and_nobody_there_is_no_fault(folder, there):
    assert left_by_runs() == left_by_runs(everything=True)
    assert left_by_runs().fault is None
