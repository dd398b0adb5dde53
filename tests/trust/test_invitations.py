"""Letting people in by mail (a real SMTP server) or on paper; stopping and reopening; the console's invitation."""

from __future__ import annotations

import datetime as dt
import email
import email.policy
import json
import re
import socket

import pytest
from aiosmtpd.controller import Controller
from django.core.exceptions import ValidationError
from django.test import Client

from kitei import cli
from kitei.foundation import clock, transactions
from kitei.foundation.jobs import queue
from kitei.foundation.jobs.models import Job
from kitei.foundation.mail import outbox
from kitei.foundation.mail.models import Letter
from kitei.foundation.text import UserError
from kitei.registers.people import operations as people
from kitei.registers.people.models import Member
from kitei.trust.access import rule
from kitei.trust.accounts import invitations, passwords
from kitei.trust.accounts.models import OneTimeCode, User
from kitei.trust.auditlog.models import Event
from kitei.web.accounts import operations

pytestmark = pytest.mark.django_db
GOOD = "mizu-no-oto-matsuri-2026"
CODE = re.compile(r"(?:[A-Z2-9]{5}-){3}[A-Z2-9]{5}")


class Box:
    """What a mail server took, and what it is told to answer instead."""

    def __init__(self):
        self.letters, self.answer = [], None

    async def handle_DATA(self, server, session, envelope):  # noqa: N802  aiosmtpd's name
        if self.answer:
            return self.answer
        self.letters.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return "250 taken"


@pytest.fixture
def post_office(settings):
    """A real SMTP server on the loopback interface, and Kitei told to use it."""
    box = Box()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", port, False
    settings.DEFAULT_FROM_EMAIL = "kitei@sakura.example"
    settings.PUBLIC_URL = "https://kitei.sakura.example"
    yield box
    server.stop()


