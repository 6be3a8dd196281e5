"""Builds the two compilers of ART 10: `python -m tests.art.compiled.compiler [PROCESSOR]`.

They are built from the same source package as the rest (tests/art/rig/build.py), and kept beside it in a folder that is
named after everything it is made from. For another processor than this machine's they are cross-compiled, against the
VIXL of today, which has renamed a part of what ART calls (VIXL_RENAMED).

- libart-compiler.so, by which ART compiles while an app runs
- dex2oat64, which compiles ahead, and what it needs of dexlayout and libelffile
- the boot class path, compiled (boot/), on the processor itself when it is first needed

Debug information is not packed (xz_utils.cc), and images are not compressed: lz4.h declares what is then not called.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.art.rig import build as rig
from tests.art.rig.build import PACKAGES, STORE, VM_FLAGS, VM_FOLDERS, build, identity
from tests.art.rig.packages import Unavailable, debian, fetch
from tests.art.rig.processors import Processor, native, own, processors
from tests.art.rig.tools import cores, run
from tests.art.rig.vm import BOOT, Runtime

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Codegen:
    """What a compiler for one processor is built from, besides what all are."""

    codes: tuple[str, ...]
    """Names in Android.bp of the code that it makes."""
    foreign: str
    """Pattern of the processors whose headers it does without."""
    more: tuple[str, ...] = ()
    """Sources that Android.bp lists for another processor only, which brings them for both."""
    flags: tuple[str, ...] = ()


CODEGENS = {
    "x86_64": Codegen(codes=("x86", "x86_64"), foreign="arm|mips"),  # the second does not compile without the first
    "arm64": Codegen(
        codes=("arm64",),
        foreign="mips",
        more=(
            "compiler/optimizing/instruction_simplifier_shared.cc",
            "compiler/optimizing/nodes_shared.cc",
            "dex2oat/linker/arm/relative_patcher_arm_base.cc",
        ),
        flags=("-include", "algorithm", "-DVIXL_INCLUDE_TARGET_AARCH64"),
    ),
}
VIXL_RENAMED = (
    (r"(?:vixl::aarch64::)?\b(?:FP|V)?Register::Get([WXSDQV])RegFromCode\(", r"vixl::aarch64::\1Register("),
    (r"\bFPRegister\b", "VRegister"),
    (r"\bkFPRegister\b", "kVRegister"),
    (r"\bkNumberOfFPRegisters\b", "kNumberOfVRegisters"),
    (r"\bGetScratchFPRegisterList\b", "GetScratchVRegisterList"),
    (r"\bOperand infinity;", "Operand infinity(0);"),
)
"""Pattern -> replacement, in ART's sources for arm64: names of VIXL 5, which also has no empty operand."""
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


def compilers(processor: Processor | None = None) -> Path:
    """Where they are, or will be: by default those for the processor that this runs on."""
    processor = processor or own() or native()
    parts = hashlib.sha256(identity(processor).encode())
    parts.update(" ".join(processor.compilers).encode())
    for path in sorted(HERE.iterdir()):
        if path.suffix in (".py", ".h", ".cc"):
            parts.update(f"{path.name}\0".encode() + path.read_bytes())
    return STORE / f"compilers-{parts.hexdigest()[:16]}"


def image() -> Path:
    """The boot image as ART is told of it, without the folder of the processor; made where it is missing."""
    made = compilers() / "boot"
    if not made.exists():
        with tempfile.TemporaryDirectory(dir=made.parent) as folder:
            _boot(Runtime(rig.home()), Path(folder) / "boot")
            with suppress(OSError):  # another process was sooner
                (Path(folder) / "boot").rename(made)
    return made / "boot.art"


def lacking() -> str | None:
    """Why they cannot be built here, or are not there; None where they are."""
    if compilers().exists():
        return None
    return "ART's compilers are not built here: make test-art-compiled, or test-art-compiled-arm64"


def make(processor: Processor) -> Path:
    """Build them where they are missing. Raises Unavailable."""
    where = compilers(processor)
    if where.exists():
        return where
    runtime = Runtime(build(processor))
    began = time.monotonic()
    fetch(PACKAGES, processor)
    with tempfile.TemporaryDirectory(dir=STORE, prefix="build-") as folder:
        made = Path(folder) / "made"
        _Compilers(Path(folder), made, runtime, processor).all()
        made.rename(where)
    print(f"art: compilers built in {time.monotonic() - began:.0f} s: {where}", file=sys.stderr, flush=True)
    return where


