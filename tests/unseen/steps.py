"""Further ways that the app's own calls explain: many steps, small pieces, keys that are the value, odd writings."""

from __future__ import annotations

import base64
import hmac
import random
import zlib
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from appwitness.events import Value
from tests.unseen import Call, Sent, world
from tests.unseen.containers import FORM, field, multipart
from tests.unseen.proven import IV12, IV16, KEY, aes, b64, chacha, gcm, in_pieces, mac, one, packed, proven, sha, two
from tests.unseen.rarer import BASE58, BASE62, LOWER, in_base


def iterated(times: int, name: str, *, raw: bool) -> Any:
    """A digest of a digest of a digest, each of them a call."""

    def prove(v: Value, t: bytes, d: bytes, c: random.Random) -> tuple[Any, list[Call]]:
        calls = [sha(b"salt" + t, name)]
        for _ in range(times - 1):
            out = calls[-1].outcome
            calls.append(sha(out if raw else out.hex().encode(), name))
        return calls[-1].outcome.hex(), calls

    return prove


def pieces_at_the_end(v: Value, t: bytes, d: bytes, c: random.Random) -> tuple[Any, list[Call]]:
    """Some providers give nothing out before doFinal."""
    whole = gcm(d)
    half = len(d) // 2
    return b64(IV12 + whole.outcome), [
        Call("encrypt", whole.algorithm, d[:half], b""),
        Call("encrypt", whole.algorithm, d[half:], whole.outcome),
    ]


def derived(v: Value, t: bytes, d: bytes, c: random.Random) -> tuple[Any, list[Call]]:
    """HKDF: extract, expand, encrypt something that is constant; the id is in the first input only."""
    extract = mac(b"salt", t)
    expand = _keyed(extract.outcome, b"info\x01")
    return {"id": expand.outcome.hex()}, [extract, expand]


def fields_apart(v: Value, t: bytes, d: bytes, c: random.Random) -> tuple[Any, list[Call]]:
    calls = [gcm(one.text.encode()) for one in world.together(v)]
    return {f"f{number}": b64(call.outcome) for number, call in enumerate(calls)}, calls


def chunk_list(v: Value, t: bytes, d: bytes, c: random.Random) -> tuple[Any, list[Call]]:
    calls = [gcm(d[at : at + 200]) for at in range(0, len(d), 200)]
    return [b64(call.outcome) for call in calls], calls


def openssl(v: Value, t: bytes, d: bytes, c: random.Random) -> tuple[Any, list[Call]]:
    call = aes("CBC", d)
    return b64(b"Salted__" + b"saltsalt" + call.outcome), [call]


def jwe(v: Value, t: bytes, d: bytes, c: random.Random) -> tuple[Any, list[Call]]:
    call = gcm(d)
    parts = (b'{"alg":"dir","enc":"A128GCM"}', b"", IV12, call.outcome[:-16], call.outcome[-16:])
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts), [call]


def blocks(name: str, algorithm: Any, mode: Any) -> Any:
    def prove(v: Value, t: bytes, d: bytes, c: random.Random) -> tuple[Any, list[Call]]:
        machine = Cipher(algorithm, mode).encryptor()
        pad = 16 - len(d) % 16
        given = d + bytes((pad,)) * pad
        return b64(machine.update(given) + machine.finalize()), [
            Call("encrypt", name, d, Cipher(algorithm, mode).encryptor().update(given))
        ]

    return prove


def dictionary(v: Value, t: bytes, d: bytes, c: random.Random) -> tuple[Any, list[Call]]:
    """Deflated against a dictionary that nobody sends."""
    machine = zlib.compressobj(zdict=b'{"event":"batch","phone":"')
    out = machine.compress(d) + machine.flush()
    return b64(out), [Call("compress", "deflate", d, out)]


def own_letters(v: Value, t: bytes, d: bytes, c: random.Random) -> tuple[Any, list[Call]]:
    """base64 in letters of its own, by a call that is seen."""
    turned = base64.b64encode(d).translate(bytes.maketrans(b"ABCDEFGHIJabcdefghij", b"abcdefghijABCDEFGHIJ"))
    return turned.decode(), [Call("encode", "Base64", d, turned)]


def signed(v: Value, t: bytes, d: bytes, c: random.Random) -> tuple[Any, list[Call]]:
    """The document itself goes elsewhere; here is its signature."""
    call = sha(b"app=1&data=" + d + b"&secret", "md5")
    return {"ts": 1773478800, "sign": call.outcome.hex().upper()}, [call]


for _times in (3, 10, 40):
    proven(f"digest taken {_times} times", iterated(_times, "sha256", raw=False))
