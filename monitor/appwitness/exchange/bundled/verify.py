"""Checks an unpacked bundle without appwitness: python3 verify.py --key operator.pub --tsa-cert authority.pem

Needs Python 3.10 and `cryptography` 43, nothing of appwitness, no network. Exits with 0, or with 1 and a list of
what is wrong. The key and the certificate should come from somewhere else than the bundle, since whoever made it can
put in any.
"""

import argparse
import base64
import hashlib
import json
import re
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

HERE = Path(__file__).resolve().parent
RUN = HERE / "recording"
SIGNATURE = re.compile(rb',"signature":\{"key":"([^"]{44})","value":"([^"]{88})"\},"digest":"[0-9a-f]{64}"\}\n?\Z')
DIGEST = re.compile(rb',"digest":"([0-9a-f]{64})"\}\n?\Z')
BODY = re.compile(rb'"(?:body|tree|image|film)"\s*:\s*"([0-9a-f]{64})"')
TOMBSTONE = re.compile(rb'\{"v":1,"kind":"[a-z]+","forgotten":"([0-9a-f]{64})"\}\n\Z')
SHA2: tuple[Any, ...] = (hashes.SHA256(), hashes.SHA384(), hashes.SHA512())
HASHES = {f"060960864801650304020{number}": one for number, one in enumerate(SHA2, 1)}  # by OID, as DER in hex
MESSAGE_DIGEST, TST_INFO = "06092a864886f70d010904", "060b2a864886f70d0109100104"
wrong: list[str] = []


def see(good: object, what: str) -> bool:
    """Record a problem unless `good`; returns whether it is."""
    if not good:
        wrong.append(what)
    return bool(good)


def sha256(path: Path) -> str:
    """SHA-256 of a file, in hex; empty if there is none."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() and not path.is_symlink() else ""


def check_sums() -> None:
    """Check that every file matches SHA256SUMS and that there is no other."""
    rows = (row.partition("  ") for row in (HERE / "SHA256SUMS").read_text("utf-8").splitlines())
    listed = {name: digest for digest, _, name in rows}
    there = {str(each.relative_to(HERE)) for each in HERE.rglob("*") if not each.is_dir()} - {"SHA256SUMS"}
    for name in sorted(listed.keys() | there):
        see(name in listed and sha256(HERE / name) == listed[name], f"{name} is not what SHA256SUMS says")


def stamps(key: bytes | None) -> list[tuple[int, bytes, Any]]:
    """The stamps with their lines, each checked against the previous one and the operator's key."""
    found: list[tuple[int, bytes, Any]] = []
    for number, raw in enumerate((RUN / "seal.jsonl").read_bytes().splitlines(keepends=True), 1):
        own, said = DIGEST.search(raw), SIGNATURE.search(raw)
        if own is None or hashlib.sha256(raw[: own.start()]).hexdigest() != own[1].decode():
            wrong.append(f"seal.jsonl:{number} is not the stamp that was written")
            continue
        before = hashlib.sha256(found[-1][1]).hexdigest() if found else None
        found.append((number, raw, json.loads(raw)))
        see(found[-1][2]["previous"] == before, f"seal.jsonl:{number} does not follow the stamp before it")
        try:
            if key and (said is None or base64.b64decode(said[1]) != key):
                wrong.append(f"seal.jsonl:{number} is not signed by the key")
            elif key and said:
                text = b"appwitness stamp\n" + raw[: said.start()]
                ed25519.Ed25519PublicKey.from_public_bytes(key).verify(base64.b64decode(said[2]), text)
        except InvalidSignature:
            wrong.append(f"seal.jsonl:{number} has a signature that does not match it")
    see(found, "there is no stamp")
    return found


def check_files(found: list[tuple[int, bytes, Any]]) -> None:
    """Check that each file matches each stamp up to it, and that the bodies that lines refer to exist."""
    last, ends = found[-1][2], [stamp for _, _, stamp in found if stamp["final"]]
    see(ends, "no stamp says that the run had ended: its end may have been cut off")
    gone = [stamp.get("forgotten") or {"lines": {}, "before": None} for _, _, stamp in found]
    for (number, _, _), what in zip(found, gone, strict=True):
        if what["before"]:
            print(f"seal.jsonl:{number}: forgotten on purpose: {what!a}")
        see(what["before"] != "altered", f"seal.jsonl:{number}: it was damaged before lines were forgotten")
    see(sha256(RUN / "run.json") in (last["run"]["sha256"], last["run"]["next"]), "run.json is not what was stamped")
    for name in last["files"]:
        data = (RUN / name).read_bytes() if (RUN / name).is_file() else b""
        running, at = hashlib.sha256(), 0
        since = max((at for at, what in enumerate(gone) if name in what["lines"]), default=0)
        before = [stamp["files"].get(name, {}) for _, _, stamp in found[:since]]
        texts = [(held.get(field, ""), width) for held in before for field, width in (("digests", 64), ("added", 16))]
        listed = (text[at : at + width] for text, width in texts for at in range(0, len(text), width))
        for line, digest in zip(data.splitlines(keepends=True), listed, strict=False):
            own = (TOMBSTONE.match(line) or [b"", hashlib.sha256(line).hexdigest().encode()])[1].decode()
            see(own.startswith(digest), f"{name} has a line that is neither stamped nor a tombstone: {line[:99]!a}")
        for number, _, stamp in found[since:]:
            held = stamp["files"].get(name, {"bytes": 0, "sha256": running.hexdigest()})
            running.update(data[at : held["bytes"]])
            at = max(at, held["bytes"])
            if not see(running.hexdigest() == held["sha256"], f"{name} is not what seal.jsonl:{number} says"):
                break
        see(len(data) == at, f"{name} has something that no stamp covers")
        if late := last["files"][name]["lines"] - ends[0]["files"][name]["lines"] if ends else 0:
            print(f"{name}: its last {late} lines were added, and stamped, after the run had ended")
        for body in sorted({each.decode() for each in BODY.findall(data)}):
            see(sha256(RUN / "bodies" / body) == body, f"bodies/{body}, which {name} names, is missing or differs")


