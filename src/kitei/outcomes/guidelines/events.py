"""Event names of the guidelines room."""

from kitei.trust.auditlog.vocabulary import declare

CLAUSE_REVIEWED = declare("clause:review", "要求事項を原文と照合", "Clause compared with the original")
