"""Runs tests/art on an emulated processor: `python -m tests.art.rig.guest [--cpu CPU] -- PYTEST ARGUMENTS`.

The guest is a Debian without a disk of its own: its root is a folder of .setup/art, which it shares with this machine.
Nothing of it is installed, only unpacked, and its first process is rig/guest/init.sh. It has no network but its own
loopback and an interface that leads nowhere. What the tests need of a compiler or a JDK is made here before
(tests/art/programs.py).
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import lzma
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path

from tests.art import programs
from tests.art.compiled import compiler as compiler_of_art
from tests.art.rig.build import STORE, build, compiler, lacking, unpacked
from tests.art.rig.packages import ROOT, Unavailable
from tests.art.rig.processors import Processor, native, processors
from tests.art.rig.tools import cores, run
from tests.art.rig.vm import Runtime

HERE = Path(__file__).parent
VIRTIOFSD = Path("/usr/libexec/virtiofsd")
MEMORY_MB = 4096
BOOT_S = 1800.0
CHECKOUT = ("addons", "docs", "hatch_build.py", "hooks", "monitor", "pyproject.toml", "tests")
LEFT_OUT = shutil.ignore_patterns("node_modules", "__pycache__", "*.pyc")
SEARCH = "monitor/appwitness/match/native/libsearch.so"
EMULATORS: dict[str, list[str]] = {"qemu-system-aarch64": ["qemu-system-arm", "qemu-system-data", "ipxe-qemu"]}
"""Program -> Debian's packages."""


def lacking_for(processor: Processor) -> str | None:
    """Why no guest can be had here; None where one can."""
    reason = lacking(processor)
    if reason is not None:
        return reason
    absent: list[str] = [] if VIRTIOFSD.exists() else ["virtiofsd"]
    absent += [] if shutil.which(processor.emulator) else EMULATORS[processor.emulator]
    return f"to emulate {processor.name}, install {' '.join(absent)}" if absent else None


def requirements(processor: Processor) -> str:
    """The pinned Python packages that the guest has."""
    pinned = (ROOT / "requirements/dev.txt").read_text("utf-8")
    each = re.findall(r"^[a-z].*\n(?: .*\n)*", pinned, re.MULTILINE)
    return "".join(one for one in each if re.split(r"[=\[ ]", one, maxsplit=1)[0] not in processor.site["without"])


def identity(processor: Processor) -> str:
    """The name of the guest's folder."""
    parts = hashlib.sha256(repr((processor.suite, processor.guest, processor.site)).encode())
    parts.update(requirements(processor).encode())
    return f"guest-{processor.name}-{parts.hexdigest()[:16]}"


