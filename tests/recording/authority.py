"""A real time-stamp authority on loopback: `openssl ts` behind an HTTP server, with a small CA of its own."""

from __future__ import annotations

import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CONFIG = """
[tsa]
default_tsa = one
[one]
serial = {place}/serial
crypto_device = builtin
signer_cert = {place}/tsa.pem
certs = {place}/ca.pem
signer_key = {place}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
"""


class Authority:
    """Keys and certificates in a folder; `ca` is the file that a verifier is given."""

    def __init__(self, place: Path) -> None:
        place.mkdir()
        self.place, self.ca, self.leaf = place, place / "ca.pem", place / "tsa.pem"
        now = datetime.now(UTC)
        ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        ca_name, tsa_name = (
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, each)]) for each in ("CA of test", "Time of test")
        )

        def certificate(subject: x509.Name, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
            builder = x509.CertificateBuilder(ca_name, subject, public, x509.random_serial_number())
            return builder.not_valid_before(now - timedelta(days=1000)).not_valid_after(now + timedelta(days=1000))

        root = certificate(ca_name, ca_key.public_key()).add_extension(x509.BasicConstraints(True, None), True)
        leaf = certificate(tsa_name, key.public_key()).add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), True
        )
        pem = serialization.Encoding.PEM
        for path, built in ((self.ca, root), (self.leaf, leaf)):
            path.write_bytes(built.sign(ca_key, hashes.SHA256()).public_bytes(pem))
        for name, private in (("ca.key", ca_key), ("tsa.key", key)):
            plain = private.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
            (place / name).write_bytes(plain)
        (place / "serial").write_text("01")
        (place / "cnf").write_text(CONFIG.format(place=place))

    def answer(self, request: bytes) -> bytes:
        """The answer to a request, with a token and the time of now."""
        (self.place / "query").write_bytes(request)
        subprocess.run(
            ["openssl", "ts", "-reply", "-config", "cnf", "-queryfile", "query", "-out", "reply"],
            cwd=self.place,
            check=True,
            capture_output=True,
        )
        return (self.place / "reply").read_bytes()


@contextmanager
def served(
    answer: Callable[[bytes], bytes], status: int = 200, *, tls: ssl.SSLContext | None = None, **headers: str
) -> Iterator[str]:
    """Answers to POST on loopback; its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = answer(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}/tsr"
        finally:
            server.shutdown()
            thread.join()
