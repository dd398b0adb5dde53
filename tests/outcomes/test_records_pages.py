"""操作記録: who reads it, what it is narrowed by, one entry and its proof, the export; and that reading it is recorded."""

from __future__ import annotations

import datetime as dt
import json
import uuid

import pytest

from kitei.foundation import clock, transactions
from kitei.outcomes.records import export, filters, queries
from kitei.trust.auditlog import events, heads, logs, sequencer, vocabulary
from kitei.trust.auditlog.log import Act, append_many
from kitei.trust.auditlog.models import Event, Opening

pytestmark = pytest.mark.django_db
LOG = "/log/"
ALLOWED = {"allowed": True, "reasons": ["member"]}


@pytest.fixture(autouse=True)
def _own_folder(settings, tmp_path):
    settings.DATA = tmp_path / "data"  # where keys and logs stand
    settings.DATA.mkdir()


@pytest.fixture
def sato(member):
    from django.test import Client

    actor, user = member("佐藤 恵子", "security-officer", mail="sato@sakura.example")
    client = Client()
    client.force_login(user)
    client.actor = actor
    return client


def record(organization, *acts):
    return transactions.durable(lambda: append_many(organization=organization, acts=acts))


def login(who, **more):
    return Act(events.LOGIN, who, ("account", who[1]), **more)


def refusal(who, path="/registers/device/"):
    return Act(
        events.REFUSED,
        who,
        ("document", str(uuid.uuid4())),
        outcome="refused",
        data={"action": "view"},
        private={"path": path},
        decision={"allowed": False, "reasons": ["no-role"]},
    )


def sequence(organization):
    if logs.current(organization) is None:
        transactions.durable(lambda: logs.open_log(organization=organization))
    sequencer.run(organization=organization)


def rows(page):
    return page.content.decode().partition("<tbody")[2].partition("</tbody>")[0]


def number_of_rows(page):
    return rows(page).count("<tr")


def names_in_log(organization):
    return list(Event.objects.filter(organization=organization).order_by("id").values_list("name", flat=True))


# --- who may read, and that reading is recorded


def test_only_officers_open_it_and_only_they_see_the_way_there(sato, browser):
    plain = browser("田中 一郎")
    for path in (LOG, f"/log/events/{uuid.uuid4()}/", "/log/export/", "/log/checkpoint/", "/log/key/"):
        assert plain.get(path).status_code == 404
    assert 'href="/log/"' not in plain.get("/").content.decode()
    page = sato.get(LOG)
    assert page.status_code == 200
    assert 'href="/log/"' in page.content.decode()


def test_each_reading_of_the_list_is_recorded_once_and_typed_words_only_as_commitments(sato, sakura):
    before = Event.objects.filter(name="log:list").count()
    sato.get(LOG, {"who": "田中", "outcome": "refused", "since": "令和8年11月1日"})
    made = Event.objects.filter(name="log:list").order_by("-id")
    assert made.count() == before + 1
    payload = bytes(made[0].payload).decode()
    assert json.loads(payload)["data"] == {"outcome": "refused", "since": "2026-11-01"}
    assert "田中" not in payload
    assert Opening.objects.get(event_id=made[0].pk).value == "who=田中"


def test_what_cannot_be_recorded_is_not_shown(sato, sakura, monkeypatch):
    record(sakura, login(("cli", "operator")))

    def broken(**_kwargs):
        raise OSError("no space")

    monkeypatch.setattr("kitei.outcomes.records.operations.record", broken)
    with pytest.raises(OSError, match="no space"):
        sato.get(LOG)


def test_another_organizations_entries_are_never_seen(sato, tsubaki):
    theirs = record(tsubaki, login(("cli", "tsubaki-operator")))[0]
    assert "tsubaki-operator" not in sato.get(LOG).content.decode()
    assert sato.get(f"/log/events/{theirs.pk}/").status_code == 404
    assert sato.get(f"/log/events/{theirs.pk}/proof/").status_code == 404
    assert "tsubaki-operator" not in b"".join(sato.get("/log/export/").streaming_content).decode()


# --- the list


