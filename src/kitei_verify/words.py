"""What the command says, in Japanese and English."""

from __future__ import annotations

_WORDS: dict[str, tuple[str, str]] = {
    "about": (
        "操作記録のフォルダーや証明が、改ざんされていないことを確かめます。終了コード: 0 正しい、1 誤りがある、2 使い方の誤り",
        "Verifies the folder of a log, or a proof taken from it. Exit code: 0 all holds, 1 something is wrong, 2 usage.",
    ),
    "help-logdir": ("操作記録のフォルダー", "the log's folder"),
    "help-key": (
        "外で預かった検証鍵、又はそれを書いたファイル（何度でも）",
        "a verifier key kept outside, or the file that holds it; may be repeated",
    ),
    "help-policy": ("鍵と立会者を書いたファイル（c2sp.org/tlog-policy）", "keys and witnesses (c2sp.org/tlog-policy)"),
    "help-since": (
        "前に控えたチェックポイントのファイル、又は 件数:ハッシュ（何度でも）",
        "a checkpoint kept earlier, or SIZE:ROOT; may be repeated",
    ),
    "help-proof": ("1件の証明（.tlog-proof）", "the proof of one entry (.tlog-proof)"),
    "help-tsa": ("時刻認証局の証明書（PEM）", "certificate of a time stamp authority (PEM)"),
    "help-hashes": (
        "記録の中身は調べない（Kitei以外のログ）",
        "do not check what entries say (logs that are not Kitei's)",
    ),
    "help-jobs": ("同時に動かす数（既定: CPUの数）", "number of processes (default: the cores)"),
    "help-format": ("出力の形", "form of the output"),
    "help-lang": (
        "言葉（既定: KITEI_LANG、LANG、なければ日本語）",
        "language (default: KITEI_LANG, LANG, else Japanese)",
    ),
    "usage": (
        "使い方が違います: {message}\n`{prog} --help` で使い方を見られます。",
        "wrong usage: {message}\nSee `{prog} --help`.",
    ),
    "nothing": (
        "確かめるものがありません。操作記録のフォルダーか --proof を指定してください。",
        "Nothing to verify: name the log's folder, or --proof.",
    ),
    "no-key": (
        "フォルダーなしで証明を確かめるには、検証鍵が必要です。--key か --policy を指定してください。",
        "A proof without the log's folder needs the verifier key: give --key or --policy.",
    ),
    "no-folder": (
        "--since と --tsa-root は、操作記録のフォルダーを確かめるときに使います。フォルダーを指定してください。",
        "--since and --tsa-root are about the log's folder: name it.",
    ),
    "no-such-folder": (
        "フォルダー「{name}」がありません。操作記録のフォルダー（checkpoint のある所）を指定してください。",
        "There is no folder {name!r}: name the log's folder, the one that holds `checkpoint`.",
    ),
    "inside": (
        "「{name}」は、確かめるフォルダーの中のものです。外で預かったものを渡してください。",
        "{name!r} is inside the folder to be verified: give what was kept outside.",
    ),
    "jobs": ("--jobs は0から{most}までにしてください。", "--jobs must be from 0 to {most}."),
    "unreadable": (
        "「{name}」を読めません（{reason}）。ファイルの名前と権限を確かめてください。",
        "{name!r} cannot be read ({reason}): check its name and rights.",
    ),
    "too-long": (
        "「{name}」が大きすぎます。別のファイルではありませんか。",
        "{name!r} is too large: is it another file?",
    ),
    "no-certificate": (
        "「{name}」にPEM形式の証明書がありません。時刻認証局から証明書を受け取り直してください。",
        "{name!r} holds no PEM certificate: get the authority's certificate again.",
    ),
    "wrong-input": (
        "渡されたものの形が違います。{where}: {what}。受け取り直してください。",
        "What was given has the wrong form. {where}: {what}. Get it again.",
    ),
    "log": ("操作記録", "log"),
    "origin": ("名前", "origin"),
    "size": ("件数", "entries"),
    "root": ("ハッシュ", "root"),
    "key": ("検証鍵", "key"),
    "key-outside": ("外から渡された鍵と一致", "the key given from outside"),
    "key-handover": (
        "外から渡された鍵から、記録の中の鍵の交代をたどって一致",
        "reached from the key given, through the handovers in the log",
    ),
    "key-folder": ("フォルダーの中の鍵", "from the folder itself"),
    "generation": ("世代", "generation"),
    "continues": ("{origin} の先頭{size}件を引き継ぐ", "continues the first {size} entries of {origin}"),
    "contents": ("中身", "contents"),
    "contents-yes": ("すべての項目を調べた", "every field checked"),
    "contents-no": ("調べていない（--hashes-only）", "not checked (--hashes-only)"),
    "since": ("控えから連続", "extends"),
    "cosigned": ("立会者の署名", "witness"),
    "quorum-yes": ("立会者の数は方針を満たす", "the policy's quorum is reached"),
    "quorum": ("方針", "policy"),
    "stamp": ("タイムスタンプ", "time stamp"),
    "stamp-of": ("{size}件まで、{at}、{authority}", "of {size} entries, {at}, {authority}"),
    "unchecked": ("（時刻認証局は未確認）", " (authority not checked)"),
    "keep": ("控え", "keep this"),
    "keep-text": (
        "{size}:{root}　次の確認で --since に渡すと、それより前が書き換えられていないことが分かります",
        "{size}:{root}  give it to --since next time: it shows that nothing before it was rewritten",
    ),
    "notice": ("注意", "note"),
    "fault": ("誤り", "wrong"),
    "entry": ("{where} の{index}番目の記録（0から数える）", "{where}, entry {index} (counted from 0)"),
    "do": ("→ ", "-> "),
    "proof": ("証明", "proof"),
    "proof-of": ("{index}番目の記録（0から数える）。{size}件の記録の中", "entry {index} (counted from 0) of {size}"),
    "event": ("記録", "event"),
    "disclosed": ("開示「{name}」", "disclosed {name}"),
    "committed": ("非開示", "not disclosed"),
    "result-ok": ("結果: 正しい", "RESULT: all holds"),
    "result-own": (
        "結果: 矛盾なし。ただし検証鍵がフォルダーの中のものなので、第三者に対する証明にはなりません。--key に外で預かった鍵を渡してください。",
        "RESULT: consistent, but the key came from the folder: this proves nothing to a third party. Give --key a key kept outside.",
    ),
    "result-wrong": ("結果: 誤りがあります", "RESULT: WRONG"),
}

