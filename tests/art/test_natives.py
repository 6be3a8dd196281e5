"""On ART: routes to personal data below the Java API, and transactions with services, of which most concern nobody."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.art import programs
from tests.art.conftest import Run
from tests.art.rig.vm import Runtime
from tests.lab.test_native import STEPS, TAKEN

LINUX = {
    "file": "read_file", "stream": "stream", "folder": "folder", "denied": "denied", "interfaces": "interfaces",
    "hardware": "hardware", "configured": "configured", "kernel": "kernel", "shell": "shell", "child": "child",
}  # fmt: skip
"""Step -> the function that takes the route."""

pytestmark = pytest.mark.timeout(180)


def test_routes_of_native_code_of_java_and_of_transactions(play: Run, runtime: Runtime, tmp_path: Path) -> None:
    library = tmp_path / "libroutes.so"
    shutil.copy(programs.library(runtime, "routes"), library)
    steps = [*(str(STEPS.index(step)) for step in ("elsewhere", *LINUX)), "java", "binder"]
    played = play("natives", [], str(library), *steps, main="routes.Main")

    assert [line.split()[0] for line in played.printed.splitlines()] == steps
    assert played.printed.splitlines()[-1] == "binder 63"
    found = {access.stack[0].partition("(")[0]: access for access in reversed(played.accesses)}
    for function in LINUX.values():
        source, target, data, values, outcome = TAKEN[function]
        access = found[f"libroutes.so!{function}"]
        assert (access.source, access.data, access.outcome) == (source, data, outcome)
        assert target is None or re.fullmatch(target, access.target or "")
        assert all(re.fullmatch(values or "", value.text) for value in access.values)
    assert not {access.target for access in played.accesses} & {"/proc/self/status"}
    [java] = [access for access in played.accesses if any("routes.Main.java(" in frame for frame in access.stack)]
    assert (java.source, java.target) == ("libc.so!open", "/proc/sys/kernel/random/boot_id")
    assert java.stack[0].startswith("libcore.io.")
    phone = [access for access in played.accesses if access.source == "android.os.BinderProxy.transactNative"]
    assert {(access.target, access.data, *(value.text for value in access.values)) for access in phone} == {
        ("com.android.internal.telephony.IPhoneSubInfo.11", "phone_number", "+15550042")
    }
    assert sum(access.count for access in phone) == 3