def test_a_row_says_when_who_what_and_how_it_ended(sato, sakura, member):
    tanaka, _ = member("田中 一郎")
    with clock.at(dt.datetime(2026, 11, 21, 0, 30, 5, tzinfo=clock.TOKYO)):
        record(sakura, refusal(tanaka.ref), login(("cli", "root")), Act(events.LOG_ALARM, ("worker", "x"), ("log", "")))
    text = rows(sato.get(LOG))
    assert "令和8年11月21日 00:30:05" in text
    assert "田中 一郎" in text
    assert "コンソール: root" in text
    assert "作業プロセス" in text
    assert "拒否" in text
    assert "順番待ち" in text


def test_an_account_that_is_gone_is_shown_by_its_id(sato, sakura):
    gone = str(uuid.uuid4())
    record(sakura, login(("member", gone)))
    assert gone in rows(sato.get(LOG))


def test_filters_narrow_and_stand_in_the_address(sato, sakura, member):
    tanaka, _ = member("田中 一郎", mail="tanaka@sakura.example")
    with clock.at(dt.date(2026, 10, 31)):
        record(sakura, login(tanaka.ref), refusal(tanaka.ref))
    with clock.at(dt.datetime(2026, 11, 1, 23, 59, 59, tzinfo=clock.TOKYO)):
        record(sakura, login(("cli", "root")), login(tanaka.ref))

    def count(**query):
        page = sato.get(LOG, query)
        assert page.status_code == 200
        return number_of_rows(page)

    assert count(who="田中") == count(who="田中一郎") == count(who="tanaka@sakura.example") == 3
    assert count(who=tanaka.id) == 3
    assert count(who="コンソール") == count(who="コンソール: root") == 1
    assert count(who="鈴木") == 0
    assert count(who="田中", name="session:login") == 2
    assert count(who="田中", name="session:*") == 2
    assert count(who="田中", outcome="refused") == count(outcome="refused") == 1
    assert count(who="田中", outcome="ok") == 2
    # Days are inclusive, in Asia/Tokyo.
    assert count(since="2026-11-01", until="2026-11-01") == 2
    assert count(who="田中", until="令和8年10月31日") == 2
    event = Event.objects.filter(outcome="refused").get()
    assert count(number=str(event.pk)) == 1
    assert count(kind=event.object_kind, object=event.object_id) == 1
    assert count(kind=event.object_kind) == 1
    page = sato.get(LOG, {"who": "田中"}).content.decode()
    assert 'value="田中"' in page
    assert "人: 田中 一郎" in page


def test_people_are_found_by_number_and_by_an_earlier_name(sato, sakura, operator, member):
    from kitei.registers.people.operations import members
    from kitei.trust.accounts.models import User

    actor, user = member("高橋 花子")

    def put(family, day):
        values = {"code": "0099", "family_name": family, "given_name": "花子"}
        return transactions.durable(
            lambda: members.put(actor=operator, organization=sakura, rows={"0099": values}, day=day)
        )

    found = put("旧姓井", dt.date(2024, 4, 1))
    put("高橋", dt.date(2026, 4, 1))
    User.objects.filter(pk=user.pk).update(principal=found["0099"])
    record(sakura, login(actor.ref))
    for typed in ("0099", "旧姓井", "旧姓井 花子", "髙橋花子"):
        assert number_of_rows(sato.get(LOG, {"who": typed, "name": "session:login"})) == 1, typed


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"since": "2026/2/30"}, "f-since"),
        ({"since": "2026-11-02", "until": "2026-11-01"}, "始めの日以後"),
        ({"name": "no:such"}, "この種類の記録はありません"),
        ({"outcome": "maybe"}, "一覧から選んで"),
        ({"number": "abc"}, "番号は"),
        ({"number": "9" * 30}, "番号は"),
    ],
)
def test_a_faulty_filter_is_told_and_shows_nothing(sato, sakura, query, told):
    record(sakura, login(("cli", "root")))
    page = sato.get(LOG, query)
    assert page.status_code == 422
    assert told in page.content.decode()
    assert number_of_rows(page) == 0
    assert sato.get("/log/export/", query).status_code == 422


@pytest.mark.parametrize(
    "query", ["after=x", "before=%00", "who=%00%00", "object=%00", "until=9999-12-31", "after=W10"]
)
def test_odd_addresses_do_no_harm(sato, query):
    assert sato.get(f"{LOG}?{query}").status_code in {200, 422}


