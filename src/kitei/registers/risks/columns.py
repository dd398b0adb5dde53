"""Columns of the risks room's sheets."""

from __future__ import annotations

from kitei.foundation.sheets.spec import Choice, Column, Kind
from kitei.registers.people.columns import ROLE_CHOICES

THREATS = (
    Choice("misuse", "権限外の閲覧・操作", "Unauthorised viewing or operation", ("不正な閲覧・操作",)),
    Choice("interception", "盗聴・なりすまし", "Interception or impersonation"),
    Choice("advanced-attack", "高度なサイバー攻撃", "Advanced cyber attack", ("高度サイバー攻撃", "標的型攻撃")),
    Choice("ransomware", "ランサムウェア", "Ransomware", ("ランサムウェア感染",)),
    Choice("leak", "情報の窃取・漏えい", "Theft or leak of information", ("窃取・漏洩", "情報漏えい")),
    Choice("tampering", "改ざん・破壊", "Tampering or destruction", ("改竄・破壊",)),
    Choice("outage", "システムの停止", "Outage", ("システム等の停止",)),
    Choice("flaw", "脆弱性の混入", "Introduced vulnerability", ("技術的脆弱性の混入",)),
    Choice(
        "loss",
        "持ち出した機器・媒体の紛失・盗難",
        "Loss or theft of devices or media taken out",
        ("持出し機器・媒体の紛失・盗難", "紛失・盗難"),
    ),
    Choice("intrusion", "施設への侵入", "Intrusion into premises", ("施設への物理的侵入",)),
    Choice("disaster", "災害", "Disaster", ("災害等",)),
    Choice("other", "その他", "Other"),
)
LEVELS = tuple(Choice(level, level, level) for level in "SABCD")
RESPONSES = (
    Choice("reduce", "低減", "Reduce"),
    Choice("avoid", "回避", "Avoid"),
    Choice("share", "共有", "Share", ("移転",)),
    Choice("retain", "保有", "Retain", ("受容",)),
)
ADOPTED = (
    Choice("adopted", "採用", "Adopted"),
    Choice("rejected", "不採用", "Not adopted"),
    Choice("considered", "検討中", "Under consideration"),
)
NEEDED = (
    Choice("needed", "要", "Needed", ("必要",)),
    Choice("not-needed", "不要", "Not needed"),
    Choice("undecided", "未定", "Undecided", ("未決定",)),
)
MEASURE_KINDS = (
    Choice("technical", "技術", "Technical", ("技術的",)),
    Choice("operational", "運用", "Operational", ("運用的",)),
    Choice("organisational", "組織", "Organisational", ("組織的",)),
    Choice("physical", "物理", "Physical", ("物理的",)),
)
CYCLES = (
    Choice("daily", "毎日", "Daily", ("日次",)),
    Choice("weekly", "週1回", "Weekly", ("毎週", "週次")),
    Choice("monthly", "月1回", "Monthly", ("毎月", "月次")),
    Choice("quarterly", "四半期1回", "Quarterly", ("四半期", "3か月に1回")),
    Choice("half-yearly", "半年1回", "Half-yearly", ("半年", "6か月に1回")),
    Choice("yearly", "年1回", "Yearly", ("毎年", "年次")),
    Choice("as-needed", "随時", "As needed", ("都度",)),
)

