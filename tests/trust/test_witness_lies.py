"""Witnesses that err or lie: cosignatures that are none, odd answers, slow ones, TLS."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from small_witness import NOON
from witness_hands import START, cosigned, error_of, published, run, state

from kitei.trust.auditlog import outsiders
from kitei.trust.auditlog.models import Anchor
from kitei_verify import note

# --- witnesses that err or lie


def test_a_witness_that_does_not_know_the_log(log, witness):
    witness.trusted.clear()
    run(log)
    assert "404" in error_of(log)
    assert state(log).failing_since == START


def test_a_witness_that_knows_another_key(log, witness):
    witness.trusted = {log.origin: [note.Signer(log.origin, b"x" * 32).key]}
    run(log)
    assert "403" in error_of(log)


def lies():
    """What may come instead of the witness's cosignature: (name, function of witness and text to the answer's body)."""
    stranger = note.Signer("witness.hospital.example", b"s" * 32, note.COSIGNATURE)
    return [
        ("another key of the same name", lambda w, text: cosigned(stranger, text)),
        ("another text", lambda w, text: cosigned(w.signer, text.replace("5\n", "6\n", 1))),
        ("another time than signed", retimed),
        ("long ago", lambda w, text: cosigned(w.signer, text, NOON - 3601)),
        ("to come", lambda w, text: cosigned(w.signer, text, NOON + 3601)),
        ("no time", lambda w, text: cosigned(w.signer, text, 0)),
        ("the end of time", lambda w, text: cosigned(w.signer, text, 2**64 - 1)),
        ("a plain signature", lambda w, text: cosigned(note.Signer(w.signer.name, w.signer.seed), text)),
        ("nothing", lambda w, text: b""),
        ("garbage", lambda w, text: b"\x00\xff" * 50),
        ("no newline", lambda w, text: cosigned(w.signer, text)[:-1]),
        ("a note of its own", lambda w, text: b"\n\n" + cosigned(w.signer, "x\n")),
        ("text of its own before it", lambda w, text: b"x\n\n" + cosigned(w.signer, text)),
        ("a page", lambda w, text: b"<html>please log in</html>\n"),
        ("too many lines", lambda w, text: cosigned(stranger, text) * 64 + cosigned(w.signer, text)),
        ("one right, one wrong", lambda w, text: cosigned(w.signer, "x\n") + cosigned(w.signer, text)),
    ]


def retimed(witness, text):
    right = witness.signer.sign(text, at=NOON)
    return note.Signature(right.name, right.key_id, (NOON + 1).to_bytes(8) + right.data[8:]).line().encode()


@pytest.mark.parametrize("lie", [pytest.param(made, id=name) for name, made in lies()])
def test_what_is_no_cosignature_of_the_witness_is_not_taken(log, witness, lie):
    text = published(log)[1].text
    witness.lie = lambda handler, body: handler.say(200, lie(witness, text))
    run(log)
    assert not Anchor.objects.exists()
    assert error_of(log)
    assert state(log).size == 0
    assert len(published(log)[1].signatures) == 1
    log.refresh_from_db()
    assert log.fault == ""


def test_lines_of_unknown_keys_are_ignored(log, witness):
    text = published(log)[1].text
    stranger = note.Signer("stranger.example", b"s" * 32, note.COSIGNATURE)
    witness.lie = lambda handler, body: handler.say(200, cosigned(stranger, text) + cosigned(witness.signer, text))
    run(log)
    assert bytes(Anchor.objects.get().evidence) == cosigned(witness.signer, text)
    assert [line.name for line in published(log)[1].signatures] == [log.origin, witness.signer.name]


def redirecting(handler, body):
    handler.send_response(307)
    handler.send_header("Location", "/elsewhere")
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def endless(handler, body):
    handler.send_response(200)
    handler.end_headers()
    try:
        for _ in range(64):
            handler.wfile.write(b"x" * 65536)
    except OSError:
        return


def short(handler, body):
    handler.send_response(200)
    handler.send_header("Content-Length", "500")
    handler.end_headers()
    handler.wfile.write("— w".encode())


@pytest.mark.parametrize(
    ("lie", "said"),
    [
        pytest.param(redirecting, "307", id="redirect"),
        pytest.param(endless, "大きすぎます", id="oversized"),
        pytest.param(short, "HTTPの形", id="cut off"),
        pytest.param(lambda handler, body: handler.wfile.write(b"\x16\x03garbage\r\n\r\n"), "HTTPの形", id="garbage"),
        pytest.param(lambda handler, body: None, "", id="hung up"),
        pytest.param(lambda handler, body: handler.say(500), "500", id="broken"),
        pytest.param(lambda handler, body: handler.say(400), "400", id="bad request"),
        pytest.param(lambda handler, body: handler.say(422), "422", id="unprocessable though nothing was to be proven"),
        pytest.param(lambda handler, body: handler.say(204), "204", id="no content"),
    ],
)
def test_odd_answers_end_in_a_sentence(log, witness, lie, said):
    witness.lie = lie
    run(log)
    assert error_of(log)
    assert said in error_of(log)
    assert len(witness.asked) == 1
    log.refresh_from_db()
    assert log.fault == ""


@pytest.mark.parametrize("part", ["head", "body"])
def test_an_answer_that_drips_is_given_up(log, witness, monkeypatch, part):
    monkeypatch.setattr(outsiders, "TOTAL_SECONDS", 0.4)

    def drip(handler, body):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n" + (b"" if part == "head" else b"\r\n"))
        try:
            for _ in range(100):
                handler.wfile.write(b"X: y\r\n")
                time.sleep(0.05)
        except OSError:
            return

    witness.lie = drip
    begun = time.monotonic()
    run(log)
    assert time.monotonic() - begun < 3
    assert "返事がありません" in error_of(log)


def test_no_proxy_of_the_environment_is_used(log, witness, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    run(log)
    assert Anchor.objects.exists()


@pytest.mark.parametrize(
    "url",
    [
        "ftp://w.example",
        "file:///etc/passwd",
        "w.example",
        "http://",
        "http://a:b@w.example",
        "http://w.example:x",
        "http://w.example/?a",
        "http://w.example/#a",
        "http://立会.example",
        "http://w.example/\n",
        "http://[w",
    ],
)
def test_only_plain_web_addresses_are_asked(url):
    assert not outsiders.is_address(url)
    with pytest.raises(outsiders.AnchorError):
        outsiders.post(url, b"", "text/plain")


def test_tls_to_a_server_without_it_ends_in_a_sentence(witness):
    with pytest.raises(outsiders.AnchorError) as error:
        outsiders.post(witness.url.replace("http:", "https:"), b"", "text/plain")
    assert "TLS" in error.value.message.render()


def test_tls_needs_a_certificate_that_is_known(witness, monkeypatch, tmp_path):
    own = tls_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own, tmp_path / "key.pem")
    witness.server.socket = context.wrap_socket(witness.server.socket, server_side=True)
    witness.server.handle_error = lambda *args: None
    url = witness.url.replace("http:", "https:") + "/add-checkpoint"
    with pytest.raises(outsiders.AnchorError) as error:
        outsiders.post(url, b"old 0\n\nx", "text/plain")
    assert "TLS" in error.value.message.render()
    assert witness.asked == []
    monkeypatch.setenv("SSL_CERT_FILE", str(own))
    assert outsiders.post(url, b"old 0\n\nx", "text/plain").status == 400


def tls_certificate(folder):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "witness.hospital.example")])
    now = dt.datetime.now(tz=dt.UTC)  # TLS looks at the real clock
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - dt.timedelta(days=1), now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder / "certificate.pem"
