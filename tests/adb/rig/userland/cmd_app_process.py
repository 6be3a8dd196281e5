"""app_process / CLASS ARGUMENTS: of the programs in Java that come from outside, uiautomator2's server alone"""

import os
import sys
import zipfile

import display
import u2_server


def main(arguments, state):
    trouble = state.get("u2")
    state.release()
    _, name, *rest = arguments
    try:
        with zipfile.ZipFile(os.environ.get("CLASSPATH", "")) as jar:
            there = "classes.dex" in jar.namelist()
    except (OSError, zipfile.BadZipFile):
        there = False
    if name != "com.wetest.uia2.Main" or not there:
        print(f"Error: Could not find class '{name}'", file=sys.stderr)
        return 1
    if trouble == "crashes":
        print("Fatal signal 6 (SIGABRT), code -1 in tid 4711 (main)", file=sys.stderr)
        return 134
    print("[server] INFO: [UiAutomator2Server] Starting Server", flush=True)
    if display.holder() is not None:
        print(display.TAKEN, file=sys.stderr)
        return 1
    display.HOLDER.write_text(str(os.getpid()))
    u2_server.serve(int(rest[rest.index("-p") + 1]), bool(state.get("refuses_input")), trouble == "breaks")
    return 0
