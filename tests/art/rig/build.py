"""Builds ART 10 (API 29) out of packages of Debian and PyPI: `python -m tests.art.rig.build [PROCESSOR]`.

The result is a folder of .setup/art that is named after all that it is made of; one that is there is not made again.
For another processor than this machine's the native half is cross-compiled, and the Java half is the one built for this
machine.

- the VM and its libraries: Debian 11 android-libart and android-lib*, unpacked (Apache-2.0)
- its class library: Debian 11 source android-platform-libcore, changed by libcore.py (Apache-2.0, GPL-2 with Classpath
  exception)
- launcher, libopenjdkjvm: Debian 11 source android-platform-art (the same)
- android.icu: Debian 13 libicu4j-java, renamed (ICU)
- http and https URLs: Debian 13 libokhttp-java and libokio-java, renamed (Apache-2.0)
- TLS, certificates, ciphers: Debian 13 libbc*-java, and no Conscrypt (MIT)
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.art.rig import libcore
from tests.art.rig.packages import ROOT, Unavailable, debian, debian_mirror, dexer, fetch
from tests.art.rig.processors import Processor, native, own, processors
from tests.art.rig.tools import API, JavaTools, cores, run

HERE = Path(__file__).parent
STORE = Path(os.environ.get("APPWITNESS_ART", ROOT / ".setup/art"))
"""Where packages and what is built of them are kept."""
PACKAGES = STORE / "packages"
RELEASE = "10"
LIBRARIES = [
    "backtrace",
    "base",
    "crypto",
    "cutils",
    "dexfile_support",
    "log",
    "nativebridge",
    "nativeloader",
    "sigchain",
    "unwind",
    "ziparchive",
]
TLS = ("bcprov", "bcutil", "bcpkix", "bctls")
NEEDED = {
    "clang++": "clang",
    "patchelf": "patchelf",
    "dpkg-source": "dpkg-dev",
}
NEEDED_ACROSS = {"ld.lld": "lld", "mmdebstrap": "mmdebstrap"}
HEADERS = {
    "unicode/uloc.h": "libicu-dev",
    "expat.h": "libexpat1-dev",
    "sys/capability.h": "libcap-dev",
    "zlib.h": "zlib1g-dev",
}

WARNINGS = ("-w", "-Wno-error", "-Wno-invalid-partial-specialization")
FORCED = ("-include", "cstdlib", "-include", "cstring", "-include", "functional")
LIBRARY_FLAGS = (
    *("-O1", "-fPIC", *WARNINGS, "-D_GNU_SOURCE", "-D_LARGEFILE64_SOURCE", "-DLINUX", "-D__GLIBC__", "-DNDEBUG"),
    "-DU_USING_ICU_NAMESPACE=0",
)
GAPS = {"arm": 8192, "arm64": 8192, "mips": 16384, "mips64": 16384, "x86": 8192, "x86_64": 8192}
VM_FLAGS = (
    *("-std=gnu++17", "-O1", "-fPIC", "-fno-rtti", "-fno-exceptions", "-fcommon", "-DNDEBUG", *WARNINGS),
    *(*FORCED, "-include", "math.h", "-D_FILE_OFFSET_BITS=64"),
    # What Android's build gives each file of ART: the shape of its structures hangs on it.
    *("-DART_BASE_ADDRESS=0x60000000", "-DART_BASE_ADDRESS_MIN_DELTA=-0x1000000"),
    "-DART_BASE_ADDRESS_MAX_DELTA=0x1000000",
    *("-DART_DEFAULT_COMPACT_DEX_LEVEL=fast", "-DART_DEFAULT_GC_TYPE_IS_CMS", "-DART_ENABLE_ADDRESS_SANITIZER=1"),
    *("-DART_FRAME_SIZE_LIMIT=1736", "-DART_READ_BARRIER_TYPE_IS_BAKER=1"),
    *("-DART_USE_READ_BARRIER=1", "-DIMT_SIZE=43", "-DUSE_D8_DESUGAR=1"),
    *(f"-DART_STACK_OVERFLOW_GAP_{cpu}={size}" for cpu, size in GAPS.items()),
)  # fmt: skip
VM_FOLDERS = [
    "runtime",
    "libartbase",
    "libdexfile",
    "libartpalette/include",
    ".",
    "cmdline",
    "libartbase/arch",
    "libdexfile/external/include",
    "libelffile",
    "libprofile",
    "sigchainlib",
]


NOT_OF_THE_BUILD = ("device.py", "vm.py", "guest.py", "processors.py", "processors.yml")
"""Files of the rig that only a run takes."""


def identity(processor: Processor | None = None) -> str:
    """The name of what is built from these files and packages for a processor, by default this machine's."""
    parts = hashlib.sha256()
    for path in sorted(path for path in HERE.rglob("*") if path.is_file() and path.suffix != ".pyc"):
        if path.name not in NOT_OF_THE_BUILD and HERE / "guest" not in path.parents:
            parts.update(f"{path.relative_to(HERE)}\0".encode() + path.read_bytes())
    if processor is None or not processor.emulated:
        return parts.hexdigest()[:16]
    told = (processor.triple, processor.codegen, processor.abi, processor.suite, *processor.sysroot)
    parts.update("\0".join(told).encode())
    return f"{parts.hexdigest()[:16]}-{processor.name}"


