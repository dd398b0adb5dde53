"""What an edition of a guideline is, and the questions asked of it. Pure data: no database (design §2.11)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from kitei.engine.checks.model import Severity
from kitei.foundation.text import Message
from kitei.outcomes.guidelines.topics import in_language

REGULATION_SECTION: Final = "5.1.6"
"""The section whose clauses coverage counts; it holds the contents of the 運用管理規程."""
REGULATION_LETTERS: Final = frozenset({"a", "i", "u", "e", "o", "ka", "ki", "ku", "ke", "ko"})
"""ア…コ: what the regulation has to hold, as against the exchange with institutions (R-19…) in the same section."""


def _either(japanese: str | None, english: str | None) -> str | None:
    return None if japanese is None or english is None else in_language(japanese, english)


class Provenance(StrEnum):
    """How a clause came to be known; the values are explained in ``schema.json``."""

    VERIFIED = "verified"
    VERIFIED_PART = "verified-part"
    SECONDARY = "secondary"
    INFERRED = "inferred"
    RECALLED = "recalled"

    @property
    def label(self) -> Message:
        """確認済 / 一部確認 / 二次資料 / 推定 / 記憶."""
        return _PROVENANCE[self]


_PROVENANCE: Final[Mapping[Provenance, Message]] = {
    Provenance.VERIFIED: Message("確認済"),
    Provenance.VERIFIED_PART: Message("一部確認"),
    Provenance.SECONDARY: Message("二次資料"),
    Provenance.INFERRED: Message("推定"),
    Provenance.RECALLED: Message("記憶"),
}
CHECK_NEEDED: Final = Message("要確認")
LEVELS: Final[Mapping[str, tuple[Severity, Message]]] = {
    "shall": (Severity.MUST, Message("～すること")),
    "must": (Severity.MUST, Message("～しなければならない")),
    "precond": (Severity.MUST, Message("前提条件")),
    "ought": (Severity.SHOULD, Message("～べきである")),
    "should": (Severity.SHOULD, Message("～が望ましい")),
    "may": (Severity.INFO, Message("～も考えられる")),
    "info": (Severity.INFO, Message("説明")),
}
"""The guideline's own word for how binding a clause is: the class it counts in, and how it reads."""
CONFIDENCES: Final[Mapping[str, Message]] = {
    "hi": Message("確度: 高"),
    "mid": Message("確度: 中"),
    "lo": Message("確度: 低"),
}
_WEIGHT: Final = {Severity.MUST: 0, Severity.SHOULD: 1, Severity.INFO: 2}


@dataclass(frozen=True)
class Clause:
    """One requirement (要求事項) of an edition; pages are those of the PDF and the number printed on it."""

    id: str
    label: str
    section: str
    letter: str
    level: str
    title_ja: str
    title_en: str
    statement_ja: str
    statement_en: str
    page: int | None
    printed_page: int | None
    provenance: Provenance
    confidence: str | None
    source: str
    topics: tuple[str, ...]
    condition_ja: str | None = None
    condition_en: str | None = None
    note_ja: str | None = None
    note_en: str | None = None

    @property
    def verified(self) -> bool:
        """Whether it was read in the publishers' own text; every other clause shows 要確認 and is not counted."""
        return self.provenance is Provenance.VERIFIED

    @property
    def counting(self) -> Severity:
        """The class it counts in: shall, must, precond → must; ought, should → should; may, info → info."""
        return LEVELS[self.level][0]

    @property
    def level_label(self) -> Message:
        """How the guideline's own word of obligation reads."""
        return LEVELS[self.level][1]

    @property
    def title(self) -> str:
        """Very short name in the active language."""
        return in_language(self.title_ja, self.title_en)

    @property
    def statement(self) -> str:
        """The summary in the active language."""
        return in_language(self.statement_ja, self.statement_en)

    @property
    def condition(self) -> str | None:
        """When the clause applies, in the active language; None when always."""
        return _either(self.condition_ja, self.condition_en)

    @property
    def note(self) -> str | None:
        """A footnote's substance, or what is doubtful, in the active language."""
        return _either(self.note_ja, self.note_en)

    @property
    def page_label(self) -> Message | None:
        """「PDF 41頁（印字35頁）」, None when the page is not known."""
        if self.page is None:
            return None
        if self.printed_page is None:
            return Message("PDF %(page)s頁", {"page": self.page})
        return Message("PDF %(page)s頁（印字%(printed)s頁）", {"page": self.page, "printed": self.printed_page})


@dataclass(frozen=True)
class Note:
    """A remark on an edition in both languages."""

    ja: str
    en: str

    @property
    def text(self) -> str:
        """The remark in the active language."""
        return in_language(self.ja, self.en)


@dataclass(frozen=True)
class Source:
    """Where a statement was read: ``key`` stands in ``Clause.source``; ``official`` when the publishers' own page."""

    key: str
    ja: str
    en: str
    url: str | None
    official: bool

    @property
    def name(self) -> str:
        """The name in the active language."""
        return in_language(self.ja, self.en)


@dataclass(frozen=True)
class Section:
    """A heading of the edition; ``provenance`` tells how its number is known."""

    number: str
    title_ja: str
    title_en: str
    provenance: Provenance

    @property
    def title(self) -> str:
        """The heading in the active language, in our words."""
        return in_language(self.title_ja, self.title_en)


