"""Event names of the register lists."""

from kitei.trust.auditlog.vocabulary import declare

EXPORTED = declare("register:export", "台帳を出力", "Register exported")
