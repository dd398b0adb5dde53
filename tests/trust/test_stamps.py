"""Time stamps: a small authority of our own, right and wrong in every field; and the settings of all anchors."""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess

import pytest
from cryptography import x509
from small_authority import NOON, Answer, SmallAuthority
from small_witness import SmallWitness

from kitei import settings as ours
from kitei.foundation import transactions
from kitei.settings_error import ConfigurationError
from kitei.trust.auditlog import anchors, events, logs, outsiders, sequencer, stamps
from kitei.trust.auditlog.log import Act, append
from kitei.trust.auditlog.models import Anchor, AnchorState, Head
from kitei.trust.auditlog.store import FolderStore
from kitei_verify import logdir
from kitei_verify import policy as policies
from kitei_verify.errors import FormatError
from kitei_verify.note import COSIGNATURE, Signer


@pytest.fixture
def log(sakura, settings, tmp_path):
    settings.DATA = tmp_path / "data"
    settings.DATA.mkdir()
    made = transactions.durable(lambda: logs.open_log(organization=sakura))
    sequencer.run(organization=sakura)
    return made


@pytest.fixture
def authority(log, settings, tmp_path):
    with SmallAuthority() as small:
        use(settings, tmp_path, small)
        yield small


def use(settings, folder, authority):
    settings.TSA_URL, settings.TSA_ROOT = authority.url, folder / "root.pem"
    settings.TSA_ROOT.write_bytes(authority.root)


def grow(log):
    act = Act(events.LOGIN, ("member", "0192"), ("account", "1"))
    transactions.durable(lambda: append(organization=log.organization, act=act))
    sequencer.run(organization=log.organization)


def run(log, hours=0):
    anchors.run(log.organization, now=NOON + dt.timedelta(hours=hours))


def files(log):
    store = FolderStore(logs.folder_of(log))
    return {name: store.read(f"stamp/{name}") for name in store.siblings("stamp")}


def error_of(log):
    (fact,) = anchors.summary(log)
    return fact.error.render() if fact.error else ""


def test_a_head_is_stamped_and_the_stamp_stands_beside_the_log(log, authority):
    assert anchors.due(log, now=NOON)
    run(log)
    head = Head.objects.get()
    assert list(files(log)) == ["1.note", "1.tsr"]
    assert files(log)["1.note"] == bytes(head.note)
    (anchor,) = Anchor.objects.all()
    assert (anchor.kind, anchor.name, anchor.size, anchor.made_at) == ("stamp", "127.0.0.1", 1, NOON)
    assert bytes(anchor.evidence) == files(log)["1.tsr"]
    assert authority.asked[0][0] == "application/timestamp-query"
    assert bytes(head.root) not in authority.asked[0][1]
    (fact,) = anchors.summary(log)
    assert (fact.kind, fact.size, fact.at, fact.behind, fact.error) == ("stamp", 1, NOON, 0, None)
    assert not anchors.due(log, now=NOON)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="a second opinion, where there is one")
def test_openssl_accepts_the_files_as_they_stand(log, authority, settings):
    run(log)
    folder = logs.folder_of(log) / "stamp"
    command = ["openssl", "ts", "-verify", "-data", folder / "1.note", "-in", folder / "1.tsr"]
    said = subprocess.run([*command, "-CAfile", settings.TSA_ROOT], capture_output=True, text=True, check=False)
    assert "Verification: OK" in said.stdout, said.stderr


def test_a_stamp_is_taken_every_day_and_only_when_the_log_grew(log, authority):
    run(log)
    run(log, 30)
    assert len(authority.asked) == 1
    authority.answer.at = NOON + dt.timedelta(hours=31)
    grow(log)
    run(log, 31)
    assert sorted(files(log)) == ["1.note", "1.tsr", "2.note", "2.tsr"]
    grow(log)
    run(log, 54)
    assert len(authority.asked) == 2
    authority.answer.at = NOON + dt.timedelta(hours=55)
    run(log, 55)
    assert len(authority.asked) == 3


def test_the_interval_is_a_setting(log, authority, settings):
    settings.TSA_HOURS = 2
    run(log)
    grow(log)
    run(log, 1)
    assert len(authority.asked) == 1
    run(log, 2)
    assert len(authority.asked) == 2


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        pytest.param(Answer(nonce=1), "Nonce", id="wrong nonce"),
        pytest.param(Answer(imprint=b"\x07" * 32), "messages", id="wrong imprint"),
        pytest.param(Answer(spoil=True), "確かめられません", id="wrong signature"),
        pytest.param(Answer(status=2), "状態 2", id="refused"),
        pytest.param(Answer(status=3), "状態 3", id="waiting"),
        pytest.param(Answer(at=NOON - dt.timedelta(hours=2)), "時刻", id="long ago"),
        pytest.param(Answer(at=NOON + dt.timedelta(hours=2)), "時刻", id="to come"),
        pytest.param(Answer(at=NOON.replace(year=2031)), "確かめられません", id="certificate ended"),
    ],
)
def test_a_wrong_stamp_is_not_taken(log, authority, answer, said):
    authority.answer = answer
    run(log)
    assert said in error_of(log)
    assert not Anchor.objects.exists()
    assert files(log) == {}
    assert AnchorState.objects.get().failing_since == NOON
    authority.answer = Answer()
    run(log, 0.1)
    assert error_of(log) == ""
    assert list(files(log)) == ["1.note", "1.tsr"]