def guest(processor: Processor) -> Path:
    """Its root, made where it is missing."""
    where = STORE / identity(processor)
    if not where.exists():
        print("art: a guest", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory(dir=STORE, prefix="build-") as folder:
            made = unpacked(processor, processor.guest, Path(folder) / "root")
            _put_site(processor, made / "opt/site")
            library = made / f"usr/lib/python{processor.site['python']}"
            _compile_python(processor, made, [made / "opt/site", library, made / "usr/lib/python3"])
            for name in ("etc/passwd", "etc/group"):
                (made / name).write_text("root:x:0:0::/root:/bin/bash\n" if "passwd" in name else "root:x:0:\n")
            (made / "bin/sh").unlink(missing_ok=True)
            (made / "bin/sh").symlink_to("bash")
            (made / "etc/hosts").write_text("127.0.0.1 localhost\n")
            made.rename(where)
    return where


def _put_site(processor: Processor, site: Path) -> None:
    uv = shutil.which("uv") or str(ROOT / ".setup/uv/bin/uv")
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as wanted:
        wanted.write(requirements(processor))
        wanted.flush()
        options = ("--quiet", "--no-deps", "--only-binary", ":all:", "--require-hashes", "--target", site)
        kind = ("--python-platform", processor.site["platform"], "--python-version", processor.site["python"])
        run([uv, "pip", "install", "--python", ROOT / ".venv/bin/python", *kind, *options, "-r", wanted.name])


def _put_module(root: Path) -> None:
    """The kernel's module for a network interface that leads nowhere, where init.sh finds it."""
    (packed,) = root.glob("lib/modules/*/kernel/drivers/net/dummy.ko.xz")
    (root / "lib/modules/dummy.ko").write_bytes(lzma.decompress(packed.read_bytes()))


def _compile_python(processor: Processor, root: Path, folders: Sequence[Path]) -> None:
    """Bytecode, where this machine has the guest's Python: there it takes minutes."""
    python = shutil.which(f"python{processor.site['python']}")
    if python is not None:
        mode = ("--invalidation-mode", "unchecked-hash", "-q", "-j", str(cores()))
        command = [python, "-m", "compileall", *mode, "-s", root, "-p", "/", *folders]
        subprocess.run([str(word) for word in command], check=False, capture_output=True)  # some files are templates


def prepare(processor: Processor, root: Path) -> None:
    """Bring this checkout into the guest, with what there is no compiler for there."""
    for_host = Runtime(build(native()))
    built = build(processor)
    programs.prepare(for_host, compiler("clang", processor), processor.name)
    _put_module(root)
    checkout = root / "checkout"
    shutil.rmtree(checkout, ignore_errors=True)
    for name in CHECKOUT:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, checkout / name, ignore=LEFT_OUT)
        else:
            shutil.copy2(ROOT / name, checkout / name)
    about = checkout / "appwitness.dist-info/METADATA"  # run.json names the version
    about.parent.mkdir()
    about.write_text(f"Metadata-Version: 2.1\nName: appwitness\nVersion: {version('appwitness')}\n")
    _compile_python(processor, root, [checkout])
    (checkout / SEARCH).unlink(missing_ok=True)
    clang, *flags = map(str, compiler("clang", processor))
    env = os.environ | {"CC": clang, "CFLAGS": shlex.join(flags)}
    code = "import sys, pathlib, hatch_build; hatch_build.build_search(pathlib.Path(sys.argv[1]))"
    run([sys.executable, "-c", code, checkout], env=env, cwd=ROOT)
    art, compilers = root / "art", compiler_of_art.compilers(processor)
    art.mkdir(exist_ok=True)
    for old in art.iterdir():
        if old.name != compilers.name:  # the boot image that was made there stays
            shutil.rmtree(old)
    for folder in (built, for_host.dexes, compilers):
        if folder.exists() and not (art / folder.name).exists():
            shutil.copytree(folder, art / folder.name, symlinks=True)


