"""Words of the access rule: why something was allowed or refused, in Japanese and English."""

from kitei.trust.access.roles import ROLES
from kitei.trust.auditlog.vocabulary import Text, declare, declare_kind, declare_reason


def _role(code: str) -> Text:
    found = ROLES.get(code)
    return (found.ja, found.en) if found else (code, code)


for _code, _ja, _en in (
    ("member", "ログインした構成員であるため", "A member who is logged in"),
    (
        "first-set-up",
        "役割に就いた人がまだログインできず、最初の管理者が準備しているため",
        "First set-up: no officer can log in yet",
    ),
    ("decided-at-start", "この操作の始めに一度だけ判定した", "Decided once, when the act began"),
    ("own-account", "本人のアカウントであるため", "One's own account"),
    ("one-time-code", "1回だけ使えるコードを持っていたため", "Holder of the one-time code"),
    ("no-role", "必要な役割に就いていない", "Holds none of the offices needed"),
    ("no-active-account", "有効なアカウントではない", "No active account"),
    ("other-organization", "ほかの組織のもの", "Belongs to another organization"),
    ("no-visible-row", "ないか、閲覧できない", "Does not exist or may not be seen"),
    ("no-such-clause", "要求事項がない", "No such requirement"),
    ("not-found", "アドレスにあたるものがない", "Nothing at this address"),
    ("wrong-method", "この画面では受け付けない送り方", "A way of asking this page does not take"),
    ("csrf", "送信元を確かめられない", "The sender could not be made sure of"),
    ("gone", "保存期限が過ぎたか、別のログインのもの", "Expired, or of another session"),
    ("too-large", "一度に送れる量を超えた", "More than may be sent at once"),
    ("too-often", "決められた回数を超えた", "More often than allowed"),
):
    declare_reason(_code, _ja, _en)
declare_reason("membership", "任命による権限（%s）", "Membership (%s)")
declare_reason("needs", "必要な役割：%s", "Office needed: %s", value=_role)
declare_reason(
    "face",
    "%sであるため",
    "Acts as %s",
    value=lambda face: {"cli": ("コンソールの利用者", "console user"), "worker": ("自動処理", "worker")}.get(
        face, (face, face)
    ),
)
declare_reason(
    "follows",
    "%sに伴う",
    "Follows from %s",
    value=lambda kind: {"appointment": ("任命", "an appointment"), "department": ("所属", "a department")}.get(
        kind, (kind, kind)
    ),
)
for _code, _ja, _en in (("register", "台帳", "Register"), ("role", "役割", "Role"), ("folder", "フォルダー", "Folder")):
    declare_kind(_code, _ja, _en)

declare_reason("deny", "閲覧・操作の禁止（%s）", "Deny (%s)")
declare_reason("grant", "閲覧・操作の許可（%s）", "Grant (%s)")
declare_reason("classification", "閲覧区分が、許された上限を超えている", "Classified above what is allowed")
declare_reason(
    "needs-class",
    "対象の閲覧区分：%s",
    "Classification of the object: %s",
    value=lambda level: {
        "0": ("公開", "public"),
        "1": ("社外秘", "internal"),
        "2": ("関係者限", "restricted"),
        "3": ("極秘", "secret"),
    }.get(level, (level, level)),
)
declare_reason(
    "owning-department", "主管部署の責任者であるため（部署 %s）", "Responsible in the owning department (%s)"
)
declare_reason("own-request", "本人の申請であるため", "One's own request")
declare_reason("break-glass", "緊急閲覧（本人の判断）", "Break-glass, on one's own decision")

_ENTRY = {
    "bundle": ("まとまりの番号", "Bundle"),
    "entries": ("行の番号", "Rows"),
    "principal": ("だれに", "Principal"),
    "scope": ("どこに", "Scope"),
    "actions": ("操作", "Actions"),
    "highest": ("閲覧区分の上限", "Highest classification"),
    "from": ("いつから", "From"),
    "until": ("いつまで", "Until"),
    "source": ("もとになったもの", "Source"),
    "alone": ("単独実施か", "By one person alone"),
}
_REASON = {"reason": ("理由", "Reason")}

