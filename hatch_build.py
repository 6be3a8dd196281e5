"""Builds what a wheel carries and a checkout needs: the agent (from hooks/), the lab device's classes (from Java), the
compiled part of the search (from C), the catalogues of translations (from .po files), and what the YAML files say.

`python hatch_build.py` builds what is out of date; `--current` only says, by its exit code, whether all is current;
`--wheels FOLDER` makes a wheel for each of `TARGETS`, cross-compiled by the Clang in the wheel of Zig.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import pickle
import re
import runpy
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).parent
AGENT = Path("monitor/appwitness/agent/agent.js")
LAB = Path("monitor/appwitness/devices/lab/lab.jar")
SEARCH = Path("monitor/appwitness/match/native/libsearch.so")
TRANSLATIONS = Path("monitor/appwitness/support/locale")
PACKAGE = Path("monitor/appwitness")
LOADED = PACKAGE / "catalog/loaded"
COMMIT = Path("monitor/appwitness/commit.txt")
THIS_BUILD = Path("monitor/appwitness/support/this_build.py")


def is_current(target: Path, sources: Iterable[Path]) -> bool:
    """Whether `target` exists and is no older than any of `sources`."""
    return target.exists() and all(path.stat().st_mtime <= target.stat().st_mtime for path in sources)


class Build(BuildHookInterface[Any]):
    """Hatchling's hook: builds all before a wheel or an editable install is put together."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build, and put addons/ into a wheel as appwitness/addons (a checkout uses it where it is)."""
        build(Path(self.root))
        if version != "editable":
            build_data["force_include"][str(Path(self.root) / "addons")] = "appwitness/addons"
            commit = os.environ.get("APPWITNESS_COMMIT") or commit_of(Path(self.root))
            (Path(self.root) / COMMIT).write_text(f"{commit}\n" if commit else "", "ascii")
            build_data["force_include"][str(bridge_licence())] = "appwitness/agent/java-bridge-COPYING.txt"
        if self.target_name == "wheel":
            build_data["pure_python"] = False
            target = os.environ.get("APPWITNESS_WHEEL_FOR")
            tag = TARGETS[target] if target else platform_tag((Path(self.root) / SEARCH).read_bytes())
            build_data["tag"] = f"py3-none-{tag}"


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A path beside the target to write to; it takes the target's place in one step, unless writing failed."""
    made = target.with_name(f"{target.name}.{os.getpid()}")
    yield made
    made.replace(target)


def agent_sources(root: Path) -> list[Path]:
    """The files that the agent is built from."""
    hooks = root / "hooks"
    rooms = (folder for folder in hooks.iterdir() if folder.is_dir() and folder.name != "node_modules")
    inside = (path for room in rooms for path in room.rglob("*") if path.suffix in {".ts", ".c", ".h"})
    return sorted([*hooks.glob("*.ts"), *inside])


def commit_of(root: Path) -> str | None:
    """The commit of a checkout, as `appwitness --version` says it; None where there is none."""
    said: str | None = runpy.run_path(str(ROOT / THIS_BUILD))["of_checkout"](root)
    return said


INCLUDE = re.compile(r'^#include "([^"]+)"\n', re.MULTILINE)


def one_text(source: Path, included: set[str] | None = None) -> str:
    """A C file with what it includes of its own folder, each once: Frida's compiler takes one text."""
    seen = set() if included is None else included

    def include(found: re.Match[str]) -> str:
        if found[1] in seen:
            return ""
        seen.add(found[1])
        return one_text(source.with_name(found[1]), seen)

    return INCLUDE.sub(include, source.read_text("utf-8"))


def lab_sources(root: Path) -> list[Path]:
    """The files that the lab device is built from."""
    return sorted((root / "monitor/appwitness/devices/lab/java").rglob("*.java"))


