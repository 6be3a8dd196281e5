"""Disks of their own that are full, read-only or frozen: `python -m tests.lab.proxy.disks NAME FOLDER`.

The process has its mounts to itself. Each scene ends with 0, or with an error that says what was not as expected.
"""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from addons.disk.ring import RING_BYTES
from addons.disk.to_writer import TOO_SLOW
from appwitness.proxy import Proxy
from tests.lab import upstream as servers
from tests.lab.proxy.observed import MB, Observed, wait_for
from tests.lab.proxy.writers import caught_up, waiting
from tests.lab.upstream import Upstream


def missing(scene: str) -> str | None:
    """Why this scene cannot be played on this machine; None when it can."""
    if not sys.platform.startswith("linux"):
        return "mount namespaces are Linux's"
    if os.geteuid() != 0:
        return "mounting needs root"
    tried = subprocess.run(
        ["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, text=True, check=False
    )
    if tried.returncode:
        return f"no mount namespaces: {tried.stderr.strip()}"
    if scene == "frozen":
        absent = [program for program in ("mkfs.ext4", "fsfreeze") if not shutil.which(program)]
        if absent:
            return f"not installed: {', '.join(absent)}"
        if not Path("/dev/loop-control").exists():
            return "no loop devices"
    return None


def run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


@contextmanager
def observed(folder: Path, disk: Path, upstream: Upstream) -> Iterator[Observed]:
    recording = disk / "recording"
    recording.mkdir()
    with Proxy(recording, confdir=folder / "ca", hosts=upstream.hosts, upstream_ca=upstream.ca) as proxy:
        yield Observed(proxy, recording)


def post(seen: Observed, path: str, body: bytes) -> None:
    with seen.client() as client:
        answer = client.post(f"http://plain.test{path}", content=body)
    assert answer.json() == {"sha256": hashlib.sha256(body).hexdigest(), "size": len(body)}, answer.text


def full(folder: Path, disk: Path, upstream: Upstream) -> None:
    """Two megabytes: what fits is kept, the rest passes and is named; with room again, what waited is written."""
    run("mount", "-t", "tmpfs", "-o", "size=2m", "none", str(disk))
    with observed(folder, disk, upstream) as seen:
        bodies = {number: os.urandom(700_000) for number in range(4)}
        for number, body in bodies.items():
            post(seen, f"/full/{number}.", body)
        filler = disk / "filler"
        with filler.open("wb") as file, _ignoring_enospc():
            while True:
                os.write(file.fileno(), bytes(4096))
        for number in range(300):
            post(seen, f"/none/{number}.", f"small {number}".encode())
        assert b"/none/" not in (seen.path / "uploads.jsonl").read_bytes()
        run("mount", "-o", "remount,size=16m", str(disk))  # the tester makes room
        uploads = wait_for(lambda: len(seen.uploads()) == 304 and seen.uploads())
        by_url = {upload.url: upload for upload in uploads}
        assert len(by_url) == 304, "each answered request once"
        cut = [upload for upload in uploads if upload.truncated]
        assert 1 <= sum("/full/" in (upload.url or "") for upload in cut) <= 2
        gaps = [gap for gap in seen.gaps() if gap.why == "body_truncated"]
        assert len(gaps) == len(cut), "a gap for each body that is not whole"
        assert seen.gap(lambda gap: gap.why == "overflow").subject == "uploads.jsonl"
        assert not list((seen.path / "bodies").glob(".*")), "nothing half-written stays"
        post(seen, "/again", b"room again")
        assert seen.body(seen.upload("/again")) == b"room again"


@contextmanager
def _ignoring_enospc() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno != 28:
            raise


def read_only(folder: Path, disk: Path, upstream: Upstream) -> None:
    """A disk that lets nobody write from one moment on, and later does again."""
    run("mount", "-t", "tmpfs", "none", str(disk))
    with observed(folder, disk, upstream) as seen:
        post(seen, "/before", b"before")
        # (The proxy is a child of ours and shares our mounts.)
        run("mount", "--bind", str(seen.path / "bodies"), str(seen.path / "bodies"))
        run("mount", "-o", "remount,ro,bind", str(seen.path / "bodies"))
        for number in range(5):
            post(seen, f"/ro/{number}.", os.urandom(100_000))
        uploads = [upload for upload in seen.uploads() if "/ro/" in (upload.url or "")]
        assert [(upload.body, upload.truncated) for upload in uploads] == [(None, True)] * 5, uploads
        assert "Read-only" in (seen.gap(lambda gap: gap.why == "body_truncated").detail or "")
        run("umount", str(seen.path / "bodies"))
        post(seen, "/after", b"after")
        assert seen.body(seen.upload("/after")) == b"after"


def frozen(folder: Path, disk: Path, upstream: Upstream) -> None:
    """A file system that lets every writer hang, as one does whose journal is stuck: traffic flows on."""
    image = folder / "image"
    with image.open("wb") as file:
        file.truncate(256 * MB)
    run("mkfs.ext4", "-q", str(image))
    run("mount", "-o", "loop", str(image), str(disk))
    with observed(folder, disk, upstream) as seen:
        post(seen, "/before", b"before")
        caught_up(seen.proxy)
        bodies = [os.urandom(size) for size in (10, 1000, 100_000, 3_000_000)]
        long = os.urandom(RING_BYTES + 3 * MB)
        run("fsfreeze", "--freeze", str(disk))
        thaw = functools.partial(run, "fsfreeze", "--unfreeze", str(disk))
        # Nothing can end a process that hangs in there, so see to it that it is let go in any case.
        late = threading.Timer(120, thaw)
        late.start()
        try:
            for number, body in enumerate(bodies):
                post(seen, f"/frozen/{number}.", body)
            post(seen, "/more-than-can-be-held", long)
            post(seen, "/after", b"after")
            assert waiting(seen.proxy.pid) > len(bodies[-1])
        finally:
            late.cancel()
            thaw()
        for number, body in enumerate(bodies):
            assert seen.body(seen.upload(f"/frozen/{number}.")) == body
        assert seen.body(seen.upload("/after")) == b"after"
        cut = seen.upload("/more-than-can-be-held")
        assert cut.truncated
        assert seen.body(cut) == long[: cut.size]
        (gap,) = seen.gaps()
        assert (gap.why, TOO_SLOW in (gap.detail or "")) == ("body_truncated", True)
    run("umount", str(disk))


SCENES: dict[str, Callable[[Path, Path, Upstream], None]] = {
    "full": full,
    "read_only": read_only,
    "frozen": frozen,
}


def main(name: str, folder: Path) -> None:
    os.unshare(os.CLONE_NEWNS)
    run("mount", "--make-rprivate", "/")
    disk = folder / "disk"
    disk.mkdir()
    with servers.running(folder) as upstream:
        SCENES[name](folder, disk, upstream)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
