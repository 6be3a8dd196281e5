"""The commit record of a complete recording, and the check that an archive in the store is that recording."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from appwitness import events
from appwitness.devices.embedded import KIND, is_embedded
from appwitness.recording import archive, verify
from appwitness.recording.seal import RUN, SEAL, link
from appwitness.store.fleet_tables import CommittedRecording, Planned

_DIGEST = re.compile(r"[0-9a-f]{64}\Z")


def digest_of(packed: Path) -> str:
    """SHA-256 of an archive."""
    with packed.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def last_stamp(packed: Path) -> str | None:
    """SHA-256 of the line of an archive's last stamp; None when it was never stamped."""
    lines = archive.member(packed, SEAL).splitlines()
    return link(lines[-1]) if lines else None


def run_of(packed: Path) -> events.Run:
    """Read run.json in an archive. Raises ValueError if there is none, FileError if it is not an archive."""
    return events.Run.model_validate_json(archive.member(packed, RUN))


def differs(packed: Path, planned: Planned, committed: CommittedRecording | None) -> str | None:
    """Why an archive is not the recording of a planned run; None when it is. Its digest is compared with the host's
    commit record. Older versions wrote none; then its run.json must match the plan. Lines that were forgotten later
    make no difference, as stamps account for them."""
    if committed is None:
        return unlike_plan(run_of(packed), planned)
    if digest_of(packed) == committed.digest:
        return None
    if committed.stamp is None or committed.stamp not in map(link, archive.member(packed, SEAL).splitlines()):
        return "it is not the archive that its host made"
    if verify(packed).outcome == "altered":
        return "it was changed after its host made it, and its stamps do not explain how"
    return None


def unlike_plan(run: events.Run, planned: Planned) -> str | None:
    """The first field of a run that differs from its plan, as an explanation; None when all comparable fields match."""
    if run.campaign != planned.campaign:
        other = f"the campaign {run.campaign}" if run.campaign else "no campaign"
        return f"it belongs to {other}, not to the campaign {planned.campaign}"
    if run.plan != planned.plan:
        return f"it was run with the plan {run.plan}, not {planned.plan}"
    if _DIGEST.match(planned.app):
        whole = (planned.apk or "").endswith(".apk")  # for a set of splits, the plan has the digest of all files
        if whole and run.app.apk_sha256 not in (None, planned.app):
            return f"it is a recording of another build of {run.app.package}"
    elif is_embedded(planned.app):
        if run.device.kind != KIND:
            return f"it was made on {run.device.serial}, not on the lab device"
    elif "." in planned.app and run.app.package != planned.app:
        return f"it is a recording of the app {run.app.package}, not {planned.app}"
    return None
