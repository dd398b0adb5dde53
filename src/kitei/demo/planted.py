"""The gaps that were planted: what ``kitei check`` has to find in the demo, and nothing else.

Data, not prose: the test compares it with the findings. ``letter`` is the line of the guideline the gap belongs to.
"""

from __future__ import annotations

from typing import NamedTuple


class Gap(NamedTuple):
    """One finding code, how many of it there are, under which letter it stands (— for a clause outside ア to オ)."""

    code: str
    number: int
    severity: str
    letter: str


PLANTED = (
    Gap("institutions.measures-unsaid", 1, "should", "ア"),
    Gap("people.qualification-deadline", 1, "should", "イ"),
    Gap("suppliers.unconfirmed-organisation", 1, "must", "イ"),
    Gap("suppliers.contract-expired", 1, "must", "イ"),
    Gap("suppliers.certification-expired", 1, "should", "イ"),
    Gap("suppliers.onward-unknown", 1, "should", "イ"),
    Gap("documents.review-overdue", 2, "should", "ウ"),
    Gap("documents.public-contract", 1, "must", "ウ"),
    Gap("equipment.no-vulnerability-responsible", 2, "must", "エ"),
    Gap("equipment.no-erasure-certificate", 1, "should", "エ"),
    Gap("equipment.unconfirmed", 2, "must", "エ"),
    Gap("equipment.missing", 1, "must", "エ"),
    Gap("equipment.moved", 1, "should", "エ"),
    Gap("risks.undecided", 1, "must", "オ"),
    Gap("risks.procedure-overdue", 1, "must", "オ"),
    Gap("risks.no-reason", 1, "should", "オ"),
    Gap("equipment.support-ending", 2, "should", "エ"),
    Gap("institutions.not-agreed", 1, "should", "—"),
)
