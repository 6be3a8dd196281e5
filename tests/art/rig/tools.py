"""Java sources to dex: the JDK of this machine, and an old D8."""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.art.rig.packages import Unavailable

API = 29
JDKS = range(17, 22)
"""Releases whose javac still writes what ART 10 takes, and takes the language of the sample apps."""
QUICK = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto")
"""Of programs that run for seconds: what more a JVM does for speed is not earned back."""
INSIDE = [f"jdk.compiler/com.sun.tools.javac.{part}=ALL-UNNAMED" for part in ("file", "jvm", "main", "util")]


@functools.cache
def jdk() -> Path:
    """A JDK of this machine that will do, that of the PATH before others. Raises Unavailable."""
    found = shutil.which("javac")
    homes = [Path(found).resolve().parents[1]] if found else []
    for home in [*homes, *sorted(Path("/usr/lib/jvm").glob("*"))]:
        release = home / "release"
        version = re.search(r'JAVA_VERSION="(\d+)', release.read_text("utf-8")) if release.exists() else None
        if version and int(version[1]) in JDKS and (home / "bin/javac").exists():
            return home
    raise Unavailable(f"there is no JDK from {JDKS[0]} to {JDKS[-1]} here")


def run(command: Sequence[str | Path], **options: object) -> str:
    """Run a program; what it printed. Raises RuntimeError with its end when it fails."""
    words = [str(part) for part in command]
    done = subprocess.run(words, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]
    if done.returncode:
        said = [line for line in (done.stdout + done.stderr).splitlines() if not line.startswith("\tat ")]
        raise RuntimeError(f"{' '.join(words)[:300]}\n{chr(10).join(said[-60:])}")
    return str(done.stdout)


@dataclass(frozen=True)
class JavaTools:
    """What turns Java into dex."""

    d8_jar: Path
    asm_jar: Path
    classes: Path
    """The compiled programs of java/tools."""
    core: Path
    """Android's library as class files, which dexing looks things up in."""

    def prepare(self) -> None:
        """Compile Fit and Javac8."""
        self.classes.mkdir(parents=True, exist_ok=True)
        sources = Path(__file__).parent.glob("java/tools/*.java")
        opened = [f"--add-exports={each}" for each in INSIDE]
        run([jdk() / "bin/javac", "-nowarn", *opened, "-cp", self.asm_jar, "-d", self.classes, *sources])

    def java(self, classpath: str, *arguments: str | Path, memory: str = "2g") -> str:
        """Run a Java program."""
        return run([jdk() / "bin/java", *QUICK, f"-Xmx{memory}", "-cp", classpath, *arguments])

    def fit(self, *jars: Path) -> None:
        """Old jar, new jar, and so on."""
        self.java(f"{self.classes}:{self.asm_jar}", "Fit", *jars)

    def compile(self, sources: Iterable[Path], out: Path, classpath: Sequence[Path] = ()) -> Path:
        """Compile sources of today's language; a jar `out` of classes that D8 takes."""
        room = _empty(out.with_suffix(".classes"))
        path = ":".join(str(each) for each in classpath)
        opened = [f"--add-{how}={each}" for each in INSIDE for how in ("exports", "opens")]
        options = ("-source", "17", "-nowarn", "-proc:none", "-g", "-encoding", "UTF-8", "-XDstringConcat=inline")
        words = [
            *QUICK,
            *opened,
            "-cp",
            f"{self.classes}",
            "Javac8",
            *options,
            "-cp",
            path or f"{room}",
            "-d",
            f"{room}",
        ]
        run([jdk() / "bin/java", *words, *sources])
        return self.pack(room, out)

    def compile_for_core(self, sources: Iterable[Path], out: Path, boot: Path, classpath: Sequence[Path] = ()) -> Path:
        """Compile sources of Java 8 against another library than the JDK's."""
        room = _empty(out.with_suffix(".classes"))
        listed = out.with_suffix(".sources")
        listed.write_text("".join(f"{source}\n" for source in sources))
        options = ("-source", "8", "-target", "8", "-nowarn", "-proc:none", "-g", "-encoding", "UTF-8")
        path = ":".join(str(each) for each in classpath) or str(room)
        words = [*(f"-J{each}" for each in QUICK), "-J-Xmx2g", *options, "-bootclasspath", f"{boot}", "-cp", path]
        run([jdk() / "bin/javac", *words, "-d", room, f"@{listed}"])
        return self.pack(room, out)

    def pack(self, classes: Path, out: Path) -> Path:
        """A folder of classes as a fitted jar."""
        plain = out.with_suffix(".plain")
        run([jdk() / "bin/jar", "cf0", plain, "-C", classes, "."])
        self.fit(plain, out)
        shutil.rmtree(classes)
        plain.unlink()
        return out

    def dex(self, jars: Sequence[Path], out: Path, libraries: Sequence[Path] = ()) -> Path:
        """Jars of classes as one jar of dex files; `libraries` are on the device already."""
        core = ("--lib", self.core) if self.core not in jars and self.core.exists() else ()
        known = [part for library in libraries for part in ("--classpath", library)]
        words = ["com.android.tools.r8.D8", "--debug", "--min-api", str(API), *core, *known, "--output", out, *jars]
        self.java(str(self.d8_jar), *words)
        return out


def _empty(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def cores() -> int:
    """How many things are done at once."""
    return len(os.sched_getaffinity(0))
