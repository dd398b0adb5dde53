"""Event names of the checks room."""

from kitei.trust.auditlog.vocabulary import declare

FINDING_ACCEPTED = declare("finding:accept", "指摘を受容", "Finding accepted")