def home(processor: Processor | None = None) -> Path:
    """Where the built runtime is, or will be: by default the one for the processor that this runs on."""
    return STORE / identity(processor or own())


def lacking(processor: Processor | None = None) -> str | None:
    """Why it cannot be built here; None where it can."""
    machine = os.uname()
    if (machine.sysname, machine.machine) != ("Linux", "x86_64"):
        return f"ART is built on Linux, x86-64, and this is {machine.sysname}, {machine.machine}"
    if os.getuid() != 0:
        return "ART is built by root: apt keeps its packages for nobody else"
    if shutil.which("apt-get") is None or not Path("/etc/debian_version").exists():
        return "ART is built of Debian's packages, and this is not Debian"
    absent = [package for program, package in NEEDED.items() if shutil.which(program) is None]
    places = [Path("/usr/include"), Path("/usr/include/x86_64-linux-gnu")]
    absent += [name for header, name in HEADERS.items() if not any((place / header).exists() for place in places)]
    if processor is not None and processor.emulated:
        absent += [package for program, package in NEEDED_ACROSS.items() if shutil.which(program) is None]
    return f"to build ART, install {' '.join(absent)}" if absent else None


class Build:
    """One build, in a folder of its own."""

    def __init__(self, made: Path, work: Path, processor: Processor) -> None:
        self.made, self.work, self.processor = made, work, processor
        self.lib, self.jars = made / "lib64", made / "javalib"
        self.deb, self.source = work / "deb/usr", work / "source"
        self.foreign = work / "foreign/usr" if processor.emulated else self.deb
        for folder in ("bin", "lib64", "javalib", "names", "classes", "system/etc", "data/dalvik-cache", "etc/icu"):
            (made / folder).mkdir(parents=True)
        self.tools = JavaTools(dexer(PACKAGES), made / "asm.jar", made / "tools", made / "classes/core.jar")
        self.pool = ThreadPoolExecutor(cores())

    def across(self, built: Path) -> None:
        """The native half; the Java half is that of another build."""
        self._said("unpacking")
        self._unpack()
        with self.pool:
            self.native()
        for name in ("javalib", "classes", "tools", "tzdata"):
            shutil.copytree(built / name, self.made / name, dirs_exist_ok=True)

    def all(self) -> None:
        """Everything; what needs Java beside what needs a C compiler."""
        self._said("unpacking")
        self._unpack()
        self.tools.prepare()
        with self.pool:
            native = ThreadPoolExecutor(1).submit(self.native)
            self.java()
            native.result()
        zones = self.made / "tzdata/etc/tz/tzdata"
        zones.parent.mkdir(parents=True)
        zones.write_bytes(libcore.time_zones(Path("/usr/share/zoneinfo")))

    def _said(self, words: str) -> None:
        print(f"art: {words}", file=sys.stderr, flush=True)

    def _unpack(self) -> None:
        for package in debian(self.processor):
            file = package.file(PACKAGES)
            assert file is not None
            if package.source:
                self.source.mkdir(exist_ok=True)
                run(["dpkg-source", "-x", file, self.source / package.name.removeprefix("android-platform-")])
            else:
                run(["dpkg-deb", "-x", file, self.work / ("foreign" if package.foreign else "deb")])
        shutil.copy(self._jar("asm"), self.made / "asm.jar")
        libcore.change(self.source / "libcore")

    def _jar(self, name: str) -> Path:
        """One of Debian's jars: the file with a version in its name."""
        (found,) = (
            path for path in (self.deb / "share/java").glob(f"{name}-*.jar") if path.stem[len(name) + 1].isdigit()
        )
        return found

    # Java

    def java(self) -> None:
        """The boot class path, and what comes with it."""
        tools, work = self.tools, self.work
        boot = self.source / "libcore"
        self._said("android.icu, java.*")
        icu = self._renamed([self._jar("icu4j")], {"com.ibm.icu.**": "android.icu.@1"}, "icu")[0]
        sources = [*libcore.java_sources(boot), *HERE.glob("java/core/**/*.java")]
        fitted = work / "icu-fitted.jar"
        tools.fit(icu, fitted)
        icu_done = self.pool.submit(tools.dex, [fitted], self.jars / "icu.jar")
        tools.compile_for_core(sources, tools.core, icu)
        tools.dex([tools.core], self.jars / "core.jar")
        icu_done.result()
        self._said("TLS, http")
        tls = [work / f"{name}.jar" for name in TLS]
        tools.fit(*(part for name, made in zip(TLS, tls, strict=True) for part in (self._jar(name), made)))
        tls_done = self.pool.submit(tools.dex, tls, self.jars / "tls.jar")
        device = self._small("device", [], icu)
        okhttp = [self._jar("okhttp"), self._jar("okhttp-urlconnection"), self._jar("okio")]
        http = self._renamed(
            okhttp, {"okhttp3.**": "com.android.okhttp.@1", "okio.**": "com.android.okhttp.okio.@1"}, "http"
        )
        for jar in http:
            self._without(jar, "Jdk9Platform")
        ours = tools.compile_for_core(self._ours("http"), work / "http-ours.jar", tools.core, [*http, *tls])
        fitted_http = [jar.with_name(f"fitted-{jar.name}") for jar in http]
        tools.fit(*(part for pair in zip(http, fitted_http, strict=True) for part in pair))
        tools.dex([*fitted_http, ours], self.jars / "http.jar", tls)
        self._small("gate", [device], tools.core)
        tls_done.result()
        self._resources(icu, http)

    def _ours(self, name: str) -> list[Path]:
        return sorted((HERE / "java" / name).rglob("*.java"))

    def _small(self, name: str, needs: Sequence[Path], *more: Path) -> Path:
        """Classes of ours that belong to the device."""
        jar = self.made / "classes" / f"{name}.jar"
        self.tools.compile_for_core(self._ours(name), jar, self.tools.core, [*needs, *more])
        self.tools.dex([jar], self.jars / f"{name}.jar", needs)
        return jar

    def _renamed(self, jars: Sequence[Path], rules: dict[str, str], name: str) -> list[Path]:
        """Jars with their packages renamed."""
        listed = self.work / f"{name}.rules"
        listed.write_text("".join(f"rule {old} {new}\n" for old, new in rules.items()))
        classpath = ":".join(str(self._jar(each)) for each in ("jarjar", "asm", "asm-commons", "asm-tree"))
        made = [self.work / f"{name}-{jar.name}" for jar in jars]
        for jar, out in zip(jars, made, strict=True):
            self.tools.java(classpath, "com.tonicsystems.jarjar.Main", "process", listed, jar, out)
        return made

    @staticmethod
    def _without(jar: Path, part: str) -> None:
        """Take out of a jar what has this in its name."""
        smaller = jar.with_suffix(".less")
        with zipfile.ZipFile(jar) as old, zipfile.ZipFile(smaller, "w") as new:
            for name in old.namelist():
                if part not in name:
                    new.writestr(name, old.read(name))
        smaller.replace(jar)

    def _resources(self, icu: Path, http: Iterable[Path]) -> None:
        """What classes of the boot class path load beside code."""
        boot = self.source / "libcore"
        with zipfile.ZipFile(self.jars / "core.jar", "a") as core:
            for folder in (boot / "luni/src/main/java", boot / "ojluni/src/main/resources"):
                for path in sorted(folder.rglob("*")):
                    if path.is_file() and path.suffix not in (".java", ".html") and path.name != "security.properties":
                        core.write(path, path.relative_to(folder))
            core.write(HERE / "java/security.properties", "java/security/security.properties")
        for out, jars in {"icu": [icu], "http": http, "tls": [self._jar(name) for name in TLS]}.items():
            with zipfile.ZipFile(self.jars / f"{out}.jar", "a") as to:
                for jar in jars:
                    with zipfile.ZipFile(jar) as of:
                        wanted = [n for n in of.namelist() if re.match(r"(android|com|org)/.*\.(?!class)\w+$", n)]
                        for name in wanted:
                            to.writestr(name, of.read(name))

    # C and C++

    def native(self) -> None:
        """The VM under the names that it and Frida ask for, the native part of its library, and its launcher."""
        self._said("native code")
        self._debians()
        boot, vm = self.source / "libcore", self.source / "art"
        luni, ojluni = boot / "luni/src/main/native", boot / "ojluni/src/main/native"
        headers = self.deb / "include/android"
        ours = HERE / "native/include"
        folders = [ours, ours / "external/fdlibm", headers, headers / "nativehelper", boot / "include", luni, ojluni]
        folders += [vm / name for name in VM_FOLDERS]
        include = [f"-I{folder}" for folder in folders]
        cxx = ["-std=gnu++17", *FORCED, "-DTRUE=1", "-DFALSE=0"]
        jvm = self.work / "OpenjdkJvm.cc"
        text = (vm / "openjdkjvm/OpenjdkJvm.cc").read_text("utf-8")
        jvm.write_text(re.sub(r'#include "[./]+/jvm\.h"', '#include "jvm.h"', text), "utf-8")
        wait: list[Callable[[], Path]] = []

        def objects(name: str, sources: Iterable[Path], flags: Sequence[str]) -> list[Path]:
            made = []
            for source in sources:
                out = self.work / "objects" / name / f"{source.name}.o"
                out.parent.mkdir(parents=True, exist_ok=True)
                made.append(out)
                own = cxx if source.suffix == ".cpp" else ["-std=gnu11"] if source.suffix == ".c" else []
                wait.append(self.pool.submit(self.compiled, source, out, [*own, *flags, *include]).result)
            return made

        target = boot / "dalvik/src/main/native/org_apache_harmony_dalvik_NativeTestTarget.cpp"
        core = objects("javacore", [*libcore.native_sources(luni), target], LIBRARY_FLAGS)
        openjdk = objects("openjdk", libcore.native_sources(ojluni), LIBRARY_FLAGS)
        vm_flags = [*VM_FLAGS, f"-DART_ENABLE_CODEGEN_{self.processor.codegen}"]
        virtual = objects("vm", [jvm, vm / "dalvikvm/dalvikvm.cc"], vm_flags)
        early = objects("early", [HERE / f"native/launch_{name}.c" for name in ("with_libc", "stacks")], ["-O1"])
        for done in wait:
            done()
        monitor = next(path for path in core if path.name.startswith("AsynchronousCloseMonitor"))
        core.remove(monitor)
        self._link("libandroidio", [monitor], ["log"])
        icu = ("-licuuc", "-licui18n", "-lz", "-ldl")
        self._link(
            "libjavacore", core, ["androidio", "base", "log", "nativehelper", "ziparchive", "crypto"], *icu, "-lexpat"
        )
        self._link("libopenjdkjvm", virtual[:1], ["art", "base", "log", "nativehelper"])
        parts = ["openjdkjvm", "androidio", "base", "log", "nativehelper", "ziparchive", "crypto"]
        self._link("libopenjdk", openjdk, parts, *icu)
        flags = [f"-I{headers / 'nativehelper'}"]
        self._link("libandroid_runtime", objects_now(self, "android_runtime.c", flags), [])
        self._link("lib7z", objects_now(self, "no_7z.c", []), [])
        facts = [f'-DANDROID_RELEASE="{RELEASE}"', f'-DANDROID_API="{API}"', f'-DANDROID_ABI="{self.processor.abi}"']
        self._link("libc", objects_now(self, "libc.c", facts), [], into=self.made / "names")
        linked: list[str | Path] = [*virtual[1:], *early, "-Wl,--no-as-needed"]
        linked += [self._library(name) for name in ("sigchain", "art", "nativehelper", "log", "base")]
        places = [f"-Wl,-rpath-link,{self.lib}", "-Wl,--disable-new-dtags", "-Wl,-rpath,$ORIGIN/../lib64"]
        run(
            [
                *compiler("clang++", self.processor),
                "-rdynamic",
                "-o",
                self.made / "bin/dalvikvm64",
                *linked,
                *places,
                "-ldl",
            ]
        )

    def _debians(self) -> None:
        """libart and libnativehelper lose the number in their names: Frida looks for libart.so."""
        old = self.foreign / f"lib/{self.processor.triple}/android"
        for name in LIBRARIES:
            shutil.copy(old / f"lib{name}.so.0", self.lib)
        for name in ("art", "nativehelper"):
            shutil.copy(old / f"lib{name}.so.0", self.lib / f"lib{name}.so")
            run(["patchelf", "--set-soname", f"lib{name}.so", self.lib / f"lib{name}.so"])
        for path in sorted(self.lib.iterdir()):
            run(["patchelf", "--remove-rpath", path])
        for name, wanted, there in (
            ("nativeloader", "libnativebridge.so", "libnativebridge.so.0"),
            ("dexfile_support", "libart.so.0", "libart.so"),
        ):
            run(["patchelf", "--replace-needed", wanted, there, self._library(name)])

    def _library(self, name: str) -> Path:
        (found,) = self.lib.glob(f"lib{name}.so*")
        return found

    def compiled(self, source: Path, out: Path, flags: Sequence[str]) -> Path:
        name = "clang" if source.suffix == ".c" else "clang++"
        run([*compiler(name, self.processor, links=False), *flags, "-fPIC", "-c", source, "-o", out])
        return out

    def _link(
        self, name: str, objects: Sequence[Path], needs: Sequence[str], *more: str, into: Path | None = None
    ) -> None:
        out = (into or self.lib) / f"{name}.so"
        options = ("-shared", f"-Wl,-soname,{name}.so", f"-Wl,-rpath-link,{self.lib}", "-Wl,--no-undefined")
        run([*compiler("clang++", self.processor), *options, "-o", out, *objects, *map(self._library, needs), *more])


