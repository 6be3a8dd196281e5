"""The app on the device: installs all its splits, resets it to its first run, and restores what was there.

Works without root too. None of it was tried on Android; the commands and their replies are those of AOSP 7 to 16.
"""

from __future__ import annotations

import re
import shlex
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appwitness.devices.android import adb
from appwitness.devices.android.app import apk, app_files, package_undo
from appwitness.devices.android.app.app_files import App, CodeFacts
from appwitness.devices.android.app.package_dump import PackageDump
from appwitness.devices.android.app.package_session import INSTALL_S, session
from appwitness.devices.android.control import Control
from appwitness.devices.android.faults import DeviceFault, fault
from appwitness.devices.android.journal import Undo
from appwitness.events import AppIdentity
from appwitness.support.spoken import Spoken

ANIMATIONS = ("window_animation_scale", "transition_animation_scale", "animator_duration_scale")
_PACKAGE = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)+")
_COMPONENT = re.compile(r"^\s*([\w.]+)/([\w.$]+)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Permissions:
    """The permissions of one app for one user."""

    requested: tuple[str, ...]
    granted: tuple[str, ...]
    runtime: tuple[str, ...]
    """The permissions in `granted` that the user may revoke."""


@dataclass(frozen=True)
class Installed:
    """An app as installed on the device."""

    identity: AppIdentity
    user: int
    uid: int
    launcher: str | None
    """Class of the activity that its launcher icon starts; None: it has none."""
    app: App
    """Facts of its APKs; the local files themselves may be gone."""
    code: CodeFacts
    paths: tuple[str, ...]
    """Paths of its APKs on the device."""
    signed_by: str | None = None
    """The signature scheme from which this device takes the signer; None: the app is not signed."""
    implied_permissions: tuple[str, ...] = ()
    """Permissions that this device considers requested although the manifest does not name them."""
    installer: str | None = None
    """Package that installed it; None: unknown, or adb."""

    def facts(self) -> dict[str, Any]:
        """Facts for run.json besides its identity."""
        base = self.app.base
        return {
            "files": {each.split or "base": each.sha256 for each in self.app.apks},
            "target_sdk": base.target_sdk,
            "min_sdk": base.min_sdk,
            "debuggable": base.debuggable,
            "signed_by": self.signed_by,
            "permissions": list(base.permissions),
            "implied_permissions": list(self.implied_permissions),
            "processes": list(base.processes),
            "abis": sorted(self.app.abis),
            "extract_native_libs": base.extract_native_libs is not False,
            "marks": sorted({mark for each in self.app.apks for mark in each.marks}),
            "cleartext": base.cleartext,
            "network_security": self.code.network_security is not None,
            "sdks": sorted({sdk.name for sdk in self.code.sdks}),
            "installer": self.installer,
            "user": self.user,
            "uid": self.uid,
        }


def paths(control: Control, package: str, user: int = 0) -> tuple[str, ...]:
    """Paths of an app's APKs on the device, the base first; empty: it is not installed for this user."""
    done = control.shell.user(f"pm path --user {user} {_named(package)}")
    found = [line.removeprefix("package:").strip() for line in done.out.splitlines() if line.startswith("package:")]
    return tuple(sorted(found, key=lambda path: not path.endswith("/base.apk")))


def uid(control: Control, package: str, user: int = 0) -> int:
    """The app's user ID. Raises DeviceFault `app-not-installed`."""
    said = control.shell.user(f"pm list packages -U --user {user} {_named(package)}").out
    found = re.search(rf"^package:{re.escape(package)} uid:(\d+)", said, re.MULTILINE)
    if not found:  # pm knows -U only from Android 8 on
        found = re.search(r"^\s+(?:userId|appId)=(\d+)", _dump(control, package).own, re.MULTILINE)
    if not found:
        raise fault("app-not-installed", package=package, serial=control.shell.serial, user=user)
    number = int(found[1])
    return number if number >= 100_000 or not user else user * 100_000 + number


def launcher(control: Control, package: str, user: int = 0) -> str | None:
    """Full class name of the activity that the app's launcher icon starts; None if the device names none."""
    intent = f"-a android.intent.action.MAIN -c android.intent.category.LAUNCHER {_named(package)}"
    for verb in ("resolve-activity", "query-activities"):
        said = control.shell.user(f"cmd package {verb} --brief --user {user} {intent}").out
        for owner, name in _COMPONENT.findall(said):
            if owner == package:
                return f"{package}{name}" if name.startswith(".") else name
    return None


def permissions(control: Control, package: str, user: int = 0) -> Permissions:
    """The permissions that the app requests, and those that it has. Raises DeviceFault `app-not-installed`."""
    dump = _dump(control, package)
    if not dump.own:
        raise fault("app-not-installed", package=package, serial=control.shell.serial, user=user)
    runtime = dump.runtime(user)
    if runtime is None:
        note = Spoken(
            "{serial} does not say which permissions the user has given {package}",
            serial=control.shell.serial,
            package=package,
        )
        control.notes += [note] if note not in control.notes else []
    granted = [name for name, (given, _) in (runtime or {}).items() if given]
    return Permissions(
        tuple(dict.fromkeys(dump.requested())), tuple(dict.fromkeys([*dump.installed(), *granted])), tuple(granted)
    )


def install(control: Control, app: App, *, user: int = 0, replace: bool = False) -> Installed:
    """Install an app for this run; undo removes it, or restores what was there.

    If the same files are installed already, nothing is installed. Another version or build is replaced only with
    `replace`, as it is uninstalled for the run; its APKs are kept on the device, and its data too if root allows.
    Permissions are not granted: they are what is to be observed. Raises DeviceFault, with its own code for each of the
    installer's refusals.
    """
    app = app.for_device(control.facts.abis, _density(control), control.facts.api)
    package = app.base.package
    there = paths(control, package, user)
    if there and _same(control, there, app):
        _expand(control, app, user)
        return _installed(control, app, user)
    if there and _is_system(control, package, user):
        raise fault("app-of-system", package=package, serial=control.shell.serial)
    if there and not replace:
        raise fault("app-other-version", package=package, serial=control.shell.serial)
    control.try_put("global", "verifier_verify_adb_installs", "0")
    _keep_expansions(control, package, user)
    if there:
        _set_aside(control, package, user)
    else:
        gone = f"if pm path --user {user} {package} >/dev/null 2>&1; then pm uninstall --user {user} {package}; fi"
        control.journal.before(_mark(package, user), Undo("user", gone))
    session(control, app, user)
    _expand(control, app, user)
    return _installed(control, app, user)


def identity(control: Control, package: str, user: int = 0) -> Installed:
    """An app on the device, identified by its APKs, which are fetched, read and discarded. Raises DeviceFault."""
    there = paths(control, package, user)
    if not there:
        raise fault("app-not-installed", package=package, serial=control.shell.serial, user=user)
    with tempfile.TemporaryDirectory(prefix="appwitness-") as folder:
        files = _fetched(control, package, there, Path(folder))
        with app_files.opened(*files) as app:
            return _installed(control, app, user)


def reset(control: Control, package: str, *, user: int = 0, clear: bool = False) -> None:
    """Make the app's next start like its first one: its data, granted permissions and app-ops are cleared.

    Data from before this run is cleared only with `clear`, and kept if root allows, so that undo restores it. The
    Android ID and the advertising ID stay: they belong to the device. Raises DeviceFault.
    """
    name = _named(package)
    if not paths(control, package, user):
        raise fault("app-not-installed", package=package, serial=control.shell.serial, user=user)
    control.shell.user(f"am force-stop --user {user} {name}")
    if not _ours(control, package, user):
        if not clear and _was_started(control, package, user):
            raise fault("app-has-data", package=package, serial=control.shell.serial)
        _keep(control, package, user)
    _no_backup(control)
    done = control.shell.user(f"pm clear --user {user} {name}", timeout_s=120)
    if "Success" not in done.out:
        said = (done.err or done.out or "nothing").strip()[-300:]
        raise fault("app-not-cleared", package=package, serial=control.shell.serial, said=said)
    folders = " ".join(f"/storage/emulated/{user}/Android/{kind}/{name}" for kind in ("data", "media"))
    control.shell.user(f"rm -rf {folders}")
    control.shell.user(f"cmd appops reset --user {user} {name}")


def grant(control: Control, package: str, permission: str, user: int = 0) -> None:
    """Grant a permission before a start, after `reset`, which revokes it. Undo revokes it. It is not a user's
    consent."""
    _permit(control, package, permission, user, "grant", "revoke")


def revoke(control: Control, package: str, permission: str, user: int = 0) -> None:
    """Revoke a permission before a start, which ends the app's processes; undo grants it again."""
    _permit(control, package, permission, user, "revoke", "grant")


def without_animations(control: Control) -> None:
    """Switch animations off for the run, so that screens become still."""
    for name in ANIMATIONS:
        control.put("global", name, "0")


def _permit(control: Control, package: str, permission: str, user: int, verb: str, inverse: str) -> None:
    has = permission in permissions(control, package, user).granted
    if has == (verb == "grant"):
        return
    words = f"--user {user} {_named(package)} {shlex.quote(permission)}"
    changed = f"dumpsys package {package} | grep -qF -e {shlex.quote(permission + ': granted=' + str(not has).lower())}"
    undo = f"if {changed}; then pm {inverse} {words}; fi"
    try:
        control.change(f"{verb} {permission} to {package}", f"pm {verb} {words}", undo)
    except DeviceFault as error:
        if error.code != "command-failed":
            raise
        raise fault("permission-refused", package=package, permission=permission, said=error.what) from error
    if (permission in permissions(control, package, user).granted) != (verb == "grant"):
        raise fault(
            "permission-refused", package=package, permission=permission, said=Spoken("the device reported no error")
        )


def _named(package: str) -> str:
    """Return a package name that is safe in a shell. Raises DeviceFault for anything else."""
    if not _PACKAGE.fullmatch(package):
        raise fault("app-no-name", package=package)
    return package


def _mark(package: str, user: int) -> str:
    return f"install {package} for user {user}"


def _ours(control: Control, package: str, user: int) -> bool:
    """Whether the app's data may be cleared: a run installed the app, or its data has been kept already."""
    marks = (_mark(package, user), _kept(package, user))
    return any(entry.what in marks for entry in control.journal.open)


def _kept(package: str, user: int) -> str:
    return f"clear the data of {package} for user {user}"


def _dump(control: Control, package: str) -> PackageDump:
    """The `dumpsys package` output for one app."""
    return PackageDump.of(control.shell.user(f"dumpsys package {_named(package)}").out, package)


def _was_started(control: Control, package: str, user: int) -> bool:
    found = re.search(rf"^\s+User {user}:.*\bnotLaunched=(\w+)", _dump(control, package).own, re.MULTILINE)
    return not found or found[1] != "true"


def _is_system(control: Control, package: str, user: int) -> bool:
    """Whether the app came with the device, even if updated since."""
    said = control.shell.user(f"pm list packages -s --user {user} {package}").out
    return f"package:{package}" in said.splitlines()


def _density(control: Control) -> int:
    said = control.shell.user("wm density").out
    numbers = re.findall(r"density:\s*(\d+)", said)
    return int(numbers[-1]) if numbers else int(control.facts.properties.get("ro.sf.lcd_density", "0") or 0)


def _same(control: Control, there: tuple[str, ...], app: App) -> bool:
    """Whether the device has exactly these files, and no others."""
    said = control.shell.user("sha256sum " + " ".join(map(shlex.quote, there)), timeout_s=120)
    if said.ok:
        found = [line.split()[0].lstrip("\\") for line in said.out.splitlines() if line.strip()]
    else:  # Android 7 has no sha256sum
        with tempfile.TemporaryDirectory(prefix="appwitness-") as folder:
            found = [apk.digest(file) for file in _fetched(control, app.base.package, there, Path(folder))]
    return sorted(found) == sorted(each.sha256 for each in app.apks)


def _fetched(control: Control, package: str, there: tuple[str, ...], folder: Path) -> list[Path]:
    files: list[Path] = []
    for path in there:
        files.append(folder / f"{len(files):04}.apk")
        done = adb.host("-s", control.shell.serial, "pull", path, str(files[-1]), timeout_s=INSTALL_S)
        if not done.ok:
            raise fault("app-unreadable", package=package, path=path, said=(done.err or done.out)[-200:])
    return files


def _keep_expansions(control: Control, package: str, user: int) -> None:
    """Move the app's expansion files aside, if there are any that are not this run's: uninstalling would delete
    them."""
    expansions = package_undo.Expansions(package, user)
    if control.shell.user(expansions.there).ok:
        control.change(f"keep the expansions of {package}", expansions.keep, expansions.put_back)


def _expand(control: Control, app: App, user: int) -> None:
    """Push all of the app's expansion files, unless they are there with the right sizes."""
    package = app.base.package
    expansions = package_undo.Expansions(package, user)
    sizes = [(str(file.stat().st_size), f"{expansions.folder}/{name}") for file, name in app.expansions]
    if all(control.shell.user(f"stat -c %s {shlex.quote(path)}").out.strip() == size for size, path in sizes):
        return
    _keep_expansions(control, package, user)
    control.change(f"expansions of {package}", expansions.make, expansions.drop)
    for file, name in app.expansions:
        control.shell.adb.push(file, f"{expansions.folder}/{name}")


def _installed(control: Control, app: App, user: int) -> Installed:
    base = app.base
    package = base.package
    signer = base.signer(control.facts.api)
    return Installed(
        identity=AppIdentity(
            package=package,
            version=base.version_name,
            version_code=base.version_code,
            apk_sha256=base.sha256,
            certificate_sha256=signer.sha256 if signer else None,
        ),
        user=user,
        uid=uid(control, package, user),
        launcher=launcher(control, package, user) or base.launcher,
        app=app,
        code=app_files.code_facts(app),
        signed_by=signer.scheme if signer else None,
        implied_permissions=base.implied_permissions(control.facts.api),
        paths=paths(control, package, user),
        installer=_installer(control, package, user),
    )


def _installer(control: Control, package: str, user: int) -> str | None:
    said = control.shell.user(f"pm list packages -i --user {user} {package}").out
    found = re.search(rf"^package:{re.escape(package)}\s+installer=([\w.]+)", said, re.MULTILINE)
    return None if found is None or found[1] == "null" else found[1]


def _set_aside(control: Control, package: str, user: int) -> None:
    """Keep the installed app, then uninstall it; undo reinstalls it, with its data if root allowed to keep that."""
    _keep(control, package, user)
    aside = package_undo.Aside(package, user, _installer(control, package, user))
    control.change(f"keep the APKs of {package}", aside.keep, aside.drop)
    try:
        control.change(_mark(package, user), aside.uninstall, aside.put_back)
    except DeviceFault as error:
        if error.code != "command-failed":
            raise
        raise fault("app-not-uninstalled", package=package, serial=control.shell.serial, said=error.what) from error


def _keep(control: Control, package: str, user: int) -> None:
    """Keep an app's data, if root allows, and its permissions; once per run."""
    if any(entry.what == _kept(package, user) for entry in control.journal.open):
        return
    modes = package_undo.modes(control.shell.user(f"cmd appops get --user {user} {package}").out)
    data = package_undo.Data(package, user, permissions(control, package, user).runtime, modes)
    if control.shell.rooted():
        control.change(_kept(package, user), data.keep, data.put_back, root=True)
    else:
        control.journal.before(_kept(package, user), Undo("user", data.permit))
        control.notes.append(
            Spoken(
                "the data of {package} was cleared, and could not be kept: the device gives no root", package=package
            )
        )


def _no_backup(control: Control) -> None:
    """Keep the system from restoring a backup into an app that is to start as if new."""
    if "currently enabled" in control.shell.user("bmgr enabled").out:
        control.change("backups", "bmgr enable false", "bmgr enable true", was="enabled")
