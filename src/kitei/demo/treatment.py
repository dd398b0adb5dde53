"""Forty risks, sixty measures and forty-five operating procedures."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from kitei.demo import partners
from kitei.demo.moment import Book, Row, Then, listed

_SO, _SA, _OS, _PO = "security-officer", "system-administrator", "operations-supervisor", "privacy-officer"
DAYS = {"daily": 1, "weekly": 7, "monthly": 28, "quarterly": 90, "half-yearly": 180, "yearly": 358}


class Procedure(NamedTuple):
    """One procedure and the measure it operates. ``steps`` are separated by 。; ``article`` states the measure."""

    name: str
    owner: str
    cycle: str
    kind: str
    measure: str
    article: str
    steps: str


PROCEDURES = (
    Procedure("アカウントの登録、変更及び削除手順", _SA, "as-needed", "operational", "利用者の申請と承認に基づくアカウントの管理", "第41条", "申請書を受け付ける。所属長と運用事務統括責任者の承認を確かめる。必要な権限だけを設定する。本人に通知する。台帳に記録する。"),
    Procedure("アカウント及び権限の棚卸手順", _SA, "half-yearly", "operational", "アカウント及び権限の棚卸", "第41条", "全アカウントの一覧を出力する。在籍者及び職務と照らし合わせる。不要なものを停止する。結果を情報セキュリティ責任者に報告する。"),
    Procedure("退職者のアカウント停止手順", _OS, "as-needed", "operational", "退職の日のアカウント停止", "第41条", "人事の通知を受ける。退職の日の終わりに停止する。貸与品の返却を確かめる。記録する。"),
    Procedure("特権アカウントの利用記録の点検手順", _SA, "weekly", "operational", "特権アカウントの利用の点検", "第41条", "利用の記録を取り出す。作業の申請と照らし合わせる。説明のつかない利用を報告する。"),
    Procedure("多要素認証の設定状況の点検手順", _SA, "monthly", "technical", "多要素認証の全員への適用", "第42条", "未設定の利用者を抽出する。本人と所属長に設定を求める。期限までに設定がないときは利用を止める。"),
    Procedure("操作記録の月次点検手順", _SO, "monthly", "operational", "閲覧及び操作の記録の点検", "第43条", "拒否の記録及び緊急閲覧の記録を抽出する。申請と照らし合わせる。疑いがあれば調査を始める。点検表に記録する。"),
    Procedure("サーバの記録の収集及び保全の確認手順", _SA, "weekly", "technical", "記録の集中保管と改変の防止", "第43条", "全てのサーバから記録が届いていることを確かめる。保管先の空きを確かめる。時刻のずれを確かめる。"),
    Procedure("監視の警報への対応手順", _SA, "daily", "operational", "24時間の監視と一次対応", "第43条", "警報を確かめる。重大度を判定する。一次対応を行う。引継簿に記録する。"),
    Procedure("バックアップ取得の確認手順", _SA, "daily", "technical", "世代管理をしたバックアップ", "第44条", "前夜の取得結果を確かめる。失敗したものを再取得する。結果を記録する。"),
    Procedure("バックアップの隔離保管手順", _SA, "weekly", "technical", "ネットワークから切り離したバックアップ", "第44条", "隔離先へ複写する。検査値を照らし合わせる。接続を切ったことを確かめる。"),
    Procedure("復旧試験手順", _SA, "yearly", "operational", "バックアップからの復旧試験", "第44条", "試験の範囲を決める。隔離した環境へ復旧する。要した時間と内容を確かめる。結果を情報セキュリティ責任者に報告する。"),
    Procedure("脆弱性情報の収集及び判断手順", _SA, "weekly", "operational", "脆弱性情報の収集と期限内の判断", "第33条", "情報源を確かめる。影響する機器を台帳から抽出する。対応の要否と期限を決める。承認を得て記録する。"),
    Procedure("更新プログラムの適用手順", _SA, "monthly", "technical", "更新プログラムの計画的な適用", "第33条", "検証環境で確かめる。作業を申請する。適用する。動作を確かめ、記録する。"),
    Procedure("医療機関設置機器の更新手順", _SA, "quarterly", "technical", "医療機関等に設置した機器の更新", "第33条", "医療機関等に予定を知らせる。承諾を得る。遠隔で適用する。稼働を確かめ、完了を報告する。"),
    Procedure("外部からの脆弱性診断手順", _SO, "yearly", "technical", "外部の専門家による診断", "第33条", "範囲と時期を決める。診断を受ける。指摘を評価する。是正の期限を決め、確かめる。"),
    Procedure("不正ソフトウェア対策の状況確認手順", _SA, "weekly", "technical", "端末及びサーバの不正ソフトウェア対策", "第40条", "定義の更新と検査の結果を一覧で確かめる。異常のある端末を隔離する。記録する。"),
    Procedure("遠隔保守の申請、実施及び終了手順", _SA, "as-needed", "operational", "遠隔保守の申請制と記録", "第34条", "作業を申請し承認を得る。医療機関等に知らせる。専用の経路から接続する。作業を記録し、終了を報告する。作業で生じた情報を消去する。"),
    Procedure("遠隔保守の接続元の点検手順", _SA, "monthly", "technical", "遠隔保守の接続元の限定", "第34条", "許可した接続元の一覧を確かめる。使わなくなったものを外す。接続の記録と照らし合わせる。"),
    Procedure("持出し機器の貸出及び返却手順", _OS, "as-needed", "operational", "持出しの許可と暗号化", "第40条", "申請を受け付ける。暗号化を確かめて貸し出す。返却時に中身の消去を確かめる。貸出簿に記録する。"),
    Procedure("記録媒体の棚卸手順", _OS, "half-yearly", "physical", "記録媒体の番号管理と棚卸", "第37条", "管理簿と現物を照らし合わせる。相違の理由を調べる。運用事務統括責任者に報告する。"),
    Procedure("機器の所在確認手順", _SA, "half-yearly", "operational", "機器台帳による所在確認", "第32条", "対象の一覧を確定する。現物、遠隔又は医療機関等の回答で確かめる。相違を調べる。結果の承認を得る。"),
    Procedure("機器の廃棄及びデータ消去手順", _SA, "as-needed", "operational", "廃棄時のデータ消去と証明書の受領", "第35条", "廃棄を申請する。消去の方法を決める。立会いの下で消去する。証明書と製造番号を照らし合わせる。台帳を閉じる。"),
    Procedure("境界の通信規則の点検手順", _SA, "quarterly", "technical", "通信の出入口の限定", "第40条", "通信規則の一覧を出力する。申請と照らし合わせる。根拠のない規則を外す。構成図を更新する。"),
    Procedure("通信の暗号設定の点検手順", _SA, "quarterly", "technical", "通信の暗号化", "第40条", "公開している接続口を検査する。古い方式がないことを確かめる。証明書の期限を確かめる。"),
    Procedure("暗号鍵の更新手順", _SA, "yearly", "technical", "保存時の暗号化と鍵の管理", "第40条", "鍵の一覧を確かめる。二人で更新する。古い鍵の廃棄を記録する。"),
    Procedure("本番環境の変更手順", _SA, "as-needed", "operational", "変更の申請、承認及び戻しの準備", "第40条", "変更を申請する。影響を確かめる。承認を得る。実施し、動作を確かめる。失敗したら元に戻す。"),
    Procedure("開発したプログラムの点検手順", _SA, "as-needed", "technical", "公開前のプログラムの点検", "第40条", "作成者以外が点検する。自動の検査を通す。指摘の解消を確かめて公開する。"),
    Procedure("試験での実データ利用の制限手順", _PO, "quarterly", "organisational", "試験での実データの利用の禁止", "第40条", "試験環境の情報を抽出して確かめる。実データがあれば消去する。結果を記録する。"),
    Procedure("入退室の記録の点検手順", _OS, "monthly", "physical", "作業区画の入退室の管理", "第40条", "入退室の記録を取り出す。許可した者と照らし合わせる。不審なものを調べる。"),
    Procedure("データセンターの現地点検手順", _SA, "half-yearly", "physical", "データセンターの施錠及び設備の点検", "第40条", "施錠、監視、電源及び空調を確かめる。入館の記録を受け取る。指摘を伝える。"),
    Procedure("保存場所の確認手順", _PO, "half-yearly", "organisational", "国内での保存", "第45条", "サービスごとの保存場所を提供者の資料で確かめる。変更があれば医療機関等に知らせる。"),
    Procedure("再委託先の体制確認手順", _OS, "yearly", "organisational", "再委託先の評価と体制の把握", "第21条", "点検票を送る。回答と証明を確かめる。責任者と連絡先を更新する。委員会に報告する。"),
    Procedure("委託終了時の返却及び消去の確認手順", _OS, "as-needed", "organisational", "委託の終了時の返却と消去", "第22条", "返却する情報の一覧を作る。受領する。消去の証明書を確かめる。"),
    Procedure("緊急連絡網の確認手順", _OS, "quarterly", "organisational", "緊急連絡網の維持", "第17条", "全員に実際に連絡する。つながらない番号を直す。確認日を記録する。"),
    Procedure("事案対応手順", _SO, "as-needed", "operational", "事案の報告と対応の体制", "第57条", "発見者から報告を受ける。区分を決める。被害の広がりを止める。証跡を保全する。医療機関等に第一報を送る。"),
    Procedure("事案対応訓練手順", _SO, "yearly", "organisational", "事案を想定した訓練", "第48条", "想定を作る。訓練を行う。手順の不足を洗い出す。手順書を直す。"),
    Procedure("事業継続訓練手順", _OS, "yearly", "organisational", "停止を想定した事業継続の訓練", "第62条", "停止の想定を医療機関等と合わせる。紙の様式で業務を行う。復帰後の入力を確かめる。"),
    Procedure("災害時の切替手順", _SA, "yearly", "technical", "西日本の予備環境への切替", "第62条", "切替の判断の基準を確かめる。予備環境へ切り替える。医療機関等からの接続を確かめる。元に戻す。"),
    Procedure("容量及び性能の点検手順", _SA, "monthly", "technical", "容量及び性能の監視", "第40条", "使用率の推移を確かめる。三か月先を見込む。不足する前に増強を申請する。"),
    Procedure("従業者の教育手順", _SO, "yearly", "organisational", "従業者への教育", "第48条", "教材を見直す。全従業者に実施する。理解度を確かめる。未受講者に再度実施する。"),
    Procedure("採用及び配属時の誓約書の取得手順", _OS, "as-needed", "organisational", "守秘義務の誓約", "第47条", "誓約書を渡して説明する。署名を受け取る。台帳に記録して保管する。"),
    Procedure("端末の画面及び机上の点検手順", _OS, "quarterly", "physical", "離席時の施錠と机上の整理", "第40条", "予告なく巡回する。画面の施錠と書類を確かめる。結果を部署に伝える。"),
    Procedure("オンライン診療の接続確認手順", _SA, "weekly", "technical", "診療中の映像の保護と本人確認", "第42条", "試験用の患者で接続する。入室の制限を確かめる。録画されないことを確かめる。"),
    Procedure("問い合わせ時の本人確認手順", _OS, "as-needed", "operational", "問い合わせ時のなりすましの防止", "第55条", "登録した番号に折り返す。医療機関等の番号と氏名を確かめる。確かめられないときは回答しない。"),
    Procedure("例外措置の点検手順", _SO, "quarterly", "organisational", "例外措置の期限の管理", "第46条", "例外の一覧を確かめる。期限を過ぎたものを止める。続けるものは理由を見直して承認を得る。"),
)  # fmt: skip
OVERDUE = 23
"""Planted: number of the procedure whose cycle ran out (境界の通信規則の点検)."""
UNDECIDED, UNREASONED = "M-058", "M-052"
"""Planted: an adopted measure nobody decided on, and one that needs no operating without a reason."""
_SETTLED = (
    ("サーバの不要な機能の停止", "technical", "構築時に停止し、構成の自動検査が変化を知らせるため"),
    ("データベースの接続元の制限", "technical", "構成の定義に組み込み、変更手順で扱うため"),
    ("画面の自動施錠の一律設定", "technical", "端末の管理機能が強制し、利用者が変えられないため"),
    ("パスワードの長さ及び既知の弱い語の拒否", "technical", "認証基盤が強制するため"),
    ("電源及び回線の二重化", "physical", "データセンターの契約に含まれ、現地点検の手順で確かめるため"),
    ("診療録の訂正の履歴の保存", "technical", "プログラムの機能であり、変更時の点検で確かめるため"),
    ("ゲートウェイの筐体の施錠", "physical", ""),
    ("送信後の画像の自動消去", "technical", "機器の機能であり、所在確認の手順で動作を確かめるため"),
    ("利用規約への禁止事項の記載", "organisational", "契約の締結時に一度行うため"),
    ("保守用PCの外部媒体の無効化", "technical", "端末の管理機能が強制するため"),
    ("秘密の情報を画面に出さない設計", "technical", "公開前の点検の項目に含まれるため"),
    ("保管領域の公開設定の禁止", "technical", "構成の自動検査が常に確かめるため"),
)  # fmt: skip
_CASES = (
    ("退職者のアカウントによる閲覧", "misuse", 4, 3, (1, 2, 3, 47)),
    ("権限の過大な設定による閲覧", "misuse", 4, 3, (1, 2, 54)),
    ("管理者の権限の乱用", "misuse", 5, 2, (4, 6, 7)),
    ("認証情報の窃取によるなりすまし", "interception", 5, 3, (5, 43, 49)),
    ("通信の盗聴", "interception", 4, 2, (24, 46)),
    ("電話によるなりすまし", "interception", 3, 3, (44,)),
    ("標的型メールからの侵入", "advanced-attack", 5, 3, (8, 16, 40)),
    ("公開している接続口の脆弱性を突く侵入", "advanced-attack", 5, 3, (12, 13, 15)),
    ("遠隔保守の経路からの侵入", "advanced-attack", 5, 3, (17, 18)),
    ("医療機関等に設置した機器を経由する侵入", "advanced-attack", 5, 2, (14, 23, 52, 55)),
    ("サーバの暗号化による診療の停止", "ransomware", 5, 3, (9, 10, 11, 16)),
    ("端末の感染からの拡大", "ransomware", 4, 3, (16, 23)),
    ("バックアップの破壊", "ransomware", 5, 2, (10, 11)),
    ("保管領域の設定誤りによる漏えい", "leak", 5, 2, (57, 23)),
    ("試験環境への実データの混入", "leak", 4, 2, (28, 56)),
    ("再委託先からの漏えい", "leak", 4, 2, (32, 33)),
)  # fmt: skip
_CASES_MORE = (
    ("宛先の誤りによる送付", "leak", 3, 3, (40, 41)),
    ("診療録の改ざん", "tampering", 5, 2, (6, 51)),
    ("プログラムの改ざん", "tampering", 5, 1, (26, 27)),
    ("機器の故障による停止", "outage", 4, 3, (8, 39, 50)),
    ("変更作業の誤りによる停止", "outage", 4, 3, (26,)),
    ("容量の不足による停止", "outage", 3, 2, (39,)),
    ("クラウドの障害による停止", "outage", 4, 2, (37, 38)),
    ("開発時の脆弱性の混入", "flaw", 4, 3, (15, 27)),
    ("部品の脆弱性の放置", "flaw", 4, 3, (12, 13)),
    ("端末の紛失", "loss", 3, 3, (19, 48)),
    ("記録媒体の紛失", "loss", 4, 2, (20,)),
    ("廃棄した機器からの漏えい", "loss", 4, 2, (22,)),
    ("設置した機器の所在不明", "loss", 4, 2, (21, 52, 53)),
    ("作業区画への侵入", "intrusion", 3, 2, (29, 42)),
    ("データセンターへの侵入", "intrusion", 5, 1, (30,)),
    ("大規模な地震による停止", "disaster", 5, 2, (38, 37)),
    ("水害による機器の損傷", "disaster", 4, 1, (30, 38)),
    ("感染症の流行による要員の不足", "disaster", 3, 2, (34, 37)),
    ("診療中の映像への第三者の入室", "misuse", 4, 2, (43,)),
    ("録画による漏えい", "leak", 4, 1, (43, 54)),
    ("国外への保存", "other", 3, 1, (31,)),
    ("例外措置の長期化", "other", 3, 3, (45,)),
    ("連絡の遅れによる被害の拡大", "other", 4, 2, (34, 35, 36)),
    ("暗号鍵の漏えい又は喪失", "other", 5, 1, (25,)),
)  # fmt: skip
CASES = (*_CASES, *_CASES_MORE)
_FLOWS = {
    partners.CHART: "医療機関等の端末からデータセンターの電子カルテへの記録及び参照",
    partners.ONLINE: "患者の端末からクラウドのオンライン診療への接続",
    partners.GATEWAY: "院内の撮影装置からゲートウェイを経て画像保管サーバへの送信",
}
_HIGH, _MIDDLE = 15, 8


def procedure_code(number: int) -> str:
    """Return 「P-01」."""
    return f"P-{number:02}"


def done(then: Then, number: int) -> dt.date:
    """Return when a procedure was last done by the day; one ran out of its cycle."""
    procedure = PROCEDURES[number - 1]
    chance = then.chance("procedure", number)
    every = DAYS.get(procedure.cycle, 60)
    if number == OVERDUE:
        return then.last(then.on(2026, 6, 24), 90)
    return then.last(then.on(2026, 11, 20) - dt.timedelta(days=chance.randrange(min(every, 200))), every)


def _level(impact: int, likelihood: int) -> str:
    product = impact * likelihood
    return "S" if product >= _HIGH else "A" if product > _MIDDLE else "B" if product == _MIDDLE else "C"


def _measures(then: Then) -> list[Row]:
    rows: list[Row] = []
    by_measure: dict[int, list[str]] = {}
    for index, (*_, measures) in enumerate(CASES, start=1):
        for number in measures:
            by_measure.setdefault(number, []).append(f"R-{index:02}")
    for number, procedure in enumerate(PROCEDURES, start=1):
        rows.append(
            {
                "code": f"M-{number:03}",
                "name": procedure.measure,
                "kind": procedure.kind,
                "risks": tuple(by_measure.get(number, ())),
                "adopted": "adopted",
                "operation_needed": "needed",
                "procedures": (procedure_code(number),),
                "article": procedure.article,
            }
        )
    for number, (name, kind, reason) in enumerate(_SETTLED, start=len(PROCEDURES) + 1):
        rows.append(
            {
                "code": f"M-{number:03}",
                "name": name,
                "kind": kind,
                "risks": tuple(by_measure.get(number, ())),
                "adopted": "adopted",
                "operation_needed": "not-needed",
                "reason": reason,
                "article": "第40条",
            }
        )
    rows.append({"code": UNDECIDED, "name": "端末の振る舞い検知の導入", "kind": "technical", "risks": ("R-07", "R-12"), "adopted": "adopted" if then.known(then.on(2026, 9, 1)) else "considered", "operation_needed": "undecided", "article": "第40条"})  # fmt: skip
    rows.append({"code": "M-059", "name": "生体認証による入室", "kind": "physical", "risks": ("R-30",), "adopted": "rejected", "operation_needed": ""})  # fmt: skip
    rows.append({"code": "M-060", "name": "国外の予備環境の利用", "kind": "technical", "risks": ("R-32",), "adopted": "considered", "operation_needed": "undecided"})  # fmt: skip
    return rows


def book(then: Then) -> Book:
    """Return procedures, risks and measures as of the day."""
    procedures: list[Row] = [
        {
            "code": procedure_code(number),
            "name": procedure.name,
            "document": f"SOP-{number:02}",
            "version": f"第{1 + then.chance('sop', number).randrange(4)}版",
            "owner_role": procedure.owner,
            "cycle": procedure.cycle,
            "last_done_on": done(then, number),
            "steps": procedure.steps,
        }
        for number, procedure in enumerate(PROCEDURES, start=1)
    ]
    services = (partners.CHART, partners.CHART, partners.ONLINE, partners.GATEWAY)
    risks: list[Row] = []
    for index, (title, threat, impact, likelihood, _used) in enumerate(CASES, start=1):
        service = _service_of(title) or services[index % len(services)]
        level = _level(impact, likelihood)
        risks.append(
            {
                "code": f"R-{index:02}",
                "title": title,
                "service": service,
                "flow": _FLOWS[service],
                "threat": threat,
                "impact": impact,
                "likelihood": likelihood,
                "level": level,
                "response": "share" if threat == "disaster" else "retain" if level == "C" else "reduce",
                "residual": "対策の実施を確かめている限り小さい" if level in "SA" else "小さい",
                "accepted_by": "管理責任者",
                "assessed_on": then.last(then.on(2026, 3, 6), 364),
            }
        )
    return {"procedure": listed(procedures), "risk": listed(risks), "measure": listed(_measures(then))}


def _service_of(title: str) -> str | None:
    if any(word in title for word in ("設置した機器", "遠隔保守")):
        return partners.GATEWAY
    if any(word in title for word in ("診療中", "録画", "クラウド")):
        return partners.ONLINE
    return None