def objects_now(build: Build, name: str, flags: Sequence[str]) -> list[Path]:
    """One of our own files, compiled."""
    out = build.work / "objects" / f"{name}.o"
    return [build.compiled(HERE / "native" / name, out, ["-std=gnu11", "-O1", *flags])]


def compiler(name: str, processor: Processor, *, links: bool = True) -> list[str | Path]:
    """`clang` or `clang++` for a processor."""
    if not processor.emulated:
        return [name]
    root = sysroot(processor)
    (gcc,) = (root / "usr/lib/gcc" / processor.triple).iterdir()
    library = root / "usr/include/c++" / gcc.name
    parts = [library, root / "usr/include" / processor.triple / "c++" / gcc.name]
    flags: list[str | Path] = [name, f"--target={processor.triple}", f"--sysroot={root}", f"-B{gcc}"]
    flags += [word for part in parts for word in ("-stdlib++-isystem", part)] if name == "clang++" else []
    return [*flags, "-fuse-ld=lld", f"-L{gcc}"] if links else flags


def sysroot(processor: Processor) -> Path:
    """What is compiled against for an emulated processor: made where it is missing, for each list of packages once."""
    name = hashlib.sha256(" ".join((processor.suite, *processor.sysroot)).encode()).hexdigest()[:16]
    return unpacked(processor, processor.sysroot, STORE / f"sysroot-{processor.name}-{name}")