def test_pages_follow_each_other_without_gap_or_repetition_also_within_one_instant(sato, sakura):
    record(sakura, *(login(("cli", f"user-{number}")) for number in range(130)))
    seen, address = [], f"{LOG}?name=session:login&who=コンソール"
    backwards = ""
    for _ in range(4):
        page = sato.get(address)
        seen.append([event.split('"')[0] for event in rows(page).split("コンソール: ")[1:]])
        backwards = page.context["before_url"]
        if not page.context["after_url"]:
            break
        address = page.context["after_url"]
    flat = [text.partition("<")[0] for part in seen for text in part]
    assert len(flat) == len(set(flat)) == 130
    assert flat[0] == "user-129"
    again = [text.split("<")[0] for text in rows(sato.get(backwards)).split("コンソール: ")[1:]]
    assert again == [text.partition("<")[0] for text in seen[-2]]


def test_the_number_of_queries_does_not_grow_with_the_rows(sato, sakura, member, django_assert_max_num_queries):
    people = [member(f"構成員 {number}")[0] for number in range(20)]
    record(sakura, *(login(actor.ref) for actor in people[:2]), *(refusal(actor.ref) for actor in people[:2]))
    sato.get(LOG)
    with django_assert_max_num_queries(30) as few:
        sato.get(LOG)
    record(sakura, *(login(actor.ref) for actor in people), *(refusal(actor.ref) for actor in people))
    with django_assert_max_num_queries(len(few.captured_queries)):
        sato.get(LOG)


# --- one entry


def test_an_entry_is_told_in_words_with_its_original(sato, sakura, member):
    tanaka, _ = member("田中 一郎")
    made = record(sakura, refusal(tanaka.ref, path="/registers/device/?q=<b>"))[0]
    text = sato.get(f"/log/events/{made.pk}/").content.decode()
    assert "田中 一郎" in text
    assert "できなかった理由" in text
    assert vocabulary.reason_label("no-role") in text
    assert bytes(made.leaf_hash).hex() in text
    assert "まだ順番が付いていません" in text
    assert "&lt;b&gt;" not in text, "hidden words are shown on demand only"
    assert "伏せてあります" in text
    seen = Event.objects.filter(name="log:view").get()
    assert seen.object_id == str(made.pk)
    assert json.loads(bytes(seen.payload))["data"] == {"opened": False}


def test_hidden_words_are_opened_on_demand_which_is_recorded_and_erased_ones_are_gone(sato, sakura):
    made = record(sakura, refusal(("cli", "root"), path="/registers/device/?q=<b>"))[0]
    text = sato.get(f"/log/events/{made.pk}/", {"open": "1"}).content.decode()
    assert "/registers/device/?q=&lt;b&gt;" in text
    assert json.loads(bytes(Event.objects.filter(name="log:view").get().payload))["data"] == {"opened": True}
    Opening.objects.filter(event_id=made.pk).delete()
    text = sato.get(f"/log/events/{made.pk}/", {"open": "1"}).content.decode()
    assert "消去済み" in text
    assert "/registers/device/" not in text.partition('id="hidden"')[2].partition('id="raw"')[0]


def test_an_unknown_entry_is_the_page_for_what_is_not_there(sato):
    assert sato.get(f"/log/events/{uuid.uuid4()}/").status_code == 404


def test_a_sequenced_entry_has_a_number_and_a_proof_that_verifies_alone(sato, sakura):
    made = record(sakura, refusal(("cli", "root")))[0]
    assert sato.get(f"/log/events/{made.pk}/proof/").status_code == 422
    sequence(sakura)
    made.refresh_from_db()
    page = sato.get(f"/log/events/{made.pk}/").content.decode()
    assert f"{made.leaf_index:,}番" in page
    assert "証明を取り出す" in page
    answer = sato.get(f"/log/events/{made.pk}/proof/")
    assert answer["Content-Disposition"] == f'attachment; filename="{made.pk}.tlog-proof"'
    assert answer.content.startswith(b"c2sp.org/tlog-proof@v1\n")
    with_words = sato.get(f"/log/events/{made.pk}/proof/", {"open": "1"}).content
    assert len(with_words) > len(answer.content)
    opened = [
        json.loads(bytes(event.payload))["data"] for event in Event.objects.filter(name="log:proof").order_by("id")
    ]
    assert opened == [{"opened": False}, {"opened": True}]
    assert number_of_rows(sato.get(LOG, {"number": str(made.leaf_index)})) == 1


