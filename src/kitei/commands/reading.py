"""check, build, who: commands that read."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from kitei.commands import who_acts
from kitei.engine.checks.model import Severity
from kitei.foundation.dates.japanese import format_date
from kitei.foundation.sheets.table import Rendering
from kitei.foundation.text import Message, UserError
from kitei.foundation.text.japanese import fold
from kitei.outcomes.regulation import as_json, coverage, operations, publication, queries
from kitei.outcomes.regulation.coverage import OPERATED_LABELS, SEVERITY_LABELS, STATED_LABELS, Coverage
from kitei.registers.people import standing
from kitei.trust.access import rule
from kitei.trust.access.roles import ROLES
from kitei.trust.auditlog import heads
from kitei.web.access import notices

FORMATS = ("docx", "pdf", "html")


def check(options: argparse.Namespace) -> int:
    """Print the findings; exit 1 only when a must finding is open."""
    organization = who_acts.organization(options)
    actor = who_acts.actor(options, organization)
    rule.require(actor, rule.LIST, rule.Target("finding", organization=organization))
    picture = coverage.at(organization=organization, day=who_acts.day(options))
    shown = notices.seen_by(actor, picture)
    if options.format == "json":
        print(json.dumps(as_json.of(shown), ensure_ascii=False, indent=1))
    else:
        _print_check(shown)
    return (
        1
        if any(judged.finding.severity is Severity.MUST and judged.acceptance is None for judged in picture.findings)
        else 0
    )


def _print_check(picture: Coverage) -> None:
    print(picture.guideline.notice.render())
    print(_("基準日 %(day)s") % {"day": format_date(picture.day, weekday=True)})
    edition = picture.edition
    print(
        _("規程: %(label)s（%(day)s施行）") % {"label": edition.label, "day": format_date(edition.effective_on)}
        if edition
        else _("規程: 施行された版がありません")
    )
    print()
    for row in picture.rows:
        mark = "" if row.counted else "　" + _("要確認")
        where = "・".join(citation.label for citation in row.citations) or "—"
        label = _pad(row.clause.label, 6)
        print(
            f"{label}{_pad(STATED_LABELS[row.stated].render(), 10)}{_pad(OPERATED_LABELS[row.operated].render(), 10)}{_pad(where, 22)}{row.clause.title}{mark}"
        )
    print()
    for judged in picture.findings:
        finding = judged.finding
        clause = judged.clause.label if judged.clause else "—"
        accepted = (
            "　" + _("（受容 %(day)sまで）") % {"day": format_date(judged.acceptance.until)}
            if judged.acceptance
            else ""
        )
        print(
            f"{_pad(SEVERITY_LABELS[finding.severity].render(), 6)}{_pad(clause, 6)}{finding.message.render()}{accepted}"
        )
        print(f"{' ' * 12}→ {finding.next_step.render()}")
    print()
    print(
        _(
            "規定あり %(stated)s / %(all)s項目、運用あり %(operated)s / %(all)s項目、要対応 %(open)s件、原文要確認（数に含めない） %(unverified)s項目"
        )
        % {
            "stated": picture.stated_count,
            "operated": picture.operated_count,
            "all": len(picture.counted),
            "open": len(picture.open_findings),
            "unverified": len(picture.uncounted),
        }
    )


def _pad(text: str, width: int) -> str:
    """Pad to a width in columns, counting full-width characters as two."""
    shown = sum(2 if unicodedata.east_asian_width(char) in "WFA" else 1 for char in text)
    return text + " " * max(1, width - shown)


def build(options: argparse.Namespace) -> None:
    """Write the regulation in the asked formats, and for use inside the company the coverage matrix."""
    organization = who_acts.organization(options)
    actor = who_acts.actor(options, organization)
    kinds = [kind.strip() for kind in options.format.split(",") if kind.strip()]
    for kind in kinds:
        if kind not in FORMATS:
            raise UserError(
                Message("形式「%(kind)s」は書き出せません。docx、pdf、html から選んでください。", {"kind": kind})
            )
    day = who_acts.day(options)
    rendering = Rendering(options.rendering)
    folder = Path(options.out)
    folder.mkdir(parents=True, exist_ok=True)
    published = publication.current(organization=organization, day=day, rendering=rendering)
    with ThreadPoolExecutor(max_workers=2) as pool:
        # Rendering needs no database and typst lets go of the interpreter: the matrix is made meanwhile.
        making = []
        for kind in publication.formats(published, kinds=kinds):
            _record(actor, published, kind)
            making.append(publication.making(published, kind=kind, pool=pool))
        if rendering is not Rendering.DISCLOSURE:  # the matrix names people and gaps: it is no document to give out
            _record(actor, published, "xlsx")
            name = f"{organization.document_number}_対照表_{day:%Y%m%d}.xlsx"
            print(_write(folder / name, _matrix(actor, day)))
        for name, content in making:
            print(_write(folder / name, content.result()))


def _record(actor: rule.Actor, published: publication.Published, kind: str) -> None:
    operations.record_download(
        actor=actor,
        organization=published.organization,
        kind=kind,
        edition=published.edition_id,
        rendering=published.rendering,
    )


def _matrix(actor: rule.Actor, day: dt.date) -> bytes:
    from kitei.outcomes.regulation import matrix  # noqa: PLC0415  openpyxl takes 0.3 s; `check` and `who` do without

    picture = notices.seen_by(actor, coverage.at(organization=actor.organization, day=day))
    return matrix.workbook(picture, head=heads.head_line(actor.organization))


def _write(path: Path, content: bytes) -> Path:
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_bytes(content)
    temporary.replace(path)
    return path


def who(options: argparse.Namespace) -> int:
    """Print who holds a role on a day and whether the requirement is met; 0 also when vacant."""
    organization = who_acts.organization(options)
    actor = who_acts.actor(options, organization)
    rule.require(actor, rule.LIST, rule.Target("appointment", organization=organization))
    role = _role(options.role)
    day = who_acts.day(options)
    answer = standing.standing(
        organization=organization,
        role=role,
        day=day,
        provisions=queries.provisions_in_force(organization=organization, day=day),
    )
    if options.format == "json":
        print(json.dumps(answer.to_json(), ensure_ascii=False, indent=1))
        return 0
    for line in answer.lines():
        print(line)
    return 0


def _role(text: str) -> str:
    """Return the code of the role meant by its code or either name; UserError for an unknown one."""
    wanted = fold(text)
    for role in ROLES.values():
        if wanted in {fold(name) for name in (role.code, role.ja, role.en)}:
            return role.code
    english = get_language() == "en"
    known = (", " if english else "、").join(
        f"{role.code} ({role.en})" if english else f"{role.code}（{role.ja}）" for role in ROLES.values()
    )
    raise UserError(
        Message("役割「%(role)s」はありません。次から選んでください: %(known)s", {"role": text, "known": known})
    )
