"""Operating checks of the people room: rows ア-5, イ-1…イ-6 and ウ-3 of the seed page, and audit independence."""

from __future__ import annotations

from kitei.engine.checks.model import Basis, Check, Method, Provision, registry
from kitei.foundation.text import Message
from kitei.registers.people import judging
from kitei.trust.access.roles import CHIEF_OFFICER, OPERATIONS_SUPERVISOR, PRIVACY_OFFICER, SYSTEM_ADMINISTRATOR

registry.recommend(
    Provision("people.administrator-years", 5, "年"),
    Provision("people.emergency-confirm-days", 90, "日"),
    Provision("people.committee-months", 3, "か月"),
    Provision("people.training-months", 12, "か月"),
    Provision("people.drill-months", 12, "か月"),
    Provision("people.qualification-warn-days", 90, "日"),
    Provision("documents.log-review-months", 1, "か月"),
)

_OFFICE_METHOD = Method(
    facts=Message("その日に有効な任命が登録されていること"),
    threshold=Message("空席の日がなく、1人だけの役割に2人以上いないこと。就いている人が在籍していること"),
    basis=Basis.GUIDELINE,
)

for _code, _role in (
    ("people.chief-officer", CHIEF_OFFICER),
    ("people.operations-supervisor", OPERATIONS_SUPERVISOR),
    ("people.privacy-officer", PRIVACY_OFFICER),
):
    registry.register(Check(code=_code, topic=_role.topic, method=_OFFICE_METHOD, run=judging.office(_role)))
registry.register(
    Check(
        code="people.administrator-ability",
        topic=SYSTEM_ADMINISTRATOR.topic,
        method=Method(
            facts=Message("就いている人ごとの、有効な認める資格と、情報セキュリティに係る技術的対策の実務の期間"),
            threshold=Message("資格等があり、かつ、実務が規程の年数以上あること"),
            basis=Basis.REGULATION,
            provisions=("people.administrator-years", "people.qualification-warn-days"),
        ),
        run=judging.administrators,
    )
)
registry.register(
    Check(
        code="people.appointment-rules",
        topic="people.appointment-rules",
        method=Method(
            facts=Message("有効な任命ごとの根拠条"),
            threshold=Message("すべての任命が根拠条を示すこと"),
            basis=Basis.RECOMMENDATION,
        ),
        run=judging.appointment_rules,
    )
)
registry.register(
    Check(
        code="people.emergency",
        topic="people.emergency",
        method=Method(
            facts=Message("緊急連絡網の番号ごとの本人確認日と、訓練の最終実施日"),
            threshold=Message("番号を規程の日数以内に確認し、訓練を規程の月数以内に行っていること"),
            basis=Basis.REGULATION,
            provisions=("people.emergency-confirm-days", "people.drill-months"),
        ),
        run=judging.emergency,
    )
)
registry.register(
    Check(
        code="people.observance",
        topic="people.observance",
        method=Method(
            facts=Message("情報セキュリティ責任者の任命、委員会と教育の最終実施日"),
            threshold=Message("空席がなく、委員会と教育を規程の月数以内に行っていること"),
            basis=Basis.REGULATION,
            provisions=("people.committee-months", "people.training-months"),
        ),
        run=judging.observance,
    )
)
registry.register(
    Check(
        code="documents.detection",
        topic="documents.detection",
        method=Method(
            facts=Message("Kiteiが記録した閲覧・操作の拒否と、操作記録の点検の最終実施日"),
            threshold=Message("点検を規程の月数以内に行っていること"),
            basis=Basis.REGULATION,
            provisions=("documents.log-review-months",),
        ),
        run=judging.detection,
    )
)
registry.register(
    Check(
        code="audit.internal",
        topic="audit.internal",
        method=Method(
            facts=Message("監査責任者の任命と、ほかの役割との兼務"),
            threshold=Message("空席がなく、監査を受ける役割を兼ねていないこと"),
            basis=Basis.RECOMMENDATION,
        ),
        run=judging.audit,
    )
)
