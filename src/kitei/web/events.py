"""Event names of the web floor."""

from kitei.trust.auditlog.vocabulary import declare, declare_kind

IMPORTED = declare(
    "register:import",
    "台帳を取込",
    "Registers imported",
    when=("取込を確定したとき、各行の記録の後に1件", "When an import is applied, after the events of its rows"),
    data={
        "added": ("追加", "Added"),
        "changed": ("変更", "Changed"),
        "sheets": ("シート", "Sheets"),
    },
)
EXPORTED = declare(
    "register:export-all",
    "すべての台帳を書き出し",
    "All registers exported",
    when=(
        "すべての台帳を取込と同じ形のExcelに出したとき。連絡先も含むため、渡す前に記録する",
        "When all registers, private contacts included, are taken out as a workbook; before it is handed out",
    ),
    data={"contacts": ("含まれる連絡先の列", "Columns of private contacts in it")},
    change=False,
)
CONTACTS_SHOWN = declare(
    "contact:view",
    "連絡先を表示",
    "Private contacts shown",
    when=(
        "取込の確認で、登録済みの私的な連絡先が変更の前の値として表示されるとき",
        "When the preview of an import shows recorded private contacts as the values before the change",
    ),
    data={"columns": ("列", "Columns"), "rows": ("行数", "Rows")},
    change=False,
)
CHECKED = declare(
    "checks:run",
    "台帳を確認し直し",
    "Checks run again",
    when=("「いま確認し直す」を押したとき", "When a person asks for the checks to be run now"),
    change=False,
)
MAPPING_SAVED = declare(
    "sheet:map",
    "列の対応を保存",
    "Column mapping saved",
    when=("自社の表と台帳の列の対応を保存したとき", "When the match of a company's own columns is saved"),
    change=False,
)
declare_kind("sheet", "シート", "Sheet")
