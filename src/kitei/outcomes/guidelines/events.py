"""Event names of the guidelines room."""

from kitei.trust.auditlog.vocabulary import declare, declare_kind

CLAUSE_REVIEWED = declare(
    "clause:review",
    "要求事項を原文と照合",
    "Clause compared with the original",
    when=("要求事項を公表された原文と照合したとき", "When a requirement is compared with the published text"),
    data={"edition": ("ガイドラインの版", "Guideline edition"), "corrected": ("直したか", "Corrected")},
    private={"statement": ("直した要約", "Corrected summary")},
)
declare_kind("clause", "要求事項", "Requirement")