@contextmanager
def alone(root: Path) -> Iterator[None]:
    """A guest's folder is one guest's at a time."""
    with (root.parent / f"{root.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def play(processor: Processor, cpu: str, root: Path, script: str, timeout_s: float) -> int:
    """Boot the guest, run a script of bash there, and show what it prints; its exit code."""
    ours = root / "appwitness"
    shutil.rmtree(ours, ignore_errors=True)
    ours.mkdir()
    shutil.copy(HERE / "guest/init.sh", ours / "init.sh")
    (ours / "init.sh").chmod(0o755)
    (ours / "run.sh").write_text(script)
    (ours / "output").touch()
    (kernel,) = (root / "boot").glob("vmlinuz-*")
    with tempfile.TemporaryDirectory() as folder:
        room = Path(folder)
        share = [str(VIRTIOFSD), "--shared-dir", str(root), "--socket-path", str(room / "share"), "--cache", "always"]
        share += ["--sandbox", "chroot", "--log-level", "error"]
        memory = f"memory-backend-memfd,id=memory,size={MEMORY_MB}M,share=on"
        machine = [
            *(processor.emulator, "-machine", "virt", "-cpu", processor.cpus[cpu]["model"], "-smp", str(cores())),
            *("-accel", "tcg,thread=multi,tb-size=512", "-m", str(MEMORY_MB), "-object", memory),
            *("-numa", "node,memdev=memory", "-chardev", f"socket,id=share,path={room / 'share'}"),
            *("-device", "vhost-user-fs-pci,chardev=share,tag=root", "-kernel", str(kernel), "-append"),
            "console=ttyAMA0 root=root rootfstype=virtiofs rw init=/appwitness/init.sh quiet panic=-1 mitigations=off",
            *("-nic", "none", "-nographic", "-no-reboot", "-monitor", "none", "-serial", f"file:{room / 'console'}"),
        ]
        with _process(share), _listening(room / "share"), _process(machine) as emulator:
            return _followed(emulator, ours, room / "console", time.monotonic() + timeout_s)


@contextmanager
def _process(command: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        process.wait()


@contextmanager
def _listening(socket: Path) -> Iterator[None]:
    end = time.monotonic() + 10
    while not socket.exists():
        if time.monotonic() > end:
            raise RuntimeError("virtiofsd does not come up")
        time.sleep(0.05)
    yield


def _followed(emulator: subprocess.Popen[bytes], ours: Path, console: Path, end: float) -> int:
    """Show what the script prints until the guest turns itself off."""
    shown = 0
    booted = time.monotonic() + BOOT_S
    while True:
        over = emulator.poll() is not None
        said = (ours / "output").read_bytes()[shown:]
        shown += len(said)
        sys.stdout.write(said.decode("utf-8", "replace"))
        sys.stdout.flush()
        code = (ours / "code").read_text().strip() if (ours / "code").exists() else ""
        if over and code:
            return int(code)
        if over or time.monotonic() > end or (not shown and time.monotonic() > booted):
            log = console.read_text("utf-8", "replace")[-2000:] if console.exists() else ""
            raise RuntimeError(f"the guest {'ended before its script' if over else 'does not end'}:\n{log}")
        time.sleep(0.2)


PLUGINS = ("no:cacheprovider", "pytest_timeout", "shown_at_once", "xdist.plugin")
"""Of pytest: what it does without, and what it is to have."""


def script_of(arguments: Sequence[str], slowness: float) -> str:
    """Runs pytest; tests wait `slowness` times as long there as here."""
    settings = {
        "PYTHONPATH": "/opt/site:/checkout/tests/art/rig/guest/site:/checkout/monitor:/checkout",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # of a plugin that it finds by itself it compiles every file anew
        "APPWITNESS_ART": "/art",
        "APPWITNESS_ART_SLOWNESS": str(slowness),
        "PATH": "/opt/site/bin:/usr/bin:/usr/sbin",
    }
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in settings.items())
    plugins = [word for name in PLUGINS for word in ("-p", name)]
    words = ["python3", "-u", "-m", "pytest", *plugins, "--basetemp=/tmp/pytest", *arguments]
    return f"{exports}cd /checkout\nexec {shlex.join(words)}\n"


QUICK = [
    *(f"tests/art/test_{name}.py" for name in ("first", "table", "natives", "redirect", "hooks_kept")),
    "tests/art/test_folding.py::test_every_kind_of_repeat_is_counted_exactly",
    "tests/art/test_folding.py::test_the_same_call_from_another_place_is_another_access",
    "tests/art/test_apps.py::test_the_findings_of_the_lab_device[pages-accept-first use after the hooks]",
]
"""What is meant to fit into ten minutes on a quiet machine."""


def main() -> int:
    """Run it; the exit code of pytest."""
    emulated = [name for name, each in processors().items() if each.emulated]
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--processor", choices=emulated, default=emulated[0])
    parser.add_argument("--cpu", help="as in processors.yml; by default the first")
    parser.add_argument("--timeout", type=float, default=4 * 3600, metavar="SECONDS")
    parser.add_argument("--slowness", type=float, help="as in processors.yml; more of it for a busy machine")
    parser.add_argument("--script", type=Path, help="a script of bash that is run instead of pytest")
    parser.add_argument("--quick", action="store_true", help="run the few tests of QUICK")
    parser.add_argument("arguments", nargs="*", default=["tests/art"], help="what pytest is given")
    given = parser.parse_args()
    tests = ["-n", "2", "-m", "not slow", *QUICK] if given.quick else given.arguments
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # the emulator ends, too
    processor = processors()[given.processor]
    reason = lacking_for(processor)
    if reason is not None:
        print(f"art: the tests are not run on {processor.name}: {reason}", file=sys.stderr)
        return 0
    try:
        root = guest(processor)
        with alone(root):
            prepare(processor, root)
            cpu = given.cpu or next(iter(processor.cpus))
            slowness = given.slowness or processor.cpus[cpu]["slowness"]
            script = given.script.read_text("utf-8") if given.script else script_of(tests, slowness)
            return play(processor, cpu, root, script, given.timeout)
    except Unavailable as error:
        print(f"art: the tests are not run on {processor.name}: {error}", file=sys.stderr)
        return 0
    except RuntimeError as error:
        sys.exit(f"art: {error}")


if __name__ == "__main__":
    sys.exit(main())
