"""The scripts that keep an app and put it back: names reach the shell as words, whatever is in them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from appwitness.devices.android.app.package_undo import Aside, Data, Expansions

HOSTILE = """com.evil.P;touch a;$(touch b)`touch c`&touch d|touch e>f'g'"h"* ?[a-z]\\ #"""
"""What an app may call a permission, and more."""
STAND_IN = """#!/bin/sh
printf '%s\\0' "${0##*/}" "$@" >>"$CALLS"
echo >>"$CALLS"
case "${0##*/} $1" in
"pm path") for each in "$PHONE"/data/app/*/*.apk; do echo "package:$each"; done ;;
"pm install-create") echo "Success: created install session [7]" ;;
"getprop ro.build.version.sdk") echo 34 ;;
esac
"""


class Phone:
    """Folders in place of a device's, a real `sh`, and stand-ins that note the words with which they are called."""

    def __init__(self, path: Path) -> None:
        self.path, self.here, self._calls = path, path / "here", path / "calls"
        (path / "bin").mkdir()
        self.here.mkdir()
        for name in ("pm", "am", "cmd", "getprop"):
            program = path / "bin" / name
            program.write_text(STAND_IN)
            program.chmod(0o755)

    def file(self, name: str, text: str) -> Path:
        """Write one of its files."""
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def run(self, script: str) -> tuple[list[list[str]], subprocess.CompletedProcess[str]]:
        """Run a script. Gives the calls of the stand-ins, and how it ended."""
        self._calls.write_text("")
        for top in ("/data/", "/storage/"):
            script = script.replace(top, f"{self.path}{top}")
        places = {"PATH": f"{self.path}/bin:{os.environ['PATH']}", "PHONE": str(self.path), "CALLS": str(self._calls)}
        done = subprocess.run(
            ["sh", "-c", script], cwd=self.here, env=places, capture_output=True, text=True, check=False
        )
        assert list(self.here.iterdir()) == []
        return [line.removesuffix("\0").split("\0") for line in self._calls.read_text().splitlines()], done


def test_a_name_is_one_word_whatever_is_in_it(tmp_path: Path) -> None:
    phone = Phone(tmp_path)
    user = ("--user", "0", HOSTILE)

    data = Data(HOSTILE, 0, (HOSTILE, "com.good.P"), ((HOSTILE, HOSTILE),))
    file = phone.file(f"data/user/0/{HOSTILE}/files/a", "kept")
    calls, done = phone.run(data.keep)
    assert (calls, done.returncode) == ([["am", "force-stop", *user]], 0)
    file.write_text("changed")
    phone.file(f"data/user/0/{HOSTILE}/files/b", "new")
    calls, done = phone.run(data.put_back)
    assert done.returncode == 0
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
    installed = [phone.file(f"data/app/{HOSTILE}/{name}.apk", name) for name in ("base", HOSTILE)]
    calls, done = phone.run(aside.keep)
    assert (calls, done.returncode) == ([["pm", "path", *user]], 0)
    calls, done = phone.run(aside.uninstall)
    assert (calls, done.returncode) == ([["pm", "uninstall", *user]], 0)
    calls, done = phone.run(aside.drop)
    assert (calls, done.returncode, done.stderr) == ([], 1, f"the former {HOSTILE} is not put back yet\n")
    installed[1].write_text("another build")
    calls, done = phone.run(aside.put_back)
    assert done.returncode == 0
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
    file = phone.file(f"storage/emulated/0/Android/obb/{HOSTILE}/main.obb", "kept")
    for script in (expansions.keep, expansions.make):
        assert phone.run(script)[1].returncode == 0
    assert [each.name for each in file.parent.iterdir()] == [".appwitness"]
    for script in (expansions.drop, expansions.put_back):
        assert phone.run(script)[1].returncode == 0
    assert [each.name for each in file.parent.parent.iterdir()] == [HOSTILE]
    assert file.read_text() == "kept"
