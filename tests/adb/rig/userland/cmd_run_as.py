"""run-as PACKAGE COMMAND...: for packages of state["packages"] with `debuggable`"""

import subprocess
import sys


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
    return subprocess.run(command or ["sh"], check=False).returncode
