"""Ways that only the app's own calls explain: salted, keyed and encrypted forms, over several steps, in pieces."""

from __future__ import annotations

import base64
import hashlib
import hmac
import random
import re
import urllib.parse
import zlib
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

from appwitness.events import Value
from tests.unseen import Call, Sent, way, world
from tests.unseen.containers import field, grpc, multipart, varint

Prove = Callable[[Value, bytes, bytes, random.Random], tuple[Any, list[Call]]]
"""The value, its text, the document that holds it -> what is sent in a field (or bytes, or an upload), the calls."""
SHORT = re.compile("[\u4e00-\u9fff]{2,3}")
MODULUS = int.from_bytes(hashlib.shake_256(b"modulus").digest(128)) | 1 << 1023 | 1
"""Nobody has the key to it: it takes part in writing only."""


def proven(name: str, prove: Prove) -> None:
    def make(value: Value, chance: random.Random) -> Sent | None:
        document = world.dumps(world.document(world.fields_of(value, chance), chance))
        sent, calls = prove(value, value.text.encode(), document, chance)
        if SHORT.fullmatch(value.text) and document not in b"".join(call.source for call in calls):
            return None  # two or three letters without the number that belongs to them are no proof
        if isinstance(sent, bytes):
            sent = Sent(sent, "application/octet-stream")
        elif not isinstance(sent, Sent):
            sent = Sent(world.dumps(world.document({"d": sent}, chance)), "application/json")
        return sent._replace(calls=(*others(chance), *calls))

    way(f"proven: {name}", make, "provable")


def others(chance: random.Random) -> list[Call]:
    """Calls that have to do with other things."""
    made = []
    for _ in range(3):
        data = world.dumps({"n": chance.random()})
        made.append(Call("digest", "SHA-256", data, hashlib.sha256(data).digest()))
    return made


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def sha(data: bytes, name: str = "sha256") -> Call:
    label = {"md5": "MD5", "sha1": "SHA-1", "sha256": "SHA-256", "sha512": "SHA-512"}[name]
    return Call("digest", label, data, hashlib.new(name, data).digest())


def mac(key: bytes, data: bytes, name: str = "sha256") -> Call:
    return Call("mac", f"Hmac{name.upper()}", data, hmac.new(key, data, name).digest())


KEY, IV16, IV12 = hashlib.sha256(b"a key").digest()[:16], hashlib.md5(b"an iv").digest(), b"twelve bytes"


def padded(data: bytes, size: int = 128) -> bytes:
    machine = padding.PKCS7(size).padder()
    return machine.update(data) + machine.finalize()


def aes(mode: str, data: bytes) -> Call:
    made: Any = {"ECB": modes.ECB(), "CBC": modes.CBC(IV16), "CTR": modes.CTR(IV16)}[mode]
    machine = Cipher(algorithms.AES(KEY), made).encryptor()
    given = padded(data) if mode in ("ECB", "CBC") else data
    end = "PKCS5Padding" if mode in ("ECB", "CBC") else "NoPadding"
    return Call("encrypt", f"AES/{mode}/{end}", data, machine.update(given) + machine.finalize())


def gcm(data: bytes) -> Call:
    return Call("encrypt", "AES/GCM/NoPadding", data, AESGCM(KEY).encrypt(IV12, data, None))


def chacha(data: bytes) -> Call:
    return Call("encrypt", "ChaCha20/Poly1305/NoPadding", data, ChaCha20Poly1305(KEY * 2).encrypt(IV12, data, None))


def rsa(data: bytes) -> Call:
    """What the holder of a private key could read: padded as PKCS #1 says, with bytes that come again in every run."""
    given = data[:80]
    fill = hashlib.shake_128(b"fill" + given).hexdigest(125 - len(given)).encode().replace(b"0", b"x")
    number = int.from_bytes(b"\0\2" + fill[: 125 - len(given)] + b"\0" + given)
    return Call("encrypt", "RSA/ECB/PKCS1Padding", given, pow(number, 65537, MODULUS).to_bytes(128))


def packed(data: bytes, name: str = "gzip") -> Call:
    out = world.gz(data) if name == "gzip" else zlib.compress(data)
    return Call("compress", name, data, out)


