"""cmd package VERB ... and pm VERB ...: the stand-in package manager, over the state and /data/app.

state["packages"][NAME]: `uid` (of user 0), `path` (folder of its APKs), `files`, `splits`, `version_code`,
`version_name`, `min_sdk`, `target_sdk`, `signer`, `debuggable`, `requested`, `launchers`, `authorities`, `installer`,
`system`, and `users`: {"0": {`stopped`, `not_launched`, `granted`}}. state["pm"] says what is odd about this device:
`user_restricted`, `verifier` (refuses unless verifier_verify_adb_installs is 0), `free_bytes`, `clear_refused`,
`grant_refused`, `admins` (packages that cannot be uninstalled), `answer` (what it says to every install).
"""

import array
import base64
import json
import os
import re
import secrets
import shutil
import socket
import struct
import sys
import zipfile
from pathlib import Path

import apk_file

_DANGEROUS = (
    "READ_CONTACTS", "WRITE_CONTACTS", "GET_ACCOUNTS", "ACCESS_FINE_LOCATION", "ACCESS_COARSE_LOCATION",
    "ACCESS_BACKGROUND_LOCATION", "RECORD_AUDIO", "CAMERA", "READ_PHONE_STATE", "READ_PHONE_NUMBERS",
    "READ_CALL_LOG", "WRITE_CALL_LOG", "READ_SMS", "SEND_SMS", "RECEIVE_SMS", "READ_CALENDAR", "WRITE_CALENDAR",
    "READ_EXTERNAL_STORAGE", "WRITE_EXTERNAL_STORAGE", "READ_MEDIA_IMAGES", "POST_NOTIFICATIONS",
    "BODY_SENSORS", "ACTIVITY_RECOGNITION", "BLUETOOTH_SCAN", "BLUETOOTH_CONNECT",
)  # fmt: skip
RUNTIME = {f"android.permission.{name}" for name in _DANGEROUS}
PRIVILEGED = ("install-create", "install-write", "install-commit", "install-abandon", "install", "uninstall", "clear")
SESSIONS = Path("/data/app-staging")


class Refused(Exception):
    """The installer's answer."""


def main(arguments, state):
    caller = os.getuid()
    if arguments[:1] == ["--rig-caller"]:
        caller, arguments = int(arguments[1]), arguments[2:]
    verb, *rest = arguments or ["help"]
    if caller not in (0, 1000, 2000):
        print("java.lang.SecurityException: Shell cannot act for this user", file=sys.stderr)
        return 255
    if verb in PRIVILEGED and os.getuid() != 0:
        return _as_system(arguments, state, caller)
    action = globals().get("do_" + verb.replace("-", "_"))
    if action is None:
        print(f"Unknown command: {verb}", file=sys.stderr)
        return 255
    try:
        return action(rest, state)
    except Refused as refused:
        print(f"Failure [{refused}]")
        return 1


def _as_system(arguments, state, caller):
    """Android's installer is a part of the system: the same command, by the rig's root."""
    state.release()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as daemon:
        daemon.connect("/data/rig/su.socket")
        words = ["-c", 'exec "$0" "$@"', sys.executable, "-I", "-S", "/data/rig/userland", "pm"]
        order = {"argv": [*words, "--rig-caller", str(caller), *arguments], "cwd": "/", "own_namespace": False}
        streams = array.array("i", [0, 1, 2])
        daemon.sendmsg([json.dumps(order).encode()], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, streams)])
        return int(daemon.recv(16) or b"255")


def _threw(verb, said):
    print(f"\nException occurred while executing '{verb}':\n{said}", file=sys.stderr)
    return 255


def _options(arguments, valued=()):
    """Flags, options with a value, and the words that follow them."""
    flags: set[str] = set()
    values: dict[str, str] = {}
    words: list[str] = []
    rest = list(arguments)
    while rest:
        each = rest.pop(0)
        if each in valued:
            values[each] = rest.pop(0)
        elif each.startswith("-") and len(each) > 1 and not words:
            flags.add(each)
        else:
            words.append(each)
    return flags, values, words


