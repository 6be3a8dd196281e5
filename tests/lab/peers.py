"""Servers of further protocols that an app might talk to, on loopback: gRPC, MQTT, XMPP, HTTP/3, DNS, UDP."""

from __future__ import annotations

import asyncio
import hashlib
import socketserver
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import dns.message
import dns.rrset
import grpc
import trustme
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.asyncio.server import serve
from aioquic.h3.connection import H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ProtocolNegotiated, QuicEvent

NAMES = ("grpc.test", "mqtt.test", "xmpp.test", "h3.test", "mail.test")


def start(up: ExitStack, certificate: trustme.LeafCert, tls: ssl.SSLContext) -> dict[str, tuple[str, int]]:
    """Run them until `up` ends; by name, where they are."""
    mqtt, mqtts, xmpp = (_Server(("127.0.0.1", 0), kind) for kind in (_Mqtt, _Mqtt, _Xmpp))
    mqtts.socket = tls.wrap_socket(mqtts.socket, server_side=True)
    names, datagrams = (_Udp(("127.0.0.1", 0), kind) for kind in (_Names, _Datagrams))
    smtp, imap, chat = (
        _Server(("127.0.0.1", 0), type(kind.__name__, (kind,), {"tls": tls})) for kind in (_Smtp, _Imap, _Chat)
    )
    for server in (mqtt, mqtts, xmpp, names, datagrams, smtp, imap, chat):
        up.callback(server.server_close)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        up.callback(server.shutdown)
    places = {
        "mqtt.test:1883": mqtt.server_address[1],
        "mqtt.test:8883": mqtts.server_address[1],
        "mail.test:587": smtp.server_address[1],
        "mail.test:143": imap.server_address[1],
        "xmpp.test:5269": chat.server_address[1],
        "xmpp.test": xmpp.server_address[1],
        "names.test": names.server_address[1],
        "datagrams.test": datagrams.server_address[1],
    }
    for port, credentials in ((80, None), (443, certificate)):
        places[f"grpc.test:{port}"] = _grpc(up, credentials)
    return {name: ("127.0.0.1", port) for name, port in places.items()}


def _grpc(up: ExitStack, certificate: trustme.LeafCert | None) -> int:
    def talk(requests: Any, _: Any) -> Any:
        for request in requests:
            yield hashlib.sha256(request).digest()

    def gather(requests: Any, _: Any) -> bytes:
        return b"".join(hashlib.sha256(request).digest() for request in requests)

    handlers = {
        "Once": grpc.unary_unary_rpc_method_handler(lambda request, _: hashlib.sha256(request).digest()),
        "Gather": grpc.stream_unary_rpc_method_handler(gather),
        "Talk": grpc.stream_stream_rpc_method_handler(talk),
    }
    server = grpc.server(ThreadPoolExecutor(8))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("sync.Contacts", handlers),))
    if certificate:
        chain = b"".join(blob.bytes() for blob in certificate.cert_chain_pems)
        credentials = grpc.ssl_server_credentials([(certificate.private_key_pem.bytes(), chain)])
        port = server.add_secure_port("127.0.0.1:0", credentials)
    else:
        port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    up.callback(lambda: server.stop(None).wait())
    return int(port)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        pass


class _Udp(socketserver.UDPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        pass


class _Mqtt(socketserver.StreamRequestHandler):
    """Answers what an MQTT 3.1.1 client asks, and passes nothing on to anybody."""

    def handle(self) -> None:
        while kind := self.rfile.read(1):
            size = shift = 0
            while True:
                byte = self.rfile.read(1)[0]
                size |= (byte & 0x7F) << shift
                shift += 7
                if byte < 0x80:
                    break
            packet = self.rfile.read(size)
            match kind[0] >> 4:
                case 1:
                    self.wfile.write(b"\x20\x02\x00\x00")
                case 3 if kind[0] & 0x06:
                    topic = int.from_bytes(packet[:2], "big")
                    self.wfile.write(b"\x40\x02" + packet[2 + topic : 4 + topic])
                case 8:
                    self.wfile.write(b"\x90\x03" + packet[:2] + b"\x00")
                case 12:
                    self.wfile.write(b"\xd0\x00")


class _Xmpp(socketserver.StreamRequestHandler):
    """Opens a stream when asked, and says a presence whenever it hears anything."""

    def handle(self) -> None:
        while said := self.request.recv(65536):
            if b"<stream:stream" in said:
                self.request.sendall(b"<?xml version='1.0'?><stream:stream from='xmpp.test'><stream:features/>")
            elif said.strip():
                self.request.sendall(b"<presence/>")


class _StartTls(socketserver.StreamRequestHandler):
    """A server whose client asks it to change to TLS."""

    tls: ssl.SSLContext

    def say(self, text: str) -> None:
        self.request.sendall(text.encode() + b"\r\n")

    def change(self) -> None:
        self.request = self.tls.wrap_socket(self.request, server_side=True)
        self.rfile = self.request.makefile("rb")


class _Smtp(_StartTls):
    def handle(self) -> None:
        self.say("220 mail.test")
        within = False
        while line := self.rfile.readline():
            word = line.strip().upper()
            if within:
                within = line != b".\r\n"
                if not within:
                    self.say("250 taken")
            elif word == b"STARTTLS":
                self.say("220 go ahead")
                self.change()
            elif word == b"DATA":
                within = True
                self.say("354 go on")
            elif word.startswith(b"EHLO"):
                self.say("250-mail.test\r\n250 STARTTLS")
            elif word == b"QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")