def one(call: Call, write: Callable[[bytes], Any] = b64) -> tuple[Any, list[Call]]:
    return write(call.outcome), [call]


def two(first: Call, then: Callable[[bytes], Call], write: Callable[[bytes], Any] = b64) -> tuple[Any, list[Call]]:
    """A call, and another that takes what the first gave."""
    second = then(first.outcome)
    return write(second.outcome), [first, second]


proven("salt before", lambda v, t, d, c: one(sha(b"pepper:" + t)))
proven("salt before, hex", lambda v, t, d, c: one(sha(b"s@lt" + t), bytes.hex))
proven("salt behind, upper", lambda v, t, d, c: one(sha(t + b"#2026"), lambda raw: raw.hex().upper()))
proven("salt on both sides, md5", lambda v, t, d, c: one(sha(b"a" + t + b"b", "md5"), bytes.hex))
proven(
    "salt, sha1, base64url",
    lambda v, t, d, c: one(sha(b"k" + t, "sha1"), lambda raw: base64.urlsafe_b64encode(raw).decode()),
)
proven("salt, sha512, first half", lambda v, t, d, c: one(sha(b"k" + t, "sha512"), lambda raw: raw.hex()[:64]))
proven("salt, first 16 digits", lambda v, t, d, c: one(sha(b"k" + t), lambda raw: raw.hex()[:16]))
proven("salt, middle half of md5", lambda v, t, d, c: one(sha(b"k" + t, "md5"), lambda raw: raw.hex()[8:24]))
proven("salt, digest as bytes", lambda v, t, d, c: one(sha(b"k" + t), list))
proven(
    "salt, digest as signed bytes",
    lambda v, t, d, c: one(sha(b"k" + t), lambda raw: [byte - 256 if byte > 127 else byte for byte in raw]),
)
proven("salt, digest with colons", lambda v, t, d, c: one(sha(b"k" + t), lambda raw: raw.hex(":").upper()))
proven("salt, digest as a number", lambda v, t, d, c: one(sha(b"k" + t, "md5"), lambda raw: f"{int.from_bytes(raw):x}"))
proven("salt, digest in decimal", lambda v, t, d, c: one(sha(b"k" + t, "md5"), lambda raw: str(int.from_bytes(raw))))
proven(
    "salt, digest in base32",
    lambda v, t, d, c: one(sha(b"k" + t), lambda raw: base64.b32encode(raw).decode().rstrip("=")),
)
proven(
    "salt, digest in a query",
    lambda v, t, d, c: (Sent(url=f"https://x.test/p?h={(call := sha(b'k' + t)).outcome.hex()}"), [call]),
)
proven(
    "salt, digest in a path",
    lambda v, t, d, c: (Sent(url=f"https://x.test/u/{(call := sha(b'k' + t)).outcome.hex()}/i.png"), [call]),
)
proven(
    "salt, digest in a header",
    lambda v, t, d, c: (Sent(headers=(("X-Sig", b64((call := sha(b"k" + t)).outcome)),)), [call]),
)
proven(
    "salt, raw digest in protobuf",
    lambda v, t, d, c: (field(1, b"e") + field(3, (call := sha(b"k" + t)).outcome), [call]),
)
proven("salt, over a document", lambda v, t, d, c: one(sha(d + b"secret"), bytes.hex))
proven("salt, of the form in lower case", lambda v, t, d, c: one(sha(b"k" + t.lower()), bytes.hex))
proven(
    "digest of a digest with salt",
    lambda v, t, d, c: two(sha(t), lambda out: sha(out.hex().encode() + b"salt"), bytes.hex),
)
proven(
    "digest of a digest, upper, with salt",
    lambda v, t, d, c: two(
        sha(b"x" + t, "md5"), lambda out: sha(out.hex().upper().encode() + b"salt", "md5"), bytes.hex
    ),
)
proven(
    "digest of a raw digest",
    lambda v, t, d, c: two(sha(b"x" + t), lambda out: sha(b"s" + out)),
)
proven("digest of base64", lambda v, t, d, c: one(sha(b"k" + base64.b64encode(t)), bytes.hex))
proven("concatenated ids", lambda v, t, d, c: one(sha(t + b"867000000000001" + b"02:11:22:33:44:55", "md5"), bytes.hex))
proven("hmac, hex", lambda v, t, d, c: one(mac(KEY, t), bytes.hex))
proven("hmac, base64", lambda v, t, d, c: one(mac(KEY, t, "sha1")))
proven(
    "hmac of a sorted query",
    lambda v, t, d, c: one(
        mac(KEY, b"a=1&u=" + urllib.parse.quote_from_bytes(t).encode() + b"&z=2"), lambda raw: raw.hex().upper()
    ),
)
proven("hmac of a document", lambda v, t, d, c: one(mac(KEY, d), bytes.hex))
proven(
    "hmac of an md5",
    lambda v, t, d, c: two(sha(t, "md5"), lambda out: mac(KEY, out.hex().encode()), bytes.hex),
)
proven("hmac, half", lambda v, t, d, c: one(mac(KEY, t), lambda raw: raw.hex()[:32]))
proven(
    "pbkdf2",
    lambda v, t, d, c: one(
        Call("digest", "PBKDF2WithHmacSHA256", t, hashlib.pbkdf2_hmac("sha256", t, b"salt", 10)), bytes.hex
    ),
)
for _mode in ("ECB", "CBC", "CTR"):
    proven(f"aes {_mode.lower()}, base64", lambda v, t, d, c, m=_mode: one(aes(m, d)))  # type: ignore[misc]
    proven(f"aes {_mode.lower()} of the value, hex", lambda v, t, d, c, m=_mode: one(aes(m, t), bytes.hex))  # type: ignore[misc]
