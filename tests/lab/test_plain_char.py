"""The agent's C is the same program whether plain char is signed, as on x86-64, or unsigned, as on arm64."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import frida
import pytest

from hatch_build import agent_sources
from tests.lab.staged import bundled, copied

HERE = Path(__file__).parent

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(not shutil.which("cc"), reason="needs a C compiler to compile the agent's C in both ways"),
    pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="the agent's modules need a C library of Linux"),
]

COLLECT = """
export const texts = new Set<string>();
globalThis.CModule = new Proxy(CModule, {
  construct(made, args) {
    texts.add(args[0] as string);
    return Reflect.construct(made, args);
  },
});
"""
MODULE = re.compile(r"\bnew CModule\((?!code,)")  # `code` is what folding.ts writes for single methods
UNEXPORTED = re.compile(r"^const SOURCE = ", re.MULTILINE)
FUNCTION = re.compile(r"^(\w+):", re.MULTILINE)
LABEL = re.compile(r"\.L[A-Z]*\d+\b")  # numbered through all functions


def c_of_the_agent(folder: Path) -> list[str]:
    """The text of each C module, as the agent's modules make it in a process."""
    stage = copied(folder)
    sources = agent_sources(stage)
    for path in sources:  # what is compiled only when it is needed stands in a SOURCE
        path.write_text(UNEXPORTED.sub("export const SOURCE = ", path.read_text("utf-8")), "utf-8")
    (stage / "hooks/texts.ts").write_text(COLLECT, "utf-8")
    names = [path.relative_to(stage / "hooks").with_suffix(".js").as_posix() for path in sources]
    names.remove("agent.js")
    agent = [
        'import { texts } from "./texts.js";',
        *(f'import * as m{i} from "./{name}";' for i, name in enumerate(names)),
        f"const all: object[] = [{', '.join(f'm{i}' for i in range(len(names)))}];",
        "all.forEach((each) => { if ('SOURCE' in each) { texts.add(each.SOURCE as string); } });",
        "rpc.exports = { texts: () => [...texts] };",
    ]
    script = bundled(stage, "\n".join(agent))
    process = subprocess.Popen(["sleep", "60"])
    try:
        loaded = frida.attach(process.pid).create_script(script)
        loaded.load()
        texts = list(loaded.exports_sync.texts())
    finally:
        process.kill()
        process.wait()
    assert len(texts) == sum(len(MODULE.findall(path.read_text("utf-8"))) for path in sources)
    return texts


def compiled(text: str, sign: str, folder: Path) -> dict[str, str]:
    """Function -> its instructions, with plain char signed or unsigned."""
    source, made = folder / "text.c", folder / "text.s"
    source.write_text(text, "utf-8")
    options = ["-S", "-O1", "-g0", "-fno-inline", "-w", f"-f{sign}-char", f"-I{HERE / 'native/include'}"]
    subprocess.run(["cc", *options, "-o", str(made), str(source)], check=True)
    parts = FUNCTION.split(LABEL.sub(".L", made.read_text("utf-8")))
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def depending_on_sign(text: str, folder: Path) -> list[str]:
    """The functions that are compiled to something else when plain char has the other sign."""
    signed, unsigned = compiled(text, "signed", folder), compiled(text, "unsigned", folder)
    return sorted(name for name in signed.keys() | unsigned.keys() if signed.get(name) != unsigned.get(name))


def test_no_function_depends_on_the_sign_of_plain_char(tmp_path):
    assert [name for text in c_of_the_agent(tmp_path) for name in depending_on_sign(text, tmp_path)] == []


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
def test_a_function_that_depends_on_it_is_found(tmp_path, statement, found):
    assert depending_on_sign(f"int f(const char *text) {{ {statement} }}", tmp_path) == found
