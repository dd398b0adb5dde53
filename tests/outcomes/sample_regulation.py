"""A hand-made regulation as a careful company would have it: the input of the rendering tests."""

from __future__ import annotations

import datetime as dt

from kitei.foundation.sheets.table import Nature, Rendering, Table, TableColumn
from kitei.outcomes.regulation.model import (
    Annex,
    ApprovalCell,
    Article,
    Chapter,
    HistoryRow,
    Item,
    Paragraph,
    Regulation,
    Run,
    Supplement,
)

STAMP = dt.datetime(2026, 11, 22, 9, 30, tzinfo=dt.timezone(dt.timedelta(hours=9)))


def text(words: str) -> Run:
    return Run(words)


def see(words: str, target: str) -> Run:
    return Run(words, "reference", target)


def par(article: str, number: int, *runs: Run | str, items: tuple[Item, ...] = ()) -> Paragraph:
    made = tuple(text(run) if isinstance(run, str) else run for run in runs)
    return Paragraph(f"{article}#{number}", number, made, items)


def item(id_: str, marker: str, *runs: Run | str, items: tuple[Item, ...] = ()) -> Item:
    return Item(id_, marker, tuple(text(run) if isinstance(run, str) else run for run in runs), items)


def chapters() -> tuple[Chapter, ...]:
    purpose = Article(
        "purpose",
        "第1条",
        "目的",
        (
            par(
                "purpose",
                1,
                "この規程は、さくら医療クラウド株式会社（以下「当社」という。）が医療機関等に提供する医療情報システム及びこれに附帯する"
                "サービス（以下「医療情報システム等」という。）の運用及び管理について必要な事項を定め、もって医療情報の安全かつ適正な取扱いを"
                "確保することを目的とする。",
            ),
        ),
        ("a-3",),
    )
    deceased = Article(
        "deceased",
        "第2条",
        "死者に係る情報の取扱い",
        (
            par(
                "deceased",
                1,
                "当社は、患者の死亡後においても、当該患者に係る情報を保存している間は、個人情報と同等の安全管理の措置を講ずる。",
            ),
        ),
    )
    chief = Article(
        "chief-officer",
        "第3条",
        "管理責任者",
        (
            par(
                "chief-officer",
                1,
                "当社に、医療情報システム等の提供に関する最終的な責任を負う者として、管理責任者1名を置く。",
            ),
            par(
                "chief-officer",
                2,
                "管理責任者は、次に掲げる事項を行う。",
                items=(
                    item("chief-officer#2.1", "（1）", "この規程の制定及び改廃の承認"),
                    item(
                        "chief-officer#2.2",
                        "（2）",
                        "次に掲げる責任者の任命及び解任",
                        items=(
                            item("chief-officer#2.2.a", "ア", "システム管理者"),
                            item(
                                "chief-officer#2.2.i",
                                "イ",
                                "運用に関する事務を統括する責任者（以下「運用事務統括責任者」という。）及び個人情報の保護に係る責任者（以下「個人情報保護責任者」という。）",
                            ),
                        ),
                    ),
                    item(
                        "chief-officer#2.3",
                        "（3）",
                        "緊急時における医療機関等への第一報の指示その他の必要な措置の決定であって、あらかじめ定めた手順により難いものに関すること。",
                    ),
                ),
            ),
            par(
                "chief-officer",
                3,
                "管理責任者の氏名、任期及び代行者は、",
                see("別表1", "annex:officers"),
                "のとおりとする。",
            ),
        ),
    )
    administrator = Article(
        "system-administrator",
        "第4条",
        "システム管理者",
        (
            par("system-administrator", 1, "当社に、システム管理者1名以上を置く。"),
            par(
                "system-administrator",
                2,
                "システム管理者は、次の各号のいずれにも該当する者のうちから、管理責任者が任命する。",
                items=(
                    item(
                        "system-administrator#2.1",
                        "（1）",
                        see("別表2第1表", "annex:qualifications#1"),
                        "に掲げる資格を有する者",
                    ),
                    item(
                        "system-administrator#2.2",
                        "（2）",
                        "情報セキュリティに係る技術的対策の実務に",
                        Run("5年", "provision", "administrator-years"),
                        "以上従事した者",
                    ),
                ),
            ),
            par(
                "system-administrator",
                3,
                see("前条第2項第2号", "chief-officer#2.2"),
                "の規定による任命及び解任は、書面又は電磁的記録により行う。",
            ),
        ),
    )
    access = Article(
        "access-log",
        "第5条",
        "閲覧及び操作の記録",
        (
            par(
                "access-log",
                1,
                "当社は、医療情報システム等の閲覧及び操作を記録し、",
                Run("1か月", "provision", "review-cycle"),
                "ごとに点検する。",
            ),
            par(
                "access-log",
                2,
                "前項の記録は、",
                *(
                    f"（{number}回目の確認）、「閲覧の可否」、『操作の区分』及び・その他の事項を含む。"
                    for number in range(1, 9)
                ),
            ),
        ),
    )
    equipment = Article(
        "equipment",
        "第6条",
        "機器等の台帳及び所在確認",
        (
            par(
                "equipment",
                1,
                "運用事務統括責任者は、機器等を",
                see("別表3", "annex:equipment"),
                "の台帳に登録する。この規程の施行日における登録台数は、",
                Run("400台", "fact", "equipment-count"),
                "である。",
            ),
            par("equipment", 2, "機器等の所在確認は、毎年1回以上行い、その結果を管理責任者に報告する。"),
        ),
    )
    return (
        Chapter("general", "第1章", "総則", (purpose, deceased)),
        Chapter("organization", "第2章", "管理体制", (chief, administrator)),
        Chapter("operation", "第3章", "運用及び機器等の管理", (access, equipment)),
    )


