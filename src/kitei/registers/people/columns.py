"""Columns of the people room's sheets: what is asked, in Japanese and English, and how it is read."""

from __future__ import annotations

from kitei.foundation.sheets.spec import Choice, Column, Kind
from kitei.trust.access.roles import ROLES

ROLE_CHOICES = tuple(Choice(role.code, role.ja, role.en) for role in ROLES.values())
EMPLOYMENT = (
    Choice("officer", "役員", "Officer"),
    Choice("regular", "正社員", "Regular", ("社員", "正規")),
    Choice("fixed-term", "契約社員", "Fixed term", ("契約",)),
    Choice("part-time", "パート", "Part time", ("アルバイト", "パートタイム")),
    Choice("temporary", "派遣", "Temporary", ("派遣社員",)),
    Choice("seconded", "出向", "Seconded"),
)
END_KINDS = (
    Choice("dismissed", "解任", "Dismissed"),
    Choice("resigned", "辞任", "Resigned"),
    Choice("left", "退職", "Left the company"),
    Choice("expired", "任期満了", "Term expired", ("満了",)),
)
QUALIFICATION_KINDS = (
    Choice("riss", "情報処理安全確保支援士", "Registered Information Security Specialist", ("支援士", "登録セキスペ")),
    Choice("hcit", "医療情報技師", "Healthcare information technologist"),
    Choice("hcit-senior", "上級医療情報技師", "Senior healthcare information technologist"),
    Choice("cissp", "CISSP", "CISSP"),
    Choice("cisa", "CISA", "CISA"),
    Choice("cism", "CISM", "CISM"),
    Choice("network-specialist", "ネットワークスペシャリスト", "Network specialist"),
    Choice("applied-it", "応用情報技術者", "Applied IT engineer"),
    Choice("sg", "情報セキュリティマネジメント", "Information security management"),
    Choice("isms-auditor", "ISMS審査員・内部監査員", "ISMS auditor"),
    Choice("other", "その他", "Other"),
)
RECOGNISED_KINDS = frozenset({"riss", "hcit", "hcit-senior", "cissp", "cisa", "cism", "network-specialist"})
"""Kinds that 別表5第1表 of the model text accepts for the administrator."""
WORK_KINDS = (
    Choice(
        "security",
        "情報セキュリティに係る技術的対策",
        "Technical security measures",
        ("情報セキュリティ", "セキュリティ"),
    ),
    Choice("operation", "システム運用", "System operation", ("運用",)),
    Choice("development", "開発", "Development"),
    Choice("medical", "医療情報システムの導入・保守", "Medical information systems", ("医療情報システム",)),
    Choice("other", "その他", "Other"),
)
ACTIVITY_KINDS = (
    Choice("committee", "委員会", "Committee", ("情報セキュリティ委員会",)),
    Choice("training", "教育", "Training", ("研修",)),
    Choice("drill", "訓練", "Drill"),
    Choice("log-review", "操作記録の点検", "Review of access records", ("ログ点検", "ログの点検")),
    Choice("emergency-copy", "非常時用の控えの更新", "Update of the emergency copy", ("控えの更新",)),
    Choice("audit", "内部監査", "Internal audit"),
    Choice("other", "その他", "Other"),
)

