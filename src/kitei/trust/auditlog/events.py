"""Event names of the trust floor, and the words for what is common to all events."""

from kitei.trust.auditlog.vocabulary import declare, declare_kind

PUT_WHEN = (
    "登録、変更、訂正又は取込のとき、1行につき1件",
    "One a row when rows are recorded, changed, corrected or imported",
)
PUT_DATA = {"from": ("いつから", "From"), "imported": ("取込か", "Imported")}
_MANY = ("件数", "Number")

ORGANIZATION_CREATED = declare(
    "organization:create", "組織を作成", "Organization created", when=("kitei init、デモの作成のとき", "At kitei init")
)
LOGIN = declare(
    "session:login",
    "ログイン",
    "Logged in",
    when=("ログインできたとき", "When a log-in succeeds"),
    decided=False,
    change=False,
)
LOGIN_FAILED = declare(
    "session:login-failed",
    "ログイン失敗",
    "Log-in failed",
    when=(
        "パスワード又はコードが違う、コードの期限切れ、停止中に試したとき",
        "Wrong password or one-time code, expired code, or an attempt while locked out",
    ),
    data={"reason": ("理由", "Reason")},
    private={"typed": ("入力された名前", "Name as typed")},
    decided=False,
    change=False,
)
LOGOUT = declare(
    "session:logout",
    "ログアウト",
    "Logged out",
    when=("ログアウトしたとき", "At log-out"),
    decided=False,
    change=False,
)
ACCOUNT_CREATED = declare(
    "account:create",
    "アカウントを作成",
    "Account created",
    when=("アカウントを作ったとき", "When an account is made"),
    data={"administrator": ("管理者か", "Administrator")},
)
ADMINISTRATOR_INVITED = declare(
    "account:invite",
    "コンソールから管理者を招待",
    "Administrator invited from the console",
    when=("kitei init --invite のとき", "At kitei init --invite"),
)
CODE_ISSUED = declare(
    "account:issue-code",
    "1回だけ使えるコードを発行",
    "One-time code issued",
    when=("コードを作ったとき。コードそのものは記録しない", "When a code is made; the code itself is not recorded"),
    change=False,
)
PASSWORD_SET = declare(
    "account:set-password",
    "パスワードを設定",
    "Password set",
    when=("パスワードを決めたとき。パスワードそのものは記録しない", "When a password is set; never the password"),
    change=False,
)
MEMBERSHIP_CHANGED = declare(
    "membership:change",
    "役割・所属による権限を変更",
    "Membership changed",
    when=("任命又は所属により権限ができたとき", "When an appointment or a department gives rights"),
    data={
        "kind": ("種類", "Kind"),
        "role": ("役割又は部署", "Role or department"),
        "membership": ("権限の番号", "Membership"),
        "source": ("もとになった任命又は所属", "Row it follows from"),
    },
)
MEMBERSHIP_WITHDRAWN = declare(
    "membership:withdraw",
    "役割・所属による権限を取消",
    "Membership withdrawn",
    when=("任命の訂正や退職により、権限の行を取り消したとき", "When a correction or a last day voids rights"),
    data={
        "kind": ("種類", "Kind"),
        "role": ("役割又は部署", "Role or department"),
        "membership": ("権限の番号", "Membership"),
        "source": ("もとになった任命又は所属", "Row it followed from"),
    },
)
REFUSED = declare(
    "access:refuse",
    "閲覧・操作を拒否",
    "Access refused",
    when=(
        "ログインした人、トークン、リンクの閲覧・操作を断ったとき。ないもの、ほかの組織のもの、期限切れの画面からの送信を含む",
        "Whenever a member, token or link is refused, also for what does not exist, another organization's, or a stale form",
    ),
    data={"action": ("しようとしたこと", "Action"), "route": ("画面", "Page"), "status": ("応答", "Answer")},
    private={"path": ("アドレス", "Address"), "object": ("入力された対象", "Object as typed")},
    change=False,
)
STRANGERS = declare(
    "access:strangers",
    "ログインしていない人による、ないアドレスへの要求",
    "Unknown addresses asked for without log-in",
    when=("1時間に1件。アドレスは記録しない", "One an hour, with the number only"),
    data={"count": _MANY, "from": ("いつから", "From"), "until": ("いつまで", "Until")},
    decided=False,
    change=False,
)