def equipment_table(rows: int = 400) -> Table:
    columns = (
        TableColumn("資産番号", 1.3),
        TableColumn("名称", 2.2),
        TableColumn("種類", 1.2),
        TableColumn("管理方法", 1.6, nature=Nature.PROVISION),
        TableColumn("製造番号", 1.5),
        TableColumn("設置場所", 2.4),
        TableColumn("使用責任者", 1.3),
        TableColumn("脆弱性への対応", 1.6),
        TableColumn("台数", 0.7, "right"),
        TableColumn("最終所在確認日", 1.4, "center"),
    )
    places = (
        "本社 サーバ室 ラック3",
        "社会医療法人みなと会 港中央病院 3階 ナースステーション",
        "髙﨑診療所",
        "𠮷田クリニック 受付①",
    )
    people = ("髙橋 由美子", "𠮷村 大輔", "﨑山 恵", "㈱北陸保守サービス")
    made = [
        (
            f"EQ-{number:05d}",
            "画像連携ゲートウェイ装置" if number % 3 else "電子カルテ サーバ（仮想基盤用ホスト）",
            "サーバ" if number % 2 else "通信機器",
            "台帳及び封印",
            f"SN{number:04d}ABCDEFGHJKLMNPQRSTUVWXYZ" if number % 20 == 0 else f"SN-{number:06d}",
            places[number % 4],
            people[number % 4],
            "当社",
            "1",
            "令和8年9月30日",
        )
        for number in range(1, rows + 1)
    ]
    return Table(columns, made)