# --- how the log stands


def test_the_head_says_how_the_log_stands(sato, sakura):
    assert "まだ署名されていません" in sato.get(LOG).content.decode()
    assert sato.get("/log/checkpoint/").status_code == 404
    sequence(sakura)
    head = heads.newest(sakura)
    text = sato.get(LOG).content.decode()
    assert heads.root_text(head) in text
    assert head.log.origin in text
    note = sato.get("/log/checkpoint/")
    assert note.content.decode().splitlines()[:3] == [head.log.origin, str(head.size), heads.root_text(head)]
    key = sato.get("/log/key/").content.decode()
    assert key.startswith(f"{head.log.origin}+")
    assert key.strip() in text
    assert b"PK" in sato.get("/log/verifier/").content[:100], "one file that Python runs"


def test_a_fault_is_an_alert(sato, sakura):
    from kitei.foundation.text import Message

    sequence(sakura)
    logs.set_fault(
        logs.current(sakura), Message("操作記録のファイルが、この記録と合いません。kitei verify で確かめてください。")
    )
    text = sato.get(LOG).content.decode()
    assert 'role="alert"' in text
    assert "kitei verify で確かめてください" in text


def test_outputs_print_size_and_root(sakura):
    assert heads.head_line(sakura) == "操作記録: まだ署名されていません"
    sequence(sakura)
    head = heads.newest(sakura)
    line = heads.head_line(sakura)
    assert str(head.size) in line
    assert heads.root_text(head) in line
    assert "2026-11-22 12:00" in line


def test_the_register_export_and_the_matrix_carry_the_line_and_import_leaves_it_alone(sakura, operator, tmp_path):
    import io

    import openpyxl

    from kitei.outcomes.regulation import coverage, matrix
    from kitei.web import exchange

    sequence(sakura)
    # Exporting is recorded after the newest head, so the line does not change by it.
    line = heads.head_line(sakura)
    file = tmp_path / "台帳.xlsx"
    with file.open("wb") as stream:
        exchange.export(actor=operator, organization=sakura, stream=stream)
    about = openpyxl.load_workbook(file)["この出力について"]
    assert [row[0].value for row in about] == [sakura.name, "2026年11月22日 12:00 出力", line]
    plan = exchange.plan(actor=operator, organization=sakura, path=file)
    assert plan.ok
    assert (plan.counts["added"], plan.counts["changed"]) == (0, 0)
    made = matrix.workbook(coverage.at(organization=sakura, day=clock.today()), head=line)
    first = openpyxl.load_workbook(io.BytesIO(made)).worksheets[0]
    assert any(line in str(cell.value) for row in first for cell in row if cell.value)


# --- the export


def test_the_export_holds_what_is_filtered_the_oldest_first_and_begins_with_itself(sato, sakura):
    with clock.at(dt.date(2026, 11, 20)):
        record(sakura, login(("cli", "root")), refusal(("cli", "root")))
    sequence(sakura)
    head = heads.newest(sakura)
    answer = sato.get("/log/export/", {"who": "コンソール"})
    assert "attachment" in answer["Content-Disposition"]
    assert Event.objects.filter(name="log:export").count() == 1, "recorded before the first byte"
    lines = [json.loads(line) for line in b"".join(answer.streaming_content).decode().splitlines()]
    assert [line["metadata"]["event_code"] for line in lines] == ["log:export", "session:login", "access:refuse"]
    assert lines[0]["unmapped"]["kitei"]["checkpoint"] == {
        "origin": head.log.origin,
        "size": head.size,
        "root": heads.root_text(head),
    }
    first = Event.objects.get(name="session:login", actor_id="root")
    assert lines[1]["raw_data"].encode() == bytes(first.payload)
    assert lines[1]["metadata"]["sequence"] == first.leaf_index
    assert lines[1]["time"] == 1_763_607_600_000 + 365 * 86_400_000


def test_the_export_walks_in_chunks_and_leaves_nothing_out(sato, sakura, monkeypatch):
    monkeypatch.setattr(queries, "CHUNK", 7)
    record(sakura, *(login(("cli", f"user-{number}")) for number in range(30)))
    lines = b"".join(
        sato.get("/log/export/", {"name": "session:*", "who": "コンソール"}).streaming_content
    ).splitlines()
    assert [json.loads(line)["actor"]["user"]["name"] for line in lines[1:]] == [
        f"user-{number}" for number in range(30)
    ]


