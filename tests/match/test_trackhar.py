"""Requests as 123 known trackers write them, built backwards from how they are read: every path is found."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import struct
import urllib.parse
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from appwitness.events import Access, Upload, Value
from appwitness.events.seen import see
from appwitness.match import decode
from appwitness.match.hits import last_key
from appwitness.match.linking import Linker

PATHS = Path(__file__).parents[3] / "shared" / "reference" / "trackhar_paths.json"
ADAPTERS = {}
if PATHS.exists():
    for one in json.loads(PATHS.read_bytes()):
        ADAPTERS[f"{one['tracker']}/{one['adapter']}"] = one

AT = datetime(2026, 3, 14, 1, 20, tzinfo=UTC)
IDS = re.compile(r"Id$|Identifiers$|Token$")


class ConflictError(Exception):
    """Two paths that cannot be in one request."""


class Planted(NamedTuple):
    """One path of an adapter, the value that is sent there, and how it is written."""

    context: str
    path: str
    value: Value
    sent: object


# --- paths: `a.*.b`, `$["a.b"]`, `events[?(@.state == 'start')].timestamp`; a key with `*` in front is in a list


def tokens(path):
    """[(key, conditions)]: the keys on the way, and what the filters in it want to stand beside."""
    keys: list[tuple[str, dict[str, object]]] = []
    for word, quoted, condition in re.findall(r"""([^.\[\]]+)|\[["'](.+?)["']\]|\[\?\((.+?)\)\](?=\.|\[|$)""", path):
        if word == "$" and not keys:
            continue
        if not condition:
            keys.append((word or quoted, {}))
            continue
        if (beginning := re.search(r"@property\.startsWith\(.(.+?).\)", condition)) is not None:
            keys.append((beginning[1] + "27", {}))
        elif (pattern := re.search(r"@property\.match\(/\^(.+?)\$/", condition)) is not None:
            keys.append((pattern[1].replace(r"\d+", "1").replace(".*", "x"), {}))
        elif (name := re.search(r'@property === "(\w+)"', condition)) is not None:
            keys.append((name[1], {}))
        else:
            beside = re.findall(r"@(?:parent)?[.\[](\w+)\]? ={2,3} '?(\w+)", condition)
            keys.append((f"*{condition}", {key: int(text) if text.isdecimal() else text for key, text in beside}))
    return keys


def prefix_of(path):
    """What the value must begin with for a filter to let it through."""
    beginning = re.search(r"@\.startsWith\('(.+?)'\)", path)
    if beginning is not None:
        return beginning[1]
    return "ifa:" if "@.match(/ifa:" in path and "!@" not in path else ""


def put(tree, path, value):
    """Put a value, or add the members of a mapping, at a path of nested mappings."""
    keys = tokens(path)
    for key, beside in keys[:-1]:
        tree = tree.setdefault(key, dict(beside))
        if not isinstance(tree, dict):
            raise ConflictError(path)
    key, beside = keys[-1]
    if isinstance(value, dict):
        known = tree.setdefault(key, dict(beside))
        if not isinstance(known, dict):
            raise ConflictError(path)
        for inner, member in value.items():
            if isinstance(member, dict) and isinstance(known.get(inner), dict):
                known[inner] |= member
            elif inner in known:
                raise ConflictError(path)
            else:
                known[inner] = member
    elif key in tree and key not in (keys[-2][1] if len(keys) > 1 else ()):  # a filter may name the very key
        raise ConflictError(path)
    else:
        tree[key] = value


def take(tree, path):
    """Take what stands at a path away; None when nothing does."""
    *way, (last, _) = tokens(path)
    for key, _ in way:
        if not isinstance(tree, dict) or key not in tree:
            return None
        tree = tree[key]
    return tree.pop(last, None) if isinstance(tree, dict) else None


def plain(tree):
    """Mappings whose keys stand for elements become lists."""
    if not isinstance(tree, dict):
        return tree
    if tree and all(key.startswith("*") for key in tree):
        return [plain(member) for member in tree.values()]
    if any(key.startswith("*") for key in tree):
        raise ConflictError(str(tree))
    return {key: plain(member) for key, member in tree.items()}


# --- the steps by which an adapter reads a request, backwards


def as_json(tree):
    return json.dumps(plain(tree)).encode()


def as_query(tree):
    pairs = []

    def walk(name, member):
        if isinstance(member, (dict, list)):
            for key, inner in member.items() if isinstance(member, dict) else enumerate(member):
                walk(f"{name}[{key}]" if name else str(key), inner)
        else:
            pairs.append((name, member if isinstance(member, bytes) else str(member)))

    walk("", plain(tree))
    return urllib.parse.urlencode(pairs).encode()


def varint(number):
    coded = b""
    while number > 127:
        coded += bytes((number & 127 | 128,))
        number >>= 7
    return coded + bytes((number,))


def as_protobuf(tree):
    def message(fields):
        coded = b""
        for key, member in fields.items():
            for one in member if isinstance(member, list) else [member]:
                number = int(key) << 3
                if isinstance(one, float):
                    coded += varint(number | 1) + struct.pack("<d", one)
                elif isinstance(one, int):
                    coded += varint(number) + varint(one)
                else:
                    inner = message(one) if isinstance(one, dict) else one if isinstance(one, bytes) else one.encode()
                    coded += varint(number | 2) + varint(len(inner)) + inner
        return coded

    made = plain(tree)
    if not isinstance(made, dict):
        raise ConflictError("a message")
    return message(made)


def as_jwt(tree):
    parts = (b'{"alg":"none","typ":"JWT"}', as_json(tree), b"not a signature")
    return b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)


def as_bytes(made):
    """Text and bytes as bytes: what base64 and gzip take."""
    if isinstance(made, dict):
        raise ConflictError("members of something that is no mapping")
    return made if isinstance(made, bytes) else str(made).encode()


BACKWARDS = {
    "parseJson": as_json,
    "parseQueryString": as_query,
    "decodeProtobuf": as_protobuf,
    "decodeBase64": lambda made: base64.b64encode(as_bytes(made)),
    "decodeJwt": as_jwt,
    "gunzip": lambda made: gzip.compress(as_bytes(made), mtime=0),
    "decodeUrl": lambda made: urllib.parse.quote(as_bytes(made), safe="").encode(),
    "split": lambda tree: " ".join(map(str, plain(tree))).encode(),
    "ensureArray": lambda tree: tree,
}


def request(adapter, planted):
    """The upload and its body that the adapter would read the planted values from; ConflictError when there is none."""
    tree: dict[str, Any] = {}
    for one in planted:
        if one.path == "$":
            put(tree, f"res.{one.context}", one.sent)
        else:
            root = tree.setdefault("res", {}).setdefault(one.context, {})
            if not isinstance(root, dict):
                raise ConflictError(one.path)
            put(root, one.path, one.sent)
    for step in reversed(adapter["decoding_steps"]):
        made = take(tree, step["output"])
        if made is None:
            continue
        source = step.get("input") or step["mapInput"]
        elements = isinstance(made, dict) and made and all(key.startswith("*") for key in made)
        if step["function"] == "getProperty":
            path = step["options"]["path"]
            if "mapInput" in step:
                if not elements:
                    raise ConflictError(path)
                made, path = next(iter(made.values())), f"*.{path}"
            elif elements and "*" in "".join(key for key, _ in tokens(path)):
                made = next(iter(made.values()))
            put(tree, source if path == "$" else f"{source}.{path.removeprefix('$.')}", made)
            continue
        backwards = BACKWARDS[step["function"]]
        if "mapInput" in step:
            if not elements:
                raise ConflictError(source)
            made = {key: text(backwards(member)) for key, member in made.items()}
            put(tree, source, made if "*" not in source else next(iter(made.values())))
        else:
            made = backwards(made)
            put(tree, source, made if source in ("body", "query") or isinstance(made, dict) else text(made))
    left = plain(tree.pop("res", {}))
    if any(left.values()):
        raise ConflictError(str(left))
    headers = [(name, one if isinstance(one, str) else str(one)) for name, one in plain(tree.get("header", {})).items()]
    if "cookie" in tree:
        cookies = (
            f"{name}={urllib.parse.quote(one if isinstance(one, str) else as_json(one))}"
            for name, one in plain(tree["cookie"]).items()
        )
        headers.append(("Cookie", "; ".join(cookies)))
    address = next((one for one in adapter["endpoints"] if one.startswith("https://")), "https://tracker.test/v1")
    if "path" in tree:
        address = "https://tracker.test" + tree["path"]
    if "query" in tree:
        address += "?" + tree["query"].decode()
    return Upload(at=AT, via="http", url=address, headers=tuple(headers)), tree.get("body")


def text(made):
    """Bytes that are text, as text: what is put into JSON or a header."""
    return made.decode() if isinstance(made, bytes) and made.isascii() else made


# --- values that fit


def value_for(name, kind, context, path):
    """A persona value of the type that fits, one of its own for each path, and how it is sent."""
    seed = hashlib.sha256(f"{name} {context} {path} {kind}".encode())
    digest = seed.hexdigest()
    number = int(digest, 16)
    uuid = f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}"
    if kind == "advertisingId":
        return Value(type="advertising_id", text=uuid), uuid
    if kind == "hashedAdvertisingId":
        return Value(type="advertising_id", text=uuid), hashlib.sha1(uuid.encode()).hexdigest()
    if kind == "macAddress":
        mac = ":".join(digest[at : at + 2] for at in range(0, 12, 2))
        return Value(type="mac_address", text=mac), mac
    if kind in ("publicIp", "localIp"):
        address = f"198.51.{100 + number % 100}.{100 + number // 100 % 100}"
        return Value(type="ip_address", text=address), address
    if kind == "deviceId":
        android = digest[:16]
        return Value(type="android_id", text=android), android
    if kind == "userId":
        email = f"{digest[:10]}@users.example"
        return Value(type="email", text=email), email
    if kind == "userAgent":
        agent = f"Dalvik/2.1.0 (Linux; U; Android 14; Pixel 8 Build/{digest[:10]})"
        return Value(type="user_agent", text=agent), agent
    if IDS.search(kind):
        return Value(type="device_id", text=uuid), uuid
    canary = f"{kind} {digest[:10]}"
    return Value(type="canary", text=canary), canary