def annexes(rows: int = 400) -> tuple[Annex, ...]:
    officers = Table(
        (
            TableColumn("役割", 2),
            TableColumn("氏名", 1.5),
            TableColumn("所属及び役職", 2),
            TableColumn("発令日", 1.5),
            TableColumn("代行者", 1.5),
        ),
        (
            ("管理責任者", "髙﨑 𠮷雄", "代表取締役社長", "令和5年10月1日", "鈴木 健一"),
            ("システム管理者", "鈴木 健一", "技術本部 本部長", "令和5年10月1日", "（空席）"),
            (
                "運用事務統括責任者",
                "勅使河原 小百合アレクサンドラ",
                "総務部 医療情報安全管理統括グループ グループ長代理心得",
                "令和7年4月1日",
                "佐藤 恵子",
            ),
        ),
    )
    accepted = Table(
        (TableColumn("資格の名称", 2, nature=Nature.PROVISION), TableColumn("根拠", 2, nature=Nature.PROVISION)),
        (
            ("情報処理安全確保支援士", "情報処理の促進に関する法律"),
            ("医療情報技師（上級を含む。）", "一般社団法人が行う認定"),
        ),
        caption="第1表　認める資格",
    )
    held = Table(
        (TableColumn("氏名"), TableColumn("資格"), TableColumn("有効期限"), TableColumn("実務経験", align="right")),
        (("鈴木 健一", "情報処理安全確保支援士", "令和9年3月31日", "11年4か月"),),
        caption="第2表　資格及び経験",
        note="注　実務経験は、基準日までの年月とする。",
    )
    suppliers = Table((TableColumn("委託先"), TableColumn("区分"), TableColumn("責任者")), ())
    return (
        Annex("annex:officers", "別表1", "責任者一覧", Nature.FACT, (officers,), "任命台帳", "第3条"),
        Annex("annex:qualifications", "別表2", "資格及び経験", Nature.PROVISION, (accepted, held), "", "第4条"),
        Annex(
            "annex:equipment",
            "別表3",
            "機器等台帳",
            Nature.FACT,
            (equipment_table(rows),),
            "機器台帳",
            "第6条",
            landscape=True,
        ),
        Annex(
            "annex:suppliers",
            "別表4",
            "再委託先一覧",
            Nature.FACT,
            (suppliers,),
            "委託先台帳",
            "",
            "委託先の体制は、毎年4月に確認する。",
        ),
    )


def sample(
    *,
    rows: int = 400,
    draft: bool = False,
    rendering: Rendering = Rendering.INTERNAL,
    era_dates: bool = True,
) -> Regulation:
    """Return the sample; ``rows`` is the length of 別表3."""
    approved = () if draft else (dt.date(2026, 3, 20), dt.date(2026, 3, 23), dt.date(2026, 3, 25))
    names = ("佐藤 恵子", "勅使河原 小百合", "髙﨑 𠮷雄")
    captions = ("作成", "審査", "承認")
    approvals = (
        tuple(ApprovalCell(caption) for caption in captions)
        if draft
        else tuple(ApprovalCell(*cell) for cell in zip(captions, names, approved, strict=True))
    )
    return Regulation(
        title="医療情報システム等 運用管理規程",
        document_number="KT-001",
        edition="第2版（案）" if draft else "第2版",
        effective_on=None if draft else dt.date(2026, 4, 1),
        organization="さくら医療クラウド㈱",
        chapters=chapters(),
        supplements=(
            Supplement("s1", "附則", (par("s1", 1, "この規程は、令和元年5月1日から施行する。"),)),
            Supplement(
                "s2",
                "附則（令和8年3月25日規程第4号）",
                (
                    par("s2", 1, "この規程は、令和8年4月1日から施行する。"),
                    par(
                        "s2",
                        2,
                        "この規程の施行の際現にシステム管理者である者は、",
                        see("第4条第2項", "system-administrator#2"),
                        "の規定により任命されたものとみなす。",
                    ),
                ),
            ),
        ),
        annexes=annexes(rows),
        history=(
            HistoryRow("第1版", dt.date(2019, 5, 1), "新規制定", "髙﨑 𠮷雄"),
            HistoryRow(
                "第2版",
                None if draft else dt.date(2026, 4, 1),
                "システム管理者の実務経験の年数を3年から5年に改めた。\n機器等の台帳を別表3に移した。",
                "" if draft else "髙﨑 𠮷雄",
            ),
        ),
        approvals=approvals,
        rendering=rendering,
        as_of=dt.date(2026, 11, 22),
        era_dates=era_dates,
        draft=draft,
    )
