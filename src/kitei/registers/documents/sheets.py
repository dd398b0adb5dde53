"""The documents room's sheet."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kitei.foundation.sheets.spec import Problem, SheetSpec, register
from kitei.foundation.text import Message
from kitei.registers.documents.columns import DOCUMENTS
from kitei.registers.documents.operations import documents


def check(values: dict[str, Any]) -> Iterable[Problem]:
    """Rules inside one row: a document is somewhere, and does not end before it begins."""
    if values.get("kept_at") == "kitei" and not values.get("file_name"):
        yield Problem(
            "file_name",
            Message(
                "保管先が「Kitei」の文書にはファイルが要ります。ファイル名を書くか、保管先を「外部」か「紙」にしてください。"
            ),
        )
    if values.get("kept_at") in {"external", "paper"} and not values.get("place"):
        yield Problem("place", Message("Kiteiの外に保管する文書には、保管場所・原本の所在を書いてください。"))
    start, end = values.get("in_force_from"), values.get("withdrawn_on")
    if start and end and end < start:
        yield Problem("withdrawn_on", Message("廃止日が施行日より前です。どちらかの日付を直してください。"))


register(
    SheetSpec(
        key="document",
        ja="文書",
        en="Documents",
        identity="code",
        columns=DOCUMENTS,
        existing=documents.existing,
        apply=documents.apply,
        order=20,
        check=check,
        intro_ja="方針、規程、手順書、契約書、証跡などを1行に1つ書きます。ファイルは、この表と一緒にzipに入れると取り込みます。",
        intro_en="One document a row. Files come along in the same zip.",
    )
)