def _for(state, name, user):
    package = state["packages"].get(name)
    known = package and package.setdefault("users", {"0": {}}).get(user)
    return (package, known) if known is not None and known.get("installed", True) else (None, None)


# what is there


def do_path(arguments, state):
    _, values, words = _options(arguments, ("--user",))
    if words == ["android"]:  # Android itself
        print("package:/system/framework/framework-res.apk")
        return 0
    package, _ = _for(state, words[0], values.get("--user", "0"))
    if package is None:
        return 1
    for file in package.get("files", ["base.apk"]):
        print(f"package:{package.get('path', '/data/app/' + words[0])}/{file}")
    return 0


def do_list(arguments, state):
    what, *rest = arguments
    if what != "packages":
        print(f"Error: unknown list type '{what}'", file=sys.stderr)
        return 255
    flags, values, words = _options(rest, ("--user",))
    if "-U" in flags and state["api"] < 26:
        print("Error: Unknown option: -U")
        return 1
    user = values.get("--user", "0")
    for name in sorted(state["packages"]):
        package, _ = _for(state, name, user)
        if package is None or (words and words[0] not in name):
            continue
        if ("-s" if not package.get("system") else "-3") in flags:
            continue
        line = f"package:{package['path']}/base.apk={name}" if "-f" in flags else f"package:{name}"
        if "-i" in flags:
            line += f"  installer={package.get('installer') or 'null'}"
        if "-U" in flags:
            line += f" uid:{int(user) * 100000 + package.get('uid', 10000) % 100000}"
        print(line)
    return 0


def _activities(arguments, state):
    flags, values, words = _options(arguments, ("--user", "-a", "-c", "-f", "-n"))
    package, _ = _for(state, words[-1], values.get("--user", "0")) if words else (None, None)
    launchers = package.get("launchers", []) if package else []
    launcher = "android.intent.category.LAUNCHER"  # what a package alone asks for (Intent.parseCommandArgs)
    if values.get("-c", None if "-a" in values else launcher) != launcher:
        launchers = []
    short = [each.removeprefix(words[-1]) if each.startswith(words[-1] + ".") else each for each in launchers]
    return "--brief" in flags, [f"{words[-1]}/{each}" for each in short]


def do_resolve_activity(arguments, state):
    _, found = _activities(arguments, state)
    if not found:
        print("No activity found")
    elif len(found) > 1:
        print("priority=0 preferredOrder=0 match=0x0 specificIndex=-1 isDefault=false")
        print("android/com.android.internal.app.ResolverActivity")
    else:
        print("priority=0 preferredOrder=0 match=0x108000 specificIndex=-1 isDefault=true")
        print(found[0])
    return 0


def do_query_activities(arguments, state):
    _, found = _activities(arguments, state)
    print(f"{len(found)} activities found:" if found else "No activities found")
    for number, each in enumerate(found):
        print(f"  Activity #{number}:")
        print("    priority=0 preferredOrder=0 match=0x108000 specificIndex=-1 isDefault=true")
        print(f"    {each}")
    return 0


# permissions


def do_grant(arguments, state):
    return _permit(arguments, state, grant=True)


def do_revoke(arguments, state):
    return _permit(arguments, state, grant=False)


def _permit(arguments, state, *, grant):
    _, values, (name, permission) = _options(arguments, ("--user",))
    verb = "grant" if grant else "revoke"
    package, known = _for(state, name, values.get("--user", "0"))
    if state.get("pm", {}).get("grant_refused"):
        lacks = "Neither user 2000 nor current process has android.permission.GRANT_RUNTIME_PERMISSIONS."
        return _threw(verb, f"java.lang.SecurityException: {lacks}")
    said = None
    if package is None:
        said = f"java.lang.IllegalArgumentException: Unknown package: {name}"
    elif permission not in package.get("requested", []):
        said = f"java.lang.SecurityException: Package {name} has not requested permission {permission}"
    elif permission not in RUNTIME:
        fixed = f"Permission {permission} requested by {name} is not a changeable permission type"
        said = f"java.lang.SecurityException: {fixed}"
    if said:
        return _threw(verb, said)
    granted = known.setdefault("granted", [])
    if grant and permission not in granted:
        granted.append(permission)
    elif not grant and permission in granted:
        granted.remove(permission)
        known["killed"] = known.get("killed", 0) + 1
    return 0


