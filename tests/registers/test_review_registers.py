"""Regressions found by a strict reading of the registers."""

from __future__ import annotations

import datetime as dt

import pytest

from kitei.engine.checks.model import CheckContext, registry
from kitei.registers.people import judging, standing
from kitei.registers.people import operations as people
from kitei.registers.suppliers import operations as suppliers
from kitei.registers.suppliers.models import SupplierState
from kitei.trust.accounts import operations as accounts
from kitei.trust.accounts.models import User

pytestmark = pytest.mark.django_db
TODAY = dt.date(2026, 11, 22)


def test_a_supplier_begins_with_its_contract_although_another_row_names_it(sakura, operator):
    said = {"category": "cloud", "onward": "unknown"}
    rows = {
        "S-1": {"code": "S-1", "name": "みやびクラウド", "contract_from": dt.date(2020, 4, 1), **said},
        "S-2": {"code": "S-2", "name": "あおば監視", "parent": "S-1", "contract_from": dt.date(2021, 4, 1), **said},
    }
    suppliers.suppliers.put(actor=operator, organization=sakura, rows=rows)
    begun = dict(SupplierState.objects.values_list("code", "valid_from"))
    assert begun == {"S-1": dt.date(2020, 4, 1), "S-2": dt.date(2021, 4, 1)}


def test_an_address_two_members_share_makes_nobodys_account_one_of_them(sakura, operator):
    user = accounts.create_user(actor=("cli", "op"), organization=sakura, email="info@sakura.example", name="共用")
    rows = {
        code: {"code": code, "family_name": name, "given_name": "誠", "email": "info@sakura.example"}
        for code, name in (("0001", "高橋"), ("0002", "林"))
    }
    people.members.put(actor=operator, organization=sakura, rows=rows)
    assert User.objects.get(pk=user.pk).principal is None
    people.members.put(
        actor=operator, organization=sakura, rows={"0002": {**rows["0002"], "email": "hayashi@sakura.example"}}
    )
    assert User.objects.get(pk=user.pk).principal == people.models.Member.objects.get(code="0001").pk


@pytest.fixture
def administrator(sakura, operator):
    """高橋, the only system administrator, able, but no longer with the company since yesterday."""
    given = {"actor": operator, "organization": sakura}
    left = {"code": "0001", "family_name": "高橋", "given_name": "誠", "left_on": TODAY - dt.timedelta(days=1)}
    people.members.put(rows={"0001": left}, **given)
    certificate = {"code": "Q-1", "member": "0001", "kind": "hcit", "acquired_on": dt.date(2015, 4, 1)}
    people.qualifications.put(rows={"Q-1": certificate}, **given)
    practice = {"code": "E-1", "member": "0001", "work": "security", "started_on": dt.date(2015, 4, 1)}
    people.experiences.put(rows={"E-1": practice}, **given)
    appointment = {"role": "system-administrator", "member": "0001", "valid_from": dt.date(2020, 4, 1)}
    people.appoint_many(rows={"A-1": appointment}, **given)


@pytest.mark.parametrize(("day", "met"), [(TODAY - dt.timedelta(days=1), True), (TODAY, False)])
def test_an_able_administrator_who_has_left_does_not_meet_the_requirement(sakura, administrator, day, met):
    answer = standing.standing(organization=sakura, role="system-administrator", day=day, provisions={})
    assert answer.met is met
    assert any("在籍していません" in reason.render() for reason in answer.reasons) is not met


@pytest.mark.parametrize(("held", "overdue"), [(TODAY, False), (TODAY + dt.timedelta(days=1), True)])
def test_what_is_dated_in_the_future_has_not_been_done(sakura, operator, held, overdue):
    given = {"actor": operator, "organization": sakura}
    people.members.put(rows={"0001": {"code": "0001", "family_name": "高橋", "given_name": "誠"}}, **given)
    people.contacts.put(rows={"K-1": {"code": "K-1", "order": 1, "member": "0001", "confirmed_on": held}}, **given)
    people.activities.put(rows={"T-1": {"code": "T-1", "kind": "drill", "name": "訓練", "last_held_on": held}}, **given)
    context = CheckContext(organization=sakura, day=TODAY, provisions=registry.defaults)
    codes = {finding.code for finding in judging.emergency(context).findings}
    assert ("people.contact-unconfirmed" in codes, "people.drill-overdue" in codes) == (overdue, overdue)
