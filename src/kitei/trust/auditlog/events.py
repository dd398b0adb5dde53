"""Event names of the trust floor."""

from kitei.trust.auditlog.vocabulary import declare

ORGANIZATION_CREATED = declare("organization:create", "組織を作成", "Organization created")
LOGIN = declare("session:login", "ログイン", "Logged in")
LOGIN_FAILED = declare("session:login-failed", "ログイン失敗", "Log-in failed")
LOGOUT = declare("session:logout", "ログアウト", "Logged out")
ACCOUNT_CREATED = declare("account:create", "アカウントを作成", "Account created")
ADMINISTRATOR_INVITED = declare(
    "account:invite", "コンソールから管理者を招待", "Administrator invited from the console"
)
PASSWORD_SET = declare("account:set-password", "パスワードを設定", "Password set")
MEMBERSHIP_CHANGED = declare("membership:change", "役割による権限を変更", "Role membership changed")
REFUSED = declare("access:refuse", "閲覧・操作を拒否", "Access refused")
