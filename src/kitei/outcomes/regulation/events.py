"""Event names of the regulation room."""

from kitei.registers.base.events import declare_put
from kitei.trust.auditlog.vocabulary import declare, declare_kind

DRAFT_CHANGED = declare(
    "regulation:draft",
    "規程の案を変更",
    "Draft changed",
    when=("規程の案を作成又は変更したとき", "When the draft is made or changed"),
    data={"sha256": ("本文の要約値", "SHA-256 of the text")},
)
ADOPTED = declare(
    "regulation:adopt",
    "規程を施行",
    "Edition put into force",
    when=("版を確定し、施行日を決めたとき", "When an edition is frozen with its effective date"),
    data={
        "number": ("版の番号", "Number"),
        "kind": ("種類", "Kind"),
        "effective": ("施行日", "Effective date"),
        "sha256": ("内容の要約値", "SHA-256 of the content"),
        "files": ("ファイルの要約値", "SHA-256 of the files"),
    },
)
DOWNLOADED = declare(
    "regulation:download",
    "規程を出力",
    "Regulation downloaded",
    when=(
        "規程、別表又は対照表をファイルに出したとき（kitei build を含む）、1形式につき1件。渡す前に記録する",
        "One a format when the regulation, annexes or the matrix are taken out, also by kitei build; before it is handed out",
    ),
    data={"format": ("形式", "Format"), "rendering": ("社内用か開示用か", "Internal or disclosure")},
    change=False,
)
VIEWED = declare(
    "regulation:view",
    "規程を閲覧",
    "Regulation opened",
    when=("施行された版の本文を開いたとき。案は版ではないため記録しない", "When an edition is opened; a draft is none"),
    change=False,
)
OWN_ARTICLE_PUT = declare_put(
    "own-article:put", "現行規程の条を登録・変更", "Own article recorded", kind=("現行規程の条", "Own article")
)
declare_kind("regulation", "規程", "Regulation")
