"""The command line (design §7). Only arguments are read here; Django starts when a command runs, so help stays quick."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Sequence

USAGE_ERROR = 2
LAST_PORT = 65535


def _english() -> bool:
    name = (
        os.environ.get("KITEI_LANG")
        or os.environ.get("LC_ALL")
        or os.environ.get("LC_MESSAGES")
        or os.environ.get("LANG")
        or ""
    )
    return name.lower().startswith("en")


def _t(ja: str, en: str) -> str:
    return en if _english() else ja


# What argparse says itself, in Japanese; it looks its texts up by this function.
_ARGPARSE = {
    "usage: ": "使い方: ",
    "positional arguments": "引数",
    "options": "オプション",
    "show this help message and exit": "この説明を表示する",
    "the following arguments are required: %s": "次の引数が必要です: %s",
    "unrecognized arguments: %s": "知らない引数があります: %s",
    "expected one argument": "値が必要です",
    "invalid %(type)s value: %(value)r": "%(value)r は使えません",
    "invalid choice: %(value)r (choose from %(choices)s)": "%(value)r は選べません（%(choices)s から選んでください）",
    "argument %(argument_name)s: %(message)s": "%(argument_name)s: %(message)s",
    "ambiguous option: %(option)s could match %(matches)s": "%(option)s はどれのことか分かりません（%(matches)s）",
}


def _speak_japanese() -> None:
    vars(argparse)["_"] = lambda text: _ARGPARSE.get(text, text)


class _Parser(argparse.ArgumentParser):
    """Says usage errors in one line of the user's language and exits 2."""

    def error(self, message: str) -> None:  # type: ignore[override]
        sys.stderr.write(_t(f"使い方が違います: {message}\n", f"wrong usage: {message}\n"))
        sys.stderr.write(_t(f"`{self.prog} --help` で使い方を見られます。\n", f"See `{self.prog} --help`.\n"))
        raise SystemExit(USAGE_ERROR)


def _port(text: str) -> int:
    """Read the number of a TCP port; argparse says the sentence of the error."""
    if text.isascii() and text.isdigit() and 1 <= int(text) <= LAST_PORT:
        return int(text)
    raise argparse.ArgumentTypeError(
        _t(f"1から{LAST_PORT}までの番号にしてください（{text}）", f"must be a number from 1 to {LAST_PORT} ({text})")
    )


