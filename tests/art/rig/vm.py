"""A program in ART: dexed, started, held until its hooks are in, and its lines."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tests.art.rig.packages import digest
from tests.art.rig.tools import JavaTools

BOOT = ("core", "icu", "device", "http", "tls", "gate")
"""The boot class path."""
CODES = ("interpreter", "jit", "aot")
"""What a program runs as: interpreted; also compiled once it is hot; also compiled ahead, as its boot class path is."""
CODE = os.environ.get("APPWITNESS_ART_CODE", CODES[0])
HOT = 500
"""Calls after which a method is compiled: fewer than on a phone, so that tests are short."""
SLOWNESS = float(os.environ.get("APPWITNESS_ART_SLOWNESS", "1"))
"""How much longer everything may take: where the processor is emulated."""
START_S = 60.0 * SLOWNESS
LOOK_S = 0.02 * SLOWNESS
LAST = 3000
"""Letters of its log that are shown where a test fails, and of what ART then tells of a signal four times as many."""
LAUNCHED = """bash -c 'echo $$ >"$0" && exec "$@"' "$@"; exit $?"""
"""Starts it as a grandchild: Frida waits, in this process, for what it enters, and would take a child's exit code."""
SIGNALLED = 128
"""A shell's exit code for a program that a signal ended, less the signal."""
LIMITS_MS = {"FinalizerTimeoutMs": 10_000, "ThreadSuspendTimeout": 30_000}
"""After which ART ends a process by itself, as its defaults have them: a finalizer, and a thread that is to halt."""
FATAL = "Fatal signal"
"""What ART writes first when one ends it."""
DYING_S = 10.0 * SLOWNESS
"""How long it may take to write the rest."""
AT_THE_GATE = "at the gate\n"
"""What Gate.java prints when the program is to be let go."""
PRELOADED = (
    "android.os.Process",
    "java.security.MessageDigest",
    "java.util.Base64$Encoder",
    "java.util.zip.Deflater",
    "javax.crypto.Cipher",
    "javax.crypto.Mac",
)
"""Classes of ART's own library that hooks ask for; the zygote of a phone has initialised them."""


@dataclass(frozen=True)
class Runtime:
    """ART as `build` made it."""

    home: Path

    @property
    def tools(self) -> JavaTools:
        """What turns Java into what it runs."""
        from tests.art.rig.build import PACKAGES
        from tests.art.rig.packages import dexer

        home = self.home
        return JavaTools(dexer(PACKAGES), home / "asm.jar", home / "tools", home / "classes/core.jar")

    @property
    def dexes(self) -> Path:
        """Where programs are kept that were made for it, and for the same Java half on another processor."""
        from tests.art.rig.build import STORE, identity

        return STORE / f"dex-{identity()}"

    def dex(self, sources: Sequence[Path], out: Path, libraries: Sequence[Path] = ()) -> Path:
        """Compile Java sources (of Java 17) into a jar of dex files that ART runs."""
        device = self.home / "classes/device.jar"
        classes = self.tools.compile(sources, class_files(out), [device, *libraries])
        return self.tools.dex([classes], out, [device, *libraries])

    def ahead(self, jar: Path) -> Path:
        """A copy of a dex jar, beside which is its code, compiled ahead; made once."""
        from tests.art.compiled.compiler import ahead, codegen, compilers

        out = self.dexes / f"ahead-{compilers().name}" / jar.name
        if not out.exists():
            out.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=out.parent) as folder:
                copy = Path(shutil.copy(jar, folder))
                ahead(self, copy, out.parent / f"oat/{codegen()}/{jar.stem}.odex")
                copy.rename(out)
        return out

    def command(self, *, boot: Iterable[Path] = (), code: str = CODES[0]) -> tuple[list[str], dict[str, str]]:
        """How to start it: the command line up to its options, and the environment. `boot`: more of its class path."""
        home = self.home
        image, libraries = "/nonexistent/boot.art", str(home / "lib64")
        if code != CODES[0]:
            from tests.art.compiled import compiler

            image = str(compiler.image()) if code == "aot" else image
            libraries = f"{compiler.compilers()}/lib:{libraries}"
        path = ":".join(str(each) for each in [*(home / f"javalib/{name}.jar" for name in BOOT), *boot])
        env = {
            "ANDROID_ROOT": home / "system",
            "ANDROID_RUNTIME_ROOT": home,
            "ANDROID_TZDATA_ROOT": home / "tzdata",
            "ANDROID_DATA": home / "data",
            "LD_LIBRARY_PATH": libraries,
            "BOOTCLASSPATH": path,
        }
        just = ("-Xusejit:false",) if code == CODES[0] else ("-Xusejit:true", f"-Xjitthreshold:{HOT}")
        limits = (f"-XX:{name}={int(ms * SLOWNESS)}" for name, ms in LIMITS_MS.items())
        options = ("-Xnorelocate", "-Xnoimage-dex2oat", f"-Ximage:{image}", *just, *limits)
        argv = [str(home / "bin/dalvikvm64"), f"-Xbootclasspath:{path}", *options]
        return argv, os.environ | {name: str(value) for name, value in env.items()}


