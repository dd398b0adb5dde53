"""Event names of the documents room."""

from kitei.registers.base.events import declare_put
from kitei.trust.auditlog.vocabulary import declare

_FILE = {"state": ("版の番号", "Version"), "digest": ("ファイルの要約値", "SHA-256 of the file")}

DOCUMENT_PUT = declare_put("document:put", "文書を登録・変更", "Document recorded", kind=("文書", "Document"))
DOCUMENT_VIEWED = declare(
    "document:view",
    "文書を閲覧",
    "Document viewed",
    when=(
        "公開・社外秘の文書のファイルを開いたとき。送る前に記録し、送り終えたかは記録しない",
        "When the file of a public or internal document is opened; before it is sent, and not whether all of it arrived",
    ),
    data=_FILE,
    change=False,
)
DOCUMENT_DOWNLOADED = declare(
    "document:download",
    "文書をダウンロード",
    "Document downloaded",
    when=(
        "関係者限・極秘の文書のファイルを取り出したとき。送る前に記録し、送り終えたかは記録しない",
        "When the file of a restricted or secret document is taken out; before it is sent, not whether all of it arrived",
    ),
    data=_FILE,
    change=False,
)
