"""The journal of a device's changes: on disk before each is made, read again by whoever comes next."""

from __future__ import annotations

from pathlib import Path

import pytest

from appwitness.devices.android.faults import DeviceFault, fault
from appwitness.devices.android.journal import Journal, Undo, journals

SETTING = Undo("user", "settings delete global x")
MOUNT = Undo("root", "umount /x", lost_by_reboot=True)


def journal(folder: Path, boot: str = "first") -> Journal:
    return Journal(folder, "R58M", boot)


def undone(of: Journal, **which: object) -> list[str]:
    done: list[str] = []
    assert of.undo_all(lambda undo: done.append(undo.script), **which) == []  # type: ignore[arg-type]
    return done


def test_the_last_change_is_taken_back_first(tmp_path: Path) -> None:
    changed = journal(tmp_path)
    changed.before("a setting", SETTING)
    changed.before("a mount", MOUNT)
    assert [entry.what for entry in journal(tmp_path).open] == ["a setting", "a mount"]
    assert undone(journal(tmp_path)) == [MOUNT.script, SETTING.script]
    assert journal(tmp_path).open == ()


def test_what_a_restart_took_back_is_struck_out(tmp_path: Path) -> None:
    changed = journal(tmp_path)
    changed.before("a setting", SETTING)
    changed.before("a mount", MOUNT)
    assert undone(journal(tmp_path, "second")) == [SETTING.script]
    assert journal(tmp_path).open == ()


def test_what_fails_stays_open_and_hinders_nothing_else(tmp_path: Path) -> None:
    changed = journal(tmp_path)
    changed.before("a setting", SETTING)
    changed.before("a mount", MOUNT)

    def do(undo: Undo) -> None:
        if undo is MOUNT:
            raise fault("no-root", serial="R58M")

    assert [error.code for error in changed.undo_all(do)] == ["no-root"]
    assert [entry.what for entry in journal(tmp_path).open] == ["a mount"]


def test_some_changes_alone(tmp_path: Path) -> None:
    changed = journal(tmp_path)
    numbers = [changed.before(str(n), Undo("user", str(n))).number for n in range(5)]
    assert undone(changed, only=range(numbers[1], numbers[3])) == ["2", "1"]
    assert undone(changed, since=numbers[3]) == ["4"]
    assert undone(changed) == ["3", "0"]


def test_a_line_that_a_crash_cut_is_of_no_change(tmp_path: Path) -> None:
    changed = journal(tmp_path)
    changed.before("a setting", SETTING)
    with changed.path.open("ab") as file:
        file.write(b'{"change": {"number": 2, "at": "2026')
    again = journal(tmp_path)
    assert again.before("a mount", MOUNT).number == 2
    assert [entry.what for entry in journal(tmp_path).open] == ["a setting", "a mount"]


def test_one_at_a_time(tmp_path: Path) -> None:
    with journal(tmp_path).held():
        with pytest.raises(DeviceFault) as caught, journal(tmp_path).held():
            raise AssertionError
        assert caught.value.code == "device-in-use"
    with journal(tmp_path).held():
        assert [each.path.stem for each in journals(tmp_path)] == []
