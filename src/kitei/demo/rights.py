"""Who may see what in the demo: owned folders, grants and a deny, 閲覧申請, 緊急閲覧 and a 棚卸 in the months before today."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

from kitei.demo.moment import Then
from kitei.foundation import clock, transactions
from kitei.foundation.tenancy.models import Organization
from kitei.registers.documents import queries as documents
from kitei.registers.documents.models import Document
from kitei.registers.people.models import Department, Member
from kitei.trust.access import applications, emergencies, folders, grants, reviews, rule
from kitei.trust.access.grants import Terms
from kitei.trust.access.models import Classification
from kitei.trust.access.operations import ROOT_FOLDER

FOLDERS = {
    "POL": "規程・手順／基本方針",
    "REG": "規程・手順／規程",
    "SOP": "規程・手順／手順書",
    "MAN": "規程・手順／手引",
    "FRM": "規程・手順／様式",
    "CON-M": "契約／医療機関",
    "CON-V": "契約／委託先",
    "MEM": "契約／責任分界",
    "EVD-Q": "人事／資格",
    "EVD": "人事／任命",
    "DIA": "構成図",
    "DIS": "公開資料",
    "EXT": "社外の原本",
}
"""The folder a document's number puts it in; what is not named is a record."""
RECORDS = "記録"
OWNERS = {
    "規程・手順": "総務部", "契約": "営業部", "契約／医療機関": "営業部", "契約／委託先": "総務部", "契約／責任分界": "導入・保守部",
    "人事": "総務部", "構成図": "運用部", "公開資料": "品質管理部", RECORDS: "情報セキュリティ室", "社外の原本": "総務部",
}  # fmt: skip
_READING = (rule.LIST, rule.VIEW, rule.DOWNLOAD)
_ACTOR = Callable[[str], rule.Actor]


def folder_of(code: str) -> str:
    """Return the folder of a document by its number."""
    return next((path for start, path in FOLDERS.items() if code.startswith(start)), RECORDS)


