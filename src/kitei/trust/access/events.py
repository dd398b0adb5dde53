"""Words of the access rule: why something was allowed or refused, in Japanese and English."""

from kitei.trust.access.roles import ROLES
from kitei.trust.auditlog.vocabulary import Text, declare_kind, declare_reason


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
    value=lambda kind: {"appointment": ("任命", "an appointment")}.get(kind, (kind, kind)),
)
for _code, _ja, _en in (("register", "台帳", "Register"), ("role", "役割", "Role"), ("folder", "フォルダー", "Folder")):
    declare_kind(_code, _ja, _en)
