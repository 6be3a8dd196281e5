"""The scripts that keep an app and put it back: names reach the shell as words, whatever is in them."""

from __future__ import annotations

from pathlib import Path

from appwitness.devices.android.adb import CommandOutput
from appwitness.devices.android.app.package_undo import Aside, Data, Expansions
from tests.devices.android.test_scripts import Phone

HOSTILE = """com.evil.P;touch a;$(touch b)`touch c`&touch d|touch e>f'g'"h"* ?[a-z]\\ #"""
"""What an app may call a permission, and more."""


def written(phone: Phone, name: str, text: str) -> Path:
    """Write one of its files."""
    file = phone.place / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def run(phone: Phone, script: str, also: str = "") -> tuple[list[list[str]], CommandOutput]:
    """Run a script; pm says what is installed, and more. Gives the calls of the stand-ins, and how it ended."""
    apks = "".join(f"package:{each}\n" for each in sorted((phone.place / "data/app").glob("*/*.apk")))
    phone.says("pm", apks + also)
    done = phone.user(script)
    return phone.calls, done


def test_a_name_is_one_word_whatever_is_in_it(tmp_path: Path) -> None:
    phone = Phone(tmp_path)
    phone.says("getprop", "34\n")
    user = ("--user", "0", HOSTILE)

    data = Data(HOSTILE, 0, (HOSTILE, "com.good.P"), ((HOSTILE, HOSTILE),))
    file = written(phone, f"data/user/0/{HOSTILE}/files/a", "kept")
    calls, done = run(phone, data.keep)
    assert (calls, done.code) == ([["am", "force-stop", *user]], 0)
    file.write_text("changed")
    written(phone, f"data/user/0/{HOSTILE}/files/b", "new")
    calls, done = run(phone, data.put_back)
    assert done.code == 0
    assert calls == [
        ["pm", "path", *user],
        ["am", "force-stop", *user],
        ["pm", "grant", *user, HOSTILE],
        ["pm", "grant", *user, "com.good.P"],
        ["cmd", "appops", "set", *user, HOSTILE, HOSTILE],
    ]
    assert [(each.name, each.read_text()) for each in file.parent.iterdir()] == [("a", "kept")]
    assert not list(tmp_path.glob("data/local/.appwitness*"))

    aside = Aside(HOSTILE, 0, HOSTILE)
    installed = [written(phone, f"data/app/{HOSTILE}/{name}.apk", name) for name in ("base", HOSTILE)]
    calls, done = run(phone, aside.keep)
    assert (calls, done.code) == ([["pm", "path", *user]], 0)
    calls, done = run(phone, aside.uninstall)
    assert (calls, done.code) == ([["pm", "uninstall", *user]], 0)
    calls, done = run(phone, aside.drop)
    assert (calls, done.code, done.err) == ([], 1, f"the former {HOSTILE} is not put back yet\n")
    installed[1].write_text("another build")
    calls, done = run(phone, aside.put_back, "Success: created install session [7]\n")
    assert done.code == 0
    kept = tmp_path / f"data/local/tmp/.appwitness-{HOSTILE}-0"
    assert calls[:4] == [
        ["pm", "path", *user],
        ["pm", "uninstall", *user],
        ["getprop", "ro.build.version.sdk"],
        ["pm", "install-create", "-r", "-t", "--bypass-low-target-sdk-block", "-i", HOSTILE, "--user", "0"],
    ]
    writes = [
        ["pm", "install-write", "-S", str(len(name)), "7", f"{name}.apk", f"{kept}/{name}.apk"]
        for name in ("base", HOSTILE)
    ]
    assert sorted(calls[4:6]) == sorted(writes)
    assert calls[6:] == [["pm", "install-commit", "7"]]
    assert not kept.exists()

    expansions = Expansions(HOSTILE, 0)
    file = written(phone, f"storage/emulated/0/Android/obb/{HOSTILE}/main.obb", "kept")
    for script in (expansions.keep, expansions.make):
        assert run(phone, script)[1].code == 0
    assert [each.name for each in file.parent.iterdir()] == [".appwitness"]
    for script in (expansions.drop, expansions.put_back):
        assert run(phone, script)[1].code == 0
    assert [each.name for each in file.parent.parent.iterdir()] == [HOSTILE]
    assert file.read_text() == "kept"
