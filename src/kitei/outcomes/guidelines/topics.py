"""Topics: the stable names by which checks, articles and duties meet a guideline edition (design §2.11).

A check answers for one topic and an article states topics; each edition maps its clauses to them. A new edition or a
renumbered regulation therefore changes data only. Keys are ``<room>.<what>`` and never change; names may.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from django.utils.translation import get_language

REGULATION_TOPICS: Final = MappingProxyType(
    {
        # ア, policy
        "people.privacy-policy": ("個人情報保護の方針", "Privacy policy"),
        "people.privacy-law": ("個人情報保護の法令の遵守", "Observance of privacy law"),
        "institutions.deceased-data": ("死者の情報", "Data of the deceased"),
        "documents.policies": ("情報セキュリティのポリシー", "Information security policies"),
        "people.observance": ("ポリシーを守る体制", "Organisation securing observance"),
        # イ, organisation
        "people.chief-officer": ("最終的な管理責任者", "Finally responsible officer"),
        "people.administrator-ability": (
            "システム管理者の能力と経験",
            "Ability and experience of the system administrator",
        ),
        "people.operations-supervisor": ("運用事務の統括責任者", "Operations supervisor"),
        "people.privacy-officer": ("個人情報保護の責任者", "Privacy officer"),
        "people.appointment-rules": ("役割と任命・解任の決まり", "Roles and rules of appointment and dismissal"),
        "people.emergency": ("緊急時の対応", "Emergency response"),
        "suppliers.organisation": ("再委託先の体制", "Organisation of sub-contractors"),
        # ウ, documents
        "documents.prompt-access": ("文書の速やかな確認", "Prompt access to documents"),
        "documents.access-restriction": ("文書のアクセス制限", "Access restriction of documents"),
        "documents.detection": ("制限の侵害の検出と記録", "Detection and recording of violations"),
        # エ, equipment
        "equipment.responsibility": ("機器の管理責任と管理方法", "Responsibility for equipment and its management"),
        "equipment.location": ("機器の所在確認", "Location confirmation of equipment"),
        # オ, risks
        "risks.operation": ("リスク対応策の運用手順", "Operating procedures for risk measures"),
        # カ onward: catalogued, unverified
        "media.control": ("記録媒体の管理", "Control of media"),
        "institutions.patient-explanation": ("患者等への説明と同意", "Explanation to patients and consent"),
        "audit.internal": ("監査", "Audit"),
        "institutions.inquiries": ("苦情・質問の窓口", "Contact window"),
        "regulation.review": ("規程の見直しと教育", "Review of the regulation and training"),
    }
)
"""What the regulation has to hold, in the guideline's order."""

