"""Builds the two compilers of ART 10, and with them a boot image: `python -m tests.art.compiled.compiler`.

They are built of the same source package as the rest (tests/art/rig/build.py), for this machine alone, and kept beside
it in a folder that is named after all that it is made of.

- libart-compiler.so, by which ART compiles while an app runs
- dex2oat64, which compiles ahead, and what it needs of dexlayout and libelffile
- the boot class path, compiled (boot/x86_64)

Debug information is not packed (xz_utils.cc), and images are not compressed: lz4.h declares what is then not called.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.art.rig.build import PACKAGES, STORE, VM_FLAGS, VM_FOLDERS, build, identity
from tests.art.rig.packages import Unavailable, debian, fetch
from tests.art.rig.processors import own
from tests.art.rig.tools import cores, run
from tests.art.rig.vm import BOOT, Runtime

HERE = Path(__file__).parent
CODES = ("x86", "x86_64")
"""Code that is made: a compiler for the second does not compile without the first."""
FOLDERS = ("compiler", "dex2oat", "dex2oat/include", "dexlayout", "disassembler")
CHANGED = {
    "compiler/optimizing/register_allocator_linear_scan.cc": (
        "static ArenaVector<LiveInterval*>::iterator RemoveInterval",
        "static ScopedArenaVector<LiveInterval*>::iterator RemoveInterval",
    ),
    "dexlayout/dex_ir.h": (
        "difference_type operator-(const Iterator& rhs) {",
        "difference_type operator-(const Iterator& rhs) const {",
    ),
}
"""File -> what Clang's library takes and GCC's does not, and the same for both."""
NEEDS = ("art", "nativehelper", "base", "log", "sigchain", "ziparchive", "crypto")
LINKED = ("-lz", "-latomic", "-ldl")
IMAGE_BASE = 0x70000000


def compilers() -> Path:
    """Where they are, or will be."""
    parts = hashlib.sha256(identity().encode())
    for path in sorted(HERE.iterdir()):
        if path.suffix in (".py", ".h", ".cc"):
            parts.update(f"{path.name}\0".encode() + path.read_bytes())
    return STORE / f"compilers-{parts.hexdigest()[:16]}"


def image() -> Path:
    """As ART is told of the boot image: without the folder of the processor."""
    return compilers() / "boot/boot.art"


def lacking() -> str | None:
    """Why they cannot be built here, or are not there; None where they are."""
    if compilers().exists():
        return None
    here = own()
    if here is None or here.emulated:
        return "ART's compilers are built for x86-64 alone"
    return "ART's compilers are not built here: make test-art-compiled"


def make() -> Path:
    """Build them where they are missing. Raises Unavailable."""
    where = compilers()
    if where.exists():
        return where
    runtime = Runtime(build())
    began = time.monotonic()
    fetch(PACKAGES)
    with tempfile.TemporaryDirectory(dir=STORE, prefix="build-") as folder:
        made = Path(folder) / "made"
        _Compilers(Path(folder), made, runtime).all()
        made.rename(where)
    _boot(runtime, where)
    print(f"art: compilers built in {time.monotonic() - began:.0f} s: {where}", file=sys.stderr, flush=True)
    return where


def ahead(runtime: Runtime, jar: Path, out: Path) -> None:
    """Compile a jar of dex files ahead, with all that a compiler may take in; ART finds `out` by its name."""
    out.parent.mkdir(parents=True, exist_ok=True)
    parts = [f"--dex-file={jar}", f"--oat-file={out}", f"--boot-image={image()}", "--class-loader-context=PCL[]"]
    _dex2oat(runtime, compilers(), ["--runtime-arg", runtime.command()[0][1], *parts])


def _boot(runtime: Runtime, where: Path) -> None:
    try:
        print("art: boot image", file=sys.stderr, flush=True)
        folder = where / "boot/x86_64"
        folder.mkdir(parents=True)
        jars = [runtime.home / f"javalib/{name}.jar" for name in BOOT]
        parts = [f"--dex-{kind}={jar}" for kind in ("file", "location") for jar in jars]
        out = [f"--oat-file={folder}/boot.oat", f"--image={folder}/boot.art", f"--base={IMAGE_BASE:#x}"]
        _dex2oat(runtime, where, [*parts, *out, f"--android-root={runtime.home}/system"])
    except BaseException:
        shutil.rmtree(where)
        raise


def _dex2oat(runtime: Runtime, where: Path, parts: list[str]) -> None:
    _, env = runtime.command()
    memory = ["--runtime-arg", "-Xms64m", "--runtime-arg", "-Xmx512m", "--runtime-arg", "-Xnorelocate"]
    options = ["--instruction-set=x86_64", "--compiler-filter=speed", f"-j{cores()}"]
    env["LD_LIBRARY_PATH"] = f"{where}/lib:{env['LD_LIBRARY_PATH']}"
    run([where / "bin/dex2oat64", *memory, *options, *parts], env=env)


class _Compilers:
    """One build, in a folder of its own."""

    def __init__(self, work: Path, made: Path, runtime: Runtime) -> None:
        self.work, self.made, self.runtime = work, made, runtime
        self.art = work / "art"
        for folder in ("lib", "bin"):
            (made / folder).mkdir(parents=True)

    def all(self) -> None:
        """Both of them."""
        print("art: compilers, some ten minutes", file=sys.stderr, flush=True)
        self._unpack()
        elf = [self.art / f"libelffile/stream/{name}_stream.cc" for name in ("buffered_output", "file_output")]
        elf += [self.art / f"libelffile/stream/{name}.cc" for name in ("output_stream", "vector_output_stream")]
        elf.append(HERE / "xz_utils.cc")
        layout = [self.art / "dexlayout" / name for name in self._listed("dexlayout", "libart-dexlayout-defaults")]
        just = [*self._sources("compiler", "libart-compiler-defaults"), *elf]
        ahead = [*self._sources("dex2oat", "libart-dex2oat-defaults"), *layout, *elf]
        ahead += [self.art / "dex2oat" / name for name in ("dex2oat.cc", "dex2oat_options.cc")]
        with ThreadPoolExecutor(cores()) as pool:
            each = list(dict.fromkeys([*just, *ahead]))
            objects = dict(zip(each, pool.map(self._compile, each), strict=True))
        needs = [path for name in NEEDS for path in (self.runtime.home / "lib64").glob(f"lib{name}.so*")]
        search = f"-Wl,-rpath-link,{self.runtime.home}/lib64"
        compiler = self.made / "lib/libart-compiler.so"
        shared = ("-shared", "-Wl,-soname,libart-compiler.so", "-Wl,--no-undefined", search)
        run(["clang++", *shared, "-o", compiler, *map(objects.__getitem__, just), *needs, *LINKED])
        whole: tuple[str, ...] = ("-rdynamic", "-Wl,--no-as-needed", search, f"-Wl,-rpath-link,{compiler.parent}")
        parts = [*map(objects.__getitem__, ahead), compiler, *needs]
        run(["clang++", *whole, "-o", self.made / "bin/dex2oat64", *parts, "-l:liblz4.so.1", *LINKED])

    def _unpack(self) -> None:
        for package in debian():
            file = package.file(PACKAGES)
            assert file is not None
            if package.source and package.name.endswith("-art"):
                run(["dpkg-source", "-x", file, self.art])
            elif package.name.endswith(("-dev", "-headers")):
                run(["dpkg-deb", "-x", file, self.work / "deb"])
        for name, (old, new) in CHANGED.items():
            path = self.art / name
            text = path.read_text("utf-8")
            if text.count(old) != 1:
                raise RuntimeError(f"{name} is not what it was: {old}")
            path.write_text(text.replace(old, new), "utf-8")

    def _listed(self, folder: str, name: str) -> list[str]:
        """The sources of a library, as Android's own build has them."""
        text = (self.art / folder / "Android.bp").read_text("utf-8")
        (block,) = re.findall(rf'^art_cc_defaults {{\n    name: "{name}",\n(.*?)^}}', text, re.MULTILINE | re.DOTALL)
        lists = [re.search(r"^    srcs: \[(.*?)\]", block, re.MULTILINE | re.DOTALL)]
        lists += [
            re.search(rf"^        {code}: {{\s*srcs: \[(.*?)\]", block, re.MULTILINE | re.DOTALL) for code in CODES
        ]
        return list(dict.fromkeys(each for found in lists if found for each in re.findall(r'"([^"]+)"', found[1])))

    def _sources(self, folder: str, name: str) -> list[Path]:
        return [*(self.art / folder / each for each in self._listed(folder, name)), *self._printers(folder)]

    def _printers(self, folder: str) -> Iterator[Path]:
        """What prints enumerations, which ART's build makes of headers."""
        text = (self.art / folder / "Android.bp").read_text("utf-8")
        (block,) = re.findall(r"^gensrcs {\n(.*?)^}", text, re.MULTILINE | re.DOTALL)
        for header in re.findall(r'"([\w/]+\.h)"', block):
            if not re.search(r"/(arm|mips)", header):
                out = self.work / f"{folder}-{Path(header).stem}.cc"
                script = self.art / "tools/generate_operator_out.py"
                out.write_text(run([sys.executable, script, f"art/{folder}", f"{folder}/{header}"], cwd=self.art))
                yield out

    def _compile(self, source: Path) -> Path:
        out = self.work / "objects" / f"{source.parent.name}-{source.name}.o"
        out.parent.mkdir(exist_ok=True)
        headers = self.work / "deb/usr/include/android"
        ours = [HERE, HERE.parent / "rig/native/include"]
        theirs = [headers, headers / "nativehelper", *(self.art / each for each in (*FOLDERS, *VM_FOLDERS))]
        codes = [f"-DART_ENABLE_CODEGEN_{code}" for code in CODES]
        include = [f"-I{each}" for each in (*ours, *theirs)]
        run(["clang++", *VM_FLAGS, *codes, *include, "-c", source, "-o", out])
        return out


if __name__ == "__main__":
    try:
        make()
    except Unavailable as error:
        print(f"art: there are no compilers, and their tests are skipped: {error}", file=sys.stderr)
    except RuntimeError as error:
        sys.exit(f"art: the compilers do not build: {error}")
