"""An app is installed with what the device needs of it, brought to its first run, and taken back to what was there."""

from __future__ import annotations

import copy
import os
import random
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from appwitness.devices.android.app import app_files, package
from appwitness.devices.android.control import Control
from appwitness.devices.android.faults import DeviceFault
from tests.adb.rig import make_apk
from tests.adb.rig.phone import Phone
from tests.nightly import AT_NIGHT
from tests.real_apks import real_apk

NAME = "com.example.circle"
CONTACTS = "android.permission.READ_CONTACTS"
CAMERA = "android.permission.CAMERA"
Phones = Callable[..., Phone]
Controls = Callable[[Phone], Control]


def put(control: Control, *files: Path, **options: Any) -> package.Installed:
    with app_files.opened(*files) as app:
        return package.install(control, app, **options)


def undone(control: Control) -> None:
    control.shell.sweep()
    assert control.journal.undo_all(control.take_back) == []
    control.shell.sweep()
    assert control.journal.open == ()


def remembered(phone: Phone) -> dict[str, Any]:
    """Its state, but for what says no more than that nothing is there."""
    usual = {"sessions": {}, "appops": {}, "backups": True, "pm": {}}
    return {key: value for key, value in phone.read().items() if value != usual.get(key)}


def tree(phone: Phone, *folders: str) -> dict[str, tuple[int, int, int, bytes]]:
    """Owner, group, mode and content of all that lies there."""
    found = {}
    for folder in folders:
        top = phone.root / folder
        for path in [top, *sorted(top.rglob("*"))] if top.exists() else []:
            status = path.lstat()
            content = path.read_bytes() if path.is_file() else b""
            found[str(path.relative_to(phone.root))] = (status.st_uid, status.st_gid, status.st_mode, content)
    return found


def write_data(phone: Phone, uid: int, user: int = 0) -> None:
    """What an app that was used leaves behind."""
    for place, data in (
        (f"data/user/{user}/{NAME}/shared_prefs/it's a file.xml", b"<map/>"),
        (f"data/user/{user}/{NAME}/.hidden", b"x"),
        (f"data/user/{user}/{NAME}/cache/c", b"cached"),
        (f"data/user_de/{user}/{NAME}/boot", b"y"),
        (f"data/media/{user}/Android/data/{NAME}/files/photo", b"z" * 70000),
    ):
        path = phone.root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        for each in [path, *path.parents]:
            if NAME not in str(each):
                break
            group = uid % 100000 + 10000 if "cache" in each.parts else uid
            os.chown(each, uid, group)
    (phone.root / f"data/user/{user}/{NAME}/shared_prefs").chmod(0o771)


def used(phone: Phone, **packages: Any) -> None:
    """The app was started, and was given its contacts."""
    known = phone.read()["packages"]
    known[NAME]["users"]["0"].update(not_launched=False, stopped=False, granted=[CONTACTS], **packages)
    phone.write(packages=known)
    write_data(phone, known[NAME]["uid"])


@pytest.mark.parametrize("api", [24, 29, 36])
def test_installed_and_taken_off(phone_of: Phones, control_of: Controls, tmp_path: Path, api: int) -> None:
    phone = phone_of(api=api, su="")
    control = control_of(phone)
    before = remembered(phone)
    file = make_apk.apk(tmp_path / "circle.apk", permissions=[CONTACTS])

    found = put(control, file)

    assert found.identity.model_dump() == {
        "package": NAME,
        "version": "7.0-beta",
        "version_code": 7,
        "apk_sha256": found.app.base.sha256,
        "certificate_sha256": make_apk.fingerprint("circle"),
        "facts": {},
    }
    assert (found.uid, found.launcher, found.installer) == (10101, f"{NAME}.Main", None)
    assert (phone.root / found.paths[0].lstrip("/")).read_bytes() == file.read_bytes()
    assert package.permissions(control, NAME).granted == ()
    assert control.shell.user("ls -A /data/local/tmp").out == ""

    package.reset(control, NAME)
    undone(control)

    assert remembered(phone) == before
    assert tree(phone, "data/app", f"data/user/0/{NAME}").keys() <= {"data/app"}


