"""Event names of accounts that are not log-ins."""

from kitei.trust.auditlog.vocabulary import declare, declare_kind, declare_reason

LANGUAGE_SET = declare(
    "account:set-language",
    "表示言語を変更",
    "Display language changed",
    when=("本人が表示言語を変えたとき", "When a person changes the language of the pages"),
    data={"language": ("言語", "Language")},
    change=False,
)

_KIND = {"kind": ("種類", "Kind"), "factor": ("手段の番号", "Factor")}
FACTOR_ADDED = declare(
    "factor:add",
    "本人確認の手段を追加",
    "Factor added",
    when=(
        "パスキー、認証アプリ又は回復コードを設定したとき。鍵もコードも記録しない",
        "When a passkey, an authenticator app or recovery codes are set up; never the key or the codes",
    ),
    data=_KIND,
    change=False,
)
FACTOR_REMOVED = declare(
    "factor:remove",
    "本人確認の手段を削除",
    "Factor removed",
    when=("手段を一つ外したとき", "When a factor is removed"),
    data=_KIND,
    change=False,
)
FACTORS_RESET = declare(
    "factor:reset",
    "本人確認の手段をすべて解除",
    "All factors reset",
    when=(
        "端末をなくした人の手段を、ほかの人又はコンソールから解除したとき",
        "When another person or the console resets the factors of somebody who lost a device",
    ),
    data={"passkeys": ("パスキーの数", "Passkeys"), "apps": ("認証アプリの数", "Authenticator apps")},
    change=False,
)
RECOVERY_USED = declare(
    "factor:use-recovery",
    "回復コードを使用",
    "Recovery code used",
    when=("回復コードで本人と確かめたとき", "When a recovery code proved who it is"),
    data={"left": ("残りの数", "Codes left")},
    change=False,
)
STEPPED_UP = declare(
    "session:step-up",
    "本人であることを再確認",
    "Identity confirmed again",
    when=(
        "承認、管理、持ち出しの前に、もう一度確かめたとき。失敗も記録する",
        "When somebody confirms who they are before approving, managing or exporting; failures too",
    ),
    data={"by": ("確かめ方", "By"), "reason": ("理由", "Reason")},
    decided=False,
    change=False,
)
OIDC_LINKED = declare(
    "factor:link-oidc",
    "外部の認証基盤のIDを結び付け",
    "Identity of a provider linked",
    when=(
        "招待された人が、外部の認証基盤で初めてログインしたとき",
        "When an invited person first logs in through the OpenID provider",
    ),
    change=False,
)

declare_kind("factor", "本人確認の手段", "Factor")


SESSION_ENDED = declare(
    "session:end",
    "ログイン中の端末を終了",
    "Log-in ended",
    when=(
        "本人又は編集できる人が終えたとき、パスワードの変更、停止、退職、解任により終わったとき",
        "When its owner or an editor ends it, and at a change of pass word, a stop, a last day or a dismissal",
    ),
    data={"login": ("ログインの番号", "Log-in"), "why": ("きっかけ", "Why")},
    change=False,
)
CONSOLE_SEEN = declare(
    "account:see-console-invitation",
    "コンソールからの招待を確認",
    "Console invitation seen",
    when=(
        "コンソールから管理者が招待された知らせを、役割のある人が確認したとき",
        "When an officer confirms having seen that an administrator was invited from the console",
    ),
    change=False,
)
ACCOUNT_INVITED = declare(
    "account:invite-member",
    "構成員をアカウントに招待",
    "Member invited",
    when=("画面から招待したとき、招待を送り直したとき", "When a member is invited on the page, or invited again"),
    data={"member": ("構成員", "Member"), "way": ("渡し方", "By mail or on paper")},
)
INVITATION_WITHDRAWN = declare(
    "account:withdraw-invitation",
    "招待を取消",
    "Invitation withdrawn",
    when=("使われていない招待を取り消したとき", "When an invitation nobody used is withdrawn"),
)
ACCOUNT_STOPPED = declare(
    "account:stop",
    "アカウントを停止",
    "Account stopped",
    when=("アカウントを停止したとき。ログイン中の端末とトークンも終わる", "At a stop; its log-ins and tokens end too"),
    data={"sessions": ("終えたログインの数", "Log-ins ended"), "tokens": ("終えたトークンの数", "Tokens ended")},
)
ACCOUNT_REOPENED = declare(
    "account:reopen",
    "アカウントを再開",
    "Account reopened",
    when=("停止したアカウントを再開したとき", "When a stopped account is opened again"),
)
TOKEN_CREATED = declare(
    "token:create",
    "APIトークンを作成",
    "API token made",
    when=("トークンを作ったとき。トークンそのものは記録しない", "When a token is made; never the token itself"),
    data={"account": ("アカウント", "Account"), "scope": ("範囲", "Scope"), "until": ("期限", "Until")},
    private={"label": ("トークンの名前", "Label")},
    change=False,
)
TOKEN_ENDED = declare(
    "token:end",
    "APIトークンを無効化",
    "API token ended",
    when=(
        "トークンを無効にしたとき、アカウントの停止により無効になったとき",
        "When a token is ended, or its account is",
    ),
    data={"account": ("アカウント", "Account")},
    change=False,
)
TOKEN_REFUSED = declare(
    "token:refuse",
    "APIトークンを拒否",
    "API token refused",
    when=(
        "知らないトークン、期限切れ、無効のトークン、要求の多すぎるトークンを受けたとき。1分に20件まで、超えた数は次の1件に入る",
        "An unknown, expired or ended token, or one that asks too often; at most 20 a minute, the next one says how many were left out",
    ),
    data={"reason": ("理由", "Reason"), "left_out": ("記録を省いた件数", "Left out before")},
    decided=False,
    change=False,
)
declare_kind("token", "APIトークン", "API token")
declare_reason("token-scope", "トークンの範囲は閲覧だけ", "The token only reads")
declare_reason("token-owner", "本人のアカウントではない", "Not one's own account")
