"""The regulation as one HTML file that needs nothing else: no script, no picture, no address outside.

The template is rendered by an engine of its own, without settings and without translation: the text of a regulation is
Japanese whatever language the reader's screen is in, and equal input must give equal bytes.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from pathlib import Path

from django.template import Context, Engine, Template

from kitei.outcomes.regulation.model import Regulation
from kitei.outcomes.regulation.render.common import TOKYO, view
from kitei.outcomes.regulation.render.page import TableView

_TEMPLATES = Path(__file__).resolve().parent.parent / "templates"
_WIDE = 7  # from so many columns a table scrolls sideways instead of squeezing its text


def render(regulation: Regulation, *, timestamp: dt.datetime) -> bytes:
    """Return the page as UTF-8. See ``kitei.outcomes.regulation.render.html``."""
    shown = view(regulation)
    context = Context(
        {
            "view": shown,
            "annexes": [(annex, [_columns(table) for table in annex.tables]) for annex in shown.annexes],
            "created": timestamp.astimezone(TOKYO).isoformat(timespec="seconds"),
        },
        use_l10n=False,
        use_tz=False,
    )
    return str(_template().render(context)).encode()


@lru_cache(maxsize=1)
def _template() -> Template:
    return Engine(dirs=[str(_TEMPLATES)]).get_template("regulation/export/regulation.html")


def _columns(table: TableView) -> dict[str, object]:
    total = sum(table.widths)
    return {
        "table": table,
        "wide": len(table.headers) >= _WIDE,
        "shares": [f"{100 * width / total:.2f}" for width in table.widths],
        "headers": list(zip(table.headers, table.marks, strict=True)),
        "rows": [list(zip(row, table.aligns, strict=True)) for row in table.rows],
        "count": str(len(table.headers)),
    }