@dataclass(frozen=True)
class Edition:
    """One edition of a guideline. ``text`` says how far its own text was read: checked, partly, unchecked."""

    id: str
    number: str
    title_ja: str
    title_en: str
    publisher_ja: str
    publisher_en: str
    published: dt.date
    status: str
    superseded_by: str | None
    text: str
    notes: tuple[Note, ...]
    sources: tuple[Source, ...]
    sections: tuple[Section, ...]
    clauses: tuple[Clause, ...]
    newest: Edition | None = field(default=None, compare=False, repr=False)
    """The last edition of the chain of ``superseded_by``; None for the last itself."""

    @property
    def title(self) -> str:
        """The guideline's name in the active language."""
        return in_language(self.title_ja, self.title_en)

    @property
    def publisher(self) -> str:
        """Who published it, in the active language."""
        return in_language(self.publisher_ja, self.publisher_en)

    @property
    def name(self) -> Message:
        """「第1.1版」."""
        return Message("第%(number)s版", {"number": self.number})

    @property
    def official_sources(self) -> tuple[Source, ...]:
        """The publishers' own pages, to be opened by whoever checks a clause."""
        return tuple(source for source in self.sources if source.official)

    @property
    def notice(self) -> Message:
        """Which edition is measured against, and whether a newer one is published and read."""
        params = {"edition": self.name}
        if self.newest is not None:
            params["newest"] = self.newest.name
            return replace(_SUPERSEDED[self.newest.status][self.newest.text], params=params)
        return replace(_ALONE[self.status][self.text], params=params)

    def clause(self, clause_id: str) -> Clause:
        """Return the clause with this full id; KeyError when the edition has none."""
        for clause in self.clauses:
            if clause.id == clause_id:
                return clause
        raise KeyError(clause_id)

    def labelled(self, label: str) -> Clause:
        """Return the clause with this label (「イ-2」); KeyError when the edition has none."""
        for clause in self.clauses:
            if clause.label == label:
                return clause
        raise KeyError(label)

    def clauses_for(self, topic: str) -> tuple[Clause, ...]:
        """Return the clauses of a topic, verified before unverified and the most binding first; empty when none."""
        found = [clause for clause in self.clauses if topic in clause.topics]
        return tuple(sorted(found, key=lambda clause: (not clause.verified, _WEIGHT[clause.counting])))

    def clause_for(self, topic: str) -> Clause | None:
        """Return the one clause a finding on this topic cites (the first of ``clauses_for``); None when none."""
        found = self.clauses_for(topic)
        return found[0] if found else None

    def section(self, number: str) -> tuple[Clause, ...]:
        """Return every clause of exactly this section, in the edition's order."""
        return tuple(clause for clause in self.clauses if clause.section == number)

    def heading(self, number: str) -> Section | None:
        """Return the heading of a section; None when the edition lists none."""
        return next((section for section in self.sections if section.number == number), None)

    def counted(
        self, *, section: str = REGULATION_SECTION, letters: Collection[str] | None = None
    ) -> tuple[Clause, ...]:
        """Return the clauses coverage counts: verified, must or should, of this section.

        ``letters`` narrows it, e.g. to ``REGULATION_LETTERS`` for what the regulation itself has to hold.
        """
        return tuple(
            clause
            for clause in self.section(section)
            if clause.verified
            and clause.counting is not Severity.INFO
            and (letters is None or clause.letter in letters)
        )


_ALONE: Final[Mapping[str, Mapping[str, Message]]] = {
    "current": {
        "checked": Message("対照する版: %(edition)s（現行）"),
        "partly": Message("対照する版: %(edition)s（現行、原文は一部確認）"),
        "unchecked": Message("対照する版: %(edition)s（現行、原文未確認）"),
    },
    "superseded": {
        "checked": Message("対照する版: %(edition)s（旧版）"),
        "partly": Message("対照する版: %(edition)s（旧版、原文は一部確認）"),
        "unchecked": Message("対照する版: %(edition)s（旧版、原文未確認）"),
    },
    "draft": {
        "checked": Message("対照する版: %(edition)s（案）"),
        "partly": Message("対照する版: %(edition)s（案、原文は一部確認）"),
        "unchecked": Message("対照する版: %(edition)s（案、原文未確認）"),
    },
}
_SUPERSEDED: Final[Mapping[str, Mapping[str, Message]]] = {
    "current": {
        "checked": Message("対照する版: %(edition)s（旧版。現行は%(newest)s）"),
        "partly": Message("対照する版: %(edition)s（旧版。現行は%(newest)s、原文は一部確認）"),
        "unchecked": Message("対照する版: %(edition)s（旧版。現行は%(newest)s、原文未確認）"),
    },
    "superseded": {
        "checked": Message("対照する版: %(edition)s（旧版。後の版に%(newest)sがあります）"),
        "partly": Message("対照する版: %(edition)s（旧版。後の版に%(newest)sがあります。原文は一部確認）"),
        "unchecked": Message("対照する版: %(edition)s（旧版。後の版に%(newest)sがあります。原文未確認）"),
    },
    "draft": {
        "checked": Message("対照する版: %(edition)s（次の版の案は%(newest)s）"),
        "partly": Message("対照する版: %(edition)s（次の版の案は%(newest)s、原文は一部確認）"),
        "unchecked": Message("対照する版: %(edition)s（次の版の案は%(newest)s、原文未確認）"),
    },
}
