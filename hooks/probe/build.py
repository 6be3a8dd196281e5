"""Writes hooks/watch/probe_code.ts from the Java beside this file: class files for a JVM, a DEX file for ART.

usage: python hooks/probe/build.py D8.jar >hooks/watch/probe_code.ts     with a JDK (17 or newer) on the PATH
"""

import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
HEAD = """\
// Written by hooks/probe/build.py from the Java in hooks/probe: change that. Hex.
"""


def main(d8: str) -> None:
    """Compile the classes, and print the module."""
    print(HEAD)
    with tempfile.TemporaryDirectory() as folder:
        sources = sorted(map(str, HERE.glob("*.java")))
        subprocess.run(["javac", "--release", "8", "-Xlint:-options", "-g:none", "-d", folder, *sources], check=True)
        classes = sorted(Path(folder).rglob("*.class"))
        dexer = ["java", "-cp", d8, "com.android.tools.r8.D8", "--release", "--min-api", "24", "--output", folder]
        subprocess.run([*dexer, *map(str, classes)], check=True, stderr=subprocess.DEVNULL)
        print("/** For a JVM: an interface, and a class that has it. */")
        print("export const CLASSES: readonly (readonly [name: string, code: string])[] = [")
        for file in classes:
            print(f'  ["appwitness/{file.stem}", {_text(file)}],')
        print("];\n")
        print("/** For ART, both in one. */")
        print(f"export const DEX = {_text(Path(folder, 'classes.dex'))};")


def _text(file: Path) -> str:
    code = file.read_bytes().hex()
    lines = [code[at : at + 110] for at in range(0, len(code), 110)]
    return "\n    + ".join(f'"{line}"' for line in lines)


if __name__ == "__main__":
    main(*sys.argv[1:2])