def _parser() -> argparse.ArgumentParser:
    shared = _Parser(add_help=False)
    shared.add_argument(
        "--data", metavar="DIR", help=_t("データの置き場所（既定: KITEI_DATA、なければ ./kitei-data）", "data folder")
    )
    shared.add_argument(
        "--org",
        metavar="CODE",
        help=_t("組織コード（組織が複数あるときだけ）", "organization, only when there are several"),
    )
    shared.add_argument(
        "--as", dest="as_", metavar="MAIL", help=_t("この人の権限で行う", "act with this member's rights")
    )

    parser = _Parser(
        prog="kitei",
        description=_t(
            "運用管理規程を、実際の台帳から整え、実施を確かめ、証明する。",
            "Keeps an operations management regulation true.",
        ),
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)

    def add(name: str, ja: str, en: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=_t(ja, en), description=_t(ja, en), parents=[shared])

    demo = add("demo", "架空の事業者を入れて開きます", "load a fictional provider and serve it")
    demo.add_argument("--port", type=_port, default=8000)
    demo.add_argument("--seed", type=int, default=1)
    demo.add_argument("--today", metavar="DATE", help=_t("この日を今日とする", "the day the demo is made for"))
    demo.add_argument(
        "--password", metavar="X", help=_t("すべてのデモ用アカウントのパスワード", "password of every demo account")
    )
    demo.add_argument("--no-serve", action="store_true", help=_t("入れるだけで終わる", "load and exit"))

    init = add("init", "はじめの一度だけ行う準備", "first set-up")
    init.add_argument("--name", default="", help=_t("会社名", "company name"))
    init.add_argument(
        "--admin", required=True, metavar="MAIL", help=_t("最初の管理者のメールアドレス", "first administrator")
    )
    init.add_argument(
        "--invite",
        action="store_true",
        help=_t(
            "すでにある組織に、この人を管理者として招く（管理者がいなくなったとき）",
            "invite this person into the existing organization as an administrator",
        ),
    )
    init.add_argument(
        "--code",
        default="main",
        help=_t("組織コード（英小文字・数字・-。あとで変えられません）", "organization code, fixed for ever"),
    )

    adopt = add("adopt", "規程の案、又は自社の規程を施行します", "put an edition into force")
    adopt.add_argument("--effective", required=True, metavar="DATE", help=_t("施行日", "effective date"))
    adopt.add_argument(
        "--file", metavar="FILE", help=_t("自社の規程（Word又はPDF）", "your own regulation (Word or PDF)")
    )
    adopt.add_argument(
        "--edition", default="", metavar="LABEL", help=_t("版の名前（例: 第4.1版）", "label of the edition")
    )
    adopt.add_argument("--summary", default="", help=_t("改訂内容", "what changed"))
    adopt.add_argument("--approved-by", default="", help=_t("承認者", "who approved"))

    serve = add("serve", "Webサーバーと作業プロセスを動かします", "run the web server and one worker")
    serve.add_argument("--port", type=_port, default=8000)
    serve.add_argument("--host", default="127.0.0.1")

    worker = add("worker", "裏の作業を行います", "run background work")
    worker.add_argument(
        "--once", action="store_true", help=_t("今あるものを終えたら終わる", "drain what is due and exit")
    )

    add("upgrade", "控えを取り、データベースを新しい版に合わせます", "back up, migrate, verify")

    _register_commands(add)
    _log_commands(add)
    token = add("token", "APIトークンを作り、一度だけ表示します", "make an API token and print it once")
    token.add_argument("what", choices=["create"])
    token.add_argument(
        "--user",
        required=True,
        metavar="NAME",
        help=_t("だれの権限で読むか（メールアドレス又は氏名）", "whose rights (mail or name)"),
    )
    token.add_argument("--scope", choices=["read"], default="read")
    token.add_argument(
        "--ttl",
        default="1h",
        metavar="1h",
        help=_t("有効な長さ（30m、1h、90d。366日まで）", "30m, 1h, 90d; at most 366 days"),
    )
    token.add_argument("--label", default="", help=_t("用途", "what it is for"))
    add("doctor", "設定の誤りを一文で説明します", "explain a wrong setting")
    parser.add_argument("--version", action="store_true", help=_t("版を表示する", "show the version"))
    return parser


def _register_commands(add: Callable[[str, str, str], argparse.ArgumentParser]) -> None:
    """The commands that read and exchange registers."""
    check = add("check", "規定と運用の不足を調べます", "find gaps")
    check.add_argument("--as-of", metavar="DATE")
    check.add_argument("--format", choices=["table", "json"], default="table")

    build = add("build", "規程・別表・対照表を書き出します", "write the regulation, annexes and coverage matrix")
    build.add_argument("--out", metavar="DIR", default="out")
    build.add_argument(
        "--format", default="docx,pdf,html", help=_t("docx,pdf,html をカンマで区切る", "comma separated")
    )
    build.add_argument(
        "--rendering",
        choices=["internal", "disclosure"],
        default="internal",
        help=_t("社内版又は開示版", "internal or disclosure"),
    )
    build.add_argument("--as-of", metavar="DATE")

    imports = add(
        "import",
        "Excelの台帳を取り込みます（--apply がなければ試すだけ）",
        "import registers; a dry run without --apply",
    )
    imports.add_argument("file", metavar="FILE")
    imports.add_argument("--apply", action="store_true", help=_t("実際に取り込む", "really import"))

    export = add("export", "台帳をExcelに書き出します", "write the registers to Excel")
    export.add_argument("file", nargs="?", metavar="FILE.xlsx")
    export.add_argument(
        "--template", metavar="FILE.xlsx", help=_t("説明つきの空の台帳を書く", "write an empty explained workbook")
    )

    who = add("who", "その日に役割に就いている人を答えます", "who holds a role on a day")
    who.add_argument("role")
    who.add_argument("--as-of", metavar="DATE")
    who.add_argument("--format", choices=["table", "json"], default="table")


