"""One recording with what must be found in it: told line by line, written as a folder."""

from __future__ import annotations

import base64
import hashlib
import json
import struct
import zlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

from appwitness.events import FILES, Run, format_time, parse
from appwitness.recording import Recording
from tests.recordings.builder.reads import Read, Values

START = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)
MINUTE = 60.0
HOUR = 3600.0


def at(seconds: float) -> str:
    """A time so many seconds after the run started."""
    return format_time(START + timedelta(seconds=seconds))


def gzipped(data: bytes) -> bytes:
    """gzip of stored blocks: the same bytes whatever the compressor's version."""
    raw = b"\x01" + struct.pack("<HH", len(data), len(data) ^ 0xFFFF) + data
    return b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + raw + struct.pack("<II", zlib.crc32(data), len(data))


def sha256(text: str) -> str:
    """Hex digest of a text, as SDKs write it."""
    return hashlib.sha256(text.encode()).hexdigest()


def md5(text: str) -> str:
    """The same with the digest of older SDKs."""
    return hashlib.md5(text.encode()).hexdigest()


class Case:
    """A recording in the making. All methods that add a line take its time first, in seconds after the start, on the
    clock of whoever writes that line, and give the case back."""

    def __init__(
        self,
        name: str,
        why: str,
        *,
        nearly: str | None = None,
        plan: str = "accept",
        app: str = "com.example.shop",
        app_type: int | str | None = None,
        persona: Iterable[tuple[str, str]] = (),
        offset_ms: float = 0,
        policy: str | None = None,
        ends: float = MINUTE,
        **options: Any,
    ) -> None:
        self.name, self.why, self.nearly, self.app = name, why, nearly, app
        self.options = options | ({"app_type": app_type} if isinstance(app_type, str) else {})
        self.policy = policy
        self.findings: list[dict[str, Any]] = []
        self.missed: list[list[str | int]] = []
        self.run: dict[str, Any] = {
            "v": 1,
            "id": name,
            "app": {"package": app, "version": "1.0"},
            "app_type": app_type if isinstance(app_type, int) else None,
            "device": {"serial": "hand-made", "kind": "lab"},
            "plan": plan,
            "persona": [{"type": kind, "text": text} for kind, text in persona],
            "started": at(0),
            "ended": at(ends),
            "clock_offset_ms": offset_ms,
            "versions": {},
            "operator": "by hand",
        }
        self.lines: dict[str, list[dict[str, Any]]] = {}
        self.bodies: dict[str, bytes] = {}
        self._writes = app
        self._pid = 4711
        self._port = 40112

    # --- how it was observed ---

    def clocks_agree_to(self, uncertainty_ms: float) -> Self:
        """The clocks of device and host were compared, and may be wrong by so much."""
        self.run["clock_uncertainty_ms"] = uncertainty_ms
        return self

    def sockets_watched(self) -> Self:
        """The agent saw every socket of the process."""
        self.run["sockets_watched"] = True
        return self

    # --- what the agent sees ---

    def opened(self, when: float, ip: str, host: str | None, by: str) -> Self:
        """The app opens a connection that no proxy sees."""
        self._port += 1
        return self.line(
            "connection",
            when,
            op="connect",
            local={"ip": "10.0.2.15", "port": self._port},
            remote={"ip": ip, "port": 443},
            host=host,
            transport="tcp",
            stack=["java.net.Socket.connect(Socket.java:646)", by],
            thread="main",
        )

    def read(
        self,
        when: float,
        what: Read,
        *stack: str,
        values: Values | None = None,
        outcome: str = "returned",
        target: str | None = None,
        count: int = 1,
        until: float | None = None,
    ) -> Self:
        """The app reads personal data; `stack` is the app's own frames below the API."""
        given = what.values if values is None else values
        fields: dict[str, Any] = {
            "source": what.source,
            "target": target or what.target,
            "data": what.data,
            "values": [dict(zip(("type", "text", "row"), value, strict=False)) for value in given],
            "outcome": outcome,
            "stack": [_frame(what.source), *(stack or (f"{self.app}.Start.load(Start.java:31)",))],
            "thread": "main",
        }
        if count > 1:
            fields |= {"count": count, "until": at(until if until is not None else when)}
        return self.line("access", when, **fields)

    def turned(
        self,
        when: float,
        op: str,
        algorithm: str,
        source: bytes,
        outcome: bytes,
        key: bytes | None = None,
        iv: bytes | None = None,
    ) -> Self:
        """The app calls a digest, MAC or cipher."""
        fields: dict[str, Any] = {"input": _blob(source), "output": _blob(outcome)}
        fields |= {name: _blob(data) for name, data in (("key", key), ("iv", iv)) if data is not None}
        stack = [f"{self.app}.Sign.of(Sign.java:18)"]
        return self.line("transform", when, op=op, algorithm=algorithm, **fields, stack=stack, thread="main")

    def phase(self, when: float, state: str, text: str | None = None) -> Self:
        """The app or the screen changes its state; `started` is a new process, which all that follows is from."""
        if state == "started" and "phase" in self.lines:
            self._pid += 100
        return self.line("phase", when, state=state, **({"text": text} if text else {}))

    def launched(self) -> Self:
        """The user opens the app."""
        return self.phase(0.1, "started").phase(0.4, "foreground")

    def within(self, pid: int) -> Self:
        """All that follows is from this process."""
        self._pid = pid
        return self

    def of_app(self, package: str) -> Self:
        """All that follows is written in the name of this app."""
        self._writes = package
        return self

    def gap(self, when: float, where: str, subject: str, why: str, detail: str | None = None) -> Self:
        """Something could not be observed."""
        return self.line("gap", when, where=where, subject=subject, why=why, detail=detail)

    def witnessed(self, when: float, by: str, subject: str, until: float | None = None, **fields: Any) -> Self:
        """The system counted something, at that moment or from then on."""
        end = when if until is None else until
        return self.line(
            "witness", end, pid=None, by=by, subject=subject, **{"from": at(when), "until": at(end)}, **fields
        )

    def missing(self, subject: str, unseen: int) -> Self:
        """The report must say that of what the system counted so much was not recorded."""
        self.missed.append([subject, unseen])
        return self

    # --- what the user sees and does ---

    def asked(self, when: float = 0.5, text: str = "Privacy policy", **fields: Any) -> Self:
        """A dialog is shown."""
        return self._consent(when, signal="dialog", status="requested", by="app", text=text, **fields)

    def tapped(self, when: float, status: str, text: str, **fields: Any) -> Self:
        """The user touches a label."""
        return self._consent(when, **({"signal": "tap", "status": status, "by": "user", "text": text} | fields))

    def looked(self, when: float, *windows: Mapping[str, Any], since: float | None = None, **fields: Any) -> Self:
        """What is on the screen is seen from outside; `since`: when what was there before was last seen."""
        about: dict[str, Any] = {"what": "look", "windows": list(windows), "by": "host", "why": "change", "pid": None}
        if since is not None:
            about["since"] = at(since)
        return self.line("screen", when, **(about | fields))

    def agreed(self) -> Self:
        """The user is asked at 0.5 s and agrees at 2 s."""
        return self.asked(0.5).tapped(2, "given", "Agree")

    def separately(self, when: float, scope: str, status: str, text: str, data: Sequence[str] | None = None) -> Self:
        """A question of its own, answered a second later."""
        labels = {"given": "Agree", "refused": "Decline"}
        self.asked(when, text, scope=scope, data=data)
        return self.tapped(when + 1, status, labels[status], scope=scope, data=data)

    def marked(self, when: float, status: str, note: str, **fields: Any) -> Self:
        """The operator notes what the user did."""
        return self._consent(when, signal="operator", status=status, by="operator", note=note, **fields)

    def prompted(self, when: float, permission: str, data: Sequence[str]) -> Self:
        """The system asks for a permission."""
        return self._consent(
            when,
            signal="permission_prompt",
            status="requested",
            scope="system_permission",
            data=data,
            by="app",
            text=f"android.permission.{permission}",
        )

    def answered(self, when: float, permission: str, data: Sequence[str], granted: bool, by: str = "user") -> Self:
        """A permission is granted or denied."""
        return self._consent(
            when,
            signal="permission_result",
            status="given" if granted else "refused",
            scope="system_permission",
            data=data,
            by=by,
            text=f"android.permission.{permission}",
        )

    def claimed(self, when: float, signal: str, status: str, text: str, *stack: str, **fields: Any) -> Self:
        """The app says that the user agreed, or did not."""
        return self._consent(when, signal=signal, status=status, by="app", text=text, stack=list(stack), **fields)

    # --- what the proxy sees ---

    def sent(
        self,
        when: float,
        url: str,
        body: Mapping[str, Any] | bytes | None = None,
        *,
        how: str = "json",
        via: str = "http",
        by: str | None = None,
        ip: str = "203.0.113.20",
        port: int | None = None,
    ) -> Self:
        """A request. `how` a body is written: json, gzip (of JSON), form, base64 (JSON in a field), raw. `by` is the
        frame of the code that opened the connection; `port` one of which no connection is known."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        headers = [["host", host], ["user-agent", "okhttp/4.12.0"]]
        fields: dict[str, Any] = {"body": None, "size": 0, "type": None}
        if body is not None:
            data, type_, encoding = _written(body, how)
            digest = hashlib.sha256(data).hexdigest()
            self.bodies[digest] = data
            fields = {"body": digest, "size": len(data), "type": type_}
            headers += [["content-type", type_]] + ([["content-encoding", encoding]] if encoding else [])
        if by:
            self._port += 1
            port = 443 if parts.scheme == "https" else 80
            fields |= {"client": {"ip": "10.0.2.15", "port": self._port}, "server": {"ip": ip, "port": port}}
            self.line(
                "connection",
                when - 0.05,
                op="connect",
                local={"ip": "10.0.2.15", "port": self._port},
                remote={"ip": ip, "port": port},
                host=host,
                transport="tcp",
                stack=["java.net.Socket.connect(Socket.java:646)", by],
                thread="OkHttp Dispatcher",
            )
        elif port:
            fields |= {"client": {"ip": "10.0.2.15", "port": port}}
        return self.line(
            "upload",
            when,
            app=None,
            via=via,
            method="GET" if body is None else "POST",
            url=url,
            host=host,
            headers=headers,
            **fields,
            tls={"version": "TLSv1.3", "sni": host} if parts.scheme == "https" else None,
            status=200,
        )

    # --- what must be found ---

    def finds(
        self,
        rule: str,
        level: str,
        confidence: str,
        data: str | None = None,
        to: str | None = None,
        evidence: Sequence[str] = (),
    ) -> Self:
        """One finding that must be there, with these lines among its evidence; all that is not named must not."""
        finding = {"rule": rule, "level": level, "confidence": confidence, "data": data, "recipient": to}
        self.findings.append(finding | ({"evidence": list(evidence)} if evidence else {}))
        return self

    # --- the folder ---

    def files(self) -> dict[str, bytes]:
        """Path inside the recording -> content."""
        Run.model_validate(self.run)
        expected: dict[str, Any] = {"why": self.why}
        if self.nearly:
            expected["nearly"] = self.nearly
        expected |= self.options
        if self.policy:
            expected["policy"] = "policy.yml"
        if self.missed:
            expected["missed"] = self.missed
        rows = ",".join(f"\n  {json.dumps(finding, ensure_ascii=False)}" for finding in self.findings)
        head = json.dumps(expected, ensure_ascii=False, indent=1).removesuffix("\n}")
        found = {
            "run.json": json.dumps(self.run, ensure_ascii=False, indent=1) + "\n",
            "expected.json": f'{head},\n "findings": [{rows}{chr(10) + " " if rows else ""}]\n}}\n',
        }
        for kind, lines in self.lines.items():
            texts = [json.dumps(line, ensure_ascii=False) for line in lines]
            for text in texts:
                parse(text)
            found[FILES[kind]] = "".join(f"{text}\n" for text in texts)
        if self.policy:
            found["policy.yml"] = self.policy
        return {name: text.encode() for name, text in found.items()} | {
            f"bodies/{digest}": data for digest, data in self.bodies.items()
        }

    def _consent(self, when: float, **fields: Any) -> Self:
        return self.line("consent", when, **({"scope": "general_policy", "data": None} | fields))

    def line(self, kind: str, when: float, **fields: Any) -> Self:
        line = {"v": 1, "kind": kind, "at": at(when), "app": self._writes, "pid": self._pid} | fields
        self.lines.setdefault(kind, []).append(line)
        return self


def _frame(source: str) -> str:
    """The frame of the API itself, innermost."""
    name = source.rsplit(".", 2)[-2].partition("$")[0]
    return f"{source}({name}.java:{500 + len(source) * 31 % 2000})"


def _written(body: Mapping[str, Any] | bytes, how: str) -> tuple[bytes, str, str | None]:
    """The bytes of a body, its type, its content encoding."""
    if isinstance(body, bytes):
        return body, "application/octet-stream", None
    text = json.dumps(body, ensure_ascii=False).encode()
    match how:
        case "form":
            return urlencode(body).encode(), "application/x-www-form-urlencoded", None
        case "gzip":
            return gzipped(text), "application/json", "gzip"
        case "base64":
            wrapped = {"v": 3, "data": base64.b64encode(text).decode()}
            return json.dumps(wrapped).encode(), "application/json", None
        case _:
            return text, "application/json", None


def _blob(data: bytes) -> dict[str, Any]:
    return {"b64": base64.b64encode(data).decode()}


def recorded(case: Case, path: Path) -> Recording:
    """A case at `path` as a recorder writes it: private files, stamped when the run begins; open still."""
    recording = Recording.create(path, Run.model_validate(case.run))
    for body in case.bodies.values():
        recording.put_body(body)
    for lines in case.lines.values():
        recording.append_all([parse(json.dumps(line)) for line in lines])
    return recording


def write(cases: Iterable[Case], folder: Path) -> None:
    """Write every case into a folder of its name."""
    for case in cases:
        for name, content in case.files().items():
            path = folder / case.name / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
