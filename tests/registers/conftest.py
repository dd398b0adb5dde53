"""Somebody to erase."""

from __future__ import annotations

import pytest
from erasure_hands import (
    APPOINTED,
    JOINED,
    LEFT,
    MAIL,
    appoint,
    put_member,
)

from kitei.engine.checks import operations as checks
from kitei.engine.checks.models import Run
from kitei.foundation import clock
from kitei.registers.people import operations
from kitei.trust.access.rule import Actor
from kitei.trust.accounts import operations as accounts
from kitei.trust.accounts.models import User


@pytest.fixture
def hanako(sakura, operator):
    """髙﨑 花子: chief officer 2014–2019 with everything a person leaves in the registers, gone since 31 March 2019."""
    with clock.at(JOINED):
        put_member(operator, sakura)
        put_member(
            operator, sakura, code="0020", family_name="高橋", given_name="誠", family_kana="", given_kana="", email=""
        )
        user = accounts.create_user(actor=("cli", "op"), organization=sakura, email=MAIL, name="髙﨑 花子")
        operations.link_accounts(actor=operator, organization=sakura)
        accounts.issue_code(user=user)
        accounts.create_user(
            actor=("cli", "op"), organization=sakura, email="root@sakura.example", name="管理", is_administrator=True
        )
    with clock.at(APPOINTED):
        appoint(operator, sakura)
        operations.qualifications.put(
            actor=operator,
            organization=sakura,
            rows={"Q-1": {"code": "Q-1", "member": "0012", "kind": "riss", "number": "SC-778899"}},
        )
        operations.experiences.put(
            actor=operator,
            organization=sakura,
            rows={
                "E-1": {
                    "code": "E-1", "member": "0012", "work": "security", "place": "あおば病院情報室",
                    "started_on": JOINED,
                }
            },
        )  # fmt: skip
        operations.contacts.put(
            actor=operator,
            organization=sakura,
            rows={"K-1": {"code": "K-1", "order": 1, "member": "0012", "phone": "090-1234-5678"}},
        )
        actor = Actor("member", str(user.id), sakura, "髙﨑 花子", User.objects.get(pk=user.pk).principal)
        checks.accept_finding(
            actor=actor,
            organization=sakura,
            finding="people.drill",
            reason="髙﨑花子が確認した（090-1234-5678）",
            until=APPOINTED,
        )
        Run.objects.create(
            organization=sakura,
            day=APPOINTED,
            finished_at=clock.now(),
            results={"x": {"message": ["髙﨑 花子は在籍しています"]}},
        )
    with clock.at(LEFT):
        appoint(operator, sakura, last_day=LEFT, end_kind="left")
        put_member(operator, sakura, left_on=LEFT)
    return user
