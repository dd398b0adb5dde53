"""The register lists as a reader meets them: search, filters, order, paging, as-of, columns, export, one row's page."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re
import uuid

import pytest
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from kitei.foundation import transactions
from kitei.foundation.ui import keyset, lists
from kitei.registers.people import models
from kitei.registers.people import operations as people
from kitei.trust.accounts.models import User
from kitei.trust.auditlog.models import Event

START = dt.date(2020, 4, 1)
LIST = "/registers/member/"


def person(code, family, given, **facts):
    return {
        "code": code,
        "family_name": family,
        "given_name": given,
        "employment": "regular",
        "joined_on": START,
        **facts,
    }


def put_members(operator, rows, **options):
    return transactions.durable(
        lambda: people.members.put(
            actor=operator, organization=operator.organization, rows={row["code"]: row for row in rows}, **options
        )
    )


def many(number):
    return [person(f"{index:05}", "佐藤", f"{index}番目") for index in range(1, number + 1)]


def codes(response):
    return re.findall(r"data-open>([^<]+)</a>", response.content.decode())


@pytest.fixture
def sato(member, client):
    """佐藤 恵子, 情報セキュリティ責任者, signed in."""
    _actor, user = member("佐藤 恵子", "security-officer")
    client.force_login(user)
    return client


@pytest.fixture
def tanaka(member, client):
    """田中 真由美, a member without an office, signed in."""
    _actor, user = member("田中 真由美")
    client.force_login(user)
    return client


def test_a_stranger_is_sent_to_the_log_in_page(client, sakura):
    answer = client.get(LIST)

    assert answer.status_code == 302
    assert answer["Location"] == f"/login?next={LIST}"


def test_a_member_without_office_sees_the_list_of_the_own_organization_only(tanaka, operator, stranger):
    put_members(operator, [person("0001", "髙橋", "誠")])
    put_members(stranger, [person("9001", "椿", "次郎")])

    page = tanaka.get(LIST).content.decode()

    assert "髙橋 誠" in page
    assert "椿 次郎" not in page


def test_every_list_of_the_house_opens(sato):
    for spec in lists.specs():
        answer = sato.get(reverse("list", args=[spec.key]))
        assert answer.status_code == 200, spec.key
        assert str(spec.title) in answer.content.decode()


def test_every_section_of_the_navigation_leads_somewhere(sato):
    for entry in lists.sections():
        assert sato.get(reverse(entry.url, args=entry.args)).status_code == 200, entry.key


@pytest.mark.parametrize("typed", ["髙橋", "高橋", "  高橋 "])
def test_search_finds_a_name_in_either_spelling(sato, operator, typed):
    put_members(operator, [person("0001", "高橋", "誠"), person("0002", "鈴木", "健一")])

    assert codes(sato.get(LIST, {"q": typed})) == ["0001"]


def test_search_without_result_offers_the_way_back(sato, operator):
    put_members(operator, [person("0001", "高橋", "誠")])

    page = sato.get(LIST, {"q": "存在しない人", "sort": "-code"}).content.decode()

    assert "条件に合うものがありません" in page
    assert f'href="{LIST}?sort=-code"' in page


def test_an_empty_register_says_what_belongs_there(sato):
    assert "シート「構成員」を記入して取り込んでください" in sato.get(LIST).content.decode()


def test_filter_narrows_and_an_unknown_value_finds_nothing(sato, operator):
    put_members(operator, [person("0001", "高橋", "誠"), person("0002", "鈴木", "健一", employment="officer")])

    assert codes(sato.get(LIST, {"f.employment": "officer"})) == ["0002"]
    assert codes(sato.get(LIST, {"f.employment": "no-such"})) == []
    assert codes(sato.get(LIST, {"f.unknown": "x"})) == ["0001", "0002"]


def test_order_follows_the_address(sato, operator):
    put_members(
        operator,
        [person("0001", "高橋", "誠", family_kana="タカハシ"), person("0002", "青木", "健一", family_kana="アオキ")],
    )

    assert codes(sato.get(LIST)) == ["0001", "0002"]
    assert codes(sato.get(LIST, {"sort": "-code"})) == ["0002", "0001"]
    assert codes(sato.get(LIST, {"sort": "kana"})) == ["0002", "0001"]
    assert codes(sato.get(LIST, {"sort": "joined_on; DROP"})) == ["0001", "0002"]


@pytest.mark.parametrize("number", [50, 51, 120])
@pytest.mark.parametrize("sort", ["", "-code", "kana"])
def test_paging_shows_every_row_once_forward_and_backward(sato, operator, number, sort):
    put_members(operator, many(number))
    seen, pages, url = [], [], f"{LIST}?sort={sort}"
    while url:
        answer = sato.get(url)
        pages.append(codes(answer))
        seen += pages[-1]
        found = re.search(r'rel="next" href="([^"]+)"', answer.content.decode())
        url = found.group(1).replace("&amp;", "&") if found else ""
        last = answer

    assert sorted(seen) == [row["code"] for row in many(number)]
    assert len(pages) == (number + 49) // 50

    back = []
    while found := re.search(r'rel="prev" href="([^"]+)"', last.content.decode()):
        last = sato.get(found.group(1).replace("&amp;", "&"))
        back.append(codes(last))
    assert back == pages[-2::-1]


def test_a_forged_place_starts_at_the_beginning(sato, operator):
    put_members(operator, many(3))

    for token in ("x", "AAAA", "WzEsMiwzXQ", "😀", "null", "W10"):
        assert codes(sato.get(LIST, {"after": token})) == ["00001", "00002", "00003"]


@given(st.one_of(st.text(), st.integers(), st.dates()), st.uuids())
def test_a_place_survives_the_address(value, key):
    assert keyset.read_token(keyset.make_token(value, key)) == (value, key)


def test_counting_stops_at_a_thousand(sato, operator):
    put_members(operator, many(1000))
    assert ">1,000件<" in sato.get(LIST).content.decode()

    put_members(operator, [person("99999", "佐藤", "最後")])
    assert ">1,000件以上<" in sato.get(LIST).content.decode()


def test_the_number_of_queries_does_not_grow_with_the_rows(sato, operator, django_assert_max_num_queries):
    put_members(operator, many(3))
    sato.get(LIST)  # the first request of a minute notes that the log-in is used
    with django_assert_max_num_queries(9) as few:
        # session, account, the log-in with its organization, the person's last day, roles, second factor; grants and
        # denies; page; titles of the header
        sato.get(LIST)
    put_members(operator, many(300))
    with django_assert_max_num_queries(len(few.captured_queries) + 1) as more:
        # more than a page: one more to count
        sato.get(LIST)
    assert len(more.captured_queries) == len(few.captured_queries) + 1


def test_the_as_of_date_is_read_in_any_japanese_way_and_kept_in_links(sato, operator):
    put_members(operator, [person("0001", "高橋", "誠", title="課長")], day=START)
    put_members(operator, [person("0001", "高橋", "誠", title="部長")], day=dt.date(2024, 4, 1))

    for typed in ("令和5年12月1日", "2023/12/1", "Ｒ５．１２．１"):
        page = sato.get(LIST, {"as_of": typed}).content.decode()
        assert "課長" in page
        assert "部長" not in page
        assert "2023年12月1日（金）" in page or "令和5年12月1日（金）" in page
        assert "as_of=2023-12-01" in page
    assert "部長" in sato.get(LIST).content.decode()


def test_a_wrong_as_of_date_is_said_at_the_field_and_today_is_shown(sato, operator):
    put_members(operator, [person("0001", "高橋", "誠")])

    answer = sato.get(LIST, {"as_of": "令和8年13月1日"})
    page = answer.content.decode()

    assert answer.status_code == 422
    assert 'id="as-of-error"' in page
    assert 'value="令和8年13月1日"' in page
    assert codes(answer) == ["0001"]


def test_before_anything_was_registered_the_page_says_so(sato, operator):
    put_members(operator, [person("0001", "高橋", "誠")])

    page = sato.get(LIST, {"as_of": "2001-01-01"}).content.decode()

    assert "に有効なものは登録されていません" in page


def test_columns_are_chosen_by_the_address(sato, operator):
    put_members(operator, [person("0001", "高橋", "誠", title="部長")])

    page = sato.get(LIST, {"cols": "code,name,no-such"}).content.decode()

    assert 'data-label="氏名"' in page
    assert 'data-label="役職"' not in page


def test_a_csv_holds_exactly_what_is_shown_and_is_recorded(sato, sakura, operator):
    put_members(operator, [person("0001", "高橋", "誠"), person("0002", "鈴木", "健一"), person("0003", "高橋", "花")])

    answer = sato.get("/registers/member/export.csv", {"q": "高橋", "cols": "code,name", "sort": "-code"})
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))

    assert rows == [["社員番号", "氏名"], ["0003", "高橋 花"], ["0001", "高橋 誠"]]
    event = Event.objects.get(organization=sakura, name="register:export")
    payload = json.loads(bytes(event.payload))
    assert payload["data"] == {"form": "csv", "rows": 2, "columns": ["code", "name"], "day": "2026-11-22"}
    assert payload["face"] == "web"
    assert "高橋" not in bytes(event.payload).decode(), "search words are committed to, not stored in clear"
    assert set(payload["commitments"]) == {"query"}


def test_an_excel_file_keeps_leading_zeros_days_and_dangerous_text(sato, operator):
    openpyxl = pytest.importorskip("openpyxl")
    put_members(operator, [person("0001", "=cmd()", "誠")])

    answer = sato.get("/registers/member/export.xlsx", {"cols": "code,name,joined_on"})
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).active

    assert [cell.value for cell in sheet[2]][:2] == ["0001", "=cmd() 誠"]
    assert sheet["C2"].value.date() == START
    assert sheet["B2"].data_type == "s"
    assert "filename*=UTF-8''" in answer["Content-Disposition"]


def test_a_refused_export_is_the_404_page_and_stays_in_the_log(tanaka, sakura, operator):
    put_members(operator, [person("0001", "高橋", "誠")])

    answer = tanaka.get("/registers/member/export.csv", {"q": "高橋"})

    assert answer.status_code == 404
    assert not Event.objects.filter(name="register:export").exists()
    event = Event.objects.get(organization=sakura, name="access:refuse")
    payload = json.loads(bytes(event.payload))
    assert (event.outcome, event.object_kind, payload["data"]["action"]) == ("refused", "member", "download")
    assert "export.csv" not in bytes(event.payload).decode()
    assert "この条件と列で出力" not in tanaka.get(LIST).content.decode()


def test_the_page_of_a_row_shows_facts_and_history(sato, operator):
    put_members(operator, [person("0001", "高橋", "誠", title="課長")], day=START, imported=True)
    ids = put_members(operator, [person("0001", "高橋", "誠", title="部長")], day=dt.date(2024, 4, 1))

    page = sato.get(f"{LIST}{ids['0001']}/").content.decode()

    assert "<h1>高橋 誠</h1>" in page
    assert "2024年4月1日" in page or "令和6年4月1日" in page
    assert re.search(r"<del>課長</del>.*<ins>部長</ins>", page)
    assert "取込" in page
    assert "後日登録" in page


def test_the_page_of_a_row_that_ended_says_so(sato, operator, sakura):
    ids = put_members(operator, [person("0001", "高橋", "誠")], day=START)
    models.MemberState.objects.filter(of_id=ids["0001"]).update(valid_until=dt.date(2024, 4, 1))

    page = sato.get(f"{LIST}{ids['0001']}/").content.decode()

    assert "基準日には有効ではありません" in page
    assert (
        "基準日には有効ではありません"
        not in sato.get(f"{LIST}{ids['0001']}/", {"as_of": "2023-12-01"}).content.decode()
    )


def test_a_private_number_is_on_no_page_and_in_no_file(sato, operator):
    put_members(operator, [person("0001", "高橋", "誠")])
    row = {
        "code": "K-01",
        "order": 1,
        "member": "0001",
        "duty": "指揮",
        "phone": "09012345678",
        "confirmed_on": dt.date(2026, 9, 1),
    }
    ids = transactions.durable(
        lambda: people.contacts.put(actor=operator, organization=operator.organization, rows={"K-01": row})
    )

    for address in ("/registers/contact/", f"/registers/contact/{ids['K-01']}/", "/registers/contact/export.csv"):
        answer = sato.get(address)
        assert answer.status_code == 200
        assert "09012345678" not in answer.content.decode(errors="replace")


def test_a_row_names_the_row_it_refers_to(sato, operator):
    put_members(operator, [person("0001", "高橋", "誠")])
    row = {"code": "Q-1", "member": "0001", "kind": "riss", "acquired_on": START}
    ids = transactions.durable(
        lambda: people.qualifications.put(actor=operator, organization=operator.organization, rows={"Q-1": row})
    )

    page = sato.get(f"/registers/qualification/{ids['Q-1']}/").content.decode()

    member = models.Member.objects.get(code="0001")
    assert f'<a href="{LIST}{member.id}/">高橋 誠</a>' in page


def test_another_organizations_row_and_an_unknown_one_are_the_same_page(sato, sakura, stranger):
    theirs = put_members(stranger, [person("9001", "椿", "次郎")])["9001"]

    foreign, unknown = sato.get(f"{LIST}{theirs}/"), sato.get(f"{LIST}{uuid.uuid4()}/")

    assert foreign.status_code == unknown.status_code == 404
    assert _without_marks(foreign) == _without_marks(unknown)
    refusals = Event.objects.filter(name="access:refuse")
    assert {event.organization_id for event in refusals} == {sakura.id}
    assert refusals.count() == 2


def test_a_reader_of_english_gets_english_labels(sato, operator):
    put_members(operator, [person("0001", "高橋", "誠")])
    User.objects.update(language="en")

    page = sato.get(f"{LIST}{models.Member.objects.get().id}/").content.decode()

    assert '<html lang="en">' in page
    assert "Family name" in page
    assert "1 April 2020" in page


def _without_marks(answer):
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", answer.content.decode())