def test_named_as_it_was_installed(phone_of: Phones, control_of: Controls, tmp_path: Path) -> None:
    control = control_of(phone_of(su=""))
    base = make_apk.apk(tmp_path / "base.apk")
    split = make_apk.apk(tmp_path / "de.apk", split="config.de", config_for="")

    there = put(control, base, split)
    named = package.identity(control, NAME)

    assert named.identity == there.identity
    assert named.facts() == there.facts()
    assert set(named.facts()["files"]) == {"base", "config.de"}
    assert [path.rpartition("/")[2] for path in named.paths] == ["base.apk", "split_config.de.apk"]


def test_only_what_the_device_needs(phone_of: Phones, control_of: Controls, tmp_path: Path) -> None:
    phone = phone_of(su="")
    phone.write(properties=phone.read()["properties"] | {"ro.sf.lcd_density": "420"})
    folder = tmp_path / "app"
    make_apk.apk(folder / "base.apk")
    for name in ("x86_64", "arm64_v8a", "armeabi_v7a"):
        make_apk.apk(folder / f"{name}.apk", split=f"config.{name}", config_for="", abis=[name.replace("_v", "-v")])
    for name in ("hdpi", "xxhdpi", "xxxhdpi", "en"):
        make_apk.apk(folder / f"{name}.apk", split=f"config.{name}", config_for="")
    make_apk.apk(folder / "maps.apk", split="maps")
    make_apk.apk(folder / "maps_arm.apk", split="maps.config.x86_64", config_for="maps", abis=["x86_64"])

    put(control_of(phone), folder)

    splits = phone.read()["packages"][NAME]["splits"]
    assert splits == ["config.en", "config.x86_64", "config.xxhdpi", "maps", "maps.config.x86_64"]


@pytest.mark.parametrize("without", [(), ("sha256sum",)])
def test_the_same_build_stays_untouched(
    phone_of: Phones, control_of: Controls, tmp_path: Path, without: tuple[str, ...]
) -> None:
    phone = phone_of(su="")
    for name in without:
        (phone.root / "usr/bin" / name).unlink()
    control = control_of(phone)
    file = make_apk.apk(tmp_path / "circle.apk")
    put(control, file)
    control.journal.undo_all(lambda _: None)
    before = phone.read()

    assert put(control, file).uid == 10101

    assert phone.read() == before
    assert control.journal.open == ()


@pytest.mark.parametrize(
    ("su", "version", "signer"),
    [("magisk", 8, "circle"), ("kernelsu", 7, "somebody else"), ("", 6, "circle"), ("", 8, "somebody else")],
)
def test_another_build_gives_way_and_comes_back(
    phone_of: Phones, control_of: Controls, tmp_path: Path, su: str, version: int, signer: str
) -> None:
    phone = phone_of(su=su)
    control = control_of(phone)
    base = make_apk.apk(tmp_path / "old.apk", permissions=[CONTACTS, CAMERA])
    split = make_apk.apk(tmp_path / "old.de.apk", split="config.de", config_for="")
    put(control, base, split)
    control.journal.undo_all(lambda _: None)
    used(phone)
    before = phone.read()["packages"][NAME]
    data = tree(phone, f"data/user/0/{NAME}", f"data/user_de/0/{NAME}", f"data/media/0/Android/data/{NAME}")
    new = make_apk.apk(tmp_path / "new.apk", version=version, signer=signer)

    with pytest.raises(DeviceFault) as raised:
        put(control, new)
    assert raised.value.code == "app-other-version"
    assert phone.read()["packages"][NAME] == before
    assert control.journal.open == ()

    assert put(control, new, replace=True).identity.version_code == version
    package.reset(control, NAME)
    assert "shared_prefs" not in str(tree(phone, f"data/user/0/{NAME}").keys())
    undone(control)

    now = phone.read()["packages"][NAME]
    assert now["version_code"] == 7
    assert now["splits"] == ["config.de"]
    assert now["signer"] == make_apk.fingerprint("circle")
    assert now["users"]["0"]["granted"] == [CONTACTS]
    if su:
        after = tree(phone, f"data/user/0/{NAME}", f"data/user_de/0/{NAME}", f"data/media/0/Android/data/{NAME}")
        assert after == data
    else:
        assert control.notes == [f"the data of {NAME} was cleared, and could not be kept: the device gives no root"]
    assert tree(phone, "data/local/tmp").keys() == {"data/local/tmp"}
    assert tree(phone, "data/local/.appwitness").keys() <= {"data/local/.appwitness"}