def ahead(runtime: Runtime, jar: Path, out: Path) -> None:
    """Compile a jar of dex files ahead, with all that a compiler may take in; ART finds `out` by its name."""
    out.parent.mkdir(parents=True, exist_ok=True)
    parts = [f"--dex-file={jar}", f"--oat-file={out}", f"--boot-image={image()}", "--class-loader-context=PCL[]"]
    _dex2oat(runtime, ["--runtime-arg", runtime.command()[0][1], *parts])


def codegen() -> str:
    """ART's name of the processor that this runs on."""
    return (own() or native()).codegen


def _boot(runtime: Runtime, into: Path) -> None:
    print("art: boot image", file=sys.stderr, flush=True)
    folder = into / codegen()
    folder.mkdir(parents=True)
    jars = [runtime.home / f"javalib/{name}.jar" for name in BOOT]
    parts = [f"--dex-{kind}={jar}" for kind in ("file", "location") for jar in jars]
    out = [f"--oat-file={folder}/boot.oat", f"--image={folder}/boot.art", f"--base={IMAGE_BASE:#x}"]
    _dex2oat(runtime, [*parts, *out, f"--android-root={runtime.home}/system"])


def _dex2oat(runtime: Runtime, parts: list[str]) -> None:
    _, env = runtime.command()
    memory = ["--runtime-arg", "-Xms64m", "--runtime-arg", "-Xmx512m", "--runtime-arg", "-Xnorelocate"]
    options = [f"--instruction-set={codegen()}", "--compiler-filter=speed", f"-j{cores()}", "--no-watch-dog"]
    env["LD_LIBRARY_PATH"] = f"{compilers()}/lib:{env['LD_LIBRARY_PATH']}"
    run([compilers() / "bin/dex2oat64", *memory, *options, *parts], env=env)


