"""erase-person."""

from __future__ import annotations

import argparse

from django.utils.translation import gettext as _

import kitei.outcomes.regulation.erasure  # noqa: F401  it makes itself known as a keeper of names
from kitei.commands import who_acts
from kitei.foundation import clock, transactions
from kitei.foundation.text import Message, UserError
from kitei.outcomes.regulation import queries as regulation
from kitei.registers.people import erasure
from kitei.registers.people.erasing import Line
from kitei.trust.auditlog import erasure as auditlog

SHOWN_PLACES = 20


def erase_person(options: argparse.Namespace) -> int:
    """Print what of a person's data goes, stays and why; erase it with ``--apply``. Exit 2 when nothing may be erased."""
    organization = who_acts.organization(options)
    actor = who_acts.actor(options, organization)
    auditlog.complete_list(organization)
    today = clock.today()
    found = erasure.plan(
        actor=actor,
        organization=organization,
        code=options.member,
        today=today,
        provisions=regulation.provisions_in_force(organization=organization, day=today),
    )
    if found.refusals:
        raise UserError(erasure.refusal(found))
    print(_("社員番号 %(code)s %(name)s") % {"code": found.code, "name": found.name})
    _show(_("消すもの"), found.goes, nothing=_("今、消すものはありません。"))
    _show(_("期限まで残すもの"), found.stays)
    _show(_("Kiteiが消さないもの"), found.never)
    print(
        _(
            "控え、書き出したファイル、印刷物、ほかのシステムにある情報は消えません。それぞれの保存期間で廃棄してください。"
        )
    )
    if not found.groups:
        return 0
    if not options.apply:
        print(_("これは確認です。消すには --apply を付けてください。元に戻せません。"))
        return 0
    auditlog.leave_no_remains()
    transactions.durable(lambda: erasure.erase(actor=actor, plan=found))
    # After the commit: the list must never name what was not erased. A crash here is mended by the next complete_list.
    auditlog.complete_list(organization)
    print(_("消しました。"))
    if not auditlog.flush_remains():
        print(
            _("ほかの処理がデータベースを読んでいるため、ファイルの中の古い内容は、次にKiteiを止めたときに消えます。")
        )
    return 0


def _show(title: str, lines: tuple[Line, ...], *, nothing: str = "") -> None:
    if not lines:
        if nothing:
            print(nothing)
        return
    print(title)
    for line in lines:
        text = _("%(what)s: %(count)s件") % {"what": line.what, "count": line.count}
        if line.until is not None:
            text += " " + Message("— %(day)sまで", {"day": line.until}).render()
        if line.why is not None:
            text += " " + _("（理由: %(why)s）") % {"why": line.why}
        print(f"  {text}")
        for place in line.places[:SHOWN_PLACES]:
            print(f"    {place}")
        if len(line.places) > SHOWN_PLACES:
            print("    " + _("ほか %(count)s件") % {"count": len(line.places) - SHOWN_PLACES})
