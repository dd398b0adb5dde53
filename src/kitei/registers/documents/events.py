"""Event names of the documents room."""

from kitei.trust.auditlog.vocabulary import declare

DOCUMENT_PUT = declare("document:put", "文書を登録・変更", "Document recorded")
DOCUMENT_VIEWED = declare("document:view", "文書を閲覧", "Document viewed")
DOCUMENT_DOWNLOADED = declare("document:download", "文書をダウンロード", "Document downloaded")
