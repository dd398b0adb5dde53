"""Columns of the equipment room's sheets."""

from __future__ import annotations

from kitei.foundation.sheets.spec import Choice, Column, Kind

TIERS = (
    Choice("A", "A", "A", ("区分A", "重要")),
    Choice("B", "B", "B", ("区分B", "一般")),
)
_OWN = Choice("own", "当社", "Us", ("自社", "弊社"))
_INSTITUTION = Choice("institution", "医療機関等", "Medical institution", ("医療機関", "病院"))
_SUPPLIER = Choice("supplier", "委託先", "Supplier", ("再委託先", "外部委託先"))
_UNDECIDED = Choice("undecided", "未定", "Undecided", ("未決定", "協議中"))
PARTIES = (_OWN, _INSTITUTION, _SUPPLIER)
RESPONSIBLE = (*PARTIES, _UNDECIDED)
OWNERS = (_OWN, _INSTITUTION, Choice("lease", "リース", "Leased", ("リース会社", "レンタル")), _SUPPLIER)
PLACEMENTS = (
    Choice("own", "自社", "Our premises", ("社内", "当社")),
    Choice("data-centre", "データセンター", "Data centre", ("DC",)),
    Choice("institution", "医療機関等", "Medical institution", ("医療機関", "医療機関等に設置", "病院")),
    Choice("supplier", "委託先", "Supplier", ("再委託先",)),
    Choice("cloud", "クラウド", "Cloud"),
    Choice("taken-out", "持出中", "Taken out", ("持出", "持ち出し中")),
)
CONFIRMED_HOW = (
    Choice("qr", "QR", "QR code", ("QRコード",)),
    Choice("sight", "目視", "By sight", ("現物確認",)),
    Choice("remote", "遠隔", "Remotely", ("リモート",)),
    Choice("answer", "医療機関からの回答", "Institution's answer", ("医療機関等からの回答", "回答")),
)
CONFIRMED_RESULTS = (
    Choice("matched", "一致", "Matched", ("確認済", "OK")),
    Choice("moved", "場所相違", "Moved", ("場所違い",)),
    Choice("missing", "所在不明", "Missing", ("不明", "見つからない")),
    Choice("pending", "保留", "Pending", ("確認中",)),
)
STATES = (
    Choice("in-use", "稼働", "In use", ("稼働中", "使用中")),
    Choice("spare", "予備", "Spare", ("予備機",)),
    Choice("repair", "修理", "In repair", ("修理中",)),
    Choice("to-dispose", "廃棄待", "Awaiting disposal", ("廃棄待ち",)),
    Choice("disposed", "廃棄済", "Disposed of", ("廃棄", "廃棄済み")),
)

