"""The risks room's sheets: procedures come first because measures name them."""

from __future__ import annotations

from kitei.foundation.sheets.spec import SheetSpec, register
from kitei.registers.risks import operations
from kitei.registers.risks.columns import MEASURES, PROCEDURES, RISKS

register(
    SheetSpec(
        key="procedure",
        ja="運用手順",
        en="Procedures",
        identity="code",
        columns=PROCEDURES,
        existing=operations.procedures.existing,
        apply=operations.procedures.apply,
        order=145,
        intro_ja="対策を運用する手順を1行に1つ書きます。担当は人ではなく役割で書きます。",
        intro_en="One procedure a row. The owner is a role, never a person.",
    )
)
register(
    SheetSpec(
        key="risk",
        ja="リスク",
        en="Risks",
        identity="code",
        columns=RISKS,
        existing=operations.risks.existing,
        apply=operations.risks.apply,
        order=150,
        intro_ja="情報流ごとのリスクを1行に1つ書きます。影響度と顕在化率からリスクレベルを決めます。",
        intro_en="One risk a row. The level follows from impact and likelihood.",
    )
)
register(
    SheetSpec(
        key="measure",
        ja="対策",
        en="Measures",
        identity="code",
        columns=MEASURES,
        existing=operations.measures.existing,
        apply=operations.measures.apply,
        order=155,
        intro_ja="リスクへの対策を1行に1つ書きます。採用した対策は運用要否を決め、要のものには運用手順を書きます。",
        intro_en="One measure a row. Decide for every adopted one whether it needs operating, and name its procedures.",
        aliases=("リスク対応一覧",),
    )
)