# first run


def do_clear(arguments, state):
    _, values, (name,) = _options(arguments, ("--user",))
    user = values.get("--user", "0")
    package, known = _for(state, name, user)
    if package is None:
        print("Failed")
        return 1
    if state.get("pm", {}).get("clear_refused"):
        lacks = f"permission android.permission.CLEAR_APP_USER_DATA to clear data of package {name}"
        return _threw("clear", f"java.lang.SecurityException: PID 4711 does not have {lacks}")
    for folder in _folders(name, user):
        if folder.is_dir():
            for each in folder.iterdir():
                shutil.rmtree(each) if each.is_dir() and not each.is_symlink() else each.unlink()
    known.update(granted=[], stopped=True)
    print("Success")
    return 0


def _folders(name, user):
    kinds = [f"/data/{kind}/{user}/{name}" for kind in ("user", "user_de")]
    return [
        Path(each) for each in (*kinds, *(f"/data/media/{user}/Android/{kind}/{name}" for kind in ("data", "media")))
    ]


# installing


def do_install_create(arguments, state):
    flags, values, _ = _options(arguments, ("--user", "-i", "-S", "--abi"))
    known = {"-r", "-t", "-d", "-g", "-R", "-f"} | ({"--bypass-low-target-sdk-block"} if state["api"] >= 34 else set())
    if odd := sorted(flags - known):
        return _threw("install-create", f"java.lang.IllegalArgumentException: Unknown option {odd[0]}")
    if state.get("pm", {}).get("create_refused"):
        return _threw("install-create", "java.lang.SecurityException: User restriction prevents installing")
    number = secrets.randbelow(1 << 30)
    (SESSIONS / str(number)).mkdir(parents=True)
    state.setdefault("sessions", {})[str(number)] = {"flags": sorted(flags), **values}
    print(f"Success: created install session [{number}]")
    return 0


def do_install_write(arguments, state):
    _, values, words = _options(arguments, ("-S",))
    number, name, *path = words
    if number not in state.get("sessions", {}):
        return _threw("install-write", f"java.lang.SecurityException: Caller has no access to session {number}")
    data = Path(path[0]).read_bytes() if path and path[0] != "-" else sys.stdin.buffer.read(int(values["-S"]))
    if "-S" in values and len(data) != int(values["-S"]):
        print(f"Error: Expected {values['-S']} bytes", file=sys.stderr)
        return 1
    free = state.get("pm", {}).get("free_bytes")
    if free is not None and len(data) > free:
        return _threw("install-write", "java.io.IOException: write failed: ENOSPC (No space left on device)")
    (SESSIONS / number / name).write_bytes(data)
    print(f"Success: streamed {len(data)} bytes")
    return 0


def do_install_abandon(arguments, state):
    state.get("sessions", {}).pop(arguments[0], None)
    shutil.rmtree(SESSIONS / arguments[0], ignore_errors=True)
    print("Success")
    return 0


def do_install_commit(arguments, state):
    number = arguments[0]
    session = state.get("sessions", {}).pop(number, None)
    if session is None:
        return _threw("install-commit", f"java.lang.SecurityException: Caller has no access to session {number}")
    try:
        _commit(SESSIONS / number, session, state)
    finally:
        shutil.rmtree(SESSIONS / number, ignore_errors=True)
    print("Success")
    return 0


