"""The programs of tests/art/java as ART runs them.

On an emulated processor there is neither a JDK nor a C compiler: all of it has been made before (`prepare`).
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from hatch_build import agent_sources, java_bridge
from tests.art.rig.device import lab_jar
from tests.art.rig.packages import ROOT
from tests.art.rig.processors import own
from tests.art.rig.vm import Runtime, class_files
from tests.lab.staged import RACES, slowed

JAVA = Path(__file__).parent / "java"

FIRST_USED = 100
"""Classes of `kept` that are used for the first time while they are hooked."""
FIRST = """\
package kept;
final class First{n} implements Use {{
    static int fixed(int n) {{ return n + 1; }}
    int own(int n) {{ return n + 2; }}
    private int shut(int n) {{ return n; }}
    @Override public int all() {{ return fixed(0) + own(0) + shut(0); }}
}}
"""
WITHOUT = {"classes": "absent/"}
"""Program -> the package with which it is compiled, and which is not there when it runs."""
ASKS_FOR_AN_ADDRESS = """\
#include <stdio.h>
int Java_attribution_Main_{name}(void *env, void *cls);
int Java_attribution_Main_{name}(void *env, void *cls) {{
    FILE *file = fopen("/sys/class/net/lo/address", "r");
    (void)env, (void)cls;
    return file != NULL && fclose(file) == 0;
}}
"""
LIBRARIES = {
    **{name: ASKS_FOR_AN_ADDRESS.format(name=name) for name in ("byOwn", "byOther")},
    "routes": (ROOT / "tests/lab/native/routes.c").read_text("utf-8"),
}
"""Native library -> its C: a method of `attribution.Main` each, and the routes of the lab."""


def names() -> Iterator[str]:
    """All programs."""
    return (path.name for path in sorted(JAVA.iterdir()))


def dexed(runtime: Runtime, name: str) -> Path:
    """The dex jar of a program, its class files beside it; made once for each state of its sources."""
    sources = {path.relative_to(JAVA).as_posix(): path.read_text("utf-8") for path in (JAVA / name).rglob("*.java")}
    if name == "kept":
        sources |= {f"kept/First{n}.java": FIRST.format(n=n) for n in range(FIRST_USED)}
    state = hashlib.sha256("\0".join(f"{path}\0{text}" for path, text in sorted(sources.items())).encode())
    out = runtime.dexes / f"{name}-{state.hexdigest()[:16]}.jar"
    if not out.exists():
        runtime.dexes.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=runtime.dexes) as folder:
            files = [Path(folder) / path for path in sorted(sources)]
            for path, file in zip(sorted(sources), files, strict=True):
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(sources[path], "utf-8")
            made = _without(runtime, files, Path(folder) / out.name, WITHOUT.get(name))
            shutil.copy(class_files(made), class_files(out))
            made.rename(out)
    return out


def _without(runtime: Runtime, sources: Sequence[Path], made: Path, package: str | None) -> Path:
    if package is None:
        return runtime.dex(sources, made)
    device = runtime.home / "classes/device.jar"
    whole, part = class_files(made), made.with_name("part.jar")
    runtime.tools.compile(sources, whole, [device])
    with zipfile.ZipFile(whole) as full, zipfile.ZipFile(part, "w") as left:
        for name in full.namelist():
            if not name.startswith(package):
                left.writestr(name, full.read(name))
    return runtime.tools.dex([part], made, [device])


def library(runtime: Runtime, name: str, compiler: Sequence[str | Path] = ("cc",), processor: str = "") -> Path:
    """One of LIBRARIES for a processor, by default the one that this runs on; made once for each state of its text."""
    here = own()
    processor = processor or (here.name if here else "")
    text = LIBRARIES[name]
    out = runtime.dexes / f"{name}-{processor}-{hashlib.sha256(text.encode()).hexdigest()[:16]}.so"
    if not out.exists():
        runtime.dexes.mkdir(parents=True, exist_ok=True)
        words = [*map(str, compiler), "-shared", "-fPIC", "-O0", "-xc", "-", "-o", str(out), "-ldl"]
        subprocess.run(words, input=text.encode(), check=True)
    return out


def slowed_agent(runtime: Runtime) -> str:
    """The agent of tests/lab/races; made once for each state of its sources."""
    sources = [*agent_sources(ROOT), *sorted(RACES.glob("*.ts"))]
    state = hashlib.sha256(java_bridge()[1].encode() + b"".join(path.read_bytes() for path in sources))
    out = runtime.dexes / f"slowed-{state.hexdigest()[:16]}.js"
    if not out.exists():
        runtime.dexes.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            out.write_text(slowed(Path(folder)), "utf-8")
    return out.read_text("utf-8")


def prepare(runtime: Runtime, compiler: Sequence[str | Path], processor: str) -> None:
    """Make all that the tests want for a processor for which `compiler` compiles."""
    for name in names():
        dexed(runtime, name)
    for name in LIBRARIES:
        library(runtime, name, compiler, processor)
    lab_jar(runtime)
    slowed_agent(runtime)