@dataclass
class Held:
    """A program in ART that waits before its first line until `release`; a context manager, whose end ends it."""

    runtime: Runtime
    jar: Path
    main: str
    room: Path
    """A folder for what belongs to this run."""
    arguments: Sequence[str] = ()
    options: Sequence[str] = ()
    """Of the VM: -Xcheck:jni, -Xint, -Dname=value."""
    preload: Iterable[str] = PRELOADED
    """Classes that are initialised before the hooks come, as those of the framework are on a phone."""
    boot: Sequence[Path] = ()
    """More jars of the boot class path."""
    cwd: Path | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    code: str = CODE
    """What it runs as, one of CODES."""
    process: subprocess.Popen[bytes] | None = None
    """The shell that waits for it (`LAUNCHED`)."""
    _ended: bool = False
    """By us, and not by itself."""

    @property
    def printed(self) -> str:
        """What it printed, from its first line on."""
        return self._all.partition(AT_THE_GATE)[2]

    @property
    def log(self) -> str:
        """What it and ART wrote to the other stream."""
        return (self.room / "log.txt").read_text("utf-8", "replace")

    @property
    def _all(self) -> str:
        return (self.room / "printed.txt").read_text("utf-8", "replace")

    @property
    def pid(self) -> int:
        """Its process."""
        return int((self.room / "pid.txt").read_text())

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if error is not None:
            error.add_note(self.told())
        self.end()

    def told(self) -> str:
        """How it is, or how it ended, and the last that it and ART wrote: for a test that fails."""
        code = None
        if self.process is not None and not self._ended:
            with suppress(subprocess.TimeoutExpired):
                code = self.wait(DYING_S if FATAL in self.log else LOOK_S)
        state = "did not end" if code is None else f"exited: {code}"
        if code is not None and code < 0:
            state = f"was ended by {signal.Signals(-code).name}"
        return f"{self.main} {state}\n{self._all[-LAST:]}{ended(self.log)}"

    def start(self) -> None:
        """Start it; returns when it waits. Raises RuntimeError with what it printed when it does not come up."""
        self.room.mkdir(parents=True, exist_ok=True)
        (self.room / "preload.txt").write_text("".join(f"{name}\n" for name in self.preload))
        argv, env = self.runtime.command(boot=self.boot, code=self.code)
        jar = self.runtime.ahead(self.jar) if self.code == "aot" else self.jar
        gate = ("-cp", str(jar), "art.Gate", str(self.room / "preload.txt"), str(self.room / "open"), self.main)
        # Where an app is started again, what the one before wrote stays.
        with (self.room / "printed.txt").open("wb") as out, (self.room / "log.txt").open("ab") as log:
            self.process = subprocess.Popen(
                ["bash", "-c", LAUNCHED, "bash", self.room / "pid.txt", *argv, *self.options, *gate, *self.arguments],
                stdout=out,
                stderr=log,
                cwd=self.cwd,
                env={**env, **self.env},
                start_new_session=True,
            )
        end = time.monotonic() + START_S
        while AT_THE_GATE not in self._all:
            if self.process.poll() is not None or time.monotonic() > end:
                self.end()
                raise RuntimeError(f"ART did not come up: {(self._all + self.log)[-2000:]}")
            time.sleep(LOOK_S)

    def release(self) -> None:
        """Let it run."""
        (self.room / "open").touch()

    def wait(self, timeout_s: float | None = None) -> int:
        """Wait for its end; its exit code, negative where a signal ended it. Raises subprocess.TimeoutExpired."""
        assert self.process is not None
        code = self.process.wait(timeout_s)
        return SIGNALLED - code if code > SIGNALLED else code

    def end(self) -> None:
        """End it, if it runs."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self._ended = True
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def ended(log: str) -> str:
    """Of what ART wrote, what tells how a program ended."""
    before, fatal, dump = log.partition(FATAL)
    return f"{before[-LAST:]}{fatal}{dump[: 4 * LAST]}"


def class_files(dexed: Path) -> Path:
    """The jar of class files that a dexed jar was made of, beside it."""
    return dexed.with_name(f"{dexed.stem}-classes.jar")


def jars_digest(sources: Iterable[Path]) -> str:
    """A name for what is made of sources."""
    return hashlib.sha256("".join(digest(path) for path in sorted(sources)).encode()).hexdigest()[:16]