def java_bridge() -> tuple[Path, str]:
    """The Java bridge that the agent is built with, and what it is called there: that of frida-tools, or, by
    APPWITNESS_JAVA_BRIDGE, a file like it, one ES module, or the folder of a frida-java-bridge."""
    given = os.environ.get("APPWITNESS_JAVA_BRIDGE")
    if not given:
        import frida_tools

        path = Path(frida_tools.__file__).parent / "bridges" / "java.js"
        return path, f"frida-tools {importlib.metadata.version('frida-tools')}"
    path = Path(given).expanduser()
    files = [path] if path.is_file() else sorted([*path.glob("index.js"), *path.glob("lib/**/*.js")])
    if not files:
        sys.exit(
            f"APPWITNESS_JAVA_BRIDGE: there is no Java bridge at {given}: name a file, or a folder with an index.js."
        )
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    return path, f"{re.sub(r'[^A-Za-z0-9._-]', '_', path.resolve().name)} sha256:{digest}"


def bridge_licence() -> Path:
    """The licence of frida-tools, which is that of the Java bridge in it."""
    for file in importlib.metadata.files("frida-tools") or ():
        if file.name == "COPYING":
            return Path(str(file.locate()))
    sys.exit("The licence of frida-tools is not installed: a wheel may not go without it (THIRD-PARTY.md).")


NEW_FLAG = 0x00100000
"""kAccNterpEntryPointFastPathFlag: Android 17 also sets it on the method by which the bridge finds where flags lie."""
MASK_SOURCE = re.compile(r"(\brelevantAccessFlagsMask\s*=\s*~\()([^)]*)(\))")
MASK_MINIFIED = re.compile(r"(\b281\s*={2,3}\s*\(\s*)(\d+)(\s*&\s*[\w$]+\.readU32\(\))")
"""The same in a minified bridge, where the flags that are looked for are their number."""


def knows_android_17(codes: dict[Path, str]) -> dict[Path, str]:
    """The files of a bridge whose mask leaves out the new flag, as frida-java-bridge's pull request 398 does.

    A bridge that has it is left as it is. Ends the build where not exactly one mask is found.
    """
    masks = (MASK_SOURCE, MASK_MINIFIED)
    found = [(path, mask) for path, code in codes.items() for each in masks for mask in each.finditer(code)]
    if len(found) != 1:
        sys.exit(
            f"The agent does not build: the Java bridge has {len(found)} places that mask the access flags of a method,"
            " and 1 is expected. Its text has changed: compare it with hatch_build.py (knows_android_17), or name"
            " another bridge by APPWITNESS_JAVA_BRIDGE."
        )
    path, mask = found[0]
    old = mask[2]
    if mask.re is MASK_MINIFIED:
        new = str(int(old) & ~NEW_FLAG)
    else:
        name = "kAccNterpEntryPointFastPathFlag"
        new = old if name in old or f"0x{NEW_FLAG:x}" in old else f"{old} | 0x{NEW_FLAG:x}"
    code = codes[path]
    return codes | {path: code[: mask.start(2)] + new + code[mask.end(2) :]}


LISTED_BY_PATTERN = re.compile(
    r"\[\s*\.\.\.([\w$]+)\.enumerateExports\(\),\s*\.\.\.\1\.enumerateSymbols\(\)\s*\]"
    r"\s*\.filter\(\s*\(?([\w$]+)\)?\s*=>\s*([\w$]+)\.test\(\2\.name\)\s*\)"
)
"""Where the bridge lists the symbols of a library whose names match a pattern."""
LISTED_BY_NAME = re.compile(
    r"([\w$]+)\s*\.enumerate(?:Exports|Symbols)\(\)\s*\.reduce\("
    r"\s*function\s*\([^)]*\)\s*\{[^}]*\},\s*(?:\{\}|[\w$]+)\s*\)"
)
"""Where it lists them all by their names."""


