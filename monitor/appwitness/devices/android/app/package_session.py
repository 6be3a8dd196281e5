"""An install session for all files of an app, and the meaning of each error that the installer returns."""

from __future__ import annotations

import re
from contextlib import suppress

from appwitness.devices.android.adb import CommandOutput
from appwitness.devices.android.app.app_files import App
from appwitness.devices.android.control import Control
from appwitness.devices.android.faults import DeviceFault, fault
from appwitness.support.spoken import Spoken

INSTALL_S = 600.0
"""Time limit for an installation, during which the device compiles a large app."""
REFUSALS = {
    "INSTALL_FAILED_USER_RESTRICTED": "install-user-restricted",
    "INSTALL_FAILED_ABORTED": "install-user-restricted",
    "INSTALL_FAILED_VERIFICATION_FAILURE": "install-not-verified",
    "INSTALL_FAILED_VERIFICATION_TIMEOUT": "install-not-verified",
    "INSTALL_FAILED_UPDATE_INCOMPATIBLE": "install-other-signature",
    "INSTALL_FAILED_SHARED_USER_INCOMPATIBLE": "install-other-signature",
    "INSTALL_FAILED_VERSION_DOWNGRADE": "install-older-version",
    "INSTALL_FAILED_OLDER_SDK": "install-newer-android",
    "INSTALL_FAILED_NO_MATCHING_ABIS": "install-wrong-abi",
    "INSTALL_FAILED_CPU_ABI_INCOMPATIBLE": "install-wrong-abi",
    "INSTALL_FAILED_MISSING_SPLIT": "install-missing-split",
    "INSTALL_FAILED_INSUFFICIENT_STORAGE": "install-no-space",
    "INSTALL_FAILED_CONFLICTING_PROVIDER": "install-conflict",
    "INSTALL_FAILED_DUPLICATE_PERMISSION": "install-conflict",
    "INSTALL_PARSE_FAILED_NO_CERTIFICATES": "install-unsigned",
    "INSTALL_FAILED_INVALID_APK": "install-damaged",
    "INSTALL_PARSE_FAILED_NOT_APK": "install-damaged",
    "INSTALL_PARSE_FAILED_BAD_MANIFEST": "install-damaged",
    "INSTALL_PARSE_FAILED_UNEXPECTED_EXCEPTION": "install-damaged",
    "INSTALL_PARSE_FAILED_INCONSISTENT_CERTIFICATES": "install-damaged",
    "INSTALL_PARSE_FAILED_MANIFEST_MALFORMED": "install-damaged",
}
"""The installer's error code -> the code of the fault."""
_FAILURE = re.compile(r"Failure \[(\w+)(?::\s*(.*?))?\]?\s*$", re.DOTALL)
_SESSION = re.compile(r"\[(\d+)\]")


def session(control: Control, app: App, user: int) -> None:
    """Install all files in one session; they are pushed first, because not every adbd accepts a stream.

    Raises DeviceFault, with its own code for each of the installer's refusals.
    """
    shell = control.shell
    folder = f"/data/local/tmp/.{control.run}-apks"
    control.change(f"files of {app.base.package} in {folder}", f"mkdir -p {folder}", f"rm -rf {folder}")
    number = None
    try:
        options = ["-r", "-t", "--user", str(user)]
        if control.facts.api >= 34:
            options.append("--bypass-low-target-sdk-block")
        done = shell.user(f"pm install-create {' '.join(options)}", timeout_s=60)
        found = _SESSION.search(done.out)
        if not done.ok or not found:
            raise _refused(control, app, done)
        number = found[1]
        for index, each in enumerate(app.apks):
            there = f"{folder}/{index}.apk"
            shell.adb.push(each.path, there)
            name = "base.apk" if each.split is None else f"split_{index}.apk"
            done = shell.user(f"pm install-write -S {each.size} {number} {name} {there}", timeout_s=INSTALL_S)
            if not done.ok or "Success" not in done.out:
                raise _refused(control, app, done)
        done = shell.user(f"pm install-commit {number}", timeout_s=INSTALL_S)
        if not done.ok or "Success" not in done.out:
            raise _refused(control, app, done)
        number = None
    finally:
        with suppress(DeviceFault):
            abandon = f"pm install-abandon {number} >/dev/null 2>&1; " if number else ""
            shell.user(f"{abandon}rm -rf {folder}")


def _refused(control: Control, app: App, done: CommandOutput) -> DeviceFault:
    said = f"{done.out}\n{done.err}".strip()
    found = _FAILURE.search(said)
    code, detail = (found[1], found[2] or "") if found else ("", said)
    if not found and re.search(r"No space left|not enough space|ENOSPC", said):
        code = "INSTALL_FAILED_INSUFFICIENT_STORAGE"
    if not found and "SecurityException" in said:
        code = "INSTALL_FAILED_USER_RESTRICTED"
    base = app.base
    return fault(
        REFUSALS.get(code, "install-refused"),
        package=base.package,
        serial=control.shell.serial,
        said=f"{code} {detail}".strip()[:300] or Spoken("nothing"),
        least=base.min_sdk,
        release=control.facts.release or "?",
        abis=", ".join(sorted(app.abis)) or "none",
        device=", ".join(control.facts.abis),
    )
