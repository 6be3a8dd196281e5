"""The agent's C compiles for each processor without a warning, whichever way the processor has plain `char`.

On a device it is compiled by Frida's small compiler, which warns of next to nothing. The headers in include/ declare
what the agent uses of Frida's; layouts that C and TypeScript share are static assertions in the C itself.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
HOOKS = ROOT / "hooks"
NATIVE = HOOKS / "native"
ZIG = ROOT / ".setup/zig/ziglang/zig"
NODE = ROOT / ".setup/node/bin"
TARGETS = {
    "x64": ("x86_64-linux-gnu", 8),
    "arm64": ("aarch64-linux-gnu", 8),
    "arm": ("armv7-linux-gnueabi", 4),
    "ia32": ("i686-linux-gnu", 4),
}
"""Frida's name of a processor -> the compiler's, and bytes of a pointer."""
C = ("-xc", "-std=gnu11", "-nostdinc", "-ffreestanding", f"-I{HERE / 'include'}", f"-I{NATIVE}")
CC = os.environ.get("CC", "cc")
STRICT = ("-fsyntax-only", "-ferror-limit=0", "-Wall", "-Wextra", "-Wconversion", "-Wtype-limits", "-Werror")
ASSEMBLY = ("-S", "-O1", "-g0", "-fno-inline", "-w", "-o", "-")
FUNCTION = re.compile(r"^(\w+):", re.MULTILINE)
LABEL = re.compile(r"\.L[A-Z]*\d+\b")  # numbered through all functions


def compiler() -> list[str]:
    """Clang: that of .setup, or of the system. Skips where there is none."""
    if ZIG.exists():
        return [str(ZIG), "clang"]
    found = shutil.which("clang")
    if found is None:
        pytest.skip("there is no clang to compile the agent's C with: make check brings one")
    return [found]


@cache
def added() -> dict[str, dict[str, Any]]:
    """Processor -> what JavaScript adds there (sources.mjs). Skips where nothing runs TypeScript."""
    node = shutil.which("node", path=f"{NODE}{os.pathsep}{os.environ['PATH']}")
    if node is None or not (HOOKS / "node_modules/typescript").exists():
        pytest.skip("there is no Node.js with TypeScript to read the agent's C with: make check brings them")
    words = [f"{arch}={size}" for arch, (_, size) in TARGETS.items()]
    done = subprocess.run([node, HERE / "sources.mjs", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def sources(arch: str) -> dict[str, str]:
    """File of hooks/native, and `methods` -> C as it is compiled on a processor."""
    of_script = added()[arch]
    files = {path.stem: path.read_text("utf-8") for path in sorted(NATIVE.glob("*.c"))}
    assert of_script["layouts"].keys() <= files.keys()
    return {name: f"{text}\n{of_script['layouts'].get(name, '')}" for name, text in files.items()} | {
        "methods": of_script["methods"]
    }


def warnings(source: str, arch: str, char: str) -> str:
    """What the compiler says of it for a processor, plain char `signed` or `unsigned`; empty: nothing."""
    command = [*compiler(), f"--target={TARGETS[arch][0]}", f"-f{char}-char", *C, *STRICT, "-"]
    done = subprocess.run(command, input=source, capture_output=True, text=True, check=False)
    return done.stderr if done.returncode else ""


def functions(source: str, char: str) -> dict[str, str]:
    """Function -> its instructions, on this machine's processor."""
    command = [CC, f"-f{char}-char", *C, *ASSEMBLY, "-"]
    done = subprocess.run(command, input=source, capture_output=True, text=True, check=True)
    parts = FUNCTION.split(LABEL.sub(".L", done.stdout))
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def depending_on_sign(source: str) -> list[str]:
    """The functions that are compiled to something else when plain char has the other sign."""
    signed, unsigned = functions(source, "signed"), functions(source, "unsigned")
    return sorted(name for name in signed.keys() | unsigned.keys() if signed.get(name) != unsigned.get(name))


@pytest.mark.parametrize("char", ["signed", "unsigned"])
@pytest.mark.parametrize("arch", TARGETS)
def test_the_c_compiles_without_a_warning(arch, char):
    found = {name: warnings(source, arch, char) for name, source in sources(arch).items()}
    assert "".join(f"{name}:\n{said}\n" for name, said in found.items() if said) == ""


@pytest.mark.parametrize(
    ("source", "arch", "char", "said"),
    [
        ("int below (char c); int below (char c) { return c < 0; }", "arm64", "unsigned", "always false"),
        ("int below (char c); int below (char c) { return c < 0; }", "arm64", "signed", ""),
        ("#include <glib.h>\nguint16 cut (gint number) { return number; }", "x64", "signed", "loses integer precision"),
        ("#include <glib.h>\nguint64 wide (gpointer p) { return (guint64) p; }", "x64", "signed", ""),
        ("#include <glib.h>\n_Static_assert (sizeof (gsize) == 8, \"wide\");", "arm", "signed", "wide"),
        ("int absent (void) { return nowhere (); }", "ia32", "signed", "nowhere"),
    ],
)  # fmt: skip
def test_the_compiler_sees_what_it_is_asked_for(source, arch, char, said):
    found = warnings(source, arch, char)
    assert (said in found) if said else (found == "")


def test_no_function_depends_on_the_sign_of_plain_char():
    assert [name for source in sources("x64").values() for name in depending_on_sign(source)] == []


@pytest.mark.skipif(not shutil.which(CC), reason="no C compiler")
@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("while (*text >= 0) text++; return *text;", ["f"]),
        ("return *text == -1;", ["f"]),
        ("return *text + 1;", ["f"]),
        ("char last = -1; return text[0] < last;", ["f"]),
        ("return *text == 'a';", []),
        ("return *(const signed char *) text < 0;", []),
        ("while (*text != 0) text++; return (unsigned char) *text;", []),
    ],
)
def test_a_function_that_depends_on_it_is_found(statement, found):
    assert depending_on_sign(f"int f(const char *text) {{ {statement} }}") == found
