"""A small RFC 3161 authority for tests: answers built from DER by hand, so that every field can be wrong on purpose."""

from __future__ import annotations

import datetime as dt
import hashlib
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from rfc3161_client._rust import parse_timestamp_request

NOON = dt.datetime(2026, 11, 22, 3, tzinfo=dt.UTC)
_SHA256 = "2.16.840.1.101.3.4.2.1"
_SIGNED_DATA, _TST_INFO = "1.2.840.113549.1.7.2", "1.2.840.113549.1.9.16.1.4"
_CONTENT_TYPE, _DIGEST, _CERTIFICATE_V2 = (
    "1.2.840.113549.1.9.3",
    "1.2.840.113549.1.9.4",
    "1.2.840.113549.1.9.16.2.47",
)
_ECDSA_SHA256 = "1.2.840.10045.4.3.2"


def der(tag, *parts):
    body = b"".join(parts)
    if len(body) < 0x80:
        return bytes([tag, len(body)]) + body
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(size)]) + size + body


def sequence(*parts):
    return der(0x30, *parts)


def set_of(*parts):
    return der(0x31, *sorted(parts))


def integer(number):
    return der(0x02, number.to_bytes(number.bit_length() // 8 + 1))


def oid(dotted):
    first, second, *rest = (int(part) for part in dotted.split("."))
    body = bytes([first * 40 + second])
    for arc in rest:
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.insert(0, 0x80 | (arc & 0x7F))
        body += bytes(groups)
    return der(0x06, body)


def octets(data):
    return der(0x04, data)


def certificate(name, key, issuer, issuer_key, *, authority, purpose=True):
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(7 if issuer else 1)
        .not_valid_before(dt.datetime(2026, 1, 1))  # noqa: DTZ001  the builder takes naive UTC
        .not_valid_after(dt.datetime(2027, 1, 1))  # noqa: DTZ001
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if not authority and purpose:
        usage = x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.TIME_STAMPING])
        builder = builder.add_extension(usage, critical=True)
    return builder.sign(issuer_key, hashes.SHA256())


@dataclass
class Answer:
    """What the next answer says where a test wants it to differ: None means right."""

    nonce: int | None = None
    imprint: bytes | None = None
    at: dt.datetime = NOON
    status: int = 0
    spoil: bool = False


class SmallAuthority:
    """Use as a context manager. ``root`` is its PEM; ``answer`` is what it says; ``lie`` replaces the whole answer."""

    def __init__(self, *, purpose=True):
        root_key, self.key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        root = certificate("Small Root", root_key, None, root_key, authority=True)
        self.certificate = certificate("Small TSA", self.key, root, root_key, authority=False, purpose=purpose)
        self.root = root.public_bytes(serialization.Encoding.PEM)
        self.answer = Answer()
        self.lie = None
        self.asked = []

    def __enter__(self):
        authority = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                authority.asked.append((self.headers["Content-Type"], body))
                if authority.lie is not None:
                    authority.lie(self, body)
                    return
                self.say(200, authority.stamp(body))

            def say(self, status, body=b"", media_type="application/timestamp-reply"):
                self.send_response(status)
                self.send_header("Content-Type", media_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/tsa"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()
        return self

    def __exit__(self, *error):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def stamp(self, query):
        """Return the DER of a TimeStampResp to a TimeStampReq."""
        said = self.answer
        if said.status:
            return sequence(sequence(integer(said.status)))
        asked = parse_timestamp_request(query)
        nonce = asked.nonce if said.nonce is None else said.nonce
        imprint = asked.message_imprint.message if said.imprint is None else said.imprint
        algorithm = sequence(oid(_SHA256), der(0x05))
        info = sequence(
            integer(1),
            oid("1.2.3.4.1"),
            sequence(algorithm, octets(imprint)),
            integer(4711),
            der(0x18, said.at.strftime("%Y%m%d%H%M%SZ").encode()),
            integer(nonce),
        )
        attributes = self._attributes(info)
        signature = self.key.sign(set_of(*attributes), ec.ECDSA(hashes.SHA256()))
        if said.spoil:
            signature = self.key.sign(b"something else", ec.ECDSA(hashes.SHA256()))
        signer = sequence(
            integer(1),
            sequence(self.certificate.issuer.public_bytes(), integer(self.certificate.serial_number)),
            algorithm,
            der(0xA0, *sorted(attributes)),
            sequence(oid(_ECDSA_SHA256)),
            octets(signature),
        )
        signed = sequence(
            integer(3),
            set_of(algorithm),
            sequence(oid(_TST_INFO), der(0xA0, octets(info))),
            der(0xA0, self.certificate.public_bytes(serialization.Encoding.DER)),
            set_of(signer),
        )
        return sequence(sequence(integer(0)), sequence(oid(_SIGNED_DATA), der(0xA0, signed)))

    def _attributes(self, info):
        own = hashlib.sha256(self.certificate.public_bytes(serialization.Encoding.DER)).digest()
        return [
            sequence(oid(_CONTENT_TYPE), set_of(oid(_TST_INFO))),
            sequence(oid(_DIGEST), set_of(octets(hashlib.sha256(info).digest()))),
            sequence(oid(_CERTIFICATE_V2), set_of(sequence(sequence(sequence(octets(own)))))),
        ]
