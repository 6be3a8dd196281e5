"""am clear-debug-app"""


def main(arguments, state):
    state["settings"]["global"].pop("debug_app", None)
    state["settings"]["global"]["wait_for_debugger"] = "0"
    return 0
