"""Services, data classes, medical institutions and suppliers. All companies, hospitals and addresses are invented."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from kitei.demo.moment import Book, Row, Then, listed

Day = tuple[int, int, int]
CHART, ONLINE, GATEWAY = "S-01", "S-02", "S-03"


class Institution(NamedTuple):
    """One customer. ``agreed`` is False where the edition in force was shown and not yet agreed to."""

    code: str
    name: str
    kana: str
    kind: str
    address: str
    department: str
    contact: str
    services: tuple[str, ...]
    since: Day
    agreed: bool = True


INSTITUTIONS = (
    Institution("M-001", "汐見みなと総合病院", "シオミミナトソウゴウビョウイン", "hospital", "神奈川県汐見市港町1-2-3", "医療情報部", "大槻 健", (CHART, GATEWAY), (2017, 4, 1)),
    Institution("M-002", "北野台中央病院", "キタノダイチュウオウビョウイン", "hospital", "東京都北野台市中央4-5-6", "情報システム課", "三宅 香奈", (CHART, ONLINE, GATEWAY), (2018, 10, 1)),
    Institution("M-003", "白樺丘記念病院", "シラカバオカキネンビョウイン", "hospital", "長野県白樺丘市本町2-8-1", "診療情報管理室", "宮下 稔", (CHART, GATEWAY), (2019, 4, 1)),
    Institution("M-004", "緑ヶ浜医療センター", "ミドリガハマイリョウセンター", "hospital", "千葉県緑ヶ浜市浜町3-1-7", "医療情報室", "秋山 哲", (ONLINE, GATEWAY), (2020, 7, 1)),
    Institution("M-005", "若竹リハビリテーション病院", "ワカタケリハビリテーションビョウイン", "hospital", "埼玉県若竹市東町5-9-2", "事務部", "川端 美沙", (CHART, GATEWAY), (2021, 4, 1)),
    Institution("M-006", "ひばり野内科クリニック", "ヒバリノナイカクリニック", "clinic", "東京都ひばり野市西2-3-4", "事務長", "沢田 純子", (CHART, ONLINE), (2019, 6, 1)),
    Institution("M-007", "つばき坂小児科", "ツバキザカショウニカ", "clinic", "神奈川県椿坂市上町7-7-1", "院長", "椿 雅之", (ONLINE,), (2020, 5, 1)),
    Institution("M-008", "なごみ通り皮フ科", "ナゴミドオリヒフカ", "clinic", "静岡県和見市通町1-4-9", "受付責任者", "堀 早苗", (CHART, ONLINE), (2022, 4, 1)),
    Institution("M-009", "あさぎり整形外科クリニック", "アサギリセイケイゲカクリニック", "clinic", "栃木県朝霧市駅前2-6-3", "事務長", "国分 勉", (CHART, GATEWAY), (2022, 10, 1)),
    Institution("M-010", "こもれび歯科医院", "コモレビシカイイン", "dental", "群馬県木洩市南3-3-8", "院長", "木洩 涼", (CHART,), (2023, 4, 1)),
    Institution("M-011", "すずらん薬局 霧ヶ丘店", "スズランヤッキョク キリガオカテン", "pharmacy", "神奈川県霧ヶ丘市1-1-5", "管理薬剤師", "尾崎 弘", (ONLINE,), (2024, 4, 1)),
    Institution("M-012", "訪問看護ステーションひなた", "ホウモンカンゴステーションヒナタ", "home-nursing", "茨城県日向野市緑2-2-6", "所長", "根本 智子", (ONLINE,), (2024, 10, 1), agreed=False),
)  # fmt: skip
_SERVICES = (
    (CHART, "さくら電子カルテ", "saas", "国内データセンター（東日本）。写しは国内の別のデータセンター（西日本）", "company", "第6条", (2016, 10, 1)),
    (ONLINE, "さくらオンライン診療", "saas", "国内クラウド（東京リージョン）", "company", "第6条", (2020, 4, 1)),
    (GATEWAY, "さくら画像ゲートウェイ", "device", "医療機関等の構内及び国内データセンター（東日本）", "shared", "第7条", (2018, 4, 1)),
)  # fmt: skip
_CONTROLS = "利用者ごとの認証と権限、通信及び保存時の暗号化、操作記録、世代管理をしたバックアップ"
_DATA = (
    (CHART, "診療録（記載、指示、経過）", True, _CONTROLS),
    (CHART, "処方及び注射の指示", True, _CONTROLS),
    (CHART, "検査の依頼及び結果", True, _CONTROLS),
    (CHART, "看護記録", True, _CONTROLS),
    (CHART, "病名、保険及び会計の情報", True, _CONTROLS),
    (CHART, "医療従事者の利用者情報", False, "管理者だけが閲覧できる権限、認証情報のハッシュ化"),
    (ONLINE, "予約及び受診の記録", True, _CONTROLS),
    (ONLINE, "問診票の回答及び添付画像", True, ""),
    (ONLINE, "診療中のチャットの記録", True, _CONTROLS),
    (GATEWAY, "医用画像（DICOM）及び付帯情報", True, "機器の施錠、通信及び保存時の暗号化、送信後の自動消去、操作記録"),
    (GATEWAY, "読影レポートの送受信", True, "機器の施錠、通信及び保存時の暗号化、操作記録"),
    (GATEWAY, "機器の稼働記録", False, "保守用の専用線、時刻同期、改変を防ぐ保管"),
)


class Supplier(NamedTuple):
    """One supplier with its organisation as last confirmed."""

    code: str
    name: str
    kana: str
    category: str
    work: str
    services: tuple[str, ...]
    data: str
    since: Day
    until: Day | None
    certification: str
    certified_until: Day | None
    evaluated: Day
    onward: str
    parent: str | None
    officer: tuple[str, str]
    contact: str
    confirmed: Day | None
    how: str


SUPPLIERS = (
    Supplier("V-01", "北斗データ株式会社", "ホクトデータ", "medical", "バックアップの遠隔保管及び復旧支援", (CHART, GATEWAY), "診療録、医用画像（暗号化済）", (2019, 4, 1), None, "ISMS（ISO/IEC 27001）", (2027, 8, 31), (2026, 6, 10), "none", None, ("情報管理責任者", "佐々木 純"), "03-0000-2101 joho@hokuto-data.example", (2025, 10, 20), "letter"),
    Supplier("V-02", "東雲システムサービス株式会社", "シノノメシステムサービス", "maintenance", "医療機関等に設置した機器の現地保守", (GATEWAY,), "医用画像（作業中に触れるおそれ）", (2018, 4, 1), None, "プライバシーマーク", (2027, 12, 10), (2026, 6, 12), "some", None, ("保守統括部長", "野上 秀樹"), "03-0000-2202 hoshu@shinonome.example", (2026, 6, 12), "visit"),
    Supplier("V-03", "有限会社みずほ野テクニカ", "ミズホノテクニカ", "maintenance", "静岡、長野地区の現地保守（東雲システムサービスの再々委託先）", (GATEWAY,), "医用画像（作業中に触れるおそれ）", (2021, 7, 1), None, "", None, (2026, 6, 12), "none", "V-02", ("代表取締役", "水穂野 豊"), "054-000-2303", (2026, 6, 15), "phone"),
    Supplier("V-04", "アサガオクラウド", "アサガオクラウド", "cloud", "オンライン診療の実行基盤", (ONLINE,), "予約、問診票、チャット（暗号化済）", (2020, 2, 1), None, "ISMS、クラウドセキュリティ認証", (2027, 5, 31), (2026, 5, 20), "unknown", None, ("問い合わせ窓口（氏名は非公表）", ""), "support@asagao-cloud.example", (2026, 9, 1), "published"),
    Supplier("V-05", "株式会社ひかり野データセンター", "ヒカリノデータセンター", "medical", "データセンターの提供及び機器の監視", (CHART, GATEWAY), "診療録、医用画像（暗号化済）", (2016, 8, 1), None, "ISMS（ISO/IEC 27001）", (2028, 3, 31), (2026, 6, 9), "none", None, ("センター長", "光石 敬子"), "042-000-2505 noc@hikarino-dc.example", (2026, 6, 9), "visit"),
    Supplier("V-06", "オリーブ映像通信株式会社", "オリーブエイゾウツウシン", "cloud", "オンライン診療の映像中継（保存しない）", (ONLINE,), "診療中の映像及び音声（保存なし）", (2020, 3, 1), None, "ISMS（ISO/IEC 27001）", (2026, 9, 30), (2026, 5, 21), "none", None, ("情報セキュリティ管理者", "大原 由紀"), "03-0000-2606 security@olive-av.example", (2026, 5, 21), "link"),
    Supplier("V-07", "株式会社つむぎリサイクル", "ツムギリサイクル", "maintenance", "廃棄する機器及び媒体のデータ消去", (CHART, GATEWAY), "機器に残る情報（消去まで）", (2020, 11, 1), (2026, 10, 31), "産業廃棄物処分業の許可", None, (2026, 6, 18), "none", None, ("工場長", "紬 正和"), "048-000-2707", (2026, 6, 18), "visit"),
    Supplier("V-08", "さざなみ印刷株式会社", "サザナミインサツ", "other", "利用の手引の印刷（医療情報を取り扱わない）", (), "なし", (2022, 4, 1), None, "", None, (2026, 4, 8), "none", None, ("営業課長", "小波 愛"), "03-0000-2808", (2026, 4, 8), "letter"),
)  # fmt: skip


def contract_code(code: str) -> str:
    """Return the document number of the contract with an institution or supplier: M-001 -> CON-M001."""
    return "CON-" + code.replace("-", "")


def placed(institution: Institution) -> bool:
    """Whether devices of the company stand at the institution."""
    return GATEWAY in institution.services


def placed_from(then: Then, institution: Institution) -> dt.date:
    """Return the day from which devices could stand there: the contract's, not before the service began."""
    return max(then.on(*institution.since), then.on(2018, 4, 1))


