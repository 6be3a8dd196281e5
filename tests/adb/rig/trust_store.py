"""Makes a Java truststore of the authorities that an app sees, run in the app's mount namespace: STORE... TARGET."""

from __future__ import annotations

import sys
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption
from cryptography.hazmat.primitives.serialization.pkcs12 import PKCS12Certificate, serialize_java_truststore


def main() -> None:
    *stores, target = sys.argv[1:]
    folder = next(Path(store) for store in stores if any(Path(store).glob("*")))
    found = []
    for path in sorted(folder.iterdir()):
        try:
            found.append(x509.load_pem_x509_certificate(path.read_bytes()))
        except (ValueError, OSError):
            continue
    named = [PKCS12Certificate(one, f"authority {number}".encode()) for number, one in enumerate(found)]
    if not named:
        Path(target).unlink(missing_ok=True)
        return
    Path(target).write_bytes(serialize_java_truststore(named, BestAvailableEncryption(b"changeit")))
    Path(target).chmod(0o644)


if __name__ == "__main__":
    main()
