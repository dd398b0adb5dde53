"""Kinds of equipment and four hundred devices, 150 of them at institutions. Makers and models are invented."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from kitei.demo import partners
from kitei.demo.moment import Book, Row, Then, listed

COUNT, PLACED = 400, 150


class KindOf(NamedTuple):
    """One kind: how many (``number``) stand where, who looks after them and how."""

    code: str
    name: str
    tier: str
    number: int
    placement: str
    service: str | None
    custodians: tuple[str, ...]
    names: tuple[str, ...]
    models: tuple[str, ...]
    systems: tuple[str, ...]
    places: tuple[str, ...]
    management: str
    vulnerability: str


KINDS = (
    KindOf("SV", "サーバ", "A", 36, "data-centre", partners.CHART, ("0003", "0007"), ("電子カルテ アプリケーションサーバ", "電子カルテ データベースサーバ", "認証サーバ", "監視サーバ", "画像保管サーバ", "バックアップサーバ"), ("TR-5200", "TR-5400", "TR-7100"), ("Linux 9系", "Linux 8系"), ("ひかり野DC 3F ラック11", "ひかり野DC 3F ラック12", "ひかり野DC 3F ラック14"), "導入、変更及び撤去の都度台帳に登録し、半年ごとに現物を確認する。監視は常時行う。", "情報を週1回収集し、14日以内に対応を決め、緊急のものは72時間以内に適用する。"),
    KindOf("ST", "ストレージ", "A", 10, "data-centre", partners.CHART, ("0003",), ("電子カルテ 主ストレージ", "画像保管 ストレージ", "バックアップ ストレージ"), ("AQ-900", "AQ-910"), ("AQ-OS 6.2",), ("ひかり野DC 3F ラック13", "ひかり野DC 3F ラック15"), "導入時に登録し、半年ごとに現物を確認する。交換した記憶装置は返却せずに消去する。", "提供元の通知を受け、14日以内に対応を決める。"),
    KindOf("NW", "ネットワーク機器", "B", 40, "data-centre", None, ("0007",), ("境界ファイアウォール", "集約スイッチ", "保守用VPN装置", "無線アクセスポイント"), ("NX-48", "NX-24", "FW-300"), ("NX-OS 12", "FW-OS 7.4"), ("ひかり野DC 3F ラック10", "本社 4F 通信室", "大阪事業所 通信室"), "構成図と合わせて登録し、年1回現物と設定を確認する。", "提供元の情報を週1回確認し、境界の機器は7日以内に適用する。"),
    KindOf("CL", "クラウド資源", "A", 40, "cloud", partners.ONLINE, ("0010", "0003"), ("オンライン診療 実行環境", "オンライン診療 データベース", "オンライン診療 保管領域", "通知配信"), ("標準", "増強"), ("提供者管理",), ("東京リージョン",), "構成を定義ファイルで管理し、半年ごとに実物と照らし合わせる。", "提供者の責任範囲を除き、14日以内に対応を決める。"),
    KindOf("PC", "業務用端末", "B", 90, "own", None, ("0008", "0011", "0010"), ("業務用ノートPC", "開発用ノートPC", "サポート用PC"), ("LN-14", "LN-16", "DT-20"), ("Windows 11",), ("本社 3F 執務室", "本社 4F 開発室", "大阪事業所 執務室"), "貸与時に登録し、年1回本人と現物を確認する。返却時に初期化する。", "更新を自動で適用し、適用の状況を週1回確認する。"),
    KindOf("MP", "保守用PC", "A", 14, "own", partners.GATEWAY, ("0012",), ("保守作業専用PC",), ("LN-14S",), ("Windows 11",), ("本社 4F 保守作業室", "大阪事業所 保守作業室"), "専用の部屋で保管し、貸出簿で持出しを管理し、半年ごとに現物を確認する。", "作業の前に更新の適用を確認する。"),
    KindOf("MB", "モバイル端末", "B", 20, "own", None, ("0011", "0020"), ("緊急連絡用スマートフォン", "検証用タブレット"), ("SP-8", "TB-10"), ("Android 15", "iPadOS 18"), ("本社 3F 執務室", "大阪事業所 執務室"), "貸与時に登録し、年1回現物を確認する。紛失時は遠隔で消去する。", "更新を自動で適用する。"),
    KindOf("GW", "医療機関設置ゲートウェイ", "A", 62, "institution", partners.GATEWAY, ("0012",), ("画像ゲートウェイ", "読影連携ゲートウェイ"), ("GW-3", "GW-3R", "GW-5"), ("GW-OS 5.1", "GW-OS 4.8"), ("放射線科 読影室", "本館2階 サーバ室", "検査部 機器室", "内視鏡室"), "設置時に責任分界を書面で合意し、半年ごとに医療機関等と所在を確認する。撤去時に消去する。", "当社が情報を収集し、医療機関等の承諾を得て遠隔で適用する。"),
    KindOf("DS", "医療機関設置 表示端末", "A", 48, "institution", partners.GATEWAY, ("0012",), ("画像参照端末", "読影用高精細表示端末"), ("DS-24", "DS-30"), ("Windows 11 IoT",), ("外来 診察室", "病棟 ナースステーション", "放射線科 操作室", "手術部"), "設置時に責任分界を書面で合意し、半年ごとに医療機関等と所在を確認する。", "当社が検証した更新を四半期ごとに適用する。"),
    KindOf("NI", "医療機関設置 通信機器", "A", 40, "institution", partners.GATEWAY, ("0007", "0012"), ("接続用ルータ", "接続用スイッチ"), ("RT-80", "NX-8"), ("RT-OS 15", "NX-OS 12"), ("本館2階 サーバ室", "放射線科 機械室"), "設置時に責任分界を書面で合意し、半年ごとに遠隔で稼働と所在を確認する。", "境界の機器として7日以内に適用する。"),
)  # fmt: skip
_LABELS = {
    "own": ("own", "sight"),
    "data-centre": ("own", "sight"),
    "cloud": ("supplier", "remote"),
    "institution": ("own", "answer"),
}
"""Placement -> (usual owner, usual way of confirming)."""

# Planted: codes of devices with a gap (see planted.py). Everything else is in order.
UNDECIDED = {"GW-017": "undecided", "DS-009": "undecided"}
UNCONFIRMED = {"GW-023", "DS-031"}
MISSING = "MB-007"
MOVED = "PC-041"
SUPPORT_ENDING = {"NW-012", "NW-013"}
WITHOUT_CERTIFICATE = "ST-009"
DISPOSED = {"ST-009", "ST-010", "SV-033", "SV-034", "SV-035", "SV-036", "MP-014"}
_SPARE = {"GW-061", "GW-062", "NI-040", "PC-089", "PC-090"}
_NEWEST = 0.12
"""Share of the devices that came after the edition in force was adopted."""


def _device(then: Then, kind: KindOf, number: int) -> Row:
    code = f"{kind.code}-{number:03}"
    chance = then.chance("device", code)
    sites = [entry for entry in partners.INSTITUTIONS if partners.placed(entry)]
    site = sites[(number * 7 + chance.randrange(2)) % len(sites)] if kind.placement == "institution" else None
    earliest = then.on(2019, 1, 15)
    begun = max(earliest, partners.placed_from(then, site)) if site else earliest
    span = (then.on(2026, 3, 10) - begun).days
    introduced = begun + dt.timedelta(days=chance.randrange(span))
    planted = code in {*UNDECIDED, *UNCONFIRMED, MISSING, MOVED, *SUPPORT_ENDING, *DISPOSED}
    if chance.random() < _NEWEST and not planted:
        introduced = then.on(2026, 4, 20) + dt.timedelta(days=chance.randrange(190))
    owner, how = _LABELS[kind.placement]
    row: Row = {
        "code": code,
        "kind": kind.code,
        "name": kind.names[number % len(kind.names)],
        "model": chance.choice(kind.models),
        "serial": f"{kind.code}{chance.randrange(16**7, 16**8):08X}",
        "placement": kind.placement,
        "institution": site.code if site else None,
        "supplier": _supplier(kind),
        "place": chance.choice(kind.places),
        "service": kind.service,
        "owner": "lease" if kind.code == "PC" and number % 3 else owner,
        "custodian": chance.choice(kind.custodians),
        "responsible": "own",
        "vulnerability": UNDECIDED.get(code, "supplier" if kind.code == "CL" and number % 4 == 0 else "own"),
        "clause": "第4条" if site else "",
        "agreement": partners.memo_code(site) if site else None,
        "agreed_on": partners.placed_from(then, site) if site else None,
        "medical_data": kind.tier == "A" and kind.code not in {"MP", "NI"},
        "os": chance.choice(kind.systems),
        "support_until": introduced + dt.timedelta(days=365 * 6 + chance.randrange(700)),
        "introduced_on": introduced,
        "confirmed_how": how,
        "confirmed_result": "matched",
        "state": "spare" if code in _SPARE else "in-use",
    }
    row["support_until"] = max(row["support_until"], then.on(2027, 9, 1) + dt.timedelta(days=chance.randrange(500)))
    if code in SUPPORT_ENDING:
        row["support_until"] = then.on(2027, 3, 31)
    return row | _confirmed(then, kind, code, introduced, chance.randrange(20)) | _disposal(then, code)


def _supplier(kind: KindOf) -> str | None:
    return {"cloud": "V-04", "data-centre": "V-05", "institution": "V-02"}.get(kind.placement)


def _confirmed(then: Then, kind: KindOf, code: str, introduced: dt.date, late: int) -> Row:
    """Return when it was last looked for: every half year in tier A, every year otherwise."""
    if kind.tier == "A":
        when = then.last(then.on(2026, 9, 1) + dt.timedelta(days=late), 182)
        if code in UNCONFIRMED:
            when = then.last(then.on(2026, 3, 4) + dt.timedelta(days=late), 182)
    else:
        when = then.last(then.on(2026, 6, 10) + dt.timedelta(days=late), 360)
    found: Row = {"confirmed_on": max(when, introduced)}
    counted = then.on(2026, 9, 28)
    if code in {MISSING, MOVED} and then.known(counted):
        found |= {"confirmed_on": counted, "confirmed_result": "missing" if code == MISSING else "moved"}
    return found


def _disposal(then: Then, code: str) -> Row:
    if code not in DISPOSED:
        return {}
    chance = then.chance("disposal", code)
    when = then.on(2026, 7, 6) + dt.timedelta(days=chance.randrange(60))
    if not then.known(when):
        return {}
    certificate = "" if code == WITHOUT_CERTIFICATE else f"TR-{when:%Y}-{chance.randrange(1000, 9999)}"
    return {"state": "disposed", "disposed_on": when, "erasure_certificate": certificate}


def book(then: Then) -> Book:
    """Return kinds and devices as of the day."""
    kinds: list[Row] = [
        {
            "code": kind.code,
            "name": kind.name,
            "management": kind.management,
            "tier": kind.tier,
            "vulnerability_method": kind.vulnerability,
            "responsible": "own",
            "vulnerability": "own",
        }
        for kind in KINDS
    ]
    devices = [_device(then, kind, number) for kind in KINDS for number in range(1, kind.number + 1)]
    return {
        "equipment-kind": listed(kinds),
        "equipment": listed([row for row in devices if then.known(row["introduced_on"])]),
    }