def looks_up_symbols(codes: dict[Path, str]) -> dict[Path, str]:
    """The files of a bridge, given by their paths in its package, that have hooks/java/symbols.ts look symbols up and
    no longer list all of a library. A text that is not known stays as it is: it works, and takes longer."""
    changed = {}
    for path, code in codes.items():
        new = LISTED_BY_PATTERN.sub(r"appwitnessSymbols.matching(\1, \3)", code)
        new = LISTED_BY_NAME.sub(r"appwitnessSymbols.symbolsOf(\1)", new)
        up = "../" * (2 + len(path.parent.parts))
        changed[path] = code if new == code else f'import * as appwitnessSymbols from "{up}java/symbols.js";\n{new}'
    return changed


REGISTERED = "g_hash_table_insert (replacements, replacement_method, original_method);"
"""Where a native copy of a replaced method comes into use on ART, in the bridge's C."""
SAME_CLASS = "*((guint32 *) replacement_method) = *((guint32 *) original_method);"


def updates_new_copies(codes: dict[Path, str]) -> dict[Path, str]:
    """The files of a bridge that updates the class of a native copy as it comes into use: a collection that was going
    on when the copy was made may have moved the class and ended since. An unknown text stays as it is."""
    return {path: code.replace(REGISTERED, f"{REGISTERED} {SAME_CLASS}") for path, code in codes.items()}


def agent_is_current(root: Path) -> bool:
    """Whether the agent is built from hooks/ as it is and with that bridge, as this file puts them together."""
    agent = root / AGENT
    return is_current(agent, [*agent_sources(root), Path(__file__)]) and _origin(java_bridge()[1]) in agent.read_text(
        "utf-8"
    )


def _origin(name: str) -> str:
    """How the bundle names its bridge; monitor/appwitness/agent/agent.py reads it there."""
    return f"the Java bridge of {name};"


def build_agent(root: Path) -> Path:
    """Bundle hooks/ and a Java bridge into one script, where it is out of date; needs no node."""
    agent = root / AGENT
    sources = agent_sources(root)
    if agent_is_current(root):
        return agent
    import frida

    bridge, name = java_bridge()
    problems: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        stage = Path(folder).resolve()
        for path in sources:
            staged = stage / path.relative_to(root / "hooks")
            staged.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, staged)
            if path.suffix in {".c", ".h"}:
                staged.with_suffix(".txt").write_text(one_text(path), "utf-8")
        module = stage / "node_modules" / "frida-java-bridge"
        module.mkdir(parents=True)
        (module / "package.json").write_text('{"name": "frida-java-bridge", "type": "module", "main": "index.js"}')
        if bridge.is_dir():
            shutil.copytree(bridge, module / "bridge", ignore=shutil.ignore_patterns("node_modules", ".git"))
        else:
            code = bridge.read_text("utf-8")
            is_module = re.search(r"\bexport\b[^;]*\bdefault\b", code)  # that of frida-tools declares a variable
            (module / "bridge").mkdir()
            (module / "bridge/index.js").write_text(code if is_module else f"{code}\nexport default bridge;\n", "utf-8")
        files = sorted((module / "bridge").rglob("*.js"))
        codes = {path.relative_to(module): path.read_text("utf-8") for path in files}
        for path, text in looks_up_symbols(updates_new_copies(knows_android_17(codes))).items():
            (module / path).write_text(text, "utf-8")
        told = f'import bridge from "./bridge/index.js";\nbridge.origin = "{_origin(name)}";\nexport default bridge;\n'
        (module / "index.js").write_text(told, "utf-8")
        compiler = frida.Compiler()  # type: ignore[no-untyped-call]
        compiler.on("diagnostics", lambda found: problems.extend(str(problem) for problem in found))
        try:
            # Types are checked by tsc in `make check`; source maps would name paths of the build machine.
            script = compiler.build(
                "agent.ts", project_root=str(stage), type_check="none", source_maps="omitted", compression="none"
            )
        except frida.InvalidArgumentError as error:
            sys.exit(f"The agent does not build: {error}\n" + "\n".join(problems))
    with replacing(agent) as made:
        made.write_text(script, "utf-8")
    return agent


