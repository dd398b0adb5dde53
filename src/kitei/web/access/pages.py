"""Where the access pages stand in the navigation, and what they share."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from kitei.foundation.ui import pages
from kitei.foundation.ui.lists import Section, section
from kitei.trust.access import rule

SECTION = "access"


def target(actor: Any) -> rule.Target:
    """What the rule is asked about on these pages."""
    return rule.Target("access", organization=actor.organization)


def may_see(actor: Any) -> bool:
    """Whether the reader sees everybody's rights."""
    return rule.decide(actor, rule.VIEW, target(actor)).allowed


def may_manage(actor: Any) -> bool:
    """Whether the reader gives and takes rights."""
    return rule.decide(actor, rule.MANAGE, target(actor)).allowed


section(Section(SECTION, _("閲覧権限"), "access-requests", 75))
for _order, (_key, _label, _shown) in enumerate(
    (
        ("access-requests", _("閲覧申請"), None),
        ("access-emergency", _("緊急閲覧"), None),
        ("access-folders", _("フォルダーと権限"), may_see),
        ("access-why", _("閲覧できる理由・できない理由"), may_see),
        ("access-reach", _("この人が閲覧できるもの"), may_see),
        ("access-reviews", _("権限の棚卸"), may_see),
    )
):
    pages.register(pages.Page(SECTION, _key, _label, _key, _order, shown=_shown))
