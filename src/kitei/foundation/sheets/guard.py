"""Text that a spreadsheet program would take for a formula.

Reading: such a text in a data cell is an error, unless its writer marked it as text. Writing: the text is marked, so
that nothing runs when somebody opens the file (CWE-1236), and the mark is taken off when the file comes back.

The mark is a leading apostrophe: in xlsx Excel's own (style ``quotePrefix``), in CSV a real character. A text that
starts with apostrophes before such a character gets one more, so ``unmark(mark(text)) == text`` for every text.
"""

from __future__ import annotations

import re

_MARKED = re.compile(r"'+[=+\-@\t\r＝＋－＠]")
_NEEDS_MARK = re.compile(r"'*[=+\-@\t\r＝＋－＠]")
_DASHES = re.compile(r"[-－]+\Z")
# A signed number or a telephone number: nothing in it can call a function, a link or a program.
_SIGNED = re.compile(r"[+-]\s?[\d.][^|!=]*\Z", re.DOTALL)


def looks_like_formula(text: str) -> bool:
    """Tell whether ``text`` (trimmed) would start a formula: ``=`` or ``@``, or a sign with something not a number."""
    first = text[:1]
    if first not in "=@+-" or not first:
        return False
    return first in "=@" or not (_DASHES.match(text) or _SIGNED.match(text))


def needs_mark(text: str) -> bool:
    """Tell whether ``text`` has to be marked as text on its way out. A row of dashes (「該当なし」) is harmless."""
    return bool(_NEEDS_MARK.match(text)) and not _DASHES.match(text)


def mark(text: str) -> str:
    """Return ``text`` as it is written to a CSV cell."""
    return "'" + text if needs_mark(text) else text


def unmark(text: str) -> tuple[str, bool]:
    """Return the text without the mark, and whether it carried one."""
    if _MARKED.match(text):
        return text[1:], True
    return text, False
