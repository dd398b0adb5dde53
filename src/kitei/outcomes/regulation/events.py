"""Event names of the regulation room."""

from kitei.trust.auditlog.vocabulary import declare

DRAFT_CHANGED = declare("regulation:draft", "規程の案を変更", "Draft changed")
ADOPTED = declare("regulation:adopt", "規程を施行", "Edition put into force")
DOWNLOADED = declare("regulation:download", "規程を出力", "Regulation downloaded")
VIEWED = declare("regulation:view", "規程を閲覧", "Regulation opened")
OWN_ARTICLE_PUT = declare("own-article:put", "現行規程の条を登録・変更", "Own article recorded")
