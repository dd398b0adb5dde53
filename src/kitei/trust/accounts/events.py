"""Event names of accounts that are not log-ins."""

from kitei.trust.auditlog.vocabulary import declare

LANGUAGE_SET = declare("account:set-language", "表示言語を変更", "Display language changed")