@pytest.mark.parametrize("su", ["magisk", ""])
def test_data_is_cleared_only_when_asked(phone_of: Phones, control_of: Controls, tmp_path: Path, su: str) -> None:
    phone = phone_of(su=su)
    control = control_of(phone)
    put(control, make_apk.apk(tmp_path / "circle.apk", permissions=[CONTACTS, CAMERA]))
    control.journal.undo_all(lambda _: None)
    used(phone)
    refused = {NAME: {"COARSE_LOCATION": {"mode": "ignore"}}}
    phone.write(appops=refused)
    places = [f"data/{each}/{NAME}" for each in ("user/0", "user_de/0", "media/0/Android/data")]
    data, before = tree(phone, *places), phone.read()

    with pytest.raises(DeviceFault) as raised:
        package.reset(control, NAME)
    assert raised.value.code == "app-has-data"
    assert (tree(phone, *places), phone.read()["packages"]) == (data, before["packages"])

    for _ in range(2):
        package.reset(control, NAME, clear=True)
        assert tree(phone, *places).keys() <= {*places, "data/media/0/Android/data/" + NAME}
        assert package.permissions(control, NAME).runtime == ()
        assert phone.read()["backups"] is False
        assert phone.read()["appops"] != refused
        (phone.root / f"data/user/0/{NAME}/new").write_bytes(b"of the run")
    undone(control)

    assert phone.read()["packages"][NAME]["users"]["0"]["granted"] == [CONTACTS]
    assert phone.read()["backups"] is True
    assert phone.read()["appops"] == refused
    if su:
        assert tree(phone, *places) == data
    assert len(control.notes) == (0 if su else 1)


OTHER_USER = {"uid": 10100, "version_code": 1, "signer": "x", "users": {"10": {}}}
OTHER_APP = {"uid": 10100, "authorities": ["a"], "users": {"0": {}}}
PROVIDER = {"body": '<provider android:name="x.P" android:authorities="a"/>'}
REFUSED: list[tuple[str, dict[str, Any], dict[str, Any], str, dict[str, Any]]] = [
    # the device, the app, the fault, and what its remedy changes: of the device, else of the app
    ("the user", {"pm": {"user_restricted": True}}, {}, "install-user-restricted", {"pm": {}}),
    ("the vendor", {"pm": {"create_refused": True}}, {}, "install-user-restricted", {"pm": {}}),
    ("the verifier", {"pm": {"verifier": "always"}}, {}, "install-not-verified", {"pm": {}}),
    ("no space", {"pm": {"free_bytes": 10}}, {}, "install-no-space", {"pm": {}}),
    ("too new", {"api": 29}, {"least": 30}, "install-newer-android", {"least": 24}),
    ("other processors", {}, {"abis": ["arm64-v8a"]}, "install-wrong-abi", {"abis": ["x86_64"]}),
    ("no splits", {}, {"application": {"isSplitRequired": "true"}}, "install-missing-split", {"application": {}}),
    ("no signature", {}, {"signer": None}, "install-unsigned", {"signer": "circle"}),
    ("a provider", {"packages": {"com.other": OTHER_APP}}, PROVIDER, "install-conflict", {"packages": {}}),
    ("another user's", {"packages": {NAME: OTHER_USER}}, {}, "install-other-signature", {"packages": {}}),
    (
        "another user's, newer",
        {"packages": {NAME: OTHER_USER | {"version_code": 9, "signer": "circle"}}},
        {},
        "install-older-version",
        {"packages": {}},
    ),
    ("damage", {"pm": {"answer": "INSTALL_FAILED_INVALID_APK: x"}}, {}, "install-damaged", {"pm": {}}),
    ("what nobody knows", {"pm": {"answer": "INSTALL_FAILED_NEW_REASON"}}, {}, "install-refused", {"pm": {}}),
]


