"""Describes a bundle in CASE/UCO 1.4 as JSON-LD: files, app, device, tools, operator, and the run that made them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from appwitness.events import DeviceImage, ObtainedApp, Run, format_time

_UCO = "https://ontology.unifiedcyberontology.org/uco/"
CONTEXT = {
    "kb": "urn:appwitness:",
    "case-investigation": "https://ontology.caseontology.org/case/investigation/",
    **{
        f"uco-{name}": f"{_UCO}{name}/"
        for name in ("action", "core", "identity", "observable", "role", "tool", "types")
    },
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
NAMESPACE = uuid.UUID("5f0c9d0e-7f8b-5d5e-9a3c-5b0f2f6a7c11")
"""Namespace of IDs: the same part of the same run always has the same ID."""

type Node = dict[str, Any]


class BundledFile(NamedTuple):
    """A file of the bundle."""

    name: str
    size: int
    sha256: str


def description(run: Run, files: Iterable[BundledFile]) -> bytes:
    """The description of a run and its files; what is not recorded is left out."""
    graph = {"@context": CONTEXT, "@graph": list(_Graph(run).nodes(files))}
    return f"{json.dumps(graph, indent=1, ensure_ascii=False)}\n".encode()


class _Graph:
    """The nodes of one description, each with an ID of its own."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def nodes(self, files: Iterable[BundledFile]) -> Iterator[Node]:
        run = self._run
        shown = [self._file(file) for file in files]
        app, device = list(self._app()), self._device()
        tools = [
            self._tool(name, version) for name, version in sorted(run.versions.items()) if version and name in TOOLS
        ]
        record = self._node("case-investigation:ProvenanceRecord", "provenance", "record")
        record |= {"uco-core:description": f"Recording {run.id}, its reports and what checks them"}
        record["uco-core:object"] = [_ref(each) for each in (*shown, *app, device)]
        action = self._node("case-investigation:InvestigativeAction", "action", "run")
        action |= {"uco-core:name": f"Observed {run.app.package} with the plan {run.plan}"}
        action["uco-action:startTime"] = _time(run.started)
        if run.ended:
            action["uco-action:endTime"] = _time(run.ended)
        if tools:
            action["uco-action:instrument"] = [_ref(each) for each in tools]
        action["uco-action:object"] = [_ref(each) for each in (*app, device)]
        action["uco-action:result"] = [_ref(record)]
        people = list(self._people())
        if people:
            action["uco-action:performer"] = _ref(people[0])
        yield from (*shown, *app, device, *tools, *people, record, action)
        if run.case:
            case = self._node("case-investigation:Investigation", "investigation", run.case)
            case |= {"uco-core:name": run.case, "uco-core:object": [_ref(record), _ref(action)]}
            yield case

    def _node(self, type_: str, what: str, *names: object) -> Node:
        own = uuid.uuid5(NAMESPACE, "\x1f".join((self._run.id, what, *map(str, names))))
        return {"@id": f"kb:{what}-{own}", "@type": type_}

    def _hash(self, sha256: str, *names: object) -> Node:
        found = self._node("uco-types:Hash", "hash", *names)
        found["uco-types:hashMethod"] = "SHA256"
        found["uco-types:hashValue"] = {"@type": "xsd:hexBinary", "@value": sha256}
        return found

    def _facet(self, type_: str, *names: object, **fields: object) -> Node:
        found = self._node(f"uco-observable:{type_}", "facet", type_, *names)
        return found | {f"uco-observable:{name}": value for name, value in fields.items() if value is not None}

    def _file(self, file: BundledFile) -> Node:
        found = self._node("uco-observable:File", "file", file.name)
        size = {"@type": "xsd:integer", "@value": str(file.size)}
        about = self._facet(
            "FileFacet", file.name, fileName=file.name.rpartition("/")[2], filePath=file.name, sizeInBytes=size
        )
        data = self._facet("ContentDataFacet", file.name, hash=[self._hash(file.sha256, file.name)])
        return found | {"uco-core:hasFacet": [about, data]}

    def _app(self) -> Iterator[Node]:
        """The app, its file and its certificate, if their digests are recorded."""
        app = self._run.app
        found = self._node("uco-observable:Application", "app", app.package)
        facet = self._facet(
            "ApplicationFacet", app.package, applicationIdentifier=app.package, version=app.version or None
        )
        if said := _said(self._run.obtained):
            found["uco-core:description"] = f"Obtained, as the operator says: {said}"
        yield found | {"uco-core:name": app.package, "uco-core:hasFacet": [facet]}
        if app.apk_sha256:
            apk = self._node("uco-observable:File", "apk", app.apk_sha256)
            data = self._facet("ContentDataFacet", "apk", hash=[self._hash(app.apk_sha256, "apk")])
            yield apk | {"uco-core:name": "the APK that was installed", "uco-core:hasFacet": [data]}
        if app.certificate_sha256:
            signer = self._node("uco-observable:X509Certificate", "certificate", app.certificate_sha256)
            facet = self._facet(
                "X509CertificateFacet", "signer", thumbprintHash=self._hash(app.certificate_sha256, "signer")
            )
            yield signer | {"uco-core:name": "the certificate that signed the app", "uco-core:hasFacet": [facet]}

    def _device(self) -> Node:
        device = self._run.device
        found = self._node("uco-observable:AndroidDevice", "device", device.serial)
        facet = self._facet("DeviceFacet", device.serial, serialNumber=device.serial, model=device.model)
        said = f"{device.kind}" + (f", Android {device.release}" if device.release else "")
        if image := _said(self._run.image):
            said += f"; its image, as the operator says: {image}"
        return found | {"uco-core:description": said, "uco-core:hasFacet": [facet]}

    def _tool(self, name: str, version: str) -> Node:
        found = self._node("uco-tool:Tool", "tool", name)
        return found | {"uco-core:name": name, "uco-tool:version": version}

    def _people(self) -> Iterator[Node]:
        """The operator, the operator's role, and the relationship between the two."""
        if not self._run.operator:
            return
        person = self._node("uco-identity:Person", "person", "operator")
        role = self._node("uco-role:Role", "role", "operator")
        joined = self._node("uco-core:Relationship", "relationship", "operator")
        yield person | {"uco-core:name": self._run.operator}
        yield role | {"uco-core:name": "operator"}
        yield joined | {
            "uco-core:source": _ref(person),
            "uco-core:target": _ref(role),
            "uco-core:kindOfRelationship": "Has_Role",
            "uco-core:isDirectional": True,
        }


TOOLS = frozenset({"appwitness", "frida", "mitmproxy", "bridge", "agent"})
"""The recording programs among the versions in run.json."""


def _said(told: ObtainedApp | DeviceImage | None) -> str:
    return ", ".join(f"{name} {text}" for name, text in told.model_dump().items() if text) if told else ""


def _ref(node: Node) -> Node:
    return {"@id": node["@id"]}


def _time(at: datetime) -> Node:
    return {"@type": "xsd:dateTime", "@value": format_time(at)}