def place_for(name, context, path):
    """A place for each pair of keys: the value, latitude, longitude."""
    parent = path.rpartition(".")[0]
    number = int(hashlib.sha256(f"{name} {context} {parent}".encode()).hexdigest(), 16)
    lat, lon = 20 + number % 30_000_000 / 1e6, 75 + number // 30_000_000 % 50_000_000 / 1e6
    return Value(type="location", text=f"{lat:.6f},{lon:.6f}"), round(lat, 6), round(lon, 6)


@cache
def requests_of(name):
    """Requests that hold together every path of an adapter, as few as they fit in."""
    adapter = ADAPTERS[name]
    wanted = []
    for kind, paths in adapter["data_paths"].items():
        for at in paths:
            context, path = at["context"], at["path"]
            if kind in ("latitude", "longitude"):
                value, lat, lon = place_for(name, context, path)
                sent = lat if kind == "latitude" else lon
            else:
                value, sent = value_for(name, kind, context, path)
                sent = ("/api/v1/players/" if context == "path" else prefix_of(path)) + sent
            wanted.append(Planted(context, path, value, sent))
    groups: list[list[Planted]] = []
    done = set()
    for one in wanted:
        if (one.context, one.path) in done:  # one path that means two things
            continue
        done.add((one.context, one.path))
        for group in groups:
            try:
                request(adapter, [*group, one])
            except ConflictError:
                continue
            group.append(one)
            break
        else:
            request(adapter, [one])
            groups.append([one])
    return [(group, *request(adapter, group)) for group in groups]