def memo_code(institution: Institution) -> str:
    """Return the document number of the agreement on responsibilities with an institution."""
    return "MEM-" + institution.code.replace("-", "")


def _institution(then: Then, entry: Institution) -> Row:
    chance = then.chance("institution", entry.code)
    since = then.on(*entry.since)
    row: Row = {
        "code": entry.code,
        "name": entry.name,
        "kana": entry.kana,
        # No prefecture has number 99: the code cannot belong to a real institution.
        "institution_code": f"99{chance.randrange(10_000_000, 99_999_999)}",
        "kind": entry.kind,
        "address": entry.address,
        "contact_department": entry.department,
        "contact_name": entry.contact,
        "services": entry.services,
        "contract": contract_code(entry.code),
        "contract_from": since,
    }
    editions = (
        ("第4.1版", then.on(2026, 4, 10), then.on(2026, 4, 16 + chance.randrange(10))),
        ("第4版", then.on(2025, 4, 18), then.on(2025, 4, 24 + chance.randrange(5))),
        ("第3版", then.on(2023, 4, 14), then.on(2023, 4, 24)),
    )
    for label, shown, agreed in editions:
        if then.known(shown) and shown >= since:
            waiting = label == "第4.1版" and not entry.agreed
            return row | {
                "edition_shown": label,
                "shown_on": shown,
                "agreed_on": agreed if then.known(agreed) and not waiting else None,
            }
    return row | {"edition_shown": "第3版", "shown_on": since, "agreed_on": since}


