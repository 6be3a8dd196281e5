"""am set-debug-app [-w] [--persistent] PACKAGE: as ActivityManagerService.setDebugApp keeps it"""


def main(arguments, state):
    if "--persistent" in arguments:
        state["settings"]["global"]["debug_app"] = arguments[-1]
        state["settings"]["global"]["wait_for_debugger"] = str(int("-w" in arguments))
    return 0
