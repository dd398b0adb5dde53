"""Which pass words are guessed first, offline (NIST SP 800-63B-4 §3.1.1.2): no composition rule, the whole of it counts.

A pass word is taken apart into words everybody tries (a list of ours, the names of service, organization and person),
runs of the keyboard or the alphabet, repeats and years. What is left, and how many different words there are, says how
much of it is its owner's: four different ordinary words are a pass phrase, one of them repeated is nothing.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

LEAST = 8
_PER_WORD = 2
_LEET = str.maketrans("01345@$7!8", "oieasastib")
_ROWS = ("1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "abcdefghijklmnopqrstuvwxyz", "qazwsxedcrfvtgbyhnujmikolp")
_RUN = 4
_SHORTEST_WORD = 4
_YEAR = re.compile(r"(?:19|20)[0-9]{2}")
_LEGAL_FORM = re.compile("株式会社|有限会社|合同会社|合資会社|合名会社|(?:一般|公益|特定)?(?:社団|財団|医療)法人")
_REPEAT = re.compile(r"(.{1,4}?)\1{2,}")


@lru_cache(maxsize=1)
def _listed() -> frozenset[str]:
    lines = (Path(__file__).parent / "bad_words.txt").read_text(encoding="ascii").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def _personal(user: Any) -> set[str]:
    """Return the words that say who and where: mail address, name, code and name of the organization."""
    organization = getattr(user, "organization", None)
    texts = [getattr(user, "email", ""), getattr(user, "name", "")]
    texts += [getattr(organization, "code", ""), getattr(organization, "name", "")]
    parts = {part for text in texts for part in re.split(r"[^\w]+|_", _fold(str(text))) if len(part) >= _SHORTEST_WORD}
    # 「株式会社」 before or behind: what people type is the rest.
    parts |= {rest for part in parts if len(rest := _LEGAL_FORM.sub("", part)) >= _SHORTEST_WORD}
    return parts | {"".join(_fold(str(text)).split()) for text in texts[1:2] if text}


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def own_share(password: str, words: frozenset[str] | set[str]) -> int:
    """Return how much of a pass word is its owner's: letters nobody expects, and two for each different known word."""
    plain = _fold(password)
    read = plain.translate(_LEET) if len(plain.translate(_LEET)) == len(plain) else plain
    taken = [not char.isalnum() for char in plain]
    found: set[str] = set()
    for pattern in (_REPEAT, _YEAR):
        for match in pattern.finditer(plain):
            # Of a repeat its first turn counts, like a word.
            keep = len(match[1]) if pattern is _REPEAT else 0
            taken[match.start() + keep : match.end()] = [True] * (match.end() - match.start() - keep)
    for start in range(len(plain) - _RUN + 1):
        if any(plain[start : start + _RUN] in row or plain[start : start + _RUN] in row[::-1] for row in _ROWS):
            taken[start : start + _RUN] = [True] * _RUN
    for word in sorted(words, key=len, reverse=True):
        for text in (plain, read):
            place = text.find(word)
            while place >= 0:
                if not all(taken[place : place + len(word)]):
                    found.add(word)
                taken[place : place + len(word)] = [True] * len(word)
                place = text.find(word, place + len(word))
    left = [char for char, known in zip(plain, taken, strict=True) if not known]
    # A few letters in turn (aababb…) are worth no more than twice as many letters.
    return min(len(left), 2 * len(set(left))) + _PER_WORD * len(found)


class GuessableValidator:
    """Refuses a pass word of which too little is its owner's."""

    def validate(self, password: str, user: Any = None) -> None:
        """ValidationError when the pass word is guessed first."""
        if own_share(password, _listed() | _personal(user)) < LEAST:
            raise ValidationError(
                _(
                    "このパスワードは推測されやすいものです。よくある語、会社名や氏名、並び順や繰り返しだけにせず、ほかの語を足してください。"
                ),
                code="password_guessable",
            )

    def get_help_text(self) -> str:
        """Return the rule in a sentence."""
        return _("よくある語、会社名や氏名、並び順や繰り返しだけのパスワードは使えません。")