COMPANY = (
    Column(
        "code",
        "会社コード",
        "Company code",
        Kind.CODE,
        required=True,
        help_ja="kitei init で決まった英数字です（--code を指定しなければ main）。変えられません。",
        help_en="Fixed at kitei init: main, unless --code said otherwise.",
        example="main",
    ),
    Column(
        "name", "会社名", "Company name", required=True, max_length=200, example="さくら医療クラウド株式会社", width=30
    ),
    Column(
        "corporate_number",
        "法人番号",
        "Corporate number",
        Kind.CODE,
        max_length=13,
        help_ja="13桁。",
        help_en="13 digits.",
        example="1234567890123",
    ),
    Column("address", "所在地", "Address", max_length=300, width=40),
    Column(
        "regulation_title",
        "規程の名称",
        "Title of the regulation",
        max_length=200,
        default="医療情報システム等 運用管理規程",
        width=30,
    ),
    Column("document_number", "規程の文書番号", "Document number", max_length=60, default="KT-001"),
    Column("era_dates", "和暦で印刷", "Print era dates", Kind.YESNO, default=True),
)
DEPARTMENTS = (
    Column("code", "部署コード", "Department code", Kind.CODE, required=True, example="D01"),
    Column("name", "部署名", "Name", required=True, max_length=120, example="技術部"),
    Column("parent", "上位部署コード", "Parent department", Kind.REF, refers="department"),
)
MEMBERS = (
    Column(
        "code",
        "社員番号",
        "Member code",
        Kind.CODE,
        required=True,
        example="0001",
        aliases=("社員コード", "従業員番号", "職員番号"),
    ),
    Column("family_name", "姓", "Family name", required=True, max_length=60, example="高橋", aliases=("氏",)),
    Column("given_name", "名", "Given name", required=True, max_length=60, example="誠"),
    Column(
        "family_kana",
        "セイ",
        "Family name (kana)",
        max_length=80,
        example="タカハシ",
        aliases=("姓カナ", "フリガナ（姓）"),
    ),
    Column(
        "given_kana", "メイ", "Given name (kana)", max_length=80, example="マコト", aliases=("名カナ", "フリガナ（名）")
    ),
    Column("department", "部署コード", "Department", Kind.REF, refers="department", example="D01"),
    Column("title", "役職", "Title", max_length=80, example="部長"),
    Column("employment", "雇用区分", "Employment", Kind.CHOICE, choices=EMPLOYMENT),
    Column("email", "メールアドレス", "Mail", max_length=254, width=28),
    Column("joined_on", "入社日", "Joined on", Kind.DATE, example="2016-04-01"),
    Column("left_on", "退職日", "Left on", Kind.DATE, help_ja="最後の在籍日。", help_en="Last day with the company."),
)
OFFICES = (
    Column("code", "役割コード", "Role code", Kind.CHOICE, required=True, choices=ROLE_CHOICES, width=24),
    Column("title", "社内での呼び方", "Own title", required=True, max_length=80, example="管理責任者", width=24),
    Column("duties", "職務", "Duties", width=60),
)
APPOINTMENTS = (
    Column("code", "任命番号", "Appointment number", Kind.CODE, required=True, example="A2026-001"),
    Column("role", "役割", "Role", Kind.CHOICE, required=True, choices=ROLE_CHOICES, width=24),
    Column("member", "社員番号", "Member", Kind.REF, required=True, refers="member"),
    Column(
        "deputy_order",
        "代行順",
        "Deputy order",
        Kind.INTEGER,
        minimum=0,
        maximum=9,
        default=0,
        help_ja="本人は0、代行者は1から。",
        help_en="0 for the holder, 1 and up for deputies.",
    ),
    Column("valid_from", "発令日", "Effective from", Kind.DATE, required=True, example="2026-04-01"),
    Column("term_until", "任期満了日", "Term ends on", Kind.DATE),
    Column(
        "last_day",
        "終了日",
        "Last day",
        Kind.DATE,
        help_ja="解任・辞任・退職・任期満了の最後の日。",
        help_en="The last day in office.",
    ),
    Column("end_kind", "終了の区分", "How it ended", Kind.CHOICE, choices=END_KINDS),
    Column("appointed_by", "任命者", "Appointed by", max_length=120),
    Column("article", "根拠条", "Article", max_length=60, example="第16条"),
    Column("concurrent_reason", "兼務の理由", "Reason for concurrent offices", width=30),
    Column("evidence", "任命書の文書番号", "Document", Kind.REF, refers="document"),
)
QUALIFICATIONS = (
    Column("code", "資格管理番号", "Qualification number", Kind.CODE, required=True, example="Q-001"),
    Column("member", "社員番号", "Member", Kind.REF, required=True, refers="member"),
    Column("kind", "資格", "Kind", Kind.CHOICE, required=True, choices=QUALIFICATION_KINDS, width=26),
    Column("name", "資格名（その他のとき）", "Name (if other)", max_length=120),
    Column("number", "登録番号", "Registration number", Kind.CODE, max_length=60, example="012345"),
    Column("acquired_on", "取得日", "Acquired on", Kind.DATE),
    Column(
        "expires_on",
        "有効期限",
        "Expires on",
        Kind.DATE,
        help_ja="この日まで有効。期限のない資格は空けます。",
        help_en="Valid until this day; empty if it does not expire.",
    ),
    Column("renew_by", "更新申請期限", "Renew by", Kind.DATE),
    Column("evidence", "証跡の文書番号", "Evidence", Kind.REF, refers="document"),
)
EXPERIENCES = (
    Column("code", "経験番号", "Experience number", Kind.CODE, required=True, example="E-001"),
    Column("member", "社員番号", "Member", Kind.REF, required=True, refers="member"),
    Column(
        "work",
        "業務の種類",
        "Kind of work",
        Kind.CHOICE,
        required=True,
        choices=WORK_KINDS,
        width=30,
        help_ja="システム管理者の要件に数えるのは「情報セキュリティに係る技術的対策」です。",
        help_en="What counts for a system administrator is technical measures for information security.",
    ),
    Column("place", "従事先", "Place", max_length=120),
    Column("started_on", "開始日", "Started on", Kind.DATE, required=True),
    Column("ended_on", "終了日", "Ended on", Kind.DATE),
    Column("evidence", "証跡の文書番号", "Evidence", Kind.REF, refers="document"),
)
CONTACTS = (
    Column("code", "連絡先番号", "Contact number", Kind.CODE, required=True, example="K-01"),
    Column("order", "連絡順", "Order", Kind.INTEGER, required=True, minimum=1, maximum=99, example="1"),
    Column("member", "社員番号", "Member", Kind.REF, required=True, refers="member"),
    Column("duty", "緊急時の役目", "Duty", max_length=120, example="指揮"),
    Column("phone", "電話番号", "Telephone", Kind.CODE, max_length=40, example="090-0000-0000"),
    Column("confirmed_on", "本人確認日", "Confirmed on", Kind.DATE),
)
ACTIVITIES = (
    Column("code", "活動番号", "Activity number", Kind.CODE, required=True, example="T-01"),
    Column("kind", "種類", "Kind", Kind.CHOICE, required=True, choices=ACTIVITY_KINDS, width=22),
    Column("name", "名称", "Name", required=True, max_length=120, example="情報セキュリティ委員会", width=28),
    Column("owner_role", "担当する役割", "Owner role", Kind.CHOICE, choices=ROLE_CHOICES, width=22),
    Column("last_held_on", "最終実施日", "Last held on", Kind.DATE),
    Column("evidence", "証跡の文書番号", "Evidence", Kind.REF, refers="document"),
)