def unpacked(processor: Processor, packages: Sequence[str], where: Path) -> Path:
    """Debian's packages for a processor, and all that they need, unpacked into a folder; nothing of them is run."""
    if not where.exists():
        STORE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=STORE, prefix="build-") as folder:
            root = Path(folder) / "root"
            options = ("--quiet", "--variant=extract", f"--arch={processor.debian}", f"--include={','.join(packages)}")
            run(["mmdebstrap", *options, processor.suite, root, debian_mirror()])
            for name in ("bin", "lib", "sbin"):
                if not (root / name).exists():
                    (root / name).symlink_to(f"usr/{name}")
            root.rename(where)
    return where


def build(processor: Processor | None = None) -> Path:
    """The runtime for a processor, by default this machine's; made where it is missing. Raises Unavailable."""
    processor = processor or native()
    where = home(processor)
    if where.exists():
        return where
    reason = lacking(processor)
    if reason is not None:
        raise Unavailable(reason)
    STORE.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    print("art: packages", file=sys.stderr, flush=True)
    fetch(PACKAGES, processor)
    built = build() if processor.emulated else None
    with tempfile.TemporaryDirectory(dir=STORE, prefix="build-") as folder:
        made = Path(folder) / "made"
        making = Build(made, Path(folder), processor)
        if built is None:
            making.all()
        else:
            sysroot(processor)
            making.across(built)
        made.rename(where)
    print(f"art: built in {time.monotonic() - began:.0f} s: {where}", file=sys.stderr, flush=True)
    return where


if __name__ == "__main__":
    try:
        build(processors()[sys.argv[1]] if len(sys.argv) > 1 else None)
    except Unavailable as error:
        print(f"art: there is none, and its tests are skipped: {error}", file=sys.stderr)
    except RuntimeError as error:
        sys.exit(f"art: it does not build: {error}")
