"""What a check is and what it says (design §2.1, §2.4).

A check answers for one *topic*: a stable name such as ``people.administrator-ability``. Guideline editions map topics
to clauses and regulation articles carry them, so a check survives a new edition of either.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from kitei.foundation.text import Message


class Severity(StrEnum):
    """How much a finding weighs: 必須 / 推奨 / 参考."""

    MUST = "must"
    SHOULD = "should"
    INFO = "info"


class Operated(StrEnum):
    """What the registers show for a topic as of a day (運用: あり / 一部 / なし / 未着手 / 対象外)."""

    YES = "yes"
    PARTIAL = "partial"
    NO = "no"
    NOT_STARTED = "not-started"
    NOT_APPLICABLE = "not-applicable"


class Basis(StrEnum):
    """Where a threshold comes from."""

    GUIDELINE = "guideline"
    REGULATION = "regulation"
    RECOMMENDATION = "recommendation"


@dataclass(frozen=True)
class Subject:
    """The register row a finding is about. ``label`` is what the company calls it; ``kind`` names the sheet."""

    kind: str
    id: str
    label: str


@dataclass(frozen=True)
class Finding:
    """One gap: stable ``code`` (``people.vacant-office``), one topic, one subject, what is wrong and the next step."""

    code: str
    severity: Severity
    topic: str
    basis: Basis
    subject: Subject
    message: Message
    next_step: Message

    @property
    def key(self) -> str:
        """What an acceptance is tied to: the same gap of the same subject has the same key on every day."""
        return f"{self.code}:{self.subject.kind}:{self.subject.id}"


@dataclass(frozen=True)
class Result:
    """A check's answer: the operated state, the facts behind it (each a short sentence), and its findings."""

    state: Operated
    facts: tuple[Message, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Provision:
    """A value the regulation fixes (規定値): read by checks from the edition in force, changed by revision only.

    ``value`` is an int or str; ``unit`` is e.g. 年, 日, か月; ``article`` is the citation (「第10条第2項第2号」) of the edition
    that states it, empty when no edition does and the value is Kitei's recommendation.
    """

    key: str
    value: Any
    unit: str = ""
    article: str = ""

    @property
    def basis(self) -> Basis:
        """REGULATION when an edition in force states the value, else RECOMMENDATION."""
        return Basis.REGULATION if self.article else Basis.RECOMMENDATION


@dataclass(frozen=True)
class CheckContext:
    """What a check may look at: one organization, one day (Asia/Tokyo), the provisions in force that day."""

    organization: Any
    day: dt.date
    provisions: Mapping[str, Provision]


@dataclass(frozen=True)
class Method:
    """判定のしかた: which facts are needed, over which period, with which threshold, and where the threshold comes from."""

    facts: Message
    threshold: Message
    basis: Basis
    provisions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Check:
    """One operating check: exactly one topic, how it judges, and the pure function over registers."""

    code: str
    topic: str
    method: Method
    run: Callable[[CheckContext], Result]


@dataclass
class Registry:
    """All checks, by code. One topic may be answered by several checks; the weakest state holds."""

    checks: dict[str, Check] = field(default_factory=dict)
    defaults: dict[str, Provision] = field(default_factory=dict)

    def register(self, check: Check) -> Check:
        """Add a check; ValueError when its code is taken."""
        if self.checks.get(check.code, check) is not check:
            raise ValueError(f"check {check.code} is registered twice")
        self.checks[check.code] = check
        return check

    def recommend(self, *provisions: Provision) -> None:
        """Declare the values used while no edition states one."""
        for provision in provisions:
            self.defaults[provision.key] = provision

    def all(self) -> Iterable[Check]:
        """Return the checks in a stable order."""
        return [self.checks[code] for code in sorted(self.checks)]


registry = Registry()
