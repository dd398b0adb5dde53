"""Event names of accounts that are not log-ins."""

from kitei.trust.auditlog.vocabulary import declare

LANGUAGE_SET = declare(
    "account:set-language",
    "表示言語を変更",
    "Display language changed",
    when=("本人が表示言語を変えたとき", "When a person changes the language of the pages"),
    data={"language": ("言語", "Language")},
    change=False,
)
