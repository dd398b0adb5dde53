"""Witnesses: a small one of our own over real HTTP on 127.0.0.1, honest, forgetful, lying, slow, and gone."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
import time
from contextlib import ExitStack

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from small_witness import NOON, SmallWitness

from kitei.foundation import clock, transactions
from kitei.trust.auditlog import anchors, events, logs, outsiders, sequencer, turns
from kitei.trust.auditlog.log import Act, append_many
from kitei.trust.auditlog.models import Anchor, AnchorState, Event, Head, Log
from kitei.trust.auditlog.store import FolderStore
from kitei.trust.auditlog.witness import request
from kitei_verify import checkpoint, merkle, note

START = dt.datetime.fromtimestamp(NOON, tz=dt.UTC)


@pytest.fixture
def log(sakura, settings, tmp_path):
    """The log of さくら with its first head signed."""
    settings.DATA = tmp_path / "data"
    settings.DATA.mkdir()
    made = transactions.durable(lambda: logs.open_log(organization=sakura))
    grow(made, 4)
    return made


@pytest.fixture
def witness(log, tmp_path, settings):
    with SmallWitness(tmp_path) as small:
        small.trust(sequencer.rotation.newest_key(log, log.heads.first()))
        follow(settings, tmp_path, small)
        yield small


def follow(settings, folder, *witnesses, quorum=None, more=""):
    names = " ".join(each.signer.name for each in witnesses)
    text = "".join(each.line for each in witnesses) + f"group all all {names}\n" + more
    settings.LOG_POLICY = folder / "policy"
    settings.LOG_POLICY.write_text(text + f"quorum {quorum or 'all'}\n")


def grow(log, count):
    acts = [Act(events.LOGIN, ("member", "0192"), ("account", str(number))) for number in range(count)]
    transactions.durable(lambda: append_many(organization=log.organization, acts=acts))
    sequencer.run(organization=log.organization)


def run(log, minutes=0):
    anchors.run(log.organization, now=START + dt.timedelta(minutes=minutes))


def newest(log):
    return Head.objects.filter(log=log).order_by("-size").first()


def published(log):
    return checkpoint.parse(FolderStore(logs.folder_of(log)).read("checkpoint"), where="checkpoint")


def state(log):
    return AnchorState.objects.get(log=log)


def error_of(log, name="witness.hospital.example"):
    (fact,) = [fact for fact in anchors.summary(log) if fact.name == name]
    return fact.error.render() if fact.error else ""


def sized(handler, status, body=b"", media_type="text/plain"):
    handler.say(status, body, media_type)


# --- the happy path


def test_a_head_is_cosigned_and_the_cosignature_stands_in_the_published_checkpoint(log, witness):
    assert anchors.due(log)
    run(log)
    head, signed = published(log)
    assert head.size == newest(log).size == 5
    assert note.verify(signed, witness.signer.key, where="checkpoint") == NOON
    assert [line.name for line in signed.signatures] == [log.origin, witness.signer.name]
    assert witness.known[log.origin] == (5, bytes(newest(log).root))
    (anchor,) = Anchor.objects.all()
    assert (anchor.kind, anchor.name, anchor.size, anchor.made_at) == ("witness", witness.signer.name, 5, START)
    assert anchor.organization == log.organization
    assert state(log).size == 5
    assert not anchors.due(log)


def test_the_request_is_as_the_specification_writes_it():
    made = request(20852014, [b"\x01" * 32, b"\xff" * 32], b"origin\n1\nroot\n\n\xe2\x80\x94 key sig\n")
    assert made == (
        b"old 20852014\nAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n//////////////////////////////////////////8=\n"
        b"\norigin\n1\nroot\n\n\xe2\x80\x94 key sig\n"
    )
    assert request(0, [], b"x") == b"old 0\n\nx"


def test_only_origin_size_root_and_hashes_leave_the_house(log, witness):
    run(log)
    (body,) = witness.asked
    assert body == b"old 0\n\n" + bytes(newest(log).note)


def test_a_grown_log_is_proven_from_what_the_witness_knows(log, witness):
    run(log)
    grow(log, 300)
    run(log, 1)
    assert witness.known[log.origin][0] == 305
    assert witness.asked[-1].startswith(b"old 5\n")
    assert len(witness.asked) == 2
    assert note.verify(published(log)[1], witness.signer.key, where="checkpoint") == NOON


def test_nobody_is_asked_when_nothing_grew_or_the_turn_has_not_come(log, witness):
    run(log)
    run(log, 5)
    assert len(witness.asked) == 1
    grow(log, 1)
    run(log, 6)
    grow(log, 1)
    assert not anchors.due(log, now=START + dt.timedelta(minutes=6, seconds=30))
    anchors.run(log.organization, now=START + dt.timedelta(minutes=6, seconds=30))
    assert len(witness.asked) == 2
    run(log, 7)
    assert len(witness.asked) == 3


def test_the_interval_is_a_setting(log, witness, settings):
    settings.WITNESS_SECONDS = 3600
    run(log)
    grow(log, 1)
    run(log, 59)
    assert len(witness.asked) == 1
    run(log, 60)
    assert len(witness.asked) == 2


def test_a_turn_is_taken_by_one_worker_only(log, witness):
    before = AnchorState(log=log, kind="witness", name=witness.signer.name, organization=log.organization)
    before.asked_at = START - dt.timedelta(hours=1)
    before.save()
    assert turns.claim(log, "witness", witness.signer.name, before, START)
    assert not turns.claim(log, "witness", witness.signer.name, before, START)


def test_a_clock_that_was_set_back_does_not_silence_the_witness(log, witness):
    run(log, 30)
    grow(log, 1)
    run(log, -20)
    assert witness.known[log.origin][0] == 6


# --- sizes that differ


def test_a_witness_that_forgot_is_asked_again_from_what_it_knows(log, witness):
    run(log)
    grow(log, 3)
    head = newest(log)
    witness.known[log.origin] = (0, merkle.EMPTY_ROOT)
    run(log, 1)
    assert witness.known[log.origin] == (8, bytes(head.root))
    assert len(witness.asked) == 3
    assert state(log).failing_since is None


def test_a_witness_that_another_worker_already_showed_more_is_asked_from_there(log, witness):
    run(log)
    grow(log, 3)
    run(log, 1)
    AnchorState.objects.update(size=5)
    grow(log, 1)
    run(log, 2)
    assert witness.asked[-2].startswith(b"old 5\n")
    assert witness.asked[-1].startswith(b"old 8\n")
    assert witness.known[log.origin][0] == 9


def test_a_witness_that_knows_more_than_was_ever_signed_stops_the_log(log, witness):
    witness.known[log.origin] = (12, b"\x07" * 32)
    run(log)
    log.refresh_from_db()
    assert "12件" in logs.fault_of(log).render()
    assert "古い状態に戻されて" in error_of(log)
    alarm = Event.objects.get(name=events.LOG_ALARM.name)
    assert alarm.actor_kind == "worker"
    with pytest.raises(sequencer.StoppedError):
        grow(log, 1)
    asked = len(witness.asked)
    run(log, 90)
    assert not anchors.due(log, now=START + dt.timedelta(minutes=90))
    assert len(witness.asked) == asked
    assert not Anchor.objects.exists()


def test_an_alarm_is_recorded_once(log, witness):
    with SmallWitness(witness.file.parent, "w2.example", b"2") as second:
        second.trusted = witness.trusted
        witness.known[log.origin] = second.known[log.origin] = (12, b"\x07" * 32)
        witness.file.parent.joinpath("policy").write_text(f"{witness.line}{second.line}quorum none\n")
        run(log)
    assert Event.objects.filter(name=events.LOG_ALARM.name).count() == 1
    assert AnchorState.objects.filter(failing_since=START).count() == 2


def test_a_head_signed_meanwhile_by_another_worker_is_no_alarm(log, witness, monkeypatch):
    old = newest(log)
    grow(log, 3)
    witness.known[log.origin] = (8, bytes(newest(log).root))
    real = anchors._newest
    answers = iter([old])
    monkeypatch.setattr(anchors, "_newest", lambda log: next(answers, None) or real(log))
    run(log)
    log.refresh_from_db()
    assert log.fault == ""
    assert error_of(log) == ""


def test_a_log_that_does_not_grow_out_of_what_was_cosigned_is_stopped(log, witness):
    witness.known[log.origin] = (3, b"\x07" * 32)
    run(log)
    log.refresh_from_db()
    assert "続きになっていません" in logs.fault_of(log).render()
    assert Event.objects.filter(name=events.LOG_ALARM.name).count() == 1


def test_another_root_of_the_same_size_stops_the_log(log, witness):
    witness.known[log.origin] = (5, b"\x07" * 32)
    run(log)
    log.refresh_from_db()
    assert log.fault


def test_a_witness_that_contradicts_its_own_cosignature_stops_nothing(log, witness):
    run(log)
    grow(log, 3)
    witness.lie = lambda handler, body: handler.say(422)
    run(log, 1)
    log.refresh_from_db()
    assert log.fault == ""
    assert "食い違います" in error_of(log)


def test_a_contradiction_is_believed_when_its_cosignature_was_over_another_head(log, witness):
    run(log)
    other = checkpoint.Checkpoint(log.origin, 5, b"\x07" * 32).text()
    line = witness.signer.sign(other, at=NOON).line().encode()
    Anchor.objects.update(evidence=line)
    grow(log, 3)
    witness.lie = lambda handler, body: handler.say(422)
    run(log, 1)
    log.refresh_from_db()
    assert log.fault


def test_a_spoiled_tile_does_not_look_like_a_fork(log, witness):
    run(log)
    grow(log, 3)
    store = FolderStore(logs.folder_of(log))
    tile = store.read("tile/0/000.p/8")
    store.write("tile/0/000.p/8", tile[:224] + bytes(32))
    run(log, 1)
    log.refresh_from_db()
    assert log.fault == ""
    assert len(witness.asked) == 1
    assert "証明を作れません" in error_of(log)


def test_a_missing_tile_is_said(log, witness):
    run(log)
    grow(log, 3)
    FolderStore(logs.folder_of(log)).remove("tile/0/000.p/8")
    run(log, 1)
    assert "証明を作れません" in error_of(log)


@pytest.mark.parametrize("sizes", [[b"0\n"], [b"1\n", b"2\n"]])
def test_a_witness_that_always_objects_is_asked_twice_at_most(log, witness, sizes):
    said = iter(sizes * 5)
    witness.lie = lambda handler, body: handler.say(409, next(said), "text/x.tlog.size")
    run(log)
    assert len(witness.asked) == len(sizes)
    assert "409" in error_of(log)
    log.refresh_from_db()
    assert log.fault == ""


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (b"9\n", "text/plain"),
        (b"9", "text/x.tlog.size"),
        (b"09\n", "text/x.tlog.size"),
        (b"-9\n", "text/x.tlog.size"),
        (b"", "text/x.tlog.size"),
        ("９\n".encode(), "text/x.tlog.size"),
        (b"9" * 40 + b"\n", "text/x.tlog.size"),
    ],
)
def test_a_conflict_that_is_not_a_witnesss_word_stops_nothing(log, witness, body, media_type):
    witness.lie = lambda handler, asked: handler.say(409, body, media_type)
    run(log)
    log.refresh_from_db()
    assert log.fault == ""
    assert "形が正しくありません" in error_of(log)


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


def cosigned(signer, text, at=NOON):
    return signer.sign(text, at=at).line().encode()


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


# --- away


def test_a_witness_that_is_away_is_asked_ever_more_rarely_and_the_log_goes_on(log, witness):
    witness.lie = lambda handler, body: handler.say(503)
    asked = []
    for minute in range(400):
        before = len(witness.asked)
        run(log, minute)
        if len(witness.asked) > before:
            asked.append(minute)
    assert asked == [0, 1, 2, 4, 8, 16, 32, 64, 124, 184, 244, 304, 364]
    assert state(log).failing_since == START
    grow(log, 1)
    assert newest(log).size == 6
    witness.lie = None
    run(log, 424)
    assert "時刻" in error_of(log)  # its clock stood still meanwhile
    witness.time = NOON + 490 * 60
    run(log, 490)
    assert error_of(log) == ""
    assert state(log).failing_since is None
    assert witness.known[log.origin][0] == 6


def test_a_clock_that_was_set_back_does_not_prolong_the_wait(log, witness):
    witness.lie = lambda handler, body: handler.say(503)
    run(log, 30)
    witness.lie = None
    run(log, 10)
    assert witness.known[log.origin][0] == 5


def test_nobody_listens(log, witness, settings, tmp_path):
    witness.url = "http://127.0.0.1:1"
    follow(settings, tmp_path, witness)
    run(log)
    assert "つながりません" in error_of(log)


def test_without_a_policy_nothing_is_asked(log, settings):
    settings.LOG_POLICY = None
    assert not anchors.due(log)
    run(log)
    assert anchors.summary(log) == []
    assert anchors.witnessed(log) is None


def test_a_witness_without_an_address_is_not_asked(log, witness, settings):
    settings.LOG_POLICY.write_text(f"witness w {witness.signer.key}\nquorum w\n")
    assert not anchors.due(log)


def test_a_policy_that_cannot_be_read_is_said_until_it_is_mended(log, witness, settings):
    right = settings.LOG_POLICY.read_text()
    settings.LOG_POLICY.write_text("witness\n")
    assert anchors.due(log)
    run(log)
    assert "KITEI_LOG_POLICY" in error_of(log, anchors.POLICY)
    assert not anchors.due(log)
    settings.LOG_POLICY.write_text(right)
    run(log, 1)
    assert [fact.name for fact in anchors.summary(log)] == [witness.signer.name]
    assert witness.asked


def test_an_organization_without_a_log_has_nothing_to_anchor(tsubaki):
    anchors.run(tsubaki)
    assert anchors.newest_known(tsubaki) == []


# --- several witnesses


def test_two_witnesses_make_a_quorum_only_together(log, settings, tmp_path):
    key = sequencer.rotation.newest_key(log, newest(log))
    with ExitStack() as stack:
        first, second = (
            stack.enter_context(SmallWitness(tmp_path, name, name[:1].encode())).trust(key)
            for name in ("a.example", "b.example")
        )
        follow(settings, tmp_path, first, second)
        second.lie = lambda handler, body: handler.say(503)
        run(log)
        assert len(published(log)[1].signatures) == 2
        assert anchors.witnessed(log) is None
        second.lie = None
        run(log, 1)
        signed = anchors.witnessed(log)
        assert signed == FolderStore(logs.folder_of(log)).read("checkpoint")
        assert [line.name for line in published(log)[1].signatures] == [log.origin, "a.example", "b.example"]
        grow(log, 2)
        assert len(published(log)[1].signatures) == 1
        assert anchors.witnessed(log) == signed
        first.lie = lambda handler, body: handler.say(503)
        run(log, 2)
        assert anchors.witnessed(log) == signed
        follow(settings, tmp_path, first, second, more="", quorum="b.example")
        assert checkpoint.parse(anchors.witnessed(log), where="")[0].size == 7


def test_one_witness_that_hangs_does_not_keep_the_other_waiting(log, witness, settings, tmp_path, monkeypatch):
    monkeypatch.setattr(outsiders, "TOTAL_SECONDS", 0.5)
    with SmallWitness(tmp_path, "slow.example", b"h") as slow:
        slow.lie = lambda handler, body: time.sleep(0.8)
        follow(settings, tmp_path, slow, witness)
        run(log)
    assert error_of(log) == ""
    assert "返事がありません" in error_of(log, "slow.example")


# --- attaching


def test_a_cosignature_that_comes_late_is_kept_but_not_attached_to_a_newer_checkpoint(log, witness):
    old = newest(log)
    honest = witness.add

    def meanwhile(handler, body):
        witness.lie = None
        handler.say(*honest(body))

    def republish(log, store):
        raise AssertionError("nothing to attach")

    # The head moves on after it was chosen and before the answer comes.
    witness.lie = meanwhile
    grow(log, 2)
    store = FolderStore(logs.folder_of(log))
    anchors._ask_witnesses(log, old, store, START)
    assert Anchor.objects.get().size == old.size
    assert not anchors._unattached(log, old, store)
    sequencer.publish_file(log, store)
    head, signed = published(log)
    assert head.size == newest(log).size
    assert len(signed.signatures) == 1
    anchors.run(log.organization, now=START, republish=republish)


def test_what_a_crash_kept_from_being_attached_is_attached_next_time(log, witness):
    anchors.run(log.organization, now=START, republish=lambda log, store: None)
    assert len(published(log)[1].signatures) == 1
    run(log)
    assert len(published(log)[1].signatures) == 2
    assert len(witness.asked) == 1


def test_attaching_keeps_the_logs_signature_first_and_nothing_twice(log, witness):
    text = published(log)[1].text
    line = cosigned(witness.signer, text)
    other = cosigned(note.Signer("b.example", b"b" * 32, note.COSIGNATURE), text)
    signed = bytes(newest(log).note)
    whole = anchors.attach(signed, [line, other, line])
    assert whole == signed + line + other
    assert anchors.attach(whole, [other, cosigned(witness.signer, text, NOON + 60)]) == whole
    assert anchors.attach(signed, []) == signed


# --- summary and restore


def test_the_summary_says_how_far_each_outsider_is(log, witness):
    (fact,) = anchors.summary(log)
    assert (fact.size, fact.behind, fact.at, fact.asked_at, fact.configured) == (0, 5, None, None, True)
    run(log)
    grow(log, 2)
    (fact,) = anchors.summary(log)
    assert (fact.size, fact.behind, fact.at, fact.asked_at, fact.error) == (5, 2, START, START, None)
    witness.lie = lambda handler, body: handler.say(503)
    run(log, 1)
    (fact,) = anchors.summary(log)
    assert (fact.failing_since, fact.at) == (START + dt.timedelta(minutes=1), START)
    assert "503" in fact.error.render()


def test_an_outsider_of_the_past_stays_in_the_summary(log, witness, settings):
    run(log)
    settings.LOG_POLICY = None
    (fact,) = anchors.summary(log)
    assert (fact.name, fact.size, fact.configured) == (witness.signer.name, 5, False)


def test_a_restore_learns_what_the_witnesses_know_without_any_new_cosignature(log, witness, settings, tmp_path):
    (known,) = anchors.newest_known(log.organization)
    assert (known.source, known.size, known.root, known.forked) == (witness.signer.name, 0, None, False)
    assert witness.known == {}
    run(log)
    (known,) = anchors.newest_known(log.organization)
    assert (known.size, known.root, known.forked) == (5, bytes(newest(log).root), False)
    witness.known[log.origin] = (5, b"\x07" * 32)
    (known,) = anchors.newest_known(log.organization)
    assert (known.size, known.root, known.forked) == (5, None, True)
    assert witness.known[log.origin] == (5, b"\x07" * 32)


def test_a_restore_learns_the_root_from_a_witness_that_shows_what_it_cosigned(log, witness):
    text = checkpoint.Checkpoint(log.origin, 9, b"\x07" * 32).text()
    witness.known[log.origin] = (9, b"\x07" * 32)
    witness.shown[log.origin] = note.Note(text, (witness.signer.sign(text, at=NOON),)).encode()
    assert [(known.size, known.root) for known in anchors.newest_known(log.organization)] == [(9, b"\x07" * 32)]
    forger = note.Signer(witness.signer.name, b"f" * 32, note.COSIGNATURE)
    witness.shown[log.origin] = note.Note(text, (forger.sign(text, at=NOON),)).encode()
    assert [(known.size, known.root) for known in anchors.newest_known(log.organization)] == [(9, None)]
    witness.shown[log.origin] = b"garbage"
    assert [known.root for known in anchors.newest_known(log.organization)] == [None]


def test_a_restore_is_told_who_could_not_be_asked(log, witness, settings):
    witness.lie = lambda handler, body: handler.say(503)
    (known,) = anchors.newest_known(log.organization)
    assert known.size is None
    assert "503" in known.error.render()
    settings.LOG_POLICY.write_text("nonsense\n")
    (known,) = anchors.newest_known(log.organization)
    assert (known.source, known.size) == (anchors.POLICY, None)


def test_states_fit_their_columns(log, witness, settings, tmp_path):
    name = "立" * 300
    settings.LOG_POLICY.write_text(f"witness {name} {witness.signer.key} {witness.url}\nquorum none\n")
    witness.known[log.origin] = (10**17, b"\x07" * 32)
    run(log)
    made = state(log)
    assert len(made.name) <= 200
    assert len(made.error) <= 500
    assert Log.objects.get(pk=log.pk).fault
    assert clock.now() == START