proven("aes cbc, body", lambda v, t, d, c: ((call := aes("CBC", d)).outcome, [call]))
proven("aes cbc, body, iv before", lambda v, t, d, c: (IV16 + (call := aes("CBC", d)).outcome, [call]))
proven("aes cbc, base64, iv before", lambda v, t, d, c: one(aes("CBC", d), lambda raw: b64(IV16 + raw)))
proven("aes cbc, hex, upper", lambda v, t, d, c: one(aes("CBC", d), lambda raw: raw.hex().upper()))
proven("aes cbc, base64 in lines", lambda v, t, d, c: one(aes("CBC", d), lambda raw: base64.encodebytes(raw).decode()))
proven(
    "aes cbc, base64url",
    lambda v, t, d, c: one(aes("CBC", d), lambda raw: base64.urlsafe_b64encode(raw).decode().rstrip("=")),
)
proven("aes cbc, base64 twice", lambda v, t, d, c: one(aes("CBC", d), lambda raw: b64(b64(raw).encode())))
proven("aes cbc, iv and body apart", lambda v, t, d, c: one(aes("CBC", d), lambda raw: b64(IV16) + ":" + b64(raw)))
proven("aes gcm", lambda v, t, d, c: one(gcm(d)))
proven("aes gcm, iv before, hex", lambda v, t, d, c: one(gcm(d), lambda raw: (IV12 + raw).hex()))
proven(
    "aes gcm, tag apart",
    lambda v, t, d, c: one(gcm(d), lambda raw: {"ct": b64(raw[:-16]), "tag": b64(raw[-16:]), "iv": b64(IV12)}),
)
proven("aes gcm, tag before", lambda v, t, d, c: one(gcm(d), lambda raw: b64(raw[-16:] + raw[:-16])))
proven("aes gcm of the value", lambda v, t, d, c: one(gcm(t)))
proven("chacha20", lambda v, t, d, c: one(chacha(d)))
proven("rsa", lambda v, t, d, c: one(rsa(t)))
proven(
    "rsa, hex",
    lambda v, t, d, c: one(rsa(b'{"v":"' + t[:60] + b'"}'), bytes.hex) if len(t) < 60 else one(sha(b"k" + t)),
)
proven(
    "gzip, aes, base64",
    lambda v, t, d, c: two(packed(d), lambda out: aes("CBC", out)),
)
proven(
    "deflate, aes, body",
    lambda v, t, d, c: two(packed(d, "deflate"), lambda out: aes("CTR", out), bytes),
)
proven("gzip not seen, aes", lambda v, t, d, c: one(aes("CBC", world.gz(d))))
proven("base64, aes, hex", lambda v, t, d, c: one(aes("ECB", base64.b64encode(d)), bytes.hex))
proven(
    "aes, gzip",
    lambda v, t, d, c: one(aes("CBC", d), lambda raw: world.gz(world.dumps({"p": b64(raw)}))),
)
proven(
    "aes, the app's own base64",
    lambda v, t, d, c: two(
        aes("CBC", d), lambda out: Call("encode", "Base64", out, base64.b64encode(out)), bytes.decode
    ),
)
proven(
    "aes in aes",
    lambda v, t, d, c: two(aes("CBC", d), lambda out: gcm(b"x" + out)),
)
proven(
    "aes in protobuf", lambda v, t, d, c: (field(1, b"e") + field(2, (call := gcm(d)).outcome) + b"\x18\x07", [call])
)
proven("aes in grpc", lambda v, t, d, c: (Sent(grpc(field(2, (call := gcm(d)).outcome)), "application/grpc"), [call]))
proven(
    "aes in multipart",
    lambda v, t, d, c: (multipart([("f", '; filename="b.bin"', (call := aes("CBC", d)).outcome)]), [call]),
)
proven(
    "aes in a form",
    lambda v, t, d, c: (
        Sent(
            b"v=2&data=" + urllib.parse.quote(b64((call := aes("CBC", d)).outcome), safe="").encode(),
            "application/x-www-form-urlencoded",
        ),
        [call],
    ),
)
proven(
    "aes in a query",
    lambda v, t, d, c: (
        Sent(url="https://x.test/p?d=" + base64.urlsafe_b64encode((call := gcm(t)).outcome).decode()),
        [call],
    ),
)
proven(
    "aes in a cookie",
    lambda v, t, d, c: (Sent(headers=(("Cookie", "a=1; d=" + (call := gcm(t)).outcome.hex()),)), [call]),
)
proven(
    "aes of a form", lambda v, t, d, c: one(aes("CBC", b"a=1&v=" + urllib.parse.quote_from_bytes(t).encode() + b"&z=2"))
)
proven("aes of protobuf", lambda v, t, d, c: one(aes("CBC", field(1, b"e") + field(2, t))))
proven("aes of utf-16", lambda v, t, d, c: one(aes("CBC", d.decode().encode("utf-16le"))))
proven("aes of a digest", lambda v, t, d, c: one(aes("CBC", hashlib.sha256(t).hexdigest().encode())))
proven(
    "digest of a ciphertext",
    lambda v, t, d, c: two(gcm(d), sha, bytes.hex),
)


