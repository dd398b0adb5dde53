"""The hundred and twenty documents of the demo, each with what its file says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from kitei.demo import members, offices, partners, treatment
from kitei.demo import texts as words
from kitei.demo.moment import Row, Rows, Then, listed
from kitei.demo.paper import Paper, made
from kitei.demo.rights import folder_of
from kitei.trust.access.roles import ROLES

COUNT = 120
COMPANY = "さくら医療クラウド株式会社"

# Planted (see planted.py).
PUBLIC_CONTRACT = "CON-M008"
OVERDUE = {"SOP-30", "MAN-04"}


@dataclass(frozen=True)
class Document:
    """One row of the register and the text of its file; no text where the original is elsewhere or on paper."""

    row: Row
    paper: Paper | None = None
    kind: str = ""

    @property
    def file_name(self) -> str:
        """The name the row gives its file; empty without one."""
        return str(self.row.get("file_name") or "")

    def content(self) -> bytes:
        """Make the file."""
        if self.paper is None:
            raise ValueError("this document has no file")
        return made(self.paper, kind=self.kind, when=self.row["in_force_from"])


def all_documents(then: Then) -> dict[str, Document]:
    """Return the documents on record on the day, by number."""
    found = [
        *_policies(then),
        *_regulations(then),
        *_procedures(then),
        *_manuals(then),
        *_contracts(then),
        *_memos(then),
        *_forms(then),
        *_letters(then),
        *_records(then),
        *_others(then),
    ]
    return {entry.row["code"]: entry for entry in found if then.known(entry.row["in_force_from"], 7)}


def rows(then: Then) -> Rows:
    """Return the sheet of documents as of the day."""
    return listed([entry.row for entry in all_documents(then).values()])


def _entry(
    then: Then,
    code: str,
    title: str,
    kind: str,
    begins: dt.date,
    *,
    file: str,
    version: str = "第1版",
    department: str = "総務部",
    classification: str = "internal",
    approved: str = "管理責任者",
    years: int = 10,
    reviewed: dt.date | None = None,
    **said: object,
) -> Document:
    row: Row = {
        "code": code,
        "title": title,
        "kind": kind,
        "version": version,
        "in_force_from": begins,
        "approved_by": approved,
        "department": department,
        "classification": classification,
        "folder": folder_of(code),
        "kept_at": "kitei",
        "file_name": f"{code}_{title}_{version}.{file}",
        "retention_years": years,
        "reviewed_on": reviewed,
    }
    paper = Paper(
        title=title, mark=f"{code}　{version}", day=then.written(begins), author=department, **said  # type: ignore[arg-type]
    )  # fmt: skip
    return Document(row, paper, file)


def _yearly(then: Then, code: str) -> dt.date:
    """Return the last yearly review; two documents were forgotten this year."""
    final = then.on(2026, 4, 6) + dt.timedelta(days=then.chance("review", code).randrange(150))
    when = then.last(final, 355)
    return min(when, then.on(2025, 9, 12)) if code in OVERDUE else when


def _policies(then: Then) -> Iterator[Document]:
    revised = then.known(then.on(2026, 4, 1), 7)
    for code, title, lead, sections in words.POLICIES:
        begins = then.on(2026, 4, 1) if revised and code == "POL-01" else then.on(2023, 4, 1)
        version = "第5版" if revised and code == "POL-01" else "第4版"
        yield _entry(
            then, code, title, "policy", begins, file="pdf", version=version, department="経営管理本部",
            classification="public", approved="取締役会", reviewed=_yearly(then, code), lead=lead, sections=sections,
            signed=(COMPANY, "代表取締役　髙橋 誠"),
        )  # fmt: skip


def _regulations(then: Then) -> Iterator[Document]:
    for number, (title, department, sections) in enumerate(words.REGULATIONS, start=1):
        code = f"REG-{number:02}"
        chance = then.chance("regulation", number)
        yield _entry(
            then, code, title, "regulation", then.on(2021 + chance.randrange(4), 4, 1), file="docx",
            version=f"第{2 + chance.randrange(4)}版", department=department, reviewed=_yearly(then, code), sections=sections,
        )  # fmt: skip


def _procedures(then: Then) -> Iterator[Document]:
    procedures = treatment.book(then)["procedure"]
    for number, procedure in enumerate(treatment.PROCEDURES, start=1):
        code = f"SOP-{number:02}"
        steps = tuple(
            f"{place}　{step}。" for place, step in enumerate(procedure.steps.rstrip("。").split("。"), start=1)
        )
        owner = ROLES[procedure.owner].ja
        yield _entry(
            then, code, procedure.name, "procedure", then.on(2022 + number % 3, 1 + number % 12, 1), file="docx",
            version=procedures[treatment.procedure_code(number)]["version"], department=_owner_department(procedure.owner),
            approved="情報セキュリティ責任者", reviewed=_yearly(then, code),
            sections=(
                ("1　目的", (f"この手順は、運用管理規程{procedure.article}に基づき、「{procedure.measure}」を確実に行うために定める。",)),
                ("2　担当及び周期", (f"担当は{owner}とする。周期は{words.CYCLES[procedure.cycle]}とする。不在のときは代行者が行う。",)),
                ("3　手順", steps),
                ("4　記録", ("実施した日、実施した者、結果及び気付いた点を記録し、5年間保存する。異常があれば直ちに情報セキュリティ責任者に報告する。",)),
            ),
        )  # fmt: skip


def _owner_department(role: str) -> str:
    return {
        "system-administrator": "運用部",
        "security-officer": "情報セキュリティ室",
        "operations-supervisor": "総務部",
        "privacy-officer": "経営管理本部",
    }[role]


def _manuals(then: Then) -> Iterator[Document]:
    for number, (title, department, sections) in enumerate(words.MANUALS, start=1):
        code = f"MAN-{number:02}"
        yield _entry(
            then, code, title, "manual", then.on(2024, 1 + number, 15), file="pdf", version=f"第{3 + number % 3}版",
            department=department, reviewed=_yearly(then, code), approved=f"{department}長", sections=sections,
        )  # fmt: skip


def _contracts(then: Then) -> Iterator[Document]:
    for institution in partners.INSTITUTIONS:
        code = partners.contract_code(institution.code)
        yield _entry(
            then, code, f"利用契約書（{institution.name}）", "contract", then.on(*institution.since), file="pdf", version="原契約",
            department="営業部", classification="public" if code == PUBLIC_CONTRACT else "restricted", approved="代表取締役",
            lead=(f"{institution.name}（以下「甲」という。）と{COMPANY}（以下「乙」という。）は、乙が提供する医療情報システム等の利用について、次のとおり契約する。",),
            sections=words.CUSTOMER_CONTRACT, signed=(f"甲　{institution.address}　{institution.name}", f"乙　{words.ADDRESS}　{COMPANY}"),
        )  # fmt: skip
    for supplier in partners.SUPPLIERS:
        yield _entry(
            then, partners.contract_code(supplier.code), f"業務委託契約書（{supplier.name}）", "contract", then.on(*supplier.since),
            file="pdf", version="原契約", department="総務部", classification="restricted", approved="代表取締役",
            lead=(f"{COMPANY}（以下「甲」という。）と{supplier.name}（以下「乙」という。）は、「{supplier.work}」の委託について、次のとおり契約する。",),
            sections=words.SUPPLIER_CONTRACT, signed=(f"甲　{words.ADDRESS}　{COMPANY}", f"乙　{supplier.name}"),
        )  # fmt: skip


def _memos(then: Then) -> Iterator[Document]:
    for institution in partners.INSTITUTIONS:
        if partners.placed(institution):
            yield _entry(
                then, partners.memo_code(institution), f"責任分界確認書（{institution.name}）", "memo",
                partners.placed_from(then, institution), file="pdf", department="導入・保守部", classification="restricted", approved="代表取締役",
                lead=(f"{institution.name}に設置する機器について、{institution.name}と{COMPANY}は、次のとおり責任の分担を確認した。",),
                sections=words.MEMO, headers=("事項", "当社", institution.name[:12], "備考"), widths=(4, 2, 3, 3), rows=words.SHARES,
                signed=(institution.name, COMPANY),
            )  # fmt: skip


def _forms(then: Then) -> Iterator[Document]:
    for number, (title, headers) in enumerate(words.FORMS, start=1):
        yield _entry(
            then, f"FRM-{number:02}", title, "form", then.on(2023, 4, 1), file="xlsx", version="第2版", years=5,
            lead=("記入した日から7日以内に主管部署に提出してください。",), headers=headers, widths=(2,) * len(headers),
            rows=tuple(("",) * len(headers) for _line in range(6)),
        )  # fmt: skip


def _letters(then: Then) -> Iterator[Document]:
    terms = {row["evidence"]: row for row in offices.appointments(then) if row["evidence"]}
    for tenure in offices.current():
        code = offices.letter_code(tenure)
        term = terms.get(code)
        if term is None:
            continue
        title = offices.TITLES[tenure.role][0] + (f"代行者（第{tenure.order}順位）" if tenure.order else "")
        name = offices.holder_name(tenure.member)
        begins = term["valid_from"]
        yield _entry(
            then, code, f"任命書（{title}　{name}）", "evidence", begins, file="pdf", version="原本", classification="restricted",
            approved=term["appointed_by"], to=f"{name}　殿",
            lead=(f"運用管理規程{offices.ARTICLE}の規定により、{then.written(begins)}付けで、{title}に任命する。",),
            sections=(
                ("職務", (offices.TITLES[tenure.role][1],)),
                ("任期", (f"{then.written(begins)}から{then.written(term['term_until'])}まで",)),
                ("承諾", ("上記の任命を承諾し、職務を誠実に行います。", f"{name}（署名）")),
            ),
            signed=(COMPANY, f"{term['appointed_by']}　印"),
        )  # fmt: skip
    for number, code in offices.CERTIFICATES.items():
        qualification = offices.book(then)["qualification"].get(f"Q-{number:03}")
        if qualification is not None:
            yield _entry(
                then, f"EVD-Q{number:02}", f"資格証の写し（{offices.holder_name(code)}）", "evidence",
                qualification["acquired_on"], file="pdf", version="写し", classification="restricted", approved="運用事務統括責任者",
                lead=("この写しは、原本と照らし合わせて保管したものである。",),
                sections=(("登録番号", (qualification["number"],)), ("登録日", (then.written(qualification["acquired_on"]),))),
            )  # fmt: skip


def _records(then: Then) -> Iterator[Document]:
    activities = offices.book(then)["activity"]
    people = [person for person in members.people(then) if not person.left and then.known(members.joined(then, person))]
    for code, _kind, name, owner, _held, _every, record in offices.ACTIVITIES:
        held = activities[code]["last_held_on"]
        owner_name = offices.TITLES[owner][0]
        chance = then.chance("record", code)
        if code in {"T-02", "T-03"}:
            headers: tuple[str, ...] = ("社員番号", "氏名", "受講日", "確認試験", "備考")
            taken = people if code == "T-02" else people[-4:]
            lines = tuple(
                (person.code, members.full_name(person), then.written(held + dt.timedelta(days=chance.randrange(14))), f"{chance.randrange(16, 21)}/20", "")
                for person in taken
            )  # fmt: skip
        else:
            headers = ("番号", "確かめたこと", "結果", "担当", "対応")
            lines = tuple(
                (str(place), point, chance.choice(("良", "良", "良", "改善を要する")), owner_name, "")
                for place, point in enumerate(words.POINTS[code], start=1)
            )
        yield _entry(
            then, record, f"{name}の記録（{then.business_year(held)}）", "record", held, file="xlsx", version=f"{held:%Y-%m}",
            department="内部監査室" if owner == "audit-officer" else "情報セキュリティ室", classification="restricted",
            approved=owner_name, years=5, lead=(f"実施日 {then.written(held)}",), headers=headers, widths=(1, 4, 2, 2, 3), rows=lines,
        )  # fmt: skip


def _others(then: Then) -> Iterator[Document]:
    for number, (title, department, boxes) in enumerate(words.DIAGRAMS, start=1):
        yield _entry(
            then, f"DIA-{number:02}", title, "diagram", then.on(2025, 10, 1), file="pdf", version="第6版", department=department,
            classification="secret", approved="システム管理者", reviewed=_yearly(then, f"DIA-{number:02}"),
            lead=("外部との接続点と、情報が流れる順を示す。機器の番号は機器台帳による。",), boxes=boxes,
        )  # fmt: skip
    for number, (title, sections) in enumerate(words.DISCLOSURES, start=1):
        yield _entry(
            then, f"DIS-{number:02}", title, "disclosure", then.on(2026, 4, 10) if then.known(then.on(2026, 4, 10)) else then.on(2025, 4, 18),
            file="pdf", version=then.business_year(then.on(2026, 4, 10) if then.known(then.on(2026, 4, 10)) else then.on(2025, 4, 18)),
            department="品質管理部", classification="public", approved="情報セキュリティ責任者", sections=sections,
        )  # fmt: skip
    for number, (title, kept, place, years) in enumerate(words.ELSEWHERE, start=1):
        entry = _entry(
            then, f"EXT-{number:02}", title, "other", then.on(2022, 6, 1), file="pdf", version="原本", classification="restricted",
            years=years,
        )  # fmt: skip
        yield Document({**entry.row, "kept_at": kept, "place": place, "file_name": ""})
