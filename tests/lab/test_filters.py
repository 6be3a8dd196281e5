"""Filters of native hooks: for which calls JavaScript is entered, in a real process that makes them one by one."""

from __future__ import annotations

import platform
import resource
import shutil
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import frida
import pytest

from appwitness.agent import native_routes
from tests.lab.staged import bundled, copied

HERE = Path(__file__).parent
EFAULT, ENOENT, EBADF = 14, 2, 9

pytestmark = [
    pytest.mark.lab,
    pytest.mark.timeout(120),
    pytest.mark.skipif(not shutil.which("cc"), reason="needs a C compiler to build the program that makes the calls"),
    pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="these calls are Linux's"),
]

ROUTES = {route.function: [ask.matches for ask in route.asks] for route in native_routes.load().routes}
PROPERTIES, FILES, FOLDERS, PATHS = (
    ROUTES[name] for name in ("__system_property_get", "open", "opendir", "access")
)  # fmt: skip
SIOCGIFHWADDR, SIOCGIFCONF, FIONREAD = 0x8927, 0x8912, 0x541B
FOLLOWED = (52, 53, 54, 55, 56, 57, 70000)


class Process:
    """The program with the filters in it."""

    def __init__(self, out: Path) -> None:
        program = out / "calls"
        library = out / "libspared.so"
        for made, kind in ((program, []), (library, ["-shared", "-fPIC"])):
            source = str(HERE / "native/calls.c")
            subprocess.run(["cc", *kind, "-O0", "-Wall", "-Werror", "-o", str(made), source, "-ldl"], check=True)
        self.process = subprocess.Popen(
            [str(program), str(library)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._answer("recv 51")  # Frida may not get into a program that is still being linked
        self.session = frida.attach(self.process.pid)
        script = self.session.create_script(bundled(copied(out), (HERE / "native/filters.ts").read_text("utf-8")))
        self.problems: list[Any] = []
        script.on("message", lambda message, _: self.problems.append(message))
        script.load()
        self.script = script.exports_sync
        self.script.watch(FILES, PATHS, FOLDERS, [SIOCGIFHWADDR, SIOCGIFCONF], FOLLOWED)

    def call(self, line: str) -> tuple[list[str], int, int]:
        """What JavaScript was told of, what the call gave (0 for all that is no failure), and errno."""
        self.script.taken()
        result, errno = self._answer(line)
        return self.script.taken(), int(result), int(errno)

    def _answer(self, line: str) -> list[str]:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().split()


@pytest.fixture(scope="module")
def process(tmp_path_factory) -> Iterator[Process]:
    started = Process(tmp_path_factory.mktemp("filters"))
    yield started
    started.process.kill()
    started.process.wait()


HITS = [
    # a call, and what JavaScript hears at its end
    ("open /proc/sys/kernel/random/boot_id", "ok"),
    ("openat /sys/class/net/lo/address", "ok"),
    ("fopen /proc/net/arp", "ok"),
    ("open /sys/class/net/none/address", ENOENT),
    ("spared open /proc/sys/kernel/random/boot_id", "ok"),
    ("stat /data/data/com.example.bank", ENOENT),
    ("access /storage/emulated/0/Android/data/com.example.bank/", ENOENT),
    ("opendir /proc", "ok"),
    (f"ioctl {SIOCGIFHWADDR}", "ok"),
    ("socket 16", "ok"),
    ("connect 2", "ok"),
    ("connect 10", None),
    ("read 52", "ok"),
    ("write 52", "ok"),
    ("writev 52", "ok"),
    ("send 52", 88),
    ("sendmsg 52", 88),
    ("recv 52", 88),
    ("dup2 53", "ok"),
    ("fclose 54", "ok"),
    ("close 55", "ok"),
]


@pytest.mark.parametrize(("line", "end"), HITS)
def test_calls_that_matter_are_told_of(process, line, end):
    taken, result, errno = process.call(line)
    name = line.removeprefix("spared ").split()[0]
    heard = [each for each in taken if each.split()[0] == name]
    assert heard == [name, f"{name} {end or (errno if result < 0 else 'ok')}"]


MISSES = [
    # a call, and what the app gets: its result and errno
    ("open /proc/self/status", 0, 0),
    ("open /sys/class/net", 0, 0),
    ("open /proc/sys/kernel/random/boot_id2", -1, ENOENT),
    ("open ", -1, ENOENT),
    ("open #0", -1, EFAULT),
    ("open #-1", -1, EFAULT),
    ("open #100", -1, EFAULT),
    ("open #4096", -1, EFAULT),
    ("open unmapped", -1, EFAULT),
    ("open torn", -1, EFAULT),
    ("open whole", -1, ENOENT),
    ("openat /proc/self/status", 0, 0),
    ("fopen /proc/self/status", 0, 0),
    ("spared openat /sys/class/net/lo/address", 0, 0),
    ("stat /data/data/com.example.bank/files", -1, ENOENT),
    ("stat /data/data", -1, None),
    ("stat #0", -1, EFAULT),
    ("stat unmapped", -1, EFAULT),
    ("access torn", -1, EFAULT),
    ("access /storage/emulated/0/Android", -1, ENOENT),
    ("access /données/données/com.example.bank", -1, ENOENT),
    ("opendir /proc/self", 0, 0),
    (f"ioctl {FIONREAD}", 0, 0),
    ("socket 1", 0, 0),
    ("connect 1", -1, None),
    ("connect 0", -1, EFAULT),
    ("connect 3", -1, EFAULT),
    ("read 51", 0, 0),
    ("read -1", -1, EBADF),
    ("read 4000", -1, EBADF),
    ("write 51", 0, 0),
    ("writev 51", 0, 0),
    ("send 51", -1, 88),
    ("sendmsg 51", -1, 88),
    ("recv 51", -1, 88),
    ("dup2 58", 0, 0),
    ("fclose 58", 0, 0),
    ("close 59", 0, 0),
]


@pytest.mark.parametrize(("line", "result", "errno"), MISSES)
def test_no_other_call_enters_javascript_and_each_gives_what_it_gave(process, line, result, errno):
    taken, given, failed = process.call(line)
    assert (taken, given) == ([], result)
    assert errno is None or failed == errno


@pytest.mark.skipif(resource.getrlimit(resource.RLIMIT_NOFILE)[1] <= 70000, reason="so many files may not be open here")
def test_a_descriptor_beyond_the_table_is_followed_until_it_is_forgotten(process):
    assert process.call("read 70000") == (["read", "read ok"], 0, 0)
    process.script.forget(70000)
    assert process.call("read 70000") == ([], 0, 0)


def test_what_the_agent_calls_itself_is_not_told_of(process):
    process.script.taken()
    process.script.own("/proc/sys/kernel/random/boot_id")
    assert process.script.taken() == []
    assert process.problems == []


TEXTS = [
    "", "ro.serialno", "ro.boot.serialno", "ro.serialno2", "sys.serialnumber", "ril.serialnumber", "persist.ro.x.imei1",
    "gsm.sim.operator", "ro.product.model", "ro.product.vendor.name", "ro.build.version.sdk", "wifi.mac", "bt.mac",
        "/sys/class/net/wlan0/address", "/sys/devices/pci0000:00/0000:00:03.0/net/eth0/address", "/proc/self/net/arp",
    "/proc/42/net/if_inet6", "/proc/sys/kernel/random/boot_id", "/sys/block/mmcblk0/device/cid", "/system/build.prop",
    "/data/app", "/data/user/10/", "/proc/", "/data/data/com.example/", "/storage/emulated/0/Android/obb/com.example",
    "/data/data/über.straße", "getprop ro.serialno", "ab]0",
    "ro.build",
    "a1b",
    "a b",
    "ro.ril.meid", "dhcp.wlan0.ipaddress", "net.hostname", "ro.hardware", "persist.service.bdroid.bdaddr",
]  # fmt: skip
PATTERNS = [
    *(pattern for patterns in (PROPERTIES, FILES, FOLDERS, PATHS) for pattern in patterns),
    "build",
    "^/data/[^/]+/?$",
    "^(?:ro|ril)(\\.(build|sys(num|)|))?",
]


def test_a_shape_fits_what_its_pattern_matches_and_little_else(process):
    mutated = {
        text[:i] + letter + text[i + cut :]
        for text in TEXTS
        for i in range(len(text))
        for letter, cut in (("", 1), ("a", 0), ("/", 1), ("é", 1))
    }
    texts = sorted({*TEXTS, *mutated})
    for pattern in PATTERNS:
        found = process.script.compare(pattern, texts)
        missed = [text for text, (matches, fits) in zip(texts, found, strict=True) if matches and not fits]
        beside = [text for text, (matches, fits) in zip(texts, found, strict=True) if fits and not matches]
        assert (pattern, missed) == (pattern, [])
        assert len(beside) < len(texts) / 50
        assert (pattern, {fits for _, fits in found}) == (pattern, {False, True})


PATHS_OF_THE_APP = [
    "/data/user/0/com.example/files/a",
    "/data/data/com.example/cache/",
    "/data/app/com.example/base.apk",
]


@pytest.mark.parametrize("pattern", [*FILES, *FOLDERS, *PATHS])
def test_no_shape_fits_what_an_app_asks_of_its_own_files(process, pattern):
    assert process.script.compare(pattern, PATHS_OF_THE_APP) == [[False, False]] * len(PATHS_OF_THE_APP)


NO_SHAPES = [r"\bgetprop\b", "a{2}", "(?=a)b", "ä", "a*?", "b^a", r"\x41", "(a)*", "[ab]", "^a|b$", "a,b", "a+"]


@pytest.mark.parametrize("pattern", NO_SHAPES)
def test_a_pattern_that_is_not_understood_has_no_shape(process, pattern):
    assert process.script.compare(pattern, ["a"]) is None


def parcel(*parts: int | str | bytes | None) -> bytes:
    """Numbers, texts and bytes as Android's Parcel writes them."""
    written = b""
    for part in parts:
        if isinstance(part, bytes):
            written += part
        elif isinstance(part, str):
            letters = part.encode("utf-16-le") + b"\0\0"
            written += struct.pack("<i", len(part)) + letters + bytes(-len(letters) % 4)
        else:
            written += struct.pack("<i", -1 if part is None else part)
    return written


def counted(*parts: int | str | bytes | None) -> bytes:
    """A header behind its length, which counts itself."""
    return struct.pack("<i", len(parcel(*parts)) + 4) + parcel(*parts)


LONGS = struct.pack("<qq", 1 << 41, 0)
NOTED = {
    "behind their length": counted(2, None, LONGS, "backup", LONGS),
    "one tag behind its length": counted(1, None, LONGS),
    "two longs a tag": parcel(2, None, LONGS, "backup", LONGS),
    "two longs, one tag": parcel(1, "backup", LONGS),
}
VIOLATIONS = counted(1, "android.os.strictmode.DiskReadViolation", 1 << 8)
ANSWERS = [
    # what a service writes, what is told of it
    (parcel(0, "+8613800138000"), ("returned", "+8613800138000")),
    (parcel(0, "ab"), ("returned", "ab")),
    (parcel(0, None), ("empty", None)),
    (parcel(0), ("empty", None)),
    (parcel(), ("empty", None)),
    (parcel(0, 7, 8), ("returned", None)),
    (parcel(0, "one", "two"), ("returned", None)),
    (parcel(-1, "no permission", 0), ("denied", None)),
    (parcel(-8, "service", 0, 4), ("threw", None)),
    (parcel(-129), ("threw", None)),
    (parcel(-128, VIOLATIONS, "+8613800138000"), ("returned", "+8613800138000")),
    (parcel(-128, VIOLATIONS), ("empty", None)),
    (parcel(-128, 0), ("empty", None)),
    *((parcel(-127, noted, 0, "+8613800138000"), ("returned", "+8613800138000")) for noted in NOTED.values()),
    *((parcel(-127, noted, 0), ("empty", None)) for noted in NOTED.values()),
    *((parcel(-127, noted, -1, "no permission"), ("denied", None)) for noted in NOTED.values()),
    *((parcel(-127, noted, -128, VIOLATIONS, "number"), ("returned", "number")) for noted in NOTED.values()),
    (parcel(-127, 3, "an unknown layout", 1, 2), ("returned", None)),
    (parcel(-127, 1 << 20, 0, "text"), ("returned", None)),
    (parcel(-127), ("returned", None)),
    (parcel(-1000, 5, 6), ("returned", None)),
]


def test_what_a_service_answered_is_read_behind_its_headers(process):
    for written, told in ANSWERS:
        answer = process.script.answer(list(written))
        assert (written, (answer["outcome"], answer["text"])) == (written, told)


@pytest.mark.parametrize("bsd", [True, False])
@pytest.mark.parametrize("pointer_bytes", [4, 8])
def test_addresses_of_a_host_are_read_with_pointers_of_either_size(process, pointer_bytes, bsd):
    assert process.script.families([2, 10, 2], bsd, pointer_bytes) == [2, 10, 2]


@pytest.mark.parametrize(
    ("address", "arch", "code"),
    [
        ("0x1001", "arm", "0x1000"),
        ("0x1000", "arm", "0x1000"),
        ("0x1001", "x64", "0x1001"),
        ("0x1003", "arm64", "0x1003"),
    ],
)
def test_the_bit_for_thumb_is_no_part_of_where_code_is(process, address, arch, code):
    assert process.script.code_at(address, arch) == code


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the function is written in instructions of x86-64")
def test_a_function_in_a_page_that_is_for_running_alone(process):
    """Without protection keys a processor reads such a page all the same: that a first look would fail is not tried."""
    assert process.script.execute_only() == ["--x", 7, "r-x", 42]