class Rights:
    """The history of 閲覧権限, in the order it happened; ``of`` gives a member as signed in, by number."""

    def __init__(self, organization: Organization, of: _ACTOR, start: Then) -> None:
        self.organization, self.of, self.start = organization, of, start

    def spring(self) -> None:
        """Give the folders their departments, and the departments what they work with."""
        self._at(4, 6, 10, self._found)

    def autumn(self) -> None:
        """棚卸, one request answered, one emergency looked at."""
        self._at(10, 1, 14, self._count)
        self._at(10, 2, 10, lambda: self._opens("0003", "DIA-01"))
        self._at(10, 2, 15, lambda: self._opens("0004", "CON-V05"))
        self._at(
            10, 5, 9, lambda: self._asks("CON-M003", "保守窓口を契約書で確かめるため。", self.start.on(2026, 12, 31))
        )
        self._at(10, 6, 11, self._approve)
        self._at(10, 7, 10, lambda: self._opens("0009", "CON-M003"))
        self._at(
            10, 18, 3, lambda: self._breaks("0009", "夜間の障害対応で、接続先を構成図で確かめるため。", number="DIA-01")
        )
        self._at(10, 18, 3, lambda: self._opens("0009", "DIA-01"), minute=4)
        self._at(10, 20, 9, self._looked_at)

    def this_week(self) -> None:
        """A request without an answer, one that was refused, and an emergency nobody has looked at."""
        self._at(
            11,
            20,
            9,
            lambda: self._asks(
                "構成図の一式", "新しい担当として、全体の構成を知りたいため。", self.start.on(2027, 3, 31)
            ),
        )
        self._at(11, 20, 11, self._refuse)
        self._at(
            11,
            20,
            16,
            lambda: self._asks("CON-V03", "更新日と再委託の条件を確かめるため。", self.start.on(2026, 12, 18)),
        )
        self._at(
            11, 21, 11,
            lambda: self._breaks("0009", "委託先から契約の条件について至急の問合せがあり、担当者が不在のため。", number="CON-V02"),
        )  # fmt: skip

    def _at(self, month: int, day: int, hour: int, work: Callable[[], Any], *, minute: int = 0) -> None:
        moment = dt.datetime.combine(self.start.on(2026, month, day), dt.time(hour, minute), tzinfo=clock.TOKYO)
        with clock.at(moment):
            transactions.durable(work)

    def _found(self) -> None:
        organization, actor = self.organization, self.of("0002")
        places = {path: key for key, path in folders.paths(organization=organization).items()}
        parents = {path: path.rpartition(folders.SEPARATOR)[0] for path in places}
        root = next(key for path, key in places.items() if path == ROOT_FOLDER)
        for path, department in OWNERS.items():
            folders.move_folder(
                actor=actor, organization=organization, folder=places[path], parent=places.get(parents[path], root),
                department=department,
            )  # fmt: skip
        restricted, secret = Classification.RESTRICTED, Classification.SECRET
        for principal, folder, highest, reason in (
            (self._department("D07"), "契約／医療機関", restricted, "契約の担当部署であるため。"),
            (self._department("D05"), "契約／責任分界", restricted, "設置と保守で責任分界を確かめるため。"),
            (self._department("D06"), "契約／責任分界", restricted, "問合せの切り分けに用いるため。"),
            (self._department("D09"), "契約／委託先", restricted, "委託契約を管理するため。"),
            (self._department("D04"), "構成図", secret, "構成図を管理し、運用に用いるため。"),
            (self._member("0013"), "人事／資格", restricted, "2026年度の資格調査のため。"),
        ):
            terms = Terms(principal, _READING, "folder", reason, folder=places[folder], highest=highest)
            grants.grant(actor=actor, organization=organization, terms=terms)
        whom = self._member("0007")
        why = "この図は、中村の前職である取引先の情報を含むため。"
        terms = Terms(whom, _READING, "object", why, register="document", object_id=self._document("DIA-02"))
        grants.deny(actor=actor, organization=organization, terms=terms)

    def _count(self) -> None:
        actor = self.of("0002")
        items, _complete = reviews.items(actor=actor)
        for item in items[:3]:
            reviews.review(
                actor=actor, organization=self.organization, bundle=item.bundle.id, outcome="keep",
                note="担当に変更がないことを部長に確かめた。",
            )  # fmt: skip

    def _asks(self, wanted: str, reason: str, until: dt.date) -> None:
        applications.ask(
            actor=self.of("0009"), organization=self.organization, wanted=wanted, address="", reason=reason, until=until
        )

    def _waiting(self, actor: rule.Actor) -> uuid.UUID:
        key: uuid.UUID = applications.waiting(actor=actor).values_list("pk", flat=True)[0]
        return key

    def _approve(self) -> None:
        actor = self.of("0002")
        until = dt.datetime.combine(self.start.on(2026, 12, 31), dt.time(0), tzinfo=clock.TOKYO)
        terms = Terms(
            ("member", ""), _READING, "object", "", register="document", object_id=self._document("CON-M003"),
            highest=Classification.RESTRICTED, ends_at=until,
        )  # fmt: skip
        applications.approve(
            actor=actor, organization=self.organization, request_id=self._waiting(actor), terms=terms,
            answer="この契約書1件に限ります。",
        )  # fmt: skip

    def _refuse(self) -> None:
        actor = self.of("0002")
        applications.refuse(
            actor=actor, organization=self.organization, request_id=self._waiting(actor),
            answer="一式は不要と考えます。必要な図を番号で申請してください。",
        )  # fmt: skip

    def _opens(self, member: str, code: str) -> None:
        actor, key = self.of(member), self._document(code)
        found = documents.current(organization=self.organization, document_id=key)
        if found is None:
            raise ValueError(f"the demo has no {code}")
        documents.open_file(actor=actor, state=found, action=rule.DOWNLOAD)

    def _breaks(self, member: str, reason: str, *, number: str) -> None:
        emergencies.begin(
            actor=self.of(member), organization=self.organization, reason=reason, number=number,
            object_id=self._document(number),
        )  # fmt: skip

    def _looked_at(self) -> None:
        actor = self.of("0006")
        row = emergencies.listed(actor=actor, unreviewed=True)[0]
        emergencies.review(
            actor=actor, organization=self.organization, identity=row.pk, outcome="justified",
            note="障害の記録と時刻が一致し、開いた図は1件であった。",
        )  # fmt: skip

    def _department(self, code: str) -> tuple[str, str]:
        return ("department", str(Department.objects.get(organization=self.organization, code=code).pk))

    def _member(self, code: str) -> tuple[str, str]:
        return ("member", str(Member.objects.get(organization=self.organization, code=code).pk))

    def _document(self, code: str) -> uuid.UUID:
        key: uuid.UUID = Document.objects.get(organization=self.organization, code=code).pk
        return key