class _Imap(_StartTls):
    def handle(self) -> None:
        self.say("* OK mail.test")
        while line := self.rfile.readline():
            tag, _, rest = line.decode().strip().partition(" ")
            if rest == "CAPABILITY":
                self.say("* CAPABILITY IMAP4rev1 STARTTLS")
            self.say(f"{tag} OK done")
            if rest == "STARTTLS":
                self.change()


class _Chat(_StartTls):
    """XMPP."""

    def handle(self) -> None:
        stream = "<?xml version='1.0'?><stream:stream from='xmpp.test'><stream:features/>"
        while said := self.request.recv(65536):
            if b"<stream:stream" in said:
                self.say(stream)
            elif b"<starttls" in said:
                self.say("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
                self.change()
            elif said.strip():
                self.say("<presence/>")


class _Names(socketserver.DatagramRequestHandler):
    """A DNS server that knows one address for every name."""

    def handle(self) -> None:
        query = dns.message.from_wire(self.rfile.read())
        answer = dns.message.make_response(query)
        answer.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", "A", "127.0.0.1"))
        self.wfile.write(answer.to_wire())


class _Datagrams(socketserver.DatagramRequestHandler):
    """Says again what it is told."""

    def handle(self) -> None:
        self.wfile.write(self.rfile.read())


class _Http3(QuicConnectionProtocol):
    """Takes what is sent to /slow only once it is released."""

    release: threading.Event

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.grant = self._quic._write_connection_limits
        self.http: H3Connection | None = None
        self.bodies: dict[int, bytearray] = {}

    def quic_event_received(self, event: QuicEvent) -> None:
        if isinstance(event, ProtocolNegotiated):
            self.http = H3Connection(self._quic)
        if self.http is None:
            return
        for happened in self.http.handle_event(event):
            if isinstance(happened, HeadersReceived):
                self.bodies[happened.stream_id] = bytearray()
                if dict(happened.headers)[b":path"].startswith(b"/slow"):
                    self._quic._write_connection_limits = lambda **_: None  # type: ignore[method-assign]
                    self._await_release()
            elif isinstance(happened, DataReceived):
                self.bodies[happened.stream_id] += happened.data
            if isinstance(happened, HeadersReceived | DataReceived) and happened.stream_ended:
                body = self.bodies.pop(happened.stream_id)
                self.http.send_headers(happened.stream_id, [(b":status", b"203")])
                self.http.send_data(happened.stream_id, hashlib.sha256(body).hexdigest().encode(), True)
        self.transmit()

    def _await_release(self) -> None:
        if self.release.is_set():
            self._quic._write_connection_limits = self.grant  # type: ignore[method-assign]
            self._quic.send_ping(0)  # so that there is a packet for it
            self.transmit()
        else:
            asyncio.get_running_loop().call_later(0.05, self._await_release)


async def http3(certificate: trustme.LeafCert, folder: Path, release: threading.Event) -> int:
    """Serve HTTP/3 on a free port of loopback in this event loop; the port."""
    chain, key = folder / "h3.pem", folder / "h3.key"
    chain.write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    key.write_bytes(certificate.private_key_pem.bytes())
    configuration = QuicConfiguration(is_client=False, alpn_protocols=["h3"], max_datagram_frame_size=65536)
    configuration.load_cert_chain(chain, key)
    protocol = type("Http3", (_Http3,), {"release": release})
    server = await serve("127.0.0.1", 0, configuration=configuration, create_protocol=protocol)
    return int(server._transport.get_extra_info("sockname")[1])  # type: ignore[union-attr]