proven("md5 taken 7 times, raw", iterated(7, "md5", raw=True))
proven("all at the end", pieces_at_the_end)
proven("derived by two macs", derived)
proven("each field by itself", fields_apart)
proven("a list of chunks", chunk_list)
proven("salted, as a tool writes it", openssl)
proven("compact token", jwe)
proven("a dictionary", dictionary)
proven("letters of its own", own_letters)
proven("signature of a document", signed)
proven("key is the value", lambda v, t, d, c: one(_keyed(t, b"constant"), bytes.hex))
proven("key is a digest of the value", lambda v, t, d, c: _key_digest(t))
proven("sm4", blocks("SM4/CBC/PKCS7Padding", algorithms.SM4(KEY), modes.CBC(IV16)))
proven("in pieces of 8", in_pieces(8, b64))
proven("in pieces of 5", in_pieces(5, b64))
proven("in pieces of 20, hex in a query", in_pieces(20, bytes.hex))
proven("salt, last 16 digits", lambda v, t, d, c: one(sha(b"k" + t), lambda raw: raw.hex()[-16:]))
proven("salt, first ten bytes in base64", lambda v, t, d, c: one(sha(b"k" + t), lambda raw: b64(raw[:10])))
proven(
    "salt, digest in base58", lambda v, t, d, c: one(sha(b"k" + t), lambda raw: in_base(int.from_bytes(raw), BASE58))
)
proven(
    "salt, digest in base62",
    lambda v, t, d, c: one(sha(b"k" + t, "md5"), lambda raw: in_base(int.from_bytes(raw), BASE62)),
)
proven(
    "salt, digest in base36",
    lambda v, t, d, c: one(sha(b"k" + t, "md5"), lambda raw: in_base(int.from_bytes(raw), "0123456789" + LOWER)),
)
proven(
    "salt, digest as uuid",
    lambda v, t, d, c: one(
        sha(b"k" + t, "md5"),
        lambda raw: "-".join((raw.hex()[:8], raw.hex()[8:12], raw.hex()[12:16], raw.hex()[16:20], raw.hex()[20:])),
    ),
)
proven("salt, digest behind its name", lambda v, t, d, c: one(sha(b"k" + t), lambda raw: "sha256:" + raw.hex()))
proven(
    "salt, digest in a cookie",
    lambda v, t, d, c: (Sent(headers=(("Cookie", f"s=1; u={(call := sha(b'k' + t)).outcome.hex()}"),)), [call]),
)
proven(
    "salt, digest in json in base64",
    lambda v, t, d, c: one(sha(b"k" + t), lambda raw: b64(world.dumps({"h": raw.hex()}))),
)
proven(
    "salt, digest in gzip",
    lambda v, t, d, c: (world.gz(world.dumps({"h": (call := sha(b"k" + t)).outcome.hex()})), [call]),
)
proven("prefix, separator and suffix", lambda v, t, d, c: one(sha(b"com.x|" + t + b"|2026", "sha1"), bytes.hex))
proven("value in lower case behind a salt", lambda v, t, d, c: one(sha(b"x:" + t.lower()), b64))
proven("value in base64 in json in a mac", lambda v, t, d, c: one(mac(KEY, world.dumps({"v": b64(t)})), b64))
proven("hmac, then base64, then base64", lambda v, t, d, c: one(mac(KEY, t), lambda raw: b64(b64(raw).encode())))
proven("hmac, sha512, first 40", lambda v, t, d, c: one(mac(KEY, t, "sha512"), lambda raw: raw.hex()[:40]))
proven("mac over a digest over base64", lambda v, t, d, c: two(sha(base64.b64encode(t)), lambda out: mac(KEY, out)))
proven(
    "cipher, gzip, base64url",
    lambda v, t, d, c: one(aes("CBC", d), lambda raw: base64.urlsafe_b64encode(world.gz(raw)).decode()),
)
proven("cipher, hex, base64", lambda v, t, d, c: one(aes("CTR", d), lambda raw: b64(raw.hex().encode())))
proven(
    "cipher in a multipart field in base64",
    lambda v, t, d, c: (multipart([("d", "", b64((call := gcm(d)).outcome).encode())]), [call]),
)
proven(
    "cipher in form in json",
    lambda v, t, d, c: (Sent(b"p=" + world.dumps({"c": (call := gcm(d)).outcome.hex()}), FORM), [call]),
)
proven(
    "cipher in bytes of protobuf in base64",
    lambda v, t, d, c: one(chacha(d), lambda raw: b64(field(1, b"v1") + field(7, raw))),
)
proven("chacha, tag apart", lambda v, t, d, c: one(chacha(d), lambda raw: {"c": b64(raw[:-16]), "t": raw[-16:].hex()}))
proven("compressed, then encrypted twice", lambda v, t, d, c: _thrice(d))
proven("iv behind", lambda v, t, d, c: one(aes("CBC", d), lambda raw: b64(raw + IV16)))
proven("length before", lambda v, t, d, c: one(aes("CBC", d), lambda raw: b64(len(raw).to_bytes(4) + raw)))


def _keyed(key: bytes, data: bytes) -> Call:
    return Call("mac", "HmacSHA256", data, hmac.new(key, data, "sha256").digest(), key)


def _key_digest(t: bytes) -> tuple[Any, list[Call]]:
    first = sha(t)
    second = _keyed(first.outcome, b"constant")
    return second.outcome.hex(), [first, second]


def _thrice(d: bytes) -> tuple[Any, list[Call]]:
    first = packed(d)
    second = aes("CBC", first.outcome)
    third = gcm(second.outcome)
    return b64(third.outcome), [first, second, third]