def extent(der: bytes, at: int = 0) -> tuple[int, int]:
    """Start and end of the content of the DER element at an offset."""
    size, start = der[at + 1], at + 2
    if size & 0x80:
        start += size & 0x7F
        size = int.from_bytes(der[at + 2 : start], "big")
    if start + size > len(der):
        raise ValueError("it is truncated")
    return start, start + size


def value(der: bytes) -> bytes:
    """The content of an element."""
    return der[slice(*extent(der))]


def parts(der: bytes) -> list[bytes]:
    """The elements inside an element."""
    found, (at, end) = [], extent(der)
    while at < end:
        found.append(der[at : extent(der, at)[1]])
        at = extent(der, at)[1]
    return found


def check_token(der: bytes, trusted: list[x509.Certificate]) -> tuple[str, datetime, str]:
    """The SHA-256 that a token covers, its time, and its signer. Raises ValueError and InvalidSignature."""
    status, token = parts(der)
    fields = parts(parts(parts(token)[1])[0])
    (kind, wrapped), certificates, signers = parts(fields[2]), parts(fields[3]), parts(fields[-1])
    info = value(parts(wrapped)[0])
    _, _, imprint, _, time, *_ = parts(info)
    at = datetime.strptime(value(time).decode()[:14] + "+0000", "%Y%m%d%H%M%S%z")
    (algorithm, digest), (signer,) = parts(imprint), signers
    _, sid, hashed, attributes, _, signature, *_ = parts(signer)
    (issuer, serial), used = parts(sid), HASHES[parts(hashed)[0].hex()]
    (signed,) = (value(parts(parts(e)[1])[0]) for e in parts(attributes) if parts(e)[0].hex() == MESSAGE_DIGEST)
    given = [x509.load_der_x509_certificate(each) for each in certificates]
    number = int.from_bytes(value(serial), "big", signed=True)
    (leaf,) = (each for each in given if (each.serial_number, each.issuer.public_bytes()) == (number, issuer))
    purpose = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    said = value(parts(status)[0]), kind.hex(), HASHES[parts(algorithm)[0].hex()].name, signed
    right = said == (b"\0", TST_INFO, "sha256", hashlib.new(used.name, info).digest())
    if not right or not purpose.critical or list(purpose.value) != [x509.oid.ExtendedKeyUsageOID.TIME_STAMPING]:
        raise ValueError("it is not a token over a SHA-256, or its certificate is not one for time stamps")
    public: Any = leaf.public_key()
    how = (padding.PKCS1v15(), used) if isinstance(public, rsa.RSAPublicKey) else (ec.ECDSA(used),)
    public.verify(value(signature), b"\x31" + attributes[1:], *how)
    one = leaf
    for _ in range(9):
        valid = one.not_valid_before_utc <= at <= one.not_valid_after_utc
        if valid and one in trusted:
            return value(digest).hex(), at, leaf.subject.rfc4514_string()
        authorities = [each for each in trusted + given if valid and each.subject == one.issuer]
        if not authorities:
            break
        one.verify_directly_issued_by(authorities[0])
        one = authorities[0]
        if not one.extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            raise ValueError("one of its certificates was issued by no authority")
    raise ValueError("no trusted authority vouches for its certificate at that time")


def main() -> int:
    """Check everything and print the result."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--key", type=Path, help="the operator's public key, as ssh-ed25519")
    asked.add_argument("--tsa-cert", type=Path, help="certificates of the time-stamp authorities, as PEM")
    given = asked.parse_args()
    key: Any = serialization.load_ssh_public_key(given.key.read_bytes()) if given.key else None
    check_sums()
    found = stamps(key.public_bytes_raw() if key else None)
    if found:
        check_files(found)
    lines = {hashlib.sha256(raw).hexdigest(): (number, stamp) for number, raw, stamp in found}
    trusted = x509.load_pem_x509_certificates(given.tsa_cert.read_bytes()) if given.tsa_cert else []
    timed = set()
    for path in sorted((RUN / "tokens").glob("*.tsr")) if trusted else ():
        try:
            digest, at, by = check_token(path.read_bytes(), trusted)
        except (ValueError, LookupError, TypeError, InvalidSignature, x509.ExtensionNotFound) as error:
            wrong.append(f"tokens/{path.name} is not a token of a trusted authority: {error or type(error).__name__}")
            continue
        if see(digest in lines, f"tokens/{path.name} is over a stamp that is not there: {at}"):
            timed.add(lines[digest][0])
            print(f"seal.jsonl:{lines[digest][0]} existed at {at}, says {by!a}; its own time: {lines[digest][1]['at']}")
    if trusted and found:
        see(found[0][0] in timed, "no trusted authority's time is over the first stamp")
        ends = timed & {number for number, _, stamp in found if stamp["final"]}
        see(ends, "no trusted authority's time is over the end: it may have been cut off")
    for each in wrong:
        print(f"WRONG: {each!s}".encode("ascii", "backslashreplace").decode())
    print(*[f"NOT CHECKED, give {name}" for name, it in (("--key", key), ("--tsa-cert", trusted)) if not it], sep="\n")
    print("DAMAGED" if wrong else f"intact: as stamped, {len(found)} stamps")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