def test_an_authority_of_another_root_is_not_believed(log, authority, settings):
    settings.TSA_ROOT.write_bytes(SmallAuthority().root)
    run(log)
    assert "KITEI_TSA_ROOT" in error_of(log)
    assert not Anchor.objects.exists()


def test_a_certificate_of_another_purpose_is_not_believed(log, settings, tmp_path):
    with SmallAuthority(purpose=False) as authority:
        use(settings, tmp_path, authority)
        run(log)
    assert "確かめられません" in error_of(log)
    assert not Anchor.objects.exists()


@pytest.mark.parametrize(
    "lie",
    [
        pytest.param(lambda handler, body: handler.say(200, b""), id="nothing"),
        pytest.param(lambda handler, body: handler.say(200, b"<html>log in</html>"), id="a page"),
        pytest.param(lambda handler, body: handler.say(200, bytes.fromhex("30053003020100")), id="granted, no token"),
        pytest.param(lambda handler, body: handler.say(200, body), id="the question"),
        pytest.param(lambda handler, body: handler.say(200, b"0" * 70_000), id="oversized"),
        pytest.param(lambda handler, body: handler.say(403), id="forbidden"),
        pytest.param(lambda handler, body: handler.say(302), id="redirect"),
        pytest.param(lambda handler, body: None, id="hung up"),
    ],
)
def test_odd_answers_end_in_a_sentence(log, authority, lie):
    authority.lie = lie
    run(log)
    assert error_of(log)
    assert not Anchor.objects.exists()
    assert len(authority.asked) == 1


def test_every_cut_and_many_flipped_bits_of_an_answer_are_refused_or_harmless(log, authority):
    roots = anchors._roots()
    right = []
    authority.lie = lambda handler, body: (right.append(authority.stamp(body)), handler.say(200, right[0]))
    head = bytes(Head.objects.get().note)
    stamps.obtain(authority.url, roots, head, now=NOON)
    from rfc3161_client import decode_timestamp_response

    nonce = decode_timestamp_response(right[0]).tst_info.nonce
    for place in range(0, len(right[0]), 7):
        for spoiled in (right[0][:place], bytes([*right[0][:place], right[0][place] ^ 1, *right[0][place + 1 :]])):
            try:
                answer = decode_timestamp_response(spoiled)
            except ValueError:
                continue
            try:
                assert stamps._verified(answer, roots, head, nonce, NOON) == NOON
            except outsiders.AnchorError:
                continue


def test_an_authority_that_is_away_is_asked_ever_more_rarely(log, authority):
    authority.lie = lambda handler, body: handler.say(503)
    asked = []
    for minute in range(0, 200, 2):
        before = len(authority.asked)
        run(log, minute / 60)
        if len(authority.asked) > before:
            asked.append(minute)
    assert asked == [0, 2, 4, 8, 16, 32, 64, 124, 184]


def test_what_a_crash_kept_from_being_written_is_written_next_time(log, authority):
    run(log)
    store = FolderStore(logs.folder_of(log))
    before = files(log)
    store.remove("stamp/1.tsr")
    run(log, 0.5)
    assert files(log) == before
    store.remove("stamp/1.tsr")
    store.remove("stamp/1.note")
    run(log, 0.6)
    assert files(log) == before
    assert len(authority.asked) == 1


def test_a_stamp_is_not_put_into_the_folder_of_the_next_log(log, authority, monkeypatch):
    def ended_meanwhile(*args, **more):
        transactions.durable(lambda: logs.restart(organization=log.organization))
        return real(*args, **more)

    real = stamps.obtain
    monkeypatch.setattr(stamps, "obtain", ended_meanwhile)
    run(log)
    assert Anchor.objects.count() == 1
    assert files(log) == {}


def test_the_verifier_accepts_what_outsiders_gave_and_refuses_another_root(log, authority, settings, tmp_path):
    with SmallWitness(tmp_path) as witness:
        key = sequencer.rotation.newest_key(log, Head.objects.get())
        witness.trust(key)
        settings.LOG_POLICY = tmp_path / "policy"
        settings.LOG_POLICY.write_text(f"log {key}\n{witness.line}quorum {witness.signer.name}\n")
        grow(log)
        run(log)
    policy = policies.parse(settings.LOG_POLICY.read_bytes())
    result = logdir.verify(logs.folder_of(log), policy=policy, tsa_roots=anchors._roots(), jobs=1)
    result.require()
    assert [cosigned.name for cosigned in result.cosigned] == [witness.signer.name]
    assert [(stamp.size, stamp.at, stamp.checked) for stamp in result.stamps] == [(2, NOON, True)]
    other = x509.load_pem_x509_certificates(SmallAuthority().root)
    assert not logdir.verify(logs.folder_of(log), policy=policy, tsa_roots=other, jobs=1).ok