_LOG = {"origin": ("記録の名前", "Origin")}
_FILTERS = {
    "name": ("操作", "Action"),
    "outcome": ("結果", "Outcome"),
    "kind": ("対象の種類", "Kind of object"),
    "since": ("いつから", "Since"),
    "until": ("いつまで", "Until"),
}
_TYPED = {"query": ("入力された条件", "Filters as typed")}
_OPENED = {"opened": ("伏せた文字も示したか", "With what its commitments hide")}
LOG_OPENED = declare(
    "log:open",
    "操作記録を開始",
    "Log opened",
    when=(
        "組織の記録を始めるとき。継げない復元のあとにも",
        "First entry of every log, also after a restore that cannot be continued",
    ),
    data={
        **_LOG,
        "generation": ("世代", "Generation"),
        "vkey": ("検証鍵", "Verifier key"),
        "continues": ("前の記録の最後", "Head of the log before"),
    },
    decided=False,
    change=False,
)
LOG_KEY_ROTATED = declare(
    "log:rotate-key",
    "操作記録の鍵を交換",
    "Log key rotated",
    when=("署名鍵を替えるとき", "When the signing key is replaced"),
    data={"old": ("前の検証鍵", "Old verifier key"), "new": ("新しい検証鍵", "New verifier key")},
    decided=False,
    change=False,
)
LOG_ALARM = declare(
    "log:alarm",
    "操作記録の異常を検出",
    "Log fault found",
    when=("記録が改ざん又は巻き戻されたと分かったとき", "When the log is found altered or rolled back"),
    data=_LOG,
    decided=False,
    change=False,
)
LOG_LISTED = declare(
    "log:list",
    "操作記録を一覧",
    "Log searched",
    when=("操作記録の一覧を開いたとき、1頁につき1件", "One a page when the list of the log is read"),
    data={**_FILTERS, "further": ("続きの頁か", "Further page")},
    private=_TYPED,
    change=False,
)
LOG_VIEWED = declare(
    "log:view",
    "操作記録の1件を閲覧",
    "Log entry opened",
    when=("1件の記録を開いたとき", "When one entry is opened"),
    data=_OPENED,
    change=False,
)
LOG_EXPORTED = declare(
    "log:export",
    "操作記録を出力",
    "Log exported",
    when=(
        "操作記録をファイルに出したとき。渡す前に記録する",
        "When the log is taken out as a file; before it is handed out",
    ),
    data={**_FILTERS, **_LOG, "size": ("件数", "Size"), "root": ("根の値", "Root hash")},
    private=_TYPED,
    change=False,
)
LOG_PROVEN = declare(
    "log:proof",
    "操作記録の証明を出力",
    "Log proof taken out",
    when=("1件の証明ファイルを出したとき", "When the proof of one entry is taken out"),
    data=_OPENED,
    change=False,
)
BACKED_UP = declare(
    "backup:make",
    "控えを作成",
    "Backup made",
    when=("kitei backup、定期の控えのとき", "At kitei backup and the scheduled backup"),
    data={
        "sha256": ("控えの要約値", "SHA-256 of the backup"),
        "bytes": ("大きさ", "Bytes"),
        "rows": ("行数", "Rows"),
        "files": ("ファイルの数", "Files"),
        "log": ("操作記録の件数", "Size of the log"),
        "keys": ("鍵を含むか", "With keys"),
        "faults": ("異常の数", "Faults"),
    },
    decided=False,
    change=False,
)
RESTORED = declare(
    "backup:restore",
    "控えから復元",
    "Restored from a backup",
    when=("kitei restore のとき", "At kitei restore"),
    any_data=True,
    decided=False,
)
DRILLED = declare(
    "backup:drill",
    "復元の訓練を実施",
    "Restore drill held",
    when=("復元の訓練のとき", "At a restore drill"),
    any_data=True,
    decided=False,
    change=False,
)
PERSON_ERASED = declare(
    "person:erase",
    "個人の情報を消去",
    "Personal data erased",
    when=(
        "kitei erase-person のとき、復元のあとに消去し直したとき",
        "At kitei erase-person, and when a restore repeats it",
    ),
    data={
        "member": ("構成員", "Member"),
        "accounts": ("アカウント", "Accounts"),
        "groups": ("消去した情報の種類", "What was erased"),
        "openings_before": ("この時までの記録の文字", "Openings recorded before"),
        "copies_before": ("この時までの写し", "Copies recorded before"),
        "counts": ("件数", "Numbers"),
        "original": ("もとの消去の番号", "Erasure it repeats"),
    },
    decided=False,
)

for _kind, _ja, _en in (
    ("cli", "コンソールの利用者", "Console user"),
    ("worker", "Kitei（自動処理）", "Kitei (worker)"),
    ("guest", "リンクの利用者", "Holder of a link"),
    ("stranger", "ログインしていない人", "Not logged in"),
    ("account", "アカウント", "Account"),
    ("organization", "組織", "Organization"),
    ("address", "アドレス", "Address"),
    ("log", "操作記録", "Log"),
    ("backup", "控え", "Backup"),
):
    declare_kind(_kind, _ja, _en)
