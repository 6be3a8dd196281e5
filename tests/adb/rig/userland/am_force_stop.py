"""am force-stop [--user N] PACKAGE: all processes of its users end; silent, also where there is no such package."""

import json
import socket


def main(arguments, state):
    words = list(arguments)
    user = None
    if words[:1] == ["--user"]:
        user = words[1]
        words = words[2:]
    app = state["packages"].get(words[0]) if words else None
    if app and "uid" in app:
        order = {"kill": app["uid"], "user": int(user) if user and user.isdigit() else None}
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as zygote:
            zygote.connect("/data/rig/zygote.socket")
            zygote.sendall(json.dumps(order).encode())
            zygote.recv(32)
        state.get("running", {}).pop(words[0], None)
    return 0