OTHER_TOPICS: Final = MappingProxyType(
    {
        "institutions.data-scope": ("医療情報の範囲", "Scope of medical information"),
        "institutions.provider-kind": ("対象事業者の類型", "Kind of provider"),
        "institutions.layers": ("提供形態の層", "Layers of delivery"),
        "institutions.mixed-data": ("混在して保存した情報", "Mixed data"),
        "institutions.lifecycle": ("ライフサイクルの段階", "Lifecycle phases"),
        "institutions.agreement": ("共通理解と合意", "Common understanding and agreement"),
        "institutions.re-agreement": ("変化に応じた再合意", "Re-agreement on change"),
        "institutions.reporting": ("実施状況の記録と報告", "Recording and reporting"),
        "institutions.termination": ("契約終了時の扱い", "End of contract"),
        "institutions.role-sharing": ("役割分担", "Role sharing"),
        "institutions.risk-agreement": ("役割とリスクの合意", "Agreement on roles and risks"),
        "institutions.authenticity": ("真正性", "Authenticity"),
        "institutions.readability": ("見読性", "Readability"),
        "institutions.storability": ("保存性", "Storability"),
        "institutions.external-storage": ("外部保存", "External storage"),
        "suppliers.components": ("調達した構成要素", "Components bought in"),
        "equipment.vulnerability": ("脆弱性とサポート期限", "Vulnerabilities and end of support"),
        "risks.assessment": ("リスクアセスメントの実施", "Risk assessment"),
        "equipment.jurisdiction": ("国内法の及ぶ範囲", "Reach of Japanese law"),
        "documents.signature": ("電子署名", "Electronic signature"),
        "documents.sensitive": ("注意を要する文書", "Documents needing care"),
        "incidents.crisis": ("危機管理対応時", "Crisis"),
        "incidents.explanation": ("事故の情報の提供", "Information on incidents"),
        "incidents.remedy": ("善後の措置", "Remedial measures"),
        "incidents.recurrence": ("再発防止", "Prevention of recurrence"),
        "disclosure.duty-to-explain": ("説明義務", "Duty to explain"),
        "disclosure.before-contract": ("契約前の情報提供", "Disclosure before contract"),
        "disclosure.items": ("提供する情報の項目", "Items to disclose"),
        "disclosure.selection-items": ("選定のための情報", "Information for selection"),
        "disclosure.selection-criteria": ("医療機関等の選定基準", "The institution's selection criteria"),
        "disclosure.service-specification": ("サービスの仕様など", "Service specification and the like"),
        "disclosure.statement": ("開示書などの提出", "Disclosure statements"),
        "disclosure.written": ("文書による情報提供", "Information in writing"),
        "disclosure.plain": ("分かりやすい説明", "Plain explanation"),
        "audit.evaluation": ("安全管理の評価", "Evaluation of the management"),
        "audit.independence": ("評価の独立性", "Independence of the evaluation"),
        "audit.certification": ("第三者認証", "Third-party certification"),
        "risks.two-obligations": ("リスク管理と制度への対応", "Risk management and legal requirements"),
        "risks.management": ("リスクマネジメント", "Risk management"),
        "risks.configuration": ("全体構成", "Overall configuration"),
        "risks.information-flows": ("情報流", "Information flows"),
        "risks.identification": ("リスクの特定", "Risk identification"),
        "risks.threats": ("脅威", "Threats"),
        "risks.level": ("リスクレベル", "Risk level"),
        "risks.impact": ("影響度", "Impact"),
        "risks.assessment-list": ("リスクアセスメント結果一覧", "Risk assessment result list"),
        "risks.criteria": ("リスク基準", "Risk criteria"),
        "risks.options": ("リスク対応の選択", "Choice of response"),
        "risks.reduction": ("リスクの低減", "Risk reduction"),
        "risks.defence-in-depth": ("多層防御", "Defence in depth"),
        "risks.avoidance": ("リスクの回避", "Risk avoidance"),
        "risks.residual": ("残存リスク", "Residual risk"),
        "risks.final-responsibility": ("最終の責任", "Final responsibility"),
        "risks.design-steps": ("対応策の設計の手順", "Steps of design"),
        "risks.design-considerations": ("設計の考慮点", "Design considerations"),
        "risks.design-explainable": ("設計の説明", "Explaining the design"),
        "risks.response-list": ("リスク対応一覧", "Risk response list"),
        "risks.revision": ("リスク対応の見直し", "Revision of the responses"),
        "risks.continual": ("継続的な見直し", "Continual review"),
        "risks.worked-example": ("実施例", "Worked example"),
    }
)
"""What the rest of the guideline treats: for later rooms; no check answers for these yet."""

TOPICS: Final = MappingProxyType({**REGULATION_TOPICS, **OTHER_TOPICS})
"""Every topic: key to its short name in Japanese and English."""


def topic_name(key: str) -> str:
    """Return the short name in the active language; KeyError for an unknown topic."""
    japanese, english = TOPICS[key]
    return in_language(japanese, english)


def in_language(japanese: str, english: str) -> str:
    """Choose between two texts kept as data: English readers get English, everyone else Japanese."""
    return english if (get_language() or "ja").startswith("en") else japanese
