"""First process of a stand-in device: makes its file system in namespaces of its own, starts adbd, and reaps.

Run as `unshare --mount --net --pid --fork --kill-child boot.py CONFIG.json`, by `phone.py`. Standard library alone.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
MS_PRIVATE_REC = 0x44000
MS_SHARED_REC = 0x104000
MNT_DETACH = 2
PIVOT_ROOT = 155 if os.uname().machine == "x86_64" else 41
SHELL_UID = 2000
TMP = "data/local/tmp"
BOOTED = Path("/data/rig/booted")
libc = ctypes.CDLL(None, use_errno=True)


def mount(source: str, target: Path, kind: str, flags: int = 0, data: str = "") -> None:
    target.mkdir(parents=True, exist_ok=True)
    if libc.mount(source.encode(), str(target).encode(), kind.encode(), flags, data.encode()):
        raise OSError(ctypes.get_errno(), f"mount {kind} {target}")


def main() -> None:
    config = json.loads(Path(sys.argv[1]).read_text())
    folder = Path(config["folder"])
    libc.mount(b"none", b"/", b"none", MS_PRIVATE_REC, None)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    mount("tmpfs", folder / "layers", "tmpfs")
    for name in ("upper", "work"):
        (folder / "layers" / name).mkdir()
    root = folder / "root"
    layers = f"lowerdir=/,upperdir={folder}/layers/upper,workdir={folder}/layers/work"
    mount("overlay", root, "overlay", 0, layers)
    for name in ("dev", "sys"):
        subprocess.run(["mount", "--rbind", f"/{name}", root / name], check=True)
    for kept in config["keep"]:  # what lies on another file system than the root
        if not (root / kept.lstrip("/")).exists():
            subprocess.run(["mount", "--rbind", kept, root / kept.lstrip("/")], check=True)
    mount("proc", root / "proc", "proc")
    mount("tmpfs", root / "data", "tmpfs", 0, "mode=0771")
    furnish(root, config)
    enter(root)
    environment = {
        "PATH": "/system/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "ADBD_PORT": str(config["port"]),
        "RIG_ADBD": "1",
        "ANDROID_DATA": "/data",
        "TMPDIR": "/data/local/tmp",
        "HOME": "/",
    }
    mounted = mounts()
    adbd, zygote = start(environment)
    signal.signal(signal.SIGUSR1, shut_down)
    while True:
        try:
            pid, _ = os.wait()
        except ChildProcessError:
            time.sleep(0.1)
            continue
        if not BOOTED.exists():
            forget(mounted)
            adbd, zygote = start(environment)
        elif pid == zygote and not Path("/data/rig/zygote-stays-down").exists():
            zygote = start_daemon("zygote", environment)
        elif pid == adbd and not Path("/data/rig/adbd-stays-down").exists():
            adbd = start_adbd(environment)


def start(environment: dict[str, str]) -> tuple[int, int]:
    """Start what init starts; the numbers of the processes that it starts again: adbd's and zygote's."""
    start_daemon("magiskd", environment)
    zygote = start_daemon("zygote", environment)
    adbd = start_adbd(environment)
    BOOTED.touch()
    return adbd, zygote


def start_daemon(name: str, environment: dict[str, str]) -> int:
    plain = {key: value for key, value in environment.items() if not key.startswith("RIG")}
    return subprocess.Popen([sys.executable, f"/data/rig/{name}.py"], env=plain, start_new_session=True).pid


def mounts() -> list[str]:
    """The mount points here, in the order in which they were mounted."""
    return [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]


def shut_down(*_: object) -> None:
    """End all processes but this one, which finds that and starts anew."""
    BOOTED.unlink(missing_ok=True)
    os.kill(-1, signal.SIGKILL)


def forget(mounted: list[str]) -> None:
    """Forget what a restart forgets: mounts, rules of the packet filter, and which boot this is."""
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()
    for place in reversed(mounts()[len(mounted) :]):
        libc.umount2(place.encode(), MNT_DETACH)
    rig = Path("/data/rig")
    for name in ("su.socket", "zygote.socket", "zygote.pid", "adbd-is-root", "gate"):
        (rig / name).unlink(missing_ok=True)
    for program in ("iptables", "ip6tables"):
        if shutil.which(program):
            for table in ("nat", "filter", "mangle"):
                subprocess.run([program, "-t", table, "-F"], check=False)
                subprocess.run([program, "-t", table, "-X"], check=False)
    (rig / "boot_id").write_text(f"{uuid.uuid4()}\n")


def enter(root: Path) -> None:
    """Make it the root of the mount namespace, so that nsenter comes out here, and have mounts propagate as init does:
    to namespaces made later, but not those below /apex."""
    os.chdir(root)
    if libc.syscall(PIVOT_ROOT, b".", b"."):
        raise OSError(ctypes.get_errno(), "pivot_root")
    libc.umount2(b".", MNT_DETACH)
    os.chdir("/")
    libc.mount(b"none", b"/", b"none", MS_SHARED_REC, None)
    libc.mount(b"none", b"/apex", b"none", MS_PRIVATE_REC, None)


def start_adbd(environment: dict[str, str]) -> int:
    log = Path("/data/rig/adbd.log").open("ab")
    # SIGINT of the terminal that runs the tests is not the device's.
    return subprocess.Popen(["/usr/sbin/adbd"], env=environment, stdout=log, stderr=log, start_new_session=True).pid


def furnish(root: Path, config: dict[str, Any]) -> None:
    """Lay out what an Android of this version has, as far as the product looks at it."""
    rig = root / "data/rig"
    rig.mkdir(parents=True)
    for name in ("magiskd", "zygote"):
        shutil.copy(HERE / f"{name}.py", rig)
    shutil.copytree(HERE / "userland", rig / "userland", ignore=shutil.ignore_patterns("__pycache__"))
    (rig / "state.json").write_text(json.dumps(config["state"]))
    (rig / "state.json").chmod(0o666)
    rig.chmod(0o777)
    (rig / "su.log").touch()
    (rig / "su.log").chmod(0o666)
    (root / TMP).mkdir(parents=True)
    (root / TMP).chmod(0o777)
    os.chown(root / TMP, SHELL_UID, SHELL_UID)
    (root / "data").chmod(0o771)
    (root / "data/user/0").mkdir(parents=True)
    (root / "data/data").symlink_to("user/0")
    media = root / "data/media/0"  # the shared storage, as FUSE shows it: everybody may write
    media.mkdir(parents=True)
    media.chmod(0o777)
    (root / "storage/emulated").mkdir(parents=True)
    (root / "storage/emulated/0").symlink_to("../../data/media/0")  # a test reads it by /proc, too
    (root / "sdcard").symlink_to("storage/emulated/0")
    system = root / "system"
    (system / "bin").mkdir(parents=True)
    (system / "bin/sh").symlink_to("/usr/bin/dash")
    entry = rig / "userland/__main__.py"
    for command in sorted(entry.parent.glob("cmd_*.py")):
        name = command.stem.removeprefix("cmd_")
        if name != "app_process":
            name = name.replace("_", "-")
        if name in config["without"]:
            continue
        program = system / "bin" / name
        program.write_text(f'#!/bin/dash\nexec {sys.executable} -I -S /data/rig/userland {name} "$@"\n')
        program.chmod(0o755)
    mount("tmpfs", root / "apex", "tmpfs", 0, "mode=0755")
    stores = [system / "etc/security/cacerts"]
    if config["state"]["api"] >= 34:
        stores.append(root / "apex/com.android.conscrypt/cacerts")
    for store in stores:
        store.mkdir(parents=True)
        for name, text in config["authorities"].items():
            (store / name).write_text(text)
    # adbd runs as root here and Android's gives shells the uid 2000; a shell that adbd starts comes by this door.
    boot_id = rig / "boot_id"
    boot_id.write_text(f"{uuid.uuid4()}\n")
    subprocess.run(["mount", "--bind", boot_id, root / "proc/sys/kernel/random/boot_id"], check=True)
    for name in config["without"]:
        for folder in ("usr/bin", "usr/sbin"):
            (root / folder / name).unlink(missing_ok=True)
    if config["state"].get("pid_namespaces") is False:  # a kernel that has none
        program = system / "bin/readlink"
        program.write_text('#!/bin/dash\ncase "$*" in */ns/pid*) exit 1 ;; esac\nexec /usr/bin/readlink "$@"\n')
        program.chmod(0o755)
    (root / "usr/bin/su").unlink(missing_ok=True)  # the desktop's asks for a password
    shell = root / "usr/bin/sh"
    shell.unlink()
    shell.write_text(
        '#!/usr/bin/bash -p\nif [ -n "$RIG_ADBD" ]; then\n  unset RIG_ADBD\n'
        "  if ! [ -e /data/rig/adbd-is-root ]; then\n"
        '    exec /usr/bin/setpriv --reuid 2000 --regid 2000 --clear-groups /usr/bin/dash "$@"\n  fi\nfi\n'
        'exec /usr/bin/dash "$@"\n'
    )
    shell.chmod(0o755)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    main()
