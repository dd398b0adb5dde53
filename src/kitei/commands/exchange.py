"""import and export."""

from __future__ import annotations

import argparse
import io
from pathlib import Path

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from kitei.commands import USAGE, who_acts
from kitei.foundation.sheets import spec
from kitei.foundation.sheets.cells import show_cell
from kitei.foundation.sheets.plan import FieldChange, Plan
from kitei.foundation.text import Message, UserError
from kitei.web import exchange

SHOWN_ROWS = 20


def import_(options: argparse.Namespace) -> int:
    """Print what the file would change, row by row; write it with ``--apply``. Exit 2 when the file has errors."""
    organization = who_acts.organization(options)
    actor = who_acts.actor(options, organization)
    found = exchange.plan(actor=actor, organization=organization, path=Path(options.file))
    exchange.record_contacts_shown(actor=actor, organization=organization, plan=found)
    _show(found)
    if not found.ok:
        print(_("誤りがあるため、何も取り込みませんでした。"))
        return USAGE
    counts = found.counts
    if not options.apply:
        if counts["added"] or counts["changed"]:
            print(_("これは確認です。取り込むには --apply を付けてください。"))
        return 0
    if counts["added"] or counts["changed"]:
        exchange.apply(actor=actor, organization=organization, plan=found)
        print(_("取り込みました。"))
    return 0


def _show(found: Plan) -> None:
    english = get_language() == "en"
    filled = [sheet for sheet in found.sheets.values() if sheet.added or sheet.changed or sheet.unchanged]
    if not filled and found.ok:
        print(_("取り込む行がありません。シートに1行ずつ記入してから、もう一度行ってください。"))
    for sheet in filled:  # a template's empty sheets say nothing
        name = sheet.spec.en if english else sheet.spec.ja
        print(
            _("%(sheet)s: 追加 %(added)s、変更 %(changed)s、変更なし %(same)s")
            % {"sheet": name, "added": len(sheet.added), "changed": len(sheet.changed), "same": sheet.unchanged}
        )
        for added in sheet.added[:SHOWN_ROWS]:
            print("  " + _("%(row)s行 追加 %(key)s") % {"row": added.row, "key": _key(sheet.spec, added.key)})
        for changed in sheet.changed[:SHOWN_ROWS]:
            fields = (", " if english else "、").join(
                _field(sheet.spec, change, english=english) for change in changed.fields
            )
            print(
                "  "
                + _("%(row)s行 変更 %(key)s（%(fields)s）")
                % {"row": changed.row, "key": _key(sheet.spec, changed.key), "fields": fields}
            )
        more = max(0, len(sheet.added) - SHOWN_ROWS) + max(0, len(sheet.changed) - SHOWN_ROWS)
        if more:
            print("  " + _("ほか %(count)s行") % {"count": more})
    for issue in found.errors:
        print(_("誤り: %(issue)s") % {"issue": issue.render()})
    if found.error_count > len(found.errors):
        print(_("誤りはほかに %(count)s件あります。") % {"count": found.error_count - len(found.errors)})
    for note in found.notes:
        print(_("お知らせ: %(note)s") % {"note": note.render()})


def export(options: argparse.Namespace) -> int:
    """Write all registers, or the empty explained workbook."""
    if bool(options.file) == bool(options.template):
        raise UserError(Message("書き出すファイルの名前か、--template のどちらかを指定してください。"))
    path = Path(options.file or options.template)
    if path.suffix.lower() != ".xlsx":
        raise UserError(Message("書き出すファイルの名前は .xlsx で終わるようにしてください。"))
    language = "en" if get_language() == "en" else "ja"
    if not path.parent.is_dir():
        raise UserError(
            Message(
                "書き出す先のフォルダー「%(path)s」がありません。名前と場所を確かめてください。",
                {"path": str(path.parent)},
            )
        )
    stream = io.BytesIO()  # a disk that fills up under a half-written zip would say so twice
    if options.template:
        exchange.write_template(stream, language=language)
    else:
        organization = who_acts.organization(options)
        actor = who_acts.actor(options, organization)
        exchange.export(actor=actor, organization=organization, stream=stream, language=language)
    temporary = path.with_name(f".{path.name}.part")
    try:
        temporary.write_bytes(stream.getvalue())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    print(path)
    return 0


def _field(sheet: spec.SheetSpec, change: FieldChange, *, english: bool) -> str:
    column = sheet.column(change.column)
    before, after = (_shown(column, value) for value in (change.before, change.after))
    return f"{column.en if english else column.ja}: {before} → {after}"


def _key(sheet: spec.SheetSpec, key: str) -> str:
    """Return a row's key as the workbook shows it: a role is named, not coded."""
    return str(show_cell(sheet.column(sheet.identity), key, language=get_language() or "ja"))


def _shown(column: spec.Column, value: object) -> str:
    return str(show_cell(column, value, language=get_language() or "ja")) or _("（空）")