def with_key(v: Value, t: bytes, d: bytes, c: random.Random) -> tuple[Any, list[Call]]:
    """A key of its own for each message, under the server's key."""
    fresh = c.randbytes(16)
    body = Call("encrypt", "AES/GCM/NoPadding", d, AESGCM(fresh).encrypt(IV12, d, None))
    key = rsa(fresh)
    return {"k": b64(key.outcome), "iv": b64(IV12), "d": b64(body.outcome)}, [key, body]


def wrapped_key(v: Value, t: bytes, d: bytes, c: random.Random) -> tuple[Any, list[Call]]:
    fresh = c.randbytes(16)
    body = Call("encrypt", "AES/CBC/PKCS5Padding", d, aes("CBC", d).outcome)
    key = Call("encrypt", "AESWrap", fresh, aes_key_wrap(KEY, fresh))
    return key.outcome + IV16 + body.outcome, [key, body]


def in_pieces(size: int, write: Callable[[bytes], Any], algorithm: str = "AES/CTR/NoPadding") -> Prove:
    """cipher.update several times: each call gives a piece, the upload holds them one after the other."""

    def prove(v: Value, t: bytes, d: bytes, c: random.Random) -> tuple[Any, list[Call]]:
        if algorithm.startswith("AES/CTR"):
            machine = Cipher(algorithms.AES(KEY), modes.CTR(IV16)).encryptor()
            calls = [
                Call("encrypt", algorithm, d[at : at + size], machine.update(d[at : at + size]))
                for at in range(0, len(d), size)
            ]
        else:
            machine = Cipher(algorithms.AES(KEY), modes.CBC(IV16)).encryptor()
            calls = []
            for at in range(0, len(d), size):
                last = at + size >= len(d)
                given = d[at : at + size]
                pad = 16 - len(d) % 16
                out = machine.update(given + bytes((pad,)) * pad * last)
                calls.append(Call("encrypt", algorithm, given, out))
        return write(b"".join(call.outcome for call in calls)), calls

    return prove