def build_lab(root: Path) -> Path:
    """Compile the lab device's Java sources into lab.jar where it is out of date; returns the jar.

    The jar is the same, byte for byte, for the same classes: entries sorted, one fixed time.
    """
    jar, sources = root / LAB, lab_sources(root)
    if is_current(jar, sources):
        return jar
    with tempfile.TemporaryDirectory() as folder:
        classes = Path(folder)
        compiled = subprocess.run(
            [*_javac(), "--release", "17", "-encoding", "UTF-8", "-nowarn", "-g", "-d", folder, *map(str, sources)],
            capture_output=True,
            text=True,
            check=False,
        )
        if compiled.returncode:
            sys.exit(f"The lab device's Java sources do not compile:\n{compiled.stdout}{compiled.stderr}")
        with replacing(jar) as made, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(classes.rglob("*.class")):
                entry = zipfile.ZipInfo(path.relative_to(classes).as_posix(), (2020, 1, 1, 0, 0, 0))
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, path.read_bytes())
    return jar


def _javac() -> list[str]:
    """The compiler of JAVA_HOME or of the PATH."""
    home = os.environ.get("JAVA_HOME")
    found = (home and shutil.which("javac", path=Path(home) / "bin")) or shutil.which("javac")
    if not found:
        sys.exit(
            "No Java compiler for the lab device: install a JDK, 17 or newer (Debian, Ubuntu: "
            "apt install openjdk-17-jdk-headless), or set JAVA_HOME."
        )
    return [found]


def search_sources(root: Path) -> list[Path]:
    """The files that the compiled part of the search is built from."""
    return sorted((root / SEARCH).parent.rglob("*.[ch]"))


def platform_tag(library: bytes) -> str:
    """The platforms that a wheel with this library is for: of Linux, those whose glibc has every symbol that it names
    (PEP 600); of others, the one that it was built on."""
    platform = re.sub(r"\W", "_", sysconfig.get_platform())
    versions = {(int(major), int(minor)) for major, minor in re.findall(rb"\0GLIBC_(\d+)\.(\d+)", library)}
    if versions and platform.startswith("linux_"):
        major, minor = max(*versions, (2, 17))  # the oldest that pip is still told to look for
        platform = platform.replace("linux", f"manylinux_{major}_{minor}", 1)
    return platform


TARGETS = {
    "x86_64-linux-gnu.2.17": "manylinux_2_17_x86_64",
    "aarch64-linux-gnu.2.17": "manylinux_2_17_aarch64",
    "x86_64-linux-musl": "musllinux_1_2_x86_64",
    "aarch64-linux-musl": "musllinux_1_2_aarch64",
    "x86_64-macos.11.0": "macosx_11_0_x86_64",
    "aarch64-macos.11.0": "macosx_11_0_arm64",
}
"""What Zig calls a machine that a release has a wheel for -> the tag of that wheel (PEP 600, PEP 656)."""


def build_wheels(root: Path, out: Path, targets: Iterable[str] = TARGETS) -> list[Path]:
    """Write into `out` a wheel for each of `targets`, the same byte for byte wherever it is built; returns their paths.

    The agent and the lab device are the same in each; the search is compiled in a copy of the tree.
    """
    build(root)
    left_out = shutil.ignore_patterns(".*", "node_modules", "__pycache__", "dist", "build", "recordings", SEARCH.name)
    made: list[Path] = []
    for target in targets:
        with tempfile.TemporaryDirectory() as folder:
            tree = Path(folder) / "tree"
            shutil.copytree(root, tree, ignore=left_out)
            compiler = shlex.join([str(root / ".setup/zig/ziglang/zig"), "cc", "-target", target])
            environment = os.environ | {
                "APPWITNESS_WHEEL_FOR": target,
                "CC": compiler,
                "APPWITNESS_COMMIT": commit_of(root) or "",
            }
            command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out.resolve())]
            built = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)
        if built.returncode:
            sys.exit(f"The wheel for {target} was not built:\n{built.stdout}{built.stderr}")
        made += sorted(out.glob(f"*-{TARGETS[target]}.whl"))
    return made