@pytest.mark.parametrize(
    ("state", "app", "code", "remedy"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_refusals_and_their_remedies(
    phone_of: Phones,
    control_of: Controls,
    tmp_path: Path,
    state: dict[str, Any],
    app: dict[str, Any],
    code: str,
    remedy: dict[str, Any],
) -> None:
    state = copy.deepcopy(state)
    for known in state.get("packages", {}).values():
        if known.get("signer") == "circle":
            known["signer"] = make_apk.fingerprint("circle")
    phone = phone_of(su="", api=state.pop("api", 34), state=state)
    control = control_of(phone)
    before = remembered(phone)

    with pytest.raises(DeviceFault) as raised:
        put(control, make_apk.apk(tmp_path / "circle.apk", **app))

    assert raised.value.code == code
    assert NAME in raised.value.what
    undone(control)
    assert remembered(phone) == before
    assert not list((phone.root / "data").glob("app-staging/*"))
    assert control.shell.user("ls -A /data/local/tmp").out == ""

    if remedy.keys() & {"pm", "packages"}:
        phone.write(**remedy)
    else:
        app = app | remedy
    assert put(control, make_apk.apk(tmp_path / "circle.apk", **app)).identity.package == NAME


def there_already(phone: Phone, control: Control, tmp_path: Path) -> None:
    put(control, make_apk.apk(tmp_path / "old.apk", version=6, permissions=[CONTACTS]))
    control.journal.undo_all(lambda _: None)


def replaced(control: Control, new: Path) -> None:
    put(control, new, replace=True)


ODD: list[tuple[str, dict[str, Any], Callable[[Control, Path], object], str]] = [
    ("a part of the system", {"system": True}, replaced, "app-of-system"),
    ("an administrator", {"admins": [NAME]}, replaced, "app-not-uninstalled"),
    ("no clearing", {"clear_refused": True}, lambda at, _: package.reset(at, NAME), "app-not-cleared"),
    ("no granting", {"grant_refused": True}, lambda at, _: package.grant(at, NAME, CONTACTS), "permission-refused"),
    ("no file", {"lost": True}, lambda at, _: package.identity(at, NAME), "app-unreadable"),
]


@pytest.mark.parametrize(("odd", "call", "code"), [row[1:] for row in ODD], ids=[row[0] for row in ODD])
def test_what_a_device_does_not_let_us(
    phone_of: Phones,
    control_of: Controls,
    tmp_path: Path,
    odd: dict[str, Any],
    call: Callable[[Control, Path], object],
    code: str,
) -> None:
    phone = phone_of(su="")
    control = control_of(phone)
    there_already(phone, control, tmp_path)
    known = phone.read()["packages"]
    known[NAME]["system"] = odd.get("system", False)
    phone.write(pm=odd, packages=known)
    if odd.get("lost"):
        (phone.root / known[NAME]["path"].lstrip("/") / "base.apk").unlink()
    before = remembered(phone)
    new = make_apk.apk(tmp_path / "new.apk")

    with pytest.raises(DeviceFault) as raised:
        call(control, new)

    assert raised.value.code == code
    undone(control)
    assert remembered(phone) == before
    assert control.shell.user("ls -A /data/local/tmp").out == ""


def test_animations_are_off_for_the_run(phone_of: Phones, control_of: Controls) -> None:
    phone = phone_of(su="")
    control = control_of(phone)
    phone.write(settings={"global": {"window_animation_scale": "1.5"}, "secure": {}, "system": {}})

    package.without_animations(control)
    assert set(phone.read()["settings"]["global"].values()) == {"0"}
    undone(control)

    assert phone.read()["settings"]["global"] == {"window_animation_scale": "1.5"}


def test_the_verifier_is_switched_off_for_the_run(phone_of: Phones, control_of: Controls, tmp_path: Path) -> None:
    phone = phone_of(su="", state={"pm": {"verifier": True}})
    control = control_of(phone)

    put(control, make_apk.apk(tmp_path / "circle.apk"))
    undone(control)

    assert "verifier_verify_adb_installs" not in phone.read()["settings"]["global"]


def test_an_old_target_is_installed_where_the_device_can_be_told_to(
    phone_of: Phones, control_of: Controls, tmp_path: Path
) -> None:
    control = control_of(phone_of(su="", api=36))

    assert put(control, make_apk.apk(tmp_path / "old.apk", target=19, least=16)).app.base.target_sdk == 19


def test_permissions_for_a_run(phone_of: Phones, control_of: Controls, tmp_path: Path) -> None:
    phone = phone_of(su="")
    control = control_of(phone)
    put(control, make_apk.apk(tmp_path / "a.apk", permissions=[CONTACTS, CAMERA, "android.permission.INTERNET"]))
    control.journal.undo_all(lambda _: None)
    used(phone)

    assert package.permissions(control, NAME) == package.Permissions(
        requested=(CONTACTS, CAMERA, "android.permission.INTERNET"),
        granted=("android.permission.INTERNET", CONTACTS),
        runtime=(CONTACTS,),
    )
    package.grant(control, NAME, CAMERA)
    package.grant(control, NAME, CONTACTS)
    package.revoke(control, NAME, CONTACTS)
    assert package.permissions(control, NAME).runtime == (CAMERA,)
    with pytest.raises(DeviceFault) as raised:
        package.grant(control, NAME, "android.permission.READ_SMS")
    assert raised.value.code == "permission-refused"
    undone(control)

    assert package.permissions(control, NAME).runtime == (CONTACTS,)


@pytest.mark.parametrize("activities", [0, 1, 2])
def test_the_activity_to_start(phone_of: Phones, control_of: Controls, tmp_path: Path, activities: int) -> None:
    control = control_of(phone_of(su=""))
    launches = (
        '<intent-filter><action android:name="android.intent.action.MAIN"/>'
        '<category android:name="android.intent.category.LAUNCHER"/></intent-filter>'
    )
    body = "".join(
        f'<activity android:name="org.other.A{number}">{launches}</activity>' for number in range(activities)
    )

    put(control, make_apk.apk(tmp_path / "a.apk", activity=None, body=body))

    assert package.launcher(control, NAME) == ("org.other.A0" if activities else None)


def test_a_second_user(phone_of: Phones, control_of: Controls, tmp_path: Path) -> None:
    phone = phone_of(su="")
    control = control_of(phone)
    file = make_apk.apk(tmp_path / "a.apk")
    put(control, file)
    control.journal.undo_all(lambda _: None)

    assert put(control, file, user=10).uid == 1_010_101
    package.reset(control, NAME, user=10)
    undone(control)

    assert list(phone.read()["packages"][NAME]["users"]) == ["0"]


def test_an_app_that_is_not_there(phone_of: Phones, control_of: Controls) -> None:
    control = control_of(phone_of(su=""))
    calls: list[Callable[[Control, str], object]] = [
        package.uid, package.identity, package.permissions, package.reset,
    ]  # fmt: skip
    for call in calls:
        with pytest.raises(DeviceFault) as raised:
            call(control, "com.absent.app")
        assert raised.value.code == "app-not-installed"
    with pytest.raises(DeviceFault) as raised:
        package.reset(control, "a.b; reboot")
    assert raised.value.code == "app-no-name"


def storage(phone: Phone) -> Path:
    """What apps share, which the shell may write to."""
    folder = phone.root / "storage/emulated/0/Android/obb"
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    return folder


@pytest.mark.parametrize("there", [True, False])
def test_expansions(phone_of: Phones, control_of: Controls, tmp_path: Path, there: bool) -> None:
    phone = phone_of(su="")
    control = control_of(phone)
    obb = storage(phone)
    if there:
        put(control, make_apk.apk(tmp_path / "old.apk", version=6))
        control.journal.undo_all(lambda _: None)
        (obb / NAME).mkdir()
        os.chown(obb / NAME, 2000, 2000)
        (obb / NAME / f"main.6.{NAME}.obb").write_bytes(b"old")
    place = f"Android/obb/{NAME}/main.7.{NAME}.obb"
    with zipfile.ZipFile(tmp_path / "a.xapk", "w") as into:
        into.write(make_apk.apk(tmp_path / "a.apk"), f"{NAME}.apk")
        into.writestr(place, b"new")

    for _ in range(2):
        put(control, tmp_path / "a.xapk", replace=there)

    assert (obb / NAME / f"main.7.{NAME}.obb").read_bytes() == b"new"
    undone(control)
    left = {str(path.relative_to(obb)): path.read_bytes() for path in obb.rglob("*") if path.is_file()}
    assert left == ({f"{NAME}/main.6.{NAME}.obb": b"old"} if there else {})
    assert not [path for path in obb.iterdir() if path.name != NAME or not there]


def test_a_real_app(phone_of: Phones, control_of: Controls) -> None:
    phone = phone_of(su="")
    control = control_of(phone)

    found = put(control, real_apk("Settings"))

    assert (found.identity.package, found.identity.version_code) == ("io.appium.settings", 192)
    assert found.launcher == "io.appium.settings.Settings"
    assert phone.read()["packages"]["io.appium.settings"]["users"]["0"]["granted"] == []
    assert package.identity(control, "io.appium.settings").identity == found.identity


class Died(BaseException):
    """The process is gone: it does nothing more."""


def dying(control: Control, after: int, *, done: bool) -> None:
    """Have it die at its command number `after` to the device, before or after that is carried out."""
    shell, count = control.shell.adb.shell, 0

    def counted(command: str, **options: Any) -> Any:
        nonlocal count
        count += 1
        if count < after:
            return shell(command, **options)
        if count == after and done:
            shell(command, **options)
        raise Died

    control.shell.adb.shell = counted  # type: ignore[method-assign]


STRIDE = 4 if AT_NIGHT else 16
"""Less than this many steps are passed over."""


@pytest.mark.slow
@pytest.mark.parametrize("su", ["magisk", ""])
def test_dying_at_any_step(phone_of: Phones, control_of: Controls, tmp_path: Path, su: str) -> None:
    phone = phone_of(su=su)
    control = control_of(phone)
    put(control, make_apk.apk(tmp_path / "old.apk", permissions=[CONTACTS, CAMERA]))
    control.journal.undo_all(lambda _: None)
    used(phone)
    new = make_apk.apk(tmp_path / "new.apk", version=8, signer="somebody else")
    places = ("data/user/0/" + NAME, "data/user_de/0/" + NAME, "data/media/0/Android/data/" + NAME)
    wanted = seen(phone, places if su else ())
    chance = random.Random(su)
    alive, steps = False, 0
    while not alive:
        control = control_of(phone)
        steps += chance.randrange(1, STRIDE)
        dying(control, steps, done=chance.random() < 0.5)
        try:
            put(control, new, replace=True)
            package.reset(control, NAME)
            alive = True
        except Died:
            pass
        undone(control_of(phone))
        assert seen(phone, places if su else ()) == wanted, f"died at {steps}"
    assert steps > 20


def seen(phone: Phone, places: tuple[str, ...]) -> Any:
    state = phone.read()
    known = state["packages"][NAME]
    left = [path for path in tree(phone, "data/local") if "/." in path]
    left = [path for path in left if not re.fullmatch(r"data/local/tmp/\.[0-9a-f]{12}", path)]  # pushed, never run
    app = [known[key] for key in ("version_code", "signer", "splits")] + [known["users"]["0"]["granted"]]
    return app, state["settings"], state.get("backups", True), left, tree(phone, *places)
