"""am start [-W] [-D] [-S] [--user N] [-a ACTION] [-c CATEGORY] [-n COMPONENT] [PACKAGE]

An app of state["packages"] with `argv` is started by zygote; {proxy_host}, {proxy_port} and {trust} in its argv are
what the device's setting and stores of certificates say at that moment. With -D, or where it is the debug app that
waits, it waits for a debugger (rig/jdwp.py)."""

import os
import sys
import time
from pathlib import Path

import to_zygote  # type: ignore[import-not-found]

TAKING = ("--user", "-a", "-c", "-n", "-t", "-d", "-f", "--es", "--ei", "--ez")


def main(arguments, state):
    given, words, flags = {}, [], set()
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if word in TAKING:
            given[word] = rest.pop(0) if rest else ""
            if word in ("--es", "--ei", "--ez"):
                rest.pop(0)
        elif word.startswith("-"):
            flags.add(word)
        else:
            words.append(word)
    component = given.get("-n") or (words[0] if words else "")
    package, _, activity = component.partition("/")
    installed = state["packages"].get(package)
    app = installed and {**installed, **state.get("programs", {}).get(package, {})}
    launchers = installed.get("launchers", []) if installed else []
    print(f"Starting: Intent {{ cmp={component} }}" if "/" in component else f"Starting: Intent {{ pkg={package} }}")
    if "/" not in component:  # that of the launcher's icon
        activity = next(iter(launchers), "")
    known = activity in launchers or f"{package}{activity}" in launchers
    if not known or "argv" not in app:
        print("Error type 3", file=sys.stderr)
        print(f"Error: Activity class {{{component}}} does not exist.", file=sys.stderr)
        return 1
    user = int(given["--user"]) if given.get("--user", "").isdigit() else 0
    pid = running(state, package)
    if pid and "-S" not in flags:
        print("Warning: Activity not started, intent has been delivered to currently running top-most instance.")
        if "-W" in flags:
            print(f"Status: ok\nLaunchState: UNKNOWN (0)\nActivity: {component}\nTotalTime: 0\nWaitTime: 3\nComplete")
        return 0
    began = time.monotonic()
    settings = state["settings"]["global"]
    waits = "-D" in flags or (settings.get("debug_app"), settings.get("wait_for_debugger")) == (package, "1")
    if waits:
        app = {**app, "beside": state["debugger"]}
    state.setdefault("running", {})[package] = start(state, package, app, user)
    if "-W" in flags:
        took = int((time.monotonic() - began) * 1000) + 1
        print(
            f"Status: ok\nLaunchState: COLD\nActivity: {component}\nTotalTime: {took}\nWaitTime: {took + 2}\nComplete"
        )
    return 0


def running(state, package):
    """Its main process, when it is there."""
    pid = state.get("running", {}).get(package, 0)
    try:
        return 0 if "zombie" in Path(f"/proc/{pid}/status").read_text() else pid
    except OSError:
        return 0


def start(state, package, app, user):
    proxy = state["settings"]["global"].get("http_proxy", "")
    host, _, port = proxy.rpartition(":")
    trust = f"/data/rig/trust-{package}.p12"
    fill = {"{proxy_host}": host, "{proxy_port}": port if host else "", "{trust}": trust}
    argv = []
    for word in app["argv"]:
        if not host and ("{proxy_host}" in word or "{proxy_port}" in word):
            continue
        for name, value in fill.items():
            word = word.replace(name, value)
        argv.append(word)
    order = {
        "uid": user * 100000 + app["uid"],
        "package": package,
        "beside": app.get("beside"),
        "argv": argv,
        "env": app.get("env", {}),
        "cwd": app.get("cwd", "/"),
        "log": app.get("log", f"/data/rig/{package}.log"),
        "prepare": [[*app["prepare"], trust]] if app.get("prepare") else [],
        "hold": int(os.environ.get("RIG_HOLD", "0")),
    }
    pid = to_zygote.order(order)
    # Android's processes have their virtual machine from zygote; a JVM makes its own first.
    for _ in range(500 if "up" in app and not (order["hold"] or order["beside"]) else 0):
        if Path(app["up"]).exists() and Path(app["up"]).read_text() == str(pid):
            break
        time.sleep(0.01)
    return pid