def _commit(folder, session, state):
    odd = state.get("pm", {})
    flags = set(session["flags"])
    user = session.get("--user", "0")
    if odd.get("answer"):
        raise Refused(odd["answer"])
    if odd.get("user_restricted"):
        raise Refused("INSTALL_FAILED_USER_RESTRICTED: Install canceled by user")
    parsed = {}
    for file in sorted(folder.iterdir()):
        try:
            parsed[file] = apk_file.read(file)
        except (ValueError, KeyError, IndexError, zipfile.BadZipFile, struct.error):
            raise Refused(f"INSTALL_PARSE_FAILED_NOT_APK: Failed to parse {file}") from None
    if not parsed:
        raise Refused("INSTALL_FAILED_INVALID_APK: No packages staged")
    for file, each in parsed.items():
        if each["signer"] is None:
            why = f"Failed to collect certificates from {file}: Attempt to get length of null array"
            raise Refused(f"INSTALL_PARSE_FAILED_NO_CERTIFICATES: {why}")
    bases = [each for each in parsed.values() if each["split"] is None]
    if len(bases) != 1:
        said = "Full install must include a base package" if not bases else "Split null was defined multiple times"
        raise Refused(f"INSTALL_FAILED_INVALID_APK: {said}")
    (base,) = bases
    name = base["package"]
    for file, each in parsed.items():
        for key in ("package", "version_code"):
            if each[key] != base[key]:
                raise Refused(f"INSTALL_FAILED_INVALID_APK: {file} {key} {each[key]} inconsistent with {base[key]}")
        if each["signer"] != base["signer"]:
            raise Refused(f"INSTALL_FAILED_INVALID_APK: {file} signatures are inconsistent")
    _check(base, parsed, name, flags, user, state)
    app = Path("/data/app")
    noise = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode()
    if state["api"] >= 30:
        path = app / f"~~{noise}" / f"{name}-{noise[::-1]}"
    else:
        path = app / (f"{name}-{noise}" if state["api"] >= 26 else f"{name}-1")
    shutil.rmtree(path, ignore_errors=True)
    former = state["packages"].get(name)
    path.mkdir(parents=True)
    for each in (app, *(parent for parent in path.parents if app in parent.parents), path):
        each.chmod(0o771 if each == app else 0o755)
    files = {}
    for file, each in parsed.items():
        files[each["split"] or ""] = "base.apk" if each["split"] is None else f"split_{each['split']}.apk"
        shutil.move(file, path / files[each["split"] or ""])
        (path / files[each["split"] or ""]).chmod(0o644)
    if former and former.get("path") and former["path"] != str(path):
        _remove_code(former["path"])
    taken = [each.get("uid", 0) % 100000 for each in state["packages"].values()]
    number = former["uid"] if former else max([10100, *taken]) + 1
    users = former.get("users", {}) if former else {}
    users.setdefault(user, {"stopped": True, "not_launched": True, "granted": []})["installed"] = True
    if "-g" in flags:
        users[user]["granted"] = [each for each in base["requested"] if each in RUNTIME]
    state["packages"][name] = {
        **{key: base[key] for key in ("version_code", "version_name", "min_sdk", "target_sdk", "signer", "debuggable")},
        **{key: base[key] for key in ("requested", "launchers", "authorities")},
        "uid": number,
        "path": str(path),
        "files": [files[key] for key in sorted(files)],
        "splits": [key for key in sorted(files) if key],
        "installer": session.get("-i"),
        "users": users,
    }
    for folder_ in _folders(name, user)[:2]:
        folder_.mkdir(parents=True, exist_ok=True)
        folder_.chmod(0o777 if base["debuggable"] else 0o700)  # open to adb's user, who plays it in run-as
        os.chown(folder_, int(user) * 100000 + number, int(user) * 100000 + number)