GRANTED = declare(
    "access:grant",
    "閲覧・操作を許可",
    "Grant made",
    when=("閲覧などを許可したとき、まとめて1件", "When actions are granted, one event for all of them"),
    data=_ENTRY,
    private=_REASON,
    change=False,
)
DENIED = declare(
    "access:deny",
    "閲覧・操作を禁止",
    "Deny made",
    when=("閲覧などを禁止したとき、まとめて1件", "When actions are denied, one event for all of them"),
    data=_ENTRY,
    private=_REASON,
    change=False,
)
ENTRY_WITHDRAWN = declare(
    "access:withdraw",
    "許可・禁止を取消",
    "Grant or deny withdrawn",
    when=("許可又は禁止を取り消したとき", "When a grant or a deny is withdrawn"),
    data={
        "effect": ("種類", "Grant or deny"),
        "bundle": ("まとまりの番号", "Bundle"),
        "entries": ("行の番号", "Rows"),
        "alone": ("単独実施か", "By one person alone"),
    },
    private=_REASON,
    change=False,
)
ALONE = declare(
    "access:alone",
    "単独実施（第三者確認なし）",
    "Done by one person alone",
    when=(
        "ほかに権限を持つ人がいないため、自分への許可などを一人で行ったとき。知らせとして記録する",
        "When somebody, for want of a second person, gave rights to himself or confirmed his own act",
    ),
    data={"act": ("行ったこと", "Act"), "bundle": ("まとまりの番号", "Bundle"), "from": ("いつから", "From")},
    private=_REASON,
    change=False,
)
FOLDER_MADE = declare(
    "folder:make",
    "フォルダーを作成",
    "Folder made",
    when=(
        "フォルダーを作ったとき。取込で作られたものを含む",
        "When a folder is made, by an import too",
    ),
    data={"parent": ("上のフォルダー", "Parent")},
    private={"name": ("名称", "Name"), "department": ("主管部署", "Owning department")},
    change=False,
)
FOLDER_MOVED = declare(
    "folder:move",
    "フォルダーを変更",
    "Folder changed",
    when=("フォルダーを移したとき、又は主管部署を変えたとき", "When a folder is moved or its owner changes"),
    data={"from": ("移す前", "Before"), "parent": ("上のフォルダー", "Parent")},
    private={"department": ("主管部署", "Owning department")},
    change=False,
)
REQUESTED = declare(
    "access-request:ask",
    "閲覧を申請",
    "Access asked for",
    when=("閲覧申請を送ったとき。あるかどうかは確かめない", "When a request is sent, whether the thing exists or not"),
    data={"until": ("いつまで", "Until")},
    private={"wanted": ("見たいもの", "What is wanted"), "address": ("アドレス", "Address"), **_REASON},
    change=False,
)
REQUEST_ANSWERED = declare(
    "access-request:answer",
    "閲覧申請に回答",
    "Access request answered",
    when=("閲覧申請を承認又は却下したとき", "When a request is approved or refused"),
    data={"state": ("回答", "Answer"), "bundle": ("まとまりの番号", "Bundle"), "alone": ("単独実施か", "Alone")},
    private={"answer": ("回答の理由", "Reason of the answer")},
    change=False,
)
GLASS_BROKEN = declare(
    "access:break-glass",
    "緊急閲覧を開始",
    "Break-glass access begun",
    when=(
        "緊急閲覧を始めたとき。入力された文書番号の文書がなくても記録する",
        "When somebody lets himself in; also when no document has the typed number",
    ),
    data={
        "scope": ("範囲", "Scope"),
        "entries": ("行の番号", "Rows"),
        "until": ("いつまで", "Until"),
    },
    private={"number": ("入力された文書番号", "Number as typed"), **_REASON},
    change=False,
)
GLASS_REVIEWED = declare(
    "access:review-break-glass",
    "緊急閲覧を確認",
    "Break-glass access reviewed",
    when=("本人以外の責任者が、緊急閲覧を確認したとき", "When an officer other than the person has looked at it"),
    data={"outcome": ("結果", "Outcome"), "alone": ("単独実施か", "By one person alone")},
    private={"note": ("確認の内容", "Note")},
    change=False,
)
GRANT_REVIEWED = declare(
    "access:review",
    "権限を棚卸",
    "Grant reviewed",
    when=("権限の棚卸で、継続・変更・取消を決めたとき", "When a grant was kept, changed or removed in a review"),
    data={"outcome": ("結果", "Outcome"), "bundle": ("まとまりの番号", "Bundle"), "replaced": ("新しい番号", "Now")},
    private={"note": ("理由", "Reason")},
    change=False,
)
for _code, _ja, _en in (
    ("access", "閲覧権限", "Access rights"),
    ("access-request", "閲覧申請", "Access request"),
    ("break-glass", "緊急閲覧", "Break-glass access"),
    ("grant", "許可", "Grant"),
    ("deny", "禁止", "Deny"),
):
    declare_kind(_code, _ja, _en)