KINDS = (
    Column(
        "code",
        "区分コード",
        "Kind code",
        Kind.CODE,
        required=True,
        max_length=60,
        example="SV",
        aliases=("機器区分コード",),
    ),
    Column(
        "name",
        "機器区分",
        "Kind",
        required=True,
        max_length=120,
        example="サーバ",
        help_ja="サーバ、端末、ネットワーク機器、医療機関設置ゲートウェイ、保守用PC、クラウド資源など。",
        help_en="Server, terminal, network device, gateway at institutions, maintenance PC, cloud resource and the like.",
        width=26,
        aliases=("区分名",),
    ),
    Column(
        "management",
        "管理方法",
        "How it is managed",
        help_ja="登録、変更、点検、廃棄をどう行うか。区分ごとに必要です。",
        help_en="How devices are registered, changed, inspected and disposed of. Every kind needs one.",
        example="台帳に登録し、半年ごとに現物を確認する。",
        width=50,
    ),
    Column(
        "tier",
        "所在確認の区分",
        "Confirmation tier",
        Kind.CHOICE,
        required=True,
        choices=TIERS,
        default="B",
        help_ja="Aは医療情報を保存する機器など。確認の間隔は規程が定めます。",
        help_en="A: devices that hold medical data and the like. The regulation sets the intervals.",
        example="A",
    ),
    Column("vulnerability_method", "脆弱性への対応方法", "Handling of vulnerabilities", width=50),
    Column("responsible", "標準の管理責任", "Standard responsibility", Kind.CHOICE, choices=PARTIES, example="当社"),
    Column(
        "vulnerability",
        "標準の脆弱性管理の責任",
        "Standard responsibility for vulnerabilities",
        Kind.CHOICE,
        choices=PARTIES,
        example="当社",
        width=22,
    ),
)
EQUIPMENT = (
    Column(
        "code",
        "管理番号",
        "Equipment number",
        Kind.CODE,
        required=True,
        max_length=60,
        example="SV-001",
        aliases=("資産番号", "機器番号"),
    ),
    Column(
        "kind",
        "区分コード",
        "Kind",
        Kind.REF,
        required=True,
        refers="equipment-kind",
        example="SV",
        aliases=("機器区分", "機器区分コード"),
    ),
    Column(
        "name",
        "名称",
        "Name",
        required=True,
        max_length=120,
        example="電子カルテ データベースサーバ",
        width=28,
        aliases=("機器名", "機器名称"),
    ),
    Column("model", "型番", "Model", max_length=120, aliases=("型式", "機種")),
    Column(
        "serial", "シリアル番号", "Serial number", Kind.CODE, max_length=120, aliases=("製造番号", "シリアル", "S/N")
    ),
    Column(
        "placement", "設置先区分", "Placed at", Kind.CHOICE, required=True, choices=PLACEMENTS, example="データセンター"
    ),
    Column(
        "institution",
        "医療機関番号",
        "Institution",
        Kind.REF,
        refers="institution",
        help_ja="設置先区分が医療機関等のときに必要です。",
        help_en="Needed when placed at a medical institution.",
        aliases=("医療機関等コード", "医療機関コード"),
    ),
    Column("supplier", "委託先番号", "Supplier", Kind.REF, refers="supplier", aliases=("委託先コード",)),
    Column("place", "設置場所", "Place", max_length=200, example="東京DC 3F ラック12", width=26),
    Column("service", "サービス番号", "Service", Kind.REF, refers="service", aliases=("サービスコード",)),
    Column("owner", "所有者", "Owner", Kind.CHOICE, choices=OWNERS),
    Column("custodian", "管理者の社員番号", "Custodian", Kind.REF, refers="member", aliases=("管理者", "管理担当者")),
    Column(
        "responsible",
        "管理責任",
        "Responsibility",
        Kind.CHOICE,
        choices=RESPONSIBLE,
        help_ja="機器ごとに決めます。空欄は「未定」とみなし、機器区分の標準は当てはめません。",
        help_en="Decided for every device. Empty counts as undecided; the standard of the kind is not filled in.",
    ),
    Column(
        "vulnerability",
        "脆弱性管理の責任",
        "Responsibility for vulnerabilities",
        Kind.CHOICE,
        choices=RESPONSIBLE,
        width=20,
    ),
    Column("clause", "合意文書の条", "Clause of the agreement", max_length=60, example="第8条"),
    Column("agreement", "合意文書の文書番号", "Agreement", Kind.REF, refers="document", width=20),
    Column("agreed_on", "合意日", "Agreed on", Kind.DATE),
    Column(
        "medical_data",
        "医療情報の有無",
        "Holds medical data",
        Kind.YESNO,
        help_ja="空欄のときは、機器区分の所在確認の区分に従います。",
        help_en="If empty, the confirmation tier of the kind holds.",
    ),
    Column("os", "OS・ファームウェア", "OS or firmware", max_length=120, width=20),
    Column("support_until", "サポート終了日", "Support ends on", Kind.DATE),
    Column("introduced_on", "導入日", "Introduced on", Kind.DATE),
    Column("confirmed_on", "最終所在確認日", "Location confirmed on", Kind.DATE, aliases=("所在確認日", "棚卸日")),
    Column("confirmed_how", "確認方法", "How confirmed", Kind.CHOICE, choices=CONFIRMED_HOW, width=20),
    Column("confirmed_result", "確認結果", "Result", Kind.CHOICE, choices=CONFIRMED_RESULTS),
    Column("state", "状態", "State", Kind.CHOICE, choices=STATES, default="in-use"),
    Column("disposed_on", "廃棄日", "Disposed of on", Kind.DATE),
    Column("erasure_certificate", "消去証明書番号", "Erasure certificate", Kind.CODE, max_length=60),
)