def _log_commands(add: Callable[[str, str, str], argparse.ArgumentParser]) -> None:
    """The commands about 操作記録: reading and proving it, backup and restore, erasure."""
    log = add("log", "操作記録を見る・証明を取り出す", "read the log, or take a proof out of it")
    log.add_argument("what", choices=["list", "show", "proof", "rotate-key", "restart"])
    log.add_argument("id", nargs="?", metavar="ID", help=_t("記録の番号（show, proof）", "event (show, proof)"))
    log.add_argument("--actor", default="", help=_t("した人（番号又はメールアドレス）", "who did it (id or mail)"))
    log.add_argument("--action", default="", metavar="NAME", help=_t("記録の種類（例: session:login）", "event name"))
    log.add_argument("--outcome", default="", choices=["", "ok", "refused"])
    log.add_argument("--since", default="", metavar="DATE", help=_t("この日から", "from this day on"))
    log.add_argument("--limit", type=int, default=50)
    log.add_argument("--format", choices=["table", "json"], default="table")
    log.add_argument("--out", metavar="FILE", help=_t("証明を書くファイル", "file for the proof"))

    verify = add("verify", "操作記録が改ざんされていないことを確かめます", "verify the log")
    verify.add_argument("logdir", nargs="?", metavar="LOGDIR")
    verify.add_argument("--key", metavar="VKEY", help=_t("外で預かった検証鍵", "a verifier key kept outside"))
    verify.add_argument(
        "--since", metavar="CHECKPOINT", help=_t("前に預かったチェックポイント", "an earlier checkpoint")
    )

    backup = add("backup", "控えを1つのファイルに取ります", "write one backup file")
    backup.add_argument("file", metavar="FILE")
    backup.add_argument(
        "--with-keys",
        action="store_true",
        help=_t("鍵もパスワードで封じて入れる", "also the keys, sealed with a pass phrase"),
    )

    restore = add("restore", "控えから復元し、復元したものを証明します", "restore a backup and prove what came back")
    restore.add_argument("file", metavar="FILE")
    restore.add_argument(
        "--last", metavar="CHECKPOINT", help=_t("外で預かった最新のチェックポイント", "newest checkpoint kept outside")
    )
    restore.add_argument(
        "--drill", action="store_true", help=_t("別の場所で試すだけ（訓練）", "only try it in another place")
    )

    erase = add("erase-person", "離職した人の個人情報を消します", "erase a person's data")
    erase.add_argument("member", metavar="CODE", help=_t("職員番号", "member's code"))
    erase.add_argument("--apply", action="store_true", help=_t("実際に消す（なければ試すだけ）", "really erase"))


_MODULES = {
    "log": "records",
    "verify": "verifying",
    "backup": "backup",
    "restore": "backup",
    "erase-person": "erasure",
    "demo": "demo",
    "init": "setup",
    "adopt": "setup",
    "upgrade": "setup",
    "serve": "serving",
    "worker": "serving",
    "check": "reading",
    "build": "reading",
    "who": "reading",
    "import": "exchange",
    "export": "exchange",
    "token": "tokens",
    "doctor": "doctor",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 findings or failure, 2 usage or configuration error."""
    if not _english():
        _speak_japanese()
    parser = _parser()
    options = parser.parse_args(argv)
    if options.version:
        from importlib.metadata import version  # noqa: PLC0415  only here

        print(version("kitei"))
        return 0
    if not options.command:
        parser.print_help()
        return USAGE_ERROR
    if options.data:
        os.environ["KITEI_DATA"] = os.path.abspath(options.data)  # noqa: PTH100  a plain string for the environment
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kitei.settings")
    from kitei.commands import run  # noqa: PLC0415  starts Django

    return run(importlib.import_module, _MODULES[options.command], options, english=_english())


if __name__ == "__main__":
    raise SystemExit(main())