def test_a_stamp_the_verifier_would_refuse_is_not_taken(log, authority, monkeypatch):
    def refuse(*args, **more):
        raise FormatError("stamp", "strange", "…")

    monkeypatch.setattr(stamps.verifier, "check", refuse)
    run(log)
    assert error_of(log)
    assert files(log) == {}


def test_the_note_stands_before_its_stamp(log):
    written = []

    class Recording(FolderStore):
        def write(self, path, data):
            written.append(path)
            super().write(path, data)

    stamps.place(Recording(logs.folder_of(log)), 1, b"note", b"stamp")
    assert written == ["stamp/1.note", "stamp/1.tsr"]


def test_a_root_that_went_away_is_said(log, authority, settings):
    settings.TSA_ROOT.unlink()
    run(log)
    assert "KITEI_TSA_ROOT" in error_of(log)
    assert authority.asked == []


def test_without_an_authority_nothing_is_asked(log, settings):
    settings.TSA_URL = ""
    assert not anchors.due(log)
    run(log)
    assert anchors.summary(log) == []


# --- settings


@pytest.mark.parametrize("origin", ["", "a b", "a+b", "x" * 151, "記録.example", "a\n", "a\x7f"])
def test_an_origin_that_could_not_stand_in_a_checkpoint(monkeypatch, origin):
    monkeypatch.setenv("KITEI_LOG_ORIGIN", origin)
    with pytest.raises(ConfigurationError, match="KITEI_LOG_ORIGIN"):
        ours._log_origin()


def test_an_origin_and_none(monkeypatch):
    monkeypatch.setenv("KITEI_LOG_ORIGIN", "log.sakura.example/" + "x" * 131)
    assert len(ours._log_origin()) == 150
    monkeypatch.delenv("KITEI_LOG_ORIGIN")
    assert ours._log_origin() == ""


@pytest.mark.parametrize("text", ["witness w\nquorum none\n", "nonsense\n", "", "quorum none"])
def test_a_policy_that_is_none(monkeypatch, tmp_path, text):
    (tmp_path / "policy").write_text(text)
    monkeypatch.setenv("KITEI_LOG_POLICY", str(tmp_path / "policy"))
    with pytest.raises(ConfigurationError, match="KITEI_LOG_POLICY"):
        ours._log_policy()


@pytest.mark.parametrize("name", [".", "missing", "a\0b"])
def test_a_policy_that_cannot_be_read(monkeypatch, tmp_path, name):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(ours.os, "environ", {"KITEI_LOG_POLICY": name})
    with pytest.raises(ConfigurationError, match="KITEI_LOG_POLICY"):
        ours._log_policy()


def test_a_policy(monkeypatch, tmp_path):
    key = Signer("w.example", b"w" * 32, COSIGNATURE).key
    (tmp_path / "policy").write_text(f"witness w {key} https://w.example/log\nquorum w\n")
    monkeypatch.setenv("KITEI_LOG_POLICY", str(tmp_path / "policy"))
    assert ours._log_policy() == tmp_path / "policy"
    monkeypatch.setenv("KITEI_LOG_POLICY", "")
    assert ours._log_policy() is None


@pytest.mark.parametrize("name", ["KITEI_TSA_HOURS", "KITEI_WITNESS_SECONDS"])
@pytest.mark.parametrize("text", ["", "0", "-1", "1.5", "８", "9" * 10, "1e3", "100000"])
def test_an_interval_that_is_none(monkeypatch, name, text):
    monkeypatch.setenv(name, text)
    with pytest.raises(ConfigurationError, match=name):
        ours._number(name, 24, 8_760)


@pytest.mark.parametrize(
    "url", ["tsa.example.jp", "ftp://tsa.example", "https://", "https://a@tsa.example", "https://[x"]
)
def test_an_authority_address_that_is_none(monkeypatch, tmp_path, url):
    (tmp_path / "root.pem").write_bytes(SmallAuthority().root)
    monkeypatch.setenv("KITEI_TSA_URL", url)
    monkeypatch.setenv("KITEI_TSA_ROOT", str(tmp_path / "root.pem"))
    with pytest.raises(ConfigurationError, match="KITEI_TSA_URL"):
        ours._time_stamps()


def test_an_authority_needs_its_root(monkeypatch, tmp_path):
    monkeypatch.setenv("KITEI_TSA_URL", "https://tsa.example.jp/rfc3161")
    monkeypatch.delenv("KITEI_TSA_ROOT", raising=False)
    with pytest.raises(ConfigurationError, match="KITEI_TSA_ROOT"):
        ours._time_stamps()
    for text in ("", "no certificate"):
        (tmp_path / "root.pem").write_text(text)
        monkeypatch.setenv("KITEI_TSA_ROOT", str(tmp_path / "root.pem"))
        with pytest.raises(ConfigurationError, match="KITEI_TSA_ROOT"):
            ours._time_stamps()
    (tmp_path / "root.pem").write_bytes(SmallAuthority().root)
    assert ours._time_stamps() == ("https://tsa.example.jp/rfc3161", tmp_path / "root.pem")