REQUIRED = {"activity_id", "category_uid", "class_uid", "metadata", "severity_id", "time", "type_uid"}
OF_CLASS = {
    3001: {"user"},
    3002: {"user", "service"},
    3004: {"entity"},
    3005: {"user", "privileges"},
    6006: {"actor", "file", "src_endpoint"},
}
# Activities each class of OCSF 1.8.0 knows; 0 and 99 are every class's.
ACTIVITIES = {3001: range(1, 13), 3002: range(1, 8), 3004: range(1, 14), 3005: range(1, 3), 6006: range(1, 18)}


def test_every_declared_event_has_its_class_and_what_the_class_requires(sakura):
    for name, event in vocabulary.known().items():
        for outcome in ("ok", "refused"):
            payload = {
                "v": 1, "id": str(uuid.uuid4()), "at": "2026-11-22T03:00:00.000000Z", "org": "sakura", "name": name,
                "outcome": outcome, "actor": ["member", "1"], "object": ["document", "2"], "data": {"role": "x", "action": "view"},
            }  # fmt: skip
            row = Event(
                organization=sakura, at=clock.now(), name=name, outcome=outcome,
                payload=json.dumps(payload).encode(), leaf_hash=b"\x00" * 32,
            )  # fmt: skip
            line = export.shape(row)
            assert line.keys() >= REQUIRED | OF_CLASS[line["class_uid"]], name
            assert line["type_uid"] == line["class_uid"] * 100 + line["activity_id"]
            assert line["category_uid"] == line["class_uid"] // 1000
            assert line["activity_id"] in {99, *ACTIVITIES[line["class_uid"]]}, name
            assert line["status_id"] == (1 if outcome == "ok" else 2)
            assert line["metadata"]["version"] == "1.8.0"
            assert line["metadata"]["original_event_uid"] == payload["id"]
            assert line["message"] == event.en


def test_numbers_and_ids_are_read_as_people_copy_them():
    key = uuid.uuid4()
    assert filters.number_of("１,２０４") == 1204
    assert filters.number_of(f" {key} ") == key
    assert filters.number_of("-1") is None
    assert filters.number_of("九") is None


def test_a_rare_object_and_a_rare_refusal_are_paged_like_everything_else(sato, sakura, monkeypatch):
    """The ways around the database's choice of an index give the same rows as the plain one."""
    things = [str(uuid.uuid4()) for _ in range(3)]
    for number in range(120):
        with clock.at(dt.datetime(2026, 11, 1 + number % 20, 12, tzinfo=clock.TOKYO)):
            outcome = "refused" if number % 3 else "ok"
            record(sakura, login(("cli", f"user-{number % 5}"), outcome=outcome), Act(
                events.REFUSED, ("cli", "root"), ("document", things[number % 3]), outcome="refused", data={"action": "view"}, decision={"allowed": False, "reasons": ["no-role"]},
            ))  # fmt: skip

    def walked(**query):
        wish, errors = filters.read(query)
        assert not errors
        seen = []
        while True:
            found = queries.page(actor=sato.actor, wish=wish)
            seen += [row.pk for row in found.rows]
            if not found.after:
                return seen
            wish = filters.read({**query, "after": found.after})[0]

    wishes = [
        {"kind": "document"},
        {"kind": "document", "object": things[1]},
        {"kind": "document", "object": things[1], "since": "2026-11-05", "until": "2026-11-09"},
        {"outcome": "refused", "who": "コンソール"},
        {"outcome": "refused", "who": "コンソール: user-1", "name": "session:*"},
        {"who": "コンソール", "name": "session:login", "outcome": "ok"},
    ]
    few = [walked(**wish) for wish in wishes]
    monkeypatch.setattr(queries, "_FEW", -1)
    assert [walked(**wish) for wish in wishes] == few
    monkeypatch.setattr(queries, "_MOST_BRANCHES", 0)
    assert [walked(**wish) for wish in wishes] == few
    assert all(len(set(part)) == len(part) > 0 for part in few)
    assert len(few[0]) == 120