def _check(base, parsed, name, flags, user, state):
    odd, api = state.get("pm", {}), state["api"]
    former = state["packages"].get(name)
    if base["needs_splits"] and len(parsed) == 1:
        raise Refused(f"INSTALL_FAILED_MISSING_SPLIT: Missing split for {name}")
    if base["min_sdk"] > api:
        why = f"Requires newer sdk version #{base['min_sdk']} (current version is #{api})"
        raise Refused(f"INSTALL_FAILED_OLDER_SDK: {why}")
    if api >= 34 and base["target_sdk"] < 23 and "--bypass-low-target-sdk-block" not in flags:
        why = f"App package must target at least SDK version 23, but found {base['target_sdk']}"
        raise Refused(f"INSTALL_FAILED_DEPRECATED_SDK_VERSION: {why}")
    if base["test_only"] and "-t" not in flags:
        raise Refused("INSTALL_FAILED_TEST_ONLY: Failed to install test-only apk. Did you forget to add -t?")
    abis = {abi for each in parsed.values() for abi in each["abis"]}
    if abis and not abis & set(state["properties"]["ro.product.cpu.abilist"].split(",")):
        raise Refused("INSTALL_FAILED_NO_MATCHING_ABIS: Failed to extract native libraries, res=-113")
    settings = state["settings"]["global"]
    if odd.get("verifier") and settings.get("verifier_verify_adb_installs", "1") != "0":
        raise Refused("INSTALL_FAILED_VERIFICATION_FAILURE: Install not allowed")
    if odd.get("verifier") == "always":
        raise Refused("INSTALL_FAILED_VERIFICATION_FAILURE: Install not allowed")
    for other, package in state["packages"].items():
        for authority in set(base["authorities"]) & set(package.get("authorities", [])):
            if other != name:
                why = f"Can't install because provider name {authority} (in package {name}) is already used by {other}"
                raise Refused(f"INSTALL_FAILED_CONFLICTING_PROVIDER: {why}")
    if former:
        if "-r" not in flags and api < 30:
            raise Refused(f"INSTALL_FAILED_ALREADY_EXISTS: Attempt to re-install {name} without first uninstalling.")
        if former.get("signer") != base["signer"]:
            why = f"Existing package {name} signatures do not match newer version; ignoring!"
            raise Refused(f"INSTALL_FAILED_UPDATE_INCOMPATIBLE: {why}")
        if former.get("version_code", 0) > base["version_code"] and not ("-d" in flags and base["debuggable"]):
            why = f"Update version code {base['version_code']} is older than current {former['version_code']}"
            raise Refused(f"INSTALL_FAILED_VERSION_DOWNGRADE: Downgrade detected: {why}")


def do_install(arguments, state):
    """One APK, from a file of the device."""
    flags, values, words = _options(arguments, ("--user", "-i", "-S", "--abi"))
    number = secrets.token_hex(4)
    folder = SESSIONS / number
    folder.mkdir(parents=True)
    try:
        shutil.copy(words[0], folder / "base.apk")
        _commit(folder, {"flags": sorted(flags), **values}, state)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print("Success")
    return 0


def do_uninstall(arguments, state):
    flags, values, words = _options(arguments, ("--user", "--versionCode"))
    name, user = words[0], values.get("--user")
    package = state["packages"].get(name)
    if package is None or (user is not None and _for(state, name, user)[0] is None):
        raise Refused("DELETE_FAILED_INTERNAL_ERROR" if state["api"] < 30 else f"not installed for {user or 0}")
    if name in state.get("pm", {}).get("admins", []):
        raise Refused("DELETE_FAILED_DEVICE_POLICY_MANAGER")
    users = package.setdefault("users", {"0": {}})
    for each in [user] if user is not None else list(users):
        users.pop(each, None)
        if "-k" not in flags:
            for folder in _folders(name, each):
                shutil.rmtree(folder, ignore_errors=True)
            shutil.rmtree(f"/data/media/{each}/Android/obb/{name}", ignore_errors=True)
    if not users and not package.get("system"):
        _remove_code(package.get("path", ""))
        del state["packages"][name]
    print("Success")
    return 0


def _remove_code(path):
    if re.match(r"/data/app/[^/]", path):
        top = Path(*Path(path).parts[:4])
        shutil.rmtree(top if top.name.startswith("~~") else path, ignore_errors=True)