FLAGS = (
    *("-O3", "-shared", "-fPIC", "-fvisibility=hidden", "-Wall", "-Wextra", "-Werror"),
    "-Wno-bitwise-instead-of-logical",  # of conditions without a branch, which are meant
    "-ffp-contract=off",  # numbers are rounded alike whether or not the processor multiplies and adds in one step
    *("-fstack-protector-strong", "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2"),
    "-Wl,-s",  # neither names nor paths of the machine that it was built on
)
LINUX = ("-Wl,-z,relro,-z,now,-z,noexecstack",)


def build_search(root: Path) -> Path:
    """Compile the search where it is out of date, with CC (a command; else cc) and, after ours, the flags of CFLAGS."""
    library, sources = root / SEARCH, search_sources(root)
    if is_current(library, sources):
        return library
    compiler = shlex.split(os.environ.get("CC", "cc"))
    if not shutil.which(compiler[0]):
        sys.exit(
            "No C compiler for the search: install one (Debian, Ubuntu: apt install gcc libc6-dev), set CC, or install "
            "a wheel of appwitness, which needs none."
        )
    files = [str(path) for path in sources if path.suffix == ".c"]
    flags = FLAGS + (LINUX if "linux" in os.environ.get("APPWITNESS_WHEEL_FOR", sys.platform) else ())
    own = shlex.split(os.environ.get("CFLAGS", ""))
    with replacing(library) as made:
        command = [*compiler, *flags, *own, "-o", str(made), *files, "-lm"]
        compiled = subprocess.run(command, capture_output=True, text=True, check=False)
        if compiled.returncode:
            sys.exit(f"The search does not compile:\n{compiled.stdout}{compiled.stderr}")
    return library


def catalogues(root: Path) -> dict[Path, Path]:
    """A .po file of translations -> the catalogue that gettext reads."""
    folder = root / TRANSLATIONS
    return {each: folder / each.stem / "LC_MESSAGES" / "appwitness.mo" for each in sorted(folder.glob("*.po"))}


def build_catalogues(root: Path) -> None:
    """Compile the translations where they are out of date."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    for source, target in catalogues(root).items():
        if not is_current(target, [source]):
            target.parent.mkdir(parents=True, exist_ok=True)
            with replacing(target) as made, source.open("rb") as there, made.open("wb") as out:
                write_mo(out, read_po(there))


def yaml_files(root: Path) -> dict[Path, Path]:
    """A YAML file of the package -> the file that has what it says, named by the digest of its text."""
    sources = sorted((root / PACKAGE).rglob("*.yml"))
    return {each: root / LOADED / f"{hashlib.sha256(each.read_bytes()).hexdigest()}.pickle" for each in sources}


def build_yaml(root: Path) -> None:
    """Load each YAML file once: a program that reads the result is spared nine tenths of the time."""
    import yaml

    files = yaml_files(root)
    (root / LOADED).mkdir(exist_ok=True)
    for old in {*(root / LOADED).glob("*.pickle")} - {*files.values()}:  # not what another build is just writing
        old.unlink(missing_ok=True)
    for source, target in files.items():
        if not target.exists():
            with replacing(target) as made:
                made.write_bytes(pickle.dumps(yaml.safe_load(source.read_text("utf-8")), protocol=5))


def build(root: Path) -> None:
    """Build the search, the agent, the lab device, the translations and the YAML files where they are out of date."""
    build_catalogues(root)
    build_yaml(root)
    build_search(root)
    build_agent(root)
    build_lab(root)


if __name__ == "__main__":
    if "--current" in sys.argv:
        made = [(LAB, lab_sources), (SEARCH, search_sources)]
        current = [is_current(ROOT / target, sources(ROOT)) for target, sources in made]
        current += [is_current(target, [source]) for source, target in catalogues(ROOT).items()]
        current += [target.exists() for target in yaml_files(ROOT).values()]
        sys.exit(not (agent_is_current(ROOT) and all(current)))
    if "--wheels" in sys.argv:
        print(*build_wheels(ROOT, Path(sys.argv[-1])), sep="\n")
        sys.exit()
    build(ROOT)