@pytest.fixture
def no_mail(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"


@pytest.fixture
def keiko(member):
    return member("佐藤 恵子", "security-officer", mail="keiko@sakura.example")


@pytest.fixture
def editor(keiko):
    client = Client()
    client.force_login(keiko[1])
    return client


@pytest.fixture
def jiro(operator, sakura):
    """吉田 次郎 of the register, without an account."""
    row = {
        "code": "0013",
        "family_name": "吉田",
        "given_name": "次郎",
        "joined_on": None,
        "email": "jiro@sakura.example",
    }
    transactions.durable(lambda: people.members.put(actor=operator, organization=sakura, rows={"0013": row}))
    return Member.objects.get(code="0013")


def run_jobs(kind=outbox.KIND):
    """Run what waits, as the worker does, whatever its turn."""
    while True:
        job = Job.objects.filter(kind=kind, done_at__isnull=True, dead_at__isnull=True).first()
        if job is None or not queue.run_one(now=clock.now() + dt.timedelta(hours=3)):
            return
        if job.attempts >= queue.MAX_ATTEMPTS:
            return


def invite(client, member, **more):
    return client.post("/accounts/invite/", {"member": str(member.pk), "language": "ja", "way": "mail", **more})


def bare(answer):
    """A page without its protection marks, which differ each time."""
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", answer.content.decode())


def accept(code, mail="jiro@sakura.example", password=GOOD):
    return Client().post("/start", {"email": mail, "code": code, "password": password, "again": password})


def test_an_invitation_by_mail_lets_its_reader_in_once(post_office, editor, jiro, keiko):
    answer = invite(editor, jiro)
    user = User.objects.get(principal=jiro.pk)
    assert answer.url == f"/accounts/{user.pk}/"
    assert "メール送信待ち" in editor.get(answer.url).content.decode()
    run_jobs()
    (letter,) = post_office.letters
    body = letter.get_content()
    assert letter["To"] == "jiro@sakura.example"
    assert letter["From"] == "kitei@sakura.example"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["Message-ID"] == f"<{Letter.objects.get().pk}@kitei.sakura.example>"
    assert letter.get_content_type() == "text/plain"
    code = CODE.search(body)[0]
    assert f"https://kitei.sakura.example/start#email=jiro%40sakura.example&code={code}" in body
    assert "メール送信済み" in editor.get(answer.url).content.decode()
    assert accept(code).status_code == 302
    assert accept(code, password=GOOD + "-b").status_code == 422
    assert User.objects.get(pk=user.pk).check_password(GOOD)
    said = json.loads(bytes(Event.objects.get(name="account:invite-member").payload))
    assert said["actor"] == ["member", str(keiko[1].pk)]
    assert said["decision"]["allowed"]


def test_the_mailed_code_stands_nowhere_in_clear(post_office, editor, jiro):
    invite(editor, jiro)
    run_jobs()
    code = CODE.search(post_office.letters[0].get_content())[0]
    kept = [json.dumps(row.arguments) for row in Job.objects.all()]
    kept += [str(row) for row in Letter.objects.values_list()]
    kept += [str(row) for row in OneTimeCode.objects.values_list()]
    kept += [bytes(row.payload).decode() for row in Event.objects.all()]
    assert not [text for text in kept if code in text or code.replace("-", "") in text]
    assert not [text for text in kept if "jiro@sakura.example" in text]


def test_an_english_reader_gets_an_english_letter(post_office, editor, jiro):
    invite(editor, jiro, language="en")
    run_jobs()
    assert "You have been invited" in post_office.letters[0].get_content()


def test_a_letter_is_tried_again_and_its_failure_is_shown(post_office, editor, jiro):
    post_office.answer = "451 jiro@sakura.example: try later"
    answer = invite(editor, jiro)
    queue.run_one(now=clock.now() + dt.timedelta(hours=3))
    assert "メールを再送中" in editor.get(answer.url).content.decode()
    for _ in range(queue.MAX_ATTEMPTS + 1):
        queue.run_one(now=clock.now() + dt.timedelta(days=1))
    page = editor.get(answer.url).content.decode()
    assert "メールを送れませんでした" in page
    assert "451" in page
    assert "jiro@" not in Letter.objects.get().error
    assert "jiro@" not in Job.objects.get(kind=outbox.KIND).error
    post_office.answer = None
    editor.post(answer.url + "act/", {"do": "mail"})
    run_jobs()
    assert len(post_office.letters) == 1


def test_a_letter_sent_twice_carries_the_same_message_id(post_office, editor, jiro):
    invite(editor, jiro)
    run_jobs()
    Letter.objects.update(sent_at=None)  # the worker was killed before it could note the server's answer
    outbox.deliver(Job.objects.get(kind=outbox.KIND))
    first, second = post_office.letters
    assert first["Message-ID"] == second["Message-ID"]
    assert CODE.search(first.get_content())[0] == CODE.search(second.get_content())[0]
    outbox.deliver(Job.objects.get(kind=outbox.KIND))
    assert len(post_office.letters) == 2


def test_a_withdrawn_invitation_is_neither_sent_nor_taken(post_office, editor, jiro):
    answer = invite(editor, jiro)
    editor.post(answer.url + "act/", {"do": "withdraw"})
    run_jobs()
    assert post_office.letters == []
    assert Event.objects.filter(name="account:withdraw-invitation").count() == 1
    code = invitations.operations.mailed_code(OneTimeCode.objects.get())
    assert accept(code).status_code == 422


def test_an_invitation_sent_again_ends_the_first_one(post_office, editor, jiro):
    answer = invite(editor, jiro)
    run_jobs()
    editor.post(answer.url + "act/", {"do": "mail"})
    run_jobs()
    first, second = (CODE.search(letter.get_content())[0] for letter in post_office.letters)
    assert accept(first).status_code == 422
    assert accept(second).status_code == 302


def test_an_invitation_ends_after_three_days(post_office, editor, jiro):
    answer = invite(editor, jiro)
    run_jobs()
    code = CODE.search(post_office.letters[0].get_content())[0]
    with clock.at(clock.now() + dt.timedelta(days=3)):
        assert accept(code).status_code == 422
    assert "招待中" in editor.get(answer.url).content.decode()


def test_without_mail_a_code_is_printed_once(no_mail, editor, jiro):
    page = editor.get("/accounts/invite/").content.decode()
    assert "メールで送る" not in page
    assert invite(editor, jiro).status_code == 422, "a way that is not offered is refused"
    answer = invite(editor, jiro, way="paper")
    assert answer["Cache-Control"] == "no-store"
    code = CODE.search(answer.content.decode())[0]
    user = User.objects.get(principal=jiro.pk)
    assert code not in editor.get(f"/accounts/{user.pk}/").content.decode()
    assert accept(code).status_code == 302
    assert "有効" in editor.get(f"/accounts/{user.pk}/").content.decode()


def test_nobody_is_invited_twice_and_nobody_who_left(no_mail, keiko, jiro, operator, sakura):
    def again(**more):
        facts = {"actor": keiko[0], "member": jiro.pk, "email": "jiro@sakura.example", "language": "ja", "way": "paper"}
        return transactions.durable(lambda: operations.invite_member(**facts | more))

    again()
    with pytest.raises(UserError, match="すでにあります"):
        again()
    row = {
        "code": "0014",
        "family_name": "山口",
        "given_name": "春",
        "joined_on": None,
        "left_on": clock.today() - dt.timedelta(days=1),
    }
    transactions.durable(lambda: people.members.put(actor=operator, organization=sakura, rows={"0014": row}))
    with pytest.raises(UserError, match="在籍"):
        again(member=Member.objects.get(code="0014").pk, email="haru@sakura.example")


def test_who_may_not_manage_gets_the_same_404_for_every_account(browser, member, keiko):
    client = browser("鈴木 太郎")
    auditor = browser("監査 守", "audit-officer")
    known = f"/accounts/{keiko[1].pk}/"
    unknown = "/accounts/0192f000-0000-7000-8000-000000000000/"
    for path in ("/accounts/", known, unknown, "/accounts/invite/"):
        assert client.get(path).status_code == 404
    assert bare(client.get(known)) == bare(client.get(unknown))
    assert auditor.get(known).status_code == 200, "the auditor looks"
    assert auditor.get("/accounts/invite/").status_code == 404
    assert auditor.post(known + "act/", {"do": "stop"}).status_code == 404


def test_another_organizations_account_is_not_there(editor, member, tsubaki):
    _actor, theirs = member("森 葉子", organization=tsubaki)
    assert editor.get(f"/accounts/{theirs.pk}/").status_code == 404
    assert editor.post(f"/accounts/{theirs.pk}/act/", {"do": "stop"}).status_code == 404
    assert theirs.name not in editor.get("/accounts/").content.decode()


def test_a_stopped_account_is_out_at_once_and_comes_back(editor, member, keiko):
    _actor, taro = member("鈴木 太郎")
    client = Client()
    client.force_login(taro)
    assert client.get("/").status_code == 200
    editor.post(f"/accounts/{taro.pk}/act/", {"do": "stop"})
    assert client.get("/").status_code == 302
    editor.post(f"/accounts/{taro.pk}/act/", {"do": "reopen"})
    assert client.get("/").status_code == 302, "the old log-in stays ended"
    assert User.objects.get(pk=taro.pk).is_active
    assert Event.objects.filter(name__in=["account:stop", "account:reopen"]).count() == 2


def test_nobody_stops_oneself_or_the_last_who_can_manage(member, keiko, operator):
    with pytest.raises(UserError, match="自分の"):
        transactions.durable(lambda: operations.stop(actor=keiko[0], user=keiko[1]))
    member("監査 守", "audit-officer")
    with pytest.raises(UserError, match="最後の人"):
        transactions.durable(lambda: operations.stop(actor=operator, user=keiko[1]))
    member("髙橋 誠", "chief-officer")
    assert transactions.durable(lambda: operations.stop(actor=operator, user=keiko[1]))


def test_the_list_finds_by_name_state_and_pages(editor, member):
    for number in range(60):
        member(f"社員 {number:03}")
    first = editor.get("/accounts/")
    assert "社員 059" not in first.content.decode()
    after = re.search(r'rel="next" href="([^"]+)"', first.content.decode())[1].replace("&amp;", "&")
    assert "社員 059" in editor.get(after).content.decode()
    found = editor.get("/accounts/", {"q": "社員 007"}).content.decode()
    assert "社員 007" in found
    assert "社員 008" not in found
    assert "条件に合うアカウントはありません" in editor.get("/accounts/", {"state": "stopped"}).content.decode()


def test_the_console_invitation_is_told_to_every_officer_and_on_home(
    post_office, editor, member, keiko, settings, monkeypatch, capsys
):
    member("監査 守", "audit-officer", mail="mamoru@sakura.example")
    member("鈴木 太郎", mail="taro@sakura.example")
    monkeypatch.setenv("KITEI_DATA", str(settings.DATA))
    assert cli.main(["init", "--invite", "--admin", "new@sakura.example"]) == 0
    capsys.readouterr()
    run_jobs()
    assert sorted(letter["To"] for letter in post_office.letters) == ["keiko@sakura.example", "mamoru@sakura.example"]
    assert all("new@sakura.example" in letter.get_content() for letter in post_office.letters)
    assert not [letter for letter in post_office.letters if CODE.search(letter.get_content())], "the code is not told"
    invited = User.objects.get(email="new@sakura.example")
    with clock.at(clock.now() + dt.timedelta(days=30)):
        later, other = Client(), Client()
        later.force_login(keiko[1])
        other.force_login(User.objects.get(email="mamoru@sakura.example"))
        assert "new@sakura.example" in later.get("/").content.decode(), "until it is confirmed"
        later.post("/accounts/console/seen/", {"account": str(invited.pk)})
        later.post("/accounts/console/seen/", {"account": str(keiko[1].pk)})
        assert "new@sakura.example" not in later.get("/").content.decode()
        assert "new@sakura.example" in other.get("/").content.decode(), "each officer for himself"
    said = Event.objects.get(name="account:see-console-invitation")
    assert (said.actor_id, said.object_id) == (str(keiko[1].pk), str(invited.pk))
    with clock.at(clock.now() + dt.timedelta(days=31)):
        assert cli.main(["init", "--invite", "--admin", "new@sakura.example"]) == 0
        again = Client()
        again.force_login(keiko[1])
        assert "new@sakura.example" in again.get("/").content.decode(), "a second invitation is news"


def test_nobody_without_the_right_confirms_a_console_invitation(browser, keiko, sakura):
    answer = browser("鈴木 太郎").post("/accounts/console/seen/", {"account": str(keiko[1].pk)})
    assert answer.status_code == 404
    assert not Event.objects.filter(name="account:see-console-invitation").exists()


# Pass words


@pytest.mark.parametrize(
    "weak",
    [
        "passwordpassword", "Password12345678", "ｐａｓｓｗｏｒｄｐａｓｓｗｏｒｄ", "qwertyuiopasdfgh", "aaaaaaaaaaaaaaaaaaaa", "abcabcabcabcabcabc",
        "1234567890123456", "sakura-sakura-2026", "P@ssw0rd-P@ssw0rd", "kitei-admin-2026!!", "zyxwvutsrqponmlk", "keiko-sakura-2026",
        "konnichiwa-2026-2027", "2026-2025-2024-2023", "さくら医療クラウド2026年12月", "ｓａｋｕｒａｓａｋｕｒａｓａｋｕｒａ", "佐藤恵子佐藤恵子佐藤恵子佐藤恵子",
    ],
)  # fmt: skip
def test_what_is_guessed_first_is_refused(weak, keiko):
    with pytest.raises(ValidationError):
        passwords.GuessableValidator().validate(weak, keiko[1])


@pytest.mark.parametrize(
    "strong",
    [
        GOOD, "tsukushi-no-michi-2026", "harunokaze-2026-fuji", "neko inu tanaka sensei fuyu", "83749162840193847562", "雨の日は傘をさして歩いて帰る道",
        "correct horse battery staple", "x7$Kp!vQz2#mR9&w", "yama" + "ばらの咲く庭で読む本" * 12,
    ],
)  # fmt: skip
def test_what_is_ones_own_is_taken(strong, keiko):
    passwords.GuessableValidator().validate(strong, keiko[1])


def test_a_password_is_the_same_in_every_unicode_form(no_mail, editor, jiro):
    code = CODE.search(invite(editor, jiro, way="paper").content.decode())[0]
    accept(code, password="ｍｉｚｕ－ｎｏ－ｏｔｏ－ガラス－2026")
    assert User.objects.get(principal=jiro.pk).check_password("mizu-no-oto-ガラス-2026")


def test_a_password_of_128_characters_and_more_is_taken(no_mail, editor, jiro):
    code = CODE.search(invite(editor, jiro, way="paper").content.decode())[0]
    long = "asa no umi wo miru " * 10
    assert accept(code, password=long).status_code == 302
    assert User.objects.get(principal=jiro.pk).check_password(long)


def test_a_decision_of_a_plain_member_is_never_enough(member, jiro, no_mail):
    actor, _user = member("鈴木 太郎")
    with pytest.raises(rule.Refused):
        transactions.durable(
            lambda: operations.invite_member(
                actor=actor, member=jiro.pk, email="jiro@sakura.example", language="ja", way="paper"
            )
        )