class _Compilers:
    """One build, in a folder of its own."""

    def __init__(self, work: Path, made: Path, runtime: Runtime, processor: Processor) -> None:
        self.work, self.made, self.runtime, self.processor = work, made, runtime, processor
        self.codegen = CODEGENS[processor.name]
        self.art = work / "art"
        self.root = work / "root"
        if processor.compilers:
            rig.unpacked(processor, processor.compilers, self.root)
        for folder in ("lib", "bin"):
            (made / folder).mkdir(parents=True)

    def all(self) -> None:
        """Both of them."""
        print("art: compilers, some ten minutes", file=sys.stderr, flush=True)
        self._unpack()
        flags = self._flags()
        elf = [self.art / f"libelffile/stream/{name}_stream.cc" for name in ("buffered_output", "file_output")]
        elf += [self.art / f"libelffile/stream/{name}.cc" for name in ("output_stream", "vector_output_stream")]
        elf.append(HERE / "xz_utils.cc")
        layout = [self.art / "dexlayout" / name for name in self._listed("dexlayout", "libart-dexlayout-defaults")]
        just = [*self._sources("compiler", "libart-compiler-defaults"), *elf]
        ahead = [*self._sources("dex2oat", "libart-dex2oat-defaults"), *layout, *elf]
        ahead += [self.art / "dex2oat" / name for name in ("dex2oat.cc", "dex2oat_options.cc")]
        with ThreadPoolExecutor(cores()) as pool:
            each = list(dict.fromkeys([*just, *ahead]))
            objects = dict(zip(each, pool.map(lambda source: self._compile(source, flags), each), strict=True))
        needs = [path for name in NEEDS for path in (self.runtime.home / "lib64").glob(f"lib{name}.so*")]
        needs += self._brought("vixl")
        search = [f"-Wl,-rpath-link,{folder}" for folder in (self.runtime.home / "lib64", self.made / "lib")]
        linker = rig.compiler("clang++", self.processor)
        compiler = self.made / "lib/libart-compiler.so"
        shared = ("-shared", "-Wl,-soname,libart-compiler.so", "-Wl,--no-undefined", *search)
        run([*linker, *shared, "-o", compiler, *map(objects.__getitem__, just), *needs, *LINKED])
        whole: tuple[str, ...] = ("-rdynamic", "-Wl,--no-as-needed", *search)
        lz4: Sequence[str | Path] = self._brought("lz4") or ["-l:liblz4.so.1"]
        parts = [*map(objects.__getitem__, ahead), compiler, *needs, *lz4]
        run([*linker, *whole, "-o", self.made / "bin/dex2oat64", *parts, *LINKED])

    def _brought(self, name: str) -> list[Path]:
        """A library out of the packages for compilers, put beside them."""
        found = sorted(self.root.glob(f"usr/lib/*/lib{name}.so.?"))
        return [Path(shutil.copy(path, self.made / "lib")) for path in found]

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
        if self.processor.compilers:
            for path in (self.art / "compiler").rglob("*arm64*.*"):
                text = path.read_text("utf-8")
                for pattern, new in VIXL_RENAMED:
                    text = re.sub(pattern, new, text)
                path.write_text(text, "utf-8")

    def _listed(self, folder: str, name: str) -> list[str]:
        """The sources of a library, as Android's own build has them."""
        text = (self.art / folder / "Android.bp").read_text("utf-8")
        (block,) = re.findall(rf'^art_cc_defaults {{\n    name: "{name}",\n(.*?)^}}', text, re.MULTILINE | re.DOTALL)
        lists = [re.search(r"^    srcs: \[(.*?)\]", block, re.MULTILINE | re.DOTALL)]
        lists += [
            re.search(rf"^        {code}: {{\s*srcs: \[(.*?)\]", block, re.MULTILINE | re.DOTALL)
            for code in self.codegen.codes
        ]
        return list(dict.fromkeys(each for found in lists if found for each in re.findall(r'"([^"]+)"', found[1])))

    def _sources(self, folder: str, name: str) -> list[Path]:
        more = [self.art / each for each in self.codegen.more if each.startswith(f"{folder}/")]
        return [*(self.art / folder / each for each in self._listed(folder, name)), *more, *self._printers(folder)]

    def _printers(self, folder: str) -> Iterator[Path]:
        """What prints enumerations, which ART's build makes of headers."""
        text = (self.art / folder / "Android.bp").read_text("utf-8")
        (block,) = re.findall(r"^gensrcs {\n(.*?)^}", text, re.MULTILINE | re.DOTALL)
        for header in re.findall(r'"([\w/]+\.h)"', block):
            if not re.search(rf"/({self.codegen.foreign})", header):
                out = self.work / f"{folder}-{header.removesuffix('.h').replace('/', '_')}.cc"
                script = self.art / "tools/generate_operator_out.py"
                out.write_text(run([sys.executable, script, f"art/{folder}", f"{folder}/{header}"], cwd=self.art))
                yield out

    def _flags(self) -> list[str | Path]:
        headers, offsets = self.work / "deb/usr/include/android", self.work / "offsets"
        ours = [HERE, HERE.parent / "rig/native/include", offsets]
        ours += [self.root / "usr/include", self.root / "usr/include/vixl"]
        theirs = [headers, headers / "nativehelper", *(self.art / each for each in (*FOLDERS, *VM_FOLDERS))]
        generator = self.art / "tools/cpp-define-generator"
        codes = [f"-DART_ENABLE_CODEGEN_{code}" for code in self.codegen.codes]
        include = [f"-I{each}" for each in (*ours, *theirs)]
        flags: list[str | Path] = [*VM_FLAGS, *codes, *self.codegen.flags, *include]
        if self.processor.emulated:
            self._put_offsets(generator, offsets, [*flags, f"-I{generator}"])
        return flags

    def _put_offsets(self, generator: Path, into: Path, flags: Sequence[str | Path]) -> None:
        """The header that tells assembly, and the code of arm64, where ART's structures have what."""
        into.mkdir()
        told = into / "asm_defines.s"
        clang = rig.compiler("clang++", self.processor, links=False)
        run([*clang, *flags, "-S", generator / "asm_defines.cc", "-o", told])
        (into / "asm_defines.h").write_text(run([sys.executable, generator / "make_header.py", told]))

    def _compile(self, source: Path, flags: Sequence[str | Path]) -> Path:
        out = self.work / "objects" / f"{source.parent.name}-{source.name}.o"
        out.parent.mkdir(exist_ok=True)
        run([*rig.compiler("clang++", self.processor, links=False), *flags, "-c", source, "-o", out])
        return out


if __name__ == "__main__":
    try:
        make(processors()[sys.argv[1]] if len(sys.argv) > 1 else native())
    except Unavailable as error:
        print(f"art: there are no compilers, and their tests are skipped: {error}", file=sys.stderr)
    except RuntimeError as error:
        sys.exit(f"art: the compilers do not build: {error}")
