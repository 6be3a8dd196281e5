"""am force-stop [--user N] PACKAGE: all processes of its users end; silent, also where there is no such package."""

import to_zygote  # type: ignore[import-not-found]


def main(arguments, state):
    words = list(arguments)
    user = None
    if words[:1] == ["--user"]:
        user = words[1]
        words = words[2:]
    app = state["packages"].get(words[0]) if words else None
    if app and "uid" in app:
        to_zygote.order({"kill": app["uid"], "user": int(user) if user and user.isdigit() else None})
        state.get("running", {}).pop(words[0], None)
    return 0
