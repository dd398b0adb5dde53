"""Home on the demo, and a register list at 100,000 rows against a bare Django view of 50 rows."""

from __future__ import annotations

import datetime as dt
import os
import statistics
import sys
import time
from pathlib import Path

import django
from django.conf import settings


def per_request(call, repeat: int = 30) -> float:
    """Return the median seconds of a call after warming up."""
    for _ in range(3):
        call()
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main(folder: Path) -> None:
    django.setup()
    settings.ALLOWED_HOSTS = ["testserver"]
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from kitei.trust.accounts.models import User

    client = Client()
    client.force_login(User.objects.filter(principal__isnull=False).order_by("email").first())
    assert client.get("/").status_code == 200
    with CaptureQueriesContext(connection) as captured:
        client.get("/")
        queries = len(captured)
    home = per_request(lambda: client.get("/"))
    bare_page = bare()
    print(
        f"| home on the demo | ≤ 150 ms, ≤ 15 queries | {home * 1000:.0f} ms, {queries} queries | {home / bare_page:.1f} × bare view |"
    )

    fill(100_000)
    path = "/registers/equipment/"
    assert client.get(path).status_code == 200
    for label, address in (
        ("first page", path),
        ("filtered", f"{path}?f.placement=own"),
        ("sorted backwards", f"{path}?sort=-code"),
    ):
        assert client.get(address).status_code == 200, address
        took = per_request(lambda address=address: client.get(address), 15)
        print(
            f"| list of 100,000 devices, {label} | ≤ 3 × bare view | {took * 1000:.0f} ms | {took / bare_page:.1f} × bare view |"
        )
    with CaptureQueriesContext(connection) as captured:
        client.get(path)
        queries = len(captured)
    print(f"| its queries (session, account, roles included) | — | {queries} | |")


def bare() -> float:
    """Time a bare Django view of 50 rows: Django's own default middleware, one query, one template, the same test client."""
    from django.http import HttpResponse
    from django.template import engines
    from django.test import Client, override_settings
    from django.urls import path

    from kitei.registers.equipment.models import EquipmentState
    from kitei.trust.accounts.models import User

    template = engines["django"].from_string(
        "<!doctype html><table>{% for row in rows %}<tr><td>{{ row.code }}</td><td>{{ row.name }}</td><td>{{ row.place }}</td>"
        "<td>{{ row.serial }}</td><td>{{ row.confirmed_on|date:'Y-m-d' }}</td><td>{{ row.kind_id }}</td><td>{{ row.responsible }}</td>"
        "<td>{{ row.vulnerability }}</td><td>{{ row.confirmed_result }}</td></tr>{% endfor %}</table>{{ request.user.name }}"
    )

    def view(request):
        rows = list(EquipmentState.objects.order_by("code")[:50])
        return HttpResponse(template.render({"rows": rows}, request))

    class Urls:
        urlpatterns = (path("bare", view),)

    default = [
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ]
    processors = ["django.template.context_processors.request", "django.contrib.auth.context_processors.auth"]
    plain = [
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {"context_processors": processors},
        }
    ]
    with override_settings(MIDDLEWARE=default, ROOT_URLCONF=Urls, TEMPLATES=plain):
        client = Client()
        client.force_login(User.objects.filter(principal__isnull=False).order_by("email").first())
        assert client.get("/bare").status_code == 200
        return per_request(lambda: client.get("/bare"))


def fill(count: int) -> None:
    """Add devices up to ``count``, quickly: rows only, no events."""
    from kitei.foundation import clock
    from kitei.foundation.tenancy.models import Organization
    from kitei.registers.equipment.models import Equipment, EquipmentState

    organization = Organization.objects.get()
    template = EquipmentState.objects.filter(organization=organization).as_of(clock.today()).order_by("code").first()
    missing = count - EquipmentState.objects.count()
    identities = [Equipment(organization=organization, code=f"Z{number:06d}") for number in range(missing)]
    Equipment.objects.bulk_create(identities, batch_size=2000)
    fields = {
        field.attname: getattr(template, field.attname)
        for field in EquipmentState._meta.concrete_fields
        if field.attname not in {"id", "of_id", "code"}
    }
    fields["recorded_at"] = clock.now()
    fields["valid_from"] = dt.date(2020, 4, 1)
    EquipmentState.objects.bulk_create(
        [EquipmentState(of_id=identity.id, code=identity.code, **fields) for identity in identities], batch_size=2000
    )


if __name__ == "__main__":
    copy = Path(sys.argv[2]) / "pages"
    import shutil

    shutil.copytree(sys.argv[1], copy)
    os.environ["KITEI_DATA"] = str(copy)
    main(copy)
