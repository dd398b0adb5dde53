"""Log-in, lock-out, the first pass word, language, and what the log keeps of them."""

from __future__ import annotations

import json

import pytest
from django.core.management import call_command
from django.test import Client

from kitei.foundation import transactions
from kitei.trust.accounts import operations
from kitei.trust.accounts.models import User
from kitei.trust.auditlog.models import Event

MAIL, PASSWORD = "sato@sakura.example", "tsukushi-no-michi-2026"


@pytest.fixture
def sato(member):
    return member("佐藤 恵子", "security-officer", mail=MAIL, password=PASSWORD)[1]


def log_in(client, mail=MAIL, password=PASSWORD, **more):
    return client.post("/login", {"username": mail, "password": password, **more})


def names():
    return list(Event.objects.order_by("id").values_list("name", flat=True))


def test_logging_in_leads_to_where_one_wanted_to_go_and_is_recorded(client, sato):
    answer = log_in(client, next="/registers/member/")

    assert answer["Location"] == "/registers/member/"
    assert names() == ["session:login"]


def test_a_foreign_address_after_log_in_is_not_followed(client, sato):
    assert log_in(client, next="https://evil.example/")["Location"] == "/"


def test_the_mail_address_is_known_in_any_case(client, sato):
    assert log_in(client, mail="Sato@Sakura.Example").status_code == 302


@pytest.mark.parametrize(("mail", "password"), [(MAIL, "wrong"), ("nobody@sakura.example", PASSWORD)])
def test_a_wrong_password_and_an_unknown_account_read_alike(client, sato, mail, password):
    answer = log_in(client, mail, password)
    page = answer.content.decode()

    assert answer.status_code == 422
    assert "メールアドレスまたはパスワードが違います" in page
    assert 'role="alert"' in page
    assert names() == ["session:login-failed"]
    assert mail not in bytes(Event.objects.get().payload).decode()


def test_a_deactivated_account_reads_like_a_wrong_password(client, sato):
    User.objects.update(is_active=False)

    assert "メールアドレスまたはパスワードが違います" in log_in(client).content.decode()


def test_errors_stand_at_the_field_and_in_the_summary(client, sato):
    page = log_in(client, mail="not-an-address", password="").content.decode()

    assert page.count("メールアドレスの形になっていません") == 2
    assert page.count("パスワードを入力してください") == 2
    assert 'aria-invalid="true"' in page


def test_after_many_failures_the_door_is_closed_for_this_name_from_here(client, sato):
    for attempt in range(8):
        # Writing the name otherwise is no way round.
        last = log_in(client, mail=MAIL if attempt % 2 else MAIL.upper(), password="wrong")

    assert last.status_code == 429
    assert "しばらくログインできません" in last.content.decode()
    assert log_in(client).status_code == 429
    assert client.get("/login").status_code == 200
    assert log_in(Client(REMOTE_ADDR="198.51.100.7")).status_code == 302, "a stranger cannot lock a colleague out"
    call_command("axes_reset", verbosity=0)
    assert log_in(client).status_code == 302


def test_logging_out_needs_a_post(client, sato):
    client.force_login(sato)

    assert client.get("/logout").status_code == 405
    assert client.post("/logout")["Location"] == "/login"
    assert client.get("/registers/member/").status_code == 302
    assert names()[-1] == "session:logout"


def test_pages_of_a_person_are_not_kept_by_the_browser(client, sato):
    client.force_login(sato)

    answer = client.get("/registers/member/")

    assert answer["Cache-Control"] == "no-store"
    assert "camera=()" in answer["Permissions-Policy"]
    assert "'unsafe" not in answer["Content-Security-Policy"]


@pytest.fixture
def code(sato):
    return transactions.durable(lambda: operations.issue_code(user=sato))


def start(client, **values):
    given = {"email": MAIL, "code": "", "password": "asagao-no-niwa-2026", "again": "asagao-no-niwa-2026", **values}
    return client.post("/start", given)


def test_a_code_sets_the_password_once(client, sato, code):
    assert start(client, code=code)["Location"] == "/login"
    assert "パスワードを設定しました" in client.get("/login").content.decode()
    assert log_in(client, password="asagao-no-niwa-2026").status_code == 302
    client.logout()
    again = start(client, code=code, password="another-garden-2026", again="another-garden-2026")
    assert again.status_code == 422
    assert "コードの期限が切れています" in again.content.decode()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"email": "tanaka@sakura.example"}, "組み合わせが正しくない"),
        ({"code": "AAAAA-AAAAA-AAAAA-AAAAA"}, "組み合わせが正しくない"),
        ({"again": "something-else-2026"}, "同じではありません"),
        ({"password": "short", "again": "short"}, "15"),
    ],
)
def test_a_code_is_not_used_up_by_a_mistake(client, sato, code, values, said):
    answer = start(client, **{"code": code, **values})

    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert "account:set-password" not in names()
    assert start(client, code=code).status_code == 302


def test_the_language_is_kept_on_the_account_and_in_the_browser(client, sato):
    client.force_login(sato)

    answer = client.post(
        "/language", {"language": "en"}, headers={"referer": "http://testserver/registers/member/?q=a"}
    )

    assert answer["Location"] == "/registers/member/?q=a"
    assert User.objects.get(pk=sato.pk).language == "en"
    assert '<html lang="en">' in client.get("/registers/member/").content.decode()
    client.post("/logout")
    assert '<html lang="en">' in client.get("/login").content.decode()
    assert "account:set-language" in names()


def test_a_language_that_is_none_changes_nothing(client, sato):
    client.force_login(sato)

    client.post("/language", {"language": "xx"}, headers={"referer": "https://evil.example/"})

    assert User.objects.get(pk=sato.pk).language == "ja"
    assert client.get("/language").status_code == 405


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("en-US,en;q=0.9", "en"),
        ("ja,en;q=0.9", "ja"),
        ("fr,de;q=0.5", "ja"),
        ("fr, en;q=0.3, ja;q=0.8", "ja"),
        ("", "ja"),
        ("*;q=x", "ja"),
    ],
)
def test_without_account_the_browser_says_the_language(client, db, accepted, language):
    answer = client.get("/login", headers={"accept-language": accepted})

    assert f'<html lang="{language}">' in answer.content.decode()
    assert answer["Content-Language"] == language


def test_demo_accounts_are_shown_for_a_demo_only(client, sakura, settings, tmp_path):
    settings.DATA = tmp_path
    rows = [{"name": "佐藤 恵子", "role": "情報セキュリティ責任者", "mail": MAIL, "password": PASSWORD}]
    (tmp_path / "demo-accounts.json").write_text(json.dumps(rows), encoding="utf-8")

    assert PASSWORD not in client.get("/login").content.decode()

    sakura.is_demo = True
    sakura.save()
    assert "佐藤 恵子" in client.get("/login").content.decode()

    (tmp_path / "demo-accounts.json").write_text("{broken", encoding="utf-8")
    assert client.get("/login").status_code == 200