PROCEDURES = (
    Column("code", "手順番号", "Procedure number", Kind.CODE, required=True, max_length=60, example="P-01"),
    Column(
        "name", "手順名", "Name", required=True, max_length=120, example="バックアップ取得及び復元試験手順", width=32
    ),
    Column("document", "手順書の文書番号", "Document", Kind.REF, refers="document", width=18),
    Column("version", "版", "Version", max_length=40, example="第2版"),
    Column("owner_role", "担当する役割", "Owner role", Kind.CHOICE, choices=ROLE_CHOICES, width=22),
    Column("cycle", "周期", "Cycle", Kind.CHOICE, choices=CYCLES, example="月1回"),
    Column("last_done_on", "最終実施日", "Last done on", Kind.DATE),
    Column("evidence", "証跡の文書番号", "Evidence", Kind.REF, refers="document", width=18),
    Column("steps", "手順の要約", "Summary of the steps", width=50),
)
RISKS = (
    Column("code", "リスク番号", "Risk number", Kind.CODE, required=True, max_length=60, example="R-01"),
    Column(
        "title",
        "リスク",
        "Risk",
        required=True,
        max_length=200,
        example="退職者のアカウントによる閲覧",
        width=36,
        aliases=("リスク名", "リスクの内容"),
    ),
    Column("service", "サービス番号", "Service", Kind.REF, refers="service", aliases=("サービスコード",)),
    Column(
        "flow", "情報流", "Information flow", max_length=200, example="医療機関端末からデータセンターへの送信", width=30
    ),
    Column("threat", "脅威", "Threat", Kind.CHOICE, choices=THREATS, width=24),
    Column(
        "impact",
        "影響度",
        "Impact",
        Kind.INTEGER,
        minimum=1,
        maximum=5,
        help_ja="1（小さい）から5（極めて大きい）。",
        help_en="1 (small) to 5 (extreme).",
        example="4",
    ),
    Column(
        "likelihood",
        "顕在化率",
        "Likelihood",
        Kind.INTEGER,
        minimum=1,
        maximum=5,
        help_ja="1（まれ）から5（極めて高い）。",
        help_en="1 (rare) to 5 (extreme).",
        example="3",
    ),
    Column("level", "リスクレベル", "Risk level", Kind.CHOICE, choices=LEVELS, example="A"),
    Column("response", "リスク対応", "Response", Kind.CHOICE, choices=RESPONSES),
    Column("residual", "残存リスク", "Residual risk", width=30),
    Column(
        "accepted_by",
        "残存リスクを受け入れた者",
        "Accepted by",
        max_length=120,
        help_ja="役職名で書きます。",
        help_en="By title.",
        width=22,
    ),
    Column("assessed_on", "評価日", "Assessed on", Kind.DATE, aliases=("アセスメント実施日",)),
)
MEASURES = (
    Column("code", "対策番号", "Measure number", Kind.CODE, required=True, max_length=60, example="M-01"),
    Column(
        "name",
        "対策",
        "Measure",
        required=True,
        max_length=200,
        example="アカウントの棚卸",
        width=36,
        aliases=("対策名", "リスク対応策"),
    ),
    Column("kind", "対策の種類", "Kind", Kind.CHOICE, choices=MEASURE_KINDS),
    Column(
        "risks",
        "リスク番号",
        "Risks",
        Kind.REFS,
        refers="risk",
        help_ja="いくつかあるときは「、」で区切ります。",
        help_en="Separate several with commas.",
        example="R-01、R-04",
        aliases=("対応するリスク",),
    ),
    Column(
        "adopted", "採否", "Adopted", Kind.CHOICE, required=True, choices=ADOPTED, default="considered", example="採用"
    ),
    Column(
        "operation_needed",
        "運用要否",
        "Needs operating",
        Kind.CHOICE,
        choices=NEEDED,
        help_ja="採用した対策は、運用が要るかどうかを決めてください。",
        help_en="Decide it for every adopted measure.",
        example="要",
    ),
    Column("reason", "不要の理由", "Reason if not needed", width=30),
    Column(
        "procedures",
        "運用手順の手順番号",
        "Procedures",
        Kind.REFS,
        refers="procedure",
        example="P-01",
        width=20,
        aliases=("運用手順",),
    ),
    Column(
        "article",
        "条",
        "Article",
        max_length=60,
        help_ja="この対策を定める規程の条。",
        help_en="The article that states the measure.",
        example="第45条",
    ),
)
