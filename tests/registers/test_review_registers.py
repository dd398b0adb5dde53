"""Regressions found by a strict reading of the registers."""

from __future__ import annotations

import datetime as dt

import pytest

from kitei.registers.people import operations as people
from kitei.registers.suppliers import operations as suppliers
from kitei.registers.suppliers.models import SupplierState
from kitei.trust.accounts import operations as accounts
from kitei.trust.accounts.models import User

pytestmark = pytest.mark.django_db


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
