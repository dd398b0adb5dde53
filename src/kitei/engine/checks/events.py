"""Event names of the checks room."""

from kitei.trust.auditlog.vocabulary import declare, declare_kind

FINDING_ACCEPTED = declare(
    "finding:accept",
    "指摘を受容",
    "Finding accepted",
    when=("指摘を、理由と期限を決めて受け入れたとき", "When a finding is accepted with a reason and an end"),
    data={"until": ("期限", "Until")},
    private={"finding": ("指摘", "Finding"), "reason": ("理由", "Reason")},
)
declare_kind("finding", "指摘", "Finding")