PARTS = {"body": "$", "query": "url.query", "header": "headers.", "cookie": "headers.cookie.", "path": "url.path"}


@pytest.mark.parametrize("name", ADAPTERS or [pytest.param("", marks=pytest.mark.skip(f"no {PATHS}"))])
def test_every_path_of_a_tracker_is_found(name):
    missed = []
    for group, upload, body in requests_of(name):
        linker = Linker([])
        for line, value in enumerate({one.value for one in group}, 1):
            read = Access(at=AT, source="s", data=value.type, values=(value,), outcome="returned")
            linker.add_access(see(f"accesses.jsonl:{line}", read, 0))
        joins = linker.link(see("uploads.jsonl:1", upload, 0), decode.leaves(upload, body))
        found: dict[tuple[str, str], list[str]] = {}
        for joined in joins:
            for match in joined.matches:
                found.setdefault((match.type, match.value), []).append(match.path)
        for one in group:
            paths = found.get((one.value.type, one.value.text), ())
            if not any(_is_at(path, one, ADAPTERS[name]) for path in paths):
                missed.append((one, paths, upload.url, body))
    assert missed == []


def _is_at(path, one, adapter):
    """Whether what was found is in the part of the request that the adapter reads, under the innermost key."""
    parts = {one.context}
    for step in reversed(adapter["decoding_steps"]):
        out, source = (tokens(step[way])[:2] for way in ("output", "input" if "input" in step else "mapInput"))
        if out[0][0] in parts or (out[0][0] == "res" and out[1][0] in parts):
            parts.add(source[1][0] if source[0][0] == "res" else source[0][0])
    if not any(path.startswith(PARTS.get(part, "-")) for part in parts):
        return False
    keys = [key.lower() for key, _ in tokens(one.path) if not key.startswith("*")]
    if not keys or "startsWith" in one.path:
        return True
    # a protobuf message whose bytes are all printable is read as the text that it also is: no inner key
    return keys[-1] in last_key(path) or keys[-1].isdecimal()


@pytest.mark.skipif(not ADAPTERS, reason=f"no {PATHS}")
def test_all_adapters_and_paths_are_built():
    assert len(ADAPTERS) == 123
    built = {(name, one.context, one.path) for name in ADAPTERS for group, _, _ in requests_of(name) for one in group}
    assert built == {
        (name, at["context"], at["path"])
        for name, adapter in ADAPTERS.items()
        for paths in adapter["data_paths"].values()
        for at in paths
    }
