"""Departments and the sixty members of さくら医療クラウド. All persons are invented."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from kitei.demo.moment import Book, Row, Then, listed

MAIL_DOMAIN = "sakura-iryo.example"
COUNT = 60


class Person(NamedTuple):
    """One named member; ``joined`` and ``left`` are days as of the reference day."""

    code: str
    family: str
    given: str
    family_kana: str
    given_kana: str
    department: str
    title: str
    mail: str
    joined: tuple[int, int, int]
    left: tuple[int, int, int] | None = None
    employment: str = "regular"


DEPARTMENTS = (
    ("D01", "経営管理本部", ""),
    ("D02", "情報セキュリティ室", "D01"),
    ("D03", "開発部", ""),
    ("D04", "運用部", ""),
    ("D05", "導入・保守部", ""),
    ("D06", "サポート部", ""),
    ("D07", "営業部", ""),
    ("D08", "内部監査室", ""),
    ("D09", "総務部", "D01"),
    ("D10", "品質管理部", ""),
)
NAMED = (
    Person("0001", "髙橋", "誠", "タカハシ", "マコト", "D01", "代表取締役", "takahashi", (2013, 4, 1), None, "officer"),
    Person("0002", "佐藤", "恵子", "サトウ", "ケイコ", "D02", "室長", "sato", (2014, 7, 1)),
    Person("0003", "鈴木", "健一", "スズキ", "ケンイチ", "D04", "部長", "suzuki", (2015, 4, 1)),
    Person("0004", "渡邉", "由美", "ワタナベ", "ユミ", "D09", "部長", "watanabe", (2013, 10, 1)),
    Person("0005", "山﨑", "直子", "ヤマザキ", "ナオコ", "D01", "取締役", "yamazaki", (2013, 4, 1), None, "officer"),
    Person("0006", "小林", "隆", "コバヤシ", "タカシ", "D08", "室長", "kobayashi", (2016, 10, 1)),
    Person("0007", "中村", "大輔", "ナカムラ", "ダイスケ", "D04", "課長", "nakamura", (2017, 4, 1)),
    Person("0008", "伊藤", "さくら", "イトウ", "サクラ", "D09", "主任", "ito", (2019, 4, 1)),
    Person("0009", "𠮷田", "翔太", "ヨシダ", "ショウタ", "D03", "", "yoshida", (2021, 4, 1)),
    Person("0010", "加藤", "亮", "カトウ", "リョウ", "D03", "部長", "kato", (2014, 4, 1)),
    Person("0011", "斎藤", "美穂", "サイトウ", "ミホ", "D06", "部長", "saito", (2015, 10, 1)),
    Person("0012", "松本", "剛", "マツモト", "ツヨシ", "D05", "部長", "matsumoto", (2014, 10, 1)),
    Person("0013", "清水", "恵", "シミズ", "メグミ", "D10", "部長", "shimizu", (2016, 4, 1)),
    Person("0014", "井上", "修", "イノウエ", "オサム", "D02", "課長", "inoue", (2016, 4, 1)),
    Person(
        "0015",
        "木村",
        "浩一",
        "キムラ",
        "コウイチ",
        "D01",
        "取締役会長",
        "kimura",
        (2013, 4, 1),
        (2018, 6, 29),
        "officer",
    ),
    Person("0016", "林", "正樹", "ハヤシ", "マサキ", "D04", "部長", "hayashi", (2013, 7, 1), (2021, 9, 30)),
    Person("0017", "森田", "千尋", "モリタ", "チヒロ", "D10", "担当部長", "morita", (2013, 4, 1)),
    Person("0018", "前田", "昭", "マエダ", "アキラ", "D08", "室長", "maeda", (2014, 4, 1), (2024, 3, 31)),
    Person("0019", "岡田", "真理", "オカダ", "マリ", "D09", "課長", "okada", (2015, 4, 1), (2022, 6, 30)),
    Person("0020", "德永", "和也", "トクナガ", "カズヤ", "D07", "部長", "tokunaga", (2017, 4, 1)),
)
_FAMILIES = (
    "阿部 アベ abe,石川 イシカワ ishikawa,小川 オガワ ogawa,長谷川 ハセガワ hasegawa,近藤 コンドウ kondo,坂本 サカモト sakamoto,"
    "遠藤 エンドウ endo,青木 アオキ aoki,藤井 フジイ fujii,西村 ニシムラ nishimura,福田 フクダ fukuda,太田 オオタ ota,"
    "三浦 ミウラ miura,岡本 オカモト okamoto,原田 ハラダ harada,中川 ナカガワ nakagawa,竹内 タケウチ takeuchi,金子 カネコ kaneko,"
    "和田 ワダ wada,中島 ナカジマ nakajima,石田 イシダ ishida,上田 ウエダ ueda,柴田 シバタ shibata,酒井 サカイ sakai,"
    "工藤 クドウ kudo,横山 ヨコヤマ yokoyama,宮崎 ミヤザキ miyazaki,内田 ウチダ uchida,高木 タカギ takagi,安藤 アンドウ ando,"
    "谷口 タニグチ taniguchi,大野 オオノ ono,今井 イマイ imai,丸山 マルヤマ maruyama,河野 コウノ kono,藤本 フジモト fujimoto,"
    "村田 ムラタ murata,武田 タケダ takeda,上野 ウエノ ueno,杉山 スギヤマ sugiyama,増田 マスダ masuda,平野 ヒラノ hirano"
)
_GIVEN = (
    "陽子 ヨウコ,大樹 ダイキ,彩香 アヤカ,拓也 タクヤ,美咲 ミサキ,智也 トモヤ,久美子 クミコ,裕太 ユウタ,麻衣 マイ,和彦 カズヒコ,"
    "結衣 ユイ,達也 タツヤ,奈緒 ナオ,洋平 ヨウヘイ,千晴 チハル,慎一 シンイチ,香織 カオリ,悠斗 ユウト,明日香 アスカ,康平 コウヘイ,"
    "沙織 サオリ,直樹 ナオキ,里美 サトミ,俊介 シュンスケ,遥 ハルカ,健太郎 ケンタロウ"
)
_PLACES = ("D03",) * 11 + ("D04",) * 7 + ("D05",) * 8 + ("D06",) * 7 + ("D07",) * 4 + ("D09",) * 2 + ("D10",) * 1
_LEAVERS = {"0034": (2023, 9, 30), "0047": (2025, 8, 31)}
_TEMPORARY = {"0052": "temporary", "0055": "seconded", "0058": "fixed-term", "0060": "part-time"}
_FIRST_OTHER = 21


def people(then: Then) -> list[Person]:
    """Return all sixty; the forty that play no part of their own are drawn by the seed."""
    chance = then.chance("members")
    families = [entry.split() for entry in _FAMILIES.split(",")]
    given = [entry.split() for entry in _GIVEN.split(",")]
    chance.shuffle(families)
    found = list(NAMED)
    for index, place in enumerate(_PLACES):
        code = f"{_FIRST_OTHER + index:04}"
        family, name = families[index], chance.choice(given)
        # Half of them came after the demo's history of appointments began; the last ones this year.
        joined = (2016 + index * 11 // len(_PLACES), chance.choice((4, 4, 4, 7, 10)), 1)
        title = ("課長", "主任", "主任")[index % 11] if index % 11 < 3 else ""  # noqa: PLR2004  three with a title
        found.append(
            Person(
                code,
                family[0],
                name[0],
                family[1],
                name[1],
                place,
                title,
                f"{family[2]}.{code}",
                joined,
                _LEAVERS.get(code),
                _TEMPORARY.get(code, "regular"),
            )
        )
    return found


def full_name(person: Person) -> str:
    """Return 「佐藤 恵子」."""
    return f"{person.family} {person.given}"


def mail(person: Person) -> str:
    """Return the member's address."""
    return f"{person.mail}@{MAIL_DOMAIN}"


def joined(then: Then, person: Person) -> dt.date:
    """Return the day a member joined, moved to the demo's day."""
    return then.on(*person.joined)


def book(then: Then) -> Book:
    """Return departments and members as of the day."""
    departments = [{"code": code, "name": name, "parent": parent or None} for code, name, parent in DEPARTMENTS]
    members: list[Row] = [
        {
            "code": person.code,
            "family_name": person.family,
            "given_name": person.given,
            "family_kana": person.family_kana,
            "given_kana": person.given_kana,
            "department": person.department,
            "title": person.title,
            "employment": person.employment,
            "email": mail(person),
            "joined_on": joined(then, person),
            "left_on": then.on(*person.left) if person.left and then.known(then.on(*person.left), 30) else None,
        }
        for person in people(then)
        if then.known(joined(then, person), 14)
    ]
    return {"department": listed(departments), "member": listed(members)}
