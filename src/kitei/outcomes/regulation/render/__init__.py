"""The regulation as Word, PDF/A and HTML: ``docx()``, ``pdf()``, ``html()``.

All three take the finished tree and one aware ``timestamp``, their only clock, and return bytes that are equal for equal
input in any process. They need no database. The heavy packages are loaded on first use, because the command line imports this.
"""

from __future__ import annotations

import datetime as dt

from kitei.outcomes.regulation.model import Regulation

__all__ = ["docx", "html", "pdf"]


def docx(regulation: Regulation, *, timestamp: dt.datetime) -> bytes:
    """Return a Word file with named styles, a contents field and real tables. Fonts are named, not embedded.

    Raises:
        UserError: a text holds a control character; the message says where.
    """
    from kitei.outcomes.regulation.render.to_docx import render  # noqa: PLC0415 -- python-docx takes 0.2 s to load

    return render(regulation, timestamp=_aware(timestamp))


def pdf(regulation: Regulation, *, timestamp: dt.datetime) -> bytes:
    """Return a PDF/A-2b file set with the packaged Noto fonts only. CPU-bound: call it in the worker or a child process.

    Raises:
        UserError: a text holds a control character or one without a glyph; the message names it and its place.
    """
    from kitei.outcomes.regulation.render.to_pdf import render  # noqa: PLC0415 -- typst is a 32 MB library

    return render(regulation, timestamp=_aware(timestamp))


def html(regulation: Regulation, *, timestamp: dt.datetime) -> bytes:
    """Return one self-contained HTML file (UTF-8, no script, nothing loaded from elsewhere).

    Raises:
        UserError: a text holds a control character; the message says where.
    """
    from kitei.outcomes.regulation.render.to_html import render  # noqa: PLC0415 -- symmetrical to the two above

    return render(regulation, timestamp=_aware(timestamp))


def _aware(timestamp: dt.datetime) -> dt.datetime:
    if timestamp.utcoffset() is None:
        raise ValueError("timestamp must be aware: it is the only clock of a rendering")
    return timestamp
