"""run-as PACKAGE COMMAND...: in the app's folder, for packages of state["packages"] with `debuggable`; adb's user plays
the app's, and the folder is open to it."""

import subprocess
import sys
from pathlib import Path


def main(arguments, state):
    package, *command = arguments
    app = state["packages"].get(package)
    state.release()
    if app is None:
        print(f"run-as: unknown package: {package}", file=sys.stderr)
        return 1
    if not app.get("debuggable"):
        print(f"run-as: package not debuggable: {package}", file=sys.stderr)
        return 1
    folder = Path(f"/data/user/0/{package}")
    return subprocess.run(command or ["sh"], check=False, cwd=folder if folder.exists() else "/").returncode
