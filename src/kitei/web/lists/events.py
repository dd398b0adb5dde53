"""Event names of the register lists."""

from kitei.trust.auditlog.vocabulary import declare

EXPORTED = declare(
    "register:export",
    "台帳を出力",
    "Register exported",
    when=(
        "一覧をExcel又はCSVに出したとき。送る前に記録する",
        "When a list is taken out as Excel or CSV; before it is sent",
    ),
    data={
        "form": ("形式", "Format"),
        "rows": ("行数", "Rows"),
        "columns": ("列", "Columns"),
        "day": ("基準日", "As of"),
    },
    private={"query": ("検索語と条件", "Search and filters")},
    change=False,
)
