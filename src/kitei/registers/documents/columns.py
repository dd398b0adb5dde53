"""Columns of sheet 「文書」: what is asked, in Japanese and English, and how it is read."""

from __future__ import annotations

from kitei.foundation.sheets.spec import Choice, Column, Kind
from kitei.trust.access.models import Classification

DOCUMENT_KINDS = (
    Choice("policy", "基本方針", "Policy", ("方針", "ポリシー")),
    Choice("regulation", "規程", "Regulation", ("規則",)),
    Choice("procedure", "手順書", "Procedure", ("手順",)),
    Choice("manual", "マニュアル", "Manual", ("取扱説明書",)),
    Choice("contract", "契約書", "Contract", ("契約",)),
    Choice("memo", "覚書", "Memorandum", ("合意書",)),
    Choice("form", "様式", "Form"),
    Choice("record", "記録", "Record"),
    Choice("evidence", "証跡", "Evidence"),
    Choice("diagram", "図面", "Diagram", ("構成図",)),
    Choice("disclosure", "開示文書", "Disclosure document", ("開示書",)),
    Choice("other", "その他", "Other"),
)
CLASSIFICATIONS = (
    Choice("public", "公開", "Public"),
    Choice("internal", "社外秘", "Internal", ("社内限",)),
    Choice("restricted", "関係者限", "Restricted", ("関係者外秘",)),
    Choice("secret", "極秘", "Secret"),
)
KEPT_AT = (
    Choice("kitei", "Kitei", "Kitei", ("キテイ",)),
    Choice("external", "外部", "Elsewhere", ("外部システム", "社外")),
    Choice("paper", "紙", "Paper"),
)
LEVELS = {
    "public": Classification.PUBLIC,
    "internal": Classification.INTERNAL,
    "restricted": Classification.RESTRICTED,
    "secret": Classification.SECRET,
}
"""閲覧区分 of the sheet -> level the access rule compares."""
LEVEL_NAMES = {int(level): name for name, level in LEVELS.items()}

DOCUMENTS = (
    Column("code", "文書番号", "Document number", Kind.CODE, required=True, max_length=60, example="P-001"),
    Column(
        "title",
        "名称",
        "Title",
        required=True,
        max_length=200,
        example="情報セキュリティ基本方針",
        width=36,
        aliases=("文書名", "表題"),
    ),
    Column("kind", "種類", "Kind", Kind.CHOICE, required=True, choices=DOCUMENT_KINDS, aliases=("文書種別",)),
    Column(
        "version",
        "版",
        "Version",
        max_length=40,
        example="第2版",
        help_ja="同じ名前のファイルを差し替えるときは、版も変えてください。",
        help_en="Change it too when you replace a file under the same name.",
    ),
    Column(
        "in_force_from",
        "施行日",
        "In force from",
        Kind.DATE,
        example="2026-04-01",
        help_ja="契約書は発効日。",
        help_en="For a contract, its effective date.",
    ),
    Column("approved_by", "承認者", "Approved by", max_length=120, example="代表取締役"),
    Column("department", "主管部署", "Owning department", max_length=120, example="管理部"),
    Column(
        "folder",
        "フォルダー",
        "Folder",
        max_length=400,
        example="契約／医療機関",
        help_ja="閲覧の許可は、フォルダーに付きます。「／」で区切ると下の階層になり、ないフォルダーは作られます。空けると「全体」。",
        help_en="Rights attach to folders. Separate levels by “/”; missing folders are made. Empty: the root.",
    ),
    Column("classification", "閲覧区分", "Classification", Kind.CHOICE, choices=CLASSIFICATIONS, default="internal"),
    Column(
        "kept_at",
        "保管先",
        "Kept at",
        Kind.CHOICE,
        required=True,
        choices=KEPT_AT,
        default="kitei",
        help_ja="ファイルをKiteiに入れるときは「Kitei」。",
        help_en="“Kitei” if the file is stored here.",
    ),
    Column("place", "保管場所・原本の所在", "Place of the original", max_length=300, example="本社3階 書庫A", width=28),
    Column(
        "file_name",
        "ファイル名",
        "File name",
        Kind.FILE,
        max_length=255,
        example="P-001_基本方針.pdf",
        width=28,
        help_ja="取り込むzipに同じ名前で入れます。",
        help_en="Put it into the imported zip under the same name.",
    ),
    Column("retention_years", "保存年数", "Retention (years)", Kind.INTEGER, minimum=0, maximum=999, example="10"),
    Column("reviewed_on", "最終見直し日", "Last reviewed on", Kind.DATE),
    Column(
        "withdrawn_on",
        "廃止日",
        "Withdrawn on",
        Kind.DATE,
        help_ja="この日から効力がなくなります。続いているものは空けます。",
        help_en="No longer in force from this day; empty while it holds.",
    ),
)
