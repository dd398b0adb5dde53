"""Columns of the institutions room's sheets: what is asked, in Japanese and English, and how it is read."""

from __future__ import annotations

from kitei.foundation.sheets.spec import Choice, Column, Kind

FORMS = (
    Choice("saas", "SaaS", "SaaS", ("クラウド", "クラウドサービス")),
    Choice("maintenance", "オンプレミス保守", "On-premises maintenance", ("保守",)),
    Choice("device", "機器設置", "Devices placed on site", ("設置型",)),
    Choice("processing", "受託処理", "Processing on commission", ("受託",)),
    Choice("other", "その他", "Other"),
)
POSITIONS = (
    Choice("entrusted", "委託を受けた者", "Entrusted party", ("受託者", "委託先")),
    Choice("own", "自ら取り扱う者", "Handles it for itself", ("自ら取扱い",)),
)
RESPONSIBILITIES = (
    Choice("company", "当社", "The company", ("自社",)),
    Choice("institution", "医療機関", "The institution", ("医療機関等",)),
    Choice("shared", "分担", "Shared", ("双方",)),
)
DECEASED = (
    Choice("included", "含む", "Included", ("はい", "有")),
    Choice("excluded", "含まない", "Not included", ("いいえ", "無")),
)
DECEASED_MEASURES = (
    Choice("same", "同じ", "The same", ("同一", "同等")),
    Choice("different", "異なる", "Different", ("別",)),
)
INSTITUTION_KINDS = (
    Choice("hospital", "病院", "Hospital"),
    Choice("clinic", "診療所", "Clinic", ("クリニック", "医院")),
    Choice("dental", "歯科", "Dental clinic", ("歯科診療所",)),
    Choice("pharmacy", "薬局", "Pharmacy"),
    Choice("home-nursing", "訪問看護", "Home nursing", ("訪問看護ステーション",)),
    Choice("other", "その他", "Other"),
)
JAPAN = frozenset({"日本", "日本国", "日本国内", "国内", "Japan", "JAPAN", "japan", "JP", "JPN"})
"""What counts as 保存国 inside the reach of Japanese law."""

SERVICES = (
    Column("code", "サービス番号", "Service number", Kind.CODE, required=True, max_length=60, example="S-01"),
    Column("name", "サービス名", "Name", required=True, max_length=120, example="さくら電子カルテ", width=28),
    Column("form", "提供形態", "Form", Kind.CHOICE, required=True, choices=FORMS),
    Column(
        "position",
        "当社の立場",
        "The company's position",
        Kind.CHOICE,
        required=True,
        choices=POSITIONS,
        default="entrusted",
    ),
    Column("storage_country", "保存国", "Country of storage", max_length=60, default="日本", example="日本"),
    Column(
        "storage_place",
        "保存場所",
        "Place of storage",
        max_length=200,
        example="国内データセンター（東日本）",
        width=28,
        help_ja="リージョンや都道府県まで。開示版にも載ります。",
        help_en="Region or prefecture; shown in the disclosure too.",
    ),
    Column(
        "update_responsibility",
        "セキュリティ更新責任",
        "Responsible for security updates",
        Kind.CHOICE,
        choices=RESPONSIBILITIES,
        width=20,
    ),
    Column("update_clause", "更新責任の契約条", "Clause on updates", max_length=120, example="契約書第12条"),
    Column("started_on", "提供開始日", "Provided from", Kind.DATE),
    Column("ended_on", "提供終了日", "Provided until", Kind.DATE, help_ja="最後の提供日。", help_en="The last day."),
)
DATA_CLASSES = (
    Column("code", "データ区分番号", "Data class number", Kind.CODE, required=True, max_length=60, example="DC-01"),
    Column("service", "サービス番号", "Service", Kind.REF, required=True, refers="service", example="S-01"),
    Column(
        "name",
        "情報の種類",
        "Information",
        required=True,
        max_length=120,
        example="診療録",
        width=28,
        aliases=("データ区分",),
    ),
    Column("patient_data", "患者の情報", "Patient data", Kind.YESNO, default=True),
    Column(
        "includes_deceased", "死者の情報", "Data of the deceased", Kind.CHOICE, choices=DECEASED, default="included"
    ),
    Column("excluded_reason", "死者の情報を含まない理由", "Why the deceased are not included", width=30),
    Column("measures", "安全管理措置", "Security measures", width=40, example="アクセス制御、暗号化、バックアップ"),
    Column(
        "deceased_measures",
        "死者の情報の措置",
        "Measures for the deceased",
        Kind.CHOICE,
        choices=DECEASED_MEASURES,
        default="same",
    ),
)
INSTITUTIONS = (
    Column(
        "code",
        "医療機関番号",
        "Institution number",
        Kind.CODE,
        required=True,
        max_length=60,
        example="M-001",
        aliases=("顧客番号",),
    ),
    Column(
        "name",
        "名称",
        "Name",
        required=True,
        max_length=200,
        example="みなと総合病院",
        width=28,
        aliases=("医療機関名",),
    ),
    Column("kana", "フリガナ", "Name (kana)", max_length=200, example="ミナトソウゴウビョウイン", width=24),
    Column(
        "institution_code",
        "医療機関コード",
        "Medical institution code",
        Kind.CODE,
        max_length=10,
        help_ja="10桁。先頭の0も書きます。",
        help_en="10 digits with leading zeros.",
    ),
    Column("kind", "種別", "Kind", Kind.CHOICE, required=True, choices=INSTITUTION_KINDS),
    Column("address", "所在地", "Address", max_length=300, width=36),
    Column("contact_department", "担当部署", "Contact department", max_length=120, example="医療情報部"),
    Column("contact_name", "担当者", "Contact", max_length=120),
    Column("services", "利用サービス番号", "Services used", Kind.REFS, refers="service", example="S-01、S-02"),
    Column("contract", "契約書の文書番号", "Contract", Kind.REF, refers="document"),
    Column("contract_from", "契約開始日", "Contract from", Kind.DATE),
    Column(
        "contract_until",
        "契約終了日",
        "Contract until",
        Kind.DATE,
        help_ja="最後の日。自動更新で終わりのないものは空けます。",
        help_en="The last day; empty if it renews itself.",
    ),
    Column("edition_shown", "提示した規程の版", "Edition shown", max_length=60, example="第3版"),
    Column("shown_on", "提示日", "Shown on", Kind.DATE),
    Column("agreed_on", "合意日", "Agreed on", Kind.DATE),
)
