"""Columns of the suppliers room's sheets: what is asked, in Japanese and English, and how it is read."""

from __future__ import annotations

from kitei.foundation.sheets.spec import Choice, Column, Kind

CATEGORIES = (
    Choice("medical", "再委託（医療情報）", "Sub-contractor (medical data)", ("医療情報",)),
    Choice("maintenance", "再委託（保守等）", "Sub-contractor (maintenance etc.)", ("保守等", "保守")),
    Choice("cloud", "クラウド利用", "Cloud service", ("クラウド",)),
    Choice("other", "その他", "Other"),
)
ANSWERABLE = ("medical", "maintenance", "cloud")
"""Categories whose organisation has to be known (row イ-7)."""
ONWARD = (
    Choice("none", "なし", "None", ("無", "無し")),
    Choice("some", "あり", "Some", ("有", "有り")),
    Choice("unknown", "未確認", "Not confirmed", ("不明",)),
)
CONFIRMED_HOW = (
    Choice("link", "リンク", "Link", ("確認リンク",)),
    Choice("phone", "電話", "Telephone"),
    Choice("letter", "書面", "In writing", ("文書", "メール")),
    Choice("published", "公開資料", "Published material", ("ウェブサイト", "公表資料")),
    Choice("visit", "訪問", "Visit", ("実地",)),
)

SUPPLIERS = (
    Column(
        "code",
        "委託先番号",
        "Supplier number",
        Kind.CODE,
        required=True,
        max_length=60,
        example="V-01",
        aliases=("取引先番号",),
    ),
    Column(
        "name",
        "名称",
        "Name",
        required=True,
        max_length=200,
        example="北斗データ株式会社",
        width=28,
        aliases=("委託先名",),
    ),
    Column("kana", "フリガナ", "Name (kana)", max_length=200, example="ホクトデータ", width=24),
    Column("category", "区分", "Category", Kind.CHOICE, required=True, choices=CATEGORIES, width=20),
    Column("work", "業務", "Work", max_length=200, example="データセンターの運用", width=28, aliases=("委託業務",)),
    Column("services", "対象サービス番号", "Services", Kind.REFS, refers="service", example="S-01"),
    Column("data", "取り扱う情報", "Data handled", max_length=300, example="診療録、画像", width=28),
    Column("country", "所在国", "Country", max_length=60, default="日本", example="日本"),
    Column("contract", "契約書の文書番号", "Contract", Kind.REF, refers="document"),
    Column("contract_from", "契約開始日", "Contract from", Kind.DATE),
    Column(
        "contract_until",
        "契約期限",
        "Contract until",
        Kind.DATE,
        help_ja="最後の日。自動更新で終わりのないものは空けます。",
        help_en="The last day; empty if it renews itself.",
    ),
    Column("certification", "認証", "Certification", max_length=200, example="ISMS（ISO/IEC 27001）", width=24),
    Column("certification_until", "認証の有効期限", "Certified until", Kind.DATE),
    Column("evaluated_on", "評価日", "Evaluated on", Kind.DATE),
    Column("onward", "再々委託", "Onward sub-contracting", Kind.CHOICE, choices=ONWARD, default="unknown"),
    Column(
        "parent",
        "委託元の委託先番号",
        "Works for supplier",
        Kind.REF,
        refers="supplier",
        help_ja="再々委託先のとき、その委託元。",
        help_en="For an onward sub-contractor: the supplier it works for.",
    ),
    Column(
        "ended_on",
        "取引終了日",
        "Ended on",
        Kind.DATE,
        help_ja="取引の最後の日。",
        help_en="The last day of dealing with the supplier.",
    ),
)
SUPPLIER_ORGANISATIONS = (
    Column("code", "体制番号", "Record number", Kind.CODE, required=True, max_length=60, example="VO-01"),
    Column("supplier", "委託先番号", "Supplier", Kind.REF, required=True, refers="supplier", example="V-01"),
    Column(
        "officer_title",
        "責任者の役職",
        "Officer's title",
        max_length=120,
        example="情報管理責任者",
        help_ja="開示版には役職だけが載ります。",
        help_en="The disclosure shows the title only.",
    ),
    Column(
        "officer",
        "責任者の氏名",
        "Officer",
        max_length=120,
        example="佐々木 純",
        aliases=("責任者", "責任者の役職・氏名"),
    ),
    Column("contact", "連絡先", "Contact", max_length=200, width=24),
    Column("emergency_contact", "緊急連絡先", "Emergency contact", max_length=200, width=24),
    Column("confirmed_on", "確認日", "Confirmed on", Kind.DATE),
    Column("confirmed_how", "確認方法", "How confirmed", Kind.CHOICE, choices=CONFIRMED_HOW),
    Column("confirmed_by", "確認者", "Confirmed by", max_length=120),
)