def _suppliers(then: Then) -> tuple[list[Row], list[Row]]:
    companies: list[Row] = []
    organisations: list[Row] = []
    for entry in SUPPLIERS:
        companies.append(
            {
                "code": entry.code,
                "name": entry.name,
                "kana": entry.kana,
                "category": entry.category,
                "work": entry.work,
                "services": entry.services,
                "data": entry.data,
                "country": "日本",
                "contract": contract_code(entry.code),
                "contract_from": then.on(*entry.since),
                "contract_until": then.on(*entry.until) if entry.until else None,
                "certification": entry.certification,
                "certification_until": then.on(*entry.certified_until) if entry.certified_until else None,
                "evaluated_on": then.last(then.on(*entry.evaluated), 364),
                "onward": entry.onward,
                "parent": entry.parent,
            }
        )
        organisations.append(
            {
                "code": entry.code.replace("V-", "VO-"),
                "supplier": entry.code,
                "officer_title": entry.officer[0],
                "officer": entry.officer[1],
                "contact": entry.contact,
                "emergency_contact": entry.contact.partition(" ")[0],
                "confirmed_on": then.last(then.on(*entry.confirmed), 360) if entry.confirmed else None,
                "confirmed_how": entry.how,
                "confirmed_by": "渡邉 由美",
            }
        )
    return companies, organisations


def book(then: Then) -> Book:
    """Return services, data classes, institutions and suppliers as of the day."""
    services: list[Row] = [
        {
            "code": code,
            "name": name,
            "form": form,
            "position": "entrusted",
            "storage_country": "日本",
            "storage_place": place,
            "update_responsibility": updates,
            "update_clause": f"利用契約書{clause}",
            "started_on": then.on(*started),
        }
        for code, name, form, place, updates, clause, started in _SERVICES
    ]
    classes: list[Row] = [
        {
            "code": f"DC-{number:02}",
            "service": service,
            "name": name,
            "patient_data": patient,
            "includes_deceased": "included",
            "measures": measures,
            "deceased_measures": "same",
        }
        for number, (service, name, patient, measures) in enumerate(_DATA, start=1)
    ]
    companies, organisations = _suppliers(then)
    return {
        "service": listed(services),
        "data-class": listed(classes),
        "institution": listed([_institution(then, entry) for entry in INSTITUTIONS]),
        "supplier": listed(companies),
        "supplier-organisation": listed(organisations),
    }