proven("a key for each message", with_key)
proven("a wrapped key", wrapped_key)
proven("in pieces of 1000, base64", in_pieces(1000, b64))
proven("in pieces of 100, base64", in_pieces(100, b64))
proven("in pieces of 64, body", in_pieces(64, bytes))
proven("in pieces of 64, hex", in_pieces(64, bytes.hex))
proven("in pieces of 32", in_pieces(32, b64))
proven("in pieces of 16", in_pieces(16, b64))
proven("in pieces of 16, cbc", in_pieces(16, b64, "AES/CBC/PKCS5Padding"))
proven("in pieces of 50, cbc", in_pieces(50, b64, "AES/CBC/PKCS5Padding"))
proven("in pieces of 37, iv before", in_pieces(37, lambda raw: b64(IV16 + raw)))
proven(
    "in pieces of 48, each in a chunk",
    in_pieces(48, lambda raw: [b64(raw[at : at + 48]) for at in range(0, len(raw), 48)]),
)


def digest_in_pieces(v: Value, t: bytes, d: bytes, c: random.Random) -> tuple[Any, list[Call]]:
    """MessageDigest.update twice, as the agent writes it: one line with all that went in."""
    return one(sha(b"first part;" + t + b";last"), bytes.hex)


def gzip_in_pieces(v: Value, t: bytes, d: bytes, c: random.Random) -> tuple[Any, list[Call]]:
    """A stream is compressed and encrypted block by block, both seen."""
    out = world.gz(d)
    first = Call("compress", "gzip", d, out)
    sent, calls = in_pieces(32, b64)(v, t, out, c)
    return sent, [first, *calls]


def chunks(v: Value, t: bytes, d: bytes, c: random.Random) -> tuple[Any, list[Call]]:
    """The ciphertext goes out behind lengths, as chunks of a stream."""
    call = aes("CBC", d)
    out = b"".join(
        varint(len(call.outcome[at : at + 64])) + call.outcome[at : at + 64] for at in range(0, len(call.outcome), 64)
    )
    return out, [call]


def rsa_blocks(v: Value, t: bytes, d: bytes, c: random.Random) -> tuple[Any, list[Call]]:
    calls = [rsa(d[at : at + 80]) for at in range(0, len(d), 80)]
    return b64(b"".join(call.outcome for call in calls)), calls


def many_calls(v: Value, t: bytes, d: bytes, c: random.Random) -> tuple[Any, list[Call]]:
    """Four steps: digest, document, compression, cipher."""
    first = sha(b"salt" + t)
    inner = world.dumps({"h": first.outcome.hex(), "n": 1})
    second = packed(inner)
    third = aes("CBC", second.outcome)
    return b64(third.outcome), [first, second, third]


def longer(v: Value, t: bytes, d: bytes, c: random.Random) -> tuple[Any, list[Call]]:
    first = mac(KEY, t)
    second = gcm(world.dumps({"id": b64(first.outcome)}))
    third = packed(second.outcome)
    fourth = aes("CBC", base64.b64encode(third.outcome))
    fifth = Call("encode", "Base64", fourth.outcome, base64.b64encode(fourth.outcome))
    return fifth.outcome.decode(), [first, second, third, fourth, fifth]


def decrypted(v: Value, t: bytes, d: bytes, c: random.Random) -> tuple[Any, list[Call]]:
    call = aes("CBC", d)
    return b64(call.outcome), [Call("decrypt", "AES/CBC/PKCS5Padding", call.outcome, d)]


proven("digest in two updates", digest_in_pieces)
proven("gzip, then pieces of 32", gzip_in_pieces)
proven("chunks behind lengths", chunks)
proven("rsa, block by block", rsa_blocks)
proven("four steps", many_calls)
proven("five steps", longer)
proven("decrypted before it was sent", decrypted)
