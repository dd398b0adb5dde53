"""What tests of second factors do at the pages: codes of an app, signing in, reading events."""

from __future__ import annotations

import json

from kitei.foundation import clock
from kitei.trust.accounts import factors, factors_totp
from kitei.trust.accounts.models import Factor
from kitei.trust.auditlog.models import Event

MAIL, PASSWORD = "sato@sakura.example", "tsukushi-no-michi-2026"
SECRET = b"12345678901234567890"


def code_now(secret=SECRET, *, later=0):
    return factors_totp.code_at(secret, int(clock.device_time().timestamp() + later) // 30)


def with_app(user, secret=SECRET, counter=0):
    return Factor.objects.create(
        organization=user.organization, user=user, kind="totp", name="携帯電話", counter=counter,
        data=factors.seal_secret(user, secret), created_at=clock.now(),
    )  # fmt: skip


def sign_in(client, mail=MAIL, password=PASSWORD, to=""):
    return client.post("/login", {"username": mail, "password": password, "next": to})


def second(client, code, way="totp"):
    return client.post("/login/second", {"way": way, "code": code})


def events(name):
    return [json.loads(bytes(row.payload)) for row in Event.objects.filter(name=name).order_by("id")]
