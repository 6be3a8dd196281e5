"""A host's devices and their labels, from adb, the device and the user."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence

from appwitness.devices.embedded import KIND, is_hosted
from appwitness.fleet.worker import FleetDevice
from appwitness.support.errors import UserError
from appwitness.support.spoken import Spoken

log = logging.getLogger(__name__)

_LABEL = re.compile(r"(?:(?P<serial>.+)/)?(?P<name>[A-Za-z][\w.-]*)=(?P<value>[\w.:+-]+)")


def chosen(names: str, labels: Sequence[str]) -> list[FleetDevice]:
    """The devices named in a comma-separated list; `all`: every ready one; `none`: none, for a host that only judges.

    `lab`, `lab2` ... are lab devices. `labels` are NAME=VALUE, or SERIAL/NAME=VALUE for one device. If only some
    devices are missing, the host waits for them; until they appear, they have only the labels given here. Raises
    UserError when all are missing.
    """
    listed = [name.strip() for name in names.split(",") if name.strip()]
    if listed == ["none"]:
        return []
    if listed == ["all"]:
        from appwitness.devices.android import discovery

        listed = [each.serial for each in discovery.listed() if each.state == "ready"]
        listed = listed or [discovery.choose().serial]  # raises the error that explains what is wrong
    if not listed or len(set(listed)) < len(listed):
        raise UserError(
            Spoken("--devices {names!r} names no device, or names one twice.", names=names),
            "Write serials separated by commas.",
        )
    added = {serial: _added(serial, labels) for serial in listed}
    found, missing = [], []
    for serial in listed:
        try:
            found.append(FleetDevice(serial, {**labels_of(serial), **added[serial]}))
        except UserError as error:
            missing.append(error)
            found.append(FleetDevice(serial, added[serial], absent=True))
    if len(missing) == len(listed):
        raise missing[0]
    for fault in missing:
        log.warning("%s The host starts with the other devices and keeps looking for this one.", fault)
    return found


def labels_of(serial: str) -> dict[str, str]:
    """A device's labels. Raises UserError if it is absent or cannot be used."""
    if is_hosted(serial):
        return {"kind": KIND, "api": "34"}
    from appwitness.devices.android import discovery

    known = discovery.known(discovery.choose(serial).serial)
    facts = known.facts
    rooted = len(known.adb_user.split()) > 1 or known.adb_user.split()[:1] == ["0"]
    return {
        "kind": facts.kind,
        "api": str(facts.api),
        "model": re.sub(r"[^\w.:+-]", "-", facts.model),
        **({"abi": facts.abis[0]} if facts.abis else {}),
        **({"rooted": "yes"} if rooted else {}),
    }


def _added(serial: str, labels: Sequence[str]) -> dict[str, str]:
    added = {}
    for label in labels:
        found = _LABEL.fullmatch(label)
        if found is None:
            raise UserError(
                Spoken("--label {label!r} is not a label.", label=label),
                "Write NAME=VALUE, or SERIAL/NAME=VALUE for one device.",
            )
        if found["serial"] in (None, serial):
            added[found["name"]] = found["value"]
    return added