_ADVICE: dict[str, tuple[str, str]] = {
    "format": (
        "このファイルは書き換えられたか、壊れています。控えと比べ、発行元に知らせてください。",
        "This file was altered or is damaged: compare it with a copy, and tell who runs the log.",
    ),
    "missing": (
        "写し漏れがないか確かめ、なければ発行元に知らせてください。",
        "Check that the copy is complete; if it is, tell who runs the log.",
    ),
    "unknown": (
        "ほかの人が置いたファイルなら取り除いて、もう一度確かめてください。",
        "If somebody else put this file there, take it away and verify again.",
    ),
    "kind": (
        "リンクや装置はログに入りません。フォルダーを写し直してください。",
        "Links and devices do not belong in a log: copy the folder again.",
    ),
    "unreadable": ("権限を確かめてください。", "Check who may read it."),
    "key": (
        "鍵を受け取った相手に、正しい鍵かどうかを確かめてください。鍵が正しければ、このログは偽物です。",
        "Ask who gave you the key whether it is right. If it is, this log is not the real one.",
    ),
    "beyond": (
        "記録が巻き戻されています。発行元に理由を尋ね、控えは捨てずに持っていてください。",
        "The log was put back. Ask who runs it why, and keep what you hold.",
    ),
    "quorum": (
        "立会者の署名が付くのを待って、もう一度確かめてください。",
        "Wait until the witnesses have signed, and verify again.",
    ),
    "stamp": (
        "時刻認証局の証明書が正しいか確かめてください。",
        "Check that the authority's certificate is the right one.",
    ),
}
_ALTERED = (
    "記録が書き換えられたか、壊れています。フォルダーをそのまま残し、発行元に知らせてください。",
    "The log was altered or is damaged: keep the folder as it is, and tell who runs the log.",
)

# What argparse says itself, in Japanese; it looks its texts up by a function.
_ARGPARSE = {
    "usage: ": "使い方: ",
    "positional arguments": "引数",
    "options": "オプション",
    "show this help message and exit": "この説明を表示する",
    "unrecognized arguments: %s": "知らない引数があります: %s",
    "expected one argument": "値が必要です",
    "invalid %(type)s value: %(value)r": "%(value)r は使えません",
    "invalid choice: %(value)r (choose from %(choices)s)": "%(value)r は選べません（%(choices)s から選んでください）",
    "argument %(argument_name)s: %(message)s": "%(argument_name)s: %(message)s",
}


def say(code: str, *, english: bool, **values: object) -> str:
    """Return the words of ``code`` with its values."""
    return _WORDS[code][english].format(**values)


def advice(code: str, *, english: bool) -> str:
    """Return what to do about a fault."""
    return _ADVICE.get(code, _ALTERED)[english]


def argparse_texts(text: str) -> str:
    """Return argparse's own words in Japanese."""
    return _ARGPARSE.get(text, text)
