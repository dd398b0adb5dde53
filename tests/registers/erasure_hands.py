"""髙﨑 花子's dates, what tests of erasure do to her, and a look into every table."""

from __future__ import annotations

import datetime as dt
import json

from django.db import connection

from kitei.foundation import clock, transactions
from kitei.registers.people import erasure, operations
from kitei.trust.auditlog import erasure as auditlog

MAIL = "hanako.takasaki@sakura.example"
PRIVATE = ("髙﨑", "花子", "タカサキ", "ハナコ", MAIL, "090-1234-5678", "SC-778899", "あおば病院情報室")
JOINED, APPOINTED, LEFT = dt.date(2012, 4, 1), dt.date(2014, 4, 1), dt.date(2019, 3, 31)
SOON, LATE = dt.date(2020, 6, 1), dt.date(2024, 4, 1)
"""Some time after she left, and the day after five years."""


def put_member(actor, organization, **facts):
    values = {
        "code": "0012",
        "family_name": "髙﨑",
        "given_name": "花子",
        "family_kana": "タカサキ",
        "given_kana": "ハナコ",
        "title": "部長",
        "email": MAIL,
        "joined_on": JOINED,
        **facts,
    }
    operations.members.put(actor=actor, organization=organization, rows={values["code"]: values})


def appoint(actor, organization, **facts):
    values = {"code": "A-1", "role": "chief-officer", "member": "0012", "valid_from": APPOINTED, "article": "第7条"}
    operations.appoint_many(actor=actor, organization=organization, rows={"A-1": {**values, **facts}})


def planned(actor, organization, day, code="0012", **provisions):
    values = {key.replace("_", "."): value for key, value in provisions.items()}
    return erasure.plan(actor=actor, organization=organization, code=code, today=day, provisions=values)


def carry_out(actor, organization, day, code="0012"):
    with clock.at(day):
        made = transactions.durable_or_join(
            lambda: erasure.erase(actor=actor, plan=planned(actor, organization, day, code))
        )
        auditlog.complete_list(organization)
    return made


def dump():
    """Every value of every table as readable text."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608  the database's own names
            for row in cursor.fetchall():
                for value in row:
                    text = (
                        bytes(value).decode("utf-8", "replace") if isinstance(value, bytes | memoryview) else str(value)
                    )
                    if "\\u" in text:
                        text = json.dumps(json.loads(text), ensure_ascii=False)
                    found.append((table, text))
    return found


def left_over(*texts):
    return sorted({(table, text) for table, value in dump() for text in texts if text in value})


def words(lines):
    return " / ".join(str(line.what) for line in lines)


def restored_from(rows):
    """Put the dumped rows of the person's tables back, as a restore of an older copy does."""
    for model, kept in rows.items():
        model.objects.all().delete()
        model.objects.bulk_create(kept)
